"""Random programs, each asked about, then run: what the checker is certain of must be what happens.

A kind of programs is a module with a function `program(seed)`; to add one, give it a row in KINDS.
"""

import importlib
import importlib.util
import os
from typing import NamedTuple

import pytest
from oracle import compare_in_batches
from programs import Program

from crane_agent.in_kernel.checker.library import frame_stores, frames, pandas_itself


class Kind(NamedTuple):
    """Programs of one kind: the libraries that they need, how many are tried, the least share with a finding."""

    needs: tuple[str, ...]
    count: int
    found: float


KINDS = {
    "programs": Kind(("pandas",), 240, 0.02),
    "programs_functions": Kind(("pandas",), 120, 0.2),
    "programs_numpy": Kind(("numpy",), 120, 0.25),
    "programs_pandas": Kind(("pandas",), 80, 0.1),
    "programs_figures": Kind(("matplotlib", "seaborn"), 60, 0.2),
    "programs_sklearn": Kind(("sklearn",), 60, 0.1),
    "programs_torch": Kind(("torch",), 90, 0.1),
}


def grown(name: str) -> list[Program]:
    """Return programs of a kind; CRANE_PROGRAMS is their number, for a longer search."""
    missing = [each for each in KINDS[name].needs if importlib.util.find_spec(each) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    count = int(os.environ.get("CRANE_PROGRAMS", KINDS[name].count))
    programs = map(importlib.import_module(name).program, range(count))
    return [each for each in programs if _is_python(each.cell)]


def _is_python(cell: str) -> bool:
    try:
        compile(cell, "<cell>", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.timeout(0 if "CRANE_PROGRAMS" in os.environ else 600)
def test_the_checker_is_never_wrong_where_it_is_certain(name: str) -> None:
    rows = list(compare_in_batches(grown(name)))
    wrong = [f"--- {row.wrong()}\n{each.cell}" for each, row in rows if row.wrong()]
    assert not wrong, "\n".join(wrong)
    # The search is worth nothing if the checker is hardly ever certain.
    assert sum(row.finding is not None for _, row in rows) > len(rows) * KINDS[name].found
    assert sum(row.settled for _, row in rows) > len(rows) * 0.02


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.timeout(0 if "CRANE_PROGRAMS" in os.environ else 600)
def test_it_is_not_wrong_about_tables_that_are_too_large_to_be_worked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pandas_itself, frames, frame_stores):
        monkeypatch.setattr(module, "affordable", lambda size, state: False)
    rows = compare_in_batches(grown("programs_pandas"))
    assert [(each.cell, row.wrong()) for each, row in rows if row.wrong()] == []
