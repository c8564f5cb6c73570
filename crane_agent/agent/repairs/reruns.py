"""A cell that has run before: what it needed is gone since it ran, and once was enough."""

from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.notebook.history import Target


def reruns(target: Target) -> Iterator[Patch]:
    """Yield the patch that takes out an executed cell with the target's own text, so that it runs once only.

    Not every cell can run twice: one that drops or replaces what it reads finds it gone the second time.
    """
    own = target.cell.source.strip()
    for cell in reversed(target.executed):
        if own and cell.index >= 0 and cell.index != target.cell.index and cell.source.strip() == own:
            ran = f", as In [{cell.execution_count}]" if cell.execution_count is not None else ""
            yield Patch(f"The same code has run before{ran}: run it once only.", "", cell.index, is_rerun=True)
            return
