"""No question leaves a trace in the kernel or runs the user's code, whatever the value is.

One kernel for the module. Each test binds a value in a cell, asks every question about it, and compares the kernel's
fingerprint, with the tripwires in our worker thread, see `fingerprint`.
"""

import ast
import itertools
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from time import sleep

import pytest
from fingerprint import Watch
from kernels import IN_KERNEL, code_cells, open_kernel
from zoo import CLEAN, HOSTILE, LARGE, OPTIONAL, ORDINARY, START

from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.config import Settings
from crane_agent.in_kernel import wire
from crane_agent.in_kernel.probes import PROBES
from crane_agent.notebook.cells import Notebook
from crane_agent.notebook.history import target_of
from crane_agent.predict import predict
from crane_agent.session.channel import Channel
from crane_agent.session.launched import LaunchedSession
from crane_agent.session.protocol import Limits
from evals.probes.questions import OF_THE_WORLD, Question, all_questions, is_misfit, questions

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


ZOO = {**ORDINARY, **LARGE, **HOSTILE, **{name: code for group in OPTIONAL.values() for name, code in group.items()}}
NEEDS = {name: module for module, group in OPTIONAL.items() for name in group}

PYTHON = os.environ.get("CRANE_ZOO_PYTHON", sys.executable)
"""The kernel's interpreter: one that has more libraries meets more of the zoo."""


class Kernel:
    """A kernel with the observer and our modules in it, asked at the level that looks deepest."""

    def __init__(self, folder, cleanup, python=sys.executable):
        before = os.getcwd()
        # A user's kernel has as many threads as there are cores, other than this process.
        threads = os.environ.pop("OMP_NUM_THREADS")
        os.chdir(folder)
        try:
            opened = cleanup.enter_context(open_kernel(python))
        finally:
            os.chdir(before)
            os.environ["OMP_NUM_THREADS"] = threads
        self.channel = Channel(opened.process.connect(), alive=opened.process.is_alive, privacy="values")
        cleanup.callback(self.channel.close)
        self.watch = Watch(self.channel, folder)

    def run(self, code):
        reply = self.channel.execute(code, limit_s=120)
        assert reply.status == "ok", reply.traceback

    def has(self, module):
        code = f"import importlib.util; assert importlib.util.find_spec({module!r})"
        return self.channel.execute(code, limit_s=60).status == "ok"

    def bind(self, code):
        # What the last value left to the garbage collector must not be collected during the questions.
        self.watch.forget()
        self.run(CLEAN)
        self.run(code)

    def ask(self, question, arguments):
        reply = self.channel.ask(question, arguments)
        assert reply.status in ("ok", "refused"), f"{question} {arguments}: {reply.reason}"
        assert reply.size <= Limits().bytes, f"{question} {arguments}: {reply.size} bytes"
        # What its limit cuts short is answered right after it; the observer makes all code many times slower.
        assert reply.elapsed_ms < 1500 * Limits().seconds, f"{question} {arguments}: {reply.elapsed_ms} ms"
        return reply

    def ask_all(self, questions):
        """Ask, and return which probes answered; what does not fit a value's kind is not asked in other words."""
        answered, misfits = set(), set()
        for question in questions:
            if (question.probe, question.place) not in misfits:
                reply = self.ask(*question)
                if reply.status == "ok":
                    answered.add(question.probe)
                if is_misfit(reply):
                    misfits.add((question.probe, question.place))
        return answered

    def traces(self):
        """Return what has changed, which functions ran and which events were raised since the watch was started.

        Listing folders, as Python's finders do, is how the checker tells that a module is not there; parsing the text
        of a user's function is how it follows it.
        """
        harmless = ("os.scandir ", "compile ['bytes', 'crane_agent']")
        events = [each for each in self.watch.events() if not each.startswith(harmless)]
        return [*self.watch.changes(), *self.watch.calls(), *events]

    def assert_untouched(self):
        found = self.traces()
        assert not found, "\n".join(found[:40])

    def culprits(self, code, questions):
        """Return which probes leave a trace, each asked alone about a value made anew."""
        found = []
        for probe, group in itertools.groupby(questions, key=lambda question: question.probe):
            self.bind(code)
            self.watch.start()
            self.ask_all(group)
            if traces := self.traces():
                found.append(f"{probe}:\n    " + "\n    ".join(traces[:8]))
        return found


