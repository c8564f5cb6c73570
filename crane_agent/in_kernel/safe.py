"""The only functions that may touch a user's object; none of them runs the user's code.

How that is held:

1. A type is decided by identity, ``type(x) is T``, with ``T`` taken from `sys.modules` and never imported. `isinstance`
   is out: it consults ``__class__``, which an object may fake.
2. Attributes are found the way `object.__getattribute__` finds them, but on the dictionaries themselves. A
   descriptor is resolved only if it is a function, a slot or a C method; a property is refused.
3. Dictionaries with foreign keys are never hashed into: a key's ``__eq__`` could be the user's.
4. What cannot be told raises `Refused`; what is certainly not there is `ABSENT`.

Sources: the Python language reference, "Data model", 3.3.2 (attribute access) and 3.3.2.4 (invoking descriptors).
"""

from __future__ import annotations

import sys
import time
import types
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple


class Refused(Exception):
    """A question that cannot be answered safely; the reason is an answer the asker can act on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()

WrapperDescriptorType = type(object.__init__)
MethodDescriptorType = type(str.join)
ClassMethodDescriptorType = type(dict.__dict__["fromkeys"])
MemberDescriptorType = types.MemberDescriptorType
GetSetDescriptorType = types.GetSetDescriptorType
BuiltinFunctionType = type(len)

SCALARS = (int, float, bool, str, bytes, complex, type(None))
CONTAINERS = (list, tuple, dict, set, frozenset)


def one_of(kind: type, kinds: Iterable[type]) -> bool:
    """Whether `kind` is one of `kinds`, by identity: ``in`` would ask the user's metaclass for equality."""
    return any(kind is each for each in kinds)


_MRO = type.__dict__["__mro__"].__get__
_CLASS_DICT = type.__dict__["__dict__"].__get__
_NAME = type.__dict__["__name__"].__get__
_QUALNAME = type.__dict__["__qualname__"].__get__
_MODULE: Any = type.__dict__["__module__"].__get__
_OBJECT_GETATTRIBUTE: object = object.__dict__["__getattribute__"]
_MODULE_GETATTRIBUTE: object = vars(types.ModuleType)["__getattribute__"]
_TYPE_GETATTRIBUTE = type.__dict__["__getattribute__"]


