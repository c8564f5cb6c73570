"""What a launched and an attached session share: a channel to ask through, and what ends it."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from typing_extensions import Self

from crane_agent.session.channel import Channel, KernelFacts
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply
from crane_agent.session.rehearsal import rehearse


class OpenedSession:
    """A `Session` over a channel; closing it runs what its maker put on the stack, once.

    Attributes:
        facts: What the kernel said about itself at the start.
    """

    def __init__(self, channel: Channel, facts: KernelFacts, cleanup: ExitStack) -> None:
        self.facts = facts
        self._channel = channel
        self._cleanup = cleanup

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""
        return self.facts.python[:2]

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel, also while a cell runs.

        Raises:
            KernelDied: The kernel is gone.
            KernelRestarted: It was restarted, and its state is gone.
            KernelBusy: No answer by the deadline (the limit plus a grace).
        """
        return self._channel.ask(question, arguments, limits=limits)

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us."""
        return False

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Run a cell in a fenced fork of the kernel, in `seconds` at most; refused with an executed cell `patched`.

        Raises:
            KernelDied: The kernel is gone.
            KernelRestarted: It was restarted, and its state is gone.
        """
        return rehearse(self._channel, self.facts, source, seconds=seconds, patched=patched)

    def close(self) -> None:
        """Leave or end the kernel, as the session was made; closing twice is fine."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
