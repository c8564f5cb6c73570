"""The target and what ran before it: by the execution counts that a notebook stores, or by what a kernel ran."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from crane_agent.errors import NoSuchCell
from crane_agent.in_kernel.redaction import redacted
from crane_agent.in_kernel.scope import Names
from crane_agent.notebook.cells import Cell, Notebook, choose_target
from crane_agent.notebook.code import Code, names_in, parse
from crane_agent.notebook.effects import Change, changes_in, imports_of, may_bind_anything, names_of_cell

MAX_ITEMS = 50
"""Cells, names ... in each list of a history."""

MAX_NAMES = 8
"""Names listed for one cell of a history."""

MAX_NAME = 40
"""Characters shown of one name."""


class Ran(Protocol):
    """A cell as the kernel ran it."""

    @property
    def number(self) -> int:
        """Its ``In [n]``, from 1."""

    @property
    def source(self) -> str:
        """Its text at that time."""


@dataclass(frozen=True)
class Target:
    """The cell that is asked about, and the cells around it.

    Attributes:
        cell: The target itself; as it stands now in none of the lists below, but a running kernel may have run it.
        code: Its code, parsed.
        names: The names that it reads and binds.
        executed: Code cells that ran before it, in execution order: those with a lower count, or with any count
            if the target has none. From a running kernel: all that it ran, a cell as often as it ran.
        not_run: Code cells that are not blank and have not run, in notebook order.
        later: Code cells with the target's count or a higher one, in execution order: when the target runs in
            its turn, they have not run either. None for a running kernel.
        is_complete: Whether `executed` is all that ran; a kernel's memory of it may have gaps.
    """

    cell: Cell
    code: Code
    names: Names
    executed: tuple[Cell, ...]
    not_run: tuple[Cell, ...]
    later: tuple[Cell, ...] = ()
    is_complete: bool = True


def target_of(notebook: Notebook, which: str | None = None) -> Target:
    """Return the target and its history.

    Args:
        notebook: The notebook.
        which: The target's id, index or tag; None lets `choose_target` choose.

    Raises:
        NoSuchCell: No cell is meant.
        NotACodeCell: The cell is Markdown or raw text.
    """
    cell = choose_target(notebook, which)
    code = parse(cell.source)
    others = [each for each in notebook.cells if each.kind == "code" and each.index != cell.index]
    counted = sorted(
        ((each.execution_count, each.index, each) for each in others if each.execution_count is not None),
        key=lambda entry: entry[:2],
    )
    own = cell.execution_count
    return Target(
        cell=cell,
        code=code,
        names=names_in(code),
        executed=tuple(each for count, _, each in counted if own is None or count < own),
        not_run=tuple(each for each in others if each.execution_count is None and each.source.strip()),
        later=tuple(each for count, _, each in counted if own is not None and count >= own),
    )


# --- a running kernel ----------------------------------------------------------------------------------------


def target_in_kernel(
    ran: Iterable[Ran], *, notebook: Notebook | None = None, which: str | None = None, code: str | None = None
) -> Target:
    """Return the target and its history as a running kernel remembers it, whatever the notebook's file says.

    A cell that ran is one of the notebook's if it has the same text; edited and deleted ones stay, each with minus
    its number as its index. Of the notebook's cells with one text, that with the number as its stored count is taken,
    else the next one down.

    Args:
        ran: What the kernel ran; blank cells do not count.
        notebook: The notebook, as it was last saved; None: there is none.
        which: The target's id, index or tag. None: the first cell of the notebook that has not run, among those
            below the one that ran last.
        code: The target's text, instead of a cell of the notebook.

    Raises:
        NoSuchCell: No cell is meant.
        NotACodeCell: The cell is Markdown or raw text.
    """
    runs = sorted((each for each in ran if each.source.strip()), key=lambda each: each.number)
    cells = [cell for cell in notebook.cells if cell.kind == "code"] if notebook is not None else []
    executed = tuple(_placed(runs, cells))
    texts = {_text(each.source) for each in runs}
    not_run = [cell for cell in cells if cell.source.strip() and _text(cell.source) not in texts]
    if code is not None:
        cell = _outside(code, runs[-1].number + 1 if runs else 1, count=None)
    elif notebook is None:
        raise NoSuchCell("there is neither a notebook nor a text to check")
    elif which is None:
        cell = _next_to_run(executed, not_run)
    else:
        cell = choose_target(notebook, which)
    parsed = parse(cell.source)
    return Target(
        cell=cell,
        code=parsed,
        names=names_in(parsed),
        executed=executed,
        not_run=tuple(each for each in not_run if each.index != cell.index),
        is_complete=[each.number for each in runs] == list(range(1, len(runs) + 1)),
    )


def _placed(runs: Iterable[Ran], cells: Iterable[Cell]) -> Iterator[Cell]:
    """Yield what ran as cells: the notebook's own where one has that text."""
    by_text: dict[str, list[Cell]] = {}
    for cell in cells:
        by_text.setdefault(_text(cell.source), []).append(cell)
    last = -1
    for each in runs:
        same = by_text.get(_text(each.source), [])
        saved = [cell for cell in same if cell.execution_count == each.number]
        below = [cell for cell in same if cell.index > last]
        if not same:
            yield _outside(each.source, each.number, count=each.number)
            continue
        cell = (saved or below or same)[0]
        last = cell.index
        failed = bool(saved) and cell.failed_when_saved
        yield replace(cell, source=each.source, execution_count=each.number, failed_when_saved=failed)


def _outside(source: str, number: int, *, count: int | None) -> Cell:
    return Cell(
        index=-number, id="", kind="code", source=source, execution_count=count, tags=(), failed_when_saved=False
    )


