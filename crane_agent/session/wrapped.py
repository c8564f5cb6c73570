"""A session around another one, for what looks on: all that it does not do itself is left to the other."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from typing_extensions import Self

from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply, Session


class WrappedSession:
    """A session that does what another one does; subclasses look on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""
        return self._session.python_version

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us."""
        return self._session.owned

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel; errors as for the session itself."""
        return self._session.ask(question, arguments, limits=limits)

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Run a cell in a fenced copy of the kernel; errors as for the session itself."""
        return self._session.rehearse(source, seconds=seconds, patched=patched)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
