"""Where a module would be imported from, without importing it.

Nothing is imported, a parent package neither, and no finder is called: those of Python fill
`sys.path_importer_cache`, and others are somebody's code. What Python's finders would do is done here by listing
folders. Sources: the Python language reference, 5.3 to 5.5 ("The import system"); PEP 376 and the packaging
specification "Recording installed projects" for the names of ``.dist-info`` folders.
"""

from __future__ import annotations

import _imp
import opcode
import os
import sys
import types
from typing import Any, NamedTuple

from .. import safe
from ..likeness import close_to
from . import folders

MAX_ENTRIES = 20000
"""Entries of a folder that are read; a module is not looked for in a longer one."""


def namespace(entry: object) -> dict[str, object]:
    """Return the dictionary of a loaded module, a copy; empty if it is no module or hides it."""
    if not safe.inherits(type(entry), types.ModuleType):
        return {}
    return dict(safe.instance_dict(entry) or {})


def is_package(own: dict[str, object]) -> bool:
    """Whether a loaded module with these attributes is a package."""
    return "__path__" in own


class _Place(NamedTuple):
    """Where a module was found.

    Attributes:
        kind: ``package``, ``namespace package``, ``module``, ``built in`` or ``frozen``.
        listing: The folder it is in; None if it is in none.
        origin: Its file or folder, '' if it has none.
        path: Folders of its submodules; None if it can have none.
    """

    kind: str
    listing: Listing | None
    origin: str
    path: list[str] | None


def search(parts: list[str], budget: safe.Budget) -> dict[str, Any]:
    """Look for a module as Python would; `found` is None where only running code can tell."""
    loaded = next((end for end in range(len(parts) - 1, 0, -1) if ".".join(parts[:end]) in sys.modules), 0)
    path, certain = _path_of(parts[:loaded])
    if path is None:
        reason = "{} is loaded and is no package".format(".".join(parts[:loaded]))
        return {"found": False, "unknown": reason} if certain else {"found": None, "unknown": reason}
    end = loaded
    while True:
        look = _Look(path, budget)
        end += 1
        place = look.find(parts[end - 1], top=end == 1)
        if place is None:
            return _not_found(parts, end, loaded, look)
        if end == len(parts):
            break
        if place.path is None:
            return {"found": None, "unknown": "{} is no package, but may make modules".format(".".join(parts[:end]))}
        path = place.path
    found: dict[str, Any] = {"found": True, "kind": place.kind}
    strangers = [] if loaded else _strange_finders(parts[0])
    if strangers:
        return dict(found, unknown="which file it would be, because {}".format("; ".join(strangers))[:500])
    if place.origin:
        found["origin"] = origin(place.origin)
    if place.listing is not None and len(parts) == 1:
        found.update(installed(parts[0], place.listing))
    return found


def _path_of(loaded: list[str]) -> tuple[list[str] | None, bool]:
    """Return the folders to look in for what is inside a loaded package, or at the top, and whether that is certain."""
    if not loaded:
        return [each for each in list(sys.path) if type(each) is str], True
    entry = sys.modules.get(".".join(loaded))
    path = namespace(entry).get("__path__", safe.ABSENT)
    if type(path) is list:
        return [each for each in path if type(each) is str], True
    if safe.is_exactly(path, "_frozen_importlib_external", "_NamespacePath"):
        folders = (safe.instance_dict(path) or {}).get("_path")
        return ([each for each in folders if type(each) is str], True) if type(folders) is list else (None, False)
    return None, type(entry) is types.ModuleType and path is safe.ABSENT


def _not_found(parts: list[str], end: int, loaded: int, look: _Look) -> dict[str, Any]:
    name = parts[end - 1]
    reasons = [*look.doubts, *_strange_finders(parts[0])]
    if end > loaded + 1:
        # Its parent is not loaded: when it is, it may change its own path or add modules.
        reasons.append("{} has no such file, but may make modules".format(".".join(parts[: end - 1])))
    found: dict[str, Any] = {"found": None if reasons else False, "close": close_to(name, look.names(top=end == 1))}
    if reasons:
        found["unknown"] = "; ".join(reasons)[:500]
    if end == 1 and name in _PROJECTS:
        found["project"] = _PROJECTS[name]
    return found


