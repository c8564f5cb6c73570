"""What lies in the cells of a column or an index, read past the methods of pandas' arrays.

`cells` gives them as arrays of numpy, a chunk at a time, with a mask of those that pandas takes for missing. Objects
are asked nothing: which of them are missing is told by `object_nulls`, of what classes they are by `kinds_of`.
"""

from __future__ import annotations

import datetime
import operator
import types
from itertools import repeat
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

from .. import safe
from . import blocks


class Unread(safe.Refused):
    """The cells of a column cannot be read, or pandas would ask objects of the user's about them."""


class Cells(NamedTuple):
    """The cells of a column or an index.

    Attributes:
        kind: One letter: numpy's kind of dtype (b i u f c M m O), or C for the codes of categories, P for periods,
            A for Arrow's arrays other than text, given as Arrow's, ? for what cannot be read.
        length: How many there are.
        read: Gives the cells from one place up to another as an array, and which of them are missing as another, or
            None if none of this kind can be. Codes, dates and periods are given as whole numbers. Of kind O the mask
            is left to `object_nulls`.
        dtype: Of the array.
    """

    kind: str
    length: int
    read: Callable[[int, int], Tuple[Any, Any]]
    dtype: Any


def cells(values: Any) -> Cells:
    """Return the cells of an array of numpy's or of one of pandas' own classes.

    Args:
        values: What `values_at`, `values` or `index_values` returns; of a foreign array no cell is told.
    """
    if safe.is_exactly(values, "numpy", "ndarray"):
        return _of_array(values)
    if not safe.is_from(type(values), "pandas"):
        return Cells("?", 0, _unread, None)
    name, length = safe.class_name(type(values)), len(values)
    if name in ("IntegerArray", "FloatingArray", "BooleanArray"):
        data, mask = values._data, values._mask
        if _are_arrays(data, mask):
            return Cells(data.dtype.kind, length, lambda start, stop: (data[start:stop], mask[start:stop]), data.dtype)
    if name == "SparseArray":
        return _of_sparse(values, length)
    own: Any = getattr(values, "_ndarray", None)
    if _are_arrays(own):
        if name in ("StringArray", "PandasArray", "NumpyExtensionArray", "StringArrayNumpySemantics"):
            return _of_array(own)
        if name in ("DatetimeArray", "TimedeltaArray"):
            return _of_array(own)
        if name == "Categorical":
            return Cells("C", length, lambda start, stop: _masked(own[start:stop], own[start:stop] == -1), own.dtype)
        if name == "PeriodArray" and own.dtype.kind == "i":
            return Cells("P", length, lambda start, stop: _dates(own[start:stop]), own.dtype)
    if name in ("ArrowStringArray", "ArrowExtensionArray", "ArrowStringArrayNumpySemantics"):
        return _of_arrow(values, length)
    return Cells("?", length, _unread, None)


def kind_of(values: Any) -> str:
    """Return the kind of the cells, see `Cells`, of an array of any number of dimensions."""
    return values.dtype.kind if safe.is_exactly(values, "numpy", "ndarray") else cells(values).kind


def _are_arrays(*values: object) -> bool:
    return all(safe.is_exactly(each, "numpy", "ndarray") for each in values)


def _unread(start: int, stop: int) -> Tuple[Any, Any]:
    raise Unread("could not look, because cells of this dtype are not read")


def count_nulls_of_rows(values: Any, start: int, stop: int) -> Any:
    """Return the number of missing cells of each row of an array of numbers or dates in two dimensions."""
    numpy, kind = safe.loaded("numpy"), values.dtype.kind
    chunk = values[:, start:stop]
    if kind in "biu":
        return numpy.zeros(len(values), dtype=int)
    return (numpy.isnan(chunk) if kind in "fc" else chunk.view("i8") == -(2**63)).sum(axis=1)


def count_nulls(column: Cells, start: int, stop: int) -> int:
    """Return how many of the cells from one place up to another pandas takes for missing.

    Raises:
        Unread: That cannot be told.
    """
    if column.kind == "A":
        return int(column.read(start, stop)[0].null_count)
    chunk, mask = column.read(start, stop)
    if column.kind == "O":
        mask = object_nulls(chunk)
    return 0 if mask is None else int(mask.sum())


def _masked(values: Any, mask: Any) -> Tuple[Any, Any]:
    return values, mask


