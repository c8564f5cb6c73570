"""The walk over the target's statements, in the order they run.

The walk follows what is certain: a branch whose condition is known, a loop over elements that are known. A branch that
may not run is walked too, but what is found there is a suspect, and what it changes is forgotten.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import sys
from typing import Any, NamedTuple, Sequence

from .. import safe, wire
from ..privacy import NAMES
from . import magics, rules
from .effects import changed_by_operation, element_of, may_patch, package_of
from .expressions import MAX_STEPS_UNROLLED, Expressions
from .functions import Functions
from .sites import AttributeSite, Finding, ImportSite, Jump, Stop, SubscriptSite
from .state import State, Unbound
from .values import MAYBE_UNBOUND, UNKNOWN, Defined, Foreign, Known, Value, unloaded
from .words import Part, words

MAX_UNROLLED = 60
"""Iterations of a loop that are followed one by one."""


class _Guarded(NamedTuple):
    """What came of statements behind whose exceptions the cell may go on.

    Attributes:
        finding: The crash that is certain to be raised in them.
        place: Where.
        early: Whether an exception may leave them early.
        bound: What they bind if none does.
    """

    finding: Finding | None
    place: ast.AST | None
    early: bool
    bound: dict[str, Value]


class Walker:
    """Walks the statements of the target over a `State`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.functions = Functions(state, self)
        self.expressions = Expressions(state, self.functions)
        # Jumps that a branch which may not run may have made: what comes behind it may not run, either.
        self._pending: set[str] = set()
        self._returned: list[Value] = []

    def run(self, tree: ast.Module) -> None:
        """Walk the cell.

        Raises:
            Stop: The cell crashes, ends, or cannot be followed any further.
        """
        self._body(tree.body)

    def _body(self, statements: list[ast.stmt]) -> None:
        for place, statement in enumerate(statements):
            self.state.step()
            visit = getattr(self, "_" + type(statement).__name__, None)
            if visit is None:
                self.state.doubt(statement, "effects", "{} is not followed".format(type(statement).__name__))
                self.state.forget_names()
                continue
            visit(statement)
            if self._pending:
                self._maybe(statements[place + 1 :])
                return

    def _value(self, node: ast.AST) -> Value:
        return self.expressions.value(node)

    # -- simple statements ---------------------------------------------------------------------------------------

    def _Expr(self, node: ast.Expr) -> None:
        self._value(node.value)

    def _Running(self, node: wire.Running) -> None:
        way = magics.way_of_running(node.call, node.body, node.first_word, self.state)
        if not way:
            self._value(node.call)
        elif way == "plain":
            self._body(node.body)
        elif way == "repeated":
            self.state.doubt(node, "raises", "what is timed may raise")
            self._maybe_loop(None, node.body)
        else:
            finding, place, *_ = self._guarded_body(node.body)
            if finding is not None and place is not None:
                self.state.suspect(finding, place)
                self.state.doubt(place, "raises", "the magic shows an exception and goes on")

    def _Pass(self, node: ast.Pass) -> None:
        pass

    def _Assign(self, node: ast.Assign) -> None:
        value = self._value(node.value)
        for target in node.targets:
            self.expressions.bind_target(target, value)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        value = None if node.value is None else self._value(node.value)
        if value is not None:
            self.expressions.bind_target(node.target, value)
        elif isinstance(node.target, (ast.Attribute, ast.Subscript)):
            self._value(node.target.value)
            self._value(getattr(node.target, "slice", ast.Constant(None)))
        where = self.state.place()
        if where != "function":
            # In a function it is not evaluated. Source: the Python reference, "Annotated assignment statements".
            self._annotation(node.annotation)
        if where == "cell" and isinstance(node.target, ast.Name):
            kept = self.state.peek("__annotations__")
            if kept is None:
                self.state.bind("__annotations__", UNKNOWN)
            elif kept is not UNKNOWN and type(self.state.live(kept)) is not dict:
                self.state.doubt(node, "effects", "an annotation is kept in __annotations__")

    def _annotation(self, node: ast.AST) -> None:
        """Follow an annotation: Python 3.14 evaluates it later, if at all, and so does ``from __future__``."""
        later = __future__.annotations.compiler_flag
        if sys.version_info < (3, 14) and not self.state.shell.compile.flags & later:
            self._value(node)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            before = self._value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            self.expressions.bind_target(target, self.expressions.changed(node, before, self._value(node.value)))
            return
        owner = self._value(target.value)
        if isinstance(target, ast.Subscript):
            key = self._value(target.slice)
            before = self.expressions.item(SubscriptSite(target, owner, key, "load"))
            after = self.expressions.changed(node, before, self._value(node.value))
            self.expressions.store_item(SubscriptSite(target, owner, key, "store"), after)
            return
        before = self.expressions.attribute(AttributeSite(target, owner, target.attr))
        after = self.expressions.changed(node, before, self._value(node.value))
        self.expressions.store_attribute(AttributeSite(target, owner, target.attr), after)

    def _Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if not self.state.is_own(target.id):
                    self.state.doubt(target, "raises", "a class can delete only what it bound itself")
                if not self.state.is_bound_by_cells(target.id):
                    self._value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
                    self.state.doubt(target, "raises", "a built-in cannot be deleted")
                self.state.unbind(target.id)
            elif isinstance(target, ast.Subscript):
                owner, key = self._value(target.value), self._value(target.slice)
                self.expressions.item(SubscriptSite(target, owner, key, "del"))
            else:
                self.state.doubt(target, "effects", "this deletion is not followed")
                self.state.touch(self._value(getattr(target, "value", ast.Constant(None))))

    def _Assert(self, node: ast.Assert) -> None:
        truth = self.expressions.truth(node.test)
        if truth is True:
            return
        if truth is None:
            self.state.doubt(node, "raises", "the assertion may fail")
            return
        message = None if node.msg is None else self._value(node.msg)
        text: object = "" if message is None else self.state.plain(message)
        finding = Finding(
            rule="statements.assert",
            type="AssertionError",
            message=words("")
            if text is safe.ABSENT or message is None
            else words("{}", Part(str(text), self.state.level(message))),
            crash_type="other",
            because=words("the asserted condition is false"),
        )
        # Since Python 3.13 a traceback shows the condition, before that the statement.
        place = ast.copy_location(ast.Pass(), node.test if sys.version_info >= (3, 13) else node)
        self.state.report(finding, place)

    def _Raise(self, node: ast.Raise) -> None:
        call = node.exc if isinstance(node.exc, ast.Call) and not node.exc.keywords else None
        found: Any = self.state.live(self._value(call.func)) if call else safe.ABSENT
        values: list[Value] = []
        if call is not None and _is_plain_exception(found):
            values = [self._value(each) for each in call.args]
        elif node.exc is not None:
            found = self.state.live(self._value(node.exc))
        arguments: list[Any] = [self.state.plain(value) for value in values]
        if _is_plain_exception(found) and node.cause is None and (found is not OSError or len(arguments) < 2):
            finding = Finding(
                rule="statements.raise",
                type=safe.class_name(found),
                message=words("")
                if safe.ABSENT in arguments
                else words("{}", Part(str(found(*arguments)), self.state.level(*values))),
                crash_type="other",
                because=words("the cell raises it itself"),
            )
            self.state.report(finding, node)
            raise Jump("raise")
        if self.state.conditional or self.state.guarded:
            self.state.doubt(node, "raises", "the cell may raise here itself")
            raise Jump("raise")
        raise Stop(None, node, "the cell raises an exception that is not followed")

    def _Import(self, node: ast.Import) -> None:
        for alias in node.names:
            known = self._import(node, alias.name)
            name = alias.asname or alias.name.partition(".")[0]
            module = safe.loaded(alias.name if alias.asname else name)
            # ``import a.b as c`` binds what ``a`` holds as ``b``, which may be another thing than the module.
            dotted = alias.asname is not None and "." in alias.name
            if dotted and safe.loaded(*alias.name.rsplit(".", 1)) is not module:
                known = False
            made = unloaded(name if alias.asname is None else alias.name)
            self.state.bind(name, self.state.in_kernel(name, module) if known else made)

    def _import(self, node: ast.stmt, name: str) -> bool:
        parts = name.split(".")
        if safe.instance_dict(safe.loaded(name)) is self.state.shell.user_ns:
            self.state.doubt(node, "effects", "what the cell bound is imported")
        elif all(safe.loaded(".".join(parts[: place + 1])) is not None for place in range(len(parts))):
            return True
        finding = rules.first_finding(ImportSite(node, name, ""), self.state)
        if finding is not None:
            self.state.report(finding, node)
            return False
        self.state.imported.add(parts[0])
        changed_by_operation(node, "importing {} runs its code".format(name), self.state, Foreign(parts[0]))
        self.state.may_be_patched = self.state.may_be_patched or may_patch(parts[0])
        return False

    def _ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module == "__future__":
            self.state.doubt(node, "effects", "the lines below are compiled in another way")
        if node.level or module == "__future__" or not self._import(node, module):
            if node.level:
                self.state.doubt(node, "raises", "a relative import")
            for alias in node.names:
                if alias.name == "*":
                    self.state.forget_names()
                    self.state.doubt(node, "effects", "any name may come from {}".format(module))
                else:
                    finding = (
                        None if node.level else rules.first_finding(ImportSite(node, module, alias.name), self.state)
                    )
                    if finding is not None:
                        self.state.report(finding, node)
                    made = unloaded(module, alias.name) if module and not node.level else UNKNOWN
                    self.state.bind(alias.asname or alias.name, made)
            return
        for alias in node.names:
            if alias.name == "*":
                self._star(node, module)
            else:
                self.state.bind(alias.asname or alias.name, self._imported(node, module, alias.name))

    def _imported(self, node: ast.ImportFrom, module: str, name: str) -> Value:
        own = safe.instance_dict(safe.loaded(module)) or {}
        if name in own:
            return self.state.in_kernel(name, own[name])
        finding = rules.first_finding(ImportSite(node, module, name), self.state)
        if finding is not None:
            return self.state.report(finding, node)
        if safe.loaded(module + "." + name) is None:
            self.state.doubt(node, "raises", "{} may have no {}".format(module, name))
        return UNKNOWN

    def _star(self, node: ast.ImportFrom, module: str) -> None:
        own = safe.instance_dict(safe.loaded(module)) or {}
        names = own.get("__all__", [name for name in own if type(name) is str and not name.startswith("_")])
        if not safe.is_plain(names, limit=20000) or not all(name in own for name in names):  # type: ignore[attr-defined]
            self.state.forget_names()
            self.state.doubt(node, "effects", "any name may come from {}".format(module))
            return
        for name in list(names):  # type: ignore[call-overload]
            self.state.bind(name, self.state.in_kernel(name, own[name]))

    def _Global(self, node: ast.Global) -> None:
        pass

    def _FunctionDef(self, node: ast.FunctionDef) -> None:
        self._type_parameters(node)
        decorators = [self._value(decorator) for decorator in node.decorator_list]
        found: Value = self.expressions.defined(node)
        taken = node.args
        several = [*taken.args, *getattr(taken, "posonlyargs", ()), taken.vararg, *taken.kwonlyargs, taken.kwarg]
        for annotation in [*(each.annotation for each in several if each is not None), node.returns]:
            if annotation is not None:
                self._annotation(annotation)
        for place, decorator in zip(reversed(node.decorator_list), reversed(decorators)):
            found = self.expressions.called(place, decorator, found)
        self.state.bind(node.name, found)

    _AsyncFunctionDef = _FunctionDef

    def function(self, node: Any) -> Value:
        """Walk the body of a function whose names are bound, and return what it returns."""
        if isinstance(node, ast.Lambda):
            return self._value(node.body)
        outer = self._pending, self._returned
        self._pending, self._returned = set(), []
        try:
            self._body(node.body)
            result: Value = Known(None, level=NAMES)
        except Jump as jump:
            if jump.kind != "return":
                raise
            result = jump.value
        finally:
            pending, returned = self._pending, self._returned
            self._pending, self._returned = outer
        if "raise" in pending and not self.state.guarded:
            # An exception that nobody handles ends the cell.
            pending.discard("raise")
        if "raise" in pending:
            self._pending.add("raise")
        return result if not returned or all(each is result for each in returned) else self._joined([*returned, result])

    def _joined(self, values: list[Value]) -> Value:
        """Return what may be any of these values: of several texts and numbers, that it is one."""
        first = self.state.live(values[0])
        if all(self.state.live(each) is first for each in values) and first is not safe.ABSENT:
            return values[0]
        holds = tuple(values)
        return Foreign("builtins", holds) if all(package_of(each, self.state) for each in values) else UNKNOWN

    def _type_parameters(self, node: ast.AST) -> None:
        """Type parameters, Python 3.12 and later, open a scope of their own for what is evaluated in the header."""
        for each in getattr(node, "type_params", ()):
            self.state.doubt(each, "effects", "type parameters are not followed")
            self.state.bind(each.name, UNKNOWN)

    def _ClassDef(self, node: ast.ClassDef) -> None:
        self._type_parameters(node)
        decorators = [self._value(each) for each in node.decorator_list]
        bases = tuple(self._value(each) for each in node.bases)
        for keyword in node.keywords:
            self._value(keyword.value)
        name = self.functions.qualified(node.name)
        self.state.open_scope(node)
        self.functions.within.append(name and name + ".")
        try:
            self._body(node.body)
        finally:
            self.functions.within.pop()
            members = self.state.close_scope()
        cls = Defined(node, self.state.closure(), bases, members, name)
        found: Value = cls
        if node.keywords or not all(self.functions.is_plain_class(base) for base in bases):
            # A base class may have an `__init_subclass__`, a metaclass anything.
            changed_by_operation(node, "making a class runs code of its base classes", self.state, cls, *bases)
        for place, decorator in zip(reversed(node.decorator_list), reversed(decorators)):
            found = self.expressions.called(place, decorator, found)
        self.state.bind(node.name, found)

    # -- jumps ---------------------------------------------------------------------------------------------------

    def _Break(self, node: ast.Break) -> None:
        raise Jump("break")

    def _Continue(self, node: ast.Continue) -> None:
        raise Jump("continue")

    def _Return(self, node: ast.Return) -> None:
        raise Jump("return", Known(None, level=NAMES) if node.value is None else self._value(node.value))

    # -- branches ------------------------------------------------------------------------------------------------

    def _If(self, node: ast.If) -> None:
        truth = self.expressions.truth(node.test)
        if truth is not None:
            self._body(node.body if truth else node.orelse)
            return
        self._maybe(node.body)
        self._maybe(node.orelse)

    def _maybe(self, statements: list[ast.stmt]) -> None:
        """Walk statements that may not run, and forget what they changed."""
        if not statements:
            return
        before = self.state.snapshot()
        self.state.conditional += 1
        outer, self._pending = self._pending, set()
        try:
            self._body(statements)
        except Jump as jump:
            self._pending.add(jump.kind)
            if jump.kind == "return":
                self._returned.append(jump.value)
        except Stop as stop:
            # Only a guarded finding, or the end of what can be followed, gets here.
            if stop.finding is None and stop.node is None:
                raise
            self.state.doubt(statements[0], "raises", "an exception may be raised")
            self._pending.add("raise")
        finally:
            self.state.conditional -= 1
            self.state.merge(before)
            self._pending |= outer
            if not self.state.guarded:
                # An exception that nobody handles ends the cell: what comes behind runs only if it was not raised.
                self._pending.discard("raise")

    def _For(self, node: ast.For) -> None:
        value = self._value(node.iter)
        found = self.expressions.elements(node.iter, value)
        rest = None
        if not found.complete and not found.found:
            rest = changed_by_operation(node.iter, "iterating over a value that is not followed", self.state, value)
        changes = self.state.changes()
        complete = found.complete
        for place, element in enumerate(found.found):
            if place >= (MAX_UNROLLED if self.state.steps() < MAX_STEPS_UNROLLED else 2):
                complete = False
                break
            self.expressions.bind_target(node.target, element)
            if not self._iteration(node.body):
                return
            if self._may_have_left(node):
                return
            if self.state.changed_since(changes, value):
                self.state.doubt(node, "raises", "what the loop iterates over is changed in it")
                complete = False
                break
        if not complete:
            self._maybe_loop(node.target, node.body, element_of(value, self.state) if rest is None else rest)
            self._end_loop(node)
            return
        self._body(node.orelse)

    def _iteration(self, body: list[ast.stmt]) -> bool:
        """Walk one iteration, and return whether the loop goes on behind it."""
        try:
            self._body(body)
        except Jump as jump:
            if jump.kind in ("return", "raise"):
                raise
            return jump.kind == "continue"
        return True

    def _may_have_left(self, node: Any) -> bool:
        """Whether an iteration may have left the loop; then the rest of it is walked as what may not run."""
        self._pending.discard("continue")
        if not self._pending:
            return False
        self._maybe_loop(getattr(node, "target", None), node.body)
        self._end_loop(node)
        return True

    def _end_loop(self, node: Any) -> None:
        left = "break" in self._pending
        self._pending -= {"break", "continue"}
        if left or self._pending:
            self._maybe(node.orelse)
        else:
            self._body(node.orelse)

    def _AsyncFor(self, node: ast.AsyncFor) -> None:
        self._value(node.iter)
        self.state.doubt(node, "effects", "other code may run while the cell waits")
        self._maybe_loop(node.target, node.body)
        self._end_loop(node)

    def _maybe_loop(self, target: ast.AST | None, body: list[ast.stmt], element: Value = UNKNOWN) -> None:
        """Walk the body of a loop that runs any number of times, and forget what it changes.

        It is walked twice: what an iteration leaves behind is there for the next one. Of a name that a library's
        values are bound to no more is taken for known than that, and only if the second walk leaves it at that.

        Args:
            target: What each element is bound to, or None.
            body: The statements.
            element: What is known of each element.
        """
        before = self.state.snapshot()
        self.state.loops += 1
        self._one_of_many(target, body, element)
        names = _bound_by(body)
        made = self._made_by_libraries(names) if self.state.loops == 1 else {}
        self._forget(names, made)
        if self.state.loops == 1:
            self._one_of_many(target, body, element)
            values = {name: self.state.either(value, self._read(name)) for name, value in made.items()}
            if any(type(value) is not Foreign or value.package != made[name].package for name, value in values.items()):
                made = {}
                self._forget(names, made)
                self._one_of_many(target, body, element)
            self._forget(names, made)
        self.state.loops -= 1
        self.state.merge(before)

    def _one_of_many(self, target: ast.AST | None, body: list[ast.stmt], element: Value) -> None:
        if target is not None:
            self.expressions.bind_target(target, element)
        self._maybe(body)

    def _made_by_libraries(self, names: set[str]) -> dict[str, Foreign]:
        """Return those names that are bound to what a library made, each bound to any of these values."""
        values = {name: self._read(name) for name in names}
        packages = {name: package_of(value, self.state) for name, value in values.items()}
        holds = tuple(value for name, value in values.items() if packages[name])
        return {name: Foreign(package, holds) for name, package in packages.items() if package}

    def _read(self, name: str) -> Value:
        try:
            return self.state.read(name)
        except Unbound:
            return MAYBE_UNBOUND

    def _forget(self, names: set[str], made: dict[str, Foreign]) -> None:
        """Forget all but `made` of names that may have been bound any number of times."""
        for name in names:
            if self._read(name) is not MAYBE_UNBOUND:
                self.state.bind(name, made.get(name, UNKNOWN))

    def _While(self, node: ast.While) -> None:
        for _ in range(MAX_UNROLLED if self.state.steps() < MAX_STEPS_UNROLLED else 2):
            truth = self.expressions.truth(node.test)
            if truth is False:
                self._body(node.orelse)
                return
            if truth is None:
                break
            if not self._iteration(node.body):
                return
            if self._may_have_left(node):
                return
        self._maybe_loop(None, [ast.copy_location(ast.Expr(node.test), node.test), *node.body])
        self._end_loop(node)

    def _With(self, node: Any) -> None:
        swallows = False
        managers = []
        for each in node.items:
            entered = self._value(each.context_expr)
            managers.append(entered)
            value = self.expressions.entered(each.context_expr, entered)
            if value is None:
                swallows = swallows or not self._lets_through(entered)
                managers[-1] = UNKNOWN
                value = changed_by_operation(
                    each.context_expr, "entering or leaving the block may raise", self.state, entered
                )
            if each.optional_vars is not None:
                self.expressions.bind_target(each.optional_vars, value)
        entries = [(each.context_expr, entered) for each, entered in zip(node.items, managers)][::-1]
        try:
            if swallows:
                self._guarded_body(node.body)
            else:
                self._body(node.body)
        except (Stop, Jump) as left:
            self._leave(entries, left)
            raise
        for place, entered in entries:
            self.expressions.left(place, entered, raised=False)

    def _leave(self, entries: list[tuple[ast.AST, Value]], left: Stop | Jump) -> None:
        """Follow leaving context managers, the innermost first, because of an exception or a jump."""
        if isinstance(left, Stop) and left.finding is None and left.node is None:
            return
        raised = isinstance(left, Stop) or left.kind == "raise"
        try:
            for place, entered in entries:
                self.expressions.left(place, entered, raised=raised)
        except Stop as stop:
            if stop.finding is None:
                raise left from None
            raise

    _AsyncWith = _With

    def _lets_through(self, manager: Value) -> bool:
        """Whether leaving a block raises again what was raised in it: those of libraries do, but for a few."""
        package = package_of(manager, self.state)
        return bool(package) and package not in ("contextlib", "unittest", "pytest", "builtins", "concurrent")

    def _guarded_body(self, body: list[ast.stmt]) -> _Guarded:
        """Walk statements behind whose exceptions the cell may go on, and if one may come forget what they changed."""
        before = self.state.snapshot()
        doubts = self.state.doubted()
        outer, self._pending = self._pending, set()
        finding: Finding | None = None
        place: ast.AST | None = None
        self.state.guarded += 1
        try:
            self._body(body)
        except Stop as stop:
            if stop.finding is None and stop.node is None:
                raise
            finding, place = stop.finding, stop.node
            if finding is None and place is not None:
                self.state.doubt(place, "raises", stop.why)
        except Jump as jump:
            if jump.kind != "raise" and self.state.doubted() == doubts:
                raise
            self._pending.add(jump.kind)
            if jump.kind == "return":
                self._returned.append(jump.value)
        finally:
            self.state.guarded -= 1
            early = "raise" in self._pending or self.state.doubted() != doubts
            self._pending.discard("raise")
            self._pending |= outer
        if finding is not None and early:
            # It may not get there.
            self.state.suspect(finding, place)  # type: ignore[arg-type]
            finding = None
        names = _bound_by(body)
        bound = {name: self._read(name) for name in names} if early else {}
        if early or finding is not None:
            self.state.merge(before)
            self._forget(names, {})
        return _Guarded(finding, place, early, bound)

    def _Try(self, node: Any) -> None:
        if not node.handlers:
            self._with_finally(node.body, node.finalbody)
            return
        finding, place, early, bound = self._guarded_body(node.body)
        if finding is not None and not any(self._may_catch(each.type, finding) for each in node.handlers):
            assert place is not None
            self._with_finally([], node.finalbody)
            self.state.report(finding, place)
        if finding is not None or early:
            for handler in node.handlers:
                if handler.type is not None:
                    # Which of them is evaluated depends on what is raised.
                    self._maybe([ast.copy_location(ast.Expr(handler.type), handler.type)])
                if handler.name is not None:
                    self.state.bind(handler.name, Foreign("builtins"))
                self._maybe(handler.body)
        if early and all(isinstance(handler.body[-1], _JUMPS) for handler in node.handlers):
            # What comes behind runs only if nothing was raised.
            for name, value in bound.items():
                self.state.bind(name, value)
        if finding is not None:
            self._body(node.finalbody)
        elif early:
            self._maybe(node.orelse)
            self._body(node.finalbody)
        else:
            self._with_finally(node.orelse, node.finalbody)

    def _TryStar(self, node: Any) -> None:
        self.state.doubt(node, "reach", "except* is not followed")
        self._Try(node)

    def _may_catch(self, handler: ast.AST | None, finding: Finding) -> bool:
        """Whether an ``except`` clause may catch a finding; only unrelated exceptions of Python's own do not."""
        if handler is None:
            return True
        raised: Any = builtins.__dict__.get(finding.type)
        if not _is_plain_exception(raised):
            return True
        for each in handler.elts if isinstance(handler, ast.Tuple) else [handler]:
            try:
                caught: Any = self.state.live(self.state.read(each.id)) if isinstance(each, ast.Name) else None
            except Unbound:
                return True
            if type(caught) is not type or safe.class_module(caught) != "builtins" or safe.inherits(raised, caught):
                return True
        return False

    def _with_finally(self, body: list[ast.stmt], finalbody: list[ast.stmt]) -> None:
        try:
            self._body(body)
        except (Stop, Jump) as left:
            if isinstance(left, Stop) and left.finding is None and left.node is None:
                raise
            doubts = self.state.doubted()
            self._body(finalbody)
            if isinstance(left, Stop) and left.finding and left.node and self.state.doubted() != doubts:
                self.state.doubt(left.node, "raises", "the finally block may raise another exception")
            raise
        self._body(finalbody)

    def _Match(self, node: Any) -> None:
        subject = self._value(node.subject)
        changed_by_operation(node.subject, "a pattern may ask a value", self.state, subject)
        for case in node.cases:
            self._forget(_bound_by([case.pattern]), {})
            for each in ast.walk(case.pattern):
                name = getattr(each, "name", None) or getattr(each, "rest", None)
                if type(name) is str:
                    self.state.bind(name, UNKNOWN)
            guard = [] if case.guard is None else [ast.copy_location(ast.Expr(case.guard), case.guard)]
            self._maybe([*guard, *case.body])


def _bound_by(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that statements, also those of functions and classes in them, bind or delete."""
    found: set[str] = set()
    for node in (inner for each in nodes for inner in ast.walk(each)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


_JUMPS = (ast.Continue, ast.Break, ast.Return, ast.Raise)
# The first wants certain arguments, the others become a RuntimeError in a coroutine.
_WITH_OTHER_WAYS = (UnicodeError, StopIteration, StopAsyncIteration)


def _is_plain_exception(found: object) -> bool:
    """Whether it is one of Python's own exception classes that is raised as it is written."""
    if type(found) is not type:
        return False
    cls: type = found
    return (
        safe.inherits(cls, Exception)
        and safe.class_module(cls) == "builtins"
        and not any(safe.inherits(cls, each) for each in _WITH_OTHER_WAYS)
        and builtins.__dict__.get(safe.class_name(cls)) is cls
        and "Group" not in safe.class_name(cls)
    )
