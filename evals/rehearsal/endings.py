"""How the rehearsals of a run ended, as tables."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from evals.measures import Judged, judged
from evals.scorer import Rehearsed, Row
from evals.table import SPREAD, Section, happened, short, spread_cells

ENDED_NOTE = (
    "A verdict may take more than one rehearsal: where the fork is refused or cannot decide, the shadow kernel."
)
TOLD_NOTE = "What the rehearsals that ended by themselves told, against what the cell then did; whoever decided."
OPEN_HEADER = ("instance", "way", "ended", "why", "denied", "how far it got", "verdict", "truth")


class Ending(NamedTuple):
    """A rehearsal, and what it was made for."""

    rehearsed: Rehearsed
    each: Judged


def endings(rows: Sequence[Row]) -> list[Section]:
    """Turn rows into tables of their rehearsals; those without a line are left out."""
    told = judged(sorted(rows, key=lambda row: row.key), "on")
    every = [Ending(rehearsed, each) for each in told for rehearsed in each.said.rehearsals]
    parts = [
        Section("How the rehearsals ended", ("way", "ended", "why", "times"), _ended_lines(told, every), ENDED_NOTE),
        Section("Why a shadow kernel had to", ("what the fork said", "times"), _fork_lines(every)),
        Section("What they told", ("way", "told", "n", "right", "right type and line"), _told_lines(every), TOLD_NOTE),
        Section("Time of the rehearsals", ("milliseconds", *SPREAD), _time_lines(every)),
        Section("What a fence denied", ("way", "act", "rehearsals"), _words(every, "denied")),
        Section("What was changed to make it possible", ("way", "change", "rehearsals"), _words(every, "changed")),
        Section("Rehearsals that told nothing", OPEN_HEADER, tuple(_open_lines(every))),
    ]
    return [part for part in parts if part.rows]


def _ended_lines(told: Collection[Judged], every: Iterable[Ending]) -> tuple[tuple[str, ...], ...]:
    kinds = Counter((each.way, each.ended, short(each.why)) for each, _ in every)
    kinds.update(("none", "decided without", "") for each in told if not each.said.rehearsals)
    return tuple((*kind, str(times)) for kind, times in sorted(kinds.items(), key=lambda item: (item[0][:2], -item[1])))


def _fork_lines(every: Iterable[Ending]) -> tuple[tuple[str, ...], ...]:
    said = Counter(short(each.fork) for each, _ in every if each.fork)
    return tuple((words, str(times)) for words, times in said.most_common())


def _told_lines(every: Iterable[Ending]) -> tuple[tuple[str, ...], ...]:
    """Count how often a crash or an end that a rehearsal told is what happened.

    Its line is that of the cell as IPython transformed it, so type and line are judged as the verdict gives them.
    """
    groups: dict[tuple[str, str], list[Judged]] = {}
    for rehearsed, each in every:
        if rehearsed.settled:
            groups.setdefault((rehearsed.way, rehearsed.ended), []).append(each)
    return tuple(
        (
            way,
            ended,
            str(len(own)),
            str(sum((ended == "crash") == each.truth.crash for each in own)),
            str(sum(each.score.diagnosed for each in own)) if ended == "crash" else "",
        )
        for (way, ended), own in sorted(groups.items())
    )


def _time_lines(every: Sequence[Ending]) -> tuple[tuple[str, ...], ...]:
    durations: dict[str, Callable[[Rehearsed], float | None]] = {
        "whole, by a fork": lambda each: each.elapsed_ms if each.way == "fork" else None,
        "whole, by a shadow kernel": lambda each: each.elapsed_ms if each.way == "shadow" else None,
        "main thread blocked by the fork": lambda each: each.pause_ms,
        "replay in the shadow kernel": lambda each: each.replay_ms if each.way == "shadow" else None,
    }
    lines = {name: [of(each) for each, _ in every] for name, of in durations.items()}
    return tuple((name, *spread_cells(values, digits=1)) for name, values in lines.items() if any(values))


def _words(every: Iterable[Ending], field: str) -> tuple[tuple[str, ...], ...]:
    """Count the rehearsals whose answer has each word in a list of it."""
    counts = Counter((each.way, short(word)) for each, _ in every for word in set(each.answer.get(field, ())))
    return tuple((*words, str(times)) for words, times in counts.most_common())


def _open_lines(every: Iterable[Ending]) -> Iterator[tuple[str, ...]]:
    for rehearsed, each in every:
        if not rehearsed.settled:
            yield (
                " ".join(each.row.key),
                rehearsed.way,
                rehearsed.ended,
                short(rehearsed.why),
                short(", ".join(rehearsed.answer.get("denied", ()))),
                short(_how_far(rehearsed)),
                f"{each.said.verdict.outcome} ({each.said.verdict.reached_by})",
                happened(each.truth),
            )


def _how_far(rehearsed: Rehearsed) -> str:
    line, loop = rehearsed.answer.get("line"), rehearsed.answer.get("loop")
    return ", ".join(part for part in (f"line {line}" if line else "", loop or "") if part)
