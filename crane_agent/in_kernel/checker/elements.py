"""What iterating over a value yields."""

from __future__ import annotations

import sys
from typing import Any

from .. import safe
from ..privacy import SCHEMA
from .state import State
from .values import Elements, Known, Made, Value, of_element
from .words import lowest

MAX_ITEMS = 500
FIRST = 60
"""Elements of a longer value that are looked at."""


def elements(state: State, value: Value) -> list[Value] | None:
    """Return what iterating over a value yields, in order, or None if that is not known.

    Known for exact lists, tuples, strings, ranges, dicts and their views, and iterators over such, of at most
    `MAX_ITEMS` elements. An iterator is used up.
    """
    found: Any = state.live(value)
    if type(value) is Made and value.kind == "iterator":
        if not value.facts.get("complete", True):
            return None
        items = value.facts.pop("items", None)
        # What it iterates over may have been changed since it was made.
        unchanged = value.facts.get("made_at") == state.changes()
        level = state.level(value)
        return [of_element(each, None, level) for each in items] if items is not None and unchanged else None
    if type(value) is Made and value.kind == "view":
        return _elements_of_view(state, value)
    if not safe.one_of(type(found), (list, tuple, str, range, dict)) or size(found) > MAX_ITEMS:
        return None
    path = value.path if type(value) is Known and state.tells(SCHEMA) else None
    level = state.level(value)
    if path is not None and safe.one_of(type(found), (list, tuple)):
        return [of_element(each, "{}[{}]".format(path, place), level) for place, each in enumerate(found)]
    level = lowest(level, SCHEMA) if type(found) is dict else level
    return [of_element(each, None, level) for each in list(found)]


def first_elements(state: State, value: Value) -> Elements | None:
    """Return what iterating over a value yields, or the first of it, or None if nothing is known.

    Known for what `elements` knows, for longer exact built-ins, and for iterators over what is known in part.
    """
    if type(value) is Made and value.kind == "iterator" and not value.facts.get("complete", True):
        items = value.facts.pop("items", None)
        unchanged = value.facts.get("made_at") == state.changes()
        return Elements([of_element(each) for each in items], complete=False) if items and unchanged else None
    found = elements(state, value)
    if found is not None:
        return Elements(found)
    whole: Any = state.live(value)
    if not safe.one_of(type(whole), (list, tuple, str, range, dict)) or size(whole) <= MAX_ITEMS:
        return None
    level = lowest(state.level(value), SCHEMA) if type(whole) is dict else state.level(value)
    return Elements([of_element(each, None, level) for each in safe.first(whole, FIRST)], complete=False)


def size(found: Any) -> int:
    """Return the length of an exact built-in container; of a range too long for `len`, the longest there is."""
    try:
        return len(found)
    except OverflowError:
        return sys.maxsize


def _elements_of_view(state: State, view: Made) -> list[Value] | None:
    table = state.live(view.facts.get("owner"))
    if type(table) is not dict or len(table) > MAX_ITEMS:
        return None
    level = state.level(view)
    if view.facts["method"] == "keys":
        return [Known(key, level=level) for key in table]
    if view.facts["method"] == "values":
        return [of_element(item, None, level) for item in table.values()]
    return [Known((key, item), level=level) for key, item in table.items()]
