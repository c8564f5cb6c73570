"""What is drawn: lengths of what belongs together, names and options of plotting functions."""

import ast
import re
from collections.abc import Iterator, Mapping

from crane_agent.agent.repairs.patch import Patch, Script
from crane_agent.agent.repairs.site import Site, called, closest, keyword

_LENGTHS = r"must have same first dimension|must be the same size|shape mismatch: objects cannot be broadcast"


def places_of_values(site: Site) -> Iterator[Patch]:
    """Count as many places as there are values, where the places are counted; name the counted values by themselves.

    Sources: matplotlib's references of `Axes.plot`, x and y "of the same length", and of `Axes.bar`; pandas' of
    `Series.value_counts`, whose index holds the values in the order of their counts.
    """
    if not site.says("ValueError", pattern=_LENGTHS):
        return
    for call in site.calls:
        if (
            called(call) not in ("plot", "scatter", "bar", "barh", "step", "errorbar", "fill_between")
            or len(call.args) < 2
        ):
            continue
        x, y = call.args[:2]
        if (counts := _counts(x, y)) is not None:
            edit = site.script.replaced(x, f"{site.script.text(counts)}.index")
            yield from site.patch("Name the counts by their own index: unique() has another order and length.", edit)
        if isinstance(y, ast.Call | ast.BinOp):
            continue
        length = f"len({site.script.text(y)})"
        yield from _recounted(site, site.script, x, length)
        if isinstance(x, ast.Name):
            for script, statement in site.bindings(x.id):
                yield from _recounted(site, script, statement.value, length)
                break


def _recounted(site: Site, script: Script, node: ast.expr, length: str) -> Iterator[Patch]:
    """Yield the patch that lets a range end where the values do."""
    inner = next((each for each in ast.walk(node) if isinstance(each, ast.Call) and called(each) in _RANGES), None)
    if inner is None or len(inner.args) not in (1, 2, 3):
        return
    first = script.text(inner.args[0]) if len(inner.args) > 1 else ""
    if called(inner) == "linspace":
        if len(inner.args) == 3:
            edit = script.replaced(inner.args[2], length)
            yield from script.patch("Make as many places as there are values.", edit)
        return
    if len(inner.args) == 3:
        return
    stop = length if first in ("", "0") else f"{length} + {first}"
    yield from script.patch("Count as many places as there are values.", script.replaced(inner.args[-1], stop))


_RANGES = ("range", "arange", "linspace")


def _counts(x: ast.expr, y: ast.expr) -> ast.expr | None:
    """Return the counts of values that are named by ``unique()`` of the same values."""
    match x, y:
        case (
            ast.Call(func=ast.Attribute(attr="unique", value=values)),
            ast.Call(func=ast.Attribute(attr="value_counts", value=same)) as counts,
        ) if ast.dump(values) == ast.dump(same):
            return counts
    return None


def labels_of_slices(site: Site) -> Iterator[Patch]:
    """Label the slices of a pie with the index of what is drawn.

    Sources: matplotlib's reference of `Axes.pie`, "labels: a sequence of strings providing the labels for each wedge";
    the message "'label' must be of length 'x'".
    """
    if not site.says("ValueError", pattern=r"'labels?' must be of length 'x'"):
        return
    for call in site.calls:
        node = keyword(call, "labels")
        given = call.args[0] if call.args else None
        x = keyword(call, "x")
        given = x.value if given is None and x is not None else given
        if node is None or given is None:
            continue
        is_counted = any(isinstance(each, ast.Call) and called(each) == "value_counts" for each in ast.walk(given))
        if site.part(given).is_series or is_counted:
            edit = site.script.replaced(node.value, f"{site.script.operand(given)}.index")
            yield from site.patch("Label the slices with the index of the values.", edit)


