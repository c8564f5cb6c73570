"""numpy: random numbers. A generator of our own is asked, with a seed of our own; the kernel's are not moved.

To add a distribution, put its name into `_DISTRIBUTIONS`, and where it takes ``size`` into `_SIZE_AT`.

Sources: the numpy reference, "Random sampling", `RandomState` and `Generator`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import tensors
from ..sites import AttributeSite, CallSite, Finding
from ..values import UNKNOWN, Foreign, Known, Made, Method, Value
from . import array_forms as forms
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "numpy"

_DISTRIBUTIONS = frozenset(
    "rand randn randint random random_sample ranf sample normal uniform choice permutation poisson binomial "
    "exponential beta gamma standard_normal lognormal multivariate_normal dirichlet geometric laplace logistic "
    "chisquare multinomial triangular weibull vonmises zipf pareto power rayleigh standard_t standard_cauchy "
    "standard_exponential standard_gamma gumbel hypergeometric logseries negative_binomial noncentral_chisquare wald "
    "integers permuted".split()
)
_LENGTHS_FIRST = frozenset(["rand", "randn"])
_MAX_POPULATION = 100_000
_MAX_DRAWN = 20_000


_OF_CYTHON = "cython_function_or_method"
_NOT_LOADED = "numpy.random, not loaded"
_OF_FLOATS = frozenset("rand randn random random_sample ranf sample normal uniform standard_normal".split())


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Read a method of a generator; and ``np.random``, which numpy loads when it is asked for."""
    if type(site.owner) is Made and site.owner.kind == _NOT_LOADED:
        return Method(site.owner, site.name) if site.name in _DISTRIBUTIONS | {"seed", "shuffle"} else None
    if site.name == "random" and state.live(site.owner) is safe.loaded("numpy"):
        own = safe.instance_dict(safe.loaded("numpy")) or {}
        asked = safe.comes_from(own.get("__getattr__"), "numpy")
        return Made(_NOT_LOADED) if asked and "random" not in own and safe.loaded("numpy.random") is None else None
    if _kind(site.owner) and safe.in_type(type(site.owner.object), site.name) is not safe.ABSENT:  # type: ignore[attr-defined]
        return Method(site.owner, site.name)
    return None


