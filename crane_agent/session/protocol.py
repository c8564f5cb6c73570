"""What every kind of session offers: ask one question, get one reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, Self

Status = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Reply:
    """One probe's or check's reply.

    Attributes:
        status: `ok`; `refused`, the question cannot be answered safely; `failed`, a bug of ours.
        answer: What was asked for, JSON values only; empty unless `ok`.
        reason: Why not, in words that begin "could not look, because"; empty if `ok`.
        cells: The kernel's execution count when the answer was made.
        size: Bytes that left the kernel [bytes].
        elapsed_ms: Round trip [milliseconds].
    """

    status: Status
    answer: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    cells: int = 0
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


class Session(Protocol):
    """A connection to a kernel."""

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel.

        Raises:
            KernelDied: The kernel is gone.
            KernelBusy: No answer by the deadline (the limit plus a grace).
        """

    def close(self) -> None:
        """Leave the kernel as it was; end it if we started it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
