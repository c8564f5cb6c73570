"""torch: tensors and what torch's functions make of them.

A tensor of which only the structure is known is a `Like` whose stand-in lies on the meta device: it has no memory.
`knows` says more of it than of others: `STRIDES` how it lies in memory, `GRAD` whether it takes part in autograd.

torch is asked on the CPU, with stand-ins of ones that are small: where a result takes each of its sizes from one of the
operands (`_FOLLOWS_SIZES`), large sizes are replaced by small ones, different ones by different ones, and put back
afterwards. A crash is told in torch's own words: the same is asked with operands of the true sizes, whose memory is
never touched, since torch compares sizes before it computes. The meta device is not asked for more than views and empty
tensors: most of its functions are written in Python and import the first time they run.

What is asked runs in the thread that asks, without gradients, and draws no random numbers. Functions that torch spreads
over threads whatever the size (softmax, convolutions, norms) are not run: `shapes` tells what comes out of them.

To add a function, put its name into the table that says where the sizes of its result come from; one that needs code
of its own goes into `_FUNCTIONS` or `_METHODS`.
"""

from __future__ import annotations

import ast
import operator
import sys
import types
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ... import safe
from ...privacy import SCHEMA
from ...readers import blocks, tensors
from .. import rules
from ..sites import AttributeSite, CallSite, CompareSite, Finding, OperatorSite, SubscriptSite, UnarySite, ValueSite
from ..values import (
    DTYPE,
    SHAPE,
    STRUCTURE,
    UNKNOWN,
    Elements,
    Foreign,
    Hole,
    Known,
    Like,
    Made,
    Method,
    Value,
    of_element,
)
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "torch"

STRIDES = "strides"
"""How a tensor lies in memory."""
GRAD = "grad"
"""Whether a tensor requires a gradient."""
LEAF = "leaf"
"""That it is no result of others."""

MAX_ELEMENTS = 2_000
"""Elements of all stand-ins together that a function is run on; torch uses one thread for so few."""
MAX_LOOKED_UP = 20_000
"""Elements that are looked up in a table, or copied."""
MAX_BYTES = 1 << 30
"""Memory that a stand-in of the true size may have, of which nothing is touched [bytes]."""
MAX_ROWS = 64
"""Elements along the first axis that iterating yields one by one."""
MAX_RANK = 8

_COUNTED = ("RuntimeError", "ValueError", "IndexError", "TypeError", "NotImplementedError")

# -- what is what -----------------------------------------------------------------------------------------------------


def tensor_of(value: Value | None, state: State) -> Any:
    """Return a tensor with the shape of a value, and what else its stand-in knows; None if it is no such tensor.

    Only dense tensors in main memory: those elsewhere obey other functions.
    """
    found: Any = state.form(value, SHAPE)
    if found is safe.ABSENT or not tensors.is_tensor(found) or _is_hidden(found):
        return None
    is_real = type(value) is Known and state.knows(value) == STRUCTURE
    place = found.device.type
    if found.layout is not safe.loaded("torch", "strided") or not (place == "cpu" or (place == "meta" and not is_real)):
        return None
    return None if found.is_nested or len(found.shape) > MAX_RANK else found


def _is_hidden(tensor: Any) -> bool:
    """Whether an attribute was put on the object itself that hides one of the class."""
    own = safe.instance_dict(tensor) or {}
    return any(name in own for name in ("shape", "dtype", "device", "size", "layout"))


def knows(value: Value | None, fact: str, state: State) -> bool:
    """Whether a fact of a tensor is known; of a real one all are."""
    found = state.knows(value)
    like = state.form(value)
    return fact in found or (found == STRUCTURE and like is not safe.ABSENT and like.device.type != "meta")


def like(
    shape: Any,
    dtype: Any,
    *,
    strides: Any = None,
    grad: bool | None = None,
    dtype_known: bool = True,
    parameter: bool = False,
    leaf: bool = False,
) -> Like:
    """Return a tensor of which only this is known.

    Args:
        shape: Its sizes.
        dtype: Its dtype, or the one its stand-in gets.
        strides: Its strides; None if they are not known.
        grad: Whether it requires a gradient; None if that is not known.
        dtype_known: Whether `dtype` is its own.
        parameter: Whether it is a parameter.
        leaf: Whether it is known to be no result of others.
    """
    torch: Any = safe.loaded("torch")
    shape = tuple(int(each) for each in shape)
    if strides is None:
        found = torch.empty(shape, dtype=dtype, device="meta")
    else:
        found = torch.empty_strided(shape, tuple(strides), dtype=dtype, device="meta")
    if parameter:
        found = _as_parameter(found)
    if found.is_floating_point() or found.is_complex():
        found.requires_grad_(bool(grad))
    else:
        grad = False
    facts = {SHAPE}
    facts.update([DTYPE] if dtype_known else [])
    facts.update([STRIDES] if strides is not None else [])
    facts.update([GRAD] if grad is not None else [])
    facts.update([LEAF] if leaf else [])
    return Like(found, frozenset(facts))


def _as_parameter(tensor: Any) -> Any:
    kind: Any = safe.loaded("torch.nn.parameter", "Parameter")
    return safe.loaded("torch", "Tensor")._make_subclass(kind, tensor, False)


def like_of(tensor: Any, **facts: Any) -> Like:
    """Return what is like a tensor that torch made of stand-ins."""
    return like(tensor.shape, tensor.dtype, **facts)


def is_usual() -> bool:
    """Whether torch does what it does by default: it may be told to compute, or to fill memory, otherwise."""
    torch: Any = safe.loaded("torch")
    flag: Any = safe.loaded("torch._C", "_get_deterministic_algorithms")
    is_own = type(flag) is safe.BuiltinFunctionType and type(torch.empty) is safe.BuiltinFunctionType
    return bool(is_own and not flag())


# -- modes of torch that the cell, or one before it, may have set ---------------------------------------------------

_OF_ANYTHING = ("__enter__", "enter_context", "%run", "exec(")
_OF_GRADIENTS = ("set_grad_enabled", "grad_mode", "inference_mode", *_OF_ANYTHING)
_OF_PLACES = ("set_default_device", "set_default_tensor_type", *_OF_ANYTHING)


def modes_known(state: State) -> bool:
    """Whether gradients are recorded, as by default.

    That is a setting of the main thread, which no other thread can read. It is taken to be the default if no cell so
    far, nor a module of the user's own, has a word in it that could set it.
    """
    if "torch gradients" not in state.memo:
        state.memo["torch gradients"] = not _may_be_set(state.shell, _OF_GRADIENTS)
    return state.memo["torch gradients"] is True


def places_known(state: State) -> bool:
    """Whether new tensors lie in main memory and have the default dtype of this moment; see `modes_known`."""
    if "torch places" not in state.memo:
        state.memo["torch places"] = not _may_be_set(state.shell, _OF_PLACES)
    return state.memo["torch places"] is True


def forget_modes(name: str, state: State) -> None:
    """From here on gradients, dtypes or devices are as the cell sets them, which is not followed."""
    if name in ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"):
        state.memo["torch gradients"] = False
    elif name in ("autocast", "use_deterministic_algorithms"):
        state.memo["torch computes otherwise"] = True
    else:
        state.memo["torch places"] = False


def _may_be_set(shell: Any, words: tuple[str, ...]) -> bool:
    cells: Any = shell.user_ns.get("In")
    if not safe.inherits(type(cells), list):
        return True
    for cell in list.copy(cells):
        if type(cell) is not str or any(word in cell for word in words):
            return True
    torch = safe.loaded("torch")
    return any(_names_torch(module, torch) and _is_users(module) for module in list(sys.modules.values()))


def _names_torch(module: object, torch: object) -> bool:
    """Whether a module has torch among its names."""
    own = module.__dict__ if type(module) is types.ModuleType else safe.instance_dict(module) or {}
    return own.get("torch") is torch


def _is_users(module: object) -> bool:
    """Whether a module lies where no library is installed."""
    own = safe.instance_dict(module) or {}
    home = own.get("__file__")
    # torch itself writes the second one, into a folder of its own. Source: torch, `distributed/nn/jit/instantiator.py`.
    if own.get("__name__") in ("__main__", "_remote_module_non_scriptable"):
        return False
    return type(home) is not str or ("site-packages" not in home and "dist-packages" not in home)


# -- operands ---------------------------------------------------------------------------------------------------------


class NotKnown(Exception):
    """An argument whose value, or structure, is not known."""


class _Slot(NamedTuple):
    """Stands for the tensor at this place of `Operands.tensors`."""

    place: int


