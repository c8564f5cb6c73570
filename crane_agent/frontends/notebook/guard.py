"""The guard: every cell is checked before it runs, and stopped if it is certain to crash.

IPython shows each cell's syntax tree to its transformers before the cell runs, and one that raises `InputRejected`
stops it. Only what the checker proves stops a cell; whatever else happens here, a bug of ours included, the cell runs.
"""

import ast
import re
from typing import Any

from IPython.core.error import InputRejected

from crane_agent.config import Settings
from crane_agent.errors import CraneAgentError
from crane_agent.frontends.notebook.check import Checked, settings_of, without_cell
from crane_agent.frontends.notebook.magics import Crane, untouched
from crane_agent.frontends.notebook.outputs import show
from crane_agent.in_kernel.wire import TooDeep, encode_tree
from crane_agent.notebook.code import Code, followed, parse
from crane_agent.notebook.history import target_in_kernel
from crane_agent.predict import predict
from crane_agent.session.in_process import InProcessSession
from crane_agent.session.protocol import Limits
from crane_agent.verdict.card import card
from crane_agent.verdict.render import headline, one_line

CHECK_LIMIT_S = 0.5
"""Time that the checker has before a cell runs unchecked [seconds]."""

VERDICT_LIMIT_S = 10.0
"""Time to find out what to say of a cell that the checker stops [seconds]."""

CHECK_BYTES = 65_536
"""Size of the checker's answer [bytes]."""

LONGEST_CELL = 20_000
"""Length of a cell that is checked [characters]."""

_OVERRIDE = re.compile(r"^\s*#\s*crane:\s*run\s*$", re.MULTILINE)
_OURS = re.compile(r"\s*%%?crane\b|\s*%(un)?load_ext\b")


class CellStopped(InputRejected):
    """A cell was stopped before it ran; in the notebook it is one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"crane: {self}"]


class Guard:
    """A transformer of IPython's that changes nothing: it looks at each cell, and stops the one that will crash.

    Attributes:
        checked: Cells that it has looked at.
        stopped: Cells that it has stopped.
        faults: Bugs of ours that came up meanwhile, in words.
    """

    def __init__(self, shell: Any, crane: Crane) -> None:
        """Switch it on; what it stops is what `crane` has checked last."""
        self.checked = 0
        self.stopped = 0
        self.faults: list[str] = []
        self._shell = shell
        self._crane = crane
        self._settings: Settings = settings_of(None)
        self._cell: str | None = None
        # What is slow the first time is done now, not before a cell.
        self._has_finding(followed(parse("pass")))
        shell.events.register("pre_run_cell", self._before_cell)
        shell.ast_transformers.append(self)

    def close(self) -> None:
        """Switch it off."""
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.ast_transformers.remove(self)

    def words(self) -> str:
        """Return what it has done so far, in words."""
        faults = f"; {len(self.faults)} bugs of ours, the last: {self.faults[-1]}" if self.faults else ""
        return (
            f"the guard is on: {self.checked} cells checked, {self.stopped} stopped{faults}; "
            "'# crane: run' on a line of its own runs a cell unchecked"
        )

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the tree of a cell as it is, unless the cell is certain to crash.

        Raises:
            CellStopped: It is.
        """
        # What a magic of the cell has transformed while the cell runs is no cell.
        source, self._cell = self._cell, None
        if source is None:
            return node
        try:
            reason = self._reason_to_stop(source)
        except CraneAgentError:  # the kernel is busy, the settings cannot be read
            reason = ""
        except Exception as fault:  # noqa: BLE001 - a bug of ours must not stop a cell; `words` tells of it
            self.faults.append(f"{type(fault).__name__}: {one_line(str(fault))}")
            reason = ""
        if reason:
            raise CellStopped(reason)
        return node

    def _before_cell(self, info: Any) -> None:
        self._cell = info.raw_cell if info.store_history and not info.silent else None

    def _reason_to_stop(self, source: str) -> str:
        if len(source) > LONGEST_CELL or _OVERRIDE.search(source) or _OURS.match(source):
            return ""
        self.checked += 1
        if not self._has_finding(followed(parse(source))):
            return ""
        with untouched():
            checked = self._verdict(source)
            verdict = checked.verdict
            if verdict.outcome != "crash" or verdict.certainty != "certain":
                return ""
            show(card(verdict, source=source, about="stopped before it ran"))
        self.stopped += 1
        self._crane.last = checked
        return f"{one_line(headline(verdict))}. It was not run; '# crane: run' on a line of its own runs it."

    def _has_finding(self, code: Code) -> bool:
        """Whether the checker proves that the cell crashes; a text that is no Python is IPython's to report."""
        if code.tree is None or code.syntax_error is not None or not code.lines_agree:
            return False
        try:
            arguments = {"tree": encode_tree(code.tree), "first_word": code.first_word}
        except TooDeep:
            return False
        with InProcessSession(self._shell, privacy=self._settings.privacy) as session:
            reply = session.ask("check", arguments, limits=Limits(seconds=CHECK_LIMIT_S, bytes=CHECK_BYTES))
        if reply.status == "failed":
            self.faults.append(reply.reason)
        return reply.status == "ok" and bool(reply.answer["finding"])

    def _verdict(self, source: str) -> Checked:
        """Return the verdict of the built-in rules: a model takes too long, and has no say in what is certain."""
        update = {"seconds": VERDICT_LIMIT_S, "rehearse": "off"}
        settings = self._settings.model_copy(update=update)
        with InProcessSession(self._shell, privacy=settings.privacy) as session:
            ran = session.executed()
            target = target_in_kernel(ran, code=source)
            target = without_cell(target, ran[-1].number if ran else None)
            return Checked(target, predict(target, session, settings=settings))
