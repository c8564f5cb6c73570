"""What is said about frames and columns; pandas itself is the oracle."""

import datetime
import decimal
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crane_agent.in_kernel import entry, safe, wire
from crane_agent.in_kernel.readers import blocks


def reply(question, value, /, *, privacy="schema", limits=None, **arguments):
    shell = SimpleNamespace(user_ns={"it": value}, user_ns_hidden={}, execution_count=1)
    request = {"ask": question, "arguments": {"path": "it", **arguments}, "privacy": privacy, "limits": limits or {}}
    text = entry.answer(wire.dumps(request), shell)
    assert text == entry.answer(wire.dumps(request), shell), "the same question has the same answer"
    found = json.loads(text)
    assert found["status"] in ("ok", "refused"), found
    return found


def answer(question, value, /, **arguments):
    found = reply(question, value, **arguments)
    assert found["status"] == "ok", found
    assert "withheld" not in found
    return found["answer"]


try:
    import pyarrow
except ImportError:
    ARROW = {}
else:
    ARROW = {
        "arrow texts": pd.Series(["a", None, "a"], dtype="string[pyarrow]"),
        "arrow numbers": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
        "arrow's own texts": pd.Series(["a", None], dtype=pd.ArrowDtype(pyarrow.string())),
    }


class Plain:
    pass


class Loud:
    """Whatever is asked of it is an error."""

    def __getattribute__(self, name):
        raise AssertionError(name)

    def __eq__(self, other):
        raise AssertionError("==")

    def __hash__(self):
        raise AssertionError("hash")


class Fraction(float):
    def __ne__(self, other):
        raise AssertionError("!=")


class LoudType(type):
    def __hash__(cls):
        raise AssertionError("hash of a class")

    def __eq__(cls, other):
        raise AssertionError("== of a class")

    def __instancecheck__(cls, instance):
        raise AssertionError("isinstance")


class Odd(metaclass=LoudType):
    pass


COLUMNS = {
    "floats": pd.Series([1.0, np.nan, 1.0, -np.inf, 0.0, -0.0]),
    "integers": pd.Series([3, 1, 3], dtype="int16"),
    "unsigned": pd.Series([2**64 - 1, 0], dtype="uint64"),
    "single": pd.Series([1.5, np.nan], dtype="float32"),
    "bools": pd.Series([True, False, True]),
    "complex": pd.Series([1j, np.nan, 1j]),
    "objects": pd.Series(["a", 1, None, 2.5, np.nan, True, pd.NA, pd.NaT, b"x"], dtype=object),
    "texts": pd.Series(["a", "b", None, "a"], dtype=object),
    "strings": pd.Series(["a", "b", None, "a"]),
    "nullable strings": pd.Series(["a", None], dtype="string"),
    "nullable integers": pd.Series([1, None, 1], dtype="Int64"),
    "nullable floats": pd.Series([1.5, None], dtype="Float64"),
    "nullable bools": pd.Series([True, None], dtype="boolean"),
    "categories": pd.Series(pd.Categorical(["x", "y", None, "x"], categories=["z", "y", "x"], ordered=True)),
    "dates": pd.Series(pd.to_datetime(["2024-01-02", None, "2023-01-01"])),
    "zoned dates": pd.Series(pd.to_datetime(["2024-01-02", None], utc=True)),
    "spans": pd.Series(pd.to_timedelta([1, None], unit="s")),
    "periods": pd.Series(pd.PeriodIndex(["2024-01", None, "2024-01"], freq="M")),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1, 2, 1])),
    "sparse floats": pd.Series(pd.arrays.SparseArray([np.nan, 0.5, np.nan, 1])),
    "days": pd.Series([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 1)], dtype=object),
    "timestamps": pd.Series([pd.Timestamp("2024"), datetime.datetime(2024, 1, 1), None], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1"), decimal.Decimal("NaN"), None], dtype=object),
    "numpy scalars": pd.Series([np.float64("nan"), np.int8(1), np.float32(2.5), np.bool_(True)], dtype=object),
    "numpy dates": pd.Series([np.datetime64("NaT"), np.datetime64("2024-01-01"), 1], dtype=object),
    "lists": pd.Series([[1, 2], (1,), [], {"a": 1}, np.zeros((3, 2)), np.array(1.0), None, {1}], dtype=object),
    "plain objects": pd.Series([Plain(), None, 1], dtype=object),
    "empty": pd.Series([], dtype=object),
    "no floats": pd.Series([], dtype=float),
    "no categories": pd.Series(pd.Categorical([])),
    "only nulls": pd.Series([None, None], dtype=object),
    **ARROW,
}
NOT_TOLD_APART = {"decimals", "numpy dates", "lists", "plain objects", "arrow numbers"}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("privacy", ["schema", "values"])
def test_a_column_has_the_nulls_and_distinct_values_that_pandas_counts(name, privacy):
    series = COLUMNS[name]
    found = answer("column", series, privacy=privacy)
    assert (found["dtype"], found["length"]) == (str(series.dtype) if "sparse" not in name else "Sparse", len(series))
    assert (found["nulls"], found["looked_at"]) == (series.isna().sum(), len(series))
    assert ("distinct" in found) is (name not in NOT_TOLD_APART)
    if "distinct" in found:
        assert (found["distinct"], found["distinct_among"]) == (series.nunique(), len(series))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_a_frame_is_as_the_series(name):
    series = COLUMNS[name]
    frame = pd.DataFrame({"a": series, "b": 1, "c": series})
    for label in ("a", "c"):
        found = answer("column", frame, name=label)
        assert found.pop("label") == label
        assert found == answer("column", series)
    assert answer("column", frame, name="b")["distinct"] == min(1, len(series))


