"""Python's standard library, and what Python's own types do with values that are not all plain.

Functions that only compute are called with what they are handed (`standard_tables`); of random numbers and clocks the
type is told; iterators are run through if they are short.

To add a function that only computes, put it into `standard_tables`.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
import types
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import SCHEMA
from ..elements import elements
from ..operations import BINARY, COMPARISONS
from ..sites import AttributeSite, CallSite, CompareSite, Finding, OperatorSite, SubscriptSite, UnarySite, ValueSite
from ..values import UNKNOWN, Elements, Foreign, Hole, Known, Like, Made, Method, Value, as_element, of_element
from . import array_forms, running
from . import standard_tables as tables

if TYPE_CHECKING:
    from ..state import State

LIBRARY = ""

MAX_ELEMENTS = 5000
MAX_ITEMS = 500
MAX_TEXT = 2000
MAX_TRIES = 100_000
"""Places that a pattern may be tried at."""

# Compiled here: the functions of `re` would keep them in the cache of the kernel's.
_WIDE = re.compile(r"\d{4}")
_NESTED = re.compile(r"\)[*+?{]|\\\d|\(\?(?!P<|:)")
_BY_CONTENT = re.compile(r"%[^a-zA-Z%]*[dioxXuc]")
_REPEATED = re.compile(r"[*+?{]")
_SPECIAL = re.compile(r"[\\()\[\]{}*+?|]")


# -- operands ----------------------------------------------------------------------------------------------------------


def _class(module: str, name: str) -> Any:
    return safe.loaded(module, name)


def is_date(value: object) -> bool:
    """Whether `value` is exactly a date, a time or a time difference without a time zone of another's."""
    if safe.class_module(type(value)) != "datetime":
        return False
    if not any(safe.is_exactly(value, "datetime", name) for name in ("datetime", "date", "timedelta", "time")):
        return False
    zone = value.tzinfo if safe.class_name(type(value)) in ("datetime", "time") else None  # type: ignore[attr-defined]
    return zone is None or type(zone) is _class("datetime", "timezone")


def real(value: Value | None, state: State, depth: int = 3) -> Any:
    """Return an object that Python itself may compute with, and that is known; else `safe.ABSENT`."""
    plain = state.plain(value, MAX_ELEMENTS)
    if plain is not safe.ABSENT:
        return plain
    found: Any = state.live(value)
    if found is safe.ABSENT:
        return safe.ABSENT
    if is_date(found) or (safe.loaded("numpy") is not None and array_forms.is_scalar(found)):
        return found
    if _is_counted(found):
        return found
    if safe.loaded("numpy") is not None and array_forms.is_array(found) and found.size <= MAX_ELEMENTS:
        return found
    if type(found) is dict and depth and len(found) <= MAX_ITEMS and safe.has_plain_keys(found):
        held = {key: real(of_element(each), state, depth - 1) for key, each in found.items()}
        return safe.ABSENT if any(each is safe.ABSENT for each in held.values()) else held
    if not safe.one_of(type(found), (list, tuple)) or not depth or len(found) > MAX_ITEMS:
        return safe.ABSENT
    inner = [real(of_element(each), state, depth - 1) for each in found]
    return safe.ABSENT if any(each is safe.ABSENT for each in inner) else type(found)(inner)


def _is_counted(value: Any) -> bool:
    """Whether `value` is exactly a Counter, an OrderedDict or a deque of plain elements."""
    if safe.class_module(type(value)) != "collections":
        return False
    for name in ("Counter", "OrderedDict"):
        if safe.is_exactly(value, "collections", name) and dict.__len__(value) <= MAX_ELEMENTS:
            pairs = list(dict.items(value))
            return all(safe.is_plain(key) and safe.is_plain(each) for key, each in pairs)
    if safe.is_exactly(value, "collections", "deque") and len(value) <= MAX_ELEMENTS:
        return all(safe.is_plain(each) for each in value)
    return False


def kind_of(value: Value | None, state: State) -> Any:
    """Return the exact type of a number or a text, also of one that is derived; None if that is not known."""
    found = state.live(value)
    if safe.one_of(type(found), (int, float, bool, str)):
        return type(found)
    if type(value) is Made:
        if value.kind == "number":
            kind: Any = value.facts.get("type")
            return kind if safe.one_of(kind, (int, float)) else None
        return {"bool": None, "text": str}.get(value.kind)
    if type(value) is Like:
        form = state.form(value)
        return type(form) if safe.one_of(type(form), (int, float, str)) else None
    return None


_SAMPLES: dict[Any, Any] = {int: 1, float: 1.0, str: "a", bool: True}


def _content(compute: Callable[[], object], level: str, result: Any = None) -> Value | Finding | None:
    found = running.content(compute, "python", level, "", Known if result is None else result)
    if type(found) is Known and type(found.object) is str and len(found.object) > 100_000:
        return Made("text")
    return found


# -- operators ---------------------------------------------------------------------------------------------------------

_FOLLOWED: tuple[type, ...] = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_OPERATORS = {kind: BINARY[kind] for kind in _FOLLOWED}


def binary(site: OperatorSite, state: State) -> Value | Finding | None:
    """Compute with dates, and with numbers and texts of which only the type is known; format with ``%``."""
    run = _OPERATORS.get(type(site.op))
    if run is None:
        return None
    left, right = state.live(site.left), state.live(site.right)
    if type(site.op) is ast.Mod and type(left) is str:
        return _percent(left, site, state)
    if is_date(left) or is_date(right):
        pair = real(site.left, state), real(site.right, state)
        if not any(each is safe.ABSENT for each in pair):
            return _content(lambda: run(*pair), state.level(site.left, site.right))
    return _of_dates(run, site, state) or _of_types(run, site, state)


