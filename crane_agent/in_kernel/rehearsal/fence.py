"""The fence around the copy: what the operating system forbids it, layer by layer, in the order that works.

overlay       files written are private; without it nothing can be written
open files    what was open is opened anew, or dead
memory        what was shared with other processes is private
limits        memory, processor time
capabilities  root keeps what is about files, others nothing
landlock      files outside the private folders cannot be changed, other processes not looked into
seccomp       no processes, no network, no other process, no change of the machine; the keeper hears of each try
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from typing import Any, Collection, NamedTuple, Tuple

from . import capabilities, landlock, limits, mappings, open_files, overlay, seccomp
from .system_calls import SystemCallFailed

OVERLAY = "overlay"
LANDLOCK = "landlock"
SECCOMP = "seccomp"
FORK = "fork"
NEEDED = (FORK, LANDLOCK, SECCOMP)
"""Layers without which nothing is rehearsed."""


class Enclosed(NamedTuple):
    """A process behind the fence.

    Attributes:
        listener: File descriptor for its keeper, on which denied acts are heard.
        private: The folders below which writes are private; without any, all writes are denied.
        changed: What is otherwise than in the process that it was forked from, in words.
    """

    listener: int
    private: Tuple[str, ...]
    changed: Tuple[str, ...] = ()


def enclose(layers: Collection[str], kept: Collection[int], seconds: float) -> Enclosed:
    """Put this process behind the fence, for good; it has one thread.

    Args:
        layers: Those that hold here.
        kept: File descriptors that stay open.
        seconds: Time that it has [seconds].

    Raises:
        SystemCallFailed: A layer could not be put up; says which.
    """
    is_private = OVERLAY in layers
    _settle_name_service()
    before = capabilities.held()
    private: Any = overlay.make_private(limits.memory_for_files()) if is_private else ()
    dead = open_files.detach(kept, writable=is_private)
    changed = []
    if open_files.are_locked_by(os.getppid()):
        changed.append("a file that the kernel has locked is not locked in a copy")
    if mappings.make_private():
        changed.append("a file that is mapped into memory was mapped privately")
    try:
        limits.apply(seconds)
    except (OSError, ValueError) as error:
        raise SystemCallFailed("limits: {}".format(error)) from None
    capabilities.drop(before)
    landlock.restrict(private)
    listener = seccomp.install(seccomp.Policy(writes=is_private, connections=tuple(dead)))
    return Enclosed(listener, tuple(private), tuple(changed))


def _settle_name_service() -> None:
    """Ask for a user and a group once: where no nscd answers, glibc then does not try to connect to it for a while.

    Else a question for the user's name, as `torch.optim.Adam` asks it, were taken for a network connection. Source:
    glibc, `nscd/nscd_getpw_r.c`.
    """
    for ask in (pwd.getpwuid, grp.getgrgid):
        with contextlib.suppress(KeyError):
            ask(0)
