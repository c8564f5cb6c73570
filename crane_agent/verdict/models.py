"""The verdict: one frozen model, one versioned JSON schema, the same for every frontend.

A verdict may go into a file, a log or a report, so its texts hold no secrets, whoever wrote them, and nothing above
the privacy level of the run. What is only for the screen of the user who asked is its `proof`, which is no field: no
dump, no schema and no `repr` has it.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import Self

from crane_agent.in_kernel.redaction import redacted
from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause

Outcome = Literal["crash", "no_crash", "unknown"]
Certainty = Literal["certain", "predicted"]
Verified = Literal["yes", "partly", "no", "not tried"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


Text = Annotated[str, AfterValidator(redacted)]
"""A text without secrets."""


class _Model(BaseModel):
    # Checked again wherever one model becomes part of another: a copy with other texts was not checked.
    model_config = ConfigDict(frozen=True, extra="forbid", revalidate_instances="always")


@dataclass(frozen=True, repr=False)
class Proof:
    """What shows that a verdict is right and is above the privacy level: for the user's own screen only.

    It is never written to a file, a log or a report, and no model sees it.

    Attributes:
        message: The exception's message, whole.
        explanation: The explanation, whole.
        facts: Facts with what was kept out of them, e.g. ``F3: rejected: '$1,200'``.
        patch: The patched cell, whole, where it holds a secret of the cell's own text.
        diff: The same as a diff.
    """

    message: str = ""
    explanation: str = ""
    facts: tuple[str, ...] = ()
    patch: str = ""
    diff: str = ""

    def __bool__(self) -> bool:
        return bool(self.message or self.explanation or self.facts or self.patch)


class _Proved(_Model):
    """A model with a proof beside it; whoever reads it from JSON, as a model's answer is read, cannot set it."""

    _proof: Proof = PrivateAttr(default_factory=Proof)

    @property
    def proof(self) -> Proof:
        """What is for the user's own screen only; empty if there is nothing more to see."""
        return self._proof

    def proved_by(self, proof: Proof) -> Self:
        """Return the same with this proof."""
        copy = self.model_copy()
        copy._proof = proof
        return copy


class ExceptionClaim(_Model):
    """The exception the target is expected to raise, and where."""

    type: Text = Field(description="Class name as a traceback shows it, e.g. KeyError.")
    message: Text = Field(default="", description="The message, in the library's own words where known.")
    line: int | None = Field(default=None, ge=1, description="Line of the target cell, counted from 1.")
    column: int | None = Field(default=None, ge=1, description="Column of that line, counted from 1.")
    source_line: Text = Field(default="", description="The text of that line.")
    at_latest: bool = Field(
        default=False, description="An earlier line may raise first, something else: it crashes here at the latest."
    )


class Evidence(_Model):
    """A reason of the verdict, and the fact that says so."""

    words: Text = Field(description="The reason, as used in the explanation.")
    fact: Text | None = Field(default=None, description="Id of the fact that says so, e.g. F2; null: none does.")


class Origin(_Model):
    """An earlier cell that the mistake comes from."""

    cell: int | None = Field(
        default=None, ge=0, description="Index of the cell in the notebook, from 0; null if it stands in none."
    )
    ran: int | None = Field(default=None, ge=0, description="Number of its In [n]; null if it has not run.")
    summary: Text = Field(description="What that cell did, or would have done.")


class BoundName(_Model):
    """A name that the patched cell bound when it ran, or whose value it changed."""

    name: Text
    type: Text = ""
    shape: tuple[int | None, ...] | None = Field(default=None, description="null for an axis of any size.")
    columns: tuple[Text, ...] | None = None


class Fix(_Model):
    """What would make the cell run."""

    summary: Text
    source: Text | None = Field(default=None, description="The patched cell, whole; null if it holds a secret.")
    cell: int | None = Field(
        default=None, description="Index of the executed cell that the patch changes; null: the target."
    )
    verified: Verified = Field(
        default="not tried",
        description="Whether the target, patched, came to its end in a rehearsal; partly: it was still running behind "
        "the line that failed. With another cell patched, the executed cells ran again from there.",
    )
    diff: Text = Field(default="", description="The patch as a unified diff of the cell's lines, without its head.")
    bound: tuple[BoundName, ...] = Field(default=(), description="What it bound and changed there.")


class Usage(_Model):
    """What the verdict cost."""

    steps: int = 0
    probe_calls: int = 0
    rehearsals: int = Field(default=0, description="How often the target ran in a copy of the kernel.")
    rehearsal_ms: int = Field(default=0, description="Time that this took, refused ones included [milliseconds].")
    fixes_tried: int = Field(default=0, description="Patches that were run in a copy of the kernel.")
    fix_ms: int = Field(default=0, description="Time that finding a fix and trying it took [milliseconds].")
    replay_ms: int = Field(default=0, description="Time a second kernel took to replay the cells [milliseconds].")
    tokens_in: int = Field(default=0, description="Tokens sent; estimated where the endpoint does not tell.")
    tokens_cached: int = Field(default=0, description="Those of them that the endpoint had in its cache.")
    tokens_out: int = Field(default=0, description="Tokens received; estimated where the endpoint does not tell.")
    cost: float | None = Field(default=None, description="Price of these tokens; null where no prices are set.")
    currency: Text | None = Field(default=None, description="Currency of the cost, e.g. USD.")
    kernel_bytes: int = 0
    milliseconds: int = 0


class ProposedFix(_Model):
    """A fix as a policy may propose it; whether it works is not the policy's to say."""

    summary: Text
    source: Text | None = Field(default=None, description="The patched cell, whole; null if no patch.")
    cell: int | None = Field(default=None, description="Index of the executed cell it changes; null: the target.")


class Claim(_Proved):
    """What a policy may say: the verdict minus what only we may say.

    `certainty`, `reached_by`, `usage` and `fix.verified` are ours; so is `cell`.
    """

    outcome: Outcome
    confidence: Probability = Field(description="Probability that the outcome is right.")
    exception: ExceptionClaim | None = Field(default=None, description="Only for outcome crash.")
    crash_type: CrashType | None = None
    root_cause: RootCause | None = None
    ml_stage: MLStage | None = None
    library: Text | None = Field(default=None, description="Top-level package that raises, e.g. pandas.")
    explanation: Text = Field(description="Why, in at most four sentences.")
    evidence: tuple[Evidence, ...] = ()
    origin: tuple[Origin, ...] = ()
    fix: ProposedFix | None = None


class Verdict(_Proved):
    """Whether the target will crash if it runs now, why, and what would fix it."""

    schema_version: Literal["1"] = "1"
    cell: int | None = Field(default=None, description="Index of the target in the notebook, from 0; null: in none.")
    outcome: Outcome
    certainty: Certainty
    confidence: Probability
    exception: ExceptionClaim | None = None
    crash_type: CrashType | None = None
    root_cause: RootCause | None = None
    ml_stage: MLStage | None = None
    library: Text | None = None
    explanation: Text
    evidence: tuple[Evidence, ...] = ()
    origin: tuple[Origin, ...] = ()
    fix: Fix | None = None
    reached_by: Text = Field(description="checker, rehearsal, rules or a model's name.")
    notes: tuple[Text, ...] = Field(default=(), description="What the reader must know about how it was reached.")
    usage: Usage = Usage()