def _of_dates(run: Any, site: Any, state: State) -> Value | Finding | None:
    """Compute with the present time, or with a difference to it."""
    pair = [_date(each, state) for each in (site.left, site.right)]
    if not any(is_date(each) for each in pair) or any(each is safe.ABSENT for each in pair):
        return None
    answer = _content(lambda: run(*pair), SCHEMA)
    if type(answer) is Known and is_date(answer.object):
        state.may_raise(site.node, "a date may be out of range")
        return Like(answer.object)
    if isinstance(answer, Finding) and answer.type == "TypeError":
        return answer
    state.may_raise(site.node, "an operator on a date")
    return Foreign("builtins")


def _date(value: Value, state: State) -> Any:
    if type(value) is Like and is_date(value.object):
        return value.object
    return real(value, state)


def _of_types(run: Any, site: OperatorSite, state: State) -> Value | Finding | None:
    kinds = kind_of(site.left, state), kind_of(site.right, state)
    if None in kinds:
        return None
    texts = [kind is str for kind in kinds]
    known = [state.live(each) is not safe.ABSENT for each in (site.left, site.right)]
    if all(known):
        return None
    if any(texts):
        if all(texts):
            return Made("text") if run is operator.add else None
        if run is operator.add:
            return _content(lambda: run(_SAMPLES[kinds[0]], _SAMPLES[kinds[1]]), SCHEMA)
        return None
    if run in (operator.truediv, operator.floordiv, operator.mod):
        divisor = state.live(site.right)
        if divisor is safe.ABSENT:
            state.may_raise(site.node, "it may be divided by zero")
        elif divisor == 0:
            return _content(lambda: run(_SAMPLES[kinds[0]], divisor), SCHEMA)
    if float in kinds and kinds != (float, float):
        whole = state.live(site.left if kinds[1] is float else site.right)
        if whole is safe.ABSENT or abs(whole) > 2**500:  # type: ignore[arg-type]
            state.may_raise(site.node, "a number may be too large")
    if run is operator.truediv:
        if float not in kinds:
            state.may_raise(site.node, "a number may be too large")
        return Made("number", type=float)
    return Made("number", type=float if float in kinds else int)


def _percent(left: str, site: OperatorSite, state: State) -> Value | Finding | None:
    """``'...' % values``."""
    right = real(site.right, state)
    if _WIDE.search(left) or "*" in left or len(left) > MAX_TEXT:
        return None
    if right is not safe.ABSENT:
        return _content(lambda: left % right, state.level(site.left, site.right))
    several: Any = state.live(site.right)
    values = [of_element(each) for each in several] if type(several) is tuple else [site.right]
    samples = [_sample(each, state) for each in values]
    if any(each is safe.ABSENT for each in samples) or (type(several) is not tuple and several is not safe.ABSENT):
        return None
    handed: Any = tuple(samples)
    answer = _content(lambda: left % handed, SCHEMA)
    if isinstance(answer, Finding):
        return answer
    if _BY_CONTENT.search(left):
        state.may_raise(site.node, "formatting a value may raise")
    return Made("text")


def _sample(value: Value, state: State) -> Any:
    """Return the value itself, or one of the same type."""
    found = real(value, state)
    if found is not safe.ABSENT:
        return found
    kind = kind_of(value, state)
    return safe.ABSENT if kind is None else _SAMPLES[kind]


def compare(site: CompareSite, state: State) -> Value | Finding | None:
    """Compare dates, and numbers and texts of which only the type is known."""
    run = COMPARISONS.get(type(site.op))
    if run is None or type(site.op) in (ast.In, ast.NotIn):
        return None
    left, right = state.live(site.left), state.live(site.right)
    if is_date(left) or is_date(right):
        pair = real(site.left, state), real(site.right, state)
        if not any(each is safe.ABSENT for each in pair):
            return _content(lambda: run(*pair), state.level(site.left, site.right))
    derived = [_date(each, state) for each in (site.left, site.right)]
    if any(is_date(each) for each in derived) and not any(each is safe.ABSENT for each in derived):
        answer = _content(lambda: run(*derived), SCHEMA)
        return answer if isinstance(answer, Finding) else Made("bool")
    kinds = kind_of(site.left, state), kind_of(site.right, state)
    if None in kinds or all(each is not safe.ABSENT for each in (left, right)):
        return None
    if run in (operator.eq, operator.ne) or (str in kinds) == (kinds == (str, str)):
        return Made("bool")
    return _content(lambda: run(_SAMPLES[kinds[0]], _SAMPLES[kinds[1]]), SCHEMA)


def unary(site: UnarySite, state: State) -> Value | Finding | None:
    """``-number``."""
    kind = kind_of(site.operand, state)
    found = state.live(site.operand)
    if is_date(found) and isinstance(site.op, ast.USub):
        return _content(lambda: -found, state.level(site.operand))  # type: ignore[operator]
    if kind is None or found is not safe.ABSENT or not isinstance(site.op, (ast.USub, ast.UAdd)):
        return None
    if kind is str:
        negate: Any = operator.neg if isinstance(site.op, ast.USub) else operator.pos
        return _content(lambda: negate("a"), SCHEMA)
    return Made("number", type=kind)


def text(site: ValueSite, state: State) -> Value | Finding | None:
    """Format dates, and numbers and texts of which only the type is known."""
    found = state.live(site.value)
    if is_date(found):
        return _content(lambda: format(found, site.text), state.level(site.value))
    if type(site.value) is Like and is_date(site.value.object):
        date = site.value.object
        answer = _content(lambda: format(date, site.text), SCHEMA)
        return answer if isinstance(answer, Finding) else Made("text")
    kind = kind_of(site.value, state)
    if kind is None or found is not safe.ABSENT:
        return Made("text") if _is_counted(found) and not site.text else None
    if site.text.endswith("c") or len(site.text) > 50:
        return None
    answer = _content(lambda: format(_SAMPLES[kind], site.text), SCHEMA)
    return answer if isinstance(answer, Finding) else Made("text")


