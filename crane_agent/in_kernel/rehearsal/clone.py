"""A rehearsal: the kernel is forked, the copy goes behind the fence and runs the target; its keeper waits outside.

main thread     looks whether the kernel is quiet, forks, goes on
worker thread   keeps the copy: hears of denied acts and of the end, kills it at the deadline
the copy        goes behind the fence, runs the target, reports, ends; it never returns into the kernel's code
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import queue
import random
import re
import select
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import limits, open_files, pools, quiet, stand_ins
from .fence import OVERLAY, enclose
from .performance import Performance
from .seccomp import Listener, Policy, hand_over, take_over
from .stuck import Stuck
from .system_calls import SET_PDEATHSIG, SystemCallFailed, prctl

QUIET_LIMIT_S = 2.0
"""Time that the kernel has to come to rest before it is forked [seconds]."""

ANSWER_LIMIT_S = 5.0
"""Time that the kernel's main thread has to hear of us [seconds]."""

LAST_WORDS_S = 0.25
"""Time that the copy has to say how far it got [seconds]."""

SCENE_LIMIT_S = 2.0
"""Time that the copy has to describe what is there after the target's end [seconds]."""

FENCE_LIMIT_S = 5.0
"""Time to go behind the fence [seconds]."""

_RETRY_S = 0.03
_END_LIMIT_S = 10.0
_PLACE = re.compile(r'File "([^"\n]*)", line (\d+)')
_MOST_BYTES = 1 << 20
_HOW_FAR, _DECIDED = b"?", b"!"
_WITHOUT_A_WORD = "it ended without a word"


class Refused(Exception):
    """The target is not rehearsed; says why."""


class _Forked(NamedTuple):
    pid: int
    pause_ms: float


def rehearse(shell: Any, source: str, seconds: float, layers: List[str]) -> Dict[str, Any]:
    """Run a cell in a fenced copy of the kernel; called on a thread of ours.

    Args:
        shell: IPython's shell.
        source: The cell as typed.
        seconds: Time that it has [seconds].
        layers: Layers of the fence that were proved here.

    Returns:
        The report; `FIELDS` of the package says what each field is.

    Raises:
        Refused: It cannot be done safely now.
    """
    keeper = _Keeper(seconds, layers)
    try:
        forked = _fork(shell, lambda: _copy(shell, source, seconds, layers, keeper))
        return dict(keeper.keep(forked.pid), pause_ms=round(forked.pause_ms, 2))
    finally:
        keeper.close()


# -- on the main thread ----------------------------------------------------------------------------------------------


def _fork(shell: Any, copy: Callable[[], None]) -> _Forked:
    """Have the main thread fork once the kernel is quiet, and wait for that."""
    answers: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
    loop = shell.kernel.io_loop
    deadline = time.monotonic() + QUIET_LIMIT_S
    given_up = threading.Event()

    def attempt() -> None:
        if given_up.is_set():
            return
        try:
            quiet.look(shell)
            answers.put(_forked(shell, copy))
        except quiet.NotNow as reason:
            if reason.passing and time.monotonic() < deadline:
                loop.call_later(_RETRY_S, attempt)
            else:
                answers.put(Refused(reason.reason))
        except Exception as error:  # noqa: BLE001 - one that left this would be logged in the user's notebook
            answers.put(Refused("{}: {}".format(type(error).__name__, error)))

    loop.add_callback(attempt)
    try:
        answer = answers.get(timeout=QUIET_LIMIT_S + ANSWER_LIMIT_S)
    except queue.Empty:
        given_up.set()
        raise Refused("the kernel's main thread is busy") from None
    if isinstance(answer, _Forked):
        return answer
    raise answer


def _forked(shell: Any, copy: Callable[[], None]) -> _Forked:
    state = random.Random.getstate(random._inst)
    saver = getattr(getattr(shell, "history_manager", None), "save_thread", None)
    began = time.perf_counter()
    pid = _system_fork()
    if pid == 0:
        try:
            random.Random.setstate(random._inst, state)
            copy()
        finally:
            os._exit(70)
    pause_ms = 1000 * (time.perf_counter() - began)
    _restart_history(shell, saver)
    return _Forked(pid, pause_ms)


def _system_fork() -> int:
    if sys.version_info < (3, 12):
        return os.fork()
    # `os.fork` warns where there are threads, into the user's notebook; these are the steps it takes.
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = int(ctypes.PyDLL(None).fork())
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError("fork failed")
    return pid


