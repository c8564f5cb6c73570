"""Modules that are not there, and names that a module does not have.

Source: the Python language reference, "The import statement" and "The import system". Nothing is imported: folders are
listed as Python's finders do, and a module that is not loaded is read as a text.
"""

from __future__ import annotations

import ast
import sys
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, VALUES
from ...readers import module_places
from ...readers.module_places import _Look
from ..sites import Finding, ImportSite
from ..values import Known
from ..words import Part, counted, named, words

if TYPE_CHECKING:
    from ..state import State

MAX_SOURCE = 400_000
"""Length of a module that is read [bytes]."""


def missing_import(site: ImportSite, state: State) -> Finding | None:
    """``from module import name`` of a loaded plain module that computes no attributes and lacks the name."""
    module = safe.loaded(site.module)
    if not site.name or type(module) is not types.ModuleType:
        return None
    own = safe.instance_dict(module) or {}
    if site.name in own or not safe.is_plain(own.get("__name__")) or site.name == "*":
        return None
    if "__getattr__" in own and not _is_refused(own["__getattr__"], site.name):
        return None
    if safe.ABSENT is not sys.modules.get("{}.{}".format(own.get("__name__"), site.name), safe.ABSENT):
        return None
    if "__path__" in own and not _has_no_submodule(site, own, state):
        return None
    home = own.get("__file__")
    if not safe.one_of(type(home), (str, type(None))):
        return None
    names = [name for name in own if type(name) is str]
    return _missing_name(site, str(own.get("__name__")), home, names)  # type: ignore[arg-type]


def _missing_name(site: ImportSite, name: str, home: str | None, names: list[str]) -> Finding:
    return Finding(
        rule="imports.missing-name",
        type="ImportError",
        message=words(
            "cannot import name {!r} from {!r} ({})",
            named(site.name),
            named(name) if name == site.module else counted(name),
            Part(home, VALUES) if home else named("unknown location"),
        ),
        because=words("the module {} has no {!r}", named(site.module), named(site.name)),
        crash_type="module not found",
        library=site.module.partition(".")[0],
        close=tuple(close_to(site.name, names)),
        asked=NAMES,
    )


def _is_refused(getter: Any, name: str) -> bool:
    """Whether the ``__getattr__`` of a module, read as far as it can be, knows nothing of a name.

    Known for functions that compare the name with texts, or look it up in tables of texts, and raise for all others.
    """
    if type(getter) is not types.FunctionType or getter.__closure__ is not None:
        return False
    code = getter.__code__
    allowed = {"AttributeError", "__name__", "format", "ImportError"}
    tables = [getter.__globals__.get(each, safe.ABSENT) for each in code.co_names if each not in allowed]
    plain = all(safe.one_of(type(each), (dict, set, frozenset, list, tuple)) and safe.is_plain(each) for each in tables)
    inner = any(type(each) is types.CodeType for each in code.co_consts)
    texts = [each for constant in code.co_consts for each in (constant if type(constant) is tuple else (constant,))]
    held = [each for table in tables if plain for each in table]
    return plain and not inner and "AttributeError" in code.co_names and name not in texts and name not in held


def _has_no_submodule(site: ImportSite, own: dict[str, object], state: State) -> bool:
    """Whether a loaded package certainly has no submodule of this name: then its own attributes decide."""
    if own.get("__name__") != site.module or not _is_settled(state):
        return False
    found = module_places.search([*site.module.split("."), site.name], state.budget)
    return found["found"] is False


def _is_settled(state: State) -> bool:
    """Whether Python looks for modules where they are looked for here: the cell changed neither places nor files."""
    if state.files_may_change or any(doubt.kind != "raises" for doubt in state.doubts):
        return False
    lives = (sys.path, sys.modules, sys.meta_path, sys.path_hooks, sys.path_importer_cache)
    return all(state.live(Known(each)) is each for each in lives)


def missing_module(site: ImportSite, state: State) -> Finding | None:
    """An import of a module that is nowhere on the path; `module_places` looks for it as Python does."""
    if safe.loaded(site.module) is not None or not _is_settled(state):
        return None
    parts = site.module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        if name in sys.modules:
            if sys.modules[name] is None:
                return None
            continue
        found = module_places.search(parts[:end], state.budget)
        if found["found"] is False:
            return _no_module(site, parts[:end], found)
        if found["found"] is None or end < len(parts):
            # Its parent is not loaded: when it is, it may add modules.
            return None
    return None


def _no_module(site: ImportSite, parts: list[str], found: dict[str, Any]) -> Finding | None:
    name, parent = ".".join(parts), ".".join(parts[:-1])
    message = words("No module named {!r}", named(name))
    if parent:
        own = safe.instance_dict(safe.loaded(parent)) or {}
        if type(safe.loaded(parent)) is not types.ModuleType or ("__getattr__" in own and "__path__" not in own):
            return None
        if "__path__" not in own:
            message = words("No module named {!r}; {!r} is not a package", named(name), named(parent))
    project = found.get("project")
    close = [".".join([*parts[:-1], each]) for each in found.get("close", ())]
    return Finding(
        rule="imports.missing-module",
        type="ModuleNotFoundError",
        message=message,
        because=words(
            "no folder that Python looks in has it" + ("; it comes with the project {!r}" if project else ""),
            *([named(project)] if project else []),
        ),
        crash_type="module not found",
        library=parts[0],
        close=tuple(close),
        probe=("module", {"name": name}),
        asked=NAMES,
    )


def missing_in_file(site: ImportSite, state: State) -> Finding | None:
    """``from module import name`` of an installed module that is not loaded, in whose text nothing binds the name."""
    if site.name in ("", "*") or site.module in sys.modules or not _is_settled(state):
        return None
    parts = site.module.split(".")
    place = _place_of(parts, state)
    if place is None or not place.origin.endswith(".py") or "site-packages" not in place.origin:
        return None
    if place.path is not None and _Look(place.path, state.budget).find(site.name, top=False) is not None:
        return None
    names = _bound_names(place.origin)
    if names is None or site.name in names:
        return None
    return _missing_name(site, site.module, place.origin, sorted(names))


def _place_of(parts: list[str], state: State) -> Any:
    """Return where a module that is not loaded lies, as Python's own finders find it."""
    found = module_places.search(parts[:1], state.budget)
    if found.get("found") is not True or found.get("unknown"):
        return None
    folders = [each for each in sys.path if type(each) is str]
    place = None
    for place_in_name, name in enumerate(parts):
        look = _Look(folders, state.budget)
        place = look.find(name, top=place_in_name == 0)
        if place is None or look.doubts or place.kind not in ("package", "module"):
            return None
        folders = place.path or []
    return place


def _bound_names(path: str) -> set[str] | None:
    """Return every name that the text of a module could bind; None if it could bind any name, or compute names."""
    try:
        with open(path, "rb") as file:
            source = file.read(MAX_SOURCE + 1)
        tree = ast.parse(source) if len(source) <= MAX_SOURCE else None
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if tree is None:
        return None
    names = {"__name__", "__doc__", "__file__", "__loader__", "__spec__", "__package__", "__builtins__", "__cached__"}
    names |= {"__path__", "__annotations__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if any(alias.name == "*" for alias in node.names):
                return None
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and node.attr in ("modules", "__dict__", "import_module"):
            return None
    return None if names & _COMPUTING else names


_COMPUTING = frozenset(
    "globals exec eval setattr vars locals __getattr__ __import__ import_module lazy_loader attach _LazyModule".split()
)

RULES = {ImportSite: [missing_import, missing_module, missing_in_file]}
