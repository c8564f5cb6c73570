"""optuna: what a trial suggests to an objective.

The bounds and choices are checked by optuna itself; what is suggested is a number, a text or one of the choices.
Source: the optuna reference, `Trial`; `optuna/distributions.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ..sites import AttributeSite, CallSite, Finding
from ..values import Foreign, Made, Value, of_element
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "optuna"
TRIAL = "optuna.trial"


def trial() -> Made:
    """Return the trial that an objective is called with."""
    return Made(TRIAL, package=LIBRARY)


def is_study(value: Value | None, state: State) -> bool:
    """Whether a value is what `optuna.create_study` returned: by the kernel or, as far as it is known, by the cell."""
    if type(value) is Foreign:
        return value.package == LIBRARY
    found: Any = state.live(value)
    if not safe.is_exactly(found, "optuna.study.study", "Study") or "optimize" in (safe.instance_dict(found) or {}):
        return False
    return safe.comes_from(safe.in_type(type(found), "optimize"), LIBRARY) and not state.is_changed(type(found))


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Find the methods of a trial."""
    known = type(site.owner) is Made and site.owner.kind == TRIAL and site.name in (*_SUGGESTED, *_OTHERS)
    return Foreign(LIBRARY) if known else None


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow what is asked of a trial."""
    if type(site.owner) is not Made or site.owner.kind != TRIAL:
        return None
    if site.method in _OTHERS:
        state.may_raise(site.node, ".{}() may raise".format(site.method))
        return Made("bool") if site.method == "should_prune" else Foreign("builtins")
    if site.method not in _SUGGESTED or not site.complete:
        return None
    names, distribution, made = _SUGGESTED[site.method]
    given = dict(zip(names, site.arguments))
    if any(name in given or name not in names for name in site.keywords) or len(site.arguments) > len(names):
        return None
    given.update(site.keywords)
    options = {name: value for name, value in given.items() if name != "name"}
    finding = _check(distribution, options, state)
    if finding is not None:
        return finding
    # A study is kept in a storage, which may fail, and knows what was suggested under that name before.
    state.may_raise(site.node, ".{}() may raise".format(site.method))
    return _choice(options.get("choices"), state) if made is None else Made("number", type=made)


_SUGGESTED: dict[str, tuple[tuple[str, ...], str, type | None]] = {
    "suggest_int": (("name", "low", "high", "step", "log"), "IntDistribution", int),
    "suggest_float": (("name", "low", "high", "step", "log"), "FloatDistribution", float),
    "suggest_uniform": (("name", "low", "high"), "FloatDistribution", float),
    "suggest_loguniform": (("name", "low", "high"), "", float),
    "suggest_discrete_uniform": (("name", "low", "high", "q"), "", float),
    "suggest_categorical": (("name", "choices"), "CategoricalDistribution", None),
}
"""By the method of a trial: its parameters, the distribution that checks them, what it returns."""

_OTHERS = frozenset("report should_prune set_user_attr set_system_attr".split())


def _check(distribution: str, options: dict[str, Value], state: State) -> Finding | None:
    """Ask optuna whether there is such a distribution."""
    cls: Any = safe.loaded("optuna.distributions", distribution)
    known = {name: state.plain(value) for name, value in options.items()}
    if not safe.comes_from(safe.in_type(cls, "__init__"), LIBRARY) or safe.ABSENT in known.values():
        return None
    found = running.content(lambda: cls(**known), LIBRARY, state.level(*options.values()), "invalid argument")
    return found if isinstance(found, Finding) and found.type == "ValueError" else None


def _choice(choices: Value | None, state: State) -> Value:
    several: Any = state.live(choices)
    if not safe.one_of(type(several), (list, tuple)) or not several:
        return Foreign("builtins")
    kinds = {id(type(each)): type(each) for each in several}
    kind = next(iter(kinds.values())) if len(kinds) == 1 else None
    if kind is str:
        return Made("text")
    if kind is bool:
        return Made("bool")
    if kind is int or kind is float:
        return Made("number", type=kind)
    # One of the user's objects may be among them.
    plain = safe.is_plain(several, limit=1000)
    return Foreign("builtins", () if plain else tuple(of_element(each) for each in several))


HANDLERS = {"attribute": [attribute], "call": [call]}
