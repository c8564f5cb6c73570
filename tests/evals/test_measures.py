import pytest

from crane_agent.verdict.models import ExceptionClaim, Verdict
from evals.instance import Instance, Truth
from evals.measures import (
    Judged,
    beyond_s,
    brier,
    compare,
    count,
    detect,
    detected,
    diagnose,
    judged,
    mcnemar,
    share,
    spread,
)
from evals.scorer import Answer, Row, Said, failure, score

CRASHED, WORKED = Truth(status="error", ename="KeyError", line=1), Truth(status="ok")


def said(outcome: str, *, confidence: float = 0.9, predict_ms: float = 1.0, **exception: object) -> Said:
    claim = ExceptionClaim(**exception) if exception else None
    verdict = Verdict(
        outcome=outcome,
        certainty="predicted",
        confidence=confidence,
        exception=claim,
        explanation="",
        reached_by="rules",
    )
    return Said(verdict=verdict, predict_ms=predict_ms)


def row(truth: Truth, case: str = "pandas_1", **by_arm: Said) -> Row:
    return score(Instance(case=case, version="fixed", executed=(), target=""), Answer(truth=truth, said=by_arm))


def told(*pairs: tuple[Said, Truth]) -> list[Judged]:
    return judged([row(truth, off=words) for words, truth in pairs], "off")


def error() -> Row:
    return failure(Instance(case="pandas_2", version="fixed", executed=(), target=""), "no kernel")


def test_every_instance_is_counted_once_in_each_arm() -> None:
    rows = [
        row(CRASHED, off=said("crash"), on=said("crash")),
        row(WORKED, off=said("crash"), on=said("no_crash")),
        row(CRASHED, off=said("unknown"), on=said("crash")),
        error(),
    ]
    without, with_rehearsal = count(rows, "off"), count(rows, "on")
    assert (without.instances, without.right, without.wrong, without.unknown, without.errors) == (4, 1, 1, 1, 1)
    assert (with_rehearsal.instances, with_rehearsal.right, with_rehearsal.errors) == (4, 3, 1)


def test_an_arm_that_was_not_asked_is_in_no_figure() -> None:
    rows = [row(CRASHED, off=said("crash")), row(CRASHED, on=said("no_crash"))]
    assert [each.said.verdict.outcome for each in judged(rows, "on")] == ["no_crash"]
    assert count(rows, "on").instances == 1


def test_an_unknown_counts_as_not_detected_and_an_error_not_at_all() -> None:
    rows = [row(truth, on=said(outcome)) for outcome in ("crash", "unknown") for truth in (CRASHED, WORKED)]
    found = detect(judged([*rows, error()], "on"))
    assert (found.accuracy.value, found.precision.value, found.recall.value) == (0.5, 0.5, 0.5)


def test_f1_and_its_interval_come_from_the_overlap() -> None:
    pairs = [(said("crash"), CRASHED)] * 3 + [(said("crash"), WORKED)] + [(said("no_crash"), CRASHED)] * 2
    found = detect(told(*pairs)).f1
    assert found.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert found.low < found.value < found.high


def test_type_and_line_are_counted_of_the_crashes_found() -> None:
    found = diagnose(
        told(
            (said("crash", type="KeyError", line=1), CRASHED),
            (said("crash", type="KeyError", line=2), CRASHED),
            (said("crash", type="TypeError", line=1), CRASHED),
            (said("crash", type="KeyError", line=1), CRASHED.model_copy(update={"line": None})),
            (said("crash", type="KeyError", line=1), WORKED),
            (said("no_crash"), CRASHED),
        )
    )
    assert (found.type.value, found.line.value, found.both.value) == (3 / 4, 2 / 3, 2 / 4)


def test_the_interval_is_wilsons() -> None:
    # Newcombe (1998), table I: 81 of 263.
    found = share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_the_paired_test_is_mcnemars_exact_one() -> None:
    # A binomial test of 1 of 6 with p = 1/2: 2 * (1 + 6) / 64.
    found = mcnemar([(True, True)] * 4 + [(True, False)] + [(False, True)] * 5 + [(False, False)] * 2)
    assert found[:4] == (4, 1, 5, 2)
    assert found.p == pytest.approx(14 / 64)
    assert mcnemar([(True, True)]).p == 1.0


def test_arms_are_compared_on_the_instances_that_both_were_asked_about() -> None:
    rows = [
        row(CRASHED, "a_1", off=said("unknown"), on=said("crash")),
        row(WORKED, "a_2", off=said("unknown"), on=said("crash")),
        row(CRASHED, "a_3", off=said("crash")),
        row(CRASHED, "a_4", on=said("crash")),
        error(),
    ]
    assert compare(rows, "off", "on", detected)[:4] == (0, 1, 1, 0)


def test_nothing_to_divide_by_is_no_value() -> None:
    assert share(0, 0).value is None
    assert detect([]).f1.value is None
    assert diagnose([]).both.value is None
    assert brier([]) is None
    assert spread([]).median is None


def test_the_brier_score_leaves_unknowns_out() -> None:
    pairs = [(said("crash", confidence=0.8), CRASHED), (said("crash", confidence=0.6), WORKED)]
    assert brier(told(*pairs, (said("unknown"), CRASHED))) == pytest.approx((0.2**2 + 0.6**2) / 2)


def test_the_spread_is_that_of_the_durations_that_are_known() -> None:
    assert spread([1.0, None, 2.0, 30.0])[::2] == (2.0, 30.0)


def test_the_time_to_a_verdict_is_held_against_the_cells_own() -> None:
    slow, not_timed = WORKED.model_copy(update={"seconds": 2.0}), WORKED
    values = [beyond_s(each) for each in told((said("no_crash", predict_ms=2500.0), slow), (said("crash"), not_timed))]
    assert values == [pytest.approx(0.5), None]
