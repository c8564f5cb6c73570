"""Which names a cell reads, binds and deletes: one analysis, used on both sides of the wire.

It works on a syntax tree, never on text, and on trees of other Python versions: a node is known by the name of
its class, so that `Match` or `TypeAlias` need not exist here (`wire.decode_tree` keeps such names in
`name_of_node`).

The rules are Python's own (language reference, "Naming and binding"): a class body is skipped by what is nested
in it, a comprehension has a scope of its own but its first iterable has not, a walrus in a comprehension binds
outside of it, the name of an ``except ... as`` is deleted at the end of its handler, decorators, defaults and
annotations are evaluated outside of their function. On top of them runs a small flow analysis of module level,
which knows at each point the names that the cell has certainly bound by now, on every path that leads there,
and those that it may have bound by now.

The body of a ``with`` is taken to run to its end where it can: few context managers swallow errors. A generator
expression is taken to run where it stands.
"""

import ast
from contextlib import contextmanager
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

# Nodes may come from another Python, so no class of `ast` describes them.
_Node = Any

_COMPREHENSIONS = frozenset(("ListComp", "SetComp", "DictComp", "GeneratorExp"))
_DEFINITIONS = frozenset(("FunctionDef", "AsyncFunctionDef", "ClassDef", "Lambda"))
_CAPTURES = {"MatchAs": "name", "MatchStar": "name", "MatchMapping": "rest"}


class Names(NamedTuple):
    """The names of one cell.

    Attributes:
        reads: Names looked up as globals that the cell has not certainly bound by itself at that point; for the
            body of a function: that the cell binds nowhere at module level. A ``del`` counts as a look-up: it
            fails in the same way. Builtins are among them.
        binds: Names that some path through the cell binds at module level.
        deletes: Names that the cell deletes at module level and does not bind again further down; a name of an
            ``except ... as`` is both bound and deleted.
        sets_globals: Names bound by ``global`` inside a function, hence only once that function runs.
        star_imports: Modules of ``from module import *``, in order, with leading dots.
        needs: The part of `reads` where the cell cannot have bound the name before, where no handler waits for
            the error, and where the code does run with the cell: without a value from elsewhere the cell fails
            there, if it gets there. Bodies of functions count if the cell itself mentions the function.
    """

    reads: FrozenSet[str]
    binds: FrozenSet[str]
    deletes: FrozenSet[str]
    sets_globals: FrozenSet[str]
    star_imports: Tuple[str, ...]
    needs: FrozenSet[str]


def names_of(tree: ast.AST) -> Names:
    """Return the names of a cell.

    Args:
        tree: The whole cell (`ast.Module`, `ast.Interactive` or `ast.Expression`), or one statement or
            expression of it, taken to stand at module level.
    """
    body = getattr(tree, "body", tree) if kind_of(tree) in ("Module", "Interactive", "Expression") else tree
    walk = _Walk(body if type(body) is list else [body])
    return walk.names()


def kind_of(node: _Node) -> str:
    """Return the name of the node's class, also where this Python has no such class."""
    return getattr(node, "name_of_node", None) or type(node).__name__


class _Found(NamedTuple):
    """What a block of code does with names, wherever in the block and in whatever order."""

    binds: Set[str]
    deletes: Set[str]
    globals: Set[str]
    nonlocals: Set[str]


class _Scope:
    """One block of code with names of its own.

    `kind` is "module", "class", "function", "comprehension" or "parameters" (type parameters, PEP 695).
    `certain` is None where the flow cannot get to.
    """

    def __init__(self, kind: str, parent: "Optional[_Scope]", found: _Found, private: str) -> None:
        self.kind = kind
        self.parent = parent
        self.bound = found.binds - found.globals - found.nonlocals
        self.globals = found.globals
        self.private = private
        self.certain: Optional[Set[str]] = set()


