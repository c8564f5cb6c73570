"""Asking pandas itself: what all modules about tables share."""

from __future__ import annotations

import ast
import contextlib
import sys
import threading
import time
import types
from typing import TYPE_CHECKING, Any, Callable, Iterator

from ... import safe
from ...likeness import close_to
from ...privacy import SCHEMA, VALUES
from ..operations import BINARY, COMPARISONS
from ..sites import Finding
from ..values import UNKNOWN, Known, Made, Value
from ..words import Part, counted, highest, named, words
from . import running, tables

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "pandas"

MAX_SIZE = 400_000
"""What one question to pandas may work through, see `tables.size`."""
MAX_SECONDS = 0.5
"""What all of them together may take."""
MAX_ITEMS = 500

OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    kind: run for kind, run in {**BINARY, **COMPARISONS}.items() if kind not in (ast.LShift, ast.RShift)
}


def is_of_pandas(value: Value | None, state: State) -> bool:
    """Whether a value is, or stands for, an object of one of pandas' own classes."""
    found = state.form(value)
    return found is not safe.ABSENT and safe.class_module(type(found)).partition(".")[0] == "pandas"


def affordable(size: int, state: State) -> bool:
    """Whether pandas may be asked to work through so much; see `tables.size`."""
    return size <= MAX_SIZE and state.memo.get("pandas.spent", 0.0) < MAX_SECONDS


class _Gate:
    """A finder of modules that finds none for its own thread, and remembers that it was asked."""

    def __init__(self) -> None:
        self.asked = False
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse to import; other threads look on.

        Raises:
            ImportError: This thread wants to import.
        """
        if threading.get_ident() == self._thread:
            self.asked = True
            raise ImportError(name)


@contextlib.contextmanager
def without_imports() -> Iterator[_Gate]:
    """Let nothing be imported in this thread: pandas loads some of its own modules when they are first needed."""
    gate: Any = _Gate()
    sys.meta_path.insert(0, gate)
    try:
        yield gate
    finally:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(gate)


def ask_content(
    compute: Callable[[], object], state: State, asked: str = VALUES, path: str | None = None
) -> Value | Finding | None:
    """Do it with real values: return what comes out, or the crash that the cell will have.

    Args:
        compute: What the cell does, with objects of our own.
        state: The walk's state.
        asked: Lowest privacy level at which what is asked for, a label or a position, may be told.
        path: How a probe reaches what comes out.
    """
    start = time.monotonic()
    with without_imports() as gate:
        answer = running.content(
            lambda: _run_through(compute()), LIBRARY, result=lambda found: real_value(found, state, path)
        )
    state.memo["pandas.spent"] = state.memo.get("pandas.spent", 0.0) + time.monotonic() - start
    if gate.asked:
        return None
    return as_told(answer, asked) if isinstance(answer, Finding) else answer


# Exceptions whose words quote what was asked for, and of the table its labels, shape and dtypes at most.
_OF_STRUCTURE = frozenset(["KeyError", "IndexError", "AttributeError", "IndexingError", "MergeError"])
# JunoBench's labels of those exceptions of pandas' own that are none of Python's.
_CRASH_TYPES = {
    "IndexingError": "index error",
    "InvalidIndexError": "key error",
}


def as_told(finding: Finding, asked: str) -> Finding:
    """Return a finding with the level that its words need, and the label of its exception."""
    finding = finding._replace(crash_type=_CRASH_TYPES.get(finding.type, finding.crash_type))
    if finding.type not in _OF_STRUCTURE:
        return finding
    return finding._replace(message=words("{}", Part(finding.message.at(VALUES), highest(SCHEMA, asked))))


def explained(
    answer: Value | Finding | None, owner: Value | None, wanted: object, asked: str, state: State
) -> Value | Finding | None:
    """Return an answer, of a missing label with the evidence and the labels that were probably meant.

    Args:
        answer: Any; only a KeyError or an AttributeError is explained.
        owner: The table.
        wanted: What was asked for: labels, or containers of such.
        asked: Lowest privacy level at which that may be told.
        state: The walk's state.
    """
    if not isinstance(answer, Finding) or answer.type not in ("KeyError", "AttributeError"):
        return answer
    columns = state.columns(owner)
    if answer.type == "AttributeError":
        form = state.form(owner)
        known = [name for each in safe.mro(type(form)) for name, _ in safe.entries(each) if not name.startswith("_")]
        texts = [each for each in columns or () if type(each) is str]
        return answer._replace(close=tuple(close_to(str(wanted), [*texts, *known])), asked=highest(SCHEMA, asked))
    if columns is None:
        return answer
    missing = [each for each in _texts(wanted) if each not in columns]
    if not missing:
        return answer
    path = getattr(owner, "path", None)
    return answer._replace(
        because=words(
            "{} has {} columns and none named {}",
            named(path or "the frame"),
            counted(len(columns)),
            Part(repr(missing[0]), highest(SCHEMA, asked)),
        ),
        close=tuple(close_to(missing[0], [each for each in columns if type(each) is str])),
        probe=("columns", {"path": path, "names": missing[:1]}) if path is not None and state.tells(asked) else None,
        asked=highest(SCHEMA, asked),
    )


def _texts(wanted: object) -> list[str]:
    if type(wanted) is str:
        return [wanted]
    if type(wanted) is dict:
        return _texts(list(wanted))
    if safe.one_of(type(wanted), (list, tuple)):
        return [text for each in wanted for text in _texts(each)]  # type: ignore[attr-defined]
    return []


class _Yielded(list):  # type: ignore[type-arg]
    """What an iterator yields, `MAX_ITEMS` and one more at most."""


def _run_through(found: Any) -> Any:
    """Return what an iterator yields; anything else as it is."""
    kind = type(found)
    if kind is types.GeneratorType or safe.one_of(kind, (zip, map, enumerate, type(iter([])), reversed)):
        return _Yielded(each for _, each in zip(range(MAX_ITEMS + 1), found))
    return found


def real_value(found: Any, state: State, path: str | None = None) -> Value:
    """Return the value of what pandas gave for real values."""
    if type(found) is _Yielded:
        items = [own(each, state) for each in found]
        if len(items) > MAX_ITEMS:
            return UNKNOWN
        return Made("iterator", items=items, made_at=state.changes(), level=VALUES)
    return Known(own(found, state), path)


def own(found: Any, state: State) -> Any:
    """Remember that pandas made this for us, and what is in it."""
    if safe.class_module(type(found)).partition(".")[0] == "pandas" and not tables.is_scalar(found):
        tables.keep(found, state)
    elif safe.one_of(type(found), (list, tuple)):
        for each in found[:MAX_ITEMS]:
            own(each, state)
    elif type(found) is dict:
        for each in list(found.values())[:MAX_ITEMS]:
            own(each, state)
    return found
