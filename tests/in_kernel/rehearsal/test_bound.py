"""What a cell that came to its end has bound is told."""

import pytest
from test_scene import PYTHONS, SETUP, rehearse

from crane_agent.session.launched import launch


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda path: path.strip("/").replace("/", "_"))
def session(request):
    with launch(privacy="schema", python=request.param) as session:
        assert session.run(SETUP, limit_s=30).status == "ok"
        yield session


def bound(session, source):
    answer = rehearse(session, source)
    assert answer["outcome"] == "finished", answer
    assert answer["scene"] is None
    return answer["bound"]


def test_the_names_that_the_cell_binds_are_told_with_their_types(session):
    source = """
        import math
        first, *rest = [1, 2.5, 3]
        for each in rest:
            if each > 99:
                never = each
        with open(os.devnull) as file:
            text = file.read()
        gone = 1
        del gone
        table["depth"] = 2
        def half(x):
            inside = x / 2
            return inside
        class Box(Shelf): pass
        box = Box()
    """
    assert bound(session, source) == {
        "Box": {"type": "type"},
        "box": {"type": "Box"},
        "each": {"type": "int"},
        "file": {"type": "_io.TextIOWrapper"},
        "first": {"type": "int"},
        "half": {"type": "function"},
        "math": {"type": "module"},
        "rest": {"type": "list", "length": 2},
        "text": {"type": "str", "length": 0},
    }


def test_a_cell_that_binds_nothing_has_bound_nothing(session):
    assert bound(session, "len(word)") == {}


@pytest.mark.parametrize("magic", ["%%time", "%%capture out"])
def test_what_is_under_the_line_of_a_magic_binds_names(session, magic):
    assert bound(session, f"{magic}\nletters = list(word)\n%matplotlib --list") == {
        "letters": {"type": "list", "length": 4}
    }


def test_of_many_names_some_are_told(session):
    found = bound(session, "\n".join(f"name_{number:03} = {number}" for number in range(70)))
    assert list(found) == [f"name_{number:03}" for number in range(50)]


def test_what_pandas_and_numpy_hold_is_told_by_shape_and_columns(session):
    if session.run("import numpy as np, pandas as pd", limit_s=60).status != "ok":
        pytest.skip("there is no pandas")
    source = """
        frame = pd.DataFrame({"price": [1.0, 2.0], 3: ["a", "b"]})
        part = frame["price"]
        grid = np.zeros((2, 3), dtype="int8")
        wide = pd.DataFrame(np.zeros((1, 200)))
        groups = frame.groupby("price")
    """
    found = bound(session, source)
    wide = found.pop("wide")
    assert (wide["shape"], wide["columns"]) == ([1, 200], list(range(50)))
    assert found.pop("groups")["type"].endswith("DataFrameGroupBy")
    assert found == {
        "frame": {"type": "pandas.DataFrame", "shape": [2, 2], "columns": ["price", 3], "length": 2},
        "part": {"type": "pandas.Series", "shape": [2], "dtype": "float64", "length": 2},
        "grid": {"type": "numpy.ndarray", "shape": [2, 3], "dtype": "int8", "length": 2},
    }


def test_however_long_the_columns_are_named_the_report_arrives(session):
    if session.run("import numpy as np, pandas as pd", limit_s=60).status != "ok":
        pytest.skip("there is no pandas")
    source = "columns = ['\\N{SNOWMAN}' * 500 + str(number) for number in range(60)]\n"
    source += "\n".join(f"frame_{number} = pd.DataFrame(np.zeros((1, 60)), columns=columns)" for number in range(40))
    found = bound(session, source)
    assert len(found) == 41
    assert all(each["shape"] == [1, 60] for name, each in found.items() if name.startswith("frame_"))


def test_at_the_strictest_level_nothing_of_it_leaves():
    with launch(privacy="names") as session:
        answer = rehearse(session, "x = 1")
    assert answer["outcome"] == "finished"
    assert "bound" not in answer
