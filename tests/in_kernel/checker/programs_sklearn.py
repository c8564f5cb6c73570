"""Random cells over scikit-learn: data of many kinds, estimators, pipelines, splits, scores; each grown from a seed."""

import random

from programs import Program

SETUP = """
import warnings; warnings.simplefilter('ignore')
import numpy as np, pandas as pd
from sklearn.base import clone
from sklearn.cluster import KMeans, AgglomerativeClustering, DBSCAN
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import make_classification, make_blobs, make_regression
from sklearn.decomposition import PCA, TruncatedSVD, NMF
from sklearn.ensemble import (RandomForestClassifier, RandomForestRegressor, GradientBoostingClassifier,
    AdaBoostClassifier, HistGradientBoostingClassifier, VotingClassifier, BaggingClassifier, IsolationForest)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer, KNNImputer
from sklearn.linear_model import (LogisticRegression, LinearRegression, Ridge, Lasso, SGDClassifier, Perceptron,
    RidgeClassifier, ElasticNet, BayesianRidge, PoissonRegressor)
from sklearn.manifold import TSNE
from sklearn.metrics import (accuracy_score, f1_score, confusion_matrix, classification_report, mean_squared_error,
    r2_score, roc_auc_score, precision_score, recall_score, mean_absolute_error, log_loss)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (train_test_split, KFold, StratifiedKFold, ShuffleSplit, cross_val_score,
    cross_val_predict, GridSearchCV, RandomizedSearchCV, GroupKFold, GroupShuffleSplit, LeaveOneOut, RepeatedKFold,
    StratifiedShuffleSplit, TimeSeriesSplit)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB, BernoulliNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (StandardScaler, MinMaxScaler, RobustScaler, OneHotEncoder, OrdinalEncoder,
    LabelEncoder, LabelBinarizer, PolynomialFeatures, Normalizer, KBinsDiscretizer, PowerTransformer)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.class_weight import compute_class_weight
rng = np.random.RandomState(0)
n = 24
X = rng.rand(n, 3)
Xi = rng.randint(0, 5, (n, 3))
Xn = X.copy(); Xn[2, 1] = np.nan
Xall = X.copy(); Xall[:, 0] = np.nan
Xinf = X.copy(); Xinf[0, 0] = np.inf
X1 = X[:, 0]
X3 = X.reshape(n, 3, 1)
neg = X - 5
y = np.arange(n) % 2
y3 = np.arange(n) % 3
yc = rng.rand(n)
yi = np.arange(n)
yn = np.where(np.arange(n) == 3, np.nan, np.arange(n) % 2)
yt = np.array(['no', 'yes'])[y]
yo = np.array(['no', 'yes'], dtype=object)[y]
ycol = y.reshape(-1, 1)
ybad = y[:5]
yone = np.zeros(n)
yrare = np.array([0] * (n - 1) + [1])
ylist = list(map(int, y))
df = pd.DataFrame({'a': X[:, 0], 'b': Xi[:, 1], 't': list('wxyz') * 6, 'h': [1.0, None] * 12})
num = df[['a', 'b']]
swapped = df[['b', 'a']]
text = df[['t']]
mixed = df[['a', 't']]
holes = df[['a', 'h']]
s = df['a']
target = pd.Series(y, name='y')
labels = pd.Series(yt, name='label')
empty = num.iloc[:0]
other = pd.DataFrame({'a': [1.0, 2.0], 'c': [1, 2]})
unseen = pd.DataFrame({'t': ['w', 'q']})
flagged = num.assign(k=pd.Categorical(['u', 'v'] * 12))
small = X[:2]
fitted = LogisticRegression().fit(X, y)
fitted_df = DecisionTreeClassifier(random_state=0).fit(num, y)
scaler = StandardScaler().fit(X)
unfitted = SVC()
pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
class Mine(StandardScaler): pass
mine = Mine()
seed = 3
"""

