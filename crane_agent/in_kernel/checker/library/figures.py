"""matplotlib: figures, axes and pyplot.

Nothing is ever drawn, and no figure is made: a figure of the cell's is `Made("figure")`, its axes are `Made("axes")`,
what else they hold is `Foreign`; facts: `cls`, its class, or None if that is not known. The array of axes that
``subplots`` returns is a real array of `Hole`. The kernel's own figures and axes are treated as if the cell had made
them: what they hold changes with each call.

What raises is restated from the library's own checks, or asked of its functions that only look at numbers and names.
Sources: the matplotlib reference, `Axes.plot`, `Axes.scatter`, ...; `matplotlib/axes/_base.py`, `_plot_args`.
"""

from __future__ import annotations

import ast
import builtins
import opcode
import types
from typing import TYPE_CHECKING, Any, Callable, Iterator

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA, VALUES
from ...probes import callables
from ..elements import elements
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..values import UNKNOWN, Defined, Elements, Foreign, Hole, Known, Like, Made, Method, Value, as_element, of_element
from ..words import Words, counted, named, words
from . import running
from .arrays import is_basic_index
from .plotted import MAX_ELEMENTS, NUMBERS, OTHER, TEXTS, TIMES, Data, data_of

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "matplotlib"

MAX_AXES = 400
"""Subplots of a figure that are followed."""

FIGURE, AXES, ARTIST = "figure", "axes", "artist"


# -- what is a figure, an axes ---------------------------------------------------------------------------------------


def axes_class() -> Any:
    """Return the class of rectilinear axes, or None if it is not loaded as it was shipped."""
    return _own_class("matplotlib.axes", "Axes")


def figure_class() -> Any:
    """Return the class of figures, or None."""
    return _own_class("matplotlib.figure", "Figure")


def _own_class(module: str, name: str) -> Any:
    found = safe.loaded(module, name)
    return found if type(found) is type and safe.class_module(found).startswith("matplotlib.") else None


def new_axes(cls: object = None) -> Made:
    """Return axes; by default rectilinear ones."""
    return Made(AXES, cls=axes_class() if cls is None else cls, package=LIBRARY)


def some_axes() -> Made:
    """Return axes of a kind that is not known."""
    return Made(AXES, cls=None, package=LIBRARY)


def kind_of(value: Value | None, state: State) -> tuple[str, Any]:
    """Return `FIGURE`, `AXES` or `ARTIST` with the class if it is known; '' for another value."""
    if type(value) is Made and value.kind in (FIGURE, AXES):
        return value.kind, value.facts.get("cls")
    if type(value) is not Known:
        return "", None
    found = type(state.form(value))
    artist = _own_class("matplotlib.artist", "Artist")
    if artist is None or not safe.inherits(found, artist) or not safe.class_module(found).startswith("matplotlib."):
        return "", None
    if found is figure_class():
        return FIGURE, found
    if safe.inherits(found, safe.loaded("matplotlib.axes._base", "_AxesBase")):
        return AXES, found
    return ARTIST, found


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
    if kind == ARTIST or cls is None:
        base = {AXES: axes_class(), FIGURE: figure_class()}.get(kind)
        if base is not None and _method_of(base, site.name):
            return Method(site.owner, site.name)
        state.may_raise(site.node, "the attribute {!r} may not be there".format(site.name))
        return Method(site.owner, site.name)
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
    if kind == AXES and site.name in ("figure", "fig"):
        return Made(FIGURE, cls=None, package=LIBRARY)
    if not _may_set(cls, site.name):
        state.may_raise(site.node, "the attribute {!r} may not be there".format(site.name))
    return Foreign("matplotlib")


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
        # From here on it may have attributes that its class does not know.
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
    return _finding("no-array", "TypeError", message, because, "type error")


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
    place = _place_of(site, state)
    if place is None or calls_back(site, state):
        return None
    use_up(site, state)
    if site.complete:
        check = _CHECKS.get(place.name)
        answer = None if check is None or "data" in site.keywords else check(place, site, state)
        answer = answer or _wrong_keyword(place, site, state)
        if answer is not None:
            return answer
    if place.name in _NEVER_RAISE and site.complete and not site.arguments and not site.keywords:
        return _result(place, site, state)
    state.may_raise(site.node, "{}() may raise".format(place.name))
    if place.name == "savefig":
        state.files_may_change = True
    return _result(place, site, state)


class _Place:
    """What is called.

    Attributes:
        name: Name of the function of pyplot, or of the method.
        kind: `pyplot`, `FIGURE`, `AXES` or `ARTIST`.
        sure: Whether it is certain that it is drawn on rectilinear axes, of matplotlib's own class.
        owner: Whose method it is, or None.
    """

    def __init__(self, name: str, kind: str, sure: bool, owner: Value | None = None) -> None:
        self.name = name
        self.kind = kind
        self.sure = sure
        self.owner = owner


