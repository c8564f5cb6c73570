"""Which values may share memory: what changes the numbers of one changes those of all of them.

Source: the numpy reference, `ndarray.base`; the pandas user guide, "Copy-on-Write", for what came before it: a column
or a slice of a frame may be a view of it.
"""

from __future__ import annotations

from typing import Any

from .. import safe
from ..readers import blocks, tensors


class Stale:
    """Memory that the cell changed; what lies in it has kept its structure alone."""

    def __init__(self) -> None:
        self._owners: dict[int, object] = {}
        self._tensors = False
        self._all = False

    def __bool__(self) -> bool:
        return bool(self._owners) or self._tensors or self._all

    def add(self, value: object) -> None:
        """The numbers of an array, a tensor, a series or a frame were changed."""
        owners = _owners(value)
        self._tensors = True
        if owners is None:
            self._all = True
        else:
            self._owners.update((id(each), each) for each in owners)

    def holds(self, value: object) -> bool:
        """Whether a value's numbers may have been changed; no others than arrays, tensors and tables have any."""
        if tensors.is_array(value) or blocks.is_frame(value) or blocks.is_series(value):
            owners = _owners(value)
            return self._all or (self._tensors if owners is None else any(id(each) in self._owners for each in owners))
        return False


def _owners(value: Any) -> list[object] | None:
    """Return the objects that own the memory of an array or a table; None if they are not known."""
    if safe.is_exactly(value, "numpy", "ndarray"):
        return [_owner(value)]
    if blocks.is_frame(value) or blocks.is_series(value):
        return [_owner(part) for block in value._mgr.blocks for part in _parts(block.values)]
    return None


def _owner(array: Any) -> object:
    while safe.is_exactly(array, "numpy", "ndarray") and array.base is not None:
        array = array.base
    return array


def _parts(values: Any) -> list[object]:
    """Return the arrays that a block's values are made of; those of Arrow, which are never changed, count as one."""
    if safe.is_exactly(values, "numpy", "ndarray"):
        return [values]
    names = ("_ndarray", "_data", "_mask", "_left", "_right", "_sparse_values")
    found = [getattr(values, name, None) for name in names]
    parts = [each for each in found if safe.is_exactly(each, "numpy", "ndarray")]
    return parts or [values]
