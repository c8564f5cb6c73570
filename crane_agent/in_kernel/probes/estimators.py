"""scikit-learn estimators and their kin."""

from __future__ import annotations

from typing import Any

from .. import paths, safe


def estimator(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe an estimator: parameters, fitted or not, number and names of the features it was fitted on."""
    value = paths.resolve(path, shell.user_ns)
    if not is_estimator(value):
        raise safe.Refused("could not look, because {} is a {}, not an estimator".format(path, safe.type_name(value)))
    return dict({"path": path, "type": safe.type_name(value)}, **facts(value, budget))


def is_estimator(value: object) -> bool:
    """Whether the type of `value` inherits from `sklearn.base.BaseEstimator`."""
    return safe.inherits(type(value), safe.loaded("sklearn.base", "BaseEstimator"))


def facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    """Return what an estimator's own dictionary says.

    A fitted estimator has attributes that end in an underscore, `sklearn.utils.validation.check_is_fitted`; where the
    class says otherwise (``__sklearn_is_fitted__``, or its tag `requires_fit` is false) the answer is None: unknown.
    """
    own = safe.instance_dict(value) or {}
    fitted = [name for name in own if type(name) is str and name.endswith("_") and not name.startswith("__")]
    names = own.get("feature_names_in_")
    settings = {
        name: each
        for name, each in sorted(own.items())
        if type(name) is str and not name.endswith("_") and not name.startswith("_")
    }
    shown = list(settings)[: budget.items]
    return {
        "kind": "estimator",
        "fitted": is_fitted(value),
        "fitted_attributes": sorted(fitted)[: budget.items],
        "n_features_in": own.get("n_features_in_") if type(own.get("n_features_in_")) is int else None,
        "feature_names_in": _names(names, budget),
        "parameters": {
            name: settings[name]
            if safe.one_of(type(settings[name]), (int, float, bool, type(None)))
            else safe.type_name(settings[name])
            for name in shown
        },
        "truncated": len(settings) > len(shown),
    }


def is_fitted(value: object) -> bool | None:
    """Whether an estimator counts as fitted; None where only its own code could tell."""
    own = safe.instance_dict(value)
    if own is None or safe.in_type(type(value), "__sklearn_is_fitted__") is not safe.ABSENT:
        return None
    return any(type(name) is str and name.endswith("_") and not name.startswith("__") for name in own)


def _names(names: Any, budget: safe.Budget) -> list[str] | None:
    if not safe.is_exactly(names, "numpy", "ndarray") or len(names.shape) != 1:
        return None
    return [each for each in names[: budget.items].tolist() if type(each) is str]
