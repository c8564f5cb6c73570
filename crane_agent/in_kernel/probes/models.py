"""torch modules and Keras models: their layers."""

from __future__ import annotations

import operator
from typing import Any, Iterator

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field

MAX_DIMENSIONS = 10
"""Length of the longest tuple of numbers that is a size."""


def layers(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """List the layers of a torch module, depth first, with the shapes of their own parameters."""
    value = paths.resolve(path, shell.user_ns)
    if is_torch_module(value):
        found = list(_torch_layers(value, budget))
        return {
            "path": path,
            "type": safe.type_name(value),
            "training": (safe.instance_dict(value) or {}).get("training") is True,
            "patched": _is_patched(value),
            "layers": found[: budget.items],
            "truncated": len(found) > budget.items
            or any(max(len(each["parameters"]), len(each["sizes"])) >= budget.items for each in found),
        }
    raise safe.Refused("could not look, because {} is a {}, not a torch module".format(path, safe.type_name(value)))


def _is_patched(module: object) -> bool:
    """Whether something was put in the way of this object's own ``forward``: another function, or a hook."""
    own = safe.instance_dict(module) or {}
    hooks: tuple[Any, ...] = (own.get("_forward_pre_hooks"), own.get("_forward_hooks"))
    return "forward" in own or any(safe.inherits(type(each), dict) and dict.__len__(each) > 0 for each in hooks)


def is_torch_module(value: object) -> bool:
    """Whether the type of `value` inherits from `torch.nn.Module`."""
    return safe.inherits(type(value), safe.loaded("torch.nn.modules.module", "Module"))


def _torch_layers(module: object, budget: safe.Budget) -> Iterator[dict[str, Any]]:
    # One more than is listed, so that "truncated" can be told.
    waiting = [("", module)]
    for _ in range(budget.items + 1):
        budget.check()
        if not waiting:
            return
        name, module = waiting.pop()
        own = safe.instance_dict(module) or {}
        yield {
            "name": name,
            "type": safe.type_name(module),
            "parameters": dict(list(parameter_shapes(own).items())[: budget.items]),
            "sizes": dict(list(_sizes(own).items())[: budget.items]),
        }
        inner = [("{}.{}".format(name, key) if name else key, child) for key, child in _entries(own.get("_modules"))]
        waiting.extend(reversed([pair for pair in inner if is_torch_module(pair[1])]))


def _entries(table: Any) -> list[tuple[str, Any]]:
    """Return the entries of a module's table of parameters or modules, past the methods of a subclass of dict."""
    if not safe.inherits(type(table), dict):
        return []
    return [(name, value) for name, value in list(dict.items(table)) if type(name) is str]


def parameter_shapes(own: dict[str, Any]) -> dict[str, list[int]]:
    """Return the shapes of the parameters that a module's instance dictionary holds."""
    return {
        name: [int(size) for size in value.shape]
        for name, value in _entries(own.get("_parameters"))
        if safe.is_exactly(value, "torch.nn.parameter", "Parameter")
    }


def _sizes(own: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers among the settings of a layer: in_features, kernel_size, num_embeddings, p ..."""
    return {
        name: [safe.number(each) for each in value] if type(value) is tuple else safe.number(value)
        for name, value in sorted(own.items(), key=operator.itemgetter(0))
        if not name.startswith("_") and name != "training" and (_is_number(value) or _is_size(value))
    }


def _is_number(value: object) -> bool:
    return safe.one_of(type(value), (int, float, bool))


def _is_size(value: object) -> bool:
    return type(value) is tuple and 0 < len(value) <= MAX_DIMENSIONS and all(map(_is_number, value))


FIELDS = {
    "training": Field(SCHEMA, "whether a network is in training mode"),
    "patched": Field(SCHEMA, "whether hooks or a replaced method stand in the way"),
    "layers": Field(NAMES, "the layers of a network", records=True),
    "sizes": Field(SCHEMA, "numbers among a layer's settings"),
}
PROBES = {"layers": layers}
