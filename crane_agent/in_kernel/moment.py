"""When an answer was made: how many cells had run, and whether one was running."""

from __future__ import annotations

import sys
import threading
from typing import Any, Dict


def moment(shell: Any) -> Dict[str, Any]:
    """Return ``{"cells": K, "running": bool}``: the kernel's execution count, and whether a cell runs right now.

    Two answers describe the same state if their moments are equal and no cell was running.
    """
    count = shell.execution_count
    return {"cells": count if type(count) is int else 0, "running": _is_running(shell)}


def _is_running(shell: Any) -> bool:
    # IPython sets the result of a cell before it runs and takes it away afterwards, awaited cells included; a cell that
    # ran another one with `run_cell` has lost it, and shows on the main thread's stack instead.
    if getattr(getattr(shell, "displayhook", None), "exec_result", None) is not None:
        return True
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if threading.current_thread() is threading.main_thread():
        return False
    while frame is not None:
        if frame.f_code.co_name == "run_cell" and frame.f_code.co_filename.endswith("interactiveshell.py"):
            return True
        frame = frame.f_back
    return False
