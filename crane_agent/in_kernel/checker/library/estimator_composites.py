"""scikit-learn: estimators of estimators, and the folds of a cross-validation.

A pipeline is fitted step by step: each step is checked on what comes out of the one before it, as far as that is known.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import NAMES, SCHEMA, VALUES
from ...readers import blocks, tensors
from ...readers import sklearn_estimators as readers
from ..sites import Finding
from ..values import UNKNOWN, Hole, Known, Like, Value
from ..words import named, words
from . import estimator_checks as checks
from . import estimator_data, estimator_table
from . import estimator_splits as splits
from .estimator_checks import ask, copy_of, holds_holes, name_of, parameters
from .estimator_data import NOTHING, Data

if TYPE_CHECKING:
    from ..state import State

MAX_FOLDS = 20
"""Folds on each of which the checks of ``fit`` are run."""
NO_STRUCTURE: frozenset[str] = frozenset()
"""What is known of an estimator whose stand-in is a copy with what `fit` checks."""
GROUPS = "groups_in_the_walk"
"""Attribute of a copy for the groups that ``fit`` gets; without it nothing is known of them."""

# -- as they are at a point of the cell ----------------------------------------------------------------------------


def estimator_of(value: Value | None, state: State) -> Any:
    """Return an estimator of scikit-learn's own as it is at this point, or None.

    It may be a copy, and hold a `Hole` for a parameter that is not known; it is to be read, never changed.
    """
    if type(value) is not Known and type(value) is not Like:
        return None
    found = state.form(value)
    if found is safe.ABSENT or not checks.is_own(found) or not checks.is_harmless(found):
        return None
    if any(state.form(Known(cls)) is safe.ABSENT for cls in safe.mro(type(found))):
        # The cell changed a class.
        return None
    return _resolved(found, state)


def _resolved(value: Any, state: State, depth: int = checks.MAX_DEPTH) -> Any:
    """Return an estimator in which each one inside is as it is at this point of the cell."""
    changed = {}
    for name, each in list((safe.instance_dict(value) or {}).items()):
        now = _resolved_part(each, state, depth)
        if now is not each:
            changed[name] = now
    if not changed:
        return value
    made = copy_of(value)
    made.__dict__.update(changed)
    return made


def _resolved_part(value: Any, state: State, depth: int) -> Any:
    if depth == 0:
        return value
    if checks.is_own(value):
        form = state.form(Known(value))
        return Hole(UNKNOWN) if form is safe.ABSENT else _resolved(form, state, depth - 1)
    if safe.one_of(type(value), (list, tuple)) and len(value) <= 100:
        inner = [_resolved_part(each, state, depth - 1) for each in value]
        return value if all(new is old for new, old in zip(inner, value)) else type(value)(inner)
    return value


def argument(value: Value, state: State, holes: list[object], depth: int = 3) -> Any:
    """Return the object that a value is; a `Hole` where it is not known."""
    if type(value) is Known or type(value) is Like:
        found: Any = state.live(value)
        if found is not safe.ABSENT and safe.one_of(type(found), (list, tuple)) and depth:
            inner = [
                argument(each.value if type(each) is Hole else Known(each), state, holes, depth - 1) for each in found
            ]
            return found if all(new is old for new, old in zip(inner, found)) else type(found)(inner)
        form = state.form(value)
        if form is not safe.ABSENT and checks.is_own(form):
            # The estimator itself: what the cell does to it, it does to what is inside.
            if found is safe.ABSENT:
                holes.append(value)
            return value.object
        if found is not safe.ABSENT and type(found) is not dict:
            return found
        if type(found) is dict and not any(type(each) is Hole for each in found.values()):
            return found
    hole = Hole(UNKNOWN)
    holes.append(hole)
    return hole


# -- checks --------------------------------------------------------------------------------------------------------


def check_fit(fitted: Any, features: Data | None, target: Data | None) -> Finding | None:
    """Run the checks that ``fit`` runs, on a copy that is left with what they find; see `estimator_checks`."""
    fitted.__dict__[checks.MARK] = True
    follow = _FITS.get(name_of(fitted))
    if follow is None:
        return checks.check_fit(fitted, features, target)
    return checks.check_parameters(fitted) or follow(fitted, features, target)


def check_use(estimator: Any, features: Data | None, method: str) -> Finding | None:
    """Run the checks that a method of a fitted estimator runs."""
    follow = _USES.get(name_of(estimator))
    return (checks.check_use if follow is None else follow)(estimator, features, method)


def transformed(fitted: Any, features: Data | None) -> Data | None:
    """Return what a fitted copy makes of data, as far as that is known."""
    numpy: Any = safe.loaded("numpy")
    name = name_of(fitted)
    own = safe.instance_dict(fitted) or {}
    if features is None or features.object is None or "_sklearn_output_config" in own:
        return None
    if name == "Pipeline":
        for _, step in _steps(fitted) or []:
            features = None if type(step) is Hole else features if _is_passed(step) else transformed(step, features)
        return features
    if name == "ColumnTransformer":
        return own.get(_PARTS)  # type: ignore[return-value]
    if name in estimator_table.REAL and features.real and not features.chosen:
        if not any(each.endswith("_") and each not in checks.NOT_LEARNT for each in own):
            return None
        function: Any = safe.in_type(type(fitted), "transform")
        try:
            with estimator_data.quiet():
                found = function(copy_of(fitted), features.object)
        except Exception:  # noqa: BLE001 - what it raises is found by `check_use`
            return None
        return Data(found, True, features.rows)
    count = own.get("n_features_in_")
    if name not in estimator_table.AS_MANY_COLUMNS or type(count) is not int or features.rows is None:
        return None
    if features.real and not estimator_data.is_sparse(features.object) and name in estimator_table.KEEPING_NAN:
        # A scaler leaves NaN where it is.
        missing = _missing(features.object)
        if missing is None or missing.ndim != 2:
            return None
        return Data(numpy.where(missing, numpy.nan, 0.0), True, features.rows, chosen=True)
    return estimator_data.zeros((features.rows, count))


def _missing(value: Any) -> Any:
    numpy: Any = safe.loaded("numpy")
    try:
        return numpy.isnan(numpy.asarray(value, dtype=float))
    except (TypeError, ValueError):
        return None


# -- pipelines -----------------------------------------------------------------------------------------------------


def _steps(pipeline: Any) -> list[tuple[str, Any]] | None:
    steps = parameters(pipeline).get("steps")
    if type(steps) is not list or not steps:
        return None
    if any(type(each) is not tuple or len(each) != 2 or type(each[0]) is not str for each in steps):
        return None
    return steps


def _is_passed(step: Any) -> bool:
    return step is None or (type(step) is str and step == "passthrough")


def _fit_pipeline(fitted: Any, features: Data | None, target: Data | None) -> Finding | None:
    steps = _steps(fitted)
    if steps is None:
        return None
    if not holds_holes(steps):
        if not checks.can_print() and not all(map(_transforms, [step for _, step in steps[:-1]])):
            names: Any = safe.in_type(type(fitted), "_validate_names")
            if any(map(_may_transform, [step for _, step in steps[:-1]])) or not safe.comes_from(names, "sklearn"):
                return None
            finding = ask(lambda: names(copy_of(fitted), [name for name, _ in steps]), NAMES, "for its parameters")
            return finding or _no_transformer()
        finding = _own(fitted, "_validate_steps")
        if finding is not None:
            return finding
    done: list[tuple[str, Any]] = []
    for place, (name, step) in enumerate(steps):
        last = place + 1 == len(steps)
        if _is_passed(step):
            done.append((name, step))
            continue
        if not checks.is_own(step):
            features = None
            done.append((name, Hole(None)))  # type: ignore[arg-type]
            continue
        copy = copy_of(step, fitted=False)
        finding = checks.check_signature(copy, "fit" if last else "fit_transform", 2, [])
        finding = finding or check_fit(copy, features, target)
        if finding is None and features is None and place and last:
            finding = checks.check_target(copy, target)
        if finding is not None:
            return finding
        done.append((name, copy))
        if not last:
            features = transformed(copy, features)
    fitted.__dict__["steps"] = done
    return None


def _transforms(step: Any) -> bool:
    """Whether a step is certain to be taken for a transformer."""
    if _is_passed(step) or type(step) is Hole:
        return True
    entries = [safe.in_type(type(step), name) for name in ("fit", "transform")]
    return all(safe.comes_from(entry, "sklearn") for entry in entries)


def _may_transform(step: Any) -> bool:
    """Whether a step may be a transformer, but that cannot be told without asking."""
    return not _transforms(step) and safe.in_type(type(step), "transform") is not safe.ABSENT


def _no_transformer() -> Finding:
    return Finding(
        rule="sklearn.no-transformer",
        type="TypeError",
        message=words("All intermediate steps should be transformers and implement fit and transform"),
        because=words("a step that is not the last has no transform"),
        crash_type="type error",
        library="sklearn",
    )


def _own(estimator: Any, name: str) -> Finding | None:
    """Run one of an estimator's own checks that look at its parameters alone."""
    check: Any = safe.in_type(type(estimator), name)
    if not safe.comes_from(check, "sklearn"):
        return None
    return ask(lambda: check(copy_of(estimator)), NAMES, "for its parameters")