def _restart_history(shell: Any, saver: Any) -> None:
    """Start a thread in the place of the one that saved IPython's history: IPython ends it before a fork."""
    if saver is None or saver.is_alive() or not getattr(saver, "_stopped", False):
        return
    manager = shell.history_manager
    manager.save_thread = type(saver)(manager)
    manager.save_thread.start()


# -- in the copy -----------------------------------------------------------------------------------------------------


def _copy(shell: Any, source: str, seconds: float, layers: List[str], keeper: "_Keeper") -> None:
    """Go behind the fence, run the target, report; never returns."""
    open_files.silence()
    os.setsid()
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper.kernel:
        os._exit(1)  # It ended before that.
    limits.give_way()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end = keeper.of_copy
    try:
        enclosed = enclose(layers, keeper.kept_by_copy, seconds)
    except SystemCallFailed as failed:
        _say(end, {"fence": str(failed)})
        os._exit(1)
    hand_over(enclosed.listener, end)
    _say(end, {"private": enclosed.private})
    pools.use_one_thread()
    performance = Performance(shell, source)
    performance.changed.extend(enclosed.changed)
    stand_ins.put(performance.changed)
    faulthandler.enable(file=keeper.places, all_threads=False)
    faulthandler.register(keeper.signal, file=keeper.places, all_threads=False)
    import _thread

    decided = _thread.allocate_lock()
    decided.acquire()
    _thread.start_new_thread(_listen, (end, performance, decided))
    _say(end, {"began": os.listdir("/proc/self/task")})
    ended = performance.run()
    _say(end, {"ended": dict(ended, files="private" if enclosed.private else "denied")})
    # What the user's objects do when they are looked at is no act of the target.
    decided.acquire()
    _say(end, {"described": performance.description(shell)})
    os._exit(0)


def _listen(end: socket.socket, performance: Performance, decided: Any) -> None:
    """Answer the keeper's question how far the target is, until it has taken the report; on a thread of its own."""
    while end.recv(1) == _HOW_FAR:
        _say(end, dict(performance.progress(), target=performance.target))
    decided.release()


def _say(end: socket.socket, what: Dict[str, Any]) -> None:
    end.sendall(json.dumps(what).encode() + b"\n")


# -- on the worker thread --------------------------------------------------------------------------------------------


