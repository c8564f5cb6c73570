import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals import traces
from evals.traces import left_behind, surroundings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "ENDS_WITHIN_S", 0.3)


def test_nothing_done_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a")
    before = surroundings(tmp_path, tmp_path)
    (tmp_path / "data.csv").read_text()
    assert left_behind(before, tmp_path, tmp_path) == ()


def test_files_made_changed_and_removed_are_told(tmp_path: Path) -> None:
    for name in ("changed", "removed", "same"):
        (tmp_path / name).write_text("a")
    before = surroundings(tmp_path, tmp_path)
    (tmp_path / "changed").write_text("ab")
    (tmp_path / "removed").unlink()
    (tmp_path / "made").touch()
    assert left_behind(before, tmp_path, tmp_path) == tuple(
        f"a file is not as it was: {name}" for name in ("changed", "made", "removed")
    )


def test_a_process_that_is_left_or_ended_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    before = surroundings(tmp_path, tmp_path)
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        assert left_behind(before, tmp_path, tmp_path) == (f"a process was started: {' '.join(command)}",)
        between = surroundings(tmp_path, tmp_path)
        process.communicate(b"\n")
    assert left_behind(between, tmp_path, tmp_path) == ("a process was ended",)
