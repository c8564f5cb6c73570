"""A rehearsal in a run: when there is one, what its answer becomes, and what it leaves to a policy."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kernels import code_cells, wait_for
from model_server import ModelServer, verdict
from targets import target_in

from crane_agent.agent.labels import crash_type_of, root_cause_of, stage_of
from crane_agent.agent.policy import Decision, Fact, Observation, ProbeCall, Proposal, Tried, View
from crane_agent.agent.rehearsals import (
    CONTRADICTED,
    NOT_AS_IT_STANDS,
    SHARPENED,
    SOMETHING_DENIED,
    Said,
    lines_passed,
    rehearsal_fact,
    said_of,
)
from crane_agent.agent.rule_policy import NOTHING_LEFT, RAN_UNTIL_DEADLINE, RulePolicy
from crane_agent.agent.state import Step
from crane_agent.config import Privacy, Settings
from crane_agent.notebook.history import Target
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply
from crane_agent.verdict.models import Claim, ExceptionClaim, Origin, Verdict

SETUP = """
import time
import pandas as pd
df = pd.DataFrame({'age': [20, 30]})
orders = pd.DataFrame({'total': ['12', '$1,200']})

def load(path): return path

def third(values):
    values = list(values)
    return values[2]
"""

OPEN = "import asyncio; await asyncio.sleep(0)\n"
"""Begins a cell that the checker is certain of nothing in: other code may run while it waits."""


# -- from an answer to a claim ---------------------------------------------------------------------------------------


NOTHING = Observation({}, frozenset())

FINISHED: Mapping[str, Any] = {
    "outcome": "finished", "why": "", "exception": None, "line": None, "loop": "", "denied": [], "changed": [],
    "seconds": 0.3, "pause_ms": 12.0, "files": "private",
}  # fmt: skip

FRAME = {"cell": None, "file": "", "line": 2, "function": "<module>", "text": "third(values)"}

RAISED: Mapping[str, Any] = {
    "type": "IndexError", "message": "list index out of range", "line": 2, "library": "python", "frames": [FRAME],
}  # fmt: skip

CRASHED: Mapping[str, Any] = {**FINISHED, "outcome": "crash", "exception": RAISED}

UNKNOWN: Mapping[str, Any] = {
    **FINISHED,
    "outcome": "unknown",
    "why": "it was still running after 10 s",
    "seconds": None,
}


def fact_of(answer: Mapping[str, Any], *, way: str = "fork", message: str = "") -> Fact:
    """Return a rehearsal's fact; a message is one that the level hides."""
    proof = {"rehearsal": {"message": message}} if message else {}
    return rehearsal_fact("F2", Reply("ok", answer=answer, proof=proof), way)  # type: ignore[arg-type]


def said(answer: Mapping[str, Any], target: Target, *, proved: Claim | None = None, **options: str) -> Said:
    return said_of(fact_of(answer, **options), target, NOTHING, proved=proved)


TARGET = target_in("values = load([1])\nthird(values)\ndone = True", executed=(SETUP,))


def test_a_crash_in_an_unchanged_fork_is_certain() -> None:
    found = said(CRASHED, TARGET)
    assert found.claim is not None
    assert (found.certain, found.by, found.notes) == (True, "rehearsal", ())
    assert found.claim.exception == ExceptionClaim(
        type="IndexError", message="list index out of range", line=2, source_line="third(values)"
    )
    assert (found.claim.crash_type, found.claim.root_cause, found.claim.library) == (
        "index error", "data confusion", "python",
    )  # fmt: skip
    assert (
        found.claim.explanation == "The cell was run in a fenced copy of the kernel and raised IndexError after 0.3 s."
    )
    assert [each.fact for each in found.claim.evidence] == ["F2"]


def test_a_run_to_the_end_in_an_unchanged_fork_is_certain() -> None:
    found = said(FINISHED, TARGET)
    assert found.claim is not None
    assert (found.claim.outcome, found.claim.confidence, found.certain, found.notes) == ("no_crash", 1.0, True, ())


