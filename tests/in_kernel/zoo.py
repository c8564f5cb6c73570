"""Values for the probes: ordinary ones, large ones, and ones made to be touched by a careless look.

Each is the source of a cell that binds the value to ``it``. Whatever user code runs appends to ``ran``.
"""

from evals.probes.values import LARGE as LARGE

BARE = """
import abc, collections, dataclasses, datetime, decimal, enum, functools, io, itertools, math, os, pathlib, random, sqlite3
import string, sys, threading, types, typing, unittest.mock, weakref
import numpy as np, pandas as pd
np.random.seed(0); random.seed(0)
table = pd.DataFrame({"price": [1.0, None], "area": [1, 2]})
numbers, words = np.zeros((3, 4)), ["price", "zz", 3]
ran = []
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
        if name == "__del__":
            return None
        raise RuntimeError(name)
    return special
def trapping(*bases, **more):
    names = {name: trap(name) for name in SPECIAL if name not in ("__setattr__", "__delattr__", "__getattribute__")}
    return type("Trap", bases, {**names, **more})
"""

LIBRARIES = """
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot, torch
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0)
"""

TRAPS = LIBRARIES + BARE

FILES = """
with open("here.csv", "w") as file:
    file.write("a,b")
finders = list(sys.meta_path)
os.makedirs("folder/inner"); os.makedirs("package")
for name, content in {
    "rows.csv": b"price,area\\n1,2\\n", "latin.csv": "caf\xe9,b\\n".encode("latin-1"), "utf16.csv": "a,b\\n".encode("utf-16"),
    "bom.csv": b"\\xef\\xbb\\xbfa,b\\n", "empty.csv": b"", "picture.png": b"\\x89PNG\\r\\n\\x1a\\n" + bytes(100),
    "table.parquet": b"PAR1" + bytes(20), "things.zip": b"PK\\x03\\x04", "data.json": b'{"a": 1}', "line.csv": b"a," * 3_000_000,
    "package/__init__.py": b"open('imported', 'w').close()", "package/part.py": b"", "lonely.py": b"open('imported', 'w').close()",
    "folder/a.csv": b"a", "folder/b.csv": b"b",
}.items():
    pathlib.Path(name).write_bytes(content)
os.mkfifo("pipe"); os.symlink("nowhere", "dangling"); os.symlink("loop", "loop")
with open("huge.csv", "wb") as file:
    file.write(b"a,b\\n1,2\\n"); file.truncate(10 << 30)
"""
"""Files and modules to ask about; importing one of the modules leaves the file ``imported``."""

START = TRAPS + FILES + "import gc; gc.collect(); gc.freeze()"
BARE_START = BARE + FILES + "import gc; gc.collect(); gc.freeze()"
"""For a kernel that has numpy and pandas, and nothing else."""

