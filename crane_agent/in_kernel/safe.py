"""The only functions that may touch a user's object; none of them runs the user's code.

How that is held:

1. A type is decided by identity, ``type(x) is T``, with ``T`` taken from `sys.modules` and never imported. `isinstance`
   is out: it consults ``__class__``, which an object may fake; so is ``kind in kinds``, which asks the metaclass.
2. Attributes are found the way `object.__getattribute__` finds them, but on the dictionaries themselves. A
   descriptor is resolved only if it is a function, a slot or a C method; a property is refused.
3. Dictionaries with foreign keys are never hashed into: a key's ``__eq__`` could be the user's.
4. A container that the user's cell may be changing meanwhile is copied in one step of C code, then looked at.
5. What cannot be told raises `Refused`; what is certainly not there is `ABSENT`.

Rule 3 would make every look-up as slow as the table is long. `keeps_texts` therefore tells by the size of a
dictionary in memory where this Python allows it, and a class is scanned once in a question.

Sources: the Python language reference, "Data model", 3.3.2 (attribute access) and 3.3.2.4 (invoking descriptors).
"""

from __future__ import annotations

import collections
import functools
import operator
import sys
import time
import types
import weakref
from itertools import islice, repeat
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from . import privacy


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
_BASICSIZE: Any = type.__dict__["__basicsize__"].__get__
_FLAGS: Any = type.__dict__["__flags__"].__get__
_MODULE_GETATTRIBUTE: object = vars(types.ModuleType)["__getattribute__"]
_TYPE_GETATTRIBUTE = type.__dict__["__getattribute__"]

# Types in C that have an entry of their own for the search that `object` does. A test compares the C pointers.
_SEARCHED_LIKE_OBJECT: Tuple[Any, ...] = (
    *(object, BaseException, int, float, complex, str, bytes, bytearray, memoryview, range, slice, property),
    *(list, tuple, dict, set, frozenset, collections.OrderedDict, collections.defaultdict, collections.deque),
    *(types.FunctionType, BuiltinFunctionType, types.GeneratorType, types.CodeType, types.SimpleNamespace),
    functools.partial,
)
_GENERIC_GETATTRIBUTES = [
    vars(each)["__getattribute__"] for each in _SEARCHED_LIKE_OBJECT if "__getattribute__" in vars(each)
]


class _Example(NamedTuple):
    field: int


_TupleFieldType = type(vars(_Example)["field"])


class _Scanned:
    """The classes whose keys were found to be texts, by id; held, so that no other class gets the id meanwhile.

    Only what a class got when it was made can be of another type: what is set later is turned into an exact str. So a
    class need not be scanned again. It must not be kept alive by us, though: this dies with the question.
    """

    def __init__(self) -> None:
        self.classes: Dict[int, type] = {}


_latest: List[Any] = [lambda: None]


class Budget:
    """What one question may cost, and what its answer may show.

    Attributes:
        items: Things listed before an answer is truncated.
        level: The privacy level, see `privacy.LEVELS`.
        proof: What proves the answer and is above the level, e.g. the value that a cast rejects: for the user's own
            output, never for a model, a file or a log. JSON values.
    """

    def __init__(self, seconds: float, items: int, level: str = privacy.SCHEMA) -> None:
        self.items = items
        self.level = level
        self.proof: Dict[str, Any] = {}
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._scanned = _Scanned()
        _latest[0] = weakref.ref(self._scanned)

    def shows(self, level: str) -> bool:
        """Whether what needs `level` may be in the answer; it would be withheld anyway."""
        return privacy.LEVELS.index(level) <= privacy.LEVELS.index(self.level)

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


def class_flags(cls: type) -> int:
    """Return the flags of a class, without asking its metaclass. Source: the Python/C API reference, `tp_flags`."""
    return int(_FLAGS(cls))


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


def only_texts(table: Iterable[object]) -> bool:
    """Whether every key of a dictionary, or element of a list, is exactly a str: then a look-up runs no user code."""
    return all(map(operator.is_, map(type, table), repeat(str)))


def _keys_size(table: Dict[Any, Any]) -> int:
    """Return the size of the part of a dictionary in memory that holds its keys [bytes]."""
    return dict.__sizeof__(table) - int(_BASICSIZE(type(table)))


