"""What a conversion rejects and where a condition holds; Python and pandas themselves are the oracle."""

import datetime
import decimal
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crane_agent.in_kernel import entry, wire
from crane_agent.in_kernel.readers.casts import CONVERSIONS


def reply(question, value, /, *, privacy="schema", limits=None, **arguments):
    shell = SimpleNamespace(user_ns={"df": value}, user_ns_hidden={}, execution_count=1)
    request = {"ask": question, "arguments": {"path": "df", **arguments}, "privacy": privacy, "limits": limits or {}}
    found = json.loads(entry.answer(wire.dumps(request), shell))
    assert found["status"] in ("ok", "refused"), found
    return found


def answer(question, value, /, **arguments):
    found = reply(question, value, **arguments)
    assert found["status"] == "ok", found
    return found["answer"]


# -- Conversions ------------------------------------------------------------------------------------------------------

VALUES = [
    *("12", " 12 ", "1_000", "1e3", "", "nan", "inf", "-inf", "١٢", "1.0", "0x10", "99999999999999999999", "1e400"),
    *("$1,200", "abc", "\t1\n", "+5", ".5", "1.", "-", "1 2", "Infinity", "true", "\ud800", "9" * 5000, " ", "½", "²"),
    *(None, float("nan"), True, False, 0, 1.7, -1.5, float("inf"), 1e19, 1e20, -0.0),
    *(2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2**64, 2**70, 10**400),
    *(pd.NA, np.float64(2.5), np.float64("nan"), np.int8(3), np.bool_(True), np.float32("inf")),
]
ODD = [
    b"12",
    b"x",
    pd.NaT,
    [1],
    (1,),
    {},
    decimal.Decimal("1.5"),
    datetime.date(2024, 1, 1),
    1j,
    np.complex64(1),
    object(),
]

ARROW = []
try:
    import pyarrow
except ImportError:
    pass
else:
    ARROW = ["string[pyarrow]", pd.ArrowDtype(pyarrow.string())]
TEXT_DTYPES = ["string", *(["str"] if pd.__version__ >= "3" else []), *ARROW]

CALLS = {
    "astype(int)": lambda series: series.astype(int),
    "astype(float)": lambda series: series.astype(float),
    "int()": lambda series: [int(each) for each in series],
    "float()": lambda series: [float(each) for each in series],
    "to_numeric": pd.to_numeric,
    "to_datetime": pd.to_datetime,
}


