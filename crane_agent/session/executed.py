"""Which cells a kernel has run, as the kernel itself tells it."""

from collections.abc import Mapping
from typing import Any, Protocol

from crane_agent.errors import KernelError
from crane_agent.session.protocol import RanCell, Reply


class Asked(Protocol):
    """What can be asked a question, as a session can."""

    def ask(self, question: str, arguments: Mapping[str, Any]) -> Reply:
        """Put one question to the kernel."""


def executed_cells(kernel: Asked) -> tuple[RanCell, ...]:
    """Return the cells that a kernel has run, oldest first; one that runs right now is the last.

    Raises:
        KernelError: The kernel does not tell, or as for `ask`.
    """
    sources: dict[int, str] = {}
    place: dict[str, int] | None = {"start": 1}
    while place is not None:
        page = _page(kernel, place)
        for cell in page["executed"]:
            # A cell that is longer than a page comes in parts.
            sources[cell["number"]] = sources.get(cell["number"], "") + cell["source"]
        place = {"start": page["next"], "offset": page["offset"]} if page["next"] is not None else None
    return tuple(RanCell(number, source) for number, source in sources.items())


def _page(kernel: Asked, place: Mapping[str, int]) -> Mapping[str, Any]:
    reply = kernel.ask("executed", place)
    if reply.status != "ok":
        raise KernelError(f"the kernel does not tell which cells it ran: {reply.reason}")
    return reply.answer
