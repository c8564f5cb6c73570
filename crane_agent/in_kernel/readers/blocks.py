"""How pandas keeps a table: read as it lies in memory, past every method of the frame.

``frame.dtypes``, ``frame['a']`` and ``frame.iloc[:, 0]`` fill caches inside the frame, and a cache filled while the
user's cell changes the frame in another thread may be wrong from then on. So the blocks are read instead: a frame's
manager holds its axes, columns first, and a tuple of blocks, each of which has values of one dtype and their places.
Source: `pandas/core/internals/managers.py` and `blocks.py`, the same from pandas 1.3 to 3.1.

What lies in the cells of one column is told by `column_cells`.
"""

from __future__ import annotations

from typing import Any

from .. import safe

MAX_COLUMNS = 100000


def is_frame(value: object) -> bool:
    """Whether `value` is exactly a pandas DataFrame with axes of pandas' own classes."""
    return safe.is_exactly(value, "pandas", "DataFrame") and _has_axes(value, 2)


def is_series(value: object) -> bool:
    """Whether `value` is exactly a pandas Series with an index of pandas' own classes."""
    return safe.is_exactly(value, "pandas", "Series") and _has_axes(value, 1)


def _has_axes(value: object, count: int) -> bool:
    manager = _manager(value)
    return manager is not None and len(manager.axes) == count


def _manager(value: object) -> Any:
    manager: Any = (safe.instance_dict(value) or {}).get("_mgr")
    if not safe.is_from(type(manager), "pandas") or not hasattr(manager, "blocks"):
        return None
    return manager if all(map(is_index, manager.axes)) else None


def is_index(value: object) -> bool:
    """Whether `value` is an index of one of pandas' own classes, over an array of numpy's or pandas' own."""
    if not safe.is_from(type(value), "pandas") or not safe.inherits(type(value), safe.loaded("pandas", "Index")):
        return False
    own = safe.instance_dict(value) or {}
    if "_levels" in own:
        return all(map(is_index, own["_levels"]))  # type: ignore[call-overload]
    data = own.get("_data")
    if data is None:
        return type(own.get("_range")) is range
    return safe.is_exactly(data, "numpy", "ndarray") or safe.is_from(type(data), "pandas")


def axes(value: object) -> list[Any]:
    """Return the axes of a frame, columns and index, or of a series, the index alone.

    Args:
        value: What `is_frame` or `is_series` says yes to.
    """
    return list(_manager(value).axes)


def dtypes(value: object, count: int) -> list[str]:
    """Return the dtypes of the first `count` columns of a frame, in order.

    Raises:
        Refused: The cell that runs at the moment is changing the frame.
    """
    found: list[str | None] = [None] * count
    for block in _manager(value).blocks:
        name = _dtype(block.values)
        for place in _places(block):
            if place < count:
                found[place] = name
    if None in found:
        raise safe.Refused("could not look, because the frame is being changed")
    return found  # type: ignore[return-value]


def dtype(series: object) -> str:
    """Return the dtype of a series."""
    return _dtype(_manager(series).blocks[0].values)


def dtype_of(values: Any) -> str:
    """Return the dtype of what `values_at` returns."""
    return _dtype(values)


def dtype_at(frame: object, place: int) -> Any:
    """Return the dtype of the column at `place` as numpy's or pandas' own object; None if that is not known."""
    for block in _manager(frame).blocks:
        if place in _places(block):
            return _own_dtype(block.values)
    return None


def _places(block: Any) -> Any:
    places = block.mgr_locs.indexer
    return range(places.start, places.stop, places.step or 1) if type(places) is slice else places.tolist()


def _dtype(values: Any) -> str:
    """Return the dtype of a block's values as text; of an array of other than pandas' own classes only the class."""
    found = _own_dtype(values)
    if found is None:
        return safe.type_name(values)
    name = safe.class_name(type(found))
    if name == "DatetimeTZDtype" and not _is_known_zone(found._tz):
        return name
    # The text of a sparse dtype holds its fill value, which may be any object.
    return "Sparse" if name == "SparseDtype" else str(found)


def _is_known_zone(zone: object) -> bool:
    """Whether the text of a time zone is made by the library that it is from."""
    kind = type(zone)
    if any(safe.is_from(kind, package) for package in ("datetime", "zoneinfo", "pytz", "dateutil")):
        return True
    # pytz makes a class for each zone.
    return safe.class_module(kind).startswith("pytz") and safe.comes_from(safe.in_type(kind, "__str__"), "pytz")


