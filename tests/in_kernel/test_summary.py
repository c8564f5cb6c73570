"""The fixed summary of several values: what it holds, in which part, at which level, and that it leaves no trace."""

import json
import warnings
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import LabelEncoder
from test_fingerprint import NEEDS, PYTHON, START, ZOO, Kernel

from crane_agent.in_kernel import entry, wire
from crane_agent.in_kernel.probes import summary

LEVELS = ("names", "schema", "values")


class Reviews(torch.utils.data.Dataset):
    """A data set of the user's; drawing from it would be noticed."""

    def __init__(self):
        self.texts = [[1, 2, 3], [4], [5]]

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, place):
        raise AssertionError("nothing is drawn")


class Owner:
    """An object with an array, and something that only code tells."""

    def __init__(self):
        self.array = np.arange(6.0)

    @property
    def costly(self):
        raise AssertionError("no property is run")


FRAME = pd.DataFrame({"age": [20, 30, 30], "city": ["Rome", None, "a name of more than twenty letters"]})
SPACE = {
    "df": FRAME,
    "wide": pd.DataFrame(np.zeros((2, 30)), columns=[f"c{place}" for place in range(30)]),
    "ages": FRAME["age"],
    "grid": np.array([[1.0, np.nan], [3.0, 4.0]]),
    "words": np.array(["b", "a", "b"]),
    "tensor": torch.tensor([1.0, 2.0], requires_grad=True),
    "numbers": [3, 1, 2],
    "mixed": [1, "a", None],
    "objects": [object()],
    "config": {"rate": 0.1, "layers": [64, 32], "name": "a name of more than twenty letters"},
    "count": 7,
    "text": "hello",
    "fitted": LinearRegression().fit(FRAME[["age"]], [1, 2, 3]),
    "unfitted": LinearRegression(),
    "encoder": LabelEncoder().fit(["x", "y"]),
    "loader": torch.utils.data.DataLoader(Reviews(), batch_size=2),
    "net": torch.nn.Linear(3, 4),
    "owner": Owner(),
    "np": np,
    "load": lambda path: path,
}


def ask(*names, parts=None, level="values", space=SPACE):
    shell = SimpleNamespace(user_ns=space, user_ns_hidden={}, execution_count=1)
    arguments = {"names": list(names), **({} if parts is None else {"parts": parts})}
    return json.loads(entry.answer(wire.dumps({"ask": "summary", "arguments": arguments, "privacy": level}), shell))


def told(name, **more):
    answer = ask(name, **more)["answer"]
    assert len(answer["values"]) == 1
    found = answer["values"][0]
    assert found.pop("name") == name
    return found


def test_a_table_is_told_with_what_lies_in_each_column():
    found = told("df")
    assert found.pop("type").endswith("DataFrame")
    assert found == {
        "shape": [3, 2],
        "column_facts": [
            {"label": "age", "dtype": "int64", "distinct": 2, "least": 20, "greatest": 30, "sample": [20, 30]},
            {
                "label": "city",
                "dtype": str(FRAME["city"].dtype),
                "nulls": 1,
                "distinct": 2,
                "sample": ["Rome", "a name of more than "],
            },
        ],
    }


def test_of_a_wide_table_as_many_columns_are_told_as_in_the_paper():
    found = told("wide")
    assert [each["label"] for each in found["column_facts"]] == [f"c{place}" for place in range(20)]
    assert found["shape"] == [2, 30]
    assert found["truncated"] is True


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("ages", {"dtype": "int64", "length": 3, "distinct": 2, "least": 20, "greatest": 30, "sample": [20, 30]}),
        ("grid", {"type": "numpy.ndarray", "shape": [2, 2], "dtype": "float64", "nan": 1, "min": 1.0, "max": 4.0}),
        ("words", {"type": "numpy.ndarray", "shape": [3], "dtype": "<U1", "distinct": 2, "sample": ["b", "a"]}),
        (
            "tensor",
            {
                **{"type": "torch.Tensor", "shape": [2], "dtype": "torch.float32", "device": "cpu"},
                **{"requires_grad": True, "min": 1.0, "max": 2.0},
            },
        ),
        (
            "numbers",
            {
                **{"type": "list", "length": 3, "element_types": {"int": 3}, "distinct": 3},
                **{"min": 1, "max": 3, "sample": [3, 1, 2]},
            },
        ),
        (
            "mixed",
            {
                **{"type": "list", "length": 3, "element_types": {"NoneType": 1, "int": 1, "str": 1}},
                **{"distinct": 2, "sample": [1, "a"]},
            },
        ),
        ("objects", {"type": "list", "length": 1, "element_types": {"object": 1}}),
        (
            "config",
            {
                "type": "dict",
                "length": 3,
                "keys": ["rate", "layers", "name"],
                "entries": [
                    {"key": "rate", "type": "float", "value": 0.1},
                    {"key": "layers", "type": "list", "length": 2},
                    {"key": "name", "type": "str", "value": "a name of more than "},
                ],
            },
        ),
        ("count", {"type": "int", "value": 7}),
        ("text", {"type": "str", "length": 5, "value": "hello"}),
        ("unfitted", {"type": "sklearn.linear_model._base.LinearRegression", "fitted": False}),
        (
            "fitted",
            {
                **{"type": "sklearn.linear_model._base.LinearRegression", "fitted": True},
                **{"n_features_in": 1, "feature_names_in": ["age"]},
            },
        ),
    ],
)
def test_a_value_is_told_with_type_structure_and_what_lies_in_it(name, facts):
    found = told(name)
    assert {field: found[field] for field in facts} == facts
    assert set(found) - set(facts) <= {"type"}


def test_a_fitted_encoder_is_told_with_its_classes():
    found = told("encoder")
    assert (found["fitted"], found["n_classes"]) == (True, 2)


