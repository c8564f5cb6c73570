"""Keras 3, by itself and as `tf.keras`: layers, models, training.

What is followed: constructing layers and models, calling them symbolically and on arrays, `Sequential.add`, compile,
fit, evaluate, predict. Everything else of Keras is open. Keras 2 is left alone.
"""

from __future__ import annotations

import ast
import os
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...readers import keras_layers
from ..sites import AttributeSite, CallSite, Finding, ValueSite
from ..values import UNKNOWN, Known, Made, Method, Value
from ..words import named, words
from . import keras_data as data
from . import keras_making as making
from . import keras_parts as parts
from . import keras_sources as sources
from . import keras_text as text
from . import keras_training as training
from .keras_specs import ANY, Layer, Model, Source, Space, Tensor, Thing, is_keras_3, own_kind, spec_of, stand_in

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "keras"
Answer = Any
"""`Value | Finding | None`."""

_TRAINING = ("compile", "fit", "evaluate", "predict")
# Methods of a model or layer that leave everything else as it is.
_LOOKING = (
    *("summary", "get_weights", "get_config", "to_json", "count_params", "save", "save_weights", "export", "get_layer"),
    *("get_metrics_result", "reset_metrics", "reset_states", "set_weights", "load_weights"),
)
_FOLLOWED = (*_TRAINING, "add", *_LOOKING)
# Methods of models that Keras 3 no longer has. Source: the migration guide, "Migrating Keras 2 code to Keras 3", and
# the release notes of TensorFlow 2.6.
_REMOVED = {
    "predict_classes": "predict",
    "predict_proba": "predict",
    "fit_generator": "fit",
    "evaluate_generator": "evaluate",
    "predict_generator": "predict",
}


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a model, a layer, a symbolic tensor or a history."""
    if not is_keras_3():
        return None
    loader = _of_lazy_module(site, state)
    if loader is not None:
        return loader
    spec = spec_of(site.owner, state)
    if spec is None or type(spec) in (Space, Source):
        return None
    if type(spec) is Tensor:
        return _of_tensor(site, spec)
    if type(spec) is Thing:
        return _of_thing(site, spec)
    own = keras_layers.own(site.owner.object) if type(site.owner) is Known else {}
    if site.name in own:
        return None
    entry = safe.in_type(spec.cls, site.name)
    if site.name in _FOLLOWED and safe.comes_from(entry, "keras"):
        return Method(site.owner, site.name)
    if type(spec) in (Layer, Model):
        part = parts.attribute(site, spec, state)
        if part is not None:
            return part
    if type(spec) is Model:
        return _of_model(site, spec, entry, state)
    return None


def _of_lazy_module(site: AttributeSite, state: State) -> Value | None:
    """Read ``tf.keras.layers``: `tf.keras` hands on what Keras' module holds, and loads that when it is first read.

    Source: TensorFlow, `tensorflow/python/util/lazy_loader.py`, KerasLazyLoader.
    """
    module = state.live(site.owner)
    spec = spec_of(site.owner, state)
    if type(spec) is Space:
        return _of_space(spec.path, site.name)
    if not keras_layers.is_exactly(module, "tensorflow.python.util.lazy_loader", "KerasLazyLoader"):
        return None
    own = safe.instance_dict(module) or {}
    version, inside = own.get("_tfll_keras_version"), own.get("_tfll_submodule")
    legacy = os.environ.get("TF_USE_LEGACY_KERAS") in ("true", "True", "1")
    if version not in (None, "keras_3") or (version is None and legacy) or site.name.startswith("_"):
        return None
    if site.name in own:
        return Known(own[site.name])
    path = "" if inside is None else ".{}".format(inside)
    loaded = safe.instance_dict(safe.loaded("keras._tf_keras.keras" + path))
    if loaded is None:
        return _of_space("keras" + path, site.name)
    return Known(loaded[site.name]) if site.name in loaded else None


def _of_space(path: str, name: str) -> Value | None:
    """Read what a module that is not loaded yet hands on: Keras' own classes and functions are the same in it."""
    found: Any = (safe.instance_dict(safe.loaded(path)) or {}).get(name)
    if type(found) is types.ModuleType:
        home = (safe.instance_dict(found) or {}).get("__name__")
        return stand_in(Space(home)) if type(home) is str and home.startswith("keras.") else None
    return Known(found) if safe.inherits(type(found), type) or type(found) is types.FunctionType else None


