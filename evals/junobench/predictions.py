"""Rows of a grid: what one arm said of one instance in one epoch, what that is worth and what it cost."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from crane_agent.config import Facts
from crane_agent.verdict.models import Verdict
from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause
from evals.instance import Truth
from evals.scorer import Score

RULES = "rules"
"""The policy that is not named in an arm's name: no model."""

_NAME = re.compile(
    rf"(?:(?P<policy>\S.*) )?(?P<facts>{'|'.join(get_args(Facts))})(?P<check> \+check)?(?P<rehearse> \+rehearsal)?"
)


class Arm(BaseModel):
    """One setting of the eval; its name says all of it, e.g. ``gpt-5 adaptive +check``.

    Attributes:
        facts: Which runtime facts the policy gets.
        policy: `rules`, or the model's name.
        check: Whether the checker is asked first.
        rehearse: Whether the target may be rehearsed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: Facts
    policy: str = Field(default=RULES, pattern=r"^\S(.*\S)?$")
    check: bool = False
    rehearse: bool = False

    @property
    def name(self) -> str:
        """The name: the model, unless it is the rules; the facts; the switches that are on."""
        parts = (self.policy * (self.policy != RULES), self.facts, "+check" * self.check, "+rehearsal" * self.rehearse)
        return " ".join(filter(None, parts))

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the arm of a name.

        Raises:
            ValueError: No arm is called that.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"no arm is called {name!r}")
        return cls.model_validate(
            {
                "facts": found["facts"],
                "policy": found["policy"] or RULES,
                "check": found["check"] is not None,
                "rehearse": found["rehearse"] is not None,
            }
        )


class Prediction(BaseModel):
    """What one arm said of one instance in one epoch.

    Attributes:
        case: Name of the case.
        version: Which instance of the case: `reproduced` or `fixed`.
        library: Library, or kind of crash, that the case is filed under.
        root_cause: JunoBench's label of the case, its repaired twin included; None if not known.
        crash_type: The same.
        ml_stage: The same.
        arm: The setting.
        epoch: Which repetition, from 1.
        truth: What really happened; None if the run failed before that was known.
        verdict: What was said; None if the run failed.
        score: What it is worth; None if the run failed.
        reason_right: Whether the reason it gives for a crash was judged to be the written one; None if not judged.
        seconds: Time of the prediction; None if not known [seconds].
        fact_bytes: Text of facts that the policy was given [bytes].
        kernel_bytes: What left the kernel [bytes].
        error: Why the run failed.
        transcript: Link to what was said and asked: a URL, or a path from the folder of the rows' file.
        commit: Commit of the checkout that made it; empty if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    library: str
    root_cause: RootCause | None = None
    crash_type: CrashType | None = None
    ml_stage: MLStage | None = None
    arm: Arm
    epoch: int = Field(default=1, ge=1)
    truth: Truth | None = None
    verdict: Verdict | None = None
    score: Score | None = None
    reason_right: bool | None = None
    seconds: float | None = None
    fact_bytes: int = 0
    kernel_bytes: int = 0
    error: str | None = None
    transcript: str = ""
    commit: str = ""

    @property
    def instance(self) -> tuple[str, str]:
        """(case, version) of the instance."""
        return self.case, self.version

    @property
    def key(self) -> tuple[str, str, str, int]:
        """(case, version, name of the arm, epoch), unique in a grid."""
        return self.case, self.version, self.arm.name, self.epoch


def read_predictions(*paths: Path) -> list[Prediction]:
    """Read files of rows; a row whose key comes again, e.g. as a later try, replaces the earlier one.

    Raises:
        FileNotFoundError: There is no such file.
    """
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    rows = {row.key: row for row in map(Prediction.model_validate_json, lines)}
    return list(rows.values())


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write rows as JSON lines, in their order; what the file had is replaced."""
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in predictions), encoding="utf-8")
