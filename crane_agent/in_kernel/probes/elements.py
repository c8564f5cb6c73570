"""What the elements of a list, tuple, set, dict or object array are: types, lengths, shapes."""

from __future__ import annotations

import collections
from typing import Any, Callable

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from ..readers import blocks, tensors

MOST_ELEMENTS = 5000
"""Elements that are looked at, from the start."""

MOST_INNER = 100000
"""Elements within the elements that are looked at to tell whether all make one array."""


def elements(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Group the elements of the container at `path` by type, length, shape and dtype; most frequent first."""
    value = paths.resolve(path, shell.user_ns)
    length, sample = _sample(value, path)
    groups = _grouped(sample, budget)
    return {
        "path": path,
        "type": safe.type_name(value),
        "length": length,
        "looked_at": len(sample),
        "elements": [group.facts() for group in groups[: budget.items]],
        "stacks": _stacks(sample, groups, budget) if len(sample) == length else None,
        "truncated": len(groups) > budget.items,
    }


class Group:
    """Elements of one type that have the same length, shape and dtype."""

    def __init__(self, example: object, first: int, told: dict[str, Any]) -> None:
        self.example = example
        self.first = first
        self.count = 0
        self.told = told

    def facts(self) -> dict[str, Any]:
        """Return the group as a record."""
        return dict({"type": safe.type_name(self.example), "count": self.count, "first": self.first}, **self.told)


def _grouped(sample: list[Any], budget: safe.Budget) -> list[Group]:
    # By the id of the type: a metaclass may compute the hash of a class.
    readers: dict[int, Reader] = {}
    groups: dict[tuple[int, Any], Group] = {}
    for place, each in enumerate(sample):
        if place % 1000 == 0:
            budget.check()
        kind = id(type(each))
        if kind not in readers:
            readers[kind] = _reader(each)
        key = (kind, readers[kind](each))
        if key not in groups:
            groups[key] = Group(each, place, _told(each))
        groups[key].count += 1
    return sorted(groups.values(), key=lambda group: (-group.count, group.first))


def _sample(value: Any, path: str) -> tuple[int, list[Any]]:
    """Return the number of elements, and the first of them; of a dict its values."""
    kind = type(value)
    if safe.one_of(kind, (list, tuple, set, frozenset, collections.deque)):
        return len(value), _first(value)
    if safe.inherits(kind, dict) and safe.in_type(kind, "__getitem__") is dict.__dict__["__getitem__"]:
        return dict.__len__(value), _first(dict.values(value))
    if safe.inherits(kind, tuple) and safe.in_type(kind, "__iter__") is tuple.__dict__["__iter__"]:
        return tuple.__len__(value), _first(tuple.__iter__(value))
    if safe.is_exactly(value, "numpy", "ndarray") and value.dtype.kind == "O":
        return value.size, value.flat[:MOST_ELEMENTS].tolist()
    raise safe.Refused(
        "could not look, because {} is a {}, not a list, tuple, set, dict or object array".format(
            path, safe.type_name(value)
        )
    )


def _first(container: Any) -> list[Any]:
    try:
        return safe.first(container, MOST_ELEMENTS)
    except RuntimeError:
        raise safe.Refused("could not look, because it is being changed") from None


Reader = Callable[[Any], Any]
_SIZED = (list, tuple, set, frozenset, dict)


def _reader(value: Any) -> Reader:
    """Return what gives, of values of this very type, a key that tells different ones apart."""
    if safe.one_of(type(value), _SIZED):
        return len
    if tensors.is_tensor(value):
        return _key_of_tensor
    if _told(value) or tensors.is_array(value):
        return lambda each: tuple(map(str, _told(each).values()))
    return lambda each: None


def _key_of_tensor(value: Any) -> Any:
    try:
        return tuple(value.shape), value.dtype
    except RuntimeError:
        return None  # a nested tensor has no shape of its own


def _told(value: Any) -> dict[str, Any]:
    """Return length, shape and dtype of an element, as far as it has them."""
    if safe.one_of(type(value), _SIZED):
        return {"length": len(value)}
    shape = tensors.shape(value)
    if shape is not None:
        return {"shape": shape, "dtype": str(value.dtype)}
    if blocks.is_frame(value):
        return {"shape": [len(axis) for axis in reversed(blocks.axes(value))]}
    if blocks.is_series(value):
        return {"length": len(blocks.axes(value)[0]), "dtype": blocks.dtype(value)}
    return {}


def _stacks(sample: list[Any], groups: list[Group], budget: safe.Budget) -> bool | None:
    """Whether all elements make one array, as ``np.array`` or ``torch.stack`` would; None if that cannot be told."""
    if not sample:
        return None
    if all(tensors.is_array(group.example) for group in groups):
        same_kind = len({tensors.is_tensor(group.example) for group in groups}) == 1
        shapes = {str(group.told.get("shape")) for group in groups}
        return None if not same_kind or shapes == {"None"} else len(shapes) == 1
    shape = _nested(sample, [MOST_INNER], 6, budget)
    return None if shape is None else shape is not _RAGGED


_RAGGED = (-1,)
_IDS_OF_NUMBERS = frozenset(map(id, (int, float, bool, complex)))


def _nested(values: Any, left: list[int], depth: int, budget: safe.Budget) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers or texts; `_RAGGED` if there is none, None if it cannot be told."""
    left[0] -= len(values)
    if left[0] < 0 or depth == 0:
        return None
    if values and _IDS_OF_NUMBERS.issuperset(map(id, map(type, values))):
        return (len(values),)
    budget.check()
    inner: set[tuple[int, ...] | None] = set()
    for each in values:
        if safe.one_of(type(each), (list, tuple)):
            inner.add(_nested(each, left, depth - 1, budget))
        elif safe.one_of(type(each), (int, float, bool, complex, str)) or _is_number_of_numpy(each):
            inner.add(())
        elif safe.is_exactly(each, "numpy", "ndarray"):
            inner.add(tuple(each.shape))
        else:
            return None
    if None in inner:
        return None
    if _RAGGED in inner or len(inner) > 1:
        return _RAGGED
    return (len(values), *(inner.pop() or ())) if inner else (0,)


def _is_number_of_numpy(value: object) -> bool:
    return safe.inherits(type(value), safe.loaded("numpy", "number")) and safe.is_from(type(value), "numpy")


FIELDS = {
    "elements": Field(NAMES, "the distinct kinds of elements", records=True),
    "first": Field(SCHEMA, "position of the first element of its kind"),
    "stacks": Field(NAMES, "whether the elements make one array; null: not told"),
}
PROBES = {"elements": elements}
