"""pandas: what is read of frames, series, indexes and what pandas makes of them, and what is called on them.

What the cell does is done: with tables of our own that have the content (`tables.private`), or with stand-ins of the
same structure. `frame_names` says what may be asked at all, `frame_structure` what of the answers depends on the
structure alone, `frame_stores` follows what changes a table.
"""

from __future__ import annotations

import operator
import re
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES, SCHEMA, VALUES
from ...readers import blocks
from ..operations import UNARY
from ..questions import item_path
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, UnarySite, ValueSite
from ..state import Unbound
from ..values import SHAPE, UNKNOWN, Elements, Known, Like, Made, Method, Value
from . import frame_names, frame_stores, frame_structure, operands, pandas_itself, running, tables
from .pandas_itself import LIBRARY, MAX_ITEMS, MAX_SIZE, affordable, ask_content, explained, is_of_pandas, own

if TYPE_CHECKING:
    from ..state import State

_BUILTINS = frozenset(
    (
        *("abs", "all", "any", "bool", "dict", "enumerate", "float", "frozenset", "int", "len", "list", "max", "min"),
        *("range", "reversed", "round", "set", "sorted", "sum", "tuple", "zip"),
    )
)


# -- attributes ----------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a table, or of what pandas makes of one."""
    if not is_of_pandas(site.owner, state) or _is_hidden(site, state):
        return None
    found = state.form(site.owner)
    kind = type(found)
    entry = safe.in_type(kind, site.name)
    if entry is safe.ABSENT:
        return _label(site, state)
    if site.name.startswith("_"):
        return None
    if safe.comes_from(entry, "pandas"):
        known = tables.is_table(found) or tables.is_ours(found, state) or tables.is_scalar(found)
        return Method(site.owner, site.name) if known else None
    if tables.is_scalar(found) and type(entry) is safe.MethodDescriptorType:
        return Method(site.owner, site.name)
    if site.name not in frame_names.ATTRIBUTES or not _is_own(entry):
        return None
    owner = operands.resolve(site.owner, state)
    if owner is None:
        return None
    if not owner.real:
        return frame_structure.attribute(site, owner.object, state)
    if site.name not in frame_names.CONTENT_FREE and not affordable(
        owner.size if site.name in ("values", "T", "groups") else 0, state
    ):
        return None
    answer = ask_content(lambda: getattr(owner.object, site.name), state, NAMES)
    if type(answer) is Known and site.name in ("loc", "iloc", "at", "iat"):
        frame_stores.remember_indexer(answer, site.owner, state)
    if type(answer) is Known and site.name in ("index", "columns"):
        frame_stores.remember_parent(answer, site.owner, state)
    return answer


def _is_hidden(site: AttributeSite, state: State) -> bool:
    """Whether the user, or the cell, has put something into the object under this name."""
    if state.noted(site.owner, "." + site.name) is not safe.ABSENT:
        return True
    if type(site.owner) is not Known or not tables.is_table(site.owner.object):
        return False
    return site.name in (safe.instance_dict(site.owner.object) or {})


def _is_own(entry: Any) -> bool:
    """Whether a property, or what acts as one, is pandas' own."""
    if type(entry) is property:
        getter = entry.fget
        return safe.comes_from(getter, "pandas") or type(getter) is operator.attrgetter
    home = safe.class_module(type(entry))
    return home.startswith("pandas.") or safe.one_of(
        type(entry), (safe.GetSetDescriptorType, safe.MemberDescriptorType)
    )


