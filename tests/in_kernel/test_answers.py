"""What each probe answers about ordinary values; Python and the libraries themselves are the oracle."""

import abc
import collections
import dataclasses
import functools
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from crane_agent.in_kernel import entry, safe, wire
from crane_agent.in_kernel.likeness import close_to
from crane_agent.in_kernel.probes import PROBES


def reply_about(question, namespace, /, *, limits=None, **arguments):
    shell = SimpleNamespace(user_ns=namespace, user_ns_hidden={}, execution_count=3)
    request = {"ask": question, "arguments": arguments, "limits": limits or {}}
    text = entry.answer(wire.dumps(request), shell)
    assert len(text) <= (limits or {}).get("bytes", wire.DEFAULT_LIMITS["bytes"])
    assert text == entry.answer(wire.dumps(request), shell), "the same question has the same answer"
    return json.loads(text)


def answer(question, value, path="it", **arguments):
    reply = reply_about(question, {"it": value}, path=path, **arguments)
    assert reply["status"] == "ok", reply
    return reply["answer"]


def refusal(question, value, path="it", **arguments):
    reply = reply_about(question, {"it": value}, path=path, **arguments)
    assert reply["status"] == "refused", reply
    return reply["reason"]


# -- Names and paths --------------------------------------------------------------------------------------------------


def test_names_are_listed_with_their_types():
    found = reply_about("names", {"df": pd.DataFrame(), "x": 1, "_hidden": 2})["answer"]
    assert found == {"names": {"df": "pandas.DataFrame", "x": "int"}, "count": 2, "truncated": False}


@pytest.mark.parametrize(
    ("like", "defined", "close"),
    [
        ("X_trian", False, ["X_train"]),
        ("X_train", True, []),
        ("prnt", False, []),
        ("print", True, []),
        ("zzz", False, []),
    ],
)
def test_a_name_is_defined_or_close_to_another(like, defined, close):
    found = reply_about("names", {"X_train": 1, "y": 2}, like=like)["answer"]
    assert found == {"name": like, "defined": defined, "count": 2, "close_names": close}


class Config:
    def __init__(self):
        self.x = [torch.zeros(2, 3), {"deep": (1, "a")}]
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 4))

    @property
    def computed(self):
        raise AssertionError("a property was run")


CFG = {"train": Config(), 3: "three", "frame": pd.DataFrame({"price": [1.0], "n": [2]})}


