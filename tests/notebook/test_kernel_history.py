"""The target in a running kernel, and what the cells say about a name: oracles are real notebooks and real runs."""

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crane_agent.errors import NoSuchCell, NotACodeCell
from crane_agent.notebook.cells import Cell, Notebook
from crane_agent.notebook.effects import changes_in
from crane_agent.notebook.history import MAX_ITEMS, Target, history_of, target_in_kernel, target_of
from crane_agent.notebook.names import binding_cells, defined_by_unrun, deleted_by, never_bound


class Run(NamedTuple):
    number: int
    source: str


def runs(*sources: str) -> list[Run]:
    return [Run(number, source) for number, source in enumerate(sources, start=1)]


def cell(index: int, source: str, count: int | None = None, kind="code") -> Cell:
    return Cell(index, f"id-{index}", kind, source, count, (), False)


def notebook(*sources: str, counts: dict[int, int] | None = None) -> Notebook:
    cells = [cell(index, source, (counts or {}).get(index)) for index, source in enumerate(sources)]
    return Notebook("a.ipynb", tuple(cells), "python3", "python")


def places(target: Target) -> list[int | None]:
    return [each.index for each in target.executed]


# --- the target in a running kernel --------------------------------------------------------------------------


def test_what_ran_is_found_in_the_notebook_by_its_text_however_often_it_ran():
    made = target_in_kernel(runs("b", "a\n", "b", "gone", "a"), notebook=notebook("a", "b", "c", counts={2: 1}))
    assert places(made) == [1, 0, 1, -4, 0]
    assert [each.execution_count for each in made.executed] == [1, 2, 3, 4, 5]
    assert [each.place for each in made.executed] == [1, 0, 1, None, 0]
    assert made.cell.index == 2
    assert made.not_run == ()
    assert made.is_complete


def test_the_stored_counts_of_the_notebook_do_not_say_what_ran():
    made = target_in_kernel([], notebook=notebook("a", "b", counts={0: 1, 1: 2}), which="1")
    assert made.executed == ()
    assert [each.index for each in made.not_run] == [0]


def test_an_edited_cell_has_not_run_and_its_old_text_stays():
    made = target_in_kernel(runs("x = 1", "y = x"), notebook=notebook("x = 2", "y = x", "x + y"))
    assert places(made) == [-1, 1]
    assert binding_cells(made) == {"x": (-1,), "y": (1,)}
    assert [each.index for each in made.not_run] == [0]
    assert made.cell.index == 2


def test_of_cells_with_the_same_text_the_saved_number_tells_else_the_next_one_down():
    book = notebook("show", "a", "show", "b", "show", "t")
    assert places(target_in_kernel(runs("show", "a", "show", "b", "show"), notebook=book)) == [0, 1, 2, 3, 4]
    book = notebook("show", "a", "show", "b", "show", "t", counts={4: 1})
    assert places(target_in_kernel(runs("show"), notebook=book, which="-1")) == [4]
    assert target_in_kernel(runs("show"), notebook=book, which="-1").not_run == (book.cells[1], book.cells[3])


def test_a_cell_with_a_secret_is_found_though_the_kernel_tells_it_without():
    book = notebook("key = 'sk-" + "a" * 30 + "'", "key")
    made = target_in_kernel(runs("key = '[redacted]'"), notebook=book)
    assert places(made) == [0]
    assert made.cell.index == 1


def test_the_target_is_the_first_cell_not_run_below_the_one_that_ran_last():
    book = notebook("a", "skipped", "b", "c", "", "d", "e")
    assert target_in_kernel(runs("a", "b"), notebook=book).cell.index == 3
    assert target_in_kernel(runs("a", "b", "c", "b"), notebook=book).cell.index == 5
    assert target_in_kernel(runs("a", "elsewhere"), notebook=book).cell.index == 1
    assert target_in_kernel([], notebook=book).cell.index == 0


def test_where_no_cell_below_is_left_the_cell_must_be_named():
    with pytest.raises(NoSuchCell, match="below cell 2, the last one that ran"):
        target_in_kernel(runs("a", "c"), notebook=notebook("a", "b", "c"))
    with pytest.raises(NoSuchCell, match="--cell"):
        target_in_kernel([], notebook=notebook())
    with pytest.raises(NoSuchCell):
        target_in_kernel(runs("a"))


def test_a_cell_can_be_named_and_may_have_run_before():
    book = notebook("a = 1", "a += 1")
    made = target_in_kernel(runs("a = 1", "a += 1"), notebook=book, which="id-1")
    assert (made.cell.index, places(made)) == (1, [0, 1])
    assert binding_cells(made) == {"a": (0, 1)}
    markdown = Notebook("a.ipynb", (cell(0, "# a", kind="markdown"),), None, None)
    with pytest.raises(NotACodeCell):
        target_in_kernel([], notebook=markdown, which="0")


