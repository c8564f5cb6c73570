"""What the walk knows of a Keras object: of the kernel's own, read from its dictionary, or of one that the cell makes.

Nothing of Keras is constructed: that would move its counters of names and the random numbers. A `Like` holds one of the
classes below as its stand-in, and `state.becomes` puts another in its place when the cell changes the object.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...probes import callables
from ...readers import blocks, keras_layers
from ..sites import CallSite
from ..values import UNKNOWN, Hole, Known, Like, Value, of_element

if TYPE_CHECKING:
    from ..state import State

ANY: Any = ...
"""A size that is not known to us; None is one that Keras leaves open."""

POLICY = "keras.policy"
"""In the state's `memo`: the cell may have set in which precision layers compute."""

NOTHING: frozenset[str] = frozenset()


class Tensor(NamedTuple):
    """A symbolic tensor of Keras, or the shape of an array.

    Attributes:
        shape: Sizes, None where Keras leaves one open, `ANY` where it is not known; None if nothing is known.
        dtype: Its name, or None.
        symbolic: Whether it is a KerasTensor.
        layer: For one that `Input` made, its layer.
        made_by: The layers that it comes from, if they are all known.
        fed: Those of them that were called on an input itself, each behind the layer of that input.
    """

    shape: tuple[Any, ...] | None
    dtype: str | None = None
    symbolic: bool = True
    layer: Value | None = None
    made_by: tuple[Value, ...] | None = None
    fed: tuple[tuple[Value, Value], ...] = ()


class Layer(NamedTuple):
    """A layer of Keras' own.

    Attributes:
        cls: Its exact class.
        kind: The class's name.
        config: Attributes of the instance, as far as they are known.
        name: Its name, or None.
        built: Shape it was built with, True if that is not known, False if it is not built.
        demands: The library's own `InputSpec` objects; None if they are not known.
        inner: The layers that it wraps.
    """

    cls: type
    kind: str
    config: dict[str, Any]
    name: str | None
    built: Any = False
    demands: tuple[Any, ...] | None = ()
    inner: tuple[Value, ...] = ()


class Model(NamedTuple):
    """A Sequential or Functional model of Keras' own.

    Attributes:
        cls: Its exact class.
        kind: `Sequential` or `Functional`.
        layers: Its layers, in order; of a Sequential without the InputLayer.
        inputs: What it takes: a `Tensor` or nested lists and dicts of them; None if it is not built.
        outputs: What it gives; None if that is not known.
        name: Its name, or None.
        complete: Whether `layers` are all of its layers.
    """

    cls: type
    kind: str
    layers: tuple[Value, ...]
    inputs: Any
    outputs: Any
    name: str | None
    complete: bool = True


class Thing(NamedTuple):
    """A loss, metric, optimizer, callback or initializer of Keras' own, that the cell makes; or what training gives.

    Attributes:
        kind: The class's name.
        config: Its arguments, as far as they are plain.
        cls: Its exact class.
    """

    kind: str
    config: dict[str, Any]
    cls: type


class Source(NamedTuple):
    """Where batches come from: an iterator over images, a dataset.

    Attributes:
        cls: Its class.
        elements: What it gives at a time: what goes into a model, and what is to come out of it; each a `Tensor`, or a
            dict of them.
    """

    cls: type
    elements: tuple[Any, ...]


class Space(NamedTuple):
    """A module of `tf.keras` that is not loaded yet.

    Attributes:
        path: The module of Keras' own that hands on the same.
    """

    path: str


def stand_in(spec: object) -> Like:
    """Return the value of an object that the cell makes."""
    return Like(spec, NOTHING)


def is_spec(value: object) -> bool:
    """Whether an object is one of the stand-ins of this module."""
    return safe.one_of(type(value), (Tensor, Layer, Model, Thing, Space, Source))


# -- classes and functions of Keras -----------------------------------------------------------------------------------

_RUN_BY_KERAS = ("__init__", "__call__", "call", "build", "compute_output_spec", "compute_output_shape", "__new__")
_RUN_BY_TRAINING = (
    *("fit", "evaluate", "predict", "compile", "train_step", "test_step", "predict_step", "compute_loss", "add"),
)


def is_keras_3() -> bool:
    """Whether the Keras that is loaded is Keras 3."""
    return base_class("Layer") is not None and base_class("Functional") is not None


