"""What data sets hold, without drawing from them: torch's, those of the user's own classes, tf.data's."""

from __future__ import annotations

import types
from typing import Any

from .. import safe
from . import blocks, keras_layers, tensors

MOST_ITEMS = 1000
"""Elements of a list used as a data set that are compared, from its start."""

MOST_DATASETS = 20
"""Data sets inside one another that are followed."""

MAX_PARTS = 20
"""Parts of one element of a data set."""


def facts(dataset: object, budget: safe.Budget) -> dict[str, Any]:
    """Return the length of a data set and the parts of an element, where they are certain, and what it stores."""
    found, alike = _item(dataset, budget)
    answer = {
        "dataset": safe.type_name(dataset),
        "dataset_length": length(dataset),
        "item": None if found is None else found[:MAX_PARTS],
        "items_alike": alike,
    }
    is_own = safe.is_from(type(dataset), "torch") or safe.one_of(type(dataset), safe.CONTAINERS)
    own = {} if is_own else safe.instance_dict(dataset) or {}
    return dict(answer, **stored(own, budget))


def stored(own: dict[str, Any], budget: safe.Budget) -> dict[str, Any]:
    """List what of size an object keeps: arrays, tensors, tables, lists."""
    records = []
    for name in sorted(own):
        content = None if name.startswith("__") else _content(own[name])
        if content is not None:
            records.append(dict(content, name=safe.text(name, 80)))
    return {"stored": records[: budget.items], "truncated": len(records) > budget.items}


def whole(value: object) -> int | None:
    """Return what can be a length; None for anything else."""
    return value if type(value) is int and 0 <= value < 2**63 else None


def _content(value: Any) -> dict[str, Any] | None:
    """Return type, and shape and dtype or length, of an array, tensor, table or container; None of anything else."""
    shape = tensors.shape(value)
    if shape is not None:
        return {"type": safe.type_name(value), "shape": shape, "dtype": str(value.dtype)}
    count = content_length(value)
    return None if count is None else {"type": safe.type_name(value), "length": count}


def content_length(value: Any) -> int | None:
    """Return the length of an exact built-in container, array, tensor or table; None of anything else."""
    if safe.one_of(type(value), (*safe.CONTAINERS, range)):
        return len(value)
    shape = tensors.shape(value)
    if shape is not None:
        return shape[0] if shape else None
    if safe.class_module(type(value)).startswith("pandas") and (blocks.is_frame(value) or blocks.is_series(value)):
        return len(blocks.axes(value)[-1])
    return None


class _Likeness:
    """The three ways most data sets compute their length; compared with, never called."""

    def of_attribute(self) -> int:
        return len(self.x)  # type: ignore[attr-defined]

    def attribute(self) -> int:
        return self.x  # type: ignore[attr-defined,no-any-return]

    def rows(self) -> int:
        return self.x.shape[0]  # type: ignore[attr-defined,no-any-return]


def length(dataset: object, depth: int = MOST_DATASETS) -> int | None:
    """Return the length of a data set, if it is certain without running code of the user's; else None.

    Sources: `torch/utils/data/dataset.py` for torch's own classes. A class whose ``__len__`` is exactly
    ``return len(self.x)``, ``return self.x`` or ``return self.x.shape[0]`` is read like that.
    """
    found = content_length(dataset)
    if found is not None or depth == 0:
        return found
    own = safe.instance_dict(dataset) or {}
    if _is_torch(dataset, "TensorDataset"):
        held = own.get("tensors")
        return content_length(held[0]) if type(held) is tuple and len(held) > 0 else None
    if _is_torch(dataset, "Subset"):
        return content_length(own.get("indices"))
    if _is_torch(dataset, "ConcatDataset"):
        sizes = own.get("cumulative_sizes")
        return whole(sizes[-1]) if type(sizes) is list and len(sizes) > 0 else None
    if safe.is_from(type(dataset), "torch"):
        return None
    return _read_length(dataset)


def _is_torch(dataset: object, name: str) -> bool:
    return safe.is_exactly(dataset, "torch.utils.data.dataset", name)


def _read_length(dataset: object) -> int | None:
    """Return what a ``__len__`` of one of the known forms would return."""
    function = safe.in_type(type(dataset), "__len__")
    if type(function) is not types.FunctionType:
        return None
    code = function.__code__
    if code.co_argcount != 1 or code.co_freevars or code.co_cellvars or code.co_flags & 0x2AC:
        return None  # 0x2AC: other parameters, or a generator or coroutine
    if _is_like(code, _Likeness.of_attribute) and code.co_names[0] == "len" and _is_builtin_len(function):
        return content_length(_known_attribute(dataset, code.co_names[1]))
    if _is_like(code, _Likeness.attribute):
        return whole(_known_attribute(dataset, code.co_names[0]))
    if _is_like(code, _Likeness.rows) and code.co_names[1] == "shape":
        value = _known_attribute(dataset, code.co_names[0])
        found = tensors.shape(value)
        if found is None and blocks.is_frame(value):
            return content_length(value)
        return found[0] if found else None
    return None


def _is_like(code: types.CodeType, form: Any) -> bool:
    """Whether two functions are the same but for their names."""
    other = form.__code__
    numbers = [each for each in code.co_consts if type(each) is int]
    same = [each for each in other.co_consts if type(each) is int]
    return code.co_code == other.co_code and len(code.co_names) == len(other.co_names) and numbers == same