def ticks_of_labels(site: Site) -> Iterator[Patch]:
    """Set the ticks with their labels.

    Sources: the message "The number of FixedLocator locations (6) ... does not match the number of labels (5)";
    matplotlib's reference of `Axes.set_xticks`, ``labels``.
    """
    if not site.says("ValueError", pattern=r"FixedLocator locations|does not match the number of (?:tick )?labels"):
        return
    for call in site.calls:
        name = called(call)
        if name in ("set_xticklabels", "set_yticklabels") and call.args and isinstance(call.func, ast.Attribute):
            text = site.script.text(call.args[0])
            edits = [
                site.script.renamed(call.func, name.replace("ticklabels", "ticks")),
                site.script.replaced(call.args[0], f"range(len({text})), {text}"),
            ]
            yield from site.patch("Set the ticks together with their labels: as many as there are.", *edits)
        elif name in ("xticks", "yticks") and len(call.args) == 2:
            text = site.script.text(call.args[1])
            edit = site.script.replaced(call.args[0], f"range(len({text}))")
            yield from site.patch("Set as many ticks as there are labels.", edit)


def axes_in_rows(site: Site) -> Iterator[Patch]:
    """Keep rows and columns of a grid of one row or column, where the axes are counted in both.

    Source: matplotlib's reference of `pyplot.subplots`, ``squeeze``: "If False, no squeezing at all is done: the
    returned Axes object is always a 2D array containing Axes instances".
    """
    pattern = r"too many indices for array|'Axes(?:Subplot)?' object is not subscriptable|not subscriptable"
    if not site.says("IndexError", "TypeError", pattern=pattern):
        return
    for node in site.subscripts:
        part = site.part(node.value, "value")
        is_axes = (part.is_array and part.dtype == "object") or part.kind.startswith("Axes")
        if not isinstance(node.slice, ast.Tuple) or not is_axes or not isinstance(node.value, ast.Name):
            continue
        if not _are_counted(site.script, node.value.id):
            continue
        for call in _grids(site.script, node.value.id):
            edit = site.script.with_argument(call, "squeeze=False")
            yield from site.patch("Keep rows and columns of the grid: of one row it is one list.", edit)


def _are_counted(script: Script, axes: str) -> bool:
    """Whether a name is given rows and columns more than once, or by what is counted."""
    keys = [
        each.slice.elts
        for each in ast.walk(script.tree)
        if isinstance(each, ast.Subscript)
        and isinstance(each.value, ast.Name)
        and each.value.id == axes
        and isinstance(each.slice, ast.Tuple)
    ]
    return len(keys) > 1 or any(not isinstance(each, ast.Constant) for elements in keys for each in elements)


def _grids(script: Script, axes: str) -> Iterator[ast.Call]:
    """Yield the calls of ``subplots`` whose axes have a name."""
    for node in ast.walk(script.tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name(id=name)])], value=ast.Call() as call) if name == axes:
                if called(call) == "subplots" and not keyword(call, "squeeze"):
                    yield call


def function_again(site: Site) -> Iterator[Patch]:
    """Call a function of a library where it was assigned to: since then it is no function any more.

    Source: Python's tutorial, "Modules": attributes of a module can be set. `pyplot.title` and its like are functions
    (matplotlib's reference).
    """
    if not site.says("TypeError", pattern=r"'(?:str|tuple|list|int|float)' object is not callable"):
        return
    for call in site.calls:
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            continue
        for script in site.scripts:
            found = [each for each in ast.walk(script.tree) if isinstance(each, ast.Assign) and _sets(each, call.func)]
            edits = [script.replaced(each, f"{script.text(each.targets[0])}({_given(script, each)})") for each in found]
            if edits:
                name = f"{call.func.value.id}.{call.func.attr}"
                yield from script.patch(f"Call {name} instead of assigning to it.", *edits)
                return


def _given(script: Script, node: ast.Assign) -> str:
    text = script.text(node.value)
    return text[1:-1] if isinstance(node.value, ast.Tuple) and text.startswith("(") else text


def _sets(node: ast.Assign, function: ast.Attribute) -> bool:
    dumped = ast.dump(function.value)
    return any(
        isinstance(each, ast.Attribute) and each.attr == function.attr and ast.dump(each.value) == dumped
        for each in node.targets
    )


_OF_AXES = (
    "title",
    "xlabel",
    "ylabel",
    "xlim",
    "ylim",
    "xticks",
    "yticks",
    "xscale",
    "yscale",
    "xticklabels",
    "yticklabels",
)


