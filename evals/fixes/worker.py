"""One instance in a process of its own: `python -m evals.fixes.worker`, the job as JSON on standard input."""

import time
from collections.abc import Iterator

from crane_agent.agent.graph import agent_graph
from crane_agent.agent.repair import bound_in
from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.config import Settings
from crane_agent.predict import predict
from evals.fixes.rows import Found
from evals.replay import Job, serve
from evals.solver import kernel_at, target_in
from evals.worker import make_data

REPAIRED = "fixed"
TWIN_LIMIT_S = 120.0
"""Time for a repaired target to come to its end, so that there is something to compare with [seconds]."""

FIX_SECONDS = 300.0
"""Time of a run: patches of a slow cell are tried one after the other [seconds]."""


def found(job: Job) -> Iterator[Found]:
    """Yield what is found out about the job's instance.

    Raises:
        CraneAgentError: The kernel failed, or an executed cell did.
    """
    make_data(job.instance, python=job.python, work=job.work)
    target = target_in(job.instance)
    with kernel_at(job.instance, python=job.python, work=job.work, profile=job.profile) as session:
        agent_graph()  # made once in a process, and no part of an answer
        began = time.perf_counter()
        settings = Settings(rehearse="on", fix=True, seconds=FIX_SECONDS)
        verdict = predict(target, session, settings=settings, policy=RulePolicy())
        predict_ms = 1000 * (time.perf_counter() - began)
        bound = None
        if job.instance.version == REPAIRED:
            answer = session.rehearse(job.instance.target, seconds=TWIN_LIMIT_S).reply.answer
            bound = bound_in(answer) if answer.get("outcome") == "finished" else None
        yield Found(verdict=verdict, predict_ms=predict_ms, bound=bound)


if __name__ == "__main__":
    serve(Job, found)
