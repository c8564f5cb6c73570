"""What a failing expression was made of is told, whatever the objects in it do; nothing else depends on that.

The interpreters named in CRANE_KERNEL_PYTHONS are tried, too; see `test_kernel_ages`.
"""

import ast
import os
import sys
import textwrap
import time

import pytest

from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits

LAYERS = ["fork", "overlay", "landlock", "seccomp"]

PYTHONS = [sys.executable, *os.environ.get("CRANE_KERNEL_PYTHONS", "").split()]

SETUP = """
import collections, os, socket, sys, time

class Shelf:
    size = 3
    def __init__(self):
        self.books = ["a", "b"]
    def add(self, book, *, front=False, **more):
        pass

shelf = Shelf()
word, number, table = "wörd", 7, {"depth": 1, "width": 2}

def inner(left, right):
    total = left
    return total + right
"""

HOSTILE = {
    "takes all time": "while True:\n    pass",
    "sleeps": "time.sleep(99)",
    "ends the process": "os._exit(0)",
    "leaves": "sys.exit()",
    "raises": "raise KeyError('x')",
    "is interrupted": "raise KeyboardInterrupt",
    "opens a connection": "socket.create_connection(('127.0.0.1', 9))",
    "starts a process": "os.system('true')",
    "asks for input": "input()",
    "recurses": "return self.shape",
    "prints": "print('x' * 10_000_000)",
    "takes all memory": "return bytearray(1 << 60)",
    "crashes": "import ctypes\nctypes.string_at(0)",
}
"""What a property of an object of the user's may do when it is looked at."""

TRAP = """
class Trap:
    @property
    def shape(self):
{body}
trap = Trap()
"""


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda path: path.strip("/").replace("/", "_"))
def session(request):
    with launch(privacy="values", python=request.param) as session:
        assert session.run(SETUP, limit_s=30).status == "ok"
        yield session


@pytest.fixture
def exact(session):
    """A kernel that keeps the places of its instructions."""
    if session.run("import sys\nassert sys.version_info >= (3, 11)", limit_s=10).status != "ok":
        pytest.skip("this interpreter knows lines only")
    return session


def rehearse(session, source, seconds=5.0):
    arguments = {"source": textwrap.dedent(source).strip(), "seconds": seconds, "layers": LAYERS}
    reply = session.ask("rehearse", arguments, limits=Limits(seconds + 20, 50, 65_536))
    assert reply.status == "ok", reply.reason
    return reply.answer


def scene_of(session, source):
    answer = rehearse(session, source)
    assert answer["outcome"] == "crash", answer
    assert answer.get("bound") is None
    return answer["scene"]


def parts_of(scene):
    return {part["role"]: part for part in scene["parts"]}


NODES = {
    "a call": ("x = [\n  len(word), len(number)]", "Call", "len(number)", (2, 13, 2, 24)),
    "a key": ("word, table['height']", "Subscript", "table['height']", (1, 6, 1, 21)),
    "a key behind letters of two bytes": ("'äöü', table['é']", "Subscript", "table['é']", (1, 7, 1, 17)),
    "an operator": ("y = 1 + (word + number)", "BinOp", "word + number", (1, 9, 1, 22)),
    "an attribute": ("(shelf.size, shelf.bokks)", "Attribute", "shelf.bokks", (1, 13, 1, 24)),
    "a name": ("len(undefined)", "Name", "undefined", (1, 4, 1, 13)),
    "a comparison": ("1 < (number < word)", "Compare", "number < word", (1, 5, 1, 18)),
    "a method of a chain of lines": (
        "(word\n  .upper()\n  .center('x'))",
        "Call",
        "word\n  .upper()\n  .center('x')",
        (1, 1, 3, 14),
    ),
    "an assignment to a key": ("word['x'] = number", "Subscript", "word['x']", (1, 0, 1, 9)),
    "an assignment to itself": ("number += word", "AugAssign", "number += word", (1, 0, 1, 14)),
    "an unpacking": ("first, second = 'abc'", "Tuple", "first, second", (1, 0, 1, 13)),
    "a loop": ("for each in number:\n    pass", "Name", "number", (1, 12, 1, 18)),
    "a comprehension": ("[each.zz for each in [word]]", "Attribute", "each.zz", (1, 1, 1, 8)),
    "a cell with a magic": ("%matplotlib inline\nword\ntable['x']", "Subscript", "table['x']", (3, 0, 3, 10)),
    "a text with a hole": ("f'{word}: {table[\"x\"]}'", "Subscript", 'table["x"]', (1, 11, 1, 21)),
    "a timed cell": ("%%time\nz = 1\nz + table['x']", "Subscript", "table['x']", (3, 4, 3, 14)),
}


