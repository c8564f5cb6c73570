"""Which arrays or tensors go together: the shape that comes out, or what the library raises.

Told from shapes and dtypes alone, so that it can be asked of values that are not there yet.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

from .. import safe
from . import tensors

OPERATIONS = ("broadcast", "matmul", "concatenate", "stack", "vstack", "hstack")


Shape = Tuple[int, ...]


class Operand(NamedTuple):
    """What is known of an array, a tensor or a number.

    Attributes:
        shape: Sizes; () of a number.
        dtype: The library's own object; None of a number.
        device: Of a tensor, as text.
        layout: Of a tensor, as text.
    """

    shape: Shape
    dtype: Any = None
    device: str = ""
    layout: str = ""


def combined(operation: str, shapes: list[Shape], axis: int, library: str) -> Shape | None:
    """Return the shape of the result; None if they do not go together.

    Args:
        operation: One of `OPERATIONS`.
        shapes: Of the operands, two of them for ``broadcast`` and ``matmul``.
        axis: Of ``concatenate`` and ``stack``.
        library: ``numpy`` or ``torch``.

    Sources: the numpy reference, "Broadcasting", `matmul`, `concatenate`, `stack`, `vstack`, `hstack`; the torch
    reference, `matmul`, `cat`.
    """
    if operation == "broadcast":
        return _broadcast(shapes[0], shapes[1])
    if operation == "matmul":
        return _matmul(shapes[0], shapes[1])
    if operation == "stack":
        rank = len(shapes[0]) + 1
        if not -rank <= axis < rank or any(each != shapes[0] for each in shapes):
            return None
        place = axis % rank
        return (*shapes[0][:place], len(shapes), *shapes[0][place:])
    if operation == "vstack":
        shapes = [(1,) * (2 - len(each)) + each for each in shapes]
    elif operation == "hstack":
        shapes = [each or (1,) for each in shapes]
        axis = 0 if len(shapes[0]) == 1 else 1
    return _concatenated(shapes, axis, library)


def _broadcast(left: Shape, right: Shape) -> Shape | None:
    rank = max(len(left), len(right))
    pairs = zip((1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right)
    found = []
    for a, b in pairs:
        if a != b and 1 not in (a, b):
            return None
        found.append(b if a == 1 else a)
    return tuple(found)


def _matmul(left: Shape, right: Shape) -> Shape | None:
    if not left or not right or left[-1] != right[-2 if len(right) > 1 else -1]:
        return None
    outer = _broadcast(left[:-2], right[:-2])
    return None if outer is None else outer + left[-2:-1] + (right[-1:] if len(right) > 1 else ())


def _concatenated(shapes: list[Shape], axis: int, library: str) -> Shape | None:
    # torch leaves out empty tensors of one dimension, whatever the others are.
    kept = [each for each in shapes if library == "numpy" or each != (0,)]
    if not kept:
        return (0,)
    rank = len(kept[0])
    if rank == 0 or not -rank <= axis < rank or any(len(each) != rank for each in kept) or () in shapes:
        return None
    place = axis % rank
    if any(a != b for each in kept for at, (a, b) in enumerate(zip(each, kept[0])) if at != place):
        return None
    return (*kept[0][:place], sum(each[place] for each in kept), *kept[0][place + 1 :])


def is_told_by_shapes(operation: str, operands: list[Operand], library: str) -> bool:
    """Whether an operation works if the shapes fit, whatever the values are: dtypes and devices go together, too."""
    arrays = [each for each in operands if each.dtype is not None]
    dtypes = {str(each.dtype) for each in arrays}
    if library == "numpy":
        numbers = all(each.dtype.kind in "biufc" for each in arrays)
        return numbers or (len(dtypes) == 1 and operation not in ("broadcast", "matmul"))
    plain = len({each.device for each in arrays}) == 1 and all(each.layout == "torch.strided" for each in arrays)
    if operation == "matmul":
        return plain and len(dtypes) == 1 and dtypes <= {"torch.float32", "torch.float64", "torch.int64"}
    return plain and (operation == "broadcast" or len(arrays) == len(operands))


def error(operation: str, operands: list[Operand], axis: int, library: str) -> Exception | None:
    """Return what the library raises for operands of these shapes; None if that is not certain.

    The library is asked with operands that hold a single element in memory: it raises before it computes.
    """
    if len({str(each.dtype) for each in operands}) != 1 or operands[0].dtype is None:
        return None
    ranks = sorted(len(each.shape) for each in operands)
    if library == "torch" and operation == "matmul" and ranks[0] < 3 <= ranks[1]:
        return None  # which words depends on the strides
    stubs = _numpy_stubs(operands) if library == "numpy" else _torch_stubs(operands)
    call = _call(operation, library)
    if stubs is None or call is None:
        return None
    try:
        call(stubs, axis)
    except (ValueError, IndexError, RuntimeError) as raised:
        return raised
    return None


def _numpy_stubs(operands: list[Operand]) -> list[Any] | None:
    kind, dtype = safe.loaded("numpy", "ndarray"), operands[0].dtype
    if dtype.kind not in "iufc":
        return None
    return [kind(each.shape, dtype, bytes(dtype.itemsize), 0, (0,) * len(each.shape)) for each in operands]


def _torch_stubs(operands: list[Operand]) -> list[Any] | None:
    empty, kind = safe.loaded("torch", "empty"), safe.loaded("torch", "Tensor")
    plain = all(each.device == "cpu" and each.layout == "torch.strided" for each in operands)
    is_own = safe.inherits(type(kind), type) and tensors.is_in_c(kind, "expand")
    if type(empty) is not safe.BuiltinFunctionType or not plain or not is_own:
        return None
    dtype = operands[0].dtype
    if not (dtype.is_floating_point or str(dtype) in ("torch.int64", "torch.int32")):
        return None
    return [_torch_stub(empty, each.shape, dtype) for each in operands]


def _torch_stub(empty: Any, shape: Shape, dtype: Any) -> Any:
    if 0 in shape:
        return empty(shape, dtype=dtype, device="cpu")
    return empty((1,) * len(shape), dtype=dtype, device="cpu").expand(shape)


def _call(operation: str, library: str) -> Any:
    """Return the operation as a function of operands and axis; None if it is not the library's own."""
    if operation == "broadcast":
        return lambda stubs, axis: stubs[0] + stubs[1]
    if operation == "matmul":
        return lambda stubs, axis: stubs[0] @ stubs[1]
    name = {"concatenate": "cat"}.get(operation, operation) if library == "torch" else operation
    function = safe.loaded(library, name)
    if not _is_function_of(library, function):
        return None
    return lambda stubs, axis: function(stubs) if operation in ("vstack", "hstack") else function(stubs, axis)


_IS_MADE_IN_PYTHON = 1 << 9
"""A flag of classes. Source: CPython's `Include/object.h`, Py_TPFLAGS_HEAPTYPE."""


def _is_function_of(library: str, function: object) -> bool:
    """Whether nobody has put another function in the place of the library's."""
    if library == "torch":
        return type(function) is safe.BuiltinFunctionType
    # In numpy a Python function, or since 1.25 a C function of a class of numpy's own.
    in_c = safe.class_module(type(function)) == "numpy" and not safe.class_flags(type(function)) & _IS_MADE_IN_PYTHON
    return in_c or safe.comes_from(function, "numpy")
