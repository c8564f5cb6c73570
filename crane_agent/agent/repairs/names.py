"""Names that are not defined: a misspelt one, a missing import, a local that was meant to be global."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site, closest
from crane_agent.notebook.names import defined_by_unrun

_LIKE = 0.72
"""Likeness from which one name is taken for another; below, two names of one notebook are often that like."""

ALIASES: Mapping[str, str] = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "mpl": "matplotlib",
    "sns": "seaborn",
    "tf": "tensorflow",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "optim": "torch.optim",
    "xgb": "xgboost",
    "lgb": "lightgbm",
    "px": "plotly.express",
    "go": "plotly.graph_objects",
    "sm": "statsmodels.api",
    "smf": "statsmodels.formula.api",
    "nx": "networkx",
    "pl": "polars",
    "dd": "dask.dataframe",
}
"""Names that the documentation of each library imports it as, on its first pages."""

_PACKAGES = {
    *("numpy", "pandas", "matplotlib", "seaborn", "scipy", "sklearn", "torch", "torchvision", "tensorflow", "keras"),
    *(
        "cv2",
        "tqdm",
        "joblib",
        "xgboost",
        "lightgbm",
        "catboost",
        "nltk",
        "gensim",
        "spacy",
        "requests",
        "transformers",
    ),
    *("statsmodels", "networkx", "plotly", "imageio", "skimage", "shap", "optuna", "h5py", "polars"),
}

_HOMES: Mapping[str, str] = {
    "sklearn.model_selection": "train_test_split cross_val_score cross_val_predict cross_validate GridSearchCV KFold "
    "RandomizedSearchCV StratifiedKFold StratifiedShuffleSplit ShuffleSplit GroupKFold TimeSeriesSplit learning_curve",
    "sklearn.preprocessing": "StandardScaler MinMaxScaler RobustScaler MaxAbsScaler Normalizer LabelEncoder "
    "OneHotEncoder OrdinalEncoder LabelBinarizer MultiLabelBinarizer PolynomialFeatures FunctionTransformer "
    "PowerTransformer QuantileTransformer KBinsDiscretizer",
    "sklearn.impute": "SimpleImputer KNNImputer",
    "sklearn.pipeline": "Pipeline make_pipeline FeatureUnion",
    "sklearn.compose": "ColumnTransformer make_column_transformer make_column_selector TransformedTargetRegressor",
    "sklearn.linear_model": "LinearRegression LogisticRegression Ridge RidgeCV Lasso LassoCV ElasticNet Perceptron "
    "SGDClassifier SGDRegressor BayesianRidge HuberRegressor",
    "sklearn.tree": "DecisionTreeClassifier DecisionTreeRegressor plot_tree export_graphviz export_text",
    "sklearn.ensemble": "RandomForestClassifier RandomForestRegressor GradientBoostingClassifier StackingRegressor "
    "GradientBoostingRegressor AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor "
    "ExtraTreesClassifier ExtraTreesRegressor VotingClassifier VotingRegressor StackingClassifier IsolationForest "
    "HistGradientBoostingClassifier HistGradientBoostingRegressor",
    "sklearn.svm": "SVC SVR LinearSVC LinearSVR OneClassSVM",
    "sklearn.neighbors": "KNeighborsClassifier KNeighborsRegressor NearestNeighbors LocalOutlierFactor",
    "sklearn.naive_bayes": "GaussianNB MultinomialNB BernoulliNB ComplementNB",
    "sklearn.neural_network": "MLPClassifier MLPRegressor",
    "sklearn.cluster": "KMeans MiniBatchKMeans DBSCAN AgglomerativeClustering SpectralClustering MeanShift",
    "sklearn.decomposition": "PCA NMF TruncatedSVD FastICA LatentDirichletAllocation KernelPCA",
    "sklearn.manifold": "TSNE MDS Isomap",
    "sklearn.feature_extraction.text": "CountVectorizer TfidfVectorizer TfidfTransformer HashingVectorizer",
    "sklearn.feature_extraction": "DictVectorizer",
    "sklearn.feature_selection": "SelectKBest SelectFromModel RFE RFECV VarianceThreshold chi2 f_classif "
    "mutual_info_classif mutual_info_regression f_regression",
    "sklearn.metrics": "accuracy_score precision_score recall_score f1_score roc_auc_score roc_curve auc log_loss "
    "confusion_matrix classification_report mean_squared_error mean_absolute_error r2_score silhouette_score "
    "root_mean_squared_error precision_recall_curve average_precision_score balanced_accuracy_score make_scorer "
    "ConfusionMatrixDisplay RocCurveDisplay PrecisionRecallDisplay matthews_corrcoef cohen_kappa_score "
    "mean_absolute_percentage_error",
    "sklearn.datasets": "load_iris load_digits load_wine load_breast_cancer load_diabetes make_classification "
    "make_regression make_blobs make_moons make_circles fetch_california_housing fetch_openml",
    "sklearn.dummy": "DummyClassifier DummyRegressor",
    "sklearn.base": "BaseEstimator TransformerMixin ClassifierMixin RegressorMixin",
    "sklearn.inspection": "permutation_importance PartialDependenceDisplay",
    "torch.utils.data": "DataLoader Dataset TensorDataset random_split Subset WeightedRandomSampler",
    "torchvision": "transforms",
    "collections": "Counter defaultdict OrderedDict namedtuple deque",
    "itertools": "chain combinations permutations cycle zip_longest",
    "functools": "partial reduce lru_cache",
    "datetime": "datetime timedelta",
    "pathlib": "Path",
    "copy": "deepcopy",
    "pprint": "pprint",
    "tqdm": "tqdm",
    "PIL": "Image",
    "IPython.display": "clear_output HTML",
    "xgboost": "XGBClassifier XGBRegressor",
    "lightgbm": "LGBMClassifier LGBMRegressor",
    "catboost": "CatBoostClassifier CatBoostRegressor",
    "scipy": "stats",
}
_HOME_OF = {name: module for module, listed in _HOMES.items() for name in listed.split()}

_KERAS: Mapping[str, str] = {
    "models": "Sequential Model load_model",
    "layers": "Dense Dropout Flatten Conv1D Conv2D MaxPooling2D MaxPooling1D LSTM GRU Embedding BatchNormalization "
    "Activation Input GlobalAveragePooling2D Bidirectional SimpleRNN TimeDistributed Reshape",
    "callbacks": "EarlyStopping ModelCheckpoint ReduceLROnPlateau TensorBoard",
    "optimizers": "Adam SGD RMSprop Adagrad Adamax Nadam",
    "utils": "to_categorical plot_model",
}
_KERAS_HOME = {name: module for module, listed in _KERAS.items() for name in listed.split()}

_BEFORE_3: Mapping[str, str] = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
    "null": "None",
    "NULL": "None",
}
"""Builtins of Python 2 ("What's New In Python 3.0"), and JSON's null."""