FEATURES = (
    "X",
    "X",
    "X",
    "Xi",
    "Xn",
    "Xall",
    "Xinf",
    "X1",
    "X3",
    "neg",
    "df",
    "num",
    "num",
    "swapped",
    "text",
    "mixed",
)
MORE_FEATURES = ("holes", "s", "empty", "other", "unseen", "flagged", "small", "X.tolist()", "df[['a', 'b']]", "X[:10]")
TARGETS = (
    "y",
    "y",
    "y",
    "y3",
    "yc",
    "yi",
    "yn",
    "yt",
    "yo",
    "ycol",
    "ybad",
    "yone",
    "yrare",
    "ylist",
    "target",
    "labels",
)

CLASSIFIERS = (
    "LogisticRegression({})", "LogisticRegression({})", "SVC({})", "DecisionTreeClassifier({})", "GaussianNB()",
    "RandomForestClassifier(n_estimators=2)", "KNeighborsClassifier({})", "SGDClassifier(max_iter=5)", "MultinomialNB()",
    "RidgeClassifier()", "LinearSVC()", "GradientBoostingClassifier(n_estimators=2)", "MLPClassifier(max_iter=2)",
    "HistGradientBoostingClassifier(max_iter=2)", "AdaBoostClassifier(n_estimators=2)", "Perceptron()", "BernoulliNB()",
    "BaggingClassifier(n_estimators=2)", "OneVsRestClassifier(SVC())",
)  # fmt: skip
REGRESSORS = (
    "LinearRegression()", "Ridge({})", "Lasso()", "DecisionTreeRegressor()", "RandomForestRegressor(n_estimators=2)",
    "SVR()", "KNeighborsRegressor({})", "ElasticNet()", "BayesianRidge()", "PoissonRegressor()",
)  # fmt: skip
TRANSFORMERS = (
    "StandardScaler()", "StandardScaler()", "MinMaxScaler({})", "RobustScaler()", "PCA({})", "PCA({})", "SimpleImputer({})",
    "OneHotEncoder({})", "OrdinalEncoder()", "PolynomialFeatures()", "Normalizer()", "VarianceThreshold()", "KNNImputer()",
    "TruncatedSVD({})", "SelectKBest(k=1)", "PowerTransformer()", "KBinsDiscretizer(n_bins=2)", "StandardScaler(copy=False)",
    "LabelEncoder()", "NMF(n_components=1, max_iter=2)", "Mine()", "mine", "scaler",
)  # fmt: skip
OTHERS = (
    "KMeans({})",
    "DBSCAN()",
    "AgglomerativeClustering()",
    "GaussianMixture({})",
    "NearestNeighbors()",
    "IsolationForest(n_estimators=2)",
)
PARAMETERS = {
    "LogisticRegression": ("", "C=0.1", "C=-1", "penalty='l1'", "solver='saga', max_iter=5", "C='a'", "bad=1", "max_iter=unknown()"),
    "SVC": ("", "kernel='linear'", "kernel='nope'", "probability=True", "C=0"),
    "DecisionTreeClassifier": ("", "max_depth=2", "max_depth=0", "criterion='entropy'", "min_samples_split=1"),
    "KNeighborsClassifier": ("", "n_neighbors=3", "n_neighbors=50", "n_neighbors=0", "weights='distance', n_neighbors=30"),
    "KNeighborsRegressor": ("", "n_neighbors=3", "n_neighbors=50"),
    "Ridge": ("", "alpha=-1", "alpha=2"),
    "MinMaxScaler": ("", "feature_range=(1, 0)", "clip=True"),
    "PCA": ("", "n_components=2", "n_components=9", "n_components=0.5", "n_components='mle'", "3", "n_components=-1"),
    "TruncatedSVD": ("", "n_components=2", "n_components=9"),
    "SimpleImputer": ("", "strategy='most_frequent'", "strategy='median'", "strategy='constant', fill_value=0", "strategy='x'"),
    "OneHotEncoder": ("", "handle_unknown='ignore'", "sparse_output=False", "sparse=False", "drop='first'"),
    "KMeans": ("n_clusters=2, n_init=1", "n_clusters=50", "3", "n_clusters=0"),
    "GaussianMixture": ("", "n_components=2", "n_components=30"),
}  # fmt: skip
SCORES = (
    "accuracy_score", "f1_score", "confusion_matrix", "classification_report", "mean_squared_error", "r2_score",
    "roc_auc_score", "precision_score", "mean_absolute_error", "recall_score", "log_loss",
)  # fmt: skip


