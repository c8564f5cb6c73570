"""Which probe could settle what the walk leaves open."""

from __future__ import annotations

import ast
import types

from .. import safe
from ..privacy import SCHEMA
from ..probes import callables, models
from ..readers import blocks, sklearn_estimators, tensors
from .sites import CallSite, is_starred
from .state import State
from .values import Known, Like, Made, Value

# Source: the pandas reference, `Series.astype`, and numpy's, "Data type objects".
_CASTS = {"int": "astype(int)", "int64": "astype(int)", "float": "astype(float)", "float64": "astype(float)"}
_CONVERTERS = {"to_numeric": "to_numeric", "to_datetime": "to_datetime"}
_JOINING = {
    "concatenate": "concatenate",
    "cat": "concatenate",
    "vstack": "vstack",
    "hstack": "hstack",
    "stack": "stack",
}
_OPERATIONS = {"dot": "matmul", "matmul": "matmul", "mm": "matmul"}
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


def item_path(owner: Value, key: object, level: str, state: State) -> str | None:
    """Return the path of ``owner[key]`` for a probe, if it has one and may be told.

    Args:
        owner: What is subscripted.
        key: The key, an exact built-in value.
        level: The lowest privacy level at which the key may be told.
        state: The walk's state.
    """
    path = owner.path if type(owner) is Known and state.tells(level) else None
    return "{}[{!r}]".format(path, key) if path is not None and type(key) in (int, str) else None


def path_of(value: Value | None, state: State) -> str | None:
    """Return how a probe reaches a value as it is at this point of the walk, or None."""
    if type(value) is Known:
        return value.path if state.live(value) is not safe.ABSENT else None
    if type(value) is Like:
        return value.path if state.form(value) is value.object else None
    return value.facts.get("path") if type(value) is Made else None


def about_operator(node: ast.AST, op: ast.operator, left: Value, right: Value, state: State) -> None:
    """Note which probe could tell whether an operator on two arrays raises."""
    operation = "matmul" if isinstance(op, ast.MatMult) else "broadcast" if isinstance(op, _ARITHMETIC) else ""
    _ask_to_combine(node, operation, left, right, state)


def about_call(site: CallSite, callee: object, state: State) -> None:
    """Note which probe could tell whether a call raises."""
    if _about_cast(site, callee, state) or _about_arrays(site, state):
        return
    owner_path = site.owner.path if type(site.owner) is Known else None
    owner = state.live(site.owner)
    first = site.arguments[0] if site.arguments else site.keywords.get("X")
    first_path = path_of(first, state)
    if owner_path is not None and sklearn_estimators.is_estimator(owner):
        state.ask(site.node, "estimator", {"path": owner_path}, {"method": site.method, "data": first_path})
        return
    path = site.callee.path if type(site.callee) is Known else None
    if path is not None and models.is_torch_module(callee):
        state.ask(site.node, "layers", {"path": path}, {"data": first_path})
        return
    # What is starred brings a number of arguments, or keywords, that the target does not show.
    told = site.complete and (state.tells(SCHEMA) or not is_starred(site.node))
    if path is not None and told and type(callee) is types.FunctionType and callables.wrapped(callee):
        arguments = {"path": path, "positional": len(site.arguments), "keywords": list(site.keywords)}
        state.ask(site.node, "signature", arguments, {"wrapped": True})


def _about_cast(site: CallSite, callee: object, state: State) -> bool:
    """Ask `cast` about ``series.astype(int)``, ``pd.to_numeric(series)`` and their like, with no other argument."""
    if len(site.arguments) != 1 or site.keywords or not site.complete:
        return False
    if site.method == "astype":
        wanted = state.live(site.arguments[0])
        name = wanted if type(wanted) is str else safe.class_name(wanted) if type(wanted) is type else ""
        converted, to = site.owner, _CASTS.get(name, "")
    else:
        converted, to = site.arguments[0], _CONVERTERS.get(site.method, "") if safe.comes_from(callee, "pandas") else ""
    path = path_of(converted, state)
    is_column = blocks.is_series(state.form(converted))
    if path is None or not to or not is_column:
        return False
    state.ask(site.node, "cast", {"path": path, "to": to}, {})
    return True


def _about_arrays(site: CallSite, state: State) -> bool:
    """Ask `combine` about ``np.concatenate([a, b])``, ``np.dot(a, b)`` and their like, with no other argument."""
    module = state.live(site.owner)
    if module is safe.ABSENT or not safe.one_of(type(module), (types.ModuleType,)) or site.keywords:
        return False
    if not any(module is safe.loaded(name) for name in ("numpy", "torch")):
        return False
    if site.method in _OPERATIONS and len(site.arguments) == 2:
        return _ask_to_combine(site.node, _OPERATIONS[site.method], *site.arguments, state)
    if site.method not in _JOINING or len(site.arguments) != 1:
        return False
    operation, several = _JOINING[site.method], site.arguments[0]
    path = path_of(several, state)
    if path is not None:
        state.ask(site.node, "combine", {"operation": operation, "left": path}, {})
        return True
    display = site.node.args[0]
    names = [each.id for each in display.elts if isinstance(each, ast.Name)] if isinstance(display, ast.List) else []
    if len(names) != 2 or len(names) != len(display.elts):  # type: ignore[attr-defined]
        return False
    return _ask_to_combine(site.node, operation, state.read(names[0]), state.read(names[1]), state)


def _ask_to_combine(node: ast.AST, operation: str, left: Value, right: Value, state: State) -> bool:
    paths = path_of(left, state), path_of(right, state)
    if not operation or None in paths or not all(tensors.is_array(state.live(each)) for each in (left, right)):
        return False
    state.ask(node, "combine", {"operation": operation, "left": paths[0], "right": paths[1]}, {})
    return True