def _text(source: str) -> str:
    """Return a cell's text as it is compared: IPython drops line feeds at its end, our probe whatever is secret."""
    return redacted(source.replace("\r\n", "\n").rstrip())


def _next_to_run(executed: Sequence[Cell], not_run: Iterable[Cell]) -> Cell:
    last = next((cell.index for cell in reversed(executed) if cell.place is not None), -1)
    for cell in not_run:
        if cell.index > last:
            return cell
    where = f"below cell {last}, the last one that ran, no cell is left to run" if last >= 0 else "it has no code"
    raise NoSuchCell(f"{where}: name the cell to check with --cell")


# --- what is known of names and cells ------------------------------------------------------------------------


def history_of(target: Target, name: str | None = None, *, items: int = MAX_ITEMS) -> Mapping[str, Any]:
    """Return which cells bound, changed and deleted a name, or, without one, what ran in which order.

    Told by the cells' text alone, so what functions do when they are called is not seen. A cell is given as
    ``cell``, its index in the notebook (None: it stands in none), and ``ran``, the number of its ``In [n]`` (None:
    it has not run). JSON values only; of a list longer than `items` the end is kept, and ``truncated`` says so.
    """
    lists = _all_cells(target) if name is None else _one_name(target, name)
    cut = {key: found[-items:] if isinstance(found, list) else found for key, found in lists.items()}
    return {**cut, "complete": target.is_complete, "truncated": cut != lists}


def _one_name(target: Target, name: str) -> dict[str, Any]:
    """Return what happened to one name.

    ``bound``, ``changed`` and ``deleted`` are in order of running; ``last`` is the cell that did any of it last, and
    what it did. ``would_bind``: cells that have not run, or not before the target, in notebook order.
    ``may_bind_anything``: cells that ran and may have bound the name without spelling it.
    """
    modules = frozenset().union(*map(imports_of, target.executed))
    bound, changed, deleted, last = [], [], [], None
    for cell in target.executed:
        names = names_of_cell(cell)
        how = [each.how for each in changes_in(cell) if each.name == name and not _is_of_module(each, modules)]
        acts = {"bound": name in names.binds, "changed": bool(how), "deleted": name in names.deletes}
        if acts["bound"] or name in names.sets_globals:
            bound.append({**_where(cell), **({} if acts["bound"] else {"when": "a function of it is called"})})
        if how:
            changed.append({**_where(cell), "how": how[-MAX_NAMES:]})
        if acts["deleted"]:
            deleted.append(_where(cell))
        if any(acts.values()):
            last = {**_where(cell), "did": [act for act, done in acts.items() if done]}
    return {
        "name": name[:MAX_NAME],
        "bound": bound,
        "changed": changed,
        "deleted": deleted,
        "last": last,
        "would_bind": [_where(cell) for cell in _not_before(target) if name in names_of_cell(cell).binds],
        "may_bind_anything": [_where(cell) for cell in target.executed if may_bind_anything(cell)],
    }


def _all_cells(target: Target) -> dict[str, Any]:
    """Return what ran in which order.

    ``cells`` are in execution order, the last of them all last. ``out_of_order``: cells of the notebook that ran last
    after a cell below them did. ``repeated``: cells that ran more than once. ``unbound``: names that only cells that
    have not run, or not before the target, would bind.
    """
    numbers: dict[int, list[int | None]] = {}
    last: dict[int, int] = {}
    for place, cell in enumerate(target.executed):
        if cell.place is not None:
            numbers.setdefault(cell.index, []).append(cell.execution_count)
            last[cell.index] = place
    bound: set[str] = set()
    for cell in target.executed:
        names = names_of_cell(cell)
        bound = (bound | names.binds | names.sets_globals) - names.deletes
    unbound: dict[str, list[int]] = {}
    for cell in _not_before(target):
        for name in sorted(names_of_cell(cell).binds - bound):
            unbound.setdefault(name, []).append(cell.index)
    return {
        "count": len(target.executed),
        "cells": [{**_where(cell), **_binds(cell)} for cell in target.executed],
        "out_of_order": _out_of_order(last),
        "repeated": [
            {"cell": index, "ran": ran[-MAX_NAMES:]} for index, ran in sorted(numbers.items()) if len(ran) > 1
        ],
        "unbound": [{"name": name[:MAX_NAME], "cells": cells[:MAX_NAMES]} for name, cells in sorted(unbound.items())],
    }


def _out_of_order(last: Mapping[int, int]) -> list[int]:
    """Return the cells whose last run came after that of a cell below them; `last` has the place of that run."""
    found = []
    first_below = float("inf")
    for index in sorted(last, reverse=True):
        if last[index] > first_below:
            found.append(index)
        first_below = min(first_below, last[index])
    return found[::-1]


def _not_before(target: Target) -> list[Cell]:
    """Return the cells that would run after the target, or have not run at all, in notebook order."""
    return sorted((*target.not_run, *target.later), key=lambda cell: cell.index)


def _where(cell: Cell) -> dict[str, int | None]:
    return {"cell": cell.place, "ran": cell.execution_count}


def _binds(cell: Cell) -> dict[str, Any]:
    binds = sorted(names_of_cell(cell).binds)
    more = {"more": len(binds) - MAX_NAMES} if len(binds) > MAX_NAMES else {}
    return {"binds": [name[:MAX_NAME] for name in binds[:MAX_NAMES]], **more}


def _is_of_module(change: Change, modules: frozenset[str]) -> bool:
    """Whether a function of an imported module was taken for a method: np.sort(x) changes nothing of np."""
    return change.by_method and change.name in modules
