"""The checker against random programs, each run for real."""

import os

import pytest
from oracle import compare_all
from programs import Program, program

COUNT = int(os.environ.get("CRANE_PROGRAMS", "450"))
"""Programs tried; raise it for a longer search."""

BATCH = 30
# What a setup replaces outlasts its program, so these have a process of their own.
LASTING = ("builtins.", "pd.DataFrame.", "sys.stdout")


def _batches() -> list[list[tuple[int, Program]]]:
    alone: list[list[tuple[int, Program]]] = []
    rest: list[tuple[int, Program]] = []
    for seed in range(COUNT):
        grown = program(seed)
        try:
            compile(grown.cell, "<cell>", "exec")
        except SyntaxError:
            continue
        if any(word in grown.setup for word in LASTING):
            alone.append([(seed, grown)])
        else:
            rest.append((seed, grown))
    return alone + [rest[start : start + BATCH] for start in range(0, len(rest), BATCH)]


@pytest.mark.filterwarnings("ignore")
def test_the_checker_is_never_wrong_where_it_is_certain() -> None:
    import pandas  # noqa: F401 - once here, not in every fork

    contradictions = []
    said = {"finding": 0, "settled": 0, "open": 0}
    for batch in _batches():
        for (seed, grown), row in zip(batch, compare_all([each for _, each in batch]), strict=True):
            said["finding" if row.finding else "settled" if row.settled else "open"] += 1
            if row.wrong():
                contradictions.append(f"--- {seed}: {row.wrong()}\n{grown.cell}")
    assert not contradictions, "\n".join(contradictions)
    # The search is worth nothing if the checker is hardly ever certain.
    assert min(said.values()) > COUNT // 50
