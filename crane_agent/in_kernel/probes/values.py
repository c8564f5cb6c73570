"""One live value, whatever it is."""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from . import arrays, callables, estimators, frames, models

MOST_ELEMENTS = 10000
"""Elements of a sequence whose types are counted, from its start."""


def describe(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe the value at `path`: its type, and by kind its shape, columns, keys, length or attributes."""
    value = paths.resolve(path, shell.user_ns)
    return dict({"path": path, "type": safe.type_name(value)}, **_by_kind(value, budget))


def _by_kind(value: Any, budget: safe.Budget) -> dict[str, Any]:
    kind = type(value)
    if frames.is_frame(value):
        return frames.facts(value, budget)
    if frames.is_series(value):
        return frames.series_facts(value)
    if arrays.is_array(value):
        return arrays.facts(value)
    if models.is_torch_module(value):
        return {"kind": "torch module", "training": (safe.instance_dict(value) or {}).get("training") is True}
    if estimators.is_estimator(value):
        return estimators.facts(value, budget)
    if safe.one_of(kind, (int, float, bool, complex, type(None))):
        return {"kind": "scalar"}
    if safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.is_from(kind, "numpy"):
        return {"kind": "scalar"}
    if safe.one_of(kind, (str, bytes)):
        return {"kind": "text", "length": len(value)}
    if kind is dict:
        return _dict_facts(value, budget)
    if safe.one_of(kind, (list, tuple, set, frozenset)):
        return _sequence_facts(value, budget)
    if callables.is_callable(value):
        return {"kind": "callable"}
    own = dict(safe.instance_dict(value) or {})
    attributes = sorted(own)
    return {
        "kind": "object",
        "attributes": {name: safe.type_name(own[name]) for name in attributes[: budget.items]},
        "truncated": len(attributes) > budget.items,
    }


def _dict_facts(value: dict[object, object], budget: safe.Budget) -> dict[str, Any]:
    keys = [key for key in safe.first(value, budget.items) if safe.one_of(type(key), safe.SCALARS)]
    return {
        "kind": "dict",
        "length": len(value),
        "keys": [safe.text(key, 80) for key in keys],
        "truncated": len(keys) < len(value),
    }


def _sequence_facts(value: Any, budget: safe.Budget) -> dict[str, Any]:
    counts: dict[str, int] = {}
    sample = safe.first(value, MOST_ELEMENTS)
    for each in sample:
        name = safe.type_name(each)
        counts[name] = counts.get(name, 0) + 1
    common = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[: budget.items]
    return {"kind": "sequence", "length": len(value), "element_types": dict(common), "looked_at": len(sample)}


FIELDS = {
    "path": Field(NAMES, "the path asked about"),
    "type": Field(NAMES, "type of the value"),
    "kind": Field(NAMES, "kind of value: frame, tensor, text ..."),
    "attributes": Field(NAMES, "names of an object's own attributes with their types"),
    "length": Field(SCHEMA, "number of elements, characters or rows"),
    "keys": Field(SCHEMA, "keys of a dict"),
    "element_types": Field(SCHEMA, "types of the elements with counts"),
    "looked_at": Field(SCHEMA, "how many elements a scan looked at"),
}
PROBES = {"describe": describe}
