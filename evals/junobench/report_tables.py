"""The tables of a report: cells that know what they are, so that HTML and Markdown each show them in their way."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, get_args
from urllib.parse import quote, urlsplit

from crane_agent.config import Facts
from crane_agent.verdict.render import one_line
from evals.junobench.predictions import Arm, Prediction
from evals.junobench.statistics import (
    LABELS,
    Agreement,
    Cost,
    Figures,
    Label,
    Made,
    Vote,
    comparisons,
    disagreements,
    figures,
    grouped,
    holm,
    made,
    votes,
)
from evals.measures import Paired, Share
from evals.table import Section, happened, short

SCHEMES = frozenset({"http", "https", "file"})
"""Schemes that a link may have."""

DETECTION_NOTE = (
    "Positive = the cell crashes; an instance that an arm leaves unknown counts as no crash, and is counted apart. "
    "Several epochs count once, by their majority; what is certain is counted of every epoch. Failed runs are in no "
    "other figure. Intervals: 95 % Wilson (F1: that of tp / (tp + fp + fn), carried over)."
)
JOINT_NOTE = (
    "Detection where a crash counts as found only if it is told why, too; every other crash is missed. Type and line "
    "are held against what was raised; the reason against the written cause, by a judge. No figure for reasons unless "
    "every reason given for a real crash was judged."
)
LABELS_NOTE = "How often JunoBench's label of the case is told, of the real crashes, and of those that were found."
PAIRS_NOTE = (
    "On the instances that both arms speak of: how many only one of them gets right, and McNemar's exact test, "
    "two-sided. Holm: p corrected for all pairs of the table. Joint: detected, a crash with its type and line."
)
CALIBRATION_NOTE = (
    "The confidence is the probability that the outcome is right. Brier: its mean squared distance from being right "
    "(1) or wrong (0). Unknowns are left out."
)
COST_NOTE = "Of every epoch. The time is that of the prediction; the replay before it is not in it."
GROUP_NOTE = "Instances told right, crashes and their repaired twins, by arm; its number is that of the tables above."
DISAGREE_NOTE = (
    "Instances of which two arms say different things: crash or not, or a crash with and without its type and line. "
    "Each arm is named by its number and leads to its transcript."
)


class Link(NamedTuple):
    """A text, where it leads to (nowhere if `href` is empty), and what it is, in more words."""

    text: str
    href: str
    title: str = ""


class Count(NamedTuple):
    """How many of how many."""

    right: int
    n: int


Cell = str | Share | Count | tuple[Link, ...]
Lines = tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]
"""Header and rows of a table."""


@dataclass(frozen=True)
class Table:
    """One table: a title, a header, cells, a note below.

    Attributes:
        is_folded: Whether a page shows it only when asked to.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    is_folded: bool = False

    @property
    def anchor(self) -> str:
        """The title as a page's anchor."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Entry:
    """One arm of a report.

    Attributes:
        key: What it is called in charts and narrow tables: a number, with a P before it if it was published.
        arm: The arm.
        is_reference: Whether these are published predictions.
        rows: Its predictions.
        figures: Its figures.
        votes: What it says of each instance.
    """

    key: str
    arm: Arm
    is_reference: bool
    rows: Sequence[Prediction]
    figures: Figures
    votes: Mapping[tuple[str, str], Vote]

    @property
    def name(self) -> str:
        """The arm's name, on one line."""
        return one_line(self.arm.name)

    @property
    def title(self) -> str:
        """Key and name."""
        return f"{self.key} {self.name}"


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows.

    Attributes:
        entries: The arms, published ones last.
        detected: Every two arms compared by detection, by their keys.
        joint: The same by detection with type and line; published arms have none.
        judges: How well the judges of reasons agree; None if there is one at most.
        made_with: Commands and versions, by what they are.
    """

    entries: Sequence[Entry]
    detected: Mapping[tuple[str, str], Paired]
    joint: Mapping[tuple[str, str], Paired]
    judges: Agreement | None
    made_with: Mapping[str, str]

    @property
    def own(self) -> list[Entry]:
        """The arms that were run."""
        return [entry for entry in self.entries if not entry.is_reference]


def contents(
    rows: Iterable[Prediction],
    references: Iterable[Prediction] = (),
    *,
    judges: Agreement | None = None,
    made_with: Mapping[str, str],
) -> Contents:
    """Compute what a report shows.

    Args:
        rows: The rows of a grid.
        references: Published predictions.
        judges: How well the judges of reasons agree.
        made_with: Commands and versions, by what they are.
    """
    own, published = list(_entries(rows, is_reference=False)), list(_entries(references, is_reference=True))
    said = {entry.key: entry.votes for entry in (*own, *published)}
    return Contents(
        (*own, *published),
        comparisons(said, lambda vote: vote.detected),
        comparisons({entry.key: entry.votes for entry in own}, lambda vote: vote.detected_and_diagnosed),
        judges,
        made_with,
    )


def tables(report: Contents, folder: Path) -> list[Table]:
    """Return the tables of a report; those without a line are left out.

    Args:
        report: What the report shows.
        folder: Folder of the page, which links start from.
    """
    entries, own = report.entries, report.own
    found = [
        Table("Detection", *_detection(entries), DETECTION_NOTE),
        Table("Detection with diagnosis", *_diagnosis(entries), JOINT_NOTE),
        Table("One setting changed", *_pairs(report, _is_one_setting), PAIRS_NOTE),
        Table("Labels of the crashes", *_labels(own), LABELS_NOTE),
        Table("By library", *_groups(entries, lambda vote: vote.prediction.library), GROUP_NOTE),
        Table("By root cause", *_groups(own, lambda vote: vote.prediction.root_cause), GROUP_NOTE),
        Table("By crash type", *_groups(own, lambda vote: vote.prediction.crash_type), GROUP_NOTE),
        Table("Calibration", *_calibration(own), CALIBRATION_NOTE, is_folded=True),
        Table("Cost", *_costs(own), COST_NOTE),
        Table("Judges of reasons", *_judges(report.judges)),
        Table("Certain and wrong", *_said(own, lambda each: each.score.certain_wrong, folder)),
        Table("Failed runs", *_failed(own, folder)),
        Table("Truth not the same in every run", *_unsteady(own)),
        Table("Disagreements", *_disagreements(own, folder), DISAGREE_NOTE, is_folded=True),
        Table("Every two arms", *_pairs(report, lambda first, second: True), PAIRS_NOTE, is_folded=True),
        Table("Made with", ("what", "value"), tuple((what, value) for what, value in report.made_with.items())),
    ]
    return [table for table in found if table.rows]


def as_section(table: Table) -> Section:
    """Return a table as Markdown shows it; no text of it can be anything else than text."""
    lines = tuple(tuple(_in_markdown(cell) for cell in row) for row in table.rows)
    return Section(table.title, tuple(map(_escaped, table.header)), lines, table.note)


def link_to(transcript: str, folder: Path) -> str:
    """Return a link to a transcript from a page; empty if it is none that a page may have.

    Args:
        transcript: A URL, or a path from the current folder.
        folder: Folder of the page.
    """
    try:
        parts = urlsplit(transcript)
    except ValueError:
        return ""
    if parts.scheme in SCHEMES:
        return quote(transcript, safe="/:#?&=%+,@~")
    if parts.scheme or parts.netloc or not parts.path:
        return ""
    rest = transcript[len(parts.path) :]
    return quote(Path(os.path.relpath(parts.path, folder)).as_posix() + rest, safe="/#?&=%+,@~")


def _entries(rows: Iterable[Prediction], *, is_reference: bool) -> Iterator[Entry]:
    arms = grouped(rows, lambda row: row.arm)
    ordered = arms if is_reference else sorted(arms, key=_order)
    for number, arm in enumerate(ordered, start=1):
        key = f"P{number}" if is_reference else str(number)
        yield Entry(key, arm, is_reference, arms[arm], figures(arms[arm]), votes(arms[arm]))


def _order(arm: Arm) -> tuple[str, bool, bool, int]:
    return arm.policy, arm.check, arm.rehearse, get_args(Facts).index(arm.facts)


def _detection(entries: Iterable[Entry]) -> Lines:
    header = (
        "",
        "arm",
        "instances",
        "failed runs",
        "accuracy",
        "precision",
        "recall",
        "F1",
        "unknown",
        "certain",
        "certain, wrong",
        "Brier",
    )
    return header, tuple(
        (
            entry.key,
            entry.name,
            str(entry.figures.instances),
            str(entry.figures.errors),
            *(getattr(entry.figures.detection, name) for name in ("accuracy", "precision", "recall", "f1")),
            str(sum(vote.outcome == "unknown" for vote in entry.votes.values())),
            str(entry.figures.certain),
            str(entry.figures.certain_wrong),
            "" if entry.is_reference else _number(entry.figures.brier, digits=3),
        )
        for entry in entries
    )


def _diagnosis(entries: Iterable[Entry]) -> Lines:
    header = ("", "arm", "type and line: accuracy", "F1", "reason: accuracy", "F1", "reasons judged")
    return header, tuple((entry.key, entry.name, *_joint(entry), _judged(entry)) for entry in entries)


def _joint(entry: Entry) -> Iterator[Cell]:
    diagnosed = None if entry.is_reference else entry.figures.diagnosed
    for detection in (diagnosed, entry.figures.explained):
        yield from ("", "") if detection is None else (detection.accuracy, detection.f1)


def _judged(entry: Entry) -> Count:
    reasons = [each.prediction.reason_right is not None for each in made(entry.rows) if each.found_crash]
    return Count(sum(reasons), len(reasons))


def _pairs(report: Contents, is_wanted: Callable[[Entry, Entry], bool]) -> Lines:
    tests = ("first only", "second only", "p", "Holm")
    header = ("first", "second", "n", *(f"{what}: {test}" for what in ("detected", "joint") for test in tests))
    entries = {entry.key: entry for entry in report.entries}
    wanted = [keys for keys in report.detected if is_wanted(*(entries[key] for key in keys))]
    tested = [_tested(compared, wanted) for compared in (report.detected, report.joint)]
    return header, tuple(
        (
            *(entries[key].title for key in keys),
            str(report.detected[keys].n),
            *(cell for cells in tested for cell in cells.get(keys, ("", "", "", ""))),
        )
        for keys in wanted
    )


def _tested(
    compared: Mapping[tuple[str, str], Paired], wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    paired = {keys: compared[keys] for keys in wanted if keys in compared}
    corrected = holm([each.p for each in paired.values()]) if paired else []
    return {
        keys: (str(each.first_only), str(each.second_only), probability(each.p), probability(p))
        for (keys, each), p in zip(paired.items(), corrected, strict=True)
    }


def probability(p: float) -> str:
    """Return a p-value as a reader wants it."""
    return "< .001" if p < 0.001 else f"{p:.3f}"


def _is_one_setting(first: Entry, second: Entry) -> bool:
    """Whether two arms differ in one setting; an ablation is compared with the whole summary only."""
    one, other = first.arm.model_dump(), second.arm.model_dump()
    unlike = [name for name in one if one[name] != other[name]]
    facts = {first.arm.facts, second.arm.facts}
    if first.is_reference or second.is_reference:
        return first.is_reference == second.is_reference and unlike == ["facts"]
    return len(unlike) == 1 and (len(facts) == 1 or "fixed" in facts or facts <= {"static", "adaptive"})


def _labels(entries: Iterable[Entry]) -> Lines:
    header = ("", "arm", *(column for words in LABELS.values() for column in (words, "of those found")))
    return header, tuple(
        (entry.key, entry.name, *(each for name in LABELS for each in _label(entry.figures, name))) for entry in entries
    )


def _label(found: Figures, name: Label) -> tuple[Share, Share]:
    return found.labels[name], found.labels_found[name]


def _groups(entries: Collection[Entry], group_of: Callable[[Vote], str | None]) -> Lines:
    """Count the instances told right by group (a row) and arm (a column)."""
    told = [grouped(entry.votes.values(), group_of) for entry in entries]
    names = sorted({name for groups in told for name in groups})
    return ("", *(entry.key for entry in entries)), tuple(
        (one_line(name), *(_told_right(groups.get(name, [])) for groups in told)) for name in names
    )


def _told_right(decided: Collection[Vote]) -> Count:
    return Count(sum(vote.detected for vote in decided), len(decided))


def _calibration(entries: Iterable[Entry]) -> Lines:
    header = ("", "arm", "Brier", "confidence from", "to", "verdicts", "mean confidence", "right")
    return header, tuple(
        (
            *(first if place == 0 else ("", "", "")),
            f"{each.low:.1f}",
            f"{each.high:.1f}",
            str(each.n),
            f"{each.confidence:.3f}",
            each.right,
        )
        for entry in entries
        for first in [(entry.key, entry.name, _number(entry.figures.brier, digits=3))]
        for place, each in enumerate(entry.figures.reliability)
    )


def _costs(entries: Iterable[Entry]) -> Lines:
    """List what the predictions cost, by kind; a kind that costs nothing in any arm is left out."""
    costs = {(name, entry.key): (entry, cost) for entry in entries for name, cost in entry.figures.costs.items()}
    names = [
        name
        for name in dict.fromkeys(name for name, _ in costs)
        if any(costs[each][1].total for each in costs if each[0] == name)
    ]
    header = ("", "", "arm", "n", "median", "p95", "largest", "sum")
    return header, tuple(
        ("" if place else name, entry.key, entry.name, *_cost(cost))
        for name in names
        for place, (entry, cost) in enumerate(each for (kind, _), each in costs.items() if kind == name)
    )


def _cost(cost: Cost) -> tuple[str, ...]:
    return str(cost.n), *(amount(value) for value in (*cost.each, cost.total))


def amount(value: float | None) -> str:
    """Return an amount with three digits that count, or as the whole number that it is."""
    if value is None:
        return "n/a"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def _judges(judges: Agreement | None) -> Lines:
    header = (
        "reasons",
        "both right",
        "first only",
        "second only",
        "both wrong",
        "same",
        "Cohen's kappa",
        "95 % interval",
    )
    if judges is None:
        return header, ()
    interval = "" if judges.low is None else f"{judges.low:.3f} to {judges.high:.3f}"
    counts = map(str, (judges.table.n, *judges.table[:-1]))
    return header, ((*counts, judges.same, _number(judges.kappa, digits=3), interval),)


def _said(entries: Iterable[Entry], is_wanted: Callable[[Made], bool], folder: Path) -> Lines:
    header = ("instance", "arm", "epoch", "said", "truth", "message", "transcript")
    return header, tuple(
        (
            " ".join(each.prediction.instance),
            entry.title,
            str(each.prediction.epoch),
            in_words(each),
            happened(each.truth),
            short(one_line(each.truth.evalue or "")),
            (Link("open", link_to(each.prediction.transcript, folder)),),
        )
        for entry in entries
        for each in made(entry.rows)
        if is_wanted(each)
    )


def in_words(each: Made) -> str:
    """Say what a verdict says: the exception with its line and message, or the outcome."""
    claim = each.verdict.exception
    if not each.found or claim is None:
        return each.verdict.outcome.replace("_", " ")
    return short(one_line(f"{claim.type} in line {claim.line}: {claim.message}"))


def _failed(entries: Iterable[Entry], folder: Path) -> Lines:
    header = ("instance", "arm", "epoch", "error", "transcript")
    return header, tuple(
        (
            " ".join(row.instance),
            entry.title,
            str(row.epoch),
            short(one_line(row.error or "no verdict")),
            (Link("open", link_to(row.transcript, folder)),),
        )
        for entry in entries
        for row in entry.rows
        if not made([row])
    )


def _unsteady(entries: Iterable[Entry]) -> Lines:
    """List the instances that crashed in some runs only; of several epochs the first one's truth counts."""
    runs = grouped((each for entry in entries for each in made(entry.rows)), lambda each: each.prediction.instance)
    crashed = {key: [each.truth.crash for each in every] for key, every in runs.items()}
    return ("instance", "runs that crashed"), tuple(
        (" ".join(key), Count(sum(every), len(every))) for key, every in sorted(crashed.items()) if len(set(every)) > 1
    )


