"""Values for the probes: ordinary ones, and ones made to be touched by a careless look.

Each is the source of a cell that binds the value to ``it``. Whatever user code runs appends to ``ran``.
"""

START = """
import abc, collections, dataclasses, enum, functools, io, itertools, math, os, pathlib, random, types, unittest.mock, weakref
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot, numpy as np, pandas as pd, torch
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
ran = []
np.random.seed(0); torch.manual_seed(0); random.seed(0)
with open("here.csv", "w") as file:
    file.write("a,b")
SPECIAL = [
    name for kind in (object, int, float, list, dict, set, str, types.GeneratorType, type(iter([])))
    for name in vars(kind)
    if name.startswith("__") and name.endswith("__")
    and name not in ("__class__", "__new__", "__init__", "__doc__", "__init_subclass__", "__subclasshook__", "__dict__",
                    "__qualname__", "__name__", "__class_getitem__", "__del__", "__getstate__", "__sizeof__")
] + ["__bool__", "__enter__", "__exit__", "__call__", "__array__", "__array_interface__", "__array_struct__",
     "__array_ufunc__", "__array_function__", "__dataframe__", "__torch_function__", "__fspath__", "__index__",
     "__instancecheck__", "__subclasscheck__", "__prepare__", "__missing__", "__await__", "__aiter__", "__anext__"]
def trap(name):
    def special(*args, **kwargs):
        ran.append(name)
        if name in ("__hash__",):
            return 1
        if name in ("__len__", "__sizeof__", "__length_hint__"):
            return 3
        if name in ("__repr__", "__str__", "__format__"):
            return "trapped"
        raise RuntimeError(name)
    return special
def trapping(*bases, **more):
    names = {name: trap(name) for name in SPECIAL if name not in ("__setattr__", "__delattr__", "__getattribute__")}
    return type("Trap", bases, {**names, **more})
"""

