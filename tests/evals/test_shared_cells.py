"""The promise that must hold on every cell of the shared file: what is called certain happens."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.cells import DEADLINE_S, load_cells
from evals.runner import Plan, run
from evals.scorer import Row


@pytest.mark.timeout(900)
def test_nothing_certain_is_wrong_and_nothing_of_ours_fails(shared_data: Callable[[str], Path]) -> None:
    instances = load_cells(shared_data("cells") / "cells.jsonl")
    plan = Plan(python=sys.executable, live=True, jobs=2, deadline_s=DEADLINE_S, commit="")
    rows = run(instances, plan, None, lambda row: None)
    assert [told(row) for row in rows if row.error] == []
    assert [told(row) for row in rows if row.answer and row.answer.failed] == []
    assert [told(row) for row in rows if row.certain_wrong] == []


def told(row: Row) -> str:
    """Say in one line what a failed assertion has to show."""
    if row.answer is None:
        return f"{row.case}: {row.error}"
    claim, truth = row.answer.verdict.exception, row.answer.truth
    return (
        f"{row.case}: said {claim}, really {truth.status} {truth.ename} line {truth.line}; failed {row.answer.failed}"
    )
