"""Modules of the environment: loaded or not, to be found or not, which version; and the machine the kernel runs on.

Nothing is imported, a parent package neither, and no finder is called: those of Python fill
`sys.path_importer_cache`, and others are somebody's code. What Python's finders would do is done here by listing
folders. Sources: the Python language reference, 5.3 to 5.5 ("The import system"); PEP 376 and the packaging
specification "Recording installed projects" for the names of ``.dist-info`` folders.
"""

from __future__ import annotations

import _imp
import os
import sys
import types
from itertools import islice
from typing import Any, NamedTuple

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, Field

MAX_ENTRIES = 20000
"""Entries of a folder that are read; a module is not looked for in a longer one."""

MAX_NAME = 300
"""Length of a module's name [characters]."""


def module(shell: Any, budget: safe.Budget, name: str, names: list[str] | None = None) -> dict[str, Any]:
    """Say whether a module is loaded or could be found, its version, and which of `names` it has not as attributes."""
    parts = name.split(".") if type(name) is str and len(name) <= MAX_NAME else []
    if not parts or not all(part.isidentifier() for part in parts):
        raise safe.Refused("could not look, because this is no name of a module such as sklearn.metrics")
    if not safe.only_texts(list(sys.modules)):
        raise safe.Refused("could not look, because sys.modules has keys that are no texts")
    entry = sys.modules.get(name, safe.ABSENT)
    if entry is None:
        # Source: the language reference, 5.3.1: None in `sys.modules` makes every import of it fail.
        return {"name": name, "loaded": False, "found": False, "unknown": "sys.modules holds None in its place"}
    if entry is not safe.ABSENT:
        return dict(_loaded(name, entry, budget), **_names_in(name, entry, names or [], budget))
    found = _search(parts, budget)
    if names:
        found["unknown"] = found.get("unknown", "which names it has, because it is not loaded")
    return dict(found, name=name, loaded=False)


# -- Loaded modules ----------------------------------------------------------------------------------------------------


def _loaded(name: str, entry: object, budget: safe.Budget) -> dict[str, Any]:
    own = _own(entry)
    home = own.get("__file__")
    version = own.get("__version__")
    found: dict[str, Any] = {"name": name, "loaded": True, "found": True, "version": None}
    if type(home) is str:
        found["origin"] = _origin(home)
    if type(version) is str:
        found["version"] = version[:100]
    elif "." not in name and type(home) is str:
        folder = os.path.dirname(os.path.dirname(home) if _is_package(own) else home)
        found.update(_installed(name, _Listing.of(folder)))
    return found


def _own(entry: object) -> dict[str, object]:
    """Return the dictionary of a loaded module, a copy; empty if it is no module or hides it."""
    if not safe.inherits(type(entry), types.ModuleType):
        return {}
    return dict(safe.instance_dict(entry) or {})


def _is_package(own: dict[str, object]) -> bool:
    return "__path__" in own


def _names_in(name: str, entry: object, names: list[str], budget: safe.Budget) -> dict[str, Any]:
    """Say which names are no attributes of a loaded module, and which of those are submodules to be imported first."""
    if type(names) is not list or not safe.only_texts(names):
        raise safe.Refused("could not look, because names is a list of texts")
    if not names:
        return {}
    own = _own(entry)
    computes = type(entry) is not types.ModuleType or "__getattr__" in own
    known = computes and type(entry) is types.ModuleType and _is_known(name, own)
    missing: list[str] = []
    submodules: list[str] = []
    unknown: list[str] = []
    for each in names[: budget.items]:
        if each in own:
            continue
        if computes:
            given = _computes(name, each, own, budget) if known else None
            if not given:
                (unknown if given is None else missing).append(each)
        elif _is_submodule(name, each, own, budget):
            submodules.append(each)
        else:
            missing.append(each)
    listed = list(own)
    found: dict[str, Any] = {
        "missing": missing,
        "close": {each: close_to(each, listed) for each in missing},
        "truncated": len(names) > budget.items,
    }
    if submodules:
        found["submodules"] = submodules
    if unknown:
        found["unknown"] = "whether it has {}, because they are computed when asked for".format(", ".join(unknown))
    return found


def _is_submodule(name: str, each: str, own: dict[str, object], budget: safe.Budget) -> bool:
    """Whether an import would find a module inside a loaded one."""
    if sys.modules.get("{}.{}".format(name, each)) is not None:
        return True
    return _is_package(own) and each.isidentifier() and _search([*name.split("."), each], budget)["found"] is True


# These compute submodules that they list, and what they give with a warning or refuse in words of their own. Sources:
# their ``__init__.py``, numpy 1.20 to 2.4, scipy 1.8 to 1.18, scikit-learn 1.2 to 1.9.
_KNOWN_TO_COMPUTE = ("numpy", "scipy", "sklearn")
_GIVEN = ("submodules", "_submodules")
_GIVEN_OR_NOT = ("__deprecated_attrs__", "__expired_functions__")


def _is_known(name: str, own: dict[str, object]) -> bool:
    """Whether a module's ``__getattr__`` is that of one of the packages above."""
    return name in _KNOWN_TO_COMPUTE and safe.comes_from(own["__getattr__"], name)


def _computes(name: str, each: str, own: dict[str, object], budget: safe.Budget) -> bool | None:
    """Return whether one of the packages above gives a name that it does not hold; None if that cannot be told."""
    for tables, outcome in ((_GIVEN, True), (_GIVEN_OR_NOT, None)):
        for table in (own.get(key) for key in tables):
            if (type(table) is list or type(table) is dict) and safe.only_texts(list(table)) and each in table:
                return outcome
    return None if each == "Tester" or _is_submodule(name, each, own, budget) else False


