"""What is handed to a plotting library: the shape of the data, and what kind of elements it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...readers import blocks
from ..values import DTYPE, SHAPE, Hole, Known, Made, Value

if TYPE_CHECKING:
    from ..state import State

MAX_ELEMENTS = 5000
"""Elements of a list or of an object array that are looked at."""

NUMBERS = "numbers"
TEXTS = "texts"
TIMES = "times"
OTHER = "other"


class Data(NamedTuple):
    """An argument that is plotted.

    Attributes:
        shape: Its shape as an array.
        kind: `NUMBERS`, `TEXTS` (every element is a str), `TIMES` (of numpy's own dtypes), or `OTHER`: not known.
        object: The real object if its content is known, else a stand-in.
        real: Whether it is the real object.
    """

    shape: tuple[int, ...]
    kind: str
    object: Any
    real: bool

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for each in self.shape:
            count *= each
        return count


def data_of(value: Value | None, state: State) -> Data | None:
    """Return the shape and kind of an argument, or None if they are not known.

    Known for numbers, lists of plain elements, exact arrays, series, frames and the keys and values of a dict.
    """
    if type(value) is Made:
        return _of_made(value, state)
    real = state.live(value)
    found: Any = state.form(value, SHAPE)
    if found is safe.ABSENT:
        return None
    if safe.one_of(type(found), (int, float, bool, list, tuple, range)):
        return None if real is safe.ABSENT else _of_builtin(real)
    is_real = real is not safe.ABSENT
    knows_dtype = DTYPE in state.knows(value)
    if safe.is_exactly(found, "numpy", "ndarray"):
        kind = _kind(found.dtype) if knows_dtype else OTHER
        if kind == OTHER and is_real and found.dtype.kind == "O" and found.size <= MAX_ELEMENTS:
            kind = _kind_of_elements(found.ravel().tolist())
        return Data(tuple(map(int, found.shape)), kind, found, is_real)
    if blocks.is_series(found):
        if not state.is_as_shipped(type(found)):
            return None
        kind = _kind(blocks.dtype_at(found, 0)) if knows_dtype else OTHER
        length = len(found)
        if kind == OTHER and is_real and length <= MAX_ELEMENTS:
            values = _object_values(found)
            kind = OTHER if values is None else _kind_of_elements(values)
        return Data((int(length),), kind, found, is_real)
    if blocks.is_frame(found):
        if not state.is_as_shipped(type(found)):
            return None
        return Data(tuple(map(int, found.shape)), OTHER, found, is_real)
    return None


def _object_values(series: Any) -> list[object] | None:
    """Return the elements of a series of exact numpy objects, without anything that pandas caches."""
    values = series._mgr.blocks[0].values
    return values.ravel().tolist() if safe.is_exactly(values, "numpy", "ndarray") else None


def _of_made(value: Made, state: State) -> Data | None:
    if value.kind == "series" and type(value.facts.get("length")) is int:
        return Data((value.facts["length"],), NUMBERS if value.facts.get("numeric") else OTHER, None, False)
    if value.kind == "view" and value.facts.get("method") in ("keys", "values"):
        table = state.live(value.facts.get("owner"))
        if type(table) is dict and len(table) <= MAX_ELEMENTS:
            items = list(table) if value.facts["method"] == "keys" else list(table.values())
            return _of_builtin(items)
    return None


def _of_builtin(found: Any) -> Data | None:
    if safe.one_of(type(found), (int, float, bool)):
        return Data((), NUMBERS, found, True)
    if type(found) is range:
        return Data((len(found),), NUMBERS, found, True) if len(found) <= MAX_ELEMENTS else None
    if len(found) > MAX_ELEMENTS:
        return None
    return _of_elements(list(found), found)


def _of_elements(items: list[Any], found: Any) -> Data | None:
    """Return what `numpy.asarray` makes of elements: plain ones, or plain rows of one length."""
    if any(type(each) is Hole for each in items):
        return None
    kind = _kind_of_elements(items)
    if kind != OTHER or not items:
        return Data((len(items),), kind, found, True)
    rows = [each for each in items if safe.one_of(type(each), (list, tuple))]
    if len(rows) != len(items) or len({len(each) for each in rows}) != 1:
        return None
    inner = [part for each in rows for part in each]
    kind = _kind_of_elements(inner)
    if kind == OTHER or not inner or len(inner) > MAX_ELEMENTS:
        return None
    return Data((len(rows), len(rows[0])), kind, found, True)


def _kind(dtype: Any) -> str:
    numpy_dtype = safe.loaded("numpy", "dtype")
    if not safe.inherits(type(dtype), numpy_dtype) or dtype.names is not None:
        return OTHER
    if dtype.kind in "iufb":
        return NUMBERS
    if dtype.kind in "Mm":
        return TIMES
    return TEXTS if dtype.kind == "U" else OTHER


def _kind_of_elements(items: list[Any]) -> str:
    if all(_is_number(each) for each in items):
        return NUMBERS
    return TEXTS if all(type(each) is str for each in items) else OTHER


def _is_number(value: object) -> bool:
    if safe.one_of(type(value), (int, float, bool)):
        return type(value) is not int or value.bit_length() < 63
    generic = safe.loaded("numpy", "number")
    return safe.inherits(type(value), generic) and safe.class_module(type(value)) == "numpy"


def known(value: object) -> Known:
    """Return a value that the walk made itself."""
    return Known(value)
