"""Attributes as Python itself finds them, and never by running code: `getattr` is the oracle."""

import abc
import array
import collections
import ctypes
import decimal
import functools
import gc
import math
import sys
import types
import weakref

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from crane_agent.in_kernel import safe


def look(value, name):
    """Return what `safe.attribute` says, or "refused"."""
    try:
        return safe.attribute(value, name)
    except safe.Refused:
        return "refused"


def ask_python(value, name):
    try:
        return getattr(value, name)
    except AttributeError:
        return safe.ABSENT


# Python makes these anew each time it is asked.
FRESH = (int, float, str, tuple, types.MappingProxyType, type(np.zeros(1).flags), torch.device, torch.Size)
BOUND = (types.MethodType, safe.BuiltinFunctionType, type([].__len__))


def same(found, expected):
    if found is expected:
        return True
    if type(found) is not type(expected):
        return False
    return found == expected if type(found) in BOUND else type(found) in FRESH and str(found) == str(expected)


class Base:
    shared = (1,)

    def method(self):
        return 1

    @staticmethod
    def static(a):
        return a

    @classmethod
    def made(cls):
        return cls()

    @property
    def computed(self):
        raise AssertionError("a property was run")

    @functools.cached_property
    def cached(self):
        raise AssertionError("a cached property was run")


class Model(Base):
    def __init__(self):
        self.w = [1, 2]
        self.method_like = len
        self.shared = [2]


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1


class SlottedAndMore(Slotted):
    def __init__(self):
        super().__init__()
        self.c = 3


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 3)
        self.gain = torch.nn.Parameter(torch.ones(1))
        self.register_buffer("seen", torch.zeros(1))
        self.register_parameter("nothing", None)

    def forward(self, x):
        return x


Point = collections.namedtuple("Point", "x y")

OBJECTS = {
    "object": Model(),
    "slots": Slotted(),
    "slots and dict": SlottedAndMore(),
    "class": Model,
    "class with slots": Slotted,
    "abstract class": collections.abc.Sized,
    "module": math,
    "module of ours": safe,
    "network": Network(),
    "list": [1],
    "text": "a",
    "dict": {"a": 1},
    "tuple": (1,),
    "set": {1},
    "int": 1,
    "float": 1.5,
    "complex": 1j,
    "bool": True,
    "range": range(3),
    "slice": slice(1),
    "bytes": b"a",
    "generator": (x for x in ()),
    "function": look,
    "lambda": lambda: 1,
    "built-in function": len,
    "named tuple": Point(1, 2),
    "defaultdict": collections.defaultdict(list),
    "Counter": collections.Counter(),
    "OrderedDict": collections.OrderedDict(),
    "deque": collections.deque(),
    "partial": functools.partial(len),
    "exception": ValueError("x"),
    "array": np.zeros((2, 3)),
    "number of numpy": np.float64(1),
    "series": pd.Series([1]),
    "frame": pd.DataFrame({"a": [1]}),
    "index": pd.Index(["a"]),
    "tensor": torch.zeros(2),
    "parameter": torch.nn.Parameter(torch.zeros(2)),
    "estimator": LinearRegression(),
    "namespace": types.SimpleNamespace(a=1),
    "class of Python": dict,
    "class of numpy": np.ndarray,
    "class of torch": torch.nn.Linear,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_attribute_is_what_python_finds_or_refused(name):
    value = OBJECTS[name]
    answered = 0
    for attribute in [*dir(value), "no_such_attribute"]:
        found = look(value, attribute)
        if type(found) is str and found == "refused":
            continue
        with np.errstate(all="ignore"):
            expected = ask_python(value, attribute)
        assert same(found, expected), f"{attribute}: {found!r}, expected {expected!r}"
        answered += 1
    assert answered > 5


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("object", ["w", "method", "static", "made", "shared", "method_like"]),
        ("slots", ["a"]),
        ("slots and dict", ["a", "c"]),
        ("class", ["shared", "method", "static", "made", "__name__", "__mro__", "computed"]),
        ("class with slots", ["a"]),
        ("module", ["sqrt", "pi"]),
        ("network", ["layer", "gain", "seen", "nothing", "forward", "parameters", "training"]),
        ("list", ["append", "sort"]),
        ("text", ["split", "upper"]),
        ("dict", ["get", "items", "fromkeys"]),
        ("named tuple", ["x", "y", "_replace", "_fields"]),
        ("defaultdict", ["default_factory", "get"]),
        ("array", ["shape", "dtype", "reshape", "ndim"]),
        ("tensor", ["shape", "dtype", "device", "view"]),
        ("frame", ["drop", "groupby", "merge"]),
        ("series", ["mean", "apply"]),
        ("estimator", ["fit", "predict", "fit_intercept"]),
        ("function", ["__name__", "__code__"]),
        ("exception", ["args", "with_traceback"]),
        ("range", ["start", "index"]),
        ("class of Python", ["fromkeys", "get"]),
        ("class of numpy", ["reshape", "shape"]),
    ],
)
def test_ordinary_attributes_are_found(name, attributes):
    for attribute in attributes:
        if attribute == "args":  # a field that only C knows of
            continue
        assert look(OBJECTS[name], attribute) not in ("refused", safe.ABSENT), attribute


