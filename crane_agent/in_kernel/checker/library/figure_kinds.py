"""matplotlib: what is a figure, axes, or something drawn; and where a call of its functions draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ..values import Known, Made, Value

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "matplotlib"
FIGURE, AXES, ARTIST = "figure", "axes", "artist"
ODD_AXES = frozenset(["projection", "polar", "axes_class", "subplot_kw"])
"""Keywords that ask for other axes than rectilinear ones."""


def axes_class() -> Any:
    """Return the class of rectilinear axes, or None if it is not loaded as it was shipped."""
    return own_class("matplotlib.axes", "Axes")


def figure_class() -> Any:
    """Return the class of figures, or None."""
    return own_class("matplotlib.figure", "Figure")


def own_class(module: str, name: str) -> Any:
    """Return a class of matplotlib's own, or None."""
    found = safe.loaded(module, name)
    return found if type(found) is type and safe.class_module(found).startswith("matplotlib.") else None


def new_axes(cls: object = None) -> Made:
    """Return axes; by default rectilinear ones."""
    return Made(AXES, cls=axes_class() if cls is None else cls, package=LIBRARY)


def some_axes() -> Made:
    """Return axes of a kind that is not known."""
    return Made(AXES, cls=None, package=LIBRARY)


def kind_of(value: Value | None, state: State) -> tuple[str, Any]:
    """Return `FIGURE`, `AXES` or `ARTIST` with the class if it is known; '' for another value."""
    if type(value) is Made and value.kind in (FIGURE, AXES, ARTIST):
        return value.kind, value.facts.get("cls")
    if type(value) is not Known:
        return "", None
    found = type(state.form(value))
    artist = own_class("matplotlib.artist", "Artist")
    if artist is None or not safe.inherits(found, artist) or not safe.class_module(found).startswith("matplotlib."):
        return "", None
    if found is figure_class():
        return FIGURE, found
    if safe.inherits(found, safe.loaded("matplotlib.axes._base", "_AxesBase")):
        return AXES, found
    return ARTIST, found


class Place:
    """What is called.

    Attributes:
        name: Name of the function of pyplot, or of the method.
        kind: `pyplot`, `FIGURE`, `AXES` or `ARTIST`.
        sure: Whether it is certain that it is drawn on rectilinear axes, of matplotlib's own class.
        plain: Whether nothing speaks for other axes: of pyplot's current ones only that is known.
        cls: The class whose method it is; None if it is not known.
    """

    def __init__(self, name: str, kind: str, sure: bool, *, plain: bool = False, cls: Any = None) -> None:
        self.name = name
        self.kind = kind
        self.sure = sure
        self.plain = sure or plain
        self.cls = cls
