"""Shapes through Keras layers: what a layer demands of its input, and what it gives.

The library is asked: its own check of an `InputSpec`, and `compute_output_shape` of the layer's own class, on a bare
instance that was never initialized and has the few attributes that the method reads. Neither draws a random number nor
counts a name. What comes out of a layer that is not in the tables below is not known.

To add a layer, name in `_READS` the attributes that its `compute_output_shape` reads, and its ranks in `_NDIM`.

Sources: the Keras reference of each layer; `keras/src/layers/input_spec.py`, assert_input_compatibility;
`keras/src/models/functional.py`, `input_spec` and `_adjust_input_rank`; `keras/src/models/sequential.py`, `build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import SCHEMA, VALUES
from ..sites import Finding
from ..values import Like, Value
from ..words import HIDDEN, Part, counted, words
from . import keras_sure, running
from .keras_specs import (
    ANY,
    NOTHING,
    Layer,
    Model,
    Tensor,
    backend,
    base_class,
    flat,
    function_named,
    image_data_format,
    spec_of,
)

if TYPE_CHECKING:
    from ..state import State


class Crash(Exception):
    """The layer is certain to raise.

    Attributes:
        finding: What it raises.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.type)
        self.finding = finding


UNKNOWN_TENSOR = Tensor(None)

# -- what a layer demands ---------------------------------------------------------------------------------------------

# By the class's name: how many dimensions the layer's own `__init__` demands.
_NDIM = {
    "Flatten": ("min_ndim", 1),
    "Dense": ("min_ndim", 2),
    "RepeatVector": ("ndim", 2),
    "UpSampling1D": ("ndim", 3),
    "UpSampling2D": ("ndim", 4),
    "UpSampling3D": ("ndim", 5),
    "ZeroPadding1D": ("ndim", 3),
    "ZeroPadding2D": ("ndim", 4),
    "ZeroPadding3D": ("ndim", 5),
    "Cropping1D": ("ndim", 3),
    "Cropping2D": ("ndim", 4),
    "Cropping3D": ("ndim", 5),
    "SpatialDropout1D": ("ndim", 3),
    "SpatialDropout2D": ("ndim", 4),
    "SpatialDropout3D": ("ndim", 5),
    "LSTM": ("ndim", 3),
    "GRU": ("ndim", 3),
    "SimpleRNN": ("ndim", 3),
    "Bidirectional": ("ndim", 3),
    **{
        "{}{}D".format(kind, rank): ("ndim", rank + 2)
        for rank in (1, 2, 3)
        for kind in ("MaxPooling", "AveragePooling")
    },
    **{
        "Global{}Pooling{}D".format(kind, rank): ("ndim", rank + 2) for rank in (1, 2, 3) for kind in ("Max", "Average")
    },
    **{"Conv{}D".format(rank): ("min_ndim", rank + 2) for rank in (1, 2, 3)},
    **{"Conv{}DTranspose".format(rank): ("min_ndim", rank + 2) for rank in (1, 2, 3)},
    **{
        "{}Conv{}D".format(kind, rank): ("min_ndim", rank + 2) for rank in (1, 2) for kind in ("Depthwise", "Separable")
    },
}
# Once it is built, the size of this axis is demanded, too.
_BY_CHANNEL = frozenset(name for name in _NDIM if "Conv" in name)


def channel_axis(layer: Layer) -> int | None:
    """Return the axis of the channels, or None if that is not known."""
    data_format = layer.config.get("data_format")
    if data_format is None and "data_format" in layer.config:
        data_format = image_data_format()
    return {"channels_last": -1, "channels_first": 1}.get(data_format)  # type: ignore[arg-type]


