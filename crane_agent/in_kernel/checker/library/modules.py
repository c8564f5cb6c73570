"""torch: layers, losses, models and optimizers.

What comes out of a layer is told by the formulas of the torch reference ("Shape" of each class of `torch.nn`), from the
sizes of its own parameters. If the input does not fit, torch itself is asked for its words: the layer's own `forward`
runs on a twin of the layer whose parameters are of the true sizes, in memory that is never touched, since torch
compares sizes before it computes. The kernel's own layer is not called.

A layer that the cell makes is built on the meta device, by the class's own ``__init__`` but without drawing its first
weights; it is a `Like`.

To add a layer, put the formula of its lengths into `_WITH_WEIGHT` or `_BY_ITSELF`; a function of `nn.functional` goes
into `_FUNCTIONAL`.
"""

from __future__ import annotations

import math
import types
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Tuple

from ... import safe
from ...privacy import SCHEMA
from ...probes import models
from ...readers import tensors, torch_modules
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..values import (
    UNKNOWN,
    Defined,
    Elements,
    Foreign,
    Hole,
    Instance,
    Known,
    Like,
    Made,
    Value,
    of_element,
)
from . import running
from .tensors import (
    GRAD,
    MAX_LOOKED_UP,
    STRIDES,
    NotKnown,
    Operands,
    _untouched,
    attempt,
    contiguous,
    crash,
    device_named,
    full_crash,
    function_of,
    guarded,
    like,
    like_of,
    modes_known,
    no_device,
    places_known,
    small_sizes,
    stand_in_named,
    tensor_of,
)

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "torch"
LAYER = "layer"
"""A `Like` whose stand-in is a layer that the cell made."""

MAX_LAYERS = 300

Shape = Tuple[int, ...]


class _Misfit(Exception):
    """The input does not fit the layer."""


class Form(NamedTuple):
    """Shape and dtype of a tensor; the name of a dtype, e.g. ``float32``."""

    shape: Shape
    dtype: str


def _form(tensor: Any) -> Form:
    return Form(tuple(int(size) for size in tensor.shape), str(tensor.dtype).partition(".")[2])


_FLOATS = ("float32", "float64")

# -- formulas ---------------------------------------------------------------------------------------------------------


def _several(value: object, rank: int) -> Shape:
    """Return a size given as one number for all axes, or as one for each."""
    if type(value) is int:
        return (value,) * rank
    if safe.one_of(type(value), (tuple, list)) and all(type(each) is int for each in value):  # type: ignore[attr-defined]
        found: Shape = tuple(value)  # type: ignore[arg-type]
        if len(found) == 1:
            return found * rank
        if len(found) == rank:
            return found
    raise NotKnown


def _window(x: Form, rank: int, channels: int | None) -> tuple[Shape, Shape]:
    """Return batch and spatial sizes of an input of a layer that looks through a window."""
    if len(x.shape) not in (rank + 1, rank + 2) or (channels is not None and x.shape[-rank - 1] != channels):
        raise _Misfit
    if 0 in x.shape:
        raise NotKnown
    return x.shape[: -rank - 1], x.shape[-rank:]


