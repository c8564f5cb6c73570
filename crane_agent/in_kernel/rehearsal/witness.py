"""Watches the target run in a shadow kernel, as any cell of that kernel; asked by questions, before and afterwards."""

from __future__ import annotations

import ast
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional

from . import report, training
from .performance import INPUT, description_of, ending_of, parsed
from .seccomp import DENIED

TRAINING_SHARE = 0.6
"""Share of its time after which the target's training is ended, so that what comes behind it runs, too."""


class Witness:
    """Knows the target once it runs.

    Attributes:
        target: File name that IPython compiled the target with; '' before.
        tree: Its syntax tree after IPython's transformation; None if it has none.
        denied: Acts that were denied by Python code of ours.
        changed: What was changed so that the target comes to an end.
    """

    def __init__(self) -> None:
        self.target = ""
        self.tree: Optional[ast.AST] = None
        self.denied: List[str] = []
        self.changed: List[str] = []

    def watch(self, shell: Any, seconds: float) -> None:
        """Take the next cell for the target, which has so much time [seconds]; nobody could be asked for input."""
        compiler = shell.compile
        cache: Callable[..., Any] = compiler.cache

        def noted(text: str, *arguments: Any, **named: Any) -> Any:
            name = cache(text, *arguments, **named)
            if not self.target:
                self.target, self.tree = name, parsed(text)
            return name

        compiler.cache = noted
        shell.kernel.raw_input = shell.kernel.getpass = self._refuse_input
        if "keras" in sys.modules:
            training.end_early(sys.modules["keras"], time.monotonic() + TRAINING_SHARE * seconds, self.changed)

    def progress(self) -> Dict[str, Any]:
        """Return how far the target is: `line`, `loop`, `changed`; on another thread than the target's."""
        line, frame = report.place_of(sys._current_frames().get(threading.main_thread().ident or 0), self.target)
        return {"line": line, "loop": report.progress_of(line, frame, self.tree), "changed": self.changed}

    def ending(self, shell: Any) -> Dict[str, Any]:
        """Return how the target ended: `outcome`, `exception`, `why`, `denied`, `changed`."""
        found = ending_of(shell.last_execution_result, shell, self.target, forked=False)
        return dict(found, denied=self.denied, changed=self.changed)

    def description(self, shell: Any) -> Dict[str, Any]:
        """Describe what is there after the target's end: `scene`, `bound`; to be asked once all else is decided."""
        return description_of(shell.last_execution_result, shell, self.target, self.tree)

    def _refuse_input(self, *arguments: Any, **named: Any) -> str:
        self.denied.append(INPUT)
        raise OSError(DENIED, os.strerror(DENIED))
