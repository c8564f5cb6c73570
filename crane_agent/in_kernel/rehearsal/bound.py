"""What the names are that a cell binds, once it has come to its end."""

from __future__ import annotations

import ast
import time
from typing import Any, Dict, Optional

from ..scope import names_of
from . import magics, values

MOST_NAMES = 50

_DETAILS = ("shape", "dtype", "columns", "length")


def bound(shell: Any, tree: Optional[ast.AST]) -> Dict[str, Dict[str, Any]]:
    """Return what the values are of the names that the target binds at module level, the first by name.

    Args:
        shell: IPython's shell, in which the target has run.
        tree: The target's syntax tree after IPython's transformation; None if it has none.

    Returns:
        By name `type`, `shape`, `dtype`, `columns` and `length`, as far as they apply; those that were too much to
        say have their type only. Names that are gone again are left out.
    """
    if tree is None:
        return {}
    body = magics.body_of(tree, shell)
    names = names_of(ast.parse(body) if body else tree).binds
    here = [name for name in sorted(names) if name in shell.user_ns][:MOST_NAMES]
    until = time.monotonic() + values.TIME_S
    found: Dict[str, Dict[str, Any]] = {}
    for name in here:
        facts = values.facts_of(shell.user_ns[name], _DETAILS, until)
        found[name] = values.fitted_into(values.room_after(found), facts)
    return found