# -- attributes and items ----------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read what a date holds; methods of dates, matches and patterns, and of the class `datetime`."""
    owner: Any = state.live(site.owner)
    name = site.name
    if is_date(owner):
        if name in tables.DATE_FIELDS and safe.in_type(type(owner), name) is not safe.ABSENT:
            return Known(getattr(owner, name), level=state.level(site.owner))
        if not _has(owner, name):
            return _content(lambda: getattr(owner, name), SCHEMA)
        return Method(site.owner, name) if name in tables.DATE_METHODS and _has(owner, name) else None
    if _is_exactly_one_of(owner, (re.Match, re.Pattern)):
        return (
            Method(site.owner, name) if _has(owner, name) and name in _PATTERN_METHODS | tables.MATCH_METHODS else None
        )
    if type(site.owner) is Like and is_date(site.owner.object):
        if not _has(site.owner.object, name):
            date = site.owner.object
            return _content(lambda: getattr(date, name), SCHEMA)
        if name in tables.DATE_FIELDS - {"min", "max", "resolution"}:
            return Made("number", type=int)
        return Method(site.owner, name)
    if name in _COLLECTION_METHODS and safe.class_module(type(owner)) == "collections" and _has(owner, name):  # noqa: SIM102
        if any(
            safe.is_exactly(owner, "collections", each) for each in ("OrderedDict", "Counter", "defaultdict", "deque")
        ):
            return Method(site.owner, name)
    if type(site.owner) is Made and site.owner.kind == "text":
        if name in _TEXT_METHODS:
            return Method(site.owner, name)
        if safe.in_type(str, name) is safe.ABSENT:
            return _content(lambda: getattr("", name), SCHEMA)
    if kind_of(site.owner, state) in (int, float) and owner is safe.ABSENT:
        kind = kind_of(site.owner, state)
        if safe.in_type(kind, name) is safe.ABSENT:
            return _content(lambda: getattr(_SAMPLES[kind], name), SCHEMA)
    if name in tables.DATE_CLASS_METHODS | tables.NOW and any(
        owner is _class("datetime", each) for each in ("datetime", "date")
    ):
        return Method(site.owner, name) if safe.in_type(owner, name) is not safe.ABSENT else None
    return None


def _has(owner: object, name: str) -> bool:
    return safe.in_type(type(owner), name) is not safe.ABSENT


def _is_exactly_one_of(value: object, classes: tuple[Any, ...]) -> bool:
    return safe.one_of(type(value), classes)


_PATTERN_METHODS = frozenset("match search fullmatch findall finditer split sub subn".split())
_TEXT_METHODS = frozenset(
    "capitalize casefold lower upper strip lstrip rstrip title swapcase format replace split splitlines startswith "
    "endswith find count join isdigit isalpha isnumeric islower isupper encode zfill center ljust rjust".split()
)
_COLLECTION_METHODS = frozenset(
    "most_common elements items keys values get copy append appendleft pop popleft extend clear update index "
    "count".split()
)
_COLLECTION_VIEWS = frozenset(["items", "keys", "values"])
_COLLECTION_CHANGES = frozenset("append appendleft pop popleft extend clear".split())
_TEXT_TO_BOOL = frozenset("startswith endswith isdigit isalpha isnumeric islower isupper".split())


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read an item of a defaultdict, a Counter, an OrderedDict or a deque; of a number there is none."""
    owner: Any = state.live(site.owner)
    key = real(site.key, state)
    kind = kind_of(site.owner, state)
    if owner is safe.ABSENT and kind in (int, float) and site.context == "load":
        return _content(lambda: _SAMPLES[kind][0], SCHEMA)
    if type(owner) is dict and type(key) is tuple and site.context == "load" and safe.has_plain_keys(owner):
        held = owner.get(key, safe.ABSENT) if safe.is_plain(key) and _is_hashable(key) else safe.ABSENT
        return None if held is safe.ABSENT else of_element(held, None, state.level(site.owner, site.key))
    if site.context != "load" or key is safe.ABSENT or safe.class_module(type(owner)) != "collections":
        return None
    level = state.level(site.owner, site.key)
    if safe.is_exactly(owner, "collections", "deque"):
        return _content(lambda: owner[key], level, lambda found: of_element(found, None, level))
    table = ("OrderedDict", "Counter", "defaultdict")
    if not any(safe.is_exactly(owner, "collections", name) for name in table) or not safe.has_plain_keys(owner):
        return None
    try:
        held = dict.get(owner, key, safe.ABSENT)
    except TypeError:
        return _content(lambda: {}[key], level)
    if held is not safe.ABSENT:
        return of_element(held, None, level)
    if safe.is_exactly(owner, "collections", "Counter"):
        return Known(0)
    factory = owner.default_factory if safe.is_exactly(owner, "collections", "defaultdict") else None
    if factory is None:
        return _content(lambda: {}[key], level)
    if not safe.one_of(factory, (int, float, list, dict, set, str, bool, tuple)):
        return None
    made = factory()
    copy = owner.copy()
    dict.__setitem__(copy, key, made)
    state.becomes(site.owner, Known(copy))
    return Known(made)


def _is_hashable(key: tuple[Any, ...]) -> bool:
    return all(safe.one_of(type(each), safe.SCALARS) or (type(each) is tuple and _is_hashable(each)) for each in key)


def store_item(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``table[key] = value`` for a defaultdict, a Counter or an OrderedDict."""
    owner: Any = state.live(site.owner)
    key = state.plain(site.key)
    if safe.class_module(type(owner)) != "collections" or not safe.one_of(type(key), safe.SCALARS):
        return None
    table = ("OrderedDict", "Counter", "defaultdict")
    if not any(safe.is_exactly(owner, "collections", name) for name in table) or not safe.has_plain_keys(owner, 50_000):
        return None
    copy = owner.copy()
    dict.__setitem__(copy, key, as_element(value))
    state.becomes(site.owner, Known(copy))
    return Known(None)


