"""numpy: arrays and their scalars, and what Python's operators, items and built-ins make of them.

- `array_forms`: operands and stand-ins;
- `array_functions`: numpy's functions and the methods of arrays;
- `array_random`: random numbers;
- `array_builtins`: Python's built-in functions, given arrays.

Sources: the numpy user guide, "Indexing on ndarrays" and "Broadcasting"; the numpy reference, "The N-dimensional array"
and "Scalars".
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import tensors
from .. import operations
from ..sites import AttributeSite, CompareSite, Finding, OperatorSite, SubscriptSite, UnarySite, ValueSite
from ..values import (
    DTYPE,
    SHAPE,
    UNKNOWN,
    Elements,
    Foreign,
    Known,
    Like,
    Made,
    Method,
    Value,
    as_element,
    of_element,
)
from ..words import counted, lowest, named, words
from . import array_builtins, array_functions, array_random, running
from . import array_forms as forms

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "numpy"

MAX_ROWS = 200
"""Rows of an array that are iterated over one by one."""

_FIELDS = frozenset(["ndim", "size", "nbytes", "itemsize", "strides"])
_VIEWS = frozenset(["T", "real", "imag", "mT"])


# -- attributes --------------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of an array or a scalar; of the module, the names that numpy has taken back."""
    if state.live(site.owner) is safe.loaded("numpy"):
        return _removed(site, state)
    form = state.form(site.owner)
    if not (tensors.is_ndarray(form) or forms.is_scalar(form)):
        return None
    knows = state.knows(site.owner)
    entry = safe.in_type(type(form), site.name)
    if entry is safe.ABSENT:
        return _missing(site, form)
    level = lowest(state.level(site.owner), SCHEMA)
    if site.name == "dtype" and DTYPE in knows:
        return Known(form.dtype, level=level)
    if site.name == "ndim" and tensors.is_ndarray(form) and DTYPE in knows:
        return Known(int(form.ndim), level=level)
    if safe.one_of(type(entry), (safe.MethodDescriptorType, safe.WrapperDescriptorType)):
        return Method(site.owner, site.name)
    if SHAPE not in knows:
        return UNKNOWN if site.name in _FIELDS | _VIEWS | {"shape"} else None
    if site.name == "shape":
        return Known(forms.shape_of(form), level=level)
    if site.name in ("size", "ndim") or (site.name in ("nbytes", "itemsize") and DTYPE in knows):
        return Known(int(getattr(form, site.name)), level=level)
    objects = site.name == "T" and tensors.is_ndarray(form) and state.live(site.owner) is form
    if site.name in _VIEWS and (objects or forms.is_numpy(form)) and DTYPE in knows:
        return _view(site, form, state)
    if site.name == "flat" and state.live(site.owner) is form:
        whole: Any = form
        return Known(whole.flat, level=state.level(site.owner))
    return UNKNOWN if site.name in ("flat", "flags", "base", "strides", "data", "ctypes") else None


def _missing(site: AttributeSite, form: Any) -> Finding | None:
    if safe.in_type(type(form), "__getattr__") is not safe.ABSENT:
        return None
    name = "numpy.ndarray" if tensors.is_ndarray(form) else "numpy." + safe.class_name(type(form))
    from ...likeness import close_to

    names = sorted(each for each in safe.class_dict(type(form)) if type(each) is str and not each.startswith("_"))
    return Finding(
        rule="arrays.missing-attribute",
        type="AttributeError",
        message=words("{!r} object has no attribute {!r}", named(name), named(site.name)),
        because=words("it is a {}, which has no attribute {!r}", named(name), named(site.name)),
        crash_type="attribute error",
        library="numpy",
        close=tuple(close_to(site.name, names)),
        asked="names",
    )


def _view(site: AttributeSite, form: Any, state: State) -> Value | None:
    if site.name == "imag" and form.dtype.kind not in "biufc":
        return None
    try:
        found = getattr(form, site.name)
    except ValueError as error:
        # ``mT`` of fewer than two dimensions.
        return running.crash(error, LIBRARY, SCHEMA, "", "{} itself says so")  # type: ignore[return-value]
    if state.live(site.owner) is form or (
        type(site.owner) is Known and form is site.owner.object and tensors.is_ndarray(found)
    ):
        return Known(found, level=state.level(site.owner))
    return Like(found)


