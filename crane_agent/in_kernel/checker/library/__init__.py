"""What libraries do: what an access, a call or an operator gives, where the library itself can be asked.

One module a library. Each has `LIBRARY`, the package that must be loaded for it to be asked, and `HANDLERS`: by the
kind of question (`ask` lists them) the functions that may answer. A handler answers

- a `Value`: it is certain not to raise, or the handler has said with `state.may_raise` that it may; what it changes is
  told to the state (`becomes`, `content_changed`);
- a `Finding`: it is certain to raise;
- None: not mine, or not known. If nobody knows, the walk takes it that anything may happen to the operands.

To teach the checker another function of a library, find the module, and put it in the table that says what it depends
on (the module's docstring names it); `running` holds the two ways of asking the library. Then add a row to CRASHES and
one to WORKS in `tests/in_kernel/checker/tables_LIBRARY.py`, and a word to `programs_LIBRARY.py`, which grows random
programs. A new library gets a module here, in `_MODULES`, and rows in `all_tables.TABLES` and `test_programs.KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ..sites import CallSite, Finding
from ..values import UNKNOWN, Foreign, Value
from . import (
    arrays,
    boosters,
    contexts,
    estimator_functions,
    estimators,
    figures,
    files,
    frames,
    keras,
    loaders,
    modules,
    progress,
    seaborn,
    splitters,
    standard,
    tensors,
    trials,
    unloaded,
)

if TYPE_CHECKING:
    from ..state import State

_MODULES: tuple[Any, ...] = (
    splitters,
    contexts,
    files,
    figures,
    seaborn,
    arrays,
    frames,
    estimators,
    estimator_functions,
    boosters,
    loaders,
    progress,
    modules,
    tensors,
    keras,
    standard,
    trials,
    unloaded,
)
_HANDLERS: dict[str, list[tuple[str, Any]]] = {}
for _module in _MODULES:
    for _kind, _functions in _module.HANDLERS.items():
        _HANDLERS.setdefault(_kind, []).extend((_module.LIBRARY, each) for each in _functions)


def ask(kind: str, state: State, *about: Any) -> Value | Finding | None:
    """Return the first answer of the libraries that are loaded, or None.

    Args:
        kind: The question. `about` is its site, and for the two stores also the `Value` that is stored:

            - ``attribute`` (`AttributeSite`), ``item`` (`SubscriptSite`, load or del), ``call`` (`CallSite`);
            - ``operator`` (`OperatorSite`), ``unary`` (`UnarySite`), ``compare`` (`CompareSite`);
            - ``store_item`` (`SubscriptSite`), ``store_attribute`` (`AttributeSite`): any `Value` means that it is
              followed;
            - ``iterate`` (`ValueSite`): answers `Elements`;
            - ``truth``, ``length``, ``format`` (`ValueSite`): a known bool, a known int, a text;
            - ``leave`` (`ValueSite`): the block of a context manager has ended; any answer;
            - ``enter`` (`ValueSite`): what ``with value as name`` binds; only for managers that swallow no exception.
        state: The walk's state.
        about: See `kind`.
    """
    if state.running:
        # Libraries have settings of their own, warnings among them, that they set for a moment.
        return None
    for library, handler in _HANDLERS.get(kind, ()):
        if not library or safe.loaded(library) is not None:
            answer: Value | Finding | None = handler(*about, state)
            if answer is UNKNOWN and kind in _MAKING:
                # What a library makes is of no class of the user's.
                return Foreign(library or "builtins", _values_of(about[0]))
            if answer is not None:
                return answer
    return None


_MAKING = ("call", "operator", "unary", "compare")


def _values_of(site: Any) -> tuple[Value, ...]:
    """Return the values that the result of a call or an operator may be, hold or share memory with."""
    values = [*site.arguments, *site.keywords.values(), site.owner] if type(site) is CallSite else list(site)
    return tuple(each for each in values if isinstance(each, Value))
