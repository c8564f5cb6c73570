"""What a cell magic runs."""

from __future__ import annotations

import ast
from typing import Any

_RUNS_ITS_BODY = ("time", "capture")
"""Cell magics that run what is below their line as a cell of its own, in the user's namespace."""


def body_of(tree: Any, shell: Any) -> str:
    """Return what the cell magic runs, transformed as well, that a transformed cell is made of; '' without one."""
    try:
        call = tree.body[0].value
        if call.func.attr != "run_cell_magic":
            return ""
        magic, _, body = (ast.literal_eval(each) for each in call.args)
    except (AttributeError, IndexError, ValueError):
        return ""
    return str(shell.transform_cell(body)) if magic in _RUNS_ITS_BODY else ""
