"""Private files: a mount namespace in which every writable folder is the lower layer of an overlay.

What is written, renamed or deleted there is in memory and seen by this process only; all else is read-only: devices,
what lies in the root folder itself, single files that are mounted, and folders that Linux lays no overlay on.
Sources: Linux, `Documentation/filesystems/overlayfs.rst`; the man pages `mount_namespaces(7)`, `user_namespaces(7)`,
`mount_setattr(2)`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from typing import Iterable, List, NamedTuple

from . import capabilities
from .system_calls import SystemCallFailed, call

_NEW_MOUNTS, _NEW_USERS, _NEW_IPC, _NEW_NETWORK = 0x00020000, 0x10000000, 0x08000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_NO_SUID, _NO_DEVICES = 1 << 1, 1 << 2
_AT_WORKING_FOLDER, _WITH_ALL_BELOW, _READ_ONLY = -100, 0x8000, 1
_DETACHED = 2
_CAP_SYS_ADMIN = 21

# What a process sees of itself, of devices and of the kernel is no folder with files.
_NOT_FILES = ("/proc", "/sys", "/dev")
_SHARED_MEMORY = "/dev/shm"
_NAMESPACE = "/proc/self/ns/mnt"


class _Mount(NamedTuple):
    """A mounted file system, or a folder directly below the root.

    Attributes:
        place: Its path.
        writable: Whether files on it can be written.
    """

    place: str
    writable: bool


def make_private(most_bytes: int, kept: Iterable[str] = (), *, network: bool = True) -> List[str]:
    """Give this process files of its own; it must have one thread.

    Args:
        most_bytes: Memory that what is written may take [bytes].
        kept: Folders that stay as they are, shared with the world outside.
        network: Whether the machine's network interfaces stay.

    Returns:
        The folders below which writes are private.

    Raises:
        SystemCallFailed: Linux refused.
    """
    before = os.readlink(_NAMESPACE)
    _unshare(0 if network else _NEW_NETWORK)
    if os.readlink(_NAMESPACE) == before:
        raise SystemCallFailed("unshare: it had no effect")  # All that follows would happen outside.
    call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    mounts = _mounts()
    held = [(mount, os.open(mount.place, os.O_PATH | os.O_CLOEXEC)) for mount in mounts]
    modes = [_mode_for_us(mount.place) for mount in mounts]  # read-only, nothing may be written
    stayed = [(folder, os.open(folder, os.O_PATH | os.O_CLOEXEC)) for folder in kept]
    # What the overlays keep is mounted where one of them may hide it.
    stage = next((mount.place for mount in mounts if mount.writable and os.path.isdir(mount.place)), "")
    if not stage:
        raise SystemCallFailed("overlay: no folder here can be written")
    _set("/", _READ_ONLY, 0)
    options = "size={},mode=700".format(most_bytes).encode()
    call("mount", b"crane_agent", stage.encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, options)
    root = os.open(stage, os.O_PATH | os.O_CLOEXEC)
    private = []
    for number, (mount, folder) in enumerate(held):
        if mount.writable and os.path.isdir(_held(folder)) and _is_covered(mount.place, folder, root, modes[number]):
            private.append(mount.place)
        elif any(mount.place.startswith(above + "/") for above in private):
            _bind(folder, mount.place)
    for place, folder in stayed:
        _bind(folder, place)
        _set(place, 0, _READ_ONLY)
    for _, folder in (*held, *stayed):
        os.close(folder)
    os.close(root)
    if not private:
        raise SystemCallFailed("overlay: Linux lays none on any folder here")
    if stage not in private:
        call("umount2", stage.encode(), _DETACHED)
    _come_back()
    return private


def _unshare(more: int) -> None:
    if capabilities.held() >> _CAP_SYS_ADMIN & 1:
        call("unshare", _NEW_MOUNTS | _NEW_IPC | more)
        return
    user, group = os.getuid(), os.getgid()
    call("unshare", _NEW_USERS | _NEW_MOUNTS | _NEW_IPC | more)
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", "{} {} 1".format(user, user)),
            ("gid_map", "{} {} 1".format(group, group)),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
    except OSError as error:
        raise SystemCallFailed("user namespace: " + os.strerror(error.errno or 0)) from None


def _mounts() -> List[_Mount]:
    """Return what is mounted and the folders directly below the root, those above before those below."""
    found = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            mount = _mount_of(line)
            found[mount.place] = mount
    root = found.pop("/", _Mount("/", False))
    for entry in os.scandir("/"):
        if entry.is_dir(follow_symlinks=False):
            found.setdefault(entry.path, _Mount(entry.path, root.writable))
    wanted = [mount for mount in found.values() if _is_wanted(mount.place)]
    return sorted(wanted, key=lambda mount: mount.place.count("/"))


def _mount_of(line: str) -> _Mount:
    """Return the mount that a line of `/proc/self/mountinfo` tells of; proc(5) has its fields."""
    fields = line.split()
    behind = fields.index("-")
    options, of_system = fields[5].split(","), fields[behind + 3].split(",")
    place = fields[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
    return _Mount(place, "rw" in options and "rw" in of_system)


def _is_wanted(place: str) -> bool:
    if place == _SHARED_MEMORY:
        return True
    return not any(place == above or place.startswith(above + "/") for above in _NOT_FILES) and os.path.exists(place)


def _set(place: str, attributes: int, cleared: int) -> None:
    """Set and clear attributes of what is mounted at a place and below it."""
    both = ctypes.create_string_buffer(struct.pack("=4Q", attributes, cleared, 0, 0), 32)
    call("mount_setattr", _AT_WORKING_FOLDER, os.fsencode(place), _WITH_ALL_BELOW, both, 32)


def _mode_for_us(place: str) -> int:
    """Return a folder's mode, with what this process may do there as its owner's rights."""
    allowed = sum(right for right in (os.R_OK, os.W_OK, os.X_OK) if os.access(place, right))
    return os.stat(place).st_mode & 0o7077 | allowed << 6


def _is_covered(place: str, folder: int, root: int, mode_for_us: int) -> bool:
    """Mount an overlay on a folder, with the folder itself as its lower layer; False if Linux does not do it there.

    In a user namespace it does not where other file systems are mounted below.
    """
    upper, work = ("{}/{}{}".format(_held(root), kind, folder) for kind in "uw")
    status = os.stat(_held(folder))
    os.mkdir(upper)
    os.mkdir(work)
    with contextlib.suppress(OSError):  # In a user namespace there is no other owner.
        os.chown(upper, status.st_uid, status.st_gid)
    os.chmod(upper, mode_for_us)
    layers = "lowerdir={},upperdir={},workdir={}".format(_held(folder), upper, work)
    for options in (layers + ",userxattr", layers):
        try:
            call("mount", b"overlay", os.fsencode(place), b"overlay", _NO_SUID, options.encode())
            return True
        except SystemCallFailed:
            continue
    return False


def _bind(folder: int, place: str) -> None:
    call("mount", os.fsencode(_held(folder)), os.fsencode(place), None, _BIND | _RECURSIVE, None)


def _held(folder: int) -> str:
    return "/proc/self/fd/{}".format(folder)


def _come_back() -> None:
    """Enter the working folder anew: it is below the overlay that was mounted over it."""
    try:
        here = os.getcwd()
        os.chdir(here)
    except OSError:
        pass  # It was deleted, and stays so.
