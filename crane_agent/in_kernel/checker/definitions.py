"""Where the user's functions are written, and which names are their own.

A function of the notebook is followed by its source, as IPython keeps it for tracebacks: under a file name that holds a
hash of the cell, so that it is the text that the function was compiled from. Source: the IPython documentation,
`IPython.core.compilerop`; the Python library reference, `linecache`.
"""

from __future__ import annotations

import ast
import linecache
import types
from typing import Any

from .library import running

Definition = Any
"""`ast.FunctionDef` or `ast.Lambda`."""

MAX_SOURCE = 200_000


class Sources:
    """The cells that functions are written in, each parsed once in a walk."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.AST | None] = {}

    def definition_of(self, function: types.FunctionType) -> Definition | None:
        """Return the definition of a function of the notebook; None if it is not found, or not plain.

        A plain one has no decorators, and its calls run its body: it is no generator and no coroutine.
        """
        code = function.__code__
        # Source: the Python library reference, `inspect`, "Code Objects Bit Flags": generators and coroutines.
        if code.co_flags & (0x20 | 0x80 | 0x100 | 0x200):
            return None
        tree = self._tree(code.co_filename)
        kind = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
        found = [
            node
            for node in ([] if tree is None else ast.walk(tree))
            if isinstance(node, kind)
            and node.lineno == code.co_firstlineno
            and getattr(node, "name", "<lambda>") == code.co_name
            and parameters(node) == code.co_varnames[: len(parameters(node))]
        ]
        if len(found) != 1 or getattr(found[0], "decorator_list", None):
            return None
        return found[0]

    def _tree(self, filename: str) -> ast.AST | None:
        if filename not in self._trees:
            entry = linecache.cache.get(filename)
            self._trees[filename] = None
            if type(entry) is tuple and len(entry) == 4 and type(entry[2]) is list:
                text = "".join(entry[2])
                if len(text) <= MAX_SOURCE:
                    self._trees[filename] = _parsed(text)
        return self._trees[filename]


def _parsed(text: str) -> ast.AST | None:
    try:
        with running.quiet():
            return ast.parse(text, "crane_agent")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parameters(node: Definition) -> tuple[str, ...]:
    """Return the names of a function's parameters, in the order of its variables."""
    taken = node.args
    several = [*getattr(taken, "posonlyargs", ()), *taken.args, *taken.kwonlyargs]
    return tuple(each.arg for each in [*several, taken.vararg, taken.kwarg] if each is not None)


def is_plain(node: Definition) -> bool:
    """Whether calling a function runs its body, once: it does not yield."""
    return not isinstance(node, ast.AsyncFunctionDef) and not any(
        isinstance(each, (ast.Yield, ast.YieldFrom, ast.Await)) for each in _own_nodes(node)
    )


def own_names(node: Definition) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a function binds for itself, and those that it declares ``global``.

    Source: the Python language reference, "Naming and binding".
    """
    bound = set(parameters(node))
    shared: set[str] = set()
    outside: set[str] = set()
    for each in _own_nodes(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            bound.add(each.id)
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(each.name)
        elif isinstance(each, ast.alias):
            bound.add((each.asname or each.name).partition(".")[0])
        elif isinstance(each, ast.ExceptHandler) and each.name:
            bound.add(each.name)
        elif isinstance(each, ast.Global):
            shared.update(each.names)
        elif isinstance(each, ast.Nonlocal):
            outside.update(each.names)
    return frozenset(bound - shared - outside), frozenset(shared)


def has_nonlocal(node: Definition) -> bool:
    """Whether a function rebinds names of functions around it."""
    return any(isinstance(each, ast.Nonlocal) for each in ast.walk(node))


def _own_nodes(node: Definition) -> list[ast.AST]:
    """Return the nodes of a function's body that are not of a function or class in it, but for their names."""
    waiting: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    found: list[ast.AST] = []
    while waiting:
        each = waiting.pop()
        found.append(each)
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting.extend([*each.decorator_list, *each.args.defaults])
        elif isinstance(each, ast.ClassDef):
            waiting.extend([*each.decorator_list, *each.bases])
        elif isinstance(each, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            # What a comprehension binds is its own, but for what a walrus in it binds.
            waiting.append(each.generators[0].iter)
            found += [inner.target for inner in ast.walk(each) if isinstance(inner, ast.NamedExpr)]
        elif not isinstance(each, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(each))
    return found
