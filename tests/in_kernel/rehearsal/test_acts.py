"""Whatever a cell does in a rehearsal, the kernel it was forked from, its files and its processes are as they were.

One kernel for the module, with the fingerprint's observer in it. Each test rehearses one cell.
"""

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fingerprint import Watch
from kernels import children_of, open_kernel

from crane_agent.session.channel import Channel
from crane_agent.session.fence_proof import proof_of
from crane_agent.session.protocol import Limits, Reply

SECONDS = 3.0

PYTHON = os.environ.get("CRANE_ZOO_PYTHON", sys.executable)
"""The kernel's interpreter."""

SETUP = """
import contextvars, ctypes, json, mmap, multiprocessing, os, random, signal, socket, subprocess, sys, tempfile
import threading, time
import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC

table = pd.DataFrame({"a": np.arange(100.0), "b": np.arange(100) % 2})
settings = {"depth": 3}
with open("data.csv", "w") as file:
    file.write("a,b\\n1,2\\n")
log = open("log.txt", "w")
log.write("before")
log.flush()
reader = open("data.csv")
reader.readline()
here, there = socket.socketpair()
pipe_out, pipe_in = os.pipe()
stored = np.lib.format.open_memmap("stored.npy", mode="w+", dtype="float64", shape=(1000,))
stored[:] = 1
stored.flush()
shared = mmap.mmap(-1, 4096)
shared[:5] = b"hello"
unnamed = tempfile.TemporaryFile()
unnamed.write(b"kept")
unnamed.flush()
random.seed(7)
np.random.seed(7)

def look_up(key):
    return settings[key]

def deeper(key):
    return look_up(key)
"""
# What the fork needs no proof for: the observer is a thread that waits, as a progress bar's is.
QUIET = """
import threading
[type(thread) for thread in threading.enumerate() if thread.name == "observer"][0].__module__ = "tqdm"
"""


class Act(NamedTuple):
    """A cell, and how its rehearsal may end: outcomes, exception type, line, acts that must be noted."""

    source: str
    outcomes: tuple[str, ...]
    type: str = ""
    line: int | None = None
    denied: str = ""
    why: str = ""


FINISHED, CRASH, UNKNOWN = ("finished",), ("crash",), ("unknown",)

FREE = {
    "ends": Act("x = 1\nprint(x)", FINISHED),
    "prints and displays": Act(
        "print('a' * 100_000)\nfrom IPython.display import display, HTML\ndisplay(HTML('x'), table)\ntable", FINISHED
    ),
    "plots": Act("plt.plot([1, 2])\nplt.title('t')\nplt.show()", FINISHED),
    "raises": Act("x = 1\nsettings['width']", CRASH, "KeyError", 2),
    "raises deeper": Act("y = 2\n\ndeeper('width')", CRASH, "KeyError", 3),
    "raises in a line that goes on": Act("pd.concat(\n    [table],\n    axis=7,\n)", CRASH, "ValueError", 1),
    "is no Python": Act("def (", CRASH, "SyntaxError", 1),
    "raises an exception of its own": Act("class Broken(Exception):\n    pass\nraise Broken('x')", CRASH, "Broken", 3),
    "exits": Act("sys.exit(3)", FINISHED),
    "awaits": Act("import asyncio\nawait asyncio.sleep(0.05)\nsettings['width']", CRASH, "KeyError", 3),
    "runs a loop in the loop": Act("import asyncio\nasyncio.run(asyncio.sleep(0))", CRASH, "RuntimeError", 2),
    "gathers": Act("import asyncio\nawait asyncio.gather(*[asyncio.sleep(0.01) for _ in range(5)])", FINISHED),
    "rebinds": Act("table = None\nsettings['depth'] = 9\ndel look_up\nrandom.random(), np.random.rand()", FINISHED),
    "draws the same numbers": Act("assert random.random() == 0.32383276483316237, 'other numbers'", FINISHED),
    "starts threads": Act(
        "done = []\nthreads = [threading.Thread(target=done.append, args=(i,)) for i in range(8)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\nassert len(done) == 8",
        FINISHED,
    ),
    "multiplies matrices": Act("big = np.ones((600, 600)) @ np.ones((600, 600))\nbig[700]", CRASH, "IndexError", 2),
    "fits in threads": Act(
        "RandomForestClassifier(n_jobs=-1).fit(table[['a']], table.b)\ntable.zz", CRASH, "AttributeError", 2
    ),
    "fits in processes": Act(
        "cross_val_score(SVC(), table[['a']], table.b, n_jobs=-1)\ntable.zz", CRASH, "AttributeError", 2
    ),
    "searches a bad parameter": Act(
        "GridSearchCV(SVC(), {'depth': [1]}, n_jobs=2).fit(table[['a']], table.b)", CRASH, "ValueError", 1
    ),
    "reads an open file on": Act("assert reader.readline() == '1,2\\n'\nreader.close()", FINISHED),
    "reads a file without a name": Act("unnamed.seek(0)\nassert unnamed.read() == b'kept'", FINISHED),
    "writes to shared memory": Act("shared[:5] = b'world'\nassert shared[:5] == b'world'", FINISHED),
    "writes to a stored array": Act("stored[:] = 2\nstored.flush()\nassert stored[3] == 2", FINISHED),
    "opens /dev/null": Act("open(os.devnull, 'w').write('x')", FINISHED),
    "makes a local pair of sockets": Act(
        "a, b = socket.socketpair()\na.send(b'x')\nassert b.recv(1) == b'x'", FINISHED
    ),
    # Before IPython 8.31 or so ``%%time`` shows what it raises, and ends well.
    "times itself": Act("%%time\nx = 1\nsettings['width']", ("crash", "finished"), "KeyError", 3),
    "uses a magic": Act("%time x = 1\n%matplotlib inline\nsettings['width']", CRASH, "KeyError", 3),
    "handles its own error": Act("try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass", FINISHED),
    "groups errors": Act("raise ExceptionGroup('g', [ValueError('x')])", CRASH, "ExceptionGroup", 1),
    "has a broken message": Act("class Odd(Exception):\n    def __str__(self): raise TypeError\nraise Odd()", UNKNOWN),
    # It fails the cell since ipykernel 7.
    "has a broken repr": Act("class Odd:\n    def __repr__(self): raise TypeError\nOdd()", (*FINISHED, *UNKNOWN)),
}
"""What the fence does not concern."""

