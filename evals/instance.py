"""One question of an eval: the cells already run, the target, and what really happens when it runs."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

TruthStatus = Literal["ok", "error", "timeout", "died"]
# A cell that ends the session on purpose, or that somebody interrupts, did not crash.
NO_CRASH = frozenset({"SystemExit", "KeyboardInterrupt"})


class Truth(BaseModel):
    """What really happened when the target ran.

    Attributes:
        status: `ok`; `error`, it raised; `timeout`, still running at the limit; `died`, the kernel ended.
        ename: Class name of the exception.
        evalue: Its message.
        line: Failing line of the target, counted in the cell's source from 1; None if no such line is known.
        seconds: How long the target ran [seconds].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: TruthStatus
    ename: str | None = None
    evalue: str | None = None
    line: int | None = None
    seconds: float | None = None

    @property
    def crash(self) -> bool:
        """Whether that was a crash; a target that outlasts its limit did not crash."""
        return self.status == "died" or (self.status == "error" and self.ename not in NO_CRASH)


class Instance(BaseModel):
    """One instance of an eval.

    Attributes:
        case: Name of the case; never shown to a policy.
        version: Which instance of the case, e.g. `reproduced`; never shown to a policy.
        executed: The executed cells' sources, in execution order.
        target: The target's source.
        data_script: Script that writes the input files into the folder given as its argument.
        data_folders: Folders of input files, which are copied into the kernel's.
        startup: Script that IPython itself runs when the kernel starts; never shown to a policy.
        recorded: What happened when the instance was recorded, if that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    executed: tuple[str, ...]
    target: str
    data_script: Path | None = None
    data_folders: tuple[Path, ...] = ()
    startup: Path | None = None
    recorded: Truth | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a dataset."""
        return self.case, self.version


def leading_blank_lines(source: str) -> int:
    """Count the blank lines that IPython strips from the top of a cell before it compiles it [lines]."""
    lines = source.splitlines()
    return next((number for number, line in enumerate(lines) if line.strip()), len(lines))


def in_source_lines(truth: Truth, target: str) -> Truth:
    """Convert a recorded line, which counts from the first line that is not blank, to the cell's own count.

    The recording took the first cell line of the traceback, which need not be the target's: a line that the
    target does not have is dropped.
    """
    if truth.line is None:
        return truth
    line = truth.line + leading_blank_lines(target)
    return truth.model_copy(update={"line": line if line <= len(target.splitlines()) else None})