def store_in_builtin(site: SubscriptSite, value: Value, state: State) -> Value | Finding | None:
    """An item that an exact built-in value does not take: Python itself is asked, on a copy."""
    owner: Any = state.live(site.owner)
    key = real(site.key, state)
    fixed = (int, float, bool, str, bytes, tuple, type(None), range, set, frozenset)
    if safe.one_of(type(owner), fixed):
        message = "{!r} object does not support item assignment".format(safe.class_name(type(owner)))
        return running.crash(TypeError(message), "python", "names", "type error", "its type takes no items")
    if not safe.one_of(type(owner), (list, dict)) or key is safe.ABSENT or len(owner) > MAX_ELEMENTS:
        return None
    if type(owner) is dict:
        return _store_in_dict(site, key, value, state)
    if type(key) is slice:
        return _store_slice(site, owner, key, value, state)
    answer = _content(lambda: operator.setitem([None] * len(owner), key, None), state.level(site.key))
    return answer if isinstance(answer, Finding) else None


def _store_in_dict(site: SubscriptSite, key: Any, value: Value, state: State) -> Value | Finding | None:
    if safe.one_of(type(key), (list, dict, set)):
        return _content(lambda: {key: None}, state.level(site.key))
    if type(key) is not tuple or not safe.is_plain(key):
        return None
    answer = _content(lambda: {key: None}, state.level(site.key))
    if isinstance(answer, Finding):
        return answer
    copy = state.writable(site.owner)
    if copy is safe.ABSENT:
        return None
    copy[key] = as_element(value)
    return Known(None)


def _store_slice(site: SubscriptSite, owner: Any, key: Any, value: Value, state: State) -> Value | Finding | None:
    """``list[1:2] = values``."""
    if safe.one_of(type(state.live(value)), (int, float, bool, type(None))):
        added: Any = state.live(value)
    else:
        found = elements(state, value) if type(value) is Known else None
        if found is None:
            return None
        added = [as_element(each) for each in found]
    answer = _content(lambda: operator.setitem([None] * len(owner), key, added), state.level(site.key, value))
    if isinstance(answer, Finding):
        return answer
    copy = state.writable(site.owner)
    if copy is safe.ABSENT:
        return None
    copy[key] = added
    return Known(None)


def length(site: ValueSite, state: State) -> Value | Finding | None:
    """The length of what collections makes; of a number there is none."""
    owner: Any = state.live(site.value)
    if safe.class_module(type(owner)) == "collections":
        for name in ("OrderedDict", "Counter", "defaultdict", "deque"):
            if safe.is_exactly(owner, "collections", name):
                return Known(len(owner))
    kind = kind_of(site.value, state)
    if owner is safe.ABSENT and kind in (int, float):
        return _content(lambda: len(_SAMPLES[kind]), SCHEMA)
    return Made("number", type=int) if kind is str and owner is safe.ABSENT else None


def truth(site: ValueSite, state: State) -> Value | Finding | None:
    """Whether a date, a match, or what collections makes is true."""
    owner: Any = state.live(site.value)
    if is_date(owner) or _is_exactly_one_of(owner, (re.Match, re.Pattern)):
        return Known(bool(owner))
    if (
        type(site.value) is Like
        and is_date(site.value.object)
        and safe.class_name(type(site.value.object)) != "timedelta"
    ):
        return Known(True)
    if kind_of(site.value, state) is not None and owner is safe.ABSENT:
        return Made("bool")
    found = length(site, state)
    return Known(bool(found.object)) if type(found) is Known else None


_NOT_ITERABLE = (
    *(int, float, bool, complex, type(None)),
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType),
)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Yield what collections holds; a number yields nothing; what a progress bar wraps."""
    value = site.value
    owner: Any = state.live(value)
    if type(value) is Made and value.kind == "passing":
        inner: Value = value.facts["value"]
        found = elements(state, inner)
        if found is not None:
            return Elements(found)
        from . import ask

        return ask("iterate", state, ValueSite(site.node, inner, ""))
    kind = kind_of(value, state)
    if owner is safe.ABSENT and kind in (int, float):
        from .arrays import not_iterable

        return not_iterable(site.node, _SAMPLES[kind])
    if safe.one_of(type(owner), _NOT_ITERABLE) or is_date(owner):
        from .arrays import not_iterable

        return not_iterable(site.node, owner)
    if safe.class_module(type(owner)) == "collections":
        level = state.level(value)
        tables_ = ("OrderedDict", "Counter", "defaultdict")
        if any(safe.is_exactly(owner, "collections", name) for name in tables_) and len(owner) <= MAX_ITEMS:
            return Elements([Known(key, level=level) for key in dict.keys(owner)])
        if safe.is_exactly(owner, "collections", "deque") and len(owner) <= MAX_ITEMS:
            return Elements([of_element(each, None, level) for each in owner])
    return None


# -- calls -------------------------------------------------------------------------------------------------------------


def origin(callee: object) -> tuple[str, str]:
    """Return the module and the name of a function or class of the standard library, as they are loaded now."""
    kind = type(callee)
    if kind is types.FunctionType:
        module, name = callee.__globals__.get("__name__"), callee.__name__  # type: ignore[attr-defined]
    elif kind is types.BuiltinFunctionType:
        module, name = callee.__module__, callee.__name__  # type: ignore[attr-defined]
    elif kind is types.MethodType and type(callee.__func__) is types.FunctionType:  # type: ignore[attr-defined]
        module, name = callee.__func__.__globals__.get("__name__"), callee.__func__.__name__  # type: ignore[attr-defined]
    elif kind is type:
        module, name = safe.class_module(callee), safe.class_name(callee)  # type: ignore[arg-type]
    else:
        return "", ""
    if kind is types.BuiltinFunctionType and module is None and safe.class_module(type(callee.__self__)) == "random":  # type: ignore[attr-defined]
        module = "random"
    if type(module) is not str or type(name) is not str:
        return "", ""
    home = tables.ALTERNATIVES.get(module, module)
    return (module, name) if safe.loaded(home, name) is callee or safe.loaded(module, name) is callee else ("", "")


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a call of a function of the standard library."""
    if type(site.callee) is Method:
        return _method(site.callee, site, state)
    callee: Any = state.live(site.callee)
    if callee is safe.ABSENT:
        return None
    if type(callee) is types.BuiltinFunctionType or safe.one_of(callee, _CONVERTERS):
        found = _of_builtin(callee, site, state)
        if found is not None:
            return found
    module, name = origin(callee)
    if not module:
        return None
    if name in tables.COMPUTED.get(module, ()):
        return _computed(callee, module, name, site, state)
    if module == "random" and name in tables.DRAWS:
        return _drawn(name, site, state)
    if module == "time":
        return _time(callee, name, site, state)
    if module == "re" and name in _PATTERN_METHODS | {"compile", "escape"}:
        return _pattern(name, site, state)
    if module == "itertools":
        return _iterator(callee, name, site, state) if name in tables.ITERATORS else None
    if module in tables.CLASSES and name in tables.CLASSES[module]:
        return _made(callee, module, name, site, state)
    if module == "collections" and name == "defaultdict":
        return _defaultdict(callee, site, state)
    if module in ("warnings", "_py_warnings") and name in ("filterwarnings", "simplefilter", "resetwarnings"):
        return _warnings(name, site, state)
    if module == "gc" and name == "collect" and not site.arguments:
        return Made("number", type=int)
    if module in ("genericpath", "posixpath", "ntpath") and name in ("exists", "isfile", "isdir"):
        return _path(callee, site, state)
    return None


