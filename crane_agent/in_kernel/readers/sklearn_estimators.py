"""How scikit-learn keeps an estimator: read from instance dictionaries, and from where its classes take the rest.

No property is run. Where one of scikit-learn's own asks an estimator inside for its answer, that one is looked at;
where somebody else's code would compute it, nothing is known.
"""

from __future__ import annotations

import types
from typing import Any

from .. import safe
from . import blocks

MAX_DEPTH = 5
"""Estimators inside one another that are looked at."""


def is_estimator(value: object) -> bool:
    """Whether the type of `value` inherits from `sklearn.base.BaseEstimator`."""
    return safe.inherits(type(value), safe.loaded("sklearn.base", "BaseEstimator"))


def named_pairs(value: Any) -> list[tuple[str, Any]]:
    """Return name and estimator of the tuples that steps are listed as."""
    if not safe.one_of(type(value), (list, tuple)):
        return []
    found = [each for each in list(value) if type(each) is tuple and len(each) >= 2 and type(each[0]) is str]
    return [(each[0], each[1]) for each in found]


# -- Fitted or not ----------------------------------------------------------------------------------------------------


def is_fitted(value: object, depth: int = MAX_DEPTH) -> bool | None:
    """Whether an estimator counts as fitted; None where only its own code could tell, or where it needs no fit.

    A fitted estimator has attributes that end in an underscore, `sklearn.utils.validation.check_is_fitted`, unless its
    class has ``__sklearn_is_fitted__``. Those of the libraries are known: `FunctionTransformer` is always fitted,
    `Pipeline` when its last step is, `FeatureUnion` when all are, `FrozenEstimator` when what it holds is; `LGBMModel`
    when its ``fitted_`` is true, `XGBModel` when it has ``_Booster``.
    """
    own = safe.instance_dict(value)
    if own is None or depth == 0:
        return None
    says = safe.in_type(type(value), "__sklearn_is_fitted__")
    if says is safe.ABSENT:
        has_attributes = any(name.endswith("_") and not name.startswith("__") for name in list(own))
        return True if has_attributes else False if needs_fit(value) else None
    if safe.comes_from(says, "lightgbm"):
        found = own.get("fitted_", False)
        return found if type(found) is bool else None
    if safe.comes_from(says, "xgboost"):
        return "_Booster" in own
    return _delegated_fitted(says, own, depth - 1) if safe.comes_from(says, "sklearn") else None


def _delegated_fitted(says: Any, own: dict[str, Any], depth: int) -> bool | None:
    owner = defining_class(says)
    if owner == "FunctionTransformer":
        return True
    if owner == "FrozenEstimator":
        return is_fitted(own.get("estimator"), depth) if is_estimator(own.get("estimator")) else None
    if owner == "Pipeline":
        steps = named_pairs(own.get("steps"))
        # What a last step that is no estimator means has changed between versions.
        return is_fitted(steps[-1][1], depth) if steps and is_estimator(steps[-1][1]) else None
    if owner == "FeatureUnion":
        inner = [each for _, each in named_pairs(own.get("transformer_list")) if type(each) is not str]
        found = [is_fitted(each, depth) if is_estimator(each) else None for each in inner]
        return False if False in found else True if found and None not in found else None
    return None


def defining_class(function: Any) -> str:
    """Return the class that a function was defined in."""
    return str(function.__qualname__).partition(".")[0]


def needs_fit(value: object) -> bool | None:
    """Whether an estimator must be fitted before use; None if its class computes that, False if it says so.

    Source: scikit-learn's developer guide, "Estimator Tags": `requires_fit`, and `stateless` before 1.6. The functions
    that set the tags are looked at, never run.
    """
    for base in safe.mro(type(value)):
        entries = safe.class_dict(base)
        if not safe.only_texts(entries):
            return None
        for name in ("__sklearn_tags__", "_more_tags", "_get_tags"):
            function = entries.get(name)
            if function is None:
                continue
            if type(function) is not types.FunctionType:
                return None
            if not _mentions(function, ("requires_fit", "stateless")):
                continue
            return False if safe.comes_from(function, "sklearn") else None
    return True


def _mentions(function: types.FunctionType, words: tuple[str, ...]) -> bool:
    code = function.__code__
    constants = [each for each in code.co_consts if type(each) is tuple]
    texts = [
        *code.co_names,
        *(each for each in code.co_consts if type(each) is str),
        *(each for inner in constants for each in inner if type(each) is str),
    ]
    # A docstring may say it, too.
    return any(word in texts for word in words)


# -- What it was fitted on --------------------------------------------------------------------------------------------

# Classes of scikit-learn whose property `n_features_in_` asks an estimator inside: where that is. Sources:
# `sklearn/pipeline.py`, `model_selection/_search.py`, `ensemble/_voting.py`, `ensemble/_stacking.py`,
# `compose/_target.py`, `feature_selection/_from_model.py`, the same from 1.2 to 1.8.
_ASKED = {
    "Pipeline": ("steps", "pairs"),
    "FeatureUnion": ("transformer_list", "pairs"),
    "BaseSearchCV": ("best_estimator_", "one"),
    "_BaseVoting": ("estimators_", "first"),
    "_BaseStacking": ("estimators_", "first"),
    "TransformedTargetRegressor": ("regressor_", "one"),
    "SelectFromModel": ("estimator_", "one"),
}


