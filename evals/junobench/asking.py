"""The solver: one kernel an instance, every arm asked in it, then the target run for the truth.

All of it happens in a worker's process, which has a deadline and whose end is an error of its sample and nothing more.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import anyio
import anyio.to_thread
from inspect_ai.log import transcript
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import span

from crane_agent.verdict.render import as_markdown
from evals.instance import Instance
from evals.junobench.predictions import RULES, Arm
from evals.junobench.relay import Relay, relayed_model
from evals.junobench.samples import Asked, sample_id
from evals.runner import Plan, answer_about
from evals.scorer import Answer, Said
from evals.solver import Asking, facts_in


@dataclass(frozen=True)
class Decider:
    """Who decides.

    Attributes:
        policy: `rules`, or the model's name.
        settings: Settings of the model at an endpoint of our own, by name; None: the rules, or Inspect's model.
        limits: Settings that bound a run of any model, by name.
    """

    policy: str
    settings: Mapping[str, Any] | None
    limits: Mapping[str, Any]


@solver
def ask_all(instances: Collection[Instance], arms: Sequence[Arm], plan: Plan, decider: Decider) -> Solver:
    """Ask about a sample's instance in each arm.

    Args:
        instances: The instances; a sample is told by its id.
        arms: The arms, of one policy.
        plan: How instances are run; its arms are not looked at.
        decider: Who decides.
    """
    by_id = {sample_id(instance): instance for instance in instances}

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        instance = by_id[str(state.sample_id)]
        asked = state.store_as(Asked)
        asked.arms, asked.commit = {arm.name: arm for arm in arms}, plan.commit
        is_inspects = decider.policy != RULES and decider.settings is None
        async with relayed_model() if is_inspects else nullcontext() as relay:
            asking = [_asking(arm, decider, relay) for arm in arms]
            answer = await anyio.to_thread.run_sync(
                answer_about, instance, replace(plan, arms=tuple(asking)), limiter=anyio.CapacityLimiter(1)
            )
        if relay is not None and relay.exceeded is not None:
            raise relay.exceeded
        for name, said in answer.said.items():
            async with span(name):
                _tell(said, instance)
        asked.answer = _without_events(answer)
        return state

    return solve


def _asking(arm: Arm, decider: Decider, relay: Relay | None) -> Asking:
    settings: Mapping[str, Any] | None = decider.settings
    if relay is not None:
        settings = {"model": decider.policy, "base_url": relay.address(arm.name), "api": "chat"}
    return Asking(
        arm=arm.name,
        facts=arm.facts,
        check=arm.check,
        rehearse="on" if arm.rehearse else "off",
        model=None if settings is None else {**decider.limits, **settings},
        records=True,
    )


def _tell(said: Said, instance: Instance) -> None:
    """Put what happened in one arm into the transcript."""
    transcript().info(as_markdown(said.verdict, source=instance.target), source="verdict")
    transcript().info({"facts": [dict(fact) for fact in facts_in(said.events)]}, source="facts")
    if conversation := _conversation(said):
        transcript().info({"messages": conversation}, source="messages")
    transcript().info(said.model_dump(mode="json", exclude={"events"}), source="answer")


def _conversation(said: Said) -> list[Any]:
    """Return the requests and replies; of a request what is new: each repeats those before it."""
    found: list[Any] = []
    known = 0
    for event in said.events:
        if event["event"] == "request":
            messages = event["messages"]
            found.append({"request": messages[known:] if len(messages) > known else messages, "tools": event["tools"]})
            known = len(messages)
        elif event["event"] in ("reply", "failure"):
            found.append({key: value for key, value in event.items() if key not in ("call", "seconds")})
    return found


def _without_events(answer: Answer) -> Answer:
    said = {name: each.model_copy(update={"events": ()}) for name, each in answer.said.items()}
    return answer.model_copy(update={"said": said})
