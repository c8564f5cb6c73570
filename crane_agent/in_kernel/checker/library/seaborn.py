"""seaborn: plots that name columns of a frame.

Which names a function looks up in ``data``, and in what words it complains, is read off the loaded version: its plotter
class says. Sources: the seaborn reference; `seaborn/_core/data.py`, `_oldcore.py` and `categorical.py`, what they check
first.

To add a function, put the variables that it looks up into `_ON_AXES` or `_ON_FIGURES`; a check of its own goes into
`_CHECKS`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...likeness import close_to
from ...privacy import SCHEMA
from ...probes import callables
from ...readers import blocks
from ..sites import CallSite, Finding
from ..values import SHAPE, Foreign, Known, Like, Value
from ..words import Part, Words, counted, named, words
from . import running, tables
from .figures import calls_back, current_axes, use_up
from .plotted import MAX_ELEMENTS

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "seaborn"

# Functions that draw on one axes and return it, with the variables that they look up, in the order they do.
_XY = ("x", "y", "hue")
_ON_AXES: dict[str, tuple[str, ...]] = {
    "scatterplot": (*_XY, "size", "style"),
    "lineplot": (*_XY, "size", "style", "units", "weights"),
    "histplot": (*_XY, "weights"),
    "kdeplot": (*_XY, "weights"),
    "ecdfplot": (*_XY, "weights"),
    "rugplot": _XY,
    "barplot": (*_XY, "units", "weights"),
    "pointplot": (*_XY, "units", "weights"),
    "boxplot": _XY,
    "violinplot": _XY,
    "boxenplot": _XY,
    "stripplot": _XY,
    "swarmplot": _XY,
    "countplot": _XY,
}
# Functions that make a figure of their own.
_ON_FIGURES: dict[str, tuple[str, ...]] = {
    "relplot": (*_XY, "size", "style"),
    "displot": (*_XY, "weights"),
    "catplot": _XY,
    "jointplot": _XY,
}
_HARMLESS = frozenset(
    "data palette color order hue_order hue_norm ax legend alpha label linewidth linewidths edgecolor s marker markers "
    "height aspect bins kde stat fill dodge jitter orient width saturation sizes ci errorbar estimator linestyle "
    "common_norm multiple element lw ec cut showfliers fliersize".split()
)


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function or class of seaborn's."""
    name = _name_of(site, state)
    if not name or calls_back(site, state):
        return None
    use_up(site, state)
    check = _CHECKS.get(name)
    answer: Value | Finding | None = None
    if site.complete:
        if name in _ON_AXES or name in _ON_FIGURES:
            answer = _missing_variable(name, site, state)
        elif check is not None:
            answer = check(site, state)
    if answer is not None:
        return answer
    state.may_raise(site.node, "{}() may raise".format(name))
    if name in ("load_dataset", "get_dataset_names"):
        state.files_may_change = True
        return Foreign("pandas")
    if name in _ON_AXES or name in ("heatmap", "regplot", "residplot", "distplot"):
        return site.keywords.get("ax") or current_axes(state)
    return Foreign("seaborn")


def _name_of(site: CallSite, state: State) -> str:
    """Return the name of what is called of seaborn's own, or ''."""
    callee: Any = state.live(site.callee)
    own = safe.instance_dict(safe.loaded("seaborn")) or {}
    if type(callee) is types.FunctionType and safe.comes_from(callee, "seaborn"):
        name = callee.__name__
    elif type(callee) is type and safe.class_module(callee).startswith("seaborn."):
        name = safe.class_name(callee)
    else:
        return ""
    return name if own.get(name) is callee else ""


def _function(name: str) -> Any:
    """Return a function of seaborn's, without what wraps it."""
    found = safe.loaded("seaborn", name)
    if type(found) is not types.FunctionType:
        return None
    return callables.wrapped(found) or found


def given(name: str, site: CallSite) -> dict[str, Value] | None:
    """Return the arguments of a call by the names of their parameters, or None."""
    function = _function(name)
    if function is None:
        return None
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    if len(site.arguments) > len(names) or (safe.loaded("seaborn", name) is not function and site.arguments):
        return None
    return {**dict(zip(names, site.arguments)), **site.keywords}


# -- columns ---------------------------------------------------------------------------------------------------------


