"""Which executed cells made a value: definitions and uses over the cells as they ran, and slices backward from there.

By the text alone, statement by statement in the order of execution. Inside a cell a step costs nothing, from one cell
to another it counts one. What cannot be known (``exec``, star imports, ``%run``) may have bound any name.

Source: M. Weiser, "Program Slicing", IEEE TSE 10 (1984); the steps of F. Tip, "A Survey of Program Slicing
Techniques" (1995), section 3.1, with def-use chains that a sure definition ends.
"""

import ast
import builtins
import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from typing import Literal, NamedTuple

from crane_agent.in_kernel.scope import Names, names_of
from crane_agent.in_kernel.wire import Running
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import followed, parse
from crane_agent.notebook.effects import Change, changes_below, changes_in, may_bind_anything, names_of_cell
from crane_agent.notebook.history import Target

Act = Literal["bound", "defined", "imported", "changed", "deleted", "may have bound"]


class Feeding(NamedTuple):
    """A cell of a slice.

    Attributes:
        cell: The cell.
        distance: Cells on the way to the names that were asked for: 1 made one of them, 2 what that was made from.
    """

    cell: Cell
    distance: int


class Made(NamedTuple):
    """What one statement of an executed cell did to a name.

    Attributes:
        place: Place of the cell among the executed cells.
        cell: The cell.
        name: The name.
        act: What was done to it.
        how: What changed it, e.g. ``item assignment`` or ``.drop(inplace=True)``; else ''.
        distance: As of `Feeding`.
        node: The statement; the whole cell where it could not be taken apart.
    """

    place: int
    cell: Cell
    name: str
    act: Act
    how: str
    distance: int
    node: ast.AST


def makers(target: Target, name: str) -> tuple[Cell, ...]:
    """Return the executed cells that made a name what it is when the target runs, the last one first.

    The cell that bound it last and those that have changed it since; of a function or class also those that made the
    globals which its body reads.
    """
    near = (made for made in made_by(target, [name]) if made.distance == 1)
    places = {made.place for made in near if made.name == name or made.act != "imported"}
    return tuple(target.executed[place] for place in sorted(places, reverse=True))


def slice_of(target: Target, names: Iterable[str] | None = None) -> tuple[Feeding, ...]:
    """Return the executed cells that feed names, in execution order, each with how far away it is.

    Args:
        target: The target.
        names: The names, as they are when the target runs; what the target reads, if None.

    Cells that may bind any name belong to it, the farthest if nothing shows that they matter.
    """
    distances = _distances(target, target.names.reads if names is None else names)
    farthest = max(distances.values(), default=0) + 1
    for place, cell in enumerate(target.executed):
        if place not in distances and may_bind_anything(cell):
            distances[place] = farthest
    return tuple(Feeding(target.executed[place], distances[place]) for place in sorted(distances))


def by_nearness(target: Target) -> tuple[int, ...]:
    """Return the places of all executed cells: those that feed the target, the nearest first, then the others.

    Of two that are as near, the later one comes first. Who has room for some takes them from the front; what is left
    out is what was not taken.
    """
    distances = _distances(target, target.names.reads)
    places = range(len(target.executed))
    return tuple(sorted(places, key=lambda place: (distances.get(place, len(places) + 1), -place)))


def _distances(target: Target, names: Iterable[str]) -> dict[int, int]:
    found: dict[int, int] = {}
    for made in made_by(target, names):
        found.setdefault(made.place, made.distance)
    return found


def made_by(target: Target, names: Iterable[str]) -> Iterator[Made]:
    """Yield what made names, the nearest first, then what that was made from, and so on.

    Of two that are as near, the later comes first; a statement comes once for each name.
    """
    return iter(_flow_of(target.executed).back_from(names))


# -- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Step:
    """One statement as the flow sees it; a whole cell where that could not be taken apart.

    Attributes:
        node: The statement.
        names: What it reads and binds.
        changes: What it changes in place.
        surely: The names that it binds on every path.
        is_shown: Whether it is the last of its cell, whose value is displayed.
        is_unknown: Whether it may bind any name.
    """

    node: ast.AST
    names: Names
    changes: tuple[Change, ...] = ()
    surely: frozenset[str] = frozenset()
    is_shown: bool = False
    is_unknown: bool = False