def own_kind(cls: object) -> str:
    """Return the name of a class of Keras 3's own whose methods nobody replaced; '' for anything else."""
    if not safe.inherits(type(cls), type):
        return ""
    if not safe.class_module(cls).startswith("keras.src.") or not safe.is_from(cls, "keras"):  # type: ignore[arg-type]
        return ""
    is_model = safe.inherits(cls, base_class("Model"))  # type: ignore[arg-type]
    for name in (*_RUN_BY_KERAS, *_RUN_BY_TRAINING) if is_model else _RUN_BY_KERAS:
        entry = safe.in_type(cls, name)  # type: ignore[arg-type]
        function = entry.__func__ if type(entry) is staticmethod else entry
        if type(function) is types.FunctionType and not safe.comes_from(function, "keras"):
            return ""
    return safe.class_name(cls)  # type: ignore[arg-type]


def base_class(name: str) -> Any:
    """Return Keras 3's base class for layers, models, losses ...; None if it is not loaded."""
    return safe.loaded(_BASES[name], name)


_BASES = {
    "Layer": "keras.src.layers.layer",
    "Model": "keras.src.models.model",
    "Sequential": "keras.src.models.sequential",
    "Functional": "keras.src.models.functional",
    "Loss": "keras.src.losses.loss",
    "Metric": "keras.src.metrics.metric",
    "Callback": "keras.src.callbacks.callback",
    "BaseOptimizer": "keras.src.optimizers.base_optimizer",
    "InputLayer": "keras.src.layers.core.input_layer",
}


def backend() -> str:
    """Return the name of the backend: tensorflow, torch, jax, numpy; '' if that is not known."""
    found = safe.loaded("keras.src.backend.config", "_BACKEND")
    return found if type(found) is str else ""


def image_data_format() -> Any:
    """Return `channels_last` or `channels_first`, or None."""
    return safe.loaded("keras.src.backend.config", "_IMAGE_DATA_FORMAT")


def function_named(module: str, name: str) -> Any:
    """Return a function of Keras' own from one of its modules, or None if it is not there, or was replaced."""
    found = safe.loaded(module, name)
    return found if safe.comes_from(found, "keras") else None


def unwrapped(function: Any) -> Any:
    """Return the function behind Keras' wrappers that filter tracebacks."""
    for _ in range(3):
        inner = (safe.instance_dict(function) or {}).get("__wrapped__")
        if type(inner) is not types.FunctionType:
            break
        function = inner
    return function


class Bound(NamedTuple):
    """The arguments of a call, by parameter.

    Attributes:
        given: Those that stand in the call, and the defaults of the others.
        extra: Those that no parameter is named for, if the function takes such.
        error: Python's own message if they do not fit, else None.
        named: The parameters that the call gives.
    """

    given: dict[str, Value]
    extra: dict[str, Value]
    error: str | None
    named: tuple[str, ...] = ()


def bind(function: types.FunctionType, site: CallSite, skip: int = 1) -> Bound:
    """Bind the arguments of a call to a Python function whose first `skip` parameters are bound already."""
    code = function.__code__
    error = callables.binding_error(function, len(site.arguments) + skip, list(site.keywords))
    positional = code.co_varnames[: code.co_argcount]
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given: dict[str, Value] = {}
    defaults = function.__defaults__ or ()
    for name, default in zip(positional[len(positional) - len(defaults) :], defaults):
        given[name] = Known(default)
    for name, default in (function.__kwdefaults__ or {}).items():
        given[name] = Known(default)
    given.update(zip(positional[skip:], site.arguments))
    extra: dict[str, Value] = {}
    for name, value in site.keywords.items():
        (given if name in names else extra)[name] = value
    taken = [*positional[skip : skip + len(site.arguments)], *(name for name in site.keywords if name in names)]
    return Bound(given, extra, error, tuple(taken))


# -- objects of the kernel --------------------------------------------------------------------------------------------


def spec_of(value: Value | None, state: State) -> Any:
    """Return the `Tensor`, `Layer`, `Model` or `Thing` that a value is at this point; None if it is none of them."""
    found = state.form(value)
    if found is safe.ABSENT:
        return None
    if is_spec(found):
        return found
    if type(value) is not Known:
        return None
    return of_kernel(found)