def _label(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read a column or a row by its label as an attribute, or fail to. Source: `NDFrame.__getattr__`."""
    if site.name.startswith("_"):
        return None
    column = _column_of(site.owner, site.name, state, NAMES)
    if column is not None:
        return column
    owner = operands.resolve(site.owner, state)
    if owner is None:
        return None
    if not owner.real:
        return explained(frame_structure.label(site, owner.object, state), site.owner, site.name, NAMES, state)
    if tables.is_scalar(owner.object) or not state.is_as_shipped(type(owner.object)):
        return None
    answer = ask_content(lambda: getattr(owner.object, site.name), state, NAMES)
    return explained(answer, site.owner, site.name, NAMES, state)


def _column_of(frame: Value, label: object, state: State, asked: str) -> Value | None:
    """Return a column of a frame with its content, without looking at the other columns; None if it is not that."""
    live: Any = state.live(frame)
    if not blocks.is_frame(live) or tables.is_ours(live, state):
        return None
    columns = state.columns(frame)
    if columns is None or columns.count(label) != 1:
        return None
    # Equal labels of several types are one label.
    place = columns.index(label)
    if type(columns[place]) is not type(label):
        return None
    kept: dict[Any, Any] = state.memo.setdefault("pandas.columns", {})
    if (id(live), place) not in kept:
        try:
            series: Any = blocks.column(live, place)
        except safe.Refused:
            return None
        series._name = label
        kept[id(live), place] = (live, series, tables.private(series, state))
    _, series, private = kept[id(live), place]
    path = item_path(frame, label, asked, state) if live is getattr(frame, "object", None) else None
    if private is None or tables.size(private) > 2_000_000:
        made = tables.stand_in(series)
        return None if made is None else Like(tables.keep(made[0], state), made[1], path)
    value = Known(private, path)
    frame_stores.remember_parent(value, frame, state)
    return value


# -- items ---------------------------------------------------------------------------------------------------------


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read or delete ``owner[key]``."""
    if not is_of_pandas(site.owner, state):
        return None
    if site.context == "del":
        return frame_stores.delete(site, state)
    found = state.form(site.owner)
    if not (tables.is_table(found) or tables.is_ours(found, state)):
        return None
    if not safe.comes_from(safe.in_type(type(found), "__getitem__"), "pandas"):
        return None
    asked = state.level(site.key)
    key = state.live(site.key)
    if safe.one_of(type(key), (str, int)):
        column = _column_of(site.owner, key, state, asked)
        if column is not None:
            return column
    owner, wanted = operands.resolve(site.owner, state), operands.resolve(site.key, state)
    if owner is None or wanted is None:
        return frame_structure.unknown_item(site, owner, state)
    if not owner.real or not wanted.real or not affordable(wanted.size, state):
        answer = frame_structure.item(site, owner, wanted, state)
        return explained(answer, frame_stores.indexed(site.owner, state), wanted.object, asked, state)
    answer = ask_content(lambda: owner.object[wanted.object], state, asked)
    if isinstance(answer, Finding):
        return explained(answer, frame_stores.indexed(site.owner, state), wanted.object, asked, state)
    if type(answer) is Known:
        frame_stores.remember_parent(answer, frame_stores.indexed(site.owner, state), state)
    return answer


# -- calls ---------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a call of a method of pandas', of a function of pandas', or of a built-in on one of pandas' objects."""
    if type(site.callee) is Method:
        return _method(site.callee, site, state) if is_of_pandas(site.callee.owner, state) else None
    callee: Any = state.live(site.callee)
    if callee is safe.ABSENT:
        return None
    if _is_function(callee):
        return _function(callee, site, state)
    name = getattr(callee, "__name__", "") if safe.one_of(type(callee), (safe.BuiltinFunctionType, type)) else ""
    if name in _BUILTINS and getattr(safe.loaded("builtins"), name) is callee:
        return _builtin(callee, name, site, state)
    return None


def _is_function(callee: Any) -> bool:
    if type(callee) is types.FunctionType:
        return callee.__name__ in frame_names.FUNCTIONS and safe.loaded("pandas", callee.__name__) is callee
    if type(callee) is types.MethodType:
        cls, function = callee.__self__, callee.__func__
        if type(function) is not types.FunctionType or function.__name__ not in frame_names.CONSTRUCTORS:
            return False
        return safe.comes_from(function, "pandas") and any(
            safe.loaded("pandas", name) is cls for name in ("DataFrame", "MultiIndex", "Categorical")
        )
    if type(callee) is type or safe.inherits(type(callee), type):
        return any(safe.loaded("pandas", name) is callee for name in frame_names.CLASSES)
    return False


def _function(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    found = operands.resolve_call(site, state)
    name = safe.class_name(callee) if safe.inherits(type(callee), type) else callee.__name__
    if found is None:
        return frame_structure.unknown_call(name, site, state)
    if not found.real or not affordable(found.size + _span(name, found), state):
        return frame_structure.function(callee, name, found, site, state)
    return ask_content(lambda: callee(*found.arguments, **found.keywords), state)


def _span(name: str, found: operands.Operands) -> int:
    """Return how long a range of dates may get."""
    if not name.endswith("_range"):
        return 0
    periods = [each for each in (*found.arguments, *found.keywords.values()) if type(each) is int]
    freq = found.keywords.get("freq", found.arguments[3] if len(found.arguments) > 3 else "D")
    coarse = type(freq) is str and freq.strip("0123456789") in (
        "D",
        "B",
        "W",
        "M",
        "ME",
        "MS",
        "Q",
        "QE",
        "Y",
        "YE",
        "A",
    )
    return max(periods, default=0) + (0 if coarse or type(freq) is not str else MAX_SIZE // 2)


def _method(method: Method, site: CallSite, state: State) -> Value | Finding | None:
    """Follow a method of an object of pandas'."""
    name = method.name
    entry = safe.in_type(type(state.form(method.owner)), name)
    if not (safe.comes_from(entry, "pandas") or type(entry) is safe.MethodDescriptorType):
        return None
    owner, found = operands.resolve(method.owner, state), operands.resolve_call(site, state)
    if name == "sample":
        return frame_structure.sample(site, owner, found, state)
    if name == "info" and tables.is_table(state.form(method.owner)):
        state.may_raise(site.node, "what prints may raise")
        return Known(None)
    if name in ("query", "eval") and blocks.is_frame(state.form(method.owner)):
        return _expression(method, site, owner, found, state)
    changes = name in frame_names.CHANGING or "inplace" in site.keywords
    if name not in frame_names.METHODS and name not in frame_names.CHANGING:
        return None
    if changes:
        return frame_stores.call(method, site, owner, found, state)
    if owner is None or found is None:
        return frame_structure.unknown_method(method, site, owner, state)
    if not (owner.real and found.real) or not affordable(_cost(name, owner, found), state) or _is_lazy(name, found):
        answer = frame_structure.method(method, site, owner, found, state)
        return explained(answer, method.owner, [*found.arguments, *found.keywords.values()], VALUES, state)
    asked = state.level(*site.arguments, *site.keywords.values())
    answer = ask_content(lambda: getattr(owner.object, name)(*found.arguments, **found.keywords), state, asked)
    answer = explained(answer, method.owner, [*found.arguments, *found.keywords.values()], asked, state)
    return method.owner if type(answer) is Known and answer.object is owner.object else answer


def _expression(
    method: Method, site: CallSite, owner: operands.Operand | None, found: operands.Operands | None, state: State
) -> Value | Finding | None:
    """Follow `DataFrame.query` and `eval`: names with ``@`` are those of the cell, all others the frame's."""
    if owner is None or found is None or not owner.real or not found.real or len(found.arguments) != 1:
        return None
    text = found.arguments[0]
    if type(text) is not str or not affordable(owner.size, state) or safe.loaded("numexpr") is not None:
        return None
    inplace = found.keywords.get("inplace", False)
    if set(found.keywords) - {"inplace"} or type(inplace) is not bool:
        return None
    given: dict[str, Any] = {}
    for name in _LOCAL_NAME.findall(text):
        try:
            operand = operands.resolve(state.read(name), state)
        except Unbound:
            return None
        if operand is None or not operand.real:
            return None
        given[name] = operand.object

    def run(table: Any) -> Any:
        return getattr(table, method.name)(text, local_dict=given, global_dict={}, **found.keywords)

    asked = state.level(*site.arguments)
    return (
        frame_stores.change(method.owner, run, state, asked)
        if inplace
        else ask_content(lambda: run(owner.object), state, asked)
    )


_LOCAL_NAME = re.compile(r"@\s*([A-Za-z_]\w*)")


def _cost(name: str, owner: operands.Operand, found: operands.Operands) -> int:
    if name in frame_names.CHEAP:
        return found.size
    whole: Any = owner.object
    if not tables.is_table(whole):
        # Of groups, windows and accessors: what they look at.
        whole = _looked_at(whole)
    return found.size + (tables.size(whole) if tables.is_table(whole) else 1)


def _looked_at(whole: Any) -> Any:
    own_dict = safe.instance_dict(whole) or {}
    return own_dict.get("obj", own_dict.get("_data", own_dict.get("_parent")))


def _is_lazy(name: str, found: operands.Operands) -> bool:
    """Whether a call imports modules, or loops over rows in Python."""
    words_given = [each for each in (*found.arguments, *found.keywords.values()) if type(each) is str]
    if name in ("corr", "corrwith", "cov") and "kendall" in words_given:
        return True
    if name == "interpolate":
        return any(
            each not in ("linear", "pad", "ffill", "bfill", "forward", "backward", "both") for each in words_given
        )
    if name in ("rolling", "expanding", "ewm") and "win_type" in found.keywords:
        return True
    return "numba" in words_given


# -- built-ins on tables -------------------------------------------------------------------------------------------


def _builtin(callee: Any, name: str, site: CallSite, state: State) -> Value | Finding | None:
    if not any(is_of_pandas(each, state) for each in site.arguments):
        return None
    found = operands.resolve_call(site, state)
    if found is None:
        return None
    if name in ("int", "float", "bool") and not found.real:
        return frame_structure.truth_of(name, found, state)
    if name == "len" and len(found.arguments) == 1 and not found.keywords:
        return length(ValueSite(site.node, site.arguments[0]), state)
    if not found.real or not affordable(found.size, state):
        return None
    return ask_content(lambda: callee(*found.arguments, **found.keywords), state)


# -- operators -----------------------------------------------------------------------------------------------------


def binary(site: Any, state: State) -> Value | Finding | None:
    """Follow ``left op right`` and comparisons."""
    if not (is_of_pandas(site.left, state) or is_of_pandas(site.right, state)):
        return None
    operate = pandas_itself.OPERATORS.get(type(site.op))
    left, right = operands.resolve(site.left, state), operands.resolve(site.right, state)
    if operate is None:
        return None
    if (
        getattr(site, "in_place", False)
        and is_of_pandas(site.left, state)
        and not tables.is_scalar(state.form(site.left))
    ):
        return frame_stores.in_place(site, operate, left, right, state)
    if left is None or right is None:
        return frame_structure.unknown_operator(site, left or right, state)
    if not (left.real and right.real) or not affordable(left.size + right.size, state):
        return frame_structure.operator(site, operate, left, right, state)
    return ask_content(lambda: operate(left.object, right.object), state)


def unary(site: UnarySite, state: State) -> Value | Finding | None:
    """Follow ``-x`` and ``~x``."""
    if not is_of_pandas(site.operand, state):
        return None
    operate = UNARY.get(type(site.op))
    found = operands.resolve(site.operand, state)
    if operate is None or found is None:
        return None
    if not found.real or not affordable(found.size, state):
        return frame_structure.unary(site, operate, found, state)
    return ask_content(lambda: operate(found.object), state)


# -- truth, length, texts, elements --------------------------------------------------------------------------------


def truth(site: ValueSite, state: State) -> Value | Finding | None:
    """Ask a table for its truth: a frame, a series and an index have none."""
    found = state.form(site.value)
    if not is_of_pandas(site.value, state) or not (tables.is_table(found) or tables.is_scalar(found)):
        return None
    operand = operands.resolve(site.value, state)
    if operand is None:
        return None
    if operand.real:
        return ask_content(lambda: bool(operand.object), state)
    return running.structure(lambda: bool(operand.object), LIBRARY, raises=(ValueError,))


def length(site: ValueSite, state: State) -> Value | Finding | None:
    """Ask for a length."""
    if not is_of_pandas(site.value, state):
        return None
    operand = operands.resolve(site.value, state)
    if operand is None or tables.is_scalar(operand.object):
        return None
    if operand.real:
        return ask_content(lambda: len(operand.object), state)
    if SHAPE in state.knows(site.value) and tables.is_table(operand.object):
        return Known(len(operand.object), level=SCHEMA)
    return UNKNOWN if tables.is_table(operand.object) else None


def text(site: ValueSite, state: State) -> Value | Finding | None:
    """Format a table: with a specification that is a TypeError."""
    found = state.form(site.value)
    if not is_of_pandas(site.value, state):
        return None
    if tables.is_table(found):
        if site.text == "":
            state.may_raise(site.node, "printing a table may raise")
            return Made("text")
        operand = operands.resolve(site.value, state)
        if operand is None:
            return None
        return running.structure(lambda: format(operand.object, site.text), LIBRARY, raises=(TypeError,))
    if tables.is_scalar(found) and state.live(site.value) is found:
        return ask_content(lambda: format(found, site.text), state)
    return None


def iterate(site: ValueSite, state: State) -> Value | None:
    """Iterate over a series, an index, the labels of a frame, or groups."""
    if not is_of_pandas(site.value, state):
        return None
    operand = operands.resolve(site.value, state)
    if operand is None:
        return None
    found: Any = operand.object
    if not operand.real:
        return frame_structure.iterate(site, found, state)
    if not affordable(operand.size if tables.is_table(found) else 1, state):
        return None
    if not tables.is_table(found) and not safe.comes_from(safe.in_type(type(found), "__iter__"), "pandas"):
        return None
    answer = ask_content(lambda: [item for _, item in zip(range(MAX_ITEMS + 1), found)], state)
    items: Any = state.live(answer) if type(answer) is Known else None
    if type(items) is not list:
        return None
    level = SCHEMA if blocks.is_frame(found) else VALUES
    return Elements([Known(own(each, state), level=level) for each in items[:MAX_ITEMS]], len(items) <= MAX_ITEMS)


# -- shared with the rules -----------------------------------------------------------------------------------------


def dropped_columns(site: CallSite, state: State) -> list[Any] | None:
    """Return the labels that a call of `DataFrame.drop` takes off the columns, or None if that is not known."""
    axis = state.live(site.keywords["axis"]) if "axis" in site.keywords else 0
    if len(site.arguments) > 1:
        axis = state.live(site.arguments[1])
    if "columns" in site.keywords and not site.arguments and not {"index", "labels"} & set(site.keywords):
        labels = site.keywords["columns"]
    elif (
        type(axis) in (int, str)
        and axis in (1, "columns")
        and "columns" not in site.keywords
        and "index" not in site.keywords
    ):
        found = site.arguments[0] if site.arguments else site.keywords.get("labels")
        if found is None:
            return None
        labels = found
    else:
        return None
    plain = state.plain(labels)
    wanted = plain if type(plain) is list else [plain]
    return wanted if all(safe.one_of(type(label), (str, int)) for label in wanted) else None


HANDLERS: dict[str, list[Any]] = {
    "attribute": [attribute],
    "item": [item],
    "call": [call],
    "operator": [binary],
    "compare": [binary],
    "unary": [unary],
    "truth": [truth],
    "length": [length],
    "format": [text],
    "iterate": [iterate],
    "store_item": [frame_stores.store_item],
    "store_attribute": [frame_stores.store_attribute],
}
