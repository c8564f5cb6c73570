"""Several samples of one model, one verdict: the vote by itself, and in runs with a real kernel and a real endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest
from kernels import code_cells
from model_server import ModelServer, Scripted, calls, fault, text, verdict
from targets import target_in

from crane_agent.agent.voting import elected
from crane_agent.config import Settings
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.verdict.models import Claim, ExceptionClaim, Outcome, Verdict

SETUP = """
import pandas as pd
df = pd.DataFrame({'age': [20, 30, 40]})
def load(path): return path
"""
OPEN = "import asyncio; await asyncio.sleep(0)\nload(1)\nprint(df['Fare'])"
"""A cell that is left to the policy: other code may run while it waits."""


# -- the vote --------------------------------------------------------------------------------------------------------


def crash(kind: str = "KeyError", line: int | None = 2, *, confidence: float = 0.9, why: str = "it fails") -> Claim:
    return Claim(
        outcome="crash", confidence=confidence, exception=ExceptionClaim(type=kind, line=line), explanation=why
    )


def other(outcome: Outcome = "no_crash", *, why: str = "it fits") -> Claim:
    return Claim(outcome=outcome, confidence=0.8, explanation=why)


def test_the_outcome_with_the_most_votes_wins_and_the_agreement_is_the_confidence() -> None:
    claim, notes = elected([crash(), other(), crash()], replies=3)
    assert (claim.outcome, claim.confidence) == ("crash", pytest.approx(2 / 3))
    assert notes == ("2 of 3 samples agree",)


def test_of_the_samples_that_agree_the_most_typical_one_speaks() -> None:
    votes = [crash("TypeError", 1), crash("KeyError", 2, why="a"), crash("KeyError", 3), crash("KeyError", 2, why="b")]
    claim, notes = elected(votes, replies=4)
    assert claim.exception is not None
    assert (claim.exception.type, claim.exception.line, claim.explanation) == ("KeyError", 2, "a")
    assert claim.confidence == 1.0, "they all agree that it crashes"
    assert notes == ("4 of 4 samples agree, 2 of them on KeyError on line 2",)


def test_among_equally_typical_samples_the_surest_one_speaks() -> None:
    claim, _ = elected([crash("A", 1, confidence=0.5), crash("B", 1, confidence=0.7)], replies=2)
    assert claim.exception is not None
    assert claim.exception.type == "B"


def test_a_tie_of_outcomes_is_unknown_and_the_notes_have_both_reasons() -> None:
    claim, notes = elected([crash(why="no such column"), other(why="all columns are there")], replies=2)
    assert (claim.outcome, claim.confidence, claim.exception) == ("unknown", 0.0, None)
    assert notes == (
        "the 2 samples disagree: 1 crash, 1 no_crash",
        "a sample says crash: no such column",
        "a sample says no_crash: all columns are there",
    )


def test_a_reply_without_a_valid_answer_agrees_with_nobody() -> None:
    claim, notes = elected([crash(), crash()], replies=3)
    assert claim.confidence == pytest.approx(2 / 3)
    assert notes == ("2 of 3 samples agree",)


def test_a_single_sample_keeps_its_own_confidence() -> None:
    assert elected([crash(confidence=0.7)], replies=1) == (crash(confidence=0.7), ())


# -- in runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


def says(fact: str = "F2", **changes: Any) -> Scripted:
    claim = {
        "outcome": "crash",
        "exception": {"type": "KeyError", "line": 3},
        "evidence": [{"fact": fact, "words": "Fare is missing"}],
    }
    return verdict(**{**claim, **changes})


ASKS = ("columns", {"path": "df", "names": ["Fare"]})


def sampled(
    session: LaunchedSession, server: ModelServer, samples: int, target: str = OPEN, **settings: Any
) -> Verdict:
    policy = server.policy()
    limits = Settings(samples=samples, rehearse="off", fix=False, **settings)
    return predict(target_in(target, executed=(SETUP,)), session, settings=limits, policy=policy)


def test_each_sample_starts_from_the_same_facts_and_sees_nothing_of_the_others(session: LaunchedSession) -> None:
    script = [calls(ASKS), says(), verdict(), calls(ASKS), says("F3")]
    with ModelServer(script) as server:
        found = sampled(session, server, 3)
    first, again, second, third, last = (request["messages"] for request in server.requests)
    assert first == second == third
    assert (len(again), len(last)) == (4, 4)
    assert (found.outcome, found.certainty, found.reached_by) == ("crash", "predicted", "small")
    assert found.confidence == pytest.approx(2 / 3)
    assert found.notes == ("2 of 3 samples agree",)
    assert [each.fact for each in found.evidence] == ["F2"]


def test_usage_counts_all_samples(session: LaunchedSession) -> None:
    with ModelServer([calls(ASKS), says(), calls(ASKS), says("F3")]) as server:
        found = sampled(session, server, 2)
    assert (found.usage.steps, found.usage.probe_calls) == (4, 3), "the check, and one probe of each"
    assert (found.usage.tokens_in, found.usage.tokens_out) == (400, 80)


def test_what_the_checker_proves_is_not_put_to_the_vote(session: LaunchedSession) -> None:
    with ModelServer([]) as server:
        found = sampled(session, server, 3, "print(df['Fare'])")
    assert (found.certainty, found.reached_by, server.requests) == ("certain", "checker", [])


def test_samples_that_disagree_make_an_unknown_with_the_reasons(session: LaunchedSession) -> None:
    with ModelServer([verdict(explanation="It fits."), says("F1", explanation="No Fare.")]) as server:
        found = sampled(session, server, 2)
    assert (found.outcome, found.reached_by) == ("unknown", "small")
    assert found.notes[1:] == ("a sample says no_crash: It fits.", "a sample says crash: No Fare.")


def test_an_invalid_sample_is_told_and_lowers_the_confidence(session: LaunchedSession) -> None:
    with ModelServer([verdict(), text("Hm."), text("Hm."), verdict()]) as server:
        found = sampled(session, server, 3)
    assert (found.outcome, found.confidence) == ("no_crash", pytest.approx(2 / 3))
    assert found.notes[0] == "2 of 3 samples agree"
    assert found.notes[1].startswith("1 of 3 samples had no valid answer: the model gave no valid answer")


def test_an_endpoint_that_fails_ends_the_vote_with_the_samples_there_are(session: LaunchedSession) -> None:
    with ModelServer([verdict(), verdict(), fault(401)]) as server:
        found = sampled(session, server, 9)
    assert len(server.requests) == 3
    assert (found.outcome, found.confidence) == ("no_crash", 0.99)
    assert found.notes[0] == "2 of 2 samples agree"
    assert found.notes[1].startswith("7 of 9 samples were not taken: the model endpoint")


def test_an_endpoint_that_never_answers_leaves_it_to_the_rules(session: LaunchedSession) -> None:
    with ModelServer([fault(401)]) as server:
        found = sampled(session, server, 3)
    assert len(server.requests) == 1
    assert found.reached_by == "rules"
    assert "small gave up" in found.notes[0]


def test_without_a_valid_sample_the_rules_decide(session: LaunchedSession) -> None:
    with ModelServer([text("Hm.")], repeats=True) as server:
        found = sampled(session, server, 2)
    assert len(server.requests) == 4
    assert found.reached_by == "rules"
    assert "none of 2 samples was valid" in found.notes[0]


def test_the_budget_of_steps_holds_for_all_samples_together(session: LaunchedSession) -> None:
    with ModelServer([verdict()], repeats=True) as server:
        found = sampled(session, server, 9, steps=2)
    assert (len(server.requests), found.usage.steps) == (2, 2)
    assert found.reached_by == "small"
    assert found.notes == (
        "2 of 2 samples agree",
        "7 of 9 samples were not taken: the budget of steps is used up",
    )


def test_a_model_that_only_asks_is_held_to_the_same_steps(session: LaunchedSession) -> None:
    with ModelServer([calls(ASKS)], repeats=True) as server:
        found = sampled(session, server, 3, steps=3)
    assert (len(server.requests), found.usage.steps) == (3, 4), "the last step is the rules'"
    assert found.reached_by == "rules"


def test_the_budget_of_tokens_holds_for_all_samples_together(session: LaunchedSession) -> None:
    dear = calls(("verdict", {"outcome": "no_crash", "confidence": 0.9, "explanation": "It fits."}), tokens=(20000, 10))
    with ModelServer([dear], repeats=True) as server:
        found = sampled(session, server, 9, tokens=50_000)
    assert len(server.requests) == 3
    assert found.usage.tokens_in == 60_000, "what an answer costs is known when it is there"
    assert found.notes == (
        "3 of 3 samples agree",
        "6 of 9 samples were not taken: the budget of tokens is used up",
    )


def test_the_rules_are_asked_once(session: LaunchedSession) -> None:
    found = predict(target_in(OPEN, executed=(SETUP,)), session, settings=Settings(samples=5, rehearse="off"))
    assert found.reached_by == "rules"
    assert not any("sample" in note for note in found.notes)
