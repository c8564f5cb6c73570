"""torch modules and Keras models: their layers."""

from __future__ import annotations

from typing import Any

from .. import paths, safe


def layers(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """List the layers of a torch module, depth first, with the shapes of their own parameters."""
    value = paths.resolve(path, shell.user_ns)
    if is_torch_module(value):
        found = list(_torch_layers(value, "", budget))
        return {
            "path": path,
            "type": safe.type_name(value),
            "training": (safe.instance_dict(value) or {}).get("training") is True,
            "patched": _is_patched(value),
            "layers": found[: budget.items],
            "truncated": len(found) > budget.items,
        }
    raise safe.Refused("could not look, because {} is a {}, not a torch module".format(path, safe.type_name(value)))


def _is_patched(module: object) -> bool:
    """Whether something was put in the way of this object's own ``forward``: another function, or a hook."""
    own = safe.instance_dict(module) or {}
    hooks = (own.get("_forward_pre_hooks"), own.get("_forward_hooks"))
    return "forward" in own or any(safe.inherits(type(each), dict) and len(each) > 0 for each in hooks)  # type: ignore[arg-type]


def is_torch_module(value: object) -> bool:
    """Whether the type of `value` inherits from `torch.nn.Module`."""
    return safe.inherits(type(value), safe.loaded("torch.nn.modules.module", "Module"))


def _torch_layers(module: object, name: str, budget: safe.Budget) -> Any:
    # One more than is listed, so that "truncated" can be told.
    waiting = [(name, module)]
    for _ in range(budget.items + 1):
        budget.check()
        if not waiting:
            return
        name, module = waiting.pop()
        own = safe.instance_dict(module) or {}
        yield {"name": name, "type": safe.type_name(module), "parameters": parameter_shapes(own), "sizes": _sizes(own)}
        children = own.get("_modules")
        if safe.inherits(type(children), dict):
            entries: list[tuple[str, object]] = list(dict.items(children))  # type: ignore[arg-type]
            inner = [("{}.{}".format(name, key) if name else key, child) for key, child in entries if type(key) is str]
            waiting.extend(reversed([pair for pair in inner if is_torch_module(pair[1])]))


def parameter_shapes(own: dict[str, Any]) -> dict[str, list[int]]:
    """Return the shapes of the parameters that a module's instance dictionary holds."""
    table = own.get("_parameters")
    found: dict[str, list[int]] = {}
    if safe.inherits(type(table), dict):
        for name, value in dict.items(table):  # type: ignore[arg-type]
            if safe.is_exactly(value, "torch.nn.parameter", "Parameter"):
                found[str(name)] = [int(size) for size in value.shape]
    return found


def _sizes(own: dict[str, Any]) -> dict[str, Any]:
    """Return the whole-number settings of a layer: in_features, kernel_size, num_embeddings, p ..."""
    return {
        name: list(value) if type(value) is tuple else value
        for name, value in sorted(own.items())
        if type(name) is str
        and not name.startswith("_")
        and name != "training"
        and (safe.one_of(type(value), (int, float, bool)) or (type(value) is tuple and safe.is_plain(value)))
    }