def _use_pipeline(pipeline: Any, features: Data | None, method: str) -> Finding | None:
    steps = _steps(pipeline)
    if steps is None or method == "inverse_transform":
        return None
    if _checks_itself(pipeline, method) and all(_is_passed(step) or checks.is_own(step) for _, step in steps):
        check: Any = safe.loaded("sklearn.utils.validation", "check_is_fitted")
        finding = ask(lambda: check(copy_of(pipeline)), NAMES, "because it is not fitted")
        if finding is not None:
            return finding
    for place, (_, step) in enumerate(steps):
        if _is_passed(step):
            continue
        if not checks.is_own(step):
            return None
        last = place + 1 == len(steps)
        finding = check_use(step, features, method if last else "transform")
        if finding is not None:
            return finding
        features = None if last else transformed(step, features)
    return None


def _checks_itself(pipeline: Any, method: str) -> bool:
    """Whether a method of a pipeline's begins with a check of the pipeline itself, as it does from 1.8 on."""
    entry: Any = safe.in_type(type(pipeline), method)
    function = (safe.instance_dict(entry) or {}).get("fn", entry)
    check = safe.loaded("sklearn.utils.validation", "check_is_fitted")
    if type(function) is not types.FunctionType or not safe.comes_from(function, "sklearn"):
        return False
    return "check_is_fitted" in function.__code__.co_names and safe.comes_from(check, "sklearn")