@pytest.mark.parametrize("name", NODES)
def test_the_exact_expression_is_told(exact, name):
    source, node, text, place = NODES[name]
    scene = scene_of(exact, source)
    assert (scene["node"], scene["text"]) == (node, text)
    assert (scene["line"], scene["column"], scene["end_line"], scene["end_column"]) == place
    assert (scene["cell"], scene["file"]) == (None, "")


def test_the_statement_is_told_where_the_interpreter_knows_lines_only(session):
    if session.run("import sys\nassert sys.version_info < (3, 11)", limit_s=10).status != "ok":
        pytest.skip("this interpreter keeps the places of its instructions")
    scene = scene_of(session, "x = 1\nfor each in [1]:\n    y = len(table['height'], *word, key=shelf.books[0])")
    assert (scene["node"], scene["text"]) == ("Assign", "y = len(table['height'], *word, key=shelf.books[0])")
    assert (scene["line"], scene["column"], scene["end_line"], scene["end_column"]) == (3, 4, 3, 55)
    parts = [(part["role"], part["text"], part["type"]) for part in scene["parts"]]
    assert ("value", "table", "dict") in parts
    assert ("key", "'height'", "str") in parts
    assert ("argument 0", "table['height']", "") in parts
    assert ("keyword key", "shelf.books[0]", "str") in parts
    loop = scene_of(session, "for each in number:\n    table['height']")
    assert (loop["node"], loop["text"]) == ("For", "for each in number:")


def test_a_function_of_the_users_is_the_place_and_its_variables_are_looked_at(exact):
    scene = scene_of(exact, "inner(word, [number])")
    assert (scene["cell"], scene["function"], scene["text"]) == (1, "inner", "total + right")
    assert (scene["line"], scene["column"], scene["end_column"]) == (15, 11, 24)
    assert scene["parts"] == [
        {"role": "left", "text": "total", "type": "str", "value": "'wörd'", "length": 4},
        {"role": "right", "text": "right", "type": "list", "length": 1, "elements": ["int"]},
    ]


def test_a_call_is_told_with_function_owner_and_arguments(exact):
    scene = scene_of(exact, "shelf.add(number, word[0], *table, back=shelf.books, **table, front=len(word), book=1)")
    parts = parts_of(scene)
    assert parts["function"]["parameters"] == ["book", "*", "front=...", "**more"]
    assert parts["function"]["name"] == "Shelf.add"
    assert (parts["owner"]["text"], parts["owner"]["type"]) == ("shelf", "Shelf")
    assert (parts["argument 0"]["value"], parts["argument 1"]["value"]) == ("7", "'w'")
    assert (parts["arguments"]["text"], parts["arguments"]["keys"]) == ("table", ["depth", "width"])
    assert parts["keyword back"]["elements"] == ["str"]
    assert parts["keywords"]["text"] == "table"


def test_no_call_is_made_again(exact):
    source = "calls = []\ndef count():\n    calls.append(1)\n    return len(calls)\n{}[count()] + number"
    scene = scene_of(exact, source)
    assert parts_of(scene)["key"] == {"role": "key", "text": "count()", "type": ""}
    scene = scene_of(exact, source.replace("{}[count()]", "(count() and {})[calls[0]]"))
    assert (parts_of(scene)["value"]["type"], parts_of(scene)["key"]["value"]) == ("", "1")


