"""What the graph carries from node to node, what it is given for a run, and the steps it tells about."""

import operator
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from crane_agent.agent.policy import Fact, Observation, Policy, ProbeCall
from crane_agent.config import Facts, Prices, Rehearse
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, Session
from crane_agent.verdict.models import BoundName, Claim, Verdict, Verified


@dataclass(frozen=True)
class Step:
    """One step of a run, for progress.

    Attributes:
        node: observe, check, rehearse, summarize, decide, probe, confirm, repair or conclude.
        words: What is being done, for users.
    """

    node: str
    words: str


class Asking:
    """A question to the user, which goes out as a step does; the node that asks waits for the answer.

    Nodes run in threads of the graph's. The user is asked in the caller's own, which Ctrl-C reaches.
    """

    def __init__(self) -> None:
        self._answer: Future[bool] = Future()

    def answer_with(self, ask: Callable[[], bool]) -> None:
        """Ask the user; where that ends in an exception, the answer is no."""
        answer = False
        try:
            answer = ask()
        finally:
            self._answer.set_result(answer)

    def wait(self) -> bool:
        """Return the answer as soon as there is one."""
        return self._answer.result()


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
        facts: Which runtime facts a policy gets.
        rehearse: Whether the target may run in a fenced copy of the kernel.
        rehearse_seconds: Time it may run there [seconds].
        prices: What tokens cost; None: nobody said.
        fix: Whether a patch of a crash is looked for and tried.
    """

    steps: int = 12
    tokens: int = 50_000
    seconds: float = 60.0
    probe: Limits = field(default_factory=Limits)
    kernel_bytes: int = 262_144
    check: bool = True
    facts: Facts = "adaptive"
    rehearse: Rehearse = "off"
    rehearse_seconds: float = 10.0
    fix: bool = False
    prices: Prices | None = None


class Clock:
    """The time of a run: what its user or a replay took is left out."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the run began [seconds]."""
        return time.monotonic() - self._began

    def leave_out(self, seconds: float) -> None:
        """Count `seconds` that have passed as if they had not."""
        self._began += seconds

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave out what passes inside."""
        before = time.monotonic()
        try:
            yield
        finally:
            self.leave_out(time.monotonic() - before)


@dataclass(frozen=True)
class Run:
    """What every node of one run is given; the graph's context.

    Attributes:
        target: The cell asked about.
        session: The kernel.
        policy: Who decides.
        rules: Who takes over where the policy gives up or the budget ends.
        budget: What the run may cost.
        can_ask: Whether there is somebody to ask where the budget says `ask`.
        clock: The time it takes.
    """

    target: Target
    session: Session
    policy: Policy
    rules: Policy
    budget: Budget
    can_ask: bool = False
    clock: Clock = field(default_factory=Clock)

    @property
    def seconds_left(self) -> float:
        """Time left for the run [seconds]; never negative."""
        return max(0.0, self.budget.seconds - self.clock.seconds)


@dataclass(frozen=True)
class Repair:
    """What was found out about the fix of a crash.

    Attributes:
        verified: Whether the patched cell ran.
        bound: What it bound.
        tried: Patches that were run.
        note: What a reader must know about it; '' if nothing.
        milliseconds: Time that all of it took, replays included [milliseconds].
        replay_ms: Time of the replays among it [milliseconds].
        size: Bytes that left the kernels for it [bytes].
    """

    verified: Verified = "not tried"
    bound: tuple[BoundName, ...] = ()
    tried: int = 0
    note: str = ""
    milliseconds: float = 0.0
    replay_ms: float = 0.0
    size: int = 0


class State(TypedDict, total=False):
    """What is known so far; each node returns what it adds.

    `dropped` holds the facts that were taken again, since a cell of the user's had run: they still count as cost.
    `may_rehearse` is the user's answer, once there is one. `rehearsal_notes` are those of the last rehearsal;
    `rehearsal_ms` and `replay_ms` are of all [milliseconds]. `repair` is what was found out about the claim's fix.
    """

    observation: Observation
    check: Fact | None
    facts: Annotated[tuple[Fact, ...], operator.add]
    messages: Annotated[tuple[AnyMessage, ...], operator.add]
    notes: Annotated[tuple[str, ...], operator.add]
    steps: Annotated[int, operator.add]
    tokens_in: Annotated[int, operator.add]
    tokens_out: Annotated[int, operator.add]
    tokens_cached: Annotated[int, operator.add]
    gave_up: bool
    calls: tuple[ProbeCall, ...]
    claim: Claim | None
    certain: bool
    reached_by: str
    may_rehearse: bool
    rehearsal_notes: tuple[str, ...]
    rehearsal_ms: Annotated[float, operator.add]
    replay_ms: Annotated[float, operator.add]
    repair: Repair
    dropped: Annotated[tuple[Fact, ...], operator.add]
    verdict: Verdict
