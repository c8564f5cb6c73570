"""Random cells over frames and series: many crash, many run, most do what the checker follows."""

import random

from programs import Program

SETUP = """
import numpy as np, pandas as pd
df = pd.DataFrame({
    'x': [1, 2, 3, 4], 'y': [1.5, None, 2.5, 0.0], 's': ['a', 'b', None, 'a'], 'n': ['1', '2', '3', 'q'],
    'd': pd.to_datetime(['2020-01-01', '2020-02-01', '2021-01-01', None]), 'b': [True, False, True, True],
    'c': pd.Categorical(['u', 'v', 'u', 'u']), 't': ['2020-01-01', '2020-01-02', 'bad', '2020-01-04'],
})
d1 = pd.DataFrame({'x': [1, 2, 2], 'z': ['p', 'q', 'r'], 'y': [1, 2, 3]})
d2 = df.set_index('s')
d3 = df.set_index(['s', 'x'])
d4 = df[['x', 'y', 'b']]
dup = pd.DataFrame([[1, 2.5], [3, 4.5]], columns=['x', 'x'])
mi = pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([('x', 'a'), ('y', 'b')]))
ints = pd.DataFrame(np.arange(6).reshape(2, 3))
empty = pd.DataFrame()
by_date = df.dropna().set_index('d')
sr = df['x']
text = df['s']
idx = pd.Series([1.0, 2.0, 3.0], index=['a', 'b', 'x'])
arr = np.arange(4)
l4, l3 = [1, 2, 3, 4], [1, 2, 3]
key = 'x'
v0, v1, v2 = df, sr, 5
alias = df
both = df.copy()
"""

FRAMES = ("df", "d1", "d2", "d3", "d4", "dup", "mi", "ints", "empty", "by_date", "both", "alias")
SERIES = ("sr", "text", "idx", "df['x']", "df['y']", "df['s']", "df['n']", "df['d']", "df['b']", "df['c']", "df['t']")
COLUMNS = ("'x'", "'y'", "'s'", "'n'", "'d'", "'b'", "'c'", "'t'", "'z'", "'zz'", "0", "key")
SCALARS = ("0", "1", "2.5", "'a'", "None", "True", "np.nan", "-3", "'2020-01-01'", "len(df)", "df.shape[0]", "v2")
DTYPES = ("int", "float", "str", "'int64'", "'category'", "bool", "'datetime64[ns]'", "object", "'string'", "'Int64'")
REDUCTIONS = (
    *("sum", "mean", "min", "max", "std", "median", "count", "nunique", "any", "all", "idxmax", "idxmin", "var"),
    *("prod", "skew", "mode", "unique", "value_counts", "describe", "tolist", "to_list", "to_numpy"),
)
KEEPING = (
    *("isna()", "notna()", "copy()", "abs()", "cumsum()", "diff()", "shift(1)", "rank()", "round(1)", "fillna(0)"),
    *("ffill()", "bfill()", "dropna()", "drop_duplicates()", "duplicated()", "head(2)", "tail(1)", "sort_index()"),
    *("reset_index()", "reset_index(drop=True)", "astype(str)", "astype(float)", "astype('category')", "transpose()"),
    *("describe()", "nunique()", "count()", "mean(numeric_only=True)", "sample(2, random_state=1)", "sample(9)"),
    *(
        "sample(frac=0.5)",
        "pct_change()",
        "to_frame()",
        "add_prefix('p_')",
        "select_dtypes('number')",
        "infer_objects()",
    ),
    *("select_dtypes(include=['object'])", "convert_dtypes()", "interpolate()", "clip(0, 2)", "replace('a', 1)"),
    *("where(df['b'])", "mask(df['b'], 0)", "equals(df)", "memory_usage()", "squeeze()", "stack()", "unstack()"),
    *("fillna(method='ffill')", "append(df)", "iteritems()", "applymap(str)", "apply(len)", "map(str)", "agg('sum')"),
    *("transform('cumsum')", "rename_axis('w')", "corr()", "cov()", "melt()", "explode('x')", "nlargest(2, 'x')"),
)
TEXTS = (
    *("upper()", "len()", "split('a')", "split(' ', expand=True)", "contains('a')", "replace('a', 'b')", "get(0)"),
    *("strip()", "startswith('a')", "cat(sep='-')", "zfill(3)", "extract('(a)')", "isnumeric()", "title()", "uper()"),
    *("slice(0, 1)", "findall('a')", "count('a')", "[0]", "join('-')", "pad(3)", "get_dummies()"),
)
DATES = ("year", "month", "day", "date", "hour", "dayofweek", "day_name()", "strftime('%Y')", "years", "normalize()")
ATTRIBUTES = (
    *("shape", "columns", "index", "dtypes", "values", "T", "size", "empty", "ndim", "x", "zz", "y", "dtype", "name"),
    *("is_unique", "hasnans", "loc", "iloc", "axes", "n"),
)


