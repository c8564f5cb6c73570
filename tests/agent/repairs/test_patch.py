"""A patch changes what it is about: every other character of the cell stays as it was."""

import ast
import itertools

import pytest
from libraries import Oracle
from targets import target_in

from crane_agent.agent.claims import Crash
from crane_agent.agent.repairs import candidates, candidates_elsewhere
from crane_agent.agent.repairs.patch import Script
from crane_agent.notebook.code import parse


def crash_of(kind, message, line=1, **more):
    return Crash(kind, message, line, None, "it was run", "other", "python", **more)


def scene_at(text, source, node="Call", parts=(), line=None, cell=None):
    """Return a scene whose expression is the first place of a text in a source."""
    before = source[: source.index(text)]
    first = line or before.count("\n") + 1
    column = len(before) - before.rfind("\n") - 1
    last = text.rpartition("\n")
    end = column + len(text) if not last[1] else len(last[2])
    place = {"line": first, "end_line": first + text.count("\n"), "column": column, "end_column": end}
    return {**place, "cell": cell, "file": "", "function": "<module>", "node": node, "text": text, "parts": list(parts)}


def sources(crash, scene, target):
    return [patch.source for patch in candidates(crash, scene, target)]


def column_scene(source, text="df['age']", **more):
    parts = [
        {"role": "value", "text": "df", "type": "pandas.DataFrame", "columns": ["Age", "Name"]},
        {"role": "key", "text": "'age'", "type": "str"},
    ]
    return scene_at(text, source, "Subscript", parts, **more)


KEY = crash_of("KeyError", "'age'")

KEPT = {
    "blank lines above": "\n\n  \nx = 1\ny = df['age']\n\n\n",
    "a comment behind": "y = df['age']  # df['age'] stays",
    "letters of two bytes before": "ü = 'äöü', df['age'], 'é'",
    "letters of four bytes before": "t = '😀😀', df['age']",
    "tabs": "if True:\n\ty = df['age']",
    "a magic above": "%matplotlib inline\n!ls 'age'\ny = df['age']",
    "windows": "x = 1\r\ny = df['age']\r\n",
    "a semicolon": "x = 1; y = df['age']; z = 2",
    "a line that goes on": "y = 1 + \\\n    df['age']",
    "an indented cell": "    x = 1\n    y = df['age']",
    "a form feed": "x = 1\n\x0cy = df['age']",
    "a text that says the same": "t = \"df['age'\"\ny = df['age']",
    "double quotes": 'y = df["age"]',
}


@pytest.mark.parametrize("name", KEPT)
def test_all_else_is_kept(name):
    source = KEPT[name]
    text = 'df["age"]' if '"age"' in source else "df['age']"
    python = parse(source).python
    scene = column_scene(python, text, line=None)
    if name == "a text that says the same":
        scene = {**scene, "line": 2, "end_line": 2, "column": 4, "end_column": 13}
    found = sources(KEY, scene, target_in(source))
    place = source.rindex(text) if name != "a comment behind" else source.index(text)
    assert found[0] == source[:place] + text.replace("age", "Age") + source[place + len(text) :]


def test_below_a_cell_magic_lines_count_from_that_of_the_magic():
    source = "\n%%time\n\nx = 1\ny = df['age']"
    # As a report counts them: the line of the magic is 1, the code begins on the first line that is not blank.
    scene = {**column_scene("y = df['age']"), "line": 4, "end_line": 4}
    assert sources(KEY, scene, target_in(source)) == [source.replace("age", "Age")]


def test_the_line_of_a_magic_is_not_touched():
    source = "%time y = df['age']"
    assert sources(KEY, column_scene(source), target_in(source)) == []


def test_without_a_scene_the_line_and_what_was_probably_meant_are_enough():
    crash = crash_of("KeyError", "'age'", line=2, close=("Age",))
    assert sources(crash, {}, target_in("x = 1\ny = df['age']")) == ["x = 1\ny = df['Age']"]