def test_a_text_needs_no_notebook():
    made = target_in_kernel(runs("x = 1", "  ", "del x"), code="x + y")
    assert (made.cell.source, made.cell.index, made.cell.place) == ("x + y", -4, None)
    assert places(made) == [-1, -3]
    assert deleted_by(made) == {"x": (-3,)}
    assert never_bound(made) == set()  # what ran as number 2 is not known
    assert never_bound(target_in_kernel(runs("x = 1"), code="x + y")) == {"y"}
    assert target_in_kernel([], code="x").cell.index == -1


def test_names_are_traced_through_edited_deleted_and_repeated_cells():
    book = notebook("import os", "df = load()", "df['a'] = 1", "z = 1", "use(df, z, w)")
    made = target_in_kernel(
        runs("import os", "df = 1", "df['a'] = 1", "def load(): ...", "def use(): ..."), notebook=book
    )
    assert made.cell.index == 3
    made = target_in_kernel([*made_runs(made)], notebook=book, which="4")
    assert binding_cells(made) == {"df": (-2,), "use": (-5,)}
    assert defined_by_unrun(made) == {"z": (3,)}
    assert never_bound(made) == {"w"}


def made_runs(target: Target) -> list[Run]:
    return [Run(each.execution_count or 0, each.source) for each in target.executed]


def test_a_history_with_gaps_is_not_complete():
    made = target_in_kernel([Run(3, "x = 1")], code="x, y")
    assert not made.is_complete
    assert never_bound(made) == set()
    assert history_of(made)["complete"] is False


# --- what a cell changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("x += 1", {"x": "augmented assignment"}),
        ("x['a'] = 1", {"x": "item assignment"}),
        ("x['a'] += 1", {"x": "item assignment"}),
        ("x.loc[x.a > 1, 'b'] = 1", {"x": "item assignment"}),
        ("x.y.z = 1", {"x": "attribute assignment"}),
        ("del x['a'], y.b", {"x": "item deletion", "y": "attribute deletion"}),
        ("(x[0], y.a), *z.b = w", {"x": "item assignment", "y": "attribute assignment", "z": "attribute assignment"}),
        ("for x[0] in y: pass", {"x": "item assignment"}),
        ("with open(p) as x.file: pass", {"x": "attribute assignment"}),
        ("x.append(1)", {"x": ".append()"}),
        ("if y:\n    for z in y:\n        x.items.append(z)", {"x": ".append()"}),
        ("last = x.pop()", {"x": ".pop()"}),
        ("x.drop(columns='a', inplace=True)", {"x": ".drop(inplace=True)"}),
        ("x.fill_(0); x.y.normal_()", {"x": ".fill_()"}),
        ("nn.init.normal_(x.weight)", {"x": "normal_()"}),
        ("np.clip(a, 0, 1, out=x)", {"x": "clip(out=)"}),
        ("random.shuffle(x)", {"x": "shuffle()"}),
        ("setattr(x, 'a', 1)", {"x": "setattr()"}),
        ("model.eval()", {"model": ".eval()"}),
        ("_ = model.fit(x, y)", {"model": ".fit()"}),
        ("%time x.append(1)", {"x": ".append()"}),
        ("%%time\nx['a'] = 1", {"x": "item assignment"}),
        # nothing that the text shows
        ("x = 1; x == 1; print(x[0], x.a)", {}),
        ("x = x.append(y)", {}),
        ("y = x.add(1)", {}),
        ("x.drop(columns='a', inplace=False)", {}),
        ("x.drop(columns='a')", {}),
        ("x.eval('a + b')", {}),
        ("x.copy().update(y); f(x).sort()", {}),
        ("def f():\n    x.append(1)", {}),
        ("class A:\n    x = []\n    x.append(1)", {}),
        ("[x.update(a=1) for x in y]", {}),
        ("f = lambda: x.clear()", {}),
        ("x.__init__()", {}),
        ("no python", {}),
    ],
)
def test_changes_in_place_are_read_off_the_text(source, changes):
    found = changes_in(cell(0, source))
    assert {name: next(each.how for each in found if each.name == name) for name in changes} == changes
    assert {each.name for each in found} == set(changes)


# --- history -------------------------------------------------------------------------------------------------


def test_the_history_of_a_name_says_what_bound_changed_and_deleted_it():
    book = notebook("xs = []", "xs.append(1)", "xs = [2]\nxs.sort()", "del xs", "xs = 9", "print(xs)")
    made = target_in_kernel(
        runs("xs = []", "xs.append(1)", "xs = [2]\nxs.sort()", "xs += [3]", "del xs"), notebook=book, which="5"
    )
    assert history_of(made, "xs") == {
        "name": "xs",
        "bound": [{"cell": 0, "ran": 1}, {"cell": 2, "ran": 3}, {"cell": None, "ran": 4}],
        "changed": [
            {"cell": 1, "ran": 2, "how": [".append()"]},
            {"cell": 2, "ran": 3, "how": [".sort()"]},
            {"cell": None, "ran": 4, "how": ["augmented assignment"]},
        ],
        "deleted": [{"cell": 3, "ran": 5}],
        "last": {"cell": 3, "ran": 5, "did": ["deleted"]},
        "would_bind": [{"cell": 4, "ran": None}],
        "may_bind_anything": [],
        "complete": True,
        "truncated": False,
    }


