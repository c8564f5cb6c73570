"""Talking to one kernel: cells run through the shell channel, questions through the control channel.

A question is answered while a cell runs, because nothing of ours goes through the shell channel but the two requests
of `Channel.install`: one that waits until the kernel is idle, and the bootstrap. The kernel's channels for output and
input are never opened.

What is installed is a service with a message type of its own for each version of our sources, so that tools of
different versions do not meet. Everyone who asks is its client for a time, the lease, which each question renews. The
kernel names the services it has in every reply to `connect_request` (see `in_kernel.boot`): that is how a client finds
one, joins it even while a cell runs, and notices that it is gone.
"""

import math
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crane_agent.config import Privacy
from crane_agent.errors import KernelBusy, KernelDied, KernelRestarted, NoKernel
from crane_agent.in_kernel import wire
from crane_agent.session import inject
from crane_agent.session.connection import Connection
from crane_agent.session.line import Audit, Line
from crane_agent.session.protocol import Limits, Reply

GRACE_S = 2.0
"""Time an answer may take beyond the limit of its question [seconds]; the kernel ends it sooner if it can."""

IDLE_LIMIT_S = 20.0
"""Time the kernel may take to become idle, so that our modules can be installed [seconds]."""

INSTALL_LIMIT_S = 20.0
"""Time the kernel may take to load our modules [seconds]."""

LEASE_S = 86_400.0
"""Time after which the kernel forgets a client that asks nothing [seconds]."""

POLL_S = 0.1
"""Time between two looks whether the kernel is alive [seconds]."""

