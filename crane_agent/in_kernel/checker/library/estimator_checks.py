"""What scikit-learn's estimators check, asked of the library itself, on copies of the estimators.

Nothing here knows the walk: a check gets an estimator that may be changed and `Data`, and answers a `Finding` or None.
"""

from __future__ import annotations

import re
import types
from typing import Any, Callable

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA, VALUES
from ...probes import callables
from ...readers import sklearn_estimators as readers
from ...readers import tensors
from ..sites import Finding
from ..values import Hole
from ..words import Part, Words, lowest, named, words
from . import estimator_data, estimator_table, running
from .estimator_data import NOTHING, Data
from .estimator_table import CLASSES, NONE, NUMBERS, Fit

LIBRARY = "sklearn"
MAX_DEPTH = 10

MARK = "fitted_in_the_walk_"
"""Attribute of a copy that counts as fitted: what else ``fit`` would leave in it is not known."""
NOT_LEARNT = ("n_features_in_", "feature_names_in_", MARK)

# -- which estimators ----------------------------------------------------------------------------------------------


def is_own(value: object) -> bool:
    """Whether `value` is an instance of one of scikit-learn's own estimator classes."""
    return readers.is_estimator(value) and safe.is_from(type(value), "sklearn")


def is_harmless(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether nothing of the user's is inside: no estimator, function or other object of his own."""
    kind = type(value)
    if safe.one_of(kind, (*safe.SCALARS, range, Hole)):
        return True
    if depth == 0:
        return False
    if safe.one_of(kind, (list, tuple, set, frozenset)):
        return len(value) <= 10_000 and all(is_harmless(each, depth - 1) for each in list(value))
    if kind is dict:
        inner = [*value, *value.values()]
        return len(inner) <= 2000 and safe.has_plain_keys(value) and all(is_harmless(each, depth) for each in inner)
    if tensors.is_ndarray(value):
        return value.dtype.kind in "biufcSUmM" or estimator_data.holds_scalars(value)
    if kind is types.FunctionType:
        return any(safe.comes_from(value, each) for each in ("sklearn", "numpy", "scipy"))
    if safe.one_of(kind, (types.BuiltinFunctionType, type)):
        return kind is not type or safe.class_module(value) in ("builtins", "numpy")
    if kind is safe.loaded("numpy", "ufunc") or is_random_state(value):
        return True
    if safe.inherits(kind, type) and safe.class_module(value) == "sklearn.model_selection._split":
        # A splitter that repeats another one holds its class.
        return safe.is_from(value, "sklearn")
    if readers.is_estimator(value):
        return is_own(value) and all(is_harmless(each, depth - 1) for each in parameters(value).values())
    if safe.is_from(kind, "sklearn") or safe.is_from(kind, "scipy"):
        own = safe.instance_dict(value)
        return own is not None and all(is_harmless(each, depth - 1) for each in list(own.values()))
    return safe.is_from(kind, "numpy") and safe.inherits(kind, safe.loaded("numpy", "generic"))


def is_random_state(value: object) -> bool:
    """Whether `value` is a generator of random numbers of numpy's own."""
    return any(safe.is_exactly(value, "numpy.random", name) for name in ("RandomState", "Generator"))


def parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator as they lie in it."""
    own = safe.instance_dict(estimator) or {}
    names = readers.parameter_names(type(estimator)) or []
    return {name: own[name] for name in names if name in own}


def copy_of(estimator: Any, fitted: bool = True) -> Any:
    """Return a shallow copy of an estimator; without what ``fit`` left in it, if it is not to be fitted."""
    made = object.__new__(type(estimator))
    own = safe.instance_dict(estimator) or {}
    made.__dict__.update(own if fitted else {name: own[name] for name in own if not name.endswith("_")})
    return made


def name_of(estimator: Any) -> str:
    """Return the name of an estimator's class."""
    return safe.class_name(type(estimator))


# -- the checks of fit ---------------------------------------------------------------------------------------------


def check_fit(fitted: Any, features: Data | None, target: Data | None) -> Finding | None:
    """Run the checks that ``fit`` runs first, on a copy that is left with what they find.

    Args:
        fitted: A copy of the estimator, not fitted; it gets ``n_features_in_`` and ``feature_names_in_``.
        features: What it is fitted on; None if that is not known.
        target: The target; None if that is not known.
    """
    finding = check_parameters(fitted)
    if finding is not None:
        return finding
    options = estimator_table.FITS.get(name_of(fitted))
    if name_of(fitted) in estimator_table.REAL:
        return fit_for_real(fitted, features, target, options)
    if options is None or features is None or _is_precomputed(fitted):
        return None
    return _check_data(fitted, options, features, target)


def _is_precomputed(estimator: Any) -> bool:
    own = parameters(estimator)
    for name in estimator_table.PRECOMPUTED:
        value = own.get(name)
        if type(value) is Hole or type(value) is types.FunctionType or value == "precomputed":
            return type(value) is not str or value == "precomputed"
    return False


def check_parameters(estimator: Any) -> Finding | None:
    """Ask the library whether it takes the parameters. Source: `BaseEstimator._validate_params`, 1.2 and later."""
    validate = safe.loaded("sklearn.utils._param_validation", "validate_parameter_constraints")
    if not _checks_parameters(estimator):
        return None
    constraints: Any = safe.in_type(type(estimator), "_parameter_constraints")
    own = parameters(estimator)
    if not safe.comes_from(validate, "sklearn") or type(constraints) is not dict:
        return None
    known = {name: value for name, value in own.items() if not holds_holes(value)}
    if not can_print():
        known = {name: value for name, value in known.items() if not holds_estimators(value)}
    finding = ask(lambda: validate(constraints, known, caller_name=name_of(estimator)), VALUES, "for its parameters")
    if finding is not None or len(known) < len(own):
        return finding
    before = _BEFORE.get(name_of(estimator))
    return None if before is None else ask(lambda: before(own), VALUES, "for its parameters")


def can_print() -> bool:
    """Whether scikit-learn can print an estimator without an import: some of its messages do."""
    return safe.loaded("sklearn.utils._pprint") is not None


def holds_estimators(value: Any, depth: int = 3) -> bool:
    """Whether a value is an estimator, or a list or tuple that holds one."""
    if readers.is_estimator(value):
        return True
    return (
        depth > 0
        and safe.one_of(type(value), (list, tuple))
        and any(holds_estimators(each, depth - 1) for each in value)
    )


def check_names(estimator: Any, name: str, copy: Any) -> Finding | None:
    """Ask for the crash of ``set_params`` with a parameter that an estimator does not have."""
    if can_print():
        return ask(lambda: copy.set_params(**{name: None}), NAMES, "for these parameters")
    message = words("Invalid parameter {!r} for estimator {}", named(name), named(name_of(estimator)))
    return Finding(
        rule="sklearn.no-parameter",
        type="ValueError",
        message=message,
        because=words("{} has no parameter {!r}", named(name_of(estimator)), named(name)),
        crash_type="invalid argument",
        library=LIBRARY,
        close=tuple(close_to(name, readers.parameter_names(type(estimator)) or [])),
        asked=NAMES,
    )


def has_holes(estimator: Any) -> bool:
    """Whether some parameter of an estimator is not known."""
    return any(map(holds_holes, parameters(estimator).values()))


def _checks_parameters(estimator: Any) -> bool:
    """Whether ``fit`` begins with a check of the parameters: by its decorator since 1.3, by its first line before."""
    entry: Any = safe.in_type(type(estimator), "fit")
    if not safe.comes_from(entry, "sklearn"):
        return False
    inner = (safe.instance_dict(entry) or {}).get("__wrapped__")
    return type(inner) is types.FunctionType or "_validate_params" in entry.__code__.co_names


def check_signature(estimator: Any, method: str, positional: int, keywords: list[str]) -> Finding | None:
    """Whether a method takes these arguments, behind the decorator that checks the parameters."""
    entry: Any = safe.in_type(type(estimator), method)
    inner = (callables.wrapped(entry) or entry) if type(entry) is types.FunctionType else None
    message = None if inner is None else callables.binding_error(inner, positional + 1, keywords)
    if message is None or inner is None:
        return None
    return Finding(
        rule="sklearn.does-not-bind",
        type="TypeError",
        message=words("{}", Part(message, NAMES)),
        because=words("the signature is ({})", named(", ".join(callables.parameters(inner, skip=1)))),
        crash_type="invalid argument",
        library=LIBRARY,
    )


def holds_holes(value: Any, depth: int = 3) -> bool:
    """Whether a value, or what it holds, is not known."""
    if type(value) is Hole:
        return True
    inner = value.values() if type(value) is dict else value if safe.one_of(type(value), (list, tuple)) else ()
    return depth > 0 and any(holds_holes(each, depth - 1) for each in inner)


def _check_solver(own: dict[str, Any]) -> None:
    """Restate how `LogisticRegression.fit` comes to call its `_check_solver`."""
    check: Any = safe.loaded("sklearn.linear_model._logistic", "_check_solver")
    penalty = own["penalty"]
    if penalty == "deprecated":
        ratio = own["l1_ratio"]
        penalty = "l2" if ratio in (0, None) else "l1" if ratio == 1 else "elasticnet"
        penalty = None if own["C"] == float("inf") else penalty
    check(own["solver"], penalty, own["dual"])


_BEFORE: dict[str, Callable[[dict[str, Any]], None]] = {"LogisticRegression": _check_solver}


def allows_nan(estimator: Any) -> bool | None:
    """Whether an estimator says that it takes NaN; None if that cannot be asked."""
    try:
        with estimator_data.quiet():
            tags: Any = safe.loaded("sklearn.utils", "get_tags")
            if type(tags) is types.FunctionType:
                return bool(tags(estimator).input_tags.allow_nan)
            tags = safe.loaded("sklearn.utils._tags", "_safe_tags")
            return bool(tags(estimator, key="allow_nan"))
    except Exception:  # noqa: BLE001 - an estimator inside that is no estimator, a Hole
        return None


def validate(estimator: Any, features: Any, target: Any = "no_validation", reset: bool = True, **options: Any) -> Any:
    """Run the library's own check of what an estimator is given. Source: `sklearn.utils.validation.validate_data`."""
    if not _knows_ensure():
        apart = options.get("validate_separately") or ()
        for table in (options, *apart):
            if "ensure_all_finite" in table:
                table["force_all_finite"] = table.pop("ensure_all_finite")
    function: Any = safe.loaded("sklearn.utils.validation", "validate_data")
    if type(function) is types.FunctionType:
        return function(estimator, features, target, reset=reset, **options)
    return estimator._validate_data(features, target, reset=reset, **options)


def _knows_ensure() -> bool:
    check: Any = safe.loaded("sklearn.utils.validation", "check_array")
    code = getattr(check, "__wrapped__", check).__code__
    return "ensure_all_finite" in code.co_varnames


def _dtype(name: str) -> Any:
    numpy: Any = safe.loaded("numpy")
    return {
        estimator_table.FLOAT: [numpy.float64, numpy.float32],
        estimator_table.FLOAT32: numpy.float32,
        estimator_table.FLOAT64: numpy.float64,
        estimator_table.NUMERIC: "numeric",
    }[name]


def options_of(estimator: Any, options: Fit) -> dict[str, Any] | None:
    """Return the options with which the features are checked; None if they are not known."""
    nan = allows_nan(estimator)
    if nan is None:
        return None
    return {
        "dtype": _dtype(options.dtype),
        "ensure_all_finite": False if options.finite is False else "allow-nan" if nan else True,
        "accept_sparse": True,
    }


def check_target(fitted: Any, target: Data | None) -> Finding | None:
    """Check the classes alone, where the features are numbers that are not known."""
    options = estimator_table.FITS.get(name_of(fitted))
    if options is None or target is None or target.object is None:
        return None
    return _check_classes(fitted, options, _raveled(target))


def _check_data(fitted: Any, options: Fit, features: Data, target: Data | None) -> Finding | None:
    taken = options_of(fitted, options)
    if taken is None:
        return None
    taken.update(ensure_min_samples=options.samples, ensure_min_features=options.features)
    unknown = target is None and options.target != NONE
    if options.target == NONE or unknown:
        # With a target that is not known only the features are looked at: what they raise, is raised.
        finding = ask_about([features], lambda x: validate(fitted, x, **taken))
        return finding if finding is not None or unknown else _after(fitted, features)
    assert target is not None
    if target.object is None:
        return ask_about([features], lambda x: validate(fitted, x, None, **taken))
    both = estimator_data.fitting(features, _raveled(target)) if _have_rows(features, target) else (features, target)
    if both is None:
        return check_lengths([features.rows, target.rows])
    sides = list(both)
    if options.target_first:
        finding = ask_about(sides[1:], lambda y: validate(fitted, "no_validation", y))
        finding = finding or _check_classes(fitted, options, sides[1])
        if finding is not None:
            return finding
    if options.apart:
        apart = {"ensure_2d": False, "dtype": None}
        finding = ask_about(sides, lambda x, y: validate(fitted, x, y, validate_separately=(taken, apart)))
    else:
        numbers = options.target == NUMBERS
        finding = ask_about(
            sides, lambda x, y: validate(fitted, x, y, multi_output=options.several, y_numeric=numbers, **taken)
        )
    if finding is None and features.rows is not None and name_of(fitted).startswith("KNeighbors"):
        fitted.__dict__["n_samples_fit_"] = features.rows
    return finding or _check_classes(fitted, options, sides[1]) or _after(fitted, features)


def _have_rows(*data: Data) -> bool:
    """Whether data have a number of rows that can be compared."""
    return all(each.rows is not None and hasattr(each.object, "__len__") for each in data)


def _raveled(target: Data) -> Data:
    """Return a target with one column as one of one dimension, of which the library would only warn."""
    array = target.object
    if tensors.is_ndarray(array) and array.ndim == 2 and array.shape[1] == 1:
        return target._replace(object=array.ravel())
    return target


def _check_classes(fitted: Any, options: Fit, target: Data) -> Finding | None:
    if options.target != CLASSES:
        return None
    check: Any = safe.loaded("sklearn.utils.multiclass", "check_classification_targets")
    numpy: Any = safe.loaded("numpy")
    finding = ask_about([target], lambda y: check(numpy.asarray(y)))
    if finding is not None or not target.real or target.chosen or options.classes < 2:
        return finding
    return None


def _after(fitted: Any, features: Data) -> Finding | None:
    """Run the checks that compare parameters with the number of samples and features."""
    after, rows = _AFTER.get(name_of(fitted)), features.rows
    count = (safe.instance_dict(fitted) or {}).get("n_features_in_")
    if after is None or rows is None or type(count) is not int or has_holes(fitted):
        return None
    return ask(lambda: after(fitted, rows, count), SCHEMA, "for the number of samples and features")


def _own_check(fitted: Any, rows: int, columns: int) -> None:
    numpy: Any = safe.loaded("numpy")
    if rows * columns <= estimator_data.MAX_CELLS:
        copy_of(fitted)._check_params_vs_input(numpy.zeros((rows, columns)))


def _pca(fitted: Any, rows: int, columns: int) -> None:
    """Restate `PCA._fit_full` and `PCA._fit_truncated` for a whole number of components."""
    count, solver = fitted.n_components, fitted.svd_solver
    least = min(rows, columns)
    if type(count) is not int or count <= least:
        return
    if solver == "auto":
        newer = "covariance_eigh" in _texts(safe.in_type(type(fitted), "_fit"))
        tall = newer and columns <= 1000 and rows >= 10 * columns
        solver = "covariance_eigh" if tall else "full"
    if solver not in ("full", "covariance_eigh", "randomized", "arpack"):
        return
    low = 0 if solver in ("full", "covariance_eigh") else 1
    if solver == "arpack":
        raise ValueError(
            "n_components={!r} must be between 1 and min(n_samples, n_features)={!r} with svd_solver='{}'".format(
                count, least, solver
            )
        )
    raise ValueError(
        "n_components={!r} must be between {} and min(n_samples, n_features)={!r} with svd_solver={!r}".format(
            count, low, least, solver
        )
    )


def _texts(function: Any) -> list[Any]:
    if type(function) is not types.FunctionType:
        return []
    code = function.__code__
    inner = [part for each in code.co_consts if type(each) is tuple for part in each]
    return [*code.co_consts, *inner]


def _mixture(fitted: Any, rows: int, columns: int) -> None:
    if rows < fitted.n_components:
        raise ValueError(
            "Expected n_samples >= n_components but got n_components = {}, n_samples = {}".format(
                fitted.n_components, rows
            )
        )


def too_many_neighbors(fitted: Any, rows: int) -> Finding | None:
    """Ask `kneighbors` for more neighbors than there are samples: it raises before it computes."""
    own = safe.instance_dict(fitted) or {}
    count, samples = own.get("n_neighbors"), own.get("n_samples_fit_")
    entry: Any = safe.in_type(type(fitted), "kneighbors")
    if type(count) is not int or type(samples) is not int or count <= samples or not safe.comes_from(entry, LIBRARY):
        return None
    if name_of(fitted) == "KNeighborsClassifier" and parameters(fitted).get("weights") != "distance":
        # Since 1.3 uniform weights may take a way that does not look.
        proba: Any = safe.in_type(type(fitted), "predict_proba")
        if type(proba) is not types.FunctionType or "ArgKminClassMode" in proba.__code__.co_names:
            return None
    numpy: Any = safe.loaded("numpy")
    columns = own.get("n_features_in_")
    if type(columns) is not int or rows * columns > estimator_data.MAX_CELLS:
        return None
    made = copy_of(fitted)
    made.__dict__.setdefault("_fit_method", "brute")
    made.__dict__.setdefault("effective_metric_", "euclidean")
    made.__dict__.pop("feature_names_in_", None)
    return ask(lambda: made.kneighbors(numpy.zeros((rows, columns))), SCHEMA, "for the number of samples")


_AFTER: dict[str, Callable[[Any, int, int], None]] = {
    "PCA": _pca,
    "KMeans": _own_check,
    "MiniBatchKMeans": _own_check,
    "BisectingKMeans": _own_check,
    "TSNE": _own_check,
    "GaussianMixture": _mixture,
    "BayesianGaussianMixture": _mixture,
}


def fit_for_real(fitted: Any, features: Data | None, target: Data | None, options: Fit | None) -> Finding | None:
    """Fit a quick transformer for real, where the content is known; else run its checks."""
    known = features is not None and features.real and features.object is not None
    if not known or has_holes(fitted):
        return None if options is None or features is None else _check_data(fitted, options, features, NOTHING)
    assert features is not None
    fit: Any = safe.in_type(type(fitted), "fit")
    finding = ask_about([features], lambda x: fit(fitted, x))
    if features.chosen:
        # Of rows that are not those that the cell has, only what is the same for all of them is kept.
        own = safe.instance_dict(fitted) or {}
        for name in list(own):
            if name.endswith("_") and name not in NOT_LEARNT:
                del own[name]
    return finding


# -- the checks of a fitted one -----------------------------------------------------------------------------------


def check_use(estimator: Any, features: Data | None, method: str) -> Finding | None:
    """Run the checks that a method of a fitted estimator runs first."""
    name = name_of(estimator)
    options = estimator_table.FITS.get(name)
    if options is None and name not in estimator_table.REAL:
        return None
    check: Any = safe.loaded("sklearn.utils.validation", "check_is_fitted")
    if readers.is_fitted(estimator) is False and safe.comes_from(check, "sklearn"):
        return ask(lambda: check(copy_of(estimator)), NAMES, "because it is not fitted")
    if options is None or features is None or features.object is None or method == "inverse_transform":
        return None
    own = safe.instance_dict(estimator) or {}
    taken = None if _is_precomputed(estimator) else options_of(estimator, options)
    if "n_features_in_" not in own or taken is None:
        return None
    finding = ask_about([features], lambda x: validate(copy_of(estimator), x, reset=False, **taken))
    if finding is None and name in ("KNeighborsClassifier", "KNeighborsRegressor") and features.rows is not None:
        finding = too_many_neighbors(estimator, features.rows)
    return finding


# -- asking --------------------------------------------------------------------------------------------------------


def ask_about(data: list[Data], check: Callable[..., Any]) -> Finding | None:
    """Run a check on data; what it raises for stand-ins counts, since they are the mildest of their structure."""
    level = VALUES if any(each.real and each.object is not None for each in data) else SCHEMA
    because = "for this data" if level == VALUES else "for data of this shape"
    return ask(lambda: check(*(each.object for each in data)), level, because)


def ask(check: Callable[[], Any], level: str, because: str) -> Finding | None:
    """Run a check of the library's, on objects of our own: return what it raises."""
    try:
        with estimator_data.quiet():
            check()
    except Exception as error:  # noqa: BLE001 - the library is the oracle: whatever it raises, the cell will raise
        # Others would tell of what stands in, not of the cell.
        if safe.class_name(type(error)) not in _ASKED_FOR or (type(error) is TypeError and _is_ours(error)):
            return None
        return raised(error, level, because)
    return None


def _is_ours(error: BaseException) -> bool:
    """Whether an exception was raised by a call from here that does not fit, and not by the library."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or trace.tb_frame.f_globals is globals()


_ASKED_FOR = ("ValueError", "TypeError", "InvalidParameterError", "NotFittedError")


_KINDS = (
    ("NotFittedError", "", "model initialization error"),
    ("InvalidParameterError", "", "invalid argument"),
    ("", "feature names", "feature name mismatch"),
    ("", "contains NaN", "data value violation"),
    ("", "contains infinity", "data value violation"),
    ("", "convert string", "data value violation"),
    ("", "Unknown label type", "data value violation"),
    ("", "Expected 2D array", "tensor shape mismatch"),
    ("", "inconsistent numbers of samples", "tensor shape mismatch"),
    ("", "features as input", "tensor shape mismatch"),
    ("", "should be a 1d array", "tensor shape mismatch"),
)


def raised(error: Exception, level: str, because: str) -> Finding:
    """Return the finding of what scikit-learn raised."""
    message = str(error)
    if level == SCHEMA:
        # What the stand-in holds says nothing.
        message = re.sub(r"array=.*?\.\nReshape", "array=….\nReshape", message, flags=re.DOTALL)
    kind = type(error).__name__
    label = next((label for name, text, label in _KINDS if name in kind and text in message), "")
    finding = running.crash(error, LIBRARY, level, label, "{} itself says so")
    return finding._replace(
        message=_words_of(message, level), because=words("scikit-learn itself says so " + because), asked=level
    )


# Messages of scikit-learn's own, 1.2 to 1.9. A group `v` holds what comes from values; the rest are counts, shapes,
# labels of columns and names of classes.
_MESSAGES = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"Expected 2D array, got (?:1D|scalar) array instead:\narray=(?P<v>.*)\.\nReshape your data .*",
        r"Expected 2D array, got 1D array instead.*",
        r"could not convert string to float: (?P<v>.*)",
        r"Cannot use \w+ strategy with non-numeric data:\ncould not convert string to float: (?P<v>.*)",
        r"Found input variables with inconsistent numbers of samples: [\[\]\d, ]+",
        r"Input (?:\w+ )?contains (?:NaN|infinity).*",
        r"X has \d+ features, but \w+ is expecting \d+ features as input\.?",
        r"The feature names should match those that were passed during fit.*",
        r"This \w+ instance is not fitted yet.*",
        r"This \w+ estimator requires y to be passed, but the target y is None\.",
        r"Unknown label type: \(?'?(?:continuous|continuous-multioutput|unknown)\b.*",
        r"y should be a 1d array, got an array of shape [(), \d]+ instead\.",
        r"n_(?:components|samples|splits)=\S+ (?:must|should|cannot) be .*",
        r"Expected n_(?:samples|neighbors) [<>]= .*",
        r"Cannot have number of splits n_splits=\d+ greater than the number of samples: n_samples=\d+\.",
        r"Classification metrics can't handle a mix of [\w-]+ and [\w-]+ targets",
        r"Target is [\w-]+ but average='binary'\. .*",
        r"multi_class must be in \('ovo', 'ovr'\)",
        r"Found array with dim \d+\. .*|Found array with \d+ (?:sample|feature)\(s\) .*",
        r"(?:A given column is not a column|Some column names are not columns) of the dataframe.*",
        r"Specifying the columns using strings is only supported for (?:pandas D|d)ata[fF]rames\.?",
        r"perplexity must be less than n_samples.*",
        r"The '\w+' parameter of \w+ must be .* Got (?P<v>.*) instead\.",
        r"Invalid parameter '?(?P<v>.*?)'? for estimator .*",
        r"y contains previously unseen labels: (?P<v>.*)",
        r"Found unknown categories (?P<v>.*) in column \d+ during (?:transform|fit)",
        r"The least populated class(?:es)? in y ha(?:s|ve) only \d+ members?, which is too few\..*",
        r"test_size=\S+ should be .*|train_size=\S+ should be .*",
    )
]


def _words_of(message: str, level: str) -> Words:
    """Return a message with the values that it quotes as a part of their own, if its pattern is known."""
    for pattern in _MESSAGES:
        found = pattern.fullmatch(message)
        if found is None:
            continue
        if "v" not in pattern.groupindex:
            return words("{}", Part(message, lowest(level, SCHEMA)))
        start, end = found.span("v")
        parts = [
            Part(message[:start], NAMES),
            Part(message[start:end], level),
            Part(message[end:], lowest(level, SCHEMA)),
        ]
        return words("{}{}{}", *parts)
    return words("{}", Part(message, level))


def check_lengths(rows: list[int | None]) -> Finding | None:
    """Ask the library whether values fit together by their number of rows. Source: `check_consistent_length`."""
    check: Any = safe.loaded("sklearn.utils.validation", "check_consistent_length")
    known = [each for each in rows if each is not None]
    if len(set(known)) < 2 or not safe.comes_from(check, LIBRARY):
        return None
    return ask(lambda: check(*map(_Sized, known)), SCHEMA, "for these numbers of samples")


class _Sized:
    """Has as many rows as a value, for checks that look at nothing else."""

    def __init__(self, rows: int) -> None:
        self.shape = (rows,)
        self._rows = rows

    def __len__(self) -> int:
        return self._rows
