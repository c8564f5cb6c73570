"""Whether a patch hides an error instead of fixing it: judged by what it adds to the code, and by what it takes away.

Both texts are compared as syntax trees. Each statement of the original must still be there, perhaps changed, and must
run under no more conditions than before; what swallows errors, leaves the cell early, silences warnings or leaves data
out may not become more. It is a judgement for a reader's sake and prefers to reject: a patch that it rejects may be
right, and is then the reader's to make.
"""

import ast
import builtins
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from crane_agent.agent.repairs.names import ALIASES
from crane_agent.agent.repairs.operands import GIVING_NOTHING
from crane_agent.notebook.code import Code, parse

KEPT = 0.4
"""Share of a statement's words that must still be there where it was changed."""

NAMES_KEPT = 0.5
"""The same of the names that it reads."""


def hides(original: str, patched: str) -> str:
    """Return why a patch hides the error instead of fixing it; '' if it does not.

    Args:
        original: The source of the cell.
        patched: The source as it was patched.
    """
    before, after = parse(original), parse(patched)
    if after.tree is None:
        return "it is no Python"
    if before.cell_magic != after.cell_magic:
        return "it changes what runs the cell"
    old, new = _tree(before), _labelled(_tree(after))
    if before.tree is None:
        return _lost_line(original, patched) or _added(ast.Module([], []), new)
    return _added(old, new) or _taken_away(old, new)


def _tree(code: Code) -> ast.Module:
    """Return the tree of what runs, below a cell magic where that runs Python."""
    if code.cell_magic is not None and code.body is not None and code.body.tree is not None:
        return code.body.tree
    return code.tree or ast.Module([], [])


def _labelled(tree: ast.Module) -> ast.Module:
    """Return a tree without the choice of rows that have a label, of features and labels together.

    Nothing can be learnt from, or compared with, a label that is not there: ``X[y.notna()], y[y.notna()]``.
    """
    for node in ast.walk(tree):
        for field in ("elts", "args"):
            match getattr(node, field, None):
                case [first, second, *others] if (name := _kept_by(first)) and name == _kept_by(second):
                    if first.value.id != name and second.value.id == name:
                        setattr(node, field, [first.value, second.value, *others])
    return tree


def _kept_by(node: ast.AST) -> str:
    """Return the name of the labels in ``X[y.notna()]``; '' if a node is nothing like it."""
    match node:
        case ast.Subscript(
            value=ast.Name(), slice=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="notna"), args=[])
        ):
            return name
    return ""


# -- what is added ---------------------------------------------------------------------------------------------------

_Marks = Callable[[ast.AST], bool]

_SWALLOWING = {"suppress", "safe_eval", "run_cell", "set_custom_exc", "excepthook", "tracebacklimit", "showtraceback"}
_SILENCING = {"filterwarnings", "simplefilter", "catch_warnings", "seterr", "errstate", "disable_warnings"}
_LEAVING = {"exit", "quit", "_exit", "abort", "kill", "SystemExit", "KeyboardInterrupt", "StopExecution", "skipTest"}
_SHORTENING = {
    *("head", "tail", "dropna", "sample", "drop_duplicates", "truncate", "nlargest", "nsmallest", "query", "islice"),
    *("takewhile", "dropwhile", "compress", "filter", "isfinite", "notna", "notnull", "first_valid_index", "pop"),
}
_GUESSING = {"nan_to_num", "literal_eval", "MagicMock", "Mock"}
_HIDING_KEYWORDS: Mapping[str, tuple[object, ...]] = {
    "errors": (
        "ignore",
        "coerce",
        "replace",
        "surrogateescape",
        "backslashreplace",
        "namereplace",
        "xmlcharrefreplace",
    ),
    "on_bad_lines": ("skip", "warn"),
    "error_bad_lines": (False,),
    "bad_lines": ("skip",),
    "invalid_raise": (False,),
    "strict": (False,),
    "ignore_mismatched_sizes": (True,),
    "skip_mismatch": (True,),
    "ensure_all_finite": (False, "allow-nan"),
    "force_all_finite": (False, "allow-nan"),
    "check_array": (False,),
    "check_input": (False,),
    "check_inverse": (False,),
    "missing_ok": (True,),
    "ignore_errors": (True,),
    "return_exceptions": (True,),
    "raise_on_error": (False,),
    "raise_error": (False,),
    "verify": (False,),
    "error_score": (0, "nan"),
}
_SHORTENING_KEYWORDS = {"nrows", "max_rows", "skipfooter", "skip_footer", "drop_last", "n_rows", "max_samples"}


def _is_call(node: ast.AST, names: set[str]) -> bool:
    """Whether a node reads or calls one of these names, as a name or an attribute."""
    return isinstance(node, ast.Call) and _last(node.func) in names


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _mentions(names: set[str]) -> _Marks:
    return lambda node: _last(node) in names