def test_the_attributes_that_were_probably_meant_are_told(exact):
    scene = scene_of(exact, "shelf.bokks")
    assert scene["parts"][0]["attributes"] == ["books"]
    scene = scene_of(exact, "from collections import OrderedDct")
    assert (scene["node"], scene["parts"][0]["text"]) == ("ImportFrom", "collections")
    assert scene["parts"][0]["attributes"][0] == "OrderedDict"


def test_a_key_with_a_colon_is_told(exact):
    parts = parts_of(scene_of(exact, "table[1:2]"))
    assert (parts["key"]["text"], parts["key"]["type"]) == ("1:2", "slice")


def test_what_was_to_be_unpacked_is_told(exact):
    parts = parts_of(scene_of(exact, "first, second = shelf.books[0]"))
    assert (parts["assigned"]["text"], parts["assigned"]["length"]) == ("shelf.books[0]", 1)


def test_a_frame_of_a_users_file_is_the_place(exact, tmp_path):
    (tmp_path / "mine.py").write_text("def of(settings):\n    return settings['none']\n")
    scene = scene_of(exact, f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport mine\nmine.of({{}})")
    assert (scene["cell"], scene["file"]) == (None, str(tmp_path / "mine.py"))
    assert (scene["line"], scene["text"]) == (2, "settings['none']")


@pytest.mark.parametrize("source", ["x = (", "eval('1 / ')"])
def test_what_has_no_place_of_its_own_has_no_scene_or_that_of_its_line(session, source):
    scene = scene_of(session, source)
    assert scene is None or scene["text"] == source


def test_what_a_line_times_has_no_scene(exact):
    assert scene_of(exact, "%time table['x']") is None


@pytest.mark.parametrize("name", HOSTILE)
def test_what_looking_does_changes_nothing_of_the_report(session, name):
    body = textwrap.indent(HOSTILE[name], " " * 8)
    assert session.run(TRAP.format(body=body), limit_s=10).status == "ok"
    began = time.monotonic()
    crash, finish = rehearse(session, "trap + number"), rehearse(session, "held = trap")
    assert time.monotonic() - began < 8
    assert (crash["outcome"], crash["denied"], crash["changed"], crash["why"]) == ("crash", [], [], "")
    assert (crash["exception"]["type"], crash["exception"]["line"]) == ("TypeError", 1)
    assert (finish["outcome"], finish["denied"], finish["changed"], finish["why"]) == ("finished", [], [], "")
    if name in ("raises", "recurses", "opens a connection", "asks for input"):
        assert finish["bound"] == {"held": {"type": "Trap"}}
        assert "Trap" in [part["type"] for part in crash["scene"]["parts"]]


def test_what_is_denied_to_the_cell_itself_still_counts(session):
    answer = rehearse(session, "try:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    1 / 0")
    assert answer["outcome"] == "unknown"
    assert answer["denied"] == ["opened a network connection"]
    assert (answer["scene"], answer["bound"]) == (None, None)


def test_what_is_described_is_bounded(session):
    source = "many = {f'key {i} ' + 'x' * 999: i for i in range(999)}\nheld = [many] * 70\n"
    scene = scene_of(session, f"{source}len({', '.join(f'held[{number}]' for number in range(70))})")
    assert len(scene["text"]) == 200
    assert len(scene["parts"]) == 50
    described = [part for part in scene["parts"] if part["type"] == "dict"]
    assert len(described) > 40
    assert {part["length"] for part in described} == {999}
    keys = [part["keys"] for part in described if "keys" in part]
    assert 1 <= len(keys) < 10  # The longest is left out first, where all together would be too much.
    assert (len(keys[0]), max(map(len, keys[0]))) == (50, 200)


@pytest.mark.parametrize(("privacy", "fields"), [("names", {"role", "text", "type"}), ("schema", {"length", "keys"})])
def test_less_leaves_at_the_stricter_levels(privacy, fields):
    with launch(privacy=privacy) as session:
        scene = scene_of(session, "table = {'a': 1}\nname = 'b'\ntable[name]")
    assert (scene["node"], scene["text"], scene["line"]) == ("Subscript", "table[name]", 3)
    parts = parts_of(scene)
    assert fields <= set(parts["value"]) <= {"role", "text", "type"} | fields
    assert parts["key"]["type"] == "str"
    assert "value" not in parts["key"]


LIBRARIES = {
    "pandas": (
        "import numpy as np, pandas as pd\nframe = pd.DataFrame({'price': [1.0, None], 'name': ['a', 'b']})\nprices = frame['price']",
        {
            "frame['prise']": {
                "value": {
                    "type": "pandas.DataFrame",
                    "shape": [2, 2],
                    "columns": ["price", "name"],
                    "length": 2,
                    "index": "pandas.RangeIndex",
                }
            },
            "prices[9.5]": {"value": {"type": "pandas.Series", "dtype": "float64", "index": "pandas.RangeIndex"}},
            "np.ones((2, 3)) @ frame.values[0]": {
                "left": {"type": ""},
                "right": {"type": "numpy.ndarray", "shape": [2]},
            },
            "pd.concat(frame, axs=1)": {"function": {"type": "function", "name": "pandas.concat"}},
            "frame.loc[:, 'prise']": {"value": {"text": "frame.loc"}, "key": {"type": "tuple", "text": ":, 'prise'"}},
        },
    ),
    "torch": (
        "import torch\nlayer = torch.nn.Linear(4, 2)\nbatch = torch.rand(3, 5)",
        {
            "layer(batch)": {
                "function": {
                    "type": "torch.nn.Linear",
                    "sizes": {"in_features": 4, "out_features": 2},
                    "parameters": ["input"],
                },
                "argument 0": {
                    "type": "torch.Tensor",
                    "shape": [3, 5],
                    "dtype": "torch.float32",
                    "device": "cpu",
                    "requires_grad": False,
                },
            },
            "layer.weight.numpy()": {"owner": {"requires_grad": True, "shape": [2, 4]}},
        },
    ),
    "sklearn": (
        "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "new = LogisticRegression()\nold = LogisticRegression().fit(np.eye(3), [0, 1, 0])\nX = np.ones((2, 4))",
        {
            "new.predict(X)": {
                "owner": {"type": "sklearn.linear_model.LogisticRegression", "fitted": False},
                "argument 0": {"shape": [2, 4], "dtype": "float64"},
            },
            "old.predict(X)": {"owner": {"fitted": True, "n_features_in": 3}},
            "LogisticRegression(penality='l2')": {"function": {"name": "sklearn.linear_model.LogisticRegression"}},
        },
    ),
    "keras": (
        "import keras\nmodel = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])\n"
        "model.compile(loss='categorical_crossentropy')",
        {
            "model.fitt()": {"owner": {"input_shape": [None, 4], "output_shape": [None, 3]}},
            "model[0]": {"value": {"loss": "categorical_crossentropy"}},
        },
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_librarys_objects_are_is_told(exact, library):
    setup, cells = LIBRARIES[library]
    if exact.run(setup, limit_s=120).status != "ok":
        pytest.skip(f"there is no {library}")
    for source, expected in cells.items():
        parts = parts_of(scene_of(exact, source))
        for role, facts in expected.items():
            assert {name: parts[role].get(name) for name in facts} == facts, (source, parts[role])


def test_every_part_is_source_of_its_expression(exact):
    scene = scene_of(exact, "max(table['depth'], shelf.books[0], -number, (word, number), [1, 2][0])")
    within = {ast.unparse(node) for node in ast.walk(ast.parse(scene["text"]))}
    assert {part["text"] for part in scene["parts"]} <= within
    assert [part["type"] for part in scene["parts"]][-5:] == ["int", "str", "int", "tuple", "int"]
