"""Following the user's own functions, methods and classes, a few calls deep."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

from .. import safe
from ..privacy import NAMES
from ..readers import torch_modules
from . import definitions
from .sites import CallSite, Finding
from .state import State
from .values import MAYBE_UNBOUND, UNKNOWN, Bound, Defined, Foreign, Instance, Known, Made, Value, as_element
from .words import named, words

if TYPE_CHECKING:
    from .walker import Walker

MAX_DEPTH = 6

# Classes of libraries whose objects the user's classes may extend and still be followed: making one stores attributes
# of its own and runs no other code of the user's. Source: torch, `nn.Module.__init__` and `__setattr__`.
_PLAIN_BASES = (("torch.nn.modules.module", "Module"), ("torch.utils.data.dataset", "Dataset"))


class Functions:
    """Follows calls of the user's functions."""

    def __init__(self, state: State, walker: Walker) -> None:
        self._state = state
        self._walker = walker
        self._sources = definitions.Sources()
        self._running: list[ast.AST] = []

    def call(self, site: CallSite) -> Value | Finding | None:
        """Return what a call of the user's code returns, or None if it is not followed."""
        if not site.complete or self._state.depth >= MAX_DEPTH:
            return None
        return self._call(site.callee, site)

    def _call(self, callee: Value, site: CallSite) -> Value | Finding | None:
        if type(callee) is Made and callee.kind == "init":
            return Known(None)
        if type(callee) is Made and callee.kind == "module_method":
            self._state.may_raise(site.node, ".{}() may raise".format(callee.facts["name"]))
            return callee.facts["owner"] if callee.facts["name"] in _RETURNING_ITSELF else Foreign("torch")
        if type(callee) is Bound:
            return self._run(callee.function, (callee.owner, *site.arguments), site)
        if type(callee) is Defined:
            return (
                self._make(callee, site)
                if isinstance(callee.node, ast.ClassDef)
                else self._run(callee, site.arguments, site)
            )
        if type(callee) is Instance:
            method = self.method_of(callee.cls, "__call__") or self.method_of(callee.cls, "forward")
            return None if method is None else self._run(method, (callee, *site.arguments), site)
        found = self._state.live(callee)
        if type(found) is types.FunctionType and self.is_users(found):
            return self._run(callee, site.arguments, site)
        if type(found) is types.MethodType and self.is_users(found.__func__):
            owner = site.owner if site.owner is not None else Known(found.__self__)
            if type(found.__self__) is type:
                owner = Known(found.__self__)
            return self._run(Known(found.__func__), (owner, *site.arguments), site)
        if type(found) is type and self._is_users_class(found):
            return self._make(callee, site)
        if type(callee) is Known and found is not safe.ABSENT and self._is_users_class(type(found)):
            return self._call_object(callee, found, site)
        return None

    def _call_object(self, callee: Known, found: object, site: CallSite) -> Value | Finding | None:
        entry = safe.in_type(type(found), "__call__")
        if not self.is_users(entry):
            entry = torch_modules.forward_of(found)
        return self._run(Known(entry), (callee, *site.arguments), site) if self.is_users(entry) else None

    def is_users(self, found: object) -> bool:
        """Whether an object is a function of the notebook's."""
        return type(found) is types.FunctionType and found.__globals__ is self._state.shell.user_ns

    def is_users_object(self, found: object) -> bool:
        """Whether an object is of a class of the notebook's."""
        return self._is_users_class(type(found))

    def _is_users_class(self, cls: type) -> bool:
        return type(cls) is type and self._state.is_users(cls)

    # -- functions -----------------------------------------------------------------------------------------------

    def _run(self, function: Value, arguments: tuple[Value, ...], site: CallSite) -> Value | Finding | None:
        node: Any
        closure: tuple[dict[str, Value | None], ...] | None
        if type(function) is Defined:
            node, closure, defaults = function.node, function.scopes, function.defaults
        else:
            found: Any = self._state.live(function)
            if type(found) is not types.FunctionType:
                return None
            node = self._sources.definition_of(found)
            closure, given, keyword_only = _closure(found), found.__defaults__, found.__kwdefaults__
            given = () if given is None else given
            keyword_only = {} if keyword_only is None else keyword_only
            if type(given) is not tuple or type(keyword_only) is not dict:
                return None
            if node is None or closure is None or len(given) != len(node.args.defaults):
                return None
            pairs = zip(node.args.kwonlyargs, node.args.kw_defaults)
            if any((each.arg in keyword_only) != (default is not None) for each, default in pairs):
                return None
            wanted = [keyword_only[each.arg] for each in node.args.kwonlyargs if each.arg in keyword_only]
            defaults = tuple(Known(each) for each in [*given, *wanted])
        if getattr(node, "decorator_list", None) or not definitions.is_plain(node) or definitions.has_nonlocal(node):
            return None
        if sum(each is node for each in self._running) > 3:
            return None
        names = _bound(node, arguments, site.keywords, defaults)
        if names is None:
            return None
        own, declared = definitions.own_names(node)
        names.update((name, MAYBE_UNBOUND) for name in own if name not in names)
        self._running.append(node)
        before = self._state.open_function(site.node, closure, names, declared)
        try:
            return self._walker.function(node)
        finally:
            self._state.close_function(before)
            self._running.pop()

    # -- classes -------------------------------------------------------------------------------------------------

    def method_of(self, cls: Value, name: str) -> Value | None:
        """Return the user's function that a class holds under a name; None if there is none, or it is not plain."""
        found = self.member_of(cls, name)
        if type(found) is Defined and not isinstance(found.node, ast.ClassDef):
            return found
        return found if type(found) is Known and self.is_users(found.object) else None

    def member_of(self, cls: Value, name: str) -> Value | None:
        """Return what a class or its bases hold under a name; None if nothing, UNKNOWN if that cannot be told."""
        if type(cls) is Defined:
            if name in cls.members:
                return cls.members[name] or UNKNOWN
            for base in cls.defaults:
                found = self.member_of(base, name)
                if found is not None:
                    return found
            return None
        kind = self._state.live(cls)
        if not safe.inherits(type(kind), type):
            return UNKNOWN
        entry = safe.in_type(kind, name)  # type: ignore[arg-type]
        return None if entry is safe.ABSENT else Known(entry)

    def _make(self, cls: Value, site: CallSite) -> Value | Finding | None:
        if not self.is_plain_class(cls):
            return None
        instance = Instance(cls)
        method = self.method_of(cls, "__init__")
        if method is None:
            entry = self.member_of(cls, "__init__")
            plain = (type(entry) is Known and entry.object is object.__init__) or entry is None
            if not plain and not self._is_init_of_plain_base(entry):
                return None
            if site.arguments or site.keywords:
                return None
            return instance
        ran = self._run(method, (instance, *site.arguments), site)
        return instance if isinstance(ran, Value) else ran

    def is_plain_class(self, cls: Value) -> bool:
        """Whether making an object of a class runs ``__init__`` and nothing else of the user's."""
        if type(cls) is Defined:
            plain = not cls.node.keywords and not cls.node.decorator_list  # type: ignore[attr-defined]
            special = {"__new__", "__setattr__", "__getattribute__", "__getattr__", "__slots__", "__init_subclass__"}
            return plain and not special & set(cls.members) and all(map(self.is_plain_class, cls.defaults))
        found: Any = self._state.live(cls)
        if found is object or any(found is safe.loaded(*each) for each in _PLAIN_BASES):
            return True
        if not safe.inherits(type(found), type) or not self._is_users_class(found):
            return False
        own = [entry for entry, _ in safe.entries(found)]
        special = {"__new__", "__setattr__", "__getattribute__", "__getattr__", "__slots__", "__dataclass_fields__"}
        return not special & set(own) and all(self.is_plain_class(Known(base)) for base in found.__bases__)

    def _is_init_of_plain_base(self, entry: Value | None) -> bool:
        found = entry.object if type(entry) is Known else None
        return any(
            cls is not None and safe.class_dict(cls).get("__init__") is found
            for cls in (safe.loaded(*each) for each in _PLAIN_BASES)
        )

    # -- attributes ----------------------------------------------------------------------------------------------

    def attribute(self, owner: Instance, name: str) -> Value | Finding | None:
        """Return an attribute of an object that the walk made; None if it is not known."""
        if self._state.is_touched(owner):
            return None
        if name in owner.attributes:
            return owner.attributes[name]
        found = self.member_of(owner.cls, name)
        if found is None:
            return self._missing(owner, name)
        if type(found) is Defined and not isinstance(found.node, ast.ClassDef):
            return Bound(found, owner)
        if type(found) is Known:
            if self.is_users(found.object):
                return Bound(found, owner)
            if safe.one_of(type(found.object), (*safe.SCALARS, list, dict, tuple, set)):
                return found
            if safe.comes_from(found.object, "torch") and name in _OF_MODULES:
                return Made("module_method", owner=owner, name=name, package="torch")
        return None

    def stores_plainly(self, owner: Value, name: str) -> bool:
        """Whether ``owner.name = value`` stores it in the dictionary of an object of the user's, and does no more."""
        found = self._state.live(owner)
        if type(owner) is not Known or found is safe.ABSENT or not self._is_users_class(type(found)):
            return False
        cls = type(found)
        module = safe.loaded("torch.nn.modules.module", "Module")
        setters = [object.__setattr__, *([] if module is None else [safe.class_dict(module).get("__setattr__")])]
        plain = any(safe.in_type(cls, "__setattr__") is each for each in setters)
        return plain and safe.instance_dict(found) is not None and safe.in_type(cls, name) is safe.ABSENT

    def super_of(self, owner: Instance, name: str) -> Value | None:
        """Return what ``super().name`` is in the method that the walk is in; None if it is not known."""
        if not self._running:
            return None
        order = self._order(owner.cls)
        for place, cls in enumerate(order):
            own = self._own_members(cls)
            if any(self._is_running(each) for each in own.values()):
                for later in order[place + 1 :]:
                    found = self._own_members(later).get(name)
                    if found is None:
                        continue
                    if type(found) is Defined or (type(found) is Known and self.is_users(found.object)):
                        return Bound(found, owner)
                    if found.object is object.__init__ or self._is_init_of_plain_base(found):  # type: ignore[attr-defined]
                        return Made("init")
                    return None
        return None

    def _is_running(self, member: Value | None) -> bool:
        node = self._running[-1]
        if type(member) is Defined:
            return member.node is node
        found = member.object if type(member) is Known else None
        return type(found) is types.FunctionType and self._sources.definition_of(found) is node

    def _order(self, cls: Value) -> list[Value]:
        """Return the classes that an attribute is looked up in, for classes without diamonds the order of Python."""
        if type(cls) is Defined:
            found: list[Value] = [cls]
            for base in cls.defaults or (Known(object),):
                found += self._order(base)
            return found
        kind = self._state.live(cls)
        return [Known(each) for each in safe.mro(kind)] if safe.inherits(type(kind), type) else [cls]  # type: ignore[arg-type]

    def _own_members(self, cls: Value) -> dict[str, Value | None]:
        """Return what a class itself holds."""
        if type(cls) is Defined:
            return cls.members
        kind = self._state.live(cls)
        return {name: Known(entry) for name, entry in safe.entries(kind)} if safe.inherits(type(kind), type) else {}  # type: ignore[arg-type]

    def _missing(self, owner: Instance, name: str) -> Finding | None:
        if name.startswith("__") or self._state.may_be_patched:
            return None
        if type(owner.cls) is Defined:
            class_name: str = owner.cls.node.name  # type: ignore[attr-defined]
        else:
            class_name = safe.class_name(owner.cls.object)  # type: ignore[attr-defined]
        if self.member_of(owner.cls, "__getattr__") is not None and not self._has_torch_base(owner.cls):
            return None
        if self._has_torch_base(owner.cls) and name in _SET_BY_TORCH:
            return None
        return Finding(
            rule="attributes.missing",
            type="AttributeError",
            message=words("{!r} object has no attribute {!r}", named(class_name), named(name)),
            because=words("its class and its methods set no {}", named(name)),
            crash_type="attribute error",
            asked=NAMES,
        )

    def _has_torch_base(self, cls: Value) -> bool:
        module = safe.loaded("torch.nn.modules.module", "Module")
        if module is None:
            return False
        if type(cls) is Defined:
            return any(map(self._has_torch_base, cls.defaults))
        return type(cls) is Known and safe.inherits(type(cls.object), type) and safe.inherits(cls.object, module)  # type: ignore[arg-type]