class _Look:
    """One search in some folders.

    Attributes:
        doubts: Why a module that is not found may be there all the same.
    """

    def __init__(self, folders: list[str], budget: safe.Budget) -> None:
        self.doubts: list[str] = []
        self._listings = []
        for folder in folders:
            budget.check()
            listing = Listing.of(folder or ".")
            self._listings.append(listing)
            if listing.doubt:
                self.doubts.append(listing.doubt)

    def find(self, name: str, *, top: bool) -> _Place | None:
        """Return where a module is; the order is that of Python's own finders."""
        if top and name in sys.builtin_module_names:
            return _Place("built in", None, "", None)
        portions: list[str] = []
        for listing in self._listings:
            place = listing.find(name)
            if place is None:
                continue
            if place.kind != "namespace package":
                return place
            portions.append(place.origin)
        if portions:
            return _Place("namespace package", None, portions[0], portions)
        if top and _imp.is_frozen(name):
            return _Place("frozen", None, "", None)
        return None

    def names(self, *, top: bool) -> list[str]:
        """Return the modules there are, sorted."""
        own = set(getattr(sys, "stdlib_module_names", ())) | set(sys.builtin_module_names) if top else set()
        for listing in self._listings:
            own.update(listing.modules())
        return sorted(name for name in own if not name.startswith("_"))


class Listing(NamedTuple):
    """What a folder holds, by name; True for folders."""

    folder: str
    entries: dict[str, bool]
    doubt: str

    @classmethod
    def of(cls, folder: str) -> Listing:
        """List a folder; what cannot be listed is empty, as it is for Python's finder."""
        cached = dict(sys.path_importer_cache).get(folder)
        if cached is not None and not safe.is_exactly(cached, "_frozen_importlib_external", "FileFinder"):
            return cls(folder, {}, "{} is read by a finder of its own".format(os.path.basename(folder)))
        try:
            listed, _ = folders.entries(folder, MAX_ENTRIES + 1)
        except NotADirectoryError:
            return cls(folder, {}, "{} is an archive".format(os.path.basename(folder)))
        except (OSError, ValueError):
            return cls(folder, {}, "")
        entries = dict(listed)
        long = "a folder has more than {} entries".format(MAX_ENTRIES) if len(entries) > MAX_ENTRIES else ""
        return cls(folder, entries, long)

    def find(self, name: str) -> _Place | None:
        """Return where this folder has a module: a package before a file before a namespace."""
        if self.entries.get(name):
            inside = os.path.join(self.folder, name)
            for suffix in _suffixes():
                if os.path.isfile(os.path.join(inside, "__init__" + suffix)):
                    return _Place("package", self, os.path.join(inside, "__init__" + suffix), [inside])
        for suffix in _suffixes():
            if self.entries.get(name + suffix) is False:
                return _Place("module", self, os.path.join(self.folder, name + suffix), None)
        if self.entries.get(name):
            return _Place("namespace package", None, os.path.join(self.folder, name), None)
        return None

    def modules(self) -> list[str]:
        """Return the names that an import could use."""
        found = []
        for entry, is_folder in self.entries.items():
            stem = entry if is_folder else entry.partition(".")[0]
            if stem.isidentifier() and (is_folder or entry[len(stem) :] in _suffixes()):
                found.append(stem)
        return found


def origin(path: str) -> str:
    """Return where a module is from: short if it is Python's own or installed, in full if it is the user's file."""
    normal = path.replace(os.sep, "/")
    _, installed, inside = normal.rpartition("/site-packages/")
    if installed:
        return "<site-packages>/" + inside
    home = namespace(os).get("__file__")
    own = os.path.dirname(home).replace(os.sep, "/") + "/" if type(home) is str else ""
    return "<standard library>/" + normal[len(own) :] if own and normal.startswith(own) else path


def _suffixes() -> list[str]:
    """Return the endings of importable files, in the order in which Python tries them."""
    return [*_imp.extension_suffixes(), ".py", ".pyc"]


