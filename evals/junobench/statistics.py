"""The figures of a grid: each arm's, those between arms, and how well two judges of reasons agree.

An instance that was asked about in several epochs counts once, by their majority, as in the paper. What a prediction
costs, how sure it is and what it calls certain is counted of every epoch.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from scipy.stats import binned_statistic  # type: ignore[import-untyped]
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from crane_agent.verdict.models import Outcome, Verdict
from evals.instance import Truth
from evals.junobench.predictions import Prediction
from evals.measures import Detection, Paired, Share, Spread, brier, detect, pair, share, spread
from evals.scorer import Score

Label = Literal["root_cause", "crash_type", "ml_stage"]

LABELS: dict[Label, str] = {"root_cause": "root cause", "crash_type": "crash type", "ml_stage": "ML stage"}
"""JunoBench's labels, and their words."""

BINS = 10
"""Bins of the reliability curve, of equal width."""

K = TypeVar("K", bound=Hashable)


class Made(NamedTuple):
    """A prediction whose run did not fail."""

    prediction: Prediction
    truth: Truth
    verdict: Verdict
    score: Score

    @property
    def found(self) -> bool:
        """Whether a crash was foreseen; an unknown is none."""
        return self.verdict.outcome == "crash"

    @property
    def found_crash(self) -> bool:
        """Whether a real crash was foreseen."""
        return self.found and self.truth.crash


@dataclass(frozen=True)
class Vote:
    """What an arm says of an instance: what more than half of the epochs say.

    Attributes:
        epochs: The epochs, at least one. The truth is the first one's.
    """

    epochs: tuple[Made, ...]

    @property
    def prediction(self) -> Prediction:
        """The row of the first epoch."""
        return self.epochs[0].prediction

    @property
    def truth(self) -> Truth:
        """What really happened."""
        return self.epochs[0].truth

    @property
    def outcome(self) -> Outcome:
        """The outcome that more than half of the epochs give; unknown if there is none."""
        outcome, times = Counter(each.verdict.outcome for each in self.epochs).most_common(1)[0]
        return outcome if 2 * times > len(self.epochs) else "unknown"

    @property
    def found(self) -> bool:
        """Whether a crash was foreseen; an unknown is none."""
        return self.outcome == "crash"

    @property
    def detected(self) -> bool:
        """Whether a crash was told from a working cell; an unknown counts as no crash."""
        return self.found == self.truth.crash

    @property
    def diagnosed(self) -> bool:
        """Whether a crash was found with its type and, where known, its line."""
        return self._most(each.score.diagnosed for each in self.epochs)

    @property
    def detected_and_diagnosed(self) -> bool:
        """Whether the instance is told right, a crash with its type and, where known, its line."""
        return self.detected and (self.diagnosed or not self.truth.crash)

    @property
    def spokesman(self) -> Made:
        """The first epoch that says what most say; the first one, if there is no such thing."""
        return next((each for each in self.epochs if each.verdict.outcome == self.outcome), self.epochs[0])

    @property
    def judged(self) -> bool:
        """Whether every reason that was given for a real crash was judged."""
        return all(each.prediction.reason_right is not None for each in self.epochs if each.found_crash)

    @property
    def explained(self) -> bool:
        """Whether a crash was found for the written reason; what was not judged counts as not."""
        return self._most(each.found_crash and bool(each.prediction.reason_right) for each in self.epochs)

    def labelled(self, label: Label) -> bool:
        """Whether a crash was found with the right label."""
        pairs = (
            (each.found_crash, getattr(each.verdict, label), getattr(each.prediction, label)) for each in self.epochs
        )
        return self._most(found and told is not None and told == real for found, told, real in pairs)

    def _most(self, holds: Iterable[bool]) -> bool:
        return 2 * sum(holds) > len(self.epochs)


class Jointly(NamedTuple):
    """A word about an instance that finds a crash only where it tells why, too."""

    found: bool
    truth: Truth


class Bin(NamedTuple):
    """The verdicts of like confidence: from `low`, to `high`, how many, their mean, and how many are right."""

    low: float
    high: float
    n: int
    confidence: float
    right: Share


class Cost(NamedTuple):
    """What predictions cost in one kind: of how many that is known, the spread and the sum."""

    n: int
    each: Spread
    total: float


