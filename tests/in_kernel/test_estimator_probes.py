"""What `estimator` answers; scikit-learn, lightgbm, xgboost and catboost decide."""

import inspect
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    LabelEncoder,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from crane_agent.in_kernel import entry, wire

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 5, "b": [2.0, 1.0, 0.0, 5.0] * 5})
Y = np.array([0, 1, 1, 0] * 5)


def reply(value, *, level="schema", names=None, **arguments):
    shell = SimpleNamespace(user_ns=dict({"it": value}, **(names or {})), user_ns_hidden={}, execution_count=3)
    request = {"ask": "estimator", "arguments": dict({"path": "it"}, **arguments), "privacy": level}
    text = entry.answer(wire.dumps(request), shell)
    assert text == entry.answer(wire.dumps(request), shell), "the same question has the same answer"
    return json.loads(text)


def answer(value, **rest):
    found = reply(value, **rest)
    assert found["status"] == "ok", found
    return found["answer"]


def is_fitted(value):
    try:
        check_is_fitted(value)
    except NotFittedError:
        return False
    return True


def attribute(value, name):
    try:
        return getattr(value, name)
    except AttributeError:
        return None


LEAF = LogisticRegression()
MAKE = {
    "classifier": LogisticRegression,
    "forest": lambda: RandomForestClassifier(3),
    "scaler": StandardScaler,
    "neighbours": KNeighborsClassifier,
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "pipeline in a pipeline": lambda: make_pipeline(make_pipeline(StandardScaler()), LogisticRegression()),
    "union": lambda: FeatureUnion([("a", StandardScaler()), ("b", SelectKBest(k=1))]),
    "columns": lambda: ColumnTransformer([("a", StandardScaler(), [0])], remainder="passthrough"),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2),
    "random search": lambda: RandomizedSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2, n_iter=2),
    "search without refit": lambda: GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2, refit=False),
    "search of a pipeline": lambda: GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2
    ),
    "vote": lambda: VotingClassifier([("a", clone(LEAF)), ("b", RandomForestClassifier(2))]),
    "stack": lambda: StackingClassifier([("a", clone(LEAF)), ("b", RandomForestClassifier(2))], cv=2),
    "selection": lambda: SelectFromModel(clone(LEAF)),
    "target": lambda: TransformedTargetRegressor(LinearRegression()),
    "function": FunctionTransformer,
}


@pytest.mark.parametrize("name", MAKE)
def test_fitted_features_names_and_classes_are_those_of_sklearn(name):
    for value in (MAKE[name](), MAKE[name]().fit(X, Y), MAKE[name]().fit(X.to_numpy(), Y)):
        found = answer(value)
        assert found["fitted"] is is_fitted(value)
        assert found["n_features_in"] == attribute(value, "n_features_in_")
        names = attribute(value, "feature_names_in_")
        assert found["feature_names_in"] == (None if names is None else list(names))
        classes = attribute(value, "classes_")
        assert found.get("n_classes") == (None if classes is None else len(classes))


@pytest.mark.parametrize("make", [Normalizer, Binarizer])
def test_what_needs_no_fit_is_not_called_unfitted(make):
    value = make()
    value.transform(X.to_numpy())
    found = answer(value)
    assert (found["fitted"], found["needs_fit"]) == (None, False)
    assert answer(StandardScaler())["needs_fit"] is True


class Own(BaseEstimator):
    def __sklearn_is_fitted__(self):
        raise AssertionError("the user's code was run")

    @property
    def n_features_in_(self):
        raise AssertionError("a property was run")

    classes_ = feature_names_in_ = n_features_in_


class Tagged(BaseEstimator):
    def fit(self, X):
        return self

    def _more_tags(self):
        return {"requires_fit": bool(self)}


def test_what_only_the_users_code_could_tell_is_not_known():
    found = answer(Own())
    assert (found["fitted"], found["n_features_in"], found["feature_names_in"]) == (None, None, None)
    found = answer(Tagged())
    assert (found["fitted"], found["needs_fit"]) == (None, None)
    assert answer(make_pipeline(StandardScaler(), Own()))["fitted"] is None
    assert answer(make_pipeline(Own(), StandardScaler()))["n_features_in"] is None


def test_classes_are_counted_and_their_labels_are_values():
    value = LogisticRegression().fit(X, np.array(["yes", "no", "no", "yes"] * 5))
    found = reply(value)
    assert (found["answer"]["n_classes"], found["answer"]["class_dtype"]) == (2, str(value.classes_.dtype))
    assert "class_labels" in found["withheld"]
    assert "yes" not in json.dumps(found)
    assert answer(value, level="values")["class_labels"] == ["no", "yes"]
    assert answer(LabelEncoder().fit(["b", "a", "c"]))["n_classes"] == 3


