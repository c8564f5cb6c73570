"""Functions, attributes and keywords that a library renamed or removed, and attributes of another class.

Each table cites where the library says what takes the place of what is gone. An entry is used only if the message
names what is gone, so that a version that still has it is left alone.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Site, called, closest, keyword

_NO_ATTRIBUTE = r"(?:module|object|type object)? ?'?([\w.]+)'?(?: object)? has no attribute '(\w+)'"

# -- attributes ------------------------------------------------------------------------------------------------------

_MODULE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    # numpy 1.20, 1.24 and 2.0, release notes and migration guide.
    "numpy": {
        **{"long": "int_", "unicode": "str_", "float_": "float64", "complex_": "complex128", "unicode_": "str_"},
        **{"string_": "bytes_", "Inf": "inf", "Infinity": "inf", "infty": "inf", "PINF": "inf", "NaN": "nan"},
        **{"NAN": "nan", "product": "prod", "cumproduct": "cumprod", "sometrue": "any", "alltrue": "all"},
        **{"in1d": "isin", "trapz": "trapezoid", "row_stack": "vstack", "round_": "round", "mat": "asmatrix"},
        **{"bool8": "bool_", "object0": "object_", "NINF": "-inf"},
    },
    # pandas 1.0, what's new.
    "pandas": {"scatter_matrix": "plotting.scatter_matrix"},
    # SciPy 1.6 to 1.14, release notes.
    "scipy.integrate": {"simps": "simpson", "trapz": "trapezoid", "cumtrapz": "cumulative_trapezoid"},
    # seaborn 0.9, 0.11 and 0.14, what's new.
    "seaborn": {"factorplot": "catplot", "tsplot": "lineplot", "distplot": "histplot", "lvplot": "boxenplot"},
    # Python 3.0, 3.3, 3.8, 3.10 and 3.11, what's new.
    "time": {"clock": "perf_counter"},
    "collections": {name: f"abc.{name}" for name in ("Iterable", "Mapping", "Sequence", "Callable", "Iterator", "Set")},
    "string": {"letters": "ascii_letters", "lowercase": "ascii_lowercase", "uppercase": "ascii_uppercase"},
    "inspect": {"getargspec": "getfullargspec"},
    # TensorFlow 2, "Automatically rewrite TF 1.x and compat.v1 API symbols".
    "tensorflow": {
        **{"log": "math.log", "placeholder": "compat.v1.placeholder", "Session": "compat.v1.Session"},
        **{"random_normal": "random.normal", "random_uniform": "random.uniform", "set_random_seed": "random.set_seed"},
        **{"ConfigProto": "compat.v1.ConfigProto", "get_default_graph": "compat.v1.get_default_graph"},
        **{"reset_default_graph": "compat.v1.reset_default_graph"},
    },
    # PyTorch 1.9 and 2.0, release notes: torch.linalg.
    "torch": {"symeig": "linalg.eigh", "qr": "linalg.qr"},
}

_GENERATORS = {"fit_generator": "fit", "evaluate_generator": "evaluate", "predict_generator": "predict"}
"""Methods of a Keras model; TensorFlow 2.1, release notes: `fit` and its like take generators."""

_METHODS: Mapping[str, Mapping[str, str]] = {
    # pandas 1.0, 2.0 and 3.0, what's new, "Removal of prior version deprecations".
    "DataFrame": {
        **{"ix": "loc", "iteritems": "items", "as_matrix": "to_numpy", "sort": "sort_values", "applymap": "map"},
        **{"pad": "ffill", "backfill": "bfill"},
    },
    "Series": {
        **{"ix": "loc", "iteritems": "items", "as_matrix": "to_numpy", "order": "sort_values", "sort": "sort_values"},
        **{"ravel": "to_numpy", "get_values": "to_numpy", "is_monotonic": "is_monotonic_increasing"},
        **{"pad": "ffill", "backfill": "bfill"},
    },
    "Index": {"is_monotonic": "is_monotonic_increasing"},
    # Python 3.0, what's new.
    "dict": {"iteritems": "items", "itervalues": "values", "iterkeys": "keys"},
    # matplotlib 2.0, API changes.
    "Axes": {"set_axis_bgcolor": "set_facecolor", "get_axis_bgcolor": "get_facecolor"},
    "Sequential": _GENERATORS,
    "Functional": _GENERATORS,
    "Model": _GENERATORS,
}

_RENAMED: Mapping[str, str] = {
    # scikit-learn 1.0 and 1.2, what's new; its glossary: what a fit sets ends in an underscore.
    "get_feature_names": "get_feature_names_out",
    "best_estimator": "best_estimator_",
    "best_params": "best_params_",
    "best_score": "best_score_",
    "cv_results": "cv_results_",
    "feature_importances": "feature_importances_",
    "grid_scores_": "cv_results_",
}


def removed_attribute(site: Site) -> Iterator[Patch]:
    """Use what took the place of an attribute that a library renamed.

    Sources: named beside each entry of `_MODULE_ATTRIBUTES`, `_METHODS` and `_RENAMED`.
    """
    found = site.found(_NO_ATTRIBUTE) if site.crash.type == "AttributeError" else None
    of_numpy = site.found(r"`np\.(\w+)` was removed in the NumPy 2")
    if found is None and of_numpy is None:
        return
    owner, gone = (found[1], found[2]) if found is not None else ("numpy", of_numpy[1] if of_numpy else "")
    kind = owner.rpartition(".")[2]
    for node in _attributes(site, gone):
        meant = _MODULE_ATTRIBUTES.get(owner, {}).get(gone) or _METHODS.get(kind, {}).get(gone) or _RENAMED.get(gone)
        if owner == "numpy" and gone in ("int", "float", "bool", "object", "str", "complex"):
            summary = f"Use {gone}: np.{gone} was another name of the builtin, and is gone since numpy 1.24."
            yield from site.patch(summary, *(_builtin(site, each) for each in _alike(site, node)))
        elif meant == "-inf":
            yield from site.patch("Use -np.inf.", site.script.replaced(node, f"-{site.script.text(node.value)}.inf"))
        elif meant == "to_numpy" and gone == "as_matrix" and _is_called_with(site, node):
            continue
        elif meant:
            edits = [site.script.renamed(each, meant) for each in _alike(site, node)]
            more = _kind_of_plot(site, node, gone)
            yield from site.patch(f"Use {meant} instead of {gone}, which {kind} no longer has.", *edits, *more)


def _alike(site: Site, node: ast.Attribute) -> list[ast.Attribute]:
    """Return the attribute wherever the cell asks the same thing for it; each of them is missing."""
    return [
        each
        for each in ast.walk(site.script.tree)
        if isinstance(each, ast.Attribute) and each.attr == node.attr and ast.dump(each.value) == ast.dump(node.value)
    ]


def _builtin(site: Site, node: ast.Attribute) -> Edit | None:
    return site.script.replaced(node, node.attr)


def _is_called_with(site: Site, node: ast.Attribute) -> bool:
    call = site.script.parent(node)
    return isinstance(call, ast.Call) and bool(call.args or call.keywords)


def _kind_of_plot(site: Site, node: ast.Attribute, gone: str) -> tuple[Edit | None, ...]:
    """Return the edit that keeps what `factorplot` drew: catplot's own default is another kind (seaborn 0.9)."""
    call = site.script.parent(node)
    if gone != "factorplot" or not isinstance(call, ast.Call) or keyword(call, "kind") is not None:
        return ()
    return (site.script.with_argument(call, 'kind="point"'),)


