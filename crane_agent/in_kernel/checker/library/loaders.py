"""torch: data sets and data loaders, of which nothing is drawn.

A batch is told by its structure: what the default collate function makes of elements that are all alike. What a user's
own data set returns is not known here; `fetch_of` says which function of the user's would be asked.
"""

from __future__ import annotations

import builtins
import math
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...privacy import SCHEMA
from ...probes import loaders
from ...readers import data_sets, tensors
from ..sites import CallSite, Finding, SubscriptSite, ValueSite
from ..values import DTYPE, Elements, Hole, Known, Made, Value, of_element
from . import running
from .tensors import GRAD, attempt, contiguous, crash, guarded, knows, like, modes_known, tensor_of

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "torch"

MAX_ITEMS = 2000
"""Elements of a list used as a data set that are compared."""
DEPTH = 5


class Loader(NamedTuple):
    """What a data loader does.

    Attributes:
        dataset: What it draws from.
        batch_size: Elements in a batch; None if elements come one by one.
        drop_last: Whether an incomplete last batch is left out.
        shuffles: Whether elements are drawn at random; None if that is not known.
        plain: Whether batches are made by the default function, in this process.
    """

    dataset: Value
    batch_size: int | None
    drop_last: bool
    shuffles: bool | None
    plain: bool


def loader_of(value: Value | None, state: State) -> Loader | None:
    """Return what a loader does, the kernel's own or one that the cell makes; None if it is none, or not known."""
    if type(value) is Made and value.kind == "loader":
        found: Any = value.facts.get("loader")
        return found if type(found) is Loader else None
    real: Any = state.live(value)
    if not safe.is_exactly(real, "torch.utils.data.dataloader", "DataLoader"):
        return None
    own = safe.instance_dict(real) or {}
    facts = loaders.torch_loader(real, state.budget)
    if own.get("_dataset_kind") != 0 or facts["n_batches"] is None:
        return None
    size = own.get("batch_size")
    plain = facts["collate"] == ("none" if size is None else "default") and own.get("num_workers") == 0
    plain = plain and safe.comes_from(safe.in_type(type(real), "__iter__"), "torch")
    return Loader(Known(own.get("dataset")), size, own.get("drop_last") is True, facts["shuffles"], plain)  # type: ignore[arg-type]


def fetch_of(value: Value | None, state: State) -> tuple[Value, Any] | None:
    """Return the data set of a loader and the user's ``__getitem__`` that the loader calls; None if it is not known."""
    found = loader_of(value, state)
    dataset: Any = None if found is None else state.live(found.dataset)
    function = safe.ABSENT if dataset is None or dataset is safe.ABSENT else safe.in_type(type(dataset), "__getitem__")
    if found is None or type(function) is not types.FunctionType or safe.comes_from(function, "torch"):
        return None
    return found.dataset, function


# -- data sets --------------------------------------------------------------------------------------------------------


def count_of(dataset: Value, state: State, depth: int = DEPTH) -> int | None:
    """Return the number of elements of a data set."""
    if type(dataset) is Made and depth:
        if dataset.kind == "subset":
            count = dataset.facts.get("count")
            return count if type(count) is int else None
        held = dataset.facts.get("tensors") if dataset.kind == "tensors" else None
        tensor = tensor_of(held[0], state) if held else None
        return None if tensor is None else int(tensor.shape[0])
    real = state.live(dataset)
    return None if real is safe.ABSENT else data_sets.length(real)


def _held(dataset: Value, state: State, depth: int = DEPTH) -> list[Value] | None:
    """Return the tensors whose rows are the elements of a data set."""
    if depth == 0:
        return None
    if type(dataset) is Made:
        if dataset.kind == "subset":
            return _held(dataset.facts["dataset"], state, depth - 1) if "dataset" in dataset.facts else None
        return dataset.facts.get("tensors") if dataset.kind == "tensors" else None
    real: Any = state.live(dataset)
    own = {} if real is safe.ABSENT else safe.instance_dict(real) or {}
    if safe.is_exactly(real, "torch.utils.data.dataset", "Subset"):
        return _held(Known(own.get("dataset")), state, depth - 1)
    if safe.is_exactly(real, "torch.utils.data.dataset", "TensorDataset"):
        held = own.get("tensors")
        return [Known(each) for each in held] if type(held) is tuple else None
    return None


