"""What one cell does to the namespace, as far as its text shows: names bound, values changed in place."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from crane_agent.in_kernel.scope import Names
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import Code, Magic, names_in, parse

# Magics that bind no name. Any other may: %run, %pylab, %store -r, an extension's.
_HARMLESS_MAGICS = {
    *("autoreload", "colors", "config", "matplotlib", "pdb", "precision", "unload_ext", "xmode"),
    *("cat", "cd", "cp", "env", "ldir", "ll", "ls", "mkdir", "mv", "pwd", "rm", "rmdir", "set_env"),
    *("conda", "mamba", "micromamba", "pip", "uv"),
    *("hist", "history", "lsmagic", "magic", "pinfo", "pinfo2", "psearch", "quickref", "who", "who_ls", "whos"),
    *("html", "HTML", "javascript", "js", "latex", "markdown", "svg", "writefile"),
}
_SCRIPT_MAGICS = {"bash", "sh", "script", "system", "sx"}  # with --out or --err they bind that name
_PYTHON_MAGICS = {"time", "timeit", "capture"}  # what these bind is among the names of their cell
_HARMLESS_EXTENSIONS = {"autoreload", "dotenv", "line_profiler", "memory_profiler", "tensorboard"}
# Calls that can bind any name.
_DYNAMIC = frozenset({"exec", "globals", "locals"})

# Methods that change their object on every type that people use them on.
_CHANGING = {
    *("extend", "pop", "popitem", "popleft", "appendleft", "extendleft", "setdefault", "update", "clear", "reverse"),
    *("remove", "discard", "sort", "difference_update", "intersection_update", "symmetric_difference_update"),
    *("fill", "itemset", "setflags"),
    *("fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample", "set_params"),
    *("compile", "load_weights", "load_state_dict", "register_buffer", "register_parameter", "add_module"),
    *("zero_grad", "add_param_group"),
}
# Methods of which another type returns a changed copy (DataFrame.add): a change only where the result is dropped.
_CHANGING_IF_DROPPED = {"append", "add", "insert", "resize", "step"}
_MODES = {"train", "eval"}  # of a model, without arguments; DataFrame.eval takes one
# Functions that change their first argument.
_CHANGING_FUNCTIONS = {
    *("shuffle", "heappush", "heappop", "heapify", "heapreplace", "insort", "insort_left", "insort_right"),
    *("fill_diagonal", "copyto", "putmask", "setattr", "delattr"),
}
_TORCH_MODULES = {"torch", "nn", "init", "utils", "functional", "F"}  # init.normal_(weight) changes its argument
# Their bodies run when somebody calls them, or bind names of their own.
_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Change(NamedTuple):
    """A value that a cell changes in place.

    Attributes:
        name: The global name that it is reached by.
        how: What changes it, e.g. ``item assignment`` or ``.append()``.
    """

    name: str
    how: str

    @property
    def by_method(self) -> bool:
        """Whether a call of a method changes it: on an imported module that is a function, which need not."""
        return self.how.startswith(".")


def names_of_cell(cell: Cell) -> Names:
    """Return the names that a cell reads, binds and deletes; none if it cannot be parsed."""
    return _names_of_source(cell.source)


def changes_in(cell: Cell) -> tuple[Change, ...]:
    """Return what the cell changes in place, each once, in the order of its text.

    By the text alone: a list's ``append`` changes it, and whatever else has that method is taken for one. What
    functions change when they are called is not seen, nor a change through another name of the same value.
    """
    return _changes_in_source(cell.source)


def imports_of(cell: Cell) -> frozenset[str]:
    """Return the names that ``import`` statements of the cell bind to modules."""
    tree = _code(cell.source).tree
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)] if tree is not None else []
    return frozenset(alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names)


def may_bind_anything(cell: Cell) -> bool:
    """Whether the cell may bind names that it does not spell: a star import, ``exec``, a magic such as ``%run``."""
    code = _code(cell.source)
    if code.tree is None:
        # A cell that failed to parse in the kernel, too, bound nothing; else its Python is newer than ours.
        return not cell.failed_when_saved
    return has_unknown_names(code, names_of_cell(cell))


def has_unknown_names(code: Code, names: Names) -> bool:
    """Whether code with these names may bind names that it does not spell."""
    return bool(names.star_imports or _DYNAMIC & names.reads) or not all(map(_is_harmless, code.magics))


def _is_harmless(magic: Magic) -> bool:
    if magic.name in _PYTHON_MAGICS:
        if magic.code is None or magic.code.tree is None:
            return magic.name == "timeit"  # options we do not read; what it binds stays inside of it
        return all(map(_is_harmless, magic.code.magics))
    if magic.name in _SCRIPT_MAGICS:
        return "--out" not in magic.line and "--err" not in magic.line
    if magic.name in ("load_ext", "reload_ext"):
        return magic.line.strip() in _HARMLESS_EXTENSIONS
    return magic.name in _HARMLESS_MAGICS


@lru_cache(maxsize=1024)
def _names_of_source(source: str) -> Names:
    return names_in(_code(source))


@lru_cache(maxsize=1024)
def _changes_in_source(source: str) -> tuple[Change, ...]:
    return tuple(dict.fromkeys(_changes_of(_code(source))))


@lru_cache(maxsize=256)
def _code(source: str) -> Code:
    return parse(source)


# --- changes in place ----------------------------------------------------------------------------------------


def _changes_of(code: Code) -> Iterator[Change]:
    if code.tree is not None:
        yield from changes_below(code.tree, frozenset())
    for magic in code.magics:
        if magic.code is not None:
            yield from _changes_of(magic.code)


def changes_below(tree: ast.AST, own: frozenset[str]) -> Iterator[Change]:
    """Yield the changes under `tree`; `own` are names of the comprehensions around it, which are not global."""
    pending = [(tree, own)]  # a loop: expressions nest deeply
    while pending:
        node, own = pending.pop()
        if isinstance(node, _OTHER_SCOPES):
            continue
        if isinstance(node, _COMPREHENSIONS):
            own = own.union(*(_stored(generator.target) for generator in node.generators))
        yield from (change for change in _changes_at(node) if change.name not in own)
        pending.extend((child, own) for child in reversed(list(ast.iter_child_nodes(node))))


def _stored(target: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _changes_at(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.AugAssign(target=ast.Name(id=name)):
            yield Change(name, "augmented assignment")
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            part = "item" if isinstance(node, ast.Subscript) else "attribute"
            act = "assignment" if isinstance(node.ctx, ast.Store) else "deletion"
            yield from _change_of(node, f"{part} {act}")
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method))) if method in _CHANGING_IF_DROPPED:
            yield from _change_of(owner, f".{method}()")
        case ast.Call(func=ast.Attribute(value=owner, attr=method)):
            yield from _changes_by_method(node, owner, method)
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _CHANGING_FUNCTIONS:
            yield from _change_of(first, f"{name}()")


def _changes_by_method(call: ast.Call, owner: ast.expr, method: str) -> Iterator[Change]:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    first = call.args[0] if call.args else None
    if "out" in keywords:
        yield from _change_of(keywords["out"], f"{method}(out=)")
    if method in _CHANGING_FUNCTIONS and first is not None:
        yield from _change_of(first, f"{method}()")
    elif method.endswith("_") and not method.endswith("__"):
        of_module = isinstance(owner, ast.Name | ast.Attribute) and _last_name(owner) in _TORCH_MODULES
        if not of_module:
            yield from _change_of(owner, f".{method}()")
        elif first is not None:
            yield from _change_of(first, f"{method}()")
    elif isinstance(inplace := keywords.get("inplace"), ast.Constant):
        if inplace.value is True:
            yield from _change_of(owner, f".{method}(inplace=True)")
    elif method in _CHANGING or (method in _MODES and not call.args and not call.keywords):
        yield from _change_of(owner, f".{method}()")


def _last_name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _change_of(node: ast.expr, how: str) -> Iterator[Change]:
    """Yield the change of the global that `node` leads to by attributes and items; a call leads elsewhere."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield Change(node.id, how)
