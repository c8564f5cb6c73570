"""Files: paths, what lies on the disk, and small text tables.

Names on the disk are looked at, as long as nothing ran that may have changed them. A text table is read as far as the
`file` probe reads it; then pandas itself is asked about the text.

Sources: the Python library reference, `os`, `os.path`, `pathlib`, `glob`; the pandas reference, `read_csv`.
"""

from __future__ import annotations

import ast
import codecs
import io
import os
import pathlib
import re
import sys
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES
from ...probes import files
from ...readers import folders
from ..rules.files import is_open, open_mode
from ..sites import AttributeSite, CallSite, Finding, OperatorSite, ValueSite
from ..values import LABELS, Foreign, Known, Like, Made, Value
from . import running
from .paths import MAX_PATH, are_sure, copied, is_path, path_text, state_of

if TYPE_CHECKING:
    from ..state import State

LIBRARY = ""

MAX_LISTED = 2000
"""Entries of a folder that are listed."""

# What may write, move or delete files, by the names that libraries give to it.
_MAY_CHANGE_FILES = re.compile(
    r"to_(?!numpy|list|dict|frame|datetime|numeric|timedelta|period|series|device|categorical|dense|array|tensor|string)"
    r"\w+|save\w*|\w*_save|write\w*|dump\w*|export\w*|download\w*|mkdir|makedirs|mkdtemp|mkstemp|copy\w*|move|unlink"
    r"|extract\w*|open|remove\w*|rename\w*|replace|rm\w*|touch|urlretrieve|retrieve|get_file|system|run|Popen|call"
    r"|check_call|check_output|load_\w+|fetch_\w+|imwrite|imsave|tofile|tf?recordwriter|chdir|fit\w*|train\w*|unpack"
    r"|make_archive|unpack_archive|symlink\w*|link\w*|clone\w*|from_pretrained|pull|push|sync",
    re.IGNORECASE,
)


def watch(site: CallSite, state: State) -> None:
    """Note, before anybody else answers, that a call may change what lies on the disk, or where the cell is."""
    name = site.method
    if not name and isinstance(site.node.func, ast.Name):
        name = site.node.func.id
    if not state.files_may_change and _MAY_CHANGE_FILES.fullmatch(name) and not _only_reads(name, site, state):
        # Only behind this call: whether its own file is there is asked before.
        state.files_may_change = True


def _only_reads(name: str, site: CallSite, state: State) -> bool:
    """Whether a call with such a name certainly leaves the files alone."""
    callee = state.live(site.callee)
    if is_open(callee):
        return open_mode(site, state) in ("r", "rb", "rt")
    owner = state.live(site.owner)
    of_data = type(site.owner) is Known or type(site.owner) is Like
    kind = type(site.owner.object) if of_data else type(None)  # type: ignore[union-attr]
    if of_data and not name.startswith(("to_", "tofile", "dump", "save")):
        data = safe.class_module(kind).partition(".")[0] in ("numpy", "pandas", "torch")
        if data or safe.one_of(kind, (str, bytes, *safe.CONTAINERS)):
            return True
    if name == "open" and any(callee is safe.loaded(module, "open") for module in ("PIL.Image", "webbrowser")):
        return True
    if callee is safe.loaded("os", "chdir"):
        return False
    return name == "remove" and type(owner) is list


# -- paths -----------------------------------------------------------------------------------------------------------

