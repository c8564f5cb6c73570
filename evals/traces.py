"""What a prediction must leave as it is: the files of the kernel's folder, and no process of its own."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ENDS_WITHIN_S = 2.0
"""Time in which a process that was started for a prediction may end after it [seconds]."""


class Surroundings(NamedTuple):
    """What is around a kernel.

    Attributes:
        files: Size [bytes] and time of the last change [ns] of each file in its folder, by path.
        processes: Ids of the processes with its IPYTHONDIR.
    """

    files: Mapping[str, tuple[int, int]]
    processes: frozenset[int]


def surroundings(work: Path, profile: Path) -> Surroundings:
    """Return what is around the kernel that runs in `work` and has `profile` as its IPYTHONDIR."""
    return Surroundings(dict(_files(work)), frozenset(processes_of(profile)))


def left_behind(before: Surroundings, work: Path, profile: Path) -> tuple[str, ...]:
    """Return what is not as it was before, in words; processes are waited for, at most `ENDS_WITHIN_S`."""
    ends = time.monotonic() + ENDS_WITHIN_S
    while (now := surroundings(work, profile)).processes - before.processes and time.monotonic() < ends:
        time.sleep(0.02)
    paths = sorted({*before.files, *now.files})
    changed = [path for path in paths if before.files.get(path) != now.files.get(path)]
    started = sorted(now.processes - before.processes)
    gone = sorted(before.processes - now.processes)
    return (
        *(f"a file is not as it was: {path}" for path in changed),
        *(f"a process was started: {_command(pid)}" for pid in started),
        *("a process was ended" for _ in gone),
    )


def processes_of(profile: Path) -> Iterator[int]:
    """Yield the ids of the processes whose IPYTHONDIR is `profile` (on Linux; elsewhere none can be told)."""
    mark = f"IPYTHONDIR={profile}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environment.read_bytes().split(b"\0"):
                yield int(environment.parent.name)
        except OSError:  # it ended, or belongs to somebody else
            continue


def end_processes_of(profile: Path, limit_s: float = 10) -> None:
    """End the processes whose IPYTHONDIR is `profile`, and wait until they are gone, for at most `limit_s` seconds."""
    ends = time.monotonic() + limit_s
    while (left := list(processes_of(profile))) and time.monotonic() < ends:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # removed in between
            status = path.lstat()
            yield str(path.relative_to(folder)), (status.st_size, status.st_mtime_ns)


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return "it has ended since"
