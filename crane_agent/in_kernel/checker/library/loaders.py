"""torch: data sets and data loaders, of which nothing is drawn.

A batch is what the collate function makes of samples: torch's own is asked about stand-ins of them, one of the user's
is followed by its source. A sample is a row of what the data set stores, or what a ``__getitem__`` of the user's is
found to return: for the index itself where samples come in order, else for one that is not known.
"""

from __future__ import annotations

import ast
import builtins
import math
import types
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from ... import safe
from ...privacy import SCHEMA
from ...readers import data_sets, tensors
from .. import rules
from ..effects import changed_by_operation
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..state import globals_stored, scope_globals
from ..values import (
    DTYPE,
    SHAPE,
    UNKNOWN,
    Bound,
    Defined,
    Elements,
    Foreign,
    Hole,
    Instance,
    Known,
    Made,
    Value,
    as_element,
    of_element,
)
from . import running
from .tensors import GRAD, attempt, contiguous, crash, guarded, knows, like, modes_known, tensor_of

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "torch"

MAX_ITEMS = 2000
"""Elements of a list used as a data set that are compared."""
MAX_SAMPLES = 500
"""Samples of a batch that are told one by one."""
MAX_FOLLOWED = 16
"""Samples of a batch for each of which a function of the user's is followed; of more, one stands for all."""
MAX_TRIED = 60
"""Samples of a data set that are looked at one by one, where one that stands for all tells nothing."""
MAX_BATCHES = 3
"""Batches that are told one by one if there are no more."""
MAX_ELEMENTS = 2_000
DEPTH = 5


class Loader(NamedTuple):
    """What a data loader does.

    Attributes:
        dataset: What it draws from.
        batch_size: Elements in a batch; None if elements come one by one.
        drop_last: Whether an incomplete last batch is left out.
        order: The indices in the order they are drawn; None if that is not known, or drawn at random.
        total: How many are drawn; None for as many as there are.
        collate: The function of the user's that makes the batches; None for torch's own.
        workers: Whether other processes draw.
    """

    dataset: Value
    batch_size: int | None
    drop_last: bool
    order: Sequence[int] | None
    total: int | None
    collate: Value | None
    workers: bool


def loader_of(value: Value | None, state: State) -> Loader | None:
    """Return what a loader does, the kernel's own or one that the cell makes; None if it is none, or not known."""
    if type(value) is Made and value.kind == "loader":
        found: Any = value.facts.get("loader")
        return found if type(found) is Loader else None
    real: Any = state.live(value)
    if not safe.is_exactly(real, "torch.utils.data.dataloader", "DataLoader") or state.is_changed(real):
        return None
    own = safe.instance_dict(real) or {}
    size, drops, sampler = own.get("batch_size"), own.get("drop_last"), own.get("sampler")
    if own.get("_dataset_kind") != 0 or not safe.comes_from(safe.in_type(type(real), "__iter__"), "torch"):
        return None
    batcher = own.get("batch_sampler")
    if batcher is not None:
        inner = safe.instance_dict(batcher) or {}
        if not _is_sampler(batcher, "BatchSampler"):
            return None
        sampler, size, drops = inner.get("sampler"), inner.get("batch_size"), inner.get("drop_last")
        if type(size) is not int or size < 1:
            return None
    elif size is not None:
        return None
    if "data_source" in (safe.instance_dict(sampler) or {}) and (safe.instance_dict(sampler) or {})[
        "data_source"
    ] is not own.get("dataset"):
        return None
    drawn = _drawn(Known(sampler), state)
    collate = own.get("collate_fn")
    plain = collate is safe.loaded(_COLLATE, "default_convert" if size is None else "default_collate")
    if drawn is None or type(drops) is not bool:
        return None
    dataset = Known(own.get("dataset"))
    made = None if plain else Known(collate)
    return Loader(dataset, size, drops, drawn.order, drawn.total, made, own.get("num_workers") != 0)


_COLLATE = "torch.utils.data._utils.collate"


class _Drawn(NamedTuple):
    """What a sampler draws: the indices, None if at random; how many, None for as many as there are."""

    order: Sequence[int] | None
    total: int | None


def _is_sampler(found: object, name: str) -> bool:
    exact = safe.is_exactly(found, "torch.utils.data.sampler", name)
    return exact and safe.comes_from(safe.in_type(type(found), "__iter__"), "torch")


def _drawn(sampler: Value, state: State) -> _Drawn | None:
    """Return what one of torch's own samplers, or a list of indices, draws; None if only its code could tell."""
    if type(sampler) is Made and sampler.kind == "sampler":
        made: Any = sampler.facts.get("drawn")
        return made if type(made) is _Drawn else None
    found: Any = state.live(sampler)
    if safe.one_of(type(found), (list, tuple, range)):
        plain = state.plain(sampler)
        known = plain is not safe.ABSENT and all(type(each) is int for each in plain)
        return _Drawn(plain, len(plain)) if known else None
    if found is safe.ABSENT or state.is_changed(found):
        return None
    own = safe.instance_dict(found) or {}
    if _is_sampler(found, "SequentialSampler"):
        return _Drawn(range(0), None)
    if _is_sampler(found, "RandomSampler"):
        count = own.get("_num_samples")
        return _Drawn(None, count) if count is None or type(count) is int else None
    if _is_sampler(found, "SubsetRandomSampler"):
        size = data_sets.content_length(state.live(Known(own.get("indices"))))
        return None if size is None else _Drawn(None, size)
    if _is_sampler(found, "WeightedRandomSampler"):
        count = own.get("num_samples")
        return _Drawn(None, count) if type(count) is int else None
    return None


# -- code of the user's ------------------------------------------------------------------------------------------------


def _followed(function: Value, argument: Value, node: ast.AST, state: State) -> Value | None:
    """Return what a function of the user's is found to return for an argument; None if it is not followed."""
    call = ast.copy_location(ast.Call(node, [], []), node)  # type: ignore[arg-type]
    site = CallSite(call, function, None, "", (), {}, True)
    source = Known([as_element(argument)])
    lazy = Made("lazy", function=function, source=source, filters=False, site=site)
    # The walk follows it as it does ``map(function, [argument])``.
    found = state.iterated(ast.copy_location(ast.Pass(), node), lazy)
    return found.found[0] if found.complete and len(found.found) == 1 else None


