"""numpy's arrays and numbers as operands: the real one, or a stand-in that takes no memory.

A stand-in has strides of zero: one element in memory, whatever its shape. It is writable if the value is known to be.
Functions that only carry lengths along run on arrays whose long axes are shortened, equal ones alike, in order
(`Shortened`), so that what comes out tells the lengths of the result.

Sources: the numpy reference, "Internal organization of NumPy arrays", "Broadcasting".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...readers import combining, tensors
from ..values import DTYPE, SHAPE, UNKNOWN, Hole, Known, Like, Made, Value, as_element, of_element

if TYPE_CHECKING:
    from ..state import State

MAX_CONTENT = 20_000
"""Elements of an operand that is computed with."""

MAX_LISTED = 5000
"""Elements of a list that are looked at."""

MAX_OPERANDS = 500
"""Elements of a list or tuple of operands."""

KINDS = "biufcSUmM"
"""Kinds of dtypes whose elements are numpy's own. Source: the numpy reference, `dtype.kind`."""

NUMBERS = "biufc"
_KEPT = 8

DTYPE_ONLY = frozenset([DTYPE])


class Operand(NamedTuple):
    """An operand as it may be handed to numpy.

    Attributes:
        object: The real object, or a stand-in.
        known: Whether what it holds is right, too.
    """

    object: Any
    known: bool


def is_array(value: object) -> bool:
    """Whether `value` is exactly an ndarray with elements of numpy's own."""
    return tensors.is_ndarray(value) and value.dtype.kind in KINDS  # type: ignore[attr-defined]


def is_scalar(value: object) -> bool:
    """Whether `value` is a number, text or date of numpy's own."""
    cls = type(value)
    if safe.class_module(cls) != "numpy" or not safe.inherits(cls, safe.loaded("numpy", "generic")):
        return False
    return safe.is_from(cls, "numpy") and value.dtype.kind in KINDS  # type: ignore[attr-defined]


def is_numpy(value: object) -> bool:
    """Whether `value` is an array or a scalar of numpy's own kinds."""
    return is_array(value) or is_scalar(value)


def is_flat(value: object) -> bool:
    """Whether `value` is what ``array.flat`` gives."""
    return safe.class_name(type(value)) == "flatiter" and safe.is_exactly(value, "numpy", "flatiter")


def is_dtype(value: object) -> bool:
    """Whether `value` says which dtype is wanted: one of Python's types, of numpy's scalar types, or a dtype."""
    if safe.inherits(type(value), type):
        cls: Any = value
        if safe.one_of(cls, (int, float, bool, complex, str, bytes)):
            return True
        return safe.class_module(cls) == "numpy" and safe.is_from(cls, "numpy") and safe.inherits(cls, _generic())
    found = safe.loaded("numpy", "dtype")
    return safe.inherits(type(value), found) and safe.class_module(type(value)).partition(".")[0] == "numpy"


def _generic() -> Any:
    return safe.loaded("numpy", "generic")


def is_of_scalars(value: Any, limit: int = 2000) -> bool:
    """Whether an exact array of objects holds only exact built-in or numpy's own scalars."""
    if not tensors.is_ndarray(value) or value.dtype.kind != "O" or value.size > limit:
        return False
    flat = value.reshape(-1)
    return all(safe.one_of(type(each), safe.SCALARS) or is_scalar(each) for each in flat)