def _strange_finders(top: str) -> list[str]:
    """Return why somebody's finder may know a top-level module that Python's own do not."""
    reasons = []
    for finder in list(sys.meta_path):
        if any(finder is each for each in _own_finders()):
            continue
        kind = type(finder)
        home = safe.class_module(finder if safe.inherits(kind, type) else kind)  # type: ignore[arg-type]
        harmless = _HARMLESS_FINDERS.get(home)
        if harmless is not None and top not in harmless:
            continue
        editable = safe.loaded(home, "MAPPING") if home.startswith("__editable__") else None
        if type(editable) is dict and safe.only_texts(list(editable)) and top not in editable:
            continue
        table = _guarding_table(finder)
        if table is not None and not any(each == top or each.startswith(top + ".") for each in table):
            continue
        reasons.append("a finder of {} may know it".format(home or "somebody's"))
    if len(list(sys.path_hooks)) > 2:
        reasons.append("somebody's path hook may know it")
    return reasons


def _guarding_table(finder: Any) -> list[str] | None:
    """Return the names that a finder looks at, if it begins with ``if name not in TABLE: return None``; else None."""
    kind = type(finder)
    if safe.inherits(kind, type) or safe.in_type(kind, "__getattribute__") is not object.__getattribute__:
        return None
    find = safe.in_type(kind, "find_spec")
    if type(find) is not types.FunctionType or "find_spec" in (safe.instance_dict(finder) or {}):
        return None
    code = find.__code__
    begin = [(opcode.opname[op], argument) for op, argument in zip(code.co_code[::2], code.co_code[1::2])]
    begin = [each for each in begin if each[0] not in _DOING_NOTHING][:6]
    names = [name for name, _ in begin]
    if len(begin) < 5 or names[0] not in ("LOAD_FAST", "LOAD_FAST_BORROW") or names[1] != "LOAD_GLOBAL":
        return None
    place = begin[1][1] >> (1 if sys.version_info >= (3, 11) else 0)
    refuses = names[2] == "CONTAINS_OP" and begin[2][1] == 1 and "IF_FALSE" in names[3]
    constant = code.co_consts[begin[4][1]] if names[4] in ("LOAD_CONST", "RETURN_CONST") else 0
    returns = names[4] == "RETURN_CONST" or (len(names) > 5 and names[5] == "RETURN_VALUE")
    if begin[0][1] != 1 or not refuses or constant is not None or not returns or place >= len(code.co_names):
        return None
    table = find.__globals__.get(code.co_names[place])
    if not safe.one_of(type(table), (dict, set, frozenset)):
        return None
    known = list(table)  # type: ignore[arg-type]
    return known if safe.only_texts(known) else None


_DOING_NOTHING = frozenset(["CACHE", "RESUME", "NOP", "MAKE_CELL", "COPY_FREE_VARS", "NOT_TAKEN"])


def _own_finders() -> list[object]:
    bootstrap, external = "_frozen_importlib", "_frozen_importlib_external"
    found = (safe.loaded(bootstrap, "BuiltinImporter"), safe.loaded(bootstrap, "FrozenImporter"))
    return [each for each in (*found, safe.loaded(external, "PathFinder")) if each is not None]


# Finders that many environments have, with the only top-level modules that they find.
_HARMLESS_FINDERS: dict[str, tuple[str, ...]] = {
    "_distutils_hack": ("distutils", "pip"),
    "six": ("six",),
    # These find what Python's own would find, to change it.
    "_pytest.assertion.rewrite": (),
    "_virtualenv": (),
    # It notes which modules are loaded again, and finds none.
    "absl.flags._flagvalues": (),
    # toolz', which Dask loads.
    "tlz._build_tlz": ("tlz",),
    # It finds distributions, and no modules.
    "importlib_metadata": (),
}


# Projects whose modules have another name.
_PROJECTS = {
    "Crypto": "pycryptodome",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "imblearn": "imbalanced-learn",
    "pytorch_lightning": "pytorch-lightning",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}


def installed(name: str, listing: Listing) -> dict[str, Any]:
    """Return the version that the ``.dist-info`` folder beside a module has in its name; it is not opened."""
    wanted = _normal(_PROJECTS.get(name, name))
    versions = []
    for entry, is_folder in listing.entries.items():
        project, _, version = entry[: -len(".dist-info")].rpartition("-")
        if is_folder and entry.endswith(".dist-info") and _normal(project) == wanted:
            versions.append(version)
    # More than one is left behind by a broken installation: then the names do not tell.
    return {"version": versions[0] if len(versions) == 1 else None}


def _normal(project: str) -> str:
    """Return a project's name as the packaging specification "Names and normalization" compares it."""
    return project.lower().replace("_", "-").replace(".", "-")
