"""A session with the kernel that this program runs in: a magic asks about the notebook that it stands in.

The same sources answer as in any other kernel, loaded as `inject` has them loaded there: for themselves only, without a
place in `sys.modules`. A question is answered by a thread of ours, whoever asks: the main thread from a magic, which
waits meanwhile, or a thread in the background. Whoever asks watches the time: what overruns its limit gets `Deadline`,
as in `in_kernel.boot`, and what cannot be ended so, since it is in C code, is left behind.

A session that is opened on the main thread holds the cell that opened it: as long as the session is open, that thread
does nothing but ask, so that the cell changes nothing, and an answer can be certain. A cell that runs beside it, in a
subshell, is noticed.

Nothing is rehearsed. The kernel may be forked between cells only, with no thread of Python but its own; here a cell is
running, the one that asks, and this program has threads at work.
"""

import ctypes
import queue
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import PurePath
from types import FunctionType, TracebackType
from typing import Any

from crane_agent.config import Privacy
from crane_agent.errors import KernelBusy
from crane_agent.in_kernel import wire
from crane_agent.in_kernel.redaction import redacted_value
from crane_agent.session import inject
from crane_agent.session.channel import _reply_from
from crane_agent.session.executed import executed_cells
from crane_agent.session.protocol import Limits, PatchedCell, RanCell, Rehearsal, Reply

STOP_LIMIT_S = 0.5
"""Time that our thread has to stop when a session is closed [seconds]."""

_POLL_S = 0.002

_left_behind: list[Any] = []
"""Workers of all sessions of this process that could not be ended."""

_RAISED: Mapping[str, Any] = {
    "outcome": "crash",
    "why": "",
    "line": None,
    "loop": "",
    "denied": [],
    "changed": [],
    "seconds": 0.0,
    "pause_ms": 0.0,
    "files": "",
    "scene": None,
    "bound": None,
}

_NO_REHEARSAL = (
    "could not rehearse, because the notebook's kernel is asked by itself: it can be copied between cells only, and "
    "the cell that asks is running"
)


class InProcessSession:
    """A session with this process's kernel; to be closed by the cell that opened it, before that cell goes on."""

    def __init__(self, shell: object, *, privacy: Privacy = "schema") -> None:
        """Open it.

        Args:
            shell: IPython's shell; there need not be a kernel around it.
            privacy: How much of the user's data an answer may hold.
        """
        self._shell = shell
        self._privacy = privacy
        self._desk = _Desk(shell)
        self._one_at_a_time = threading.Lock()
        self._holds = threading.current_thread() is threading.main_thread()
        if self._holds:
            _module("moment").hold(shell)

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python, which is ours."""
        return sys.version_info[:2]

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us; never."""
        return False

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel, from any thread.

        Raises:
            KernelBusy: Another question was being answered all the time.
        """
        if question == "ping":
            return Reply("ok", **_module("moment").moment(self._shell))
        limits = limits or Limits()
        request = {
            "ask": question,
            "arguments": dict(arguments),
            "limits": {"seconds": limits.seconds, "items": limits.items, "bytes": limits.bytes},
            "privacy": self._privacy,
        }
        began = time.monotonic()
        if not self._one_at_a_time.acquire(timeout=limits.seconds):
            raise KernelBusy(f"it answered another question for {limits.seconds:g} s")
        try:
            text = self._desk.ask(wire.dumps(request), limit_s=limits.seconds)
        finally:
            self._one_at_a_time.release()
        return _reply_from(text, elapsed_ms=1000 * (time.monotonic() - began))

    def executed(self) -> tuple[RanCell, ...]:
        """Return the cells that the kernel has run, oldest first; one that runs right now is the last.

        Raises:
            KernelError: The history is not as IPython keeps it.
        """
        return executed_cells(self)

    def raised(self, error: BaseException, *, file: str, source: str) -> Reply:
        """Return what left a cell that has run, as a rehearsal would report it.

        Args:
            error: The exception.
            file: File name that the cell was compiled with.
            source: The cell as typed.

        Returns:
            A report as `in_kernel.rehearsal` gives one; refused where the message is made by code of the user's.
        """
        safe, report = _module("safe"), _module("rehearsal.report")
        moment = _module("moment").moment(self._shell)
        if not _has_plain_words(error, file, safe, report):
            return Reply("refused", reason="could not look, because a class of the user's makes the message", **moment)
        budget = safe.Budget(Limits().seconds, Limits().items, self._privacy)
        found = report.of_error(error, self._shell, file)
        _module("rehearsal")._hold_back(found, budget, source)
        answer = redacted_value({**_RAISED, "exception": found})
        return Reply("ok", answer=answer, proof=budget.proof, **moment)

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Refuse: the kernel cannot be copied from inside a cell."""
        return Rehearsal(Reply("refused", reason=_NO_REHEARSAL))

    def close(self) -> None:
        """End our thread and let the cell go; closing twice is fine."""
        self._desk.close()
        if self._holds:
            self._holds = False
            _module("moment").let_go()

    def __enter__(self) -> "InProcessSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _has_plain_words(error: BaseException, file: str, safe: Any, report: Any) -> bool:
    """Whether the message of an exception can be made without running code of the user's."""
    makes = safe.in_type(type(error), "__str__")
    code = getattr(makes, "__code__", None) if type(makes) is FunctionType else None
    if code is not None and report._is_users(code.co_filename, file, {}):
        return False
    files = (error.filename, error.filename2) if isinstance(error, OSError) else ()
    return safe.is_plain(error.args) and all(safe.is_plain(each) or isinstance(each, PurePath) for each in files)