def _attributes(site: Site, name: str) -> list[ast.Attribute]:
    return [node for node in site.nodes if isinstance(node, ast.Attribute) and node.attr == name]


def appended(site: Site) -> Iterator[Patch]:
    """Use ``pd.concat`` where a frame or series has no ``append``.

    Source: pandas 2.0, what's new: "Removed `Series.append` and `DataFrame.append`, use `concat` instead".
    """
    found = site.found(r"'(DataFrame|Series)' object has no attribute 'append'")
    if site.crash.type != "AttributeError" or found is None:
        return
    for node in _attributes(site, "append"):
        call = site.script.parent(node)
        if not isinstance(call, ast.Call) or len(call.args) != 1:
            continue
        pandas, imported = site.module("pandas", "pd")
        row = site.script.text(call.args[0])
        kind = site.part(call.args[0]).kind
        if isinstance(call.args[0], ast.List):
            row = row[1:-1]
        elif kind == "dict" or isinstance(call.args[0], ast.Dict) or (kind == "" and keyword(call, "ignore_index")):
            row = f"{pandas}.DataFrame([{row}])"
        elif kind == "Series" and found[1] == "DataFrame":
            row = f"{site.script.operand(call.args[0])}.to_frame().T"
        options = "".join(f", {site.script.text(each)}" for each in call.keywords if each.arg != "sort")
        text = f"{pandas}.concat([{site.script.text(node.value)}, {row}]{options})"
        summary = "Use pd.concat, since append is gone since pandas 2.0."
        yield from site.patch(summary, site.script.replaced(call, text), *imported)


