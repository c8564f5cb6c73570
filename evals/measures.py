"""The figures of a run, computed from its rows."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]

from evals.scorer import Answer, Row


class Share(NamedTuple):
    """A proportion with its 95 % Wilson interval; `value` is None if there is nothing to divide by."""

    value: float | None
    low: float = 0.0
    high: float = 1.0


class Spread(NamedTuple):
    """Median, 95th percentile and largest of some durations [milliseconds]; None where there are none."""

    median: float | None = None
    p95: float | None = None
    largest: float | None = None


@dataclass(frozen=True)
class Counts:
    """How many rows there are of each kind; `errors` are instances whose run failed and are in no other count."""

    instances: int
    right: int
    wrong: int
    unknown: int
    errors: int
    certain: int
    certain_wrong: int
    crashes: int
    diagnosed: int


@dataclass(frozen=True)
class Detection:
    """How well crashes are told from working cells; an unknown counts as not detected."""

    accuracy: Share
    precision: Share
    recall: Share
    f1: Share


def count(rows: Collection[Row]) -> Counts:
    """Count the rows of each kind."""
    return Counts(
        instances=len(rows),
        right=sum(row.result == "right" for row in rows),
        wrong=sum(row.result == "wrong" for row in rows),
        unknown=sum(row.result == "unknown" for row in rows),
        errors=sum(row.error is not None for row in rows),
        certain=sum(row.certain for row in rows),
        certain_wrong=sum(row.certain_wrong for row in rows),
        crashes=sum(answer.truth.crash for answer in answers(rows)),
        diagnosed=sum(row.diagnosed for row in rows),
    )


def detect(rows: Collection[Row]) -> Detection:
    """Compute detection accuracy, precision, recall and F1 over the rows that have an answer.

    F1 is no proportion of the rows, but 2J / (1 + J) of one, J = tp / (tp + fp + fn): its interval is that of J,
    carried over by the same formula.
    """
    pairs = [(answer.verdict.outcome == "crash", answer.truth.crash) for answer in answers(rows)]
    tp, fp = pairs.count((True, True)), pairs.count((True, False))
    fn, tn = pairs.count((False, True)), pairs.count((False, False))
    overlap = share(tp, tp + fp + fn)
    return Detection(
        accuracy=share(tp + tn, len(pairs)),
        precision=share(tp, tp + fp),
        recall=share(tp, tp + fn),
        f1=Share(*(None if part is None else 2 * part / (1 + part) for part in overlap)),  # type: ignore[arg-type]
    )


def share(successes: int, trials: int) -> Share:
    """Return successes / trials with its 95 % Wilson interval."""
    if trials == 0:
        return Share(None)
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return Share(successes / trials, float(interval.low), float(interval.high))


def brier(rows: Collection[Row]) -> float | None:
    """Return the mean squared distance of the confidence from being right (1) or wrong (0); unknowns are left out."""
    distances = [
        (row.answer.verdict.confidence - (row.result == "right")) ** 2
        for row in rows
        if row.answer is not None and row.result != "unknown"
    ]
    return float(np.mean(distances)) if distances else None


def spread(rows: Collection[Row], duration: Callable[[Answer], float | None]) -> Spread:
    """Return the spread of one duration over the rows that have it."""
    values = [value for answer in answers(rows) if (value := duration(answer)) is not None]
    if not values:
        return Spread()
    return Spread(float(np.median(values)), float(np.percentile(values, 95)), max(values))


def answers(rows: Collection[Row]) -> Sequence[Answer]:
    """Return the answers of the rows whose run did not fail."""
    return [row.answer for row in rows if row.answer is not None]
