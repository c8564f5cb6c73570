"""Tables to work with: new frames, series and indexes over the memory of the kernel's, and stand-ins for them.

Asking a frame, a series or an index almost anything fills caches inside of it. So pandas is only ever asked about
objects of our own: a `private` one lies in the same memory, which nothing here writes to, and has its own axes, blocks
and categories. What holds objects is taken only if each is an exact scalar of Python's, numpy's or pandas' own, or a
container of such: then comparing, hashing and printing them runs no user code.

A `stand_in` has the structure and none of the content: its numbers all lie in one place of memory.

Source: `pandas/core/internals/managers.py`, `blocks.py` and `pandas/core/indexes`, pandas 1.3 to 3.1.
"""

from __future__ import annotations

import copy
import datetime
from typing import TYPE_CHECKING, Any

from ... import safe
from ...readers import blocks
from ..values import DTYPE, SHAPE, STRUCTURE

if TYPE_CHECKING:
    from ..state import State

MAX_OBJECTS = 300_000
"""Objects in the cells of one table that are looked at, each for its type."""
MAX_ROWS_OF_STAND_IN = 5_000_000
MAX_ROWS_COPIED = 1_000_000

_ARRAYS = frozenset(
    (
        *("DatetimeArray", "TimedeltaArray", "PeriodArray", "IntervalArray", "Categorical"),
        *("IntegerArray", "FloatingArray", "BooleanArray", "StringArray", "StringArrayNumpySemantics"),
        *("ArrowStringArray", "ArrowStringArrayNumpySemantics", "ArrowExtensionArray"),
    )
)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_DATES = (datetime.date, datetime.time, datetime.datetime, datetime.timedelta)


class Unfit(Exception):
    """A table that holds what pandas could not be asked about without running the user's code."""


# -- scalars -------------------------------------------------------------------------------------------------------


def is_scalar(value: object) -> bool:
    """Whether `value` is an exact scalar of Python's, numpy's or pandas' own."""
    return is_scalar_type(type(value))


def is_scalar_type(kind: type) -> bool:
    """Whether `kind` is a class of scalars of Python's, numpy's or pandas' own."""
    if safe.one_of(kind, safe.SCALARS) or safe.one_of(kind, _DATES) or kind is safe.loaded("decimal", "Decimal"):
        return True
    if safe.inherits(kind, safe.loaded("numpy", "generic")):
        return safe.is_from(kind, "numpy") and safe.class_name(kind) not in ("void", "object_")
    pandas = [safe.loaded("pandas", name) for name in ("Timestamp", "Timedelta", "Period", "Interval")]
    missing = [type(safe.loaded("pandas", name)) for name in ("NaT", "NA")]
    return kind is not type(None) and safe.one_of(kind, [each for each in [*pandas, *missing] if each is not None])


def is_name(value: object) -> bool:
    """Whether `value` may be a label: a scalar, or a tuple of scalars."""
    return is_scalar(value) or (type(value) is tuple and all(map(is_scalar, value)))


def are_plain(cells: Any) -> bool:
    """Whether each of the objects in an array is a scalar, or a container of exact built-in scalars."""
    found = cells.ravel().tolist()
    if len(found) > MAX_OBJECTS:
        return False
    kinds = {id(type(each)): type(each) for each in found} if len(found) < 100 else _kinds(found)
    others = [kind for kind in kinds.values() if not is_scalar_type(kind)]
    if any(not safe.one_of(kind, _CONTAINERS) for kind in others):
        return False
    if not others:
        return True
    inner = [each for each in found if safe.one_of(type(each), _CONTAINERS)]
    return sum(map(len, inner)) <= MAX_OBJECTS // 10 and all(safe.is_plain(each) for each in inner)


def _kinds(found: list[Any]) -> dict[int, type]:
    """Return the classes of objects by id; by their hash a metaclass of the user's would be asked."""
    marks = dict(zip(map(id, map(type, found)), range(len(found))))
    return {mark: type(found[place]) for mark, place in marks.items()}


# -- private tables ------------------------------------------------------------------------------------------------


