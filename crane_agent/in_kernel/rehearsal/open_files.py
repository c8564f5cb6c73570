"""What the copy has open: files become private, connections dead.

A fork shares the position of each open file, and each socket and pipe, with the kernel it was made from.
"""

from __future__ import annotations

import fcntl
import os
import stat
from typing import Collection, List

_MOST_COPIED = 256 * 1024 * 1024
"""Size up to which a file without a name is copied [bytes]."""

_DELETED = " (deleted)"
_HARMLESS_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_KEPT_FLAGS = os.O_APPEND | os.O_NONBLOCK
_STANDARD = (0, 1, 2)


def detach(kept: Collection[int], *, writable: bool) -> List[int]:
    """Cut every open file off from the process that this one was forked from.

    Args:
        kept: File descriptors that stay as they are.
        writable: Whether files opened by their path are private, so that they may be opened for writing again.

    Returns:
        The file descriptors that nothing may be done with: connections, and files that cannot be opened again.
    """
    dead = []
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in _open_descriptors():
        if descriptor in kept or descriptor == nowhere:
            continue
        if not _is_reopened(descriptor, writable):
            os.dup2(nowhere, descriptor, inheritable=False)
            dead.append(descriptor)
    os.close(nowhere)
    return dead


def are_locked_by(process: int) -> bool:
    """Whether a process holds a lock on a file; a fork of it does not. proc(5) has the fields of `/proc/locks`."""
    with open("/proc/locks") as file:
        return any(str(process) in line.split()[4:5] for line in file)


def silence() -> None:
    """Send what is printed past Python, to the standard file descriptors, nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in _STANDARD:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _open_descriptors() -> List[int]:
    found = [int(name) for name in os.listdir("/proc/self/fd")]
    return [descriptor for descriptor in found if _is_open(descriptor)]  # the listing's own is gone


def _is_open(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _is_reopened(descriptor: int, writable: bool) -> bool:
    try:
        kind = os.fstat(descriptor).st_mode
        path = os.readlink("/proc/self/fd/{}".format(descriptor))
        if stat.S_ISCHR(kind):
            return path in _HARMLESS_DEVICES
        if stat.S_ISDIR(kind):
            _replace(descriptor, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            return True
        return stat.S_ISREG(kind) and _is_private(descriptor, path, writable)
    except OSError:
        return False


def _is_private(descriptor: int, path: str, writable: bool) -> bool:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    reads_only = flags & os.O_ACCMODE == os.O_RDONLY
    if path.endswith(_DELETED) or not os.path.exists(path):
        return _is_copied(descriptor)
    if not writable and not reads_only:
        return False
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    again = os.open(path, flags & (os.O_ACCMODE | _KEPT_FLAGS) | os.O_CLOEXEC)
    if os.fstat(again).st_size != os.fstat(descriptor).st_size:  # another file has its name now
        os.close(again)
        return _is_copied(descriptor)
    os.lseek(again, position, os.SEEK_SET)
    _replace(descriptor, again)
    return True


def _is_copied(descriptor: int) -> bool:
    """Replace a file that has no name by a copy in memory; False if it is too large."""
    size = os.fstat(descriptor).st_size
    if size > _MOST_COPIED:
        return False
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    copy = os.memfd_create("crane_agent")
    done = 0
    while done < size:
        part = os.pread(descriptor, 1 << 20, done)
        if not part:
            break
        os.write(copy, part)
        done += len(part)
    os.lseek(copy, position, os.SEEK_SET)
    _replace(descriptor, copy)
    return True


def _replace(descriptor: int, other: int) -> None:
    os.dup2(other, descriptor, inheritable=os.get_inheritable(descriptor))
    os.close(other)
