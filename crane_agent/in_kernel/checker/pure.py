"""What is known not to raise, with the value it has and what it changes; and what happens when that is not known.

An entry here is a promise: with these operands the library cannot raise, and changes nothing but what is followed. It
is made only for exact types, from the library's documentation or source, named at the entry.
"""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any, Callable

from .. import safe
from ..privacy import SCHEMA
from ..probes import frames
from . import library
from .effects import changed_by_call, changed_by_operation, touch_in_place
from .elements import elements, size
from .questions import about_call, item_path
from .sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from .state import State
from .values import UNKNOWN, Elements, Foreign, Instance, Known, Made, Value, as_element, of_element
from .words import highest, lowest

Run = Callable[..., Value]
"""`Expressions._run`."""

MAX_ARGUMENT = 5000
MANY = 2**31

# Built-in functions that, on exact built-in values, do nothing but return a value. Source: the Python library
# reference, "Built-in Functions".
_FUNCTIONS = frozenset(
    [
        "abs",
        "bin",
        "bool",
        "bytes",
        "chr",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "float",
        "frozenset",
        "hash",
        "hex",
        "int",
        "len",
        "list",
        "max",
        "min",
        "oct",
        "ord",
        "pow",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
    ]
)
# Methods of exact built-in values that change nothing. Source: the Python library reference, "Built-in Types".
_PURE_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "count",
            "encode",
            "endswith",
            "find",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "translate",
            "upper",
        ]
    ),
    bytes: frozenset(["decode", "split", "strip", "startswith", "endswith", "find", "join", "replace"]),
    tuple: frozenset(["count", "index"]),
    list: frozenset(["count", "index", "copy"]),
    dict: frozenset(["copy", "get"]),
    set: frozenset(["copy", "difference", "intersection", "issubset", "issuperset", "union"]),
    frozenset: frozenset(["difference", "intersection", "union"]),
}
_CHANGING_METHODS: dict[type, frozenset[str]] = {
    list: frozenset(["append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort"]),
    dict: frozenset(["pop", "setdefault", "update", "clear", "popitem"]),
    set: frozenset(["add", "discard", "remove", "clear", "update"]),
}

# -- reading -------------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Return the value of an attribute that is read without raising, or None if that is not known."""
    owner: Any = state.live(site.owner)
    if owner is safe.ABSENT:
        is_text = type(site.owner) is Made and site.owner.kind == "text"
        return UNKNOWN if is_text and site.name in _PURE_METHODS[str] and site.name in str.__dict__ else None
    try:
        found = safe.attribute(owner, site.name)
    except safe.Refused:
        return None
    if found is safe.ABSENT:
        return None
    path = site.owner.path if type(site.owner) is Known else None
    return Known(found, None if path is None else "{}.{}".format(path, site.name))


def item(site: SubscriptSite, state: State) -> Value | None:
    """Return ``owner[key]`` where it cannot raise, or None if that is not known."""
    owner: Any = state.live(site.owner)
    key: Any = state.plain(site.key)
    if site.context == "del":
        return _delete_item(site, state)
    kind = type(owner)
    if safe.one_of(kind, (list, tuple, str, bytes, range, dict)) and key is not safe.ABSENT:
        return _builtin_item(site, owner, key, state)
    return None


def _builtin_item(site: SubscriptSite, owner: Any, key: Any, state: State) -> Value | None:
    if type(owner) is dict:
        if not safe.one_of(type(key), safe.SCALARS) or not safe.has_plain_keys(owner) or key not in owner:
            return None
        found = owner[key]
    else:
        try:
            found = owner[key]
        except (IndexError, TypeError, ValueError):
            return None
    here = item_path(site.owner, key, state.level(site.key), state)
    return of_element(found, here, state.level(site.owner))


def _delete_item(site: SubscriptSite, state: State) -> Value | None:
    key: Any = state.plain(site.key)
    if key is not safe.ABSENT and safe.one_of(type(state.live(site.owner)), (list, dict)):
        copy = state.writable(site.owner)
        if copy is not safe.ABSENT and (type(copy) is list or safe.one_of(type(key), safe.SCALARS)):
            # The rules have seen to it that the item is there.
            del copy[key]
            return UNKNOWN
    state.touch(site.owner)
    return None


# -- writing -------------------------------------------------------------------------------------------------------


