"""matplotlib: figures, axes and pyplot.

Nothing is ever drawn, and no figure is made: a figure of the cell's is `Made("figure")`, its axes are `Made("axes")`,
what else they hold is `Foreign`; facts: `cls`, its class, or None if that is not known. The array of axes that
``subplots`` returns is a real array of `Hole`. The kernel's own figures and axes are treated as if the cell had made
them: what they hold changes with each call.

What raises is restated from the library's own checks, or asked of its functions that only look at numbers and names.
Sources: the matplotlib reference, `Axes.plot`, `Axes.scatter`, ...; `matplotlib/axes/_base.py`, `_plot_args`.

To add a function's checks, see `figure_checks`.
"""

from __future__ import annotations

import ast
import builtins
import opcode
import types
from typing import TYPE_CHECKING, Any, Iterator

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA
from ..elements import elements
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..values import UNKNOWN, Defined, Elements, Foreign, Hole, Known, Made, Method, Value, as_element, of_element
from ..words import Words, named, words
from . import running
from .arrays import is_basic_index
from .figure_checks import CHECKS, argument, finding, squeezes, wrong_binding, wrong_keyword
from .figure_kinds import (
    ARTIST,
    AXES,
    FIGURE,
    LIBRARY,
    ODD_AXES,
    Place,
    axes_class,
    figure_class,
    kind_of,
    new_axes,
    own_class,
    some_axes,
)

if TYPE_CHECKING:
    from ..state import State

MAX_AXES = 400
"""Subplots of a figure that are followed."""


# -- what is a figure, an axes ---------------------------------------------------------------------------------------


def array_of_axes(shape: tuple[int, ...]) -> Known:
    """Return what ``subplots`` returns: an array of axes."""
    numpy: Any = safe.loaded("numpy")
    array = numpy.empty(shape, dtype=object)
    for place in range(array.size):
        array.flat[place] = Hole(new_axes())
    return Known(array, level=NAMES)


def _axes_array(value: Value | None, state: State) -> Any:
    """Return an exact array of axes, or one of its flat iterators; `safe.ABSENT` if it is none."""
    found: Any = state.live(value)
    array = found.base if safe.is_exactly(found, "numpy", "flatiter") else found
    if not safe.is_exactly(array, "numpy", "ndarray") or array.dtype.kind != "O" or not 0 < array.size <= MAX_AXES:
        return safe.ABSENT
    own = all(kind_of(of_element(each), state)[0] == AXES for each in array.ravel().tolist())
    return found if own else safe.ABSENT


# -- reading ---------------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Read an attribute of a figure, of axes, or of an artist."""
    kind, cls = kind_of(site.owner, state)
    if not kind:
        return _attribute_of_array(site, state)
    if kind == ARTIST and cls is not None and _method_of(cls, site.name):
        return Method(site.owner, site.name)
    if kind == ARTIST or cls is None:
        base = {AXES: axes_class(), FIGURE: figure_class()}.get(kind)
        if base is not None and _method_of(base, site.name):
            return Method(site.owner, site.name)
        state.may_raise(site.node, "the attribute {!r} may not be there".format(site.name))
        return Foreign("matplotlib")
    noted = state.noted(site.owner, "." + site.name)
    if isinstance(noted, Value):
        return noted
    if _method_of(cls, site.name):
        return Method(site.owner, site.name)
    if safe.in_type(cls, site.name) is not safe.ABSENT or site.name.startswith("__"):
        # A property, or a constant of the class.
        return Foreign("matplotlib")
    if type(site.owner) is Made and not _may_set(cls, site.name):
        return _missing_attribute(site, kind, cls)
    if kind == AXES and cls is axes_class() and site.name in _PARTS:
        return Made(ARTIST, cls=own_class(*_PARTS[site.name]), package=LIBRARY)
    if kind == AXES and site.name in ("figure", "fig"):
        return Made(FIGURE, cls=None, package=LIBRARY)
    if not _may_set(cls, site.name):
        state.may_raise(site.node, "the attribute {!r} may not be there".format(site.name))
    return Foreign("matplotlib")


# What each axes has from the start. Source: `_AxesBase.clear` and `_init_axis`.
_PARTS = {
    "title": ("matplotlib.text", "Text"),
    "xaxis": ("matplotlib.axis", "XAxis"),
    "yaxis": ("matplotlib.axis", "YAxis"),
}


