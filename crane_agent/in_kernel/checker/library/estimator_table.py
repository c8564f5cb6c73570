"""How the estimators of scikit-learn check what they are fitted on: the options that each hands to the library's check.

Only options that decide what is raised for dense data are here. Source: the ``fit`` of each class, the calls of
`validate_data` (until 1.5: `BaseEstimator._validate_data`), the same from 1.2 to 1.9 but for what is read off the live
library: whether NaN is taken is the estimator's tag ``allow_nan``.

To add an estimator, put its name into the group with its options.
"""

from __future__ import annotations

from typing import NamedTuple

FLOAT = "float"
FLOAT32 = "float32"
FLOAT64 = "float64"
NUMERIC = "numeric"

CLASSES = "classes"
NUMBERS = "numbers"
ANY = "any"
NONE = "none"


class Fit(NamedTuple):
    """How ``fit`` checks its data.

    Attributes:
        target: What the target must be: `CLASSES`, `NUMBERS`, `ANY`, or `NONE` if it is not looked at.
        dtype: What the features are turned into.
        several: Whether the target may have several columns.
        samples: The least number of samples.
        features: The least number of features.
        apart: Whether features and target are checked apart from each other.
        target_first: Whether the target is checked before the features.
        finite: None: as the tag `allow_nan` says; False: NaN and infinity are let through.
        classes: The least number of classes.
    """

    target: str
    dtype: str = NUMERIC
    several: bool = False
    samples: int = 1
    features: int = 1
    apart: bool = False
    target_first: bool = False
    finite: bool | None = None
    classes: int = 1


_GROUPS: list[tuple[str, Fit]] = [
    ("LogisticRegression", Fit(CLASSES, FLOAT, classes=2)),
    ("LogisticRegressionCV", Fit(CLASSES, FLOAT64, classes=2)),
    ("QuadraticDiscriminantAnalysis", Fit(CLASSES)),
    ("LinearDiscriminantAnalysis", Fit(ANY, FLOAT, samples=2)),
    ("GaussianNB", Fit(CLASSES, target_first=True)),
    ("MultinomialNB ComplementNB BernoulliNB", Fit(CLASSES)),
    ("SGDClassifier Perceptron PassiveAggressiveClassifier", Fit(CLASSES, FLOAT, target_first=True, classes=2)),
    ("SGDRegressor PassiveAggressiveRegressor", Fit(ANY, FLOAT)),
    ("KNeighborsClassifier RadiusNeighborsClassifier", Fit(CLASSES, several=True)),
    ("KNeighborsRegressor RadiusNeighborsRegressor", Fit(ANY, several=True)),
    ("NearestNeighbors LocalOutlierFactor", Fit(NONE)),
    ("NearestCentroid", Fit(CLASSES)),
    ("NeighborhoodComponentsAnalysis", Fit(CLASSES, samples=2)),
    ("SVC NuSVC", Fit(CLASSES, FLOAT64, classes=2)),
    ("LinearSVC", Fit(CLASSES, FLOAT64, classes=2)),
    ("SVR NuSVR LinearSVR", Fit(ANY, FLOAT64)),
    ("DecisionTreeClassifier ExtraTreeClassifier", Fit(CLASSES, FLOAT32, several=True, apart=True)),
    ("DecisionTreeRegressor ExtraTreeRegressor", Fit(ANY, FLOAT32, several=True, apart=True)),
    ("RandomForestClassifier ExtraTreesClassifier", Fit(CLASSES, FLOAT32, several=True)),
    ("RandomForestRegressor ExtraTreesRegressor", Fit(ANY, FLOAT32, several=True)),
    ("GradientBoostingClassifier", Fit(CLASSES, FLOAT32, several=True, classes=2)),
    ("GradientBoostingRegressor", Fit(ANY, FLOAT32, several=True)),
    ("MLPClassifier", Fit(CLASSES, FLOAT, several=True)),
    ("MLPRegressor", Fit(NUMBERS, FLOAT, several=True)),
    ("RidgeClassifier RidgeClassifierCV", Fit(CLASSES, FLOAT, several=True)),
    ("GaussianProcessRegressor", Fit(NUMBERS, several=True)),
    ("LinearRegression KernelRidge Lars LassoLars OrthogonalMatchingPursuit", Fit(NUMBERS, several=True)),
    ("Ridge RidgeCV ElasticNet Lasso", Fit(NUMBERS, FLOAT, several=True)),
    ("LarsCV LassoLarsCV LassoLarsIC QuantileRegressor TheilSenRegressor", Fit(NUMBERS)),
    ("BayesianRidge HuberRegressor PoissonRegressor GammaRegressor TweedieRegressor", Fit(NUMBERS, FLOAT)),
    ("ARDRegression", Fit(NUMBERS, FLOAT, samples=2)),
    # -- without a target
    ("KMeans MiniBatchKMeans BisectingKMeans Birch IncrementalPCA PCA NMF MiniBatchNMF OPTICS", Fit(NONE, FLOAT)),
    ("GaussianMixture BayesianGaussianMixture FastICA TSNE", Fit(NONE, FLOAT, samples=2)),
    ("DBSCAN MeanShift AffinityPropagation KernelPCA SparsePCA MiniBatchSparsePCA FactorAnalysis", Fit(NONE)),
    ("EmpiricalCovariance ShrunkCovariance LedoitWolf OAS KernelDensity Normalizer Binarizer", Fit(NONE)),
    ("KBinsDiscretizer PolynomialFeatures LocallyLinearEmbedding RBFSampler Nystroem", Fit(NONE)),
    ("AgglomerativeClustering MinCovDet EllipticEnvelope SpectralEmbedding SpectralClustering", Fit(NONE, samples=2)),
    ("SplineTransformer", Fit(NONE, samples=2)),
    ("TruncatedSVD FeatureAgglomeration", Fit(NONE, features=2)),
    ("StandardScaler MinMaxScaler MaxAbsScaler RobustScaler PowerTransformer QuantileTransformer", Fit(NONE, FLOAT)),
    ("VarianceThreshold", Fit(NONE, FLOAT64)),
    ("OneClassSVM", Fit(NONE, FLOAT64)),
    ("IsolationForest", Fit(NONE, FLOAT32)),
    ("SelectKBest SelectPercentile SelectFpr SelectFdr SelectFwe", Fit(ANY, several=True)),
    ("KNNImputer", Fit(NONE, FLOAT)),
]

