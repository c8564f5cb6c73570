"""The walk over expressions, in evaluation order.

Every expression either has a value without raising (settled), or raises for certain (a rule says so), or is left open:
then a doubt is noted and whatever comes next is no longer certain.

Source for the order: the Python language reference, "Evaluation order" and "Calls".
"""

from __future__ import annotations

import ast
import operator
import re
import sys
from typing import TYPE_CHECKING, Any, Callable

from .. import safe
from ..privacy import NAMES, SCHEMA, VALUES
from . import descriptors, generators, library, magics, operations, pure, rules
from .callbacks import Callbacks
from .effects import changed_by_operation, either, package_of, touch_in_place
from .elements import first_elements, size
from .questions import about_operator
from .sites import (
    AttributeSite,
    CallSite,
    CompareSite,
    Finding,
    Jump,
    NameSite,
    OperatorSite,
    Stop,
    SubscriptSite,
    UnarySite,
    ValueSite,
    is_starred,
    nothing_called,
)
from .special import Special
from .state import State, Unbound
from .values import (
    MAYBE_UNBOUND,
    UNKNOWN,
    Defined,
    Elements,
    Foreign,
    Instance,
    Known,
    Made,
    Value,
    as_element,
    of_element,
    unloaded,
)
from .words import Part, lowest, named, of_python, without, words

if TYPE_CHECKING:
    from .functions import Functions

_LONG_NUMBER = re.compile(r"\d{4}")

MAX_RESULT = 10000

COST = 20
"""Steps that an answer of a library counts as."""

MAX_STEPS_UNROLLED = 6000
"""Steps of the walk after which a loop or comprehension is followed for its first iterations only."""

# Powers and shifts of plain numbers may be too large to be computed.
_FOLLOWED = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.BitOr, ast.BitXor)


