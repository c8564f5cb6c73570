"""Random cells that plot, with matplotlib and seaborn: each is a setup and a target, grown from a seed."""

import random
from collections.abc import Callable

from programs import Program

SETUP = """
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt, numpy as np, pandas as pd, seaborn as sns
plt.close('all')
df = pd.DataFrame({'x': [1, 2, 3], 'y': [1.5, 2.5, None], 's': ['p', 'q', 'r'], 'n': [4, 5, 6]})
wide = pd.DataFrame(np.arange(6.).reshape(3, 2), columns=['a', 'b'])
named = df.set_index('s')
dates = pd.DataFrame({'t': pd.date_range('2020', periods=3), 'v': [1, 2, 3]})
three, four, one, none = np.arange(3), np.arange(4.), np.ones(1), np.array([])
grid, cube, image = np.zeros((3, 3)), np.zeros((3, 4, 5)), np.zeros((4, 4, 3))
tall = np.zeros((3, 2))
nans = np.array([1, np.nan, 3])
texts, numbers, mixed = ['a', 'b', 'c'], [1, 2, 3], ['a', 1, 2]
objects = np.array(['a', 'b', 'c'], dtype=object)
d = {'a': 1, 'b': 2}
number, name = 5, 'x'
oldfig, oldax = plt.subplots()
oldaxes = plt.figure().subplots(2, 2)
"""
ODD = """
odd = plt.figure().add_subplot(projection='polar')
space = plt.figure().add_subplot(projection='3d')
"""

DATA = (
    "three three three four four one none grid tall nans texts numbers numbers mixed objects number df['x'] df['y'] df['s'] "
    "df['n'] df[['x','n']] wide dates['t'] dates['v'] d.keys() d.values() list(d.values()) range(3) range(4) [1,2] 5 "
    "None np.zeros(3) np.linspace(0,1,4) df['x'].values df['x']+1 df.index cube [] [[1,2],[3,4]] three.tolist() "
    "df.groupby('s')['x'].sum() df['s'].value_counts() df['s'].value_counts().index"
).split()
FORMATS = ["'r'", "'o'", "'r--'", "'zz'", "'ro-'", "'C1'", "'-.k'", "'rr'", "'1'", "'s'", "'x'", "name", "'blue'", "''"]
KEYWORDS = (
    "label='a' color='r' c='r' lw=2 linewidth=1 alpha=.5 foo=1 marker='o' linestyle='--' ls=':' x=1 data=df ms=3 s=5 "
    "width=.5 bins=3 align='edge' c=three c=four c=[1,2] c=texts cmap='viridis' cmap='nope' cmap=name edgecolor='k' "
    "size=3 fontsize=9 normed=True density=True orientation='horizontal' markersize=2 zorder=3 colour='r' rotation=4 "
    "labels=texts labels=['a'] explode=[0,0,1] explode=[1] hatch='x' bottom=three left=1 legend=True loc='best'"
).split()
FUNCTIONS = (
    "plot plot plot scatter scatter bar bar barh pie hist imshow boxplot fill_between step stem errorbar axhline "
    "contourf pcolormesh violinplot hlines quiver semilogy stackplot"
).split()
TITLES = "title xlabel ylabel suptitle set_title set_xlabel set_ylabel".split()
SHAPES = [
    "",
    "1",
    "2",
    "2, 2",
    "1, 2",
    "2, 1",
    "1, 1",
    "nrows=2",
    "ncols=3",
    "2, 2, sharex=True",
    "2, 2, squeeze=False",
]
SHAPES += ["0", "1.0", "2, figsize=(4, 3)", "2, figsize=(4, -3)", "number, 1", "1, 2, squeeze=True", "2, 2, foo=1"]
SEABORN = (
    "scatterplot lineplot histplot kdeplot barplot boxplot violinplot stripplot countplot pointplot relplot "
    "displot catplot jointplot lmplot regplot heatmap pairplot FacetGrid rugplot ecdfplot swarmplot boxenplot"
).split()
COLUMNS = ["'x'", "'y'", "'s'", "'n'", "'zz'", "'index'", "df['x']", "three", "None", "name", "'a'", "texts"]


