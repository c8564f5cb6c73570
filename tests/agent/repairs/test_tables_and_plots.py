"""Strategies for tables, arrays, figures and plain Python, each against the library itself."""

import pytest
from libraries import Oracle, found_for

pytest.importorskip("matplotlib").use("Agg")

FRAME = """import pandas as pd
import numpy as np
df = pd.DataFrame({'Age': [3.0, 1.0, 2.0], 'Name': ['a', 'b', 'c'], 'No': ['1', '2', '3'], 'Day': ['2020-01-01'] * 3})
s = pd.Series([1.0, 2.0], index=['u', 'v'])
"""
ARRAYS = "import numpy as np\nlabels = np.array([[2], [0]])\nnames = ['a', 'b', 'c']\nhot = np.eye(3)\n"

PLOT = FRAME + "import matplotlib.pyplot as plt\nplt.close('all')\n"

# name: (executed cells, target, patched target)
ELEMENTS = {
    "arrays that are equal": (ARRAYS, "if hot == hot.T:\n    x = 1", "if (hot == hot.T).all():\n    x = 1"),
    "values that are missing": (
        FRAME,
        "if df['Age'].isnull():\n    x = 1",
        "if df['Age'].isnull().any():\n    x = 1",
    ),
    "a table that is there": (FRAME, "if df:\n    x = 1", "if not df.empty:\n    x = 1"),
    "an element of a number": (
        ARRAYS,
        "x = [names[i[0]] for i in np.array([0, 1])]",
        "x = [names[i] for i in np.array([0, 1])]",
    ),
    "an array of texts": (ARRAYS + "t = np.array(['1', '2'])", "x = t - 1", "x = t.astype(float) - 1"),
    "an array of objects": (
        ARRAYS + "t = np.array([1.0, 2.0], dtype=object)",
        "x = np.exp(t)",
        "x = np.exp(t.astype(float))",
    ),
    "an index of one element": (ARRAYS, "print(names[labels[0]])", "print(names[labels[0].item()])"),
    "an index that is one-hot": (ARRAYS, "x = names[hot[1]]", "x = names[np.argmax(hot[1])]"),
    "an index that is computed": (
        ARRAYS,
        "x = names[np.argmax(hot[:1], axis=1)]",
        "x = names[np.argmax(hot[:1], axis=1).item()]",
    ),
    "a list that is chosen from": (
        ARRAYS + "order = np.array([2, 0, 1])",
        "x = names[order]",
        "x = np.array(names)[order]",
    ),
    "a key of one element": (ARRAYS + "d = {2: 'a'}", "x = d[labels[0]]", "x = d[labels[0].item()]"),
    "a number among texts": (
        "d = {'1': 'a', '2': 'b'}",
        "x = [d[k] for k in (1, 2)]",
        "x = [d[str(k)] for k in (1, 2)]",
    ),
    "a text among numbers": ("d = {1: 'a', 2: 'b'}\nk = '1'", "x = d[k]", "x = d[int(k)]"),
    "a list as a key": ("d = {(1, 2): 3}\nk = [1, 2]", "x = d[k]", "x = d[tuple(k)]"),
    "a set of lists": ("x = [[1], [1]]", "y = len(set(x))", "y = len(set(map(tuple, x)))"),
    "a set of an array": (ARRAYS, "y = set(labels)", "y = set(labels.ravel())"),
    "a record": (
        "import numpy as np\nfiles = [('a', 1), ('b', 2)]",
        "x = np.random.choice(files)[0]\ny = np.random.choice(files)[0]",
        "import random\nx = random.choice(files)[0]\ny = random.choice(files)[0]",
    ),
    "some records": (
        "import numpy as np\nimport random\nfiles = [('a', 1), ('b', 2)]",
        "x = np.random.choice(files, 2, replace=False)",
        "x = [files[each] for each in np.random.choice(len(files), 2, replace=False)]",
    ),
    "rows of an array": (
        ARRAYS,
        "x = np.random.choice(hot, size=2)",
        "x = hot[np.random.choice(len(hot), size=2)]",
    ),
    "single numbers that are joined": (
        ARRAYS + "parts = [np.array(1.0), np.array([2.0])]",
        "x = np.concatenate(parts)",
        "x = np.concatenate([np.atleast_1d(each) for each in parts])",
    ),
    "a single number that is joined": (
        ARRAYS,
        "x = np.concatenate((labels[0], 1))",
        "x = np.concatenate((np.atleast_1d(labels[0]), np.atleast_1d(1)))",
    ),
    "images of several kinds": (
        "import io\nimport numpy as np\nfrom PIL import Image\nfiles = [io.BytesIO(), io.BytesIO()]\n"
        "for mode, file in zip(('RGB', 'L'), files):\n    Image.new(mode, (2, 2)).save(file, 'png')",
        "x = np.array([np.asarray(Image.open(f).resize((2, 2))) for f in files])",
        'x = np.array([np.asarray(Image.open(f).convert("RGB").resize((2, 2))) for f in files])',
    ),
    "rows of other lengths": (
        ARRAYS,
        "x = np.array([[1, 2], [3]])",
        "x = np.array([[1, 2], [3]], dtype=object)",
    ),
    "append of an array": (ARRAYS + "v = np.ones(2)", "v.append(3)", "v = np.append(v, 3)"),
    "append of a row": (ARRAYS, "hot.append([1, 0, 0])", "hot = np.append(hot, [[1, 0, 0]], axis=0)"),
    "a table that became an array": (
        FRAME,
        "x = df[['Age']].values\nx.head()",
        "x = df[['Age']]\nx.head()",
    ),
    "a table that was scaled": (
        FRAME + "from sklearn.preprocessing import StandardScaler",
        "x = df[['Age']]\nx = StandardScaler().fit_transform(x)\ny = x['Age']",
        "x = df[['Age']]\n"
        "x = pd.DataFrame(StandardScaler().fit_transform(x), columns=x.columns, index=x.index)\ny = x['Age']",
    ),
    "the head of an array": (ARRAYS + "import pandas as pd", "hot.head()", "pd.DataFrame(hot).head()"),
    "a function of one value": (
        FRAME,
        "def band(age):\n    if age > 1:\n        return 'old'\n    return 'young'\ndf['band'] = band(df['Age'])",
        "def band(age):\n    if age > 1:\n        return 'old'\n    return 'young'\ndf['band'] = df['Age'].apply(band)",
    ),
}

