"""The target and what ran before it, by the execution counts that the notebook stores."""

from dataclasses import dataclass

from crane_agent.in_kernel.scope import Names
from crane_agent.notebook.cells import Cell, Notebook, choose_target
from crane_agent.notebook.code import Code, names_in, parse


@dataclass(frozen=True)
class Target:
    """The cell that is asked about, and the cells around it.

    Attributes:
        cell: The target itself; in none of the lists below.
        code: Its code, parsed.
        names: The names that it reads and binds.
        executed: Code cells that ran before it, in execution order: those with a lower count, or with any count
            if the target has none.
        not_run: Code cells that are not blank and have no count, in notebook order.
        later: Code cells with the target's count or a higher one, in execution order: when the target runs in
            its turn, they have not run either.
    """

    cell: Cell
    code: Code
    names: Names
    executed: tuple[Cell, ...]
    not_run: tuple[Cell, ...]
    later: tuple[Cell, ...] = ()


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
