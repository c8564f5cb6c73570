"""Generators of the user's that are run through where they are made, and context managers made of generators.

A generator runs while what runs through it runs: it is followed at once only if neither can tell the difference, that
is if it changes nothing and reads nothing but its arguments. Of a context manager what stands before its ``yield`` is
followed on entering, what stands behind on leaving. Source: the Python language reference, "Yield expressions"; the
Python library reference, `contextlib.contextmanager`.
"""

from __future__ import annotations

import ast
import builtins
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import safe
from . import definitions
from .effects import Reach
from .sites import CallSite, Finding, Jump, Stop
from .state import Unbound
from .values import Elements, Foreign, Known, Made, Value

if TYPE_CHECKING:
    from .functions import Functions
    from .state import State


class Prepared(NamedTuple):
    """A function of the user's whose parameters are bound.

    Attributes:
        node: Its definition.
        closure: The scopes of the functions around it.
        names: Its own names.
        declared: Names that it declares ``global``.
        qualname: Its qualified name; '' if that is not known.
    """

    node: Any
    closure: tuple[dict[str, Value | None], ...]
    names: dict[str, Value | None]
    declared: frozenset[str]
    qualname: str


class Run:
    """A generator that is run through.

    Attributes:
        found: What it yielded so far.
        complete: Whether that is certain.
        conditional: Depth of branches that the walk was in when it began.
    """

    def __init__(self, conditional: int) -> None:
        self.found: list[Value] = []
        self.complete = True
        self.conditional = conditional

    def add(self, value: Value, conditional: int) -> None:
        """Note what is yielded; in a branch that may not run it is not known whether it is."""
        self.complete = self.complete and conditional == self.conditional
        if self.complete:
            self.found.append(value)


def made(function: Value, prepared: Prepared, arguments: tuple[Value, ...]) -> Made:
    """Return what calling a generator function gives: nothing has run yet."""
    return Made("generator", prepared=prepared, function=function, holds=Foreign("builtins", arguments))


def elements(node: ast.AST, value: Value, functions: Functions, state: State) -> Elements | Finding | None:
    """Return what a generator yields that is run through here; None if it is none, or that is not known."""
    if type(value) is not Made or value.kind != "generator" or "prepared" not in value.facts:
        return None
    prepared: Prepared = value.facts["prepared"]
    if not _reads_arguments_alone(prepared, functions, state):
        return None
    del value.facts["prepared"]
    value.facts["reads"] = list(map(id, Reach(state).add(value.facts["holds"]).objects))
    doubts, changes, bindings, before = state.doubted(), state.changes(), state.bindings(), state.snapshot()
    run, stopped = Run(state.conditional), None
    state.guarded += 1
    try:
        functions.run_part(prepared, prepared.node.body, node, run)
    except Stop as stop:
        if stop.finding is None:
            raise
        stopped = stop.finding
    except Jump:
        state.may_raise(node, "a generator may raise")
    finally:
        state.guarded -= 1
    if state.changes() != changes or state.bindings()[0] != bindings[0]:
        state.merge(before)
        state.may_raise(node, "what a generator changes is not followed in step")
        return Elements([], complete=False)
    certain = run.complete and state.doubted() == doubts
    if stopped is not None and certain:
        if not run.found:
            return stopped
        value.facts["raises"] = stopped
    if stopped is not None:
        state.may_raise(node, "a generator may raise")
    return Elements(run.found, complete=certain and stopped is None)


def _reads_arguments_alone(prepared: Prepared, functions: Functions, state: State) -> bool:
    """Whether a generator names nothing but its own, built-ins, modules, and functions and classes of libraries."""
    if prepared.closure or prepared.declared:
        return False
    for each in ast.walk(prepared.node):
        if isinstance(each, ast.Name) and each.id not in prepared.names:
            try:
                value = state.read(each.id)
            except Unbound:
                continue
            found: Any = state.live(value)
            if found is safe.ABSENT or (found is not builtins.__dict__.get(each.id) and not _is_fixed(found, state)):
                return False
        elif isinstance(each, (ast.FunctionDef, ast.Lambda, ast.ClassDef)) and each is not prepared.node:
            return False
    return True


def _is_fixed(found: Any, state: State) -> bool:
    if type(found) is types.FunctionType:
        return found.__globals__ is not state.shell.user_ns
    of_library = safe.inherits(type(found), type) and not state.is_users(found)
    return of_library or safe.one_of(type(found), (types.ModuleType, types.BuiltinFunctionType))


# -- context managers --------------------------------------------------------------------------------------------------


def maker(callee: Value, site: CallSite, functions: Functions, state: State) -> Made | None:
    """Return what ``contextmanager(function)`` makes of a generator function of the user's."""
    found: Any = state.live(callee)
    if found is safe.ABSENT or found is not safe.loaded("contextlib", "contextmanager"):
        return None
    if len(site.arguments) != 1 or site.keywords or not functions.is_function(site.arguments[0]):
        return None
    return Made("manager maker", function=site.arguments[0])


