"""Preparing data with `keras.utils`: `to_categorical` and `pad_sequences`, which compute with numpy alone.

Sources: `keras/src/utils/numerical_utils.py` and `sequence_utils.py`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...readers import blocks
from ..sites import CallSite, Finding
from ..values import Like, Value
from . import running
from .keras_specs import bind

if TYPE_CHECKING:
    from ..state import State

Answer = Any


def call_of_function(site: CallSite, function: types.FunctionType, state: State) -> Answer:
    """Follow ``to_categorical(y)`` and ``pad_sequences(rows)``."""
    home = function.__globals__.get("__name__")
    if not site.complete:
        return None
    if function.__name__ == "to_categorical" and home == "keras.src.utils.numerical_utils":
        return _to_categorical(site, function, state)
    if function.__name__ == "pad_sequences" and home == "keras.src.utils.sequence_utils":
        return _pad_sequences(site, function, state)
    return None


def _to_categorical(site: CallSite, function: Any, state: State) -> Answer:
    bound = bind(function, site, skip=0)
    numpy: Any = safe.loaded("numpy")
    if bound.error is not None or numpy is None:
        return None
    live: Any = state.live(bound.given.get("x"))
    if live is not safe.ABSENT and blocks.is_series(live):
        live = blocks.values(live)
    if not safe.is_exactly(live, "numpy", "ndarray") or live.dtype.kind not in "iufb" or live.ndim == 0:
        return _labels_by_shape(site, function, bound.given, state)
    classes = state.plain(bound.given.get("num_classes"))
    if not 0 < live.size <= 20_000_000 or classes is safe.ABSENT or not (classes is None or type(classes) is int):
        return None
    low, high = live.min(), live.max()
    if not (low == low and high == high) or abs(low) > 1e6 or abs(high) > 1e6 or live.dtype.kind == "b":
        return None
    if live.dtype.kind == "f" and (low <= -1 or high - int(high)):
        return None
    count = classes or int(high) + 1
    level = state.level(bound.given.get("x"), bound.given.get("num_classes"))
    if low < 0 or high >= count:
        bad = live.ravel()[(live.ravel() >= count) | (live.ravel() < -count)]
        if bad.size == 0 or not running.is_small(count):
            return None
        answer = running.content(lambda: function(bad[:1].astype("int64"), count), "keras", level)
        return answer if isinstance(answer, Finding) else None
    return _like(numpy, live.shape, count, function)


def _labels_by_shape(site: CallSite, function: Any, given: dict[str, Value], state: State) -> Answer:
    """Answer for labels of which only the shape is known."""
    numpy: Any = safe.loaded("numpy")
    found = state.form(given.get("x"), "shape")
    classes = state.plain(given.get("num_classes"))
    if not safe.is_exactly(found, "numpy", "ndarray") or type(classes) is not int or classes < 1 or found.ndim == 0:
        return None
    state.may_raise(site.node, "a label may be out of range")
    return _like(numpy, found.shape, classes, function)


def _like(numpy: Any, shape: tuple[int, ...], count: int, function: Any) -> Answer:
    """Return what a sample makes, for as many samples as there are."""
    if not 0 < count <= 100_000 or not running.is_small(count, *shape[1:]):
        return None
    sample = numpy.zeros((1, *shape[1:]), dtype="int64")
    answer = running.structure(lambda: function(sample, count), "keras")
    made: Any = answer.object if isinstance(answer, Like) else None
    if not safe.is_exactly(made, "numpy", "ndarray") or made.ndim == 0:
        return None
    cell = numpy.zeros((), dtype=made.dtype)
    rest = made.shape[1:] if made.shape[0] == 1 else made.shape
    return Like(numpy.broadcast_to(cell, (shape[0], *rest)))


def _pad_sequences(site: CallSite, function: Any, state: State) -> Answer:
    bound = bind(function, site, skip=0)
    numpy: Any = safe.loaded("numpy")
    given = bound.given.get("sequences")
    live: Any = state.live(given)
    if bound.error is not None or numpy is None or given is None:
        return None
    options = {name: state.plain(bound.given[name]) for name in bound.named if name != "sequences"}
    level = state.level(given, *(bound.given[name] for name in bound.named))
    plain = safe.one_of(type(live), (int, float)) or (
        type(live) is list and len(live) <= 500 and all(_is_row(each) for each in live)
    )
    if plain and safe.ABSENT not in options.values() and all(type(options.get(n, "")) is str for n in _WORDS):
        maxlen = options.get("maxlen")
        if maxlen is None or (type(maxlen) is int and 0 < maxlen <= 1000):
            copied = [each[:] if type(each) is list else each for each in live] if type(live) is list else live
            return running.content(lambda: function(copied, **options), "keras", level, "data value violation")
    maxlen = options.get("maxlen")
    if type(live) is list and type(maxlen) is int and 0 < maxlen <= 1_000_000 and "dtype" not in options:
        state.may_raise(site.node, "a sequence may be none")
        cell = numpy.zeros((), dtype="int32")
        return Like(numpy.broadcast_to(cell, (len(live), maxlen)), frozenset(["shape", "dtype"]))
    return None


_WORDS = ("dtype", "padding", "truncating")


def _is_row(found: Any) -> bool:
    if type(found) is int:
        return True
    return type(found) is list and len(found) <= 1000 and all(type(each) is int for each in found)
