"""What was said of each cell and what it then did, and how the two compare."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from evals.instance import Truth
from evals.solver import MAX_MESSAGE

Role = Literal["executed", "target", "cell"]
"""`executed`: it leads to the target; `cell`: one of a notebook that has no target."""


class Foreseen(BaseModel):
    """A crash that a checker foresees.

    Attributes:
        type: Class name of the exception.
        message: Its message.
        line: Line of the cell's source, from 1; None if it cannot be mapped to the source.
        rule: Id of the rule.
        first: Whether nothing before it may raise: then type and line are certain, too. Otherwise the cell crashes
            at this line at the latest.
        library: Package that raises, e.g. `pandas`.
        crash_type: JunoBench's label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    message: str = ""
    line: int | None = None
    rule: str = ""
    first: bool = True
    library: str = ""
    crash_type: str = ""


class Doubt(BaseModel):
    """Why nothing behind a place is certain; also why a walk ended (`kind` is then `stopped`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int | None
    kind: str
    why: str


class Said(BaseModel):
    """What our checker said of a cell.

    Attributes:
        status: That of the reply; `unasked`: the cell is no Python, or nested too deeply to be sent.
        reason: Why not, unless `ok`.
        finding: A crash that is certain.
        settled: Whether the cell is promised to run.
        suspects: Crashes that are likely.
        doubts: Why what comes behind them is not certain.
        questions: What probes could settle.
        milliseconds: Round trip [milliseconds]; None if it was not asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["ok", "refused", "failed", "unasked"]
    reason: str = ""
    finding: Foreseen | None = None
    settled: bool = False
    suspects: tuple[Foreseen, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    questions: tuple[Mapping[str, Any], ...] = ()
    milliseconds: float | None = None


class PeerSaid(BaseModel):
    """What the peer's checker said of a cell: a crash that it calls certain, or nothing.

    Attributes:
        finding: The crash.
        milliseconds: Its check, inside the kernel [milliseconds].
        error: Why it could not be asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: Foreseen | None = None
    milliseconds: float | None = None
    error: str = ""


class Checked(BaseModel):
    """One cell: what was said just before it ran, and what it then did.

    Attributes:
        role: What it is to the row.
        place: Its place among the cells, from 1.
        source: Its source.
        said: What our checker said.
        peer: What the peer's said; None if it was not asked.
        truth: What really happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    place: int
    source: str
    said: Said
    peer: PeerSaid | None = None
    truth: Truth

    @property
    def contradiction(self) -> str:
        """What our checker was sure of and wrong about, in words; empty if nothing."""
        if self.said.status == "failed":
            return f"a fault of our own: {self.said.reason}"
        if self.said.settled and self.truth.crash:
            return f"promised to run, but {happened(self.truth)}"
        return _contradiction(self.said.finding, self.truth)

    @property
    def later(self) -> str:
        """Where a crash came in a later line than that of the finding, in words; empty if it did not.

        Of a finding with something in doubt before it, that is wrong unless a loop came round to the line again.
        """
        finding, truth = self.said.finding, self.truth
        if finding is None or finding.first or finding.line is None or truth.line is None or truth.line <= finding.line:
            return ""
        return f"{finding.type} in line {finding.line} at the latest ({finding.rule}), but {happened(truth)}"

    @property
    def peer_contradiction(self) -> str:
        """The same for what the peer calls certain."""
        return _contradiction(self.peer.finding, self.truth) if self.peer else ""


class Row(BaseModel):
    """One instance, or one notebook.

    Attributes:
        case: Its name.
        version: Which instance of the case.
        cells: The cells, in the order they ran; a target is the last.
        error: Why there are no more of them.
        commit: Commit of the checkout that made the row; empty if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    cells: tuple[Checked, ...] = Field(default=())
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a run."""
        return self.case, self.version

    @property
    def target(self) -> Checked | None:
        """The target; None if the run did not get there, or there is none."""
        return next((cell for cell in self.cells if cell.role == "target"), None)


def type_right(foreseen: Foreseen, truth: Truth) -> bool | None:
    """Whether the exception type is the real one; None if that is not known (a kernel that died).

    Class names are compared: a traceback shows them without their module, a checker may give it.
    """
    if truth.ename is None:
        return None
    return foreseen.type.rsplit(".", 1)[-1] == truth.ename.rsplit(".", 1)[-1]


def line_right(foreseen: Foreseen, truth: Truth) -> bool | None:
    """Whether the line is the real one; None if either is not known."""
    return None if None in (foreseen.line, truth.line) else foreseen.line == truth.line


def message_right(foreseen: Foreseen, truth: Truth) -> bool | None:
    """Whether the message is the real one, up to white space and to the length that is kept; None if not known."""
    if truth.evalue is None:
        return None
    return foreseen.message[:MAX_MESSAGE].split() == truth.evalue.split()


def happened(truth: Truth) -> str:
    """Say what really happened, in a few words."""
    if truth.ename is None:
        return truth.status
    place = f" in line {truth.line}" if truth.line is not None else ""
    return f"{truth.ename}{place}: {truth.evalue}"


def _contradiction(finding: Foreseen | None, truth: Truth) -> str:
    if finding is None:
        return ""
    said = f"{finding.type} in line {finding.line} ({finding.rule})"
    if not truth.crash:
        return f"{said}, but {happened(truth)}"
    wrong = type_right(finding, truth) is False or line_right(finding, truth) is False
    return f"{said}, but {happened(truth)}" if finding.first and wrong else ""
