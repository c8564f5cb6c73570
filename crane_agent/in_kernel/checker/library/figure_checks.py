"""matplotlib: what its functions are certain to reject.

Restated from the library's own checks, or asked of its functions that only look at numbers and names. Sources: the
matplotlib reference, `Axes.plot`, `Axes.scatter`, ...; `matplotlib/axes/_base.py`, `_plot_args`.

To add a function, write its check and put it into `CHECKS` under its name.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA
from ...probes import callables
from ..sites import CallSite, Finding
from ..values import Known, Made, Value
from ..words import Part, Words, counted, named, words
from . import running
from .figure_kinds import ARTIST, AXES, FIGURE, ODD_AXES, Place, axes_class, figure_class, own_class
from .plotted import MAX_ELEMENTS, NUMBERS, OTHER, TEXTS, Data, data_of

if TYPE_CHECKING:
    from ..state import State


# -- several subplots ------------------------------------------------------------------------------------------------


def argument(site: CallSite, place: int, name: str, default: object = None) -> Value:
    """Return an argument that is given by place or by name, or its default."""
    if place < len(site.arguments):
        return site.arguments[place]
    return site.keywords.get(name, Known(default, level=NAMES))


_PLAIN_FIGURE = frozenset(["figsize", "dpi", "sharex", "sharey", "squeeze", "nrows", "ncols", "constrained_layout"])


def _check_subplots(place: Place, site: CallSite, state: State) -> Value | Finding | None:
    """``subplots(rows, columns)`` with numbers that are no positive integers; the library's GridSpec is asked."""
    spec = own_class("matplotlib.gridspec", "GridSpec")
    rows, columns = (state.live(argument(site, at, name, 1)) for at, name in enumerate(("nrows", "ncols")))
    wrong = _wrong_figure(place, site, state)
    if wrong is None and place.kind == "pyplot":
        wrong = _wrong_figure_keyword(site, state)
    if wrong is not None:
        return wrong
    if spec is None or not set(site.keywords) <= _PLAIN_FIGURE or not _figure_is_fine(site, state):
        return None
    if not all(safe.one_of(type(each), (int, float, str, type(None))) for each in (rows, columns)):
        return None
    level = state.level(*site.arguments, *site.keywords.values())
    found = running.content(lambda: spec(rows, columns), "matplotlib", level)
    return found if isinstance(found, Finding) else None


def squeezes(site: CallSite) -> Value:
    """Return whether ``subplots`` returns a single axes as it is, by default."""
    return site.keywords.get("squeeze", Known(True, level=NAMES))


def _check_subplot(place: Place, site: CallSite, state: State) -> Value | Finding | None:
    """``subplot(rows, columns, number)`` outside the grid; the library's SubplotSpec is asked."""
    spec = own_class("matplotlib.gridspec", "SubplotSpec")
    found = [state.live(each) for each in site.arguments]
    entry: Any = safe.ABSENT if spec is None else safe.in_type(spec, "_from_subplot_args")
    if type(entry) is not staticmethod or not found or (place.kind == AXES):
        return None
    if not all(safe.one_of(type(each), (int, float, str)) for each in found):
        return None
    if {"nrows", "ncols", *ODD_AXES} & set(site.keywords) or len(found) not in (1, 3):
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


def _wrong_figure(place: Place, site: CallSite, state: State) -> Finding | None:
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
    return finding("figure-size", "ValueError", words(text, Part(found, level)), "a side of the figure is negative")


