"""JunoBench as an Inspect task.

    inspect eval evals/junobench/tasks.py --model none -T bench="$BENCH" -T python="$BENCH_PYTHON"
    inspect eval evals/junobench/tasks.py --model openai/gpt-5 -T arms="static,fixed,adaptive" ...

Without a model the rules decide. `-T policy=endpoint/NAME` asks a model at an endpoint of our own (OPENAI_BASE_URL,
OPENAI_API_KEY, crane.toml) instead of one of Inspect's providers. Paths must be absolute: Inspect loads a task in its
own folder.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from inspect_ai import Task, task
from inspect_ai.model import get_model
from pydantic import SecretStr

from crane_agent.config import DEFAULT, Settings, load_settings
from evals.junobench.asking import Decider, ask_all
from evals.junobench.dataset import load_instances, load_labels
from evals.junobench.predictions import RULES, Arm
from evals.junobench.samples import dataset_of
from evals.junobench.scorers import outcome, reason
from evals.provenance import commit
from evals.runner import Plan

REPLAY_LIMIT_S = 600.0
"""Time for the input files, the executed cells (two cases train a network there) and the target [seconds]."""

ARM_LIMIT_S = 30.0
"""Time for an arm beyond that of its policy: checker, rehearsal, looking for what was left behind [seconds]."""

SECONDS: float = Settings.model_fields["seconds"].default

NO_MODEL = "none/none"
"""What Inspect calls it if there is none."""

ENDPOINT = "endpoint/"
"""What the name of a model at an endpoint of our own begins with."""

OF_A_MODEL = (
    "model", "base_url", "api_key", "api", "tool_calling", "reasoning_effort", "temperature", "seed", "prices",
    "answer_seconds", "answer_tokens", "retries",
)  # fmt: skip
"""Settings that say how a model at an endpoint of our own is asked."""

DEFAULT_ARMS = (
    "static,fixed,fixed-no-structure,fixed-no-values,fixed-no-types,adaptive,"
    "static +check,fixed +check,adaptive +check,adaptive +check +rehearsal"
)


@task
def junobench(
    bench: str,
    python: str,
    arms: str | list[str] = DEFAULT_ARMS,
    policy: str | None = None,
    cases: str | list[str] = "",
    truth: Literal["live", "recorded"] = "live",
    seconds: float = SECONDS,
    deadline: float | None = None,
    judge: str | None = None,
) -> Task:
    """JunoBench: will the target crash, and why, asked in each arm in the same kernel.

    Args:
        bench: JunoBench's folder, in either layout.
        python: Interpreter of the kernels.
        arms: The arms, e.g. ``static,fixed +check,adaptive +check +rehearsal``.
        policy: Who decides: `rules`, ``endpoint/NAME`` for a model at an endpoint of our own, or a model as Inspect
            names it; default: Inspect's model of this eval, or the rules if it has none.
        cases: Only these cases.
        truth: Run each target for the truth, or take what was recorded.
        seconds: Time for one answer of one arm [seconds].
        deadline: Time for one instance [seconds]; default: enough for all arms.
        judge: Model, as Inspect names it, that judges the reasons against the written cause.
    """
    folder = Path(bench)
    decider = decider_of(policy, {"seconds": seconds})
    chosen = [Arm.named(name).model_copy(update={"policy": decider.policy}) for name in _listed(arms)]
    instances = load_instances(folder, _listed(cases))
    plan = Plan(
        python=python,
        live=truth == "live",
        jobs=1,
        deadline_s=deadline or REPLAY_LIMIT_S + len(chosen) * (seconds + ARM_LIMIT_S),
        commit=commit(),
    )
    return Task(
        dataset=dataset_of(instances, load_labels(folder)),
        solver=ask_all(instances, chosen, plan, decider),
        scorer=[outcome(), *([reason(judge)] if judge else [])],
        model=get_model(NO_MODEL if decider.policy == RULES or decider.settings else decider.policy),
        # A run that fails is a row like any other.
        fail_on_error=False,
        metadata={"policy": decider.policy, "arms": [arm.name for arm in chosen], "commit": plan.commit},
    )


def decider_of(policy: str | None, limits: Mapping[str, Any]) -> Decider:
    """Return who decides.

    Args:
        policy: As for the task.
        limits: Settings that bound a run of any model, by name.

    Raises:
        ConfigError: A file or a variable has a value that cannot be used.
    """
    name = str(get_model()) if policy is None else policy
    if name.startswith(ENDPOINT):
        loaded = load_settings({"model": name.removeprefix(ENDPOINT)})
        given = {each: _plain(getattr(loaded.settings, each)) for each in OF_A_MODEL if loaded.origins[each] != DEFAULT}
        return Decider(
            loaded.settings.model or "", {each: _plain(getattr(loaded.settings, each)) for each in given}, limits
        )
    return Decider(RULES if name == NO_MODEL else name, None, limits)


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.model_dump() if hasattr(value, "model_dump") else value


def _listed(names: str | Iterable[str]) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else names
    return [part.strip() for part in parts if part.strip()]
