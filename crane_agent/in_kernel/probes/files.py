"""Files, seen from the kernel's working folder."""

from __future__ import annotations

import os
import stat
from typing import Any

from .. import safe
from ..privacy import NAMES, SCHEMA, Field


def file(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say whether a file or folder exists, and its size; what is in it is not read."""
    place = _expanded(path)
    try:
        found = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return {"file": path, "exists": False, "folder_exists": _folder_exists(place)}
    except (OSError, ValueError) as error:
        raise safe.Refused("could not look, because of {}".format(type(error).__name__)) from None
    kind = "folder" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "other"
    return {"file": path, "exists": True, "kind": kind, "bytes": found.st_size}


def _expanded(path: object) -> str:
    """Return a path with ``~`` replaced, as pandas does; `os.path.expanduser` may import a module.

    Raises:
        Refused: It is no path of a file here.
    """
    if type(path) is not str or "://" in path:
        raise safe.Refused("could not look, because this is no path of a file")
    home = os.environ.get("HOME")
    if not (path == "~" or path.startswith("~/")) or home is None:
        return path
    return home + path[1:]


def _folder_exists(path: str) -> bool:
    return os.path.isdir(os.path.dirname(path) or ".")


FIELDS = {
    "file": Field(NAMES, "the file asked about"),
    "exists": Field(NAMES, "whether a file exists"),
    "folder_exists": Field(NAMES, "whether its folder exists"),
    "bytes": Field(SCHEMA, "size of a file [bytes]"),
}
PROBES = {"file": file}
