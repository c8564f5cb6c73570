"""What the cell imports and calls in one go, before the kernel has loaded it.

Nothing is imported: what scikit-learn would say is restated here, by names, for the few checks that come first in
`fit` and in `train_test_split`, and in the words of the installed version, which are read in its files. Which checks an
estimator makes stands in `estimator_table`. numpy and pandas themselves are asked for what they do to the data.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES, SCHEMA
from ...readers import blocks, module_places, tensors
from ..effects import Reach
from ..rules import unloaded as origins
from ..sites import AttributeSite, CallSite, Finding
from ..values import DTYPE, SHAPE, UNKNOWN, Foreign, Hole, Known, Like, Made, Method, Value, as_element
from ..words import Part, counted, words
from . import array_forms, estimator_checks, estimator_data, estimator_functions, estimator_table, tables
from .estimator_data import Data

if TYPE_CHECKING:
    from ..state import State

LIBRARY = ""

MADE = "unloaded_made"
MAX_ROWS = 2_000_000

_QUIET = frozenset("sklearn scipy statsmodels imblearn seaborn".split())
"""Packages whose functions leave what they are handed as it is, but for what `_CHANGING` names."""
_CHANGING = frozenset("copy copy_X copy_x out inplace ax axes warm_start callback callbacks".split())
_WRITING = tuple("fetch dump save write download get_ set reset to_ load_dataset clear parallel".split())


def stored(site: AttributeSite, value: Value, state: State) -> Value | None:
    """Note that the cell sets attributes of a module that is not followed."""
    if type(site.owner) is Made and site.owner.kind == "unloaded":
        state.memo.setdefault(origins.STORED, set()).add(site.owner.facts["package"])
    return None


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Follow an attribute of what such a call made."""
    owner = site.owner
    if type(owner) is not Made or owner.kind != MADE:
        return None
    if not (owner.facts["name"] in estimator_table.FITS and site.name in _METHODS):
        state.may_raise(site.node, "{} may have no {}".format(owner.facts["name"], site.name))
    if owner.facts["package"] == "sklearn" and not site.name.endswith("_"):
        return Method(owner, site.name)
    return Foreign(owner.facts["package"], _inside(owner))


