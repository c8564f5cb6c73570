"""What is told of dicts, objects, classes, functions and of things that run; Python itself is the oracle."""

import abc
import collections
import dataclasses
import dis
import enum
import functools
import inspect
import io
import itertools
import math
import types
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.compilerop import CachingCompiler

from crane_agent.in_kernel import safe
from crane_agent.in_kernel.probes import PROBES


def ask(question, space, /, *, level="values", items=50, compiler=None, **arguments):
    shell = SimpleNamespace(user_ns=space, user_ns_hidden={}, execution_count=1, compile=compiler)
    return PROBES[question](shell, safe.Budget(5.0, items, level), **arguments)


def about(question, value, **more):
    return ask(question, {"it": value}, path="it", **more)


# -- Keys ---------------------------------------------------------------------------------------------------------------


class Filling(dict):
    def __missing__(self, key):
        raise AssertionError("a key was computed")


@pytest.mark.parametrize(
    ("table", "on_missing"),
    [
        ({}, "KeyError"),
        (collections.OrderedDict(), "KeyError"),
        (collections.defaultdict(list), "a new entry made by list"),
        (collections.defaultdict(lambda: 0), "a new entry made by a function"),
        (collections.defaultdict(None), "KeyError"),
        (collections.Counter(), "0, no new entry"),
        (Filling(), "computed by test_object_probes.Filling"),
    ],
)
def test_what_a_missing_key_does_is_told(table, on_missing):
    found = about("keys", table, names=["zz"])
    assert (found["on_missing"], found["missing"], len(table)) == (on_missing, ["zz"], 0)


KEYS = st.text(max_size=3) | st.integers() | st.none() | st.booleans() | st.floats() | st.tuples(st.integers())


@given(st.dictionaries(KEYS, st.none(), max_size=8), st.lists(st.text(max_size=3) | st.integers(), max_size=8))
def test_a_key_is_missing_where_python_says_so(table, names):
    found = about("keys", table, names=names)
    assert found["missing"] == [name for name in names if name not in table]
    assert found["key_types"] == dict(collections.Counter(type(key).__name__ for key in table))


def test_keys_close_to_a_missing_one_are_named():
    found = about("keys", {"train": 1, "test": 2, 3: 4}, names=["Train", "tset", "3", "train"])
    assert found["missing"] == ["Train", "tset", "3"]
    assert found["close"] == {"Train": ["train"], "tset": ["test"], "3": []}


def test_the_types_of_keys_are_found_also_among_a_million():
    table = dict.fromkeys(range(1_000_000))
    found = about("keys", table, names=[999_999, 1_000_000])
    assert (found["missing"], found["looked_at"], found["truncated"]) == ([1_000_000], 100_000, True)


def test_keys_that_compare_by_code_are_not_looked_up():
    class Key:
        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            raise AssertionError("a key was compared")

    assert about("keys", {Key(): 1})["key_types"] == {
        "test_object_probes.test_keys_that_compare_by_code_are_not_looked_up.<locals>.Key": 1
    }
    with pytest.raises(safe.Refused, match="not all plain"):
        about("keys", {Key(): 1}, names=["a"])


@pytest.mark.parametrize("value", [[1], "a", MagicMock(spec=dict), collections.UserDict(), types.MappingProxyType({})])
def test_what_is_no_dict_is_refused(value):
    with pytest.raises(safe.Refused, match="not a dict"):
        about("keys", value)


# -- Attributes -----------------------------------------------------------------------------------------------------------


class Base:
    shared = 1

    def fit(self):
        return self

    @staticmethod
    def scale(x):
        return x

    @classmethod
    def load(cls):
        return cls()

    @property
    def loss(self):
        raise AssertionError("a property was run")

    @functools.cached_property
    def size(self):
        raise AssertionError("a cached property was run")


class Model(Base):
    __slots__ = ("cache", "unset")

    def __init__(self):
        self.cache = {}

    def _private(self):
        return 1


class Trainer(Base):
    def __init__(self):
        self.model = None
        self.epochs = 3


def test_attributes_are_told_without_running_a_property():
    found = about("attributes", Trainer(), names=["epochs", "fit", "loss", "modle", "shared", "zz"])
    assert found["attributes"] == {"epochs": "int", "model": "NoneType"}
    assert (found["methods"], found["properties"], found["class_attributes"]) == (
        ["fit", "load", "scale"],
        ["loss", "size"],
        ["shared"],
    )
    assert found["present"] == {"epochs": "int", "fit": "method", "shared": "int"}
    assert (found["computed"], found["missing"]) == (["loss"], ["modle", "zz"])
    assert found["close"] == {"modle": ["model"], "zz": []}