def test_a_cell_that_is_no_python_gets_no_patch():
    assert sources(crash_of("SyntaxError", "invalid syntax"), {}, target_in("x = (")) == []


def test_a_name_that_a_cell_would_define_is_not_patched():
    target = target_in("print(value)", executed=("values = 1",), not_run=("value = 2",))
    crash = crash_of("NameError", "name 'value' is not defined", name="value")
    assert sources(crash, {}, target) == []


def test_what_another_cell_defines_is_patched_there():
    oracle = Oracle("f(d)", "d = {'Age': 1}", "def f(d):\n    # looks\n    return d['age']")
    crash, scene = oracle.crash()
    assert list(candidates(crash, scene, oracle.target)) == []
    (patch,) = candidates_elsewhere(crash, scene, oracle.target)
    assert (patch.cell, patch.source) == (1, "def f(d):\n    # looks\n    return d['Age']")


def test_none_is_traced_to_the_cell_that_bound_it():
    oracle = Oracle("x = y[0]", "y = [2, 1]\ny = y.sort()")
    crash, scene = oracle.crash()
    (patch,) = candidates_elsewhere(crash, scene, oracle.target)
    assert (patch.cell, patch.source) == (0, "y = [2, 1]\ny.sort()")


def test_files_that_are_there_are_proposed():
    crash = crash_of("FileNotFoundError", "[Errno 2] No such file or directory: 'tran.csv'", close=("train.csv",))
    source = 'df = pd.read_csv("tran.csv", sep=";")'
    assert sources(crash, {}, target_in(source)) == ['df = pd.read_csv("train.csv", sep=";")']


def test_a_folder_is_made_before_a_file_is_written_to_it(tmp_path):
    source = f"import json\nwith open('{tmp_path}/new/a.json', 'w') as f:\n    json.dump(1, f)"
    oracle = Oracle(source)
    crash, scene = oracle.crash()
    patch = oracle.first_that_runs(list(candidates(crash, scene, oracle.target)))
    assert patch.source.startswith(f"import os\nimport json\nos.makedirs('{tmp_path}/new', exist_ok=True)\nwith open(")
    assert (tmp_path / "new" / "a.json").exists()


# -- what needs a graphics card or a library that is not here ----------------------------------------------------------


def tensor(role, text, device="cpu", **more):
    return {
        "role": role,
        "text": text,
        "type": "torch.Tensor",
        "shape": [4],
        "dtype": "torch.float32",
        "device": device,
        **more,
    }