def _is_builtin_len(function: types.FunctionType) -> bool:
    table = function.__globals__
    if not safe.only_texts(list(table)) or "len" in table:
        return False
    inside: Any = table.get("__builtins__")
    own = inside if type(inside) is dict else safe.instance_dict(inside) or {}
    return own.get("len") is len


def _known_attribute(value: object, name: str) -> object:
    try:
        return safe.attribute(value, name)
    except safe.Refused:
        return None


def _item(dataset: object, budget: safe.Budget, depth: int = MOST_DATASETS) -> tuple[Any, bool | None]:
    """Return the parts of one element of a data set, and whether all elements looked at are alike; None if not stored.

    Returns:
        A list of records with type, and shape and dtype or length; whether the elements looked at agree.
    """
    own = safe.instance_dict(dataset) or {}
    if depth == 0:
        return None, None
    if _is_torch(dataset, "TensorDataset"):
        held = own.get("tensors")
        contents = [_row(each) for each in held] if type(held) is tuple else [None]
        return (None, None) if None in contents else (contents, True)
    if _is_torch(dataset, "Subset"):
        return _item(own.get("dataset"), budget, depth - 1)
    if _is_torch(dataset, "ConcatDataset"):
        inner = own.get("datasets")
        found = [_item(each, budget, depth - 1) for each in list(inner)[:MOST_DATASETS]] if type(inner) is list else []
        alike = all(each == found[0] for each in found) and len(found) == len(inner) if found else None  # type: ignore[arg-type]
        return (found[0][0], alike and found[0][1]) if found else (None, None)
    if safe.one_of(type(dataset), (list, tuple)):
        return _listed_items(dataset, budget)
    row = _row(dataset)
    return (None, None) if row is None else ([row], True)


def _row(value: Any) -> dict[str, Any] | None:
    """Return what one row of exactly an array or tensor is."""
    shape = tensors.shape(value)
    if not shape:
        return None
    return {"type": safe.type_name(value), "shape": shape[1:], "dtype": str(value.dtype)}


def _listed_items(dataset: Any, budget: safe.Budget) -> tuple[Any, bool | None]:
    first: list[dict[str, Any]] | None = None
    looked = safe.first(dataset, MOST_ITEMS)
    for place, each in enumerate(looked):
        if place % 100 == 0:
            budget.check()
        parts = _parts(each)
        if place == 0:
            first = parts
        elif parts != first:
            return first, False
    # Of a longer list the rest is not known.
    return first, True if looked and len(looked) == len(dataset) and first is not None else None


def _parts(element: Any) -> list[dict[str, Any]] | None:
    """Return the parts of one element: of a tuple, list or dict its own, else the element itself."""
    if type(element) is dict:
        pairs: list[tuple[Any, Any]] = list(element.items())[:MAX_PARTS]
        return [dict(_part(each), name=safe.text(key, 80)) for key, each in pairs if type(key) is str]
    if safe.one_of(type(element), (tuple, list)):
        return [_part(each) for each in list(element)[:MAX_PARTS]]
    return [_part(element)]


def _part(value: Any) -> dict[str, Any]:
    return _content(value) or {"type": safe.type_name(value)}


def tf_facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    """Describe a tf.data.Dataset by the specifications it stores. Source: `tensorflow/python/data/ops` of 2.17."""
    names: list[str] = []
    each: object = value
    while each is not None and len(names) < 100:
        names.append(safe.class_name(type(each)))
        each = (safe.instance_dict(each) or {}).get("_input_dataset")
    parts = _spec_parts(_element_spec(value))
    return {
        "kind": "tf.data.Dataset",
        "transformations": names[: budget.items],
        "item": None if parts is None else parts[: budget.items],
        "truncated": len(names) > budget.items or len(parts or []) > budget.items,
    }


def _element_spec(value: object) -> object:
    """Return the element specification, from where the class's property `element_spec` would take it."""
    for _ in range(100):
        own = safe.instance_dict(value) or {}
        for place in ("_structure", "_element_spec"):
            if place in own:
                return own[place]
        function = safe.instance_dict(own.get("_map_func")) or {}
        if "_output_structure" in function and safe.class_name(type(value)) in _MAPS:
            return function["_output_structure"]
        base = safe.loaded("tensorflow.python.data.ops.dataset_ops", "UnaryUnchangedStructureDataset")
        if not safe.inherits(type(value), base):
            return None
        value = own.get("_input_dataset")
    return None


_MAPS = ("_MapDataset", "_ParallelMapDataset", "MapDataset", "ParallelMapDataset")


def _spec_parts(spec: Any) -> list[dict[str, Any]] | None:
    """Return the tensors of a structure of TensorSpecs, in order, with the keys of dicts; None if there is another."""
    if keras_layers.is_tensor_spec(spec):
        return [
            {
                "type": safe.type_name(spec),
                "shape": keras_layers.spec_shape(spec),
                "dtype": keras_layers.spec_dtype(spec),
            }
        ]
    named = keras_layers.entries(spec)
    pairs: list[tuple[Any, Any]] = list(named.items()) or [(None, each) for each in keras_layers.items(spec)]
    found: list[dict[str, Any]] = []
    for name, each in pairs[:100]:
        inner = _spec_parts(each)
        if inner is None:
            return None
        found.extend(inner if name is None else [dict(part, name=name) for part in inner])
    return found or None
