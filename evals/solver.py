"""From a question to an answer: replay the executed cells, predict in each arm, run the target for real."""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from crane_agent.agent.graph import agent_graph
from crane_agent.agent.llm_policy import policy_of
from crane_agent.agent.prompts import json_text
from crane_agent.config import Facts, Settings
from crane_agent.errors import CraneAgentError, KernelBusy
from crane_agent.notebook.cells import Cell, Notebook
from crane_agent.notebook.history import Target, target_of
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply, Session
from crane_agent.session.wrapped import WrappedSession
from evals.instance import Instance, Truth, leading_blank_lines
from evals.scorer import ARMS, Answer, Arm, Rehearsed, Said, rehearsed_of
from evals.traces import left_behind, surroundings

CELL_LIMIT_S = 400.0  # two cases of JunoBench train a network in an executed cell
START_LIMIT_S = 120.0
TARGET_LIMIT_S = 90.0
MAX_MESSAGE = 500  # characters of an exception's message that a row keeps
QUESTION_LIMIT_S = 20.0
# Asked of Python itself: the line that IPython 9 displays is the one where the frame ended, which may be that of a
# `finally`, or of the `with` around it. The answer comes back as the message of an error.
LINE_QUESTION = """
def line_of_last_error():
    import codeop, os, sys
    trace = sys.last_traceback
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if os.sep + "IPython" + os.sep not in file and file != codeop.__file__:
            break
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


class Asking(BaseModel):
    """How a verdict is asked for: one arm of an eval.

    Attributes:
        arm: Its name.
        facts: Which runtime facts the policy gets.
        check: Whether the checker is asked first.
        rehearse: Whether the target may be rehearsed.
        model: Settings of the model that decides, by name: endpoint and key among them; None: the rules decide.
        records: Whether what happens is wanted, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: Arm
    facts: Facts = "adaptive"
    check: bool = True
    rehearse: Literal["off", "on"] = "off"
    model: Mapping[str, Any] | None = None
    records: bool = False

    @property
    def settings(self) -> Settings:
        """The settings: the documented defaults, but for what is asked for here."""
        return Settings(facts=self.facts, check=self.check, rehearse=self.rehearse, fix=False, **(self.model or {}))


WITHOUT_AND_WITH = (Asking(arm="off", rehearse="off"), Asking(arm="on", rehearse="on"))
"""The arms of an eval that compares rehearsals alone."""


class NoRecordedTruth(Exception):
    """The verdict cannot be held against a recording, because there is none."""


class ArmFailed(Exception):
    """The kernel did not survive a prediction, or did not answer any more."""