def _removed(site: AttributeSite, state: State) -> Value | Finding | None:
    """A name that numpy does not have, as `np.float`, in its own words; a module that it loads when it is asked for."""
    own = safe.instance_dict(safe.loaded("numpy")) or {}
    asked: Any = own.get("__getattr__")
    if site.name in own or not safe.comes_from(asked, "numpy") or site.name == "random":
        return None
    if any(site.name == each for each in asked.__code__.co_consts):
        # What is named in its code may be imported there.
        return Foreign("numpy") if site.name in _LOADED_LATER else None
    answer = running.content(lambda: asked(site.name), LIBRARY, "names", "attribute error")
    if not isinstance(answer, Finding) or answer.type != "AttributeError":
        return None
    from ...likeness import close_to

    return answer._replace(
        rule="arrays.missing-name",
        because=words("this numpy has no {!r}", named(site.name)),
        close=tuple(close_to(site.name, sorted(each for each in own if not each.startswith("_")))),
        asked="names",
    )


_LOADED_LATER = frozenset("fft polynomial ma linalg char rec strings exceptions dtypes ctypeslib testing".split())


# -- items -------------------------------------------------------------------------------------------------------------


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``array[key]``; and ``sequence[key]`` where the key is of numpy's."""
    if site.context != "load":
        return None
    form = state.form(site.owner)
    if forms.is_flat(form):
        return _item_of_flat(site, state)
    if not tensors.is_ndarray(form):
        return _item_of_sequence(site, state) if not forms.is_scalar(form) else _item_of_scalar(site, form, state)
    knows = state.knows(site.owner)
    if form.dtype.names is not None:
        return _field(site, form, state)
    if form.dtype.kind not in forms.KINDS + "O" or not knows.issuperset((SHAPE, DTYPE)):
        return _open(site, state) if form.dtype.names is None else None
    key = _key(site.key, state)
    if key is None:
        if form.dtype.kind == "O" and _may_run_code(site.key, state):
            return None
        return _open(site, state)
    if is_basic_index(key.object) and key.known:
        return _basic(site, form, key.object, state)
    if not key.known or not forms.is_array(form) or form.size > 2**62 or _is_large_key(key.object):
        return _advanced(site, form, key, state)
    owner: Any = state.live(site.owner)
    if owner is not safe.ABSENT and _result_is_small(form, key.object):
        return running.content(
            lambda: owner[key.object],
            LIBRARY,
            state.level(site.key),
            "index error",
            lambda found: _copied(found, site, state),
        )
    return _advanced(site, form, key, state)


def _field(site: SubscriptSite, form: Any, state: State) -> Value | Finding | None:
    """A field of a structured array, by its name."""
    key: Any = state.live(site.key)
    if type(key) is not str or type(site.owner) is not Known or form is not site.owner.object:
        return None
    array: Any = form
    return running.content(lambda: array[key], LIBRARY, state.level(site.key), "key error")


def _copied(found: Any, site: SubscriptSite, state: State) -> Value:
    return Known(found, level=state.level(site.owner, site.key)) if forms.is_numpy(found) else UNKNOWN


def _open(site: Any, state: State) -> Value:
    state.may_raise(site.node, "the index may not fit the array")
    form = state.form(site.owner)
    return UNKNOWN if not tensors.is_ndarray(form) or form.dtype.hasobject else Foreign("numpy", (site.owner,))


def _key(value: Value, state: State) -> forms.Operand | None:
    """Return an index as numpy takes it."""
    found = forms.operand(value, state, limit=200_000)
    if found is None:
        return None
    return found if _is_index(found.object) else None


def _is_index(key: Any) -> bool:
    if type(key) is tuple:
        return all(_is_index(each) for each in key)
    return not safe.one_of(type(key), (dict, set, frozenset, range, bytes)) or type(key) is bytes


def _is_large_key(key: Any) -> bool:
    return forms.size_of(key) > 200_000


def is_basic_index(key: object) -> bool:
    """Whether numpy indexes by `key` without copying: exact ints, slices, None, Ellipsis or a tuple of them.

    Source: the numpy user guide, "Indexing on ndarrays", basic indexing.
    """
    if type(key) is tuple:
        return all(type(each) is not tuple and is_basic_index(each) for each in key)
    if type(key) is slice:
        return all(type(each) in (int, type(None)) for each in (key.start, key.stop, key.step))
    if forms.is_scalar(key):
        return bool(key.dtype.kind in "iu")  # type: ignore[attr-defined]
    return type(key) is int or key is None or key is Ellipsis


def _basic(site: SubscriptSite, form: Any, key: Any, state: State) -> Value | Finding | None:
    """Basic indexing makes a view, or reads one element."""
    real = type(site.owner) is Known and form is site.owner.object
    try:
        found = form[key]
    except (IndexError, ValueError) as error:
        return _outside(site, form, error, state)
    if real and tensors.is_ndarray(found):
        return Known(found, level=state.level(site.owner))
    if state.live(site.owner) is form:
        array: Any = form
        if array.dtype.kind == "O":
            return of_element(found, None, state.level(site.owner))
        return Known(found, level=state.level(site.owner)) if forms.is_scalar(found) else UNKNOWN
    return Like(found) if forms.is_numpy(found) else UNKNOWN


