"""The checker's figures, computed from cells."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import numpy as np

from crane_agent.notebook.code import names_in, parse
from evals.checker.rows import Checked, Foreseen, Row, line_right, message_right, type_right
from evals.measures import Paired, Spread, mcnemar

_WORD = re.compile(r"(?<!\.)\b[^\W\d]\w*")

Foresight = Callable[[Checked], Foreseen | None]
"""What somebody is certain of about a cell."""


class Recall(NamedTuple):
    """How many crashes were foreseen for certain, and how many of those as they came.

    Attributes:
        crashes: Cells that crashed.
        found: Of these, foreseen.
        types: Of these, with the right exception type.
        lines: Of the found, with the right line.
        messages: Of the found, in the words of the exception.
        known_types: Of the found, those whose real type is known.
        known_lines: Of the found, those whose real line is known.
    """

    crashes: int
    found: int
    types: int
    lines: int
    messages: int
    known_types: int
    known_lines: int


def ours(cell: Checked) -> Foreseen | None:
    """What our checker is certain of."""
    return cell.said.finding


def ours_first(cell: Checked) -> Foreseen | None:
    """What our checker is certain of, if nothing before it may raise."""
    finding = cell.said.finding
    return finding if finding is not None and finding.first else None


def ours_at_the_latest(cell: Checked) -> Foreseen | None:
    """What our checker is certain of, if something before it may raise."""
    finding = cell.said.finding
    return finding if finding is not None and not finding.first else None


def peers(cell: Checked) -> Foreseen | None:
    """What the peer is certain of."""
    return cell.peer.finding if cell.peer is not None else None


def likely(cell: Checked) -> Foreseen | None:
    """What our checker holds for likely: its finding or else its first suspect."""
    return cell.said.finding or next(iter(cell.said.suspects), None)


def recall(cells: Iterable[Checked], foresight: Foresight) -> Recall:
    """Count the crashes foreseen among cells; those that ran are left out."""
    crashed = [cell for cell in cells if cell.truth.crash]
    found = [(foreseen, cell.truth) for cell in crashed if (foreseen := foresight(cell)) is not None]
    types = [type_right(*pair) for pair in found]
    lines = [line_right(*pair) for pair in found]
    return Recall(
        crashes=len(crashed),
        found=len(found),
        types=types.count(True),
        lines=lines.count(True),
        messages=sum(bool(message_right(*pair)) for pair in found),
        known_types=len(types) - types.count(None),
        known_lines=len(lines) - lines.count(None),
    )


def alarms(cells: Iterable[Checked], foresight: Foresight) -> tuple[int, int]:
    """Return how many of the cells that ran were foreseen to crash, and how many ran."""
    ran = [cell for cell in cells if not cell.truth.crash]
    return sum(foresight(cell) is not None for cell in ran), len(ran)


def settled(cells: Iterable[Checked]) -> tuple[int, int]:
    """Return how many of the cells that ran were promised to, and how many ran."""
    ran = [cell for cell in cells if not cell.truth.crash]
    return sum(cell.said.settled for cell in ran), len(ran)


def compare(cells: Iterable[Checked]) -> Paired:
    """Compare ours, the first, with the peer's on the crashes that both were asked about."""
    crashed = [cell for cell in cells if cell.truth.crash and cell.peer is not None]
    return mcnemar((ours(cell) is not None, peers(cell) is not None) for cell in crashed)


def spread_of(values: Collection[float]) -> Spread:
    """Return median, 95th percentile and largest of some durations."""
    if not values:
        return Spread()
    return Spread(float(np.median(list(values))), float(np.percentile(list(values), 95)), max(values))


class Obstacle(NamedTuple):
    """A reason why nothing was certain.

    Attributes:
        why: The reason.
        missed: Crashes that were missed and had it at or above the line that raised.
        all: Cells that had it anywhere.
    """

    why: str
    missed: int
    all: int


def obstacles(rows: Iterable[Row]) -> list[Obstacle]:
    """Count the reasons for doubt, those behind most missed crashes first."""
    missed, everywhere = Counter[str](), Counter[str]()
    for row in rows:
        own = _names_bound_in(row)
        for cell in row.cells:
            everywhere.update(_reasons(cell, own))
            if cell.role != "executed" and cell.truth.crash and cell.said.finding is None:
                missed.update(_reasons(cell, own, down_to=cell.truth.line))
    found = [Obstacle(why, missed[why], times) for why, times in everywhere.items()]
    return sorted(found, key=lambda each: (-each.missed, -each.all, each.why))


def _reasons(cell: Checked, own: Collection[str], down_to: int | None = None) -> set[str]:
    """Return each reason once, without names of the notebook's own, so that like ones are counted together."""
    return {
        _WORD.sub(lambda word: "…" if word.group() in own else word.group(), doubt.why)
        for doubt in cell.said.doubts
        if down_to is None or doubt.line is None or doubt.line <= down_to
    }


def _names_bound_in(row: Row) -> set[str]:
    """Return the names that the row's cells bind, but for those of what they import."""
    bound: set[str] = set()
    for cell in row.cells:
        code = parse(cell.source)
        nodes = ast.walk(code.tree) if code.tree is not None else ()
        imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
        imported = {(alias.asname or alias.name).partition(".")[0] for node in imports for alias in node.names}
        bound |= names_in(code).binds - imported
    return bound
