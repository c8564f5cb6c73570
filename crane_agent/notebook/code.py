"""The source of one cell as Python: what IPython makes of it, its syntax tree, and how its lines map back.

IPython's own transformer does the work (magics, ``!``, ``?``, prompts, indentation), so that a cell is read as
the kernel will read it. IPython is imported when the first cell is parsed, which keeps start-up light.
"""

import ast
import codeop
import copy
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from crane_agent.in_kernel.scope import Names, names_of
from crane_agent.in_kernel.wire import Running, running

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

# Magics that run their text as Python in the user's namespace.
_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture"})
_PYTHON_LINE_MAGICS = frozenset({"time", "timeit"})
_MAX_NESTED_MAGICS = 4
# Options of timeit that neither bind a name nor run code.
_TIMEIT_OPTIONS = re.compile(r"(?:-(?:[nrp] *\d+|[tcqo])(?: +|$))*")

_LINE_END = re.compile(r"\r\n|\r|\n")
_FIRST_WORD = re.compile(r"\s*([^\W\d]\w*)")
_SHELL_CALLS = frozenset({"run_line_magic", "run_cell_magic", "system", "getoutput"})
_SHELL_CALL = re.compile(rf"get_ipython\(\)\.(?:{'|'.join(sorted(_SHELL_CALLS))})\(")

_NO_NAMES = Names(frozenset(), frozenset(), frozenset(), frozenset(), (), frozenset())


@dataclass(frozen=True)
class SyntaxFault:
    """Why the cell, or one statement of it, is not Python.

    Attributes:
        type: Class of the error as a traceback shows it, e.g. `IndentationError`.
        message: Its message, without the place.
        line: Line of the original cell, from 1; None if unknown or if its lines cannot be mapped.
        column: Column of that line in characters, from 1; None if unknown.
    """

    type: str
    message: str
    line: int | None
    column: int | None


class Magic(NamedTuple):
    """A magic that the cell calls.

    Attributes:
        name: Its name, without ``%``.
        line: What follows on its line.
        is_cell_magic: Whether it is a ``%%`` magic.
        code: The Python that it runs in the user's namespace, where we know it to: ``time``, ``timeit`` and
            ``%%capture``.
    """

    name: str
    line: str
    is_cell_magic: bool
    code: "Code | None"


@dataclass(frozen=True)
class Code:
    """One cell's code.

    Attributes:
        source: The text in the notebook.
        python: The text after IPython's transformation; what the kernel parses.
        tree: Its syntax tree, lines as in `python`; None if it cannot be parsed.
        syntax_error: What is wrong with it. With a tree, only one statement cannot be compiled (a ``return``
            outside of a function): IPython compiles statement by statement, so those before it do run.
            What is not a kind of `SyntaxError` (RecursionError, MemoryError) may be a limit of our process only.
        line_offset: Leading blank lines that IPython strips: original line = line of `python` + offset.
        lines_agree: False if the transformation changed the number of lines in another way, so that no line of
            `python` can be mapped.
        cell_magic: Name of a leading ``%%`` magic, or None.
        has_magics: Whether the cell holds any magic, ``!`` or ``?``.
        first_word: The first word of a cell of one line, which the kernel may take for a magic; else ''.
        body: The code under ``%%time``, ``%%timeit`` or ``%%capture``, which runs as Python in the user's
            namespace; its lines map to the original cell, too.
        magics: The magics called, those by a text known here, in the order of the tree's walk.
    """

    source: str
    python: str
    tree: ast.Module | None
    syntax_error: SyntaxFault | None
    line_offset: int
    lines_agree: bool
    cell_magic: str | None
    has_magics: bool
    first_word: str
    body: "Code | None"
    magics: tuple[Magic, ...]

    def original_line(self, line: int | None) -> int | None:
        """Return the original cell's line, from 1, of a line of `python`; None if it cannot be mapped."""
        return line + self.line_offset if line is not None and self.lines_agree else None


def parse(source: str) -> Code:
    """Parse the source of a cell, as the kernel would, without running any of it.

    Never raises for any text; no warning is shown. The tree is made by the Python we run on, so syntax that is
    newer or older than the kernel's may be judged wrongly.
    """
    return _parse(source, lines_above=0, depth=0)


def names_in(code: Code) -> Names:
    """Return the names of a cell; none if it cannot be parsed.

    The Python given to ``%time``, ``%timeit``, ``%%time``, ``%%timeit`` and ``%%capture`` counts as if it stood
    there; what ``timeit`` binds stays inside of it.
    """
    if code.tree is None:
        return _NO_NAMES
    statements = [each for statement in code.tree.body for each in _unwrapped(statement, code.magics)]
    names = names_of(ast.Module(statements, []))
    nested = [names_in(magic.code).binds for magic in code.magics if magic.code and magic.name != "timeit"]
    return names._replace(
        reads=names.reads - {_TIMED}, binds=names.binds.union(*nested) - {_TIMED}, needs=names.needs - {_TIMED}
    )


