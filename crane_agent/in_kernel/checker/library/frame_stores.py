"""pandas: what changes a table.

A change is done on a copy, which stands for the table from then on. Other tables that lie in the same memory have kept
their structure alone, see `memory`; before pandas 3 a series may also be a column of a frame that changes with it.
Source: the pandas user guide, "Copy-on-Write".
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import VALUES
from ...readers import blocks
from ..operations import IN_PLACE
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite
from ..values import DTYPE, LABELS, UNKNOWN, Known, Like, Method, Value
from . import frame_structure, operands, tables
from .pandas_itself import affordable, ask_content, is_of_pandas, own

if TYPE_CHECKING:
    from ..state import State

# Tables have no `@=`, `<<=` and `>>=` of their own: Python makes a new one.
_IN_PLACE = {kind: run for kind, run in IN_PLACE.items() if kind not in (ast.MatMult, ast.LShift, ast.RShift)}
_INDEXERS = {"_LocIndexer": "loc", "_iLocIndexer": "iloc", "_AtIndexer": "at", "_iAtIndexer": "iat"}


# -- what belongs together -----------------------------------------------------------------------------------------


def remember_indexer(answer: Value, owner: Value, state: State) -> None:
    """Remember which table ``table.loc`` and the like belong to."""
    if type(answer) is Known or type(answer) is Like:
        state.memo.setdefault("pandas.indexers", {})[id(answer.object)] = owner


def indexed(value: Value, state: State) -> Value:
    """Return the table that an indexer belongs to; any other value itself."""
    if type(value) is not Known and type(value) is not Like:
        return value
    found: Value = state.memo.get("pandas.indexers", {}).get(id(value.object), value)
    return found


def remember_parent(answer: Value, frame: Value, state: State) -> None:
    """Remember which frame a series or an index was taken from."""
    if (type(answer) is Known or type(answer) is Like) and answer is not frame:
        state.memo.setdefault("pandas.parents", {})[id(answer.object)] = frame


def parent(value: Value, state: State) -> Value | None:
    """Return the frame that a series or an index was taken from, or None."""
    if type(value) is not Known and type(value) is not Like:
        return None
    found: Value | None = state.memo.get("pandas.parents", {}).get(id(value.object))
    if found is None and type(value) is Known:
        cacher: Any = (
            (safe.instance_dict(value.object) or {}).get("_cacher") if blocks.is_series(value.object) else None
        )
        reference = cacher[1]() if type(cacher) is tuple and len(cacher) == 2 else None
        return Known(reference) if blocks.is_frame(reference) else None
    return found


def copies_on_write() -> bool:
    """Whether no table ever changes with another one."""
    version = safe.loaded("pandas", "__version__")
    return type(version) is str and version.partition(".")[0] not in ("0", "1", "2")


# -- changing ------------------------------------------------------------------------------------------------------


def change(
    value: Value, run: Callable[[Any], object], state: State, asked: str = VALUES, overwrites: bool = True
) -> Value | Finding | None:
    """Change a table whose content is known, in a way that is known: `run` does it to a copy.

    Args:
        value: The table.
        run: Changes what it is given.
        state: The walk's state.
        asked: Lowest privacy level at which what is asked for may be told.
        overwrites: Whether numbers that lie in memory may be overwritten.

    Returns:
        What `run` returns, the crash, or None if the content is not known.
    """
    operand = operands.resolve(value, state)
    if operand is None or not operand.real or not affordable(operand.size, state):
        return None
    copy = operand.object.copy()
    answer = ask_content(lambda: run(copy), state, asked)
    if answer is None or isinstance(answer, Finding):
        return answer
    _tell(value, Known(own(copy, state)), operand.object, state, overwrites)
    return value if type(answer) is Known and answer.object is copy else answer


def _tell(value: Value, now: Value, private: object, state: State, overwrites: bool) -> None:
    """Tell the state what a table has become, and what else that changes."""
    if overwrites or not copies_on_write():
        state.content_changed(value)
        if private is not None:
            state.content_changed(Known(private))
    above = None if copies_on_write() else parent(value, state)
    state.becomes(value, now)
    if above is not None:
        forget_content(above, state)


def forget_content(value: Value, state: State) -> None:
    """A table may hold anything from here on; its labels and its shape stay."""
    form = state.form(value, LABELS)
    made = tables.stand_in(form) if form is not safe.ABSENT and tables.is_table(form) else None
    if made is None:
        state.becomes(value, UNKNOWN)
        return
    state.becomes(value, Like(tables.keep(made[0], state), (state.knows(value) & made[1]) - {DTYPE}))


def tell(value: Value, now: Value, state: State) -> None:
    """Tell the state what a table of which only the structure is known has become."""
    _tell(value, now, None, state, True)


def lose(value: Value, state: State) -> None:
    """A table was changed in a way that is not known."""
    _tell(value, UNKNOWN, None, state, True)


def _may_refuse(value: Value, state: State) -> bool:
    """Whether a table may refuse to be written: before pandas 3 one that was cut out of another may, if asked to."""
    return type(value) is Known and (safe.instance_dict(value.object) or {}).get("_is_copy") is not None


# -- stores --------------------------------------------------------------------------------------------------------


def store_item(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``table[key] = value`` and ``table.loc[key] = value``."""
    if not is_of_pandas(site.owner, state):
        return None
    form = state.form(site.owner)
    indexer = _INDEXERS.get(safe.class_name(type(form)), "")
    table = indexed(site.owner, state) if indexer else site.owner
    if not (blocks.is_frame(state.form(table)) or blocks.is_series(state.form(table))):
        return None
    if not state.is_as_shipped(type(state.form(table))):
        return None
    key, found = operands.resolve(site.key, state), operands.resolve(value, state)
    if _may_refuse(table, state):
        state.may_raise(site.node, "a part of another frame may refuse to be written")
    if key is not None and found is not None and key.real and found.real and affordable(found.size, state):
        adds = not indexer and _is_new_column(table, key.object, state)
        answer = change(
            table,
            lambda copy: operator.setitem(getattr(copy, indexer) if indexer else copy, key.object, found.object),
            state,
            state.level(site.key),
            overwrites=bool(indexer) or not adds,
        )
        if answer is not None:
            return answer
    return frame_structure.store_item(site, table, indexer, key, found, state.knows(value), state)


