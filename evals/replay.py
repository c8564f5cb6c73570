"""Instances cell by cell: each cell is looked at just before it runs for real, in a process for each instance.

The process is one of a module that ends with `serve`; `cells_of` runs it. Each cell is a line as soon as it ran.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from crane_agent.session.launched import LaunchedSession, launch
from evals.instance import Instance, Truth
from evals.runner import run_worker, why_unfinished
from evals.solver import KERNEL_ENVIRONMENT, START_LIMIT_S, install_startup
from evals.worker import complaint, make_data


class CellFailed(Exception):
    """A cell did not run to its end, so that those after it have no state to run in."""


@dataclass(frozen=True)
class Plan:
    """How instances are run.

    Attributes:
        python: Interpreter of the kernels.
        jobs: Instances run at the same time.
        deadline_s: Time for one instance [seconds].
        cell_limit_s: Time for one executed cell [seconds].
        commit: Commit of the checkout, for the rows.
        after_crash: Whether an instance goes on after an executed cell that raised.
        files_of: Gives the folder of an instance's input files, if it has one.
    """

    python: str
    jobs: int
    deadline_s: float
    cell_limit_s: float
    commit: str
    after_crash: bool = False
    files_of: Callable[[Instance], Path | None] = lambda instance: None


class Job(BaseModel):
    """What a worker is to do.

    Attributes:
        instance: The instance; one without a target is a notebook, every cell of which is asked about.
        python: Interpreter of the kernel.
        files: Folder whose contents the kernel finds in its working directory; None: none.
        work: The kernel's working directory, made for this run and empty.
        profile: IPython's directory of the kernel, made for this run and empty.
        cell_limit_s: Time for each executed cell [seconds].
        after_crash: Whether to go on after an executed cell that raised.
        found: File that gets a line for each cell.
        complaint: File to write to why there are no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: Instance
    python: str
    files: Path | None
    work: Path
    profile: Path
    cell_limit_s: float
    after_crash: bool
    found: Path
    complaint: Path

    def go_on(self, place: int, truth: Truth) -> None:
        """Go on behind an executed cell that ran, or raised where that is no end.

        Raises:
            CellFailed: It raised, and that is to end the run; or it did not end.
        """
        if truth.status != "ok" and not (self.after_crash and truth.status == "error"):
            raise CellFailed(f"cell {place}: {truth.ename or truth.status}")


J = TypeVar("J", bound=Job)


class Found(NamedTuple):
    """What a worker found: a line of JSON for each cell that it got to, and why there are no more."""

    lines: list[str]
    error: str | None


def cells_of(instance: Instance, plan: Plan, module: str, kind: type[Job] = Job, **more: Any) -> Found:
    """Run one instance in a worker of its own; whatever happens to it, the cells that it got to are there.

    Args:
        instance: The instance.
        plan: How to run it.
        module: The worker's module.
        kind: Its kind of job.
        more: What that has beyond a `Job`.
    """
    with tempfile.TemporaryDirectory(prefix="replay_", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        job = kind(
            instance=instance,
            python=plan.python,
            files=plan.files_of(instance),
            work=home / "work",
            profile=home / "profile",
            cell_limit_s=plan.cell_limit_s,
            after_crash=plan.after_crash,
            found=home / "cells.jsonl",
            complaint=home / "complaint.txt",
            **more,
        )
        job.work.mkdir()
        job.profile.mkdir()
        status = run_worker(
            ["-m", module], job.model_dump_json(), profile=job.profile, home=home, deadline_s=plan.deadline_s
        )
        lines = job.found.read_text(encoding="utf-8").splitlines() if job.found.exists() else []
        return Found(lines, why_unfinished(status, job.complaint, plan.deadline_s))


def serve(kind: type[J], work: Callable[[J], Iterable[BaseModel]]) -> None:
    """Do the job that standard input has as JSON.

    Args:
        kind: Its kind.
        work: Does it, and yields each cell as soon as it ran.
    """
    job = kind.model_validate_json(sys.stdin.read())
    try:
        for cell in work(job):
            with job.found.open("a", encoding="utf-8") as file:
                file.write(cell.model_dump_json() + "\n")
    except BaseException as failure:
        job.complaint.write_text(complaint(failure), encoding="utf-8")
        raise


@contextmanager
def kernel_of(job: Job) -> Iterator[LaunchedSession]:
    """Start a kernel beside the instance's input files."""
    if job.files is not None:
        shutil.copytree(job.files, job.work, dirs_exist_ok=True)
    make_data(job.instance, python=job.python, work=job.work)
    install_startup(job.instance.startup, job.profile)
    with launch(
        folder=job.work,
        in_place=True,
        python=job.python,
        start_limit_s=START_LIMIT_S,
        env={**KERNEL_ENVIRONMENT, "IPYTHONDIR": str(job.profile)},
        # Python's own words, so that they can be compared: nothing of it is shown to anybody but the notebook's owner.
        privacy="values",
    ) as session:
        yield session
