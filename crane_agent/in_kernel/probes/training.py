"""What training is made of: compiled Keras models, their histories, optimizers, schedulers, losses, data loaders."""

from __future__ import annotations

import types
from typing import Any

from .. import blocks, keras_layers, paths, safe
from ..privacy import NAMES, SCHEMA, Field
from . import models

MOST_ITEMS = 1000
"""Elements of a list used as a data set that are compared, from its start."""

MOST_DATASETS = 20
"""Data sets inside one another that are followed."""

MAX_PARTS = 20
"""Parts of one element of a data set."""


# -- Compiled Keras models --------------------------------------------------------------------------------------------


def compiled(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say whether a Keras model is compiled, with which losses, metrics and optimizer, and what its outputs are.

    Sources: `Trainer.compile`, `keras/src/trainers/trainer.py` of 3.4 (``compiled``, ``_compile_loss``,
    ``_compile_metrics``), and `Model.compile`, `engine/training.py` of tf_keras 2.17 (``_is_compiled``,
    ``compiled_loss``, ``compiled_metrics``).
    """
    model = paths.resolve(path, shell.user_ns)
    if keras_layers.family(model) is None or not keras_layers.is_model(model):
        raise safe.Refused("could not look, because {} is a {}, not a Keras model".format(path, safe.type_name(model)))
    own = keras_layers.own(model)
    is_compiled = own.get("compiled", own.get("_is_compiled"))
    loss = _first(keras_layers.own(own.get("_compile_loss", own.get("compiled_loss"))), "_user_loss", "_user_losses")
    metrics = keras_layers.own(own.get("_compile_metrics", own.get("compiled_metrics")))
    metric_names = [
        each for place in ("_user_metrics", "_user_weighted_metrics") for each in _metric_names(metrics.get(place))
    ]
    optimizer = own.get("optimizer")
    return {
        "path": path,
        "type": safe.type_name(model),
        "compiled": is_compiled if type(is_compiled) is bool else None,
        "losses": _losses(loss)[: budget.items],
        "metrics": metric_names[: budget.items],
        "optimizer": None if optimizer is None else safe.type_name(optimizer),
        "learning_rate": None if optimizer is None else _learning_rate(keras_layers.own(optimizer)),
        "outputs": _outputs(model)[: budget.items],
        "truncated": max(len(_losses(loss)), len(metric_names), len(_outputs(model))) > budget.items,
    }


def _first(table: dict[str, Any], *names: str) -> Any:
    return next((table[name] for name in names if table.get(name) is not None), None)


def _losses(loss: Any) -> list[dict[str, Any]]:
    """Return one record for each loss, in order; of a dict with the name of the output it belongs to."""
    if loss is None:
        return []
    named = keras_layers.entries(loss)
    if named:
        return [dict(_loss(each), name=safe.text(name, 80)) for name, each in named.items()]
    listed = keras_layers.items(loss)
    return [_loss(each) for each in listed] if listed else [_loss(loss)]


def _loss(loss: object) -> dict[str, Any]:
    own = keras_layers.own(loss)
    arguments = keras_layers.entries(own.get("_fn_kwargs"))
    from_logits = own.get("from_logits", arguments.get("from_logits"))
    reduction = own.get("reduction")
    return {
        "name": None,
        "type": safe.type_name(loss),
        "loss": _library_word(loss, "losses") if type(loss) is str else keras_layers.called(loss),
        "from_logits": from_logits if type(from_logits) is bool else None,
        "reduction": reduction if type(reduction) is str and reduction in _REDUCTIONS else None,
    }


_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "none", "auto", "batchmean", "mean_with_sample_weight")


def _library_word(word: str, module: str) -> str | None:
    """Return a loss or metric given as text if it is one of Keras' own names, else None."""
    for package in ("keras.src", "tf_keras.src", "keras"):
        own = keras_layers.own(safe.loaded("{}.{}".format(package, module)))
        for names in (keras_layers.entries(own.get("ALL_OBJECTS_DICT")), own):
            if word in names and not word.startswith("_"):
                return word
    return word if word.lower() in ("accuracy", "acc", "crossentropy", "ce") else None


def _metric_names(metrics: Any) -> list[str]:
    """Return the names of metrics however they are nested: of a text if it is Keras' own, of a function, of a class."""
    found: list[str] = []
    waiting = [metrics]
    while waiting and len(found) < 1000:
        each = waiting.pop()
        inner = keras_layers.items(each) or list(keras_layers.entries(each).values())
        if inner:
            waiting.extend(reversed(inner))
        elif type(each) is str:
            found.append(_library_word(each, "metrics") or "str")
        elif each is not None and not safe.one_of(type(each), (list, tuple, dict)):
            found.append(keras_layers.called(each) or "")
    return found


def _learning_rate(own: dict[str, Any]) -> Any:
    """Return the learning rate if it is stored as a number, else the type of what holds it: reading that is work."""
    rate = own.get("_learning_rate", own.get("learning_rate"))
    return None if rate is None else safe.number(rate)


def _outputs(model: object, depth: int = 5) -> list[dict[str, Any]]:
    """Return the layers that make a model's outputs; [] if that is not stored."""
    own = keras_layers.own(model)
    inner = own.get("_functional")
    inside = keras_layers.own(inner) if keras_layers.family(inner) == 3 else own
    found = []
    for tensor in keras_layers.items(inside.get("_outputs", inside.get("outputs"))):
        history: Any = keras_layers.own(tensor).get("_keras_history")
        if safe.inherits(type(history), tuple) and tuple.__len__(history) > 0:
            layer = tuple.__getitem__(history, 0)
            found.append(_output(layer, keras_layers.tensor_shape(tensor), depth))
    if not found and keras_layers.style(model) == "sequential":
        last = keras_layers.children(model)[-1:]
        found = [_output(layer, None, depth) for layer in last]
    return found


def _output(layer: object, shape: Any, depth: int) -> dict[str, Any]:
    if depth > 0 and keras_layers.family(layer) is not None and keras_layers.is_model(layer):
        inner = _outputs(layer, depth - 1)
        if len(inner) == 1:
            return inner[0]
    own = keras_layers.own(layer)
    units = own.get("units") if shape is None else shape[-1] if shape else None
    activation = keras_layers.activation(layer)
    if keras_layers.is_own(layer) and safe.class_name(type(layer)) == "Softmax":
        activation = "softmax"
    return {
        "name": keras_layers.name(layer),
        "type": safe.type_name(layer),
        "units": units if type(units) is int else None,
        "activation": activation,
        "output_shapes": None if shape is None else [shape],
    }


def training_history(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say which metrics a Keras `History` has recorded, for how many epochs each."""
    value = paths.resolve(path, shell.user_ns)
    own = keras_layers.own(value)
    if keras_layers.family(value) is not None and "history" in own:
        value, own = own["history"], keras_layers.own(own["history"])
    places = ("keras.src.callbacks.history", "tf_keras.src.callbacks", "keras.src.callbacks", "keras.callbacks")
    if not any(safe.inherits(type(value), safe.loaded(place, "History")) for place in places):
        raise safe.Refused(
            "could not look, because {} is a {}, not what Keras' fit returns".format(path, safe.type_name(value))
        )
    epochs = own.get("epoch")
    recorded = keras_layers.entries(own.get("history"))
    return {
        "path": path,
        "type": safe.type_name(value),
        "recorded": {
            safe.text(name, 80): len(keras_layers.items(recorded[name])) for name in sorted(recorded)[: budget.items]
        },
        "n_epochs": len(epochs) if type(epochs) is list else None,
        "truncated": len(recorded) > budget.items,
    }


# -- Optimizers, schedulers, losses -----------------------------------------------------------------------------------


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
        own = keras_layers.own(value)
        answer.update(kind="Keras optimizer", learning_rate=_learning_rate(own), sizes=keras_layers.sizes(value))
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
        "groups": [{"n_parameters": len(held), "sizes": _numbers(group)} for group, held in groups[: budget.items]],
        "n_parameters": len(everything),
        "n_trainable": sum(each.requires_grad is True for each in known),
        "devices": models.counted([str(each.device) for each in known]),
        "truncated": len(groups) > budget.items,
    }


def _parameters_of(values: list[Any]) -> list[Any]:
    """Return those that are exactly tensors or parameters; the first of each type is asked for the others."""
    kinds: list[type] = []
    for each in values:
        if not safe.one_of(type(each), kinds) and _is_parameter(each):
            kinds.append(type(each))
    return [each for each in values if safe.one_of(type(each), kinds)]


def _is_parameter(value: object) -> bool:
    return keras_layers.is_exactly(value, "torch.nn.parameter", "Parameter") or keras_layers.is_exactly(
        value, "torch", "Tensor"
    )


def _numbers(table: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers, and tuples and lists of numbers, among settings."""
    found: dict[str, Any] = {}
    for name in sorted(table):
        value = table[name]
        if safe.one_of(type(value), (int, float, bool)):
            found[name] = safe.number(value)
        elif safe.one_of(type(value), (tuple, list)) and 0 < len(value) <= 10:
            listed = list(value)
            if all(safe.one_of(type(each), (int, float)) for each in listed):
                found[name] = [safe.number(each) for each in listed]
    return found


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
            name: each.requires_grad is True if _is_parameter(each) else None for name, each in left[: budget.items]
        },
        "n_foreign": len(held - set(mine)),
        "devices": models.counted([str(each.device) for _, each in mine.values() if _is_parameter(each)]),
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
        "sizes": _numbers({name: each for name, each in own.items() if not name.startswith("_")}),
    }