def followed(code: Code) -> Code:
    """Return the code as the checker follows it: a statement that is a magic which runs Python is a `Running`.

    Lines of its tree count as those of `python`, those under a ``%%`` magic go on behind its line; `original_line`
    maps them all.
    """
    if code.tree is None or not code.magics:
        return code
    try:
        tree = _unfolded(code, code.tree)
    except RecursionError:
        return code
    # The statement that a cell magic becomes is on the line of the magic, whatever the text under it is.
    below = followed(code.body) if code.body is not None and _has_running(tree) else None
    lines_agree = below.lines_agree if below is not None else code.lines_agree or code.cell_magic is not None
    return replace(code, tree=tree, lines_agree=lines_agree)


def _unfolded(code: Code, tree: ast.Module) -> ast.Module:
    """Return a copy of the tree of `code`, with its magics as `Running`."""
    copied: ast.Module = _Unfolding(code).visit(copy.deepcopy(tree))
    return copied


def _has_running(tree: ast.Module) -> bool:
    return any(isinstance(each, Running) for each in tree.body)


class _Unfolding(ast.NodeTransformer):
    """Makes `Running` of the magics that run Python in the user's namespace, where they do it outside of functions."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = _call_of_magic(node.value)
        magic = next((each for each in self._code.magics if each[:3] == call), None)
        if magic is None or magic.code is None or not _runs_as_written(magic):
            return node
        below = magic.code
        assert below.tree is not None
        assert isinstance(node.value, ast.Call)
        tree = _unfolded(below, below.tree)
        lines = below.line_offset - self._code.line_offset if magic.is_cell_magic else node.lineno - 1
        columns = 0 if magic.is_cell_magic else self._column_of(below.source, node)
        for each in ast.walk(tree):
            _move(each, lines, columns)
        return ast.copy_location(running(node.value, tree.body, below.first_word), node)

    def _column_of(self, text: str, node: ast.stmt) -> int:
        """Return where the text of a line magic begins on its line [bytes]; 0 if that is not known."""
        lines = self._code.source.splitlines()
        line = node.lineno + len(_leading_blank(self._code.source))
        place = lines[line - 1].find(text) if self._code.lines_agree and line <= len(lines) else -1
        return len(lines[line - 1][:place].encode("utf-8", "replace")) if place > 0 else 0

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    # There a magic has names of its own, or that of a body that is none of the cell's.
    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _as_it_is


def _move(node: ast.AST, lines: int, columns: int) -> None:
    for name, by in (("lineno", lines), ("end_lineno", lines), ("col_offset", columns), ("end_col_offset", columns)):
        place = getattr(node, name, None)
        if place is not None:
            setattr(node, name, place + by)


def _runs_as_written(magic: Magic) -> bool:
    """Whether a magic runs its code as it was parsed, and nothing else; it compiles it as a whole."""
    code = magic.code
    if code is None or code.tree is None or code.syntax_error is not None or not code.tree.body:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code.tree, "<magic>", "exec", dont_inherit=True)
            if not magic.is_cell_magic:
                return _is_kept_by_splitting(code.source, code.tree)
        except _FAULTS:
            return False
    if magic.name == "timeit":
        return _TIMEIT_OPTIONS.fullmatch(magic.line) is not None
    return magic.name == "capture" or not magic.line.strip()


def _is_kept_by_splitting(line: str, tree: ast.Module) -> bool:
    """Whether a line is the same Python after ``%time`` of IPython 9 looked for options in it, as a shell does."""
    from IPython.utils.process import arg_split  # type: ignore[attr-defined]

    words = arg_split(line)
    if any(word.startswith("-") and len(word) > 1 for word in words):
        return False
    return ast.dump(_tree_of(_transformer().transform_cell(" ".join(words)))) == ast.dump(tree)


# Stands for the function that timeit wraps around its code; no name of a cell is spelt like this.
_TIMED = "(timeit)"


def _unwrapped(statement: ast.stmt, magics: tuple[Magic, ...]) -> list[ast.stmt]:
    """Return the statements that a magic runs in the user's namespace, in place of the call of the magic."""
    call = _call_of_magic(statement.value) if isinstance(statement, ast.Expr) else None
    magic = next((each for each in magics if each[:3] == call), None)
    if magic is None or magic.code is None or magic.code.tree is None:
        return [statement]
    body = [each for below in magic.code.tree.body for each in _unwrapped(below, magic.code.magics)]
    if magic.name == "timeit":
        return _function_around(body) if body else []
    outputs = [word for word in magic.line.split() if word.isidentifier()] if magic.name == "capture" else []
    return body + [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in outputs]