def _place_of(site: CallSite, state: State) -> _Place | None:
    if type(site.callee) is Method:
        kind, cls = kind_of(site.callee.owner, state)
        if not kind:
            return None
        if kind != ARTIST and cls is not None and not _method_of(cls, site.callee.name):
            return None
        return _Place(site.callee.name, kind, kind == AXES and cls is axes_class() is not None, site.callee.owner)
    callee: Any = state.live(site.callee)
    pyplot = safe.loaded("matplotlib.pyplot")
    if type(callee) is not types.FunctionType or pyplot is None:
        return None
    name = callee.__name__
    # Some are wrapped, by what warns of parameters that will change.
    if (safe.instance_dict(pyplot) or {}).get(name) is not callee or not safe.comes_from(callee, "matplotlib"):
        return None
    return _Place(name, "pyplot", False)


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
_ODD_AXES = frozenset(["projection", "polar", "axes_class", "subplot_kw"])


def _result(place: _Place, site: CallSite, state: State) -> Value:
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
        return some_axes() if place.name == "gca" else Known(None)
    if place.name in _GIVES_AXES and (place.kind != AXES or place.name != "axes"):
        # Calls that are given axes, or that may find those of an earlier call, may return others.
        fresh = place.kind == FIGURE and place.name == "add_subplot" and site.complete
        fresh = fresh and not _ODD_AXES & set(site.keywords) and all(_is_number(each, state) for each in site.arguments)
        return new_axes() if fresh else some_axes()
    return Foreign("matplotlib")


def _is_number(value: Value, state: State) -> bool:
    return type(state.live(value)) is int or (type(value) is Made and value.kind == "number")


# -- several subplots ------------------------------------------------------------------------------------------------


def _argument(site: CallSite, place: int, name: str, default: object = None) -> Value:
    """Return an argument that is given by place or by name, or its default."""
    if place < len(site.arguments):
        return site.arguments[place]
    return site.keywords.get(name, Known(default, level=NAMES))


_PLAIN_FIGURE = frozenset(["figsize", "dpi", "sharex", "sharey", "squeeze", "nrows", "ncols", "constrained_layout"])


def _check_subplots(place: _Place, site: CallSite, state: State) -> Value | Finding | None:
    """``subplots(rows, columns)`` with numbers that are no positive integers; the library's GridSpec is asked."""
    spec = _own_class("matplotlib.gridspec", "GridSpec")
    rows, columns = (state.live(_argument(site, at, name, 1)) for at, name in enumerate(("nrows", "ncols")))
    wrong = _wrong_figure(place, site, state)
    if wrong is not None:
        return wrong
    if spec is None or not set(site.keywords) <= _PLAIN_FIGURE or not _figure_is_fine(site, state):
        return None
    if not all(safe.one_of(type(each), (int, float, str, type(None))) for each in (rows, columns)):
        return None
    level = state.level(*site.arguments, *site.keywords.values())
    found = running.content(lambda: spec(rows, columns), "matplotlib", level)
    return found if isinstance(found, Finding) else None


def _subplots_result(place: _Place, site: CallSite, state: State) -> Value:
    rows, columns, squeeze = (
        state.live(each)
        for each in (_argument(site, 0, "nrows", 1), _argument(site, 1, "ncols", 1), _squeeze(site, place))
    )
    odd = _ODD_AXES & set(site.keywords)
    figure = Made(FIGURE, cls=figure_class() if "FigureClass" not in site.keywords else None, package=LIBRARY)
    axes: Value = UNKNOWN
    counts = site.complete and type(rows) is int and type(columns) is int and type(squeeze) is bool and not odd
    if counts and 0 < rows * columns <= MAX_AXES and rows > 0:  # type: ignore[operator]
        shape: tuple[int, ...] = (rows, columns)  # type: ignore[assignment]
        shape = tuple(each for each in shape if each != 1) if squeeze else shape
        axes = array_of_axes(shape) if shape else new_axes()
    elif odd and rows == 1 and columns == 1:
        axes = some_axes()
    return axes if place.kind == FIGURE else Known((as_element(figure), as_element(axes)), level=NAMES)


def _squeeze(site: CallSite, place: _Place) -> Value:
    return site.keywords.get("squeeze", Known(True, level=NAMES))