def demands(layer: Layer) -> tuple[Any, ...] | None:
    """Return the `InputSpec` objects of a layer that the cell makes, as its class makes them; None if not known."""
    make: Any = safe.loaded("keras.src.layers.input_spec", "InputSpec")
    if layer.kind == "Permute":
        dims = layer.config.get("dims")
        return (make(ndim=len(dims) + 1),) if type(dims) is tuple else None
    if layer.kind == "Bidirectional" and not layer.config.get("recurrent"):
        return None
    axes: dict[int, Any] = {}
    shape = layer.built
    if layer.kind == "BatchNormalization":
        axis = layer.config.get("axis")
        if shape is False:
            return ()
        if type(shape) is not tuple or type(axis) is not int or not -len(shape) <= axis < len(shape):
            return None
        return (make(ndim=len(shape), axes={axis: _size(shape[axis])}),)
    if layer.kind not in _NDIM:
        return ()
    if layer.kind in _BY_CHANNEL or layer.kind == "Dense":
        if shape is True or shape is None:
            return None
        axis = -1 if layer.kind == "Dense" else channel_axis(layer)
        if type(shape) is tuple and axis is not None:
            axes = {axis: _size(shape[axis])}
    name, count = _NDIM[layer.kind]
    return (make(**{name: count, "axes": axes}),)


def _size(size: Any) -> int | None:
    return size if type(size) is int else None


class _Shaped:
    """Stands for a tensor: it has what Keras' check of a spec reads."""

    def __init__(self, tensor: Tensor) -> None:
        self.shape = settled(tensor.shape or ())
        self.dtype = tensor.dtype or "float32"
        self.name = None

    def __repr__(self) -> str:
        return HIDDEN


def settled(shape: tuple[Any, ...]) -> tuple[int | None, ...]:
    """Return a shape with None for what is not known: that passes every check."""
    return tuple(None if size is ANY else size for size in shape)


