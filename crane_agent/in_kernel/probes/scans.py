"""Columns read value by value: what a conversion rejects, and in which rows a condition holds."""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import blocks, casts, column_cells, conditions, masks
from . import frames

MOST_WORK = 10_000_000
"""Comparisons of two numbers that a condition may cost, over all rows and steps."""

CHUNK = 1 << 16
"""Rows that are looked at between two looks at the clock."""


def cast(shell: Any, budget: safe.Budget, path: str, to: str, name: str | int | None = None) -> dict[str, Any]:
    """Say which value of a column a conversion rejects first, and at which position.

    `int()` and `float()` are about Python's own functions on each element; the path may lead to a list or tuple, too.
    """
    if to not in casts.CONVERSIONS:
        raise safe.Refused("could not look, because {!r} is none of {}".format(to, ", ".join(casts.CONVERSIONS)))
    value = paths.resolve(path, shell.user_ns)
    index = None
    if safe.one_of(type(value), (list, tuple)) and name is None and to in ("int()", "float()"):
        elements = safe.first(value, casts.MOST_CONVERTED)
        length, looked_at = len(value), len(elements)  # type: ignore[arg-type]
        rejected = casts.first_of_objects(elements, to, budget)
    else:
        found = frames.column_at(shell, path, name)
        length, index = found.cells.length, found.index
        looked_at, rejected = casts.first_of_column(found.values, found.cells, found.dtype, to, budget)
    answer: dict[str, Any] = {"path": path, "to": to, "length": length, "looked_at": looked_at}
    if rejected is None:
        return dict(answer, rejects=False if looked_at == length else None)
    answer.update(rejects=True, rejected_at=rejected.position, element_type=safe.type_name(rejected.value))
    if index is not None:
        answer["label"] = column_cells.label_at(index, rejected.position)
    if rejected.exception is not None:
        answer["exception"] = rejected.exception
    shown = _repr(rejected.value)
    budget.proof["value"] = shown
    # What Arrow's missing value is called on the way differs between versions.
    if rejected.message is not None and rejected.value is not safe.loaded("pandas", "NA"):
        budget.proof["message"] = rejected.message[:300]
    if budget.shows(VALUES):
        answer["rejected"] = shown
    return answer


def _repr(value: object) -> str:
    """Return an exact scalar as Python writes it, cut."""
    plain = value.item() if safe.inherits(type(value), safe.loaded("numpy", "generic")) else value  # type: ignore[attr-defined]
    if not safe.one_of(type(plain), safe.SCALARS):
        return safe.type_name(value)
    if safe.one_of(type(plain), (str, bytes)):
        return repr(plain[:200]).encode("utf-8", "backslashreplace").decode("utf-8")  # type: ignore[index]
    return safe.text(plain)


def rows(shell: Any, budget: safe.Budget, path: str, where: str) -> dict[str, Any]:
    """Count the rows of a frame in which a condition on its columns holds, and give the first positions."""
    frame = paths.resolve(path, shell.user_ns)
    frames.check_frame(frame, path)
    labels = frames.column_labels(frame)
    if labels is None:
        raise safe.Refused("could not look, because some column labels of {} are no plain values".format(path))
    condition = conditions.parse(where, path)
    table = masks.Table(frame, labels)
    length = len(blocks.axes(frame)[1])
    cost, texts = masks.cost(condition, table)
    cap = min(length, MOST_WORK // max(1, cost), masks.MOST_TEXTS // texts if texts else length)
    count, positions = 0, []  # type: int, list[int]
    numpy = safe.loaded("numpy")
    # What is divided by zero is infinite, as in pandas; the setting is of this thread alone.
    with numpy.errstate(all="ignore"):
        for start, stop in column_cells.spans(length, cap, CHUNK):
            budget.check()
            holds = masks.rows_of(condition, table.chunk(start, stop), where)
            here = int(numpy.count_nonzero(holds))
            count += here
            if here and len(positions) < min(10, budget.items):
                positions.extend((holds.nonzero()[0] + start).tolist())
    if length == 0:
        masks.rows_of(condition, table.chunk(0, 0), where)
    return {
        "path": path,
        "where": where,
        "length": length,
        "looked_at": cap,
        "count": count,
        "positions": positions[: min(10, budget.items)],
    }


FIELDS = {
    "to": Field(NAMES, "the conversion asked about"),
    "rejects": Field(
        SCHEMA, "whether it rejects a value; null if it rejects none of those looked at, and there are more"
    ),
    "rejected_at": Field(SCHEMA, "position of the value that is rejected, from 0"),
    "element_type": Field(SCHEMA, "type of the value that is rejected"),
    "rejected": Field(VALUES, "the value that is rejected"),
    "where": Field(NAMES, "the condition asked about"),
    "positions": Field(SCHEMA, "the first positions of what was found, from 0"),
}
PROBES = {"cast": cast, "rows": rows}
