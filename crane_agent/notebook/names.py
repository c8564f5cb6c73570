"""Where the names come from that the target reads: cells that ran, cells that did not, or nowhere."""

import builtins
import re
from functools import lru_cache

from crane_agent.in_kernel.scope import Names
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import Code, Magic, names_in, parse
from crane_agent.notebook.history import Target

# Builtins of Pythons newer than ours: the kernel may have them.
_NEWER_BUILTINS = {"PythonFinalizationError", "_IncompleteInputError"}
# What a module has, what `site` and IPython put into the user's namespace or the builtins.
_SHELL_NAMES = {
    *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtin__", "__builtins__"),
    *("__annotations__", "__file__", "__IPYTHON__", "__debug__", "__session__", "__vsc_ipynb_file__"),
    *("In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh", "_sh", "_exit_code"),
    *("get_ipython", "display", "exit", "quit", "open", "copyright", "credits", "license", "help"),
}
_GIVEN = frozenset(dir(builtins)) | _NEWER_BUILTINS | _SHELL_NAMES
_NUMBERED = re.compile(r"_i?[0-9]+")  # _12 and _i12: IPython's output and input history

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


def defined_by_unrun(target: Target) -> dict[str, tuple[int, ...]]:
    """Return the names that the target needs, that no executed cell left bound, and that cells not run would bind.

    Returns:
        Name -> indices of those cells, in notebook order.
    """
    unrun = sorted((*target.not_run, *target.later), key=lambda cell: cell.index)
    return _binders(_missing(target), tuple(unrun))


def never_bound(target: Target) -> frozenset[str]:
    """Return the names that the target needs and that no cell of the notebook binds, Python and IPython neither.

    Empty where that cannot be known: a star import, ``exec`` or ``globals``, a cell that cannot be parsed, or a
    magic that may bind names, in the target or in an executed cell.
    """
    if _has_unknown_names(target.code, target.names) or any(map(_may_bind_anything, target.executed)):
        return frozenset()
    bound = (_names(cell) for cell in (*target.executed, *target.not_run, *target.later))
    return _missing(target).difference(*(names.binds | names.sets_globals for names in bound))


def deleted_by(target: Target) -> dict[str, tuple[int, ...]]:
    """Return the names that the target needs and that an executed cell bound, but a later one deleted.

    Returns:
        Name -> indices of the executed cells that delete it, in execution order; the last is the one that counts.
    """
    gone: dict[str, tuple[int, ...]] = {}
    for name in sorted(_missing(target)):
        deleting = tuple(cell.index for cell in target.executed if name in _names(cell).deletes)
        if deleting:
            gone[name] = deleting
    return gone


def binding_cells(target: Target) -> dict[str, tuple[int, ...]]:
    """Return the executed cells that bind the names which the target reads.

    Returns:
        Name -> indices of those cells, in execution order; the last is where its value comes from.
    """
    return _binders(target.names.reads, target.executed)


def _binders(names: frozenset[str], cells: tuple[Cell, ...]) -> dict[str, tuple[int, ...]]:
    found = {name: tuple(cell.index for cell in cells if name in _names(cell).binds) for name in sorted(names)}
    return {name: places for name, places in found.items() if places}


def _missing(target: Target) -> frozenset[str]:
    """Return the names that the target needs and that nothing has bound when it runs."""
    bound: set[str] = set()
    for cell in target.executed:
        names = _names(cell)
        bound |= names.binds | names.sets_globals
        bound -= names.deletes
    needed = target.names.needs - _GIVEN - bound
    return frozenset(name for name in needed if not _NUMBERED.fullmatch(name))


def _may_bind_anything(cell: Cell) -> bool:
    code = _code(cell.source)
    if code.tree is None:
        # A cell that failed to parse in the kernel, too, bound nothing; else its Python is newer than ours.
        return not cell.failed_when_saved
    return _has_unknown_names(code, _names(cell))


def _has_unknown_names(code: Code, names: Names) -> bool:
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


def _names(cell: Cell) -> Names:
    return _names_of_source(cell.source)


@lru_cache(maxsize=1024)
def _names_of_source(source: str) -> Names:
    return names_in(_code(source))


@lru_cache(maxsize=256)
def _code(source: str) -> Code:
    return parse(source)
