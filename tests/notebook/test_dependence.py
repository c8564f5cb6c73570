"""What is said to have made a value is held against Python: the slice alone makes the same value, and no cell too many."""

import dataclasses

import pytest
from targets import target_in

from crane_agent.notebook.code import parse
from crane_agent.notebook.dependence import by_nearness, made_by, makers, slice_of

LOAD = "import pandas as pd\ndf = pd.DataFrame({'a': [3, 1, None], 'b': [1, 2, 3]})"

# Executed cells, an expression, the places of the makers of its first name (last first), the slice with distances.
NOTEBOOKS = {
    "the cell that bound it last": (("x = 1", "x = 2", "y = 3"), "x", (1,), {1: 1}),
    "what that was made from": (("a = 1", "b = a + 1", "c = 9", "x = b * 2"), "x", (3,), {0: 3, 1: 2, 3: 1}),
    "within a cell a step costs nothing": (("a = 1", "b = a\nc = b\nx = c"), "x", (1,), {0: 2, 1: 1}),
    "an item": (("x = {}", "y = x", "x['a'] = 1"), "x", (2, 0), {0: 1, 2: 1}),
    "an item of an item": (("x = {'a': {}}", "x['a']['b'] = 1"), "x", (1, 0), {0: 1, 1: 1}),
    "an augmented assignment": (("x = 1", "x += 2", "x -= 1"), "x", (2, 1, 0), {0: 1, 1: 1, 2: 1}),
    "a method": (("x = []", "x.append(1)", "len(x)"), "x", (1, 0), {0: 1, 1: 1}),
    "a method in a loop": (("x = []", "for i in range(3):\n    x.append(i)"), "x", (1, 0), {0: 1, 1: 1}),
    "a method of a table": ((LOAD, "df.insert(0, 'c', 1)\n1", "df.isna()"), "df", (1, 0), {0: 1, 1: 1}),
    "a column": ((LOAD, "n = 2", "df['c'] = n", "df.head()"), "df", (2, 0), {0: 1, 1: 2, 2: 1}),
    "looking changes nothing": ((LOAD, "df.info()\ndf.plot\ndf.describe()\n1"), "df", (0,), {0: 1}),
    "a function that stores into what it is given": (
        (LOAD, "def add(table, n):\n    table['c'] = n", "add(df, 2)"), "df", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "by keyword": (
        (LOAD, "def add(n, table):\n    table['c'] = n", "add(1, table=df)"), "df", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "through another function": (
        ("x = []", "def inner(v):\n    v.append(1)\ndef outer(v):\n    inner(v)", "outer(x)"),
        "x", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "a function that calls itself": (
        ("x = []", "def fill(v, n):\n    if n:\n        v.append(n)\n        fill(v, n - 1)", "fill(x, 3)"),
        "x", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "a function that stores into another value under that name": (
        (LOAD, "def add(table):\n    table = table.copy()\n    table['c'] = 1\n    return table", "more = add(df)"),
        "df", (0,), {0: 1},
    ),
    "a function that stores into a global": (
        ("x = []", "def fill():\n    x.append(1)", "fill()"), "x", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "a function that may bind a global": (
        ("x = 0", "def fill():\n    global x\n    x = 1", "fill()"), "x", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "a function, and what it reads when it is called": (
        ("n = 1", "def f():\n    return n", "n = 2", "m = 3"), "f()", (2, 1), {1: 1, 2: 1},
    ),
    "what a function of a function reads": (
        ("n = 1", "def g():\n    return n", "def f():\n    return g()"), "f()", (2, 1, 0), {0: 1, 1: 1, 2: 1},
    ),
    "a class": (
        ("k = 2", "class A:\n    def get(self):\n        return k", "a = A()"), "a.get()", (2,), {0: 2, 1: 2, 2: 1},
    ),
    "another name of the same value": (("x = []", "y = x", "y.append(1)"), "x", (2, 0), {0: 1, 1: 2, 2: 1}),
    "a value with two names": (("x = []", "y = x", "x.append(1)"), "y", (2, 1), {0: 2, 1: 1, 2: 1}),
    "elements in a loop": (
        ("a = []\nb = []", "for each in [a, b]:\n    each.append(1)"), "a", (1, 0), {0: 1, 1: 1},
    ),
    "elements of a list": (
        ("a = []\nb = []", "both = [a, b]", "for each in both:\n    each.append(1)"), "a", (2, 0), {0: 1, 1: 2, 2: 1},
    ),
    "a condition that may not be met": (("x = 1", "if x > 5:\n    x = 7"), "x", (1, 0), {0: 1, 1: 1}),
    "both ways of a condition": (("x = 1", "k = 2", "if k:\n    x = 3\nelse:\n    x = 4"), "x", (2,), {1: 2, 2: 1}),
    "a loop": (("n = 0", "for n in range(3):\n    total = n"), "total", (1,), {1: 1}),
    "unpacking": (("p = (1, 2)", "x, y = p"), "x", (1,), {0: 2, 1: 1}),
    "under a cell magic": (("a = 1", "%%time\nx = a\nb = 2"), "x", (1,), {0: 2, 1: 1}),
    "a line magic": (("a = 1", "%time x = a"), "x", (1,), {0: 2, 1: 1}),
    "deleted and bound again": (("x = 1", "del x", "x = 2"), "x", (2,), {2: 1}),
    "exec may bind anything": (("x = 1", "exec('x = 2')", "y = 1"), "x", (1, 0), {0: 1, 1: 1}),
    "globals may bind anything": (("x = 1", "globals()['x'] = 2"), "x", (1, 0), {0: 1, 1: 1}),
    "a star import may bind anything": (("pi = 3", "from math import *"), "pi", (1, 0), {0: 1, 1: 1}),
    "what may bind anything belongs to it, though farthest": (("exec('y = 2')", "x = 1"), "x", (1,), {0: 2, 1: 1}),
}  # fmt: skip


def value_after(cells, expression):
    """Run cells as the kernel would, magics as what they run, and return the value of an expression."""

    def magic(name, line, body=""):
        exec(body or line, namespace)

    shell = type("Shell", (), {"run_cell_magic": staticmethod(magic), "run_line_magic": staticmethod(magic)})
    namespace = {"get_ipython": lambda: shell}
    for cell in cells:
        exec(parse(cell).python, namespace)
    return eval(expression, namespace)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_makers_and_slice_are_the_cells_that_matter(name):
    executed, expression, made, distances = NOTEBOOKS[name]
    target = target_in(expression, executed=executed)
    assert tuple(cell.index for cell in makers(target, expression.partition(".")[0].rstrip("()"))) == made
    assert {each.cell.index: each.distance for each in slice_of(target)} == distances


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_slice_alone_makes_the_same_value_and_no_part_of_it_does(name):
    executed, expression, _, _ = NOTEBOOKS[name]
    target = target_in(expression, executed=executed)
    alone = [each.cell.source for each in slice_of(target)]
    value = value_after(executed, expression)
    assert str(value_after(alone, expression)) == str(value)
    for left_out in alone if "may" not in name else ():
        with pytest.raises((AssertionError, NameError)):
            assert str(value_after([each for each in alone if each is not left_out], expression)) == str(value)


def test_of_a_cell_only_the_statements_that_matter_are_followed():
    target = target_in("x", executed=("a = 1", "b = 2", "x = a\ny = b"))
    assert [each.cell.index for each in slice_of(target)] == [0, 2]


def test_an_inplace_method_changes_its_table():
    executed = ("df = load()", "df.dropna(inplace=True)", "df['a'].fillna(0, inplace=True)", "df.drop(columns='b')")
    assert [cell.index for cell in makers(target_in("df", executed=executed), "df")] == [2, 1, 0]


def test_a_name_that_nothing_made_has_no_makers():
    target = target_in("print(nothing)", executed=("x = 1", "x += 1"))
    assert makers(target, "nothing") == makers(target, "print") == ()
    assert slice_of(target) == ()
    assert slice_of(target_in("x", executed=())) == ()


def test_a_cell_that_shadows_a_builtin_is_found():
    assert [cell.index for cell in makers(target_in("list('a')", executed=("list = [1]",)), "list")] == [0]


def test_a_deleted_name_was_last_made_by_who_deleted_it():
    target = target_in("x", executed=("x = 1", "del x"))
    assert [(each.place, each.act, each.distance) for each in made_by(target, ["x"])] == [
        (1, "deleted", 1),
        (0, "bound", 2),
    ]


def test_a_method_whose_result_is_dropped_changes_its_object_unless_it_only_looks():
    target = target_in(
        "vocab", executed=("vocab = Vocab()", "vocab.absorb(text)\n1", "vocab.show()\n1", "vocab.size()")
    )
    assert [cell.index for cell in makers(target, "vocab")] == [1, 0]
    assert [each.how for each in made_by(target, ["vocab"]) if each.place == 1] == [".absorb()"]


def test_a_function_of_a_module_changes_nothing_of_the_module():
    executed = ("import numpy as np", "np.random.seed(1)\nnp.sort([2, 1])\n1")
    assert [cell.index for cell in makers(target_in("np.ones(3)", executed=executed), "np")] == [0]


def test_a_cell_that_failed_may_not_have_bound_its_names():
    target = target_in("x", executed=("x = 1", "y = 1 / 0\nx = 2"))
    failed = dataclasses.replace(target.executed[1], failed_when_saved=True)
    target = dataclasses.replace(target, executed=(target.executed[0], failed))
    assert [cell.index for cell in makers(target, "x")] == [1, 0]


def test_cells_that_are_no_python_are_left_out_if_they_failed_and_may_do_anything_if_not():
    target = target_in("x", executed=("x = 1", "x = = 2"))
    assert {each.cell.index: each.distance for each in slice_of(target)} == {0: 1, 1: 1}
    failed = dataclasses.replace(target.executed[1], failed_when_saved=True)
    target = dataclasses.replace(target, executed=(target.executed[0], failed))
    assert {each.cell.index: each.distance for each in slice_of(target)} == {0: 1}


def test_magics_whose_options_are_not_read_count_as_a_whole_cell():
    target = target_in("x", executed=("a = 1", "b = 2", "%%capture --no-stderr out\nx = a\ny = b"))
    assert {each.cell.index for each in slice_of(target)} >= {0, 2}
    timed = target_in("x", executed=("x = 1", "%%timeit\nx = 2"))
    assert [cell.index for cell in makers(timed, "x")] == [0]


def test_a_cell_that_ran_twice_is_made_by_its_last_run():
    once = target_in("x", executed=("x = 1", "x = 2", "x = 1"))
    again = dataclasses.replace(once.executed[0], execution_count=3)
    target = dataclasses.replace(once, executed=(*once.executed[:2], again))
    assert [cell.execution_count for cell in makers(target, "x")] == [3]


def test_cells_are_taken_by_nearness_and_the_rest_last_the_later_first():
    executed = ("import os", "a = 1", "other = 2", "b = a", "another = 3", "x = b")
    assert by_nearness(target_in("x", executed=executed)) == (5, 3, 1, 4, 2, 0)


def test_names_to_start_from_may_be_chosen():
    target = target_in("x + y", executed=("a = 1", "x = a", "y = 2"))
    assert [each.cell.index for each in slice_of(target, ["y"])] == [2]
    assert [each.cell.index for each in slice_of(target)] == [0, 1, 2]


def test_long_and_deep_code_is_followed():
    chain = "x = 0\n" + "\n".join(f"x = x + {number}" for number in range(2000))
    elif_chain = "if k == 0:\n    y = 0\n" + "\n".join(f"elif k == {n}:\n    y = {n}" for n in range(1, 90))
    target = target_in("x + y", executed=("k = 1", chain, elif_chain + "\nelse:\n    y = 1"))
    assert {each.cell.index: each.distance for each in slice_of(target)} == {0: 2, 1: 1, 2: 1}
