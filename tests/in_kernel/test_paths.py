"""Paths lead where Python's own expressions lead, run none of the user's code, and say where and why they stop."""

import ast
import collections
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from crane_agent.in_kernel import paths, safe

Point = collections.namedtuple("Point", "x y")


class Config:
    def __init__(self):
        self.x = [{"deep": (1, "a")}]

    @property
    def computed(self):
        raise AssertionError("a property was run")


class Items(dict):
    def __getitem__(self, key):
        raise AssertionError("an item was computed")


SPACE = {
    "cfg": {
        "train": Config(),
        3: "three",
        True: "one",
        1.5: "fraction",
        None: "nothing",
        ("a", 1): "pair",
        ("a",): "single",
        (): "empty",
        (("a", 1), None): "nested",
        "it's": "quote",
        'say "x"': "quotes",
        "a\\b": "backslash",
        "tab\t": "tab",
        "é": "letter",
        b"\x00a": "bytes",
        -7: "negative",
        -0.25: "negative fraction",
        "": "no letters",
        "]": "bracket",
    },
    "items": Items(a=1),
    "point": Point({"a": 1}, [2]),
    "queue": collections.deque(["a", "b"]),
    "text": "hello",
    "steps": range(5, 50, 5),
    "grid": np.arange(12.0).reshape(3, 4),
    "things": np.array([Config(), [1], "x"], dtype=object),
    "records": np.zeros(2, dtype=[("a", int)]),
    "stamps": np.array(["2024-01-01"], "M8[D]"),
    "frame": pd.DataFrame({"price": [1.0], 7: [2], "it's": [3]}),
    "levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "net": torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ModuleList([torch.nn.ReLU()])),
    "parts": torch.nn.ModuleDict({"head": torch.nn.Linear(1, 1)}),
    "tensor": torch.zeros(3),
    "series": pd.Series([1]),
    "counter": collections.Counter("aab"),
    "default": collections.defaultdict(list, a=[1]),
}

WALKS = [
    "cfg['train'].x[0]['deep'][-1]",
    'cfg[ "train" ].x[-1]',
    "cfg[3][0]",
    "cfg[True]",
    "cfg[1]",
    "cfg[1.0]",
    "cfg[1.5]",
    "cfg[15e-1]",
    "cfg[.15e1]",
    "cfg[None]",
    "cfg['a', 1]",
    "cfg[('a', 1)]",
    "cfg[('a',)]",
    "cfg['a',]",
    "cfg[(3)]",
    "cfg[()]",
    "cfg[('a', 1), None]",
    r"cfg['it\'s']",
    """cfg["it's"]""",
    r"cfg['say \"x\"']",
    r"cfg['a\\b']",
    r"cfg['tab\t']",
    r"cfg['tab\x09']",
    r"cfg['\u00e9']",
    "cfg['é']",
    r"cfg[b'\x00a']",
    "cfg[-7]",
    "cfg[+3]",
    "cfg[-.25]",
    "cfg['']",
    "cfg[']']",
    "point.x['a']",
    "point[1][0]",
    "point[True][0]",
    "queue[-1]",
    "text[1]",
    "steps[2]",
    "grid[1, 2]",
    "grid[-1][3]",
    "things[0].x",
    "things[-2][0]",
    "stamps[0]",
    "frame['price']",
    "frame.price",
    "frame[7]",
    """frame["it's"]""",
    "levels['a', 1]",
    "net[0].weight",
    "net[1][0]",
    "net[-2].bias",
    "parts['head']",
    "counter['a']",
    "default['a'][0]",
]


def same(found, expected):
    if type(found) is not type(expected):
        return False
    if type(expected) in (np.ndarray, pd.Series):
        return np.array_equal(found, expected)
    return found is expected or bool(found == expected)