def predicted_classes(site: Site) -> Iterator[Patch]:
    """Take the class of the highest probability where a Keras model has no ``predict_classes``.

    Source: TensorFlow 2.5, deprecation of `Sequential.predict_classes`: ``np.argmax(model.predict(x), axis=-1)`` for
    several classes, ``(model.predict(x) > 0.5).astype("int32")`` for two; `predict_proba` is `predict`.
    """
    if not site.says("AttributeError", pattern=r"no attribute 'predict_(classes|proba)'"):
        return
    for node in site.nodes:
        call = site.script.parent(node)
        if not isinstance(node, ast.Attribute) or not isinstance(call, ast.Call):
            continue
        if site.part(node.value, "owner").library not in ("keras", "tensorflow", "tf_keras"):
            continue
        plain = f"{site.script.operand(node.value)}.predict{site.script.text(call)[len(site.script.text(node)) :]}"
        if node.attr == "predict_proba":
            yield from site.patch("Use predict, which gives the probabilities.", site.script.renamed(node, "predict"))
            continue
        numpy, imported = site.module("numpy", "np")
        several = f"{numpy}.argmax({plain}, axis=-1)"
        one = f'({plain} > 0.5).astype("int32")'
        output = site.part(node.value, "owner").facts.get("output_shape") or [None]
        choices = [(one, ()), (several, imported)] if output[-1] == 1 else [(several, imported), (one, ())]
        for text, edits in choices:
            summary = "Take the class from what predict gives: predict_classes is gone since TensorFlow 2.6."
            yield from site.patch(summary, site.script.replaced(call, text), *edits)


_PANDAS = r"'(DataFrame|Series)' object has no attribute "
_OF_ARRAYS = (
    "reshape ravel flatten tolist T nonzero argmax argmin view squeeze put itemsize transpose swapaxes strides flags "
    "fill"
).split()
_OF_TEXT = (
    "lower upper strip lstrip rstrip split replace contains startswith endswith title capitalize len zfill".split()
)
_OF_DATES = "year month day hour minute second dayofweek weekday date quarter day_name month_name total_seconds".split()
_OF_FRAMES = {"values", "to_numpy", "iloc", "loc"}


def other_class(site: Site) -> Iterator[Patch]:
    """Turn a value into the class whose attribute is meant, or leave out what only another class has.

    Sources: pandas' reference of `Series.to_numpy`, of the accessors `Series.str` and `Series.dt`; numpy's reference
    of `array`; Python 3.0, what's new, for texts that are no longer decoded.
    """
    found = site.found(_NO_ATTRIBUTE) if site.crash.type == "AttributeError" else None
    for node in _attributes(site, found[2]) if found is not None else ():
        assert found is not None
        kind, gone = found[1].rpartition(".")[2], found[2]
        owner = site.script.operand(node.value)
        around = site.script.parent(node)
        if kind in ("DataFrame", "Series") and gone in _OF_ARRAYS:
            text = f"{owner}.to_numpy().{gone}"
            yield from site.patch(f"Take the array of the {kind}, which has {gone}.", site.script.replaced(node, text))
        elif kind == "Series" and gone in _OF_TEXT:
            yield from site.patch(f"Use .str.{gone} for each text.", site.script.replaced(node, f"{owner}.str.{gone}"))
        elif kind == "Series" and gone in _OF_DATES:
            yield from site.patch(f"Use .dt.{gone} for each date.", site.script.replaced(node, f"{owner}.dt.{gone}"))
        elif kind == "ndarray" and gone in _OF_FRAMES:
            is_call = isinstance(around, ast.Call) and around.func is node
            whole: ast.AST = around if is_call and around is not None else node
            yield from site.patch(f"Leave out .{gone}: it is an array already.", site.script.replaced(whole, owner))
        elif kind == "str" and gone == "decode" and isinstance(around, ast.Call):
            summary = "Leave out decode: it is a text already."
            yield from site.patch(summary, site.script.replaced(around, owner))
        elif kind in ("list", "tuple") and gone in (
            "shape",
            "reshape",
            "T",
            "mean",
            "std",
            "sum",
            "astype",
            "ndim",
            "max",
            "min",
            "flatten",
        ):
            numpy, imported = site.module("numpy", "np")
            text = f"{numpy}.array({site.script.text(node.value)}).{gone}"
            yield from site.patch(
                f"Make an array of the {kind}, which has {gone}.", site.script.replaced(node, text), *imported
            )
        elif kind in ("function", "method", "builtin_function_or_method"):
            yield from site.patch("Call the method before using what it gives.", site.script.followed(node.value, "()"))