@pytest.mark.parametrize("name", COLUMNS)
def test_no_value_is_in_an_answer_below_the_level_of_values(name):
    assert not {"sample", "least", "greatest"} & set(answer("column", COLUMNS[name]))


def test_samples_and_the_range_are_shown_at_the_level_of_values():
    def shown(name):
        found = answer("column", COLUMNS[name], privacy="values")
        return [found.get(field) for field in ("sample", "least", "greatest")]

    assert shown("floats") == [[1.0, "-inf", 0.0], "-inf", 1.0]
    assert shown("integers") == [[3, 1], 1, 3]
    assert shown("texts") == [["a", "b"], None, None]
    assert shown("categories") == [["x", "y"], None, None]
    assert [text[:10] for text in shown("dates")[1:]] == ["2023-01-01", "2024-01-02"]
    assert [text[:10] for text in shown("dates")[0]] == ["2024-01-02", "2023-01-01"]
    assert shown("days")[0] == ["2024-01-01"]
    assert shown("sparse") == [[0, 1, 2], 0, 2]
    assert shown("nullable integers") == [[1], 1, 1]
    assert shown("unsigned") == [[2**64 - 1, 0], 0, 2**64 - 1]
    assert shown("objects")[0] == ["a", 1, 2.5, "b'x'"]


def test_elements_that_are_lists_are_counted_by_length():
    found = answer("column", COLUMNS["lists"])
    assert found["element_types"] == {
        **{"NoneType": 1, "dict": 1, "list": 2, "numpy.ndarray": 2, "set": 1, "tuple": 1},
    }
    assert found["lengths"] == {
        **{"list": [[0, 1], [2, 1]], "tuple": [[1, 1]], "dict": [[1, 1]], "set": [[1, 1]]},
        **{"numpy.ndarray": [[0, 1], [3, 1]]},
    }


def test_categories_are_counted():
    found = answer("column", COLUMNS["categories"])
    assert (found["categories"], found["ordered"], found["distinct"]) == (3, True, 2)


@pytest.mark.parametrize("kind", [Loud, Plain, "odd"], ids=["loud", "plain", "odd"])
def test_an_object_is_not_asked_anything(kind):
    element = Odd() if kind == "odd" else kind()
    series = pd.Series([None, 1], dtype=object)
    blocks.values(series)[0] = element
    found = reply("column", series)
    if found["status"] == "ok":
        assert found["answer"]["element_types"][safe.type_name(element)] == 1
        assert "distinct" not in found["answer"]


def test_floats_of_a_class_of_their_own_are_not_told():
    series = pd.Series([None, 1.5], dtype=object)
    blocks.values(series)[1] = Fraction(2.0)
    assert "whether a Fraction is missing is computed" in reply("column", series)["reason"]
    found = answer("nulls", pd.DataFrame({"a": [1.0, np.nan], "b": series}))
    assert (found["nulls_by_column"], found["unread"]) == ([["a", 1]], ["b"])


def test_dates_of_a_zone_of_the_users_are_not_hashed():
    class Zone(datetime.tzinfo):
        def utcoffset(self, when):
            raise AssertionError("asked")

    series = pd.Series([None, 1], dtype=object)
    blocks.values(series)[0] = datetime.datetime(2024, 1, 1, tzinfo=Zone())
    assert "distinct" not in answer("column", series)


