"""What a waiting user sees, on the terminal's error stream; nothing where that is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crane_agent.verdict.render import one_line


class Step(Protocol):
    """A step of the agent, as far as it is shown."""

    @property
    def words(self) -> str:
        """What is being done."""


class ReplayProgress:
    """One bar that tells what is being done: the replay cell by cell, then the agent's steps."""

    def __init__(self, bars: Progress, cells: int) -> None:
        self._bars = bars
        self._cells = cells
        self._task = bars.add_task("starting a kernel", total=cells)

    def on_cell(self, place: int, total: int, cell: object) -> None:
        """Show that the executed cell at `place`, counted from 1, is being replayed."""
        self._bars.update(self._task, completed=place - 1, total=total, description="replaying")

    def on_step(self, step: Step) -> None:
        """Show what the agent does now; the replay is over."""
        self._bars.update(self._task, completed=self._cells, description=one_line(step.words))


@contextmanager
def replay_progress(cells: int, folder: Path, *, in_place: bool) -> Iterator[ReplayProgress]:
    """Say what is replayed where, and show progress while the block runs.

    Args:
        cells: Executed cells to replay.
        folder: The notebook's folder.
        in_place: Whether the replay runs in that folder itself.
    """
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_terminal:
        noun = "cell" if cells == 1 else "cells"
        place = one_line(str(folder)) if in_place else f"a scratch copy of {one_line(str(folder))}"
        console.print(f"replaying {cells} {noun} in {place}", soft_wrap=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),  # the words of a step may quote the notebook
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield ReplayProgress(bars, cells)