def _swallows(node: ast.AST) -> bool:
    return type(node).__name__ in _CATCHING or _last(node) in _SWALLOWING


def _is_wide(node: ast.AST) -> bool:
    """Whether a handler takes whatever comes."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or _last(kind) in ("Exception", "BaseException") for kind in kinds)


def _hides_by_keyword(node: ast.AST) -> bool:
    if not isinstance(node, ast.keyword):
        return False
    value = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "value", None)
    return any(type(value) is type(each) and value == each for each in _HIDING_KEYWORDS.get(node.arg or "", ()))


def _is_cut(node: ast.AST) -> bool:
    """Whether a subscript takes a part: ``[:n]``, ``[a:b]``, ``[::2]``, a mask."""
    if not isinstance(node, ast.Subscript):
        return False
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return any(map(_is_bounded, parts)) or any(map(_is_mask, parts))


def _is_bounded(part: ast.AST) -> bool:
    return isinstance(part, ast.Slice) and any(each is not None for each in (part.lower, part.upper, part.step))


def _is_mask(part: ast.AST) -> bool:
    is_operation = isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitAnd | ast.BitOr)
    is_not = isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Invert | ast.Not)
    return isinstance(part, ast.Compare | ast.BoolOp) or is_operation or is_not


def _shortens(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "min":
        return sum(_is_call(each, {"len"}) or _last(each) == "shape" for each in ast.walk(node)) > 1
    return _last(node) in _SHORTENING


def _asks_with_default(node: ast.AST) -> bool:
    """Whether a call answers something else where what was asked for is missing."""
    if not isinstance(node, ast.Call):
        return False
    is_three = _last(node.func) == "getattr" and len(node.args) == 3
    is_two = isinstance(node.func, ast.Name) and node.func.id == "next" and len(node.args) == 2
    is_get = isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "setdefault") and bool(node.args)
    return is_three or is_two or is_get


def _counts(node: ast.AST) -> bool:
    """Whether a statement is ``counts[key] = counts.get(key, 0) + 1``, where the default is what is meant."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)], value=value):
            gets = (each for each in ast.walk(value) if _asks_with_default(each))
            wanted = [_dump(owner), _dump(key)]
            return any([_dump(each.func.value), _dump(each.args[0])] == wanted for each in gets)  # type: ignore[attr-defined]
    return False


def _is_choice(node: ast.AST) -> bool:
    """Whether a part of an expression may not be run; asking for a graphics card is no such choice."""
    if isinstance(node, ast.IfExp):
        return not any(_last(each) in ("is_available", "device_count") for each in ast.walk(node.test))
    return isinstance(node, ast.BoolOp)


def _leaves_early(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise | ast.Break | ast.Continue) or _last(node) in _LEAVING


def _is_empty_loop(node: ast.AST) -> bool:
    if not isinstance(node, ast.For):
        return False
    match node.iter:
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]) | ast.Constant(value=""):
            return True
        case ast.Call(func=ast.Name(id="range" | "list" | "tuple" | "dict" | "set"), args=[] | [ast.Constant(value=0)]):
            return True
    return False


def _is_named_lambda(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.Expr) and isinstance(node.value, ast.Lambda)


def _gives_nothing(node: ast.AST) -> bool:
    match node:
        case ast.Return(value=None | ast.Constant()) | ast.Lambda(body=ast.Constant()):
            return True
    return False


_ADDED: Sequence[tuple[str, _Marks]] = (
    ("it catches errors", _swallows),
    ("it catches more errors", _is_wide),
    ("it does nothing instead", lambda node: isinstance(node, ast.Pass)),
    ("it gives a constant instead", _gives_nothing),
    ("it leaves the cell or a loop early", _leaves_early),
    ("it silences warnings", _mentions(_SILENCING)),
    ("it tells a library to go on in spite of errors", _hides_by_keyword),
    ("it takes a part of the data only", _is_cut),
    ("it leaves data out", _shortens),
    ("it leaves data out", lambda node: isinstance(node, ast.keyword) and node.arg in _SHORTENING_KEYWORDS),
    ("it leaves data out", lambda node: isinstance(node, ast.comprehension) and bool(node.ifs)),
    ("it puts values in the place of others without naming them", lambda node: _is_call(node, _GUESSING)),
    ("it makes a part of the code conditional", _is_choice),
    ("it makes a part of the code conditional", lambda node: isinstance(node, ast.If | ast.While | ast.Match)),
    ("it runs a loop that has no rounds", _is_empty_loop),
    ("it makes a function of code", _is_named_lambda),
    ("it runs code out of sight", lambda node: _is_call(node, {"exec", "eval", "Thread", "submit", "apply_async"})),
)


