"""What the names are that a cell binds or changes, once it has come to its end."""

from __future__ import annotations

import ast
import time
import types
from typing import Any, Dict, Iterator, Optional, Set

from ..scope import names_of
from . import magics, values

MOST_NAMES = 50

_DETAILS = ("shape", "dtype", "columns", "length")

# What is in there runs when somebody calls it, or has names of its own.
_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def bound(shell: Any, tree: Optional[ast.AST], earlier: str = "") -> Dict[str, Dict[str, Any]]:
    """Return what the values are of the names that the target binds or changes at module level, the first by name.

    By the text alone: a method whose result is dropped is taken to change its object. Modules are left out.

    Args:
        shell: IPython's shell, in which the target has run.
        tree: The target's syntax tree after IPython's transformation; None if it has none.
        earlier: A cell that ran before it, as typed, whose names are told as well.

    Returns:
        By name `type`, `shape`, `dtype`, `columns` and `length`, as far as they apply; those that were too much to
        say have their type only. Names that are gone again are left out.
    """
    names = _names(tree, shell)
    if earlier:
        names |= _names(ast.parse(shell.transform_cell(earlier)), shell)
    here = [name for name in sorted(names) if name in shell.user_ns and not _is_module(shell.user_ns[name])]
    until = time.monotonic() + values.TIME_S
    found: Dict[str, Dict[str, Any]] = {}
    for name in here[:MOST_NAMES]:
        facts = values.facts_of(shell.user_ns[name], _DETAILS, until)
        found[name] = values.fitted_into(values.room_after(found), facts)
    return found


def _names(tree: Optional[ast.AST], shell: Any) -> Set[str]:
    if tree is None:
        return set()
    body = magics.body_of(tree, shell)
    tree = ast.parse(body) if body else tree
    return {*names_of(tree).binds, *_changed(tree)}


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the names through which something is stored, deleted, or a method called whose result is dropped."""
    if isinstance(node, _OTHER_SCOPES):
        return
    if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
        yield from _root(node)
    elif isinstance(node, ast.Expr):
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Call):
            yield from _root(value)
    for child in ast.iter_child_nodes(node):
        yield from _changed(child)


def _root(node: ast.AST) -> Iterator[str]:
    """Yield the name that an expression begins with: ``df`` of ``df.loc[0].x``, of ``df.copy().pop(0)``."""
    reached = node
    while True:
        if isinstance(reached, (ast.Subscript, ast.Attribute)):
            reached = reached.value
        elif isinstance(reached, ast.Call) and isinstance(reached.func, ast.Attribute):
            reached = reached.func.value
        else:
            break
    if isinstance(reached, ast.Name):
        yield reached.id


def _is_module(value: object) -> bool:
    return issubclass(type(value), types.ModuleType)
