"""The checker's figures as tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from evals.checker.rows import Row
from evals.table import Section


class Grouping(NamedTuple):
    """What rows are counted by: a word for it, and the group of a row."""

    name: str
    group_of: Callable[[Row], str]


def sections(
    rows: Sequence[Row], *, groupings: Sequence[Grouping], provenance: Mapping[str, str]
) -> list[Section]:
    return [Section("Made with", ("what", "value"), tuple(provenance.items()))]