def accessor(site: Site) -> Iterator[Patch]:
    """Turn the values into texts or dates for ``.str`` and ``.dt``.

    Sources: the messages "Can only use .str accessor with string values" and "Can only use .dt accessor with
    datetimelike values"; pandas' references of `Series.astype` and `to_datetime`.
    """
    found = site.found(r"Can only use \.(str|dt) accessor") if site.crash.type == "AttributeError" else None
    for node in _attributes(site, found[1]) if found is not None else ():
        if node.attr == "str":
            yield from site.patch("Turn the values into texts first.", site.script.followed(node.value, ".astype(str)"))
        else:
            pandas, imported = site.module("pandas", "pd")
            edit = site.script.wrapped(node.value, f"{pandas}.to_datetime(")
            yield from site.patch("Turn the values into dates first.", edit, *imported)


def next_of_iterator(site: Site) -> Iterator[Patch]:
    """Use ``next(...)``, and ``iter(...)`` where there is no iterator yet.

    Sources: Python 3.0, what's new (PEP 3114: ``it.next()`` is ``next(it)``); Python's reference of `next` and `iter`.
    """
    if site.says("AttributeError", pattern=r"no attribute 'next'"):
        for node in _attributes(site, "next"):
            call = site.script.parent(node)
            if isinstance(call, ast.Call) and not call.args:
                text = f"next({site.script.text(node.value)})"
                yield from site.patch("Use next(...), which Python 3 has instead.", site.script.replaced(call, text))
    if site.says("TypeError", pattern=r"object is not an iterator"):
        for call in site.calls:
            if called(call) == "next" and call.args:
                edit = site.script.wrapped(call.args[0], "iter(")
                yield from site.patch("Make an iterator first: next needs one.", edit)


def close_attribute(site: Site) -> Iterator[Patch]:
    """Use the attribute that was probably meant.

    Source: the scene's attributes, those there are that are like the missing one; as Python's "Did you mean".
    """
    found = site.found(_NO_ATTRIBUTE) if site.crash.type == "AttributeError" else None
    for node in _attributes(site, found[2]) if found is not None else ():
        there = (*(site.part(node.value, "owner").facts.get("attributes") or ()), *site.crash.close)
        public = [each for each in there if not str(each).startswith("_")]
        for name in closest(node.attr, public, cutoff=0.7)[:2]:
            if name.isidentifier():
                yield from site.patch(
                    f"Use {name} instead of {node.attr}, which is not there.", site.script.renamed(node, name)
                )


# -- imports ---------------------------------------------------------------------------------------------------------

_MODULES: Mapping[str, str] = {
    # scikit-learn 0.18 to 0.24, what's new.
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.datasets.samples_generator": "sklearn.datasets",
    "sklearn.ensemble.forest": "sklearn.ensemble",
    "sklearn.neighbors.classification": "sklearn.neighbors",
    "sklearn.linear_model.logistic": "sklearn.linear_model",
    "sklearn.metrics.classification": "sklearn.metrics",
    "sklearn.decomposition.pca": "sklearn.decomposition",
    "sklearn.externals.joblib": "joblib",
    "sklearn.externals.six": "six",
    # pandas 1.0 and 2.0, what's new.
    "pandas.util.testing": "pandas.testing",
    "pandas.tools.plotting": "pandas.plotting",
    "pandas.io.json.json_normalize": "pandas",
    # Python 3.0, what's new, and 3.12 for distutils.
    "cPickle": "pickle",
    "Queue": "queue",
    "StringIO": "io",
    "ConfigParser": "configparser",
    "Tkinter": "tkinter",
    "urllib2": "urllib.request",
    # Keras 2.4 and 3: release notes.
    "keras.utils.np_utils": "keras.utils",
    "keras.layers.core": "keras.layers",
    "keras.layers.convolutional": "keras.layers",
    "keras.layers.recurrent": "keras.layers",
    "keras.layers.normalization": "keras.layers",
    "keras.layers.embeddings": "keras.layers",
    "keras.layers.advanced_activations": "keras.layers",
    "keras.engine.topology": "keras.layers",
    "keras.preprocessing.image": "tensorflow.keras.preprocessing.image",
    "keras.preprocessing.text": "tensorflow.keras.preprocessing.text",
    "keras.preprocessing.sequence": "tensorflow.keras.preprocessing.sequence",
    "keras.wrappers.scikit_learn": "scikeras.wrappers",
    "tensorflow.python.keras": "tensorflow.keras",
    "keras": "tensorflow.keras",
}