def _of_tensor(site: AttributeSite, spec: Tensor) -> Value | None:
    if spec.shape is None or ANY in spec.shape or not spec.symbolic:
        return None
    if site.name == "shape":
        return Known(spec.shape)
    return Known(len(spec.shape)) if site.name == "ndim" else None


def _of_thing(site: AttributeSite, spec: Thing) -> Value | None:
    if spec.kind == "History" and site.name == "history" and "history" in spec.config:
        return Known(spec.config["history"])
    return None


def _has_no_other_attributes(cls: type) -> bool:
    """Whether what is not in a class and its instance is not there; torch's modules look among their parts, too."""
    getter: Any = safe.in_type(cls, "__getattr__")
    module: Any = safe.loaded("torch.nn.modules.module", "Module")
    return getter is safe.ABSENT or (module is not None and getter is safe.in_type(module, "__getattr__"))


def _of_model(site: AttributeSite, spec: Model, entry: object, state: State) -> Value | Finding | None:
    name = site.name
    if name in _REMOVED and entry is safe.ABSENT and _has_no_other_attributes(spec.cls):
        return Finding(
            rule="keras.removed",
            type="AttributeError",
            message=words("{!r} object has no attribute {!r}", named(spec.kind), named(name)),
            because=words("Keras 3 has no {}", named(name)),
            crash_type="attribute error",
            library="keras",
            close=(_REMOVED[name],),
            asked="names",
        )
    if name == "history":
        found: Any = state.noted(site.owner, ".history")
        return found if isinstance(found, Value) else None
    if type(site.owner) is Known and state.live(site.owner) is not safe.ABSENT:
        return None
    if name in ("input_shape", "output_shape"):
        side = spec.inputs if name == "input_shape" else spec.outputs
        if type(side) is Tensor and side.shape is not None and ANY not in side.shape:
            return Known(side.shape)
        return None
    return None


def call(site: CallSite, state: State) -> Answer:
    """Follow a call of something of Keras' own."""
    if not is_keras_3():
        return None
    if type(site.callee) is Method:
        return _method(site, site.callee, state)
    callee: Any = state.live(site.callee)
    spec = spec_of(site.callee, state)
    if type(spec) in (Layer, Model):
        if not site.complete or not site.arguments:
            state.may_raise(site.node, "the layer may not take what it is given")
            return UNKNOWN
        return making.call_layer(site, site.callee, site.arguments[0], state)
    if callee is safe.ABSENT:
        return None
    if type(callee) is types.FunctionType and safe.comes_from(callee, "keras"):
        return making.call_of_function(site, callee, state) or data.call_of_function(site, callee, state)
    if safe.inherits(type(callee), type) and own_kind(callee):
        return making.make(site, callee, state)
    return None


def _method(site: CallSite, method: Method, state: State) -> Answer:
    spec = spec_of(method.owner, state)
    if type(spec) not in (Layer, Model):
        return None
    if method.name in _TRAINING and type(spec) is Model:
        return training.follow(site, method.owner, method.name, state)
    if method.name == "add" and type(spec) is Model:
        return making.add(site, method.owner, state)
    if method.name == "get_layer" and type(spec) is Model:
        return parts.get_layer(site, method.owner, spec, state)
    if method.name in _LOOKING:
        state.may_raise(site.node, "{} may raise".format(method.name))
        return UNKNOWN
    return None


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Unpack what `evaluate` gives for a model without metrics: a number."""
    value = site.value
    if type(value) is not Made or value.kind != "number" or not value.facts.get("scalar"):
        return None
    if not isinstance(site.node, (ast.Tuple, ast.List)):
        return None
    return Finding(
        rule="keras.scalar",
        type="TypeError",
        message=words("cannot unpack non-iterable {} object", named("float")),
        because=words("without metrics evaluate gives the loss alone"),
        crash_type="type error",
        library="python",
    )


HANDLERS = {
    "attribute": [attribute, sources.attribute, text.attribute],
    "call": [call, sources.call, text.call],
    "iterate": [iterate],
    "store_attribute": [parts.store_attribute],
}