def _attribute_of_array(site: AttributeSite, state: State) -> Value | None:
    array = _axes_array(site.owner, state)
    if site.name not in ("flat", "T") or not safe.is_exactly(array, "numpy", "ndarray"):
        return None
    if site.name == "T":
        return Known(array.T, level=NAMES)
    flat = array.flat
    state.memo.setdefault("figures.flat", {})[id(flat)] = flat
    return Known(flat, level=NAMES)


def _method_of(cls: type, name: str) -> bool:
    return safe.comes_from(safe.in_type(cls, name), "matplotlib")


def _shown_class(kind: str, cls: type) -> str:
    """Return a class as messages show it: before matplotlib 3.7 that of what ``subplots`` makes was made for it."""
    old = kind == AXES and safe.loaded("matplotlib.axes._subplots") is not None
    return "AxesSubplot" if old else safe.class_name(cls)


def _missing_attribute(site: AttributeSite, kind: str, cls: type) -> Finding:
    name = _shown_class(kind, cls)
    known = sorted(each for base in safe.mro(cls) for each in safe.class_dict(base) if type(each) is str)
    public = [each for each in known if not each.startswith("_")]
    close = ["set_" + site.name] if "set_" + site.name in public else close_to(site.name, public)
    return Finding(
        rule="figures.missing-attribute",
        type="AttributeError",
        message=words("{!r} object has no attribute {!r}", named(name), named(site.name)),
        because=words("neither the class {} nor its instances have {!r}", named(name), named(site.name)),
        crash_type="attribute error",
        library="matplotlib",
        close=tuple(close),
        asked=NAMES,
    )


_STORE_ATTRIBUTE = opcode.opmap["STORE_ATTR"]
_SETTING_MODULES = ("matplotlib.pyplot", "matplotlib.backend_bases", "matplotlib.figure", "matplotlib.artist")
# Set on axes by pandas' plots. Source: `pandas/plotting/_matplotlib/core.py`.
_SET_BY_OTHERS = frozenset(["right_ax", "left_ax", "freq", "date_axis_info", "view_interval"])


def _may_set(cls: type, name: str) -> bool:
    """Whether some function that gets hold of a figure or of axes stores an attribute of this name."""
    if name in _SET_BY_OTHERS or name.startswith("_"):
        return True
    entries = [entry for base in safe.mro(cls) for _, entry in safe.entries(base)]
    for module in _SETTING_MODULES:
        own = list((safe.instance_dict(safe.loaded(module)) or {}).values())
        entries += own
        entries += [entry for each in own if type(each) is type for _, entry in safe.entries(each)]
    return any(_stores(code, name) for entry in entries for code in _codes(entry))


def _codes(entry: Any) -> Iterator[types.CodeType]:
    """Yield the codes of a function, a property, or a wrapper, with those of what they hold."""
    if type(entry) is property:
        for each in (entry.fget, entry.fset, entry.fdel):
            yield from _codes(each)
        return
    if safe.one_of(type(entry), (staticmethod, classmethod)):
        entry = entry.__func__
    if type(entry) is types.FunctionType:
        yield entry.__code__
        wrapped = (safe.instance_dict(entry) or {}).get("__wrapped__")
        if type(wrapped) is types.FunctionType:
            yield from _codes(wrapped)


def _stores(code: types.CodeType, name: str) -> bool:
    if name in code.co_names:
        place, argument = code.co_names.index(name), 0
        for operation, low in zip(code.co_code[::2], code.co_code[1::2]):
            argument = argument << 8 | low
            if operation == _STORE_ATTRIBUTE and argument == place:
                return True
            if operation != opcode.EXTENDED_ARG:
                argument = 0
    return any(type(each) is types.CodeType and _stores(each, name) for each in code.co_consts)


def store_attribute(site: AttributeSite, value: Value, state: State) -> Value | Finding | None:
    """Follow ``axes.name = value`` on what the cell made: nothing else is known of it but its class."""
    kind, _ = kind_of(site.owner, state)
    if not kind:
        return None
    state.may_raise(site.node, "the attribute {!r} may not be settable".format(site.name))
    if type(site.owner) is Made:
        # From here on it may have attributes that its class does not know, and pyplot may have it, too.
        state.memo[_ODD] = True
        site.owner.facts["cls"] = None
    else:
        state.touch(site.owner)
    return Known(None)


