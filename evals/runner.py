"""Many instances, each in a process of its own: one that dies or hangs is a row like any other."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.instance import Instance
from evals.rows_file import rows_in, run_missing
from evals.scorer import Answer, Row, failure, score
from evals.solver import WITHOUT_AND_WITH, Asking
from evals.traces import end_processes_of
from evals.worker import Job

ROOT = Path(__file__).resolve().parent.parent
# A variable of ours could change what is measured: an eval runs with the documented defaults.
SETTINGS_PREFIXES = ("CRANE_", "OPENAI_")


class RunFailed(Exception):
    """There is no answer about an instance; says why."""

    def __repr__(self) -> str:
        """Return why: Inspect's logs show it so."""
        return str(self)


@dataclass(frozen=True)
class Plan:
    """How instances are run.

    Attributes:
        python: Interpreter of the kernels.
        live: Whether each target is run for the truth, instead of taking the recorded one.
        jobs: Instances run at the same time.
        deadline_s: Time for one instance, from its input files to its truth [seconds].
        commit: Commit of the checkout, for the rows.
        arms: How each instance is asked about; those that rehearse come last.
    """

    python: str
    live: bool
    jobs: int
    deadline_s: float
    commit: str
    arms: tuple[Asking, ...] = WITHOUT_AND_WITH


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
    """Run one instance and score it; whatever happens to it, there is a row."""
    try:
        return score(instance, answer_about(instance, plan), commit=plan.commit)
    except RunFailed as error:
        return failure(instance, str(error), commit=plan.commit)


def answer_about(instance: Instance, plan: Plan) -> Answer:
    """Run one instance in a worker of its own.

    Raises:
        RunFailed: There is no answer, whatever happened to the worker.
    """
    with (
        tempfile.TemporaryDirectory(prefix="work_", ignore_cleanup_errors=True) as work,
        tempfile.TemporaryDirectory(prefix="profile_", ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryDirectory(prefix="answer_", ignore_cleanup_errors=True) as desk,
    ):
        job = Job(
            instance=instance,
            python=plan.python,
            work=Path(work),
            profile=Path(profile),
            live=plan.live,
            arms=plan.arms,
            answer=Path(desk) / "answer.json",
            complaint=Path(desk) / "complaint.txt",
        )
        error = _run_job(job, plan.deadline_s)
        if error is not None:
            raise RunFailed(error)
        try:
            return Answer.model_validate_json(job.answer.read_text(encoding="utf-8"))
        except (OSError, ValueError) as broken:  # e.g. a full disk
            raise RunFailed(f"no answer to read: {broken}") from broken


def run_worker(
    arguments: Sequence[str], request: str, *, profile: Path, home: Path, deadline_s: float, log: Path | None = None
) -> int | None:
    """Run a worker to its end, or to the deadline, and end all that it started.

    Args:
        arguments: What Python is started with.
        request: What the worker reads from its standard input.
        profile: IPython's directory of the worker's kernels.
        home: Where it and its kernels make temporary files.
        deadline_s: Time for it [seconds].
        log: Where its standard error goes; None: nowhere.

    Returns:
        Its exit status, or None if it was not done by the deadline.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_PREFIXES)}
    # Kernels inherit it too, so it marks every process that the job started.
    environment |= {"IPYTHONDIR": str(profile), "TMPDIR": str(home)}
    with Path(os.devnull if log is None else log).open("w") as errors:
        worker = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        try:
            worker.communicate(request, timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            worker.kill()
            worker.wait()
            end_processes_of(profile)
    return worker.returncode


def _run_job(job: Job, deadline_s: float) -> str | None:
    """Run a job in a worker; return why it gave no answer, or None if it did."""
    status = run_worker(
        ["-m", "evals.worker"],
        job.model_dump_json(),
        profile=job.profile,
        home=job.answer.parent,
        deadline_s=deadline_s,
    )
    return why_unfinished(status, job.complaint, deadline_s)


def why_unfinished(status: int | None, complaint: Path, deadline_s: float) -> str | None:
    """Return why a worker did not get to its end, or None if it did.

    Args:
        status: What `run_worker` returned.
        complaint: Where the worker writes what went wrong.
        deadline_s: The time it had [seconds].
    """
    if status is None:
        return f"not done after {deadline_s:.0f} s"
    if complaint.exists():
        return complaint.read_text(encoding="utf-8")
    return None if status == 0 else f"worker ended with status {status}"
