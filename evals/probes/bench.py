"""How long a question to the kernel takes: `python -m evals.probes.bench`.

Every probe is asked through a real kernel and its channel, about values of ordinary size and about large ones, beside
a `ping`, the smallest round trip there is. Exits with status 1 if a goal is missed.
"""

import platform
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits
from evals.probes.questions import KERNEL_PROBES, OF_THE_WORLD, Question, all_questions
from evals.probes.values import LARGE, OPTIONAL, ORDINARY, START
from evals.provenance import command_line, commit, provenance
from evals.table import Section, markdown, show

ORDINARY_GOAL_MS = 5.0
LARGE_GOAL_MS = 50.0
BYTES_GOAL = Limits().bytes
NAMES = (10, 1_000, 100_000)
FLAT_GOAL = 2.0
"""How many times as long a question about one value may take with the most names as with the fewest."""

BIND_LIMIT_S = 120.0
LIMITS = Limits(seconds=20.0)


@dataclass
class Timing:
    """What one question about one value cost.

    Attributes:
        value: Name of the value.
        question: What was asked.
        milliseconds: Round trips, in order.
        size: Largest reply [bytes].
        status: How it was answered.
    """

    value: str
    question: Question
    status: str
    milliseconds: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def median(self) -> float:
        """The median round trip [milliseconds]."""
        return statistics.median(self.milliseconds)


class Bench:
    """A kernel to ask, and what the questions cost."""

    def __init__(self, session: LaunchedSession) -> None:
        self._session = session
        self.pings: list[float] = []
        self.run(START)

    def run(self, code: str) -> None:
        """Run a cell that must not fail."""
        reply = self._session.run(code, limit_s=BIND_LIMIT_S)
        if reply.status != "ok":
            raise RuntimeError(f"{code[:60]!r}: {reply.status} {reply.evalue}")

    def bind(self, code: str) -> None:
        """Bind a value to ``it``, the last one let go."""
        if not self.can_bind(code):
            raise RuntimeError(f"{code[:60]!r}: its library is missing")

    def can_bind(self, code: str) -> bool:
        """Bind a value to ``it`` and return True, unless its library is not there."""
        self.run("import gc; it = _ = None; gc.collect()")
        reply = self._session.run(code, limit_s=BIND_LIMIT_S)
        if reply.status != "ok" and reply.ename not in ("ImportError", "ModuleNotFoundError"):
            raise RuntimeError(f"{code[:60]!r}: {reply.status} {reply.evalue}")
        return reply.status == "ok"

    def measure(self, value: str, questions: Sequence[Question], rounds: int) -> list[Timing]:
        """Ask each question `rounds` times, in turns, so that a busy moment of the machine hits all of them.

        A refused question is asked once: it is in no figure but the count of the refused.
        """
        timings = [
            Timing(value, question, self._session.ask(*question, limits=LIMITS).status) for question in questions
        ]
        for _ in range(rounds):
            self.pings.append(self._time("ping", {})[0])
            for timing in _answered(timings):
                took, size = self._time(*timing.question)
                timing.milliseconds.append(took)
                timing.size = max(timing.size, size)
        return timings

    def _time(self, probe: str, arguments: Mapping[str, object]) -> tuple[float, int]:
        began = time.perf_counter()
        reply = self._session.ask(probe, arguments, limits=LIMITS)
        return 1000 * (time.perf_counter() - began), reply.size


