"""Names that were probably meant.

Not `difflib`: a bare kernel has not loaded it, and importing it would leave an entry in the user's `sys.modules`.
"""

from __future__ import annotations

from typing import Sequence

from . import safe

MAX_LENGTH = 80
MAX_NAMES = 5000

MOST_COMPARED = 10
"""Missing names that are compared with all there are; the first of them."""


def close_to(name: str, names: list[str], most: int = 3) -> list[str]:
    """Return the names most like `name`, best first: equal but for case, then within a few single-letter edits.

    Args:
        name: What was written.
        names: What there is; at most the first `MAX_NAMES` are looked at.
        most: Names returned at the most.

    Returns:
        Names at an edit distance (insert, delete, replace, swap two neighbours) of at most a third of the longer
        length.
    """
    if not name or len(name) > MAX_LENGTH:
        return []
    found: list[tuple[int, int, str]] = []
    plain = name.strip().lower()
    for place, each in enumerate(names[:MAX_NAMES]):
        if each == name or not each or len(each) > MAX_LENGTH:
            continue
        limit = max(len(name), len(each)) // 3
        if len(found) == most:
            # Only a better one is of use: it would come before the last of those found.
            limit = min(limit, found[-1][0] - 1)
        # Case and surrounding blanks are what is mistaken most often.
        distance = 0 if each.strip().lower() == plain else _distance(name, each, limit)
        if distance <= limit:
            found = sorted([*found, (distance, place, each)])[:most]
    return [each for _, _, each in found]


def close_to_each(missing: Sequence[object], known: list[str], budget: safe.Budget) -> dict[str, list[str]]:
    """Return for the first of several missing names, as texts, those that were probably meant.

    Raises:
        Refused: The time is over.
    """
    found = {}
    for name in missing[: min(budget.items, MOST_COMPARED)]:
        budget.check()
        found[str(name)] = close_to(str(name), known)
    return found


def _distance(a: str, b: str, limit: int) -> int:
    """Return the edit distance of two texts; anything above `limit` may be returned as ``limit + 1``.

    No letter is edited twice. Sources: Wagner and Fischer, "The String-to-String Correction Problem", 1974; swaps as in
    Damerau, "A Technique for Computer Detection and Correction of Spelling Errors", 1964.
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    # What is equal at both ends costs nothing, and most names of a long list have it: ``feature_0001`` ...
    start, shorter = 0, min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    if not a or not b:
        return max(len(a), len(b))
    if limit < 2:
        # One edit is left only if it is one letter replaced, or two swapped.
        return 1 if len(a) == len(b) == 1 or (len(a) == len(b) == 2 and a == b[::-1]) else limit + 1
    before: list[int] = []
    above = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        # Further than `limit` from the diagonal nothing can be within it.
        current = [limit + 1] * (len(b) + 1)
        current[0] = row
        for column in range(max(1, row - limit), min(len(b), row + limit) + 1):
            changed = above[column - 1] + (letter != b[column - 1])
            current[column] = min(above[column] + 1, current[column - 1] + 1, changed)
            if row > 1 and column > 1 and letter == b[column - 2] and a[row - 2] == b[column - 1]:
                current[column] = min(current[column], before[column - 2] + 1)
        # A swap reaches over one row.
        if min(current) > limit and min(above) >= limit:
            return limit + 1
        before, above = above, current
    return above[-1]
