"""Where a crash happened: the node of the code, what it was made of, and what the cells around it define."""

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from crane_agent.agent.claims import Crash
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import parse
from crane_agent.notebook.effects import names_of_cell
from crane_agent.notebook.history import Target

CLOSE = 0.6
"""Likeness from which a word may be the one that was meant, as `difflib.get_close_matches` counts."""


class Part(NamedTuple):
    """What the failing expression was made of, as the scene tells it; everything is unknown where it tells nothing.

    Attributes:
        role: What it is in the expression, e.g. ``argument 0``.
        text: Its source.
        facts: What is known of its value: ``type``, ``shape``, ``columns`` ...
    """

    role: str = ""
    text: str = ""
    facts: Mapping[str, Any] = {}

    @property
    def type(self) -> str:
        """The name of its class with its module, e.g. ``pandas.DataFrame``; '' if unknown."""
        return str(self.facts.get("type") or "")

    @property
    def kind(self) -> str:
        """The name of its class, e.g. ``DataFrame``."""
        return self.type.rpartition(".")[2]

    @property
    def library(self) -> str:
        """The package of its class, e.g. ``pandas``."""
        return self.type.partition(".")[0]

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its shape, or None."""
        found = self.facts.get("shape")
        return tuple(found) if isinstance(found, list | tuple) and all(type(each) is int for each in found) else None

    @property
    def dtype(self) -> str:
        """Its dtype without the library's name, e.g. ``float32``."""
        return str(self.facts.get("dtype") or "").removeprefix("torch.")

    @property
    def columns(self) -> tuple[Any, ...]:
        """The labels of its columns."""
        return tuple(self.facts.get("columns") or ())

    @property
    def device(self) -> str:
        """The device it is on, e.g. ``cuda:0``."""
        return str(self.facts.get("device") or "")

    @property
    def is_frame(self) -> bool:
        """Whether it is a DataFrame of pandas."""
        return self.kind == "DataFrame" and self.library == "pandas"

    @property
    def is_series(self) -> bool:
        """Whether it is a Series of pandas."""
        return self.kind == "Series" and self.library == "pandas"

    @property
    def is_array(self) -> bool:
        """Whether it is an array of numpy."""
        return self.kind == "ndarray"

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor of PyTorch."""
        return self.library == "torch" and self.kind in ("Tensor", "Parameter")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters of what is called, in order; those of ``*args`` and ``**more`` are not."""
        found = (str(each) for each in self.facts.get("parameters") or ())
        return tuple(name.partition("=")[0] for name in found if not name.startswith("*") and name != "/")

    @property
    def by_keyword(self) -> tuple[str, ...]:
        """The names of its parameters that are given by keyword only."""
        found = [str(each) for each in self.facts.get("parameters") or ()]
        star = next((place for place, name in enumerate(found) if name.startswith("*")), len(found))
        return tuple(name.partition("=")[0] for name in found[star + 1 :] if not name.startswith("*"))


UNKNOWN = Part()


