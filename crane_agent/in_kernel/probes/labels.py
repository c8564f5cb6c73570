"""Labels of frames, series, lists and dicts: what one has and another lacks."""

from __future__ import annotations

import operator
from typing import Any

from .. import paths, safe
from ..likeness import MOST_COMPARED, close_to_each
from ..privacy import SCHEMA, Field
from ..readers import blocks, column_cells
from . import frames

MOST_LABELS = 50_000
"""Labels of an index that are compared one by one."""

MOST_NUMBERS = 10_000_000
"""Labels that are looked through where they are numbers."""

CHUNK = 1 << 18
"""Labels that are looked at between two looks at the clock."""


# -- One index --------------------------------------------------------------------------------------------------------


def index(
    shell: Any,
    budget: safe.Budget,
    path: str,
    labels: list[str | int | float] | None = None,
    axis: str = "rows",
) -> dict[str, Any]:
    """Describe an index: kind, dtype, length, duplicates, order; for given `labels`, say which are not in it."""
    found = _index_at(shell, path, axis)
    answer: dict[str, Any] = {
        "path": path,
        "index": safe.class_name(type(found)),
        "length": len(found),
        "truncated": False,
    }
    answer.update(frames.level_facts(found))
    if "levels" not in answer:
        own = safe.instance_dict(found) or {}
        answer["level_names"] = [column_cells.shown_label(own.get("_name"))]
    span = _range(found)
    if span is not None:
        answer.update(dtype="int64", range=[span.start, span.stop, span.step], duplicates=0, looked_at=len(span))
        answer["sorted"] = span.step > 0 or len(span) <= 1
    elif "levels" in answer:
        answer.update(_facts_of_levels(found, budget))
    else:
        values = blocks.index_values(found)
        answer["dtype"] = blocks.dtype_of(values)
        answer.update(_facts_of_values(column_cells.cells(values), budget))
    if labels is not None:
        answer.update(_lookup(found, labels, budget))
    return answer


def _index_at(shell: Any, path: str, axis: str) -> Any:
    """Return the index of the frame or Series at `path`, or the index that is there itself."""
    value = paths.resolve(path, shell.user_ns)
    if axis not in ("rows", "columns"):
        raise safe.Refused("could not look, because axis is 'rows' or 'columns', not {!r}".format(axis))
    if blocks.is_frame(value):
        return blocks.axes(value)[1 if axis == "rows" else 0]
    if axis == "columns":
        raise safe.Refused("could not look, because {} is a {}, not a DataFrame".format(path, safe.type_name(value)))
    if blocks.is_series(value):
        return blocks.axes(value)[0]
    if blocks.is_index(value):
        return value
    raise safe.Refused(
        "could not look, because {} is a {}, not exactly a DataFrame, Series or Index".format(
            path, safe.type_name(value)
        )
    )


def _range(found: Any) -> range | None:
    """Return the range that a RangeIndex stands for."""
    span = (safe.instance_dict(found) or {}).get("_range")
    return span if type(span) is range else None


def _facts_of_values(cells: column_cells.Cells, budget: safe.Budget) -> dict[str, Any]:
    """Return whether the labels ascend, and how many repeat an earlier one, among those looked at.

    Source: the pandas reference, `Index.is_monotonic_increasing`: with a missing label it is False.
    """
    if cells.kind == "O":
        return _facts_of_objects(cells, budget)
    if cells.kind == "C":
        looked_at = min(cells.length, MOST_LABELS)
        return {"duplicates": _repeats(*cells.read(0, looked_at)), "looked_at": looked_at}
    if cells.kind not in "biufmMP":
        return {}
    ascends, repeats, last = True, 0, None
    looked_at = min(cells.length, MOST_NUMBERS)
    for start, stop in column_cells.spans(cells.length, looked_at, CHUNK):
        budget.check()
        chunk, mask = cells.read(start, stop)
        ascends = ascends and not (mask is not None and mask.any())
        ascends = ascends and bool((chunk[1:] >= chunk[:-1]).all()) and (last is None or bool(chunk[0] >= last))
        if not ascends:
            break
        repeats += int((chunk[1:] == chunk[:-1]).sum()) + (last is not None and bool(chunk[0] == last))
        last = chunk[-1]
    if not ascends:
        looked_at = min(cells.length, MOST_LABELS)
        repeats = _repeats(*cells.read(0, looked_at))
    known = ascends is False or looked_at == cells.length
    return dict({"duplicates": repeats, "looked_at": looked_at}, **({"sorted": ascends} if known else {}))


