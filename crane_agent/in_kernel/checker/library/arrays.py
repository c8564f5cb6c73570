"""numpy: arrays and what numpy's functions make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ..sites import Finding, SubscriptSite
from ..values import Known, Value

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "numpy"


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``array[key]`` by basic indexing."""
    owner: Any = state.live(site.owner)
    key: Any = state.plain(site.key)
    if site.context != "load" or not safe.is_exactly(owner, "numpy", "ndarray"):
        return None
    if not is_basic_index(key) or owner.dtype.kind not in "iufb":
        return None
    try:
        return Known(owner[key])
    except ValueError:
        return None


def is_basic_index(key: object) -> bool:
    """Whether numpy indexes by `key` without copying: exact ints, slices, None, Ellipsis or a tuple of them.

    Source: the numpy user guide, "Indexing on ndarrays", basic indexing.
    """
    if type(key) is tuple:
        return all(type(each) is not tuple and is_basic_index(each) for each in key)
    if type(key) is slice:
        return all(type(each) in (int, type(None)) for each in (key.start, key.stop, key.step))
    return type(key) is int or key is None or key is Ellipsis


HANDLERS = {"item": [item]}
