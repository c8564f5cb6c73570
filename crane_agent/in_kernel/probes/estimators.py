"""scikit-learn estimators and their kin."""

from __future__ import annotations

import operator
from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field


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
    fitted = [name for name in list(own) if name.endswith("_") and not name.startswith("__")]
    names = own.get("feature_names_in_")
    settings = {
        name: each
        for name, each in sorted(own.items(), key=operator.itemgetter(0))
        if not name.endswith("_") and not name.startswith("_")
    }
    shown = list(settings)[: budget.items]
    return {
        "kind": "estimator",
        "fitted": is_fitted(value),
        "fitted_attributes": sorted(fitted)[: budget.items],
        "n_features_in": _count(own.get("n_features_in_")),
        "feature_names_in": _names(names, budget),
        "parameters": {name: safe.number(settings[name]) for name in shown},
        "truncated": len(settings) > len(shown),
    }


def is_fitted(value: object) -> bool | None:
    """Whether an estimator counts as fitted; None where only its own code could tell."""
    own = safe.instance_dict(value)
    if own is None or safe.in_type(type(value), "__sklearn_is_fitted__") is not safe.ABSENT:
        return None
    return any(name.endswith("_") and not name.startswith("__") for name in list(own))


def _count(found: Any) -> int | None:
    plain = found.item() if safe.is_exactly(found, "numpy", "int64") else found
    return plain if type(plain) is int else None


def _names(names: Any, budget: safe.Budget) -> list[str] | None:
    if not safe.is_exactly(names, "numpy", "ndarray") or len(names.shape) != 1:
        return None
    return [safe.text(each) for each in names[: budget.items].tolist() if type(each) is str]


FIELDS = {
    "fitted": Field(SCHEMA, "whether an estimator is fitted"),
    "fitted_attributes": Field(NAMES, "attributes that fitting has made"),
    "n_features_in": Field(SCHEMA, "number of features it was fitted on"),
    "feature_names_in": Field(SCHEMA, "names of the features it was fitted on"),
}
PROBES = {"estimator": estimator}
