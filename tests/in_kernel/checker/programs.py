"""Random cells over small values: each is a setup and a target, grown from a seed.

The values, names and statements are chosen so that many cells crash, many run, and most do what the checker follows.
"""

import random
from typing import NamedTuple

PLAIN = """
n, m, z = 3, 1, 0
f = 2.5
s, t = 'abc', ''
l = [1, 2, 3]
e = []
w = [[1], [2, 3], 'x']
alias = l
u = (1, 'b', None)
d = {'a': 1, 'b': [1, 2], 1: 'one'}
dd = {'d': d, 'l': l}
st = {1, 2}
nothing = None
low = object()
high = object()
v0, v1, v2 = 1, [1, 2], 'ab'
def g(a, b=2): return a
def h(a, /, b, *, c): return b
def k(*args, **kwargs): return args
def changes(): global n, fresh; n, fresh = 'changed', 1
def appends(x): x.append(9)
class A:
    limit = 5
    def __init__(self, size): self.size = size
    def double(self): return self.size * 2
    @property
    def bad(self): raise KeyError('bad')
class B:
    __slots__ = ('x', 'y')
class C:
    def __getattr__(self, name): return 7
a = A(2)
b = B()
b.x = 1
c = C()
from types import SimpleNamespace
from dataclasses import dataclass
@dataclass
class P:
    p: int
    q: int = 1
import math, os, collections
dq = collections.deque([1])
de = collections.defaultdict(list)
"""

TABLES = """
import numpy as np, pandas as pd
df = pd.DataFrame({'x': [1, 2, 3], 'y': [1.5, 2.5, None], 's': ['p', 'q', 'r']})
d1 = pd.DataFrame({'x': [1], 'z': [2]})
dup = pd.DataFrame([[1, 2]], columns=['x', 'x'])
mi = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('x', 'a'), ('x', 'b')]))
ints = pd.DataFrame([[1, 2, 3]], columns=[1, 2, 5])
rng = pd.DataFrame([[1, 2, 3]])
cat = pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(['x', 'y']))
iv = pd.DataFrame([[1, 2]], columns=pd.interval_range(0, 2))
nan = pd.DataFrame([[1, 2]], columns=['x', float('nan')])
dt = pd.DataFrame([[1, 2]], columns=pd.to_datetime(['2020-01-01', '2020-01-02']))
tup = pd.DataFrame([[1, 2]], columns=pd.Index([('a', 1), 'x'], tupleize_cols=False))
bools = pd.DataFrame([[1, 2]], columns=[True, False])
empty = pd.DataFrame()
named = df.set_index('s')
class Sub(pd.DataFrame): pass
sub = Sub({'x': [1]})
sr = df['x']
arr = np.arange(6).reshape(2, 3)
vec = np.array([1.0, 2.0])
zero = np.array(5)
cols = ['x', 'y']
key = 'x'
n, i = 1, 0
v0 = v1 = df
low = object()
high = object()
"""

SHADOWS = (
    "print = 3",
    "list = [1, 2]",
    "len = lambda x: 0",
    "KeyError = ValueError",
    "LookupError = OSError",
    "range = str",
    "dict = {'a': 1}",
    "sum = 4",
    "from math import *",
    "it = iter([1, 2])\ngen = (x for x in [1])\nzz = zip([1], [2])",
    "import builtins\nbuiltins.sorted = lambda *x: []",
    "everything = globals()\nhistory = In",
    "import sys, io\nsys.stdout = io.StringIO()",
    "str = lambda x: x",
    "IndexError = KeyError = Exception",
    "class int(float): pass",
)

FRAME_SHADOWS = (
    "df.copy = lambda: 5",
    "pd.DataFrame.head = lambda self, n=5: None",
    "pd.DataFrame.__getitem__ = lambda self, key: 5",
    "pd.DataFrame.extra = 1",
    "pd.DataFrame.drop = lambda self, *a, **k: self",
    "view = df[['x', 'y']]\nhead = df.head(2)",
    "df.attrs['x'] = 1\ndf.flags.allows_duplicate_labels = False",
    "df.index.name = 'w'",
    "both = df\nother = df.copy()",
)


