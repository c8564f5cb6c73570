"""The proof of the fence: in a throw-away process, each layer alone, then all that hold together.

A child goes behind the layer and tries the `acts` that it must stop, or keep private. This process stays outside as
what they are aimed at, hears of them as a keeper does, and looks whether anything came of them. A child that hangs is
killed; its layer does not hold.
"""

from __future__ import annotations

import errno
import functools
import importlib
import json
import operator
import os
import select
import signal
import socket
import time
from collections import Counter
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List, Optional

from . import acts, fence, landlock, open_files, overlay, pools, quiet, seccomp
from .acts import Act, Outside
from .system_calls import SET_PDEATHSIG, SystemCallFailed, prctl

WHOLE = "whole"

LIMIT_S = 5.0
"""Time that the trial of a layer may take [seconds]."""

CANARY_LIMIT_S = 30.0
"""Time to import numpy and torch, and to compute before and after a fork [seconds]."""

_FORK_LIMIT_S = 5.0
_REST_LIMIT_S = 2.0
_MEMORY_FOR_FILES = 1 << 24
_WRITES, _NO_WRITES = b"W", b"D"
_MOST_PROBLEMS = 3
_WITH_THREADS = ("numpy", "torch")
_SIDE = 512
"""Rows and columns of a matrix whose product takes threads."""

_PERMISSION = (errno.EACCES, errno.EPERM)
_FORBIDDEN = (errno.EPERM, errno.ENOSYS)


def prove(folder: str) -> Dict[str, Dict[str, Any]]:
    """Try the layers.

    Args:
        folder: An empty folder for the files that the acts are aimed at; nothing is left in it.

    Returns:
        For each layer, and for `WHOLE`, `why` it does not hold ('' if it does), and the names of the acts `tried`.
    """
    canary = _Child(_fork, None, CANARY_LIMIT_S)  # Its imports take the longest.
    try:
        found = {
            fence.OVERLAY: _tried(_overlay, folder),
            fence.LANDLOCK: _tried(_landlock, folder),
            fence.SECCOMP: _tried(_seccomp, folder),
        }
    finally:
        said = canary.finish()
    found[fence.FORK] = {"why": said["why"], "tried": said["tried"]}
    found[WHOLE] = _tried_together(found, folder)
    return found


def main(folder: str) -> None:
    """Print what `prove` found, as one line of JSON."""
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    for name in [name for name in os.environ if name.endswith("_NUM_THREADS")]:
        del os.environ[name]  # The kernel may have threads where this process is told to have none.
    print(json.dumps(prove(folder)), flush=True)


def _tried_together(found: Dict[str, Dict[str, Any]], folder: str) -> Dict[str, Any]:
    """Try the layers that hold, together; an overlay that does not go with the others does not hold."""
    holding = [name for name in found if not found[name]["why"]]
    lacking = [name for name in (fence.LANDLOCK, fence.SECCOMP) if name not in holding]
    if lacking:
        return {"why": "not tried without {}".format(", ".join(lacking)), "tried": []}
    whole = _tried(functools.partial(_whole, holding), folder)
    if whole["why"] and fence.OVERLAY in holding:
        found[fence.OVERLAY]["why"] = "not together with the others: {}".format(whole["why"])
        holding.remove(fence.OVERLAY)
        whole = _tried(functools.partial(_whole, holding), folder)
    return whole


def _tried(attempt: "Callable[[Outside, _Attempt], None]", folder: str) -> Dict[str, Any]:
    with Outside(folder) as outside:
        said = _Child(attempt, outside, LIMIT_S).finish()
        unheard = Counter(said["expected"]) - Counter(said["heard"])
        problems = [each for each in (said["why"],) if each]
        problems += ["its keeper did not hear that it " + act for act in unheard]
        problems += outside.changes(said["marks"])
    return {"why": "; ".join(problems), "tried": said["tried"]}


# -- the keeper ------------------------------------------------------------------------------------------------------