# -- columns -------------------------------------------------------------------------------------------------------

_PARTS = "parts_in_the_walk"


def _fit_columns(fitted: Any, features: Data | None, target: Data | None) -> Finding | None:
    numpy: Any = safe.loaded("numpy")
    rows = parameters(fitted).get("transformers")
    indices = _indexing("_get_column_indices")
    pick = _indexing("_safe_indexing")
    if features is None or type(rows) is not list or holds_holes(rows) or features.object is None:
        return None
    table = features.object
    if not (blocks.is_frame(table) or (tensors.is_ndarray(table) and table.ndim == 2)):
        return None
    if any(type(each) is not tuple or len(each) != 3 for each in rows):
        return None
    if not safe.comes_from(indices, "sklearn") or not safe.comes_from(pick, "sklearn"):
        return None
    if not checks.can_print() and not all(_transforms(each[1]) or type(each[1]) is str for each in rows):
        return None
    finding = _own(fitted, "_validate_transformers")
    chosen = [_columns(each[2], features) for each in rows]
    if finding is not None or any(each is None for each in chosen):
        return finding
    for columns in chosen:
        finding = ask(lambda each=columns: indices(table, each), SCHEMA, "for these columns")  # type: ignore[misc]
        if finding is not None:
            return finding
    parts: list[Data | None] = []
    for (_, inner, _), columns in zip(rows, chosen):
        if type(inner) is str or not checks.is_own(inner):
            passed = type(inner) is str and inner == "passthrough"
            parts.append(_picked(pick, features, columns) if passed else NOTHING if type(inner) is str else None)
            continue
        if safe.one_of(type(columns), (list, tuple)) and not columns:
            # Without columns a transformer is not fitted.
            continue
        part = _picked(pick, features, columns)
        copy = copy_of(inner, fitted=False)
        finding = checks.check_signature(copy, "fit_transform", 2, []) or check_fit(copy, part, target)
        if finding is not None:
            return finding
        parts.append(transformed(copy, part))
    if parameters(fitted).get("remainder") == "drop":
        fitted.__dict__[_PARTS] = _beside([each for each in parts if each is not NOTHING], features.rows, numpy)
    return None