@dataclass(frozen=True)
class Figures:
    """The figures of one arm.

    Attributes:
        instances: Instances that it said something about.
        predictions: Runs, failed ones included.
        errors: Runs that failed; they are in no other figure.
        detection: How well crashes are told from working cells.
        diagnosed: The same, a crash being found only with its type and line.
        explained: The same with its reason; None unless every reason for a real crash was judged.
        labels: How often each label is right, of the real crashes whose label is known; one not found counts as wrong.
        labels_found: The same of those that were found.
        certain: Verdicts given as certain.
        certain_wrong: Those of them that are wrong about outcome, type or line.
        abstained: How many instances it leaves unknown.
        brier: Mean squared distance of the confidence from being right; unknowns are left out.
        reliability: How often verdicts of like confidence are right; bins without any are left out, so are unknowns.
        costs: What the predictions cost, by kind.
    """

    instances: int
    predictions: int
    errors: int
    detection: Detection
    diagnosed: Detection
    explained: Detection | None
    labels: Mapping[Label, Share]
    labels_found: Mapping[Label, Share]
    certain: int
    certain_wrong: int
    abstained: Share
    brier: float | None
    reliability: tuple[Bin, ...]
    costs: Mapping[str, Cost]


class Agreement(NamedTuple):
    """Two judges of the same reasons: how often both say the same, and Cohen's kappa with its 95 % interval.

    `table` counts as `Paired` does, right being what is judged; `kappa` is None where chance alone explains all.
    """

    table: Paired
    same: Share
    kappa: float | None
    low: float | None = None
    high: float | None = None


def made(predictions: Iterable[Prediction]) -> list[Made]:
    """Return the predictions whose run did not fail."""
    return [
        Made(row, row.truth, row.verdict, row.score)
        for row in predictions
        if row.error is None and row.truth is not None and row.verdict is not None and row.score is not None
    ]


