"""Which names are there."""

from __future__ import annotations

import builtins
from typing import Any

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, Field


def names(shell: Any, budget: safe.Budget, like: str | None = None) -> dict[str, Any]:
    """List the user's names with their types, sorted; with `like`, whether that name is there and names close to it."""
    visible = _visible(shell)
    if like is not None:
        known = {**builtin_names(shell), **dict.fromkeys(_bound(shell))}
        return {"name": like, "defined": like in known, "close": close_to(like, list(visible))}
    shown = list(visible)[: budget.items]
    return {
        "names": {name: safe.type_name(visible[name]) for name in shown},
        "count": len(visible),
        "truncated": len(visible) > len(shown),
    }


def user_names(shell: Any) -> list[str]:
    """Return the names that the user's cells bound, sorted; IPython's own and ``_private`` ones left out."""
    return list(_visible(shell))


def _visible(shell: Any) -> dict[str, object]:
    hidden = shell.user_ns_hidden
    bound = _bound(shell)
    return {
        name: bound[name]
        for name in sorted(bound)
        if not name.startswith("_") and hidden.get(name, safe.ABSENT) is not bound[name]
    }


def _bound(shell: Any) -> dict[str, object]:
    # A copy in one step: the user's cell may be running and binding names.
    return {name: value for name, value in list(shell.user_ns.items()) if type(name) is str}


def builtin_names(shell: Any) -> dict[str, object]:
    """Return the dictionary of Python's built-ins."""
    return builtins.__dict__


FIELDS = {
    "name": Field(NAMES, "the name or module asked about"),
    "names": Field(NAMES, "names of variables with their types"),
    "defined": Field(NAMES, "whether a name is defined"),
    "close": Field(SCHEMA, "names, labels or keys like the one asked for"),
    "count": Field(SCHEMA, "how many there are"),
    "truncated": Field(NAMES, "whether more was there than is listed"),
}
PROBES = {"names": names}