WRITES = {
    "writes a file": Act(
        "with open('new.txt', 'w') as file:\n    file.write('x')\nassert open('new.txt').read() == 'x'", FINISHED
    ),
    "writes a file with pandas": Act(
        "table.to_csv('table.csv')\nassert len(pd.read_csv('table.csv')) == 100", FINISHED
    ),
    "overwrites a file": Act("open('data.csv', 'w').write('z')\nassert open('data.csv').read() == 'z'", FINISHED),
    "writes on": Act("log.write('after')\nlog.flush()\nassert open('log.txt').read() == 'beforeafter'", FINISHED),
    "changes a mode": Act("os.chmod('data.csv', 0)", FINISHED),
    "renames": Act("os.rename('data.csv', 'other.csv')\nassert not os.path.exists('data.csv')", FINISHED),
    "deletes": Act("os.remove('data.csv')\nopen('data.csv')", CRASH, "FileNotFoundError", 2),
    "makes and removes folders": Act("os.makedirs('a/b')\nimport shutil\nshutil.rmtree('a')", FINISHED),
    "links": Act("os.symlink('data.csv', 'link')\nassert open('link').read()", FINISHED),
    "sets a time": Act("os.utime('data.csv', (1, 1))", FINISHED),
    "maps a file": Act("np.memmap('stored.npy', mode='r+')[:] = 9", FINISHED),
    "saves a figure": Act("plt.figure().savefig('figure.png')\nassert os.path.exists('figure.png')", FINISHED),
    "writes to its home": Act("os.makedirs(os.path.expanduser('~/.cache/of_a_rehearsal'), exist_ok=True)", FINISHED),
    "changes the folder": Act("os.mkdir('inner')\nos.chdir('inner')\nopen('x', 'w').close()", FINISHED),
}
"""What is private with an overlay and denied without."""