def _asked(value: object, name: str) -> object:
    """Return the estimator inside that a property of scikit-learn's own asks for the attribute `name`, or None."""
    entry: Any = safe.in_type(type(value), name)
    if type(entry) is not property or not safe.comes_from(entry.fget, "sklearn"):
        return None
    place, how = _ASKED.get(defining_class(entry.fget), ("", ""))
    found = (safe.instance_dict(value) or {}).get(place)
    if how == "pairs":
        pairs = named_pairs(found)
        found = pairs[0][1] if pairs else None
    elif how == "first":
        found = found[0] if type(found) is list and len(found) > 0 else None
    return found if is_estimator(found) else None


def n_features(value: object, depth: int = MAX_DEPTH) -> int | None:
    """Return ``n_features_in_``; None if there is none, or only code could tell."""
    own = safe.instance_dict(value) or {}
    if "n_features_in_" in own:
        return whole_number(own["n_features_in_"])
    entry = safe.in_type(type(value), "n_features_in_")
    if type(entry) is property and safe.comes_from(entry.fget, "lightgbm"):
        return whole_number(own.get("_n_features_in")) if own.get("fitted_") is True else None
    inner = _asked(value, "n_features_in_")
    return n_features(inner, depth - 1) if inner is not None and depth > 0 else None


def feature_names(value: object, depth: int = MAX_DEPTH) -> list[str] | None:
    """Return ``feature_names_in_``; None if there is none, or only code could tell."""
    own = safe.instance_dict(value) or {}
    if "feature_names_in_" in own:
        return _names(own["feature_names_in_"])
    inner = _asked(value, "feature_names_in_")
    return feature_names(inner, depth - 1) if inner is not None and depth > 0 else None


def takes_columns_by_label(value: object, depth: int = MAX_DEPTH) -> bool:
    """Whether what meets the data first is a ColumnTransformer: it takes its columns, and lets others be there."""
    inner = _asked(value, "n_features_in_")
    if inner is not None and depth > 0:
        return takes_columns_by_label(inner, depth - 1)
    return safe.inherits(type(value), safe.loaded("sklearn.compose._column_transformer", "ColumnTransformer"))


def whole_number(found: Any) -> int | None:
    """Return a whole number, Python's or numpy's, as Python's; None for anything else."""
    plain = found.item() if safe.is_exactly(found, "numpy", "int64") else found
    return plain if type(plain) is int else None


def _names(names: Any) -> list[str] | None:
    if not safe.is_exactly(names, "numpy", "ndarray") or len(names.shape) != 1 or names.shape[0] > blocks.MAX_COLUMNS:
        return None
    listed = names.tolist()
    return listed if safe.only_texts(listed) else None


# -- What it takes ----------------------------------------------------------------------------------------------------


def parameter_names(cls: type) -> list[str] | None:
    """Return the parameters of an estimator class as `BaseEstimator._get_param_names` does; None if not certain."""
    entry: Any = safe.in_type(cls, "__init__")
    if (
        type(entry) is not types.FunctionType
        or "__wrapped__" in entry.__dict__
        or "deprecated_original" in entry.__dict__
    ):
        return [] if entry is object.__init__ else None
    code = entry.__code__
    if code.co_flags & 0x0C:  # *args or **kwargs
        return None
    return list(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


def has_parameter(value: object, name: str, depth: int = MAX_DEPTH) -> bool | None:
    """Whether ``set_params`` of an estimator takes a parameter; None if only code could tell.

    Source: `BaseEstimator.set_params` and `_BaseComposition._set_params`, `sklearn/base.py` and
    `sklearn/utils/metaestimators.py`: what stands before ``__`` is a parameter or a step.
    """
    methods = [safe.in_type(type(value), method) for method in ("set_params", "get_params", "_get_param_names")]
    if not is_estimator(value) or depth == 0 or not all(_is_sklearns(each) for each in methods):
        return None
    own = safe.instance_dict(value) or {}
    known = parameter_names(type(value))
    if known is None:
        return None
    first, delimiter, rest = name.partition("__")
    steps = dict(pair for place in ("steps", "transformer_list", "estimators") for pair in named_pairs(own.get(place)))
    steps.update(named_pairs(own.get("transformers")))
    if first not in known and first not in steps:
        return False
    if not delimiter:
        return True
    inner = steps.get(first, own.get(first))
    if type(inner) is str or inner is None or safe.one_of(type(inner), (int, float, bool)):
        return False
    return has_parameter(inner, rest, depth - 1)


def _is_sklearns(entry: Any) -> bool:
    function = entry.__func__ if type(entry) is classmethod else entry
    return safe.comes_from(function, "sklearn")
