"""What is answered about optimizers, losses, data loaders and compiled models; torch, TensorFlow and Keras decide."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from crane_agent.in_kernel import entry, safe, wire


def reply(question, value, *, level="schema", names=None, **arguments):
    shell = SimpleNamespace(user_ns=dict({"it": value}, **(names or {})), user_ns_hidden={}, execution_count=3)
    request = {"ask": question, "arguments": dict({"path": "it"}, **arguments), "privacy": level}
    text = entry.answer(wire.dumps(request), shell)
    assert text == entry.answer(wire.dumps(request), shell), "the same question has the same answer"
    return json.loads(text)


def answer(question, value, **rest):
    found = reply(question, value, **rest)
    assert found["status"] == "ok", found
    return found["answer"]


# -- Optimizers, schedulers, losses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.RMSprop, torch.optim.AdamW])
def test_groups_of_an_optimizer_are_those_of_torch(kind):
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    net[0].bias.requires_grad = False
    made = kind([{"params": net[0].parameters(), "lr": 0.5}, {"params": [net[1].weight]}], lr=0.1)
    found = answer("optimizer", made)
    assert [each["sizes"]["lr"] for each in found["groups"]] == [0.5, 0.1]
    assert [each["n_parameters"] for each in found["groups"]] == [2, 1]
    assert (found["n_parameters"], found["n_trainable"], found["devices"]) == (3, 2, {"cpu": 3})


def test_parameters_that_an_optimizer_does_not_hold_are_named():
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    net[1].bias.requires_grad = False
    other = nn.Linear(2, 2)
    made = torch.optim.SGD([net[0].weight, net[0].bias, other.weight], lr=0.1)
    found = answer("optimizer", made, names={"net": net}, model="net")["against"]
    assert found["not_held"] == {"1.weight": True, "1.bias": False}
    assert (found["n_parameters"], found["n_not_held"], found["n_foreign"]) == (4, 2, 1)


def test_an_optimizer_of_a_network_that_was_made_anew_holds_nothing_of_it():
    net = nn.Linear(4, 3)
    made = torch.optim.Adam(net.parameters())
    found = answer("optimizer", made, names={"net": nn.Linear(4, 3)}, model="net")["against"]
    assert (found["n_not_held"], found["n_foreign"]) == (2, 2)


def test_a_shared_parameter_counts_once():
    net = nn.Module()
    net.a, net.b = nn.Linear(3, 3), nn.Linear(3, 3)
    net.b.weight = net.a.weight
    found = answer("optimizer", torch.optim.SGD(net.parameters(), lr=1), names={"net": net}, model="net")
    assert (found["n_parameters"], found["against"]["n_parameters"], found["against"]["n_not_held"]) == (3, 3, 0)


def test_a_scheduler_tells_how_far_it_is():
    made = torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(made, step_size=2, gamma=0.5)
    for _ in range(2):
        made.step()
        scheduler.step()
    found = answer("optimizer", scheduler)
    assert found["learning_rates"] == scheduler.get_last_lr()
    assert (found["last_epoch"], found["optimizer"]) == (scheduler.last_epoch, "torch.optim.sgd.SGD")
    assert found["sizes"]["step_size"] == 2


def test_a_scheduler_that_waits_for_a_metric_is_known():
    made = torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=0.1)
    found = answer("optimizer", torch.optim.lr_scheduler.ReduceLROnPlateau(made, patience=4))
    assert (found["kind"], found["sizes"]["patience"]) == ("scheduler", 4)


def test_a_loss_tells_its_weights_and_reduction():
    found = answer("optimizer", nn.CrossEntropyLoss(weight=torch.ones(3), reduction="sum", ignore_index=5))
    assert (found["buffers"], found["reduction"], found["sizes"]["ignore_index"]) == ({"weight": [3]}, "sum", 5)


@pytest.mark.parametrize("value", [nn.Linear(2, 2), 3, torch.optim.SGD, {"lr": 0.1}])
def test_what_is_no_optimizer_is_refused(value):
    assert reply("optimizer", value)["status"] == "refused"


# -- Data of torch ----------------------------------------------------------------------------------------------------

TENSORS = TensorDataset(torch.zeros(101, 3, 8), torch.zeros(101, dtype=torch.long))


class Own(Dataset):
    """A data set that must not be touched."""

    def __init__(self):
        self.x = torch.zeros(50, 4)
        self.n = 7
        self.table = pd.DataFrame({"a": [1, 2, 3]})

    def __getitem__(self, place):
        raise AssertionError("an element was drawn")


class OfLength(Own):
    def __len__(self):
        """How many."""
        return len(self.x)


class OfNumber(Own):
    def __len__(self):
        return self.n


class OfRows(Own):
    def __len__(self):
        return self.table.shape[0]


class Computed(Own):
    def __len__(self):
        return len(self.x) + 1


class OfColumns(Own):
    def __len__(self):
        return self.x.shape[1]


class Conditional(Own):
    def __len__(self):
        return len(self.x) if self.n else 0


class Behind(Own):
    @property
    def hidden(self):
        return [1, 2]

    def __len__(self):
        return len(self.hidden)


LENGTHS = {
    "tensors": (TENSORS, True),
    "part": (Subset(TENSORS, range(10)), True),
    "part by array": (Subset(Own(), np.arange(5)), True),
    "joined": (ConcatDataset([TENSORS, Subset(TENSORS, [1, 2])]), True),
    "list": ([1, 2, 3], True),
    "array": (np.zeros((4, 2)), True),
    "tensor": (torch.zeros(5, 2), True),
    "length of an attribute": (OfLength(), True),
    "number": (OfNumber(), True),
    "rows": (OfRows(), True),
    "computed": (Computed(), False),
    "columns": (OfColumns(), False),
    "conditional": (Conditional(), False),
    "behind a property": (Behind(), False),
    "part of unknown": (Subset(Computed(), [0]), True),
}
SETTINGS = [
    {"batch_size": 4},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 4, "drop_last": True},
    {"batch_size": None},
    {"batch_size": 1000},
]


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("settings", SETTINGS)
def test_lengths_are_those_that_python_would_tell(name, settings):
    dataset, certain = LENGTHS[name]
    loader = DataLoader(dataset, **settings)
    found = answer("loader", loader)
    assert found["dataset_length"] == (len(dataset) if certain else None)
    assert found["n_batches"] == (len(loader) if certain else None)
    assert found["shuffles"] is settings.get("shuffle", False)


@pytest.mark.parametrize("count", [7, 8, 9])
@pytest.mark.parametrize("drop", [True, False])
def test_the_last_batch_has_the_size_it_will_have(count, drop):
    loader = DataLoader(TensorDataset(torch.zeros(count)), batch_size=4, drop_last=drop)
    sizes = [len(batch[0]) for batch in loader]
    found = answer("loader", loader)
    assert (found["n_batches"], found["last_batch_size"]) == (len(sizes), sizes[-1])


@pytest.mark.parametrize(
    "sampler",
    [
        RandomSampler(TENSORS, replacement=True, num_samples=30),
        SequentialSampler(range(20)),
        SubsetRandomSampler([1, 2, 3]),
        WeightedRandomSampler([0.5] * 101, 12),
    ],
)
def test_samplers_of_torch_tell_how_many_are_drawn(sampler):
    loader = DataLoader(TENSORS, batch_size=5, sampler=sampler)
    assert answer("loader", loader)["n_batches"] == len(loader)


def test_batches_of_a_sampler_or_loader_of_ones_own_are_not_counted():
    class Sampler(BatchSampler):
        def __len__(self):
            return 3

    class Loader(DataLoader):
        def __len__(self):
            return 4

    sampled = DataLoader(TENSORS, batch_sampler=Sampler(SequentialSampler(TENSORS), 4, False))
    assert answer("loader", sampled)["n_batches"] is None
    assert answer("loader", Loader(TENSORS))["n_batches"] is None


def test_a_stream_has_no_length():
    class Stream(IterableDataset):
        def __iter__(self):
            raise AssertionError("it was drawn from")

    found = answer("loader", DataLoader(Stream(), batch_size=4))
    assert (found["n_batches"], found["dataset_length"], found["item"]) == (None, None, None)


@pytest.mark.parametrize(
    "dataset",
    [
        TENSORS,
        Subset(TENSORS, [5]),
        ConcatDataset([TENSORS, TENSORS]),
        [(torch.zeros(3), 1, "a")] * 4,
        [torch.zeros(2, 2)],
        np.zeros((4, 5)),
        torch.zeros(3, 2),
    ],
)
def test_the_parts_of_an_element_are_those_of_the_first_one(dataset):
    first = dataset[0]
    parts = first if isinstance(first, tuple) else (first,)
    found = answer("loader", DataLoader(dataset))
    assert found["items_alike"] is True
    assert [each["type"] for each in found["item"]] == [safe.type_name(each) for each in parts]
    assert [each.get("shape") for each in found["item"]] == [
        list(each.shape) if hasattr(each, "shape") else None for each in parts
    ]


def test_elements_that_cannot_be_stacked_are_seen():
    found = answer("loader", DataLoader([torch.zeros(3), torch.zeros(4)], batch_size=2))
    assert found["items_alike"] is False
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        next(iter(DataLoader([torch.zeros(3), torch.zeros(4)], batch_size=2)))


def test_the_rest_of_a_long_list_is_not_known():
    assert answer("loader", DataLoader([torch.zeros(3)] * 2000))["items_alike"] is None


def test_what_a_data_set_keeps_is_listed():
    stored = {each["name"]: each for each in answer("loader", OfLength())["stored"]}
    assert stored["x"] == {"name": "x", "type": "torch.Tensor", "shape": [50, 4], "dtype": "torch.float32"}
    assert stored["table"]["length"] == 3


def test_how_batches_are_made_is_told():
    def gather(batch):
        return batch

    assert answer("loader", DataLoader(TENSORS))["collate"] == "default"
    assert answer("loader", DataLoader(TENSORS, collate_fn=gather))["collate"] == "gather"


def test_a_loader_moves_neither_the_random_state_nor_itself():
    loader = DataLoader(TENSORS, shuffle=True)
    before = torch.get_rng_state()
    answer("loader", loader)
    assert torch.equal(before, torch.get_rng_state())


def test_a_generator_is_not_advanced():
    numbers = (each for each in [1, 2])
    assert answer("loader", numbers)["kind"] == "generator"
    assert next(numbers) == 1


@pytest.mark.parametrize("value", [[1, 2], 3, np.zeros(3), DataLoader])
def test_what_is_no_loader_is_refused(value):
    assert reply("loader", value)["status"] == "refused"


# -- tf.data ----------------------------------------------------------------------------------------------------------


def sliced(tf):
    return tf.data.Dataset.from_tensor_slices((np.zeros((10, 3), "float32"), np.zeros(10, "int64")))


CHAINS = [
    sliced,
    lambda tf: sliced(tf).shuffle(4).batch(4).prefetch(1).repeat(2),
    lambda tf: sliced(tf).batch(4, drop_remainder=True).cache().take(3),
    lambda tf: sliced(tf).map(lambda x, y: ({"a": x * 2, "b": x[:1]}, y)).batch(2),
    lambda tf: sliced(tf).map(lambda x, y: x, num_parallel_calls=2).filter(lambda x: True),
    lambda tf: tf.data.Dataset.zip((tf.data.Dataset.range(3), sliced(tf))),
    lambda tf: sliced(tf).concatenate(sliced(tf)).enumerate(),
    lambda tf: tf.data.Dataset.from_tensors({"x": [1.0], "y": 2}),
    lambda tf: sliced(tf).padded_batch(2),
]


@pytest.mark.parametrize("make", CHAINS)
def test_specifications_of_a_tf_dataset_are_those_tensorflow_tells(make):
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    dataset = make(tf)
    found = answer("loader", dataset)["item"]
    wanted = tf.nest.flatten(dataset.element_spec)
    if found is not None:
        assert [(each["shape"], each["dtype"]) for each in found] == [
            (each.shape.as_list(), each.dtype.name) for each in wanted
        ]
    else:
        assert type(dataset).__name__ == "_ZipDataset"


# -- Compiled models --------------------------------------------------------------------------------------------------


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    return pytest.importorskip(request.param, reason=f"{request.param} is not installed")


def classifier(keras, activation="softmax"):
    layers = keras.layers
    return keras.Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, activation)])


def test_a_model_that_is_not_compiled_says_so(keras):
    found = answer("compiled", classifier(keras))
    assert (found["compiled"], found["losses"], found["metrics"], found["optimizer"]) == (False, [], [], None)
    assert found["outputs"][0]["units"] == 3


def test_losses_and_metrics_by_name_object_and_function_are_told(keras):
    model = classifier(keras, None)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum")

    def close(y_true, y_pred):
        return y_true

    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, metrics=["accuracy", keras.metrics.AUC(), close])
    found = answer("compiled", model)
    assert found["compiled"] is True
    assert (found["losses"][0]["from_logits"], found["losses"][0]["reduction"]) == (True, "sum")
    assert found["losses"][0]["type"] == safe.type_name(loss)
    assert found["metrics"] == ["accuracy", safe.type_name(keras.metrics.AUC()), "close"]
    assert found["optimizer"] == safe.type_name(model.optimizer)
    assert found["outputs"][0]["activation"] == "linear"


def test_losses_of_several_outputs_have_their_names(keras):
    layers = keras.layers
    whole = layers.Input((4,))
    heads = [layers.Dense(3, "softmax", name="a")(whole), layers.Dense(1, "sigmoid", name="b")(whole)]
    model = keras.Model(whole, heads)
    model.compile(loss={"a": "sparse_categorical_crossentropy", "b": "binary_crossentropy"})
    found = answer("compiled", model)
    assert [(each["name"], each["loss"]) for each in found["losses"]] == [
        ("a", "sparse_categorical_crossentropy"),
        ("b", "binary_crossentropy"),
    ]
    assert [(each["name"], each["units"], each["activation"]) for each in found["outputs"]] == [
        ("a", 3, "softmax"),
        ("b", 1, "sigmoid"),
    ]


def test_an_activation_of_its_own_is_that_of_the_output(keras):
    model = classifier(keras, None)
    model.add(keras.layers.Softmax())
    assert answer("compiled", model)["outputs"][0]["activation"] == "softmax"


def test_a_text_that_is_not_the_librarys_own_does_not_leave(keras):
    model = classifier(keras)
    model.compile(loss="secret loss", metrics=["secret metric"])
    found = reply("compiled", model, level="values")
    assert found["answer"]["losses"][0]["loss"] is None
    assert "secret" not in json.dumps(found)


def test_a_history_tells_its_metrics(keras):
    model = classifier(keras)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(np.zeros((8, 4)), np.zeros(8), epochs=2, validation_split=0.5, verbose=0)
    for value in (history, model):
        found = answer("training_history", value)
        assert found["recorded"] == dict.fromkeys(sorted(history.history), 2)
        assert found["n_epochs"] == 2


def test_an_optimizer_of_keras_tells_its_numbers(keras):
    found = answer("optimizer", keras.optimizers.Adam(beta_1=0.5))
    assert (found["kind"], found["sizes"]["beta_1"]) == ("Keras optimizer", 0.5)


@pytest.mark.parametrize("question", ["compiled", "training_history"])
@pytest.mark.parametrize("value", [3, nn.Linear(2, 2), {"loss": [1.0]}])
def test_what_is_not_of_keras_is_refused(question, value):
    assert reply(question, value)["status"] == "refused"


# -- Nothing of the user's runs ---------------------------------------------------------------------------------------


class Traps:
    """Attributes that must not be asked for."""

    def __getattribute__(self, name):
        raise AssertionError(name)

    def __len__(self):
        raise AssertionError("len")

    def __iter__(self):
        raise AssertionError("iter")

    def __getitem__(self, place):
        raise AssertionError("item")

    def __eq__(self, other):
        raise AssertionError("eq")

    __hash__ = None


class Trapped(Traps, Dataset):
    pass


class TrappedLoader(Traps, DataLoader):
    pass


class TrappedOptimizer(Traps, torch.optim.SGD):
    pass


class TrappedNet(Traps, nn.Module):
    pass


class TrappedList(Traps, list):
    pass


class TrappedTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *args, **kwargs):
        raise AssertionError("torch function")


def bare(cls, **attributes):
    """Return an instance that nothing has initialized, with these attributes."""
    made = cls.__new__(cls)
    object.__getattribute__(made, "__dict__").update(attributes)
    return made


def hostile():
    group = {"params": [Traps(), torch.zeros(2).as_subclass(TrappedTensor)], "lr": 0.1, "betas": (Traps(), 1)}
    parts = {"a": bare(TrappedNet, _modules={"b": Traps()}, _parameters={"w": Traps()}), "c": nn.Linear(2, 2)}
    loader = DataLoader([1])
    loader.__dict__.update(dataset=Traps(), sampler=Traps(), batch_size=Traps(), collate_fn=Traps(), drop_last=Traps())
    return {
        "bare": Traps(),
        "data": bare(Trapped, x=TrappedList([1]), y=Traps()),
        "loader": bare(TrappedLoader, dataset=Traps(), batch_sampler=Traps(), sampler=Traps(), _dataset_kind=0),
        "changed loader": loader,
        "tensors": bare(TensorDataset, tensors=(Traps(), torch.zeros(2).as_subclass(TrappedTensor))),
        "no tensors": bare(TensorDataset, tensors=TrappedList()),
        "part": bare(Subset, dataset=Traps(), indices=TrappedList([1])),
        "joined": bare(ConcatDataset, datasets=TrappedList([1]), cumulative_sizes=[Traps()]),
        "nested": ConcatDataset([[Traps()], [(Traps(), 1)]]),
        "listed": DataLoader([{"a": Traps()}, Traps()]),
        "optimizer": bare(TrappedOptimizer, param_groups=[group, Traps(), {1: 2}]),
        "groups": bare(torch.optim.SGD, param_groups=TrappedList([group])),
        "network": bare(TrappedNet, _modules=dict(parts), _parameters={"w": Traps()}, training=Traps()),
        "chain": bare(nn.Sequential, _modules=dict(parts), _parameters={}, _forward_hooks=Traps()),
        "loss": bare(nn.CrossEntropyLoss, _buffers={"weight": Traps()}, reduction=Traps(), training=Traps()),
        "scheduler": bare(torch.optim.lr_scheduler.StepLR, optimizer=Traps(), _last_lr=[Traps()], last_epoch=Traps()),
    }


@pytest.mark.parametrize("question", ["layers", "optimizer", "loader", "compiled", "training_history", "estimator"])
@pytest.mark.parametrize("name", hostile())
def test_no_code_of_the_users_runs(question, name):
    ran = []

    def watch(frame, event, argument):
        if event == "call" and frame.f_code.co_filename == __file__:
            ran.append(frame.f_code.co_name)

    value = hostile()[name]
    shell = SimpleNamespace(user_ns={"it": value, "net": nn.Linear(2, 2)}, user_ns_hidden={}, execution_count=3)
    arguments = {"path": "it", "model": "net"} if question == "optimizer" and "optim" in name else {"path": "it"}
    request = wire.dumps({"ask": question, "arguments": arguments})
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        text = entry.answer(request, shell)
    finally:
        sys.setprofile(before)
    assert json.loads(text)["status"] in ("ok", "refused"), text
    assert ran == []