def test_classes_of_several_outputs_are_counted_each():
    value = MultiOutputClassifier(LogisticRegression()).fit(X, np.c_[Y, np.arange(20) % 3])
    assert answer(value)["n_classes"] == [len(each) for each in value.classes_]


def test_only_texts_that_the_class_lists_are_shown():
    value = LogisticRegression(solver="saga")
    value.note = "secret"
    found = reply(value)
    assert found["answer"]["choices"]["solver"] == "saga"
    assert "secret" not in json.dumps(found)
    assert answer(value, level="values")["texts"]["note"] == "secret"
    value = LogisticRegression(solver="sage")
    assert "solver" not in answer(value).get("choices", {})
    assert answer(value, level="values")["texts"]["solver"] == "sage"


def test_steps_are_told_with_what_they_are_given():
    value = Pipeline(
        [
            ("columns", ColumnTransformer([("num", StandardScaler(), ["a"]), ("rest", "drop", [1])])),
            ("skip", "passthrough"),
            ("model", LogisticRegression()),
        ]
    )
    columns, skip, model = answer(value)["steps"]
    assert [each["name"] for each in (columns, skip, model)] == ["columns", "skip", "model"]
    assert skip["does"] == "passthrough"
    assert columns["steps"][0]["on_columns"] == ["a"]
    assert (columns["steps"][1]["does"], columns["steps"][1]["on_columns"]) == ("drop", [1])
    value.fit(X, Y)
    assert [each.get("fitted") for each in answer(value)["steps"]] == [True, None, True]


@pytest.mark.parametrize("name", ["C", "max_iter", "c", "C__x", "solver__", "n_estimators"])
def test_a_search_names_what_its_estimator_does_not_have(name):
    assert refused(LogisticRegression(), name) is (
        answer(GridSearchCV(LogisticRegression(), {name: [1]}))["not_parameters"] == [name]
    )


@pytest.mark.parametrize(
    "name",
    [
        "clf__C",
        "clf__n_estimators",
        "C",
        "clf",
        "pre__num__with_mean",
        "pre__num__with_std_",
        "memory",
        "pre__x__y",
        "steps",
    ],
)
def test_a_search_of_a_pipeline_names_what_its_steps_do_not_have(name):
    value = Pipeline([("pre", ColumnTransformer([("num", StandardScaler(), ["a"])])), ("clf", LogisticRegression())])
    found = answer(GridSearchCV(value, [{name: [1]}]))
    assert refused(value, name) is (found["not_parameters"] == [name])


def refused(value, name):
    try:
        clone(value).set_params(**{name: 1})
    except ValueError:
        return True
    except AttributeError:
        return name != "steps"
    return False


def test_parameters_of_an_estimator_of_ones_own_are_not_judged():
    class Loose(LogisticRegression):
        def set_params(self, **params):
            raise AssertionError("the user's code was run")

    assert answer(GridSearchCV(Loose(), {"x": [1]}))["not_parameters"] is None


def test_categories_and_words_are_counted():
    assert answer(OneHotEncoder().fit([["a", 1], ["b", 1]]))["n_categories"] == [2, 1]
    assert answer(OrdinalEncoder().fit([["a"], ["b"], ["c"]]))["n_categories"] == [3]
    assert answer(CountVectorizer().fit(["a word", "another word"]))["n_words"] == 2


@pytest.mark.parametrize(
    "columns", [["a", "b"], ["b", "a"], ["a"], ["a", "b", "c"], ["a", "c"], [1, 2], ["a", 2], ["a", "a"]]
)
def test_a_table_is_compared_as_sklearn_compares_it(columns):
    table = pd.DataFrame(np.ones((3, len(columns))), columns=columns)
    found = answer(StandardScaler().fit(X), names={"table": table}, frame="table")["given"]
    assert (found["shape"], found["n_features"]) == ([3, len(columns)], len(columns))
    if not all(isinstance(each, str) for each in columns):
        assert found["missing"] is found["unknown_features"] is found["in_fitting_order"] is None
        return
    assert found["missing"] == [each for each in ["a", "b"] if each not in columns]
    assert found["unknown_features"] == [each for each in columns if each not in ["a", "b"]]
    try:
        StandardScaler().fit(X).transform(table)
        runs = True
    except ValueError:
        runs = False
    assert runs is (found["in_fitting_order"] is True)


