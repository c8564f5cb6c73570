# ruff: noqa: E731
"""Random cells over arrays, numbers of numpy's, and what Python's built-ins and standard library make of them."""

import random
from collections.abc import Callable

from programs import Program

SETUP = """
import numpy as np, math, statistics, json, re, datetime, itertools, collections, random, time
import numpy.random
a = np.arange(6.0).reshape(2, 3)
b = np.arange(4)
c = np.array([1, 2, 3], dtype=np.int8)
u = np.array([[1, 200, 3], [4, 5, 6]], dtype=np.uint8)
f = np.array([1.5, np.nan, 2.5], dtype=np.float32)
t = np.array([True, False, True])
s = np.array(['x', '2', 'z'])
o = np.array([1, 'a', None], dtype=object)
z = np.array(5)
e = np.zeros((0, 3))
q = np.ones((3, 3))
d = np.array(['2020-01-01', '2020-01-03'], dtype='M8[D]')
cx = np.array([1 + 2j, 3.0, 0.5])
big = np.zeros((300, 100))
bigint = np.arange(30000).reshape(300, 100)
wide = np.ones((300, 3))
locked = np.arange(3)
locked.flags.writeable = False
rec = np.array([(1, 2.0)], dtype=[('p', 'i4'), ('r', 'f4')])
n64, f64, f32, tt, st = np.int64(2), np.float64(0.5), np.float32(3), np.bool_(True), np.str_('k')
view = a[0]
flip = a.T
k, m, r = 2, 1, 0.5
l, w = [1, 2, 3], [[1, 2], [3]]
name = 'abc'
now = datetime.datetime(2020, 1, 2)
rng = np.random.default_rng(1)
old = np.random.RandomState(1)
count = collections.Counter('aab')
table = collections.defaultdict(list, {'a': [1]})
v0, v1, v2 = a, b, 1
x0, x1, x2 = a + 1, view, 2
"""

ARRAYS = "a b c u f t s o z e q d cx big bigint wide locked rec view flip v0 v1 v2".split()
NUMBERS = "n64 f64 f32 tt st k m r 0 1 -1 2 3 5 300 1.5 True None 'a'".split()
REDUCTIONS = "sum mean std min max argmax argmin prod any all cumsum median ptp nanmean var".split()
METHODS = "sum mean std min max argmax argmin prod any all cumsum ptp sort argsort copy".split()
UFUNCS = "sqrt exp log abs isnan sign square floor negative invert logical_not sin".split()
JOINS = "concatenate vstack hstack stack column_stack dstack".split()
SHAPES = (*"-1 6 3 (2,3) (3,2) (-1,1) (1,-1) (2,-1) (3,3) 100 (300,-1) (30000,) (7,-1) (-1,-1) () (0,)".split(),)
AXES = "0 1 2 -1 -2 None (0,1)".split()
TYPES = "int float str bool 'f4' np.int8 object complex 'M8[D]' 'nope' np.uint8".split()


# Known by their type, or their shape, alone.
PARTLY = (
    "uk = random.randint(1, 3)",
    "un = np.sum(np.random.randint(0, 3, 4))",
    "ua = np.random.randint(0, 2, (2,))",
    "uf = rng.normal(size=(2, 3)).mean()",
)

# Arrays that go together, so that many programs run on.
TAME = "a a q[:2] view f b[1:] c t x0 x0 x1 x1 x2 wide[:2] (a+1) a[:,:1]".split()