def about_a_value():
    """Return every question about the name `it`, those of the checker last."""
    return [question for question in all_questions() if question.probe not in OF_THE_WORLD] + checks()


def checks():
    return [Question("check", {"tree": wire.encode_tree(ast.parse(target))}) for target in TARGETS]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("watched"), cleanup, PYTHON)
        kernel.run(START)
        kernel.channel.install()
        # What the first question ever sets up is the kernel's own: loggers, the codecs of its messages.
        kernel.ask("names", {})
        yield kernel


def test_every_probe_is_asked_with_every_argument_it_takes():
    asked = {}
    for probe, arguments in all_questions():
        asked.setdefault(probe, set()).update(arguments)
    assert asked == {name: set(code.co_varnames[2 : code.co_argcount]) for name, code in CODES.items()}


CODES = {name: probe.__code__ for name, probe in PROBES.items()}


def test_an_idle_kernel_does_not_change(kernel):
    kernel.watch.start()
    kernel.assert_untouched()


@pytest.mark.parametrize("name", ZOO)
def test_questions_about_a_value_leave_no_trace(kernel, name):
    if name in NEEDS and not kernel.has(NEEDS[name]):
        pytest.skip(f"the kernel has no {NEEDS[name]}")
    asked = about_a_value()
    kernel.bind(ZOO[name])
    kernel.watch.start()
    answered = kernel.ask_all(asked)
    if found := kernel.traces():
        pytest.fail("\n".join([*found[:20], *kernel.culprits(ZOO[name], asked)]))
    assert "names" in answered
    assert "describe" in answered or name not in ANSWERED


# To refuse is an answer, but not about these.
ANSWERED = {*ORDINARY, *LARGE} - {"nested tensor", "convolutions"}

