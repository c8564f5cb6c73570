"""Where a copy is not like its kernel, nothing is certain; where it can be like it, it is."""

import pytest

from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits

LAYERS = ["fork", "overlay", "landlock", "seccomp"]

LIKE = {
    "printing into a stream of the user's": (
        "import io, sys\nown, sys.stdout = sys.stdout, io.StringIO()",
        "print('x')\ntext, sys.stdout = sys.stdout.getvalue(), own\nassert text == 'x\\n', text",
    ),
    "asking for the user's name": ("import pwd", "assert pwd.getpwuid(0).pw_name == 'root'"),
    "printing into a stream around the kernel's": (
        "import sys\nclass Tee:\n    texts, flush = [], sys.stdout.flush\n"
        "    def write(self, text, own=sys.stdout):\n        self.texts.append(text)\n        return own.write(text)\n"
        "own, sys.stdout = sys.stdout, Tee()",
        "print('x')\ntexts, sys.stdout = sys.stdout.texts, own\nassert texts[-2:] == ['x', '\\n'], texts",
    ),
}
"""What a copy does as its kernel does: what ran before, and a cell that comes to its end."""

UNLIKE = {
    "the end of a process started before": (
        "import subprocess\nchild = subprocess.Popen(['sh', '-c', 'exit 3'])",
        "assert child.wait() == 3",
        "reached for another process",
    ),
    "a process of multiprocessing started before": (
        "import multiprocessing, time\n"
        "child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(0.1,))\nchild.start()",
        "assert child.exitcode in (None, 0)\nchild.join()",
        "process id",
    ),
    "a file mapped before": (
        "import mmap\nfile = open('mapped', 'w+b')\nfile.write(b'a')\nfile.flush()\nmapped = mmap.mmap(file.fileno(), 1)",
        "mapped[:1] = b'b'\nmapped.flush()\nassert open('mapped', 'rb').read() == b'b'\nmapped.close()",
        "mapped",
    ),
    "a database locked before": (
        "import sqlite3\nfirst = sqlite3.connect('data.db')\nfirst.execute('CREATE TABLE t (a)')\n"
        "first.execute('INSERT INTO t VALUES (1)')",
        "sqlite3.connect('data.db', timeout=0).execute('INSERT INTO t VALUES (2)')",
        "locked",
    ),
    "processor time taken before": (
        "import math\nfrom time import process_time\nbegan = process_time()",
        "math.sqrt(process_time() - began)",
        "processor time",
    ),
}
"""What a copy cannot do as its kernel does: what ran before, a cell, and the words that say so."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with launch(folder=tmp_path_factory.mktemp("work"), in_place=True) as session:
        yield session


def rehearsed(session, before, source):
    assert session.run(before, limit_s=20).status == "ok"
    arguments = {"source": source, "seconds": 5.0, "layers": LAYERS}
    reply = session.ask("rehearse", arguments, limits=Limits(25, 50, 65_536))
    assert reply.status == "ok", reply.reason
    return reply.answer


@pytest.mark.parametrize("name", LIKE)
def test_what_a_copy_can_do_as_its_kernel_it_does(session, name):
    before, source = LIKE[name]
    answer = rehearsed(session, before, source)
    assert session.run(source, limit_s=20).status == "ok"
    assert (answer["outcome"], answer["changed"], answer["denied"]) == ("finished", [], []), answer


@pytest.mark.parametrize("name", UNLIKE)
def test_what_a_copy_cannot_do_as_its_kernel_is_said(session, name):
    before, source, words = UNLIKE[name]
    answer = rehearsed(session, before, source)
    session.run(source, limit_s=20)
    assert words in " ".join((*answer["changed"], *answer["denied"])), answer


def test_a_result_that_cannot_be_displayed_fails_where_it_fails_the_kernels_cell(session):
    source = "Odd()"
    answer = rehearsed(session, "class Odd:\n    def __repr__(self): raise TypeError", source)
    fails = session.run(source, limit_s=20).status == "error"
    assert answer["outcome"] == ("unknown" if fails else "finished"), answer
