"""Random functions of one value, handed to `Series.apply` and `Series.map`, and loops: each a setup and a target."""

import random

from programs import Program

SETUP = """
import pandas as pd, numpy as np
n = 400
s = pd.Series(['%d-%02d' % (2000 + i % 7, i % 12) for i in range(n)])
holes = pd.Series([None if i % 97 == 96 else 'a b c'[: i % 6] for i in range(n)])
nans = pd.Series([np.nan if i == 333 else i / 4 for i in range(n)])
whole = pd.Series(range(n))
mixed = pd.Series([i if i % 50 else str(i) for i in range(n)])
texts = pd.Series(['x%d' % i for i in range(n)], dtype=object)
flags = whole > 5
kinds = s.astype('category')
dates = pd.Series(pd.date_range('2020', periods=n))
short = pd.Series(['1', '2', 'x'])
table = {'a': 1, '2000': 2, 3: 'c'}
words, limit = ['a', 'b'], 3
def year(v):
    part = v.split('-')[0]
    if part == '2003':
        return None
    return int(part)
def cut(v):
    "Cut it."
    if isinstance(v, str):
        w = v.strip()
        return w[0] if len(w) > limit else w
    elif v is None:
        return
    return round(v, 1)
def other(v, by=2): return v * by
str_ = str
"""
SERIES = "s s holes nans whole mixed texts flags kinds dates short s.head(50) whole[whole>3] holes.dropna()".split()
FUNCTIONS = ["year", "cut", "other", "str", "len", "lambda v: other(v)", "lambda v, w=1: v"]
ATOMS = ["v", "v", "v", "v", "1", "'a'", "0", "limit", "None", "words", "table", "n", "2.5", "True", "''", "-1"]
METHODS = (
    "split('-') split() strip() lower() upper() replace('a','b') startswith('x') count('a') index('b') join(words) "
    "title() isdigit() get('a') zfill(3) format(1) encode() foo()"
).split()
AFTER = [
    "",
    "",
    ".astype(int)",
    ".astype(float)",
    ".str.upper()",
    " + 1",
    ".sum()",
    ".foo",
    "[9999]",
    ".max()",
    " + 'a'",
]


class Grower:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def expression(self, depth: int) -> str:
        if depth == 0 or self.rng.random() < 0.15:
            return self.rng.choice(ATOMS)
        one, two = self.expression(depth - 1), self.expression(depth - 1)
        shapes = [
            f"str({one})",
            f"int({one})",
            f"float({one})",
            f"len({one})",
            f"{self.rng.choice(['bool', 'abs', 'list', 'sorted', 'sum', 'max', 'min', 'round', 'str_'])}({one})",
            f"({one} {self.rng.choice(['+', '-', '*', '/', '//', '%', '**', '|'])} {two})",
            f"({one} {self.rng.choice(['==', '!=', '<', '>=', 'in', 'not in', 'is', 'is not'])} {two})",
            f"({one}).{self.rng.choice(METHODS)}",
            f"({one}).{self.rng.choice(METHODS)}",
            f"({one})[{self.rng.choice(['0', '-1', '1:', ':3', '::2', 'v', repr('a'), 'limit'])}]",
            f"({one} if {two} else {self.expression(depth - 1)})",
            f"({one} {self.rng.choice(['and', 'or'])} {two})",
            f"(not {one})",
            f"(-{one})",
            f"isinstance({one}, {self.rng.choice(['str', 'int', '(int, float)', 'float', 'str_'])})",
            f"[w for w in ({one}) if {self.rng.choice(['w', 'w in words', 'w != v', 'v'])}]",
            f"' '.join([w for w in ({one}) if w])",
            "f'{v}-{limit}'",
            f"({one}, {two})",
        ]
        return self.rng.choice(shapes)

    def program(self) -> Program:
        function = (
            self.rng.choice(FUNCTIONS)
            if self.rng.random() < 0.2
            else f"lambda v: {self.expression(self.rng.choice([1, 2, 2, 3]))}"
        )
        method = self.rng.choice(["apply", "map"])
        call = f"{self.rng.choice(SERIES)}.{method}({function}){self.rng.choice(AFTER)}"
        if self.rng.random() < 0.2:
            # A loop around it, whose names are bound to one thing or another.
            start, rest = (
                self.rng.choice(["0", "s", "words", "None", "other"]),
                self.rng.choice(["x", "x[0]", "len(x)"]),
            )
            return Program(SETUP, f"x = {start}\nfor i in dates:\n  y = x\n  x = {call}\n{rest}\n{rest}.foo")
        return Program(SETUP, f"r = {call}\nr")


def program(seed: int) -> Program:
    """Return the program that grows from a seed."""
    return Grower(seed).program()
