"""How each cell's rehearsal ended and what the cell then did, and how the two compare."""

import re

from pydantic import BaseModel, ConfigDict, Field

from evals.checker.rows import happened
from evals.instance import Truth, leading_blank_lines
from evals.scorer import Rehearsed
from evals.solver import MAX_MESSAGE

_ADDRESS = re.compile(r"0x[0-9a-f]+")


class Cell(BaseModel):
    """One cell: how the rehearsal ended just before it ran, and what it then did.

    Attributes:
        place: Its place among the cells, from 1.
        source: Its source.
        rehearsed: The rehearsal, in a fork.
        left: What the rehearsal left behind, in words: files of the kernel's folder, processes.
        truth: What really happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: int
    source: str
    rehearsed: Rehearsed
    left: tuple[str, ...] = ()
    truth: Truth

    @property
    def certain(self) -> bool:
        """Whether the rehearsal proves what it told: nothing was changed or denied."""
        answer = self.rehearsed.answer
        return self.rehearsed.settled and not answer["changed"] and not answer["denied"]

    @property
    def line(self) -> int | None:
        """Line of the cell's source that raised in the copy, counted as the truth's."""
        line: int | None = (self.rehearsed.answer.get("exception") or {}).get("line")
        return None if line is None else line + leading_blank_lines(self.source)

    @property
    def contradiction(self) -> str:
        """What the rehearsal told and is not so, in words; empty if nothing."""
        if not self.rehearsed.settled or self._agrees():
            return ""
        return f"{self.told}, but {happened(self.truth)}"

    @property
    def alarms(self) -> tuple[str, ...]:
        """What must never be, in words."""
        wrong = (f"CERTAIN AND WRONG: {self.contradiction}",) if self.certain and self.contradiction else ()
        fault = (f"FAULT OF OUR OWN: {self.rehearsed.why}",) if self.rehearsed.status == "failed" else ()
        return (*wrong, *fault, *(f"LEFT BEHIND: {each}" for each in self.left))

    @property
    def told(self) -> str:
        """How the rehearsal ended, in a few words."""
        raised = self.rehearsed.answer.get("exception")
        if self.rehearsed.ended != "crash" or not raised:
            return f"{self.rehearsed.ended} {self.rehearsed.why}".strip()
        return f"{raised['type']} in line {self.line}: {raised['message']}"

    @property
    def other_message(self) -> bool:
        """Whether the exception came as told, but in other words; addresses of objects left out."""
        if self.rehearsed.ended != "crash" or self.contradiction or self.truth.evalue is None:
            return False
        told = str(self.rehearsed.answer["exception"]["message"])
        return _words(told) != _words(self.truth.evalue)

    def _agrees(self) -> bool:
        truth = self.truth
        if self.rehearsed.ended == "finished":
            # An end that the cell then has not within its limit is none.
            return not truth.crash and truth.status != "timeout"
        if not truth.crash:
            return False
        same_line = None in (self.line, truth.line) or self.line == truth.line
        return truth.ename in (None, self.rehearsed.answer["exception"]["type"]) and same_line


class Row(BaseModel):
    """One notebook.

    Attributes:
        case: Its name.
        version: Its package.
        cells: The cells, in the order they ran.
        error: Why there are no more of them.
        commit: Commit of the checkout that made the row; empty if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    cells: tuple[Cell, ...] = Field(default=())
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a run."""
        return self.case, self.version


def _words(message: str) -> list[str]:
    return _ADDRESS.sub("0x…", message[:MAX_MESSAGE]).split()