class _Child:
    """A process that makes an attempt, kept until its end."""

    def __init__(self, attempt: Callable[[Any, "_Attempt"], None], outside: Optional[Outside], limit_s: float) -> None:
        self._own, its = socket.socketpair()
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        self._listener: Optional[seccomp.Listener] = None
        self._heard = b""
        self._pid = os.fork()
        if self._pid == 0:
            _make(attempt, outside, its)
        its.close()

    def finish(self) -> Dict[str, Any]:
        """Wait for its end, or end it; return what it said, and the acts that were `heard`."""
        try:
            while self._is_going_on():
                pass
        finally:
            is_late = time.monotonic() >= self._deadline
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._own.close()
            if self._listener is not None:
                self._listener.close()
        why = "its trial did not end within {:g} s".format(self._limit_s) if is_late else "its trial broke off"
        said: Dict[str, Any] = {"why": why, "tried": [], "expected": [], "marks": []}
        for line in self._heard.split(b"\n")[:-1]:
            said.update(json.loads(line.decode()))
        return dict(said, heard=self._listener.acts if self._listener is not None else {})

    def _is_going_on(self) -> bool:
        """Take what comes; return False once the child has closed its end, or its time is over."""
        poll = select.poll()
        poll.register(self._own, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener.descriptor, select.POLLIN)
        left = self._deadline - time.monotonic()
        ready = dict(poll.poll(max(0.0, 1000 * left)))
        if self._listener is not None and ready.get(self._listener.descriptor, 0) & select.POLLIN:
            self._listener.answer()
        if self._own.fileno() in ready:
            return self._is_taken()
        return left > 0

    def _is_taken(self) -> bool:
        descriptor, part = seccomp.take_over(self._own)
        is_open = bool(part)
        if descriptor is not None:
            self._listener = seccomp.Listener(descriptor, seccomp.Policy(writes=part[:1] == _WRITES))
            part = part[1:]
        self._heard += part
        return is_open


# -- in the child ----------------------------------------------------------------------------------------------------


class _Attempt:
    """What a child tries, and what it tells its keeper.

    Attributes:
        end: Its end of the connection.
        tried: Names of the acts.
    """

    def __init__(self, outside: Optional[Outside], end: socket.socket) -> None:
        self.end = end
        self._outside: Any = outside
        self.tried: List[str] = []
        self._expected: List[str] = []
        self._problems: List[str] = []

    def say(self, **what: Any) -> None:
        """Tell the keeper."""
        self.end.sendall(json.dumps(what).encode() + b"\n")

    def hand_over(self, listener: int, *, writes: bool) -> None:
        """Give the keeper the file descriptor on which it hears of denied acts."""
        seccomp.hand_over(listener, self.end, _WRITES if writes else _NO_WRITES)

    def must_fail(self, what: Iterable[Act], errors: Collection[int]) -> None:
        """Try acts that must fail, with one of these errnos."""
        for act in what:
            self.tried.append(act.name)
            try:
                act.do(self._outside)
            except OSError as error:
                if error.errno == seccomp.DENIED:
                    self._expected.append(act.heard)
                is_forbidden = act.forbidden and error.errno in _FORBIDDEN
                if error.errno not in errors and not is_forbidden:
                    self._problems.append("it {}, which failed with: {}".format(act.name, error))
            else:
                self._problems.append("it " + act.name)

    def must_work(self, what: Iterable[Act]) -> None:
        """Try acts that must be possible."""
        for act in what:
            self.tried.append(act.name)
            try:
                act.do(self._outside)
            except OSError as error:
                self._problems.append(
                    "it could not do what it may: it {}, which failed with: {}".format(act.name, error)
                )

    def must_show(self, what: Iterable[Act]) -> None:
        """Try acts on files that must be possible, and seen in here."""
        for act in what:
            before = self._outside.files()
            self.must_work([act])
            if self._outside.files() == before:
                self._problems.append("nothing was seen of it when it " + act.name)

    def mark(self, folders: Iterable[str]) -> None:
        """Make a file in each folder that this process may write to; the keeper looks that there are none."""
        name = ".crane_agent-{}".format(os.getpid())
        marks = [os.path.join(folder, name) for folder in folders if os.access(folder, os.W_OK)]
        self.say(marks=marks)
        for path in marks:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))

    def conclude(self) -> None:
        """Tell the keeper what was tried and what was not as it must be."""
        why = "; ".join(self._problems[:_MOST_PROBLEMS])
        self.say(why=why, tried=self.tried, expected=self._expected)