def _arguments(site: CallSite, state: State) -> tuple[list[Any], dict[str, Any]] | None:
    """Return the arguments of a call, if all are known and Python's own."""
    if not site.complete:
        return None
    found = [_read(each, state) for each in site.arguments]
    named = {key: _read(each, state) for key, each in site.keywords.items()}
    if any(each is safe.ABSENT for each in [*found, *named.values()]):
        return None
    return found, named


def _read(value: Value, state: State) -> Any:
    """Return an argument; an iterator or a view as the list of what it yields."""
    if type(value) is Made and value.kind in ("view", "iterator"):
        yielded = elements(state, value)
        if yielded is None:
            return safe.ABSENT
        inner = [real(each, state) for each in yielded]
        return safe.ABSENT if any(each is safe.ABSENT for each in inner) else inner
    return real(value, state)


def _computed(callee: Any, module: str, name: str, site: CallSite, state: State) -> Value | Finding | None:
    level = state.level(*site.arguments, *site.keywords.values())
    if name == "copy" and len(site.arguments) == 1:
        several: Any = state.live(site.arguments[0])
        if safe.one_of(type(several), (list, dict, set)) and len(several) <= MAX_ELEMENTS:
            return Known(several.copy(), level=level)
    handed = _arguments(site, state)
    if handed is None:
        return _computed_of_types(callee, module, site, state)
    arguments, keywords = handed
    if not all(_fits(module, name, each) for each in [*arguments, *keywords.values()]):
        return None
    if not _is_quick(module, name, arguments, keywords):
        return _may(site, state)
    if module == "json" and not set(keywords) <= {"indent", "sort_keys", "ensure_ascii", "separators", "allow_nan"}:
        return None
    if any(array_forms.is_scalar(each) for each in arguments) and module in ("json", "copy"):
        return _content(lambda: callee(*arguments, **keywords), level) if module == "json" else None
    return _content(lambda: callee(*arguments, **keywords), level)


def _fits(module: str, name: str, handed: Any) -> bool:
    """Whether a function is one that may be handed arrays: it refuses them, or reads one number."""
    return module in ("math", "json") or not array_forms.is_array(handed)


def _is_quick(module: str, name: str, arguments: list[Any], keywords: dict[str, Any]) -> bool:
    if module == "math" and name in ("comb", "perm", "pow", "factorial", "ldexp", "prod", "isqrt", "gcd", "lcm"):
        return all(_is_small(each) for each in [*arguments, *keywords.values()])
    if module == "_operator" and name in ("mul", "mod"):
        return all(safe.one_of(type(each), (int, float)) and _is_small(each) for each in arguments)
    if module == "json" and name == "loads":
        return all(type(each) is not str or len(each) < 100_000 for each in arguments)
    if module in ("statistics", "heapq"):
        return all(array_forms.size_of(each) <= 2000 for each in arguments)
    return True


def _is_small(value: Any) -> bool:
    if safe.one_of(type(value), (list, tuple)):
        return len(value) <= 100 and all(_is_small(each) for each in value)
    return type(value) is not int or abs(value) < 10_000


def _computed_of_types(callee: Any, module: str, site: CallSite, state: State) -> Value | Finding | None:
    """A function that is handed what is not known: it changes nothing."""
    if module == "copy" or not site.complete:
        return None
    if any(_may_run_code(each, state) for each in [*site.arguments, *site.keywords.values()]):
        return None
    return _may(site, state, "number" if module == "math" else "text" if module in ("posixpath", "ntpath") else "")


def _may_run_code(value: Value, state: State) -> bool:
    from ..effects import Reach

    return value is UNKNOWN or Reach(state).add(value).code


def _may(site: Any, state: State, kind: str = "") -> Value:
    func = getattr(site.node, "func", None)
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else "it"
    state.may_raise(site.node, "{}() may raise".format(name))
    return Made(kind) if kind else Foreign("builtins")