@pytest.mark.parametrize(
    ("path", "type_name"),
    [
        ("it", "dict"),
        ("it['train']", "test_answers.Config"),
        ('it["train"].x', "list"),
        ("it['train'].x[0]", "torch.Tensor"),
        ("it['train'].x[-1]['deep'][1]", "str"),
        ("it[3]", "str"),
        ("it['frame']['price']", "pandas.Series"),
        ("it['frame'].n", "pandas.Series"),
        ("it['train'].net.training", "bool"),
        (" it [ 3 ] ".replace(" [", "["), "str"),
    ],
)
def test_a_path_leads_to_what_python_finds(path, type_name):
    expected = eval(path.strip(), {"it": CFG})
    found = answer("describe", CFG, path)
    assert found["type"] == type_name == safe.type_name(expected)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", "the name 'nothing' is not defined"),
        ("it['tran']", "it has no key 'tran'"),
        ("it['train'].y", "it['train'] (test_answers.Config) has no attribute 'y'"),
        ("it['train'].computed", "Config.computed is computed by code (at it['train'].computed)"),
        ("it['train'].x[2]", "it['train'].x has 2 items and no item 2"),
        ("it['train'].x[0][0]", "items of it['train'].x[0] (torch.Tensor) are computed by code"),
        ("it['frame']['Price']", "it['frame'] has no single column 'Price'"),
        ("it.keys()", "of '()': a path has only .name, [0] and ['key']"),
        ("it[1:2]", "of '[1:2]': a path has only .name, [0] and ['key']"),
        ("1 + 1", "'1 + 1' is no path such as cfg['train'].x[0]"),
        ("it[" + "9" * 30 + "]", "of '[" + "9" * 30 + "]': a path has only .name, [0] and ['key']"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_and_why(path, reason):
    assert refusal("describe", CFG, path) == "could not look, because " + reason


def test_a_default_dict_is_not_filled():
    table = collections.defaultdict(list, a=[1])
    assert answer("describe", table, "it['a']")["length"] == 1
    assert "would compute one" in refusal("describe", table, "it['b']")
    assert list(table) == ["a"]


def test_items_and_fields_of_named_tuples_and_subclasses_are_found():
    point = collections.namedtuple("Point", "x y")({"a": 1}, [2])
    assert answer("describe", point, "it.x")["keys"] == ["a"]
    assert answer("describe", point, "it[1]")["kind"] == "sequence"
    assert answer("describe", collections.OrderedDict(a=1), "it['a']")["type"] == "int"


def test_a_key_among_a_million_is_found():
    assert answer("describe", {f"k{i}": i for i in range(1_000_000)}, "it['k77777']")["type"] == "int"


# -- Frames -----------------------------------------------------------------------------------------------------------

FRAMES = {
    "mixed": pd.DataFrame(
        {"price": [1.5], "city": ["Rome"], "n": [1], "ok": [True], "t": pd.to_datetime(["2024-01-01"])}
    ),
    "category": pd.DataFrame({"c": pd.Categorical(["x"]), "o": [[1]], "i": pd.array([1], dtype="Int64")}),
    "numbers": pd.DataFrame(np.zeros((2, 3), dtype="float32")),
    "levels": pd.DataFrame([[1, 2.0]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "fractions": pd.DataFrame([[1, 2]], columns=[0.5, 1.5]),
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int8")}),
    "sliced": pd.DataFrame({"a": range(9), "b": 1.5, "c": range(9)})[["c", "a"]].iloc[2:5],
    "added": pd.DataFrame({"a": [1]}).assign(b="x", c=2.5).drop(columns="a"),
    "doubled": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_described_as_pandas_does(name):
    frame = FRAMES[name]
    found = answer("columns", frame)
    assert found["shape"] == list(frame.shape)
    assert [dtype for _, dtype in found["columns"]] == [str(each) for each in frame.dtypes]
    assert [str(label) for label, _ in found["columns"]] == [str(label) for label in frame.columns]
    assert found["index"] == type(frame.index).__name__
    assert found["truncated"] is False
    assert {**answer("describe", frame), "type": "pandas.DataFrame"} == {**found, "type": "pandas.DataFrame"}


def test_missing_columns_are_named_with_what_is_close():
    found = answer("columns", FRAMES["mixed"], names=["Price", "city", "cty", "zzz", 3])
    assert found["missing"] == ["Price", "cty", "zzz", 3]
    assert found["close"] == {"Price": ["price"], "cty": ["city"], "zzz": [], "3": []}


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_that_is_there_is_not_missing(name):
    labels = [label for label in FRAMES[name].columns if type(label) in (str, int)]
    assert answer("columns", FRAMES[name], names=labels)["missing"] == []


@pytest.mark.parametrize("name", ["mixed", "category", "numbers", "sliced", "added"])
def test_every_column_is_found_by_its_path(name):
    frame = FRAMES[name]
    for label in frame.columns:
        found = answer("describe", frame, f"it[{label!r}]")
        assert (found["kind"], found["dtype"], found["length"]) == ("series", str(frame[label].dtype), len(frame))


def test_dates_as_columns_are_not_told():
    frame = pd.DataFrame([[1]], columns=pd.to_datetime(["2024-01-01"]))
    assert answer("columns", frame)["columns"] is None
    assert "no plain values" in refusal("columns", frame, names=["a"])


def test_a_frame_of_a_class_of_its_own_is_refused():
    frame = type("Frame", (pd.DataFrame,), {})({"a": [1]})
    assert refusal("columns", frame).endswith("is a test_answers.Frame, not exactly a pandas DataFrame")


# -- Signatures ---------------------------------------------------------------------------------------------------------


def plain(a, b=1, *, c):
    return a, b, c


def only(a, /, b, *args, c=2, **more):
    return a


@functools.wraps(plain)
def wrapper(*args, **kwargs):
    return plain(*args, **kwargs)


class Model:
    def __init__(self, size, *, depth=1):
        self.size = size

    def fit(self, x, y=None):
        return self

    @classmethod
    def load(cls, path):
        return cls(1)

    @staticmethod
    def scale(x, by):
        return x


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2


class Shape(abc.ABC):
    def __init__(self, sides):
        self.sides = sides

    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    def area(self):
        return 1


CALLABLES = {
    "plain": (plain, None),
    "only": (only, None),
    "lambda": (lambda x, y: x, None),
    "none": (lambda: 1, None),
    "defaults": (lambda x=1, y=2: x, None),
    "class": (Model, None),
    "data class": (Point, None),
    "of an abstract class": (Square, None),
    "method": (Model(1), "fit"),
    "class method": (Model, "load"),
    "static method": (Model(1), "scale"),
    "unbound": (Model, "fit"),
    "cells": ((lambda outer: lambda x, y=outer: (outer, x, y))(1), None),
    "generator": ((lambda x: (yield x)), None),
}
SHAPES = [(0, []), (1, []), (2, []), (3, []), (5, []), (1, ["c"]), (0, ["a", "c"]), (1, ["a", "c"]), (2, ["by", "zz"])]
SHAPES += [(0, ["x"]), (0, ["x", "y"]), (1, ["x"]), (1, ["depth"]), (0, ["size", "depht"]), (1, ["y"]), (2, ["b", "c"])]


@pytest.mark.parametrize("name", CALLABLES)
@pytest.mark.parametrize(("positional", "keywords"), SHAPES)
def test_a_call_binds_as_python_binds_it_with_the_same_message(name, positional, keywords):
    value, attribute = CALLABLES[name]
    called = value if attribute is None else getattr(value, attribute)
    error = None
    try:
        called(*(None,) * positional, **dict.fromkeys(keywords))
    except TypeError as raised:
        error = str(raised)
    path = "it" if attribute is None else f"it.{attribute}"
    found = answer("signature", value, path, positional=positional, keywords=keywords)
    assert (found["binds"], found["error"]) == (error is None, error)


def test_parameters_are_shown_as_written():
    assert answer("signature", plain)["parameters"] == ["a", "b=...", "*", "c"]
    assert answer("signature", only)["parameters"] == ["a", "/", "b", "*args", "c=...", "**more"]
    assert answer("signature", Model)["parameters"] == ["size", "*", "depth=..."]
    assert answer("signature", wrapper)["wraps"] == ["a", "b=...", "*", "c"]
    assert "n_estimators=..." in answer("signature", RandomForestClassifier)["parameters"]
    assert "C=..." in answer("signature", LogisticRegression)["parameters"]


@pytest.mark.parametrize("value", [len, dict, functools.partial(plain), Shape, np.add, 3])
def test_what_is_no_python_function_is_refused(value):
    assert "is no plain Python function, method or class" in refusal("signature", value)


# -- Estimators, networks, arrays -----------------------------------------------------------------------------------

TABLE = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 1.0, 0.0]})


@pytest.mark.parametrize("make", [LinearRegression, LogisticRegression, StandardScaler, RandomForestClassifier])
def test_an_estimator_is_fitted_where_sklearn_says_so(make):
    fresh = answer("estimator", make())
    assert (fresh["fitted"], fresh["n_features_in"], fresh["feature_names_in"]) == (False, None, None)
    assert set(fresh["parameters"]) >= set(make().get_params())
    fitted = make().fit(TABLE, [0, 1, 1])
    check_is_fitted(fitted)
    found = answer("estimator", fitted)
    assert (found["fitted"], found["n_features_in"], found["feature_names_in"]) == (True, 2, ["a", "b"])


def test_parameters_of_an_estimator_are_numbers_or_types():
    found = answer("estimator", LogisticRegression(C=2.5, solver="saga", max_iter=7))["parameters"]
    assert (found["C"], found["solver"], found["max_iter"]) == (2.5, "str", 7)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8))
        self.heads = torch.nn.ModuleList([torch.nn.Linear(8, 2), torch.nn.Embedding(10, 4)])

    def forward(self, x):
        return x