class _Walk:
    """One walk over a cell, in the order in which it runs."""

    def __init__(self, body: List[_Node]) -> None:
        self.module = self.scope = _Scope("module", None, _Found(set(), set(), set(), set()), "")
        self.reads: Set[str] = set()
        self.needs: Set[str] = set()
        self.binds: Set[str] = set()
        self.deletes: Set[str] = set()
        self.sets_globals: Set[str] = set()
        self.star_imports: List[str] = []
        # Look-ups from bodies of functions, by the outermost function or class that holds them ("" for lambdas).
        self.deferred: Dict[str, Set[str]] = {}
        self.owner: Optional[str] = None
        self.class_name = ""
        self.mentioned: Set[str] = set()
        # Names bound somewhere in the loops around this point; where code is conditional, an earlier round may
        # have bound them by now, and they are also in `possible_by_round`.
        self.round: FrozenSet[str] = frozenset()
        self.possible_by_round: FrozenSet[str] = frozenset()
        self.guarded = False
        self.breaks: List[List[Set[str]]] = [[]]
        self.lazy_annotations = False
        self._statements(body)

    def names(self) -> Names:
        reads, needs = set(self.reads), set(self.needs)
        for names in self.deferred.values():
            reads |= names - self.binds
        for owner in self._owners_that_run():
            needs |= self.deferred[owner] - self.binds
        return Names(
            frozenset(reads),
            frozenset(self.binds),
            frozenset(self.deletes),
            frozenset(self.sets_globals),
            tuple(self.star_imports),
            frozenset() if self.star_imports else frozenset(needs - self.sets_globals),
        )

    def _owners_that_run(self) -> Set[str]:
        """Return the functions and classes that the cell mentions, directly or through one another."""
        run: Set[str] = set()
        mentioned = self.mentioned | {""}
        while True:
            more = {owner for owner in self.deferred if owner in mentioned} - run
            if not more:
                return run
            run |= more
            mentioned = set().union(*(self.deferred[owner] for owner in more))

    # Names

    def _look_up(self, name: str) -> None:
        name = _mangled(name, self.scope.private)
        if name == "__debug__" or not self._is_global(name):
            return
        if self.owner is not None:
            self.deferred.setdefault(self.owner, set()).add(name)
            return
        self.mentioned.add(name)
        if name in (self.module.certain or ()):
            return
        self.reads.add(name)
        if not (self.guarded or self.star_imports or name in self.binds or name in self.possible_by_round):
            self.needs.add(name)

    def _is_global(self, name: str) -> bool:
        scope = self.scope
        if scope.kind == "class":
            if name in (scope.certain or ()):
                return False
            if name in scope.globals or name in scope.bound:
                return True  # a class body that has not bound its name yet looks past enclosing functions
        in_function = False
        inner = scope
        while scope.parent is not None:
            if scope.kind == "class":
                if inner.kind == "parameters" and name in (scope.certain or ()):
                    return False
                if in_function and name == "__class__":
                    return False
            elif name in scope.globals:
                return True
            elif name in scope.bound:
                return False
            in_function = in_function or scope.kind == "function"
            inner, scope = scope, scope.parent
        return True

    def _bind(self, name: str, scope: _Scope) -> None:
        name = _mangled(name, scope.private)
        if scope.kind == "module":
            self._bind_global(name)
        elif name in scope.globals:
            if self.owner is None:
                self._bind_global(name)
            else:
                self.sets_globals.add(name)
        elif scope.certain is not None:
            scope.certain.add(name)

    def _bind_global(self, name: str) -> None:
        self.binds.add(name)
        self.deletes.discard(name)
        if self.module.certain is not None:
            self.module.certain.add(name)

    def _unbind(self, name: str, scope: _Scope) -> None:
        name = _mangled(name, scope.private)
        if scope.certain is not None:
            scope.certain.discard(name)
        if scope.kind == "module":
            self.deletes.add(name)

    # Flow

    @property
    def flow(self) -> _Scope:
        """The scope whose statements are being walked: not a comprehension's, which has none."""
        scope = self.scope
        while scope.kind in ("comprehension", "parameters") and scope.parent is not None:
            scope = scope.parent
        return scope

    def _save(self) -> Optional[Set[str]]:
        certain = self.flow.certain
        return None if certain is None else set(certain)

    def _restore(self, certain: Optional[Set[str]]) -> None:
        self.flow.certain = None if certain is None else set(certain)

    def _merge(self, exits: Iterable[Optional[Set[str]]]) -> None:
        alive = [certain for certain in exits if certain is not None]
        self._restore(set.intersection(*alive) if alive else None)

    @contextmanager
    def _conditional(self) -> Iterator[None]:
        """Code that an earlier round of a loop may have passed by."""
        before = self.possible_by_round
        self.possible_by_round = self.round
        yield
        self.possible_by_round = before

    @contextmanager
    def _inside(self, scope: _Scope) -> Iterator[None]:
        outer = self.scope
        self.scope = scope
        yield
        self.scope = outer

    @contextmanager
    def _later(self, owner: str) -> Iterator[None]:
        """Code that runs when somebody calls it."""
        before = self.owner
        if before is None:
            self.owner = self.class_name or owner
        yield
        self.owner = before

    def _found(self, nodes: Iterable[_Node], private: Optional[str] = None) -> _Found:
        return _found_in(nodes, self.scope.private if private is None else private)

    # Walking

    def _statements(self, body: Iterable[_Node]) -> None:
        for statement in body:
            if self.flow.certain is None:
                return
            self._visit(statement)

    def _visit(self, node: Optional[_Node]) -> None:
        # Expressions nest deeply (a sum of a thousand strings), so their walk is a loop.
        pending = [node] if node is not None else []
        while pending:
            node = pending.pop()
            visitor = getattr(self, "visit_" + kind_of(node), None)
            if visitor is not None:
                visitor(node)
            else:
                pending.extend(reversed(_children(node)))

    def _visit_all(self, nodes: Iterable[Optional[_Node]]) -> None:
        for node in nodes:
            self._visit(node)

    # Expressions

    def visit_Name(self, node: _Node) -> None:
        context = kind_of(node.ctx)
        if context == "Store":
            self._bind(node.id, self.scope)
            return
        self._look_up(node.id)
        if context == "Del":
            self._unbind(node.id, self.scope)

    def visit_NamedExpr(self, node: _Node) -> None:
        self._visit(node.value)
        self._bind(node.target.id, self.flow)

    def visit_BoolOp(self, node: _Node) -> None:
        self._visit(node.values[0])
        after_first = self._save()
        with self._conditional():
            self._visit_all(node.values[1:])
        self._restore(after_first)

    def visit_IfExp(self, node: _Node) -> None:
        exits = []
        with self._conditional():
            while kind_of(node) == "IfExp":
                self._visit(node.test)
                before = self._save()
                self._visit(node.body)
                exits.append(self._save())
                self._restore(before)
                node = node.orelse
            self._visit(node)
        self._merge([*exits, self._save()])

    def visit_Lambda(self, node: _Node) -> None:
        self._visit_all(_defaults(node.args))
        self._function(node, [node.body], owner="")

    def _comprehension(self, node: _Node) -> None:
        first, *others = node.generators
        self._visit(first.iter)
        bound = self._found(generator.target for generator in node.generators)
        before = self._save()
        with self._inside(_Scope("comprehension", self.scope, bound, self.scope.private)), self._conditional():
            self._visit_all([first.target, *first.ifs])
            for generator in others:
                self._visit_all([generator.iter, generator.target, *generator.ifs])
            self._visit_all(getattr(node, field, None) for field in ("elt", "key", "value"))
        self._restore(before)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _capture(self, node: _Node) -> None:
        self._visit_all(_children(node))
        name = getattr(node, _CAPTURES[kind_of(node)], None)
        if name is not None:
            self._bind(name, self.scope)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _capture

    # Simple statements

    def visit_Assign(self, node: _Node) -> None:
        if kind_of(node.value) == "Lambda" and kind_of(node.targets[0]) == "Name":
            self._visit_all(_defaults(node.value.args))
            self._function(node.value, [node.value.body], owner=node.targets[0].id)
        else:
            self._visit(node.value)
        self._visit_all(node.targets)

    def visit_AugAssign(self, node: _Node) -> None:
        if kind_of(node.target) == "Name":
            self._look_up(node.target.id)
            self._visit(node.value)
            self._visit(node.target)
        else:
            self._visit_all([node.target, node.value])

    def visit_AnnAssign(self, node: _Node) -> None:
        self._visit(node.value)
        if node.value is not None or kind_of(node.target) != "Name":
            self._visit(node.target)
        if self.flow.kind != "function":
            self._annotation(node.annotation)

    def _annotation(self, node: Optional[_Node]) -> None:
        if not self.lazy_annotations:
            self._visit(node)

    def visit_Import(self, node: _Node) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0], self.scope)

    def visit_ImportFrom(self, node: _Node) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.star_imports.append("." * (node.level or 0) + (node.module or ""))
            else:
                self._bind(alias.asname or alias.name, self.scope)
                self.lazy_annotations |= node.module == "__future__" and alias.name == "annotations"

    def _leave(self, node: _Node) -> None:
        self._visit_all(_children(node))
        self.flow.certain = None

    visit_Raise = visit_Return = _leave

    def visit_Break(self, node: _Node) -> None:
        self.breaks[-1].append(self._save() or set())
        self.flow.certain = None

    def visit_Continue(self, node: _Node) -> None:
        self.flow.certain = None

    # Compound statements

    def visit_If(self, node: _Node) -> None:
        exits = []
        self._visit(node.test)
        with self._conditional():
            while True:
                before = self._save()
                self._statements(node.body)
                exits.append(self._save())
                self._restore(before)
                if len(node.orelse) != 1 or kind_of(node.orelse[0]) != "If":
                    break
                node = node.orelse[0]  # a long chain of elif nests deeply
                self._visit(node.test)
            self._statements(node.orelse)
        self._merge([*exits, self._save()])

    def _for(self, node: _Node) -> None:
        self._visit(node.iter)
        self._loop(node, header=[node.target])

    visit_For = visit_AsyncFor = _for

    def visit_While(self, node: _Node) -> None:
        self._loop(node, header=[])

    def _loop(self, node: _Node, header: List[_Node]) -> None:
        found = self._found([*header, *node.body])
        round_before = self.round
        self._restore((self._save() or set()) - found.deletes)
        if kind_of(node) == "While":
            self._visit(node.test)
        exhausted = None if _is_forever(node) else self._save()
        self.breaks.append([])
        with self._conditional():
            self.round |= found.binds
            self._visit_all(header)
            self._statements(node.body)
        breaks = self.breaks.pop()
        self._restore(exhausted)
        with self._conditional():
            self._statements(node.orelse)
        self.round = round_before
        self._merge([self._save(), *breaks])

    def _with(self, node: _Node) -> None:
        self._visit_all(node.items)
        before = self._save() or set()
        self._statements(node.body)
        if self.flow.certain is None:
            # ``with suppress(KeyError): return table[key]`` may go on all the same.
            self._restore(before - self._found(node.body).deletes)

    visit_With = visit_AsyncWith = _with

    def _try(self, node: _Node) -> None:
        before = self._save() or set()
        handled = [*node.body, *node.orelse, *node.handlers]
        guarded = self.guarded
        self.guarded = guarded or bool(node.handlers)
        self._statements(node.body)
        self.guarded = guarded
        interrupted = before - self._found(node.body).deletes
        with self._conditional():
            self._statements(node.orelse)
            exits = [self._save()]
            for handler in node.handlers:
                self._restore(interrupted)
                self._handler(handler)
                exits.append(self._save())
        self._merge(exits)
        if node.finalbody:
            self._finally(node.finalbody, before - self._found(handled).deletes)

    visit_Try = visit_TryStar = _try

    def _handler(self, node: _Node) -> None:
        self._visit(node.type)
        breaks = len(self.breaks[-1])
        if node.name:
            self._bind(node.name, self.scope)
        self._statements(node.body)
        if node.name:
            self._unbind(node.name, self.scope)
            for certain in self.breaks[-1][breaks:]:
                certain.discard(_mangled(node.name, self.scope.private))

    def _finally(self, body: List[_Node], interrupted: Set[str]) -> None:
        """Walk a ``finally``, which also runs after an error, and go on as after no error."""
        normal = self._save()
        self._restore(interrupted)
        self._statements(body)
        after = self._save()
        if normal is None or after is None:
            self._restore(None)
        else:
            self._restore((normal - self._found(body).deletes) | after)

    def visit_Match(self, node: _Node) -> None:
        self._visit(node.subject)
        before = self._save()
        exits = []
        with self._conditional():
            for case in node.cases:
                self._restore(before)
                self._visit_all([case.pattern, case.guard])
                self._statements(case.body)
                exits.append(self._save())
        last = node.cases[-1]
        catches_all = last.guard is None and kind_of(last.pattern) == "MatchAs" and last.pattern.pattern is None
        self._merge(exits if catches_all else [*exits, before])

    # Definitions

    def _function_statement(self, node: _Node) -> None:
        self._visit_all(node.decorator_list)
        self._visit_all(_defaults(node.args))
        with self._type_parameters(node):
            for argument in _arguments(node.args):
                self._annotation(argument.annotation)
            self._annotation(node.returns)
            self._function(node, node.body, owner=node.name)
        self._bind(node.name, self.scope)

    visit_FunctionDef = visit_AsyncFunctionDef = _function_statement

    def _function(self, node: _Node, body: List[_Node], owner: str) -> None:
        found = self._found(body)
        found.binds.update(_mangled(argument.arg, self.scope.private) for argument in _arguments(node.args))
        scope = _Scope("function", self.scope, found, self.scope.private)
        with self._inside(scope), self._later(owner):
            self._statements(body)

    def visit_ClassDef(self, node: _Node) -> None:
        self._visit_all(node.decorator_list)
        with self._type_parameters(node):
            self._visit_all([*node.bases, *node.keywords])
            private = node.name.lstrip("_")
            scope = _Scope("class", self.scope, self._found(node.body, private), private)
            scope.certain = {"__module__", "__qualname__"}
            with self._inside(scope), self._methods_of(node.name):
                self._statements(node.body)
        self._bind(node.name, self.scope)

    @contextmanager
    def _methods_of(self, name: str) -> Iterator[None]:
        """Methods run if somebody mentions the class: let the class own them, not each method itself."""
        before = self.class_name
        self.class_name = before or name
        yield
        self.class_name = before

    def visit_TypeAlias(self, node: _Node) -> None:
        with self._type_parameters(node):
            self._lazily([node.value])
        self._visit(node.name)

    @contextmanager
    def _type_parameters(self, node: _Node) -> Iterator[None]:
        parameters = getattr(node, "type_params", None) or []
        if not parameters:
            yield
            return
        names = {_mangled(parameter.name, self.scope.private) for parameter in parameters}
        found = _Found(names, set(), set(), set())
        with self._inside(_Scope("parameters", self.scope, found, self.scope.private)):
            for parameter in parameters:
                self._lazily([getattr(parameter, "bound", None), getattr(parameter, "default_value", None)])
            yield

    def _lazily(self, nodes: List[Optional[_Node]]) -> None:
        """Walk what Python evaluates only when it is asked for: bounds of type parameters, values of aliases."""
        found = _Found(set(), set(), set(), set())
        with self._inside(_Scope("parameters", self.scope, found, self.scope.private)), self._later(_NOBODY):
            self._visit_all(nodes)


