"""Notebooks for tests, in memory: executed cells, a target, and cells that were not run."""

from pathlib import Path

from crane_agent.notebook.cells import Cell, Notebook
from crane_agent.notebook.history import Target, target_of


def target_in(target: str, *, executed: tuple[str, ...] = (), not_run: tuple[str, ...] = ()) -> Target:
    """Return the target of a notebook with these executed cells before it and cells that were not run behind it."""
    sources = [*executed, target, *not_run]
    cells = tuple(
        Cell(
            index=index,
            id=f"cell-{index}",
            kind="code",
            source=source,
            execution_count=index + 1 if index < len(executed) else None,
            tags=(),
            failed_when_saved=False,
        )
        for index, source in enumerate(sources)
    )
    notebook = Notebook(path=Path("notebook.ipynb"), cells=cells, kernelspec=None, language="python")
    return target_of(notebook, str(len(executed)))
