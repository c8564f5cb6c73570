"""How Keras keeps a model: read from instance dictionaries, past every property, method and tracked container.

Two families are known. Keras 3 (`keras/src/layers/layer.py`, `models/functional.py`, `ops/node.py` of 3.4) keeps
sub-layers in ``_layers``, variables in ``_trainable_variables`` and ``_non_trainable_variables``, calls in
``_inbound_nodes``. Keras 2 (`engine/base_layer.py`, `engine/functional.py`, `engine/node.py` of tf_keras 2.17) keeps
them in ``_self_tracked_trackables``, ``_trainable_weights`` and ``_non_trainable_weights``, ``_inbound_nodes_value``.
Nothing is built, called or summarized: what is not stored is not known.
"""

from __future__ import annotations

import types
from typing import Any

from .. import safe
from . import settings

MOST_DIMENSIONS = 20
"""Length of the longest shape."""

_FAMILIES = {
    "keras.src.layers.layer": 3,
    "tf_keras.src.engine.base_layer": 2,
    "keras.src.engine.base_layer": 2,
    "keras.engine.base_layer": 2,
    "tensorflow.python.keras.engine.base_layer": 2,
}


def family(value: object) -> int | None:
    """Return 3 for a layer or model of Keras 3, 2 for one of Keras 2, None for anything else."""
    for base in safe.mro(type(value)):
        # The names are looked at first, for that is quick; the class itself decides.
        if safe.class_name(base) == "Layer":
            module = safe.class_module(base)
            if module in _FAMILIES and safe.loaded(module, "Layer") is base:
                return _FAMILIES[module]
    return None


def is_model(value: object) -> bool:
    """Whether a layer is a model: its type inherits from Keras' `Model`."""
    return any(
        safe.inherits(type(value), safe.loaded(module, "Model"))
        for module in (
            *("keras.src.models.model", "tf_keras.src.engine.training", "keras.src.engine.training"),
            *("keras.engine.training", "tensorflow.python.keras.engine.training"),
        )
    )


def style(value: object) -> str:
    """Return how a model was made: ``sequential``, ``functional`` or ``subclassed``."""
    kind = type(value)
    modules = ("tf_keras.src.engine.{}", "keras.src.engine.{}", "keras.engine.{}", "tensorflow.python.keras.engine.{}")
    for name, cls, first in (
        ("sequential", "Sequential", "keras.src.models.sequential"),
        ("functional", "Functional", "keras.src.models.functional"),
    ):
        places = (first, *(each.format(name) for each in modules))
        if any(safe.inherits(kind, safe.loaded(place, cls)) for place in places):
            # A subclass with its own `call` does as it likes.
            own = safe.in_type(kind, "call")
            return name if _is_keras_function(own) else "subclassed"
    return "subclassed"


def _is_keras_function(function: object) -> bool:
    return any(safe.comes_from(function, each) for each in ("keras", "tf_keras", "tensorflow"))


def is_own(value: object) -> bool:
    """Whether a value is of one of Keras' own classes."""
    return any(safe.is_from(type(value), each) for each in ("keras", "tf_keras", "tensorflow"))


def is_exactly(value: object, module: str, name: str) -> bool:
    """As `safe.is_exactly`, quick to say no: this is asked of thousands of values."""
    return safe.class_name(type(value)) == name and safe.is_exactly(value, module, name)


def own(value: object) -> dict[str, Any]:
    """Return the instance dictionary, or an empty one."""
    return safe.instance_dict(value) or {}


def items(value: Any) -> list[Any]:
    """Return the elements of a list or tuple, tracked ones included; [] for anything else.

    TensorFlow's ListWrapper keeps them in ``_storage`` (`tensorflow/python/trackable/data_structures.py`), Keras'
    TrackedList in the list that it is (`keras/src/utils/tracking.py`).
    """
    kind = type(value)
    if safe.one_of(kind, (list, tuple)):
        return list(value)
    if is_exactly(value, "tensorflow.python.trackable.data_structures", "ListWrapper"):
        storage = own(value).get("_storage")
        return list(storage) if type(storage) is list else []
    if safe.inherits(kind, list):
        return list.copy(value)
    return []


def entries(value: Any) -> dict[str, Any]:
    """Return the entries with text keys of a dict, tracked ones included; {} for anything else."""
    if is_exactly(value, "tensorflow.python.trackable.data_structures", "_DictWrapper"):
        # A wrapt.ObjectProxy in C, whose ``__wrapped__`` reads a field.
        entry: Any = safe.in_type(type(value), "__wrapped__")
        value = entry.__get__(value) if type(entry) is types.GetSetDescriptorType else None
    if not safe.inherits(type(value), dict):
        return {}
    return {name: each for name, each in list(dict.items(value)) if type(name) is str}