def bench(python: str, *, ordinary_rounds: int, large_rounds: int, only: Iterable[str] = ()) -> "Figures":
    """Measure everything.

    Args:
        python: Interpreter of the kernel.
        ordinary_rounds: Times that a question about a value of ordinary size is asked.
        large_rounds: The same for a large one.
        only: Probes to measure; all if empty.
    """
    wanted = set(only) or set(KERNEL_PROBES)
    questions = [question for question in all_questions() if question.probe in wanted]
    about_values = [question for question in questions if question.probe not in OF_THE_WORLD]
    with tempfile.TemporaryDirectory() as folder, launch(folder=Path(folder), in_place=True, python=python) as session:
        bench = Bench(session)
        ordinary: list[Timing] = []
        large: list[Timing] = []
        for place, (name, code) in enumerate(ORDINARY.items()):
            bench.bind(code)
            # What is asked of the world is the same whatever the value is.
            ordinary += bench.measure(name, about_values if place else questions, ordinary_rounds)
        for name, code in OPTIONAL.items():
            if bench.can_bind(code):
                ordinary += bench.measure(name, about_values, ordinary_rounds)
        for name, code in LARGE.items():
            bench.bind(code)
            large += bench.measure(name, about_values, large_rounds)
        by_names = dict(_with_names(bench, _answered(ordinary)))
        return Figures(ordinary, large, by_names, bench.pings)


