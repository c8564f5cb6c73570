"""What the checker must find, must leave alone, and must not be sure of, over scikit-learn; see `tables`."""

PARTS = """
import warnings; warnings.simplefilter('ignore')
import numpy as np, pandas as pd, sklearn
from sklearn.base import clone, BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans, DBSCAN
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import make_classification, make_blobs
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LinearRegression, Ridge
from sklearn.manifold import TSNE
from sklearn.metrics import accuracy_score, f1_score, confusion_matrix, roc_auc_score, mean_squared_error
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split, KFold, StratifiedKFold, cross_val_score, GridSearchCV
from sklearn.neighbors import KNeighborsRegressor, KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, MinMaxScaler, LabelEncoder, OneHotEncoder, OrdinalEncoder
from sklearn.preprocessing import PolynomialFeatures, LabelBinarizer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_class_weight
X = np.arange(40.).reshape(20, 2) % 7
y = np.arange(20) % 2
yc = np.arange(20) / 7
Xn = X.copy(); Xn[3, 0] = np.nan
Xall = X.copy(); Xall[:, 0] = np.nan
df = pd.DataFrame({'a': range(20), 'b': [1.5] * 20, 't': list('abcd') * 5})
num = df[['a', 'b']]
fitted = LogisticRegression().fit(X, y)
by_name = DecisionTreeClassifier().fit(num, y)
scaler = StandardScaler().fit(X)
search = GridSearchCV(SVC(), {'C': [1]}, cv=2).fit(X, y)
class Mine(LogisticRegression):
    def fit(self, X, y): return self
    def predict(self, X): return [1]
class Passes(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None): return self
    def transform(self, X): return [[1.0, 2.0]] * 20
"""

FOLDS = (
    PARTS
    + """
from sklearn.model_selection import (cross_validate, cross_val_predict, GroupKFold, GroupShuffleSplit, LeaveOneOut,
    LeaveOneGroupOut, LeavePOut, RepeatedKFold, RepeatedStratifiedKFold, ShuffleSplit, StratifiedGroupKFold,
    StratifiedShuffleSplit, TimeSeriesSplit)
groups = np.arange(20) // 5
rs = np.random.RandomState(3)
yn = np.where(y == 1, np.nan, 0)
dates = num.set_index(pd.date_range('2020', periods=20))
shuffled = KFold(4, shuffle=True)
n = 3
def draw():
    return np.random.randint(0, 2, 20)
"""
)

_SPLIT = "A, B, a, b = train_test_split(X, y, test_size=0.25, random_state=1)\n"
_RANDOM = "A, B, a, b = train_test_split(X, y, test_size=0.25)\n"
_COLUMNS = "ct = ColumnTransformer([('n', StandardScaler(), ['a', 'b']), ('c', OneHotEncoder(), ['t'])])\n"

