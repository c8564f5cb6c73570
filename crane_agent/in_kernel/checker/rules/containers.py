"""Items that built-in containers and arrays do not have; the container itself is asked.

Sources: the Python library reference, "Built-in Types"; the numpy user guide, "Indexing on ndarrays".
"""

from __future__ import annotations

import operator
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import SCHEMA
from ..sites import Finding, SubscriptSite
from ..words import Part, Words, counted, highest, lowest, named, of_python, words

if TYPE_CHECKING:
    from ..state import State


def missing_item(site: SubscriptSite, state: State) -> Finding | None:
    """A key that an exact dict does not hold, or an index outside an exact list, tuple, text or range."""
    owner: Any = state.live(site.owner)
    key: Any = state.plain(site.key)
    if not safe.one_of(type(owner), (list, tuple, str, bytes, range, dict)):
        return None
    if key is safe.ABSENT or (type(owner) is dict and not safe.has_plain_keys(owner)):
        return None
    if site.context == "del" and not safe.one_of(type(owner), (list, dict)):
        return None
    try:
        if site.context == "del":
            del owner.copy()[key]
        else:
            owner[key]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        path = getattr(site.owner, "path", None)
        asked = state.level(site.key)
        texts = [each for each in owner if type(each) is str] if type(owner) is dict and len(owner) <= 5000 else []
        return Finding(
            rule="containers.missing-item",
            type=type(error).__name__,
            message=of_python(error, highest(asked, state.level(site.owner)), asked, _sizes(site, state)),
            because=_because(path or "it", site, owner, key, state),
            crash_type="key error" if type(owner) is dict else "index error",
            close=tuple(close_to(key, texts)) if type(key) is str else (),
            probe=None if path is None else ("describe", {"path": path}),
            asked=asked,
        )
    return None


def _sizes(site: SubscriptSite, state: State) -> str:
    """Return the level of sizes: those of what the target writes itself may always be told."""
    return lowest(state.level(site.owner, site.key), SCHEMA)


def _because(what: str, site: SubscriptSite, owner: Any, key: Any, state: State) -> Words:
    if type(owner) is range:
        return words("{} is {!r}", named(what), Part(owner, state.level(site.owner)))
    size = Part(len(owner), _sizes(site, state))
    if type(owner) is dict:
        return words("{} is a dict of {} keys without {!r}", named(what), size, Part(key, state.level(site.key)))
    return words("{} is a {} of length {}", named(what), named(safe.class_name(type(owner))), size)


_WITHOUT_ITEMS = (
    *(int, float, bool, complex, type(None), set, frozenset),
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType),
)


def no_items(site: SubscriptSite, state: State) -> Finding | None:
    """An item of a number, of None, of a set, a function or a module."""
    owner: Any = state.live(site.owner)
    fixed = site.context == "del" and safe.one_of(type(owner), (tuple, str, bytes, range))
    if not fixed and not safe.one_of(type(owner), _WITHOUT_ITEMS):
        return None
    kind = safe.class_name(type(owner))
    try:
        operator.getitem(owner, 0) if site.context == "load" else operator.delitem(owner, 0)
    except TypeError as error:
        message = str(error)
    else:
        return None
    path = getattr(site.owner, "path", None)
    return Finding(
        rule="containers.no-items",
        type="TypeError",
        message=words("{}", named(message)),
        because=words("{} is a {}, which has no items", named(path or "it"), named(kind)),
        crash_type="type error",
        probe=None if path is None else ("describe", {"path": path}),
    )


def index_outside_array(site: SubscriptSite, state: State) -> Finding | None:
    """An index outside an axis of an exact array, or more indices than it has axes; basic indexing makes a view."""
    from ..library.arrays import is_basic_index

    array: Any = state.live(site.owner)
    key: Any = state.plain(site.key)
    if site.context != "load" or not safe.is_exactly(array, "numpy", "ndarray") or array.dtype.names is not None:
        return None
    if key is safe.ABSENT or not is_basic_index(key) or key is None:
        return None
    try:
        array[key]
    except (IndexError, ValueError) as error:
        path = getattr(site.owner, "path", None)
        asked = state.level(site.key)
        return Finding(
            rule="containers.index-outside-array",
            type=type(error).__name__,
            message=of_python(error, asked, asked),
            because=words("{} has shape {}", named(path or "it"), counted(tuple(array.shape))),
            crash_type="index error",
            library="numpy",
            probe=None if path is None else ("array", {"path": path}),
            asked=asked,
        )
    return None


RULES = {SubscriptSite: [missing_item, no_items, index_outside_array]}
