"""Files that are read and are not there, and folders that are written to and are not there.

Sources: the Python library reference, `open`, `os` and `shutil`; the pandas reference, `read_csv` and its like (a local
path is opened first); numpy's, torch's, joblib's and Pillow's references of each function. The messages are those of
the operating system, as Python words them.
"""

from __future__ import annotations

import builtins
import errno
import os
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...readers import folders
from ..sites import CallSite, Finding
from ..values import Method, Value
from ..words import Part, named, words

if TYPE_CHECKING:
    from ..state import State

_TABLES = frozenset(
    "sep delimiter header names index_col usecols dtype engine skiprows nrows na_values parse_dates encoding "
    "low_memory thousands decimal comment keep_default_na skipinitialspace sheet_name quotechar on_bad_lines "
    "error_bad_lines skip_blank_lines date_parser dayfirst".split()
)
_NOTHING: frozenset[str] = frozenset()

# What opens the file that its first argument names before it looks at anything else: module, function, and keywords
# that are looked at later, or that are fine whatever they are as long as they are plain.
_READERS: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    "read_csv": (("pandas", _TABLES),),
    "read_table": (("pandas", _TABLES),),
    "read_fwf": (("pandas", _NOTHING),),
    "read_excel": (("pandas", _TABLES - {"engine", "encoding"}),),
    "ExcelFile": (("pandas", _NOTHING),),
    "read_json": (("pandas", frozenset(["lines", "orient"])),),
    "read_pickle": (("pandas", _NOTHING),),
    "read_stata": (("pandas", _NOTHING),),
    "read_hdf": (("pandas", frozenset(["key"])),),
    "load": (
        ("numpy", frozenset(["allow_pickle"])),
        ("torch", frozenset(["map_location", "weights_only"])),
        ("joblib", _NOTHING),
    ),
    "loadtxt": (("numpy", frozenset(["delimiter", "skiprows", "usecols", "unpack"])),),
    "genfromtxt": (("numpy", frozenset(["delimiter", "skip_header", "names", "usecols"])),),
    "fromfile": (("numpy", _NOTHING),),
    "imread": (("matplotlib.pyplot", _NOTHING), ("matplotlib.image", _NOTHING)),
    "open": (("PIL.Image", _NOTHING), ("gzip", _NOTHING), ("codecs", frozenset(["encoding"]))),
    "ZipFile": (("zipfile", _NOTHING),),
    "parse": (("xml.etree.ElementTree", _NOTHING),),
    "listdir": (("os", _NOTHING),),
    "scandir": (("os", _NOTHING),),
    "chdir": (("os", _NOTHING),),
    "remove": (("os", _NOTHING),),
    "unlink": (("os", _NOTHING),),
    "rmdir": (("os", _NOTHING),),
    "stat": (("os", _NOTHING),),
    "getsize": (("os.path", _NOTHING),),
    "getmtime": (("os.path", _NOTHING),),
    "copy": (("shutil", _NOTHING),),
    "copy2": (("shutil", _NOTHING),),
    "copyfile": (("shutil", _NOTHING),),
    "move": (("shutil", _NOTHING),),
    "rmtree": (("shutil", _NOTHING),),
}
_TWO_PATHS = frozenset(["copy", "copy2", "copyfile", "move"])
# What writes to the file that its first argument names; module and function.
_WRITERS = {("numpy", "save"): ".npy", ("numpy", "savetxt"): "", ("joblib", "dump"): ""}
_FRAME_WRITERS = frozenset(["to_csv", "to_pickle", "to_json"])

_OPEN_KEYWORDS = frozenset(["mode", "encoding", "errors", "newline"])


def missing_file(site: CallSite, state: State) -> Finding | None:
    """A path of the local disk that leads to nothing, given to what opens it for reading."""
    from ..library.paths import are_sure, path_text

    if not site.complete or not site.arguments or not are_sure(state):
        return None
    callee = state.live(site.callee)
    if callee is safe.ABSENT:
        return None
    if is_open(callee):
        return _missing_for_open(site, state)
    home = _reader(callee, site)
    if not home:
        return None
    path = path_text(site.arguments[0], state)
    if path is None or not _is_local(path, home):
        return None
    return _of_reader(home, callee, path, site, state)