def _is_users(function: Value | None, state: State) -> bool:
    if type(function) is Defined:
        return not isinstance(function.node, ast.ClassDef) and not scope_globals(function.node)
    found: Any = state.live(function)
    if type(found) is not types.FunctionType or found.__globals__ is not state.shell.user_ns:
        return False
    bound: set[str] = set()
    globals_stored(found.__code__, bound)
    return not bound


def _member(cls: Value, name: str, state: State) -> Value | None:
    """Return what a class or its bases hold under a name; None if nothing, UNKNOWN if that is not known."""
    if type(cls) is Defined:
        if state.is_touched(cls):
            return UNKNOWN
        if name in cls.members:
            return cls.members[name] or UNKNOWN
        found = (_member(base, name, state) for base in cls.defaults)
        return next((each for each in found if each is not None), None)
    kind: Any = state.live(cls)
    if not safe.inherits(type(kind), type) or state.is_changed(kind):
        return UNKNOWN
    entry = safe.in_type(kind, name)
    return None if entry is safe.ABSENT else Known(entry)


def _class_of(dataset: Value, state: State) -> Value | None:
    """Return the class of a data set of the user's own; None for others."""
    if type(dataset) is Instance:
        return None if state.is_touched(dataset) else dataset.cls
    found: Any = state.live(dataset)
    if type(dataset) is not Known or found is safe.ABSENT or not state.is_users(type(found)):
        return None
    return Known(type(found))


def _users_method(dataset: Value, name: str, state: State) -> Value | None:
    """Return a method of a data set of the user's own that torch calls; None if it is not the user's."""
    cls = _class_of(dataset, state)
    if cls is None or _member(cls, "__getitems__", state) is not None:
        return None
    base: Any = safe.loaded("torch.utils.data.dataset", "IterableDataset")
    if base is not None and _inherits(cls, base, state):
        return None
    found = _member(cls, name, state)
    return found if _is_users(found, state) else None


def _inherits(cls: Value, base: type, state: State) -> bool:
    if type(cls) is Defined:
        return any(_inherits(each, base, state) for each in cls.defaults)
    found: Any = state.live(cls)
    return safe.inherits(type(found), type) and safe.inherits(found, base)


# -- data sets --------------------------------------------------------------------------------------------------------


def count_of(dataset: Value, node: ast.AST, state: State, depth: int = DEPTH) -> int | None:
    """Return the number of elements of a data set."""
    if depth == 0:
        return None
    parts = _parts_of(dataset, state)
    if parts is not None:
        counts = [count_of(each, node, state, depth - 1) for each in parts]
        return None if None in counts else sum(each for each in counts if each is not None)
    subset = _subset_of(dataset, state)
    if subset is not None:
        return subset[2]
    held = _held(dataset, state)
    if held is not None:
        tensor = tensor_of(held[0], state) if held else None
        return None if tensor is None or not tensor.shape else int(tensor.shape[0])
    method = _users_method(dataset, "__len__", state)
    if method is not None:
        made = _followed(method, dataset, node, state)
        length: Any = None if made is None else state.live(made)
        return length if type(length) is int and length >= 0 else None
    real = state.form(dataset, SHAPE)
    return None if real is safe.ABSENT or _class_of(dataset, state) is not None else data_sets.content_length(real)


def _own(dataset: Value, name: str, state: State) -> dict[str, Any] | None:
    """Return the attributes of one of torch's own data sets in the kernel; None for others."""
    real: Any = state.live(dataset)
    if type(dataset) is not Known or not safe.is_exactly(real, "torch.utils.data.dataset", name):
        return None
    own_code = all(safe.comes_from(safe.in_type(type(real), each), "torch") for each in ("__getitem__", "__len__"))
    return safe.instance_dict(real) if own_code and not state.is_changed(real) else None


def _held(dataset: Value, state: State) -> list[Value] | None:
    """Return the tensors whose rows are the elements of a data set."""
    if type(dataset) is Made:
        return dataset.facts.get("tensors") if dataset.kind == "tensors" else None
    own = _own(dataset, "TensorDataset", state)
    held = None if own is None else own.get("tensors")
    return [Known(each) for each in held] if type(held) is tuple else None


def _subset_of(dataset: Value, state: State) -> tuple[Value, Sequence[int] | None, int] | None:
    """Return what a subset is of, its indices, None if they are not known, and how many they are."""
    if type(dataset) is Made:
        if dataset.kind != "subset" or "count" not in dataset.facts:
            return None
        return dataset.facts["dataset"], dataset.facts.get("indices"), dataset.facts["count"]
    own = _own(dataset, "Subset", state)
    if own is None:
        return None
    indices = state.plain(Known(own.get("indices")), limit=10**6)
    size = data_sets.content_length(state.live(Known(own.get("indices"))))
    if not safe.one_of(type(indices), (list, tuple, range)):
        indices = None
    return None if size is None else (Known(own.get("dataset")), indices, size)


def _parts_of(dataset: Value, state: State) -> list[Value] | None:
    """Return the data sets that one is the concatenation of."""
    if type(dataset) is Made:
        return dataset.facts.get("parts") if dataset.kind == "concatenated" else None
    own = _own(dataset, "ConcatDataset", state)
    held = None if own is None else state.live(Known(own.get("datasets")))
    if type(held) is not list or not held or len(held) > 20:
        return None
    return [of_element(each) for each in held]


def _is_kind_known(dataset: Value, state: State) -> bool:
    """Whether a data set is of a kind that is followed."""
    own = (_held(dataset, state), _subset_of(dataset, state), _parts_of(dataset, state))
    if any(each is not None for each in own):
        return True
    if _class_of(dataset, state) is not None or type(dataset) is Instance:
        return _users_method(dataset, "__getitem__", state) is not None
    return count_of(dataset, ast.Pass(), state) is not None