def _repeats(values: Any, mask: Any) -> int:
    """Return how many values of an array repeat an earlier one; missing ones are equal to each other."""
    missing = 0 if mask is None else int(mask.sum())
    ordered = values[~mask] if missing else values.copy()
    ordered.sort()
    return int((ordered[1:] == ordered[:-1]).sum()) + max(0, missing - 1)


def _facts_of_objects(cells: column_cells.Cells, budget: safe.Budget) -> dict[str, Any]:
    looked_at = min(cells.length, MOST_LABELS)
    elements = cells.read(0, looked_at)[0].tolist()
    budget.check()
    kinds = column_cells.kinds_of(elements)
    answer: dict[str, Any] = {"looked_at": looked_at}
    if not all(safe.one_of(kind, (str, int, bool, bytes)) for kind, _ in kinds):
        return answer
    answer["duplicates"] = len(elements) - len(set(elements))
    # Texts are compared with texts; what order there is among several types pandas does not tell either.
    if len(kinds) == 1 and looked_at == cells.length:
        answer["sorted"] = all(map(operator.le, elements, elements[1:]))
    return answer


def _facts_of_levels(found: Any, budget: safe.Budget) -> dict[str, Any]:
    """Return how many labels of a MultiIndex repeat an earlier one, among the first."""
    looked_at = min(len(found), MOST_LABELS)
    codes = [each[:looked_at].tolist() for each in found._codes]
    budget.check()
    answer = {"dtype": "object", "looked_at": looked_at}
    if all(len(level) <= MOST_LABELS and _is_distinct(level, budget) for level in found._levels):
        answer["duplicates"] = looked_at - len(set(zip(*codes)))
    return answer


def _is_distinct(level: Any, budget: safe.Budget) -> bool:
    """Whether no label of a level stands there twice: pandas can be told not to look."""
    if _range(level) is not None:
        return True
    return _facts_of_values(column_cells.cells(blocks.index_values(level)), budget).get("duplicates") == 0


# -- Labels that are looked up ----------------------------------------------------------------------------------------


def _lookup(found: Any, labels: list[Any], budget: safe.Budget) -> dict[str, Any]:
    """Say which labels are not in an index, and what is close to them."""
    span = _range(found)
    if span is not None:
        missing = [label for label in labels if not _is_in_range(label, span)]
        return _missing(missing, [], budget)
    if safe.is_exactly(found, "pandas", "MultiIndex"):
        raise safe.Refused("could not look, because the index has several levels: a label would be of which?")
    values = blocks.index_values(found)
    cells = column_cells.cells(values)
    if cells.kind == "C":
        categories = column_cells.categories_of(values)
        known = _plain_labels(categories, "the categories")
        if cells.length > MOST_NUMBERS:
            raise safe.Refused("could not look, because the index is too long")
        used = set(safe.loaded("numpy").unique(cells.read(0, cells.length)[0]).tolist())
        known = [label for code, label in enumerate(known) if code in used]
        present = set(known)
        return _missing([label for label in labels if label not in present], known, budget)
    if cells.kind in "iuf":
        return _missing(_not_among(labels, cells, budget), [], budget)
    if cells.kind != "O":
        reason = "could not look, because labels of a {} of dtype {} are not compared as they are written"
        raise safe.Refused(reason.format(safe.class_name(type(found)), blocks.dtype_of(values)))
    if cells.length > MOST_LABELS:
        raise safe.Refused("could not look, because there are more than {} labels".format(MOST_LABELS))
    known = _plain_labels(found, "the index")
    present = set(known)
    return _missing([label for label in labels if label not in present], known, budget)


def _is_in_range(label: Any, span: range) -> bool:
    if type(label) is float and label.is_integer():
        label = int(label)
    return type(label) is int and label in span


