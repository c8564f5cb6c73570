"""What is said of modules that the kernel has not loaded, each row in a process that has not loaded them either."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tables_unloaded import CRASHES, DOUBTFUL, WORKS

# Every row in a fork of its own, of a process that has loaded nothing but what answers.
CHILD = """
import json, sys
from oracle import ask, fresh_shell, in_a_fork, really_run

def compared(setup, cell):
    shell = fresh_shell(*([setup] if setup else []))
    loaded = [name for name in ("sklearn", "seaborn") if name in sys.modules]
    reply = ask(shell, cell)
    loaded += [name for name in ("sklearn", "seaborn") if name in sys.modules]
    crash = really_run(shell, cell)
    return {"reply": reply, "crash": crash and tuple(crash), "loaded": loaded}

rows = json.loads(sys.stdin.read())
print("@@" + json.dumps([in_a_fork(lambda: compared(setup, cell), 60) for setup, cell in rows]))
"""


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], dict[str, Any]]:
    pytest.importorskip("sklearn")
    pytest.importorskip("seaborn")
    cells = [row[:2] for row in [*CRASHES, *WORKS, *DOUBTFUL]]
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        cwd=here,
        env={"PYTHONPATH": f"{here}:{here.parents[2]}", "PATH": "/usr/bin:/bin", "MPLBACKEND": "agg"},
    )
    found = json.loads(done.stdout.partition("@@")[2])
    return dict(zip(cells, found, strict=True))


def _wrong(row: dict[str, Any]) -> str:
    from oracle import Crash, Row

    assert row["loaded"] == []
    return Row(row["reply"], Crash(*row["crash"]) if row["crash"] else None).wrong()


@pytest.mark.parametrize(("setup", "cell", "kind", "line"), CRASHES)
def test_a_crash_is_found_as_it_comes(
    setup: str, cell: str, kind: str, line: int | None, rows: dict[tuple[str, str], dict[str, Any]]
) -> None:
    row = rows[setup, cell]
    assert _wrong(row) == ""
    finding = row["reply"]["answer"]["finding"]
    assert finding is not None
    assert (finding["type"], finding["line"]) == (kind, line) == (row["crash"][0], row["crash"][2])
    assert finding["message"] == row["crash"][1][:500]


@pytest.mark.parametrize(("setup", "cell"), WORKS)
def test_a_cell_that_runs_is_left_alone(setup: str, cell: str, rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    row = rows[setup, cell]
    assert row["crash"] is None
    assert _wrong(row) == ""


@pytest.mark.parametrize(("setup", "cell"), DOUBTFUL)
def test_a_crash_that_cannot_be_foreseen_is_no_promise(
    setup: str, cell: str, rows: dict[tuple[str, str], dict[str, Any]]
) -> None:
    row = rows[setup, cell]
    assert row["crash"] is not None
    assert _wrong(row) == ""
