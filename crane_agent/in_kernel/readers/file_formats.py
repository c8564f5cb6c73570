"""What a file is, told by its first bytes: its format, the encoding of a text, the columns of a text table."""

from __future__ import annotations

import codecs
import re
from typing import Any

from .. import safe

MAX_RECORDS = 1000
"""Lines of a text table whose fields are counted."""

FIRST_RECORDS = 20
"""Lines by which its delimiter is chosen."""

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


def facts(head: bytes, size: int, budget: safe.Budget) -> dict[str, Any]:
    """Describe a file by its first bytes.

    Args:
        head: The first bytes.
        size: Of the file [bytes].
        budget: What it may cost.
    """
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
    found.update(_table(text, whole=size <= len(head), budget=budget))
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
    unmarked = (b"", "ascii" if head.isascii() else "utf-8", codecs.utf_8_decode)
    mark, encoding, decode = next((each for each in _MARKS if head.startswith(each[0])), unmarked)
    try:
        text, _ = decode(head[len(mark) :], "strict", whole)
    except UnicodeDecodeError as error:
        return ("" if _CONTROL.search(head) else "text"), None, len(mark) + error.start
    if "\0" in text:
        return "", None, text.index("\0")
    return encoding, text, 0


# The functions in C: a codec found by its name is a module of `encodings`, which would have to be imported.
_MARKS: tuple[tuple[bytes, str, Any], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig", codecs.utf_8_decode),
    (codecs.BOM_UTF32_LE, "utf-32", codecs.utf_32_le_decode),
    (codecs.BOM_UTF32_BE, "utf-32", codecs.utf_32_be_decode),
    (codecs.BOM_UTF16_LE, "utf-16", codecs.utf_16_le_decode),
    (codecs.BOM_UTF16_BE, "utf-16", codecs.utf_16_be_decode),
)


# -- Text tables -------------------------------------------------------------------------------------------------------

_DELIMITERS = (",", "\t", ";", "|")


def _table(text: str, *, whole: bool, budget: safe.Budget) -> dict[str, Any]:
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