def is_table(value: object) -> bool:
    """Whether `value` is exactly a frame, a series, or an index of one of pandas' own classes."""
    return blocks.is_frame(value) or blocks.is_series(value) or is_index(value)


def is_index(value: object) -> bool:
    """Whether `value` is an index of one of pandas' own classes."""
    base = safe.loaded("pandas", "Index")
    return base is not None and safe.inherits(type(value), base) and blocks.is_index(value)


def keep(value: Any, state: State) -> Any:
    """Remember that the walk made an object, and return it: it may be asked anything."""
    state.memo.setdefault("pandas.ours", {})[id(value)] = value
    return value


def is_ours(value: object, state: State) -> bool:
    """Whether the walk made an object."""
    return id(value) in state.memo.get("pandas.ours", ())


def private(value: Any, state: State) -> Any:
    """Return a table of our own with the content of `value`, in the same memory; None if it cannot be asked about."""
    if is_ours(value, state):
        return value
    known: dict[int, Any] = state.memo.setdefault("pandas.private", {})
    if id(value) not in known:
        try:
            made = _made(value)
        except (Unfit, safe.Refused, ValueError, TypeError, AttributeError):
            made = None
        # The original is held, so that no other object gets its id.
        known[id(value)] = (value, made if made is None else keep(made, state))
    return known[id(value)][1]


def _made(value: Any) -> Any:
    if blocks.is_frame(value) or blocks.is_series(value):
        if not _has_plain_flags(value):
            return None
        return _table(value, list(map(_index, blocks.axes(value))), _values)
    return _index(value) if is_index(value) else None


def _has_plain_flags(value: Any) -> bool:
    own = safe.instance_dict(value) or {}
    flags = own.get("_flags")
    allows = getattr(flags, "_allows_duplicate_labels", None)
    return allows is True or flags is None


def _table(value: Any, axes: list[Any], convert: Any) -> Any:
    """Return a frame or series with these axes, its blocks those of `value` with the values converted."""
    new_block = safe.loaded("pandas.core.internals.blocks", "new_block")
    managers: Any = safe.loaded("pandas.core.internals.managers")
    placement: Any = safe.loaded("pandas._libs.internals", "BlockPlacement")
    manager = _manager(value)
    if blocks.is_series(value):
        values = convert(manager.blocks[0].values)
        block = new_block(values, placement=placement(slice(0, len(axes[0]))), ndim=1)
        made = _from_manager(safe.loaded("pandas", "Series"), managers.SingleBlockManager(block, axes[0]))
        made._name = _plain_name(value._name)
        return made
    made_blocks = tuple(
        new_block(convert(block.values), placement=placement(block.mgr_locs.indexer), ndim=2)
        for block in manager.blocks
    )
    return _from_manager(
        safe.loaded("pandas", "DataFrame"), managers.BlockManager(made_blocks, axes, verify_integrity=False)
    )


def _manager(value: Any) -> Any:
    own: Any = safe.instance_dict(value)
    return own["_mgr"]


def _from_manager(cls: Any, manager: Any) -> Any:
    made: Any = safe.in_type(cls, "_from_mgr")
    if type(made) is not classmethod or "axes" not in made.__func__.__code__.co_varnames:
        return cls(manager)
    found = cls._from_mgr(manager, axes=manager.axes)
    if cls is safe.loaded("pandas", "Series"):
        found._name = None
    return found


def _plain_name(name: Any) -> Any:
    if not is_name(name):
        raise Unfit
    return name


