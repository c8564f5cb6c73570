"""pandas: frames and series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES
from ...probes import frames
from ...readers import blocks
from ..questions import item_path
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite
from ..values import LABELS, Known, Like, Made, Method, Value

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "pandas"
MANY = 2**31

# Attributes of an exact DataFrame whose reading neither fails nor fills a cache.
_FRAME_ATTRIBUTES = frozenset(["shape", "columns", "index", "ndim", "size", "empty"])
# Methods of an exact DataFrame that change nothing unless they are given ``inplace``. Source: the pandas reference.
FRAME_CHANGING = frozenset(["insert", "pop", "update", "__setitem__", "__delitem__"])
_NUMERIC_REDUCTIONS = frozenset(["mean", "sum", "min", "max", "std", "var", "median", "count", "nunique"])


def of_labels(labels: list[Any]) -> Like:
    """Return a frame of which only the column labels are known."""
    pandas: Any = safe.loaded("pandas")
    return Like(pandas.DataFrame(columns=pandas.Index(labels, dtype=object)), frozenset([LABELS]))


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a frame or a series."""
    owner: Any = state.live(site.owner)
    if owner is safe.ABSENT:
        return _attribute_of_made(site, state)
    if (frames.is_frame(owner) or frames.is_series(owner)) and site.name in (safe.instance_dict(owner) or {}):
        return None
    if frames.is_frame(owner) and safe.in_type(type(owner), site.name) is not safe.ABSENT:
        if site.name in _FRAME_ATTRIBUTES:
            return Known(getattr(owner, site.name)) if _is_own_property(type(owner), site.name) else None
        return Method(site.owner, site.name) if _is_method(owner, site.name) else None
    if frames.is_frame(owner):
        return _column(site.owner, site.name, state)
    if frames.is_series(owner):
        return Method(site.owner, site.name) if _is_method(owner, site.name) else None
    return None


def _attribute_of_made(site: AttributeSite, state: State) -> Value | None:
    columns = state.columns(site.owner)
    if columns is not None:
        frame_type = safe.loaded("pandas", "DataFrame")
        if site.name == "columns":
            return Made("index") if _is_own_property(frame_type, "columns") else None
        entry = safe.in_type(frame_type, site.name)
        own = _own_attributes(site.owner)
        if site.name in own:
            return None
        if entry is safe.ABSENT:
            return Made("series") if columns.count(site.name) == 1 else None
        return Method(site.owner, site.name) if safe.comes_from(entry, "pandas") else None
    if type(site.owner) is Made and site.owner.kind == "series" and site.name in _NUMERIC_REDUCTIONS:
        return Method(site.owner, site.name)
    return None


def _own_attributes(value: Value) -> dict[str, object]:
    """Return the dictionary of a real object, also of one that the cell changed; empty for others."""
    return (safe.instance_dict(value.object) if type(value) is Known else None) or {}


def _is_own_property(cls: type, name: str) -> bool:
    """Whether reading an attribute of a frame runs pandas' own property."""
    entry: Any = safe.in_type(cls, name)
    if type(entry) is property:
        return safe.comes_from(entry.fget, "pandas")
    return safe.class_module(type(entry)).startswith("pandas.")


def _is_method(owner: object, name: str) -> bool:
    return safe.comes_from(safe.in_type(type(owner), name), "pandas")


def _column(frame: Value, label: object, state: State, level: str = NAMES) -> Value | None:
    """Return a column of a frame; `level` is the lowest at which the label may be told."""
    columns = state.columns(frame)
    if columns is None or columns.count(label) != 1:
        return None
    live: Any = state.live(frame)
    if live is safe.ABSENT:
        return Made("series")
    dtype = blocks.dtype_at(live, columns.index(label))
    path = item_path(frame, label, level, state)
    return Made("series", numeric=is_numeric(dtype), length=len(live), path=path)


