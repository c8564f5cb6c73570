"""Whether many rehearsals leave anything behind: `python -m evals.rehearsal.soak`.

One kernel runs cells of its user's, and before each of them another cell is rehearsed in it, in turns one of `ACTS`.
Exits with status 1 if something is left behind, the kernel hangs or is changed, or a rehearsal tells what is not so.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
from rich.console import Console

from crane_agent.errors import CraneAgentError
from crane_agent.session.launched import LaunchedSession, launch
from evals.command import publish
from evals.measures import spread
from evals.provenance import command_line, commit, provenance
from evals.scorer import Rehearsed, rehearsed_of
from evals.table import Section, short
from evals.traces import ENDS_WITHIN_S, processes_of

REHEARSALS = 500
EVERY = 50
"""Rehearsals between two looks at the kernel."""

CELL_LIMIT_S = 60.0
MEMORY_GOAL_MB = 10.0
"""Growth of the kernel's resident memory between the first look and the last that is still flat [MB]."""
TIMES = ("pause p50", "pause p95", "pause max", "whole p50")
NOTE = (
    f"Looked at every {EVERY} rehearsals, a cell of the user's after each. Processes: below the kernel, once they had "
    f"{ENDS_WITHIN_S:g} s to end. Memory: resident, in MB. Pause: the kernel's main thread blocked by the fork; whole: "
    "from the request to the reply; both in milliseconds. Nothing may be more at the last look than at the first, and "
    f"memory by at most {MEMORY_GOAL_MB:g} MB."
)


class Act(NamedTuple):
    """A cell to rehearse.

    Attributes:
        name: What it does.
        cell: Its source.
        ends: How its rehearsal may end.
        exception: Class name and line of the exception, where it ends in a crash.
        seconds: Time it may run [seconds].
    """

    name: str
    cell: str
    ends: tuple[str, ...] = ("finished",)
    exception: tuple[str, int] | None = None
    seconds: float = 10.0


ACTS = (
    Act("crashes", "cells_run = -1\nprices['c']", ("crash",), ("KeyError", 2)),
    Act("finishes", "cells_run = -1\ntable = table.assign(b=table.a * 2)\nrandom.random()"),
    Act("never ends", "while True:\n    cells_run += 1", ("unknown",), seconds=0.3),
    Act("prints", "for number in range(1000):\n    print(number, flush=True)\ntable"),
    Act("plots", "fig, ax = plt.subplots()\nax.plot(table.a)\nplt.show()"),
    Act("fits with n_jobs=-1", "RandomForestClassifier(10, n_jobs=-1).fit(table[['a']], table.a > 50)"),
    Act("leaves the process", "os._exit(3)", ("unknown",)),
    Act("writes files", "with open('left.txt', 'w') as file:\n    file.write('x')", ("finished", "unknown")),
    Act("connects", "import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=1)", ("unknown",)),
    Act("crashes in a function", "cells_run = -1\nshare(table, 0)", ("crash",), ("ZeroDivisionError", 2)),
)

START = """
import os, random
import matplotlib.pyplot as plt, numpy as np, pandas as pd
from sklearn.ensemble import RandomForestClassifier
def share(table, whole):
    return int(table.a.sum()) / whole
prices, cells_run = {'a': 1, 'b': 2}, 0
table = pd.DataFrame({'a': range(100)})
"""
USER_CELLS = (
    "table.a.mean()",
    "square = np.ones((400, 400)) @ np.ones((400, 400))",
    "plt.plot(table.a); plt.close('all')",
    "forest = RandomForestClassifier(5, n_jobs=2).fit(table[['a']], table.a > 50)",
    "print(random.random())",
)
CHECKED = """
cells_run += 1
assert (cells_run, prices, list(table)) == ({number}, {{'a': 1, 'b': 2}}, ['a']) and sorted(os.listdir()) == []
"""


