"""What lies in a folder: names, and which of them are folders; no entry is opened."""

from __future__ import annotations

import os
from itertools import islice


def entries(folder: str, most: int, *, kinds: bool = True) -> tuple[list[tuple[str, bool]], bool]:
    """Return the first entries of a folder, in the system's order, and whether there are more.

    Args:
        folder: Its path.
        most: Entries returned.
        kinds: Whether each is told to be a folder; else all are said to be none.

    Raises:
        OSError: It cannot be listed.
        ValueError: Its path is none.
    """
    with os.scandir(folder) as found:
        listed = [(each.name, kinds and each.is_dir()) for each in islice(found, most)]
        return listed, next(found, None) is not None