ORDINARY = {
    "frame": "it = pd.DataFrame({'price': [1.5, 2.0], 'city': ['Rome', 'Oslo'], 'n': [1, 2]})",
    "frame with an index of dates": "it = pd.DataFrame({'a': range(9)}, index=pd.date_range('2024', periods=9))",
    "frame with columns of two levels": "it = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('a', 1), ('a', 2)]))",
    "frame with number columns": "it = pd.DataFrame(np.zeros((3, 4)))",
    "frame with categories": "it = pd.DataFrame({'c': pd.Categorical(['x', 'y']), 'd': pd.to_datetime(['2024-01-01'] * 2)})",
    "frame with category columns": "it = pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(['x', 'y']))",
    "frame with dates as columns": "it = pd.DataFrame([[1, 2]], columns=pd.to_datetime(['2024-01-01', '2024-01-02']))",
    "frame just filtered": "whole = pd.DataFrame({'a': range(50), 'b': 'x'}); it = whole[whole.a > 10].drop(columns=['b']).assign(c=1)",
    "frame without rows": "it = pd.DataFrame({'a': []})",
    "frame without columns": "it = pd.DataFrame()",
    "frame with attrs": "it = pd.DataFrame({'a': [1]}); it.attrs['source'] = 'here'",
    "frame with an unused index": "it = pd.DataFrame({'a': range(1000)}, index=pd.Index([f'r{i}' for i in range(1000)]))",
    "wide frame": "it = pd.DataFrame({f'column_{i}': [i] for i in range(3000)})",
    "series": "it = pd.Series([1, 2, 3], name='n')",
    "series without elements": "it = pd.Series([], dtype=float)",
    "index": "it = pd.Index(['a', 'b'])",
    "group by": "it = pd.DataFrame({'a': [1, 1], 'b': [1, 2]}).groupby('a')",
    "array": "it = np.arange(12.0).reshape(3, 4)",
    "object array": "it = np.array([1, 'a', None], dtype=object)",
    "record array": "it = np.zeros(3, dtype=[('a', int), ('b', float)])",
    "masked array": "it = np.ma.masked_array([1, 2], mask=[True, False])",
    "number of numpy": "it = np.float32(1.5)",
    "random generator": "it = np.random.default_rng(1)",
    "big array": "it = np.zeros(10_000_000)",
    "tensor": "it = torch.ones(2, 3, requires_grad=True)",
    "tensor with a gradient": "it = torch.ones(3, requires_grad=True); (it * 2).sum().backward()",
    "parameter": "it = torch.nn.Parameter(torch.zeros(2, 2))",
    "sparse tensor": "it = torch.eye(3).to_sparse()",
    "nested tensor": "import warnings; warnings.simplefilter('ignore'); it = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])",
    "network": "it = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2))",
    "recurrent network": "it = torch.nn.ModuleDict({'rnn': torch.nn.LSTM(3, 5, 2), 'out': torch.nn.Linear(5, 1)})",
    "loader": "it = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(6, 2)), shuffle=True)",
    "optimizer": "it = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))])",
    "estimator": "it = LogisticRegression(C=2.0)",
    "fitted estimator": "it = LinearRegression().fit(pd.DataFrame({'a': [1.0, 2.0], 'b': [2.0, 1.0]}), [1, 2])",
    "pipeline": "it = make_pipeline(StandardScaler(), LogisticRegression())",
    "dict": "it = {'lr': 0.1, 'layers': [64, 64], 3: None}",
    "nested dict": "it = {'train': {'x': [1, 2]}, 'test': ({'y': 1},)}",
    "huge dict": "it = {f'k{i}': i for i in range(1_000_000)}",
    "list": "it = [1, 'a', None, [2]]",
    "long list": "it = list(range(1_000_000))",
    "set": "it = {1, 2, 3}",
    "text": "it = 'hello'",
    "text with strange letters": "it = '\\ud800 x'",
    "number": "it = 10 ** 6000",
    "namedtuple": "it = collections.namedtuple('Point', 'x y')(1, 2)",
    "default dict": "it = collections.defaultdict(list, a=[1])",
    "ordered dict": "it = collections.OrderedDict(a=1, b=2)",
    "counter": "it = collections.Counter('hello')",
    "deque": "it = collections.deque([1, 2], 5)",
    "generator": "def numbers():\n    yield 1\n    yield 2\nit = numbers(); next(it)",
    "iterator": "it = iter([1, 2, 3]); next(it)",
    "zip": "it = zip([1, 2], [3, 4])",
    "function": "def it(a, b=1, *, c): return a",
    "lambda": "it = lambda x: x",
    "partial": "it = functools.partial(max, 1)",
    "cached function": "it = functools.lru_cache(lambda x: x); it(1)",
    "method": "class Model:\n    def fit(self, x): pass\nit = Model().fit",
    "class": "class it:\n    n = 1\n    def __init__(self, a): self.a = a\n    def f(self): pass",
    "object": "class Model:\n    def __init__(self): self.w = [1]\n    def f(self): pass\nit = Model()",
    "data class": "@dataclasses.dataclass\nclass Point:\n    x: int\n    y: int = 2\nit = Point(1)",
    "enumeration": "class Colour(enum.Enum):\n    RED = 1\nit = Colour",
    "exception": "it = ValueError('bad')",
    "module": "it = math",
    "package": "it = np",
    "open file": "it = open('here.csv')",
    "path": "it = pathlib.Path('here.csv')",
    "random source": "it = random.Random(1)",
    "figure": "it = matplotlib.pyplot.figure()",
}

