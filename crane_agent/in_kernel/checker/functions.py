"""Following the user's own functions, methods and classes, a few calls deep."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

from .. import safe
from ..privacy import NAMES
from ..probes import callables
from ..readers import torch_modules
from . import data_classes, definitions, descriptors, generators
from .sites import CallSite, Finding, nothing_called
from .state import State
from .values import (
    MAYBE_UNBOUND,
    UNKNOWN,
    Bound,
    Defined,
    Foreign,
    Instance,
    Known,
    Like,
    Made,
    Value,
    as_element,
)
from .words import Words, named, words

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
        self._without_base: list[Instance] = []
        self._orders: dict[int, tuple[object, list[Value]]] = {}
        self._runs: list[generators.Run | None] = []
        # What the qualified names of what is defined here begin with; '' if that is not known.
        self.within: list[str] = []

    def call(self, site: CallSite) -> Value | Finding | None:
        """Return what a call of the user's code returns, or None if it is not followed."""
        if not site.complete or self._state.depth >= MAX_DEPTH:
            return None
        return self._call(site.callee, site)

    def _call(self, callee: Value, site: CallSite) -> Value | Finding | None:
        if type(callee) is Made and callee.kind == "init":
            self._without_base = [each for each in self._without_base if each is not callee.facts["owner"]]
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
        for maker in (descriptors.made, generators.maker, generators.context, data_classes.made):
            made = maker(callee, site, self, self._state)
            if made is not None:
                return made
        if type(callee) is Instance:
            method = self.method_of(callee.cls, "__call__") or self.method_of(callee.cls, "forward")
            if method is None:
                return self._not_callable(callee.cls)
            return self._run(method, (callee, *site.arguments), site)
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
            if entry is safe.ABSENT and self.is_as_defined(type(found)):
                return self._not_callable(Known(type(found)))
            entry = torch_modules.forward_of(found)
        return self._run(Known(entry), (callee, *site.arguments), site) if self.is_users(entry) else None

    def qualified(self, name: str) -> str:
        """Return the qualified name of what is defined here; '' if it is not known."""
        within = self.within[-1] if self.within else None
        return "" if within == "" else (within or "") + name

    def _not_callable(self, cls: Value) -> Finding | None:
        """Return the TypeError of calling an object whose class has no ``__call__``."""
        finding = self.lacks(cls, "__call__", "{!r} object is not callable")
        return None if finding is None else finding._replace(rule="callables.no-call")

    def lacks(self, cls: Value, name: str, template: str) -> Finding | None:
        """Return the TypeError of an object whose class has no such special method.

        Args:
            cls: The class.
            name: The method.
            template: What Python says; the class's name is put in.
        """
        if self._state.may_be_patched or self.member_of(cls, name) is not None:
            return None
        return Finding(
            rule="special.no-method",
            type="TypeError",
            message=words(template, named(class_name(cls))),
            because=words("its class has no {}", named(name)),
            crash_type="type error",
            asked=NAMES,
        )

    def is_users(self, found: object) -> bool:
        """Whether an object is a function of the notebook's."""
        return type(found) is types.FunctionType and found.__globals__ is self._state.shell.user_ns

    def is_users_object(self, found: object) -> bool:
        """Whether an object is of a class of the notebook's."""
        return self._is_users_class(type(found))

    def _is_users_class(self, cls: type) -> bool:
        return type(cls) is type and self._state.is_users(cls)

    # -- functions -----------------------------------------------------------------------------------------------

    def follow(self, function: Value, arguments: tuple[Value, ...], site: CallSite) -> Value | Finding | None:
        """Follow a function of the user's that is called with these arguments; None if it is not followed."""
        return self._run(function, arguments, site) if self.is_function(function) else None

    def _run(self, function: Value, arguments: tuple[Value, ...], site: CallSite) -> Value | Finding | None:
        prepared = self.prepared(function, arguments, site)
        if not isinstance(prepared, generators.Prepared):
            return prepared
        facts = self._sources.facts_of(prepared.node)
        if facts.generates:
            return generators.made(function, prepared, (*arguments, *site.keywords.values()))
        if not facts.plain or sum(each is prepared.node for each in self._running) > 3:
            return None
        body = prepared.node if isinstance(prepared.node, ast.Lambda) else prepared.node.body
        return self.run_part(prepared, body, site.node, None)

    def definition(self, function: Value) -> Any:
        """Return the definition of a function of the user's, or None."""
        if type(function) is Defined:
            return function.node
        found: Any = self._state.live(function)
        return self._sources.definition_of(found) if type(found) is types.FunctionType else None

    def prepared(
        self, function: Value, arguments: tuple[Value, ...], site: CallSite
    ) -> generators.Prepared | Finding | None:
        """Return a function of the user's with its parameters bound, or the TypeError of what does not fit them."""
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
        facts = self._sources.facts_of(node)
        if facts.rebinds:
            return None
        names = _bound(node, arguments, site.keywords, defaults)
        if names is None:
            return self._does_not_bind(function, node, len(arguments), list(site.keywords))
        names.update((name, MAYBE_UNBOUND) for name in facts.own if name not in names)
        qualname = function.qualname if type(function) is Defined else ""
        return generators.Prepared(node, closure, names, facts.declared, qualname)

    def run_part(self, prepared: generators.Prepared, body: Any, node: ast.AST, run: generators.Run | None) -> Value:
        """Walk statements of a function, or a lambda, among its own names, and return what they return.

        Args:
            prepared: The function.
            body: The statements, or the lambda.
            node: Where it is called.
            run: What is told what it yields.
        """
        call = node if isinstance(node, ast.Call) else nothing_called(node).node
        self.within.append(prepared.qualname and prepared.qualname + ".<locals>.")
        self._running.append(prepared.node)
        self._runs.append(run)
        before = self._state.open_function(call, prepared.closure, prepared.names, prepared.declared)
        try:
            return self._walker.function(body if isinstance(body, ast.Lambda) else ast.Module(body, []))
        finally:
            self._state.close_function(before)
            self._running.pop()
            self._runs.pop()
            self.within.pop()

    def yielded(self, value: Value) -> bool:
        """Tell what runs through a generator what it yields, and return whether anybody does."""
        run = self._runs[-1] if self._runs else None
        if run is not None:
            run.add(value, self._state.conditional)
        return run is not None

    def _does_not_bind(self, function: Value, node: Any, count: int, keywords: list[str]) -> Finding | None:
        """Return the TypeError of arguments that a function does not take; Python itself is asked."""
        found = self._state.live(function)
        if type(function) is Defined:
            found = definitions.stub(node, function.qualname)
        if type(found) is not types.FunctionType:
            return None
        message = callables.binding_error(found, count, keywords)
        return (
            None
            if message is None
            else Finding(
                rule="callables.does-not-take",
                type="TypeError",
                message=words("{}", named(message)),
                because=words("the parameters are ({})", named(", ".join(definitions.parameters(node)))),
                crash_type="invalid argument",
                asked=NAMES,
            )
        )

    def alone(self, function: Value) -> definitions.Definition | None:
        """Return the source of a function of the user's that stands in no other function and has no decorator."""
        if type(function) is Defined:
            inner = function.scopes or function.defaults or not isinstance(function.node, (ast.Lambda, ast.FunctionDef))
            return None if inner else function.node
        found: Any = self._state.live(function)
        if not self.is_users(found) or found.__closure__ is not None:
            return None
        return self.definition(function)

    # -- classes -------------------------------------------------------------------------------------------------

    def method_of(self, cls: Value, name: str) -> Value | None:
        """Return the user's function that a class holds under a name; None if there is none, or it is not plain."""
        found = self.member_of(cls, name)
        return found if self.is_function(found) else None

    def member_of(self, cls: Value, name: str) -> Value | None:
        """Return what a class or its bases hold under a name; None if nothing, UNKNOWN if that cannot be told."""
        for each in self.order(cls):
            if type(each) is Defined:
                if self._state.is_touched(each):
                    return UNKNOWN
                if name in each.members:
                    return each.members[name] or UNKNOWN
                continue
            kind: Any = each.object if type(each) is Known else None
            if not safe.inherits(type(kind), type) or self._state.is_unknown(kind):
                return UNKNOWN
            noted = self._state.noted(each, "." + name)
            if isinstance(noted, Value):
                return noted
            if safe.in_type(kind, name) is not safe.ABSENT and name in safe.class_dict(kind):
                return Known(safe.class_dict(kind)[name])
        return None

    def is_as_defined(self, cls: type) -> bool:
        """Whether a class of the kernel's and its bases are as they were when the cell began."""
        return not any(self._state.is_changed(each) for each in safe.mro(cls))

    def _make(self, cls: Value, site: CallSite) -> Value | Finding | None:
        if not self.is_plain_class(cls):
            return None
        instance = Instance(cls)
        entry = self.member_of(cls, "__init__")
        fields = data_classes.fields_of(entry, cls, self, self._state)
        if fields is not None:
            return data_classes.fill(instance, fields, site, self, self._state)
        method = self.method_of(cls, "__init__")
        if method is None:
            plain = type(entry) is Known and entry.object is object.__init__
            if not plain and not self._is_init_of_plain_base(entry):
                return None
            if site.arguments or site.keywords:
                return _takes_nothing(class_name(cls)) if plain else None
            return instance
        if any(self._is_init_of_plain_base(self._own_members(each).get("__init__")) for each in self.order(cls)):
            self._without_base.append(instance)
        ran = self._run(method, (instance, *site.arguments), site)
        if not isinstance(ran, Value):
            return ran
        returned = self._state.live(ran)
        if returned is safe.ABSENT:
            self._state.may_raise(site.node, "__init__() may return something")
        return instance if returned is None or returned is safe.ABSENT else _returns_something(returned)

    def is_plain_class(self, cls: Value, *, decorated: bool = False) -> bool:
        """Whether making an object of a class runs ``__init__`` and nothing else of the user's.

        Args:
            cls: The class.
            decorated: Whether its decorators are followed by whoever asks.
        """
        if type(cls) is Defined:
            if not isinstance(cls.node, ast.ClassDef):
                return False
            plain = not cls.node.keywords and (decorated or not cls.node.decorator_list)
            special = {"__new__", "__setattr__", "__getattribute__", "__getattr__", "__slots__", "__init_subclass__"}
            return plain and not special & set(cls.members) and all(map(self.is_plain_class, cls.defaults))
        found: Any = self._state.live(cls)
        if found is object or any(found is safe.loaded(*each) for each in _PLAIN_BASES):
            return True
        if not safe.inherits(type(found), type) or not self._is_users_class(found):
            return False
        own = [entry for entry, _ in safe.entries(found)]
        special = {"__new__", "__setattr__", "__getattribute__", "__getattr__", "__slots__"}
        return not special & set(own) and all(self.is_plain_class(Known(base)) for base in found.__bases__)

    def lacks_base(self, owner: Value | None) -> bool:
        """Whether the library's class that an object extends has not been initialised by its ``__init__``."""
        return any(each is owner for each in self._without_base)

    def _is_init_of_plain_base(self, entry: Value | None) -> bool:
        found = entry.object if type(entry) is Known else None
        return any(
            cls is not None and safe.class_dict(cls).get("__init__") is found
            for cls in (safe.loaded(*each) for each in _PLAIN_BASES)
        )

    # -- attributes ----------------------------------------------------------------------------------------------

    def attribute(self, owner: Instance, name: str, site: CallSite) -> Value | Finding | None:
        """Return an attribute of an object that the walk made; None if it is not known.

        Source: the Python language reference, "Invoking Descriptors": a property comes before the object's own.

        Args:
            owner: The object.
            name: The attribute.
            site: A call of nothing, where the attribute is read.
        """
        if self._state.is_touched(owner):
            return None
        found = self.member_of(owner.cls, name)
        if not self.is_stored_over(found):
            getter = descriptors.of(found, self, "property")
            if getter is None or self.member_of(owner.cls, "__getattr__") is not None:
                # What asks for an attribute that is not there gets to the latter.
                return None
            return self.call(site._replace(callee=Bound(getter, owner)))
        if name in owner.attributes:
            return owner.attributes[name]
        if found is None:
            return self._missing(owner, name)
        return self._bound_member(found, owner, name, site)

    def _bound_member(self, found: Value, owner: Instance, name: str, site: CallSite) -> Value | Finding | None:
        """Return what a member of a class that is no property is, read on an object."""
        if self.is_function(found):
            return Bound(found, owner)
        once = descriptors.of(found, self, "cached_property")
        if once is not None:
            made = self.call(site._replace(callee=Bound(once, owner)))
            if isinstance(made, Value):
                self._state.set_attribute(owner, name, made)
            return made
        if type(found) is Known and safe.comes_from(found.object, "torch") and name in _OF_MODULES:
            return Made("module_method", owner=owner, name=name, package="torch")
        return self._member_of_class(found, owner.cls)

    def _member_of_class(self, found: Value, cls: Value) -> Value | None:
        """Return what a member that does not depend on the object is."""
        function = descriptors.of(found, self, "staticmethod")
        if function is not None:
            return function
        function = descriptors.of(found, self, "classmethod")
        if function is not None:
            return Bound(function, cls)
        if self._state.may_be_patched:
            # Code that is not followed may have stored another.
            return None
        if type(found) is Known:
            plain = safe.one_of(type(found.object), (*safe.SCALARS, list, dict, tuple, set))
            return found if plain else None
        return found if type(found) is Like or type(found) is Instance else None

    def attribute_of_class(self, cls: Defined, name: str) -> Value | Finding | None:
        """Return an attribute of a class that the cell defines; None if it is not known."""
        if not self.is_plain_class(cls) or name.startswith("__"):
            return None
        found = self.member_of(cls, name)
        if found is None:
            if self._state.may_be_patched or self._has_torch_base(cls) or name in dir(type):
                return None
            return _missing(words("type object {!r} has no attribute {!r}", named(class_name(cls)), named(name)), name)
        return found if self.is_function(found) else self._member_of_class(found, cls)

    def attribute_of_object(self, owner: Value, name: str, site: CallSite) -> Value | Finding | None:
        """Return an attribute of the kernel's that the user's code computes, or that the cell stored in its class."""
        found = self._state.live(owner)
        if type(owner) is not Known or found is safe.ABSENT:
            return None
        if type(found) is type and self._is_users_class(found):
            member = None if self.is_as_defined(found) else self.member_of(owner, name)
            if member is None or self.is_function(member):
                return member
            return self._member_of_class(member, owner)
        if not self.is_users_object(found) or not self._looks_up_plainly(type(found)):
            return None
        member = self.member_of(Known(type(found)), name)
        getter = descriptors.of(member, self, "property")
        if getter is not None:
            return self.call(site._replace(callee=Bound(getter, owner)))
        if member is None or name in (safe.instance_dict(found) or ()):
            return None
        once = descriptors.of(member, self, "cached_property")
        if once is not None:
            made = self.call(site._replace(callee=Bound(once, owner)))
            if isinstance(made, Value):
                self._state.note(owner, "." + name, made)
            return made
        if self.is_as_defined(type(found)):
            return None
        return Bound(member, owner) if self.is_function(member) else self._member_of_class(member, Known(type(found)))

    def is_of_changed_class(self, owner: Value) -> bool:
        """Whether the cell stored attributes in the class of one of the kernel's objects, or in the class's bases."""
        found: Any = self._state.live(owner)
        if type(owner) is not Known or found is safe.ABSENT:
            return False
        cls: Any = found if type(found) is type else type(found)
        return self._is_users_class(cls) and not self.is_as_defined(cls)

    def _looks_up_plainly(self, cls: type) -> bool:
        plain = safe.in_type(cls, "__getattribute__") is object.__getattribute__
        return plain and safe.in_type(cls, "__getattr__") is safe.ABSENT

    def stores_in_made(self, owner: Value, name: str) -> bool:
        """Whether ``owner.name = value`` stores it in an object or a class that the walk made, and does no more."""
        if type(owner) is Instance:
            return self.is_stored_over(self.member_of(owner.cls, name))
        return type(owner) is Defined and self.stores_in_class(owner, name)

    def is_function(self, found: Value | None) -> bool:
        """Whether it is a function of the user's."""
        if type(found) is Defined:
            return not isinstance(found.node, ast.ClassDef)
        return type(found) is Known and self.is_users(found.object)

    def is_stored_over(self, found: Value | None) -> bool:
        """Whether an attribute that a class holds is replaced by storing it in an object: no property, no slot."""
        if found is None or type(found) is Like or self.is_function(found):
            return True
        if type(found) is Made:
            return found.kind != "descriptor" or found.facts["form"] != "property"
        if type(found) is not Known:
            return type(found) is Instance and self.member_of(found.cls, "__set__") is None
        kind = type(found.object)
        return all(safe.in_type(kind, name) is safe.ABSENT for name in ("__set__", "__delete__"))

    def stores_in_class(self, cls: Value, name: str) -> bool:
        """Whether ``cls.name = value`` stores it in a class of the user's, and does no more."""
        if name.startswith("__"):
            return False
        if type(cls) is Defined:
            return isinstance(cls.node, ast.ClassDef) and self.is_plain_class(cls)
        found = self._state.live(cls)
        return type(found) is type and self._is_users_class(found)

    def set_attribute(self, owner: Value, name: str, value: Value, site: CallSite) -> Value | Finding | None:
        """Run the setter of a property, and return something; None if there is none that is known."""
        cls = owner.cls if type(owner) is Instance else Known(type(self._state.live(owner)))
        if type(owner) is not Instance and not self.is_users_object(self._state.live(owner)):
            return None
        setter = descriptors.setter_of(self.member_of(cls, name), self)
        return None if setter is None else self.call(site._replace(callee=Bound(setter, owner), arguments=(value,)))

    def stores_plainly(self, owner: Value, name: str) -> bool:
        """Whether ``owner.name = value`` stores it in the dictionary of an object of the user's, and does no more."""
        found = self._state.live(owner)
        if type(owner) is not Known or found is safe.ABSENT or not self._is_users_class(type(found)):
            return False
        cls = type(found)
        module = safe.loaded("torch.nn.modules.module", "Module")
        setters = [object.__setattr__, *([] if module is None else [safe.class_dict(module).get("__setattr__")])]
        plain = any(safe.in_type(cls, "__setattr__") is each for each in setters)
        return plain and safe.instance_dict(found) is not None and self.is_stored_over(self.member_of(Known(cls), name))

    def super_of(self, owner: Instance, name: str) -> Value | None:
        """Return what ``super().name`` is in the method that the walk is in; None if it is not known."""
        if not self._running:
            return None
        order = self.order(owner.cls)
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
                        return Made("init", owner=owner)
                    return None
        return None

    def _is_running(self, member: Value | None) -> bool:
        node = self._running[-1]
        if type(member) is Defined:
            return member.node is node
        found = member.object if type(member) is Known else None
        return type(found) is types.FunctionType and self._sources.definition_of(found) is node

    def order(self, cls: Value) -> list[Value]:
        """Return the classes that an attribute is looked up in. Source: the Python reference, `type.__mro__`."""
        if type(cls) is Defined:
            bases = list(cls.defaults) or [Known(object)]
            return [cls, *_merged([*map(self.order, bases), bases])]
        kind: Any = cls.object if type(cls) is Known else None
        if not safe.inherits(type(kind), type):
            return [cls]
        if id(kind) not in self._orders:
            # The class is held, so that no other object gets its id.
            self._orders[id(kind)] = (kind, [Known(each) for each in safe.mro(kind)])
        return self._orders[id(kind)][1]

    def _own_members(self, cls: Value) -> dict[str, Value | None]:
        """Return what a class itself holds."""
        if type(cls) is Defined:
            return cls.members
        kind = self._state.live(cls)
        return {name: Known(entry) for name, entry in safe.entries(kind)} if safe.inherits(type(kind), type) else {}  # type: ignore[arg-type]

    def _missing(self, owner: Instance, name: str) -> Finding | None:
        if name.startswith("__") or self._state.may_be_patched:
            return None
        if self.member_of(owner.cls, "__getattr__") is not None and not self._has_torch_base(owner.cls):
            return None
        if self._has_torch_base(owner.cls) and name in _SET_BY_TORCH:
            return None
        text = words("{!r} object has no attribute {!r}", named(class_name(owner.cls)), named(name))
        return _missing(text, name)

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