CASTS = {
    "parts of an index of dates": (
        FRAME + "i = pd.DatetimeIndex(df['Day'])",
        "x = i.dt.year",
        "x = i.year",
    ),
    "a text of a column": (
        FRAME,
        "x = df['Name'].apply(lambda t: t.str.upper())",
        "x = df['Name'].apply(lambda t: t.upper())",
    ),
    "days of a difference": (
        FRAME + "d = pd.to_datetime(df['Day'])",
        "x = (d - d).dt.day",
        "x = (d - d).dt.days",
    ),
    "a difference of truths": (
        FRAME + "a = np.array([True, False])",
        "x = a - a",
        "x = a.astype(int) - a",
    ),
    "signs": (
        FRAME + "t = pd.Series(['1,200+', '3+'])",
        "x = t.astype('int')",
        'x = t.str.replace(r"[,+]", "", regex=True).astype(\'int\')',
    ),
    "signs among objects": (
        FRAME + "t = pd.Series(['$1', 3], dtype=object)",
        "x = t.astype(float)",
        'x = t.replace(r"[$]", "", regex=True).astype(float)',
    ),
    "signs behind a call": (
        FRAME + "t = pd.Series(['1% ', '3%'])",
        "x = t.str.strip().astype(float)",
        'x = t.str.strip().replace(r"[%]", "", regex=True).astype(float)',
    ),
    "to_numeric": (
        FRAME + "t = pd.Series(['1,200', '3'])",
        "x = pd.to_numeric(t)",
        'x = pd.to_numeric(t.str.replace(r"[,]", "", regex=True))',
    ),
    "a unit": (
        FRAME + "t = pd.Series(['12.5 km/h', '3 km/h'])",
        "x = t.astype(float)",
        'x = t.str.replace(r"\\s*[A-Za-z/²³]{2,}$", "", regex=True).astype(float)',
    ),
    "a unit of one text": ("t = '+5%'", "x = float(t)", 'x = float(t.replace("+", "").replace("%", ""))'),
    "no value": (
        FRAME + "t = pd.Series(['12.5', '?'])",
        "x = t.astype(float)",
        'x = t.replace(r"^(?:\\W*|N/?A|n/?a|None|none|null|NULL|NaN|nan)$", np.nan, regex=True).astype(float)',
    ),
    "nan as a text": (
        FRAME + "t = pd.Series(['12-1', None])",
        "x = t.apply(lambda v: str(v).split('-')[0].lower()).replace('none', 'nan').astype('int')",
        "x = t.apply(lambda v: str(v).split('-')[0].lower()).replace('none', 'nan')"
        '.astype("float").astype("Int64")',
    ),
    "whole numbers with a point": (
        FRAME + "t = pd.Series(['3.0'])",
        "x = t.apply(int)",
        "x = t.astype(float).apply(int)",
    ),
    "gaps that are applied to": (
        FRAME + "g = pd.Series([1, None])",
        "x = g.apply(int)",
        'x = g.astype("Int64")',
    ),
    "the day first": (
        FRAME + "t = pd.Series(['01/02/2020', '13/02/2020'])",
        "x = pd.to_datetime(t)",
        "x = pd.to_datetime(t, dayfirst=True)",
    ),
    "dates of several formats": (
        FRAME + "t = pd.Series(['01/02/2020', 'Feb 3, 2020'])",
        "x = pd.to_datetime(t)",
        'x = pd.to_datetime(t, format="mixed")',
    ),
    "dates with and without a time": (
        FRAME + "t = pd.Series(['2020-01-02', '2020-01-02 10:00'])",
        "x = pd.to_datetime(t)",
        'x = pd.to_datetime(t, format="ISO8601")',
    ),
    "another format": (
        FRAME + "t = pd.Series(['13/02/2020'])",
        "x = pd.to_datetime(t, format='%d-%m-%Y')",
        'x = pd.to_datetime(t, format="%d/%m/%Y")',
    ),
    "another format of one date": (
        "from datetime import datetime",
        "x = datetime.strptime('03.02.2020', '%m/%d/%Y')",
        "x = datetime.strptime('03.02.2020', '%m.%d.%Y')",
    ),
    "a time zone": (
        FRAME + "a = pd.to_datetime(df['Day'], utc=True)\nb = pd.to_datetime(df['Day'])",
        "x = a - b",
        "x = a.dt.tz_localize(None) - b",
    ),
    "a date": (
        FRAME + "a = pd.to_datetime(df['Day'])\nimport datetime",
        "x = a > datetime.date(2020, 1, 1)",
        "x = a > pd.Timestamp(datetime.date(2020, 1, 1))",
    ),
    "a text that is no pattern": (
        FRAME + "t = pd.Series(['a(b'], dtype=object)",
        "x = t.str.contains('(')",
        "x = t.str.contains('(', regex=False)",
    ),
    "texts among numbers": ("x = ['b', 1.5]", "y = sorted(x)", "y = sorted(x, key=str)"),
    "a number that is searched": (
        "import re",
        "x = [re.sub('a', '', t) for t in ('a', 1.5)]",
        "x = [re.sub('a', '', str(t)) for t in ('a', 1.5)]",
    ),
    "isin": (FRAME, "x = df['Name'].isin('a')", "x = df['Name'].isin(['a'])"),
}

