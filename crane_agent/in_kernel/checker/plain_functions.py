"""Small functions of the user's of one plain value, worked out for thousands of values at once.

The walk takes a tenth of a millisecond for an element, a column has thousands. So a function that does nothing but
compute with exact built-in values is turned into calls of Python's own operators and methods, each of which looks at
the types of its operands first. Whatever else it would do is `NotPlain`, and the walk decides. No code of the user's
runs: what runs are the operators and methods that are listed here and in `pure`. Source: the Python language reference,
"Expressions".
"""

from __future__ import annotations

import ast
import builtins
from typing import Any, Callable, Dict

from .. import safe
from . import definitions, operations, pure
from .state import State

MOST_ELEMENTS = 20_000
MAX_TEXT = 2_000
"""Characters of a text that is computed with."""
MAX_WHOLE = 10**18
"""Size of a whole number that is computed with."""

MOST_STEPS = 200_000
"""Operators and calls in one walk, for all functions and values together."""

# Of the built-ins those whose work is bounded by the size of what they are handed.
_FUNCTIONS = frozenset("abs bool float int len list max min round sorted str sum tuple".split())
_CONTAINERS = (list, tuple, dict)
_PLAIN = (*safe.SCALARS, *_CONTAINERS)
_GOES_ON = object()

Names = Dict[str, Any]
Evaluate = Callable[[Names], Any]
"""Computes an expression, or runs a statement, from what the function's own names are bound to."""


class NotPlain(Exception):
    """The function does something else, or something large."""


def made_of(node: definitions.Definition, state: State) -> Callable[[Any], Any] | None:
    """Return what computes a function of the user's for an exact built-in value, as things stand at this moment.

    Args:
        node: A lambda, or a function of assignments to names, ``if`` and ``return``; in no other function.
        state: The walk's state, for what the names of the notebook are bound to.

    Returns:
        A function of one value that raises `NotPlain`, or what the user's function would raise; None if the user's
        function takes other arguments or is not plain.
    """
    names = definitions.parameters(node)
    if len(names) != 1 or len(node.args.args) != 1 or node.args.defaults:
        return None
    own, declared = definitions.own_names(node)
    if declared or definitions.has_nonlocal(node):
        return None
    made = _Compiler(own, state)
    try:
        if isinstance(node, ast.Lambda):
            result = made.expression(node.body)
            return lambda value: result({names[0]: made.checked(value)})
        if node.decorator_list:
            return None
        run = made.block(node.body)
    except NotPlain:
        return None

    def returned(value: Any) -> Any:
        found = run({names[0]: made.checked(value)})
        return None if found is _GOES_ON else found

    return returned


