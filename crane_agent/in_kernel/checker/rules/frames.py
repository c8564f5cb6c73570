"""Columns that a frame does not have.

Source: the pandas reference of each method; the labels are compared as pandas does for an Index of plain labels
(`State.columns` answers for no other Index).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite
from ..values import Method, Value
from ..words import Part, Words, counted, named, words

if TYPE_CHECKING:
    from ..state import State


def missing_column(site: SubscriptSite, state: State) -> Finding | None:
    """``frame['label']``, ``frame[['a', 'b']]`` or ``del frame['label']`` with a label that is no column."""
    columns = state.columns(site.owner)
    key: Any = state.plain(site.key)
    if columns is None or key is safe.ABSENT:
        return None
    if type(key) is str and key not in columns:
        asked = state.level(site.key)
        return _finding(site.owner, [key], columns, words("{!r}", Part(key, asked)), asked, state)
    if type(key) is list and site.context == "load" and key and all(type(each) is str for each in key):
        asked = state.level(site.key)
        missing = list(dict.fromkeys(each for each in key if each not in columns))
        if missing and any(each in columns for each in key):
            message = words("{} not in index", Part(missing, asked), quoted=True)
            return _finding(site.owner, missing, columns, message, asked, state)
        if missing:
            message = words("None of [{}] are in the [columns]".format(_INDEX), Part(key, asked), _dtype(), quoted=True)
            return _finding(site.owner, missing, columns, message, asked, state)
    return None


# An Index of texts as pandas prints a short one; printing itself looks at the terminal.
_INDEX = "Index({!r}, dtype={!r})"


def _dtype() -> Part:
    version = safe.loaded("pandas", "__version__")
    return named("object" if type(version) is str and version.partition(".")[0] in ("0", "1", "2") else "str")


def missing_attribute(site: AttributeSite, state: State) -> Finding | None:
    """``frame.label`` that is neither a column nor an attribute. Source: `NDFrame.__getattr__`."""
    columns = state.columns(site.owner)
    if columns is None or site.name in columns or site.name.startswith("_"):
        return None
    frame_type = safe.loaded("pandas", "DataFrame")
    if safe.in_type(frame_type, site.name) is not safe.ABSENT:
        return None
    own = safe.instance_dict(state.live(site.owner)) if state.live(site.owner) is not safe.ABSENT else None
    if own is None or site.name in own:
        return None
    message = words("'DataFrame' object has no attribute {!r}", named(site.name))
    finding = _finding(site.owner, [site.name], columns, message, NAMES, state)
    return finding._replace(rule="frames.missing-attribute", type="AttributeError", crash_type="attribute error")


def dropped_column(site: CallSite, state: State) -> Finding | None:
    """``frame.drop(columns=[...])`` with labels that are no columns. Source: `DataFrame.drop`, errors='raise'."""
    method = site.callee
    if type(method) is not Method or method.name != "drop" or not site.complete:
        return None
    from ..library.frames import dropped_columns

    columns = state.columns(method.owner)
    wanted = dropped_columns(site, state)
    if columns is None or not wanted or set(site.keywords) - {"columns", "axis", "labels", "inplace"}:
        return None
    inplace = state.live(site.keywords["inplace"]) if "inplace" in site.keywords else False
    missing = [label for label in wanted if label not in columns]
    if not missing or type(inplace) is not bool or any(type(label) is not str for label in wanted):
        return None
    asked = state.level(*site.arguments, *site.keywords.values())
    message = words("{} not found in axis", Part(missing, asked), quoted=True)
    return _finding(method.owner, missing, columns, message, asked, state)


# Methods whose only argument names columns. Source: the pandas reference of each.
_BY_COLUMN = {"groupby": "by", "sort_values": "by", "set_index": "keys"}


def missing_key_column(site: CallSite, state: State) -> Finding | None:
    """``frame.groupby('label')``, ``sort_values`` or ``set_index`` with a label that is no column and no level."""
    method = site.callee
    if type(method) is not Method or method.name not in _BY_COLUMN or not site.complete:
        return None
    columns = state.columns(method.owner)
    keyword = _BY_COLUMN[method.name]
    if columns is None or len(site.arguments) + len(site.keywords) != 1:
        return None
    key = site.arguments[0] if site.arguments else site.keywords.get(keyword)
    label = state.live(key)
    frame: Any = state.live(method.owner)
    if type(label) is not str or label in columns or frame is safe.ABSENT or _may_name_a_level(frame, label):
        return None
    asked = state.level(key)
    message = words("{!r}", Part(label, asked))
    if method.name == "set_index":
        message = words("None of {} are in the columns", Part([label], asked), quoted=True)
    return _finding(method.owner, [label], columns, message, asked, state)


def _may_name_a_level(frame: Any, label: str) -> bool:
    names = list(frame.index.names)
    return any(type(name) is not str and name is not None for name in names) or label in names


def _finding(
    owner: Value, missing: list[Any], columns: list[object], message: Words, asked: str, state: State
) -> Finding:
    path = getattr(owner, "path", None)
    close = close_to(str(missing[0]), [label for label in columns if type(label) is str])
    return Finding(
        rule="frames.missing-column",
        type="KeyError",
        message=message,
        because=words(
            "{} has {} columns and none named {}",
            named(path or "the frame"),
            counted(len(columns)),
            Part(", ".join(map(repr, missing)), asked),
        ),
        crash_type="key error",
        library="pandas",
        close=tuple(close),
        probe=("columns", {"path": path, "names": missing}) if path is not None and state.tells(asked) else None,
        asked=asked,
    )


RULES = {
    SubscriptSite: [missing_column],
    AttributeSite: [missing_attribute],
    CallSite: [dropped_column, missing_key_column],
}
