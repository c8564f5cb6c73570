"""Files, seen from the kernel's working folder.

Only the file asked about is opened, read-only, and only its first `MAX_READ` bytes are read; of other files nothing but
names is looked at. What is no regular file (a pipe, a device, a socket, what the kernel makes up under ``/proc``) is
never opened: reading it can block, or take something away.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from typing import Any, Iterator

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import file_formats, folders

MAX_READ = 65536
"""What is read of a file at the most [bytes]."""

MAX_LISTED = 5000
"""Entries of a folder among which one that was misspelt is looked for."""

MAX_SUBFOLDERS = 200
"""Folders below the one asked about in which a missing file is looked for."""

MAX_WALKED = 20000
"""Entries that a glob looks at."""

MAX_SIZED = 2000
"""Files whose sizes are added up; of more the sum is not told."""


def file(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say whether a file exists, its size, format by its first bytes, encoding, and the columns of a text table."""
    place = _expanded(path)
    try:
        found = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        exists = os.path.isdir(os.path.dirname(place) or ".")
        return {"file": path, "exists": False, "folder_exists": exists, "close": _close_files(place, budget)}
    except (OSError, ValueError) as error:
        raise safe.Refused("could not look, because of {}".format(type(error).__name__)) from None
    kind = "folder" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "other"
    answer: dict[str, Any] = {"file": path, "exists": True, "kind": kind, "readable": os.access(place, os.R_OK)}
    if kind == "file":
        answer["bytes"] = found.st_size
        if answer["readable"] and not _is_made_up(found):
            answer.update(file_formats.facts(_head(place, found), found.st_size, budget))
    return answer


def _expanded(path: object) -> str:
    """Return a path with ``~`` replaced, as pandas does; `os.path.expanduser` may import a module.

    Raises:
        Refused: It is no path of a file here, or somebody replaced the functions that look at files.
    """
    if type(path) is not str or "://" in path:
        raise safe.Refused("could not look, because this is no path of a file")
    functions = [vars(os).get(name) for name in ("stat", "open", "read", "close", "fstat", "access", "scandir")]
    if not all(type(each) is safe.BuiltinFunctionType for each in functions):
        raise safe.Refused("could not look, because the functions of os are replaced")
    if not (path == "~" or path.startswith("~/")) or not safe.is_exactly(os.environ, "os", "_Environ"):
        return path
    home = os.environ.get("HOME")
    return path if home is None else home + path[1:]


def _is_made_up(found: os.stat_result) -> bool:
    """Whether a file lies in a file system whose contents are made when they are read."""
    for root in ("/proc", "/sys"):
        try:
            if found.st_dev == os.stat(root).st_dev != os.stat("/").st_dev:
                return True
        except OSError:
            continue
    return False


def _head(place: str, expected: os.stat_result) -> bytes:
    """Return the first bytes of a regular file; its time of last access stays where the system lets us.

    Raises:
        Refused: It cannot be opened, or is another one by now.
    """
    # Absent on some systems: O_NONBLOCK never waits, O_NOATIME leaves the time, O_NOCTTY takes no terminal.
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"):
        flags |= getattr(os, name, 0)
    try:
        try:
            opened = os.open(place, flags | getattr(os, "O_NOATIME", 0))
        except PermissionError:  # the time is the owner's to keep
            opened = os.open(place, flags)
        try:
            now = os.fstat(opened)
            if not stat.S_ISREG(now.st_mode) or (now.st_dev, now.st_ino) != (expected.st_dev, expected.st_ino):
                raise safe.Refused("could not look, because the file is being replaced")
            return os.read(opened, MAX_READ)
        finally:
            os.close(opened)
    except OSError as error:
        raise safe.Refused("could not look, because of {}".format(type(error).__name__)) from None


# -- A file that is not there ------------------------------------------------------------------------------------------


def _close_files(place: str, budget: safe.Budget) -> list[str]:
    """Return paths like a missing one: its first missing part misspelt, or the file one folder further down."""
    folder, missing, rest = _first_missing(place)
    entries = _listed(folder or ".", MAX_LISTED)
    close = [os.path.join(folder, each) for each in close_to(missing, [name for name, _ in entries])]
    if rest:
        return [os.path.join(each, rest) for each in close if os.path.exists(os.path.join(each, rest))] or close
    below = [name for name, is_folder in entries if is_folder and not name.startswith(".")][:MAX_SUBFOLDERS]
    for name in below:
        budget.check()
        if len(close) < 5 and os.path.isfile(os.path.join(folder, name, missing)):
            close.append(os.path.join(folder, name, missing))
    return close


def _first_missing(place: str) -> tuple[str, str, str]:
    """Return the longest folder that exists, the part that is missing in it, and what comes behind that."""
    folder, missing = os.path.split(place.rstrip("/") or place)
    rest = ""
    while folder and missing and not os.path.isdir(folder):
        rest = os.path.join(missing, rest) if rest else missing
        folder, missing = os.path.split(folder)
    return folder, missing, rest


def _listed(folder: str, most: int) -> list[tuple[str, bool]]:
    """Return the entries of a folder, sorted, each with whether it is a folder; nothing if it cannot be read."""
    try:
        entries, _ = folders.entries(folder, most)
    except (OSError, ValueError):
        return []
    return sorted((_shown(name), is_folder) for name, is_folder in entries)


