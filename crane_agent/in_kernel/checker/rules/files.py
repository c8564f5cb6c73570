"""Files that are opened for reading and are not there.

Sources: the Python library reference, `open`; the pandas reference, `read_csv` (a local path is opened first).
"""

from __future__ import annotations

import builtins
import os
from typing import TYPE_CHECKING

from ... import safe
from ..sites import CallSite, Finding
from ..words import Part, named, words

if TYPE_CHECKING:
    from ..state import State

_OPEN_KEYWORDS = frozenset(["mode", "encoding", "errors", "newline"])
_READ_KEYWORDS = frozenset(["sep", "delimiter", "header", "names", "index_col", "usecols", "encoding", "parse_dates"])


def missing_file(site: CallSite, state: State) -> Finding | None:
    """A text path without a scheme that leads to no file."""
    callee = state.live(site.callee)
    if not site.complete or callee is safe.ABSENT or not site.arguments:
        return None
    if _is_open(callee):
        library, allowed = "python", _OPEN_KEYWORDS
        mode = state.live(site.arguments[1]) if len(site.arguments) > 1 else "r"
        mode = state.live(site.keywords["mode"]) if "mode" in site.keywords else mode
        if type(mode) is not str or mode not in ("r", "rb", "rt") or len(site.arguments) > 2:
            return None
        settings = [state.live(value) for name, value in site.keywords.items() if name != "mode"]
        # These are checked before the file is opened.
        if (settings and mode == "rb") or any(type(each) is not str or "\0" in each for each in settings):
            return None
        if len(site.arguments) == 2 and "mode" in site.keywords:
            return None
    elif safe.comes_from(callee, "pandas") and callee is safe.loaded("pandas", "read_csv"):
        library, allowed = "pandas", _READ_KEYWORDS
        if len(site.arguments) > 1:
            return None
    else:
        return None
    path = state.live(site.arguments[0])
    if type(path) is not str or not path or ":" in path or "\0" in path or not set(site.keywords) <= allowed:
        return None
    if library == "pandas" and (site.keywords or path.startswith(("~", "{", "[")) or path.lower().endswith(_ARCHIVES)):
        # Options are checked, and archives opened, before or instead of the file itself.
        return None
    if not _is_missing(path) or any(doubt.kind == "effects" for doubt in state.doubts):
        return None
    level = state.level(site.arguments[0])
    return Finding(
        rule="files.missing",
        type="FileNotFoundError",
        message=words("[Errno 2] No such file or directory: {!r}", Part(path, level)),
        because=words(
            "there is no file {!r} in {}",
            Part(path, level),
            named("its folder" if os.path.dirname(path) else "the kernel's folder"),
        ),
        crash_type="io error",
        library=library,
        probe=("file", {"path": path}) if state.tells(level) else None,
        asked=level,
    )


_ARCHIVES = (".gz", ".bz2", ".zip", ".xz", ".zst", ".tar")


def _is_open(callee: object) -> bool:
    """Whether it is Python's `open`, or the one that IPython puts in its place (it only guards descriptors 0 to 2)."""
    if callee is builtins.open:
        return True
    return safe.comes_from(callee, "IPython") and getattr(callee, "__name__", "") == "_modified_open"


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return False


RULES = {CallSite: [missing_file]}
