"""Every row of the tables over scikit-learn, run for real, in a few processes."""

import pytest
from oracle import Row, compare_all
from tables_sklearn import CRASHES, DOUBTFUL, WORKS

pytest.importorskip("sklearn")

BATCH = 30


def _rows(cells: list[tuple[str, str]]) -> list[Row]:
    return [row for first in range(0, len(cells), BATCH) for row in compare_all(cells[first : first + BATCH])]


def test_crashes_are_found_as_they_come() -> None:
    rows = _rows([(setup, cell) for setup, cell, _, _ in CRASHES])
    missed = [
        (cell, row.finding, row.crash, row.wrong())
        for (_, cell, kind, line), row in zip(CRASHES, rows, strict=True)
        if row.wrong() or row.finding is None or (row.finding["type"], row.finding["line"]) != (kind, line)
    ]
    assert missed == []


def test_cells_that_run_are_left_alone() -> None:
    rows = _rows(WORKS)
    wrong = [
        (cell, row.crash, row.wrong()) for (_, cell), row in zip(WORKS, rows, strict=True) if row.crash or row.wrong()
    ]
    assert wrong == []


def test_crashes_that_cannot_be_foreseen_are_no_promise_to_run() -> None:
    rows = _rows(DOUBTFUL)
    wrong = [
        (cell, row.finding, row.wrong())
        for (_, cell), row in zip(DOUBTFUL, rows, strict=True)
        if row.wrong() or row.settled or row.finding
    ]
    assert wrong == []