@pytest.mark.parametrize("path", WALKS)
def test_a_path_leads_where_python_leads(path):
    assert same(paths.resolve(path, SPACE), eval(path, dict(SPACE)))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("zzz.a", "the name 'zzz' is not defined"),
        ("cfg['trian']", "cfg has no key 'trian'"),
        ("cfg[False]", "cfg has no key False"),
        ("cfg['train'].y", "cfg['train'] (test_paths.Config) has no attribute 'y'"),
        ("cfg['train'].computed", "Config.computed is computed by code (at cfg['train'].computed)"),
        ("cfg['train'].x[2]", "cfg['train'].x has 1 items and no item 2"),
        ("cfg['train'].x['a']", "cfg['train'].x has 1 items and no item 'a'"),
        ("cfg['train'].x[0.0]", "cfg['train'].x has 1 items and no item 0.0"),
        ("items['a']", "items of items (test_paths.Items) are computed by code"),
        ("tensor[0]", "items of tensor (torch.Tensor) are computed by code"),
        ("series[0]", "items of series (pandas.Series) are computed by code"),
        ("grid[3]", "grid of shape (3, 4) has no item 3"),
        ("grid[0, 0, 0]", "grid of shape (3, 4) has no item (0, 0, 0)"),
        ("grid['a']", "grid is an array: only whole numbers lead into it"),
        ("grid[True]", "grid is an array: only whole numbers lead into it"),
        ("records[0]", "records is an array: only whole numbers lead into it"),
        ("frame['Price']", "frame has no single column 'Price'"),
        ("default['b']", "default has no key 'b' and would compute one"),
        ("counter['z']", "counter has no key 'z' and would compute one"),
        ("net[2]", "net has 2 items and no item 2"),
        ("parts['tail']", "parts has no key 'tail'"),
    ],
)
def test_a_refusal_says_where_and_why_it_stopped(path, reason):
    with pytest.raises(safe.Refused) as refused:
        paths.resolve(path, SPACE)
    assert refused.value.reason == "could not look, because " + reason


@pytest.mark.parametrize(
    "text",
    [
        "cfg()",
        "cfg[1:2]",
        "cfg[x]",
        "cfg[1+1]",
        "cfg[]",
        "cfg['a'",
        "cfg['a' 'b']",
        "cfg[f'a']",
        "cfg[r'a']",
        r"cfg['\0']",
        r"cfg['\N{DASH}']",
        "cfg[['a']]",
        "cfg[1_000]",
        "cfg[0x10]",
        "cfg[1j]",
        "cfg[Nonesuch]",
        "cfg[" + "9" * 30 + "]",
        "cfg[" + "(" * 20 + "1" + ",)" * 20 + "]",
        "cfg.",
        "cfg..a",
        ".a",
        "1",
        "",
        "cfg a",
        "cfg['a\nb']",
        "a" * 3000,
    ],
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(safe.Refused, match="path"):
        paths.parse(text)


KEYS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(KEYS)
@example("\\'\"")
@example(-0.0)
@example(1e300)
def test_every_literal_that_is_taken_is_read_as_python_reads_it(key):
    text = f"x[{key!r}]"
    try:
        (step,) = paths.parse(text).steps
    except safe.Refused:
        assert len(text) > 200 or "\\U0010" in text or text.count("(") > paths.MAX_NESTING
        return
    assert step == ("item", key)
    assert repr(step[1]) == repr(key)


@given(st.text(alphabet="ab'\"\\[](), .01e-+xu\nTrueNone", max_size=20))
def test_a_text_that_is_taken_is_python_with_the_same_meaning(inner):
    text = f"x[{inner}]"
    try:
        path = paths.parse(text)
    except safe.Refused:
        return
    node = ast.parse(text.strip(), mode="eval").body
    for kind, step in reversed(path.steps):
        if kind == "attribute":
            assert (type(node), node.attr) == (ast.Attribute, step)
        else:
            assert repr(ast.literal_eval(node.slice)) == repr(step)
        node = node.value
    assert node.id == path.name


class Key:
    def __hash__(self):
        return hash("it")

    def __eq__(self, other):
        raise AssertionError("a key was compared")


def test_a_name_is_not_looked_up_among_strange_ones():
    with pytest.raises(safe.Refused, match="some names in the kernel are no plain texts"):
        paths.resolve("it", {Key(): 1})


def test_items_of_an_array_leave_it_as_it_is():
    array = SPACE["grid"]
    before = (array.flags.writeable, array.tobytes())
    part = paths.resolve("grid[1]", SPACE)
    assert part.base is array or part.base is array.base
    assert (array.flags.writeable, array.tobytes()) == before


def test_a_list_that_lies_about_its_length_is_read_past_it():
    class Liar(list):
        def __len__(self):
            raise AssertionError("a length was computed")

    assert paths.resolve("it[1]", {"it": Liar([1, 2])}) == 2


def test_attributes_of_a_namespace_are_found():
    assert paths.resolve("it.a.b", {"it": SimpleNamespace(a=SimpleNamespace(b=3))}) == 3