def test_slots_are_attributes_once_they_are_set():
    found = about("attributes", Model(), names=["cache", "unset"])
    assert (found["attributes"], found["missing"]) == ({"cache": "dict"}, ["unset"])


def test_parts_of_a_network_are_attributes():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    net.register_buffer("seen", torch.zeros(1))
    found = about("attributes", net, names=["0", "seen", "training", "weight"])["present"]
    assert found == {"0": "torch.nn.modules.linear.Linear", "seen": "torch.Tensor", "training": "bool"}


@pytest.mark.parametrize(
    "value",
    [
        Trainer(),
        Model(),
        Base,
        [],
        {},
        math,
        np,
        np.zeros(1),
        pd.DataFrame({"a": [1]}),
        torch.ones(1),
        1,
        len,
        Trainer().fit,
    ],
)
def test_present_and_missing_are_what_python_finds(value):
    names = [name for name in dir(value) if name not in ("loss", "size")] + ["zz", "_zz", "shape_", "appendd"]
    for start in range(0, len(names), 40):
        part = names[start : start + 40]
        found = about("attributes", value, names=part)
        for name in found["missing"]:
            assert not hasattr(value, name)
        for name in found["present"]:
            assert hasattr(value, name)
        assert sorted([*found["present"], *found["missing"], *found["computed"]]) == sorted(part)


def test_an_object_that_computes_its_attributes_is_not_asked():
    found = about("attributes", MagicMock(), names=["anything"])
    assert (found["computed"], found["missing"]) == (["anything"], [])


# -- Classes ----------------------------------------------------------------------------------------------------------------


class Shape(abc.ABC):
    def __init__(self, sides, *, name="x"):
        self.sides = sides

    @abc.abstractmethod
    def area(self): ...

    @property
    @abc.abstractmethod
    def edge(self): ...


class Half(Shape):
    def area(self):
        return 1


class Square(Half):
    edge = 1


@pytest.mark.parametrize(
    "cls",
    [Base, Model, Shape, Half, Square, dict, collections.OrderedDict, pd.DataFrame, torch.nn.Linear, enum.Enum, type],
)
def test_a_class_is_described_as_python_has_it(cls):
    found = about("hierarchy", cls)
    assert found["mro"] == [safe.qualified_name(each) for each in cls.__mro__]
    assert found["metaclass"] == safe.qualified_name(type(cls))
    assert found["abstract"] == (sorted(cls.__abstractmethods__) if inspect.isabstract(cls) else [])
    assert found["is_class"] is True


def test_the_class_of_an_object_is_described():
    found = about("hierarchy", Square(4))
    assert (found["class"], found["is_class"], found["parameters"]) == (
        "test_object_probes.Square",
        False,
        ["sides", "*", "name=..."],
    )
    assert about("hierarchy", Half)["parameters"] is None
    assert about("hierarchy", Half)["defines"] == ["area"]
    assert about("hierarchy", Model)["slots"] == ["cache", "unset"]


def test_a_metaclass_is_not_asked():
    class Meta(type):
        def __getattribute__(cls, name):
            raise AssertionError("a metaclass was asked")

        def __hash__(cls):
            raise AssertionError("a class was hashed")

    found = about("hierarchy", Meta("Made", (), {"f": lambda self: 1}))
    assert (found["defines"], len(found["mro"])) == (["f"], 2)


# -- Functions ----------------------------------------------------------------------------------------------------------------

CELL = '''
import numpy as np
rate = 0.1

@staticmethod
def decorated(x):
    return x

def train(model, data, *, epochs=3):
    """Train.

    text = 'with a name'
    """
    def step(row):
        return model(row) * rate + missing_name + np.sum(
            row
        )
    for each in data:
        print([step(each) for _ in range(epochs)])
    return text_of(
        epochs,
    )

after = 1

class Net:
    size = 3

    def __init__(self, width):
        self.width = width

    def forward(self, x):
        self.seen = x
        return self.layer(x) + self.width + bias

    @property
    def half(self):
        return self.width / rate
    last = 4

def outer(n):
    def inner(x):
        return x + n
    return inner

inner = outer(1)
short = lambda x: x + rate
'''