# The owner of code that nothing in the cell runs; no name is spelt like this.
_NOBODY = "(lazy)"


def _found_in(nodes: Iterable[_Node], private: str) -> _Found:
    """Return what `nodes` do with names in their own scope, nested scopes left out."""
    found = _Found(set(), set(), set(), set())
    pending = list(nodes)
    while pending:
        node = pending.pop()
        kind = kind_of(node)
        if kind == "Name":
            _note_name(node, found)
        elif kind in _DEFINITIONS:
            if kind != "Lambda":
                found.binds.add(node.name)
            pending.extend(_evaluated_outside(node))
        elif kind in _COMPREHENSIONS:
            # Without the targets, which are its own; a walrus in it binds out here.
            pending.extend(part for each in node.generators for part in (each.iter, *each.ifs))
            pending.extend(getattr(node, field) for field in ("elt", "key", "value") if hasattr(node, field))
        else:
            _note_statement(node, kind, found)
            pending.extend(_children(node))
    return _Found(*({_mangled(name, private) for name in names} for names in found))


def _note_name(node: _Node, found: _Found) -> None:
    context = kind_of(node.ctx)
    if context != "Load":
        found.binds.add(node.id)  # a deleted name is local to its function, too
    if context == "Del":
        found.deletes.add(node.id)


