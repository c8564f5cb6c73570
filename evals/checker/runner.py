"""Many instances, each in a process of its own; rows are kept as they come, and what is there is not run again."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.checker.rows import Checked, Row
from evals.checker.worker import Job
from evals.instance import Instance
from evals.rows_file import rows_in, run_missing
from evals.runner import run_worker, why_unfinished


@dataclass(frozen=True)
class Plan:
    """How instances are run.

    Attributes:
        python: Interpreter of the kernels.
        peer: Folder that the peer was installed into; None: it is not asked.
        jobs: Instances run at the same time.
        deadline_s: Time for one instance [seconds].
        cell_limit_s: Time for one executed cell [seconds].
        commit: Commit of the checkout, for the rows.
        after_crash: Whether an instance goes on after an executed cell that raised.
        files_of: Gives the folder of an instance's input files, if it has one.
    """

    python: str
    peer: Path | None
    jobs: int
    deadline_s: float
    cell_limit_s: float
    commit: str
    after_crash: bool = False
    files_of: Callable[[Instance], Path | None] = lambda instance: None


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
    earlier = rows_in(out, Row) if out else []
    return run_missing(instances, earlier, lambda each: run_one(each, plan), out, jobs=plan.jobs, seen=seen)


def run_one(instance: Instance, plan: Plan) -> Row:
    """Run one instance in a worker of its own; whatever happens to it, there is a row with the cells that it got to."""
    with tempfile.TemporaryDirectory(prefix="checker_", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        job = Job(
            instance=instance,
            python=plan.python,
            files=plan.files_of(instance),
            work=home / "work",
            profile=home / "profile",
            peer=plan.peer,
            cell_limit_s=plan.cell_limit_s,
            after_crash=plan.after_crash,
            found=home / "cells.jsonl",
            complaint=home / "complaint.txt",
        )
        job.work.mkdir()
        job.profile.mkdir()
        error = _run_job(job, home, plan.deadline_s)
        cells = job.found.read_text(encoding="utf-8").splitlines() if job.found.exists() else []
        return Row(
            case=instance.case,
            version=instance.version,
            cells=tuple(Checked.model_validate_json(line) for line in cells),
            error=error,
            commit=plan.commit,
        )


def _run_job(job: Job, home: Path, deadline_s: float) -> str | None:
    """Run a job in a worker; return why it did not get to its end, or None if it did."""
    status = run_worker(
        ["-m", "evals.checker.worker"], job.model_dump_json(), profile=job.profile, home=home, deadline_s=deadline_s
    )
    return why_unfinished(status, job.complaint, deadline_s)