@dataclass(frozen=True)
class Look:
    """What a kernel holds after some rehearsals, and what those since the last look took.

    Attributes:
        after: Rehearsals so far.
        processes: Processes below the kernel, once they had time to end.
        files: Its open files.
        threads: Its threads.
        temporary: Entries of its folder for temporary files.
        memory_mb: Its resident memory [MB].
        pauses_ms: Times that a fork blocked its main thread [milliseconds].
        wholes_ms: Times from the request to the reply [milliseconds].
    """

    after: int
    processes: int
    files: int
    threads: int
    temporary: int
    memory_mb: float
    pauses_ms: Sequence[float]
    wholes_ms: Sequence[float]


@dataclass
class Result:
    """What was seen.

    Attributes:
        looks: The looks at the kernel.
        endings: How often each act's rehearsal ended how: (act, way, ended, why).
        wrong: What was told and is not so, or should never happen, in words.
    """

    looks: list[Look] = field(default_factory=list)
    endings: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return what was wrong and what was left behind, in words."""
        found = list(self.wrong)
        if not self.looks:
            return found
        first, last = self.looks[0], self.looks[-1]
        found += [f"{look.processes} processes left after {look.after}" for look in self.looks if look.processes]
        for name in ("files", "threads", "temporary"):
            before, now = getattr(first, name), getattr(last, name)
            if now > before:
                found.append(f"{name}: {now} after {last.after}, {before} after {first.after}")
        if last.memory_mb > first.memory_mb + MEMORY_GOAL_MB:
            found.append(f"memory: {last.memory_mb:.0f} MB after {last.after}, {first.memory_mb:.0f} MB at first")
        return found


class Soaked:
    """A kernel in which cells are rehearsed between its user's."""

    def __init__(self, session: LaunchedSession, home: Path) -> None:
        self._session = session
        self._home = home
        self._process = psutil.Process(session.facts.pid)
        self._since: list[Rehearsed] = []
        self._number = 0
        self.result = Result()

    def rehearse(self, act: Act) -> None:
        """Rehearse a cell, and note how that ended."""
        began = time.perf_counter()
        rehearsal = self._session.rehearse(act.cell, seconds=act.seconds)
        rehearsed = rehearsed_of(rehearsal, elapsed_ms=1000 * (time.perf_counter() - began))
        self._since.append(rehearsed)
        self.result.endings[act.name, rehearsed.way, rehearsed.ended, short(rehearsed.why)] += 1
        if problem := problem_of(act, rehearsed):
            self.result.wrong.append(problem)

    def run(self, cell: str) -> None:
        """Run a cell of the user's; no rehearsal may have changed what it needs.

        Raises:
            CraneAgentError: It did not end.
        """
        self._number += 1
        reply = self._session.run(CHECKED.format(number=self._number) + cell, limit_s=CELL_LIMIT_S)
        if reply.status == "error":
            self.result.wrong.append(f"cell {self._number} of the user's raised {reply.ename}: {reply.evalue}")
        elif reply.status != "ok":
            raise CraneAgentError(f"cell {self._number} of the user's: {reply.status}")

    def look(self, after: int) -> Look:
        """Look at the kernel."""
        look = Look(
            after,
            processes=self._processes_left(),
            files=self._process.num_fds(),
            threads=self._process.num_threads(),
            temporary=sum(1 for _ in (self._home / "tmp").iterdir()),
            memory_mb=self._process.memory_info().rss / 1e6,
            pauses_ms=[each.pause_ms for each in self._since if each.pause_ms is not None],
            wholes_ms=[each.elapsed_ms for each in self._since],
        )
        self._since.clear()
        self.result.looks.append(look)
        return look

    def _processes_left(self) -> int:
        ends = time.monotonic() + ENDS_WITHIN_S
        while (left := self._processes()) and time.monotonic() < ends:
            time.sleep(0.02)
        return len(left)

    def _processes(self) -> set[int]:
        """Return the ids of those below the kernel, zombies included, and of those that have left it."""
        below = {child.pid for child in self._process.children(recursive=True)}
        return (below | set(processes_of(self._home / "profile"))) - {self._process.pid}