def real(value: Value | None, state: State, limit: int = MAX_CONTENT, depth: int = 3) -> Any:
    """Return the object itself if numpy may compute with it: no code of the user's runs, and what it holds is known.

    Returns:
        An exact built-in scalar, container or slice, an array or scalar of numpy's own, a dtype, or lists and tuples
        of these; `safe.ABSENT` for anything else. It is to be read, never changed.
    """
    found: Any = state.live(value)
    if found is safe.ABSENT:
        return safe.ABSENT
    kind = type(found)
    if safe.one_of(kind, safe.SCALARS) or found is Ellipsis:
        return found
    if tensors.is_ndarray(found):
        fits = found.size <= limit and (found.dtype.kind in KINDS or is_of_scalars(found))
        return found if fits else safe.ABSENT
    if is_scalar(found) or is_dtype(found):
        return found
    plain = state.plain(value, min(limit, MAX_LISTED))
    if plain is not safe.ABSENT:
        return plain
    if not safe.one_of(kind, (list, tuple)) or not depth or len(found) > MAX_OPERANDS:
        return safe.ABSENT
    inner = [real(of_element(each), state, limit, depth - 1) for each in found]
    return safe.ABSENT if any(each is safe.ABSENT for each in inner) else kind(inner)


def operand(value: Value | None, state: State, limit: int = MAX_CONTENT, depth: int = 3) -> Operand | None:
    """Return a value as numpy may be handed it, the real object or a stand-in; None if neither is known."""
    found = real(value, state, limit, depth)
    if found is not safe.ABSENT:
        return Operand(found, True)
    form = state.form(value, SHAPE, DTYPE)
    if form is not safe.ABSENT and (is_numpy(form) or safe.one_of(type(form), (int, float, bool, complex))):
        return Operand(form, False)
    if type(value) is Made and value.kind in ("number", "bool"):
        kind: Any = value.facts.get("type", bool if value.kind == "bool" else None)
        return Operand(kind(1), False) if safe.one_of(kind, (int, float, bool)) else None
    several: Any = state.live(value)
    if not safe.one_of(type(several), (list, tuple)) or not depth or len(several) > MAX_OPERANDS:
        return None
    inner = [operand(of_element(each), state, limit, depth - 1) for each in several]
    if any(each is None for each in inner):
        return None
    return Operand(type(several)([each.object for each in inner if each is not None]), False)


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array, a stand-in or a scalar."""
    return tuple(int(each) for each in value.shape) if is_numpy(value) or tensors.is_ndarray(value) else ()


def size_of(value: Any) -> int:
    """Return about how many elements an operand has."""
    if tensors.is_ndarray(value):
        return int(value.size)
    if safe.one_of(type(value), (list, tuple, set, frozenset, dict)):
        return sum(size_of(each) for each in value) + len(value)
    return len(value) if safe.one_of(type(value), (range, str)) else 1


def stand_in(shape: tuple[int, ...], dtype: Any, writable: bool = True) -> Any:
    """Return an array of this structure that takes no memory.

    Args:
        shape: Its shape.
        dtype: Its dtype.
        writable: Whether the value is known to be writable.
    """
    numpy: Any = safe.loaded("numpy")
    strides = (0,) * len(shape)
    if dtype.hasobject or dtype.itemsize == 0 or not writable:
        return numpy.broadcast_to(numpy.zeros((), dtype), shape)
    return numpy.ndarray(shape, dtype, bytearray(dtype.itemsize), 0, strides)


def like(shape: tuple[int, ...], dtype: Any, writable: bool = True) -> Like:
    """Return an array of which only shape and dtype are known."""
    return Like(stand_in(shape, dtype, writable))


def like_of_length(found: Any) -> Like:
    """Return an array of which only the dtype is known: how long it is depends on what it holds."""
    return Like(stand_in((0,) * found.ndim, found.dtype), DTYPE_ONLY)


class Shortened:
    """Operands with short axes: those of length up to 8 keep it, longer ones get lengths above, in the same order."""

    def __init__(self, operands: list[Any]) -> None:
        sizes = sorted({size for each in operands for size in _sizes(each) if size > _KEPT})
        self._short = {size: _KEPT + 1 + place for place, size in enumerate(sizes)}
        self._long = {short: size for size, short in self._short.items()}

    def of(self, value: Any, diagonal: bool = False) -> Any:
        """Return what stands in for an operand; None if that is large."""
        if safe.one_of(type(value), (list, tuple)) and len(value) > _KEPT and _is_data(value):
            value = safe.loaded("numpy").asarray(value)
        if safe.one_of(type(value), (list, tuple)):
            return type(value)([self.of(each, diagonal) for each in value])
        if not tensors.is_ndarray(value):
            return value
        shape = tuple(self._short.get(size, size) for size in shape_of(value))
        return filled(shape, value.dtype, diagonal)

    def back(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that a short one stands for."""
        return tuple(self._long.get(size, size) for size in shape)


