"""Paths of files as texts or `pathlib` paths, and what lies there: only names are looked at, nothing is opened.

Sources: the Python library reference, `os.path` and `pathlib`.
"""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any

from ... import safe

if TYPE_CHECKING:
    from ..state import State
    from ..values import Value

MAX_PATH = 1000

_KINDS: Any = (pathlib.PosixPath, pathlib.WindowsPath)


def is_path(value: object) -> bool:
    """Whether `value` is exactly one of Python's own concrete paths."""
    return safe.one_of(type(value), _KINDS)


def path_text(value: Value | None, state: State) -> str | None:
    """Return a path as a text, or None if it is none, or not known."""
    found: Any = state.live(value)
    if type(found) is str:
        return found if 0 < len(found) <= MAX_PATH and "\0" not in found else None
    copy = copied(found)
    return None if copy is None else str(copy)


def copied(found: Any) -> Any:
    """Return a path equal to one of Python's own; asked for its text, a path keeps that in itself."""
    if not is_path(found):
        return None
    for name in ("_raw_paths", "_parts"):
        if safe.in_type(type(found), name) is not safe.ABSENT:
            parts = getattr(found, name, None)
            break
    else:
        return None
    if type(parts) is not list or not parts or not all(type(each) is str and "\0" not in each for each in parts):
        return None
    return type(found)(*parts)


def folder_of(path: str) -> str:
    """Return the folder that a path lies in; the current one if the path names none."""
    return os.path.dirname(path) or "."


def state_of(path: str) -> str:
    """Return `file`, `folder`, `other`, `missing`, `no folder` (a part of it is a file), or '' if that is not known."""
    if any(type(vars(os).get(name)) is not safe.BuiltinFunctionType for name in ("stat", "scandir")):
        return ""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return "missing"
    except NotADirectoryError:
        return "no folder"
    except (OSError, ValueError):
        return ""
    kind = found.st_mode & 0o170000
    return {0o040000: "folder", 0o100000: "file"}.get(kind, "other")


def are_sure(state: State) -> bool:
    """Whether what lies on the disk now is what the cell will find."""
    return not state.files_may_change and all(doubt.kind == "raises" for doubt in state.doubts)
