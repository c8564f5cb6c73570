"""A session with a kernel of our own: started for the question, brought to the user's state, ended afterwards."""

import atexit
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from crane_agent.config import Privacy
from crane_agent.errors import CellFailed, CellTimeout, KernelDied, NoKernel, NotAPythonKernel
from crane_agent.notebook.cells import Cell, Notebook
from crane_agent.session.channel import Channel, ExecuteReply, KernelFacts
from crane_agent.session.line import Audit
from crane_agent.session.opened import OpenedSession
from crane_agent.session.process import KernelProcess
from crane_agent.session.protocol import PatchedCell, Rehearsal
from crane_agent.session.rehearsal import rehearse
from crane_agent.session.scratch import copy_folder
from crane_agent.session.shadow import DoneCell, Origin

START_LIMIT_S = 60.0
"""Time the kernel may take to answer for the first time [seconds]."""

CELL_LIMIT_S = 600.0
"""Time one cell may take during the replay [seconds]."""

TOTAL_LIMIT_S = 1800.0
"""Time all cells may take during the replay [seconds]."""

COPY_LIMIT_BYTES = 1_000_000_000
"""Size of a notebook's folder up to which it is copied [bytes]."""

CHECK_LIMIT_S = 30.0
"""Time an interpreter may take to say whether it has ipykernel [seconds]."""

DEFAULT_KERNELSPEC = "python3"

_PYTHONS = ("python", "python3", "ipython", "ipython3")

_CHECK = "import importlib.util as u, sys; print(sys.version_info[0], u.find_spec('ipykernel') is not None)"

OnCell = Callable[[int, int, Cell], None]
"""Called before a cell is replayed, with its place from 1, the number of cells and the cell."""


class LaunchedSession(OpenedSession):
    """A session with a kernel that it owns: `close` ends the kernel and removes every file made for it.

    A session that is never closed is closed when Python exits.
    """

    def __init__(self, channel: Channel, facts: KernelFacts, cleanup: ExitStack, origin: Origin | None = None) -> None:
        """Take a kernel over; `origin` is how it came to its state, if another may be brought there."""
        super().__init__(channel, facts, cleanup)
        self.origin = origin

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us."""
        return True

    def run(self, code: str, *, limit_s: float) -> ExecuteReply:
        """Run a cell for real and wait for its end, at most `limit_s` [seconds]."""
        reply = self._channel.execute(code, limit_s=limit_s)
        if self.origin is not None:
            self.origin.done.append(DoneCell(code, reply.status, reply.seconds))
        return reply

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Run a cell in a fenced copy of the kernel, in `seconds` at most: in a fork, else in a second kernel.

        With an executed cell `patched`, in a second kernel that replays the executed cells with that one changed.

        Raises:
            KernelDied: The kernel is gone.
        """
        return rehearse(self._channel, self.facts, source, seconds=seconds, origin=self.origin, patched=patched)