def test_of_a_loader_the_kinds_of_elements_are_told_though_none_is_drawn():
    found = told("loader")
    assert (found["batch_size"], found["n_batches"], found["dataset_length"]) == (2, 2, 3)
    kinds = [{"type": "list", "length": 1, "count": 2}, {"type": "list", "length": 3, "count": 1}]
    assert found["stored"] == [{"name": "texts", "type": "list", "length": 3, "elements": kinds}]


def test_of_networks_functions_modules_and_their_attributes_the_type_is_told():
    answer = ask("net", "np", "np.array", "load", "df.groupby")["answer"]
    assert answer["values"] == []
    assert answer["names"] == {
        "net": "torch.nn.modules.linear.Linear",
        "np": "module",
        "np.array": "builtin_function_or_method",
        "load": "function",
        "df.groupby": "method",
    }


def test_attributes_are_looked_into_and_what_only_code_could_tell_is_said():
    answer = ask("owner.array", "owner.costly", "owner.zz", "df.age", "df.zz", "zz", "zz.a", "print")["answer"]
    assert [each["name"] for each in answer["values"]] == ["owner.array", "df.age"]
    assert answer["computed"] == ["owner.costly"]
    assert answer["absent"] == ["owner.zz", "df.zz", "zz", "zz.a"]


OF_PART = {
    "types": {"type", "dtype", "element_types", "device", "requires_grad", "fitted", "class_dtype", "dataset"},
    "structure": {"shape", "length", "keys", "n_features_in", "feature_names_in", "n_batches", "batch_size"},
    "values": {"nulls", "nan", "distinct", "least", "greatest", "min", "max", "sample", "value"},
}


def fields_in(answer):
    if isinstance(answer, list):
        return set().union(*map(fields_in, answer))
    return set(answer).union(*map(fields_in, answer.values())) if isinstance(answer, dict) else set()


@pytest.mark.parametrize("left_out", OF_PART)
def test_without_a_part_nothing_of_it_is_told_and_all_of_the_others(left_out):
    whole = fields_in(ask(*SPACE)["answer"]["values"])
    found = fields_in(ask(*SPACE, parts=[part for part in OF_PART if part != left_out])["answer"]["values"])
    assert not found & OF_PART[left_out]
    assert whole - found >= whole & OF_PART[left_out]
    for part, fields in OF_PART.items():
        assert part == left_out or found >= fields & whole


def test_without_types_no_name_is_told_with_its_type():
    answer = ask("np", "count", parts=["structure", "values"])["answer"]
    assert answer == {"values": [{"name": "count", "value": 7}]}


SECRETS = ("Rome", "hello", "0.1", "a name", "30")
LABELS = ("age", "city", "rate", "layers", "shape")


def test_nothing_above_the_level_leaves():
    space = {name: each for name, each in SPACE.items() if name in ("df", "config", "text", "numbers", "fitted")}
    texts = {level: json.dumps(ask(*space, level=level, space=space)["answer"]) for level in LEVELS}
    for secret in SECRETS:
        assert secret in texts["values"]
        assert secret not in texts["schema"]
    for label in LABELS:
        assert label in texts["schema"]
        assert label not in texts["names"]


def test_every_field_of_every_answer_is_declared():
    from crane_agent.in_kernel.probes import FIELDS

    free = {"types", *(key for each in ask(*SPACE)["answer"]["values"] for key in each.get("element_types", {}))}
    assert fields_in(ask(*SPACE)["answer"]["values"]) - free <= set(FIELDS)


def test_a_value_that_cannot_be_looked_at_has_its_type_and_the_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    found = told("it", space={"it": nested})
    assert found["type"] == "torch.Tensor"
    assert "no shape of its own" in found["unknown"]


@pytest.mark.parametrize(
    "arguments",
    [{"names": "df"}, {"names": [1]}, {"names": ["df"], "parts": ["colours"]}, {"names": ["df"], "parts": "types"}],
)
def test_arguments_that_are_none_are_refused(arguments):
    shell = SimpleNamespace(user_ns=SPACE, user_ns_hidden={}, execution_count=1)
    reply = json.loads(entry.answer(wire.dumps({"ask": "summary", "arguments": arguments}), shell))
    assert reply["status"] == "refused"


def test_an_answer_that_is_too_long_tells_fewer_columns():
    shell = SimpleNamespace(user_ns=SPACE, user_ns_hidden={}, execution_count=1)
    request = {"ask": "summary", "arguments": {"names": ["wide"]}, "limits": {"bytes": 600}}
    answer = json.loads(entry.answer(wire.dumps(request), shell))["answer"]
    assert 0 < len(answer["values"][0]["column_facts"]) < summary.MOST_COLUMNS


# -- no trace --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("watched"), cleanup, PYTHON)
        kernel.run(START)
        kernel.channel.install()
        kernel.ask("names", {})
        yield kernel


NAMES = [
    *("it", "it.a", "it.b", "it.shape", "it.columns", "it.dataset", "it.values", "it.missing", "it.__class__"),
    *("other", "missing", "print", "it.__dict__", "it.T"),
]


@pytest.mark.parametrize("name", ZOO)
def test_a_summary_leaves_no_trace(kernel, name):
    if name in NEEDS and not kernel.has(NEEDS[name]):
        pytest.skip(f"the kernel has no {NEEDS[name]}")
    kernel.bind(ZOO[name])
    kernel.watch.start()
    reply = kernel.ask("summary", {"names": NAMES})
    assert reply.status == "ok" or "is longer than" in reply.reason
    for parts in (["types"], ["structure"], ["values"], []):
        kernel.ask("summary", {"names": NAMES, "parts": parts})
    kernel.assert_untouched()