def of_kernel(found: object) -> Any:
    """Return the spec of an object of the kernel's, or None."""
    if keras_layers.is_exactly(found, "keras.src.backend.common.keras_tensor", "KerasTensor"):
        return _kernel_tensor(found)
    kind = type(found)
    if keras_layers.family(found) != 3 or not own_kind(kind):
        return None
    if _is_patched(found):
        return None
    return _kernel_model(found) if keras_layers.is_model(found) else _kernel_layer(found)


# An instance holds its own `build`, which Keras itself puts there.
_PATCHED = ("call", "__call__", "fit", "predict", "evaluate", "train_step", "compute_loss", "compute_output_shape")


def _is_patched(found: object) -> bool:
    own = keras_layers.own(found)
    build = own.get("build")
    if build is not None and not safe.comes_from(build, "keras"):
        return True
    return any(name in own for name in _PATCHED)


def _field(found: object, name: str) -> Any:
    """Return what an instance holds under a name; on torch layers and models are kept apart. None if nothing."""
    own = keras_layers.own(found)
    return own[name] if name in own else keras_layers.entries(own.get("_modules")).get(name)


def _kernel_tensor(found: object) -> Tensor:
    own = keras_layers.own(found)
    shape = keras_layers.shape(own.get("shape", own.get("_shape")))
    history: Any = own.get("_keras_history")
    layer: Value | None = None
    if safe.inherits(type(history), tuple) and tuple.__len__(history) > 0:
        maker = tuple.__getitem__(history, 0)
        if type(maker) is base_class("InputLayer"):
            layer = Known(maker)
    dtype = own.get("dtype", own.get("_dtype"))
    return Tensor(None if shape is None else tuple(shape), dtype if type(dtype) is str else None, True, layer)


def _kernel_layer(found: object) -> Layer:
    own = keras_layers.own(found)
    config = {
        name: value
        for name, value in own.items()
        if (not name.startswith("_") or name in ("_input_shape_arg", "_output_shape"))
        and safe.is_plain(value, limit=50)
    }
    kind = safe.class_name(type(found))
    inner: list[Value] = []
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        config["units"] = keras_layers.own(_field(found, "cell")).get("units")
    for name in ("layer", "forward_layer"):
        if _field(found, name) is not None:
            inner = [Known(_field(found, name))]
    spec = own.get("_input_spec")
    demands = tuple(keras_layers.items(spec)) if keras_layers.items(spec) else (() if spec is None else (spec,))
    exact: Any = safe.loaded("keras.src.layers.input_spec", "InputSpec")
    label = own.get("name")
    shapes = keras_layers.entries(own.get("_build_shapes_dict"))
    built_with = keras_layers.shape(next(iter(shapes.values()), None))
    built: Any = keras_layers.is_built(found)
    if built and built_with is not None:
        built = tuple(built_with)
    return Layer(
        type(found),
        kind,
        config,
        label if type(label) is str else None,
        built,
        demands if all(type(each) is exact for each in demands) else None,
        tuple(inner),
    )


def _kernel_model(found: object) -> Model | None:
    kind = safe.class_name(type(found))
    if type(found) is not base_class(kind if kind in ("Sequential", "Functional") else "Sequential"):
        return None
    own = keras_layers.own(found)
    name = own.get("name")
    inner = _field(found, "_functional") if kind == "Sequential" else found
    inputs = outputs = None
    if inner is None and own.get("built") is not False:
        # It is built, but not for a single tensor.
        inputs = outputs = Tensor(None)
    elif inner is not None:
        inside = keras_layers.own(inner)
        struct = "_inputs_struct" if "_inputs_struct" in inside else "_inputs"
        inputs = _kernel_structure(inside.get(struct))
        outputs = _kernel_structure(inside.get("_outputs_struct" if struct == "_inputs_struct" else "_outputs"))
        if inputs is None:
            return None
    layers = [each for each in keras_layers.items(own.get("_layers")) if type(each) is not base_class("InputLayer")]
    return Model(
        type(found),
        kind,
        tuple(map(Known, layers)),
        inputs,
        outputs,
        name if type(name) is str else None,
    )


