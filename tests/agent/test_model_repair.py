"""A model's patches: it hears what became of each, and what hides the error is not run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from model_server import ModelServer, Scripted, calls, fault, text, verdict
from targets import target_in

from crane_agent.config import Settings
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.verdict.models import Verdict

SETUP = "rates = {'a': 1.0, 'b': 2.0}\nsecret_total = 123456.75"
TARGET = "chosen = rates['zzz']\nshare = chosen / 2"


@pytest.fixture(scope="module")
def session() -> Iterator[LaunchedSession]:
    with launch() as session:
        assert session.run(SETUP, limit_s=60).status == "ok"
        reply = session.rehearse("x = 1", seconds=5).reply
        if reply.status == "refused":
            pytest.skip(reply.reason)
        yield session


def patch(source: str | None, **more: Any) -> Scripted:
    return calls(("patch", {"summary": "Choose a rate that is there.", "source": source, **more}))


def mended(
    session: LaunchedSession, *replies: Scripted, target: str = TARGET, **settings: Any
) -> tuple[Verdict, list[dict[str, Any]]]:
    chosen = Settings(rehearse="on", rehearse_seconds=3.0, **settings)
    with ModelServer(replies) as server:
        policy = server.policy(model="scripted", answer_seconds=5.0)
        verdict = predict(target_in(target, executed=(SETUP,)), session, settings=chosen, policy=policy)
        return verdict, [request for request in server.requests if "messages" in request]


def last_words(request: dict[str, Any]) -> str:
    return json.dumps(request["messages"][-1], ensure_ascii=False)


GOOD = TARGET.replace("zzz", "a")


def test_a_models_patch_is_run_before_it_is_shown(session):
    verdict, requests = mended(session, patch(GOOD))
    assert verdict.fix is not None
    assert (verdict.fix.source, verdict.fix.verified) == (GOOD, "yes")
    assert verdict.reached_by != "scripted", "the crash itself was settled without the model"
    assert len(requests) == 1
    assert verdict.usage.tokens_in > 0


def test_a_model_hears_what_became_of_its_patch_and_tries_again(session):
    verdict, requests = mended(session, patch(TARGET.replace("zzz", "zz")), patch(GOOD))
    assert verdict.fix is not None
    assert (verdict.fix.source, verdict.fix.verified) == (GOOD, "yes")
    assert verdict.usage.fixes_tried == 2
    assert "raised KeyError: 'zz' (line 1 of the target)" in last_words(requests[1])


@pytest.mark.parametrize(
    "hiding",
    ["try:\n    chosen = rates['zzz']\nexcept KeyError:\n    chosen = 0\nshare = chosen / 2", "share = 1.0"],
)
def test_a_patch_that_hides_the_error_is_not_run_and_the_model_is_told(session, hiding):
    verdict, requests = mended(session, patch(hiding), patch(None))
    assert verdict.fix is None or verdict.fix.source is None
    assert verdict.usage.fixes_tried == 0
    assert "not run: " in last_words(requests[1])


def test_a_model_that_never_finds_one_is_asked_three_times_at_most(session):
    bad = [patch(TARGET.replace("zzz", f"z{number}")) for number in range(9)]
    verdict, requests = mended(session, *bad)
    assert len(requests) == 3
    assert verdict.fix is None
    assert verdict.outcome == "crash"


@pytest.mark.parametrize(
    "reply", [text("no idea"), calls(("patch", {"source": 3})), fault(400), calls(("names", {"like": "x"}))]
)
def test_what_is_no_patch_ends_the_asking_in_a_note(session, reply):
    verdict, _ = mended(session, reply, reply, reply)
    assert verdict.outcome == "crash"
    assert verdict.fix is None or verdict.fix.source is None
    assert any(note.startswith("scripted proposed no patch: ") for note in verdict.notes)


def test_a_crash_that_was_shown_stands_whatever_the_model_says_of_it_and_the_contradiction_is_noted(session):
    found, requests = mended(session, verdict(confidence=1.0, explanation="It runs."))
    assert len(requests) == 1
    assert (found.outcome, found.certainty) == ("crash", "certain")
    note = "scripted proposed no patch: it says that the cell does not crash, but the crash was shown"
    assert note in found.notes


def test_where_a_strategy_helps_the_model_is_not_asked(session):
    verdict, requests = mended(session, target="chosen = rates['A']")
    assert verdict.fix is not None
    assert verdict.fix.verified == "yes"
    assert requests == []


def test_without_fixes_nobody_is_asked(session):
    _, requests = mended(session, patch(GOOD), fix=False)
    assert requests == []


def test_no_value_of_the_kernel_is_in_what_is_sent(session):
    target = "chosen = rates['zzz'] * secret_total"
    _, requests = mended(session, patch(None), target=target)
    assert "123456.75" not in json.dumps(requests).replace(json.dumps(SETUP)[1:-1], "").replace(
        "secret_total = 123456.75", ""
    )


def test_the_same_state_is_asked_about_in_the_same_bytes(session):
    first, second = (mended(session, patch(None))[1] for _ in range(2))
    assert first == second
