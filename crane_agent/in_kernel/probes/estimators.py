"""scikit-learn estimators and their kin: lightgbm, xgboost, catboost."""

from __future__ import annotations

import operator
import types
from typing import Any

from .. import blocks, paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field

MAX_DEPTH = 5
"""Estimators inside one another that are described."""


def estimator(shell: Any, budget: safe.Budget, path: str, frame: str | None = None) -> dict[str, Any]:
    """Describe an estimator: parameters, steps, fitted or not and on what; compare that with the data at `frame`."""
    value = paths.resolve(path, shell.user_ns)
    if is_estimator(value):
        found = dict(facts(value, budget), **_details(value, budget))
    elif _kin(value) is not None:
        found = _kin_facts(value, budget)
    else:
        raise safe.Refused("could not look, because {} is a {}, not an estimator".format(path, safe.type_name(value)))
    answer = dict({"path": path, "type": safe.type_name(value)}, **found)
    if frame is not None:
        answer["given"] = _given(value, frame, paths.resolve(frame, shell.user_ns), budget)
    return answer


def is_estimator(value: object) -> bool:
    """Whether the type of `value` inherits from `sklearn.base.BaseEstimator`."""
    return safe.inherits(type(value), safe.loaded("sklearn.base", "BaseEstimator"))


def facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    """Return what an estimator's own dictionary says, and where its class takes that from, the estimators inside."""
    own = safe.instance_dict(value) or {}
    fitted = [name for name in list(own) if name.endswith("_") and not name.startswith("__")]
    settings = {
        name: each
        for name, each in sorted(own.items(), key=operator.itemgetter(0))
        if not name.endswith("_") and not name.startswith("_")
    }
    shown = list(settings)[: budget.items]
    names = feature_names(value)
    return {
        "kind": "estimator",
        "fitted": is_fitted(value),
        "fitted_attributes": sorted(fitted)[: budget.items],
        "n_features_in": n_features(value),
        "feature_names_in": None if names is None else [safe.text(each) for each in names[: budget.items]],
        "parameters": {name: safe.number(settings[name]) for name in shown},
        "truncated": max(len(settings), len(fitted), len(names or ())) > budget.items,
    }


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
    owner = _owner(says)
    if owner == "FunctionTransformer":
        return True
    if owner == "FrozenEstimator":
        return is_fitted(own.get("estimator"), depth) if is_estimator(own.get("estimator")) else None
    if owner == "Pipeline":
        steps = _pairs(own.get("steps"))
        # What a last step that is no estimator means has changed between versions.
        return is_fitted(steps[-1][1], depth) if steps and is_estimator(steps[-1][1]) else None
    if owner == "FeatureUnion":
        inner = [each for _, each in _pairs(own.get("transformer_list")) if type(each) is not str]
        found = [is_fitted(each, depth) if is_estimator(each) else None for each in inner]
        return False if False in found else True if found and None not in found else None
    return None


def _owner(function: Any) -> str:
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
    place, how = _ASKED.get(_owner(entry.fget), ("", ""))
    found = (safe.instance_dict(value) or {}).get(place)
    if how == "pairs":
        pairs = _pairs(found)
        found = pairs[0][1] if pairs else None
    elif how == "first":
        found = found[0] if type(found) is list and len(found) > 0 else None
    return found if is_estimator(found) else None


def n_features(value: object, depth: int = MAX_DEPTH) -> int | None:
    """Return ``n_features_in_``; None if there is none, or only code could tell."""
    own = safe.instance_dict(value) or {}
    if "n_features_in_" in own:
        return _count(own["n_features_in_"])
    entry = safe.in_type(type(value), "n_features_in_")
    if type(entry) is property and safe.comes_from(entry.fget, "lightgbm"):
        return _count(own.get("_n_features_in")) if own.get("fitted_") is True else None
    inner = _asked(value, "n_features_in_")
    return n_features(inner, depth - 1) if inner is not None and depth > 0 else None


