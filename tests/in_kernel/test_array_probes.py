"""What is told of arrays, tensors and lists; numpy and torch are the oracle."""

import collections
import math
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crane_agent.in_kernel import safe
from crane_agent.in_kernel.probes import PROBES, arrays
from crane_agent.in_kernel.readers import combining


def ask(question, space, /, *, level="values", running=False, items=50, **arguments):
    shell = SimpleNamespace(user_ns=space, user_ns_hidden={}, execution_count=1)
    if running:
        shell.displayhook = SimpleNamespace(exec_result=object())
    return PROBES[question](shell, safe.Budget(5.0, items, level), **arguments)


def about(question, value, **more):
    return ask(question, {"it": value}, path="it", **more)


# -- What is in an array ------------------------------------------------------------------------------------------------

SIGNALLING = np.array([0x7FF0000000000001, 0x3FF0000000000000], dtype="u8").view("f8")
ARRAYS = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "nan and infinities": np.array([1.0, np.nan, np.inf, -np.inf, -3.0]),
    "only nan": np.full(3, np.nan),
    "signalling nan": SIGNALLING,
    "half": np.array([1, np.inf, 65504], dtype="f2"),
    "long double": np.array([1.5, np.nan], dtype="g"),
    "other byte order": np.array([1.5, np.nan], dtype=">f4"),
    "whole numbers": np.array([[3, -2], [7, 0]]),
    "large whole numbers": np.array([2**63, 5], dtype="u8"),
    "yes and no": np.array([True, False]),
    "complex": np.array([1 + 1j, complex(np.nan, 0), complex(0, np.inf), complex(np.nan, np.inf)]),
    "order of Fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "every second": np.arange(9.0)[::-2],
    "part": np.arange(24.0).reshape(4, 6)[1:3, ::2],
    "turned": np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
    "broadcast": np.broadcast_to(np.arange(3.0), (4, 3)),
    "no axis": np.array(4.0),
    "empty": np.zeros((0, 3)),
    "read only": np.frombuffer(np.arange(3.0).tobytes()),
    "masked out by hand": np.arange(3.0)[np.array([False] * 3)],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_described_as_numpy_does(name):
    value = ARRAYS[name]
    with np.errstate(all="raise"):
        found = about("array", value)
    nan = np.isnan(value)
    infinite = np.isinf(value) & ~nan
    assert (found["nan"], found["infinite"], found["looked_at"], found["whole"]) == (
        int(nan.sum()),
        int(infinite.sum()),
        value.size,
        True,
    )
    rest = value[~nan & ~infinite] if value.dtype.kind != "c" else np.array([])
    assert ("min" in found) == (rest.size > 0)
    if rest.size:
        assert (found["min"], found["max"]) == (rest.min().item(), rest.max().item())
    orders = {"C": value.flags.c_contiguous, "F": value.flags.f_contiguous}
    assert found["order"] == (" and ".join(order for order, holds in orders.items() if holds) or "neither")
    assert (found["writable"], found["owns_data"]) == (value.flags.writeable, value.flags.owndata)


def test_dates_that_are_missing_are_counted():
    found = about("array", np.array(["2024-01-02", "NaT", "2023-05-05"], dtype="M8[D]"))
    assert (found["nan"], found["min"], found["max"]) == (1, "2023-05-05", "2024-01-02")


def test_the_elements_of_an_object_array_have_types():
    found = about("array", np.array([1, "a", None, math.nan, np.float64("nan")], dtype=object))
    assert found["element_types"] == {"NoneType": 1, "float": 1, "int": 1, "numpy.float64": 1, "str": 1}
    assert (found["nan"], found["looked_at"], found["whole"]) == (1, 5, True)


def test_least_and_greatest_are_for_the_level_of_values_only():
    for level in ("names", "schema"):
        assert not {"min", "max"} & set(about("array", np.arange(3.0), level=level))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("step", [1, 2])
def test_a_large_array_is_sampled_and_says_so(turned, step):
    value = np.zeros((3000, 2000))
    value[:, 1::2] = np.nan
    part = (value.T if turned else value)[::step]
    found = about("array", part)
    assert found["whole"] is False
    assert found["looked_at"] <= arrays.SAMPLE
    assert found["looked_at"] == pytest.approx(arrays.SAMPLE, rel=0.1)


@pytest.mark.parametrize("make", [lambda v: v, lambda v: v[:], np.asarray, lambda v: np.asarray(v)[1:].reshape(-1)])
def test_an_array_in_a_file_is_not_read(tmp_path, make):
    value = make(np.memmap(tmp_path / "x", dtype="f4", mode="w+", shape=(4,)))
    if type(value) is np.ndarray:
        assert about("array", value)["unknown"] == "the array lies in a file"
    else:
        with pytest.raises(safe.Refused):
            about("array", value)