def _indexing(name: str) -> Any:
    """Return one of the library's functions that pick rows and columns, which have moved once."""
    return safe.loaded("sklearn.utils._indexing", name) or safe.loaded("sklearn.utils", name)


def _columns(columns: Any, features: Data) -> Any:
    """Return which columns are meant; None if that is not known."""
    if safe.one_of(type(columns), (list, tuple, str, int, slice)):
        return columns
    if safe.class_name(type(columns)) == "make_column_selector" and safe.is_from(type(columns), "sklearn"):
        if not features.real or not blocks.is_frame(features.object):
            return None
        try:
            with estimator_data.quiet():
                return columns(features.object)
        except Exception:  # noqa: BLE001 - of what the cell would raise nothing is known then
            return None
    if tensors.is_ndarray(columns) and columns.dtype.kind in "biuO":
        return columns
    return columns[:] if safe.is_exactly(columns, "pandas", "Index") and blocks.is_index(columns) else None


def _picked(pick: Any, features: Data, columns: Any) -> Data | None:
    try:
        with estimator_data.quiet():
            return features._replace(object=pick(features.object, columns, axis=1))
    except Exception:  # noqa: BLE001 - found before, if the cell raises it
        return None


def _beside(parts: list[Data | None], rows: int | None, numpy: Any) -> Data | None:
    """Return parts side by side, if they are all known numbers."""
    arrays = []
    for part in parts:
        if part is None or not part.real or part.chosen or part.object is None:
            return None
        found = part.object.toarray() if estimator_data.is_sparse(part.object) else part.object
        found = numpy.asarray(found)
        if found.ndim != 2 or found.dtype.kind not in "biuf":
            return None
        arrays.append(found)
    return Data(numpy.hstack(arrays), True, rows) if arrays else None


def _use_columns(estimator: Any, features: Data | None, method: str) -> Finding | None:
    check: Any = safe.loaded("sklearn.utils.validation", "check_is_fitted")
    if readers.is_fitted(estimator) is False and safe.comes_from(check, "sklearn"):
        return ask(lambda: check(copy_of(estimator)), NAMES, "because it is not fitted")
    return None


# -- folds ---------------------------------------------------------------------------------------------------------


def folds(
    cv: Any, features: Data | None, target: Data | None, classifier: bool, groups: Data | None = NOTHING
) -> Finding | splits.Folds | None:
    """Split for a cross-validation: return what that raises, or the folds; None if they are not known.

    Args:
        cv: A number, None, or one of scikit-learn's own splitters.
        features: The data, of which only the number of rows counts.
        target: The target.
        classifier: Whether the folds that a number asks for keep the shares of the classes.
        groups: The groups.
    """
    if cv is None or type(cv) is int:
        cv = _numbered(5 if cv is None else cv, target, classifier)
        if isinstance(cv, Finding):
            return cv
    if cv is None or features is None:
        return None
    if groups is None and safe.class_name(type(cv)) not in splits.BY_GROUPS:
        groups = NOTHING
    found = splits.split(cv, features.rows, target, groups)
    return found.now or found.later or found.folds


def _numbered(count: int, target: Data | None, classifier: bool) -> Any:
    """Return the splitter that a number of folds stands for; None if the target decides it and is not known."""
    make: Any = safe.loaded("sklearn.model_selection", "check_cv")
    if not safe.comes_from(make, "sklearn"):
        return None
    known = target is not None and target.real and not target.chosen
    if classifier and not known:
        return None
    found: list[Any] = []
    goal = target.object if known and target is not None else None
    because = "for this target and these folds"
    finding = ask(lambda: found.append(make(count, goal, classifier=classifier)), VALUES, because)
    return finding if finding is not None or not found else found[0]


