"""Where the names come from that the target reads: cells that ran, cells that did not, or nowhere."""

import builtins
import re

from crane_agent.notebook.cells import Cell
from crane_agent.notebook.effects import has_unknown_names, may_bind_anything, names_of_cell
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
    magic that may bind names, in the target or in an executed cell; and where not all that ran is known.
    """
    if not target.is_complete:
        return frozenset()
    if has_unknown_names(target.code, target.names) or any(map(may_bind_anything, target.executed)):
        return frozenset()
    bound = (names_of_cell(cell) for cell in (*target.executed, *target.not_run, *target.later))
    return _missing(target).difference(*(names.binds | names.sets_globals for names in bound))


def deleted_by(target: Target) -> dict[str, tuple[int, ...]]:
    """Return the names that the target needs and that an executed cell bound, but a later one deleted.

    Returns:
        Name -> indices of the executed cells that delete it, in execution order; the last is the one that counts.
    """
    gone: dict[str, tuple[int, ...]] = {}
    for name in sorted(_missing(target)):
        deleting = tuple(cell.index for cell in target.executed if name in names_of_cell(cell).deletes)
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
    found = {name: tuple(cell.index for cell in cells if name in names_of_cell(cell).binds) for name in sorted(names)}
    return {name: places for name, places in found.items() if places}


def _missing(target: Target) -> frozenset[str]:
    """Return the names that the target needs and that nothing has bound when it runs."""
    bound: set[str] = set()
    for cell in target.executed:
        names = names_of_cell(cell)
        bound |= names.binds | names.sets_globals
        bound -= names.deletes
    needed = target.names.needs - _GIVEN - bound
    return frozenset(name for name in needed if not _NUMBERED.fullmatch(name))
