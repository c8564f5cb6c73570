"""A fix is shown with its proof: it ran, it ran past the line, it did not help, or nobody tried it."""

import time
from collections.abc import Iterator

import pytest
from targets import target_in

from crane_agent.agent.repair import Found, repaired
from crane_agent.config import Settings
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.verdict.models import Claim, ExceptionClaim, ProposedFix, Verdict

SETUP = """
import pandas as pd
df = pd.DataFrame({'price': [1.0, 2.0], 'count': [3, 4]})
settings = {'depth': 3}
"""


@pytest.fixture(scope="module")
def session() -> Iterator[LaunchedSession]:
    with launch() as session:
        assert session.run(SETUP, limit_s=60).status == "ok"
        reply = session.rehearse("x = 1", seconds=5).reply
        if reply.status == "refused":
            pytest.skip(reply.reason)
        yield session


def judged(session: LaunchedSession, source: str, **settings: object) -> Verdict:
    settings = {"rehearse": "on", "fix": True, "rehearse_seconds": 3.0, **settings}
    return predict(target_in(source, executed=(SETUP,)), session, settings=Settings(**settings))  # type: ignore[arg-type]


def test_a_close_name_is_proposed_and_shown_to_run(session):
    verdict = judged(session, "total = df['pric'].sum()\nshare = df['count'] / total")
    assert verdict.outcome == "crash"
    assert verdict.fix is not None
    assert verdict.fix.source == "total = df['price'].sum()\nshare = df['count'] / total"
    assert verdict.fix.verified == "yes"
    assert {each.name for each in verdict.fix.bound} == {"total", "share"}
    assert verdict.usage.fixes_tried >= 1
    assert verdict.usage.fix_ms > 0


def test_the_kernel_does_not_run_the_patch(session):
    judged(session, "total = df['pric'].sum()")
    assert session.run("total", limit_s=10).ename == "NameError"


def test_without_the_setting_nothing_is_tried(session):
    verdict = judged(session, "df['pric'].sum()", fix=False)
    assert verdict.usage.fixes_tried == 0
    assert verdict.usage.fix_ms == 0
    assert verdict.fix is None or verdict.fix.verified == "not tried"


def test_where_nothing_may_run_a_patch_is_not_tried(session):
    verdict = judged(session, "df['pric'].sum()", rehearse="off")
    assert verdict.fix is not None
    assert verdict.fix.verified == "not tried"


def test_a_cell_that_works_gets_no_patch(session):
    verdict = judged(session, "total = df['price'].sum()")
    assert verdict.outcome == "no_crash"
    assert verdict.fix is None


# -- a policy's own patch --------------------------------------------------------------------------------------------


TARGET = "width = settings['width']"


def repair_of(session: LaunchedSession, patch: str) -> Found:
    claim = Claim(
        outcome="crash",
        confidence=0.9,
        exception=ExceptionClaim(type="KeyError", line=1),
        explanation="because",
        fix=ProposedFix(summary="a fix", source=patch),
    )
    return repaired(
        claim, None, target_in(TARGET), lambda source, patched: session.rehearse(source, seconds=1.0, patched=patched)
    )


@pytest.mark.parametrize(
    ("patch", "verified"),
    [
        ("width = settings['depth']", "yes"),
        ("width = settings['depth']\nimport time\ntime.sleep(99)", "partly"),
        ("width = settings['depth']\nimport os\nos.system('true')", "yes"),
    ],
)
def test_a_policys_own_patch_is_tried(session, patch, verified):
    found = repair_of(session, patch)
    assert found.fix is not None
    assert (found.fix.source, found.repair.verified) == (patch, verified)


def test_a_policys_own_patch_that_does_not_help_is_not_shown(session):
    found = repair_of(session, "width = settings['height']")
    assert found.fix is None
    assert found.repair.note == "the patches that were tried do not help"


@pytest.mark.parametrize(
    "patch",
    ["try:\n    width = settings['width']\nexcept KeyError:\n    width = 0", "# width = settings['width']", "pass"],
)
def test_a_patch_that_hides_the_error_is_left_out(session, patch):
    found = repair_of(session, patch)
    assert found.fix is None
    assert "hides the error" in found.repair.note


def test_a_patch_that_is_no_python_is_not_run(session):
    found = repair_of(session, "width = settings[")
    assert found.repair.tried == 0


# -- from patch to patch, and from cell to cell ----------------------------------------------------------------------


def judged_in(executed: tuple[str, ...], source: str, **settings: object) -> Verdict:
    target = target_in(source, executed=executed)
    chosen = Settings(**{"rehearse": "on", "fix": True, "rehearse_seconds": 3.0, **settings})  # type: ignore[arg-type]
    with launch(target.executed) as session:
        return predict(target, session, settings=chosen)


def test_a_patch_that_gets_further_is_patched_again(session):
    verdict = judged(session, "total = df['pric'].sum()\nlevel = settings['detph'] * total")
    assert verdict.fix is not None
    assert verdict.fix.source == "total = df['price'].sum()\nlevel = settings['depth'] * total"
    assert verdict.fix.verified == "yes"
    assert verdict.usage.fixes_tried == 2


def test_a_patch_that_only_gets_further_says_what_is_raised_then(session):
    verdict = judged(session, "total = df['pric'].sum()\nlevel = settings['w'] * total")
    assert verdict.fix is not None
    assert verdict.fix.verified == "no"
    assert "the patch gets further; then KeyError is raised" in verdict.notes


FUNCTION = "def total_of(frame):\n    return frame['pric'].sum()"


def test_the_executed_cell_with_the_mistake_is_patched_and_shown_to_work():
    verdict = judged_in((SETUP, FUNCTION), "total = total_of(df)")
    assert verdict.fix is not None
    assert (verdict.fix.cell, verdict.fix.verified) == (1, "yes")
    assert verdict.fix.source == FUNCTION.replace("pric", "price")
    assert "-    return frame['pric'].sum()\n+    return frame['price'].sum()" in verdict.fix.diff
    assert verdict.origin[0].cell == 1
    assert "total" in {each.name for each in verdict.fix.bound}
    assert verdict.usage.replay_ms > 0


def test_a_running_kernel_gets_the_patch_of_an_executed_cell_untried(session):
    assert session.run(FUNCTION, limit_s=10).status == "ok"
    target = target_in("total = total_of(df)", executed=(SETUP, FUNCTION))
    origin, session.origin = session.origin, None
    try:
        verdict = predict(target, session, settings=Settings(rehearse="on", fix=True))
    finally:
        session.origin = origin
    assert verdict.fix is not None
    assert (verdict.fix.cell, verdict.fix.verified) == (1, "not tried")


def test_a_cell_that_ran_before_is_to_run_once_only():
    twice = "df = df.drop(columns='price')"
    verdict = judged_in((SETUP, twice), twice)
    assert verdict.fix is not None
    assert (verdict.fix.cell, verdict.fix.source, verdict.fix.verified) == (1, "", "yes")
    assert "run it once only" in verdict.fix.summary


def test_a_replay_that_does_not_crash_without_the_patch_proves_nothing():
    # Only the first kernel has the column under the wrong name: one that is started later has both.
    clock = f"import time\nif time.time() > {time.time() + 4}:\n    df['pric'] = 1\nelse:\n    time.sleep(4)"
    verdict = judged_in((SETUP, FUNCTION, clock), "total = total_of(df)")
    assert verdict.fix is not None
    assert verdict.fix.verified == "not tried"
    why = "in a second kernel the cell does not crash even without it"
    assert f"whether the patch works is open: {why}" in verdict.notes