def _make(attempt: Callable[[Any, _Attempt], None], outside: Optional[Outside], end: socket.socket) -> None:
    """Make an attempt and tell how it went; never returns."""
    made = _Attempt(outside, end)
    try:
        prctl(SET_PDEATHSIG, signal.SIGKILL)
        open_files.silence()
        attempt(outside, made)
        made.conclude()
    except SystemCallFailed as failed:
        made.say(why=str(failed))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, this layer is not proved
        made.say(why="{}: {}".format(type(error).__name__, error))
    finally:
        os._exit(0)


def _overlay(outside: Outside, attempt: _Attempt) -> None:
    attempt.mark(overlay.make_private(_MEMORY_FOR_FILES))
    attempt.must_show(acts.WRITES)
    attempt.must_work(acts.HARMLESS)


def _landlock(outside: Outside, attempt: _Attempt) -> None:
    landlock.restrict([outside.allowed])
    attempt.must_fail((*acts.writes_under_landlock(), *acts.IN_PARENT), _PERMISSION)
    attempt.must_work((*acts.HARMLESS, acts.IN_ALLOWED))


def _seccomp(outside: Outside, attempt: _Attempt) -> None:
    policy = seccomp.Policy(writes=False, connections=(outside.far.fileno(), outside.opened))
    attempt.hand_over(seccomp.install(policy), writes=False)
    attempt.must_fail((*acts.WRITES, acts.OPENED, *acts.DENIED), (seccomp.DENIED,))
    attempt.must_work(acts.HARMLESS)


def _whole(layers: Collection[str], outside: Outside, attempt: _Attempt) -> None:
    enclosed = fence.enclose(layers, (0, 1, 2, attempt.end.fileno()), LIMIT_S)
    is_private = bool(enclosed.private)
    attempt.hand_over(enclosed.listener, writes=is_private)
    if is_private:
        attempt.must_show(acts.WRITES)
        attempt.must_work([acts.OPENED])
    else:
        attempt.must_fail((*acts.WRITES, acts.OPENED), (seccomp.DENIED,))
    attempt.must_fail(acts.DENIED, (seccomp.DENIED,))
    attempt.must_fail([acts.TOO_MUCH_MEMORY], (errno.ENOMEM,))
    attempt.must_work((*acts.HARMLESS, *acts.MEMORY))


def _fork(outside: None, attempt: _Attempt) -> None:
    """Compute with threads, fork once they sleep, and compute again, in the copy and here."""
    computations = list(_computations(attempt))
    for compute in computations:
        compute()
    deadline = time.monotonic() + _REST_LIMIT_S
    while quiet.busy_thread() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    copy = os.fork()
    if copy == 0:
        _compute_in_fork(computations)
    status = _status_of(copy)
    if status is None:
        raise SystemCallFailed("a computation did not end in a fork")
    if status != 0:
        raise SystemCallFailed("a computation failed in a fork")
    for compute in computations:
        compute()


def _compute_in_fork(computations: Iterable[Callable[[], Any]]) -> None:
    """Compute in one thread; never returns."""
    try:
        prctl(SET_PDEATHSIG, signal.SIGKILL)
        pools.use_one_thread()
        for compute in computations:
            compute()
        os._exit(0)
    finally:
        os._exit(1)


def _status_of(pid: int) -> Optional[int]:
    """Wait for a process; return its status, or None if it had to be killed."""
    deadline = time.monotonic() + _FORK_LIMIT_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _computations(attempt: _Attempt) -> Iterator[Callable[[], Any]]:
    """Yield something that uses threads, of each library that this interpreter has."""
    attempt.tried.append("forked")
    for name in _WITH_THREADS:
        try:
            square = importlib.import_module(name).ones((_SIDE, _SIDE))
        except ImportError:
            continue
        attempt.tried.append("computed with {} before and after a fork".format(name))
        yield functools.partial(operator.matmul, square, square)
