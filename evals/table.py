"""A run's figures as tables: the same ones in Markdown and on the terminal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from rich.console import Console
from rich.table import Table

from crane_agent.verdict.render import plain
from evals.instance import Truth
from evals.measures import (
    Judged,
    Share,
    beyond_s,
    brier,
    compare,
    count,
    detect,
    detected,
    diagnose,
    judged,
    spread,
)
from evals.scorer import ARMS, Arm, Row, Said

UNITS = ("instances", "right", "wrong", "unknown", "errors", "certain", "certain and wrong", "crash diagnosis right")
INTERVAL = "95 % interval"
SPREAD = ("n", "median", "p95", "max")
GROUP_HEADER = ("", "arm", *UNITS, "accuracy", INTERVAL)
PAIRED_HEADER = ("", "both", "without only", "with only", "neither", "p")
SAID_HEADER = ("instance", "said", "by", "confidence", "truth", "message")
MAX_TEXT = 160  # characters of a message
DETECTION_NOTE = (
    "Positive = the cell crashes; an unknown counts as not detected; errors are left out. Of the crashes found: those "
    "whose real type or line is known. Intervals: 95 % Wilson (F1: that of tp / (tp + fp + fn), carried over)."
)
PAIRED_NOTE = (
    "The same instances in the same kernels, asked about one after the other. Detected: a crash told from a working "
    "cell, an unknown counting as no crash. p: McNemar's exact test, two-sided."
)
BEYOND_NOTE = (
    "Seconds from the call of `predict` to its verdict, less those that the cell itself took to its crash or end when "
    "it was then run. Below 0: the verdict came sooner."
)


@dataclass(frozen=True)
class Section:
    """One table: a title, a header, rows of text, a note below, and last a diff that belongs to it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    diff: str = ""


def sections(rows: Sequence[Row], *, group: str, group_of: Callable[[Row], str]) -> list[Section]:
    """Turn rows into tables; those without a line are left out.

    Args:
        rows: One row an instance, in any order.
        group: What the rows are grouped by, in a word.
        group_of: The group that a row is counted under, e.g. its library.
    """
    ordered = sorted(rows, key=lambda row: row.key)
    told = {arm: each for arm in ARMS if (each := judged(ordered, arm))}
    arms = list(told or ARMS)
    parts = [
        Section("Outcomes", ("", *UNITS), tuple((ARMS[arm], *_counts(ordered, arm)) for arm in arms)),
        Section("Detection", _beside(told), _detection_lines(list(told.values())), DETECTION_NOTE),
        Section("With and without", PAIRED_HEADER, _paired_lines(ordered), PAIRED_NOTE),
        Section("Time to the verdict beyond the cell's own", ("", "", *SPREAD), _beyond_lines(told), BEYOND_NOTE),
        Section("Time", ("milliseconds", "", *SPREAD), _time_lines(told)),
        Section(f"By {group}", GROUP_HEADER, _grouped(ordered, arms, group_of)),
        Section("By version", GROUP_HEADER, _grouped(ordered, arms, lambda row: row.version)),
        Section("Decided by", ("", "by", "verdicts", "right", "certain"), _decided_lines(told)),
        *(part for arm in reversed(arms) for part in _lists(told.get(arm, ()), ARMS[arm])),
        Section("Refused questions", ("", "reason", "times"), _tally(told, lambda said: said.refused)),
        Section("Faults of our own", ("", "fault", "times"), _tally(told, lambda said: said.failed)),
        Section("Left behind", ("instance", "", "what"), _left_lines(told)),
        Section("Truth not as recorded", ("instance", "now", "recorded"), _unlike_lines(ordered)),
        Section("Errors", ("instance", "error"), _error_lines(ordered)),
    ]
    return [part for part in parts if part.rows]


