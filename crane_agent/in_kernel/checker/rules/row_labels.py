"""Row labels that a table does not have, also of one that is too long to be worked through: its index is enough.

Source: the pandas reference, `DataFrame.drop`: labels are taken off the axis by `Index.drop`, which is asked itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ...readers import blocks
from ..library import running, tables
from ..sites import CallSite, Finding
from ..values import Method

if TYPE_CHECKING:
    from ..state import State

MAX_ROWS = 1_000_000
"""Length of an index that labels are looked up in."""


def dropped_row(site: CallSite, state: State) -> Finding | None:
    """``table.drop(labels)`` or ``drop(index=labels)`` with labels that are no row's."""
    method = site.callee
    if type(method) is not Method or method.name != "drop" or not site.complete:
        return None
    table: Any = state.live(method.owner)
    if not (blocks.is_frame(table) or blocks.is_series(table)) or set(site.keywords) - {"index", "labels", "inplace"}:
        return None
    values = [*site.arguments, *(site.keywords[name] for name in ("index", "labels") if name in site.keywords)]
    labels = state.plain(values[0]) if len(values) == 1 else safe.ABSENT
    inplace = state.live(site.keywords["inplace"]) if "inplace" in site.keywords else False
    wanted = labels if type(labels) is list else [labels]
    if type(inplace) is not bool or not all(safe.one_of(type(each), (int, str)) for each in wanted) or not wanted:
        return None
    private = tables.private(table, state)
    if private is None or len(private.index) > MAX_ROWS or not _is_flat(private.index):
        return None
    found = running.content(lambda: private.index.drop(labels), "pandas", state.level(values[0]), "key error")
    if not isinstance(found, Finding) or found.type != "KeyError":
        return None
    return found._replace(rule="frames.missing-row")


def _is_flat(index: Any) -> bool:
    kinds = [safe.loaded("pandas", name) for name in ("Index", "RangeIndex", "Int64Index")]
    return safe.one_of(type(index), [kind for kind in kinds if kind is not None])


RULES = {CallSite: [dropped_row]}
"""By kind of site."""
