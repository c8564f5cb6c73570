"""The cells that the kernel has run, as its history keeps them.

Read from the lists in memory that IPython's `HistoryManager` fills before each cell runs, not through ``In``, which is
a name that the user may bind to something else.
"""

from __future__ import annotations

import re
from typing import Any

from .. import safe
from ..moment import is_running, moment
from ..privacy import NAMES, Field
from ..redaction import redacted

CHARACTERS_PER_ITEM = 120
"""Length of a page for each item that the budget allows [characters]; the default budget gives 6,000."""


def executed(shell: Any, budget: safe.Budget, start: int = 1, offset: int = 0) -> dict[str, Any]:
    """Return the cells that ran, oldest first, as they were typed: magics are in it, secrets are not.

    One page of them: whole cells as long as they fit; a cell that is longer than a page comes in parts, and then the
    texts of all its parts make its source. The cell that is running right now is the last one.

    Args:
        shell: The kernel's shell.
        budget: Its items set the length of the page.
        start: Number of the first cell of the page.
        offset: Characters of that cell that an earlier page gave.
    """
    if type(start) is not int or type(offset) is not int or start < 1 or offset < 0:
        raise safe.Refused("could not look, because start counts from 1 and offset from 0")
    cells = _cells(shell)
    page: list[dict[str, Any]] = []
    room = budget.items * CHARACTERS_PER_ITEM
    found: dict[str, Any] = {"executed": page, "count": len(cells), "truncated": False, "next": None, "offset": 0}
    for number, text in cells:
        if number < start:
            continue
        # Before the cut: half a secret no longer looks like one.
        source = redacted(text)[offset if number == start else 0 :]
        if page and (len(source) > room or len(page) == budget.items):
            return dict(found, truncated=True, next=number)
        if len(source) > room:
            end = source.rfind("\n", 0, room) + 1 or room
            page.append({"number": number, "source": source[:end], "complete": False})
            passed = offset if number == start else 0
            return dict(found, truncated=True, next=number, offset=passed + end)
        page.append({"number": number, "source": source, "complete": True})
        room -= len(source)
        budget.check()
    return found


def _cells(shell: Any) -> list[tuple[int, str]]:
    """Return number and source of each cell; those that the user made the kernel forget are left out.

    Raises:
        Refused: The history is not as IPython keeps it.
    """
    kept = (safe.instance_dict(getattr(shell, "history_manager", None)) or {}).get("_trait_values")
    # Not the trait itself: reading one that was never set stores its default.
    history = kept.get("input_hist_raw", []) if type(kept) is dict else None
    if type(history) is not list:
        raise safe.Refused("could not look, because the kernel keeps no history of its cells")
    texts = history[1:]
    if not safe.only_texts(texts):
        raise safe.Refused("could not look, because the kernel's history is not made of texts")
    # ``%reset in`` leaves empty texts; an empty cell is never kept.
    return [(number, text) for number, text in zip(_numbers(shell, texts), texts) if text]


def _numbers(shell: Any, texts: list[Any]) -> list[int]:
    """Return the execution counts of the cells in the history.

    They are 1, 2, 3 ... unless a cell was only ``exit`` or ``quit``: that one is counted and not kept. Then ``_i1``,
    ``_i2`` ... tell, which IPython binds to the sources.
    """
    now = moment(shell)
    if len(texts) == (now["cells"] if is_running(shell) else now["cells"] - 1):
        return list(range(1, len(texts) + 1))
    names = [name for name in list(shell.user_ns) if type(name) is str and _NUMBERED.match(name)]
    bound = {int(name[2:]): shell.user_ns.get(name) for name in names}
    numbers: list[int] = []
    last = 0
    for text in texts:
        last += 1
        while last in bound or last <= now["cells"]:
            if type(bound.get(last)) is str and bound[last] == text:
                break
            last += 1
        else:
            raise safe.Refused("could not look, because the kernel's history does not fit its execution count")
        numbers.append(last)
    return numbers


_NUMBERED = re.compile(r"_i[0-9]{1,9}\Z")

FIELDS = {
    "executed": Field(NAMES, "the cells that ran, oldest first", records=True),
    "number": Field(NAMES, "execution count of a cell"),
    "source": Field(NAMES, "source that the user wrote, without secrets"),
    "complete": Field(NAMES, "whether it is all here, or its last part"),
    "next": Field(NAMES, "where the next page starts; null after the last one"),
    "offset": Field(NAMES, "characters of that cell that were given already"),
}
PROBES = {"executed": executed}
