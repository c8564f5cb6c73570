"""From a question to an answer: replay the executed cells, predict, run the target for real."""

import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crane_agent.agent.graph import agent_graph
from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.config import Settings
from crane_agent.notebook.cells import Cell, Notebook
from crane_agent.notebook.history import Target, target_of
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, Reply, Session
from evals.instance import Instance, Truth, leading_blank_lines
from evals.scorer import Answer

CELL_LIMIT_S = 400.0  # two cases of JunoBench train a network in an executed cell
START_LIMIT_S = 120.0
TARGET_LIMIT_S = 90.0
MAX_MESSAGE = 500  # characters of an exception's message that a row keeps
QUESTION_LIMIT_S = 20.0
# Asked of Python itself: the line that IPython 9 displays is the one where the frame ended, which may be that of a
# `finally`, or of the `with` around it. The answer comes back as the message of an error.
LINE_QUESTION = """
def line_of_last_error():
    import os, sys
    trace = sys.last_traceback
    while trace is not None and os.sep + "IPython" + os.sep in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return getattr(sys.last_value, "lineno", None) if trace is None else trace.tb_lineno
raise Exception(line_of_last_error())
"""
KERNEL_ENVIRONMENT = {
    "MPLBACKEND": "Agg",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}


class NoRecordedTruth(Exception):
    """The verdict cannot be held against a recording, because there is none."""


class Tally:
    """A session that counts what is asked and what is answered; everything else is left to the session it wraps."""

    def __init__(self, session: Session) -> None:
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.asked = 0
        self.size = 0
        self.check_ms: float | None = None
        self._session = session

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""
        return self._session.python_version

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel and count the reply."""
        reply = self._session.ask(question, arguments, limits=limits)
        self.asked += 1
        self.size += reply.size
        if question == "check":
            self.check_ms = reply.elapsed_ms
        if reply.status == "refused":
            self.refused[reply.reason] += 1
        if reply.status == "failed":
            self.failed[f"{question}: {reply.reason}"] += 1
        return reply

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def solve(instance: Instance, *, python: str, work: Path, profile: Path, live: bool) -> Answer:
    """Ask about an instance's target in a kernel brought to the state before it.

    Args:
        instance: The instance; the policy gets its cells and nothing else of it.
        python: Interpreter of the kernel.
        work: The kernel's working directory, the input files in it.
        profile: IPython's directory of the kernel.
        live: Whether to run the target for the truth, instead of taking the recorded one.

    Raises:
        NoRecordedTruth: The recorded truth is wanted, and there is none.
        CraneAgentError: The kernel failed, or an executed cell did.
    """
    if not live and instance.recorded is None:
        raise NoRecordedTruth("there is no recorded truth")
    install_startup(instance.startup, profile)
    target = target_in(instance)
    with launch(
        target.executed,
        folder=work,
        in_place=True,
        python=python,
        cell_limit_s=CELL_LIMIT_S,
        start_limit_s=START_LIMIT_S,
        env={**KERNEL_ENVIRONMENT, "IPYTHONDIR": str(profile)},
    ) as session:
        tally = Tally(session)
        agent_graph()  # made once in a process, and no part of an answer
        began = time.perf_counter()
        verdict = predict(target, tally, settings=Settings(), policy=RulePolicy())
        predict_ms = 1000 * (time.perf_counter() - began)
        truth = run_for_real(session, instance.target, limit_s=TARGET_LIMIT_S) if live else instance.recorded
    assert truth is not None
    return Answer(
        verdict=verdict,
        truth=truth,
        predict_ms=predict_ms,
        check_ms=tally.check_ms,
        probe_calls=tally.asked,
        kernel_bytes=tally.size,
        refused=tally.refused,
        failed=tally.failed,
    )


def target_in(instance: Instance) -> Target:
    """Return the target in a notebook that has the cells and nothing else: no file, outputs or tags."""
    cells = [_cell(index, source, count=index + 1) for index, source in enumerate(instance.executed)]
    cells.append(_cell(len(cells), instance.target, count=None))
    notebook = Notebook(Path("notebook.ipynb"), tuple(cells), kernelspec=None, language="python")
    return target_of(notebook, str(len(cells) - 1))


def _cell(index: int, source: str, *, count: int | None) -> Cell:
    return Cell(
        index=index,
        id=f"cell-{index}",
        kind="code",
        source=source,
        execution_count=count,
        tags=(),
        failed_when_saved=False,
    )


def install_startup(startup: Path | None, profile: Path) -> None:
    """Put a script where IPython runs it when the kernel starts."""
    if startup is not None:
        folder = profile / "profile_default" / "startup"
        folder.mkdir(parents=True)
        shutil.copy(startup, folder / "00-startup.py")


def run_for_real(session: LaunchedSession, source: str, *, limit_s: float) -> Truth:
    """Run a cell, and say what happened; nothing is left behind but what it did."""
    reply = session.run(source, limit_s=limit_s)
    raised = reply.status == "error"
    return Truth(
        status=reply.status,
        ename=reply.ename if raised else None,
        evalue=reply.evalue[:MAX_MESSAGE] if raised else None,
        line=_failing_line(session, source) if raised else None,
        seconds=round(reply.seconds, 2),
    )


def _failing_line(session: LaunchedSession, source: str) -> int | None:
    """Return the cell's line that just raised, in its source; None if a cell magic ran it, which hides the line."""
    if source.lstrip().startswith("%%"):
        return None
    line = session.run(f"exec({LINE_QUESTION!r}, {{}})", limit_s=QUESTION_LIMIT_S).evalue
    return int(line) + leading_blank_lines(source) if line.isdecimal() else None
