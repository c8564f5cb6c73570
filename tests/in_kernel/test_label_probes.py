"""What is said about labels; pandas and Python's sets are the oracle."""

import datetime
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crane_agent.in_kernel import entry, wire


def reply(question, namespace, /, *, limits=None, **arguments):
    shell = SimpleNamespace(user_ns=namespace, user_ns_hidden={}, execution_count=1)
    request = {"ask": question, "arguments": arguments, "limits": limits or {}}
    text = entry.answer(wire.dumps(request), shell)
    assert text == entry.answer(wire.dumps(request), shell), "the same question has the same answer"
    found = json.loads(text)
    assert found["status"] in ("ok", "refused"), found
    return found


def about(index, /, **arguments):
    found = reply("index", {"it": index}, path="it", **arguments)
    assert found["status"] == "ok", found
    assert "withheld" not in found
    return found["answer"]


# -- One index --------------------------------------------------------------------------------------------------------

INDEXES = {
    "range": pd.RangeIndex(5),
    "steps": pd.RangeIndex(10, 0, -3),
    "empty range": pd.RangeIndex(0),
    "integers": pd.Index([3, 1, 3, 2]),
    "ascending": pd.Index([1, 2, 2, 5]),
    "short": pd.Index(np.array([1, 2, 100], dtype="int8")),
    "unsigned": pd.Index(np.array([1, 2**64 - 1], dtype="uint64")),
    "floats": pd.Index([0.5, 1.5, np.nan, np.nan]),
    "ordered floats": pd.Index([0.5, 1.0, np.inf]),
    "bools": pd.Index([True, False, True]),
    "texts": pd.Index(["b", "a", "b"], dtype=object, name="key"),
    "strings": pd.Index(["a", "b", "c"]),
    "missing text": pd.Index(["a", None], dtype=object),
    "mixed": pd.Index(["a", 1, 2.5], dtype=object),
    "tuples": pd.Index([("a", 1), ("b", 2)], tupleize_cols=False),
    "dates": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-03"]),
    "dates with none": pd.to_datetime(["2024-01-01", None]),
    "zoned": pd.to_datetime(["2024-01-02", "2024-01-01"], utc=True),
    "spans": pd.to_timedelta([3, 1, 1]),
    "periods": pd.period_range("2024-01", periods=3, freq="M"),
    "categories": pd.CategoricalIndex(["x", "y", "x"], categories=["z", "y", "x"]),
    "intervals": pd.interval_range(0, 3),
    "nullable": pd.Index(pd.array([1, None, 1], dtype="Int64")),
    "levels": pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["x", "y"]),
    "levels with none": pd.MultiIndex.from_tuples([("a", None), ("a", None), (None, 1.5)]),
    "empty": pd.Index([], dtype=object),
    "no floats": pd.Index([], dtype=float),
}


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_is_described_as_pandas_does(name):
    index = INDEXES[name]
    fresh = index.copy(deep=True)
    before = sorted(index._cache)
    found = about(index)
    assert sorted(index._cache) == before
    assert (found["index"], found["length"]) == (type(index).__name__, len(index))
    assert found["dtype"] == str(fresh.dtype)
    assert found["level_names"] == list(fresh.names)
    assert found.get("levels", 1) == fresh.nlevels
    if "duplicates" in found:
        assert found["duplicates"] == fresh.duplicated().sum()
    if "sorted" in found:
        assert found["sorted"] == fresh.is_monotonic_increasing
    if "range" in found:
        assert found["range"] == [fresh.start, fresh.stop, fresh.step]


def test_most_of_an_index_is_told():
    told = [name for name in INDEXES if "duplicates" in about(INDEXES[name])]
    # Before pandas 1.4 an index of nullable integers is one of objects.
    assert set(INDEXES) - set(told) - {"nullable"} == {"missing text", "mixed", "tuples", "intervals"}
    assert sum("sorted" in about(index) for index in INDEXES.values()) > 15


@pytest.mark.parametrize("name", INDEXES)
def test_the_index_of_a_frame_and_of_a_series_is_that_index(name):
    index = INDEXES[name]
    frame = pd.DataFrame({"a": range(len(index))}, index=index)
    assert about(frame) == about(frame["a"]) == about(index)
    columns = pd.DataFrame(np.zeros((1, len(index))), columns=index)
    assert about(columns, axis="columns") == about(index)


LABELS = [1, 3, 0, -1, 2, 1.0, 1.5, 2.5, "a", "b", "x", "z", "A", 100, 300, 2**63 - 1]


@pytest.mark.parametrize("name", INDEXES)
def test_a_label_is_missing_if_pandas_does_not_find_it(name):
    index = INDEXES[name]
    for label in LABELS:
        found = reply("index", {"it": index}, path="it", labels=[label])
        if found["status"] == "refused":
            continue
        fresh = index.copy(deep=True)
        assert found["answer"]["missing"] == ([] if label in fresh else [label]), label


@pytest.mark.parametrize(
    ("name", "told"),
    [("range", True), ("integers", True), ("texts", True), ("strings", True), ("categories", True), ("floats", True)],
)
def test_labels_are_looked_up(name, told):
    assert (reply("index", {"it": INDEXES[name]}, path="it", labels=["q", 1])["status"] == "ok") is told


def test_close_labels_are_shown():
    found = about(pd.Index(["Rome", "Oslo"], dtype=object), labels=["rome", "Rome", "zz"])
    assert (found["missing"], found["close"]) == (["rome", "zz"], {"rome": ["Rome"], "zz": []})