def feature_names(value: object, depth: int = MAX_DEPTH) -> list[str] | None:
    """Return ``feature_names_in_``; None if there is none, or only code could tell."""
    own = safe.instance_dict(value) or {}
    if "feature_names_in_" in own:
        return _names(own["feature_names_in_"])
    inner = _asked(value, "feature_names_in_")
    return feature_names(inner, depth - 1) if inner is not None and depth > 0 else None


def _takes_columns_by_label(value: object, depth: int = MAX_DEPTH) -> bool:
    """Whether what meets the data first is a ColumnTransformer: it takes its columns, and lets others be there."""
    inner = _asked(value, "n_features_in_")
    if inner is not None and depth > 0:
        return _takes_columns_by_label(inner, depth - 1)
    return safe.inherits(type(value), safe.loaded("sklearn.compose._column_transformer", "ColumnTransformer"))


def _count(found: Any) -> int | None:
    plain = found.item() if safe.is_exactly(found, "numpy", "int64") else found
    return plain if type(plain) is int else None


def _names(names: Any) -> list[str] | None:
    if not safe.is_exactly(names, "numpy", "ndarray") or len(names.shape) != 1 or names.shape[0] > blocks.MAX_COLUMNS:
        return None
    listed = names.tolist()
    return listed if safe.only_texts(listed) else None


def _given(value: object, path: str, data: Any, budget: safe.Budget) -> dict[str, Any]:
    """Compare the data that a fitted estimator is to be given with what it was fitted on."""
    labels: list[str] | None = None
    if blocks.is_frame(data):
        columns, index = blocks.axes(data)
        labels = _labels_of(columns)
        shape = [len(index), len(columns)]
    elif blocks.is_series(data):
        shape = [len(blocks.axes(data)[0])]
    elif safe.is_exactly(data, "numpy", "ndarray"):
        shape = [int(size) for size in data.shape]
    else:
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly a DataFrame, Series or array".format(
                path, safe.type_name(data)
            )
        )
    wanted = feature_names(value)
    answer: dict[str, Any] = {
        "path": path,
        "type": safe.type_name(data),
        "shape": shape,
        "n_features": shape[1] if len(shape) == 2 else None,
        "takes_columns_by_label": _takes_columns_by_label(value),
        "missing": None,
        "unknown_features": None,
        "in_fitting_order": None,
        "truncated": False,
    }
    if wanted is not None and labels is not None:
        there, known = set(labels), set(wanted)
        missing = [each for each in wanted if each not in there]
        unexpected = [each for each in labels if each not in known]
        answer["missing"] = [safe.text(each) for each in missing[: budget.items]]
        answer["unknown_features"] = [safe.text(each) for each in unexpected[: budget.items]]
        answer["in_fitting_order"] = None if missing or unexpected else labels == wanted
        answer["truncated"] = max(len(missing), len(unexpected)) > budget.items
    return answer


def _labels_of(columns: Any) -> list[str] | None:
    """Return the column labels if all are texts, which is when scikit-learn looks at them; else None."""
    held: Any = (safe.instance_dict(columns) or {}).get("_data")
    if safe.is_exactly(held, "numpy", "ndarray") and held.dtype.kind == "O" and len(held) <= blocks.MAX_COLUMNS:
        found = held.tolist()
    else:
        found = safe.labels(columns, blocks.MAX_COLUMNS)
    return found if found is not None and safe.only_texts(found) else None


# -- What it is made of -----------------------------------------------------------------------------------------------


def _details(value: object, budget: safe.Budget) -> dict[str, Any]:
    own = safe.instance_dict(value) or {}
    choices, texts = _words(value, own, budget)
    found: dict[str, Any] = {"needs_fit": needs_fit(value)}
    found.update((name, each) for name, each in (("choices", choices), ("texts", texts)) if each)
    found.update(_classes(value, budget))
    steps = _steps(value, budget)
    if steps:
        found["steps"] = steps[: budget.items]
    categories = own.get("categories_")
    if type(categories) is list:
        found["n_categories"] = [_length(each) for each in list(categories)[: budget.items]]
    vocabulary = own.get("vocabulary_")
    if type(vocabulary) is dict:
        found["n_words"] = len(vocabulary)
    if "param_grid" in own or "param_distributions" in own:
        found.update(_grid(own, budget))
    return found


