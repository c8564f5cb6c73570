"""Kernels of all ages: questions are answered in each, and leave it as it was.

`make test-kernels` makes the environments, each with an ipykernel, numpy and pandas, and names their interpreters in
CRANE_KERNEL_PYTHONS; without it there is nothing to do.
"""

import os
import threading
from contextlib import ExitStack

import pytest
from kernels import UsersKernel, wait_for
from test_fingerprint import Kernel, about_a_value
from zoo import BARE_START, HOSTILE, ORDINARY

from crane_agent.errors import NoKernel
from crane_agent.session.attached import attach
from evals.probes.questions import OF_THE_WORLD, questions

PYTHONS = os.environ.get("CRANE_KERNEL_PYTHONS", "").split()

VALUES = {
    name: {**ORDINARY, **HOSTILE}[name]
    for name in (
        *(
            "frame",
            "frame with nulls",
            "frame with columns of two levels",
            "frame with the same column twice",
            "series",
        ),
        *(
            "frame with lists in a column",
            "array",
            "arrays of odd types",
            "object array",
            "dict",
            "nested dict",
            "list",
        ),
        *("lists of different lengths", "namedtuple", "default dict", "generator", "finished generator", "function"),
        *("function with a closure", "method", "class", "object", "data class", "enumeration", "module", "open file"),
        *("object that traps everything", "class that traps everything", "trap in a list", "traps in every container"),
        *("proxy", "properties", "metaclass", "mock of a frame", "subclass of a frame", "subclass of an array"),
        *("subclass of a dict", "lazy module", "weak proxy", "slots with getattr", "frame of objects"),
        *("frame labelled by objects", "array of traps", "generator that counts", "descriptor", "finalizer"),
    )
}


@pytest.fixture(scope="module", params=PYTHONS)
def kernel(request, tmp_path_factory):
    """A kernel that can answer while a cell runs; one that cannot says so, and is for the last test."""
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("aged"), cleanup, request.param)
        kernel.run(BARE_START)
        try:
            kernel.facts = kernel.channel.install()
        except NoKernel as error:
            if "no control thread" in str(error):
                pytest.skip(str(error))
            raise
        kernel.ask("names", {})
        yield kernel


def test_it_says_what_it_is(kernel):
    assert kernel.facts.python >= (3, 8)
    assert kernel.facts.clients == 1


@pytest.mark.parametrize("name", VALUES)
def test_questions_leave_no_trace_in_it(kernel, name):
    asked = about_a_value()
    kernel.bind(VALUES[name])
    kernel.watch.start()
    answered = kernel.ask_all(asked)
    if found := kernel.traces():
        pytest.fail("\n".join([*found[:20], *kernel.culprits(VALUES[name], asked)]))
    assert "names" in answered


def test_questions_about_the_world_leave_no_trace_in_it(kernel):
    kernel.bind("it = 1")
    for probe in sorted(OF_THE_WORLD):
        kernel.watch.start()
        kernel.ask_all(questions(probe))
        found = [*kernel.watch.changes(), *(call for call in kernel.watch.calls() if "/fnmatch.py:" not in call)]
        assert not found, f"{probe}: " + "\n".join(found)


def test_it_answers_while_a_cell_runs(kernel):
    running = threading.Thread(target=kernel.run, args=("import time; time.sleep(1.5)",))
    running.start()
    try:
        assert wait_for(lambda: kernel.ask("names", {}).running)
    finally:
        running.join()
    assert not kernel.ask("names", {}).running


OURS = """[
    [thread.name for thread in __import__("threading").enumerate() if "crane" in thread.name],
    [name for name in get_ipython().kernel.control_handlers if "crane" in name],
    [name for name in list(__import__("sys").modules) + list(get_ipython().user_ns) if "crane" in name],
]"""


@pytest.mark.parametrize("python", PYTHONS)
def test_a_tool_attaches_to_it_or_says_why_not_and_leaves_nothing_there(python, tmp_path):
    kernel = UsersKernel(tmp_path, python=python)
    try:
        kernel.run("x = [1, 2]")
        if kernel.value("hasattr(get_ipython().kernel, 'control_thread')"):
            with attach(str(kernel.file)) as session:
                assert session.ask("describe", {"path": "x"}).answer["length"] == 2
        else:
            with pytest.raises(NoKernel, match="no control thread"):
                attach(str(kernel.file))
        # Its thread ends a moment after the last client has left.
        assert wait_for(lambda: kernel.value(OURS) == [[], [], []])
    finally:
        kernel.end()
