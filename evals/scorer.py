"""What an answer is worth against the truth: one row an instance."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from crane_agent.verdict.models import Verdict
from evals.instance import Instance, Truth

Result = Literal["right", "wrong", "unknown"]


class Answer(BaseModel):
    """What a solver got for one instance.

    Attributes:
        verdict: The verdict.
        truth: What really happened.
        predict_ms: Time the prediction took, its questions to the kernel included [milliseconds].
        check_ms: Round trip of the check; None if it was not asked [milliseconds].
        probe_calls: Questions put to the kernel.
        kernel_bytes: Bytes that left the kernel [bytes].
        refused: How often each reason was given for a refused question.
        failed: How often each fault of our own was reported.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    truth: Truth
    predict_ms: float
    check_ms: float | None = None
    probe_calls: int = 0
    kernel_bytes: int = 0
    refused: Mapping[str, int] = Field(default_factory=dict)
    failed: Mapping[str, int] = Field(default_factory=dict)


class Row(BaseModel):
    """One instance's result.

    Attributes:
        case: Name of the case.
        version: Which instance of the case.
        answer: What the solver got; None if the run itself failed.
        result: Whether the outcome is right; None if the run itself failed.
        certain: Whether the verdict was given as certain.
        certain_wrong: Whether a certain verdict was wrong about outcome, exception type or line.
        type_right: Whether a crash foreseen has the real exception type; None if there was no crash or none foreseen.
        line_right: The same for its line; None also where the real line is not known.
        error: Why the run itself failed.
        commit: Commit of the checkout that made the row; empty if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    answer: Answer | None = None
    result: Result | None = None
    certain: bool = False
    certain_wrong: bool = False
    type_right: bool | None = None
    line_right: bool | None = None
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a run."""
        return self.case, self.version

    @property
    def diagnosed(self) -> bool:
        """Whether a crash was foreseen with the right type and, where the real line is known, the right line."""
        return bool(self.type_right) and self.line_right is not False


def score(instance: Instance, answer: Answer, *, commit: str = "") -> Row:
    """Hold a verdict against the truth."""
    verdict, truth = answer.verdict, answer.truth
    certain = verdict.certainty == "certain"
    return Row(
        case=instance.case,
        version=instance.version,
        answer=answer,
        result=_result(verdict, truth),
        certain=certain,
        certain_wrong=certain and _contradicted(verdict, truth),
        type_right=_type_right(verdict, truth),
        line_right=_line_right(verdict, truth),
        commit=commit,
    )


def failure(instance: Instance, error: str, *, commit: str = "") -> Row:
    """Return the row of an instance whose run failed, so that it is counted and never lost."""
    return Row(case=instance.case, version=instance.version, error=error, commit=commit)


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
