"""No question leaves a trace in the kernel or runs the user's code, whatever the value is.

One kernel for the module. Each test binds a value in a cell, asks every question about it, and compares the kernel's
fingerprint, with the tripwires in our worker thread, see `fingerprint`.
"""

import ast
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from fingerprint import Watch
from kernels import IN_KERNEL, code_cells, open_kernel
from zoo import HOSTILE, ORDINARY, START

from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.in_kernel import wire
from crane_agent.in_kernel.probes import PROBES
from crane_agent.notebook.cells import Notebook
from crane_agent.notebook.history import target_of
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession
from crane_agent.session.protocol import Limits

PATHS = [
    "it",
    "it.a",
    "it.shape",
    "it.columns",
    "it.missing",
    "it.b",
    "it.__class__",
    "it.__dict__",
    "it[0]",
    "it[-1]",
    "it['a']",
]

TARGETS = [
    "it.missing",
    "it.a.b.c\nit.shape[1]",
    "it['zz']",
    "it[['a', 'zz']]",
    "it[0][1]",
    "for each in it:\n    each.f()",
    "[each for each in it if each]",
    "len(it)",
    "it + 1\nit @ it",
    "it(1, 2, c=3)",
    "it.fit(it, 1)\nit.transform(it)",
    "print(it)\nf'{it}'\nstr(it)\nrepr(it)",
    "if it == it and it in [it] and not it:\n    pass",
    "{it: 1}\n{it}",
    "isinstance(it, int)\nissubclass(it, int)\ntype(it)",
    "a, b = it\n*a, = it",
    "it['a'] = 1\nit.new = 2\ndel it['a']",
    "it += 1",
    "with it as each:\n    each",
    "sorted(it)\nlist(it)\nmax(it)\nnext(it)",
    "it.drop(columns=['zz'])\nit.groupby('zz').mean()",
    "open('missing.csv')\npd.read_csv('missing.csv')",
    "class Model(it):\n    pass\nraise it",
    "from it import x\nimport here",
    "undefined_name",
]


ZOO = {**ORDINARY, **HOSTILE}


class Kernel:
    """A kernel with the observer and our modules in it."""

    def __init__(self, folder, cleanup):
        before = os.getcwd()
        os.chdir(folder)
        try:
            opened = cleanup.enter_context(open_kernel())
        finally:
            os.chdir(before)
        self.channel = opened.channel
        self.watch = Watch(self.channel, folder)

    def run(self, code):
        reply = self.channel.execute(code, limit_s=60)
        assert reply.status == "ok", reply.traceback

    def bind(self, code):
        # What the last value left to the garbage collector must not be collected during the questions.
        self.watch.forget()
        self.run("it = whole = owner = T = None; ran.clear(); import gc; gc.collect(); matplotlib.pyplot.close('all')")
        self.run(code)

    def ask(self, question, arguments):
        reply = self.channel.ask(question, arguments)
        assert reply.status in ("ok", "refused"), f"{question} {arguments}: {reply.reason}"
        assert reply.size <= Limits().bytes
        assert reply.elapsed_ms < 1000 * Limits().seconds
        return reply

    def ask_every_probe(self):
        """Put every probe's questions about the name `it`; return how many were answered."""
        questions = [
            ("names", {}),
            ("names", {"like": "itt"}),
            ("file", {"path": "here.csv"}),
            ("file", {"path": "no/x"}),
        ]
        questions.extend(("describe", {"path": path}) for path in PATHS)
        for probe in ("columns", "array", "signature", "layers", "estimator"):
            questions.extend((probe, {"path": path}) for path in ("it", "it.a", "it[0]"))
        questions.append(("columns", {"path": "it", "names": ["zz", "price", 1]}))
        questions.append(("signature", {"path": "it", "positional": 3, "keywords": ["zz"]}))
        return sum(self.ask(*question).status == "ok" for question in questions)

    def check_every_target(self):
        for target in TARGETS:
            self.ask("check", {"tree": wire.encode_tree(ast.parse(target))})

    def assert_untouched(self):
        found = [*self.watch.changes(), *self.watch.calls(), *self.watch.events()]
        assert not found, "\n".join(found[:40])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("watched"), cleanup)
        kernel.run(START)
        kernel.channel.install()
        # What the first question ever sets up is the kernel's own: loggers, the codecs of its messages.
        kernel.ask("names", {})
        yield kernel


def test_every_probe_is_asked():
    asked = {"names", "file", "describe", "columns", "array", "signature", "layers", "estimator"}
    assert asked == set(PROBES)


def test_an_idle_kernel_does_not_change(kernel):
    kernel.watch.start()
    kernel.assert_untouched()


@pytest.mark.parametrize("name", [*ORDINARY, *HOSTILE])
def test_probes_leave_no_trace(kernel, name):
    kernel.bind(ZOO[name])
    kernel.watch.start()
    answered = kernel.ask_every_probe()
    kernel.assert_untouched()
    assert answered >= 4  # names, files, and a description of most values


@pytest.mark.parametrize("name", [*ORDINARY, *HOSTILE])
def test_the_checker_leaves_no_trace(kernel, name):
    kernel.bind(ZOO[name])
    kernel.watch.start()
    kernel.check_every_target()
    kernel.assert_untouched()


NOTEBOOK = [
    "import pandas as pd, numpy as np, torch\nfrom sklearn.linear_model import LinearRegression",
    "df = pd.DataFrame({'price': [1.0, 2.0], 'area': [3, 4]})",
    "net = torch.nn.Linear(4, 2); x = torch.zeros(3, 5); model = LinearRegression()",
    "def train(model, data, *, epochs=1): return model",
]