def _inside(owner: Made) -> tuple[Value, ...]:
    return (owner.facts["state"], *owner.facts["arguments"], *owner.facts["keywords"].values())


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the call of a function or class that is not loaded, or of a method of what one made."""
    callee = site.callee
    if type(callee) is Method and type(callee.owner) is Made and callee.owner.kind == MADE:
        return _method(site, callee.owner, callee.name, state) if site.complete else None
    if type(callee) is not Made or callee.kind != "unloaded" or not site.complete:
        return None
    package, name = callee.facts["package"], callee.facts["name"].rpartition(".")[2]
    if package in state.memo.get(origins.STORED, ()) or callee.facts["module"] in _loaded_names(callee):
        return None
    if name in ("set_config", "config_context"):
        state.memo[estimator_data.CHANGED_SETTINGS] = True
        return None
    if package not in _QUIET or not name or name.startswith(_WRITING) or _CHANGING & set(site.keywords):
        return None
    values = (*site.arguments, *site.keywords.values())
    reach = Reach(state).add(*values)
    if reach.code or reach.wild or any(map(_is_canvas, values)):
        return None
    if any(estimator_checks.is_random_state(state.live(each)) for each in values):
        return None
    if package == "sklearn" and name in _FUNCTIONS:
        found = _FUNCTIONS[name](site, state)
        if found is not None:
            return found  # type: ignore[no-any-return]
    state.may_raise(site.node, "{}() may raise".format(name))
    if package == "sklearn" and name[:1].isupper():
        made = Like(object(), frozenset())
        return Made(
            MADE,
            module=callee.facts["module"],
            name=name,
            package=package,
            arguments=site.arguments,
            keywords=dict(site.keywords),
            held=_kept(values),
            state=made,
        )
    return Foreign(package, values)


def _loaded_names(callee: Made) -> tuple[str, ...]:
    """Return the module of what is called, if it is loaded after all: then it is not what this module knows."""
    module: str = callee.facts["module"]
    return (module,) if safe.loaded(module) is not None else ()


def _kept(values: tuple[Value, ...]) -> Value:
    """Return a value that holds these, so that what reaches the one reaches them."""
    return Foreign("sklearn", values)


def _is_canvas(value: Value) -> bool:
    return type(value) is Made and value.kind in ("axes", "figure")


# -- train_test_split ----------------------------------------------------------------------------------------------


def _split(site: CallSite, state: State) -> Value | Finding | None:
    """Follow `train_test_split`. Source: `sklearn.model_selection._split`, `_validate_shuffle_split`."""
    values = list(site.arguments)
    known = {name: state.live(value) for name, value in site.keywords.items() if name != "stratify"}
    if not values or set(site.keywords) - {"test_size", "train_size", "random_state", "shuffle", "stratify"}:
        return None
    rows = [estimator_data.rows_of(value, state) for value in values]
    finding = _inconsistent(rows)
    if finding is not None:
        return finding
    state.may_raise(site.node, "the split may raise")
    unknown = Known([Hole(UNKNOWN) for _ in range(2 * len(values))])
    first = rows[0]
    plain = all(safe.one_of(type(each), (int, float, bool, type(None))) for each in known.values())
    sizes = None if not plain or first is None else _sizes(first, known.get("test_size"), known.get("train_size"))
    if first is None or sizes is None or first > MAX_ROWS or None in rows:
        return unknown
    repeated = type(known.get("random_state")) is int and known.get("shuffle", True) is True
    if not safe.loaded("numpy"):
        return unknown
    if "stratify" in site.keywords and state.live(site.keywords["stratify"]) is not None:
        repeated = False
    elif known.get("shuffle") is False:
        return _parts(values, sizes, None, state)
    places = _permutation(int(str(known["random_state"])), first, sizes) if repeated else None
    return _parts(values, sizes, places, state)


def _sizes(rows: int, test: Any, train: Any) -> tuple[int, int] | None:
    """Return how many rows are for training and for testing; None if that is refused, or not known."""
    if type(test) is bool or type(train) is bool:
        return None
    if test is None and train is None:
        test = 0.25
    if any(type(each) is float and not 0 < each < 1 for each in (test, train)):
        return None
    tests = math.ceil(test * rows) if type(test) is float else test
    trains = math.floor(train * rows) if type(train) is float else train
    trains = rows - tests if trains is None else trains
    tests = rows - trains if tests is None else tests
    return (trains, tests) if trains > 0 and tests > 0 and trains + tests <= rows else None


def _permutation(seed: int, rows: int, sizes: tuple[int, int]) -> tuple[Any, Any] | None:
    numpy: Any = safe.loaded("numpy")
    maker: Any = safe.loaded("numpy.random", "RandomState")
    if maker is None or rows > 200_000 or not 0 <= seed < 2**32:
        return None
    order = maker(seed).permutation(rows)
    trains, tests = sizes
    return numpy.asarray(order[tests : tests + trains]), numpy.asarray(order[:tests])


def _parts(values: list[Value], sizes: tuple[int, int], places: tuple[Any, Any] | None, state: State) -> Value:
    parts: list[Value] = []
    for value in values:
        data = estimator_data.of(value, state) if places is not None else None
        source = data.object if data is not None and data.real and not data.chosen else None
        for index, size in enumerate(sizes):
            part = _picked(source, places[index], state) if places is not None else None
            parts.append(part if part is not None else estimator_functions.rows_drawn(value, size, state))
    return Known([as_element(each) for each in parts])


def _picked(source: Any, places: Any, state: State) -> Value | None:
    """Return the rows of a table or an array that a seed draws."""
    if tables.is_table(source):
        return Known(tables.keep(source.iloc[places], state))
    return Known(source[places]) if tensors.is_ndarray(source) and source.ndim else None


def _inconsistent(rows: list[int | None]) -> Finding | None:
    known = [each for each in rows if each is not None]
    if len(set(known)) < 2 or len(known) < len(rows):
        return None
    return Finding(
        rule="sklearn.lengths",
        type="ValueError",
        message=words("Found input variables with inconsistent numbers of samples: {}", counted(str(known))),
        because=words("they have {} rows", counted(" and ".join(map(str, known)))),
        crash_type="tensor shape mismatch",
        library="sklearn",
        asked=SCHEMA,
    )


_COMPARING = frozenset(
    "accuracy_score balanced_accuracy_score f1_score precision_score recall_score confusion_matrix "
    "classification_report mean_squared_error mean_absolute_error r2_score median_absolute_error "
    "explained_variance_score".split()
)


def _score(site: CallSite, state: State) -> Value | Finding | None:
    """Compare the lengths of a target and a prediction. Source: `sklearn.metrics`, `_check_targets`."""
    pair = [*site.arguments[:2], *[site.keywords[name] for name in ("y_true", "y_pred") if name in site.keywords]]
    if len(pair) != 2 or not all(estimator_data.may_be_data(each, state) for each in pair):
        return None
    return _inconsistent([estimator_data.rows_of(each, state) for each in pair])


_FUNCTIONS: dict[str, Any] = {"train_test_split": _split, **dict.fromkeys(_COMPARING, _score)}

# -- estimators ----------------------------------------------------------------------------------------------------

_FITTING = frozenset("fit fit_transform fit_predict partial_fit".split())
_USING = frozenset("predict predict_proba predict_log_proba decision_function transform score".split())
_METHODS = _FITTING | _USING


def _method(site: CallSite, owner: Made, method: str, state: State) -> Value | Finding | None:
    """Follow a method of an estimator by the name of its class."""
    name = owner.facts["name"]
    known = name in estimator_table.FITS or name in estimator_table.REAL
    if not known or method not in _METHODS or _CHANGING & set(owner.facts["keywords"]):
        return None
    values = (*site.arguments, *site.keywords.values())
    reach = Reach(state).add(*values)
    if reach.code or reach.wild or not all(estimator_data.may_be_data(each, state) for each in values):
        return None
    bound = _bound(site)
    finding = None if bound is None else _check(name, owner, bound, method, state)
    if finding is not None:
        return finding
    state.may_raise(site.node, "{}() may raise".format(method))
    token = owner.facts["state"]
    if method in _FITTING:
        state.note(token, "target", None if bound is None else _dimensions(bound[1], state))
        state.note(token, "columns", ("unknown",) if bound is None else _names(bound[0], state))
    if method == "fit" or method == "partial_fit":
        return owner
    return _result(name, method, None if bound is None else bound[0], token, state)


def _bound(site: CallSite) -> tuple[Value, Value | None] | None:
    """Return the features and the target of a call; None if other arguments than these are given."""
    values = dict(zip(("X", "y"), site.arguments))
    if len(site.arguments) > 2 or set(site.keywords) - {"X", "y"} or set(values) & set(site.keywords):
        return None
    values.update(site.keywords)
    return (values["X"], values.get("y")) if "X" in values else None


def _dimensions(value: Value | None, state: State) -> int | None:
    found: Any = state.form(value, SHAPE)
    if tensors.is_ndarray(found) or blocks.is_frame(found) or blocks.is_series(found):
        return 2 if blocks.is_frame(found) else 1 if blocks.is_series(found) else len(found.shape)
    return None


def _result(name: str, method: str, features: Value | None, token: Value, state: State) -> Value:
    rows = estimator_data.rows_of(features, state)
    if rows is None or not safe.loaded("numpy") or not _is_usual(state):
        return Foreign("sklearn", (token,))
    numpy: Any = safe.loaded("numpy")
    if method == "predict" and state.noted(token, "target") == 1:
        return Like(array_forms.stand_in((rows,), numpy.dtype("f8")), frozenset([SHAPE]))
    if method in ("transform", "fit_transform") and name in _SCALERS and state.form(token) is not safe.ABSENT:
        form: Any = state.form(features, SHAPE)
        shape = tuple(map(int, form.shape)) if blocks.is_frame(form) or tensors.is_ndarray(form) else ()
        if len(shape) == 2:
            exact = frozenset([SHAPE, DTYPE]) if _is_double(features, state) else frozenset([SHAPE])
            return Like(array_forms.stand_in(shape, numpy.dtype("f8")), exact)
    return Foreign("sklearn", (token,))


_SCALERS = frozenset("StandardScaler MinMaxScaler MaxAbsScaler RobustScaler".split())


def _is_double(features: Value | None, state: State) -> bool:
    """Whether numbers are whole, or of double precision: then what they are scaled to is of double precision."""
    form: Any = state.form(features, SHAPE, DTYPE)
    if tensors.is_ndarray(form):
        return str(form.dtype) in ("int64", "int32", "float64")
    if not blocks.is_frame(form):
        return False
    kinds = blocks.dtypes(form, int(form.shape[1]))
    return bool(kinds) and all(each in ("int64", "int32", "float64") for each in kinds)


def _is_usual(state: State) -> bool:
    return not state.memo.get(estimator_data.CHANGED_SETTINGS) and "SKLEARN_ASSUME_FINITE" not in os.environ


# -- the checks of fit ---------------------------------------------------------------------------------------------


def _check(name: str, owner: Made, bound: tuple[Value, Value | None], method: str, state: State) -> Finding | None:
    options = estimator_table.FITS.get(name)
    if options is None or not _is_usual(state) or not safe.loaded("numpy") or _version(state) is None:
        return None
    fits = method in _FITTING
    if name in _ODD or not (fits or _has_columns_as_fitted(owner, bound[0], options.target, method, state)):
        return None
    features = estimator_data.of(bound[0], state)
    if features is not None and features.object is not None and hasattr(features.object, "shape"):
        finding = _text(features, options.dtype, bound[0], state)
        finding = finding or _one_dimension(features, options.dtype, bound[0], state)
        finding = finding or _holes(features, name, owner, bound[0], state)
        if finding is not None:
            return finding
    if not fits or options.target == estimator_table.NONE or bound[1] is None:
        return None
    rows = [estimator_data.rows_of(each, state) for each in bound]
    finding = None if options.apart else _inconsistent(rows)
    return finding or (_continuous(bound[1], state) if name in _OF_CLASSES else None)


_ODD = frozenset("TSNE FactorAnalysis RidgeClassifier RidgeClassifierCV KernelDensity".split()) | frozenset(
    "SpectralClustering SpectralEmbedding LocallyLinearEmbedding".split()
)
"""Estimators that check something else before, or in another way."""


def _has_columns_as_fitted(owner: Made, features: Value, target: str, method: str, state: State) -> bool:
    """Whether a method is one that the estimator has, and its features have the names that it was fitted with."""
    if (method == "transform") != (target == estimator_table.NONE and owner.facts["name"] not in ("KMeans", "SVC")):
        return False
    return state.noted(owner.facts["state"], "columns") == _names(features, state)


def _names(features: Value | None, state: State) -> tuple[object, ...]:
    if not blocks.is_frame(state.form(features, SHAPE)):
        return ("no names",)
    columns = state.columns(features)
    return ("unknown", id(features)) if columns is None else tuple(columns)


_DTYPES = {
    estimator_table.FLOAT: "float64",
    estimator_table.FLOAT32: "float32",
    estimator_table.FLOAT64: "float64",
    estimator_table.NUMERIC: "float64",
}


def _text(features: Data, dtype: str, value: Value, state: State) -> Finding | None:
    """Text among the features, all of which are turned into numbers: numpy itself is asked.

    Source: `sklearn.utils.validation.check_array`.
    """
    numpy: Any = safe.loaded("numpy")
    if not features.real or not _may_hold_text(features.object):
        return None
    if dtype == estimator_table.NUMERIC and not _is_seen_as_objects(features.object, state):
        return None
    try:
        with estimator_data.quiet():
            numpy.asarray(features.object, dtype=_DTYPES[dtype])
    except ValueError as error:
        message = str(error)
    except Exception:  # noqa: BLE001 - what else it raises, scikit-learn says in its own words
        return None
    else:
        return None
    start = "could not convert string to float: "
    if not message.startswith(start):
        return None
    return _finding(
        "sklearn.text",
        [Part(start, NAMES), Part("…" if features.chosen else message[len(start) :], state.level(value))],
        "the features are turned into numbers, and they hold text",
        "data value violation",
    )


def _may_hold_text(found: Any) -> bool:
    if blocks.is_frame(found):
        return len(found.shape) == 2 and found.shape[1] > 0 and found.shape[0] > 0
    return tensors.is_ndarray(found) and found.dtype.kind == "O" and found.ndim == 2 and found.size > 0


def _is_seen_as_objects(found: Any, state: State) -> bool:
    """Whether ``dtype="numeric"`` turns a table with text into numbers: not if some column is of pandas' own types.

    Newer versions do so with pandas' own text, too.
    """
    if not blocks.is_frame(found):
        return True
    dtypes = list(found.dtypes)
    if all(safe.is_from(type(each), "numpy") for each in dtypes):
        return True
    has_text = any(safe.class_name(type(each)) == "StringDtype" for each in dtypes)
    return has_text and b"has_pandas_string = any(" in _validation(state)


def _finding(rule: str, parts: list[Part], because: str, crash_type: str) -> Finding:
    return Finding(
        rule=rule,
        type="ValueError",
        message=words("{}" * len(parts), *parts),
        because=words(because),
        crash_type=crash_type,
        library="sklearn",
        asked=SCHEMA,
    )


def _one_dimension(features: Data, dtype: str, value: Value, state: State) -> Finding | None:
    """Features of one dimension. Source: `check_array`; a series has words of its own since 1.5."""
    numpy: Any = safe.loaded("numpy")
    found = features.object
    is_series = blocks.is_series(found)
    if not is_series and not (tensors.is_ndarray(found) and found.ndim == 1 and found.dtype.kind in "biuf"):
        return None
    if is_series and not estimator_data._is_number(blocks.dtype(found)):
        return None
    form: Any = state.form(value, SHAPE)
    is_series = blocks.is_series(form)
    if not is_series and not tensors.is_ndarray(form):
        return None
    because = "estimators take a table of rows and columns, and this has one dimension"
    text = _validation(state)
    if is_series and b"Expected a 2-dimensional container but got {type_if_series}" in text:
        message = (
            "Expected a 2-dimensional container but got {} instead. Pass a DataFrame containing a single row (i.e. "
            "single sample) or a single column (i.e. single feature) instead."
        ).format(type(form))
        return _finding("sklearn.dimensions", [Part(message, NAMES)], because, "tensor shape mismatch")
    if b"Expected 2D array, got 1D array instead:\\narray={" not in text:
        return None
    end = (
        ".\nReshape your data either using array.reshape(-1, 1) if your data has a single feature or "
        "array.reshape(1, -1) if it contains a single sample."
    )
    shown = "…"
    if features.real and not features.chosen:
        array = numpy.asarray(found)
        if dtype != estimator_table.NUMERIC and not (dtype == estimator_table.FLOAT and array.dtype == numpy.float32):
            array = array.astype(_DTYPES[dtype])
        shown = "{}".format(array)
    parts = [
        Part("Expected 2D array, got 1D array instead:\narray=", NAMES),
        Part(shown, state.level(value)),
        Part(end, NAMES),
    ]
    return _finding("sklearn.dimensions", parts, because, "tensor shape mismatch")


_NO_NAN = frozenset(
    "LinearRegression Ridge Lasso ElasticNet LogisticRegression SVC SVR LinearSVC LinearSVR KMeans PCA GaussianNB "
    "MultinomialNB MLPClassifier MLPRegressor KNeighborsClassifier KNeighborsRegressor GradientBoostingClassifier "
    "GradientBoostingRegressor".split()
)
"""Estimators that take no NaN in any version, but for nearest neighbors with a metric that does."""
_NO_NAN_UNTIL = {
    "DecisionTreeClassifier": (1, 3),
    "DecisionTreeRegressor": (1, 3),
    "RandomForestClassifier": (1, 4),
    "RandomForestRegressor": (1, 4),
    "ExtraTreesClassifier": (1, 6),
    "ExtraTreesRegressor": (1, 6),
}


def _holes(features: Data, name: str, owner: Made, value: Value, state: State) -> Finding | None:
    """NaN among the features of an estimator that takes none. Source: `_assert_all_finite`."""
    numpy: Any = safe.loaded("numpy")
    version = _version(state)
    if version is None or not (name in _NO_NAN or version < _NO_NAN_UNTIL.get(name, (0, 0))):
        return None
    if not features.real or "metric" in owner.facts["keywords"] or len(features.object.shape) != 2:
        return None
    try:
        with estimator_data.quiet():
            array = numpy.asarray(features.object, dtype="float64")
    except Exception:  # noqa: BLE001 - not mine
        return None
    if not numpy.isnan(array).any() or numpy.isinf(array).any() or (abs(array[~numpy.isnan(array)]) > 1e38).any():
        return None
    text = _validation(state)
    if b'Input {padded_input_name}contains {type_err}."' not in text or _NAN_WORDS[3].encode() not in text:
        return None
    message = "Input X contains NaN.\n{}{}".format(name, "".join(_NAN_WORDS))
    because = "the features hold NaN, which this estimator refuses"
    return _finding("sklearn.nan", [Part(message, NAMES)], because, "data value violation")


_NAN_WORDS = (
    " does not accept missing values encoded as NaN natively. For supervised learning, you might want to consider",
    " sklearn.ensemble.HistGradientBoostingClassifier and Regressor which accept missing values encoded as NaNs"
    " natively. Alternatively, it is possible to preprocess the data, for instance by using an imputer transformer in a"
    " pipeline or drop samples with missing values. See",
    " https://scikit-learn.org/stable/modules/impute.html You can find a list of all estimators that handle NaN values",
    " at the following page:",
    " https://scikit-learn.org/stable/modules/impute.html#estimators-that-handle-nan-values",
)


_OF_CLASSES = frozenset(
    "LogisticRegression LogisticRegressionCV DecisionTreeClassifier ExtraTreeClassifier RandomForestClassifier "
    "ExtraTreesClassifier GradientBoostingClassifier KNeighborsClassifier SVC NuSVC LinearSVC".split()
)
"""Classifiers that look at their classes with `check_classification_targets`."""


def _continuous(value: Value, state: State) -> Finding | None:
    """Targets of a classifier that are no classes. Source: `check_classification_targets`."""
    numpy: Any = safe.loaded("numpy")
    data = estimator_data.of(value, state)
    if data is None or not data.real or not (blocks.is_series(data.object) or tensors.is_ndarray(data.object)):
        return None
    array = numpy.asarray(data.object)
    if array.dtype.kind != "f" or array.ndim != 1 or not numpy.isfinite(array).all():
        return None
    if not (array != numpy.floor(array)).any():
        return None
    text = _file("sklearn.utils.multiclass", state)
    if b'"Unknown label type: %r" % y_type' in text:
        message = "Unknown label type: 'continuous'"
    elif b'f"Unknown label type: {y_type}. Maybe you are trying to fit a "' in text:
        message = (
            "Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects discrete classes "
            "on a regression target with continuous values."
        )
    else:
        return None
    because = "the target of a classifier holds numbers that are no whole numbers"
    return _finding("sklearn.continuous", [Part(message, NAMES)], because, "data value violation")


# -- the installed version -----------------------------------------------------------------------------------------


def _validation(state: State) -> bytes:
    return _file("sklearn.utils.validation", state)


def _file(module: str, state: State) -> bytes:
    """Return the text of an installed module; empty if it cannot be read."""
    key = "unloaded.text:" + module
    if key not in state.memo:
        try:
            state.memo[key] = origins._source(origins.Reader(state).place(module).origin) or b""
        except origins.Unclear:
            state.memo[key] = b""
    found: bytes = state.memo[key]
    return found


def _version(state: State) -> tuple[int, int] | None:
    """Return the installed version of scikit-learn, as its folder's name says; None if it is not known, or older."""
    key = "unloaded.version"
    if key not in state.memo:
        state.memo[key] = None
        found = module_places.search(["sklearn"], state.budget)
        parts = str(found.get("version") or "").split(".")
        sure = found.get("found") is True and not found.get("unknown") and len(parts) > 1
        if sure and all(each.isdigit() for each in parts[:2]) and int(parts[0]) >= 1:
            state.memo[key] = (int(parts[0]), int(parts[1]))
    version: tuple[int, int] | None = state.memo[key]
    return version


HANDLERS = {"attribute": [attribute], "call": [call], "store_attribute": [stored]}
