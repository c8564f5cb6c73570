"""`crane-agent eval`: what it says where it cannot run, and that it is the grid where it can."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def ended(*arguments: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    command = f"import sys; sys.path.insert(0, {str(path)!r}); from crane_agent.frontends.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "eval", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_checkout_one_line_says_what_is_missing(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    (installed / "evals").mkdir(parents=True)
    (installed / "evals" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'evals'\", name='evals')\n"
    )
    run = ended("--bench", "b", folder=tmp_path, path=installed)
    assert run.returncode == 3
    assert run.stdout == ""
    assert run.stderr.splitlines() == [
        "crane-agent: crane-agent eval runs in a checkout of the repository with its extra: pip install -e '.[evals]' "
        "(evals is missing)"
    ]


def test_in_a_checkout_its_options_are_the_grids(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    run = ended("--help", folder=tmp_path, path=CHECKOUT)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("usage: crane-agent eval [-h] --bench BENCH --python PYTHON --logs LOGS")
    run = ended("--bench", "b", folder=tmp_path, path=CHECKOUT)
    assert run.returncode == 3
    assert "the following arguments are required: --python, --logs" in run.stderr