def _check_subplot(place: _Place, site: CallSite, state: State) -> Value | Finding | None:
    """``subplot(rows, columns, number)`` outside the grid; the library's SubplotSpec is asked."""
    spec = _own_class("matplotlib.gridspec", "SubplotSpec")
    found = [state.live(each) for each in site.arguments]
    entry: Any = safe.ABSENT if spec is None else safe.in_type(spec, "_from_subplot_args")
    if type(entry) is not staticmethod or not found or (place.kind == AXES):
        return None
    if not all(safe.one_of(type(each), (int, float, str)) for each in found):
        return None
    if {"nrows", "ncols", *_ODD_AXES} & set(site.keywords) or len(found) not in (1, 3):
        return None
    level = state.level(*site.arguments)
    answer = running.content(lambda: entry.__func__(_NoFigure(), tuple(found)), "matplotlib", level)
    return answer if isinstance(answer, Finding) else None


class _NoFigure:
    """Stands for a figure without axes."""

    def get_axes(self) -> list[object]:
        return []


# -- figures ---------------------------------------------------------------------------------------------------------


def _figure_is_fine(site: CallSite, state: State) -> bool:
    """Whether the size and the resolution of a new figure are ones that it takes."""
    size = site.keywords.get("figsize")
    found: Any = (1, 1) if size is None else state.plain(size)
    dpi: Any = 100 if "dpi" not in site.keywords else state.live(site.keywords["dpi"])
    numbers = safe.one_of(type(found), (tuple, list)) and len(found) == 2
    numbers = numbers and all(safe.one_of(type(each), (int, float)) and 0 < each < 1000 for each in found)
    return numbers and safe.one_of(type(dpi), (int, float)) and 0 < dpi < 5000


def _wrong_figure(place: _Place, site: CallSite, state: State) -> Finding | None:
    """A figure of a size that is negative. Source: `matplotlib/figure.py`, Figure.__init__."""
    size = site.keywords.get("figsize")
    if place.kind != "pyplot" or size is None or not set(site.keywords) <= _PLAIN_FIGURE:
        return None
    found: Any = state.plain(size)
    if not safe.one_of(type(found), (tuple, list)) or len(found) != 2 or _figure_is_fine(site, state):
        return None
    if not all(safe.one_of(type(each), (int, float)) and abs(each) < 1000 for each in found) or min(found) >= 0:
        return None
    level = state.level(size)
    text = "figure size must be positive finite not {!r}"
    return _finding("figure-size", "ValueError", words(text, _part(found, level)), "a side of the figure is negative")


def _check_figure(place: _Place, site: CallSite, state: State) -> Finding | None:
    return _wrong_figure(place, site, state) if place.kind == "pyplot" and not site.arguments else None


# -- what is drawn ---------------------------------------------------------------------------------------------------


def _finding(
    rule: str,
    kind: str,
    message: Words,
    because: str,
    crash_type: str = "value error",
    parts: tuple[object, ...] = (),
    close: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        rule="figures.{}".format(rule),
        type=kind,
        message=message,
        because=words(because, *parts),
        crash_type=crash_type,
        library="matplotlib",
        close=close,
        asked=NAMES,
    )


def _part(value: object, level: str) -> Any:
    from ..words import Part

    return Part(value, level)


def _drawn_on(place: _Place) -> bool:
    return place.kind in ("pyplot", AXES)


def _differ(first: int, second: int, place: _Place) -> bool:
    """Whether two lengths do not fit together on any kind of axes: those in space stretch a single number."""
    return first != second and (place.sure or 1 not in (first, second))


