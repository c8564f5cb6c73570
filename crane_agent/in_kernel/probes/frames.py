"""pandas DataFrames and Series, read from their blocks (`blocks` says why)."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from .. import paths, safe
from ..likeness import MOST_COMPARED, close_to_each
from ..privacy import SCHEMA, VALUES, Field
from ..readers import blocks, column_cells
from ..readers.blocks import is_frame, is_series

MOST_CELLS = 5_000_000
"""Cells of numbers that a scan looks at."""

MOST_OBJECTS = 50_000
"""Cells of Python objects that a scan looks at: each costs some hundred times what a number does."""

MOST_TOLD_APART = 50_000
"""Values among which the distinct ones are counted."""

MOST_RANGED = 1_000_000
"""Values that the least and the greatest are of."""

MOST_COLUMNS = 2000
"""Columns whose nulls are counted, from the left."""

CHUNK = 1 << 18
"""Cells that are looked at between two looks at the clock."""

MOST_SHOWN = 5
"""Sample values shown."""

__all__ = ["column_labels", "columns", "facts", "is_frame", "is_series", "series_facts"]


def columns(shell: Any, budget: safe.Budget, path: str, names: list[str | int] | None = None) -> dict[str, Any]:
    """Describe a frame's columns; for given `names`, say which are not columns, with close matches."""
    frame = paths.resolve(path, shell.user_ns)
    check_frame(frame, path)
    answer: dict[str, Any] = dict({"path": path}, **facts(frame, budget))
    if names is not None:
        labels = column_labels(frame)
        if labels is None:
            raise safe.Refused("could not look, because some column labels of {} are no plain values".format(path))
        if "levels" in answer:
            # Source: the pandas user guide, "MultiIndex / advanced indexing": df['a'] is all columns below 'a'.
            labels = [*labels, *dict.fromkeys(label[0] for label in labels if type(label) is tuple)]
        present = set(labels)
        missing = [name for name in names if name not in present]
        texts = [label for label in labels if type(label) is str]
        answer["missing"] = missing[: budget.items]
        answer["truncated"] = answer["truncated"] or len(missing) > min(budget.items, MOST_COMPARED)
        answer["close"] = close_to_each(missing, texts, budget)
    return answer


def check_frame(frame: object, path: str) -> None:
    """Raise Refused unless what is at `path` is exactly a DataFrame."""
    if not is_frame(frame):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly a pandas DataFrame".format(path, safe.type_name(frame))
        )


def facts(frame: object, budget: safe.Budget) -> dict[str, Any]:
    """Return shape (n_rows, n_columns), the dtype of each column in order, and the kind of index.

    Labels that stand over several columns are named, and so are the levels of labels if there are several.
    """
    labels, index = blocks.axes(frame)
    count = len(labels)
    known = column_labels(frame)
    shown = None if known is None else known[: budget.items]
    dtypes = blocks.dtypes(frame, min(count, budget.items))
    repeated = [] if known is None else _repeated(known)
    answer: dict[str, Any] = {
        "kind": "frame",
        "shape": [len(index), count],
        "columns": None if shown is None else [[_label(label), dtype] for label, dtype in zip(shown, dtypes)],
        "index": safe.class_name(type(index)),
        "truncated": count > budget.items or len(repeated) > budget.items,
    }
    if repeated:
        answer["duplicated"] = [_label(label) for label in repeated[: budget.items]]
    return dict(answer, **level_facts(labels))


def level_facts(index: Any) -> dict[str, Any]:
    """Return the number of levels of a MultiIndex with their names; nothing for an index of one level."""
    if not safe.is_exactly(index, "pandas", "MultiIndex"):
        return {}
    names: Any = (safe.instance_dict(index) or {}).get("_names")
    names = safe.first(names, 20) if safe.one_of(type(names), (list, tuple)) else []
    return {"levels": len(index._levels), "level_names": [column_cells.shown_label(name) for name in names]}


def _repeated(labels: list[Any]) -> list[Any]:
    """Return the labels that stand there more than once, in order."""
    if len(set(labels)) == len(labels):
        return []
    seen: dict[Any, int] = {}
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
    return [label for label, count in seen.items() if count > 1]


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
    index = blocks.axes(frame)[0]
    texts = _texts_of(index)
    if texts is not None:
        return texts
    found = safe.labels(index, blocks.MAX_COLUMNS)
    if found is None or not any(type(label) is tuple for label in found):
        return found
    # A label that is a tuple with a list in it cannot be looked up.
    parts = [part for label in found if type(label) is tuple for part in label]
    return found if all(safe.one_of(type(part), safe.SCALARS) for part in parts) else None