def _of_array(values: Any) -> Cells:
    kind, length = values.dtype.kind, len(values)
    if len(values.shape) != 1:
        return Cells("?", length, _unread, None)
    if kind in "biu":
        return Cells(kind, length, lambda start, stop: (values[start:stop], None), values.dtype)
    if kind in "fc":
        missing = safe.loaded("numpy").isnan
        return Cells(kind, length, lambda start, stop: _and(values[start:stop], missing), values.dtype)
    if kind in "mM":
        return Cells(kind, length, lambda start, stop: _dates(values[start:stop].view("i8")), values.dtype)
    if kind == "O":
        return Cells(kind, length, lambda start, stop: (values[start:stop], None), values.dtype)
    return Cells("?", length, _unread, None)


def _and(values: Any, missing: Callable[[Any], Any]) -> Tuple[Any, Any]:
    return values, missing(values)


def _dates(values: Any) -> Tuple[Any, Any]:
    # Source: the numpy reference, "Datetimes and Timedeltas": not-a-time is the least whole number.
    return values, values == -(2**63)


def _of_sparse(values: Any, length: int) -> Cells:
    """Read a sparse array chunk by chunk; the rest of a chunk is the fill value."""
    index, dense, dtype = values._sparse_index, values._sparse_values, values._dtype
    fill = dtype._fill_value if safe.is_from(type(dtype), "pandas") else None
    kind = type(fill)
    is_plain = safe.one_of(kind, (int, float, bool)) or safe.inherits(kind, safe.loaded("numpy", "number"))
    if not (_are_arrays(dense) and dense.dtype.kind in "biuf" and is_plain and safe.is_from(type(index), "pandas")):
        return Cells("?", length, _unread, None)
    # Blocks of places become places; made once per question.
    places = index.to_int_index().indices

    def read(start: int, stop: int) -> Tuple[Any, Any]:
        numpy = safe.loaded("numpy")
        chunk = numpy.full(max(0, min(stop, length) - start), fill, dtype=dense.dtype)
        low, high = places.searchsorted(start), places.searchsorted(stop)
        chunk[places[low:high] - start] = dense[low:high]
        return chunk, numpy.isnan(chunk) if dense.dtype.kind == "f" else None

    return Cells(dense.dtype.kind, length, read, dense.dtype)


def _of_arrow(values: Any, length: int) -> Cells:
    """Read Arrow's text as objects; of its other types only how many are missing is told, by `arrow_nulls`."""
    data = arrow_data(values)
    if data is None:
        return Cells("?", length, _unread, None)
    if str(data.type) not in ("string", "large_string"):
        return Cells("A", length, lambda start, stop: (data.slice(start, max(0, stop - start)), None), None)
    objects = safe.loaded("numpy", "dtype")("O")

    def read(start: int, stop: int) -> Tuple[Any, Any]:
        found = data.slice(start, max(0, stop - start)).to_pylist()
        return _object_array(found), None

    return Cells("O", length, read, objects)


def arrow_data(values: Any) -> Any:
    """Return the pyarrow ChunkedArray under one of pandas' arrays, or None."""
    for name in ("_pa_array", "_data"):
        found = getattr(values, name, None)
        if safe.is_exactly(found, "pyarrow", "ChunkedArray"):
            return found
    return None


def _object_array(elements: List[Any]) -> Any:
    """Return an array of exact built-in scalars."""
    numpy = safe.loaded("numpy")
    made = numpy.empty(len(elements), dtype=object)
    made[:] = elements
    return made


# A class's own hash may be the user's; this one is where the class lies in memory.
_identity = object.__hash__


def kinds_of(elements: List[Any]) -> List[Tuple[Any, int]]:
    """Return the classes of the elements with counts, without asking any metaclass."""
    kinds = list(map(type, elements))
    found: List[Tuple[Any, int]] = []
    left = len(kinds)
    for common in _COMMON_KINDS:
        if left == 0:
            return found
        count = sum(map(operator.is_, kinds, repeat(common)))
        left -= count
        if count:
            found.append((common, count))
    if left == 0:
        return found
    counts: Dict[int, int] = {}
    an_element = {}
    for kind in kinds:
        mark = _identity(kind)
        an_element[mark] = kind
        counts[mark] = counts.get(mark, 0) + 1
    return [(an_element[mark], count) for mark, count in counts.items()]


_COMMON_KINDS: Tuple[Any, ...] = (str, type(None), float, int)

_KNOWN_OBJECTS = (*safe.SCALARS, *safe.CONTAINERS, datetime.date, datetime.time, datetime.datetime, datetime.timedelta)


