"""What hides an error is rejected, whoever proposed it; what mends the code is not."""

import pytest

from crane_agent.agent.repairs.honesty import hides

FIT = "df = load()\nmodel.fit(X, y)\nprint(model.score(X, y))\n"

HIDING = {
    "try": (FIT, "df = load()\ntry:\n    model.fit(X, y)\nexcept ValueError:\n    pass\nprint(model.score(X, y))\n"),
    "try that prints": (
        FIT,
        "df = load()\ntry:\n    model.fit(X, y)\nexcept ValueError as e:\n    print(e)\nprint(model.score(X, y))\n",
    ),
    "try around all": (
        FIT,
        "try:\n    df = load()\n    model.fit(X, y)\n    print(model.score(X, y))\nfinally:\n    done = 1\n",
    ),
    "suppress": (
        FIT,
        "import contextlib\ndf = load()\nwith contextlib.suppress(Exception):\n    model.fit(X, y)\nprint(model.score(X, y))\n",
    ),
    "a wider handler": (
        "try:\n    f(x)\nexcept KeyError:\n    g(x)\n",
        "try:\n    f(x)\nexcept Exception:\n    g(x)\n",
    ),
    "a bare handler": ("try:\n    f(x)\nexcept KeyError:\n    g(x)\n", "try:\n    f(x)\nexcept:\n    g(x)\n"),
    "another handler": (
        "try:\n    f(x)\nexcept KeyError:\n    g(x)\n",
        "try:\n    f(x)\nexcept KeyError:\n    g(x)\nexcept ValueError:\n    g(x)\n",
    ),
    "rows of features only": (FIT, f"X = X[y.notna()]\n{FIT}"),
    "rows without a feature": (FIT, f"X, y = X[X.notna()], y[X.notna()]\n{FIT}"),
    "numbers for data": ("s = accuracy(y, p)", "s = accuracy(1, 1)"),
    "another statement on a dimension": ("x = x.unsqueeze(0)\nx = f(x)", "x = x.unsqueeze(0)"),
    "a dropped line": (FIT, "df = load()\nprint(model.score(X, y))\n"),
    "a line in a comment": (FIT, "df = load()\n# model.fit(X, y)\nprint(model.score(X, y))\n"),
    "a line in a text": (FIT, 'df = load()\n"""\nmodel.fit(X, y)\n"""\nprint(model.score(X, y))\n'),
    "all in a text": (FIT, f'"""{FIT}"""'),
    "nothing": (FIT, ""),
    "pass": (FIT, "df = load()\npass\nprint(model.score(X, y))\n"),
    "an ellipsis": (FIT, "df = load()\n...\nprint(model.score(X, y))\n"),
    "a print instead": (FIT, "df = load()\nprint('skipped')\nprint(model.score(X, y))\n"),
    "a call without its arguments": (FIT, "df = load()\nmodel.fit\nprint(model.score(X, y))\n"),
    "a call that is not made": ("df.plot()", "df.plot"),
    "a call for each of nothing": ("x = g(f(y))", "x = g([].map(f))"),
    "texts that are no numbers": ("x = t.astype(int)", "x = pd.to_numeric(t, errors='coerce')"),
    "as many rounds as axes": (
        "for i, c in enumerate(df.columns):\n    ax[i].plot(df[c])",
        "for i, c in enumerate(df.columns[:len(ax)]):\n    ax[i].plot(df[c])",
    ),
    "a statement behind a loop that ends it": (
        "for c in xs:\n    f(c)\n    df.drop(columns='a')",
        "for c in xs:\n    f(c)\n    break\ndf.drop(columns='a')",
    ),
    "a method that is not called": ("x = loss.backward()", "x = loss.backward"),
    "the last line": (FIT, "df = load()\nmodel.fit(X, y)\n"),
    "the last of a loop": (
        "for x in xs:\n    a(x)\n    b(x)\n",
        "for x in xs:\n    a(x)\n",
    ),
    "if": (FIT, "df = load()\nif len(X) == len(y):\n    model.fit(X, y)\nprint(model.score(X, y))\n"),
    "if False": (FIT, "df = load()\nif False:\n    model.fit(X, y)\nprint(model.score(X, y))\n"),
    "hasattr": ("x.show()", "if hasattr(x, 'show'):\n    x.show()"),
    "a choice": ("x = df['a']", "x = df['a'] if 'a' in df else None"),
    "and": ("x = df['a']", "x = 'a' in df and df['a']"),
    "or": ("x = f(a)", "x = f(a) or 0"),
    "while": (FIT, "df = load()\nwhile False:\n    model.fit(X, y)\nprint(model.score(X, y))\n"),
    "a loop without rounds": ("f(x)", "for _ in []:\n    f(x)"),
    "a range without rounds": ("for i in range(5):\n    f(i)", "for i in range(0):\n    f(i)"),
    "fewer rounds": ("for i in range(50):\n    f(x[i])", "for i in range(3):\n    f(x[i])"),
    "a match": ("f(x)", "match x:\n    case 1:\n        f(x)"),
    "a function that is not called": (
        FIT,
        "df = load()\ndef later():\n    model.fit(X, y)\nprint(model.score(X, y))\n",
    ),
    "a lambda": ("f(x)", "later = lambda: f(x)\nlater"),
    "errors ignore": ("x = pd.to_numeric(s)", "x = pd.to_numeric(s, errors='ignore')"),
    "errors coerce": ("x = pd.to_numeric(s)", "x = pd.to_numeric(s, errors='coerce')"),
    "errors of a file": ("f = open('a')", "f = open('a', errors='ignore')"),
    "errors of a drop": ("df = df.drop(columns=['a'])", "df = df.drop(columns=['a'], errors='ignore')"),
    "bad lines": ("df = pd.read_csv('a')", "df = pd.read_csv('a', on_bad_lines='skip')"),
    "bad lines of pandas 1": ("df = pd.read_csv('a')", "df = pd.read_csv('a', error_bad_lines=False)"),
    "not strict": ("m.load_state_dict(d)", "m.load_state_dict(d, strict=False)"),
    "any values": ("x = check_array(X)", "x = check_array(X, ensure_all_finite=False)"),
    "scores of failures": ("g = GridSearchCV(m, p)", "g = GridSearchCV(m, p, error_score=np.nan)"),
    "exceptions as results": ("r = gather(a)", "r = gather(a, return_exceptions=True)"),
    "some rows": ("m.fit(X, y)", "m.fit(X[:100], y[:100])"),
    "rows of the other": ("m.fit(X, y)", "m.fit(X[:len(y)], y)"),
    "the rows from one on": ("plt.plot(x, y)", "plt.plot(x, y[1:])"),
    "every other row": ("plt.plot(x, y)", "plt.plot(x, y[::2])"),
    "some columns": ("m.fit(X, y)", "m.fit(X[:, :2], y)"),
    "head": ("m.fit(X, y)", "m.fit(X.head(10), y.head(10))"),
    "iloc": ("m.fit(X, y)", "m.fit(X.iloc[:10], y)"),
    "sample": ("m.fit(X, y)", "X = X.sample(10)\nm.fit(X, y)"),
    "dropna": ("m.fit(X, y)", "X = X.dropna()\nm.fit(X, y)"),
    "dropna in place": ("m.fit(X, y)", "X.dropna(inplace=True)\nm.fit(X, y)"),
    "a mask of missing values": ("m.fit(X, y)", "m.fit(X[X['a'].notna()], y)"),
    "a mask": ("m.fit(X, y)", "m.fit(X[X['a'] > 0], y)"),
    "a mask by name": ("m.fit(X, y)", "keep = np.isfinite(X)\nm.fit(X[keep], y)"),
    "a comprehension with a condition": ("t = [float(x) for x in xs]", "t = [float(x) for x in xs if x]"),
    "the shorter of two": (
        "for i in range(len(a)):\n    f(a[i], b[i])",
        "for i in range(min(len(a), len(b))):\n    f(a[i], b[i])",
    ),
    "some lines of a file": ("df = pd.read_csv('a')", "df = pd.read_csv('a', nrows=10)"),
    "no missing values": ("m.fit(X, y)", "m.fit(np.nan_to_num(X), y)"),
    "warnings": (FIT, "import warnings\nwarnings.filterwarnings('ignore')\n" + FIT),
    "warnings in a block": ("f(x)", "with warnings.catch_warnings():\n    f(x)"),
    "numpy's warnings": ("f(x)", "np.seterr(all='ignore')\nf(x)"),
    "return": (
        "def f(x):\n    y = g(x)\n    return y\n",
        "def f(x):\n    return None\n    y = g(x)\n    return y\n",
    ),
    "a condition that returns": (
        "def f(x):\n    y = g(x)\n    return y\n",
        "def f(x):\n    if x is None:\n        return\n    y = g(x)\n    return y\n",
    ),
    "exit": (FIT, "df = load()\nexit()\nmodel.fit(X, y)\nprint(model.score(X, y))\n"),
    "sys.exit": (FIT, "import sys\ndf = load()\nsys.exit(0)\nmodel.fit(X, y)\nprint(model.score(X, y))\n"),
    "raise": (FIT, "df = load()\nraise SystemExit\nmodel.fit(X, y)\nprint(model.score(X, y))\n"),
    "break": ("for i in x:\n    f(i)", "for i in x:\n    break\n    f(i)"),
    "continue": ("for i in x:\n    f(i)", "for i in x:\n    continue\n    f(i)"),
    "a constant": ("score = model.score(X, y)", "score = 0.0"),
    "None": ("data = load(path)", "data = None"),
    "an empty frame": ("df = pd.read_csv('data.csv')", "df = pd.DataFrame()"),
    "other data": ("X = pd.read_csv('data.csv')['a']", "X = np.zeros(10)"),
    "a name that is not bound": ("result = f(x)\ng(y)", "f(x)\ng(y)"),
    "get": ("lr = config['lr']", "lr = config.get('lr')"),
    "get with a default": ("lr = config['lr']", "lr = config.get('lr', 0.1)"),
    "getattr with a default": ("x = a.b", "x = getattr(a, 'b', None)"),
    "next with a default": ("x = next(it)", "x = next(it, None)"),
    "an assertion": ("assert len(a) == len(b)", "assert True"),
    "a magic": ("f(x)", "%%script false\nf(x)"),
    "a captured cell": ("%%time\nf(x)", "%%capture\nf(x)"),
    "exec": ("f(x)", "exec('f(x)')"),
    "a thread": ("f(x)", "threading.Thread(target=f, args=(x,)).start()"),
    "a function that does nothing": ("f(x)", "def f(x):\n    pass\nf(x)"),
    "a function that gives a constant": ("f(x)", "def f(x):\n    return 0\nf(x)"),
    "no Python": ("f(x)", "f(x"),
    "a dropped line of no Python": ("a = 1\nf(x\n", "a = 1\n"),
    "a hidden traceback": ("f(x)", "sys.tracebacklimit = 0\nf(x)"),
    "in a timed cell": ("%%time\nf(x)\n", "%%time\ntry:\n    f(x)\nexcept Exception:\n    pass\n"),
}

