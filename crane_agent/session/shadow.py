"""The shadow kernel: a second kernel behind the fence, in which the executed cells are run again, and then the target.

It serves where a fork cannot: its threads are its own, and it may start processes. It is made for one rehearsal and
ended after it; `in_kernel.rehearsal.enclosure` has the fence. What it shows is no proof for the kernel it stands for:
a cell that ran again may have done something else than the first time.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from jupyter_client.kernelspec import KernelSpec

import crane_agent
from crane_agent.config import Privacy
from crane_agent.errors import CellFailed, CellTimeout, KernelBusy, KernelDied, KernelError, NoKernel
from crane_agent.in_kernel.redaction import redacted
from crane_agent.session.channel import Channel, ExecuteReply
from crane_agent.session.line import Audit
from crane_agent.session.process import KernelProcess
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply

NEEDED = ("overlay", "landlock", "seccomp")
"""Layers of the fence without which there is no shadow."""

LONGEST_REPLAY_S = 120.0
"""Time that the executed cells may have taken the first time, if they are to be run again [seconds]."""

REPLAY_FACTOR, REPLAY_GRACE_S = 3.0, 10.0
"""The replay may take as many times the first one's time, and as much beyond it [seconds]."""

REPLAY_FAILED = "with the patch the executed cell"
"""How the reason begins where another text of an executed cell makes it, or one behind it, raise."""

_REPORT = Limits(seconds=5.0, items=50, bytes=65_536)
_PROGRESS = Limits(seconds=1.0)
_DESCRIPTION = Limits(seconds=2.0, items=50, bytes=65_536)

_UNKNOWN: Mapping[str, Any] = {
    "outcome": "unknown",
    "why": "",
    "exception": None,
    "line": None,
    "loop": "",
    "denied": [],
    "changed": [],
    "pause_ms": 0.0,
    "files": "private",
    "scene": None,
    "bound": None,
}

_MOST_MESSAGE = 200  # characters

# What is described, by the outcome that it belongs to.
_DESCRIBED = {"crash": "scene", "finished": "bound"}

# `-I`: neither the environment nor the folder says what is imported; `-B`: nothing is written.
_STARTER = (
    "import sys; sys.path.insert(0, {root!r}); from crane_agent.in_kernel.rehearsal import enclosure; enclosure.main()"
)


@dataclass(frozen=True)
class DoneCell:
    """A cell that a kernel of ours has run.

    Attributes:
        source: As it was sent.
        status: How it ended, see `channel.ExecuteReply`.
        seconds: Time that it took [seconds].
    """

    source: str
    status: Literal["ok", "error", "timeout", "died"]
    seconds: float


@dataclass(frozen=True)
class Origin:
    """How a kernel of ours came to its state, so that another one can be brought there.

    Attributes:
        spec: Its command and environment.
        folder: Where its cells found their files before they ran; None for an empty folder.
        env: Environment variables that it got in addition to ours.
        done: The cells that it has run, in order, each sent as it is, blank ones and those that raised, too: after a
            replay of `Target.executed` the two have the same places. Whoever has it run another one adds that.
        start_limit_s: Time that a kernel may take to start [seconds].
        replay_limit_s: Time that all cells may take [seconds].
        privacy: How much may leave the kernel in answers.
        audit: Gets every message that the kernel sends.
    """

    spec: KernelSpec
    folder: Path | None
    env: Mapping[str, str]
    done: list[DoneCell]
    start_limit_s: float
    replay_limit_s: float
    privacy: Privacy
    audit: Audit | None


