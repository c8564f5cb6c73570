"""Checking a cell of the notebook from within it: which cell is meant, the run, and the card that shows it."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crane_agent.config import Settings
from crane_agent.errors import NoSuchCell, NotebookError
from crane_agent.frontends.notebook.outputs import Shown
from crane_agent.frontends.notebook.remembered import settings
from crane_agent.in_kernel.redaction import redacted
from crane_agent.notebook.cells import Notebook, read_notebook
from crane_agent.notebook.history import Target, target_in_kernel
from crane_agent.predict import predict
from crane_agent.session.in_process import InProcessSession
from crane_agent.session.protocol import RanCell, Session
from crane_agent.verdict.models import Verdict

if TYPE_CHECKING:
    from crane_agent.agent.policy import Policy

VARIABLE = "JPY_SESSION_NAME"
"""Environment variable in which a Jupyter server says which notebook a kernel is for."""

MOST_DIGITS = 9
"""Digits of an execution count; what has more is an id."""

VSCODE_NAME = "__vsc_ipynb_file__"
"""Name in the user's namespace in which VS Code does."""


@dataclass(frozen=True)
class Checked:
    """A cell that was checked.

    Attributes:
        target: The cell, with the cells around it.
        verdict: What was found.
        about: Which cell it is, in words.
    """

    target: Target
    verdict: Verdict
    about: str = ""


@dataclass(frozen=True)
class Patch:
    """A patched cell, and what is to be said of it."""

    source: str
    words: str


def check_text(shell: Any, source: str) -> Checked:
    """Check a text as if it were the next cell."""
    notebook = notebook_if_known(shell)
    with opened(shell, notebook) as (session, found):
        target = target_in(shell, session, notebook, code=source)
        return run(shell, target, session, found)


def check_named(shell: Any, which: str) -> Checked:
    """Check a cell that ran, by its number, or one of the saved notebook, by its id or tag.

    Raises:
        NoSuchCell: There is none.
        NotebookError: The notebook is not known.
    """
    if not which.isdecimal() or len(which) > MOST_DIGITS:
        return _check_saved(shell, which)
    notebook = notebook_if_known(shell)
    with opened(shell, notebook) as (session, found):
        source = source_of(shell, int(which), session.executed())
        target = target_in(shell, session, notebook, code=source)
        return run(shell, target, session, found, about=f"In [{which}], if it ran again now")


def check_next(shell: Any) -> Checked:
    """Check the first cell of the saved notebook that has not run, below the one that ran last.

    Raises:
        NoSuchCell: None is left.
        NotebookError: The notebook is not known.
    """
    return _check_saved(shell, None)


def _check_saved(shell: Any, which: str | None) -> Checked:
    notebook = read_notebook(notebook_path(shell))
    saved = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(notebook.path.stat().st_mtime))
    with opened(shell, notebook) as (session, found):
        target = target_in(shell, session, notebook, which=which)
        about = f"cell {target.cell.index} of {notebook.path.name}, as saved at {saved}"
        return run(shell, target, session, found, about=about)


def run(
    shell: Any,
    target: Target,
    session: Session,
    found: Settings,
    *,
    about: str = "",
    amended: Callable[[Verdict], Verdict] | None = None,
) -> Checked:
    """Have a verdict reached, and show it.

    Args:
        shell: IPython's shell.
        target: The cell.
        session: This process's kernel.
        found: The settings in force.
        about: Which cell it is, in words.
        amended: Makes of the verdict the one that is shown.
    """
    shown = Shown(shell, about)
    try:
        verdict = predict(target, session, settings=found, policy=_policy_of(found), on_step=shown.on_step)
    except BaseException:
        shown.remove()
        raise
    verdict = verdict if amended is None else amended(verdict)
    shown.end(verdict, target.cell.source)
    return Checked(target, verdict, about)


def _policy_of(found: Settings) -> "Policy | None":
    """Return who decides; None stands for the built-in rules."""
    if found.model is None:
        return None
    from crane_agent.agent.llm_policy import policy_of

    return policy_of(found)


def running_cell(shell: Any) -> int | None:
    """Return the number of the cell that runs right now, which asks; None if it gets none."""
    number = getattr(shell.displayhook.exec_result, "execution_count", None)
    return number if type(number) is int else None


def without_cell(target: Target, number: int | None) -> Target:
    """Return the target without the cell of that number among those that ran before it."""
    return replace(target, executed=tuple(cell for cell in target.executed if cell.execution_count != number))


def patch_of(checked: Checked | None) -> Patch:
    """Return the patch that a check has found.

    Raises:
        NoSuchCell: Nothing was checked, or it has no patch that helps.
    """
    if checked is None:
        raise NoSuchCell("nothing was checked yet: '%crane explain' after a crash, or '%%crane' above a cell")
    verdict = checked.verdict
    fix = verdict.fix
    source = verdict.proof.patch or (fix.source if fix is not None else None)
    if fix is None or source is None or fix.verified == "no":
        raise NoSuchCell("no patch was found for the cell that was checked last")
    which = "the patched cell" if fix.cell is None else f"cell {fix.cell}, patched, which ran before"
    tried = "was tried in a copy" if fix.verified in ("yes", "partly") else "was not tried"
    return Patch(source, f"put into the next cell: {which}; the patch {tried}, and it is for you to run")


def notebook_path(shell: Any) -> Path:
    """Return where the notebook is saved.

    Raises:
        NotebookError: The frontend does not say, or there is no such file.
    """
    in_vscode = shell.user_ns.get(VSCODE_NAME)
    known = in_vscode if type(in_vscode) is str else os.environ.get(VARIABLE)
    if not known:
        raise NotebookError(f"this frontend does not say where the notebook is saved ({VARIABLE} is not set)")
    if not Path(known).is_file():
        raise NotebookError(f"{known}: the notebook is not saved there any more; was it renamed?")
    return Path(known)


def notebook_if_known(shell: Any) -> Notebook | None:
    """Return the notebook as it is saved; None if that cannot be known."""
    with suppress(NotebookError):
        return read_notebook(notebook_path(shell))
    return None


@contextmanager
def opened(shell: Any, notebook: Notebook | None) -> Iterator[tuple[InProcessSession, Settings]]:
    """Give a session with this process's kernel, and the settings in force."""
    found = settings_of(notebook)
    with InProcessSession(shell, privacy=found.privacy) as session:
        yield session, found


def settings_of(notebook: Notebook | None) -> Settings:
    """Return the settings in force; limits may stand beside the notebook."""
    return settings(notebook.path.parent if notebook is not None else None).settings


def target_in(shell: Any, session: InProcessSession, notebook: Notebook | None, **which: str | None) -> Target:
    """Return the target as `history.target_in_kernel` does; the cell that asks did not run before it."""
    return without_cell(target_in_kernel(session.executed(), notebook=notebook, **which), running_cell(shell))


def source_of(shell: Any, number: int, ran: Sequence[RanCell]) -> str:
    """Return a cell that ran as it was typed: the session's own list has no secrets.

    Raises:
        NoSuchCell: None has that number.
    """
    if number == running_cell(shell) or all(cell.number != number for cell in ran):
        raise NoSuchCell(f"no cell ran as In [{number}]")
    typed = shell.history_manager.input_hist_raw
    listed = next(cell.source for cell in ran if cell.number == number)
    kept = typed[number] if number < len(typed) else ""
    return str(kept) if redacted(kept) == listed else listed