LOOPS = {
    "a drop at the end of a loop": (
        FRAME,
        "n = 0\nfor c in list(df.columns):\n    n += 1\n\n    df.drop(['Age'], axis=1, inplace=True)",
        "n = 0\nfor c in list(df.columns):\n    n += 1\n\ndf.drop(['Age'], axis=1, inplace=True)",
    ),
    "a drop within a loop": (
        FRAME,
        "for i in range(2):\n    df = df.drop(columns='Age')\n    print(i)\nx = 1",
        "for i in range(2):\n    print(i)\ndf = df.drop(columns='Age')\nx = 1",
    ),
    "a range of rows for columns": (
        FRAME + "d = df[['Age']]",
        "for i in range(len(d)):\n    print(d.columns[i])",
        "for i in range(len(d.columns)):\n    print(d.columns[i])",
    ),
    "a range of columns for rows": (
        FRAME,
        "for i in range(df.shape[1]):\n    print(df.iloc[i])",
        "for i in range(len(df)):\n    print(df.iloc[i])",
    ),
    "a dict that changes": (
        "d = {1: 2, 3: 4}",
        "for k in d.keys():\n    if k == 1:\n        del d[k]",
        "for k in list(d.keys()):\n    if k == 1:\n        del d[k]",
    ),
    "a part with the name of the whole": (
        "import numpy as np\nX_all, y_all = np.arange(6), np.arange(6)\nfolds = [([0, 1], [4]), ([2, 4], [5])]",
        "for train, test in folds:\n    train, test = np.array(train), np.array(test)\n"
        "    X_all, y_all = X_all[train], y_all[train]\n    print(X_all.mean(), y_all.mean())",
        "for train, test in folds:\n    train, test = np.array(train), np.array(test)\n"
        "    X_all_part, y_all_part = X_all[train], y_all[train]\n    print(X_all_part.mean(), y_all_part.mean())",
    ),
    "a number from 1": (
        "x = ['a', 'b']",
        "for i, e in enumerate(x, 1):\n    print(x[i])",
        "for i, e in enumerate(x, 1):\n    print(x[i - 1])",
    ),
}
SELECTIONS = {
    "positions": (
        FRAME + "t = df['Age']\nrows = np.array([2, 0])",
        "x, y = df[rows], t[rows]",
        "x, y = df.iloc[rows], t.iloc[rows]",
    ),
    "positions in the rounds of a loop": (
        FRAME + "y = np.arange(3)\nfolds = [(np.array([0]), np.array([1]))]",
        "for a, b in folds:\n    x = df[a], y[a]\n    z = df[b], y[b]",
        "for a, b in folds:\n    x = df.iloc[a], y[a]\n    z = df.iloc[b], y[b]",
    ),
    "positions by label": (
        FRAME + "d = df.set_index('Name')\nrows = np.array([2, 0])",
        "x = d.loc[rows]",
        "x = d.iloc[rows]",
    ),
    "a label by position": (FRAME, "x = df.iloc[:, 'Age']", "x = df.loc[:, 'Age']"),
    "a row and a label": (FRAME, "x = df.iloc[0, 'Age']", "x = df.iloc[0, df.columns.get_loc('Age')]"),
    "a column by number": (FRAME, "x = df.loc[:, 0]", "x = df.iloc[:, 0]"),
    "a mask with gaps": (
        FRAME + "t = pd.DataFrame({'t': pd.Series(['a', None], dtype=object)})",
        "x = t[t['t'].str.contains('a')]",
        "x = t[t['t'].str.contains('a', na=False)]",
    ),
    "a mask of other labels": (
        FRAME + "m = pd.Series([True, False, True], index=[7, 8, 9])",
        "x = df[m]",
        "x = df[m.to_numpy()]",
    ),
    "a column that is the index": (
        FRAME + "g = df.groupby('Name').sum()",
        "x = g['Name']",
        "x = g.reset_index()['Name']",
    ),
    "counted values": (
        FRAME,
        "c = df['Name'].value_counts().reset_index()\nx = c['index'], c['Name']",
        "c = df['Name'].value_counts().rename_axis(\"index\").reset_index(name='Name')\nx = c['index'], c['Name']",
    ),
    "a function of rows": (
        FRAME,
        "x = df.apply(lambda row: row['Age'] + 1)",
        "x = df.apply(lambda row: row['Age'] + 1, axis=1)",
    ),
    "a named function of rows": (
        FRAME,
        "def f(row):\n    return row['Age'] + 1\nx = df.apply(f)",
        "def f(row):\n    return row['Age'] + 1\nx = df.apply(f, axis=1)",
    ),
    "a variable of a query": (FRAME + "least = 2", "x = df.query('Age > least')", "x = df.query('Age > @least')"),
}

