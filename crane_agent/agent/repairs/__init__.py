"""Patches for a crash: what would make the code run, by strategies that each know one kind of mistake.

A strategy is a function that takes a `Site` and yields patches, the likeliest first; its docstring cites the
library's documentation or the message that it rests on. It changes what the crash is about and nothing else, and never
hides the error (`honesty`). Whether a patch works is for a rehearsal to say.

To teach another mistake, write a function in the module of its kind, and name it in that module's `STRATEGIES`. Its
test runs the original, which must raise, and the patched code, which must not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from crane_agent.agent.claims import Crash
from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site
from crane_agent.agent.repairs.strategies import STRATEGIES
from crane_agent.notebook.history import Target


def candidates(crash: Crash, scene: Mapping[str, Any], target: Target) -> Iterator[Patch]:
    """Yield patches of the target that may make it run, each once, the likeliest first.

    Args:
        crash: What is raised.
        scene: What the failing expression was made of, as a rehearsal reports it; empty if there is none.
        target: The cell that crashes.
    """
    return (patch for patch in _every(crash, scene, target) if patch.cell is None)


def candidates_elsewhere(crash: Crash, scene: Mapping[str, Any], target: Target) -> Iterator[Patch]:
    """Yield patches of executed cells, which the target's crash comes from; the arguments are those of `candidates`.

    To show that one works, that cell and those behind it must run again before the target.
    """
    return (patch for patch in _every(crash, scene, target) if patch.cell is not None)


def _every(crash: Crash, scene: Mapping[str, Any], target: Target) -> Iterator[Patch]:
    if target.code.tree is None:
        return
    site = Site(crash, scene, target)
    seen: set[tuple[int | None, str]] = set()
    for strategy in STRATEGIES:
        for patch in strategy(site):
            if (patch.cell, patch.source) not in seen:
                seen.add((patch.cell, patch.source))
                yield patch
