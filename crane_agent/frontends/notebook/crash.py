"""After a crash: the cell that raised last, explained by what it raised and by the state as it is now."""

import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from IPython.core.error import InputRejected

from crane_agent.agent.rehearsals import DECIDER
from crane_agent.errors import NoSuchCell
from crane_agent.frontends.notebook.check import (
    Checked,
    notebook_if_known,
    opened,
    run,
    source_of,
    target_in,
    without_cell,
)
from crane_agent.session.in_process import InProcessSession
from crane_agent.session.protocol import PatchedCell, Rehearsal, Reply, Session
from crane_agent.session.wrapped import WrappedSession
from crane_agent.verdict.models import Verdict

REACHED_BY = "traceback"
"""What a verdict's `reached_by` says where the exception that the cell raised decides."""

# What is said of a rehearsal, where the cell has really run.
_REHEARSED = re.compile(r"was run in a fenced copy of the kernel and raised (.*?) (?:at once|after \d+\.\d s)")


class _Crashed(WrappedSession):
    """A session with a kernel in which the target has crashed: that is the best of rehearsals."""

    def __init__(self, session: InProcessSession, source: str, report: Reply) -> None:
        super().__init__(session)
        self._source = source
        self._report = report

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Return how the target ended when it ran; another text is not rehearsed."""
        if source == self._source and patched is None:
            return Rehearsal(self._report)
        return super().rehearse(source, seconds=seconds, patched=patched)


def explain(shell: Any) -> Checked:
    """Say why the cell that raised last did, by its traceback and the state as it is now.

    Raises:
        NoSuchCell: No cell has crashed, or it is not known any more which.
    """
    error = _last_error()
    number, file = _place_of(error, shell)
    notebook = notebook_if_known(shell)
    with opened(shell, notebook) as (session, found):
        source = source_of(shell, number, session.executed())
        target = without_cell(target_in(shell, session, notebook, code=source), number)
        report = session.raised(error, file=file, source=source)
        about = f"In [{number}], which raised {type(error).__name__}; as things stand now"
        known: Session = session
        if report.status == "ok":
            known = _Crashed(session, source, report)
            found = found.model_copy(update={"rehearse": "on"})
        return run(shell, target, known, found, about=about, amended=_in_own_words)


def _last_error() -> BaseException:
    error = getattr(sys, "last_value", None)
    if not isinstance(error, BaseException):
        raise NoSuchCell("no cell has crashed yet")
    if isinstance(error, InputRejected):
        raise NoSuchCell("the last cell was stopped before it ran; its card says why")
    if isinstance(error, KeyboardInterrupt):
        raise NoSuchCell("the last cell was interrupted, which is no crash")
    return error


def _place_of(error: BaseException, shell: Any) -> tuple[int, str]:
    """Return the number of the cell that an exception left, and the file name it was compiled with."""
    cells = _numbers_by_file(shell)
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(error.filename)
    for file in files:
        if file in cells:
            return cells[file], file
    raise NoSuchCell("the last error came from no cell of this notebook")


def _numbers_by_file(shell: Any) -> Mapping[str, int]:
    """Return the number of each cell by the file name that it was compiled with; IPython 7 keeps no list of them."""
    known = getattr(shell.compile, "_filename_map", None)
    if known:
        return dict(known)
    history = shell.history_manager
    texts = zip(history.input_hist_raw, history.input_hist_parsed, strict=False)
    return {shell.compile.get_code_name(raw, parsed, number): number for number, (raw, parsed) in enumerate(texts)}


def _in_own_words(verdict: Verdict) -> Verdict:
    """Return the verdict without the words for a rehearsal, since there was none."""
    evidence = tuple(each.model_copy(update={"words": _said(each.words)}) for each in verdict.evidence)
    update = {
        "explanation": _said(verdict.explanation),
        "evidence": evidence,
        "notes": tuple(note for note in verdict.notes if "could not rehearse" not in note),
        "reached_by": REACHED_BY if verdict.reached_by == DECIDER else verdict.reached_by,
        "usage": verdict.usage.model_copy(update={"rehearsals": 0, "rehearsal_ms": 0, "fixes_tried": 0}),
    }
    return verdict.model_copy(update=update)


def _said(words: str) -> str:
    return _REHEARSED.sub(r"raised \1", words)