def _convolved(x: Form, weight: Form, own: dict[str, Any]) -> Shape:
    rank = len(weight.shape) - 2
    groups = own.get("groups", 1)
    if type(groups) is not int or groups < 1 or rank < 1:
        raise NotKnown
    batch, sizes = _window(x, rank, weight.shape[1] * groups)
    stride, dilation = _several(own.get("stride", 1), rank), _several(own.get("dilation", 1), rank)
    padding = own.get("padding", 0)
    _same_dtype(x, weight)
    if padding == "same":
        return (*batch, weight.shape[0], *sizes)
    pads = (0,) * rank if padding == "valid" else _several(padding, rank)
    if min(stride) < 1 or min(dilation) < 1 or min(pads) < 0:
        raise NotKnown
    found = []
    for size, kernel, step, spread, pad in zip(sizes, weight.shape[2:], stride, dilation, pads):
        room = size + 2 * pad - spread * (kernel - 1) - 1
        if room < 0:
            raise _Misfit
        found.append(room // step + 1)
    return (*batch, weight.shape[0], *found)


def _transposed(x: Form, weight: Form, own: dict[str, Any]) -> Shape:
    rank = len(weight.shape) - 2
    groups = own.get("groups", 1)
    if rank < 1:
        raise NotKnown
    batch, sizes = _window(x, rank, weight.shape[0])
    stride, dilation = _several(own.get("stride", 1), rank), _several(own.get("dilation", 1), rank)
    pads, extra = _several(own.get("padding", 0), rank), _several(own.get("output_padding", 0), rank)
    _same_dtype(x, weight)
    found = []
    for size, kernel, step, spread, pad, more in zip(sizes, weight.shape[2:], stride, dilation, pads, extra):
        found.append((size - 1) * step - 2 * pad + spread * (kernel - 1) + more + 1)
        if more >= max(step, spread) and more > 0:
            raise _Misfit
    if min(found) < 1 or type(groups) is not int:
        raise NotKnown
    return (*batch, weight.shape[1] * groups, *found)


def _same_dtype(x: Form, weight: Form) -> None:
    if x.dtype != weight.dtype:
        raise _Misfit
    if x.dtype not in _FLOATS:
        raise NotKnown


def _pooled(rank: int) -> Any:
    def pooled(x: Form, own: dict[str, Any]) -> Shape:
        batch, sizes = _window(x, rank, None)
        kernel = _several(own["kernel_size"], rank)
        stride = kernel if own.get("stride") is None else _several(own["stride"], rank)
        pads, dilation = _several(own.get("padding", 0), rank), _several(own.get("dilation", 1), rank)
        ceil = own.get("ceil_mode", False)
        if x.dtype not in _FLOATS or type(ceil) is not bool or min(kernel) < 1 or min(stride) < 1 or min(pads) < 0:
            raise NotKnown
        found = []
        for size, width, step, pad, spread in zip(sizes, kernel, stride, pads, dilation):
            if pad * 2 > width or spread != 1:
                raise NotKnown
            room = size + 2 * pad - width
            out = (-(-room // step) if ceil else room // step) + 1
            if ceil and (out - 1) * step >= size + pad:
                out -= 1
            if out < 1:
                raise _Misfit
            found.append(out)
        return (*batch, x.shape[-rank - 1], *found)

    return pooled


def _adapted(rank: int) -> Any:
    def adapted(x: Form, own: dict[str, Any]) -> Shape:
        if len(x.shape) not in (rank + 1, rank + 2):
            raise _Misfit
        if 0 in x.shape or x.dtype not in _FLOATS:
            raise NotKnown
        wanted = own["output_size"]
        several = wanted if safe.one_of(type(wanted), (tuple, list)) else (wanted,) * rank
        if len(several) != rank or any(each is not None and type(each) is not int for each in several):
            raise NotKnown
        sizes = tuple(size if each is None else each for size, each in zip(x.shape[-rank:], several))
        return (*x.shape[:-rank], *sizes)

    return adapted


def _multiplied(x: Form, weight: Form) -> Shape:
    if len(x.shape) == 0 or len(weight.shape) != 2:
        raise NotKnown
    if x.shape[-1] != weight.shape[1]:
        raise _Misfit
    _same_dtype(x, weight)
    return (*x.shape[:-1], weight.shape[0])


def _batch_norm(ranks: tuple[int, ...]) -> Any:
    def normed(x: Form, own: dict[str, Any]) -> Shape:
        features = own.get("num_features")
        held = [
            _form(each)
            for name in ("_parameters", "_buffers")
            for _, each in models.entries(own.get(name))
            if each is not None
        ]
        sizes = [each.shape[0] for each in held if len(each.shape) == 1]
        if len(x.shape) not in ranks:
            raise _Misfit
        if any(size != x.shape[1] for size in sizes):
            raise _Misfit
        if type(features) is not int or 0 in x.shape:
            raise NotKnown
        if math.prod(x.shape) // x.shape[1] < 2:
            if own.get("training") is True:
                raise _Misfit
            if own.get("training") is not False or own.get("track_running_stats") is not True:
                raise NotKnown
        if any(each.dtype != x.dtype for each in held if each.dtype.startswith("float")) or x.dtype not in _FLOATS:
            raise _Unclear
        return x.shape

    return normed


class _Unclear(NotKnown):
    """The sizes fit, but it may raise for another reason."""


def _instance_norm(rank: int) -> Any:
    def normed(x: Form, own: dict[str, Any]) -> Shape:
        if len(x.shape) not in (rank + 1, rank + 2):
            raise _Misfit
        if x.shape[-rank - 1] != own.get("num_features") or 0 in x.shape or x.dtype not in _FLOATS:
            raise NotKnown
        if math.prod(x.shape[-rank:]) < 2:
            raise NotKnown
        return x.shape

    return normed


def _layer_norm(x: Form, own: dict[str, Any]) -> Shape:
    wanted = own.get("normalized_shape")
    if type(wanted) is not tuple or any(type(each) is not int for each in wanted):
        raise NotKnown
    if len(x.shape) < len(wanted) or x.shape[-len(wanted) :] != wanted:
        raise _Misfit
    if x.dtype not in _FLOATS:
        raise _Unclear
    return x.shape


def _group_norm(x: Form, own: dict[str, Any]) -> Shape:
    if len(x.shape) < 2 or x.dtype not in _FLOATS or 0 in x.shape:
        raise NotKnown
    if x.shape[1] != own.get("num_channels"):
        raise _Misfit if own.get("affine") is True else NotKnown()
    if x.shape[0] * x.shape[1] // own["num_groups"] * math.prod(x.shape[2:]) < 2:
        raise NotKnown
    return x.shape


def _same(x: Form, own: dict[str, Any]) -> Shape:
    if x.dtype not in _FLOATS:
        raise _Unclear
    return x.shape


def _normed_over_channels(x: Form, own: dict[str, Any]) -> Shape:
    """Return the shape behind `LocalResponseNorm`. Source: torch, `functional.local_response_norm`."""
    if len(x.shape) < 3:
        raise NotKnown
    return x.shape


def _dropped(ranks: tuple[int, ...]) -> Any:
    def dropped(x: Form, own: dict[str, Any]) -> Shape:
        if x.dtype not in _FLOATS or len(x.shape) not in ranks:
            raise _Unclear
        return x.shape

    return dropped


def _soft(x: Form, own: dict[str, Any]) -> Shape:
    axis = own.get("dim")
    rank = max(len(x.shape), 1)
    if type(axis) is not int or x.dtype not in _FLOATS:
        raise NotKnown
    if not -rank <= axis < rank:
        raise _Misfit
    return x.shape


def _upsampled(x: Form, own: dict[str, Any]) -> Shape:
    rank = len(x.shape) - 2
    if rank not in (1, 2, 3) or 0 in x.shape or x.dtype not in _FLOATS:
        raise NotKnown
    mode = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,), "nearest": (1, 2, 3)}.get(
        own.get("mode", "nearest"), ()
    )
    if rank not in mode:
        raise NotKnown
    if own.get("size") is not None:
        return (*x.shape[:2], *_several(own["size"], rank))
    scale = own.get("scale_factor")
    scales = (scale,) * rank if type(scale) in (int, float) else scale
    if type(scales) is not tuple or len(scales) != rank or any(type(each) not in (int, float) for each in scales):
        raise NotKnown
    return (*x.shape[:2], *(math.floor(size * float(each)) for size, each in zip(x.shape[2:], scales)))


def _padded(rank: int, *, fits: bool) -> Any:
    def padded(x: Form, own: dict[str, Any]) -> Shape:
        pads = own.get("padding")
        if type(pads) is not tuple or len(pads) != 2 * rank or any(type(each) is not int for each in pads):
            raise NotKnown
        if len(x.shape) not in (rank + 1, rank + 2) or 0 in x.shape or min(pads) < 0:
            raise NotKnown
        sizes = list(x.shape)
        for place in range(rank):
            before, after = pads[2 * place], pads[2 * place + 1]
            if not fits and max(before, after) >= sizes[-1 - place]:
                raise NotKnown
            sizes[-1 - place] += before + after
        return tuple(sizes)

    return padded


_WITH_WEIGHT: dict[str, Callable[..., Shape]] = {
    "Linear": lambda x, weight, own: _multiplied(x, weight),
    "NonDynamicallyQuantizableLinear": lambda x, weight, own: _multiplied(x, weight),
    "Conv1d": _convolved,
    "Conv2d": _convolved,
    "Conv3d": _convolved,
    "ConvTranspose1d": _transposed,
    "ConvTranspose2d": _transposed,
    "ConvTranspose3d": _transposed,
}
_BY_ITSELF: dict[str, Callable[..., Shape]] = {
    **{"MaxPool{}d".format(rank): _pooled(rank) for rank in (1, 2, 3)},
    **{"AvgPool{}d".format(rank): _pooled(rank) for rank in (1, 2, 3)},
    **{"AdaptiveAvgPool{}d".format(rank): _adapted(rank) for rank in (1, 2, 3)},
    **{"AdaptiveMaxPool{}d".format(rank): _adapted(rank) for rank in (1, 2, 3)},
    "BatchNorm1d": _batch_norm((2, 3)),
    "BatchNorm2d": _batch_norm((4,)),
    "BatchNorm3d": _batch_norm((5,)),
    **{"InstanceNorm{}d".format(rank): _instance_norm(rank) for rank in (1, 2, 3)},
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "LocalResponseNorm": _normed_over_channels,
    "Dropout": _same,
    "AlphaDropout": _same,
    "Dropout1d": _dropped((2, 3)),
    "Dropout2d": _dropped((3, 4)),
    "Dropout3d": _dropped((4, 5)),
    "Softmax": _soft,
    "LogSoftmax": _soft,
    "Softmin": _soft,
    "GELU": _same,
    "LogSigmoid": _same,
    "Upsample": _upsampled,
    "UpsamplingNearest2d": _upsampled,
    "UpsamplingBilinear2d": _upsampled,
    **{"ZeroPad{}d".format(rank): _padded(rank, fits=True) for rank in (1, 2, 3)},
    **{"ConstantPad{}d".format(rank): _padded(rank, fits=True) for rank in (1, 2, 3)},
    **{"ReflectionPad{}d".format(rank): _padded(rank, fits=False) for rank in (1, 2, 3)},
    **{"ReplicationPad{}d".format(rank): _padded(rank, fits=True) for rank in (1, 2, 3)},
}
"""What comes out of a layer, by its class. Source: the torch reference of each, "Shape"."""

_ELEMENTWISE = frozenset(
    "ReLU ReLU6 LeakyReLU ELU SELU CELU SiLU Mish Sigmoid Tanh Softplus Softsign Hardtanh Hardswish Hardsigmoid "
    "Tanhshrink Softshrink Hardshrink Threshold Identity".split()
)
"""Layers without parameters that torch computes element by element."""
_RESHAPING = ("Flatten", "Unflatten")
_RECURRENT = ("RNN", "LSTM", "GRU")
_LOSSES = (
    "CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss KLDivLoss "
    "CosineEmbeddingLoss TripletMarginLoss MarginRankingLoss HingeEmbeddingLoss PoissonNLLLoss GaussianNLLLoss "
    "MultiLabelSoftMarginLoss MultiMarginLoss SoftMarginLoss CTCLoss".split()
)
_QUIETLY_BUILT = frozenset(
    [
        *(*_WITH_WEIGHT, *_BY_ITSELF, *_ELEMENTWISE, *_RESHAPING, *_RECURRENT, *_LOSSES),
        *"Embedding Bilinear MultiheadAttention RNNCell LSTMCell GRUCell PixelShuffle PReLU GLU".split(),
    ]
)
"""Layers whose ``__init__`` neither warns nor runs functions that import."""
_WITH_DEVICE = frozenset(
    [
        *(*_WITH_WEIGHT, *_RECURRENT, "Embedding", "Bilinear", "MultiheadAttention", "PReLU", "LayerNorm", "GroupNorm"),
        *("RNNCell", "LSTMCell", "GRUCell", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
        *("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
    ]
)

# -- layers -----------------------------------------------------------------------------------------------------------


def module_of(value: Value | None, state: State) -> Any:
    """Return the torch module that a value is, the kernel's own or a stand-in; None if it is none, or not known."""
    found: Any = state.form(value) if type(value) is Like and LAYER in value.knows else state.live(value)
    if found is safe.ABSENT or not models.is_torch_module(found):
        return None
    return found


def own_layer(module: Any) -> str:
    """Return the name of a module's class if calling it runs torch's own ``forward`` and nothing else; '' if not."""
    kind = type(module)
    if not safe.is_from(kind, "torch") or not safe.class_module(kind).startswith("torch.nn.modules."):
        return ""
    forward = torch_modules.forward_of(module)
    return safe.class_name(kind) if safe.comes_from(forward, "torch") else ""


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the call of a layer, of a layer's class, of a module's method, or of a function of `nn.functional`."""
    if not site.complete:
        return None
    try:
        module = module_of(site.callee, state)
        if module is not None:
            return _called_layer(site.callee, module, site, state)
        if type(site.callee) is Instance:
            return _without_forward(site.callee, state)
        callee: Any = state.live(site.callee)
        if safe.inherits(type(callee), type):
            return _built(callee, site, state)
        if type(callee) is types.MethodType and models.is_torch_module(callee.__self__):
            return _method(callee.__func__, site.owner or Known(callee.__self__), callee.__self__, site, state)
        if type(site.callee) is Made and site.callee.kind == "method of a layer":
            return _method(
                site.callee.facts["function"], site.callee.facts["owner"], site.callee.facts["module"], site, state
            )
        name = function_of(site, state)
        return _FUNCTIONAL[name](site, state) if name in _FUNCTIONAL else None
    except NotKnown:
        return _opened_call(site, state)


def _without_forward(made: Instance, state: State) -> Finding | None:
    """Return the crash of calling a module of the user's own class that has no ``forward``."""
    base: Any = safe.loaded("torch.nn.modules.module", "Module")
    given = base and safe.class_dict(base).get("forward")
    if state.is_touched(made) or "forward" in made.attributes or not safe.comes_from(given, "torch"):
        return None
    cls: Value = made.cls
    found = _class_member(cls, "forward", state)
    if found is not given or _class_member(cls, "__call__", state) is not safe.class_dict(base).get("__call__"):
        return None
    name = cls.node.name if type(cls) is Defined else safe.class_name(cls.object)  # type: ignore[attr-defined]
    _, error = attempt(lambda: given(stand_in_named(name)))
    return None if error is None else crash(error)


def _class_member(cls: Value, name: str, state: State) -> Any:
    """Return what a class or its bases hold under a name, None if nothing; `safe.ABSENT` if that is not known."""
    if type(cls) is Defined:
        if state.is_touched(cls) or name in cls.members:
            return safe.ABSENT
        found = [_class_member(each, name, state) for each in cls.defaults]
        return next((each for each in found if each is not None), None)
    kind: Any = state.live(cls)
    if not safe.inherits(type(kind), type):
        return safe.ABSENT
    entry = safe.in_type(kind, name)
    return None if entry is safe.ABSENT else entry


def _opened_call(site: CallSite, state: State) -> Value | None:
    """Answer for a layer of torch's own, or a function, that changes nothing but its own numbers."""
    callee: Any = state.live(site.callee)
    module = module_of(site.callee, state)
    if module is not None and own_layer(module) and not _holds_users(module):
        state.may_raise(site.node, "the layer may raise")
        return Foreign("torch")
    if function_of(site, state):
        state.may_raise(site.node, "{}() may raise".format(callee.__name__))
        return UNKNOWN
    return None


def _holds_users(module: Any) -> bool:
    """Whether a module, or one inside it, is of a class that is not torch's."""
    waiting, count = [module], 0
    while waiting:
        each = waiting.pop()
        count += 1
        if count > MAX_LAYERS or not own_layer(each):
            return True
        waiting.extend(child for _, child in models.entries((safe.instance_dict(each) or {}).get("_modules")) if child)
    return False


def _called_layer(value: Value, module: Any, site: CallSite, state: State) -> Value | Finding | None:
    name = own_layer(module)
    if not name:
        return None
    if site.keywords:
        raise NotKnown
    return through(value, module, list(site.arguments), site, state)


def through(value: Value, module: Any, inputs: list[Value], site: CallSite, state: State) -> Value | Finding | None:
    """Return what comes out of a layer of torch's own, or its crash.

    Raises:
        NotKnown: That cannot be told.
    """
    name = own_layer(module)
    if name == "Sequential" and len(inputs) == 1:
        return _chained(value, module, inputs[0], site, state)
    if _moved(state):
        raise NotKnown
    if name in _LOSSES:
        return _lost(name, module, inputs, state)
    if len(inputs) != 1 and name not in _RECURRENT:
        raise NotKnown
    own = dict(safe.instance_dict(module) or {})
    other = _other_input(name, module, own, inputs, state)
    if other is not None:
        return other
    operands = Operands(inputs, {}, state)
    if len(operands.tensors) < 1 or not hasattr(operands.arguments[0], "place"):
        raise NotKnown
    if _modes_changed(state):
        own["training"] = None
    x = _form(operands.tensors[0])
    try:
        if name in _WITH_WEIGHT:
            return _weighted(name, value, module, own, x, operands, state)
        if name in _BY_ITSELF:
            shape = _BY_ITSELF[name](x, own)
            _statistics_change(name, own, state)
            if name.startswith("MaxPool") and own.get("return_indices") is not False:
                raise NotKnown
            if name.startswith("AdaptiveMaxPool") and own.get("return_indices") is not False:
                raise NotKnown
            if own.get("inplace") is True:
                state.content_changed(inputs[0])
            state.may_raise(site.node, "the layer may raise") if not operands.exact else None
            return like(shape, operands.tensors[0].dtype, grad=_grad(operands, module), dtype_known=operands.exact)
        if name in _ELEMENTWISE:
            return _by_element(module, operands, inputs[0], own, state)
        if name in _RESHAPING:
            return _reshaped(module, operands)
        if name == "Embedding":
            return _embedded(module, own, operands, site, state)
        if name in _RECURRENT:
            return _recurrent(name, module, own, operands, site, state)
    except _Misfit:
        return _own_words(module, own, operands)
    except _Unclear:
        state.may_raise(site.node, "the layer may raise")
        return like(x.shape, operands.tensors[0].dtype, grad=_grad(operands, module), dtype_known=False)
    raise NotKnown


def _other_input(name: str, module: Any, own: dict[str, Any], inputs: list[Value], state: State) -> Finding | None:
    """Return the crash of a layer that gets what is no tensor: an array, or the pair that an LSTM returns."""
    found: Any = state.live(inputs[0])
    if (name not in _WITH_WEIGHT and name != "Embedding") or len(inputs) != 1:
        return None
    if tensors.is_ndarray(state.form(inputs[0])):
        given: Any = safe.loaded("numpy").zeros(1)
    elif safe.one_of(type(found), (list, tuple)):
        operands = Operands(inputs, {}, state)
        stand_ins = operands.full()
        if stand_ins is None:
            return None
        given = operands.built(stand_ins)[0][0]
    elif safe.one_of(type(found), safe.SCALARS) or type(found) is safe.loaded("torch", "device"):
        given = found
    else:
        kind: Any = type(state.form(inputs[0]))
        named = safe.class_name(kind) if _is_told_by_name(kind, state) else ""
        if not named:
            return None
        given = stand_in_named(named)
    made = twin(module, own, _untouched)
    _, error = attempt(lambda: type(module).forward(made, given))
    return crash(error) if type(error) is TypeError else None


def _is_told_by_name(kind: Any, state: State) -> bool:
    """Whether torch tells no more than the name of a class whose objects are no tensors."""
    torch_base = safe.loaded("torch", "Tensor")
    if safe.inherits(kind, torch_base) or safe.in_type(kind, "__torch_function__") is not safe.ABSENT:
        return False
    return state.is_users(kind) or safe.class_module(kind).partition(".")[0] in ("pandas", "PIL")


def _grad(operands: Operands, module: Any) -> bool | None:
    """Whether what comes out of a layer takes part in autograd."""
    held = [
        each for _, each in models.entries((safe.instance_dict(module) or {}).get("_parameters")) if each is not None
    ]
    if any(not tensors.is_tensor(each) for each in held):
        return None
    if any(each.requires_grad for each in held):
        return True if modes_known(operands.state) else None
    return operands.grad()


def _moved(state: State) -> bool:
    """Whether the cell may have changed the dtype or device of some layer's parameters."""
    return state.memo.get("torch moved") is True


def _modes_changed(state: State) -> bool:
    return state.memo.get("torch training") is True


def _weighted(
    name: str, value: Value, module: Any, own: dict[str, Any], x: Form, operands: Operands, state: State
) -> Value | Finding | None:
    weight = _parameter(own, "weight", state)
    if not operands.exact:
        raise NotKnown
    if name.startswith("Conv") and own.get("padding_mode") != "zeros":
        raise NotKnown
    shape = _WITH_WEIGHT[name](x, _form(weight), own)
    strides = contiguous(shape) if name == "Linear" and operands.strided() else None
    return like(shape, weight.dtype, strides=strides, grad=_grad(operands, module))


def _parameter(own: dict[str, Any], name: str, state: State) -> Any:
    """Return a parameter of a layer, of which the structure is what it was."""
    held: Any = dict(models.entries(own.get("_parameters"))).get(name)
    if not tensors.is_tensor(held):
        raise NotKnown
    if held.device.type == "meta":
        return held
    found = tensor_of(Known(held), state)
    if found is None:
        raise NotKnown
    return found


def _statistics_change(name: str, own: dict[str, Any], state: State) -> None:
    if name.startswith("BatchNorm") and own.get("training") is not False:
        for _, each in models.entries(own.get("_buffers")):
            if tensors.is_tensor(each):
                state.touch(Known(each), depth=0)


def twin(module: Any, own: dict[str, Any], make: Callable[[Any], Any]) -> Any:
    """Return a module of the same class whose parameters and buffers are made of the module's by `make`."""
    found = object.__new__(type(module))
    table = dict(own)
    made: dict[str, Any] = {}
    for place in ("_parameters", "_buffers"):
        table[place] = {}
        for name, each in models.entries(own.get(place)):
            if each is not None and not tensors.is_tensor(each):
                raise NotKnown
            stand_in = None if each is None else make(each)
            if each is not None and stand_in is None:
                raise NotKnown
            table[place][name] = made[name] = stand_in
    names = own.get("_flat_weights_names")
    if type(names) is list:
        table["_flat_weights"] = [made.get(each) for each in names]
    vars(found).update(table)
    return found


def _own_words(module: Any, own: dict[str, Any], operands: Operands) -> Finding | None:
    """Return the crash that the layer's own ``forward`` tells for an input that does not fit."""
    training = own.get("training")
    if training is None:
        both = [_own_words(module, dict(own, training=each), operands) for each in (True, False)]
        same = all(each is not None for each in both) and both[0].message == both[1].message  # type: ignore[union-attr]
        return both[0] if same else None
    if any(type(own.get(name)) is float and own[name] > 0 for name in ("dropout", "p")):
        own = dict(own, training=False)
    made = twin(module, own, _untouched)
    function = type(module).forward
    finding = full_crash(lambda *inputs: function(made, *inputs), operands, None)
    if finding is None:
        raise NotKnown
    return finding._replace(rule="torch.layer")


def _by_element(module: Any, operands: Operands, value: Value, own: dict[str, Any], state: State) -> Value | Finding:
    sizes = small_sizes(operands)
    arguments, _ = operands.built(operands.ones(sizes))
    made = twin(module, own, lambda each: each)
    found, error = attempt(lambda: type(module).forward(made, *arguments))
    if error is not None:
        return crash(error) if operands.exact else _give_up()
    if own.get("inplace") is True:
        state.content_changed(value)
    if type(module).__name__ == "Identity":
        return value
    back = {small: true for true, small in sizes.items()}
    shape = [back.get(int(size), int(size)) for size in found.shape]
    strides = contiguous(shape) if operands.strided() else None
    return like(shape, found.dtype, strides=strides, grad=operands.grad(), dtype_known=operands.exact)


def _give_up() -> Any:
    raise NotKnown


def _reshaped(module: Any, operands: Operands) -> Value | Finding | None:
    from .tensors import _in_order

    made = module
    return _in_order(lambda each: type(module).forward(made, each), operands)


def _embedded(
    module: Any, own: dict[str, Any], operands: Operands, site: CallSite, state: State
) -> Value | Finding | None:
    weight = _parameter(own, "weight", state)
    index = operands.tensors[0]
    if own.get("max_norm") is not None or not operands.exact:
        raise NotKnown
    if str(index.dtype) not in ("torch.int64", "torch.int32"):
        raise _Misfit
    return _looked_up(index, weight, operands, site, state)


def _looked_up(index: Any, weight: Any, operands: Operands, site: CallSite, state: State) -> Value | Finding:
    torch: Any = safe.loaded("torch")
    given: Any = state.live(operands.values[0]) if operands.values else safe.ABSENT
    if given is index and index.numel() <= MAX_LOOKED_UP:
        table = torch.zeros((1, 1), dtype=weight.dtype).expand(int(weight.shape[0]), 1)
        copy = index.detach().clone()
        _, error = attempt(lambda: torch.embedding(table, copy))
        if error is not None:
            finding = crash(error)
            return finding._replace(probe=None)
    else:
        state.may_raise(site.node, "an index may be out of range")
    shape = (*index.shape, weight.shape[1])
    return like(shape, weight.dtype, strides=contiguous(shape), grad=_grad_of(weight, state))


def _grad_of(tensor: Any, state: State) -> bool | None:
    if not tensor.requires_grad:
        return False
    return True if modes_known(state) else None


def _recurrent(
    name: str, module: Any, own: dict[str, Any], operands: Operands, site: CallSite, state: State
) -> Value | Finding | None:
    """Follow RNN, LSTM and GRU. Source: the torch reference of each, "Inputs" and "Outputs"."""
    x = _form(operands.tensors[0])
    weight = _parameter(own, "weight_ih_l0", state)
    size, hidden, layers = own.get("input_size"), own.get("hidden_size"), own.get("num_layers")
    projected = own.get("proj_size") or hidden
    if any(type(each) is not int for each in (size, hidden, layers, projected)) or not operands.exact:
        raise NotKnown
    if len(operands.arguments) > 2 or len(operands.tensors) not in (1, 2, 3) or 0 in x.shape:
        raise NotKnown
    if len(x.shape) not in (2, 3) or x.shape[-1] != size or x.dtype != str(weight.dtype).partition(".")[2]:
        if len(operands.tensors) != 1:
            raise NotKnown
        raise _Misfit
    if len(operands.tensors) > 1:
        state.may_raise(site.node, "the hidden state may not fit")
    ways = 2 if own.get("bidirectional") is True else 1
    batch_first = own.get("batch_first") is True
    out = (*x.shape[:-1], ways * projected)  # type: ignore[operator]
    batch = () if len(x.shape) == 2 else (x.shape[0 if batch_first else 1],)
    grad = _grad(operands, module)
    made = [
        like((layers * ways, *batch, each), weight.dtype, grad=grad)  # type: ignore[operator]
        for each in ((projected, hidden) if name == "LSTM" else (hidden,))
    ]
    last: Any = Hole(made[0]) if name != "LSTM" else tuple(Hole(each) for each in made)
    return Known((Hole(like(out, weight.dtype, grad=grad)), last))


def _chained(value: Value, module: Any, first: Value, site: CallSite, state: State) -> Value | Finding | None:
    """Follow a Sequential, layer by layer."""
    layers = models.entries((safe.instance_dict(module) or {}).get("_modules"))
    if len(layers) > MAX_LAYERS or any(not own_layer(each) for _, each in layers):
        raise NotKnown
    current: Value | Finding | None = first
    for _, layer in layers:
        held: Value = Known(layer) if type(value) is Known else Like(layer, frozenset([LAYER]))
        if module_of(held, state) is None:
            raise NotKnown
        current = through(held, layer, [current], site, state)  # type: ignore[list-item]
        if not isinstance(current, Value):
            return current
    return current


# -- making layers ----------------------------------------------------------------------------------------------------


def _built(cls: Any, site: CallSite, state: State) -> Value | Finding | None:
    if not safe.is_from(cls, "torch") or not models_class(cls):
        return _other_class(cls, site, state)
    name = safe.class_name(cls)
    if name == "Sequential":
        return _sequence(cls, site.arguments, site, state)
    if name == "ModuleList":
        listed: Any = state.live(site.arguments[0]) if len(site.arguments) == 1 else None
        if not safe.one_of(type(listed), (list, tuple)):
            return None
        return _sequence(cls, tuple(of_element(each) for each in listed), site, state)
    if name not in _QUIETLY_BUILT or not safe.class_module(cls).startswith("torch.nn.modules."):
        return None
    if not safe.comes_from(safe.class_dict(cls).get("__init__", safe.in_type(cls, "__init__")), "torch"):
        return None
    if not places_known(state):
        raise NotKnown
    operands = Operands(site.arguments, site.keywords, state)
    if "device" in operands.keywords or "dtype" in operands.keywords:
        raise NotKnown
    weight = bool(operands.tensors)
    if weight and name not in _LOSSES:
        raise NotKnown
    arguments, keywords = operands.built(operands.full() or _give_up()) if weight else operands.built([])
    if name in _RECURRENT:
        keywords.pop("dropout", None)
    return _made_quietly(cls, name, arguments, keywords)


def models_class(cls: Any) -> bool:
    """Whether a class is one of modules."""
    return safe.inherits(cls, safe.loaded("torch.nn.modules.module", "Module"))


def _made_quietly(cls: Any, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Value | Finding:
    def nothing(self: Any) -> None:
        """Leave the first weights out: drawing them is all that this does."""

    resets = {each: nothing for each in ("reset_parameters", "_reset_parameters") if hasattr(cls, each)}
    quiet: Any = type(name, (cls,), resets)
    if name in _WITH_DEVICE:
        keywords = dict(keywords, device="meta")
    found, error = _attempt_building(lambda: quiet(*arguments, **keywords))
    if error is not None:
        message = str(error)
        told = "invalid combination" not in message and "device" not in message and "meta" not in message
        return crash(error) if told else _give_up()
    if (
        sum(int(each.numel()) for _, each in models.entries(vars(found).get("_parameters")) if each is not None)
        > 10**10
    ):
        raise NotKnown
    found.__class__ = cls
    return Like(found, frozenset([LAYER]))


def _attempt_building(compute: Callable[[], Any]) -> tuple[Any, Exception | None]:
    def guarded_compute() -> tuple[Any, Exception | None]:
        try:
            return compute(), None
        except AssertionError as error:
            return None, error

    found, error = attempt(guarded_compute)
    return (None, error) if error is not None else found


def _sequence(cls: Any, parts: tuple[Value, ...], site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``nn.Sequential(layer, ...)`` and ``nn.ModuleList([layer, ...])`` of layers of torch's own."""
    modules = [module_of(each, state) for each in parts]
    if site.keywords or not modules or any(each is None or not own_layer(each) for each in modules):
        return None
    if any(state.form(each) is safe.ABSENT for each in parts):
        return None
    found, error = attempt(lambda: cls(*modules) if safe.class_name(cls) == "Sequential" else cls(modules))
    return Like(found, frozenset([LAYER])) if error is None else None


# -- attributes and methods of modules --------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a layer that the cell made."""
    if type(site.owner) is not Like:
        return None
    module = module_of(site.owner, state)
    if module is None:
        return None
    try:
        found = safe.attribute(module, site.name)
    except safe.Refused:
        return None
    if found is safe.ABSENT:
        _, error = _attempt_attribute(module, site.name)
        return None if error is None else crash(error)
    if type(found) is types.MethodType and safe.comes_from(found.__func__, "torch"):
        return Made("method of a layer", function=found.__func__, owner=site.owner, module=module, package="torch")
    if models.is_torch_module(found):
        return Like(found, frozenset([LAYER]))
    if tensors.is_tensor(found):
        tensor: Any = found
        return Like(found, frozenset(["shape", "dtype", STRIDES, GRAD])) if tensor.device.type == "meta" else UNKNOWN
    if safe.one_of(type(found), safe.SCALARS) and site.name != "training":
        return Known(found, level=SCHEMA)
    return UNKNOWN


def _attempt_attribute(module: Any, name: str) -> tuple[Any, Exception | None]:
    try:
        return getattr(module, name), None
    except AttributeError as error:
        return None, error


_RETURN_ITSELF = frozenset(
    "train eval to cuda cpu float double half bfloat16 requires_grad_ share_memory type to_empty".split()
)
_LISTS = frozenset(
    "parameters named_parameters children named_children modules named_modules buffers named_buffers".split()
)


def _method(function: Any, value: Value, module: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow a method that `nn.Module` gives to every module. Source: `torch/nn/modules/module.py`."""
    base: Any = safe.loaded("torch.nn.modules.module", "Module")
    if base is None or type(function) is not types.FunctionType:
        return None
    name = function.__name__
    if safe.class_dict(base).get(name) is not function or not safe.comes_from(function, "torch"):
        return None
    if name in ("train", "eval"):
        return _set_training(name, value, site, state)
    if name in _RETURN_ITSELF:
        return _moved_to(name, value, module, site, state)
    if name in _LISTS:
        return _listed(name, value, module, site, state)
    if name == "state_dict":
        if site.arguments or site.keywords:
            return None
        state.may_raise(site.node, "state_dict() may raise") if _holds_users(module) else None
        return Made("state dict", module=value, package="torch")
    if name == "load_state_dict":
        return _loaded(value, module, site, state)
    if name == "zero_grad":
        return Known(None)
    return None


def _has_own(module: Any, name: str) -> bool:
    """Whether a module inside one has a method of its own that is run, too."""
    base: Any = safe.loaded("torch.nn.modules.module", "Module")
    waiting, count = [module], 0
    while waiting:
        each = waiting.pop()
        count += 1
        own = safe.instance_dict(each)
        if count > MAX_LAYERS * 10 or own is None or name in own:
            return True
        entry = safe.in_type(type(each), name)
        if entry is not safe.class_dict(base).get(name) and not safe.comes_from(entry, "torch"):
            return True
        waiting.extend(child for _, child in models.entries(own.get("_modules")) if child is not None)
    return False


def _set_training(name: str, value: Value, site: CallSite, state: State) -> Value | None:
    module = module_of(value, state)
    if module is None or _has_own(module, "train") or _has_own(module, "eval"):
        return None
    plain = [state.live(each) for each in [*site.arguments, *site.keywords.values()]]
    if len(plain) > (name == "train") or any(type(each) is not bool for each in plain):
        return None
    state.memo["torch training"] = True
    return value


def _moved_to(name: str, value: Value, module: Any, site: CallSite, state: State) -> Value | Finding | None:
    if _has_own(module, "_apply") or _has_own(module, "to"):
        return None
    asked = [state.live(each) for each in [*site.arguments, *site.keywords.values()]]
    places = ["cuda"] if name == "cuda" else [] if name != "to" else [device_named(each) for each in asked]
    if name == "cpu" or (name == "to" and places == ["cpu"]):
        return value
    if "cuda" in places and _has_tensors(module):
        return no_device("cuda")
    if name == "float" and _all_float(module):
        return value
    if name in ("requires_grad_", "share_memory"):
        state.memo["torch moved"] = True
        return value
    state.memo["torch moved"] = True
    state.may_raise(site.node, "{}() may raise".format(name))
    return value


def _has_tensors(module: Any) -> bool:
    own = safe.instance_dict(module) or {}
    inner = [each for _, each in models.entries(own.get("_modules")) if each is not None]
    here = [each for place in ("_parameters", "_buffers") for _, each in models.entries(own.get(place))]
    return any(tensors.is_tensor(each) for each in here) or any(map(_has_tensors, inner[:MAX_LAYERS]))


def _all_float(module: Any) -> bool:
    own = safe.instance_dict(module) or {}
    inner = [each for _, each in models.entries(own.get("_modules")) if each is not None]
    here = [each for place in ("_parameters", "_buffers") for _, each in models.entries(own.get(place))]
    plain = all(
        each is None or (tensors.is_tensor(each) and str(each.dtype) in ("torch.float32", "torch.int64"))
        for each in here
    )
    return plain and all(map(_all_float, inner[:MAX_LAYERS]))


def _listed(name: str, value: Value, module: Any, site: CallSite, state: State) -> Value | None:
    if site.arguments or site.keywords or _has_own(module, name) or _has_own(module, "named_parameters"):
        return None
    if name != "parameters":
        return Made("modules", package="torch")
    found = parameters_of(module)
    if found is None:
        return None
    return Made("parameters", package="torch", found=found, real=type(value) is Known)


def parameters_of(module: Any) -> list[Any] | None:
    """Return the parameters of a module as ``parameters()`` yields them, each once; None if there are too many."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting, count = [module], 0
    while waiting:
        each = waiting.pop()
        count += 1
        own = safe.instance_dict(each)
        if count > MAX_LAYERS * 10 or own is None:
            return None
        if id(each) in seen:
            continue
        seen.add(id(each))
        for _, held in models.entries(own.get("_parameters")):
            if held is not None and id(held) not in seen:
                seen.add(id(held))
                found.append(held)
        waiting.extend(reversed([child for _, child in models.entries(own.get("_modules")) if child is not None]))
    return found


def _loaded(value: Value, module: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``model.load_state_dict(saved)``. Source: `torch/nn/modules/module.py`, load_state_dict."""
    finding = _unfit_state(value, module, site, state)
    if finding is not None:
        return finding
    state.may_raise(site.node, "load_state_dict() may raise")
    for each in parameters_of(module) or []:
        if type(value) is Known and tensors.is_tensor(each):
            state.content_changed(Known(each))
            break
    return Foreign("torch")


def _unfit_state(value: Value, module: Any, site: CallSite, state: State) -> Finding | None:
    strict = state.live(site.keywords["strict"]) if "strict" in site.keywords else True
    if len(site.arguments) != 1 or set(site.keywords) - {"strict"} or type(strict) is not bool:
        return None
    parts = _state_parts(module)
    given = _saved(site.arguments[0], state)
    if parts is None or given is None or _moved(state):
        return None
    missing, unexpected, sizes = [], [], []
    for prefix, own, children in parts:
        for name, tensor in own.items():
            key = prefix + name
            if key not in given:
                missing.append(key)
            elif tuple(given[key].shape) != tuple(tensor.shape):
                shapes = [type(each.shape)(each.shape) for each in (given[key], tensor)]
                text = (
                    "size mismatch for {}: copying a param with shape {} from checkpoint, "
                    "the shape in current model is {}."
                )
                sizes.append(text.format(key, *shapes))
        for key in given:
            first = key[len(prefix) :].split(".", 1) if key.startswith(prefix) else []
            if (len(first) > 1 and first[0] not in children) or (len(first) == 1 and first[0] not in own):
                unexpected.append(key)
    messages = list(sizes)
    for words, keys in (("Unexpected", unexpected), ("Missing", missing)):
        if strict and keys:
            listed = ", ".join('"{}"'.format(key) for key in keys)
            messages.insert(0, "{} key(s) in state_dict: {}. ".format(words, listed))
    if not messages or any(each.endswith("num_batches_tracked") for each in missing):
        return None
    name = safe.class_name(type(module))
    text = "Error(s) in loading state_dict for {}:\n\t{}".format(name, "\n\t".join(messages))
    return running.crash(
        RuntimeError(text), "torch", SCHEMA, "tensor shape mismatch", "what was saved is of another model"
    )


_STATE_HOOKS = ("_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


def _state_parts(module: Any) -> list[tuple[str, dict[str, Any], set[str]]] | None:
    """Return modules in the order they are loaded: prefix, tensors by name, names of children; None if not plain."""
    base: Any = safe.loaded("torch.nn.modules.module", "Module")
    found: list[tuple[str, dict[str, Any], set[str]]] = []

    def walk(each: Any, prefix: str) -> bool:
        own = safe.instance_dict(each)
        plain_names = ("load_state_dict", "_load_from_state_dict", "set_extra_state", "__getattr__")
        if own is None or len(found) > MAX_LAYERS * 10 or any(own.get(hook) for hook in _STATE_HOOKS):
            return False
        for name in plain_names:
            entry = safe.in_type(type(each), name)
            shipped = entry is safe.class_dict(base).get(name, safe.ABSENT) or (
                safe.comes_from(entry, "torch") and "BatchNorm" in safe.class_name(type(each))
            )
            if name in own or not shipped:
                return False
        skipped: Any = own.get("_non_persistent_buffers_set") or ()
        held = {name: tensor for name, tensor in models.entries(own.get("_parameters")) if tensor is not None}
        for name, tensor in models.entries(own.get("_buffers")):
            if tensor is not None and name not in skipped:
                held[name] = tensor
        if not all(tensors.is_tensor(tensor) for tensor in held.values()):
            return False
        children = [(name, child) for name, child in models.entries(own.get("_modules")) if child is not None]
        found.append((prefix, held, {name for name, _ in models.entries(own.get("_modules"))}))
        return all(walk(child, prefix + name + ".") for name, child in children)

    return found if walk(module, "") else None


def _saved(value: Value, state: State) -> dict[str, Any] | None:
    """Return the tensors of a state dict by name; None if something else is in it."""
    if type(value) is Made and value.kind == "state dict":
        parts = _state_parts(module_of(value.facts.get("module"), state))
        if parts is None:
            return None
        return {prefix + name: tensor for prefix, own, _ in parts for name, tensor in own.items()}
    found: Any = state.live(value)
    if not safe.is_exactly(found, "collections", "OrderedDict") and type(found) is not dict:
        return None
    metadata = (safe.instance_dict(found) or {}).get("_metadata")
    if type(found) is dict or metadata is None or not safe.keeps_texts(found):
        return None
    table = dict(dict.items(found))
    return table if all(tensors.is_tensor(each) for each in table.values()) else None


# -- losses -----------------------------------------------------------------------------------------------------------


def _reduced(shape: Shape, reduction: object) -> Shape:
    if reduction in ("mean", "sum", "batchmean"):
        return ()
    if reduction == "none":
        return shape
    raise NotKnown


def _lost(name: str, module: Any, inputs: list[Value], state: State) -> Value | Finding | None:
    own = safe.instance_dict(module) or {}
    function = type(module).forward
    if len(inputs) < 2 and name in ("CrossEntropyLoss", "NLLLoss", *_NAMES_OF_LOSSES):
        _, error = attempt(lambda: function(module, *[None] * len(inputs)))
        return crash(error) if type(error) is TypeError and "positional argument" in str(error) else _give_up()
    operands = Operands(inputs, {}, state)
    if len(operands.tensors) != 2 or len(inputs) != 2 or not operands.exact:
        raise NotKnown
    weights = [
        each for place in ("_parameters", "_buffers") for _, each in models.entries(own.get(place)) if each is not None
    ]
    if name in ("CrossEntropyLoss", "NLLLoss"):
        return _entropy(name == "CrossEntropyLoss", operands, own.get("reduction"), own.get("ignore_index"), weights)
    if weights:
        raise NotKnown
    return _compared(_NAMES_OF_LOSSES.get(name, ""), operands, own.get("reduction"))


_NAMES_OF_LOSSES = {
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
}


def _compared(name: str, operands: Operands, reduction: object) -> Value | Finding | None:
    """Follow a loss that compares two tensors element by element. Source: `torch/nn/functional.py`."""
    function = safe.loaded("torch.nn.functional", name) if name else None
    if not safe.comes_from(function, "torch") or len(operands.tensors) != 2:
        raise NotKnown
    x, y = (_form(each) for each in operands.tensors)
    shape = x.shape
    if name.startswith("binary_"):
        fits = x.shape == y.shape and (name.endswith("logits") or x.dtype == y.dtype)
    else:
        found = _broadcast(x.shape, y.shape)
        fits, shape = found is not None, found or ()
    if not fits:
        finding = full_crash(function, operands, None)
        return finding or _give_up()
    if y.dtype != x.dtype and {x.dtype, y.dtype} <= {*_FLOATS, "int64", "int32"}:
        arguments, keywords = operands.built(operands.ones(small_sizes(operands)))
        compute: Any = function
        made, error = attempt(lambda: compute(*arguments, **keywords))
        if error is not None:
            return crash(error)
        return like(_reduced(shape, reduction), made.dtype, grad=operands.grad())
    if x.dtype not in _FLOATS or y.dtype != x.dtype:
        raise NotKnown
    found_loss = like(_reduced(shape, reduction), operands.tensors[0].dtype, grad=operands.grad())
    if name in ("mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
        keeps_graph(found_loss, operands)
    return found_loss


def _broadcast(left: Shape, right: Shape) -> Shape | None:
    from ...readers import combining

    return combining.combined("broadcast", [left, right], 0, "torch")


def _entropy(
    logits: bool, operands: Operands, reduction: object, ignored: object, weights: list[Any]
) -> Value | Finding | None:
    """Follow cross entropy. Source: torch, `aten/src/ATen/native/LossNLL.cpp`, cross_entropy_loss, nll_loss_nd."""
    torch: Any = safe.loaded("torch")
    first, target = operands.tensors
    x, y = _form(first), _form(target)
    whole = safe.loaded("torch.nn.functional", "cross_entropy" if logits else "nll_loss")
    if x.dtype == "int64" and len(x.shape) in (1, 2) and 0 not in x.shape and safe.comes_from(whole, "torch"):
        return full_crash(whole, operands, None) or _give_up()
    if len(x.shape) == 0 or 0 in x.shape or x.dtype not in _FLOATS or type(ignored) is not int:
        raise NotKnown
    if any(
        tuple(each.shape) != (x.shape[1 if len(x.shape) > 1 else 0],) or each.dtype is not first.dtype
        for each in weights
    ):
        raise NotKnown
    wanted = () if len(x.shape) == 1 else (x.shape[0], *x.shape[2:])
    if logits and y.shape == x.shape and y.dtype == x.dtype:
        return like(_reduced(wanted, reduction), first.dtype, grad=operands.grad())
    if y.dtype == "uint8":
        raise NotKnown
    function = safe.loaded("torch.nn.functional", "cross_entropy" if logits and y.shape == x.shape else "nll_loss")
    if not safe.comes_from(function, "torch"):
        raise NotKnown
    if y.shape != wanted or y.dtype != "int64":
        if logits and y.shape != x.shape and len(x.shape) > 2 and y.dtype != "int64":
            raise NotKnown
        return full_crash(function, operands, None) or _give_up()
    state = operands.state
    given: Any = state.live(operands.values[1])
    real = given is target and target.numel() <= MAX_LOOKED_UP and len(x.shape) == 2
    if real:
        table = torch.zeros((1, 1), dtype=first.dtype).expand(x.shape)
        copy = target.detach().clone()
        _, error = attempt(lambda: function(table, copy, ignore_index=ignored))
        if error is not None:
            return crash(error)
    return keeps_graph(like(_reduced(wanted, reduction), first.dtype, grad=operands.grad()), operands)


def keeps_graph(found: Like, operands: Operands) -> Like:
    """Note that going backward from a loss needs what was kept when it was computed, and frees it."""
    if GRAD in found.knows and found.object.requires_grad:  # type: ignore[attr-defined]
        operands.state.memo.setdefault("torch keeps", {})[id(found.object)] = found.object
    return found


# -- functions of nn.functional ---------------------------------------------------------------------------------------


def _named(site: CallSite, names: str, defaults: dict[str, Any], state: State) -> Operands:
    """Return the arguments of a call by their names, tensors first; the rest in `Operands.keywords`."""
    order = names.split()
    if len(site.arguments) > len(order) or any(name not in order for name in site.keywords):
        raise NotKnown
    found: dict[str, Value] = dict(zip(order, site.arguments))
    if any(name in found for name in site.keywords):
        raise NotKnown
    found.update(site.keywords)
    operands = Operands([], found, state)
    for name, value in defaults.items():
        operands.keywords.setdefault(name, value)
    return operands


def _tensor_at(operands: Operands, name: str) -> Any:
    slot = operands.keywords.get(name)
    if slot is None or not hasattr(slot, "place"):
        raise NotKnown
    return operands.tensors[slot.place]


def _functional(rule: Callable[[Operands, Any], Value | Finding | None], names: str, **defaults: Any) -> Any:
    def follow(site: CallSite, state: State) -> Value | Finding | None:
        operands = _named(site, names, defaults, state)
        function: Any = state.live(site.callee)

        def crashed() -> Finding | None:
            if not operands.exact:
                raise NotKnown
            stand_ins = operands.full()
            if stand_ins is None:
                raise NotKnown
            asked = Operands(site.arguments, site.keywords, state)
            arguments, keywords = asked.built(asked.full() or _give_up())
            _, error = attempt(lambda: function(*arguments, **keywords))
            return None if error is None else crash(error)

        try:
            return rule(operands, site)
        except _Misfit:
            finding = crashed()
            if finding is None:
                raise NotKnown from None
            return finding
        except _Unclear:
            raise NotKnown from None

    return follow


def _f_linear(operands: Operands, site: CallSite) -> Value:
    x, weight = _tensor_at(operands, "input"), _tensor_at(operands, "weight")
    if not operands.exact or len({each.dtype for each in operands.tensors}) != 1:
        raise NotKnown
    shape = _multiplied(_form(x), _form(weight))
    if operands.keywords.get("bias") is not None and tuple(_tensor_at(operands, "bias").shape) != tuple(
        weight.shape[:1]
    ):
        raise NotKnown
    return like(shape, x.dtype, grad=operands.grad())


def _f_conv(formula: Any) -> Any:
    def conv(operands: Operands, site: CallSite) -> Value:
        x, weight = _tensor_at(operands, "input"), _tensor_at(operands, "weight")
        if not operands.exact or len({each.dtype for each in operands.tensors}) != 1:
            raise NotKnown
        shape = formula(_form(x), _form(weight), operands.keywords)
        if operands.keywords.get("bias") is not None and tuple(_tensor_at(operands, "bias").shape) != (
            shape[-len(weight.shape) + 1],
        ):
            raise NotKnown
        return like(shape, x.dtype, grad=operands.grad())

    return conv


def _f_pool(formula: Any) -> Any:
    def pool(operands: Operands, site: CallSite) -> Value:
        x = _tensor_at(operands, "input")
        if operands.keywords.get("return_indices", False) is not False or len(operands.tensors) != 1:
            raise NotKnown
        return like(formula(_form(x), operands.keywords), x.dtype, grad=operands.grad(), dtype_known=operands.exact)

    return pool


def _f_same(operands: Operands, site: CallSite) -> Value:
    x = _tensor_at(operands, "input")
    if _form(x).dtype not in _FLOATS or len(operands.tensors) != 1 or operands.keywords.get("inplace") is True:
        raise NotKnown
    p = operands.keywords.get("p", 0.5)
    if type(p) not in (int, float) or not 0 <= p <= 1:
        raise NotKnown
    return like_of(x, grad=operands.grad(), dtype_known=operands.exact)


def _f_entropy(logits: bool) -> Any:
    def entropy(operands: Operands, site: CallSite) -> Value | Finding | None:
        x, y = _tensor_at(operands, "input"), _tensor_at(operands, "target")
        known = operands.keywords
        if known.get("weight") is not None or known.get("size_average") is not None or known.get("reduce") is not None:
            raise NotKnown
        if known.get("label_smoothing", 0.0) != 0.0 or len(operands.tensors) != 2 or not operands.exact:
            raise NotKnown
        values = [operands.values[known["input"].place], operands.values[known["target"].place]]
        del x, y
        return _entropy(logits, Operands(values, {}, operands.state), known["reduction"], known["ignore_index"], [])

    return entropy


def _f_compared(name: str) -> Any:
    def compared(operands: Operands, site: CallSite) -> Value | Finding | None:
        known = operands.keywords
        others = {each for each in known if known[each] is not None} - {"input", "target", "reduction"}
        if others or len(operands.tensors) != 2 or not operands.exact:
            raise NotKnown
        values = [operands.values[known["input"].place], operands.values[known["target"].place]]
        return _compared(name, Operands(values, {}, operands.state), known["reduction"])

    return compared


def _f_embedding(operands: Operands, site: CallSite) -> Value | Finding:
    index, weight = _tensor_at(operands, "input"), _tensor_at(operands, "weight")
    others = {each for each in operands.keywords if operands.keywords[each] is not None} - {"input", "weight"}
    if others or len(weight.shape) != 2 or not operands.exact:
        raise NotKnown
    if str(index.dtype) not in ("torch.int64", "torch.int32"):
        raise _Misfit
    values = Operands([operands.values[operands.keywords["input"].place]], {}, operands.state)
    return _looked_up(index, weight, values, site, operands.state)


_POOL = "input kernel_size stride padding"
_CONV = "input weight bias stride padding dilation groups"
_FUNCTIONAL: dict[str, Any] = {
    "linear": _functional(_f_linear, "input weight bias"),
    **{
        "conv{}d".format(rank): _functional(_f_conv(_convolved), _CONV, stride=1, padding=0, dilation=1, groups=1)
        for rank in (1, 2, 3)
    },
    **{
        "conv_transpose{}d".format(rank): _functional(
            _f_conv(_transposed), "input weight bias stride padding output_padding groups dilation"
        )
        for rank in (1, 2, 3)
    },
    **{
        "max_pool{}d".format(rank): _functional(_f_pool(_pooled(rank)), _POOL + " dilation ceil_mode return_indices")
        for rank in (1, 2, 3)
    },
    **{
        "avg_pool{}d".format(rank): _functional(_f_pool(_pooled(rank)), _POOL + " ceil_mode count_include_pad")
        for rank in (1, 2, 3)
    },
    **{
        "adaptive_avg_pool{}d".format(rank): _functional(_f_pool(_adapted(rank)), "input output_size")
        for rank in (1, 2, 3)
    },
    "dropout": _functional(_f_same, "input p training inplace"),
    "gelu": _functional(_f_same, "input approximate"),
    "cross_entropy": _functional(
        _f_entropy(True),
        "input target weight size_average ignore_index reduce reduction label_smoothing",
        reduction="mean",
        ignore_index=-100,
    ),
    "nll_loss": _functional(
        _f_entropy(False),
        "input target weight size_average ignore_index reduce reduction",
        reduction="mean",
        ignore_index=-100,
    ),
    **{
        name: _functional(_f_compared(name), "input target size_average reduce reduction", reduction="mean")
        for name in ("mse_loss", "l1_loss")
    },
    "binary_cross_entropy": _functional(
        _f_compared("binary_cross_entropy"), "input target weight size_average reduce reduction", reduction="mean"
    ),
    "binary_cross_entropy_with_logits": _functional(
        _f_compared("binary_cross_entropy_with_logits"),
        "input target weight size_average reduce reduction pos_weight",
        reduction="mean",
    ),
    "embedding": _functional(_f_embedding, "input weight padding_idx max_norm norm_type scale_grad_by_freq sparse"),
    "interpolate": _functional(
        lambda operands, site: like(
            _upsampled(_form(_tensor_at(operands, "input")), operands.keywords),
            _tensor_at(operands, "input").dtype,
            grad=operands.grad(),
            dtype_known=operands.exact,
        ),
        "input size scale_factor mode align_corners",
    ),
}

# -- containers -------------------------------------------------------------------------------------------------------


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``layers[0]`` of a Sequential or ModuleList."""
    module = module_of(site.owner, state)
    key: Any = state.plain(site.key)
    if module is None or site.context != "load" or own_layer(module) not in ("Sequential", "ModuleList"):
        return None
    if type(key) is not int:
        return None
    held = [each for _, each in models.entries((safe.instance_dict(module) or {}).get("_modules"))]
    if -len(held) <= key < len(held):
        return Known(held[key]) if type(site.owner) is Known else Like(held[key], frozenset([LAYER]))
    empty, error = _attempt_index(type(module), len(held), key)
    del empty
    return None if error is None else crash(error)


def _attempt_index(cls: Any, count: int, key: int) -> tuple[Any, Exception | None]:
    identity: Any = safe.loaded("torch.nn.modules.linear", "Identity")
    if count > MAX_LAYERS:
        raise NotKnown
    made = (
        cls(*[identity() for _ in range(count)]) if safe.class_name(cls) == "Sequential" else cls([identity()] * count)
    )
    return attempt(lambda: made[key])


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Return the layers of a Sequential or ModuleList, the parameters of a module, or the first batch of a loader."""
    if type(site.value) is Made and site.value.kind == "parameters":
        real = site.value.facts.get("real")
        found = site.value.facts.pop("found", None)
        if found is None:
            return None
        if real:
            return Elements([Known(each) for each in found])
        return Elements([Like(each, frozenset(["shape", "dtype", STRIDES, GRAD])) for each in found])
    module = module_of(site.value, state)
    if module is None or not safe.is_from(type(module), "torch"):
        return None
    if safe.class_name(type(module)) not in ("Sequential", "ModuleList"):
        return None
    held = [each for _, each in models.entries((safe.instance_dict(module) or {}).get("_modules"))]
    real = type(site.value) is Known
    return Elements([Known(each) if real else Like(each, frozenset([LAYER])) for each in held])


# -- optimizers -------------------------------------------------------------------------------------------------------


def _other_class(cls: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of an optimizer."""
    if not safe.inherits(cls, safe.loaded("torch.optim.optimizer", "Optimizer")) or not safe.is_from(cls, "torch"):
        return None
    first = site.arguments[0] if site.arguments else site.keywords.get("params")
    finding = _unfit_settings(cls, site, state) or _unfit_parameters(first, state)
    if finding is not None:
        return finding
    state.may_raise(site.node, "making an optimizer may raise")
    return Foreign("torch")


def _unfit_settings(cls: Any, site: CallSite, state: State) -> Finding | None:
    """Return the crash of making an optimizer with these settings; its own class says so, of no parameters."""
    if not site.complete or not safe.comes_from(safe.class_dict(cls).get("__init__"), "torch"):
        return None
    settings = [state.plain(each) for each in site.arguments[1:]]
    named = {name: state.plain(each) for name, each in site.keywords.items() if name != "params"}
    if safe.ABSENT in [*settings, *named.values()] or not (site.arguments or "params" in site.keywords):
        return None
    # Making one marks its class as patched, once; and reading a rate that is a tensor is not for here.
    quiet: Any = type(safe.class_name(cls), (cls,), {"_patch_step_function": lambda self: None})
    _, error = attempt(lambda: quiet([], *settings, **named))
    first = site.arguments[0] if site.arguments else site.keywords["params"]
    if error is None or "empty parameter list" in str(error):
        empty = type(first) is Made and first.kind == "parameters" and first.facts.get("found") == []
        empty = empty or (type(state.live(first)) is list and state.live(first) == [])
        return crash(error) if error is not None and empty else None
    if type(error) not in (TypeError, ValueError):
        return None
    return crash(error, state.level(*site.arguments[1:], *site.keywords.values()))


def _unfit_parameters(value: Value | None, state: State) -> Finding | None:
    """Return the crash of an optimizer of what cannot be iterated over: a module, a method that is not called."""
    name = ""
    found: Any = state.live(value)
    uncalled = type(value) is Made and value.kind in ("method of a layer", "module_method")
    if uncalled or type(found) is types.MethodType:
        name = "method"
    elif models.is_torch_module(found):
        name = "" if _is_iterable(type(found)) else safe.class_name(type(found))
    if not name:
        return None
    text = "'{}' object is not iterable".format(name)
    return running.crash(TypeError(text), "torch", SCHEMA, "type error", "it wants parameters: model.parameters()")


def _is_iterable(cls: Any) -> bool:
    return any(safe.in_type(cls, each) is not safe.ABSENT for each in ("__iter__", "__getitem__"))


HANDLERS = {
    "attribute": [guarded(attribute)],
    "item": [guarded(item)],
    "call": [guarded(call)],
    "iterate": [guarded(iterate)],
}
