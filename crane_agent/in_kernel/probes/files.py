"""Files, seen from the kernel's working folder."""

from __future__ import annotations

import os
import stat
from typing import Any

from .. import safe


def file(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say whether a file or folder exists, and its size; what is in it is not read."""
    try:
        found = os.stat(os.path.expanduser(path))
    except FileNotFoundError:
        return {"file": path, "exists": False, "folder_exists": _folder_exists(path)}
    except (OSError, ValueError) as error:
        raise safe.Refused("could not look, because of {}".format(type(error).__name__)) from None
    kind = "folder" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "other"
    return {"file": path, "exists": True, "kind": kind, "bytes": found.st_size}


def _folder_exists(path: str) -> bool:
    return os.path.isdir(os.path.dirname(os.path.expanduser(path)) or ".")
