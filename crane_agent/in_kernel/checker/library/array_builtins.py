"""numpy: Python's own built-in functions, given arrays and numbers of numpy's.

Source: the Python library reference, "Built-in Functions".
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import tensors
from ..elements import elements
from ..sites import CallSite, Finding, ValueSite
from ..values import DTYPE, SHAPE, UNKNOWN, Elements, Foreign, Known, Like, Made, Value, as_element
from . import array_forms as forms
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "numpy"

_COMPUTED = frozenset(
    "abs all any bool complex divmod float hash int list max min pow range repr round set frozenset sorted str sum "
    "tuple slice".split()
)
_ITERATORS = frozenset(["enumerate", "zip", "reversed"])
_TO_NUMBERS = frozenset(["int", "float", "complex"])
_MAX_LOOP = 5000


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Answer for a built-in function, if an argument is of numpy's."""
    callee = state.live(site.callee)
    name = _name(callee)
    if not name or not site.complete or not site.arguments:
        return None
    if name in ("isinstance", "type"):
        return _type_of(name, site, state)
    if name in _ITERATORS:
        return _iterator(name, site, state) if any(_is_of_numpy(each, state) for each in site.arguments) else None
    if name in ("list", "tuple", "dict") and len(site.arguments) == 1 and not site.keywords:
        found = _collected(name, callee, site.arguments[0], state)
        if found is not None:
            return found
    if not any(_holds_numpy(each, state) for each in [*site.arguments, *site.keywords.values()]):
        return None
    if name == "len":
        from . import arrays

        single = len(site.arguments) == 1 and not site.keywords
        return arrays.length(ValueSite(site.node, site.arguments[0]), state) if single else None
    if name not in _COMPUTED or set(site.keywords) - {"reverse", "start", "ndigits"}:
        return None
    start = state.live(site.keywords["start"]) if "start" in site.keywords else 0
    if type(start) is not int or start:
        return None
    return _computed(name, callee, site, state)


def _name(callee: object) -> str:
    found = safe.one_of(type(callee), (safe.BuiltinFunctionType, type))
    name = getattr(callee, "__name__", "") if found else ""
    return name if type(name) is str and builtins.__dict__.get(name, safe.ABSENT) is callee else ""


def _is_of_numpy(value: Value, state: State) -> bool:
    form = state.form(value)
    return forms.is_numpy(form) or tensors.is_ndarray(form) or forms.is_flat(form)


def _holds_numpy(value: Value, state: State) -> bool:
    """Whether a value is of numpy's, or a list or tuple with such a value among the first."""
    if _is_of_numpy(value, state):
        return True
    found: Any = state.live(value)
    if not safe.one_of(type(found), (list, tuple)) or not len(found):
        return False
    from ..values import of_element

    return any(_is_of_numpy(of_element(each), state) for each in found[:3])


def _collected(name: str, callee: Any, value: Value, state: State) -> Value | None:
    """``list(zip(array, other))`` and its like: an iterator's elements, which need not be known."""
    if type(value) is not Made or value.kind != "iterator":
        return None
    items = value.facts.get("items")
    if items is None or all(safe.is_plain(each) for each in items) or len(items) > forms.MAX_OPERANDS:
        return None
    level = state.level(value)
    found = elements(state, value)
    if found is None:
        return None
    if name != "dict":
        return Known(callee([as_element(each) for each in found]), level=level)
    pairs = [each.object for each in found if type(each) is Known and type(each.object) is tuple]
    if len(pairs) < len(found) or any(len(each) != 2 or not safe.one_of(type(each[0]), safe.SCALARS) for each in pairs):
        return None
    return Known(dict(pairs), level=level)