def _outside(site: SubscriptSite, form: Any, error: Exception, state: State) -> Finding:
    from ..words import of_python

    asked = state.level(site.key)
    path = getattr(site.owner, "path", None)
    return Finding(
        rule="arrays.index-outside",
        type=safe.class_name(type(error)),
        message=of_python(error, asked, asked),
        because=words("{} has shape {}", named(path or "it"), counted(forms.shape_of(form))),
        crash_type="index error",
        library="numpy",
        probe=None if path is None else ("array", {"path": path}),
        asked=asked,
    )


def _consumed(key: Any) -> int | None:
    """Return how many axes an index takes, from the left; None if that is not told by its parts alone."""
    parts = key if type(key) is tuple else (key,)
    count = 0
    for each in parts:
        if each is Ellipsis:
            return None
        if each is None:
            continue
        if type(each) is bool or (forms.is_scalar(each) and each.dtype.kind == "b"):
            return None
        kind = getattr(each, "dtype", None) if tensors.is_ndarray(each) else None
        if kind is None and safe.one_of(type(each), (list, tuple)):
            flat = each
            while safe.one_of(type(flat), (list, tuple)) and len(flat):
                flat = flat[0]
            if type(flat) is bool or forms.is_scalar(flat):
                return None
        count += int(each.ndim) if kind is not None and kind.kind == "b" else 1
    return count


def _holder(form: Any, key: Any) -> tuple[Any, tuple[int, ...]]:
    """Return an array with the axes that an index takes, and the lengths of the others."""
    shape = forms.shape_of(form)
    count = _consumed(key)
    if count is None or count > len(shape):
        return forms.stand_in(shape, form.dtype if form.dtype.kind != "O" else _int8()), ()
    return forms.stand_in(shape[:count], _int8()), shape[count:]


def _int8() -> Any:
    return safe.loaded("numpy").dtype("i1")


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size


def _result_is_small(form: Any, key: Any) -> bool:
    _, rest = _holder(form, key)
    parts = key if type(key) is tuple else (key,)
    size = 1
    for each in parts:
        if type(each) is slice or each is Ellipsis:
            size *= max(forms.shape_of(form) or (1,))
        else:
            size = max(size, 1) * max(forms.size_of(each), 1)
    if not rest and _consumed(key) is None:
        return int(form.size) <= forms.MAX_CONTENT
    return size * _product(rest) <= forms.MAX_CONTENT


def _advanced(site: SubscriptSite, form: Any, key: forms.Operand, state: State) -> Value | Finding | None:
    """An index that copies: by what it takes of the axes."""
    masks = _masks(key.object)
    numbers = not key.known and not masks
    wanted = _zeroed(key.object) if not key.known else key.object
    if wanted is None or forms.size_of(wanted) > 500_000:
        return _open(site, state)
    holder, rest = _holder(form, wanted)
    # An index of zeros is outside of an axis of length 0; what the numbers are is not known.
    if not rest and _consumed(wanted) is None and form.size > 500_000:
        return _open(site, state)
    if 0 in holder.shape and not key.known:
        return _open(site, state)
    parts = wanted if type(wanted) is tuple else (wanted,)
    spans = [_length_of(each, holder.shape, place) for place, each in enumerate(parts)]
    if _product(tuple(spans)) > 500_000:
        return _open(site, state)
    try:
        with running.quiet():
            found = holder[wanted]
    except (IndexError, TypeError, ValueError) as error:
        return _bad_index(site, form, error, state)
    except (MemoryError, RecursionError, OverflowError):
        return None
    if numbers:
        state.may_raise(site.node, "an index may be outside the array")
    shape = (*forms.shape_of(found), *rest)
    if masks and not key.known:
        return Like(forms.stand_in((0,) * len(shape), form.dtype), frozenset([DTYPE]))
    if not shape and form.dtype.kind != "O":
        return Like(forms.stand_in((), form.dtype)[()])
    return forms.like(shape, form.dtype)


def _length_of(part: Any, shape: tuple[int, ...], place: int) -> int:
    if type(part) is slice:
        return shape[place] if place < len(shape) else 1
    return max(1, forms.size_of(part)) if tensors.is_ndarray(part) or safe.one_of(type(part), (list, tuple)) else 1


def _bad_index(site: SubscriptSite, form: Any, error: Exception, state: State) -> Finding:
    path = getattr(site.owner, "path", None)
    found = running.crash(error, LIBRARY, state.level(site.key), "index error", "")
    return found._replace(
        rule="arrays.index-outside",
        because=words("{} has shape {}", named(path or "it"), counted(forms.shape_of(form))),
        probe=None if path is None else ("array", {"path": path}),
    )