@pytest.mark.parametrize("name", sorted(set(OBJECTS) - {"frame", "series"}))
def test_what_is_not_there_is_absent(name):
    assert look(OBJECTS[name], "no_such_attribute") is safe.ABSENT


def test_an_empty_slot_is_absent_unless_the_class_computes_attributes():
    class Computing(Slotted):
        __slots__ = ()

        def __getattr__(self, name):
            return 1

    assert look(Slotted(), "b") is safe.ABSENT
    assert look(Computing(), "b") == "refused"
    assert look(Computing(), "a") == 1


class Meta(type):
    def __getattr__(cls, name):
        raise AssertionError("a metaclass was asked")


class Hidden:
    __dict__ = property(lambda self: {})

    def method(self):
        return 1


class Strict:
    def __getattribute__(self, name):
        raise AssertionError("an attribute was computed")


class Lazy(types.ModuleType):
    def __getattr__(self, name):
        raise AssertionError("a module was asked")


class Borrowing:
    a = Slotted.a


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Model, "computed"),
        (Model, "cached"),
        (Model, "__class__"),
        (lambda: Model, "__doc__"),
        (lambda: Model, "__annotations__"),
        (lambda: look, "__annotations__"),
        (lambda: Meta("Made", (), {}), "a"),
        (Meta("Made", (), {}), "__class__"),
        (Hidden, "method"),
        (Hidden, "a"),
        (Strict, "a"),
        (lambda: Lazy("lazy"), "a"),
        (Borrowing, "a"),
        (lambda: pd.Series([1]), "no_such_attribute"),
        (pd.DataFrame, "shape"),
        (lambda: types.MethodType(look, 1), "__name__"),
        (lambda: list[int], "__origin__"),
    ],
)
def test_what_code_computes_is_refused(make, name):
    assert look(make(), name) == "refused"


def test_a_module_that_computes_attributes_is_refused():
    module = types.ModuleType("lazy")
    module.a = 1
    module.__getattr__ = lambda name: 1
    assert (look(module, "a"), look(module, "b")) == (1, "refused")


def test_a_class_put_in_the_place_of_a_librarys_own_is_not_the_librarys(monkeypatch):
    class Frame(pd.DataFrame):
        pass

    monkeypatch.setattr(pd, "DataFrame", Frame)
    assert not safe.is_exactly(Frame(), "pandas", "DataFrame")


@pytest.mark.skipif(sys.implementation.name != "cpython" or sys.maxsize < 2**32, reason="reads CPython's structures")
@pytest.mark.parametrize("kind", [*safe._SEARCHED_LIKE_OBJECT, np.ndarray])
def test_the_types_said_to_search_like_object_have_its_search(kind):
    # `tp_getattro` is the 18th field of a type object; `decimal.Decimal` shows that there are others that have it.
    def search_of(cls):
        return ctypes.c_void_p.from_address(id(cls) + 18 * 8).value

    assert search_of(kind) == search_of(object) == search_of(decimal.Decimal)
    assert search_of(type) != search_of(object) != search_of(types.MethodType)


# -- Random class hierarchies ---------------------------------------------------------------------------------------

NAMES = ["a", "b", "c"]


class Field:
    """A descriptor of the user's."""

    def __get__(self, owner, kind=None):
        raise AttributeError("computed")


class DataField(Field):
    def __set__(self, owner, value):
        pass


def raising(self):
    raise AttributeError("computed")


ENTRIES = st.sampled_from(["value", "method", "static", "class method", "property", "field", "data field"])


def made_entry(kind):
    return {
        "value": [kind],
        "method": lambda self: 1,
        "static": staticmethod(len),
        "class method": classmethod(lambda cls: 1),
        "property": property(raising),
        "field": Field(),
        "data field": DataField(),
    }[kind]


CLASS = st.fixed_dictionaries(
    {
        "entries": st.dictionaries(st.sampled_from(NAMES), ENTRIES, max_size=3),
        "slots": st.none() | st.lists(st.sampled_from(NAMES), unique=True),
        "getattr": st.sampled_from([None, None, None, "answers", "raises"]),
        "abstract": st.booleans(),
    }
)


@st.composite
def objects(draw):
    bases = (draw(st.sampled_from([object, object, dict, list, Exception])),)
    for number, each in enumerate(draw(st.lists(CLASS, min_size=1, max_size=3))):
        body = {name: made_entry(kind) for name, kind in each["entries"].items()}
        if each["slots"] is not None:
            body["__slots__"] = [name for name in each["slots"] if name not in body]
        if each["getattr"] is not None:
            answers = each["getattr"] == "answers"
            body["__getattr__"] = (lambda self, name: 1) if answers else (lambda self, name: raising(self))
        kind = abc.ABCMeta if each["abstract"] else type(bases[0])
        bases = (kind(f"Class{number}", bases, body),)
    value = bases[0]()
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        try:
            setattr(value, name, [name])
        except AttributeError:
            continue
    return value


