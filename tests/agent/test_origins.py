"""Where crashes come from: the cells really run, the target really crashes, and its rehearsal's words are read."""

import contextlib
import io
import json
from types import SimpleNamespace

import pytest
from IPython.core.compilerop import CachingCompiler
from targets import target_in

from crane_agent.agent.claims import Crash, claim_of
from crane_agent.agent.origins import MOST, Failure, Frame, origin_of
from crane_agent.agent.policy import Observation
from crane_agent.agent.rehearsals import rehearsal_fact, said_of
from crane_agent.in_kernel.rehearsal.report import of_error
from crane_agent.in_kernel.rehearsal.scene import scene_of
from crane_agent.notebook.code import parse
from crane_agent.session.protocol import Reply

NOTHING = Observation({}, frozenset())
NUMPY = "import numpy as np"
PANDAS = "import pandas as pd"
TABLE = "df = pd.DataFrame({'age': [1, 2], 'name': ['a', None]})"
LAYER = "class Layer:\n    def __init__(self, n):\n        self.w = np.ones((n, 2))\n"

# Executed cells, target, the cells that it comes from with what they did.
CRASHES = {
    "a column that was dropped": (
        (PANDAS, TABLE, "df = df.drop(columns=['age'])", "df['size'] = 3", "n = len(df)"), "df['age']",
        ((2, "bound df last"), (1, "bound df before that"), (3, "changed df by item assignment")),
    ),
    "a column that was renamed": (
        (PANDAS, TABLE, "df = df.rename(columns={'age': 'years'})", "k = df.copy()"), "df.groupby('age').sum()",
        ((2, "bound df last"), (1, "bound df before that")),
    ),
    "an attribute is a matter of the type": (
        ("import collections", "x = collections.Counter()", "x.update('abc')", "n = 3"), "x.predict_classes()",
        ((1, "bound x last"),),
    ),
    "a key that is an array": (
        (NUMPY, "names = ['a', 'b']", "labels = np.zeros((4, 3))"), "for i in range(2):\n    print(names[labels[i]])",
        ((2, "bound labels last"), (1, "bound names last")),
    ),
    "shapes blame both": (
        (NUMPY, "a = np.ones((2, 3))", "k = 5", "b = np.ones((k, 4))"), "a @ b",
        ((3, "bound b last"), (1, "bound a last"), (2, "bound k, which b was made from")),
    ),
    "what the target itself made of it": (
        (NUMPY, "a = np.ones(3)", "n = 2"), "b = a * 2\nc = b.tolist()\nfloat(c)", ((1, "bound a last"),),
    ),
    "a function that computed it": (
        (NUMPY, "size = 3\ndef make(n):\n    w = np.ones((n, 2))\n    return w @ w", "n = 4"), "make(n)",
        ((1, "defines make, which raises"), (2, "bound n last")),
    ),
    "a function that was given it": (
        (NUMPY, "def total(values):\n    for each in values:\n        float(each)", "data = ['1', 'x']", "k = 1"),
        "total(data)", ((2, "bound data last"), (1, "defines total, which raises")),
    ),
    "through two functions": (
        ("def inner(v):\n    return float(v)", "def outer(a, b):\n    return inner(b)", "one = 'x'", "two = 'y'"),
        "outer(one, two)", ((3, "bound two last"), (0, "defines inner, which raises")),
    ),
    "by keyword": (
        ("def f(a, b):\n    return float(b)", "one = 'x'", "two = 'y'"), "f(b=one, a=two)",
        ((1, "bound one last"), (0, "defines f, which raises")),
    ),
    "a global of a function": (
        ("def f():\n    return float(text)", "text = 'x'"), "f()",
        ((1, "bound text last"), (0, "defines f, which raises")),
    ),
    "the function between computed it": (
        ("def inner(v):\n    return float(v)", "def outer(a):\n    b = a + 'x'\n    return inner(b)", "one = '1'"),
        "outer(one)", ((1, "defines outer, which made b"), (0, "defines inner, which raises"), (2, "bound one last")),
    ),
    "a method": (
        (NUMPY, LAYER + "    def run(self, x):\n        return x @ self.w", "layer = Layer(3)", "x = np.ones((2, 4))"),
        "layer.run(x)", ((1, "defines Layer.run, which raises"), (3, "bound x last")),
    ),
    "a method that Python calls": (
        (NUMPY, LAYER + "    def __call__(self, x):\n        return float(x)", "layer = Layer(3)", "x = 'a'"),
        "layer(x)", ((3, "bound x last"), (1, "defines Layer.__call__, which raises")),
    ),
    "a constructor": (
        ("class A:\n    def __init__(self, n):\n        self.n = int(n)", "text = 'x'"), "A(text)",
        ((1, "bound text last"), (0, "defines A.__init__, which raises")),
    ),
    "a lambda": (
        (PANDAS, TABLE, "n = 1"), "df['name'].apply(lambda text: text.upper())", ((1, "bound df last"),),
    ),
    "a function that is passed": (
        (PANDAS, TABLE, "def up(text):\n    return text.upper()", "n = 1"), "df['name'].apply(up)",
        ((1, "bound df last"), (2, "defines up, which raises")),
    ),
    "a comprehension": (("words = ['1', 'x']", "n = 1"), "[float(each) for each in words]", ((0, "bound words last"),)),
    "what a function stored into it": (
        (PANDAS, TABLE, "def clean(t):\n    t['age'] = ['x', 'y']", "clean(df)"), "df['age'].astype(int)",
        ((3, "changed df by clean()"), (1, "bound df last"), (2, "defines clean")),
    ),
    "a call that does not fit its function": (
        ("def f(a, b):\n    return a", "x = 1"), "f(x)", ((0, "defines f"),),
    ),
    "a name that hides a function": (("total = [1]", "sum = 3"), "sum(total)", ((1, "bound sum last"),)),
    "a name that was deleted": (("x = 1", "y = x", "del x"), "x", ((2, "deleted x"),)),
    "a name of a function": (
        ("def fit():\n    history = 1\n    return history", "n = 1"), "history",
        ((0, "binds history only inside fit"),),
    ),
    "a name that a function lacks": (("def f():\n    return nothing", "n = 1"), "f()", ((0, "defines f, which raises"),)),
    "an argument rather than a setting": (
        (NUMPY, "size = 2", "a = 'x'"), "np.full(size, a, dtype=float)", ((2, "bound a last"), (1, "bound size last")),
    ),
    "imports are none": ((NUMPY,), "np.nothing", ()),
    "what the target made is none": ((NUMPY, "x = 1"), "y = 'a'\nfloat(y)", ()),
    "who only reads is none": (("x = 'a'", "print(x)\ny = x + x", "z = [x]"), "float(x)", ((0, "bound x last"),)),
    "more than fit": (
        ("x = []", "x.append('a')", "x.append('b')", "x.append('c')"), "float(x)",
        tuple((place, "changed x by .append()") for place in (3, 2, 1)),
    ),
}  # fmt: skip