def _wrong_figure_keyword(site: CallSite, state: State) -> Finding | None:
    """A keyword that no figure has; an empty one, that nobody initialised, is asked."""
    cls = figure_class()
    start: Any = None if cls is None else safe.in_type(cls, "__init__")
    make: Any = _innermost(safe.loaded("matplotlib.pyplot", "figure"))
    if cls is None or type(start) is not types.FunctionType or type(make) is not types.FunctionType:
        return None
    known: set[str] = set(_PLAIN_FIGURE)
    for function in (start, make, _innermost(safe.in_type(cls, "subplots"))):
        code = function.__code__
        known |= set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    unknown = [name for name in site.keywords if name not in known]
    if not unknown or _has_setter(cls, unknown[0]) or not set(site.keywords) - set(unknown) <= _PLAIN_FIGURE:
        return None
    if not _figure_is_fine(site, state) or start.__code__.co_flags & 0x08 == 0:
        return None
    # Since the figure's own attributes are not there yet, only its class answers.
    found = running.content(
        lambda: cls._internal_update(cls.__new__(cls), {unknown[0]: None}), "matplotlib", NAMES, "invalid argument"
    )
    if not isinstance(found, Finding) or found.type != "AttributeError":
        return None
    if "unexpected keyword" not in str(found.message.parts[0].value):
        return None
    return found._replace(
        rule="figures.unknown-property", close=tuple(close_to(unknown[0], sorted(known))), asked=NAMES
    )


def _check_figure(place: Place, site: CallSite, state: State) -> Finding | None:
    if place.kind != "pyplot" or site.arguments or "num" in site.keywords or "FigureClass" in site.keywords:
        return None
    return _wrong_figure(place, site, state) or _wrong_figure_keyword(site, state)


# -- what is drawn ---------------------------------------------------------------------------------------------------


def finding(
    rule: str,
    kind: str,
    message: Words,
    because: str,
    crash_type: str = "value error",
    parts: tuple[object, ...] = (),
    close: tuple[str, ...] = (),
) -> Finding:
    """Return a crash that a check of matplotlib's makes; `parts` are those of `because`."""
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


def _drawn_on(place: Place) -> bool:
    return place.kind in ("pyplot", AXES) and place.plain


def _differ(first: int, second: int, place: Place) -> bool:
    """Whether two lengths do not fit together on any kind of axes: those in space stretch a single number."""
    return first != second and (place.sure or 1 not in (first, second))


def _check_plot(place: Place, site: CallSite, state: State) -> Finding | None:
    """``plot(x, y, format)``, also several times. Source: `_process_plot_var_args`."""
    if not _drawn_on(place):
        return None
    wrong = _wrong_aliases("matplotlib.lines", "Line2D", site)
    if place.name == "plot":
        wrong = wrong or _x_or_y_by_name(place.name, site)
    elif len(site.arguments) < 2:
        return wrong
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


