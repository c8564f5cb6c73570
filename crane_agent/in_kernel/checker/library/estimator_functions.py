"""scikit-learn: functions, from `train_test_split` over scores to the folds of a cross-validation.

To add a function, follow it and put it into `_FOLLOWED`; a score that is like the others goes into `SCORES`.
"""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import NAMES, SCHEMA, VALUES
from ...readers import blocks, tensors
from ..sites import CallSite, Finding
from ..values import DTYPE, SHAPE, UNKNOWN, Defined, Foreign, Hole, Known, Like, Made, Value, as_element
from . import array_forms, estimator_data, tables
from . import estimator_checks as checks
from . import estimator_composites as composites
from . import estimator_splits as splits
from .estimator_checks import ask, raised
from .estimator_data import Data

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "sklearn"


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of scikit-learn's own."""
    callee: Any = state.live(site.callee)
    if type(callee) is not types.FunctionType or not site.complete or not safe.comes_from(callee, LIBRARY):
        return None
    name = callee.__name__
    if not _is_public(callee, name):
        return None
    if name in ("set_config", "config_context"):
        state.memo[estimator_data.CHANGED_SETTINGS] = True
        return None
    bound = bind(callee, site)
    if bound is None or not _is_harmless(bound, state):
        return None
    usual = estimator_data.has_usual_settings(state)
    does_not_bind = check_signature(callee, site)
    if does_not_bind is not None:
        return does_not_bind
    finding = check_parameters(callee, bound, state) if usual else None
    if finding is not None:
        return finding
    follow = _FOLLOWED.get(name) if usual else None
    found: Value | Finding | None = None if follow is None else follow(callee, bound, site, state)
    if found is not None:
        return found
    state.may_raise(site.node, "{} may raise".format(name))
    for value in bound.values():
        if checks.is_random_state(state.live(value)):
            state.touch(value)
    return Foreign(LIBRARY) if name in SCORES and name.endswith(("_score", "_error", "matrix", "_report")) else UNKNOWN


_MODULES = (
    *("model_selection", "metrics", "preprocessing", "datasets", "utils", "utils.class_weight", "pipeline", "compose"),
    *("feature_selection", "metrics.pairwise", "base", "linear_model", "cluster", "decomposition", "inspection"),
)


def _is_public(callee: Any, name: str) -> bool:
    """Whether a function is what scikit-learn offers under its name, and known to leave its arguments alone."""
    return any(safe.loaded("sklearn." + module, name) is callee for module in _MODULES)


def bind(callee: Any, site: CallSite) -> dict[str, Value] | None:
    """Return the arguments of a call by the names of the parameters; those of ``*arrays`` as ``*0``, ``*1``."""
    inner: Any = callee
    while type((safe.instance_dict(inner) or {}).get("__wrapped__")) is types.FunctionType:
        inner = (safe.instance_dict(inner) or {})["__wrapped__"]
    code = inner.__code__
    names = list(code.co_varnames[: code.co_argcount])
    found: dict[str, Value] = {}
    for place, value in enumerate(site.arguments):
        found[names[place] if place < len(names) else "*{}".format(place - len(names))] = value
    if any(name in found for name in site.keywords):
        return None
    found.update(site.keywords)
    return found


def _is_harmless(bound: dict[str, Value], state: State) -> bool:
    """Whether no argument brings code of the user's: what is not known may be anything but data."""
    for value in bound.values():
        found = state.live(value)
        if type(value) is Defined:
            return False
        if found is safe.ABSENT:
            continue
        if type(found) is types.FunctionType and not safe.comes_from(found, LIBRARY):
            return False
        if blocks.is_frame(found) or blocks.is_series(found) or tables.is_index(found) or tensors.is_ndarray(found):
            continue
        if not checks.is_harmless(found):
            return False
    return True


def check_signature(callee: Any, site: CallSite) -> Finding | None:
    """Bind the arguments as the decorator does that checks them. Source: `sklearn.utils._param_validation`."""
    own = safe.instance_dict(callee) or {}
    if "_skl_parameter_constraints" not in own or type(own.get("__wrapped__")) is not types.FunctionType:
        return None
    try:
        inspect.signature(callee).bind(*[None] * len(site.arguments), **dict.fromkeys(site.keywords))
    except TypeError as error:
        finding = raised(error, NAMES, "for these arguments")
        return finding._replace(rule="sklearn.does-not-bind", crash_type="invalid argument")
    return None


