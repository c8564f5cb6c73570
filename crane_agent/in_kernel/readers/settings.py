"""Settings that tell nothing but what they are: numbers, and words that are the libraries' own."""

from __future__ import annotations

from typing import Any, Callable

from .. import safe

MOST_PARTS = 10
"""Length of the longest tuple of numbers that is a setting."""


def _elements(value: Any) -> list[Any]:
    return list(value) if safe.one_of(type(value), (tuple, list)) else []


def numbers(table: dict[str, Any], elements: Callable[[Any], list[Any]] = _elements) -> dict[str, Any]:
    """Return the numbers, and the short tuples and lists of numbers, among settings, by name in order.

    Args:
        table: The settings.
        elements: Gives the elements of what counts as a tuple or list, [] of anything else.
    """
    found: dict[str, Any] = {}
    for name in sorted(table):
        value = table[name]
        if safe.one_of(type(value), (int, float, bool)):
            found[name] = safe.number(value)
            continue
        listed = elements(value)
        if 0 < len(listed) <= MOST_PARTS and all(safe.one_of(type(each), (int, float)) for each in listed):
            found[name] = [safe.number(each) for each in listed]
    return found


_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "none", "auto", "batchmean", "mean_with_sample_weight")


def reduction(own: dict[str, Any]) -> str | None:
    """Return how a loss is reduced over a batch, if that is one of the libraries' words."""
    found = own.get("reduction")
    return found if type(found) is str and found in _REDUCTIONS else None