LITERAL = {
    "a tensor on a card": (
        (
            "TypeError",
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
        ),
        "n = t.numpy()",
        "t.numpy()",
        [tensor("owner", "t", "cuda:0")],
        "n = t.cpu().numpy()",
    ),
    "a tensor on a card that is plotted": (
        (
            "TypeError",
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
        ),
        "plt.plot(t, u)",
        "plt.plot(t, u)",
        [tensor("argument 0", "t", "cuda:0", requires_grad=True), tensor("argument 1", "u")],
        "plt.plot(t.detach().cpu(), u)",
    ),
    "data that is not on the card": (
        (
            "RuntimeError",
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
        ),
        "out = model(x)",
        "model(x)",
        [{"role": "function", "text": "model", "type": "__main__.Net", "device": "cuda:0"}, tensor("argument 0", "x")],
        "out = model(x.to(next(model.parameters()).device))",
    ),
    "tensors on two devices": (
        (
            "RuntimeError",
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
        ),
        "z = x + y",
        "x + y",
        [tensor("left", "x", "cuda:0"), tensor("right", "y")],
        "z = x + y.to(x.device)",
    ),
    "a keyword of keras": (
        ("ValueError", "Argument(s) not recognized: {'lr': 0.01}"),
        "opt = Adam(lr=0.01, beta_1=0.9)",
        "Adam(lr=0.01, beta_1=0.9)",
        [{"role": "function", "text": "Adam", "type": "type", "name": "keras.optimizers.Adam"}],
        "opt = Adam(learning_rate=0.01, beta_1=0.9)",
    ),
    "classes of keras": (
        ("AttributeError", "'Sequential' object has no attribute 'predict_classes'"),
        "p = model.predict_classes(X)",
        "model.predict_classes",
        [{"role": "owner", "text": "model", "type": "keras.Sequential", "output_shape": [None, 3]}],
        "import numpy as np\np = np.argmax(model.predict(X), axis=-1)",
    ),
    "a generator of keras": (
        ("AttributeError", "'Sequential' object has no attribute 'fit_generator'"),
        "model.fit_generator(g, epochs=2)",
        "model.fit_generator",
        [{"role": "owner", "text": "model", "type": "keras.Sequential"}],
        "model.fit(g, epochs=2)",
    ),
    "the accuracy of a history": (
        ("KeyError", "'acc'"),
        "plt.plot(h.history['acc'])",
        "h.history['acc']",
        [{"role": "value", "text": "h.history", "type": "dict", "keys": ["accuracy", "loss"]}],
        "plt.plot(h.history['accuracy'])",
    ),
    "an import of keras": (
        ("ModuleNotFoundError", "No module named 'keras.layers.core'"),
        "from keras.layers.core import Dense, Dropout",
        "from keras.layers.core import Dense, Dropout",
        [],
        "from keras.layers import Dense, Dropout",
    ),
    "a file from a card": (
        ("RuntimeError", "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False."),
        "m = torch.load('m.pt',)",
        "torch.load('m.pt',)",
        [],
        "m = torch.load('m.pt', map_location=\"cpu\")",
    ),
}


@pytest.mark.parametrize("name", LITERAL)
def test_what_cannot_run_here_is_patched_by_its_scene(name):
    (kind, message), source, text, parts, expected = LITERAL[name]
    node = type(ast.parse(text).body[0]).__name__
    if node == "Expr":
        node = type(ast.parse(text, mode="eval").body).__name__
    found = sources(crash_of(kind, message), scene_at(text, source, node, parts), target_in(source))
    assert expected in found[:3], found


# -- edits -----------------------------------------------------------------------------------------------------------


def edited(source, make):
    """Return a source after an edit of its first call."""
    script = Script(source, parse(source))
    call = next(node for node in ast.walk(script.tree) if isinstance(node, ast.Call))
    (patch,) = script.patch("", make(script, call))
    return patch.source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f()", "f(b=1)"),
        ("f(a)", "f(a, b=1)"),
        ("f(a,)", "f(a, b=1)"),
        ("f((a))", "f((a), b=1)"),
        ("f(\n    a,  # why\n)", "f(\n    a,  # why\n b=1)"),
        ("f(\n    a,\n    c\n)", "f(\n    a,\n    c, b=1\n)"),
        ("f(*a, **c)", "f(*a, **c, b=1)"),
    ],
)
def test_an_argument_is_added_behind_the_others(source, expected):
    assert edited(source, lambda script, call: script.with_argument(call, "b=1")) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(a=1)", "f()"),
        ("f(a=1, b=2)", "f(b=2)"),
        ("f(b, a=1)", "f(b)"),
        ("f(b,\n  a=1,\n  c=2)", "f(b,\n  c=2)"),
    ],
)
def test_an_argument_is_taken_out_with_its_comma(source, expected):
    def without_a(script, call):
        return script.without_argument(call, next(each for each in call.keywords if each.arg == "a"))

    assert edited(source, without_a) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(a)", "f(a.T)"),
        ("f(a + b)", "f((a + b).T)"),
        ("f(-a)", "f((-a).T)"),
        ("f((a, b))", "f((a, b).T)"),
        ("f(1)", "f((1).T)"),
        ("f(a if b else c)", "f((a if b else c).T)"),
        ("f(a\n  [0])", "f(a\n  [0].T)"),
    ],
)
def test_what_is_put_behind_an_expression_belongs_to_all_of_it(source, expected):
    assert edited(source, lambda script, call: script.followed(call.args[0], ".T")) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = np.a", "import n\nx = np.a"),
        ("'''Title'''\nx = np.a", "'''Title'''\nimport n\nx = np.a"),
        ("@np.a\ndef f():\n    pass", "import n\n@np.a\ndef f():\n    pass"),
        ("# c\n\nx = 1", "# c\n\nimport n\nx = 1"),
        ("%%time\nx = 1", "%%time\nimport n\nx = 1"),
        ("    x = 1\n    y = 2", "    import n\n    x = 1\n    y = 2"),
        ("%load_ext a\nx = 1", "%load_ext a\nimport n\nx = 1"),
        ("x = 1\r\ny = 2", "import n\r\nx = 1\r\ny = 2"),
    ],
)
def test_an_import_comes_first(source, expected):
    script = Script(source, parse(source))
    (patch,) = script.patch("", script.imported("import n"))
    assert patch.source == expected