# -- What is in a tensor ------------------------------------------------------------------------------------------------

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
TENSORS = {f"of {name}": torch.tensor([[0, 1, 3], [1, 0, 2]]).to(getattr(torch, name)) for name in DTYPES} | {
    "nan and infinities": torch.tensor([1.0, math.nan, math.inf, -2.0]),
    "turned": torch.arange(6.0).reshape(2, 3).t(),
    "of channels last": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
    "with an offset": torch.arange(10.0)[3:7],
    "no axis": torch.tensor(5.0),
    "empty": torch.zeros(0, 3),
    "leaf": torch.ones(2, requires_grad=True),
    "result": torch.ones(2, requires_grad=True) * 3,
    "parameter": torch.nn.Parameter(torch.full((2, 2), -1.5)),
    "from numpy": torch.from_numpy(np.arange(3.0)),
    "long": torch.arange(100_000),
}


@pytest.mark.parametrize("name", TENSORS)
def test_the_values_of_a_tensor_are_what_torch_says(name):
    value = TENSORS[name]
    found = about("array", value)
    plain = value.detach().to(torch.float64)
    rest = plain[torch.isfinite(plain)]
    assert (found["nan"], found["infinite"]) == (int(plain.isnan().sum()), int(plain.isinf().sum()))
    assert (found["looked_at"], found["whole"]) == (value.numel(), True)
    assert (found["is_leaf"], found["contiguous"], found["layout"]) == (
        value.is_leaf,
        value.is_contiguous(),
        str(value.layout),
    )
    if rest.numel():
        assert (found["min"], found["max"]) == (rest.min().item(), rest.max().item())


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(3, device="meta"),
        torch.eye(3).to_sparse(),
        torch.zeros(4, dtype=torch.bfloat16),
        torch.arange(6)[::2],
        torch.zeros(3).expand(2, 3),
        torch.view_as_complex(torch.zeros(2, 2)).conj(),
        torch.view_as_complex(torch.zeros(2, 2)).conj().imag,
        torch._efficientzerotensor((2,)),
        torch._lazy_clone(torch.ones(3)),
    ],
    ids=[*"abcdefghi"],
)
def test_values_that_do_not_lie_plainly_in_memory_are_unknown(value):
    found = about("array", value)
    assert found["unknown"]
    assert "nan" not in found


def test_a_tensor_is_not_read_while_a_cell_runs():
    assert about("array", torch.ones(2), running=True)["unknown"] == "a cell is running"
    assert about("array", np.ones(2), running=True)["nan"] == 0


def test_a_long_tensor_is_sampled_in_blocks():
    found = about("array", torch.ones(arrays.MOST_SCANNED + 1))
    assert found["whole"] is False
    assert found["looked_at"] == pytest.approx(arrays.SAMPLE, rel=0.1)


def test_looking_at_a_tensor_leaves_it_as_it_was():
    leaf = torch.ones(3, requires_grad=True)
    (leaf * 2).sum().backward()
    plain = torch.arange(4.0)
    before = (plain._version, leaf._version, torch.random.get_rng_state().tolist(), threading.active_count())
    assert about("array", leaf)["has_grad"] is True
    assert about("array", plain)["has_grad"] is False
    assert before == (plain._version, leaf._version, torch.random.get_rng_state().tolist(), threading.active_count())
    plain.resize_(9)  # a tensor that was asked for its numpy array refuses this


def test_no_audit_hook_hears_of_it():
    heard = []
    listening = [True]
    sys.addaudithook(lambda event, _: heard.append(event) if listening else None)
    space = {"a": np.zeros((2, 3)), "b": torch.zeros(2, 3), "c": torch.zeros(4, 5), "l": [np.zeros(2)] * 3}
    for path in "ab":
        ask("array", space, path=path)
    ask("combine", space, operation="matmul", left="b", right="c")
    ask("combine", space, operation="concatenate", left="l", axis=1)
    ask("elements", space, path="l")
    listening.clear()
    # Python itself reports frames and object look-ups that the tests' own machinery makes; none is ours.
    assert not [event for event in heard if event.startswith(("ctypes", "import", "open", "compile", "exec"))]


def test_a_subclass_is_refused():
    class Mine(np.ndarray):
        pass

    with pytest.raises(safe.Refused, match="not exactly an array or a tensor"):
        about("array", np.zeros(3).view(Mine))


# -- Which go together ----------------------------------------------------------------------------------------------------

SIZES = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple)


@st.composite
def shapes(draw, count):
    base = draw(SIZES)
    return [draw(st.just(base) | SIZES) for _ in range(count)]