def _sample(dataset: Value, index: Value, node: ast.AST, state: State, depth: int = DEPTH) -> Value | Finding | None:
    """Return one element of a data set.

    Args:
        dataset: The data set.
        index: `Known`, or a number that is not known but right.
        node: Where it is drawn.
        state: The walk's state.
        depth: How many data sets may be inside one another.
    """
    if depth == 0:
        return None
    place: Any = state.live(index)
    held = _held(dataset, state)
    if held is not None:
        rows = [_indexed(each, index, node, state) for each in held]
        return Known(tuple(Hole(each) for each in rows)) if all(isinstance(each, Value) for each in rows) else None  # type: ignore[arg-type]
    subset = _subset_of(dataset, state)
    if subset is not None:
        inner, indices, _ = subset
        if _class_of(inner, state) is not None and _users_method(inner, "__getitem__", state) is None:
            return None
        known = indices is not None and type(place) is int and 0 <= place < len(indices)
        chosen: Any = indices[place] if indices is not None and known else None
        other = Known(chosen) if type(chosen) is int else _some(count_of(inner, node, state, depth))
        return _sample(inner, other, node, state, depth - 1)
    parts = _parts_of(dataset, state)
    if parts is not None:
        return _of_parts(parts, place, node, state, depth)
    method = _users_method(dataset, "__getitem__", state)
    if method is not None:
        return _followed(Bound(method, dataset), index, node, state)
    if _class_of(dataset, state) is not None or type(dataset) is Instance:
        return None
    listed: Any = state.live(dataset)
    if safe.one_of(type(listed), (list, tuple)):
        if type(place) is int:
            return of_element(listed[place], level=state.level(dataset)) if 0 <= place < len(listed) else None
        return _any_of([of_element(each) for each in listed], state) if len(listed) <= MAX_ITEMS else None
    return _indexed(dataset, index, node, state)


def _some(count: int | None) -> Made:
    """Return an index that is not known, but is one of a data set of so many elements."""
    return Made("number", type=int) if count is None else Made("number", type=int, below=count)


def _of_parts(parts: list[Value], place: Any, node: ast.AST, state: State, depth: int) -> Value | Finding | None:
    if type(place) is not int:
        found = [_sample(each, _some(count_of(each, node, state)), node, state, depth - 1) for each in parts]
        return _any_of([each for each in found if isinstance(each, Value)], state, whole=len(found))
    for each in parts:
        count = count_of(each, node, state, depth - 1)
        if count is None:
            return None
        if place < count:
            return _sample(each, Known(place), node, state, depth - 1)
        place -= count
    return None


def _indexed(value: Value, index: Value, node: ast.AST, state: State) -> Value | Finding | None:
    """Return ``value[index]`` of an array, a tensor or a table."""
    subscript = ast.copy_location(ast.Subscript(node, node, ast.Load()), node)  # type: ignore[arg-type]
    site = SubscriptSite(subscript, value, index, "load")
    # Not at the top: the libraries are asked by way of a table that this module is in.
    from . import ask

    return rules.first_finding(site, state) or ask("item", state, site)


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


# -- what stands for several -------------------------------------------------------------------------------------------


def _any_of(values: list[Value], state: State, depth: int = DEPTH, whole: int | None = None) -> Value | None:
    """Return what is like each of these values; None if they are not alike.

    Args:
        values: The values.
        state: The walk's state.
        depth: How many containers may be inside one another.
        whole: How many values there should be.
    """
    if not values or depth == 0 or (whole is not None and whole != len(values)):
        return None
    held = [tensor_of(each, state) for each in values]
    if held[0] is not None:
        kinds = {(tuple(each.shape), each.dtype) if each is not None else None for each in held}
        if len(kinds) > 1 or not all(knows(each, DTYPE, state) for each in values):
            return None
        grads = {each.requires_grad if knows(value, GRAD, state) else None for each, value in zip(held, values)}
        return like(held[0].shape, held[0].dtype, grad=False if grads == {False} else None)
    first: Any = state.form(values[0], SHAPE, DTYPE)
    forms: list[Any] = [state.form(each, SHAPE, DTYPE) for each in values]
    if safe.is_exactly(first, "numpy", "ndarray"):
        alike = all(safe.is_exactly(each, "numpy", "ndarray") for each in forms)
        alike = alike and len({(each.shape, str(each.dtype)) for each in forms}) == 1
        return _array_like(first) if alike else None
    kinds_of = {_number_kind(each, state) for each in values}
    if len(kinds_of) == 1 and None not in kinds_of:
        kind: Any = kinds_of.pop()
        return Made("text") if kind is str else Made("number", type=kind)
    found: list[Any] = [state.live(each) for each in values]
    types_of = {id(type(each)): type(each) for each in found}
    if len(types_of) > 1 or not safe.one_of(type(found[0]), (tuple, list, dict)):
        return values[0] if all(each is None for each in found) else None
    return _any_container(found, state, depth)


def _any_container(found: list[Any], state: State, depth: int) -> Value | None:
    if type(found[0]) is dict:
        if not all(map(safe.has_plain_keys, found)) or any(list(each) != list(found[0]) for each in found):
            return None
        columns = {
            key: _any_of([of_element(each[key]) for each in found], state, depth - 1) for key in list(found[0])[:50]
        }
        known = None not in columns.values() and len(columns) == len(found[0])
        return Known({key: as_element(each) for key, each in columns.items() if each is not None}) if known else None
    if len({len(each) for each in found}) > 1 or len(found[0]) > 50:
        return None
    parts = [_any_of([of_element(each[place]) for each in found], state, depth - 1) for place in range(len(found[0]))]
    return None if None in parts else Known(type(found[0])([as_element(each) for each in parts if each is not None]))


def _array_like(array: Any) -> Value | None:
    from ..values import Like

    numpy: Any = safe.loaded("numpy")
    if array.dtype.hasobject:
        return None
    stand_in = numpy.lib.stride_tricks.as_strided(numpy.zeros(1, array.dtype), array.shape, (0,) * array.ndim)
    return Like(stand_in if array.size else numpy.zeros(array.shape, array.dtype), frozenset([SHAPE, DTYPE]))


def _number_kind(value: Value, state: State) -> Any:
    """Return the exact type of a number or text; None of anything else."""
    if type(value) is Made:
        kind = str if value.kind == "text" else bool if value.kind == "bool" else value.facts.get("type")
        return kind if value.kind in ("number", "text", "bool") else None
    found = state.live(value)
    kind = type(found)
    if safe.one_of(kind, (int, float, bool, str)) or _is_numpy_number(kind):
        return kind
    return None