def _with_names(bench: Bench, asked: Sequence[Timing]) -> Iterator[tuple[int, list[Timing]]]:
    """Yield the cost of each probe's first answered question, with more and more names in the namespace."""
    first: dict[str, Timing] = {}
    for timing in asked:
        if "path" in timing.question.arguments and timing.question.probe not in OF_THE_WORLD:
            first.setdefault(timing.question.probe, timing)
    by_value: dict[str, list[Question]] = defaultdict(list)
    for timing in first.values():
        by_value[timing.value].append(timing.question)
    for count in NAMES:
        bench.run(f"globals().update({{f'name_{{i}}': i for i in range({count})}})")
        timings = []
        for value, questions in by_value.items():
            bench.bind({**ORDINARY, **OPTIONAL}[value])
            timings += bench.measure(value, questions, 20)
        yield count, timings


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        ordinary: Values of ordinary size.
        large: Large values.
        by_names: One question of each probe, by the number of names in the namespace.
        pings: Round trips of `ping` in between [milliseconds].
    """

    ordinary: Sequence[Timing]
    large: Sequence[Timing]
    by_names: Mapping[int, Sequence[Timing]]
    pings: Sequence[float]

    def missed(self) -> list[str]:
        """Return which goals are missed, in words."""
        found = []
        for timings, goal in ((self.ordinary, ORDINARY_GOAL_MS), (self.large, LARGE_GOAL_MS)):
            for timing in timings:
                if timing.milliseconds and timing.median > goal:
                    found.append(f"{_said(timing)}: median {timing.median:.1f} ms, over {goal:g}")
                if timing.size > BYTES_GOAL:
                    found.append(f"{_said(timing)}: {timing.size} bytes")
                if timing.status == "failed":
                    found.append(f"{_said(timing)}: a fault of our own")
        for probe, medians in self.medians_by_names().items():
            # Under a millisecond apart is noise, whatever the ratio.
            if medians[-1] > FLAT_GOAL * medians[0] and medians[-1] - medians[0] > 1.0:
                found.append(f"{probe}: {medians[-1]:.1f} ms with {NAMES[-1]} names, {medians[0]:.1f} with {NAMES[0]}")
        unanswered = set(KERNEL_PROBES) - {timing.question.probe for timing in _answered(self.ordinary)}
        return [*found, *(f"{probe}: no question about a value of ordinary size was answered" for probe in unanswered)]

    def medians_by_names(self) -> dict[str, list[float]]:
        """Return the medians of each probe [milliseconds], in the order of `NAMES`."""
        found: dict[str, list[float]] = defaultdict(list)
        for timings in self.by_names.values():
            for timing in _answered(timings):
                found[timing.question.probe].append(timing.median)
        return {probe: medians for probe, medians in found.items() if len(medians) == len(NAMES)}


def sections(figures: Figures, made_with: Mapping[str, str]) -> list[Section]:
    """Turn the figures into tables."""
    ping = statistics.median(figures.pings)
    header = (
        "probe",
        "questions",
        "n",
        "p50",
        "p95",
        "max",
        "slowest question's p50",
        "p50 / ping",
        "bytes",
        "refused",
    )
    note = (
        f"Milliseconds from the request to the reply, through the kernel's channel. `ping`: p50 {ping:.2f} ms, "
        f"p95 {_p95(figures.pings):.2f} ms, n = {len(figures.pings)}. Questions: those that were answered; each was "
        "asked in turns with the others. Refused questions are only counted."
    )
    names = [
        (probe, *(f"{median:.2f}" for median in medians), f"{medians[-1] / medians[0]:.2f}")
        for probe, medians in figures.medians_by_names().items()
    ]
    missed = figures.missed()
    goals = (
        f"Median of any question at most {ORDINARY_GOAL_MS:g} ms on values of ordinary size, {LARGE_GOAL_MS:g} ms on "
        f"large ones; replies of at most {BYTES_GOAL} bytes; flat in the number of names."
    )
    return [
        Section("Values of ordinary size", header, _lines(figures.ordinary, ping), note),
        Section("Large values", header, _lines(figures.large, ping), f"Values: {', '.join(LARGE)}."),
        Section(
            "Number of names in the namespace",
            ("p50 in milliseconds", *map(str, NAMES), "last / first"),
            tuple(names),
            "One answered question of each probe about one value.",
        ),
        Section("Goals", ("missed",), tuple((each,) for each in missed) or (("none",),), goals),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]


def _lines(timings: Sequence[Timing], ping: float) -> tuple[tuple[str, ...], ...]:
    lines = []
    for probe in KERNEL_PROBES:
        own = [timing for timing in timings if timing.question.probe == probe]
        asked = [timing for timing in own if timing.milliseconds]
        refused = str(sum(timing.status == "refused" for timing in own))
        if not own:
            continue
        if not asked:
            lines.append((probe, "0", *["n/a"] * 7, refused))
            continue
        every = [each for timing in asked for each in timing.milliseconds]
        middle = statistics.median(every)
        slowest = max(timing.median for timing in asked)
        figures = (middle, _p95(every), max(every), slowest, middle / ping)
        size = str(max(timing.size for timing in asked))
        lines.append((probe, str(len(asked)), str(len(every)), *(f"{each:.2f}" for each in figures), size, refused))
    return tuple(lines)


def _answered(timings: Sequence[Timing]) -> list[Timing]:
    return [timing for timing in timings if timing.status == "ok"]


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _said(timing: Timing) -> str:
    given = ", ".join(f"{name}={value!r}"[:40] for name, value in timing.question.arguments.items())
    return f"{timing.question.probe}({given}) about the {timing.value}"


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.probes.bench", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernel")
    parser.add_argument("--rounds", type=int, default=20, help="times a question is asked; half of it for large values")
    parser.add_argument("--probe", action="append", default=[], metavar="NAME", help="only this probe (repeatable)")
    parser.add_argument("--table", type=Path, help="Markdown file for the tables")
    options = parser.parse_args()
    large_rounds = max(3, options.rounds // 2)
    figures = bench(options.python, ordinary_rounds=options.rounds, large_rounds=large_rounds, only=options.probe)
    given = {options.python: "KERNEL_PYTHON"}
    made_with = provenance(
        command_line("evals.probes.bench", sys.argv[1:], given),
        options.python,
        truth="measured",
        n=sum(len(each.milliseconds) for each in (*figures.ordinary, *figures.large)),
        commits=[commit()],
    )
    made_with["machine"] += f", {platform.processor() or 'processor not known'}"
    parts = sections(figures, made_with)
    show("Probes", parts, Console(width=None if sys.stdout.isatty() else 160))
    if options.table:
        options.table.write_text(markdown("What the probes cost", parts), encoding="utf-8")
    return int(bool(figures.missed()))


if __name__ == "__main__":
    sys.exit(main())