def _function_around(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a function with `body`, and a mention of it, so that it counts as called."""
    no_arguments = ast.arguments([], [], None, [], [], None, [])
    function = ast.FunctionDef(_TIMED, no_arguments, body, [], None, None)
    return [function, ast.Expr(ast.Name(_TIMED, ast.Load()))]


def _parse(source: str, *, lines_above: int, depth: int) -> Code:
    """Parse a cell, or the body of a cell magic that begins `lines_above` lines further down."""
    blank = _leading_blank(source)
    offset = lines_above + len(_LINE_END.findall("".join(blank)))
    tree: ast.Module | None = None
    fault: Exception | None = None
    python = source
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            python = _transformer().transform_cell(source)
            tree = _tree_of(python)
            _compile_each(tree)
        except _FAULTS as error:
            fault = error
    lines_agree = _line_count(python) + offset - lines_above == _line_count(source)
    shell_calls = list(_shell_calls(tree)) if tree is not None else []
    cell_magic = _leading_cell_magic(source, tree)
    body = None
    if cell_magic in _PYTHON_CELL_MAGICS and depth < _MAX_NESTED_MAGICS:
        below = source.splitlines(keepends=True)[len(blank) + 1 :]
        body = _parse("".join(below), lines_above=offset + 1, depth=depth + 1)
    has_magics = bool(shell_calls) or _count_calls(python) > _count_calls(source)
    return Code(
        source=source,
        python=python,
        tree=tree,
        syntax_error=None if fault is None else _fault_of(fault, offset if lines_agree else None),
        line_offset=offset,
        lines_agree=lines_agree,
        cell_magic=cell_magic,
        has_magics=has_magics,
        first_word="" if has_magics else _first_word(python),
        body=body,
        magics=tuple(_magics(shell_calls, body, depth)),
    )


def _tree_of(python: str) -> ast.Module:
    # IPython parses with codeop's flags, which turn "was never closed" into "incomplete input".
    flags = codeop.Compile().flags | ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(python, "<cell>", "exec", flags=flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _compile_each(tree: ast.Module) -> None:
    """Compile statement by statement, as IPython does, to find what the parser lets pass."""
    for statement in tree.body:
        module = ast.Module([statement], [])
        compile(module, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


# What compiling any text may raise: null characters and lone surrogates are a ValueError, deep nesting the
# others; the transformer gives up with a RuntimeError.
_FAULTS = (SyntaxError, ValueError, OverflowError, MemoryError, RuntimeError)


def _fault_of(error: Exception, offset: int | None) -> SyntaxFault:
    """Describe an error; `offset` leads from its line to the original cell's, None if no line does."""
    if not isinstance(error, SyntaxError):
        return SyntaxFault(type(error).__name__, str(error), None, None)
    line = error.lineno + offset if error.lineno and offset is not None else None
    return SyntaxFault(type(error).__name__, error.msg, line, error.offset or None)


def _shell_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Find ``get_ipython().run_line_magic(...)`` and its like."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=called)):
                if called in _SHELL_CALLS:
                    yield node


def _magics(calls: list[ast.Call], body: Code | None, depth: int) -> Iterator[Magic]:
    for call in calls:
        known = _call_of_magic(call)
        if known is None:
            continue
        name, line, is_cell_magic = known
        if is_cell_magic:
            yield Magic(name, line, is_cell_magic, body)
        elif name in _PYTHON_LINE_MAGICS and depth < _MAX_NESTED_MAGICS:
            text = _TIMEIT_OPTIONS.sub("", line, count=1) if name == "timeit" else line
            yield Magic(name, line, is_cell_magic, _parse(text, lines_above=0, depth=depth + 1))
        else:
            yield Magic(name, line, is_cell_magic, None)


def _call_of_magic(node: ast.AST) -> tuple[str, str, bool] | None:
    """Return (name, line, whether it is a cell magic) if `node` calls a magic by a text known here."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr=("run_line_magic" | "run_cell_magic") as called),
            args=[ast.Constant(value=str(name)), ast.Constant(value=str(line)), *_],
        ):
            return name, line, called == "run_cell_magic"
    return None


def _leading_cell_magic(source: str, tree: ast.Module | None) -> str | None:
    match tree:
        case ast.Module(body=[ast.Expr(value=value)]) if source.lstrip().startswith("%%"):
            call = _call_of_magic(value)
            return call[0] if call is not None and call[2] else None
    return None


def _count_calls(text: str) -> int:
    return len(_SHELL_CALL.findall(text))


def _first_word(python: str) -> str:
    """Return the first word, if there is one line only: IPython expands automagics in such cells alone."""
    found = _FIRST_WORD.match(python) if len(python.splitlines()) == 1 else None
    return found.group(1) if found else ""


def _leading_blank(source: str) -> list[str]:
    """Return the lines that IPython strips: none if all are blank."""
    lines = source.splitlines(keepends=True)
    blank = list(itertools.takewhile(str.isspace, lines))
    return blank if len(blank) < len(lines) else []


def _line_count(text: str) -> int:
    """Return how many lines Python counts; `str.splitlines` knows more ends of lines than Python does."""
    return len(_LINE_END.findall(text)) + (not text.endswith(("\r", "\n")))


@cache
def _transformer() -> "TransformerManager":
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()  # type: ignore[no-untyped-call]
