"""Special methods of the user's classes: what Python calls by itself is followed by its source.

Source: the Python language reference, "Special method names": they are looked up in the class, never in the object.
"""

from __future__ import annotations

import ast
from typing import Any

from .. import safe
from ..privacy import NAMES
from . import data_classes, generators
from .functions import Functions, class_name
from .operations import BINARY, COMPARISONS, IN_PLACE
from .sites import (
    CallSite,
    CompareSite,
    Finding,
    Jump,
    OperatorSite,
    Stop,
    SubscriptSite,
    UnarySite,
    ValueSite,
    nothing_called,
)
from .state import State
from .values import UNKNOWN, Bound, Defined, Elements, Instance, Known, Made, Value, of_element
from .words import named, words

MOST_ITEMS = 60
"""Items that are asked for one by one, of what has no ``__iter__``."""

_OPERATORS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
_COMPARISONS: dict[type, str] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}
_UNARY: dict[type, str] = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}


class Special:
    """Follows what Python calls for objects of the user's classes."""

    def __init__(self, state: State, functions: Functions) -> None:
        self._state = state
        self._functions = functions
        self._asked: dict[str, Any] = {
            "item": self._item,
            "store_item": self._store_item,
            "length": self._length,
            "truth": self._truth,
            "iterate": self._iterate,
            "compare": self._compare,
            "operator": self._operator,
            "unary": self._unary,
            "format": self._format,
        }

    def ask(self, kind: str, about: tuple[Any, ...]) -> Value | Finding | None:
        """Return what such a method gives; None if there is none, or it is not known. See `library.ask`."""
        handler = self._asked.get(kind)
        answer: Value | Finding | None = None if handler is None else handler(*about)
        return answer

    def call(self, site: CallSite, name: str) -> Value | Finding | None:
        """Return what a built-in function gives that calls one; `name` is that of the built-in."""
        if not site.complete or site.keywords or not site.arguments or not self.is_users(site.arguments[0]):
            return None
        if name == "isinstance" and len(site.arguments) == 2:
            return self._is_instance(*site.arguments)
        if len(site.arguments) != 1:
            return None
        about = ValueSite(site.node, site.arguments[0])
        if name == "len":
            return self._length(about)
        if name == "bool":
            found = self._truth(about)
            return Made("bool") if found is None and self._method(site.arguments[0], "__bool__") else found
        if name in ("str", "repr"):
            return self._text(about, "__{}__".format(name))
        return None

    def run_through(self, node: ast.AST, value: Value) -> Elements | None:
        """Return all that what is the user's yields to what makes a list of it; None if that is not known."""
        if type(value) is Made and value.kind == "generator":
            found = self._state.iterated(node, value)
            raised = value.facts.get("raises")
            if type(raised) is Finding:
                self._state.report(raised, node)
            return found if found.complete else None
        if not self.is_users(value):
            return None
        if self._method(value, "__len__") is not None:
            # It is asked for as a hint.
            length = self._length(ValueSite(node, value))
            if isinstance(length, Finding):
                self._state.report(length, node)
        found = self._state.iterated(node, value)
        return found if found.complete else None

    def _is_instance(self, value: Value, cls: Value) -> Value | None:
        """Return whether an object of the user's is of a class, if no class decides that by itself."""
        order = self._functions.order(self._class_of(value))
        if any(type(each) is not Defined and type(each) is not Known for each in order):
            return None
        if self._member(value, "__class__") is not None and not self._inherits_from_object(value, "__class__"):
            return None
        found = self._state.live(cls)
        wanted = [of_element(each) for each in found] if type(found) is tuple else [cls]
        if not all(type(each) is Defined or type(self._state.live(each)) is type for each in wanted):
            return None
        if any(type(each) is Defined and not self._functions.is_plain_class(each) for each in wanted):
            return None
        return Known(any(_is_same(mine, each) for mine in order for each in wanted))

    def handed(self, site: CallSite, name: str) -> CallSite | Finding:
        """Return a call of a built-in with what it gets of the user's objects at once in their place.

        ``print`` gets their texts, ``enumerate``, ``zip`` and ``iter`` what their ``__iter__`` returns.
        """
        if name not in ("print", "enumerate", "zip", "iter") or not any(map(self.is_users, site.arguments)):
            return site
        values: list[Value] = []
        for value in site.arguments:
            made: Value | Finding | None = value
            if self.is_users(value):
                about = ValueSite(site.node, value)
                made = self._text(about, "__str__") if name == "print" else self._iterator(about)
            if isinstance(made, Finding):
                return made
            values.append(value if made is None else made)
        return site._replace(arguments=tuple(values))

    def _iterator(self, site: ValueSite) -> Value | Finding | None:
        """Return what ``iter(value)`` gives; the value itself if it is asked for one item after the other."""
        method = self._method(site.value, "__iter__")
        if method is not None:
            made = self._run(method, site.node)
            return made if isinstance(made, Finding) or (made is not None and not self.is_users(made)) else UNKNOWN
        if self._member(site.value, "__iter__") is not None:
            return UNKNOWN
        if self._method(site.value, "__getitem__") is not None:
            return site.value
        return self._lacks(site.value, "__getitem__", "{!r} object is not iterable") or UNKNOWN

    # -- look-up -------------------------------------------------------------------------------------------------

    def is_users(self, value: Value) -> bool:
        """Whether it is an object of a class of the user's of which something is known."""
        if type(value) is Instance:
            return True
        found = self._state.live(value) if type(value) is Known else safe.ABSENT
        return found is not safe.ABSENT and self._functions.is_users_object(found)

    def _class_of(self, owner: Value) -> Value:
        return owner.cls if type(owner) is Instance else Known(type(self._state.live(owner)))

    def _member(self, owner: Value, name: str) -> Value | None:
        """Return what the class of one of the user's objects holds; None if nothing."""
        return self._functions.member_of(self._class_of(owner), name)

    def _method(self, owner: Value, name: str) -> Bound | None:
        if not self.is_users(owner):
            return None
        found = self._member(owner, name)
        return Bound(found, owner) if found is not None and self._functions.is_function(found) else None

    def _inherits_from_object(self, owner: Value, name: str) -> bool:
        found = self._member(owner, name)
        return type(found) is Known and found.object is safe.class_dict(object).get(name, safe.ABSENT)

    def _run(self, method: Value, node: ast.AST, *arguments: Value) -> Value | Finding | None:
        return self._functions.call(nothing_called(node)._replace(callee=method, arguments=arguments))

    def _lacks(self, owner: Value, name: str, template: str) -> Finding | None:
        """Return the TypeError of an object whose class has no such method."""
        return self._functions.lacks(self._class_of(owner), name, template) if self.is_users(owner) else None

    # -- context managers ----------------------------------------------------------------------------------------

    def entered(self, node: ast.AST, manager: Value) -> Value | Finding | None:
        """Return what ``with manager as name`` binds, for one of the user's that swallows no exception; else None."""
        if type(manager) is Made and manager.kind == "user context":
            return generators.entered(node, manager, self._functions)
        enter, leave = self._method(manager, "__enter__"), self._method(manager, "__exit__")
        if enter is None or leave is None or not generators.never_swallows(leave.function, self._functions):
            return None
        return self._run(enter, node)

    def left(self, node: ast.AST, manager: Value, *, raised: bool) -> Value | Finding | None:
        """Follow leaving it; `raised` says whether with an exception, which goes on then."""
        if type(manager) is Made and manager.kind == "user context":
            return generators.left(node, manager, self._functions, raised=raised)
        leave = self._method(manager, "__exit__")
        nothing = Known(None, level=NAMES)
        return None if leave is None else self._run(leave, node, *[UNKNOWN if raised else nothing] * 3)

    # -- what is asked -------------------------------------------------------------------------------------------

    def _item(self, site: SubscriptSite) -> Value | Finding | None:
        name = "__getitem__" if site.context == "load" else "__delitem__"
        method = self._method(site.owner, name)
        if method is not None:
            return self._run(method, site.node, site.key)
        return self._lacks(site.owner, name, "{!r} object is not subscriptable") if site.context == "load" else None

    def _store_item(self, site: SubscriptSite, value: Value) -> Value | Finding | None:
        method = self._method(site.owner, "__setitem__")
        if method is not None:
            return self._run(method, site.node, site.key, value)
        return self._lacks(site.owner, "__setitem__", "{!r} object does not support item assignment")

    def _length(self, site: ValueSite) -> Value | Finding | None:
        method = self._method(site.value, "__len__")
        if method is None:
            return self._lacks(site.value, "__len__", "object of type {!r} has no len()")
        made = self._run(method, site.node)
        if not isinstance(made, Value):
            return made
        found = self._state.live(made)
        if type(found) is int and 0 <= found < 2**31:
            return made
        if not (type(made) is Made and made.kind == "number" and made.facts.get("type") is int):
            self._state.may_raise(site.node, "__len__() may return no length")
        return Made("number", type=int)

    def _truth(self, site: ValueSite) -> Value | Finding | None:
        if not self.is_users(site.value):
            return None
        method = self._method(site.value, "__bool__")
        if method is not None:
            made = self._run(method, site.node)
            if isinstance(made, Value) and type(self._state.live(made)) is not bool:
                self._state.may_raise(site.node, "__bool__() may return no bool")
            return made
        if self._member(site.value, "__bool__") is not None:
            return None
        if self._member(site.value, "__len__") is None:
            return Known(True, level=NAMES)
        length = self._length(site) if self._method(site.value, "__len__") else None
        found = self._state.live(length) if isinstance(length, Value) else safe.ABSENT
        return Known(bool(found)) if type(found) is int else length

    def _iterate(self, site: ValueSite) -> Value | Finding | None:
        if not self.is_users(site.value):
            return None
        method = self._method(site.value, "__iter__")
        if method is not None:
            made = self._run(method, site.node)
            if not isinstance(made, Value) or self.is_users(made):
                return made if isinstance(made, Finding) else None
            return self._state.iterated(site.node, made)
        if self._member(site.value, "__iter__") is not None:
            return None
        method = self._method(site.value, "__getitem__")
        if method is not None:
            return self._items(method, site.node)
        if self._member(site.value, "__getitem__") is not None:
            return None
        return self._lacks(site.value, "__iter__", "{!r} object is not iterable")

    def _items(self, method: Value, node: ast.AST) -> Value | Finding | None:
        """Ask for the items 0, 1, ... until there is an IndexError. They are asked for before they are used."""
        found: list[Value] = []
        state = self._state
        doubts, changes, bindings = state.doubted(), state.changes(), state.bindings()
        for place in range(MOST_ITEMS):
            state.guarded += 1
            stopped: Stop | None = None
            made: Value | Finding | None = None
            try:
                made = self._run(method, node, Known(place, level=NAMES))
            except Stop as stop:
                stopped = stop
            except Jump:
                state.may_raise(node, "an item may raise")
            finally:
                state.guarded -= 1
            if stopped is not None and stopped.finding is None:
                raise stopped
            finding = made if isinstance(made, Finding) else stopped.finding if stopped is not None else None
            followed = state.doubted() == doubts and state.changes() == changes and state.bindings() == bindings
            if finding is not None:
                if finding.type == "IndexError" and followed:
                    return Elements(found)
                if not found and followed and finding.type != "StopIteration":
                    return finding
                state.may_raise(node, "an item may raise")
                return Elements(found, complete=False) if followed else None
            if made is None or not followed:
                return None
            found.append(made)  # type: ignore[arg-type]
        return Elements(found, complete=False)

    def _compare(self, site: CompareSite) -> Value | Finding | None:
        if isinstance(site.op, (ast.In, ast.NotIn)):
            method = self._method(site.right, "__contains__")
            if method is None:
                return None
            made = self._run(method, site.node, site.left)
            found = self._state.live(made) if isinstance(made, Value) else safe.ABSENT
            if type(found) is bool:
                return Known(found == isinstance(site.op, ast.In))
            if isinstance(made, Value):
                self._state.may_raise(site.node, "the truth of what __contains__() returns")
                return Made("bool")
            return made
        name = _COMPARISONS.get(type(site.op), "")
        if not name or not self._goes_first(site.left, site.right):
            return None
        if name in ("__eq__", "__ne__") and self.is_users(site.right) and self._shows_itself(site.left, "__eq__"):
            return Made("bool") if self._shows_itself(site.right, "__eq__") else None
        method = self._method(site.left, name)
        if method is not None:
            return self._result(method, site.node, site.right)
        if name in ("__eq__", "__ne__") and all(
            self._inherits_from_object(site.left, each) for each in ("__eq__", "__ne__")
        ):
            return Made("bool") if self._leaves_it(site.right, name) else None
        if self._inherits_from_object(site.left, name) and self._leaves_it(site.right, name):
            return self._refused(COMPARISONS[type(site.op)], site.left, site.right)
        return None

    def _leaves_it(self, right: Value, name: str) -> bool:
        """Whether the right operand is one of Python's own, or has nothing of its own under this name."""
        return not self.is_users(right) or self._inherits_from_object(right, name)

    def _refused(self, run: Any, left: Value, right: Value) -> Finding | None:
        """Return the TypeError of an operator that the user's class does not have; Python itself is asked."""
        if self._state.may_be_patched:
            return None
        operands = [
            _stand_in(self._class_of(each)) if self.is_users(each) else self._state.live(each) for each in (left, right)
        ]
        try:
            run(*operands)
        except TypeError as error:
            return Finding(
                rule="special.no-operator",
                type="TypeError",
                message=words("{}", named(str(error))),
                because=words("the class has no method for it"),
                crash_type="type error",
                asked=NAMES,
            )
        return None

    def _shows_itself(self, owner: Value, name: str) -> bool:
        return data_classes.shows_itself(owner, self._member(owner, name), self._state)

    def _goes_first(self, left: Value, right: Value) -> bool:
        """Whether the left operand is one of the user's and is asked first, and the right one has no say then."""
        if not self.is_users(left):
            return False
        if self.is_users(right):
            return _is_same(self._class_of(left), self._class_of(right))
        return safe.one_of(type(self._state.live(right)), (*safe.SCALARS, list, tuple, dict))

    def _result(self, method: Value, node: ast.AST, *arguments: Value) -> Value | Finding | None:
        """Return what an operator's method gives, unless it leaves it to the other operand."""
        made = self._run(method, node, *arguments)
        if isinstance(made, Value) and (self._state.live(made) is NotImplemented or made is UNKNOWN):
            self._state.may_raise(node, "an operator on a value that is not followed")
            return UNKNOWN
        return made

    def _operator(self, site: OperatorSite) -> Value | Finding | None:
        name = _OPERATORS[type(site.op)]
        if self._goes_first(site.left, site.right):
            for each in ("__i{}__", "__{}__") if site.in_place else ("__{}__",):
                method = self._method(site.left, each.format(name))
                if method is not None:
                    return self._result(method, site.node, site.right)
                if self._member(site.left, each.format(name)) is not None:
                    return None
            if self.is_users(site.right) and self._member(site.right, "__r{}__".format(name)) is not None:
                return None
            table = IN_PLACE if site.in_place else BINARY
            return self._refused(table[type(site.op)], site.left, site.right)
        if safe.one_of(type(self._state.live(site.left)), (int, float)):
            method = self._method(site.right, "__r{}__".format(name))
            return None if method is None else self._result(method, site.node, site.left)
        return None

    def _unary(self, site: UnarySite) -> Value | Finding | None:
        method = self._method(site.operand, _UNARY.get(type(site.op), ""))
        return None if method is None else self._run(method, site.node)

    def _format(self, site: ValueSite) -> Value | Finding | None:
        if site.text or not self.is_users(site.value) or not self._inherits_from_object(site.value, "__format__"):
            return None
        return self._text(site, "__str__")

    def _text(self, site: ValueSite, name: str) -> Value | Finding | None:
        """Return what ``str(value)`` or ``repr(value)`` gives."""
        if self._shows_itself(site.value, "__repr__") and self._inherits_from_object(site.value, "__str__"):
            return Made("text")
        for each in ("__str__", "__repr__") if name == "__str__" else ("__repr__",):
            method = self._method(site.value, each)
            if method is not None:
                made = self._run(method, site.node)
                if not isinstance(made, Value) or type(self._state.live(made)) is str:
                    return made
                if not (type(made) is Made and made.kind == "text"):
                    self._state.may_raise(site.node, "{}() may return no text".format(each))
                return Made("text")
            if not self._inherits_from_object(site.value, each):
                return None
        return Made("text")


def _stand_in(cls: Value) -> object:
    made: object = type(class_name(cls), (), {})()
    return made


def _is_same(left: Value, right: Value) -> bool:
    if type(left) is Defined or type(right) is Defined:
        return left is right
    return type(left) is type(right) is Known and left.object is right.object
