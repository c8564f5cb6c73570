"""Which names are there."""

from __future__ import annotations

import builtins
from typing import Any

from .. import safe
from ..likeness import close_to


def names(shell: Any, budget: safe.Budget, like: str | None = None) -> dict[str, Any]:
    """List the user's names with their types, sorted; with `like`, whether that name is there and names close to it."""
    visible = user_names(shell)
    if like is not None:
        return {
            "name": like,
            "defined": like in shell.user_ns or like in builtin_names(shell),
            "close": close_to(like, visible),
        }
    shown = visible[: budget.items]
    return {
        "names": {name: safe.type_name(shell.user_ns[name]) for name in shown},
        "count": len(visible),
        "truncated": len(visible) > len(shown),
    }


def user_names(shell: Any) -> list[str]:
    """Return the names that the user's cells bound, sorted; IPython's own and ``_private`` ones left out."""
    hidden = shell.user_ns_hidden
    # A copy in one step: the user's cell may be running and binding names.
    entries = list(shell.user_ns.items())
    return sorted(
        name
        for name, value in entries
        if type(name) is str and not name.startswith("_") and hidden.get(name, safe.ABSENT) is not value
    )


def builtin_names(shell: Any) -> dict[str, object]:
    """Return the dictionary of Python's built-ins."""
    return builtins.__dict__
