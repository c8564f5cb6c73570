"""Questions for every probe, made from the models of its arguments: each argument that it takes is given.

A new probe is asked without a change here, unless one of its arguments has a new name: then `questions` raises, and
`ARGUMENTS` needs values for it.
"""

import itertools
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from crane_agent.session.protocol import Reply
from crane_agent.tools.probes import PROBES
from crane_agent.tools.probes.base import ProbeSpec

KERNEL_PROBES: Mapping[str, ProbeSpec] = {name: spec for name, spec in PROBES.items() if spec.answered_by == "kernel"}

PATHS = ("it", "it.a", "it[0]")
"""Where a value is, for probes of one value."""

MORE_PATHS = ("it.shape", "it.columns", "it.missing", "it.b", "it.__class__", "it.__dict__", "it[-1]", "it['a']")
"""Asked of `describe` too: every probe resolves a path in the same way."""

OF_THE_WORLD = frozenset(("executed", "module", "file", "glob", "environment"))
"""Probes that are not about a value."""

ARGUMENTS: Mapping[str, Sequence[object]] = {
    "right": ("it", "table", "numbers", "words", "it.a"),
    "model": ("owner", "it", "it.a", "table"),
    "frame": ("table", "it", "it.a", "numbers"),
    "like": ("itt",),
    "names": (["zz", "price", 1], []),
    "name": ("price", "a", 0, "zz"),
    "labels": (["zz", "price", 1, 0.5], []),
    "keywords": (["zz"],),
    "positional": (3, 0),
    "axis": (0, 1, -1),
    "where": (
        "price > 1",
        "a == 'x' and `b` != 2",
        "a in ['x'] or not n < 0",
        "a + n * 2 >= 0",
        "a.isnull()",
        "zz",
        "a (",
    ),
    "variables": (["PATH", "NO_SUCH_VARIABLE", ""],),
}
"""Values for an argument of this name, whichever probe takes it; the first is the one it mostly has."""

FILES = (
    *("here.csv", "no/x", "rows.csv", "latin.csv", "utf16.csv", "bom.csv", "empty.csv", "picture.png", "table.parquet"),
    *(
        "things.zip",
        "data.json",
        "line.csv",
        "huge.csv",
        "pipe",
        "dangling",
        "loop",
        "folder",
        "folder/",
        ".",
        "~/x.csv",
    ),
    *(
        "package/__init__.py",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
        "x" * 4000,
        "a\0b",
        "\ud800",
        "http://x/y.csv",
    ),
)
MODULES = (
    *("numpy", "math", "os.path", "pandas.core.frame", "no_such_module", "numpy.no_such", "lonely", "package"),
    *("package.part", "package.part.deeper", "no_such.part", "hostile", "hostile.part", "xml.dom.minidom", "it", ""),
    *("..", "a b", "sklearn.linear_model", "this", "antigravity"),
)

SPECIAL: Mapping[tuple[str, str], Sequence[object]] = {
    ("file", "path"): FILES,
    ("glob", "pattern"): (
        "*.csv",
        "no*.csv",
        "**/*",
        "folder/*",
        "/proc/self/fd/*",
        "*" * 50,
        "[",
        "pipe",
        "~/*",
        "*/../*",
    ),
    ("module", "name"): MODULES,
    ("module", "names"): (["array", "zz"],),
    ("attributes", "names"): (["a", "zz", "shape", "columns", "__class__", "__dict__"],),
}
"""Values for an argument of this probe."""


class Question(NamedTuple):
    """One question: a probe, and its arguments as JSON values."""

    probe: str
    arguments: Mapping[str, Any]

    @property
    def place(self) -> Any:
        """Where the value is that it is about, or the first of two; None if it is about none."""
        return self.arguments.get("path", self.arguments.get("left"))


class NoValues(Exception):
    """Nobody said what to give for an argument."""


def all_questions(paths: Sequence[str] = PATHS) -> list[Question]:
    """Return questions about what the names ``it`` and ``other`` are bound to, of every probe the kernel answers.

    Raises:
        NoValues: `ARGUMENTS` lacks an argument.
    """
    return [question for probe in KERNEL_PROBES for question in questions(probe, paths)]


def is_misfit(reply: Reply) -> bool:
    """Whether a question is refused because its probe is not for a value of that kind; no argument changes that."""
    return reply.status == "refused" and _MISFIT.search(reply.reason) is not None


_MISFIT = re.compile(r"\bis an? \S+[,:] (?:not|no|without)\b|\bis no plain Python function")


def questions(probe: str, paths: Sequence[str] = PATHS) -> Iterator[Question]:
    """Yield questions for one probe: each argument with each of its values, beside no optional one and beside all.

    Args:
        probe: Its name.
        paths: Where the values are that it is asked about.

    Raises:
        NoValues: `ARGUMENTS` lacks an argument.
    """
    fields = KERNEL_PROBES[probe].arguments.model_fields
    given = {name: values_for(probe, name, field, paths) for name, field in fields.items()}
    usual = {name: given[name][0] for name, field in fields.items() if field.is_required()}
    everything = {name: values[0] for name, values in given.items()}
    alone = [dict(usual, **{name: value}) for name, values in given.items() for value in values]
    beside = [dict(everything, **{name: value}) for name, values in given.items() if name != "path" for value in values]
    seen: list[dict[str, Any]] = []
    for arguments in itertools.chain([usual], alone, [everything], beside):
        if arguments not in seen:
            seen.append(arguments)
            yield Question(probe, arguments)


def values_for(probe: str, name: str, field: FieldInfo, paths: Sequence[str] = PATHS) -> Sequence[Any]:
    """Return what to give for one argument.

    Raises:
        NoValues: There is nothing in `ARGUMENTS`, and the type does not tell.
    """
    if (probe, name) in SPECIAL:
        return SPECIAL[probe, name]
    if name in ("path", "left"):
        more = MORE_PATHS if probe == "describe" and paths is PATHS else ("table",) if name == "left" else ()
        return (*paths, *more)
    found = tuple(_choices(field.annotation))
    is_literal = any(isinstance(each, str) for each in found)
    if name in ARGUMENTS and not is_literal:
        return ARGUMENTS[name]
    if not found:
        raise NoValues(f"what to give for {name!r} of {probe!r}? Add it to {__name__}.ARGUMENTS")
    return found


def _choices(annotation: object) -> Iterator[object]:
    if annotation is bool:
        yield from (True, False)
    if annotation is int:
        yield from (1, 0, 3)
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _choices(each)