def soak(python: str, rehearsals: int, seen: Callable[[Look], None]) -> Result:
    """Rehearse in one kernel, again and again.

    Args:
        python: Interpreter of the kernel.
        rehearsals: How often.
        seen: Called with each look at the kernel.
    """
    with tempfile.TemporaryDirectory(prefix="soak_", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        for name in ("work", "profile", "tmp"):
            (home / name).mkdir()
        environment = {"IPYTHONDIR": str(home / "profile"), "TMPDIR": str(home / "tmp")}
        with launch(folder=home / "work", in_place=True, python=python, env=environment) as session:
            started = session.run(START, limit_s=CELL_LIMIT_S)
            if started.status != "ok":
                raise RuntimeError(f"the kernel has not what is needed: {started.evalue}")
            soaked = Soaked(session, home)
            turns = zip(cycle(ACTS), cycle(USER_CELLS), strict=False)
            try:
                for number, (act, cell) in enumerate(islice(turns, rehearsals), start=1):
                    soaked.rehearse(act)
                    soaked.run(cell)
                    if number % EVERY == 0 or number == rehearsals:
                        seen(soaked.look(number))
            except CraneAgentError as error:
                soaked.result.wrong.append(f"ended after {number} rehearsals, at {act.name!r}: {error}")
            return soaked.result


def problem_of(act: Act, rehearsed: Rehearsed) -> str:
    """Return what is wrong about how an act's rehearsal ended, or ''."""
    found = rehearsed.answer.get("exception") or {}
    is_expected = rehearsed.ended in act.ends
    if rehearsed.ended == "crash" and act.exception is not None:
        is_expected = is_expected and (found.get("type"), found.get("line")) == act.exception
    if is_expected:
        return ""
    what = f"{found.get('type')} in line {found.get('line')}" if found else rehearsed.why
    return f"{act.name}: {rehearsed.way} {rehearsed.ended}: {short(what)}"


def sections(result: Result, made_with: Mapping[str, str]) -> list[Section]:
    """Turn what was seen into tables."""
    header = ("after", "processes", "open files", "threads", "temporary files", "memory", *TIMES)
    endings = tuple((*kind, str(times)) for kind, times in sorted(result.endings.items()))
    problems = Counter(result.problems())
    return [
        Section("The kernel", header, tuple(map(_look_line, result.looks)), NOTE),
        Section("How the rehearsals ended", ("the cell", "way", "ended", "why", "times"), endings),
        Section(
            "Problems",
            ("what", "times"),
            tuple((what, str(times)) for what, times in problems.items()) or (("none", ""),),
        ),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]


def _look_line(look: Look) -> tuple[str, ...]:
    counts = (look.after, look.processes, look.files, look.threads, look.temporary)
    times = (*spread(look.pauses_ms), spread(look.wholes_ms).median)
    return (
        *map(str, counts),
        f"{look.memory_mb:.1f}",
        *("n/a" if value is None else f"{value:.1f}" for value in times),
    )


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.rehearsal.soak", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernel; default: this one")
    parser.add_argument("--rehearsals", type=int, default=REHEARSALS, help=f"how many; default: {REHEARSALS}")
    parser.add_argument("--table", type=Path, help="Markdown file for the tables")
    options = parser.parse_args()
    console = Console(stderr=True)
    result = soak(options.python, options.rehearsals, lambda look: console.print(" ".join(_look_line(look))))
    made_with = provenance(
        command_line("evals.rehearsal.soak", sys.argv[1:], {options.python: "KERNEL_PYTHON"}),
        options.python,
        truth="what each cell is known to do",
        n=result.endings.total(),
        commits=[commit()],
    )
    parts = sections(result, made_with)
    publish("Many rehearsals in one kernel", parts, options.table)
    return int(bool(result.problems()) or result.endings.total() < options.rehearsals)


if __name__ == "__main__":
    sys.exit(main())
