"""scikit-learn: splitters, the folds that they yield, and the rows that are picked with these.

``split`` gives a generator: what it checks is raised when somebody takes its first fold, which is why a split that may
raise is a value of its own, `Made` of the kind ``sklearn.folds``, until it is iterated over. A fold is two arrays of
places, no place twice, all of them within the data: picking rows with them cannot fail.
"""

from __future__ import annotations

import builtins
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import blocks, tensors
from .. import library
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..values import DTYPE, LABELS, UNKNOWN, Elements, Foreign, Known, Like, Made, Value, as_element, of_element
from . import array_forms, estimator_composites, estimator_data, estimator_functions, frame_stores, tables
from . import estimator_checks as checks
from . import estimator_splits as splits

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "sklearn"

FOLDS = "sklearn.folds"
"""What ``split`` returned and nobody has run through yet. Facts: ``finding``, or ``items`` and ``complete``, and
``doubt``, whether running through it may raise; ``over``, what it looks at each time; ``made_at``."""
SPLITTER = "sklearn.splitter"
"""A splitter that was made with arguments that are not known."""

_PLACES = "sklearn.places"
"""Where the walk keeps which arrays are places of rows: from how many rows, and how many of them, if that is known."""


# -- making --------------------------------------------------------------------------------------------------------


def _make(site: CallSite, state: State) -> Value | Finding | None:
    cls: Any = state.live(site.callee)
    if not splits.is_class(cls):
        return None
    holes: list[object] = []
    given = [estimator_composites.argument(each, state, holes) for each in site.arguments]
    named = {name: estimator_composites.argument(each, state, holes) for name, each in site.keywords.items()}
    if not all(map(checks.is_harmless, [*given, *named.values()])):
        return None
    if holes or not site.complete:
        state.may_raise(site.node, "{}() may raise".format(safe.class_name(cls)))
        return Made(SPLITTER, package=LIBRARY, name=safe.class_name(cls))
    level = state.level(*site.arguments, *site.keywords.values())
    made: list[Any] = []
    try:
        with estimator_data.quiet():
            made.append(cls(*given, **named))
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return checks.raised(error, level, "for these arguments")
    return Known(made[0], level=level)


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Find the methods of a splitter."""
    if site.name not in _METHODS:
        return None
    if _is_unknown(site.owner):
        return Foreign(LIBRARY)
    cv = _splitter(site.owner, state)
    entry: Any = safe.in_type(type(cv), site.name)
    return None if cv is None else Known(types.MethodType(entry, cv))


def _splitter(value: Value | None, state: State) -> Any:
    """Return one of scikit-learn's own splitters as the kernel or the cell made it, or None."""
    cv: Any = state.live(value)
    changed = splits.copy_of(cv) is None or state.is_changed(cv) or state.is_changed(type(cv))
    return None if changed else cv


def _is_unknown(value: Value | None) -> bool:
    return type(value) is Made and value.kind == SPLITTER


# -- splitting -----------------------------------------------------------------------------------------------------

