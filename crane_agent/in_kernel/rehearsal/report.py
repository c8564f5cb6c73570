"""What a cell did in the copy, in words and places: the report that leaves it."""

from __future__ import annotations

import ast
import errno
import functools
import os
import re
import sys
import sysconfig
from types import FrameType, TracebackType
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .seccomp import DENIED

MOST_FRAMES = 5
MOST_TEXT = 1000
"""Length of a message [characters]."""

_LEGACY_CELL = re.compile(r"<ipython-input-(\d+)-")
TIMED = ("<timed exec>", "<timed eval>")
"""File names of what ``%%time`` times."""

# The last two: an overlay does not rename everything, and in a user namespace it copies no file of somebody else's.
_PERMISSIONS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV, errno.EOVERFLOW)
_RESOURCES = (errno.ENOMEM, errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EDQUOT)
# Of libraries that report what Linux did not give them with errors of their own.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|bad_alloc|[Uu]nable to allocate|[Cc]annot allocate|can't allocate|"
    r"failed to allocate|can't start new thread|OOM when allocating"
)
_CUDA = re.compile(r"CUDA|cuda|NVIDIA")


def of_error(error: BaseException, shell: Any, target: str) -> Dict[str, Any]:
    """Return what is known of an exception that left the target.

    Args:
        error: The exception.
        shell: IPython's shell.
        target: File name that the target was compiled with.
    """
    frames = list(_frames(error.__traceback__))
    cells = _cells(shell)
    own = [_place(each, target, cells) for each in frames if _is_users(each.file, target, cells)]
    own = _below_magic(own)
    line = next((each["line"] for each in own if each["cell"] is None and not each["file"]), None)
    if line is None and isinstance(error, SyntaxError):
        line = error.lineno
    return {
        "type": type(error).__name__,
        "message": _text_of(error) or "",
        "line": line,
        "library": _library_of(error, frames[-1].module if frames else ""),
        "frames": own[-MOST_FRAMES:],
    }


def innermost_of(error: BaseException, shell: Any, target: str) -> Optional[Tuple[TracebackType, Dict[str, Any]]]:
    """Return where in the user's own code an exception came from, and that place as `of_error` tells it."""
    cells, found = _cells(shell), None
    trace = error.__traceback__
    while trace is not None:
        if _is_users(trace.tb_frame.f_code.co_filename, target, cells):
            found = trace
        trace = trace.tb_next
    return None if found is None else (found, _place(_frame_of(found), target, cells))


def doubt_of(error: BaseException, *, forked: bool) -> str:
    """Return why an error may be made by the fence, or by the fork if there was one, in words; '' if it cannot be."""
    if _text_of(error) is None:
        return "its error cannot be put into words"
    for each in chain(error):
        number = getattr(each, "errno", None) if isinstance(each, OSError) else None
        text = _text_of(each) or ""
        if number == DENIED or os.strerror(DENIED) in text:
            return "it met the fence"
        if isinstance(each, MemoryError) or number in _RESOURCES or _OUT_OF_MEMORY.search(text):
            return "it ran out of memory or another resource, which the fence limits"
        if isinstance(each, PermissionError) or number in _PERMISSIONS or "ermission denied" in text:
            return "it was not permitted, which may be the fence's doing"
        if isinstance(each, KeyboardInterrupt):
            return "it was interrupted"
        if forked and _CUDA.search(text):
            return "it needs a graphics card, which a fork cannot use"
        if forked and isinstance(each, (BrokenPipeError, ConnectionError, TimeoutError)):
            return "a connection broke, which the copy does not have"
    return ""


def place_of(frame: Optional[FrameType], target: str) -> Tuple[Optional[int], Optional[FrameType]]:
    """Return the line of the target that a stack is at, and the frame of that line."""
    found: Tuple[Optional[int], Optional[FrameType]] = (None, None)
    while frame is not None:
        if frame.f_code.co_filename == target:
            found = (frame.f_lineno, frame)
        frame = frame.f_back
    return found


def progress_of(line: Optional[int], frame: Optional[FrameType], tree: Optional[ast.AST]) -> str:
    """Return how far the loop around a line of the target is, in words; '' if nothing tells."""
    bar = _bar()
    if bar:
        return bar
    if line is None or frame is None or tree is None:
        return ""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and _counts(node)]
    around = [loop for loop in loops if loop.lineno <= line <= getattr(loop, "end_lineno", 0)]
    words = []
    for name in (_counter_of(loop) for loop in around):
        value = frame.f_locals.get(name)
        if type(value) is int:
            words.append("{} = {}".format(name, value))
    return ", ".join(words[:3])


