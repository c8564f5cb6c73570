"""What a rule is asked about, and what it may answer."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from ..privacy import VALUES
from .values import UNKNOWN, Value
from .words import Words


class NameSite(NamedTuple):
    """The cell reads a name that is bound nowhere the walk can see."""

    node: ast.Name


class AttributeSite(NamedTuple):
    """The cell reads ``owner.name``."""

    node: ast.Attribute
    owner: Value
    name: str


class SubscriptSite(NamedTuple):
    """The cell reads (`context` "load") or deletes ("del") ``owner[key]``."""

    node: ast.Subscript
    owner: Value
    key: Value
    context: str


class CallSite(NamedTuple):
    """The cell calls ``callee(*arguments, **keywords)``.

    Attributes:
        node: The call.
        callee: What is called.
        owner: For ``owner.method()``, the owner; else None.
        method: For ``owner.method()``, the method's name; else ''.
        arguments: Positional arguments, in order.
        keywords: Keyword arguments, in order.
        complete: False if ``*`` or ``**`` brought an unknown number of arguments.
    """

    node: ast.Call
    callee: Value
    owner: Value | None
    method: str
    arguments: tuple[Value, ...]
    keywords: dict[str, Value]
    complete: bool


class OperatorSite(NamedTuple):
    """The cell computes ``left op right``; with `in_place` ``left op= right``, which may change `left`."""

    node: ast.AST
    op: ast.operator
    left: Value
    right: Value
    in_place: bool


class CompareSite(NamedTuple):
    """The cell computes ``left op right`` with a comparison operator."""

    node: ast.AST
    op: ast.cmpop
    left: Value
    right: Value


class UnarySite(NamedTuple):
    """The cell computes ``op operand``; ``not`` is a `ValueSite`."""

    node: ast.AST
    op: ast.unaryop
    operand: Value


class ValueSite(NamedTuple):
    """The cell does something with one value: its truth, its length, formatting it, entering it.

    Attributes:
        node: The expression.
        value: The value.
        text: The format specification, for ``format``; else ''.
    """

    node: ast.AST
    value: Value
    text: str = ""


class ImportSite(NamedTuple):
    """The cell imports a module, or with `name` a name from it."""

    node: ast.stmt
    module: str
    name: str


class Finding(NamedTuple):
    """A crash that a rule proves.

    Attributes:
        rule: Id of the rule, e.g. `frames.missing-column`.
        type: Name of the exception's class.
        message: Its message, in the library's own words.
        because: One sentence of evidence: what is there, and what was asked for.
        crash_type: JunoBench's label.
        library: Top-level package that raises, or `python`.
        close: Names that were probably meant.
        probe: The probe that would show the same again, with its arguments; None if there is none, or if they hold
            what the privacy level does not let out.
        node: The expression that raises, if it is not the site's.
        asked: Level of what `close` was looked for; what is like a value tells of it.
    """

    rule: str
    type: str
    message: Words
    because: Words
    crash_type: str
    library: str = "python"
    close: tuple[str, ...] = ()
    probe: tuple[str, dict[str, Any]] | None = None
    node: ast.AST | None = None
    asked: str = VALUES


class Doubt(NamedTuple):
    """Why what comes behind a line is no longer certain.

    Attributes:
        line: Line of the walked tree.
        kind: `raises` (it may raise first), `effects` (it may change anything), `reach` (what follows may not run).
        why: The words for it; they hold names of the target, its text and types, nothing of the kernel's values.
    """

    line: int
    kind: str
    why: str


class Stop(Exception):
    """The walk is over: the cell crashes here, ends here, or cannot be followed."""

    def __init__(self, finding: Finding | None = None, node: ast.AST | None = None, why: str = "") -> None:
        super().__init__(why)
        self.finding = finding
        self.node = node
        self.why = why


class Jump(Exception):
    """A statement leaves the statements around it.

    Attributes:
        kind: ``break``, ``continue``, ``return``, or ``raise`` of what is not followed, where it may be handled.
        value: What is returned.
    """

    def __init__(self, kind: str, value: Value = UNKNOWN) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


def nothing_called(node: ast.AST) -> CallSite:
    """Return a call, written as `node`, of what Python calls by itself."""
    call = ast.copy_location(ast.Call(node, [], []), node)  # type: ignore[arg-type]
    return CallSite(call, UNKNOWN, None, "", (), {}, True)


def is_starred(node: ast.Call) -> bool:
    """Whether a call hands on the elements or the keys of a value."""
    return any(isinstance(each, ast.Starred) for each in node.args) or any(not each.arg for each in node.keywords)
