"""Names that were probably meant.

Not `difflib`: a bare kernel has not loaded it, and importing it would leave an entry in the user's `sys.modules`.
"""

from __future__ import annotations

MAX_LENGTH = 80
MAX_NAMES = 5000


def close_to(name: str, names: list[str], most: int = 3) -> list[str]:
    """Return the names most like `name`, best first: equal but for case, then within a few single-letter edits.

    Args:
        name: What was written.
        names: What there is; at most the first `MAX_NAMES` are looked at.
        most: Names returned at the most.

    Returns:
        Names at an edit distance (insert, delete, replace) of at most a third of the longer length.
    """
    if not name or len(name) > MAX_LENGTH:
        return []
    found = []
    for place, each in enumerate(names[:MAX_NAMES]):
        if each == name or not each or len(each) > MAX_LENGTH:
            continue
        longest = max(len(name), len(each))
        # Case and surrounding blanks are what is mistaken most often.
        distance = 0 if each.strip().lower() == name.strip().lower() else _distance(name, each, longest // 3)
        if distance <= longest // 3:
            found.append((distance, place, each))
    return [each for _, _, each in sorted(found)[:most]]


def _distance(a: str, b: str, limit: int) -> int:
    """Return the edit distance of two texts; anything above `limit` may be returned as ``limit + 1``.

    Source: Wagner and Fischer, "The String-to-String Correction Problem", 1974.
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    # What is equal at both ends costs nothing, and most names of a long list have it: ``feature_0001`` ...
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    above = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        current = [row]
        for column, other in enumerate(b, 1):
            current.append(min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other)))
        if min(current) > limit:
            return limit + 1
        above = current
    return above[-1]
