"""The scene of a crash: the expression that failed, in the innermost code of the user's, and what it was made of.

Where the interpreter keeps the place of every instruction, since Python 3.11, it is that expression; before, the
statement. Its operands are looked at again only if they are names, attributes, constants and subscripts of these: what
they run was just run, in a copy that is thrown away; nothing is called.

Source: PEP 657, "Include Fine Grained Error Locations in Tracebacks"; the reference of `codeobject.co_positions`.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import sys
import time
from types import FrameType, TracebackType
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..likeness import close_to
from ..scope import kind_of
from . import magics, report, values

MOST_PARTS = 50

_MOST_CLOSE = 5

_OF_OPERAND = [name for name in values.DETAILS if name != "parameters"]

# What may be run again.
_PURE = frozenset(("Name", "Attribute", "Subscript", "Constant", "Tuple", "List", "Dict", "UnaryOp", "Slice", "Index"))
_PURE_OPERATORS = (ast.expr_context, ast.unaryop)

# What a key with a colon is, which is no expression by itself.
_DISPLAYS = {"Slice": "slice", "Tuple": "tuple"}

_BODIES = frozenset(("body", "orelse", "finalbody", "handlers", "cases"))


class _Span(NamedTuple):
    """A place in a text: line and column of its first character and behind its last; columns count bytes of UTF-8."""

    start: Tuple[int, int]
    end: Tuple[int, int]


class _Code(NamedTuple):
    """The source of a frame.

    Attributes:
        lines: Its lines, with their ends.
        tree: Its syntax tree.
        offset: Lines that it stands further down in the cell.
    """

    lines: List[str]
    tree: ast.AST
    offset: int


def scene_of(error: BaseException, shell: Any, target: str, tree: Optional[ast.AST]) -> Optional[Dict[str, Any]]:
    """Return what the expression that failed was made of; None if that is not known.

    Args:
        error: What left the target.
        shell: IPython's shell.
        target: File name that the target was compiled with.
        tree: Its syntax tree after IPython's transformation.

    Returns:
        `FIELDS` of the package says what each field is.
    """
    found = report.innermost_of(error, shell, target)
    if found is None:
        return None
    trace, place = found
    code = _code_of(trace.tb_frame, shell, tree)
    node = None if code is None else _node_of(trace, code.tree)
    if code is None or node is None:
        return None
    span = _span_of(node)
    scene = {
        "cell": place["cell"],
        "file": place["file"],
        "function": place["function"],
        "line": span.start[0] + code.offset,
        "end_line": span.end[0] + code.offset,
        "column": _column(code.lines, span.start),
        "end_column": _column(code.lines, span.end),
        "node": kind_of(node),
        "text": _text_of(node, code.lines)[: values.MOST_TEXT],
    }
    until = time.monotonic() + values.TIME_S
    parts: List[Dict[str, Any]] = []
    for part in itertools.islice(_parts(node, code, trace.tb_frame, error, until), MOST_PARTS):
        parts.append(values.fitted_into(values.room_after(parts), part))
    return dict(scene, parts=parts)


# -- where it failed -------------------------------------------------------------------------------------------------


def _code_of(frame: FrameType, shell: Any, target: Optional[ast.AST]) -> Optional[_Code]:
    name = frame.f_code.co_filename
    if name not in report.TIMED:
        text, offset = "".join(linecache.getlines(name, frame.f_globals)), 0
    else:
        # What ``%%time`` times is compiled for itself, and begins behind its line.
        text, offset = magics.body_of(target, shell), 1
    try:
        # Not `splitlines`, which knows more ends of a line than Python's parser.
        return _Code([line + "\n" for line in text.split("\n")], ast.parse(text), offset) if text else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _node_of(trace: TracebackType, tree: ast.AST) -> Optional[ast.AST]:
    span = _failing_span(trace)
    if span is None:
        # The innermost statement that begins on that line or before, and ends on it or behind.
        line = trace.tb_lineno
        return _innermost(tree, _Span((line, sys.maxsize), (line, 0)), ast.stmt)
    node = _innermost(tree, span, ast.AST)
    # What fails of a loop's own is to go through what it goes through.
    return node.iter if isinstance(node, (ast.For, ast.AsyncFor)) else node


def _failing_span(trace: TracebackType) -> Optional[_Span]:
    positions = getattr(trace.tb_frame.f_code, "co_positions", None)
    if positions is None:
        return None
    line, end_line, column, end_column = next(itertools.islice(positions(), trace.tb_lasti // 2, None))
    if None in (line, end_line, column, end_column):
        return None
    return _Span((line, column), (end_line, end_column))


def _innermost(tree: ast.AST, span: _Span, kind: type) -> Optional[ast.AST]:
    """Return the innermost node around a place: the walk meets what is outside first."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, kind) and hasattr(node, "lineno"):
            own = _span_of(node)
            if own.start <= span.start and span.end <= own.end:
                found = node
    return found


def _span_of(node: Any) -> _Span:
    return _Span((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))


def _column(lines: List[str], place: Tuple[int, int]) -> int:
    line, column = place
    return len(lines[line - 1].encode()[:column].decode("utf-8", "ignore"))


def _text_of(node: Any, lines: List[str]) -> str:
    """Return the source of a node; of a statement that holds others, what is before them."""
    if not hasattr(node, "lineno"):
        return ""
    span = _span_of(node)
    body = getattr(node, "body", None)
    if isinstance(node, ast.stmt) and isinstance(body, list) and body and body[0].lineno > span.start[0]:
        span = _Span(span.start, (body[0].lineno - 1, sys.maxsize))
    chosen = [line.encode() for line in lines[span.start[0] - 1 : span.end[0]]]
    chosen[-1] = chosen[-1][: span.end[1]]
    chosen[0] = chosen[0][span.start[1] :]
    return b"".join(chosen).decode("utf-8", "replace").strip()