_PURE = "join basename dirname splitext split normpath isabs commonprefix".split()
_LOOKS = {"exists": ("file", "folder", "other"), "isfile": ("file",), "isdir": ("folder",)}


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow functions that make paths, look at files, or read them."""
    answer = _call(site, state) if site.complete else None
    watch(site, state)
    return answer


def _call(site: CallSite, state: State) -> Value | Finding | None:
    callee: Any = state.live(site.callee)
    if is_open(callee):
        return _open(site, state)
    if safe.one_of(type(callee), (type,)):
        return _path(site, state) if callee is pathlib.Path else None
    if type(callee) is types.MethodType and is_path(callee.__self__):
        return _method_of_path(site, callee, state)
    if not safe.one_of(type(callee), (types.FunctionType, safe.BuiltinFunctionType)):
        return None
    name = callee.__name__
    if name in _PURE and callee is vars(os.path).get(name):
        return _pure(callee, site, state)
    if name in _LOOKS and callee is vars(os.path).get(name):
        return _looks(name, site, state)
    if callee is os.getcwd and not site.arguments and not site.keywords:
        return Known(os.getcwd()) if are_sure(state) else None
    if callee is os.listdir:
        return _listed(site, state)
    if callee is safe.loaded("glob", "glob"):
        return _globbed(site, state)
    if callee is safe.loaded("cv2", "imread"):
        return _imread(site, state)
    if callee is safe.loaded("pandas", "read_csv") and safe.comes_from(callee, "pandas"):
        return _read_csv(site, state)
    if any(callee is getattr(os, each) for each in ("makedirs", "mkdir", "remove", "chdir", "rename")):
        state.may_raise(site.node, "os.{}() may raise".format(name))
        state.files_may_change = True
        return Known(None)
    return None


def _texts(site: CallSite, state: State) -> list[Any] | None:
    """Return the positional arguments as texts; None if one is not known to be one."""
    if site.keywords or not site.arguments:
        return None
    found = [state.live(each) for each in site.arguments]
    return found if all(type(each) is str and len(each) <= MAX_PATH for each in found) else None


def _pure(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    found = _texts(site, state)
    if found is None:
        parts = [state.plain(each) for each in site.arguments]
        if site.keywords or safe.ABSENT in parts or not parts or any(type(each) is list for each in parts):
            return None
        found = parts
    arguments = found
    level = state.level(*site.arguments)
    return running.content(lambda: callee(*arguments), "python", level, result=lambda each: Known(each, level=level))


def _looks(name: str, site: CallSite, state: State) -> Value | None:
    path = path_text(site.arguments[0], state) if len(site.arguments) == 1 and not site.keywords else None
    if path is None:
        return Made("bool") if len(site.arguments) == 1 and type(site.arguments[0]) is Made else None
    there = state_of(path) if are_sure(state) else ""
    return Known(there in _LOOKS[name]) if there else Made("bool")


def _listed(site: CallSite, state: State) -> Value | None:
    """``os.listdir(folder)``: the order is that in which the system gives them."""
    path = path_text(site.arguments[0], state) if site.arguments else "."
    if path is None or len(site.arguments) > 1 or site.keywords or not are_sure(state) or state_of(path) != "folder":
        return None
    found = _entries(path)
    return None if found is None else Known(found)


def _entries(folder: str) -> list[str] | None:
    try:
        entries, more = folders.entries(folder, MAX_LISTED)
    except (OSError, ValueError):
        return None
    return None if more else [name for name, _ in entries]


def _globbed(site: CallSite, state: State) -> Value | None:
    """``glob.glob(pattern)`` whose last part alone is a pattern."""
    pattern = path_text(site.arguments[0], state) if len(site.arguments) == 1 else None
    if pattern is None or site.keywords or not are_sure(state):
        return None
    folder, name = os.path.split(pattern)
    magic = safe.loaded("glob", "has_magic")
    match: Any = safe.loaded("fnmatch", "translate")
    if magic is None or match is None or any(each in folder for each in "*?[") or "**" in name or not name:
        return None
    if not any(each in name for each in "*?["):
        there = state_of(pattern)
        return Known([pattern] if there in ("file", "folder", "other") else []) if there else None
    there = state_of(folder or ".")
    if there != "folder":
        return Known([]) if there else None
    entries = _entries(folder or ".")
    if entries is None:
        return None
    wanted = re.compile(match(os.path.normcase(name)))
    found = [each for each in entries if wanted.match(os.path.normcase(each))]
    found = [each for each in found if name.startswith(".") or not each.startswith(".")]
    return Known([os.path.join(folder, each) if folder else each for each in found])


def _imread(site: CallSite, state: State) -> Value | None:
    """``cv2.imread(path)``, which returns None where there is no file. Source: the OpenCV manual, `imread`."""
    path = path_text(site.arguments[0], state) if site.arguments else None
    if path is None or type(state.live(site.arguments[0])) is not str or site.keywords or not are_sure(state):
        return None
    if any(type(state.live(each)) is not int for each in site.arguments[1:]):
        return None
    return Known(None, level=NAMES) if state_of(path) in ("missing", "folder", "no folder") else None


# -- pathlib ---------------------------------------------------------------------------------------------------------


def _path(site: CallSite, state: State) -> Value | Finding | None:
    parts = [_part(each, state) for each in site.arguments]
    if site.keywords or safe.ABSENT in parts or os.name != "posix":
        return None
    return Known(pathlib.PosixPath(*parts), level=state.level(*site.arguments))


def _part(value: Value, state: State) -> Any:
    found: Any = state.live(value)
    if type(found) is str and len(found) <= MAX_PATH:
        return found
    copy = copied(found)
    return safe.ABSENT if copy is None else copy


def operator(site: OperatorSite, state: State) -> Value | Finding | None:
    """``path / part``."""
    if not isinstance(site.op, ast.Div) or site.in_place:
        return None
    left, right = _part(site.left, state), _part(site.right, state)
    if left is safe.ABSENT or right is safe.ABSENT or not (is_path(left) or is_path(right)):
        return None
    return Known(left / right, level=state.level(site.left, site.right))


_OF_PATHS = frozenset("name stem suffix parent".split())


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read ``path.name`` and its like."""
    copy = copied(state.live(site.owner))
    if copy is None or site.name not in _OF_PATHS:
        return None
    return Known(getattr(copy, site.name), level=state.level(site.owner))


