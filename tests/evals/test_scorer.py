import pytest

from crane_agent.verdict.models import ExceptionClaim, Verdict
from evals.instance import Instance, Truth
from evals.scorer import Answer, Row, Said, Score, failure, score

INSTANCE = Instance(case="pandas_1", version="reproduced", executed=("x = 1",), target="x['a']")
KEY_ERROR = Truth(status="error", ename="KeyError", evalue="'a'", line=1)


def row_of(truth: Truth, **verdicts: Verdict) -> Row:
    said = {arm: Said(verdict=verdict, predict_ms=1.0) for arm, verdict in verdicts.items()}
    return score(INSTANCE, Answer(truth=truth, said=said))


def scored(verdict: Verdict, truth: Truth) -> Score:
    return row_of(truth, off=verdict).scores["off"]


def verdict(outcome: str, certainty: str = "predicted", **exception: object) -> Verdict:
    claim = ExceptionClaim(**exception) if exception else None
    return Verdict(
        outcome=outcome, certainty=certainty, confidence=0.9, exception=claim, explanation="", reached_by="rules"
    )


def test_a_crash_foreseen_is_right() -> None:
    row = scored(verdict("crash", type="KeyError", line=1), KEY_ERROR)
    assert (row.result, row.type_right, row.line_right, row.diagnosed) == ("right", True, True, True)


def test_a_crash_foreseen_where_none_happens_is_wrong() -> None:
    row = scored(verdict("crash", type="KeyError", line=1), Truth(status="ok"))
    assert (row.result, row.type_right, row.line_right, row.diagnosed) == ("wrong", None, None, False)


def test_a_crash_missed_is_wrong() -> None:
    assert scored(verdict("no_crash"), KEY_ERROR).result == "wrong"


@pytest.mark.parametrize("truth", [KEY_ERROR, Truth(status="ok")])
def test_unknown_is_neither_right_nor_wrong(truth: Truth) -> None:
    assert scored(verdict("unknown"), truth).result == "unknown"


@pytest.mark.parametrize(
    ("truth", "crash"),
    [
        (Truth(status="ok"), False),
        (Truth(status="timeout"), False),
        (Truth(status="died"), True),
        (KEY_ERROR, True),
        (Truth(status="error", ename="SystemExit"), False),
        (Truth(status="error", ename="KeyboardInterrupt"), False),
    ],
)
def test_only_errors_and_dead_kernels_are_crashes(truth: Truth, crash: bool) -> None:
    assert truth.crash is crash


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (verdict("crash", "certain", type="KeyError", line=1), Truth(status="ok")),
        (verdict("no_crash", "certain"), KEY_ERROR),
        (verdict("crash", "certain", type="TypeError", line=1), KEY_ERROR),
        (verdict("crash", "certain", type="KeyError", line=2), KEY_ERROR),
    ],
)
def test_a_certain_verdict_with_a_wrong_outcome_type_or_line_is_certain_and_wrong(said: Verdict, truth: Truth) -> None:
    assert scored(said, truth).certain_wrong


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (verdict("crash", "certain", type="KeyError", line=1), KEY_ERROR),
        (verdict("crash", "certain", type="KeyError"), KEY_ERROR),
        (verdict("crash", "certain", type="KeyError", line=7), KEY_ERROR.model_copy(update={"line": None})),
        (verdict("no_crash", "certain"), Truth(status="timeout")),
        (verdict("crash", "predicted", type="TypeError", line=3), KEY_ERROR),
        (verdict("no_crash", "predicted"), KEY_ERROR),
    ],
)
def test_a_verdict_that_is_right_or_not_certain_is_not_certain_and_wrong(said: Verdict, truth: Truth) -> None:
    assert not scored(said, truth).certain_wrong


def test_a_claim_without_a_line_is_no_right_line() -> None:
    row = scored(verdict("crash", type="KeyError"), KEY_ERROR)
    assert (row.line_right, row.diagnosed) == (False, False)


def test_a_line_that_is_not_known_is_not_held_against_the_diagnosis() -> None:
    row = scored(verdict("crash", type="KeyError", line=7), KEY_ERROR.model_copy(update={"line": None}))
    assert (row.line_right, row.diagnosed) == (None, True)


def test_a_type_with_its_module_is_the_same_type() -> None:
    assert scored(verdict("crash", type="builtins.KeyError", line=1), KEY_ERROR).type_right


def test_each_arm_has_a_score_of_its_own() -> None:
    row = row_of(KEY_ERROR, off=verdict("unknown"), on=verdict("crash", type="KeyError", line=1))
    assert [(arm, score.result) for arm, score in row.scores.items()] == [("off", "unknown"), ("on", "right")]
    assert row.scores["on"].diagnosed


def test_a_failed_run_is_a_row_without_a_result() -> None:
    row = failure(INSTANCE, "not done after 1 s")
    assert (row.key, row.scores, row.error) == (INSTANCE.key, {}, "not done after 1 s")
    assert row.alarms == ("run failed: not done after 1 s",)


def test_what_must_never_be_names_its_arm() -> None:
    right = Said(verdict=verdict("crash", type="KeyError"), predict_ms=1.0)
    bad = Said(
        verdict=verdict("no_crash", "certain"), predict_ms=1.0, failed={"rehearse: TypeError: x": 2}, left=("a file",)
    )
    assert score(INSTANCE, Answer(truth=KEY_ERROR, said={"off": right, "on": right})).alarms == ()
    assert score(INSTANCE, Answer(truth=KEY_ERROR, said={"off": right, "on": bad})).alarms == (
        "certain and wrong, with rehearsal",
        "fault of our own, with rehearsal, 2 times: rehearse: TypeError: x",
        "left behind, with rehearsal: a file",
    )


def test_a_row_survives_json() -> None:
    row = row_of(KEY_ERROR, off=verdict("no_crash"), on=verdict("crash", "certain", type="KeyError", line=1))
    assert Row.model_validate_json(row.model_dump_json()) == row