class Operands:
    """What a call is given: plain arguments, and tensors that stand-ins are put in the place of.

    Attributes:
        tensors: The tensors, real ones and those of stand-ins, in order.
        values: Their values.
        exact: Whether the dtype of each is known.
        state: The walk's state.
    """

    def __init__(self, arguments: Any, keywords: dict[str, Value], state: State) -> None:
        if state.memo.get("torch computes otherwise"):
            raise NotKnown
        self.state = state
        self.tensors: list[Any] = []
        self.values: list[Value] = []
        self.arguments = [self._tree(each, 3) for each in arguments]
        self.keywords = {name: self._tree(each, 3) for name, each in keywords.items()}
        self.exact = all(knows(each, DTYPE, state) for each in self.values)

    def _tree(self, value: Value, depth: int) -> Any:
        tensor = tensor_of(value, self.state)
        if tensor is not None:
            self.tensors.append(tensor)
            self.values.append(value)
            return _Slot(len(self.tensors) - 1)
        found: Any = self.state.live(value)
        kind = type(found)
        if type(value) is Method:
            return self._uncalled(value)
        if found is safe.ABSENT or depth == 0:
            raise NotKnown
        if safe.one_of(kind, (list, tuple)):
            if len(found) > 500:
                raise NotKnown
            return kind([self._tree(of_element(each), depth - 1) for each in found])
        if kind is slice:
            return slice(*(self._tree(Known(each), 1) for each in (found.start, found.stop, found.step)))
        if safe.one_of(kind, safe.SCALARS) or found is Ellipsis or _is_of_torch(kind):
            if _is_of_torch(kind) and safe.class_name(kind) == "device" and found.type != "cpu":
                raise NotKnown
            return found
        if _is_numpy_scalar(kind):
            return found
        raise NotKnown

    def _uncalled(self, method: Method) -> Any:
        """Return a method of a stand-in: nobody takes one, and all are told to be of the same type."""
        tensor = tensor_of(method.owner, self.state)
        if tensor is None or not is_own_method(tensor, method.name):
            raise NotKnown
        return getattr(_ones([1], tensor), method.name)

    def built(self, stand_ins: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments and keywords with these in the place of the tensors."""
        return [_filled(each, stand_ins) for each in self.arguments], {
            name: _filled(each, stand_ins) for name, each in self.keywords.items()
        }

    def ones(self, sizes: dict[int, int]) -> list[Any]:
        """Return small tensors full of ones, with these sizes in the place of the true ones."""
        return [_ones([sizes.get(size, size) for size in each.shape], each) for each in self.tensors]

    def full(self) -> list[Any] | None:
        """Return tensors of the true sizes, of which no memory is touched; None if they are too large."""
        found = [_untouched(tensor) for tensor in self.tensors]
        return None if any(each is None for each in found) else found

    def elements(self) -> int:
        """Return the number of elements, of all tensors together or of what they are broadcast to, if that is more."""
        sizes = [1] * MAX_RANK
        for each in self.tensors:
            for place, size in enumerate(reversed(each.shape)):
                sizes[place] = max(int(size), sizes[place])
        total = 1
        for size in sizes:
            total *= size
        return max(total, sum(int(each.numel()) for each in self.tensors))

    def strided(self) -> bool:
        """Whether all tensors lie in memory in order."""
        return all(knows(value, STRIDES, self.state) for value in self.values) and all(
            each.is_contiguous() for each in self.tensors
        )

    def grad(self) -> bool | None:
        """Whether what is computed of these takes part in autograd; None if that is not known."""
        if not all(knows(value, GRAD, self.state) for value in self.values):
            return None
        if not any(each.requires_grad for each in self.tensors):
            return False
        return True if modes_known(self.state) else None

    def real(self) -> bool:
        """Whether the numbers of all tensors are known, and few, and none takes part in autograd."""
        pairs: list[tuple[Value, Any]] = list(zip(self.values, self.tensors))
        return all(
            type(value) is Known
            and id(self.state.live(value)) == id(tensor)
            and not tensor.requires_grad
            and not tensor.is_conj()
            and not tensor.is_neg()
            for value, tensor in pairs
        )


def _is_of_torch(kind: type) -> bool:
    name = safe.class_name(kind)
    known = name in ("dtype", "device", "memory_format", "Size", "layout") and safe.class_module(kind) == "torch"
    return known and kind is safe.loaded("torch", name)


def _is_numpy_scalar(kind: type) -> bool:
    return safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.class_module(kind) == "numpy"


def _filled(tree: Any, stand_ins: list[Any]) -> Any:
    if type(tree) is _Slot:
        return stand_ins[tree.place]
    if safe.one_of(type(tree), (list, tuple)):
        return type(tree)([_filled(each, stand_ins) for each in tree])
    return tree


def _ones(shape: list[int], model: Any) -> Any:
    torch: Any = safe.loaded("torch")
    found = torch.ones(shape, dtype=model.dtype, device="cpu")
    return found if type(model) is torch.Tensor else _as_parameter(found)


def _untouched(model: Any) -> Any:
    torch: Any = safe.loaded("torch")
    shape = tuple(model.shape)
    extent = 1 + sum((size - 1) * stride for size, stride in zip(shape, model.stride())) if model.numel() else 0
    if extent * model.element_size() > MAX_BYTES:
        return None
    if model.is_floating_point():
        found = torch.empty_strided(shape, model.stride(), dtype=model.dtype, device="cpu")
    elif model.numel() <= MAX_ELEMENTS:
        found = torch.ones(shape, dtype=model.dtype, device="cpu")
    else:
        found = torch.ones((1,) * len(shape), dtype=model.dtype, device="cpu").expand(shape)
    return found if type(model) is torch.Tensor else _as_parameter(found)


def small_sizes(operands: Operands) -> dict[int, int]:
    """Return small sizes in the place of the large ones, different ones for different ones; 0 and 1 stay."""
    if operands.elements() <= MAX_ELEMENTS:
        return {}
    distinct = sorted({int(size) for each in operands.tensors for size in each.shape} - {0, 1})
    return {size: place + 2 for place, size in enumerate(distinct)}


# -- asking torch ---------------------------------------------------------------------------------------------------


def attempt(compute: Callable[[], Any], *, grad: bool = False) -> tuple[Any, Exception | None]:
    """Run something on stand-ins; return what it gives, or what it raises.

    Args:
        compute: What is run.
        grad: Whether gradients are recorded meanwhile.

    Raises:
        NotKnown: It raises what tells nothing about the operands.
    """
    torch: Any = safe.loaded("torch")
    if not is_usual():
        raise NotKnown
    # Not the manager `no_grad`, which somebody may have replaced: what it does, for this thread alone.
    before = torch.is_grad_enabled()
    torch._C._set_grad_enabled(grad)
    try:
        with running.quiet():
            return compute(), None
    except (MemoryError, RecursionError):
        raise NotKnown from None
    except Exception as error:  # noqa: BLE001 - torch is the oracle: what it raises of stand-ins is looked at
        if safe.class_name(type(error)) not in _COUNTED:
            raise NotKnown from None
        return None, error
    finally:
        torch._C._set_grad_enabled(before)


def crash(error: Exception, level: str = SCHEMA) -> Finding:
    """Return the finding of an exception that torch raised for operands of this structure."""
    finding = running.crash(error, "torch", level, crash_type_of(error), "{} itself says so for tensors of these sizes")
    return finding


_SIZES = ("shape", "size", "dimension", "channels", "broadcast", "numel", "must match")


def crash_type_of(error: Exception) -> str:
    """Return JunoBench's label of an exception of torch's."""
    message = str(error)
    if type(error) is RuntimeError or type(error) is ValueError:
        if "type" in message and not any(word in message for word in ("shape", "size")):
            return "type error"
        if any(word in message for word in _SIZES):
            return "tensor shape mismatch"
        return "runtime error" if type(error) is RuntimeError else "value error"
    return "type error" if type(error) is NotImplementedError else rules.crash_type_of(error)


def full_crash(function: Any, operands: Operands, first: Exception | None) -> Finding | None:
    """Return the crash that torch tells for operands of the true sizes; None if it does not raise, or another."""
    if not operands.exact:
        return None
    stand_ins = operands.full()
    if stand_ins is None:
        return None
    arguments, keywords = operands.built(stand_ins)
    _, error = attempt(lambda: function(*arguments, **keywords))
    if error is None or (first is not None and type(error) is not type(first)):
        return None
    return crash(error)


def as_value(found: Any, operands: Operands, back: dict[int, int], *, strided: bool, dtype_known: bool = True) -> Value:
    """Return what torch made of stand-ins as a value, with the true sizes put back."""
    torch: Any = safe.loaded("torch")
    kind = type(found)
    if kind is torch.Tensor or tensors.is_tensor(found):
        shape = [back.get(int(size), int(size)) for size in found.shape]
        strides = contiguous(shape) if strided and found.is_contiguous() else None
        floats = found.is_floating_point() or found.is_complex()
        grad = operands.grad() if floats or not dtype_known else False
        return like(shape, found.dtype, strides=strides, grad=grad, dtype_known=operands.exact and dtype_known)
    if safe.one_of(kind, (list, tuple)):
        return Known(
            kind([Hole(as_value(each, operands, back, strided=strided, dtype_known=dtype_known)) for each in found])
        )
    if safe.class_module(kind).startswith("torch.return_types"):
        parts = [as_value(each, operands, back, strided=False, dtype_known=dtype_known) for each in found]
        facts = frozenset.intersection(*(part.knows for part in parts if type(part) is Like))
        return Like(kind([part.object for part in parts if type(part) is Like]), facts)
    if not back and (safe.one_of(kind, (int, float, bool)) or _is_of_torch(kind)):
        return Known(found, level=SCHEMA)
    return UNKNOWN


def contiguous(shape: Any) -> tuple[int, ...]:
    """Return the strides of a tensor that lies in memory in order."""
    strides: list[int] = []
    step = 1
    for size in reversed(tuple(shape)):
        strides.insert(0, step)
        step *= max(int(size), 1)
    return tuple(strides)


# -- the table --------------------------------------------------------------------------------------------------------

# What each function does, by its name as a function of torch, a method of a tensor, or both. Source: the torch
# reference, "torch", "torch.Tensor" and "torch.nn.functional".

_VIEWS = frozenset(
    "view permute transpose t swapaxes swapdims swapaxes movedim moveaxis squeeze unsqueeze expand expand_as view_as "
    "narrow select diagonal unbind chunk split tensor_split hsplit vsplit dsplit detach adjoint "
    "broadcast_to split_with_sizes alias as_strided mT mH atleast_1d atleast_2d atleast_3d positive".split()
)
"""Another look at the same memory; the result lies as torch says."""

_IN_ORDER = frozenset("reshape flatten ravel unflatten reshape_as".split())
"""The same numbers in order, copied if need be: what matters is the shape alone."""

_FOLLOWS_SIZES = frozenset(
    # one operand
    "abs absolute neg negative sign sgn exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos sinh "
    "cosh tanh arcsin arccos sigmoid relu floor ceil round trunc fix frac square reciprocal erf erfc "
    "isnan isinf isfinite isneginf isposinf isreal logical_not bitwise_not nan_to_num clamp clip clamp_min clamp_max "
    "lgamma digamma deg2rad rad2deg angle conj "
    # two and three operands
    "add sub subtract mul multiply div divide true_divide maximum minimum fmax fmin eq ne lt le gt ge not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor atan2 "
    "arctan2 where lerp addcmul addcdiv isclose hypot masked_fill floor_divide remainder fmod pow copysign xlogy "
    # reductions, and what runs along an axis
    "sum mean prod max min amax amin aminmax argmax argmin std var all any logsumexp median nanmedian cumsum "
    "cumprod cummax cummin sort argsort count_nonzero nansum nanmean std_mean var_mean flip fliplr flipud rot90 roll "
    "clone diff_ zeros_like ones_like empty_like full_like "
    # methods that compare or cast
    "equal allclose dist numel nelement dim ndimension is_floating_point is_complex is_contiguous element_size "
    "type_as gather index_select take_along_dim "
    # activations of torch.nn.functional that torch computes element by element
    "relu6 leaky_relu elu selu celu silu mish softplus softsign hardtanh hardswish hardsigmoid tanhshrink "
    "softshrink hardshrink".split()
)
"""Every size of the result is 1 or one of an operand."""

_WITH_CONTENT = _FOLLOWS_SIZES - frozenset("empty_like diff_".split())
"""With numbers known, and few, torch is asked for the result itself; so with views."""

_BY_CONTENT = frozenset("floor_divide remainder fmod pow gather index_select take_along_dim logit".split())
"""May raise for what the operands hold."""

_GROWS = frozenset(
    "cat concat concatenate stack hstack vstack dstack row_stack column_stack repeat tile topk "
    "kthvalue one_hot block_diag cartesian_prod combinations diff outer ger dot vdot trace "
    "diag diag_embed bincount_ tril_indices triu_indices logcumsumexp quantile_ unfold_ channel_shuffle_ trapz "
    "pixel_shuffle_ pad histc_ nonzero_ cov corrcoef cdist_ vander narrow_copy".split()
)
"""Sizes of the result are computed from those of the operands: torch is asked at the true sizes, if they are small."""

_MATMUL = frozenset("matmul mm bmm mv __matmul__".split())

_UNTOUCHING = frozenset(
    "atan arctan logit logsigmoid mode repeat_interleave searchsorted bucketize inner kron cross meshgrid "
    "nonzero unique unique_consecutive masked_select bincount histc cdist quantile nanquantile tolist item is_shared "
    "data_ptr storage untyped_storage stride storage_offset get_device retain_grad register_hook softmax log_softmax "
    "norm renorm inverse det logdet slogdet svd qr cholesky matrix_exp pinverse tril triu take index_fill "
    "index_add index_copy scatter scatter_add scatter_reduce masked_scatter multinomial bernoulli einsum tensordot "
    "baddbmm addmm addmv addbmm addr chain_matmul conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
    "conv_transpose3d layer_norm batch_norm group_norm instance_norm embedding embedding_bag dropout interpolate "
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy kl_div cosine_similarity "
    "binary_cross_entropy_with_logits gelu normalize grid_sample scaled_dot_product_attention fold unfold stft istft "
    "pairwise_distance triplet_margin_loss max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d softmin glu "
    "prelu rrelu gumbel_softmax upsample linear bilinear is_pinned is_nonzero has_names sum_to_size index_put "
    "rand_like "
    "randn_like randint_like dropout2d dropout3d alpha_dropout hinge_embedding_loss margin_ranking_loss "
    "multilabel_soft_margin_loss multi_margin_loss soft_margin_loss cosine_embedding_loss gaussian_nll_loss "
    "poisson_nll_loss ctc_loss rms_norm local_response_norm lp_pool1d lp_pool2d pixel_shuffle pixel_unshuffle "
    "affine_grid is_tensor is_same_size can_cast promote_types result_type".split()
)
"""Change nothing; may raise, and what comes out is not told here."""


def _known_function(callee: Any) -> str:
    """Return the name of a function of torch's own, '' for anything else."""
    if type(callee) is safe.BuiltinFunctionType or safe.comes_from(callee, "torch"):
        name = callee.__name__
    else:
        return ""
    places = ("torch", "torch.nn.functional", "torch.linalg", "torch.special")
    if type(name) is not str or not any(safe.loaded(place, name) is callee for place in places):
        return ""
    return name


def function_of(site: CallSite, state: State) -> str:
    """Return the name of the function of torch's own that a call calls; '' for others."""
    return _known_function(state.live(site.callee))


def is_own_method(tensor: Any, name: str) -> bool:
    """Whether a method of a tensor is torch's own, in C or in Python."""
    entry = safe.in_type(type(tensor), name)
    return safe.one_of(type(entry), (safe.MethodDescriptorType, safe.WrapperDescriptorType)) or (
        safe.comes_from(entry, "torch")
    )


# -- attributes -------------------------------------------------------------------------------------------------------

_FLAGS = ("is_cuda", "is_sparse", "is_meta", "is_quantized", "is_mps", "is_mkldnn", "is_xpu")


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a tensor, of its shape, or of what a reduction along an axis gives."""
    if type(site.owner) is Method:
        return _of_uncalled(site.owner, lambda method: getattr(method, site.name), state)
    inner = _part_of_result(site.owner, site.name, state)
    if inner is not None:
        return inner
    tensor = tensor_of(site.owner, state)
    if tensor is None or site.name in (safe.instance_dict(tensor) or {}):
        return None
    entry = safe.in_type(type(tensor), site.name)
    if entry is safe.ABSENT:
        return _missing(site, tensor, state)
    if is_own_method(tensor, site.name):
        return Method(site.owner, site.name)
    if type(entry) is not safe.GetSetDescriptorType:
        return None
    return _field(site, tensor, state)


def _of_uncalled(method: Method, use: Callable[[Any], Any], state: State) -> Finding | None:
    """Return the crash of ``tensor.size[0]``, ``tensor.detach.numpy``: a method that is not called."""
    tensor = tensor_of(method.owner, state)
    if tensor is None or not is_own_method(tensor, method.name):
        return None
    bound = getattr(_ones([1], tensor), method.name)
    try:
        use(bound)
    except (AttributeError, TypeError) as error:
        return crash(error)
    return None


def _missing(site: AttributeSite, tensor: Any, state: State) -> Finding | None:
    if type(site.owner) is Known and state.live(site.owner) is not safe.ABSENT:
        return None
    try:
        getattr(tensor, site.name)
    except AttributeError as error:
        return crash(error)
    return None


def _field(site: AttributeSite, tensor: Any, state: State) -> Value | Finding | None:
    torch: Any = safe.loaded("torch")
    name = site.name
    if name == "shape":
        return Known(tensor.shape, level=SCHEMA)
    if name == "ndim":
        return Known(len(tensor.shape), level=SCHEMA)
    if name == "device":
        return Known(torch.device("cpu"), level=SCHEMA)
    if name in _FLAGS:
        return Known(False, level=SCHEMA)
    if name == "dtype":
        return Known(tensor.dtype, level=SCHEMA) if knows(site.owner, DTYPE, state) else UNKNOWN
    if name == "requires_grad":
        return Known(tensor.requires_grad, level=SCHEMA) if knows(site.owner, GRAD, state) else Made("bool")
    if name in ("data", "T", "mT"):
        operands = Operands([site.owner], {}, state)
        if name == "data":
            return _looked_at(lambda each: each.detach(), "detach", operands, state)
        if len(tensor.shape) < 2 or (name == "T" and len(tensor.shape) != 2):
            return None
        return _looked_at(lambda each: each.transpose(-1, -2), "transpose", operands, state)
    return Foreign("torch") if name in ("grad", "grad_fn", "is_leaf", "itemsize", "nbytes", "names") else None


def _part_of_result(value: Value, name: str, state: State) -> Value | None:
    """Return ``result.values`` of what, say, ``x.max(dim=1)`` gives."""
    found: Any = state.form(value)
    kind = type(found)
    if type(value) is not Like or not safe.class_module(kind).startswith("torch.return_types"):
        return None
    entry = safe.in_type(kind, name)
    if not safe.one_of(type(entry), (safe.MemberDescriptorType,)):
        return None
    return Like(getattr(found, name), value.knows)


# -- items ------------------------------------------------------------------------------------------------------------


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``tensor[key]``, ``tensor.shape[0]`` and ``x.max(dim=1)[0]``."""
    if site.context != "load":
        return None
    if type(site.owner) is Method:
        return _of_uncalled(site.owner, lambda method: method[0], state)
    found: Any = state.form(site.owner)
    kind = type(found)
    if kind is safe.loaded("torch", "Size") and type(site.owner) is Known:
        key: Any = state.plain(site.key)
        if not safe.one_of(type(key), (int, slice)):
            return None
        return running.content(lambda: found[key], "torch", SCHEMA, result=lambda each: Known(each, level=SCHEMA))
    if type(site.owner) is Like and safe.class_module(kind).startswith("torch.return_types"):
        key = state.live(site.key)
        if type(key) is int and -len(found) <= key < len(found):
            return Like(found[key], site.owner.knows)
        return None
    tensor = tensor_of(site.owner, state)
    if tensor is None or not is_own_method(tensor, "__getitem__"):
        return None
    try:
        return _item(site, tensor, state)
    except NotKnown:
        return _row(site, tensor, state) or _opened(site.node, "indexing a tensor", state)


def _row(site: SubscriptSite, tensor: Any, state: State) -> Value | None:
    """Read ``tensor[i]`` of a whole number that is not known."""
    kind = site.key.facts.get("type") if type(site.key) is Made and site.key.kind == "number" else None
    whole = kind is int or (kind is not None and safe.inherits(kind, safe.loaded("numpy", "integer")))
    if not whole or not tensor.shape:
        return None
    below = site.key.facts.get("below")  # type: ignore[attr-defined]
    if below is None or below > int(tensor.shape[0]):
        state.may_raise(site.node, "an index may be out of range")
    operands = Operands([site.owner], {}, state)
    strides = tensor.stride()[1:] if operands.strided() else None
    return like(tensor.shape[1:], tensor.dtype, strides=strides, grad=operands.grad(), dtype_known=operands.exact)


def _item(site: SubscriptSite, tensor: Any, state: State) -> Value | Finding | None:
    operands = Operands([site.owner, site.key], {}, state)
    key = operands.arguments[1]
    parts = list(key) if type(key) is tuple else [key]
    if all(_is_basic(each) for each in parts):
        return _looked_at(operator.getitem, "view", operands, state)
    # An index that is looked up: numbers matter.
    masks = [each for each in operands.tensors[1:] if str(each.dtype) in ("torch.bool", "torch.uint8")]
    if masks or any(type(each) is list and _has_bools(each) for each in parts):
        return _masked(site, operands, state)
    if operands.real() and _few_looked_up(operands, tensor):
        return _content(operator.getitem, operands)
    if operands.exact and not _few_looked_up(operands, tensor):
        return _picked(site, operands, key, state)
    if not operands.exact:
        raise NotKnown
    state.may_raise(site.node, "an index may be out of range")
    return _grown(operator.getitem, operands, index=True)


def _picked(site: SubscriptSite, operands: Operands, key: Any, state: State) -> Value:
    """Read rows of a large tensor: ``tensor[indices]``."""
    tensor = operands.tensors[0]
    state.may_raise(site.node, "an index may be out of range")
    if type(key) is list and all(type(each) is int for each in key) and tensor.shape:
        return like((len(key), *tensor.shape[1:]), tensor.dtype, grad=operands.grad())
    index = operands.tensors[1] if type(key) is _Slot and len(operands.tensors) == 2 else None
    if index is None or not tensor.shape or str(index.dtype) not in ("torch.int64", "torch.int32"):
        raise NotKnown
    return like((*index.shape, *tensor.shape[1:]), tensor.dtype, grad=operands.grad())


def _few_looked_up(operands: Operands, tensor: Any) -> bool:
    asked = 1
    for each in operands.tensors[1:]:
        asked *= max(int(each.numel()), 1)
    for part in operands.arguments[1] if type(operands.arguments[1]) is tuple else [operands.arguments[1]]:
        asked *= len(part) if type(part) is list and part else 1
    row = 1
    for size in tensor.shape:
        row *= max(int(size), 1)
    return asked * row <= MAX_LOOKED_UP and int(tensor.numel()) <= MAX_LOOKED_UP


def _is_basic(part: Any) -> bool:
    if type(part) is slice:
        return all(type(each) in (int, type(None)) for each in (part.start, part.stop, part.step))
    return type(part) is int or part is None or part is Ellipsis


def _has_bools(parts: Any) -> bool:
    return any(type(each) is bool or (type(each) is list and _has_bools(each)) for each in parts)


def _masked(site: SubscriptSite, operands: Operands, state: State) -> Value | Finding | None:
    """Read ``tensor[mask]``: how many are taken is not known, but whether the mask fits."""
    if len(operands.tensors) == 2 and type(operands.arguments[1]) is _Slot:
        tensor, mask = operands.tensors
        if str(mask.dtype) == "torch.bool" and operands.exact:
            if tuple(mask.shape) != tuple(tensor.shape[: len(mask.shape)]):
                return full_crash(operator.getitem, operands, None)
            if operands.real() and operands.elements() <= MAX_ELEMENTS:
                return _content(operator.getitem, operands)
            return UNKNOWN
    raise NotKnown


def store_item(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``tensor[key] = value``: the numbers change, the structure stays."""
    tensor = tensor_of(site.owner, state)
    if tensor is None or not is_own_method(tensor, "__setitem__"):
        return None
    leaf = _change_of_leaf(site.owner, tensor, state)
    key = state.plain(site.key)
    inside = type(key) is int and len(tensor.shape) > 0 and -tensor.shape[0] <= key < tensor.shape[0]
    if leaf is True and (inside or (type(key) is slice and _is_basic(key))) and type(state.live(value)) in (int, float):
        return leaf_changed(view=True)
    try:
        operands = Operands([site.owner, site.key, value], {}, state)
        if operands.elements() <= MAX_ELEMENTS and operands.exact and leaf is False:
            stand_ins = operands.ones({})
            arguments, _ = operands.built(stand_ins)
            _, error = attempt(lambda: operator.setitem(*arguments))
            indices = [each for each in operands.tensors[1:] if not each.is_floating_point()]
            by_content = bool(indices) and type(error) is IndexError
            told = "shape mismatch" in str(error) or not any(
                _may_overlap(tensor, each) for each in operands.tensors[1:]
            )
            if error is not None and told and not by_content and not _holds_lists(arguments[1]):
                return crash(error)
    except NotKnown:
        pass
    state.may_raise(site.node, "the values may not fit the tensor")
    _forget_numbers(site.owner, tensor, state)
    return Known(None)


def _may_overlap(tensor: Any, other: Any) -> bool:
    """Whether two tensors may share memory, of which torch complains before it compares anything else."""
    if "meta" in (tensor.device.type, other.device.type):
        return True
    return bool(tensor.untyped_storage().data_ptr() == other.untyped_storage().data_ptr())


def _holds_lists(key: Any) -> bool:
    return any(type(each) is list for each in (key if type(key) is tuple else (key,)))


def _change_of_leaf(value: Value, tensor: Any, state: State) -> bool | None:
    """Whether a tensor is a leaf that requires a gradient, which may not be changed; None if that is not known."""
    if not knows(value, GRAD, state):
        return None
    if not tensor.requires_grad:
        return False
    real = type(value) is Known and state.live(value) is tensor
    leaf = (real and tensor.is_leaf) or LEAF in state.knows(value)
    return True if leaf and modes_known(state) else None


def _forget_numbers(value: Value, tensor: Any, state: State) -> None:
    """The cell changed the numbers of a tensor; whether it takes part in autograd is no longer known."""
    state.content_changed(value)
    facts = [DTYPE] if knows(value, DTYPE, state) else []
    facts += [STRIDES] if knows(value, STRIDES, state) else []
    found = like_of(tensor, strides=tensor.stride() if STRIDES in facts else None, dtype_known=DTYPE in facts)
    state.becomes(value, found)


# -- calls ------------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of torch's, or a method of a tensor."""
    if type(site.callee) is Method:
        tensor = tensor_of(site.callee.owner, state)
        if tensor is None or not is_own_method(tensor, site.callee.name):
            return None
        return _called(site.callee.name, site, (site.callee.owner, *site.arguments), state, method=tensor)
    callee = state.live(site.callee)
    if _is_of_torch(type(callee)):
        _, error = attempt(callee)  # type: ignore[arg-type]
        return None if error is None else crash(error)
    tensor = tensor_of(site.callee, state)
    if tensor is not None and safe.in_type(type(tensor), "__call__") is safe.ABSENT:
        _, error = attempt(_ones([1], tensor))
        return None if error is None else crash(error)
    mode = _mode_set(callee)
    if mode:
        forget_modes(mode, state)
        plain = mode in ("no_grad", "enable_grad", "inference_mode") and not site.arguments and not site.keywords
        if mode in ("set_grad_enabled", "autocast"):
            state.may_raise(site.node, "{}() may raise".format(mode))
        handed = [*site.arguments, *site.keywords.values()]
        harmless = site.complete and all(
            safe.one_of(type(state.live(each)), _OPTIONS) or type(each) is Made for each in handed
        )
        return Made("gradient mode", package="torch") if plain or (mode in _MANAGERS and harmless) else None
    if callee is not safe.ABSENT and callee is safe.loaded("torch", "device"):
        return _device(site, state)
    if callee is not safe.ABSENT and callee is safe.loaded("torch.cuda", "is_available"):
        return Known(False, level=SCHEMA) if has_no_cuda() and safe.comes_from(callee, "torch") else None
    if safe.inherits(type(callee), type) and safe.class_module(type(callee)).startswith("torch"):
        return legacy(callee, site, state)
    if any(callee is each for each in (float, int, bool)):
        return _converted(callee, site, state)
    name = function_of(site, state)
    if not name:
        return None
    return _called(name, site, site.arguments, state, method=None)


def array_of_grad(site: CallSite, state: State) -> Finding | None:
    """Return the crash of ``np.array(tensor)`` of a tensor that requires a gradient."""
    callee = state.live(site.callee)
    value = site.arguments[0] if len(site.arguments) == 1 and site.complete and not site.keywords else None
    tensor = tensor_of(value, state)
    if tensor is None or type(callee) is not safe.BuiltinFunctionType or not is_own_method(tensor, "__array__"):
        return None
    asks_for_grad = knows(value, GRAD, state) and tensor.requires_grad and modes_known(state)
    return _numpy_of_grad() if asks_for_grad and tensor.is_floating_point() else None


def _converted(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``float(tensor)``, ``int(tensor)`` and ``bool(tensor)``."""
    tensor = tensor_of(site.arguments[0], state) if site.arguments else None
    if tensor is None or len(site.arguments) != 1 or not site.complete or tensor.is_complex():
        return None
    value = site.arguments[0]
    if site.keywords or not is_own_method(tensor, "__{}__".format(callee.__name__)):
        return None
    if callee is bool:
        return truth(ValueSite(site.node, value), state)
    if int(tensor.numel()) != 1:
        small = _ones([min(int(tensor.numel()), 2)], tensor)
        _, error = attempt(lambda: callee(small))
        return None if error is None else crash(error)
    real: Any = state.live(value)
    if not tensors.is_tensor(real):
        state.may_raise(site.node, "it may be no number") if callee is int else None
        return Made("number")
    copy = real.detach().clone()
    return running.content(lambda: callee(copy), "torch", state.level(value))


_MANAGERS = ("set_grad_enabled", "autocast")
_OPTIONS = (bool, str, type(None))
_MODES = frozenset(
    "no_grad enable_grad set_grad_enabled inference_mode autocast set_default_device set_default_dtype "
    "set_default_tensor_type use_deterministic_algorithms".split()
)


def _mode_set(callee: Any) -> str:
    """Return the name of what decides about gradients, dtypes or devices of what comes after it; '' for others."""
    name = ""
    if type(callee) is types.FunctionType:
        name = callee.__name__ if safe.comes_from(callee, "torch") else ""
    elif safe.inherits(type(callee), type) and safe.class_module(callee).startswith("torch."):
        name = safe.class_name(callee)
    return name if name in _MODES else ""


def enter(site: ValueSite, state: State) -> Value | None:
    """Follow ``with torch.no_grad()``, ``with device``, ``with torch.autocast(...)``."""
    if type(site.value) is Made and site.value.kind == "gradient mode":
        return Known(None)
    found = state.live(site.value)
    if found is safe.ABSENT:
        return None
    if type(found) is safe.loaded("torch", "device"):
        forget_modes("set_default_device", state)
    elif safe.class_module(type(found)).startswith("torch."):
        for name in ("no_grad", "autocast", "set_default_device"):
            forget_modes(name, state)
    return None


def _device(site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``torch.device('cpu')``."""
    named = state.live(site.arguments[0]) if len(site.arguments) == 1 and not site.keywords else None
    if type(named) is not str or not site.complete:
        return None
    device: Any = safe.loaded("torch", "device")
    found, error = attempt(lambda: device(named))
    return Known(found, level=SCHEMA) if error is None else crash(error, state.level(site.arguments[0]))


def has_no_cuda() -> bool:
    """Whether this build of torch has neither CUDA nor ROCm."""
    version = safe.instance_dict(safe.loaded("torch.version")) or {}
    built = type(safe.loaded("torch._C", "_cuda_getDeviceCount")) is safe.BuiltinFunctionType
    return "cuda" in version and version["cuda"] is None and version.get("hip") is None and not built


def _called(
    name: str, site: CallSite, arguments: tuple[Value, ...], state: State, *, method: Any
) -> Value | Finding | None:
    if not site.complete:
        return _not_followed(name, site, state)
    special = (_METHODS if method is not None else _FUNCTIONS).get(name)
    try:
        if special is not None:
            answer: Value | Finding | None = special(site, arguments, state)
            return answer
        if "out" in site.keywords:
            return None
        if method is not None:
            function: Any = lambda first, *rest, **named: getattr(first, name)(*rest, **named)  # noqa: E731
        else:
            function = state.live(site.callee)
        operands = Operands(arguments, site.keywords, state)
        if not operands.tensors:
            return _of_wrong_kind(name, site, arguments, method, state)
        if method is not None and name.endswith("_") and not name.startswith("__"):
            return _in_place(name, function, site, operands, state)
        return evaluate(name, function, operands, site.node, state)
    except NotKnown:
        finding = _of_wrong_kind(name, site, arguments, method, state) if special is None else None
        return finding or _not_followed(name, site, state)


def _of_wrong_kind(
    name: str, site: CallSite, arguments: tuple[Value, ...], method: Any, state: State
) -> Finding | None:
    """Return the crash of a function that gets an array, a table or a number where only a tensor will do.

    torch compares the types of all arguments before it looks at any of them.
    """
    if "out" in site.keywords or not _is_in_tables(name) or name.endswith("_"):
        return None
    try:
        given = [_of_kind(each, state) for each in arguments]
        named = {key: _of_kind(each, state) for key, each in site.keywords.items()}
        function: Any = state.live(site.callee) if method is None else None
        if method is not None:
            first, *given = given
            function = getattr(first, name)
        _, error = attempt(lambda: function(*given, **named))
    except NotKnown:
        return None
    if type(error) is not TypeError:
        return None
    told = str(error)
    kinds = ("must be Tensor, not", "but found element of type", "expected Tensor as element", "invalid combination")
    if not any(each in told for each in kinds) or not any(map(_is_no_tensor, [*given, *named.values()])):
        return None
    return crash(error, state.level(*arguments, *site.keywords.values()))


def _is_no_tensor(given: Any) -> bool:
    inner = given if safe.one_of(type(given), (list, tuple)) else [given]
    return any(not tensors.is_tensor(each) for each in inner)


def _of_kind(value: Value, state: State, depth: int = 2) -> Any:
    """Return a small object of the type of a value.

    Raises:
        NotKnown: Its type is not known, or it might be asked for more.
    """
    tensor = tensor_of(value, state)
    if tensor is not None and knows(value, DTYPE, state):
        return _ones([min(int(size), 2) for size in tensor.shape], tensor)
    found: Any = state.form(value)
    kind = type(found)
    if type(value) is Made and value.kind == "number" and any(value.facts.get("type") is each for each in (int, float)):
        return value.facts["type"](1)
    if safe.one_of(kind, (list, tuple)) and depth and len(found) <= 100 and state.live(value) is not safe.ABSENT:
        return kind([_of_kind(of_element(each), state, depth - 1) for each in found])
    if safe.is_exactly(found, "numpy", "ndarray") and DTYPE in state.knows(value):
        numpy: Any = safe.loaded("numpy")
        if found.dtype.names is not None:
            raise NotKnown
        return numpy.zeros([min(int(size), 2) for size in found.shape], found.dtype)
    if safe.one_of(kind, (*safe.SCALARS, type(None))) and state.live(value) is not safe.ABSENT:
        return found
    if _is_of_torch(kind):
        return found
    raise NotKnown


def _is_in_tables(name: str) -> bool:
    tables = (_VIEWS, _IN_ORDER, _FOLLOWS_SIZES, _GROWS, _MATMUL, _UNTOUCHING)
    return any(name in each for each in tables)


def stand_in_named(name: str) -> Any:
    """Return an object of a class of this name, of which torch tells the name alone."""
    return type(name, (), {})()


def evaluate(name: str, function: Any, operands: Operands, node: ast.AST, state: State) -> Value | Finding | None:
    """Answer for a function of the tables that gets tensors."""
    if name in _VIEWS:
        return _looked_at(function, name, operands, state, node)
    if name in _IN_ORDER:
        return _in_order(function, operands)
    if name in _MATMUL:
        return _product(name, function, operands, node, state)
    if name in _FOLLOWS_SIZES:
        if operands.real() and operands.elements() <= MAX_ELEMENTS and name in _WITH_CONTENT:
            return _content(function, operands)
        if name in _BY_CONTENT:
            state.may_raise(node, "{} may raise for what the tensors hold".format(name))
        return _followed(function, operands, name)
    if name in _GROWS:
        return _grown(function, operands)
    raise NotKnown


def _not_followed(name: str, site: CallSite, state: State) -> Value | None:
    """Answer for a function of which only that it changes nothing is known."""
    if not _is_in_tables(name) or "out" in site.keywords or not site.complete:
        return None
    return _opened(site.node, "{}()".format(name), state)


def _opened(node: ast.AST, what: str, state: State) -> Value:
    state.may_raise(node, "{} may raise".format(what))
    return UNKNOWN


def _content(function: Any, operands: Operands) -> Value | Finding | None:
    """Do it for real, on copies that share no memory with the kernel's tensors."""
    copies, _ = attempt(lambda: [each.detach().clone() for each in operands.tensors])
    kept = [
        copy if type(each) is not safe.loaded("torch.nn.parameter", "Parameter") else _as_parameter(copy)
        for copy, each in zip(copies, operands.tensors)
    ]
    arguments, keywords = operands.built(kept)
    found, error = attempt(lambda: function(*arguments, **keywords))
    if error is not None:
        return crash(error, operands.state.level(*operands.values))
    return _whole(found)


def _whole(found: Any) -> Value:
    """Return a result of which the numbers are known."""
    kind = type(found)
    if safe.one_of(kind, (list, tuple)):
        return Known(kind(list(found)))
    if safe.class_module(kind).startswith("torch.return_types"):
        return Like(found, frozenset([*STRUCTURE, STRIDES, GRAD]))
    return Known(found)


def _followed(function: Any, operands: Operands, name: str) -> Value | Finding | None:
    sizes = small_sizes(operands)
    stand_ins = operands.ones(sizes)
    if sum(int(each.numel()) for each in stand_ins) > MAX_ELEMENTS:
        raise NotKnown
    arguments, keywords = operands.built(stand_ins)
    found, error = attempt(lambda: function(*arguments, **keywords))
    if error is not None:
        if name in _BY_CONTENT and type(error) is IndexError:
            raise NotKnown
        finding = full_crash(function, operands, error)
        if finding is None:
            raise NotKnown
        return finding
    if safe.one_of(type(found), (bool, float)) or (safe.one_of(type(found), (int,)) and name != "dim"):
        return Made("bool") if type(found) is bool else Made("number") if sizes else _number_of_sizes(found, name)
    back = {small: true for true, small in sizes.items()}
    return as_value(found, operands, back, strided=operands.strided())


def _number_of_sizes(found: Any, name: str) -> Value:
    known = name in ("numel", "nelement", "ndimension", "dim", "element_size")
    return Known(found, level=SCHEMA) if known else Made("number")


def _looked_at(
    function: Any, name: str, operands: Operands, state: State, node: ast.AST | None = None
) -> Value | Finding | None:
    """Answer for a view: of a real tensor itself, of others of a stand-in of the true size."""
    first = operands.values[0]
    exact = operands.exact or len(operands.tensors) == 1
    if type(first) is Known and operands.real() and len(operands.values) == 1:
        arguments, keywords = operands.built(operands.tensors)
        found, error = attempt(lambda: function(*arguments, **keywords))
        return _whole(found) if error is None else crash(error)
    stand_ins = operands.full()
    if stand_ins is None or not exact:
        raise NotKnown
    lies = all(knows(each, STRIDES, state) for each in operands.values)
    arguments, keywords = operands.built(stand_ins)
    found, error = attempt(lambda: function(*arguments, **keywords))
    if error is not None:
        told_by_sizes = lies or name not in ("view", "view_as") or "is invalid for input of size" in str(error)
        if not told_by_sizes or not operands.exact:
            raise NotKnown
        return crash(error)
    if not lies and name in ("view", "view_as") and function is not operator.getitem:
        if node is None:
            raise NotKnown
        state.may_raise(node, "a view may not fit how the tensor lies in memory")
    return _views(found, operands, lies, detached=name == "detach")


def _views(found: Any, operands: Operands, lies: bool, *, detached: bool) -> Value:
    kind = type(found)
    if safe.one_of(kind, (list, tuple)):
        return Known(kind([Hole(_views(each, operands, lies, detached=detached)) for each in found]))
    if not tensors.is_tensor(found):
        return UNKNOWN
    grad = False if detached else operands.grad()
    return like_of(found, strides=found.stride() if lies else None, grad=grad, dtype_known=operands.exact)


def _in_order(function: Any, operands: Operands) -> Value | Finding | None:
    """Answer for ``reshape`` and its like: of what lies in memory in order they are views, of others copies."""
    torch: Any = safe.loaded("torch")
    in_order: list[Any] = []
    for each in operands.tensors:
        if int(each.numel()) * each.element_size() > MAX_BYTES:
            raise NotKnown
        found = torch.empty(tuple(each.shape), dtype=each.dtype, device="cpu")
        in_order.append(found if type(each) is torch.Tensor else _as_parameter(found))
    arguments, keywords = operands.built(in_order)
    if operands.real() and operands.elements() <= MAX_ELEMENTS:
        return _content(function, operands)
    found, error = attempt(lambda: function(*arguments, **keywords))
    if error is not None:
        return crash(error) if operands.exact else None
    return _views(found, operands, operands.strided(), detached=False)


def _grown(function: Any, operands: Operands, *, index: bool = False) -> Value | Finding | None:
    """Answer at the true sizes, which must be small; the numbers, if known, are put in."""
    if operands.elements() > MAX_ELEMENTS and not index:
        joined = _joined(function, operands)
        if joined is None:
            raise NotKnown
        return joined
    if _is_huge(operands):
        raise NotKnown
    if operands.real() and not index:
        return _content(function, operands)
    stand_ins = operands.ones({})
    if index:
        stand_ins = [stand_ins[0], *[each - 1 for each in stand_ins[1:]]]
    arguments, keywords = operands.built(stand_ins)
    found, error = attempt(lambda: function(*arguments, **keywords))
    if error is not None:
        if index and type(error) is IndexError and "out of bounds" in str(error):
            raise NotKnown
        return crash(error) if operands.exact else None
    return as_value(found, operands, {}, strided=operands.strided())


def _is_huge(operands: Operands) -> bool:
    """Whether a number among the arguments could make the result large."""
    trees = [*operands.arguments, *operands.keywords.values()]
    product = max(operands.elements(), 1)
    for each in trees:
        for part in each if safe.one_of(type(each), (list, tuple)) else [each]:
            if type(part) is int and abs(part) > 1:
                product *= abs(part)
    return product > 1_000_000


def _joined(function: Any, operands: Operands) -> Value | Finding | None:
    """Answer for ``torch.cat`` and ``torch.stack`` of large tensors. Source: the torch reference of each."""
    from ...readers import combining

    name = {"concat": "cat", "concatenate": "cat"}.get(function.__name__, function.__name__)
    axis = operands.keywords.get("dim", operands.arguments[1] if len(operands.arguments) > 1 else 0)
    known = set(operands.keywords) <= {"dim"} and len(operands.arguments) in (1, 2) and type(axis) is int
    if name not in ("cat", "stack") or not known or not safe.one_of(type(operands.arguments[0]), (list, tuple)):
        return None
    if not operands.exact or len(operands.arguments[0]) != len(operands.tensors):
        return None
    shapes = [tuple(int(size) for size in each.shape) for each in operands.tensors]
    found = combining.combined({"cat": "concatenate"}.get(name, name), shapes, axis, "torch")
    if found is None:
        return full_crash(function, operands, None)
    dtype = operands.tensors[0].dtype
    for each in operands.tensors[1:]:
        dtype = safe.loaded("torch", "promote_types")(dtype, each.dtype)
    strides = contiguous(found) if operands.strided() else None
    return like(found, dtype, strides=strides, grad=operands.grad())


def _product(name: str, function: Any, operands: Operands, node: ast.AST, state: State) -> Value | Finding | None:
    """Answer for a product of matrices. Source: the torch reference, `matmul`, `mm`, `bmm`, `mv`."""
    from ...readers import combining

    if len(operands.tensors) != 2 or operands.keywords or len(operands.arguments) != 2:
        raise NotKnown
    left, right = operands.tensors
    shapes = [tuple(int(size) for size in each.shape) for each in (left, right)]
    found = combining.combined("matmul", shapes, 0, "torch")
    ranks = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1)}.get(name)
    fits = found is not None and (ranks is None or ranks == (len(shapes[0]), len(shapes[1])))
    if not fits or (operands.exact and left.dtype is not right.dtype):
        if len(shapes[0]) != len(shapes[1]) and max(map(len, shapes)) > 2 and not operands.strided():
            raise NotKnown  # which words depends on the strides
        finding = full_crash(function, operands, None)
        if finding is None:
            raise NotKnown
        return finding
    if not operands.exact or not left.is_floating_point():
        state.may_raise(node, "a product of matrices may raise")
    return like(found or (), left.dtype, grad=operands.grad(), dtype_known=operands.exact)


# -- single methods ---------------------------------------------------------------------------------------------------


def _in_place(name: str, function: Any, site: CallSite, operands: Operands, state: State) -> Value | Finding | None:
    """Follow ``x.add_(y)``, ``x.zero_()``: the numbers change."""
    if name in ("requires_grad_",):
        return _require_grad(site, state)
    first, tensor = operands.values[0], operands.tensors[0]
    if name not in _KEEP_STRUCTURE:
        return None
    leaf = _change_of_leaf(first, tensor, state)
    if leaf is True:
        return leaf_changed()
    if name[:-1] in _FOLLOWS_SIZES and leaf is False and operands.exact:
        sizes = small_sizes(operands)
        arguments, keywords = operands.built(operands.ones(sizes))
        _, error = attempt(lambda: function(*arguments, **keywords))
        if error is not None:
            finding = full_crash(function, operands, error)
            if finding is not None:
                return finding
            state.may_raise(site.node, "{}() may raise".format(name))
    else:
        state.may_raise(site.node, "{}() may raise".format(name))
    _forget_numbers(first, tensor, state)
    return first


_KEEP_STRUCTURE = frozenset(
    [each + "_" for each in _FOLLOWS_SIZES]
    + "zero_ fill_ copy_ uniform_ normal_ random_ bernoulli_ exponential_ fill_diagonal_ index_fill_ index_add_ "
    "index_copy_ scatter_ scatter_add_ masked_fill_ masked_scatter_ tril_ triu_ put_ addmm_ baddbmm_ erfinv_ "
    "index_put_ dropout_ clamp_ renorm_ cauchy_ geometric_ log_normal_ addcmul_ addcdiv_ lerp_".split()
)


def leaf_changed(*, view: bool = False) -> Finding:
    """Return the crash of changing a leaf that requires a gradient. torch itself is asked, with one number."""
    torch: Any = safe.loaded("torch")
    leaf = torch.zeros(1, requires_grad=True)
    _, error = attempt((lambda: leaf[:1].add_(1)) if view else (lambda: leaf.add_(1)), grad=True)
    if error is None:
        raise NotKnown
    return crash(error)


def _require_grad(site: CallSite, state: State) -> Value | Finding | None:
    first = site.callee.owner  # type: ignore[attr-defined]
    tensor = tensor_of(first, state)
    wanted = [state.live(each) for each in [*site.arguments, *site.keywords.values()]] or [True]
    if tensor is None or len(wanted) != 1 or type(wanted[0]) is not bool or not knows(first, DTYPE, state):
        raise NotKnown
    if wanted[0] and not (tensor.is_floating_point() or tensor.is_complex()):
        _, error = attempt(lambda: _ones([1], tensor).requires_grad_(True))
        return None if error is None else crash(error)
    if not wanted[0]:
        state.may_raise(site.node, "only leaves can be made not to require a gradient")
    strides = tensor.stride() if knows(first, STRIDES, state) else None
    state.becomes(first, like_of(tensor, strides=strides, grad=wanted[0]))
    return first  # type: ignore[no-any-return]


def _size(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    tensor = tensor_of(arguments[0], state)
    found = [state.live(each) for each in [*arguments[1:], *site.keywords.values()]]
    if tensor is None or len(found) > 1 or not set(site.keywords) <= {"dim"}:
        raise NotKnown
    if not found or found == [None]:
        return Known(tensor.shape, level=SCHEMA)
    if type(found[0]) is not int:
        raise NotKnown
    size, error = attempt(lambda: tensor.size(found[0]))
    return Known(size, level=SCHEMA) if error is None else crash(error)


def _item_of(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``tensor.item()``."""
    tensor = tensor_of(arguments[0], state)
    if tensor is None or len(arguments) != 1 or site.keywords:
        raise NotKnown
    real = state.live(arguments[0])
    if int(tensor.numel()) != 1:
        small = _ones([int(tensor.numel())] if int(tensor.numel()) <= MAX_ELEMENTS else [2], tensor)
        _, error = attempt(small.item)
        if error is None or str(small.numel()) not in str(error):
            return None
        if int(tensor.numel()) != int(small.numel()):
            text = str(error).replace(" 2 ", " {} ".format(int(tensor.numel())))
            error = type(error)(text)
        return crash(error)
    if tensors.is_tensor(real):
        return Known(real.detach().clone().item(), level=state.level(arguments[0]))  # type: ignore[attr-defined]
    return Made("bool" if str(tensor.dtype) == "torch.bool" else "number")


def _numpy(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``tensor.numpy()``; the array's numbers are the tensor's own memory."""
    tensor = tensor_of(arguments[0], state)
    if tensor is None or len(arguments) != 1 or site.keywords:
        raise NotKnown
    known = knows(arguments[0], GRAD, state) and knows(arguments[0], DTYPE, state)
    if known and tensor.requires_grad and modes_known(state):
        return _numpy_of_grad()
    if not known or tensor.requires_grad:
        state.may_raise(site.node, "a tensor that requires a gradient has no numpy()")
    return _as_array(tensor, state, arguments[0], site.node)


def _numpy_of_grad() -> Finding | None:
    torch: Any = safe.loaded("torch")
    leaf = torch.zeros(1, requires_grad=True)
    _, error = attempt(leaf.numpy, grad=True)
    return None if error is None else crash(error)


def _as_array(tensor: Any, state: State, value: Value, node: ast.AST) -> Value | None:
    numpy: Any = safe.loaded("numpy")
    if numpy is None or str(tensor.dtype) in ("torch.bfloat16",):
        raise NotKnown
    probe = safe.loaded("torch").zeros(1, dtype=tensor.dtype, device="cpu")
    found, error = attempt(lambda: probe.numpy().dtype)
    if error is not None:
        return None
    shape = tuple(int(size) for size in tensor.shape)
    stand_in = numpy.lib.stride_tricks.as_strided(numpy.zeros(1, found), shape, (0,) * len(shape))
    if 0 in shape:
        stand_in = numpy.zeros(shape, found)
    return Like(stand_in, frozenset([SHAPE] + ([DTYPE] if knows(value, DTYPE, state) else [])))


def _tolist(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | None:
    real: Any = state.live(arguments[0])
    if len(arguments) == 1 and tensors.is_tensor(real) and int(real.numel()) <= 2000:
        return Known(real.detach().clone().tolist(), level=state.level(arguments[0]))
    return UNKNOWN


def _cast(dtype: str) -> Any:
    def cast(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
        if len(arguments) != 1 or site.keywords:
            raise NotKnown
        return _as_dtype(arguments[0], safe.loaded("torch", dtype), state)

    return cast


def _as_dtype(value: Value, dtype: Any, state: State) -> Value | Finding | None:
    operands = Operands([value], {}, state)
    tensor = operands.tensors[0]
    if knows(value, DTYPE, state) and tensor.dtype is dtype:
        return value
    if operands.real() and operands.elements() <= MAX_ELEMENTS:
        return _content(lambda each: each.to(dtype), operands)
    floats = dtype.is_floating_point or dtype.is_complex
    strides = contiguous(tensor.shape) if operands.strided() else None
    return like(tensor.shape, dtype, strides=strides, grad=operands.grad() if floats else False)


def _to(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``tensor.to(...)``: another dtype, or a device."""
    rest = [state.live(each) for each in arguments[1:]]
    named = {name: state.live(each) for name, each in site.keywords.items() if name not in ("non_blocking", "copy")}
    if "copy" in site.keywords or safe.ABSENT in rest or safe.ABSENT in named.values():
        other = tensor_of(arguments[1], state) if len(arguments) > 1 else None
        if other is not None and len(arguments) == 2 and not site.keywords and knows(arguments[1], DTYPE, state):
            return _as_dtype(arguments[0], other.dtype, state)
        raise NotKnown
    asked = [*rest, *named.values()]
    value: Value | Finding | None = arguments[0]
    for each in asked:
        if type(each) is safe.loaded("torch", "dtype"):
            continue
        place = device_named(each)
        if place is None:
            if type(each) is bool and each is not asked[0]:
                continue
            raise NotKnown
        if place != "cpu":
            return no_device(place)
    for each in asked:
        if type(each) is safe.loaded("torch", "dtype"):
            value = _as_dtype(arguments[0], each, state)
    return value


def device_named(value: object) -> str | None:
    """Return the type of the device that a value names, None if it is none."""
    if type(value) is safe.loaded("torch", "device"):
        return str(value.type)  # type: ignore[attr-defined]
    if type(value) is str and value.partition(":")[0] in ("cpu", "cuda", "mps"):
        return value.partition(":")[0]
    return None


def no_device(place: str) -> Finding:
    """Return the crash of moving something to a device that this build of torch has not.

    Raises:
        NotKnown: It may have it.
    """
    torch: Any = safe.loaded("torch")
    if place != "cuda" or not has_no_cuda():
        raise NotKnown
    tensor = torch.zeros(1)
    _, error = attempt_any(lambda: tensor.to("cuda"))
    if error is None:
        raise NotKnown
    return running.crash(error, "torch", SCHEMA, "environment error", "this build of {} has no CUDA")


def attempt_any(compute: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Run something; return what it gives, or any exception of torch's."""
    try:
        with running.quiet():
            return compute(), None
    except (AssertionError, RuntimeError) as error:
        return None, error


def _cpu(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | None:
    if len(arguments) != 1 or site.keywords:
        raise NotKnown
    return arguments[0]


def _cuda(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    return no_device("cuda")


def _contiguous(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    tensor = tensor_of(arguments[0], state)
    if tensor is None or len(arguments) != 1 or site.keywords:
        raise NotKnown
    if knows(arguments[0], STRIDES, state) and tensor.is_contiguous():
        return arguments[0]
    operands = Operands(arguments, {}, state)
    if operands.real() and operands.elements() <= MAX_ELEMENTS:
        return _content(lambda each: each.contiguous(), operands)
    return like_of(tensor, strides=contiguous(tensor.shape), grad=operands.grad(), dtype_known=operands.exact)


def _backward(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``loss.backward()``: gradients change, and no more. Source: `torch/autograd/__init__.py`, backward."""
    tensor = tensor_of(arguments[0], state)
    if tensor is None:
        raise NotKnown
    if len(arguments) == 1 and not site.keywords and knows(arguments[0], GRAD, state):
        if not tensor.requires_grad:
            # Not asked of torch: that would set up its engine.
            message = "element 0 of tensors does not require grad and does not have a grad_fn"
            return running.crash(
                RuntimeError(message),
                "torch",
                SCHEMA,
                "runtime error",
                "nothing it was computed of requires a gradient",
            )
        if int(tensor.numel()) != 1:
            message = "grad can be implicitly created only for scalar outputs"
            return running.crash(
                RuntimeError(message), "torch", SCHEMA, "tensor shape mismatch", "the tensor has more than one element"
            )
        if id(tensor) in state.memo.get("torch freed", {}):
            # Not asked of torch either.
            return running.crash(RuntimeError(_FREED), "torch", SCHEMA, "runtime error", "the graph was used up before")
    state.may_raise(site.node, "backward() may raise")
    kept = site.keywords.get("retain_graph")
    frees = len(arguments) == 1 and set(site.keywords) <= {"retain_graph"}
    frees = frees and (kept is None or state.live(kept) is False) and id(tensor) in state.memo.get("torch keeps", {})
    # In a branch that may not run nothing is freed for certain.
    if frees and not state.conditional and not state.guarded:
        state.memo.setdefault("torch freed", {})[id(tensor)] = tensor
    return Known(None)


_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)
"""Source: torch, `torch/csrc/autograd/saved_variable.cpp`, ERR_BACKWARD_TWICE."""


def _softmax(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``softmax``: the same shape, if the axis is there."""
    operands = Operands(arguments, site.keywords, state)
    named = dict(operands.keywords)
    axis = named.pop("dim", operands.arguments[1] if len(operands.arguments) == 2 else None)
    if len(operands.tensors) != 1 or named or type(axis) is not int:
        raise NotKnown
    tensor = operands.tensors[0]
    rank = max(len(tensor.shape), 1)
    name = site.callee.name if type(site.callee) is Method else ""
    function = state.live(site.callee) if not name else lambda first, *rest, **keys: getattr(first, name)(*rest, **keys)
    if operands.exact and (not -rank <= axis < rank or str(tensor.dtype) not in _FLOATS):
        finding = full_crash(function, operands, None)
        if finding is None:
            raise NotKnown
        return finding
    return like_of(tensor, grad=operands.grad(), dtype_known=operands.exact)


_FLOATS = ("torch.float32", "torch.float64", "torch.float16", "torch.bfloat16")


def _tensor(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``torch.tensor(...)`` and ``torch.as_tensor(...)`` of numbers, lists and arrays."""
    torch: Any = safe.loaded("torch")
    callee = state.live(site.callee)
    if not places_known(state):
        return _opened(site.node, "tensor()", state)
    grad, dtype = _making(site, state, ("dtype", "requires_grad", "device"))
    if len(arguments) != 1:
        raise NotKnown
    plain = _numbers_in(arguments[0], state)
    array: Any = state.form(arguments[0], SHAPE, DTYPE)
    if tensor_of(arguments[0], state) is not None:
        return _opened(site.node, "tensor()", state)
    table = _of_table(callee, arguments[0], state) if dtype is None else None
    if table is not None:
        return like_of(table, grad=grad) if isinstance(table, torch.Tensor) else table
    if plain is not safe.ABSENT:
        keys = {} if dtype is None else {"dtype": dtype}
        found, error = attempt(lambda: torch.tensor(plain, **keys))
        if error is not None:
            return crash(error, state.level(arguments[0]))
        del callee
        return _made(found, grad)
    if safe.is_exactly(array, "numpy", "ndarray"):
        return _of_array(array, grad, dtype)
    return _of_tensors(arguments[0], state) or _opened(site.node, "tensor()", state)


def _of_tensors(value: Value, state: State) -> Finding | None:
    """Return the crash of ``torch.tensor([tensor, tensor])``: only tensors of one element are taken for numbers."""
    if not safe.one_of(type(state.live(value)), (list, tuple)):
        return None
    operands = Operands([value], {}, state)
    if not operands.tensors or not operands.exact:
        return None
    small = [_ones([min(int(size), 2) for size in each.shape], each) for each in operands.tensors]
    several = [each for each in small if each.numel() > 1]
    given = operands.built(small)[0][0]
    _, error = attempt(lambda: safe.loaded("torch").tensor(given))
    told = type(error) is ValueError and "only one element" in str(error) and len(several) == len(given)
    return crash(error) if error is not None and told else None


def _of_table(callee: Any, value: Value, state: State) -> Any:
    """Return what is like the tensor of a frame or series, or the crash of making it; None if it is neither.

    torch takes it for a sequence, and asks it for the labels 0, 1, and so on. Source: torch,
    `torch/csrc/utils/tensor_new.cpp`, compute_sizes and infer_scalar_type.
    """
    pandas: Any = safe.loaded("pandas")
    found: Any = state.form(value, SHAPE)
    if pandas is None or not (blocks.is_frame(found) or blocks.is_series(found)):
        return None
    rows = len(blocks.axes(found)[-1])
    if blocks.is_frame(found):
        labels = state.columns(value)
        if not labels or rows == 0 or any(type(each) is not str for each in labels):
            return None
        stand_in = pandas.DataFrame({"a": [0.0, 0.0]})
    else:
        index = blocks.axes(found)[0]
        kind: Any = found.dtype
        plain = safe.is_exactly(kind, "numpy.dtypes", safe.class_name(type(kind))) and kind.kind in "iufb"
        places: Any = None
        if safe.is_exactly(index, "pandas.core.indexes.range", "RangeIndex"):
            places = range(len(index)) if rows and index[0] == 0 and index.step == 1 else None
            starts_late = rows > 0 and index.step > 0 and index.start > 0
        else:
            values: Any = getattr(index, "_values", None)
            whole = safe.is_exactly(values, "numpy", "ndarray") and values.dtype.kind in "iu"
            starts_late = bool(rows) and whole and not (values == 0).any()
        if not plain or not (starts_late or places is not None):
            return None
        if places is not None:
            made, error = attempt(lambda: callee(pandas.Series([1, 1], dtype=kind)))
            return safe.loaded("torch").empty((rows,), dtype=made.dtype, device="meta") if error is None else None
        stand_in = pandas.Series([1, 1], index=[5, 6], dtype=kind)
    _, error = attempt(lambda: callee(stand_in))
    return None if error is None else crash(error)


def _numbers_in(value: Value, state: State) -> Any:
    """Return a number, or lists of numbers and texts; `safe.ABSENT` if it is something else, or not known."""
    if not safe.one_of(type(state.live(value)), (*safe.SCALARS, list, tuple)):
        return safe.ABSENT
    operands = Operands([value], {}, state)
    return safe.ABSENT if operands.tensors else operands.arguments[0]


def _made(found: Any, grad: bool) -> Value | Finding:
    if grad:
        torch: Any = safe.loaded("torch")
        _, error = attempt(lambda: torch.zeros(1, dtype=found.dtype, requires_grad=True))
        if error is not None:
            return crash(error)
        return like_of(found, strides=found.stride(), grad=True, leaf=True)
    return Known(found)


def _of_array(array: Any, grad: bool, dtype: Any) -> Value | Finding | None:
    numpy: Any = safe.loaded("numpy")
    torch: Any = safe.loaded("torch")
    kind = array.dtype
    if kind.hasobject and kind.kind == "O":
        probe: Any = numpy.empty(1, object)
    elif kind.hasobject or kind.names is not None:
        raise NotKnown
    else:
        probe = numpy.zeros(1, kind)
    made, error = attempt(lambda: torch.from_numpy(probe))
    if error is not None:
        return crash(error)
    return like(array.shape, dtype or made.dtype, strides=None, grad=grad)


def _from_numpy(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
    """Follow ``torch.from_numpy(array)``."""
    array: Any = state.form(arguments[0] if arguments else None, DTYPE)
    if len(arguments) != 1 or site.keywords:
        raise NotKnown
    if safe.is_exactly(array, "numpy", "ndarray") and SHAPE not in state.knows(arguments[0]):
        raise NotKnown
    if not safe.is_exactly(array, "numpy", "ndarray"):
        plain = state.plain(arguments[0])
        if plain is not safe.ABSENT:
            _, error = attempt(lambda: safe.loaded("torch").from_numpy(plain))
            return None if error is None else crash(error)
        other = _ones([1], tensor_of(arguments[0], state)) if tensor_of(arguments[0], state) is not None else None
        pandas: Any = safe.loaded("pandas")
        if blocks.is_frame(array) or blocks.is_series(array):
            other = type(array)({"a": [0.0]}) if type(array) is pandas.DataFrame else pandas.Series([0.0])
        if other is not None:
            _, error = attempt(lambda: safe.loaded("torch").from_numpy(other))
            return None if error is None else crash(error)
        return _opened(site.node, "from_numpy()", state)
    if any(stride < 0 for stride in array.strides) and type(arguments[0]) is Known:
        return _opened(site.node, "from_numpy()", state)
    found = _of_array(array, False, None)
    if type(found) is Like and type(arguments[0]) is Like:
        # Its strides may be negative, which torch does not take.
        state.may_raise(site.node, "from_numpy() may raise")
    return found


def _making(site: CallSite, state: State, allowed: tuple[str, ...]) -> tuple[bool, Any]:
    """Return ``requires_grad`` and ``dtype`` of a function that makes a tensor; dtype None for the default.

    Raises:
        NotKnown: They, or the device, are not known, or another keyword is given.
    """
    found = {name: state.live(each) for name, each in site.keywords.items() if name in allowed}
    if safe.ABSENT in found.values():
        raise NotKnown
    grad, dtype, device = found.get("requires_grad", False), found.get("dtype"), found.get("device")
    if type(grad) is not bool or not (dtype is None or type(dtype) is safe.loaded("torch", "dtype")):
        raise NotKnown
    place = "cpu" if device is None else device_named(device)
    if place == "cuda" and has_no_cuda():
        state.memo["torch asked for"] = site.node
    elif place != "cpu":
        raise NotKnown
    return grad, dtype


def _on_device(found: Value | Finding | None, site: CallSite, state: State) -> Value | Finding | None:
    """Return what a function makes, or the crash of making it on a device that is not there."""
    asked = state.memo.pop("torch asked for", None) is site.node
    return no_device("cuda") if asked and isinstance(found, Value) else found


_MAKERS = frozenset("zeros ones empty full rand randn randint randperm arange linspace logspace eye range".split())
_LIKES = frozenset("zeros_like ones_like empty_like full_like rand_like randn_like randint_like".split())


def _maker(name: str) -> Any:
    """Follow ``torch.zeros(2, 3)`` and its like: on the meta device for the structure, for real where it is small."""

    def make(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
        torch: Any = safe.loaded("torch")
        if not places_known(state) or set(site.keywords) & {"out", "generator", "layout", "pin_memory"}:
            raise NotKnown
        grad, dtype = _making(site, state, ("requires_grad", "dtype", "device"))
        rest = {k: v for k, v in site.keywords.items() if k not in ("requires_grad", "dtype", "device")}
        operands = Operands(arguments, rest, state)
        if operands.tensors:
            raise NotKnown
        args, keys = operands.built([])
        if dtype is not None:
            keys["dtype"] = dtype
        function = getattr(torch, name)
        drawn = name.startswith("rand")
        if name in ("rand", "randn") and dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            # Only where the numbers are drawn does torch say so.
            raise NotKnown
        if drawn or not _is_little(name, args, keys):
            # What comes out is drawn at random, or large.
            if name in ("randn", "randint", "linspace", "logspace", "arange"):
                found, error = _empty_like_maker(name, args, keys)
            else:
                found, error = attempt(lambda: function(*args, device="meta", **keys))
        else:
            found, error = attempt(lambda: function(*args, **keys))
        if error is not None:
            return crash(error, state.level(*arguments))
        if grad and not (found.is_floating_point() or found.is_complex()):
            return _made(torch.zeros(1, dtype=found.dtype), True)
        if found.device.type == "meta" or grad or name == "empty":
            return like(found.shape, found.dtype, strides=found.stride(), grad=grad, leaf=grad)
        return Known(found, level=state.level(*arguments))

    return make


def _is_little(name: str, args: list[Any], keys: dict[str, Any]) -> bool:
    """Whether a tensor to be made is small."""
    numbers = [each for each in [*args, *keys.values()] if type(each) in (int, float)]
    for each in args:
        if safe.one_of(type(each), (list, tuple)) or type(each) is safe.loaded("torch", "Size"):
            numbers += [part for part in each if type(part) is int]
    product = 1.0
    for each in numbers:
        product *= max(abs(each), 1)
    if name in ("arange", "range") and any(type(each) is float for each in numbers):
        return False
    return product <= MAX_ELEMENTS


def _empty_like_maker(name: str, args: list[Any], keys: dict[str, Any]) -> tuple[Any, Exception | None]:
    """Make on the meta device what has the same structure, where the function itself would import."""
    torch: Any = safe.loaded("torch")
    if name == "randn":
        return attempt(lambda: torch.rand(*args, device="meta", **keys))
    if name == "randint":
        if any(key in keys for key in ("low", "high", "size")) or len(args) not in (2, 3):
            raise NotKnown
        size = args[-1]
        low, high = (0, args[0]) if len(args) == 2 else (args[0], args[1])
        if not safe.one_of(type(size), (tuple, list)) or type(low) is not int or type(high) is not int or low >= high:
            raise NotKnown
        if abs(low) > 2**31 or abs(high) > 2**31:
            raise NotKnown
        return attempt(lambda: torch.empty(size, dtype=keys.get("dtype", torch.int64), device="meta"))
    raise NotKnown


def _liker(name: str) -> Any:
    def make(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
        grad, dtype = _making(site, state, ("requires_grad", "dtype", "device"))
        others = set(site.keywords) - {"requires_grad", "dtype", "device"}
        if others or len(arguments) != (2 if name == "full_like" else 3 if name == "randint_like" else 1):
            raise NotKnown
        tensor = tensor_of(arguments[0], state)
        if tensor is None or (dtype is None and not knows(arguments[0], DTYPE, state)):
            raise NotKnown
        found = dtype or tensor.dtype
        if name in ("rand_like", "randn_like", "randint_like", "full_like") and not found.is_floating_point:
            raise NotKnown
        if grad and not found.is_floating_point:
            raise NotKnown
        operands = Operands([arguments[0]], {}, state)
        strides = contiguous(tensor.shape) if operands.strided() else None
        return like(tensor.shape, found, strides=strides, grad=grad)

    return make


def _extreme(name: str) -> Any:
    """Follow ``x.max(dim=1)``: torch itself would spread it over threads."""

    def extreme(site: CallSite, arguments: tuple[Value, ...], state: State) -> Value | Finding | None:
        operands = Operands(arguments, site.keywords, state)
        is_method = type(site.callee) is Method
        function = _method(name) if is_method else state.live(site.callee)
        axis = operands.keywords.get("dim", operands.arguments[1] if len(operands.arguments) > 1 else None)
        if "out" in operands.keywords or type(operands.arguments[0]) is not _Slot:
            raise NotKnown
        if type(axis) is not int:
            return evaluate(name, function, operands, site.node, state)
        keeps = operands.keywords.get("keepdim", operands.arguments[2] if len(operands.arguments) > 2 else False)
        tensor = operands.tensors[0]
        rank = max(len(tensor.shape), 1)
        if set(operands.keywords) - {"dim", "keepdim"} or len(operands.arguments) > 3 or type(keeps) is not bool:
            raise NotKnown
        if not -rank <= axis < rank:
            return full_crash(function, operands, None)
        shape = [int(size) for size in tensor.shape]
        if 0 in shape or tensor.is_complex():
            raise NotKnown
        if shape:
            shape[axis : axis + 1 or None] = [1] if keeps else []
        parts = [
            like(shape, tensor.dtype, grad=operands.grad(), dtype_known=operands.exact),
            like(shape, safe.loaded("torch").int64, grad=False),
        ]
        kind: Any = safe.loaded("torch", "return_types")
        kind = (safe.instance_dict(kind) or {}).get(name)
        facts = frozenset.intersection(*(part.knows for part in parts))
        return UNKNOWN if kind is None else Like(kind([part.object for part in parts]), facts)

    return extreme


def _method(name: str) -> Any:
    return lambda first, *rest, **named: getattr(first, name)(*rest, **named)


_METHODS: dict[str, Any] = {
    "size": _size,
    "item": _item_of,
    "numpy": _numpy,
    "tolist": _tolist,
    "to": _to,
    "cpu": _cpu,
    "cuda": _cuda,
    "contiguous": _contiguous,
    "backward": _backward,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "max": _extreme("max"),
    "min": _extreme("min"),
    **{
        name: _cast(dtype)
        for name, dtype in {
            "float": "float32",
            "double": "float64",
            "half": "float16",
            "bfloat16": "bfloat16",
            "long": "int64",
            "int": "int32",
            "short": "int16",
            "char": "int8",
            "byte": "uint8",
            "bool": "bool",
        }.items()
    },
}

_LEGACY = {
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
    "LongTensor": "int64",
    "IntTensor": "int32",
    "Tensor": None,
}


def legacy(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``torch.FloatTensor(numbers)``, ``torch.Tensor(array)``: they take no other dtype."""
    torch: Any = safe.loaded("torch")
    name = next((each for each in _LEGACY if callee is safe.loaded("torch", each)), "")
    if not name or len(site.arguments) != 1 or site.keywords or not site.complete or not places_known(state):
        return None
    if name == "Tensor" and str(torch.get_default_dtype()) != "torch.float32":
        return None
    dtype = getattr(torch, _LEGACY[name] or "float32")
    array: Any = state.form(site.arguments[0], SHAPE, DTYPE)
    if safe.is_exactly(array, "numpy", "ndarray"):
        if array.dtype.kind not in "iuf" or len(array.shape) == 0:
            return None
        if array.dtype.kind == "O":
            return None
        return like(array.shape, dtype, strides=contiguous(array.shape), grad=False)
    table = _of_table(callee, site.arguments[0], state)
    if table is not None:
        return like_of(table, grad=False) if isinstance(table, torch.Tensor) else table
    if safe.one_of(type(state.live(site.arguments[0])), (list, str)):
        plain = _numbers_in(site.arguments[0], state)
        if plain is safe.ABSENT:
            return None
        made, error = attempt(lambda: callee(plain))
        level = state.level(site.arguments[0])
        return crash(error, level) if error is not None else Known(made, level=level)
    return None


def _placed(function: Any) -> Any:
    return lambda site, arguments, state: _on_device(function(site, arguments, state), site, state)


_FUNCTIONS: dict[str, Any] = {
    "max": _extreme("max"),
    "min": _extreme("min"),
    "softmax": _softmax,
    "log_softmax": _softmax,
    "tensor": _placed(_tensor),
    "as_tensor": _placed(_tensor),
    "from_numpy": _from_numpy,
    **{name: _placed(_maker(name)) for name in _MAKERS},
    **{name: _liker(name) for name in _LIKES},
}

# -- operators --------------------------------------------------------------------------------------------------------

_OPERATORS: dict[type, tuple[str, Any, Any]] = {
    ast.Add: ("add", operator.add, operator.iadd),
    ast.Sub: ("sub", operator.sub, operator.isub),
    ast.Mult: ("mul", operator.mul, operator.imul),
    ast.Div: ("div", operator.truediv, operator.itruediv),
    ast.FloorDiv: ("floor_divide", operator.floordiv, operator.ifloordiv),
    ast.Mod: ("remainder", operator.mod, operator.imod),
    ast.Pow: ("pow", operator.pow, operator.ipow),
    ast.BitAnd: ("bitwise_and", operator.and_, operator.iand),
    ast.BitOr: ("bitwise_or", operator.or_, operator.ior),
    ast.BitXor: ("bitwise_xor", operator.xor, operator.ixor),
    ast.MatMult: ("matmul", operator.matmul, operator.matmul),
}
_COMPARISONS: dict[type, tuple[str, Any]] = {
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
}
_UNARIES: dict[type, tuple[str, Any]] = {
    ast.USub: ("neg", operator.neg),
    ast.Invert: ("bitwise_not", operator.invert),
}


def binary(site: OperatorSite, state: State) -> Value | Finding | None:
    """Follow an operator with a tensor."""
    left, right = tensor_of(site.left, state), tensor_of(site.right, state)
    known = _OPERATORS.get(type(site.op))
    if known is None or (left is None and right is None):
        return None
    name, function, in_place = known
    if site.in_place and left is not None and type(site.op) is not ast.MatMult:
        return _augmented(site, name, in_place, left, state)
    try:
        operands = Operands([site.left, site.right], {}, state)
    except NotKnown:
        return _with_number(site, function, state)
    try:
        if not _are_numbers(operands):
            return None
        return evaluate(name, function, operands, site.node, state)
    except NotKnown:
        return _opened(site.node, "an operator on a tensor", state)


def _are_numbers(operands: Operands) -> bool:
    """Whether what stands left of a tensor leaves the operator to it."""
    first = operands.arguments[0]
    return type(first) is _Slot or safe.one_of(type(first), (int, float, bool, complex, str, list, tuple, type(None)))


def _with_number(site: OperatorSite, function: Any, state: State) -> Value | None:
    """Answer for a tensor and a number that is not known: only the shape is the tensor's, of floats the dtype, too."""
    number = site.right if tensor_of(site.left, state) is not None else site.left
    value = site.left if number is site.right else site.right
    tensor = tensor_of(value, state)
    if type(number) is not Made or number.kind not in ("number", "bool"):
        return _opened(site.node, "an operator on a tensor", state)
    floats = tensor.is_floating_point()
    operands = Operands([value], {}, state)
    if not floats or type(site.op) in (ast.MatMult, ast.BitAnd, ast.BitOr, ast.BitXor):
        state.may_raise(site.node, "an operator on a tensor may raise")
        if type(site.op) is ast.MatMult:
            return UNKNOWN
    strides = contiguous(tensor.shape) if operands.strided() else None
    return like_of(tensor, strides=strides, grad=operands.grad(), dtype_known=floats and operands.exact)


def _augmented(site: OperatorSite, name: str, function: Any, left: Any, state: State) -> Value | Finding | None:
    """Follow ``tensor += other``, which changes the tensor in place."""
    leaf = _change_of_leaf(site.left, left, state)
    if leaf is True and type(site.right) is not Known and tensor_of(site.right, state) is None:
        of_torch = type(site.right) is Foreign and site.right.package == "torch"
        leaf = leaf if of_torch or (type(site.right) is Made and site.right.kind == "number") else None
    if leaf is True:
        return leaf_changed()
    try:
        operands = Operands([site.left, site.right], {}, state)
        if operands.exact and leaf is False and name not in _BY_CONTENT:
            arguments, _ = operands.built(operands.ones(small_sizes(operands)))
            _, error = attempt(lambda: function(*arguments))
            finding = None if error is None else full_crash(function, operands, error)
            if finding is not None:
                return finding
            if error is not None:
                state.may_raise(site.node, "an operator on a tensor may raise")
        else:
            state.may_raise(site.node, "an operator on a tensor may raise")
    except NotKnown:
        state.may_raise(site.node, "an operator on a tensor may raise")
    _forget_numbers(site.left, left, state)
    return site.left


def unary(site: UnarySite, state: State) -> Value | Finding | None:
    """Follow ``-tensor`` and ``~tensor``."""
    known = _UNARIES.get(type(site.op))
    if known is None or tensor_of(site.operand, state) is None:
        return None
    try:
        return evaluate(known[0], known[1], Operands([site.operand], {}, state), site.node, state)
    except NotKnown:
        return _opened(site.node, "an operator on a tensor", state)


def compare(site: CompareSite, state: State) -> Value | Finding | None:
    """Follow a comparison with a tensor, element by element; and one of shapes."""
    sizes = [state.live(each) for each in (site.left, site.right)]
    known = _COMPARISONS.get(type(site.op))
    size: Any = safe.loaded("torch", "Size")
    if known is not None and any(type(each) is size for each in sizes):
        plain = [
            each if type(each) is size else state.plain(value) for each, value in zip(sizes, (site.left, site.right))
        ]
        if safe.ABSENT not in plain:
            return Known(known[1](*plain), level=SCHEMA) if type(site.op) in (ast.Eq, ast.NotEq) else None
    kinds = [type(each) for each in sizes]
    if type(site.op) in (ast.Eq, ast.NotEq) and kinds[0] is kinds[1] and kinds[0] is safe.loaded("torch", "dtype"):
        return Known((sizes[0] is sizes[1]) == (type(site.op) is ast.Eq), level=SCHEMA)
    if known is None or (tensor_of(site.left, state) is None and tensor_of(site.right, state) is None):
        return None
    try:
        operands = Operands([site.left, site.right], {}, state)
        if type(operands.arguments[0]) is not _Slot:
            return _opened(site.node, "a comparison with a tensor", state)
        return evaluate(known[0], known[1], operands, site.node, state)
    except NotKnown:
        return _opened(site.node, "a comparison with a tensor", state)


# -- one value --------------------------------------------------------------------------------------------------------


def length(site: ValueSite, state: State) -> Value | Finding | None:
    """Follow ``len(tensor)``."""
    found: Any = state.form(site.value)
    if type(found) is safe.loaded("torch", "Size") and found is not None and type(site.value) is Known:
        return Known(len(found), level=SCHEMA)
    tensor = tensor_of(site.value, state)
    if tensor is None or not is_own_method(tensor, "__len__"):
        return None
    if len(tensor.shape) == 0:
        _, error = attempt(lambda: len(_ones([], tensor)))
        return None if error is None else crash(error)
    return Known(int(tensor.shape[0]), level=SCHEMA)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Return the elements along the first axis, of a shape its sizes."""
    found: Any = state.form(site.value)
    if type(found) is safe.loaded("torch", "Size") and found is not None and type(site.value) is Known:
        return Elements([Known(each, level=SCHEMA) for each in found])
    if type(site.value) is Like and safe.class_module(type(found)).startswith("torch.return_types"):
        return Elements([Like(each, site.value.knows) for each in found])
    tensor = tensor_of(site.value, state)
    if tensor is None or not is_own_method(tensor, "__iter__") or not is_own_method(tensor, "unbind"):
        return None
    if len(tensor.shape) == 0:
        _, error = attempt(lambda: iter(_ones([], tensor)))
        return None if error is None else crash(error)
    count = int(tensor.shape[0])
    try:
        operands = Operands([site.value], {}, state)
        if count > MAX_ROWS:
            row = _looked_at(lambda each: each[0], "view", operands, state)
            return Elements([row], complete=False) if isinstance(row, Value) else None
        rows = _looked_at(lambda each: each.unbind(0), "unbind", operands, state)
    except NotKnown:
        return None
    if type(rows) is not Known:
        return None
    return Elements([of_element(each) for each in rows.object])  # type: ignore[attr-defined]


def truth(site: ValueSite, state: State) -> Value | Finding | None:
    """Follow ``if tensor``."""
    tensor = tensor_of(site.value, state)
    if tensor is None or not is_own_method(tensor, "__bool__"):
        return None
    if int(tensor.numel()) != 1:
        shape = [size if size < 2 else 2 for size in map(int, tensor.shape)]
        _, error = attempt(lambda: bool(_ones(shape, tensor)))
        return None if error is None else crash(error)
    real: Any = state.live(site.value)
    return Known(bool(real.detach().clone())) if tensors.is_tensor(real) else Made("bool")


def text(site: ValueSite, state: State) -> Value | Finding | None:
    """Follow ``f'{tensor:.3f}'``. Source: `torch/_tensor.py`, ``__format__``."""
    tensor = tensor_of(site.value, state)
    if tensor is None or not is_own_method(tensor, "__format__"):
        return None
    if len(tensor.shape) > 0 and site.text:
        _, error = attempt(lambda: format(_ones([1], tensor), site.text))
        return None if error is None else crash(error)
    if len(tensor.shape) == 0 and knows(site.value, DTYPE, state):
        _, error = attempt(lambda: format(_ones([], tensor), site.text))
        return Made("text") if error is None else crash(error)
    return Made("text") if not site.text else None


def guarded(handler: Any) -> Any:
    """Return a handler that answers nothing where what it needs is not known."""

    def answer(*about: Any) -> Any:
        try:
            return handler(*about)
        except NotKnown:
            return None

    return answer


HANDLERS = {
    "attribute": [guarded(attribute)],
    "item": [guarded(item)],
    "store_item": [guarded(store_item)],
    "call": [guarded(call)],
    "operator": [guarded(binary)],
    "unary": [guarded(unary)],
    "compare": [guarded(compare)],
    "length": [guarded(length)],
    "iterate": [guarded(iterate)],
    "truth": [guarded(truth)],
    "format": [guarded(text)],
    "enter": [guarded(enter)],
}