_PURE_OF_PATHS = frozenset("joinpath with_suffix with_name as_posix is_absolute".split())


def _method_of_path(site: CallSite, method: Any, state: State) -> Value | Finding | None:
    name = method.__func__.__name__ if type(method.__func__) is types.FunctionType else ""
    copy = copied(state.live(site.owner)) if site.owner is not None else None
    if copy is None or site.keywords or not name:
        return None
    if name in ("exists", "is_file", "is_dir") and not site.arguments:
        there = state_of(str(copy)) if are_sure(state) else ""
        return Known(there in _LOOKS[name.replace("is_", "is")]) if there else Made("bool")
    if name in _PURE_OF_PATHS:
        parts = [_part(each, state) for each in site.arguments]
        if safe.ABSENT in parts:
            return None
        level = state.level(site.owner, *site.arguments)
        return running.content(lambda: getattr(copy, name)(*parts), "python", level)
    return None


def format_path(site: ValueSite, state: State) -> Value | None:
    """Format a path as a text."""
    copy = copied(state.live(site.value))
    return Known(str(copy), level=state.level(site.value)) if copy is not None and site.text == "" else None


# -- reading ---------------------------------------------------------------------------------------------------------


def _open(site: CallSite, state: State) -> Value | None:
    """``open(path, mode)`` of a file that is there, or that is made."""
    mode = open_mode(site, state)
    path = path_text(site.arguments[0], state) if site.arguments else None
    there = state_of(path) if path is not None and are_sure(state) else ""
    plain = mode in ("r", "rt", "rb") and set(site.keywords) <= {"mode"}
    if not (plain and there == "file" and path is not None and os.access(path, os.R_OK)):
        state.may_raise(site.node, "open() may raise")
    if mode[:1] != "r" or "+" in mode:
        state.files_may_change = True
    return Made("file", mode=mode, package="io")


def enter(site: ValueSite, state: State) -> Value | None:
    """``with open(...) as file``."""
    return site.value if type(site.value) is Made and site.value.kind == "file" else None


_PARSED = frozenset("sep delimiter header names index_col usecols skiprows encoding nrows".split())
_CONVERTED = frozenset("parse_dates dtype na_values low_memory thousands decimal engine".split())
_LOADED_ENCODINGS = ("utf-8", "utf8", "latin-1", "latin1", "iso-8859-1", "cp1252", "ascii")


