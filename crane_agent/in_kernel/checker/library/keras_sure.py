"""What is certain not to raise when layers are made and called with usual arguments and sizes.

A promise is made only for the layers and arguments below, all sizes known; everything else may raise.
Source: the constructors, `build` and `call` of each layer in the Keras reference, tried in Keras 3.4 and 3.15.
"""

from __future__ import annotations

import math
import re
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ..values import Value
from .keras_specs import ANY, Bound, Layer, Tensor, backend

if TYPE_CHECKING:
    from ..state import State

MANY = 10_000
"""Longest axis."""
MOST = 10_000_000
"""Most elements of a sample, or of a layer's weights."""

_LAYERS = frozenset(
    """
    Dense Conv1D Conv2D Conv3D SeparableConv2D DepthwiseConv2D Conv2DTranspose MaxPooling1D MaxPooling2D
    AveragePooling1D AveragePooling2D GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D
    GlobalMaxPooling2D Flatten Reshape Dropout Activation BatchNormalization LayerNormalization Embedding LSTM GRU
    SimpleRNN Bidirectional RepeatVector Permute UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D Cropping1D
    Cropping2D SpatialDropout1D SpatialDropout2D LeakyReLU ReLU ELU Softmax GaussianNoise Concatenate Add Subtract
    Multiply Average Maximum Minimum
    """.split()
)
_COUNTS = frozenset(["units", "filters", "output_dim", "input_dim", "n", "depth_multiplier"])
_FLAGS = frozenset(["use_bias", "return_sequences", "return_state", "center", "scale", "keepdims", "mask_zero"])
_SHARES = frozenset(["rate", "dropout", "recurrent_dropout", "momentum", "epsilon", "stddev"])
_TUPLES = frozenset(["kernel_size", "strides", "pool_size", "dilation_rate"])


def constructor(kind: str, config: dict[str, Any], label: Any, bound: Bound, inner: Any, state: State) -> bool:
    """Whether a layer is certain to be made."""
    if kind not in _LAYERS or not all(_extra(name, value, config, state) for name, value in bound.extra.items()):
        return False
    if not all(_argument(kind, name, bound.given[name], config, inner, state) for name in bound.named):
        return False
    both: list[int] = [
        max(config.get(name, (1,)), default=1) for name in ("strides", "dilation_rate") if name in config
    ]
    return not (len(both) == 2 and min(both) > 1)


def _extra(name: str, value: Value, config: dict[str, Any], state: State) -> bool:
    plain = state.plain(value)
    if name == "name":
        return is_name(plain)
    if name == "input_shape":
        return type(plain) is tuple and all(type(each) is int and 0 < each < MANY for each in plain)
    if name in ("input_dim", "input_length"):
        return type(plain) is int and 0 < plain < MANY
    return name == "trainable" and type(plain) is bool


def is_name(plain: Any) -> bool:
    """Whether a plain value can name a layer."""
    return plain is None or (type(plain) is str and re.fullmatch(r"[A-Za-z]\w*", plain) is not None)


def _argument(kind: str, name: str, value: Value, config: dict[str, Any], inner: Any, state: State) -> bool:
    found = config.get(name, ANY)
    if name in _COUNTS:
        return type(found) is int and 0 < found <= 1_000_000
    if name in _FLAGS:
        return type(found) is bool
    if name in _SHARES:
        return type(found) in (int, float) and 0 <= found < 1
    if name in _TUPLES:
        return type(found) is tuple and all(type(each) is int and 0 < each <= MANY for each in found)
    if name.endswith("activation"):
        return _activation(found, value, state)
    if name.endswith("_initializer"):
        known: Any = safe.loaded("keras.src.initializers", "ALL_OBJECTS_DICT")
        return type(found) is str and type(known) is dict and safe.only_texts(known) and found in known
    if name == "padding" and kind != "ZeroPadding1D" and kind != "ZeroPadding2D":
        return found in ("valid", "same") or (found == "causal" and kind == "Conv1D")
    if name in ("padding", "cropping", "size"):
        return _amounts(found)
    if name == "target_shape":
        return type(found) is tuple and all(type(each) is int and 0 < each <= MOST for each in found)
    if name == "dims":
        return type(found) is tuple and sorted(found) == list(range(1, len(found) + 1))
    if name == "layer":
        return (
            type(inner) is Layer and inner.kind in ("LSTM", "GRU", "SimpleRNN") and not inner.config.get("return_state")
        )
    return name == "axis" and found == -1


def _amounts(found: Any) -> bool:
    if type(found) is int:
        return 0 < found <= 100
    return type(found) is tuple and all(
        (type(each) is int and 0 < each <= 100)
        or (type(each) is tuple and all(type(part) is int and 0 <= part <= 100 for part in each))
        for each in found
    )


def _activation(found: Any, value: Value, state: State) -> bool:
    known: Any = safe.loaded("keras.src.activations", "ALL_OBJECTS_DICT")
    if type(found) is str:
        return type(known) is dict and safe.only_texts(known) and found in known
    live = state.live(value)
    return live is None or (type(live) is types.FunctionType and safe.comes_from(live, "keras.src.activations"))


def call(layer: Layer, tensors: list[Tensor], output: Any) -> bool:
    """Whether calling a layer symbolically is certain not to raise.

    Args:
        layer: The layer as it is before.
        tensors: What it is called on.
        output: What it gives.
    """
    if layer.kind not in _LAYERS or type(output) is not Tensor or backend() not in ("tensorflow", "torch"):
        return False
    if (
        layer.demands is None
        or not tensors
        or not layer.config.get("sure")
        or any(not each.symbolic for each in tensors)
    ):
        return False
    if any(each.dtype not in (None, "float32") for each in tensors) and layer.kind != "Embedding":
        return False
    sizes = [each.shape for each in (*tensors, output)]
    if any(not _is_usual(shape) for shape in sizes):
        return False
    if layer.built is not False:
        shape = tensors[0].shape or ()
        return bool(len(tensors) == 1 and type(layer.built) is tuple and layer.built[1:] == shape[1:])
    first, last = sizes[0] or (1,), sizes[-1] or (1,)
    width = math.prod(layer.config.get("kernel_size", (1,)))
    height = layer.config.get("input_dim", 1) if layer.kind == "Embedding" else 1
    weights: int = int(first[-1] or 1) * int(last[-1] or 1) * width * height
    return weights <= MOST


def _is_usual(shape: tuple[Any, ...] | None) -> bool:
    if not shape or len(shape) < 2 or not (shape[0] is None or (type(shape[0]) is int and shape[0] > 0)):
        return False
    return all(type(size) is int and 0 < size <= MANY for size in shape[1:]) and math.prod(shape[1:]) <= MOST