@pytest.mark.parametrize("answer", [FINISHED, CRASHED])
@pytest.mark.parametrize(
    ("changes", "way", "confidence", "note"),
    [
        ({"changed": ["joblib ran in one process"]}, "fork", NOT_AS_IT_STANDS, "joblib ran in one process"),
        ({}, "shadow", NOT_AS_IT_STANDS, "in a second kernel"),
        ({"denied": ["opened a network connection"]}, "fork", SOMETHING_DENIED, "opened a network connection"),
    ],
)
def test_what_was_changed_denied_or_replayed_is_predicted_with_the_reason(
    answer, changes, way, confidence, note
) -> None:
    found = said({**answer, **changes}, TARGET, way=way)
    assert found.claim is not None
    assert (found.certain, found.claim.confidence) == (False, confidence)
    assert any(note in each for each in found.notes)


def test_an_unknown_rehearsal_claims_nothing_and_says_why_and_how_far_it_got() -> None:
    found = said({**UNKNOWN, "line": 2, "loop": "i = 37", "denied": ["started a process"]}, TARGET)
    assert (found.claim, found.certain) == (None, False)
    assert found.notes == (
        "the rehearsal does not tell: it was still running after 10 s, at line 2, i = 37",
        "denied to the rehearsal: started a process",
    )


def test_a_message_above_the_level_is_for_the_users_own_screen() -> None:
    raised = {**RAISED, "type": "ValueError", "message": ""}
    found = said({**CRASHED, "exception": raised}, TARGET, message="could not convert string to float: 'Ann'")
    assert found.claim is not None
    assert found.claim.exception is not None
    assert found.claim.exception.message == ""
    assert found.claim.proof.message == "could not convert string to float: 'Ann'"
    assert "Ann" not in found.claim.model_dump_json()


def test_the_line_is_that_of_the_cell_as_it_was_typed() -> None:
    target = target_in("\n\nvalues = load([1])\nthird(values)", executed=(SETUP,))
    found = said(CRASHED, target)
    assert found.claim is not None
    assert found.claim.exception is not None
    assert (found.claim.exception.line, found.claim.exception.source_line) == (4, "third(values)")


def test_a_crash_inside_a_function_of_an_earlier_cell_names_both_places_and_the_cell() -> None:
    inner = {"cell": 2, "file": "", "line": 10, "function": "third", "text": "return values[2]"}
    target = target_in(TARGET.cell.source, executed=("x = 1", SETUP.strip()))
    found = said({**CRASHED, "exception": {**RAISED, "frames": [FRAME, inner]}}, target)
    assert found.claim is not None
    assert "raised IndexError after 0.3 s in third, In [2] line 10, called from line 2." in found.claim.explanation
    assert found.claim.origin == (Origin(cell=1, ran=2, summary="defines third, which raises"),)


def test_a_frame_is_found_by_its_text_where_a_replay_counts_the_cells_anew() -> None:
    inner = {"cell": 1, "file": "", "line": 3, "function": "third", "text": "return values[2]"}
    cell = "def third(values):\n    values = list(values)\n    return values[2]"
    target = target_in(TARGET.cell.source, executed=("x = 1", cell))
    found = said({**CRASHED, "exception": {**RAISED, "frames": [FRAME, inner]}}, target)
    assert found.claim is not None
    assert "in third, In [2] line 3, called from line 2." in found.claim.explanation
    assert found.claim.origin == (Origin(cell=1, ran=2, summary="defines third, which raises"),)


def test_a_crash_in_a_file_of_the_users_names_the_file() -> None:
    inner = {"cell": None, "file": "/home/ann/work/steps.py", "line": 7, "function": "step", "text": "return 1 / 0"}
    found = said({**CRASHED, "exception": {**RAISED, "frames": [FRAME, inner]}}, TARGET)
    assert found.claim is not None
    assert "in step, steps.py line 7, called from line 2." in found.claim.explanation
    assert found.claim.origin == ()


def test_a_name_that_a_cell_which_did_not_run_would_define_comes_from_there() -> None:
    target = target_in("total = 1\nprint(price)", executed=(SETUP,), not_run=("price = 3",))
    raised = {**RAISED, "type": "NameError", "message": "", "line": 2}
    fact = fact_of({**CRASHED, "exception": raised}, message="name 'price' is not defined")
    found = said_of(fact, target, Observation({"price": (2,)}, frozenset()), proved=None)
    assert found.claim is not None
    assert found.claim.exception is not None
    assert found.claim.exception.message == "name 'price' is not defined", "the name stands in the cell itself"
    assert [each.cell for each in found.claim.origin] == [2]
    assert found.claim.fix is not None
    assert found.claim.fix.summary == "Run cell 2 first."