def missing_import(site: Site) -> Iterator[Patch]:
    """Import what a well-known name stands for.

    Sources: the first pages of each library's documentation for `ALIASES`; the API references of scikit-learn, PyTorch
    and Keras and Python's library reference for where a name lives.
    """
    name = _undefined(site)
    for line in _imports_of(name, site) if name else ():
        yield from site.patch(f"Import {name}, which no cell that ran does: {line}.", site.script.imported(line))


def _imports_of(name: str, site: Site) -> Iterator[str]:
    if name in ALIASES:
        module, _, last = ALIASES[name].rpartition(".")
        if module and last == name:
            yield f"from {module} import {last}"
        elif last == name:
            yield f"import {name}"
        else:
            yield f"import {ALIASES[name]} as {name}"
    if name in _HOME_OF:
        yield f"from {_HOME_OF[name]} import {name}"
    if name in _KERAS_HOME:
        roots = ["keras", "tensorflow.keras"]
        if any(full.startswith("tensorflow") for full in site.imports):
            roots.reverse()
        yield from (f"from {root}.{_KERAS_HOME[name]} import {name}" for root in roots)
    if name in sys.stdlib_module_names or name in _PACKAGES:
        yield f"import {name}"


def misspelt(site: Site) -> Iterator[Patch]:
    """Use the name that was probably meant: one that differs in case or in a few letters, or that Python 3 renamed.

    Source: the likeness that `difflib` computes, as Python's own "Did you mean" does with an edit distance.
    """
    name = _undefined(site)
    if not name:
        return
    known = [each for each in (*site.known, *dir(builtins)) if each not in (name, "_")]
    meant = [_BEFORE_3[name]] if name in _BEFORE_3 else []
    meant += [each for each in site.crash.close if each in known]
    meant += closest(name, known, cutoff=_LIKE)
    for each in list(dict.fromkeys(meant))[:2]:
        nodes = [node for node in ast.walk(site.script.tree) if isinstance(node, ast.Name) and node.id == name]
        if any(isinstance(node.ctx, ast.Store) for node in nodes):
            nodes = [node for node in site.inner if isinstance(node, ast.Name) and node.id == name]
        edits = [site.script.replaced(node, each) for node in nodes]
        yield from site.patch(f"Use {each} instead of {name}, which is not defined.", *edits)