def launch(
    executed: Sequence[Cell] = (),
    *,
    notebook: Notebook | None = None,
    folder: Path | None = None,
    python: str | None = None,
    in_place: bool = False,
    cell_limit_s: float = CELL_LIMIT_S,
    total_limit_s: float = TOTAL_LIMIT_S,
    start_limit_s: float = START_LIMIT_S,
    copy_limit_bytes: int = COPY_LIMIT_BYTES,
    env: Mapping[str, str] | None = None,
    on_cell: OnCell | None = None,
    privacy: Privacy = "schema",
    audit: Audit | None = None,
) -> LaunchedSession:
    """Start a kernel, replay the executed cells in it, and make it able to answer questions.

    Args:
        executed: The cells to replay, in execution order.
        notebook: Names the kernel, and by its path the folder; without one, `python3` and an empty folder.
        folder: Where the cells find their files, if not beside the notebook.
        python: Interpreter to use instead of the kernel that the notebook names.
        in_place: Run in `folder` itself; otherwise in a scratch copy, so that no file there is changed.
        cell_limit_s: Time one cell may take [seconds].
        total_limit_s: Time all cells together may take [seconds].
        start_limit_s: Time the kernel may take to start [seconds].
        copy_limit_bytes: Size up to which `folder` is copied [bytes].
        env: Environment variables that the kernel gets in addition to ours.
        on_cell: Told about each cell before it is replayed.
        privacy: How much may leave the kernel in answers.
        audit: Gets every message that the kernel sends, those of the replay included.

    Raises:
        NoKernel: There is no such kernel or interpreter, it has no ipykernel, or it does not start.
        NotAPythonKernel: The notebook is written in another language.
        NotebookError: The folder is too large for a scratch copy.
        CellFailed: A cell raised that did not raise when the notebook was saved.
        CellTimeout: A cell outlasted its limit.
        KernelDied: The kernel ended during the replay.
    """
    if notebook is not None and folder is None and notebook.path is not None:
        folder = Path(notebook.path).resolve().parent
    spec = _kernelspec(notebook, python)
    cleanup = ExitStack()
    # For an interrupt between our return and the caller's `with`.
    atexit.register(cleanup.close)
    cleanup.callback(atexit.unregister, cleanup.close)
    try:
        own = Path(cleanup.enter_context(TemporaryDirectory(prefix="crane-agent-", ignore_cleanup_errors=True)))
        cwd = _working_folder(folder, own, in_place=in_place, copy_limit_bytes=copy_limit_bytes)
        kernel = KernelProcess(spec, own, cwd=cwd, env=env or {})
        cleanup.callback(kernel.end)
        channel = Channel(kernel.connect(), alive=kernel.is_alive, privacy=privacy, audit=audit)
        cleanup.callback(channel.close)
        kernel.await_start(channel, limit_s=start_limit_s)
        done = _replay(channel, executed, cell_limit_s=cell_limit_s, total_limit_s=total_limit_s, on_cell=on_cell)
        origin = Origin(
            spec=spec,
            folder=folder.resolve() if folder is not None else None,
            env=env or {},
            done=done,
            start_limit_s=start_limit_s,
            replay_limit_s=total_limit_s,
            privacy=privacy,
            audit=audit,
        )
        return LaunchedSession(channel, channel.install(), cleanup, origin)
    except BaseException:
        cleanup.close()
        raise


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into SystemExit while inside, so that sessions are closed; does nothing in other threads."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _kernelspec(notebook: Notebook | None, python: str | None) -> KernelSpec:
    language = (notebook.language if notebook is not None else None) or "python"
    if language.lower() not in _PYTHONS:
        raise NotAPythonKernel(f"the notebook is written in {language}; only Python can be checked")
    if python is not None:
        return _spec_of_interpreter(python)
    name = (notebook.kernelspec if notebook is not None else None) or DEFAULT_KERNELSPEC
    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel:
        found = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise NoKernel(
            f"no kernel is called {name!r} (installed: {found}); name an interpreter with --python"
        ) from None
    if spec.language.lower() not in _PYTHONS:
        raise NotAPythonKernel(f"the kernel {name!r} runs {spec.language}; only Python can be checked")
    return spec


def _spec_of_interpreter(python: str) -> KernelSpec:
    path = shutil.which(python)
    if path is None:
        raise NoKernel(f"there is no interpreter {python!r} to run")
    # Absolute, since the kernel runs in another folder; not resolved, since a link makes a virtual environment.
    path = os.path.abspath(path)
    try:
        done = subprocess.run(
            [path, "-c", _CHECK],
            check=False,
            capture_output=True,
            text=True,
            timeout=CHECK_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoKernel(f"{python} does not run: {error}") from None
    match done.stdout.split():
        case ["3", "True"]:
            argv = [path, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name=path, language="python")
        case [_, "False"]:
            raise NoKernel(f"{python} has no ipykernel: run '{python} -m pip install ipykernel'")
        case _:
            raise NoKernel(f"{python} is no Python 3 interpreter")


def _working_folder(folder: Path | None, own: Path, *, in_place: bool, copy_limit_bytes: int) -> Path:
    if in_place and folder is not None:
        return folder
    scratch = own / "scratch"
    if folder is None:
        scratch.mkdir()
    else:
        copy_folder(folder, scratch, limit_bytes=copy_limit_bytes)
    return scratch


def _replay(
    channel: Channel,
    executed: Sequence[Cell],
    *,
    cell_limit_s: float,
    total_limit_s: float,
    on_cell: OnCell | None,
) -> list[DoneCell]:
    deadline = time.monotonic() + total_limit_s
    done = []
    for place, cell in enumerate(executed, start=1):
        if on_cell is not None:
            on_cell(place, len(executed), cell)
        left_s = max(0.0, deadline - time.monotonic())
        reply = channel.execute(cell.source, limit_s=min(cell_limit_s, left_s))
        name = _name(cell)
        if reply.status == "died":
            raise KernelDied(f"the kernel died while {name} ran during the replay")
        if reply.status == "timeout" and left_s < cell_limit_s:
            raise CellTimeout(f"{name} was still running when the replay's limit of {total_limit_s:g} s passed")
        if reply.status == "timeout":
            raise CellTimeout(f"{name} was still running after {cell_limit_s:g} s during the replay")
        if reply.status == "error" and not cell.failed_when_saved:
            raise CellFailed(f"{name} raised {_error(reply)} during the replay")
        done.append(DoneCell(cell.source, reply.status, reply.seconds))
    return done


def _name(cell: Cell) -> str:
    number = f" (In [{cell.execution_count}])" if cell.execution_count is not None else ""
    return f"cell {cell.index}{number}"


def _error(reply: ExecuteReply) -> str:
    message = " ".join(reply.evalue.split())
    if len(message) > 200:
        message = message[:200] + "..."
    line = f" on line {reply.line}" if reply.line is not None else ""
    return f"{reply.ename}: {message}{line}" if message else f"{reply.ename}{line}"