# -- beside the checker ----------------------------------------------------------------------------------------------


def proved_at(line: int, kind: str = "KeyError") -> Claim:
    """Return what the checker proves to come at the latest."""
    exception = ExceptionClaim(type=kind, message="'Fare'", line=line, column=4, at_latest=True)
    words = "The cell crashes at this line at the latest. df has 1 columns and none named 'Fare'."
    return Claim(outcome="crash", confidence=1.0, exception=exception, explanation=words)


def test_an_earlier_crash_takes_the_place_of_one_at_the_latest() -> None:
    found = said(CRASHED, TARGET, proved=proved_at(3))
    assert found.claim is not None
    assert found.claim.exception is not None
    assert (found.claim.exception.type, found.claim.exception.line, found.claim.exception.at_latest) == (
        "IndexError", 2, False,
    )  # fmt: skip
    assert (found.certain, found.by) == (True, "rehearsal")


def test_the_same_crash_makes_the_checkers_exact() -> None:
    found = said(CRASHED, TARGET, proved=proved_at(2, "IndexError"))
    assert found.claim is not None
    assert found.claim.exception is not None
    assert (found.claim.exception.at_latest, found.claim.exception.column) == (False, 4)
    assert (found.certain, found.by) == (True, "rehearsal")
    assert "at the latest" not in found.claim.explanation
    assert "none named 'Fare'" in found.claim.explanation


def test_a_rehearsal_that_proves_nothing_sharpens_without_being_certain() -> None:
    found = said(CRASHED, TARGET, proved=proved_at(3), way="shadow")
    assert found.claim is not None
    assert (found.certain, found.claim.confidence) == (False, SHARPENED)
    assert any("proved by the checker" in note for note in found.notes)
    agreed = said(CRASHED, TARGET, proved=proved_at(2, "IndexError"), way="shadow")
    assert (agreed.certain, agreed.by) == (True, "checker")


def test_an_unknown_rehearsal_leaves_what_the_checker_proves() -> None:
    proved = proved_at(3)
    found = said({**UNKNOWN, "line": 2}, TARGET, proved=proved)
    assert (found.claim, found.certain, found.by) == (proved, True, "checker")
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("answer", "words", "kind"),
    [
        (FINISHED, "came to its end", "KeyError"),
        ({**UNKNOWN, "line": 3}, "went on behind it", "KeyError"),
        (CRASHED, "raised IndexError at line 2", "IndexError"),
    ],
)
def test_a_contradiction_leaves_nothing_certain_and_is_named(answer, words, kind) -> None:
    found = said(answer, TARGET, proved=proved_at(1))
    assert found.claim is not None
    assert found.claim.exception is not None
    assert (found.claim.outcome, found.claim.exception.type) == ("crash", kind)
    assert (found.certain, found.claim.confidence) == (False, CONTRADICTED)
    assert "the checker proves KeyError at line 1 at the latest" in found.notes[-1]
    assert words in found.notes[-1]


def test_a_later_line_of_the_same_loop_is_no_contradiction() -> None:
    target = target_in("for i in range(3):\n    a(i)\n    b(i)", executed=(SETUP,))
    found = said({**CRASHED, "exception": {**RAISED, "line": 3}}, target, proved=proved_at(2))
    assert found.certain
    assert said({**UNKNOWN, "line": 3}, target, proved=proved_at(2)).certain


# -- what an unfinished one rules out --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "line", "passed"),
    [
        ("a()\nb()\nc()", 3, {0, 1, 2}),
        ("a()\nfor i in x:\n    b()\n    c()\n    d()", 4, {0, 1, 3}),
        ("if x:\n    a()\n    b()\nelse:\n    c()\n    d()", 6, {0, 5}),
        ("try:\n    a()\nexcept E:\n    b()\n    c()", 5, {0, 4}),
        ("def f():\n    a()\n    b()\nf()", 3, set()),
        ("a()\nb()", 1, set()),
        ("a()\nb()", None, set()),
    ],
)
def test_the_lines_that_have_run_are_those_before_the_one_it_was_at(source, line, passed) -> None:
    assert lines_passed(fact_of({**UNKNOWN, "line": line}), target_in(source)) == passed


