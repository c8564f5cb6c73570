"""How pandas keeps a table: read as it lies in memory, past every method of the frame.

``frame.dtypes``, ``frame['a']`` and ``frame.iloc[:, 0]`` fill caches inside the frame, and a cache filled while the
user's cell changes the frame in another thread may be wrong from then on. So the blocks are read instead: a frame's
manager holds its axes, columns first, and a tuple of blocks, each of which has values of one dtype and their places.
Source: `pandas/core/internals/managers.py` and `blocks.py`, the same from pandas 1.3 to 3.1.
"""

from __future__ import annotations

from typing import Any

from . import safe

MAX_COLUMNS = 100000


def is_frame(value: object) -> bool:
    """Whether `value` is exactly a pandas DataFrame with axes of pandas' own classes."""
    return safe.is_exactly(value, "pandas", "DataFrame") and _manager(value) is not None


def is_series(value: object) -> bool:
    """Whether `value` is exactly a pandas Series with an index of pandas' own classes."""
    return safe.is_exactly(value, "pandas", "Series") and _manager(value) is not None


def _manager(value: object) -> Any:
    manager: Any = (safe.instance_dict(value) or {}).get("_mgr")
    if not safe.is_from(type(manager), "pandas") or not hasattr(manager, "blocks"):
        return None
    return manager if all(safe.is_from(type(axis), "pandas") for axis in manager.axes) else None


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
    # The text of a sparse dtype holds its fill value, which may be any object.
    return "Sparse" if safe.class_name(type(found)) == "SparseDtype" else str(found)


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
    manager = _manager(frame)
    for block in manager.blocks:
        places = _places(block)
        if place in places:
            values = block.values
            if safe.is_exactly(values, "numpy", "ndarray"):
                values = values[places.index(place)]
            elif not safe.is_from(type(values), "pandas") or safe.class_name(type(values)) == "SparseArray":
                break  # a sparse array is compared with abstract classes, which note what they were asked
            elif len(values.shape) == 2:
                values = values[places.index(place)]
            return safe.loaded("pandas", "Series")(values, index=manager.axes[1], copy=False)
    raise safe.Refused("could not look, because the column is of a foreign class, or being changed")
