"""pandas DataFrames and Series.

Touches only what was measured to fill no cache of the frame: ``columns``, ``dtypes``, ``shape``, ``index.dtype``.
"""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..likeness import close_to

MAX_COLUMNS = 100000


def columns(shell: Any, budget: safe.Budget, path: str, names: list[str | int] | None = None) -> dict[str, Any]:
    """Describe a frame's columns; for given `names`, say which are not columns, with close matches."""
    frame = paths.resolve(path, shell.user_ns)
    if not is_frame(frame):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly a pandas DataFrame".format(path, safe.type_name(frame))
        )
    answer = dict({"path": path}, **facts(frame, budget))
    if names is not None:
        labels = column_labels(frame)
        if labels is None:
            raise safe.Refused("could not look, because some column labels of {} are no plain values".format(path))
        missing = [name for name in names if name not in labels]
        texts = [label for label in labels if type(label) is str]
        answer["missing"] = missing
        answer["close"] = {str(name): close_to(str(name), texts) for name in missing}
    return answer


def is_frame(value: object) -> bool:
    """Whether `value` is exactly a pandas DataFrame."""
    return safe.is_exactly(value, "pandas", "DataFrame")


def is_series(value: object) -> bool:
    """Whether `value` is exactly a pandas Series."""
    return safe.is_exactly(value, "pandas", "Series")


def facts(frame: Any, budget: safe.Budget) -> dict[str, Any]:
    """Return shape (n_rows, n_columns), the dtype of each column in order, and the kind of index."""
    count = len(frame.columns)
    shown = safe.labels(frame.columns[: budget.items], MAX_COLUMNS)
    dtypes = [str(dtype) for dtype in frame.dtypes[: budget.items]]
    return {
        "kind": "frame",
        "shape": list(frame.shape),
        "columns": None
        if shown is None
        else [[label if type(label) is int else str(label), dtype] for label, dtype in zip(shown, dtypes)],
        "index": safe.class_name(type(frame.index)),
        "truncated": count > budget.items,
    }


def series_facts(series: Any) -> dict[str, Any]:
    """Return length, dtype and the kind of index of a Series."""
    return {
        "kind": "series",
        "length": len(series),
        "dtype": str(series.dtype),
        "index": safe.class_name(type(series.index)),
    }


def column_labels(frame: Any) -> list[object] | None:
    """Return a frame's column labels as exact built-in values; None if some are not, or there are too many."""
    return safe.labels(frame.columns, MAX_COLUMNS)