def outcome(operation, values, axis, library):
    module = {"numpy": np, "torch": torch}[library]
    try:
        if operation == "broadcast":
            result = values[0] * values[1]
        elif operation == "matmul":
            result = values[0] @ values[1]
        elif operation in ("vstack", "hstack"):
            result = getattr(module, operation)(values)
        else:
            name = "cat" if (library, operation) == ("torch", "concatenate") else operation
            result = getattr(module, name)(values, axis or 0)
    except (ValueError, RuntimeError, IndexError) as error:
        return False, None, type(error).__name__, str(error)
    return True, list(result.shape), None, None


@settings(max_examples=1500, deadline=None)
@given(st.data(), st.sampled_from(["numpy", "torch"]), st.sampled_from(combining.OPERATIONS))
def test_what_goes_together_is_what_the_library_joins_with_the_same_words(data, library, operation):
    two = operation in ("broadcast", "matmul")
    sizes = data.draw(shapes(2 if two else data.draw(st.integers(1, 4))))
    axis = None if operation not in ("concatenate", "stack") else data.draw(st.sampled_from([None, 0, 1, -1, 2, 5]))
    values = [np.zeros(size) if library == "numpy" else torch.zeros(size) for size in sizes]
    expected = outcome(operation, values, axis, library)
    found = ask("combine", {"it": values}, operation=operation, left="it", axis=axis)
    if len(values) == 2:
        pair = dict(zip("ab", values, strict=True))
        assert ask("combine", pair, operation=operation, left="a", right="b", axis=axis) == found
    assert (found["fits"], found["shape"]) == expected[:2]
    if "words" in found:
        assert (found["exception"], found["words"]) == expected[2:]
    elif not expected[0]:
        # Which words torch has for operands of more than two axes depends on their strides.
        assert (library, operation) == ("torch", "matmul")


@pytest.mark.parametrize(
    ("left", "right", "operation", "fits"),
    [
        (np.zeros((2, 3)), 4, "broadcast", True),
        (torch.zeros(2, 3), 4.5, "broadcast", True),
        (np.zeros((2, 3)), 4, "matmul", False),
        (torch.zeros(2, 3), torch.zeros(3, 4, dtype=torch.float64), "matmul", None),
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), "broadcast", True),
        (torch.zeros(2), torch.zeros(2, device="meta"), "stack", None),
        (torch.ones(2, 2, dtype=torch.bool), torch.ones(2, 2, dtype=torch.bool), "matmul", None),
        (np.array(["a"]), np.array([1]), "concatenate", None),
        (np.array(["a"]), np.array(["b"]), "concatenate", True),
        (np.array(["a"]), np.array(["b"]), "broadcast", None),
        (np.zeros((2, 3)), np.zeros(3, dtype="M8[D]"), "broadcast", None),
        (np.zeros((2, 3)), np.zeros(4, dtype="M8[D]"), "broadcast", False),
    ],
)
def test_what_only_the_dtypes_can_prevent_is_not_told(left, right, operation, fits):
    found = ask("combine", {"a": left, "b": right}, operation=operation, left="a", right="b")
    assert found["fits"] is fits


@pytest.mark.parametrize(
    ("left", "operation", "reason"),
    [
        ([np.zeros(2), torch.zeros(2)], "stack", "not arrays alone"),
        ([1, 2], "stack", "not arrays alone"),
        ([np.zeros(2), "a"], "stack", "operand 1 is a str"),
        ([np.zeros(2), [1, 2]], "stack", "operand 1 is a list"),
        ([], "concatenate", "has no elements"),
        ([np.zeros(1)] * 1001, "concatenate", "has no elements, or over 1000"),
        ([np.zeros(2)] * 3, "matmul", "matmul takes two operands"),
        (np.zeros(2), "stack", "it must be a list"),
        ([np.zeros(2)] * 2, "add", "an operation is one of"),
        ([pd.Series([1])] * 2, "concatenate", "operand 0 is a pandas"),
    ],
)
def test_what_cannot_be_joined_by_shapes_alone_is_refused(left, operation, reason):
    with pytest.raises(safe.Refused, match=reason):
        ask("combine", {"a": left}, operation=operation, left="a")


def test_functions_that_the_user_put_in_the_librarys_place_are_not_called(monkeypatch):
    def mine(*args):
        raise AssertionError("a function of the user's ran")

    for module, name in ((np, "concatenate"), (np, "stack"), (torch, "cat"), (torch, "empty")):
        monkeypatch.setattr(module, name, mine)
    for values in ([np.zeros((2, 3)), np.zeros((3, 4))], [torch.zeros(2, 3), torch.zeros(3, 4)]):
        for operation in ("concatenate", "stack"):
            found = ask("combine", {"a": values}, operation=operation, left="a")
            assert (found["fits"], "words" in found) == (False, False)


