"""Real kernels for tests: the interpreters to run them with, cells to replay, and a stand-in for our modules."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from jupyter_client.kernelspec import KernelSpec

import crane_agent.in_kernel
from crane_agent.notebook.cells import Cell
from crane_agent.session.channel import Channel
from crane_agent.session.process import KernelProcess
from crane_agent.session.protocol import Reply

IN_KERNEL = Path(next(iter(crane_agent.in_kernel.__path__)))

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
    elif ask == "regex":
        import re
        re.match("(a+)+$", "a" * arguments["length"] + "b")
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