def _is_numpy_number(kind: type) -> bool:
    return safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.class_module(kind) == "numpy"


# -- batches ----------------------------------------------------------------------------------------------------------


def _batch(loader: Loader, place: int, count: int, node: ast.AST, state: State) -> Value | Finding | None:
    """Return the batch at a place, or the crash of making it."""
    size = loader.batch_size
    start = place if size is None else place * size
    drawn = 1 if size is None else min(size, count - start)
    order = None if loader.order is None else (loader.order or range(count))[start : start + drawn]
    if size is not None and loader.collate is None:
        held = _held(_base_of(loader.dataset, state), state)
        if held is not None:
            if not _is_inside(loader.dataset, node, state):
                state.may_raise(node, "an index of a subset may be out of range")
            return _of_rows(loader, held, order, drawn, state)
    mark = state.changes()
    samples = _samples(loader, order, drawn, node, state)
    if not isinstance(samples, list):
        return samples
    if loader.workers or len(samples) < drawn:
        # What drawing changes is not this process's, or is not followed as often as it happens.
        _forget_changes(mark, state)
    if loader.collate is not None:
        if not _is_users(loader.collate, state):
            return None
        given = samples if size is not None else samples[:1]
        given = [given[0]] * drawn if len(given) < drawn <= MAX_SAMPLES else given
        if len(given) != drawn:
            return None
        argument = Known([as_element(each) for each in given]) if size is not None else given[0]
        return _followed(loader.collate, argument, node, state)
    return _converted(samples[0], state, DEPTH) if size is None else _collated(samples, drawn, node, state, list)


def _forget_changes(mark: int, state: State) -> None:
    for each in state.changed_after(mark):
        state.touch(each if isinstance(each, (Instance, Defined)) else Known(each))


def _base_of(dataset: Value, state: State) -> Value:
    """Return the data set of tensors behind subsets whose elements are all alike."""
    for _ in range(DEPTH):
        subset = _subset_of(dataset, state)
        if subset is None:
            break
        dataset = subset[0]
    return dataset


def _is_inside(dataset: Value, node: ast.AST, state: State) -> bool:
    """Whether every index of a subset, and of those it is of, is there."""
    for _ in range(DEPTH):
        subset = _subset_of(dataset, state)
        if subset is None:
            return True
        inner, indices, _count = subset
        size = count_of(inner, node, state)
        split = type(dataset) is Made and dataset.facts.get("split") is True
        if size is None or not (split or (indices is not None and _are_below(indices, size))):
            return False
        dataset = inner
    return False


def _are_below(indices: Sequence[int], size: int) -> bool:
    return all(type(each) is int and -size <= each < size for each in indices)


def _of_rows(
    loader: Loader, held: list[Value], order: Sequence[int] | None, count: int, state: State
) -> Value | Finding | None:
    """Return a batch of rows of tensors: their numbers, if they come in order and are few."""
    rows: list[Value] = []
    direct = _held(loader.dataset, state) is not None
    for each in held:
        row = _rows(each, count, state)
        if row is None:
            return None
        real: Any = state.live(each)
        few = type(each) is Known and tensors.is_tensor(real) and int(row.object.numel()) <= MAX_ELEMENTS  # type: ignore[attr-defined]
        if direct and order is not None and few and not real.requires_grad and _in_range(order, real):
            row = _taken(real, list(order)) or row
        rows.append(row)
    return Known([as_element(each) for each in rows])


def _taken(tensor: Any, indices: list[int]) -> Known | None:
    copy, error = attempt(tensor.detach()[indices].clone)
    return Known(copy) if error is None else None


def _in_range(order: Sequence[int], tensor: Any) -> bool:
    return all(type(each) is int and 0 <= each < tensor.shape[0] for each in order)


def _samples(
    loader: Loader, order: Sequence[int] | None, count: int, node: ast.AST, state: State
) -> list[Value] | Finding | None:
    """Return the samples of a batch; a single one if it stands for all."""
    users = _draws_from_users(loader.dataset, state)
    if order is not None and count <= (MAX_FOLLOWED if users else MAX_SAMPLES):
        return _each(loader.dataset, [Known(each) for each in order], node, state)
    if users and order is not None:
        first = _each(loader.dataset, [Known(each) for each in order[:2]], node, state)
        if not isinstance(first, list):
            return first
    total = count_of(loader.dataset, node, state)
    found = _sample(loader.dataset, _some(total), node, state)
    if order is None and total is not None and total <= MAX_TRIED and not _is_told(found, state):
        return _whichever(loader, total, count, node, state)
    return [found] if isinstance(found, Value) else found


def _is_told(sample: Value | Finding | None, state: State, depth: int = DEPTH) -> bool:
    """Whether the structure of a sample is known."""
    if isinstance(sample, Finding) or sample is None or depth == 0:
        return isinstance(sample, Finding)
    held: Any = state.live(sample)
    if safe.one_of(type(held), (tuple, list)):
        return all(_is_told(of_element(each), state, depth - 1) for each in held)
    if type(held) is dict:
        return all(_is_told(of_element(each), state, depth - 1) for each in held.values())
    return state.form(sample, SHAPE) is not safe.ABSENT or _number_kind(sample, state) is not None


def _whichever(loader: Loader, total: int, count: int, node: ast.AST, state: State) -> list[Value] | Finding | None:
    """Return a sample that stands for all, having looked at each; or the crash of putting any of them together."""
    samples = _each(loader.dataset, [Known(each) for each in range(total)], node, state)
    if not isinstance(samples, list):
        # Another one may come first.
        return None
    alike = _any_of(samples, state)
    if alike is not None:
        return [alike]
    held = [tensor_of(each, state) for each in samples]
    if loader.collate is not None or None in held or loader.batch_size is None or not _is_collating_plain():
        return None
    shapes = [tuple(each.shape) for each in held]
    drawn_once = loader.total is None
    if not drawn_once or max(map(shapes.count, shapes)) >= count:
        return None
    # Whichever come first, they are not all of one size; which are told depends on the order.
    return running.crash(
        RuntimeError("stack expects each tensor to be equal size"),
        "torch",
        SCHEMA,
        "tensor shape mismatch",
        "the samples have different sizes",
    )


