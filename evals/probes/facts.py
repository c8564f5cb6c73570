# ruff: noqa: E501
"""Facts planted in a namespace, for the probes to find: what each value was made to be, said before anybody looked.

Each group is a cell and the questions about what it bound. What is expected of an answer is said by field, dotted for
what lies deeper; `Has` and `Lacks` look into a list or a dict instead of comparing it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Has(NamedTuple):
    """The field is a list, dict or text that holds this."""

    part: Any

    def holds(self, found: Any) -> bool:
        """Whether what was found is as expected."""
        return isinstance(found, (list, dict, str)) and self.part in found


class Lacks(NamedTuple):
    """The field is a list, dict or text that does not hold this."""

    part: Any

    def holds(self, found: Any) -> bool:
        """Whether what was found is as expected."""
        return isinstance(found, (list, dict, str)) and self.part not in found


class Fact(NamedTuple):
    """One fact.

    Attributes:
        kind: What the value is.
        probe: Who should find it.
        arguments: How it is asked.
        expected: What the answer must hold, by field; fields under ``proof.`` are in the reply's proof.
    """

    kind: str
    probe: str
    arguments: Mapping[str, Any]
    expected: Mapping[str, Any]


class Group(NamedTuple):
    """Facts about what one cell binds.

    Attributes:
        kind: What the value is.
        code: The cell.
        facts: (probe, arguments, expected) each.
        needs: Module without which the group is left out.
    """

    kind: str
    code: str
    facts: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]
    needs: str | None = None


START = """
import collections, dataclasses, enum, functools, io, os
import numpy as np, pandas as pd, torch
from torch import nn
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
"""

GROUPS = (
    Group(
        "frame with nulls",
        "sales = pd.DataFrame({'price': [1.0, 2.0, 3.0, 4.0], 'city': ['x', 'y', 'x', None], 'n': [1, 2, 3, 4]})",
        (
            ("nulls", {"path": "sales"}, {"nulls_by_column": [["city", 1]], "with_nulls": 1, "without_nulls": 2}),
            ("columns", {"path": "sales"}, {"shape": [4, 3], "columns": Has(["price", "float64"])}),
            ("columns", {"path": "sales", "names": ["Price"]}, {"missing": ["Price"], "close": {"Price": ["price"]}}),
            ("columns", {"path": "sales", "names": ["n", "price"]}, {"missing": []}),
            ("column", {"path": "sales", "name": "city"}, {"nulls": 1, "distinct": 2, "length": 4}),
            ("column", {"path": "sales", "name": "n"}, {"nulls": 0, "dtype": "int64", "distinct": 4}),
            ("describe", {"path": "sales"}, {"type": Has("DataFrame"), "shape": [4, 3]}),
            ("describe", {"path": "sales['price']"}, {"dtype": "float64", "length": 4}),
            ("index", {"path": "sales"}, {"index": "RangeIndex", "length": 4, "duplicates": 0}),
            ("index", {"path": "sales", "labels": [3, 4]}, {"missing": [4]}),
            ("index", {"path": "sales", "axis": "columns", "labels": ["n", "N"]}, {"missing": ["N"]}),
            ("rows", {"path": "sales", "where": "price > 2"}, {"count": 2, "positions": [2, 3]}),
            ("rows", {"path": "sales", "where": "city == 'x' and n < 3"}, {"count": 1, "positions": [0]}),
            ("rows", {"path": "sales", "where": "city.isna()"}, {"count": 1, "positions": [3]}),
            ("rows", {"path": "sales", "where": "n in [2, 4]"}, {"count": 2, "positions": [1, 3]}),
            ("rows", {"path": "sales", "where": "price > 9"}, {"count": 0, "positions": []}),
            ("difference", {"left": "sales", "right": "sales", "axis": "columns"}, {"only_left": [], "in_both": 3}),
        ),
    ),
    Group(
        "column of numbers in texts",
        "plain_texts = pd.DataFrame({'a': pd.Series(['7', '8'], dtype=object)})\norders = pd.DataFrame({'total': ['3', '4.5', '$1,200', '7'], 'when': ['2024-01-01', '2024-02-30', None, 'x'],"
        " 'k': ['1', '2', '3', '4'], 'f': [1.0, None, 3.0, 4.0]})",
        (
            (
                "cast",
                {"path": "orders", "name": "total", "to": "astype(float)"},
                {"rejects": True, "rejected_at": 2, "element_type": "str", "proof.value": Has("$1,200")},
            ),
            ("describe", {"path": "plain_texts['a']"}, {"dtype": "object"}),
            ("columns", {"path": "plain_texts"}, {"columns": [["a", "object"]]}),
            ("cast", {"path": "orders", "name": "total", "to": "astype(int)"}, {"rejects": True, "rejected_at": 1}),
            ("cast", {"path": "orders", "name": "total", "to": "to_numeric"}, {"rejects": True, "rejected_at": 2}),
            ("cast", {"path": "orders", "name": "k", "to": "astype(int)"}, {"rejects": False}),
            ("cast", {"path": "orders", "name": "k", "to": "int()"}, {"rejects": False}),
            ("cast", {"path": "orders", "name": "when", "to": "to_datetime"}, {"rejects": True, "rejected_at": 1}),
            ("cast", {"path": "orders", "name": "f", "to": "astype(int)"}, {"rejects": True, "rejected_at": 1}),
            ("cast", {"path": "orders", "name": "f", "to": "astype(float)"}, {"rejects": False}),
            ("cast", {"path": "orders['total']", "to": "float()"}, {"rejects": True, "rejected_at": 2}),
        ),
    ),
    Group(
        "frame with the same labels twice",
        "twice = pd.DataFrame([[1, 2, 3]], columns=['a', 'b', 'a']); same = pd.DataFrame({'a': [1, 2]}, index=['x', 'x'])",
        (
            ("columns", {"path": "twice"}, {"shape": [1, 3], "duplicated": ["a"]}),
            ("index", {"path": "twice", "axis": "columns"}, {"duplicates": 1}),
            ("index", {"path": "same"}, {"duplicates": 1, "length": 2}),
            ("index", {"path": "same", "labels": ["x", "y"]}, {"missing": ["y"]}),
        ),
    ),
    Group(
        "frame with levels",
        "deep = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('a', 1), ('a', 2)]));"
        " keyed = pd.DataFrame({'v': [1, 2]}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)], names=['k', 'j']))",
        (
            ("columns", {"path": "deep"}, {"shape": [1, 2], "levels": 2}),
            ("index", {"path": "keyed"}, {"index": "MultiIndex", "level_names": ["k", "j"], "length": 2}),
        ),
    ),
    Group(
        "frame with lists",
        "tagged = pd.DataFrame({'tags': [[1, 2], [3], None], 'mixed': [1, 'a', 2.5]})",
        (
            ("column", {"path": "tagged", "name": "tags"}, {"element_types": {"list": 2, "NoneType": 1}, "nulls": 1}),
            ("column", {"path": "tagged", "name": "mixed"}, {"element_types": {"int": 1, "str": 1, "float": 1}}),
        ),
    ),
    Group(
        "categories and dates",
        "typed = pd.DataFrame({'c': pd.Categorical(['x', 'y', None]), 'd': pd.to_datetime(['2024-01-01', None, '2024-01-03']),"
        " 'i': pd.array([1, None, 3], 'Int64')}, index=pd.date_range('2024-01-01', periods=3))",
        (
            ("columns", {"path": "typed"}, {"columns": Has(["c", "category"]), "index": "DatetimeIndex"}),
            ("nulls", {"path": "typed"}, {"nulls_by_column": [["c", 1], ["d", 1], ["i", 1]]}),
            ("column", {"path": "typed", "name": "c"}, {"categories": 2, "ordered": False, "nulls": 1}),
            ("column", {"path": "typed", "name": "i"}, {"dtype": "Int64", "nulls": 1}),
            ("index", {"path": "typed"}, {"index": "DatetimeIndex", "sorted": True, "length": 3}),
        ),
    ),
    Group(
        "two frames with other columns",
        "train = pd.DataFrame({'area': [1], 'rooms': [2], 'y': [0]}); test = pd.DataFrame({'Area': [1], 'rooms': [2]});"
        " features = ['area', 'rooms']; swapped = pd.DataFrame({'rooms': [1], 'area': [1]})",
        (
            (
                "difference",
                {"left": "train", "right": "test", "axis": "columns"},
                {"only_left": ["area", "y"], "only_right": ["Area"], "in_both": 1},
            ),
            ("difference", {"left": "test", "right": "features"}, {"only_left": ["Area"], "only_right": ["area"]}),
            ("difference", {"left": "features", "right": "swapped"}, {"only_left": [], "only_right": [], "in_both": 2}),
        ),
    ),
    Group(
        "series",
        "ages = pd.Series([3, 1, 2, 2], index=['d', 'a', 'b', 'c'], name='age')",
        (
            ("describe", {"path": "ages"}, {"type": Has("Series"), "dtype": "int64", "length": 4}),
            ("column", {"path": "ages"}, {"distinct": 3, "nulls": 0}),
            ("index", {"path": "ages", "labels": ["a", "e"]}, {"missing": ["e"], "sorted": False}),
            ("nulls", {"path": "ages"}, {"nulls": 0}),
        ),
    ),
    Group(
        "arrays",
        "table2 = np.arange(12.0).reshape(3, 4); weights = np.zeros((5, 4)); vector = np.zeros(4);"
        " holes = np.array([1.0, np.nan, np.inf, np.nan]); turned = np.asfortranarray(np.zeros((3, 2)));"
        " fixed = np.zeros(2); fixed.flags.writeable = False; texts = np.array(['a', 'bc']); things = np.array([1, 'a'], dtype=object)",
        (
            ("array", {"path": "table2"}, {"shape": [3, 4], "dtype": "float64", "nan": 0, "whole": True}),
            ("array", {"path": "holes"}, {"nan": 2, "infinite": 1, "shape": [4]}),
            ("array", {"path": "turned"}, {"order": "F"}),
            ("array", {"path": "fixed"}, {"writable": False}),
            ("array", {"path": "texts"}, {"dtype": "<U2", "shape": [2]}),
            ("describe", {"path": "weights"}, {"shape": [5, 4], "dtype": "float64"}),
            ("describe", {"path": "things"}, {"shape": [2], "dtype": "object"}),
            (
                "combine",
                {"operation": "matmul", "left": "table2", "right": "weights"},
                {"fits": False, "exception": "ValueError"},
            ),
            ("combine", {"operation": "matmul", "left": "table2", "right": "vector"}, {"fits": True, "shape": [3]}),
            (
                "combine",
                {"operation": "broadcast", "left": "table2", "right": "vector"},
                {"fits": True, "shape": [3, 4]},
            ),
            (
                "combine",
                {"operation": "broadcast", "left": "table2", "right": "weights"},
                {"fits": False, "exception": "ValueError"},
            ),
            (
                "combine",
                {"operation": "concatenate", "left": "table2", "right": "weights"},
                {"fits": True, "shape": [8, 4]},
            ),
            (
                "combine",
                {"operation": "concatenate", "left": "table2", "right": "weights", "axis": 1},
                {"fits": False, "exception": "ValueError"},
            ),
            ("combine", {"operation": "stack", "left": "table2", "right": "weights"}, {"fits": False}),
            ("combine", {"operation": "vstack", "left": "table2", "right": "vector"}, {"fits": True, "shape": [4, 4]}),
            ("combine", {"operation": "hstack", "left": "vector", "right": "holes"}, {"fits": True, "shape": [8]}),
        ),
    ),
    Group(
        "tensors",
        "batch = torch.zeros(32, 784); labels = torch.zeros(32, dtype=torch.int64); grad = torch.ones(2, 3, requires_grad=True);"
        " kernel = torch.zeros(10, 784); half = torch.zeros(784, 10, dtype=torch.float16); bad = torch.tensor([1.0, float('nan')])",
        (
            (
                "array",
                {"path": "batch"},
                {"shape": [32, 784], "dtype": "torch.float32", "device": "cpu", "requires_grad": False},
            ),
            ("array", {"path": "labels"}, {"dtype": "torch.int64", "shape": [32]}),
            ("array", {"path": "grad"}, {"requires_grad": True, "is_leaf": True}),
            ("array", {"path": "bad"}, {"nan": 1}),
            ("describe", {"path": "batch"}, {"type": "torch.Tensor", "shape": [32, 784]}),
            (
                "combine",
                {"operation": "matmul", "left": "batch", "right": "kernel"},
                {"fits": False, "exception": "RuntimeError"},
            ),
            (
                "combine",
                {"operation": "matmul", "left": "batch", "right": "half"},
                {"fits": False, "exception": "RuntimeError"},
            ),
            (
                "combine",
                {"operation": "concatenate", "left": "batch", "right": "kernel"},
                {"fits": True, "shape": [42, 784]},
            ),
            ("combine", {"operation": "broadcast", "left": "batch", "right": "kernel"}, {"fits": False}),
            ("combine", {"operation": "broadcast", "left": "batch", "right": "labels"}, {"fits": False}),
        ),
    ),
    Group(
        "lists",
        "ragged = [[1, 2, 3]] * 5 + [[1, 2]]; images = [np.zeros((8, 8))] * 3 + [np.zeros((8, 8, 3))]; mixed = [1, 'a', 2.0, None];"
        " even = [np.zeros(3), np.ones(3)]; pair = (1, 'a'); empty = []; prices = ['1', '2.5', 'n/a']",
        (
            ("elements", {"path": "ragged"}, {"length": 6, "stacks": False}),
            ("elements", {"path": "images"}, {"length": 4, "stacks": False}),
            ("elements", {"path": "mixed"}, {"length": 4}),
            ("elements", {"path": "even"}, {"stacks": True, "length": 2}),
            ("combine", {"operation": "stack", "left": "images"}, {"fits": False, "exception": "ValueError"}),
            ("combine", {"operation": "stack", "left": "even"}, {"fits": True, "shape": [2, 3]}),
            ("describe", {"path": "pair"}, {"type": "tuple", "length": 2}),
            ("describe", {"path": "empty"}, {"length": 0}),
            ("describe", {"path": "ragged[5]"}, {"length": 2}),
            ("describe", {"path": "mixed[1]"}, {"type": "str"}),
            ("describe", {"path": "mixed[4]"}, {"status": "refused", "reason": Has("4 items")}),
            ("cast", {"path": "prices", "to": "float()"}, {"rejects": True, "rejected_at": 2}),
            ("cast", {"path": "prices", "to": "int()"}, {"rejects": True, "rejected_at": 1}),
            ("difference", {"left": "features", "right": "prices"}, {"in_both": 0}),
        ),
    ),
    Group(
        "dicts",
        "cfg = {'train': {'lr': 0.1, 'epochs': 3}, 'test': None, 5: [1]}; filling = collections.defaultdict(list, a=[1]);"
        " counts = collections.Counter('hello'); big = {f'key_{i}': i for i in range(1000)}",
        (
            ("keys", {"path": "cfg", "names": ["Train", 5]}, {"missing": ["Train"], "close": {"Train": ["train"]}}),
            ("keys", {"path": "cfg"}, {"length": 3, "key_types": {"str": 2, "int": 1}, "on_missing": "KeyError"}),
            ("keys", {"path": "cfg['train']", "names": ["lr", "batch"]}, {"missing": ["batch"], "length": 2}),
            ("keys", {"path": "filling", "names": ["b"]}, {"missing": ["b"], "length": 1}),
            ("keys", {"path": "counts", "names": ["l", "z"]}, {"missing": ["z"]}),
            ("keys", {"path": "big", "names": ["key_999", "key_1000"]}, {"missing": ["key_1000"], "length": 1000}),
            ("describe", {"path": "cfg['train']['lr']"}, {"type": "float"}),
            ("describe", {"path": "cfg"}, {"length": 3, "keys": Has("train")}),
            ("describe", {"path": "cfg['tset']"}, {"status": "refused", "reason": Has("no key 'tset'")}),
        ),
    ),
    Group(
        "objects",
        "class Trainer:\n    kind = 'a'\n    def __init__(self): self.model, self.epochs = None, 3\n    def fit(self, x, y=None): pass\n"
        "    @property\n    def loss(self): return 1 / 0\n    @staticmethod\n    def make(a): pass\n"
        "trainer = Trainer()\nclass Slotted:\n    __slots__ = ('x', 'y')\nslotted = Slotted(); slotted.x = 1\n"
        "Point = collections.namedtuple('Point', 'x y'); point = Point(1, 2)\n"
        "@dataclasses.dataclass\nclass Options:\n    lr: float\n    epochs: int = 3\noptions = Options(0.1)\n"
        "class Colour(enum.Enum):\n    RED = 1\n    BLUE = 2",
        (
            (
                "attributes",
                {"path": "trainer", "names": ["epochs", "modle"]},
                {"missing": ["modle"], "close.modle": ["model"]},
            ),
            ("attributes", {"path": "trainer", "names": ["loss"]}, {"computed": ["loss"], "missing": []}),
            (
                "attributes",
                {"path": "trainer"},
                {"attributes": {"epochs": "int", "model": "NoneType"}, "methods": Has("fit")},
            ),
            ("attributes", {"path": "slotted", "names": ["x", "z"]}, {"missing": ["z"]}),
            ("attributes", {"path": "point", "names": ["x", "z"]}, {"missing": ["z"]}),
            ("attributes", {"path": "options", "names": ["lr", "rate"]}, {"missing": ["rate"]}),
            ("attributes", {"path": "Colour", "names": ["RED", "GREEN"]}, {"missing": ["GREEN"]}),
            ("describe", {"path": "trainer.epochs"}, {"type": "int"}),
            ("describe", {"path": "trainer.loss"}, {"status": "refused", "reason": Has("computed by code")}),
            ("describe", {"path": "trainer.optim"}, {"status": "refused", "reason": Has("no attribute 'optim'")}),
            ("describe", {"path": "point.y"}, {"type": "int"}),
            (
                "hierarchy",
                {"path": "Trainer"},
                {"mro": ["__main__.Trainer", "object"], "is_class": True, "defines": Has("fit")},
            ),
            ("hierarchy", {"path": "point"}, {"is_class": False, "mro": Has("tuple")}),
            ("signature", {"path": "trainer.fit", "positional": 1}, {"binds": True}),
            ("signature", {"path": "trainer.fit", "positional": 3}, {"binds": False}),
            ("signature", {"path": "Options", "positional": 0}, {"binds": False, "error": Has("lr")}),
            ("signature", {"path": "Trainer", "keywords": ["epochs"]}, {"binds": False, "unexpected": ["epochs"]}),
            ("signature", {"path": "trainer.make", "positional": 1}, {"binds": True}),
        ),
    ),
    Group(
        "class of classes",
        "import abc\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def run(self): pass\nclass Child(Base): pass\n"
        "class Other(dict): pass",
        (
            ("hierarchy", {"path": "Child"}, {"abstract": ["run"], "mro": Has("object")}),
            ("hierarchy", {"path": "Other"}, {"mro": ["__main__.Other", "dict", "object"], "abstract": []}),
        ),
    ),
    Group(
        "functions",
        "scale = 2.0\ndef train_step(model, data, *, epochs=1, lr): return model(data) * scale + missing_thing\n"
        "def outer(n):\n    def inner(x): return x + n\n    return inner\ninner = outer(1); anything = lambda *args, **more: None\n"
        "later = functools.partial(train_step, 1)",
        (
            (
                "signature",
                {"path": "train_step", "positional": 2, "keywords": ["lr", "epoch"]},
                {"binds": False, "unexpected": ["epoch"], "close.epoch": ["epochs"]},
            ),
            ("signature", {"path": "train_step", "positional": 2, "keywords": ["lr"]}, {"binds": True}),
            ("signature", {"path": "train_step", "positional": 2}, {"binds": False, "error": Has("lr")}),
            ("signature", {"path": "train_step", "positional": 3, "keywords": ["lr"]}, {"binds": False}),
            ("signature", {"path": "anything", "positional": 9, "keywords": ["a"]}, {"binds": True}),
            ("source", {"path": "train_step"}, {"undefined": ["missing_thing"], "globals.scale": "float"}),
            ("source", {"path": "train_step"}, {"source": Has("model(data) * scale")}),
            ("source", {"path": "inner"}, {"free": ["n"], "undefined": []}),
            ("source", {"path": "trainer.fit"}, {"defined_in": Has("ell")}),
            ("describe", {"path": "train_step"}, {"type": "function"}),
        ),
    ),
    Group(
        "generators and files",
        "def numbers():\n    yield 1\n    yield 2\nfresh = numbers(); started = numbers(); next(started); done = numbers(); list(done)\n"
        "open('open.txt', 'w').close(); opened = open('open.txt'); shut = open('open.txt'); shut.close()",
        (
            ("describe", {"path": "fresh"}, {"type": "generator", "state": "not started"}),
            ("describe", {"path": "started"}, {"state": "suspended"}),
            ("describe", {"path": "done"}, {"state": "finished"}),
            ("describe", {"path": "opened"}, {"closed": False}),
            ("describe", {"path": "shut"}, {"closed": True}),
        ),
    ),
    Group(
        "names",
        "X_train = 1",
        (
            ("names", {"like": "X_trian"}, {"defined": False, "close_names": ["X_train"]}),
            ("names", {"like": "X_train"}, {"defined": True}),
            ("names", {"like": "lenn"}, {"defined": False}),
            ("names", {"like": "len"}, {"defined": True}),
            ("describe", {"path": "x_train"}, {"status": "refused", "reason": Has("not defined")}),
        ),
    ),
    Group(
        "networks",
        "net = nn.Sequential(nn.Linear(784, 10), nn.ReLU()); conv = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval();"
        " net2 = nn.Sequential(nn.Linear(4, 8), nn.Linear(16, 2)); embed = nn.Embedding(100, 16); lstm = nn.LSTM(5, 7, 2);"
        " frozen = nn.Linear(3, 2); frozen.weight.requires_grad_(False); double = nn.Linear(2, 2).double(); part = nn.Sequential(nn.Dropout(), nn.Linear(2, 2)); part[0].eval()",
        (
            ("layers", {"path": "net"}, {"training": True, "first_layer.expects.size": 784, "last_layer.units": 10}),
            ("layers", {"path": "net"}, {"n_parameters": 2, "n_trainable": 2, "devices": {"cpu": 2}}),
            ("layers", {"path": "conv"}, {"training": False, "first_layer.name": "0", "n_parameters": 4}),
            ("layers", {"path": "conv"}, {"first_layer.expects.size": 3}),
            ("layers", {"path": "embed"}, {"type": "torch.nn.modules.sparse.Embedding", "n_parameters": 1}),
            ("layers", {"path": "lstm"}, {"n_parameters": 8, "first_layer.expects.size": 5}),
            ("layers", {"path": "frozen"}, {"n_parameters": 2, "n_trainable": 1}),
            ("layers", {"path": "double"}, {"parameter_dtypes": {"torch.float64": 2}}),
            ("layers", {"path": "part"}, {"training": True, "other_mode": Has("0")}),
            ("describe", {"path": "net"}, {"type": "torch.nn.modules.container.Sequential"}),
            ("array", {"path": "frozen.weight"}, {"requires_grad": False, "shape": [2, 3]}),
        ),
    ),
    Group(
        "optimizers",
        "adam = torch.optim.Adam(net.parameters(), lr=0.01); misses = torch.optim.SGD(net2[0].parameters(), lr=0.1);"
        " two = torch.optim.SGD([{'params': net2[0].parameters()}, {'params': net2[1].parameters(), 'lr': 0.5}], lr=0.1);"
        " old = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=1.0); plan = torch.optim.lr_scheduler.StepLR(adam, 3)",
        (
            ("optimizer", {"path": "misses", "model": "net2"}, {"against.n_not_held": 2, "n_parameters": 2}),
            ("optimizer", {"path": "two", "model": "net2"}, {"against.n_not_held": 0, "against.n_foreign": 0}),
            ("optimizer", {"path": "old", "model": "net2"}, {"against.n_not_held": 4, "against.n_foreign": 2}),
            ("optimizer", {"path": "adam"}, {"type": "torch.optim.adam.Adam", "n_parameters": 2}),
            ("optimizer", {"path": "plan"}, {"type": "torch.optim.lr_scheduler.StepLR"}),
        ),
    ),
    Group(
        "loaders",
        "from torch.utils.data import DataLoader, Dataset, TensorDataset\n"
        "plain = DataLoader(TensorDataset(torch.zeros(100, 784), torch.zeros(100, dtype=torch.int64)), batch_size=32, shuffle=True)\n"
        "whole_only = DataLoader(TensorDataset(torch.zeros(10, 2)), batch_size=4, drop_last=True)\n"
        "class Rows(Dataset):\n    def __init__(self): self.x = torch.zeros(7, 3)\n    def __len__(self): return 7\n"
        "    def __getitem__(self, i): return self.x[i]\nrows_loader = DataLoader(Rows(), batch_size=2)",
        (
            ("loader", {"path": "plain"}, {"batch_size": 32, "n_batches": 4, "last_batch_size": 4, "shuffles": True}),
            ("loader", {"path": "plain"}, {"dataset_length": 100, "workers": 0}),
            ("loader", {"path": "whole_only"}, {"drop_last": True, "n_batches": 2, "shuffles": False}),
            ("loader", {"path": "rows_loader"}, {"batch_size": 2, "dataset": Has("Rows")}),
        ),
    ),
    Group(
        "estimators",
        "raw = LogisticRegression(C=2.0); line = LinearRegression().fit(pd.DataFrame({'a': [1.0, 2.0], 'b': [2.0, 1.0]}), [1, 2]);"
        " scored = pd.DataFrame({'b': [1.0], 'c': [1.0]}); ordered = pd.DataFrame({'a': [1.0], 'b': [1.0]});"
        " reversed_ = pd.DataFrame({'b': [1.0], 'a': [1.0]});"
        " pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit([[1.0], [2.0]], ['x', 'y']); coder = LabelEncoder().fit(['a', 'b', 'c'])",
        (
            ("estimator", {"path": "raw"}, {"fitted": False, "parameters.C": 2.0}),
            ("estimator", {"path": "line"}, {"fitted": True, "n_features_in": 2, "feature_names_in": ["a", "b"]}),
            (
                "estimator",
                {"path": "line", "frame": "scored"},
                {"given.missing": ["a"], "given.unknown_features": ["c"]},
            ),
            ("estimator", {"path": "line", "frame": "ordered"}, {"given.missing": [], "given.in_fitting_order": True}),
            (
                "estimator",
                {"path": "line", "frame": "reversed_"},
                {"given.missing": [], "given.in_fitting_order": False},
            ),
            ("estimator", {"path": "pipe"}, {"fitted": True, "n_features_in": 1, "steps": Has}),
            ("estimator", {"path": "coder"}, {"fitted": True, "n_classes": 3}),
            ("describe", {"path": "raw"}, {"type": "sklearn.linear_model._logistic.LogisticRegression"}),
            ("describe", {"path": "line.coef_"}, {"shape": [2]}),
        ),
    ),
    Group(
        "modules",
        "import json as j, os.path",
        (
            (
                "module",
                {"name": "numpy", "names": ["zeros", "no_such_thing"]},
                {"loaded": True, "missing": ["no_such_thing"]},
            ),
            ("module", {"name": "no_such_module_at_all"}, {"loaded": False, "found": False}),
            ("module", {"name": "collections", "names": ["Mapping", "deque"]}, {"missing": ["Mapping"]}),
            ("module", {"name": "wave"}, {"found": True}),
            ("module", {"name": "os.path"}, {"loaded": True}),
            ("attributes", {"path": "np", "names": ["zeros", "float"]}, {"present": Has("zeros")}),
            ("describe", {"path": "j"}, {"type": "module"}),
            ("environment", {"variables": ["PATH", "NO_SUCH_VARIABLE_HERE"]}, {"missing": ["NO_SUCH_VARIABLE_HERE"]}),
        ),
    ),
    Group(
        "files",
        "os.makedirs('data/inner')\nfor name, content in {'rows.csv': b'id,price\\n1,2\\n3,4\\n', 'semi.csv': b'a;b\\n1;2\\n', 'latin.csv': 'caf\\xe9,b\\n'.encode('latin-1'),\n"
        "    'odd.csv': b'a,b\\n1,2\\n1,2,3\\n', 'data/a.txt': b'a', 'data/b.txt': b'bb', 'data/inner/c.txt': b'ccc', 'empty.csv': b'', 'picture.png': b'\\x89PNG\\r\\n\\x1a\\n' + bytes(9)}.items():\n"
        "    with open(name, 'wb') as file: file.write(content)\nos.symlink('gone', 'link')",
        (
            ("file", {"path": "rows.csv"}, {"exists": True, "header": ["id", "price"], "delimiter": ",", "bytes": 17}),
            ("file", {"path": "row.csv"}, {"exists": False, "folder_exists": True}),
            ("file", {"path": "dta/rows.csv"}, {"exists": False, "folder_exists": False}),
            ("file", {"path": "semi.csv"}, {"delimiter": ";", "header": ["a", "b"]}),
            ("file", {"path": "odd.csv"}, {"fields_per_line": Has([3, 1, 3])}),
            ("file", {"path": "data"}, {"exists": True, "kind": "folder"}),
            ("file", {"path": "empty.csv"}, {"exists": True, "bytes": 0}),
            ("file", {"path": "picture.png"}, {"format": "png"}),
            ("file", {"path": "link"}, {"exists": False}),
            ("glob", {"pattern": "data/*.txt"}, {"count": 2, "matches": ["data/a.txt", "data/b.txt"]}),
            ("glob", {"pattern": "data/**/*.txt", "recursive": True}, {"count": 3}),
            ("glob", {"pattern": "data/*.csv"}, {"count": 0}),
        ),
    ),
    Group(
        "cells",
        "first_cell_marker = 1",
        (("executed", {}, {"count": Has, "executed": Has}),),
    ),
    Group(
        "keras",
        "import keras; small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation='relu'), keras.layers.Dense(3, activation='softmax')]);"
        " small.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy']); bare = keras.Sequential([keras.layers.Dense(2)]);"
        " past = keras.callbacks.History(); past.history = {'loss': [1.0, 0.5], 'accuracy': [0.1, 0.2]}; past.epoch = [0, 1]",
        (
            ("layers", {"path": "small"}, {"input_shapes": [[None, 4]], "output_shapes": [[None, 3]]}),
            ("layers", {"path": "bare"}, {"built": False}),
            ("compiled", {"path": "small"}, {"compiled": True, "metrics": ["accuracy"], "optimizer": Has("Adam")}),
            ("compiled", {"path": "bare"}, {"compiled": False}),
            ("training_history", {"path": "past"}, {"recorded": {"loss": 2, "accuracy": 2}, "n_epochs": 2}),
        ),
        needs="keras",
    ),
    Group(
        "tensorflow",
        "import tensorflow as tf; stream = tf.data.Dataset.from_tensor_slices((np.zeros((10, 4), 'f4'), np.zeros(10))).batch(3);"
        " constant = tf.zeros((2, 5)); other_constant = tf.zeros((4, 5))",
        (
            ("loader", {"path": "stream"}, {"type": Has("BatchDataset")}),
            ("array", {"path": "constant"}, {"shape": [2, 5]}),
            ("combine", {"operation": "matmul", "left": "constant", "right": "other_constant"}, {"fits": False}),
        ),
        needs="tensorflow",
    ),
    Group(
        "boosted trees",
        "import lightgbm; boosted = lightgbm.LGBMRegressor(n_estimators=2, min_child_samples=1, verbose=-1)"
        ".fit(pd.DataFrame({'a': range(9), 'b': range(9)}), list(range(9))); unboosted = lightgbm.LGBMClassifier()",
        (
            ("estimator", {"path": "boosted"}, {"fitted": True, "n_features_in": 2}),
            ("estimator", {"path": "boosted", "frame": "scored"}, {"given.n_features": 2}),
            ("estimator", {"path": "unboosted"}, {"fitted": False}),
        ),
        needs="lightgbm",
    ),
    Group(
        "extreme boosted trees",
        "import xgboost; extreme = xgboost.XGBRegressor(n_estimators=2).fit(pd.DataFrame({'a': range(9)}), list(range(9))); unextreme = xgboost.XGBClassifier()",
        (
            ("estimator", {"path": "extreme"}, {"fitted": True, "n_features_in": 1}),
            ("estimator", {"path": "unextreme"}, {"fitted": False}),
        ),
        needs="xgboost",
    ),
    Group(
        "categories of boosted trees",
        "import catboost; cat = catboost.CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False)"
        ".fit(pd.DataFrame({'a': range(9)}), list(range(9))); uncat = catboost.CatBoostClassifier()",
        (
            ("estimator", {"path": "cat"}, {"fitted": True}),
            ("estimator", {"path": "uncat"}, {"fitted": False}),
        ),
        needs="catboost",
    ),
)


def facts() -> Iterator[Fact]:
    """Yield all facts."""
    for group in GROUPS:
        for probe, arguments, expected in group.facts:
            yield Fact(group.kind, probe, arguments, expected)
