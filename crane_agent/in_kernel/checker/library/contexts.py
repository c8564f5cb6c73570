"""Context managers of libraries that leave the cell's values alone, and let every exception through.

Those of settings are followed for settings that other answers do not depend on: how things are shown, and which
warnings of numpy's are not raised. To add one, put it into `_MANAGERS`.

Sources: the pandas user guide, "Options and settings"; the numpy reference, `errstate` and `printoptions`; the Python
library reference, `warnings.catch_warnings`, `contextlib.nullcontext`, `tempfile.TemporaryDirectory`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ..sites import CallSite, Finding, ValueSite
from ..values import Foreign, Known, Made, Value
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = ""

_KIND = "library context"


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Make one; nothing is set before it is entered."""
    found: Any = state.live(site.callee)
    if not site.complete or found is safe.ABSENT:
        return None
    for (module, name), made in _MANAGERS.items():
        if found is safe.loaded(module, name) and _is_own(found, module):
            return made(site, state)
    return None


def _is_own(callee: Any, package: str) -> bool:
    """Whether a class or function is the library's own; of one that `contextmanager` made, what is in it."""
    if safe.inherits(type(callee), type):
        return safe.class_module(callee).lstrip("_").partition(".")[0] in (package, "py_warnings")
    inner = (safe.instance_dict(callee) or {}).get("__wrapped__") if type(callee) is types.FunctionType else None
    return safe.comes_from(callee, "contextlib") and safe.comes_from(inner, package)


def enter(site: ValueSite, state: State) -> Value | Finding | None:
    """Enter one."""
    if type(site.value) is not Made or site.value.kind != _KIND:
        return None
    for check in site.value.facts["checks"]:
        answer = check()
        if isinstance(answer, Finding):
            return answer
        if answer is None:
            state.may_raise(site.node, "entering the block may raise")
    binds: Value = site.value.facts["binds"]
    return binds


def _made(package: str, binds: Value, checks: tuple[Callable[[], object], ...] = ()) -> Made:
    return Made(_KIND, package=package, binds=binds, checks=checks)


def _option_context(site: CallSite, state: State) -> Value | Finding | None:
    """``pd.option_context('display.max_rows', 10)``: pandas' own validator is asked about each value."""
    registered: Any = safe.loaded("pandas._config.config", "_registered_options")
    deprecated: Any = safe.loaded("pandas._config.config", "_deprecated_options")
    given = [state.live(each) for each in site.arguments]
    keys, values = given[::2], given[1::2]
    if any(type(each) is str and each.startswith(_DECIDING) for each in keys) or not given:
        state.doubt(site.node, "effects", "this option decides what other lines do")
        return None
    if len(keys) != len(values) or type(registered) is not dict or type(deprecated) is not dict or site.keywords:
        return None
    checks: list[Callable[[], object]] = []
    for key, value in zip(keys, values):
        option = registered.get(key) if type(key) is str and key in _SHOWN else None
        if option is None or key in deprecated or option.cb is not None or not safe.one_of(type(value), safe.SCALARS):
            return None
        if not safe.comes_from(option.validator, "pandas"):
            return None
        checks.append(lambda validate=option.validator, value=value: running.content(lambda: validate(value), "pandas"))  # type: ignore[misc]
    return _made("pandas", Known(None), tuple(checks))


_DECIDING = ("mode.", "future.", "compute.")
_SHOWN = frozenset(
    "display." + name
    for name in (
        "max_rows max_columns min_rows width max_colwidth precision expand_frame_repr show_dimensions multi_sparse "
        "colheader_justify large_repr max_info_columns max_info_rows max_categories notebook_repr_html max_seq_items"
    ).split()
)


def _errstate(site: CallSite, state: State) -> Value | None:
    """``np.errstate(divide='ignore')``: with ``raise`` numpy would raise what it is not asked for here."""
    actions = [state.live(each) for each in site.keywords.values()]
    names = {"all", "divide", "over", "under", "invalid"}
    if site.arguments or not set(site.keywords) <= names or not all(_is_quiet(each) for each in actions):
        return None
    return _made("numpy", Known(None))


def _is_quiet(action: object) -> bool:
    return type(action) is str and action in ("ignore", "warn")


def _printoptions(site: CallSite, state: State) -> Value | None:
    """``np.printoptions(precision=3, suppress=True)``."""
    kinds: dict[str, type] = dict.fromkeys(("precision", "threshold", "edgeitems", "linewidth"), int)
    kinds["suppress"] = bool
    fits = all(type(state.live(each)) is kinds.get(name) for name, each in site.keywords.items())
    numbers = [state.live(each) for each in site.keywords.values()]
    small = all(0 <= each < 2**31 for each in numbers if type(each) is int)
    return _made("numpy", Foreign("numpy")) if fits and small and not site.arguments else None


def _catch_warnings(site: CallSite, state: State) -> Value | None:
    """``warnings.catch_warnings()``: the filters are kept for later, none is set."""
    record = state.live(site.keywords["record"]) if "record" in site.keywords else False
    if site.arguments or not set(site.keywords) <= {"record"} or type(record) is not bool:
        return None
    return _made("warnings", Foreign("builtins") if record else Known(None))


def _nullcontext(site: CallSite, state: State) -> Value | None:
    several = [*site.arguments, *site.keywords.values()]
    if len(several) > 1 or not set(site.keywords) <= {"enter_result"}:
        return None
    return _made("contextlib", several[0] if several else Known(None))


def _temporary_directory(site: CallSite, state: State) -> Value | None:
    if site.arguments or site.keywords:
        return None
    state.files_may_change = True
    state.may_raise(site.node, "TemporaryDirectory() may raise")
    return _made("tempfile", Made("text"))


_MANAGERS: dict[tuple[str, str], Callable[[CallSite, Any], Value | Finding | None]] = {
    ("pandas", "option_context"): _option_context,
    ("numpy", "errstate"): _errstate,
    ("numpy", "printoptions"): _printoptions,
    ("warnings", "catch_warnings"): _catch_warnings,
    ("contextlib", "nullcontext"): _nullcontext,
    ("tempfile", "TemporaryDirectory"): _temporary_directory,
}

HANDLERS: dict[str, list[Any]] = {"call": [call], "enter": [enter]}