def _kind(value: Value | None) -> str:
    """Return which of numpy's generators a value is, or ''."""
    found = value.object if type(value) is Known else None
    for name in ("RandomState", "Generator"):
        if safe.is_exactly(found, "numpy.random", name):
            return name
    return ""


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of ``numpy.random``, or a method of a generator."""
    if type(site.callee) is Method and type(site.callee.owner) is Made:
        return _unloaded(site.callee, site, state) if site.callee.owner.kind == _NOT_LOADED else None
    if type(site.callee) is Method:
        kind, name = _kind(site.callee.owner), site.callee.name
    else:
        kind, name = _function(state.live(site.callee))
    if not kind or not site.complete:
        return None
    if name == "default_rng" or name == "RandomState":
        return _made(name, site, state)
    if name == "seed":
        return _seed(site, state)
    if name == "shuffle":
        return _shuffle(kind, site, state)
    return _drawn(kind, name, site, state) if name in _DISTRIBUTIONS else None


def _unloaded(method: Method, site: CallSite, state: State) -> Value | Finding | None:
    """A function of ``numpy.random`` that numpy has yet to load: only what its arguments say is known."""
    if any(_is_foreign(each, state) for each in [*site.arguments, *site.keywords.values()]):
        return None
    if method.name == "shuffle":
        return _shuffle("RandomState", site, state) if site.complete and len(site.arguments) == 1 else None
    state.may_raise(site.node, "random.{} may raise".format(method.name))
    if method.name == "seed":
        return Known(None)
    if method.name not in _OF_FLOATS or not site.complete:
        return UNKNOWN
    arguments = [forms.real(each, state) for each in site.arguments]
    named = {key: forms.real(each, state) for key, each in site.keywords.items()}
    plain = (*safe.SCALARS, list, tuple)
    if not all(safe.one_of(type(each), plain) for each in [*arguments, *named.values()]):
        return UNKNOWN
    lengths = _lengths(method.name, arguments, named)
    sizes = tuple(lengths) if safe.one_of(type(lengths), (list, tuple)) else (lengths,)
    if not sizes or not all(type(each) is int and 0 <= each < 2**20 for each in sizes) or len(sizes) > 6:
        return UNKNOWN
    others = [each for each in [*arguments, *named.values()] if each is not lengths]
    if method.name not in _LENGTHS_FIRST and any(safe.one_of(type(each), (list, tuple)) for each in others):
        return UNKNOWN
    return forms.like(sizes, safe.loaded("numpy").dtype("f8"))


def _function(callee: object) -> tuple[str, str]:
    """Return the class and the name of a function of ``numpy.random``; two empty texts if it is none."""
    cls = type(callee)
    if safe.inherits(cls, type):
        is_state = callee is safe.loaded("numpy.random", "RandomState")
        return ("RandomState", "RandomState") if is_state else ("", "")
    function: Any = callee.__func__ if cls is types.MethodType else callee  # type: ignore[attr-defined]
    in_c = type(function) is safe.BuiltinFunctionType or safe.class_name(type(function)) == _OF_CYTHON
    if not in_c:
        return "", ""
    name = getattr(callee, "__name__", "")
    if type(name) is not str or safe.loaded("numpy.random", name) is not callee:
        return "", ""
    return "RandomState", name


def _generator(kind: str) -> Any:
    random: Any = safe.loaded("numpy.random")
    return random.RandomState(0) if kind == "RandomState" else random.Generator(random.PCG64(0))


def _made(name: str, site: CallSite, state: State) -> Value | None:
    """``np.random.default_rng(seed)``: one with another seed stands for it, its numbers mean nothing."""
    seed = state.live(site.arguments[0]) if site.arguments else state.live(site.keywords.get("seed", Known(None)))
    if type(seed) not in (int, type(None)) or (type(seed) is int and not 0 <= seed < 2**32) or len(site.arguments) > 1:
        state.may_raise(site.node, "the seed may not be one")
    return Known(_generator("Generator" if name == "default_rng" else "RandomState"))


def _seed(site: CallSite, state: State) -> Value | Finding | None:
    values = [forms.real(each, state) for each in [*site.arguments, *site.keywords.values()]]
    if not values:
        return Known(None)
    if safe.ABSENT in values or len(values) > 1 or values[0] is None:
        state.may_raise(site.node, "the seed may not be one")
        return Known(None)
    return running.content(lambda: _generator("RandomState").seed(values[0]), LIBRARY, state.level(*site.arguments))


def _shuffle(kind: str, site: CallSite, state: State) -> Value | Finding | None:
    if len(site.arguments) != 1 or site.keywords:
        return None
    value = site.arguments[0]
    form = state.form(value)
    if forms.is_array(form) or (tensors.is_ndarray(form) and form.dtype.kind == "O"):
        if not form.ndim or not form.flags.writeable:
            state.may_raise(site.node, "it may not be possible to shuffle the array")
        state.content_changed(value)
        return Known(None)
    found = state.live(value)
    if type(found) is list:
        copy = state.writable(value)
        if copy is safe.ABSENT:
            return None
        copy[:] = [forms.unknown_hole()] * len(copy)
        return Known(None)
    if safe.one_of(type(found), (tuple, str, int, float)) and state.plain(value) is not safe.ABSENT:
        answer = running.content(lambda: _generator(kind).shuffle(found), LIBRARY, state.level(value), "type error")
        return answer if isinstance(answer, Finding) else None
    return None


def _drawn(kind: str, name: str, site: CallSite, state: State) -> Value | Finding | None:
    """Draw with our own generator; if much is drawn, draw little and tell the shape."""
    operands = [forms.operand(each, state, _MAX_POPULATION) for each in site.arguments]
    named = {key: forms.operand(each, state, _MAX_POPULATION) for key, each in site.keywords.items()}
    for each in [*site.arguments, *site.keywords.values()]:
        if _is_foreign(each, state):
            return None
    if any(each is None for each in [*operands, *named.values()]):
        state.may_raise(site.node, "random.{} may raise".format(name))
        return UNKNOWN
    known = all(each is not None and each.known for each in [*operands, *named.values()])
    arguments = [_handed(each) for each in operands]
    keywords = {key: _handed(each) for key, each in named.items()}
    if any(each is safe.ABSENT for each in [*arguments, *keywords.values()]):
        return _whole(name, site, state)
    if not known:
        state.may_raise(site.node, "random.{} may raise".format(name))
        place = _SIZE_AT.get(name, 99)
        sizes = [each for each in [named.get("size"), *operands[place : place + 1]] if each is not None]
        if name in _LENGTHS_FIRST or any(not each.known for each in sizes):
            return Foreign("numpy")
        if name in ("choice", "randint", "integers", "permutation"):
            return _whole(name, site, state) if name == "permutation" else UNKNOWN
    drawn = _count(name, arguments, keywords)
    if drawn is None:
        state.may_raise(site.node, "random.{} may raise".format(name))
        return UNKNOWN
    if drawn > _MAX_DRAWN:
        return _much(kind, name, arguments, keywords, site, state)
    method = getattr(type(_generator(kind)), name, None)
    if method is None:
        return None
    level = state.level(*site.arguments, *site.keywords.values())
    answer = running.content(
        lambda: method(_generator(kind), *arguments, **keywords), LIBRARY, level, "value error", forms.value_of
    )
    if isinstance(answer, Finding) and not known:
        return UNKNOWN
    return answer


def _is_foreign(value: Value, state: State) -> bool:
    from . import array_functions

    return array_functions._may_run_code(value, state)


def _handed(each: forms.Operand | None) -> Any:
    """Return an operand to draw with: ones for an array that is not known."""
    assert each is not None
    if each.known:
        return each.object
    if tensors.is_ndarray(each.object):
        found = forms.filled(forms.shape_of(each.object), each.object.dtype)
        return safe.ABSENT if found is None else found
    return safe.ABSENT if safe.one_of(type(each.object), (list, tuple)) else each.object


def _whole(name: str, site: CallSite, state: State) -> Value:
    """``permutation`` of a large array has its structure."""
    state.may_raise(site.node, "random.{} may raise".format(name))
    form = state.form(site.arguments[0], "shape", "dtype") if name == "permutation" and site.arguments else None
    if form is not None and forms.is_array(form) and form.ndim:
        return forms.like(forms.shape_of(form), form.dtype)
    return UNKNOWN


def _lengths(name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Return the shape that is asked for; None if none is, ABSENT if that is not told."""
    if name in _LENGTHS_FIRST:
        return tuple(arguments)
    if "size" in keywords:
        return keywords["size"]
    place = _SIZE_AT.get(name)
    return arguments[place] if place is not None and place < len(arguments) else None