@pytest.mark.parametrize("value", [np.ones((3, 4)), np.ones(5), X["a"]])
def test_arrays_and_columns_are_compared_by_their_shape(value):
    found = answer(make_pipeline(StandardScaler()).fit(X), names={"data": value}, frame="data")["given"]
    assert found["shape"] == list(value.shape)
    assert (found["missing"], found["n_features"]) == (None, value.shape[1] if value.ndim == 2 else None)


def test_a_transformer_of_columns_lets_others_be_there():
    value = make_pipeline(ColumnTransformer([("a", StandardScaler(), ["a"])]), LogisticRegression()).fit(X, Y)
    wider = X.assign(c=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value.predict(wider)
    found = answer(value, names={"wider": wider}, frame="wider")["given"]
    assert (found["takes_columns_by_label"], found["unknown_features"]) == (True, ["c"])
    assert answer(StandardScaler(), names={"X": X}, frame="X")["given"]["takes_columns_by_label"] is False


def test_what_is_no_estimator_or_table_is_refused():
    assert "not an estimator" in reply(3)["reason"]
    assert "not an estimator" in reply(LogisticRegression)["reason"]
    assert "not exactly a DataFrame" in reply(StandardScaler(), names={"data": [[1]]}, frame="data")["reason"]


def every_estimator():
    from sklearn.utils import all_estimators

    known = {
        "estimator": LogisticRegression(),
        "estimators": [("a", LogisticRegression()), ("b", LogisticRegression())],
        "param_grid": {"C": [1.0, 2.0]},
        "param_distributions": {"C": [1.0, 2.0]},
        "steps": [("a", StandardScaler()), ("b", LogisticRegression())],
        "transformer_list": [("a", StandardScaler())],
        "transformers": [("a", StandardScaler(), ["a"])],
        "base_estimator": LogisticRegression(),
        "dictionary": np.eye(2),
    }
    for name, cls in all_estimators():
        parameters = getattr(cls.__init__, "__code__", None)
        taken = parameters.co_varnames[1 : parameters.co_argcount + parameters.co_kwonlyargcount] if parameters else ()
        try:
            yield name, cls(**{each: known[each] for each in taken if each in known and needs(cls, each)})
        except TypeError:
            continue


def needs(cls, name):
    return inspect.signature(cls).parameters[name].default is inspect.Parameter.empty


@pytest.mark.filterwarnings("ignore:Class .* is deprecated:FutureWarning")
def test_no_estimator_of_sklearn_is_told_wrongly():
    looked = 0
    for name, value in every_estimator():
        found = answer(value)
        try:
            fitted = is_fitted(value)
        except (AttributeError, TypeError):  # one that cannot tell, for want of what it wraps
            continue
        assert found["fitted"] in (fitted, None), name
        if found["fitted"] is None:
            assert found["needs_fit"] is False, name
        looked += 1
    assert looked > 150


# -- Kin --------------------------------------------------------------------------------------------------------------


def test_models_of_lightgbm_are_told_as_it_tells_them():
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    labels = np.array(["p", "q"] * 10)
    for value in (lightgbm.LGBMClassifier(n_estimators=2, verbose=-1), lightgbm.LGBMRegressor(verbose=-1)):
        assert answer(value)["fitted"] is False
        value.fit(X, labels if hasattr(value, "predict_proba") else Y)
        found = answer(value)
        assert (found["fitted"], found["n_features_in"]) == (True, value.n_features_in_)
        assert found.get("n_classes") == getattr(value, "n_classes_", None)
        assert answer(value.booster_)["kind"] == "lightgbm"


def test_models_of_xgboost_are_told_as_it_tells_them():
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    value = xgboost.XGBClassifier(n_estimators=2)
    assert answer(value)["fitted"] is False
    value.fit(X, Y)
    found = answer(value)
    assert (found["fitted"], found["n_classes"], found["n_features_in"]) == (True, 2, None)
    assert answer(value.get_booster())["kind"] == "xgboost"


def test_models_of_catboost_are_told_as_it_tells_them():
    catboost = pytest.importorskip("catboost", reason="catboost is not installed")
    value = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)
    assert answer(value)["fitted"] is value.is_fitted() is False
    value.fit(X, Y)
    found = answer(value)
    assert found["fitted"] is value.is_fitted() is True
    assert (found["n_features_in"], found["parameters"]["iterations"]) == (value.n_features_in_, 2)