def raised(to, series):
    """Return what the conversion raises, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            CALLS[to](series)
        except Exception as error:  # noqa: BLE001 - whatever pandas raises
            return error
    return None


def check(to, series):
    """Compare the answer about a Series with what pandas does; return the answer, or None if it is refused."""
    error = raised(to, series)
    found = reply("cast", series, to=to)
    if found["status"] == "refused":
        return None
    proof, found = found.get("proof", {}), found["answer"]
    assert found["rejects"] is (error is not None), (to, series.tolist(), found, error)
    if error is None:
        return found
    place = found["rejected_at"]
    if to != "to_datetime":
        assert raised(to, series.iloc[:place]) is None, "an earlier one is rejected"
        assert raised(to, series.iloc[: place + 1]) is not None
    if "exception" in found:
        assert found["exception"].rpartition(".")[2] == type(error).__name__
    if "message" in proof:
        assert str(error).startswith(proof["message"][:200])
    return found


def test_every_conversion_is_tried():
    assert set(CALLS) == set(CONVERSIONS)


@pytest.mark.parametrize("to", CONVERSIONS)
@pytest.mark.parametrize("value", [*VALUES, *ODD], ids=lambda value: repr(value)[:30].partition(" object at")[0])
def test_a_value_is_rejected_as_pandas_rejects_it(to, value):
    series = pd.Series([None], dtype=object)
    series.iloc[0] = value
    check(to, series)
    for before in ("7", 7, 7.5, None):
        check(to, pd.Series([before, value, "9", value], dtype=object))


@pytest.mark.parametrize("dtype", TEXT_DTYPES, ids=str)
@pytest.mark.parametrize("to", CONVERSIONS)
def test_texts_of_other_dtypes_are_rejected_as_pandas_rejects_them(to, dtype):
    told = 0
    for value in [each for each in VALUES if each is None or (type(each) is str and each != "\ud800")]:
        series = pd.Series(["7", value, "8", value], dtype=dtype)
        told += check(to, series) is not None
    if str(dtype) in ("string", "str") and to != "to_datetime":
        assert told > 20


NUMBERS = {
    "floats": pd.Series([1.0, 2.5, -3.0]),
    "nan": pd.Series([1.0, np.nan, np.inf]),
    "inf": pd.Series([1.0, -np.inf, np.nan]),
    "huge": pd.Series([1e20]),
    "short": pd.Series([1, 2], dtype="int8"),
    "unsigned": pd.Series([2**64 - 1], dtype="uint64"),
    "single": pd.Series([1.5, np.nan], dtype="float32"),
    "bools": pd.Series([True, False]),
    "nullable": pd.Series([1, None], dtype="Int64"),
    "nullable floats": pd.Series([1.5, None], dtype="Float64"),
    "nullable bools": pd.Series([True, None], dtype="boolean"),
    "complex": pd.Series([1j]),
    "dates": pd.Series(pd.to_datetime(["2024-01-01", None])),
    "zoned": pd.Series(pd.to_datetime(["2024-01-01"], utc=True)),
    "spans": pd.Series(pd.to_timedelta([1, 2])),
    "categories": pd.Series(pd.Categorical(["1", "x"])),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 1, 0])),
    "periods": pd.Series(pd.period_range("2024", periods=2)),
    "empty": pd.Series([], dtype=object),
    "no floats": pd.Series([], dtype=float),
}


@pytest.mark.parametrize("to", CONVERSIONS)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_rejected_as_pandas_rejects_them(name, to):
    check(to, NUMBERS[name])


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("nan", "astype(int)"),
        ("inf", "int()"),
        ("floats", "astype(int)"),
        ("short", "astype(float)"),
        ("empty", "int()"),
    ],
)
def test_numbers_are_told(name, to):
    assert check(to, NUMBERS[name]) is not None


DATES = [
    *("abc", "May", "Monday", "now", "today", "2024-13-45", "x 1", "", "NaT", "nan", "None", "a", "UTC", "AM", "12"),
    *("1.5", "hello world", "unknown", "N/A", "NULL", "-", "?", " ", "Q", "q1", "st", "and", "T", "Z", "mon", "sept"),
    *(
        "missing",
        "not available",
        "NA",
        "<NA>",
        "TODAY",
        "Now",
        "15/01/2024",
        "2024-01-15 10:00",
        "2024-02-30",
        "10:00",
    ),
    *(
        "2024-01-15 10:00:00",
        "2024-01-15 24:00",
        "2024-1-5",
        "20240115",
        "Jan 5, 2024",
        "2024-01-15T10:00:00Z",
        "1/2",
        "am/pm",
        None,
        float("nan"),
        7,
        True,
        1.5,
    ),
    *("0001-01-01", "2262-12-31", "1677-01-01", "1800-01-01", "2199-12-28", " 2024-01-01", "2024-01-01 ", "½", "٢"),
]


@pytest.mark.parametrize("value", DATES, ids=repr)
@pytest.mark.parametrize(
    "before", [[], ["2024-01-31"], [None, "2024-01-01"], ["2024-01-01 10:00"], ["2024-01-01 10:00:59"]], ids=repr
)
def test_a_text_is_no_date_only_if_pandas_says_so(value, before):
    check("to_datetime", pd.Series([*before, value], dtype=object))
    check("to_datetime", pd.Series([*before, value, "2024-03-01"], dtype=object))


def test_words_are_no_dates():
    found = answer("cast", pd.Series(["2024-01-01", None, "unknown"], dtype=object), to="to_datetime")
    assert (found["rejects"], found["rejected_at"]) == (True, 2)
    assert answer("cast", pd.Series(["2024-01-01", None], dtype=object), to="to_datetime")["rejects"] is False


def test_the_value_is_shown_to_the_user_alone_unless_the_level_allows_it():
    frame = pd.DataFrame({"price": ["10", "$1,200"]}, index=["a", "b"])
    found = reply("cast", frame, to="astype(float)", name="price")
    assert "1,200" not in json.dumps(found["answer"])
    assert found["proof"] == {"value": "'$1,200'", "message": "could not convert string to float: '$1,200'"}
    assert (found["answer"]["rejected_at"], found["answer"]["label"]) == (1, "b")
    assert reply("cast", frame, to="int()", name="price", privacy="values")["answer"]["rejected"] == "'$1,200'"


def test_lists_are_converted_by_python():
    found = answer("cast", ["1", 2, "x"], to="int()")
    assert (found["rejects"], found["rejected_at"], found["exception"]) == (True, 2, "ValueError")
    assert answer("cast", ("1", 2.5), to="float()")["rejects"] is False


def test_a_long_column_is_looked_at_up_to_a_limit():
    series = pd.Series(["1"] * 300_000 + ["x"], dtype=object)
    found = answer("cast", series, to="astype(int)")
    assert found["rejects"] is None
    assert found["looked_at"] < found["length"] == 300_001


# -- Conditions -------------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 0, -4, 5, 5],
        "m": pd.array([1, 0, 3, 200, 5, 0], dtype="uint8"),
        "x": [1.5, np.nan, 0.0, -2.0, np.inf, 5.0],
        "ok": [True, False, True, True, False, False],
        "city": pd.Series(["Rome", "Oslo", "", "Rome", "Bern", "x"], dtype=object),
        "gap": pd.Series(["a", None, "b", np.nan, "", "ab"], dtype=object),
        "text": pd.Series(["a", None, "b", "", "ab", "a"], dtype="str" if pd.__version__ >= "3" else object),
        "na": pd.array(["a", None, "b", "", "ab", "a"], dtype="string"),
        "full": pd.array(["a", "c", "b", "", "ab", "a"], dtype="string"),
        "kind": pd.Categorical(["u", "v", None, "u", "u", "v"]),
        "day": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2023-05-05", "2024-01-01", "2025-01-01"]),
        "some": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
        "every": pd.array([1, 2, 3, 4, 5, 6], dtype="Int64"),
        "odd one": [1, 2, 3, 4, 5, 6],
        "mixed": pd.Series([1, "a", None, 2.5, [1], "b"], dtype=object),
        "sparse": pd.arrays.SparseArray([0, 0, 1, 0, 2, 0]),
    }
)

CONDITIONS = {
    # What is asked, and the same as pandas is asked for it.
    "n > 1": "df.n > 1",
    "1 < n": "1 < df.n",
    "n == 5 and x > 0": "(df.n == 5) & (df.x > 0)",
    "n == 5 or not x > 0": "(df.n == 5) | ~(df.x > 0)",
    "(n == 5) | (x < 0) & ok": "(df.n == 5) | (df.x < 0) & df.ok",
    "~ok": "~df.ok",
    "ok": "df.ok",
    "ok == True": "df.ok == True",
    "not ok and n > 0": "~df.ok & (df.n > 0)",
    "x != x": "df.x != df.x",
    "x == 5": "df.x == 5",
    "x >= n": "df.x >= df.n",
    "-5 < x <= 1.5": "(-5 < df.x) & (df.x <= 1.5)",
    "n / m > 1": "df.n / df.m > 1",
    "n / 0 > 1": "df.n / 0 > 1",
    "x / n != 1": "df.x / df.n != 1",
    "n % 3 == 2": "df.n % 3 == 2",
    "x % 2 == 1": "df.x % 2 == 1",
    "n + m * 2 - 1 > 8": "df.n + df.m * 2 - 1 > 8",
    "(n + m) * 2 > 8": "(df.n + df.m) * 2 > 8",
    "m * 2 == 144": "df.m * 2 == 144",
    "m - 1 > 100": "df.m - 1 > 100",
    "-n > 1": "-df.n > 1",
    "m > -1": "df.m > -1",
    "m < 1000": "df.m < 1000",
    "1e3 > x": "1e3 > df.x",
    "n in [1, 5]": "df.n.isin([1, 5])",
    "n not in [1, 5]": "~df.n.isin([1, 5])",
    "x in [1.5, -2,]": "df.x.isin([1.5, -2])",
    "n.isin([])": "df.n.isin([])",
    "x.isna()": "df.x.isna()",
    "gap.isnull() or ok": "df.gap.isnull() | df.ok",
    "some.notna()": "df.some.notna()",
    "day.isna()": "df.day.isna()",
    "kind.isna()": "df.kind.isna()",
    "mixed.isna()": "df.mixed.isna()",
    "city == 'Rome'": "df.city == 'Rome'",
    'city != "Rome"': "df.city != 'Rome'",
    "city < 'S'": "df.city < 'S'",
    "'S' > city": "'S' > df.city",
    "gap == 'a'": "df.gap == 'a'",
    "gap != 'a'": "df.gap != 'a'",
    "gap < 'b'": "df.gap < 'b'",
    "gap == city": "df.gap == df.city",
    "gap != city": "df.gap != df.city",
    "text == 'a'": "df.text == 'a'",
    "text != 'a'": "df.text != 'a'",
    "text < 'b'": "df.text < 'b'",
    "na == 'a'": "df.na == 'a'",
    "na != 'a'": "df.na != 'a'",
    "full != 'a'": "df.full != 'a'",
    "full >= 'ab'": "df.full >= 'ab'",
    "city in ['Rome', 'x']": "df.city.isin(['Rome', 'x'])",
    "gap not in ['a']": "~df.gap.isin(['a'])",
    "na in ['a']": "df.na.isin(['a'])",
    "kind in ['u', 'zz']": "df.kind.isin(['u', 'zz'])",
    "kind == 'u'": "df.kind == 'u'",
    "kind != 'u'": "df.kind != 'u'",
    "kind == 'zz'": "df.kind == 'zz'",
    "kind < 'v'": "df.kind < 'v'",
    "len(city) > 3": "df.city.str.len() > 3",
    "gap.str.len() != 1": "df.gap.str.len() != 1",
    "na.str.len() > 0": "df.na.str.len() > 0",
    "city.str.contains('o')": "df.city.str.contains('o')",
    "city.str.contains('.')": "df.city.str.contains('.')",
    "~city.str.startswith('R')": "~df.city.str.startswith('R')",
    "city.str.endswith('e') and n > 0": "df.city.str.endswith('e') & (df.n > 0)",
    "gap.str.contains('a')": "df.gap.str.contains('a')",
    "gap.str.contains('a', na=False)": "df.gap.str.contains('a', na=False)",
    "text.str.contains('a')": "df.text.str.contains('a')",
    "kind.str.contains('u', na=False)": "df.kind.str.contains('u', na=False)",
    "day > '2024-01-01'": "df.day > '2024-01-01'",
    "day == '2024-01-01 00:00:00'": "df.day == '2024-01-01 00:00:00'",
    "day != '2024-01-01'": "df.day != '2024-01-01'",
    "day <= day": "df.day <= df.day",
    "every > 3": "df.every > 3",
    "some > 3": "df.some > 3",
    "`odd one` > 3": "df['odd one'] > 3",
    "df['odd one'] > 3 and df.n > 0": "(df['odd one'] > 3) & (df.n > 0)",
    "sparse > 0": "df['sparse'].array.to_dense() > 0",
    "n > 1 & m": "df.n > (1 & df.m)",
    "n % 0 == 1": "df.n % 0 == 1",
    "n == 'a'": "df.n == 'a'",
    "city == 1": "df.city == 1",
    "city > 1": "df.city > 1",
    "n + ok > 1": "df.n + df.ok > 1",
}
REFUSED = {
    *("gap < 'b'", "na != 'a'", "na == 'a'", "kind < 'v'", "na.str.len() > 0", "city.str.contains('.')", "some > 3"),
    *("gap.str.contains('a')", "n > 1 & m", "n % 0 == 1", "n == 'a'", "city == 1", "city > 1", "n + ok > 1"),
}
if pd.__version__ < "3":
    REFUSED |= {"text < 'b'", "text.str.contains('a')"}


@pytest.mark.parametrize("where", CONDITIONS)
def test_a_condition_holds_where_pandas_says_so(where):
    found = reply("rows", FRAME, where=where)
    if where in REFUSED:
        assert found["status"] == "refused", found
        return
    expected = np.asarray(eval(CONDITIONS[where], {"df": FRAME})).nonzero()[0].tolist()
    assert found["status"] == "ok", found
    assert (found["answer"]["count"], found["answer"]["positions"]) == (len(expected), expected)
    for empty in (FRAME.iloc[:0], FRAME.iloc[3:4], pd.concat([FRAME, FRAME])):
        told = reply("rows", empty, where=where)
        if told["status"] == "ok":
            expected = np.asarray(eval(CONDITIONS[where], {"df": empty})).nonzero()[0].tolist()
            assert (told["answer"]["count"], told["answer"]["positions"]) == (len(expected), expected[:10])


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ("n.sum() > 1", "'.sum'"),
        ("__import__('os')", "\"( 'os' )\""),
        ("n > 1; m", "'; m'"),
        ("n ** 2 > 1", "'**'"),
        ("n // 2 > 1", "'//'"),
        ("[n for n in m]", "'for n in m ]'"),
        ("lambda: n", "': n'"),
        ("n > ", "'the end'"),
        ("n > (1", "'the end'"),
        ("n if ok else m", "'if ok else m'"),
        ("n == '\\x41'", "x41"),
        ("n.__class__", "'.__class__'"),
        ("missing > 1", "no column 'missing'"),
        ("n", "'n' is no condition"),
        ("n + 1", "is no condition"),
        ("", "'the end'"),
        ("True", "is no condition"),
        ("n > 1 and m", "'m' is no condition"),
        ("(" * 60 + "n" + ")" * 60 + "> 1", "nested too deeply"),
        ("n > 99999999999999999999", "64 bits"),
        ("city.str.contains(n)", "'n )'"),
        ("day > 'yesterday'", "dates are compared with 'yesterday'"),
        ("day > '2024-99-01'", "dates are compared with"),
        ("n.str.len() > 1", "only texts have lengths"),
        ("mixed == 'a'", "'mixed' holds objects"),
    ],
)
def test_what_is_not_allowed_in_a_condition_is_named(where, part):
    found = reply("rows", FRAME, where=where)
    assert found["status"] == "refused"
    assert part in found["reason"]


def test_a_condition_on_a_long_frame_says_how_far_it_looked():
    frame = pd.DataFrame({"n": np.arange(4_000_000), "t": pd.Series(["a"] * 4_000_000, dtype=object)})
    assert answer("rows", frame, where="n >= 3999999")["positions"] == [3_999_999]
    found = answer("rows", frame, where="t == 'a'")
    assert found["count"] == found["looked_at"] < found["length"]


def test_numbers_settings_of_numpy_stay_as_they_are():
    before = np.geterr()
    answer("rows", FRAME, where="n / 0 > 1 and x / n != 1")
    assert np.geterr() == before