def _note_statement(node: _Node, kind: str, found: _Found) -> None:
    if kind == "Import":
        found.binds.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif kind == "ImportFrom":
        found.binds.update(alias.asname or alias.name for alias in node.names if alias.name != "*")
    elif kind == "ExceptHandler" and node.name:
        found.binds.add(node.name)
        found.deletes.add(node.name)
    elif kind in _CAPTURES and getattr(node, _CAPTURES[kind], None):
        found.binds.add(getattr(node, _CAPTURES[kind]))
    elif kind == "Global":
        found.globals.update(node.names)
    elif kind == "Nonlocal":
        found.nonlocals.update(node.names)


def _evaluated_outside(node: _Node) -> List[_Node]:
    """Return the parts of a definition that run where it stands, before its own scope begins."""
    if kind_of(node) == "ClassDef":
        return [*node.decorator_list, *node.bases, *node.keywords]
    annotations = [argument.annotation for argument in _arguments(node.args)]
    outside = [*getattr(node, "decorator_list", ()), *_defaults(node.args), *annotations]
    return [part for part in [*outside, getattr(node, "returns", None)] if part is not None]


def _arguments(args: _Node) -> List[_Node]:
    named = [*getattr(args, "posonlyargs", ()), *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [argument for argument in named if argument is not None]


def _defaults(args: _Node) -> List[_Node]:
    return [default for default in [*args.defaults, *args.kw_defaults] if default is not None]


def _is_forever(node: _Node) -> bool:
    if kind_of(node) != "While" or kind_of(node.test) != "Constant":
        return False
    value = node.test.value
    return value is True or (type(value) is int and value != 0)


def _children(node: _Node) -> List[_Node]:
    """Return the nodes below `node`, in the order of its fields; a class unknown here keeps them as attributes.

    Attributes of known classes are left alone: tools hang a `parent` on every node, also on the `ast.Load` that
    all trees share, and through it we would walk into somebody else's code.
    """
    fields = tuple(vars(node)) if hasattr(node, "name_of_node") else node._fields
    found: List[_Node] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif type(value) is list:
            found.extend(item for item in value if isinstance(item, ast.AST))
    return found


def _mangled(name: str, private: str) -> str:
    """Return a private name as the body of class `private` spells it (language reference, "Identifiers")."""
    if not private or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    return "_" + private + name
