"""A run's figures as tables: the same ones in Markdown and on the terminal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.table import Table

from evals.measures import Counts, Share, Spread, answers, brier, count, detect, spread
from evals.scorer import Answer, Row

UNITS = ("instances", "right", "wrong", "unknown", "errors", "certain", "certain and wrong", "crash diagnosis right")
WRONG_HEADER = ("instance", "said", "by", "confidence", "truth", "message")
MAX_TEXT = 160  # characters of a message
DETECTION_NOTE = (
    "Positive = the cell crashes; an unknown counts as not detected; errors are left out. Intervals: 95 % Wilson "
    "(F1: that of tp / (tp + fp + fn), carried over). A diagnosis is right if type and, where known, line are."
)


@dataclass(frozen=True)
class Section:
    """One table: a title, a header, rows of text, and a note below."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def sections(
    rows: Sequence[Row], *, group: str, group_of: Callable[[Row], str], provenance: Mapping[str, str]
) -> list[Section]:
    """Turn rows into tables.

    Args:
        rows: One row an instance, in any order.
        group: What the rows are grouped by, in a word.
        group_of: The group that a row is counted under, e.g. its library.
        provenance: What the figures were made with: command and versions, by name.
    """
    ordered = sorted(rows, key=lambda row: row.key)
    parts = [
        Section("Outcomes", ("", *UNITS), (("all", *_counts(ordered)),)),
        Section("Detection", ("", "value", "95 % interval"), _detection_lines(ordered), DETECTION_NOTE),
        Section("Time", ("milliseconds", "median", "p95", "max"), _time_lines(ordered)),
        Section(f"By {group}", ("", *UNITS), _grouped(ordered, group_of)),
        Section("By version", ("", *UNITS), _grouped(ordered, lambda row: row.version)),
        Section("Certain and wrong", WRONG_HEADER, _wrong_lines(row for row in ordered if row.certain_wrong)),
        Section("Wrong", WRONG_HEADER, _wrong_lines(row for row in ordered if row.result == "wrong")),
        Section("Refused questions", ("reason", "times"), _tally(ordered, lambda answer: answer.refused)),
        Section("Faults of our own", ("fault", "times"), _tally(ordered, lambda answer: answer.failed)),
        Section("Errors", ("instance", "error"), _error_lines(ordered)),
        Section("Made with", ("what", "value"), tuple(provenance.items())),
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


def _counts(rows: Collection[Row]) -> tuple[str, ...]:
    counts: Counts = count(rows)
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


def _grouped(rows: Sequence[Row], group_of: Callable[[Row], str]) -> tuple[tuple[str, ...], ...]:
    groups = groupby(sorted(rows, key=group_of), group_of)
    return tuple((name, *_counts(list(members))) for name, members in groups)


def _detection_lines(rows: Collection[Row]) -> tuple[tuple[str, ...], ...]:
    detection = detect(rows)
    shares = {
        "accuracy": detection.accuracy,
        "precision": detection.precision,
        "recall": detection.recall,
        "F1": detection.f1,
    }
    answered = sum(row.result in ("right", "wrong") for row in rows)
    return (
        *((name, *_share(value)) for name, value in shares.items()),
        (f"Brier score of the confidence (n = {answered}, unknowns left out)", _number(brier(rows), 3), ""),
    )


def _time_lines(rows: Collection[Row]) -> tuple[tuple[str, ...], ...]:
    durations: dict[str, Callable[[Answer], float | None]] = {
        "predict": lambda answer: answer.predict_ms,
        "check": lambda answer: answer.check_ms,
    }
    return tuple((name, *_spread(spread(rows, duration))) for name, duration in durations.items())


def _wrong_lines(rows: Iterable[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple(_wrong_line(row, row.answer) for row in rows if row.answer is not None)


def _wrong_line(row: Row, answer: Answer) -> tuple[str, ...]:
    verdict, truth = answer.verdict, answer.truth
    claim = verdict.exception
    said = f"{claim.type} in line {claim.line}: {claim.message}" if claim else verdict.outcome
    real = f"{truth.ename} in line {truth.line}" if truth.crash and truth.ename else truth.status
    return (
        " ".join(row.key),
        _short(said),
        verdict.reached_by,
        f"{verdict.confidence:.2f}",
        real,
        _short(truth.evalue or ""),
    )


def _tally(rows: Collection[Row], counted: Callable[[Answer], Mapping[str, int]]) -> tuple[tuple[str, ...], ...]:
    total: Counter[str] = Counter()
    for answer in answers(rows):
        total.update(counted(answer))
    return tuple((_short(text), str(times)) for text, times in total.most_common())


def _error_lines(rows: Collection[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple((" ".join(row.key), _short(row.error)) for row in rows if row.error is not None)


def _share(value: Share) -> tuple[str, str]:
    if value.value is None:
        return "n/a", ""
    return _number(value.value, 3), f"{value.low:.3f} to {value.high:.3f}"


def _spread(value: Spread) -> tuple[str, ...]:
    return tuple(_number(part, 1) for part in value)


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _cell(text: str) -> str:
    """Return text that fits one Markdown cell: one line, no bar of its own."""
    return " ".join(text.split()).replace("|", r"\|")


def _short(text: str) -> str:
    """Return text as one line of at most `MAX_TEXT` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
