"""The figures of a run, computed from its rows."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]

from evals.instance import Truth
from evals.scorer import Arm, Row, Said, Score


class Share(NamedTuple):
    """A proportion with its 95 % Wilson interval; `value` is None if there is nothing to divide by."""

    value: float | None
    low: float = 0.0
    high: float = 1.0


class Spread(NamedTuple):
    """Median, 95th percentile and largest of some durations; None where there are none."""

    median: float | None = None
    p95: float | None = None
    largest: float | None = None


class Judged(NamedTuple):
    """One arm's word about one instance, and what it is worth."""

    row: Row
    said: Said
    truth: Truth
    score: Score

    @property
    def found(self) -> bool:
        """Whether a crash was foreseen; an unknown is none."""
        return self.said.verdict.outcome == "crash"


@dataclass(frozen=True)
class Counts:
    """How many instances there are of each kind; `errors` are those whose run failed, which are in no other count."""

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


class Diagnosis(NamedTuple):
    """How often type and line are right, of the crashes found; what is not known of the truth is left out."""

    type: Share
    line: Share
    both: Share


class Paired(NamedTuple):
    """Two answers to the same questions: how often each was right, and McNemar's exact test, two-sided."""

    both: int
    first_only: int
    second_only: int
    neither: int
    p: float


def judged(rows: Iterable[Row], arm: Arm) -> list[Judged]:
    """Return what was said in one arm; instances whose run failed are left out."""
    return [
        Judged(row, row.answer.said[arm], row.answer.truth, row.scores[arm])
        for row in rows
        if row.answer is not None and arm in row.answer.said
    ]


def count(rows: Collection[Row], arm: Arm) -> Counts:
    """Count the instances of each kind."""
    told = judged(rows, arm)
    results = Counter(each.score.result for each in told)
    errors = sum(row.error is not None for row in rows)
    return Counts(
        instances=len(told) + errors,
        right=results["right"],
        wrong=results["wrong"],
        unknown=results["unknown"],
        errors=errors,
        certain=sum(each.score.certain for each in told),
        certain_wrong=sum(each.score.certain_wrong for each in told),
        crashes=sum(each.truth.crash for each in told),
        diagnosed=sum(each.score.diagnosed for each in told),
    )


def detect(told: Collection[Judged]) -> Detection:
    """Compute detection accuracy, precision, recall and F1.

    F1 is no proportion of the instances, but 2J / (1 + J) of one, J = tp / (tp + fp + fn): its interval is that of J,
    carried over by the same formula.
    """
    pairs = [(each.found, each.truth.crash) for each in told]
    tp, fp = pairs.count((True, True)), pairs.count((True, False))
    fn, tn = pairs.count((False, True)), pairs.count((False, False))
    overlap = share(tp, tp + fp + fn)
    return Detection(
        accuracy=share(tp + tn, len(pairs)),
        precision=share(tp, tp + fp),
        recall=share(tp, tp + fn),
        f1=Share(*(None if part is None else 2 * part / (1 + part) for part in overlap)),  # type: ignore[arg-type]
    )


def diagnose(told: Collection[Judged]) -> Diagnosis:
    """Compute how often type and line are right, of the crashes found."""
    scores = [each.score for each in told if each.found and each.truth.crash]
    types = [score.type_right for score in scores if score.type_right is not None]
    lines = [score.line_right for score in scores if score.line_right is not None]
    return Diagnosis(
        share(sum(types), len(types)),
        share(sum(lines), len(lines)),
        share(sum(score.diagnosed for score in scores), len(types)),
    )


def compare(rows: Collection[Row], first: Arm, second: Arm, is_right: Callable[[Judged], bool]) -> Paired:
    """Compare two arms on the instances that both were asked about."""
    answers = [{each.row.key: is_right(each) for each in judged(rows, arm)} for arm in (first, second)]
    return mcnemar((right, answers[1][key]) for key, right in answers[0].items() if key in answers[1])


def mcnemar(pairs: Iterable[tuple[bool, bool]]) -> Paired:
    """Compare two answers to each question by McNemar's exact test, two-sided: whether each of them is right."""
    counts = Counter(pairs)
    first_only, second_only = counts[True, False], counts[False, True]
    discordant = first_only + second_only
    p = float(binomtest(first_only, discordant).pvalue) if discordant else 1.0
    return Paired(counts[True, True], first_only, second_only, counts[False, False], p)


def detected(each: Judged) -> bool:
    """Whether a crash was told from a working cell; an unknown counts as no crash."""
    return each.found == each.truth.crash


def share(successes: int, trials: int) -> Share:
    """Return successes / trials with its 95 % Wilson interval."""
    if trials == 0:
        return Share(None)
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return Share(successes / trials, float(interval.low), float(interval.high))


def brier(told: Collection[Judged]) -> float | None:
    """Return the mean squared distance of the confidence from being right (1) or wrong (0); unknowns are left out."""
    distances = [
        (each.said.verdict.confidence - (each.score.result == "right")) ** 2
        for each in told
        if each.score.result != "unknown"
    ]
    return float(np.mean(distances)) if distances else None


def spread(values: Iterable[float | None]) -> Spread:
    """Return the spread of some durations; those that are None are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread()
    return Spread(float(np.median(known)), float(np.percentile(known, 95)), max(known))


def beyond_s(each: Judged) -> float | None:
    """Return the time to the verdict beyond the cell's own [seconds]; negative if it came sooner."""
    own_s = each.truth.seconds
    return None if own_s is None else each.said.predict_ms / 1000 - own_s
