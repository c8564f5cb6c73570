"""Doing what the cell does, with the library itself: the oracle that needs no rule.

Two ways, by what is known of the operands:

- `content`: on the real values, or on copies where the call changes them. What comes out is the value; what is raised,
  the cell raises.
- `structure`: on stand-ins of the same structure. What comes out has the structure of the value; of what is raised only
  those exceptions count that the library raises for structure alone, and the caller names them.

Only library code may run. The caller has made sure of it: exact types, elements that are exact built-in or library
scalars, no callables of the user's, functions that are the library's own. And nothing may be changed: no random numbers
are drawn, nothing is imported, opened, printed or cached in an object of the kernel's, no thread pool is started, and
what it costs is bounded (`MAX_CELLS`).

Warnings stay inside: a filter that fits this thread alone is put before the others for the time being, without telling
the registries of modules that the filters have changed. Source: the Python library reference, `warnings`, "The Warnings
Filter"; CPython, `Python/_warnings.c`: the list is read at each warning, and the filter's module is asked to ``match``.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import Any, Callable, Iterator

from ... import safe
from ...privacy import SCHEMA, VALUES
from .. import rules
from ..sites import Finding
from ..values import STRUCTURE, Known, Like, Value
from ..words import Part, words

MAX_CELLS = 200_000
"""Elements that a call may work through; see `is_small`."""


def is_small(*sizes: int, limit: int = MAX_CELLS) -> bool:
    """Whether what a call works through, in elements, is little enough to be done during a check."""
    return sum(sizes) <= limit


def content(
    compute: Callable[[], object],
    library: str,
    level: str = VALUES,
    crash_type: str = "",
    result: Callable[[object], Value] = Known,
) -> Value | Finding | None:
    """Do it for real: return the value, or the crash that the cell will have.

    Args:
        compute: What the cell does, on values that are those of the cell, and that it may change.
        library: Top-level package whose code runs.
        level: Privacy level of what an exception's message may quote.
        crash_type: JunoBench's label; by default the one of the exception's class.
        result: Makes a value of what `compute` returns.
    """
    try:
        with quiet():
            found = compute()
    except (MemoryError, RecursionError):
        return None
    except Exception as error:  # noqa: BLE001 - the library is the oracle: whatever it raises, the cell will raise
        return crash(error, library, level, crash_type, "{} itself says so for these values")
    return result(found)


def structure(
    compute: Callable[[], object],
    library: str,
    raises: tuple[type, ...] = (),
    crash_type: str = "",
    knows: frozenset[str] = STRUCTURE,
) -> Value | Finding | None:
    """Do it on stand-ins: return a stand-in for the result, or a crash that comes from the structure alone.

    Args:
        compute: What the cell does, on stand-ins.
        library: Top-level package whose code runs.
        raises: Exceptions that this call raises for the structure alone, whatever the content; others say nothing.
        crash_type: JunoBench's label; by default the one of the exception's class.
        knows: What of the result is known, see `Like`.
    """
    try:
        with quiet():
            found = compute()
    except (MemoryError, RecursionError):
        return None
    except Exception as error:  # noqa: BLE001 - what a stand-in raises means nothing but what `raises` names
        if not any(type(error) is each for each in raises):
            return None
        return crash(error, library, SCHEMA, crash_type, "{} itself says so for values of this structure")
    return Like(found, knows)


def crash(error: Exception, library: str, level: str, crash_type: str, because: str) -> Finding:
    """Return the finding of an exception that the library raised."""
    return Finding(
        rule="{}.itself".format(library),
        type=safe.class_name(type(error)),
        message=words("{}", Part(str(error), level)),
        because=words(because.format(library)),
        crash_type=crash_type or rules.crash_type_of(error),
        library=library,
    )


class _ThisThread:
    """Stands in a filter for a pattern of module names: it fits every module as long as this thread warns."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._thread = threading.get_ident()

    def match(self, module: str) -> bool:
        if threading.get_ident() != self._thread:
            return False
        self.modules.add(module)
        return True


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep to ourselves what libraries warn of, here and in this thread."""
    errstate: Any = safe.loaded("numpy", "errstate")
    ours = _ThisThread()
    entry = ("ignore", None, Warning, ours, 0)
    warnings.filters.insert(0, entry)  # type: ignore[attr-defined]
    try:
        with contextlib.nullcontext() if errstate is None else errstate(all="ignore"):
            yield
    finally:
        with contextlib.suppress(ValueError):
            warnings.filters.remove(entry)  # type: ignore[attr-defined]
        for name in ours.modules:
            # A registry that knows of no warning was made for the one that was ignored.
            own = safe.instance_dict(safe.loaded(name)) or {}
            if list(own.get("__warningregistry__", ())) == ["version"]:  # type: ignore[call-overload]
                del own["__warningregistry__"]