def _check_plot(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``plot(x, y, format)``, also several times. Source: `_process_plot_var_args`."""
    if not _drawn_on(place):
        return None
    wrong = _wrong_aliases("matplotlib.lines", "Line2D", site) or _x_or_y_by_name(place.name, site)
    if wrong is not None:
        return wrong
    rest = list(site.arguments)
    first = True
    while rest:
        group, rest = rest[:2], rest[2:]
        if rest and type(state.live(rest[0])) is str:
            group, rest = [*group, rest[0]], rest[1:]
        elif rest and (not place.sure or not _is_certainly_data(rest[0], state)):
            # It may be a format; and on axes in space a third coordinate.
            return None
        if not first and not place.sure:
            return None
        found = _wrong_group(place, group, state)
        if found is not None or not _fits(group, state):
            return found
        first = False
    return None


def _is_certainly_data(value: Value, state: State) -> bool:
    return data_of(value, state) is not None


def _wrong_group(place: _Place, group: list[Value], state: State) -> Finding | None:
    text: Any = state.live(group[-1])
    if len(group) > 1 and type(text) is str:
        found = _wrong_format(text, group[-1], state)
        if found is not None:
            return found
        group = group[:-1]
    if any(state.live(each) is None for each in group):
        return _finding("plot-none", "ValueError", words("x, y, and format string must not be None"), "one is None")
    several = [data_of(each, state) for each in group]
    if any(each is None or each.kind == OTHER for each in several):
        return None
    shapes = [each.shape or (1,) for each in several if each is not None]
    x, y = shapes[0], shapes[-1]
    if _differ(x[0], y[0], place):
        text = "x and y must have same first dimension, but have shapes {} and {}"
        because = "x has {} elements and y has {}"
        return _finding(
            "plot-lengths",
            "ValueError",
            words(text, counted(x), counted(y)),
            because,
            parts=(counted(x[0]), counted(y[0])),
        )
    if x[0] == y[0] and max(len(x), len(y)) > 2:
        text = "x and y can be no greater than 2D, but have shapes {} and {}"
        single = len(shapes) == 1
        x = (y[0],) if single else x
        return _finding("plot-dimensions", "ValueError", words(text, counted(x), counted(y)), "an argument is not flat")
    if x[0] == y[0] and len(x) == len(y) == 2 and len(shapes) == 2 and x[1] != y[1] and 1 not in (x[1], y[1]):
        if 0 not in (x[1], y[1]):
            text = "x has {} columns but y has {} columns"
            return _finding("plot-columns", "ValueError", words(text, counted(x[1]), counted(y[1])), "they differ")
    return None


def _fits(group: list[Value], state: State) -> bool:
    """Whether it is certain that one group is drawn, so that the next one is looked at."""
    several = [data_of(each, state) for each in group if type(state.live(each)) is not str]
    return bool(several) and all(each is not None and each.kind == NUMBERS and len(each.shape) < 2 for each in several)


def _wrong_format(text: str, value: Value, state: State) -> Finding | None:
    process: Any = safe.loaded("matplotlib.axes._base", "_process_plot_format")
    if not safe.comes_from(process, "matplotlib") or len(text) > 100:
        return None
    with _no_colors_left():
        found = running.content(lambda: process(text), "matplotlib", state.level(value), "value error")
    return found if isinstance(found, Finding) else None


class _no_colors_left:
    """Takes out of matplotlib's memory of colours what was put into it meanwhile."""

    def __enter__(self) -> None:
        memory: Any = safe.loaded("matplotlib.colors", "_colors_full_map")
        own = (safe.instance_dict(memory) or {}) if memory is not None else {}
        cache = own.get("cache")
        self._cache: Any = cache if type(cache) is dict else {}
        self._before = self._cache.copy()

    def __exit__(self, *error: object) -> None:
        if len(self._cache) != len(self._before):
            self._cache.clear()
            self._cache.update(self._before)


def _wrong_aliases(module: str, name: str, site: CallSite) -> Finding | None:
    """A property that is given under two names; the library's `normalize_kwargs` is asked."""
    normalize: Any = safe.loaded("matplotlib.cbook", "normalize_kwargs")
    cls = _own_class(module, name)
    if cls is None or not safe.comes_from(normalize, "matplotlib"):
        return None
    names = dict.fromkeys(site.keywords)
    found = running.content(lambda: normalize(names, cls), "matplotlib", NAMES, "invalid argument")
    return found if isinstance(found, Finding) and found.type == "TypeError" else None


def _x_or_y_by_name(name: str, site: CallSite) -> Finding | None:
    """``plot(x=..., y=...)``, which takes its data by place alone; the library's own words for it are asked."""
    error: Any = safe.loaded("matplotlib._api", "kwarg_error")
    wrong = [each for each in ("x", "y") if each in site.keywords]
    if not wrong or type(error) is not types.FunctionType or len(site.arguments) == 1:
        return None
    made = error(name, wrong[0])
    if type(made) is not TypeError:
        return None
    message = words("{}", named(str(made)))
    return _finding("plot-by-name", "TypeError", message, "plot takes x and y by place alone", "invalid argument")


def _pair(site: CallSite, names: tuple[str, str]) -> list[Value] | None:
    """Return the first two arguments, given by place or by name."""
    found = [
        site.arguments[place] if place < len(site.arguments) else site.keywords.get(name)
        for place, name in enumerate(names)
    ]
    return None if None in found else found  # type: ignore[return-value]


def _check_scatter(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``scatter(x, y)`` of different sizes."""
    pair = _pair(site, ("x", "y"))
    if not _drawn_on(place) or pair is None:
        return None
    wrong = _wrong_aliases("matplotlib.collections", "Collection", site)
    if wrong is not None:
        return wrong
    x, y = (data_of(each, state) for each in pair)
    if x is None or y is None or OTHER in (x.kind, y.kind):
        return None
    if _differ(x.size, y.size, place):
        because = "x has {} elements and y has {}"
        return _finding(
            "scatter-sizes",
            "ValueError",
            words("x and y must be the same size"),
            because,
            parts=(counted(x.size), counted(y.size)),
        )
    return None if x.size != y.size else _wrong_scatter_colors(place, site, x.size, state)


def _wrong_scatter_colors(place: _Place, site: CallSite, size: int, state: State) -> Finding | None:
    """``c`` that does not fit the points; `Axes._parse_scatter_color_args`, which only looks at it, is asked."""
    entry: Any = safe.in_type(axes_class(), "_parse_scatter_color_args") if axes_class() is not None else None
    value = site.arguments[3] if len(site.arguments) > 3 else site.keywords.get("c")
    given = {"s", "c", "marker", "cmap", "alpha", "label", "x", "y"}
    if type(entry) is not staticmethod or value is None or not place.sure or not set(site.keywords) <= given:
        return None
    if ("s" in site.keywords and not safe.one_of(type(state.live(site.keywords["s"])), (int, float))) or (
        len(site.arguments) > 2 and not safe.one_of(type(state.live(site.arguments[2])), (int, float))
    ):
        return None
    colors = data_of(value, state)
    if colors is None or colors.kind not in (NUMBERS, TEXTS) or colors.size > MAX_ELEMENTS:
        return None
    numpy: Any = safe.loaded("numpy")
    stand_in: Any
    if colors.kind == NUMBERS and len(colors.shape) == 1 and colors.real and colors.object is not None:
        stand_in = numpy.array(_values(colors))
    elif colors.kind == NUMBERS and len(colors.shape) == 1 and colors.size not in (3, 4):
        stand_in = numpy.full(colors.shape, 2.0)
    elif colors.real and safe.one_of(type(colors.object), (list, tuple)):
        stand_in = list(colors.object)
    else:
        return None
    level = SCHEMA if colors.kind == NUMBERS else state.level(value)
    with _no_colors_left():
        found = running.content(
            lambda: entry.__func__(stand_in, None, {}, size, get_next_color_func=lambda: "C0"), "matplotlib", level
        )
    return found if isinstance(found, Finding) and found.type == "ValueError" else None


_BARS = {"bar": ("x", "height", "width", "bottom"), "barh": ("y", "width", "height", "left")}


def _check_bar(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``bar(x, height)`` of lengths that do not fit together; `numpy.broadcast_arrays` is asked, as it does."""
    names = _BARS[place.name]
    pair = _pair(site, names[:2])
    if not _drawn_on(place) or pair is None or len(site.arguments) > 3:
        return None
    allowed = {*names[:3], "color", "label", "alpha", "align", "edgecolor", "tick_label", "zorder"}
    wrong = _wrong_aliases("matplotlib.patches", "Patch", site)
    if wrong is not None or not set(site.keywords) <= allowed:
        return wrong
    thick = site.arguments[2] if len(site.arguments) > 2 else site.keywords.get(names[2])
    if thick is not None and not safe.one_of(type(state.live(thick)), (int, float)):
        return None
    x, y = (data_of(each, state) for each in pair)
    if x is None or y is None or x.kind not in (NUMBERS, TEXTS) or y.kind != NUMBERS or len(x.shape) > 1:
        return None
    numpy: Any = safe.loaded("numpy")
    one: Any = numpy.broadcast_to(0.0, x.shape or (1,))
    two: Any = numpy.broadcast_to(0.0, y.shape)
    if place.name == "bar":
        arguments = (one, two, 0.8, 0, None, None)
    else:
        arguments = (numpy.atleast_1d(0), 0.8, two, numpy.broadcast_to(0.0, x.shape), None, None)
    found = running.content(lambda: numpy.broadcast_arrays(*arguments), "matplotlib", SCHEMA, "value error")
    if not isinstance(found, Finding) or found.type != "ValueError":
        return None
    return found._replace(message=_with_names(found.message))


def _with_names(message: Words) -> Words:
    """Return numpy's message as the version of matplotlib words it: some put names for the numbers of arguments."""
    source: Any = _innermost(safe.in_type(axes_class(), "bar")) if axes_class() is not None else None
    if type(source) is not types.FunctionType or "arg 0" not in repr(source.__code__.co_consts):
        return message
    text = message.parts[0].value
    for place, name in enumerate(("x", "height", "width", "y", "linewidth", "hatch")):
        text = text.replace("arg {}".format(place), "'{}'".format(name))
    return words("{}", counted(text))


def _check_pie(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``pie(x)`` of negative sizes, or with lists of another length. Source: `Axes.pie`."""
    value = site.arguments[0] if site.arguments else site.keywords.get("x")
    data = data_of(value, state)
    if not _drawn_on(place) or data is None or data.kind != NUMBERS or len(site.arguments) > 1:
        return None
    if len(data.shape) > 1:
        return _finding("pie", "ValueError", words("x must be 1D"), "x has {} axes", parts=(counted(len(data.shape)),))
    if not data.shape:
        return None
    numpy: Any = safe.loaded("numpy")
    if not data.real or data.size > MAX_ELEMENTS:
        return None
    numbers = numpy.asarray(_values(data), numpy.float32)
    if bool(numpy.any(numbers < 0)):
        message = words("Wedge sizes 'x' must be non negative values")
        return _finding("pie", "ValueError", message, "one of the sizes is negative")
    if "normalize" in site.keywords:
        return None
    for name, text in (("labels", "label"), ("explode", "explode")):
        given = site.keywords.get(name)
        if given is None or state.live(given) is None:
            continue
        found = data_of(given, state)
        if found is None or len(found.shape) != 1:
            return None
        if found.shape[0] != data.shape[0]:
            return _pie_length(text, name, data, found)
    return None


def _pie_length(text: str, name: str, data: Data, found: Data) -> Finding | None:
    source: Any = _innermost(safe.in_type(axes_class(), "pie")) if axes_class() is not None else None
    constants = _texts_of(source) if type(source) is types.FunctionType else []
    # Another version has other words.
    message = words("'{}' must be of length 'x'", named(text))
    if any("must be of length 'x', not " in each for each in constants):
        message = words("'{}' must be of length 'x', not {}", named(name), counted(found.shape[0]))
    elif "'{}' must be of length 'x'".format(text) not in constants:
        return None
    return _finding(
        "pie",
        "ValueError",
        message,
        "x has {} elements, {} has {}",
        parts=(counted(data.shape[0]), named(name), counted(found.shape[0])),
    )


def _texts_of(function: types.FunctionType) -> list[str]:
    return [each for each in function.__code__.co_consts if type(each) is str]


def _values(data: Data) -> Any:
    """Return the numbers of real data as something that `numpy.asarray` takes, and that nothing is cached in."""
    if safe.one_of(type(data.object), (list, tuple, range, int, float, bool)):
        return data.object
    if safe.is_exactly(data.object, "numpy", "ndarray"):
        return data.object
    return data.object._mgr.blocks[0].values.ravel()


def _check_imshow(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``imshow(x)`` of a shape or of elements that are no image. Source: `matplotlib/image.py`."""
    value = site.arguments[0] if site.arguments else site.keywords.get("X")
    data = data_of(value, state)
    if not _drawn_on(place) or data is None or len(site.arguments) > 1 or not data.shape:
        return None
    if not set(site.keywords) <= {"X", "cmap", "interpolation"} or not _is_cmap_fine(site, state):
        return None
    if not safe.is_exactly(data.object, "numpy", "ndarray") and not (
        data.real and safe.one_of(type(data.object), (list, tuple))
    ):
        return None
    if data.kind == NUMBERS:
        shape = data.shape
        if len(shape) == 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) == 2 or (len(shape) == 3 and shape[-1] in (3, 4)) or 0 in shape:
            return None
        message = words("Invalid shape {} for image data", counted(shape))
        because = "an image has the shape (rows, columns) or (rows, columns, 3 or 4)"
        return _finding("image-shape", "TypeError", message, because)
    dtype: Any = data.object.dtype if safe.is_exactly(data.object, "numpy", "ndarray") else None
    if data.kind == TEXTS and dtype is not None and dtype.kind == "O" and data.real:
        message = words("Image data of dtype object cannot be converted to float")
        return _finding("image-dtype", "TypeError", message, "its elements are texts", "type error")
    return None


def _is_cmap_fine(site: CallSite, state: State) -> bool:
    return "cmap" not in site.keywords or _known_cmap(site.keywords["cmap"], state) is True


def _known_cmap(value: Value, state: State) -> bool | None:
    """Whether a text names a colormap, or None if that is not known."""
    name = state.live(value)
    registry: Any = safe.loaded("matplotlib", "colormaps")
    if registry is None or type(name) is not str:
        return None
    table = (safe.instance_dict(registry) or {}).get("_cmaps")
    return name in table if type(table) is dict and safe.only_texts(dict.keys(table)) else None


_WITH_CMAP = frozenset(["scatter", "imshow", "matshow", "pcolormesh", "pcolor", "hexbin"])


def _wrong_cmap(place: _Place, site: CallSite, state: State) -> Finding | None:
    """A colormap that nobody registered; the registry itself is asked."""
    name = state.live(site.keywords["cmap"])
    if _known_cmap(site.keywords["cmap"], state) is not False:
        return None
    ensure: Any = safe.loaded("matplotlib.cm", "_ensure_cmap")
    colormaps = _own_class("matplotlib.colors", "Colormap")
    if not safe.comes_from(ensure, "matplotlib") or colormaps is None:
        return None
    level = state.level(site.keywords["cmap"])
    found = running.content(lambda: ensure(name), "matplotlib", level, "value error")
    return _of_cmap(found, str(name), level)


def _of_cmap(found: Value | Finding | None, name: str, level: str) -> Finding | None:
    registry: Any = (safe.instance_dict(safe.loaded("matplotlib", "colormaps")) or {}).get("_cmaps") or {}
    if not isinstance(found, Finding) or found.type != "ValueError":
        return None
    return found._replace(close=tuple(close_to(name, list(registry))), rule="figures.colormap", asked=level)


def _check_get_cmap(place: _Place, site: CallSite, state: State) -> Finding | None:
    value = site.arguments[0] if site.arguments else site.keywords.get("name")
    if place.kind != "pyplot" or value is None or len(site.arguments) + len(site.keywords) > 2:
        return None
    name = state.live(value)
    look_up: Any = state.live(site.callee)
    if _known_cmap(value, state) is not False:
        return None
    level = state.level(value)
    found = running.content(lambda: look_up(name), "matplotlib", level, "value error")
    return _of_cmap(found, str(name), level)


def _check_ticks(place: _Place, site: CallSite, state: State) -> Finding | None:
    """``xticks(places, labels)`` of different lengths. Source: `Axis.set_ticklabels`."""
    if len(site.arguments) > 2 or (not place.kind == "pyplot" and place.kind != AXES):
        return None
    ticks = site.arguments[0] if site.arguments else site.keywords.get("ticks")
    labels = site.arguments[1] if len(site.arguments) > 1 else site.keywords.get("labels")
    if ticks is None or labels is None or not set(site.keywords) <= {"ticks", "labels", "rotation", "fontsize"}:
        return None
    if state.live(ticks) is None or state.live(labels) is None:
        return None
    places, texts = data_of(ticks, state), data_of(labels, state)
    if places is None or texts is None or places.kind != NUMBERS or texts.kind not in (NUMBERS, TEXTS):
        return None
    if len(places.shape) != 1 or len(texts.shape) != 1 or places.shape == texts.shape or 0 in texts.shape:
        return None
    count, given = counted(places.shape[0]), counted(texts.shape[0])
    text = (
        "The number of FixedLocator locations ({}), usually from a call to set_ticks, does not match the number of "
        "labels ({})."
    )
    because = "{} places and {} labels"
    return _finding("tick-labels", "ValueError", words(text, count, given), because, parts=(count, given))


# -- keywords of what is drawn ---------------------------------------------------------------------------------------

# What gets the keywords that a function does not name itself: module, class, and the arguments that make an empty one.
_ARTISTS: dict[str, tuple[str, str, tuple[object, ...]]] = {
    "title": ("matplotlib.text", "Text", ()),
    "set_title": ("matplotlib.text", "Text", ()),
    "xlabel": ("matplotlib.text", "Text", ()),
    "ylabel": ("matplotlib.text", "Text", ()),
    "set_xlabel": ("matplotlib.text", "Text", ()),
    "set_ylabel": ("matplotlib.text", "Text", ()),
    "suptitle": ("matplotlib.text", "Text", ()),
    "plot": ("matplotlib.lines", "Line2D", ([], [])),
    "axhline": ("matplotlib.lines", "Line2D", ([], [])),
    "axvline": ("matplotlib.lines", "Line2D", ([], [])),
    "bar": ("matplotlib.patches", "Rectangle", ((0, 0), 1, 1)),
    "barh": ("matplotlib.patches", "Rectangle", ((0, 0), 1, 1)),
    "hist": ("matplotlib.patches", "Rectangle", ((0, 0), 1, 1)),
    "scatter": ("matplotlib.collections", "PathCollection", ((),)),
}
# Keywords that a function takes out itself, besides those that its signature names.
_TAKEN: dict[str, frozenset[str]] = {
    "plot": frozenset(["scalex", "scaley", "data", "label"]),
    "bar": frozenset(
        (
                "color edgecolor facecolor linewidth lw ec fc hatch xerr yerr error_kw ecolor capsize orientation log "
                "label tick_label width bottom align"
            ).split()
    ),
    "barh": frozenset(
        (
                "color edgecolor facecolor linewidth lw ec fc hatch xerr yerr error_kw ecolor capsize orientation log "
                "label tick_label height left align"
            ).split()
    ),
    "title": frozenset(["fontdict", "loc", "pad", "y"]),
    "set_title": frozenset(["fontdict", "loc", "pad", "y"]),
    "suptitle": frozenset(["t"]),
    "hist": frozenset(["bins", "range", "density", "label", "color", "alpha"]),
}


def _wrong_keyword(place: _Place, site: CallSite, state: State) -> Finding | None:
    """A keyword that no property of what is drawn has: an empty artist of the class is set to the same."""
    if "cmap" in site.keywords and place.name in _WITH_CMAP and place.kind in ("pyplot", AXES):
        # Looked up before or after the data is checked.
        if _data_is_fine(place, site, state):
            return _wrong_cmap(place, site, state)
        return None
    drawn = _ARTISTS.get(place.name)
    if drawn is None or not site.keywords or place.kind not in ("pyplot", AXES, FIGURE):
        return None
    cls = _own_class(*drawn[:2])
    function = _function_of(place)
    if cls is None or function is None:
        return None
    code = function.__code__
    taken = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) | _TAKEN.get(place.name, frozenset())
    rest = {name: value for name, value in site.keywords.items() if name not in taken}
    unknown = [name for name in rest if not _has_setter(cls, name)]
    if not unknown or unknown[0] != next(iter(rest)) or not _data_is_fine(place, site, state):
        return None
    if any(name in taken and name not in ("label", "density", "bins", "alpha") for name in site.keywords):
        return None
    values = dict.fromkeys(unknown[:1])

    def update() -> None:
        artist = cls(*drawn[2])
        getattr(artist, "_internal_update", artist.update)(values)

    with _no_colors_left():
        found = running.content(update, "matplotlib", NAMES, "invalid argument")
    if not isinstance(found, Finding) or found.type != "AttributeError":
        return None
    close = close_to(unknown[0], [each[4:] for each in _public(cls) if each.startswith("set_")])
    return found._replace(rule="figures.unknown-property", close=tuple(close), asked=NAMES)


def _public(cls: type) -> list[str]:
    return sorted(name for base in safe.mro(cls) for name, _ in safe.entries(base) if not name.startswith("_"))


def _has_setter(cls: type, name: str) -> bool:
    return name == "axes" or safe.in_type(cls, "set_" + name) is not safe.ABSENT


def _function_of(place: _Place) -> types.FunctionType | None:
    """Return the method of axes or figures behind a call, without what wraps it."""
    cls = figure_class() if place.kind == FIGURE else axes_class()
    name = place.name
    if place.kind == "pyplot" and name in ("title", "xlabel", "ylabel"):
        name = "set_" + name
    if place.kind == "pyplot" and name == "suptitle":
        cls = figure_class()
    entry: Any = safe.in_type(cls, name) if cls is not None else None
    found = _innermost(entry)
    return found if safe.comes_from(found, "matplotlib") else None


def _innermost(entry: Any) -> Any:
    """Return the function that wrappers stand for."""
    return (callables.wrapped(entry) or entry) if type(entry) is types.FunctionType else None


def _data_is_fine(place: _Place, site: CallSite, state: State) -> bool:
    """Whether it is certain that the data itself is drawn."""
    several = [data_of(each, state) for each in site.arguments]
    if place.name in ("title", "set_title", "xlabel", "ylabel", "set_xlabel", "set_ylabel", "suptitle"):
        return len(site.arguments) == 1 and type(state.live(site.arguments[0])) is str
    if any(each is None or each.kind != NUMBERS for each in several):
        return False
    shapes = [each.shape for each in several if each is not None]
    if place.name in ("plot", "scatter", "bar", "barh"):
        return len(shapes) == 2 and shapes[0] == shapes[1] and len(shapes[0]) == 1 and shapes[0][0] > 0
    if place.name in ("axhline", "axvline"):
        return place.sure and all(each == () for each in shapes) and len(shapes) <= 1
    if place.name in ("imshow", "matshow", "pcolormesh", "pcolor"):
        return len(shapes) == 1 and len(shapes[0]) == 2 and 0 not in shapes[0]
    if place.name == "hist" and len(several) == 1:
        data = several[0]
        return data is not None and data.real and len(data.shape) == 1 and data.size > 0 and _all_finite(data, site)
    return False


def _all_finite(data: Data, site: CallSite) -> bool:
    numpy: Any = safe.loaded("numpy")
    if data.size > running.MAX_CELLS or (not set(site.keywords) & {"normed"} and len(site.keywords) > 1):
        return False
    return bool(numpy.isfinite(numpy.asarray(_values(data), dtype=float)).all())


_CHECKS: dict[str, Callable[[_Place, CallSite, State], Value | Finding | None]] = {
    "plot": _check_plot,
    "scatter": _check_scatter,
    "bar": _check_bar,
    "barh": _check_bar,
    "pie": _check_pie,
    "imshow": _check_imshow,
    "xticks": _check_ticks,
    "yticks": _check_ticks,
    "set_xticks": _check_ticks,
    "set_yticks": _check_ticks,
    "subplots": _check_subplots,
    "subplot": _check_subplot,
    "add_subplot": _check_subplot,
    "figure": _check_figure,
    "get_cmap": _check_get_cmap,
}


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

__all__ = ["HANDLERS", "LIBRARY", "array_of_axes", "new_axes", "some_axes"]
_ = (VALUES, Like, TIMES)