# -- what it was made of ---------------------------------------------------------------------------------------------


def _parts(
    node: ast.AST, code: _Code, frame: FrameType, error: BaseException, until: float
) -> Iterator[Dict[str, Any]]:
    if isinstance(node, ast.ImportFrom):
        yield from _modules(node)
    seen = set()
    for role, operand in (*_operands(node), *_sources(node, code.tree)):
        text = _text_of(operand, code.lines)
        if (role, text) in seen:
            continue
        seen.add((role, text))
        kind = _DISPLAYS.get(kind_of(operand), "")
        part: Dict[str, Any] = {"role": role, "text": text[: values.MOST_TEXT], "type": kind}
        try:
            value = _value_of(operand, text, frame)
            part.update(values.facts_of(value, values.DETAILS if role == "function" else _OF_OPERAND, until))
            part.update(_attributes(node, role, value, error))
        except Exception:  # noqa: BLE001 - looking at it again runs the user's code, which may raise anything
            pass
        yield part
        if time.monotonic() > until:
            return


class _Impure(Exception):
    """An operand that may not be run again."""


def _value_of(node: ast.AST, text: str, frame: FrameType) -> Any:
    if not text or not all(kind_of(each) in _PURE or isinstance(each, _PURE_OPERATORS) for each in ast.walk(node)):
        raise _Impure
    code = compile("({}\n)".format(text), "<crane_agent>", "eval", dont_inherit=True)
    return eval(code, frame.f_globals, frame.f_locals)


def _attributes(node: ast.AST, role: str, value: Any, error: BaseException) -> Dict[str, Any]:
    """Return the attributes that were probably meant where one is missing."""
    if role != "owner" or not isinstance(node, ast.Attribute) or not isinstance(error, AttributeError):
        return {}
    names = [name for name in dir(value) if type(name) is str]
    return {"attributes": close_to(node.attr, names, most=_MOST_CLOSE)}


def _modules(statement: ast.ImportFrom) -> Iterator[Dict[str, Any]]:
    """Yield the module that something is imported from, with what was probably meant."""
    module = sys.modules.get(statement.module or "")
    if module is None or statement.level:
        return
    # Not `hasattr`, for which some packages import more of themselves.
    names = list(vars(module))
    for alias in statement.names:
        if alias.name not in names:
            close = close_to(alias.name, names, most=_MOST_CLOSE)
            yield {"role": "owner", "text": statement.module, "type": "module", "attributes": close}


def _operands(node: Any) -> Iterator[Tuple[str, ast.AST]]:
    """Yield what a node is made of, each with its role."""
    kind = kind_of(node)
    if kind == "Call":
        yield from _operands_of_call(node)
    elif kind == "Attribute":
        yield "owner", node.value
    elif kind == "Subscript":
        yield "value", node.value
        yield "key", _key_of(node)
    elif kind == "BinOp":
        yield from (("left", node.left), ("right", node.right))
    elif kind == "AugAssign":
        yield from (("left", node.target), ("right", node.value))
    elif kind == "Compare":
        yield "left", node.left
        yield from (("right", each) for each in node.comparators)
    elif kind == "Name":
        yield "value", node
    elif isinstance(node, ast.stmt):
        yield from _operands_of_statement(node)
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield from (("iterable", each.iter) for each in node.generators)
    else:
        yield from (("value", each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))


def _operands_of_call(call: ast.Call) -> Iterator[Tuple[str, ast.AST]]:
    yield "function", call.func
    if isinstance(call.func, ast.Attribute):
        yield "owner", call.func.value
    for place, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            yield "arguments", argument.value
        else:
            yield "argument {}".format(place), argument
    for keyword in call.keywords:
        yield ("keywords" if keyword.arg is None else "keyword {}".format(keyword.arg)), keyword.value


def _key_of(node: Any) -> Any:
    """Return the key of a subscript; before Python 3.9 it is wrapped."""
    return node.slice.value if kind_of(node.slice) == "Index" else node.slice


def _operands_of_statement(statement: ast.stmt) -> Iterator[Tuple[str, ast.AST]]:
    """Yield what the expressions of a statement are made of, without those of the statements that it holds."""
    for name, field in ast.iter_fields(statement):
        if name in _BODIES:
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.Name):
                yield "value", child
            for node in ast.walk(child) if isinstance(child, ast.AST) else ():
                if isinstance(node, (ast.Call, ast.Attribute, ast.Subscript, ast.BinOp, ast.Compare)):
                    yield from _operands(node)
    if isinstance(statement, ast.AugAssign):
        yield from (("left", statement.target), ("right", statement.value))


def _sources(node: ast.AST, tree: ast.AST) -> Iterator[Tuple[str, ast.AST]]:
    """Yield what was being assigned to a node that is assigned to."""
    if not isinstance(getattr(node, "ctx", None), ast.Store):
        return
    for each in ast.walk(tree):
        targets = getattr(each, "targets", None) or [getattr(each, "target", None)]
        if any(node is inner for target in targets if target is not None for inner in ast.walk(target)):
            for role, field in (("assigned", "value"), ("iterable", "iter")):
                if isinstance(getattr(each, field, None), ast.expr):
                    yield role, getattr(each, field)