def _reader(callee: Any, site: CallSite) -> str:
    """Return the module whose function opens its first argument first, or ''."""
    kind = type(callee)
    if not safe.one_of(kind, (types.FunctionType, safe.BuiltinFunctionType, type)):
        return ""
    name = safe.class_name(callee) if kind is type else callee.__name__
    if type(name) is not str:
        return ""
    for module, allowed in _READERS.get(name, ()):
        found = safe.loaded(module, name)
        if found is not callee or len(site.arguments) > (2 if name in _TWO_PATHS else 1):
            continue
        home = module.partition(".")[0]
        if kind is types.FunctionType and not _is_own(callee, home):
            continue
        if set(site.keywords) <= allowed:
            return module
    return ""


def _is_own(function: object, home: str) -> bool:
    """Whether a function is of this package, or of Python's own that it takes it from."""
    return safe.comes_from(function, home) or (
        home == "os" and any(safe.comes_from(function, each) for each in ("posixpath", "ntpath", "genericpath"))
    )


def _is_local(path: str, module: str) -> bool:
    """Whether a path is taken as it is: no address, no home folder that pandas puts in, no text that is the data."""
    if "\0" in path or ":" in path:
        return False
    return not (module == "pandas" and path.startswith(("~", "{", "[", "<"))) and "\n" not in path


def _of_reader(module: str, callee: Any, path: str, site: CallSite, state: State) -> Finding | None:
    name = safe.class_name(callee) if type(callee) is type else callee.__name__
    if not all(_is_fine(name, each, value, state) for each, value in site.keywords.items()):
        return None
    shown, template = path, ""
    if module == "pandas" and name == "read_json":
        words_of_json = _texts_of(safe.loaded("pandas.io.json._json", "JsonReader"), "_get_data_from_filepath")
        if any(" does not exist" in each for each in words_of_json):
            if not path.lower().endswith(".json"):
                return None
            template = "File {} does not exist"
    elif name == "read_hdf":
        template = "File {} does not exist"
    elif name in ("loadtxt", "genfromtxt"):
        template = "{} not found."
    elif _resolves_paths() and (module == "PIL.Image" or (name == "imread" and not path.lower().endswith(".png"))):
        # matplotlib hands everything but PNG to Pillow.
        shown = os.path.realpath(path)
    return _finding(path, shown, site, state, module.partition(".")[0], template, folders_too=name in _OF_FILES)


_OF_FILES = frozenset(["read_csv", "read_table", "read_pickle", "read_excel"])


def _resolves_paths() -> bool:
    opens = safe.loaded("PIL.Image", "open")
    return type(opens) is types.FunctionType and "realpath" in opens.__code__.co_names


def _texts_of(cls: Any, method: str) -> list[str]:
    found: Any = safe.in_type(cls, method) if safe.inherits(type(cls), type) else None
    if type(found) is not types.FunctionType:
        return []
    return [each for each in found.__code__.co_consts if type(each) is str]


_ENCODINGS = frozenset("utf-8 utf8 latin-1 latin1 iso-8859-1 cp1252 ascii utf-8-sig utf-16 gbk unicode_escape".split())


def _is_fine(name: str, keyword: str, value: Value, state: State) -> bool:
    """Whether an option is one that nobody complains about before the file is opened."""
    if keyword in ("usecols", "dtype", "date_parser", "map_location", "na_values"):
        return state.live(value) is not safe.ABSENT and (
            state.plain(value) is not safe.ABSENT or type(state.live(value)) is type or keyword == "map_location"
        )
    found: Any = state.plain(value)
    if found is safe.ABSENT:
        return False
    if keyword in ("sep", "delimiter"):
        return (type(found) is str and len(found) == 1 and found != "\n") or found == r"\s+"
    if keyword == "encoding":
        return type(found) is str and found.lower() in _ENCODINGS
    if keyword == "header":
        return found is None or found == "infer" or (type(found) is int and found >= 0)
    if keyword in ("nrows", "skiprows", "skip_header"):
        return type(found) is int and found >= 0
    if keyword == "names":
        return found is True or (type(found) is list and len(set(map(repr, found))) == len(found))
    if keyword in ("thousands", "decimal", "comment", "quotechar"):
        return type(found) is str and len(found) == 1
    if keyword == "engine":
        return found in ("c", "python")
    if keyword == "parse_dates":
        return type(found) is bool or (type(found) is list and all(type(each) is str for each in found))
    if keyword == "on_bad_lines":
        return found in ("error", "warn", "skip")
    if keyword == "error_bad_lines":
        return False
    if keyword == "orient":
        return found in ("records", "columns", "index", "split", "values")
    if keyword == "index_col":
        return found is None or (type(found) in (int, str, bool) and found is not True)
    return True


