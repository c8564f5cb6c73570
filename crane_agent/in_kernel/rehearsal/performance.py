"""Runs the target in the copy, as the kernel would run it: IPython's own machinery, with nobody listening."""

from __future__ import annotations

import ast
import asyncio
import builtins
import cmd
import inspect
import os
import selectors
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from . import report
from .seccomp import DENIED, PROCESS

INPUT = "asked for input"


class Performance:
    """The target, running in this process.

    Attributes:
        target: File name that IPython compiled the target with; '' before.
        tree: Its syntax tree after IPython's transformation; None if it has none.
        denied: Acts that were denied by Python code of ours.
        changed: What was changed so that the target can run here.
    """

    def __init__(self, shell: Any, source: str) -> None:
        self.target = ""
        self.tree: Optional[ast.AST] = None
        self.denied: List[str] = []
        self.changed: List[str] = []
        self._shell = shell
        self._source = source
        self._kept: Any = None

    def run(self) -> Dict[str, Any]:
        """Run the target; return how it ended: `outcome`, `exception`, `why`, `seconds`."""
        self._detach_from_frontend()
        self._follow_compilation()
        sys.addaudithook(self._note_program)
        self._getpid, os.getpid = os.getpid, self._process_id
        loop = self._own_loop()
        began = time.perf_counter()
        result = loop.run_until_complete(self._run_cell())
        seconds = time.perf_counter() - began
        if any(isinstance(each, RecursionError) for each in report.chain(result.error_in_exec)):
            self.changed.append("its stack began a few calls deeper than the kernel's")
        return dict(ending_of(result, self._shell, self.target), seconds=seconds)

    async def _run_cell(self) -> Any:
        # As ipykernel's `do_execute`: a cell that awaits runs in the loop, any other beside it.
        shell = self._shell
        transformed, failure = self._source, None
        try:
            transformed = shell.transform_cell(self._source)
        except Exception:  # noqa: BLE001 - what a transformer raises is the cell's error, as IPython takes it
            failure = sys.exc_info()
        if failure is None:
            self.tree = parsed(transformed)
        options: Dict[str, Any] = {"transformed_cell": transformed, "preprocessing_exc_tuple": failure}
        if not shell.should_run_async(self._source, **options):
            return shell.run_cell(self._source, store_history=True)
        taken = inspect.signature(shell.run_cell_async).parameters
        options = {name: value for name, value in options.items() if name in taken}
        return await shell.run_cell_async(self._source, store_history=True, **options)

    def _follow_compilation(self) -> None:
        """Note the file name of the target, the first cell compiled here."""
        compiler = self._shell.compile
        cache: Callable[..., Any] = compiler.cache

        def noted(*arguments: Any, **named: Any) -> Any:
            name = cache(*arguments, **named)
            self.target = self.target or name
            return name

        compiler.cache = noted

    def _detach_from_frontend(self) -> None:
        """What is printed, displayed or asked goes nowhere: nobody sees it, and no socket may be touched."""
        shell, kernel = self._shell, self._shell.kernel
        kernel.session.send = _nothing
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "__dict__"):
                stream.write = _swallowed  # type: ignore[method-assign]
                stream.flush = _nothing  # type: ignore[method-assign]
        builtins.input = kernel.raw_input = kernel.getpass = self._refuse_input
        sys.breakpointhook = cmd.Cmd.cmdloop = self._refuse_input  # type: ignore[method-assign,assignment]
        for name in ("showtraceback", "showsyntaxerror", "_showtraceback", "_format_exception_for_storage"):
            if hasattr(shell, name):
                setattr(shell, name, _nothing)
        for event in ("post_execute", "post_run_cell"):
            shell.events.callbacks[event] = []  # What they do comes after the cell.
        manager = getattr(shell, "history_manager", None)
        if manager is not None:
            manager.writeout_cache = _nothing

    def _process_id(self) -> int:
        """Stands in for ``os.getpid``: what the user's code makes of the answer may be other than in the kernel."""
        words = "it asked for its process id, which in a copy is another one"
        if words not in self.changed and report.is_users(sys._getframe(1), self._shell, self.target):
            self.changed.append(words)
        return self._getpid()

    def _note_program(self, event: str, arguments: Any) -> None:
        if event == "subprocess.Popen":
            words = "{} ({})".format(PROCESS, os.path.basename(os.fsdecode(arguments[0]))[:60])
            if words not in self.denied:
                self.denied.append(words)

    def _refuse_input(self, *arguments: Any, **named: Any) -> str:
        self.denied.append(INPUT)
        raise OSError(DENIED, os.strerror(DENIED))

    def _own_loop(self) -> Any:
        """Return the kernel's event loop, ready to be run again by this process."""
        loop = self._shell.kernel.io_loop.asyncio_loop
        asyncio._set_running_loop(None)
        if not isinstance(loop, asyncio.SelectorEventLoop):
            self.changed.append("the cell ran in a new event loop")
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            return loop
        inner: Any = loop
        inner._ready.clear()
        inner._scheduled.clear()
        inner._thread_id, inner._stopping = None, False
        # Not forgotten: their end would ask what they are connected to.
        self._kept = inner._selector, inner._ssock, inner._csock
        inner._selector = selectors.DefaultSelector()
        inner._make_self_pipe()
        return loop


def ending_of(result: Any, shell: Any, target: str, *, forked: bool = True) -> Dict[str, Any]:
    """Return how the target ended: `outcome`, `exception`, `why`.

    Args:
        result: What IPython returns for a cell.
        shell: IPython's shell.
        target: File name that the target was compiled with.
        forked: Whether this process is a fork.
    """
    error = result.error_before_exec or result.error_in_exec
    found: Dict[str, Any] = {"outcome": "finished", "exception": None, "why": ""}
    if error is None and getattr(shell, "_last_traceback_during_displayhook", False):
        return dict(found, outcome="unknown", why="its result could not be displayed")
    if error is None or isinstance(error, SystemExit):
        return found
    doubt = report.doubt_of(error, forked=forked)
    exception = report.of_error(error, shell, target)
    return dict(found, outcome="unknown" if doubt else "crash", exception=exception, why=doubt)


def parsed(text: str) -> Optional[ast.AST]:
    """Return the syntax tree of a cell; None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _nothing(*arguments: Any, **named: Any) -> None:
    pass


def _swallowed(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError("write() argument must be str, not {}".format(type(text)))
    return len(text)
