"""Objects, dicts and classes: attributes, keys, ancestors, without running a property."""

from __future__ import annotations

import collections
import functools
import types
from typing import Any

from .. import paths, safe
from ..likeness import close_to_each
from ..privacy import NAMES, SCHEMA, Field
from . import callables

MOST_KEYS = 100000
"""Keys whose types are counted, from the first one."""

MOST_NAMES = 1000
"""Names that are looked up in one question."""

Key = Any


def keys(shell: Any, budget: safe.Budget, path: str, names: list[Key] | None = None) -> dict[str, Any]:
    """Describe the keys of the dict at `path`; for given `names`, say which are missing, with close ones."""
    value: Any = paths.resolve(path, shell.user_ns)
    cls = type(value)
    if not safe.inherits(cls, dict) or safe.in_type(cls, "__getitem__") is not dict.__dict__["__getitem__"]:
        raise safe.Refused(
            "could not look, because {} is a {}, not a dict with items of its own".format(path, safe.type_name(value))
        )
    known = safe.first(dict.keys(value), MOST_KEYS)
    shown = [safe.text(key, 80) for key in known[: budget.items] if safe.one_of(type(key), safe.SCALARS)]
    answer: dict[str, Any] = {
        "path": path,
        "type": safe.type_name(value),
        "length": dict.__len__(value),
        "keys": shown,
        "key_types": _counted(known, budget),
        "looked_at": len(known),
        "on_missing": _on_missing(value),
        "truncated": len(shown) < dict.__len__(value),
    }
    if names is not None:
        _check_names(names)
        if not safe.has_plain_keys(value):
            raise safe.Refused("could not look, because the keys of {} are not all plain, or too many".format(path))
        missing = [name for name in names if not dict.__contains__(value, name)]
        answer["missing"] = missing[: budget.items]
        answer["close"] = close_to_each(missing, [key for key in known if type(key) is str], budget)
        answer["truncated"] = answer["truncated"] or len(missing) > budget.items
    return answer


def _check_names(names: list[Any]) -> None:
    if (
        type(names) is not list
        or len(names) > MOST_NAMES
        or not all(safe.one_of(type(each), (str, int)) for each in names)
    ):
        raise safe.Refused("could not look, because names is a list of at most {} texts or numbers".format(MOST_NAMES))


def _counted(values: list[Any], budget: safe.Budget) -> dict[str, int]:
    """Return how many values there are of each type, most frequent first."""
    # By the id of the type: a metaclass may compute the hash of a class.
    counts = collections.Counter(map(id, map(type, values)))
    kinds = dict(zip(map(id, map(type, values)), map(type, values)))
    named = sorted((-count, safe.qualified_name(kinds[at])) for at, count in counts.items())
    return {name: -count for count, name in named[: budget.items]}


_MAKES_ENTRIES = vars(collections.defaultdict)["__missing__"]
_COUNTS = vars(collections.Counter)["__missing__"]


def _on_missing(table: Any) -> str:
    """Return what ``table[key]`` does if there is no such key."""
    found = safe.in_type(type(table), "__missing__")
    if found is safe.ABSENT:
        return "KeyError"
    if found is _MAKES_ENTRIES:
        factory = safe.attribute(table, "default_factory")
        name = safe.qualified_name(factory) if type(factory) is type else "a " + safe.type_name(factory)
        return "KeyError" if factory is None else "a new entry made by {}".format(name)
    if found is _COUNTS:
        return "0, no new entry"
    return "computed by {}".format(safe.type_name(table))


# -- Attributes -------------------------------------------------------------------------------------------------------


def attributes(shell: Any, budget: safe.Budget, path: str, names: list[str] | None = None) -> dict[str, Any]:
    """List the attributes of the object at `path` without running a property; for `names`, say what each would be."""
    value = paths.resolve(path, shell.user_ns)
    own = _own(value)
    methods, properties, others = _of_class(value)
    lists = {"attributes": own, "methods": methods, "properties": properties, "class_attributes": others}
    answer: dict[str, Any] = {"path": path, "type": safe.type_name(value)}
    for name, found in lists.items():
        cut = sorted(found)[: budget.items]
        answer[name] = {each: own[each] for each in cut} if name == "attributes" else cut
    answer["truncated"] = any(len(found) > budget.items for found in lists.values())
    if names is not None:
        _check_names(names)
        if not safe.only_texts(names):
            raise safe.Refused("could not look, because names of attributes are texts")
        answer.update(_looked_up(value, names, sorted({*own, *methods, *properties, *others}), budget))
    return answer


def _own(value: Any) -> dict[str, str]:
    """Return the names that the object itself holds, with types: in its dictionary, its slots, torch's tables."""
    own = dict(safe.instance_dict(value) or {}) if not safe.inherits(type(value), type) else {}
    for base in safe.mro(type(value)):
        for name, entry in safe.entries(base):
            if type(entry) is safe.MemberDescriptorType and not name.startswith("__"):
                _add_attribute(own, value, name)
    if safe.inherits(type(value), safe.loaded("torch.nn.modules.module", "Module")):
        for place in ("_parameters", "_buffers", "_modules"):
            table: Any = own.get(place)
            if safe.inherits(type(table), dict) and safe.keeps_texts(table):
                own.update(dict.items(table))
    return {name: safe.type_name(each) for name, each in own.items()}