_SIZE_AT = {
    **dict.fromkeys(["random", "random_sample", "ranf", "sample", "standard_normal", "standard_cauchy"], 0),
    **dict.fromkeys(["choice", "poisson", "exponential", "geometric", "chisquare", "dirichlet", "weibull", "zipf"], 1),
    **dict.fromkeys(["pareto", "power", "rayleigh", "standard_t", "standard_gamma", "logseries"], 1),
    "standard_exponential": 0,
    **dict.fromkeys(["randint", "integers", "normal", "uniform", "binomial", "beta", "gamma", "lognormal"], 2),
    **dict.fromkeys(["laplace", "logistic", "multinomial", "vonmises", "gumbel", "negative_binomial", "wald"], 2),
    **dict.fromkeys(["multivariate_normal", "noncentral_chisquare"], 2),
    **dict.fromkeys(["triangular", "hypergeometric"], 3),
}


def _count(name: str, arguments: list[Any], keywords: dict[str, Any]) -> int | None:
    """Return how many numbers are drawn, or more; None if that is not told."""
    lengths = _lengths(name, arguments, keywords)
    sizes = lengths if safe.one_of(type(lengths), (list, tuple)) else [] if lengths is None else [lengths]
    product = 1
    for each in sizes:
        if type(each) is int or (forms.is_scalar(each) and each.dtype.kind in "iu"):
            product *= max(1, min(abs(int(each)), 10**12))
        elif not safe.one_of(type(each), (float, str, tuple, list)):
            return None
    others = [each for each in [*arguments, *keywords.values()] if each is not lengths]
    population = max([forms.size_of(each) for each in others] or [1])
    if name in ("permutation", "choice") and arguments and type(arguments[0]) is int:
        population = max(population, abs(arguments[0]))
        if population > _MAX_POPULATION * 10:
            return None
        return product
    if name == "multivariate_normal" and population > 1000:
        return None
    return product * (population if name not in ("choice", "permutation") else 1)


def _much(
    kind: str, name: str, arguments: list[Any], keywords: dict[str, Any], site: CallSite, state: State
) -> Value | Finding | None:
    """Draw one number for each that is asked for along an axis."""
    lengths = _lengths(name, arguments, keywords)
    sizes = tuple(lengths) if safe.one_of(type(lengths), (list, tuple)) else (lengths,)
    if not all((type(each) is int or forms.is_scalar(each)) and each >= 0 for each in sizes) or name in (
        "choice",
        "permutation",
        "multivariate_normal",
        "dirichlet",
        "multinomial",
    ):
        state.may_raise(site.node, "random.{} may raise".format(name))
        return UNKNOWN
    few = (1,) * len(sizes)
    rest = [few if each is lengths and name not in _LENGTHS_FIRST else each for each in arguments]
    if name in _LENGTHS_FIRST:
        rest = list(few)
    named = {key: few if key == "size" else each for key, each in keywords.items()}
    method = getattr(type(_generator(kind)), name, None)
    if method is None or any(tensors.is_ndarray(each) for each in [*rest, *named.values()]):
        state.may_raise(site.node, "random.{} may raise".format(name))
        return UNKNOWN
    answer = running.content(lambda: method(_generator(kind), *rest, **named), LIBRARY, SCHEMA, "value error")
    if isinstance(answer, Finding) or answer is None:
        return answer
    found: Any = answer.object if type(answer) is Known else None
    if not tensors.is_ndarray(found):
        return UNKNOWN
    shape = tuple(int(each) for each in sizes)
    size = found.dtype.itemsize
    for each in shape:
        size *= each
    if size > 2**60:
        return None
    if size > 2**31:
        state.may_raise(site.node, "it may not fit into memory")
    return forms.like(shape, found.dtype)


HANDLERS: dict[str, list[Any]] = {"attribute": [attribute], "call": [call]}
