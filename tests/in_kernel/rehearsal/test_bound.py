"""What a cell that came to its end has bound or changed is told."""

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
        "rest": {"type": "list", "length": 2},
        "table": {"type": "dict", "length": 2},
        "text": {"type": "str", "length": 0},
    }


@pytest.mark.parametrize(
    "change",
    [
        "items[0] = 2",
        "items[0] += 2",
        "items += [2]",
        "(box.size, items[0]), rest = (1, 2), 3\ndel rest, box",
        "del items[0]",
        "items.append(2)",
        "items[0:1].copy().append(2)",
        "for number in range(2):\n    if number:\n        items.append(number)\ndel number",
        "try:\n    with open(os.devnull):\n        items.append(2)\nfinally:\n    pass",
        "import asyncio\nclass Later:\n    async def come(self): pass\nitems = Later()\nawait items.come()\ndel Later",
        "for items[0] in (1, 2):\n    pass",
        "%%time\nitems.append(2)",
    ],
)
def test_a_name_whose_value_the_cell_changes_is_told(session, change):
    assert session.run("items = [1]\nbox = Shelf()", limit_s=10).status == "ok"
    assert list(bound(session, change)) == ["items"]


@pytest.mark.parametrize(
    "source",
    [
        "def change():\n    items.append(2)\n    items[0] = 3\ndel change",
        "class Box:\n    items.append(2)\ndel Box",
        "lambda: items.append(2)",
        "str.format('{}{}', {1: items}, 2)",
        "len(items)\nprint(items[0])\nitems[0]\nitems",
        "''.join(map(str, items))",
        "import math\nos.environ['CRANE'] = '1'\nos.getpid()\nsys.ps1 = ''",
        "unknown = items\ndel unknown",
    ],
)
def test_what_is_only_read_runs_later_or_is_a_module_is_not_told(session, source):
    assert session.run("import sys\nitems = [1]", limit_s=10).status == "ok"
    assert bound(session, source) == {}


def test_what_a_table_or_a_model_has_become_is_told(session):
    if session.run("import pandas as pd", limit_s=60).status != "ok":
        pytest.skip("there is no pandas")
    assert session.run("first = pd.DataFrame({'a': [1, 2]})\nsecond, third = first.copy(), first.copy()", limit_s=60)
    source = """
        first["b"] = 1
        second.loc[5] = 0
        third.drop(columns="a", inplace=True)
    """
    found = bound(session, source)
    assert {name: (each["shape"], each["columns"]) for name, each in found.items()} == {
        "first": ([2, 2], ["a", "b"]),
        "second": ([3, 1], ["a"]),
        "third": ([2, 0], []),
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