def context(callee: Value, site: CallSite, functions: Functions, state: State) -> Made | Finding | None:
    """Return what calling what `contextmanager` made gives; None if it is no such, or not followed."""
    function = function_of(callee, functions, state)
    prepared = None if function is None else functions.prepared(function, site.arguments, site)
    if not isinstance(prepared, Prepared):
        return prepared
    if parts(prepared.node) is None:
        return None
    holds = Foreign("builtins", (*site.arguments, *site.keywords.values()))
    return Made("user context", prepared=prepared, function=function, holds=holds)


def function_of(callee: Value, functions: Functions, state: State) -> Value | None:
    """Return the generator function behind what `contextmanager` made, and that is called; None if it is no such."""
    if type(callee) is Made and callee.kind == "manager maker":
        found: Value = callee.facts["function"]
        return found
    helper: Any = state.live(callee)
    whole: Any = safe.loaded("contextlib", "contextmanager")
    if type(helper) is not types.FunctionType or type(whole) is not types.FunctionType:
        return None
    if not any(helper.__code__ is each for each in whole.__code__.co_consts) or len(helper.__closure__ or ()) != 1:
        return None
    inner = helper.__closure__[0].cell_contents  # type: ignore[index]
    return Known(inner) if functions.is_users(inner) else None


class Parts(NamedTuple):
    """The body of a context manager.

    Attributes:
        before: What runs on entering; it returns what ``as`` binds.
        behind: What runs on leaving without an exception.
        always: What runs on leaving with one, which goes on then.
    """

    before: list[ast.stmt]
    behind: list[ast.stmt]
    always: list[ast.stmt]


def parts(node: Any) -> Parts | None:
    """Return the parts of a generator function with one ``yield``, as a statement; None of what may handle exceptions.

    The ``yield`` stands in the body itself, or in the body of a ``try`` with a ``finally`` and nothing else.
    """
    several = [each for each in ast.walk(node) if isinstance(each, (ast.Yield, ast.YieldFrom, ast.Return, ast.Await))]
    if len(several) != 1 or not isinstance(several[0], ast.Yield):
        return None
    place = _place(node.body, several[0])
    if place is not None:
        return _split(node.body, place, several[0], [])
    for at, each in enumerate(node.body):
        inner = _place(each.body, several[0]) if isinstance(each, ast.Try) else None
        if inner is not None and not each.handlers and not each.orelse and _ends(each.finalbody):
            found = _split(each.body, inner, several[0], each.finalbody)
            before = [*node.body[:at], *found.before]
            return Parts(before, [*found.behind, *each.finalbody, *node.body[at + 1 :]], each.finalbody)
    return None


def _place(body: list[ast.stmt], wanted: ast.Yield) -> int | None:
    kinds = (ast.Expr, ast.Assign)
    return next((at for at, each in enumerate(body) if isinstance(each, kinds) and each.value is wanted), None)


def _split(body: list[ast.stmt], place: int, wanted: ast.Yield, always: list[ast.stmt]) -> Parts:
    statement = body[place]
    behind = body[place + 1 :]
    if isinstance(statement, ast.Assign):
        nothing = ast.copy_location(ast.Constant(None), statement)
        behind = [ast.copy_location(ast.Assign(statement.targets, nothing), statement), *behind]
    return Parts([*body[:place], ast.copy_location(ast.Return(wanted.value), statement)], behind, always)


def _ends(statements: list[ast.stmt]) -> bool:
    """Whether statements do not jump: a ``break`` in a ``finally`` would swallow what was raised."""
    jumps = (ast.Break, ast.Continue)
    return not any(isinstance(each, jumps) for statement in statements for each in ast.walk(statement))


def entered(node: ast.AST, manager: Made, functions: Functions) -> Value | Finding | None:
    """Follow entering a context manager of the user's."""
    prepared: Prepared | None = manager.facts.get("prepared")
    found = None if prepared is None or manager.facts.get("entered") else parts(prepared.node)
    if found is None or prepared is None:
        return None
    manager.facts["entered"] = True
    return functions.run_part(prepared, found.before, node, None)


def left(node: ast.AST, manager: Made, functions: Functions, *, raised: bool) -> Value | None:
    """Follow leaving it, and return something if that is followed."""
    prepared: Prepared | None = manager.facts.get("prepared")
    found = None if prepared is None else parts(prepared.node)
    if found is None or prepared is None:
        return None
    return functions.run_part(prepared, found.always if raised else found.behind, node, None)


def never_swallows(function: Value, functions: Functions) -> bool:
    """Whether an ``__exit__`` returns nothing true, so that exceptions go on."""
    node = functions.definition(function)
    if node is None or isinstance(node, ast.Lambda) or not definitions.is_plain(node):
        return False
    returned = [each.value for each in definitions.own_nodes(node) if isinstance(each, ast.Return)]
    return all(each is None or (isinstance(each, ast.Constant) and not each.value) for each in returned)