DENIED = {
    "connects": Act(
        "socket.create_connection(('127.0.0.1', PORT), timeout=1)", UNKNOWN, denied="opened a network connection"
    ),
    "connects in a try": Act(
        "try:\n    socket.create_connection(('127.0.0.1', PORT), timeout=1)\nexcept OSError:\n    pass\nsettings['width']",
        UNKNOWN,
        denied="opened a network connection",
    ),
    "resolves a name": Act("socket.getaddrinfo('example.org', 80)", UNKNOWN, denied="opened a network connection"),
    "fetches": Act(
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:PORT')",
        UNKNOWN,
        denied="opened a network connection",
    ),
    "uses an open socket": Act("here.send(b'x')", UNKNOWN, denied="used a connection that was opened before"),
    "uses an open pipe": Act("os.write(pipe_in, b'x')", UNKNOWN, denied="used a connection that was opened before"),
    "reads an open pipe": Act("os.read(pipe_out, 1)", UNKNOWN, denied="used a connection that was opened before"),
    "runs a program": Act("subprocess.run(['touch', 'by_a_program'])", UNKNOWN, denied="started a process"),
    "runs a shell": Act("os.system('touch by_a_shell')", UNKNOWN, denied="started a process"),
    "runs a shell line": Act("!touch by_a_line", UNKNOWN),
    "forks": Act("os.fork()", UNKNOWN, denied="started a process"),
    "replaces itself": Act("os.execv('/bin/true', ['true'])", UNKNOWN, denied="started a process"),
    "has grandchildren": Act(
        "pool = multiprocessing.get_context('fork').Pool(2)\npool.map(abs, range(4))",
        UNKNOWN,
        denied="started a process",
    ),
    "kills its parent": Act("os.kill(os.getppid(), signal.SIGKILL)", UNKNOWN, denied="reached for another process"),
    "kills the group of its parent": Act(
        "os.killpg(os.getpgid(os.getppid()), 9)", UNKNOWN, denied="reached for another process"
    ),
    "kills everybody": Act("os.kill(-1, 15)", UNKNOWN, denied="reached for another process"),
    "writes into its parent": Act("open(f'/proc/{os.getppid()}/mem', 'r+b')", UNKNOWN),
    "reads its parent": Act("open(f'/proc/{os.getppid()}/mem', 'rb')", UNKNOWN),
    "traces its parent": Act(
        "ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)", UNKNOWN, denied="reached for another process"
    ),
    "limits its parent": Act(
        "import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        UNKNOWN,
        denied="reached for another process",
    ),
    "slows its parent": Act(
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)", UNKNOWN, denied="reached for another process"
    ),
    "shares memory of the old kind": Act(
        "ctypes.CDLL(None).shmget(77, 4096, 0o1600)", UNKNOWN, denied="shared memory with other processes"
    ),
    "mounts": Act("ctypes.CDLL(None).mount(b'x', b'/mnt', b'tmpfs', 0, None)", UNKNOWN, denied="changed the machine"),
    "sets a name of the machine": Act("socket.sethostname('x')", UNKNOWN, denied="changed the machine"),
    "sets a switch of Linux": Act("open('/proc/sys/kernel/core_pattern', 'w')", UNKNOWN),
    "makes a device": Act("os.mknod('disk', 0o60666, os.makedev(8, 0))", UNKNOWN),
    "sends a datagram": Act(
        "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)", UNKNOWN, denied="opened a network connection"
    ),
    "asks for input": Act("input('name? ')", UNKNOWN, denied="asked for input"),
    "asks for a password": Act("import getpass\ngetpass.getpass()", UNKNOWN),
    "debugs": Act("breakpoint()", UNKNOWN),
}

ENDS = {
    "loops for ever": Act("n = 0\nwhile True:\n    n += 1", UNKNOWN, why="still running"),
    "sleeps in a loop": Act("for i in range(10_000):\n    time.sleep(0.01)", UNKNOWN, why="still running"),
    "holds the lock of the interpreter": Act("x = 1\nctypes.PyDLL(None).sleep(60)", UNKNOWN, why="still running"),
    "ignores signals": Act(
        "for n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile True: pass",
        UNKNOWN,
        why="still running",
    ),
    "swallows everything": Act(
        "while True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass",
        UNKNOWN,
        why="still running",
    ),
    "waits for ever": Act("lock = threading.Lock()\nlock.acquire()\nlock.acquire()", UNKNOWN, why="stuck"),
    "takes 50 GB": Act("np.ones(50_000_000_000 // 8)", UNKNOWN),
    "takes 50 GB bit by bit": Act("held = []\nwhile True:\n    held.append(bytearray(500_000_000))", UNKNOWN),
    "ends its process": Act("os._exit(3)", UNKNOWN, why="ended its own process"),
    "segfaults": Act("x = 1\nctypes.string_at(0)", UNKNOWN, why="SIGSEGV"),
    "aborts": Act("os.abort()", UNKNOWN, why="SIGABRT"),
    "kills itself": Act("os.kill(os.getpid(), signal.SIGKILL)", UNKNOWN, why="SIGKILL"),
    "nests deeply": Act("def f(n): return n and f(n - 1)\nf(600)", FINISHED),
    "recurses": Act("def f(n): return f(n + 1)\nf(0)", CRASH, "RecursionError", 2),
    "starts threads that never end": Act(
        "for _ in range(20):\n    threading.Thread(target=time.sleep, args=(99,)).start()", FINISHED
    ),
    "starts a thread that prints for ever": Act(
        "def talk():\n    while True: print('x')\nthreading.Thread(target=talk).start()", FINISHED
    ),
    "multiplies in the background": Act(
        "def work():\n    a = np.ones((500, 500))\n    while True: a @ a\n"
        "threading.Thread(target=work).start()\ntime.sleep(0.2)\nsettings['width']",
        CRASH,
        "KeyError",
        6,
    ),
    "reads what never comes": Act("a, b = socket.socketpair()\na.recv(1)", UNKNOWN, why="still running"),
}