def object_nulls(chunk: Any) -> Any:
    """Return which objects of an array pandas takes for missing, as an array of bools.

    Source: `pandas/_libs/missing.pyx`, `checknull`: None, NaN, NaT, NA, and floats and decimals unequal to themselves.

    Raises:
        Refused: pandas itself would have to ask an object of the user's.
    """
    numpy = safe.loaded("numpy")
    elements = chunk.tolist()
    kinds = [kind for kind, _ in kinds_of(elements)]
    if all(kind is str for kind in kinds):
        return numpy.zeros(len(elements), dtype=bool)
    by_pandas = safe.loaded("pandas._libs.missing", "isnaobj")
    if all(_is_known_object(kind) for kind in kinds) and type(by_pandas) is not types.FunctionType:
        return by_pandas(chunk)
    for kind in kinds:
        _check_missing_is_known(kind)
    return numpy.fromiter(map(_is_missing, elements), dtype=bool, count=len(elements))


def _is_known_object(kind: type) -> bool:
    return (
        safe.one_of(kind, _KNOWN_OBJECTS)
        or kind is safe.loaded("numpy", "ndarray")
        or (safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.is_from(kind, "numpy"))
        or kind is type(safe.loaded("pandas", "NaT"))
        or kind is type(safe.loaded("pandas", "NA"))
        or kind is safe.loaded("pandas", "Timestamp")
    )


def _check_missing_is_known(kind: type) -> None:
    """Raise Refused if pandas would call a method of this class to tell whether its objects are missing."""
    decimal = safe.loaded("decimal", "Decimal")
    if safe.one_of(kind, (float, complex, decimal)) or safe.is_from(kind, "numpy") or safe.is_from(kind, "pandas"):
        return
    bases = (float, complex, decimal, safe.loaded("numpy", "generic"))
    lies = safe.in_type(kind, "__class__") is not object.__dict__["__class__"]
    if lies or any(safe.inherits(kind, each) for each in bases):
        raise Unread("could not look, because whether a {} is missing is computed".format(safe.class_name(kind)))


def _is_missing(element: Any) -> bool:
    kind = type(element)
    if kind is str:
        return False
    if element is None:
        return True
    if kind is float or kind is complex:
        return bool(element != element)
    if element is safe.loaded("pandas", "NaT") or element is safe.loaded("pandas", "NA"):
        return True
    if kind is safe.loaded("decimal", "Decimal"):
        return bool(element.is_nan())
    generic = safe.loaded("numpy", "generic")
    if safe.inherits(kind, generic) and safe.is_from(kind, "numpy"):
        return element.dtype.kind in "fcmM" and bool(element != element)
    return False


def spans(length: int, cap: int, chunk: int) -> Iterator[Tuple[int, int]]:
    """Yield the places of the chunks of a scan of the first `cap` of `length` cells."""
    end = min(length, cap)
    for start in range(0, end, chunk):
        yield start, min(start + chunk, end)


def label_at(index: Any, place: int) -> object:
    """Return the label at a place as a JSON value: a number, a text, or a list of them for several levels."""
    own = safe.instance_dict(index) or {}
    if "_levels" in own:
        levels = zip(own["_levels"], own["_codes"])  # type: ignore[call-overload]
        return [label_at(level, int(codes[place])) if codes[place] >= 0 else None for level, codes in levels]
    span = own.get("_range")
    if type(span) is range:
        return span[place]
    data = own.get("_data")
    found = cells(data)
    if found.kind in "biufOM":
        return shown_label(_item(data, found, place))
    if found.kind == "C":
        code = int(found.read(place, place + 1)[0][0])
        return label_at(categories_of(data), code) if code >= 0 else None
    return None


def _item(data: Any, found: Cells, place: int) -> Any:
    if found.kind == "M":
        own = data if _are_arrays(data) else data._ndarray
        return str(own[place])
    return found.read(place, place + 1)[0].tolist()[0]


def shown_label(label: object) -> object:
    """Return a label as a JSON value; the name of its type if it is no built-in scalar, nor a tuple of them."""
    if type(label) is tuple:
        return [None if type(part) is tuple else shown_label(part) for part in label]
    if safe.inherits(type(label), safe.loaded("numpy", "generic")) and safe.is_from(type(label), "numpy"):
        label = label.item()  # type: ignore[attr-defined]
    if type(label) is float and label != label:
        return None
    return safe.text(label) if safe.one_of(type(label), (str, bytes)) else safe.number(label)


def categories_of(values: Any) -> Any:
    """Return the index of the categories of a Categorical."""
    dtype = values._dtype
    found = (safe.instance_dict(dtype) or {}).get("_categories")
    if not blocks.is_index(found):
        raise safe.Refused("could not look, because the categories are of a foreign class")
    return found


def has_zone(values: Any) -> bool:
    """Whether dates are of a time zone."""
    return not _are_arrays(values) and safe.is_from(type(values.dtype), "pandas")
