"""numpy arrays and torch tensors: how they lie in memory, what is in them, which of them go together.

The memory of a tensor is read, not the tensor: an operation of torch may start its threads, and ``tensor.numpy()``
makes the tensor one that cannot be resized any more.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterator

from .. import paths, safe
from ..moment import moment
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import combining, tensors

MOST_SCANNED = 2000000
"""Elements of the longest array that is looked at as a whole."""

SAMPLE = 200000
"""Elements looked at of a longer one, in equal steps or in blocks."""

CHUNK = 1 << 18
"""Elements looked at between two looks at the clock."""

BLOCK_BYTES = 1 << 16
"""What is copied of a tensor's memory at once [bytes]."""

MOST_OBJECTS = 10000
"""Elements of an object array that are looked at, from its start."""

MOST_PARTS = 1000
"""Elements of a list that can be joined."""


def array(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe the array or tensor at `path`: shape, dtype, device, layout in memory, how many NaN and infinities."""
    value: Any = paths.resolve(path, shell.user_ns)
    if not tensors.is_array(value):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly an array or a tensor".format(path, safe.type_name(value))
        )
    answer = dict({"path": path, "type": safe.type_name(value)}, **facts(value))
    if tensors.is_tensor(value):
        answer.update(_tensor_facts(value))
        answer.update(_scan(_tensor_chunks(value, shell), budget))
    else:
        answer.update(_memory_facts(value))
        if value.dtype.kind == "O":
            answer.update(_object_facts(value, budget))
        else:
            answer.update(_scan(_array_chunks(value), budget))
    return answer


def facts(value: Any) -> dict[str, Any]:
    """Return shape, dtype, and for a tensor its device and whether it takes part in autograd.

    Raises:
        Refused: It is a tensor without a shape, such as a nested one.
    """
    shape = tensors.shape(value)
    if shape is None:
        raise safe.Refused("could not look, because the tensor has no shape of its own")
    answer: dict[str, Any] = {"kind": "array", "shape": shape, "dtype": str(value.dtype)}
    if tensors.is_tensor(value):
        answer.update(kind="tensor", device=str(value.device), requires_grad=value.requires_grad is True)
    return answer


# -- How it lies in memory --------------------------------------------------------------------------------------------


def _memory_facts(value: Any) -> dict[str, Any]:
    flags = value.flags
    orders = {(True, True): "C and F", (True, False): "C", (False, True): "F", (False, False): "neither"}
    return {
        "order": orders[flags.c_contiguous, flags.f_contiguous],
        "writable": flags.writeable,
        "owns_data": flags.owndata,
    }


def _tensor_facts(value: Any) -> dict[str, Any]:
    # The gradient of what is no leaf is not asked for: torch warns.
    return {
        "is_leaf": value.is_leaf,
        "layout": str(value.layout),
        "contiguous": _asked(value, "is_contiguous"),
        "has_grad": (value.grad is not None) if value.is_leaf and tensors.is_in_c(type(value), "grad") else None,
    }


def _asked(value: Any, name: str) -> Any:
    """Return what a method of a tensor without arguments gives; None if torch does not tell or it is not torch's."""
    if not tensors.is_in_c(type(value), name):
        return None
    try:
        return getattr(value, name)()
    except (RuntimeError, NotImplementedError):
        return None


# -- What is in it ----------------------------------------------------------------------------------------------------

Chunks = Any
"""Arrays of one dimension, one after another; a text instead if they cannot be read, which says why."""


def _scan(chunks: Chunks, budget: safe.Budget) -> dict[str, Any]:
    """Count NaN and infinities, find the least and the greatest of the other numbers."""
    if type(chunks) is str:
        return {"unknown": chunks}
    total, pieces = chunks
    nan = infinite = looked_at = 0
    least = greatest = None
    for piece in pieces:
        budget.check()
        looked_at += int(piece.shape[0])
        bad, unbounded, ordinary = _sorted_out(piece)
        nan, infinite = nan + bad, infinite + unbounded
        if ordinary is not None and ordinary.shape[0] and budget.shows(VALUES):
            low, high = ordinary.min(), ordinary.max()
            least = low if least is None or low < least else least
            greatest = high if greatest is None or high > greatest else greatest
    found: dict[str, Any] = {"nan": nan, "infinite": infinite, "looked_at": looked_at, "whole": looked_at == total}
    if least is not None:
        found.update(min=_plain(least), max=_plain(greatest))
    return found


def _sorted_out(piece: Any) -> tuple[int, int, Any]:
    """Return how many elements are NaN or NaT, how many infinite, and the others, if they have an order.

    Only ``==`` and ``!=`` are used: numpy never warns of them, and nobody can have put another function in their place.
    """
    kind = piece.dtype.kind
    if kind in "biu":
        return 0, 0, piece
    good = piece == piece
    nan = int(piece.shape[0]) - int(good.sum())
    if kind in "mM":
        return nan, 0, piece[good]
    if kind == "c":
        unbounded = _is_infinite(piece.real) | _is_infinite(piece.imag)
        return nan, int((unbounded & good).sum()), None
    unbounded = _is_infinite(piece)
    infinite = int(unbounded.sum())
    return nan, infinite, piece if nan == infinite == 0 else piece[good & ~unbounded]


def _is_infinite(piece: Any) -> Any:
    return (piece == float("inf")) | (piece == float("-inf"))


def _plain(number: Any) -> Any:
    """Return a number of numpy as a number of Python's; a date as text."""
    return str(number) if number.dtype.kind in "mM" else number.item() if number.dtype.char != "g" else float(number)


def _array_chunks(value: Any) -> Chunks:
    if value.dtype.kind not in "biufcmM":
        return "values of this dtype are not looked at"
    if _is_on_disk(value):
        return "the array lies in a file"
    return value.size, _pieces(value)


def _pieces(value: Any) -> Iterator[Any]:
    size, flags = value.size, value.flags
    is_flat = flags.c_contiguous or flags.f_contiguous
    # A flat array is looked at as it lies, without a copy; of another one `flat` copies what is asked for, slowly.
    row = (value if flags.c_contiguous else value.T).reshape(-1) if is_flat else value.flat
    most = MOST_SCANNED if is_flat else SAMPLE
    step = 1 if size <= most else -(-size // SAMPLE)
    for start in range(0, size, CHUNK * step):
        yield row[start : min(start + CHUNK * step, size) : step]


def _is_on_disk(value: Any) -> bool:
    """Whether the memory of an array is a mapped file: looking could read all of it."""
    for _ in range(20):
        base = value.base
        if base is None or not safe.inherits(type(base), safe.loaded("numpy", "ndarray")):
            return safe.is_exactly(base, "mmap", "mmap")
        if safe.is_exactly(base, "numpy", "memmap"):
            return True
        if not safe.is_exactly(base, "numpy", "ndarray"):
            return False
        value = base
    return True


def _object_facts(value: Any, budget: safe.Budget) -> dict[str, Any]:
    """Return the types of the elements of an object array, and how many of them are a float that is NaN."""
    sample = value.flat[:MOST_OBJECTS].tolist()
    counts: dict[str, int] = {}
    for each in sample:
        name = safe.type_name(each)
        counts[name] = counts.get(name, 0) + 1
    common = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "element_types": dict(common[: budget.items]),
        "nan": sum(type(each) is float and each != each for each in sample),
        "looked_at": len(sample),
        "whole": len(sample) == value.size,
        "truncated": len(common) > budget.items,
    }


_READABLE = {
    "torch." + name: name
    for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
}


def _tensor_chunks(value: Any, shell: Any) -> Chunks:
    """Return copies of parts of a tensor's memory as arrays; a text if that is not certain to be what it holds."""
    dtype = _READABLE.get(str(value.dtype))
    kind = safe.loaded("numpy", "ndarray")
    if dtype is None or type(kind) is not type or not safe.is_from(kind, "numpy"):
        return "values of this dtype are not looked at"
    if str(value.device) != "cpu" or str(value.layout) != "torch.strided":
        return "the values are not in a plain piece of this computer's memory"
    if moment(shell)["running"]:
        # A cell might give the memory back while it is read.
        return "a cell is running"
    lazy = safe.loaded("torch._C", "_is_cow_tensor")
    odd = [_asked(value, name) for name in ("is_conj", "is_neg", "_is_zerotensor")]
    if any(each is not False for each in odd) or (callable(lazy) and lazy(value)):
        return "the values are computed when they are needed"
    address, strides, size = _asked(value, "data_ptr"), _asked(value, "stride"), _asked(value, "numel")
    itemsize = _asked(value, "element_size")
    if not all(type(each) is int for each in (address, size, itemsize)) or type(strides) is not tuple:
        return "the values are not in a plain piece of this computer's memory"
    if size and (not address or not _is_dense(value.shape, strides)):
        return "the values lie apart in memory"
    return size, _copies(address, size, itemsize, lambda count, buffer: kind((count,), dtype, buffer), value)


def _is_dense(shape: Any, strides: Any) -> bool:
    """Whether the elements fill one piece of memory, in whatever order of the axes."""
    expected = 1
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape) if size != 1):
        if stride != expected:
            return False
        expected *= size
    return True