def _batch(loader: Loader, state: State) -> Value | Finding | None:
    """Return the structure of the first batch, or the crash of making it."""
    count = count_of(loader.dataset, state)
    if count is None or not loader.plain:
        return None
    size = loader.batch_size
    if size is not None:
        size = size if loader.drop_last else min(size, count)
    held = _held(loader.dataset, state)
    if held is not None:
        rows = [_rows(each, size, state) for each in held]
        if any(each is None for each in rows):
            return None
        kind: Any = tuple if size is None else list
        return Known(kind([Hole(each) for each in rows if each is not None]))
    return None if size is None else _collated_list(loader, size, state)


def _rows(value: Value, count: int | None, state: State) -> Value | None:
    """Return some rows of a tensor, stacked; for None one row itself."""
    tensor = tensor_of(value, state)
    if tensor is None or len(tensor.shape) == 0:
        return None
    grad = tensor.requires_grad if knows(value, GRAD, state) else None
    shape = tuple(tensor.shape[1:]) if count is None else (count, *tensor.shape[1:])
    grad = None if grad and not modes_known(state) else grad
    strides = None if count is None else contiguous(shape)
    return like(shape, tensor.dtype, strides=strides, grad=grad, dtype_known=knows(value, DTYPE, state))


def _collated_list(loader: Loader, size: int, state: State) -> Value | Finding | None:
    """Return the first batch of a list of tuples, tensors or numbers. Source: `torch/utils/data/_utils/collate.py`."""
    listed: Any = state.live(loader.dataset)
    if not safe.one_of(type(listed), (list, tuple)) or len(listed) > MAX_ITEMS or size > MAX_ITEMS:
        return None
    items = [of_element(each) for each in list(listed)]
    if loader.shuffles is not False and not _alike(items, state):
        return None
    return _collated(items[:size], state, DEPTH)


def _alike(items: list[Value], state: State) -> bool:
    return len({str(_kind(each, state, DEPTH)) for each in items}) <= 1


def _kind(value: Value, state: State, depth: int) -> object:
    tensor = tensor_of(value, state)
    if tensor is not None:
        return (tuple(tensor.shape), str(tensor.dtype))
    found: Any = state.live(value)
    if safe.one_of(type(found), (tuple, list)) and depth:
        return [_kind(of_element(each), state, depth - 1) for each in found]
    return type(found).__name__ if safe.one_of(type(found), (int, float, str)) else object()


def _collated(items: list[Value], state: State, depth: int) -> Value | Finding | None:
    torch: Any = safe.loaded("torch")
    held = [tensor_of(each, state) for each in items]
    if items and all(each is not None for each in held):
        shapes = [tuple(each.shape) for each in held]
        if len(set(shapes)) > 1:
            stand_ins = [torch.empty(shape, dtype=each.dtype, device="cpu") for shape, each in zip(shapes, held)]
            _, error = attempt(lambda: torch.stack(stand_ins, 0))
            return None if error is None else crash(error)
        if len({each.dtype for each in held}) > 1 or any(each.requires_grad for each in held):
            return None
        return like((len(items), *shapes[0]), held[0].dtype, grad=False)
    found: list[Any] = [state.live(each) for each in items]
    kinds = {type(each).__name__ for each in found if safe.one_of(type(each), (int, float, str, tuple, list))}
    if len(kinds) != 1 or any(each is safe.ABSENT for each in found):
        return None
    kind = kinds.pop()
    if all(type(each).__name__ == kind for each in found) and kind in ("int", "float"):
        return like((len(items),), torch.int64 if kind == "int" else torch.float64, grad=False)
    if kind == "str":
        return Known(found)
    if depth == 0 or kind not in ("tuple", "list") or len({len(each) for each in found}) != 1:
        return None
    columns = [_collated([of_element(row[place]) for row in found], state, depth - 1) for place in range(len(found[0]))]
    for each in columns:
        if not isinstance(each, Value):
            return each
    return Known([Hole(each) for each in columns if isinstance(each, Value)])


