"""Random cells over scikit-learn, run for real: what the checker is certain of must be what happens.

`CRANE_PROGRAMS` is the number of cells; by default a few.
"""

import os

import pytest
from oracle import compare_all
from programs_sklearn import SETUP, SklearnPrograms

pytest.importorskip("sklearn")

COUNT = int(os.environ.get("CRANE_PROGRAMS", "100"))
BATCH = 20


@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_what_is_certain_of_a_random_cell_happens(first: int) -> None:
    cells = [SklearnPrograms(seed).program() for seed in range(first, min(first + BATCH, COUNT))]
    rows = compare_all([(SETUP, cell) for cell in cells])
    assert [(cell, row.wrong()) for cell, row in zip(cells, rows, strict=True) if row.wrong()] == []
