import pytest
from arms import ADAPTIVE, FIXED, STATIC, WORKED, failed, prediction

pytest.importorskip("statsmodels")

from evals.junobench.statistics import agreement, by_arm, comparisons, disagreements, figures, holm, votes


def test_detection_counts_an_unknown_as_no_crash_and_a_failed_run_not_at_all() -> None:
    rows = [
        prediction("a_1", "crash"),
        prediction("a_2", "unknown"),
        prediction("a_1", "crash", WORKED),
        prediction("a_2", "no_crash", WORKED),
        failed("a_3"),
    ]
    found = figures(rows)
    assert found.detection.confusion == (1, 1, 1, 1)
    assert (found.instances, found.predictions, found.errors, found.abstained.value) == (4, 5, 1, 0.25)
    assert found.detection.accuracy.low == pytest.approx(0.1500, abs=1e-4)
    assert found.detection.accuracy.high == pytest.approx(0.8500, abs=1e-4)


def test_a_crash_told_with_another_type_is_detected_but_not_diagnosed() -> None:
    found = figures([prediction("a_1", "crash"), prediction("a_2", "crash", type="ValueError")])
    assert found.detection.confusion.tp == 2
    assert found.diagnosed.confusion == (1, 0, 1, 0)


def test_reasons_have_figures_only_when_every_one_was_judged() -> None:
    judged, open_one = prediction("a_1", "crash", reason_right=False), prediction("a_2", "crash")
    assert figures([judged, open_one]).explained is None
    assert figures([judged, prediction("a_2", "crash", reason_right=True)]).explained.confusion == (1, 0, 1, 0)


def test_epochs_count_once_by_their_majority() -> None:
    outcomes = ("crash", "no_crash", "crash")
    rows = [prediction("a_1", outcome, epoch=number) for number, outcome in enumerate(outcomes, start=1)]
    (vote,) = votes(rows).values()
    assert (vote.outcome, vote.detected, figures(rows).instances) == ("crash", True, 1)
    tie = votes(rows[:2])["a_1", "reproduced"]
    assert (tie.outcome, tie.detected) == ("unknown", False)


def test_what_is_certain_and_wrong_is_counted_of_every_epoch() -> None:
    rows = [prediction("a_1", "crash", WORKED, epoch=epoch) for epoch in (1, 2)]
    certain = {"certain": True, "certain_wrong": True}
    wrong = [row.model_copy(update={"score": row.score.model_copy(update=certain)}) for row in rows]
    found = figures(wrong)
    assert (found.certain, found.certain_wrong, found.instances) == (2, 2, 1)


def test_labels_are_of_the_crashes_whose_label_is_known() -> None:
    told = prediction("a_1", "crash", crash_type="key error")
    right = told.model_copy(update={"verdict": told.verdict.model_copy(update={"crash_type": "key error"})})
    missed = prediction("a_2", "no_crash", crash_type="key error")
    found = figures([right, missed, prediction("a_3", "crash")])
    assert found.labels["crash_type"].value == 0.5
    assert found.labels_found["crash_type"].value == 1.0
    assert found.labels["root_cause"].value is None


def test_the_reliability_curve_bins_confidence_and_leaves_unknowns_out() -> None:
    rows = [
        prediction("a_1", "crash", confidence=0.92),
        prediction("a_2", "no_crash", confidence=0.96),
        prediction("a_3", "crash", confidence=0.55),
        prediction("a_4", "unknown", confidence=0.5),
    ]
    low, high = figures(rows).reliability
    assert (low.n, low.right.value) == (1, 1.0)
    assert (high.n, high.confidence, high.right.value) == (2, pytest.approx(0.94), 0.5)
    assert figures(rows).brier == pytest.approx((0.08**2 + 0.96**2 + 0.45**2) / 3)


def test_arms_are_compared_on_the_instances_that_both_speak_of() -> None:
    rows = [
        *(prediction(f"a_{number}", "crash", arm=ADAPTIVE) for number in range(6)),
        *(prediction(f"a_{number}", "no_crash", arm=FIXED) for number in range(6)),
        prediction("a_0", "crash", arm=STATIC),
        failed("a_1", arm=STATIC),
    ]
    said = {name: votes(each) for name, each in by_arm(rows).items()}
    compared = comparisons(said, lambda vote: vote.detected)
    whole = compared["adaptive", "fixed"]
    assert (whole.n, whole.first_only, whole.second_only) == (6, 6, 0)
    assert whole.p == pytest.approx(2 * 0.5**6)
    assert compared["adaptive", "static"].n == 1
    assert holm([0.01, 0.04]) == [0.02, 0.04]


def test_arms_disagree_by_outcome_or_by_diagnosis() -> None:
    rows = [
        prediction("a_1", "crash", arm=ADAPTIVE),
        prediction("a_1", "crash", arm=FIXED, type="ValueError"),
        prediction("a_2", "crash", arm=ADAPTIVE),
        prediction("a_2", "crash", arm=FIXED),
        prediction("a_3", "unknown", WORKED, arm=ADAPTIVE),
        prediction("a_3", "no_crash", WORKED, arm=FIXED),
    ]
    unlike = disagreements({name: votes(each) for name, each in by_arm(rows).items()})
    assert list(unlike) == [("a_1", "reproduced"), ("a_3", "fixed")]


def test_two_judges_agree_beyond_chance_or_kappa_is_not_known() -> None:
    one = dict.fromkeys("abcdefgh", True) | dict.fromkeys("ijkl", False)
    found = agreement(one, one | {"a": False})
    assert (found.same.value, found.table.first_only) == (pytest.approx(11 / 12), 1)
    # By hand: observed 11/12, expected (8 * 7 + 4 * 5) / 144.
    assert found.kappa == pytest.approx((11 / 12 - 76 / 144) / (1 - 76 / 144))
    assert agreement({"a": True}, {"a": True}).kappa is None


def test_costs_are_of_what_is_known() -> None:
    rows = [prediction("a_1", "crash", seconds=1.0, fact_bytes=10), prediction("a_2", "crash", fact_bytes=30)]
    costs = figures(rows).costs
    assert (costs["time [s]"].n, costs["time [s]"].total) == (1, 1.0)
    assert (costs["text of facts [bytes]"].each.median, costs["text of facts [bytes]"].total) == (20, 40)


def test_nothing_gives_no_figures_rather_than_an_error() -> None:
    found = figures([failed("a_1")])
    assert (found.detection.accuracy.value, found.brier, found.reliability) == (None, None, ())
