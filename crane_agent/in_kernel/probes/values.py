"""One live value, whatever it is."""

from __future__ import annotations

import collections
import io
import types
from typing import Any, Callable, Dict, Optional

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import sklearn_estimators, tensors
from . import arrays, callables, estimators, frames, models

MOST_ELEMENTS = 10000
"""Elements of a sequence whose types are counted, from its start."""


def describe(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe the value at `path`: its type, and by kind its shape, columns, keys, length or attributes."""
    value = paths.resolve(path, shell.user_ns)
    return dict({"path": path, "type": safe.type_name(value)}, **_by_kind(value, budget))


def _by_kind(value: Any, budget: safe.Budget) -> dict[str, Any]:
    kind = type(value)
    if frames.is_frame(value):
        return frames.facts(value, budget)
    if frames.is_series(value):
        return frames.series_facts(value)
    if tensors.is_array(value):
        return arrays.facts(value)
    if models.is_torch_module(value):
        return {"kind": "torch module", "training": (safe.instance_dict(value) or {}).get("training") is True}
    if sklearn_estimators.is_estimator(value):
        return estimators.facts(value, budget)
    for facts in _KINDS:
        found = facts(value, kind, budget)
        if found is not None:
            return found
    if callables.is_callable(value):
        return {"kind": "callable"}
    return _object_facts(value, kind, budget)


Facts = Optional[Dict[str, Any]]


def _scalar(value: Any, kind: type, budget: safe.Budget) -> Facts:
    if safe.one_of(kind, (int, float, bool, type(None))):
        return {"kind": "scalar", "value": safe.number(value)}
    if kind is complex or kind is type(Ellipsis):
        return {"kind": "scalar"}
    if safe.one_of(kind, (str, bytes)):
        return {"kind": "text", "length": len(value), "value": safe.text(value)}
    if safe.inherits(kind, safe.loaded("numpy", "generic")) and safe.is_from(kind, "numpy"):
        return _number_of_numpy(value, kind)
    if any(safe.is_exactly(value, module, name) for module, name in _SCALARS_OF_PANDAS):
        return {"kind": "scalar", "is_missing": safe.class_name(kind) in ("NAType", "NaTType")}
    return None


_SCALARS_OF_PANDAS = (
    ("pandas._libs.missing", "NAType"),
    ("pandas._libs.tslibs.nattype", "NaTType"),
    ("pandas", "Timestamp"),
    ("pandas", "Timedelta"),
    ("pandas", "Period"),
    ("pandas", "Interval"),
)


def _number_of_numpy(value: Any, kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "scalar", "dtype": str(value.dtype)}
    if value.dtype.kind in "biuf" and value.dtype.char != "g":
        found["value"] = value.item()
    elif value.dtype.kind in "US":
        found.update(length=len(value), value=safe.text(value.item()))
    elif value.dtype.kind in "mM":
        found["value"] = str(value)
    return found


def _container(value: Any, kind: type, budget: safe.Budget) -> Facts:
    if kind is dict:
        return _dict_facts(value, budget)
    if safe.one_of(kind, (list, tuple, set, frozenset)):
        return _sequence_facts(value, len(value), budget)
    if kind is collections.deque:
        return dict(_sequence_facts(value, len(value), budget), most=_MAXLEN(value))
    if kind is range:
        return {"kind": "range", "length": _length(value), "range": [value.start, value.stop, value.step]}
    if kind is slice:
        return {"kind": "slice", "range": [safe.number(each) for each in (value.start, value.stop, value.step)]}
    fields = safe.in_type(kind, "_fields") if safe.inherits(kind, tuple) else None
    if type(fields) is tuple and safe.only_texts(fields):
        inner = list(tuple.__iter__(value))
        types = {name: safe.type_name(each) for name, each in list(zip(fields, inner))[: budget.items]}
        return {"kind": "named tuple", "length": len(inner), "fields": types, "truncated": len(fields) > budget.items}
    if safe.inherits(kind, dict) and safe.in_type(kind, "__getitem__") is vars(dict)["__getitem__"]:
        return _dict_facts(value, budget)
    return None


_MAXLEN: Any = vars(collections.deque)["maxlen"].__get__


def _length(value: range) -> int | None:
    try:
        return len(value)
    except OverflowError:
        return None


def _dict_facts(value: Any, budget: safe.Budget) -> dict[str, Any]:
    count = dict.__len__(value)
    keys = [key for key in safe.first(dict.keys(value), budget.items) if safe.one_of(type(key), safe.SCALARS)]
    return {
        "kind": "dict",
        "length": count,
        "keys": [safe.text(key, 80) for key in keys],
        "truncated": len(keys) < count,
    }


def _sequence_facts(value: Any, length: int, budget: safe.Budget) -> dict[str, Any]:
    counts: dict[str, int] = {}
    try:
        sample = safe.first(value, MOST_ELEMENTS)
    except RuntimeError:
        raise safe.Refused("could not look, because it is being changed") from None
    for each in sample:
        name = safe.type_name(each)
        counts[name] = counts.get(name, 0) + 1
    common = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[: budget.items]
    return {"kind": "sequence", "length": length, "element_types": dict(common), "looked_at": len(sample)}


# -- What runs, or is read bit by bit ---------------------------------------------------------------------------------


def _generator(value: Any, kind: type, budget: safe.Budget) -> Facts:
    """Tell how far a generator has come, without advancing it; of a coroutine only which function made it."""
    if kind is types.CoroutineType:
        return {"kind": "coroutine", "defined_as": value.cr_code.co_name}
    if kind is types.AsyncGeneratorType:
        return {"kind": "async generator", "defined_as": value.ag_code.co_name}
    if kind is not types.GeneratorType:
        return None
    frame = value.gi_frame
    line = None if frame is None else frame.f_lineno
    return {"kind": "generator", "defined_as": value.gi_code.co_name, "state": _state(value, frame), "at_line": line}


def _state(generator: Any, frame: Any) -> str:
    """Return where a generator stands. Source: CPython, `inspect.getgeneratorstate`."""
    if generator.gi_running:
        return "running"
    if frame is None:
        return "finished"
    # Since Python 3.11 it is told by name.
    is_fresh = not generator.gi_suspended if hasattr(types.GeneratorType, "gi_suspended") else frame.f_lasti == -1
    return "not started" if is_fresh else "suspended"


_ITERATORS: tuple[Any, ...] = (
    *(
        enumerate,
        zip,
        map,
        filter,
        reversed,
        type(reversed([])),
        type(iter([])),
        type(iter(())),
        type(iter({})),
        type(iter(set())),
    ),
    *(type(iter({}.values())), type(iter({}.items())), type(iter("")), type(iter(range(0))), type(iter(b""))),
)


def _iterator(value: Any, kind: type, budget: safe.Budget) -> Facts:
    found = safe.one_of(kind, _ITERATORS) or safe.class_module(kind) in ("itertools",)
    return {"kind": "iterator"} if found else None


_BUFFERS = (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)


def _stream(value: Any, kind: type, budget: safe.Budget) -> Facts:
    """Tell of an open file its name, mode, and how much was taken from it so far; its place is not moved."""
    if safe.one_of(kind, (io.BytesIO, io.StringIO)):
        closed = _of_stream(value, kind, "closed")
        return {"kind": "stream", "closed": closed, "position": None if closed else kind.tell(value)}  # type: ignore[attr-defined]
    raw = value
    if kind is io.TextIOWrapper:
        raw = _of_stream(raw, kind, "buffer")
    if safe.one_of(type(raw), _BUFFERS):
        raw = _of_stream(raw, type(raw), "raw")
    if raw is None:
        return {"kind": "file", "detached": True}
    if type(raw) is not io.FileIO:
        return None
    closed = _of_stream(raw, io.FileIO, "closed")
    own = safe.instance_dict(raw) or {}
    name, mode = own.get("name"), (safe.instance_dict(value) or {}).get("mode")
    return {
        "kind": "file",
        "file_name": safe.text(name, 500) if type(name) is str else None,
        "mode": mode if type(mode) is str else _of_stream(raw, io.FileIO, "mode"),
        "closed": closed,
        "position": None if closed else _place(raw),
    }


def _of_stream(value: Any, kind: type, name: str) -> Any:
    """Return what a stream of exactly this class keeps under `name`: its class reads it in C."""
    return vars(kind)[name].__get__(value, kind)


def _place(raw: Any) -> int | None:
    try:
        return int(io.FileIO.tell(raw))
    except (OSError, ValueError):
        return None


# -- Objects of classes -----------------------------------------------------------------------------------------------


def _class_kind(value: Any, kind: type, budget: safe.Budget) -> Facts:
    """Tell of a class that it is one; of an enumeration, or a member of one, the names of the members."""
    if safe.inherits(kind, types.ModuleType):
        return _module_facts(value)
    meta = safe.loaded("enum", "EnumMeta")
    if safe.inherits(kind, meta):
        members: Any = safe.class_dict(value).get("_member_map_")
        if type(members) is dict and safe.keeps_texts(members):
            names = list(members)
            return {"kind": "enumeration", "members": names[: budget.items], "truncated": len(names) > budget.items}
    if safe.inherits(type(kind), meta):
        own = (safe.instance_dict(value) or {}).get("_name_")
        return {"kind": "member of an enumeration", "member": own if type(own) is str else None}
    if safe.inherits(kind, type):
        return {"kind": "class", "named": safe.qualified_name(value)}
    return None


def _module_facts(value: Any) -> dict[str, Any]:
    own = safe.instance_dict(value) or {}
    version, origin = own.get("__version__"), own.get("__file__")
    found = {"kind": "module", "named": own.get("__name__") if type(own.get("__name__")) is str else None}
    return dict(
        found,
        version=safe.text(version, 50) if type(version) is str else None,
        origin=safe.text(origin, 500) if type(origin) is str else None,
    )


def _object_facts(value: Any, kind: type, budget: safe.Budget) -> dict[str, Any]:
    own = dict(safe.instance_dict(value) or {})
    shown = {name: safe.type_name(own[name]) for name in sorted(own)[: budget.items]}
    found = {"kind": "object", "attributes": shown, "truncated": len(own) > budget.items}
    fields = safe.in_type(kind, "__dataclass_fields__")
    if type(fields) is dict and safe.keeps_texts(fields):
        found.update(kind="data class", fields={name: shown.get(name) for name in list(fields)[: budget.items]})
    return found


_KINDS: tuple[Callable[[Any, type, safe.Budget], Facts], ...] = (
    *(_scalar, _container, _generator, _iterator, _stream, _class_kind),
)

FIELDS = {
    "path": Field(NAMES, "the path asked about"),
    "type": Field(NAMES, "type of the value"),
    "kind": Field(NAMES, "kind of value: frame, tensor, text ..."),
    "attributes": Field(NAMES, "names of an object's own attributes with their types"),
    "length": Field(SCHEMA, "number of elements, characters or rows"),
    "keys": Field(SCHEMA, "keys of a dict"),
    "element_types": Field(SCHEMA, "types of the elements with counts"),
    "looked_at": Field(SCHEMA, "how many elements a scan looked at"),
    "value": Field(VALUES, "a number, or the start of a text"),
    "is_missing": Field(NAMES, "whether it stands for a missing value"),
    "most": Field(SCHEMA, "the length that it cannot exceed"),
    "fields": Field(NAMES, "fields of a named tuple or data class with types; null: not set"),
    "defined_as": Field(NAMES, "name of the function that made it"),
    "state": Field(NAMES, "not started, suspended, running or finished"),
    "closed": Field(NAMES, "whether a file is closed"),
    "detached": Field(NAMES, "whether a file has been taken apart"),
    "position": Field(SCHEMA, "bytes or characters taken from a file so far, read-ahead included"),
    "file_name": Field(SCHEMA, "name of an open file"),
    "mode": Field(SCHEMA, "mode of an open file"),
    "members": Field(NAMES, "names of the members of an enumeration"),
    "member": Field(NAMES, "name of a member of an enumeration"),
    "named": Field(NAMES, "name of a class or module"),
}
PROBES = {"describe": describe}