def _counts(loop: ast.For) -> bool:
    """Whether a loop's variable is a number that it counts, and none of the user's data."""
    call = loop.iter
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("range", "enumerate")


def _counter_of(loop: ast.For) -> str:
    target = loop.target
    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
    return first.id if isinstance(first, ast.Name) else ""


def _bar() -> str:
    """Return the progress of tqdm's innermost open bar."""
    module = sys.modules.get("tqdm.std") or sys.modules.get("tqdm")
    bars = list(getattr(getattr(module, "tqdm", None), "_instances", ()))
    for bar in bars[-1:]:
        return "{} of {} (tqdm)".format(bar.n, bar.total)
    return ""


class _Frame(NamedTuple):
    """One frame of a traceback: file, line, function and module of its code."""

    file: str
    line: int
    function: str
    module: str


def _frames(trace: Optional[TracebackType]) -> Iterator[_Frame]:
    while trace is not None:
        yield _frame_of(trace)
        trace = trace.tb_next


def _frame_of(trace: TracebackType) -> _Frame:
    code = trace.tb_frame.f_code
    module = trace.tb_frame.f_globals.get("__name__")
    return _Frame(code.co_filename, trace.tb_lineno, code.co_name, module if type(module) is str else "")


def _cells(shell: Any) -> Dict[str, int]:
    """Return the number of each cell by the file name that it was compiled with."""
    return getattr(shell.compile, "_filename_map", None) or {}


def _is_users(name: str, target: str, cells: Dict[str, int]) -> bool:
    if name == target or name in cells or name in TIMED or _LEGACY_CELL.match(name):
        return True
    if name.startswith("<") or not os.path.isabs(name):
        return False
    parts = name.split(os.sep)
    return not ("site-packages" in parts or "dist-packages" in parts or name.startswith(_library_folders()))


@functools.lru_cache(maxsize=None)
def _library_folders() -> Tuple[str, ...]:
    """Return the folders of Python's own library and of packages, each with a separator behind it."""
    folders = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(folder + os.sep for folder in folders if folder)


def _place(frame: _Frame, target: str, cells: Dict[str, int]) -> Dict[str, Any]:
    import linecache

    name = target if frame.file in TIMED else frame.file
    legacy = _LEGACY_CELL.match(name)
    number = cells.get(name, int(legacy.group(1)) if legacy else None)
    is_cell = name == target or number is not None
    # What ``%%time`` times begins behind its line.
    line = frame.line + 1 if frame.file in TIMED else frame.line
    return {
        "cell": None if name == target else number,
        "file": "" if is_cell else name,
        "line": line,
        "function": frame.function,
        "text": linecache.getline(frame.file, frame.line).strip()[:200],
    }


def _below_magic(places: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return the frames without that of the line of a cell magic: what it runs has one of its own, further down."""
    if len(places) > 1 and places[0]["text"].startswith("get_ipython().run_cell_magic("):
        return places[1:]
    return [place for place in places if place["text"] or place["file"] or place["cell"] is not None] or places


def _library_of(error: BaseException, module: str) -> str:
    if isinstance(error, SyntaxError):
        return "python"
    root = module.partition(".")[0]
    if root in ("", "__main__"):
        root = type(error).__module__.partition(".")[0]
    return "python" if root in ("builtins", "__main__") or root in getattr(sys, "stdlib_module_names", ()) else root


def _text_of(error: BaseException) -> Optional[str]:
    """Return the message of an exception; None if its class fails to make one, which is an error of its own."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a class of the user's may raise anything here
        return None
    if len(text) <= MOST_TEXT:
        return text
    # Some libraries put a trace of their own first, and what went wrong last.
    return text[: MOST_TEXT // 2] + " ... " + text[-MOST_TEXT // 2 :]


def chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    """Yield an exception and those that it came from or holds, each once; nothing for None."""
    seen = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def is_users(frame: FrameType, shell: Any, target: str) -> bool:
    """Whether a frame runs the user's code: a cell's, or of a file that is no library."""
    return _is_users(frame.f_code.co_filename, target, _cells(shell))