# -- Modules that are not loaded ---------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """Where a module was found.

    Attributes:
        kind: ``package``, ``namespace package``, ``module``, ``built in`` or ``frozen``.
        listing: The folder it is in; None if it is in none.
        origin: Its file or folder, '' if it has none.
        path: Folders of its submodules; None if it can have none.
    """

    kind: str
    listing: _Listing | None
    origin: str
    path: list[str] | None


def _search(parts: list[str], budget: safe.Budget) -> dict[str, Any]:
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
        found["origin"] = _origin(place.origin)
    if place.listing is not None and len(parts) == 1:
        found.update(_installed(parts[0], place.listing))
    return found


def _path_of(loaded: list[str]) -> tuple[list[str] | None, bool]:
    """Return the folders to look in for what is inside a loaded package, or at the top, and whether that is certain."""
    if not loaded:
        return [each for each in list(sys.path) if type(each) is str], True
    entry = sys.modules.get(".".join(loaded))
    path = _own(entry).get("__path__", safe.ABSENT)
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
            listing = _Listing.of(folder or ".")
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


class _Listing(NamedTuple):
    """What a folder holds, by name; True for folders."""

    folder: str
    entries: dict[str, bool]
    doubt: str

    @classmethod
    def of(cls, folder: str) -> _Listing:
        """List a folder; what cannot be listed is empty, as it is for Python's finder."""
        cached = dict(sys.path_importer_cache).get(folder)
        if cached is not None and not safe.is_exactly(cached, "_frozen_importlib_external", "FileFinder"):
            return cls(folder, {}, "{} is read by a finder of its own".format(os.path.basename(folder)))
        try:
            with os.scandir(folder) as found:
                entries = {each.name: each.is_dir() for each in islice(found, MAX_ENTRIES + 1)}
        except NotADirectoryError:
            return cls(folder, {}, "{} is an archive".format(os.path.basename(folder)))
        except (OSError, ValueError):
            return cls(folder, {}, "")
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


def _origin(path: str) -> str:
    """Return where a module is from: short if it is Python's own or installed, in full if it is the user's file."""
    normal = path.replace(os.sep, "/")
    _, installed, inside = normal.rpartition("/site-packages/")
    if installed:
        return "<site-packages>/" + inside
    home = _own(os).get("__file__")
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
        reasons.append("a finder of {} may know it".format(home or "somebody's"))
    if len(list(sys.path_hooks)) > 2:
        reasons.append("somebody's path hook may know it")
    return reasons


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
}


# -- Versions ----------------------------------------------------------------------------------------------------------

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


def _installed(name: str, listing: _Listing) -> dict[str, Any]:
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


# -- The machine -------------------------------------------------------------------------------------------------------


def environment(shell: Any, budget: safe.Budget, variables: list[str] | None = None) -> dict[str, Any]:
    """Describe Python, its folder, processors, memory, CUDA; of `variables` only say which are not in `os.environ`."""
    if variables is None:
        return {
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "platform": sys.platform,
            "executable": sys.executable if type(sys.executable) is str else "",
            "folder": _folder(),
            "cpus": _cpus(),
            "memory_bytes": _memory(),
            "cuda": _cuda(),
        }
    if type(variables) is not list or not safe.only_texts(variables):
        raise safe.Refused("could not look, because variables is a list of texts")
    if not safe.is_exactly(os.environ, "os", "_Environ"):
        raise safe.Refused("could not look, because os.environ is replaced")
    there = sorted(os.environ)
    asked = variables[: budget.items]
    missing = [each for each in asked if each not in there]
    return {
        "missing": missing,
        "close": {each: close_to(each, there) for each in missing},
        "truncated": len(variables) > len(asked),
    }


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _cpus() -> int | None:
    """Return the number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count()


def _memory() -> int | None:
    """Return the machine's memory [bytes]; how much of it is free changes while we look and is not told."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


def _cuda() -> dict[str, Any]:
    """Say what is known of CUDA without initialising it: torch keeps a flag, the driver a file per device."""
    built = safe.loaded("torch.version", "cuda")
    started = safe.loaded("torch.cuda", "_initialized")
    return {
        "driver": os.path.exists("/proc/driver/nvidia/version"),
        "torch_built_for": built if type(built) is str else None,
        "torch_initialized": started if type(started) is bool else None,
    }


FIELDS = {
    "loaded": Field(NAMES, "whether a module is loaded"),
    "found": Field(NAMES, "whether an import would find a module; null if only running code can tell"),
    "unknown": Field(NAMES, "what could not be told, and why"),
    "version": Field(SCHEMA, "version of a library"),
    "project": Field(SCHEMA, "what a library is called where it is installed from, if not like its module"),
    "submodules": Field(SCHEMA, "names that are no attributes of a module until an import statement loads them"),
    "origin": Field(SCHEMA, "file or folder of a module"),
    "python": Field(SCHEMA, "version of Python"),
    "platform": Field(SCHEMA, "operating system"),
    "executable": Field(SCHEMA, "file of the interpreter"),
    "folder": Field(SCHEMA, "the kernel's working folder"),
    "cpus": Field(SCHEMA, "processors that the kernel may use"),
    "memory_bytes": Field(SCHEMA, "memory of the machine [bytes]"),
    "cuda": Field(SCHEMA, "what is known of CUDA without initialising it", records=True),
    "driver": Field(SCHEMA, "whether NVIDIA's driver is loaded"),
    "torch_built_for": Field(SCHEMA, "version of CUDA that the loaded torch was built for; null for none"),
    "torch_initialized": Field(SCHEMA, "whether torch has initialised CUDA; null if torch is not loaded"),
}
PROBES = {"module": module, "environment": environment}
