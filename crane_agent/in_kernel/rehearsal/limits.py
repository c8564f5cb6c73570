"""What the copy may use: memory, processor time, threads; and it is the first to go when memory runs out."""

from __future__ import annotations

import os
from typing import Any, Optional

_SHARE = 0.8
"""Share of the free memory that the copy may take."""

_SHARE_OF_FILES = 0.25
"""Share of the free memory that written files may take."""

_MOST_THREADS = 4096
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


def memory_for_files() -> int:
    """Return the memory that files may take which are written behind the fence [bytes]."""
    return int(_SHARE_OF_FILES * _free_memory())


def _free_memory() -> int:
    """Return the memory that is free for this process [bytes]."""
    with open("/proc/meminfo") as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    for most, used in zip(_GROUPS, _USED):
        limit, now = _number_in(most), _number_in(used)
        if limit is not None and now is not None:
            free = min(free, max(0, limit - now))
    return free


def _number_in(path: str) -> Optional[int]:
    try:
        with open(path) as file:
            text = file.read().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # ``max``: no limit


def apply(seconds: float) -> None:
    """Limit this process.

    Args:
        seconds: Time that it has [seconds]; it is killed from outside, this is the net below.
    """
    import resource  # in the copy only: the kernel need not have it

    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _limit(resource, resource.RLIMIT_AS, size + int(_SHARE * _free_memory()))
    _limit(resource, resource.RLIMIT_CPU, int((seconds + 5) * (os.cpu_count() or 1)) + 1)
    _limit(resource, resource.RLIMIT_NPROC, _MOST_THREADS)
    _limit(resource, resource.RLIMIT_CORE, 0)


def _limit(resource: Any, kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def give_way() -> None:
    """Make this process the first that Linux ends when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # Some containers do not have it; the limits hold without.