def _masks(key: Any) -> bool:
    """Whether an index has a part of truths: how long the result is depends on them."""
    parts = key if type(key) is tuple else (key,)
    return any(tensors.is_ndarray(each) and each.dtype.kind == "b" for each in parts) or any(
        safe.one_of(type(each), (list, tuple)) and any(type(inner) is bool for inner in each) for each in parts
    )


def _zeroed(key: Any) -> Any:
    """Return an index of the same structure that is inside every axis; None if it is no index by its dtype alone."""
    numpy: Any = safe.loaded("numpy")
    if type(key) is tuple:
        parts = tuple(_zeroed(each) for each in key)
        return None if any(each is None and other is not None for each, other in zip(parts, key)) else parts
    if tensors.is_ndarray(key):
        if key.size > 200_000:
            return None
        return numpy.zeros(key.shape, key.dtype) if key.dtype.kind in "iub" else numpy.ones(key.shape, key.dtype)
    if forms.is_scalar(key):
        return 0 if key.dtype.kind in "iu" else key
    if type(key) is list or type(key) is bool:
        return None
    return 0 if type(key) is int else key


def _item_of_flat(site: SubscriptSite, state: State) -> Value | Finding | None:
    """``array.flat[1]``."""
    owner: Any = state.live(site.owner)
    key = state.live(site.key)
    array = None if owner is safe.ABSENT else state.live(Known(owner.base))
    if type(key) is not int or array is safe.ABSENT or array is None:
        return None
    level = state.level(site.key)
    return running.content(lambda: array.flat[key], LIBRARY, level, "index error", of_element)  # type: ignore[attr-defined]


def _item_of_scalar(site: SubscriptSite, form: Any, state: State) -> Value | Finding | None:
    """A number of numpy's has no items."""
    key = _key(site.key, state)
    if form.dtype.kind not in "biufcmM" or key is None or not key.known or not is_basic_index(key.object):
        return None
    answer = running.content(lambda: form[key.object], LIBRARY, state.level(site.key), "index error")
    return answer if isinstance(answer, Finding) else None


def _item_of_sequence(site: SubscriptSite, state: State) -> Value | Finding | None:
    """``list[np.int64(1)]`` reads the element; ``list[array]`` does not."""
    owner: Any = state.live(site.owner)
    key = forms.operand(site.key, state)
    if key is None or not forms.is_numpy(key.object):
        return None
    if type(owner) is dict and safe.has_plain_keys(owner, 5000) and key.known and forms.is_scalar(key.object):
        return _sequence_crash(owner, key.object, site, state)
    if not safe.one_of(type(owner), (list, tuple, str, range)):
        return None
    if not key.known:
        if (forms.is_array(key.object) and key.object.size != 1) or key.object.dtype.kind not in "iub":
            return _sequence_crash(owner, forms.filled(forms.shape_of(key.object), key.object.dtype), site, state)
        state.may_raise(site.node, "an index may be outside the sequence")
        return UNKNOWN
    return _sequence_crash(owner, key.object, site, state)


def _sequence_crash(owner: Any, key: Any, site: SubscriptSite, state: State) -> Value | Finding | None:
    if key is None:
        return None
    level = state.level(site.owner, site.key)
    return running.content(
        lambda: owner[key], "python", level, "index error", lambda found: of_element(found, None, level)
    )


# -- stores ------------------------------------------------------------------------------------------------------------


