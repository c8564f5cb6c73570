"""The patches as tables: how many are verified, what they bind beside the twins, and every one with its diff."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evals.fixes.rows import Comparison, Row, compared
from evals.junobench.dataset import library_of
from evals.measures import share
from evals.table import SPREAD, Section, short, spread_cells

CRASHES, TWINS = "reproduced", "fixed"
NOTE = (
    "A patch is verified if the patched target came to its end in a rehearsal; where an executed cell is patched, "
    "behind a replay from there. Same: of the names that both the crashing target and its repaired twin bind, each "
    "has in the patched target the twin's type, shape and columns; compatible: a table or array may have another "
    "number of rows. Intervals: 95 % Wilson."
)


class Pair(NamedTuple):
    """A crash, and its repaired twin if that was run."""

    row: Row
    twin: Row | None

    @property
    def comparison(self) -> Comparison | None:
        """How what the patch binds compares with the twin; None if that cannot be told."""
        return None if self.twin is None else compared(self.row, self.twin)


def sections(rows: Sequence[Row], *, provenance: Mapping[str, str]) -> list[Section]:
    """Turn rows into tables; those without a line are left out.

    Args:
        rows: One row an instance, in any order.
        provenance: What the figures were made with: command and versions, by name.
    """
    by_key = {row.key: row for row in rows}
    crashes = [row for row in sorted(rows, key=lambda row: row.key) if row.version == CRASHES]
    pairs = [Pair(row, by_key.get((row.case, TWINS))) for row in crashes]
    twins = [row for row in rows if row.version == TWINS]
    parts = [
        Section("Patches", ("of the instances that", "n", "of", "share", "95 % interval"), _shares(pairs, twins), NOTE),
        Section("Time", ("", *SPREAD), tuple(_times(crashes))),
        Section("By library", ("library", "crashes", "patched", "verified"), tuple(_by_library(crashes))),
        Section(
            "What the patched targets bind",
            ("case", "names compared", "verdict", "missing", "differences"),
            tuple(_bindings(pairs)),
        ),
        *(_patches(pairs)),
        Section("Without a patch", ("case", "exception", "fix in words"), tuple(_unpatched(crashes))),
        Section("Patches of repaired twins", ("case", "fix"), tuple(_wrongly(twins))),
        Section("Failed", ("instance", "why"), tuple(_failed(rows))),
        Section("Made with", ("what", "value"), tuple(provenance.items())),
    ]
    return [part for part in parts if part.rows]


def _shares(pairs: Sequence[Pair], twins: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    crashes = [pair for pair in pairs if pair.row.error is None]
    verified = [pair for pair in crashes if pair.row.is_verified]
    beside = [found for pair in verified if (found := pair.comparison) is not None]
    lines = {
        "crash: some fix, if only in words": (sum(pair.row.fix is not None for pair in crashes), len(crashes)),
        "crash: a patch": (sum(pair.row.patch is not None for pair in crashes), len(crashes)),
        "crash: a verified patch": (len(verified), len(crashes)),
        "of these: patch of an executed cell": (_elsewhere(verified), len(verified)),
        "of these: compared with the twin": (len(beside), len(verified)),
        "of these: binds the same": (sum(found.is_same for found in beside), len(beside)),
        "of these: binds the same, or what is compatible": (sum(found.is_compatible for found in beside), len(beside)),
        "repaired twin: a fix": (sum(row.fix is not None for row in twins), len(twins)),
    }
    return tuple(_share_line(name, *counts) for name, counts in lines.items() if counts[1])


def _elsewhere(pairs: Sequence[Pair]) -> int:
    return sum(pair.row.patch is not None and pair.row.patch.cell is not None for pair in pairs)


def _share_line(name: str, n: int, of: int) -> tuple[str, ...]:
    part = share(n, of)
    return name, str(n), str(of), f"{part.value:.3f}", f"{part.low:.3f} to {part.high:.3f}"


def _times(crashes: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    usages = [row.found.verdict.usage for row in crashes if row.found is not None]
    tried = [usage for usage in usages if usage.fixes_tried]
    yield "patches tried for a crash", *spread_cells((usage.fixes_tried for usage in usages), digits=0)
    yield "finding and trying a fix [s]", *spread_cells((usage.fix_ms / 1000 for usage in tried), digits=1)
    yield "the same for each patch [s]", *spread_cells((u.fix_ms / 1000 / u.fixes_tried for u in tried), digits=1)


def _by_library(crashes: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for library in sorted({library_of(row.case) for row in crashes}):
        rows = [row for row in crashes if library_of(row.case) == library]
        counts = (len(rows), sum(row.patch is not None for row in rows), sum(row.is_verified for row in rows))
        yield library, *map(str, counts)


def _bindings(pairs: Sequence[Pair]) -> Iterator[tuple[str, ...]]:
    for pair in pairs:
        if not pair.row.is_verified:
            continue
        found = pair.comparison
        if found is None:
            yield pair.row.case, "", "not compared: the twin did not come to its end", "", ""
            continue
        likeness = "same" if found.is_same else "compatible" if found.is_compatible else "differs"
        differences = "; ".join(f"{name}: {words}" for name, words in found.differences.items())
        yield pair.row.case, ", ".join(found.names), likeness, ", ".join(found.missing), short(differences)


def _patches(pairs: Sequence[Pair]) -> Iterator[Section]:
    """Yield each patch with its diff, the verified ones first."""
    patched = [pair.row for pair in pairs if pair.row.patch is not None]
    for row in sorted(patched, key=lambda row: not row.is_verified):
        assert row.patch is not None
        where = "target" if row.patch.cell is None else f"executed cell {row.patch.cell + 1}"
        line = (row.patch.verified, where, short(row.patch.summary))
        yield Section(f"Patch of {row.case}", ("verified", "of the", "summary"), (line,), diff=row.diff)


def _unpatched(crashes: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for row in crashes:
        if row.found is not None and row.patch is None:
            raised = row.found.verdict.exception
            name = f"{raised.type}: {raised.message}" if raised is not None else row.found.verdict.outcome
            yield row.case, short(name), short(row.fix.summary if row.fix is not None else "")


def _wrongly(twins: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    return ((row.case, short(row.fix.summary)) for row in twins if row.fix is not None)


def _failed(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    return ((" ".join(row.key), short(row.error)) for row in rows if row.error is not None)
