"""Properties, static methods and class methods that the user's classes hold.

Of a class of the kernel's they are the objects themselves; of one that the cell defines they are `Made` of the kind
``descriptor``: ``form``, ``function``, and for a property ``setter``. Source: the Python language reference,
"Implementing Descriptors"; the Python library reference, `functools.cached_property`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import safe
from .sites import CallSite
from .values import Known, Made, Value

if TYPE_CHECKING:
    from .functions import Functions
    from .state import State

_FORMS: tuple[Any, ...] = (property, staticmethod, classmethod)


def made(callee: Value, site: CallSite, functions: Functions, state: State) -> Value | None:
    """Return what ``property(function)`` and its like make of a function of the user's, and ``.setter(function)``."""
    function = site.arguments[0] if len(site.arguments) == 1 and not site.keywords else None
    if function is None or not functions.is_function(function):
        return None
    if type(callee) is Made and callee.kind == "setter":
        facts = callee.facts["property"].facts
        return Made("descriptor", **dict(facts, setter=function)) if "function" in facts else None
    form = _form(state.live(callee))
    return Made("descriptor", form=form, function=function, setter=None) if form else None


def _form(cls: Any) -> str:
    if cls is not safe.ABSENT and cls is safe.loaded("functools", "cached_property"):
        return "cached_property"
    return next((each.__name__ for each in _FORMS if cls is each), "")


def setter_maker(owner: Value, name: str) -> Value | None:
    """Return what ``property.setter`` is of a property that the cell makes."""
    is_property = type(owner) is Made and owner.kind == "descriptor" and owner.facts["form"] == "property"
    return Made("setter", property=owner) if is_property and name == "setter" else None


def of(found: Value | None, functions: Functions, form: str) -> Value | None:
    """Return the function of the user's in a member of a class that is such a descriptor; None if it is another."""
    if type(found) is Made and found.kind == "descriptor":
        function = found.facts["function"] if found.facts["form"] == form else None
        return function if isinstance(function, Value) else None
    entry: Any = found.object if type(found) is Known else None
    if _form(type(entry)) != form:
        return None
    kept = entry.fget if form == "property" else entry.func if form == "cached_property" else entry.__func__
    return Known(kept) if functions.is_users(kept) else None


def setter_of(found: Value | None, functions: Functions) -> Value | None:
    """Return the setter of a property, if it is a function of the user's."""
    if type(found) is Made and found.kind == "descriptor":
        setter = found.facts["setter"]
        return setter if isinstance(setter, Value) else None
    entry: Any = found.object if type(found) is Known else None
    return Known(entry.fset) if type(entry) is property and functions.is_users(entry.fset) else None
