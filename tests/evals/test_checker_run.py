import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evals.checker.command import chosen, wanted
from evals.checker.corpus import load_notebooks
from evals.checker.rows import Row
from evals.checker.runner import Plan, run, run_one
from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.rows_file import rows_in

PLAN = Plan(python=sys.executable, peer=None, jobs=2, deadline_s=120, cell_limit_s=60, commit="")


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    """A folder with a package of the peer's name that calls every name it does not know a certain NameError."""
    package = tmp_path / "peer/crane_llm/nb_extension/checker"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from types import SimpleNamespace\n"
        "def run_checks(source, namespace, shell=None):\n"
        "    name = source.split()[-1]\n"
        "    if not name.isidentifier() or name in namespace: return None\n"
        "    return SimpleNamespace(exception='NameError', message=name, line=1, rule='undefined')\n"
    )
    return tmp_path / "peer"


def notebook(*cells: str, target: str = "") -> Instance:
    return Instance(case="toy_1", version="cell", executed=cells, target=target)


def test_toy_cases_are_asked_about_cell_by_cell(toy_bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    rows = run(load_instances(toy_bench), PLAN, out, lambda row: None)
    assert [row.error for row in rows] == [None] * 6
    assert [[cell.role for cell in row.cells] for row in rows] == [["executed", "target"]] * 6
    assert [cell.contradiction for row in rows for cell in row.cells] == [""] * 12
    names = rows[2].target
    assert names is not None
    assert names.said.finding is not None
    assert (names.said.finding.type, names.said.finding.line) == (names.truth.ename, names.truth.line)
    assert sorted(rows_in(out, Row), key=lambda row: row.key) == sorted(rows, key=lambda row: row.key)


def test_what_the_file_has_is_not_run_again(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    run([notebook("x = 1")], PLAN, out, lambda row: None)
    seen: list[Row] = []
    (row,) = run([notebook("x = 1")], PLAN, out, seen.append)
    assert (len(row.cells), seen) == (1, [])


def test_an_executed_cell_that_raises_ends_the_instance_and_keeps_its_cells() -> None:
    row = run_one(notebook("x = 1", "1 / 0", "x", target="x"), PLAN)
    assert row.error is not None
    assert "cell 2: ZeroDivisionError" in row.error
    assert [cell.truth.status for cell in row.cells] == ["ok", "error"]
    assert row.target is None


def test_a_notebook_goes_on_after_a_crash_and_finds_its_files(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1")
    plan = replace(PLAN, after_crash=True, files_of=lambda instance: tmp_path)
    row = run_one(notebook("a = open('data.txt').read()", "a + 1", "\n\n[a][int(a)]", "b = a"), plan)
    assert row.error is None
    assert [cell.truth.ename for cell in row.cells] == [None, "TypeError", "IndexError", None]
    assert [cell.truth.line for cell in row.cells] == [None, 1, 3, None]


def test_asking_where_a_crash_came_leaves_no_name() -> None:
    cells = ("before = {*dir()}", "1 / 0", "left = [n for n in {*dir()} - before if n[0] != '_' and n != 'before']")
    row = run_one(notebook(*cells, "assert not left, left"), replace(PLAN, after_crash=True))
    assert [cell.truth.ename for cell in row.cells] == [None, "ZeroDivisionError", None, None]


def test_a_cell_that_does_not_end_cuts_the_notebook_short() -> None:
    plan = replace(PLAN, after_crash=True, cell_limit_s=2)
    row = run_one(notebook("x = 1", "import time; time.sleep(60)", "x"), plan)
    assert [cell.truth.status for cell in row.cells] == ["ok", "timeout"]
    assert row.error is not None
    assert "timeout" in row.error


def test_the_peer_is_asked_about_the_target_alone_and_leaves_no_name_and_no_path(peer: Path) -> None:
    target = (
        "\nimport sys\nassert not any('peer' in path for path in sys.path) and 'run_checks' not in dir() or missing"
    )
    row = run_one(notebook("x = 1", target=target), replace(PLAN, peer=peer))
    assert row.target is not None
    assert row.target.truth.status == "ok"
    said = row.target.peer
    assert said is not None
    assert said.error == ""
    assert said.finding is not None
    assert (said.finding.type, said.finding.line) == ("NameError", 2)
    assert row.cells[0].peer is None
    assert row.target.peer_contradiction


def test_a_peer_that_is_not_there_is_told(tmp_path: Path) -> None:
    row = run_one(notebook(target="1"), replace(PLAN, peer=tmp_path))
    assert row.target is not None
    assert row.target.peer is not None
    assert "ModuleNotFoundError" in row.target.peer.error


def test_a_cell_under_a_magic_that_hides_what_is_raised_has_suspects_alone() -> None:
    row = run_one(notebook(target="%%capture\nmissing"), PLAN)
    assert row.target is not None
    assert row.target.said.finding is None
    assert [suspect.line for suspect in row.target.said.suspects] == [2]


def test_a_cell_that_is_no_python_is_a_certain_crash() -> None:
    row = run_one(notebook(target="x = 1\ny = ("), PLAN)
    assert row.target is not None
    assert row.target.said.finding is not None
    assert row.target.said.finding.type == "SyntaxError"
    assert row.target.contradiction == ""


def test_only_names_cases_or_instances_of_them(toy_bench: Path) -> None:
    only = "names_1,pure_1/fixed"
    assert chosen(only) == ["names_1", "pure_1"]
    keys = [each.key for each in wanted(load_instances(toy_bench, chosen(only)), only)]
    assert keys == [("names_1", "reproduced"), ("names_1", "fixed"), ("pure_1", "fixed")]


def test_notebooks_of_packages_are_read_with_their_folder(tmp_path: Path) -> None:
    import nbformat

    home = tmp_path / "seaborn/palettes"
    home.mkdir(parents=True)
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("x = 1"),
        nbformat.v4.new_code_cell(""),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), home / "notebook.ipynb")
    (instance,) = load_notebooks(tmp_path)
    assert instance.key == ("palettes", "seaborn")
    assert (instance.executed, instance.target) == (("x = 1",), "")