def check_parameters(callee: Any, bound: dict[str, Value], state: State) -> Finding | None:
    """Ask the library whether a function takes these values, as `sklearn.utils._param_validation` does since 1.2."""
    constraints = (safe.instance_dict(callee) or {}).get("_skl_parameter_constraints")
    check: Any = safe.loaded("sklearn.utils._param_validation", "validate_parameter_constraints")
    if type(constraints) is not dict or not safe.comes_from(check, LIBRARY):
        return None
    known: dict[str, Any] = {}
    levels = []
    for name, value in bound.items():
        data = estimator_data.of(value, state) if name in constraints else None
        found = data.object if data is not None and data.real else state.live(value)
        if found is safe.ABSENT or (data is None and not checks.is_harmless(found)) or checks.holds_holes(found):
            continue
        if name in constraints:
            known[name] = found
            levels.append(value)
    return ask(
        lambda: check(constraints, known, caller_name=callee.__qualname__), state.level(*levels), "for these arguments"
    )


# -- splitting -----------------------------------------------------------------------------------------------------


def split(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow `train_test_split`."""
    values = [bound[name] for name in bound if name.startswith("*")]
    options = {name: bound[name] for name in bound if not name.startswith("*")}
    known = {name: state.live(value) for name, value in options.items() if name != "stratify"}
    if not values or safe.ABSENT in known.values() or not all(map(checks.is_harmless, known.values())):
        return _split_unknown(values, site, state)
    data = [estimator_data.of(value, state) for value in values]
    rows = [estimator_data.rows_of(value, state) for value in values]
    stratify = estimator_data.of(options["stratify"], state) if "stratify" in options else estimator_data.NOTHING
    seed = known.get("random_state")
    repeats = type(seed) is int or known.get("shuffle") is False
    whole = stratify is not None and stratify.real and not stratify.chosen
    if repeats and whole and all(each is not None and each.real and not each.chosen for each in data):
        return _split_for_real(callee, data, dict(known), stratify, state)
    if None in rows:
        return _split_unknown(values, site, state)
    return _split_structure(callee, values, rows, dict(known), stratify, site, state)


def _split_for_real(
    callee: Any, data: list[Data | None], known: dict[str, Any], stratify: Data | None, state: State
) -> Value | Finding:
    assert stratify is not None
    try:
        with estimator_data.quiet():
            found = callee(*(each.object for each in data if each is not None), stratify=stratify.object, **known)
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return raised(error, VALUES, "for these values")
    for each in found:
        if tables.is_table(each):
            tables.keep(each, state)
    return Known(found)


def _split_unknown(values: list[Value], site: CallSite, state: State) -> Value | None:
    if not values:
        return None
    state.may_raise(site.node, "the split may raise")
    return Known([Hole(UNKNOWN) for _ in range(2 * len(values))])


def _split_structure(
    callee: Any,
    values: list[Value],
    rows: list[int | None],
    known: dict[str, Any],
    stratify: Data | None,
    site: CallSite,
    state: State,
) -> Value | Finding | None:
    """Follow a split of which only the sizes are known."""
    numpy: Any = safe.loaded("numpy")
    finding = checks.check_lengths(rows)
    if finding is not None:
        return finding
    first = rows[0]
    assert first is not None
    if first > 5_000_000:
        return _split_unknown(values, site, state)
    if not isinstance(known.get("random_state"), int):
        known["random_state"] = 0
    if known.get("shuffle") is False or stratify is None or stratify.chosen or not stratify.real:
        by = None
    else:
        by = stratify.object
    try:
        with estimator_data.quiet():
            places = numpy.broadcast_to(numpy.zeros(1, "i1"), (first,))
            sizes = [len(each) for each in callee(places, stratify=by, **known)]
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return raised(error, SCHEMA if by is None else VALUES, "for this number of samples")
    if stratify is None or not stratify.real or stratify.chosen:
        state.may_raise(site.node, "the split may raise")
    parts: list[Value] = []
    for value in values:
        parts += [rows_drawn(value, size, state) for size in sizes]
    return Known([as_element(each) for each in parts])


def rows_drawn(value: Value, rows: int, state: State) -> Value:
    """Return rows of a value that are drawn at random."""
    form: Any = state.form(value, SHAPE)
    found: Value = UNKNOWN
    if blocks.is_frame(form) or blocks.is_series(form):
        made = tables.stand_in(form, rows)
        if made is not None:
            found = Like(tables.keep(made[0], state), made[1] & state.knows(value))
    elif tensors.is_ndarray(form) and form.dtype.kind in array_forms.KINDS and form.ndim:
        made_array = array_forms.stand_in((rows, *array_forms.shape_of(form)[1:]), form.dtype)
        found = Like(made_array, frozenset([SHAPE, DTYPE]) & state.knows(value))
    if found is UNKNOWN:
        return found
    drawn = estimator_data.drawn_of(value, state)
    data = estimator_data.of(value, state)
    if drawn is not None:
        estimator_data.draw(found, drawn.source, rows, state)
    else:
        source = estimator_data.whole(value, data, state)
        if source is not None:
            estimator_data.draw(found, source, rows, state)
    return found


# -- scores --------------------------------------------------------------------------------------------------------

SCORES = frozenset(
    "accuracy_score balanced_accuracy_score f1_score fbeta_score precision_score recall_score jaccard_score "
    "confusion_matrix classification_report precision_recall_fscore_support multilabel_confusion_matrix "
    "cohen_kappa_score matthews_corrcoef hamming_loss zero_one_loss log_loss brier_score_loss roc_auc_score roc_curve "
    "precision_recall_curve average_precision_score auc top_k_accuracy_score mean_squared_error "
    "root_mean_squared_error mean_absolute_error median_absolute_error r2_score explained_variance_score max_error "
    "mean_absolute_percentage_error mean_squared_log_error root_mean_squared_log_error mean_pinball_loss "
    "adjusted_rand_score rand_score normalized_mutual_info_score adjusted_mutual_info_score homogeneity_score "
    "completeness_score v_measure_score fowlkes_mallows_score mutual_info_score det_curve d2_absolute_error_score "
    "compute_class_weight compute_sample_weight label_binarize scale minmax_scale maxabs_scale robust_scale "
    "normalize binarize hinge_loss mean_poisson_deviance mean_gamma_deviance".split()
)
"""Functions of numbers alone: quick, without threads and random numbers; they leave their arguments alone."""


def score(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function that compares targets, or computes something of them."""
    data = {name: estimator_data.of(value, state) for name, value in bound.items()}
    known: dict[str, Any] = {}
    for name, value in bound.items():
        each = data[name]
        found = each.object if each is not None and each.real and not each.chosen else state.live(value)
        if found is safe.ABSENT or (each is None and not checks.is_harmless(found)) or checks.holds_holes(found):
            break
        known[name] = found
    else:
        if bound.get("copy") is not None or callee.__name__ == "auc":
            return None
        try:
            with estimator_data.quiet():
                result = callee(**known)
        except Exception as error:  # noqa: BLE001 - the library is the oracle
            return raised(error, VALUES, "for these values")
        return Known(result) if _is_plain_result(result) else UNKNOWN
    pair = [bound[name] for name in ("y_true", "y_pred", "y_score", "y_prob", "y_proba") if name in bound]
    finding = checks.check_lengths([estimator_data.rows_of(value, state) for value in pair[:2]])
    return finding or _score_of_prediction(callee, bound, site, state)


def _is_plain_result(result: Any) -> bool:
    if safe.one_of(type(result), (tuple, list)):
        return all(map(_is_plain_result, result))
    return (
        safe.one_of(type(result), (*safe.SCALARS, dict)) or tensors.is_ndarray(result) or array_forms.is_scalar(result)
    )


# -- predictions -------------------------------------------------------------------------------------------------


PREDICTED = "sklearn.predicted"
"""Where the walk keeps which stand-ins were predicted, with the classes of their estimator, if it has any."""


def predicted(value: Value | None, state: State) -> tuple[bool, Any]:
    """Return whether a value is what an estimator predicted, and the classes that it could choose from.

    Of shares of classes the second is their number, and the first False.
    """
    if type(value) is not Like or state.form(value) is not value.object:
        return False, None
    found = state.memo.get(PREDICTED, {}).get(id(value.object))
    return (False, None) if found is None else (type(found[1]) is not int, found[1])


def _score_of_prediction(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Compare a known target with a prediction: of whatever could be predicted, all must raise the same."""
    numpy: Any = safe.loaded("numpy")
    name = next((each for each in ("y_pred", "y_score") if each in bound), None)
    if name is None or "y_true" not in bound:
        return None
    truth = estimator_data.of(bound["y_true"], state)
    is_predicted, classes = predicted(bound[name], state)
    rows = estimator_data.rows_of(bound[name], state)
    if not is_predicted and type(classes) is not int:
        return None
    if truth is None or not truth.real or truth.chosen or rows is None or rows != truth.rows:
        return None
    others = {each: state.live(value) for each, value in bound.items() if each not in (name, "y_true")}
    if not all(each is not safe.ABSENT and checks.is_harmless(each) for each in others.values()):
        return None
    if rows > estimator_data.MAX_CELLS:
        return None
    if type(classes) is int:
        shares = numpy.zeros((rows, classes))
        shares[:, 0] = 1
        guesses = [numpy.full((rows, classes), 1 / classes), shares, numpy.roll(shares, 1, axis=1)]
    elif classes is None:
        guesses = [numpy.linspace(0.25, 1.125, rows)]
    else:
        ends = numpy.unique(classes[[0, -1]])
        guesses = [numpy.resize(each, rows) for each in [ends[:1], ends[-1:], ends, classes]]
    outcomes = []
    for guess in guesses:
        try:
            with estimator_data.quiet():
                outcomes.append(callee(y_true=truth.object, **{name: guess}, **others))
        except Exception as error:  # noqa: BLE001 - the library is the oracle
            outcomes.append(error)
    crashes = [each for each in outcomes if isinstance(each, Exception)]
    if not crashes:
        state.may_raise(site.node, "{} may raise".format(callee.__name__))
        return _likely_number(outcomes)
    if len(crashes) < len(outcomes) or len({type(each) for each in crashes}) != 1:
        return None
    finding = raised(crashes[0], VALUES, "for whatever is predicted")
    if classes is None:
        # A regressor may predict whole numbers, which would do.
        state.suspect(finding, site.node)
        return None
    return finding


def _likely_number(outcomes: list[Any]) -> Value:
    if all(type(each) is float for each in outcomes):
        return Made("number", type=float)
    if all(array_forms.is_scalar(each) for each in outcomes):
        return Like(outcomes[0], frozenset([SHAPE, DTYPE]))
    return Made("text") if all(type(each) is str for each in outcomes) else UNKNOWN


# -- cross-validation ----------------------------------------------------------------------------------------------


def cross_validation(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow `cross_val_score` and its like: the estimator is cloned, and stays as it is."""
    estimator = composites.estimator_of(bound.get("estimator"), state)
    if estimator is None:
        return None
    features, target = (estimator_data.of(bound.get(name), state) for name in ("X", "y"))
    groups = estimator_data.whole_of(bound.get("groups"), state)
    cv = state.live(bound["cv"]) if "cv" in bound else None
    score = state.live(bound["error_score"]) if "error_score" in bound else None
    predicts = callee.__name__ == "cross_val_predict"
    if cv is safe.ABSENT or state.is_changed(cv) or score is safe.ABSENT:
        return None
    if not predicts and ("scoring" not in bound or state.live(bound["scoring"]) is None):
        finding = composites.check_scoring(estimator)
        if finding is not None:
            # `cross_validate` looks at the lengths first.
            rows = [estimator_data.rows_of(bound.get(name), state) for name in ("X", "y")]
            return (checks.check_lengths(rows) if callee.__name__ == "cross_validate" else None) or finding
    how = "raise" if predicts else score
    finding = composites.check_folds(estimator, cv, features, target, how, groups=groups, predicts=predicts)
    if finding is not None:
        return finding
    found = _validated(callee.__name__, bound, _number_of_folds(cv, features), state)
    if found is not None:
        state.may_raise(site.node, "the cross-validation may raise")
    return found


def _number_of_folds(cv: Any, features: Data | None) -> int | None:
    if cv is None or type(cv) is int:
        return 5 if cv is None else cv
    return None if splits.copy_of(cv) is None else splits.count_of(cv, None if features is None else features.rows)


def _validated(name: str, bound: dict[str, Value], count: int | None, state: State) -> Value | None:
    """Return what a cross-validation returns."""
    scores: Value = Foreign("numpy")
    if count is not None and 0 < count < estimator_data.MAX_CELLS:
        scores = array_forms.like((count,), safe.loaded("numpy").dtype("f8"))
    if name == "cross_val_score":
        return scores
    names = _names_of_scores(bound.get("scoring"), state)
    returned = [state.live(bound[each]) if each in bound else False for each in _RETURNED]
    if name != "cross_validate" or names is None or not all(type(each) is bool for each in returned):
        return None
    table: dict[str, object] = {each: as_element(scores) for each in ("fit_time", "score_time")}
    for each, wanted in zip(("estimator", "indices"), returned[1:]):
        if wanted:
            table[each] = as_element(Foreign(LIBRARY))
    for each in names:
        table["test_" + each] = as_element(scores)
        if returned[0]:
            table["train_" + each] = as_element(scores)
    return Known(table)


_RETURNED = ("return_train_score", "return_estimator", "return_indices")


def _names_of_scores(scoring: Value | None, state: State) -> list[str] | None:
    """Return the names under which `cross_validate` returns its scores; None if they are not known."""
    found: Any = None if scoring is None else state.plain(scoring)
    if found is None or type(found) is str:
        return ["score"]
    several = safe.one_of(type(found), (list, tuple, dict)) and all(type(each) is str for each in found)
    return list(found) if several else None


# -- making --------------------------------------------------------------------------------------------------------


def clone(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow `clone`."""
    estimator = composites.estimator_of(bound.get("estimator"), state)
    if estimator is None:
        return None
    return Like(composites.deep_copy(estimator, fitted=False), composites.NO_STRUCTURE)


def make_pipeline(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow `make_pipeline` and `make_column_transformer`, which only make the estimator."""
    holes: list[object] = []
    arguments = [composites.argument(bound[name], state, holes) for name in bound if name.startswith("*")]
    keywords = {name: composites.argument(bound[name], state, holes) for name in bound if not name.startswith("*")}
    if not all(map(checks.is_harmless, [*arguments, *keywords.values()])) or any(
        type(each) is Hole for each in arguments
    ):
        return None
    try:
        with estimator_data.quiet():
            made = callee(*arguments, **keywords)
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return None if holes else raised(error, VALUES, "for these arguments")
    return Like(made, composites.NO_STRUCTURE) if holes else Known(made)


_DATA_SETS = frozenset(
    "make_classification make_regression make_blobs make_moons make_circles make_gaussian_quantiles make_friedman1 "
    "make_friedman2 make_friedman3 make_s_curve make_swiss_roll make_hastie_10_2 make_sparse_uncorrelated".split()
)
MAX_SAMPLES = 20_000


def make_data(callee: Any, bound: dict[str, Value], site: CallSite, state: State) -> Value | Finding | None:
    """Follow the making of a data set: with a seed it is known, else its structure is."""
    known = {name: state.live(value) for name, value in bound.items()}
    if not all(each is not safe.ABSENT and checks.is_harmless(each) for each in known.values()):
        return None
    if any(checks.is_random_state(each) for each in known.values()) or any(name.startswith("*") for name in known):
        return None
    counts: list[Any] = [known.get(name, 100) for name in ("n_samples", "n_features")]
    if any(type(each) is not int or each > MAX_SAMPLES for each in counts) or counts[0] * counts[1] > 10 * MAX_SAMPLES:
        return None
    if any(each > 10**6 for name, each in known.items() if type(each) is int and name != "random_state"):
        return None
    seeded = type(known.get("random_state")) is int
    try:
        with estimator_data.quiet():
            found = callee(**{**known, "random_state": known["random_state"] if seeded else 0})
    except Exception as error:  # noqa: BLE001 - the library is the oracle
        return raised(error, VALUES, "for these arguments")
    if seeded:
        return Known(found)
    if type(found) is not tuple or not all(tensors.is_ndarray(each) for each in found):
        return None
    return Known(tuple(as_element(array_forms.like(array_forms.shape_of(each), each.dtype)) for each in found))


_FOLLOWED: dict[str, Any] = {
    "train_test_split": split,
    "clone": clone,
    **dict.fromkeys(SCORES, score),
    **dict.fromkeys(("cross_val_score", "cross_validate", "cross_val_predict"), cross_validation),
    **dict.fromkeys(("make_pipeline", "make_column_transformer", "make_union"), make_pipeline),
    **dict.fromkeys(_DATA_SETS, make_data),
}

HANDLERS = {"call": [call]}
