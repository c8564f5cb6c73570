"""Voting: a policy is asked several times from the same start, and what most of its samples say is the answer.

The samples are taken one after the other in the same kernel, inside the one budget of the run: each has what those
before it left. A sample that ends without a valid answer agrees with none of the others; where the model does not even
reply, or the budget ends, no further one is taken.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from langchain_core.messages import AIMessage, AnyMessage

from crane_agent.agent.policy import Decision, Policy, Proposal, Tried, View
from crane_agent.in_kernel.redaction import redacted
from crane_agent.verdict.models import Claim, ExceptionClaim


class Election(NamedTuple):
    """What samples say together, and what a reader must know about it."""

    claim: Claim
    notes: tuple[str, ...]


def elected(votes: Sequence[Claim], *, replies: int) -> Election:
    """Return what most of the samples say, with their agreement as its confidence.

    The outcome with the most votes wins, and of the samples with that outcome the most typical one speaks for all: the
    one whose type of exception, then whose line, most of them share, then the one that is surest of itself. Where two
    outcomes have as many votes, the answer is `unknown`.

    Args:
        votes: The valid answers, at least one, in the order they were given.
        replies: Samples that the model replied to, with a valid answer or without: what the agreement is a part of. Of
            a single one its own confidence stands.
    """
    counts = Counter(vote.outcome for vote in votes).most_common()
    outcome, most = counts[0]
    if len(counts) > 1 and counts[1][1] == most:
        return _undecided(votes, replies=replies)
    agreeing = [vote for vote in votes if vote.outcome == outcome]
    types = Counter(_type(vote) for vote in agreeing)
    places = Counter(_place(vote) for vote in agreeing)
    typical = max(agreeing, key=lambda vote: (types[_type(vote)], places[_place(vote)], vote.confidence))
    if replies == 1:
        return Election(typical, ())
    note = f"{most} of {replies} samples agree"
    if typical.exception is not None and places[_place(typical)] < most:
        note += f", {places[_place(typical)]} of them on {_words(typical.exception)}"
    return Election(typical.model_copy(update={"confidence": most / replies}), (note,))


def _undecided(votes: Sequence[Claim], *, replies: int) -> Election:
    said = ", ".join(f"{count} {outcome}" for outcome, count in Counter(vote.outcome for vote in votes).items())
    claim = Claim(outcome="unknown", confidence=0.0, explanation=f"The samples disagree: {said}.")
    first: dict[str, Claim] = {}
    for vote in votes:
        first.setdefault(vote.outcome, vote)
    reasons = (f"a sample says {outcome}: {vote.explanation}" for outcome, vote in first.items())
    return Election(claim, (f"the {replies} samples disagree: {said}", *reasons))


def _type(claim: Claim) -> str | None:
    return claim.exception.type if claim.exception is not None else None


def _place(claim: Claim) -> tuple[str | None, int | None]:
    return _type(claim), claim.exception.line if claim.exception is not None else None


def _words(exception: ExceptionClaim) -> str:
    return exception.type if exception.line is None else f"{exception.type} on line {exception.line}"


class Voting:
    """A policy that asks another one several times; it is one run's.

    Args:
        policy: The one that is asked.
        samples: How often.
    """

    def __init__(self, policy: Policy, samples: int) -> None:
        self._policy = policy
        self._samples = samples
        self._start: View | None = None  # the run as it was when the present sample began
        self._given: int | None = None  # facts that were there before the first one
        self._opening: tuple[AnyMessage, ...] = ()
        self._votes: list[Claim] = []
        self._invalid: list[str] = []
        self._notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._policy.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the verdict must know about the vote; empty before it."""
        return self._notes

    def decide(self, view: View) -> Decision:
        """Return the present sample's next probes, or what all samples say together once the last one is taken."""
        if self._start is None:
            self._start = view
        if self._given is None:
            self._given = len(view.facts)
        decision = self._policy.decide(self._seen(view, self._start, self._given))
        replied = any(isinstance(message, AIMessage) for message in decision.messages)
        if replied and not self._opening:
            self._opening = tuple(takewhile(lambda each: not isinstance(each, AIMessage), decision.messages))
        used_up = _used_up(view, decision)
        if decision.claim is not None:
            self._votes.append(decision.claim)
        elif decision.gave_up and replied:
            self._invalid.append(decision.gave_up)
        elif not decision.gave_up and not used_up:
            return decision
        unanswered = decision.gave_up if not replied and decision.claim is None else ""
        self._start = None
        if unanswered or used_up or len(self._votes) + len(self._invalid) >= self._samples:
            return self._concluded(decision, unanswered or used_up)
        return replace(decision, calls=(), claim=None, gave_up="")  # to be asked again: the next sample

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Return what the policy proposes; whether a patch works is no matter of votes."""
        return self._policy.mend(view, claim, tried)

    def _seen(self, view: View, start: View, given: int) -> View:
        """Return the run as a sample sees it: nothing of the ones before it, and the first one's own opening."""
        opening = self._opening if self._votes or self._invalid else ()
        return replace(
            view,
            facts=view.facts[:given] + view.facts[len(start.facts) :],
            messages=opening + view.messages[len(start.messages) :],
        )

    def _concluded(self, decision: Decision, why_no_more: str) -> Decision:
        replies = len(self._votes) + len(self._invalid)
        if not self._votes:
            reason = self._invalid[0] if self._invalid else why_no_more
            words = f"none of {replies} samples was valid: {reason}" if replies > 1 else reason
            return replace(decision, calls=(), gave_up=words)
        claim, notes = elected(self._votes, replies=replies)
        missing = self._samples - replies
        if missing:
            notes = (*notes, f"{missing} of {self._samples} samples were not taken: {why_no_more}")
        if self._invalid:
            notes = (*notes, f"{len(self._invalid)} of {replies} samples had no valid answer: {self._invalid[0]}")
        self._notes = tuple(map(redacted, notes))
        return replace(decision, calls=(), claim=claim, gave_up="")


def _used_up(view: View, decision: Decision) -> str:
    """Return which budget has nothing left for another decision, in words; '' if all have."""
    if view.steps_left <= 1:
        return "the budget of steps is used up"
    spent = decision.tokens_in + decision.tokens_out
    return "the budget of tokens is used up" if view.tokens_left <= spent else ""