def test_layers_are_those_of_named_modules_in_order():
    net = Net()
    found = answer("layers", net)
    modules = list(net.named_modules())
    assert [(each["name"], each["type"]) for each in found["layers"]] == [(n, safe.type_name(m)) for n, m in modules]
    for each, (_, module) in zip(found["layers"], modules, strict=True):
        own = {name: list(value.shape) for name, value in module.named_parameters(recurse=False)}
        assert each["parameters"] == own
    assert found["layers"][2]["sizes"]["kernel_size"] == [3, 3]
    assert (found["training"], found["patched"], found["truncated"]) == (True, False, False)


def test_a_patched_network_in_evaluation_mode_is_seen():
    net = Net().eval()
    net.register_forward_hook(lambda *_: None)
    found = answer("layers", net)
    assert (found["training"], found["patched"]) == (False, True)


def test_a_deep_network_is_cut():
    net = torch.nn.Sequential(*[torch.nn.ReLU() for _ in range(70)])
    found = answer("layers", net)
    assert (len(found["layers"]), found["truncated"]) == (50, True)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((2, 3)),
        np.array(1),
        np.array(["a"]),
        np.array([None], dtype=object),
        torch.zeros(2, 3, dtype=torch.int64),
        torch.ones(1, requires_grad=True),
        torch.nn.Parameter(torch.zeros(4)),
        torch.eye(2).to_sparse(),
        torch.zeros(2, device="meta"),
    ],
    ids=str,
)
def test_an_array_has_the_shape_dtype_and_device_of_the_library(value):
    found = answer("array", value)
    assert (found["shape"], found["dtype"]) == (list(value.shape), str(value.dtype))
    if type(value) is not np.ndarray:
        assert (found["device"], found["requires_grad"]) == (str(value.device), value.requires_grad)