def _values(values: Any) -> Any:
    """Return an array over the same memory, with categories and the like of its own."""
    if safe.is_exactly(values, "numpy", "ndarray"):
        if values.dtype.kind == "O" and not are_plain(values):
            raise Unfit
        if values.dtype.kind not in "biufcmMSUO":
            raise Unfit
        return values
    if not safe.is_from(type(values), "pandas") or safe.class_name(type(values)) not in _ARRAYS:
        raise Unfit
    if safe.class_name(type(values)) == "Categorical":
        dtype: Any = safe.loaded("pandas", "CategoricalDtype")
        categories = _index(values.dtype._categories)
        return type(values).from_codes(values.codes, dtype=dtype(categories, values.dtype._ordered))
    if blocks.dtype_of(values) == "DatetimeTZDtype":
        raise Unfit
    _borrow(values.dtype)
    own: Any = getattr(values, "_ndarray", None)
    if safe.is_exactly(own, "numpy", "ndarray") and own.dtype.kind == "O" and not are_plain(own):
        raise Unfit
    made = values[:]
    if safe.class_name(type(values.dtype)) == "StringDtype":
        # It keeps what it computes, in an object that the slice shares.
        dtype = copy.copy(values.dtype)
        if hasattr(values, "_simple_new"):
            return type(values)._simple_new(made._ndarray, dtype)
        made._dtype = dtype
    return made


_borrowed: Any = {}


def _borrow(dtype: object) -> None:
    """Note what a dtype of the kernel's, which a table of ours shares, has computed and kept by now."""
    own = safe.instance_dict(dtype) or {}
    cache: Any = own.get("_cache")
    _borrowed.setdefault(id(dtype), (dtype, frozenset(cache) if type(cache) is dict else None))


def give_back() -> None:
    """Take out of the kernel's dtypes what they computed and kept while our tables shared them."""
    for dtype, before in _borrowed.values():
        own: Any = safe.instance_dict(dtype) or {}
        cache: Any = own.get("_cache")
        if before is None:
            own.pop("_cache", None)
        elif type(cache) is dict:
            for name in set(cache) - before:
                del cache[name]
    _borrowed.clear()


def _index(index: Any) -> Any:
    """Return an index over the same memory, without the caches."""
    own = safe.instance_dict(index) or {}
    if "_levels" in own:
        multi: Any = safe.loaded("pandas", "MultiIndex")
        names = [_plain_name(name) for name in own["_names"]]  # type: ignore[attr-defined]
        levels = [_index(level) for level in own["_levels"]]  # type: ignore[attr-defined]
        codes = list(own["_codes"])  # type: ignore[call-overload]
        return multi(levels=levels, codes=codes, names=names, verify_integrity=False)
    name = _plain_name(own.get("_name"))
    if type(own.get("_range")) is range:
        return type(index)._simple_new(own["_range"], name=name)
    return type(index)._simple_new(_values(own.get("_data")), name=name)


# -- sizes ---------------------------------------------------------------------------------------------------------


def size(value: Any) -> int:
    """Return how much work a table is: a number counts one, an object more."""
    if blocks.is_frame(value) or blocks.is_series(value):
        sizes: list[int] = [_size_of_values(block.values) for block in _manager(value).blocks]
        return sum(sizes) + 1
    if is_index(value):
        own = safe.instance_dict(value) or {}
        return len(value) * (3 if "_levels" in own else 1)
    return 1


def _size_of_values(values: Any) -> int:
    if safe.is_exactly(values, "numpy", "ndarray"):
        return int(values.size) * (5 if values.dtype.kind in "OSU" else 1)
    cells = 1
    for each in values.shape:
        cells *= each
    return cells * 5


def rows(value: Any) -> int:
    """Return the number of rows of a frame or series."""
    return len(blocks.axes(value)[-1])


# -- stand-ins -----------------------------------------------------------------------------------------------------


def stand_in(value: Any, count: int | None = None) -> tuple[Any, frozenset[str]] | None:
    """Return a frame, series or index of the same structure with other content, and what is known of it.

    Args:
        value: The table; nothing in it is asked but types.
        count: Its number of rows; by default those of `value`.

    Returns:
        The stand-in, which lacks its rows if there are too many of them, and which of `Like.knows` it is right in;
        None if it could not be made.
    """
    knows = set(STRUCTURE)
    try:
        if is_index(value):
            index = _index_like(value, len(value) if count is None else count)
            return index, STRUCTURE
        if not _has_plain_flags(value):
            return None
        axes = blocks.axes(value)
        wanted = rows(value) if count is None else count
        if wanted > (MAX_ROWS_OF_STAND_IN if _is_of_numpy(value) else MAX_ROWS_COPIED):
            wanted = 0
            knows.discard(SHAPE)
        made_axes = [_index(axes[0])] if len(axes) == 2 else []
        made_axes.append(_index_like(axes[-1], wanted))
        unknown: list[bool] = []
        made = _table(value, made_axes, lambda values: _values_like(values, wanted, unknown))
    except (Unfit, safe.Refused, ValueError, TypeError, AttributeError):
        return None
    if unknown:
        knows.discard(DTYPE)
    return made, frozenset(knows)


