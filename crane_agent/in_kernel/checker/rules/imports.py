"""Names that a loaded module does not have. Source: the Python language reference, "The import statement"."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, VALUES
from ..sites import Finding, ImportSite
from ..words import Part, counted, named, words

if TYPE_CHECKING:
    from ..state import State


def missing_import(site: ImportSite, state: State) -> Finding | None:
    """``from module import name`` of a loaded plain module, no package, that computes no attributes and lacks it."""
    module = safe.loaded(site.module)
    if type(module) is not types.ModuleType:
        return None
    own = safe.instance_dict(module) or {}
    if site.name in own or "__path__" in own or "__getattr__" in own or not safe.is_plain(own.get("__name__")):
        return None
    if safe.ABSENT is not sys.modules.get("{}.{}".format(own.get("__name__"), site.name), safe.ABSENT):
        return None
    home = own.get("__file__")
    if not safe.one_of(type(home), (str, type(None))):
        return None
    return Finding(
        rule="imports.missing-name",
        type="ImportError",
        message=words(
            "cannot import name {!r} from {!r} ({})",
            named(site.name),
            named(site.module) if own.get("__name__") == site.module else counted(own.get("__name__")),
            Part(home, VALUES) if home else named("unknown location"),
        ),
        because=words("the module {} is loaded and has no {!r}", named(site.module), named(site.name)),
        crash_type="module not found",
        library=site.module.partition(".")[0],
        close=tuple(close_to(site.name, [name for name in own if type(name) is str])),
        asked=NAMES,
    )


RULES = {ImportSite: [missing_import]}
