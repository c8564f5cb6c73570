"""What the checker must find, must leave alone, and must not be sure of, of modules that are not loaded; see `tables`.

The setups load no library but numpy and pandas; what the cells need besides may be missing (`needs`).
"""

DATA = (
    "import numpy as np, pandas as pd\n"
    "df = pd.DataFrame({'sex': ['Male', 'Female'] * 10, 'age': range(20), 'hole': [1.5, None] * 10, 't': [0, 1] * 10,"
    " 'share': [each + .5 for each in range(20)]})\n"
    "text, numbers, holes, t, share = df[['sex', 'age']], df[['age', 't']], df[['hole', 'age']], df['t'], df['share']\n"
    "row = np.arange(20.)"
)
SPLIT = "from sklearn.model_selection import train_test_split\n"
FOREST = "from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(n_estimators=3)\n"
LINEAR = "from sklearn.linear_model import LinearRegression\nm = LinearRegression()\n"

CRASHES: list[tuple[str, str, str, int | None]] = [
    # -- signatures
    ("", SPLIT + "train_test_split([1, 2], test_sizes=.2)", "TypeError", 2),
    ("", "import seaborn as sns\nsns.countplot('c', data=1)", "TypeError", 2),
    ("", "import seaborn as sns\nsns.heatmap()", "TypeError", 2),
    ("", "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier(n_estimator=3)", "TypeError", 2),
    ("", "from sklearn import svm\nsvm.SVC(kernels='rbf')", "TypeError", 2),
    ("", "from sklearn.cluster import KMeans\nKMeans(3, 4)", "TypeError", 2),
    ("", "from sklearn.metrics import accuracy_score\naccuracy_score([1])", "TypeError", 2),
    # -- splitting
    (DATA, SPLIT + "train_test_split(numbers, t[:5])", "ValueError", 2),
    (DATA, SPLIT + "a, b = train_test_split(df, random_state=1)\na['no']", "KeyError", 3),
    (DATA, SPLIT + "a, b = train_test_split(df)\na['no']", "KeyError", 3),
    (DATA, SPLIT + "a, b, c = train_test_split(numbers, t)", "ValueError", 2),
    # -- fitting
    (DATA, FOREST + "m.fit(text, t)", "ValueError", 3),
    (DATA, SPLIT + FOREST + "a, b, c, d = train_test_split(text, t, random_state=3)\nm.fit(a, c)", "ValueError", 5),
    (DATA, SPLIT + FOREST + "a, b, c, d = train_test_split(numbers, t, test_size=.2)\nm.fit(a, d)", "ValueError", 5),
    (DATA, FOREST + "m.fit(numbers, share)", "ValueError", 3),
    (DATA, LINEAR + "m.fit(df['age'], t)", "ValueError", 3),
    (DATA, LINEAR + "m.fit(row, t)", "ValueError", 3),
    (DATA, LINEAR + "m.fit(holes, t)", "ValueError", 3),
    (DATA, LINEAR + "m.fit(text.to_numpy(), t)", "ValueError", 3),
    (DATA, LINEAR + "m.fit(numbers, t)\ndf['no']", "KeyError", 4),
    (DATA, "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit_transform(df)", "ValueError", 2),
    (
        DATA,
        "from sklearn.preprocessing import StandardScaler\nz = StandardScaler().fit_transform(numbers)\nz['age']",
        "IndexError",
        3,
    ),
    (DATA, "from sklearn.metrics import accuracy_score\naccuracy_score(t, t[:3])", "ValueError", 2),
]

WORKS: list[tuple[str, str]] = [
    ("", SPLIT + "train_test_split([1, 2, 3, 4], test_size=.5)"),
    ("", "from sklearn.cluster import KMeans\nKMeans(3, n_init=4)"),
    ("", "from sklearn.model_selection import KFold\nKFold(3, shuffle=True)"),
    ("", "import seaborn as sns\nsns.color_palette()\nsns.extra = len\nsns.extra([])"),
    ("", "import sklearn.metrics as metrics\nmetrics.accuracy_score = max\nmetrics.accuracy_score([1])"),
    ("", "from sklearn.metrics import accuracy_score\naccuracy_score(*[[1], [1]], normalize=False)"),
    (DATA, SPLIT + "a, b, c, d = train_test_split(numbers, t, test_size=.2)\nassert len(b) == 4\na['age']"),
    (DATA, SPLIT + "a, b = train_test_split(df, random_state=1, test_size=3)\nassert list(a.columns) == list(df)"),
    (DATA, SPLIT + "a, b = train_test_split(df, shuffle=False)\nassert a.index[0] == 0"),
    (DATA, SPLIT + "a, b = train_test_split(df, stratify=t, random_state=0)\na['sex']"),
    (DATA, SPLIT + FOREST + "a, b, c, d = train_test_split(numbers, t)\nm.fit(a, c)\nm.predict(b).shape[0]"),
    (DATA, FOREST + "m.fit(numbers, df['sex'])"),
    (DATA, FOREST + "m.fit(numbers, share.round())"),
    (DATA, LINEAR + "m.fit(numbers.astype(object), t)"),
    (DATA, LINEAR + "m.fit(numbers.astype(str), t)"),
    (DATA, LINEAR + "m.fit(df[['age']], df[['t', 'age']])\nm.predict(df[['age']])[:, 1]"),
    (
        DATA,
        "from sklearn.preprocessing import StandardScaler\n"
        "s = StandardScaler().set_output(transform='pandas')\ns.fit_transform(numbers)['age']",
    ),
    (
        DATA,
        "from sklearn.preprocessing import StandardScaler\n"
        "s = StandardScaler()\ns.set_output(transform='pandas')\ns.fit_transform(numbers)['age']",
    ),
    (DATA, "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit_transform(holes)"),
    (
        DATA,
        "from sklearn.preprocessing import OneHotEncoder\nfrom sklearn.compose import ColumnTransformer\n"
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.tree import DecisionTreeClassifier\n"
        "p = make_pipeline(ColumnTransformer([('o', OneHotEncoder(), ['sex'])]), DecisionTreeClassifier())\n"
        "p.fit(text, t).predict(text)",
    ),
    (DATA, "from sklearn.ensemble import HistGradientBoostingClassifier as H\nH(max_iter=2).fit(holes, t)"),
    (
        DATA,
        "import sklearn\nsklearn.set_config(transform_output='pandas')\nfrom sklearn.preprocessing import "
        "StandardScaler\nStandardScaler().fit_transform(numbers)['age']\nsklearn.set_config(transform_output='default')",
    ),
]

DOUBTFUL: list[tuple[str, str]] = [
    ("", "from sklearn.cluster import KMeans\nKMeans(n_clusters=-3).fit([[1]])"),
    (DATA, SPLIT + "train_test_split(df, test_size=.0001, train_size=.00001)"),
    (DATA, LINEAR + "m.predict(numbers)"),
    (DATA, LINEAR + "m.fit(numbers)"),
]