def _sizes_with_texts() -> FrozenSet[int]:
    """Return the sizes that the part with the keys has only if every key is exactly a str; empty if there are none.

    Since Python 3.11 a dictionary that was never given another key leaves the hashes out, since a str knows its own:
    16 bytes an entry, not 24. It has room for two thirds of a power of two, and an index of that power.
    Source: CPython, `Objects/dictobject.c`, _PyDict_KeysSize and new_keys_object.
    """
    powers = range(3, 40)
    rooms = [(1 << power, 1 if power < 8 else 2 if power < 16 else 4 if power < 32 else 8) for power in powers]
    head = _keys_size({"a": 1}) - 8 - 5 * 16
    texts = frozenset(head + places * width + (2 * places // 3) * 16 for places, width in rooms)
    others = frozenset(head + places * width + (2 * places // 3) * 24 for places, width in rooms)
    # Whether this Python is one that does so.
    holds = head > 0 and _keys_size({1: 1}) in others and _keys_size({"a": 1, 1: 1}) in others and not texts & others
    return texts | {0} if holds else frozenset()


_SIZES_WITH_TEXTS = _sizes_with_texts()


def keeps_texts(table: Dict[Any, Any]) -> bool:
    """Whether every key of a dictionary is exactly a str, as `only_texts`, but mostly at a glance.

    Args:
        table: A dict; of a subclass the keys are read past its methods.
    """
    return _keys_size(table) in _SIZES_WITH_TEXTS or only_texts(list(dict.keys(table)))


def entries(cls: type) -> List[Tuple[str, Any]]:
    """Return what a class itself holds, by name; what has another key than a text is left out."""
    # Not a copy: that would hash the keys.
    return [(name, entry) for name, entry in list(class_dict(cls).items()) if type(name) is str]


def in_type(cls: type, name: str) -> object:
    """Return what the classes of `cls` hold under `name`, unbound, or ABSENT.

    Raises:
        Refused: A class has keys that are no texts.
    """
    scanned = _latest[0]()
    for base in mro(cls):
        own = class_dict(base)
        if scanned is None or id(base) not in scanned.classes:
            if not only_texts(own):
                raise Refused("could not look, because {} computes its attributes".format(class_name(cls)))
            if scanned is not None:
                scanned.classes[id(base)] = base
        if name in own:
            return own[name]
    return ABSENT


def inherits(cls: type, base: Optional[type]) -> bool:
    """Whether `base` is among the classes of `cls`, by identity."""
    return base is not None and any(each is base for each in mro(cls))


def instance_dict(value: object) -> Optional[Dict[str, object]]:
    """Return the dictionary of an instance, the live one; None if it has none, hides it, or has strange keys."""
    entry = in_type(type(value), "__dict__")
    if not one_of(type(entry), (GetSetDescriptorType, MemberDescriptorType)):
        return None
    try:
        found = entry.__get__(value, type(value))  # type: ignore[attr-defined]
    except AttributeError:
        return None
    return found if type(found) is dict and keeps_texts(found) else None


def loaded(module: str, name: Optional[str] = None) -> Any:
    """Return a loaded module, or what it holds under `name`; None if not loaded or not there. Nothing is imported."""
    found = sys.modules.get(module)
    if found is None or not inherits(type(found), types.ModuleType):
        return None
    if name is None:
        return found
    return (instance_dict(found) or {}).get(name)


def is_exactly(value: object, module: str, name: str) -> bool:
    """Whether the type of `value` is the class that the loaded `module` holds as `name`; a subclass is not.

    A class from elsewhere that was put in its place is not it, either.
    """
    cls = loaded(module, name)
    return cls is not None and type(value) is cls and _is_within(class_module(cls), module.partition(".")[0])


def is_from(cls: type, package: str) -> bool:
    """Whether a class is one that a loaded module of `package` holds under the class's own name."""
    module = class_module(cls)
    return _is_within(module, package) and loaded(module, class_name(cls)) is cls


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def first(container: Any, count: int) -> List[Any]:
    """Return the first elements of an exact built-in container; a cell that changes it meanwhile does no harm."""
    return list(islice(container, count))


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
        if one_of(kind, SCALARS) or kind is range:
            return True
        if kind is slice:
            return all(one_of(type(part), SCALARS) for part in (each.start, each.stop, each.step))
        if not one_of(kind, CONTAINERS) or left == 0:
            return False
        seen[0] += len(each)
        if seen[0] > limit:
            return False
        parts = [*list(each), *list(each.values())] if kind is dict else list(each)
        return all(plain(part, left - 1) for part in parts)

    return plain(value, depth)


def has_plain_keys(table: Dict[Any, object], limit: int = 2000000) -> bool:
    """Whether every key is a built-in scalar or a tuple of them: a look-up runs no user code.

    Args:
        table: A dict; of a subclass the keys are read past its methods.
        limit: Keys looked at; more are not plain.
    """
    if dict.__len__(table) > limit:
        return False
    if _keys_size(table) in _SIZES_WITH_TEXTS:
        return True
    keys = list(dict.keys(table))
    if only_texts(keys) or all(map(operator.is_, map(type, keys), repeat(int))):
        return True
    return all(one_of(type(key), SCALARS) or (type(key) is tuple and is_plain(key)) for key in keys)


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
    if getattribute is not _MODULE_GETATTRIBUTE and not _is_generic(getattribute):
        raise Refused("could not look, because {} computes its attributes".format(type_name(value)))
    entry = in_type(cls, name)
    if entry is not ABSENT and _is_data_descriptor(entry):
        found = _resolve(entry, value, cls, name)
        return found if found is not ABSENT else _not_found(value, cls, name)
    own = instance_dict(value)
    if own is None and in_type(cls, "__dict__") is not ABSENT:
        raise Refused("could not look, because {} hides its attributes".format(type_name(value)))
    if own is not None and name in own:
        return own[name]
    return _resolve(entry, value, cls, name) if entry is not ABSENT else _not_found(value, cls, name)


def _is_generic(getattribute: object) -> bool:
    """Whether this ``__getattribute__`` is the search of `object`."""
    if any(getattribute is each for each in _GENERIC_GETATTRIBUTES):
        return True
    array = loaded("numpy", "ndarray")
    return type(array) is type and getattribute is class_dict(array).get("__getattribute__", ABSENT)


def _not_found(value: object, cls: type, name: str) -> object:
    """Return what stands in for an attribute that the search did not find: mostly nothing, ABSENT."""
    if name in ("__class__", "__dict__"):
        raise Refused("could not look, because {} hides its attributes".format(type_name(value)))
    if inherits(cls, types.ModuleType) and "__getattr__" in (instance_dict(value) or {}):
        raise Refused("could not look, because the module computes its attributes")
    if in_type(cls, "__getattr__") is not ABSENT:
        return _module_of_torch(value, instance_dict(value), name)
    return ABSENT


def _module_of_torch(value: object, own: Optional[Dict[str, Any]], name: str) -> object:
    """Look where `torch.nn.Module.__getattr__` looks: _parameters, _buffers, _modules, in that order."""
    base = loaded("torch.nn.modules.module", "Module")
    if base is None or in_type(type(value), "__getattr__") is not class_dict(base).get("__getattr__") or own is None:
        raise Refused("could not look, because {} computes its attributes".format(type_name(value)))
    for place in ("_parameters", "_buffers", "_modules"):
        table: Any = own.get(place)
        if inherits(type(table), dict) and only_texts(dict.keys(table)) and dict.__contains__(table, name):
            return dict.get(table, name)
    return ABSENT


# Attributes that `type` computes by reading a field of the class. Others run code or leave something in the class:
# ``__doc__`` calls descriptors, ``__annotations__`` makes a dictionary.
_FIELDS_OF_CLASSES = ("__name__", "__qualname__", "__module__", "__dict__", "__mro__", "__bases__")


def _class_attribute(cls: type, name: str) -> object:
    meta = type(cls)
    on_meta = in_type(meta, name)
    if on_meta is not ABSENT and _is_data_descriptor(on_meta):
        if name in _FIELDS_OF_CLASSES and on_meta is type.__dict__[name]:
            return on_meta.__get__(cls, meta)
        raise Refused("could not look, because the metaclass computes it")
    entry = in_type(cls, name)
    if entry is not ABSENT:
        return _resolve(entry, None, cls, name)
    if meta is not type and (on_meta is not ABSENT or in_type(meta, "__getattr__") is not ABSENT):
        raise Refused("could not look, because the metaclass computes it")
    return ABSENT if on_meta is ABSENT else _resolve(on_meta, cls, meta, name)


def _is_data_descriptor(entry: object) -> bool:
    kind = type(entry)
    return in_type(kind, "__set__") is not ABSENT or in_type(kind, "__delete__") is not ABSENT


# Descriptors that return themselves when they are asked for on a class.
_THEMSELVES_ON_CLASSES = (
    *(types.FunctionType, property, MethodDescriptorType, WrapperDescriptorType),
    *(MemberDescriptorType, GetSetDescriptorType, _TupleFieldType),
)


def _resolve(entry: Any, value: object, cls: type, name: str) -> object:
    """Return what an entry of a class stands for; `value` is None if the class itself was asked."""
    kind = type(entry)
    if value is None and one_of(kind, _THEMSELVES_ON_CLASSES):
        return entry
    if kind is types.FunctionType:
        return types.MethodType(entry, value)
    if kind is staticmethod:
        return entry.__func__
    if kind is classmethod and type(entry.__func__) is types.FunctionType:
        return types.MethodType(entry.__func__, cls)
    if kind is ClassMethodDescriptorType:
        return entry.__get__(None, cls)
    if one_of(kind, (MethodDescriptorType, WrapperDescriptorType, MemberDescriptorType, _TupleFieldType)) or (
        kind is GetSetDescriptorType and _is_known_getset(cls, name)
    ):
        return _bound(entry, value, cls, name)
    if in_type(kind, "__get__") is ABSENT:
        return entry
    raise Refused("could not look, because {}.{} is computed by code".format(class_name(cls), name))


def _bound(entry: Any, value: object, cls: type, name: str) -> object:
    """Return what a descriptor written in C gives for an instance; ABSENT for an empty slot."""
    try:
        return entry.__get__(value, cls)
    except AttributeError:
        return ABSENT
    except (TypeError, RuntimeError):
        raise Refused("could not look, because {}.{} cannot be read".format(class_name(cls), name)) from None


# C-level attributes that only read a field of the object. Sources: the numpy reference, "The N-dimensional array";
# the torch reference, "Tensor attributes".
_GETSETS = {
    ("numpy", "ndarray"): frozenset(["shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"]),
    ("torch", "Tensor"): frozenset(["shape", "dtype", "device", "ndim", "requires_grad", "is_leaf", "layout"]),
}
_NUMBER_PARTS = frozenset(["real", "imag", "numerator", "denominator"])
_FUNCTION_PARTS = frozenset(["__code__", "__defaults__", "__kwdefaults__", "__name__", "__qualname__"])


def _is_known_getset(cls: type, name: str) -> bool:
    if one_of(cls, (int, float, complex, bool)):
        return name in _NUMBER_PARTS
    if one_of(cls, (types.FunctionType, BuiltinFunctionType)):
        return name in _FUNCTION_PARTS
    return any(name in names and loaded(module, owner) is cls for (module, owner), names in _GETSETS.items())


def comes_from(function: object, package: str) -> bool:
    """Whether an exact Python function was defined in a module of `package` (a wrapper counts by its own module)."""
    if type(function) is not types.FunctionType:
        return False
    home = function.__globals__.get("__name__")
    return type(home) is str and (home == package or home.startswith(package + "."))


def text(value: object, limit: int = 200) -> str:
    """Return the text of an exact built-in scalar, cut at `limit` characters; '' for anything else."""
    kind = type(value)
    if not one_of(kind, SCALARS):
        return ""
    if kind is int and value.bit_length() > 4000:  # type: ignore[attr-defined]
        return "an int of {} bits".format(value.bit_length())  # type: ignore[attr-defined]
    cut: Any = value[:limit] if one_of(kind, (str, bytes)) else value  # type: ignore[index]
    return str(cut)[:limit].encode("utf-8", "backslashreplace").decode("utf-8")


def number(value: object) -> Any:
    """Return a built-in number, a bool or None as it is; the name of its type for anything else and for huge ints."""
    if type(value) is int and value.bit_length() > 4000:
        return "int"
    return value if one_of(type(value), (int, float, bool, type(None))) else type_name(value)


def labels(index: Any, limit: int) -> Optional[List[object]]:
    """Return the labels of a pandas Index as a list of exact built-in values; None if it holds anything else.

    Args:
        index: Of one of pandas' own classes; it may be another class only if that is refused before.
        limit: Labels of the longest index that is read.

    Touches: a view of the index, so that what pandas caches while it iterates is cached in the view.
    """
    if not is_from(type(index), "pandas") or len(index) > limit:
        return None
    if is_exactly(index, "pandas", "MultiIndex"):
        return _labels_of_levels(index, limit)
    found = [_builtin(each) for each in index[:]]
    return None if any(each is ABSENT for each in found) else found


def _labels_of_levels(index: Any, limit: int) -> Optional[List[object]]:
    """Return the labels of a MultiIndex, as tuples: a view of one fills a cache of the whole."""
    columns = []
    for level, codes in zip(index._levels, index._codes):
        found = labels(level, limit)
        if found is None:
            return None
        # Source: the pandas reference, `MultiIndex.codes`: -1 stands for a missing value.
        columns.append([found[code] if code >= 0 else float("nan") for code in codes.tolist()])
    return list(zip(*columns))


def _builtin(label: Any) -> object:
    """Return a label as an exact built-in value; numpy's scalars become Python's, which hash and compare alike."""
    kind = type(label)
    if one_of(kind, SCALARS) or (kind is tuple and is_plain(label)):
        return label
    if inherits(kind, loaded("numpy", "generic")) and is_from(kind, "numpy"):
        plain = label.item()
        return plain if one_of(type(plain), SCALARS) else ABSENT
    return ABSENT
