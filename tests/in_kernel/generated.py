"""Values that nobody thought of: programs that bind ``it`` to a random tangle of classes, containers and traps.

A program runs after `zoo.TRAPS`. Its classes are made harmless, their instances are made, and only then the traps are
set in the classes, so that whatever runs from there on appends to ``ran``.
"""

from hypothesis import strategies as st

# A class, and how an instance of it is made.
BASES = {
    "object": "{}()",
    "dict": "{}(a=1, b=2)",
    "list": "{}([1, 2])",
    "tuple": "{}((1, 2))",
    "str": "{}('a')",
    "int": "{}(3)",
    "float": "{}(1.5)",
    "set": "{}([1])",
    "collections.OrderedDict": "{}(a=1)",
    "collections.defaultdict": "{}(list, a=1)",
    "collections.UserDict": "{}(a=1)",
    "np.ndarray": "np.arange(6.0).reshape(2, 3).view({})",
    "pd.DataFrame": "{}({{'a': [1, None], 'price': ['x', 'y']}})",
    "pd.Series": "{}([1, 2], name='a')",
    "pd.Index": "pd.Index.__new__({}, ['a', 'b'])",
    "torch.nn.Module": "{}()",
    "torch.nn.Linear": "{}(3, 2)",
    "torch.nn.Sequential": "{}(torch.nn.Linear(2, 2))",
    "torch.Tensor": "torch.zeros(2, 3).as_subclass({})",
    "torch.optim.SGD": "{}([torch.nn.Parameter(torch.zeros(2))], lr=0.1)",
    "torch.utils.data.Dataset": "{}()",
    "torch.utils.data.DataLoader": "{}([1, 2])",
    "LogisticRegression": "{}()",
    "StandardScaler": "{}().fit([[1.0], [2.0]])",
    "types.ModuleType": "{}('odd')",
    "types.SimpleNamespace": "{}(a=1)",
    "Exception": "{}('a')",
    "io.StringIO": "{}('a')",
    "functools.partial": "{}(max, 1)",
    "random.Random": "{}(1)",
    "pathlib.PurePosixPath": "{}('a')",
}

SPECIAL = (
    *("__len__", "__iter__", "__next__", "__getitem__", "__contains__", "__eq__", "__hash__", "__bool__", "__repr__"),
    *("__str__", "__format__", "__call__", "__getattr__", "__getattribute__", "__dir__", "__instancecheck__", "__lt__"),
    *(
        "__array__",
        "__array_ufunc__",
        "__array_function__",
        "__float__",
        "__int__",
        "__index__",
        "__add__",
        "__matmul__",
    ),
    *(
        "__reduce__",
        "__reduce_ex__",
        "__copy__",
        "__sizeof__",
        "__length_hint__",
        "__missing__",
        "__fspath__",
        "__enter__",
    ),
    *(
        "__subclasscheck__",
        "__torch_function__",
        "__sklearn_is_fitted__",
        "__sklearn_tags__",
        "__reversed__",
        "__del__",
    ),
    *("keys", "items", "values", "get", "get_params", "parameters", "named_modules", "state_dict", "forward", "step"),
)

ATTRIBUTES = (
    *(
        "a",
        "b",
        "shape",
        "dtype",
        "columns",
        "index",
        "_mgr",
        "_modules",
        "_parameters",
        "_buffers",
        "training",
        "weight",
    ),
    *(
        "classes_",
        "n_features_in_",
        "feature_names_in_",
        "steps",
        "param_groups",
        "state",
        "defaults",
        "dataset",
        "sampler",
    ),
    *(
        "batch_size",
        "layers",
        "optimizer",
        "loss",
        "history",
        "__class__",
        "__dict__",
        "__name__",
        "__module__",
        "__doc__",
    ),
    *("__signature__", "__wrapped__", "__code__", "__bases__", "__mro__", "__file__", "__spec__", "C", "coef_", "name"),
)

META = ("__eq__", "__hash__", "__instancecheck__", "__subclasscheck__", "__getattr__", "__getattribute__", "__len__",
        "__call__", "__iter__", "__contains__", "__repr__", "__dir__", "__getitem__", "__bool__")  # fmt: skip

DESCRIPTORS = (
    *("property({0})", "functools.cached_property({0})", "classmethod({0})", "classmethod(property({0}))"),
    *("staticmethod({0})", "trapping(object, __get__=trap('get'))()", "trapping(object)()"),
)

LEAVES = (
    *(
        "None",
        "3",
        "'a'",
        "1.5",
        "True",
        "b'a'",
        "float('nan')",
        "10 ** 30",
        "range(3)",
        "slice(1)",
        "print",
        "np.float32(2)",
    ),
    *("np.zeros((2, 3))", "np.zeros(2, '>f4')", "np.array(['a', 'b'])", "pd.Series([1, None])", "torch.zeros(2, 3)"),
    *(
        "pd.DataFrame({'a': [1, 2], 'price': ['1', 'x']}, index=['x', 'x'])",
        "torch.nn.Linear(3, 2)",
        "lambda x, *, k=1: x",
    ),
    *(
        "LogisticRegression()",
        "iter([1, 2])",
        "(x for x in [1])",
        "collections.Counter('aab')",
        "datetime.date(2024, 1, 1)",
    ),
    *("decimal.Decimal('1')", "enum.Enum('Kind', 'A B')", "functools.partial(max, 1)", "weakref.WeakValueDictionary()"),
    *(
        "types.MappingProxyType({'a': 1})",
        "collections.namedtuple('P', 'a b')(1, 2)",
        "pathlib.Path('here.csv')",
        "math",
    ),
    *("torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)", "pd.NaT", "pd.NA", "np.datetime64('NaT')"),
)