class Stage:
    """A kernel to rehearse in, watched."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        before = Path.cwd()
        # A user's kernel has as many threads as there are cores, other than this process.
        threads = os.environ.pop("OMP_NUM_THREADS")
        os.chdir(folder)
        try:
            opened = cleanup.enter_context(open_kernel(PYTHON))
        finally:
            os.chdir(before)
            os.environ["OMP_NUM_THREADS"] = threads
        self.folder = folder
        self.channel = Channel(opened.process.connect(), alive=opened.process.is_alive, privacy="values")
        cleanup.callback(self.channel.close)
        self.run(SETUP)
        self.watch = Watch(self.channel, folder.parent)
        self.run(QUIET)
        self.facts = self.channel.install()
        self.server = cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))

    def run(self, code: str) -> None:
        reply = self.channel.execute(code, limit_s=120)
        assert reply.status == "ok", reply.traceback

    def rehearse(self, source: str, *, layers: tuple[str, ...] = (), seconds: float = SECONDS) -> Reply:
        source = source.replace("PORT", str(self.server.getsockname()[1]))
        layers = layers or proof_of(self.facts.executable, pid=self.facts.pid).layers
        arguments = {"source": source, "seconds": seconds, "layers": list(layers)}
        return self.channel.ask("rehearse", arguments, limits=Limits(seconds + 20, 50, 65_536))

    def state(self) -> dict[str, Any]:
        """Return what must not change outside of the kernel: files, and processes below it."""
        files = {
            path: (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in sorted(self.folder.rglob("*"))
        }
        return {"files": files, "children": children_of(self.facts.pid)}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    proof = proof_of(PYTHON)
    if proof.missing:
        pytest.skip(f"no rehearsal here: {proof.missing}")
    with ExitStack() as cleanup:
        yield Stage(tmp_path_factory.mktemp("stage") / ".", cleanup)


def check(stage, act, *, layers=(), outcomes=None):
    before = stage.state()
    stage.watch.start()
    reply = stage.rehearse(act.source, layers=layers)
    changes = stage.watch.changes()
    assert reply.status == "ok", reply.reason
    answer = reply.answer
    assert not changes, "\n".join(changes[:20])
    assert stage.state() == before
    assert answer["outcome"] in (outcomes or act.outcomes), str(answer)
    if act.type and answer["outcome"] == "crash":
        assert answer["exception"]["type"] == act.type, str(answer)
        assert act.line is None or answer["exception"]["line"] == act.line, str(answer)
    return answer


@pytest.mark.parametrize("name", FREE)
def test_what_a_cell_does_by_itself_ends_as_it_would(stage, name):
    check(stage, FREE[name])


@pytest.mark.parametrize("name", WRITES)
def test_what_a_cell_writes_is_seen_by_it_alone(stage, name):
    if "overlay" not in proof_of(PYTHON).layers:
        pytest.skip("no overlay here: writes are denied")
    answer = check(stage, WRITES[name])
    assert answer["files"] == "private"
    assert answer["denied"] == []


@pytest.mark.parametrize("name", WRITES)
def test_without_an_overlay_a_write_is_denied_and_noted(stage, name):
    answer = check(stage, WRITES[name], layers=("fork", "landlock", "seccomp"), outcomes=UNKNOWN)
    assert answer["denied"], str(answer)


@pytest.mark.parametrize("name", [*FREE])
def test_without_an_overlay_everything_else_ends_as_it_would(stage, name):
    act = FREE[name]
    # A pool of threads makes a semaphore, which is a file in memory.
    outcomes = UNKNOWN if name == "fits in threads" else None
    check(stage, act, layers=("fork", "landlock", "seccomp"), outcomes=outcomes)


@pytest.mark.parametrize("name", DENIED)
def test_what_reaches_out_is_denied_and_leaves_the_answer_open(stage, name):
    act = DENIED[name]
    answer = check(stage, act)
    assert any(each.startswith(act.denied) for each in answer["denied"]) or not act.denied, str(answer)
    stage.server.settimeout(0.01)
    with pytest.raises(TimeoutError):
        stage.server.accept()


@pytest.mark.parametrize("name", ENDS)
def test_what_does_not_end_well_is_ended(stage, name):
    act = ENDS[name]
    answer = check(stage, act)
    assert act.why in answer["why"], str(answer)