class Program(NamedTuple):
    """A setup cell, and the cell that is asked about."""

    setup: str
    cell: str


class _Grower:
    names: tuple[str, ...] = ()

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fresh = ["v0", "v1", "v2"]

    def one_of(self, *choices: object) -> str:
        choice = self.random.choice(choices)
        return choice() if callable(choice) else str(choice)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def indented(self, lines: list[str]) -> list[str]:
        return ["    " + line for line in lines]

    def block(self, depth: int, most: int = 2) -> list[str]:
        return self.indented([line for _ in range(self.random.randint(1, most)) for line in self.statement(depth - 1)])

    def statement(self, depth: int) -> list[str]:
        raise NotImplementedError

    def program(self, most: int = 5) -> str:
        return "\n".join(line for _ in range(self.random.randint(1, most)) for line in self.statement(2))


class Plain(_Grower):
    """Cells over built-in values, functions and classes."""

    names = ("n", "m", "z", "f", "s", "t", "l", "e", "w", "alias", "u", "d", "dd", "st", "nothing", "a", "b", "c")

    def name(self) -> str:
        if self.chance(0.02):
            return self.one_of("missing", "fresh", "_", "_3", "__file__", "In", "it", "gen", "zz", "everything", "dq")
        return self.one_of(*self.fresh) if self.chance(0.25) else self.one_of(*self.names)

    def target(self) -> str:
        return self.one_of(*self.fresh) if self.chance(0.7) else self.one_of(*self.names)

    def atom(self) -> str:
        literals = ("0", "1", "2", "-1", "3", "2.0", "'a'", "'b'", "''", "'x'", "None", "True", "[]", "(1, 2)", "{}")
        return self.name() if self.chance(0.6) else self.one_of(*literals)

    def expression(self, depth: int = 2) -> str:
        if depth <= 0 or self.chance(0.15):
            return self.atom()
        e = lambda: self.expression(depth - 1)  # noqa: E731
        join = self.one_of(" ", " ", " ", "\n")
        kinds = [
            lambda: f"({e()}{join}{self.one_of('+', '-', '*', '/', '//', '%', '|', '&')} {e()})",
            lambda: f"({e()}{join}{self.one_of('<', '==', '!=', '>=', 'in', 'not in', 'is', 'is not')} {e()})",
            lambda: f"({e()} < {e()} <= {e()})",
            lambda: f"({e()}{join}{self.one_of('and', 'or')} {e()})",
            lambda: f"({e()} if {self.condition()} else{join}{e()})",
            lambda: f"(not {e()})",
            lambda: f"{self.one_of('l', 'w', 'u', 's', 'd', 'dd', 'e', 'v0', 'v1')}[{self.subscript()}]",
            lambda: f"{self.one_of('l', 'w', 'u', 's', 'd', 'v0')}[{self.one_of('', '0', '1', '-1')}:{self.atom()}]",
            lambda: f"({self.one_of('d', 'dd', 'l', 'v0')}{join}[{self.subscript()}])",
            lambda: f"{self.one_of('a', 'b', 'c', 'A', 'P', 's', 'l', 'math', 'os', 'v0')}.{self.attribute()}",
            lambda: f"({self.one_of('a', 'b', 's', 'math')}{join}.{self.attribute()})",
            lambda: self.call(depth, join),
            lambda: self.call(depth, join),
            lambda: self.method(depth, join),
            lambda: self.method(depth, join),
            lambda: self.comprehension(depth),
            lambda: f"[{e()}, {join}{e()}]",
            lambda: f"({e()}, {e()})",
            lambda: f"[*{e()}, {e()}]",
            lambda: (
                f"{{{self.one_of(chr(39) + 'a' + chr(39), '1', 's')}: {e()}, {join}**{self.one_of('d', '{}', 'v0')}}}"
            ),
            lambda: f"{{{e()}, {e()}}}",
            lambda: f"f'{{{self.flat()}}}{self.one_of('', '{n:>3}', '{f:.1f}', '{s:d}', '{l!r}')}'",
            lambda: f"({self.one_of(*self.fresh)} := {e()})",
            lambda: f"(lambda q={self.atom()}: {e()})",
        ]
        return self.random.choice(kinds)()

    def flat(self) -> str:
        return self.one_of("n", "s", "v0", "l", "nothing", "f", "missing_", "a", "st", "n + 1", "l[0]", "u[1]")

    def condition(self) -> str:
        return self.one_of("low is high", "nothing is None", "n", "e", "t", "n in l", "v0", "len(l) > 2", "a is c", "m")

    def subscript(self) -> str:
        return self.one_of(
            "0", "1", "-1", "2", "5", "'a'", "'b'", "'q'", "n", "m", "s", "v0", "None", "()", "::0", "[]"
        )

    def attribute(self) -> str:
        return self.one_of(
            "size",
            "limit",
            "double",
            "bad",
            "x",
            "y",
            "zz",
            "pi",
            "path",
            "upper",
            "append",
            "p",
            "q",
            "sep",
            "__name__",
        )

    def call(self, depth: int, join: str) -> str:
        e = lambda: self.expression(depth - 1)  # noqa: E731
        kinds = [
            lambda: f"{self.one_of('len', 'str', 'int', 'sorted', 'list', 'tuple', 'sum', 'max', 'set')}({join}{e()})",
            lambda: f"{self.one_of('bool', 'reversed', 'enumerate', 'dict', 'range', 'abs', 'print', 'float')}({e()})",
            lambda: f"{self.one_of('zip', 'enumerate', 'isinstance', 'max', 'round', 'divmod', 'range')}({e()}, {e()})",
            lambda: f"isinstance({e()}, {self.one_of('int', '(int, str)', 'A', 'list', 'dict')})",
            lambda: f"{self.one_of('g', 'h', 'k', 'A', 'P', 'a.double', 'B', 'math.sqrt')}({self.arguments(depth)})",
            lambda: f"print({e()}, {join}{e()})",
            lambda: f"{self.one_of('changes', 'g', 'n', 's', 'l', 'A')}()",
            lambda: f"appends({self.one_of('l', 'e', 'w', 'd', 'v0')})",
            lambda: f"print({self.one_of('sep', 'end', 'foo')}={self.atom()})",
        ]
        return self.random.choice(kinds)()

    def arguments(self, depth: int) -> str:
        parts = [self.atom() for _ in range(self.random.randint(0, 3))]
        if self.chance(0.4):
            parts.append(f"{self.one_of('a', 'b', 'c', 'zz')}={self.atom()}")
        if self.chance(0.15):
            parts.insert(0, f"*{self.one_of('l', 'u', 'e', 's')}")
        if self.chance(0.15):
            parts.append(f"**{self.one_of('d', '{}', chr(123) + chr(39) + 'b' + chr(39) + ': 1}')}")
        return self.one_of(", ", ",\n").join(parts)

    def method(self, depth: int, join: str) -> str:
        e = lambda: self.expression(depth - 1)  # noqa: E731
        dot = "." if join == " " else "\n."
        whole = self.random.choice(
            [
                lambda: f"l{dot}{self.one_of('append', 'extend', 'remove', 'index', 'count')}({e()})",
                lambda: f"{self.one_of('l', 'e', 'w', 'v0', 'alias')}{dot}pop({self.one_of('', '0', '5', 's')})",
                lambda: f"{self.one_of('l', 'w', 'v0')}{dot}{self.one_of('sort', 'reverse', 'clear', 'copy')}()",
                lambda: f"l{dot}insert({e()}, {e()})",
                lambda: f"{self.one_of('d', 'dd', 'v0')}{dot}{self.one_of('items', 'keys', 'values', 'copy')}()",
                lambda: f"{self.one_of('d', 'dd', 'v0')}{dot}{self.one_of('get', 'pop', 'setdefault')}({e()})",
                lambda: f"d{dot}update({self.one_of('d', 'dd', '{1: 2}', 'l', 'v0')})",
                lambda: f"st{dot}{self.one_of('add', 'discard', 'remove', 'update', 'union')}({e()})",
                lambda: f"s{dot}{self.one_of('index', 'count', 'split', 'join', 'startswith', 'find')}({e()})",
                lambda: f"{self.one_of('s', 'v0')}{dot}{self.one_of('upper', 'strip', 'split', 'foo', 'format')}()",
                lambda: f"a{dot}{self.one_of('double', 'size', 'foo', 'bad')}({self.arguments(depth)})",
            ]
        )()
        return f"({whole})"

    def comprehension(self, depth: int) -> str:
        e = lambda: self.expression(depth - 1)  # noqa: E731
        result = self.one_of("i", "i", "d[i]", "l[i]", "i + 1", "l.pop()", e)
        source = self.one_of("l", "w", "range(3)", "d", "d.items()", "enumerate(l)", "zip(l, s)", "s", e)
        ifs = "".join(
            f" if {self.one_of('i', 'i in d', 'd[i]', 'n', 'low is i', 'i > 1')}" for _ in range(2) if self.chance(0.3)
        )
        more = f" for j in {self.one_of('i', 'l', 'range(2)')}" if self.chance(0.2) else ""
        left, right = self.one_of("[]", "[]", "{}", "()")
        return f"{left}{result}{self.one_of(' ', chr(10))}for i in {source}{ifs}{more}{right}"

    def statement(self, depth: int) -> list[str]:
        e = self.expression
        simple = [
            lambda: [f"{self.target()} = {e()}"],
            lambda: [f"{self.target()} = {e()}"],
            lambda: [e()],
            lambda: [f"{self.target()}, {self.target()} = {e()}"],
            lambda: [f"{self.target()}, *{self.target()} = {e()}"],
            lambda: [f"{self.target()} = {self.target()} = {e()}"],
            lambda: [f"{self.target()} {self.one_of('+', '-', '*', '|')}= {e()}"],
            lambda: [f"{self.one_of('l', 'd', 'dd', 'v0', 'w')}[{self.subscript()}] = {e()}"],
            lambda: [f"{self.one_of('l', 'd', 'v0')}[{self.subscript()}] += {self.atom()}"],
            lambda: [f"a.{self.attribute()} = {e()}"],
            lambda: [f"del {self.one_of(self.name, 'print', 'len')}"],
            lambda: [f"del {self.one_of('l', 'd', 'u', 'v0', 's')}[{self.subscript()}]"],
            lambda: [f"assert {self.condition()}, {self.atom()}"],
            lambda: [f"raise {self.one_of('ValueError(s)', 'KeyError(n)', 'OSError', 'OSError(2, s)', 'n', 'A(1)')}"],
            lambda: [
                f"from {self.one_of('math', 'os', 'os.path', 'types')} import {self.one_of('pi', 'sep', 'zz', '*')}"
            ],
            lambda: [f"import {self.one_of('math', 'os.path', 'os.path as v0', 'json', 'nowhere_')}"],
            lambda: [f"{self.target()}: {self.one_of('int', 'missing', 'list[int]')} = {e()}"],
            lambda: ["pass"],
            lambda: ["global n, v0"],
        ]
        if depth <= 0:
            return self.random.choice(simple)()
        compound = [
            lambda: [f"if {self.one_of(self.condition, e)}:", *self.block(depth), *self.otherwise(depth)],
            lambda: [f"if {self.condition()}:", *self.block(depth), *self.otherwise(depth)],
            lambda: [
                f"for {self.one_of('i', 'v0', 'i, j')} in {self.source()}:",
                *self.loop(depth),
                *self.otherwise(depth),
            ],
            lambda: [f"for i in {self.source()}:", *self.loop(depth), *self.otherwise(depth)],
            lambda: [f"while {self.one_of('z', 'e and e.pop()', 'False')}:", *self.loop(depth), *self.otherwise(depth)],
            lambda: ["try:", *self.block(depth), *self.handlers(depth)],
            lambda: ["try:", *self.block(depth), *self.handlers(depth)],
            lambda: [
                f"def {self.one_of('g', 'v0')}(q={self.atom()}{self.one_of('', ': missing', ': int')}):",
                *self.block(depth),
            ],
            lambda: ["class V:", *self.block(depth)],
            lambda: ["class V:", "    def m(self): missing"],
            lambda: ["with open(os.devnull) as v0:", *self.block(depth)],
            lambda: ["import contextlib", "with contextlib.suppress(Exception):", *self.block(depth)],
        ]
        return self.random.choice(simple if self.chance(0.6) else compound)()

    def otherwise(self, depth: int) -> list[str]:
        return ["else:", *self.block(depth)] if self.chance(0.3) else []

    def source(self) -> str:
        return self.one_of(
            "l", "w", "s", "d", "d.items()", "d.values()", "range(3)", "enumerate(l)", "zip(l, w)", "e", "v0", "st",
            "reversed(l)", "u", "list(d)", "sorted(l)", "dd['l']", "range(n)", "it", self.expression,
        )  # fmt: skip

    def loop(self, depth: int) -> list[str]:
        lines = self.block(depth)
        if self.chance(0.3):
            lines += [f"    if {self.one_of('i', 'n', 'low is i')}: {self.one_of('break', 'continue')}"]
        if self.chance(0.15):
            lines += [f"    {self.one_of('break', 'continue', 'l.append(i) if len(l) < 9 else 0', 'd.pop(i)')}"]
        return lines

    def handlers(self, depth: int) -> list[str]:
        lines = []
        for _ in range(self.random.randint(0, 2)):
            kind = self.one_of(
                "KeyError", "(IndexError, TypeError)", "LookupError", "NameError", "Exception", "missing"
            )
            lines += [f"except {kind}{self.one_of('', ' as v1')}:", *self.block(depth)]
        if lines and self.chance(0.3):
            lines += ["else:", *self.block(depth)]
        if not lines or self.chance(0.3):
            lines += ["finally:", *self.block(depth)]
        return lines