class _Keeper:
    """Keeps one copy: what it needs from before the fork, and what happens until its end.

    Attributes:
        kernel: Process id of the kernel.
        of_copy: The copy's end of the connection.
        places: File descriptor of memory that both share: where the copy was when it was asked, or died.
        signal: Number of the signal that makes the copy write its place there.
    """

    def __init__(self, seconds: float, layers: List[str]) -> None:
        self.kernel = os.getpid()
        self._layers = layers
        self._own, self.of_copy = socket.socketpair()
        self.places = os.memfd_create("crane_agent")
        self.signal = signal.SIGRTMAX - 2
        self._seconds = seconds
        self._listener: Optional[Listener] = None
        self._heard = b""
        self._said: Dict[str, Any] = {}

    @property
    def kept_by_copy(self) -> Tuple[int, ...]:
        """File descriptors that stay open in the copy."""
        return 0, 1, 2, self.of_copy.fileno(), self.places

    def close(self) -> None:
        """Close what is open."""
        self._own.close()
        self.of_copy.close()
        os.close(self.places)
        if self._listener is not None:
            self._listener.close()

    def keep(self, pid: int) -> Dict[str, Any]:
        """Wait for the copy's end, or end it; return the report."""
        self.of_copy.close()  # Now the copy's end alone holds the connection.
        status: Optional[int] = None
        try:
            why = self._wait(pid)
            if why:
                self._ask_how_far(pid)
            acts = sorted(self._listener.acts) if self._listener is not None else []
            if not why:
                self._await_description()
        finally:
            status = _end(pid)
        return self._report(why, acts, status)

    def _wait(self, pid: int) -> str:
        """Wait for the report; return why there is none, or ''."""
        deadline = time.monotonic() + FENCE_LIMIT_S
        stuck: Optional[Stuck] = None
        while "ended" not in self._said:
            if stuck is None and "began" in self._said:
                deadline = time.monotonic() + self._seconds
                stuck = Stuck(pid, self._said["began"])
            left = deadline - time.monotonic()
            if left <= 0:
                return "it was still running after {:g} s".format(self._seconds)
            if not self._hear(min(left, 0.2)):
                return _WITHOUT_A_WORD
            if stuck is not None and stuck.look():
                return "it got stuck: it waits for threads that a fork does not have"
        return ""

    def _hear(self, limit_s: float) -> bool:
        """Take what comes within a time [seconds]; return False once the copy has closed its end."""
        poll = select.poll()
        poll.register(self._own, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener.descriptor, select.POLLIN)
        ready = dict(poll.poll(1000 * limit_s))
        if self._listener is not None and ready.get(self._listener.descriptor, 0) & select.POLLIN:
            self._listener.answer()
        if self._own.fileno() not in ready:
            return True
        if self._listener is None:
            return self._take_listener()
        part = self._own.recv(65536)
        self._take(part)
        return bool(part)

    def _take_listener(self) -> bool:
        descriptor, part = take_over(self._own)
        if descriptor is not None:
            self._listener = Listener(descriptor, Policy(writes=OVERLAY in self._layers))
            part = part[1:]
        self._take(part)
        if "fence" in self._said:
            raise Refused("the fence does not hold: {}".format(self._said["fence"]))
        return self._listener is not None

    def _take(self, part: bytes) -> None:
        self._heard = (self._heard + part)[:_MOST_BYTES]
        while b"\n" in self._heard:
            line, _, self._heard = self._heard.partition(b"\n")
            self._said.update(json.loads(line.decode()))
        if self._listener is not None:
            self._listener.private = tuple(self._said.get("private", ()))

    def _ask_how_far(self, pid: int) -> None:
        try:
            self._own.send(_HOW_FAR)
            os.kill(pid, self.signal)
        except OSError:
            return  # It has ended.
        deadline = time.monotonic() + LAST_WORDS_S
        while "target" not in self._said and time.monotonic() < deadline and self._hear(0.05):
            pass

    def _await_description(self) -> None:
        """Have the copy describe what is there, which runs code of the user's: without it the report is complete."""
        try:
            self._own.send(_DECIDED)
        except OSError:
            return  # It has ended.
        deadline = time.monotonic() + SCENE_LIMIT_S
        while "described" not in self._said and time.monotonic() < deadline and self._hear(0.05):
            pass

    def _described(self, outcome: str) -> Dict[str, Any]:
        """Return what the copy described, as far as it belongs to an outcome."""
        described = self._said.get("described", {})
        return {
            "scene": described.get("scene") if outcome == "crash" else None,
            "bound": described.get("bound") if outcome == "finished" else None,
        }

    def _report(self, why: str, acts: List[str], status: Optional[int]) -> Dict[str, Any]:
        ended = self._said.get("ended")
        # What it does after it was asked where it is counts no more: the signal may have ended what it waited for.
        if ended is not None and not why:
            found = dict(ended, denied=_joined(acts, ended["denied"]), line=None, loop="")
            if found["denied"] and found["outcome"] != "unknown":
                found.update(outcome="unknown", why=_denied(found["denied"]))
            return dict(found, **self._described(found["outcome"]))
        if status is not None and why == _WITHOUT_A_WORD:
            if os.WIFSIGNALED(status):
                why = "it died of {}".format(_name_of(os.WTERMSIG(status)))
            elif os.WIFEXITED(status):
                why = "it ended its own process"
        line = self._said.get("line")
        return {
            "outcome": "unknown",
            "why": why,
            "exception": None,
            "line": line if line is not None else self._last_line(),
            "loop": self._said.get("loop", ""),
            "denied": acts,
            "changed": [],
            "seconds": None,
            "files": "",
            **self._described("unknown"),
        }

    def _last_line(self) -> Optional[int]:
        """Return the line of the target in what the copy wrote when it was asked or died; the outermost is last."""
        text = os.pread(self.places, _MOST_BYTES, 0).decode("utf-8", "replace")
        target = self._said.get("target", "")
        found = [int(line) for name, line in _PLACE.findall(text) if name == target]
        return found[-1] if found else None


def _joined(acts: List[str], told: List[str]) -> List[str]:
    """Return the acts that were noted; what the copy tells of one says more than its name."""
    return sorted({*(act for act in acts if not any(each.startswith(act) for each in told)), *told})


def _denied(acts: List[str]) -> str:
    return "it {}, which the fence denies".format(" and ".join(acts))


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal {}".format(number)


def _end(pid: int) -> Optional[int]:
    """Kill the copy and wait until it is gone; return its status, or None if somebody else took it."""
    try:
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _END_LIMIT_S
        while time.monotonic() < deadline:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return status
            time.sleep(0.002)
    except (ProcessLookupError, ChildProcessError):
        pass
    return None