def _missing_variable(name: str, site: CallSite, state: State) -> Finding | None:
    """A variable that names no column and no level of the index of ``data``."""
    values = given(name, site)
    variables = _ON_AXES.get(name) or _ON_FIGURES[name]
    if values is None or not ({"x", "y"} & set(values)) or not set(values) <= _HARMLESS | set(variables) | {"kind"}:
        return None
    if state.live(values.get("x")) is None and state.live(values.get("y")) is None:
        return None
    if name == "countplot":
        both = _both_given(values, state)
        if both is not None:
            return both
    data = values.get("data")
    labels = _labels_of(data, state)
    if labels is None:
        return None
    for variable in variables:
        value = values.get(variable)
        label = None if value is None else state.live(value)
        if label is None:
            continue
        if type(label) is not str:
            # What is no name is data, and may not fit before the next name is looked up.
            return None
        if label not in labels:
            template = _words_of(name, values, has_data=bool(labels), state=state)
            if template is None:
                return None
            return _missing(template, label, variable, data, value, labels, state)
    return None


def _both_given(values: dict[str, Value], state: State) -> Finding | None:
    """``countplot(x=..., y=...)``: it counts along one of them."""
    function = _function("countplot")
    if not {"x", "y"} <= set(values) or any(
        state.live(values[name]) is None or (type(values[name]) is not Known and type(values[name]) is not Like)
        for name in "xy"
    ):
        return None
    texts = [each for each in _texts(function) if each.startswith("Cannot pass values for both")] if function else []
    if len(texts) != 1:
        return None
    kind = "TypeError" if "TypeError" in function.__code__.co_names else "ValueError"
    return Finding(
        rule="seaborn.countplot",
        type=kind,
        message=words("{}", named(texts[0])),
        because=words("it counts along one of them"),
        crash_type="invalid argument",
        library="seaborn",
        asked=SCHEMA,
    )


def _labels_of(data: Value | None, state: State) -> list[object] | None:
    """Return what names may stand for; an empty list if there is no data."""
    if data is None or state.live(data) is None:
        return []
    columns = state.columns(data)
    frame: Any = state.form(data, SHAPE)
    if columns is None or frame is safe.ABSENT:
        return None
    made = tables.private(frame, state)
    names = None if made is None else list(made.index.names)
    if names is None or any(each is not None and type(each) is not str for each in names):
        return None
    if not columns:
        return None
    # What has no name in the index has a number for it.
    return [*columns, *(each for each in names if each is not None)]


def _words_of(name: str, values: dict[str, Value], *, has_data: bool, state: State) -> str | None:
    """Return how the loaded version says that it does not know a name: with places for the name and the variable."""
    function = _function(name)
    if function is None:
        return None
    kinds = _plotters(function)
    old = [each for each in kinds if safe.in_type(each, "establish_variables") is not safe.ABSENT]
    new = [each for each in kinds if safe.in_type(each, "_assign_variables_longform") is not safe.ABSENT]
    new += [each for each in kinds if each not in new and safe.in_type(each, "assign_variables") is not safe.ABSENT]
    if old and new:
        # `catplot` of seaborn 0.12 has both.
        kind: object = state.live(values["kind"]) if "kind" in values else "strip"
        if type(kind) is not str or kind in ("count",):
            return None
        old, new = ([], new) if kind in ("strip", "swarm") else (old, [])
    if old:
        return "Could not interpret input '{}'"
    if not new:
        return None
    assign: Any = safe.in_type(new[0], "assign_variables")
    if type(assign) is types.FunctionType and "PlotData" in assign.__code__.co_names:
        end = "An entry with this name does not appear in `data`."
        missing = "Value is a string, but `data` was not passed."
        return "Could not interpret value `{}` for `{}`. " + (end if has_data else missing)
    longform: Any = safe.in_type(new[0], "_assign_variables_longform")
    if type(longform) is types.FunctionType and any("` for parameter `" in each for each in _texts(longform)):
        return "Could not interpret value `{}` for parameter `{}`"
    return None


def _texts(function: types.FunctionType) -> list[str]:
    return [each for each in function.__code__.co_consts if type(each) is str]


def _plotters(function: types.FunctionType) -> list[type]:
    """Return the plotter classes that a function names, and those that a class that it makes names."""
    own = function.__globals__
    found: list[type] = []
    for name in function.__code__.co_names:
        cls = own.get(name)
        if not safe.inherits(type(cls), type) or not safe.class_module(cls).startswith("seaborn."):  # type: ignore[arg-type]
            continue
        start: Any = safe.in_type(cls, "__init__")  # type: ignore[arg-type]
        inner = _plotters(start) if name.endswith("Grid") and type(start) is types.FunctionType else []
        found += inner or [cls]  # type: ignore[list-item]
    return found