class _Desk:
    """Has questions answered by a thread of ours, one after the other: the service of a `boot.Worker`."""

    def __init__(self, shell: object) -> None:
        self.jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._shell = shell
        self._boot = _loaded()
        self._entry = _module("entry")
        self._worker: Any = None

    # In the thread that asks.

    def ask(self, text: str, *, limit_s: float) -> str:
        """Return the reply to a request; a refusal where the limit passes [seconds]."""
        stuck = sum(worker.is_alive() for worker in _left_behind)
        if stuck >= self._boot["MOST_ABANDONED"]:
            return self._refusal(f"{stuck} earlier questions are still stuck in the kernel")
        if self._worker is None:
            self._worker = self._boot["Worker"](self)
            self._worker.start()
        replies: queue.SimpleQueue[str] = queue.SimpleQueue()
        job = self._boot["Job"](threading.Event(), replies, {}, text, limit_s)
        self.jobs.put(job)
        try:
            job.ident.wait()
            return replies.get(timeout=limit_s + self._boot["GRACE_S"])
        except queue.Empty:
            pass
        except BaseException:  # Ctrl-C, while it waits
            self._end(job)
            raise
        return self._refusal(f"the limit of {limit_s:g} s passed") if self._end(job) else replies.get()

    def close(self) -> None:
        """Stop the thread."""
        if self._worker is not None:
            self.jobs.put(None)
            self._worker.join(STOP_LIMIT_S)
            self._worker = None

    def _end(self, job: Any) -> bool:
        """End a question; return False if it has been answered just now."""
        job.ident.wait()
        if not job.claim():
            return False
        thread = ctypes.c_ulong(self._worker.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(self._boot["Deadline"]))
        job.struck = True
        deadline = time.monotonic() + self._boot["ABANDON_AFTER_S"]
        while not job.left:
            if time.monotonic() > deadline:
                self._worker.abandoned = True
                _left_behind.append(self._worker)
                self._worker = None
                break
            time.sleep(_POLL_S)
        return True

    def _refusal(self, reason: str) -> str:
        moment = _module("moment").moment(self._shell)
        return wire.dumps({**moment, "status": "refused", "reason": f"could not look, because {reason}"})

    # In the thread that answers.

    def watch(self, job: Any, worker: Any) -> None:
        """Tell whoever asked, and watches the time, that it has begun."""
        job.ident.set()

    def answer(self, job: Any) -> str:
        """Return the reply to a request as JSON text."""
        return str(self._entry.answer(job.text, self._shell))

    def reply(self, job: Any, text: str) -> None:
        """Give a reply to whoever waits for it."""
        job.parent.put(text)


@cache
def _loaded() -> Mapping[str, Any]:
    """Return what `in_kernel.boot` defines, and as `importer` what has loaded our modules, once in a process."""
    sources = inject.package_sources()
    boot: dict[str, Any] = {"__name__": "crane_agent.in_kernel.boot"}
    exec(compile(sources["boot"], "<crane_agent>/in_kernel/boot.py", "exec", dont_inherit=True), boot)
    return {**boot, "importer": boot["Importer"](sources)}


def _module(name: str) -> Any:
    return _loaded()["importer"].load(name)