class Tally(WrappedSession):
    """A session that counts what is asked and what is answered; everything else is left to the session it wraps."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.asked = 0
        self.size = 0
        self.check_ms: float | None = None
        self.rehearsals: list[Rehearsed] = []

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel and count the reply."""
        reply = super().ask(question, arguments, limits=limits)
        if question == "check":
            self.check_ms = reply.elapsed_ms
        self._count(question, reply)
        return reply

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Rehearse a cell, and keep how that ended.

        Raises:
            KernelBusy: No answer by the deadline.
        """
        began = time.perf_counter()
        try:
            rehearsal = super().rehearse(source, seconds=seconds, patched=patched)
        except KernelBusy as busy:
            self.rehearsals.append(Rehearsed(way="fork", status="refused", reason=f"no answer: {busy}"))
            raise
        self._count("rehearse", rehearsal.reply)
        self.rehearsals.append(rehearsed_of(rehearsal, elapsed_ms=1000 * (time.perf_counter() - began)))
        return rehearsal

    def _count(self, question: str, reply: Reply) -> None:
        self.asked += 1
        self.size += reply.size
        if reply.status == "refused":
            self.refused[reply.reason] += 1
        if reply.status == "failed":
            self.failed[f"{question}: {reply.reason}"] += 1


def solve(
    instance: Instance,
    *,
    python: str,
    work: Path,
    profile: Path,
    live: bool,
    arms: Sequence[Asking] = WITHOUT_AND_WITH,
) -> Answer:
    """Ask about an instance's target in a kernel brought to the state before it, once in each arm.

    Args:
        instance: The instance; the policy gets its cells and nothing else of it.
        python: Interpreter of the kernel.
        work: The kernel's working directory, the input files in it.
        profile: IPython's directory of the kernel.
        live: Whether to run the target for the truth, instead of taking the recorded one.
        arms: How it is asked about, one after the other: the same kernel is asked, which no prediction may change.
            Rehearsals come last, so that whatever they should do cannot help the others.

    Raises:
        NoRecordedTruth: The recorded truth is wanted, and there is none.
        ArmFailed: The kernel or the model's settings failed in a prediction.
        CraneAgentError: The kernel failed elsewhere, or an executed cell did.
    """
    if not live and instance.recorded is None:
        raise NoRecordedTruth("there is no recorded truth")
    target = target_in(instance)
    with kernel_at(instance, python=python, work=work, profile=profile) as session:
        agent_graph()  # made once in a process, and no part of an answer
        said: dict[Arm, Said] = {}
        for asking in sorted(arms, key=lambda each: each.rehearse == "on"):
            before = surroundings(work, profile)
            words = ask(target, session, asking)
            said[asking.arm] = words.model_copy(update={"left": left_behind(before, work, profile)})
        truth = run_for_real(session, instance.target, limit_s=TARGET_LIMIT_S) if live else instance.recorded
    assert truth is not None
    return Answer(truth=truth, said=said)


@contextmanager
def kernel_at(instance: Instance, *, python: str, work: Path, profile: Path) -> Iterator[LaunchedSession]:
    """Start a kernel and bring it to the state before an instance's target; the arguments are those of `solve`.

    Raises:
        CraneAgentError: The kernel failed, or an executed cell did.
    """
    install_startup(instance.startup, profile)
    with launch(
        target_in(instance).executed,
        folder=work,
        in_place=True,
        python=python,
        cell_limit_s=CELL_LIMIT_S,
        start_limit_s=START_LIMIT_S,
        env={**KERNEL_ENVIRONMENT, "IPYTHONDIR": str(profile)},
    ) as session:
        yield session


def ask(target: Target, session: Session, asking: Asking) -> Said:
    """Predict in one arm, and return what was said and what it cost.

    Raises:
        ArmFailed: The kernel died, or does not answer; or the model's settings cannot be used.
    """
    tally = Tally(session)
    events: list[Mapping[str, Any]] = []
    try:
        settings = asking.settings
        policy = None if asking.model is None else policy_of(settings)
        began = time.perf_counter()
        verdict = predict(
            target, tally, settings=settings, policy=policy, trace=events.append if asking.records else None
        )
    except CraneAgentError as error:
        words = ARMS.get(asking.arm, asking.arm)
        raise ArmFailed(f"{words}: {type(error).__name__}: {error}") from error
    return Said(
        verdict=verdict,
        predict_ms=1000 * (time.perf_counter() - began),
        check_ms=tally.check_ms,
        probe_calls=tally.asked,
        kernel_bytes=tally.size,
        fact_bytes=sum(len(fact_words(fact).encode()) for fact in facts_in(events)),
        refused=tally.refused,
        failed=tally.failed,
        rehearsals=tuple(tally.rehearsals),
        events=tuple(events),
    )


def facts_in(events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the facts that a policy got in a run, as its trace has them, the checker's report among them."""
    for event in events:
        if event["event"] == "node":
            yield from event["added"].get("facts") or ()


def fact_words(fact: Mapping[str, Any]) -> str:
    """Return what a model reads of a fact: its answer as JSON, or why there is none."""
    reply = fact["reply"]
    return json_text(reply["answer"]) if reply["status"] == "ok" else str(reply["reason"])


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