def _missing(
    template: str,
    label: str,
    variable: str,
    data: Value | None,
    value: Value | None,
    labels: list[object],
    state: State,
) -> Finding:
    level = state.level(value)
    parts = [Part(label, level), named(variable)][: template.count("{}")]
    return _finding("ValueError", words(template, *parts), label, level, data, labels, state)


def _finding(
    kind: str, message: Words, label: str, level: str, data: Value | None, labels: list[object], state: State
) -> Finding:
    path = getattr(data, "path", None)
    return Finding(
        rule="seaborn.missing-column",
        type=kind,
        message=message,
        because=words("{} has no column {!r}", named(path or "data"), Part(label, level)),
        crash_type="key error" if kind == "KeyError" else "value error",
        library="seaborn" if kind != "KeyError" else "pandas",
        close=tuple(close_to(label, [each for each in labels if type(each) is str])),
        probe=("columns", {"path": path, "names": [label]}) if path is not None and state.tells(level) else None,
        asked=level,
    )


def _names_in(values: dict[str, Value], variables: tuple[str, ...], state: State) -> list[tuple[str, Value]] | None:
    """Return the names given for variables, in order; None if one is not known or no text."""
    found = []
    for variable in variables:
        value = values.get(variable)
        if value is None or state.live(value) is None:
            continue
        label = state.live(value)
        if type(label) is not str:
            return None
        found.append((label, value))
    return found


def _check_lmplot(site: CallSite, state: State) -> Finding | None:
    """``lmplot(data=..., x=..., y=...)``, which takes ``data[[...]]`` of all names first."""
    values = given("lmplot", site)
    columns = None if values is None else state.columns(values.get("data"))
    if values is None or columns is None or not {"x", "y", "data"} <= set(values):
        return None
    names = _names_in(values, ("x", "y", "hue", "col", "row", "units", "x_partial", "y_partial"), state)
    if not names:
        return None
    wanted = sorted({label for label, _ in names})
    missing = [label for label in wanted if label not in columns]
    if not missing or len(missing) == len(wanted):
        return None
    level = state.level(*(value for _, value in names))
    message = words("{} not in index", Part(missing, level), quoted=True)
    return _finding("KeyError", message, missing[0], level, values["data"], columns, state)


def _check_regplot(site: CallSite, state: State) -> Finding | None:
    """``regplot(data=..., x=..., y=...)``, which takes ``data[name]`` of one after the other."""
    return _by_item("regplot", ("x", "y"), site, state)


def _check_residplot(site: CallSite, state: State) -> Finding | None:
    """``residplot``, as ``regplot``."""
    return _by_item("residplot", ("x", "y"), site, state)


def _by_item(name: str, variables: tuple[str, ...], site: CallSite, state: State) -> Finding | None:
    values = given(name, site)
    columns = None if values is None else state.columns(values.get("data"))
    if values is None or columns is None:
        return None
    return _first_missing(_names_in(values, variables, state), values["data"], columns, state)


def _first_missing(
    names: list[tuple[str, Value]] | None, data: Value, columns: list[object], state: State
) -> Finding | None:
    for label, value in names or ():
        if label not in columns:
            level = state.level(value)
            return _finding("KeyError", words("{!r}", Part(label, level)), label, level, data, columns, state)
    return None


def _check_grid(site: CallSite, state: State) -> Finding | None:
    """``FacetGrid(data, col=..., row=..., hue=...)``: the names are looked up one after the other."""
    names = ("data",)
    values = {**dict(zip(names, site.arguments)), **site.keywords}
    columns = state.columns(values.get("data"))
    if columns is None or len(site.arguments) > 1 or not set(values) <= _FACETS:
        return None
    return _first_missing(_names_in(values, ("hue", "row", "col"), state), values["data"], columns, state)


_FACETS = frozenset("data row col hue height aspect palette sharex sharey margin_titles legend_out despine".split())


def _check_pairplot(site: CallSite, state: State) -> Finding | None:
    """``pairplot(data, hue=...)``. Source: `PairGrid.__init__`, which first looks for columns of numbers."""
    values = given("pairplot", site)
    columns = None if values is None else state.columns(values.get("data"))
    if values is None or columns is None or not set(values) <= _PAIRS:
        return None
    frame = state.live(values["data"])
    if frame is safe.ABSENT or not any(_is_number(frame, place) for place in range(min(len(columns), 200))):
        return None
    return _first_missing(_names_in(values, ("hue",), state), values["data"], columns, state)


_PAIRS = frozenset("data hue palette corner height aspect markers".split())


