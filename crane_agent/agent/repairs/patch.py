"""A patch, and how one is made: edits at places of the syntax tree; all other characters stay as they are."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from crane_agent.notebook.code import Code, parse

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp)


@dataclass(frozen=True)
class Patch:
    """One way to change the code.

    Attributes:
        summary: What it does, and why, in one sentence for the user.
        source: The patched cell, whole.
        cell: Index of the cell that it changes; None: the target.
        is_rerun: Whether it takes out an executed cell that the target repeats.
    """

    summary: str
    source: str
    cell: int | None = None
    is_rerun: bool = False


class Edit(NamedTuple):
    """The characters from `start` to `end` of a cell's source become `text`."""

    start: int
    end: int
    text: str


class Span(NamedTuple):
    """Where a node stands: its first character, and the one behind its last."""

    start: int
    end: int


class Script:
    """The text of a cell and its tree, each node of which can be found in the text and be changed there.

    A line that is not as the user wrote it (a magic, or what has no line of its own) has no place: what would change
    it gives no edit, and a patch without one of its edits is none.
    """

    def __init__(self, source: str, code: Code, *, cell: int | None = None) -> None:
        """Make the script of a cell.

        Args:
            source: The cell's text, whole.
            code: Its code; where that runs below ``%%time`` or its like, the code there is what can be changed.
            cell: Its index, if it is not the target.
        """
        self.source = source
        self.cell = cell
        self.code = code.body if code.cell_magic is not None and code.body is not None else code
        self.tree = self.code.tree or ast.Module([], [])
        self._lines = _lines(source)
        self._python = _lines(self.code.python)

    # -- where nodes stand -------------------------------------------------------------------------------------------

    def place(self, line: int, characters: int) -> int | None:
        """Return the place in the source of a place in the code that ran; None if there is none.

        Args:
            line: Line of `code.python`, from 1.
            characters: Column there [characters from 0].
        """
        number = self.code.original_line(line)
        if number is None or not (1 <= line <= len(self._python) and 1 <= number <= len(self._lines)):
            return None
        ran, own = self._python[line - 1].rstrip("\r\n"), self._lines[number - 1].rstrip("\r\n")
        indent = own[: len(own) - len(ran)]
        if not own.endswith(ran) or indent.strip():
            return None
        return self._starts[number - 1] + len(indent) + characters

    def span(self, node: ast.AST) -> Span | None:
        """Return where a node stands, parentheses around it excluded; None if that is not certain."""
        found = self.extent(node)
        if found is None or not isinstance(node, ast.expr):
            return found
        return found if _is(self.source[found.start : found.end], node) else None

    def extent(self, node: ast.AST) -> Span | None:
        """Return where the tree says that a node stands; None if that is no place in the source."""
        line, end_line = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if line is None or end_line is None:
            return None
        start = self.place(line, self._characters(line, node.col_offset))  # type: ignore[attr-defined]
        end = self.place(end_line, self._characters(end_line, node.end_col_offset))  # type: ignore[attr-defined]
        if start is None or end is None:
            return None
        return Span(start, end)

    def text(self, node: ast.AST) -> str:
        """Return the text of a node as it was written; '' if it has no certain place."""
        found = self.span(node)
        return self.source[found.start : found.end] if found else ""

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around a node."""
        return self._parents.get(node)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, the innermost first."""
        while (node := self._parents.get(node)) is not None:  # type: ignore[assignment]
            yield node

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the innermost statement that a node is, or is part of."""
        return next((each for each in (node, *self.around(node)) if isinstance(each, ast.stmt)), None)

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line))
        return starts

    def _characters(self, line: int, column: int) -> int:
        """Return a column in characters for one in bytes, as the tree counts."""
        if not 1 <= line <= len(self._python):
            return column
        return len(self._python[line - 1].encode("utf-8", "replace")[:column].decode("utf-8", "replace"))

    # -- edits -------------------------------------------------------------------------------------------------------

    def replaced(self, node: ast.AST, text: str) -> Edit | None:
        """Return the edit that puts `text` in the place of a node."""
        found = self.span(node)
        return Edit(*found, text) if found and not isinstance(node, ast.GeneratorExp) else None

    def followed(self, node: ast.expr, text: str) -> Edit | None:
        """Return the edit that puts an attribute, a call or a subscript behind an expression."""
        return self.replaced(node, f"{self.operand(node)}{text}")

    def wrapped(self, node: ast.expr, before: str, after: str = ")") -> Edit | None:
        """Return the edit that makes an expression the argument of a call, ``before`` being e.g. ``int(``."""
        text = self.text(node)
        if isinstance(node, ast.Tuple) and not text.startswith("("):
            text = f"({text})"
        return self.replaced(node, f"{before}{text}{after}")

    def operand(self, node: ast.expr) -> str:
        """Return the text of an expression as it can stand before a dot, in parentheses where that needs them."""
        text = self.text(node)
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and text.count("\n") == 0
        is_closed = isinstance(node, ast.Tuple) and text.startswith("(")
        return text if isinstance(node, _ATOMS) or is_text or is_closed else f"({text})"

    def term(self, node: ast.expr) -> str:
        """Return the text of an expression as it can stand beside an operator."""
        return self.text(node) if isinstance(node, ast.Constant) else self.operand(node)

    def renamed(self, node: ast.Attribute, name: str) -> Edit | None:
        """Return the edit that gives an attribute another name."""
        found = self.span(node)
        if found is None or not self.source[: found.end].endswith(node.attr):
            return None
        return Edit(found.end - len(node.attr), found.end, name)

    def renamed_keyword(self, node: ast.keyword, name: str) -> Edit | None:
        """Return the edit that gives the keyword of a call another name."""
        found = self.span(node)
        if found is None or node.arg is None or not self.source.startswith(node.arg, found.start):
            return None
        return Edit(found.start, found.start + len(node.arg), name)

    def without_argument(self, call: ast.Call, node: ast.expr | ast.keyword) -> Edit | None:
        """Return the edit that takes an argument out of a call."""
        spans = [self.span(each) for each in arguments_of(call)]
        found = self.span(node)
        if found is None or None in spans:
            return None
        known = [each for each in spans if each is not None]
        place = known.index(found)
        if place + 1 < len(known):
            return Edit(found.start, known[place + 1].start, "")
        return Edit(known[place - 1].end if place else found.start, found.end, "")

    def with_argument(self, call: ast.Call, text: str) -> Edit | None:
        """Return the edit that adds an argument behind those of a call."""
        found = self.span(call)
        if found is None:
            return None
        given = arguments_of(call)
        last = self.span(given[-1]) if given else None
        if given and last is None:
            return None
        tail = self.source[last.end : found.end - 1] if last else ""
        end = found.end - 1
        if "#" not in tail:
            end = len(self.source[:end].rstrip())
        has_comma = re.sub(r"#[^\r\n]*", "", tail).strip(") \t\r\n").endswith(",")
        comma = "" if not given else " " if has_comma else ", "
        return Edit(end, end, f"{comma}{text}")

    def quoted(self, node: ast.Constant, text: str) -> Edit | None:
        """Return the edit that gives a literal string another text, in the same quotes."""
        quote = '"' if self.text(node).endswith('"') else "'"
        is_plain = text.isprintable() and quote not in text and "\\" not in text
        return self.replaced(node, f"{quote}{text}{quote}" if is_plain else repr(text))

    def before(self, node: ast.AST, line: str) -> Edit | None:
        """Return the edit that puts a line above the statement that a node is part of."""
        statement = self.statement(node)
        found = self.span(_first(statement)) if statement is not None else None
        if found is None:
            return None
        start = max(self.source.rfind("\n", 0, found.start), self.source.rfind("\r", 0, found.start)) + 1
        indent = self.source[start : found.start]
        return Edit(start, start, f"{indent}{line}{self._line_end}") if not indent.strip() else None

    def without_statement(self, statement: ast.stmt) -> Edit | None:
        """Return the edit that takes out a statement with its lines; None if others stand on them."""
        found = self.span(statement)
        if found is None:
            return None
        start = max(self.source.rfind("\n", 0, found.start), self.source.rfind("\r", 0, found.start)) + 1
        line_end = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)").match(self.source, found.end)
        is_alone = not self.source[start : found.start].strip() and line_end is not None
        return Edit(start, line_end.end(), "") if is_alone and line_end is not None else None

    def imported(self, line: str) -> Edit | None:
        """Return the edit that puts an import before the first statement that has a place."""
        for statement in self.tree.body:
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not (is_text or is_future or self.span(_first(statement)) is None):
                return self.before(statement, line)
        return None

    @property
    def _line_end(self) -> str:
        found = re.search(r"\r\n|\r|\n", self.source)
        return found[0] if found else "\n"

    # -- patches -----------------------------------------------------------------------------------------------------

    def patch(self, summary: str, *edits: Edit | None) -> Iterator[Patch]:
        """Yield the patch that makes these edits; none if one is missing, two overlap or the result is no Python."""
        source = self._edited([edit for edit in edits if edit is not None]) if None not in edits else None
        if source is not None and source != self.source and parse(source).syntax_error is None:
            yield Patch(summary, source, self.cell)

    def _edited(self, edits: Sequence[Edit]) -> str | None:
        source, limit = self.source, len(self.source)
        for edit in sorted(edits, key=lambda each: (each.start, each.end), reverse=True):
            if edit.end > limit:
                return None
            source = source[: edit.start] + edit.text + source[edit.end :]
            limit = edit.start
        return source


def arguments_of(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """Return the arguments of a call in the order of the text."""
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(given, key=lambda each: (each.lineno, each.col_offset))


def _lines(text: str) -> list[str]:
    """Return the lines with their ends, as Python counts them."""
    return [line for line in _LINE.findall(text) if line]


def _first(statement: ast.stmt) -> ast.AST:
    """Return what a statement begins with: a decorated definition does with its first decorator."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    if not decorators:
        return statement
    first = ast.copy_location(ast.Pass(), decorators[0])
    first.col_offset -= 1  # a decorator's place is behind its @
    return first


def _is(text: str, node: ast.expr) -> bool:
    """Whether a text is an expression: in some Pythons the places of what stands in an f-string are wrong."""
    try:
        found = ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return isinstance(node, ast.Starred | ast.Slice)
    return _shape(found) == _shape(node)


def _shape(node: ast.AST) -> str:
    """Return the tree of an expression, whether it is read, set or deleted."""
    return re.sub(r",? ?ctx=(Load|Store|Del)\(\)", "", ast.dump(node))
