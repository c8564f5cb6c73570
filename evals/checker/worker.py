"""One instance in a process of its own: `python -m evals.checker.worker`, the job as JSON on standard input.

Each cell is a line of the job's `found` as soon as it ran; why there are no more is written to its `complaint`.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from crane_agent.session.launched import LaunchedSession, launch
from evals.checker.asking import ask, ask_peer
from evals.checker.rows import Checked, PeerSaid, Role
from evals.instance import Instance
from evals.solver import (
    KERNEL_ENVIRONMENT,
    START_LIMIT_S,
    TARGET_LIMIT_S,
    install_startup,
    run_for_real,
)
from evals.worker import DATA_LIMIT_S, complaint


class CellFailed(Exception):
    """A cell did not run to its end, so that those after it have no state to run in."""


class Job(BaseModel):
    """What a worker is to do.

    Attributes:
        instance: The instance; one without a target is a notebook, every cell of which is asked about.
        python: Interpreter of the kernel.
        files: Folder whose contents the kernel finds in its working directory; None: none.
        work: The kernel's working directory, made for this run and empty.
        profile: IPython's directory of the kernel, made for this run and empty.
        peer: Folder that the peer was installed into; None: it is not asked.
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
    peer: Path | None
    cell_limit_s: float
    after_crash: bool
    found: Path
    complaint: Path


def work(job: Job) -> None:
    """Make the input files, and ask about each cell just before it runs."""
    with kernel_of(job) as session:
        for cell in checked_cells(job, session):
            with job.found.open("a", encoding="utf-8") as file:
                file.write(cell.model_dump_json() + "\n")


@contextmanager
def kernel_of(job: Job) -> Iterator[LaunchedSession]:
    """Start a kernel beside the instance's input files."""
    if job.files is not None:
        shutil.copytree(job.files, job.work, dirs_exist_ok=True)
    if job.instance.data_script is not None:
        subprocess.run(
            [job.python, str(job.instance.data_script), str(job.work)],
            cwd=job.work,
            check=True,
            timeout=DATA_LIMIT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
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


def checked_cells(job: Job, session: LaunchedSession) -> Iterator[Checked]:
    """Yield each cell with what was said before it ran, and what it then did.

    Raises:
        CellFailed: A cell before the target raised, and that is to end the run; or it did not end.
    """
    instance = job.instance
    role: Role = "executed" if instance.target else "cell"
    for place, source in enumerate(instance.executed, start=1):
        checked = check_and_run(session, source, role, place, limit_s=job.cell_limit_s)
        yield checked
        status = checked.truth.status
        if status != "ok" and not (job.after_crash and status == "error"):
            raise CellFailed(f"cell {place}: {checked.truth.ename or status}")
    if instance.target:
        place = len(instance.executed) + 1
        yield check_and_run(session, instance.target, "target", place, limit_s=TARGET_LIMIT_S, peer=job.peer)


def check_and_run(
    session: LaunchedSession, source: str, role: Role, place: int, *, limit_s: float, peer: Path | None = None
) -> Checked:
    """Ask about a cell, then run it.

    The peer is asked last, in the same state: ours is known to change nothing, which makes the two comparable.
    """
    said = ask(session, source)
    peer_said: PeerSaid | None = None
    if peer is not None:
        peer_said = ask_peer(session, source, peer)
    truth = run_for_real(session, source, limit_s=limit_s)
    return Checked(role=role, place=place, source=source, said=said, peer=peer_said, truth=truth)


if __name__ == "__main__":
    asked = Job.model_validate_json(sys.stdin.read())
    try:
        work(asked)
    except BaseException as failure:
        asked.complaint.write_text(complaint(failure), encoding="utf-8")
        raise
