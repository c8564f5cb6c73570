"""The promise that must hold on every cell of the shared file: what is called certain happens."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.cells import DEADLINE_S, load_cells
from evals.runner import Plan, run


@pytest.mark.timeout(900)
def test_nothing_certain_is_wrong_and_nothing_of_ours_fails(shared_data: Callable[[str], Path]) -> None:
    instances = load_cells(shared_data("cells") / "cells.jsonl")
    plan = Plan(python=sys.executable, live=True, jobs=2, deadline_s=DEADLINE_S, commit="")
    rows = run(instances, plan, None, lambda row: None)
    assert [(row.case, row.alarms) for row in rows if row.alarms] == []
