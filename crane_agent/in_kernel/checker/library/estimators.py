"""scikit-learn: estimators, from their making through ``fit`` to ``predict``.

An estimator is made for real, since its constructor does nothing but keep its parameters. It is never fitted for real
but if it is one of a few quick transformers: ``fit`` is followed by running the checks that it runs first, with the
library's own functions, on a copy of the estimator. That copy, which then has the number and names of the features,
stands for the estimator from there on.

To add an estimator, give it a row in `estimator_table`; to add a method, follow it and put it into `_METHODS`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES, VALUES
from ...readers import sklearn_estimators as readers
from ...readers import tensors
from ..sites import AttributeSite, CallSite, Finding
from ..values import SHAPE, UNKNOWN, Foreign, Hole, Known, Like, Made, Value
from . import array_forms, estimator_data, estimator_functions, estimator_table
from . import estimator_checks as checks
from . import estimator_composites as composites
from .estimator_checks import copy_of, name_of, parameters, raised
from .estimator_data import Data

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "sklearn"
_TARGET = "target_in_the_walk"


# -- making --------------------------------------------------------------------------------------------------------


def make(site: CallSite, state: State) -> Value | Finding | None:
    """Make an estimator or a pipeline for real."""
    cls: Any = state.live(site.callee)
    if not site.complete or not is_class(cls):
        return None
    level = state.level(*site.arguments, *site.keywords.values())
    holes: list[object] = []
    arguments = [composites.argument(each, state, holes) for each in site.arguments]
    keywords = {name: composites.argument(each, state, holes) for name, each in site.keywords.items()}
    if not all(map(checks.is_harmless, [*arguments, *keywords.values()])):
        return None
    try:
        with estimator_data.quiet():
            made = cls(*arguments, **keywords)
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return None if holes else raised(error, level, "for these arguments")
    return Like(made, composites.NO_STRUCTURE) if holes else Known(made, level=level)


def is_class(cls: Any) -> bool:
    """Whether `cls` is a class of scikit-learn's own whose constructor only keeps its arguments."""
    if not safe.inherits(type(cls), type) or not safe.is_from(cls, "sklearn"):
        return False
    if not safe.comes_from(safe.in_type(cls, "__init__"), "sklearn"):
        return safe.in_type(cls, "__init__") is object.__init__ and _inherits(cls)
    return safe.in_type(cls, "__new__") is object.__new__ and _inherits(cls)


def _inherits(cls: type) -> bool:
    return safe.inherits(cls, safe.loaded("sklearn.base", "BaseEstimator"))


# -- methods -------------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, state: State) -> Value | Finding | None:
    """Find a method of an estimator."""
    estimator = composites.estimator_of(site.owner, state)
    if estimator is None or site.name in (safe.instance_dict(estimator) or {}):
        return None
    entry: Any = safe.in_type(type(estimator), site.name)
    if safe.class_name(type(entry)) == "_AvailableIfDescriptor" and safe.is_from(type(entry), "sklearn"):
        # Whether it is there depends on parameters, and on what ``fit`` found.
        function = (safe.instance_dict(entry) or {}).get("fn")
        there = None if type(function) is not types.FunctionType else _is_there(estimator, entry, site)
        if isinstance(there, Finding):
            return there
        entry = function if there else None
    if type(entry) is types.FunctionType and safe.comes_from(entry, "sklearn"):
        owner: Any = site.owner
        return Known(types.MethodType(entry, owner.object))
    return None


_KNOWN_TO_HAVE = ("predict_proba", "predict_log_proba", "decision_function", "score_samples")


