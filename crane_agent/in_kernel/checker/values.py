"""What the walk knows of a value.

A value is `Known` (a real object: the kernel's, or one that the walk made by doing what the cell does, on copies),
`Like` (derived: a stand-in has its structure), `Method` (of a frame or series), `Made` (derived; only some facts of it
are known), `Defined` (a function or class that the cell defines), or `UNKNOWN`.
"""

from __future__ import annotations

import ast
import itertools
from typing import Any

from ..privacy import VALUES


class Value:
    """Any of them."""

    __slots__ = ()


class Known(Value):
    """A real object.

    Attributes:
        object: The object itself; rules read it through `State.live`, which knows what the cell changed.
        path: How a probe reaches it (`df`, `cfg['x']`), or None if the cell made it, or if the path holds what the
            privacy level does not let out.
        level: The lowest privacy level at which its content may be told; rules read it through `State.level`.
    """

    __slots__ = ("level", "object", "path")

    def __init__(self, value: object, path: str | None = None, level: str = VALUES) -> None:
        self.object = value
        self.path = path
        self.level = level


SHAPE = "shape"
"""The length along each axis."""
DTYPE = "dtype"
"""The element type; of a frame, that of each column."""
LABELS = "labels"
"""The column labels, in order."""
STRUCTURE = frozenset([SHAPE, DTYPE, LABELS])


class Like(Value):
    """A derived value of which only the structure is known.

    Attributes:
        object: A stand-in of the same exact type, made by the walk: `knows` says in what it is like the value. What it
            holds besides means nothing. Rules read it through `State.form`.
        knows: Which of `SHAPE`, `DTYPE` and `LABELS` are those of the value.
        path: How a probe reaches the kernel's object that it is a part of, or None.
    """

    __slots__ = ("born", "knows", "object", "path")
    _born = itertools.count(1)

    def __init__(self, stand_in: object, knows: frozenset[str] = STRUCTURE, path: str | None = None) -> None:
        self.object = stand_in
        self.born = next(self._born)
        self.knows = knows
        self.path = path


class Method(Value):
    """A method of a frame or series, not yet called."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Value, name: str) -> None:
        self.owner = owner
        self.name = name


class Made(Value):
    """A value that the cell derives.

    Attributes:
        kind: `frame` (facts: ``columns``, its labels in order), `series` (``numeric``, ``length``, ``path`` of the
            column that it is), `number`, `bool`, `text`, `iterator` (``items``, until it is used up, ``level``) or
            `view` of a dict (``owner``, ``method``).
        facts: What is known of it.
    """

    __slots__ = ("facts", "kind")

    def __init__(self, kind: str, **facts: Any) -> None:
        self.kind = kind
        self.facts = facts


class Elements(Value):
    """What iterating over a value yields; only an answer to ``iterate``.

    Attributes:
        found: The first elements, in order.
        complete: Whether there are no more; else at least these come, and any number of others may follow.
    """

    __slots__ = ("complete", "found")

    def __init__(self, found: list[Value], complete: bool = True) -> None:
        self.found = found
        self.complete = complete


class Foreign(Value):
    """What a library made, of which nothing is known but that it is of no class of the user's.

    Attributes:
        package: The top-level package whose code runs when something is done with it; `builtins` for Python's own.
        holds: Values that it may be, hold or share memory with.
    """

    __slots__ = ("holds", "package")

    def __init__(self, package: str, holds: tuple[Value, ...] = ()) -> None:
        self.package = package
        self.holds = tuple(_kept(holds))


def _kept(values: tuple[Value, ...]) -> list[Value]:
    """Return what of these values can be changed, and of those that hold others what they hold."""
    found: dict[int, Value] = {}
    for value in values:
        for each in value.holds if type(value) is Foreign else (value,):
            if not (type(each) is Known and type(each.object) in _ATOMS):
                found[id(each)] = each
    return list(found.values())


_ATOMS = (int, float, complex, bool, str, bytes, type(None))


class Defined(Value):
    """A function, lambda or class that the walk defines.

    Attributes:
        node: Its definition.
        scopes: The scopes of functions around it, outermost first.
        defaults: Values of a function's defaults, positional ones first; of a class its base classes.
        members: What the body of a class bound, by name.
        qualname: Its qualified name; '' if that is not known.
    """

    __slots__ = ("defaults", "members", "node", "qualname", "scopes")

    def __init__(
        self,
        node: ast.AST,
        scopes: tuple[dict[str, Value | None], ...] = (),
        defaults: tuple[Value, ...] = (),
        members: dict[str, Value | None] | None = None,
        qualname: str = "",
    ) -> None:
        self.node = node
        self.scopes = scopes
        self.defaults = defaults
        self.members = {} if members is None else members
        self.qualname = qualname


class Instance(Value):
    """An object of a class of the user's that the walk makes.

    Attributes:
        cls: Its class: `Known`, or `Defined` by the cell.
        attributes: What its own dictionary holds.
    """

    __slots__ = ("attributes", "cls")

    def __init__(self, cls: Value) -> None:
        self.cls = cls
        self.attributes: dict[str, Value] = {}


class Bound(Value):
    """A method of the user's, bound to the object that it will be called with."""

    __slots__ = ("function", "owner")

    def __init__(self, function: Value, owner: Value) -> None:
        self.function = function
        self.owner = owner


def unloaded(module: str, name: str = "") -> Made:
    """Return what the cell imports and the kernel has not loaded: a module, or a name of one.

    It is `Made` of the kind ``unloaded``, with the facts ``module``, ``name`` (dotted for what is reached by
    attributes, '' for the module itself) and ``package``.
    """
    return Made("unloaded", module=module, name=name, package=module.partition(".")[0])


class _Unknown(Value):
    __slots__ = ()


UNKNOWN = _Unknown()
MAYBE_UNBOUND = _Unknown()
"""A name that may be bound, to anything; reading or deleting it may raise."""


class Hole:
    """Stands inside a real list, tuple or dict for an element whose value is not a known object."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def as_element(value: Value) -> object:
    """Return what a real container holds for `value`."""
    return value.object if type(value) is Known else Hole(value)


def of_element(element: object, path: str | None = None, level: str = VALUES) -> Value:
    """Return the value of a container's element; the inverse of `as_element`."""
    return element.value if type(element) is Hole else Known(element, path, level)
