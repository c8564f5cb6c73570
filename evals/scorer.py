"""What the answers about an instance are worth against the truth: one row an instance."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from crane_agent.session.protocol import Rehearsal, Status
from crane_agent.verdict.models import Verdict
from evals.instance import Instance, Truth

Result = Literal["right", "wrong", "unknown"]

Arm = str
"""Name of the settings that a verdict was reached with."""

ARMS: dict[Arm, str] = {"off": "without rehearsal", "on": "with rehearsal"}
"""The arms of an eval that compares rehearsals alone, in the order they are asked, and their words."""


class Rehearsed(BaseModel):
    """One rehearsal.

    Attributes:
        way: `fork` or `shadow`.
        status: That of the reply.
        reason: Why there is no answer, unless `ok`.
        answer: The answer, whole.
        replay_ms: Time a shadow kernel took to get into the state before the target [milliseconds].
        elapsed_ms: From the request to the reply, the replay included [milliseconds].
        fork: Why a shadow had to answer: what the fork said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    way: str
    status: Status
    reason: str = ""
    answer: Mapping[str, Any] = Field(default_factory=dict)
    replay_ms: float = 0.0
    elapsed_ms: float = 0.0
    fork: str = ""

    @property
    def ended(self) -> str:
        """Its outcome, or else its status, e.g. `finished` or `refused`."""
        return str(self.answer["outcome"]) if self.status == "ok" else self.status

    @property
    def why(self) -> str:
        """Why it told nothing; empty if it did."""
        return str(self.answer["why"]) if self.status == "ok" else self.reason

    @property
    def pause_ms(self) -> float | None:
        """Time that the fork blocked the kernel's main thread [milliseconds]; None if there was none."""
        return self.answer.get("pause_ms") if self.way == "fork" else None

    @property
    def settled(self) -> bool:
        """Whether it told what the cell does."""
        return self.ended in ("crash", "finished")


def rehearsed_of(rehearsal: Rehearsal, *, elapsed_ms: float) -> Rehearsed:
    """Return a rehearsal as a row keeps it.

    Args:
        rehearsal: What the session returned.
        elapsed_ms: Time that took [milliseconds].
    """
    reply, fork = rehearsal.reply, rehearsal.fork
    return Rehearsed(
        way=rehearsal.way,
        status=reply.status,
        reason=reply.reason,
        answer=reply.answer,
        replay_ms=rehearsal.replay_ms,
        elapsed_ms=elapsed_ms,
        fork="" if fork is None else fork.reason or str(fork.answer.get("why", "")),
    )


class Said(BaseModel):
    """What was said of an instance in one arm, and what that cost.

    Attributes:
        verdict: The verdict.
        predict_ms: Time the prediction took, its questions to the kernel included [milliseconds].
        check_ms: Round trip of the check; None if it was not asked [milliseconds].
        probe_calls: Questions put to the kernel.
        kernel_bytes: Bytes that left the kernel [bytes].
        fact_bytes: Text of the facts that the policy got; 0 if `events` were not wanted [bytes].
        refused: How often each reason was given for a refused question.
        failed: How often each fault of our own was reported.
        rehearsals: The rehearsals.
        events: What happened in the run, as a trace has it; empty if nobody wanted to know.
        left: What the prediction left behind, in words: files of the kernel's folder, processes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    predict_ms: float
    check_ms: float | None = None
    probe_calls: int = 0
    kernel_bytes: int = 0
    fact_bytes: int = 0
    refused: Mapping[str, int] = Field(default_factory=dict)
    failed: Mapping[str, int] = Field(default_factory=dict)
    rehearsals: tuple[Rehearsed, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    left: tuple[str, ...] = ()


class Answer(BaseModel):
    """What a solver got for one instance: every arm's word about the same state, and what then happened.

    Attributes:
        truth: What really happened.
        said: What was said, by arm, in the order they were asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    truth: Truth
    said: Mapping[Arm, Said]


