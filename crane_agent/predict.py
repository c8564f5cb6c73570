"""The one way in: `predict(target, session, ...) -> Verdict`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crane_agent.config import Settings
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, Session
from crane_agent.verdict.models import Verdict

if TYPE_CHECKING:
    from crane_agent.agent.policy import Policy
    from crane_agent.agent.state import Budget, Step


def predict(
    target: Target,
    session: Session,
    *,
    settings: Settings | None = None,
    policy: "Policy | None" = None,
    on_step: "Callable[[Step], None] | None" = None,
    may_rehearse: Callable[[], bool] | None = None,
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

    Returns:
        A verdict, whatever the policy does: running out of budget ends in one, too.

    Raises:
        KernelDied: The kernel ended before the verdict.
    """
    # Imported late: langgraph costs more than all the rest of start-up.
    from langsmith import tracing_context

    from crane_agent.agent.graph import agent_graph, recursion_limit
    from crane_agent.agent.rule_policy import RulePolicy
    from crane_agent.agent.state import Asking, Run

    budget = _budget(settings or Settings(), session)
    rules = RulePolicy()
    run = Run(
        target=target,
        session=session,
        policy=policy or rules,
        rules=rules,
        budget=budget,
        can_ask=may_rehearse is not None,
    )
    verdict: Verdict | None = None
    part: Any  # a `Step` or an `Asking` in mode custom, the `State` in mode values
    # Where tracing is switched on for other programs, LangChain would send the whole state to its service.
    with tracing_context(enabled=False):
        for mode, part in agent_graph().stream(
            {}, {"recursion_limit": recursion_limit(budget.steps)}, context=run, stream_mode=["custom", "values"]
        ):
            if isinstance(part, Asking):
                assert may_rehearse is not None
                part.answer_with(may_rehearse)
            elif mode == "custom" and on_step is not None:
                on_step(part)
            elif mode == "values":
                verdict = part.get("verdict")
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
        # A kernel that somebody works in is not forked unasked: no rehearsal can be proved harmless to it.
        rehearse=settings.rehearse or ("on" if session.owned else "off"),
        rehearse_seconds=settings.rehearse_seconds,
        fix=settings.fix,
    )