def store_item(site: SubscriptSite, value: Value, state: State) -> None:
    """Follow ``owner[key] = value``."""
    key: Any = state.plain(site.key)
    owner: Any = state.live(site.owner)
    if safe.one_of(type(owner), (list, dict)) and safe.one_of(type(key), safe.SCALARS):
        copy = state.writable(site.owner)
        if copy is not safe.ABSENT:
            if type(copy) is dict:
                copy[key] = as_element(value)
                return
            if type(copy) is list and type(key) is int and -len(copy) <= key < len(copy):
                copy[key] = as_element(value)
                return
    touch_in_place(site.owner, state)
    changed_by_operation(site.node, "an assignment to an item that is not followed", state, site.owner, site.key, value)


# -- calling -------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State, run: Run) -> Value | Finding | None:
    """Return what a call returns where it cannot raise anything but what Python itself shows, else None."""
    if not site.complete:
        return None
    callee = state.live(site.callee)
    name = builtin_name(callee)
    if name == "print":
        return _print(site, state)
    if name in (
        "globals",
        "locals",
        "vars",
        "dir",
        "exec",
        "eval",
        "input",
        "open",
        "__import__",
        "setattr",
        "delattr",
    ):
        return None
    if name == "len" and len(site.arguments) == 1 and not site.keywords:
        return _length(site, state, run)
    if name == "isinstance" or name == "type":
        return _type_of(site, name, state)
    if _depends_on_order(site, name, state):
        return None
    arguments = [_iterated(argument, name, state) for argument in site.arguments]
    keywords = {key: state.plain(value, MAX_ARGUMENT) for key, value in site.keywords.items()}
    plain = safe.ABSENT not in arguments and safe.ABSENT not in keywords.values()
    level = state.level(*site.arguments, *site.keywords.values())
    if name in _FUNCTIONS and plain and not _is_large(name, arguments) and _is_free_of_codecs(name, site):
        found = run(site.node, lambda: callee(*arguments, **keywords), level)  # type: ignore[operator]
        iterator = state.live(found)
        if safe.one_of(type(iterator), (enumerate, zip, reversed, type(reversed([])))):
            if keywords:
                return None
            items = list(iterator)  # type: ignore[call-overload]
            return Made("iterator", items=items, made_at=state.changes(), level=level, over=tuple(site.arguments))
        return found
    if name in ("enumerate", "zip", "iter") and not site.keywords and site.arguments:
        return _paired(name, site, state)
    return _method_of_builtin(site, state, run, arguments, keywords, plain)


def builtin_name(callee: object) -> str:
    """Return the name under which `callee` is one of Python's own built-ins, or ''."""
    name = getattr(callee, "__name__", "") if safe.one_of(type(callee), (safe.BuiltinFunctionType, type)) else ""
    return name if type(name) is str and builtins.__dict__.get(name, safe.ABSENT) is callee else ""


def _iterated(value: Value, name: str, state: State) -> Any:
    """Return an argument of a built-in as an exact built-in; a view or iterator as the list of what it yields."""
    if type(value) is Made and value.kind in ("view", "iterator") and name in ("list", "tuple", "sorted", "set", "len"):
        found = elements(state, value)
        items = None if found is None else [state.plain(each) for each in found]
        return safe.ABSENT if items is None or safe.ABSENT in items else items
    return state.plain(value, MAX_ARGUMENT)


def _paired(name: str, site: CallSite, state: State) -> Value | None:
    """Settle ``enumerate(x)``, ``zip(x, y)`` and ``iter(x)`` over elements of which at least the first are known."""
    start = 0
    arguments = site.arguments
    if name == "enumerate" and len(arguments) == 2:
        given = state.plain(arguments[1])
        if type(given) is not int:
            return None
        start, arguments = given, arguments[:1]
    if not arguments or (name != "zip" and len(arguments) != 1):
        return None
    if name != "iter" and any(_runs_code(each, state) for each in arguments):
        return Made("pairs", name=name, start=start, over=tuple(arguments), holds=Foreign("builtins", tuple(arguments)))
    return _pairs(name, start, arguments, site.node, state)


def pairs(value: Made, node: ast.AST, state: State) -> Value | None:
    """Return an iterator over what ``enumerate`` or ``zip`` gives, where it is iterated over, which runs code."""
    if value.facts.get("used"):
        return None
    value.facts["used"] = True
    return _pairs(value.facts["name"], value.facts["start"], value.facts["over"], node, state)