# -- calls ------------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of data sets and loaders, `random_split`, and `enumerate` or `next` of a loader."""
    callee: Any = state.live(site.callee)
    if not site.complete or callee is safe.ABSENT:
        return None
    if callee is safe.loaded("torch.utils.data.dataset", "TensorDataset"):
        return _tensors(site, state)
    if callee is safe.loaded("torch.utils.data.dataset", "Subset"):
        return _subset(site, state)
    if callee is safe.loaded("torch.utils.data.dataset", "random_split") and safe.comes_from(callee, "torch"):
        return _split(site, state)
    if callee is safe.loaded("torch.utils.data.dataloader", "DataLoader"):
        return _loader(site, state)
    return _passed_on(callee, site, state)


def _is_own_class(name: str) -> bool:
    module = "torch.utils.data.dataloader" if name == "DataLoader" else "torch.utils.data.dataset"
    cls: Any = safe.loaded(module, name)
    return safe.is_from(cls, "torch") and safe.comes_from(safe.class_dict(cls).get("__init__"), "torch")


def _tensors(site: CallSite, state: State) -> Value | Finding | None:
    if site.keywords or not site.arguments or not _is_own_class("TensorDataset"):
        return None
    first = tensor_of(site.arguments[0], state)
    if first is None or len(first.shape) == 0:
        return _not_tensors(site.arguments[0], state)
    for each in site.arguments[1:]:
        tensor = tensor_of(each, state)
        if tensor is None:
            return _not_tensors(each, state)
        if len(tensor.shape) == 0:
            return None
        if int(tensor.shape[0]) != int(first.shape[0]):
            return _mismatch()
    return Made("tensors", tensors=list(site.arguments), package="torch")


def _not_tensors(value: Value, state: State) -> Finding | None:
    array = state.form(value)
    if not tensors.is_ndarray(array):
        return None
    return running.crash(
        TypeError("'int' object is not callable"), "torch", SCHEMA, "type error", "it is an array, not a tensor"
    )


def _mismatch() -> Finding | None:
    torch: Any = safe.loaded("torch")
    cls: Any = safe.loaded("torch.utils.data.dataset", "TensorDataset")
    try:
        cls(torch.zeros(1), torch.zeros(2))
    except AssertionError as error:
        return running.crash(error, "torch", SCHEMA, "tensor shape mismatch", "the tensors have different lengths")
    return None


def _subset(site: CallSite, state: State) -> Value | None:
    if site.keywords or len(site.arguments) != 2 or not _is_own_class("Subset"):
        return None
    indices: Any = state.live(site.arguments[1])
    if not safe.one_of(type(indices), (list, tuple, range)):
        return None
    return Made("subset", dataset=site.arguments[0], count=len(indices), package="torch")


def _split(site: CallSite, state: State) -> Value | Finding | None:
    """Follow `random_split`. Source: `torch/utils/data/dataset.py`."""
    if len(site.arguments) != 2 or set(site.keywords) - {"generator"}:
        return None
    lengths: Any = state.plain(site.arguments[1])
    count = count_of(site.arguments[0], state)
    plain = safe.one_of(type(lengths), (list, tuple)) and all(safe.one_of(type(each), (int, float)) for each in lengths)
    if not plain or count is None or not lengths or min(lengths) < 0:
        return None
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = [math.floor(count * each) for each in lengths]
        for place in range(count - sum(sizes)):
            sizes[place % len(sizes)] += 1
        lengths = sizes
    if sum(lengths) != count:
        text = "Sum of input lengths does not equal the length of the input dataset!"
        return running.crash(
            ValueError(text), "torch", SCHEMA, "value error", "the data set has {} elements".format(count)
        )
    if any(type(each) is not int for each in lengths):
        return None
    parts = [Made("subset", dataset=site.arguments[0], count=each, package="torch") for each in lengths]
    return Known([Hole(each) for each in parts])


_ARGUMENTS = ("dataset", "batch_size", "shuffle")