CLEAN = """
it = whole = owner = T = None
sys.meta_path[:] = finders; sys.modules.pop("hostile", None)
if "matplotlib" in sys.modules: matplotlib.pyplot.close("all")
gc.collect(); ran.clear()
"""
"""Undoes what a value left behind, so that nothing of it is collected while questions are asked about the next."""

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
    "list": "it = [1, 'a', None, [2]]",
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
    "frame with nulls": "it = pd.DataFrame({'a': [1.0, None, 3.0], 'b': ['x', None, 'z'], 'c': pd.to_datetime(['2024', None, '2025'])})",
    "frame with nullable types": "it = pd.DataFrame({'a': pd.array([1, None], 'Int64'), 'b': pd.array([True, None], 'boolean'), 'price': pd.array(['1', None], 'string')})",
    "frame with the same column twice": "it = pd.DataFrame([[1, 2, 3]], columns=['a', 'b', 'a'])",
    "frame with lists in a column": "it = pd.DataFrame({'a': [[1, 2], [3]], 'b': [{'x': 1}, {}], 'price': ['$1,200', '7']})",
    "frame with an index of two levels": "it = pd.DataFrame({'a': [1, 2, 3]}, index=pd.MultiIndex.from_tuples([('x', 1), ('x', 1), (None, 2)], names=['k', None]))",
    "frame with zones and periods": "it = pd.DataFrame({'a': pd.date_range('2024', periods=2, tz='UTC'), 'b': pd.period_range('2024', periods=2, freq='M'), 'c': pd.interval_range(0, 2), 'd': pd.to_timedelta([1, 2])})",
    "frame of odd things": "it = pd.DataFrame({'a': pd.Series([1, 'a', None, float('nan'), pd.NA, pd.NaT, decimal.Decimal('NaN'), 1j], dtype=object)})",
    "frame with the same label twice": "it = pd.DataFrame({'a': [1, 2]}, index=['x', 'x'])",
    "series of texts": "it = pd.Series(['1', '2', 'x'], index=list('abc'), name='price')",
    "index of two levels": "it = pd.MultiIndex.from_product([['a', 'b'], [1, 2]])",
    "index of intervals": "it = pd.interval_range(0, 3)",
    "arrays of odd layouts": "it = [np.broadcast_to(np.zeros(3), (4, 3)), np.zeros((3, 4), order='F'), np.arange(9)[::-2], np.zeros(()), np.zeros((0, 3))]",
    "arrays of odd types": "it = [np.array(['NaT', '2024'], 'M8[D]'), np.zeros(2, '>f4'), np.zeros(2, 'S3'), np.array(['a', 'bc']), np.zeros(2, 'f2'), np.zeros(2, 'g'), np.zeros(2, complex)]",
    "array with nan": "it = np.array([[1.0, np.nan], [np.inf, 4.0]])",
    "matrix": "it = np.asmatrix([[1, 2]])",
    "array on disk": "it = np.memmap('here.npy', dtype='f4', mode='w+', shape=(4,)); it[:] = 1",
    "lists of different lengths": "it = [[1, 2], [3], [], [4, 5, 6]]",
    "list of arrays": "it = [np.zeros((2, 3)), np.zeros((2, 4)), torch.zeros(2)]",
    "tensor of integers": "it = torch.tensor([[1, 2], [3, 4]])",
    "tensor on no device": "it = torch.zeros(2, 3, device='meta')",
    "convolutions": "it = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(2)).eval()",
    "optimizer with state": (
        "owner = torch.nn.Linear(2, 2); it = torch.optim.SGD([{'params': [owner.weight], 'lr': 0.1}, {'params': [owner.bias]}], lr=1, momentum=0.9)\n"
        "owner(torch.zeros(1, 2)).sum().backward(); it.step()"
    ),
    "scheduler": "it = torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1), 3)",
    "data set of tensors": "it = torch.utils.data.TensorDataset(torch.zeros(6, 2), torch.zeros(6))",
    "subset": "it = torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.zeros(6, 2)), [0, 2])",
    "fitted pipeline": "it = make_pipeline(StandardScaler(), LogisticRegression()).fit(pd.DataFrame({'a': [1.0, 2.0], 'b': [2.0, 1.0]}), ['x', 'y'])",
    "column transformer": "from sklearn.compose import ColumnTransformer\nit = ColumnTransformer([('n', StandardScaler(), ['a'])]).fit(pd.DataFrame({'a': [1.0, 2.0]}))",
    "grid search": "from sklearn.model_selection import GridSearchCV\nit = GridSearchCV(LogisticRegression(), {'C': [1, 2]})",
    "fitted forest": "from sklearn.ensemble import RandomForestClassifier\nit = RandomForestClassifier(3).fit([[1], [2]], ['a', 'b'])",
    "label encoder": "from sklearn.preprocessing import LabelEncoder\nit = LabelEncoder().fit(['a', 'b'])",
    "chain map": "it = collections.ChainMap({'a': 1}, {'b': 2})",
    "read-only dict": "it = types.MappingProxyType({'a': 1})",
    "user dict": "it = collections.UserDict(a=1)",
    "dict with odd keys": "it = {float('nan'): 1, (1, 'a'): 2, None: 3, b'a': 4, True: 5, frozenset([1]): 6, 'x' * 5000: 7}",
    "class with many bases": (
        "class A: pass\nclass B(A, typing.Generic[typing.TypeVar('K')]): pass\nclass C(A, dict): pass\nclass it(C, B): pass"
    ),
    "class of depth 300": "it = object\nfor _ in range(300): it = type('Deep', (it,), {})",
    "coroutine function": "async def it(a, *, b=1): return table",
    "function with a closure": "def outer(n):\n    def inner(x, /, *rest, k=2, **more): return x + n + numbers[0] + missing_name\n    return inner\nit = outer(1)",
    "function without source": "exec('def it(a, b): return a')",
    "finished generator": "it = (x for x in [1]); list(it)",
    "async generator": "async def numbers_of(): yield 1\nit = numbers_of()",
    "coroutine": "async def later(): pass\nit = later(); owner = it; __import__('warnings').simplefilter('ignore')",
    "universal function": "it = np.add",
    "built-in function": "it = max",
    "binary file": "it = open('picture.png', 'rb')",
    "closed file": "it = open('here.csv'); it.close()",
    "buffer": "it = io.BytesIO(b'abc'); it.read(1)",
    "database": "owner = sqlite3.connect(':memory:', check_same_thread=False); owner.execute('create table t (a)'); owner.execute('insert into t values (1)'); it = owner.execute('select * from t')",
    "lock": "it = threading.Lock(); it.acquire()",
    "weak reference": "owner = collections.UserDict(a=1); it = weakref.ref(owner)",
    "dead reference": "it = weakref.ref(collections.UserDict())",
    "dict of weak values": "owner = collections.UserDict(); it = weakref.WeakValueDictionary(a=owner)",
    "time": "it = datetime.datetime(2024, 1, 1)",
    "decimal": "it = decimal.Decimal('NaN')",
    "template": "it = string.Template('$a')",
    "names of one's own": "_private = 1; __secret = 2; it = 3",
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
    "frame of objects": "it = pd.DataFrame({'a': np.frompyfunc(lambda i: trapping(object)(), 1, 1)(np.arange(1)), 'b': [1]}); ran.clear()",
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
    "property that sleeps": "class Model:\n    @property\n    def a(self):\n        import time; ran.append('slow'); time.sleep(9)\nit = Model()",
    "enumeration with properties": "class it(enum.Enum):\n    A = 1\n    @property\n    def a(self): ran.append('a')",
    "finalizers in a list": "class Model:\n    def __del__(self): ran.append('del')\nit = [Model() for _ in range(5)]",
    "default factory that counts": "it = collections.defaultdict(lambda: ran.append('factory'), b=1)",
    "default dict of another class": "class Filling(collections.defaultdict):\n    def __missing__(self, key): ran.append(key); self[key] = 1\nit = Filling(list)",
    "traps in every container": "T = trapping(object, __hash__=lambda self: 1); it = {'a': (T(), [T()], {T()}, {'x': T()}), T(): frozenset([T()])}",
    "texts of another class": "T = trapping(str, __hash__=lambda self: 1); it = [T('a'), {T('a'): T('b')}, {'a': T('1')}]",
    "numbers of another class": "T = trapping(float); it = pd.DataFrame({'a': pd.Series([T(1), 2.0, T(3)], dtype=object)}); ran.clear()",
    "texts of another class in a frame": "T = trapping(str, __hash__=lambda self: 1); it = pd.DataFrame({'a': pd.Series([T('1'), 'x'], dtype=object)}); ran.clear()",
    "array of traps": "it = np.empty((2, 2), object); it.fill(trapping(object)()); ran.clear()",
    "array of records of objects": "it = np.zeros(2, [('a', object), ('b', int)]); it['a'][0] = trapping(object)(); ran.clear()",
    "array with functions of its own": (
        "class Array(np.ndarray):\n    def __array_function__(self, *args): ran.append('function')\n"
        "    def __array_ufunc__(self, *args, **kwargs): ran.append('ufunc')\nit = np.zeros((2, 3)).view(Array)"
    ),
    "object that becomes an array": (
        "class Model:\n    __array_interface__ = property(lambda self: ran.append('interface'))\n"
        "    def __array__(self, *args, **kwargs): ran.append('array'); return np.zeros(3)\nit = [Model(), np.zeros(3)]"
    ),
    "series of another class": "it = type('Rows', (pd.Series,), {'__len__': trap('len'), '__iter__': trap('iter'), 'index': property(trap('index')), 'dtype': property(trap('dtype'))})([1, 2]); ran.clear()",
    "frame with names that are objects": "it = pd.DataFrame({'a': [1]}); it.index.name = trapping(object)(); it.columns.names = [T := trapping(object, __hash__=lambda s: 1)()]; ran.clear()",
    "categories that are objects": (
        "class Label:\n    def __hash__(self): ran.append('hash'); return id(self)\n    def __eq__(self, other): ran.append('eq'); return self is other\n"
        "it = pd.DataFrame({'a': pd.Categorical.from_codes([0, 1], pd.Index([Label(), Label()], dtype=object))}); ran.clear()"
    ),
    "levels that are objects": (
        "class Label:\n    def __hash__(self): ran.append('hash'); return id(self)\n    def __eq__(self, other): ran.append('eq'); return self is other\n"
        "    def __lt__(self, other): ran.append('lt'); return True\n"
        "it = pd.DataFrame({'a': [1, 2]}, index=pd.MultiIndex(levels=[[Label(), Label()], [1]], codes=[[0, 1], [0, 0]])); ran.clear()"
    ),
    "frame without a manager": "it = pd.DataFrame.__new__(pd.DataFrame)",
    "frame with a manager of another class": "it = pd.DataFrame({'a': [1]}); it.__dict__['_mgr'] = trapping(object)()",
    "frame with a broken manager": "it = pd.DataFrame({'a': [1], 'b': ['x']}); it._mgr.axes = []",
    "data set of one's own": (
        "class Rows(torch.utils.data.Dataset):\n    def __init__(self): self.x = torch.zeros(5, 2); self.a = [1]\n"
        "    def __len__(self): ran.append('len'); return 5\n    def __getitem__(self, i): ran.append('item'); return self.x[i]\n"
        "it = torch.utils.data.DataLoader(Rows(), batch_size=2); ran.clear()"
    ),
    "stream of data": (
        "class Rows(torch.utils.data.IterableDataset):\n    def __iter__(self): ran.append('iter'); yield 1\n"
        "it = torch.utils.data.DataLoader(Rows(), collate_fn=lambda x: ran.append('collate'))"
    ),
    "loader with a sampler of one's own": (
        "class Order(torch.utils.data.Sampler):\n    def __iter__(self): ran.append('iter'); yield 0\n    def __len__(self): ran.append('len'); return 1\n"
        "it = torch.utils.data.DataLoader([1, 2], batch_sampler=None, sampler=Order()); ran.clear()"
    ),
    "loader of another class": "it = type('Loader', (torch.utils.data.DataLoader,), {'__len__': trap('len'), '__iter__': trap('iter'), 'dataset': property(trap('dataset'))})\nit = it.__new__(it)",
    "loader being read": "owner = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(6, 2)), shuffle=True); it = iter(owner); next(it)",
    "optimizer of one's own": (
        "class Mine(torch.optim.SGD):\n    param_groups = property(lambda self: ran.append('groups') or self.__dict__.setdefault('g', []), lambda self, v: self.__dict__.update(g=v))\n"
        "    def step(self): ran.append('step')\n    def __repr__(self): ran.append('repr'); return 'x'\n"
        "it = Mine([torch.nn.Parameter(torch.zeros(2))], lr=1); ran.clear()"
    ),
    "optimizer with groups of another class": "it = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))]); it.param_groups = trapping(list)([trapping(dict)(params=[1])]); ran.clear()",
    "optimizer of things": "it = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))]); it.param_groups[0]['params'] = [trapping(object)()]; it.param_groups[0]['lr'] = trapping(float)(1); ran.clear()",
    "network with a parameter that is computed": (
        "class Net(torch.nn.Linear):\n    weight = property(lambda self: ran.append('weight'))\n    training = property(lambda self: ran.append('training'), lambda self, v: None)\n"
        "    def parameters(self, *a): ran.append('parameters'); return iter(())\n    def named_modules(self, *a, **k): ran.append('modules'); return iter(())\n"
        "it = torch.nn.Module.__new__(Net); torch.nn.Module.__init__(it); it._parameters['weight'] = torch.nn.Parameter(torch.zeros(2, 2)); ran.clear()"
    ),
    "network with hooks": "it = torch.nn.Linear(2, 2); it.register_forward_hook(lambda *a: ran.append('hook')); it.register_state_dict_pre_hook(lambda *a: ran.append('state'))",
    "network with a weight of a class": "torch.nn.utils.parametrizations.weight_norm(it := torch.nn.Linear(2, 2))",
    "estimator with parameters of its own": (
        "class Model(LogisticRegression):\n    def get_params(self, deep=True): ran.append('params'); return {}\n"
        "    C = property(lambda self: ran.append('C'), lambda self, v: None)\n    classes_ = property(lambda self: ran.append('classes'))\n"
        "    def __getstate__(self): ran.append('state'); return {}\n"
        "it = make_pipeline(StandardScaler(), Model()); ran.clear()"
    ),
    "estimator fitted with objects": (
        "it = LogisticRegression(); it.classes_ = np.array([None, None], object); it.classes_.fill(trapping(object)()); it.feature_names_in_ = it.classes_\n"
        "it.coef_ = trapping(list)([1]); it.n_features_in_ = trapping(int)(3); it.C = trapping(float)(1); ran.clear()"
    ),
    "pipeline of things": "it = make_pipeline(StandardScaler(), LogisticRegression()); it.steps = trapping(list)([('a', trapping(object)())]); ran.clear()",
    "transformer of one's own": (
        "from sklearn.base import BaseEstimator, TransformerMixin\n"
        "class Scale(BaseEstimator, TransformerMixin):\n    def __init__(self, a=trapping(object)()): self.a = a\n"
        "    def fit(self, X, y=None): ran.append('fit'); return self\n    def transform(self, X): ran.append('transform'); return X\n"
        "    def __sklearn_tags__(self): ran.append('tags')\nit = make_pipeline(Scale(), LogisticRegression()); ran.clear()"
    ),
    "function with defaults that trap": "def it(a, b=trapping(object)(), *, c=trapping(dict)()): return table\nit.__annotations__ = {'a': trapping(object)()}; ran.clear()",
    "function with a signature of its own": "def it(a): return 1\nit.__signature__ = trapping(object)(); it.__text_signature__ = trapping(str)('x'); it.__doc__ = trapping(str)('x'); it.__module__ = trapping(str)('numpy'); ran.clear()",
    "function that wraps itself": "def it(a): return 1\nit.__wrapped__ = it",
    "function in a file that is not there": "exec(compile('def it(a): return undefined + a', 'gone.py', 'exec'))",
    "function with globals of its own": "class Space(dict):\n    def __missing__(self, key): ran.append(key); raise KeyError(key)\n    def __getitem__(self, key): ran.append(key); return 1\nit = types.FunctionType((lambda: zz + it).__code__, Space())",
    "function over cells": "def outer():\n    def inner(): return later\n    if 0: later = 1\n    return inner\nit = outer()",
    "partial of traps": "it = functools.partial(trapping(object)(), trapping(object)(), a=trapping(object)()); ran.clear()",
    "method of a trap": "it = types.MethodType(lambda self, a: ran.append('called'), trapping(object)()); ran.clear()",
    "class that is called by its metaclass": (
        "class Meta(type):\n    def __call__(cls, a, b): ran.append('call')\n    @property\n    def __signature__(cls): ran.append('signature')\n"
        "    __bases__ = property(lambda cls: ran.append('bases'))\n    def mro(cls): ran.append('mro'); return type.mro(cls)\n"
        "    def __subclasses__(cls): ran.append('subclasses'); return []\n"
        "class it(metaclass=Meta):\n    def __init__(self, a): pass\nran.clear()"
    ),
    "class with hooks": "class Base:\n    def __init_subclass__(cls, **k): ran.append('subclass')\n    def __class_getitem__(cls, key): ran.append('item')\n    def __subclasshook__(cls, o=0): ran.append('hook')\nclass it(Base): pass\nran.clear()",
    "generator that holds a trap": "def numbers_of(a=trapping(object)()):\n    try:\n        yield a\n    finally: ran.append('closed')\nit = numbers_of(); next(it); ran.clear()",
    "iterator of one's own": "class Steps:\n    def __iter__(self): ran.append('iter'); return self\n    def __next__(self): ran.append('next'); return 1\n    def __length_hint__(self): ran.append('hint'); return 3\nit = [Steps(), map(trap('map'), [1]), filter(trap('filter'), [1]), zip(Steps()), enumerate(Steps())]; ran.clear()",
    "file of another class": "class Log(io.TextIOWrapper):\n    name = property(lambda self: ran.append('name'))\n    closed = property(lambda self: ran.append('closed'))\n    def tell(self): ran.append('tell')\nit = Log(open('here.csv', 'rb')); ran.clear()",
    "path of another class": "it = type('Place', (type(pathlib.Path()),), {'__fspath__': trap('path'), '__str__': trap('str'), 'exists': trap('exists')})('here.csv'); ran.clear()",
    "weak reference that calls back": "owner = trapping(object)(); it = weakref.ref(owner, lambda r: ran.append('gone')); ran.clear()",
    "module that is an object": "sys.modules['hostile'] = it = trapping(object)()",
    "module with strange parts": "it = types.ModuleType('odd'); it.__spec__ = trapping(object)(); it.__file__ = trapping(str)('x'); it.__version__ = trapping(str)('1'); it.__dict__[trapping(str, __hash__=lambda s: 1)('a')] = 1; sys.modules['hostile'] = it; ran.clear()",
    "finder that counts": "class Finder:\n    def find_spec(self, *args): ran.append(args[0]); return None\n    def __getattr__(self, name): ran.append(name); raise AttributeError(name)\nsys.meta_path.insert(0, Finder()); it = 1",
    "data class that computes": "@dataclasses.dataclass\nclass Model:\n    a: int = dataclasses.field(default_factory=lambda: ran.append('factory'))\n    def __post_init__(self): ran.append('post')\n    def __getattr__(self, name): ran.append(name); raise AttributeError\nit = Model(); ran.clear()",
    "exception with traps": "it = ValueError(trapping(object)()); it.__cause__ = KeyError(trapping(str)('x')); it.a = 1; ran.clear()",
    "object of a class without a name": "it = type('', (), {'__module__': None, '__qualname__': 'a b\\nc'})()",
}