def _runs_code(value: Value, state: State) -> bool:
    """Whether iterating over a value may run code of the user's, and raise what that raises."""
    if type(value) is Made:
        return value.kind in ("generator", "lazy", "pairs")
    found = state.live(value)
    of_torch = safe.is_exactly(found, "torch.utils.data.dataloader", "DataLoader")
    return type(value) is Instance or of_torch or (found is not safe.ABSENT and state.is_users(type(found)))


def _pairs(name: str, start: int, arguments: Any, node: ast.AST, state: State) -> Value | None:
    rows = [_first_of(value, node, state) for value in arguments]
    if any(row is None for row in rows):
        return None
    found = [row.found for row in rows if row is not None]
    shortest = min(len(row) for row in found)
    # The shortest ends a zip; of one that is not whole it is not known how long it is.
    complete = all(row.complete for row in rows if row) or any(
        row.complete and len(row.found) == shortest for row in rows if row
    )
    if not shortest and not complete:
        return None
    if name == "enumerate":
        items: list[Any] = [(place, as_element(each)) for place, each in enumerate(found[0], start)]
    elif name == "iter":
        items = [as_element(each) for each in found[0]]
    else:
        items = [tuple(map(as_element, row)) for row in zip(*found)]
    made_at, level = state.changes(), state.level(*arguments)
    return Made("iterator", items=items, complete=complete, made_at=made_at, level=level, over=tuple(arguments))


def _first_of(value: Value, node: ast.AST, state: State) -> Elements | None:
    found = state.iterated(node, value)
    return found if found.found or found.complete else None


def _depends_on_order(site: CallSite, name: str, state: State) -> bool:
    """Whether the result depends on the order of a set, which a set made here need not share."""
    if name in ("len", "bool", "set", "frozenset", "min", "max") or safe.one_of(
        type(state.live(site.owner)), (set, frozenset)
    ):
        return False
    return any(
        safe.one_of(type(state.live(each)), (set, frozenset)) and len(state.live(each)) > 1  # type: ignore[arg-type]
        for each in site.arguments
    )


def _is_free_of_codecs(name: str, site: CallSite) -> bool:
    """Whether a built-in looks up no codec: that may import one, or run the user's."""
    return name not in ("str", "bytes") or (len(site.arguments) <= 1 and not site.keywords)


def _is_large(name: str, arguments: list[Any]) -> bool:
    if name == "round" and len(arguments) > 1:
        return type(arguments[1]) is not int or abs(arguments[1]) > MAX_ARGUMENT
    if name in ("range", "slice", "str", "repr", "len", "bool", "hash"):
        return False
    return (
        _has_long_range(arguments)
        or name == "pow"
        or (
            name in ("bytes", "bin", "oct", "hex")
            and any(type(each) is int and abs(each) > MAX_ARGUMENT for each in arguments)
        )
    )


def _has_long_range(arguments: list[Any]) -> bool:
    """Whether one is a range, or a container with a range in it, that takes long to run through."""
    inner = [part for each in arguments if safe.one_of(type(each), (list, tuple)) for part in each]
    return any(type(each) is range and size(each) > MAX_ARGUMENT for each in [*arguments, *inner])


def _print(site: CallSite, state: State) -> Value | None:
    """Settle ``print`` of exact built-ins and text to the kernel's own output stream."""
    if site.keywords and not set(site.keywords) <= {"sep", "end"}:
        return None
    stream = safe.instance_dict(sys.stdout) or {}
    if not safe.comes_from(safe.in_type(type(sys.stdout), "write"), "ipykernel") or "write" in stream:
        return None
    if stream.get("pub_thread") is None or stream.get("_hooks"):
        # It is closed, or the user's code sees what is printed.
        return None
    for each in [*site.arguments, *site.keywords.values()]:
        found = state.live(each)
        if type(each) is Made and each.kind in ("text", "bool", "number"):
            continue
        if state.plain(each, MAX_ARGUMENT) is safe.ABSENT:
            if isinstance(library.ask("format", state, ValueSite(site.node, each)), Value):
                continue
            return None
        if type(found) is str and not found.isascii() and _has_surrogates(found):
            return None
    for each in site.keywords.values():
        if not safe.one_of(type(state.live(each)), (str, type(None))):
            return None
    return Known(None)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _length(site: CallSite, state: State, run: Run) -> Value | Finding | None:
    found: Any = state.live(site.arguments[0])
    level = lowest(state.level(site.arguments[0]), SCHEMA)
    table = (frames.is_frame(found) or frames.is_series(found)) and state.is_as_shipped(type(found))
    if table or safe.one_of(type(found), (list, tuple, dict, set, str, frozenset)):
        return Known(len(found), level=level)
    if safe.is_exactly(found, "numpy", "ndarray") and len(found.shape):
        return Known(int(found.shape[0]), level=level)
    plain = state.plain(site.arguments[0])
    if plain is safe.ABSENT:
        return library.ask("length", state, ValueSite(site.node, site.arguments[0]))
    return run(site.node, lambda: len(plain), level)