def test_only_an_unfinished_rehearsal_says_which_lines_it_passed() -> None:
    assert lines_passed(fact_of(FINISHED), TARGET) == frozenset()
    assert lines_passed(None, TARGET) == frozenset()


def claim_of_the_rules(rehearsal: Mapping[str, Any], *, suspect: int) -> Claim:
    """Return what the rules say of a cell of three lines, in one of which the checker suspects a crash."""
    place = {"line": suspect, "column": 0, "conditional": "no", "doubts": [], "probe": None}
    crash = {"rule": "frames.columns", "type": "KeyError", "message": "'x'", "crash_type": "key error"}
    check = {
        "finding": None, "finished": True, "settled": False, "stopped": None, "truncated": False, "questions": [],
        "suspects": [{**place, **crash, "library": "pandas", "because": "df has no column 'x'"}],
        "doubts": [{"kind": "raises", "line": 1, "why": "f() may raise"}],
    }  # fmt: skip
    checked = Fact("F1", ProbeCall("check", {}), Reply("ok", answer=check))
    facts = (checked, fact_of(rehearsal))
    target = target_in("f()\ndf['x']\ng()")
    view = View(target, NOTHING, checked, facts, (), steps_left=5, seconds_left=9.0, tokens_left=0)
    claim = RulePolicy().decide(view).claim
    assert claim is not None
    return claim


def test_a_suspicion_is_dropped_once_the_rehearsal_has_passed_its_line() -> None:
    claim = claim_of_the_rules({**UNKNOWN, "line": 3}, suspect=2)
    assert (claim.outcome, claim.confidence) == ("no_crash", NOTHING_LEFT)
    assert claim.explanation.startswith("A rehearsal raised nothing: it was still running after 10 s.")
    assert [each.fact for each in claim.evidence] == ["F1", "F2"]


def test_a_suspicion_that_the_rehearsal_did_not_reach_stays() -> None:
    assert claim_of_the_rules({**UNKNOWN, "line": 2}, suspect=2).outcome == "crash"
    assert claim_of_the_rules({**UNKNOWN, "line": None}, suspect=2).outcome == "crash"


def test_a_rehearsal_that_the_fence_stopped_shows_its_lines_and_nothing_more() -> None:
    stopped = {**UNKNOWN, "why": "it started a process, which the fence denies", "denied": ["started a process"]}
    claim = claim_of_the_rules({**stopped, "line": 3}, suspect=2)
    assert claim.outcome == "no_crash"
    assert "rehearsal" not in claim.explanation
    assert [each.fact for each in claim.evidence] == ["F1"]


# -- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "message", "label", "cause"),
    [
        ("NameError", "name 'broadcast' is not defined", "variable not found", "NB specific"),
        ("KeyError", "'shape mismatch'", "key error", "data confusion"),
        ("ModuleNotFoundError", "No module named 'nltk'", "module not found", "environment setting"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'a.csv'", "io error", "environment setting"),
        ("ValueError", "operands could not be broadcast together with shapes (6,) (7,)", "unsupported broadcast", None),
        (
            "RuntimeError",
            "mat1 and mat2 shapes cannot be multiplied (64x27648 and 4500x500)",
            "tensor shape mismatch",
            None,
        ),
        ("ValueError", "cannot reshape array of size 25 into shape (8,8)", "tensor shape mismatch", None),
        (
            "ValueError",
            "The feature names should match those that were passed during fit.",
            "feature name mismatch",
            None,
        ),
        ("ValueError", "Input X contains NaN.", "data value violation", "data confusion"),
        ("TypeError", "f() got an unexpected keyword argument 'by'", "invalid argument", "API misuse"),
        ("TypeError", "unsupported operand type(s) for +: 'int' and 'str'", "type error", "data confusion"),
        ("RuntimeError", "CUDA out of memory. Tried to allocate 2.00 MiB", "OOM", "insufficient resource"),
        ("NotFittedError", "This LinearRegression instance is not fitted yet.", "value error", "API misuse"),
        ("OwnError", "", "other", "implementation error"),
    ],
)
def test_an_exception_gets_the_label_of_what_it_is_about(kind, message, label, cause) -> None:
    assert crash_type_of(kind, message) == label
    assert cause in (root_cause_of(kind, label), None)


