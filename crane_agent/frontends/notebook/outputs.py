"""Outputs of a cell: the card, and in its place, while it is sought, what is being done."""

from typing import Any

from IPython import display

from crane_agent.verdict.card import Bundle, card, working_card
from crane_agent.verdict.models import Verdict

_display: Any = display.display  # IPython's annotations are partial
_handle: Any = display.DisplayHandle


def show(bundle: Bundle) -> None:
    """Show an output that is ready."""
    _display(bundle, raw=True)


class Shown:
    """The output of a check: what is being done, and in its place the card. A terminal gets the card only."""

    def __init__(self, shell: Any, about: str) -> None:
        self._about = about
        self._steps: list[str] = []
        self._handle: Any = None
        if hasattr(shell, "kernel"):
            self._handle = _handle()
            self._handle.display(working_card((), about=about), raw=True)

    def on_step(self, step: Any) -> None:
        """Show a step of the agent."""
        if self._handle is not None:
            self._steps.append(step.words)
            self._handle.update(working_card(self._steps, about=self._about), raw=True)

    def end(self, verdict: Verdict, source: str) -> None:
        """Show the verdict."""
        bundle = card(verdict, source=source, about=self._about)
        if self._handle is not None:
            self._handle.update(bundle, raw=True)
        else:
            show(bundle)

    def remove(self) -> None:
        """Show that nothing came of it."""
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)
