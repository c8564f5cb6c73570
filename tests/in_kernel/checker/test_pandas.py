"""Tables: the rows of `tables_pandas`, and random programs, with and without their content."""

import os

import pytest
from oracle import Row, compare_all
from programs_pandas import SETUP, program
from tables_pandas import CRASHES, DOUBTFUL, WORKS

from crane_agent.in_kernel.checker.library import frame_stores, frames, pandas_itself
from crane_agent.notebook.code import parse

PROGRAMS = int(os.environ.get("CRANE_PROGRAMS", "120"))


def test_every_crash_is_found_as_it_comes() -> None:
    rows = compare_all([(setup, cell) for setup, cell, _, _ in CRASHES])
    assert [each for each in zip(CRASHES, rows, strict=True) if each[1].wrong() or each[1].crash is None] == []
    missed = [cell for (_, cell, kind, line), row in zip(CRASHES, rows, strict=True) if not _is_found(row, kind, line)]
    assert missed == []


def _is_found(row: Row, kind: str, line: int | None) -> bool:
    assert row.crash is not None
    found = row.finding is not None and (row.finding["type"], row.finding["line"]) == (kind, line or row.crash.line)
    return found and (row.crash.type, row.crash.message) == (kind, row.finding["message"])  # type: ignore[index]


def test_cells_that_run_are_left_alone() -> None:
    rows = compare_all(WORKS)
    assert [
        (cell, row.crash, row.wrong()) for (_, cell), row in zip(WORKS, rows, strict=True) if row.crash or row.wrong()
    ] == []


def test_what_cannot_be_foreseen_is_no_promise() -> None:
    rows = compare_all(DOUBTFUL)
    assert [
        (cell, row.wrong()) for (_, cell), row in zip(DOUBTFUL, rows, strict=True) if row.wrong() or not row.crash
    ] == []


@pytest.mark.parametrize("large", [False, True])
def test_random_cells_are_never_contradicted(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if large:
        # As if every table were too large to be worked through.
        for module in (pandas_itself, frames, frame_stores):
            monkeypatch.setattr(module, "affordable", lambda size, state: False)
    cells = [cell for cell in map(program, range(PROGRAMS)) if parse(cell).syntax_error is None]
    for start in range(0, len(cells), 60):
        part = cells[start : start + 60]
        rows = compare_all([(SETUP, cell) for cell in part])
        assert [(cell, row.wrong()) for cell, row in zip(part, rows, strict=True) if row.wrong()] == []
