"""Attributes that are not there. Source: the Python language reference, "Customizing attribute access"."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

from ... import safe
from ...likeness import close_to
from ...probes import frames
from ..sites import AttributeSite, Finding

if TYPE_CHECKING:
    from ..state import State


def missing_attribute(site: AttributeSite, state: State) -> Finding | None:
    """An attribute that neither the object, nor its class, nor a ``__getattr__`` gives."""
    owner = state.live(site.owner)
    if owner is safe.ABSENT or frames.is_frame(owner) or frames.is_series(owner):
        return None
    if type(owner) is types.ModuleType and state.doubts and "__path__" in (safe.instance_dict(owner) or {}):
        # An import that was not followed binds submodules in their package.
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
        because="{} is a {} without an attribute {!r}".format(path or "it", safe.type_name(owner), site.name),
        crash_type="attribute error",
        library=_library(owner),
        close=tuple(close_to(site.name, _names_of(owner))),
        probe=None if path is None else ("describe", {"path": path}),
    )


def _message(owner: object, name: str) -> str:
    if type(owner) is types.ModuleType:
        return "module {!r} has no attribute {!r}".format((safe.instance_dict(owner) or {}).get("__name__"), name)
    if safe.inherits(type(owner), type):
        return "type object {!r} has no attribute {!r}".format(_name_in_c(owner), name)  # type: ignore[arg-type]
    if sys.version_info < (3, 11) and safe.in_type(type(owner), name) is not safe.ABSENT:
        # A slot that was not assigned.
        return name
    return "{!r} object has no attribute {!r}".format(_name_in_c(type(owner)), name)


def _name_in_c(cls: type) -> str:
    """Return a class's name as C code shows it: with its module for a class that is itself written in C.

    Source: the Python/C API reference, `PyTypeObject.tp_name`.
    """
    module = safe.class_module(cls)
    is_python = safe.class_flags(cls) & _HEAP_TYPE or module == "builtins"
    return safe.class_name(cls) if is_python else "{}.{}".format(module, safe.class_name(cls))


_HEAP_TYPE = 1 << 9


def _library(owner: object) -> str:
    if type(owner) is types.ModuleType:
        home = str((safe.instance_dict(owner) or {}).get("__name__"))
    else:
        home = safe.class_module(type(owner))
    return "python" if home in ("builtins", "__main__", "") else home.partition(".")[0]


def _names_of(owner: object) -> list[str]:
    found = set(safe.instance_dict(owner) or ())
    for base in safe.mro(owner if safe.inherits(type(owner), type) else type(owner)):  # type: ignore[arg-type]
        found.update(safe.class_dict(base))
    return sorted(name for name in found if type(name) is str and not name.startswith("_"))


RULES = {AttributeSite: [missing_attribute]}