def store_item(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``array[key] = value``: numbers change, the structure stays."""
    form = state.form(site.owner)
    if forms.is_scalar(form) and form.dtype.kind != "V":
        kind = "numpy." + safe.class_name(type(form))
        error = TypeError("{!r} object does not support item assignment".format(kind))
        return running.crash(error, "python", SCHEMA, "type error", "a number has no items")
    if not tensors.is_ndarray(form):
        return _store_in_list(site, value, state)
    knows = state.knows(site.owner)
    key = _key(site.key, state)
    array: Any = form
    if form.dtype.kind not in forms.KINDS or key is None or not knows.issuperset((SHAPE, DTYPE)):
        return _store_open(site, value, state) if form.dtype.names is None else None
    locked = type(site.owner) is Known and form is site.owner.object and not array.flags.writeable
    if not array.flags.writeable and not locked:
        state.may_raise(site.node, "the array may be read-only")
    target = _target(form, key)
    stored = forms.operand(value, state)
    if target is None or stored is None:
        return _index_alone(site, form, key, state) or _store_open(site, value, state)
    held, wanted = target
    if not key.known and not _masks(key.object):
        state.may_raise(site.node, "an index may be outside the array")
    if held is None:
        return _store_open(site, value, state)
    if not stored.known and tensors.is_ndarray(stored.object) and stored.object.size > forms.MAX_CONTENT * 5:
        return _store_open(site, value, state)
    content = stored.object if stored.known else array_functions._materialized(stored.object)
    held.flags.writeable = not locked
    if _masks(key.object) and not key.known and tensors.is_ndarray(content) and content.ndim and content.size != 1:
        return _store_open(site, value, state)
    if not stored.known and stored.object is not None and not _casts(stored.object, form.dtype):
        state.may_raise(site.node, "a value may not be converted")
        content = 0 if not tensors.is_ndarray(content) else forms.filled(content.shape, form.dtype)

    def compute() -> Any:
        held[wanted] = content

    level = state.level(site.key, value)
    answer = running.content(compute, LIBRARY, level, "", lambda found: Known(None))
    if isinstance(answer, Finding):
        path = getattr(site.owner, "path", None)
        kind = (
            "index error"
            if answer.type == "IndexError"
            else "tensor shape mismatch"
            if "broadcast" in str(answer.message)
            else answer.crash_type
        )
        return answer._replace(
            crash_type=kind,
            because=words(
                "{} has shape {} and dtype {}",
                named(path or "it"),
                counted(forms.shape_of(form)),
                named(str(form.dtype)),
            ),
            probe=None if path is None else ("array", {"path": path}),
        )
    if answer is None:
        return _store_open(site, value, state)
    state.content_changed(site.owner)
    return Known(None)


def _store_in_list(site: SubscriptSite, value: Value, state: State) -> Value | None:
    """``list[np.int64(1)] = value``."""
    owner: Any = state.live(site.owner)
    key: Any = state.live(site.key)
    if type(owner) is not list or not forms.is_scalar(key) or key.dtype.kind not in "iu":
        return None
    place = int(key)
    copy: Any = state.writable(site.owner) if -len(owner) <= place < len(owner) else safe.ABSENT
    if copy is safe.ABSENT:
        return None
    copy[place] = as_element(value)
    return Known(None)


def _index_alone(site: SubscriptSite, form: Any, key: forms.Operand, state: State) -> Finding | None:
    """Return the crash of an index that no value can be stored at.

    The index is looked at before the value. Source: numpy, `core/src/multiarray/mapping.c`, `array_assign_subscript`.
    """
    if not key.known or not (safe.one_of(type(key.object), (str, bytes, float)) or is_basic_index(key.object)):
        return None
    array = forms.stand_in(forms.shape_of(form), form.dtype)
    level = state.level(site.key)
    found = running.content(lambda: array[key.object], LIBRARY, level, "index error", lambda part: Known(None))
    return found if isinstance(found, Finding) else None


def _store_open(site: SubscriptSite, value: Value, state: State) -> Value | None:
    if _may_run_code(value, state) or _may_run_code(site.key, state):
        return None
    state.may_raise(site.node, "the value may not fit the array")
    state.content_changed(site.owner)
    return Known(None)


def _may_run_code(value: Value, state: State) -> bool:
    return array_functions._may_run_code(value, state)


def _casts(stored: Any, dtype: Any) -> bool:
    """Whether a value of unknown content is certain to be converted to a dtype."""
    kind = stored.dtype.kind if forms.is_numpy(stored) else "i" if type(stored) is int else "f"
    if not forms.shape_of(stored) and dtype.kind in "iu":
        # NaN is no integer, and a large integer does not fit a small dtype.
        return kind == "b" or (kind in "iu" and dtype.itemsize == 8 and dtype.kind == "i")
    return (kind in "biuf" and dtype.kind in "biufc") or kind == dtype.kind


def _target(form: Any, key: forms.Operand) -> tuple[Any, Any] | None:
    """Return an array to store into with the same index, and that index; the array is None if it would be large."""
    numpy: Any = safe.loaded("numpy")
    wanted = key.object if key.known else _zeroed(key.object)
    if wanted is None and key.object is not None:
        return None
    if not key.known and 0 in forms.shape_of(form):
        return None
    if form.size <= forms.MAX_CONTENT * 5:
        return numpy.zeros(form.shape, form.dtype), wanted
    # A large array: one that has a single element in memory, if few elements are stored.
    parts = wanted if type(wanted) is tuple else (wanted,)
    view = forms.stand_in(forms.shape_of(form), form.dtype)
    if is_basic_index(wanted):
        try:
            size = view[wanted].size
        except (IndexError, ValueError):
            size = 0
        return (view if size <= 500_000 else None), wanted
    count = _consumed(wanted)
    if count is None:
        return None, wanted
    spans = [_length_of(each, forms.shape_of(form), place) for place, each in enumerate(parts)]
    size = _product(tuple(spans)) * _product(forms.shape_of(form)[count:])
    masks = _masks(wanted)
    small = (size <= 500_000) if not masks else form.size <= 500_000
    return (view if small else None), wanted


# -- operators ---------------------------------------------------------------------------------------------------------


def binary(site: OperatorSite, state: State) -> Value | Finding | None:
    """Compute ``left op right`` with an array or scalar on one side; with `in_place` change the left one."""
    run = operations.BINARY.get(type(site.op))
    operands = _operands(site.left, site.right, state)
    if run is None or operands is None:
        return None
    left, right = operands
    if site.in_place and tensors.is_ndarray(left.object):
        return _in_place(site, run, left, right, state)
    if type(left.object) is str and type(site.op) is ast.Mod:
        return None
    if _repeats(left, right):
        return _repeated(run, left, right, site, state)
    return _elementwise(run, left, right, site, state)


def _operands(left: Value, right: Value, state: State) -> tuple[forms.Operand, forms.Operand] | None:
    found = [forms.operand(each, state) for each in (left, right)]
    a, b = found
    if a is None or b is None:
        return None
    if not any(forms.is_numpy(each.object) or forms.is_of_scalars(each.object) for each in (a, b)):
        return None
    allowed = (*safe.SCALARS, list, tuple, type(None))
    for each in (a, b):
        if not (
            forms.is_numpy(each.object) or forms.is_of_scalars(each.object) or safe.one_of(type(each.object), allowed)
        ):
            return None
    return a, b


def _repeats(left: forms.Operand, right: forms.Operand) -> bool:
    """Whether a list, tuple or text meets a scalar of numpy's: ``[0] * n`` repeats."""
    pair = (left.object, right.object)
    return any(safe.one_of(type(each), (list, tuple, str, bytes)) for each in pair) and any(
        forms.is_scalar(each) for each in pair
    )


def _repeated(
    run: Any, left: forms.Operand, right: forms.Operand, site: OperatorSite, state: State
) -> Value | Finding | None:
    if not (left.known and right.known):
        state.may_raise(site.node, "an operator on a sequence and a number")
        return UNKNOWN
    count = next(each for each in (left.object, right.object) if forms.is_scalar(each))
    other = left.object if count is right.object else right.object
    if count.dtype.kind in "iu" and len(other) * abs(int(count)) > 10_000:
        state.may_raise(site.node, "a large value")
        return UNKNOWN
    return running.content(lambda: run(left.object, right.object), LIBRARY, state.level(site.left, site.right))


def _elementwise(
    run: Any, left: forms.Operand, right: forms.Operand, site: Any, state: State
) -> Value | Finding | None:
    values = [site.left, site.right]
    question = array_functions.Question(_NAMES.get(run, "add"), run, [left, right], {}, values)
    if question.known and (question.size <= array_functions.MAX_PRODUCT or _is_even(left.object, right.object)):
        answer = running.content(
            question.run, LIBRARY, state.level(*values), "", lambda found: _checked(found, site, state)
        )
        if answer is None:
            return None
    else:
        if any(tensors.is_ndarray(each.object) and each.object.dtype.kind == "O" for each in (left, right)):
            state.may_raise(site.node, "an operator on objects")
            return UNKNOWN
        kinds = [each.object.dtype.kind for each in (left, right) if forms.is_numpy(each.object)]
        if (
            run is operator.pow
            and all(kind in "iub" for kind in kinds)
            and not (right.known and not tensors.is_ndarray(right.object))
        ):
            state.may_raise(site.node, "a power may be negative")
        if any(not each.known and type(each.object) is int for each in (left, right)) and set(kinds) & set("iu"):
            state.may_raise(site.node, "a number may not fit the dtype")
        answer = array_functions._by_structure(question, "numpy", True, False, site, state)
        if answer is None:
            state.may_raise(site.node, "an operator on an array")
            return UNKNOWN
    if isinstance(answer, Finding):
        return _of_operands(answer, left, right)
    return answer


_NAMES = {operator.matmul: "matmul", operator.pow: "pow"}


def _is_even(left: Any, right: Any) -> bool:
    """Whether the result has no more elements than the larger operand."""
    a, b = forms.shape_of(left), forms.shape_of(right)
    plain = all(forms.is_numpy(each) or safe.one_of(type(each), safe.SCALARS) for each in (left, right))
    return plain and (a == b or not a or not b) and max(_product(a), _product(b)) <= forms.MAX_CONTENT


def _checked(found: Any, site: Any, state: State) -> Value:
    if forms.sees_errors(state):
        state.may_raise(site.node, "numpy may raise where it would warn")
    return Known(found, level=state.level(site.left, site.right))


def _of_operands(finding: Finding, left: forms.Operand, right: forms.Operand) -> Finding:
    facts = []
    for each in (left.object, right.object):
        if tensors.is_ndarray(each):
            facts.append("an array of shape {} and dtype {}".format(forms.shape_of(each), each.dtype))
        else:
            facts.append("a {}".format(safe.class_name(type(each))))
    shapes = "broadcast" in finding.message.at("values") or "mismatch" in finding.message.at("values")
    return finding._replace(
        because=words("one is {}, the other {}", counted(_Text(facts[0])), counted(_Text(facts[1]))),
        crash_type="tensor shape mismatch" if shapes else finding.crash_type,
    )


def _Text(text: str) -> str:
    return text


def _in_place(
    site: OperatorSite, run: Any, left: forms.Operand, right: forms.Operand, state: State
) -> Value | Finding | None:
    """``array op= value``."""
    array = left.object
    if not forms.is_array(array):
        return None
    if not array.flags.writeable:
        if type(site.left) is not Known or array is not site.left.object:
            state.may_raise(site.node, "the array may be read-only")
        else:
            return _change_of_locked(operations.IN_PLACE[type(site.op)], array, right, site, state)
    operate = operations.IN_PLACE[type(site.op)]
    question = array_functions.Question(
        "iadd", operate, [forms.Operand(array, False), right], {}, [site.left, site.right]
    )
    if run is operator.pow and array.dtype.kind in "iu":
        state.may_raise(site.node, "a power may be negative")
    if not right.known and not forms.shape_of(right.object) and array.dtype.kind in "iuf":
        state.may_raise(site.node, "a number may not fit the dtype")
    answer = array_functions._by_structure(question, "numpy", True, False, site, state)
    if isinstance(answer, Finding):
        return _of_operands(answer, left, right)
    if answer is None:
        state.may_raise(site.node, "an operator on an array")
    state.content_changed(site.left)
    return site.left


def _change_of_locked(
    operate: Any, array: Any, right: forms.Operand, site: OperatorSite, state: State
) -> Value | Finding:
    """``array op= value`` of an array that is read-only."""
    if array.size <= forms.MAX_CONTENT and (right.known or tensors.is_ndarray(right.object)):
        copy = safe.loaded("numpy").zeros(array.shape, array.dtype)
        copy.flags.writeable = False
        handed = right.object if right.known else array_functions._materialized(right.object)
        answer = running.content(lambda: operate(copy, handed), LIBRARY, SCHEMA, "")
        if isinstance(answer, Finding):
            return answer._replace(because=words("its flag `writeable` is off"))
    state.may_raise(site.node, "the array is read-only")
    return site.left


def unary(site: UnarySite, state: State) -> Value | Finding | None:
    """Compute ``-array`` and its like."""
    found = forms.operand(site.operand, state)
    run = operations.UNARY.get(type(site.op))
    if found is None or run is None or not (forms.is_numpy(found.object) or forms.is_of_scalars(found.object)):
        return None
    if found.known:
        return running.content(lambda: run(found.object), LIBRARY, state.level(site.operand))
    question = array_functions.Question("negative", run, [found], {}, [site.operand])
    return array_functions._by_structure(question, "numpy", True, False, site, state)


def compare(site: CompareSite, state: State) -> Value | Finding | None:
    """Compute ``left op right``, elementwise; or whether an array holds a value."""
    run = operations.COMPARISONS.get(type(site.op))
    if run is None:
        return None
    operands = _operands(site.left, site.right, state)
    if operands is None:
        return _compare_open(site, state)
    left, right = operands
    if isinstance(site.op, (ast.In, ast.NotIn)):
        return _contains(run, left, right, site, state)
    return _elementwise(run, left, right, site, state)


def _compare_open(site: CompareSite, state: State) -> Value | None:
    return None


def _contains(
    run: Any, left: forms.Operand, right: forms.Operand, site: CompareSite, state: State
) -> Value | Finding | None:
    small = max(forms.size_of(left.object), 1) * max(forms.size_of(right.object), 1) <= forms.MAX_CONTENT
    if left.known and right.known and small:
        return running.content(lambda: run(left.object, right.object), LIBRARY, state.level(site.left, site.right))
    numbers = forms.is_array(right.object) and right.object.dtype.kind in forms.NUMBERS and right.object.ndim
    if not numbers or not safe.one_of(type(left.object), (int, float, bool)):
        state.may_raise(site.node, "a comparison of values that are not followed")
    return Made("bool")


# -- one value ---------------------------------------------------------------------------------------------------------


def truth(site: ValueSite, state: State) -> Value | Finding | None:
    """Whether an array or scalar is true: of more than one element numpy does not say."""
    found = forms.operand(site.value, state, limit=2**62)
    if found is None or not forms.is_numpy(found.object):
        form = state.form(site.value)
        if tensors.is_ndarray(form) and form.dtype.names is None and form.size > 1 and SHAPE in state.knows(site.value):
            return _truth_of(forms.stand_in(forms.shape_of(form), _int8()))
        if tensors.is_ndarray(form):
            state.may_raise(site.node, "the truth of an array")
            return Made("bool")
        return None
    if found.known or found.object.size != 1:
        return _truth_of(found.object)
    return Made("bool")


def _truth_of(array: Any) -> Value | Finding | None:
    answer = running.content(lambda: bool(array), LIBRARY, SCHEMA, "value error")
    if isinstance(answer, Finding):
        return answer._replace(because=words("it has shape {}", counted(forms.shape_of(array))))
    return answer


def length(site: ValueSite, state: State) -> Value | Finding | None:
    """The length of the first axis; of a scalar there is none."""
    form = state.form(site.value, SHAPE)
    if forms.is_flat(form):
        return Known(int(form.base.size), level=lowest(state.level(site.value), SCHEMA))
    if tensors.is_ndarray(form):
        if form.dtype.names is None and not form.ndim:
            return running.content(lambda: len(form), "python", SCHEMA, "type error")
        return Known(int(form.shape[0]), level=lowest(state.level(site.value), SCHEMA)) if form.ndim else None
    if forms.is_scalar(form) and form.dtype.kind not in "SU":
        return running.content(lambda: len(form), "python", SCHEMA, "type error")
    form = state.form(site.value)
    if tensors.is_ndarray(form) and form.ndim:
        return Made("number", type=int)
    return None


def text(site: ValueSite, state: State) -> Value | Finding | None:
    """Format an array or a scalar."""
    found = forms.operand(site.value, state)
    if found is None or not forms.is_numpy(found.object):
        form = state.form(site.value)
        if tensors.is_ndarray(form) and not site.text and form.dtype.kind in forms.KINDS:
            return Made("text")
        return None
    if tensors.is_ndarray(found.object):
        if not site.text:
            return _printed(site, state)
        return running.content(
            lambda: format(_small(found.object), site.text), LIBRARY, state.level(site.value), "type error"
        )
    if found.known:
        return running.content(lambda: format(found.object, site.text), LIBRARY, state.level(site.value))
    answer = running.content(lambda: format(found.object, site.text), LIBRARY, state.level(site.value))
    if isinstance(answer, Finding) and found.object.dtype.kind in "fiub":
        return answer
    return Made("text")


def _printed(site: ValueSite, state: State) -> Value:
    """An array's text; the user may have said how numbers are printed."""
    cells = state.shell.user_ns.get("_ih")
    if type(cells) is not list or any(type(each) is not str or "formatter" in each for each in cells):
        state.may_raise(site.node, "the user's code may format it")
    return Made("text")


def _small(array: Any) -> Any:
    return forms.filled((1,) * array.ndim, array.dtype)


def not_iterable(node: ast.AST, value: object) -> Finding | Value | None:
    """Return what Python raises where it iterates over a value that has no elements; unpacking has its own words."""
    if isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Store):
        name = "numpy." + safe.class_name(type(value)) if forms.is_scalar(value) else safe.class_name(type(value))
        error = TypeError("cannot unpack non-iterable {} object".format(name))
        return running.crash(error, "python", SCHEMA, "type error", "it has no elements")
    return running.content(lambda: iter(value), "python", SCHEMA, "type error")  # type: ignore[call-overload]


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Yield the rows of an array."""
    form = state.form(site.value)
    if forms.is_flat(form) and form.base.flags.c_contiguous:
        return iterate(ValueSite(site.node, Known(form.base.reshape(-1), level=state.level(site.value))), state)
    if forms.is_scalar(form) and form.dtype.kind not in "SU" and DTYPE in state.knows(site.value):
        return not_iterable(site.node, form)
    if not tensors.is_ndarray(form) or form.dtype.kind not in forms.KINDS + "O":
        return None
    knows = state.knows(site.value)
    if not knows.issuperset((SHAPE, DTYPE)):
        return Elements([], complete=False) if form.ndim else None
    if not form.ndim:
        return running.content(lambda: iter(form), "python", SCHEMA, "type error")
    real = type(site.value) is Known and form is site.value.object
    live = state.live(site.value) is form
    level = state.level(site.value)
    count = min(len(form), MAX_ROWS)
    complete = count == len(form)
    if not complete:
        count = 3
    rows: list[Value] = []
    for place in range(count):
        row = form[place]
        if tensors.is_ndarray(row):
            rows.append(Known(row, level=level) if real else Like(row))
        elif live:
            rows.append(of_element(row, None, level))
        else:
            rows.append(Like(row) if forms.is_scalar(row) else UNKNOWN)
    return Elements(rows, complete)


HANDLERS: dict[str, list[Any]] = {
    "attribute": [attribute, array_random.attribute],
    "item": [item],
    "store_item": [store_item],
    "operator": [binary],
    "unary": [unary],
    "compare": [compare],
    "truth": [truth],
    "length": [length],
    "format": [text],
    "iterate": [iterate, array_builtins.iterate],
    "call": [array_builtins.call, array_random.call, array_functions.call, array_functions.call_of_method],
}
