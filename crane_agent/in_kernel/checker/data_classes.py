"""Data classes of the user's: the ``__init__`` that `dataclass` writes is done, not followed.

For a class that the cell decorates, `dataclass` itself is asked, about a class of our own with the same names: it
refuses what it would refuse, and its ``__init__`` takes what that of the cell's class takes. Source: the Python library
reference, `dataclasses`.
"""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import safe
from ..privacy import NAMES
from ..probes import callables
from .library import running
from .sites import CallSite, Finding
from .values import UNKNOWN, Defined, Instance, Known, Made, Value
from .words import named, words

if TYPE_CHECKING:
    from .functions import Functions
    from .state import State

_OPTIONS = frozenset(["init", "repr", "eq", "order", "unsafe_hash", "kw_only"])
_WRITTEN = ("__eq__", "__repr__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__match_args__")
_MUTABLE = (list, dict, set)


class Fields(NamedTuple):
    """What a data class is made from.

    Attributes:
        init: The function ``__init__`` that `dataclass` wrote.
        defaults: By name, the defaults.
        factories: By name, what makes a default.
    """

    init: Any
    defaults: dict[str, Value]
    factories: dict[str, Value]


def _own(name: str) -> Any:
    found = safe.loaded("dataclasses", name)
    return found if safe.comes_from(found, "dataclasses") else None


# -- in the cell -------------------------------------------------------------------------------------------------------


def made(callee: Value, site: CallSite, functions: Functions, state: State) -> Value | Finding | None:
    """Return what ``dataclass(cls)``, ``dataclass(order=True)`` and ``field(default=1)`` give."""
    if type(callee) is Made and callee.kind == "data class maker":
        cls = site.arguments[0] if len(site.arguments) == 1 and not site.keywords else None
        return _decorated(cls, callee.facts["options"], functions, state) if type(cls) is Defined else None
    found = state.live(callee)
    if type(found) is not types.FunctionType:
        return None
    if found is _own("dataclass"):
        options = {name: state.live(each) for name, each in site.keywords.items()}
        if not set(options) <= _OPTIONS or any(type(each) is not bool for each in options.values()):
            return None
        if not site.arguments:
            return Made("data class maker", options=options)
        cls = site.arguments[0]
        return _decorated(cls, options, functions, state) if type(cls) is Defined else None
    given = set(site.keywords) - {"repr"}
    if found is _own("field") and not site.arguments and given in ({"default"}, {"default_factory"}):
        return Made("data field", **site.keywords)
    return None


def _decorated(cls: Defined, options: dict[str, Any], functions: Functions, state: State) -> Value | Finding | None:
    node: Any = cls.node
    if not isinstance(node, ast.ClassDef) or cls.defaults or "__init__" in cls.members or state.is_touched(cls):
        return None
    if not functions.is_plain_class(cls, decorated=True) or options.get("init") is False:
        return None
    members, marks, space = dict(cls.members), {}, {}
    fields = Fields(None, {}, {})
    maker: Any = _own("field")
    for each in node.body:
        if not isinstance(each, ast.AnnAssign):
            continue
        if not isinstance(each.target, ast.Name) or _is_special(each.annotation):
            return None
        name = each.target.id
        marks[name] = object
        value = members.get(name)
        if each.value is None or value is None:
            if name in members:
                return None
            continue
        factory = value.facts.get("default_factory") if type(value) is Made and value.kind == "data field" else None
        if factory is not None:
            fields.factories[name] = factory
            space[name] = maker(default_factory=list)
            del members[name]
            continue
        if type(value) is Made and value.kind == "data field":
            value = value.facts["default"]
        kind = type(state.live(value))
        if kind not in (*safe.SCALARS, tuple, *_MUTABLE):
            return None
        fields.defaults[name] = members[name] = value
        space[name] = kind() if kind in _MUTABLE else None
    space.update(__annotations__=marks, __qualname__=cls.qualname or node.name)
    dataclass: Any = _own("dataclass")
    answer = running.content(lambda: dataclass(**options)(type(node.name, (), space)), "python", NAMES)
    if type(answer) is not Known:
        return answer
    written: Any = answer.object
    fields = fields._replace(init=safe.class_dict(written)["__init__"])
    members.update((name, Made("data method")) for name in _WRITTEN if name in safe.class_dict(written))
    members["__init__"] = Made("data init", fields=fields)
    plain = ast.copy_location(ast.ClassDef(node.name, node.bases, node.keywords, node.body, []), node)
    return Defined(plain, cls.scopes, cls.defaults, members, cls.qualname)


