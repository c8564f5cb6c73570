"""The kernels that run on this machine, found by the connection files that Jupyter keeps of them."""

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq
from jupyter_core.paths import jupyter_runtime_dir

from crane_agent.errors import NoKernel
from crane_agent.session.connection import Connection
from crane_agent.session.line import Audit, Line

ANSWER_LIMIT_S = 1.0
"""Time that all kernels together have to answer [seconds]."""

CONNECT_LIMIT_S = 0.2
"""Time a port on this machine has to take a connection [seconds]."""

_PREFIX = "kernel-"

_NEEDED = {"ip": str, "key": str, "shell_port": int, "control_port": int, "hb_port": int}

ONLY = "only"
"""Stands for the only kernel that answers."""


@dataclass(frozen=True)
class RunningKernel:
    """A kernel that has a connection file; the file may have outlived it.

    Attributes:
        connection_file: Says how to connect to it.
        id: What a Jupyter server calls it.
        last_used: When its file was last written or read, as Jupyter tells the last used kernel [seconds since 1970].
        answers: It is there; a kernel that runs a cell answers, too, unless C code never lets go of the interpreter.
    """

    connection_file: Path
    id: str
    last_used: float
    answers: bool


def running_kernels(*, limit_s: float = ANSWER_LIMIT_S, audit: Audit | None = None) -> tuple[RunningKernel, ...]:
    """Return the kernels of Jupyter's runtime folder, the last used one first.

    Args:
        limit_s: Time that all of them together have to answer [seconds].
        audit: Gets every message that a kernel sends.
    """
    files = {path: _last_used(path) for path in Path(jupyter_runtime_dir()).glob(f"{_PREFIX}*.json")}
    answering = _answering(tuple(files), limit_s=limit_s, audit=audit)
    kernels = (
        RunningKernel(path, path.stem.removeprefix(_PREFIX), last_used, path in answering)
        for path, last_used in files.items()
    )
    return tuple(sorted(kernels, key=lambda kernel: (-kernel.last_used, kernel.id)))


def find_kernel(where: str | None = None, *, audit: Audit | None = None) -> Path:
    """Return the connection file of one kernel.

    Args:
        where: The file itself, or the kernel's id or its unique beginning, or the name of its file; None or `only` for
            the only kernel that answers.
        audit: Gets every message that a kernel sends.

    Raises:
        NoKernel: There is none, or there are several.
    """
    if where is not None and where != ONLY and Path(where).is_file():
        return Path(where).resolve()
    kernels = running_kernels(audit=audit)
    answering = [kernel for kernel in kernels if kernel.answers]
    found: Sequence[RunningKernel] = answering
    if where is None or where == ONLY:
        several, none = "several kernels run", "no kernel runs"
    else:
        # One that does not answer now may be busy: whoever attaches to it finds out.
        found = _called(where, answering) or _called(where, kernels)
        several, none = f"several kernels begin with {where!r}", f"no kernel is called {where!r}"
    if len(found) == 1:
        return found[0].connection_file
    if found:
        raise NoKernel(f"{several}: name one of {_listed(found)}")
    if answering:
        raise NoKernel(f"{none}; these run: {_listed(answering)}")
    raise NoKernel(f"{none}: none on this machine answers")


def _called(name: str, kernels: Sequence[RunningKernel]) -> Sequence[RunningKernel]:
    wanted = Path(name).name.removeprefix(_PREFIX).removesuffix(".json")
    found = [kernel for kernel in kernels if wanted and kernel.id.startswith(wanted)]
    return [kernel for kernel in found if kernel.id == wanted] or found


def read_connection(file: Path) -> Mapping[str, Any]:
    """Return what a connection file says.

    Raises:
        NoKernel: It is none, or cannot be read.
    """
    try:
        connection = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoKernel(f"the connection file {file} cannot be read: {error.strerror}") from None
    except ValueError:
        connection = None
    if not isinstance(connection, dict) or not all(
        isinstance(connection.get(name), kind) for name, kind in _NEEDED.items()
    ):
        raise NoKernel(f"{file} is no connection file of a kernel")
    return connection


def client_of(connection: Mapping[str, Any], context: "zmq.Context[zmq.Socket[bytes]]") -> Connection:
    """Return a client with these connections and an identity of its own; nothing is opened."""
    client = Connection(context=context)
    information: Any = dict(connection)
    client.load_connection_info(information)
    return client


def _listed(kernels: Sequence[RunningKernel]) -> str:
    return ", ".join(f"{kernel.id} (last used {_clock(kernel.last_used)})" for kernel in kernels)


def _clock(moment: float) -> str:
    then = time.localtime(moment)
    is_today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M", then)


def _last_used(path: Path) -> float:
    with suppress(OSError):  # It ended just now.
        status = path.stat()
        return max(status.st_atime, status.st_mtime)
    return 0.0


def _answering(files: Sequence[Path], *, limit_s: float, audit: Audit | None) -> set[Path]:
    """Return the connection files whose kernel answers within the limit [seconds]."""
    ends = time.monotonic() + limit_s
    found: set[Path] = set()
    with _asked(files, audit=audit) as waiting:
        poller = zmq.Poller()
        for line in waiting:
            poller.register(line.socket, zmq.POLLIN)
        while len(found) < len(waiting) and (left_s := ends - time.monotonic()) > 0:
            ready = {ready for ready, _ in poller.poll(int(1000 * left_s))}
            for line, path in waiting.items():
                # A reply that is signed with another key comes from another kernel that now has this port.
                with suppress(ValueError):
                    if line.socket in ready and line.receive(limit_s=0) is not None:
                        found.add(path)
    return found


@contextmanager
def _asked(files: Sequence[Path], *, audit: Audit | None) -> Iterator[Mapping[Line, Path]]:
    """Give the kernels that may be there, each asked for an answer on its control channel."""
    context = zmq.Context()
    lines: dict[Line, Path] = {}
    try:
        for path in files:
            with suppress(NoKernel):
                connection = read_connection(path)
                if _is_refused(connection):
                    continue
                client = client_of(connection, context)
                line = Line(client.connect_control(client.session.bsession), client.session, "kernel control", audit)
                line.send("connect_request", {})
                lines[line] = path
        yield lines
    finally:
        context.destroy(linger=0)


def _is_refused(connection: Mapping[str, Any]) -> bool:
    """Return whether nobody listens at a kernel's port, which is known at once on this machine only."""
    if connection.get("transport", "tcp") != "tcp" or not connection["ip"].startswith("127."):
        return False
    try:
        socket.create_connection((connection["ip"], connection["control_port"]), timeout=CONNECT_LIMIT_S).close()
    except OSError:
        return True
    return False