def class_name(cls: Value) -> str:
    """Return the bare name of a class of the user's."""
    if type(cls) is Defined:
        name: str = cls.node.name  # type: ignore[attr-defined]
        return name
    return safe.class_name(cls.object)  # type: ignore[attr-defined]


def _missing(text: Words, name: str) -> Finding:
    return Finding(
        rule="attributes.missing",
        type="AttributeError",
        message=text,
        because=words("its class and its methods set no {}", named(name)),
        crash_type="attribute error",
        asked=NAMES,
    )


def _returns_something(returned: object) -> Finding:
    name = named(safe.class_name(type(returned)))
    return Finding(
        rule="callables.init-returns",
        type="TypeError",
        message=words("__init__() should return None, not {!r}", name),
        because=words("it returns a value"),
        crash_type="type error",
        asked=NAMES,
    )


def _takes_nothing(name: str) -> Finding:
    return Finding(
        rule="callables.takes-no-arguments",
        type="TypeError",
        message=words("{}() takes no arguments", named(name)),
        because=words("the class {} has no __init__", named(name)),
        crash_type="invalid argument",
        asked=NAMES,
    )


def _merged(rows: list[list[Value]]) -> list[Value]:
    """Return the classes of several rows in an order that agrees with each row; UNKNOWN first if there is none."""
    found: list[Value] = []
    rows = [row for row in rows if row]
    while rows:
        later = {_identity(each) for row in rows for each in row[1:]}
        head = next((row[0] for row in rows if _identity(row[0]) not in later), None)
        if head is None:
            return [UNKNOWN]
        found.append(head)
        rows = [row[1:] if _identity(row[0]) == _identity(head) else row for row in rows]
        rows = [row for row in rows if row]
    return found


def _identity(cls: Value) -> int:
    return id(cls.object) if type(cls) is Known else id(cls)


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