def _kernel_structure(found: Any) -> Any:
    """Return a structure of KerasTensors as one of `Tensor`; None if it is anything else."""
    if keras_layers.is_exactly(found, "keras.src.backend.common.keras_tensor", "KerasTensor"):
        tensor = _kernel_tensor(found)
        return None if tensor.shape is None else tensor
    listed = keras_layers.items(found)
    if listed:
        parts = [_kernel_structure(each) for each in listed]
        return None if any(each is None for each in parts) else parts
    named = keras_layers.entries(found)
    table = {key: _kernel_structure(each) for key, each in named.items()}
    return None if not table or any(each is None for each in table.values()) else table


# -- data ------------------------------------------------------------------------------------------------------------


def tensors_of(value: Value | None, state: State, depth: int = 3) -> Any:
    """Return the arrays and symbolic tensors in a value, nested as it is; None if they are not known."""
    found: Any = state.form(value, "shape")
    spec = spec_of(value, state)
    if type(spec) is Tensor:
        return spec
    if spec is not None or (found is safe.ABSENT and state.live(value) is safe.ABSENT):
        return None
    array = array_facts(found)
    if array is not None:
        return array
    live: Any = state.live(value)
    if depth and safe.one_of(type(live), (list, tuple)) and 0 < len(live) <= 50:
        parts = [tensors_of(of_element(each), state, depth - 1) for each in live]
        return None if any(each is None for each in parts) else parts
    if depth and type(live) is dict and 0 < len(live) <= 50 and safe.only_texts(live):
        table = {key: tensors_of(of_element(each), state, depth - 1) for key, each in live.items()}
        return None if any(each is None for each in table.values()) else table
    return None


def is_numeric(structure: Any) -> bool:
    """Whether arrays are certain to hold numbers alone."""
    return all(each.dtype is not None and each.dtype.startswith(_NUMBERS) for each in flat(structure))


_NUMBERS = ("int", "uint", "float", "bool")


def array_facts(found: Any) -> Tensor | None:
    """Return shape and dtype of an exact numpy array, torch tensor, tensor of TensorFlow, frame or series."""
    if safe.is_exactly(found, "numpy", "ndarray"):
        return Tensor(tuple(map(int, found.shape)), _dtype_name(found.dtype), False)
    if blocks.is_frame(found):
        columns, index = blocks.axes(found)
        kinds = blocks.dtypes(found, len(columns)) if len(columns) <= 5000 else ["?"]
        mixed = next((kind for kind in kinds if not kind.startswith(_NUMBERS)), "float64")
        return Tensor((len(index), len(columns)), mixed, False)
    if blocks.is_series(found):
        return Tensor((len(blocks.axes(found)[0]),), blocks.dtype(found), False)
    if safe.is_exactly(found, "torch", "Tensor"):
        return Tensor(tuple(map(int, found.shape)), "float32", False)
    return _eager_tensor(found)


def _dtype_name(dtype: Any) -> str | None:
    name = dtype.name if safe.inherits(type(dtype), safe.loaded("numpy", "dtype")) else None
    return name if type(name) is str else None


def _eager_tensor(found: Any) -> Tensor | None:
    """Return the shape of a tensor of TensorFlow that holds values; its C method reads it."""
    if not keras_layers.is_exactly(found, "tensorflow.python.framework.ops", "EagerTensor"):
        return None
    entry: Any = safe.in_type(type(found), "_shape_tuple")
    if not safe.one_of(type(entry), (safe.MethodDescriptorType,)):
        return None
    shape = keras_layers.shape(entry(found))
    return None if shape is None else Tensor(tuple(shape), None, False)


def flat(structure: Any) -> list[Tensor]:
    """Return the tensors of a structure, in order; those of a dict by its sorted keys, as Keras does."""
    if type(structure) is Tensor:
        return [structure]
    if type(structure) is list:
        return [each for part in structure for each in flat(part)]
    if type(structure) is dict:
        return [each for key in sorted(structure) for each in flat(structure[key])]
    return []


def as_value(structure: Any) -> Value:
    """Return a structure of tensors as the cell gets it."""
    if type(structure) is Tensor:
        return stand_in(structure)
    if type(structure) is list:
        return Known([Hole(as_value(each)) for each in structure])
    if type(structure) is dict:
        return Known({key: Hole(as_value(each)) for key, each in structure.items()})
    return UNKNOWN
