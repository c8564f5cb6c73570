"""A session with somebody's running kernel: it answers, runs nothing, and is left as it was."""

import atexit
import math
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from crane_agent.config import Privacy
from crane_agent.errors import KernelDied, KernelError, NoKernel, NotAPythonKernel
from crane_agent.session.channel import Channel
from crane_agent.session.connection import Connection
from crane_agent.session.discovery import client_of, find_kernel, read_connection
from crane_agent.session.line import Audit
from crane_agent.session.opened import OpenedSession
from crane_agent.session.protocol import RanCell

IDLE_LIMIT_S = 10.0
"""Time that a running cell has to end, so that our modules can be installed [seconds]."""

LEASE_S = 300.0
"""Time after which the kernel forgets a client that asks nothing, or was killed [seconds]."""

DEAD_AFTER_S = 3.0
"""Time without a heartbeat after which a kernel counts as dead [seconds]."""

BEAT_EVERY_S = 0.5
"""Time between two heartbeats that a kernel is to send back [seconds]."""


class AttachedSession(OpenedSession):
    """A session with a kernel that belongs to somebody else: `close` leaves it running and removes what is ours.

    A session that is never closed is closed when Python exits; that of a killed program ends with its lease.
    """

    def executed(self) -> tuple[RanCell, ...]:
        """Return the cells that the kernel has run, oldest first; one that runs right now is the last.

        Raises:
            KernelError: The kernel does not tell, or as for `ask`.
        """
        sources: dict[int, str] = {}
        place: dict[str, int] | None = {"start": 1}
        while place is not None:
            page = self._page(place)
            for cell in page["executed"]:
                # A cell that is longer than a page comes in parts.
                sources[cell["number"]] = sources.get(cell["number"], "") + cell["source"]
            place = {"start": page["next"], "offset": page["offset"]} if page["next"] is not None else None
        return tuple(RanCell(number, source) for number, source in sources.items())

    def _page(self, place: Mapping[str, int]) -> Mapping[str, Any]:
        reply = self.ask("executed", place)
        if reply.status != "ok":
            raise KernelError(f"the kernel does not tell which cells it ran: {reply.reason}")
        return reply.answer


def attach(
    where: str | None = None,
    *,
    privacy: Privacy = "schema",
    idle_limit_s: float = IDLE_LIMIT_S,
    lease_s: float = LEASE_S,
    audit: Audit | None = None,
) -> AttachedSession:
    """Attach to a running kernel.

    What stays in it after `close` is `last_execution_result` of its shell. Installing our modules takes one silent,
    empty execution (none where a tool of this version is attached already). As any other it calls what the user
    registered for IPython's event `post_execute` and as input transformers; and as after any request that a frontend
    sends through the shell channel, ipykernel 7 shows what a background thread prints from then on with that request,
    so nowhere, until the next cell runs.

    Args:
        where: Connection file, kernel id or its unique beginning; None or `only` for the only one that runs.
        privacy: How much may leave the kernel in answers.
        idle_limit_s: Time to wait for a running cell to end [seconds].
        lease_s: Time after which the kernel forgets us if we ask nothing [seconds]; asking again is always possible.
        audit: Gets every message that a kernel sends.

    Raises:
        NoKernel: There is no such kernel, there are several, or it is none that can be asked.
        NotAPythonKernel: It runs another language.
        KernelBusy: Its cell was still running at the limit.
    """
    file = find_kernel(where, audit=audit)
    with ExitStack() as cleanup:
        connection = read_connection(file)
        _check_language(connection.get("kernel_name") or "")
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        cleanup.callback(context.destroy, linger=0)
        client = client_of(connection, context)
        channel = Channel(client, alive=Heartbeat(client), privacy=privacy, lease_s=lease_s, audit=audit)
        cleanup.callback(channel.close)
        cleanup.callback(_detach, channel)
        try:
            facts = channel.install(idle_limit_s=idle_limit_s)
        except KernelDied:
            raise NoKernel(f"no kernel answers at {file}") from None
        kept = cleanup.pop_all()
    atexit.register(kept.close)
    kept.callback(atexit.unregister, kept.close)
    return AttachedSession(channel, facts, kept)


class Heartbeat:
    """Says whether a kernel that we did not start is there: its heartbeat comes back even while C code holds it.

    Used by one thread at a time, while it waits for an answer.
    """

    def __init__(self, client: Connection) -> None:
        self._client = client
        self._socket: zmq.Socket[bytes] | None = None
        self._sent = -math.inf
        self._beat = -math.inf
        self._called = -math.inf

    def __call__(self) -> bool:
        """Return False once no heartbeat has come back for `DEAD_AFTER_S` of waiting."""
        now = time.monotonic()
        if now - self._called > 2 * BEAT_EVERY_S:
            self._beat = now  # Nobody has waited for it meanwhile.
        self._called = now
        if self._socket is not None and self._socket.poll(0):
            self._socket.recv_multipart()
            self._beat = now
        if now - self._sent > BEAT_EVERY_S:
            self._send(now)
        return now - self._beat < DEAD_AFTER_S

    def _send(self, now: float) -> None:
        # A new socket each time: a heartbeat that went into a dying kernel is lost, and the socket waits for ever.
        if self._socket is not None:
            self._socket.close(linger=0)
        self._socket = self._client.connect_hb()
        self._socket.send(b"ping")
        self._sent = now


def _detach(channel: Channel) -> None:
    with suppress(KernelError):  # A kernel that does not answer forgets us when the lease ends.
        channel.detach()


def _check_language(kernelspec: str) -> None:
    with suppress(NoSuchKernel):
        language = KernelSpecManager().get_kernel_spec(kernelspec).language
        if language and language.lower() != "python":
            raise NotAPythonKernel(f"the kernel {kernelspec!r} runs {language}; only Python can be checked")
