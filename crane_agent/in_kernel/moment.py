"""When an answer was made: how many cells had run, and whether one was running."""

from __future__ import annotations

import sys
import threading
from typing import Any, Dict, List

_held: List[Any] = []


def moment(shell: Any) -> Dict[str, Any]:
    """Return ``{"cells": K, "running": bool}``: the kernel's execution count, and whether a cell runs right now.

    Two answers describe the same state if their moments are equal and no cell was running. A cell that is held does
    not count: it waits for the answer.
    """
    count = shell.execution_count
    is_held = bool(_held) and _held[-1] is _result(shell)
    return {"cells": count if type(count) is int else 0, "running": not is_held and is_running(shell)}


def hold(shell: Any) -> None:
    """Hold the cell that runs now, until `let_go`: called on the main thread by code that does nothing but ask.

    In a kernel that asks itself, a magic is such code. Another cell, of a subshell, is told by its result.
    """
    _held.append(_result(shell))


def let_go() -> None:
    """Let the cell go that was held last."""
    _held.pop()


def is_running(shell: Any) -> bool:
    """Whether a cell runs right now, held or not."""
    # IPython sets the result of a cell before it runs and takes it away afterwards, awaited cells included; a cell that
    # ran another one with `run_cell` has lost it, and shows on the main thread's stack instead.
    if _result(shell) is not None:
        return True
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if threading.current_thread() is threading.main_thread():
        return False
    while frame is not None:
        if frame.f_code.co_name == "run_cell" and frame.f_code.co_filename.endswith("interactiveshell.py"):
            return True
        frame = frame.f_back
    return False


def _result(shell: Any) -> Any:
    return getattr(getattr(shell, "displayhook", None), "exec_result", None)
