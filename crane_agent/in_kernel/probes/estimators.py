"""scikit-learn estimators and their kin: lightgbm, xgboost, catboost."""

from __future__ import annotations

import operator
from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import blocks, sklearn_estimators
from ..readers.sklearn_estimators import MAX_DEPTH, is_estimator


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
    names = sklearn_estimators.feature_names(value)
    return {
        "kind": "estimator",
        "fitted": sklearn_estimators.is_fitted(value),
        "fitted_attributes": sorted(fitted)[: budget.items],
        "n_features_in": sklearn_estimators.n_features(value),
        "feature_names_in": None if names is None else [safe.text(each) for each in names[: budget.items]],
        "parameters": {name: safe.number(settings[name]) for name in shown},
        "truncated": max(len(settings), len(fitted), len(names or ())) > budget.items,
    }


# -- What it was fitted on --------------------------------------------------------------------------------------------


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
    wanted = sklearn_estimators.feature_names(value)
    answer: dict[str, Any] = {
        "path": path,
        "type": safe.type_name(data),
        "shape": shape,
        "n_features": shape[1] if len(shape) == 2 else None,
        "takes_columns_by_label": sklearn_estimators.takes_columns_by_label(value),
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
    found: dict[str, Any] = {"needs_fit": sklearn_estimators.needs_fit(value)}
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
            pairs = sklearn_estimators.named_pairs(own.get("steps"))
            inner = {"Pipeline": pairs[-1][1] if pairs else None, "BaseSearchCV": own.get("best_estimator_")}
            asked = inner.get(sklearn_estimators.defining_class(entry.fget))
            return _classes(asked, budget, depth - 1) if is_estimator(asked) else {}
        elif type(entry) is property and safe.comes_from(entry.fget, "xgboost"):
            count = sklearn_estimators.whole_number(own.get("n_classes_"))
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


def _steps(value: object, budget: safe.Budget, depth: int = MAX_DEPTH) -> list[dict[str, Any]]:
    """Return one record for each estimator inside: steps, transformers, the estimator that is searched or wrapped."""
    own = safe.instance_dict(value) or {}
    if depth == 0:
        return []
    records = []
    for place in ("steps", "transformer_list", "estimators"):
        records += [_step(name, each, budget, depth) for name, each in sklearn_estimators.named_pairs(own.get(place))]
    transformers: Any = own.get("transformers_", own.get("transformers"))
    for each in list(transformers) if safe.one_of(type(transformers), (list, tuple)) else []:
        if type(each) is tuple and len(each) == 3 and type(each[0]) is str:
            records.append(dict(_step(each[0], each[1], budget, depth), on_columns=_columns(each[2], budget)))
    named = [*(sklearn_estimators.parameter_names(type(value)) or []), "best_estimator_", "final_estimator_"]
    records += [_step(name, own[name], budget, depth) for name in named if is_estimator(own.get(name))]
    return records


def _step(name: str, each: object, budget: safe.Budget, depth: int) -> dict[str, Any]:
    record: dict[str, Any] = {"name": safe.text(name, 80), "type": safe.type_name(each)}
    if is_estimator(each):
        record["fitted"] = sklearn_estimators.is_fitted(each)
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
    has = [sklearn_estimators.has_parameter(own.get("estimator"), name) for name in names]
    return {
        "searched": [safe.text(name, 80) for name in names[: budget.items]],
        "not_parameters": None
        if None in has
        else [safe.text(name, 80) for name, known in zip(names, has) if not known][: budget.items],
    }


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
        "n_features_in": sklearn_estimators.whole_number(own.get("_n_features_in")),
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