def _is_special(annotation: ast.AST) -> bool:
    """Whether an annotation may make something else than a field; one that is a text may say anything."""
    for each in ast.walk(annotation):
        name = each.id if isinstance(each, ast.Name) else each.attr if isinstance(each, ast.Attribute) else ""
        if name in ("ClassVar", "InitVar", "KW_ONLY") or (isinstance(each, ast.Constant) and type(each.value) is str):
            return True
    return False


# -- in the kernel -----------------------------------------------------------------------------------------------------


def fields_of(entry: Value | None, cls: Value, functions: Functions, state: State) -> Fields | None:
    """Return what a data class is made from, if its ``__init__`` is the one that `dataclass` wrote; else None."""
    if type(entry) is Made and entry.kind == "data init":
        fields: Fields = entry.facts["fields"]
        return fields
    init: Any = entry.object if type(entry) is Known else None
    if type(init) is not types.FunctionType or init.__code__.co_filename != "<string>":
        return None
    classes: list[Any] = [state.live(each) for each in functions.order(cls) if type(each) is Known]
    owns = [each for each in classes if type(each) is type and safe.class_dict(each).get("__init__") is init]
    table: Any = safe.class_dict(owns[0]).get("__dataclass_fields__") if owns else None
    if type(table) is not dict or not safe.keeps_texts(table):
        return None
    return _read(init, table)


def _read(init: types.FunctionType, table: dict[str, Any]) -> Fields | None:
    missing, ordinary = safe.loaded("dataclasses", "MISSING"), safe.loaded("dataclasses", "_FIELD")
    fields = Fields(init, {}, {})
    for name, field in table.items():
        if not safe.is_exactly(field, "dataclasses", "Field") or field._field_type is not ordinary or not field.init:
            return None
        if field.default_factory is not missing:
            fields.factories[name] = Known(field.default_factory)
        elif field.default is not missing:
            fields.defaults[name] = Known(field.default)
    code = init.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return fields if set(names) == set(table) else None


def shows_itself(owner: Value, found: Value | None, state: State) -> bool:
    """Whether a method is one that `dataclass` wrote, ``__eq__`` or ``__repr__``, and its fields are plain values."""
    entry: Any = found.object if type(found) is Known else None
    written = type(found) is Made and found.kind == "data method"
    if type(entry) is types.FunctionType:
        wraps = safe.comes_from(entry, "reprlib") or safe.comes_from(entry, "dataclasses")
        written = wraps or entry.__code__.co_filename == "<string>"
    values: list[Value] = []
    if type(owner) is Instance and not state.is_touched(owner):
        values = list(owner.attributes.values())
    elif type(owner) is Known:
        own = safe.instance_dict(state.live(owner))
        values = [UNKNOWN] if own is None or state.is_changed(owner.object) else [Known(each) for each in own.values()]
    return written and bool(values) and not any(state.plain(each) is safe.ABSENT for each in values)


# -- making ------------------------------------------------------------------------------------------------------------


def fill(
    instance: Instance, fields: Fields, site: CallSite, functions: Functions, state: State
) -> Value | Finding | None:
    """Do what the ``__init__`` does, and return the object; None if that is not followed."""
    message = callables.binding_error(fields.init, len(site.arguments) + 1, list(site.keywords))
    code = fields.init.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    if message is not None:
        return Finding(
            rule="callables.data-class",
            type="TypeError",
            message=words("{}", named(message)),
            because=words("the fields are {}", named(", ".join(names))),
            crash_type="invalid argument",
            asked=NAMES,
        )
    given = dict(zip(names, site.arguments), **site.keywords)
    for name in names:
        value: Value | Finding | None = given.get(name) or fields.defaults.get(name)
        if value is None:
            value = _default(fields.factories[name], site, functions, state)
        if value is None or isinstance(value, Finding):
            return value
        instance.attributes[name] = value
    if functions.member_of(instance.cls, "__post_init__") is None:
        return instance
    after = functions.method_of(instance.cls, "__post_init__")
    ran = None if after is None else functions.follow(after, (instance,), site._replace(arguments=(), keywords={}))
    return instance if isinstance(ran, Value) else ran


def _default(factory: Value, site: CallSite, functions: Functions, state: State) -> Value | Finding | None:
    found: Any = state.live(factory)
    if found is not safe.ABSENT and safe.one_of(found, _MUTABLE):
        return Known(found())
    return functions.follow(factory, (), site._replace(arguments=(), keywords={}))