class Tables(Plain):
    """Cells over DataFrames and arrays."""

    frames = (
        "df", "df", "df", "d1", "dup", "mi", "ints", "rng", "cat", "iv", "nan", "dt", "tup", "bools", "empty", "named", "sub",
        "v0", "v0", "view", "both",
    )  # fmt: skip
    names = ("df", "d1", "sr", "arr", "vec", "cols", "key", "n", "i")

    def label(self) -> str:
        return self.one_of(
            "'x'",
            "'x'",
            "'y'",
            "'z'",
            "'q'",
            "'Q'",
            "key",
            "0",
            "1",
            "5",
            "7",
            "True",
            "None",
            "1.5",
            "('x', 'a')",
            "'w'",
        )

    def labels(self) -> str:
        return self.one_of(
            "cols", "['x']", "['x', 'q']", "['q', 'w']", "[]", "['x', 'x']", "[True]", "[1]", "[1, 2]", "[0]", "('x', 'y')",
            "[key, 'y']", "['x', 1]", self.label,
        )  # fmt: skip

    def frame(self, depth: int = 1) -> str:
        frame = self.one_of(*self.frames)
        if depth <= 0 or self.chance(0.5):
            return frame
        inner = self.frame(depth - 1)
        dot = self.one_of(".", ".", "\n.")
        return self.one_of(
            lambda: (
                f"({inner}{dot}{self.one_of('copy', 'head', 'tail')}({self.one_of('', '', '2', '1, 2', 'deep=True')}))"
            ),
            lambda: (
                f"({inner}{dot}drop({self.one_of('columns=', 'columns=', '', 'labels=')}{self.labels()}"
                f"{self.one_of('', '', ', axis=1', ', 1', ', inplace=True', ', errors=' + repr('ignore'), ', axis=' + repr('columns'))}))"
            ),
            lambda: f"{inner}[{self.labels()}]",
            lambda: f"({inner}{dot}rename(columns={{'x': 'X'}}))",
            lambda: (
                f"({inner}{dot}{self.one_of('groupby', 'set_index', 'sort_values')}({self.one_of('', 'by=', 'keys=')}{self.label()}))"
            ),
        )

    def expression(self, depth: int = 2) -> str:
        frame = self.frame(2)
        return self.one_of(
            frame,
            lambda: f"{frame}[{self.label()}]",
            lambda: f"{frame}[{self.labels()}]",
            lambda: (
                f"{frame}.{self.one_of('x', 'q', 'columns', 'shape', 'index', 'dtypes', 'size', 'zz', 'T', 'values')}"
            ),
            lambda: f"{frame}.columns{self.one_of('', '.tolist()', '[0]', '[9]', '.foo')}",
            lambda: (
                f"{frame}[{self.label()}].{self.one_of('mean', 'sum', 'max', 'std', 'median', 'count', 'nunique')}()"
            ),
            lambda: f"len({frame})",
            lambda: f"{frame}.shape[{self.one_of('0', '1', '2')}]",
            lambda: f"{self.one_of('arr', 'vec', 'zero')}[{self.index()}]",
            lambda: (
                f"{self.one_of('arr', 'vec', 'zero')}.{self.one_of('shape', 'T', 'foo', 'dtype', 'sum()', 'shape[1]')}"
            ),
            lambda: f"print({frame}.shape, {self.atom()})",
            lambda: f"[{frame}[c] for c in {self.one_of('cols', frame + '.columns', '[key]')}]",
            lambda: f"{self.label()} in {frame}.columns",
            lambda: f"({frame}\n[{self.label()}])",
        )

    def index(self) -> str:
        return self.one_of(
            "0",
            "1",
            "2",
            "-2",
            "-3",
            "5",
            "0, 1",
            "1, 5",
            "0, 0, 0",
            ":, 1",
            ":, 9",
            "::0",
            "None",
            "...",
            "'x'",
            "True",
            "[9]",
            "1:9",
            "n",
            "i",
            "()",
            "0, None",
        )

    def statement(self, depth: int) -> list[str]:
        if depth > 0 and self.chance(0.3):
            body = self.block(depth)
            return self.one_of(
                lambda: "\n".join([f"if {self.one_of('low is high', 'n', 'i', 'len(df) > 2')}:", *body]),
                lambda: "\n".join([f"for c in {self.one_of('cols', 'range(2)', '[key]')}:", *body]),
                lambda: "\n".join(["try:", *body, *self.handlers(depth)]),
            ).split("\n")
        frame = self.one_of(*self.frames)
        return [
            self.one_of(
                lambda: f"v0 = {self.expression()}",
                lambda: f"{self.one_of('df', 'v1', 'd1')} = {self.expression()}",
                self.expression,
                lambda: f"{frame}[{self.label()}] = {self.one_of('1', repr('a'), 'None', '[1, 2]', self.expression)}",
                lambda: f"{frame}[{self.one_of('key', repr('new'), repr('q'))}] = {self.one_of('1', '0.5', 'n')}",
                lambda: f"{frame}[{self.labels()}] = 1",
                lambda: f"del {frame}[{self.label()}]",
                lambda: f"{frame}.{self.one_of('x', 'columns', 'zz')} = {self.one_of('1', 'cols', '[1]')}",
                lambda: f"{frame}.drop({self.labels()}, axis=1, inplace=True)",
                lambda: f"{frame}.{self.one_of('pop', 'insert')}({self.label()})",
                lambda: f"arr[{self.index()}] = 1",
                lambda: f"key = {self.label()}",
            )
        ]


def program(seed: int) -> Program:
    """Return the program of a seed."""
    if seed % 3 == 2:
        tables = Tables(seed)
        extra = tables.one_of(*FRAME_SHADOWS) if tables.chance(0.3) else ""
        return Program(TABLES + extra, tables.program())
    plain = Plain(seed)
    extra = plain.one_of(*SHADOWS) if plain.chance(0.3) else ""
    return Program(PLAIN + extra, plain.program())