def by_arm(predictions: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    """Sort predictions by the name of their arm, in the order in which arms come first."""
    return grouped(predictions, lambda row: row.arm.name)


def votes(predictions: Iterable[Prediction]) -> dict[tuple[str, str], Vote]:
    """Return what one arm says of each instance that it says something about, by instance, sorted."""
    epochs = grouped(made(predictions), lambda each: each.prediction.instance)
    return {key: Vote(tuple(sorted(epochs[key], key=lambda each: each.prediction.epoch))) for key in sorted(epochs)}


T = TypeVar("T")


def grouped(members: Iterable[T], group_of: Callable[[T], K | None]) -> dict[K, list[T]]:
    """Sort members by group, in the order in which groups come first; a member without a group is left out."""
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for member in members:
        group = group_of(member)
        if group is not None:
            groups[group].append(member)
    return dict(groups)


def figures(predictions: Sequence[Prediction]) -> Figures:
    """Compute the figures of one arm from its predictions."""
    answers, decided = made(predictions), list(votes(predictions).values())
    crashes = [vote for vote in decided if vote.truth.crash]
    found = [vote for vote in crashes if vote.found]
    is_judged = bool(decided) and all(vote.judged for vote in decided)
    return Figures(
        instances=len(decided),
        predictions=len(predictions),
        errors=len(predictions) - len(answers),
        detection=detect(decided),
        diagnosed=joint(decided, lambda vote: vote.diagnosed),
        explained=joint(decided, lambda vote: vote.explained) if is_judged else None,
        labels={label: _labelled(crashes, label) for label in LABELS},
        labels_found={label: _labelled(found, label) for label in LABELS},
        certain=sum(each.score.certain for each in answers),
        certain_wrong=sum(each.score.certain_wrong for each in answers),
        abstained=share(sum(vote.outcome == "unknown" for vote in decided), len(decided)),
        brier=brier(answers),
        reliability=reliability(answers),
        costs={name: _cost(map(cost_of, answers)) for name, cost_of in _costs(answers).items()},
    )


def joint(decided: Iterable[Vote], tells_why: Callable[[Vote], bool]) -> Detection:
    """Compute detection where a crash counts as found only if it is told why, too; every other crash is missed.

    Args:
        decided: What one arm says of the instances.
        tells_why: Whether it tells why a crash is one.
    """
    return detect(Jointly(vote.found and (not vote.truth.crash or tells_why(vote)), vote.truth) for vote in decided)


def reliability(answers: Iterable[Made]) -> tuple[Bin, ...]:
    """Say how often verdicts of like confidence are right, in bins of equal width; unknowns are left out."""
    known = [each for each in answers if each.score.result != "unknown"]
    if not known:
        return ()
    confidence = np.array([each.verdict.confidence for each in known])
    right = np.array([each.score.result == "right" for each in known])
    means, edges, bin_of = binned_statistic(confidence, confidence, "mean", bins=BINS, range=(0, 1))
    members = [right[bin_of == number] for number in range(1, BINS + 1)]
    return tuple(
        Bin(float(low), float(high), len(each), float(mean), share(int(each.sum()), len(each)))
        for (low, high), mean, each in zip(pairwise(edges), means, members, strict=True)
        if len(each)
    )


def comparisons(
    arms: Mapping[K, Mapping[tuple[str, str], Vote]], is_right: Callable[[Vote], bool]
) -> dict[tuple[K, K], Paired]:
    """Compare every two arms on the instances that both speak of, by arms.

    Args:
        arms: What each arm says of each instance.
        is_right: Whether what it says of an instance is right.
    """
    right = {arm: {key: is_right(vote) for key, vote in decided.items()} for arm, decided in arms.items()}
    return {(first, second): pair(right[first], right[second]) for first, second in combinations(right, 2)}


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return p-values after Holm's correction for all of them."""
    return [float(p) for p in multipletests(probabilities, method="holm")[1]]


def disagreements(
    arms: Mapping[str, Mapping[tuple[str, str], Vote]],
) -> dict[tuple[str, str], dict[str, Vote]]:
    """Return the instances that arms say different things of, with what each says: outcome, or type and line."""
    instances = sorted({key for decided in arms.values() for key in decided})
    said = {key: {name: decided[key] for name, decided in arms.items() if key in decided} for key in instances}
    return {
        key: each
        for key, each in said.items()
        if len({(vote.outcome, vote.found and vote.truth.crash and vote.diagnosed) for vote in each.values()}) > 1
    }


def judgements(predictions: Iterable[Prediction]) -> dict[tuple[str, str, str, int], bool]:
    """Return which reasons were judged to be right, by the key of their prediction."""
    return {row.key: row.reason_right for row in predictions if row.reason_right is not None}


def agreement(first: Mapping[K, bool], second: Mapping[K, bool]) -> Agreement:
    """Say how well two judges agree, on what both have judged."""
    table = pair(first, second)
    same = share(table.both + table.neither, table.n)
    if table.n in (table.both, table.neither):
        return Agreement(table, same, None)
    kappa = cohens_kappa(np.array([[table.both, table.first_only], [table.second_only, table.neither]]))
    return Agreement(table, same, float(kappa.kappa), float(kappa.kappa_low), float(kappa.kappa_upp))


def _labelled(decided: Iterable[Vote], label: Label) -> Share:
    known = [vote for vote in decided if getattr(vote.prediction, label) is not None]
    return share(sum(vote.labelled(label) for vote in known), len(known))


def _costs(answers: Iterable[Made]) -> dict[str, Callable[[Made], float | None]]:
    """Name what a prediction costs, with units; money has a row for each currency."""
    currencies = sorted({each.verdict.usage.currency for each in answers if each.verdict.usage.currency})
    return {
        "tokens in": lambda each: each.verdict.usage.tokens_in,
        "of them cached": lambda each: each.verdict.usage.tokens_cached,
        "tokens out": lambda each: each.verdict.usage.tokens_out,
        "steps of the policy": lambda each: each.verdict.usage.steps,
        "calls of probes": lambda each: each.verdict.usage.probe_calls,
        "rehearsals": lambda each: each.verdict.usage.rehearsals,
        "text of facts [bytes]": lambda each: each.prediction.fact_bytes,
        "out of the kernel [bytes]": lambda each: each.prediction.kernel_bytes,
        "time [s]": lambda each: each.prediction.seconds,
        **{f"price [{currency}]": _price_in(currency) for currency in currencies},
    }


def _price_in(currency: str) -> Callable[[Made], float | None]:
    return lambda each: each.verdict.usage.cost if each.verdict.usage.currency == currency else None


def _cost(values: Iterable[float | None]) -> Cost:
    known = [value for value in values if value is not None]
    return Cost(len(known), spread(known), sum(known))
