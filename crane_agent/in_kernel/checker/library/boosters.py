"""lightgbm and xgboost: what their estimators with scikit-learn's interface check before they fit.

Only checks that are functions of the libraries themselves, over the data alone, are asked; they are found under their
names in the live library, or nothing is said.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import blocks
from ...readers import sklearn_estimators as readers
from ..sites import AttributeSite, CallSite, Finding
from ..values import UNKNOWN, Hole, Known, Like, Value
from ..words import counted, named, words
from . import estimator_checks as checks
from . import estimator_composites as composites
from . import estimator_data
from .estimator_checks import ask, copy_of
from .estimator_data import Data

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "sklearn"
_MODULES = ("lightgbm.sklearn", "xgboost.sklearn")
_USES = ("predict", "predict_proba", "score")


def library_of(value: object) -> str:
    """Return the library whose estimator `value` is; '' for others."""
    cls = type(value)
    module = safe.class_module(cls)
    own = module in _MODULES and safe.loaded(module, safe.class_name(cls)) is cls
    return module.partition(".")[0] if own and readers.is_estimator(value) else ""


def _estimator(value: Value | None, state: State) -> Any:
    if type(value) is not Known and type(value) is not Like:
        return None
    found = state.form(value)
    if found is safe.ABSENT or not library_of(found) or state.form(Known(type(found))) is safe.ABSENT:
        return None
    own = safe.instance_dict(found) or {}
    kept = [each for name, each in list(own.items()) if not name.endswith("_") and not name.startswith("_")]
    return found if all(map(checks.is_harmless, kept)) else None


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Find a method of an estimator."""
    estimator = _estimator(site.owner, state)
    if estimator is None or site.name not in ("fit", *_USES):
        return None
    entry: Any = safe.in_type(type(estimator), site.name)
    owner: Any = site.owner
    home = safe.comes_from(entry, library_of(estimator)) or safe.comes_from(entry, "sklearn")
    return Known(types.MethodType(entry, owner.object)) if home else None


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of an estimator, its fitting and its use."""
    made = _make(site, state)
    estimator = None if made is not None or site.owner is None else _estimator(site.owner, state)
    if estimator is None or site.method not in ("fit", *_USES) or not site.complete:
        return made
    given = [*site.arguments, *site.keywords.values()]
    if not all(estimator_data.may_be_data(each, state) for each in given) or not all(
        map(checks.is_harmless, [state.live(each) for each in site.keywords.values() if _is_option(each, state)])
    ):
        return None
    first = site.arguments[0] if site.arguments else site.keywords.get("X")
    second = site.arguments[1] if len(site.arguments) > 1 else site.keywords.get("y")
    features, target = estimator_data.of(first, state), estimator_data.of(second, state)
    if site.method == "fit":
        finding = _check_fit(estimator, features, target) if first is not None and second is not None else None
        if finding is not None:
            return finding
        state.may_raise(site.node, "fitting may raise")
        fitted = copy_of(estimator, fitted=False)
        fitted.__dict__[checks.MARK] = True
        assert site.owner is not None
        state.becomes(site.owner, Like(fitted, composites.NO_STRUCTURE))
        return site.owner
    if readers.is_fitted(estimator) is False and checks.MARK not in (safe.instance_dict(estimator) or {}):
        return _not_fitted(estimator)
    state.may_raise(site.node, "{} may raise".format(site.method))
    return UNKNOWN


def _is_option(value: Value, state: State) -> bool:
    found = state.live(value)
    return found is not safe.ABSENT and not blocks.is_frame(found) and not blocks.is_series(found)


def _make(site: CallSite, state: State) -> Value | None:
    cls: Any = state.live(site.callee)
    if not site.complete or not safe.inherits(type(cls), type) or safe.class_module(cls) not in _MODULES:
        return None
    if safe.loaded(safe.class_module(cls), safe.class_name(cls)) is not cls or site.arguments:
        return None
    if not safe.inherits(cls, safe.loaded("sklearn.base", "BaseEstimator")):
        return None
    holes: list[object] = []
    keywords = {name: composites.argument(each, state, holes) for name, each in site.keywords.items()}
    if not all(map(checks.is_harmless, keywords.values())):
        return None
    try:
        with estimator_data.quiet():
            made = cls(**keywords)
    except Exception:  # noqa: BLE001 - the rule of signatures finds what does not bind
        return None
    return Like(made, composites.NO_STRUCTURE) if holes else Known(made)


def _not_fitted(estimator: Any) -> Finding | None:
    """Restate what `check_is_fitted` of xgboost and lightgbm raise."""
    name, text = "NotFittedError", "need to call fit or load_model beforehand"
    if library_of(estimator) == "lightgbm":
        cls = safe.loaded("lightgbm.sklearn", "LGBMNotFittedError")
        if not safe.inherits(type(cls), type):
            return None
        name, text = safe.class_name(cls), "Estimator not fitted, call fit before exploiting the model."
    return Finding(
        rule="boosters.not-fitted",
        type=name,
        message=words(text),
        because=words("nothing has fitted it"),
        crash_type="model initialization error",
        library=library_of(estimator),
    )


def _check_fit(estimator: Any, features: Data | None, target: Data | None) -> Finding | None:
    if any(type(each) is Hole for each in (safe.instance_dict(estimator) or {}).values()):
        return None
    library = library_of(estimator)
    found = (_check_lightgbm if library == "lightgbm" else _check_xgboost)(estimator, features, target)
    return None if found is None else found._replace(rule=library + ".itself", library=library)


def _check_lightgbm(estimator: Any, features: Data | None, target: Data | None) -> Finding | None:
    is_classifier = safe.class_name(type(estimator)) == "LGBMClassifier"
    if target is not None and target.real and target.object is not None and is_classifier:
        for name in ("_LGBMAssertAllFinite", "_LGBMCheckClassificationTargets"):
            check: Any = safe.loaded("lightgbm.sklearn", name)
            if not safe.comes_from(check, "sklearn"):
                return None
            finding = checks.ask_about([target], check)
            if finding is not None:
                return finding
    table: Any = None if features is None or not features.real else features.object
    if not blocks.is_frame(table):
        return None
    dtypes: Any = safe.loaded("lightgbm.basic", "_check_for_bad_pandas_dtypes")
    if not safe.comes_from(dtypes, "lightgbm"):
        return None
    found = table.dtypes
    # Columns of categories are turned into numbers before.
    kept = found[[safe.class_name(type(each)) != "CategoricalDtype" for each in found]]
    return ask(lambda: dtypes(kept), SCHEMA, "for these columns")


def _check_xgboost(estimator: Any, features: Data | None, target: Data | None) -> Finding | None:
    is_classifier = safe.class_name(type(estimator)) == "XGBClassifier"
    if is_classifier and target is not None and target.real and not target.chosen and target.object is not None:
        finding = _check_classes(estimator, target)
        if finding is not None:
            return finding
    table: Any = None if features is None or not features.real else features.object
    convert: Any = safe.loaded("xgboost.data", "_transform_pandas_df")
    own = safe.instance_dict(estimator) or {}
    categorical = own.get("enable_categorical", False)
    if not blocks.is_frame(table) or not safe.comes_from(convert, "xgboost") or type(categorical) is not bool:
        return None
    return ask(lambda: convert(table.iloc[:20], categorical), SCHEMA, "for these columns")


def _check_classes(estimator: Any, target: Data) -> Finding | None:
    """Restate the check of `XGBClassifier.fit`: the classes must be 0, 1, 2 and so on. Since xgboost 1.6."""
    numpy: Any = safe.loaded("numpy")
    entry: Any = safe.in_type(type(estimator), "fit")
    while type((safe.instance_dict(entry) or {}).get("__wrapped__")) is types.FunctionType:
        entry = (safe.instance_dict(entry) or {})["__wrapped__"]
    texts = [each for each in getattr(entry, "__code__", None).co_consts if type(each) is str] if entry else []  # type: ignore[union-attr]
    if not any("Invalid classes inferred from unique values of `y`" in each for each in texts):
        return None
    try:
        with estimator_data.quiet():
            classes = numpy.unique(numpy.asarray(target.object))
    except (TypeError, ValueError):
        return None
    expected = numpy.arange(len(classes))
    if classes.shape == expected.shape and bool(numpy.all(classes == expected)):
        return None
    return Finding(
        rule="boosters.classes",
        type="ValueError",
        message=words(
            "Invalid classes inferred from unique values of `y`.  Expected: {}, got {}",
            counted(str(expected)),
            str(classes),
        ),
        because=words("xgboost wants the classes as {}", named("0, 1, 2, ...")),
        crash_type="data value violation",
        library="xgboost",
    )


HANDLERS = {"attribute": [attribute], "call": [call]}