def _words(value: object, own: dict[str, Any], budget: safe.Budget) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters that are texts: those the class lists as a choice, and the others.

    Source: `sklearn/utils/_param_validation.py`, `StrOptions`, from 1.2.
    """
    constraints = safe.in_type(type(value), "_parameter_constraints")
    table: dict[Any, Any] = constraints if type(constraints) is dict and safe.only_texts(list(constraints)) else {}
    choices, texts = {}, {}
    for name in sorted(own):
        each = own[name]
        if type(each) is not str or name.startswith("_") or name.endswith("_"):
            continue
        rules = table.get(name)
        if type(rules) is list and any(_lists(rule, each) for rule in list(rules)):
            choices[name] = each
        else:
            texts[name] = safe.text(each)
    return dict(list(choices.items())[: budget.items]), dict(list(texts.items())[: budget.items])


def _lists(rule: object, word: str) -> bool:
    if not safe.is_exactly(rule, "sklearn.utils._param_validation", "StrOptions"):
        return False
    options: Any = (safe.instance_dict(rule) or {}).get("options")
    return safe.one_of(type(options), (set, frozenset)) and safe.only_texts(list(options)) and word in options


def _classes(value: object, budget: safe.Budget, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return number, dtype and labels of the classes an estimator was fitted on; {} if they are not stored."""
    own = safe.instance_dict(value) or {}
    found: Any = own.get("classes_")
    if "classes_" not in own:
        entry: Any = safe.in_type(type(value), "classes_")
        if type(entry) is property and safe.comes_from(entry.fget, "lightgbm") and own.get("fitted_") is True:
            found = own.get("_classes")
        elif type(entry) is property and safe.comes_from(entry.fget, "sklearn") and depth > 0:
            pairs = _pairs(own.get("steps"))
            inner = {"Pipeline": pairs[-1][1] if pairs else None, "BaseSearchCV": own.get("best_estimator_")}
            asked = inner.get(_owner(entry.fget))
            return _classes(asked, budget, depth - 1) if is_estimator(asked) else {}
        elif type(entry) is property and safe.comes_from(entry.fget, "xgboost"):
            count = _count(own.get("n_classes_"))
            return {} if count is None else {"n_classes": count}
    if type(found) is list and found and all(safe.is_exactly(each, "numpy", "ndarray") for each in list(found)):
        return {"n_classes": [_length(each) for each in list(found)[: budget.items]]}
    if not safe.is_exactly(found, "numpy", "ndarray") or len(found.shape) != 1:
        return {}
    return {
        "n_classes": int(found.shape[0]),
        "class_dtype": str(found.dtype),
        "class_labels": _labels(found[: budget.items]),
    }


def _labels(found: Any) -> list[Any] | None:
    # Records and dates have no plain values; the elements of others are Python's own or of any class.
    listed = found.tolist() if found.dtype.kind in "biufUSO" else None
    if listed is None or not all(safe.one_of(type(each), safe.SCALARS) for each in listed):
        return None
    return [safe.text(each, 80) if safe.one_of(type(each), (str, bytes)) else safe.number(each) for each in listed]


def _length(value: Any) -> int | None:
    if safe.is_exactly(value, "numpy", "ndarray") and len(value.shape) == 1:
        return int(value.shape[0])
    return len(value) if type(value) is list else None


def _pairs(value: Any) -> list[tuple[str, Any]]:
    """Return name and estimator of the tuples that steps are listed as."""
    if not safe.one_of(type(value), (list, tuple)):
        return []
    found = [each for each in list(value) if type(each) is tuple and len(each) >= 2 and type(each[0]) is str]
    return [(each[0], each[1]) for each in found]