FITS: dict[str, Fit] = {name: fit for names, fit in _GROUPS for name in names.split()}
"""By the name of scikit-learn's own class."""

REAL = frozenset(
    "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer Binarizer PolynomialFeatures SimpleImputer "
    "LabelEncoder OrdinalEncoder OneHotEncoder LabelBinarizer MultiLabelBinarizer VarianceThreshold".split()
)
"""Transformers that are fitted for real on content that is known: quick, without threads and random numbers."""

AS_MANY_COLUMNS = frozenset(
    "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer Binarizer PowerTransformer QuantileTransformer "
    "OrdinalEncoder".split()
)
"""Transformers whose result has the columns that they were given."""

KEEPING_NAN = frozenset("StandardScaler MinMaxScaler MaxAbsScaler RobustScaler QuantileTransformer".split())
"""Scalers that leave NaN where it is, and whose other results are finite."""

COPYING = frozenset(["copy", "copy_X", "copy_x"])
"""Parameters that, if false, let an estimator change what it is fitted on."""

PRECOMPUTED = ("metric", "kernel", "affinity", "dissimilarity", "init")
"""Parameters that may turn the features into something else."""

CLONING = frozenset(
    "GridSearchCV RandomizedSearchCV HalvingGridSearchCV HalvingRandomSearchCV VotingClassifier VotingRegressor "
    "StackingClassifier StackingRegressor BaggingClassifier BaggingRegressor AdaBoostClassifier AdaBoostRegressor "
    "OneVsRestClassifier OneVsOneClassifier MultiOutputClassifier MultiOutputRegressor ClassifierChain "
    "RegressorChain TransformedTargetRegressor ColumnTransformer RFE RFECV SequentialFeatureSelector "
    "SelfTrainingClassifier OutputCodeClassifier RANSACRegressor IterativeImputer".split()
)
"""Estimators that fit clones of those inside them."""

PREDICTING = frozenset(
    "HistGradientBoostingClassifier HistGradientBoostingRegressor AdaBoostClassifier AdaBoostRegressor "
    "BaggingClassifier BaggingRegressor VotingClassifier VotingRegressor StackingClassifier StackingRegressor "
    "CalibratedClassifierCV OneVsRestClassifier LassoCV ElasticNetCV DummyClassifier DummyRegressor "
    "GaussianProcessClassifier".split()
)
"""Besides those in `FITS`, estimators that for a target of one dimension predict one."""
