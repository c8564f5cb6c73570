import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbformat import v4

from crane_agent.notebook.cells import read_notebook
from crane_agent.notebook.history import target_of
from crane_agent.notebook.names import _GIVEN, binding_cells, defined_by_unrun, deleted_by, never_bound


@pytest.fixture
def target(tmp_path):
    """Make the target of a notebook of (source, execution count) pairs; the last one is the target."""

    def make(*cells, which=-1):
        path = tmp_path / "a.ipynb"
        made = [
            v4.new_markdown_cell(source) if count == "markdown" else v4.new_code_cell(source, execution_count=count)
            for source, count in cells
        ]
        nbformat.write(v4.new_notebook(cells=made), path)
        return target_of(read_notebook(path), str(which))

    return make


def places(cells):
    return [cell.index for cell in cells]


def test_executed_cells_are_those_with_a_lower_count_in_execution_order(target):
    made = target(("a", 4), ("b", 1), ("m", "markdown"), ("c", None), (" ", None), ("d", 7), ("e", 5), ("t", 5))
    assert places(made.executed) == [1, 0]
    assert places(made.not_run) == [3]
    assert places(made.later) == [6, 5]


def test_all_cells_with_a_count_ran_before_a_target_without_one(target):
    made = target(("a", 4), ("b", 1), ("t", None), ("c", None), which=2)
    assert places(made.executed) == [1, 0]
    assert places(made.not_run) == [3]
    assert made.later == ()
    assert made.names.reads == {"t"}


def test_cells_with_the_same_count_keep_notebook_order(target):
    assert places(target(("a", 2), ("b", 2), ("c", 1), ("t", 3)).executed) == [2, 0, 1]


def test_names_are_traced_to_the_executed_cells_that_bind_them(target):
    made = target(("df = 1", 3), ("df = 2; x = 3", 1), ("y = 1", None), ("df, x, y, df", 4))
    assert binding_cells(made) == {"df": (1, 0), "x": (1,)}


def test_names_that_only_cells_not_run_would_bind_are_found_there(target):
    made = target(
        ("x = 1", 9), ("import os as y", None), ("x = 1", None), ("z = 1", 1), ("z = 2", None), ("x, y, z, w", 4)
    )
    assert defined_by_unrun(made) == {"x": (0, 2), "y": (1,)}
    assert never_bound(made) == {"w"}


def test_names_of_python_and_ipython_are_bound_by_nobody_and_not_reported(target):
    made = target(("print(len(In), Out, _, __, _i, _12, _i3, display, get_ipython(), __name__, open, exit, _x)", 1))
    assert never_bound(made) == {"_x"}


def test_all_that_a_fresh_shell_has_in_its_namespace_counts_as_given():
    shell = InteractiveShell(history_load_length=0)
    shell.history_manager.enabled = False
    shell.run_cell("1")
    shell.history_manager.end_session()
    assert {name for name in shell.user_ns if name not in ("_0", "_i0", "_1", "_i1")} <= _GIVEN


def test_names_that_the_target_binds_itself_are_not_missed(target):
    source = (
        "import json\nfor i in range(3):\n    y = json.dumps(i)\nprint(i, y)\ntry:\n    z\nexcept NameError:\n    z = 1"
    )
    assert never_bound(target((source, 1))) == set()


def test_a_name_that_the_target_binds_too_late_is_missed(target):
    assert never_bound(target(("df = df.dropna()", 1))) == {"df"}
    assert never_bound(target(("total += 1", 1))) == {"total"}


@pytest.mark.parametrize(
    "unknowable",
    [
        "from tools import *",
        "%run setup.py",
        "%pylab",
        "%store -r",
        "%load_ext sql",
        "exec(text)",
        "globals().update(d)",
        "%%script --out name\nls",
        "%%cython\ndef f(): pass",
        "%time --no-raise-error x = 1",
        "no python at all",
    ],
)
def test_nothing_is_called_never_bound_where_that_cannot_be_known(target, unknowable):
    assert never_bound(target((unknowable, 1), ("x", 2))) == set()
    assert never_bound(target((unknowable, None), ("x", 2))) == {"x"}
    if "at all" not in unknowable:
        assert never_bound(target((unknowable + "\nx", 2))) == set()


@pytest.mark.parametrize(
    "harmless",
    [
        "%matplotlib inline",
        "!pip install x",
        "%time y = 1",
        "%%time\ny = 1",
        "%timeit -n1 y",
        "%load_ext autoreload",
        "y?",
        "",
    ],
)
def test_magics_that_bind_nothing_else_hide_nothing(target, harmless):
    assert never_bound(target((harmless, 1), ("x, y", 2))) >= {"x"}
    assert ("y" in never_bound(target((harmless, 1), ("x, y", 2)))) == ("y =" not in harmless)


def test_a_deleted_name_is_reported_as_deleted_and_not_as_never_bound(target):
    made = target(("x = 1; y = 1; z = 1", 1), ("del x, y", 2), ("y = 2", 3), ("x, y, z", 4))
    assert deleted_by(made) == {"x": (1,)}
    assert never_bound(made) == set()
    assert deleted_by(target(("for i in a: pass\ndel i", 1), ("i", 2))) == {"i": (0,)}


def test_globals_set_by_functions_are_not_called_never_bound(target):
    assert never_bound(target(("def f():\n    global x\n    x = 1", 1), ("f(); x", 2))) == set()


def test_a_cell_without_syntax_has_no_names_and_hides_none_of_the_others(target):
    made = target(("x = (", None), ("x y", 3))
    assert made.code.syntax_error is not None
    assert (defined_by_unrun(made), never_bound(made), binding_cells(made)) == ({}, frozenset(), {})
