"""The figures of the rehearsals on notebooks, as tables."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evals.checker.rows import happened
from evals.measures import share
from evals.rehearsal.rows import Cell, Row
from evals.rehearsal.worker import REHEARSAL_LIMIT_S
from evals.table import SPREAD, Section, short, spread_cells

NOTE = (
    "Certain: it told the crash or the end of the cell, with nothing changed or denied. Right: a crash with its type "
    "and line, or an end of its own. Intervals: 95 % Wilson."
)
TIME_NOTE = (
    f"A rehearsal has {REHEARSAL_LIMIT_S:g} s. In the copy and then for real: of the cells whose rehearsal told how "
    "they end. Around the cell: from the request to the reply, less the cell's own time in the copy."
)
WRONG_HEADER = ("notebook", "cell", "what was told, and what happened", "source")
TRUTHS = ("ran", "crashed", "did not end", "the kernel died")


class Told(NamedTuple):
    """A cell, and the row it is in."""

    row: Row
    cell: Cell

    @property
    def name(self) -> str:
        """Names the notebook."""
        return " ".join(self.row.key)


def sections(rows: Sequence[Row], *, packages: Mapping[str, str], provenance: Mapping[str, str]) -> list[Section]:
    """Turn rows into tables; those without a line are left out.

    Args:
        rows: One row a notebook, in any order.
        packages: The words for each package, by its name.
        provenance: What the figures were made with: command and versions, by name.
    """
    every = [Told(row, cell) for row in sorted(rows, key=lambda row: row.key) for cell in row.cells]
    parts = [
        Section("Cells", ("", ""), _overall(rows, every)),
        Section(
            "What the rehearsals told", ("of the cells that", "n", "of", "share", "95 % interval"), _shares(every), NOTE
        ),
        Section("How they ended, and what happened", ("ended", "", *TRUTHS), tuple(_ended(every))),
        Section("Certain and wrong", WRONG_HEADER, tuple(_wrong(every, certain=True))),
        Section("Not certain, and wrong", WRONG_HEADER, tuple(_wrong(every, certain=False))),
        Section("Left behind", ("notebook", "cell", "what"), tuple(_left(every))),
        Section("Told in other words", ("notebook", "cell", "told", "truth"), tuple(_other_words(every))),
        Section("Why they told nothing", ("ended", "why", "cells", "that crashed"), _reasons(every)),
        Section("What the fence denied", ("act", "cells"), _words(every, "denied")),
        Section("What was changed to make it possible", ("change", "cells"), _words(every, "changed")),
        Section(
            "By package",
            ("package", "cells", "certain", "share", "crashes", "certain"),
            tuple(_by_package(every, packages)),
        ),
        Section("Crashes by exception", ("exception", "crashes", "certain"), tuple(_by_exception(every))),
        Section("Time", ("", "", *SPREAD), tuple(_times(every)), TIME_NOTE),
        Section(
            "Rehearsals that told nothing",
            ("notebook", "cell", "ended", "how far", "truth", "time [s]"),
            tuple(_open(every)),
        ),
        Section("Cut short", ("notebook", "cells", "why"), tuple(_cut(rows))),
        Section("Made with", ("what", "value"), tuple(provenance.items())),
    ]
    return [part for part in parts if part.rows]


def _overall(rows: Sequence[Row], every: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    cells = [cell for _, cell in every]
    counts = {
        "notebooks": len(rows),
        "of these, cut short": sum(row.error is not None for row in rows),
        "cells rehearsed just before they ran": len(cells),
        "cells that ran": sum(cell.truth.status == "ok" for cell in cells),
        "cells that crashed": sum(cell.truth.crash for cell in cells),
        "told for certain": sum(cell.certain for cell in cells),
        "certain and wrong": sum(bool(cell.contradiction) and cell.certain for cell in cells),
        "not certain, and wrong": sum(bool(cell.contradiction) and not cell.certain for cell in cells),
        "left something behind": sum(bool(cell.left) for cell in cells),
        "faults of our own": sum(cell.rehearsed.status == "failed" for cell in cells),
    }
    return tuple((name, str(number)) for name, number in counts.items())


def _shares(every: Sequence[Told]) -> tuple[tuple[str, ...], ...]:
    crashed = [cell for _, cell in every if cell.truth.crash]
    ran = [cell for _, cell in every if not cell.truth.crash]
    found = [cell for cell in crashed if cell.certain]
    lines = {
        "crashed: told for certain": (len(found), len(crashed)),
        "of these, right": (sum(not cell.contradiction for cell in found), len(found)),
        "of these, in the same words": (
            sum(not (cell.contradiction or cell.other_message) for cell in found),
            len(found),
        ),
        "ran: told for certain": (sum(cell.certain for cell in ran), len(ran)),
        "either: told for certain": (sum(cell.certain for _, cell in every), len(every)),
        "either: told at all": (sum(cell.rehearsed.settled for _, cell in every), len(every)),
    }
    return tuple(_share_line(name, *counts) for name, counts in lines.items() if counts[1])


def _share_line(name: str, n: int, of: int) -> tuple[str, ...]:
    part = share(n, of)
    return name, str(n), str(of), f"{part.value:.3f}", f"{part.low:.3f} to {part.high:.3f}"


def _ended(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    counts = Counter((_kind(cell), _truth(cell)) for _, cell in every)
    for kind in sorted({kind for kind, _ in counts}):
        yield (*kind, *(str(counts[kind, truth]) for truth in TRUTHS))


def _kind(cell: Cell) -> tuple[str, str]:
    if not cell.rehearsed.settled:
        return cell.rehearsed.ended, ""
    return cell.rehearsed.ended, "certain" if cell.certain else "not certain"


def _truth(cell: Cell) -> str:
    if cell.truth.status == "timeout":
        return "did not end"
    if cell.truth.status == "died":
        return "the kernel died"
    return "crashed" if cell.truth.crash else "ran"


def _wrong(every: Iterable[Told], *, certain: bool) -> Iterator[tuple[str, ...]]:
    for told in every:
        cell = told.cell
        if cell.contradiction and cell.certain is certain:
            yield told.name, str(cell.place), short(cell.contradiction), cell.source


def _left(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    for told in every:
        for words in told.cell.left:
            yield told.name, str(told.cell.place), short(words)


def _other_words(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    for told in every:
        if told.cell.other_message:
            yield told.name, str(told.cell.place), short(told.cell.told), short(happened(told.cell.truth))


def _reasons(every: Iterable[Told]) -> tuple[tuple[str, ...], ...]:
    silent = [cell for _, cell in every if not cell.rehearsed.settled]
    all_of = Counter((cell.rehearsed.ended, short(cell.rehearsed.why)) for cell in silent)
    crashed = Counter((cell.rehearsed.ended, short(cell.rehearsed.why)) for cell in silent if cell.truth.crash)
    return tuple((*kind, str(times), str(crashed[kind])) for kind, times in all_of.most_common())


def _words(every: Iterable[Told], field: str) -> tuple[tuple[str, ...], ...]:
    counts = Counter(short(word) for _, cell in every for word in set(cell.rehearsed.answer.get(field, ())))
    return tuple((word, str(times)) for word, times in counts.most_common())


def _by_package(every: Sequence[Told], packages: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for name in sorted({row.version for row, _ in every}):
        own = [cell for row, cell in every if row.version == name]
        certain, crashed = sum(cell.certain for cell in own), [cell for cell in own if cell.truth.crash]
        found = sum(cell.certain for cell in crashed)
        yield packages[name], str(len(own)), str(certain), f"{certain / len(own):.2f}", str(len(crashed)), str(found)


def _by_exception(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    crashed = [cell for _, cell in every if cell.truth.crash]
    found = Counter(_exception(cell) for cell in crashed if cell.certain and not cell.contradiction)
    for name, times in Counter(map(_exception, crashed)).most_common():
        yield name, str(times), str(found[name])


def _exception(cell: Cell) -> str:
    return cell.truth.ename or cell.truth.status


def _times(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    cells = [cell for _, cell in every]
    seconds: dict[str, Callable[[Cell], float | None]] = {
        "in the copy": _in_copy,
        "then for real": lambda cell: cell.truth.seconds if cell.rehearsed.settled else None,
        "in the copy less for real": _longer,
    }
    milliseconds: dict[str, Callable[[Cell], float | None]] = {
        "main thread blocked by the fork": lambda cell: cell.rehearsed.pause_ms,
        "around the cell": _around,
        "whole, until it was refused": lambda cell: _whole(cell, "refused"),
        "whole, until it was unknown": lambda cell: _whole(cell, "unknown"),
    }
    for name, of in seconds.items():
        yield name, "s", *spread_cells(map(of, cells), digits=2)
    for name, of in milliseconds.items():
        yield name, "ms", *spread_cells(map(of, cells), digits=1)


def _in_copy(cell: Cell) -> float | None:
    return cell.rehearsed.answer["seconds"] if cell.rehearsed.settled else None


def _longer(cell: Cell) -> float | None:
    copy, real = _in_copy(cell), cell.truth.seconds
    return None if copy is None or real is None else copy - real


def _around(cell: Cell) -> float | None:
    copy = _in_copy(cell)
    return None if copy is None else cell.rehearsed.elapsed_ms - 1000 * copy


def _whole(cell: Cell, ended: str) -> float | None:
    return cell.rehearsed.elapsed_ms if cell.rehearsed.ended == ended else None


def _open(every: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    for told in every:
        cell, answer = told.cell, told.cell.rehearsed.answer
        if not cell.rehearsed.settled:
            line, loop = answer.get("line"), answer.get("loop")
            far = ", ".join(part for part in (f"line {line}" if line else "", loop or "") if part)
            seconds = "" if cell.truth.seconds is None else f"{cell.truth.seconds:.1f}"
            yield told.name, str(cell.place), short(cell.told), short(far), short(happened(cell.truth)), seconds


def _cut(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    return ((" ".join(row.key), str(len(row.cells)), short(row.error)) for row in rows if row.error is not None)
