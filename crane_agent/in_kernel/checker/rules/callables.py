"""Calls that do not fit the signature. Source: the Python language reference, "Calls"; Python itself is asked."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA
from ...probes import callables
from ..sites import CallSite, Finding, is_starred
from ..values import Made, Method
from ..words import Part, named, words

if TYPE_CHECKING:
    from ..state import State


def call_does_not_bind(site: CallSite, state: State) -> Finding | None:
    """Arguments that a Python function, method or class does not take, too many of them, or too few."""
    callee = state.live(site.callee)
    if type(site.callee) is Method:
        owner = state.live(site.callee.owner)
        try:
            callee = (
                _method_of_made(site.callee, state) if owner is safe.ABSENT else safe.attribute(owner, site.callee.name)
            )
        except safe.Refused:
            return None
    if not site.complete or callee is safe.ABSENT:
        return None
    try:
        function, bound = callables.python_function(callee)
    except safe.Refused:
        return None
    message = callables.binding_error(function, len(site.arguments) + bound, list(site.keywords))
    if message is None:
        return None
    names = [name for name in function.__code__.co_varnames[: _parameters(function)] if name not in site.keywords]
    wrong = [name for name in site.keywords if name not in function.__code__.co_varnames[: _parameters(function)]]

    # What is starred brings a number of arguments, or keywords, that the target does not show.
    level = SCHEMA if is_starred(site.node) else NAMES
    path = getattr(site.callee, "path", None) if state.tells(level) else None
    arguments: dict[str, Any] = {"path": path, "positional": len(site.arguments), "keywords": list(site.keywords)}
    return Finding(
        rule="callables.does-not-bind",
        type="TypeError",
        message=words("{}", Part(message, level)),
        because=words("the signature is ({})", named(", ".join(callables.parameters(function, skip=bound)))),
        crash_type="invalid argument",
        library=_library(function),
        close=tuple(close_to(wrong[0], names)) if wrong else (),
        probe=None if path is None else ("signature", arguments),
        asked=level,
    )


def _method_of_made(method: Method, state: State) -> object:
    """Return the method of a frame, or of what a library made, that is no object yet, bound to something."""
    cls = method.owner.facts.get("cls") if type(method.owner) is Made else None
    if type(cls) is type:
        entry = safe.in_type(cls, method.name)
        return types.MethodType(entry, state) if type(entry) is types.FunctionType else safe.ABSENT
    if state.columns(method.owner) is None:
        return safe.ABSENT
    entry = safe.in_type(safe.loaded("pandas", "DataFrame"), method.name)
    return types.MethodType(entry, state) if type(entry) is types.FunctionType else safe.ABSENT


def not_callable(site: CallSite, state: State) -> Finding | None:
    """A call of an exact built-in value that cannot be called."""
    callee = state.live(site.callee)
    if not safe.one_of(type(callee), (*safe.SCALARS, list, tuple, dict, set, types.ModuleType)):
        return None
    return Finding(
        rule="callables.not-callable",
        type="TypeError",
        message=words("{!r} object is not callable", named(safe.class_name(type(callee)))),
        because=words("it is a {}, bound by an earlier cell or line", named(safe.type_name(callee))),
        crash_type="type error",
    )


def _parameters(function: types.FunctionType) -> int:
    return function.__code__.co_argcount + function.__code__.co_kwonlyargcount


def _library(function: types.FunctionType) -> str:
    home = function.__globals__.get("__name__")
    return home.partition(".")[0] if type(home) is str and home != "__main__" else "python"


RULES = {CallSite: [call_does_not_bind, not_callable]}