def _is_number(frame: object, place: int) -> bool:
    dtype: Any = blocks.dtype_at(frame, place)
    return safe.inherits(type(dtype), safe.loaded("numpy", "dtype")) and dtype.kind in "iuf"


# -- heat maps -------------------------------------------------------------------------------------------------------


def _check_heatmap(site: CallSite, state: State) -> Finding | None:
    """``heatmap`` of what holds texts: numpy converts it. Source: `_HeatMapper._determine_cmap_params`."""
    values = given("heatmap", site)
    if values is None or "data" not in values or {"mask", "vmin", "vmax"} & set(values):
        return None
    found: Any = state.live(values["data"])
    numpy: Any = safe.loaded("numpy")
    if blocks.is_frame(found):
        private = tables.private(found, state)
        if private is None or private.shape[0] * private.shape[1] > MAX_ELEMENTS or 0 in private.shape:
            return None
        cells = private.values
    else:
        cells = found
    if not safe.is_exactly(cells, "numpy", "ndarray") or cells.size > MAX_ELEMENTS or cells.ndim != 2:
        return None
    if cells.dtype.kind in "iufb":
        return _wrong_notes(values, cells, state)
    if cells.dtype.kind not in "OU" or not all(_is_cell(each) for each in cells.ravel().tolist()):
        return None
    convert: Callable[[], object] = lambda: numpy.ma.array(cells).astype(float)  # noqa: E731
    answer = running.content(convert, "numpy", state.level(values["data"]), "value error")
    if not isinstance(answer, Finding):
        return None
    return answer._replace(
        rule="seaborn.heatmap", because=words("a heat map is drawn of numbers, and the data holds texts")
    )


def _is_cell(value: object) -> bool:
    return safe.one_of(type(value), (int, float, bool, str))


def _wrong_notes(values: dict[str, Value], cells: Any, state: State) -> Finding | None:
    notes: Any = state.form(values.get("annot"), SHAPE) if "annot" in values else safe.ABSENT
    if not (safe.is_exactly(notes, "numpy", "ndarray") or blocks.is_frame(notes)) or cells.size == 0:
        return None
    shape = tuple(map(int, notes.shape))
    if shape == tuple(cells.shape) or bool(getattr(notes, "ndim", 0) == 0):
        return None
    return Finding(
        rule="seaborn.heatmap",
        type="ValueError",
        message=words("`data` and `annot` must have same shape."),
        because=words("they have the shapes {} and {}", counted(tuple(cells.shape)), counted(shape)),
        crash_type="value error",
        library="seaborn",
        asked=SCHEMA,
    )


# -- styles ----------------------------------------------------------------------------------------------------------


def _check_style(site: CallSite, state: State) -> Finding | None:
    """A style or a context that there is none of; `axes_style` and `plotting_context`, which only look, are asked."""
    name = _name_of(site, state)
    first = site.arguments[0] if site.arguments else None
    looked = {"set_style": "axes_style", "set_context": "plotting_context"}.get(name, name)
    keyword = "style" if looked == "axes_style" else "context"
    value = first or site.keywords.get(keyword)
    look_up: Any = safe.loaded("seaborn", looked)
    text = state.live(value)
    if type(text) is not str or not safe.comes_from(look_up, "seaborn") or len(site.arguments) + len(site.keywords) > 1:
        return None
    found = running.content(lambda: look_up(text), "seaborn", state.level(value), "value error")
    return found if isinstance(found, Finding) and found.type == "ValueError" else None


def _check_theme(site: CallSite, state: State) -> Finding | None:
    """``set_theme(style=...)`` with no such style."""
    value = site.keywords.get("style")
    look_up: Any = safe.loaded("seaborn", "axes_style")
    text = state.live(value)
    if type(text) is not str or site.arguments or "context" in site.keywords or not safe.comes_from(look_up, "seaborn"):
        return None
    found = running.content(lambda: look_up(text), "seaborn", state.level(value), "value error")
    return found if isinstance(found, Finding) and found.type == "ValueError" else None


_CHECKS: dict[str, Callable[[CallSite, State], Value | Finding | None]] = {
    "lmplot": _check_lmplot,
    "regplot": _check_regplot,
    "residplot": _check_residplot,
    "FacetGrid": _check_grid,
    "pairplot": _check_pairplot,
    "heatmap": _check_heatmap,
    "set_style": _check_style,
    "axes_style": _check_style,
    "set_context": _check_style,
    "plotting_context": _check_style,
    "set_theme": _check_theme,
    "set": _check_theme,
}

HANDLERS = {"call": [call]}
