"""tqdm: a progress bar yields what it runs through, and has the length of that.

Making or moving a bar writes to a stream or a widget, which may fail; nothing else is changed. Source: tqdm, `std.py`,
`tqdm.__iter__`, `tqdm.__len__` and `trange`; the bars for notebooks and for `asyncio` extend that class.
"""

from __future__ import annotations

from typing import Any

from ... import safe
from ..sites import AttributeSite, CallSite, Finding, ValueSite
from ..state import State
from ..values import Known, Made, Method, Value

LIBRARY = "tqdm"
_BAR = "progress bar"
_BARS = (("tqdm.std", "tqdm"), ("tqdm.asyncio", "tqdm_asyncio"), ("tqdm.notebook", "tqdm_notebook"))
_RANGES = (("tqdm.std", "trange"), ("tqdm.auto", "trange"), ("tqdm.notebook", "tnrange"))
_METHODS = frozenset(
    "clear close display refresh reset set_description set_description_str set_postfix set_postfix_str update".split()
)


def _attribute(site: AttributeSite, state: State) -> Value | None:
    return Method(site.owner, site.name) if _is_bar(site.owner) and site.name in _METHODS else None


def _call(site: CallSite, state: State) -> Value | Finding | None:
    method = site.callee
    if type(method) is Method:
        if not _is_bar(method.owner):
            return None
        state.may_raise(site.node, ".{}() may raise".format(method.name))
        return Known(None)
    callee: Any = state.live(method)
    given = site.arguments[0] if site.arguments else site.keywords.get("iterable")
    if not site.complete or given is None:
        return None
    if any(callee is safe.loaded(*each) for each in _RANGES):
        numbers = [state.live(each) for each in site.arguments]
        if not all(type(each) is int for each in numbers) or len(numbers) > 3 or 0 in numbers[2:]:
            return None
        given = Known(range(*numbers), level=state.level(*site.arguments))  # type: ignore[call-overload]
    elif not any(callee is safe.loaded(*each) for each in _BARS):
        return None
    state.may_raise(site.node, "a progress bar may raise")
    return Made(_BAR, over=(given,), package=LIBRARY)


def _elements(site: ValueSite, state: State) -> Value | Finding | None:
    return state.iterated(site.node, site.value.facts["over"][0]) if _is_bar(site.value) else None  # type: ignore[attr-defined]


def _length(site: ValueSite, state: State) -> Value | None:
    found: Any = state.live(site.value.facts["over"][0]) if _is_bar(site.value) else None  # type: ignore[attr-defined]
    return Known(len(found)) if safe.one_of(type(found), (list, tuple, str, dict, range)) else None


def _entered(site: ValueSite, state: State) -> Value | None:
    return site.value if _is_bar(site.value) else None


def _is_bar(value: Value | None) -> bool:
    return type(value) is Made and value.kind == _BAR


HANDLERS = {
    "attribute": [_attribute],
    "call": [_call],
    "iterate": [_elements],
    "length": [_length],
    "enter": [_entered],
}