def _parameter_names(cls: type) -> list[str] | None:
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


def _steps(value: object, budget: safe.Budget, depth: int = MAX_DEPTH) -> list[dict[str, Any]]:
    """Return one record for each estimator inside: steps, transformers, the estimator that is searched or wrapped."""
    own = safe.instance_dict(value) or {}
    if depth == 0:
        return []
    records = []
    for place in ("steps", "transformer_list", "estimators"):
        records += [_step(name, each, budget, depth) for name, each in _pairs(own.get(place))]
    transformers: Any = own.get("transformers_", own.get("transformers"))
    for each in list(transformers) if safe.one_of(type(transformers), (list, tuple)) else []:
        if type(each) is tuple and len(each) == 3 and type(each[0]) is str:
            records.append(dict(_step(each[0], each[1], budget, depth), on_columns=_columns(each[2], budget)))
    named = [*(_parameter_names(type(value)) or []), "best_estimator_", "final_estimator_"]
    records += [_step(name, own[name], budget, depth) for name in named if is_estimator(own.get(name))]
    return records


def _step(name: str, each: object, budget: safe.Budget, depth: int) -> dict[str, Any]:
    record: dict[str, Any] = {"name": safe.text(name, 80), "type": safe.type_name(each)}
    if is_estimator(each):
        record["fitted"] = is_fitted(each)
        inner = _steps(each, budget, depth - 1)
        if inner:
            record["steps"] = inner[: budget.items]
    elif type(each) is str and each in ("passthrough", "drop"):
        record["does"] = each
    return record


def _columns(found: Any, budget: safe.Budget) -> Any:
    """Return the columns a transformer is given: labels or positions, or the type of what selects them."""
    if type(found) is str:
        return [safe.text(found)]
    if type(found) is int:
        return [found]
    if safe.is_exactly(found, "numpy", "ndarray") and len(found.shape) == 1:
        found = found[: budget.items].tolist()
    if type(found) is list and all(safe.one_of(type(each), (str, int, bool)) for each in list(found)):
        return [safe.text(each) if type(each) is str else safe.number(each) for each in found[: budget.items]]
    return safe.type_name(found)


def _grid(own: dict[str, Any], budget: safe.Budget) -> dict[str, Any]:
    """Return the parameters that a search varies, and those among them that its estimator does not have."""
    grid = own.get("param_grid", own.get("param_distributions"))
    tables = [grid] if type(grid) is dict else list(grid) if type(grid) is list else []
    names: list[str] = []
    for table in tables:
        if type(table) is dict:
            names += [name for name in list(table) if type(name) is str and name not in names]
    has = [_has_parameter(own.get("estimator"), name) for name in names]
    return {
        "searched": [safe.text(name, 80) for name in names[: budget.items]],
        "not_parameters": None
        if None in has
        else [safe.text(name, 80) for name, known in zip(names, has) if not known][: budget.items],
    }


def _has_parameter(value: object, name: str, depth: int = MAX_DEPTH) -> bool | None:
    """Whether ``set_params`` of an estimator takes a parameter; None if only code could tell.

    Source: `BaseEstimator.set_params` and `_BaseComposition._set_params`, `sklearn/base.py` and
    `sklearn/utils/metaestimators.py`: what stands before ``__`` is a parameter or a step.
    """
    methods = [safe.in_type(type(value), method) for method in ("set_params", "get_params", "_get_param_names")]
    if not is_estimator(value) or depth == 0 or not all(_is_sklearns(each) for each in methods):
        return None
    own = safe.instance_dict(value) or {}
    known = _parameter_names(type(value))
    if known is None:
        return None
    first, delimiter, rest = name.partition("__")
    steps = dict(pair for place in ("steps", "transformer_list", "estimators") for pair in _pairs(own.get(place)))
    steps.update(_pairs(own.get("transformers")))
    if first not in known and first not in steps:
        return False
    if not delimiter:
        return True
    inner = steps.get(first, own.get(first))
    if type(inner) is str or inner is None or safe.one_of(type(inner), (int, float, bool)):
        return False
    return _has_parameter(inner, rest, depth - 1)