def test_the_history_of_a_name_that_nothing_touched_is_empty():
    found = history_of(target_in_kernel(runs("x = 1"), code="y"), "y")
    assert (found["bound"], found["changed"], found["deleted"], found["last"]) == ([], [], [], None)


def test_a_saved_notebook_has_a_history_too():
    book = notebook("x = 1", "x = 2", "x", "x = 4", "x = 5", counts={0: 2, 1: 1, 2: 3, 4: 7})
    found = history_of(target_of(book, "2"), "x")
    assert [each["ran"] for each in found["bound"]] == [1, 2]
    assert found["last"] == {"cell": 0, "ran": 2, "did": ["bound"]}
    assert found["would_bind"] == [{"cell": 3, "ran": None}, {"cell": 4, "ran": 7}]


def test_functions_that_set_a_global_and_cells_that_may_bind_anything_are_told_apart():
    found = history_of(target_in_kernel(runs("def f():\n    global x\n    x = 1", "%run a.py"), code="x"), "x")
    assert found["bound"] == [{"cell": None, "ran": 1, "when": "a function of it is called"}]
    assert found["last"] is None
    assert found["may_bind_anything"] == [{"cell": None, "ran": 2}]


def test_a_function_of_a_module_is_no_method_that_changes_it():
    made = target_in_kernel(
        runs("import numpy as np, config", "np.sort(y)\nnp.append(y, 1)", "config.a = 1"), code="np"
    )
    assert history_of(made, "np")["changed"] == []
    assert history_of(made, "config")["changed"] == [{"cell": None, "ran": 3, "how": ["attribute assignment"]}]


def test_without_a_name_the_cells_are_listed_as_they_ran():
    book = notebook("a = 1", "b = a", "c = 1; a", "d = 1\ne = 2", "a")
    made = target_in_kernel(runs("a = 1", "c = 1; a", "b = a", "tmp = 1", "a = 1"), notebook=book, which="4")
    assert history_of(made) == {
        "count": 5,
        "cells": [
            {"cell": 0, "ran": 1, "binds": ["a"]},
            {"cell": 2, "ran": 2, "binds": ["c"]},
            {"cell": 1, "ran": 3, "binds": ["b"]},
            {"cell": None, "ran": 4, "binds": ["tmp"]},
            {"cell": 0, "ran": 5, "binds": ["a"]},
        ],
        "out_of_order": [0, 1],
        "repeated": [{"cell": 0, "ran": [1, 5]}],
        "unbound": [{"name": "d", "cells": [3]}, {"name": "e", "cells": [3]}],
        "complete": True,
        "truncated": False,
    }


def test_a_second_run_from_top_to_bottom_is_in_order():
    book = notebook("a", "b", "c", "t")
    assert history_of(target_in_kernel(runs("a", "c", "a", "b", "c"), notebook=book))["out_of_order"] == []


def test_a_long_history_keeps_its_end_and_says_that_it_is_cut():
    made = target_in_kernel(runs(*(f"x{n} = 1; x = 2" for n in range(200))), code="x")
    found = history_of(made)
    assert (found["count"], len(found["cells"]), found["cells"][-1]["ran"]) == (200, MAX_ITEMS, 200)
    assert found["truncated"]
    named = history_of(made, "x", items=3)
    assert [each["ran"] for each in named["bound"]] == [198, 199, 200]
    assert named["truncated"]
    many = target_in_kernel(runs("; ".join(f"{'y' * 500}{n} = 1" for n in range(500))), code="x")
    assert len(json.dumps(history_of(many))) < 2000


STATEMENTS = ("x = 1", "y = x", "del x", "x.append(1)", "import z", "%run a", "x y", "", "for x in y: pass", "x += 1")


@given(
    st.lists(st.sampled_from(STATEMENTS), max_size=8),
    st.lists(st.sampled_from(STATEMENTS), max_size=5),
    st.sampled_from([None, "x", "y", "z"]),
)
def test_whatever_ran_every_history_is_json_and_every_run_is_in_it(ran, cells, name):
    made = target_in_kernel(runs(*ran), notebook=notebook(*cells), code="x")
    assert len(made.executed) == sum(bool(each) for each in ran)
    assert all(each.index >= 0 or each.index == -(each.execution_count or 0) for each in made.executed)
    assert json.loads(json.dumps(history_of(made, name))) == history_of(made, name)
