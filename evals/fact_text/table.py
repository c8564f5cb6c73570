"""The costs of facts as tables."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from evals.fact_text.choice import PROBES_ASKED
from evals.fact_text.rows import ENCODING, Level, Row, Size
from evals.table import Section, short

MOST = 0.5
"""Part of the summary's text that two probes' may be, at the median of the instances."""

UNITS = ("bytes", "tokens")
QUARTILES = ("n", "least", "lower quartile", "median", "upper quartile", "largest")
NOTE = (
    "Both texts as a model gets them: the summary as the first message has it, the probes' answers as tool replies "
    "with their fact ids, in the same kernel at the same moment. Which two probes are asked is said in "
    f"evals/fact_text/choice.py. Tokens are those of {ENCODING}."
)
PUBLISHED_NOTE = (
    "Published: the fixed summary that the paper's authors gave their models, as their files have it. They made it "
    "with access to all values; compare it with the level values."
)
QUESTION_NOTE = (
    "What is sent with the first question of a run; every later one sends it again, with the calls and their replies. "
    "The case has the cells, the target, the checker's report, and the summary where there is one."
)

Measured = Mapping[str, Sequence[float]]


def sections(rows: Sequence[Row], *, provenance: Mapping[str, str]) -> list[Section]:
    """Turn rows into tables; those without a line are left out.

    Args:
        rows: One row an instance, in any order.
        provenance: What the figures were made with: command and versions, by name.
    """
    levels = sorted({level for row in rows if row.found is not None for level in row.found.levels})
    parts = [
        Section("Must hold", ("level", "unit", "median of two probes / summary", "at most"), tuple(_must_hold(rows))),
        *(
            Section(f"{title} [{unit}]", ("level", "text", *QUARTILES), tuple(_lines(rows, levels, texts, place)), note)
            for title, texts, note in (
                ("Fact text", _fact_texts, f"{NOTE} {PUBLISHED_NOTE}"),
                ("A whole question", _question_texts, QUESTION_NOTE),
            )
            for place, unit in enumerate(UNITS)
        ),
        Section("Two probes / summary", ("level", "unit", *QUARTILES), tuple(_ratios(rows, levels))),
        Section("Probes asked", ("what", "n"), tuple(_asked(rows))),
        Section("Time", ("level", "what", *QUARTILES), tuple(_times(rows, levels))),
        Section("Failed", ("instance", "why"), tuple(_failed(rows))),
        Section("Made with", ("what", "value"), tuple(provenance.items())),
    ]
    return [part for part in parts if part.rows]


def ratios(rows: Iterable[Row], level: str, place: int) -> list[float]:
    """Return for each instance the text of two probes over that of the summary, at a level, in bytes or tokens."""
    return [found.asked[place] / found.summary[place] for found in _at(rows, level)]


def holds(rows: Sequence[Row]) -> bool:
    """Whether two probes cost at most half of the summary at the median of the instances, at every level and unit."""
    return all(float(line[2]) <= MOST for line in _must_hold(rows))


def _must_hold(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for level in sorted({level for row in rows if row.found is not None for level in row.found.levels}):
        for place, unit in enumerate(UNITS):
            yield level, unit, f"{statistics.median(ratios(rows, level, place)):.3f}", f"{MOST}"


def _at(rows: Iterable[Row], level: str) -> list[Level]:
    return [row.found.levels[level] for row in rows if row.found is not None]


def _fact_texts(rows: Sequence[Row], level: str) -> Iterator[tuple[str, list[Size]]]:
    found = _at(rows, level)
    yield "summary", [each.summary for each in found]
    for arm in found[0].without:
        yield f"summary, {arm}", [each.without[arm] for each in found]
    yield "published summary", [row.published for row in rows if row.published is not None]
    yield f"{PROBES_ASKED} probes", [each.asked for each in found]
    yield "each probe", [size for each in found for size in each.probes]


def _question_texts(rows: Sequence[Row], level: str) -> Iterator[tuple[str, list[Size]]]:
    found = _at(rows, level)
    for arm, parts in found[0].questions.items():
        for part in parts:
            yield f"{arm}: {part}", [each.questions[arm][part] for each in found]
        yield f"{arm}: in all", [sum(each.questions[arm].values(), Size(0, 0)) for each in found]


Texts = Callable[[Sequence[Row], str], Iterator[tuple[str, list[Size]]]]


def _lines(rows: Sequence[Row], levels: Iterable[str], texts: Texts, place: int) -> Iterator[tuple[str, ...]]:
    for level in levels:
        for name, sizes in texts(rows, level):
            yield level, name, *_quartiles([size[place] for size in sizes], digits=0)


def _ratios(rows: Sequence[Row], levels: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for level in levels:
        for place, unit in enumerate(UNITS):
            yield level, unit, *_quartiles(ratios(rows, level, place), digits=3)


def _times(rows: Sequence[Row], levels: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for level in levels:
        yield level, "summary [ms]", *_quartiles([found.summary_ms for found in _at(rows, level)], digits=1)


def _asked(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    found = [row.found for row in rows if row.found is not None]
    yield "chosen by the rule policy", str(sum(each.by_policy for each in found))
    yield "chosen by the names that the target reads", str(sum(len(each.probes) - each.by_policy for each in found))
    yield "not answered", str(sum(each.refused for each in found))
    counts = Counter(probe for each in found for probe in each.probes)
    yield from ((f"`{probe}`", str(count)) for probe, count in counts.most_common())


def _failed(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    yield from ((f"{row.case} {row.version}", short(row.error)) for row in rows if row.error is not None)


def _quartiles(values: Sequence[float], *, digits: int) -> tuple[str, ...]:
    if not values:
        return "0", *("n/a",) * (len(QUARTILES) - 1)
    inner = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return str(len(values)), *(f"{each:.{digits}f}" for each in (min(values), *inner, max(values)))