class Grower:
    """Grows one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.odd = self.random.random() < 0.2
        self.axes: list[str] = [
            "oldax",
            "plt",
            "oldaxes[0, 1]",
            "oldaxes[1][0]",
            *(["odd", "space"] if self.odd else []),
        ]
        self.arrays: list[str] = ["oldaxes"]
        self.figures: list[str] = ["oldfig"]
        self.count = 0

    def pick(self, *choices: str | Callable[[], str]) -> str:
        found = self.random.choice(choices)
        return found if isinstance(found, str) else found()

    def data(self) -> str:
        return self.pick(*DATA)

    def keywords(self) -> str:
        found = dict.fromkeys(self.pick(*KEYWORDS) for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])))
        names: dict[str, str] = {each.partition("=")[0]: each for each in found}
        return "".join(f", {each}" for each in names.values())

    def target(self) -> str:
        return self.pick(*self.axes, *["plt"] * 3, *self.axes[5:] * 3)

    def draw(self) -> str:
        where, function = self.target(), self.pick(*FUNCTIONS)
        wanted = 1 if function in ("pie", "hist", "imshow", "boxplot", "axhline", "violinplot") else 2
        wanted = self.random.choice([wanted] * 6 + [1, 2, 3])
        same = self.data()
        arguments = [same if self.random.random() < 0.4 else self.data() for _ in range(wanted)]
        if function == "plot" and self.random.random() < 0.3:
            arguments.append(self.pick(*FORMATS))
        if function == "plot" and self.random.random() < 0.1:
            arguments += [self.data(), self.data()]
        return f"{where}.{function}({', '.join(arguments)}{self.keywords()})"

    def words(self) -> str:
        return f"{self.target()}.{self.pick(*TITLES)}('t'{self.keywords()})"

    def ticks(self) -> str:
        function = self.pick(
            "xticks", "set_xticks", "yticks", "set_yticklabels", "legend", "grid", "tight_layout", "set"
        )
        return f"{self.target()}.{function}({self.pick(self.data, '')}{self.pick('', lambda: ', ' + self.data())})"

    def new(self) -> str:
        self.count += 1
        figure, axes = f"f{self.count}", f"a{self.count}"
        shape = self.pick(*SHAPES)
        self.figures.append(figure)
        self.axes += [axes, f"{axes}[0]", f"{axes}[{self.pick('1', '2', '0, 1', '1, 1', '-1', '0, 0')}]"]
        self.axes += [f"{axes}.flat[1]", f"{axes}.ravel()[{self.pick('0', '3', '4')}]"]
        self.arrays.append(axes)
        return self.pick(
            f"{figure}, {axes} = plt.subplots({shape})",
            f"{figure}, {axes} = plt.subplots({shape})",
            f"{figure} = plt.figure()\n{axes} = {figure}.subplots({shape})",
            f"{figure} = plt.figure(figsize=(3, 2))\n{axes} = {figure}.add_subplot({self.place()})",
            f"{figure} = plt.figure()\n{axes} = plt.subplot({self.place()})",
            f"{figure}, ({axes}, b{self.count}) = plt.subplots({shape})",
            f"{figure} = plt.gcf()\n{axes} = plt.gca()",
            f"{axes} = {self.target()}.twinx()\n{figure} = {axes}.figure",
        )

    def place(self) -> str:
        return self.pick(
            "", "111", "1, 1, 1", "2, 2, 3", "2, 2, 5", "2, 2, 0", "225", "2, 2", "1, 2, 2", "number, 1, number", "'111'",
            "1, 1, 1, projection='polar'", "2.0, 2, 1", "2, 2, (1, 2)",
        )  # fmt: skip

    def loop(self) -> str:
        array = self.pick(*self.arrays)
        over = self.pick(array, f"{array}.flat", f"{array}.ravel()", f"{array}.flatten()", f"{array}[0]")
        call = f"a.{self.pick(*FUNCTIONS)}({self.data()}, {self.data()})"
        return self.pick(
            f"for a in {over}:\n    {self.pick(call, 'a.set_title(name)')}",
            f"for i, a in enumerate({over}):\n    a.set_title(i)\n    {call}",
            f"for a, c in zip({over}, df.columns):\n    a.plot(df[c])",
            f"for i in range(3):\n    {array}[i].plot(three)",
            f"len({array})",
            f"p, q = {array}",
        )

    def attribute(self) -> str:
        name = self.pick(
            "foo", "xlabel", "title", "figure", "lines", "legend_", "axes", "set_foo", "xaxis", "transAxes"
        )
        return f"{self.pick(*self.axes, *self.figures)}.{name}"

    def seaborn(self) -> str:
        function = self.pick(*SEABORN)
        data = self.pick(
            "df", "df", "df", "wide", "named", "dates", "grid", "None", "d", "df[df['x'] > 1]", "df[['x', 'n']]"
        )
        variables = [f"{name}={self.pick(*COLUMNS)}" for name in self.random.choice(["xy", "x", "y", "xy", ""])]
        if self.random.random() < 0.25:
            variables.append(f"{self.pick('hue', 'col', 'style', 'size', 'units', 'palette')}={self.pick(*COLUMNS)}")
        first = self.pick(f"data={data}", f"data={data}", data, "")
        arguments = [each for each in (first, *variables) if each]
        if first == data and self.random.random() < 0.2:
            arguments.insert(1, self.pick(*COLUMNS))
            arguments = [each for each in arguments if "=" not in each] + [each for each in arguments if "=" in each]
        if self.random.random() < 0.2:
            arguments.append(f"ax={self.pick(*self.axes)}")
        return f"{self.pick('', 'g = ')}sns.{function}({', '.join(arguments)})"

    def statement(self) -> str:
        return self.pick(
            self.draw, self.draw, self.draw, self.new, self.new, self.words, self.ticks, self.loop, self.attribute,
            self.seaborn, self.seaborn, lambda: f"{self.pick(*self.figures)}.{self.pick('savefig', 'suptitle', 'clf', 'foo')}()",
            lambda: self.pick("plt.show()", "plt.legend()", "plt.tight_layout()", "plt.figure()", "plt.close()", "plt.grid()"),
            lambda: self.pick("plt.get_cmap('nope')", "plt.get_cmap(name)", "sns.set_style('nope')", "sns.set_theme(style='ticks')"),
            lambda: self.pick("plt.style.use('ggplot')", "x = three[:2]", "df['new'] = 1", "three = four", "axes = plt.axes()"),
        )  # fmt: skip


def program(seed: int) -> Program:
    """Return the program that grows from a seed."""
    grower = Grower(seed)
    cell = "\n".join(grower.statement() for _ in range(grower.random.randint(1, 4)))
    return Program(SETUP + (ODD if grower.odd else ""), cell)