_NAMES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("sklearn.externals", "joblib"): ("", "joblib"),
    ("sklearn.externals", "six"): ("", "six"),
    ("sklearn.preprocessing", "Imputer"): ("sklearn.impute", "SimpleImputer"),
    ("sklearn.metrics", "plot_confusion_matrix"): ("sklearn.metrics", "ConfusionMatrixDisplay"),
    ("sklearn.metrics", "plot_roc_curve"): ("sklearn.metrics", "RocCurveDisplay"),
    ("sklearn.metrics", "plot_precision_recall_curve"): ("sklearn.metrics", "PrecisionRecallDisplay"),
    ("sklearn.metrics", "jaccard_similarity_score"): ("sklearn.metrics", "jaccard_score"),
    ("sklearn.metrics", "calinski_harabaz_score"): ("sklearn.metrics", "calinski_harabasz_score"),
    ("scipy", "interp"): ("numpy", "interp"),
    ("scipy.misc", "imread"): ("imageio", "imread"),
    ("scipy.misc", "factorial"): ("scipy.special", "factorial"),
    ("scipy.misc", "comb"): ("scipy.special", "comb"),
    ("scipy.misc", "logsumexp"): ("scipy.special", "logsumexp"),
    ("scipy.integrate", "simps"): ("scipy.integrate", "simpson"),
    ("scipy.integrate", "trapz"): ("scipy.integrate", "trapezoid"),
    ("scipy.stats", "interp"): ("numpy", "interp"),
    ("pandas.io.json", "json_normalize"): ("pandas", "json_normalize"),
    ("keras.utils", "to_categorical"): ("tensorflow.keras.utils", "to_categorical"),
    ("keras.optimizers", "Adam"): ("tensorflow.keras.optimizers", "Adam"),
    ("keras.layers.normalization", "BatchNormalization"): ("keras.layers", "BatchNormalization"),
    ("collections", "Iterable"): ("collections.abc", "Iterable"),
    ("collections", "Mapping"): ("collections.abc", "Mapping"),
    ("collections", "Sequence"): ("collections.abc", "Sequence"),
    ("collections", "Callable"): ("collections.abc", "Callable"),
    ("itertools", "izip"): ("", "zip"),
    ("torch._six", "string_classes"): ("", "str"),
}
"""(module, name) -> where it is now; sources as for `_MODULES`, SciPy's release notes 1.3 to 1.14 among them."""

_DISPLAYS: Mapping[str, str] = {
    "plot_confusion_matrix": "ConfusionMatrixDisplay",
    "plot_roc_curve": "RocCurveDisplay",
    "plot_precision_recall_curve": "PrecisionRecallDisplay",
}


def moved_import(site: Site) -> Iterator[Patch]:
    """Import a module or a name from where it is now.

    Sources: named beside each entry of `_MODULES` and `_NAMES`; scikit-learn 1.2, what's new, for the displays.
    """
    if site.crash.type not in ("ModuleNotFoundError", "ImportError"):
        return
    for node in site.nodes:
        match node:
            case ast.ImportFrom(module=str(module), names=[ast.alias(name=name, asname=alias)]) if (
                module,
                name,
            ) in _NAMES:
                yield from _moved(site, node, module, name, alias or name)
            case ast.ImportFrom(module=str(module)) if _new_home(module):
                start = f"from {module} import"
                text = site.script.text(node)
                if text.startswith(start):
                    line = f"from {_new_home(module)} import{text[len(start) :]}"
                    yield from site.patch(
                        f"Import it from {_new_home(module)}, where it is now.", site.script.replaced(node, line)
                    )
            case ast.ImportFrom(module=str(module), names=names):
                yield from _close_import(site, node, module, names)
            case ast.Import(names=[ast.alias(name=module, asname=alias)]) if _new_home(module):
                line = f"import {_new_home(module)} as {alias or module.rpartition('.')[2]}"
                yield from site.patch(
                    f"Import {_new_home(module)}, as it is called now.", site.script.replaced(node, line)
                )


def _new_home(module: str) -> str:
    return _MODULES.get(module, "")


def _moved(site: Site, node: ast.ImportFrom, module: str, name: str, alias: str) -> Iterator[Patch]:
    home, now = _NAMES[module, name]
    edits: list[Edit | None] = []
    if name in _DISPLAYS:
        line = f"from {home} import {now}"
        calls = (each for each in ast.walk(site.script.tree) if isinstance(each, ast.Call) and called(each) == alias)
        edits = [site.script.replaced(each.func, f"{now}.from_estimator") for each in calls]
    elif not home and now in ("zip", "str"):
        line = f"{alias} = {now}"
    elif not home:
        line = f"import {now}" if alias == now else f"import {now} as {alias}"
    else:
        line = f"from {home} import {now}" + (f" as {alias}" if alias != now else "")
    summary = f"Use {now}{f' of {home}' if home else ''}, which took the place of {name}."
    yield from site.patch(summary, site.script.replaced(node, line), *edits)