def is_open(callee: object) -> bool:
    """Whether it is Python's `open`, or the one that IPython puts in its place (it only guards descriptors 0 to 2)."""
    if callee is builtins.open:
        return True
    return safe.comes_from(callee, "IPython") and callee.__code__.co_name == "_modified_open"  # type: ignore[attr-defined]


def open_mode(site: CallSite, state: State) -> str:
    """Return the mode that a call of `open` names, or '' if it is not known or not valid."""
    if len(site.arguments) > 2 or not set(site.keywords) <= _OPEN_KEYWORDS:
        return ""
    if len(site.arguments) == 2 and "mode" in site.keywords:
        return ""
    mode = state.live(site.arguments[1]) if len(site.arguments) > 1 else "r"
    mode = state.live(site.keywords["mode"]) if "mode" in site.keywords else mode
    if type(mode) is not str or mode not in _MODES:
        return ""
    settings = [state.live(value) for name, value in site.keywords.items() if name != "mode"]
    # These are checked before the file is opened.
    if (settings and "b" in mode) or any(type(each) is not str or "\0" in each for each in settings):
        return ""
    newline = state.live(site.keywords["newline"]) if "newline" in site.keywords else ""
    return mode if newline in ("", "\n", "\r", "\r\n") else ""


_MODES = frozenset("r rb rt w wb wt a ab at x xb r+ w+ a+ rb+ r+b w+b wb+".split())


def _missing_for_open(site: CallSite, state: State) -> Finding | None:
    from ..library.paths import folder_of, path_text, state_of

    mode = open_mode(site, state)
    path = path_text(site.arguments[0], state)
    if not mode or path is None:
        return None
    if mode[0] == "r":
        return _finding(path, path, site, state, "python", folders_too=True)
    if state_of(path) == "folder" and os.name == "posix":
        return _finding(path, path, site, state, "python", folders_too=True)
    return _finding(path, path, site, state, "python") if state_of(folder_of(path)) == "missing" else None


def _finding(
    path: str,
    shown: str,
    site: CallSite,
    state: State,
    library: str,
    template: str = "",
    *,
    folders_too: bool = False,
) -> Finding | None:
    """Return what the operating system says of a path that cannot be opened, or None if it can."""
    from ..library.paths import state_of

    there = state_of(path)
    level = state.level(site.arguments[0])
    code, kind = {
        "missing": (errno.ENOENT, "FileNotFoundError"),
        "no folder": (errno.ENOTDIR, "NotADirectoryError"),
        "folder": (errno.EISDIR, "IsADirectoryError"),
    }.get(there, (0, ""))
    if not code or (there == "folder" and not (folders_too and os.name == "posix")):
        return None
    if there != "missing" and (template or os.name != "posix"):
        return None
    message = words(template, Part(shown, level)) if template else words(_OS_ERROR, *_os_error(code, shown, level))
    return Finding(
        rule="files.missing",
        type=kind,
        message=message,
        because=words(
            "{!r} is a folder" if there == "folder" else "there is no file {!r} in {}",
            *[Part(path, level), named("its folder" if os.path.dirname(path) else "the kernel's folder")][
                : 1 if there == "folder" else 2
            ],
        ),
        crash_type="io error",
        library=library,
        close=_close_files(path),
        probe=("file", {"path": path}) if state.tells(level) else None,
        asked=level,
    )


_OS_ERROR = "[Errno {}] {}: {!r}"