def _texts_of(index: Any) -> list[Any] | None:
    """Return the labels of an index if all of them are texts: most are, and one by one they take long."""
    values = blocks.index_values(index)
    if values is None or not 0 < len(values) <= blocks.MAX_COLUMNS or column_cells.kind_of(values) != "O":
        return None
    cells = column_cells.cells(values)
    found: list[Any] = cells.read(0, cells.length)[0].tolist() if cells.kind == "O" else []
    return found if found and safe.only_texts(found) else None


# -- One column -------------------------------------------------------------------------------------------------------


class Column(NamedTuple):
    """One column or Series.

    Attributes:
        label: Of the column; None for a Series.
        values: As they lie in memory.
        cells: How to read them.
        dtype: As text.
        index: Of its rows.
    """

    label: str | int | None
    values: Any
    cells: column_cells.Cells
    dtype: str
    index: Any


def column_at(shell: Any, path: str, name: str | int | None) -> Column:
    """Return the Series at `path`, or the column `name` of the frame at `path`.

    Raises:
        Refused: There is no such column, or several.
    """
    found = paths.resolve(path, shell.user_ns)
    if is_series(found):
        if name is not None:
            raise safe.Refused("could not look, because {} is a Series, and has no column {!r}".format(path, name))
        values = blocks.values(found)
        index = blocks.axes(found)[0]
        cells = column_cells.cells(values)._replace(length=len(index))
        return Column(None, values, cells, blocks.dtype(found), index)
    check_frame(found, path)
    if name is None:
        raise safe.Refused("could not look, because {} is a DataFrame: which column is meant?".format(path))
    labels = column_labels(found)
    if labels is None or labels.count(name) != 1:
        reason = "no" if labels is not None and name not in labels else "no single"
        raise safe.Refused("could not look, because {} has {} column {!r}".format(path, reason, name))
    place = labels.index(name)
    values = blocks.values_at(found, place)
    return Column(name, values, column_cells.cells(values), blocks.dtype_of(values), blocks.axes(found)[1])


def column(shell: Any, budget: safe.Budget, path: str, name: str | int | None = None) -> dict[str, Any]:
    """Describe one column: dtype, nulls, distinct values, and of objects their types and the lengths of lists."""
    found = column_at(shell, path, name)
    cells = found.cells
    answer: dict[str, Any] = {"path": path, "kind": "series", "dtype": found.dtype, "length": cells.length}
    if found.label is not None:
        answer["label"] = found.label
    if cells.kind == "C":
        answer.update(_category_facts(found.values))
    if cells.kind in "A?":
        data = column_cells.arrow_data(found.values)
        return answer if data is None else dict(answer, nulls=data.null_count, looked_at=cells.length)
    answer.update(_nulls(cells, budget))
    answer.update(_distinct(found, budget))
    if cells.kind == "O":
        answer.update(_object_facts(cells, budget))
    if budget.shows(VALUES):
        answer.update(_range(cells, budget))
    return answer


def _category_facts(values: Any) -> dict[str, Any]:
    return {"categories": len(column_cells.categories_of(values)), "ordered": values._dtype._ordered is True}


def _nulls(cells: column_cells.Cells, budget: safe.Budget) -> dict[str, Any]:
    """Count the missing cells of a column."""
    cap = MOST_OBJECTS if cells.kind == "O" else MOST_CELLS
    total = 0
    for start, stop in column_cells.spans(cells.length, cap, CHUNK):
        budget.check()
        total += column_cells.count_nulls(cells, start, stop)
    return {"nulls": total, "looked_at": min(cells.length, cap)}


def _distinct(found: Column, budget: safe.Budget) -> dict[str, Any]:
    """Count the distinct values that are not missing; of objects only where hashing them runs nobody's code."""
    cells = found.cells
    among = min(cells.length, MOST_TOLD_APART)
    chunk, mask = cells.read(0, among)
    budget.check()
    if cells.kind == "O":
        elements = _hashable(chunk)
        if elements is None:
            return {}
        distinct = dict.fromkeys(elements)
        count, sample = len(distinct), safe.first(distinct, MOST_SHOWN)
    else:
        values = chunk if mask is None else chunk[~mask]
        ordered = values.copy()
        ordered.sort()
        count = int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(ordered) else 0
        sample = safe.first(dict.fromkeys(values[:1000].tolist()), MOST_SHOWN)
    answer: dict[str, Any] = {"distinct": count, "distinct_among": among}
    if budget.shows(VALUES):
        answer["sample"] = [_shown(found, each) for each in sample]
    return answer