def _close_import(site: Site, node: ast.ImportFrom, module: str, names: list[ast.alias]) -> Iterator[Patch]:
    found = site.found(r"cannot import name '(\w+)'")
    there = [each for part in site.parts if part.text == module for each in part.facts.get("attributes") or ()]
    text = site.script.text(node)
    for name in closest(found[1], (*there, *site.crash.close), cutoff=0.7)[:1] if found is not None else ():
        assert found is not None
        alias = next((each for each in names if each.name == found[1]), None)
        if alias is None:
            continue
        kept = name if alias.asname else f"{name} as {found[1]}"
        edit = site.script.replaced(node, re.sub(rf"\b{found[1]}\b", kept, text, count=1))
        yield from site.patch(f"Import {name}, which {module} has, instead of {found[1]}.", edit)


# -- keywords and values ---------------------------------------------------------------------------------------------

_Change = Callable[[Site, ast.Call, ast.keyword], Edit | None]


def _to(name: str) -> _Change:
    return lambda site, call, node: site.script.renamed_keyword(node, name)


def _gone(site: Site, call: ast.Call, node: ast.keyword) -> Edit | None:
    return site.script.without_argument(call, node)


def _if_true(name: str, value: str) -> _Change:
    """Return the change of a switch: where it was on, `name` says so; where it was off, that is the default."""

    def change(site: Site, call: ast.Call, node: ast.keyword) -> Edit | None:
        is_on = not (isinstance(node.value, ast.Constant) and node.value.value is False)
        return site.script.replaced(node, f"{name}={value}") if is_on else site.script.without_argument(call, node)

    return change


def _bad_lines(site: Site, call: ast.Call, node: ast.keyword) -> Edit | None:
    is_off = isinstance(node.value, ast.Constant) and node.value.value is False
    return site.script.replaced(node, f"on_bad_lines='{'skip' if is_off else 'error'}'")


_KEYWORDS: Mapping[str, Mapping[str, _Change]] = {
    # pandas 1.3 to 3.0, what's new.
    "read_csv": {
        "error_bad_lines": _bad_lines,
        **dict.fromkeys(("warn_bad_lines", "squeeze", "mangle_dupe_cols", "prefix", "infer_datetime_format"), _gone),
    },
    "to_datetime": {"infer_datetime_format": _gone, "box": _gone},
    "to_csv": {"line_terminator": _to("lineterminator")},
    "fillna": {"downcast": _gone},
    "concat": {"join_axes": _gone},
    "sort_values": {"columns": _to("by")},
    "rolling": {"how": _gone},
    # numpy 1.24 and 2.0, release notes; np.histogram lost `normed`.
    "histogram": {"normed": _to("density")},
    # matplotlib 3.1, 3.3, 3.5 and 3.9, API changes.
    "hist": {"normed": _to("density")},
    "grid": {"b": _to("visible")},
    "subplots": {"axisbg": _to("facecolor")},
    "add_subplot": {"axisbg": _to("facecolor")},
    "axes": {"axisbg": _to("facecolor")},
    "savefig": {"frameon": _gone},
    "set_yscale": {"basey": _to("base"), "nonposy": _to("nonpositive")},
    "set_xscale": {"basex": _to("base"), "nonposx": _to("nonpositive")},
    "boxplot": {"labels": _to("tick_labels")},
    # seaborn 0.9 to 0.14, what's new.
    **{
        name: {"size": _to("height")}
        for name in (
            "FacetGrid",
            "PairGrid",
            "JointGrid",
            "pairplot",
            "lmplot",
            "catplot",
            "relplot",
            "jointplot",
            "factorplot",
        )
    },
    "kdeplot": {"shade": _to("fill"), "bw": _to("bw_method"), "shade_lowest": _gone, "vertical": _gone},
    # Keras 2 and 3, release notes.
    "fit": {"nb_epoch": _to("epochs"), **dict.fromkeys(("workers", "use_multiprocessing", "max_queue_size"), _gone)},
    "Conv2D": {
        "border_mode": _to("padding"),
        "subsample": _to("strides"),
        "dim_ordering": _to("data_format"),
        "init": _to("kernel_initializer"),
    },
    "Dense": {
        "output_dim": _to("units"),
        "init": _to("kernel_initializer"),
        "W_regularizer": _to("kernel_regularizer"),
    },
    "ReduceLROnPlateau": {"epsilon": _to("min_delta"), "verbose": _gone},
    "Embedding": {"input_length": _gone, "dropout": _gone},
    **{
        name: {"lr": _to("learning_rate"), "decay": _gone}
        for name in "Adam SGD RMSprop Adagrad Adadelta Adamax Nadam".split()
    },
    # scikit-learn 0.22 to 1.8, what's new.
    "OneHotEncoder": {"sparse": _to("sparse_output"), "categorical_features": _gone, "n_values": _gone},
    "AgglomerativeClustering": {"affinity": _to("metric")},
    **{
        name: {"base_estimator": _to("estimator")}
        for name in (
            "AdaBoostClassifier",
            "AdaBoostRegressor",
            "BaggingClassifier",
            "BaggingRegressor",
            "RANSACRegressor",
            "CalibratedClassifierCV",
        )
    },
    "KMeans": {"n_jobs": _gone, "precompute_distances": _gone},
    "GridSearchCV": {"iid": _gone, "fit_params": _gone},
    "RandomizedSearchCV": {"iid": _gone},
    "LogisticRegression": {"multi_class": _gone},
    "SGDClassifier": {"n_iter": _to("max_iter")},
    "Perceptron": {"n_iter": _to("max_iter")},
    "TSNE": {"n_iter": _to("max_iter"), "square_distances": _gone},
    "KFold": {"n_folds": _to("n_splits")},
    "StratifiedKFold": {"n_folds": _to("n_splits")},
    "CountVectorizer": {"charset": _to("encoding")},
    # XGBoost 2.1 and LightGBM 4.0, release notes.
    "train": {"verbose_eval": _gone},
}
"""Function -> keyword -> what becomes of it, used only where the message says that the keyword is unexpected."""


