"""What the walk knows of a value.

A value is `Known` (a real object: the kernel's, or one made by evaluating the cell on exact built-ins), `Method` (of a
frame or series), `Made` (the cell derives it; only some facts of it are known), `Defined` (a function or class that the
cell defines), or `UNKNOWN`.
"""

from __future__ import annotations

import ast
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


class Defined(Value):
    """A function or class that the cell defines."""

    __slots__ = ("node",)

    def __init__(self, node: ast.AST) -> None:
        self.node = node


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