def _not_among(labels: list[Any], cells: column_cells.Cells, budget: safe.Budget) -> list[Any]:
    """Return the labels that no number of an index equals."""
    wanted = list(dict.fromkeys(label for label in labels if safe.one_of(type(label), (int, float))))
    if cells.length * max(1, len(wanted)) > 2 * MOST_NUMBERS:
        raise safe.Refused("could not look, because the index is too long to look for {} labels".format(len(wanted)))
    present: set[Any] = set()
    for start, stop in column_cells.spans(cells.length, cells.length, CHUNK):
        budget.check()
        chunk = cells.read(start, stop)[0]
        present.update(label for label in wanted if _fits(label, chunk) and bool((chunk == label).any()))
    return [label for label in labels if type(label) is str or label not in present]


def _fits(label: Any, chunk: Any) -> bool:
    """Whether a number can be compared with an array as it is: numpy turns wider ones into another type."""
    if label != label or abs(label) >= 2**63:
        raise safe.Refused("could not look, because {!r} is no number of 64 bits".format(label))
    return bool(chunk.dtype.kind != "u" or label >= 0)


def _missing(missing: list[Any], known: list[Any], budget: safe.Budget) -> dict[str, Any]:
    texts = [label for label in known if type(label) is str]
    close = close_to_each(missing, texts, budget)
    truncated = len(missing) > min(budget.items, MOST_COMPARED)
    return {"missing": missing[: budget.items], "close": close, "truncated": truncated}


# -- Two sets of labels -----------------------------------------------------------------------------------------------


def difference(shell: Any, budget: safe.Budget, left: str, right: str, axis: str = "columns") -> dict[str, Any]:
    """Compare the labels of two values: which one has and the other lacks, and whether they are in the same order."""
    first, first_ordered = _labels_at(shell, left, axis)
    budget.check()
    second, second_ordered = _labels_at(shell, right, axis)
    budget.check()
    in_first, in_second = set(first), set(second)
    only_left = [label for label in dict.fromkeys(first) if label not in in_second]
    only_right = [label for label in dict.fromkeys(second) if label not in in_first]
    answer: dict[str, Any] = {
        "left": left,
        "right": right,
        "left_length": len(first),
        "right_length": len(second),
        "in_both": len(in_first & in_second),
        "only_left": _shown(only_left, budget),
        "only_right": _shown(only_right, budget),
        "only_left_count": len(only_left),
        "only_right_count": len(only_right),
        "truncated": max(len(only_left), len(only_right)) > budget.items,
    }
    if not only_left and not only_right and first_ordered and second_ordered:
        answer["same_order"] = first == second
    texts = [label for label in only_right if type(label) is str]
    first_left = only_left[: min(budget.items, MOST_COMPARED)]
    answer["close"] = close_to_each([label for label in first_left if type(label) is str], texts, budget)
    return answer


def _shown(labels: list[Any], budget: safe.Budget) -> list[Any]:
    return [
        [column_cells.shown_label(part) for part in label] if type(label) is tuple else column_cells.shown_label(label)
        for label in labels[: budget.items]
    ]


def _labels_at(shell: Any, path: str, axis: str) -> tuple[list[Any], bool]:
    """Return the labels at a path, and whether they have an order."""
    value: Any = paths.resolve(path, shell.user_ns)
    if blocks.is_frame(value):
        return _plain_labels(_index_at(shell, path, axis), path), True
    if blocks.is_series(value):
        return _plain_labels(blocks.axes(value)[0], path), True
    if blocks.is_index(value):
        return _plain_labels(value, path), True
    kind = type(value)
    if kind is safe.loaded("numpy", "ndarray") and len(value.shape) == 1 and value.dtype.kind in "OUiuf":
        return _checked(value[: MOST_LABELS + 1].tolist(), path), True
    if safe.one_of(kind, safe.CONTAINERS):
        found = safe.first(value, MOST_LABELS + 1)
        is_set = safe.one_of(kind, (set, frozenset))
        checked = _checked(found, path)
        # The order of a set is another one in every process.
        return (sorted(checked, key=_by_text), False) if is_set else (checked, True)
    raise safe.Refused(
        "could not look, because {} is a {}: no exact frame, Series, Index, list, tuple, set, dict or array".format(
            path, safe.type_name(value)
        )
    )