def _wrong_group(place: Place, group: list[Value], state: State) -> Finding | None:
    text: Any = state.live(group[-1])
    if len(group) > 1 and type(text) is str:
        found = _wrong_format(text, group[-1], state)
        if found is not None:
            return found
        group = group[:-1]
    if any(state.live(each) is None for each in group):
        return finding("plot-none", "ValueError", words("x, y, and format string must not be None"), "one is None")
    several = [data_of(each, state) for each in group]
    if any(each is None or each.kind == OTHER for each in several):
        return None
    shapes = [each.shape or (1,) for each in several if each is not None]
    x, y = shapes[0], shapes[-1]
    if _differ(x[0], y[0], place):
        text = "x and y must have same first dimension, but have shapes {} and {}"
        because = "x has {} elements and y has {}"
        return finding(
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
        return finding("plot-dimensions", "ValueError", words(text, counted(x), counted(y)), "an argument is not flat")
    if x[0] == y[0] and len(x) == len(y) == 2 and x[1] != y[1] and min(x[1], y[1]) > 1:
        text = "x has {} columns but y has {} columns"
        return finding("plot-columns", "ValueError", words(text, counted(x[1]), counted(y[1])), "they differ")
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
    cls = own_class(module, name)
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
    return finding("plot-by-name", "TypeError", message, "plot takes x and y by place alone", "invalid argument")


def _pair(site: CallSite, names: tuple[str, str]) -> list[Value] | None:
    """Return the first two arguments, given by place or by name."""
    found = [
        site.arguments[place] if place < len(site.arguments) else site.keywords.get(name)
        for place, name in enumerate(names)
    ]
    return None if None in found else found  # type: ignore[return-value]


def _check_scatter(place: Place, site: CallSite, state: State) -> Finding | None:
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
        return finding(
            "scatter-sizes",
            "ValueError",
            words("x and y must be the same size"),
            because,
            parts=(counted(x.size), counted(y.size)),
        )
    return None if x.size != y.size else _wrong_scatter_colors(place, site, x.size, state)


def _wrong_scatter_colors(place: Place, site: CallSite, size: int, state: State) -> Finding | None:
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


def _check_bar(place: Place, site: CallSite, state: State) -> Finding | None:
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


def _check_fill(place: Place, site: CallSite, state: State) -> Finding | None:
    """``fill_between(x, y1, y2)`` of lengths that do not fit together; numpy is asked, as it does."""
    if not _drawn_on(place) or not 2 <= len(site.arguments) <= 3 or {"where", "y1", "y2", "x"} & set(site.keywords):
        return None
    if _wrong_aliases("matplotlib.collections", "Collection", site) is not None:
        return None
    several = [data_of(each, state) for each in site.arguments]
    if any(each is None or each.kind != NUMBERS or len(each.shape) > 1 for each in several):
        return None
    numpy: Any = safe.loaded("numpy")
    masks = [numpy.zeros(each.shape, bool) for each in several if each is not None]
    masks += [numpy.zeros((), bool)] * (3 - len(masks))
    found = running.content(
        lambda: numpy.logical_or(numpy.logical_or(masks[0], masks[1]), masks[2]), "matplotlib", SCHEMA, "value error"
    )
    if not isinstance(found, Finding) or found.type != "ValueError":
        return None
    # Newer versions look at the sizes first, in their own words. Source: `FillBetweenPolyCollection._validate_shapes`.
    if own_class("matplotlib.collections", "FillBetweenPolyCollection") is not None:
        sizes = [each.size for each in masks]
        for name, size in zip(("y1", "y2"), sizes[1:]):
            if size != sizes[0] and min(size, sizes[0]) > 1:
                text = "'x' has size {}, but {!r} has an unequal size of {}"
                return found._replace(message=words(text, counted(sizes[0]), named(name), counted(size)))
    return found


def _check_errorbar(place: Place, site: CallSite, state: State) -> Finding | None:
    """``errorbar(x, y)`` of different lengths. Source: `Axes.errorbar`."""
    pair = _pair(site, ("x", "y"))
    if not _drawn_on(place) or pair is None or len(site.arguments) > 2:
        return None
    if not set(site.keywords) <= {"x", "y", "yerr", "xerr", "fmt", "label", "capsize", "color"}:
        return None
    if any(state.live(site.keywords[name]) is safe.ABSENT for name in ("fmt", "xerr", "yerr") if name in site.keywords):
        return None
    x, y = (data_of(each, state) for each in pair)
    if x is None or y is None or OTHER in (x.kind, y.kind):
        return None
    one, other = (x.shape or (1,))[0], (y.shape or (1,))[0]
    source: Any = _innermost(safe.in_type(axes_class(), "errorbar"))
    text = "'x' and 'y' must have the same size"
    if not _differ(one, other, place) or type(source) is not types.FunctionType or text not in _texts_of(source):
        return None
    because = "x has {} elements and y has {}"
    return finding("errorbar", "ValueError", words(text), because, parts=(counted(one), counted(other)))


def _check_pie(place: Place, site: CallSite, state: State) -> Finding | None:
    """``pie(x)`` of negative sizes, or with lists of another length. Source: `Axes.pie`."""
    value = site.arguments[0] if site.arguments else site.keywords.get("x")
    data = data_of(value, state)
    if not _drawn_on(place) or data is None or data.kind != NUMBERS or len(site.arguments) > 1:
        return None
    if len(data.shape) > 1:
        return finding("pie", "ValueError", words("x must be 1D"), "x has {} axes", parts=(counted(len(data.shape)),))
    if not data.shape:
        return None
    numpy: Any = safe.loaded("numpy")
    if not data.real or data.size > MAX_ELEMENTS:
        return None
    numbers = numpy.asarray(_values(data), numpy.float32)
    if bool(numpy.any(numbers < 0)):
        message = words("Wedge sizes 'x' must be non negative values")
        return finding("pie", "ValueError", message, "one of the sizes is negative")
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
    return finding(
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


def _check_imshow(place: Place, site: CallSite, state: State) -> Finding | None:
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
        return finding("image-shape", "TypeError", message, because)
    dtype: Any = data.object.dtype if safe.is_exactly(data.object, "numpy", "ndarray") else None
    if data.kind == TEXTS and dtype is not None and dtype.kind == "O" and data.real:
        message = words("Image data of dtype object cannot be converted to float")
        return finding("image-dtype", "TypeError", message, "its elements are texts", "type error")
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


def _wrong_cmap(place: Place, site: CallSite, state: State) -> Finding | None:
    """A colormap that nobody registered; the registry itself is asked."""
    name = state.live(site.keywords["cmap"])
    if _known_cmap(site.keywords["cmap"], state) is not False:
        return None
    ensure: Any = safe.loaded("matplotlib.cm", "_ensure_cmap") or safe.loaded("matplotlib.colorizer", "_ensure_cmap")
    colormaps = own_class("matplotlib.colors", "Colormap")
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


def _check_get_cmap(place: Place, site: CallSite, state: State) -> Finding | None:
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


def _check_ticks(place: Place, site: CallSite, state: State) -> Finding | None:
    """``xticks(places, labels)`` of different lengths. Source: `Axis.set_ticklabels`."""
    if len(site.arguments) > 2 or not _drawn_on(place):
        return None
    ticks = site.arguments[0] if site.arguments else site.keywords.get("ticks")
    labels = site.arguments[1] if len(site.arguments) > 1 else site.keywords.get("labels")
    if ticks is None or labels is None or not set(site.keywords) <= {"ticks", "labels", "rotation", "fontsize"}:
        return None
    if state.live(ticks) is None or state.live(labels) is None:
        return None
    if Made in (type(ticks), type(labels)):
        # The keys of a dict are not taken for what they are.
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
    return finding("tick-labels", "ValueError", words(text, count, given), because, parts=(count, given))


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


def wrong_keyword(place: Place, site: CallSite, state: State) -> Finding | None:
    """A keyword that no property of what is drawn has, or a value that it does not take: an empty one is asked."""
    if "cmap" in site.keywords and place.name in _WITH_CMAP and _drawn_on(place):
        # Looked up before or after the data is checked.
        if _data_is_fine(place, site, state):
            return _wrong_cmap(place, site, state)
        return None
    drawn = _ARTISTS.get(place.name)
    if drawn is None or not site.keywords or not (place.kind == FIGURE or _drawn_on(place)):
        return None
    cls = own_class(*drawn[:2])
    function = _function_of(place)
    if cls is None or function is None:
        return None
    code = function.__code__
    taken = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) | _TAKEN.get(place.name, frozenset())
    rest = {name: value for name, value in site.keywords.items() if name not in taken}
    unknown = [name for name in rest if not _has_setter(cls, name)]
    if not rest or not set(site.keywords) - set(rest) <= _HARMLESS or not _data_is_fine(place, site, state):
        return None
    is_text = cls is own_class("matplotlib.text", "Text")
    if not is_text and (not unknown or unknown[0] != next(iter(rest))):
        return None
    values: dict[str, Any] = {name: state.plain(value) for name, value in rest.items()}
    if _BOUND_FURTHER_DOWN & set(rest) or ("label" in rest and place.name.endswith("label")):
        return None
    if is_text and safe.ABSENT in values.values():
        return None
    values = values if is_text else dict.fromkeys(unknown[:1])

    def update() -> None:
        artist = cls(*drawn[2])
        plain = place.name.endswith("label") or place.name == "suptitle" or not hasattr(artist, "_internal_update")
        (artist.update if plain else artist._internal_update)(values)

    level = state.level(*rest.values()) if is_text else NAMES
    with _no_colors_left():
        found = running.content(update, "matplotlib", level)
    if not isinstance(found, Finding) or found.type not in ("AttributeError", "ValueError"):
        return None
    if found.type == "ValueError":
        return found
    close = close_to(unknown[0], [each[4:] for each in _public(cls) if each.startswith("set_")]) if unknown else []
    return found._replace(
        rule="figures.unknown-property", close=tuple(close), asked=NAMES, crash_type="invalid argument"
    )


# Parameters of the functions and classes that these hand their keywords to.
_BOUND_FURTHER_DOWN = frozenset("self s x y t text fontdict xdata ydata xy width height".split())
_HARMLESS = frozenset(["label", "density", "bins", "alpha", "loc", "pad"])


def wrong_binding(place: Place, site: CallSite) -> Finding | None:
    """Arguments that the function behind matplotlib's own wrappers does not take; the wrappers hand them on."""
    if "data" in site.keywords or place.kind == ARTIST:
        return None
    own = safe.instance_dict(safe.loaded("matplotlib.pyplot")) or {}
    cls = place.cls
    entry: Any = (
        own.get(place.name) if place.kind == "pyplot" else None if cls is None else safe.in_type(cls, place.name)
    )
    wrappers = 0
    while type(entry) is types.FunctionType and type((safe.instance_dict(entry) or {}).get("__wrapped__")) is not type(
        None
    ):
        cells = [each.cell_contents for each in entry.__closure__ or () if _is_filled(each)]
        texts = [each for each in cells if type(each) is str]
        if not safe.comes_from(entry, "matplotlib") or set(texts) & set(site.keywords):
            return None
        entry = safe.instance_dict(entry)["__wrapped__"]  # type: ignore[index]
        wrappers += 1
    if not wrappers or not safe.comes_from(entry, "matplotlib") or wrappers > 5:
        return None
    bound = 0 if place.kind == "pyplot" else 1
    message = callables.binding_error(entry, len(site.arguments) + bound, list(site.keywords))
    if message is None:
        return None
    code = entry.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    wrong = [each for each in site.keywords if each not in names]
    return Finding(
        rule="callables.does-not-bind",
        type="TypeError",
        message=words("{}", named(message)),
        because=words("the signature is ({})", named(", ".join(callables.parameters(entry, skip=bound)))),
        crash_type="invalid argument",
        library="matplotlib",
        close=tuple(close_to(wrong[0], list(names))) if wrong else (),
        asked=NAMES if site.complete else SCHEMA,
    )


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty one has none
    except ValueError:
        return False
    return True


def _public(cls: type) -> list[str]:
    return sorted(name for base in safe.mro(cls) for name, _ in safe.entries(base) if not name.startswith("_"))


def _has_setter(cls: type, name: str) -> bool:
    return name == "axes" or safe.in_type(cls, "set_" + name) is not safe.ABSENT


def _function_of(place: Place) -> types.FunctionType | None:
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


def _data_is_fine(place: Place, site: CallSite, state: State) -> bool:
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


CHECKS: dict[str, Callable[[Place, CallSite, State], Value | Finding | None]] = {
    "plot": _check_plot,
    "semilogx": _check_plot,
    "semilogy": _check_plot,
    "loglog": _check_plot,
    "step": _check_plot,
    "fill_between": _check_fill,
    "errorbar": _check_errorbar,
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