def _is_there(estimator: Any, entry: Any, site: AttributeSite) -> bool | Finding | None:
    """Ask the library whether a method is there that only some have; None if that is not known."""
    if checks.has_holes(estimator):
        return None
    try:
        with estimator_data.quiet():
            entry.__get__(copy_of(estimator), type(estimator))
    except AttributeError as error:
        if name_of(estimator) in estimator_table.FITS and site.name in _KNOWN_TO_HAVE:
            return raised(error, NAMES, "for its parameters")
        return None
    except Exception:  # noqa: BLE001 - then it is not known
        return None
    return True


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of an estimator, or a method of one."""
    made = make(site, state)
    if made is not None:
        return made
    if site.owner is None:
        callee: Any = state.live(site.callee)
        if type(callee) is types.MethodType and readers.is_estimator(callee.__self__):
            state.touch(Known(callee.__self__))
        return None
    estimator = composites.estimator_of(site.owner, state)
    if estimator is None or not _is_own_method(estimator, site.method):
        return None
    follow = _METHODS.get(site.method)
    found: Value | Finding | None = None if follow is None else follow(site, estimator, state)
    return found


def _is_own_method(estimator: Any, name: str) -> bool:
    entry: Any = safe.in_type(type(estimator), name)
    if safe.class_name(type(entry)) == "_AvailableIfDescriptor" and safe.is_from(type(entry), "sklearn"):
        entry = (safe.instance_dict(entry) or {}).get("fn")
    return name not in (safe.instance_dict(estimator) or {}) and safe.comes_from(entry, "sklearn")


_FIRST = ("X", "raw_documents", "y", "K")


def _data_of(site: CallSite) -> tuple[Value | None, Value | None] | None:
    """Return the features and the target of a call."""
    if not site.complete:
        return None
    given = list(site.arguments)
    first = given[0] if given else next((site.keywords[name] for name in _FIRST if name in site.keywords), None)
    second = given[1] if len(given) > 1 else site.keywords.get("y") if given or "X" in site.keywords else None
    return first, second


def fit(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``fit``: it checks, and then the estimator is fitted."""
    found = _fit(site, estimator, state)
    return found if isinstance(found, Finding) or found is None else site.owner


def _fit(site: CallSite, estimator: Any, state: State) -> Any:
    """Follow ``fit``; return the fitted copy, with what it was fitted on, or a crash."""
    pair = _data_of(site)
    if pair is None:
        _forget(site, estimator, state)
        return None
    first, second = pair
    if not estimator_data.may_be_data(first, state) or not estimator_data.may_be_data(second, state):
        return None
    fitted = copy_of(estimator, fitted=bool(parameters(estimator).get("warm_start")))
    fitted.__dict__[checks.MARK] = True
    fitted.__dict__[composites.GROUPS] = estimator_data.whole_of(site.keywords.get("groups"), state)
    features, target = estimator_data.of(first, state), estimator_data.of(second, state)
    if estimator_data.has_usual_settings(state):
        finding = checks.check_parameters(fitted) or checks.check_signature(
            fitted, site.method, len(site.arguments), list(site.keywords)
        )
        if finding is None and site.method == "fit_transform" and _is_without_target(site, estimator):
            finding = checks.check_signature(fitted, "fit", 1, [])
        finding = finding or composites.check_fit(fitted, features, target)
        if finding is not None:
            return finding
    fitted.__dict__[_TARGET] = target
    _leave(site, estimator, fitted, first, state)
    return fitted, features


def _is_without_target(site: CallSite, estimator: Any) -> bool:
    """Whether `TransformerMixin.fit_transform` calls ``fit`` with the features alone."""
    mixin = safe.loaded("sklearn.base", "TransformerMixin")
    same = safe.in_type(type(estimator), "fit_transform") is safe.in_type(mixin, "fit_transform")
    return same and len(site.arguments) + len(site.keywords) == 1


def _leave(site: CallSite, estimator: Any, fitted: Any, first: Value | None, state: State) -> None:
    """Say what ``fit`` changes."""
    state.may_raise(site.node, "fitting {} may raise".format(name_of(estimator)))
    own = parameters(estimator)
    if any(own.get(name) is False or type(own.get(name)) is Hole for name in estimator_table.COPYING):
        state.touch(first)
    for inner in _inside(estimator):
        if checks.is_random_state(inner) or (
            readers.is_estimator(inner) and name_of(estimator) not in estimator_table.CLONING
        ):
            state.touch(Known(inner))
    assert site.owner is not None
    state.becomes(site.owner, Like(fitted, composites.NO_STRUCTURE))


def _forget(site: CallSite, estimator: Any, state: State) -> None:
    state.may_raise(site.node, "fitting {} may raise".format(name_of(estimator)))
    state.touch(site.owner)


def _inside(value: Any, depth: int = checks.MAX_DEPTH) -> list[Any]:
    """Return the estimators and random generators inside of an estimator."""
    found: list[Any] = []
    for each in parameters(value).values():
        found += _objects(each, depth)
    return found


def _objects(value: Any, depth: int) -> list[Any]:
    if not depth:
        return []
    if readers.is_estimator(value):
        return [value, *_inside(value, depth - 1)]
    if checks.is_random_state(value):
        return [value]
    if safe.one_of(type(value), (list, tuple)):
        return [inner for each in value for inner in _objects(each, depth - 1)]
    return []