def loosened(found: Any, like: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a shape that was computed from one with unknown sizes: what is open in it may be one of those."""
    unknown = ANY in like
    return tuple(ANY if size is None and unknown else size for size in found)


def ask_library(compute: Callable[[], object], level: str = SCHEMA, crash_type: str = "tensor shape mismatch") -> Any:
    """Return what a function of Keras' own gives; None if that says nothing.

    Raises:
        Crash: It raises ValueError; other exceptions may come from what stands in for the layer.
    """
    answer = running.structure(compute, "keras", (ValueError,), crash_type)
    if isinstance(answer, Finding):
        raise Crash(answer)
    return None if answer is None else answer.object  # type: ignore[attr-defined]


def check_demands(specs: tuple[Any, ...], tensors: list[Tensor], name: str | None) -> None:
    """Check tensors against `InputSpec` objects, as Keras does before it builds and calls a layer.

    Raises:
        Crash: They do not fit.
    """
    check = function_named("keras.src.layers.input_spec", "assert_input_compatibility")
    if check is None or not specs or any(tensor.shape is None for tensor in tensors):
        return
    given = [_Shaped(tensor) for tensor in tensors]
    shown = name if name is not None else HIDDEN
    try:
        ask_library(lambda: check(list(specs), given if len(given) != 1 else given[0], shown))
    except Crash as crash:
        evidence = words(
            "the layer is given {}", counted(", ".join(str(settled(tensor.shape or ())) for tensor in tensors))
        )
        raise Crash(crash.finding._replace(because=evidence, rule="keras.input")) from None


# -- what a layer gives -----------------------------------------------------------------------------------------------

_SAME_SHAPE = frozenset(
    [
        *("Dropout", "Activation", "BatchNormalization", "LayerNormalization", "SpatialDropout1D", "SpatialDropout2D"),
        *("SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "LeakyReLU", "PReLU", "ELU", "ReLU"),
        *("Softmax", "ActivityRegularization", "Masking", "Rescaling", "Identity", "UnitNormalization"),
        *("GroupNormalization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness"),
        *("RandomTranslation", "SpectralNormalization", "ThresholdedReLU", "RMSNormalization"),
    ]
)
# What `compute_output_shape` of the class reads of its instance.
_READS: dict[str, tuple[str, ...]] = {
    "Dense": ("units",),
    "Flatten": ("data_format",),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "RepeatVector": ("n",),
    "Embedding": ("output_dim",),
    "UpSampling1D": ("size",),
    "Cropping1D": ("cropping",),
    "ZeroPadding1D": ("padding", "data_format"),
    **{"UpSampling{}D".format(rank): ("size", "data_format") for rank in (2, 3)},
    **{"Cropping{}D".format(rank): ("cropping", "data_format") for rank in (2, 3)},
    **{"ZeroPadding{}D".format(rank): ("padding", "data_format") for rank in (2, 3)},
    **{
        "{}Pooling{}D".format(kind, rank): ("pool_size", "strides", "padding", "data_format")
        for rank in (1, 2, 3)
        for kind in ("Max", "Average")
    },
    **{
        "Global{}Pooling{}D".format(kind, rank): ("data_format", "keepdims")
        for rank in (1, 2, 3)
        for kind in ("Max", "Average")
    },
    **{
        "Conv{}D".format(rank): ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        for rank in (1, 2, 3)
    },
    **{
        "SeparableConv{}D".format(rank): (
            *("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate"),
        )
        for rank in (1, 2)
    },
    **{
        "DepthwiseConv{}D".format(rank): (
            *("depth_multiplier", "kernel_size", "strides", "padding", "data_format", "dilation_rate"),
        )
        for rank in (1, 2)
    },
    **{
        "Conv{}DTranspose".format(rank): (
            *("filters", "kernel_size", "strides", "padding", "output_padding", "data_format", "dilation_rate"),
        )
        for rank in (1, 2, 3)
    },
}
_MERGING = frozenset(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"])
_STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}
# Sizes that, if they are not known, leave only one size of the output unknown.
_LAST_SIZE = {"Dense": "units", "Embedding": "output_dim"}


def bare(layer: Layer, names: tuple[str, ...]) -> Any:
    """Return an instance of a layer's class that was never initialized, with these attributes; None if not known."""
    if any(name not in layer.config for name in names):
        return None
    found: Any = object.__new__(layer.cls)
    found.__dict__.update({name: layer.config[name] for name in names})
    return found


def output_of(layer: Layer, shape: tuple[Any, ...]) -> Any:
    """Return the `Tensor`, or the list of them, that a layer of Keras' own gives for one input.

    Raises:
        Crash: The layer's own computation of its output shape raises, as it does when it is called symbolically.
    """
    if layer.kind in _SAME_SHAPE:
        return Tensor(shape)
    if layer.kind in _STATES:
        return _recurrent(layer, shape)
    if layer.kind == "Bidirectional":
        return UNKNOWN_TENSOR
    last = _LAST_SIZE.get(layer.kind)
    if last is not None and last not in layer.config:
        return Tensor((*shape[:-1], ANY) if layer.kind == "Dense" else (*shape, ANY))
    if layer.kind not in _READS or not _is_library_size(layer):
        return UNKNOWN_TENSOR
    names = tuple(name for name in _READS[layer.kind] if name in layer.config or name not in _OPTIONAL)
    stands_in = bare(layer, names)
    if stands_in is None:
        return UNKNOWN_TENSOR
    compute: Any = safe.in_type(layer.cls, "compute_output_shape")
    found = ask_library(lambda: compute(stands_in, settled(shape)))
    if not safe.one_of(type(found), (tuple, list)):
        return UNKNOWN_TENSOR
    sizes = [int(size) if size is not None else None for size in found]
    return Tensor(loosened(sizes, shape))


# Attributes that not every version has.
_OPTIONAL = ("data_format",)


def _is_library_size(layer: Layer) -> bool:
    """Whether a layer's size along its last axis is a number that the library computes with."""
    return all(
        type(layer.config[name]) is int for name in ("units", "filters", "output_dim", "n") if name in layer.config
    )


def _recurrent(layer: Layer, shape: tuple[Any, ...]) -> Any:
    """Source: `RNN.compute_output_shape`, `keras/src/layers/rnn/rnn.py`."""
    sequences, states = layer.config.get("return_sequences"), layer.config.get("return_state")
    units = layer.config.get("units", ANY)
    if type(sequences) is not bool or type(states) is not bool or len(shape) != 3:
        return UNKNOWN_TENSOR
    units = units if type(units) is int else ANY
    output = Tensor((shape[0], shape[1], units) if sequences else (shape[0], units))
    if not states:
        return output
    return [output, *(Tensor((shape[0], units)) for _ in range(_STATES[layer.kind]))]


def _bidirectional(layer: Layer, shape: tuple[Any, ...], state: State) -> Any:
    """Source: `Bidirectional.compute_output_shape`, `keras/src/layers/rnn/bidirectional.py`."""
    inner = spec_of(layer.inner[0], state) if layer.inner else None
    mode = layer.config.get("merge_mode", ANY)
    if type(inner) is not Layer or inner.kind not in _STATES or inner.config.get("return_state") is not False:
        return UNKNOWN_TENSOR
    output = _recurrent(inner, shape)
    if output.shape is None or mode is ANY:
        return UNKNOWN_TENSOR
    if mode is None:
        return [output, output]
    if mode == "concat":
        size = output.shape[-1]
        return Tensor((*output.shape[:-1], size * 2 if type(size) is int else size))
    return output


def _time_distributed(layer: Layer, shape: tuple[Any, ...], state: State) -> Any:
    """Source: `TimeDistributed`, `keras/src/layers/rnn/time_distributed.py`: `_get_child_input_shape` is its check."""
    child: Any = safe.in_type(layer.cls, "_get_child_input_shape")
    if not safe.comes_from(child, "keras"):
        return UNKNOWN_TENSOR
    ask_library(lambda: child(object.__new__(layer.cls), settled(shape)))
    inner = spec_of(layer.inner[0], state) if layer.inner else None
    if type(inner) is not Layer:
        return UNKNOWN_TENSOR
    try:
        found = output_of(inner, (shape[0], *shape[2:]))
    except Crash:
        return UNKNOWN_TENSOR
    if type(found) is not Tensor or found.shape is None:
        return UNKNOWN_TENSOR
    return Tensor((found.shape[0], shape[1], *found.shape[1:]))


def _merged(layer: Layer, inputs: Any) -> Any:
    """Follow a layer that merges several tensors: its `build` is the check. Source: `keras/src/layers/merging/`."""
    tensors = flat(inputs)
    if any(each.shape is None for each in tensors):
        return UNKNOWN_TENSOR
    if layer.kind in ("Concatenate", "Dot") and "axis" not in layer.config and "axes" not in layer.config:
        return UNKNOWN_TENSOR
    shapes: Any = [settled(each.shape or ()) for each in tensors]
    if type(inputs) is Tensor:
        shapes = shapes[0]
    names = {"Concatenate": ("axis",), "Dot": ("axes",)}.get(layer.kind, ())
    for method in ("build", "compute_output_shape"):
        stands_in = bare(layer, names)
        compute: Any = safe.in_type(layer.cls, method)
        if stands_in is None or not safe.comes_from(compute, "keras"):
            return UNKNOWN_TENSOR
        found = ask_library(lambda: compute(stands_in, shapes))  # noqa: B023 - called at once
    if not safe.one_of(type(found), (tuple, list)):
        return UNKNOWN_TENSOR
    unknown = (ANY,) if any(ANY in (each.shape or ()) for each in tensors) else ()
    return Tensor(loosened(found, unknown))


# -- the flow ---------------------------------------------------------------------------------------------------------


def flow(value: Value, inputs: Any, state: State, depth: int = 5, unsure: list[str] | None = None) -> Any:
    """Return what a layer or model gives for inputs; it is built from here on.

    Args:
        value: The layer.
        inputs: `Tensor`, or lists and dicts of them; None if they are not known.
        state: The walk's state.
        depth: How deep models may lie in models.
        unsure: Gets the names of what may raise.

    Raises:
        Crash: It is certain to raise.
    """
    unsure = [] if unsure is None else unsure
    spec = spec_of(value, state)
    tensors = flat(inputs)
    known = inputs is not None and all(each.shape is not None for each in tensors)
    if type(spec) is Model and depth:
        if inputs is None or any(each.symbolic for each in tensors):
            state.note(value, "called", True)
        return _through_model(value, spec, inputs if known else None, state, depth, unsure)
    if type(spec) is not Layer:
        unsure.append("a layer")
        return None
    if not known:
        unsure.append(spec.kind)
        if spec.built is False:
            mark_built(value, spec, True, state)
        return UNKNOWN_TENSOR
    specs = spec.demands
    if specs is not None:
        check_demands(specs, tensors, spec.name)
    symbolic = all(each.symbolic for each in tensors)
    if symbolic:
        state.note(value, "called", True)
    found = _through_layer(spec, inputs, tensors, symbolic, state)
    if not keras_sure.call(spec, tensors, found):
        unsure.append(spec.kind)
    if spec.built is False:
        mark_built(value, spec, tensors[0].shape if len(tensors) == 1 else True, state)
    return _as_symbolic(found, symbolic)


def _through_layer(spec: Layer, inputs: Any, tensors: list[Tensor], symbolic: bool, state: State) -> Any:
    # When arrays go through, what does not fit is found by the backend, in its own words.
    try:
        if spec.kind in _MERGING:
            return _merged(spec, inputs)
        if type(inputs) is not Tensor:
            return UNKNOWN_TENSOR
        shape = tensors[0].shape or ()
        if spec.kind == "Bidirectional":
            return _bidirectional(spec, shape, state)
        if spec.kind == "TimeDistributed":
            return _time_distributed(spec, shape, state)
        return output_of(spec, shape)
    except Crash:
        if symbolic and (spec.built is False or spec.kind not in _MERGING):
            raise
        return UNKNOWN_TENSOR


def _as_symbolic(found: Any, symbolic: bool) -> Any:
    if type(found) is list:
        return [_as_symbolic(each, symbolic) for each in found]
    return found._replace(symbolic=symbolic) if type(found) is Tensor else found


def mark_built(value: Value, spec: Layer, shape: Any, state: State) -> None:
    """Note that a layer was built."""
    built = spec._replace(built=shape)
    state.becomes(value, Like(built._replace(demands=demands(built)), NOTHING))


def _through_model(value: Value, spec: Model, inputs: Any, state: State, depth: int, unsure: list[str]) -> Any:
    if spec.kind == "Functional":
        unsure.append(spec.kind)
        return _through_functional(spec, inputs, state)
    if spec.inputs is None:
        if type(inputs) is not Tensor:
            unsure.append(spec.kind)
            forget_layers(value, spec, state)
            return UNKNOWN_TENSOR
        # Building is symbolic even when arrays go through.
        now = built_sequential(spec, inputs._replace(symbolic=True, layer=None), state, depth, unsure)
        state.becomes(value, Like(now, NOTHING))
        return _as_symbolic(now.outputs, inputs.symbolic)
    if type(inputs) is not Tensor:
        unsure.append(spec.kind)
        return _as_symbolic(spec.outputs, False) if inputs is None else UNKNOWN_TENSOR
    found: Any = adjusted(inputs, spec.inputs)
    for layer in spec.layers:
        found = flow(layer, found, state, depth - 1, unsure)
        if found is None:
            return UNKNOWN_TENSOR
    return found


def forget_layers(value: Value, spec: Model, state: State) -> None:
    """A model was built with something unknown: so were its layers."""
    for layer in spec.layers:
        inner = spec_of(layer, state)
        if type(inner) is Layer and inner.built is False:
            mark_built(layer, inner, True, state)
    state.becomes(value, Like(spec._replace(inputs=UNKNOWN_TENSOR, outputs=UNKNOWN_TENSOR), NOTHING))


def built_sequential(
    spec: Model, first: Tensor, state: State, depth: int = 5, unsure: list[str] | None = None
) -> Model:
    """Return a Sequential model that is built for an input, its layers marked as built.

    Raises:
        Crash: A layer does not take what the one before gives.
    """
    found: Any = first
    for layer in spec.layers:
        found = flow(layer, found, state, depth - 1, unsure)
        if found is None:
            found = UNKNOWN_TENSOR
    shape = None if first.shape is None else (None, *first.shape[1:])
    return spec._replace(inputs=first._replace(shape=shape), outputs=_opened(found))


def _opened(found: Any) -> Any:
    """Return outputs with the number of samples left open."""
    if type(found) is list:
        return [_opened(each) for each in found]
    if type(found) is Tensor and found.shape:
        return found._replace(shape=(None, *found.shape[1:]))
    return found


def _through_functional(spec: Model, inputs: Any, state: State) -> Any:
    wanted, given = flat(spec.inputs), flat(inputs)
    if (
        inputs is None
        or type(inputs) is dict
        or type(spec.inputs) is dict
        or any(each.shape is None for each in wanted)
    ):
        return _as_symbolic(spec.outputs, False) if spec.outputs is not None else UNKNOWN_TENSOR
    make: Any = safe.loaded("keras.src.layers.input_spec", "InputSpec")
    specs = []
    for tensor in wanted:
        layer = spec_of(tensor.layer, state)
        name = (layer.name or HIDDEN) if type(layer) is Layer else HIDDEN
        optional = type(layer) is Layer and layer.config.get("optional") is True
        shape = settled(tensor.shape or ())
        table = {"shape": (None, *shape[1:]), "allow_last_axis_squeeze": True, "name": name}
        specs.append(make(**table, optional=True) if optional else make(**table))
    check_demands(tuple(specs), given, spec.name)
    if len(wanted) == len(given):
        for tensor, reference in zip(given, wanted):
            adjusted(tensor, reference)
    symbolic = all(each.symbolic for each in given)
    if spec.outputs is None:
        return UNKNOWN_TENSOR
    count = given[0].shape[0] if given and given[0].shape else ANY
    return _as_symbolic(_with_count(spec.outputs, count), symbolic)


def _with_count(found: Any, count: Any) -> Any:
    """Return outputs with the number of samples that went in, where that is what was left open."""
    if type(found) is list:
        return [_with_count(each, count) for each in found]
    if type(found) is Tensor and found.shape and found.shape[0] is None:
        return found._replace(shape=(count, *found.shape[1:]))
    return found


def _as_backend_shows(shape: tuple[int | None, ...], symbolic: bool) -> Part:
    return counted("torch.Size({})".format(list(shape)) if backend() == "torch" and not symbolic else shape)


def adjusted(tensor: Tensor, reference: Tensor) -> Tensor:
    """Return an input with as many axes as a model wants, as `Functional._adjust_input_rank` makes it.

    Raises:
        Crash: That cannot be done.
    """
    shape, wanted = tensor.shape, reference.shape
    if shape is None or wanted is None:
        return UNKNOWN_TENSOR
    if len(shape) == len(wanted):
        return tensor
    if len(shape) == len(wanted) + 1 and shape[-1] in (1, ANY):
        return tensor._replace(shape=shape[:-1])
    if len(shape) == len(wanted) - 1 and wanted[-1] in (1, ANY):
        return tensor._replace(shape=(*shape, 1))
    raise Crash(
        Finding(
            rule="keras.input-rank",
            type="ValueError",
            message=words(
                "Invalid input shape for input {}. Expected shape {}, but input has incompatible shape {}",
                Part(HIDDEN, VALUES),
                counted(settled(wanted)),
                _as_backend_shows(settled(shape), tensor.symbolic),
            ),
            because=words("the model takes {} and is given {}", counted(settled(wanted)), counted(settled(shape))),
            crash_type="tensor shape mismatch",
            library="keras",
        )
    )


def input_tensor(layer: Layer, value: Value | None = None) -> Tensor:
    """Return the tensor of an InputLayer."""
    shape = layer.config.get("batch_shape")
    made_by = None if value is None else (value,)
    return Tensor(tuple(shape) if type(shape) is tuple else None, None, True, value, made_by)


def is_input_layer(spec: Any) -> bool:
    """Whether a spec is that of Keras' InputLayer."""
    return type(spec) is Layer and spec.cls is base_class("InputLayer")
