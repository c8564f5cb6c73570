"""Real kernels for tests: the interpreters to run them with, cells to replay, and a stand-in for our modules."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, NamedTuple

import pytest
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpec

import crane_agent.in_kernel
from crane_agent.notebook.cells import Cell
from crane_agent.session.channel import Channel, ExecuteReply
from crane_agent.session.process import KernelProcess
from crane_agent.session.protocol import Reply

IN_KERNEL = Path(next(iter(crane_agent.in_kernel.__path__)))

_NO_HISTORY_FILE = "--HistoryManager.hist_file=:memory:"

OLD_KERNEL_PYTHON = os.environ.get("CRANE_OLD_KERNEL_PYTHON")
"""An interpreter with ipykernel 6, for the tests that need one."""

STAND_IN_ENTRY = """
import time
from . import wire
from .parts import odd
from .parts.words import WORD

def answer(text, shell):
    request = wire.loads(text)
    ask, arguments = request["ask"], request["arguments"]
    found = {}
    if ask == "hello":
        found = {"word": WORD, "odd": odd.is_odd(3)}
    elif ask == "names":
        found = {"names": list(shell.user_ns)}
    elif ask == "spin":
        ends = time.monotonic() + arguments["seconds"]
        while time.monotonic() < ends:
            pass
    elif ask == "stubborn":
        try:
            while True:
                pass
        except BaseException as error:
            found = {"swallowed": type(error).__name__}
    elif ask == "sleep":
        time.sleep(arguments["seconds"])
    elif ask == "hold":
        import ctypes
        ctypes.PyDLL(None).sleep(arguments["seconds"])  # With the interpreter's lock.
    return wire.dumps({"status": "ok", "answer": found, "cells": shell.execution_count})
"""
"""Stands in for `in_kernel.entry`, to hang in all the ways that a question can hang."""


def stand_in_sources() -> Mapping[str, str]:
    """Return `boot` and `wire` as they are, with the stand-in entry and a package of two modules that it uses."""
    return {
        "boot": (IN_KERNEL / "boot.py").read_text(),
        "wire": (IN_KERNEL / "wire.py").read_text(),
        "moment": (IN_KERNEL / "moment.py").read_text(),
        "entry": STAND_IN_ENTRY,
        "parts": "",
        "parts.words": "WORD = 'hello'",
        "parts.odd": "from .words import WORD\nfrom .. import wire\ndef is_odd(n): return wire.dumps(n % 2 == 1) == 'true'",
    }


KERNELS = [
    pytest.param(sys.executable, id="this-ipykernel"),
    pytest.param(
        OLD_KERNEL_PYTHON,
        id="ipykernel-6",
        marks=pytest.mark.skipif(
            OLD_KERNEL_PYTHON is None, reason="CRANE_OLD_KERNEL_PYTHON names no interpreter with ipykernel 6"
        ),
    ),
]
"""Interpreters, for the parameters of a fixture that starts kernels."""


class OpenKernel(NamedTuple):
    """A running kernel with nothing of ours in it, and a connection to it."""

    channel: Channel
    process: KernelProcess


@contextmanager
def open_kernel(python: str = sys.executable) -> Iterator[OpenKernel]:
    """Start a kernel with `python`, and end it."""
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = KernelSpec(argv=argv, display_name=python, language="python")
    with ExitStack() as cleanup:
        files = Path(cleanup.enter_context(TemporaryDirectory()))
        process = KernelProcess(spec, files, cwd=Path.cwd(), env={})
        cleanup.callback(process.end)
        channel = Channel(process.connect(), alive=process.is_alive)
        cleanup.callback(channel.close)
        channel.ping(limit_s=60)
        yield OpenKernel(channel, process)


def children_of(pid: int) -> set[int]:
    """Return the processes that a process has started and not yet taken leave of."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


class UsersKernel:
    """A kernel that its user started, with a connection file as Jupyter keeps it, and the user's own connection."""

    def __init__(self, folder: Path, *options: str, python: str = sys.executable) -> None:
        """Start it.

        Args:
            folder: Gets the connection file; Jupyter's runtime folder, or another.
            options: More words of its command line.
            python: Interpreter to run it with.
        """
        self.id = str(uuid.uuid4())
        self.file = folder / f"kernel-{self.id}.json"
        self._command = [python, "-m", "ipykernel_launcher", "-f", str(self.file), _NO_HISTORY_FILE, *options]
        write_connection_file(str(self.file), key=os.urandom(16).hex().encode(), kernel_name="python3")
        self._context = zmq.Context()
        self._start()

    def run(self, code: str, *, limit_s: float = 60) -> ExecuteReply:
        """Run a cell of the user's and return how it ended."""
        return self.channel.execute(code, limit_s=limit_s)

    def run_and_stop_on_error(self, code: str) -> None:
        """Run a cell as a notebook does: when it fails, what was sent after it is turned away."""
        with self.channel._shell.lock:
            content = {"code": code, "stop_on_error": True}
            self.channel._request(self.channel._shell, "execute_request", content, limit_s=60)

    def value(self, expression: str) -> Any:
        """Run a cell that evaluates an expression, and return its value, which is JSON."""
        return value_in(self.channel, expression)

    @contextmanager
    def running(self, code: str) -> Iterator[list[ExecuteReply]]:
        """Run a cell while inside and wait for its end; its reply is in the list that is given."""
        replies: list[ExecuteReply] = []
        thread = threading.Thread(target=lambda: replies.append(self.run(code)))
        thread.start()
        time.sleep(0.3)
        try:
            yield replies
        finally:
            thread.join()

    def kill(self) -> None:
        """End its process at once; its connection file stays."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Put a new process in its place, as Jupyter does."""
        self.kill()
        self.channel.close()
        self._start()

    def end(self) -> None:
        """Kill it and close the user's connection."""
        self.kill()
        self._context.destroy(linger=0)

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = BlockingKernelClient(connection_file=str(self.file), context=self._context)
        client.load_connection_file()
        self.channel = Channel(client, alive=lambda: self.process.poll() is None)
        self.channel.ping(limit_s=60)


def value_in(channel: Channel, expression: str) -> Any:
    """Run a cell that evaluates an expression, and return its value, which is JSON."""
    path = os.path.join(gettempdir(), f"crane-test-{os.getpid()}-{time.monotonic_ns()}")
    code = f"__import__('builtins').open({path!r}, 'w').write(__import__('json').dumps({expression})); None"
    reply = channel.execute(code, limit_s=30)
    assert reply.status == "ok", reply.traceback
    try:
        with open(path) as file:
            return json.load(file)
    finally:
        os.unlink(path)


def code_cells(*sources: str, failed: tuple[int, ...] = ()) -> tuple[Cell, ...]:
    """Return executed code cells with these sources; those at the places in `failed` failed when saved, too."""
    return tuple(
        Cell(
            index=index,
            id=f"cell-{index}",
            kind="code",
            source=textwrap.dedent(source).strip(),
            execution_count=index + 1,
            tags=(),
            failed_when_saved=index in failed,
        )
        for index, source in enumerate(sources)
    )


def wait_for(condition: Callable[[], bool], *, limit_s: float = 10.0) -> bool:
    """Return whether `condition` came true within the limit."""
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def is_running(pid: int) -> bool:
    """Return whether a process with this id exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def refused(reply: Reply, because: str) -> bool:
    """Return whether a reply is refused for this reason."""
    return reply.status == "refused" and reply.reason == f"could not look, because {because}"
