import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evals.instance import Instance, Truth
from evals.rehearsal.corpus import run, run_one
from evals.rehearsal.rows import Cell, Row
from evals.rehearsal.table import sections
from evals.replay import Plan
from evals.scorer import Rehearsed
from evals.table import markdown

PLAN = Plan(python=sys.executable, jobs=1, deadline_s=120, cell_limit_s=60, commit="", after_crash=True)
RAN = Truth(status="ok", seconds=0.5)
CRASHED = Truth(status="error", ename="KeyError", evalue="'a'", line=3, seconds=0.5)
REFUSED = Rehearsed(way="fork", status="refused", reason="could not rehearse, because a thread runs", elapsed_ms=7.0)
FAILED = Rehearsed(way="fork", status="failed", reason="TypeError (clone, line 9)")


def ended(
    outcome: str, kind: str = "KeyError", line: int | None = 1, message: str = "'a'", **fields: object
) -> Rehearsed:
    raised = {"type": kind, "line": line, "message": message} if outcome == "crash" else None
    known = {"outcome": outcome, "why": "", "exception": raised, "changed": [], "denied": [], "seconds": 0.75}
    return Rehearsed(way="fork", status="ok", answer={**known, "pause_ms": 9.0, **fields}, elapsed_ms=900.0)


def cell(rehearsed: Rehearsed, truth: Truth, source: str = "\n\nd['a']", left: tuple[str, ...] = ()) -> Cell:
    return Cell(place=1, source=source, rehearsed=rehearsed, left=left, truth=truth)


def page(*cells: Cell, error: str | None = None) -> str:
    row = Row(case="colors", version="seaborn", cells=cells, error=error)
    return markdown("t", sections([row], packages={"seaborn": "seaborn 0.13.2"}, provenance={}))


@pytest.mark.parametrize(
    ("rehearsed", "truth", "contradiction"),
    [
        (ended("crash"), CRASHED, ""),
        (ended("crash", message="'b'"), CRASHED, ""),
        (ended("crash", line=None), CRASHED, ""),
        (ended("crash"), Truth(status="died"), ""),
        (ended("crash", line=2), CRASHED, "KeyError in line 4: 'a', but KeyError in line 3: 'a'"),
        (ended("crash", "IndexError"), CRASHED, "IndexError in line 3: 'a', but KeyError in line 3: 'a'"),
        (ended("crash"), RAN, "KeyError in line 3: 'a', but ok"),
        (ended("finished"), RAN, ""),
        (ended("finished"), Truth(status="error", ename="SystemExit"), ""),
        (ended("finished"), CRASHED, "finished, but KeyError in line 3: 'a'"),
        (ended("finished"), Truth(status="timeout"), "finished, but timeout"),
        (ended("finished"), Truth(status="died"), "finished, but died"),
        (ended("unknown", why="it met the fence"), CRASHED, ""),
        (REFUSED, CRASHED, ""),
    ],
)
def test_what_a_rehearsal_told_is_held_against_what_the_cell_does(
    rehearsed: Rehearsed, truth: Truth, contradiction: str
) -> None:
    assert cell(rehearsed, truth).contradiction == contradiction


def test_only_an_unchanged_copy_with_nothing_denied_is_certain() -> None:
    assert cell(ended("finished"), RAN).certain
    assert not cell(ended("finished", changed=["a pool ran in its own process"]), RAN).certain
    assert not cell(ended("finished", denied=["started a process"]), RAN).certain
    assert not cell(ended("unknown"), RAN).certain
    assert not cell(REFUSED, RAN).certain


def test_what_must_never_be_is_an_alarm_and_a_prediction_that_was_wrong_is_none() -> None:
    assert cell(ended("finished"), CRASHED).alarms == ("CERTAIN AND WRONG: finished, but KeyError in line 3: 'a'",)
    assert cell(ended("finished", changed=["something"]), CRASHED).alarms == ()
    assert cell(FAILED, RAN).alarms == ("FAULT OF OUR OWN: TypeError (clone, line 9)",)
    assert cell(ended("finished"), RAN, left=("a file is not as it was: x",)).alarms == (
        "LEFT BEHIND: a file is not as it was: x",
    )