def rehearse_in_shadow(
    origin: Origin, layers: Collection[str], source: str, *, seconds: float, patched: PatchedCell | None = None
) -> Rehearsal:
    """Run a cell in a second kernel behind the fence.

    Args:
        origin: How the kernel came to its state.
        layers: Layers of the fence that were proved here.
        source: The cell.
        seconds: Time that the cell has [seconds].
        patched: An executed cell that is to be another one there.

    Returns:
        The report as a fork gives it; `refused` if the second kernel did not come to the state of the first. With an
        executed cell patched, `unknown` if that, or a cell behind it, raised and had not raised before: then `why`
        begins with `REPLAY_FAILED`.
    """
    if patched is not None and not 0 <= patched.place < len(origin.done):
        return _refused(f"there is no executed cell {patched.place + 1}")
    missing = [layer for layer in NEEDED if layer not in layers]
    if missing:
        return _refused(f"the fence lacks: {', '.join(missing)}")
    first_s = sum(cell.seconds for cell in origin.done)
    if first_s > LONGEST_REPLAY_S:
        return _refused(f"the executed cells took {first_s:.0f} s the first time")
    began = time.monotonic()
    replay_limit_s = min(REPLAY_FACTOR * first_s + REPLAY_GRACE_S, origin.replay_limit_s)
    with ExitStack() as cleanup:
        try:
            shadow = _Shadow(origin, cleanup, seconds=seconds, replay_limit_s=replay_limit_s)
            broken = shadow.replay(origin, patched)
            replay_ms = _ms_since(began)
            reply = _unknown(broken) if broken else shadow.rehearse(source, seconds=seconds, patched=patched)
        except KernelError as error:
            return _refused(str(error), replay_ms=_ms_since(began))
        return Rehearsal(replace(reply, running=False, elapsed_ms=_ms_since(began)), "shadow", replay_ms)


class _Shadow:
    """A kernel behind the fence."""

    def __init__(self, origin: Origin, cleanup: ExitStack, *, seconds: float, replay_limit_s: float) -> None:
        """Start it; `cleanup` ends it and removes its files.

        Raises:
            NoKernel: It does not start, or the fence does not hold.
        """
        self._replay_limit_s = replay_limit_s
        own = Path(cleanup.enter_context(TemporaryDirectory(prefix="crane-agent-", ignore_cleanup_errors=True)))
        files, empty = own / "kernel", own / "scratch"
        files.mkdir()
        empty.mkdir()
        self._record = files / "record.json"
        settings = {
            "kept": str(files),
            "record": str(self._record),
            "seconds": origin.start_limit_s + self._replay_limit_s + seconds,
            "parent": os.getpid(),
        }
        process = KernelProcess(
            origin.spec, files, cwd=origin.folder or empty, env=origin.env, starter=_starter(settings)
        )
        cleanup.callback(process.end)
        self._channel = Channel(process.connect(), alive=process.is_alive, privacy=origin.privacy, audit=origin.audit)
        cleanup.callback(self._channel.close)
        try:
            process.await_start(self._channel, limit_s=origin.start_limit_s)
        except NoKernel:
            fence = self._told().get("fence")
            if fence is None:
                raise
            raise NoKernel(f"the fence does not hold: {fence}") from None

    def replay(self, origin: Origin, patched: PatchedCell | None = None) -> str:
        """Run the executed cells again, one of them patched, and get ready for the target.

        Returns:
            Which cell raises with the patch that had not raised before, in words; '' if none does.

        Raises:
            CellFailed: One raised that had not raised before, or cannot be run again.
            CellTimeout: They took too long.
            KernelDied: The kernel ended.
        """
        deadline = time.monotonic() + self._replay_limit_s
        for number, (cell, source) in enumerate(zip(origin.done, _sources(origin, patched), strict=True), start=1):
            if cell.status in ("timeout", "died"):
                raise CellFailed(f"the executed cell {number} did not come to its end")
            reply = self._channel.execute(source, limit_s=max(0.0, deadline - time.monotonic()))
            if reply.status == "timeout":
                raise CellTimeout(f"the replay was still running after {self._replay_limit_s:.0f} s")
            if reply.status == "died":
                raise KernelDied(f"it died while the executed cell {number} ran again")
            if reply.status == "error" and cell.status == "ok":
                # What the fence denied may be why it raises, and not the patch.
                if patched is not None and number > patched.place and not self._acts():
                    return f"{REPLAY_FAILED} {number} raised {_raised(reply, origin.privacy)}"
                raise CellFailed(f"the executed cell {number} raised {reply.ename} there, and not the first time")
        self._channel.install()
        return ""

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Reply:
        """Run the target and say how it ended; what it has bound is told with what the patched cell has.

        Raises:
            KernelError: It does not answer any more.
        """
        before = self._acts()
        watching = self._channel.ask("watch", {"seconds": seconds})
        if watching.status != "ok":
            return watching
        done = self._channel.execute(source, limit_s=seconds)
        reply = self._ending(done, source)
        if reply.status != "ok":
            return reply
        report = {**_UNKNOWN, "seconds": done.seconds, **reply.answer}
        acts = {act for act, number in self._acts().items() if number > before.get(act, 0)}.union(report["denied"])
        if acts:
            why = f"it {' and '.join(sorted(acts))}, which the fence denies"
            report |= {"outcome": "unknown", "why": why, "denied": sorted(acts)}
        report["changed"] = [*_changes(before), *report["changed"]]
        report |= self._described(_DESCRIBED.get(report["outcome"]), patched)
        return replace(reply, answer=report)

    def _described(self, field: str | None, patched: PatchedCell | None) -> Mapping[str, Any]:
        """Return what is there after the end; that runs code of the user's, whose acts are no longer the target's."""
        if field is None:
            return {}
        earlier = {} if patched is None else {"patched": patched.source}
        try:
            answer = self._channel.ask("description", earlier, limits=_DESCRIPTION).answer
        except KernelError:
            return {}
        return {field: answer.get(field)}

    def _ending(self, done: ExecuteReply, source: str) -> Reply:
        try:
            if done.status == "timeout":
                return self._progress(f"it was still running after {done.seconds:.3g} s")
            if done.status != "died":
                return self._channel.ask("ending", {"source": source}, limits=_REPORT)
        except KernelDied:
            pass
        return Reply("ok", {"why": self._death()})

    def _progress(self, why: str) -> Reply:
        try:
            answer = self._channel.ask("progress", {}, limits=_PROGRESS).answer
        except KernelBusy:
            answer = {}
        return Reply("ok", {**answer, "why": why})

    def _told(self) -> Mapping[str, Any]:
        """Return what the fence's keeper has written so far."""
        try:
            told: Mapping[str, Any] = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return {}
        return told

    def _acts(self) -> Mapping[str, int]:
        """Return how often each act was denied."""
        acts: Mapping[str, int] = self._told().get("acts", {})
        return acts

    def _death(self) -> str:
        status = self._told().get("ended")
        if status is not None and os.WIFSIGNALED(status):
            return f"it died of {signal.Signals(os.WTERMSIG(status)).name}"
        return "it ended its own process"