def name_of_axes(site: Site) -> Iterator[Patch]:
    """Use ``set_title`` of axes for ``title`` of pyplot, and the other way round.

    Source: matplotlib's user guide, "Matplotlib Application Interfaces": pyplot's `title` is `Axes.set_title`.
    """
    if site.says("TypeError", pattern=r"'(?:Text|XAxis|YAxis)' object is not callable"):
        for call in site.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_AXES:
                edit = site.script.renamed(call.func, f"set_{call.func.attr}")
                yield from site.patch(f"Use set_{call.func.attr}, as axes have it.", edit)
    if site.says(
        "AttributeError", pattern=r"Axes\w*' object has no attribute|module 'matplotlib.pyplot' has no attribute"
    ):
        for node in site.nodes:
            if not isinstance(node, ast.Attribute):
                continue
            if "module" not in site.message and node.attr in _OF_AXES:
                edit = site.script.renamed(node, f"set_{node.attr}")
                yield from site.patch(f"Use set_{node.attr}, as axes have it.", edit)
            elif "module" in site.message and node.attr.removeprefix("set_") in _OF_AXES:
                name = node.attr.removeprefix("set_")
                yield from site.patch(f"Use {name}, as pyplot has it.", site.script.renamed(node, name))
    if site.says("TypeError", pattern=r"gca\(\) got an unexpected keyword argument"):
        for call in site.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "gca":
                edit = site.script.renamed(call.func, "add_subplot")
                yield from site.patch("Use add_subplot, which makes axes with a projection.", edit)


_PROPERTIES = (
    "agg_filter alpha color linewidth linestyle marker markersize markerfacecolor markeredgecolor label rotation "
    "fontsize fontweight fontstyle fontfamily edgecolor facecolor width height zorder ha va horizontalalignment "
    "verticalalignment hatch fill antialiased visible backgroundcolor bbox size weight family "
).split()
_MEANT = {"rotate": "rotation", "colour": "color", "colors": "color", "fontcolor": "color", "font_size": "fontsize"}


def close_property(site: Site) -> Iterator[Patch]:
    """Use the property of lines, texts or patches that was probably meant.

    Source: matplotlib's references of `Line2D`, `Text` and `Patch`: "Valid keyword arguments"; the message "Text.set()
    got an unexpected keyword argument 'rotate'".
    """
    found = site.found(r"\.set\(\) got an unexpected keyword argument '(\w+)'|object has no property '?(\w+)'?")
    for call in site.calls if found is not None and site.crash.type in ("AttributeError", "TypeError") else ():
        assert found is not None
        node = keyword(call, found[1] or found[2])
        if node is None or node.arg is None:
            continue
        meant = [_MEANT[node.arg]] if node.arg in _MEANT else closest(node.arg, _PROPERTIES, cutoff=0.7)[:2]
        for name in meant:
            if keyword(call, name) is None:
                summary = f"Use {name}=, which {called(call)} takes, instead of {node.arg}=."
                yield from site.patch(summary, site.script.renamed_keyword(node, name))


def number_as_option(site: Site) -> Iterator[Patch]:
    """Give an option as the text that it is, where it was given as a number.

    Sources: statsmodels' reference of `qqplot`: "line {None, '45', 's', 'r', 'q'}"; the messages "45 option for line
    not understood" and "must be one of".
    """
    if not site.says(
        "ValueError", "TypeError", "KeyError", pattern=r"not understood|one of|[Aa]llowed|[Ss]upported|not a valid"
    ):
        return
    for call in site.calls:
        for node in call.keywords:
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            if type(value) is int and re.search(rf"(?<![\d.]){value}(?![\d.])", site.message):
                edit = site.script.replaced(node.value, f'"{value}"')
                yield from site.patch(f"Give {node.arg}= as a text, as {called(call)} takes it.", edit)


