"""Runs before a shadow kernel: three processes, of which the last becomes the kernel, behind the fence.

    outermost   gives itself files and a network of its own; waits for the first process, and ends it when asked to
    first       the first process of a process namespace: Linux ends whatever was started there when it ends; hears of
                denied acts, and writes them into the record
    kernel      goes behind the rest of the fence, and becomes the kernel's command

A shadow kernel is made from nothing, so it may do what a fork may not: start threads and processes, which see only each
other. It runs on this tool's own interpreter until the kernel's command takes its place.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
from types import FrameType
from typing import Any, Dict, List, NamedTuple, Optional

from . import capabilities, landlock, limits, overlay, seccomp
from .system_calls import SET_PDEATHSIG, SystemCallFailed, call, prctl

_NEW_PROCESSES = 0x20000000
_NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1 << 1, 1 << 2, 1 << 3
_LOOK_EVERY_MS = 50

# The network has no way out; ipykernel talks to itself over it.
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
_SET_FLAGS, _UP = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP: netdevice(7)

# Terminals for the programs of a cell; those that can be opened are of a file system of its own.
_TERMINALS = ("/dev/ptmx", "/dev/pts", "/dev/tty")


class Record:
    """What the shadow's keeper tells, as JSON in a file: `acts`, each with its number; `fence`, `ended`."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._told: Dict[str, Any] = {"acts": {}}

    def tell(self, **what: Any) -> None:
        """Write this, beside what was told before."""
        self._told.update(what)
        text = json.dumps(self._told).encode()
        os.pwrite(self._file, text + b"\n", 0)
        os.ftruncate(self._file, len(text) + 1)


class Fence(NamedTuple):
    """What the fence of a shadow kernel depends on.

    Attributes:
        folders: Below them files may be changed.
        seconds: Time that it has [seconds].
        capabilities: Those that the outermost process had at its start.
    """

    folders: List[str]
    seconds: float
    capabilities: int


def main() -> None:
    """Enclose a command and wait for its end.

    The program's arguments: settings as JSON, then the command. `kept`: the folder shared with the world outside, for
    the connection; `record`: a file there, see `Record`; `seconds`: time that it has [seconds]; `parent`: process that
    it is to end with.
    """
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != settings["parent"]:
        return  # It ended before it could be watched.
    record = Record(settings["record"])
    before = capabilities.held()
    try:
        private = overlay.make_private(limits.memory_for_files(), [settings["kept"]], network=False)
        _start_loopback()
        call("unshare", _NEW_PROCESSES)
    except (SystemCallFailed, OSError) as failed:
        record.tell(fence=str(failed))
        raise SystemExit(1) from None
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    first = os.fork()
    if first == 0:
        _be_first(Fence([*private, settings["kept"]], settings["seconds"], before), record, command)
        os._exit(0)

    def end(number: int, frame: Optional[FrameType]) -> None:
        os.kill(first, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)
    # It is gone only when all that it looks after is.
    os.waitpid(first, 0)


def _start_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("=16sh14x", b"lo", _UP))


def _be_first(fence: Fence, record: Record, command: List[str]) -> None:
    """Start the kernel, keep it until its end."""
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    ours, of_kernel = socket.socketpair()
    policy = seccomp.Policy(writes=True, processes=True, families=_FAMILIES, devices=_TERMINALS)
    try:
        hidden = _NO_SUID | _NO_DEVICES | _NO_PROGRAMS
        call("mount", b"proc", b"/proc", b"proc", hidden, None)
        call("mount", b"devpts", b"/dev/pts", b"devpts", _NO_SUID | _NO_PROGRAMS, b"newinstance,ptmxmode=0666,mode=620")
        kernel = os.fork()
        if kernel == 0:
            _become_kernel(fence, policy, of_kernel, command)
    except (SystemCallFailed, OSError, ValueError) as failed:
        record.tell(fence=str(failed))
        os._exit(1)
    of_kernel.close()
    listener, _ = seccomp.take_over(ours)
    if listener is not None:
        _keep(kernel, seccomp.Listener(listener, policy), record)


def _become_kernel(fence: Fence, policy: seccomp.Policy, keeper: socket.socket, command: List[str]) -> None:
    os.setsid()  # The outermost process leads the group; what is sent to that must not hit the kernel.
    limits.give_way()
    limits.apply(fence.seconds)
    capabilities.drop(fence.capabilities)
    landlock.restrict(fence.folders, network=True, devices=_TERMINALS)
    seccomp.hand_over(seccomp.install(policy), keeper)
    # Python ignores these; a kernel started by Jupyter does not find them so.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    # ipykernel ends itself when its parent is another one than at its start, unless that is process 1.
    os.environ["JPY_PARENT_PID"] = "1"
    os.execvp(command[0], command)


def _keep(kernel: int, listener: seccomp.Listener, record: Record) -> None:
    """Answer the fence's questions until the kernel ends; take the end of whatever was left without a parent."""
    poll = select.poll()
    poll.register(listener.descriptor, select.POLLIN)
    while True:
        for _, event in poll.poll(_LOOK_EVERY_MS):
            if event & select.POLLIN:
                known = dict(listener.acts)
                listener.answer()
                if listener.acts != known:
                    record.tell(acts=listener.acts)
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == kernel:
            record.tell(ended=status)
            return


if __name__ == "__main__":
    main()