def _torch_loss(value: object, path: str) -> dict[str, Any]:
    if not safe.inherits(type(value), safe.loaded("torch.nn.modules.loss", "_Loss")):
        raise safe.Refused(
            "could not look, because {} is a {}, not a loss; layers tells of networks".format(
                path, safe.type_name(value)
            )
        )
    own = safe.instance_dict(value) or {}
    reduction = own.get("reduction")
    tensors = [pair for pair in models.entries(own.get("_buffers")) if _is_parameter(pair[1])]
    return {
        "kind": "torch loss",
        "reduction": reduction if type(reduction) is str and reduction in _REDUCTIONS else None,
        "buffers": {name: [int(size) for size in each.shape] for name, each in tensors},
        "devices": models.counted([str(each.device) for _, each in tensors]),
        "sizes": _numbers(
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


# -- Data -------------------------------------------------------------------------------------------------------------


def loader(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe a DataLoader, a torch data set, a tf.data.Dataset or a generator, without drawing anything from it."""
    value = paths.resolve(path, shell.user_ns)
    kind = type(value)
    answer: dict[str, Any] = {"path": path, "type": safe.type_name(value)}
    if safe.inherits(kind, safe.loaded("torch.utils.data.dataloader", "DataLoader")):
        return dict(answer, **_torch_loader(value, budget))
    if safe.inherits(kind, safe.loaded("torch.utils.data.dataset", "Dataset")):
        return dict(answer, kind="torch data set", **_dataset(value, budget))
    if safe.inherits(kind, safe.loaded("tensorflow.python.data.ops.dataset_ops", "DatasetV2")):
        return dict(answer, **_tf_dataset(value, budget))
    if _is_keras_sequence(kind):
        own = safe.instance_dict(value) or {}
        # A data set of the user's own class keeps what it likes under these names.
        numbers = _numbers({name: each for name, each in own.items() if not name.startswith("_")})
        return dict(answer, kind="Keras sequence", sizes=numbers, **_stored(own, budget))
    if kind is types.GeneratorType:
        return dict(answer, kind="generator")
    raise safe.Refused(
        "could not look, because {} is a {}, not a DataLoader, a data set or a generator".format(
            path, safe.type_name(value)
        )
    )


def _is_keras_sequence(kind: type) -> bool:
    places = (
        ("keras.src.trainers.data_adapters.py_dataset_adapter", "PyDataset"),
        ("tf_keras.src.utils.data_utils", "Sequence"),
        ("keras.src.utils.data_utils", "Sequence"),
        ("keras.utils.data_utils", "Sequence"),
    )
    return any(safe.inherits(kind, safe.loaded(module, name)) for module, name in places)


def _torch_loader(value: object, budget: safe.Budget) -> dict[str, Any]:
    """Describe a torch DataLoader. Source: `torch/utils/data/dataloader.py`, the same attributes from 1.7 to 2.13."""
    own = safe.instance_dict(value) or {}
    dataset, sampler = own.get("dataset"), own.get("sampler")
    size: Any
    size, drops = own.get("batch_size"), own.get("drop_last")
    count = _n_drawn(sampler)
    exact = safe.is_exactly(value, "torch.utils.data.dataloader", "DataLoader") and own.get("_dataset_kind") == 0
    answer = {
        "kind": "DataLoader",
        "batch_size": safe.number(size),
        "drop_last": safe.number(drops),
        "sampler": safe.type_name(sampler),
        "shuffles": _shuffles(sampler),
        "workers": safe.number(own.get("num_workers")),
        "collate": _collate(own.get("collate_fn")),
        "n_batches": None,
        "last_batch_size": None,
    }
    batches = own.get("batch_sampler")
    if exact and count is not None and batches is None and size is None:
        answer["n_batches"] = count
    elif exact and count is not None and _is_plain_batches(batches, sampler, size, drops):
        answer["n_batches"] = count // size if drops else -(-count // size)
        if answer["n_batches"] > 0:
            answer["last_batch_size"] = size if drops or count % size == 0 else count % size
    answer.update(_dataset(dataset, budget))
    return answer


def _is_plain_batches(batches: object, sampler: object, size: object, drops: object) -> bool:
    """Whether batches are made by torch's own BatchSampler, with the loader's own settings."""
    own = safe.instance_dict(batches) or {}
    return (
        safe.is_exactly(batches, "torch.utils.data.sampler", "BatchSampler")
        and own.get("sampler") is sampler
        and type(size) is int
        and size > 0
        and own.get("batch_size") is size
        and type(drops) is bool
        and own.get("drop_last") is drops
    )


def _shuffles(sampler: object) -> bool | None:
    """Whether a sampler draws at random; None if only its own code could tell."""
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "SequentialSampler"):
        return False
    names = ("RandomSampler", "SubsetRandomSampler", "WeightedRandomSampler")
    return True if any(safe.is_exactly(sampler, "torch.utils.data.sampler", name) for name in names) else None


def _n_drawn(sampler: object) -> int | None:
    """Return how many elements one of torch's own samplers draws; None if only code could tell."""
    own = safe.instance_dict(sampler) or {}
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "SequentialSampler"):
        return length(own.get("data_source"))
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "RandomSampler"):
        drawn = own.get("_num_samples")
        return length(own.get("data_source")) if drawn is None else _whole(drawn)
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "SubsetRandomSampler"):
        return _content_length(own.get("indices"))
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "WeightedRandomSampler"):
        return _whole(own.get("num_samples"))
    return None


