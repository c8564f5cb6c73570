"""Optimizers, learning rate schedulers and torch's losses."""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from ..readers import keras_layers, settings, tensors
from . import models


def optimizer(shell: Any, budget: safe.Budget, path: str, model: str | None = None) -> dict[str, Any]:
    """Describe an optimizer, a learning rate scheduler or a torch loss; with `model`, what of it is not optimized."""
    value = paths.resolve(path, shell.user_ns)
    answer: dict[str, Any] = {"path": path, "type": safe.type_name(value)}
    kind = type(value)
    if safe.inherits(kind, safe.loaded("torch.optim.optimizer", "Optimizer")):
        answer.update(_torch_optimizer(value, budget))
        if model is not None:
            answer["against"] = _against(value, model, paths.resolve(model, shell.user_ns), budget)
        return answer
    if _is_scheduler(kind):
        answer.update(_scheduler(value))
    elif models.is_torch_module(value):
        answer.update(_torch_loss(value, path))
    elif _is_keras_optimizer(kind):
        rate = keras_layers.learning_rate(value)
        answer.update(kind="Keras optimizer", learning_rate=rate, sizes=keras_layers.sizes(value))
        answer["built"] = keras_layers.is_built(value)
    else:
        raise safe.Refused(
            "could not look, because {} is a {}, not an optimizer, scheduler or torch loss".format(
                path, safe.type_name(value)
            )
        )
    if model is not None:
        raise safe.Refused("could not look, because only a torch optimizer can be compared with a model")
    return answer


def _held(value: object) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return the parameter groups of a torch optimizer, each with its parameters."""
    groups = (safe.instance_dict(value) or {}).get("param_groups")
    found = []
    for group in list(groups) if type(groups) is list else []:
        if type(group) is dict and safe.only_texts(list(group)):
            held = group.get("params")
            found.append((group, list(held) if type(held) is list else []))
    return found


def _torch_optimizer(value: object, budget: safe.Budget) -> dict[str, Any]:
    groups = _held(value)
    everything = {id(each): each for _, held in groups for each in held}
    known = _parameters_of(list(everything.values()))
    return {
        "kind": "torch optimizer",
        "groups": [
            {"n_parameters": len(held), "sizes": settings.numbers(group)} for group, held in groups[: budget.items]
        ],
        "n_parameters": len(everything),
        "n_trainable": sum(each.requires_grad is True for each in known),
        "devices": models.counted([str(each.device) for each in known]),
        "truncated": len(groups) > budget.items,
    }


def _parameters_of(values: list[Any]) -> list[Any]:
    """Return those that are exactly tensors or parameters; the first of each type is asked for the others."""
    kinds: list[type] = []
    for each in values:
        if not safe.one_of(type(each), kinds) and tensors.is_tensor(each):
            kinds.append(type(each))
    return [each for each in values if safe.one_of(type(each), kinds)]


def _against(value: object, path: str, model: object, budget: safe.Budget) -> dict[str, Any]:
    """Compare by identity what an optimizer holds with the parameters of a torch module."""
    if not models.is_torch_module(model):
        raise safe.Refused("could not look, because {} is a {}, not a torch module".format(path, safe.type_name(model)))
    held = {id(each) for _, group in _held(value) for each in group}
    walked = list(models.parts(model, budget, models.MOST_MODULES + 1))
    if len(walked) > models.MOST_MODULES:
        raise safe.Refused("could not look, because {} has more than {} modules".format(path, models.MOST_MODULES))
    mine: dict[int, tuple[str, Any]] = {}
    for part in walked:
        for name, each in models.entries(part.own.get("_parameters")):
            if each is not None:
                mine.setdefault(id(each), ("{}.{}".format(part.name, name) if part.name else name, each))
    left = [pair for key, pair in mine.items() if key not in held]
    return {
        "path": path,
        "n_parameters": len(mine),
        "n_not_held": len(left),
        "not_held": {
            name: each.requires_grad is True if tensors.is_tensor(each) else None for name, each in left[: budget.items]
        },
        "n_foreign": len(held - set(mine)),
        "devices": models.counted([str(each.device) for _, each in mine.values() if tensors.is_tensor(each)]),
        "truncated": len(left) > budget.items,
    }


def _is_scheduler(kind: type) -> bool:
    names = ("LRScheduler", "_LRScheduler", "ReduceLROnPlateau")
    return any(safe.inherits(kind, safe.loaded("torch.optim.lr_scheduler", name)) for name in names)


def _scheduler(value: object) -> dict[str, Any]:
    own = safe.instance_dict(value) or {}
    rates = own.get("_last_lr")
    return {
        "kind": "scheduler",
        "optimizer": safe.type_name(own.get("optimizer")),
        "last_epoch": safe.number(own.get("last_epoch")),
        "step_count": safe.number(own.get("_step_count")),
        "learning_rates": [safe.number(each) for each in list(rates)] if type(rates) is list else None,
        "sizes": settings.numbers({name: each for name, each in own.items() if not name.startswith("_")}),
    }


def _torch_loss(value: object, path: str) -> dict[str, Any]:
    if not safe.inherits(type(value), safe.loaded("torch.nn.modules.loss", "_Loss")):
        raise safe.Refused(
            "could not look, because {} is a {}, not a loss; layers tells of networks".format(
                path, safe.type_name(value)
            )
        )
    own = safe.instance_dict(value) or {}
    buffers = [pair for pair in models.entries(own.get("_buffers")) if tensors.is_tensor(pair[1])]
    return {
        "kind": "torch loss",
        "reduction": settings.reduction(own),
        "buffers": {name: tensors.shape(each) for name, each in buffers},
        "devices": models.counted([str(each.device) for _, each in buffers]),
        "sizes": settings.numbers(
            {name: each for name, each in own.items() if not name.startswith("_") and name != "training"}
        ),
    }


def _is_keras_optimizer(kind: type) -> bool:
    places = (
        ("keras.src.optimizers.base_optimizer", "BaseOptimizer"),
        ("tf_keras.src.optimizers.optimizer", "_BaseOptimizer"),
        ("keras.src.optimizers.optimizer", "_BaseOptimizer"),
        ("keras.optimizers.optimizer_experimental.optimizer", "_BaseOptimizer"),
        ("tf_keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2"),
    )
    return any(safe.inherits(kind, safe.loaded(module, name)) for module, name in places)


FIELDS = {
    "learning_rates": Field(SCHEMA, "learning rates a scheduler has set last"),
    "groups": Field(NAMES, "parameter groups of an optimizer", records=True),
    "against": Field(NAMES, "comparison of what an optimizer holds with a model", records=True),
    "n_not_held": Field(SCHEMA, "number of parameters of the model that the optimizer does not hold"),
    "not_held": Field(NAMES, "those parameters, and whether each takes part in autograd"),
    "n_foreign": Field(SCHEMA, "number of parameters that the optimizer holds and the model does not"),
    "last_epoch": Field(SCHEMA, "last epoch a scheduler counted"),
    "step_count": Field(SCHEMA, "steps a scheduler counted, the first at its making included"),
    "buffers": Field(SCHEMA, "shapes of the tensors of a loss, its weights by class"),
}
PROBES = {"optimizer": optimizer}
