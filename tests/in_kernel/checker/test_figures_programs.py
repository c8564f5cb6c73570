"""The checker against random cells that plot, each run for real."""

import os

import pytest
from oracle import compare_all
from programs_figures import program

COUNT = int(os.environ.get("CRANE_PROGRAMS", "150"))
"""Programs tried; raise it for a longer search."""

BATCH = 25


def _compiles(cell: str) -> bool:
    try:
        compile(cell, "<cell>", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.filterwarnings("ignore")
def test_the_checker_is_never_wrong_about_a_cell_that_plots() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot
    import seaborn  # noqa: F401 - once here, not in every fork

    grown = [(seed, program(seed)) for seed in range(COUNT)]
    grown = [each for each in grown if _compiles(each[1].cell)]
    contradictions = []
    found = 0
    for start in range(0, len(grown), BATCH):
        batch = grown[start : start + BATCH]
        for (seed, each), row in zip(batch, compare_all([one for _, one in batch]), strict=True):
            found += row.finding is not None
            if row.wrong():
                contradictions.append((seed, each.cell, row.wrong()))
    assert contradictions == []
    assert found > COUNT // 5
