"""Whether the copy waits for something that will never come: threads that a fork does not have."""

from __future__ import annotations

import os
import time
from typing import Collection, List, Tuple

from .system_calls import architecture

AFTER_S = 1.0
"""Time without any work after which it counts as stuck, if all its threads wait without end [seconds]."""

AFTER_SLEEP_S = 2.0
"""The same if its main thread does and others sleep, as those of some thread pools do between looks [seconds]."""

_EVERY_S = 0.2
_TIMEOUT = 4  # place of futex's timeout among the number and the arguments of the call


class Stuck:
    """Watches a process from outside.

    Source: Linux, `Documentation/filesystems/proc.rst`, `/proc/PID/syscall` and `stat`; futex(2).
    """

    def __init__(self, pid: int, tasks: Collection[str]) -> None:
        self._folder = "/proc/{}/task".format(pid)
        self._main = str(pid)
        self._helpers = frozenset(tasks) - {self._main}
        machine = architecture()
        self._futex = str(machine.numbers["futex"]) if machine is not None else ""
        self._seen: Tuple[List[str], int] = ([], -1)
        self._since = self._looked = time.monotonic()

    def look(self) -> bool:
        """Return whether nothing happens there but that its main thread waits, without end, for another one."""
        now = time.monotonic()
        if now - self._looked < _EVERY_S:
            return False
        self._looked = now
        try:
            tasks = sorted(set(os.listdir(self._folder)) - self._helpers)
            seen = (tasks, sum(self._work_of(task) for task in tasks))
            if seen != self._seen or not self._waits_for_ever(self._main):
                self._seen, self._since = seen, now
            after = AFTER_S if all(self._waits_for_ever(task) for task in tasks) else AFTER_SLEEP_S
        except (OSError, ValueError, IndexError):
            self._since = now  # It has just ended, or may not be looked into.
            return False
        return now - self._since >= after

    def _work_of(self, task: str) -> int:
        """Return the processor time that a task has used [ticks]."""
        with open("{}/{}/stat".format(self._folder, task)) as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def _waits_for_ever(self, task: str) -> bool:
        with open("{}/{}/syscall".format(self._folder, task)) as file:
            fields = file.read().split()
        return fields[0] == self._futex and int(fields[_TIMEOUT], 16) == 0