def renamed_keyword(site: Site) -> Iterator[Patch]:
    """Use the keyword that took the place of one that is gone, or leave out one that has no effect any more.

    Sources: named beside each entry of `_KEYWORDS`.
    """
    found = site.found(
        r"(?:unexpected keyword argument|unknown keyword|[Aa]rgument\(s\) not recognized:?|no property"
        r"|unexpected property) ?['\"]?\{?'?(\w+)'?"
    )
    if found is None:
        return
    for call in site.calls:
        node = keyword(call, found[1])
        change = _KEYWORDS.get(called(call), {}).get(found[1])
        if node is not None and change is not None:
            edit = change(site, call, node)
            how = "Leave out" if edit is not None and not edit.text else "Replace"
            yield from site.patch(f"{how} {found[1]}=, which {called(call)} no longer takes.", edit)


def keyword_of_inner_call(site: Site) -> Iterator[Patch]:
    """Give a keyword to the call inside, where it stands behind the wrong parenthesis.

    Source: the message "array() got an unexpected keyword argument 'maxlen'": what is called inside may take it.
    """
    found = site.found(r"unexpected keyword argument '(\w+)'|'(\w+)' is an invalid keyword argument")
    if found is None or site.crash.type != "TypeError":
        return
    for call in site.calls:
        node = keyword(call, found[1] or found[2])
        if node is None or closest(str(node.arg), site.function(call).parameters, cutoff=0.7):
            continue
        for each in call.args[:1]:
            # A dict takes any keyword, and would hold it.
            if isinstance(each, ast.Call) and called(each) != "dict" and keyword(each, str(node.arg)) is None:
                edit = site.script.with_argument(each, site.script.text(node))
                summary = f"Give {node.arg}= to {called(each)}, which takes it."
                yield from site.patch(summary, edit, site.script.without_argument(call, node))


_VALUES: Mapping[str, Mapping[object, str]] = {
    # scikit-learn 1.0 to 1.4, what's new: renamed losses and criteria; "auto" was "sqrt" for a classifier, else 1.0.
    "criterion": {"mse": "'squared_error'", "mae": "'absolute_error'"},
    "loss": {
        "log": "'log_loss'",
        "deviance": "'log_loss'",
        "ls": "'squared_error'",
        "lad": "'absolute_error'",
        "squared_loss": "'squared_error'",
    },
    "max_features": {"auto": "'sqrt'"},
    "penalty": {"none": "None"},
    "algorithm": {"auto": "'lloyd'", "full": "'lloyd'", "SAMME.R": "'SAMME'"},
    # pandas 2.2 and 3.0, what's new: names of frequencies.
    "freq": {"M": "'ME'", "Q": "'QE'", "Y": "'YE'", "A": "'YE'", "H": "'h'", "T": "'min'", "S": "'s'", "BM": "'BME'"},
    "rule": {"M": "'ME'", "Q": "'QE'", "Y": "'YE'", "A": "'YE'", "H": "'h'", "T": "'min'", "S": "'s'", "BM": "'BME'"},
}