def _is_of_numpy(value: Any) -> bool:
    manager = _manager(value)
    return all(safe.is_exactly(block.values, "numpy", "ndarray") for block in manager.blocks)


def _index_like(index: Any, count: int) -> Any:
    """Return an index with the levels and names of another, and of this length."""
    own = safe.instance_dict(index) or {}
    if type(own.get("_range")) is range and len(own["_range"]) == count:  # type: ignore[arg-type]
        return type(index)._simple_new(own["_range"], name=_plain_name(own.get("_name")))
    pandas: Any = safe.loaded("pandas")
    numpy: Any = safe.loaded("numpy")
    if "_levels" in own:
        names = [_plain_name(name) for name in own["_names"]]  # type: ignore[attr-defined]
        levels = [_index_like(level, min(len(level), 1)) for level in own["_levels"]]  # type: ignore[attr-defined]
        codes = [numpy.zeros(count, dtype=numpy.int8) - (not len(level)) for level in levels]
        return pandas.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=False)
    name = _plain_name(own.get("_name"))
    if type(own.get("_range")) is range:
        return pandas.RangeIndex(count, name=name)
    return type(index)._simple_new(_values_like(own.get("_data"), count, []), name=name)


def _values_like(values: Any, count: int, unknown: list[bool]) -> Any:
    """Return an array like another with `count` rows; `unknown` gets an entry if its dtype is not the same."""
    numpy: Any = safe.loaded("numpy")
    if safe.is_exactly(values, "numpy", "ndarray"):
        if values.dtype.kind not in "biufcmMSUO":
            raise Unfit
        return _repeated(values.dtype, (*values.shape[:-1], count))
    if not safe.is_from(type(values), "pandas") or safe.class_name(type(values)) not in _ARRAYS:
        unknown.append(True)
        # One of the user's own classes is not asked for its shape: it has one axis.
        flat = not safe.is_from(type(values), "pandas") or len(values.shape) == 1
        return _repeated(numpy.dtype(object), (count,) if flat else (1, count))
    _borrow(values.dtype)
    name = safe.class_name(type(values))
    if name == "Categorical":
        dtype: Any = safe.loaded("pandas", "CategoricalDtype")
        categories = _index(values.dtype._categories)
        codes = _repeated(numpy.dtype("i1"), (count,), -1)
        return type(values).from_codes(codes, dtype=dtype(categories, values.dtype._ordered))
    own: Any = getattr(values, "_ndarray", None)
    if safe.is_exactly(own, "numpy", "ndarray") and own.dtype.kind in "mMi" and hasattr(values, "_from_backing_data"):
        if blocks.dtype_of(values) == "DatetimeTZDtype":
            raise Unfit
        return values._from_backing_data(_repeated(own.dtype, (*own.shape[:-1], count)))
    if name in ("IntegerArray", "FloatingArray", "BooleanArray"):
        return type(values)(_repeated(values._data.dtype, (count,)), _repeated(numpy.dtype(bool), (count,), True))
    return values[:0].take(numpy.full(count, -1), allow_fill=True)


def _repeated(dtype: Any, shape: Any, fill: Any = None) -> Any:
    """Return an array all of whose elements lie in the same place of memory."""
    numpy: Any = safe.loaded("numpy")
    one = numpy.zeros(1, dtype=dtype)
    if dtype.kind in "mM":
        one[0] = "NaT"
    elif dtype.kind == "O":
        one[0] = None
    if fill is not None:
        one[0] = fill
    if not all(shape):
        return numpy.empty(shape, dtype=dtype)
    return numpy.lib.stride_tricks.as_strided(one, shape, (0,) * len(shape))