def test_long_indexes_are_looked_at_up_to_a_limit():
    found = about(pd.Index(np.arange(3_000_000)), labels=[5, -1])
    assert (found["sorted"], found["duplicates"], found["missing"]) == (True, 0, [-1])
    found = about(pd.Index(np.arange(3_000_000)[::-1].copy()))
    assert (found["sorted"], found["duplicates"]) == (False, 0)
    assert found["looked_at"] < found["length"]
    texts = pd.Index([f"k{i}" for i in range(150_000)], dtype=object)
    assert about(texts)["looked_at"] < 150_000
    assert "more than" in reply("index", {"it": texts}, path="it", labels=["k1"])["reason"]


@pytest.mark.parametrize(
    ("value", "arguments", "reason"),
    [
        ([1], {}, "is a list, not exactly"),
        (pd.Series([1]), {"axis": "columns"}, "not a DataFrame"),
        (pd.Series([1]), {"axis": "both"}, "axis is 'rows' or 'columns'"),
        (type("Own", (pd.Index,), {}), {}, "not exactly"),
        (INDEXES["levels"], {"labels": ["a"]}, "several levels"),
        (INDEXES["dates"], {"labels": ["2024-01-01"]}, "not compared as they are written"),
    ],
)
def test_what_cannot_be_told_is_refused(value, arguments, reason):
    assert reason in reply("index", {"it": value}, path="it", **arguments)["reason"]


# -- Two sets of labels -----------------------------------------------------------------------------------------------

FRAME = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "c"])


def difference(left, right, **arguments):
    found = reply("difference", {"l": left, "r": right}, left="l", right="r", **arguments)
    assert found["status"] == "ok", found
    assert "withheld" not in found
    return found["answer"]


@pytest.mark.parametrize(
    "right",
    [
        ["a", "B", "d"],
        ("a", "c", "b"),
        {"a", "b", "q"},
        frozenset("abc"),
        {"a": 1, "z": 2},
        pd.Index(["b", "c"]),
        pd.Series([1, 2], index=["a", "x"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array(["a", "y"]),
        FRAME[["c", "b", "a"]],
        FRAME,
        pd.CategoricalIndex(["a", "b", "zz"]),
        [],
        [1, 2.5, None, "a"],
        ["a", "a", "b", "c"],
    ],
    ids=lambda right: type(right).__name__,
)
def test_labels_differ_as_sets_differ(right):
    found = difference(FRAME, right)
    left, labels = list(FRAME.columns), list(right.index if isinstance(right, pd.Series) else right)
    assert found["only_left"] == [each for each in left if each not in labels]
    assert sorted(map(str, found["only_right"])) == sorted({str(each) for each in labels if each not in left})
    assert (found["left_length"], found["right_length"]) == (len(left), len(labels))
    assert found["in_both"] == len(set(left) & set(labels))
    if set(left) == set(labels) and not isinstance(right, (set, frozenset)):
        assert found["same_order"] is (left == labels)
    else:
        assert "same_order" not in found


def test_close_labels_of_the_other_side_are_shown():
    assert difference(pd.DataFrame({"Area": [1], "x": [1]}), ["area", "x"])["close"] == {"Area": ["area"]}


def test_rows_are_compared_too():
    left, right = pd.DataFrame({"a": [1, 2, 3]}), pd.Series([1, 2], index=[1, 7])
    found = difference(left, right, axis="rows")
    assert (found["only_left"], found["only_right"]) == ([0, 2], [7])


@pytest.mark.parametrize(
    ("left", "right", "only_left", "only_right"),
    [
        (pd.to_datetime(["2024-01-01", "2024-01-02"]), pd.to_datetime(["2024-01-02 10:00", "2024-01-01 00:00"]), 1, 1),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", None)]), [("a", 1), ("c", 2)], 1, 1),
        (pd.RangeIndex(3), pd.Index([0.0, 1.0, 5.0]), 1, 1),
        (pd.Index([1.5, np.nan]), pd.Index([np.nan, 2.5]), 1, 1),
        (pd.Index(pd.array([1, None], dtype="Int64")), [1], 1, 0),
        (pd.Index(["a", None, np.nan], dtype=object), ["a"], 1, 0),
        (pd.Index([np.int64(1), np.str_("x")], dtype=object), [1, "x"], 0, 0),
    ],
    ids=lambda value: str(value)[:20],
)
def test_labels_of_other_kinds_are_compared(left, right, only_left, only_right):
    found = difference(left, right, axis="rows")
    assert (found["only_left_count"], found["only_right_count"]) == (only_left, only_right)


class Loud:
    def __eq__(self, other):
        raise AssertionError("==")

    def __hash__(self):
        return 1


@pytest.mark.parametrize(
    "right",
    [
        [Loud()],
        {Loud(): 1},
        [[1]],
        [(1, [2])],
        pd.Index([Loud(), 1], dtype=object),
        pd.to_datetime(["2024-01-01"], utc=True),
        pd.Index([datetime.date(2024, 1, 1)]),
        range(3),
        "abc",
        np.zeros((2, 2)),
        list(range(200_000)),
        pd.RangeIndex(10**9),
        pd.interval_range(0, 3),
        type("Own", (list,), {})(["a"]),
    ],
    ids=lambda value: str(type(value)),
)
def test_labels_that_are_not_plain_or_too_many_are_refused(right):
    assert reply("difference", {"l": FRAME, "r": right}, left="l", right="r")["status"] == "refused"


def test_long_differences_are_cut():
    found = difference(FRAME, [f"c{i}" for i in range(1000)])
    assert (found["only_right_count"], len(found["only_right"]), found["truncated"]) == (1000, 50, True)
