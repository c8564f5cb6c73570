"""One instance in a process of its own: `python -m evals.checker.worker`, the job as JSON on standard input."""

from collections.abc import Iterator
from pathlib import Path

from crane_agent.session.launched import LaunchedSession
from evals import replay
from evals.checker.asking import ask, ask_peer
from evals.checker.rows import Checked, PeerSaid, Role
from evals.replay import kernel_of, serve
from evals.solver import TARGET_LIMIT_S, run_for_real


class Job(replay.Job):
    """What a worker is to do.

    Attributes:
        peer: Folder that the peer was installed into; None: it is not asked.
    """

    peer: Path | None


def checked_cells(job: Job) -> Iterator[Checked]:
    """Yield each cell with what was said before it ran, and what it then did.

    Raises:
        CellFailed: A cell before the target raised, and that is to end the run; or it did not end.
    """
    instance = job.instance
    role: Role = "executed" if instance.target else "cell"
    with kernel_of(job) as session:
        for place, source in enumerate(instance.executed, start=1):
            checked = check_and_run(session, source, role, place, limit_s=job.cell_limit_s)
            yield checked
            job.go_on(place, checked.truth)
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
    serve(Job, checked_cells)