def _sources(origin: Origin, patched: PatchedCell | None) -> list[str]:
    sources = [cell.source for cell in origin.done]
    if patched is not None:
        sources[patched.place] = patched.source
    return sources


def _raised(reply: ExecuteReply, privacy: Privacy) -> str:
    """Return what a cell raised, with the message where the level shows values."""
    message = redacted(" ".join(reply.evalue.split()))[:_MOST_MESSAGE] if privacy == "values" else ""
    line = f" on line {reply.line}" if reply.line is not None else ""
    return f"{reply.ename}: {message}{line}" if message else f"{reply.ename}{line}"


def _unknown(why: str) -> Reply:
    return Reply("ok", {**_UNKNOWN, "seconds": 0.0, "why": why})


def _starter(settings: Mapping[str, Any]) -> list[str]:
    root = str(Path(crane_agent.__file__).parents[1])
    return [sys.executable, "-I", "-B", "-c", _STARTER.format(root=root), json.dumps(settings)]


def _changes(acts: Collection[str]) -> list[str]:
    return [f"the replay {act}, which the fence denied" for act in sorted(acts)]


def _refused(why: str, *, replay_ms: float = 0.0) -> Rehearsal:
    reason = f"could not rehearse in a second kernel, because {why}"
    return Rehearsal(Reply("refused", reason=reason), "shadow", replay_ms)


def _ms_since(began: float) -> float:
    return 1000 * (time.monotonic() - began)
