"""Numbers, calls and definitions that the cells' own text tells."""

import ast
import operator
from collections.abc import Callable, Collection, Iterator, Mapping

from crane_agent.agent.repairs.patch import Script
from crane_agent.agent.repairs.site import Site, called, keyword

_DEEP = 6
_LARGEST = 10**12
_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda one, other: one // other if other else _LARGEST,
}


def number_of(node: ast.AST | None, site: Site, *, deep: int = _DEEP) -> int | None:
    """Return the whole number that an expression is, by literals and names that the cells bind; None if unknown."""
    match node:
        case ast.Constant(value=value) if type(value) is int:
            return value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            one, other = number_of(left, site, deep=deep - 1), number_of(right, site, deep=deep - 1)
            if one is None or other is None or max(abs(one), abs(other)) > _LARGEST:
                return None
            return _OPERATORS[type(op)](one, other)
        case ast.Name(id=name) if deep > 0:
            for _, statement in site.bindings(name):
                return number_of(statement.value, site, deep=deep - 1)
    return None


def numbers_of(node: ast.AST | None, site: Site) -> tuple[int, ...] | None:
    """Return the whole numbers of a tuple or list, as `number_of`; None if one is unknown."""
    if isinstance(node, ast.Name):
        node = next((statement.value for _, statement in site.bindings(node.id)), None)
    if not isinstance(node, ast.Tuple | ast.List):
        return None
    found = [number_of(each, site) for each in node.elts]
    return tuple(each for each in found if each is not None) if None not in found else None


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """Return an argument of a call by its place, else by its name."""
    found = keyword(call, name)
    if found is not None:
        return found.value
    is_plain = len(call.args) > place and not any(isinstance(each, ast.Starred) for each in call.args[: place + 1])
    return call.args[place] if is_plain else None


def calls_of(site: Site, names: Collection[str]) -> Iterator[tuple[Script, ast.Call]]:
    """Yield the calls of what has one of these names: of the target, then of executed cells, the last one first."""
    for script in site.scripts:
        for node in ast.walk(script.tree):
            if isinstance(node, ast.Call) and called(node) in names:
                yield script, node


def defined_as(script: Script, text: str) -> ast.expr | None:
    """Return what a name or an attribute is bound to in a cell, by its text, e.g. ``self.fc1``."""
    wanted = "".join(text.split())
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Assign) and any("".join(script.text(each).split()) == wanted for each in node.targets):
            return node.value
    return None