# -- using a fitted one --------------------------------------------------------------------------------------------


def use(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``predict``, ``transform`` and their like."""
    pair = _data_of(site)
    if pair is None or not all(estimator_data.may_be_data(each, state) for each in pair):
        return None
    features = estimator_data.of(pair[0], state)
    if estimator_data.has_usual_settings(state):
        finding = composites.check_use(estimator, features, site.method)
        if finding is not None:
            return finding
    found = result_of(estimator, features, site.method, state)
    if found is not None:
        return found
    state.may_raise(site.node, "{} may raise".format(site.method))
    likely = likely_result(estimator, features, site.method, pair[0], state)
    # What is predicted is new; what is transformed may lie in the memory of the features.
    return Foreign(LIBRARY) if likely is UNKNOWN and "transform" not in site.method else likely


def result_of(estimator: Any, features: Data | None, method: str, state: State) -> Value | Finding | None:
    """Transform for real what is known, with a quick transformer that was fitted for real."""
    known = features is not None and features.real and not features.chosen and features.object is not None
    if name_of(estimator) not in estimator_table.REAL or method not in ("transform", "inverse_transform") or not known:
        return None
    if readers.is_fitted(estimator) is not True or checks.has_holes(estimator) or not _is_usual(estimator, state):
        return None
    own = safe.instance_dict(estimator) or {}
    learnt = any(each.endswith("_") and each not in checks.NOT_LEARNT for each in own)
    if not learnt or parameters(estimator).get("copy") is False:
        return None
    function: Any = safe.in_type(type(estimator), method)
    assert features is not None
    try:
        with estimator_data.quiet():
            found = function(copy_of(estimator), features.object)
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return raised(error, VALUES, "for these values")
    return Known(found)


def _is_usual(estimator: Any, state: State) -> bool:
    """Whether an estimator returns arrays, and not what `set_output` asks for."""
    own = safe.instance_dict(estimator) or {}
    return "_sklearn_output_config" not in own and estimator_data.has_usual_settings(state)


def likely_result(estimator: Any, features: Data | None, method: str, value: Value | None, state: State) -> Value:
    """Return what is known of the result of a method."""
    rows = estimator_data.rows_of(value, state)
    if rows is None or not _is_usual(estimator, state):
        return UNKNOWN
    if method in ("transform", "fit_transform"):
        return _likely_features(estimator, features, rows, value, state)
    if method == "predict":
        return _likely_target(estimator, rows, state)
    if method == "predict_proba":
        classes = _classes(estimator)
        if classes is None:
            return UNKNOWN
        found = _array((rows, len(classes)))
        state.memo.setdefault(estimator_functions.PREDICTED, {})[id(found.object)] = (found.object, len(classes))
        return found
    return UNKNOWN


def _array(shape: tuple[int, ...]) -> Like:
    numpy: Any = safe.loaded("numpy")
    return array_forms.like(shape, numpy.dtype("f8"))


def _likely_features(estimator: Any, features: Data | None, rows: int, value: Value | None, state: State) -> Value:
    columns = (safe.instance_dict(estimator) or {}).get("n_features_in_")
    name = name_of(estimator)
    if name in ("PCA", "TruncatedSVD") and type(parameters(estimator).get("n_components")) is int:
        columns = parameters(estimator)["n_components"]
    elif name not in estimator_table.AS_MANY_COLUMNS:
        return UNKNOWN
    if type(columns) is not int or features is None or estimator_data.is_sparse(features.object):
        return UNKNOWN
    found = _array((rows, columns))
    drawn = estimator_data.drawn_of(value, state)
    if drawn is not None and name in estimator_table.KEEPING_NAN:
        whole = composites.transformed(estimator, Data(drawn.source, True, len(drawn.source), chosen=True))
        if whole is not None:
            estimator_data.draw(found, whole.object, rows, state)
    return found


def _likely_target(estimator: Any, rows: int, state: State) -> Value:
    own: dict[str, Any] = safe.instance_dict(estimator) or {}
    target: Any = own.get(_TARGET)
    numpy: Any = safe.loaded("numpy")
    if checks.is_own(own.get("best_estimator_")):
        return _likely_target(dict_copy(own["best_estimator_"], target), rows, state)
    known = type(target) is Data and target.object is not None
    if not known and _is_row(own.get("classes_")):
        known, target = True, Data(own["classes_"], True, None)
    if known and _predicts_a_row(estimator):
        shape = getattr(target.object, "shape", (len(target.object),))
        if len(shape) != 1:
            return UNKNOWN
        classes = _classes(estimator)
        found = Like(array_forms.stand_in((rows,), numpy.dtype("f8")), frozenset([SHAPE]))
        if classes is not None or not composites.is_classifier(estimator):
            state.memo.setdefault(estimator_functions.PREDICTED, {})[id(found.object)] = (found.object, classes)
        return found
    if _is_clusterer(estimator):
        return Like(array_forms.stand_in((rows,), numpy.dtype("i4")), frozenset([SHAPE]))
    return UNKNOWN


def _is_row(value: Any) -> bool:
    return tensors.is_ndarray(value) and value.ndim == 1


def _predicts_a_row(estimator: Any) -> bool:
    """Whether an estimator fitted on a target of one dimension predicts one."""
    name = name_of(estimator)
    if name == "Pipeline":
        steps: Any = parameters(estimator).get("steps")
        return bool(steps) and checks.is_own(steps[-1][1]) and _predicts_a_row(steps[-1][1])
    return name in estimator_table.FITS or name in estimator_table.PREDICTING


def dict_copy(estimator: Any, target: Any) -> Any:
    """Return a copy of an estimator that was fitted on a target."""
    made = copy_of(estimator)
    made.__dict__[_TARGET] = target
    return made


def _is_clusterer(estimator: Any) -> bool:
    return name_of(estimator) in ("KMeans", "MiniBatchKMeans", "GaussianMixture", "IsolationForest", "OneClassSVM")


def _classes(estimator: Any) -> Any:
    """Return the classes of a classifier, if its target is known; None for others."""
    numpy: Any = safe.loaded("numpy")
    own: dict[str, Any] = safe.instance_dict(estimator) or {}
    target: Any = own.get(_TARGET)
    if type(target) is Data and target.real and not target.chosen and target.object is not None:
        if not composites.is_classifier(estimator):
            return None
        try:
            found = numpy.asarray(target.object)
            return numpy.unique(found) if found.ndim == 1 else None
        except (TypeError, ValueError):
            return None
    return own.get("classes_") if _is_row(own.get("classes_")) else None


def fit_transform(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``fit_transform``."""
    pair = _data_of(site)
    found = _fit(site, estimator, state)
    if isinstance(found, Finding) or found is None:
        return found
    assert pair is not None
    fitted, features = found
    done = result_of(fitted, features, "transform", state)
    if done is not None:
        return done
    return likely_result(fitted, features, "fit_transform", pair[0], state)


def fit_predict(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``fit_predict``."""
    found = _fit(site, estimator, state)
    return found if isinstance(found, Finding) or found is None else UNKNOWN


def score_(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``score``: it predicts, and compares with the target."""
    pair = _data_of(site)
    if pair is None or not all(estimator_data.may_be_data(each, state) for each in pair):
        return None
    features = estimator_data.of(pair[0], state)
    if estimator_data.has_usual_settings(state) and composites.predicts(estimator):
        finding = composites.check_use(estimator, features, "predict")
        rows = [estimator_data.rows_of(each, state) for each in reversed(pair) if each is not None]
        finding = finding or checks.check_lengths(rows)
        if finding is not None:
            return finding
    state.may_raise(site.node, "score may raise")
    return Made("number", type=float)


def set_params(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``set_params``."""
    if not site.complete or site.arguments or checks.has_holes(estimator):
        return None
    made = composites.deep_copy(estimator)
    values = {name: state.live(value) for name, value in site.keywords.items()}
    for name in values:
        if readers.has_parameter(estimator, name) is False:
            return checks.check_names(estimator, name, made)
    if any("__" in name for name in values) or not all(name in parameters(estimator) for name in values):
        return None
    if not all(each is not safe.ABSENT and checks.is_harmless(each) for each in values.values()):
        return None
    made = copy_of(estimator)
    made.__dict__.update(values)
    assert site.owner is not None
    state.becomes(site.owner, Like(made, composites.NO_STRUCTURE))
    return site.owner


def get_params(site: CallSite, estimator: Any, state: State) -> Value | Finding | None:
    """Follow ``get_params``, which changes nothing."""
    return UNKNOWN


_METHODS: dict[str, Any] = {
    "fit": fit,
    "fit_transform": fit_transform,
    "fit_predict": fit_predict,
    "score": score_,
    "set_params": set_params,
    "get_params": get_params,
    **dict.fromkeys(
        ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "inverse_transform"), use
    ),
}


HANDLERS = {"attribute": [attribute], "call": [call]}