def _shown(name: str) -> str:
    """Return a file's name without the surrogates that stand for bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


# -- Globs -------------------------------------------------------------------------------------------------------------


def glob(shell: Any, budget: safe.Budget, pattern: str, recursive: bool = False) -> dict[str, Any]:
    """Count the files and folders that a pattern matches, as `glob.glob` would find them, and name the first."""
    place = _expanded(pattern)
    walk = _Walk(budget, recursive=recursive is True)
    matched = sorted(walk.matches(place))
    found = {
        "pattern": pattern,
        "count": len(matched),
        "matches": [_shown(each) for each in matched[: budget.items]],
        "truncated": len(matched) > budget.items,
        "looked_at": walk.seen,
    }
    if len(matched) <= MAX_SIZED:
        found["bytes"] = sum(map(_size, matched))
    if walk.cut:
        found["unknown"] = "more files, because {}".format(walk.cut)
    if not matched:
        found["folder_exists"] = os.path.isdir(_plain_folder(place) or ".")
    return found


class _Walk:
    """Matches a pattern folder by folder. Source: the Python library reference, `glob`.

    Attributes:
        seen: Entries looked at.
        cut: Why there may be more; '' if there are not.
    """

    def __init__(self, budget: safe.Budget, *, recursive: bool) -> None:
        self.seen = 0
        self.cut = ""
        self._budget = budget
        self._recursive = recursive

    def matches(self, pattern: str) -> set[str]:
        """Return the paths, spelt as the pattern spells their folders."""
        if not pattern:
            return set()
        root = "/" if pattern.startswith("/") else ""
        parts = [part for part in pattern.split("/") if part]
        folders_only = pattern.endswith("/")
        found = {root}
        for place, part in enumerate(parts):
            last = place == len(parts) - 1 and not folders_only
            found = {path for folder in sorted(found) for path in self._step(folder, part, last=last)}
        if folders_only:
            return {os.path.join(each, "") for each in found if os.path.isdir(each)}
        return found - {""}

    def _step(self, folder: str, part: str, *, last: bool) -> Iterator[str]:
        self._budget.check()
        if part == "**" and self._recursive:
            yield from self._below(folder, last=last)
        elif not _MAGIC_SIGNS.search(part):
            if os.path.lexists(os.path.join(folder, part)) and (last or os.path.isdir(os.path.join(folder, part))):
                yield os.path.join(folder, part)
        else:
            fits = re.compile(fnmatch.translate(os.path.normcase(part))).match
            start = os.path.join(folder, "")
            for name, is_folder in self._entries(folder, kinds=not last):
                hidden = name.startswith(".") and not part.startswith(".")
                if not hidden and (last or is_folder) and fits(os.path.normcase(name)):
                    yield start + name

    def _below(self, folder: str, *, last: bool) -> Iterator[str]:
        """Yield a folder and all below it; the files, too, if nothing comes behind ``**``."""
        waiting: list[tuple[str, tuple[tuple[int, int], ...]]] = [(folder, ())]
        while waiting:
            path, above = waiting.pop()
            yield os.path.join(path, "") if last and not above else path
            try:
                state = os.stat(path or ".")
            except OSError:
                continue
            here = (state.st_dev, state.st_ino)
            if here in above:
                self.cut = "a link leads in a circle"
                continue
            for name, is_folder in self._entries(path, kinds=True):
                if name.startswith("."):
                    continue
                if is_folder:
                    waiting.append((os.path.join(path, name), (*above, here)))
                elif last:
                    yield os.path.join(path, name)

    def _entries(self, folder: str, *, kinds: bool) -> list[tuple[str, bool]]:
        """Return the entries of a folder, each with whether it is a folder, if that is asked for."""
        self._budget.check()
        try:
            entries, more = folders.entries(folder or ".", max(0, MAX_WALKED - self.seen), kinds=kinds)
        except (OSError, ValueError):
            return []
        if more:
            self.cut = "only the first {} entries were looked at".format(MAX_WALKED)
        self.seen += len(entries)
        return entries


def _size(path: str) -> int:
    """Return the size of a file [bytes]; 0 for anything else."""
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


_MAGIC_SIGNS = re.compile(r"[*?\[]")


def _plain_folder(pattern: str) -> str:
    """Return the folder that a pattern starts in, as far as it is spelt out."""
    parts = pattern.split("/")
    plain = []
    for part in parts[:-1]:
        if _MAGIC_SIGNS.search(part):
            break
        plain.append(part)
    return "/".join(plain) or ("/" if pattern.startswith("/") else "")


FIELDS = {
    "file": Field(NAMES, "the file asked about"),
    "exists": Field(NAMES, "whether a file exists"),
    "folder_exists": Field(NAMES, "whether its folder exists"),
    "readable": Field(NAMES, "whether the kernel may read a file"),
    "bytes": Field(SCHEMA, "size of a file, or of all files together [bytes]"),
    "format": Field(SCHEMA, "format of a file by its first bytes"),
    "encoding": Field(SCHEMA, "encoding of what was looked at of a text file"),
    "invalid_at": Field(SCHEMA, "place of the first byte that is not of that encoding, counted from 0"),
    "delimiter": Field(SCHEMA, "what separates the fields of a text table"),
    "header": Field(SCHEMA, "column names in the first line of a text table"),
    "first_line": Field(VALUES, "first line of a text table whose columns may have no names"),
    "fields_per_line": Field(SCHEMA, "[number of fields, how many lines have it, the first such line]"),
    "pattern": Field(NAMES, "the pattern asked about"),
    "matches": Field(SCHEMA, "names of files that a pattern matches"),
}
PROBES = {"file": file, "glob": glob}
