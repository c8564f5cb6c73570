"""Landlock: below which folders files may be changed; a second wall behind seccomp and the overlay.

It also keeps the process from looking into others (`ptrace`, `/proc/PID/mem`) and, on newer Linux, from signalling
them. Source: Linux, `Documentation/userspace-api/landlock.rst`, `include/uapi/linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Iterable

from .system_calls import SET_NO_NEW_PRIVS, SystemCallFailed, call, prctl

_READS = (1 << 0) | (1 << 2) | (1 << 3)  # EXECUTE, READ_FILE, READ_DIR: not restricted
_ON_FILES = (1 << 1) | (1 << 14)  # WRITE_FILE, TRUNCATE
# Number of kinds of access that each version of Landlock knows; ioctl on devices (15) comes with the fifth.
_KINDS = (13, 14, 15, 15, 16)
_CONNECTIONS = (1 << 0) | (1 << 1)  # BIND_TCP, CONNECT_TCP, from version 4
_SCOPES = (1 << 0) | (1 << 1)  # abstract sockets, signals; from version 6
_VERSION = 1
_PATH_BENEATH = 1

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def version() -> int:
    """Return the version of Landlock here, from 1.

    Raises:
        SystemCallFailed: There is none.
    """
    return call("landlock_create_ruleset", None, 0, _VERSION)


def restrict(folders: Iterable[str], *, network: bool = False, devices: Iterable[str] = ()) -> None:
    """Let this thread, and all that it starts, change files below these folders only, for good.

    Args:
        folders: Paths of folders.
        network: Whether TCP connections may be made.
        devices: Paths of further devices that may be used, or of folders with devices.

    Raises:
        SystemCallFailed: Linux refused.
    """
    here = version()
    handled = ((1 << _KINDS[min(here, len(_KINDS)) - 1]) - 1) & ~_READS
    connections = _CONNECTIONS if here >= 4 and not network else 0
    attributes = struct.pack("=QQQ", handled, connections, _SCOPES if here >= 6 else 0)
    # Older versions refuse more than they know, if it is not zero.
    rules = call("landlock_create_ruleset", ctypes.create_string_buffer(attributes, 24), 24, 0)
    try:
        for folder in folders:
            _allow(rules, folder, handled)
        for device in (*_DEVICES, *devices):
            if os.path.exists(device):
                _allow(rules, device, handled & (_ON_FILES | (1 << 15)))
        prctl(SET_NO_NEW_PRIVS, 1)
        call("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise SystemCallFailed("landlock: {}: {}".format(path, os.strerror(error.errno or 0))) from None
    try:
        rule = struct.pack("=Qi", access, place)
        call("landlock_add_rule", rules, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(place)