def _whole(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


def _collate(function: object) -> str | None:
    for name, word in (("default_collate", "default"), ("default_convert", "none")):
        if function is not None and function is safe.loaded("torch.utils.data._utils.collate", name):
            return word
    return keras_layers.called(function)


def _dataset(dataset: object, budget: safe.Budget) -> dict[str, Any]:
    found, alike = _item(dataset, budget)
    answer = {
        "dataset": safe.type_name(dataset),
        "dataset_length": length(dataset),
        "item": None if found is None else found[:MAX_PARTS],
        "items_alike": alike,
    }
    is_own = safe.is_from(type(dataset), "torch") or safe.one_of(type(dataset), safe.CONTAINERS)
    own = {} if is_own else safe.instance_dict(dataset) or {}
    return dict(answer, **_stored(own, budget))


def _stored(own: dict[str, Any], budget: safe.Budget) -> dict[str, Any]:
    """List what of size an object keeps: arrays, tensors, tables, lists."""
    records = []
    for name in sorted(own):
        content = None if name.startswith("__") else _content(own[name])
        if content is not None:
            records.append(dict(content, name=safe.text(name, 80)))
    return {"stored": records[: budget.items], "truncated": len(records) > budget.items}


def _content(value: Any) -> dict[str, Any] | None:
    """Return type, and shape and dtype or length, of an array, tensor, table or container; None of anything else."""
    shape = _shape(value)
    if shape is not None:
        return {"type": safe.type_name(value), "shape": shape, "dtype": str(value.dtype)}
    count = _content_length(value)
    return None if count is None else {"type": safe.type_name(value), "length": count}


def _shape(value: Any) -> list[int] | None:
    """Return the shape of exactly an array or a tensor."""
    if not (_is_parameter(value) or keras_layers.is_exactly(value, "numpy", "ndarray")):
        return None
    try:
        return [int(size) for size in value.shape]
    except RuntimeError:  # a nested tensor has none
        return None


def _content_length(value: Any) -> int | None:
    """Return the length of an exact built-in container, array, tensor or table; None of anything else."""
    if safe.one_of(type(value), (*safe.CONTAINERS, range)):
        return len(value)
    shape = _shape(value)
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
    found = _content_length(dataset)
    if found is not None or depth == 0:
        return found
    own = safe.instance_dict(dataset) or {}
    if _is_torch(dataset, "TensorDataset"):
        tensors = own.get("tensors")
        return _content_length(tensors[0]) if type(tensors) is tuple and len(tensors) > 0 else None
    if _is_torch(dataset, "Subset"):
        return _content_length(own.get("indices"))
    if _is_torch(dataset, "ConcatDataset"):
        sizes = own.get("cumulative_sizes")
        return _whole(sizes[-1]) if type(sizes) is list and len(sizes) > 0 else None
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
        return _content_length(_known_attribute(dataset, code.co_names[1]))
    if _is_like(code, _Likeness.attribute):
        return _whole(_known_attribute(dataset, code.co_names[0]))
    if _is_like(code, _Likeness.rows) and code.co_names[1] == "shape":
        value = _known_attribute(dataset, code.co_names[0])
        found = _shape(value)
        if found is None and blocks.is_frame(value):
            return _content_length(value)
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
        tensors = own.get("tensors")
        contents = [_row(each) for each in tensors] if type(tensors) is tuple else [None]
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
    shape = _shape(value)
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


def _tf_dataset(value: object, budget: safe.Budget) -> dict[str, Any]:
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


FIELDS = {
    "compiled": Field(NAMES, "whether a model is compiled"),
    "losses": Field(NAMES, "the losses a model is compiled with", records=True),
    "loss": Field(SCHEMA, "name of a loss, if it is a function, a class or one of the library's own names"),
    "from_logits": Field(SCHEMA, "whether a loss takes outputs before their activation"),
    "reduction": Field(SCHEMA, "how a loss is reduced over a batch"),
    "metrics": Field(SCHEMA, "names of metrics, if they are functions, classes or the library's own names"),
    "optimizer": Field(NAMES, "class of an optimizer"),
    "learning_rate": Field(SCHEMA, "learning rate, or the type of what computes it"),
    "learning_rates": Field(SCHEMA, "learning rates a scheduler has set last"),
    "outputs": Field(NAMES, "the layers that make the outputs of a model", records=True),
    "recorded": Field(SCHEMA, "metrics recorded during training, with the number of values"),
    "n_epochs": Field(SCHEMA, "number of epochs trained"),
    "groups": Field(NAMES, "parameter groups of an optimizer", records=True),
    "against": Field(NAMES, "comparison of what an optimizer holds with a model", records=True),
    "n_not_held": Field(SCHEMA, "number of parameters of the model that the optimizer does not hold"),
    "not_held": Field(NAMES, "those parameters, and whether each takes part in autograd"),
    "n_foreign": Field(SCHEMA, "number of parameters that the optimizer holds and the model does not"),
    "last_epoch": Field(SCHEMA, "last epoch a scheduler counted"),
    "step_count": Field(SCHEMA, "steps a scheduler counted, the first at its making included"),
    "buffers": Field(SCHEMA, "shapes of the tensors of a loss, its weights by class"),
    "batch_size": Field(SCHEMA, "elements in a batch"),
    "drop_last": Field(SCHEMA, "whether an incomplete last batch is left out"),
    "sampler": Field(NAMES, "class of a sampler"),
    "shuffles": Field(NAMES, "whether elements are drawn at random"),
    "workers": Field(SCHEMA, "number of worker processes"),
    "collate": Field(SCHEMA, "the function that makes a batch: default, none, or its name"),
    "n_batches": Field(SCHEMA, "number of batches, where it is certain"),
    "last_batch_size": Field(SCHEMA, "elements in the last batch, where it is certain"),
    "dataset": Field(NAMES, "class of a data set"),
    "dataset_length": Field(SCHEMA, "length of a data set, where it is certain"),
    "item": Field(NAMES, "the parts of one element of a data set", records=True),
    "items_alike": Field(NAMES, "whether all elements have the same parts, null where that is not known"),
    "stored": Field(NAMES, "arrays, tensors, tables and lists among an object's attributes", records=True),
    "transformations": Field(NAMES, "classes of a chain of tf.data, the last first"),
}
PROBES = {"compiled": compiled, "training_history": training_history, "optimizer": optimizer, "loader": loader}
