"""Private files: a mount namespace in which every writable folder is the lower layer of an overlay.

What is written, renamed or deleted there is in memory and seen by this process only; all else reads as it was.
Sources: Linux, `Documentation/filesystems/overlayfs.rst`; the man pages `mount_namespaces(7)`, `user_namespaces(7)`.
"""

from __future__ import annotations

import os
from typing import Iterable, List, NamedTuple

from .system_calls import SystemCallFailed, call

_NEW_MOUNTS, _NEW_USERS, _NEW_IPC, _NEW_NETWORK = 0x00020000, 0x10000000, 0x08000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_NO_SUID, _NO_DEVICES = 1 << 1, 1 << 2
_CAP_SYS_ADMIN = 21

# What a process sees of itself, of devices and of the kernel is no folder with files.
_NOT_FILES = ("/proc", "/sys", "/dev")
_SHARED_MEMORY = "/dev/shm"


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
    _unshare(0 if network else _NEW_NETWORK)
    call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    mounts = _mounts()
    held = [(mount, os.open(mount.place, os.O_PATH | os.O_CLOEXEC)) for mount in mounts]
    stayed = [(folder, os.open(folder, os.O_PATH | os.O_CLOEXEC)) for folder in kept]
    # What the overlays keep is mounted where one of them will hide it.
    stage = next((mount.place for mount in mounts if mount.writable and os.path.isdir(mount.place)), "")
    if not stage:
        raise SystemCallFailed("overlay: no folder here can be written")
    options = "size={},mode=700".format(most_bytes).encode()
    call("mount", b"crane_agent", stage.encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, options)
    root = os.open(stage, os.O_PATH | os.O_CLOEXEC)
    private = []
    for number, (mount, folder) in enumerate(held):
        if mount.writable and os.path.isdir(_held(folder)):
            _cover(mount.place, folder, root, number)
            private.append(mount.place)
        elif any(mount.place.startswith(above + "/") for above in private):
            _bind(folder, mount.place)
    for place, folder in stayed:
        _bind(folder, place)
    for _, folder in (*held, *stayed):
        os.close(folder)
    os.close(root)
    _come_back()
    return private


def _unshare(more: int) -> None:
    if _may_mount():
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


def _may_mount() -> bool:
    with open("/proc/self/status") as file:
        held = next((line for line in file if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(held.split()[1], 16) >> _CAP_SYS_ADMIN & 1)


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


def _cover(place: str, folder: int, root: int, number: int) -> None:
    """Mount an overlay on a folder, with the folder itself as its lower layer."""
    upper, work = "{}/u{}".format(_held(root), number), "{}/w{}".format(_held(root), number)
    status = os.stat(_held(folder))
    os.mkdir(upper)
    os.mkdir(work)
    os.chown(upper, status.st_uid, status.st_gid)
    os.chmod(upper, status.st_mode & 0o7777)
    layers = "lowerdir={},upperdir={},workdir={}".format(_held(folder), upper, work)
    for options in (layers + ",userxattr", layers):
        try:
            call("mount", b"overlay", os.fsencode(place), b"overlay", _NO_SUID, options.encode())
            return
        except SystemCallFailed as failed:
            error = failed
    raise SystemCallFailed("{} on {}".format(error, place))


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