class Budget:
    """What one question may cost.

    Attributes:
        items: Things listed before an answer is truncated.
    """

    def __init__(self, seconds: float, items: int) -> None:
        self.items = items
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise Refused once the time is over; time never truncates an answer."""
        if time.monotonic() > self._end:
            raise Refused("could not look, because the limit of {:g} s passed".format(self._seconds))


def mro(cls: type) -> Tuple[type, ...]:
    """Return the classes that `cls` inherits from, itself first, without asking its metaclass."""
    return _MRO(cls)  # type: ignore[no-any-return]


def class_dict(cls: type) -> Any:
    """Return the dictionary of a class, read-only, without asking its metaclass."""
    return _CLASS_DICT(cls)


def class_name(cls: type) -> str:
    """Return the bare name of a class, as an AttributeError shows it."""
    return str(_NAME(cls))


def type_name(value: object) -> str:
    """Return the type of `value` as ``package.Class``; built-ins without the package."""
    return qualified_name(type(value))


def qualified_name(cls: type) -> str:
    """Return a class as ``module.Class``; built-ins without the module."""
    module = class_module(cls)
    name = _QUALNAME(cls)
    return name if module in ("builtins", "") else "{}.{}".format(module, name)


def class_module(cls: type) -> str:
    """Return the name of the module that a class says it is from, or ''."""
    try:
        module = _MODULE(cls)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def in_type(cls: type, name: str) -> object:
    """Return what the classes of `cls` hold under `name`, unbound, or ABSENT."""
    for base in mro(cls):
        entries = class_dict(base)
        if name in entries:
            return entries[name]  # type: ignore[no-any-return]
    return ABSENT


def inherits(cls: type, base: Optional[type]) -> bool:
    """Whether `base` is among the classes of `cls`, by identity."""
    return base is not None and any(each is base for each in mro(cls))


def instance_dict(value: object) -> Optional[Dict[str, object]]:
    """Return the dictionary of an instance, the live one; None if it has none or hides it."""
    entry = in_type(type(value), "__dict__")
    if not one_of(type(entry), (GetSetDescriptorType, MemberDescriptorType)):
        return None
    try:
        found = entry.__get__(value, type(value))  # type: ignore[attr-defined]
    except AttributeError:
        return None
    return found if type(found) is dict else None


def loaded(module: str, name: Optional[str] = None) -> Any:
    """Return a loaded module, or what it holds under `name`; None if not loaded or not there. Nothing is imported."""
    found = sys.modules.get(module)
    if found is None or not inherits(type(found), types.ModuleType):
        return None
    if name is None:
        return found
    return (instance_dict(found) or {}).get(name)


def is_exactly(value: object, module: str, name: str) -> bool:
    """Whether the type of `value` is the class that the loaded `module` holds as `name`; a subclass is not."""
    cls = loaded(module, name)
    return cls is not None and type(value) is cls


def is_plain(value: object, depth: int = 3, limit: int = 2000) -> bool:
    """Whether `value` is made of exact built-in scalars and containers only: operations on it are Python's own.

    Args:
        value: Anything.
        depth: Levels of containers looked into.
        limit: Elements looked at in all; a longer value is not plain.
    """
    seen = [0]

    def plain(each: Any, left: int) -> bool:
        kind = type(each)
        if one_of(kind, SCALARS):
            return True
        if kind is range or (
            kind is slice and all(one_of(type(e), SCALARS) for e in (each.start, each.stop, each.step))
        ):  # type: ignore[attr-defined]
            return True
        if not one_of(kind, CONTAINERS) or left == 0:
            return False
        seen[0] += len(each)  # type: ignore[arg-type]
        if seen[0] > limit:
            return False
        if kind is dict:
            return all(plain(key, left - 1) and plain(item, left - 1) for key, item in each.items())  # type: ignore[attr-defined]
        return all(plain(item, left - 1) for item in each)  # type: ignore[attr-defined]

    return plain(value, depth)


def has_plain_keys(table: Dict[object, object], limit: int = 200000) -> bool:
    """Whether every key of an exact dict is a built-in scalar or a tuple of them: a look-up runs no user code."""
    if len(table) > limit:
        return False
    kinds = {id(kind): kind for kind in map(type, table)}.values()
    if all(one_of(kind, SCALARS) for kind in kinds):
        return True
    return all(one_of(type(key), SCALARS) or (type(key) is tuple and is_plain(key)) for key in table)


def attribute(value: object, name: str) -> object:
    """Return what ``value.name`` is, without running a property, a ``__getattr__`` or any other code of the user's.

    Returns:
        The attribute, bound if it is a method; ABSENT if Python is certain to raise AttributeError.

    Raises:
        Refused: It is computed by code.
    """
    cls = type(value)
    getattribute = in_type(cls, "__getattribute__")
    if getattribute is _TYPE_GETATTRIBUTE:
        return _class_attribute(value, name)  # type: ignore[arg-type]
    if getattribute is not _OBJECT_GETATTRIBUTE and getattribute is not _MODULE_GETATTRIBUTE:
        raise Refused("could not look, because {} computes its attributes".format(type_name(value)))
    entry = in_type(cls, name)
    if entry is not ABSENT and _is_data_descriptor(entry):
        return _resolve(entry, value, cls, name)
    own = instance_dict(value)
    if own is not None and name in own:
        return own[name]
    if entry is not ABSENT:
        return _resolve(entry, value, cls, name)
    if name in ("__class__", "__dict__") or (own is None and in_type(cls, "__dict__") is not ABSENT):
        raise Refused("could not look, because {} hides its attributes".format(type_name(value)))
    if getattribute is _MODULE_GETATTRIBUTE and own is not None and "__getattr__" in own:
        raise Refused("could not look, because the module computes its attributes")
    if in_type(cls, "__getattr__") is not ABSENT:
        return _module_of_torch(value, own, name)
    return ABSENT


def _module_of_torch(value: object, own: Optional[Dict[str, Any]], name: str) -> object:
    """Look where `torch.nn.Module.__getattr__` looks: _parameters, _buffers, _modules, in that order."""
    base = loaded("torch.nn.modules.module", "Module")
    if base is None or in_type(type(value), "__getattr__") is not class_dict(base).get("__getattr__") or own is None:
        raise Refused("could not look, because {} computes its attributes".format(type_name(value)))
    for place in ("_parameters", "_buffers", "_modules"):
        table = own.get(place)
        if inherits(type(table), dict) and dict.__contains__(table, name):
            return dict.get(table, name)
    return ABSENT


def _class_attribute(cls: type, name: str) -> object:
    meta = type(cls)
    on_meta = in_type(meta, name)
    if on_meta is not ABSENT and _is_data_descriptor(on_meta):
        if meta is type or name in (
            "__name__",
            "__qualname__",
            "__module__",
            "__dict__",
            "__mro__",
            "__bases__",
        ):
            return on_meta.__get__(cls, meta)  # type: ignore[attr-defined]
        raise Refused("could not look, because the metaclass computes it")
    entry = in_type(cls, name)
    if entry is not ABSENT:
        if one_of(type(entry), (types.FunctionType, MethodDescriptorType, WrapperDescriptorType)):
            return entry
        return _resolve(entry, None, cls, name)
    if meta is not type and (on_meta is not ABSENT or in_type(meta, "__getattr__") is not ABSENT):
        raise Refused("could not look, because the metaclass computes it")
    return ABSENT if on_meta is ABSENT else _resolve(on_meta, cls, meta, name)


def _is_data_descriptor(entry: object) -> bool:
    kind = type(entry)
    return in_type(kind, "__set__") is not ABSENT or in_type(kind, "__delete__") is not ABSENT


def _resolve(entry: object, value: object, cls: type, name: str) -> object:
    kind = type(entry)
    if kind is types.FunctionType:
        return types.MethodType(entry, value)  # type: ignore[arg-type]
    if kind is staticmethod:
        return entry.__func__  # type: ignore[attr-defined]
    if kind is classmethod:
        return types.MethodType(entry.__func__, cls)  # type: ignore[attr-defined]
    if one_of(kind, (MethodDescriptorType, WrapperDescriptorType)):
        return entry.__get__(value, cls)  # type: ignore[attr-defined]
    if kind is ClassMethodDescriptorType:
        return entry.__get__(None, cls)  # type: ignore[attr-defined]
    if kind is MemberDescriptorType:
        if value is None:
            return entry
        try:
            return entry.__get__(value, cls)  # type: ignore[attr-defined]
        except AttributeError:
            return ABSENT
    if kind is GetSetDescriptorType and value is not None and _is_known_getset(cls, name):
        return entry.__get__(value, cls)  # type: ignore[attr-defined]
    if in_type(kind, "__get__") is ABSENT:
        return entry
    raise Refused("could not look, because {}.{} is computed by code".format(class_name(cls), name))


# C-level attributes that only read a field of the object. Sources: the numpy reference, "The N-dimensional array";
# the torch reference, "Tensor attributes".
_GETSETS = {
    ("numpy", "ndarray"): frozenset(["shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"]),
    ("torch", "Tensor"): frozenset(["shape", "dtype", "device", "ndim", "requires_grad", "is_leaf", "layout"]),
}
_BUILTIN_TYPES_WITH_PLAIN_GETSETS = (
    types.FunctionType,
    types.MethodType,
    BuiltinFunctionType,
    int,
    float,
    complex,
    slice,
    range,
)


def _is_known_getset(cls: type, name: str) -> bool:
    if one_of(cls, _BUILTIN_TYPES_WITH_PLAIN_GETSETS):
        return True
    return any(name in names and loaded(module, owner) is cls for (module, owner), names in _GETSETS.items())


def comes_from(function: object, package: str) -> bool:
    """Whether an exact Python function was defined in a module of `package` (a wrapper counts by its own module)."""
    if type(function) is not types.FunctionType:
        return False
    home = function.__globals__.get("__name__")
    return type(home) is str and (home == package or home.startswith(package + "."))


def text(value: object, limit: int = 200) -> str:
    """Return the text of an exact built-in scalar, cut at `limit` characters; '' for anything else."""
    if type(value) not in SCALARS:
        return ""
    if type(value) is str and len(value) > limit:
        return value[:limit]
    return str(value)[:limit]


def labels(index: object, limit: int) -> Optional[List[object]]:
    """Return the labels of a pandas Index as a list of exact built-in values; None if it holds anything else.

    Touches: the index's iterator only, so none of its caches is filled.
    """
    if len(index) > limit:  # type: ignore[arg-type]
        return None
    found = [_builtin(each) for each in _iterate(index)]
    return None if any(each is ABSENT for each in found) else found


def _iterate(index: object) -> Iterator[object]:
    return iter(index)  # type: ignore[call-overload, no-any-return]


def _builtin(label: object) -> object:
    """Return a label as an exact built-in value; numpy's scalars become Python's, which hash and compare alike."""
    kind = type(label)
    if one_of(kind, SCALARS) or (kind is tuple and is_plain(label)):
        return label
    generic = loaded("numpy", "generic")
    if generic is not None and inherits(kind, generic) and class_module(kind) == "numpy":
        plain = label.item()  # type: ignore[attr-defined]
        return plain if one_of(type(plain), SCALARS) else ABSENT
    return ABSENT