def _computed(name: str, callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    values = [*site.arguments, *site.keywords.values()]
    real = [forms.real(each, state) for each in site.arguments]
    named = {key: forms.real(each, state) for key, each in site.keywords.items()}
    level = state.level(*values)
    if not any(each is safe.ABSENT for each in [*real, *named.values()]) and _is_quick(name, real):
        return running.content(lambda: callee(*real, **named), "python", level, _crash_type(name))
    form = state.form(site.arguments[0], SHAPE, DTYPE)
    if not forms.is_numpy(form) or len(site.arguments) > 1 or site.keywords:
        return _open(site, state, name)
    return _by_structure(name, callee, form, site, state)


def _crash_type(name: str) -> str:
    return "value error" if name in ("max", "min", "sorted", "bool", "any", "all") else ""


def _is_quick(name: str, arguments: list[Any]) -> bool:
    if name in ("pow", "divmod") and any(type(each) is int and abs(each) > 1000 for each in arguments):
        return False
    if name in ("str", "repr"):
        # How numbers are printed is a setting of the thread; and the user's code may do it.
        return False
    return sum(forms.size_of(each) for each in arguments) <= _MAX_LOOP


def _by_structure(name: str, callee: Any, form: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Answer for an array or a number of which the structure is known."""
    shape = forms.shape_of(form)
    if name in ("list", "tuple"):
        return _listed(callee, site, state)
    if name in ("str", "repr"):
        return Made("text")
    if name == "bool":
        from . import arrays

        return arrays.truth(ValueSite(site.node, site.arguments[0]), state)
    if form.dtype.kind not in forms.NUMBERS:
        return _open(site, state, name)
    if name == "abs" or name == "round":
        from . import array_functions

        question = array_functions.Question(name, callee, [forms.Operand(form, False)], {}, [*site.arguments])
        return array_functions._by_structure(question, "numpy", True, False, site, state)
    if name == "range":
        return _crash_only(callee, form, site, state, "type error")
    if name in _TO_NUMBERS:
        return _number(name, callee, form, site, state)
    if name in ("sum", "max", "min", "sorted", "any", "all") and shape:
        return _reduced(name, callee, form, shape, site, state)
    return _open(site, state, name)


def _crash_only(callee: Any, form: Any, site: CallSite, state: State, crash_type: str) -> Value | Finding | None:
    array = _sample(form)
    answer = None if array is None else running.content(lambda: callee(array), "numpy", SCHEMA, crash_type)
    return answer if isinstance(answer, Finding) else _open(site, state, "it")


def _sample(form: Any) -> Any:
    """Return an array of ones of the same structure, with at most two elements along an axis."""
    if not tensors.is_ndarray(form):
        return form
    return forms.filled(tuple(min(2, each) for each in forms.shape_of(form)), form.dtype)


def _number(name: str, callee: Any, form: Any, site: CallSite, state: State) -> Value | Finding | None:
    if form.size != 1:
        return _crash_only(callee, form, site, state, "type error")
    if form.dtype.kind == "c" and name != "complex":
        return _open(site, state, name)
    answer = running.content(lambda: callee(_sample(form)), "numpy", SCHEMA, "type error")
    if isinstance(answer, Finding):
        return answer
    if name == "int" and form.dtype.kind == "f":
        state.may_raise(site.node, "it may be NaN")
    return Made("number", type=int if name == "int" else float) if name != "complex" else UNKNOWN


def _reduced(
    name: str, callee: Any, form: Any, shape: tuple[int, ...], site: CallSite, state: State
) -> Value | Finding | None:
    array = _sample(form)
    if array is None:
        return _open(site, state, name)
    answer = running.content(lambda: callee(array), "numpy", SCHEMA, "value error")
    if isinstance(answer, Finding):
        # What two rows show, more rows show too; two elements stand for more.
        return answer
    if len(shape) == 1 and name in ("sum", "max", "min") and type(answer) is Known and forms.is_scalar(answer.object):
        return Like(answer.object)
    if len(shape) == 1 and name == "sorted":
        return _listed(list, site, state)
    if name in ("any", "all"):
        return Made("bool")
    if name == "sum" and 0 not in shape:
        found: Any = answer.object if type(answer) is Known else None
        if tensors.is_ndarray(found):
            return forms.like(shape[1:], found.dtype)
    return _open(site, state, name)


def _listed(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    from . import arrays

    answer = arrays.iterate(ValueSite(site.node, site.arguments[0]), state)
    if isinstance(answer, Finding):
        return answer
    if type(answer) is Elements and answer.complete:
        return Known(callee([as_element(each) for each in answer.found]), level=state.level(*site.arguments))
    return UNKNOWN if type(answer) is Elements else None


def _open(site: CallSite, state: State, name: str) -> Value:
    state.may_raise(site.node, "{}() of an array may raise".format(name))
    return Foreign("numpy", site.arguments)


def _rows(value: Value, site: CallSite, state: State) -> Elements | Finding | None:
    """Return what iterating over a value yields."""
    from . import arrays

    if type(value) is Made:
        return None
    found = elements(state, value)
    if found is not None:
        return Elements(found)
    answer = arrays.iterate(ValueSite(site.node, value), state)
    return answer if type(answer) is Elements or isinstance(answer, Finding) else None


def _iterator(name: str, site: CallSite, state: State) -> Value | Finding | None:
    """``enumerate(array)``, ``zip(array, other)``."""
    if set(site.keywords) - {"start"} or len(site.arguments) > (9 if name == "zip" else 1):
        return None
    start = state.live(site.keywords["start"]) if "start" in site.keywords else 0
    rows = [_rows(value, site, state) for value in site.arguments]
    crash = next((each for each in rows if isinstance(each, Finding)), None)
    if crash is not None:
        return crash
    if any(each is None for each in rows) or type(start) is not int:
        return None
    parts = [each for each in rows if type(each) is Elements]
    if name == "reversed":
        return UNKNOWN if parts[0].complete else None
    count = min(len(each.found) for each in parts)
    ends = any(each.complete and len(each.found) == count for each in parts)
    level = state.level(*site.arguments)
    if name == "enumerate":
        items: list[Any] = [(start + place, as_element(each)) for place, each in enumerate(parts[0].found)]
    else:
        items = [tuple(map(as_element, row)) for row in zip(*[each.found for each in parts])]
    if ends:
        return Made("iterator", items=items, made_at=state.changes(), level=level)
    return Made("rows", items=items, made_at=state.changes(), level=level)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Yield the first items of ``zip(array, other)`` of long arrays."""
    value = site.value
    if type(value) is not Made or value.kind != "rows":
        return None
    items = value.facts.pop("items", None)
    if items is None or value.facts.get("made_at") != state.changes():
        return None
    return Elements([Known(each, level=value.facts.get("level", "values")) for each in items], complete=False)


def _type_of(name: str, site: CallSite, state: State) -> Value | None:
    form = state.form(site.arguments[0])
    if not (tensors.is_ndarray(form) or forms.is_scalar(form)) or site.keywords:
        return None
    if name == "type":
        return Known(type(form)) if len(site.arguments) == 1 else None
    wanted = state.live(site.arguments[1]) if len(site.arguments) == 2 else safe.ABSENT
    classes = wanted if type(wanted) is tuple else (wanted,)
    if wanted is safe.ABSENT or not all(type(each) is type for each in classes):
        return None
    return Known(isinstance(form, classes))