def _is_sklearns(entry: Any) -> bool:
    function = entry.__func__ if type(entry) is classmethod else entry
    return safe.comes_from(function, "sklearn")


# -- Kin --------------------------------------------------------------------------------------------------------------


def _kin(value: object) -> str | None:
    """Return which library's model this is, of those that are no scikit-learn estimators."""
    for module, name in (
        ("catboost.core", "_CatBoostBase"),
        ("lightgbm.basic", "Booster"),
        ("xgboost.core", "Booster"),
    ):
        if safe.inherits(type(value), safe.loaded(module, name)):
            return module.partition(".")[0]
    return None


def _kin_facts(value: object, budget: safe.Budget) -> dict[str, Any]:
    """Return what the dictionary of a Booster or a CatBoost model shows; most of it is kept in C.

    Sources: `catboost/core.py` 1.2, `_CatBoostBase.is_fitted`: fitted when ``_random_seed`` is there;
    `lightgbm/basic.py` 4.6 and `xgboost/core.py` 2.0: a Booster is made by training or loading, as a rule.
    """
    own = safe.instance_dict(value) or {}
    library = _kin(value)
    settings = own.get("_init_params" if library == "catboost" else "params")
    table: dict[str, Any] = (
        {name: settings[name] for name in sorted(settings)}
        if type(settings) is dict and safe.only_texts(list(settings))
        else {}
    )
    shown = list(table)[: budget.items]
    texts = {name: safe.text(table[name]) for name in shown if type(table[name]) is str}
    found = {"texts": texts} if texts else {}
    return {
        **found,
        "kind": library,
        "fitted": own.get("_random_seed") is not None if library == "catboost" else None,
        "n_features_in": _count(own.get("_n_features_in")),
        "feature_names_in": None,
        "parameters": {name: safe.number(table[name]) for name in shown},
        "truncated": len(table) > len(shown),
    }


FIELDS = {
    "fitted": Field(SCHEMA, "whether an estimator is fitted"),
    "needs_fit": Field(NAMES, "whether an estimator must be fitted before it is used"),
    "fitted_attributes": Field(NAMES, "attributes that fitting has made"),
    "n_features_in": Field(SCHEMA, "number of features it was fitted on"),
    "feature_names_in": Field(SCHEMA, "names of the features it was fitted on"),
    "choices": Field(SCHEMA, "parameters that are one of the texts their class lists"),
    "texts": Field(VALUES, "parameters that are other texts"),
    "n_classes": Field(SCHEMA, "number of classes it was fitted on"),
    "class_dtype": Field(SCHEMA, "dtype of the class labels"),
    "class_labels": Field(VALUES, "labels of the classes"),
    "steps": Field(NAMES, "the estimators inside an estimator", records=True),
    "does": Field(NAMES, "passthrough or drop, in the place of a transformer"),
    "on_columns": Field(SCHEMA, "columns that a transformer is given"),
    "n_categories": Field(SCHEMA, "number of categories of each feature"),
    "n_words": Field(SCHEMA, "size of a vocabulary"),
    "searched": Field(SCHEMA, "parameters that a search varies"),
    "not_parameters": Field(SCHEMA, "those of them that its estimator does not have, null where that is not certain"),
    "given": Field(NAMES, "comparison of data with what an estimator was fitted on", records=True),
    "n_features": Field(SCHEMA, "number of features in the data"),
    "takes_columns_by_label": Field(NAMES, "whether more columns than those it was fitted on do no harm"),
    "unknown_features": Field(SCHEMA, "columns that it was not fitted on"),
    "in_fitting_order": Field(NAMES, "whether the columns are in the order of fitting"),
}
PROBES = {"estimator": estimator}