def _os_error(code: int, path: str, level: str) -> tuple[Part, Part, Part]:
    return named(code), named(os.strerror(code)), Part(path, level)


MAX_LISTED = 5000


def _close_files(path: str) -> tuple[str, ...]:
    folder = os.path.dirname(path)
    try:
        entries, _ = folders.entries(folder or ".", MAX_LISTED)
    except (OSError, ValueError):
        return ()
    names = [name for name, _ in entries]
    return tuple(os.path.join(folder, each) for each in close_to(os.path.basename(path), names) if each.isprintable())


# -- writing ---------------------------------------------------------------------------------------------------------


def missing_folder(site: CallSite, state: State) -> Finding | None:
    """A path to write to in a folder that is not there; making a folder that is there."""
    from ..library.paths import are_sure, folder_of, path_text, state_of

    if not site.complete or not site.arguments or not are_sure(state):
        return None
    found = _made_folder(site, state)
    if found is not None:
        return found
    if type(site.callee) is Method and site.callee.name in _FRAME_WRITERS:
        path = path_text(site.arguments[0], state)
        is_table = state.columns(site.callee.owner) is not None
        if path is None or not is_table or len(site.arguments) > 1 or not _is_local(path, "pandas"):
            return None
        if not set(site.keywords) <= {"index"} or os.path.splitext(path)[1] not in (".csv", ".pkl", ".json", ".txt"):
            return None
        folder = os.path.dirname(path)
        source: Any = safe.loaded("pandas.io.common", "check_parent_directory")
        if not folder or state_of(folder) != "missing" or type(source) is not types.FunctionType:
            return None
        level = state.level(site.arguments[0])
        message = words("Cannot save file into a non-existent directory: {!r}", Part(folder, level))
        return _no_folder("OSError", message, folder, level, "pandas")
    callee: Any = state.live(site.callee)
    for (module, name), ending in _WRITERS.items():
        if callee is safe.ABSENT or callee is not safe.loaded(module, name):
            continue
        # joblib takes what is stored first.
        place = 1 if module == "joblib" else 0
        path = path_text(site.arguments[place], state) if len(site.arguments) == 2 and not site.keywords else None
        if path is None or state_of(folder_of(path)) != "missing" or path.endswith((".gz", ".bz2", ".xz", ".lzma")):
            return None
        path = path if path.endswith(ending) else path + ending
        level = state.level(site.arguments[place])
        message = words(_OS_ERROR, *_os_error(errno.ENOENT, path, level))
        return _no_folder("FileNotFoundError", message, folder_of(path), level, module)
    return None


def _made_folder(site: CallSite, state: State) -> Finding | None:
    from ..library.paths import folder_of, path_text, state_of

    callee: Any = state.live(site.callee)
    name = next((each for each in ("mkdir", "makedirs") if callee is safe.loaded("os", each)), "")
    path = path_text(site.arguments[0], state) if name else None
    if path is None or len(site.arguments) > 1 or not set(site.keywords) <= {"exist_ok"}:
        return None
    level = state.level(site.arguments[0])
    may_exist = state.live(site.keywords["exist_ok"]) if "exist_ok" in site.keywords else False
    path_there = state_of(path)
    if path_there in ("folder", "file", "other") and may_exist is False and not path.endswith("/"):
        message = words(_OS_ERROR, *_os_error(errno.EEXIST, path, level))
        finding = _no_folder("FileExistsError", message, path, level, "python")
        return finding._replace(because=words("{!r} exists already", Part(path, level)), rule="files.exists")
    if name == "mkdir" and not site.keywords and path_there == "missing" and state_of(folder_of(path)) == "missing":
        message = words(_OS_ERROR, *_os_error(errno.ENOENT, path, level))
        return _no_folder("FileNotFoundError", message, folder_of(path), level, "python")
    return None


def _no_folder(kind: str, message: Any, folder: str, level: str, library: str) -> Finding:
    return Finding(
        rule="files.missing-folder",
        type=kind,
        message=message,
        because=words("there is no folder {!r}", Part(folder, level)),
        crash_type="io error",
        library=library,
        asked=level,
    )


RULES = {CallSite: [missing_file, missing_folder]}