# -- random numbers, clocks --------------------------------------------------------------------------------------------


def _drawn(name: str, site: CallSite, state: State) -> Value | Finding | None:
    """A function of `random`: a generator of our own is asked, the kernel's is not moved."""
    random: Any = safe.loaded("random")
    if name == "seed":
        if site.complete and len(site.arguments) <= 1 and not site.keywords:
            if all(safe.one_of(type(state.live(each)), safe.SCALARS) for each in site.arguments):
                return Known(None)
            if all(safe.one_of(type(state.live(each)), (list, dict, set)) for each in site.arguments):
                seed = state.live(site.arguments[0])
                answer = _content(lambda: random.Random(0).seed(seed), state.level(*site.arguments))
                return answer if isinstance(answer, Finding) else None
        return None
    if name == "shuffle":
        return _shuffled(site, state)
    handed = _arguments(site, state)
    method = getattr(random.Random, name, None)
    if method is None:
        return None
    if handed is None:
        return _drawn_of_unknown(name, site, state)
    arguments, keywords = handed
    numbers = [each for each in [*arguments, *keywords.values()] if type(each) is int]
    if name in ("sample", "choices") and any(abs(each) > MAX_ELEMENTS for each in numbers):
        return _may(site, state)
    if name == "getrandbits" and any(abs(each) > 10_000 for each in numbers):
        return _may(site, state)
    level = state.level(*site.arguments, *site.keywords.values())
    return _content(
        lambda: method(random.Random(0), *arguments, **keywords), level, lambda found: _like(found, tables.DRAWS[name])
    )


def _like(found: Any, kind: Any) -> Value:
    """Return a random result as what is certain of it."""
    if type(found) is list:
        return Known([as_element(UNKNOWN)] * len(found))
    # Of `choice` another element may be of another type.
    return Foreign("builtins") if kind is None else Made("number", type=kind)


def _drawn_of_unknown(name: str, site: CallSite, state: State) -> Value | Finding | None:
    if any(_may_run_code(each, state) for each in [*site.arguments, *site.keywords.values()]):
        return None
    state.may_raise(site.node, "random.{}() may raise".format(name))
    kind = tables.DRAWS[name]
    if kind is not None:
        return Made("number", type=kind)
    holds = (*site.arguments, *site.keywords.values())
    return UNKNOWN if any(each is UNKNOWN for each in holds) else Foreign("builtins", holds)


def _shuffled(site: CallSite, state: State) -> Value | Finding | None:
    if len(site.arguments) != 1 or site.keywords or not site.complete:
        return None
    found: Any = state.live(site.arguments[0])
    if type(found) is not list:
        if (
            safe.one_of(type(found), (str, tuple))
            and len(found) > 1
            and state.plain(site.arguments[0]) is not safe.ABSENT
        ):
            random: Any = safe.loaded("random")
            answer = _content(lambda: random.Random(0).shuffle(found), SCHEMA)
            return answer if isinstance(answer, Finding) else None
        return None
    holes = [as_element(UNKNOWN)] * len(found)
    copy = state.writable(site.arguments[0])
    if copy is safe.ABSENT:
        return None
    copy[:] = holes
    return Known(None)


def _time(callee: Any, name: str, site: CallSite, state: State) -> Value | Finding | None:
    if name in tables.CLOCKS and not site.arguments and not site.keywords:
        return Made("number", type=tables.CLOCKS[name])
    handed = _arguments(site, state)
    if name == "sleep" and handed is not None and not handed[0] and not handed[1]:
        return _content(callee, SCHEMA)
    if name == "sleep" and handed is not None and len(handed[0]) == 1 and not handed[1]:
        pause = handed[0][0]
        if safe.one_of(type(pause), (int, float)) and 0 <= pause < 10**6:
            return Known(None)
        if type(pause) is str or (safe.one_of(type(pause), (int, float)) and pause < 0):
            return _content(lambda: callee(pause), state.level(*site.arguments))
    if name == "strftime" and handed is not None and len(handed[0]) == 1 and type(handed[0][0]) is str:
        return Made("text")
    return None


# -- texts -------------------------------------------------------------------------------------------------------------


_CONVERTERS = (str, int, float, list, tuple, set, enumerate, zip, dict)


