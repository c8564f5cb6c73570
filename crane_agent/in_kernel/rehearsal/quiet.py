"""Whether the kernel may be forked now: nothing of it may be in the middle of something.

A fork copies the memory as it is and the calling thread alone. A lock that another thread holds stays locked in the
copy for ever, and some libraries (OpenBLAS) hang the kernel itself if one of their threads is at work.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import Any, Iterator, Optional

from ..moment import is_running
from .mappings import is_of_a_device, shared_memory
from .system_calls import architecture

_OWN_THREADS = ("ipykernel", "IPython", "zmq", "tornado", "traitlets", "crane_agent", "tqdm")
# Idle between calls: they wait for work from the main thread.
_IDLE_THREADS = ("joblib", "multiprocessing.queues", "asyncio")
_OWN_TASKS = ("ipykernel", "IPython", "zmq", "tornado", "jupyter_client", "jupyter_core")
# They warn of a fork in the user's notebook, and hang in it. Source: jax, `jax/_src/xla_bridge.py`.
_UNFIT = ("jax",)
# It looks after the workers of a DataLoader, and at no other process.
_CHILD_HANDLER = "torch.utils.data._utils.signal_handling"
_ASLEEP = "S"
_DEVICES = ("/dev/nvidia", "/dev/dri", "/dev/kfd")


class NotNow(Exception):
    """The kernel cannot be forked now.

    Attributes:
        passing: Whether it may be possible in a moment.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


def look(shell: Any) -> None:
    """Look whether the kernel may be forked; called on its main thread, between cells.

    Raises:
        NotNow: It may not; says why.
    """
    if architecture() is None or not hasattr(os, "memfd_create"):
        raise NotNow("this is no Linux on x86_64 or aarch64")
    if is_running(shell):
        raise NotNow("a cell is running", passing=True)
    handler = signal.getsignal(signal.SIGCHLD)
    if handler not in (signal.SIG_DFL, None) and getattr(handler, "__module__", "") != _CHILD_HANDLER:
        raise NotNow("the notebook handles SIGCHLD, which the end of the copy would send")
    if sys.gettrace() is not None:
        raise NotNow("a debugger follows the kernel")
    for name in _UNFIT:
        if name in sys.modules:
            raise NotNow("it has loaded {}, which cannot be forked".format(name))
    for reason in (*_threads(), *_tasks()):
        raise NotNow(reason)
    if _holds_a_device():
        raise NotNow("it uses a graphics card, which a fork cannot share")
    busy = busy_thread()
    if busy is not None:
        raise NotNow("a native thread is at work (" + busy + ")", passing=True)


def _threads() -> Iterator[str]:
    """Yield why the threads of Python keep it from being forked."""
    known = {thread.ident for thread in threading.enumerate()}
    for thread in threading.enumerate():
        if thread is threading.main_thread() or _is_own(thread):
            continue
        yield "its thread {!r} is running".format(str(thread.name)[:60])
    if set(sys._current_frames()) - known:
        yield "a thread of its own is running"


def _is_own(thread: threading.Thread) -> bool:
    if type(thread) is not threading.Thread:
        return _begins(type(thread).__module__, _OWN_THREADS + _IDLE_THREADS)
    target = thread.__dict__.get("_target")
    function = getattr(target, "__func__", target)
    return _begins(getattr(function, "__module__", None), _OWN_THREADS + _IDLE_THREADS)


def _begins(module: object, names: Any) -> bool:
    return type(module) is str and any(module == name or module.startswith(name + ".") for name in names)


def _tasks() -> Iterator[str]:
    """Yield why tasks of the event loop keep it from being forked: in the copy they would never go on."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return
    for task in tasks:
        code = getattr(task.get_coro(), "cr_code", None)
        parts = getattr(code, "co_filename", "").split(os.sep)
        if not any(name in parts for name in _OWN_TASKS):
            yield "a task of its event loop is running"


def _holds_a_device() -> bool:
    if any(is_of_a_device(each) for each in shared_memory()):
        return True
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + name).startswith(_DEVICES):
                return True
        except OSError:
            continue
    return False


def busy_thread() -> Optional[str]:
    """Return the name of a thread that Linux does not report as asleep, other than this one; None if all sleep."""
    me = threading.get_native_id()
    for name in os.listdir("/proc/self/task"):
        if int(name) == me:
            continue
        try:
            with open("/proc/self/task/{}/stat".format(name)) as file:
                text = file.read()
        except OSError:
            continue  # It has ended.
        head, _, rest = text.rpartition(")")
        if rest.split()[0] != _ASLEEP:
            return head.partition("(")[2]
    return None