def _each(dataset: Value, indices: list[Known], node: ast.AST, state: State) -> list[Value] | Finding | None:
    found: list[Value] = []
    for index in indices:
        sample = _sample(dataset, index, node, state)
        if not isinstance(sample, Value):
            return sample
        found.append(sample)
    return found


def _draws_from_users(dataset: Value, state: State, depth: int = DEPTH) -> bool:
    """Whether drawing runs code of the user's."""
    if _class_of(dataset, state) is not None:
        return True
    subset, parts = _subset_of(dataset, state), _parts_of(dataset, state)
    inner = [] if depth == 0 else [subset[0]] if subset is not None else parts or []
    return any(_draws_from_users(each, state, depth - 1) for each in inner)


# -- collating --------------------------------------------------------------------------------------------------------


def _collated(samples: list[Value], count: int, node: ast.AST, state: State, kind: Any) -> Value | Finding | None:
    """Return what `default_collate` makes of samples. Source: `torch/utils/data/_utils/collate.py`.

    Args:
        samples: The samples; a single one stands for all.
        count: How many there are.
        node: Where they are drawn.
        state: The walk's state.
        kind: The container that they come in, which texts stay in.
    """
    if not _is_collating_plain():
        return None
    samples = samples if len(samples) == count else samples[:1] * min(count, 2)
    found: list[Any] = [state.live(each) for each in samples]
    first = type(found[0])
    if not safe.one_of(first, (tuple, list, dict)):
        return _column(samples, count, node, state, kind)
    if not all(type(each) is first for each in found) or (first is dict and not all(map(safe.has_plain_keys, found))):
        return None
    if first is dict:
        if any(set(each) < set(found[0]) or not set(found[0]) <= set(each) for each in found):
            return _asked([dict.fromkeys(each, 0) for each in found])
        table: dict[Any, Any] = {}
        for key in list(found[0]):
            column = _collated([of_element(each[key]) for each in found], count, node, state, list)
            if isinstance(column, Finding):
                return column
            table[key] = as_element(_or_open(column, node, state))
        return Known(table)
    if len({len(each) for each in found}) > 1:
        return _asked([(0,) * len(each) for each in found])
    columns: list[Any] = []
    for place in range(len(found[0])):
        column = _collated([of_element(each[place]) for each in found], count, node, state, tuple)
        if isinstance(column, Finding):
            return column
        columns.append(as_element(_or_open(column, node, state)))
    return Known(columns)


def _or_open(value: Value | None, node: ast.AST, state: State) -> Value:
    if value is not None:
        return value
    state.may_raise(node, "the samples of a batch may not go together")
    return Foreign("torch")


def _is_collating_plain() -> bool:
    """Whether samples are put together as torch does by itself."""
    function: Any = safe.loaded(_COLLATE, "default_collate")
    table: Any = safe.loaded(_COLLATE, "default_collate_fn_map")
    return safe.comes_from(function, "torch") and (
        table is None or (type(table) is dict and all(safe.comes_from(each, "torch") for each in table.values()))
    )


def _asked(samples: list[Any]) -> Finding | None:
    function: Any = safe.loaded(_COLLATE, "default_collate")

    def collate() -> Exception | None:
        try:
            function(samples)
        except KeyError as error:
            return error
        return None

    missing, error = attempt(collate)
    return None if (error or missing) is None else crash(error or missing)


def _column(samples: list[Value], count: int, node: ast.AST, state: State, kind: Any) -> Value | Finding | None:
    """Return what becomes of samples that are no containers: torch itself is asked about stand-ins."""
    held = [tensor_of(each, state) for each in samples]
    if all(each is not None for each in held):
        return _stacked(samples, held, count, state)
    arrays: list[Any] = [state.form(each, SHAPE, DTYPE) for each in samples]
    if all(safe.is_exactly(each, "numpy", "ndarray") for each in arrays):
        return _of_arrays(arrays, count)
    kinds = [_number_kind(each, state) for each in samples]
    if all(each is str for each in kinds):
        several = samples if len(samples) == count else [Made("text")] * min(count, MAX_SAMPLES)
        return Known(kind([as_element(each) for each in several])) if len(several) == count else None
    if all(each is not None and each is not str for each in kinds):
        return _of_numbers(samples, kinds, count, state)
    found: list[Any] = [state.form(each) for each in samples]
    if all(_is_of_no_use(each) for each in found):
        return _asked(found)
    return None


def _is_of_no_use(found: object) -> bool:
    """Whether torch does not know what to do with an object, of a class that is known."""
    return found is None or safe.class_module(type(found)).partition(".")[0] in ("pandas", "PIL", "datetime")


def _stacked(samples: list[Value], held: list[Any], count: int, state: State) -> Value | Finding | None:
    torch: Any = safe.loaded("torch")
    shapes = [tuple(each.shape) for each in held]
    exact = all(knows(each, DTYPE, state) for each in samples)
    if len(set(shapes)) > 1:
        stand_ins = [torch.empty(shape, dtype=each.dtype, device="cpu") for shape, each in zip(shapes, held)]
        _, error = attempt(lambda: torch.stack(stand_ins, 0))
        return None if error is None else crash(error)
    found: list[Any] = [state.live(each) for each in samples]
    small = sum(int(each.numel()) for each in held) <= MAX_ELEMENTS and len(found) == count
    if small and all(tensors.is_tensor(each) and not each.requires_grad for each in found):
        copy, error = attempt(lambda: torch.stack([each.detach().clone() for each in found], 0))
        return Known(copy) if error is None else crash(error)
    grads = [each.requires_grad if knows(value, GRAD, state) else None for each, value in zip(held, samples)]
    grad = None if None in grads or (any(grads) and not modes_known(state)) else any(grads)
    dtype = held[0].dtype
    for each in held[1:]:
        dtype = torch.promote_types(dtype, each.dtype)
    shape = (count, *shapes[0])
    return like(shape, dtype, strides=contiguous(shape), grad=grad, dtype_known=exact)


