"""Every row of the tables, run for real in shells of forks: each crash is found in the library's own words."""

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from all_tables import TABLES, lacks, table
from oracle import Row, compare, compare_in_batches

from crane_agent.in_kernel import checker

MESSAGE_LENGTH = 500
"""Of a longer message the checker says this much."""

TOLD_IN_PART = {"tables_sklearn": 16}
"""How many characters of a message must be right where the rest prints estimators, or rows drawn at random."""

# Their rules have rows of their own: `test_unloaded_tables`, `test_keras_cells`; xgboost is in no extra of ours.
ELSEWHERE = ("unloaded", "keras", "boosters")
# Said where scikit-learn has yet to load what prints an estimator; else the library says the same itself.
IN_ITS_PLACE = {"sklearn.no-transformer", "sklearn.no-parameter", "sklearn.no-score"}

each_table = pytest.mark.parametrize("name", TABLES)


@functools.cache
def crashes(name: str) -> list[tuple[Any, Row]]:
    return list(compare_in_batches(table(name).CRASHES))


@each_table
@pytest.mark.timeout(600)
def test_a_crash_is_found_as_it_comes(name: str) -> None:
    wrong = []
    length = TOLD_IN_PART.get(name, MESSAGE_LENGTH)
    for (setup, cell, kind, line), row in crashes(name):
        found, crash = row.finding or {}, row.crash
        said = (found.get("type"), found.get("line"), found.get("message", "")[:length])
        really = crash and (crash.type, crash.line, crash.message[:length])
        if row.wrong() or said != really or kind != said[0] or line not in (None, said[1]):
            wrong.append((setup, cell, row.wrong(), said, really))
    assert wrong == []


@each_table
@pytest.mark.timeout(600)
def test_a_cell_that_runs_is_left_alone(name: str) -> None:
    rows = compare_in_batches(table(name).WORKS)
    assert [(*each, row.wrong(), row.crash) for each, row in rows if row.crash or row.wrong()] == []


@each_table
@pytest.mark.timeout(600)
def test_a_crash_that_cannot_be_foreseen_is_no_promise_to_run(name: str) -> None:
    rows = compare_in_batches(table(name).DOUBTFUL)
    assert [(*each, row.wrong(), row.crash) for each, row in rows if row.wrong() or not row.crash] == []


@pytest.mark.timeout(900)
def test_each_rule_has_a_row_that_it_finds() -> None:
    if any(lacks(name) for name in TABLES):
        pytest.skip("a library is not installed, so its rules find nothing")
    files = [path for path in Path(checker.__file__).parent.rglob("*.py") if not path.name.startswith(ELSEWHERE)]
    rules = {rule for path in files for rule in re.findall(r'rule="([\w.-]+)"', path.read_text())}
    found = {row.finding["rule"] for name in TABLES for _, row in crashes(name) if row.finding}
    assert rules - found - IN_ITS_PLACE == set()


def test_a_walk_that_runs_out_of_steps_is_sure_of_nothing() -> None:
    row = compare("", "x = 1\n" * 12000 + "undefined")
    assert row.reply["status"] == "ok"
    assert not row.finding
    assert not row.settled
    assert "steps" in row.answer["stopped"]["why"]


@pytest.mark.parametrize("cell", ["x = " + "1 + " * 90 + "1", "x = " + "-" * 90 + "1", "x = s" + ".strip()" * 45])
def test_deep_nesting_is_no_failure(cell: str) -> None:
    row = compare("s = 'a'", cell)
    assert row.reply["status"] in ("ok", "refused")
    assert row.wrong() == ""