@pytest.fixture
def notebook():
    compiler = CachingCompiler()
    name = compiler.cache(CELL, 7)
    space = {"__name__": "__main__"}
    exec(compile(CELL, name, "exec"), space)
    return space, compiler


def source_of(notebook, path, **more):
    space, compiler = notebook
    return ask("source", space, compiler=compiler, path=path, **more)


def test_the_source_of_a_function_of_a_cell_is_given(notebook):
    found = source_of(notebook, "train")
    assert found["source"] == CELL[CELL.index("def train") : CELL.index("\nafter")]
    assert (found["defined_in"], found["number"], found["at_line"]) == ("cell", 7, 9)
    assert found["globals"] == {
        "missing_name": "undefined",
        "np": "module",
        "print": "builtin_function_or_method",
        "range": "type",
        "rate": "float",
        "text_of": "undefined",
    }
    assert found["undefined"] == ["missing_name", "text_of"]


def test_the_source_of_a_class_is_given_with_what_it_reads_of_self(notebook):
    found = source_of(notebook, "Net")
    assert found["source"] == CELL[CELL.index("class Net") : CELL.index("\ndef outer")]
    assert (found["self_attributes"], found["undefined"]) == (["layer", "width"], ["bias"])


@pytest.mark.parametrize(
    ("path", "start", "free"),
    [("inner", "    def inner(x):\n        return x + n\n", ["n"]), ("short", "short = lambda x: x + rate\n", [])],
)
def test_functions_in_functions_and_lambdas_have_a_source(notebook, path, start, free):
    found = source_of(notebook, path)
    assert (found["source"], found["free"]) == (start, free)


