"""What pandas may be handed: the real values that take part, or stand-ins for them.

A value that is not `resolve`d must not be shown to pandas: it may run the user's code, or change with the call.
"""

from __future__ import annotations

import builtins
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ..values import Hole, Known, Value
from . import tables

if TYPE_CHECKING:
    from ..sites import CallSite
    from ..state import State

MAX_ELEMENTS = 100_000

# Functions that pandas may call on scalars of Python's own. Source: the Python library reference.
_BUILTINS = frozenset(
    (
        *("abs", "all", "any", "bool", "complex", "dict", "float", "frozenset", "hash", "int", "len", "list", "max"),
        *("min", "object", "ord", "range", "repr", "round", "set", "sorted", "str", "sum", "tuple", "type"),
    )
)
# Functions of numpy's that only compute. Source: the numpy reference.
_NUMPY = frozenset(
    (
        *("mean", "median", "sum", "std", "var", "min", "max", "amin", "amax", "size", "prod", "ptp", "any", "all"),
        *("count_nonzero", "nanmean", "nansum", "nanmedian", "nanmax", "nanmin", "nanstd", "round", "unique", "cumsum"),
        *("argmax", "argmin", "average", "percentile", "quantile", "isreal"),
    )
)


class Operand(NamedTuple):
    """What stands for a value.

    Attributes:
        object: The object that pandas is handed; it must not be changed.
        real: Whether its content is that of the value.
        size: How much work it is.
    """

    object: Any
    real: bool
    size: int


class Operands(NamedTuple):
    """What stands for the arguments of a call; see `Operand`."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    real: bool
    size: int


def resolve(value: Value | None, state: State) -> Operand | None:
    """Return what stands for a value; None if pandas may not be handed anything for it."""
    found = state.live(value)
    if found is not safe.ABSENT:
        operand = _of_object(found, state, 0)
        if operand is not None:
            return operand
    form = state.form(value)
    if form is safe.ABSENT:
        return None
    return _of_form(form, state)


def resolve_call(site: CallSite, state: State) -> Operands | None:
    """Return what stands for the arguments of a call; None if one of them has nothing."""
    if not site.complete:
        return None
    arguments = [resolve(each, state) for each in site.arguments]
    keywords = {name: resolve(each, state) for name, each in site.keywords.items()}
    every = [*arguments, *keywords.values()]
    if any(each is None for each in every):
        return None
    return Operands(
        tuple(each.object for each in arguments),  # type: ignore[union-attr]
        {name: each.object for name, each in keywords.items()},  # type: ignore[union-attr]
        all(each.real for each in every),  # type: ignore[union-attr]
        _sum(every),
    )


def _of_form(form: Any, state: State) -> Operand | None:
    if tables.is_ours(form, state):
        return Operand(form, False, _size(form))
    if tables.is_table(form):
        made = tables.stand_in(form)
        return None if made is None else Operand(tables.keep(made[0], state), False, _size(made[0]))
    if safe.is_exactly(form, "numpy", "ndarray"):
        return Operand(form, False, form.size)
    return None


def _of_object(found: Any, state: State, depth: int) -> Operand | None:
    """Return what stands for a real object; None if it may run code of the user's."""
    kind = type(found)
    if tables.is_scalar(found) or kind is range:
        return Operand(found, True, 1)
    if kind is slice:
        parts = [_of_object(each, state, depth) for each in (found.start, found.stop, found.step)]
        return Operand(found, True, 1) if all(part is not None and part.real for part in parts) else None
    if safe.one_of(kind, safe.CONTAINERS):
        return _of_container(found, state, depth)
    if tables.is_ours(found, state):
        return Operand(found, True, _size(found))
    if tables.is_table(found):
        private = tables.private(found, state)
        return Operand(private, True, tables.size(private)) if private is not None else None
    if safe.is_exactly(found, "numpy", "ndarray"):
        return _of_array(found)
    return Operand(found, True, 1) if _is_harmless(found) else None


