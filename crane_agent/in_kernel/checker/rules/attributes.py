"""Attributes that are not there. Source: the Python language reference, "Customizing attribute access"."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES
from ...probes import frames
from ..sites import AttributeSite, Finding
from ..words import Words, named, words

if TYPE_CHECKING:
    from ..state import State


def missing_attribute(site: AttributeSite, state: State) -> Finding | None:
    """An attribute that neither the object, nor its class, nor a ``__getattr__`` gives."""
    owner = state.live(site.owner)
    if owner is safe.ABSENT or frames.is_frame(owner) or frames.is_series(owner):
        return None
    if type(owner) is types.ModuleType and _may_have_submodule(owner, state):
        return None
    if state.may_be_patched and not safe.one_of(type(owner), (*safe.SCALARS, list, dict, tuple, set, frozenset)):
        return None
    try:
        found = safe.attribute(owner, site.name)
    except safe.Refused:
        return None
    if found is not safe.ABSENT:
        return None
    path = getattr(site.owner, "path", None)
    return Finding(
        rule="attributes.missing",
        type="AttributeError",
        message=_message(owner, site.name),
        because=words(
            "{} is a {} without an attribute {!r}",
            named(path or "it"),
            named(safe.type_name(owner)),
            named(site.name),
        ),
        crash_type="attribute error",
        library=_library(owner),
        close=tuple(close_to(site.name, _names_of(owner))),
        probe=None if path is None else ("describe", {"path": path}),
        asked=NAMES,
    )


def _may_have_submodule(module: object, state: State) -> bool:
    """Whether an import that was not followed may have bound a submodule in this package."""
    own = safe.instance_dict(module) or {}
    home = own.get("__name__")
    package = home.partition(".")[0] if type(home) is str else ""
    opaque = any(doubt.kind != "raises" for doubt in state.doubts)
    return "__path__" in own and (opaque or not package or package in state.imported)


def _message(owner: object, name: str) -> Words:
    if type(owner) is types.ModuleType:
        own = _module_name(owner)
        return words("module {!r} has no attribute {!r}", named(own) if _is_loaded(owner) else own, named(name))
    if safe.inherits(type(owner), type):
        own = _name_in_c(owner)  # type: ignore[arg-type]
        return words("type object {!r} has no attribute {!r}", named(own), named(name))
    if sys.version_info < (3, 11) and safe.in_type(type(owner), name) is not safe.ABSENT:
        # A slot that was not assigned.
        return words("{}", named(name))
    return words("{!r} object has no attribute {!r}", named(_name_in_c(type(owner))), named(name))


def _module_name(module: object) -> str:
    name = (safe.instance_dict(module) or {}).get("__name__")
    return name if type(name) is str else ""


def _name_in_c(cls: type) -> str:
    """Return a class's name as C code shows it: with its module for a class that is itself written in C.

    Source: the Python/C API reference, `PyTypeObject.tp_name`.
    """
    module = safe.class_module(cls)
    is_python = safe.class_flags(cls) & _HEAP_TYPE or module == "builtins"
    return safe.class_name(cls) if is_python else "{}.{}".format(module, safe.class_name(cls))


_HEAP_TYPE = 1 << 9


def _is_loaded(module: object) -> bool:
    """Whether a module has the name it was imported by, and not one that the user gave it."""
    return safe.loaded(_module_name(module)) is module


def _library(owner: object) -> str:
    if type(owner) is types.ModuleType:
        home = _module_name(owner) if _is_loaded(owner) else ""
    else:
        home = safe.class_module(type(owner))
    return "python" if home in ("builtins", "__main__", "") else home.partition(".")[0]


def _names_of(owner: object) -> list[str]:
    found = set(safe.instance_dict(owner) or ())
    for base in safe.mro(owner if safe.inherits(type(owner), type) else type(owner)):  # type: ignore[arg-type]
        found.update(safe.class_dict(base))
    return sorted(name for name in found if type(name) is str and not name.startswith("_"))


RULES = {AttributeSite: [missing_attribute]}
