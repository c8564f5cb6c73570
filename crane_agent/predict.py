"""The one way in: `predict(target, session, ...) -> Verdict`."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crane_agent.config import Settings
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, Session
from crane_agent.verdict.models import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crane_agent.agent.policy import Policy
    from crane_agent.agent.state import Budget, Clock, Run, Step
    from crane_agent.agent.trace import Recorder, Trace


def predict(
    target: Target,
    session: Session,
    *,
    settings: Settings | None = None,
    policy: "Policy | None" = None,
    on_step: "Callable[[Step], None] | None" = None,
    may_rehearse: Callable[[], bool] | None = None,
    trace: "Trace | None" = None,
    clock: "Clock | None" = None,
) -> Verdict:
    """Say whether the target would crash if it ran now, why, and what would fix it.

    Args:
        target: The cell asked about, with the cells around it.
        session: A kernel in the state that the executed cells left behind; it is left as it is.
        settings: Limits of the run; the defaults if None.
        policy: Who decides; the rules if None.
        on_step: Told about each step as it begins.
        may_rehearse: Where the settings say `ask`: called, once at most, before the target runs in a fenced copy of
            the kernel; None: nobody can be asked, so it does not.
        trace: Gets each event of the run, see `agent.trace`.
        clock: The time of the run, if it is not to be this machine's.

    Returns:
        A verdict, whatever the policy does: running out of budget ends in one, too.

    Raises:
        KernelDied: The kernel ended before the verdict.
        ConfigError: The trace cannot be written.
    """
    # Imported late: langgraph costs more than all the rest of start-up.
    from crane_agent.agent.rule_policy import RulePolicy
    from crane_agent.agent.state import Clock, Run
    from crane_agent.agent.trace import Recorder, TracedPolicy, TracedSession
    from crane_agent.agent.voting import Voting

    settings = settings or Settings()
    clock = clock or Clock()
    record = None if trace is None else Recorder(trace, clock)
    rules = RulePolicy()
    decider: Policy = rules
    voting = None
    if policy is not None and not isinstance(policy, RulePolicy):
        decider = policy if record is None else TracedPolicy(policy, record)
        if settings.samples > 1:
            decider = voting = Voting(decider, settings.samples)
    run = Run(
        target=target,
        session=session if record is None else TracedSession(session, record),
        policy=decider,
        rules=rules,
        budget=_budget(settings, session),
        can_ask=may_rehearse is not None,
        clock=clock,
    )
    with _recorded(record, run, settings) as ended:
        verdict = _verdict_of(run, on_step, may_rehearse, record)
        if voting is not None and voting.notes and verdict.reached_by == voting.name:
            verdict = verdict.model_copy(update={"notes": (*verdict.notes, *voting.notes)})
        ended.append(verdict)
    return verdict


@contextmanager
def _recorded(record: "Recorder | None", run: "Run", settings: Settings) -> "Iterator[list[Verdict]]":
    """Record how a run begins and ends; the verdict is to be put in the list."""
    ended: list[Verdict] = []
    if record is None:
        yield ended
        return
    record.begin(run.target, run.session, settings, policy=run.policy.name, can_ask=run.can_ask)
    try:
        yield ended
    except BaseException as error:
        record.end(error)
        raise
    record.end(ended[0])


def _verdict_of(
    run: "Run",
    on_step: "Callable[[Step], None] | None",
    may_rehearse: Callable[[], bool] | None,
    record: "Recorder | None",
) -> Verdict:
    from crane_agent.agent.graph import agent_graph, recursion_limit
    from crane_agent.agent.state import Asking
    from crane_agent.agent.trace import ModelCalls, langsmith

    verdict: Verdict | None = None
    part: Any  # a `Step` or an `Asking` in mode custom, what a node added to the `State` in mode updates
    with langsmith() as callbacks:
        if record is not None:
            callbacks = [*callbacks, ModelCalls(record)]
        limit = recursion_limit(run.budget.steps)
        for mode, part in agent_graph().stream(
            {}, {"recursion_limit": limit, "callbacks": callbacks}, context=run, stream_mode=["custom", "updates"]
        ):
            if isinstance(part, Asking):
                assert may_rehearse is not None
                part.answer_with(may_rehearse)
            elif mode == "custom" and on_step is not None:
                on_step(part)
            elif mode == "updates":
                for node, added in part.items():
                    if record is not None:
                        record.add_node(node, added)
                    verdict = (added or {}).get("verdict", verdict)
    assert verdict is not None
    return verdict


def _budget(settings: Settings, session: Session) -> "Budget":
    from crane_agent.agent.state import Budget

    return Budget(
        steps=settings.steps,
        tokens=settings.tokens,
        seconds=settings.seconds,
        probe=Limits(seconds=settings.probe_seconds, items=settings.probe_items, bytes=settings.probe_bytes),
        kernel_bytes=settings.kernel_bytes,
        check=settings.check,
        facts=settings.facts,
        # A kernel that somebody works in is not forked unasked: no rehearsal can be proved harmless to it.
        rehearse=settings.rehearse or ("on" if session.owned else "off"),
        rehearse_seconds=settings.rehearse_seconds,
        fix=settings.fix,
        prices=settings.prices,
    )