def test_operands_of_any_size_cost_nothing():
    big = np.broadcast_to(np.zeros(1), (10**6, 10**6))
    found = ask("combine", {"a": big[:, :5], "b": big}, operation="matmul", left="a", right="b")
    assert found["fits"] is False
    assert ask("combine", {"a": big, "b": big}, operation="matmul", left="a", right="b")["shape"] == [10**6, 10**6]


# -- Elements -----------------------------------------------------------------------------------------------------------


def test_one_short_row_is_found():
    rows = [[1, 2, 3, 4] for _ in range(20)]
    rows[17].pop()
    found = about("elements", rows)
    assert found["elements"] == [
        {"type": "list", "count": 19, "first": 0, "length": 4},
        {"type": "list", "count": 1, "first": 17, "length": 3},
    ]
    assert found["stacks"] is False


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1, 2.5, True],
        ["a", "bc"],
        [[1, 2], [3, 4]],
        [[1, 2], [3]],
        [[[1], [2]], [[3], [4]]],
        [[[1], [2]], [[3], [4, 5]]],
        [[1, 2], 3],
        [[], []],
        [[], [1]],
        [(1, 2), [3, 4]],
        [np.zeros(3), np.ones(3)],
        [np.zeros(3), np.ones(4)],
        [np.zeros((2, 3)), np.zeros((3, 2))],
        [np.zeros(3), [1, 2, 3]],
        [np.zeros(3), [1, 2]],
        [[np.zeros(2)], [np.zeros(2)]],
        [np.float64(1), 2],
        [[np.int64(1)], [2]],
        (1, 2),
        [["ab", "c"], ["d", "e"]],
        [["ab"], "c"],
        [np.zeros(()), np.zeros(1)],
    ],
)
def test_elements_stack_where_numpy_makes_one_array_of_them(values):
    found = about("elements", values)["stacks"]
    if not values:
        assert found is None
        return
    try:
        np.array(values)
        expected = True
    except ValueError:
        expected = False
    assert found is expected


@pytest.mark.parametrize(
    ("tensors", "stacks"),
    [([torch.zeros(2), torch.ones(2)], True), ([torch.zeros(2), torch.ones(3)], False), ([torch.ones(1), 2], None)],
)
def test_tensors_stack_if_they_are_of_one_shape(tensors, stacks):
    assert about("elements", tensors)["stacks"] is stacks


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ({"a": 1, "b": "x", "c": 2}, [("int", 2, 0), ("str", 1, 1)]),
        (collections.defaultdict(list, a=[1], b=[2, 3]), [("list", 1, 0), ("list", 1, 1)]),
        (collections.deque([1, None]), [("int", 1, 0), ("NoneType", 1, 1)]),
        (np.array([1, "a", 2], dtype=object), [("int", 2, 0), ("str", 1, 1)]),
        ({1, 2}, [("int", 2, 0)]),
        (collections.namedtuple("Point", "x y")(1, "a"), [("int", 1, 0), ("str", 1, 1)]),
        ([pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})], [("pandas.DataFrame", 2, 0)]),
        ([pd.Series([1]), pd.Series([1.5])], [("pandas.Series", 1, 0), ("pandas.Series", 1, 1)]),
        ([torch.zeros(2), torch.zeros(2, dtype=torch.int64)], [("torch.Tensor", 1, 0), ("torch.Tensor", 1, 1)]),
    ],
)
def test_the_kinds_of_elements_are_counted_with_the_place_of_the_first(value, kinds):
    found = about("elements", value)
    named = [
        (each["type"].replace("core.frame.", "").replace("core.series.", ""), each["count"], each["first"])
        for each in found["elements"]
    ]
    assert named == kinds
    assert (found["length"], found["looked_at"]) == (len(value), len(value))


def test_a_long_list_is_looked_at_from_its_start():
    found = about("elements", [1] * 20_000 + ["a"])
    assert (found["length"], found["looked_at"], found["stacks"]) == (20_001, 5_000, None)
    assert found["elements"] == [{"type": "int", "count": 5_000, "first": 0}]


def test_many_kinds_are_cut():
    found = about("elements", [[0] * n for n in range(9)], items=4)
    assert (len(found["elements"]), found["truncated"]) == (4, True)


def test_a_list_within_itself_is_not_followed():
    value = [1]
    value.append(value)
    assert about("elements", value)["stacks"] in (None, False)


def test_an_element_that_lies_is_not_asked():
    class Liar(list):
        def __len__(self):
            raise AssertionError("a length was computed")

    class Meta(type):
        def __hash__(cls):
            raise AssertionError("a class was hashed")

        def __eq__(cls, other):
            raise AssertionError("a class was compared")

    odd = Meta("Odd", (), {})()
    assert about("elements", [Liar(), odd, odd])["stacks"] is None