LOOK_EVERY_S = 1.0
"""Time without an answer after which we look whether our service is still there [seconds]."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINE_OF_CELL = (
    r"Cell In ?\[{number}\](?:, line |:)(\d+)",  # IPython 8 and later; `:` before 8.1
    r"Input In \[{number}\], (?:in .*\n(?:.*\n)*?-+> |line )(\d+)",  # IPython 8.0
    r"^-+> (\d+) ",  # IPython 7
    r'File "[^"]*", line (\d+)',  # IPython 7, SyntaxError
)


@dataclass(frozen=True)
class ExecuteReply:
    """How a cell ended.

    Attributes:
        status: `timeout`: it was still running at its limit, and is still running now; `died`: the kernel ended.
        ename: The exception's class name; empty unless `error`.
        evalue: Its message.
        traceback: The traceback as text without colours.
        line: Line of the cell that raised, counted from 1; None if the traceback does not say.
        seconds: From sending to the reply [seconds].
    """

    status: Literal["ok", "error", "timeout", "died"]
    ename: str = ""
    evalue: str = ""
    traceback: str = ""
    line: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class KernelFacts:
    """What the kernel says about itself.

    Attributes:
        python: (major, minor, micro).
        ipykernel: Version, as text.
        ipython: Version, as text.
        execution_count: Number that the next cell will have.
        cwd: Its working directory; empty if that was deleted.
        pid: Its process id.
        executable: Its interpreter; empty if it does not know.
        clients: Tools of our version that ask it, this one included.
    """

    python: tuple[int, int, int]
    ipykernel: str
    ipython: str
    execution_count: int
    cwd: str
    pid: int
    executable: str
    clients: int


class Channel:
    """A connection to one kernel; may be used from several threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        alive: Callable[[], bool],
        privacy: Privacy = "schema",
        lease_s: float = LEASE_S,
        audit: Audit | None = None,
    ) -> None:
        """Connect; nothing is sent.

        Args:
            connection: Has the kernel's ports and an identity of its own; belongs to this channel from now on.
            alive: Says whether the kernel's process exists; called only while an answer is awaited.
            privacy: How much may leave the kernel in answers.
            lease_s: Time after which the kernel forgets us if we ask nothing [seconds]; we come back by ourselves.
            audit: Gets every message that the kernel sends.
        """
        session = connection.session
        self._shell = Line(connection.connect_shell(session.bsession), session, "kernel shell", audit)
        self._control = Line(connection.connect_control(session.bsession), session, "kernel control", audit)
        self._me = session.session
        self._alive = alive
        self._privacy = privacy
        self._lease_s = lease_s
        self._heard = -math.inf
        self._kernel: str | None = None
        self._end: KernelDied | KernelRestarted | None = None
        self._sources: Mapping[str, str] = {}
        self._service = ""

    def ping(self, *, limit_s: float) -> None:
        """Wait until the kernel answers, which it does while a cell runs, too.

        Raises:
            KernelDied: The process ended before it answered.
            KernelBusy: No answer by the limit.
        """
        with self._control.lock:
            self._look(limit_s=limit_s)

    def install(self, sources: Mapping[str, str] | None = None, *, idle_limit_s: float = IDLE_LIMIT_S) -> KernelFacts:
        """Make the kernel able to answer our questions. Once it is, by whomever, this works while a cell runs.

        Args:
            sources: Text of the modules to install; by default those of `crane_agent.in_kernel`.
            idle_limit_s: Time to wait for a running cell to end [seconds]; nothing is sent that would be run later.

        Raises:
            NoKernel: Our modules do not run there, e.g. because it is no ipykernel.
            KernelDied: The kernel is gone.
            KernelBusy: A cell ran all the time, or the kernel does not answer.
        """
        self._sources = inject.package_sources() if sources is None else sources
        self._service = f"{wire.REQUEST_TYPE}_{inject.digest_of(self._sources)}"
        with self._control.lock:
            self._join(limit_s=idle_limit_s)
        return self.facts()

    def facts(self) -> KernelFacts:
        """Return what the kernel says about itself; after `install` only.

        Raises:
            KernelDied: The kernel is gone.
            KernelRestarted: It is another one now.
            KernelBusy: No answer by the deadline.
        """
        answer = self.ask("ping", {}).answer
        python = answer["python"]
        return KernelFacts(
            python=(python[0], python[1], python[2]),
            ipykernel=answer["ipykernel"],
            ipython=answer["ipython"],
            execution_count=answer["execution_count"],
            cwd=answer["cwd"],
            pid=answer["pid"],
            executable=answer["executable"],
            clients=answer["clients"],
        )

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel; after `install` only.

        Raises:
            KernelDied: The kernel is gone.
            KernelRestarted: It is another one now.
            KernelBusy: No answer by the deadline, `limits.seconds` plus `GRACE_S`.
        """
        limits = limits or Limits()
        limit_s = limits.seconds + GRACE_S
        request = {
            "ask": question,
            "arguments": dict(arguments),
            "limits": {"seconds": limits.seconds, "items": limits.items, "bytes": limits.bytes},
            "privacy": self._privacy,
            "lease_s": self._lease_s,
            "kernel": self._kernel,
        }
        started = time.monotonic()
        with self._control.lock:
            if started - self._heard > self._lease_s / 2:
                self._join(limit_s=limit_s)
            text = self._answer(request, limit_s=limit_s)
            if text is None:
                self._join(limit_s=limit_s)
                text = self._answer(request, limit_s=limit_s)
        if text is None:
            raise KernelBusy("the kernel forgets our questions: their lease is shorter than it takes to ask")
        return _reply_from(text, elapsed_ms=1000 * (time.monotonic() - started))

    def detach(self, *, limit_s: float = GRACE_S) -> None:
        """Take back `install`; the last client that does removes everything from the kernel.

        Raises:
            KernelDied: The kernel is gone.
            KernelRestarted: It is another one now.
            KernelBusy: No answer by the limit; then the kernel forgets us when our lease ends.
        """
        with self._control.lock:
            if self._service in self._look(limit_s=limit_s):
                self._answer({"ask": "detach"}, limit_s=limit_s)

    def execute(self, code: str, *, limit_s: float) -> ExecuteReply:
        """Run a cell for real, with a number and a place in the history, and wait for its end.

        Args:
            code: The cell, magics included; it cannot ask for input.
            limit_s: Time it may take [seconds]; it is not interrupted then.
        """
        started = time.monotonic()
        with self._shell.lock:
            try:
                content = self._request(
                    self._shell, "execute_request", _execute_content(code, silent=False), limit_s=limit_s
                )
            except KernelDied:
                return ExecuteReply("died", seconds=time.monotonic() - started)
            except KernelBusy:
                return ExecuteReply("timeout", seconds=time.monotonic() - started)
        return _execute_reply_from(content, seconds=time.monotonic() - started)

    def close(self) -> None:
        """Close the connection; the kernel is left as it is."""
        self._shell.close()
        self._control.close()

    # Whoever calls these holds the lock of the control line.

    def _look(self, *, limit_s: float) -> Mapping[str, Any]:
        """Return what the kernel says of its connections: its ports, and a key for each service that it has."""
        # Never kernel_info_request: its banner draws a random tip, which moves the user's `random` state.
        return self._request(self._control, "connect_request", {}, limit_s=limit_s)

    def _join(self, *, limit_s: float) -> None:
        if self._service not in self._look(limit_s=limit_s):
            self._bootstrap(idle_limit_s=limit_s)
        self._heard = time.monotonic()

    def _bootstrap(self, *, idle_limit_s: float) -> None:
        started = time.monotonic()
        if not self._shell.lock.acquire(timeout=idle_limit_s):
            raise _is_running_a_cell(idle_limit_s)
        try:
            # Answered only when every cell sent before has ended. It touches nothing but the kernel's own sockets,
            # and it may be answered when we are long gone; the bootstrap must not.
            self._request(self._shell, "connect_request", {}, limit_s=idle_limit_s - (time.monotonic() - started))
            outcome = self._run_bootstrap()
        except KernelBusy:
            raise _is_running_a_cell(idle_limit_s) from None
        finally:
            self._shell.lock.release()
        if self._service not in self._look(limit_s=INSTALL_LIMIT_S):
            raise NoKernel(f"this kernel cannot be asked questions: {outcome}")

    def _run_bootstrap(self) -> str:
        expression = inject.bootstrap(self._sources, client=self._me, lease_s=self._lease_s)
        content = _execute_content("", silent=True) | {"user_expressions": {"crane_agent": expression}}
        deadline = time.monotonic() + INSTALL_LIMIT_S
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            reply = self._request(self._shell, "execute_request", content, limit_s=left_s)
            # For a moment after a cell has failed, the kernel turns away whatever is to be run.
            if reply["status"] != "aborted":
                break
            time.sleep(POLL_S)
        result = reply.get("user_expressions", {}).get("crane_agent", {})
        outcome = result.get("data", {}).get("text/plain") or result.get("evalue") or reply.get("evalue")
        return str(outcome or "it is no IPython kernel").strip("'\"")

    def _answer(self, request: Mapping[str, Any], *, limit_s: float) -> str | None:
        """Return the reply to our request, or None if our service is not there."""
        deadline = time.monotonic() + limit_s
        asked = self._control.send(self._service, {"text": wire.dumps(request)})
        looks: set[str] = set()
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise _does_not_answer(limit_s)
            reply = self._await(self._control, {asked, *looks}, limit_s=min(left_s, LOOK_EVERY_S))
            if reply is None:
                # Messages are taken in order: once this one is answered, ours has been taken, or is unknown there.
                looks.add(self._control.send("connect_request", {}))
            elif reply["parent_header"]["msg_id"] == asked:
                self._heard = time.monotonic()
                return str(reply["content"]["text"])
            elif self._service not in reply["content"]:
                return None

    # Whoever calls these holds the lock of `line`.

    def _request(self, line: Line, kind: str, content: Mapping[str, Any], *, limit_s: float) -> Mapping[str, Any]:
        reply = self._await(line, {line.send(kind, content)}, limit_s=limit_s)
        if reply is None:
            raise _does_not_answer(limit_s)
        answer: Mapping[str, Any] = reply["content"]
        return answer

    def _await(self, line: Line, sent: Collection[str], *, limit_s: float) -> Mapping[str, Any] | None:
        """Return the first reply to one of the messages sent, or None if there is none within the limit."""
        deadline = time.monotonic() + limit_s
        if self._end is not None:
            raise type(self._end)(*self._end.args)
        while True:
            left_s = deadline - time.monotonic()
            reply = line.receive(limit_s=max(0.0, min(POLL_S, left_s)))
            if reply is None:
                if not self._alive():
                    self._end = KernelDied("the kernel died")
                    raise self._end
                if left_s <= 0:
                    return None
            elif reply["parent_header"].get("msg_id") in sent:
                self._check_same_kernel(reply["header"]["session"])
                return reply

    def _check_same_kernel(self, kernel: str) -> None:
        # A kernel signs its messages with an identity that it draws when its process starts.
        self._kernel = self._kernel or kernel
        if kernel != self._kernel:
            self._end = KernelRestarted("the kernel was restarted, so its state is gone: attach again")
            raise self._end


def _does_not_answer(limit_s: float) -> KernelBusy:
    return KernelBusy(f"the kernel is busy: it did not answer within {limit_s:g} s")


def _is_running_a_cell(limit_s: float) -> KernelBusy:
    return KernelBusy(f"the kernel is busy: its cell was still running after {limit_s:g} s; try again once it ends")


def _execute_content(code: str, *, silent: bool) -> dict[str, Any]:
    return {
        "code": code,
        "silent": silent,
        "store_history": not silent,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }


def _reply_from(text: str, *, elapsed_ms: float) -> Reply:
    reply = wire.loads(text)
    fault = "; ".join([reply.get("fault", ""), *map(str, reply.get("where", ()))])
    return Reply(
        status=reply["status"],
        answer=reply.get("answer", {}),
        reason=reply.get("reason", "") if reply["status"] != "failed" else fault,
        withheld=tuple(reply.get("withheld", ())),
        proof=reply.get("proof", {}),
        cells=reply.get("cells", 0),
        running=reply.get("running", False),
        size=len(text.encode()),
        elapsed_ms=elapsed_ms,
    )


def _execute_reply_from(content: Mapping[str, Any], *, seconds: float) -> ExecuteReply:
    if content["status"] == "ok":
        return ExecuteReply("ok", seconds=seconds)
    traceback = _COLOUR.sub("", "\n".join(content.get("traceback", ())))
    return ExecuteReply(
        "error",
        ename=content.get("ename", ""),
        evalue=content.get("evalue", ""),
        traceback=traceback,
        line=_line_of_cell(traceback, content.get("execution_count", 0)),
        seconds=seconds,
    )


def _line_of_cell(traceback: str, number: int) -> int | None:
    for pattern in _LINE_OF_CELL:
        found = re.search(pattern.format(number=number), traceback, re.MULTILINE)
        if found:
            return int(found.group(1))
    return None
