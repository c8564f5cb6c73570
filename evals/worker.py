"""One instance in a process of its own: `python -m evals.worker`, the job as JSON on standard input.

What the worker finds is written to the job's `answer` as JSON, why it failed to its `complaint`. Whatever a
notebook does ends here, or with the processes that this one started.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evals.instance import Instance
from evals.solver import Asking, solve

DATA_LIMIT_S = 300.0
LOOKS_EVERY_S = 1.0
"""How often a worker looks whether who started it is still there [seconds]."""


class Job(BaseModel):
    """What a worker is to do.

    Attributes:
        instance: The instance.
        python: Interpreter of the kernel.
        work: The kernel's working directory, made for this run and empty.
        profile: IPython's directory of the kernel, made for this run and empty.
        live: Whether to run the target for the truth, instead of taking the recorded one.
        arms: How it is asked about; those that rehearse come last.
        answer: File to write the answer to.
        complaint: File to write to why there is no answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: Instance
    python: str
    work: Path
    profile: Path
    live: bool
    arms: tuple[Asking, ...]
    answer: Path
    complaint: Path


def work(job: Job) -> None:
    """Make the input files, solve the instance and write the answer."""
    make_data(job.instance, python=job.python, work=job.work)
    answer = solve(job.instance, python=job.python, work=job.work, profile=job.profile, live=job.live, arms=job.arms)
    job.answer.write_text(answer.model_dump_json(), encoding="utf-8")


def make_data(instance: Instance, *, python: str, work: Path) -> None:
    """Put an instance's input files into a folder, if it has some, or a script for them."""
    for folder in instance.data_folders:
        shutil.copytree(folder, work / folder.name)
    if instance.data_script is not None:
        subprocess.run(
            [python, str(instance.data_script), str(work)],
            cwd=work,
            check=True,
            timeout=DATA_LIMIT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def complaint(error: BaseException) -> str:
    """Say in one line what went wrong and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"


def end_with_parent() -> None:
    """End this process as soon as who started it has ended; its kernels end with it."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOKS_EVERY_S)
        os._exit(1)

    threading.Thread(target=look, name="end with parent", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    asked = Job.model_validate_json(sys.stdin.read())
    try:
        work(asked)
    except BaseException as failure:
        asked.complaint.write_text(complaint(failure), encoding="utf-8")
        raise
