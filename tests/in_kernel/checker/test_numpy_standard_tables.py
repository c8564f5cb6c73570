"""The rows of numpy and of the standard library, each run for real, and random programs over both."""

import os

import numpy.random  # noqa: F401 - once here, not in every fork
import pytest
import tables_numpy
import tables_standard
from oracle import Row, compare_all
from programs_numpy import program

COUNT = int(os.environ.get("CRANE_PROGRAMS", "160"))
"""Programs tried; raise it for a longer search."""

BATCH = 40
TABLES = (tables_numpy, tables_standard)


def _rows(cells: list[tuple[str, str]]) -> list[Row]:
    return [row for start in range(0, len(cells), BATCH) for row in compare_all(cells[start : start + BATCH])]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("table", TABLES)
def test_a_crash_is_found_as_it_comes(table) -> None:
    wrong = []
    rows = _rows([row[:2] for row in table.CRASHES])
    for (_, cell, kind, line), row in zip(table.CRASHES, rows, strict=True):
        found = row.finding or {}
        said = (found.get("type"), found.get("line"), found.get("message"))
        really = row.crash and (row.crash.type, row.crash.line, row.crash.message[:500])
        if row.wrong() or said != really or (kind, line) != (said[0], said[1]):
            wrong.append((cell, said, really))
    assert wrong == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("table", TABLES)
def test_a_cell_that_runs_is_left_alone(table) -> None:
    rows = _rows(table.WORKS)
    said = [(cell, row.wrong(), row.crash) for (_, cell), row in zip(table.WORKS, rows, strict=True)]
    assert [each for each in said if each[1] or each[2]] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("table", TABLES)
def test_a_crash_that_cannot_be_foreseen_is_no_promise_to_run(table) -> None:
    rows = _rows(table.DOUBTFUL)
    said = [(cell, row.wrong(), row.crash) for (_, cell), row in zip(table.DOUBTFUL, rows, strict=True)]
    assert [each for each in said if each[1] or not each[2]] == []


@pytest.mark.filterwarnings("ignore")
def test_the_checker_is_never_wrong_about_random_programs_over_arrays() -> None:
    programs = []
    for seed in range(COUNT):
        grown = program(seed)
        try:
            compile(grown.cell, "<cell>", "exec")
        except SyntaxError:
            continue
        programs.append(grown)
    rows = _rows([tuple(each) for each in programs])
    wrong = [f"{row.wrong()}\n{each.cell}" for each, row in zip(programs, rows, strict=True) if row.wrong()]
    assert not wrong, "\n\n".join(wrong)
    # The search is worth nothing if the checker is hardly ever certain.
    assert sum(row.finding is not None for row in rows) > COUNT // 4
    assert sum(row.settled for row in rows) > COUNT // 50
