"""Functions of the user's that a library, or Python, is certain to call: they are followed, element by element.

What they raise leaves the library as it is. Sources: the pandas reference, `Series.apply` and `Series.map`; the Python
library reference, `map`, `filter`, `sorted`; torch, `utils/data/_utils/fetch.py` and `collate.py`: a loader takes the
first samples from its data set, one by one, and stacks them.
"""

from __future__ import annotations

import ast
from typing import Any

from .. import safe
from ..readers import blocks, data_sets, tensors
from . import library
from .functions import Functions
from .library import running, tables
from .sites import CallSite, Finding
from .state import State
from .values import (
    STRUCTURE,
    UNKNOWN,
    Bound,
    Defined,
    Elements,
    Foreign,
    Known,
    Like,
    Made,
    Method,
    Value,
    as_element,
    of_element,
)

MOST_CALLS = 150
"""Elements for each of which a function is followed."""
FIRST_CALLS = 8

_ORDERED = ("sorted", "max", "min")
# A study calls its objective with a trial, and lets its exceptions through. Source: optuna, `Study.optimize`.
_CALLED_BY = {("optuna", "optimize"): 0}


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
        package = site.owner.package if type(site.owner) is Foreign else ""
        if _CALLED_BY.get((package, site.method)) == 0 and "catch" not in site.keywords:
            made = self._called(first, site, (Foreign(package),))
            if isinstance(made, Value):
                self._state.may_raise(site.node, ".{}() may raise".format(site.method))
                return Foreign(package)
            return made
        return None

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
        source = self._elements(site.node, site.owner)
        if source is None or not source.found:
            return None
        results = self._each(function, site, source)
        if type(results) is not list:
            return results  # type: ignore[return-value]
        plain = [self._state.plain(each) for each in results]
        whole = source.complete and len(plain) == len(source.found) and safe.ABSENT not in plain
        scalars = all(safe.one_of(type(each), safe.SCALARS) for each in plain)
        if whole and scalars and type(site.owner) is Known and self._state.live(site.owner) is not safe.ABSENT:
            index = self._index_of(site.owner)
            if index is not None:
                waiting = iter(plain)
                series: Any = safe.loaded("pandas", "Series")
                # pandas' own inference, on what the user's function was found to return.
                return running.content(
                    lambda: series([None] * len(plain), index=index, dtype=object).apply(lambda _: next(waiting)),
                    "pandas",
                )
        if len(results) < len(source.found) or not source.complete:
            self._state.may_raise(site.node, ".{}() may raise".format(site.method))
        return Foreign("pandas")

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

    def _index_of(self, owner: Known) -> Any:
        """Return an index of our own like that of a series."""
        private = tables.private(self._state.live(owner), self._state)
        return None if private is None else private.index

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
        loader = self._state.live(value)
        if safe.is_exactly(loader, "torch.utils.data.dataloader", "DataLoader"):
            return self._batches(node, loader)
        return None

    def _batches(self, node: ast.AST, loader: Any) -> Elements | Finding | None:
        """Return the first batch of a loader over a data set of the user's own class."""
        own = safe.instance_dict(loader) or {}
        dataset, size = own.get("dataset"), own.get("batch_size")
        collate = own.get("collate_fn")
        module = safe.loaded("torch.utils.data._utils.collate")
        default = None if module is None else (safe.instance_dict(module) or {}).get("default_collate")
        if not self._functions.is_users_object(dataset) or own.get("_dataset_kind") != 0 or type(size) is not int:
            return None
        batcher = own.get("batch_sampler")
        if collate is not default or not safe.is_exactly(batcher, "torch.utils.data.sampler", "BatchSampler"):
            return None
        sampler = own.get("sampler")
        in_order = safe.is_exactly(sampler, "torch.utils.data.sampler", "SequentialSampler")
        if not in_order and not safe.is_exactly(sampler, "torch.utils.data.sampler", "RandomSampler"):
            return None
        count = self._length(node, dataset)
        if count is None or count < (size if own.get("drop_last") else 1):
            return None
        taken = min(size, count)
        fetch = Bound(Known(safe.in_type(type(dataset), "__getitem__")), Known(dataset))
        index: Value = Known(0) if in_order else Foreign("builtins")
        call = ast.copy_location(ast.Call(node, [], []), node)  # type: ignore[arg-type]
        sample = self._called(fetch, CallSite(call, fetch, None, "", (), {}, True), (index,))
        if not isinstance(sample, Value):
            return sample
        self._state.may_raise(node, "the samples of a batch may not go together")
        return Elements([self._collated(sample, taken)], complete=False)

    def _length(self, node: ast.AST, dataset: Any) -> int | None:
        found = data_sets.length(dataset)
        if found is not None:
            return found
        method = Bound(Known(safe.in_type(type(dataset), "__len__")), Known(dataset))
        call = ast.copy_location(ast.Call(node, [], []), node)  # type: ignore[arg-type]
        made = self._called(method, CallSite(call, method, None, "", (), {}, True), ())
        length = self._state.live(made) if isinstance(made, Value) else None
        return length if type(length) is int else None

    def _collated(self, sample: Value, count: int) -> Value:
        """Return what `default_collate` makes of `count` samples like this one, as far as it is known."""
        found: Any = self._state.form(sample)
        torch: Any = safe.loaded("torch")
        if type(found) is tuple or type(found) is list:
            return Known([as_element(self._collated(of_element(each), count)) for each in found])
        if type(found) is dict and safe.has_plain_keys(found):
            return Known({key: as_element(self._collated(of_element(each), count)) for key, each in found.items()})
        if tensors.is_tensor(found):
            with torch.no_grad():
                return Like(torch.empty((count, *found.shape), dtype=found.dtype, device="meta"), STRUCTURE)
        if tensors.is_ndarray(found) and found.dtype.kind in "iufb":
            dtype = torch.as_tensor(safe.loaded("numpy").zeros((), found.dtype)).dtype
            return Like(torch.empty((count, *found.shape), dtype=dtype, device="meta"), STRUCTURE)
        if type(found) is int or type(found) is float:
            dtype = torch.int64 if type(found) is int else torch.float64
            return Like(torch.empty((count,), dtype=dtype, device="meta"), STRUCTURE)
        return Foreign("torch", (sample,)) if sample is not UNKNOWN else UNKNOWN
