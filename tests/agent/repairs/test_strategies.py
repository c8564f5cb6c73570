"""Each strategy against the library itself: the original really raises, the patch that is found really runs."""

import pytest
from libraries import Oracle, found_for

pytest.importorskip("matplotlib").use("Agg")

FRAME = """import pandas as pd
import numpy as np
df = pd.DataFrame({'Age': [3.0, 1.0, 2.0], 'Name': ['a', 'b', 'c'], 'No': ['1', '2', '3'], 'Day': ['2020-01-01'] * 3})
s = pd.Series([1.0, 2.0], index=['u', 'v'])
"""
ARRAYS = "import numpy as np\na, b, v = np.ones((2, 3)), np.ones((2, 3)), np.ones(3)\n"
LEARN = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
X_train = pd.DataFrame({'a': [1.0, 2, 3, 4], 'b': [0.0, 1, 0, 1]})
y_train = pd.Series([0, 1, 0, 1])
X_test, y_test = X_train[:2], y_train[:2]
model, scaler = LogisticRegression(), StandardScaler()
"""
TORCH = "import torch\nfrom torch import nn\nlayer = nn.Linear(3, 2)\nx = torch.ones(4, 3)\n"
PLOT = "import numpy as np\nimport matplotlib.pyplot as plt\n"
SEABORN = FRAME + "import seaborn as sns\n"

# name: (executed cells, target, patched target)
PYTHON = {
    "a misspelt name": ("value = 1", "print(vlaue)\nx = vlaue + 1", "print(value)\nx = value + 1"),
    "a name in another case": ("Value = 1", "value + 1", "Value + 1"),
    "a builtin of Python 2": ("", "list(xrange(3))", "list(range(3))"),
    "null of JSON": ("", "x = null", "x = None"),
    "a missing alias": ("", "# c\nx = np.ones(3)", "# c\nimport numpy as np\nx = np.ones(3)"),
    "a missing module": ("", "json.dumps(1)", "import json\njson.dumps(1)"),
    "a missing class": ("", "Counter('aa')", "from collections import Counter\nCounter('aa')"),
    "a missing import behind a magic": (
        "",
        "\n\n%matplotlib inline\n\nx = np.ones(2)",
        "\n\n%matplotlib inline\n\nimport numpy as np\nx = np.ones(2)",
    ),
    "a global that a function sets": (
        "count = 0",
        "def f():\n    count += 1\nf()",
        "def f():\n    global count\n    count += 1\nf()",
    ),
    "a module that was called": ("import datetime", "datetime(2020, 1, 1)", "datetime.datetime(2020, 1, 1)"),
    "a class taken for its module": (
        "from datetime import datetime",
        "datetime.datetime(2020, 1, 1)",
        "datetime(2020, 1, 1)",
    ),
    "a key": ("d = {'width': 1, 'height': 2}", "x = d['heigth']", "x = d['height']"),
    "a key of another class": ("d = {1: 'a'}", "x = d['1']", "x = d[1]"),
    "a dict of Python 2": ("d = {1: 2}", "list(d.iteritems())", "list(d.items())"),
    "an attribute": ("x = [1]", "x.apend(2)", "x.append(2)"),
    "next of Python 2": ("x = iter([1])", "y = x.next()", "y = next(x)"),
    "next of no iterator": ("x = [1]", "y = next(x)", "y = next(iter(x))"),
    "a text that is decoded": ("x = 'a'", "y = x.decode('utf-8')", "y = x"),
    "a method that is not called": ("x = 'a b'", "y = x.split[0]", "y = x.split()[0]"),
    "a text and a number": ("n = 3", "print('n: ' + n)", "print('n: ' + str(n))"),
    "a number and a text": ("n = 3", "t = n + ' é' # é", "t = str(n) + ' é' # é"),
    "a text that grows": ("t, n = 'a', 3", "t += n", "t += str(n)"),
    "numbers that are joined": ("x = [1, 2]", "t = ','.join(x)", "t = ','.join(map(str, x))"),
    "a zip that is indexed": ("x = zip([1], [2])", "z = x[0]", "z = list(x)[0]"),
    "the length of a zip": ("x = zip([1], [2])", "z = len(x)", "z = len(list(x))"),
    "what append gives": ("x = [1]", "x = x.append(2)\nx[0]", "x.append(2)\nx[0]"),
    "what sort gives": ("x = [2, 1]", "y = x.sort()\ny[0]", "y = sorted(x)\ny[0]"),
    "a half as an index": ("x = [1, 2, 3, 4]", "y = x[len(x) / 2]", "y = x[len(x) // 2]"),
    "a half as the end of a slice": ("x = [1, 2, 3]", "y = x[:len(x) / 2]", "y = x[:len(x) // 2]"),
    "a share as the end of a slice": ("x = [1, 2, 3]", "y = x[:len(x) * 0.5]", "y = x[:int(len(x) * 0.5)]"),
    "a range of a half": ("n = 4", "for i in range(n / 2):\n    pass", "for i in range(n // 2):\n    pass"),
    "a range of a float": ("n = 4.0", "list(range(n))", "list(range(int(n)))"),
    "a number with commas": ("t = '1,200'", "x = float(t)", 'x = float(t.replace(",", ""))'),
    "an int of a float in text": ("t = '3.5'", "x = int(t)", "x = int(float(t))"),
    "a text that is compared": ("t = '3'", "x = t > 2", "x = float(t) > 2"),
    "a loop over a number": ("n = 3", "for i in n:\n    print(i)", "for i in range(n):\n    print(i)"),
    "a loop over a dict": ("d = {'abc': 1}", "for k, v in d:\n    print(k)", "for k, v in d.items():\n    print(k)"),
    "a comprehension over a dict": ("d = {'abc': 1}", "x = [v for k, v in d]", "x = [v for k, v in d.items()]"),
    "a loop over a list with numbers": (
        "x = [5, 6]",
        "for i, e in x:\n    print(e)",
        "for i, e in enumerate(x):\n    print(e)",
    ),
    "a loop that looks ahead": (
        "x = [1, 2, 3]",
        "for i in range(len(x)):\n    print(x[i + 1])",
        "for i in range(len(x) - 1):\n    print(x[i + 1])",
    ),
    "a loop one too far": (
        "x = [1, 2, 3]",
        "for i in range(len(x) + 1):\n    print(x[i])",
        "for i in range(len(x)):\n    print(x[i])",
    ),
    "a loop of a literal length": (
        "x = [1, 2, 3]",
        "for i in range(5):\n    print(x[i])",
        "for i in range(len(x)):\n    print(x[i])",
    ),
    "a while one too far": (
        "x, i = [1, 2], 0",
        "while i <= len(x):\n    print(x[i])\n    i += 1",
        "while i < len(x):\n    print(x[i])\n    i += 1",
    ),
    "a list that hides a builtin": (
        "list = [1, 2]",
        "x = list('ab')",
        "import builtins\nx = builtins.list('ab')",
    ),
    "the index of the length": ("x = [1, 2, 3]", "y = x[len(x)]", "y = x[-1]"),
    "parentheses behind an attribute": ("class A:\n    size = 3\na = A()", "x = a.size()", "x = a.size"),
    "parentheses for brackets": ("x = [1, 2]", "y = x(0)", "y = x[0]"),
    "a misspelt keyword": (
        "def f(*, size, colour=1):\n    return size",
        "f(sise=3)",
        "f(size=3)",
    ),
    "a moved module": ("", "import cPickle\ncPickle.dumps(1)", "import pickle as cPickle\ncPickle.dumps(1)"),
    "a moved name": (
        "",
        "from collections import Mapping\nisinstance({}, Mapping)",
        "from collections.abc import Mapping\nisinstance({}, Mapping)",
    ),
    "a misspelt import": (
        "",
        "from collections import defaultdic\nx = defaultdic(int)",
        "from collections import defaultdict as defaultdic\nx = defaultdic(int)",
    ),
    "bytes that are written": (
        "import io\nf = io.BytesIO()",
        "f.write('a')",
        "f.write('a'.encode())",
    ),
    "a text that is written": ("import io\nf = io.StringIO()", "f.write(3)", "f.write(str(3))"),
}

PANDAS = {
    "a column": (FRAME, "x = df['age'].mean()", "x = df['Age'].mean()"),
    "a column with a blank": (FRAME, 'x = df["Age "]', 'x = df["Age"]'),
    "columns": (FRAME, "x = df[['age', 'Name']]", "x = df[['Age', 'Name']]"),
    "a column that is grouped by": (FRAME, "df.groupby('name').size()", "df.groupby('Name').size()"),
    "a column that is sorted by": (FRAME, "df.sort_values(by='age')", "df.sort_values(by='Age')"),
    "a column behind letters of two bytes": (FRAME, "'äé', df['age'] # ü", "'äé', df['Age'] # ü"),
    "a column as an attribute": (FRAME, "x = df.Agee", "x = df.Age"),
    "columns that are dropped": (FRAME, "x = df.drop(['Age', 'No'])", "x = df.drop(columns=['Age', 'No'])"),
    "columns as a tuple": (FRAME, "x = df['Age', 'No']", "x = df[['Age', 'No']]"),
    "grouped columns as a tuple": (
        FRAME,
        "x = df.groupby('Name')['Age', 'No'].first()",
        "x = df.groupby('Name')[['Age', 'No']].first()",
    ),
    "a position": (FRAME, "x = s[0]", "x = s.iloc[0]"),
    "a row by loc": (FRAME, "x = df.set_index('Name').loc[0]", "x = df.set_index('Name').iloc[0]"),
    "positions of rows and columns": (FRAME, "x = df[:, 0]", "x = df.iloc[:, 0]"),
    "ix": (FRAME, "x = df.ix[0]", "x = df.loc[0]"),
    "iteritems": (FRAME, "list(s.iteritems())", "list(s.items())"),
    "append": (
        FRAME,
        "both = df.append(df, ignore_index=True)",
        "both = pd.concat([df, df], ignore_index=True)",
    ),
    "append of a row": (
        FRAME,
        "df = df.append({'Age': 1, 'Name': 'd'}, ignore_index=True)",
        "df = pd.concat([df, pd.DataFrame([{'Age': 1, 'Name': 'd'}])], ignore_index=True)",
    ),
    "reshape of a series": (FRAME, "x = df['Age'].reshape(-1, 1)", "x = df['Age'].to_numpy().reshape(-1, 1)"),
    "the values of an array": (FRAME, "x = df['Age'].to_numpy().values", "x = df['Age'].to_numpy()"),
    "a method of texts": (FRAME, "x = df['Name'].upper()", "x = df['Name'].str.upper()"),
    "a part of dates": (FRAME, "x = pd.to_datetime(df['Day']).year", "x = pd.to_datetime(df['Day']).dt.year"),
    "texts of numbers": (FRAME, "x = df['Age'].str.len()", "x = df['Age'].astype(str).str.len()"),
    "dates of texts": (FRAME, "x = df['Day'].dt.year", "x = pd.to_datetime(df['Day']).dt.year"),
    "correlation": (FRAME, "x = df.corr()", "x = df.corr(numeric_only=True)"),
    "a loop over too many rows": (
        FRAME,
        "for i in range(len(df) + 1):\n    print(df.iloc[i])",
        "for i in range(len(df)):\n    print(df.iloc[i])",
    ),
    "a row of a shuffled series": (
        FRAME + "t = df['Age'].iloc[1:]",
        "for i in range(2):\n    print(t[i])",
        "for i in range(2):\n    print(t.iloc[i])",
    ),
    "a mean of groups": (FRAME, "x = df.groupby('Day').mean()", "x = df.groupby('Day').mean(numeric_only=True)"),
    "and": (
        FRAME,
        "x = df[df['Age'] > 1 and df['Age'] < 3]",
        "x = df[(df['Age'] > 1) & (df['Age'] < 3)]",
    ),
    "not": (FRAME, "x = df[not df['Age'] > 1]", "x = df[~(df['Age'] > 1)]"),
    "a chain of comparisons": (FRAME, "x = df[1 < df['Age'] < 3]", "x = df[(1 < df['Age']) & (df['Age'] < 3)]"),
    "conditions without parentheses": (
        FRAME,
        "x = df[df['Age'] > 1 & df['Age'] < 3]",
        "x = df[(df['Age'] > 1) & (df['Age'] < 3)]",
    ),
    "a call of shape": (FRAME, "x = df.shape()", "x = df.shape"),
    "brackets for a call": (FRAME, "x = df.head[2]", "x = df.head(2)"),
    "a call for brackets": (FRAME, "x = df('Age')", "x = df['Age']"),
    "an axis by position": (FRAME, "x = df.drop('Age', 1)", "x = df.drop('Age', axis=1)"),
    "an axis of a series": (FRAME, "x = s.drop('u', axis=1)", "x = s.drop('u')"),
    "several frames": (FRAME, "x = pd.concat(df, df)", "x = pd.concat([df, df])"),
    "scalars": (FRAME, "x = pd.DataFrame({'a': 1})", "x = pd.DataFrame({'a': 1}, index=[0])"),
    "a column of two dimensions": (
        FRAME + "p = np.ones((3, 1))",
        "x = pd.DataFrame({'p': p})",
        "x = pd.DataFrame({'p': p.ravel()})",
    ),
    "a text and a column": (FRAME, "x = 'No. ' + df['Age']", "x = 'No. ' + df['Age'].astype(str)"),
    "a column of texts that is multiplied": (FRAME, "x = df['No'] * 1.5", "x = df['No'].astype(float) * 1.5"),
    "a column of texts that is compared": (FRAME, "x = df['No'] > 1", "x = df['No'].astype(float) > 1"),
    "a difference of dates": (
        FRAME,
        "x = df['Day'] - df['Day']",
        "x = pd.to_datetime(df['Day']) - pd.to_datetime(df['Day'])",
    ),
    "texts with commas": (
        FRAME + "t = pd.Series(['1,200', '3'])",
        "x = t.astype(float)",
        'x = t.str.replace(r"[,]", "", regex=True).astype(float)',
    ),
    "whole numbers with gaps": (
        FRAME + "g = pd.Series([1, None])",
        "x = g.astype(int)",
        'x = g.astype("Int64")',
    ),
    "a loop over rows": (
        FRAME,
        "for i, row in df:\n    print(row['Age'])",
        "for i, row in df.iterrows():\n    print(row['Age'])",
    ),
    "inplace": (
        FRAME,
        "d = df.dropna(inplace=True)\nx = d.shape",
        "d = df.dropna()\nx = d.shape",
    ),
    "inplace in a chain": (FRAME, "x = df.dropna(inplace=True).shape", "x = df.dropna().shape"),
    "a keyword of pandas 1": (
        FRAME + "import io",
        "x = pd.read_csv(io.StringIO('a,b\\n1,2'), error_bad_lines=False)",
        "x = pd.read_csv(io.StringIO('a,b\\n1,2'), on_bad_lines='skip')",
    ),
    "a misspelt keyword of pandas": (
        FRAME,
        "x = df.sort_values('Age', ascendin=False)",
        "x = df.sort_values('Age', ascending=False)",
    ),
    "a misspelt value": (FRAME, "x = df.merge(df, on='Age', how='lefft')", "x = df.merge(df, on='Age', how='left')"),
    "many lines": (
        FRAME,
        "x = (\n    df  # the table\n    .groupby(\n        'name',\n    )['Age']\n    .sum()\n)",
        "x = (\n    df  # the table\n    .groupby(\n        'Name',\n    )['Age']\n    .sum()\n)",
    ),
    "a cell of windows": (FRAME, "\r\nx = 1\r\ny = df['age']\r\n", "\r\nx = 1\r\ny = df['Age']\r\n"),
}

NUMPY = {
    "an alias that is gone": (ARRAYS, "x = v.astype(np.int)\ny = np.int(3)", "x = v.astype(int)\ny = int(3)"),
    "a function that is gone": (ARRAYS, "x = np.product(v)", "x = np.prod(v)"),
    "minus infinity": (ARRAYS, "x = np.NINF", "x = -np.inf"),
    "a product": (ARRAYS, "x = a @ b", "x = a @ b.T"),
    "dot": (ARRAYS, "x = np.dot(a, b)", "x = np.dot(a, b.T)"),
    "a column": (ARRAYS + "w = np.ones(2)", "x = a * w", "x = a * w.reshape(-1, 1)"),
    "an axis": (ARRAYS, "x = np.argmax(v, axis=1)", "x = np.argmax(v, axis=0)"),
    "arrays that are joined": (ARRAYS, "x = np.concatenate(v, v)", "x = np.concatenate([v, v])"),
    "the axis of joining": (
        ARRAYS + "c = np.ones((2, 2))",
        "x = np.concatenate([a, c])",
        "x = np.concatenate([a, c], axis=1)",
    ),
    "a shape": (ARRAYS, "x = np.zeros(3, 4)", "x = np.zeros((3, 4))"),
    "sizes": (ARRAYS, "x = np.random.rand((3, 4))", "x = np.random.rand(3, 4)"),
    "a shape of a half": (ARRAYS + "n = 6", "x = np.zeros((n / 2, 3))", "x = np.zeros((n // 2, 3))"),
    "a float as an index": (ARRAYS, "x = v[2.0]", "x = v[2]"),
    "the root of an array": (ARRAYS + "import math", "x = math.sqrt(v)", "x = np.sqrt(v)"),
    "the int of an array": (ARRAYS, "x = int(v)", "x = v.astype(int)"),
    "a list that is computed with": (ARRAYS + "l = [1, 2]", "x = l * 1.5", "x = np.array(l) * 1.5"),
    "a list that is indexed": (ARRAYS + "l = [[1, 2]]", "x = l[:, 0]", "x = np.array(l)[:, 0]"),
    "the shape of a list": (ARRAYS + "l = [1, 2]", "x = l.shape", "x = np.array(l).shape"),
    "an index too many": (ARRAYS, "x = v[:, 0]", "x = v"),
    "whole numbers that grow": (ARRAYS + "c = np.arange(3)", "c *= 0.5", "c = c * 0.5"),
    "an array for JSON": (ARRAYS + "import json", "x = json.dumps(v)", "x = json.dumps(v.tolist())"),
    "a loop over rows": (
        ARRAYS,
        "for i in range(a.shape[1]):\n    print(a[i])",
        "for i in range(len(a)):\n    print(a[i])",
    ),
}

SKLEARN = {
    "a column": (
        LEARN,
        "LinearRegression().fit(X_train['a'], y_train)",
        "LinearRegression().fit(X_train[['a']], y_train)",
    ),
    "an array": (
        LEARN + "v = np.arange(4)",
        "LinearRegression().fit(v, y_train)",
        "LinearRegression().fit(v.reshape(-1, 1), y_train)",
    ),
    "a row": (
        LEARN + "model.fit(X_train.to_numpy(), y_train)\nrow = np.ones(2)",
        "model.predict(row)",
        "model.predict(row.reshape(1, -1))",
    ),
    "a list": (
        LEARN + "model.fit(X_train.to_numpy(), y_train)",
        "model.predict([1.0, 2.0])",
        "model.predict([[1.0, 2.0]])",
    ),
    "fit": (LEARN, "p = model.predict(X_test)", "model.fit(X_train, y_train)\np = model.predict(X_test)"),
    "fit as in another cell": (
        LEARN + "data, label = X_train, y_train\nLogisticRegression().fit(data, label)",
        "p = model.predict(X_test)",
        "model.fit(data, label)\np = model.predict(X_test)",
    ),
    "a scaler": (LEARN, "t = scaler.transform(X_train)", "t = scaler.fit_transform(X_train)"),
    "a scaler and data to test": (
        LEARN,
        "if True:\n    t = scaler.transform(X_test)",
        "if True:\n    scaler.fit(X_train)\n    t = scaler.transform(X_test)",
    ),
    "a coefficient": (LEARN, "c = model.coef_", "model.fit(X_train, y_train)\nc = model.coef_"),
    "features": (
        LEARN + "scaler.fit(X_train[['a']])",
        "t = scaler.transform(X_train)",
        "t = scaler.transform(X_train[scaler.feature_names_in_])",
    ),
    "texts": (
        LEARN + "X = X_train.assign(city=['x', 'y', 'x', 'y'])",
        "model.fit(X, y_train)",
        "model.fit(pd.get_dummies(X), y_train)",
    ),
    "texts that are scaled": (
        LEARN + "X = X_train.assign(city=['x', 'y', 'x', 'y'])",
        "t = scaler.fit_transform(X)",
        't = scaler.fit_transform(X.select_dtypes("number"))',
    ),
    "the other split": (LEARN, "model.fit(X_train, y_test)", "model.fit(X_train, y_train)"),
    "missing labels": (LEARN, "model.fit(X_train)", "model.fit(X_train, y_train)"),
    "a class": (
        LEARN,
        "LogisticRegression.fit(X_train, y_train)",
        "LogisticRegression().fit(X_train, y_train)",
    ),
    "missing values": (
        LEARN + "X = X_train.assign(a=[1, None, 2, 3])",
        "model.fit(X, y_train)",
        "model.fit(X.fillna(X.mean(numeric_only=True)), y_train)",
    ),
    "probabilities of one class": (
        LEARN + "from sklearn.metrics import accuracy_score\np = np.array([0.1, 0.9])",
        "accuracy_score(y_test, p)",
        "accuracy_score(y_test, p.round())",
    ),
    "probabilities of several": (
        LEARN + "from sklearn.metrics import accuracy_score\np = np.array([[0.1, 0.9], [0.2, 0.8]])",
        "accuracy_score(y_test, p)",
        "accuracy_score(y_test, p.argmax(axis=1))",
    ),
    "an average": (
        LEARN + "from sklearn.metrics import f1_score",
        "f1_score([0, 1, 2], [0, 1, 1])",
        'f1_score([0, 1, 2], [0, 1, 1], average="weighted")',
    ),
    "a keyword of scikit-learn 1.1": (
        LEARN + "from sklearn.preprocessing import OneHotEncoder",
        "e = OneHotEncoder(sparse=False)",
        "e = OneHotEncoder(sparse_output=False)",
    ),
    "a value of scikit-learn 0.24": (
        LEARN + "from sklearn.ensemble import GradientBoostingClassifier",
        "m = GradientBoostingClassifier(loss='deviance').fit(X_train, y_train)",
        "m = GradientBoostingClassifier(loss='log_loss').fit(X_train, y_train)",
    ),
    "a misspelt value": (
        LEARN + "from sklearn.tree import DecisionTreeClassifier",
        "m = DecisionTreeClassifier(criterion='ginni').fit(X_train, y_train)",
        "m = DecisionTreeClassifier(criterion='gini').fit(X_train, y_train)",
    ),
    "the root of an error": (
        LEARN + "from sklearn.metrics import mean_squared_error",
        "e = mean_squared_error(y_test, y_test, squared=False)",
        "from sklearn.metrics import root_mean_squared_error\ne = root_mean_squared_error(y_test, y_test)",
    ),
    "a plotting function": (
        LEARN + "model.fit(X_train, y_train)",
        "from sklearn.metrics import plot_confusion_matrix\nplot_confusion_matrix(model, X_test, y_test)",
        "from sklearn.metrics import ConfusionMatrixDisplay\nConfusionMatrixDisplay.from_estimator(model, X_test, y_test)",
    ),
    "an encoder of what it has not seen": (
        LEARN + "from sklearn.preprocessing import OneHotEncoder",
        "enc = OneHotEncoder()\nenc.fit([['a'], ['b']])\nenc.transform([['c']])",
        "enc = OneHotEncoder(handle_unknown=\"ignore\")\nenc.fit([['a'], ['b']])\nenc.transform([['c']])",
    ),
    "labels in an array of objects": (
        LEARN + "y = np.array([0, 1, 0, 1], dtype=object)",
        "model.fit(X_train, y)",
        "model.fit(X_train, y.astype(int))",
    ),
    "names of features": (
        LEARN + "from sklearn.feature_extraction.text import CountVectorizer\nv = CountVectorizer().fit(['aa bb'])",
        "n = v.get_feature_names()",
        "n = v.get_feature_names_out()",
    ),
    "a moved module": (
        "",
        "from sklearn.cross_validation import train_test_split",
        "from sklearn.model_selection import train_test_split",
    ),
    "joblib": ("", "from sklearn.externals import joblib\njoblib.dump", "import joblib\njoblib.dump"),
    "a sparse matrix": (
        LEARN
        + "from scipy.sparse import csr_matrix\nfrom sklearn.naive_bayes import GaussianNB\nS = csr_matrix(np.eye(4))",
        "GaussianNB().fit(S, y_train)",
        "GaussianNB().fit(S.toarray(), y_train)",
    ),
    "a missing function": (
        "",
        "train_test_split([1, 2], [3, 4])",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1, 2], [3, 4])",
    ),
}

TENSORS = {
    "an array of a tensor with a gradient": (
        TORCH + "w = torch.ones(2, requires_grad=True)",
        "n = w.numpy()",
        "n = w.detach().numpy()",
    ),
    "an array made of a tensor with a gradient": (
        TORCH + "import numpy as np\nw = torch.ones(2, requires_grad=True)",
        "n = np.array(w)",
        "n = np.array(w.detach())",
    ),
    "doubles": (TORCH + "d = x.double()", "y = layer(d)", "y = layer(d.float())"),
    "whole numbers": (TORCH + "d = x.long()", "y = layer(d)", "y = layer(d.float())"),
    "an array": (
        TORCH + "import numpy as np\nn = np.ones((4, 3))",
        "y = layer(n)",
        "y = layer(torch.as_tensor(n, dtype=torch.float32))",
    ),
    "labels": (
        TORCH + "out, y = layer(x), torch.ones(4)",
        "l = nn.CrossEntropyLoss()(out, y)",
        "l = nn.CrossEntropyLoss()(out, y.long())",
    ),
    "labels in a column": (
        TORCH + "out, y = layer(x), torch.ones(4, 1).long()",
        "l = nn.CrossEntropyLoss()(out, y)",
        "l = nn.CrossEntropyLoss()(out, y.squeeze(1))",
    ),
    "a loss that is not made": (
        TORCH + "out, y = layer(x), torch.ones(4).long()",
        "l = nn.CrossEntropyLoss(out, y)",
        "l = nn.CrossEntropyLoss()(out, y)",
    ),
    "a target without its dimension": (
        TORCH + "out, y = torch.ones(4, 1), torch.ones(4)",
        "l = nn.BCELoss()(out, y)",
        "l = nn.BCELoss()(out, y.unsqueeze(1))",
    ),
    "a target of whole numbers": (
        TORCH + "out, y = torch.ones(4), torch.ones(4).long()",
        "l = nn.BCELoss()(out, y)",
        "l = nn.BCELoss()(out, y.float())",
    ),
    "indices of an embedding by name": (
        TORCH + "e, i = nn.Embedding(3, 2), torch.ones(3)",
        "y = e(i)",
        "y = e(i.long())",
    ),
    "an image that is not flat": (
        TORCH + "images = torch.ones(2, 1, 4, 4)\nwide = nn.Linear(16, 2)",
        "y = wide(images)",
        "y = wide(images.flatten(1))",
    ),
    "channels last": (
        TORCH + "images, conv = torch.ones(2, 8, 8, 3), nn.Conv2d(3, 4, 3)",
        "y = conv(images)",
        "y = conv(images.permute(0, 3, 1, 2))",
    ),
    "images without a channel": (
        TORCH + "images, conv = torch.ones(2, 8, 8), nn.Conv2d(1, 4, 3)",
        "y = conv(images)",
        "y = conv(images.unsqueeze(1))",
    ),
    "a table": (
        TORCH + "import pandas as pd\ndf = pd.DataFrame({'a': [1.0]})",
        "t = torch.tensor(df)",
        "t = torch.tensor(df.to_numpy())",
    ),
    "a dimension": (TORCH + "v = torch.ones(3)", "y = v.argmax(dim=1)", "y = v.argmax(dim=0)"),
    "a product": (TORCH + "z = torch.ones(4, 3)", "y = x @ z", "y = x @ z.T"),
    "an item": (TORCH + "loss = x.sum()", "y = loss.data[0]", "y = loss.item()"),
    "a view": (TORCH + "t = x.t()", "y = t.view(-1)", "y = t.reshape(-1)"),
    "tensors that are joined": (TORCH, "y = torch.cat(x, x)", "y = torch.cat([x, x])"),
    "a card that is not there": (TORCH, "y = x.cuda()", "y = x"),
    "weights that are changed": (
        TORCH + "w = torch.ones(2, requires_grad=True)",
        "for i in range(2):\n    w -= 0.1",
        "for i in range(2):\n    with torch.no_grad():\n        w -= 0.1",
    ),
    "a mean of whole numbers": (TORCH + "i = torch.ones(2).long()", "m = torch.mean(i)", "m = torch.mean(i.float())"),
    "a function of an earlier line": (
        TORCH,
        "def step(d):\n    return layer(d)\nstep(x.double())",
        "def step(d):\n    return layer(d.float())\nstep(x.double())",
    ),
    "an array that is detached": (TORCH + "n = x.numpy()", "y = n.detach()", "y = n"),
    "a truth of several": (TORCH, "y = x > 0 and x < 2", "y = (x > 0) & (x < 2)"),
}

PLOTS = {
    "a row of axes": (
        PLOT,
        "fig, axes = plt.subplots(2, 2)\nfor i in range(4):\n    axes[i].plot([1])",
        "fig, axes = plt.subplots(2, 2)\nfor i in range(4):\n    axes.flat[i].plot([1])",
    ),
    "one axes": (
        PLOT,
        "fig, ax = plt.subplots()\nax[0].plot([1])",
        "fig, ax = plt.subplots()\nax.plot([1])",
    ),
    "axes of one row": (
        PLOT,
        "fig, ax = plt.subplots(1, 2)\nax[0, 1].plot([1])",
        "fig, ax = plt.subplots(1, 2)\nax[1].plot([1])",
    ),
    "subplots from 0": (
        PLOT,
        "for i in range(4):\n    plt.subplot(2, 2, i)",
        "for i in range(4):\n    plt.subplot(2, 2, i + 1)",
    ),
    "too many subplots": (
        PLOT + "names = list('abcdef')",
        "for i, name in enumerate(names):\n    plt.subplot(2, 2, i + 1)",
        "for i, name in enumerate(names):\n    plt.subplot(-(-len(names) // 2), 2, i + 1)",
    ),
    "too few axes by name": (
        PLOT + "names = list('abcdef')",
        "fig, axes = plt.subplots(2, 2)\naxes = axes.ravel()\nfor i, name in enumerate(names):\n    axes[i].plot([1])",
        "fig, axes = plt.subplots(-(-len(names) // 2), 2)\naxes = axes.ravel()\nfor i, name in enumerate(names):\n    axes[i].plot([1])",
    ),
    "a figure and axes": (PLOT, "fig, ax = plt.figure(figsize=(3, 3))", "fig, ax = plt.subplots(figsize=(3, 3))"),
    "an image with a dimension of one": (PLOT + "i = np.ones((1, 5, 5))", "plt.imshow(i)", "plt.imshow(i.squeeze())"),
    "an image with its colours first": (
        PLOT + "i = np.ones((3, 5, 5))",
        "plt.imshow(i)",
        "plt.imshow(i.transpose(1, 2, 0))",
    ),
    "a flat image": (PLOT + "i = np.ones(16)", "plt.imshow(i)", "plt.imshow(i.reshape(4, 4))"),
    "a style": (PLOT, "plt.style.use('seaborn')", "plt.style.use('seaborn-v0_8')"),
    "a map of colours": (
        PLOT,
        "plt.imshow(np.ones((2, 2)), cmap='viridiss')",
        "plt.imshow(np.ones((2, 2)), cmap='viridis')",
    ),
    "a keyword that is gone": (PLOT, "plt.hist([1, 2], normed=True)", "plt.hist([1, 2], density=True)"),
    "a misspelt function": (PLOT, "plt.scater([1], [2])", "plt.scatter([1], [2])"),
    "columns by position": (
        SEABORN,
        "sns.scatterplot(df['Age'], df['No'])",
        "sns.scatterplot(x=df['Age'], y=df['No'])",
    ),
    "columns by position with data": (
        SEABORN,
        "sns.barplot('Name', 'Age', data=df)",
        "sns.barplot(x='Name', y='Age', data=df)",
    ),
    "columns of lmplot": (
        SEABORN,
        "sns.regplot('Age', 'Age', df)",
        "sns.regplot(x='Age', y='Age', data=df)",
    ),
    "a table and its columns": (
        SEABORN,
        "sns.boxplot(df, 'Name', 'Age')",
        "sns.boxplot(data=df, x='Name', y='Age')",
    ),
    "factorplot": (
        SEABORN,
        "sns.factorplot(data=df, x='Name', y='Age')",
        "sns.catplot(data=df, x='Name', y='Age', kind=\"point\")",
    ),
    "a column of a plot": (
        SEABORN,
        "sns.scatterplot(data=df, x='age', y='No')",
        "sns.scatterplot(data=df, x='Age', y='No')",
    ),
}

TABLES = {"python": PYTHON, "pandas": PANDAS, "numpy": NUMPY, "sklearn": SKLEARN, "torch": TENSORS, "plots": PLOTS}
ROWS = {f"{table}: {name}": row for table, rows in TABLES.items() for name, row in rows.items()}


@pytest.mark.parametrize("name", ROWS)
def test_the_original_raises_and_the_first_patch_that_runs_is_the_right_one(name):
    executed, source, expected = ROWS[name]
    found, told = found_for(Oracle(source, *([executed] if executed else [])))
    assert found is not None, told
    assert (found.cell, found.source) == (None, expected), told