def _of_builtin(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """``str.format``, and ``str(x)``, ``round(x)`` and their like of what is only known by its type."""
    name = callee.__name__
    owner = state.live(site.owner) if site.owner is not None else safe.ABSENT
    if site.method == "format" and type(owner) is str and name == "format":
        return _format(owner, site, state)
    single = site.arguments[0] if len(site.arguments) == 1 and not site.keywords and site.complete else None
    if callee is str and single is not None:
        if is_date(state.live(single)):
            return _content(lambda: str(state.live(single)), state.level(single))
        if type(single) is Like and is_date(single.object):
            return Made("text")
    if callee is dict and single is not None and _is_counted(state.live(single)):
        table: Any = state.live(single)
        return Known(dict(table), level=state.level(single)) if safe.inherits(type(table), dict) else None
    if len(site.arguments) == 1 and type(site.arguments[0]) is Made and not site.keywords:
        kind = kind_of(site.arguments[0], state)
        if kind is None:
            return None
        if callee is str or name == "repr":
            return Made("text")
        if kind in (int, float) and callee is float:
            if kind is int:
                state.may_raise(site.node, "a number may be too large")
            return Made("number", type=float)
        if kind in (int, float) and callee is int:
            if kind is float:
                state.may_raise(site.node, "it may be NaN")
            return Made("number", type=int)
        if kind in (int, float) and (
            name in ("len", "sorted", "sum", "max", "min")
            or safe.one_of(callee, (list, tuple, set, enumerate, zip, dict))
        ):
            return _content(lambda: callee(_SAMPLES[kind]), SCHEMA)
        if kind in (int, float) and name == "abs":
            return Made("number", type=kind)
        if kind is int and name == "round":
            return Made("number", type=int)
    if name == "round" and len(site.arguments) == 2 and kind_of(site.arguments[0], state) in (int, float):
        places = state.live(site.arguments[1])
        if type(places) is int and abs(places) < 100:
            return Made("number", type=kind_of(site.arguments[0], state))
    return None


def _format(owner: str, site: CallSite, state: State) -> Value | Finding | None:
    """``'...'.format(values)``."""
    if not site.complete or len(owner) > MAX_TEXT or _WIDE.search(owner):
        return None
    handed = _arguments(site, state)
    if handed is not None:
        arguments, keywords = handed
        long = [each for each in [*arguments, *keywords.values()] if type(each) is str and _WIDE.search(each)]
        if "{}}" in owner and long:
            return None
        level = state.level(site.owner, *site.arguments, *site.keywords.values())
        return _content(lambda: owner.format(*arguments, **keywords), level)
    samples = [_sample(each, state) for each in site.arguments]
    named = {key: _sample(each, state) for key, each in site.keywords.items()}
    if any(each is safe.ABSENT for each in [*samples, *named.values()]):
        return None
    if any(each in owner for each in ("[", ":{", "c}")):
        return _may(site, state, "text")
    answer = _content(lambda: owner.format(*samples, **named), SCHEMA)
    return answer if isinstance(answer, Finding) else Made("text")


def _pattern(name: str, site: CallSite, state: State) -> Value | Finding | None:
    """A function of `re`: the pattern is compiled past its cache."""
    handed = _arguments(site, state)
    if handed is None:
        return None
    arguments, keywords = handed
    if not arguments or type(arguments[0]) is not str or len(arguments[0]) > MAX_TEXT or name == "escape":
        return None
    flags = keywords.pop("flags", 0)
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(name, 2)
    if len(arguments) > place:
        flags = arguments.pop(place)
    compiler: Any = safe.loaded("re._compiler") or safe.loaded("sre_compile")
    if compiler is None or not safe.one_of(type(flags), (int, re.RegexFlag)) or len(arguments) > place:
        return None
    level = state.level(*site.arguments)
    compiled = _content(lambda: compiler.compile(arguments[0], int(flags)), level)
    if type(compiled) is not Known or name == "compile":
        return compiled
    return _matched(compiled.object, name, arguments[1:], keywords, site, state)


def _matched(
    pattern: Any, name: str, arguments: list[Any], keywords: dict[str, Any], site: CallSite, state: State
) -> Value | Finding | None:
    if name == "finditer" or not set(keywords) <= {"count", "maxsplit", "string", "repl"}:
        return None
    texts = [each for each in [*arguments, *keywords.values()] if type(each) is str]
    if name in ("sub", "subn") and any("\\" in each for each in texts[:1]):
        return _may(site, state)
    if not all(safe.one_of(type(each), (str, int, float, type(None), list, bytes)) for each in arguments):
        return None
    if not _is_simple(pattern.pattern, max([len(each) for each in texts] or [0])):
        return _may(site, state)
    level = state.level(*site.arguments, *site.keywords.values())
    return _content(lambda: getattr(pattern, name)(*arguments, **keywords), level)


def _is_simple(pattern: str, length: int) -> bool:
    """Whether a pattern is tried in few steps: nothing that repeats stands in what repeats, or refers back."""
    if _NESTED.search(pattern):
        return False
    return float(length + 1) ** (1 + len(_REPEATED.findall(pattern))) <= MAX_TRIES


def _method(method: Method, site: CallSite, state: State) -> Value | Finding | None:
    owner: Any = state.live(method.owner)
    name = method.name
    if type(method.owner) is Made and method.owner.kind == "text":
        return _method_of_text(name, site, state)
    if type(method.owner) is Like and is_date(method.owner.object):
        return _method_of_date(method.owner.object, name, site, state)
    if owner is safe.ABSENT:
        return None
    if safe.class_module(type(owner)) == "collections":
        return _method_of_collection(owner, method, site, state)
    handed = _arguments(site, state)
    level = state.level(method.owner, *site.arguments)
    if is_date(owner) and name in tables.DATE_METHODS:
        return None if handed is None else _content(lambda: getattr(owner, name)(*handed[0], **handed[1]), level)
    if type(owner) is re.Pattern and name in _PATTERN_METHODS:
        return None if handed is None else _matched(owner, name, handed[0], handed[1], site, state)
    if type(owner) is re.Match and name in tables.MATCH_METHODS - {"expand"}:
        return None if handed is None else _content(lambda: getattr(owner, name)(*handed[0], **handed[1]), level)
    if any(owner is _class("datetime", each) for each in ("datetime", "date")):
        if name in tables.NOW:
            return Like(owner(2000, 1, 1)) if not site.arguments and not site.keywords else None
        if name == "strptime" and safe.loaded("_strptime") is None:
            # It imports a module.
            return _may(site, state) if handed is not None else None
        if name in tables.DATE_CLASS_METHODS and name in ("strptime", "fromisoformat", "fromordinal", "combine"):
            return None if handed is None else _content(lambda: getattr(owner, name)(*handed[0], **handed[1]), level)
    return None


def _method_of_collection(owner: Any, method: Method, site: CallSite, state: State) -> Value | Finding | None:
    """A method of a Counter, an OrderedDict, a defaultdict or a deque."""
    name, level = method.name, state.level(method.owner, *site.arguments)
    table = safe.inherits(type(owner), dict)
    if name in _COLLECTION_VIEWS and not site.arguments and not site.keywords and len(owner) <= MAX_ITEMS:
        pairs = {"keys": list(dict.keys(owner)), "values": list(dict.values(owner)), "items": list(dict.items(owner))}
        if any(type(each) is Hole for each in pairs["values"]) and name == "values":
            return None
        return Made("iterator", items=pairs[name], made_at=state.changes(), level=level)
    if not site.complete or site.keywords or (not _is_counted(owner) and not (name == "append" and not table)):
        return None
    handed = [real(each, state) for each in site.arguments]
    if any(each is safe.ABSENT for each in handed):
        return None
    if name in _COLLECTION_CHANGES and not table and len(owner) <= MAX_ELEMENTS:
        copy = owner.copy()
        answer = _content(lambda: getattr(copy, name)(*handed), level)
        if not isinstance(answer, Finding):
            state.becomes(method.owner, Known(copy))
        return answer
    if name in ("most_common", "get", "copy", "index", "count") and len(owner) <= MAX_ELEMENTS:
        return _content(lambda: getattr(owner, name)(*handed), level)
    return None


def _method_of_text(name: str, site: CallSite, state: State) -> Value | Finding | None:
    if _arguments(site, state) is None:
        return None
    if site.arguments or site.keywords or name in ("split", "splitlines", "encode", "join", "format"):
        return _may(site, state, "text" if name in ("replace", "strip", "format") else "")
    return Made("bool") if name in _TEXT_TO_BOOL else Made("text")


def _method_of_date(owner: Any, name: str, site: CallSite, state: State) -> Value | Finding | None:
    """A method of the present time."""
    handed = _arguments(site, state)
    if handed is None or name not in tables.DATE_METHODS:
        return None
    answer = _content(lambda: getattr(owner, name)(*handed[0], **handed[1]), SCHEMA)
    if type(answer) is not Known:
        return answer
    if type(answer.object) is str:
        return Made("text")
    if safe.one_of(type(answer.object), (int, float)):
        return Made("number", type=type(answer.object))
    return Like(answer.object) if is_date(answer.object) else _may(site, state)


# -- what is made ------------------------------------------------------------------------------------------------------


def _iterator(callee: Any, name: str, site: CallSite, state: State) -> Value | Finding | None:
    """A short iterator of `itertools`: what it yields."""
    handed = _arguments(site, state)
    if handed is None or not set(handed[1]) <= {"fillvalue", "repeat"}:
        return None
    arguments, keywords = handed
    if sum(array_forms.size_of(each) for each in arguments) > MAX_ELEMENTS:
        return None
    if name == "product" and (
        math.prod(len(each) for each in arguments if hasattr(each, "__len__")) > MAX_ITEMS or keywords
    ):
        return None
    level = state.level(*site.arguments)
    found = _content(lambda: list(itertools.islice(callee(*arguments, **keywords), MAX_ITEMS + 1)), level)
    if type(found) is not Known:
        if isinstance(found, Finding) and name == "chain":
            return None
        return found
    items: Any = found.object
    if len(items) > MAX_ITEMS:
        return None
    return Made("iterator", items=items, made_at=state.changes(), level=level)


def _made(callee: Any, module: str, name: str, site: CallSite, state: State) -> Value | Finding | None:
    handed = _arguments(site, state)
    if handed is None:
        return None
    level = state.level(*site.arguments, *site.keywords.values())
    if module == "collections" and any(
        safe.one_of(type(each), (set, frozenset, range)) and len(each) > 1 for each in handed[0]
    ):
        return None
    return _content(lambda: callee(*handed[0], **handed[1]), level)


def _defaultdict(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    if len(site.arguments) != 1 or site.keywords or not site.complete:
        return None
    factory = state.live(site.arguments[0])
    if safe.one_of(type(factory), (type,)) and safe.one_of(factory, (int, float, list, dict, set, str)):  # type: ignore[arg-type]
        return Known(callee(factory))
    if safe.one_of(type(factory), (int, float, str, list, dict)):
        answer = _content(lambda: callee(factory), state.level(site.arguments[0]))
        return answer if isinstance(answer, Finding) else None
    return None


def _warnings(name: str, site: CallSite, state: State) -> Value | None:
    """Settings of warnings; those that make errors of them change what comes."""
    action = state.live(site.arguments[0]) if site.arguments else state.live(site.keywords.get("action"))
    if name == "resetwarnings" and not site.arguments and not site.keywords:
        return Known(None)
    others = [*site.arguments[1:], *[each for key, each in site.keywords.items() if key != "action"]]
    quiet = ("ignore", "default", "always", "once", "module")
    if type(action) is not str or action not in quiet or not site.complete:
        state.doubt(site.node, "effects", "warnings may become errors")
        return Known(None)
    if not others or (set(site.keywords) <= {"action", "category", "message", "module"} and len(site.arguments) <= 1):
        for key, each in site.keywords.items():
            found = state.live(each)
            fits = (
                type(found) is str
                if key in ("action", "message", "module")
                else safe.inherits(found, Warning)
                if type(found) is type
                else False
            )
            if not fits or (key != "action" and type(found) is str and not _compiles(found)):
                state.may_raise(site.node, "the filter may not be one")
    else:
        state.may_raise(site.node, "the filter may not be one")
    return Known(None)


def _compiles(pattern: str) -> bool:
    return not _SPECIAL.search(pattern)


def _path(callee: Any, site: CallSite, state: State) -> Value | None:
    """Whether a file exists, as long as nothing has run that may have made one."""
    found = state.live(site.arguments[0]) if len(site.arguments) == 1 and not site.keywords else None
    if type(found) is not str or "\0" in found:
        return None
    if state.files_may_change:
        return Made("bool")
    return Known(bool(callee(found)))


HANDLERS: dict[str, list[Any]] = {
    "attribute": [attribute],
    "item": [item],
    "store_item": [store_item, store_in_builtin],
    "operator": [binary],
    "unary": [unary],
    "compare": [compare],
    "truth": [truth],
    "length": [length],
    "format": [text],
    "iterate": [iterate],
    "call": [call],
}