def _own_dtype(values: Any) -> Any:
    if not safe.is_exactly(values, "numpy", "ndarray") and not safe.is_from(type(values), "pandas"):
        return None
    kind = type(values.dtype)
    is_known = safe.inherits(kind, safe.loaded("numpy", "dtype")) or safe.is_from(kind, "pandas")
    return values.dtype if is_known else None


def column(frame: object, place: int) -> object:
    """Return the column at `place` of a frame as a new Series over the same values and index.

    Raises:
        Refused: The cell that runs at the moment is changing the frame, or the values are of a foreign class.
    """
    values = values_at(frame, place)
    axis = _manager(frame).axes[1]
    is_objects = safe.is_exactly(values, "numpy", "ndarray") and values.dtype.kind == "O"
    if is_objects or safe.class_name(type(values)) == "SparseArray":
        return _series_of_block(values, axis)
    return safe.loaded("pandas", "Series")(values, index=axis, copy=False)


def values_at(frame: object, place: int) -> Any:
    """Return the values of the column at `place`, in one dimension: numpy's array or one of pandas' own classes.

    Raises:
        Refused: The cell that runs at the moment is changing the frame, or the values are of a foreign class.
    """
    for block in _manager(frame).blocks:
        places = _places(block)
        if place in places:
            values = block.values
            if not safe.is_exactly(values, "numpy", "ndarray") and not safe.is_from(type(values), "pandas"):
                break
            return values[places.index(place)] if len(values.shape) == 2 else values
    raise safe.Refused("could not look, because the column is of a foreign class, or being changed")


def values(series: object) -> Any:
    """Return the values of a series: numpy's array or one of pandas' own classes, as they lie in memory."""
    return _manager(series).blocks[0].values


def _series_of_block(values: Any, axis: Any) -> object:
    """Return a Series past its constructor.

    That asks abstract classes about a sparse array, which note the question, and since pandas 3 it takes an array of
    objects that are all texts for one of its own type of texts.

    Source: `pandas/core/internals/api.py`, which makes blocks for other libraries.
    """
    blocks = safe.loaded("pandas.core.internals.blocks")
    managers = safe.loaded("pandas.core.internals.managers")
    places = safe.loaded("pandas._libs.internals", "BlockPlacement")
    series = safe.loaded("pandas", "Series")
    block = blocks.new_block(values, placement=places(slice(0, len(axis))), ndim=1)
    manager = managers.SingleBlockManager(block, axis)
    # Before pandas 2.1 a Series takes a manager as it is; from then on that warns, and this takes one with its axes.
    made: Any = safe.in_type(series, "_from_mgr")
    if type(made) is not classmethod or "axes" not in made.__func__.__code__.co_varnames:
        return series(manager)
    found = series._from_mgr(manager, axes=manager.axes)
    found._name = None
    return found


def parts(frame: object, most: int) -> list[tuple[list[int], Any]]:
    """Return what the first columns of a frame lie in: their places with an array that has a row for each.

    One of pandas' own arrays is a single column; None stands for an array of a foreign class.

    Args:
        frame: What `is_frame` says yes to.
        most: Columns, from the left.

    Raises:
        Refused: The cell that runs at the moment is changing the frame.
    """
    found = []
    for block in _manager(frame).blocks:
        values, places = block.values, list(_places(block))
        kept = [row for row, place in enumerate(places) if place < most]
        if not kept:
            continue
        if not safe.is_exactly(values, "numpy", "ndarray") and not safe.is_from(type(values), "pandas"):
            values = None
        elif len(values.shape) == 2:
            values = values[kept[0] : kept[-1] + 1] if kept[-1] - kept[0] == len(kept) - 1 else values[kept]
        found.append(([places[row] for row in kept], values))
    if sum(len(places) for places, _ in found) != min(len(_manager(frame).axes[0]), most):
        raise safe.Refused("could not look, because the frame is being changed")
    return found


def index_values(index: Any) -> Any:
    """Return the values of an index of one level as they lie in memory; None for a RangeIndex and a MultiIndex."""
    return (safe.instance_dict(index) or {}).get("_data")