_TOLD_APART = (*safe.SCALARS, datetime.date, datetime.timedelta)


def _hashable(chunk: Any) -> list[Any] | None:
    """Return the objects that are not missing, or None if to hash one of them could run the user's code."""
    numpy = safe.loaded("numpy")
    missing = column_cells.object_nulls(chunk)
    elements: list[Any] = chunk[~missing].tolist() if missing.any() else chunk.tolist()
    generic = safe.loaded("numpy", "generic")
    timed = (datetime.datetime, safe.loaded("pandas", "Timestamp"))
    for kind, _ in column_cells.kinds_of(elements):
        if safe.inherits(kind, generic) and safe.is_from(kind, "numpy"):
            if not (safe.inherits(kind, numpy.number) or kind is numpy.bool_):
                return None
        elif safe.one_of(kind, timed):
            # A time zone tells the offset by a method of its own.
            if any(type(each) is kind and each.tzinfo is not None for each in elements):
                return None
        elif not safe.one_of(kind, _TOLD_APART):
            return None
    return elements


def _object_facts(cells: column_cells.Cells, budget: safe.Budget) -> dict[str, Any]:
    """Return the types of the objects with counts, and the lengths of lists, tuples, dicts, sets and arrays."""
    elements = cells.read(0, min(cells.length, MOST_OBJECTS))[0].tolist()
    budget.check()
    kinds = sorted(
        ((safe.qualified_name(kind), count, kind) for kind, count in column_cells.kinds_of(elements)), key=_common
    )
    answer: dict[str, Any] = {"element_types": {name: count for name, count, _ in kinds[: budget.items]}}
    if len(kinds) > budget.items:
        answer["truncated"] = True
    lengths = {}
    for name, _, kind in kinds:
        if safe.one_of(kind, safe.CONTAINERS):
            sizes = [len(each) for each in elements if type(each) is kind]
        elif kind is safe.loaded("numpy", "ndarray"):
            sizes = [each.shape[0] if each.shape else 0 for each in elements if type(each) is kind]
        else:
            continue
        counts = sorted(_counted(sizes).items(), key=lambda pair: (-pair[1], pair[0]))
        lengths[name] = [[size, count] for size, count in counts[: min(10, budget.items)]]
    return dict(answer, lengths=lengths) if lengths else answer


def _common(kind: tuple[str, int, object]) -> tuple[int, str]:
    return -kind[1], kind[0]


