"""What libraries themselves say of a crash: below `values` nothing of the values that they were handed."""

import json
from typing import Any

import pytest
from oracle import replies

TEXT, NUMBER = "canarytext", 918273

# In plain kernels some of these libraries may be absent: the suite's environment has them all.
SETUP = f"""
import numpy as np, pandas as pd, torch, datetime, json, math, re
import matplotlib
matplotlib.use('agg')
import matplotlib.pyplot as plt
from sklearn.compose import ColumnTransformer
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, mean_squared_error
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
text, number = {TEXT!r}, {NUMBER}
df = pd.DataFrame({{'price': ['1', text], 'k': [1, number]}})
cfg = {{'a': text}}
arr = np.zeros((3, 4))
t = torch.zeros(3, 4)
X, y = np.arange(20.).reshape(10, 2), np.array([0, 1] * 5)
def parse(v): return float(v)
def lookup(v): return df[v]
"""
CELLS = """
pd.to_numeric(df['price'])
df['price'].apply(float)
df['price'].apply(parse)
df.apply(lambda r: float(r['price']), axis=1)
[parse(v) for v in df['price']]
parse(text)
lookup(text)
df.drop(columns=[text])
df.groupby(text)
df.merge(df, on=text)
df.astype({text: int})
df.loc[number]
df['price'].astype(int)
df.set_index(text)
df.sort_values(text)
df.pivot_table(index=text, values='k')
np.zeros(3, dtype=text)
arr.reshape(number, 2)
np.expand_dims(arr, number)
arr[number]
arr[:, number]
np.concatenate([arr, arr], axis=number)
arr.astype(text)
float(df['price'][1])
int(df.loc[1, 'price'])
np.array(df['price'], dtype=float)
LogisticRegression().set_params(**{text: 1})
GridSearchCV(SVC(), {text: [1]}).fit(X, y)
make_pipeline(SVC()).set_params(**{text: 1})
Pipeline([(text, SVC()), (text, SVC())]).fit(X, y)
KMeans(number).fit(X)
PCA(number).fit(X)
train_test_split(X, y, test_size=number)
train_test_split(X, y, stratify=list(range(9)) + [number])
ColumnTransformer([('a', StandardScaler(), [text])]).fit(df)
LinearRegression().fit(df[['price']], df['k'])
LogisticRegression(penalty=text).fit(X, y)
accuracy_score(y, [number])
t[number]
t.view(number, 2)
t[:, number]
t.sum(number)
torch.nn.functional.cross_entropy(t, torch.tensor([number, 1, 2]))
torch.zeros(3, dtype=text)
t.reshape(number)
torch.cat([t, t], number)
plt.plot([1], [1], **{text: 1})
plt.plot([1], [1], text)
plt.subplots(2, 2)[1][number]
plt.imshow(arr, cmap=text)
datetime.datetime.strptime(text, '%Y')
json.loads(text)
math.sqrt(-number)
re.compile('(' + text)
'{a}'.format(**{text: 1})
'%d' % text
""".strip().splitlines()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("level", ["names", "schema"])
def test_no_value_that_a_library_was_handed_is_told(level: str) -> None:
    told = replies(SETUP, CELLS, privacy=level)
    whole = replies(SETUP, CELLS, privacy="values")
    leaks = [
        (cell, each)
        for cell, each in zip(CELLS, map(_public, told), strict=True)
        if TEXT in each or str(NUMBER) in each
    ]
    found = sum(bool(each["answer"].get("finding")) for each in whole)
    assert leaks == []
    assert found > len(CELLS) * 0.7, "too few crashes are found for this to say much"


def _public(reply: dict[str, Any]) -> str:
    """Return a reply without what is for the user's own screen."""
    return json.dumps({name: each for name, each in reply.items() if name != "proof"})
