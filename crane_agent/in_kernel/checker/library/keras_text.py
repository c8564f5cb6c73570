"""`Tokenizer`: turning texts into numbers, in plain Python, so that it is done for real on a copy.

Source: `keras/src/legacy/preprocessing/text.py`.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import blocks, keras_layers
from ..sites import AttributeSite, CallSite, Finding
from ..values import UNKNOWN, Hole, Known, Method, Value
from . import running
from .keras_specs import bind, is_keras_3

if TYPE_CHECKING:
    from ..state import State

_HOME = "keras.src.legacy.preprocessing.text"
_METHODS = ("fit_on_texts", "texts_to_sequences")
MANY_CHARACTERS = 200_000
MANY_TEXTS = 200_000
MANY_WORDS = 20_000
Answer = Any


def _class() -> Any:
    return safe.loaded(_HOME, "Tokenizer")


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Read a method of a tokenizer."""
    cls: Any = _class()
    live = state.live(site.owner)
    if cls is None or site.name not in _METHODS or type(live) is not cls or not is_keras_3():
        return None
    ours = all(safe.comes_from(safe.in_type(cls, each), "keras") for each in _METHODS)
    return Method(site.owner, site.name) if ours and site.name not in keras_layers.own(live) else None


def call(site: CallSite, state: State) -> Answer:
    """Follow the making of a tokenizer, and its methods."""
    cls: Any = _class()
    if cls is None or not site.complete or not is_keras_3():
        return None
    if type(site.callee) is Method and type(state.live(site.callee.owner)) is cls:
        return _method(site, site.callee, cls, state)
    callee: Any = state.live(site.callee)
    if callee is not cls or not safe.comes_from(safe.in_type(cls, "__init__"), "keras"):
        return None
    function: Any = safe.in_type(cls, "__init__")
    bound = bind(function, site)
    given = {name: state.plain(value) for name, value in {**bound.extra, **bound.given}.items()}
    if bound.error is not None or safe.ABSENT in given.values():
        return None
    level = state.level(*bound.given.values(), *bound.extra.values())
    return running.content(lambda: cls(**given), "keras", level, "invalid argument")


def _copied(tokenizer: Any, cls: Any) -> Any:
    """Return a copy with tables of its own; None if it holds what a tokenizer does not, or much."""
    found: Any = object.__new__(cls)
    for name, each in keras_layers.own(tokenizer).items():
        if safe.one_of(type(each), (dict, collections.OrderedDict, collections.defaultdict)):
            if len(each) > MANY_WORDS or not (safe.has_plain_keys(each) and safe.is_plain(list(each.values()), 10**6)):
                return None
            if type(each) is collections.defaultdict and each.default_factory is not int:
                return None
            each = each.copy()
        elif not safe.is_plain(each):
            return None
        found.__dict__[name] = each
    return found


def _method(site: CallSite, method: Method, cls: Any, state: State) -> Answer:
    function: Any = safe.in_type(cls, method.name)
    bound = bind(function, site)
    copied = _copied(state.live(method.owner), cls)
    if bound.error is not None:
        return None
    texts = _texts(bound.given.get("texts"), state)
    fits = method.name == "fit_on_texts"
    if texts is None or copied is None:
        state.may_raise(site.node, "{} may raise".format(method.name))
        if fits:
            _changed(method.owner, UNKNOWN, state)
        return Known(None) if fits else UNKNOWN
    kinds = {type(each) for each in texts}
    if kinds <= {str} and sum(map(len, texts)) <= MANY_CHARACTERS:
        answer = running.content(lambda: function(copied, texts), "keras", SCHEMA, "data value violation")
        if fits and type(answer) is Known:
            _changed(method.owner, Known(copied), state)
        return answer
    if kinds - {str}:
        # Whatever comes first is a text and taken.
        bad = next(each for each in texts if type(each) is not str)
        answer = running.content(lambda: function(copied, [bad]), "keras", SCHEMA, "data value violation")
        return answer if isinstance(answer, Finding) else None
    if fits:
        _changed(method.owner, UNKNOWN, state)
        return Known(None)
    return Known([Hole(UNKNOWN) for _ in texts])


def _changed(tokenizer: Value, now: Value, state: State) -> None:
    """The tokenizer was fitted: its tables have changed, too, under whatever other name they have."""
    for each in keras_layers.own(state.live(tokenizer)).values():
        if safe.one_of(type(each), (dict, collections.OrderedDict, collections.defaultdict)):
            state.touch(Known(each))
    state.becomes(tokenizer, now)


def _texts(value: Value | None, state: State) -> list[Any] | None:
    """Return the elements of a list, an array or a series if all are texts or numbers; None otherwise."""
    live: Any = state.live(value)
    if live is not safe.ABSENT and blocks.is_series(live):
        live = blocks.values(live)
    if safe.is_exactly(live, "numpy", "ndarray"):
        if live.ndim != 1 or live.dtype.kind != "O" or live.size > MANY_TEXTS:
            return None
        live = live.tolist()
    if not safe.one_of(type(live), (list, tuple)) or len(live) > MANY_TEXTS:
        return None
    plain = all(safe.one_of(type(each), (str, float, int, type(None))) for each in live)
    return list(live) if plain else None
