"""The walk over the target's statements, in the order they run.

The walk follows what is certain: a branch whose condition is known, a loop over elements that are known. A branch that
may not run is walked too, but what is found there is a suspect, and what it changes is forgotten.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import sys
from typing import Any

from .. import safe
from . import rules
from .elements import elements
from .expressions import Expressions
from .sites import Finding, ImportSite, Stop, SubscriptSite
from .state import State, Unbound
from .values import UNKNOWN, Defined, Made, Value
from .words import Part, words


class _Jump(Exception):
    """A break, continue or return leaves the statements around it."""


class Walker:
    """Walks the statements of the target over a `State`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.expressions = Expressions(state)

    def run(self, tree: ast.Module) -> None:
        """Walk the cell.

        Raises:
            Stop: The cell crashes, ends, or cannot be followed any further.
        """
        self._body(tree.body)

    def _body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.state.step()
            visit = getattr(self, "_" + type(statement).__name__, None)
            if visit is None:
                self.state.doubt(statement, "effects", "{} is not followed".format(type(statement).__name__))
                self.state.forget_names()
                continue
            visit(statement)

    def _value(self, node: ast.AST) -> Value:
        return self.expressions.value(node)

    # -- simple statements ---------------------------------------------------------------------------------------

    def _Expr(self, node: ast.Expr) -> None:
        self._value(node.value)

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
        self._annotation(node.annotation)
        if type(self.state.shell.user_ns.get("__annotations__")) is not dict or not isinstance(node.target, ast.Name):
            self.state.doubt(node, "effects", "an annotation binds __annotations__")

    def _annotation(self, node: ast.AST) -> None:
        """Follow an annotation: Python 3.14 evaluates it later, if at all, and so does ``from __future__``."""
        later = __future__.annotations.compiler_flag
        if sys.version_info < (3, 14) and not self.state.shell.compile.flags & later:
            self._value(node)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            before = self._value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            value = self._value(node.value)
            # On a list, dict or set ``+=`` changes the object, which other names may share.
            if not safe.one_of(type(self.state.live(before)), (int, float, bool, str, bytes, tuple)):
                self.state.touch(before)
                self.state.doubt(node, "raises", "an operator on a value that is not followed")
                self.state.bind(target.id, UNKNOWN)
                return
            self.state.bind(target.id, self.expressions.binary(node, node.op, before, value, in_place=True))
            return
        load = ast.copy_location(type(target)(**{**dict(ast.iter_fields(target)), "ctx": ast.Load()}), target)
        self._value(load)
        self._value(node.value)
        self.state.doubt(node, "raises", "an operator on a value that is not followed")
        owner = self._value(target.value)
        if isinstance(target, ast.Subscript):
            key = self._value(target.slice)
            self.expressions.store_item(SubscriptSite(target, owner, key, "store"), UNKNOWN)
        else:
            self.state.touch(owner)

    def _Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
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
            return
        if self.state.conditional:
            self.state.doubt(node, "reach", "the cell may raise here itself")
            return
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
            self.state.bind(name, self.state.in_kernel(name, module) if known else UNKNOWN)

    def _import(self, node: ast.stmt, name: str) -> bool:
        parts = name.split(".")
        if safe.instance_dict(safe.loaded(name)) is self.state.shell.user_ns:
            self.state.doubt(node, "effects", "what the cell bound is imported")
        elif all(safe.loaded(".".join(parts[: place + 1])) is not None for place in range(len(parts))):
            return True
        self.state.doubt(node, "raises", "importing {} runs its code".format(name))
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
                    self.state.bind(alias.asname or alias.name, UNKNOWN)
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
        for decorator in node.decorator_list:
            self._value(decorator)
            self.state.doubt(decorator, "effects", "a decorator is not followed")
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self._value(default)
        taken = node.args
        several = [*taken.args, *getattr(taken, "posonlyargs", ()), taken.vararg, *taken.kwonlyargs, taken.kwarg]
        for annotation in [*(each.annotation for each in several if each is not None), node.returns]:
            if annotation is not None:
                self._annotation(annotation)
        self.state.bind(node.name, UNKNOWN if node.decorator_list else Defined(node))

    _AsyncFunctionDef = _FunctionDef

    def _type_parameters(self, node: ast.AST) -> None:
        """Type parameters, Python 3.12 and later, open a scope of their own for what is evaluated in the header."""
        for each in getattr(node, "type_params", ()):
            self.state.doubt(each, "effects", "type parameters are not followed")
            self.state.bind(each.name, UNKNOWN)

    def _ClassDef(self, node: ast.ClassDef) -> None:
        self._type_parameters(node)
        for each in [*node.decorator_list, *node.bases, *[keyword.value for keyword in node.keywords]]:
            self._value(each)
        plain = not node.decorator_list and not node.bases and not node.keywords
        if not plain or not all(_is_inert(each) for each in node.body):
            self.state.doubt(node, "effects", "the body of a class is not followed")
        self.state.bind(node.name, Defined(node))

    # -- jumps ---------------------------------------------------------------------------------------------------

    def _jump(self, node: ast.stmt) -> None:
        raise _Jump

    _Break = _Continue = _Return = _jump

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
        before = self.state.snapshot()
        self.state.conditional += 1
        try:
            self._body(statements)
        except _Jump:
            self.state.doubt(statements[-1], "reach", "the lines below may not run")
        except Stop as stop:
            # Only a guarded finding, or the end of what can be followed, gets here.
            if stop.finding is not None and self.state.guarded:
                self.state.doubt(statements[0], "raises", "an exception may be raised and handled")
            elif stop.finding is None and stop.node is None:
                raise
            else:
                self.state.doubt(statements[0], "reach", "the lines below may not run")
        finally:
            self.state.conditional -= 1
            self.state.merge(before)
        if statements and any(
            isinstance(each, (ast.Break, ast.Continue, ast.Return)) for each in ast.walk(ast.Module(statements, []))
        ):
            self.state.doubt(statements[0], "reach", "the lines below may not run")

    def _For(self, node: ast.For) -> None:
        value = self._value(node.iter)
        found = elements(self.state, value)
        if found is None:
            self.state.doubt(node.iter, "effects", "iterating over a value that is not followed")
            self._maybe_loop(node.target, node.body)
            self._maybe(node.orelse)
            return
        changes = self.state.changes()
        for element in found:
            self.expressions.bind_target(node.target, element)
            try:
                self._body(node.body)
            except _Jump:
                # A jump on a certain path: the rest is reached in a way that is not followed further.
                self.state.doubt(node, "reach", "the loop is left early")
                self._forget(node.body)
                return
            if self.state.changed_since(changes, value):
                self.state.doubt(node, "effects", "what the loop iterates over is changed in it")
                self._forget(node.body)
                return
        self._body(node.orelse)

    def _AsyncFor(self, node: ast.AsyncFor) -> None:
        self._value(node.iter)
        self.state.doubt(node, "effects", "other code may run while the cell waits")
        self._maybe_loop(node.target, node.body)

    def _maybe_loop(self, target: ast.AST | None, body: list[ast.stmt]) -> None:
        before = self.state.snapshot()
        if target is not None:
            self.expressions.bind_target(target, UNKNOWN)
        self.state.loops += 1
        self._maybe(body)
        self.state.loops -= 1
        self._forget(body)
        self.state.merge(before)

    def _forget(self, body: list[ast.stmt]) -> None:
        """Forget every name that statements bind or delete: they may have run any number of times."""
        for node in ast.walk(ast.Module(body, [])):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self.state.bind(node.id, UNKNOWN)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                self.state.bind(node.name, UNKNOWN)
            elif isinstance(node, ast.alias):
                self.state.bind((node.asname or node.name).partition(".")[0], UNKNOWN)

    def _While(self, node: ast.While) -> None:
        truth = self.expressions.truth(node.test)
        if truth is False:
            self._body(node.orelse)
            return
        self.state.doubt(node, "reach", "how often the loop runs is not followed")
        self._maybe_loop(None, node.body)
        self._maybe(node.orelse)

    def _With(self, node: Any) -> None:
        for each in node.items:
            entered = self._value(each.context_expr)
            known = type(entered) is Made and entered.kind == "file"
            if not known:
                self.state.doubt(node, "raises", "entering or leaving the block may raise, or swallow an exception")
            if each.optional_vars is not None:
                self.expressions.bind_target(each.optional_vars, entered if known else UNKNOWN)
        self._body(node.body)

    _AsyncWith = _With

    def _Try(self, node: Any) -> None:
        if not node.handlers:
            self._with_finally(node.body, node.finalbody)
            self._body(node.orelse)
            return
        finding: Finding | None = None
        place: ast.AST | None = None
        before = self.state.snapshot()
        doubts = len(self.state.doubts)
        self.state.guarded += 1
        try:
            self._body(node.body)
        except Stop as stop:
            if stop.finding is None:
                raise
            finding, place = stop.finding, stop.node
        finally:
            self.state.guarded -= 1
        if finding is not None and not any(self._may_catch(each.type, finding) for each in node.handlers):
            assert place is not None
            if node.finalbody:
                self.state.doubt(node, "raises", "the finally block may raise another exception")
            self.state.report(finding, place)
        settled = finding is None and len(self.state.doubts) == doubts
        if not settled:
            self.state.merge(before)
            self.state.doubt(node, "reach", "an exception may be raised and handled here")
            for handler in node.handlers:
                if handler.name is not None:
                    self.state.bind(handler.name, UNKNOWN)
                self._maybe(handler.body)
            self._forget(node.body)
        self._with_finally(node.orelse if finding is None else [], node.finalbody)

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
        except Stop as stop:
            doubts = len(self.state.doubts)
            self._body(finalbody)
            finding, place = stop.finding, stop.node
            if finding is not None and place is not None and len(self.state.doubts) > doubts:
                self.state.suspect(finding, place)
                raise Stop(None, place, "a crash is likely here") from None
            raise
        self._body(finalbody)

    def _Match(self, node: Any) -> None:
        self._value(node.subject)
        self.state.doubt(node, "effects", "match is not followed")
        for case in node.cases:
            self._maybe(case.body)


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


def _is_inert(node: ast.stmt) -> bool:
    """Whether a statement in a class's body cannot raise: a constant, or a function whose header evaluates nothing."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.FunctionDef) and not _has_header(node))


def _has_header(node: ast.FunctionDef) -> bool:
    """Whether defining a function evaluates anything: decorators, defaults, annotations."""
    arguments = node.args
    return bool(node.decorator_list or arguments.defaults or any(arguments.kw_defaults) or node.returns) or any(
        each.annotation is not None for each in ast.walk(arguments) if isinstance(each, ast.arg)
    )
