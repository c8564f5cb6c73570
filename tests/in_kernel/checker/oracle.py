"""Ask the checker about a cell, then run the cell for real: Python is the oracle."""

import json
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, NamedTuple, TypeVar

import zmq
from ipykernel.iostream import IOPubThread, OutStream
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.session import Session

from crane_agent.in_kernel import entry
from crane_agent.in_kernel.wire import encode_tree
from crane_agent.notebook.code import followed, parse

BATCH = 100
"""Cells that share a process, at most; each has a shell of its own."""

# What changes more than names and values outlasts its cell, so that such a cell has a process of its own.
LASTING = (
    "builtins.",
    "import builtins",
    "pd.DataFrame.",
    "sys.stdout",
    "simplefilter('error')",
    "threading",
    "Macro",
    "exit",
    "__future__",
    "get_ipython()",
)
Cell = TypeVar("Cell", bound=Sequence[Any])

LIMITS = {"seconds": 10.0, "items": 50, "bytes": 1_000_000}


class Crash(NamedTuple):
    """An exception as the traceback of a cell shows it."""

    type: str
    message: str
    line: int | None


class Row(NamedTuple):
    """What the checker said of a cell, and what the cell then did: `crash` is None if it ran."""

    reply: dict[str, Any]
    crash: Crash | None

    @property
    def answer(self) -> dict[str, Any]:
        return self.reply.get("answer", {})

    @property
    def finding(self) -> dict[str, Any] | None:
        return self.answer.get("finding")

    @property
    def settled(self) -> bool:
        return bool(self.answer.get("settled"))

    def wrong(self) -> str:
        """Return what the checker was wrong about, or ''."""
        if self.reply["status"] == "failed":
            return f"failed: {self.reply['fault']} {self.reply['where']}"
        if self.settled and self.crash is not None:
            return f"settled, but {self.crash}"
        if self.finding is None:
            return ""
        if self.crash is None:
            return f"found {self.finding['type']} ({self.finding['rule']}), but the cell ran"
        if not self.finding["exact"]:
            # An earlier line may raise first: only that the cell crashes is certain.
            return ""
        said = (self.finding["type"], self.finding["line"])
        if said != (self.crash.type, self.crash.line):
            return f"found {said} ({self.finding['rule']}: {self.finding['message']}), but {self.crash}"
        return ""


@contextmanager
def kernel_stdout() -> Iterator[None]:
    """Make `sys.stdout` and the warning filters what they are in a kernel."""
    context = zmq.Context()
    publisher = IOPubThread(context.socket(zmq.PUB))
    publisher.start()
    stream = OutStream(Session(key=b""), publisher, "stdout", watchfd=False)
    try:
        with redirect_stdout(stream), redirect_stderr(StringIO()), warnings.catch_warnings():
            # Those of pytest turn warnings into errors, after which nothing is certain.
            warnings.resetwarnings()
            warnings.simplefilter("ignore")
            yield
    finally:
        stream.close()
        publisher.stop()
        publisher.close()
        context.term()


def fresh_shell(*setup: str) -> InteractiveShell:
    """Return a new shell in which the setup cells were run."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor", history_length=0)
    shell.history_manager.enabled = False
    shell.showtraceback = lambda *args, **kwargs: None
    for cell in setup:
        result = shell.run_cell(cell, store_history=True)
        if not result.success:
            raise AssertionError(f"the setup fails: {result.error_in_exec or result.error_before_exec!r}")
    return shell


def ask(shell: InteractiveShell, cell: str, *, privacy: str = "values") -> dict[str, Any]:
    """Return the checker's reply about a cell; by default with Python's own words, whatever they hold."""
    code = followed(parse(cell))
    assert code.tree is not None, cell
    assert code.syntax_error is None, cell
    request = {
        "ask": "check",
        "arguments": {"tree": encode_tree(code.tree), "first_word": code.first_word},
        "limits": LIMITS,
        "privacy": privacy,
    }
    reply: dict[str, Any] = json.loads(entry.answer(json.dumps(request), shell))
    return reply


def really_run(shell: InteractiveShell, cell: str) -> Crash | None:
    """Run a cell; the line of a crash is that of the cell's own module frame, or under ``%%time`` of the text there."""
    result = shell.run_cell(cell, store_history=True)
    error = result.error_in_exec or result.error_before_exec
    if error is None:
        return None
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals is shell.user_ns and frame.f_code.co_name == "<module>"
    ]
    code = parse(cell)
    line = frames[0][1] if frames else None
    if code.cell_magic == "time" and code.body is not None and len(frames) > 1:
        shown = code.body.original_line(frames[1][1])
        line = None if shown is None else shown - code.line_offset
    return Crash(type(error).__name__, str(error), line)


def compare(setup: str, cell: str) -> Row:
    """Ask about a cell, then run it, both in a fork of this process, so that nothing is left behind."""
    return compare_all([(setup, cell)])[0]


def compare_all(programs: Sequence[tuple[str, str]]) -> list[Row]:
    """Ask about each cell, then run it, each in a new shell, all in one fork of this process."""
    rows = in_a_fork(lambda: [tuple(_compare(setup, cell)) for setup, cell in programs], 20 + 2 * len(programs))
    return [Row(*each) for each in rows]


def compare_in_batches(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Row]]:
    """Yield each of these, a setup and a cell and what comes after them, with the row that came of it."""
    for batch in _batches(cells):
        yield from zip(batch, compare_all([(each[0], each[1]) for each in batch]), strict=True)


def lasts(setup: str, cell: str) -> bool:
    """Whether a program may change more of its process than names and values."""
    return any(word in setup + cell for word in LASTING)


def _batches(cells: Sequence[Cell]) -> list[Sequence[Cell]]:
    rest = [each for each in cells if not lasts(each[0], each[1])]
    alone = [[each] for each in cells if lasts(each[0], each[1])]
    return [*alone, *(rest[start : start + BATCH] for start in range(0, len(rest), BATCH))]


def replies(setup: str, cells: Sequence[str], *, privacy: str) -> list[dict[str, Any]]:
    """Return the checker's replies about cells that may run after the same setup, at a privacy level; none is run."""

    def asked() -> list[dict[str, Any]]:
        shell = fresh_shell(setup)
        return [ask(shell, cell, privacy=privacy) for cell in cells]

    found: list[dict[str, Any]] = in_a_fork(asked, 60)
    return found


def in_a_fork(compute: Callable[[], Any], limit_s: int) -> Any:
    """Return what a function returns, or fail; it is run in a fork of this process, with a kernel's `sys.stdout`."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads: those of the test runner hold nothing that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            signal.alarm(limit_s)
            _forget_tests()
            with kernel_stdout():
                found = compute()
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(found, pipe)
            code = 0
        except BaseException as error:  # noqa: BLE001 - a child of pytest must never get back into pytest
            sys.__stderr__.write(f"{type(error).__name__}: {error}\n")
            sys.__stderr__.flush()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the child failed"
    return pickle.loads(data)


def _forget_tests() -> None:
    """Leave no module that uses torch as a module of a user's would, which may set what torch does by default."""
    for name, module in list(sys.modules.items()):
        if "torch" in vars(module) and "site-packages" not in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


def _compare(setup: str, cell: str) -> Row:
    shell = fresh_shell(*([setup] if setup else []))
    reply = ask(shell, cell)
    return Row(reply, really_run(shell, cell))