# -- Any value, files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (1, {"kind": "scalar"}),
        (np.float32(1), {"kind": "scalar"}),
        ("abc", {"kind": "text", "length": 3}),
        ({"a": 1, 2: 3}, {"kind": "dict", "length": 2, "keys": ["a", "2"], "truncated": False}),
        ([1, "a", 2], {"kind": "sequence", "length": 3, "element_types": {"int": 2, "str": 1}, "looked_at": 3}),
        (pd.Series([1.5]), {"kind": "series", "length": 1, "dtype": "float64", "index": "RangeIndex"}),
        (plain, {"kind": "callable"}),
        (Model(1), {"kind": "object", "attributes": {"size": "int"}, "truncated": False}),
    ],
)
def test_a_value_is_described_by_its_kind(value, facts):
    found = answer("describe", value)
    assert {key: found[key] for key in facts} == facts


def test_values_themselves_are_not_told():
    secret = "s3cret"
    values = [
        secret,
        [secret],
        {"a": secret},
        pd.DataFrame({"a": [secret]}),
        pd.Series([secret]),
        Point(secret),
        np.array([secret]),
    ]
    values += [LogisticRegression(solver=secret), (secret,), torch.nn.Linear(1, 1)]
    values[-1].note = (secret, (secret,))
    for value in values:
        for probe in ("describe", "columns", "array", "layers", "estimator"):
            assert secret not in json.dumps(reply_about(probe, {"it": value}, path="it"))


