"""pandas DataFrames and Series, read from their blocks (`blocks` says why)."""

from __future__ import annotations

from typing import Any

from .. import blocks, paths, safe
from ..blocks import is_frame, is_series
from ..likeness import close_to
from ..privacy import SCHEMA, Field

MOST_COMPARED = 10
"""Missing names that are compared with all columns; the first of them."""

__all__ = ["column_labels", "columns", "facts", "is_frame", "is_series", "series_facts"]


def columns(shell: Any, budget: safe.Budget, path: str, names: list[str | int] | None = None) -> dict[str, Any]:
    """Describe a frame's columns; for given `names`, say which are not columns, with close matches."""
    frame = paths.resolve(path, shell.user_ns)
    if not is_frame(frame):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly a pandas DataFrame".format(path, safe.type_name(frame))
        )
    answer: dict[str, Any] = dict({"path": path}, **facts(frame, budget))
    if names is not None:
        labels = column_labels(frame)
        if labels is None:
            raise safe.Refused("could not look, because some column labels of {} are no plain values".format(path))
        present = set(labels)
        missing = [name for name in names if name not in present]
        texts = [label for label in labels if type(label) is str]
        answer["missing"] = missing[: budget.items]
        answer["truncated"] = answer["truncated"] or len(missing) > min(budget.items, MOST_COMPARED)
        answer["close"] = {}
        for name in missing[: min(budget.items, MOST_COMPARED)]:
            budget.check()
            answer["close"][str(name)] = close_to(str(name), texts)
    return answer


def facts(frame: object, budget: safe.Budget) -> dict[str, Any]:
    """Return shape (n_rows, n_columns), the dtype of each column in order, and the kind of index."""
    labels, index = blocks.axes(frame)
    count = len(labels)
    known = safe.labels(labels, blocks.MAX_COLUMNS)
    shown = None if known is None else known[: budget.items]
    dtypes = blocks.dtypes(frame, min(count, budget.items))
    return {
        "kind": "frame",
        "shape": [len(index), count],
        "columns": None if shown is None else [[_label(label), dtype] for label, dtype in zip(shown, dtypes)],
        "index": safe.class_name(type(index)),
        "truncated": count > budget.items,
    }


def _label(label: object) -> int | str:
    if type(label) is int and label.bit_length() <= 64:
        return label
    return str(tuple(_part(each) for each in label)) if type(label) is tuple else safe.text(label)


def _part(label: object) -> object:
    return safe.text(label) if type(label) is str else safe.number(label)


def series_facts(series: object) -> dict[str, Any]:
    """Return length, dtype and the kind of index of a Series."""
    index = blocks.axes(series)[0]
    return {
        "kind": "series",
        "length": len(index),
        "dtype": blocks.dtype(series),
        "index": safe.class_name(type(index)),
    }


def column_labels(frame: object) -> list[object] | None:
    """Return a frame's column labels as exact built-in values; None if some are not, or there are too many."""
    return safe.labels(blocks.axes(frame)[0], blocks.MAX_COLUMNS)


FIELDS = {
    "shape": Field(SCHEMA, "sizes of the axes"),
    "columns": Field(SCHEMA, "column labels with dtypes"),
    "index": Field(SCHEMA, "class of the row index"),
    "dtype": Field(SCHEMA, "dtype"),
    "missing": Field(SCHEMA, "names asked for that are not there"),
}
PROBES = {"columns": columns}
