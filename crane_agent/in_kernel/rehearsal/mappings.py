"""Memory that is shared with other processes: in the copy it becomes private, with what it holds."""

from __future__ import annotations

import ctypes
import os
from typing import Iterator, List, NamedTuple

from .system_calls import SystemCallFailed, call

_READ, _WRITE = 1, 2
_SHARED, _PRIVATE, _FIXED, _ANONYMOUS = 0x01, 0x02, 0x10, 0x20
_MAY_MOVE, _MOVE_THERE = 1, 2
_PART = 1 << 28
"""Memory copied at a time [bytes]."""

_GRAPHICS = ("/dev/nvidia", "/dev/dri", "/dev/kfd")


class Mapping(NamedTuple):
    """A part of a process's memory, as `/proc/PID/maps` tells.

    Attributes:
        start: First address.
        length: Its size [bytes].
        access: As ``rw-s``.
        offset: Place in the file [bytes].
        path: The file; empty if there is none.
    """

    start: int
    length: int
    access: str
    offset: int
    path: str


def mappings() -> Iterator[Mapping]:
    """Yield what is mapped into this process."""
    with open("/proc/self/maps") as file:
        lines = file.readlines()
    for line in lines:
        addresses, access, offset, _, _, *path = line.rstrip("\n").split(None, 5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        yield Mapping(start, end - start, access, int(offset, 16), path[0] if path else "")


def shared_memory() -> List[Mapping]:
    """Return what is mapped so that writing to it is seen by others."""
    return [each for each in mappings() if each.access[1] == "w" and each.access[3] == "s"]


def is_of_a_device(mapping: Mapping) -> bool:
    """Whether this is memory of a graphics card or the like, which cannot be copied."""
    return mapping.path.startswith(_GRAPHICS)


def make_private() -> List[str]:
    """Replace shared memory by private memory with the same content, at the same addresses.

    Returns:
        The files whose content what is written there no longer is.

    Raises:
        SystemCallFailed: Linux refused.
    """
    found = shared_memory()
    for mapping in found:
        if mapping.access[0] != "r" or is_of_a_device(mapping):
            raise SystemCallFailed("shared memory of {} cannot be made private".format(mapping.path or "a device"))
        if not _replace_by_file(mapping):
            _replace_by_copy(mapping)
    return [each.path for each in found if os.path.isfile(each.path)]


def _replace_by_file(mapping: Mapping) -> bool:
    """Map the file again, privately, which copies only what is written; False if it cannot be opened."""
    try:
        file = os.open(mapping.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(file).st_size < mapping.offset + mapping.length - 4096:
            return False
        where = ctypes.c_void_p(mapping.start)
        call("mmap", where, mapping.length, _READ | _WRITE, _PRIVATE | _FIXED, file, mapping.offset)
        return True
    except SystemCallFailed:
        return False
    finally:
        os.close(file)


def _replace_by_copy(mapping: Mapping) -> None:
    copy = call("mmap", None, mapping.length, _READ | _WRITE, _PRIVATE | _ANONYMOUS, -1, 0)
    for start in range(0, mapping.length, _PART):
        ctypes.memmove(copy + start, mapping.start + start, min(_PART, mapping.length - start))
    place = ctypes.c_void_p(mapping.start)
    call("mremap", ctypes.c_void_p(copy), mapping.length, mapping.length, _MAY_MOVE | _MOVE_THERE, place)
