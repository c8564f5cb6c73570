"""Where a crash comes from: the executed cells that made what the failing expression was made of.

The message tells which operand is to blame; the text tells where that came from, back through the functions that the
crash came through to the names of earlier cells. A value that a function computed by itself blames the cell of that
function; one that it was given blames whoever made it.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from crane_agent.in_kernel.scope import names_of
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import followed, parse
from crane_agent.notebook.dependence import Made, arguments_of, made_by, parameters_of, root_of, run_in_place
from crane_agent.notebook.effects import names_of_cell
from crane_agent.notebook.history import Target
from crane_agent.verdict.models import Origin

MOST = 3
"""Cells named for one crash."""


@dataclass(frozen=True)
class Frame:
    """Code of the cells that a crash came through.

    Attributes:
        function: Name of the function, as a traceback shows it; that of the target itself does not matter.
        line: The line, as `notebook.code.followed` counts it; None if it is not known.
        cell: The executed cell it stands in; None for the target.
    """

    function: str
    line: int | None
    cell: Cell | None = None


@dataclass(frozen=True)
class Failure:
    """What is known of a crash.

    Attributes:
        type: Name of the exception's class.
        message: Its message, whole: it decides what is to blame, and no word of it is told.
        frames: The code it came through, at least one, the innermost last.
        expression: Source of the expression that failed; '' if it is not known.
        place: Line and column at which that begins, counted as in a syntax tree; None if it is not known.
        owner: The name that lacks what was asked for, or that is not there; '' if it is not known.
        types: Classes of operands by their source, as far as they are known.
    """

    type: str
    message: str
    frames: Sequence[Frame]
    expression: str = ""
    place: tuple[int, int] | None = None
    owner: str = ""
    types: Mapping[str, str] = field(default_factory=dict)

    def says(self, pattern: str) -> bool:
        """Whether the message matches a pattern."""
        return re.search(pattern, self.message) is not None


def origin_of(failure: Failure, target: Target) -> tuple[Origin, ...]:
    """Return the executed cells that a crash comes from, the likeliest first, each with what it did.

    Those that made the operand to blame, the nearest first, and that whose code raised. Cells that only import, and
    those that only read a value, are none.
    """
    places = _places(failure.frames, target)
    raising = places[-1].frame.cell
    found = list(_lacking(failure, target) if failure.type == "NameError" else _candidates(failure, target, places))
    if raising is not None:
        found.append(_Candidate(_RAISING, raising, ""))
    kept: dict[tuple[int, int | None], Origin] = {}
    for cell, summary in ((each.cell, each.summary) for each in sorted(found, key=lambda candidate: candidate.order)):
        words = f"defines {places[-1].name}, which raises" if cell is raising else summary
        origin = Origin(cell=cell.place, ran=cell.execution_count, summary=words)
        kept.setdefault((cell.index, cell.execution_count), origin)
    return tuple(kept.values())[:MOST]


class _Candidate(NamedTuple):
    """A cell that a crash may come from.

    Attributes:
        distance: How far away it is.
        cell: The cell.
        summary: What it did.
        turn: Which one it is of those that are as far away by the same name.
        place: Its place among the executed cells.
    """

    distance: float
    cell: Cell
    summary: str
    turn: int = 0
    place: int = -1

    @property
    def order(self) -> tuple[float, int, int]:
        """What it is sorted by: where several operands are to blame, one cell of each comes first."""
        return self.distance, self.turn, -self.place


_COMPUTING = 0.0  # the function that computed the operand
_MENTIONING = 0.5  # what made the operand, and mentions the key that is missing
_RAISING = 1.5  # behind those that made the operand, before those that made what it was made from


# -- a name that is not there ----------------------------------------------------------------------------------------


def _lacking(failure: Failure, target: Target) -> Iterator[_Candidate]:
    """Yield the executed cells that have deleted a name, or that bind it elsewhere."""
    found = re.match(r"name '(\w+)' is not defined", failure.message)
    name = failure.owner or (found[1] if found else "")
    for place, cell in reversed(list(enumerate(target.executed if name else ()))):
        names = names_of_cell(cell)
        if name in names.deletes:
            yield _Candidate(0, cell, f"deleted {name}", place=place)
            return
        if name in names.binds:
            yield _Candidate(1, cell, f"would have bound {name}, but did not", place=place)
        for function in _functions_binding(name, cell):
            yield _Candidate(2, cell, f"binds {name} only inside {function}", place=place)


def _functions_binding(name: str, cell: Cell) -> Iterator[str]:
    tree = parse(cell.source).tree
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, _FUNCTIONS) and name in names_of(ast.Module(node.body, [])).binds:
            yield node.name


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# -- what is to blame ------------------------------------------------------------------------------------------------


class _Blamed(NamedTuple):
    """An operand that may be to blame, the likelier the lower its rank."""

    node: ast.expr
    rank: int = 0


_NOT_FITTING = (
    r"shape|dimension|size|broadcast|incompatible|channels|features?\b|feature names|inconsistent|lengths?\b|aligned|"
    r"mat1|mix of"
)
_NOT_SO_CALLED = r"positional argument|keyword argument|multiple values for|required .*argument|takes no |not callable"
_NOT_THERE = r"not in index|not found in axis|not in the|not in list|do not exist|does not exist|no item named"
_NO_INDEX = r"indices must be|scalar index|unhashable|cannot be interpreted as an integer"


def _blamed(node: ast.AST, failure: Failure) -> list[_Blamed]:
    match node:
        case ast.Attribute(value=value):
            return [_Blamed(value)]
        case ast.Subscript(value=value, slice=key):
            to_key = failure.type == "TypeError" and failure.says(_NO_INDEX)
            return [_Blamed(value, 1 if to_key else 0), _Blamed(key, 0 if to_key else 1)]
        case ast.Call():
            return _blamed_of_call(node, failure)
        case ast.For(iter=value) | ast.AsyncFor(iter=value):
            return [_Blamed(value)]
    operands = (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))
    return [_Blamed(node)] if isinstance(node, ast.Name) else [_Blamed(each) for each in operands]


def _blamed_of_call(call: ast.Call, failure: Failure) -> list[_Blamed]:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if failure.says(_NOT_SO_CALLED) and failure.type == "TypeError":
        return [_Blamed(owner)]
    of_owner = failure.type in ("KeyError", "NotFittedError", "AttributeError") or failure.says(_NOT_THERE)
    fitting = failure.says(_NOT_FITTING)
    settings = [each for each in given if _is_setting(each, failure)]
    if not any(map(_loaded, [each for each in given if each not in settings])):
        settings = []
    return [
        _Blamed(owner, 0 if of_owner or fitting or not any(map(_loaded, given)) else 1),
        *(_Blamed(each, int(of_owner) + (each in settings)) for each in given),
    ]


def _is_setting(node: ast.expr, failure: Failure) -> bool:
    """Whether an argument is known to be a single number or text, as ``batch_size`` is."""
    return isinstance(node, ast.Name) and failure.types.get(node.id) in ("int", "float", "str", "bool", "NoneType")


def _missing_keys(node: ast.AST, failure: Failure) -> frozenset[object]:
    """Return what was looked for, as far as it is written in the failing expression."""
    if not (failure.type == "KeyError" or failure.says(_NOT_THERE)):
        return frozenset()
    inside: list[ast.expr] = []
    match node:
        case ast.Subscript(slice=key):
            inside = [key]
        case ast.Call(args=arguments, keywords=keywords):
            inside = [*arguments, *(keyword.value for keyword in keywords)]
    written = _constants(inside)
    quoted = {key for key in written if repr(key) in failure.message}
    return frozenset(quoted or written)


def _constants(nodes: Iterable[ast.AST]) -> set[object]:
    every = (each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant))
    return {value for value in every if (isinstance(value, str) and value) or (type(value) is int and abs(value) > 1)}


def _mentions(node: ast.AST, keys: frozenset[object]) -> bool:
    """Whether a statement names one of the keys other than to look it up."""
    looked_up = {
        id(inner)
        for each in ast.walk(node)
        if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load)
        for inner in ast.walk(each.slice)
    }
    constants = (each for each in ast.walk(node) if isinstance(each, ast.Constant) and each.value in keys)
    return any(id(each) not in looked_up for each in constants)


# -- who made it -----------------------------------------------------------------------------------------------------


def _candidates(failure: Failure, target: Target, places: "Sequence[_Place]") -> Iterator[_Candidate]:
    named = ast.Name(failure.owner, ast.Load()) if failure.owner else None
    for node in places[-1].failing(failure) or [named or ast.Tuple([], ast.Load())]:
        keys = _missing_keys(node, failure)
        for blamed in [_Blamed(named)] if named is not None else _blamed(node, failure):
            trace = _Trace(places)
            trace.follow(blamed.node)
            for cell, words, hops in trace.computed:
                yield _Candidate(_COMPUTING + hops + blamed.rank, cell, words)
            for name, hops in trace.names.items():
                yield from _makers(name, hops, blamed, keys, target, failure)


def _makers(
    name: str, hops: int, blamed: _Blamed, keys: frozenset[object], target: Target, failure: Failure
) -> Iterator[_Candidate]:
    turns: dict[int, list[int]] = {}
    for each in _made(name, target):
        # What it is lacks the attribute, whatever was changed in it.
        is_of_type = failure.type == "AttributeError" and isinstance(blamed.node, ast.Name) and blamed.node.id == name
        if each.act == "changed" and (is_of_type or (each.how in _KEEPING_SHAPES and failure.says(_NOT_FITTING))):
            continue
        if keys and _mentions(each.node, keys):
            yield _Candidate(_MENTIONING, each.cell, _words(each, name), place=each.place)
            continue
        turn = turns.setdefault(each.distance, [])
        if each.place not in turn:
            turn.append(each.place)
        distance = each.distance + hops + blamed.rank
        yield _Candidate(distance, each.cell, _words(each, name), turn.index(each.place), each.place)


# What these change has nothing to do with shapes.
_KEEPING_SHAPES = {".compile()", ".train()", ".eval()", ".zero_grad()", ".step()", ".load_state_dict()"}


def _made(name: str, target: Target) -> list[Made]:
    found = [each for each in made_by(target, [name]) if each.act != "imported"]
    is_known = any(each.name == name and each.act in ("bound", "defined") for each in found)
    return [each for each in found if not (is_known and each.act == "may have bound")]


def _words(made: Made, name: str) -> str:
    further = f", which {name} was made from" if made.name != name else " before that" if made.distance > 1 else ""
    match made.act:
        case "bound":
            return f"bound {made.name}{further or ' last'}"
        case "defined":
            return f"defines {made.name}"
        case "changed":
            return f"changed {made.name} by {made.how}{further}"
    return f"{made.act} {made.name}"


class _Source(NamedTuple):
    """What a local variable got its value from, on which line, and whether that bound it rather than changed it."""

    line: int
    node: ast.expr
    binds: bool


class _Place:
    """A frame, with the code that it runs."""

    def __init__(self, frame: Frame, target: Target) -> None:
        self.frame = frame
        code = followed(target.code if frame.cell is None else parse(frame.cell.source))
        self.tree = code.tree or ast.Module([], [])
        around = [each for each in ast.walk(self.tree) if _spans(each, frame.line)]
        functions = [each for each in around if isinstance(each, _FUNCTIONS)]
        self.function = functions[-1] if functions else None
        classes = [each for each in around if isinstance(each, ast.ClassDef)]
        self.class_name = classes[-1].name if classes else ""
        self.statement = next((each for each in reversed(around) if isinstance(each, ast.stmt)), None)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """What runs in its scope."""
        body = self.function.body if self.function is not None else self.tree.body
        return list(run_in_place(ast.Module(body, [])))

    @property
    def name(self) -> str:
        """The name of its function, with that of its class."""
        name = self.function.name if self.function is not None else "a lambda"
        return f"{self.class_name}.{name}" if self.class_name else name

    @property
    def parameters(self) -> list[str]:
        """The parameters of its function."""
        return parameters_of(self.function) if self.function is not None else []

    def failing(self, failure: Failure) -> list[ast.AST]:
        """Return the expression that failed; all of its statement that may have, where it is not known."""
        given = _parsed(failure.expression)
        if given is not None:
            return [given]
        if self.statement is None:
            return []
        kinds = _FAILING.get(failure.type, (ast.Call, ast.BinOp, ast.Subscript))
        inside = [each for each in _header(self.statement) if isinstance(each, kinds)]
        there = [each for each in inside if (each.lineno, each.col_offset) == failure.place]
        inside = there[:1] or inside
        return [*inside] or [self.statement]

    def sources(self, name: str, line: int | None) -> list[_Source]:
        """Return what a variable of its scope was bound from last above a line, and what was put into it since."""
        found = sorted(
            (each for each in self._every(name, line or 0) if each.line <= (line or 0)), key=lambda s: s.line
        )
        last = max((place for place, each in enumerate(found) if each.binds), default=None)
        if last is None:
            return [] if self.function is None else found
        return found[last:]

    def _every(self, name: str, line: int) -> Iterator[_Source]:
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if node.end_lineno is not None and node.end_lineno < line:
                    for each in targets:
                        yield from _assigned(name, each, value)
                case ast.AnnAssign(target=goal, value=ast.expr() as value) | ast.NamedExpr(target=goal, value=value):
                    if node.lineno < line:
                        yield from _assigned(name, goal, value)
                case ast.AugAssign(target=goal, value=value) if root_of(goal) == name and node.lineno < line:
                    yield _Source(node.lineno, value, binds=False)
                case ast.For(target=goal, iter=value) | ast.AsyncFor(target=goal, iter=value):
                    if name in _stored(goal):
                        yield _Source(node.lineno, value, binds=True)
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp() if _spans(node, line):
                    for generator in node.generators:
                        if name in _stored(generator.target):
                            yield _Source(line, generator.iter, binds=True)
                case ast.withitem(context_expr=value, optional_vars=ast.expr() as goal) if name in _stored(goal):
                    yield _Source(value.lineno, value, binds=True)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner)) as call) if root_of(owner) == name:
                    if node.lineno < line:
                        yield from (_Source(node.lineno, each, binds=False) for each in call.args)
                case ast.Call() if _spans(node, line):
                    yield from (_Source(line, each, binds=True) for each in _given_to_lambda(name, node, line))


# What fails with an exception, where nothing tells the expression.
_FAILING: dict[str, tuple[type[ast.expr], ...]] = {
    "AttributeError": (ast.Attribute,),
    "KeyError": (ast.Subscript, ast.Call),
    "IndexError": (ast.Subscript, ast.Call),
}


def _places(frames: Sequence[Frame], target: Target) -> list[_Place]:
    """Return the places of frames; a comprehension's is that of the code around it, further in."""
    found: list[_Place] = []
    for frame in frames:
        if found and frame.function.startswith("<") and frame.cell is found[-1].frame.cell:
            frame = replace(frame, function=found[-1].frame.function)
            found.pop()
        found.append(_Place(frame, target))
    return found


