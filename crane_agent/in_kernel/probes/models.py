"""torch modules and Keras models: their layers."""

from __future__ import annotations

import operator
from typing import Any, Iterator, NamedTuple

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from ..readers import keras_layers

MAX_DIMENSIONS = 10
"""Length of the longest tuple of numbers that is a size."""

MOST_MODULES = 1000
"""Modules of a network whose parameters are counted, depth first."""


def layers(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """List the layers of a torch module or Keras model, depth first, with the shapes of their own parameters."""
    value = paths.resolve(path, shell.user_ns)
    if is_torch_module(value):
        return dict({"path": path, "type": safe.type_name(value)}, **_torch_facts(value, budget))
    if keras_layers.family(value) is not None:
        return dict({"path": path, "type": safe.type_name(value)}, **_keras_facts(value, budget))
    raise safe.Refused(
        "could not look, because {} is a {}, not a torch module or Keras layer".format(path, safe.type_name(value))
    )


# -- torch ------------------------------------------------------------------------------------------------------------


def is_torch_module(value: object) -> bool:
    """Whether the type of `value` inherits from `torch.nn.Module`."""
    return safe.inherits(type(value), safe.loaded("torch.nn.modules.module", "Module"))


class Part(NamedTuple):
    """One module of a network: its dotted name, itself, its instance dictionary."""

    name: str
    module: object
    own: dict[str, Any]


def parts(module: object, budget: safe.Budget, most: int = MOST_MODULES) -> Iterator[Part]:
    """Walk a torch module as `named_modules` does, depth first; a module that is there twice comes twice."""
    base = safe.loaded("torch.nn.modules.module", "Module")
    waiting = [("", module)]
    for count in range(most):
        if count % 50 == 0:
            budget.check()
        if not waiting:
            return
        name, module = waiting.pop()
        own = safe.instance_dict(module) or {}
        yield Part(name, module, own)
        inner = [("{}.{}".format(name, key) if name else key, child) for key, child in entries(own.get("_modules"))]
        waiting.extend(reversed([pair for pair in inner if safe.inherits(type(pair[1]), base)]))


def entries(table: Any) -> list[tuple[str, Any]]:
    """Return the entries of a module's table of parameters or modules, past the methods of a subclass of dict."""
    if not safe.inherits(type(table), dict):
        return []
    return [(name, value) for name, value in list(dict.items(table)) if type(name) is str]


def parameters(own: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the parameters that a module's instance dictionary holds, those of torch's own class only."""
    kind = safe.loaded("torch.nn.parameter", "Parameter")
    return [
        (name, value) for name, value in entries(own.get("_parameters")) if type(value) is kind and kind is not None
    ]


def parameter_shapes(own: dict[str, Any]) -> dict[str, list[int]]:
    """Return the shapes of the parameters that a module's instance dictionary holds."""
    return {name: [int(size) for size in value.shape] for name, value in parameters(own)}


def counted(names: list[str]) -> dict[str, int]:
    """Return how often each text is in a list, by text."""
    return {name: names.count(name) for name in sorted(set(names))}


def _torch_facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    found = list(parts(value, budget, MOST_MODULES + 1))
    training = (safe.instance_dict(value) or {}).get("training") is True
    other = [part.name for part in found if (part.own.get("training") is True) is not training]
    held = {id(each): each for part in found[:MOST_MODULES] for _, each in parameters(part.own)}
    listed = [_torch_layer(part, budget) for part in found[: budget.items]]
    cut = any(
        len(parameters(part.own)) > budget.items or len(_sizes(part.own)) > budget.items
        for part in found[: budget.items]
    )
    return {
        "training": training,
        "other_mode": other[: budget.items],
        "patched": is_patched(value),
        "n_parameters": len(held),
        "n_trainable": sum(each.requires_grad is True for each in held.values()),
        "devices": counted([str(each.device) for each in held.values()]),
        "parameter_dtypes": counted([str(each.dtype) for each in held.values()]),
        "first_layer": _first_layer(found[:MOST_MODULES]),
        "last_layer": _last_layer(found[:MOST_MODULES]),
        "layers": listed,
        "looked_at": min(len(found), MOST_MODULES),
        "truncated": len(found) > len(listed) or len(other) > budget.items or cut,
    }


def is_patched(module: object) -> bool:
    """Whether something was put in the way of this object's own ``forward``: another function, or a hook."""
    own = safe.instance_dict(module) or {}
    hooks: tuple[Any, ...] = (own.get("_forward_pre_hooks"), own.get("_forward_hooks"))
    return "forward" in own or any(safe.inherits(type(each), dict) and dict.__len__(each) > 0 for each in hooks)


def _torch_layer(part: Part, budget: safe.Budget) -> dict[str, Any]:
    return {
        "name": part.name,
        "type": safe.type_name(part.module),
        "parameters": dict(list(parameter_shapes(part.own).items())[: budget.items]),
        "sizes": dict(list(_sizes(part.own).items())[: budget.items]),
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


# Classes of torch whose output has the shape of their input. Source: the torch reference, `torch.nn`.
_SHAPE_KEPT = (
    *("Identity", "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh"),
    *("Softmax", "LogSoftmax", "Softplus", "Softsign", "Hardtanh", "Hardswish", "Hardsigmoid", "LogSigmoid"),
    *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Softmin", "Tanhshrink", "Softshrink"),
)
_CONVOLUTIONS = {"Conv1d": 1, "Conv2d": 2, "Conv3d": 3}
_TRANSPOSED = {"ConvTranspose1d": 1, "ConvTranspose2d": 2, "ConvTranspose3d": 3}
_NORMS = {"BatchNorm1d": [2, 3], "BatchNorm2d": [4], "BatchNorm3d": [5]}


def _own_class(module: object) -> str:
    """Return the name of a module's class if it is exactly one of torch's own and runs torch's own code, else ''."""
    kind = type(module)
    if not safe.is_from(kind, "torch"):
        return ""
    runs = (safe.in_type(kind, "forward"), safe.in_type(kind, "__call__"))
    return safe.class_name(kind) if all(safe.comes_from(each, "torch") for each in runs) else ""


def _in_forward_order(found: list[Part]) -> list[Part] | None:
    """Return the layers in the order that forward calls them, if that is certain: of torch's own Sequentials."""
    hooks = safe.instance_dict(safe.loaded("torch.nn.modules.module")) or {}
    for place in ("_global_forward_pre_hooks", "_global_forward_hooks"):
        table = hooks.get(place)
        if not safe.inherits(type(table), dict) or dict.__len__(table) > 0:  # type: ignore[arg-type]
            return None
    inside: str | None = None
    ordered: list[Part] = []
    for part in found:
        if inside is not None and part.name.startswith(inside):
            continue
        kind = _own_class(part.module)
        if is_patched(part.module):
            return None
        if kind == "Sequential":
            continue
        if kind == "":
            # What a user's module does with its input is not known; nothing behind it matters.
            return ordered or None
        ordered.append(part)
        if part.name == "":
            break
        inside = part.name + "."
    return ordered or None


def _first_layer(found: list[Part]) -> dict[str, Any] | None:
    """Return the first layer that demands something of its input, and what; None if there is none."""
    ordered = _in_forward_order(found)
    flattened = False
    for part in ordered if ordered is not None else found:
        kind = _own_class(part.module)
        expects = _expectation(part, kind)
        if expects is not None:
            if flattened:
                if kind != "Linear":
                    return None
                expects["flattened_from_axis"] = 1
            return {
                "name": part.name,
                "type": safe.type_name(part.module),
                "expects": expects,
                "in_forward_order": ordered is not None,
            }
        if ordered is None:
            continue
        if kind == "Flatten" and (part.own.get("start_dim"), part.own.get("end_dim")) == (1, -1):
            flattened = True
        elif kind not in _SHAPE_KEPT:
            return None
    return None


def _expectation(part: Part, kind: str) -> dict[str, Any] | None:
    """Return what a layer demands of its input; None if that is nothing, or not known.

    Source: the torch reference, "Shape" of each class of `torch.nn`; sizes are those of the weights, which is what the
    computation meets.
    """
    held = dict(parameters(part.own))
    shape = parameter_shapes(part.own).get("weight", [])
    found: dict[str, Any] | None = None
    if kind == "Linear" and len(shape) == 2:
        found = {"axis": -1, "size": shape[1]}
    elif kind in _CONVOLUTIONS and type(part.own.get("groups")) is int and len(shape) == _CONVOLUTIONS[kind] + 2:
        rank = _CONVOLUTIONS[kind]
        found = {"axis": -1 - rank, "size": shape[1] * part.own["groups"], "ndim": [rank + 1, rank + 2]}
    elif kind in _TRANSPOSED and len(shape) == _TRANSPOSED[kind] + 2:
        rank = _TRANSPOSED[kind]
        found = {"axis": -1 - rank, "size": shape[0], "ndim": [rank + 1, rank + 2]}
    elif kind in _NORMS and len(shape) == 1:
        found = {"axis": 1, "size": shape[0], "ndim": _NORMS[kind]}
    elif kind == "GroupNorm" and len(shape) == 1:
        found = {"axis": 1, "size": shape[0]}
    elif kind == "LayerNorm" and len(shape) > 0:
        found = {"axis": -1, "size": shape[-1], "last_sizes": shape}
    elif kind in ("RNN", "LSTM", "GRU") and type(part.own.get("input_size")) is int:
        found = {"axis": -1, "size": part.own["input_size"], "ndim": [2, 3]}
    elif kind == "Embedding" and len(shape) == 2:
        return {"dtype": "int32 or int64", "below": shape[0]}
    if found is not None and held:
        found["dtype"] = str(held["weight"].dtype) if "weight" in held else str(next(iter(held.values())).dtype)
    return found


def _last_layer(found: list[Part]) -> dict[str, Any] | None:
    """Return the last Linear layer with the size of its output, and the activation behind it, if forward ends so."""
    ordered = _in_forward_order(found)
    if ordered is not None:
        # Something that is not followed may stand behind the layers whose order is certain.
        ordered = ordered if _is_followed_to_the_end(found) else None
    activation = None
    for part in reversed(ordered if ordered is not None else found):
        kind = _own_class(part.module)
        shape = parameter_shapes(part.own).get("weight", [])
        if kind == "Linear" and len(shape) == 2:
            return {
                "name": part.name,
                "type": safe.type_name(part.module),
                "units": shape[0],
                "activation": activation,
                "in_forward_order": ordered is not None,
            }
        if ordered is None:
            continue
        if kind not in _SHAPE_KEPT:
            return None
        activation = activation or (None if kind == "Identity" or kind.endswith("Dropout") else kind)
    return None


def _is_followed_to_the_end(found: list[Part]) -> bool:
    return len(found) < MOST_MODULES and all(_own_class(part.module) != "" for part in found)


# -- Keras ------------------------------------------------------------------------------------------------------------


def _keras_facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    found = list(_keras_parts(value, budget))
    listed = [_keras_layer(name, layer, budget) for name, layer in found[: budget.items]]
    inputs, outputs = keras_layers.model_shapes(value) if keras_layers.is_model(value) else ([], [])
    held = [each for _, layer in found[:MOST_MODULES] for each in keras_layers.variables(layer)]
    return {
        "style": keras_layers.style(value) if keras_layers.is_model(value) else None,
        "built": keras_layers.is_built(value),
        "input_shapes": inputs or None,
        "output_shapes": outputs or None,
        "n_parameters": len(held),
        "layers": listed,
        "looked_at": min(len(found), MOST_MODULES),
        "truncated": len(found) > len(listed)
        or any(len(keras_layers.variables(layer)) > budget.items for _, layer in found[: budget.items]),
    }


def _keras_parts(value: object, budget: safe.Budget) -> Iterator[tuple[str, object]]:
    """Walk the layers of a model depth first, itself first; those inside others as ``outer/inner``; each once."""
    waiting = [("", value)]
    seen: set[int] = set()
    while waiting and len(seen) <= MOST_MODULES:
        budget.check()
        name, layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield name, layer
        inner = [(keras_layers.name(each), each) for each in keras_layers.children(layer)]
        waiting.extend(reversed([("{}/{}".format(name, each) if name else each, child) for each, child in inner]))


def _keras_layer(name: str, layer: object, budget: safe.Budget) -> dict[str, Any]:
    """Describe one layer; what is not stored is left out."""
    held = keras_layers.variables(layer)[: budget.items]
    inputs, outputs = keras_layers.call_shapes(layer)
    found: dict[str, Any] = {
        "activation": keras_layers.activation(layer),
        "sizes": dict(list(keras_layers.sizes(layer).items())[: budget.items]),
        "input_shapes": inputs,
        "output_shapes": outputs,
        "input_spec": keras_layers.input_spec(layer),
    }
    record: dict[str, Any] = {
        "name": name,
        "type": safe.type_name(layer),
        "built": keras_layers.is_built(layer),
        "parameters": dict(_distinct([(label, shape) for label, shape, _ in held])),
    }
    if keras_layers.own(layer).get("_trainable") is False:
        record["trainable"] = False
    record.update((label, each) for label, each in found.items() if each)
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Number the second and further of equal names."""
    seen: list[str] = []
    found = []
    for name, value in pairs:
        seen.append(name)
        found.append((name if seen.count(name) == 1 else "{} {}".format(name, seen.count(name)), value))
    return found


FIELDS = {
    "training": Field(SCHEMA, "whether a network is in training mode"),
    "other_mode": Field(NAMES, "modules in another mode, training or evaluation, than the network they are in"),
    "patched": Field(SCHEMA, "whether hooks or a replaced method stand in the way"),
    "layers": Field(NAMES, "the layers of a network", records=True),
    "sizes": Field(SCHEMA, "numbers among a layer's settings"),
    "n_parameters": Field(SCHEMA, "number of parameter tensors"),
    "n_trainable": Field(SCHEMA, "number of parameter tensors that take part in autograd"),
    "devices": Field(SCHEMA, "devices of the parameters with counts"),
    "parameter_dtypes": Field(SCHEMA, "dtypes of the parameters with counts"),
    "first_layer": Field(NAMES, "the first layer that demands something of its input", records=True),
    "last_layer": Field(NAMES, "the layer that makes the output", records=True),
    "expects": Field(SCHEMA, "sizes, numbers of axes and dtype that a layer demands of its input"),
    "in_forward_order": Field(NAMES, "whether forward is certain to call it there; else by order of registration"),
    "units": Field(SCHEMA, "size of a layer's output along its last axis"),
    "activation": Field(SCHEMA, "name of an activation function"),
    "style": Field(NAMES, "how a model was made: sequential, functional, subclassed"),
    "built": Field(NAMES, "whether a layer's weights exist"),
    "trainable": Field(NAMES, "whether a layer is trained"),
    "input_shapes": Field(SCHEMA, "shapes of the inputs of a layer or model, null where a size varies"),
    "output_shapes": Field(SCHEMA, "shapes of the outputs of a layer or model, null where a size varies"),
    "input_spec": Field(SCHEMA, "what a Keras layer demands of its input"),
}
PROBES = {"layers": layers}
