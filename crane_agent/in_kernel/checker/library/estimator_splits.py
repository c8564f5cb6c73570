"""scikit-learn: how a splitter splits, asked of the library itself, on copies of the splitters.

Nothing here knows the walk. A splitter that draws random numbers draws them from a seed: of its folds only what is the
same for every seed is known then. Source: `sklearn/model_selection/_split.py`.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from ... import safe
from ...privacy import VALUES
from ..sites import Finding
from . import estimator_checks as checks
from .estimator_data import Data

MAX_PLACES = 2_000_000
"""Numbers of rows that the folds of a split may have together."""
MAX_FOLDS = 200

BY_ROWS = frozenset("KFold ShuffleSplit TimeSeriesSplit RepeatedKFold LeaveOneOut LeavePOut".split())
BY_TARGET = frozenset("StratifiedKFold StratifiedShuffleSplit RepeatedStratifiedKFold StratifiedGroupKFold".split())
BY_GROUPS = frozenset("GroupKFold GroupShuffleSplit StratifiedGroupKFold LeaveOneGroupOut LeavePGroupsOut".split())
NAMES = BY_ROWS | BY_TARGET | BY_GROUPS
REPEATED = frozenset("RepeatedKFold RepeatedStratifiedKFold".split())
"""Splitters that look at the data again and again."""

_UNEVEN = frozenset("GroupKFold GroupShuffleSplit StratifiedGroupKFold".split())
"""Splitters for which the random numbers decide how many rows a fold has."""


class Folds(NamedTuple):
    """The folds of a split.

    Attributes:
        places: Of each fold the rows to fit on and those to test on.
        known: Whether these are those that the cell has.
        counted: Whether they are at least as many as those that the cell has.
        complete: Whether there are no more folds.
    """

    places: list[tuple[Any, Any]]
    known: bool
    counted: bool
    complete: bool


class Split(NamedTuple):
    """What ``split`` does.

    Attributes:
        now: What the call raises.
        later: What is raised when somebody runs through the folds.
        folds: The folds; None if nothing is known of them, or if they are not reached.
    """

    now: Finding | None
    later: Finding | None
    folds: Folds | None


UNKNOWN_SPLIT = Split(None, None, None)


def is_class(cls: Any) -> bool:
    """Whether `cls` is one of scikit-learn's own splitters, whose constructors only look at their arguments."""
    if not safe.inherits(type(cls), type) or not safe.is_from(cls, "sklearn") or safe.class_name(cls) not in NAMES:
        return False
    if safe.loaded("sklearn.model_selection", safe.class_name(cls)) is not cls:
        return False
    own = safe.in_type(cls, "__init__")
    return own is object.__init__ or safe.comes_from(own, "sklearn")


def copy_of(cv: Any) -> Any:
    """Return a copy of one of scikit-learn's own splitters that leaves the kernel's random numbers alone; else None."""
    own = safe.instance_dict(cv)
    if own is None or not is_class(type(cv)) or "split" in own:
        return None
    if not all(safe.comes_from(safe.in_type(type(cv), each), "sklearn") for each in ("split", "get_n_splits")):
        return None
    if not all(map(checks.is_harmless, own.values())) or checks.holds_holes(list(own.values())):
        return None
    made = object.__new__(type(cv))
    made.__dict__.update(own)
    if _draws(cv):
        made.__dict__["random_state"] = 0
    return made


def _draws(cv: Any) -> bool:
    """Whether a splitter takes its random numbers from where the kernel's are."""
    own = safe.instance_dict(cv) or {}
    state = own.get("random_state", 0)
    return state is None or safe.is_exactly(state, "numpy.random", "RandomState")


def is_repeatable(cv: Any) -> bool:
    """Whether the folds are the same whenever the same data are split."""
    return not _draws(cv) or (safe.instance_dict(cv) or {}).get("shuffle") is False


def count_of(cv: Any, rows: int | None) -> int | None:
    """Return how many folds there will be if there are any, without looking at data; None if they decide it."""
    own = safe.instance_dict(cv) or {}
    name = safe.class_name(type(cv))
    if name == "LeaveOneOut":
        return rows
    count = own.get("n_splits")
    if name in REPEATED:
        table, times = own.get("cvargs"), own.get("n_repeats")
        inner = table.get("n_splits") if type(table) is dict else None
        count = inner * times if type(inner) is int and type(times) is int else None
    return count if type(count) is int else None


def sizes_of(cv: Any, rows: int) -> list[tuple[int, int]] | None:
    """Return how many rows each fold of a `KFold` fits on and tests on.

    Source: the scikit-learn reference, `KFold`, "Notes".
    """
    count = count_of(cv, rows)
    if safe.class_name(type(cv)) != "KFold" or count is None or not 2 <= count <= min(rows, MAX_FOLDS):
        return None
    tested = [rows // count + (place < rows % count) for place in range(count)]
    return [(rows - each, each) for each in tested]


def split(cv: Any, rows: int | None, target: Data | None, groups: Data | None) -> Split:
    """Split for real, as far as what the splitter looks at is known.

    Args:
        cv: One of scikit-learn's own splitters.
        rows: How many rows the features have; None if that is not known.
        target: The target; None if nothing is known of it.
        groups: The groups, likewise.
    """
    numpy: Any = safe.loaded("numpy")
    own, name = copy_of(cv), safe.class_name(type(cv))
    goal, parts = _given(target, name in BY_TARGET), _given(groups, name in BY_GROUPS)
    if own is None or rows is None or goal is None or parts is None or rows > MAX_PLACES // 2:
        return UNKNOWN_SPLIT
    features = numpy.broadcast_to(numpy.zeros(1, "i1"), (rows,))
    made: list[Any] = []
    because = "for this target and these folds"
    now = checks.ask(lambda: made.append(own.split(features, goal[0], parts[0])), VALUES, because)
    if now is not None or not made:
        return Split(now, None, None)
    most = min(MAX_FOLDS, MAX_PLACES // max(rows, 1))
    found: list[list[Any]] = []
    later = checks.ask(lambda: found.append(list(itertools.islice(made[0], most + 1))), VALUES, because)
    if later is not None or not found:
        return Split(None, later, None)
    repeatable = is_repeatable(cv)
    counted = repeatable or name not in _UNEVEN
    return Split(None, None, Folds(found[0][:most], repeatable, counted, len(found[0]) <= most))


def _given(data: Data | None, needed: bool) -> tuple[Any] | None:
    """Return what stands for data, of which only the length counts if they are not needed; None if it is not known."""
    numpy: Any = safe.loaded("numpy")
    if data is None:
        return None
    if data.object is None or (data.real and not data.chosen):
        return (data.object,)
    if needed or data.rows is None:
        return None
    return (numpy.broadcast_to(numpy.zeros(1, "i1"), (data.rows,)),)