class Expressions:
    """Evaluates expressions of the target over a `State`."""

    def __init__(self, state: State, functions: Functions) -> None:
        self.state = state
        self._functions = functions
        self._callbacks = Callbacks(state, functions)
        self._special = Special(state, functions)
        state.iterated = self.elements
        state.either = lambda one, other: either(one, other, state)

    def value(self, node: ast.AST) -> Value:
        """Return what an expression evaluates to, as far as it can be known.

        Raises:
            Stop: The cell crashes here.
        """
        self.state.step()
        visit = getattr(self, "_" + type(node).__name__, None)
        if visit is None:
            return self._open(node, "effects", "{} is not followed".format(type(node).__name__))
        found: Value = visit(node)
        return found

    def truth(self, node: ast.AST) -> bool | None:
        """Return whether a condition holds, or None if that is not known; then a doubt is noted if asking may raise."""
        return self.truth_of(node, self.value(node))

    def truth_of(self, node: ast.AST, value: Value) -> bool | None:
        """Return whether a value is true, as `truth`."""
        found = truth_of(self.state.live(value))
        if found is None:
            answer = self._settle("truth", node, ValueSite(node, value))
            found = truth_of(self.state.live(answer))
            if answer is None and not (type(value) is Made and value.kind in ("bool", "number", "text")):
                self._unfollowed(node, "the truth of a value", value)
        return found

    def _open(self, node: ast.AST, kind: str, why: str) -> Value:
        self.state.doubt(node, kind, why)
        return UNKNOWN

    def _unfollowed(self, node: ast.AST, why: str, *values: Value) -> Value:
        """Python calls something for these values that is not followed."""
        return changed_by_operation(node, why, self.state, *values)

    def _maybe(self, compute: Callable[[], object]) -> None:
        """Evaluate what may not be evaluated, and forget what it changed."""
        before = self.state.snapshot()
        self.state.conditional += 1
        try:
            compute()
        except Jump as jump:
            self.state.doubt(ast.Pass(lineno=0), "raises", "a {} in it".format(jump.kind))
        except Stop as stop:
            if stop.finding is None and stop.node is None:
                raise
            self.state.doubt(stop.node or ast.Pass(), "raises", "an exception may be raised")
        finally:
            self.state.conditional -= 1
            self.state.merge(before)

    def _settle(self, kind: str, node: ast.AST, *about: Any) -> Value | None:
        """Return what the libraries answer to a question (`library.ask`), having reported a crash, or None.

        Of objects of the user's classes their special methods are asked first.
        """
        own = self._special.ask(kind, about)
        if own is not None:
            return self._reported(own, node)
        if kind != "attribute":
            self.state.keep_private(*_handed(about))
        answer = library.ask(kind, self.state, *about)
        if isinstance(answer, Finding):
            answer = self._as_may_be_told(answer)
        if answer is not None and kind != "attribute":
            self.state.step(COST)
        return self._reported(answer, node)

    def _as_may_be_told(self, finding: Finding) -> Finding:
        private = self.state.private
        shown = [each for each in finding.close if each not in private]
        message, because = without(finding.message, private), without(finding.because, private)
        return finding._replace(message=message, because=because, close=tuple(shown))

    def _reported(self, answer: Value | Finding | None, node: ast.AST) -> Value | None:
        return self.state.report(answer, node) if isinstance(answer, Finding) else answer

    # -- atoms ---------------------------------------------------------------------------------------------------

    def _Constant(self, node: ast.Constant) -> Value:
        return Known(node.value, level=NAMES)

    def _Name(self, node: ast.Name) -> Value:
        try:
            value = self.state.read(node.id)
            return value if value is not MAYBE_UNBOUND else self._open(node, "raises", "a name that may not be bound")
        except Unbound:
            finding = rules.first_finding(NameSite(node), self.state)
            assert finding is not None
            return self.state.report(finding, node)

    def _Tuple(self, node: ast.Tuple) -> Value:
        return self._display(node, tuple)

    def _List(self, node: ast.List) -> Value:
        return self._display(node, list)

    def _display(self, node: Any, kind: type) -> Value:
        elements: list[Value] = []
        known = True
        for each in node.elts:
            if isinstance(each, ast.Starred):
                inner = self._iterable(each.value)
                known = known and inner is not None
                elements.extend(inner or ())
            else:
                elements.append(self.value(each))
        if not known:
            return UNKNOWN
        return Known(kind([as_element(value) for value in elements]), level=self.state.level(*elements))

    def _Set(self, node: ast.Set) -> Value:
        values = [self.value(each) for each in node.elts]
        found = [self.state.plain(value) for value in values]
        if safe.ABSENT not in found:
            return self._run(node, lambda: set(found), self.state.level(*values))
        self._check_hashable(node, values)
        return self._unfollowed(node, "an element may not be hashable", *values)

    def _check_hashable(self, node: ast.AST, values: list[Value]) -> None:
        """Report a value that certainly cannot be hashed: Python's own containers, and arrays."""
        for value in values:
            found = self.state.form(value)
            if safe.one_of(type(found), (list, dict, set)) or safe.is_exactly(found, "numpy", "ndarray"):
                # A stand-in: only its class counts.
                name = safe.type_name(found).rpartition(".")[2]
                finding = Finding(
                    rule="builtins.unhashable",
                    type="TypeError",
                    message=words("unhashable type: '{}'", named(safe.class_name(type(found))))
                    if type(found) in (list, dict, set)
                    else words("unhashable type: 'numpy.ndarray'"),
                    because=words("a {} cannot be an element of a set or a key", named(name)),
                    crash_type="type error",
                )
                self.state.report(finding, node)

    def _Dict(self, node: ast.Dict) -> Value:
        table: dict[object, object] = {}
        parts: list[Value] = []
        known = True
        for key, item in zip(node.keys, node.values):
            if key is None:
                merged = self.value(item)
                inner = self.state.live(merged)
                parts.append(merged)
                if type(inner) is dict and safe.has_plain_keys(inner):
                    table.update(inner)
                else:
                    known = False
                    self._unfollowed(node, "** of a value that is not known", merged)
                continue
            label = self.value(key)
            value = self.value(item)
            parts += [label, value]
            plain = self.state.plain(label)
            if self._hashable(plain):
                table[plain] = as_element(value)
            else:
                known = False
                self._check_hashable(node, [label])
                self._unfollowed(node, "a key may not be hashable", label)
        return Known(table, level=self.state.level(*parts)) if known else UNKNOWN

    def _hashable(self, value: object) -> bool:
        return safe.one_of(type(value), safe.SCALARS) or (type(value) is tuple and all(map(self._hashable, value)))

    def _JoinedStr(self, node: ast.JoinedStr) -> Value:
        if node.lineno != node.end_lineno:
            # Before Python 3.12 the lines of what stands in a longer text are not to be relied on.
            self._open(node, "raises", "a text of several lines")
        values = [self.value(each) if isinstance(each, ast.Constant) else self._formatted(each) for each in node.values]
        parts: list[Any] = [self.state.live(value) for value in values]
        if not all(type(part) is str for part in parts):
            return Made("text")
        return Known("".join(parts), level=self.state.level(*values))

    def _formatted(self, node: Any) -> Value:
        """Return a formatted value, a text; UNKNOWN if it is not known."""
        value = self.value(node.value)
        spec = Known("", level=NAMES) if node.format_spec is None else self.value(node.format_spec)
        found, text = self.state.plain(value), self.state.live(spec)
        if found is safe.ABSENT and type(text) is str and node.conversion == -1 and not _LONG_NUMBER.search(text):
            settled = self._settle("format", node, ValueSite(node, value, text))
            if settled is not None:
                return settled
        if found is safe.ABSENT or type(text) is not str or node.conversion != -1 or _LONG_NUMBER.search(text):
            if not (type(value) is Made and value.kind in ("text", "bool") and text == ""):
                self._unfollowed(node, "formatting a value may raise", value)
            return Made("text")
        return self._run(node, lambda: format(found, text), self.state.level(value, spec))

    def _Lambda(self, node: ast.Lambda) -> Value:
        return self.defined(node)

    def defined(self, node: Any) -> Defined:
        """Return a function that is defined here, having evaluated its defaults."""
        wanted = [each for each in [*node.args.defaults, *node.args.kw_defaults] if each is not None]
        defaults = tuple(self.value(each) for each in wanted)
        name = self._functions.qualified(getattr(node, "name", "<lambda>"))
        return Defined(node, self.state.closure(), defaults, qualname=name)

    # -- operators -----------------------------------------------------------------------------------------------

    def _BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        return self.binary(node, node.op, left, right)

    def binary(self, node: ast.AST, op: ast.operator, left: Value, right: Value, *, in_place: bool = False) -> Value:
        """Return ``left op right``, or with `in_place` what ``left op= right`` binds; then `left` is immutable."""
        a, b = self.state.plain(left), self.state.plain(right)
        run = operations.BINARY[type(op)] if isinstance(op, _FOLLOWED) else None
        if a is safe.ABSENT or b is safe.ABSENT:
            settled = self._settle("operator", node, OperatorSite(node, op, left, right, in_place))
            if settled is not None:
                return settled
        if run is None or a is safe.ABSENT or b is safe.ABSENT:
            about_operator(node, op, left, right, self.state)
            if in_place:
                touch_in_place(left, self.state)
            return self._unfollowed(node, "an operator on a value that is not followed", left, right)
        if _is_large(op, a, b):
            return self._open(node, "raises", "a large value")
        if isinstance(op, ast.Mod) and type(a) in (str, bytes):
            settled = self._settle("operator", node, OperatorSite(node, op, left, right, in_place))
            return settled if settled is not None else self._open(node, "raises", "%-formatting is not followed")
        operate = operations.IN_PLACE[type(op)] if in_place else run
        return self._run(node, lambda: operate(a, b), self.state.level(left, right))

    def changed(self, node: ast.AugAssign, before: Value, by: Value) -> Value:
        """Return what ``before op= by`` gives; a list, dict or set is changed, under each of its names."""
        found = self.state.live(before)
        if safe.one_of(type(found), (list, dict, set)):
            added = self.elements(node.value, by) if type(found) is list and isinstance(node.op, ast.Add) else None
            copy: Any = self.state.writable(before) if added is not None and added.complete else safe.ABSENT
            if copy is not safe.ABSENT and added is not None:
                copy.extend(as_element(each) for each in added.found)
                return before
            self.state.touch(before)
            self._unfollowed(node, "an operator on a value that is not followed", before, by)
            return before
        return self.binary(node, node.op, before, by, in_place=True)

    def _UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            truth = self.truth_of(node, value)
            return Made("bool") if truth is None else Known(not truth)
        plain = self.state.plain(value)
        if plain is safe.ABSENT:
            settled = self._settle("unary", node, UnarySite(node, node.op, value))
            if settled is not None:
                return settled
        # ``~True`` warns, from Python 3.12 on.
        if plain is safe.ABSENT or type(plain) is bool:
            return self._unfollowed(node, "an operator on a value that is not followed", value)
        return self._run(node, lambda: operations.UNARY[type(node.op)](plain), self.state.level(value))

    def _BoolOp(self, node: ast.BoolOp) -> Value:
        stop_on = isinstance(node.op, ast.Or)
        value: Value = UNKNOWN
        for place, each in enumerate(node.values):
            value = self.value(each)
            if place + 1 == len(node.values):
                return value
            truth = self.truth_of(each, value)
            if truth is stop_on:
                return value
            if truth is None:
                self._maybe(lambda rest=node.values[place + 1 :]: [self.value(other) for other in rest])  # type: ignore[misc]
                return UNKNOWN if not package_of(value, self.state) else Made("bool")
        return value

    def _Compare(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        result: Value = UNKNOWN
        for place, (op, right_node) in enumerate(zip(node.ops, node.comparators)):
            right = self.value(right_node)
            result = self._compare(node, op, left, right)
            if place + 1 == len(node.ops):
                return result
            truth = self.truth_of(node, result)
            if truth is False:
                return result
            if truth is None:
                rest = node.comparators[place + 1 :]
                self._maybe(lambda rest=rest: [self.value(other) for other in rest])  # type: ignore[misc]
                return self._unfollowed(node, "a chain of comparisons is not followed", UNKNOWN)
            left = right
        return result

    def _compare(self, node: ast.AST, op: ast.cmpop, left: Value, right: Value) -> Value:
        a, b = self.state.live(left), self.state.live(right)
        if isinstance(op, (ast.Is, ast.IsNot)):
            # Identity runs no code; it is only known for None, True and False, which are single objects.
            if a is safe.ABSENT or b is safe.ABSENT or not any(each is None for each in (a, b)):
                return Made("bool")
            return Known((a is b) == isinstance(op, ast.Is))
        table = b
        a, b = self.state.plain(left), self.state.plain(right)
        looks_up = isinstance(op, (ast.In, ast.NotIn)) and type(table) is dict and self._hashable(a)
        if looks_up and safe.has_plain_keys(table):  # type: ignore[arg-type]
            return Known((a in table) == isinstance(op, ast.In))  # type: ignore[operator]
        if a is safe.ABSENT or b is safe.ABSENT:
            settled = self._settle("compare", node, CompareSite(node, op, left, right))
            if settled is not None:
                return settled
        searched = type(b) is range and type(a) is not int and size(b) > MAX_RESULT
        if a is safe.ABSENT or b is safe.ABSENT or searched:
            result = self._unfollowed(node, "a comparison of values that are not followed", left, right)
            return Made("bool") if isinstance(op, (ast.In, ast.NotIn)) else result
        return self._run(node, lambda: operations.COMPARISONS[type(op)](a, b), self.state.level(left, right))

    def _IfExp(self, node: ast.IfExp) -> Value:
        truth = self.truth(node.test)
        if truth is not None:
            return self.value(node.body if truth else node.orelse)
        found: list[Value] = []
        for branch in (node.body, node.orelse):
            self._maybe(lambda branch=branch: found.append(self.value(branch)))  # type: ignore[misc]
        holds = tuple(found)
        return Foreign("builtins", holds) if all(package_of(each, self.state) for each in found) else UNKNOWN

    def _NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.state.bind_in_function(node.target.id, value)
        return value

    def _run(
        self, node: ast.AST, compute: Callable[[], object], level: str = VALUES, asked: str | None = None
    ) -> Value:
        """Do for real what involves only exact built-ins; the exception, if any, is Python's own.

        Args:
            node: The expression.
            compute: What it does.
            level: Privacy level of the values that take part.
            asked: Level of what is asked for, in a look-up; by default the same.
        """
        try:
            found = compute()
        except (MemoryError, RecursionError):
            return self._open(node, "raises", "a very large value")
        except Exception as error:  # noqa: BLE001 - Python is the oracle: whatever it raises, the cell will raise
            finding = Finding(
                rule="builtins.operation",
                type=type(error).__name__,
                message=of_python(error, level, asked or level, lowest(level, SCHEMA)),
                because=words("Python itself says so for these values"),
                crash_type=rules.crash_type_of(error),
            )
            return self.state.report(finding, node)
        return Known(found, level=level)

    # -- access --------------------------------------------------------------------------------------------------

    def _Attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(AttributeSite(node, self.value(node.value), node.attr))

    def attribute(self, site: AttributeSite) -> Value:
        """Return ``owner.name``."""
        node = site.node
        own = self._own_attribute(site)
        if own is not None:
            return own
        finding = rules.first_finding(site, self.state)
        if finding is not None:
            return self.state.report(finding, node)
        settled = self._settle("attribute", node, site) or pure.attribute(site, self.state)
        if settled is not None:
            return settled
        why = "the attribute {!r} of a value that is not followed".format(site.name)
        return self._unfollowed(node, why, site.owner)

    def _own_attribute(self, site: AttributeSite) -> Value | None:
        """Return an attribute that the cell stored, or of an object that it made."""
        if type(site.owner) is Instance:
            return self._reported(
                self._functions.attribute(site.owner, site.name, nothing_called(site.node)), site.node
            )
        if type(site.owner) is Defined and isinstance(site.owner.node, ast.ClassDef):
            return self._reported(self._functions.attribute_of_class(site.owner, site.name), site.node)
        setter = descriptors.setter_maker(site.owner, site.name)
        if setter is not None:
            return setter
        if type(site.owner) is Made and site.owner.kind == "unloaded":
            finding = rules.first_finding(site, self.state)
            if finding is not None:
                return self.state.report(finding, site.node)
            module, name = site.owner.facts["module"], site.owner.facts["name"]
            self.state.may_raise(site.node, "{} may have no {}".format(module, site.name))
            return unloaded(module, "{}.{}".format(name, site.name).lstrip("."))
        noted = self.state.noted(site.owner, "." + site.name)
        if isinstance(noted, Value):
            return noted
        found = self._functions.attribute_of_object(site.owner, site.name, nothing_called(site.node))
        if found is None and self._functions.is_of_changed_class(site.owner):
            why = "the attribute {!r} of what the cell changed".format(site.name)
            return self._unfollowed(site.node, why, site.owner)
        return self._reported(found, site.node)

    def store_attribute(self, site: AttributeSite, value: Value) -> None:
        """Follow ``owner.name = value``."""
        owner = site.owner
        site_of_setter = nothing_called(site.node)
        if self._functions.stores_in_made(owner, site.name):
            if self._functions.lacks_base(owner) and package_of(value, self.state) != "builtins":
                # Source: torch, `nn.Module.__setattr__`: no layer or parameter is taken before.
                self.state.may_raise(site.node, "the base class is not initialised")
            self.state.set_attribute(owner, site.name, value)  # type: ignore[arg-type]
        elif self._reported(self._functions.set_attribute(owner, site.name, value, site_of_setter), site.node):
            pass
        elif self._settle("store_attribute", site.node, site, value) is None:
            if self._functions.stores_plainly(owner, site.name) or self._functions.stores_in_class(owner, site.name):
                self.state.note(owner, "." + site.name, value)
                return
            touch_in_place(owner, self.state)
            why = "an assignment to the attribute {!r}".format(site.name)
            self._unfollowed(site.node, why, owner, value)

    def _Subscript(self, node: ast.Subscript) -> Value:
        owner = self.value(node.value)
        key = self.value(node.slice)
        return self.item(SubscriptSite(node, owner, key, "load"))

    def item(self, site: SubscriptSite) -> Value:
        """Return ``owner[key]``, or follow ``del owner[key]``."""
        finding = rules.first_finding(site, self.state)
        if finding is not None:
            return self.state.report(finding, site.node)
        settled = self._settle("item", site.node, site) or pure.item(site, self.state)
        if settled is not None:
            return settled
        if site.context == "del":
            touch_in_place(site.owner, self.state)
        return self._unfollowed(site.node, "an item of a value that is not followed", site.owner, site.key)

    def _Slice(self, node: ast.Slice) -> Value:
        nothing = Known(None, level=NAMES)
        parts = [nothing if each is None else self.value(each) for each in (node.lower, node.upper, node.step)]
        found = [_as_index(self.state.plain(part), self.state.live(part)) for part in parts]
        return Foreign("builtins") if safe.ABSENT in found else Known(slice(*found), level=self.state.level(*parts))

    def _Index(self, node: Any) -> Value:
        return self.value(node.value)

    # -- calls ---------------------------------------------------------------------------------------------------

    def _Call(self, node: ast.Call) -> Value:
        of_magic = magics.called(node, self.state)
        if of_magic is not None:
            return of_magic
        owner, method = None, ""
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            above = self._super(node.func)
            owner = self.value(node.func.value) if above is None else None
            callee = above or self.attribute(AttributeSite(node.func, owner or UNKNOWN, method))
        else:
            callee = self.value(node.func)
        arguments, keywords, complete = self._arguments(node)
        return self._called(CallSite(node, callee, owner, method, arguments, keywords, complete))

    def _super(self, node: ast.Attribute) -> Value | None:
        """Return what ``super().name`` is in a method that is followed."""
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "super"):
            return None
        owner = self.state.first_argument()
        if type(owner) is not Instance or len(call.args) not in (0, 2) or call.keywords:
            return None
        return self._functions.super_of(owner, node.attr)

    def called(self, place: ast.expr, callee: Value, *arguments: Value) -> Value:
        """Follow a call that is not written as one: a decorator's."""
        node = ast.copy_location(ast.Call(place, [], []), place)
        return self._called(CallSite(node, callee, None, "", arguments, {}, True))

    def _called(self, call: CallSite) -> Value:
        node = call.node
        finding = rules.first_finding(call, self.state)
        if finding is not None:
            return self.state.report(self._as_may_be_told(finding) if is_starred(node) else finding, node)
        call = self._collecting(call)
        name = pure.builtin_name(self.state.live(call.callee))
        handed = self._special.handed(call, name)
        if isinstance(handed, Finding):
            return self.state.report(handed, node)
        call = handed
        settled = (
            self._reported(self._functions.call(call), node)
            or self._reported(self._special.call(call, name), node)
            or self._reported(self._callbacks.call(call, name), node)
            or self._settle("call", node, call)
            or self._reported(pure.call(call, self.state, self._run), node)
        )
        return settled if settled is not None else pure.unsettled(call, self.state)

    def _collecting(self, call: CallSite) -> CallSite:
        """Run through generators that are written as arguments of what runs through them at once, to the end."""
        is_text = type(self.state.live(call.owner)) is str
        name = call.method if is_text else pure.builtin_name(self.state.live(call.callee))
        if name not in _COLLECTORS or len(call.arguments) != len(call.node.args):
            return call
        if len(call.arguments) == 1 and name != "dict":
            own = self._special.run_through(call.node, call.arguments[0])
            if own is not None:
                return call._replace(arguments=(Known([as_element(each) for each in own.found]),))
        pairs = zip(call.node.args, call.arguments)
        return call._replace(arguments=tuple(self._run_through(node, value) or value for node, value in pairs))

    def _run_through(self, node: ast.AST, value: Value) -> Value | None:
        """Return what a generator or a ``map`` yields, as a list, where it is written; None if that is not known."""
        if type(value) is Made and value.kind == "lazy" and isinstance(node, ast.Call):
            found = self._reported(self._callbacks.elements(node, value), node)
            known = type(found) is Elements and found.complete
            return Known([as_element(each) for each in found.found]) if known else None  # type: ignore[union-attr]
        if type(value) is not Defined or value.node is not node or not isinstance(node, ast.GeneratorExp):
            return None
        return self._comprehension(node, [node.elt], lambda rows: [as_element(row[0]) for row in rows])

    def entered(self, node: ast.AST, manager: Value) -> Value | None:
        """Return what ``with manager as name`` binds; None if it may swallow an exception, or that is not known."""
        known = type(manager) is Made and manager.kind == "file"
        own = self._reported(self._special.entered(node, manager), node)
        return own or (manager if known else self._settle("enter", node, ValueSite(node, manager)))

    def left(self, node: ast.AST, manager: Value, *, raised: bool) -> None:
        """The block behind ``with manager``, which was entered, has ended, with an exception or without one."""
        own = self._reported(self._special.left(node, manager, raised=raised), node)
        if own is None and not raised:
            self._settle("leave", node, ValueSite(node, manager))

    def _arguments(self, node: ast.Call) -> tuple[tuple[Value, ...], dict[str, Value], bool]:
        arguments: list[Value] = []
        keywords: dict[str, Value] = {}
        complete = True
        for each in node.args:
            if isinstance(each, ast.Starred):
                inner = self._iterable(each.value)
                complete = complete and inner is not None
                arguments.extend(inner or ())
            else:
                arguments.append(self.value(each))
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
                continue
            table: Any = self.state.live(value)
            plain = type(table) is dict and safe.has_plain_keys(table) and all(type(key) is str for key in table)
            if plain and not any(key in keywords for key in table):
                level = self.state.level(value)
                keywords.update({key: of_element(item, None, level) for key, item in table.items()})
                self.state.keep_private(Known(list(table), level=level))
            else:
                complete = False
                self._unfollowed(node, "** of a value that is not known", value)
        return tuple(arguments), keywords, complete

    def _iterable(self, node: ast.AST) -> list[Value] | None:
        """Return the elements of an expression that is iterated over, or None, with a doubt, if they are not known."""
        value = self.value(node)
        found = self.elements(node, value)
        if not found.complete:
            self._unfollowed(node, "iterating over a value that is not followed", value)
            return None
        return found.found

    def elements(self, node: ast.AST, value: Value) -> Elements:
        """Return what iterating over a value yields; of what is not followed no element is known."""
        if type(value) is Made and value.kind == "pairs":
            value = pure.pairs(value, node, self.state) or UNKNOWN
        found = (
            first_elements(self.state, value)
            or first_elements(self.state, self._run_through(node, value) or UNKNOWN)
            or self._reported(self._callbacks.elements(node, value), node)
            or self._reported(generators.elements(node, value, self._functions, self.state), node)
            or self._settle("iterate", node, ValueSite(node, value))
        )
        return found if type(found) is Elements else Elements([], complete=False)

    def _Starred(self, node: ast.Starred) -> Value:
        self._iterable(node.value)
        return UNKNOWN

    def _Yield(self, node: ast.Yield) -> Value:
        value = Known(None, level=NAMES) if node.value is None else self.value(node.value)
        if not self._functions.yielded(value):
            self._open(node, "effects", "Yield is not followed")
        return Known(None, level=NAMES)

    def _YieldFrom(self, node: ast.YieldFrom) -> Value:
        several = self._iterable(node.value)
        if several is None or False in [self._functions.yielded(each) for each in several]:
            self._open(node, "effects", "YieldFrom is not followed")
        return UNKNOWN

    def _Await(self, node: ast.Await) -> Value:
        self.value(node.value)
        return self._open(node, "effects", "other code may run while the cell waits")

    # -- comprehensions ------------------------------------------------------------------------------------------

    def _ListComp(self, node: ast.ListComp) -> Value:
        return self._comprehension(node, [node.elt], lambda rows: [as_element(row[0]) for row in rows])

    def _SetComp(self, node: ast.SetComp) -> Value:
        return self._collected(node, [node.elt], lambda rows: {self.state.plain(row[0]) for row in rows})

    def _DictComp(self, node: ast.DictComp) -> Value:
        return self._collected(
            node, [node.key, node.value], lambda rows: {self.state.plain(row[0]): as_element(row[1]) for row in rows}
        )

    def _collected(self, node: Any, results: list[ast.expr], build: Callable[[list[list[Value]]], object]) -> Value:
        """Follow a comprehension whose first results are hashed."""
        rows: list[list[Value]] = []
        found = self._comprehension(node, results, rows.extend)
        if type(found) is Known and all(self._hashable(self.state.plain(row[0])) for row in rows):
            return Known(build(rows), level=self.state.level(*(value for row in rows for value in row)))
        return self._unfollowed(node, "an element may not be hashable", *[row[0] for row in rows[:50]], UNKNOWN)

    def _GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        # Only the first iterable is evaluated now; the rest runs when somebody iterates.
        self._iterable(node.generators[0].iter)
        return Defined(node, self.state.closure())

    def _comprehension(self, node: Any, results: list[ast.expr], build: Callable[[list[list[Value]]], object]) -> Value:
        rows: list[list[Value]] = []
        changes = self.state.changes()
        first = self._iterable(node.generators[0].iter)
        self.state.open_scope(node)
        try:
            exact = self._generators(node.generators, 0, first, results, rows)
        finally:
            self.state.close_scope()
        if self.state.changes() != changes:
            # It may have changed what it iterates over.
            return UNKNOWN
        if not exact:
            return Foreign("builtins", tuple(value for row in rows[:50] for value in row))
        return Known(build(rows), level=self.state.level(*(value for row in rows for value in row)))

    def _generators(
        self,
        generators: list[ast.comprehension],
        depth: int,
        found: list[Value] | None,
        results: list[ast.expr],
        rows: list[list[Value]],
    ) -> bool:
        generator = generators[depth]
        if found is None:
            self.bind_target(generator.target, UNKNOWN)
            return self._maybe_rows(generators, depth, results, rows)
        exact = True
        mark = self.state.changes()
        for value in found:
            if self.state.changes() != mark:
                # It may have changed what it runs through.
                return self._maybe_rows(generators, depth, results, rows)
            self.bind_target(generator.target, value)
            if self.state.steps() > MAX_STEPS_UNROLLED:
                return self._maybe_rows(generators, depth, results, rows)
            verdict = self._conditions(generator.ifs)
            if verdict is None:
                self._maybe_rows(generators, depth, results, rows, tested=True)
                exact = False
                continue
            if verdict:
                exact = self._row(generators, depth, results, rows) and exact
        return exact

    def _conditions(self, conditions: list[ast.expr]) -> bool | None:
        """Return whether all conditions hold; those behind one that does not are not evaluated."""
        for condition in conditions:
            verdict = self.truth(condition)
            if not verdict:
                return verdict
        return True

    def _maybe_rows(
        self,
        generators: list[ast.comprehension],
        depth: int,
        results: list[ast.expr],
        rows: list[list[Value]],
        tested: bool = False,
    ) -> bool:
        """Follow one iteration that may not run, from its conditions on, or from behind them."""

        def iteration() -> None:
            for condition in [] if tested else generators[depth].ifs:
                self.value(condition)
            self._row(generators, depth, results, [])

        self.state.loops += 1
        self._maybe(iteration)
        self.state.loops -= 1
        return False

    def _row(
        self, generators: list[ast.comprehension], depth: int, results: list[ast.expr], rows: list[list[Value]]
    ) -> bool:
        if depth + 1 < len(generators):
            return self._generators(generators, depth + 1, self._iterable(generators[depth + 1].iter), results, rows)
        rows.append([self.value(each) for each in results])
        return True

    # -- targets -------------------------------------------------------------------------------------------------

    def bind_target(self, target: ast.AST, value: Value) -> None:
        """Follow ``target = value`` for any kind of target."""
        if isinstance(target, ast.Name):
            self.state.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
        elif isinstance(target, ast.Starred):
            self.bind_target(target.value, value)
        elif isinstance(target, ast.Subscript):
            owner = self.value(target.value)
            key = self.value(target.slice)
            self.store_item(SubscriptSite(target, owner, key, "store"), value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            site = AttributeSite(target, owner, target.attr)
            self.store_attribute(site, value)
        else:
            self._open(target, "effects", "this target is not followed")

    def store_item(self, site: SubscriptSite, value: Value) -> None:
        """Follow ``owner[key] = value``."""
        if self._settle("store_item", site.node, site, value) is None:
            pure.store_item(site, value, self.state)

    def _unpack(self, target: ast.Tuple | ast.List, value: Value) -> None:
        wanted = target.elts
        yielded = self.elements(target, value)
        found = yielded.found if yielded.complete else None
        if found is None or any(isinstance(each, ast.Starred) for each in wanted):
            part: Value = UNKNOWN
            if found is None or len(found) < len(wanted) - 1:
                part = self._unfollowed(target, "unpacking a value that is not followed", value)
            for each in wanted:
                self.bind_target(each, part)
            return
        if len(found) != len(wanted):
            few = len(found) < len(wanted)
            count = Part(len(found), lowest(self.state.level(value), SCHEMA))
            message = (
                words("not enough values to unpack (expected {}, got {})", named(len(wanted)), count)
                if few
                else words("too many values to unpack (expected {}" + self._got(value) + ")", named(len(wanted)), count)
            )
            finding = Finding(
                rule="builtins.unpack",
                type="ValueError",
                message=message,
                crash_type="value error",
                because=words("there are {} values for {} names", count, named(len(wanted))),
            )
            self.state.report(finding, target)
            found = [UNKNOWN] * len(wanted)
        for each, element in zip(wanted, found):
            self.bind_target(each, element)

    def _got(self, value: Value) -> str:
        """Return the template of what Python 3.14 adds to the message for an exact list, tuple or dict."""
        sized = safe.one_of(type(self.state.live(value)), (list, tuple, dict))
        return ", got {}" if sized and sys.version_info >= (3, 14) else ""


def truth_of(found: object) -> bool | None:
    """Return the truth of an exact built-in value, or None."""
    if safe.one_of(type(found), (*safe.SCALARS, list, tuple, dict, set, frozenset, range)):
        return bool(found)
    return None


# Built-ins, and `str.join`, that run through what they are handed, to its end.
_COLLECTORS = frozenset("list tuple set frozenset sum sorted max min dict join".split())


def _handed(about: tuple[Any, ...]) -> list[Value]:
    """Return the values of a site, and what is stored."""
    parts = [part for each in about for part in (each if isinstance(each, tuple) else (each,))]
    several = [inner for part in parts if isinstance(part, tuple) for inner in part]
    several += [inner for part in parts if type(part) is dict for inner in part.values()]
    return [each for each in [*parts, *several] if isinstance(each, Value)]


def _as_index(plain: object, found: object) -> object:
    """Return a bound of a slice; a numpy integer as the int that it counts as. Source: PEP 357."""
    integer = safe.loaded("numpy", "integer")
    if plain is safe.ABSENT and safe.inherits(type(found), integer) and safe.is_from(type(found), "numpy"):
        return operator.index(found)  # type: ignore[arg-type]
    return plain


def _is_large(op: ast.operator, a: object, b: object) -> bool:
    """Whether the result would be long enough to cost time or memory."""
    sizes = [len(each) if type(each) in (str, bytes, list, tuple) else 0 for each in (a, b)]  # type: ignore[arg-type]
    if isinstance(op, ast.Mult):
        if type(a) is int and type(b) is int:
            return a.bit_length() + b.bit_length() > 4096
        return max(sizes) * max([abs(each) for each in (a, b) if type(each) is int] or [0]) > MAX_RESULT
    return sum(sizes) > MAX_RESULT