HOSTILE = {
    "object that traps everything": "it = trapping(object)()",
    "class that traps everything": "it = trapping(object)",
    "trap in a list": "it = [trapping(object)()]",
    "trap as a key": "T = trapping(object, __hash__=lambda self: 1); it = {T(): 1, 'a': 2}",
    "trap in an array": "it = np.array([None, None], dtype=object); it[0] = trapping(object)()",
    "key that equals": (
        "class Key:\n"
        "    def __hash__(self): ran.append('hash'); return hash('a')\n"
        "    def __eq__(self, other): ran.append('eq'); return True\n"
        "it = {Key(): 1}"
    ),
    "key in an instance": (
        "class Key:\n"
        "    def __hash__(self): return hash('a')\n"
        "    def __eq__(self, other): ran.append('eq'); return True\n"
        "class Model: pass\n"
        "it = Model(); it.__dict__[Key()] = 1"
    ),
    "key in a class": (
        "class Key:\n"
        "    def __hash__(self): return hash('shape')\n"
        "    def __eq__(self, other): ran.append('eq'); return True\n"
        "it = type('Model', (), {Key(): 1})()"
    ),
    "lying class": "class Liar:\n    @property\n    def __class__(self): ran.append('class'); return pd.DataFrame\nit = Liar()",
    "lying module": (
        "class DataFrame:\n    columns = property(lambda self: ran.append('columns'))\n"
        "DataFrame.__module__ = 'pandas.core.frame'\nit = DataFrame()"
    ),
    "proxy": (
        "class Proxy:\n    def __getattr__(self, name): ran.append(name); return lambda *a, **k: None\nit = Proxy()"
    ),
    "proxy in python": (
        "class Proxy:\n"
        "    def __getattribute__(self, name): ran.append(name); return object.__getattribute__(self, name)\n"
        "it = Proxy()"
    ),
    "properties": (
        "class Model:\n"
        "    @property\n    def a(self): ran.append('a'); raise KeyError\n"
        "    @property\n    def shape(self): ran.append('shape'); return (1,)\n"
        "    @property\n    def columns(self):\n        import time; ran.append('slow'); time.sleep(5)\n"
        "    @functools.cached_property\n    def missing(self): ran.append('cached'); return 1\n"
        "it = Model()"
    ),
    "metaclass": (
        "class Meta(type):\n"
        "    def __eq__(cls, other): ran.append('eq'); return True\n"
        "    def __hash__(cls): ran.append('hash'); return 1\n"
        "    def __instancecheck__(cls, each): ran.append('instance'); return True\n"
        "    def __subclasscheck__(cls, each): ran.append('subclass'); return True\n"
        "    def __getattr__(cls, name): ran.append(name); return 1\n"
        "    def __len__(cls): ran.append('len'); return 1\n"
        "    def __call__(cls, *args): ran.append('call'); return type.__call__(cls)\n"
        "    __module__ = property(lambda cls: ran.append('module'))\n"
        "class Model(metaclass=Meta): pass\n"
        "it = Model()"
    ),
    "class with that metaclass": (
        "class Meta(type):\n"
        "    def __eq__(cls, other): ran.append('eq'); return True\n"
        "    def __hash__(cls): ran.append('hash'); return 1\n"
        "    def __getattr__(cls, name): ran.append(name); return 1\n"
        "    def __getattribute__(cls, name): ran.append(name); return type.__getattribute__(cls, name)\n"
        "    def mro(cls): return type.mro(cls)\n"
        "class it(metaclass=Meta): pass"
    ),
    "metaclass in a list": (
        "class Meta(type):\n"
        "    def __eq__(cls, other): ran.append('eq'); return True\n"
        "    def __hash__(cls): ran.append('hash'); return 1\n"
        "class Model(metaclass=Meta): pass\n"
        "it = [Model(), {Model: 1}, (Model(),)]"
    ),
    "abstract class with a registry": (
        "class it(abc.ABC):\n"
        "    @classmethod\n    def __subclasshook__(cls, other): ran.append('hook'); return True\n"
        "    @abc.abstractmethod\n    def f(self): pass"
    ),
    "mock of a frame": "it = unittest.mock.MagicMock(spec=pd.DataFrame)",
    "mock of a network": "it = unittest.mock.MagicMock(spec=torch.nn.Module)",
    "subclass of a frame": (
        "class Frame(pd.DataFrame):\n"
        "    @property\n    def columns(self): ran.append('columns'); return pd.Index(['a'])\n"
        "    @property\n    def _constructor(self): ran.append('constructor'); return Frame\n"
        "    def __getitem__(self, key): ran.append(key)\n"
        "    def __len__(self): ran.append('len'); return 3\n"
        "it = Frame({'a': [1]}); ran.clear()"
    ),
    "subclass of an array": (
        "class Array(np.ndarray):\n"
        "    def __getitem__(self, key): ran.append(key)\n"
        "    def __array_finalize__(self, other): ran.append('finalize')\n"
        "    def __len__(self): ran.append('len'); return 3\n"
        "    shape = property(lambda self: ran.append('shape'))\n"
        "it = np.zeros(3).view(Array); ran.clear()"
    ),
    "subclass of a tensor": (
        "class Tensor(torch.Tensor):\n"
        "    @classmethod\n    def __torch_function__(cls, *args, **kwargs): ran.append('function'); return 1\n"
        "it = torch.zeros(3).as_subclass(Tensor)"
    ),
    "subclass of a dict": "it = trapping(dict)(a=1)",
    "subclass of a list": "it = trapping(list)([1, 2])",
    "subclass of a tuple": "it = trapping(tuple)([1, 2])",
    "subclass of a text": "it = trapping(str)('a')",
    "subclass of a number": "it = trapping(int)(1)",
    "subclass of a function's dict": "def it(a=1): pass\nit.__kwdefaults__ = trapping(dict)(a=1); it.__defaults__ = trapping(tuple)([1])",
    "dict that fills itself": (
        "class Filling(dict):\n    def __missing__(self, key): ran.append(key); self[key] = 1; return 1\nit = Filling(b=1)"
    ),
    "deep list": "it = []\nfor _ in range(5000): it = [it]",
    "list that holds itself": "it = []; it.append(it)",
    "lazy module": (
        "class Lazy(types.ModuleType):\n"
        "    def __getattr__(self, name): ran.append(name); import this; return 1\n"
        "it = Lazy('lazy')"
    ),
    "module with getattr": "it = types.ModuleType('lazy'); it.__getattr__ = lambda name: ran.append(name)",
    "weak proxy": "owner = trapping(object)(); it = weakref.proxy(owner)",
    "slots": "class Slotted:\n    __slots__ = ('a', 'b')\nit = Slotted(); it.a = 1",
    "slots with getattr": (
        "class Slotted:\n    __slots__ = ('a', 'b')\n"
        "    def __getattr__(self, name): ran.append(name); return 1\nit = Slotted()"
    ),
    "slot of another class": "class A:\n    __slots__ = ('a',)\nclass B:\n    a = A.a\nit = B()",
    "dict as a property": (
        "class Hidden:\n    __dict__ = property(lambda self: ran.append('dict') or {})\n    def a(self): pass\nit = Hidden()"
    ),
    "frame labelled by objects": (
        "class Label:\n"
        "    def __hash__(self): ran.append('hash'); return hash('a')\n"
        "    def __eq__(self, other): ran.append('eq'); return True\n"
        "    def __repr__(self): ran.append('repr'); return 'x'\n"
        "it = pd.DataFrame([[1, 2]], columns=pd.Index([Label(), Label()], dtype=object)); ran.clear()"
    ),
    "frame of objects": "it = pd.DataFrame({'a': [trapping(object)()], 'b': [1]}); ran.clear()",
    "frame indexed by objects": (
        "class Label:\n"
        "    def __hash__(self): ran.append('hash'); return 1\n"
        "    def __eq__(self, other): ran.append('eq'); return True\n"
        "it = pd.DataFrame({'a': [1, 2]}, index=pd.Index([Label(), Label()], dtype=object)); ran.clear()"
    ),
    "frame with an index of another class": (
        "class Rows(pd.Index):\n"
        "    def __len__(self): ran.append('len'); return pd.Index.__len__(self)\n"
        "    def __getitem__(self, key): ran.append('item'); return pd.Index.__getitem__(self, key)\n"
        "    def __iter__(self): ran.append('iter'); return pd.Index.__iter__(self)\n"
        "it = pd.DataFrame({'a': [1, 2]}); it.index = Rows._simple_new(np.array([1, 2])); ran.clear()"
    ),
    "frame with an array of another class": (
        "from pandas.api.extensions import ExtensionArray, ExtensionDtype\n"
        "class Kind(ExtensionDtype):\n"
        "    name = 'mine'; type = int\n"
        "    def __str__(self): ran.append('str'); return 'mine'\n"
        "class Array(ExtensionArray):\n"
        "    def __init__(self, values): self.values = values\n"
        "    dtype = property(lambda self: ran.append('dtype') or Kind())\n"
        "    def __len__(self): ran.append('len'); return len(self.values)\n"
        "    def __getitem__(self, key): ran.append('item'); return Array(self.values[key])\n"
        "    def copy(self): return self\n"
        "    def view(self, dtype=None): return self\n"
        "    def isna(self): return np.zeros(len(self.values), bool)\n"
        "it = pd.DataFrame({'a': Array([1, 2]), 'b': [1, 2]}); ran.clear()"
    ),
    "attrs of a frame": "it = pd.DataFrame({'a': [1]}); it.attrs['a'] = trapping(object)()",
    "sparse frame": "it = pd.DataFrame({'a': pd.arrays.SparseArray([trapping(object)(), None], fill_value=None)}); ran.clear()",
    "network with tables of its own": (
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.a = torch.nn.Linear(2, 2)\n"
        "    def forward(self, x): ran.append('forward'); return self.a(x)\n"
        "    def __getattr__(self, name): ran.append(name); return super().__getattr__(name)\n"
        "it = Net(); it.__dict__['_modules'] = trapping(dict)(a=torch.nn.ReLU()); ran.clear()"
    ),
    "network that holds itself": "it = torch.nn.Module(); it.a = torch.nn.Module(); it.a.__dict__['_modules']['b'] = it",
    "estimator that says if it is fitted": (
        "class Model(LogisticRegression):\n"
        "    def __sklearn_is_fitted__(self): ran.append('fitted'); return True\n"
        "    n_features_in_ = property(lambda self: ran.append('features') or 3)\n"
        "    def __repr__(self): ran.append('repr'); return 'x'\n"
        "it = Model()"
    ),
    "unpacking that counts": (
        "class Pair:\n    def __iter__(self): ran.append('iter'); yield 1\n"
        "    def __getitem__(self, key): ran.append(key); return 1\nit = Pair()"
    ),
    "static and class methods": (
        "class Model:\n    a = staticmethod(print)\n    b = classmethod(property(lambda cls: ran.append('b')))\n"
        "    f = functools.partialmethod(print)\n    g = functools.singledispatchmethod(print)\nit = Model()"
    ),
    "descriptor": (
        "class Field:\n    def __get__(self, *args): ran.append('get'); return 1\n"
        "    def __set_name__(self, owner, name): pass\n"
        "class Model:\n    a = Field(); shape = Field(); columns = Field()\nit = Model()"
    ),
    "decorated function": (
        "def logged(f):\n    @functools.wraps(f)\n    def wrapper(*args, **kwargs): ran.append('call'); return f(*args, **kwargs)\n"
        "    return wrapper\n@logged\ndef it(a): ran.append('call')"
    ),
    "object that can be called": "class Model:\n    def __call__(self, a): ran.append('call')\nit = Model()",
    "infinite iterator": "it = itertools.count()",
    "generator that counts": "def numbers():\n    while True:\n        ran.append('next'); yield 1\nit = numbers()",
    "stream that counts": (
        "class Stream(io.StringIO):\n    def read(self, *args): ran.append('read'); return ''\n"
        "    def __next__(self): ran.append('next'); return ''\nit = Stream('a')"
    ),
    "exception that shows itself": "class Bad(Exception):\n    def __str__(self): ran.append('str'); return 'x'\nit = Bad()",
    "name with a long text": "it = type('x' * 100_000, (), {})()",
    "finalizer": "class Model:\n    def __del__(self): ran.append('del')\nit = Model()",
}