def _added(old: ast.Module, new: ast.Module) -> str:
    before, after = list(ast.walk(old)), list(ast.walk(new))
    for why, marks in _ADDED:
        if sum(map(marks, after)) > sum(map(marks, before)):
            return why
    if _defaults(new) > _defaults(old):
        return "it asks with a default for what is missing"
    return "it leaves a function early" if _early_returns(new) > _early_returns(old) else ""


def _defaults(tree: ast.Module) -> int:
    return sum(_asks_with_default(node) - _counts(node) for node in ast.walk(tree))


def _early_returns(tree: ast.Module) -> int:
    """Return how many returns are not the last statement of their function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    last = {id(function.body[-1]) for function in functions}
    return sum(isinstance(node, ast.Return) and id(node) not in last for node in ast.walk(tree))


# -- what is taken away ----------------------------------------------------------------------------------------------


class _Statement(NamedTuple):
    """One statement, without those that it holds.

    Attributes:
        shape: Its own tree as text.
        words: Names, attributes and literals in it.
        names: The names among them that it reads.
        binds: The names that it binds.
        under: What it stands under that may keep it from running.
        called: The functions that it calls, as trees.
        uncalled: What it names without a call, as trees.
    """

    shape: str
    words: frozenset[str]
    names: frozenset[str]
    binds: frozenset[str]
    under: Counter[str]
    called: frozenset[str]
    uncalled: frozenset[str]


def _taken_away(old: ast.Module, new: ast.Module) -> str:
    after = list(_statements(new))
    kept = {each.shape for each in after}
    before = [each for each in _statements(old) if each.shape in kept or not _adds_dimension(each)]
    pairs = _pairs(before, after)
    for place, statement in enumerate(before):
        there = pairs.get(place)
        if there is None:
            return "it drops a statement"
        if (statement.called - statement.uncalled) & (after[there].uncalled - after[there].called):
            return "it no longer calls a function"
        if after[there].under - statement.under:
            return "it makes a statement conditional, or puts it where it does not run"
    bound = frozenset().union(*(each.binds for each in after))
    lost = frozenset().union(*(each.binds for each in before)) - bound
    if any(not difflib.get_close_matches(name, bound, n=1, cutoff=KEPT) for name in lost):
        return "it no longer binds a name"
    return _fewer_rounds(old, new)


def _adds_dimension(statement: _Statement) -> bool:
    """Whether a statement is ``x = x.unsqueeze(0)`` or its like, which may be a dimension too much."""
    others = {word for word in statement.words - statement.names if not word.isdecimal()}
    return len(statement.binds) == 1 and statement.binds == statement.names and others in _ADDING_DIMENSIONS


_ADDING_DIMENSIONS = ({"unsqueeze"}, {"expand_dims"}, {"expand_dims", "axis"})


def _fewer_rounds(old: ast.Module, new: ast.Module) -> str:
    """Return why a loop over a range of literal length ends earlier, by more than the one that is counted too far."""
    before, after = list(_rounds(old)), list(_rounds(new))
    is_fewer = len(before) == len(after) and sum(after) < sum(before) - len(before)
    return "it runs a loop less often" if is_fewer else ""


def _rounds(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))])):
                yield count


def _pairs(before: Sequence[_Statement], after: Sequence[_Statement]) -> dict[int, int]:
    """Return where each statement of the original is in the patched code: first those that are the same."""
    shapes = [each.shape for each in before], [each.shape for each in after]
    blocks = difflib.SequenceMatcher(None, *shapes, autojunk=False).get_matching_blocks()
    pairs = {block.a + place: block.b + place for block in blocks for place in range(block.size)}
    free = [place for place in range(len(after)) if place not in pairs.values()]
    for place, statement in enumerate(before):
        if place in pairs:
            continue
        fitting = [other for other in free if _is_kept(statement, after[other])]
        if fitting:
            pairs[place] = max(fitting, key=lambda other: (statement.shape == after[other].shape, -abs(other - place)))
            free.remove(pairs[place])
    return pairs


def _is_kept(old: _Statement, new: _Statement) -> bool:
    """Whether a statement still does its work in another one."""
    if old.shape == new.shape:
        return True
    if old.binds and not new.binds:
        return False
    if not old.words:
        return old.shape.partition("(")[0] == new.shape.partition("(")[0]
    is_made_alike = bool(old.called) and old.called == new.called and all(map(_is_class, old.called))
    return _share(old.words, new.words) >= KEPT and (is_made_alike or _share(old.names, new.words) >= NAMES_KEPT)


def _is_class(called: str) -> bool:
    """Whether a function, as a tree, is named like a class: what makes an object may get other settings."""
    return re.search(r"(?:attr|id)='[A-Z]\w*'\)?$", called) is not None


def _share(old: frozenset[str], new: frozenset[str]) -> float:
    """Return how much of what there was is still there; what is only spelt otherwise counts, too."""
    come = [word.casefold() for word in new - old]
    respelt = sum(bool(difflib.get_close_matches(word.casefold(), come, n=1, cutoff=0.5)) for word in old - new)
    return (len(old & new) + respelt) / len(old) if old else 1.0


_CATCHING = {"Try", "TryStar", "ExceptHandler"}
_HOLDING = {"If", "While", "Try", "TryStar", "Match", "ExceptHandler", "FunctionDef", "AsyncFunctionDef", "ClassDef"}


def _statements(tree: ast.AST, under: tuple[str, ...] = ()) -> Iterator[_Statement]:
    for field in ast.iter_child_nodes(tree):
        if isinstance(field, ast.stmt):
            yield _statement(field, under)
        inner = (*under, type(field).__name__) if type(field).__name__ in _HOLDING else under
        if isinstance(field, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _statements(field, inner)


def _statement(node: ast.stmt, under: tuple[str, ...]) -> _Statement:
    node = _without_none(node)
    own = list(_own(node))
    words = frozenset(word for each in own for word in _words(each)) - _MODULES
    read = (each for each in own if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
    set_ = (each for each in own if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    imports = (alias for each in own if isinstance(each, ast.Import | ast.ImportFrom) for alias in each.names)
    binds = {each.id for each in set_} | {(alias.asname or alias.name).partition(".")[0] for alias in imports}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        binds.add(node.name)
    parts = (_dump(each) for each in own if each is not node)
    shape = f"{type(node).__name__}({', '.join(parts)}{getattr(node, 'name', '')})"
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.AugAssign):
        shape = _dump(node)
    functions = {id(each.func): each.func for each in own if isinstance(each, ast.Call)}
    applied = (argument for each in own for argument in _applied(each))
    elsewhere = {
        *functions,
        *map(id, applied),
        *(id(each.value) for each in own if isinstance(each, ast.Subscript | ast.Attribute)),
    }
    called = frozenset(_dump(each) for each in functions.values() if _last(each) not in _PROPERTIES)
    uncalled = frozenset(_dump(each) for each in own if _last(each) and id(each) not in elsewhere)
    return _Statement(
        shape, words, frozenset(each.id for each in read) - _OTHERS, frozenset(binds), Counter(under), called, uncalled
    )


def _applied(node: ast.AST) -> Sequence[ast.expr]:
    """Return what a call hands to ``column.apply`` or its like, which calls it for each value."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() | ast.Subscript(), attr="apply" | "map")):
            return node.args
    return ()


