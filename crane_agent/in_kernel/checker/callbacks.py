"""Functions of the user's that a library, or Python, is certain to call: they are followed, element by element.

What they raise leaves the library as it is. Sources: the pandas reference, `Series.apply` and `Series.map`; the Python
library reference, `map`, `filter`, `sorted`; optuna, `Study.optimize`.
"""

from __future__ import annotations

import ast
from typing import Any

from .. import safe
from ..privacy import NAMES
from ..readers import blocks
from . import library, plain_functions
from .functions import Functions
from .library import running, tables, trials
from .sites import CallSite, Finding
from .state import State
from .values import (
    Bound,
    Defined,
    Elements,
    Foreign,
    Known,
    Made,
    Method,
    Value,
    of_element,
)

MOST_CALLS = 150
"""Elements for each of which a function is followed."""
FIRST_CALLS = 8

_ORDERED = ("sorted", "max", "min")


class Callbacks:
    """Follows what libraries call."""

    def __init__(self, state: State, functions: Functions) -> None:
        self._state = state
        self._functions = functions

    def call(self, site: CallSite, name: str) -> Value | Finding | None:
        """Return what a call gives that calls functions of the user's; `name` is that of a built-in, or ''."""
        if name in ("map", "filter") and len(site.arguments) == 2 and self._is_users(site.arguments[0]):
            return Made(
                "lazy", function=site.arguments[0], source=site.arguments[1], filters=name == "filter", site=site
            )
        key = site.keywords.get("key")
        if name in _ORDERED and key is not None and self._is_users(key) and len(site.arguments) == 1:
            return self._ordered(site, key)
        first = site.arguments[0] if site.arguments else None
        if first is None or not self._is_users(first):
            return None
        if site.method in ("apply", "map") and blocks.is_series(self._state.form(site.owner)):
            if len(site.arguments) == 1 and not site.keywords:
                return self._applied(site, first)
            return None
        if site.method == "apply" and blocks.is_frame(self._state.form(site.owner)):
            by_row = len(site.arguments) == 1 and set(site.keywords) == {"axis"}
            return self._applied_to_rows(site, first) if by_row else None
        if site.method == "optimize" and trials.is_study(site.owner, self._state):
            return self._optimized(site, first)
        return None

    def _optimized(self, site: CallSite, objective: Value) -> Value | Finding | None:
        """Follow ``study.optimize(objective)``, which lets exceptions through: the first trial, and forget the others.

        What is raised in another thread is lost.
        """
        given = dict(zip(("n_trials", "timeout", "n_jobs"), site.arguments[1:]))
        given.update(site.keywords)
        trials_wanted, seconds = (self._state.plain(given.get(each, Known(None))) for each in ("n_trials", "timeout"))
        runs = trials_wanted is None or (type(trials_wanted) is int and trials_wanted > 0)
        alone = self._state.plain(given.get("n_jobs", Known(1))) == 1
        if len(site.arguments) > 4 or not site.complete or "catch" in given or not runs or not alone:
            return None
        if not (seconds is None or (safe.one_of(type(seconds), (int, float)) and seconds > 1)):
            return None
        self._state.may_raise(site.node, ".optimize() may raise")
        before = self._state.snapshot()
        made = self._called(objective, site, (trials.trial(),))
        self._state.merge(before)
        self._state.touch(site.owner)
        return made if not isinstance(made, Value) else Known(None, level=NAMES)

    def _is_users(self, value: Value) -> bool:
        return (
            (type(value) is Defined and not isinstance(value.node, ast.ClassDef))
            or type(value) is Bound
            or (type(value) is Known and self._functions.is_users(self._state.live(value)))
        )

    def _called(self, function: Value, site: CallSite, arguments: tuple[Value, ...]) -> Value | Finding | None:
        return self._functions.call(CallSite(site.node, function, None, "", arguments, {}, True))

    def _elements(self, node: ast.AST, value: Value | None) -> Elements | None:
        if value is None:
            return None
        found = self._state.iterated(node, value)
        return found if found.found or found.complete else None

    def _each(self, function: Value, site: CallSite, source: Elements) -> list[Value] | Finding | None:
        """Follow a function for each element, or if they are many for the first ones."""
        results: list[Value] = []
        several = source.found if len(source.found) <= MOST_CALLS else source.found[:FIRST_CALLS]
        for element in several:
            made = self._called(function, site, (element,))
            if not isinstance(made, Value):
                return made
            results.append(made)
        return results

    def _ordered(self, site: CallSite, key: Value) -> Value | Finding | None:
        source = self._elements(site.node, site.arguments[0])
        results = None if source is None else self._each(key, site, source)
        if type(results) is not list:
            return results  # type: ignore[return-value]
        self._state.may_raise(site.node, "what is compared may not be comparable")
        return Foreign("builtins", tuple(site.arguments))

    def _applied(self, site: CallSite, function: Value) -> Value | Finding | None:
        plain = self._worked_out(site, function)
        if isinstance(plain, Finding):
            return plain
        if plain is None:
            source = self._elements(site.node, site.owner)
            if source is None or not source.found:
                return None
            results = self._each(function, site, source)
            if type(results) is not list:
                return results  # type: ignore[return-value]
            if len(results) < len(source.found) or not source.complete:
                self._state.may_raise(site.node, ".{}() may raise".format(site.method))
                return Foreign("pandas")
            plain = [self._state.plain(each) for each in results]
        index = self._index_of(site.owner)
        if index is None or not all(safe.one_of(type(each), safe.SCALARS) for each in plain):
            return Foreign("pandas")
        waiting = iter(plain)
        series: Any = safe.loaded("pandas", "Series")
        # pandas' own inference, on what the user's function was found to return.
        return running.content(
            lambda: series([None] * len(plain), index=index, dtype=object).apply(lambda _: next(waiting)), "pandas"
        )

    def _worked_out(self, site: CallSite, function: Value) -> list[Any] | Finding | None:
        """Return what a plain function gives for each element of a series, or what the walk finds where it raises."""
        node = self._functions.alone(function)
        compute = None if node is None else plain_functions.made_of(node, self._state)
        series = tables.private(self._state.live(site.owner), self._state) if type(site.owner) is Known else None
        if compute is None or series is None or len(series) > plain_functions.MOST_ELEMENTS:
            return None
        results: list[Any] = []
        for element in series:
            try:
                results.append(compute(element))
            except Exception:  # noqa: BLE001 - the user's function may raise anything here
                followed = self._called(function, site, (of_element(element, None, self._state.level(site.owner)),))
                return followed if isinstance(followed, Finding) else None
        return results

    def _applied_to_rows(self, site: CallSite, function: Value) -> Value | Finding | None:
        """Follow ``frame.apply(f, axis=1)``: the function gets each row as a series, as `iterrows` gives them."""
        axis = self._state.live(site.keywords["axis"])
        if not safe.one_of(type(axis), (int, str)) or axis not in (1, "columns") or site.owner is None:
            return None
        method = Method(site.owner, "iterrows")
        rows = library.ask("call", self._state, CallSite(site.node, method, site.owner, "iterrows", (), {}, True))
        source = self._elements(site.node, rows) if isinstance(rows, Value) else None
        pairs = [] if source is None else [self._state.live(each) for each in source.found[:FIRST_CALLS]]
        if not pairs or any(type(pair) is not tuple or len(pair) != 2 for pair in pairs):
            return None
        results = self._each(function, site, Elements([of_element(pair[1]) for pair in pairs]))  # type: ignore[index]
        if type(results) is not list:
            return results  # type: ignore[return-value]
        self._state.may_raise(site.node, ".apply() may raise")
        return Foreign("pandas")

    def _index_of(self, owner: Value | None) -> Any:
        """Return an index of our own like that of a series, or None if its own kind of array maps in its own way."""
        found = self._state.live(owner) if type(owner) is Known else safe.ABSENT
        private: Any = None if found is safe.ABSENT else tables.private(found, self._state)
        plain = (safe.loaded("numpy", "dtype"), safe.loaded("pandas", "StringDtype"))
        return private.index if private is not None and isinstance(private.dtype, plain) else None

    # -- what is evaluated when somebody iterates -----------------------------------------------------------------

    def elements(self, node: ast.AST, value: Value) -> Elements | Finding | None:
        """Return what iterating over a value yields that calls functions of the user's; None if it is no such value."""
        if type(value) is Made and value.kind == "lazy":
            site = value.facts["site"]
            source = self._elements(node, value.facts["source"])
            made = None if source is None else self._each(value.facts["function"], site, source)
            if type(made) is not list or source is None:
                return made if isinstance(made, Finding) else None
            if value.facts["filters"]:
                return Elements([], complete=False)
            return Elements(made, source.complete and len(made) == len(source.found))
        return None
