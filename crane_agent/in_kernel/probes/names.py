"""Which names are there."""

from __future__ import annotations

import builtins
from typing import Any

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, Field


def names(shell: Any, budget: safe.Budget, like: str | None = None) -> dict[str, Any]:
    """List the user's names with their types, sorted; with `like`, whether that name is there and names close to it."""
    bound = _bound(shell)
    visible = _visible(shell, bound)
    if like is not None:
        defined = like in bound or like in builtin_names(shell)
        return {"name": like, "defined": defined, "count": len(visible), "close_names": close_to(like, visible)}
    shown = sorted(visible)[: budget.items]
    return {
        "names": {name: safe.type_name(bound[name]) for name in shown},
        "count": len(visible),
        "truncated": len(visible) > len(shown),
    }


def user_names(shell: Any) -> list[str]:
    """Return the names that the user's cells bound, sorted; IPython's own and ``_private`` ones left out."""
    return sorted(_visible(shell, _bound(shell)))


def _visible(shell: Any, bound: dict[str, object]) -> list[str]:
    hidden = shell.user_ns_hidden
    return [
        name for name, value in bound.items() if not name.startswith("_") and hidden.get(name, safe.ABSENT) is not value
    ]


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
    "close_names": Field(NAMES, "names of variables like the one asked for"),
    "close": Field(SCHEMA, "names, labels or keys like the one asked for"),
    "count": Field(SCHEMA, "how many there are"),
    "truncated": Field(NAMES, "whether more was there than is listed"),
}
PROBES = {"names": names}