_MODULES = frozenset((*ALIASES, *ALIASES.values(), "scipy", "sklearn", "math"))
_OF_JSON = {"null": "None", "true": "True", "false": "False"}
_OTHERS = frozenset(dir(builtins)) | _MODULES | _OF_JSON.keys()
"""Names of nobody's data."""

_CONVERSIONS = {"decode", "encode", "detach", "cpu", "numpy", "to_numpy", "values", "data", "item", "tolist"}
"""Attributes that give the same in another form, which may be needless."""

_PROPERTIES = {
    *("shape", "size", "ndim", "columns", "index", "values", "dtype", "dtypes", "empty", "name", "T", "at", "iat"),
    *("loc", "iloc", "str", "dt", "data", "grad", "int", "float", "bool"),
}
"""Attributes that are called by mistake."""


def _without_none(node: ast.stmt) -> ast.stmt:
    """Return ``x = x.append(1)``, which binds x to None, as the call that it is."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)) as call,
        ) if name == owner and (method in GIVING_NOTHING or any(each.arg == "inplace" for each in call.keywords)):
            return ast.Expr(call)
    return node


def _own(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement and the expressions in it, without the statements that it holds."""
    waiting: list[ast.AST] = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [
            child
            for child in ast.iter_child_nodes(each)
            if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case | ast.expr_context)
        ]


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(ctx=ast.Store()):
            pass
        case ast.Attribute(attr=name) if name in _CONVERSIONS:
            pass
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.arg(arg=name):
            yield _OF_JSON.get(name, name)
        case ast.keyword(arg=str(name)):
            yield name
        case ast.Constant(value=value):
            yield repr(value)
        case ast.ImportFrom(module=str(module)):
            yield module
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name


def _dump(node: ast.AST) -> str:
    return re.sub(r",? ?ctx=(Load|Store|Del)\(\)", "", ast.dump(node))


# -- code that was no Python -----------------------------------------------------------------------------------------


def _lost_line(original: str, patched: str) -> str:
    """Return why a line of code that could not be parsed is gone; '' if none is."""
    there = [line.strip() for line in patched.splitlines() if _is_code(line)]
    for line in filter(_is_code, original.splitlines()):
        if not difflib.get_close_matches(line.strip(), there, n=1, cutoff=KEPT):
            return "it drops a line"
    return ""


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")
