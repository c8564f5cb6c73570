"""Many instances, each in a process of its own; rows are kept as they come, and what is there is not run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import replay
from evals.checker.rows import Checked, Row
from evals.checker.worker import Job
from evals.instance import Instance
from evals.replay import cells_of
from evals.rows_file import rows_in, run_missing


@dataclass(frozen=True)
class Plan(replay.Plan):
    """How instances are run.

    Attributes:
        peer: Folder that the peer was installed into; None: it is not asked.
    """

    peer: Path | None = None


def run(instances: Sequence[Instance], plan: Plan, out: Path | None, seen: Callable[[Row], None]) -> list[Row]:
    """Run the instances that `out` has no row for yet.

    Args:
        instances: What to run.
        plan: How to run them.
        out: JSONL file with the rows of earlier runs; each new row is appended as soon as it is there.
        seen: Called with each new row, in the order they are done.

    Returns:
        The rows of `instances`, old and new, in their order.
    """
    return run_missing(instances, rows_in(out, Row), lambda each: run_one(each, plan), out, jobs=plan.jobs, seen=seen)


def run_one(instance: Instance, plan: Plan) -> Row:
    """Run one instance; whatever happens to it, there is a row with the cells that it got to."""
    found = cells_of(instance, plan, "evals.checker.worker", Job, peer=plan.peer)
    return Row(
        case=instance.case,
        version=instance.version,
        cells=tuple(Checked.model_validate_json(line) for line in found.lines),
        error=found.error,
        commit=plan.commit,
    )