def _type_of(site: CallSite, name: str, state: State) -> Value | None:
    wanted = 1 if name == "type" else 2
    if len(site.arguments) != wanted or site.keywords:
        return None
    if name == "type":
        found = state.live(site.arguments[0])
        return None if found is safe.ABSENT else Known(type(found))
    classes = state.live(site.arguments[1])
    found = state.plain(site.arguments[0])
    if found is safe.ABSENT or not safe.one_of(type(classes), (type, tuple)):
        return None
    if any(type(each) is not type for each in (classes if type(classes) is tuple else (classes,))):
        return None
    return Known(isinstance(found, classes))  # type: ignore[arg-type]


def _method_of_builtin(
    site: CallSite, state: State, run: Run, arguments: list[Any], keywords: dict[str, Any], plain: bool
) -> Value | None:
    owner: Any = state.live(site.owner)
    if site.owner is None or owner is safe.ABSENT:
        return None
    kind = type(owner)
    if _has_long_range(arguments) or (site.method in ("encode", "decode") and (arguments or keywords)):
        return None
    if kind is dict and site.method in ("items", "keys", "values") and not arguments and not keywords:
        return Made("view", owner=site.owner, method=site.method)
    if (
        site.method in _methods(_PURE_METHODS, kind)
        and plain
        and state.plain(site.owner, MAX_ARGUMENT) is not safe.ABSENT
    ):
        asked = state.level(*site.arguments, *site.keywords.values())
        level = highest(asked, state.level(site.owner))
        return run(site.node, lambda: getattr(owner, site.method)(*arguments, **keywords), level, asked)
    if site.method in _methods(_CHANGING_METHODS, kind) and not site.keywords:
        return _change(site, state, run, plain)
    return None


def methods(kind: type) -> frozenset[str]:
    """Return the methods of an exact built-in class that only return a value; none for any other class."""
    return _methods(_PURE_METHODS, kind)


def _methods(table: dict[type, frozenset[str]], kind: type) -> frozenset[str]:
    # By identity: looking a class up by its hash would ask the user's metaclass for it.
    return next((names for each, names in table.items() if each is kind), frozenset())


def _change(site: CallSite, state: State, run: Run, plain: bool) -> Value | None:
    before = state.live(site.owner)
    asked = state.level(*site.arguments)
    level = highest(asked, state.level(site.owner))
    appends = site.method == "append" and type(before) is list and len(site.arguments) == 1
    if not appends and not (plain and state.plain(site.owner, MAX_ARGUMENT) is not safe.ABSENT):
        state.touch(site.owner)
        return None
    assert site.owner is not None
    copy = state.writable(site.owner)
    if copy is safe.ABSENT:
        return None
    # What is put in is itself, and what is only read is read as it is at this point.
    read = site.method in ("extend", "update")
    added = [state.live(value) if read else as_element(value) for value in site.arguments]
    return run(site.node, lambda: getattr(copy, site.method)(*added), level, asked)


# -- not settled ---------------------------------------------------------------------------------------------------


def unsettled(site: CallSite, state: State) -> Value:
    """Note what a call that cannot be followed may do, and what a probe could tell about it."""
    about_call(site, state.live(site.callee), state)
    return changed_by_call(site, _words(site), state)


def _words(site: CallSite) -> str:
    func = site.node.func
    if isinstance(func, ast.Name):
        return "{}()".format(func.id)
    return "{}()".format("." + func.attr if isinstance(func, ast.Attribute) else "a call")
