"""What `layers` answers about networks; torch and Keras are the oracle."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from crane_agent.in_kernel import entry, safe, wire


def reply(value, question="layers", **arguments):
    shell = SimpleNamespace(user_ns={"it": value}, user_ns_hidden={}, execution_count=3)
    request = wire.dumps({"ask": question, "arguments": dict({"path": "it"}, **arguments)})
    text = entry.answer(request, shell)
    assert text == entry.answer(request, shell), "the same question has the same answer"
    return json.loads(text)


def answer(value, question="layers", **arguments):
    found = reply(value, question, **arguments)
    assert found["status"] == "ok", found
    return found["answer"]


# -- torch ------------------------------------------------------------------------------------------------------------

CHAINS = {
    "linear": (nn.Linear(5, 3), (7, 5)),
    "linear of any rank": (nn.Sequential(nn.ReLU(), nn.Dropout(), nn.Linear(5, 3)), (2, 3, 4, 5)),
    "flattened": (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), (2, 3, 2, 2)),
    "convolution": (
        nn.Sequential(nn.Conv2d(6, 4, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)),
        (1, 6, 3, 3),
    ),
    "convolution in 1 axis": (nn.Conv1d(3, 4, 2), (2, 3, 5)),
    "convolution in 3 axes": (nn.Conv3d(2, 4, 2), (1, 2, 3, 3, 3)),
    "transposed convolution": (nn.ConvTranspose2d(6, 4, 3), (1, 6, 3, 3)),
    "norm of a batch": (nn.BatchNorm1d(4), (3, 4)),
    "norm of a batch of images": (nn.BatchNorm2d(4), (3, 4, 2, 2)),
    "norm of groups": (nn.GroupNorm(2, 4), (3, 4, 2)),
    "norm of layers": (nn.LayerNorm((3, 4)), (2, 3, 4)),
    "recurrent": (nn.LSTM(5, 3, batch_first=True), (2, 7, 5)),
    "gated": (nn.Sequential(nn.Sequential(nn.GRU(5, 3))), (7, 5)),
}


def runs(net, shape, dtype=torch.float32):
    with torch.no_grad():
        try:
            net(torch.zeros(shape, dtype=dtype))
        except (RuntimeError, ValueError):
            return False
    return True


@pytest.mark.parametrize("name", CHAINS)
def test_what_the_first_layer_expects_is_what_torch_takes(name):
    net, shape = CHAINS[name]
    net.eval()
    first = answer(net)["first_layer"]
    assert first["in_forward_order"] is True
    expects = first["expects"]
    assert expects["dtype"] == "torch.float32"
    assert len(shape) in expects.get("ndim", [len(shape)])
    if "flattened_from_axis" in expects:
        assert torch.tensor(shape[1:]).prod() == expects["size"]
    else:
        assert shape[expects["axis"]] == expects["size"]
        other = list(shape)
        other[expects["axis"]] += 1
        assert not runs(net, other)
    assert runs(net, shape)
    assert not runs(net, shape, torch.float64)
    for rank in set(range(1, 7)) - set(expects.get("ndim", range(1, 7))):
        assert not runs(net, (shape[expects["axis"]],) * rank)


def test_an_embedding_expects_whole_numbers_below_its_size():
    net = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    assert answer(net)["first_layer"]["expects"] == {"dtype": "int32 or int64", "below": 10}
    assert runs_on(net, torch.tensor([9]))
    assert not runs_on(net, torch.tensor([10]))


def runs_on(net, value):
    try:
        net(value)
    except IndexError:
        return False
    return True


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.late = nn.Linear(8, 2)
        self.early = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.late(self.early(x).mean((2, 3)))


class Chain(nn.Sequential):
    def forward(self, x):
        return super().forward(x.flatten(1))


@pytest.mark.parametrize("net", [Net(), Chain(nn.Linear(4, 2)), nn.Sequential(nn.Identity(), Net())])
def test_order_is_not_claimed_where_forward_is_the_users(net):
    found = answer(net)
    for layer in (found["first_layer"], found["last_layer"]):
        assert layer is None or layer["in_forward_order"] is False


def hooked():
    net = nn.Sequential(nn.Linear(4, 2))
    net[0].register_forward_pre_hook(lambda module, args: args)
    return net


def replaced():
    net = nn.Sequential(nn.Linear(4, 2))
    net.forward = lambda x: x
    return net


@pytest.mark.parametrize("make", [hooked, replaced])
def test_order_is_not_claimed_where_something_stands_in_the_way(make):
    assert answer(make())["first_layer"]["in_forward_order"] is False


def test_order_is_not_claimed_where_every_module_is_hooked():
    handle = nn.modules.module.register_module_forward_pre_hook(lambda module, args: args)
    try:
        assert answer(nn.Sequential(nn.Linear(4, 2)))["first_layer"]["in_forward_order"] is False
    finally:
        handle.remove()


def test_weights_tell_not_the_attributes_beside_them():
    net = nn.Linear(4, 2)
    net.in_features = 7
    assert answer(net)["first_layer"]["expects"]["size"] == 4


def test_a_lazy_layer_expects_nothing_yet():
    found = answer(nn.Sequential(nn.LazyLinear(3)))
    assert (found["first_layer"], found["n_parameters"]) == (None, 0)


def test_the_last_layer_is_told_with_the_activation_behind_it():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.Dropout(), nn.Softmax(dim=1))
    last = answer(net)["last_layer"]
    assert (last["name"], last["units"], last["activation"], last["in_forward_order"]) == ("2", 2, "Softmax", True)
    assert answer(nn.Sequential(nn.Linear(4, 6), nn.Unflatten(1, (2, 3))))["last_layer"] is None


def test_counts_devices_and_modes_are_those_of_torch():
    net = Net()
    net.early.eval()
    net.early.bias.requires_grad = False
    net.late.double()
    net.also = net.late
    found = answer(net)
    held = list(net.parameters())
    assert found["n_parameters"] == len(held)
    assert found["n_trainable"] == sum(each.requires_grad for each in held)
    assert found["devices"] == {"cpu": len(held)}
    assert found["parameter_dtypes"] == {"torch.float32": 2, "torch.float64": 2}
    assert (found["training"], found["other_mode"]) == (True, ["early"])


def test_a_network_of_thousands_of_layers_is_looked_at_in_part():
    found = answer(nn.Sequential(*[nn.ReLU() for _ in range(1500)]))
    assert (found["looked_at"], found["truncated"]) == (1000, True)


# -- Keras ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    return pytest.importorskip(request.param, reason=f"{request.param} is not installed")


def shapes(weights):
    return sorted(tuple(each.shape) for each in weights)


def held(found):
    return sorted(tuple(shape) for each in found["layers"] for shape in each["parameters"].values())


def sequential(keras):
    layers = keras.layers
    return keras.Sequential([layers.Input((6, 4)), layers.LSTM(3), layers.Dropout(0.1), layers.Dense(2, "softmax")])


def functional(keras):
    layers = keras.layers
    whole = layers.Input((8, 8, 1))
    body = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Flatten()]
    )
    inner = body(whole)
    return keras.Model(whole, [layers.Dense(3, name="a")(inner), layers.Dense(1, "sigmoid", name="b")(inner)])


def subclassed(keras):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [keras.layers.Dense(3), keras.layers.Dense(2)]
            self.heads = {"a": keras.layers.Dense(1)}

        def call(self, x):
            return self.heads["a"](self.blocks[1](self.blocks[0](x)))

    model = Model()
    import numpy as np

    model(np.zeros((2, 4), "float32"))
    return model


@pytest.mark.parametrize("make", [sequential, functional, subclassed])
def test_layers_of_keras_have_the_weights_that_keras_tells(keras, make):
    model = make(keras)
    found = answer(model)
    assert held(found) == shapes(model.weights)
    assert (found["built"], found["style"]) == (True, make.__name__)
    names = {each["name"]: each for each in found["layers"]}
    for layer in model.layers:
        assert names[layer.name]["type"] == safe.type_name(layer)
        assert names[layer.name]["built"] is layer.built


@pytest.mark.parametrize("make", [sequential, functional])
def test_shapes_of_a_graph_are_those_keras_tells(keras, make):
    model = make(keras)
    found = answer(model)
    assert found["input_shapes"] == [list(each.shape) for each in model.inputs]
    assert found["output_shapes"] == [list(each.shape) for each in model.outputs]
    names = {each["name"]: each for each in found["layers"]}
    for layer in model.layers:
        output = layer.output[0] if isinstance(layer.output, list) else layer.output
        assert names[layer.name]["output_shapes"] == [list(output.shape)]


def test_what_a_layer_demands_of_its_input_is_told(keras):
    layers = {each["name"].rpartition("/")[2]: each for each in answer(functional(keras))["layers"]}
    assert layers["a"]["input_spec"] == {"min_ndim": 2, "axes": {"-1": 72}}
    assert layers["b"]["activation"] == "sigmoid"
    assert layers["a"]["sizes"]["units"] == 3


def test_an_unbuilt_model_has_layers_without_weights(keras):
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    found = answer(model)
    assert (found["built"], found["input_shapes"], held(found)) == (False, None, [])
    assert len(found["layers"]) == 3
    assert not model.built


def test_frozen_layers_are_told(keras):
    model = sequential(keras)
    model.layers[0].trainable = False
    layers = answer(model)["layers"]
    assert next(each["name"] for each in layers if each.get("trainable") is False) == model.layers[0].name


def test_a_model_with_a_call_of_its_own_is_subclassed(keras):
    class Own(keras.Sequential):
        def call(self, inputs, training=None, mask=None):
            return inputs

    assert answer(Own([keras.layers.Dense(2)]))["style"] == "subclassed"


@pytest.mark.parametrize("value", [3, nn.Linear, [nn.Linear(2, 2)], torch.zeros(3)])
def test_what_is_no_network_is_refused(value):
    assert "not a torch module or Keras layer" in reply(value)["reason"]
