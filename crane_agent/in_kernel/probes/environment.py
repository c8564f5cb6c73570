"""Modules of the environment: loaded or not, to be found or not, which version; and the machine the kernel runs on.

Nothing is imported, and no finder is called (`module_places` says how modules are looked for).
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from .. import safe
from ..likeness import close_to
from ..privacy import NAMES, SCHEMA, Field
from ..readers import module_places

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
    found = module_places.search(parts, budget)
    if names:
        found["unknown"] = found.get("unknown", "which names it has, because it is not loaded")
    return dict(found, name=name, loaded=False)


# -- Loaded modules ----------------------------------------------------------------------------------------------------


def _loaded(name: str, entry: object, budget: safe.Budget) -> dict[str, Any]:
    own = module_places.namespace(entry)
    home = own.get("__file__")
    version = own.get("__version__")
    found: dict[str, Any] = {"name": name, "loaded": True, "found": True, "version": None}
    if type(home) is str:
        found["origin"] = module_places.origin(home)
    if type(version) is str:
        found["version"] = version[:100]
    elif "." not in name and type(home) is str:
        folder = os.path.dirname(os.path.dirname(home) if module_places.is_package(own) else home)
        found.update(module_places.installed(name, module_places.Listing.of(folder)))
    return found


def _names_in(name: str, entry: object, names: list[str], budget: safe.Budget) -> dict[str, Any]:
    """Say which names are no attributes of a loaded module, and which of those are submodules to be imported first."""
    if type(names) is not list or not safe.only_texts(names):
        raise safe.Refused("could not look, because names is a list of texts")
    if not names:
        return {}
    own = module_places.namespace(entry)
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
    return (
        module_places.is_package(own)
        and each.isidentifier()
        and module_places.search([*name.split("."), each], budget)["found"] is True
    )


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