@pytest.mark.parametrize(
    "target",
    [
        "df['Price'].mean()",
        "net(x)",
        "model.predict(df)",
        "train(model, df, lr=0.1)",
        "pd.read_csv('missing.csv')",
        "df.plot(); undefined",
        "total = df.price.sum() + np.mean(df.area)",
    ],
)
def test_a_whole_prediction_leaves_no_trace(kernel, target):
    for source in NOTEBOOK:
        kernel.run(source)
    cells = code_cells(*NOTEBOOK, target)
    notebook = Notebook(path=Path("here.ipynb"), cells=cells, kernelspec=None, language="python")
    session = LaunchedSession(kernel.channel, kernel.channel.facts(), ExitStack())
    kernel.watch.start()
    verdict = predict(target_of(notebook, str(len(NOTEBOOK))), session, policy=RulePolicy())
    assert verdict.outcome in ("crash", "no_crash", "unknown")
    kernel.assert_untouched()


def test_installing_adds_no_module_and_no_name(tmp_path):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path, cleanup)
        kernel.watch.start()
        kernel.channel.install()
        kernel.ask("names", {})
        kernel.ask("check", {"tree": wire.encode_tree(ast.parse("x = 1\nprint(x)\ny.z"))})
        changed = {line.partition(":")[0] for line in kernel.watch.changes()}
        # The worker is a thread, and an execute request leaves its mark in IPython.
        assert changed <= {"threads", "IPython", "logging", "signals"}


# -- The fingerprint itself -----------------------------------------------------------------------------------------

PLANTER = """
from . import wire

def answer(text, shell):
    code = wire.loads(text)["arguments"]["code"]
    exec(compile(code, "/tmp/planted.py", "exec"), shell.user_ns)
    return wire.dumps({"status": "ok", "answer": {}, "cells": shell.execution_count})
"""

GROUND = """
import collections, logging, os, pathlib, random, sys, threading, time, warnings
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot, numpy as np, pandas as pd, torch
rows = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
array = np.zeros(3)
tensor = torch.ones(3, requires_grad=True)
network = torch.nn.BatchNorm1d(2)
def numbers():
    yield 1
    yield 2
generator, iterator = numbers(), iter([1, 2, 3])
table = collections.defaultdict(list)
words = {"b", "a"}
order = {"x": 1, "y": 2}
nested = [1, [2, {"z": 3}]]
class Model:
    @property
    def size(self): self._size = 1; return 1
model = Model()
file = open("planted.txt", "w+")
file.write("hello"); file.flush(); file.seek(0)
_hidden = [1]
"""

PLANTED = {
    "random.random()": "randomness",
    "np.random.rand()": "randomness",
    "torch.rand(1)": "randomness",
    "rows['a']; rows.columns.is_unique": "name rows",
    "rows.dtypes": "name rows",
    "rows.attrs['seen'] = True": "name rows",
    "rows.iloc[0, 0] = 9": "name rows",
    "next(generator)": "name generator",
    "next(iterator)": "name iterator",
    "table['new']": "name table",
    "words.add('c')": "name words",
    "order['x'] = order.pop('x')": "name order",
    "nested[1][1]['z'] = 4": "name nested",
    "array[1] = 5": "name array",
    "array.flags.writeable = False": "name array",
    "tensor.sum().backward()": "name tensor",
    "tensor.data.add_(1)": "name tensor",
    "network(torch.zeros(3, 2))": "name network",
    "network.eval()": "name network",
    "model.size": "name model",
    "Model.new = 1": "name Model",
    "numbers.__defaults__ = (1,)": "name numbers",
    "file.read(2)": "name file",
    "_hidden.append(2)": "name _hidden",
    "fresh = 1": "names",
    "matplotlib.pyplot.figure()": "figures",
    "import wave": "modules",
    "sys.path.append('/nowhere')": "import path",
    "os.environ['PLANTED'] = '1'": "environment",
    "kept = open('planted.txt')": "open files",
    "pathlib.Path('new.txt').write_text('x')": "files there",
    "warnings.warn('planted')": "warnings",
    "warnings.simplefilter('ignore')": "warnings",
    "torch.set_printoptions(precision=2)": "printing",
    "pd.set_option('display.max_rows', 7)": "printing",
    "logging.getLogger().setLevel(10)": "logging",
    "sys.last_value = 1": "system",
    "import builtins; builtins.planted = 1": "builtins",
    "get_ipython().events.register('pre_execute', print)": "IPython",
    "get_ipython().payload_manager.write_payload({'source': 'set_next_input'})": "IPython",
    "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()": "threads",
    "os.chdir('/')": "working folder",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("planted"), cleanup)
        kernel.run(GROUND)
        sources = {name: (IN_KERNEL / f"{name}.py").read_text() for name in ("boot", "moment", "wire")}
        kernel.channel.install({**sources, "entry": PLANTER})
        kernel.channel.ask("plant", {"code": "pass"})
        yield kernel


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_effect_is_seen(planted, code):
    planted.watch.start()
    assert planted.channel.ask("plant", {"code": code}, limits=Limits(seconds=10)).status == "ok"
    places = {line.partition(":")[0] for line in planted.watch.changes()}
    assert PLANTED[code] in places
    assert any("planted.py" in line for line in planted.watch.calls())


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("open('/etc/hostname').close()", "open"),
        ("import chunk_that_is_not_there", "import"),
        ("compile('1', 'x', 'exec')", "compile"),
        ("exec('1')", "exec"),
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "socket.connect"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
    ],
)
def test_the_tripwire_sees_what_our_thread_does(planted, code, event):
    planted.watch.start()
    planted.channel.ask("plant", {"code": f"try:\n    {code}\nexcept ImportError: pass"}, limits=Limits(seconds=10))
    assert event in {line.split()[0] for line in planted.watch.events()}