def global_in_function(site: Site) -> Iterator[Patch]:
    """Declare a name global that a function both reads and sets.

    Source: Python's Programming FAQ, "Why am I getting an UnboundLocalError when the variable has a value?".
    """
    found = site.found(r"local variable '(\w+)'") if site.crash.type == "UnboundLocalError" else None
    if found is None or site.node is None or found[1] not in site.known:
        return
    for function in site.script.around(site.node):
        if isinstance(function, ast.FunctionDef):
            first = function.body[0]
            edit = site.script.before(first, f"global {found[1]}")
            yield from site.patch(f"Declare {found[1]} global, which the function sets.", edit)
            return


def missing_submodule(site: Site) -> Iterator[Patch]:
    """Import a submodule that importing the package alone does not load.

    Source: Python's reference, "The import system", 5.4.2 "Submodules".
    """
    found = site.found(r"module '([\w.]+)' has no attribute '(\w+)'") if site.crash.type == "AttributeError" else None
    has_like = any(part.facts.get("attributes") for part in site.parts)
    if found is not None and not has_like and found[1] not in ("numpy", "pandas", "builtins"):
        line = f"import {found[1]}.{found[2]}"
        yield from site.patch(
            f"Import {found[1]}.{found[2]}, which {found[1]} does not load by itself.", site.script.imported(line)
        )


def module_for_its_class(site: Site) -> Iterator[Patch]:
    """Call what a module has of its own name, where the module was called; or the other way round.

    ``import datetime`` binds the module, ``from datetime import datetime`` the class. Source: Python's reference of
    `datetime`; the same of `tqdm`, `glob`, `pprint` and others.
    """
    if site.says("TypeError", pattern=r"'module' object is not callable"):
        for call in site.calls:
            if isinstance(call.func, ast.Name):
                full = next((each for each, name in site.imports.items() if name == call.func.id), call.func.id)
                last = full.rpartition(".")[2]
                edit = site.script.followed(call.func, f".{last}")
                yield from site.patch(f"Call {call.func.id}.{last}: {call.func.id} is the module.", edit)
    found = site.found(r"type object '(?:\w+\.)*(\w+)' has no attribute '(\w+)'")
    if site.crash.type != "AttributeError" or found is None:
        return
    for node in site.nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute == name == found[1]:
                edit = site.script.replaced(node, name)
                yield from site.patch(f"Use {name} itself: it is the class, not the module.", edit)
            case ast.Attribute(value=ast.Name(id=name)) if name == found[1] and f"{name}.{name}" in site.imports:
                alias, imported = site.module(name, f"{name}_module")
                edit = site.script.replaced(node.value, alias)
                yield from site.patch(f"Use the module {name}: the name is bound to its class.", edit, *imported)


def _undefined(site: Site) -> str:
    """Return the name that is not defined; '' if a cell that did not run would define it: then that is to be run."""
    found = re.match(r"name '(\w+)' is not defined", site.message) if site.crash.type == "NameError" else None
    name = site.crash.name or (found[1] if found else "")
    return "" if name in defined_by_unrun(site.target) else name


STRATEGIES = (missing_import, misspelt, global_in_function, missing_submodule, module_for_its_class)