def rehearsed(executed, target):
    """Run the executed cells and the target as the kernel would, and return what a rehearsal answers."""
    shell = SimpleNamespace(compile=CachingCompiler(), transform_cell=lambda text: parse(text).python)

    def compiled(source, number):
        python = parse(source).python
        name = shell.compile.cache(python, number)
        return compile(python, name, "exec", dont_inherit=True), name

    namespace = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for number, cell in enumerate(executed, 1):
            exec(compiled(cell, number)[0], namespace)
        code, file = compiled(target, 99)
        del shell.compile._filename_map[file]
        try:
            exec(code, namespace)
        except Exception as error:  # noqa: BLE001 - what Python raises is what is asked
            scene = scene_of(error, shell, file, parse(target).tree)
            raised = of_error(error, shell, file)
            return json.loads(json.dumps({"exception": raised, "scene": scene}))
    raise AssertionError("the target does not raise")


def origins(executed, target, answer):
    answer = {
        "outcome": "crash", "why": "", "line": None, "loop": "", "denied": [], "changed": [], "seconds": 0.1, **answer,
    }  # fmt: skip
    fact = rehearsal_fact("F1", Reply("ok", answer=answer), "fork")
    found = said_of(fact, target_in(target, executed=executed), NOTHING, proved=None)
    assert found.claim is not None
    return tuple((each.cell, each.summary) for each in found.claim.origin)


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_comes_from_the_cells_that_made_its_operands(name):
    executed, target, expected = CRASHES[name]
    assert origins(executed, target, rehearsed(executed, target)) == expected