def name(layer: object) -> str:
    """Return a layer's name, or ''."""
    table = own(layer)
    found = table.get("name", table.get("_name"))
    return safe.text(found, 80) if type(found) is str else ""


def children(layer: object) -> list[object]:
    """Return the layers inside a layer or model, in Keras' order, without those inside them.

    As the property `layers` of a model has them, but for the InputLayer that a Sequential of Keras 3 hides.
    """
    table = own(layer)
    waiting = [*items(table.get("_layers")), *items(table.get("_self_tracked_trackables"))][::-1]
    found: list[object] = []
    seen = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if family(each) is not None and not _is_metric(each):
            found.append(each)
            continue
        inner = items(each) or list(entries(each).values())
        waiting.extend(reversed(inner))
    return found


_METRICS = ("keras.src.metrics.metric", "tf_keras.src.metrics.base_metric", "keras.src.metrics.base_metric")


def _is_metric(value: object) -> bool:
    return any(
        safe.class_name(base) == "Metric" and safe.class_module(base) in _METRICS for base in safe.mro(type(value))
    )


def variables(layer: object) -> list[tuple[str, list[int | None] | None, bool]]:
    """Return a layer's own variables: name, shape, whether it may be trained."""
    table = own(layer)
    found: list[tuple[str, list[int | None] | None, bool]] = []
    for place, trains in (
        ("_trainable_variables", True),
        ("_trainable_weights", True),
        ("_non_trainable_variables", False),
        ("_non_trainable_weights", False),
    ):
        for each in items(table.get(place)):
            inside = own(each)
            label = inside.get("name", inside.get("_handle_name"))
            short = safe.text(label).rpartition("/")[2].partition(":")[0] if type(label) is str else ""
            found.append((short, shape(inside.get("_shape")), trains and inside.get("_trainable") is not False))
    return found


def shape(value: Any) -> list[int | None] | None:
    """Return a tuple of sizes or a TensorShape as a list; None for anything else. A size that varies is None."""
    if is_exactly(value, "tensorflow.python.framework.tensor_shape", "TensorShape"):
        value = safe.attribute(value, "_dims")
    if not safe.one_of(type(value), (tuple, list)) or len(value) > MOST_DIMENSIONS:
        return None
    sizes = list(value)
    return sizes if all(safe.one_of(type(each), (int, type(None))) for each in sizes) else None


def tensor_shape(value: object) -> list[int | None] | None:
    """Return the shape of a KerasTensor or of the specification of a tensor; None for anything else."""
    table = own(value)
    if "shape" in table:
        return shape(table["shape"])
    if "_type_spec" in table:
        value = table["_type_spec"]
    return spec_shape(value)


def spec_shape(spec: object) -> list[int | None] | None:
    """Return the shape of a TensorSpec; None for anything else."""
    if not is_tensor_spec(spec):
        return None
    return shape(safe.attribute(spec, "_shape"))


def is_tensor_spec(value: object) -> bool:
    """Whether `value` is exactly TensorFlow's TensorSpec."""
    return any(
        is_exactly(value, module, "TensorSpec")
        for module in ("tensorflow.python.framework.tensor", "tensorflow.python.framework.tensor_spec")
    )


def spec_dtype(spec: object) -> str | None:
    """Return the dtype of a TensorSpec as text."""
    return dtype_name(safe.attribute(spec, "_dtype")) if is_tensor_spec(spec) else None


def dtype_name(value: object) -> str | None:
    """Return the name of a dtype: a text as it is, TensorFlow's by identity, for its `name` is computed."""
    if type(value) is str:
        return safe.text(value, 40)
    dtypes = own(safe.loaded("tensorflow.python.framework.dtypes"))
    for label in _DTYPES:
        if dtypes.get(label) is value and value is not None:
            return label
    return None