@settings(max_examples=400, deadline=None)
@given(objects(), st.sampled_from(NAMES))
def test_absent_is_claimed_only_where_python_raises_attribute_error(value, name):
    for owner in (value, type(value)):
        found = look(owner, name)
        if type(found) is not str:
            assert same(found, ask_python(owner, name))


# -- Keys and plain values ------------------------------------------------------------------------------------------


class Trap:
    def __hash__(self):
        return hash("a")

    def __eq__(self, other):
        raise AssertionError("a key was compared")


@pytest.mark.parametrize(
    ("table", "plain"),
    [
        ({}, True),
        ({"a": Trap()}, True),
        ({1: 1, "a": 2, None: 3, (1, "x"): 4}, True),
        ({Trap(): 1}, False),
        ({(1, Trap()): 1}, False),
        ({frozenset(): 1}, False),
        (collections.OrderedDict(a=1), True),
    ],
)
def test_keys_are_plain_if_a_look_up_runs_no_code(table, plain):
    assert safe.has_plain_keys(table) is plain


class Text(str):
    pass


class Thing:
    pass


CHANGES = st.lists(
    st.sampled_from(["text", "number", "text of a class", "pair", "delete", "pop", "clear", "copy", "many"]), max_size=8
)


def changed(table, changes, number):
    for place, change in enumerate(changes):
        if change in ("text", "number", "text of a class", "pair"):
            key = {"text": f"t{place}", "number": place, "text of a class": Text("x"), "pair": (1,)}[change]
            table[key] = 1
        elif change == "delete" and table:
            del table[next(iter(table))]
        elif change == "pop" and table:
            table.popitem()
        elif change == "clear":
            table.clear()
        elif change == "copy":
            table = table.copy()
        elif change == "many":
            table.update({f"m{each}": each for each in range(number)})
    return table


def of_instance(names):
    thing = Thing()
    for name in names:
        setattr(thing, name, 1)
    return thing.__dict__


MAKERS = [
    dict.fromkeys,
    of_instance,
    lambda names: (lambda **more: more)(**dict.fromkeys(names)),
    collections.OrderedDict.fromkeys,
    lambda names: collections.defaultdict(list, dict.fromkeys(names)),
    lambda names: vars(types.SimpleNamespace(**dict.fromkeys(names))),
]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(MAKERS), st.integers(0, 400), CHANGES)
def test_keys_are_texts_at_a_glance_only_where_they_are(make, number, changes):
    table = changed(make([f"k{each}" for each in range(number)]), changes, number)
    expected = all(type(key) is str for key in table)
    assert safe.keeps_texts(table) is expected
    if safe._keys_size(table) in safe._SIZES_WITH_TEXTS:
        assert expected


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older Pythons keep the hashes of texts, too")
@pytest.mark.parametrize("size", [0, 1, 100, 100_000])
def test_the_keys_of_a_namespace_are_not_scanned(size, monkeypatch):
    def scan(table):
        raise AssertionError("the keys were scanned")

    monkeypatch.setattr(safe, "only_texts", scan)
    assert safe.keeps_texts({f"name_{each}": each for each in range(size)})
    assert safe.keeps_texts(vars(np))


def test_a_class_is_scanned_once_in_a_question_and_not_kept():
    gone = []

    class Model:
        a = 1

    weakref.finalize(Model, gone.append, True)
    budget = safe.Budget(5.0, 50)
    assert safe.in_type(Model, "a") == 1
    Model.b = 2
    assert safe.in_type(Model, "b") == 2
    del budget, Model
    gc.collect()
    assert gone == [True]


def test_a_class_with_strange_keys_is_refused_in_every_question():
    Model = type("Model", (), {Trap(): 1})
    for _ in range(2):
        budget = safe.Budget(5.0, 50)
        for _ in range(2):
            with pytest.raises(safe.Refused):
                safe.in_type(Model, "a")
        del budget


def test_a_text_of_another_class_cannot_get_into_a_class_later():
    class Model:
        pass

    setattr(Model, Text("x"), 1)
    assert {type(key) for key in vars(Model)} == {str}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1, True),
        ([1, "a", (2.0, {"k": None})], True),
        (slice(1, 2), True),
        (slice(Trap()), False),
        ([Trap()], False),
        (Point(1, 2), False),
        (array.array("i"), False),
        ([[[[1]]]], False),
        (list(range(3000)), False),
    ],
)
def test_plain_values_are_made_of_built_ins_only(value, plain):
    assert safe.is_plain(value) is plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abc", "abc"),
        ("x" * 300, "x" * 200),
        ("\ud800", "\\ud800"),
        pytest.param(10**6000, "an int of 19932 bits", id="long int"),
        ([1], ""),
        (None, "None"),
    ],
)
def test_texts_are_short_and_can_be_sent(value, text):
    assert safe.text(value) == text