@pytest.mark.parametrize(
    ("library", "line", "stage"),
    [
        ("python", "import nltk", "environment setup"),
        ("numpy", "plt.plot(history['loss'])", "data visualization"),
        ("sklearn", "model.fit(X_train, y_train)", "training"),
        ("sklearn", "print(accuracy_score(y, model.predict(X)))", "evaluation/prediction"),
        ("keras", "model = Sequential([Dense(3)])", "model construction"),
        ("sklearn", "X = StandardScaler().fit_transform(X)", "data preparation"),
        ("pandas", "df['Fare']", "data preparation"),
        ("", "x + 1", None),
    ],
)
def test_a_stage_is_told_by_what_the_line_calls_else_by_the_library(library, line, stage) -> None:
    assert stage_of(library, line) == stage


# -- in a run, on a real kernel --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        if opened.rehearse("1", seconds=5).reply.status != "ok":
            pytest.skip("the fence is not proved here, so nothing is rehearsed")
        yield opened


def ask(session: LaunchedSession, target: str, **settings: object) -> Verdict:
    chosen = Settings(**{"rehearse": "on", "rehearse_seconds": 5.0, **settings})
    return predict(target_in(target, executed=(SETUP.strip(),)), session, settings=chosen)


def test_a_crash_that_the_checker_leaves_open_is_certain(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "df['Fare']")
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("crash", "certain", "rehearsal")
    assert verdict.exception is not None
    assert (verdict.exception.type, verdict.exception.line, verdict.exception.message) == ("KeyError", 2, "'Fare'")
    assert (verdict.usage.rehearsals, verdict.usage.steps, verdict.usage.probe_calls) == (1, 0, 1)
    assert 0 < verdict.usage.rehearsal_ms <= verdict.usage.milliseconds
    assert [each.fact for each in verdict.evidence] == ["F2"]


def test_a_cell_that_runs_to_its_end_there_is_certain_to_run(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "n = load(1)")
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("no_crash", "certain", "rehearsal")


@pytest.mark.parametrize("target", ["df['Fare']", "n = 1", "x = 1 +", "# nothing", ""])
def test_what_is_settled_or_cannot_run_is_not_rehearsed(kernel: LaunchedSession, target: str) -> None:
    verdict = ask(kernel, target)
    assert verdict.usage.rehearsals == 0
    assert verdict.notes == ()


def test_the_innermost_line_of_the_users_is_named_with_its_cell(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "third(load([1]))", check=False)
    assert verdict.exception is not None
    assert verdict.exception.line == 2
    assert "in third, In [1] line 10, called from line 2." in verdict.explanation
    assert [(each.cell, each.ran) for each in verdict.origin] == [(0, 1)]


def test_a_value_in_a_message_stays_on_the_screen(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "int(orders['total'][load(1)])", check=False)
    assert verdict.exception is not None
    assert (verdict.exception.type, verdict.exception.message) == ("ValueError", "")
    assert "1,200" in verdict.proof.message
    assert "1,200" not in verdict.model_dump_json()


def test_off_is_silent_and_ask_needs_somebody_to_ask(kernel: LaunchedSession) -> None:
    assert ask(kernel, OPEN + "load(1)", rehearse="off").notes == ()
    asked = ask(kernel, OPEN + "load(1)", rehearse="ask")
    assert asked.usage.rehearsals == 0
    assert asked.notes == ("not rehearsed: nobody can be asked here whether it may be",)


@pytest.mark.parametrize("answer", [True, False])
def test_the_user_is_asked_once_in_the_callers_own_thread(kernel: LaunchedSession, answer: bool) -> None:
    asked: list[threading.Thread] = []

    def may_rehearse() -> bool:
        asked.append(threading.current_thread())
        return answer

    session = Restless(kernel, "1", times=1)
    target = target_in(OPEN + "load(1)", executed=(SETUP,))
    verdict = predict(target, session, settings=Settings(rehearse="ask"), may_rehearse=may_rehearse)
    assert asked == [threading.main_thread()]
    assert (verdict.usage.rehearsals > 0) == answer
    assert ("not rehearsed: you did not want it" in verdict.notes) != answer