def test_the_globals_of_a_function_are_those_that_are_missing_when_it_runs(notebook):
    space, _ = notebook
    for path in ("train", "short", "inner"):
        found = source_of(notebook, path)["globals"]
        codes = [space[path].__code__]
        names = set()
        while codes:
            code = codes.pop()
            codes.extend(each for each in code.co_consts if isinstance(each, types.CodeType))
            names |= {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
        assert set(found) == names


def test_what_no_cell_defined_has_no_source_here():
    found = about("source", inspect.getdoc)
    assert (found["source"], found["number"], found["defined_in"]) == (None, None, inspect.__file__)


def test_a_wrapped_function_is_the_one_inside(notebook):
    space, _ = notebook

    @functools.wraps(space["short"])
    def wrapper(*args):
        return None

    space["wrapped"] = wrapper
    assert source_of(notebook, "wrapped")["source"].startswith("short = ")


@pytest.mark.parametrize("value", [len, 3, functools.partial(len), np.add, dict])
def test_what_has_no_source_is_refused(value):
    with pytest.raises(safe.Refused, match="not a Python function"):
        about("source", value)


def test_keywords_that_are_not_taken_are_named_with_close_ones():
    def train(model, /, data, *, epochs=1, rate=2):
        return model

    found = about("signature", train, positional=1, keywords=["epoch", "data", "model", "rates"])
    assert (found["required"], found["unexpected"]) == (2, ["epoch", "model", "rates"])
    assert found["close"] == {"epoch": ["epochs"], "model": [], "rates": ["rate"]}
    assert "unexpected" not in about("signature", lambda **more: 1, keywords=["anything"])


# -- Things that run, or are read bit by bit --------------------------------------------------------------------------------


def numbers():
    yield 1
    yield 2


async def numbers_later():
    yield 1


def test_a_generator_is_not_advanced():
    states = {"GEN_CREATED": "not started", "GEN_SUSPENDED": "suspended", "GEN_CLOSED": "finished"}
    first = inspect.getsourcelines(numbers)[1]
    made = numbers()
    lines = []
    for _ in range(4):
        found = about("describe", made)
        assert (found["kind"], found["defined_as"]) == ("generator", "numbers")
        assert found["state"] == states[inspect.getgeneratorstate(made)]
        lines.append(found["at_line"])
        next(made, None)
    assert lines == [first, first + 1, first + 2, None]
    assert [*itertools.islice(numbers(), 5)] == [1, 2]


def test_a_generator_that_runs_says_so():
    def looking():
        yield about("describe", running[0])

    running = [looking()]
    assert next(running[0])["state"] == "running"


def test_coroutines_are_described():
    async def later():
        return 1

    made = later()
    assert about("describe", made) == {"path": "it", "type": "coroutine", "kind": "coroutine", "defined_as": "later"}
    made.close()
    assert about("describe", numbers_later())["kind"] == "async generator"


@pytest.mark.parametrize(
    "value", [iter([1]), zip([1]), enumerate([1]), map(len, []), reversed([1]), itertools.count(), iter({})]
)
def test_an_iterator_is_only_named(value):
    assert about("describe", value)["kind"] == "iterator"


def test_an_open_file_is_not_moved(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    with open(path) as file:
        fresh = about("describe", file)
        assert (fresh["mode"], fresh["closed"], fresh["position"], fresh["file_name"]) == ("r", False, 0, str(path))
        file.readline()
        assert about("describe", file)["position"] == 8  # all of it was read ahead
        assert file.readline() == "two\n"
    assert (about("describe", file)["closed"], about("describe", file)["position"]) == (True, None)
    with open(path, "rb") as file:
        assert (about("describe", file)["mode"], about("describe", file)["kind"]) == ("rb", "file")
    with open(path, "rb", buffering=0) as file:
        file.read(3)
        assert (about("describe", file)["position"], file.tell()) == (3, 3)
    file = open(path)  # noqa: SIM115 - it is taken apart
    buffer = file.detach()
    assert about("describe", file)["detached"] is True
    buffer.close()
    with open(path, "w") as file:
        file.write("not flushed")
        about("describe", file)
        assert path.read_text() == ""


def test_streams_in_memory_are_described():
    text, data = io.StringIO("abc"), io.BytesIO(b"abc")
    text.read(2)
    data.close()
    assert about("describe", text) == {
        "path": "it",
        "type": "_io.StringIO",
        "kind": "stream",
        "closed": False,
        "position": 2,
    }
    assert about("describe", data)["closed"] is True


# -- Any value --------------------------------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2
    z: object = dataclasses.field(init=False)


Pair = collections.namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (3, {"kind": "scalar", "value": 3}),
        (None, {"kind": "scalar", "value": None}),
        pytest.param(10**6000, {"value": "int"}, id="long int"),
        ("abc", {"kind": "text", "length": 3, "value": "abc"}),
        (np.float32(1.5), {"kind": "scalar", "dtype": "float32", "value": 1.5}),
        (np.str_("ab"), {"kind": "scalar", "dtype": "<U2", "length": 2, "value": "ab"}),
        (np.datetime64("2024-01-01"), {"value": "2024-01-01"}),
        (np.bool_(True), {"value": True}),
        (pd.NaT, {"kind": "scalar", "is_missing": True}),
        (pd.NA, {"kind": "scalar", "is_missing": True}),
        (pd.Timestamp("2024"), {"kind": "scalar", "is_missing": False}),
        (range(0, 10, 3), {"kind": "range", "length": 4, "range": [0, 10, 3]}),
        (range(10**30), {"kind": "range", "length": None}),
        (slice(1, None), {"kind": "slice", "range": [1, None, None]}),
        (collections.deque([1], 5), {"kind": "sequence", "length": 1, "most": 5}),
        (Pair(1, "a"), {"kind": "named tuple", "fields": {"left": "int", "right": "str"}}),
        (Point(1), {"kind": "data class", "fields": {"x": "int", "y": "int", "z": None}}),
        (Colour, {"kind": "enumeration", "members": ["RED", "BLUE"]}),
        (Colour.RED, {"kind": "member of an enumeration", "member": "RED"}),
        (collections.Counter("aab"), {"kind": "dict", "length": 2, "keys": ["a", "b"]}),
        (Base, {"kind": "class", "named": "test_object_probes.Base"}),
        (np, {"kind": "module", "named": "numpy", "version": np.__version__, "origin": np.__file__}),
        (math, {"kind": "module", "named": "math", "version": None}),
        (len, {"kind": "callable"}),
    ],
)
def test_a_value_is_described_by_its_kind(value, facts):
    found = about("describe", value)
    assert {name: found[name] for name in facts} == facts


def test_names_are_counted():
    assert ask("names", {"alpha": 1, "beta": 2, "_x": 3}, like="alhpa") == {
        "name": "alhpa",
        "defined": False,
        "count": 2,
        "close_names": ["alpha"],
    }