names = st.sampled_from(ATTRIBUTES)


BASE = st.sampled_from([*BASES] + ["object"] * 8)
OWN = st.lists(names.filter(lambda name: not name.startswith("__")), max_size=3)
OWN_VALUE = st.sampled_from([*LEAVES, "x0", "trapping(object)()", "trapping(str)('a')", "trapping(dict)(a=1)"])


@st.composite
def made(draw: st.DrawFn, number: int, has_metaclass: bool) -> list[str]:
    """Draw a class and an instance, both harmless so far."""
    base = draw(BASE)
    # A metaclass must inherit from that of the base.
    lines = [f"class M{number}(type({base})): pass"] if has_metaclass else []
    slots = "__slots__ = ('a', 'b', '__weakref__')" if base == "object" and draw(st.booleans()) else "pass"
    heritage = f"{base}, metaclass=M{number}" if has_metaclass else base
    lines.append(f"class C{number}({heritage}): {slots}")
    lines.append(f"x{number} = {BASES[base].format(f'C{number}')}")
    for name in draw(OWN):
        value = draw(OWN_VALUE)
        lines.append(f"try: object.__getattribute__(x{number}, '__dict__')[{name!r}] = {value}")
        lines.append("except AttributeError: pass")
    return lines


SPECIAL_TRAPS = st.lists(st.sampled_from(SPECIAL), max_size=6, unique=True)
META_TRAPS = st.lists(st.sampled_from(META), max_size=3, unique=True)
TRAPPED = st.lists(names, max_size=3, unique=True)
DESCRIPTOR = st.sampled_from(DESCRIPTORS)


@st.composite
def traps(draw: st.DrawFn, number: int, has_metaclass: bool) -> list[str]:
    """Draw the traps of a class: methods, properties, descriptors, and those of its metaclass."""
    lines = []
    for name in draw(SPECIAL_TRAPS):
        lines.append(f"set_trap(C{number}, {name!r}, trap({name!r}))")
    for name in draw(TRAPPED):
        kind = draw(DESCRIPTOR)
        lines.append(f"set_trap(C{number}, {name!r}, {kind.format(f'trap({name!r})')})")
    metaclass = draw(META_TRAPS) if has_metaclass else ()
    for name in metaclass:
        lines.append(f"set_trap(type(C{number}), {name!r}, trap('meta ' + {name!r}))")
    return lines


def _holding(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    forms = st.sampled_from(
        ("[{}]", "({},)", "{{'a': {}}}", "{{0: {}}}", "collections.deque([{}])", "types.SimpleNamespace(a={})",
         "functools.partial(print, {})", "Holder({})", "collections.defaultdict(list, a={})", "made_of({})", "Net({})",
         "collections.ChainMap({{'a': {}}})", "(lambda a={}: a)", "[{0}, {0}]", "array_of({})", "array_of({}, 'a')",
         "column_of({})", "column_of({}, 1, None)", "[{}, 1, 'a']")
    )  # fmt: skip
    return st.builds(str.format, forms, inside)


EXPRESSIONS = st.recursive(st.sampled_from([*("x0", "x1") * 10, *LEAVES]), _holding, max_leaves=4)
"""What holds the instances, in containers of all kinds."""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Draw a program."""
    own = draw(st.tuples(st.booleans(), st.booleans()))
    lines = [line for number in (0, 1) for line in draw(made(number, own[number]))]
    lines.append(f"whole = {draw(EXPRESSIONS)}")
    lines.append(f"it, table = {draw(st.sampled_from(('whole', 'x0', '[whole, x1]')))}, whole")
    lines.extend(line for number in (0, 1) for line in draw(traps(number, own[number])))
    return "\n".join([*lines, "ran.clear()"])


GROUND = """
def set_trap(cls, name, value):
    try:
        type.__setattr__(cls, name, value)
    except (AttributeError, TypeError):  # some entries of a class cannot be replaced
        pass
class Holder:
    def __init__(self, a): self.a = self.b = a
class Net(torch.nn.Module):
    def __init__(self, a):
        super().__init__()
        self.a = torch.nn.Linear(2, 2)
        self.__dict__["shape"] = self._modules["b"] = a
def array_of(*values):
    return np.frompyfunc(values.__getitem__, 1, 1)(np.arange(len(values)))
def column_of(*values):
    return pd.DataFrame({"a": pd.Series(array_of(*values), dtype=object), "price": 1.0})
def made_of(value):
    def inner(x=value): return value, table
    inner.__kwdefaults__ = {"k": value}
    return inner
"""
"""What the expressions use."""