def _as_tensor(array: Any) -> tuple[Any, Exception | None]:
    torch: Any = safe.loaded("torch")
    return attempt(lambda: torch.as_tensor(array))


def _of_arrays(arrays: list[Any], count: int) -> Value | Finding | None:
    numpy: Any = safe.loaded("numpy")
    torch: Any = safe.loaded("torch")
    if any(each.dtype.names is not None for each in arrays):
        return None
    made: list[Any] = []
    for each in arrays:
        if each.dtype.kind in "OSUa":
            return _asked([numpy.zeros(1, each.dtype)])
        tensor, error = _as_tensor(numpy.zeros(1, each.dtype))
        if error is not None:
            return crash(error)
        made.append(tensor.dtype)
    shapes = [tuple(each.shape) for each in arrays]
    if len(set(shapes)) > 1:
        stand_ins = [torch.empty(shape, dtype=dtype, device="cpu") for shape, dtype in zip(shapes, made)]
        _, error = attempt(lambda: torch.stack(stand_ins, 0))
        return None if error is None else crash(error)
    dtype = made[0]
    for each in made[1:]:
        dtype = torch.promote_types(dtype, each)
    shape = (count, *shapes[0])
    return like(shape, dtype, strides=contiguous(shape), grad=False)


def _of_numbers(samples: list[Value], kinds: list[Any], count: int, state: State) -> Value | Finding | None:
    torch: Any = safe.loaded("torch")
    function: Any = safe.loaded(_COLLATE, "default_collate")
    found: list[Any] = [state.live(each) for each in samples]
    if safe.ABSENT not in found and len(found) == count:
        made, error = attempt(lambda: function(found))
        return crash(error) if error is not None else Known(made) if type(made) is torch.Tensor else None
    if len({id(each) for each in kinds}) > 1:
        return None
    stand_in = kinds[0](1)
    made, error = attempt(lambda: function([stand_in]))
    return like((count,), made.dtype, strides=(1,), grad=False) if error is None else None


def _converted(sample: Value, state: State, depth: int) -> Value | None:
    """Return what `default_convert` makes of a sample that stays alone."""
    found: Any = state.live(sample)
    if safe.one_of(type(found), (tuple, list)) and depth:
        parts = [_converted(of_element(each), state, depth - 1) for each in found]
        return None if None in parts else Known([as_element(each) for each in parts if each is not None])
    if tensor_of(sample, state) is not None or safe.one_of(type(found), safe.SCALARS):
        return sample
    array: Any = state.form(sample, SHAPE, DTYPE)
    if not safe.is_exactly(array, "numpy", "ndarray") or array.dtype.kind not in "iufb":
        return None
    made = _of_arrays([array], 1)
    if not isinstance(made, Value):
        return None
    return like(array.shape, made.object.dtype, grad=False)  # type: ignore[attr-defined]


# -- calls ------------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of data sets and loaders, `random_split`, and `enumerate` or `next` of a loader."""
    callee: Any = state.live(site.callee)
    if not site.complete or callee is safe.ABSENT:
        return None
    for name, follow in _MAKING.items():
        if callee is safe.loaded("torch.utils.data.dataset", name) and _is_own_class(name):
            found: Value | Finding | None = follow(site, state)
            return found
    for name in _SAMPLERS:
        if callee is safe.loaded("torch.utils.data.sampler", name) and safe.is_from(callee, "torch"):
            return _sampler(name, site, state)
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
    if site.keywords or not site.arguments:
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
    """Return the crash of a data set of what is no tensor: its ``size`` is called."""
    form = state.form(value)
    name = safe.class_name(type(form)) if form is not safe.ABSENT else ""
    if tensors.is_ndarray(form) or (
        name in ("DataFrame", "Series") and safe.class_module(type(form)).startswith("pandas.")
    ):
        # What pandas counts is a numpy integer, or one of Python's, as the blocks have it.
        if not tensors.is_ndarray(form):
            return None
        text = "'int' object is not callable"
        return running.crash(TypeError(text), "torch", SCHEMA, "type error", "it is an array, not a tensor")
    if safe.one_of(type(form), (list, tuple, int, float, str)):
        _, error = _attempt_any(lambda: form.size(0))
        return None if error is None else crash(error)
    return None


def _attempt_any(compute: Any) -> tuple[Any, Exception | None]:
    try:
        return compute(), None
    except (AttributeError, TypeError) as error:
        return None, error


def _mismatch() -> Finding | None:
    torch: Any = safe.loaded("torch")
    cls: Any = safe.loaded("torch.utils.data.dataset", "TensorDataset")
    try:
        cls(torch.zeros(1), torch.zeros(2))
    except AssertionError as error:
        return running.crash(error, "torch", SCHEMA, "tensor shape mismatch", "the tensors have different lengths")
    return None


def _subset(site: CallSite, state: State) -> Value | None:
    if site.keywords or len(site.arguments) != 2:
        return None
    indices: Any = state.live(site.arguments[1])
    if not safe.one_of(type(indices), (list, tuple, range)):
        count = data_sets.content_length(state.form(site.arguments[1], SHAPE))
        return None if count is None else Made("subset", dataset=site.arguments[0], count=count, package="torch")
    plain = state.plain(site.arguments[1], limit=10**5)
    known = None if plain is safe.ABSENT else plain
    return Made("subset", dataset=site.arguments[0], count=len(indices), indices=known, package="torch")


def _concatenated(site: CallSite, state: State) -> Value | None:
    listed: Any = state.live(site.arguments[0]) if len(site.arguments) == 1 and not site.keywords else None
    if not safe.one_of(type(listed), (list, tuple)) or not 0 < len(listed) <= 20:
        return None
    parts = [of_element(each) for each in listed]
    if any(count_of(each, site.node, state) is None for each in parts):
        return None
    return Made("concatenated", parts=parts, package="torch")


_MAKING: dict[str, Any] = {"TensorDataset": _tensors, "Subset": _subset, "ConcatDataset": _concatenated}
_SAMPLERS = ("SequentialSampler", "RandomSampler", "SubsetRandomSampler", "WeightedRandomSampler")