_METHODS = ("split", "get_n_splits")
_NAMES = ("X", "y", "groups")


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of a splitter, its methods, and what is done with the folds."""
    found = _use(site, state) or _make(site, state)
    if found is not None or site.method not in _METHODS:
        return found
    cv = None if _is_unknown(site.owner) else _splitter(site.owner, state)
    if cv is None and not _is_unknown(site.owner):
        return None
    given = dict(zip(_NAMES, site.arguments))
    if not site.complete or len(site.arguments) > 3 or any(name in given for name in site.keywords):
        return None
    given.update(site.keywords)
    if not all(name in _NAMES and estimator_data.may_be_data(each, state) for name, each in given.items()):
        return None
    if site.method == "get_n_splits":
        return _number(cv, given, site, state)
    return _split(cv, given, site, state) if "X" in given else None


def _number(cv: Any, given: dict[str, Value], site: CallSite, state: State) -> Value:
    """Follow ``get_n_splits``, for which most splitters do not look at the data."""
    rows = estimator_data.rows_of(given.get("X"), state)
    name = safe.class_name(type(cv))
    count = None if cv is None else splits.count_of(cv, rows)
    if count is None or name not in splits.BY_ROWS | splits.BY_TARGET | {"GroupKFold", "GroupShuffleSplit"}:
        state.may_raise(site.node, "get_n_splits may raise")
        return Made("number", type=int)
    return Known(count, level=SCHEMA)


def _split(cv: Any, given: dict[str, Value], site: CallSite, state: State) -> Value | Finding:
    name = site.owner.facts.get("name") if type(site.owner) is Made else safe.class_name(type(cv))
    rows = estimator_data.rows_of(given["X"], state)
    found = splits.UNKNOWN_SPLIT
    if cv is not None and estimator_data.has_usual_settings(state):
        target, groups = (estimator_data.whole_of(given.get(each), state) for each in ("y", "groups"))
        found = splits.split(cv, rows, target, groups)
    if found.now is not None:
        return found.now
    for each in (safe.instance_dict(cv) or {}).values() if cv is not None else ():
        if checks.is_random_state(each):
            state.touch(Known(each))
    # All but these look at the data once, before the first fold.
    over = tuple(given.values()) if name in splits.REPEATED else (Known(None),)
    made = Made(FOLDS, package=LIBRARY, over=over, made_at=state.changes(), finding=found.later, doubt=False)
    if found.folds is not None:
        folds = found.folds
        made.facts.update(items=_folds(folds, rows, state), complete=folds.complete)
        if folds.complete:
            # Nothing is raised: an iterator like others.
            made.kind = "iterator"
    elif found.later is None:
        if name in splits.BY_TARGET:
            state.may_raise(site.node, "the target may not do for these folds")
        made.facts.update(doubt=True, **_likely_folds(cv, rows, state))
    return made


def _folds(folds: splits.Folds, rows: int | None, state: State) -> list[Any]:
    if folds.known:
        return [tuple(_known_places(each, state) for each in fold) for fold in folds.places]
    if not folds.counted:
        return [_fold(rows, None, None, state) for _ in folds.places]
    return [_fold(rows, len(train), len(test), state) for train, test in folds.places]


def _likely_folds(cv: Any, rows: int | None, state: State) -> dict[str, Any]:
    """Return the folds that there are if nothing is raised."""
    sizes = None if cv is None or rows is None else splits.sizes_of(cv, rows)
    if sizes is not None:
        return {"items": [_fold(rows, *each, state) for each in sizes], "complete": True}
    count = None if cv is None else splits.count_of(cv, rows)
    if count is None or not 1 <= count <= splits.MAX_FOLDS:
        return {"items": [_fold(rows, None, None, state)], "complete": False}
    return {"items": [_fold(rows, None, None, state) for _ in range(count)], "complete": True}


def _fold(rows: int | None, train: int | None, test: int | None, state: State) -> tuple[object, object]:
    return as_element(_places(rows, train, state)), as_element(_places(rows, test, state))


def _places(rows: int | None, count: int | None, state: State) -> Value:
    numpy: Any = safe.loaded("numpy")
    dtype = numpy.dtype("int64")
    made = array_forms.like_of_length(numpy.zeros(0, dtype)) if count is None else array_forms.like((count,), dtype)
    state.memo.setdefault(_PLACES, {})[id(made.object)] = (made.object, rows, count, state.changes())
    return made


def _known_places(places: Any, state: State) -> Any:
    rows = int(places.max()) + 1 if len(places) else 0
    state.memo.setdefault(_PLACES, {})[id(places)] = (places, rows, len(places), state.changes())
    return places


# -- running through the folds -------------------------------------------------------------------------------------


def _is_folds(value: Value | None) -> bool:
    return type(value) is Made and value.kind == FOLDS


def _use(site: CallSite, state: State) -> Value | Finding | None:
    """Follow what hands on the folds, or takes some."""
    callee: Any = state.live(site.callee)
    if callee is builtins.zip and any(map(_is_folds, site.arguments)):
        return _zipped(site, state)
    first = site.arguments[0] if site.arguments else None
    if type(first) is not Made or first.kind not in (FOLDS, "iterator") or site.owner is first:
        return None
    if callee is builtins.next:
        return _next(site, first, state)
    if callee is builtins.list or callee is builtins.tuple:
        return _listed(site, first, callee, state) if first.kind == FOLDS and len(site.arguments) == 1 else None
    if not _is_folds(first):
        return None
    if callee is builtins.iter and len(site.arguments) == 1:
        return first
    if callee is builtins.enumerate:
        start = state.plain(site.arguments[1] if len(site.arguments) > 1 else site.keywords.get("start", Known(0)))
        if type(start) is not int or len(site.arguments) + len(site.keywords) > 2:
            return None
        made = Made(FOLDS, **first.facts)
        if "items" in made.facts:
            made.facts["items"] = list(enumerate(first.facts["items"], start))
        first.facts.clear()
        return made
    return None


def _zipped(site: CallSite, state: State) -> Value:
    """Follow ``zip``: it asks each of its arguments for the next element, in order, until one has none."""
    rows: list[Elements] = []
    doubt = False
    made = Made(FOLDS, package=LIBRARY, over=site.arguments, made_at=state.changes(), finding=None)
    for value in site.arguments:
        facts = dict(value.facts) if type(value) is Made and _is_folds(value) else None
        found = None
        if facts is None:
            found = state.iterated(site.node, value)
        elif "made_at" in facts and not estimator_data.changed(facts["made_at"], state):
            value.facts.clear()  # type: ignore[attr-defined]
            doubt = doubt or facts["doubt"]
            if facts["finding"] is not None and all(each.found for each in rows):
                made.facts.update(finding=facts["finding"])
                return made
            found = Elements([of_element(each) for each in facts.get("items", ())], facts.get("complete", False))
        if found is None or not (found.found or found.complete):
            state.may_raise(site.node, "zip() may raise")
            return Foreign("builtins", site.arguments)
        rows.append(found)
    shortest = min(len(each.found) for each in rows)
    complete = any(each.complete and len(each.found) == shortest for each in rows)
    items = [tuple(map(as_element, each)) for each in zip(*(each.found for each in rows))]
    made.facts.update(items=items, complete=complete, doubt=doubt)
    return made


def _next(site: CallSite, source: Made, state: State) -> Value | Finding | None:
    """Follow ``next``: the first fold, and the others are left."""
    items: list[Any] = source.facts.get("items") or []
    if not (items or source.facts.get("finding")) or source.facts.get("made_at") != state.changes():
        return None
    if len(site.arguments) > 2 or site.keywords:
        return None
    if source.facts.get("finding") is not None:
        found: Finding = source.facts["finding"]
        source.facts.clear()
        return found
    if source.facts.get("doubt"):
        state.may_raise(site.node, "the folds may not be possible")
    source.facts.update(items=items[1:], doubt=False)
    return of_element(items[0], None, state.level(source))


def _listed(site: CallSite, source: Made, callee: Any, state: State) -> Value | Finding | None:
    found = iterate(ValueSite(site.node, source), state)
    if not isinstance(found, Elements):
        return found
    if not found.complete:
        state.may_raise(site.node, "there may be too many folds")
        return Foreign("builtins", tuple(found.found))
    return Known(callee([as_element(each) for each in found.found]))


def iterate(site: ValueSite, state: State) -> Elements | Finding | None:
    """Iterate over folds: what the split checks is raised now."""
    value = site.value
    if type(value) is not Made or value.kind != FOLDS:
        return None
    facts = dict(value.facts)
    value.facts.clear()
    value.facts.update(package=LIBRARY, over=facts.get("over"))
    value.kind = "iterator"
    if "made_at" not in facts or estimator_data.changed(facts["made_at"], state):
        return None
    finding: Finding | None = facts["finding"]
    if finding is not None:
        return finding
    if facts["doubt"]:
        state.may_raise(site.node, "the folds may not be possible")
    return Elements([of_element(each) for each in facts["items"]], facts["complete"])


# -- picking rows --------------------------------------------------------------------------------------------------


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Pick rows with places: ``X[train]``, ``frame.iloc[train]``, ``frame.loc[train, "a"]``."""
    if site.context != "load":
        return None
    key, columns = site.key, None
    pair: Any = state.live(key)
    if type(pair) is tuple and len(pair) == 2:
        key, columns = (of_element(each) for each in pair)
    if type(key) is not Like and type(key) is not Known:
        return None
    places = state.memo.get(_PLACES, {}).get(id(key.object))
    if places is None or state.form(key) is not places[0] or places[1] is None or state.changed_since(places[3], key):
        return None
    table, how = _picked_from(site.owner, state)
    if table is None or (columns is not None and not how):
        return None
    form: Any = state.form(table, "shape")
    rows = estimator_data.rows_of(table, state)
    if rows is None or rows < places[1] or (how != "iloc" and not _is_numbered(table, form, state)):
        return None
    if type(key) is Known and (state.live(key) is safe.ABSENT or _is_small(table, form, state)):
        # The library itself is asked.
        return None
    found = _rows(table, form, places[2], state)
    if found is UNKNOWN or columns is None:
        return None if found is UNKNOWN else found
    indexer = library.ask("attribute", state, AttributeSite(site.node, found, how))  # type: ignore[arg-type]
    if not isinstance(indexer, Value):
        return None
    whole = Known((slice(None), as_element(columns)), level=state.level(columns))
    return library.ask("item", state, SubscriptSite(site.node, indexer, whole, "load"))


