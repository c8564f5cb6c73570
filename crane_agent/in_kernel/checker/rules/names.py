"""Names that nobody defined. Source: the Python language reference, "Resolution of names"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...likeness import close_to
from ...privacy import NAMES
from ...probes.names import user_names
from ..sites import Finding, NameSite
from ..words import named, words

if TYPE_CHECKING:
    from ..state import State


def undefined_name(site: NameSite, state: State) -> Finding:
    """A name that is neither in the cell, nor in the kernel, nor a built-in."""
    name = site.node.id
    close = close_to(name, user_names(state.shell))
    return Finding(
        rule="names.undefined",
        type="NameError",
        message=words("name {!r} is not defined", named(name)),
        because=words("no name {!r} is defined in the kernel when the line runs", named(name)),
        crash_type="variable not found",
        close=tuple(close),
        probe=("names", {"like": name}),
        asked=NAMES,
    )


RULES = {NameSite: [undefined_name]}
