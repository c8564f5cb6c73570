"""The verdict: one frozen model, one versioned JSON schema, the same for every frontend."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause

Outcome = Literal["crash", "no_crash", "unknown"]
Certainty = Literal["certain", "predicted"]
Verified = Literal["yes", "no", "not tried"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExceptionClaim(_Model):
    """The exception the target is expected to raise, and where."""

    type: str = Field(description="Class name as a traceback shows it, e.g. KeyError.")
    message: str = Field(default="", description="The message, in the library's own words where known.")
    line: int | None = Field(default=None, ge=1, description="Line of the target cell, counted from 1.")
    column: int | None = Field(default=None, ge=1, description="Column of that line, counted from 1.")
    source_line: str = Field(default="", description="The text of that line.")


class Evidence(_Model):
    """A fact the verdict rests on."""

    fact: str = Field(description="Id of the fact, e.g. F2.")
    words: str = Field(description="What the fact says, as used in the explanation.")


class Origin(_Model):
    """An earlier cell that the mistake comes from."""

    cell: int = Field(description="Index of the cell in the notebook, counted from 0.")
    summary: str = Field(description="What that cell did, or would have done.")


class Fix(_Model):
    """What would make the cell run."""

    summary: str
    source: str | None = Field(default=None, description="The patched target, whole.")
    verified: Verified = "not tried"


class Usage(_Model):
    """What the verdict cost."""

    steps: int = 0
    probe_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    kernel_bytes: int = 0
    milliseconds: int = 0


class ProposedFix(_Model):
    """A fix as a policy may propose it; whether it works is not the policy's to say."""

    summary: str
    source: str | None = Field(default=None, description="The patched target, whole; null if no patch.")


class Claim(_Model):
    """What a policy may say: the verdict minus what only we may say.

    `certainty`, `reached_by`, `usage` and `fix.verified` are ours; so is `cell`.
    """

    outcome: Outcome
    confidence: Probability = Field(description="Probability that the outcome is right.")
    exception: ExceptionClaim | None = Field(default=None, description="Only for outcome crash.")
    crash_type: CrashType | None = None
    root_cause: RootCause | None = None
    ml_stage: MLStage | None = None
    library: str | None = Field(default=None, description="Top-level package that raises, e.g. pandas.")
    explanation: str = Field(description="Why, in at most four sentences.")
    evidence: tuple[Evidence, ...] = ()
    origin: tuple[Origin, ...] = ()
    fix: ProposedFix | None = None


class Verdict(_Model):
    """Whether the target will crash if it runs now, why, and what would fix it."""

    schema_version: Literal["1"] = "1"
    cell: int | None = Field(default=None, description="Index of the target in the notebook, from 0.")
    outcome: Outcome
    certainty: Certainty
    confidence: Probability
    exception: ExceptionClaim | None = None
    crash_type: CrashType | None = None
    root_cause: RootCause | None = None
    ml_stage: MLStage | None = None
    library: str | None = None
    explanation: str
    evidence: tuple[Evidence, ...] = ()
    origin: tuple[Origin, ...] = ()
    fix: Fix | None = None
    reached_by: str = Field(description="checker, rehearsal, rules or a model's name.")
    notes: tuple[str, ...] = Field(default=(), description="What the reader must know about how it was reached.")
    usage: Usage = Usage()
