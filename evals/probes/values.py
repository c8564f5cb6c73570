"""Values to time the probes on; each is the source of a cell that binds the value to ``it``."""

START = """
import collections, functools, os, random
import numpy as np, pandas as pd, torch
from torch import nn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
generator = np.random.default_rng(0)
table = pd.DataFrame({"price": [1.0, None], "area": [1, 2]})
numbers, words = np.zeros((3, 4)), ["price", "zz", 3]
os.makedirs("folder", exist_ok=True)
for name in ("here.csv", "rows.csv", "folder/a.csv", "folder/b.csv"):
    with open(name, "w") as file:
        file.write("price,area\\n1,2\\n" * 1000)
"""
"""What the values are made of, and what two-sided questions put beside them."""

ORDINARY = {
    "frame": (
        "it = pd.DataFrame({'price': generator.normal(size=1000), 'area': generator.integers(0, 99, 1000),"
        " 'a': generator.choice(['x', 'y', 'z'], 1000), 'b': ['1', '2', 'x', None] * 250}, index=range(5, 1005))"
    ),
    "series": "it = pd.Series(['1', '2', 'x', None] * 250, index=[f'r{i}' for i in range(1000)], name='price')",
    "array": "it = generator.normal(size=(1000, 20))",
    "tensor": "it = torch.zeros(64, 3, 32, 32)",
    "list of lists": "it = [[i] * (i % 5) for i in range(1000)]",
    "dict": "it = {'a': [1, 2], 'lr': 0.1, **{f'k{i}': i for i in range(100)}}",
    "function": "def it(a, b=1, *, c=2):\n    total = a + b\n    return np.zeros(total) + table",
    "class": "class it(dict):\n    def __init__(self, a): self.a = a",
    "object": "class Model:\n    def __init__(self): self.a = [1]\n    def fit(self, x): pass\nit = Model()",
    "generator": "def rows():\n    yield 1\n    yield 2\nit = rows(); next(it)",
    "network": "it = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(7200, 10))",
    "optimizer": "it = torch.optim.Adam(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)).parameters(), lr=0.1)",
    "loader": (
        "it = torch.utils.data.DataLoader("
        "torch.utils.data.TensorDataset(torch.zeros(60, 2), torch.zeros(60)), batch_size=8, shuffle=True)"
    ),
    "estimator": (
        "it = make_pipeline(StandardScaler(), LogisticRegression())"
        ".fit(pd.DataFrame({'price': [1.0, 2.0], 'area': [1.0, 3.0]}), ['x', 'y'])"
    ),
}

LARGE = {
    "array of 1e8 elements": "it = np.zeros(10 ** 8)",
    "matrix of 1e8 elements": "it = np.zeros((10 ** 4, 10 ** 4), 'f4')",
    "tensor of 1e8 elements": "it = torch.zeros(10 ** 8)",
    "frame of 1e7 rows": (
        "it = pd.DataFrame({'price': np.arange(1e7), 'n': np.zeros(10 ** 7, 'i1'),"
        " 'a': pd.Categorical.from_codes(np.zeros(10 ** 7, 'i1'), ['x', 'y'])}, copy=False)"
    ),
    "series of 1e7 rows": "it = pd.Series(np.zeros(10 ** 7), name='price')",
    "frame of 1e6 texts": (
        "it = pd.DataFrame({'a': pd.Series(np.array(['7', '8', 'x', None] * 250_000, object), dtype=object)});"
        " it.index = pd.Index(np.arange(10 ** 6) % 999)"
    ),
    "dict of 1e6 keys": "it = {f'k{i}': i for i in range(10 ** 6)}",
    "dict of 1e6 numbers": "it = dict.fromkeys(range(10 ** 6))",
    "list of 1e6 elements": "it = list(range(10 ** 6))",
    "list of 1e5 arrays": "it = [np.zeros(i % 3) for i in range(10 ** 5)]",
    "set of 1e6 elements": "it = set(range(10 ** 6))",
    "text of 1e7 characters": "it = 'x' * 10 ** 7",
    "network of 500 layers": "it = torch.nn.Sequential(*[torch.nn.Linear(2, 2) for _ in range(500)])",
    "deep list": "it = []\nfor _ in range(5000): it = [it]",
}

OPTIONAL = {
    "Keras model": (
        "import keras; it = keras.Sequential([keras.Input((20,)), *[keras.layers.Dense(32) for _ in range(10)]]);"
        " it.compile('adam', 'mse')"
    ),
    "Keras history": (
        "import keras; it = keras.callbacks.History(); it.history = {'loss': [1.0] * 50}; it.epoch = list(range(50))"
    ),
}
"""More values of ordinary size, for a kernel whose environment has their library."""
