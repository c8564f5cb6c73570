"""What brings data to training: data loaders, data sets, tf.data, generators."""

from __future__ import annotations

import types
from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from ..readers import data_sets, keras_layers, settings


def loader(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe a DataLoader, a torch data set, a tf.data.Dataset or a generator, without drawing anything from it."""
    value = paths.resolve(path, shell.user_ns)
    kind = type(value)
    answer: dict[str, Any] = {"path": path, "type": safe.type_name(value)}
    if safe.inherits(kind, safe.loaded("torch.utils.data.dataloader", "DataLoader")):
        return dict(answer, **torch_loader(value, budget))
    if safe.inherits(kind, safe.loaded("torch.utils.data.dataset", "Dataset")):
        return dict(answer, kind="torch data set", **data_sets.facts(value, budget))
    if safe.inherits(kind, safe.loaded("tensorflow.python.data.ops.dataset_ops", "DatasetV2")):
        return dict(answer, **data_sets.tf_facts(value, budget))
    if _is_keras_sequence(kind):
        own = safe.instance_dict(value) or {}
        # A data set of the user's own class keeps what it likes under these names.
        numbers = settings.numbers({name: each for name, each in own.items() if not name.startswith("_")})
        return dict(answer, kind="Keras sequence", sizes=numbers, **data_sets.stored(own, budget))
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


def torch_loader(value: object, budget: safe.Budget) -> dict[str, Any]:
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
    answer.update(data_sets.facts(dataset, budget))
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
        return data_sets.length(own.get("data_source"))
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "RandomSampler"):
        drawn = own.get("_num_samples")
        return data_sets.length(own.get("data_source")) if drawn is None else data_sets.whole(drawn)
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "SubsetRandomSampler"):
        return data_sets.content_length(own.get("indices"))
    if safe.is_exactly(sampler, "torch.utils.data.sampler", "WeightedRandomSampler"):
        return data_sets.whole(own.get("num_samples"))
    return None


def _collate(function: object) -> str | None:
    for name, word in (("default_collate", "default"), ("default_convert", "none")):
        if function is not None and function is safe.loaded("torch.utils.data._utils.collate", name):
            return word
    return keras_layers.called(function)


FIELDS = {
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
PROBES = {"loader": loader}