@pytest.mark.parametrize("name", CRASHES)
def test_without_the_expression_that_failed_its_line_tells_as_much_of_the_first(name):
    executed, target, expected = CRASHES[name]
    answer = rehearsed(executed, target)
    found = origins(executed, target, {**answer, "scene": None})
    assert {cell for cell, _ in expected[:1]} <= {cell for cell, _ in found}
    assert len(found) <= MOST


def test_a_name_that_cells_not_run_would_bind_comes_from_these():
    crash = crash_in_line(1, type="NameError", message="name 'x' is not defined", name="x")
    target = target_in("x", executed=("def f():\n    x = 1",), not_run=("x = 2",))
    claim = claim_of(crash, target, Observation({"x": (2,)}, frozenset()), confidence=1.0, facts=("F1",))
    assert [(each.cell, each.summary) for each in claim.origin] == [(2, "would define x, but did not run")]


def test_what_the_checker_found_is_traced_by_its_line_and_column():
    target = target_in("n = len(a)\nb[n] + c[n]", executed=("a = [1]", "b = [1]", "c = [1, 2]"))
    claim = claim_of(crash_in_line(2, column=7), target, NOTHING, confidence=1.0, facts=("F1",))
    assert [(each.cell, each.summary) for each in claim.origin] == [(2, "bound c last"), (0, "bound a last")]
    owned = claim_of(crash_in_line(2, column=0, owner="b"), target, NOTHING, confidence=1.0, facts=("F1",))
    assert [(each.cell, each.summary) for each in owned.origin] == [(1, "bound b last")]


def test_an_owner_that_the_target_bound_is_traced_to_what_it_was_made_from():
    target = target_in("part = df['a']\npart['b']", executed=("df = load()", "n = 1"))
    crash = crash_in_line(2, type="KeyError", message="'b'", owner="part")
    claim = claim_of(crash, target, NOTHING, confidence=1.0, facts=("F1",))
    assert [(each.cell, each.summary) for each in claim.origin] == [(0, "bound df last")]


def test_a_cell_in_no_notebook_is_named_by_its_number():
    target = target_in("x[5]", executed=("x = [1]",))
    failure = Failure("IndexError", "list index out of range", [Frame("", 1)], "x[5]")
    (found,) = origin_of(failure, target)
    assert (found.cell, found.ran) == (0, 1)


def test_lines_below_a_cell_magic_are_followed():
    target = target_in("%%time\ny = x\nfloat(y)", executed=("x = 'a'", "y = 'b'"))
    failure = Failure("ValueError", "could not convert string to float", [Frame("", 3)], "float(y)", (3, 0))
    assert [each.cell for each in origin_of(failure, target)] == [0]


def test_no_word_of_the_message_is_told():
    target = target_in("float(x)", executed=("x = read()",))
    failure = Failure("ValueError", "could not convert string to float: 'Ann'", [Frame("", 1)], "float(x)")
    assert "Ann" not in str(origin_of(failure, target))


@pytest.mark.parametrize("line", [None, 0, 1, 99])
@pytest.mark.parametrize("expression", ["", "a[", "lambda", "x = 1", "x\ny", "\0", "x[" * 40])
def test_whatever_is_told_of_the_place_something_is_answered(line, expression):
    target = target_in("x[5]", executed=("x = [1]", "def f(:"))
    frames = [Frame("", line), Frame("f", line, target.executed[1])]
    assert isinstance(origin_of(Failure("KeyError", "", frames[:1], expression), target), tuple)
    assert origin_of(Failure("KeyError", "", frames, expression), target)[-1].cell == 1


def crash_in_line(line, **facts):
    given = {"type": "IndexError", "message": "list index out of range", "column": None, **facts}
    return Crash(line=line, because="it was seen", crash_type="index error", library="python", **given)
