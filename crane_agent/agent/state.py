"""What the graph carries from node to node, what it is given for a run, and the steps it tells about."""

import operator
import time
from dataclasses import dataclass, field
from typing import Annotated

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from crane_agent.agent.policy import Fact, Observation, Policy, ProbeCall
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, Session
from crane_agent.verdict.models import Claim, Verdict


@dataclass(frozen=True)
class Step:
    """One step of a run, for progress.

    Attributes:
        node: observe, check, decide, probe, confirm or conclude.
        words: What is being done, for users.
    """

    node: str
    words: str


@dataclass(frozen=True)
class Budget:
    """What one run may cost.

    Attributes:
        steps: Decisions of a policy.
        tokens: Tokens sent and received, in all [tokens].
        seconds: Time from start to verdict [seconds].
        probe: The budget of one question to the kernel.
        kernel_bytes: Size of all the kernel's replies together [bytes].
        check: Whether the checker runs first.
    """

    steps: int = 12
    tokens: int = 50_000
    seconds: float = 60.0
    probe: Limits = field(default_factory=Limits)
    kernel_bytes: int = 262_144
    check: bool = True


@dataclass(frozen=True)
class Run:
    """What every node of one run is given; the graph's context.

    Attributes:
        target: The cell asked about.
        session: The kernel.
        policy: Who decides.
        rules: Who takes over where the policy gives up or the budget ends.
        budget: What the run may cost.
        began: When it began, `time.monotonic` [seconds].
    """

    target: Target
    session: Session
    policy: Policy
    rules: Policy
    budget: Budget
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """Time left for the run [seconds]; never negative."""
        return max(0.0, self.budget.seconds - (time.monotonic() - self.began))


class State(TypedDict, total=False):
    """What is known so far; each node returns what it adds.

    `dropped` holds the facts that were taken again, since a cell of the user's had run: they still count as cost.
    """

    observation: Observation
    check: Fact | None
    facts: Annotated[tuple[Fact, ...], operator.add]
    messages: Annotated[tuple[AnyMessage, ...], operator.add]
    notes: Annotated[tuple[str, ...], operator.add]
    steps: Annotated[int, operator.add]
    tokens_in: Annotated[int, operator.add]
    tokens_out: Annotated[int, operator.add]
    gave_up: bool
    calls: tuple[ProbeCall, ...]
    claim: Claim | None
    certain: bool
    reached_by: str
    dropped: Annotated[tuple[Fact, ...], operator.add]
    verdict: Verdict