def _parsed(expression: str) -> ast.AST | None:
    tree = parse(f"({expression}\n)").tree if expression else None
    match tree:
        case ast.Module(body=[ast.Expr(value=value)]):
            return value
    return None


def _spans(node: ast.AST, line: int | None) -> bool:
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    return line is not None and first is not None and last is not None and first <= line <= last


def _header(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement itself, outermost first."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt):
            yield from (each for each in run_in_place(child) if isinstance(each, ast.expr))


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _loaded(node: ast.AST) -> list[str]:
    """Return the names that an expression reads, each once; those of its comprehensions are not among them."""
    names = names_of(ast.Expr(node)).reads if isinstance(node, ast.expr) else frozenset()
    written = (each.id for each in ast.walk(node) if isinstance(each, ast.Name))
    return list(dict.fromkeys(each for each in written if each in names))


def _assigned(name: str, goal: ast.expr, value: ast.expr) -> Iterator[_Source]:
    match goal, value:
        case ((ast.Tuple(elts=goals) | ast.List(elts=goals)), (ast.Tuple(elts=values) | ast.List(elts=values))):
            if len(goals) == len(values):
                for one, other in zip(goals, values, strict=True):
                    yield from _assigned(name, one, other)
                return
    if name in _stored(goal):
        yield _Source(goal.lineno, value, binds=True)
    elif isinstance(goal, ast.Subscript | ast.Attribute) and root_of(goal) == name:
        yield _Source(goal.lineno, value, binds=False)


def _given_to_lambda(name: str, call: ast.Call, line: int) -> Iterator[ast.expr]:
    """Yield what a lambda with such a parameter is applied to: ``df.apply(lambda row: ...)``."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    functions = [each for each in given if isinstance(each, ast.Lambda) and _spans(each, line)]
    if any(argument.arg == name for each in functions for argument in each.args.args):
        yield from _applied_to(call, functions)


def _applied_to(call: ast.Call, functions: Sequence[ast.expr]) -> Iterator[ast.expr]:
    if isinstance(call.func, ast.Attribute):
        yield call.func.value
    yield from (each for each in call.args if each not in functions)


# What hands on the values it is given.
_CARRYING_CALLS = {"iter", "next", "enumerate", "zip", "reversed", "list", "tuple", "tqdm", "Variable"}
_CARRYING_METHODS = {"to", "cuda", "cpu", "copy", "clone", "detach", "numpy", "items", "values", "keys", "iterrows"}


def _carries(node: ast.expr) -> bool:
    """Whether an expression only hands on values that others made."""
    while True:
        match node:
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                node = value
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _CARRYING_METHODS:
                node = owner
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _CARRYING_CALLS:
                return all(map(_carries, arguments))
            case _:
                return isinstance(node, ast.Name)


class _Read(NamedTuple):
    """An expression in the frame `depth`, on a line, and how many functions have computed with its value since."""

    node: ast.expr
    depth: int
    line: int | None
    hops: int


class _Trace:
    """The way of a value back through the functions that it came through.

    Attributes:
        computed: The executed cells whose functions computed it or what it was made from, what they did, and how many
            such functions came after.
        names: The global names that it came from, with that number.
    """

    def __init__(self, places: Sequence[_Place]) -> None:
        self.computed: list[tuple[Cell, str, int]] = []
        self.names: dict[str, int] = {}
        self._places = places
        self._seen: set[tuple[str, int, int | None]] = set()

    def follow(self, node: ast.expr) -> None:
        """Follow what an expression of the innermost frame reads."""
        inner = len(self._places) - 1
        pending = [_Read(node, inner, self._places[inner].frame.line, 0)]
        while pending:
            read = pending.pop(0)
            for name in _loaded(read.node):
                if (name, read.depth, read.line) not in self._seen:
                    self._seen.add((name, read.depth, read.line))
                    pending += self._back_from(name, read)

    def _back_from(self, name: str, read: "_Read") -> Iterator["_Read"]:
        """Yield what a name got its value from; of a name of earlier cells take note."""
        place, depth = self._places[read.depth], read.depth
        sources = place.sources(name, read.line)
        for source in sources:
            computed = not _carries(source.node) and self._blame(place, name, read.hops)
            yield _Read(source.node, depth, source.line, read.hops + computed)
        if sources:
            return
        if name not in place.parameters:
            self.names[name] = min(read.hops, self.names.get(name, read.hops))
            return
        given = list(self._given(name, depth)) if depth else []
        yield from (_Read(each, depth - 1, self._places[depth - 1].frame.line, read.hops) for each in given)
        if not given and place.class_name and name == place.parameters[0]:
            self._blame(place, name, read.hops)

    def _blame(self, place: _Place, name: str, hops: int) -> bool:
        if place.frame.cell is None:
            return False
        self.computed.append((place.frame.cell, f"defines {place.name}, which made {name}", hops))
        return True

    def _given(self, name: str, depth: int) -> Iterator[ast.expr]:
        """Yield what a parameter was given, where the frame around calls the function in a plain way."""
        place, around = self._places[depth], self._places[depth - 1]
        function = place.function
        if function is None:
            return
        here = [each for each in around.nodes if isinstance(each, ast.Call) and _spans(each, around.frame.line)]
        names = {place.class_name} if function.name == "__init__" else {function.name}
        calls = [each for each in here if _called(each) in names]
        if not calls and function.name in _CALLED_BY_OBJECT:
            calls = [each for each in here if len(each.args) == len(parameters_of(function)) - 1]
        if len(calls) == 1:
            given = arguments_of(calls[0], function, bound=1 if place.class_name else 0).get(name)
            yield from [given] if given is not None else []
            return
        for call in here:
            passed = [each for each in call.args if isinstance(each, ast.Name) and each.id == function.name]
            if passed and name == place.parameters[0]:
                yield from _applied_to(call, passed)


_CALLED_BY_OBJECT = {"__call__", "forward", "call"}


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