class Score(BaseModel):
    """What one arm's word is worth.

    Attributes:
        result: Whether the outcome is right.
        certain: Whether the verdict was given as certain.
        certain_wrong: Whether a certain verdict was wrong about outcome, exception type or line.
        type_right: Whether a crash foreseen has the real exception type; None if there was no crash or none foreseen.
        line_right: The same for its line; None also where the real line is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: Result
    certain: bool = False
    certain_wrong: bool = False
    type_right: bool | None = None
    line_right: bool | None = None

    @property
    def diagnosed(self) -> bool:
        """Whether a crash was foreseen with the right type and, where the real line is known, the right line."""
        return bool(self.type_right) and self.line_right is not False


class Row(BaseModel):
    """One instance's result.

    Attributes:
        case: Name of the case.
        version: Which instance of the case.
        answer: What the solver got; None if the run itself failed.
        scores: What each arm's word is worth.
        recorded: What happened when the instance was recorded, if that is known.
        error: Why the run itself failed.
        commit: Commit of the checkout that made the row; empty if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    answer: Answer | None = None
    scores: Mapping[Arm, Score] = Field(default_factory=dict)
    recorded: Truth | None = None
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a run."""
        return self.case, self.version

    @property
    def alarms(self) -> tuple[str, ...]:
        """What must never be, in words: a certain verdict that is wrong, a fault of ours, something left behind."""
        found = [] if self.error is None else [f"run failed: {self.error}"]
        for arm, said in self.answer.said.items() if self.answer is not None else ():
            words = ARMS.get(arm, arm)
            found += [f"certain and wrong, {words}"] if self.scores[arm].certain_wrong else []
            found += [f"fault of our own, {words}, {times} times: {fault}" for fault, times in said.failed.items()]
            found += [f"left behind, {words}: {trace}" for trace in said.left]
        return tuple(found)


def score(instance: Instance, answer: Answer, *, commit: str = "") -> Row:
    """Hold the verdict of each arm against the truth."""
    return Row(
        case=instance.case,
        version=instance.version,
        answer=answer,
        scores={arm: score_of(said.verdict, answer.truth) for arm, said in answer.said.items()},
        recorded=instance.recorded,
        commit=commit,
    )


def failure(instance: Instance, error: str, *, commit: str = "") -> Row:
    """Return the row of an instance whose run failed, so that it is counted and never lost."""
    return Row(case=instance.case, version=instance.version, recorded=instance.recorded, error=error, commit=commit)


def score_of(verdict: Verdict, truth: Truth) -> Score:
    """Hold one verdict against the truth."""
    certain = verdict.certainty == "certain"
    return Score(
        result=_result(verdict, truth),
        certain=certain,
        certain_wrong=certain and _contradicted(verdict, truth),
        type_right=_type_right(verdict, truth),
        line_right=_line_right(verdict, truth),
    )


def _result(verdict: Verdict, truth: Truth) -> Result:
    if verdict.outcome == "unknown":
        return "unknown"
    return "right" if (verdict.outcome == "crash") == truth.crash else "wrong"


def _contradicted(verdict: Verdict, truth: Truth) -> bool:
    """Whether the truth contradicts the verdict; what either side leaves open is not compared."""
    if _result(verdict, truth) != "right":
        return True
    claim = verdict.exception
    if verdict.outcome != "crash" or claim is None or claim.at_latest:
        return False
    wrong_type = truth.ename is not None and not _same_type(claim.type, truth.ename)
    wrong_line = None not in (claim.line, truth.line) and claim.line != truth.line
    return wrong_type or wrong_line


def _type_right(verdict: Verdict, truth: Truth) -> bool | None:
    if verdict.outcome != "crash" or not truth.crash or truth.ename is None:
        return None
    return verdict.exception is not None and _same_type(verdict.exception.type, truth.ename)


def _line_right(verdict: Verdict, truth: Truth) -> bool | None:
    if verdict.outcome != "crash" or not truth.crash or truth.line is None:
        return None
    return verdict.exception is not None and verdict.exception.line == truth.line


def _same_type(claimed: str, real: str) -> bool:
    """Compare class names; a traceback shows them without their module, a claim may carry it."""
    return claimed.rsplit(".", 1)[-1] == real.rsplit(".", 1)[-1]
