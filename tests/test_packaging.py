"""What the repository ships: the wheel, the demo notebook, the make targets."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import tomllib

CHECKOUT = Path(__file__).parents[1]
DEMO = CHECKOUT / "notebooks" / "coffee_orders.ipynb"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, CHECKOUT],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_the_package_the_prompts_and_the_license_only(wheel):
    names = wheel.namelist()
    modules = {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "crane_agent").rglob("*.py")}
    assert modules <= set(names)
    prompts = {f"crane_agent/prompts/{path.name}" for path in (CHECKOUT / "prompts").glob("*.md")}
    assert prompts
    assert prompts <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"crane_agent"}


def test_the_wheel_installs_the_command(wheel):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "crane-agent = crane_agent.frontends.cli:main" in wheel.read(entry_points).decode()


def test_the_version_is_in_the_changelog():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"## {project['version']}" in (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_demo_is_a_valid_notebook_whose_last_cell_was_not_run():
    notebook = nbformat.read(DEMO, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5, None]


def test_the_demo_really_crashes_where_the_readme_says(tmp_path):
    notebook = nbformat.read(DEMO, as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    run = (
        "import json, sys, traceback\n"
        "*before, target = json.load(sys.stdin)\n"
        "space = {}\n"
        "for source in before: exec(source, space)\n"
        "try: exec(compile(target, '<target>', 'exec'), space)\n"
        "except Exception as error:\n"
        "    line = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == '<target>'][-1]\n"
        "    print(json.dumps([type(error).__name__, str(error), line]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", run],
        input=json.dumps(sources), cwd=DEMO.parent, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == ["KeyError", "'revenue_eur'", 2]


def test_make_without_a_target_lists_the_targets():
    done = subprocess.run(["make", "--no-print-directory"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (targets,) = (line for line in makefile.splitlines() if line.startswith(".PHONY:"))
    assert {line.split()[1] for line in done.stdout.splitlines()} == set(targets.split()[1:])


def test_an_interpreter_that_is_too_old_is_named_in_one_clear_line(tmp_path):
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", f"VENV={tmp_path / 'venv'}", "PYTHON=/bin/false"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "/bin/false is not Python 3.10 or newer with venv"