def test_ctrl_c_at_the_question_ends_the_run(kernel: LaunchedSession) -> None:
    def may_rehearse() -> bool:
        raise KeyboardInterrupt

    target = target_in(OPEN + "load(1)", executed=(SETUP,))
    with pytest.raises(KeyboardInterrupt):
        predict(target, kernel, settings=Settings(rehearse="ask"), may_rehearse=may_rehearse)


def test_without_a_word_a_kernel_of_our_own_is_rehearsed_and_a_running_one_is_not(
    kernel: LaunchedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRANE_REHEARSE")
    target = target_in(OPEN + "load(1)", executed=(SETUP,))
    assert predict(target, kernel).usage.rehearsals == 1
    verdict = predict(target, Users(kernel, "1", times=0))
    assert (verdict.usage.rehearsals, verdict.notes) == (0, ())


def test_a_run_tells_that_it_rehearses_between_check_and_decision(kernel: LaunchedSession) -> None:
    steps: list[Step] = []
    target = target_in(OPEN + "time.sleep(9)\nload(1)", executed=(SETUP,))
    predict(target, kernel, settings=Settings(rehearse="on", rehearse_seconds=0.5), on_step=steps.append)
    nodes = [step.node for step in steps]
    assert nodes.index("check") < nodes.index("rehearse") < nodes.index("decide")


def test_a_crash_at_the_latest_is_sharpened_to_the_one_that_comes_first(kernel: LaunchedSession) -> None:
    cell = "time.strptime('x', '%Y')\ndf['Fare']"
    before = ask(kernel, cell, rehearse="off")
    assert before.exception is not None
    assert (before.exception.line, before.exception.at_latest) == (2, True), "else there is nothing to sharpen"
    verdict = ask(kernel, cell)
    assert verdict.exception is not None
    assert (verdict.exception.type, verdict.exception.line, verdict.exception.at_latest) == ("ValueError", 1, False)
    assert (verdict.certainty, verdict.reached_by) == ("certain", "rehearsal")


def test_a_cell_that_outlasts_the_rehearsal_is_left_to_the_rules_which_know_how_far_it_got(
    kernel: LaunchedSession,
) -> None:
    verdict = ask(kernel, OPEN + "for i in range(100):\n    load(i)\n    time.sleep(0.5)", rehearse_seconds=1.2)
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("no_crash", "predicted", "rules")
    assert verdict.confidence >= RAN_UNTIL_DEADLINE
    assert "still running after 1.2 s" in verdict.explanation
    assert any("at line 4, i = " in note for note in verdict.notes)


def test_a_rehearsal_takes_no_more_than_the_time_of_the_run(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "time.sleep(30)", seconds=1.5, rehearse_seconds=20.0)
    assert verdict.usage.rehearsals == 1
    assert verdict.usage.rehearsal_ms < 6000
    assert verdict.usage.milliseconds <= 1500


def test_a_run_with_few_bytes_left_is_not_rehearsed(kernel: LaunchedSession) -> None:
    verdict = ask(kernel, OPEN + "load(1)", kernel_bytes=20_000)
    assert verdict.usage.rehearsals == 0
    assert verdict.notes == ("not rehearsed: too few of the kernel's 20000 bytes for this run are left",)


# -- kernels that are not at rest ------------------------------------------------------------------------------------


class Restless(LaunchedSession):
    """A session with a kernel whose user runs a cell after each of the first rehearsals, or answers."""

    def __init__(self, kernel: LaunchedSession, code: str, *, times: int, after: str = "check") -> None:
        super().__init__(kernel._channel, kernel.facts, ExitStack())
        self._code = code
        self._after = after
        self._left = times
        self.rehearsed = 0

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        reply = super().ask(question, arguments, limits=limits)
        self._user_works(question)
        return reply

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        self.rehearsed += 1
        rehearsal = super().rehearse(source, seconds=seconds, patched=patched)
        self._user_works("rehearse")
        return rehearsal

    def _user_works(self, question: str) -> None:
        if question == self._after and self._left:
            self._left -= 1
            assert self.run(self._code, limit_s=20).status == "ok"


class Users(Restless):
    """A session with a kernel that is not ours."""

    @property
    def owned(self) -> bool:
        return False


def test_a_rehearsal_is_made_again_when_a_cell_ran_since(kernel: LaunchedSession) -> None:
    session = Restless(kernel, "df['fare'] = 1", times=1, after="rehearse")
    verdict = predict(target_in(OPEN + "df['fare']", executed=(SETUP,)), session, settings=Settings(rehearse="on"))
    assert session.rehearsed == 2
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("no_crash", "certain", "rehearsal")
    assert verdict.notes == ()
    assert verdict.usage.rehearsals == 2
    kernel.run("del df['fare']", limit_s=20)


def test_a_kernel_that_never_rests_is_not_rehearsed_for_ever(kernel: LaunchedSession) -> None:
    session = Restless(kernel, "rate = 1", times=9, after="rehearse")
    verdict = predict(target_in(OPEN + "df['fare']", executed=(SETUP,)), session, settings=Settings(rehearse="on"))
    assert session.rehearsed == 2
    assert "not rehearsed: cells keep running in the kernel" in verdict.notes
    assert (verdict.outcome, verdict.reached_by) == ("crash", "rules")


def test_a_busy_kernel_is_not_rehearsed_and_the_run_goes_on(kernel: LaunchedSession) -> None:
    thread = threading.Thread(target=kernel.run, args=("time.sleep(12)",), kwargs={"limit_s": 30})
    thread.start()
    try:
        assert wait_for(lambda: kernel.ask("ping", {}).running)
        verdict = ask(kernel, OPEN + "df['Fare']")
    finally:
        thread.join()
    assert verdict.usage.rehearsals == 0
    assert any(note.startswith("not rehearsed: ") for note in verdict.notes)
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("crash", "predicted", "rules")
    assert wait_for(lambda: not kernel.ask("ping", {}).running)


# -- policies --------------------------------------------------------------------------------------------------------


def test_no_policy_is_asked_what_a_rehearsal_has_settled(kernel: LaunchedSession) -> None:
    class Never:
        name = "never"

        def decide(self, view: View) -> Decision:
            raise AssertionError("asked")

        def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
            return Proposal()

    target = target_in(OPEN + "df['Fare']", executed=(SETUP,))
    assert predict(target, kernel, settings=Settings(rehearse="on"), policy=Never()).reached_by == "rehearsal"


def test_a_model_sees_an_unfinished_rehearsal_as_a_fenced_fact(kernel: LaunchedSession) -> None:
    target = target_in(OPEN + "time.sleep(9)", executed=(SETUP,))
    with ModelServer([verdict(confidence=0.7)]) as server:
        policy = server.policy()
        found = predict(target, kernel, settings=Settings(rehearse="on", rehearse_seconds=0.5), policy=policy)
        told = server.requests[0]["messages"][-1]["content"]
    assert found.reached_by == "small"
    fact = re.search(r'<fact (\w+) id="F2" probe="rehearse">\n(.+)\n</fact \1>', told)
    assert fact is not None
    assert "it was still running after 0.5 s" in fact[2]


@pytest.mark.parametrize("level", ["names", "schema"])
def test_a_model_sees_no_value_of_an_unsettled_rehearsal(
    kernel: LaunchedSession, level: Privacy, tmp_path: Path
) -> None:
    hidden = f"text = bytes.fromhex({b'canary'.hex()!r}).decode()"
    target = target_in(OPEN + "raise PermissionError(text)", executed=(hidden,))
    with (
        launch(code_cells(hidden), folder=tmp_path, in_place=True, privacy=level) as session,
        ModelServer([verdict(confidence=0.7)]) as server,
    ):
        policy = server.policy()
        found = predict(target, session, settings=Settings(rehearse="on"), policy=policy)
        told = b"\n".join(server.bodies)
    assert (found.reached_by, found.usage.rehearsals) == ("small", 1)
    assert b"PermissionError" in told
    assert b"canary" not in told
    assert "canary" not in found.model_dump_json()