def check_folds(
    estimator: Any,
    cv: Any,
    features: Data | None,
    target: Data | None,
    error_score: Any = None,
    candidates: int | None = 1,
    groups: Data | None = NOTHING,
    predicts: bool = False,
) -> Finding | None:
    """Run the checks of a cross-validation: of the folds, and of fitting on each; all of them must fail.

    Args:
        estimator: What is fitted.
        cv: See `folds`.
        features: The data.
        target: The target.
        error_score: What is done about a fit that fails; with "raise" the first is enough.
        candidates: How many there are to be fitted on each fold; None if that is not known.
        groups: The groups.
        predicts: Whether each row must be tested once, as for `cross_val_predict`.
    """
    finding = checks.check_lengths([each.rows for each in (features, target, groups) if each is not None])
    if finding is not None:
        return finding
    split = folds(cv, features, target, is_classifier(estimator), groups)
    if split is None or isinstance(split, Finding):
        return split
    places = split.places
    if predicts and features is not None and not _are_partitions(split, features.rows):
        return _no_partition()
    if not split.known or not split.complete or not places or len(places) > MAX_FOLDS or target is None:
        return None
    pick = _indexing("_safe_indexing")
    if features is None or not features.real or features.chosen or not safe.comes_from(pick, "sklearn"):
        return None
    first: Finding | None = None
    for train, _ in places:
        part = _rows(pick, features, train)
        goal = NOTHING if target is None or target.object is None else _rows(pick, target, train)
        if part is None or goal is None:
            return None
        copy = copy_of(estimator, fitted=False)
        finding = checks.check_parameters(copy)
        if finding is None and goal.object is None:
            finding = checks.check_signature(copy, "fit", 1, [])
        finding = finding or check_fit(copy, part, goal)
        if finding is None or error_score == "raise":
            return finding
        if candidates is None and finding.type != "ValueError":
            # What the search tries may be what the estimator wants.
            return None
        first = first or finding
    if first is None:
        return None
    count = "" if candidates is None else "{} ".format(candidates * len(places))
    return first._replace(
        type="ValueError",
        crash_type="value error",
        message=words("\nAll the {}fits failed.\nIt is very likely that your model is misconfigured.", named(count)),
        because=words("scikit-learn itself says so of the first fold: " + first.message.template, *first.message.parts),
    )


def _are_partitions(split: splits.Folds, rows: int | None) -> bool:
    """Whether each row may be tested once. Source: `cross_val_predict`."""
    numpy: Any = safe.loaded("numpy")
    if rows is None or not split.complete or not split.counted:
        return True
    tested = numpy.concatenate([test for _, test in split.places] or [numpy.arange(0)])
    return len(tested) == rows and (not split.known or len(numpy.unique(tested)) == rows)


def _no_partition() -> Finding:
    return Finding(
        rule="sklearn.no-partition",
        type="ValueError",
        message=words("cross_val_predict only works for partitions"),
        because=words("these folds do not test each row once"),
        crash_type="value error",
        library="sklearn",
    )


def _rows(pick: Any, data: Data, places: Any) -> Data | None:
    try:
        with estimator_data.quiet():
            return data._replace(object=pick(data.object, places), rows=len(places))
    except Exception:  # noqa: BLE001 - then nothing is known of the rows
        return None


def is_classifier(estimator: Any) -> bool:
    """Whether scikit-learn takes an estimator for a classifier."""
    ask_it: Any = safe.loaded("sklearn.base", "is_classifier")
    if not checks.is_own(estimator) or not safe.comes_from(ask_it, "sklearn"):
        return False
    try:
        with estimator_data.quiet():
            return bool(ask_it(copy_of(estimator)))
    except Exception:  # noqa: BLE001 - of an estimator that cannot say it nothing is known
        return False


def predicts(estimator: Any) -> bool:
    """Whether ``score`` begins with ``predict``: that of scikit-learn's classifiers and regressors."""
    name = name_of(estimator)
    options = estimator_table.FITS.get(name)
    return options is not None and options.target != estimator_table.NONE and name not in ("SelectKBest",)


def check_scoring(estimator: Any) -> Finding | None:
    """Ask the library whether an estimator has a score of its own."""
    check: Any = safe.loaded("sklearn.metrics", "check_scoring")
    if checks.has_holes(estimator) or not safe.comes_from(check, "sklearn"):
        return None
    if checks.can_print():
        return ask(lambda: check(deep_copy(estimator)), NAMES, "for this estimator")
    if hasattr(deep_copy(estimator), "score"):
        return None
    return Finding(
        rule="sklearn.no-score",
        type="TypeError",
        message=words("If no scoring is specified, the estimator passed should have a 'score' method."),
        because=words("{} has no score", named(name_of(estimator))),
        crash_type="type error",
        library="sklearn",
    )


