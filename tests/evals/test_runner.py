import sys
from pathlib import Path

import pytest

from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.runner import Plan, run, run_one
from evals.scorer import Row
from evals.traces import processes_of


def plan(*, live: bool = True, deadline_s: float = 120.0) -> Plan:
    return Plan(python=sys.executable, live=live, jobs=2, deadline_s=deadline_s, commit="")


def question(target: str, *executed: str) -> Instance:
    return Instance(case="toy_1", version="cell", executed=executed, target=target)


@pytest.mark.parametrize("live", [False, True])
def test_toy_cases_run_from_end_to_end(toy_bench: Path, tmp_path: Path, live: bool) -> None:
    rows = run(load_instances(toy_bench), plan(live=live), tmp_path / "rows.jsonl", lambda row: None)
    assert [row.error for row in rows] == [None] * 6
    assert [row.alarms for row in rows] == [()] * 6
    assert [list(row.answer.said) for row in rows] == [["off", "on"]] * 6
    truths = [(row.answer.truth.ename, row.answer.truth.line) for row in rows]
    assert truths == [("ValueError", 2), (None, None), ("NameError", 4), (None, None), ("KeyError", 2), (None, None)]
    for score in rows[2].scores.values():
        assert (score.result, score.certain, score.diagnosed) == ("right", True, True)


def test_a_policy_sees_neither_names_nor_notes(toy_bench: Path) -> None:
    target = "import os\nassert 'toy' not in os.getcwd() and os.listdir() == []\nassert not any('toy_1' in v for v in os.environ.values())"
    row = run_one(question(target), plan())
    assert row.answer.truth.status == "ok"


def test_rows_of_an_earlier_run_are_not_run_again(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    first = run([question("1 + 1")], plan(), out, lambda row: None)
    seen: list[Row] = []
    again = run([question("1 + 1")], plan(), out, seen.append)
    assert (again, seen) == (first, [])
    assert len(out.read_text().splitlines()) == 1


def test_a_target_that_kills_the_kernel_is_a_crash() -> None:
    row = run_one(question("import os\nos.kill(os.getpid(), 9)"), plan())
    assert (row.error, row.answer.truth.status) == (None, "died")


def test_leaving_the_session_is_no_crash() -> None:
    row = run_one(question("raise SystemExit(1)"), plan())
    assert (row.answer.truth.ename, row.answer.truth.crash) == ("SystemExit", False)


def test_a_kernel_that_dies_in_the_setup_is_an_error_row() -> None:
    row = run_one(question("x", "import os\nos.kill(os.getpid(), 9)"), plan())
    assert row.error.startswith("KernelDied")


def test_an_executed_cell_that_raises_is_an_error_row() -> None:
    row = run_one(question("x", "1 / 0"), plan())
    assert "ZeroDivisionError" in row.error


def test_a_run_that_hangs_is_an_error_row_and_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    setup = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pid_file)!r}, 'w').write(os.environ['IPYTHONDIR'])\n"
        "time.sleep(600)"
    )
    row = run_one(question("x", setup), plan(deadline_s=20))
    assert row.error == "not done after 20 s"
    assert list(processes_of(Path(pid_file.read_text()))) == []


def test_a_missing_interpreter_is_an_error_row(tmp_path: Path) -> None:
    nowhere = Plan(python=str(tmp_path / "python"), live=True, jobs=1, deadline_s=60, commit="")
    assert run_one(question("1"), nowhere).error.startswith("NoKernel")


def test_a_recorded_truth_that_is_not_there_is_an_error_row() -> None:
    assert "no recorded truth" in run_one(question("1"), plan(live=False)).error