class _Compiler:
    """Makes a function of each expression and statement."""

    def __init__(self, own: frozenset[str], state: State) -> None:
        self._own = own
        self._state = state
        self._steps: list[int] = state.memo.setdefault("steps of plain functions", [0])

    def checked(self, value: Any) -> Any:
        """Return a value that may be computed with.

        Raises:
            NotPlain: It may not, or too much was computed already.
        """
        self._steps[0] += 1
        kind = type(value)
        if self._steps[0] > MOST_STEPS or not safe.one_of(kind, _PLAIN):
            raise NotPlain
        if kind is int and not -MAX_WHOLE < value < MAX_WHOLE:
            raise NotPlain
        if (kind is str or kind is bytes or kind is list or kind is tuple) and len(value) > MAX_TEXT:
            raise NotPlain
        return value

    # -- statements ------------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> Evaluate:
        several = [self._statement(each) for each in statements]

        def run(names: Names) -> Any:
            for each in several:
                found = each(names)
                if found is not _GOES_ON:
                    return found
            return _GOES_ON

        return run

    def _statement(self, node: ast.stmt) -> Evaluate:
        if isinstance(node, ast.Return):
            return self.expression(ast.Constant(None) if node.value is None else node.value)
        if isinstance(node, ast.If):
            test, body, orelse = self.expression(node.test), self.block(node.body), self.block(node.orelse)
            return lambda names: body(names) if test(names) else orelse(names)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            return self._bound(node.targets[0].id, self.expression(node.value))
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return lambda names: _GOES_ON
        raise NotPlain

    @staticmethod
    def _bound(name: str, value: Evaluate) -> Evaluate:
        def run(names: Names) -> Any:
            names[name] = value(names)
            return _GOES_ON

        return run

    # -- expressions -----------------------------------------------------------------------------------------------

    def expression(self, node: ast.AST) -> Evaluate:
        visit = getattr(self, "_" + type(node).__name__, None)
        if visit is None:
            raise NotPlain
        made: Evaluate = visit(node)
        return made

    def _Constant(self, node: ast.Constant) -> Evaluate:
        value = self.checked(node.value)
        return lambda names: value

    def _Name(self, node: ast.Name) -> Evaluate:
        name = node.id
        if name in self._own:

            def read(names: Names) -> Any:
                if name not in names:
                    raise NotPlain
                return names[name]

            return read
        value = self.checked(self._state.plain(self._state.peek(name)))
        return lambda names: value

    def _BinOp(self, node: ast.BinOp) -> Evaluate:
        if not isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)):
            raise NotPlain
        work, left, right = operations.BINARY[type(node.op)], self.expression(node.left), self.expression(node.right)
        # A text is formatted by ``%`` and repeated by ``*``: how long that gets is in the values.
        of_numbers = isinstance(node.op, (ast.Mult, ast.Mod))

        def run(names: Names) -> Any:
            first, second = left(names), right(names)
            if of_numbers and not (safe.one_of(type(first), _NUMBERS) and safe.one_of(type(second), _NUMBERS)):
                raise NotPlain
            return self.checked(work(first, second))

        return run

    def _UnaryOp(self, node: ast.UnaryOp) -> Evaluate:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda names: not operand(names)
        if isinstance(node.op, ast.Invert):
            raise NotPlain
        work = operations.UNARY[type(node.op)]
        return lambda names: self.checked(work(operand(names)))

    def _BoolOp(self, node: ast.BoolOp) -> Evaluate:
        several, stop_on = [self.expression(each) for each in node.values], isinstance(node.op, ast.Or)

        def run(names: Names) -> Any:
            found = None
            for each in several:
                found = each(names)
                if bool(found) is stop_on:
                    break
            return found

        return run

    def _Compare(self, node: ast.Compare) -> Evaluate:
        if len(node.ops) != 1:
            raise NotPlain
        left, right = self.expression(node.left), self.expression(node.comparators[0])
        if isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            only = node.comparators[0]
            if not isinstance(only, ast.Constant) or only.value is not None:
                raise NotPlain
            wanted = isinstance(node.ops[0], ast.Is)
            return lambda names: (left(names) is None) is wanted
        work = operations.COMPARISONS[type(node.ops[0])]
        return lambda names: self.checked(work(left(names), right(names)))

    def _IfExp(self, node: ast.IfExp) -> Evaluate:
        test, body, orelse = self.expression(node.test), self.expression(node.body), self.expression(node.orelse)
        return lambda names: body(names) if test(names) else orelse(names)

    def _Tuple(self, node: ast.Tuple) -> Evaluate:
        several = [self.expression(each) for each in node.elts]
        return lambda names: tuple([each(names) for each in several])

    def _List(self, node: ast.List) -> Evaluate:
        several = [self.expression(each) for each in node.elts]
        return lambda names: [each(names) for each in several]

    def _Subscript(self, node: ast.Subscript) -> Evaluate:
        owner, key = self.expression(node.value), self.expression(node.slice)

        def run(names: Names) -> Any:
            found = owner(names)
            if not safe.one_of(type(found), (str, list, tuple, dict)):
                raise NotPlain
            return self.checked(found[key(names)])

        return run

    def _Index(self, node: Any) -> Evaluate:
        return self.expression(node.value)  # Python 3.8 wraps the key of an item.

    def _Slice(self, node: ast.Slice) -> Evaluate:
        nothing = ast.Constant(None)
        lower, upper, step = (self.expression(each or nothing) for each in (node.lower, node.upper, node.step))
        return lambda names: slice(lower(names), upper(names), step(names))

    def _ListComp(self, node: Any) -> Evaluate:
        if len(node.generators) != 1 or not isinstance(node.generators[0].target, ast.Name):
            raise NotPlain
        one = node.generators[0]
        source, inner = self.expression(one.iter), _Compiler(self._own | {one.target.id}, self._state)
        element, conditions = inner.expression(node.elt), [inner.expression(each) for each in one.ifs]

        def run(names: Names) -> Any:
            over, own = source(names), dict(names)
            if not safe.one_of(type(over), (str, list, tuple)):
                raise NotPlain
            found = []
            for own[one.target.id] in over:
                if all(each(own) for each in conditions):
                    found.append(element(own))
            return self.checked(found)

        return run

    def _GeneratorExp(self, node: ast.GeneratorExp) -> Evaluate:
        return self._ListComp(node)

    def _JoinedStr(self, node: ast.JoinedStr) -> Evaluate:
        parts = [self.expression(each.value if isinstance(each, ast.FormattedValue) else each) for each in node.values]
        if any(getattr(each, "format_spec", None) or getattr(each, "conversion", -1) != -1 for each in node.values):
            raise NotPlain
        return lambda names: self.checked("".join([format(each(names)) for each in parts]))

    def _Call(self, node: ast.Call) -> Evaluate:
        if node.keywords:
            raise NotPlain
        if isinstance(node.func, ast.Attribute):
            arguments = [self.expression(each) for each in node.args]
            return self._method(self.expression(node.func.value), node.func.attr, arguments)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in self._own or not self._state.is_builtin(name):
            raise NotPlain
        if name == "isinstance" and len(node.args) == 2:
            return self._of_kind(self.expression(node.args[0]), node.args[1])
        arguments = [self.expression(each) for each in node.args]
        one = len(arguments) == 1 or (name == "round" and _is_whole(node.args[1:]))
        if name not in _FUNCTIONS or not one:
            raise NotPlain
        function = builtins.__dict__[name]
        return lambda names: self.checked(function(*[each(names) for each in arguments]))

    def _of_kind(self, value: Evaluate, classes: ast.expr) -> Evaluate:
        several = classes.elts if isinstance(classes, ast.Tuple) else [classes]
        found = [builtins.__dict__.get(each.id) for each in several if isinstance(each, ast.Name)]
        own = [each.id for each in several if isinstance(each, ast.Name) and self._state.is_builtin(each.id)]
        if len(own) != len(several) or set(own) & self._own or not all(type(each) is type for each in found):
            raise NotPlain
        kinds = tuple(each for each in found if type(each) is type)
        return lambda names: isinstance(value(names), kinds)

    def _method(self, owner: Evaluate, name: str, arguments: list[Evaluate]) -> Evaluate:
        if name in ("encode", "decode", "copy"):
            raise NotPlain

        def run(names: Names) -> Any:
            found = owner(names)
            if name not in pure.methods(type(found)):
                raise NotPlain
            return self.checked(getattr(found, name)(*[each(names) for each in arguments]))

        return run


_NUMBERS = (int, float, bool)


def _is_whole(nodes: list[ast.expr]) -> bool:
    """Whether these are the one argument of ``round`` that says to how many places."""
    value = nodes[0].value if len(nodes) == 1 and isinstance(nodes[0], ast.Constant) else None
    return type(value) is int and 0 <= value < 20
