"""A scratch copy of a notebook's folder, so that replayed cells read its files and change none of them."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crane_agent.errors import NotebookError

SKIPPED = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints"})
"""Folders that are not copied; so is any folder with a `pyvenv.cfg`, a virtual environment under another name."""

BLOCK_BYTES = 4096
"""Least space a file or folder is counted with [bytes]; it bounds how many there may be, too."""


class _Entry(NamedTuple):
    source: Path
    place: Path
    size: int
    is_folder: bool


def copy_folder(folder: Path, destination: Path, *, limit_bytes: int) -> None:
    """Copy the files below `folder` to the new folder `destination`.

    Symbolic links are followed, so that a write through one does not reach the original; one that leads back into
    a folder it lies in, one to nowhere, and what is no regular file (sockets, pipes, devices) are left out.

    Raises:
        NotebookError: The files take more than `limit_bytes`; nothing was copied.
    """
    entries = []
    total = 0
    for entry in _entries(folder, Path(), (destination.parent.resolve(),)):
        entries.append(entry)
        total += max(entry.size, BLOCK_BYTES)
        if total > limit_bytes:
            raise NotebookError(
                f"the folder {folder} holds more than {limit_bytes / 1e6:,.0f} MB, too much for a scratch copy: "
                "raise the limit, or let the cells run in the folder itself with --in-place"
            )
    destination.mkdir()
    for entry in entries:
        target = destination / entry.place
        if entry.is_folder:
            target.mkdir()
        else:
            _copy_file(entry.source, target)


def _entries(folder: Path, place: Path, above: tuple[Path, ...]) -> Iterator[_Entry]:
    """Yield what is below `folder`, folders before their content; `above` are the real paths not to enter again."""
    real = folder.resolve()
    for item in _listing(folder):
        source, at = folder / item, place / item
        try:
            status = source.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield _Entry(source, at, status.st_size, is_folder=False)
        elif stat.S_ISDIR(status.st_mode) and _is_wanted(source, (*above, real)):
            yield _Entry(source, at, 0, is_folder=True)
            yield from _entries(source, at, (*above, real))


def _listing(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except PermissionError:
        return []  # the kernel could not read it either


def _is_wanted(folder: Path, above: tuple[Path, ...]) -> bool:
    return folder.name not in SKIPPED and not (folder / "pyvenv.cfg").exists() and folder.resolve() not in above


def _copy_file(source: Path, target: Path) -> None:
    try:
        shutil.copy2(source, target)
    except (PermissionError, FileNotFoundError):
        target.unlink(missing_ok=True)