def test_files_are_found_where_the_kernel_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1,2")
    os.mkfifo(tmp_path / "pipe")

    def look(path):
        found = reply_about("file", {}, path=path)["answer"]
        return {name: found[name] for name in found if name in ("file", "exists", "kind", "bytes", "folder_exists")}

    assert look("data/a.csv") == {"file": "data/a.csv", "exists": True, "kind": "file", "bytes": 3}
    assert look(str(tmp_path / "data"))["kind"] == "folder"
    assert look("pipe")["kind"] == "other"
    assert look("~/data/a.csv")["exists"] is True
    assert look("data/b.csv") == {"file": "data/b.csv", "exists": False, "folder_exists": True}
    assert look("no/b.csv") == {"file": "no/b.csv", "exists": False, "folder_exists": False}
    assert look("data/a.csv/b")["exists"] is False


@pytest.mark.parametrize("path", ["https://example.org/a.csv", "s3://x/y", "a\0b", "a" * 5000])
def test_what_is_no_path_of_a_file_is_refused(path):
    assert reply_about("file", {}, path=path)["status"] == "refused"


# -- Limits ---------------------------------------------------------------------------------------------------------------


def test_an_answer_is_cut_to_the_items_and_says_so():
    frame = pd.DataFrame({f"c{i}": [i] for i in range(80)})
    found = reply_about("columns", {"it": frame}, path="it", limits={"items": 10})["answer"]
    assert [label for label, _ in found["columns"]] == [f"c{i}" for i in range(10)]
    assert found["truncated"]
    assert reply_about("names", {f"n{i:03}": 1 for i in range(99)}, limits={"items": 7})["answer"]["truncated"]


def test_an_answer_is_cut_to_the_bytes():
    frame = pd.DataFrame({f"a column with a long name {i}": [i] for i in range(80)})
    for size in (300, 1000, 2000):
        found = reply_about("columns", {"it": frame}, path="it", limits={"bytes": size, "items": 80})["answer"]
        assert found["truncated"]
        assert found["columns"] == [[f"a column with a long name {i}", "int64"] for i in range(len(found["columns"]))]


def test_an_answer_that_cannot_be_cut_is_refused():
    value = type("x" * 10_000, (), {})()
    assert "longer than 8192 bytes" in refusal("describe", value)


def test_the_limit_of_time_is_an_answer():
    net = torch.nn.Sequential(torch.nn.ReLU())
    reply = reply_about("layers", {"it": net}, path="it", limits={"seconds": -1})
    assert reply["reason"] == "could not look, because the limit of -1 s passed"


def test_many_missing_columns_of_a_wide_frame_are_answered_in_time():
    frame = pd.DataFrame(np.zeros((1, 5000)), columns=[f"feature_{i:04}_of_the_second_kind" for i in range(5000)])
    names = [f"featrue_{i:04}_of_the_second_kind" for i in range(20)]
    found = answer("columns", frame, names=names)
    assert found["missing"] == names
    assert found["close"][names[3]][0] == "feature_0003_of_the_second_kind"


@pytest.mark.parametrize(
    ("question", "arguments", "reason"),
    [
        ("nothing", {}, "there is no probe 'nothing'"),
        ("describe", {}, "describe needs 'path'"),
        ("describe", {"path": "x", "depth": 1, "a": 2}, "describe takes no argument 'a', 'depth'"),
    ],
)
def test_a_question_that_is_none_is_refused(question, arguments, reason):
    assert reply_about(question, {}, **arguments)["reason"] == "could not look, because " + reason


@pytest.mark.parametrize(
    ("name", "names", "close"),
    [
        ("Price", ["pricey", "price", "x"], ["price", "pricey"]),
        ("learning_rate", ["learning_rte", "lr"], ["learning_rte"]),
        ("a", ["b", "c"], []),
        ("", ["a"], []),
        ("x" * 90, ["x" * 90 + "y"], []),
        ("ab", ["ab"], []),
        ("Name ", ["Name", "name"], ["Name", "name"]),
        ("modle", ["modal", "model"], ["model"]),
    ],
)
def test_close_names_come_best_first(name, names, close):
    assert close_to(name, names) == close


def test_every_probe_is_asked_in_some_test():
    sources = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name in PROBES if not re.search(rf"\b{name}\b", sources)] == []