JOINS = {
    "a table of one column": (FRAME, "x = df[['Name']].unique()", "x = df['Name'].unique()"),
    "a column as a table": (FRAME, "x = df['Age'].columns", "x = df['Age'].to_frame().columns"),
    "a name that is there": (
        FRAME,
        "x = df.groupby('Name')['Name'].count().reset_index()",
        "x = df.groupby('Name')['Name'].count().reset_index(name=\"count\")",
    ),
    "columns by position": (
        FRAME,
        "x = df.groupby('Day').agg({0: ['mean', 'sum']})",
        "x = df.groupby('Day').agg({df.columns[0]: ['mean', 'sum']})",
    ),
    "names that overlap": (
        FRAME,
        "x = df.join(df[['Age']])",
        "x = df.join(df[['Age']], rsuffix=\"_right\")",
    ),
    "keys of other classes": (
        FRAME + "n = pd.DataFrame({'No': [1, 2]})",
        "x = df.merge(n, on='No')",
        "x = df.astype({'No': 'int64'}).merge(n, on='No')",
    ),
    "a dict that is joined": (
        FRAME,
        "x = pd.concat([df, {'Age': 1}])",
        "x = pd.concat([df, pd.DataFrame([{'Age': 1}])])",
    ),
    "labels that are there twice": (
        FRAME,
        "d = pd.concat([df, df])\nx = d.reindex([0, 1])",
        "d = pd.concat([df, df], ignore_index=True)\nx = d.reindex([0, 1])",
    ),
    "columns of other labels": (
        FRAME + "t = df['Age'].set_axis([7, 8, 9])",
        "x = df['Age'] == t",
        "x = df['Age'] == t.to_numpy()",
    ),
    "an aggregate of texts": (
        FRAME,
        "x = df.groupby('Day').agg('mean')",
        "x = df.groupby('Day').agg('mean', numeric_only=True)",
    ),
    "aggregates of texts": (
        FRAME,
        "x = df.groupby('Day').agg(['mean', 'std'])",
        "x = df.groupby('Day')[df.select_dtypes(\"number\").columns].agg(['mean', 'std'])",
    ),
    "rows that share a cell": (
        FRAME + "d = pd.concat([df, df])",
        "x = d.pivot(index='Day', columns='Name', values='Age')",
        "x = d.pivot_table(index='Day', columns='Name', values='Age', aggfunc=\"mean\")",
    ),
    "parts of texts": (
        FRAME,
        "df[['y', 'm']] = df['Day'].str.split('-')",
        "df[['y', 'm']] = df['Day'].str.split('-', n=1, expand=True)",
    ),
    "edges that are the same": (
        FRAME + "t = pd.Series([0, 0, 0, 0, 1])",
        "x = pd.qcut(t, 4)",
        'x = pd.qcut(t, 4, duplicates="drop")',
    ),
    "a value that is no category": (
        FRAME + "t = pd.Series(['a', None], dtype='category')",
        "x = t.fillna('none')",
        "x = t.astype(object).fillna('none')",
    ),
    "weeks": (FRAME + "t = pd.to_datetime(df['Day'])", "x = t.dt.week", "x = t.dt.isocalendar().week"),
    "filling": (FRAME, "x = df.fillna(method='ffill')", "x = df.ffill()"),
    "the mean deviation": (FRAME, "x = df['Age'].mad()", "x = (df['Age'] - df['Age'].mean()).abs().mean()"),
    "a file of another encoding": (
        FRAME + "import io\nf = io.BytesIO('é,b\\n1,2'.encode('latin-1'))",
        "f.seek(0)\nx = pd.read_csv(f)",
        'f.seek(0)\nx = pd.read_csv(f, encoding="latin-1")',
    ),
    "a file of more columns than its head": (
        FRAME + "import io\nf = io.StringIO('a;b\\n1;2,5\\n3;4,5,6')",
        "f.seek(0)\nx = pd.read_csv(f)",
        'f.seek(0)\nx = pd.read_csv(f, sep=None, engine="python")',
    ),
    "lines of JSON": (
        FRAME + 'import io\nf = io.StringIO(\'{"a": 1}\\n{"a": 2}\')',
        "f.seek(0)\nx = pd.read_json(f)",
        "f.seek(0)\nx = pd.read_json(f, lines=True)",
    ),
}
FIGURES = {
    "a place of the legend": (
        PLOT + "plt.plot([1], label='a')",
        "plt.legend(loc='uper right')",
        "plt.legend(loc='upper right')",
    ),
    "a grid that is too small": (
        PLOT,
        "fig, ax = plt.subplots(ncols=2, nrows=1)\nax = ax.flatten()\nk = 0\n"
        "for c, v in df.items():\n    ax[k].set_title(c)\n    k += 1",
        "fig, ax = plt.subplots(ncols=len(df.keys()), nrows=1)\nax = ax.flatten()\nk = 0\n"
        "for c, v in df.items():\n    ax[k].set_title(c)\n    k += 1",
    ),
    "a column of axes that is too short": (
        PLOT,
        "fig, ax = plt.subplots(3, 1)\nfor i, c in enumerate(list(df.columns.values)):\n    ax[i].set_title(c)",
        "fig, ax = plt.subplots(len(df.columns.values), 1)\n"
        "for i, c in enumerate(list(df.columns.values)):\n    ax[i].set_title(c)",
    ),
    "a grid of two loops": (
        PLOT,
        "fig, ax = plt.subplots(2, 2)\nfor i in range(3):\n    for j in range(2):\n        ax[i, j].plot([1])",
        "fig, ax = plt.subplots(3, 2)\nfor i in range(3):\n    for j in range(2):\n        ax[i, j].plot([1])",
    ),
    "one row of axes": (
        PLOT,
        "fig, ax = plt.subplots(1, 2)\nfor j in range(2):\n    ax[0, j].plot([1])",
        "fig, ax = plt.subplots(1, 2, squeeze=False)\nfor j in range(2):\n    ax[0, j].plot([1])",
    ),
    "places of values": (
        PLOT + "acc, n = [1, 2, 3], 5",
        "epochs = range(1, n + 1)\nplt.plot(epochs, acc, 'b')",
        "epochs = range(1, len(acc) + 1)\nplt.plot(epochs, acc, 'b')",
    ),
    "places in the call": (
        PLOT + "acc = [1, 2, 3]",
        "plt.plot(np.arange(5), acc)",
        "plt.plot(np.arange(len(acc)), acc)",
    ),
    "names of counts": (
        PLOT + "t = pd.Series([1, None, 2, 1])",
        "plt.bar(t.unique(), t.value_counts())",
        "plt.bar(t.value_counts().index, t.value_counts())",
    ),
    "labels of slices": (
        PLOT + "t = pd.Series([1, 2], index=['u', 'v'])",
        "plt.pie(t, labels=['u'])",
        "plt.pie(t, labels=t.index)",
    ),
    "ticks of labels": (
        PLOT + "fig, ax = plt.subplots()\nax.set_xticks([0, 1, 2])\nl = ['a', 'b']",
        "ax.set_xticklabels(l, rotation=90)",
        "ax.set_xticks(range(len(l)), l, rotation=90)",
    ),
    "a title of axes": (PLOT + "fig, ax = plt.subplots()", "ax.title('a')", "ax.set_title('a')"),
    "a label of axes": (PLOT + "fig, ax = plt.subplots()", "ax.xlabel('a')", "ax.set_xlabel('a')"),
    "a title of pyplot": (PLOT, "plt.set_title('a')", "plt.title('a')"),
    "a projection": (
        PLOT + "fig = plt.figure()",
        "ax = fig.gca(projection='3d')",
        "ax = fig.add_subplot(projection='3d')",
    ),
    "a property of a text": (PLOT, "plt.xticks(rotate=90)", "plt.xticks(rotation=90)"),
    "a property of a line": (PLOT, "plt.plot([1], linestyl='-')", "plt.plot([1], linestyle='-')"),
    "objects as a picture": (
        PLOT + "a = np.ones((2, 2)).astype(object)\na[0, 0] = '1'",
        "plt.imshow(a)",
        "plt.imshow(a.astype(float))",
    ),
    "counts of values that are given": (
        PLOT + "import seaborn as sns",
        "sns.countplot(data=df, x='Name', y='Age')",
        "sns.barplot(data=df, x='Name', y='Age')",
    ),
    "a column and its table": (
        PLOT + "import seaborn as sns",
        "for c in ['Age']:\n    sns.boxplot(c, df)",
        "for c in ['Age']:\n    sns.boxplot(x=c, data=df)",
    ),
}
CALLS = {
    "a misplaced parenthesis": (
        FRAME,
        "print(df.sort_values('Age'), ascending=False)",
        "print(df.sort_values('Age', ascending=False))",
    ),
    "a parenthesis too late": ("x = 'ff'", "y = int(str(x, base=16))", "y = int(str(x), base=16)"),
    "a method without self": (
        "",
        "class A:\n    def f(x):\n        return x\ny = A().f(3)",
        "class A:\n    def f(self, x):\n        return x\ny = A().f(3)",
    ),
    "has_key": ("d = {1: 2}", "x = d.has_key(1)", "x = (1 in d)"),
    "pairs of pairs": (
        "x = [(1, 2)]",
        "for i, a, b in enumerate(x):\n    print(a)",
        "for i, (a, b) in enumerate(x):\n    print(a)",
    ),
    "dimensions": ("import numpy as np\na = np.ones((2, 3, 4))", "h, w = a.shape", "h, w, _ = a.shape"),
    "elements as numbers": (
        "x = ['a', 'b']",
        "for e in x:\n    print(x[e])",
        "for e in x:\n    print(e)",
    ),
    "a list and a text": ("x, t = [1], 'a'", "y = x + t", "y = x + [t]"),
    "a list and a tuple": ("x, t = [1], (2,)", "y = x + t", "y = x + list(t)"),
    "texts of a list": ("x = ['A']", "y = x.lower()", "y = [each.lower() for each in x]"),
    "a number among texts": (
        "x = ['A', 1.5]",
        "y = [e.lower() for e in x]",
        "y = [str(e).lower() for e in x]",
    ),
    "the length of a number": ("x = [1.5]", "y = [len(e) for e in x]", "y = [len(str(e)) for e in x]"),
    "a file that is read": (
        "import os, tempfile\npath = os.path.join(tempfile.mkdtemp(), 'a')\nopen(path, 'w').close()",
        "with open(path, 'a') as f:\n    x = f.read()",
        "with open(path, 'r') as f:\n    x = f.read()",
    ),
    "a file of pickle": (
        "import os, pickle, tempfile\npath = os.path.join(tempfile.mkdtemp(), 'a')",
        "with open(path, 'w') as f:\n    pickle.dump(1, f)",
        "with open(path, 'wb') as f:\n    pickle.dump(1, f)",
    ),
}

TABLES = {
    "elements": ELEMENTS,
    "casts": CASTS,
    "loops": LOOPS,
    "selections": SELECTIONS,
    "joins": JOINS,
    "figures": FIGURES,
    "calls": CALLS,
}
ROWS = {f"{table}: {name}": row for table, rows in TABLES.items() for name, row in rows.items()}


@pytest.mark.parametrize("name", ROWS)
def test_the_original_raises_and_the_first_patch_that_runs_is_the_right_one(name):
    executed, source, expected = ROWS[name]
    found, told = found_for(Oracle(source, *([executed] if executed else [])))
    assert found is not None, told
    assert (found.cell, found.source) == (None, expected), told