def _is_data(value: Any) -> bool:
    """Whether a long list is one of numbers, or of rows of numbers."""
    return all(safe.one_of(type(each), safe.SCALARS) or is_scalar(each) for each in value)


def _sizes(value: Any) -> list[int]:
    if tensors.is_ndarray(value):
        return list(shape_of(value))
    if safe.one_of(type(value), (list, tuple)):
        inner = [size for each in value for size in _sizes(each)] if not _is_data(value) else []
        return [len(value), *inner]
    return []


def filled(shape: tuple[int, ...], dtype: Any, diagonal: bool = False) -> Any:
    """Return an array of ones, or of unit matrices; None if it is large."""
    numpy: Any = safe.loaded("numpy")
    size = 1
    for each in shape:
        size *= each
    if size > MAX_CONTENT * 5:
        return None
    if dtype.kind not in NUMBERS:
        return numpy.zeros(shape, dtype)
    if diagonal and len(shape) > 1:
        found = numpy.zeros(shape, dtype)
        found[...] = numpy.eye(shape[-2], shape[-1])
        return found
    return numpy.ones(shape, dtype)


def spread(value: Any) -> Any:
    """Return an operand with its real lengths that takes no memory."""
    if safe.one_of(type(value), (list, tuple)):
        return type(value)([spread(each) for each in value])
    return stand_in(shape_of(value), value.dtype) if tensors.is_ndarray(value) else value


def value_of(found: Any, back: Any = None, of_length: bool = False) -> Value:
    """Return what a function gave for stand-ins as a value: its structure.

    Args:
        found: What it returned.
        back: Turns a shape of it into the real one.
        of_length: How long it is depends on what it holds.
    """
    if tensors.is_ndarray(found):
        if found.dtype.kind not in KINDS + "O":
            return UNKNOWN
        if of_length:
            return like_of_length(found)
        shape = shape_of(found)
        return like(shape if back is None else back(shape), found.dtype, bool(found.flags.writeable))
    if is_scalar(found):
        return Like(found)
    if safe.one_of(type(found), (list, tuple)):
        return Known(type(found)([as_element(value_of(each, back, of_length)) for each in found]))
    if type(found) is bool:
        return Made("bool")
    if safe.one_of(type(found), (int, float)):
        return Made("number", type=type(found))
    return Known(None) if found is None else UNKNOWN


def is_own(callee: object, name: str, module: str = "numpy") -> bool:
    """Whether `callee` is what numpy itself holds under `name` in one of its modules."""
    if safe.loaded(module, name) is not callee or callee is None:
        return False
    cls = type(callee)
    if cls is safe.loaded("numpy", "ufunc") or cls is safe.BuiltinFunctionType:
        return True
    return combining._is_function_of("numpy", callee)


def is_before_nep50() -> bool:
    """Whether this numpy decides about dtypes by the values of scalars, too."""
    version = safe.loaded("numpy", "__version__")
    return type(version) is not str or version.startswith(("0.", "1."))


def unknown_hole() -> Hole:
    """Return what a container holds for an element of which nothing is known."""
    return Hole(UNKNOWN)


def sees_errors(state: State) -> bool:
    """Whether numpy may raise where it would warn: the notebook has changed what it does about float errors."""
    cells = state.shell.user_ns.get("_ih")
    if type(cells) is not list or not all(type(each) is str for each in cells):
        return True
    return any("seterr" in each or "errstate" in each for each in cells)
