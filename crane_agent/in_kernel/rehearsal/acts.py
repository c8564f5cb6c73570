"""What a process behind the fence is made to try, and what stands outside as what it is aimed at.

Each act is harmless where nothing stops it: the trial must not do what the fence is there to prevent.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import stat
import struct
import threading
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Tuple

from . import landlock, seccomp
from .system_calls import SystemCallFailed, call

_BEFORE = b"before"
_AFTER = b"after!"
_NOWHERE = "/dev/crane_agent/nowhere"
_OF_THE_MACHINE = "/proc/self/comm"
_TERMINAL_INPUT = 0x5412  # TIOCSTI
_PEEK = 2  # PTRACE_PEEKDATA, which fails on a process that is not traced


class Act(NamedTuple):
    """Something to try.

    Attributes:
        name: It in words, in the past.
        do: Does it; raises OSError if it is not possible.
        heard: What the keeper calls it where seccomp denies it.
        forbidden: Whether somebody else may forbid it first, as containers do.
    """

    name: str
    do: "Callable[[Outside], Any]"
    heard: str = ""
    forbidden: bool = False


class Outside:
    """Files, connections, memory and a process (this one) that nothing behind the fence may change.

    Attributes:
        allowed: A folder that may be changed.
        opened: File descriptor of a file, open for reading and writing, at its beginning.
        near: A connection's end that stays here.
        far: Its other end, for the child.
        listening: A local socket that listens.
        shared: Memory shared with the child.
        mapped: The file `opened`, mapped.
        memory: Memory of this process.
    """

    def __init__(self, folder: str) -> None:
        """Make all of it; `folder` must be empty."""
        self._folder = folder
        self.allowed = os.path.join(folder, "allowed")
        os.mkdir(self.allowed)
        for act in WRITES:
            with open(self.path_of(act.name), "wb") as file:
                file.write(_BEFORE)
        self.opened = os.open(self.path_of("opened before"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.pwrite(self.opened, _BEFORE, 0)
        ends = socket.socketpair()
        self.near: socket.socket = ends[0]
        self.far: socket.socket = ends[1]
        self.near.setblocking(False)
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.setblocking(False)
        self.listening.bind("\0crane_agent-{}".format(os.getpid()))
        self.listening.listen(1)
        self.shared = mmap.mmap(-1, len(_BEFORE))
        self.shared[:] = _BEFORE
        self.mapped = mmap.mmap(self.opened, len(_BEFORE))
        self.memory = ctypes.create_string_buffer(_BEFORE)
        self._signals: List[int] = []
        self._handler = signal.signal(signal.SIGUSR1, lambda number, frame: self._signals.append(number))
        self._files = self.files()

    def __enter__(self) -> "Outside":
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGUSR1, self._handler)
        for each in (self.mapped, self.shared, self.near, self.far, self.listening):
            each.close()
        os.close(self.opened)
        for name in os.listdir(self.allowed):
            os.unlink(os.path.join(self.allowed, name))
        for entry in list(os.scandir(self._folder)):
            (os.rmdir if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)

    def path_of(self, name: str) -> str:
        """Return the path of the file that an act of this name is aimed at."""
        return os.path.join(self._folder, name)

    def files(self) -> Dict[str, Tuple[Any, ...]]:
        """Return what is known of each file, by path."""
        return {entry.path: _state_of(entry) for entry in os.scandir(self._folder) if entry.path != self.allowed}

    def _accept(self) -> None:
        self.listening.accept()[0].close()

    def changes(self, marks: Iterable[str] = ()) -> Iterator[str]:
        """Yield what has happened here, in words.

        Args:
            marks: Paths of files that must not be there; those that are, are deleted.
        """
        if self.files() != self._files or os.pread(self.opened, 99, 0) != _BEFORE:
            yield "files outside were changed"
        if os.lseek(self.opened, 0, os.SEEK_CUR) != 0:
            yield "a file opened before was moved in"
        if self.shared[:] != _BEFORE or self.mapped[:] != _BEFORE or self.memory.raw[: len(_BEFORE)] != _BEFORE:
            yield "memory outside was changed"
        if _has_come(lambda: self.near.recv(1)) or _has_come(self._accept):
            yield "a connection outside was used"
        if self._signals:
            yield "a signal came"
        there = [path for path in marks if os.path.lexists(path)]
        for path in there:
            os.unlink(path)
        if there:
            yield "a file was made in " + os.path.dirname(there[0])


def _has_come(take: Callable[[], Any]) -> bool:
    try:
        take()
    except BlockingIOError:
        return False
    return True


def _state_of(entry: "os.DirEntry[str]") -> Tuple[Any, ...]:
    status = entry.stat(follow_symlinks=False)
    content = b""
    if stat.S_ISREG(status.st_mode):
        with open(entry.path, "rb") as file:
            content = file.read()
    return status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns, content


# -- on files --------------------------------------------------------------------------------------------------------


def _write(path: str) -> None:
    with open(path, "wb") as file:
        file.write(_AFTER)


def _append(path: str) -> None:
    with open(path, "ab") as file:
        file.write(_AFTER)


def _on_file(name: str, do: Callable[[str], Any]) -> Act:
    return Act(name, lambda outside: do(outside.path_of(name)), seccomp.WRITE)


_ALWAYS_IN_LANDLOCK = (
    _on_file("wrote a file anew", _write),
    _on_file("wrote at a file's end", _append),
    _on_file("made a file", lambda path: _write(path + ".new")),
    _on_file("renamed a file", lambda path: os.rename(path, path + ".new")),
    _on_file("deleted a file", os.unlink),
    _on_file("linked a file", lambda path: os.link(path, path + ".new")),
    _on_file("made a symbolic link", lambda path: os.symlink(path, path + ".new")),
    _on_file("made a folder", lambda path: os.mkdir(path + ".new")),
)
_CUT = _on_file("cut a file off", lambda path: os.truncate(path, 1))

WRITES = (
    *_ALWAYS_IN_LANDLOCK,
    _CUT,
    _on_file("changed a file's mode", lambda path: os.chmod(path, 0o400)),
    _on_file("changed a file's times", lambda path: os.utime(path, (1, 1))),
)
"""Acts on files by their path."""


def writes_under_landlock() -> Tuple[Act, ...]:
    """Return those that Landlock stops: mode and times it leaves to others, and cutting off in its first versions."""
    return (*_ALWAYS_IN_LANDLOCK, _CUT) if landlock.version() >= 3 else _ALWAYS_IN_LANDLOCK


def _overwrite_opened(outside: Outside) -> None:
    os.read(outside.opened, 1)
    os.write(outside.opened, _AFTER)


OPENED = Act("wrote to a file opened before", _overwrite_opened, seccomp.OLD)


def _write_memory(outside: Outside) -> None:
    outside.shared[:] = _AFTER


def _write_mapped(outside: Outside) -> None:
    outside.mapped[:] = _AFTER


MEMORY = (Act("wrote to shared memory", _write_memory), Act("wrote to a mapped file", _write_mapped))
"""What is possible, and private."""


# -- beyond files ----------------------------------------------------------------------------------------------------


def _ask(name: str, *arguments: Any) -> None:
    try:
        call(name, *arguments)
    except SystemCallFailed as failed:
        raise OSError(ctypes.get_errno(), str(failed)) from None


def _fork(outside: Outside) -> None:
    if os.fork() == 0:
        os._exit(0)


def _write_into_parent(outside: Outside) -> None:
    with open("/proc/{}/mem".format(os.getppid()), "r+b", buffering=0) as memory:
        memory.seek(ctypes.addressof(outside.memory))
        memory.write(_AFTER)


def _copy_into_parent(outside: Outside) -> None:
    text = ctypes.create_string_buffer(_AFTER)
    vectors = [
        ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(each), len(_AFTER)))
        for each in (text, outside.memory)
    ]
    _ask("process_vm_writev", os.getppid(), vectors[0], 1, vectors[1], 1, 0)


def _connect(outside: Outside) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(outside.listening.getsockname())


IN_PARENT = (
    Act("wrote into another process's memory through its file", _write_into_parent, seccomp.DEVICE),
    Act("wrote into another process's memory", _copy_into_parent, seccomp.OTHERS, True),
)

DENIED = (
    *IN_PARENT,
    Act("signalled another process", lambda outside: os.kill(os.getppid(), signal.SIGUSR1), seccomp.OTHERS, True),
    Act("looked into another process", lambda outside: _ask("ptrace", _PEEK, os.getppid(), 0, 0), seccomp.OTHERS, True),
    Act(
        "asked for another process's limits",
        lambda outside: _ask("prlimit64", os.getppid(), resource.RLIMIT_CORE, None, None),
        seccomp.OTHERS,
        True,
    ),
    Act("forked", _fork, seccomp.PROCESS),
    Act("started a program", lambda outside: os.posix_spawn(_NOWHERE, [_NOWHERE], {}), seccomp.PROCESS),
    Act("became a program", lambda outside: os.execv(_NOWHERE, [_NOWHERE]), seccomp.PROCESS),
    Act("connected to a local socket", _connect, seccomp.NETWORK),
    Act("made a socket", lambda outside: socket.socket().close(), seccomp.NETWORK),
    Act(
        "made local sockets for datagrams",
        lambda outside: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        seccomp.NETWORK,
    ),
    Act("used a connection opened before", lambda outside: outside.far.send(_AFTER), seccomp.OLD),
    Act("shared memory", lambda outside: _ask("shmget", 0, 0, 0), seccomp.SHARED, True),
    Act("left its namespace", lambda outside: _ask("unshare", 0), seccomp.MACHINE, True),
    Act("mounted a file system", lambda outside: _ask("mount", None, None, None, 0, None), seccomp.MACHINE, True),
    Act("typed into a terminal", lambda outside: fcntl.ioctl(0, _TERMINAL_INPUT, b"\n"), seccomp.OLD),
    Act("opened a device", lambda outside: os.close(os.open(_OF_THE_MACHINE, os.O_WRONLY)), seccomp.DEVICE),
)
"""What seccomp denies, and its keeper hears."""


# -- what a cell needs -----------------------------------------------------------------------------------------------


def _run_thread(outside: Outside) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    thread.start()
    thread.join()
    if not done.is_set():
        raise OSError(errno.EAGAIN, "it did not run")


def _talk_to_itself(outside: Outside) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(_AFTER)
        other.recv(len(_AFTER), socket.MSG_WAITALL)
    reading, writing = os.pipe()
    os.write(writing, _AFTER)
    os.read(reading, len(_AFTER))
    os.close(reading)
    os.close(writing)


def _use_devices(outside: Outside) -> None:
    with open(os.devnull, "wb") as nowhere:
        nowhere.write(_AFTER)
    os.close(os.open("/dev/urandom", os.O_RDONLY))


def _read_files(outside: Outside) -> None:
    outside.files()
    os.listdir("/proc/self/task")


HARMLESS = (
    Act("ran a thread", _run_thread),
    Act("talked to itself", _talk_to_itself),
    Act("used harmless devices", _use_devices),
    Act("read files", _read_files),
    Act("signalled itself", lambda outside: os.kill(os.getpid(), 0)),
    Act("took memory", lambda outside: mmap.mmap(-1, 1 << 20).close()),
)
"""What must be possible behind every layer."""

IN_ALLOWED = Act("wrote where it may", lambda outside: _write(os.path.join(outside.allowed, "file")))

TOO_MUCH_MEMORY = Act(
    "took more memory than it may have", lambda outside: mmap.mmap(-1, resource.getrlimit(resource.RLIMIT_AS)[0])
)
