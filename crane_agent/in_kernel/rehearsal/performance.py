"""Runs the target in the copy, as the kernel would run it: IPython's own machinery, with nobody listening."""

from __future__ import annotations

import ast
import asyncio
import builtins
import cmd
import functools
import inspect
import os
import selectors
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from . import report
from .bound import bound
from .scene import scene_of
from .seccomp import DENIED, PROCESS

INPUT = "asked for input"
FAILED_DISPLAY = "_last_traceback_during_displayhook"
# What a process is told of itself and a copy otherwise, by module and function.
_ABOUT_THE_PROCESS = {
    "os": {
        "getpid": "process id", "getppid": "parent's process id", "getpgrp": "process group", "getsid": "session",
        "times": "processor time",
    },
    "time": dict.fromkeys(("process_time", "process_time_ns", "thread_time", "thread_time_ns"), "processor time"),
    "threading": {"active_count": "threads", "enumerate": "threads", "get_native_id": "thread's id"},
    "resource": {"getrusage": "use of resources", "getrlimit": "limits"},
    "torch": {"get_num_threads": "number of threads"},
}  # fmt: skip
# Asks whether it is the parent of a process that was started before.
_ASKING = "multiprocessing.process"
_ANSWERED_OTHERWISE = "it asked for its {}, which in a copy is another one"


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
        self._result: Any = None

    def run(self) -> Dict[str, Any]:
        """Run the target; return how it ended: `outcome`, `exception`, `why`, `seconds`."""
        self._detach_from_frontend()
        self._follow_compilation()
        sys.addaudithook(self._note_program)
        self._note_questions()
        loop = self._own_loop()
        began = time.perf_counter()
        result = loop.run_until_complete(self._run_cell())
        seconds = time.perf_counter() - began
        self._result = result
        if any(isinstance(each, RecursionError) for each in report.chain(result.error_in_exec)):
            self.changed.append("its stack began a few calls deeper than the kernel's")
        return dict(ending_of(result, self._shell, self.target), seconds=seconds)

    def description(self) -> Dict[str, Any]:
        """Describe what is there after `run`, once it has been said how that ended: `scene`, `bound`."""
        return description_of(self._result, self._shell, self.target, self.tree)

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
        _silence_streams()
        builtins.input = kernel.raw_input = kernel.getpass = self._refuse_input
        sys.breakpointhook = cmd.Cmd.cmdloop = self._refuse_input  # type: ignore[method-assign,assignment]
        for name in ("showsyntaxerror", "_showtraceback", "_format_exception_for_storage"):
            if hasattr(shell, name):
                setattr(shell, name, _nothing)
        shell.showtraceback = self._note_failed_display
        for event in ("post_execute", "post_run_cell"):
            shell.events.callbacks[event] = []  # What they do comes after the cell.
        manager = getattr(shell, "history_manager", None)
        if manager is not None:
            manager.writeout_cache = _nothing

    def _note_failed_display(self, *arguments: Any, **named: Any) -> None:
        """As ipykernel since 7: what fails while the result is displayed fails the cell."""
        shell = self._shell
        if getattr(shell.displayhook, "msg", None) is not None and hasattr(shell, FAILED_DISPLAY):
            setattr(shell, FAILED_DISPLAY, True)

    def _note_questions(self) -> None:
        """Note what the user's code asks of its process that a copy is told otherwise."""
        names = self._shell.user_ns
        for module, questions in _ABOUT_THE_PROCESS.items():
            owner = sys.modules.get(module)
            for question, what in questions.items():
                function = getattr(owner, question, None)
                if function is not None:
                    asked = self._noted(function, _ANSWERED_OTHERWISE.format(what))
                    setattr(owner, question, asked)
                    names.update({name: asked for name, value in names.items() if value is function})

    def _noted(self, function: Callable[..., Any], words: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def asked(*arguments: Any, **named: Any) -> Any:
            frame = sys._getframe(1)
            by_user = frame.f_globals.get("__name__") == _ASKING or report.is_users(frame, self._shell, self.target)
            if by_user and words not in self.changed:
                self.changed.append(words)
            return function(*arguments, **named)

        return asked

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
    if error is None and getattr(shell, FAILED_DISPLAY, False):
        return dict(found, outcome="unknown", why="its result could not be displayed")
    if error is None or isinstance(error, SystemExit):
        return found
    doubt = report.doubt_of(error, forked=forked)
    exception = report.of_error(error, shell, target)
    return dict(found, outcome="unknown" if doubt else "crash", exception=exception, why=doubt)


def description_of(result: Any, shell: Any, target: str, tree: Optional[ast.AST]) -> Dict[str, Any]:
    """Return what is there after the target's end: `scene` if it crashed, else `bound`; None where that fails.

    It runs code of the user's, so nothing that is decided may depend on it.

    Args:
        result: What IPython returns for a cell.
        shell: IPython's shell.
        target: File name that the target was compiled with.
        tree: Its syntax tree after IPython's transformation.
    """
    found: Dict[str, Any] = {"scene": None, "bound": None}
    error = result.error_before_exec or result.error_in_exec
    try:
        if error is None or isinstance(error, SystemExit):
            found["bound"] = bound(shell, tree)
        else:
            found["scene"] = scene_of(error, shell, target, tree)
    except Exception:  # noqa: BLE001 - what the user's objects do when they are looked at is not known
        pass
    return found


def parsed(text: str) -> Optional[ast.AST]:
    """Return the syntax tree of a cell; None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _nothing(*arguments: Any, **named: Any) -> None:
    pass


def _silence_streams() -> None:
    """Let the kernel's own streams swallow what is printed; one that the user put in their place keeps it."""
    stream: Any = getattr(sys.modules.get("ipykernel.iostream"), "OutStream", None)
    if stream is not None:
        stream.write, stream.flush = _swallowed, _nothing


def _swallowed(stream: Any, text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError("write() argument must be str, not {}".format(type(text)))
    return len(text)