@pytest.mark.parametrize(
    ("value", "arguments", "reason"),
    [
        (pd.DataFrame({"a": [1]}), {}, "which column is meant?"),
        (pd.DataFrame({"a": [1]}), {"name": "b"}, "has no column 'b'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {"name": "a"}, "has no single column 'a'"),
        (pd.Series([1]), {"name": "a"}, "is a Series"),
        ([1], {"name": "a"}, "is a list, not exactly a pandas DataFrame"),
        (type("Frame", (pd.DataFrame,), {})({"a": [1]}), {"name": "a"}, "not exactly a pandas DataFrame"),
        (type("Row", (pd.Series,), {})([1]), {}, "not exactly a pandas DataFrame"),
    ],
)
def test_what_is_no_single_column_is_refused(value, arguments, reason):
    assert reason in reply("column", value, **arguments)["reason"]


def test_nulls_are_counted_as_pandas_counts_them():
    frame = pd.DataFrame({name: series.iloc[:2].reset_index(drop=True) for name, series in COLUMNS.items()})
    found = answer("nulls", frame, limits={"items": 100})
    counts = pd.Series({name: frame[name].isna().sum() for name in frame})
    assert dict(found["nulls_by_column"]) == {name: count for name, count in counts.items() if count}
    assert (found["with_nulls"], found["without_nulls"]) == ((counts > 0).sum(), (counts == 0).sum())
    assert (found["looked_at"], found["unread"], found["truncated"]) == (2, [], False)


def test_nulls_are_counted_in_frames_of_odd_layouts():
    numbers = pd.DataFrame(np.where(np.eye(4) == 1, np.nan, 1.0), columns=list("abcd"))
    for frame in (
        numbers,
        numbers[["c", "a"]],
        numbers.iloc[1:3],
        numbers.iloc[::2, ::-1],
        numbers.T,
        numbers.assign(e="x", b=None),
        pd.DataFrame([[1, np.nan], [None, 2]], columns=["a", "a"]),
        pd.DataFrame(),
        pd.DataFrame({"a": [1.0], ("b", 1): [np.nan]}),
    ):
        found = answer("nulls", frame)
        assert [count for _, count in found["nulls_by_column"]] == [count for count in frame.isna().sum() if count]


def test_nulls_of_many_columns_are_cut():
    frame = pd.DataFrame(np.full((2, 3000), np.nan))
    found = answer("nulls", frame)
    assert (found["with_nulls"], found["truncated"]) == (2000, True)
    assert found["nulls_by_column"][:2] == [[0, 2], [1, 2]]


def test_a_long_frame_is_looked_at_up_to_a_limit():
    frame = pd.DataFrame({"a": pd.Series([None] * 500_000, dtype=object), "b": 1.0})
    found = answer("nulls", frame)
    assert found["looked_at"] < 500_000
    assert found["nulls_by_column"] == [["a", found["looked_at"]]]
    told = answer("column", frame, name="a")
    assert told["nulls"] == told["looked_at"] < told["length"]


def test_duplicate_labels_and_levels_are_named():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "b", "a", "c"])
    assert answer("columns", frame)["duplicated"] == ["a"]
    levels = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None])
    found = answer("columns", pd.DataFrame([[1, 2]], columns=levels), names=["a", "c", 1])
    assert (found["levels"], found["level_names"]) == (2, ["x", None])
    assert found["missing"] == ["c", 1]
    assert "levels" not in answer("columns", pd.DataFrame({"a": [1]}))


def test_names_of_levels_may_be_anything():
    levels = pd.MultiIndex.from_tuples([("a", 1)], names=[Plain(), ("x", 1)])
    found = answer("columns", pd.DataFrame([[1]], columns=levels))
    assert found["level_names"] == [safe.type_name(Plain()), ["x", 1]]


def test_a_label_that_cannot_be_hashed_is_no_plain_label():
    frame = pd.DataFrame([[1, 2]])
    frame.columns = pd.Index([("a", [1]), "b"], dtype=object, tupleize_cols=False)
    assert answer("columns", frame)["columns"] is None


@pytest.mark.parametrize("name", ["sparse", "sparse floats"])
def test_a_sparse_column_is_reached_by_its_path(name):
    frame = pd.DataFrame({"a": COLUMNS[name], "b": 1})
    assert answer("describe", frame, path="it['a']")["dtype"] == "Sparse"
    found = blocks.column(frame, 0)
    pd.testing.assert_series_equal(found, frame["a"], check_names=False)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("question", ["column", "nulls", "columns", "index"])
def test_no_cache_of_the_frame_is_filled(name, question):
    frame = pd.DataFrame({"a": COLUMNS[name], "b": 1})
    manager = frame._mgr
    before = str([(sorted(vars(axis)), sorted(axis._cache)) for axis in manager.axes])
    reply(question, frame, **({"name": "a"} if question == "column" else {}), privacy="values")
    assert str([(sorted(vars(axis)), sorted(axis._cache)) for axis in manager.axes]) == before