def _of_array(found: Any) -> Operand | None:
    kind = found.dtype.kind
    if kind == "O":
        return Operand(found, True, 5 * found.size) if tables.are_plain(found) else None
    return Operand(found, True, found.size) if kind in "biufcmMSU" else None


def _of_container(found: Any, state: State, depth: int) -> Operand | None:
    if depth > 3 or len(found) > MAX_ELEMENTS:
        return None
    if type(found) is dict:
        if not safe.has_plain_keys(found):
            return None
        values = [_of_element(each, state, depth + 1) for each in found.values()]
        if any(each is None for each in values):
            return None
        table = {key: each.object for key, each in zip(found, values)}  # type: ignore[union-attr]
        return Operand(table, all(each.real for each in values), _sum(values) + 1)  # type: ignore[union-attr]
    if (
        safe.one_of(type(found), (list, tuple))
        and safe.is_plain(found, limit=MAX_ELEMENTS)
        and not _may_be_changed(state)
    ):
        return Operand(type(found)(found), True, len(found) + 1)
    parts = [_of_element(each, state, depth + 1) for each in found]
    if any(each is None for each in parts):
        return None
    if safe.one_of(type(found), (set, frozenset)):
        # In its own order, which its elements alone do not decide.
        return Operand(found.copy(), True, len(found) + 1) if safe.is_plain(found, limit=MAX_ELEMENTS) else None
    made = type(found)([each.object for each in parts])  # type: ignore[union-attr]
    return Operand(made, all(each.real for each in parts), _sum(parts) + 1)  # type: ignore[union-attr]


def _may_be_changed(state: State) -> bool:
    return bool(state.changes())


def _of_element(element: object, state: State, depth: int) -> Operand | None:
    value = element.value if type(element) is Hole else Known(element)
    found = state.live(value)
    if found is not safe.ABSENT:
        operand = _of_object(found, state, depth)
        if operand is not None:
            return operand
    form = state.form(value)
    return None if form is safe.ABSENT else _of_form(form, state)


def _is_harmless(found: Any) -> bool:
    """Whether it is a class or a function of Python's, numpy's or pandas' own that only computes, or a dtype."""
    kind = type(found)
    if kind is type:
        name = safe.class_name(found)
        if name in _BUILTINS and builtins.__dict__.get(name) is found:
            return True
        return safe.inherits(found, safe.loaded("numpy", "generic")) and safe.is_from(found, "numpy")
    if kind is safe.BuiltinFunctionType:
        name = found.__name__
        return name in _BUILTINS and builtins.__dict__.get(name) is found
    if kind is safe.MethodDescriptorType:
        return safe.one_of(found.__objclass__, (str, int, float, list, tuple, dict))
    if kind is safe.loaded("numpy", "ufunc"):
        return safe.loaded("numpy", found.__name__) is found
    if kind is types.FunctionType or safe.class_name(kind) == "_ArrayFunctionDispatcher":
        name = getattr(found, "__name__", "")
        return type(name) is str and name in _NUMPY and safe.loaded("numpy", name) is found
    if safe.inherits(kind, safe.loaded("numpy", "dtype")):
        return safe.class_module(kind).startswith("numpy") and found.kind in "biufcmMSUO"
    return safe.is_from(kind, "pandas") and safe.class_name(kind) in _DTYPES


_DTYPES = frozenset(
    (
        *("Int8Dtype", "Int16Dtype", "Int32Dtype", "Int64Dtype", "UInt8Dtype", "UInt16Dtype", "UInt32Dtype"),
        *("UInt64Dtype", "Float32Dtype", "Float64Dtype", "BooleanDtype", "StringDtype"),
    )
)


def _size(found: Any) -> int:
    return tables.size(found) if tables.is_table(found) else 1


def _sum(several: list[Operand | None]) -> int:
    return sum([0 if each is None else each.size for each in several])
