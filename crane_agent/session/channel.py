"""Talking to one kernel: cells run through the shell channel, questions through the control channel.

A question is answered while a cell runs, because nothing of ours goes through the shell channel but one bootstrap
request (`Channel.install`), and the kernel's other channels (output, input, heartbeat) are never opened.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty
from typing import Any, Literal

from jupyter_client.blocking.client import BlockingKernelClient

from crane_agent.errors import KernelBusy, KernelDied, NoKernel
from crane_agent.in_kernel import wire
from crane_agent.session import inject
from crane_agent.session.protocol import Limits, Privacy, Reply

GRACE_S = 2.0
"""Time an answer may take beyond the limit of its question [seconds]; the kernel ends it sooner if it can."""

INSTALL_LIMIT_S = 20.0
"""Time the kernel may take to load our modules [seconds]."""

POLL_S = 0.1
"""Time between two looks whether the kernel is alive [seconds]."""

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
        control_thread: Whether it can answer while a cell runs; if not, every question is refused.
        clients: Tools that installed themselves in it, this one included.
    """

    python: tuple[int, int, int]
    ipykernel: str
    ipython: str
    execution_count: int
    cwd: str
    pid: int
    control_thread: bool
    clients: int


class Channel:
    """A connection to one kernel; may be used from several threads."""

    def __init__(self, client: BlockingKernelClient, *, alive: Callable[[], bool], privacy: Privacy = "schema") -> None:
        """Connect; nothing is sent.

        Args:
            client: Has the kernel's ports; belongs to this channel from now on.
            alive: Says whether the kernel's process exists; True where that cannot be known.
            privacy: How much may leave the kernel in answers.
        """
        self._client = client
        self._privacy = privacy
        self._alive = alive
        self._shell = client.shell_channel
        self._control = client.control_channel
        self._shell_lock = threading.Lock()
        self._control_lock = threading.Lock()

    def ping(self, *, limit_s: float) -> None:
        """Wait until the kernel answers, which it does while a cell runs, too.

        Raises:
            KernelDied: The process ended before it answered.
            KernelBusy: No answer by the limit.
        """
        # Never kernel_info_request: its banner draws a random tip, which moves the user's `random` state.
        with self._control_lock:
            self._request(self._control, "connect_request", {}, limit_s=limit_s)

    def install(self, sources: Mapping[str, str] | None = None, *, limit_s: float = INSTALL_LIMIT_S) -> KernelFacts:
        """Make the kernel able to answer questions. Only for an idle kernel: it waits for a running cell to end.

        Args:
            sources: Text of the modules to install; by default those of `crane_agent.in_kernel`.
            limit_s: Time this may take [seconds].

        Raises:
            NoKernel: Our modules do not run there, e.g. because it is no ipykernel.
            KernelDied: The kernel is gone.
            KernelBusy: Not done by the limit.
        """
        expression = inject.bootstrap(inject.package_sources() if sources is None else sources)
        content = _execute_content("", silent=True) | {"user_expressions": {"crane_agent": expression}}
        with self._shell_lock:
            reply = self._request(self._shell, "execute_request", content, limit_s=limit_s)
        result = reply.get("user_expressions", {}).get("crane_agent", {})
        outcome = result.get("data", {}).get("text/plain") or result.get("evalue") or str(reply.get("evalue"))
        if "ready" not in outcome:
            raise NoKernel(f"this kernel cannot be asked questions: {outcome}")
        return self.facts()

    def facts(self) -> KernelFacts:
        """Return what the kernel says about itself; after `install` only.

        Raises:
            KernelDied: The kernel is gone.
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
            control_thread=answer["control_thread"],
            clients=answer["clients"],
        )

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel; after `install` only.

        Raises:
            KernelDied: The kernel is gone.
            KernelBusy: No answer by the deadline, `limits.seconds` plus `GRACE_S`.
        """
        limits = limits or Limits()
        request = {
            "ask": question,
            "arguments": dict(arguments),
            "limits": {"seconds": limits.seconds, "items": limits.items, "bytes": limits.bytes},
            "privacy": self._privacy,
        }
        started = time.monotonic()
        with self._control_lock:
            content = self._request(
                self._control, wire.REQUEST_TYPE, {"text": wire.dumps(request)}, limit_s=limits.seconds + GRACE_S
            )
        return _reply_from(content["text"], elapsed_ms=1000 * (time.monotonic() - started))

    def detach(self) -> None:
        """Take back `install`; the last tool that does removes everything from the kernel.

        Raises:
            KernelDied: The kernel is gone.
            KernelBusy: No answer by the deadline.
        """
        self.ask("detach", {})

    def execute(self, code: str, *, limit_s: float) -> ExecuteReply:
        """Run a cell for real, with a number and a place in the history, and wait for its end.

        Args:
            code: The cell, magics included; it cannot ask for input.
            limit_s: Time it may take [seconds]; it is not interrupted then.
        """
        started = time.monotonic()
        with self._shell_lock:
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
        self._shell.stop()
        self._control.stop()

    def _request(self, channel: Any, kind: str, content: dict[str, Any], *, limit_s: float) -> dict[str, Any]:
        message = self._client.session.msg(kind, content)
        channel.send(message)
        deadline = time.monotonic() + limit_s
        while True:
            left_s = deadline - time.monotonic()
            try:
                reply = channel.get_msg(timeout=max(0.0, min(POLL_S, left_s)))
            except Empty:
                self._check_alive()
                if left_s <= 0:
                    raise KernelBusy(f"the kernel is busy: it did not answer within {limit_s:g} s") from None
                continue
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                answer: dict[str, Any] = reply["content"]
                return answer

    def _check_alive(self) -> None:
        if not self._alive():
            raise KernelDied("the kernel died")


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