class Site:
    """Where a crash happened, for the strategies.

    Attributes:
        crash: The crash.
        target: The cell asked about.
        script: The cell that the failing code stands in: the target, or one whose function was called.
        node: The failing expression; its statement where the expression is not known.
        is_exact: Whether `node` is the expression itself.
    """

    def __init__(self, crash: Crash, scene: Mapping[str, Any], target: Target) -> None:
        self.crash = crash
        self.target = target
        own = Script(target.cell.source, target.code)
        found = next(_placed(scene, target, own), None)
        self.is_exact = found is not None and isinstance(found[1], ast.expr)
        self.script, self.node = found or (own, _statement_of(crash, own, target))
        self.parts = tuple(
            Part(str(each.get("role", "")), str(each.get("text", "")), each) for each in scene.get("parts") or ()
        )

    # -- the failing expression --------------------------------------------------------------------------------------

    @property
    def message(self) -> str:
        """The exception's message, whole; nothing of it but the cell's own words may stand in a summary."""
        return self.crash.whole.message or self.crash.message

    def found(self, pattern: str) -> "re.Match[str] | None":
        """Return where the message matches a pattern."""
        return re.search(pattern, self.message, re.DOTALL)

    def says(self, *kinds: str, pattern: str) -> bool:
        """Whether the exception is of one of these classes and its message matches a pattern."""
        return self.crash.type in kinds and self.found(pattern) is not None

    @property
    def calls(self) -> Sequence[ast.Call]:
        """The failing call; every call of the statement, outermost first, where the expression is not known."""
        return [each for each in self.nodes if isinstance(each, ast.Call)]

    @property
    def subscripts(self) -> Sequence[ast.Subscript]:
        """The failing subscript, as `calls`."""
        return [each for each in self.nodes if isinstance(each, ast.Subscript)]

    @property
    def operations(self) -> Sequence[ast.BinOp]:
        """The failing operation of two operands, as `calls`."""
        return [each for each in self.nodes if isinstance(each, ast.BinOp)]

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """The failing expression; every node of the statement itself where that is not known."""
        if self.node is None:
            return ()
        return [self.node] if self.is_exact else list(_below(self.node))

    @cached_property
    def inner(self) -> Sequence[ast.AST]:
        """The failing expression, or statement, and what it is made of, outermost first."""
        return list(_below(self.node)) if self.node is not None else ()

    def part(self, node: ast.AST | None, role: str = "") -> Part:
        """Return what is known of an operand, by its text, else by its role."""
        text = " ".join(self.script.text(node).split()) if node is not None else ""
        same = (each for each in self.parts if text and " ".join(each.text.split()) == text and each.type)
        by_role = (each for each in self.parts if role and each.role == role and not each.text)
        return next(same, next(by_role, UNKNOWN))

    def function(self, call: ast.Call) -> Part:
        """Return what is known of what is called."""
        return self.part(call.func, "function")

    def owner(self, call: ast.Call) -> Part:
        """Return what is known of the object whose method is called."""
        return self.part(call.func.value, "owner") if isinstance(call.func, ast.Attribute) else UNKNOWN

    def patch(self, summary: str, *edits: Edit | None) -> Iterator[Patch]:
        """Yield the patch that makes these edits in the failing code, if it can be made."""
        yield from self.script.patch(summary, *edits)

    # -- what the cells define ---------------------------------------------------------------------------------------

    @cached_property
    def known(self) -> frozenset[str]:
        """The names that executed cells or the target bind, as far as their text tells."""
        bound: set[str] = set()
        for cell in self.target.executed:
            names = names_of_cell(cell)
            bound = (bound | names.binds | names.sets_globals) - names.deletes
        return frozenset(bound | self.target.names.binds)

    @cached_property
    def scripts(self) -> Sequence[Script]:
        """The target and, from the last one back, the executed cells that stand in the notebook."""
        cells = (Script(cell.source, parse(cell.source), cell=cell.index) for cell in reversed(self.target.executed))
        own = self.script if self.script.cell is None else Script(self.target.cell.source, self.target.code)
        return [own, *(script for script in cells if script.cell is not None and script.cell >= 0)]

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """What is imported, by its full name: the name that it is bound to."""
        found: dict[str, str] = {}
        for script in self.scripts:
            for node in ast.walk(script.tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for alias in node.names:
                        found.setdefault(*_bound_by(node, alias))
        return found

    def module(self, name: str, alias: str) -> tuple[str, tuple[Edit | None, ...]]:
        """Return what a module is called here, and the edit that imports it where it is not."""
        if name in self.imports:
            return self.imports[name], ()
        line = f"import {name}" if alias == name else f"import {name} as {alias}"
        return alias, (self.script.imported(line),)

    def imported(self, module: str, name: str) -> tuple[str, tuple[Edit | None, ...]]:
        """Return what a name of a module is called here, and the edit that imports it where it is not."""
        full = f"{module}.{name}"
        if full in self.imports:
            return self.imports[full], ()
        return name, (self.script.imported(f"from {module} import {name}"),)

    def bindings(self, name: str) -> Iterator[tuple[Script, ast.Assign]]:
        """Yield the statements that bind a name alone, in the target above the crash, then in executed cells, back."""
        for script in self.scripts:
            found = [each for each in ast.walk(script.tree) if isinstance(each, ast.Assign) and _binds(each, name)]
            if script.cell is None and self.script.cell is None and self.node is not None:
                line = getattr(self.node, "lineno", 0)
                found = [each for each in found if each.lineno <= line]
            yield from ((script, each) for each in sorted(found, key=lambda each: -each.lineno))


def _placed(scene: Mapping[str, Any], target: Target, own: Script) -> Iterator[tuple[Script, ast.AST]]:
    """Yield the failing node with its script, wherever the text of the scene stands at its place."""
    if not scene.get("line"):
        return
    if scene.get("cell") is None:
        scripts = [own]
    else:
        latest_first = list(reversed(target.executed))
        latest_first.sort(key=lambda cell: cell.execution_count != scene["cell"])
        scripts = [_script(cell) for cell in latest_first]
    for script in scripts:
        # Below a cell magic the lines count from its own line, or from the first below it.
        offset = target.code.line_offset - script.code.line_offset if script is own else 0
        for by in dict.fromkeys((offset, 0)):
            node = _node_at(script, scene, by)
            if node is not None:
                yield script, node


def _script(cell: Cell) -> Script:
    return Script(cell.source, parse(cell.source), cell=cell.index)


def _node_at(script: Script, scene: Mapping[str, Any], by: int) -> ast.AST | None:
    start = script.place(scene["line"] + by, scene.get("column") or 0)
    end = script.place((scene.get("end_line") or scene["line"]) + by, scene.get("end_column") or 0)
    text = " ".join(str(scene.get("text", "")).split())
    if start is None or not text:
        return None
    fitting = [
        node
        for node in ast.walk(script.tree)
        if isinstance(node, ast.expr | ast.stmt)
        and (span := script.extent(node)) is not None
        and span.start == start
        and (span.end == end or end is None)
        and " ".join(script.source[span.start : span.end].split()).startswith(text)
        and script.span(node) is not None
    ]
    named = [node for node in fitting if type(node).__name__ == scene.get("node")]
    return next(iter((*named, *fitting)), None)


def _statement_of(crash: Crash, own: Script, target: Target) -> ast.AST | None:
    """Return the statement that stands on the line of the crash, the innermost one."""
    if crash.line is None:
        return None
    line = crash.line + target.code.line_offset - own.code.line_offset
    around = [
        node
        for node in ast.walk(own.tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)


def _below(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what it is made of, outermost first; of a compound statement without its body."""
    waiting = [node]
    while waiting:
        each = waiting.pop(0)
        yield each
        waiting += [child for child in ast.iter_child_nodes(each) if each is not node or not _is_body(each, child)]


def _is_body(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and isinstance(child, ast.stmt | ast.ExceptHandler)


def _bound_by(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str]:
    if isinstance(node, ast.ImportFrom):
        return f"{node.module}.{alias.name}", alias.asname or alias.name
    return alias.name, alias.asname or alias.name


def _binds(statement: ast.Assign, name: str) -> bool:
    return (
        len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id == name
    )


# -- words -----------------------------------------------------------------------------------------------------------


def closest(word: str, words: Iterable[object], *, cutoff: float = CLOSE) -> list[str]:
    """Return the words that may have been meant by one that is not among them, the likeliest first.

    Case, spaces and underscores count little; then `difflib`'s likeness decides.

    Args:
        word: What was written.
        words: What there is; what is no text is left out.
        cutoff: The least likeness.
    """
    there = dict.fromkeys(each for each in words if isinstance(each, str) and each != word)
    likeness = {each: _likeness(word, each) for each in there}
    return sorted((each for each in there if likeness[each] >= cutoff), key=lambda each: -likeness[each])


def _likeness(one: str, other: str) -> float:
    if _folded(one) == _folded(other):
        return 1.0
    return difflib.SequenceMatcher(None, _folded(one), _folded(other), autojunk=False).ratio()


def _folded(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold() or word


class Literal(NamedTuple):
    """A literal string of the code.

    Attributes:
        node: Where it stands.
        text: What it says.
    """

    node: ast.Constant
    text: str


def literals(nodes: Iterable[ast.AST]) -> list[Literal]:
    """Return the literal strings among nodes."""
    constants = (node for node in nodes if isinstance(node, ast.Constant))
    return [Literal(node, node.value) for node in constants if isinstance(node.value, str)]


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """Return the keyword of a call with a name."""
    return next((each for each in call.keywords if each.arg == name), None)


def called(call: ast.Call) -> str:
    """Return the last name of what is called, e.g. ``read_csv``; '' if it has none."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
