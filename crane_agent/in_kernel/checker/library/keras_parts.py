"""The parts of a Keras model: its layers, the tensors at its ends, whether they are trained.

Sources: `keras/src/models/model.py`, `functional.py` and `sequential.py`; `keras/src/ops/operation.py`,
`_get_node_attribute_at_index`; `keras/src/layers/layer.py`, `trainable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import SCHEMA
from ...readers import keras_layers
from ..sites import AttributeSite, CallSite, Finding
from ..values import UNKNOWN, Foreign, Known, Value, as_element
from ..words import Part, counted, named, words
from .keras_making import finding
from .keras_specs import Layer, Model, as_value, base_class, bind, flat, spec_of, unwrapped

if TYPE_CHECKING:
    from ..state import State

MOST_LAYERS = 3000


def _is_as_made(value: Value, state: State) -> bool:
    """Whether an object of the kernel's is as it was before the cell."""
    return type(value) is Known and state.live(value) is not safe.ABSENT


def layers_of(model: Value, state: State) -> list[Value] | None:
    """Return what ``model.layers`` gives, in order; None if that is not known."""
    spec = spec_of(model, state)
    if type(spec) is not Model or not spec.complete:
        return None
    if spec.kind == "Sequential":
        return list(spec.layers)
    if _is_as_made(model, state):
        parts = keras_layers.items(keras_layers.own(model.object).get("_operations"))  # type: ignore[attr-defined]
        found = [each for each in parts if safe.inherits(type(each), base_class("Layer"))]
        return [Known(each) for each in found] if 0 < len(found) <= MOST_LAYERS else None
    # One that the cell makes: in a chain the layers come in the order in which they were called.
    ends, given = flat(spec.inputs), flat(spec.outputs)
    if len(ends) != 1 or len(given) != 1 or given[0].made_by is None:
        return None
    chain = list(given[0].made_by)
    kinds = [spec_of(each, state) for each in chain]
    merges = any(type(each) is not Layer or each.kind in _SEVERAL for each in kinds)
    return None if merges or len({id(each) for each in chain}) != len(chain) else chain


_SEVERAL = frozenset(
    "Add Subtract Multiply Average Maximum Minimum Concatenate Dot MultiHeadAttention Attention".split()
)


def attribute(site: AttributeSite, spec: Any, state: State) -> Value | Finding | None:
    """Read ``layers``, ``input``, ``output`` and their like."""
    if type(spec) is Model and site.name == "layers":
        found = layers_of(site.owner, state)
        return None if found is None else Known([as_element(each) for each in found])
    if site.name in ("input", "output"):
        return _end(site, spec, state)
    if type(spec) is Model and site.name in ("inputs", "outputs"):
        side = spec.inputs if site.name == "inputs" else spec.outputs
        if not flat(side) or any(each.shape is None for each in flat(side)):
            return None
        state.may_raise(site.node, "the model may not have it")
        return Known([as_element(as_value(each)) for each in flat(side)])
    return None


def _end(site: AttributeSite, spec: Any, state: State) -> Value | Finding | None:
    if type(spec) is Model and spec.kind == "Functional":
        side = spec.inputs if site.name == "input" else spec.outputs
        return None if side is None or any(each.shape is None for each in flat(side)) else as_value(side)
    entry: Any = safe.in_type(spec.cls, site.name)
    getter: Any = entry.fget if type(entry) is property else None
    if not safe.comes_from(getter, "keras") or "_get_node_attribute_at_index" not in getter.__code__.co_names:
        return None
    if not _is_as_made(site.owner, state) or state.noted(site.owner, "called") is not safe.ABSENT:
        return _of_made(site, spec, state)
    calls = keras_layers.own(site.owner.object).get("_inbound_nodes")  # type: ignore[attr-defined]
    if not safe.inherits(type(calls), list):
        return None
    nodes = keras_layers.items(calls)
    if not nodes:
        return finding(
            "never-called",
            words(
                "The layer {} has never been called and thus has no defined {}.", counted(spec.name), named(site.name)
            ),
            words("the {} was not yet called on a symbolic tensor", named(spec.kind)),
            crash_type="model initialization error",
        )
    given = keras_layers.own(nodes[0]).get("outputs")
    if site.name == "output" and type(given) is list and len(given) == 1:
        return Known(given[0])
    return None


def _of_made(site: AttributeSite, spec: Any, state: State) -> Value | None:
    """Read an end of a model that the cell makes or changes: it has one if it was called on a symbolic tensor."""
    if type(spec) is not Model or spec.inputs is None or spec.outputs is None:
        return None
    state.may_raise(site.node, "the model may not have it")
    return as_value(spec.inputs if site.name == "input" else spec.outputs)


def get_layer(site: CallSite, model: Value, spec: Model, state: State) -> Value | Finding:
    """Follow ``model.get_layer(name)`` or ``model.get_layer(index=i)``."""
    function: Any = unwrapped(safe.in_type(spec.cls, "get_layer"))
    found = layers_of(model, state)
    bound = bind(function, site) if site.complete and safe.comes_from(function, "keras") else None
    if bound is None or bound.error is not None or found is None or len(bound.named) != 1:
        state.may_raise(site.node, "there may be no such layer")
        return UNKNOWN
    label, place = state.plain(bound.given.get("name")), state.plain(bound.given.get("index"))
    specs = [spec_of(each, state) for each in found]
    if type(place) is int and label is None:
        if place < len(found):
            return found[place] if place >= -len(found) else UNKNOWN
        return finding(
            "no-such-layer",
            words(
                "Was asked to retrieve layer at index {} but model only has {} layers.",
                Part(place, state.level(bound.given["index"])),
                counted(len(found)),
            ),
            words("the model has {} layers", counted(len(found))),
            crash_type="invalid argument",
        )
    names = [_name_of(each, one) for each, one in zip(found, specs)]
    if type(label) is str and label in names and None not in names[: names.index(label)]:
        return found[names.index(label)]
    if type(label) is not str or None in names or not _is_as_made(model, state):
        state.may_raise(site.node, "there may be no such layer")
        return UNKNOWN
    level = state.level(bound.given["name"])
    answer = finding(
        "no-such-layer",
        words("No such layer: {}. Existing layers are: {}.", Part(label, level), Part(names, SCHEMA)),
        words("the model has {} layers, none of that name", counted(len(found))),
        crash_type="invalid argument",
    )
    return answer._replace(close=tuple(close_to(label, [each for each in names if each])), asked=level)


def _name_of(value: Value, spec: Any) -> str | None:
    if type(spec) in (Layer, Model):
        return spec.name if type(spec.name) is str else None
    return keras_layers.name(value.object) or None if type(value) is Known else None


def store_attribute(site: AttributeSite, value: Value, state: State) -> Value | None:
    """Follow ``layer.trainable = False``: that changes no shape."""
    if site.name != "trainable" or type(state.plain(value)) is not bool:
        return None
    # One of many layers, in a loop.
    owners = site.owner.holds if type(site.owner) is Foreign else [site.owner]
    specs = [spec_of(each, state) for each in owners]
    for spec in specs:
        entry: Any = safe.in_type(spec.cls, site.name) if type(spec) in (Layer, Model) else None
        if type(entry) is not property or not safe.comes_from(entry.fset, "keras"):
            return None
    if len(specs) != 1 or type(specs[0]) is not Layer or specs[0].inner:
        state.may_raise(site.node, "a layer may not take it")
    return value if specs else None