def item(site: SubscriptSite, state: State) -> Value | Finding | None:
    """Read ``axes[i, j]`` of an array of axes, or an item of what a figure holds."""
    single = _single(site.owner, "__getitem__", state)
    if single and site.context == "load":
        return _no_array(words("{!r} object is not subscriptable", named(single)))
    array = _axes_array(site.owner, state)
    key: Any = state.plain(site.key)
    if array is safe.ABSENT or site.context != "load":
        return None
    if key is safe.ABSENT:
        state.may_raise(site.node, "the index may be outside the array of axes")
        return some_axes() if _picks_one(array, site, state) else UNKNOWN
    flat = safe.is_exactly(array, "numpy", "flatiter")
    if not is_basic_index(key) or (flat and not safe.one_of(type(key), (int, slice))):
        return None
    return running.content(lambda: array[key], "numpy", SCHEMA, "index error", _of_item)


def _single(value: Value | None, method: str, state: State) -> str:
    """Return the name of the class of a figure or of axes of matplotlib's own, which have no such method, or ''."""
    kind, cls = kind_of(value, state)
    if kind not in (FIGURE, AXES) or cls is None or not any(cls is each for each in (figure_class(), axes_class())):
        return ""
    if safe.in_type(cls, method) is not safe.ABSENT or safe.in_type(cls, "__getitem__") is not safe.ABSENT:
        return ""
    return _shown_class(kind, cls)


def _no_array(message: Words) -> Finding:
    because = "a single subplot comes as axes, not as an array of axes"
    return finding("no-array", "TypeError", message, because, "type error")


def _picks_one(array: Any, site: SubscriptSite, state: State) -> bool:
    """Whether an index that is not known is a single number into an array of one axis."""
    one = type(site.key) is Made and site.key.kind == "number"
    return one and (safe.is_exactly(array, "numpy", "flatiter") or array.ndim == 1)


def _of_item(found: Any) -> Value:
    return Known(found, level=NAMES) if safe.is_exactly(found, "numpy", "ndarray") else of_element(found)


def iterate(site: ValueSite, state: State) -> Value | Finding | None:
    """Iterate over an array of axes, or over what a figure holds."""
    single = _single(site.value, "__iter__", state)
    if single and isinstance(site.node, (ast.Tuple, ast.List)) and isinstance(site.node.ctx, ast.Store):
        return _no_array(words("cannot unpack non-iterable {} object", named(single)))
    if single:
        return _no_array(words("{!r} object is not iterable", named(single)))
    array = _axes_array(site.value, state)
    if array is safe.ABSENT:
        return None
    if safe.is_exactly(array, "numpy", "flatiter"):
        if id(array) not in state.memo.get("figures.flat", ()):
            return None
        # Our own, which is used up as that of the cell will be.
        found = list(array)
    else:
        found = list(array)
    return Elements([_of_item(each) for each in found])


def length(site: ValueSite, state: State) -> Value | Finding | None:
    """Return the length of a figure or of axes: they have none."""
    single = _single(site.value, "__len__", state)
    return _no_array(words("object of type {!r} has no len()", named(single))) if single else None


