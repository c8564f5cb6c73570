"""What is planted in a namespace is found: refusing everything is not a way to be safe.

How much is found is measured by `make evals-planted`. Here: that something is planted for every probe, that each probe
finds something, and that no question about it fails.
"""

import sys

import pytest

from crane_agent.session.protocol import Reply
from evals.probes.facts import Has, Lacks, facts
from evals.probes.planted import look, miss
from evals.probes.questions import KERNEL_PROBES

# What these are about, this interpreter may not have.
OF_KERAS = {"compiled", "training_history"}


def test_something_is_planted_for_every_probe():
    assert {fact.probe for fact in facts()} == set(KERNEL_PROBES)


def test_enough_is_planted():
    assert sum(1 for _ in facts()) >= 150


@pytest.fixture(scope="module")
def outcomes():
    return look(sys.executable)


def test_no_question_about_what_is_planted_fails(outcomes):
    assert not [outcome for outcome in outcomes if outcome.miss.startswith("failed")]


def test_every_probe_finds_something(outcomes):
    finders = {outcome.fact.probe for outcome in outcomes if not outcome.miss}
    assert set(KERNEL_PROBES) - finders <= OF_KERAS


@pytest.mark.parametrize(
    ("answer", "expected", "is_found"),
    [
        ({"nan": 2}, {"nan": 2}, True),
        ({"nan": 2}, {"nan": 3}, False),
        ({}, {"nan": None}, False),
        ({"close": {"a": ["b"]}}, {"close.a": ["b"]}, True),
        ({"close": ["b"]}, {"close": Has("b")}, True),
        ({"close": ["b"]}, {"close": Lacks("b")}, False),
        ({"close": None}, {"close": Has("b")}, False),
        ({"nan": 2}, {"status": "refused"}, False),
    ],
)
def test_a_fact_is_found_if_the_answer_holds_what_was_planted(answer, expected, is_found):
    assert (miss(Reply("ok", answer), expected) == "") is is_found


def test_a_refusal_finds_nothing_unless_it_is_expected():
    refusal = Reply("refused", reason="could not look, because x has no key 'a'")
    assert miss(refusal, {"nan": 2}).startswith("refused")
    assert miss(refusal, {"status": "refused", "reason": Has("no key 'a'")}) == ""
