"""Files, seen from the kernel's working folder.

Only the file asked about is opened, read-only, and only its first `MAX_READ` bytes are read; of other files nothing but
names is looked at. What is no regular file (a pipe, a device, a socket, what the kernel makes up under ``/proc``) is
never opened: reading it can block, or take something away.
"""

from __future__ import annotations

import codecs
import fnmatch
import os
import re
import stat
from itertools import islice
from typing import Any, Iterator

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, VALUES, Field

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

MAX_RECORDS = 1000
"""Lines of a text table whose fields are counted."""

FIRST_RECORDS = 20
"""Lines by which its delimiter is chosen."""


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
            answer.update(_content(_head(place, found), found.st_size, place, budget))
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
        with os.scandir(folder) as found:
            return sorted((_shown(each.name), each.is_dir()) for each in islice(found, most))
    except (OSError, ValueError):
        return []


def _shown(name: str) -> str:
    """Return a file's name without the surrogates that stand for bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


# -- What is in it -----------------------------------------------------------------------------------------------------

# Sources: the formats' own specifications, as collected in the manual of `file`(1), "magic".
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"%PDF-", "pdf"),
    (b"PAR1", "parquet"),
    (b"ARROW1\x00\x00", "arrow (feather)"),
    (b"FEA1", "feather"),
    (b"ORC", "orc"),
    (b"Obj\x01", "avro"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole2 (xls, doc)"),
    (b"\x7fELF", "elf"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"MATLAB 5.0 MAT-file", "mat"),
    (b"GGUF", "gguf"),
)

_TEXT_STARTS = (
    ("version https://git-lfs.github.com/spec/", "git-lfs pointer"),
    ("<!doctype html", "html"),
    ("<html", "html"),
    ("<?xml", "xml"),
)


def _content(head: bytes, size: int, place: str, budget: safe.Budget) -> dict[str, Any]:
    """Describe a file by its first bytes."""
    if not head:
        return {"format": "empty"}
    magic = _magic(head)
    if magic is not None:
        return {"format": magic}
    encoding, text, fault = _decoded(head, whole=size <= len(head))
    if text is None:
        return {"format": "text" if encoding else "binary", "encoding": "not UTF-8", "invalid_at": fault}
    found: dict[str, Any] = {"format": "text", "encoding": encoding, "looked_at": len(head)}
    start = text.lstrip()[:60].lower()
    special = next((kind for begin, kind in _TEXT_STARTS if start.startswith(begin)), None)
    if special is not None or start[:1] in ("{", "["):
        found["format"] = special or "text that starts like json"
        return found
    found.update(_table(text, whole=size <= len(head), place=place, budget=budget))
    return found


def _magic(head: bytes) -> str | None:
    if not head.startswith(b"%PDF-") and head.isascii() and not _CONTROL.search(head):
        return None  # a text may well start with "ORC" or "ID3"
    for begin, kind in _MAGIC:
        if head.startswith(begin):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(head)
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"WEBP", b"AVI "):
        return head[8:12].decode("ascii").strip().lower()
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[257:262] == b"ustar":
        return "tar"
    # Source: CPython's `pickletools`: protocol 2 and later start with PROTO; 4 and later may go on with FRAME.
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and head[2:3] in _OPCODES:
        return "pickle"
    return None


_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_OPCODES = [bytes([each]) for each in b"\x95}])(cXUKMJNGqC\x88\x89\x8a\x8c"]


def _zip_kind(head: bytes) -> str:
    """Return what a zip archive is, by the names of its first members."""
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        for inside, kind in ((b"xl/", "xlsx"), (b"word/", "docx"), (b"ppt/", "pptx")):
            if inside in head:
                return kind
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if name.endswith(b".npy"):
        return "npz"
    if name.endswith(b"/data.pkl") or b"/data.pkl" in head[:2000]:
        return "zip (torch.save)"
    if b"model.weights.h5" in head:
        return "zip (keras)"
    return "zip"


def _decoded(head: bytes, *, whole: bool) -> tuple[str, str | None, int]:
    """Return encoding and text of what a file starts with, or where it stops being text.

    Args:
        head: The first bytes.
        whole: They are the whole file; else the last character may be cut.
    """
    marked = [name for mark, name in _MARKS if head.startswith(mark)]
    encoding = marked[0] if marked else "ascii" if head.isascii() else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(head, final=whole)
    except UnicodeDecodeError as error:
        return ("" if _CONTROL.search(head) else "text"), None, error.start
    if "\0" in text:
        return "", None, text.index("\0")
    return encoding, text, 0


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


# -- Text tables -------------------------------------------------------------------------------------------------------

_DELIMITERS = (",", "\t", ";", "|")


def _table(text: str, *, whole: bool, place: str, budget: safe.Budget) -> dict[str, Any]:
    """Return delimiter, columns and fields per line of a text that may be a table; nothing if it is none."""
    best: tuple[int, str] | None = None
    for delimiter in _DELIMITERS:
        records = _records(text, delimiter, whole=whole, most=FIRST_RECORDS)
        if not records or len(records[0]) < 2:
            continue
        alike = sum(len(record) == len(records[0]) for record in records)
        if alike * 2 > len(records) and (best is None or alike * len(records[0]) > best[0]):
            best = alike * len(records[0]), delimiter
    if best is None:
        return {}
    delimiter = best[1]
    budget.check()
    records = _records(text, delimiter, whole=whole)
    header = records[0]
    found: dict[str, Any] = {"delimiter": delimiter, "fields_per_line": _widths(records)}
    if _is_header(records):
        found["header"] = [each[:100] for each in header[: budget.items]]
        found["truncated"] = len(header) > budget.items
    else:
        # The first line may be data.
        found["first_line"] = [each[:100] for each in header[: budget.items]]
    return found


def _records(text: str, delimiter: str, *, whole: bool, most: int = MAX_RECORDS) -> list[list[str]]:
    """Split a text into records, as `csv.reader` does; blank lines left out, and a last one that may be cut."""
    records: list[list[str]] = []
    piece = _PIECES[delimiter]
    place, record = 0, []
    while place < len(text) and len(records) < most:
        found = piece.match(text, place)
        if found is None:
            break
        quoted, rest = found.group(1), found.group(2)
        record.append(rest if quoted is None else quoted.replace('""', '"') + rest)
        place = found.end()
        if found.group(3) != delimiter:
            if found.group(3) or whole:
                records.append(record)
            record = []
    else:
        if record and whole and place >= len(text) and len(records) < most:
            records.append([*record, ""])
    return [each for each in records if each != [""]]


# A field, quoted or not, and what ends it.
_PIECES = {
    each: re.compile(r'(?:"((?:[^"]|"")*)")?([^{0}\r\n]*)({0}|\r\n|\r|\n|\Z)'.format(re.escape(each)))
    for each in _DELIMITERS
}


def _widths(records: list[list[str]]) -> list[list[int]]:
    """Return ``[fields, records, first such record]``, most frequent first."""
    counts: dict[int, list[int]] = {}
    for number, record in enumerate(records, 1):
        counts.setdefault(len(record), [0, number])[0] += 1
    found = [[width, count, first] for width, (count, first) in counts.items()]
    return sorted(found, key=lambda each: (-each[1], each))[:10]


def _is_header(records: list[list[str]]) -> bool:
    """Whether the first line names the columns: it holds no number, and some column below it holds only numbers."""
    header, rows = records[0], [each for each in records[1:] if len(each) == len(records[0])]
    if not rows or len(set(header)) < len(header) or any(_NUMBER.match(each) for each in header):
        return False
    columns = [[row[place] for row in rows[:50] if row[place].strip()] for place in range(len(header))]
    return any(column and all(map(_NUMBER.match, column)) for column in columns)


_NUMBER = re.compile(r"\s*[-+]?[0-9.][0-9.,:/ T-]*(?:[eE][-+]?[0-9]+)?%?\s*\Z")


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
        left = MAX_WALKED - self.seen
        try:
            with os.scandir(folder or ".") as found:
                entries = [(each.name, kinds and each.is_dir()) for each in islice(found, max(0, left))]
                if next(found, None) is not None:
                    self.cut = "only the first {} entries were looked at".format(MAX_WALKED)
        except (OSError, ValueError):
            return []
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