def _read_csv(site: CallSite, state: State) -> Value | Finding | None:
    """``pandas.read_csv`` of a file that is there: pandas is asked about the text that it begins with."""
    path = path_text(site.arguments[0], state) if len(site.arguments) == 1 else None
    if path is None or not are_sure(state) or ":" in path or path.startswith("~") or state_of(path) != "file":
        return _some_frame(site, state)
    if not set(site.keywords) <= _PARSED | _CONVERTED or os.path.splitext(path)[1].lower() in _PACKED:
        return _some_frame(site, state)
    options: dict[str, Any] = {name: state.plain(value) for name, value in site.keywords.items()}
    parsing = {name: option for name, option in options.items() if name in _PARSED}
    if safe.ABSENT in parsing.values() or not _is_loaded_encoding(parsing.get("encoding")):
        return _some_frame(site, state)
    try:
        head = files._head(path, os.stat(path))
        whole = os.stat(path).st_size <= len(head)
    except (safe.Refused, OSError):
        return _some_frame(site, state)
    level = state.level(site.arguments[0])
    if whole and set(options) <= _PARSED:
        return _parsed(head, parsing, level)
    return _columns_of(site, head if whole else head[: head.rfind(b"\n") + 1], parsing, options, level, state)


_PACKED = (".gz", ".bz2", ".zip", ".xz", ".zst", ".tar", ".tgz")


def _some_frame(site: CallSite, state: State) -> Value:
    state.may_raise(site.node, "read_csv() may raise")
    return Foreign("pandas")


def _is_loaded_encoding(name: object) -> bool:
    """Whether a codec is one that need not be imported."""
    if name is None:
        return True
    known = type(name) is str and name.lower() in _LOADED_ENCODINGS
    module = {"iso-8859-1": "iso8859_1", "utf8": "utf_8"}.get(str(name).lower(), str(name).lower().replace("-", "_"))
    return known and ("encodings." + module in sys.modules or module in ("utf_8", "ascii"))


class _Text(codecs.StreamReader):
    """A text in memory as pandas takes it: of what is no text for certain, it imports modules to find out."""

    def __init__(self, data: bytes, encoding: object) -> None:
        name = encoding if type(encoding) is str else "utf-8"
        self._text: Any = io.TextIOWrapper(io.BytesIO(data), encoding=name, newline="")
        stream: Any = self._text
        super().__init__(stream)

    def read(self, size: int = -1, chars: int = -1, firstline: bool = False) -> str:
        """Read as the text itself does."""
        return str(self._text.read(size))

    def readline(self, size: int | None = None, keepends: bool = True) -> str:
        """Read as the text itself does."""
        return str(self._text.readline())

    def __iter__(self) -> Any:
        return iter(self._text)


def _parsed(data: bytes, options: dict[str, Any], level: str) -> Value | Finding | None:
    read: Any = safe.loaded("pandas", "read_csv")
    del level
    return running.content(lambda: read(_Text(data, options.get("encoding")), **options), "pandas")


def _columns_of(
    site: CallSite, data: bytes, parsing: dict[str, Any], options: dict[str, Any], level: str, state: State
) -> Value | Finding | None:
    """Return a frame of which the labels of the columns are known."""
    read: Any = safe.loaded("pandas", "read_csv")
    names = options.get("parse_dates")
    if type(names) is list and all(type(each) is str for each in names):
        # Whether these columns are there is looked at first.
        parsing = dict(parsing, parse_dates=names)
    rows = dict(parsing, nrows=0)
    answer = running.structure(
        lambda: read(_Text(data, rows.get("encoding")), **rows), "pandas", (ValueError,), knows=frozenset([LABELS])
    )
    if isinstance(answer, Finding):
        return answer if data.isascii() else _some_frame(site, state)
    if type(answer) is not Like:
        return _some_frame(site, state)
    state.may_raise(site.node, "read_csv() may raise")
    return answer


HANDLERS = {
    "call": [call],
    "operator": [operator],
    "attribute": [attribute],
    "format": [format_path],
    "enter": [enter],
}