def is_numeric(dtype: object) -> bool:
    """Whether a dtype is numpy's int, float or bool, for which reductions never raise."""
    if not safe.inherits(type(dtype), safe.loaded("numpy", "dtype")):
        return False
    return dtype.kind in "iufb"  # type: ignore[attr-defined]


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``frame['label']`` and ``frame[['a', 'b']]``."""
    key: Any = state.plain(site.key)
    columns = state.columns(site.owner)
    if columns is None or site.context != "load":
        return None
    if type(key) is list:
        if any(not safe.one_of(type(label), (str, int)) for label in key):
            return None
        if len(set(map(repr, key))) == len(key) and all(label in columns for label in key):
            return of_labels(list(key))
    elif safe.one_of(type(key), (str, int)):
        return _column(site.owner, key, state, state.level(site.key))
    return None


def store_item(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``frame['label'] = value``."""
    key: Any = state.plain(site.key)
    labels = state.columns(site.owner)
    if labels is None or not safe.one_of(type(key), (str, int)):
        return None
    own = _own_attributes(site.owner)
    # Before pandas 3 a frame cut out of another may refuse to be written.
    if not _is_scalar(value, state) or own.get("_is_copy") is not None:
        state.may_raise(site.node, "the values may not fit the frame")
    state.becomes(site.owner, of_labels(labels if key in labels else [*labels, key]))
    return Known(None)


def _is_scalar(value: Value, state: State) -> bool:
    return safe.one_of(type(state.live(value)), (int, float, bool, str, type(None)))


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a method of a frame or series."""
    if not site.complete or type(site.callee) is not Method:
        return None
    return _method_of_frame(site.callee, site, state)


def _method_of_frame(method: Method, site: CallSite, state: State) -> Value | None:
    """Settle the methods of an exact frame or series that cannot raise. Source: the pandas reference of each."""
    columns = state.columns(method.owner)
    if columns is not None:
        if method.name in ("copy", "head", "tail") and _few_integers(site, state):
            return of_labels(list(columns))
        if method.name == "drop":
            return _drop(site, columns, state)
        return None
    numeric = type(method.owner) is Made and method.owner.kind == "series" and method.owner.facts.get("numeric")
    if numeric and method.name in _NUMERIC_REDUCTIONS and not site.arguments and not site.keywords:
        return Made("number")
    return None


def _few_integers(site: CallSite, state: State) -> bool:
    return (
        not site.keywords
        and len(site.arguments) <= 1
        and all(type(state.live(each)) is int and -MANY < state.live(each) < MANY for each in site.arguments)  # type: ignore[operator]
    )


def _drop(site: CallSite, columns: list[object], state: State) -> Value | None:
    wanted = dropped_columns(site, state)
    if wanted is None or set(site.keywords) - {"columns", "axis", "labels"}:
        return None
    if any(label not in columns for label in wanted):
        return None
    return of_labels([label for label in columns if label not in wanted])


def dropped_columns(site: CallSite, state: State) -> list[Any] | None:
    """Return the labels that a call of `DataFrame.drop` takes off the columns, or None if that is not known."""
    axis = state.live(site.keywords["axis"]) if "axis" in site.keywords else 0
    if len(site.arguments) > 1:
        axis = state.live(site.arguments[1])
    if "columns" in site.keywords and not site.arguments and not {"index", "labels"} & set(site.keywords):
        labels = site.keywords["columns"]
    elif (
        type(axis) in (int, str)
        and axis in (1, "columns")
        and "columns" not in site.keywords
        and "index" not in site.keywords
    ):
        found = site.arguments[0] if site.arguments else site.keywords.get("labels")
        if found is None:
            return None
        labels = found
    else:
        return None
    plain = state.plain(labels)
    wanted = plain if type(plain) is list else [plain]
    return wanted if all(safe.one_of(type(label), (str, int)) for label in wanted) else None


HANDLERS = {
    "attribute": [attribute],
    "item": [item],
    "call": [call],
    "store_item": [store_item],
}
