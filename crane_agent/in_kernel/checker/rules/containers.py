"""Items that built-in containers and arrays do not have; the container itself is asked.

Sources: the Python library reference, "Built-in Types"; the numpy user guide, "Indexing on ndarrays".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ..sites import Finding, SubscriptSite

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
        texts = [each for each in owner if type(each) is str] if type(owner) is dict and len(owner) <= 5000 else []
        return Finding(
            rule="containers.missing-item",
            type=type(error).__name__,
            message=str(error),
            because=_because(path or "it", owner, key),
            crash_type="key error" if type(owner) is dict else "index error",
            close=tuple(close_to(key, texts)) if type(key) is str else (),
            probe=None if path is None else ("describe", {"path": path}),
        )
    return None


def _because(what: str, owner: Any, key: Any) -> str:
    if type(owner) is range:
        return "{} is {!r}".format(what, owner)
    if type(owner) is dict:
        return "{} is a dict of {} keys without {!r}".format(what, len(owner), key)
    return "{} is a {} of length {}".format(what, safe.class_name(type(owner)), len(owner))


def index_outside_array(site: SubscriptSite, state: State) -> Finding | None:
    """An index outside an axis of an exact array, or more indices than it has axes; basic indexing makes a view."""
    from ..pure import is_basic_index

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
        return Finding(
            rule="containers.index-outside-array",
            type=type(error).__name__,
            message=str(error),
            because="{} has shape {}".format(path or "it", tuple(array.shape)),
            crash_type="index error",
            library="numpy",
            probe=None if path is None else ("array", {"path": path}),
        )
    return None


RULES = {SubscriptSite: [missing_item, index_outside_array]}