def _loader(site: CallSite, state: State) -> Value | Finding | None:
    if len(site.arguments) > 3 or not _is_own_class("DataLoader"):
        return None
    given: dict[str, Value] = dict(zip(_ARGUMENTS, site.arguments))
    if set(given) & set(site.keywords):
        return None
    given.update(site.keywords)
    dataset = given.pop("dataset", None)
    if dataset is None or set(given) - {"batch_size", "shuffle", "drop_last", "num_workers", "pin_memory"}:
        return None
    plain: dict[str, Any] = {name: state.live(each) for name, each in given.items()}
    if not all(safe.one_of(type(each), (int, bool, type(None))) for each in plain.values()):
        return None
    count = count_of(dataset, state)
    if count is None or count > 10**9:
        return None
    workers = plain.pop("num_workers", 0)
    plain.pop("pin_memory", None)
    if type(workers) is not int or workers < 0 or plain.get("batch_size", 1) is None:
        return None
    cls: Any = safe.loaded("torch.utils.data.dataloader", "DataLoader")
    _, error = attempt(lambda: cls(range(count), **plain))
    if error is not None:
        return crash(error)
    size, drops = plain.get("batch_size", 1), plain.get("drop_last", False)
    made = Loader(dataset, int(size), bool(drops), bool(plain.get("shuffle", False)), workers == 0)
    if workers:
        state.may_raise(site.node, "too many workers may warn")
    return Made("loader", loader=made, package="torch")


_PROGRESS = (("tqdm.std", "tqdm"), ("tqdm.asyncio", "tqdm_asyncio"), ("tqdm.notebook", "tqdm_notebook"))


def _passed_on(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow what hands on the batches of a loader."""
    first = site.arguments[0] if site.arguments else None
    if first is None or (loader_of(first, state) is None and not _is_passed(first)):
        return None
    if any(callee is safe.loaded(*each) for each in _PROGRESS):
        state.may_raise(site.node, "a progress bar may raise")
        return Made("passed on", of=first, package="tqdm")
    if len(site.arguments) != 1 or site.keywords:
        return None
    if callee is builtins.enumerate:
        return Made("counted", of=first, package="torch")
    if callee is builtins.iter:
        return Made("passed on", of=first, package="torch", once=True)
    if callee is builtins.next and type(first) is Made and first.kind == "passed on" and first.facts.get("once"):
        found = batches(first, state)
        first.facts.clear()
        if isinstance(found, Finding):
            return found
        if found is None or not found.found:
            return None
        return found.found[0]
    return None


def _is_passed(value: Value | None) -> bool:
    return type(value) is Made and value.kind in ("passed on", "counted")


# -- iterating --------------------------------------------------------------------------------------------------------


def batches(value: Value | None, state: State) -> Elements | Finding | None:
    """Return the first batch that iterating over a loader yields."""
    if type(value) is Made and value.kind in ("passed on", "counted"):
        inner: Any = batches(value.facts.get("of"), state) if "of" in value.facts else None
        if type(inner) is Elements and value.kind == "counted":
            counted = [Known((place, Hole(each))) for place, each in enumerate(inner.found)]
            return Elements(list(counted), inner.complete)
        return inner  # type: ignore[no-any-return]
    loader = loader_of(value, state)
    if loader is None:
        return None
    number = _n_batches(loader, state)
    if number is None:
        return None
    if number == 0:
        return Elements([])
    first = _batch(loader, state)
    if not isinstance(first, Value):
        return first
    return Elements([first], complete=number == 1)


def _n_batches(loader: Loader, state: State) -> int | None:
    count = count_of(loader.dataset, state)
    if count is None or loader.batch_size is None:
        return count
    return count // loader.batch_size if loader.drop_last else -(-count // loader.batch_size)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Return the first batch of a loader."""
    return batches(site.value, state)


def length(site: ValueSite, state: State) -> Value | None:
    """Follow ``len(loader)`` and ``len(dataset)``."""
    loader = loader_of(site.value, state)
    if loader is not None:
        found = _n_batches(loader, state)
        return None if found is None else Known(found, level=SCHEMA)
    if type(site.value) is Made and site.value.kind in ("tensors", "subset"):
        found = count_of(site.value, state)
        return None if found is None else Known(found, level=SCHEMA)
    return None


def item(site: SubscriptSite, state: State) -> Value | None:
    """Read ``dataset[0]`` of a data set of tensors: a tuple of rows."""
    key = state.plain(site.key)
    held = _held(site.owner, state)
    count = count_of(site.owner, state)
    if held is None or count is None or type(key) is not int or not 0 <= key < count or site.context != "load":
        return None
    rows = [_rows(each, None, state) for each in held]
    if any(each is None for each in rows):
        return None
    return Known(tuple(Hole(each) for each in rows if each is not None))


HANDLERS = {
    "call": [guarded(call)],
    "iterate": [guarded(iterate)],
    "length": [guarded(length)],
    "item": [guarded(item)],
}
