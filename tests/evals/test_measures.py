import pytest

from crane_agent.verdict.models import Verdict
from evals.instance import Instance, Truth
from evals.measures import brier, count, detect, share, spread
from evals.scorer import Answer, Row, failure, score

CRASHED, WORKED = Truth(status="error", ename="KeyError", line=1), Truth(status="ok")


def row(outcome: str, truth: Truth, *, confidence: float = 0.9, predict_ms: float = 1.0) -> Row:
    said = Verdict(outcome=outcome, certainty="predicted", confidence=confidence, explanation="", reached_by="rules")
    instance = Instance(case="pandas_1", version="fixed", executed=(), target="")
    return score(instance, Answer(verdict=said, truth=truth, predict_ms=predict_ms))


def error() -> Row:
    return failure(Instance(case="pandas_2", version="fixed", executed=(), target=""), "no kernel")


def test_every_row_is_counted_once() -> None:
    counts = count([row("crash", CRASHED), row("crash", WORKED), row("unknown", CRASHED), error()])
    assert (counts.instances, counts.right, counts.wrong, counts.unknown, counts.errors) == (4, 1, 1, 1, 1)


def test_an_unknown_counts_as_not_detected_and_an_error_not_at_all() -> None:
    rows = [row("crash", CRASHED), row("unknown", CRASHED), row("unknown", WORKED), row("crash", WORKED), error()]
    found = detect(rows)
    assert (found.accuracy.value, found.precision.value, found.recall.value) == (0.5, 0.5, 0.5)


def test_f1_and_its_interval_come_from_the_overlap() -> None:
    rows = [row("crash", CRASHED)] * 3 + [row("crash", WORKED)] + [row("no_crash", CRASHED)] * 2
    found = detect(rows).f1
    assert found.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert found.low < found.value < found.high


def test_the_interval_is_wilsons() -> None:
    # Newcombe (1998), table I: 81 of 263.
    found = share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_nothing_to_divide_by_is_no_value() -> None:
    assert share(0, 0).value is None
    assert detect([]).f1.value is None
    assert brier([error()]) is None
    assert spread([error()], lambda answer: answer.predict_ms).median is None


def test_the_brier_score_leaves_unknowns_out() -> None:
    rows = [row("crash", CRASHED, confidence=0.8), row("crash", WORKED, confidence=0.6), row("unknown", CRASHED)]
    assert brier(rows) == pytest.approx((0.2**2 + 0.6**2) / 2)


def test_the_spread_is_that_of_the_rows_that_have_the_duration() -> None:
    rows = [row("crash", CRASHED, predict_ms=value) for value in (1.0, 2.0, 30.0)] + [error()]
    assert spread(rows, lambda answer: answer.predict_ms)[::2] == (2.0, 30.0)
    assert spread(rows, lambda answer: answer.check_ms).median is None