def _counted(sizes: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for size in sizes:
        counts[size] = counts.get(size, 0) + 1
    return counts


def _range(cells: column_cells.Cells, budget: safe.Budget) -> dict[str, Any]:
    """Return the least and the greatest value of a column of numbers or dates; nothing for others."""
    if cells.kind not in "iufmM":
        return {}
    lows, highs = [], []
    for start, stop in column_cells.spans(cells.length, MOST_RANGED, CHUNK):
        budget.check()
        chunk, mask = cells.read(start, stop)
        if mask is not None and mask.any():
            chunk = chunk[~mask]
        if len(chunk):
            lows.append(chunk.min().item())
            highs.append(chunk.max().item())
    if not lows:
        return {}
    low, high = _as_value(cells, min(lows)), _as_value(cells, max(highs))
    return {"least": low, "greatest": high, "range_among": min(cells.length, MOST_RANGED)}


def _as_value(cells: column_cells.Cells, value: Any) -> Any:
    """Return a number as it is, what JSON has no number for and a date or a span of time as text."""
    if cells.kind in "mM":
        return str(safe.loaded("numpy").array(value, dtype="i8").view(cells.dtype)[()])
    return str(value) if type(value) is float and (value != value or value in (_INFINITY, -_INFINITY)) else value


_INFINITY = float("inf")


def _shown(found: Column, value: Any) -> Any:
    """Return one distinct value as JSON."""
    if found.cells.kind == "C":
        return column_cells.label_at(column_cells.categories_of(found.values), value)
    if found.cells.kind == "O" and not safe.one_of(type(value), (int, float, bool)):
        plain = value.item() if safe.inherits(type(value), safe.loaded("numpy", "generic")) else value
        dated = safe.one_of(type(plain), (datetime.date, datetime.datetime, datetime.timedelta))
        return str(plain) if dated else safe.text(plain, 80) or safe.type_name(plain)
    if found.cells.kind in "Pc":
        return safe.text(value) or safe.type_name(value)
    return _as_value(found.cells, safe.number(value))


# -- Nulls of all columns ---------------------------------------------------------------------------------------------


def nulls(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Count the missing cells of each column of a frame, within the first rows of a large one."""
    frame = paths.resolve(path, shell.user_ns)
    check_frame(frame, path)
    labels, index = blocks.axes(frame)
    parts = blocks.parts(frame, MOST_COLUMNS)
    weight = sum(_weight(values) * len(places) for places, values in parts)
    rows = min(len(index), MOST_CELLS // max(1, weight))
    counts: dict[int, int | None] = {}
    for places, values in parts:
        counts.update(zip(places, _nulls_of_part(values, len(places), rows, budget)))
    counted = [(place, counts[place]) for place in sorted(counts) if counts[place]]
    unread = [place for place in sorted(counts) if counts[place] is None]
    return {
        "path": path,
        "kind": "frame",
        "shape": [len(index), len(labels)],
        "looked_at": rows,
        "nulls_by_column": [[column_cells.label_at(labels, place), count] for place, count in counted[: budget.items]],
        "with_nulls": len(counted),
        "without_nulls": len(counts) - len(counted) - len(unread),
        "unread": [column_cells.label_at(labels, place) for place in unread[: budget.items]],
        "truncated": len(labels) > len(counts) or max(len(counted), len(unread)) > budget.items,
    }


def _weight(values: Any) -> int:
    """Return what a cell costs, where a number costs 1."""
    if values is None or column_cells.kind_of(values) in ("b", "i", "u"):
        return 0
    return MOST_CELLS // MOST_OBJECTS if column_cells.kind_of(values) == "O" else 1


def _nulls_of_part(values: Any, count: int, rows: int, budget: safe.Budget) -> list[int | None]:
    """Return the missing cells of each column of one part of a frame; None where that cannot be told."""
    if values is None:
        return [None] * count
    if column_cells.kind_of(values) in ("b", "i", "u", "f", "c", "m", "M") and len(values.shape) == 2:
        total = [0] * count
        for start, stop in column_cells.spans(values.shape[1], rows, max(1, CHUNK // count)):
            budget.check()
            total = [a + b for a, b in zip(total, column_cells.count_nulls_of_rows(values, start, stop).tolist())]
        return list(total)
    columns = [values[row] for row in range(count)] if len(values.shape) == 2 else [values]
    return [_nulls_or_none(each, rows, budget) for each in columns]


def _nulls_or_none(values: Any, rows: int, budget: safe.Budget) -> int | None:
    cells = column_cells.cells(values)
    total = 0
    try:
        for start, stop in column_cells.spans(cells.length, rows, CHUNK):
            budget.check()
            total += column_cells.count_nulls(cells, start, stop)
    except column_cells.Unread:
        return None
    return total


FIELDS = {
    "shape": Field(SCHEMA, "sizes of the axes"),
    "columns": Field(SCHEMA, "column labels with dtypes"),
    "index": Field(SCHEMA, "class of an index"),
    "dtype": Field(SCHEMA, "dtype"),
    "missing": Field(SCHEMA, "names asked for that are not there"),
    "duplicated": Field(SCHEMA, "labels that stand there more than once"),
    "levels": Field(SCHEMA, "number of levels of a MultiIndex"),
    "level_names": Field(SCHEMA, "names of the levels of an index"),
    "label": Field(SCHEMA, "label of the column or row that the answer is about"),
    "nulls": Field(SCHEMA, "how many of those looked at are missing"),
    "distinct": Field(SCHEMA, "number of distinct values that are not missing"),
    "distinct_among": Field(SCHEMA, "how many values, from the first, the distinct ones were counted among"),
    "categories": Field(SCHEMA, "number of categories"),
    "ordered": Field(SCHEMA, "whether categories are ordered"),
    "lengths": Field(SCHEMA, "by type, lengths of elements that are lists and the like, with counts"),
    "least": Field(VALUES, "least value of a column, dates in UTC"),
    "greatest": Field(VALUES, "greatest value of a column, dates in UTC"),
    "range_among": Field(SCHEMA, "how many values, from the first, the least and greatest are of"),
    "sample": Field(VALUES, "a few distinct values, in order of appearance"),
    "nulls_by_column": Field(SCHEMA, "columns that have missing cells, with counts"),
    "with_nulls": Field(SCHEMA, "number of columns that have missing cells"),
    "without_nulls": Field(SCHEMA, "number of columns without missing cells"),
    "unread": Field(SCHEMA, "columns whose missing cells cannot be told"),
}
PROBES = {"columns": columns, "column": column, "nulls": nulls}