def _by_text(label: Any) -> tuple[str, str]:
    return safe.class_name(type(label)), str(label)


def _checked(labels: list[Any], what: str) -> list[Any]:
    """Return labels that are exact built-in scalars, or tuples of them.

    Raises:
        Refused: They are not, or there are too many.
    """
    if len(labels) > MOST_LABELS:
        raise safe.Refused("could not look, because {} has more than {} labels".format(what, MOST_LABELS))
    kinds = column_cells.kinds_of(labels)
    plain = (*safe.SCALARS, tuple)
    is_plain = all(safe.one_of(kind, plain) for kind, _ in kinds)
    if is_plain and any(kind is tuple for kind, _ in kinds):
        parts = [part for label in labels if type(label) is tuple for part in label]
        is_plain = all(safe.one_of(kind, safe.SCALARS) for kind, _ in column_cells.kinds_of(parts))
    if not is_plain:
        raise safe.Refused("could not look, because some labels of {} are no plain values".format(what))
    if not any(kind is float for kind, _ in kinds):
        return labels
    # Of missing values no two are equal.
    return [None if type(label) is float and label != label else label for label in labels]


def _plain_labels(found: Any, what: str) -> list[Any]:
    """Return the labels of an index as built-in values."""
    if len(found) > MOST_LABELS:
        raise safe.Refused("could not look, because {} has more than {} labels".format(what, MOST_LABELS))
    span = _range(found)
    if span is not None:
        return list(span)
    if safe.is_exactly(found, "pandas", "MultiIndex"):
        levels = [_plain_labels(level, what) for level in found._levels]
        columns = [
            [level[code] if code >= 0 else None for code in codes.tolist()]
            for level, codes in zip(levels, found._codes)
        ]
        return list(zip(*columns))
    values = blocks.index_values(found)
    cells = column_cells.cells(values)
    if cells.kind == "C":
        categories = _plain_labels(column_cells.categories_of(values), what)
        return [categories[code] if code >= 0 else None for code in cells.read(0, cells.length)[0].tolist()]
    if cells.kind == "M" and not column_cells.has_zone(values):
        dates = cells.read(0, cells.length)[0].view(cells.dtype)
        return [None if text == "NaT" else text for text in map(str, dates.astype("M8[us]").tolist())]
    if cells.kind not in "biufO":
        raise safe.Refused("could not look, because labels of {} are of dtype {}".format(what, blocks.dtype_of(values)))
    chunk, mask = cells.read(0, cells.length)
    if cells.kind == "O":
        mask = column_cells.object_nulls(chunk)
    labels = _checked([_builtin(each) for each in chunk.tolist()] if cells.kind == "O" else chunk.tolist(), what)
    return labels if mask is None or not mask.any() else [None if gone else each for each, gone in zip(labels, mask)]


def _builtin(label: Any) -> Any:
    """Return a label with numpy's scalars turned into Python's, and pandas' missing values into None."""
    kind = type(label)
    if kind is str or kind is int:
        return label
    if label is safe.loaded("pandas", "NA") or label is safe.loaded("pandas", "NaT"):
        return None
    if safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.is_from(kind, "numpy"):
        return label.item()
    return label


FIELDS = {
    "range": Field(SCHEMA, "start, stop and step of a RangeIndex"),
    "duplicates": Field(SCHEMA, "how many of the labels looked at repeat an earlier one"),
    "sorted": Field(SCHEMA, "whether labels ascend"),
    "left": Field(SCHEMA, "first of two paths"),
    "right": Field(SCHEMA, "second of two paths"),
    "left_length": Field(SCHEMA, "number of labels of the first"),
    "right_length": Field(SCHEMA, "number of labels of the second"),
    "in_both": Field(SCHEMA, "number of distinct labels that both have"),
    "only_left": Field(SCHEMA, "labels that only the first has"),
    "only_right": Field(SCHEMA, "labels that only the second has"),
    "only_left_count": Field(SCHEMA, "number of distinct labels that only the first has"),
    "only_right_count": Field(SCHEMA, "number of distinct labels that only the second has"),
    "same_order": Field(SCHEMA, "whether the same labels stand in the same order"),
}
PROBES = {"index": index, "difference": difference}