class SklearnPrograms:
    """Grows one cell from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.features = ["X", "X", "num", "Xi"]
        self.targets = ["y", "y", "y3", "yt", "labels"]
        self.strange = self.random.choice((0.05, 0.1, 0.4))
        self.models = ["fitted", "fitted_df", "pipe", "scaler", "unfitted"]
        self.predictions = ["y", "yc"]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one_of(self, choices: tuple[str, ...] | list[str]) -> str:
        return self.random.choice(choices)

    def x(self) -> str:
        if not self.chance(self.strange):
            return self.one_of(self.features)
        return self.one_of(FEATURES + MORE_FEATURES)

    def y(self) -> str:
        return self.one_of(TARGETS) if self.chance(self.strange) else self.one_of(self.targets)

    def estimator(self) -> str:
        kind = self.random.random()
        if kind < 0.45:
            text = self.one_of(CLASSIFIERS)
        elif kind < 0.65:
            text = self.one_of(REGRESSORS)
        elif kind < 0.9:
            text = self.one_of(TRANSFORMERS)
        else:
            text = self.one_of(OTHERS)
        return self.filled(text)

    def filled(self, text: str) -> str:
        if "{}" not in text:
            return text
        choices = PARAMETERS[text.partition("(")[0]]
        return text.format(self.one_of(choices) if self.chance(self.strange * 2) else choices[0])

    def composite(self) -> str:
        transformer, other = self.filled(self.one_of(TRANSFORMERS)), self.filled(self.one_of(TRANSFORMERS))
        model = self.filled(self.one_of(CLASSIFIERS + REGRESSORS))
        columns = self.one_of(("['a', 'b']", "['a']", "['t']", "['a', 'zz']", "[0]", "[0, 7]", "'a'", "['h']"))
        return self.one_of(
            [
                f"make_pipeline({transformer}, {model})",
                f"make_pipeline({transformer}, {other}, {model})",
                f"Pipeline([('p', {transformer}), ('m', {model})])",
                f"Pipeline([('m', {model}), ('p', {transformer})])",
                f"Pipeline([('m', {model}), ('m', {model})])",
                f"ColumnTransformer([('p', {transformer}, {columns}), ('q', {other}, ['t'])])",
                f"ColumnTransformer([('p', {transformer}, {columns})], remainder='passthrough')",
                f"make_pipeline(ColumnTransformer([('p', {transformer}, {columns})]), {model})",
                f"GridSearchCV({model}, {self.grid()}, cv={self.cv()})",
                f"GridSearchCV(make_pipeline({transformer}, {model}), {self.grid()})",
                f"RandomizedSearchCV({model}, {self.grid()}, n_iter=1, cv={self.cv()})",
                f"VotingClassifier([('u', {model}), ('v', {self.filled(self.one_of(CLASSIFIERS))})])",
            ]
        )

    def grid(self) -> str:
        return self.one_of(
            (
                "{'C': [1]}",
                "{'max_depth': [1]}",
                "{}",
                "{'bad': [1]}",
                "{'svc__C': [1]}",
                "{'C': 1}",
                "{'alpha': [1, 2]}",
            )
        )

    def cv(self) -> str:
        return self.one_of(
            (
                "2",
                "3",
                "30",
                "13",
                "KFold(2)",
                "StratifiedKFold(2)",
                "StratifiedKFold(20)",
                "KFold(2, shuffle=True)",
                "1",
                "'a'",
                "None",
            )
        )

    def split(self) -> list[str]:
        options = self.one_of(
            ("", ", random_state=0", ", random_state=seed", ", test_size=0.3", ", test_size=5, random_state=1", ", shuffle=False",
             ", stratify=y", ", stratify=yrare", ", stratify=y3, random_state=0", ", test_size=50", ", test_size=2.5", ", train_size=0.5",
             ", test_size=1", ", stratify=yc", ", shuffle=False, stratify=y")
        ) if self.chance(self.strange * 2) else ", test_size=0.25, random_state=0"  # fmt: skip
        x, y = self.x(), self.y()
        if self.chance(0.1):
            return [f"P, Q = train_test_split({x}{options})"]
        if self.chance(0.05):
            return [f"P, Q, R = train_test_split({x}, {y}{options})"]
        name = self.one_of(("A", "B"))
        self.features += [f"{name}_train", f"{name}_train", f"{name}_test"]
        self.targets += [f"t{name}_train", f"t{name}_train", f"t{name}_test"]
        return [f"{name}_train, {name}_test, t{name}_train, t{name}_test = train_test_split({x}, {y}{options})"]

    def model(self) -> str:
        return self.one_of(self.models)

    def statement(self) -> list[str]:
        kinds = [
            self.split,
            self.make_and_fit,
            self.make_and_fit,
            self.make_and_fit,
            self.scale,
            self.use,
            self.use,
            self.score,
            self.cross,
            self.folds,
            self.small,
        ]
        return self.random.choice(kinds)()

    def make_and_fit(self) -> list[str]:
        name = self.one_of(("m", "w", "z"))
        text = self.composite() if self.chance(0.3) else self.estimator()
        self.models += [name, name]
        x, y = self.x(), self.y()
        if self.chance(0.2):
            return [f"{name} = {text}"]
        if self.chance(0.15):
            return [f"{name} = {text}.fit({x}, {y})"]
        call = self.one_of((f"{x}, {y}", f"{x}, {y}", f"{x}, {y}", f"{x}", f"X={x}, y={y}", f"{y}, {x}"))
        return [f"{name} = {text}", f"{name}.fit({call})"]

    def scale(self) -> list[str]:
        name = self.one_of(("S", "T"))
        self.features += [name, name]
        text = self.filled(self.one_of(TRANSFORMERS))
        x = self.x()
        if self.chance(0.5):
            return [f"{name} = {text}.fit_transform({x})"]
        self.models.append("tr")
        again = self.x()
        return [f"tr = {text}", f"{name} = tr.fit_transform({x})", f"{name}2 = tr.transform({again})"]

    def use(self) -> list[str]:
        method = self.one_of(
            (
                "predict",
                "predict",
                "predict",
                "transform",
                "predict_proba",
                "score",
                "decision_function",
                "inverse_transform",
            )
        )
        x = self.x()
        if method == "score":
            return [f"r = {self.model()}.score({x}, {self.y()})"]
        name = self.one_of(("p", "q"))
        self.predictions += [name, name]
        return [f"{name} = {self.model()}.{method}({x})"]

    def score(self) -> list[str]:
        options = self.one_of(
            ("", "", "", ", average='macro'", ", pos_label='yes'", ", squared=False", ", zero_division=0")
        )
        first, second = self.y(), self.one_of(self.predictions)
        if self.chance(0.2):
            first, second = second, first
        return [f"r = {self.one_of(SCORES)}({first}, {second}{options})"]

    def cross(self) -> list[str]:
        text = self.composite() if self.chance(0.2) else self.estimator()
        function = self.one_of(("cross_val_score", "cross_val_score", "cross_val_predict"))
        options = f", cv={self.cv()}" if self.chance(0.8) else ""
        if self.chance(0.15) and function == "cross_val_score":
            options += self.one_of((", scoring='accuracy'", ", scoring='nope'", ", error_score='raise'"))
        return [f"r = {function}({text}, {self.x()}, {self.y()}{options})"]

    def folds(self) -> list[str]:
        cv = self.one_of(
            (
                "KFold(2)",
                "StratifiedKFold(2)",
                "StratifiedKFold(13)",
                "KFold(30)",
                "KFold(2, shuffle=True)",
                "KFold(seed, shuffle=True, random_state=seed)",
                "ShuffleSplit(2)",
                "StratifiedShuffleSplit(2)",
                "TimeSeriesSplit(2)",
                "RepeatedKFold(n_splits=2, n_repeats=2)",
                "LeaveOneOut()",
                "GroupKFold(2)",
                "GroupShuffleSplit(2)",
            )
        )
        x, y = self.one_of(("X", "Xn", "num", "Xi")), self.one_of(("y", "yc", "y3", "ybad", "yrare"))
        pick = "{}.iloc[i]" if x == "num" else "{}[i]"
        groups = ", y3" if cv.startswith("Group") and self.chance(0.8) else ""
        call = f"{cv}.split({x}, {y}{groups})"
        lines = [
            self.one_of((f"for i, j in {call}:", f"for k, (i, j) in enumerate({call}):", f"for i, j in list({call}):"))
        ]
        if self.chance(0.5):
            part = self.one_of(("a", "i.reshape(12)", "len(j)"))
            return [*lines, f"    {pick.format(x)}", f"    num.iloc[j].{part}" if part == "a" else f"    {part}"]
        model = self.filled(self.one_of(CLASSIFIERS))
        return [*lines, f"    m = {model}", f"    m.fit({pick.format(x)}, {y}[{self.one_of(('i', 'i', 'j'))}])"]

    def small(self) -> list[str]:
        return [
            self.one_of(
                (
                    "c = clone(fitted)", "c = clone(unfitted)", "fitted.set_params(C=2)", "fitted.set_params(bad=2)",
                    "unfitted.C = 3", "X[0, 0] = np.nan", "num = num.assign(a=1)", "df['a'] = 'x'", "num.loc[0, 'a'] = None",
                    "y[:] = 0", "w8 = compute_class_weight(class_weight='balanced', classes=np.unique(y), y=y)",
                    "w8 = compute_class_weight('balanced', np.unique(y), y)", "fitted.coef_", "unfitted.coef_", "m.coef_", "pipe.steps[0]",
                    "pipe.named_steps['standardscaler']", "G, g = make_classification(n_samples=30, random_state=1)",
                    "G, g = make_blobs(n_samples=30)", "G, g, f = make_regression(n_samples=30)", "f = fitted.fit", "f(X, y3)",
                    "kept = [unfitted, fitted]", "kept[0].fit(X, y)", "e = LabelEncoder().fit(labels)", "e.transform(['maybe'])",
                    "e.transform(['yes'])", "LabelBinarizer().fit_transform(y3)", "LabelEncoder().fit_transform(df['t'])",
                    "for k in (SVC(), GaussianNB()):\n    k.fit(X, y)\n    k.predict(X)", "del m", "TSNE(perplexity=30).fit_transform(X)",
                    "scaler.partial_fit(X)", "models = {'a': SVC(), 'b': fitted}", "models['a'].fit(X, y)", "models['a'].predict(X)",
                    "get_ipython()", "holes.fillna(0, inplace=True)", "holes = holes.dropna()", "df.drop(columns=['t'], inplace=True)",
                )
            )
        ]  # fmt: skip

    def program(self, most: int = 6) -> str:
        return "\n".join(line for _ in range(self.random.randint(1, most)) for line in self.statement())


def program(seed: int) -> Program:
    """Return the program of a seed."""
    return Program(SETUP, SklearnPrograms(seed).program())
