"""What a policy sees and what it may decide; the graph holds the budgets, a policy only chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.messages import AnyMessage

from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Reply
from crane_agent.verdict.models import Claim, ProposedFix


@dataclass(frozen=True)
class ProbeCall:
    """A probe that a policy wants to be called.

    Attributes:
        question: The probe's name.
        arguments: Its arguments, JSON values.
        call_id: The model's id of the tool call; empty from the rule policy.
    """

    question: str
    arguments: Mapping[str, Any]
    call_id: str = ""


@dataclass(frozen=True)
class Fact:
    """A probe's reply with the id that a verdict cites: F1, F2, ... in the order they were asked."""

    id: str
    call: ProbeCall
    reply: Reply


@dataclass(frozen=True)
class Observation:
    """The static side: what the cells alone tell.

    Attributes:
        defined_by_unrun: For names the target reads and no executed cell binds: the indices of the cells that would
            bind them but were not run.
        never_bound: Names the target reads that no cell of the notebook binds.
    """

    defined_by_unrun: Mapping[str, tuple[int, ...]]
    never_bound: frozenset[str]


@dataclass(frozen=True)
class View:
    """All that a policy gets to see; the target's stored output is not part of it.

    Attributes:
        target: The target cell and the executed cells.
        observation: The static side.
        check: The checker's report (a fact like any other), or None if the checker is switched off.
        facts: Every fact so far, the check included, in order.
        messages: What this policy added to the conversation so far.
        steps_left: Decisions left, this one included.
        seconds_left: Time left for the whole run [seconds].
        tokens_left: Tokens left for the whole run.
        may_probe: Whether probes can be called; else the facts at hand are all there will be.
    """

    target: Target
    observation: Observation
    check: Fact | None
    facts: tuple[Fact, ...]
    messages: tuple[AnyMessage, ...]
    steps_left: int
    seconds_left: float
    tokens_left: int
    may_probe: bool = True


@dataclass(frozen=True)
class Decision:
    """What a policy decided: probes to call, or a claim, or (neither) to be asked again with its messages added.

    Attributes:
        calls: Probes to call, in order.
        claim: The answer; ends the run.
        gave_up: Why this policy cannot go on; the rule policy then takes over, and the verdict says so.
        messages: Added to the conversation.
        tokens_in: Tokens sent [tokens].
        tokens_out: Tokens received [tokens].
    """

    calls: tuple[ProbeCall, ...] = ()
    claim: Claim | None = None
    gave_up: str = ""
    messages: tuple[AnyMessage, ...] = field(default=())
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class Tried:
    """A patch of a crash that was tried.

    Attributes:
        fix: The patch.
        outcome: What became of it, in words that hold nothing above the privacy level.
    """

    fix: ProposedFix
    outcome: str


@dataclass(frozen=True)
class Proposal:
    """What a policy proposes against a crash.

    Attributes:
        fix: A patch; None: it knows none, or none other.
        gave_up: Why it could not be asked; '' if it could.
        messages: What it said.
        tokens_in: Tokens sent [tokens].
        tokens_out: Tokens received [tokens].
    """

    fix: ProposedFix | None = None
    gave_up: str = ""
    messages: tuple[AnyMessage, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


class Policy(Protocol):
    """Chooses the next fact to ask for, or the answer."""

    @property
    def name(self) -> str:
        """What the verdict's `reached_by` says: `rules` or the model's name."""

    def decide(self, view: View) -> Decision:
        """Decide from what is known; pure but for the model call of a model policy."""

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Propose a patch of a crash, where those that were tried do not work; pure as `decide` is."""