def test_the_words_of_an_exception_are_compared_but_for_addresses() -> None:
    truth = CRASHED.model_copy(update={"evalue": "<f at 0x7f01>"})
    assert not cell(ended("crash", message="<f at 0x7f99>"), truth).other_message
    assert cell(ended("crash", message="<g at 0x7f99>"), truth).other_message


def test_the_page_lists_what_was_wrong_with_its_source_and_what_told_nothing() -> None:
    text = page(cell(ended("finished"), CRASHED), cell(REFUSED, RAN), error="CellFailed: cell 2: timeout")
    assert "| certain and wrong | 1 |" in text
    assert "| colors seaborn | 1 | finished, but KeyError in line 3: 'a' | d['a'] |" in text
    assert "| refused | could not rehearse, because a thread runs | 1 | 0 |" in text
    assert "| colors seaborn | 2 | CellFailed: cell 2: timeout |" in text


def test_the_page_counts_by_kind_by_package_and_in_time() -> None:
    text = page(
        cell(ended("crash"), CRASHED), cell(ended("finished"), RAN), cell(ended("finished", changed=["a"]), RAN)
    )
    assert "| crash | certain | 0 | 1 | 0 | 0 |" in text
    assert "| finished | not certain | 1 | 0 | 0 | 0 |" in text
    assert "| seaborn 0.13.2 | 3 | 2 | 0.67 | 1 | 1 |" in text
    assert "| in the copy less for real | s | 3 | 0.25 | 0.25 | 0.25 |" in text
    assert "| around the cell | ms | 3 | 150.0 | 150.0 | 150.0 |" in text


@pytest.fixture
def notebook() -> Callable[..., Instance]:
    return lambda *cells: Instance(case="toy", version="seaborn", executed=cells, target="")


def test_every_cell_of_a_notebook_is_rehearsed_before_it_runs(
    notebook: Callable[..., Instance], tmp_path: Path
) -> None:
    (tmp_path / "data.txt").write_text("1")
    cells = (
        "a = int(open('data.txt').read())",
        "a += 1",
        "\n\n[a][a]",
        "open('new.txt', 'w').write('x')",
        "assert a == 2",
    )
    out = tmp_path / "rows.jsonl"
    plan = replace(PLAN, files_of=lambda instance: tmp_path)
    (row,) = run([notebook(*cells)], plan, out, lambda row: None)
    if all(each.rehearsed.ended == "refused" for each in row.cells):
        pytest.skip("nothing can be rehearsed here")
    assert row.error is None
    assert [each.truth.ename for each in row.cells] == [None, None, "IndexError", None, None]
    assert [each.told for each in row.cells][:3] == [
        "finished",
        "finished",
        "IndexError in line 3: list index out of range",
    ]
    assert [each.alarms for each in row.cells] == [()] * 5
    seen: list[Row] = []
    assert (run([notebook(*cells)], plan, out, seen.append), seen) == ([row], [])


def test_a_cell_that_does_not_end_cuts_the_notebook_short(notebook: Callable[..., Instance]) -> None:
    plan = replace(PLAN, cell_limit_s=1)
    row = run_one(notebook("import time", "time.sleep(60)", "x = 1"), plan)
    assert [each.truth.status for each in row.cells] == ["ok", "timeout"]
    assert row.error is not None
    assert "timeout" in row.error


def test_what_python_does_not_compile_crashes_in_the_line_that_both_name(notebook: Callable[..., Instance]) -> None:
    row = run_one(notebook("\nx = 1\nreturn x", "x = (", "x = 1\n  y = 2"), PLAN)
    assert [each.truth.line for each in row.cells] == [3, 1, 2]
    assert [each.contradiction for each in row.cells] == [""] * 3