def _disagreements(entries: Sequence[Entry], folder: Path) -> Lines:
    titles = {entry.key: entry.title for entry in entries}
    unlike = disagreements({entry.key: entry.votes for entry in entries})
    lines = (_disagreement(instance, said, titles, folder) for instance, said in unlike.items())
    return ("instance", "truth", "said", "", "by"), tuple(line for every in lines for line in every)


def _disagreement(
    instance: tuple[str, str], said: Mapping[str, Vote], titles: Mapping[str, str], folder: Path
) -> Iterator[tuple[Cell, ...]]:
    """Yield a line for each thing that is said of an instance, with the arms that say it."""
    by_words = grouped(said.items(), lambda item: (spoken(item[1]), judgement(item[1])))
    for place, ((words, worth), arms) in enumerate(by_words.items()):
        truth = happened(next(iter(said.values())).truth)
        first = (" ".join(instance), truth) if place == 0 else ("", "")
        links = tuple(
            Link(key, link_to(vote.spokesman.prediction.transcript, folder), titles[key]) for key, vote in arms
        )
        yield *first, words, worth, links


def spoken(vote: Vote) -> str:
    """Say what an arm says of an instance, in the words of an epoch that says what most do."""
    return "unknown" if vote.outcome == "unknown" else in_words(vote.spokesman)


def judgement(vote: Vote) -> str:
    """Say what that is worth, in words."""
    if vote.outcome == "unknown":
        return "left open"
    if not vote.detected:
        return "wrong"
    return "right, not its type and line" if vote.truth.crash and not vote.diagnosed else "right"


def _number(value: float | None, *, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def interval(value: Share) -> str:
    """Return a share's 95 % interval; empty if there is none."""
    return "" if value.value is None else f"{value.low:.3f} to {value.high:.3f}"


def _in_markdown(cell: Cell) -> str:
    if isinstance(cell, Share):
        return f"{_number(cell.value, digits=3)} ({interval(cell)})" if cell.value is not None else "n/a"
    if isinstance(cell, Count):
        return f"{cell.right}/{cell.n}"
    if isinstance(cell, str):
        return _escaped(cell)
    return ", ".join(f"[{_escaped(link.text)}](<{link.href}>)" if link.href else _escaped(link.text) for link in cell)


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is; the bar is left to the table."""
    return re.sub(r"([\\`*\[\]<>&~$#!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", text)
