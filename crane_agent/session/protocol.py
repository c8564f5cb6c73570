"""What every kind of session offers: ask one question, get one reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol

from typing_extensions import Self

Status = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Reply:
    """One probe's or check's reply.

    Attributes:
        status: `ok`; `refused`, the question cannot be answered safely; `failed`, a bug of ours.
        answer: What was asked for, JSON values only; empty unless `ok`.
        reason: Why not, in words that begin "could not look, because"; empty if `ok`.
        withheld: Fields of the answer that the privacy level kept in the kernel.
        proof: What proves the answer and is above the level: for the user's own screen, never for a model, a file, a
            log or a report.
        cells: The kernel's execution count when the answer was made.
        running: Whether a cell of the user's ran meanwhile: then the answer may be half old.
        size: Bytes that left the kernel [bytes].
        elapsed_ms: Round trip [milliseconds].
    """

    status: Status
    answer: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    withheld: tuple[str, ...] = ()
    proof: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cells: int = 0
    running: bool = False
    size: int = 0
    elapsed_ms: float = 0.0


@dataclass(frozen=True)
class Limits:
    """The budget of one question.

    Attributes:
        seconds: Time the kernel may spend on it [seconds].
        items: Columns, layers, names ... listed before an answer is truncated.
        bytes: Size of the reply before it is truncated [bytes].
    """

    seconds: float = 2.0
    items: int = 50
    bytes: int = 8192


@dataclass(frozen=True)
class Rehearsal:
    """How a rehearsal went.

    Attributes:
        reply: The report, see `in_kernel.rehearsal`; `refused` if the cell was not rehearsed.
        way: `fork`, a copy of the kernel itself; `shadow`, another kernel in which the executed cells were replayed.
        replay_ms: Time that the replay took [milliseconds].
        fork: What the fork said before, where a second kernel had to.
    """

    reply: Reply
    way: Literal["fork", "shadow"] = "fork"
    replay_ms: float = 0.0
    fork: Reply | None = None


@dataclass(frozen=True)
class PatchedCell:
    """Another text for a cell that the kernel has run.

    Attributes:
        place: Its place among the cells that the kernel has run, from 0: for a kernel that replayed a notebook, that
            in `Target.executed`.
        source: The text to run instead.
    """

    place: int
    source: str


@dataclass(frozen=True)
class RanCell:
    """A cell that the kernel has run, as its history keeps it.

    Attributes:
        number: Its execution count, the number in `In [3]`.
        source: As it was typed, magics included, secrets redacted.
    """

    number: int
    source: str


class Session(Protocol):
    """A connection to a kernel; every question is asked at the privacy level that the session was made with."""

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel.

        Raises:
            KernelDied: The kernel is gone.
            KernelBusy: No answer by the deadline (the limit plus a grace).
        """

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us, for this question."""

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Run a cell in a fenced copy of the kernel; the reply says how it ended.

        Args:
            source: The cell.
            seconds: Time that it has [seconds].
            patched: If one of the executed cells is to have another text: then there is no fork, but the executed
                cells are run again with that one changed, and then `source`. Where one of them raises that had not,
                the report is `unknown`, and its `why` begins with `shadow.REPLAY_FAILED`; `refused`, if this kernel
                cannot be brought to another state, or not in time.

        Raises:
            KernelDied: The kernel is gone.
            KernelBusy: No answer by the deadline.
        """

    def close(self) -> None:
        """Leave the kernel as it was; end it if we started it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
