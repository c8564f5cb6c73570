"""Runs the target in the copy, as the kernel would run it: IPython's own machinery, with nobody listening."""

from __future__ import annotations

import asyncio
import builtins
import cmd
import functools
import inspect
import os
import selectors
import sys
import time
from types import FrameType
from typing import Any, Callable, Dict

from . import report
from .seccomp import PROCESS
from .witness import FAILED_DISPLAY, Witness

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


class Performance(Witness):
    """The target, running in this process, which is a fork."""

    _is_in_fork = True

    def __init__(self, shell: Any, source: str) -> None:
        super().__init__()
        self._shell = shell
        self._source = source
        self._kept: Any = None
        self._returned: Any = None

    def run(self) -> Dict[str, Any]:
        """Run the target; return how it ended, as `ending` says it, and `seconds`."""
        self._detach_from_frontend()
        self.watch(self._shell)
        sys.addaudithook(self._note_program)
        self._note_questions()
        loop = self._own_loop()
        began = time.perf_counter()
        result = loop.run_until_complete(self._run_cell())
        seconds = time.perf_counter() - began
        self._returned = result
        if any(isinstance(each, RecursionError) for each in report.chain(result.error_in_exec)):
            self.changed.append("its stack began a few calls deeper than the kernel's")
        return dict(self.ending(self._shell), seconds=seconds)

    def _result(self, shell: Any) -> Any:
        return self._returned

    async def _run_cell(self) -> Any:
        # As ipykernel's `do_execute`: a cell that awaits runs in the loop, any other beside it.
        shell = self._shell
        transformed, failure = self._source, None
        try:
            transformed = shell.transform_cell(self._source)
        except Exception:  # noqa: BLE001 - what a transformer raises is the cell's error, as IPython takes it
            failure = sys.exc_info()
        options: Dict[str, Any] = {"transformed_cell": transformed, "preprocessing_exc_tuple": failure}
        if not shell.should_run_async(self._source, **options):
            return shell.run_cell(self._source, store_history=True)
        taken = inspect.signature(shell.run_cell_async).parameters
        options = {name: value for name, value in options.items() if name in taken}
        return await shell.run_cell_async(self._source, store_history=True, **options)

    def _detach_from_frontend(self) -> None:
        """What is printed, displayed or asked goes nowhere: nobody sees it, and no socket may be touched."""
        shell, kernel = self._shell, self._shell.kernel
        kernel.session.send = _nothing
        _silence_streams()
        builtins.input = self._refuse_input
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
            if words not in self.changed and self._is_by_user(sys._getframe(1)):
                self.changed.append(words)
            return function(*arguments, **named)

        return asked

    def _is_by_user(self, frame: FrameType) -> bool:
        return frame.f_globals.get("__name__") == _ASKING or report.is_users(frame, self._shell, self.target)

    def _note_program(self, event: str, arguments: Any) -> None:
        if event == "subprocess.Popen":
            words = "{} ({})".format(PROCESS, os.path.basename(os.fsdecode(arguments[0]))[:60])
            if words not in self.denied:
                self.denied.append(words)

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