def test_what_would_be_no_python_is_no_patch():
    script = Script("f(x for x in y)", parse("f(x for x in y)"))
    call = script.tree.body[0].value
    assert list(script.patch("", script.with_argument(call, "2"))) == []


def test_edits_that_overlap_are_no_patch():
    script = Script("f(x)", parse("f(x)"))
    call = script.tree.body[0].value
    assert list(script.patch("", script.replaced(call, "g()"), script.replaced(call.args[0], "y"))) == []


def test_a_literal_keeps_its_quotes():
    for source, text, expected in (
        ('f("a")', "b", 'f("b")'),
        ("f('a')", "b", "f('b')"),
        ("f('a')", "it's", 'f("it\'s")'),
        ('f("a")', 'say "b"', "f('say \"b\"')"),
        ("f(r'a')", "b", "f('b')"),
        ("f('a')", "a\nb", "f('a\\nb')"),
    ):
        assert edited(source, lambda script, call, text=text: script.quoted(call.args[0], text)) == expected


# -- whatever is said --------------------------------------------------------------------------------------------------


def test_no_strategy_fails_whatever_the_message_and_the_scene_say():
    from test_strategies import ROWS

    rows = list(ROWS.values())
    messages = [
        ("ValueError", "Expected 2D array, got 1D array instead"),
        ("TypeError", "'NoneType' object is not subscriptable"),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        ("KeyError", "'age'"),
        ("IndexError", "index 4 is out of bounds for axis 0 with size 4"),
        ("AttributeError", "'DataFrame' object has no attribute 'append'"),
        ("TypeError", "f() got an unexpected keyword argument 'axis'"),
        ("TypeError", "'float' object cannot be interpreted as an integer"),
        ("ImportError", "cannot import name 'a' from 'b'"),
        ("NotFittedError", "This A instance is not fitted yet."),
        ("ValueError", "could not convert string to float: '1,2'"),
        ("ValueError", "The truth value of a Series is ambiguous."),
        ("TypeError", "f() takes from 0 to 1 positional arguments but 2 were given"),
        ("TypeError", "'int' object is not callable"),
        ("NameError", "name 'np' is not defined"),
        ("ValueError", ""),
    ]
    odd = {
        "shape": [None, 3],
        "columns": [1, None, True, "a"],
        "dtypes": {},
        "keys": [],
        "parameters": ["*", "/", "**k"],
    }
    for number, (kind, message) in itertools.product(range(len(rows)), messages):
        source = rows[number][1]
        target = target_in(source, executed=("x = 1\nimport numpy as np",))
        parts = [{"role": role, "text": "x", "type": "", **odd} for role in ("value", "argument 0", "left")]
        for scene in ({}, {"parts": parts}, {"line": 10**6, "column": 3, "text": "x", "node": "Name", "cell": 7}):
            for patch in candidates(crash_of(kind, message, line=1 + number % 3), scene, target):
                assert parse(patch.source).syntax_error is None
                assert patch.summary