@lru_cache(maxsize=1024)
def _steps_of(cell: Cell) -> tuple[_Step, ...]:
    names = names_of_cell(cell)
    unknown = [_Step(_NOTHING, names, is_unknown=True)] if may_bind_anything(cell) else []
    code = followed(parse(cell.source))
    if code.tree is None:
        return tuple(unknown)
    statements = list(_unfolded(code.tree.body))
    steps = [_step_of(each, is_shown=each is statements[-1]) for each in statements]
    bound = frozenset().union(*(step.names.binds for step in steps))
    changed = {change for step in steps for change in step.changes}
    if not (bound == names.binds and changed.issuperset(changes_in(cell))):
        # A magic whose options nobody reads here; what ``timeit`` binds stays inside of it.
        steps = [_Step(code.tree, names, changes_in(cell))]
    return (*steps, *unknown)


_NOTHING = ast.Pass()


def _unfolded(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, Running):
            yield from _unfolded(statement.body)
        else:
            yield statement


def _step_of(statement: ast.stmt, *, is_shown: bool) -> _Step:
    changes = tuple(changes_below(statement, frozenset()))
    return _Step(statement, names_of(statement), changes, frozenset(_surely_bound([statement])), is_shown)


def _surely_bound(statements: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements bind on every path; loops are taken to run, and ``try`` to its end."""
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.If():
                found |= set.intersection(*map(_surely_bound, _branches(statement)))
            case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith() | ast.Try():
                header = [each for each in ast.iter_child_nodes(statement) if not isinstance(each, ast.stmt)]
                found |= _stored(header) | _surely_bound(statement.body)
            case ast.AugAssign():
                pass
            case _:
                found |= names_of(statement).binds
    return found


def _branches(choice: ast.If) -> list[list[ast.stmt]]:
    """Return what may run of an ``if``; a long chain of ``elif`` nests deeply."""
    found = [choice.body]
    while len(choice.orelse) == 1 and isinstance(choice.orelse[0], ast.If):
        choice = choice.orelse[0]
        found.append(choice.body)
    return [*found, choice.orelse]


def _stored(nodes: Iterable[ast.AST]) -> set[str]:
    every = (each for node in nodes for each in ast.walk(node))
    return {each.id for each in every if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def run_in_place(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes under `tree`, itself included, that run when it does: no bodies of functions and classes."""
    pending = deque([tree])
    while pending:
        node = pending.popleft()
        yield node
        if not isinstance(node, _OTHER_SCOPES):
            pending.extend(ast.iter_child_nodes(node))


def root_of(node: ast.expr) -> str:
    """Return the name that a value is reached from by attributes and items; '' if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


# -- what the cells did, in the order in which they ran --------------------------------------------------------------


class _Deed(NamedTuple):
    """What the step with the number `at`, of the cell with the place `place`, did to a name."""

    at: int
    place: int
    act: Act
    how: str = ""
    is_sure: bool = False


class _Flow:
    """What each statement of the executed cells did to which name."""

    def __init__(self, executed: Sequence[Cell]) -> None:
        self._cells = executed
        self._steps: list[_Step] = []
        self._deeds: defaultdict[str, list[_Deed]] = defaultdict(list)
        self._unknown: list[_Deed] = []
        self._functions = _Functions()
        self._held: dict[str, frozenset[str]] = {}
        for place, cell in enumerate(executed):
            for step in _steps_of(cell):
                self._add(step, place)

    def back_from(self, names: Iterable[str]) -> list[Made]:
        """Return what made names when everything had run, nearest first."""
        found: dict[tuple[int, str], Made] = {}
        pending = deque((0, name, len(self._steps), -1) for name in sorted(set(names)))
        seen: set[tuple[str, int]] = set()
        while pending:
            distance, name, before, reader = pending.popleft()
            if (name, before) in seen:
                continue
            seen.add((name, before))
            for deed in self._deeds_before(name, before):
                node, reads = self._steps[deed.at].node, sorted(self._steps[deed.at].names.reads)
                away = distance + (deed.place != reader)
                made = Made(deed.place, self._cells[deed.place], name, deed.act, deed.how, away, node)
                if (deed.at, name) not in found or away < found[deed.at, name].distance:
                    found[deed.at, name] = made
                # The body of a function runs where it is called; what is as near is looked at before the rest.
                if deed.act == "defined":
                    pending.extendleft((distance, read, before, reader) for read in reads)
                elif away == distance:
                    pending.extendleft((away, read, deed.at, deed.place) for read in reads)
                else:
                    pending.extend((away, read, deed.at, deed.place) for read in reads)
        return [found[key] for key in sorted(found, key=lambda key: (found[key].distance, -key[0], key[1]))]

    def _deeds_before(self, name: str, before: int) -> Iterator[_Deed]:
        """Yield what was done to a name before a step, the last first, to where it was surely bound."""
        if name not in self._deeds and hasattr(builtins, name):
            return
        known, unknown = (each[: bisect_left(each, (before,))] for each in (self._deeds.get(name, []), self._unknown))
        for deed in merge(reversed(known), reversed(unknown), reverse=True):
            yield deed
            if deed.is_sure:
                return

    def _add(self, step: _Step, place: int) -> None:
        at = len(self._steps)
        self._steps.append(step)
        if step.is_unknown:
            self._unknown.append(_Deed(at, place, "may have bound"))
            return
        nodes = list(run_in_place(step.node))
        self._hold_elements(nodes)
        changes = [*step.changes, *_by_dropped_calls(step), *self._functions.changes_by_calls(nodes)]
        for change in dict.fromkeys(changes):
            if not self._functions.is_of_module(change):
                for name in self._reached_with(change.name):
                    self._do(name, _Deed(at, place, "changed", change.how))
        if isinstance(step.node, ast.AugAssign):
            return
        for name in step.names.binds:
            is_sure = name in step.surely and not self._cells[place].failed_when_saved
            self._do(name, _Deed(at, place, _act_of(step.node), is_sure=is_sure))
            self._bind(name, step.node)
        for name in step.names.deletes - step.names.binds:
            self._do(name, _Deed(at, place, "deleted", is_sure=True))

    def _do(self, name: str, deed: _Deed) -> None:
        self._deeds[name].append(deed)

    def _bind(self, name: str, node: ast.AST) -> None:
        self._functions.bind(name, node)
        self._held.pop(name, None)
        for each, held in self._held.items():
            self._held[each] = held - {name}
        if isinstance(node, ast.Assign):
            self._held[name] = _held_by(node.value) - {name}

    def _hold_elements(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.For | ast.AsyncFor):
                for name in _stored([node.target]):
                    self._held[name] = _held_by(node.iter) - {name}

    def _reached_with(self, name: str) -> set[str]:
        """Return the names whose value changes with that of a name: what it holds, and what holds it."""
        return {name, *_closure(name, self._held), *(each for each in self._held if name in _closure(each, self._held))}


@lru_cache(maxsize=8)
def _flow_of(executed: tuple[Cell, ...]) -> _Flow:
    return _Flow(executed)


class _Functions:
    """The functions that the cells have defined so far, and what calling one changes."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Function] = {}
        self._modules: set[str] = set()
        self._effects: dict[str, _Effect] = {}

    def bind(self, name: str, node: ast.AST) -> None:
        """Take note of what a statement has bound a name to."""
        self._modules.discard(name)
        if self._nodes.pop(name, None) is not None or isinstance(node, _FUNCTIONS):
            self._effects.clear()
        if isinstance(node, _FUNCTIONS):
            self._nodes[name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._modules.add(name)

    def is_of_module(self, change: Change) -> bool:
        """Whether a function of a module was taken for a method: ``np.sort(x)`` changes nothing of ``np``."""
        return change.by_method and change.name in self._modules

    def changes_by_calls(self, nodes: Iterable[ast.AST]) -> Iterator[Change]:
        """Yield what the calls among nodes change of the values that are there."""
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._nodes:
                name = node.func.id
                given, effect = arguments_of(node, self._nodes[name]), self._effect_of(name)
                passed = {root_of(given[each]) for each in effect.parameters if each in given}
                yield from (Change(each, f"{name}()") for each in sorted(passed | effect.names) if each)

    def _effect_of(self, name: str) -> "_Effect":
        if name not in self._effects:
            self._effects[name] = _Effect(frozenset(), frozenset())  # what it calls may call it
            self._effects[name] = self._look_into(self._nodes[name])
        return self._effects[name]

    def _look_into(self, function: _Function) -> "_Effect":
        parameters = set(parameters_of(function))
        declared = {each for node in ast.walk(function) if isinstance(node, ast.Global) for each in node.names}
        local = (parameters | names_of(ast.Module(function.body, [])).binds) - declared
        changed: set[str] = set()
        for statement in function.body:
            every = [*changes_below(statement, frozenset()), *self.changes_by_calls(run_in_place(statement))]
            changed |= {each.name for each in every if each.how != _AUGMENTED and not self.is_of_module(each)} - (
                local - parameters
            )
            parameters -= names_of(statement).binds  # from here on the name means another value
        given = frozenset(parameters_of(function))
        return _Effect(frozenset(changed) & given, (frozenset(changed) - given) | names_of(function).sets_globals)


class _Effect(NamedTuple):
    """What calling a function changes: the values given to `parameters`, and those of global `names`."""

    parameters: frozenset[str]
    names: frozenset[str]


_AUGMENTED = "augmented assignment"


def _act_of(node: ast.AST) -> Act:
    match node:
        case ast.Import() | ast.ImportFrom():
            return "imported"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return "defined"
    return "bound"


def parameters_of(function: _Function) -> list[str]:
    """Return the names of the parameters that take one argument each, those by position first."""
    given = function.args
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def arguments_of(call: ast.Call, function: _Function, *, bound: int = 0) -> dict[str, ast.expr]:
    """Return the arguments of a call by the parameters that they are given to, as far as that is plain.

    Args:
        call: The call.
        function: What it calls.
        bound: Parameters at the front that the call does not give: 1 for a method of an object.
    """
    positional = [each.arg for each in (*function.args.posonlyargs, *function.args.args)][bound:]
    found = {each.arg: each.value for each in call.keywords if each.arg is not None}
    for name, argument in zip(positional, call.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        found[name] = argument
    return found


# Methods that people call as a statement to look, to draw or to write elsewhere: they leave their object as it was.
_LOOKING = re.compile(
    r"(head|tail|info|describe|summary|sample|show|display|print|plot|draw|hist|boxplot|scatter|bar|view|count|"
    r"nunique|value_counts|corr|is|has|get|to|save|write|dump|log|close|flush|predict|evaluate|score|transform|"
    r"format|join|copy|sum|mean|min|max)(_|$)"
)


def _by_dropped_calls(step: _Step) -> Iterator[Change]:
    """Yield what is changed by methods whose result is dropped, and which nothing else tells to only look."""
    for node in run_in_place(step.node):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method))):
                shown = step.is_shown and node is step.node
                if not shown and not _LOOKING.match(method) and root_of(owner):
                    yield Change(root_of(owner), f".{method}()")


def _held_by(node: ast.expr) -> frozenset[str]:
    """Return the names whose very objects a value is, or holds as elements."""
    match node:
        case ast.Name(id=name):
            return frozenset([name])
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return frozenset().union(*map(_held_by, elements))
        case ast.Dict(values=elements):
            return frozenset().union(*map(_held_by, elements))
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "reversed" | "list" | "tuple"), args=arguments):
            return frozenset().union(*map(_held_by, arguments))
        case ast.Call(func=ast.Attribute(value=owner, attr="items" | "values"), args=[]):
            return _held_by(owner)
    return frozenset()


def _closure(name: str, held: Mapping[str, frozenset[str]]) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        for each in held.get(pending.pop(), ()):
            if each not in found:
                found.add(each)
                pending.append(each)
    return found