def renamed_value(site: Site) -> Iterator[Patch]:
    """Use the value that took the place of one that a library no longer takes.

    Sources: named beside each entry of `_VALUES`; matplotlib 3.6, API changes, for the styles of seaborn.
    """
    if site.crash.type not in ("ValueError", "InvalidParameterError", "OSError", "KeyError"):
        return
    for call in (each for each in site.inner if isinstance(each, ast.Call)):
        own = called(call)
        for node in call.keywords:
            value = getattr(node.value, "value", None)
            if isinstance(value, str) and value in _VALUES.get(node.arg or "", {}) and value in site.message:
                text = _VALUES[node.arg or ""][value]
                is_regressor = "Regressor" in own and text == "'sqrt'"
                edit = site.script.replaced(node.value, "1.0" if is_regressor else text)
                yield from site.patch(f"Use {node.arg}={'1.0' if is_regressor else text}, as it is called now.", edit)
        first = call.args[0] if call.args else None
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        if own in ("resample", "Grouper", "to_period", "asfreq") and first.value in _VALUES["freq"]:
            edit = site.script.replaced(first, _VALUES["freq"][first.value])
            yield from site.patch("Use the name that the frequency has now.", edit)
        if own == "use" and first.value.startswith("seaborn") and first.value in site.message:
            style = first.value.replace("seaborn", "seaborn-v0_8", 1)
            yield from site.patch(f"Use the style {style}, as it is called now.", site.script.quoted(first, style))


def root_of_error(site: Site) -> Iterator[Patch]:
    """Use the function for the root of the mean squared error where the switch for it is gone.

    Source: scikit-learn 1.4, what's new: ``squared=False`` is `root_mean_squared_error`; gone in 1.6.
    """
    if not site.says("TypeError", "InvalidParameterError", pattern=r"unexpected keyword argument 'squared'"):
        return
    for call in site.calls:
        node = keyword(call, "squared")
        if called(call) != "mean_squared_error" or node is None:
            continue
        is_off = isinstance(node.value, ast.Constant) and node.value.value is False
        name, imported = site.imported("sklearn.metrics", "root_mean_squared_error")
        edits = [site.script.replaced(call.func, name), *imported] if is_off else []
        summary = "Use root_mean_squared_error: mean_squared_error has no squared= any more."
        yield from site.patch(summary, site.script.without_argument(call, node), *edits)


def display_of_estimator(site: Site) -> Iterator[Patch]:
    """Use the display class where a plotting function of ``sklearn.metrics`` is gone.

    Source: scikit-learn 1.2, what's new: ``plot_confusion_matrix`` is ``ConfusionMatrixDisplay.from_estimator``.
    """
    found = site.found(r"(?:no attribute|name) '(plot_\w+)'")
    if found is None or found[1] not in _DISPLAYS or site.crash.type not in ("AttributeError", "NameError"):
        return
    for node in site.nodes:
        name = _DISPLAYS[found[1]]
        if isinstance(node, ast.Attribute) and node.attr == found[1]:
            edit = site.script.renamed(node, f"{name}.from_estimator")
            yield from site.patch(f"Use {name}, which took the place of {found[1]}.", edit)
        elif isinstance(node, ast.Name) and node.id == found[1]:
            home, imported = site.imported("sklearn.metrics", name)
            edit = site.script.replaced(node, f"{home}.from_estimator")
            yield from site.patch(f"Use {name}, which took the place of {found[1]}.", edit, *imported)


def numbers_only(site: Site) -> Iterator[Patch]:
    """Compute a statistic of the numeric columns only.

    Source: pandas 2.0, what's new: ``numeric_only`` is False by default, so that other columns raise.
    """
    pattern = (
        r"could not convert string to float|[Cc]ould not convert|agg function failed|does not support|not supported"
        r"|unsupported operand|Cannot perform reduction"
    )
    if not site.says("ValueError", "TypeError", pattern=pattern):
        return
    statistics = (
        "corr",
        "cov",
        "mean",
        "median",
        "std",
        "var",
        "sum",
        "quantile",
        "skew",
        "sem",
        "min",
        "max",
        "prod",
        "corrwith",
        "kurt",
    )
    for call in site.calls:
        owner = site.owner(call)
        if called(call) not in statistics or keyword(call, "numeric_only") or not isinstance(call.func, ast.Attribute):
            continue
        if (
            owner.is_frame
            or (owner.type == "" and isinstance(call.func.value, ast.Call | ast.Subscript))
            or "GroupBy" in owner.kind
        ):
            edit = site.script.with_argument(call, "numeric_only=True")
            yield from site.patch(f"Compute {called(call)} of the numeric columns only.", edit)


STRATEGIES = (
    removed_attribute,
    appended,
    predicted_classes,
    display_of_estimator,
    other_class,
    accessor,
    next_of_iterator,
    moved_import,
    renamed_keyword,
    keyword_of_inner_call,
    renamed_value,
    root_of_error,
    numbers_only,
    close_attribute,
)