class Arrays:
    """Grows one program from a seed; every other one of arrays that go together."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tame = seed % 2 == 1
        self.partly = seed % 5 < 2

    def one(self, *choices: object) -> str:
        if self.partly and choices == SHAPES and self.random.random() < 0.3:
            return self.random.choice(["uk", "(uk, 3)", "un", "ua", "(-1, un)"])
        choice = self.random.choice(choices)
        return choice() if callable(choice) else str(choice)

    def name(self) -> str:
        if self.partly and self.random.random() < 0.15:
            return self.one("ua", "ua", "un", "uf")
        return self.random.choice(TAME if self.tame and self.random.random() < 0.97 else ARRAYS)

    def number(self) -> str:
        if self.partly and self.random.random() < 0.3:
            return self.one("uk", "un", "uf")
        return self.random.choice("n64 f64 f32 k m r 1 2 3 5 1.5 True".split() if self.tame else NUMBERS)

    def operand(self, depth: int = 1) -> str:
        if depth and self.random.random() < 0.4:
            return self.expression(depth - 1)
        if self.tame:
            return self.one(self.name, self.name, self.name, self.number)
        return self.one(self.name, self.name, self.name, self.number, "l", "w", "[1, 2, 3]", "name")

    def index(self) -> str:
        if self.partly and self.random.random() < 0.3:
            return self.one("uk", "un", "ua", ":uk", "0, uk", "ua, 0", "ua > 0", "uf", "uk, un")
        if self.tame and self.random.random() < 0.95:
            return self.one("0", "1", ":", "1:", "-1", "::-1", "m", "n64 - 1", "None", "...", "[0, 1]", "[-1]", ":k")
        simple = lambda: self.one("0", "1", "2", "-1", "-3", "3", "99", "300", ":", "1:", ":2", "::-1", "k", "m", "n64")
        odd = lambda: self.one(
            "t", "b", "c", "[0, 1]", "[0, 5]", "None", "...", "r", "'p'", "f64", "b > 1", "a > 2", "l"
        )
        return self.one(
            simple,
            simple,
            odd,
            lambda: f"{simple()}, {simple()}",
            lambda: f"{odd()}, {simple()}",
            lambda: f"{simple()}, {odd()}",
            lambda: f"{simple()}, {simple()}, {simple()}",
            lambda: f"{odd()}, {odd()}",
        )

    def expression(self, depth: int = 2) -> str:
        x = lambda: self.operand(depth)
        axis = lambda: self.one("uk", "un", "ua") if self.partly and self.random.random() < 0.3 else self.one(*AXES)
        if self.tame and self.random.random() < 0.93:
            return self.mild(x, axis)
        return self.one(
            lambda: f"({x()} {self.one('+', '-', '*', '/', '//', '%', '**', '@', '&', '|', '<<')} {x()})",
            lambda: f"({x()} {self.one('<', '==', '>=', '!=', 'in')} {x()})",
            lambda: f"({x()} {self.one('+', '-', '*', '/')} {x()})",
            lambda: f"{self.one('-', '~', '+')}{self.name()}",
            lambda: f"{self.name()}[{self.index()}]",
            lambda: f"{self.name()}[{self.index()}]",
            lambda: f"{x()}.{self.one('shape', 'T', 'dtype', 'size', 'ndim', 'real', 'nope', 'append', 'columns')}",
            lambda: f"{self.name()}.shape[{self.one('0', '1', '-1', '2')}]",
            lambda: f"np.{self.one(*REDUCTIONS)}({x()})",
            lambda: f"np.{self.one(*REDUCTIONS)}({x()}, axis={axis()})",
            lambda: f"{self.name()}.{self.one(*METHODS)}({self.one('', 'axis=' + axis(), axis())})",
            lambda: f"np.{self.one(*UFUNCS)}({x()})",
            lambda: f"np.{self.one(*JOINS)}([{x()}, {x()}])",
            lambda: f"np.concatenate(({x()}, {x()}), axis={axis()})",
            lambda: f"{self.name()}.reshape({self.one(*SHAPES)})",
            lambda: f"np.reshape({x()}, {self.one(*SHAPES)})",
            lambda: f"{self.name()}.astype({self.one(*TYPES)})",
            lambda: f"np.array({x()})",
            lambda: f"np.array([{x()}, {x()}])",
            lambda: f"np.asarray({x()}, dtype={self.one(*TYPES)})",
            lambda: (
                f"np.{self.one('zeros', 'ones', 'empty')}({self.one(*SHAPES, 'a.shape', 'len(b)', '2, 3', 'r', 'n64', '(300, 300)')})"
            ),
            lambda: f"np.full({self.one(*SHAPES)}, {x()})",
            lambda: (
                f"np.{self.one('zeros_like', 'ones_like', 'copy', 'ravel', 'transpose', 'squeeze', 'unique', 'sort')}({x()})"
            ),
            lambda: (
                f"np.arange({self.one('3', '1, 5', 'k', 'r', '0, 1, 0.25', 'name', '1, 5, 0', '30000', 'n64', 'b')})"
            ),
            lambda: f"np.linspace({self.one('0, 1', '0, 1, 5', '0, 1, r', 'a, b', '0, 1, -3', '0, 1, 30000')})",
            lambda: f"np.{self.one('dot', 'matmul', 'outer', 'inner', 'vdot', 'cross', 'kron')}({x()}, {x()})",
            lambda: f"{self.name()}.dot({x()})",
            lambda: f"np.where({x()} > {self.number()}, {x()}, {x()})",
            lambda: f"np.where({self.name()} > 1)[0]",
            lambda: f"np.nonzero({self.name()})[{self.one('0', '1', '2')}]",
            lambda: f"np.expand_dims({x()}, {axis()})",
            lambda: f"np.{self.one('swapaxes', 'moveaxis', 'rollaxis')}({self.name()}, {axis()}, {axis()})",
            lambda: (
                f"np.{self.one('split', 'array_split', 'hsplit', 'vsplit')}({self.name()}, {self.one('2', '3', '7', '[1]', 'r', '0')})"
            ),
            lambda: (
                f"np.{self.one('tile', 'repeat', 'roll', 'flip', 'diff', 'delete')}({x()}, {self.one('2', '0', '1', '(2, 1)', '-1', 'r')})"
            ),
            lambda: f"np.append({x()}, {x()})",
            lambda: f"np.insert({self.name()}, {self.one('0', '9', 'r')}, {self.number()})",
            lambda: f"np.clip({x()}, {self.number()}, {self.number()})",
            lambda: f"np.linalg.{self.one('inv', 'det', 'norm', 'eigvals', 'pinv', 'matrix_rank')}({x()})",
            lambda: f"np.linalg.solve({x()}, {x()})",
            lambda: (
                f"np.{self.one('percentile', 'quantile')}({x()}, {self.one('50', '0.5', '120', '[0.1, 0.9]', '-1')})"
            ),
            lambda: (
                f"np.{self.one('isin', 'searchsorted', 'setdiff1d', 'union1d', 'allclose', 'array_equal')}({x()}, {x()})"
            ),
            lambda: (
                f"np.{self.one('bincount', 'histogram', 'cov', 'corrcoef', 'meshgrid', 'atleast_2d', 'trace', 'diag')}({x()})"
            ),
            lambda: (
                f"np.{self.one('average', 'interp', 'polyfit', 'digitize', 'take', 'convolve')}({x()}, {x()}, {x()})"
            ),
            lambda: f"np.einsum('{self.one('ij,jk->ik', 'i,i', 'ij->j', 'ii')}', {x()}, {x()})",
            lambda: f"np.{self.one('float', 'int', 'bool', 'object', 'product', 'in1d', 'nope', 'trapz', 'NaN')}",
            lambda: f"np.{self.one('float64', 'int32', 'uint8', 'str_', 'bool_', 'datetime64')}({x()})",
            lambda: (
                f"{self.one('len', 'list', 'sum', 'max', 'min', 'int', 'float', 'bool', 'abs', 'sorted', 'range', 'tuple', 'set', 'any')}({x()})"
            ),
            lambda: f"round({x()}, {self.one('2', 'r')})",
            lambda: f"{self.one('l', 'name', 'w', '(1, 2)')}[{self.one(x, 'b[1]', 'n64', 'f64', 'c[:1]')}]",
            lambda: f"[0, 1] * {x()}",
            lambda: (
                f"{self.name()}.{self.one('tolist()', 'item()', 'item(0)', 'flatten()', 'ravel()', 'nonzero()', 'mean().item()')}"
            ),
            lambda: f"{self.name()}.tolist()[{self.one('0', '2', '9')}]",
            lambda: f"f'{{{self.name()}{self.one('', ':.2f', ':d', ':>5')}}}'",
            lambda: f"f'{{{x()}.mean():.2f}}'",
            lambda: f"'{self.one('{:.2f}', '{:d}', '{} {}', '{0[1]}')}'.format({x()})",
            lambda: f"'{self.one('%d', '%s', '%.2f', '%s %s')}' % {x()}",
            lambda: f"('n: ' + {x()})",
            lambda: f"isinstance({x()}, (np.ndarray, int))",
            lambda: f"list(zip({x()}, {x()}))[{self.one('0', '1', '7')}]",
            lambda: f"list(enumerate({x()}))",
            self.drawn,
            self.library,
        )

    def mild(self, x: Callable[[], str], axis: Callable[[], str]) -> str:
        """Return an expression that mostly runs."""
        return self.one(
            lambda: f"({x()} {self.one('+', '-', '*', '/', '//', '<', '==', '>=')} {x()})",
            lambda: f"({x()} {self.one('+', '-', '*', '/', '//', '<', '==', '>=')} {x()})",
            lambda: f"{self.name()}[{self.index()}]",
            lambda: f"{self.name()}[{self.name()} > {self.number()}]",
            lambda: f"np.{self.one('sum', 'mean', 'std', 'max', 'argmax', 'median', 'cumsum', 'any', 'sort')}({x()})",
            lambda: (
                f"{self.name()}.{self.one('sum', 'mean', 'max', 'min', 'argmin', 'cumsum')}(axis={self.one('0', '-1', 'None')})"
            ),
            lambda: f"np.{self.one('sqrt', 'exp', 'abs', 'sign', 'square', 'ravel', 'transpose', 'copy')}({x()})",
            lambda: (
                f"np.{self.one('vstack', 'hstack', 'stack')}([{self.one('a, a', 'a, q', 'b, b', 'x0, x0', 'view, f')}])"
            ),
            lambda: f"{self.name()}.reshape({self.one('-1', '-1, 1', '1, -1', '3, -1')})",
            lambda: f"{self.name()}.astype({self.one('int', 'float', 'np.float32', 'str', 'np.uint8')})",
            lambda: f"np.{self.one('zeros', 'ones')}({self.one('(2, 3)', '3', 'a.shape', '(2, 1)', '(300, 300)')})",
            lambda: f"np.{self.one('arange', 'eye')}({self.one('3', 'k', 'n64', 'len(b)')})",
            lambda: f"{self.name()}.T",
            lambda: f"{self.name()}.shape",
            lambda: f"np.where({self.name()} > {self.number()}, {x()}, {self.number()})",
            lambda: f"np.concatenate([{self.one('a, a', 'a, q', 'b, b', 'x0, x0', 'view, f')}])",
            lambda: f"np.dot({self.one('a, q', 'view, f', 'q, q', 'q, view')})",
            lambda: f"{self.one('len', 'list', 'sum', 'abs', 'tuple')}({self.name()})",
            lambda: f"{self.one('float', 'int', 'round', 'str', 'bool')}({self.name()}.mean())",
            lambda: f"f'{{{self.name()}.mean():.2f}}'",
            lambda: f"'{self.one('{}', '{:.2f}')}'.format({self.name()}.sum())",
            lambda: f"np.unique({self.name()})",
            lambda: f"np.random.rand({self.one('uk' if self.partly else '2', '2, 3', '3', '2, 1')})",
            lambda: f"rng.normal(size={self.one('(2, 3)', '3')})",
            lambda: f"np.expand_dims({self.name()}, 0)",
            lambda: f"np.random.permutation({self.name()})",
            lambda: f"{self.name()}.tolist()",
            lambda: f"[row + 1 for row in {self.name()}]",
        )

    def drawn(self) -> str:
        size = lambda: self.one("3", "(2, 3)", "(300, 100)", "-1", "r", "a.shape", "None", "n64")
        generator = self.one("np.random", "np.random", "rng", "old")
        return self.one(
            lambda: (
                f"np.random.rand({self.one('uk' if self.partly else '2', '', '3', '2, 3', '300, 100', 'r', '-1', '(2, 3)', 'n64')})"
            ),
            lambda: f"np.random.randn({self.one('', '3', '2, 3', '300, 300', 'r')})",
            lambda: f"np.random.randint({self.one('0, 5', '5, 1', '10', '0, 5, (2, 3)', '0', '0, 5, size=3', 'b')})",
            lambda: f"rng.integers({self.one('0, 5', '5, 1', '10', '0, 5, (2, 3)', '0')})",
            lambda: f"{generator}.choice({self.one('5', 'a', 'b', 'l', '0', 'r', '[]', 'name')}, {size()})",
            lambda: f"{generator}.choice({self.one('5', 'b', 'l')}, {self.one('2', '9')}, replace=False)",
            lambda: (
                f"{generator}.{self.one('normal', 'uniform')}({self.one('0, 1', '0, -1', 'a, 1', '0, 1, ' + size(), 'size=' + size())})"
            ),
            lambda: f"{generator}.permutation({self.one('5', 'a', 'b', 'big', 'l', 'r', 's')})",
            lambda: (
                f"random.{self.one('choice(l)', 'choice([])', 'sample(l, 5)', 'sample(l, 2)', 'randint(5, 1)', 'random()', 'choice(b)', 'uniform(1, 2)', 'choices(l, k=2)')}"
            ),
        )

    def library(self) -> str:
        x = lambda: self.operand(0)
        return self.one(
            lambda: f"math.{self.one('sqrt', 'log', 'floor', 'ceil', 'isnan', 'factorial', 'fabs')}({x()})",
            lambda: (
                f"statistics.{self.one('mean', 'median', 'stdev', 'mode')}({self.one('l', 'b', '[]', '[1]', 'name', 'w')})"
            ),
            lambda: (
                f"json.{self.one('dumps', 'loads')}({self.one(x, '{1: b}', 'name', repr('[1, 2]'), '{1, 2}', 'now', 'None')})"
            ),
            lambda: (
                f"re.{self.one('match', 'search', 'findall')}({self.one(repr('a'), repr('('), repr('(b)'), 'k')}, {self.one('name', x)})"
            ),
            lambda: f"re.{self.one('match', 'search')}('(b)', name).group({self.one('0', '1', '2', '')})",
            lambda: (
                f"(now {self.one('+', '-', '<', '==')} {self.one('now', 'datetime.timedelta(days=1)', 'k', 'name')})"
            ),
            lambda: (
                f"datetime.{self.one('datetime(2020, 13, 1)', 'date(2020, 1, 1)', 'datetime.now()', 'timedelta(days=k)')}{self.one('', '.year', '.days', '.strftime(name)', '.nope')}"
            ),
            lambda: (
                f"list(itertools.{self.one('product(l, name)', 'chain(l, w)', 'combinations(l, 2)', 'permutations(name)', 'chain(k)', 'combinations(l, -1)')})"
            ),
            lambda: self.one(
                "count['zz']",
                "count['a'] + 'b'",
                "count.most_common(1)[3]",
                "table['a'][3]",
                "table['zz'][0]",
                "len(table['q'])",
            ),
            lambda: (
                f"({self.one('time.time()', 'random.random()', 'f64')} {self.one('+', '-', '*', '/', '<')} {self.one(x, 'time.time()', 'name', '0')})"
            ),
            lambda: (
                f"collections.{self.one('Counter(l)', 'Counter(k)', 'deque(l)[9]', 'deque(l)[0]', 'OrderedDict(l)', 'Counter(w)', 'OrderedDict(x=1)[name]')}"
            ),
        )

    def statement(self) -> list[str]:
        x = self.expression
        if self.tame and self.random.random() < 0.6:
            return [f"{self.one('x0', 'x1', 'x2')} = {x()}"]
        target = self.one("v0", "v1", "v2") if not self.tame else self.one("x0", "x0", "x1", "x2")
        return self.random.choice(
            [
                lambda: [x()],
                lambda: [f"{target} = {x()}"],
                lambda: [f"{target} = {x()}"],
                lambda: [f"{target} = {x()}"],
                lambda: [f"{self.name()}[{self.index()}] = {self.operand(1)}"],
                lambda: [f"{self.name()} {self.one('+=', '-=', '*=', '/=', '//=', '@=', '&=')} {self.operand(1)}"],
                lambda: [f"{self.name()}[{self.index()}] += {self.number()}"],
                lambda: [
                    f"for {self.one('i', 'i, j', 'v2')} in {self.operand(1)}:",
                    f"    {self.one('i', 'j', 'v0')} + 1",
                ],
                lambda: [f"for i, row in enumerate({self.name()}):", f"    row[{self.one('0', '5', 'i')}]"],
                lambda: [f"if {x(1)}:", f"    {x(1)}"],
                lambda: [f"v0, v1 = {x(1)}"],
                lambda: [
                    f"{self.name()}.{self.one('sort()', 'fill(1)', 'sort(axis=3)', 'resize(2, 2)', 'fill(name)', 'itemset(0, 1)')}"
                ],
                lambda: [f"{self.one('np.random', 'rng', 'random')}.shuffle({self.one(self.name, 'l', 'name')})"],
                lambda: [f"np.random.seed({self.one('0', '-1', 'k', 'r', 'None', '')})"],
                lambda: [f"print({x(1)})"],
                lambda: [f"[{x(0)} for i in {self.name()}]"],
                lambda: [f"l.append({x(0)})", f"l[{self.one('0', '3', '4')}]"],
                lambda: [f"l[{self.one('0', '3', 'b', 'n64', 'name')}] = {x(0)}"],
                lambda: [
                    "name[0] = 'x'"
                    if self.random.random() < 0.2
                    else f"{target} = l[{self.one('0', 'n64', 'c', 'f64')}]"
                ],
                lambda: ["table[name].append(1)", f"len(table) + {x(0)}"],
            ]
        )()

    def program(self) -> str:
        """Return the cell."""
        lines = [line for _ in range(self.random.randint(1, 7 if self.tame else 4)) for line in self.statement()]
        return "\n".join([*(PARTLY if self.partly else ()), *lines])


def program(seed: int) -> Program:
    """Return the program of a seed."""
    return Program(SETUP, Arrays(seed).program())
