"""What a waiting user sees, on the terminal's error stream; nothing where that is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crane_agent.verdict.render import one_line


class Step(Protocol):
    """A step of the agent, as far as it is shown."""

    @property
    def words(self) -> str:
        """What is being done."""


class RunProgress:
    """One bar that tells what is being done: a replay cell by cell, then the agent's steps."""

    def __init__(self, bars: Progress, cells: int) -> None:
        self._bars = bars
        self._cells = cells
        self._task = bars.add_task("reaching a kernel", total=cells)

    def say(self, words: str) -> None:
        """Print a line that stays."""
        if self._bars.console.is_terminal:
            self._bars.console.print(one_line(words), soft_wrap=True)

    def on_cell(self, place: int, total: int, cell: object) -> None:
        """Show that the executed cell at `place`, counted from 1, is being replayed."""
        self._bars.update(self._task, completed=place - 1, total=total, description="replaying")

    def on_step(self, step: Step) -> None:
        """Show what the agent does now; the replay is over."""
        self._bars.update(self._task, completed=self._cells, description=one_line(step.words))

    def ask(self, question: str) -> bool:
        """Ask the user, who answers on the terminal; the default is no.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of the input.
        """
        self._bars.stop()
        try:
            return typer.confirm(question, err=True)
        except typer.Abort:
            raise KeyboardInterrupt from None
        finally:
            self._bars.start()


@contextmanager
def run_progress(*, cells: int) -> Iterator[RunProgress]:
    """Show progress while the block runs, and with executed cells to replay how many of these are done."""
    console = Console(stderr=True, highlight=False, markup=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),  # the words of a step may quote the notebook
        *((BarColumn(bar_width=20), MofNCompleteColumn()) if cells else ()),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield RunProgress(bars, cells)