def _add_attribute(own: dict[str, Any], value: object, name: str) -> None:
    try:
        found = safe.attribute(value, name)
    except safe.Refused:
        return
    if found is not safe.ABSENT:
        own.setdefault(name, found)


_METHODS = (
    *(types.FunctionType, staticmethod, classmethod, safe.BuiltinFunctionType),
    *(safe.MethodDescriptorType, safe.ClassMethodDescriptorType, functools.partialmethod),
)
_PROPERTIES = (property, safe.GetSetDescriptorType, functools.cached_property)


def _of_class(value: Any) -> tuple[set[str], set[str], set[str]]:
    """Return the public names that the class of an object, or the class itself, holds: methods, computed, others."""
    cls = value if safe.inherits(type(value), type) else type(value)
    found: dict[str, Any] = {}
    for base in reversed(safe.mro(cls)):
        found.update(safe.entries(base))
    public = {name: type(entry) for name, entry in found.items() if not name.startswith("_")}
    methods = {name for name, kind in public.items() if safe.one_of(kind, _METHODS)}
    computed = {name for name, kind in public.items() if safe.one_of(kind, _PROPERTIES)}
    slots = {name for name, kind in public.items() if kind is safe.MemberDescriptorType}
    return methods, computed, set(public) - methods - computed - slots


def _looked_up(value: object, names: list[str], known: list[str], budget: safe.Budget) -> dict[str, Any]:
    there, computed, missing = {}, [], []
    for name in names:
        budget.check()
        try:
            found = safe.attribute(value, name)
        except safe.Refused:
            computed.append(name)
            continue
        if found is safe.ABSENT:
            missing.append(name)
        else:
            there[name] = safe.type_name(found)
    return {
        "present": dict(list(there.items())[: budget.items]),
        "computed": computed[: budget.items],
        "missing": missing[: budget.items],
        "close": close_to_each(missing, known, budget),
    }


# -- Classes ----------------------------------------------------------------------------------------------------------


def hierarchy(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe a class, or the class of an object: ancestors, methods, what is abstract, what ``__init__`` takes."""
    value: Any = paths.resolve(path, shell.user_ns)
    is_class = safe.inherits(type(value), type)
    cls: type = value if is_class else type(value)
    entries = dict(safe.entries(cls))
    defined = sorted(name for name, entry in entries.items() if safe.one_of(type(entry), _METHODS))
    ancestors = [safe.qualified_name(base) for base in safe.mro(cls)]
    abstract = _abstract(cls)
    answer: dict[str, Any] = {
        "path": path,
        "class": safe.qualified_name(cls),
        "is_class": is_class,
        "metaclass": safe.qualified_name(type(cls)),
        "mro": ancestors[: budget.items],
        "defines": defined[: budget.items],
        "abstract": None if abstract is None else abstract[: budget.items],
        "slots": _slots(entries),
        "truncated": max(len(ancestors), len(defined), len(abstract or ())) > budget.items,
    }
    try:
        function, bound = callables.python_function(cls)
        answer["parameters"] = callables.parameters(function, skip=bound)
    except safe.Refused:
        answer["parameters"] = None
    return answer


def _abstract(cls: type) -> list[str] | None:
    """Return the abstract methods that are left, so that the class cannot be called; None if that cannot be told."""
    if not safe.class_flags(cls) & callables.IS_ABSTRACT:
        return []
    found: Any = safe.class_dict(cls).get("__abstractmethods__")
    return sorted(found) if type(found) is frozenset and safe.only_texts(found) else None


def _slots(entries: dict[str, Any]) -> list[str] | None:
    found: Any = entries.get("__slots__")
    if type(found) is str:
        return [found]
    if safe.one_of(type(found), (list, tuple)) and safe.only_texts(list(found)):
        return list(found)
    return None


FIELDS = {
    "key_types": Field(SCHEMA, "types of the keys with counts"),
    "on_missing": Field(NAMES, "what looking up a key that is not there does"),
    "methods": Field(NAMES, "public methods of an object's class"),
    "properties": Field(NAMES, "public attributes that the class computes; they are not run"),
    "class_attributes": Field(NAMES, "other public names in the class"),
    "present": Field(NAMES, "attributes that are there, with types"),
    "computed": Field(NAMES, "attributes that only code could tell, so they are not known"),
    "class": Field(NAMES, "the class"),
    "is_class": Field(NAMES, "whether it is a class, not an object of it"),
    "metaclass": Field(NAMES, "the class of the class"),
    "mro": Field(NAMES, "the classes it inherits from, itself first"),
    "defines": Field(NAMES, "methods that the class itself defines"),
    "abstract": Field(NAMES, "abstract methods left: with any, the class cannot be called"),
    "slots": Field(NAMES, "names of __slots__; null: there are none"),
}
PROBES = {"keys": keys, "attributes": attributes, "hierarchy": hierarchy}
