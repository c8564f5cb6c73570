"""Where the user's functions are written, and which names are their own.

A function of the notebook is followed by its source, as IPython keeps it for tracebacks: under a file name that holds a
hash of the cell, so that it is the text that the function was compiled from. Source: the IPython documentation,
`IPython.core.compilerop`; the Python library reference, `linecache`.
"""

from __future__ import annotations

import ast
import copy
import linecache
import sys
import types
from typing import Any, FrozenSet, NamedTuple

from .library import running

Definition = Any
"""`ast.FunctionDef` or `ast.Lambda`."""

MAX_SOURCE = 200_000


class Facts(NamedTuple):
    """What can be told of a function by its definition.

    Attributes:
        own: Names that it binds for itself.
        declared: Names that it declares ``global``.
        rebinds: Whether it, or what is in it, rebinds names of functions around.
        plain: Whether calling it runs its body, once.
        generates: Whether calling it gives a generator.
    """

    own: FrozenSet[str]
    declared: FrozenSet[str]
    rebinds: bool
    plain: bool
    generates: bool


class Sources:
    """The cells that functions are written in, each parsed once in a walk."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.AST | None] = {}
        # By the id of a code object or a definition, which is kept, too.
        self._found: dict[int, tuple[types.CodeType, Definition | None]] = {}
        self._facts: dict[int, tuple[Definition, Facts]] = {}

    def facts_of(self, node: Definition) -> Facts:
        """Return what can be told of a function by its definition."""
        if id(node) not in self._facts:
            own, declared = own_names(node)
            facts = Facts(own, declared, has_nonlocal(node), is_plain(node), is_generator(node))
            self._facts[id(node)] = node, facts
        return self._facts[id(node)][1]

    def definition_of(self, function: types.FunctionType) -> Definition | None:
        """Return the definition of a function of the notebook; None if it is not found, or a coroutine's.

        It is what runs when this object is called: what decorators made of it is another object.
        """
        code = function.__code__
        if id(code) not in self._found:
            self._found[id(code)] = code, self._definition_of(code)
        return self._found[id(code)][1]

    def _definition_of(self, code: types.CodeType) -> Definition | None:
        # Source: the Python library reference, `inspect`, "Code Objects Bit Flags": generators and coroutines.
        if code.co_flags & (0x80 | 0x100 | 0x200):
            return None
        tree = self._tree(code.co_filename)
        kind = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
        found = [
            node
            for node in ([] if tree is None else ast.walk(tree))
            if isinstance(node, kind)
            and first_line(node) == code.co_firstlineno
            and getattr(node, "name", "<lambda>") == code.co_name
            and parameters(node) == code.co_varnames[: len(parameters(node))]
        ]
        return found[0] if len(found) == 1 else None

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


def first_line(node: Definition) -> int:
    """Return the line that a function's code begins at: that of its first decorator."""
    first: int = min(each.lineno for each in [node, *getattr(node, "decorator_list", ())])
    return first


def stub(node: Definition, qualname: str) -> types.FunctionType | None:
    """Return a function with the parameters of a definition, and their defaults None; None if its name is not known."""
    if not qualname:
        return None
    taken = copy.copy(node.args)
    nothing = ast.Constant(None)
    taken.defaults = [nothing for _ in taken.defaults]
    taken.kw_defaults = [None if each is None else nothing for each in taken.kw_defaults]
    for name in ("posonlyargs", "args", "kwonlyargs"):
        setattr(taken, name, [ast.arg(each.arg) for each in getattr(taken, name, ())])
    taken.vararg, taken.kwarg = (each and ast.arg(each.arg) for each in (taken.vararg, taken.kwarg))
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(taken, nothing)))
    found: types.FunctionType = eval(compile(tree, "crane_agent", "eval"), {})
    found.__name__ = found.__qualname__ = qualname
    if sys.version_info < (3, 10):
        found.__code__ = found.__code__.replace(co_name=qualname.rpartition(".")[2])
    return found


def parameters(node: Definition) -> tuple[str, ...]:
    """Return the names of a function's parameters, in the order of its variables."""
    taken = node.args
    several = [*getattr(taken, "posonlyargs", ()), *taken.args, *taken.kwonlyargs]
    return tuple(each.arg for each in [*several, taken.vararg, taken.kwarg] if each is not None)


def is_plain(node: Definition) -> bool:
    """Whether calling a function runs its body, once: it does not yield."""
    return not isinstance(node, ast.AsyncFunctionDef) and not any(
        isinstance(each, (ast.Yield, ast.YieldFrom, ast.Await)) for each in own_nodes(node)
    )


def is_generator(node: Definition) -> bool:
    """Whether calling a function gives a generator."""
    kinds = tuple(type(each) for each in own_nodes(node))
    yields = any(kind is ast.Yield or kind is ast.YieldFrom for kind in kinds)
    return yields and not isinstance(node, (ast.AsyncFunctionDef, ast.Lambda)) and ast.Await not in kinds


def own_names(node: Definition) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a function binds for itself, and those that it declares ``global``.

    Source: the Python language reference, "Naming and binding".
    """
    bound = set(parameters(node))
    shared: set[str] = set()
    outside: set[str] = set()
    for each in own_nodes(node):
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


def own_nodes(node: Definition) -> list[ast.AST]:
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
