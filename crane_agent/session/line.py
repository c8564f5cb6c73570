"""One socket to a kernel: messages out, messages in, every byte that comes in shown to the audit."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import zmq
from jupyter_client.session import Session

Audit = Callable[[str, bytes], None]
"""Called with a source, `kernel shell` or `kernel control`, and one message as it came off the wire: its frames, each
on a line of its own, which are delimiter, signature, header, parent header, metadata, content and what may follow."""


class Line:
    """A connected socket; whoever uses it holds `lock`."""

    def __init__(self, socket: "zmq.Socket[bytes]", session: Session, source: str, audit: Audit | None) -> None:
        """Take a socket over.

        Args:
            socket: Connected to the kernel.
            session: Signs what is sent and checks what comes in.
            source: What the audit calls it.
            audit: Gets every message that comes in, before it is looked at.
        """
        self.lock = threading.Lock()
        self.socket = socket
        self._session = session
        self._source = source
        self._audit = audit

    def send(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a message; return its id, which the reply names."""
        message = self._session.msg(kind, dict(content))
        self._session.send(self.socket, message)
        return str(message["header"]["msg_id"])

    def receive(self, *, limit_s: float) -> Mapping[str, Any] | None:
        """Return the next message, or None if there is none within the limit [seconds].

        Raises:
            ValueError: It is not signed with the kernel's key.
        """
        if not self.socket.poll(int(1000 * limit_s)):
            return None
        frames = self.socket.recv_multipart()
        if self._audit is not None:
            self._audit(self._source, b"\n".join(frames))
        _, parts = self._session.feed_identities(frames)
        message: Mapping[str, Any] = self._session.deserialize(parts)
        return message

    def close(self) -> None:
        """Close the socket; what was not sent yet is dropped."""
        self.socket.close(linger=0)
