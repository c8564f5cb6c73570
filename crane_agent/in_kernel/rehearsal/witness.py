"""Watches the target run as any cell of this kernel: how far it is, how it ended, what is there then."""

from __future__ import annotations

import ast
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional

from . import report, training
from .bound import bound
from .scene import scene_of
from .seccomp import DENIED

INPUT = "asked for input"
FAILED_DISPLAY = "_last_traceback_during_displayhook"
TRAINING_SHARE = 0.6
"""Share of its time after which the target's training is ended, so that what comes behind it runs, too."""


class Witness:
    """Knows the target once it runs.

    Attributes:
        target: File name that IPython compiled the target with; '' before.
        tree: Its syntax tree after IPython's transformation; None if it has none.
        denied: Acts that were denied by Python code of ours.
        changed: What was changed so that the target can run here, and comes to an end.
    """

    _is_in_fork = False

    def __init__(self) -> None:
        self.target = ""
        self.tree: Optional[ast.AST] = None
        self.denied: List[str] = []
        self.changed: List[str] = []
        self._main = threading.main_thread().ident or 0

    def watch(self, shell: Any, seconds: Optional[float] = None) -> None:
        """Take the next cell for the target; nobody can be asked for input.

        Args:
            shell: IPython's shell.
            seconds: Time that it has, so that its training is ended early [seconds]; None: no training is.
        """
        compiler = shell.compile
        cache: Callable[..., Any] = compiler.cache

        def noted(text: str, *arguments: Any, **named: Any) -> Any:
            name = cache(text, *arguments, **named)
            if not self.target:
                self.target, self.tree = name, _parsed(text)
            return name

        compiler.cache = noted
        shell.kernel.raw_input = shell.kernel.getpass = self._refuse_input
        if seconds is not None and "keras" in sys.modules:
            training.end_early(sys.modules["keras"], time.monotonic() + TRAINING_SHARE * seconds, self.changed)

    def progress(self) -> Dict[str, Any]:
        """Return how far the target is: `line`, `loop`, `changed`; on another thread than the target's."""
        line, frame = report.place_of(sys._current_frames().get(self._main), self.target)
        return {"line": line, "loop": report.progress_of(line, frame, self.tree), "changed": self.changed}

    def ending(self, shell: Any) -> Dict[str, Any]:
        """Return how the target ended: `outcome`, `exception`, `why`, `denied`, `changed`."""
        found = {"outcome": "finished", "exception": None, "why": "", "denied": self.denied, "changed": self.changed}
        error = self._error(shell)
        if error is None and getattr(shell, FAILED_DISPLAY, False):
            return dict(found, outcome="unknown", why="its result could not be displayed")
        if error is None or isinstance(error, SystemExit):
            return found
        doubt = report.doubt_of(error, forked=self._is_in_fork)
        exception = report.of_error(error, shell, self.target)
        return dict(found, outcome="unknown" if doubt else "crash", exception=exception, why=doubt)

    def description(self, shell: Any, earlier: str = "") -> Dict[str, Any]:
        """Describe what is there after the target's end: `scene` if it crashed, else `bound`; None where that fails.

        It runs code of the user's, so it is to be asked once all else is decided.

        Args:
            shell: IPython's shell.
            earlier: A cell that ran before the target, as typed, whose names `bound` has as well.
        """
        found: Dict[str, Any] = {"scene": None, "bound": None}
        error = self._error(shell)
        try:
            if error is None or isinstance(error, SystemExit):
                found["bound"] = bound(shell, self.tree, earlier)
            else:
                found["scene"] = scene_of(error, shell, self.target, self.tree)
        except Exception:  # noqa: BLE001 - what the user's objects do when they are looked at is not known
            pass
        return found

    def _error(self, shell: Any) -> Optional[BaseException]:
        result = self._result(shell)
        error: Optional[BaseException] = result.error_before_exec or result.error_in_exec
        return error

    def _result(self, shell: Any) -> Any:
        """Return what IPython returned for the target."""
        return shell.last_execution_result

    def _refuse_input(self, *arguments: Any, **named: Any) -> str:
        self.denied.append(INPUT)
        raise OSError(DENIED, os.strerror(DENIED))


def _parsed(text: str) -> Optional[ast.AST]:
    """Return the syntax tree of a cell; None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