_DTYPES = (
    *("float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "bool", "string", "complex64", "complex128", "resource", "variant"),
)


def call_shapes(layer: object) -> tuple[list[Any], list[Any]]:
    """Return the shapes of inputs and of outputs of the symbolic calls of a layer; [] where calls differ or none is.

    Returns:
        Two lists of shapes, one shape for each tensor.
    """
    table = own(layer)
    nodes = items(table.get("_inbound_nodes")) or items(table.get("_inbound_nodes_value"))
    found: list[list[Any]] = [[], []]
    for place, each in enumerate(nodes[:100]):
        inside = own(each)
        arguments = own(inside.get("arguments"))
        inputs = [tensor_shape(tensor) for tensor in items(arguments.get("keras_tensors", inside.get("_keras_inputs")))]
        given = inside.get("outputs")
        outputs = [tensor_shape(tensor) for tensor in (items(given) or [given])]
        for side, shapes in enumerate((inputs, outputs)):
            if place == 0:
                found[side] = shapes
            elif found[side] != shapes:
                found[side] = []
    return (found[0], found[1])


def model_shapes(model: object) -> tuple[list[Any], list[Any]]:
    """Return the shapes of a model's inputs and outputs; [] where they are not stored."""
    table = own(model)
    inner = table.get("_functional")
    inside = own(inner) if family(inner) == 3 else table
    inputs = [tensor_shape(each) for each in items(inside.get("_inputs", inside.get("inputs")))]
    outputs = [tensor_shape(each) for each in items(inside.get("_outputs", inside.get("outputs")))]
    if not inputs:
        built = shape(entries(table.get("_build_shapes_dict")).get("input_shape"))
        built = built if built is not None else shape(table.get("_build_input_shape"))
        inputs = [built] if built is not None else []
    return inputs, outputs


def input_spec(layer: object) -> dict[str, Any] | None:
    """Return what a layer demands of its input: ndim, min_ndim, max_ndim, shape, dtype, sizes of axes; None if nothing.

    Source: `InputSpec`, `keras/src/layers/input_spec.py` and `engine/input_spec.py`, the same in both families.
    """
    spec = own(layer).get("_input_spec")
    listed = items(spec)
    spec = listed[0] if len(listed) == 1 else spec
    if not safe.one_of(type(spec), tuple(_input_specs())):
        return None
    table = own(spec)
    found: dict[str, Any] = {
        label: table[label] for label in ("ndim", "min_ndim", "max_ndim") if type(table.get(label)) is int
    }
    sizes = shape(table.get("shape"))
    if sizes is not None:
        found["shape"] = sizes
    axes: Any = table.get("axes")
    if safe.inherits(type(axes), dict):
        plain = {str(axis): size for axis, size in list(dict.items(axes)) if type(axis) is int and type(size) is int}
        if plain:
            found["axes"] = plain
    dtype = dtype_name(table.get("dtype"))
    if dtype is not None:
        found["dtype"] = dtype
    return found or None


def _input_specs() -> list[Any]:
    modules = (
        *("keras.src.layers.input_spec", "tf_keras.src.engine.input_spec", "keras.src.engine.input_spec"),
        *("keras.engine.input_spec", "tensorflow.python.keras.engine.input_spec"),
    )
    return [each for each in (safe.loaded(module, "InputSpec") for module in modules) if each is not None]


def is_built(layer: object) -> bool | None:
    """Whether a layer's weights exist; None if it does not say."""
    found = own(layer).get("built")
    return found if type(found) is bool else None


def activation(layer: object) -> str | None:
    """Return the name of a layer's activation function, of the class if it is an object."""
    table = own(layer)
    if "activation" not in table:
        return None
    return called(table["activation"])


def called(function: object) -> str | None:
    """Return the bare name of a function, or the type of an object that stands for one; None for None."""
    if function is None:
        return None
    if type(function) is types.FunctionType:
        return safe.text(function.__name__, 80)
    inner = own(function).get("_func", own(function).get("__wrapped__"))
    if inner is not None and type(inner) is types.FunctionType:
        return safe.text(inner.__name__, 80)
    return safe.type_name(function)


# Settings that every layer has.
_OF_EVERY_LAYER = (
    *("built", "autocast", "supports_jit", "stateful", "trainable", "training", "compiled", "stop_training"),
    *("stop_evaluating", "stop_predicting", "steps_per_execution", "is_placeholder", "lora_enabled", "optional"),
    *("supports_masking", "dynamic", "run_eagerly"),
)


def sizes(layer: object) -> dict[str, Any]:
    """Return the numbers among a layer's settings: units, filters, kernel_size, rate, return_sequences ..."""
    table = {
        label: value
        for label, value in own(layer).items()
        if not label.startswith("_") and label not in _OF_EVERY_LAYER
    }
    return settings.numbers(table, items)


def learning_rate(optimizer: object) -> Any:
    """Return the learning rate if it is stored as a number, else the type of what holds it: reading that is work."""
    table = own(optimizer)
    rate = table.get("_learning_rate", table.get("learning_rate"))
    return None if rate is None else safe.number(rate)