HONEST = {
    "a column": ("x = df['age']", "x = df['Age']"),
    "a name": ("print(vlaue)", "print(value)"),
    "a lone name": ("vlaue", "value"),
    "an import": ("x = np.ones(3)", "import numpy as np\nx = np.ones(3)"),
    "a moved import": (
        "from sklearn.cross_validation import train_test_split",
        "from sklearn.model_selection import train_test_split",
    ),
    "joblib": ("from sklearn.externals import joblib", "import joblib"),
    "a display": (
        "from sklearn.metrics import plot_confusion_matrix\nplot_confusion_matrix(m, X, y)",
        "from sklearn.metrics import ConfusionMatrixDisplay\nConfusionMatrixDisplay.from_estimator(m, X, y)",
    ),
    "reshape": ("m.fit(x, y)", "m.fit(x.reshape(-1, 1), y)"),
    "a column as a table": ("m.fit(df['a'], y)", "m.fit(df[['a']], y)"),
    "a new axis": ("m.fit(x, y)", "m.fit(x[:, np.newaxis], y)"),
    "a column of an array": ("y = f(x)", "y = f(x[:, 0])"),
    "an item": ("y = f(x)", "y = f(x[0])"),
    "fit": ("p = m.predict(X)", "m.fit(X_train, y_train)\np = m.predict(X)"),
    "concat": ("df = df.append(row, ignore_index=True)", "df = pd.concat([df, row], ignore_index=True)"),
    "conditions": ("x = df[df['a'] > 1 and df['b'] < 2]", "x = df[(df['a'] > 1) & (df['b'] < 2)]"),
    "fillna": ("m.fit(X, y)", "m.fit(X.fillna(X.mean()), y)"),
    "an imputer": ("m.fit(X, y)", "m.fit(SimpleImputer().fit_transform(X), y)"),
    "dummies": ("m.fit(X, y)", "m.fit(pd.get_dummies(X), y)"),
    "a function for each value": ("df['b'] = f(df['a'])", "df['b'] = df['a'].apply(f)"),
    "a statement behind its loop": (
        "for c in xs:\n    f(c)\n    df.drop(columns='a', inplace=True)",
        "for c in xs:\n    f(c)\ndf.drop(columns='a', inplace=True)",
    ),
    "numbers only": ("x = df.corr()", "x = df.corr(numeric_only=True)"),
    "a device": ("y = m(x)", "y = m(x.to(device))"),
    "a device if there is one": (
        "m = m.cuda()",
        "m = m.to('cuda' if torch.cuda.is_available() else 'cpu')",
    ),
    "a loop that ends earlier": (
        "for i in range(len(x)):\n    f(x[i + 1])",
        "for i in range(len(x) - 1):\n    f(x[i + 1])",
    ),
    "a loop of one round less": ("for i in range(5):\n    f(x[i])", "for i in range(4):\n    f(x[i])"),
    "a loop over what there is": ("for i in range(5):\n    f(x[i])", "for i in range(len(x)):\n    f(x[i])"),
    "items": ("for k, v in d:\n    f(k, v)", "for k, v in d.items():\n    f(k, v)"),
    "an attribute that was called": ("print(df.shape())", "print(df.shape)"),
    "a call that was missing": ("x = df.head[5]", "x = df.head(5)"),
    "no gradient": ("w -= 0.1 * g", "with torch.no_grad():\n    w -= 0.1 * g"),
    "bad lines, as before": (
        "df = pd.read_csv('a', error_bad_lines=False)",
        "df = pd.read_csv('a', on_bad_lines='skip')",
    ),
    "a handler that stays": (
        "try:\n    f(vlaue)\nexcept KeyError:\n    g(value)\n",
        "try:\n    f(value)\nexcept KeyError:\n    g(value)\n",
    ),
    "a condition that stays": ("if a:\n    f(vlaue)", "if a:\n    f(value)"),
    "a condition that is mended": ("if (a == b):\n    f(x)", "if (a == b).all():\n    f(x)"),
    "what append gives": ("x = x.append(1)\nf(x)", "x.append(1)\nf(x)"),
    "inplace": ("d = df.dropna(inplace=True)", "d = df.dropna()"),
    "a return at the end": ("def f(x):\n    y = g(x)", "def f(x):\n    y = g(x)\n    return y"),
    "another order": ("t = s.transform(X)\ns.fit(X)", "s.fit(X)\nt = s.transform(X)"),
    "a global": ("def f():\n    n += 1\nf()", "def f():\n    global n\n    n += 1\nf()"),
    "a counter": ("for w in ws:\n    d[w] = d[w] + 1", "for w in ws:\n    d[w] = d.get(w, 0) + 1"),
    "null": ("x = [null]", "x = [None]"),
    "a folder": ("df.to_csv('out/a.csv')", "import os\nos.makedirs('out', exist_ok=True)\ndf.to_csv('out/a.csv')"),
    "a slice that is mended": ("x = y[:len(y) / 2]", "x = y[:len(y) // 2]"),
    "a mended bracket": ("x = f(1\ny = 2", "x = f(1)\ny = 2"),
    "a comment": ("f(vlaue)  # why", "f(value)  # why"),
    "a timed cell": ("%%time\nf(vlaue)", "%%time\nf(value)"),
    "a magic that stays": ("%matplotlib inline\nf(vlaue)", "%matplotlib inline\nf(value)"),
    "an argument": ("m.fit(X)", "m.fit(X, y)"),
    "a swapped import": (
        "import datetime\ndatetime(2020, 1, 1)",
        "from datetime import datetime\ndatetime(2020, 1, 1)",
    ),
    "rows without a label": (FIT, f"X, y = X[y.notna()], y[y.notna()]\n{FIT}"),
    "rows without a label in a call": ("a, b = split(X, y)", "a, b = split(X[y.notna()], y[y.notna()])"),
    "a dimension less": ("x = x.unsqueeze(0)\ny = m(x)", "y = m(x)"),
    "the size of a layer": ("net = nn.Linear(hidden * 2, 3)", "net = nn.Linear(8, 3)"),
    "labels that are encoded": (FIT, f"e = LabelEncoder()\ny = e.fit_transform(y)\n{FIT}"),
    "a state that is detached": (
        "for x in xs:\n    y, s = m(x, s)\n    y.backward()",
        "for x in xs:\n    s = tuple(each.detach() for each in s)\n    y, s = m(x, s)\n    y.backward()",
    ),
    "nothing changed": (FIT, FIT),
}


@pytest.mark.parametrize("name", HIDING)
def test_what_hides_the_error_is_rejected(name):
    original, patched = HIDING[name]
    assert hides(original, patched)


@pytest.mark.parametrize("name", HONEST)
def test_what_mends_the_code_is_not_rejected(name):
    original, patched = HONEST[name]
    assert hides(original, patched) == ""


@pytest.mark.parametrize("name", HONEST)
def test_what_undoes_a_fix_is_judged_without_an_error(name):
    original, patched = HONEST[name]
    assert isinstance(hides(patched, original), str)