def _is_new_column(table: Value, key: object, state: State) -> bool:
    columns = state.columns(table)
    return columns is not None and safe.one_of(type(key), (str, int)) and key not in columns


def store_attribute(site: AttributeSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``table.columns = labels``, ``table.column = values``, ``index.name = label`` and their like."""
    if not is_of_pandas(site.owner, state):
        return None
    form = state.form(site.owner)
    if not tables.is_table(form) or site.name.startswith("_"):
        return None
    above = parent(site.owner, state)
    if tables.is_index(form):
        # The index of a table changes with it; other tables may have the same index.
        for each in (above, site.owner):
            if each is not None:
                state.becomes(each, UNKNOWN)
        state.doubt(site.node, "effects", "an index that several tables may have is changed")
        return Known(None)
    entry = safe.in_type(type(form), site.name)
    columns = state.columns(site.owner)
    column = entry is safe.ABSENT and columns is not None and site.name in columns
    if not column and site.name not in ("columns", "index", "name"):
        return None
    found = operands.resolve(value, state)
    if found is not None and found.real:
        answer = change(
            site.owner,
            lambda copy: setattr(copy, site.name, found.object),
            state,
            state.level(value),
            overwrites=column,
        )
        if answer is not None:
            return answer
    return frame_structure.store_attribute(site, found, state.knows(value), column, state)


def delete(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Follow ``del frame['label']``."""
    if not blocks.is_frame(state.form(site.owner)) or not state.is_as_shipped(type(state.form(site.owner))):
        return None
    key = operands.resolve(site.key, state)
    if key is None or not key.real:
        return None
    answer = change(site.owner, lambda copy: operator.delitem(copy, key.object), state, state.level(site.key))
    return answer if answer is not None else frame_structure.delete(site, key, state)


def call(
    method: Method,
    site: CallSite,
    owner: operands.Operand | None,
    found: operands.Operands | None,
    state: State,
) -> Value | Finding | None:
    """Follow a method that changes its table, maybe: with ``inplace``, or in any case."""
    table = state.form(method.owner)
    if not (blocks.is_frame(table) or blocks.is_series(table)):
        return None
    if owner is None or found is None or not owner.real or not found.real:
        return frame_structure.changing(method, site, owner, found, state)
    if "inplace" in found.keywords and type(found.keywords["inplace"]) is not bool:
        return None
    changes = found.keywords.get("inplace", True)
    asked = state.level(*site.arguments, *site.keywords.values())

    def run(table: Any) -> Any:
        return getattr(table, method.name)(*found.arguments, **found.keywords)

    if not changes:
        return ask_content(lambda: run(owner.object), state, asked) if affordable(owner.size, state) else None
    if _may_refuse(method.owner, state):
        state.may_raise(site.node, "a part of another frame may refuse to be written")
    answer = change(method.owner, run, state, asked)
    return answer if answer is not None else frame_structure.changing(method, site, owner, found, state)


def in_place(
    site: Any,
    operate: Callable[[Any, Any], Any],
    left: operands.Operand | None,
    right: operands.Operand | None,
    state: State,
) -> Value | Finding | None:
    """Follow ``table op= other``."""
    run = _IN_PLACE.get(type(site.op))
    if tables.is_index(state.form(site.left)):
        if left is None or right is None or not left.real or not right.real or not affordable(left.size, state):
            return None
        return ask_content(lambda: operate(left.object, right.object), state)
    if run is None or left is None or right is None or not right.real or not left.real:
        return frame_structure.in_place(site, operate, left, right, state)
    answer = change(site.left, lambda copy: run(copy, right.object), state)
    return answer if answer is not None else frame_structure.in_place(site, operate, left, right, state)