OPTIONAL = {
    "sqlalchemy": {
        "table that is mapped": (
            "import sqlalchemy as sa, sqlalchemy.orm as orm\nBase = orm.declarative_base()\n"
            "class Person(Base):\n    __tablename__ = 'person'\n    a = sa.Column(sa.Integer, primary_key=True)\n    b = sa.Column(sa.String)\n"
            "    @property\n    def shape(self): ran.append('shape')\n"
            "    @orm.reconstructor\n    def loaded(self): ran.append('loaded')\n"
            "    def __repr__(self): ran.append('repr'); return 'x'\n"
            "engine = sa.create_engine('sqlite://', poolclass=sa.pool.StaticPool, connect_args={'check_same_thread': False})\n"
            "sa.event.listen(engine, 'before_cursor_execute', lambda *args: ran.append('sql'))\n"
            "Base.metadata.create_all(engine); owner = orm.Session(engine); owner.add(Person(a=1, b='x')); owner.commit()\n"
            "it = owner.get(Person, 1); owner.expire(it); ran.clear()"
        ),
        "session": "import sqlalchemy.orm as orm; it = orm.Session()",
        "query": "import sqlalchemy as sa; whole = sa.table('t', sa.column('a')); it = sa.select(whole).where(whole.c.a == 1)",
        "column that is mapped": "import sqlalchemy as sa; it = sa.Column('a', sa.Integer)",
    },
    "peewee": {
        "model": (
            "import peewee\nowner = peewee.SqliteDatabase(':memory:', check_same_thread=False); owner.connect()\n"
            "class Person(peewee.Model):\n    a = peewee.CharField()\n    parent = peewee.ForeignKeyField('self', null=True)\n"
            "    class Meta: database = owner\n    def __repr__(self): ran.append('repr'); return 'x'\n"
            "owner.create_tables([Person]); Person.create(a='x', parent=None); it = Person.get(); it.__data__['parent'] = 1; ran.clear()"
        ),
        "model's class": "import peewee\nclass it(peewee.Model):\n    a = peewee.CharField()",
        "query that is lazy": (
            "import peewee\nowner = peewee.SqliteDatabase(':memory:', check_same_thread=False); owner.connect()\n"
            "class Person(peewee.Model):\n    a = peewee.CharField()\n    class Meta: database = owner\n"
            "owner.create_tables([Person]); it = Person.select()"
        ),
    },
    "datasets": {
        "data set": "import datasets; datasets.disable_progress_bars(); it = datasets.Dataset.from_dict({'a': [1, 2], 'b': ['x', 'y']})",
        "data sets by split": "import datasets; it = datasets.DatasetDict(a=datasets.Dataset.from_dict({'a': [1]}))",
        "data set that streams": "import datasets; it = datasets.IterableDataset.from_generator(lambda: iter([{'a': 1}]))",
        "data set that transforms": "import datasets; it = datasets.Dataset.from_dict({'a': [1]}).with_transform(lambda rows: ran.append('transform') or rows)",
    },
    "tensorflow": {
        "keras layers": "import keras; it = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])",
        "keras layers that are compiled": "import keras; it = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); it.compile('adam', 'mse', metrics=['mae'])",
        "keras layers that are not built": "import keras; it = keras.Sequential([keras.layers.Dense(8)])",
        "keras graph": "import keras; whole = keras.Input((4,)); it = keras.Model(whole, keras.layers.Dense(1)(whole))",
        "keras model of one's own": (
            "import keras\nclass Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.a = keras.layers.Dense(2)\n"
            "    def call(self, x): ran.append('call'); return self.a(x)\n"
            "    layers = property(lambda self: ran.append('layers') or [])\n    input_shape = property(lambda self: ran.append('input'))\n"
            "    def __getattr__(self, name): ran.append(name); raise AttributeError(name)\n"
            "    def get_config(self): ran.append('config'); return {}\nit = Net(); ran.clear()"
        ),
        "keras layer of one's own": "import keras\nclass it(keras.layers.Layer):\n    def build(self, shape): ran.append('build')\n    def call(self, x): ran.append('call')\nit = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]); it._layers.append(it)",
        "keras history": "import keras; it = keras.callbacks.History(); it.history = {'loss': [1.0]}; it.epoch = [0]",
        "keras optimizer": "import keras; it = keras.optimizers.Adam()",
        "tensor of tensorflow": "import tensorflow as tf; it = tf.zeros((2, 3))",
        "variable of tensorflow": "import tensorflow as tf; it = tf.Variable([1.0, 2.0])",
        "ragged tensor": "import tensorflow as tf; it = tf.ragged.constant([[1], [2, 3]])",
        "symbolic tensor": "import keras; it = keras.Input((4,))",
        "tf.data": "import tensorflow as tf; it = tf.data.Dataset.from_tensor_slices((np.zeros((6, 2)), np.zeros(6))).batch(2)",
        "tf.data of a generator": (
            "import tensorflow as tf\ndef rows():\n    ran.append('rows'); yield 1\n"
            "it = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((), tf.int32)).map(lambda x: x + 1)"
        ),
        "tf function": "import tensorflow as tf\n@tf.function\ndef it(x): ran.append('traced'); return x",
    },
    "lightgbm": {
        "lightgbm": "import lightgbm; it = lightgbm.LGBMClassifier(n_estimators=3)",
        "fitted lightgbm": "import lightgbm; it = lightgbm.LGBMRegressor(n_estimators=2, min_child_samples=1, verbose=-1).fit(pd.DataFrame({'a': range(9)}), list(range(9)))",
    },
    "xgboost": {
        "xgboost": "import xgboost; it = xgboost.XGBClassifier(n_estimators=3)",
        "fitted xgboost": "import xgboost; it = xgboost.XGBRegressor(n_estimators=2).fit(pd.DataFrame({'a': range(9)}), list(range(9)))",
        "matrix of xgboost": "import xgboost; it = xgboost.DMatrix(np.zeros((3, 2)))",
    },
    "catboost": {
        "catboost": "import catboost; it = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)"
    },
}
"""By the module that they need: an interpreter that lacks it passes them over."""
