"""The checker's figures as tables, beside the peer's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from crane_agent.verdict.render import one_line
from evals.checker.measures import (
    alarms,
    compare,
    likely,
    obstacles,
    ours,
    ours_at_the_latest,
    ours_first,
    peers,
    recall,
    settled,
    spread_of,
)
from evals.checker.rows import Checked, Row, happened
from evals.measures import share
from evals.table import Section

TOP = 20
"""Reasons for doubt that are listed."""

NOTE = (
    "Certain: what the checker gives as certain. Nothing in doubt before: type and line are meant as certain, too; "
    "otherwise the cell crashes at that line at the latest. Intervals: 95 % Wilson."
)
OBSTACLE_NOTE = (
    "Crashes missed: those with the reason at or above the line that raised. Names that the notebook binds are left "
    "out."
)
GROUP_HEADER = (
    "crashes", "certain", "share", "nothing in doubt before", "right type", "right line", "certain or likely",
)  # fmt: skip
PEER_HEADER = ("peer: certain", "peer: right type", "peer: right line")
MISSED_HEADER = ("instance", "truth", "likely", "first doubt")
WRONG_HEADER = ("instance", "cell", "what was certain, and what happened")
MAX_TEXT = 200  # characters of a sentence in a table


class Asked(NamedTuple):
    """A cell whose foresight counts, and the row it is in."""

    row: Row
    cell: Checked


class Grouping(NamedTuple):
    """What cells are counted by: a word for it, and the group of a cell."""

    name: str
    group_of: Callable[[Asked], str]


def sections(rows: Sequence[Row], *, groupings: Sequence[Grouping], provenance: Mapping[str, str]) -> list[Section]:
    """Turn rows into tables.

    Args:
        rows: One row an instance, in any order.
        groupings: What crashes are counted by, beside all.
        provenance: What the figures were made with: command and versions, by name.
    """
    rows = sorted(rows, key=lambda row: row.key)
    asked = list(asked_in(rows))
    cells = [cell for _, cell in asked]
    counted = {id(cell) for cell in cells}
    others = [cell for row in rows for cell in row.cells if id(cell) not in counted]
    parts = [
        Section("Cells", ("", ""), _overall(rows)),
        Section("Crashes", ("", "n", "of", "share", "95 % interval"), _recall_lines(cells), NOTE),
        Section("Cells that ran", ("", "n", "of", "share", "95 % interval"), _ran_lines(cells, others)),
        Section("Beside the peer", ("crashes found by", ""), _comparison_lines(cells)),
        *(_grouped(asked, grouping) for grouping in groupings),
        Section("Certain and wrong", WRONG_HEADER, tuple(_wrong_lines(rows, lambda cell: cell.contradiction))),
        Section(
            "Certain and wrong, the peer", WRONG_HEADER, tuple(_wrong_lines(rows, lambda cell: cell.peer_contradiction))
        ),
        Section("A later line than the latest one", WRONG_HEADER, tuple(_wrong_lines(rows, lambda cell: cell.later))),
        Section("Time", ("milliseconds", "n", "median", "p95", "max"), _time_lines(cells, others)),
        Section("What stops the checker", ("reason", "crashes missed", "cells"), _obstacle_lines(rows), OBSTACLE_NOTE),
        Section("Crashes missed", MISSED_HEADER, tuple(_missed_lines(asked))),
        Section("Not answered", ("instance", "cell", "why"), tuple(_unanswered_lines(rows))),
        Section("Cut short", ("instance", "cells", "why"), tuple(_cut_lines(rows))),
        Section("Made with", ("what", "value"), tuple(provenance.items())),
    ]
    return [part for part in parts if part.rows]


def asked_in(rows: Iterable[Row]) -> Iterable[Asked]:
    """Yield the cells whose foresight counts: the targets; every cell of a notebook that has none."""
    for row in rows:
        for cell in row.cells:
            if cell.role != "executed":
                yield Asked(row, cell)


def _overall(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    every = [cell for row in rows for cell in row.cells]
    executed = [cell for cell in every if cell.role == "executed"]
    counts = {
        "instances": len(rows),
        "of these, cut short": sum(row.error is not None for row in rows),
        "cells asked about just before they ran": len(every),
        "of these, executed cells that lead to a target": len(executed),
        "cells that ran": sum(cell.truth.status == "ok" for cell in every),
        "of these, executed cells": sum(cell.truth.status == "ok" for cell in executed),
        "cells that crashed": sum(cell.truth.crash for cell in every),
        "certain and wrong": sum(bool(cell.contradiction) for cell in every),
        "of these, faults of our own": sum(cell.said.status == "failed" for cell in every),
        "not answered": sum(cell.said.status in ("refused", "unasked") for cell in every),
    }
    if not _without_peer(every):
        counts["certain and wrong, the peer"] = sum(bool(cell.peer_contradiction) for cell in every)
    return tuple((name, str(number)) for name, number in counts.items())


def _recall_lines(cells: Sequence[Checked]) -> tuple[tuple[str, ...], ...]:
    all_of, first, late = recall(cells, ours), recall(cells, ours_first), recall(cells, ours_at_the_latest)
    either, peer = recall(cells, likely), recall(cells, peers)
    lines = [
        _share_line("certain", all_of.found, all_of.crashes),
        _share_line("certain, nothing in doubt before", first.found, first.crashes),
        _share_line("— right type", first.types, first.known_types),
        _share_line("— right line", first.lines, first.known_lines),
        _share_line("— right message", first.messages, first.found),
        _share_line("certain, at that line at the latest", late.found, late.crashes),
        _share_line("— right type", late.types, late.known_types),
        _share_line("— right line", late.lines, late.known_lines),
        _share_line("certain or likely", either.found, either.crashes),
        _share_line("— right type", either.types, either.known_types),
        _share_line("— right line", either.lines, either.known_lines),
    ]
    asked_peer = [cell for cell in cells if cell.peer is not None and cell.truth.crash]
    if asked_peer:
        lines += [
            _share_line("peer: certain", peer.found, len(asked_peer)),
            _share_line("— right type", peer.types, peer.known_types),
            _share_line("— right line", peer.lines, peer.known_lines),
        ]
    return tuple(lines) if all_of.crashes else ()


def _ran_lines(cells: Sequence[Checked], others: Sequence[Checked]) -> tuple[tuple[str, ...], ...]:
    lines = []
    for words, some in (("", cells), ("executed cells: ", others)):
        if some:
            lines += [
                _share_line(f"{words}promised to run", *settled(some)),
                _share_line(f"{words}said to crash for certain", *alarms(some, ours)),
                _share_line(f"{words}said to be likely to crash", *alarms(some, likely)),
            ]
    asked_peer = [cell for cell in cells if cell.peer is not None]
    if asked_peer:
        lines.append(_share_line("peer: said to crash for certain", *alarms(asked_peer, peers)))
    return tuple(lines)


def _comparison_lines(cells: Sequence[Checked]) -> tuple[tuple[str, str], ...]:
    if _without_peer(cells):
        return ()
    comparison = compare(cells)
    return (
        ("both", str(comparison.both)),
        ("ours only", str(comparison.first_only)),
        ("the peer only", str(comparison.second_only)),
        ("neither", str(comparison.neither)),
        ("McNemar's exact test, two-sided: p", f"{comparison.p:.2g}"),
    )


def _grouped(asked: Sequence[Asked], grouping: Grouping) -> Section:
    crashed = sorted((each for each in asked if each.cell.truth.crash), key=grouping.group_of)
    lines = [
        (name, *_group_line([cell for _, cell in members])) for name, members in groupby(crashed, grouping.group_of)
    ]
    # Without a peer, the lines end before its columns.
    header = (grouping.name, *GROUP_HEADER, *PEER_HEADER)[: max(map(len, lines), default=0)]
    return Section(f"Crashes by {grouping.name}", header, tuple(lines))


def _group_line(cells: Sequence[Checked]) -> tuple[str, ...]:
    found, peer = recall(cells, ours), recall(cells, peers)
    line = (
        str(found.crashes),
        str(found.found),
        f"{found.found / found.crashes:.2f}",
        str(recall(cells, ours_first).found),
        str(found.types),
        str(found.lines),
        str(recall(cells, likely).found),
    )
    return line if _without_peer(cells) else (*line, str(peer.found), str(peer.types), str(peer.lines))


def _without_peer(cells: Iterable[Checked]) -> bool:
    return all(cell.peer is None for cell in cells)


def _wrong_lines(rows: Iterable[Row], wrong: Callable[[Checked], str]) -> Iterable[tuple[str, ...]]:
    for row in rows:
        for cell in row.cells:
            if words := wrong(cell):
                yield " ".join(row.key), f"{cell.role} {cell.place}", _short(words)


def _time_lines(cells: Sequence[Checked], others: Sequence[Checked]) -> tuple[tuple[str, ...], ...]:
    times = {
        "check, round trip": [cell.said.milliseconds for cell in cells],
        "check of executed cells, round trip": [cell.said.milliseconds for cell in others],
        "the peer's check, inside the kernel": [cell.peer.milliseconds for cell in cells if cell.peer is not None],
    }
    known = {name: [value for value in values if value is not None] for name, values in times.items()}
    return tuple(
        (name, str(len(values)), *(f"{part:.1f}" for part in spread_of(values)))
        for name, values in known.items()
        if values
    )


def _obstacle_lines(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple((each.why, str(each.missed), str(each.all)) for each in obstacles(rows)[:TOP])


def _missed_lines(asked: Iterable[Asked]) -> Iterable[tuple[str, ...]]:
    for row, cell in asked:
        if cell.truth.crash and cell.said.finding is None:
            suspect = likely(cell)
            doubt = next(iter(cell.said.doubts), None)
            yield (
                _named(row, cell),
                _short(happened(cell.truth)),
                f"{suspect.type} in line {suspect.line}" if suspect else "",
                _short(f"line {doubt.line}: {doubt.why}") if doubt else cell.said.reason,
            )


def _unanswered_lines(rows: Iterable[Row]) -> Iterable[tuple[str, ...]]:
    for row in rows:
        for cell in row.cells:
            if cell.said.reason:
                yield " ".join(row.key), f"{cell.role} {cell.place}", _short(cell.said.reason)
            if cell.peer is not None and cell.peer.error:
                yield " ".join(row.key), f"{cell.role} {cell.place}", _short(f"peer: {cell.peer.error}")


def _cut_lines(rows: Iterable[Row]) -> Iterable[tuple[str, ...]]:
    return ((" ".join(row.key), str(len(row.cells)), _short(row.error)) for row in rows if row.error is not None)


def _named(row: Row, cell: Checked) -> str:
    return " ".join(row.key) if cell.role == "target" else f"{' '.join(row.key)}, cell {cell.place}"


def _share_line(name: str, n: int, of: int) -> tuple[str, ...]:
    part = share(n, of)
    if part.value is None:
        return name, str(n), str(of), "n/a", ""
    return name, str(n), str(of), f"{part.value:.3f}", f"{part.low:.3f} to {part.high:.3f}"


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
