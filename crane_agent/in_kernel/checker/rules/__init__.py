"""The rules: what is certain to raise.

A rule is a function ``rule(site, state) -> Finding | None`` in the module of its kind of value. It answers a finding
only if Python or the library is certain to raise at this site whatever else happens, given the values that
`state.live` and `state.columns` return (they know what the cell changed), and None otherwise; silence is never wrong.

To add a rule:

1. Write the function, in the module of its kind of value. Look at objects through `safe` only; an exact type is
   decided by identity. Name in the docstring the documentation or the library's own check that it restates.
   What it says is made with `words`: each part has the lowest privacy level at which it may be told (`State.level` of
   the value it comes from, `named` for what stands in the target, `counted` for counts, shapes, labels and keys).
2. Put it into that module's `RULES` under the kind of site it is asked about (`sites`).
3. Add a row to CRASHES (a cell that it finds, run for real: type and line must match) and one to WORKS (the nearest
   cell that runs) in `tests/in_kernel/checker/tables.py`.

Whether a finding is certain is not the rule's business: the walk decides that from what came before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from .. import sites
from . import (
    attributes,
    callables,
    containers,
    estimators,
    files,
    frames,
    imports,
    names,
    row_labels,
    tensors,
    unloaded,
)

if TYPE_CHECKING:
    from ..state import State

_RULES: dict[type, list[Any]] = {}
_MODULES = (
    *(names, attributes, callables, containers, estimators, files, frames, row_labels, imports, tensors),
    unloaded,
)
for _module in _MODULES:
    for _kind, _functions in _module.RULES.items():
        _RULES.setdefault(_kind, []).extend(_functions)

_CRASH_TYPES: dict[type, str] = {
    KeyError: "key error",
    IndexError: "index error",
    AttributeError: "attribute error",
    NameError: "variable not found",
    ValueError: "value error",
    TypeError: "type error",
    OSError: "io error",
    ImportError: "module not found",
    RuntimeError: "runtime error",
}


def first_finding(site: Any, state: State) -> sites.Finding | None:
    """Return the first finding of the rules for this kind of site, or None."""
    for rule in _RULES.get(type(site), ()):
        finding: sites.Finding | None = rule(site, state)
        if finding is not None:
            return finding
    return None


def crash_type_of(error: Exception) -> str:
    """Return JunoBench's label for an exception: that of the class of Python's that is nearest to it."""
    return next((_CRASH_TYPES[each] for each in safe.mro(type(error)) if each in _CRASH_TYPES), "other")