def markdown(title: str, parts: Sequence[Section]) -> str:
    """Render the tables as a Markdown page."""
    blocks = [f"# {title}"]
    for part in parts:
        lines = [part.header, tuple("---" for _ in part.header), *part.rows]
        blocks.append(f"## {part.title}")
        blocks.append("\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines))
        blocks += [part.note] if part.note else []
        blocks += [f"```diff\n{part.diff}\n```"] if part.diff else []
    return "\n\n".join(blocks) + "\n"


def show(title: str, parts: Sequence[Section], console: Console) -> None:
    """Print the tables on a terminal."""
    console.rule(title)
    for part in parts:
        table = Table(title=part.title, caption=part.note or None, title_justify="left")
        for name in part.header:
            table.add_column(name, overflow="fold")
        for row in part.rows:
            table.add_row(*(text.replace("[", r"\[") for text in row))
        console.print(table)
        if part.diff:
            console.print(plain(part.diff), markup=False, highlight=False, soft_wrap=True)


def _counts(rows: Collection[Row], arm: Arm) -> tuple[str, ...]:
    counts = count(rows, arm)
    numbers = (
        counts.instances,
        counts.right,
        counts.wrong,
        counts.unknown,
        counts.errors,
        counts.certain,
        counts.certain_wrong,
    )
    return (*map(str, numbers), f"{counts.diagnosed} of {counts.crashes}")


def _grouped(rows: Sequence[Row], arms: Sequence[Arm], group_of: Callable[[Row], str]) -> tuple[tuple[str, ...], ...]:
    groups = {name: list(members) for name, members in groupby(sorted(rows, key=group_of), group_of)}
    return tuple(
        (name, ARMS[arm], *_counts(members, arm), *_share(detect(judged(members, arm)).accuracy))
        for name, members in groups.items()
        for arm in arms
    )


def _beside(arms: Iterable[Arm]) -> tuple[str, ...]:
    return ("", *(name for arm in arms for name in (ARMS[arm], INTERVAL)))


def _detection_lines(told: Sequence[Collection[Judged]]) -> tuple[tuple[str, ...], ...]:
    detection, diagnosis = [detect(each) for each in told], [diagnose(each) for each in told]
    shares = {
        "accuracy": [each.accuracy for each in detection],
        "precision": [each.precision for each in detection],
        "recall": [each.recall for each in detection],
        "F1": [each.f1 for each in detection],
        "right type, of the crashes found": [each.type for each in diagnosis],
        "right line, of the crashes found": [each.line for each in diagnosis],
        "right type and line, of the crashes found": [each.both for each in diagnosis],
    }
    if not told:
        return ()
    briers = ((_number(brier(each), 3), "") for each in told)
    return (
        *((name, *chain.from_iterable(map(_share, values))) for name, values in shares.items()),
        ("Brier score of the confidence, unknowns left out", *chain.from_iterable(briers)),
    )


def _paired_lines(rows: Collection[Row]) -> tuple[tuple[str, ...], ...]:
    crashed = [row for row in rows if row.answer is not None and row.answer.truth.crash]
    compared = {
        "detected": compare(rows, "off", "on", detected),
        "crash found, with the right type and line": compare(crashed, "off", "on", lambda each: each.score.diagnosed),
    }
    return tuple((name, *map(str, pairs[:-1]), f"{pairs.p:.2g}") for name, pairs in compared.items() if sum(pairs[:-1]))


def _beyond_lines(told: Mapping[Arm, Sequence[Judged]]) -> tuple[tuple[str, ...], ...]:
    lines = []
    for version in sorted({each.row.version for each in chain(*told.values())}):
        for arm, every in told.items():
            values = [beyond_s(each) for each in every if each.row.version == version]
            lines.append((version, ARMS[arm], *spread_cells(values, digits=2)))
    return tuple(lines)


def _time_lines(told: Mapping[Arm, Sequence[Judged]]) -> tuple[tuple[str, ...], ...]:
    durations: dict[str, Callable[[Said], float | None]] = {
        "predict": lambda said: said.predict_ms,
        "check": lambda said: said.check_ms,
    }
    return tuple(
        (name, ARMS[arm], *spread_cells([duration(each.said) for each in every], digits=1))
        for name, duration in durations.items()
        for arm, every in told.items()
    )


def _decided_lines(told: Mapping[Arm, Sequence[Judged]]) -> tuple[tuple[str, ...], ...]:
    lines = []
    for arm, every in told.items():
        for name in sorted({each.said.verdict.reached_by for each in every}):
            own = [each.score for each in every if each.said.verdict.reached_by == name]
            right, certain = sum(score.result == "right" for score in own), sum(score.certain for score in own)
            lines.append((ARMS[arm], name, str(len(own)), str(right), str(certain)))
    return tuple(lines)


def _lists(told: Sequence[Judged], words: str) -> list[Section]:
    wanted: dict[str, Callable[[Judged], bool]] = {
        "Certain and wrong": lambda each: each.score.certain_wrong,
        "Wrong": lambda each: each.score.result == "wrong",
        "Unknown": lambda each: each.score.result == "unknown",
        "Crash found, but not its type or line": lambda each: (
            each.found and each.truth.crash and not each.score.diagnosed
        ),
    }
    return [
        Section(f"{name}, {words}", SAID_HEADER, tuple(_said_line(each) for each in told if is_wanted(each)))
        for name, is_wanted in wanted.items()
    ]


def _said_line(each: Judged) -> tuple[str, ...]:
    verdict = each.said.verdict
    claim = verdict.exception
    said = f"{claim.type} in line {claim.line}: {claim.message}" if claim else verdict.outcome
    return (
        " ".join(each.row.key),
        short(said),
        verdict.reached_by,
        f"{verdict.confidence:.2f}",
        happened(each.truth),
        short(each.truth.evalue or ""),
    )


def happened(truth: Truth) -> str:
    """Say what really happened: the exception and its line, or the status."""
    return f"{truth.ename} in line {truth.line}" if truth.crash and truth.ename else truth.status


def _tally(
    told: Mapping[Arm, Sequence[Judged]], counted: Callable[[Said], Mapping[str, int]]
) -> tuple[tuple[str, ...], ...]:
    lines: list[tuple[str, ...]] = []
    for arm, every in told.items():
        total: Counter[str] = Counter()
        for each in every:
            total.update(counted(each.said))
        lines += ((ARMS[arm], short(text), str(times)) for text, times in total.most_common())
    return tuple(lines)


def _left_lines(told: Mapping[Arm, Sequence[Judged]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (" ".join(each.row.key), ARMS[arm], short(trace))
        for arm, every in told.items()
        for each in every
        for trace in each.said.left
    )


def _unlike_lines(rows: Iterable[Row]) -> tuple[tuple[str, ...], ...]:
    """List the instances whose outcome or exception type is not the recorded one."""
    pairs = [(row, row.answer.truth, row.recorded) for row in rows if row.answer is not None and row.recorded]
    return tuple(
        (" ".join(row.key), happened(now), happened(recorded))
        for row, now, recorded in pairs
        if (now.status, now.ename) != (recorded.status, recorded.ename)
    )


def _error_lines(rows: Collection[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple((" ".join(row.key), short(row.error)) for row in rows if row.error is not None)


def _share(value: Share) -> tuple[str, str]:
    if value.value is None:
        return "n/a", ""
    return _number(value.value, 3), f"{value.low:.3f} to {value.high:.3f}"


def spread_cells(values: Iterable[float | None], *, digits: int) -> tuple[str, ...]:
    """Return how many durations are known, and their median, 95th percentile and largest."""
    known = [value for value in values if value is not None]
    return str(len(known)), *(_number(part, digits) for part in spread(known))


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _cell(text: str) -> str:
    """Return text that fits one Markdown cell: one line, no bar of its own."""
    return " ".join(text.split()).replace("|", r"\|")


def short(text: str) -> str:
    """Return text as one line of at most `MAX_TEXT` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