SURROUNDINGS = {
    "nothing strange": "it = 1",
    **{name: HOSTILE[name] for name in ("module that is an object", "module with strange parts", "finder that counts")},
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_questions_about_the_world_leave_no_trace(kernel, name):
    kernel.bind(SURROUNDINGS[name])
    kernel.watch.start()
    for probe in sorted(OF_THE_WORLD):
        found = []
        for question in questions(probe):
            kernel.ask(*question)
            found.extend(f"{question}: {event}" for event in kernel.watch.events() if not is_a_look(event, question))
        found.extend(call for call in kernel.watch.calls() if "/fnmatch.py:" not in call)
        found.extend(kernel.watch.changes())
        assert not found, f"{probe}: " + "\n".join(found)


def is_a_look(event, question):
    """Whether an audit event is a look at the very place that a question about files or modules names."""
    kind, _, arguments = event.partition(" ")
    path, *rest = ast.literal_eval(arguments)
    if kind in ("os.listdir", "os.scandir"):
        return question.probe in ("glob", "module", "file")  # the last for names like one that is not there
    if kind != "open" or question.probe != "file" or path != question.arguments["path"]:
        return False
    # Nothing but reading: no flag to write, create, cut or extend.
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    return type(rest[1]) is int and not rest[1] & writing


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
    # What a rehearsal does, and leaves, is watched by itself: `rehearsal/test_acts.py`.
    settings = Settings(rehearse="off")
    verdict = predict(target_of(notebook, str(len(NOTEBOOK))), session, settings=settings, policy=RulePolicy())
    assert verdict.outcome in ("crash", "no_crash", "unknown")
    kernel.assert_untouched()


GROUND_OF_CHECKS = """
import pandas as pd, numpy as np, torch, matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.metrics import accuracy_score
df = pd.DataFrame({'a': [1, 2, 3], 'b': [1.5, None, 3], 's': ['x', 'y', None]})
right = pd.DataFrame({'a': [1, 2], 'z': ['p', 'q']})
keyed = pd.DataFrame({'v': range(300)}, index=[f'r{i}' for i in range(300)])
X, y = np.random.rand(40, 4), np.array([0, 1] * 20)
forest = RandomForestClassifier(3, n_jobs=2).fit(X, y)
ran = []
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        ran.append('init')
        self.layer, self.drop, self.norm = torch.nn.Linear(4, 3), torch.nn.Dropout(), torch.nn.BatchNorm1d(3)
    def forward(self, x):
        ran.append('forward')
        return self.norm(self.drop(self.layer(x)))
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
T, L = torch.rand(8, 4), torch.randint(0, 3, (8,))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(T, L), batch_size=4, shuffle=True)
class Bag:
    def __init__(self, n): self.n = n; ran.append('init')
    def add(self, v, to=[]): to.append(v); self.n += v; return self
    def __len__(self): ran.append('len'); return self.n
    def __eq__(self, other): ran.append('eq'); return True
    __hash__ = None
bag = Bag(3)
def numbers(): yield 1
generator = numbers()
figure, axes = plt.subplots(1, 2)
"""

CHECKED = [
    "df.merge(right, on='a').groupby('s').agg({'b': 'mean'})['zz']",
    "keyed.loc['r5']\nkeyed.drop('r7').loc['zz']",
    "df.astype({'a': float})\ndf['s'].astype(int)",
    "pd.get_dummies(df, columns=['s']).sample(2)['zz']",
    "df.drop('a', axis=1, inplace=True)\ndf['n'] = 1\ndf['a']",
    "np.random.seed(1)\nnp.random.rand(3)\nX.sort()\nX[0] = 5\nX.reshape(7, 7)",
    "A, B, a, b = train_test_split(X, y)\nLogisticRegression().fit(A, a).predict(B[:, :2])",
    "forest.predict(X)\nforest.fit(X, y[:3])\naccuracy_score(y, y[:2])",
    "torch.manual_seed(0)\nout = net(T)\nloss = torch.nn.CrossEntropyLoss()(out, L)\nloss.backward()\noptimizer.step()\nnet(T[:, :2])",
    "for xb, yb in loader:\n    net.train()\n    net(xb).view(7, 7)",
    "net.eval()\ntorch.set_grad_enabled(False)\nT.add_(1)\nT @ T",
    "bag.add(2).add(3).zz\nlen(bag)\nbag == 1\nBag(4).n.zz",
    "next(generator)\nsum(generator)\n[each for each in generator]",
    "plt.figure()\naxes[0].plot([1, 2], [1])\nplt.style.use('zz')\nplt.close('all')",
    "open('new.txt', 'w').write('x')\nimport wave\nopen('missing.txt')",
    "import warnings\nwarnings.simplefilter('ignore')\nprint(df)\nint('x')",
]


@pytest.mark.parametrize("target", CHECKED)
def test_what_the_checker_has_libraries_do_leaves_no_trace(kernel, target):
    kernel.bind(GROUND_OF_CHECKS)
    kernel.watch.start()
    kernel.ask("check", {"tree": wire.encode_tree(ast.parse(target))})
    users = [each for each in kernel.watch.calls() if not is_of_a_library(each)]
    events = [each for each in kernel.watch.events() if not each.startswith("os.scandir ")]
    # The text of a user's function is parsed.
    events = [each for each in events if each != "compile ['bytes', 'crane_agent']"]
    found = [*kernel.watch.changes(), *events, *users]
    assert not found, "\n".join(found)


def is_of_a_library(call):
    """Whether a function is of the standard library or an installed package, or made by `dataclasses` of one."""
    return call.startswith((sys.prefix, sys.base_prefix, "<frozen ")) or call == "<string>:__init__"


def test_installing_adds_no_module_and_no_name(tmp_path):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path, cleanup)
        kernel.watch.start()
        while sleep(0.3) or kernel.watch.changes():
            pass  # the kernel was still taking this client's connections
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
