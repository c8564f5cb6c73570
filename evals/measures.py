"""The figures of a run, computed from its rows."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_test  # type: ignore[import-untyped]

from crane_agent.verdict.models import Verdict
from evals.instance import Truth
from evals.scorer import Arm, Row, Said, Score

K = TypeVar("K", bound=Hashable)


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


class Decided(Protocol):
    """A word about an instance, held against the truth."""

    @property
    def found(self) -> bool:
        """Whether a crash was foreseen; an unknown is none."""

    @property
    def truth(self) -> Truth:
        """What really happened."""


class Told(Decided, Protocol):
    """A verdict, held against the truth."""

    @property
    def verdict(self) -> Verdict:
        """The verdict."""

    @property
    def score(self) -> Score:
        """What it is worth."""


class Judged(NamedTuple):
    """One arm's word about one instance, and what it is worth."""

    row: Row
    said: Said
    truth: Truth
    score: Score

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.said.verdict

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


class Confusion(NamedTuple):
    """Crashes found (tp) and missed (fn), working cells taken for crashes (fp) and not (tn)."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True)
class Detection:
    """How well crashes are told from working cells; an unknown counts as not detected."""

    confusion: Confusion
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

    @property
    def n(self) -> int:
        """How many questions both answered."""
        return self.both + self.first_only + self.second_only + self.neither


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


def detect(decided: Iterable[Decided]) -> Detection:
    """Compute detection accuracy, precision, recall and F1.

    F1 is no proportion of the instances, but 2J / (1 + J) of one, J = tp / (tp + fp + fn): its interval is that of J,
    carried over by the same formula.
    """
    pairs = [(each.found, each.truth.crash) for each in decided]
    tp, fp = pairs.count((True, True)), pairs.count((True, False))
    fn, tn = pairs.count((False, True)), pairs.count((False, False))
    overlap = share(tp, tp + fp + fn)
    return Detection(
        confusion=Confusion(tp=tp, fp=fp, fn=fn, tn=tn),
        accuracy=share(tp + tn, len(pairs)),
        precision=share(tp, tp + fp),
        recall=share(tp, tp + fn),
        f1=Share(*(None if part is None else 2 * part / (1 + part) for part in overlap)),  # type: ignore[arg-type]
    )


def diagnose(told: Iterable[Told]) -> Diagnosis:
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
    return pair(*({each.row.key: is_right(each) for each in judged(rows, arm)} for arm in (first, second)))


def pair(first: Mapping[K, bool], second: Mapping[K, bool]) -> Paired:
    """Compare two answers, by question, on the questions that have both: whether each of them is right."""
    return mcnemar((right, second[key]) for key, right in first.items() if key in second)


def mcnemar(pairs: Iterable[tuple[bool, bool]]) -> Paired:
    """Compare two answers to each question by McNemar's exact test, two-sided: whether each of them is right."""
    counts = Counter(pairs)
    table = [[counts[first, second] for second in (True, False)] for first in (True, False)]
    (both, first_only), (second_only, neither) = table
    return Paired(both, first_only, second_only, neither, float(mcnemar_test(table, exact=True).pvalue))


def detected(each: Decided) -> bool:
    """Whether a crash was told from a working cell; an unknown counts as no crash."""
    return each.found == each.truth.crash


def share(successes: int, trials: int) -> Share:
    """Return successes / trials with its 95 % Wilson interval."""
    if trials == 0:
        return Share(None)
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return Share(successes / trials, float(interval.low), float(interval.high))


def brier(told: Iterable[Told]) -> float | None:
    """Return the mean squared distance of the confidence from being right (1) or wrong (0); unknowns are left out."""
    distances = [
        (each.verdict.confidence - (each.score.result == "right")) ** 2
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