class Tables:
    """Cells over frames and series, grown from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.frames = list(FRAMES)
        self.series = list(SERIES)
        self.others = ["arr", "l4", "l3", "key", "v2"]

    def pick(self, *choices: object) -> str:
        choice = self.random.choice(choices)
        return choice() if callable(choice) else str(choice)

    def column(self) -> str:
        return self.pick(*COLUMNS)

    def columns(self) -> str:
        return f"[{', '.join(self.column() for _ in range(self.random.randint(1, 3)))}]"

    def scalar(self) -> str:
        return self.pick(*SCALARS)

    def flag(self) -> str:
        return self.pick("True", "False")

    def named(self) -> str:
        return self.pick(*self.frames, *["df"] * 6)

    def frame(self, depth: int = 1) -> str:
        if depth <= 0 or self.random.random() < 0.4:
            return self.named()
        inner = self.frame(depth - 1)
        return self.pick(
            lambda: f"{inner}[{self.columns()}]",
            lambda: f"{inner}[{self.mask(inner)}]",
            lambda: f"{inner}.{self.pick(*KEEPING)}",
            lambda: f"{inner}.{self.pick(*KEEPING)}",
            lambda: f"{inner}[{self.slice()}]",
            lambda: f"{inner}.drop(columns={self.pick(self.column, self.columns)})",
            lambda: f"{inner}.drop({self.pick(self.column, self.columns)}, axis={self.pick(0, 1)})",
            lambda: f"{inner}.drop({self.columns()}, axis=1, errors={self.pick(repr('ignore'), repr('raise'))})",
            lambda: f"{inner}.rename(columns={{{self.column()}: {self.column()}}})",
            lambda: f"{inner}.set_index({self.pick(self.column, self.columns)})",
            lambda: f"{inner}.sort_values({self.pick(self.column, self.columns)})",
            lambda: f"{inner}.sort_values(by={self.column()}, ascending={self.flag()})",
            lambda: f"{inner}.dropna(subset={self.columns()})",
            lambda: f"{inner}.drop_duplicates(subset={self.columns()})",
            lambda: f"{inner}.fillna({self.scalar()})",
            lambda: f"{inner}.astype({{{self.column()}: {self.pick(*DTYPES)}}})",
            lambda: f"{inner}.assign(w={self.pick(self.column, lambda: self.one(0), self.scalar)})",
            lambda: f"{inner}.merge({self.named()}, on={self.column()}, how={self.pick(*map(repr, HOW))})",
            lambda: f"{inner}.merge({self.named()})",
            lambda: f"pd.merge({inner}, {self.named()}, left_on={self.column()}, right_on={self.column()})",
            lambda: f"{inner}.join({self.named()}{self.pick('', ', rsuffix=repr(1)', ', how=' + repr('inner'))})",
            lambda: f"pd.concat([{inner}, {self.named()}]{self.pick('', ', axis=1', ', ignore_index=True')})",
            lambda: f"pd.get_dummies({inner}{self.pick('', lambda: ', columns=' + self.columns())})",
            lambda: f"{inner}.pivot_table(index={self.column()}, values={self.column()})",
            lambda: f"{inner}.pivot(index={self.column()}, columns={self.column()}, values={self.column()})",
            lambda: f"{inner}.melt(id_vars={self.columns()})",
            lambda: f"{self.groups(inner)}.{self.pick(*AGGREGATES)}",
            lambda: f"{self.groups(inner)}.agg({{{self.column()}: {self.pick(*map(repr, REDUCTIONS[:9]))}}})",
            lambda: f"{inner}.loc[:, {self.pick(self.column, self.columns)}]",
            lambda: f"{inner}.loc[{self.mask(inner)}, {self.columns()}]",
            lambda: f"{inner}.iloc[:, {self.pick(0, 1, 9, ':2', '[0, 1]', '[0, 8]', '-1')}]",
            lambda: f"{inner}.iloc[{self.pick(':2', '[0]', '1:', '[7]')}]",
            lambda: f"{inner} {self.pick('+', '*', '==', '-', '>')} {self.pick(self.scalar, self.named)}",
            lambda: (
                f"pd.DataFrame({{'x': {self.pick('l4', 'l3', 'arr', '1', 'sr', 'text')}, 'w': {self.pick('l4', 'arr', 'sr')}}})"
            ),
            lambda: (
                f"pd.DataFrame({self.pick('arr', 'arr.reshape(2, 2)', '[[1, 2], [3, 4]]')}, columns={self.columns()})"
            ),
            lambda: f"pd.crosstab({self.one(0)}, {self.one(0)})",
        )

    def groups(self, inner: str) -> str:
        by = self.pick(self.column, self.column, self.columns)
        return f"{inner}.groupby({by})" + self.pick("", "", lambda: f"[{self.column()}]", lambda: f"[{self.columns()}]")

    def one(self, depth: int = 1) -> str:
        """Return an expression for a series, mostly."""
        if depth <= 0 or self.random.random() < 0.25:
            return self.pick(*self.series)
        inner = self.one(depth - 1)
        return self.pick(
            lambda: f"{self.frame(1)}[{self.column()}]",
            lambda: f"{self.frame(1)}[{self.column()}]",
            lambda: f"{inner}.astype({self.pick(*DTYPES)})",
            lambda: f"{inner}.str.{self.pick(*TEXTS)}".replace(".[", "["),
            lambda: f"{inner}.dt.{self.pick(*DATES)}",
            lambda: f"{inner}.{self.pick(*KEEPING)}",
            lambda: f"{inner}.{self.pick(*REDUCTIONS)}()",
            lambda: (
                f"{inner} {self.pick('+', '-', '*', '/', '>', '==', '&', '|', '//', '%')} {self.pick(self.scalar, lambda: self.one(0))}"
            ),
            lambda: f"{inner}.map({self.pick('{1: 2}', 'str', 'len', 'int', 'abs')})",
            lambda: f"{inner}.apply({self.pick('str', 'len', 'int', 'float', 'np.sqrt')})",
            lambda: f"{inner}[{self.mask(inner)}]",
            lambda: f"{inner}[{self.pick(self.slice, 0, 9, repr('a'), '[0, 1]', '[0, 9]')}]",
            lambda: f"{inner}.iloc[{self.pick(0, -1, 9, ':2', '[0, 1]', 'v2')}]",
            lambda: f"{inner}.loc[{self.pick(0, 9, repr('a'), ':1', '[0, 1]', '[0, 9]')}]",
            lambda: f"{inner}.isin({self.pick('[1, 2]', 'sr', repr('a'), 'l3')})",
            lambda: f"{inner}.fillna({self.pick(self.scalar, lambda: inner + '.mean()')})",
            lambda: f"{inner}.replace({self.pick('{1: 9}', '1, 2', repr('a') + ', ' + repr('b'))})",
            lambda: f"pd.to_datetime({inner}{self.pick('', ', errors=' + repr('coerce'))})",
            lambda: f"pd.to_numeric({inner}{self.pick('', ', errors=' + repr('coerce'))})",
            lambda: f"pd.cut({inner}, {self.pick('2', '[0, 2, 9]', '[0, 2, 9], labels=' + repr(['a']))})",
            lambda: f"pd.qcut({inner}, 2)",
            lambda: f"{self.groups('df')}.{self.pick(*AGGREGATES)}",
            lambda: f"{self.groups('df')}.transform({self.pick(repr('mean'), repr('sum'), repr('cumsum'))})",
            lambda: f"-{inner}",
            lambda: f"~{inner}",
            lambda: f"{inner}.quantile({self.pick('0.5', '[0.1, 0.9]', '2')})",
            lambda: f"{inner}.corr({self.one(0)})",
            lambda: f"{self.frame(0)}.mean(axis=1)",
            lambda: f"{self.frame(0)}.isna().sum()",
            lambda: f"pd.Series({self.pick('l3', 'arr', '{1: 2}', '[1, None]', repr('a'))})",
            lambda: f"{self.frame(0)}.apply({self.pick('np.sum', 'sum', 'len', 'str')}{self.pick('', ', axis=1')})",
        )

    def slice(self) -> str:
        return self.pick(":2", "1:", ":", "0:9", "-1:", "::2", "'a':'b'")

    def mask(self, inner: str) -> str:
        return self.pick(
            lambda: f"{inner}[{self.column()}] {self.pick('>', '==', '<=', '!=')} {self.scalar()}",
            lambda: f"df['x'] > {self.scalar()}",
            lambda: "df['s'] == 'a'",
            lambda: f"(df['x'] > 1) {self.pick('&', '|', 'and')} (df['y'] < 2)",
            lambda: "df['x'] > 1 & df['y'] < 2",
            lambda: f"{inner}[{self.column()}].isna()",
            lambda: f"df['s'].str.contains('a'{self.pick('', ', na=False')})",
            lambda: "arr > 1",
            lambda: "[True, False, True, True]",
            lambda: "[True, False]",
        )

    def other(self) -> str:
        frame = self.frame(1)
        return self.pick(
            lambda: f"len({self.pick(lambda: frame, lambda: self.one(1))})",
            lambda: f"{frame}.{self.pick(*ATTRIBUTES)}",
            lambda: f"{self.one(1)}.{self.pick(*ATTRIBUTES)}",
            lambda: f"{frame}.shape[{self.pick(0, 1, 2)}]",
            lambda: (
                f"list({self.pick(frame, lambda: self.one(1), frame + '.columns', lambda: self.one(0) + '.unique()')})"
            ),
            lambda: f"{frame}.columns[{self.pick(0, 1, 20, ':2', '-1')}]",
            lambda: f"{frame}.columns.{self.pick('tolist()', 'get_loc(key)', 'difference([key])', 'isin([key])')}",
            lambda: f"{self.column()} in {self.pick(frame, frame + '.columns', 'sr', 'text.values')}",
            lambda: f"{frame}.loc[{self.pick(0, 9, repr('a'))}, {self.column()}]",
            lambda: f"{frame}.at[{self.pick(0, 9)}, {self.column()}]",
            lambda: f"{frame}.iloc[{self.pick(0, 9, -1)}, {self.pick(0, 1, 9)}]",
            lambda: f"{frame}.iloc[{self.pick(0, 9)}][{self.column()}]",
            lambda: f"{frame}.to_dict({self.pick('', repr('records'), repr('list'))})",
            lambda: f"{frame}[{self.columns()}].values",
            lambda: f"{frame}.values[{self.pick(0, 9, '0, 1', ':, 0', ':, 9')}]",
            lambda: f"{self.one(1)}.{self.pick(*REDUCTIONS)}()",
            lambda: f"{self.one(1)}.sum() + {self.scalar()}",
            lambda: f"not {self.one(1)}",
            lambda: f"bool({frame})",
            lambda: f"max({self.one(0)})",
            lambda: f"sum({self.one(0)})",
            lambda: f"float({self.one(0)})",
            lambda: f"f'{{{self.pick('df', 'v1', 'v2', 'len(df)')}}}'",
            lambda: f"[c for c in {frame}.columns if c != key]",
            lambda: f"{frame}.idxmax()",
            lambda: f"{frame}.groupby({self.column()}).ngroups",
            lambda: f"{frame}.groupby({self.column()}).get_group({self.pick(1, repr('a'), 9)})",
        )

    def statement(self) -> list[str]:
        return self.random.choice(
            [
                lambda: [f"{self.bound('frames')} = {self.frame(2)}"],
                lambda: [f"{self.bound('frames')} = {self.frame(2)}"],
                lambda: [f"{self.bound('series')} = {self.one(2)}"],
                lambda: [f"{self.bound('series')} = {self.one(2)}"],
                lambda: [f"{self.bound('others')} = {self.other()}"],
                lambda: [self.other()],
                lambda: [self.one(2)],
                lambda: [self.frame(2)],
                self.change,
                self.change,
                self.change,
                lambda: [f"if {self.one(1)} > {self.scalar()}:", "    v2 = 1"],
                lambda: [
                    f"for a in {self.pick('df.columns', 'sr', 'text', 'd1')}:",
                    f"    v2 = {self.pick('df[a]', 'a + 1', 'a')}",
                ],
                lambda: ["for i, row in df.iterrows():", f"    v2 = row[{self.column()}] {self.pick('+ 1', '')}"],
                lambda: ["for row in d1.itertuples():", f"    v2 = row.{self.pick('x', 'z', 'zz', 'Index')}"],
                lambda: [f"for name, g in df.groupby({self.column()}):", f"    v2 = g[{self.column()}]"],
                lambda: ["try:", f"    v2 = {self.one(1)}", "except KeyError:", "    v2 = 3"],
            ]
        )()

    def bound(self, kind: str) -> str:
        name = self.pick("v0", "v1", "v2", "w")
        for names in (self.frames, self.series, self.others):
            while name in names:
                names.remove(name)
        getattr(self, kind).extend([name] * 3)
        return name

    def change(self) -> list[str]:
        name = self.pick(*self.frames, "df", "df", "df")
        value = self.pick(
            self.scalar,
            lambda: self.one(1),
            lambda: self.one(1),
            "l4",
            "l3",
            "arr",
            "arr[:2]",
            "np.ones(4)",
            "np.random.rand(4)",
            "np.random.rand(3)",
        )
        return self.random.choice(
            [
                lambda: [f"{name}[{self.column()}] = {value}"],
                lambda: [f"{name}[{self.column()}] = {value}"],
                lambda: [f"{name}[{self.columns()}] = {self.pick(self.scalar, lambda: self.frame(1))}"],
                lambda: [f"{name}.loc[{self.pick(0, 9, ':', ':1')}, {self.column()}] = {value}"],
                lambda: [f"{name}.loc[{self.mask(name)}, {self.column()}] = {self.scalar()}"],
                lambda: [f"{name}.iloc[{self.pick(0, 9, ':2')}, {self.pick(0, 1, 9)}] = {self.scalar()}"],
                lambda: [f"{name}.at[{self.pick(0, 9)}, {self.column()}] = {self.scalar()}"],
                lambda: [f"{name}[{self.column()}][{self.pick(0, 9)}] = {self.scalar()}"],
                lambda: [f"del {name}[{self.column()}]"],
                lambda: [f"{name}.drop(columns={self.columns()}, inplace=True)"],
                lambda: [f"{name}.{self.pick(*INPLACE)}"],
                lambda: [f"{name}[{self.column()}].{self.pick(*INPLACE)}"],
                lambda: [f"{name}.rename(columns={{{self.column()}: {self.column()}}}, inplace=True)"],
                lambda: [f"{name}.columns = {self.pick(self.columns, name + '.columns.str.upper()', 'l4')}"],
                lambda: [f"{name}.index = {self.pick('l4', 'l3', 'range(4)', 'arr')}"],
                lambda: [f"{name}.index.name = 'zz'"],
                lambda: [f"{name}.x = {value}"],
                lambda: [f"{name}.pop({self.column()})"],
                lambda: [f"{name}.insert(0, {self.column()}, {value})"],
                lambda: [f"{name}[{self.column()}] {self.pick('+=', '*=', '-=')} {self.scalar()}"],
                lambda: [f"sr {self.pick('+=', '*=')} {self.scalar()}"],
                lambda: [f"sr[{self.pick(0, 9, 'sr > 2', repr('a'))}] = {self.scalar()}"],
                lambda: [f"{name}[{self.mask(name)}] = {self.scalar()}"],
                lambda: [f"arr[0] = {self.pick('7', '0')}"],
                lambda: [f"{name} = {name}.append({{'x': 1}}, ignore_index=True)"],
            ]
        )()

    def program(self, most: int = 5) -> str:
        """Return a cell."""
        return "\n".join(line for _ in range(self.random.randint(1, most)) for line in self.statement())


HOW = ("left", "inner", "outer", "right")
AGGREGATES = (
    *("mean()", "sum()", "size()", "count()", "max()", "first()", "mean(numeric_only=True)", "agg('sum')", "nunique()"),
    *("agg(['min', 'max'])", "describe()", "cumsum()", "head(1)", "std()", "unstack()", "agg(['min', 'nope'])"),
)
INPLACE = (
    *("fillna(0, inplace=True)", "dropna(inplace=True)", "reset_index(inplace=True)", "sort_index(inplace=True)"),
    *("reset_index(drop=True, inplace=True)", "sort_values('x', inplace=True)", "replace(1, 5, inplace=True)"),
    *(
        "drop_duplicates(inplace=True)",
        "set_index('s', inplace=True)",
        "ffill(inplace=True)",
        "clip(0, 1, inplace=True)",
    ),
)


def program(seed: int) -> Program:
    """Return the program of a seed."""
    return Program(SETUP, Tables(seed).program())