CRASHES: list[tuple[str, str, str, int | None]] = [
    (PARTS, "SVC().fit(X, y, nope=1)", "TypeError", 1),
    (PARTS, "SVC().fit(X)", "TypeError", 1),
    (PARTS, "train_test_split(X, y, test_sizes=.2)", "TypeError", 1),
    (PARTS, "cross_val_score(StandardScaler(), X, y)", "TypeError", 1),
    # what an estimator is fitted on
    (PARTS, "m = LogisticRegression()\nm.fit(X[:, 0], y)", "ValueError", 2),
    (PARTS, "LinearRegression().fit(df['a'], yc)", "ValueError", 1),
    (PARTS, "LogisticRegression().fit(Xn, y)", "ValueError", 1),
    (PARTS, "LinearRegression().fit(X, np.where(y == 1, np.nan, y))", "ValueError", 1),
    (PARTS, "RandomForestClassifier().fit(df, y)", "ValueError", 1),
    (PARTS, "LogisticRegression().fit(X, y[:5])", "ValueError", 1),
    (PARTS, "LogisticRegression().fit(X, yc)", "ValueError", 1),
    (PARTS, "RandomForestClassifier().fit(X, yc)", "ValueError", 1),
    (PARTS, "SVC().fit(X, X)", "ValueError", 1),
    (PARTS, "LogisticRegression().fit(X, None)", "ValueError", 1),
    (PARTS, "LogisticRegression().fit(X[:0], y[:0])", "ValueError", 1),
    (PARTS, "LinearRegression().fit(X, df['t'])", "ValueError", 1),
    (PARTS, "StandardScaler().fit(df)", "ValueError", 1),
    (PARTS, "StandardScaler().fit_transform(df['a'])", "ValueError", 1),
    (PARTS, "SimpleImputer(strategy='mean').fit(df)", "ValueError", 1),
    (PARTS, "for m in [SVC(), Ridge()]:\n    m.fit(X, y[:3])", "ValueError", 2),
    # parameters
    (PARTS, "LogisticRegression(penalty='l1').fit(X, y)", "ValueError", 1),
    (PARTS, "LogisticRegression(C=-1).fit(X, y)", "InvalidParameterError", 1),
    (PARTS, "RandomForestClassifier(n_estimators='10').fit(X, y)", "InvalidParameterError", 1),
    (PARTS, "m = SVC(kernel='gauss')\nm.fit(X, y)", "InvalidParameterError", 2),
    (PARTS, "m = SVC(kernl='rbf')", "TypeError", 1),
    (PARTS, "m = SVC()\nm.set_params(kernl='rbf')", "ValueError", 2),
    (PARTS, "m = SVC()\nm.set_params(C=-1)\nm.fit(X, y)", "InvalidParameterError", 3),
    (PARTS, "PCA(n_components=5).fit(X)", "ValueError", 1),
    (PARTS, "PCA(5).fit_transform(X)", "ValueError", 1),
    (PARTS, "KMeans(n_clusters=50).fit(X)", "ValueError", 1),
    (PARTS, "KMeans(n_clusters=50).fit_predict(X)", "ValueError", 1),
    (PARTS, "GaussianMixture(n_components=50).fit(X)", "ValueError", 1),
    (PARTS, "TSNE(perplexity=30).fit_transform(X)", "ValueError", 1),
    (PARTS, "m = KNeighborsRegressor(n_neighbors=50)\nm.fit(X, y)\nm.predict(X)", "ValueError", 3),
    # before and after fitting
    (PARTS, "LogisticRegression().predict(X)", "NotFittedError", 1),
    (PARTS, "m = StandardScaler()\nm.transform(X)", "NotFittedError", 2),
    (PARTS, "g = GridSearchCV(SVC(), {'C': [1]})\ng.predict(X)", "NotFittedError", 2),
    (PARTS, "m = SVC()\ng = GridSearchCV(m, {'C': [1]}, cv=2)\ng.fit(X, y)\nm.predict(X)", "NotFittedError", 4),
    (PARTS, "clone(fitted).predict(X)", "NotFittedError", 1),
    (PARTS, "fitted.predict(X[0])", "ValueError", 1),
    (PARTS, "fitted.predict(X[:, :1])", "ValueError", 1),
    (PARTS, "fitted.predict(Xn)", "ValueError", 1),
    (PARTS, "by_name.predict(df[['b', 'a']])", "ValueError", 1),
    (PARTS, "by_name.predict(df[['a']])", "ValueError", 1),
    (PARTS, "scaler.transform(X[:, :1])", "ValueError", 1),
    (PARTS, "search.predict(X[:, :1])", "ValueError", 1),
    (PARTS, "m = LinearRegression().fit(num, yc)\nm.predict(df)", "ValueError", 2),
    (PARTS, "m = SVC()\nm.fit(X, y)\nm.score(X[:, :1], y)", "ValueError", 3),
    (PARTS, "m = SVC()\nm.fit(X, y)\nm.score(X, y[:4])", "ValueError", 3),
    (PARTS, "s = StandardScaler()\nA = s.fit_transform(X)\nm = SVC().fit(A, y)\nm.predict(A[:, :1])", "ValueError", 4),
    (PARTS, "A = PCA(n_components=1).fit_transform(X)\nSVC().fit(A, y).predict(X)", "ValueError", 2),
    (PARTS, "p = SVC().fit(X, y).predict(X)\nundefined", "NameError", 2),
    # encoders
    (PARTS, "e = LabelEncoder()\ne.fit(df['t'])\ne.transform(['z'])", "ValueError", 3),
    (PARTS, "e = LabelEncoder()\ne.fit_transform(df[['a', 'b']])", "ValueError", 2),
    (PARTS, "e = LabelEncoder().fit(df['t'])\ne.inverse_transform([9])", "ValueError", 2),
    (PARTS, "e = OneHotEncoder()\ne.fit(df[['t']])\ne.transform(pd.DataFrame({'t': ['z']}))", "ValueError", 3),
    (PARTS, "e = OrdinalEncoder().fit([['u'], ['v']])\ne.transform([['w']])", "ValueError", 2),
    (PARTS, "df['t'] = LabelEncoder().fit_transform(df['t'])\nby_name.predict(df)", "ValueError", 2),
    # splits
    (PARTS, "A, B, a, b = train_test_split(X, y[:5])", "ValueError", 1),
    (PARTS, "A, B, a = train_test_split(X, y)", "ValueError", 1),
    (PARTS, "train_test_split(X, y, test_size=30)", "ValueError", 1),
    (PARTS, "train_test_split(X, y, stratify=[0] * 19 + [1])", "ValueError", 1),
    (PARTS, "train_test_split(X, y, stratify=y, shuffle=False)", "ValueError", 1),
    (PARTS, _SPLIT + "SVC().fit(A, b)", "ValueError", 2),
    (PARTS, _RANDOM + "SVC().fit(A, b)", "ValueError", 2),
    (PARTS, _RANDOM + "SVC().fit(A, a).predict(B[0])", "ValueError", 2),
    (PARTS, _RANDOM + "accuracy_score(a, SVC().fit(A, a).predict(B))", "ValueError", 2),
    (PARTS, "A, B, a, b = train_test_split(df, y)\nRandomForestClassifier().fit(A, a)", "ValueError", 2),
    (PARTS, "A, B, a, b = train_test_split(Xall, y)\nSVC().fit(StandardScaler().fit_transform(A), a)", "ValueError", 2),
    (PARTS, "A, B, a, b = train_test_split(X, yc)\nSVC().fit(A, a)", "ValueError", 2),
    (
        PARTS,
        "A, B, a, b = train_test_split(Xall, y)\nC, D, c, d = train_test_split(A, a)\nSVC().fit(C, c)",
        "ValueError",
        3,
    ),
    # scores
    (PARTS, "accuracy_score(y, yc)", "ValueError", 1),
    (PARTS, "accuracy_score(y, y[:4])", "ValueError", 1),
    (PARTS, "f1_score(np.arange(20) % 3, np.arange(20) % 3)", "ValueError", 1),
    (PARTS, "f1_score(df['t'], df['t'])", "ValueError", 1),
    (PARTS, "m = SVC().fit(X, np.arange(20) % 3)\nf1_score(np.arange(20) % 3, m.predict(X))", "ValueError", 2),
    (PARTS, "roc_auc_score(y, LogisticRegression().fit(X, y).predict_proba(X))", "ValueError", 1),
    (PARTS, "roc_auc_score(np.arange(20) % 3, yc)", "ValueError", 1),
    (PARTS, "accuracy_score(y, fitted.predict_proba(X))", "ValueError", 1),
    (PARTS, "confusion_matrix(y, y).shape\nundefined", "NameError", 2),
    (PARTS, "compute_class_weight('balanced', classes=np.array([0]), y=y)", "ValueError", 1),
    # folds and searches
    (PARTS, "for i, j in StratifiedKFold(15).split(X, y):\n    pass", "ValueError", 1),
    (PARTS, "for i, j in KFold(30).split(X):\n    pass", "ValueError", 1),
    (PARTS, "for i, j in KFold(3).split(X):\n    SVC().fit(X[i], y[j])", "ValueError", 2),
    (PARTS, "for i, j in KFold(3, shuffle=True).split(X, y):\n    df[i]", "KeyError", 2),
    (PARTS, "for k, (i, j) in enumerate(KFold(3, shuffle=True).split(df)):\n    num[i]", "KeyError", 2),
    (PARTS, "for i, j in KFold(3).split(X, y):\n    df[i]", "KeyError", 2),
    # splitters
    (FOLDS, "KFold(1)", "ValueError", 1),
    (FOLDS, "KFold(4, random_state=1)", "ValueError", 1),
    (FOLDS, "LeavePOut()", "TypeError", 1),
    (FOLDS, "RepeatedKFold(n_splits=2, n_repeats=0)", "ValueError", 1),
    (FOLDS, "s = StratifiedKFold(3).split(X, yn)", "ValueError", 1),
    (FOLDS, "s = StratifiedKFold(3).split(X)", "TypeError", 1),
    (FOLDS, "s = StratifiedKFold(3).split(X, yc)\nfor i, j in s:\n    pass", "ValueError", 2),
    (FOLDS, "e = enumerate(StratifiedKFold(15).split(X, y), 1)\nnext(e)", "ValueError", 2),
    (FOLDS, "z = zip('ab', KFold(30).split(X))\nfor c, (i, j) in z:\n    pass", "ValueError", 2),
    (FOLDS, "[len(i) for i, j in RepeatedStratifiedKFold(n_splits=15).split(X, y)]", "ValueError", 1),
    (FOLDS, "for i, j in KFold(3).split(X, y[:3]):\n    pass", "ValueError", 1),
    (FOLDS, "list(KFold(3, shuffle=True, random_state='a').split(X))", "ValueError", 1),
    (FOLDS, "next(TimeSeriesSplit(25).split(X))", "ValueError", 1),
    (FOLDS, "next(GroupKFold(5).split(X, y, groups))", "ValueError", 1),
    (FOLDS, "next(GroupKFold(4).split(X, y))", "ValueError", 1),
    (FOLDS, "next(LeavePOut(30).split(X))", "ValueError", 1),
    (FOLDS, "splits = list(KFold(4).split(X))\nsplits[4]", "IndexError", 2),
    (FOLDS, "for i, j in shuffled.split(df):\n    part = df.iloc[i]\n    part['zz']", "KeyError", 3),
    (FOLDS, "for i, j in shuffled.split(df):\n    df.loc[i, ['a', 'b']]\n    df.loc[j, 'zz']", "KeyError", 3),
    (FOLDS, "for i, j in shuffled.split(df):\n    df.iloc[i, :2]\n    df.iloc[j, 9]", "IndexError", 3),
    (FOLDS, "for i, j in shuffled.split(df):\n    SVC().fit(df.iloc[i], y[i])", "ValueError", 2),
    (FOLDS, "for i, j in shuffled.split(X):\n    SVC().fit(Xall[i], y[i])", "ValueError", 2),
    (FOLDS, "for i, j in shuffled.split(X):\n    X[i].reshape(16)", "ValueError", 2),
    (FOLDS, "for i, j in ShuffleSplit(2, test_size=0.2).split(X):\n    X[j] + X[i]", "ValueError", 2),
    (FOLDS, "for i, j in LeaveOneOut().split(X):\n    X[j].reshape(19)", "ValueError", 2),
    (FOLDS, "for i, j in TimeSeriesSplit(3).split(dates):\n    dates.loc[i]", "KeyError", 2),
    (FOLDS, "for i, j in GroupShuffleSplit(2).split(df, groups=groups):\n    df.iloc[i]['zz']", "KeyError", 2),
    (FOLDS, "for i, j in KFold(4, shuffle=True, random_state=rs).split(df):\n    df.iloc[i]['zz']", "KeyError", 2),
    (FOLDS, "def f(cv):\n    for i, j in cv.split(df):\n        return df.iloc[i]\nf(shuffled)['zz']", "KeyError", 4),
    (FOLDS, "shuffled.get_n_splits() + 'a'", "TypeError", 1),
    (FOLDS, "cross_val_score(SVC(), X, y, cv=GroupKFold(4))", "ValueError", 1),
    (FOLDS, "cross_val_score(SVC(), X, y, cv=GroupKFold(5), groups=groups)", "ValueError", 1),
    (FOLDS, "cross_val_predict(SVC(), X, y, cv=TimeSeriesSplit(3))", "ValueError", 1),
    (FOLDS, "GridSearchCV(SVC(), {'C': [1]}, cv=GroupKFold(5)).fit(X, y, groups=groups)", "ValueError", 1),
    (FOLDS, "GridSearchCV(SVC(), {'C': [1]}, cv=RepeatedStratifiedKFold(n_splits=12)).fit(X, y)", "ValueError", 1),
    (FOLDS, "r = cross_validate(SVC(), X, y, cv=shuffled, scoring='accuracy')\nr['test_accuracy']", "KeyError", 2),
    (FOLDS, "r = cross_val_score(SVC(), X, y, cv=shuffled)\nr.reshape(5)", "ValueError", 2),
    (PARTS, "cross_val_score(SVC(), X, y, cv=30)", "ValueError", 1),
    (PARTS, "cross_val_score(SVC(), X, y[:7])", "ValueError", 1),
    (PARTS, "cross_val_score(SVC(), Xall, y, cv=2)", "ValueError", 1),
    (PARTS, "GridSearchCV(SVC(), {'c': [1]}).fit(X, y)", "ValueError", 1),
    (PARTS, "GridSearchCV(make_pipeline(SVC()), {'C': [1]}).fit(X, y)", "ValueError", 1),
    (PARTS, "GridSearchCV(SVC(), {'C': 1}).fit(X, y)", "TypeError", 1),
    (PARTS, "GridSearchCV(SVC(), {'C': [1]}, cv=15).fit(X, y)", "ValueError", 1),
    (PARTS, "g = GridSearchCV(SVC(), {'C': [1]}, cv=3)\ng.fit(X, y)\ng.predict(X[:, 0])", "ValueError", 3),
    # pipelines
    (PARTS, "p = Pipeline([('s', StandardScaler()), ('m', SVC())])\np.fit(Xn, y)", "ValueError", 2),
    (PARTS, "p = make_pipeline(StandardScaler(), SVC())\np.predict(X)", "NotFittedError", 2),
    (PARTS, "p = make_pipeline(SVC(), StandardScaler())\np.fit(X, y)", "TypeError", 2),
    (PARTS, "p = Pipeline([('s', StandardScaler()), ('s', SVC())])\np.fit(X, y)", "ValueError", 2),
    (PARTS, "p = make_pipeline(StandardScaler(), SVC())\np.fit(X, y)\np.predict(X[:, :1])", "ValueError", 3),
    (PARTS, "p = make_pipeline(SimpleImputer(), SVC())\np.fit(df, y)", "ValueError", 2),
    (PARTS, _COLUMNS + "ct.fit(df[['a', 't']])", "ValueError", 2),
    (PARTS, _COLUMNS + "make_pipeline(ct, SVC()).fit(df, yc)", "ValueError", 2),
    (PARTS, _COLUMNS + "make_pipeline(ct, SVC()).fit(X, y)", "ValueError", 2),
    (PARTS, "ColumnTransformer([('n', StandardScaler(), ['t'])]).fit(df)", "ValueError", 1),
    # what is made
    (PARTS, "A, a = make_classification(n_samples=50, random_state=1)\nSVC().fit(A, a[:5])", "ValueError", 2),
    (PARTS, "A, a = make_classification(n_samples=50)\nSVC().fit(A, a[:5])", "ValueError", 2),
    (PARTS, "A, a, c = make_blobs(n_samples=50)", "ValueError", 1),
]