def _picked_from(owner: Value, state: State) -> tuple[Value | None, str]:
    """Return the table or array that rows are picked from, and by which indexer, if it is one."""
    form: Any = state.form(owner)
    if tensors.is_ndarray(form) or blocks.is_series(form):
        return owner, ""
    how = {"_iLocIndexer": "iloc", "_LocIndexer": "loc"}.get(safe.class_name(type(form)))
    table = None if how is None else frame_stores.indexed(owner, state)
    return (None, "") if table is owner or table is None or how is None else (table, how)


def _is_numbered(table: Value, form: Any, state: State) -> bool:
    """Whether the labels of the rows are their places."""
    if tensors.is_ndarray(form):
        return True
    index = blocks.axes(form)[-1]
    labels: Any = (safe.instance_dict(index) or {}).get("_range")
    # A stand-in has labels of its own.
    real = state.live(table) is form or (type(table) is Known and table.object is form)
    return real and type(labels) is range and labels.start == 0 and labels.step == 1


def _is_small(table: Value, form: Any, state: State) -> bool:
    size = int(form.size) if tensors.is_ndarray(form) else tables.size(form)
    return state.live(table) is form and size <= estimator_data.MAX_CELLS


def _rows(table: Value, form: Any, count: int | None, state: State) -> Value:
    if count is not None:
        return estimator_functions.rows_drawn(table, count, state)
    if tensors.is_ndarray(form):
        return UNKNOWN
    made = tables.stand_in(form, 0)
    if made is None:
        return UNKNOWN
    kept = {DTYPE, LABELS} if blocks.is_frame(form) else {DTYPE}
    return Like(tables.keep(made[0], state), made[1] & state.knows(table) & kept)


HANDLERS = {"attribute": [attribute], "call": [call], "iterate": [iterate], "item": [item]}