# Methods of `nn.Module` that leave its structure as it is; the first return the module itself.
_RETURNING_ITSELF = frozenset(("to train eval cuda cpu float double half requires_grad_ share_memory").split())
_OF_MODULES = _RETURNING_ITSELF | frozenset(
    ("parameters named_parameters children named_children modules named_modules state_dict buffers zero_grad").split()
)

# Set by `nn.Module.__init__` in the object's own dictionary.
_SET_BY_TORCH = ("training", "_parameters", "_buffers", "_modules", "call_super_init", "dump_patches")


def _closure(function: types.FunctionType) -> tuple[dict[str, Value | None], ...] | None:
    """Return what a function's free variables are bound to, as one scope; None if one of them is empty."""
    cells = function.__closure__ or ()
    found: dict[str, Value | None] = {}
    for name, cell in zip(function.__code__.co_freevars, cells):
        try:
            found[name] = Known(cell.cell_contents)
        except ValueError:
            return None
    return (found,) if found else ()


def _bound(
    node: Any, arguments: tuple[Value, ...], keywords: dict[str, Value], defaults: tuple[Value, ...]
) -> dict[str, Value | None] | None:
    """Return a function's parameters bound to the arguments of a call; None if they do not fit.

    Source: the Python language reference, "Calls".
    """
    taken = node.args
    positional = [each.arg for each in [*getattr(taken, "posonlyargs", ()), *taken.args]]
    only_positional = {each.arg for each in getattr(taken, "posonlyargs", ())}
    found: dict[str, Value | None] = dict(zip(positional, arguments))
    rest = arguments[len(positional) :]
    if rest and taken.vararg is None:
        return None
    if taken.vararg is not None:
        found[taken.vararg.arg] = Known(tuple(as_element(each) for each in rest))
    only_keyword = [each.arg for each in taken.kwonlyargs]
    more: dict[str, Value] = {}
    for name, value in keywords.items():
        if (name in positional and name not in only_positional) or name in only_keyword:
            if name in found:
                return None
            found[name] = value
        elif taken.kwarg is None:
            return None
        else:
            more[name] = value
    if taken.kwarg is not None:
        found[taken.kwarg.arg] = Known({name: as_element(value) for name, value in more.items()})
    wanted = positional[len(positional) - len(taken.defaults) :]
    wanted += [each.arg for each, default in zip(taken.kwonlyargs, taken.kw_defaults) if default is not None]
    for name, value in zip(wanted, defaults):
        found.setdefault(name, value)
    return found if all(name in found for name in [*positional, *only_keyword]) else None
