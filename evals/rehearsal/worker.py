"""One notebook in a process of its own: `python -m evals.rehearsal.worker`, the job as JSON on standard input."""

import time
from collections.abc import Iterator

from crane_agent.errors import KernelDied
from crane_agent.session.launched import LaunchedSession
from evals.rehearsal.rows import Cell
from evals.replay import Job, kernel_of, serve
from evals.scorer import Rehearsed, rehearsed_of
from evals.solver import run_for_real
from evals.traces import left_behind, surroundings

REHEARSAL_LIMIT_S = 10.0


def rehearsed_cells(job: Job) -> Iterator[Cell]:
    """Yield each cell with how its rehearsal ended, and what it then did.

    Raises:
        CellFailed: A cell did not end, or raised, where that is to end the run.
    """
    with kernel_of(job) as session:
        session.origin = None  # Only the fork is asked: a shadow kernel would hide how it ended.
        for place, source in enumerate(job.instance.executed, start=1):
            before = surroundings(job.work, job.profile)
            rehearsed = rehearse(session, source)
            left = left_behind(before, job.work, job.profile)
            truth = run_for_real(session, source, limit_s=job.cell_limit_s)
            yield Cell(place=place, source=source, rehearsed=rehearsed, left=left, truth=truth)
            job.go_on(place, truth)


def rehearse(session: LaunchedSession, source: str) -> Rehearsed:
    """Rehearse a cell; that the kernel dies of it is a fault of our own."""
    began = time.perf_counter()
    try:
        rehearsal = session.rehearse(source, seconds=REHEARSAL_LIMIT_S)
    except KernelDied as died:
        return Rehearsed(way="fork", status="failed", reason=f"the kernel died in the rehearsal: {died}")
    return rehearsed_of(rehearsal, elapsed_ms=1000 * (time.perf_counter() - began))


if __name__ == "__main__":
    serve(Job, rehearsed_cells)