def picture_of_file(site: Site) -> Iterator[Patch]:
    """Read the picture that a path names before it is shown; show numbers as such.

    Sources: matplotlib's references of `pyplot.imshow` and `pyplot.imread`; the message "Image data of dtype object
    cannot be converted to float".
    """
    if not site.says("TypeError", pattern=r"Image data of dtype .* cannot be converted to float"):
        return
    for call in site.calls:
        node = call.args[0] if call.args else None
        if node is None:
            continue
        part = site.part(node)
        if part.kind == "str" or isinstance(node, ast.Constant):
            name, imported = site.module("matplotlib.pyplot", "plt")
            yield from site.patch("Read the picture first.", site.script.wrapped(node, f"{name}.imread("), *imported)
        elif part.dtype == "object":
            yield from site.patch("Show the values as numbers.", site.script.followed(node, ".astype(float)"))


def bars_of_values(site: Site) -> Iterator[Patch]:
    """Draw bars of values where counting was asked for, but the values are given.

    Source: seaborn's references of `countplot`, which counts one variable, and of `barplot`; the message "Cannot pass
    values for both `x` and `y`".
    """
    if site.says("TypeError", "ValueError", pattern=r"Cannot pass values for both `x` and `y`"):
        for call in site.calls:
            if called(call) == "countplot" and isinstance(call.func, ast.Attribute):
                edit = site.script.renamed(call.func, "barplot")
                yield from site.patch("Use barplot, which draws given values: countplot counts one variable.", edit)


# -- statsmodels -----------------------------------------------------------------------------------------------------


def numbers_for_model(site: Site) -> Iterator[Patch]:
    """Give a model of statsmodels numbers, also for columns that are true or false.

    Source: the message "Pandas data cast to numpy dtype of object. Check input data with np.asarray(data)."; pandas
    2.0, what's new: `get_dummies` gives columns of bool.
    """
    if not site.says("ValueError", pattern=r"Pandas data cast to numpy dtype of object"):
        return
    for call in site.calls:
        nodes = [*call.args, *(each.value for each in call.keywords if each.arg in ("exog", "endog"))]
        tables = [each for each in nodes if site.part(each).is_frame]
        wrong = [each for each in nodes if site.part(each).is_series and site.part(each).dtype in ("object", "bool")]
        edits = [site.script.followed(each, ".astype(float)") for each in (*tables, *wrong)]
        if edits:
            yield from site.patch("Give the model numbers: some columns are none.", *edits)


_MOVED: Mapping[str, str] = {"statsmodels.tsa.arima_model": "statsmodels.tsa.arima.model"}


def moved_model(site: Site) -> Iterator[Patch]:
    """Use the model that took the place of one that statsmodels removed.

    Sources: the message "ARMA and ARIMA have been removed in favor of statsmodels.tsa.arima.model.ARIMA"; statsmodels
    0.12, release notes; its reference of `seasonal_decompose`, ``period``.
    """
    if site.crash.type == "NotImplementedError" and "have been removed in favor of" in site.message:
        for script in site.scripts:
            for node in ast.walk(script.tree):
                if isinstance(node, ast.ImportFrom) and node.module is not None and node.module in _MOVED:
                    text = script.text(node).replace(node.module, _MOVED[node.module], 1)
                    yield from script.patch("Import the model from where it is now.", script.replaced(node, text))
    found = site.found(r"(\w+)\(\) got an unexpected keyword argument '(freq|disp|transparams|trend)'")
    for call in site.calls if found is not None and site.crash.type == "TypeError" else ():
        assert found is not None
        given = keyword(call, found[2])
        if given is not None and found[1] == "seasonal_decompose":
            yield from site.patch("Use period=, as it is called now.", site.script.renamed_keyword(given, "period"))
        elif given is not None and called(call) == "fit" and found[2] in ("disp", "transparams"):
            edit = site.script.without_argument(call, given)
            yield from site.patch(f"Leave out {found[2]}=, which fit no longer takes.", edit)


STRATEGIES = (
    axes_in_rows,
    places_of_values,
    labels_of_slices,
    ticks_of_labels,
    function_again,
    name_of_axes,
    close_property,
    number_as_option,
    picture_of_file,
    bars_of_values,
    numbers_for_model,
    moved_model,
)