# ``ctypes.string_at`` and pointers tell audit hooks; a function called with the interpreter's lock held does not.
_COPY = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(
    ctypes._memmove_addr  # type: ignore[attr-defined]
)
_Block: Any = ctypes.c_char * BLOCK_BYTES


def _copies(address: int, size: int, itemsize: int, make: Callable[[int, Any], Any], owner: object) -> Iterator[Any]:
    """Copy blocks of memory: all of them, or some in equal distances; `owner` keeps the memory alive."""
    held = BLOCK_BYTES // itemsize
    blocks = -(-size // held)
    step = 1 if size <= MOST_SCANNED else -(-blocks // -(-SAMPLE // held))
    for place in range(0, blocks, step):
        count = min(held, size - place * held)
        block = _Block()
        _COPY(block, address + place * held * itemsize, count * itemsize)
        yield make(count, block)
    del owner


# -- Which of them go together ----------------------------------------------------------------------------------------


def combine(
    shell: Any, budget: safe.Budget, operation: str, left: str, right: str | None = None, axis: int | None = None
) -> dict[str, Any]:
    """Say whether arrays or tensors go together, with the shape that comes out, or the library's error.

    Args:
        shell: IPython's shell.
        budget: What the answer may cost.
        operation: One of `combining.OPERATIONS`; ``broadcast`` is what arithmetic does.
        left: The first operand, or a list or tuple of all operands if there is no `right`.
        right: The second operand.
        axis: Of ``concatenate`` and ``stack``; 0 unless given.
    """
    if operation not in combining.OPERATIONS:
        raise safe.Refused("could not look, because an operation is one of {}".format(", ".join(combining.OPERATIONS)))
    if axis is not None and (type(axis) is not int or operation not in ("concatenate", "stack")):
        raise safe.Refused("could not look, because only concatenate and stack have an axis, a whole number")
    values = _operands(shell, operation, left, right)
    library = _library(values)
    operands = [_operand(value) for value in values]
    shapes = [each.shape for each in operands]
    answer: dict[str, Any] = {"operation": operation, "library": library}
    answer["shapes"] = [list(each) for each in shapes[: budget.items]]
    answer["truncated"] = len(shapes) > budget.items
    answer["dtypes"] = sorted({str(each.dtype) for each in operands if each.dtype is not None})[: budget.items]
    shape = combining.combined(operation, shapes, axis or 0, library)
    if shape is not None:
        told = combining.is_told_by_shapes(operation, operands, library)
        return dict(answer, shape=list(shape), fits=True if told else None)
    error = combining.error(operation, operands, axis or 0, library)
    if error is not None:
        answer.update(exception=type(error).__name__, words=str(error)[:500])
    return dict(answer, shape=None, fits=False)


def _operands(shell: Any, operation: str, left: str, right: str | None) -> list[Any]:
    first = paths.resolve(left, shell.user_ns)
    if right is not None:
        return [first, paths.resolve(right, shell.user_ns)]
    if not safe.one_of(type(first), (list, tuple)):
        raise safe.Refused(
            "could not look, because {} is a {}: without a second operand it must be a list of them".format(
                left, safe.type_name(first)
            )
        )
    values = safe.first(first, MOST_PARTS + 1)
    if not values or len(values) > MOST_PARTS:
        raise safe.Refused("could not look, because {} has no elements, or over {}".format(left, MOST_PARTS))
    if operation in ("broadcast", "matmul") and len(values) != 2:
        raise safe.Refused("could not look, because {} takes two operands".format(operation))
    return values


def _library(values: list[Any]) -> str:
    """Return whose operation it is, numpy's or torch's.

    Raises:
        Refused: An operand is of another kind, or they are of both.
    """
    found = set()
    for place, each in enumerate(values):
        if not tensors.is_array(each) and not _is_number(each):
            raise safe.Refused(
                "could not look, because operand {} is a {}, not exactly an array, a tensor or a number".format(
                    place, safe.type_name(each)
                )
            )
        if tensors.is_array(each):
            found.add("torch" if tensors.is_tensor(each) else "numpy")
    if len(found) != 1:
        raise safe.Refused("could not look, because the operands are not arrays alone, nor tensors alone")
    return found.pop()


def _is_number(value: object) -> bool:
    return safe.one_of(type(value), (int, float, complex, bool))


def _operand(value: Any) -> combining.Operand:
    if not tensors.is_array(value):
        return combining.Operand(())
    shape = tuple(facts(value)["shape"])
    if not tensors.is_tensor(value):
        return combining.Operand(shape, value.dtype)
    return combining.Operand(shape, value.dtype, str(value.device), str(value.layout))


FIELDS = {
    "device": Field(SCHEMA, "device that a tensor is on"),
    "requires_grad": Field(SCHEMA, "whether a tensor takes part in autograd"),
    "order": Field(SCHEMA, "order of an array in memory: C, F, C and F, neither"),
    "writable": Field(NAMES, "whether an array may be written to"),
    "owns_data": Field(NAMES, "whether the memory is the array's own"),
    "is_leaf": Field(NAMES, "whether a tensor is a leaf of autograd's graph"),
    "layout": Field(SCHEMA, "how a tensor is stored"),
    "contiguous": Field(NAMES, "whether a tensor lies in memory without gaps and in order"),
    "has_grad": Field(NAMES, "whether a leaf has a gradient; null: not told"),
    "nan": Field(SCHEMA, "how many elements are NaN or NaT, of those looked at"),
    "infinite": Field(SCHEMA, "how many elements are infinite, of those looked at"),
    "whole": Field(NAMES, "whether all elements were looked at; beyond that nothing is known"),
    "min": Field(VALUES, "least value"),
    "max": Field(VALUES, "greatest value"),
    "operation": Field(NAMES, "the operation asked about"),
    "shapes": Field(SCHEMA, "shapes of the operands"),
    "fits": Field(NAMES, "whether the operands go together; null: their shapes do, their dtypes may not"),
    "dtypes": Field(SCHEMA, "dtypes of the operands"),
    "exception": Field(NAMES, "type of the exception that is raised"),
    "words": Field(SCHEMA, "message of the library's own exception"),
}
PROBES = {"array": array, "combine": combine}