# -- calling ---------------------------------------------------------------------------------------------------------


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of pyplot, or a method of a figure, of axes, of an artist, or of an array of axes."""
    found = _call_on_array(site, state)
    if found is not None:
        return found
    kind, cls = kind_of(site.callee, state)
    if kind and cls is not None and safe.in_type(cls, "__call__") is safe.ABSENT:
        return _not_callable(site, kind, cls)
    place = _place_of(site, state)
    if place is None or calls_back(site, state):
        return None
    use_up(site, state)
    if site.complete:
        check = CHECKS.get(place.name)
        answer = None if check is None or "data" in site.keywords else check(place, site, state)
        answer = answer or wrong_binding(place, site) or wrong_keyword(place, site, state)
        if answer is not None:
            return answer
    if place.name in _NEVER_RAISE and site.complete and not site.arguments and not site.keywords:
        return _result(place, site, state)
    state.may_raise(site.node, "{}() may raise".format(place.name))
    if not site.complete or ODD_AXES & set(site.keywords) or place.name in ("polar", "sca", "axes", "add_axes"):
        state.memo[_ODD] = True
    if place.name == "savefig":
        state.files_may_change = True
    return _result(place, site, state)


def _not_callable(site: CallSite, kind: str, cls: type) -> Finding:
    message = words("{!r} object is not callable", named(_shown_class(kind, cls)))
    name = site.method
    setter = "set_" + name if name and safe.in_type(axes_class(), "set_" + name) is not safe.ABSENT else ""
    close = (setter,) if setter else ()
    return finding("not-callable", "TypeError", message, "it is no method", "type error", close=close)


def _place_of(site: CallSite, state: State) -> Place | None:
    if type(site.callee) is Method:
        kind, cls = kind_of(site.callee.owner, state)
        if not kind:
            return None
        if kind != ARTIST and cls is not None and not _method_of(cls, site.callee.name):
            return None
        return Place(site.callee.name, kind, kind == AXES and cls is not None and cls is axes_class(), cls=cls)
    callee: Any = state.live(site.callee)
    pyplot = safe.loaded("matplotlib.pyplot")
    if type(callee) is not types.FunctionType or pyplot is None:
        return None
    name = callee.__name__
    # Some are wrapped, by what warns of parameters that will change.
    if (safe.instance_dict(pyplot) or {}).get(name) is not callee or not safe.comes_from(callee, "matplotlib"):
        return None
    return Place(name, "pyplot", False, plain=_pyplot_is_plain(state))


_ODD = "figures.odd"


def _pyplot_is_plain(state: State) -> bool:
    """Whether pyplot has rectilinear axes only: in the kernel, and as far as the cell made some."""
    if _ODD not in state.memo:
        state.memo[_ODD] = not all(map(_has_plain_axes, _figures_of_pyplot()))
    return not state.memo[_ODD]


def current_axes(state: State) -> Made:
    """Return what ``plt.gca()`` returns: of a class that is known if the cell itself made all figures there are."""
    return new_axes() if _pyplot_is_plain(state) and not _figures_of_pyplot() else some_axes()


def _figures_of_pyplot() -> list[Any]:
    """Return the figures that pyplot manages in the kernel."""
    keeper = own_class("matplotlib._pylab_helpers", "Gcf")
    managers: Any = {} if keeper is None else safe.class_dict(keeper).get("figs")
    found = []
    for manager in list(managers.values()) if safe.inherits(type(managers), dict) else [None]:
        canvas = (safe.instance_dict(manager) or {}).get("canvas")
        found.append((safe.instance_dict(canvas) or {}).get("figure"))
    return found


def _has_plain_axes(figure: Any) -> bool:
    axes = (safe.instance_dict(figure) or {}).get("_localaxes")
    return type(axes) is list and all(type(each) is axes_class() for each in axes)


def calls_back(site: CallSite, state: State) -> bool:
    """Whether an argument is a function of the user's."""
    for each in [*site.arguments, *site.keywords.values()]:
        found = state.live(each)
        function: Any = found.__func__ if type(found) is types.MethodType else found
        if type(each) is Defined or (
            type(function) is types.FunctionType and function.__globals__ is state.shell.user_ns
        ):
            return True
    return False


def use_up(site: CallSite, state: State) -> None:
    """An iterator that is handed on is used up."""
    for each in [*site.arguments, *site.keywords.values()]:
        if type(each) is Made and each.kind == "iterator":
            state.touch(each)


_NEVER_RAISE = frozenset(["figure", "gcf", "clf", "cla", "close", "get_figure", "subplots"])
_GIVES_AXES = frozenset(["add_subplot", "subplot", "twinx", "twiny", "add_axes", "inset_axes", "subplot2grid", "axes"])