def _fit_search(fitted: Any, features: Data | None, target: Data | None) -> Finding | None:
    own = parameters(fitted)
    inner = own.get("estimator")
    if not checks.is_own(inner) or (features is not None and features.object is None):
        return None
    grid = own.get("param_grid", own.get("param_distributions"))
    finding = check_scoring(inner) if own.get("scoring") is None else None
    if finding is not None:
        return finding
    finding = _check_grid(inner, grid, "param_grid" in own)
    only_numbers = type(grid) is dict and not holds_holes(grid) and all(map(_is_of_numbers, grid.values()))
    groups: Any = (safe.instance_dict(fitted) or {}).get(GROUPS)
    if finding is None and only_numbers and not holds_holes(own.get("cv")):
        finding = check_folds(inner, own.get("cv"), features, target, own.get("error_score"), None, groups)
    elif finding is None and not holds_holes(own.get("cv")):
        split = folds(own.get("cv"), features, target, is_classifier(inner), groups)
        finding = split if isinstance(split, Finding) else None
    if finding is not None:
        return finding
    if own.get("refit") is not True:
        return None
    best = deep_copy(inner, fitted=False)
    finding = check_fit(best, features, target)
    if finding is None:
        fitted.__dict__["best_estimator_"] = best
        return None
    # What the search tries may be what makes the data fit.
    return finding if finding.type == "ValueError" and only_numbers else None


def _is_of_numbers(values: Any) -> bool:
    if tensors.is_ndarray(values):
        return bool(values.dtype.kind in "biuf")
    return safe.one_of(type(values), (list, tuple)) and all(safe.one_of(type(each), (int, float)) for each in values)


def _check_grid(inner: Any, grid: Any, whole: bool) -> Finding | None:
    """Run what a search does with its parameters: each must be one of the estimator's."""
    make: Any = safe.loaded("sklearn.model_selection", "ParameterGrid")
    if holds_holes(grid) or checks.has_holes(inner) or not safe.one_of(type(grid), (dict, list)):
        return None
    if whole:
        finding = ask(lambda: make(grid), VALUES, "for this grid")
        if finding is not None:
            return finding
    for table in [grid] if type(grid) is dict else grid:
        if type(table) is not dict:
            return None
        for name in table:
            if type(name) is not str or readers.has_parameter(inner, name) is not False:
                continue
            finding = checks.check_names(inner, name, deep_copy(inner))
            if finding is not None:
                return finding
    return None


def deep_copy(estimator: Any, fitted: bool = True, depth: int = 4) -> Any:
    """Return a copy of an estimator whose inner estimators are copies, too; one that is not fitted, if asked for."""
    made = copy_of(estimator, fitted)
    for name, value in parameters(made).items():
        made.__dict__[name] = _deep(value, fitted, depth)
    return made


def _deep(value: Any, fitted: bool, depth: int) -> Any:
    if depth and checks.is_own(value):
        return deep_copy(value, fitted, depth - 1)
    if depth and safe.one_of(type(value), (list, tuple)):
        return type(value)([_deep(each, fitted, depth - 1) for each in value])
    return value


def _use_search(search: Any, features: Data | None, method: str) -> Finding | None:
    own = safe.instance_dict(search) or {}
    check: Any = safe.loaded("sklearn.utils.validation", "check_is_fitted")
    if readers.is_fitted(search) is False and safe.comes_from(check, "sklearn"):
        return ask(lambda: check(copy_of(search)), NAMES, "because it is not fitted")
    best = own.get("best_estimator_")
    return check_use(best, features, method) if checks.is_own(best) else None


_FITS: dict[str, Callable[[Any, Data | None, Data | None], Finding | None]] = {
    "Pipeline": _fit_pipeline,
    "ColumnTransformer": _fit_columns,
    "GridSearchCV": _fit_search,
    "RandomizedSearchCV": _fit_search,
}
_USES: dict[str, Callable[[Any, Data | None, str], Finding | None]] = {
    "Pipeline": _use_pipeline,
    "ColumnTransformer": _use_columns,
    "GridSearchCV": _use_search,
    "RandomizedSearchCV": _use_search,
}