def _sampler(name: str, site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of a sampler, of which only how many it draws is known."""
    first = site.arguments[0] if site.arguments else None
    if first is None:
        return None
    if name == "SequentialSampler":
        made = _Drawn(range(0), None)
        return Made("sampler", drawn=made, source=first, package="torch") if len(site.arguments) == 1 else None
    if name == "SubsetRandomSampler":
        count = data_sets.content_length(state.form(first, SHAPE))
        if count is None or len(site.arguments) > 1:
            return None
        return Made("sampler", drawn=_Drawn(None, count), package="torch")
    if name == "RandomSampler":
        if site.keywords or len(site.arguments) > 1 or not count_of(first, site.node, state):
            return None
        return Made("sampler", drawn=_Drawn(None, None), source=first, package="torch")
    number: Any = state.live(site.arguments[1] if len(site.arguments) > 1 else site.keywords.get("num_samples"))
    if type(number) is not int or number < 1 or set(site.keywords) - {"num_samples", "replacement"}:
        return None
    state.may_raise(site.node, "the weights may not do")
    return Made("sampler", drawn=_Drawn(None, number), package="torch")


def _split(site: CallSite, state: State) -> Value | Finding | None:
    """Follow `random_split`. Source: `torch/utils/data/dataset.py`."""
    if len(site.arguments) != 2 or set(site.keywords) - {"generator"}:
        return None
    lengths: Any = state.plain(site.arguments[1])
    count = count_of(site.arguments[0], site.node, state)
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
    parts = [Made("subset", dataset=site.arguments[0], count=each, split=True, package="torch") for each in lengths]
    return Known([Hole(each) for each in parts])


_ARGUMENTS = ("dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn")
_PLAIN = ("batch_size", "shuffle", "drop_last", "pin_memory", "persistent_workers", "prefetch_factor", "timeout")
_OTHERS = ("dataset", "sampler", "batch_sampler", "num_workers", "collate_fn", "generator", "worker_init_fn")


def _loader(site: CallSite, state: State) -> Value | Finding | None:
    if len(site.arguments) > len(_ARGUMENTS) or not _is_own_class("DataLoader"):
        return None
    given: dict[str, Value] = dict(zip(_ARGUMENTS, site.arguments))
    if set(given) & set(site.keywords):
        return None
    given.update(site.keywords)
    if "dataset" not in given or set(given) - {*_PLAIN, *_OTHERS}:
        return None
    plain: dict[str, Any] = {name: state.live(each) for name, each in given.items() if name in _PLAIN}
    if not all(safe.one_of(type(each), (int, float, bool, str, type(None))) for each in plain.values()):
        return None
    workers: Any = state.live(given["num_workers"]) if "num_workers" in given else 0
    for name in ("sampler", "batch_sampler"):
        if name in given and state.live(given[name]) is not None:
            plain[name] = [0]
    if type(workers) is not int or "batch_sampler" in plain:
        return None
    dataset = given["dataset"]
    # Where samples are drawn at random the loader counts them at once, else when it is iterated over.
    count = count_of(dataset, site.node, state) if plain.get("shuffle") and "sampler" not in plain else 1
    if count is None or count > 10**9 or not _is_kind_known(dataset, state):
        return None
    cls: Any = safe.loaded("torch.utils.data.dataloader", "DataLoader")
    asked = dict(plain, num_workers=min(workers, 1))
    found, error = attempt(lambda: cls(range(count), **asked))
    if error is not None:
        return crash(error, state.level(*given.values()))
    drawn = _Drawn(None if found.__dict__["batch_size"] and plain.get("shuffle") else range(0), None)
    if plain.get("shuffle"):
        drawn = _Drawn(None, None)
    if "sampler" in plain:
        sampler = given["sampler"]
        sampled = _drawn(sampler, state)
        source = sampler.facts.get("source") if type(sampler) is Made else None
        if type(sampler) is Known and sampled is not None and sampled.total is None:
            source = Known((safe.instance_dict(sampler.object) or {}).get("data_source"))
        fits = source is dataset or (
            type(source) is Known and type(dataset) is Known and source.object is dataset.object
        )
        if sampled is None or not (sampled.total is not None or fits):
            return None
        drawn = sampled
    if workers:
        state.may_raise(site.node, "too many workers may warn")
    collate = given.get("collate_fn")
    own_collate = (None, safe.loaded(_COLLATE, "default_collate"))
    collate = None if collate is None or any(state.live(collate) is each for each in own_collate) else collate
    size, drops = plain.get("batch_size", 1), bool(plain.get("drop_last", False))
    if size is not None and type(size) is not int:
        return None
    made = Loader(dataset, size, drops, drawn.order, drawn.total, collate, workers > 0)
    return Made("loader", loader=made, stand_in=found, package="torch")


def _passed_on(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow what hands on the batches of a loader."""
    first = site.arguments[0] if site.arguments else None
    if first is None or (loader_of(first, state) is None and not _is_passed(first)):
        return None
    if callee is builtins.enumerate:
        start: Any = state.live(([*site.arguments[1:], *site.keywords.values()] or [Known(0)])[0])
        if len(site.arguments) + len(site.keywords) > 2 or set(site.keywords) - {"start"} or type(start) is not int:
            return None
        return Made("counted", of=first, start=start, package="torch")
    if len(site.arguments) != 1 or site.keywords:
        return None
    if callee is builtins.iter:
        return Made("passed on", of=first, package="torch", once=True, place=0)
    if callee is builtins.next:
        return _next(first, site, state)
    return None


def _next(value: Value, site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``next(iterator)`` of an iterator over a loader."""
    loader = loader_of(value, state)
    if loader is not None:
        cls: Any = safe.loaded("torch.utils.data.dataloader", "DataLoader")
        _, error = attempt(lambda: next(cls([0])))
        return None if error is None else crash(error)
    if type(value) is not Made or value.kind != "passed on" or not value.facts.get("once"):
        return None
    loader = loader_of(value.facts.get("of"), state)
    number = None if loader is None else _n_batches(loader, site.node, state)
    place = value.facts["place"]
    if loader is not None and number is None:
        value.facts.clear()
        return _not_followed(loader, site.node, state)
    if loader is None or number is None or place >= number:
        value.facts.clear()
        return None
    value.facts["place"] = place + 1
    count = _n_drawn(loader, site.node, state)
    _note_doubts(loader, site.node, state)
    found = _batch(loader, place, count or 0, site.node, state)
    return found if found is not None else _not_followed(loader, site.node, state)


def _note_doubts(loader: Loader, node: ast.AST, state: State) -> None:
    if loader.workers:
        state.may_raise(node, "what workers draw may raise")
    if loader.total is not None:
        state.may_raise(node, "what a sampler draws may be out of range")


def _not_followed(loader: Loader, node: ast.AST, state: State) -> Value:
    """Code of the user's draws or puts together in a way that is not followed."""
    why = "drawing from a data set that is not followed"
    return changed_by_operation(node, why, state, loader.dataset, loader.collate)


def _is_passed(value: Value | None) -> bool:
    return type(value) is Made and value.kind in ("passed on", "counted")


# -- iterating --------------------------------------------------------------------------------------------------------


def batches(value: Value | None, node: ast.AST, state: State) -> Elements | Finding | None:
    """Return the first batches that iterating over a loader yields."""
    if type(value) is Made and value.kind in ("passed on", "counted"):
        if value.facts.get("place", 0):
            return None
        inner: Any = batches(value.facts.get("of"), node, state) if "of" in value.facts else None
        if value.facts.get("once"):
            value.facts.clear()
        if type(inner) is Elements and value.kind == "counted":
            start = value.facts["start"]
            counted = [Known((start + place, Hole(each))) for place, each in enumerate(inner.found)]
            return Elements(list(counted), inner.complete)
        return inner  # type: ignore[no-any-return]
    loader = loader_of(value, state)
    if loader is None:
        return None
    number, count = _n_batches(loader, node, state), _n_drawn(loader, node, state)
    if number is None or count is None:
        _not_followed(loader, node, state)
        return Elements([], complete=False)
    _note_doubts(loader, node, state)
    # What is raised for a later batch comes after the body of the loop has run.
    several = number <= MAX_BATCHES and not _draws_from_users(loader.dataset, state) and loader.collate is None
    found: list[Value] = []
    mark = state.changes()
    for place in range(number if several else min(number, 1)):
        batch = _batch(loader, place, count, node, state)
        if not isinstance(batch, Value):
            if place:
                break
            if batch is None:
                _not_followed(loader, node, state)
            return batch
        found.append(batch)
    if len(found) < number:
        _forget_changes(mark, state)
    return Elements(found, complete=number == len(found))


def _n_drawn(loader: Loader, node: ast.AST, state: State) -> int | None:
    if loader.total is not None:
        return loader.total
    return count_of(loader.dataset, node, state)


def _n_batches(loader: Loader, node: ast.AST, state: State) -> int | None:
    count = _n_drawn(loader, node, state)
    if count is None or loader.batch_size is None:
        return count
    return count // loader.batch_size if loader.drop_last else -(-count // loader.batch_size)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Return the first batches of a loader; of a data set of torch's own, its first elements."""
    if type(site.value) is Made and site.value.kind in _KINDS:
        count = count_of(site.value, site.node, state)
        first = _sample(site.value, Known(0), site.node, state) if count else None
        if count == 0:
            return Elements([])
        return Elements([first], complete=count == 1) if isinstance(first, Value) else first
    return batches(site.value, site.node, state)


_KINDS = {"tensors": "TensorDataset", "subset": "Subset", "concatenated": "ConcatDataset"}


def length(site: ValueSite, state: State) -> Value | None:
    """Follow ``len(loader)`` and ``len(dataset)``."""
    loader = loader_of(site.value, state)
    found = None
    if loader is not None:
        found = _n_batches(loader, site.node, state)
    elif type(site.value) is Made and site.value.kind in _KINDS:
        found = count_of(site.value, site.node, state)
    return None if found is None else Known(found, level=SCHEMA)


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``dataset[0]``; a loader has no items."""
    if site.context != "load":
        return None
    if type(site.owner) is Made and site.owner.kind == "loader":
        made = site.owner.facts.get("stand_in")
        _, error = (None, None) if made is None else attempt(lambda: made[0])
        return None if error is None else crash(error)
    key = state.plain(site.key)
    own = type(site.owner) is Made and site.owner.kind in _KINDS
    if not own and _held(site.owner, state) is None:
        return None
    count = count_of(site.owner, site.node, state)
    if count is None or type(key) is not int or not 0 <= key < count:
        return None
    return _sample(site.owner, Known(key), site.node, state)


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a loader or data set that the cell made."""
    if type(site.owner) is not Made:
        return None
    facts = site.owner.facts
    if site.owner.kind == "loader" and "loader" in facts:
        loader: Loader = facts["loader"]
        if site.name == "dataset":
            return loader.dataset
        if site.name == "batch_size":
            return Known(loader.batch_size, level=SCHEMA)
        return _other_attribute(facts.get("stand_in"), site.name)
    if site.owner.kind not in _KINDS or not facts:
        return None
    if site.name in ("dataset", "tensors", "datasets", "indices"):
        if site.name == "dataset" and site.owner.kind == "subset":
            found: Value = facts["dataset"]
            return found
        if site.name == "tensors" and site.owner.kind == "tensors":
            return Known(tuple(as_element(each) for each in facts["tensors"]))
        return None
    cls: Any = safe.loaded("torch.utils.data.dataset", _KINDS[site.owner.kind])
    return _other_attribute(object.__new__(cls), site.name)


def _other_attribute(stand_in: Any, name: str) -> Value | Finding | None:
    """Return the crash of reading an attribute that neither a class of torch's own nor its objects have."""
    if stand_in is None or safe.in_type(type(stand_in), "__getattr__") is not safe.ABSENT:
        return None
    if name in ("cumulative_sizes", "cummulative_sizes"):
        return None
    if name in (safe.instance_dict(stand_in) or {}) or safe.in_type(type(stand_in), name) is not safe.ABSENT:
        return None
    _, error = _attempt_any(lambda: getattr(stand_in, name))
    return None if error is None else crash(error)


HANDLERS = {
    "attribute": [guarded(attribute)],
    "call": [guarded(call)],
    "iterate": [guarded(iterate)],
    "length": [guarded(length)],
    "item": [guarded(item)],
}