def _result(place: Place, site: CallSite, state: State) -> Value:
    """Return what a call returns if it does not raise."""
    if place.name in ("figure", "gcf") and place.kind == "pyplot":
        own = site.complete and "FigureClass" not in site.keywords and (place.name == "figure" and not site.arguments)
        own = own and "num" not in site.keywords
        return Made(FIGURE, cls=figure_class() if own else None, package=LIBRARY)
    if place.name == "get_figure":
        return Made(FIGURE, cls=None, package=LIBRARY)
    if place.name == "subplots" and place.kind in ("pyplot", FIGURE):
        return _subplots_result(place, site, state)
    if place.name in ("gca", "sca"):
        return current_axes(state) if place.name == "gca" else Known(None)
    if place.name in _GIVES_AXES and (place.kind != AXES or place.name != "axes"):
        # Calls that are given axes, or that may find those of an earlier call, may return others.
        fresh = place.kind == FIGURE and place.name == "add_subplot" and site.complete
        fresh = fresh and not ODD_AXES & set(site.keywords) and all(_is_number(each, state) for each in site.arguments)
        return new_axes() if fresh else some_axes()
    return Foreign("matplotlib")


def _is_number(value: Value, state: State) -> bool:
    return type(state.live(value)) is int or (type(value) is Made and value.kind == "number")


def _subplots_result(place: Place, site: CallSite, state: State) -> Value:
    rows, columns, squeezed = (
        state.live(each) for each in (argument(site, 0, "nrows", 1), argument(site, 1, "ncols", 1), squeezes(site))
    )
    odd = ODD_AXES & set(site.keywords)
    figure = Made(FIGURE, cls=figure_class() if "FigureClass" not in site.keywords else None, package=LIBRARY)
    axes: Value = UNKNOWN
    counts = site.complete and type(rows) is int and type(columns) is int and type(squeezed) is bool and not odd
    if counts and 0 < rows * columns <= MAX_AXES and rows > 0:  # type: ignore[operator]
        shape: tuple[int, ...] = (rows, columns)  # type: ignore[assignment]
        shape = tuple(each for each in shape if each != 1) if squeezed else shape
        axes = array_of_axes(shape) if shape else new_axes()
    elif odd and rows == 1 and columns == 1:
        axes = some_axes()
    return axes if place.kind == FIGURE else Known((as_element(figure), as_element(axes)), level=NAMES)


# -- arrays of axes --------------------------------------------------------------------------------------------------

_OF_ARRAYS = frozenset(["flatten", "ravel", "reshape", "transpose", "squeeze", "tolist", "copy"])


def _call_on_array(site: CallSite, state: State) -> Value | Finding | None:
    """``axes.flatten()`` and its like, and ``zip`` and ``enumerate`` over axes."""
    if not site.complete or site.keywords:
        return None
    if site.owner is not None and site.method in _OF_ARRAYS:
        array = _axes_array(site.owner, state)
        arguments = [state.plain(each) for each in site.arguments]
        if array is safe.ABSENT or safe.is_exactly(array, "numpy", "flatiter") or safe.ABSENT in arguments:
            return None
        method = site.method
        level = state.level(*site.arguments)
        return running.content(lambda: getattr(array, method)(*arguments), "numpy", level, result=_of_array)
    callee = state.live(site.callee)
    if callee is builtins.next and len(site.arguments) == 1:
        return None
    if not any(callee is each for each in (builtins.zip, builtins.enumerate)):
        return None
    if not any(_axes_array(each, state) is not safe.ABSENT for each in site.arguments):
        return None
    rows = [_elements(each, site, state) for each in site.arguments]
    if callee is builtins.enumerate and len(rows) > 1:
        rows = rows[:1] if state.live(site.arguments[1]) == 0 else [None]
    if any(row is None for row in rows):
        return None
    if callee is builtins.enumerate:
        items: list[Any] = [(place, as_element(each)) for place, each in enumerate(rows[0] or ())]
    else:
        items = [tuple(map(as_element, row)) for row in zip(*(row or () for row in rows))]
    level = state.level(*site.arguments)
    return Made("iterator", items=items, made_at=state.changes(), level=level)


def _elements(value: Value, site: CallSite, state: State) -> list[Value] | None:
    if _axes_array(value, state) is not safe.ABSENT:
        found = iterate(ValueSite(site.node, value), state)
        return found.found if isinstance(found, Elements) else None
    return elements(state, value)


def _of_array(found: Any) -> Value:
    return Known(found, level=NAMES)


HANDLERS = {
    "attribute": [attribute],
    "item": [item],
    "call": [call],
    "iterate": [iterate],
    "length": [length],
    "store_attribute": [store_attribute],
}