WORKS: list[tuple[str, str]] = [
    (PARTS, "m = LogisticRegression()\nm.fit(X, y)\nm.coef_.shape\nm.predict(X[:1])"),
    (PARTS, "RandomForestRegressor(n_estimators=2).fit(X, y.reshape(-1, 1))"),
    (PARTS, "LinearRegression().fit(X, X).predict(X[:, [0, 1]])"),
    (PARTS, "LinearRegression().fit(X, [str(each) for each in yc])"),
    (PARTS, "HistGradientBoostingClassifier(max_iter=2).fit(Xn, y)"),
    (PARTS, "StandardScaler().fit_transform(Xn)"),
    (PARTS, "A = SimpleImputer().fit_transform(Xn)\nSVC().fit(A, y)"),
    (PARTS, "SVC().fit(X, df['t'])"),
    (PARTS, "SVC().fit(X, np.arange(20.))"),
    (PARTS, "SVC().fit(X.tolist(), list(y))"),
    (PARTS, "SVC(kernel='precomputed').fit(X @ X.T, y)"),
    (PARTS, "SVC(kernel=lambda a, b: a @ b.T).fit(X, y)"),
    (PARTS, "PCA(n_components=2).fit(X)"),
    (PARTS, "PCA(n_components=0.5).fit(X)"),
    (PARTS, "by_name.predict(X)"),
    (PARTS, "by_name.predict(df[['a', 'b']])"),
    (PARTS, "fitted.predict(num)"),
    (PARTS, "by_name.predict(num.rename(columns={'a': 'a'}))"),
    (PARTS, "f = fitted.fit\nm = SVC()\ng = m.fit\ng(X, y)\nm.predict(X)\nm.support_"),
    (PARTS, "m = SVC()\nkept = {'m': m}\nkept['m'].fit(X, y)\nm.predict(X)"),
    (PARTS, "m = SVC()\np = make_pipeline(StandardScaler(), m)\np.fit(X, y)\nm.predict(X)"),
    (PARTS, "s = StandardScaler()\nm = SVC()\np = make_pipeline(s, m)\ns.fit(X)\nm.fit(X, y)\np.predict(X)"),
    (PARTS, "m = Mine()\nm.fit(X[:, 0], y)\nm.predict(1)"),
    (PARTS, "make_pipeline(Passes(), SVC()).fit(df, y)"),
    (PARTS, "StandardScaler().fit(X).set_params(with_mean=False).transform(X)"),
    (PARTS, "PolynomialFeatures().fit_transform(X).shape"),
    (PARTS, "StandardScaler().set_output(transform='pandas').fit_transform(num)['a']"),
    (PARTS, "sklearn.set_config(assume_finite=True)\nStandardScaler().fit(X)\nsklearn.set_config(assume_finite=False)"),
    (
        PARTS + "sklearn.set_config(transform_output='pandas')",
        "StandardScaler().fit_transform(num)['a']\nsklearn.set_config(transform_output='default')",
    ),
    (PARTS, "e = OneHotEncoder(handle_unknown='ignore').fit(df[['t']])\ne.transform(pd.DataFrame({'t': ['z']}))"),
    (PARTS, "A, B = train_test_split(X)\nlen(A)"),
    (PARTS, "A, B, a, b = train_test_split(X, y, stratify=y)\nSVC().fit(A, a).predict(B)"),
    (PARTS, "A, B, a, b = train_test_split(df, y, random_state=0)\nA['t'] = 1\nSVC().fit(A, a)"),
    (PARTS, "A, B, a, b = train_test_split(Xall, y)\nA[:] = 0\nSVC().fit(A, a)"),
    (PARTS, "A, B, a, b = train_test_split(df, y)\nA = A.drop(columns=['t'])\nSVC().fit(A, a)"),
    (PARTS, "A, B, a, b = train_test_split(X, df[['t']])\nSVC().fit(A, a.values.ravel())"),
    (PARTS, "y = y.astype(float)\nX[0, 0] = 3\nSVC().fit(X, y)"),
    (PARTS, "m = RandomForestRegressor(n_estimators=2).fit(X, y)\nmean_squared_error(y, m.predict(X))"),
    (PARTS, "f1_score(np.arange(20) % 3, np.arange(20) % 3, average='macro')"),
    (PARTS, "accuracy_score(y, np.array(list(y)))"),
    (PARTS, "roc_auc_score(y, fitted.predict_proba(X)[:, 1])"),
    (PARTS, "for i, j in KFold(3, shuffle=True).split(X):\n    SVC().fit(X[i], y[i]).predict(X[j])"),
    (PARTS, "for i, j in KFold(3, shuffle=True).split(X):\n    df.iloc[i]\n    X[i], y[j]\n    df['a'][i]"),
    (PARTS, "for i, j in KFold(3, shuffle=True).split(X):\n    pd.DataFrame(X[:, [0] * 20])[i]"),
    (PARTS, "folds = StratifiedKFold(15).split(X, y)\nlen([folds])"),
    # splitters
    (FOLDS, "s = StratifiedKFold(15).split(X, y)\ne = enumerate(s)\ni = iter(KFold(30).split(X))"),
    (FOLDS, "z = zip(KFold(30).split(X), 'ab')"),
    (FOLDS, "list(zip([], KFold(30).split(X)))"),
    (FOLDS, "s = KFold(3).split(X)\nnext(s)\nlen(list(s))\nfor i, j in s:\n    undefined"),
    (FOLDS, "shuffled.n_splits = 3\nlist(shuffled.split(X[:3]))"),
    (FOLDS, "for i, j in shuffled.split(df):\n    j[:] = 0\n    num.iloc[:1].iloc[j]"),
    (FOLDS, "for i, j in shuffled.split(df[:8]):\n    num.iloc[i], num.loc[j], X[j], num['a'][i], dates.iloc[i, 0]"),
    (FOLDS, "A, B = train_test_split(df)\nfor i, j in shuffled.split(A):\n    A.iloc[i]['a'].iloc[0]"),
    (FOLDS, "for i, j in shuffled.split(X):\n    SVC().fit(X[i], y[i]).predict(X[j]).reshape(len(j))"),
    (FOLDS, "for i, j in shuffled.split(X):\n    X[i], X[j] = 0, 1"),
    (FOLDS, "for i, j in shuffled.split(Xn):\n    X[i] + Xn[i]"),
    (FOLDS, "for i, j in LeavePOut(10).split(X):\n    X[i] + X[j]\n    break"),
    (FOLDS, "for i, j in RepeatedKFold(n_splits=4, n_repeats=2).split(X):\n    X[i].reshape(15, 2)"),
    (FOLDS, "for i, j in KFold(n).split(X):\n    X = X[:20]\n    np.concatenate([i, j]).reshape(20)"),
    (FOLDS, "for i, j in StratifiedGroupKFold(2, shuffle=True).split(X, y, groups):\n    X[i].reshape(len(i), 2)"),
    (FOLDS, "GridSearchCV(SVC(), {'C': [1]}, cv=GroupKFold(4)).fit(X, y, groups=groups)"),
    (FOLDS, "cross_val_score(SVC(), X, y, cv=LeaveOneGroupOut(), groups=groups)"),
    (FOLDS, "cross_val_predict(SVC(), X, y, cv=shuffled).reshape(20)"),
    (FOLDS, "cross_validate(SVC(), X, y, cv=shuffled, scoring=['accuracy', 'f1'])['test_f1'].reshape(4)"),
    (FOLDS, "w = None\ntry:\n    next(KFold(30).split(X))\nexcept ValueError:\n    w = []\nw.append(1)"),
    (PARTS, "cross_val_score(SVC(), Xn, y, cv=2)"),
    (PARTS, "GridSearchCV(make_pipeline(SVC()), {'svc__C': [1]}, cv=2).fit(X, y).predict(X)"),
    (PARTS, _COLUMNS + "make_pipeline(ct, SVC()).fit(df, y).predict(df)"),
    (PARTS, "ColumnTransformer([('n', 'drop', ['t'])], remainder='passthrough').fit_transform(df)"),
    (PARTS, "ColumnTransformer([('n', StandardScaler(), make_column_selector(dtype_include='number'))]).fit(df)"),
    (PARTS, "Pipeline([('n', 'passthrough'), ('m', SVC())]).fit(X, y)"),
    (PARTS, "LogisticRegression.fit = lambda self, X, y: self\nfitted.fit(X[:, 0], y)"),
    (PARTS, "cross_val_score(Mine(), X, y, cv=2)"),
]

DOUBTFUL: list[tuple[str, str]] = [
    (PARTS, "A, B, a, b = train_test_split(Xn, y, test_size=1)\nSVC().fit(B, b)"),
    (PARTS, "make_pipeline(Passes(), SVC()).fit(df, y[:3])"),
    (PARTS, "SVC(kernel=lambda a, b: a).fit(X, y)"),
    (FOLDS, "for i, j in StratifiedKFold(19).split(X, draw()):\n    pass"),
    (FOLDS, "for i, j in KFold(4).split(X, groups=draw()[:n]):\n    pass"),
    (FOLDS, "for i, j in shuffled.split(df):\n    dates.loc[i]"),
    (FOLDS, "for i, j in shuffled.split(df):\n    j[:] = 100\n    df.iloc[j]"),
    (FOLDS, "for i, j in shuffled.split(df):\n    X[:4][i]"),
    (FOLDS, "A, B = train_test_split(df)\nfor i, j in shuffled.split(A):\n    A.loc[i]"),
    (FOLDS, "s = KFold(3).split(X)\nlist(s)\nnext(s)"),
    (PARTS, "m = RandomForestRegressor(n_estimators=9).fit(X, yc)\naccuracy_score(y, m.predict(X))"),
]
