import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from published_notebooks import published_notebook


class ToyCase(NamedTuple):
    executed: list[str]
    reproduced: str
    fixed: str
    ename: str
    line: int


TOYS = {
    "names_1": ToyCase(["rows = [1, 2]"], "\n\ntotal = 0\ntotal += len(missing)", "len(rows)", "NameError", 2),
    "files_1": ToyCase(["text = open('input.txt').read()"], "\nint(text)", "text.strip()", "ValueError", 1),
    "pure_1": ToyCase(
        ["def f(d):\n    return d['a']"], "try:\n    f({})\nfinally:\n    pass", "f({'a': 1})", "KeyError", 2
    ),
}


@pytest.fixture
def toy_bench(tmp_path: Path) -> Path:
    """A folder in JunoBench's layout with three cases."""
    bench = tmp_path / "bench"
    truths = []
    for name, toy in TOYS.items():
        folder = bench / "cases" / name
        folder.mkdir(parents=True)
        for version, target in (("reproduced", toy.reproduced), ("fixed", toy.fixed)):
            cells = [nbformat.v4.new_code_cell(source) for source in (*toy.executed, target)]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}_{version}.ipynb")
        truths.append(
            {
                "case": name,
                "version": "reproduced",
                "status": "error",
                "ename": toy.ename,
                "evalue": "",
                "line": toy.line,
                "seconds": 0.1,
            }
        )
        truths.append(
            {
                "case": name,
                "version": "fixed",
                "status": "ok",
                "ename": None,
                "evalue": None,
                "line": None,
                "seconds": 0.1,
            }
        )
    (bench / "cases/files_1/make_data.py").write_text(
        "import sys, pathlib\npathlib.Path(sys.argv[1], 'input.txt').write_text('ten')\n"
    )
    (bench / "cases/pure_1/startup.py").write_text("started_up = True\n")
    (bench / "truth.jsonl").write_text("\n".join(map(json.dumps, truths)))
    return bench


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Finds data that is not part of the checkout, or skips the test."""

    def find(name: str) -> Path:
        folder = Path(os.environ.get("CRANE_SHARED") or Path(__file__).parents[2].parent / "shared")
        if not (folder / name).exists():
            pytest.skip(f"no {name} in {folder.name}/: set CRANE_SHARED to the folder that holds it")
        return folder / name

    return find


@pytest.fixture
def original_bench(tmp_path: Path) -> Path:
    """A folder in the layout that JunoBench is published in, with two cases; one lacks its data."""
    bench = tmp_path / "original"
    tables = bench / "pandas" / "pandas_7"
    (tables / "data").mkdir(parents=True)
    (tables / "data" / "table.json").write_text('{"a": 1}')
    load = ("import json\ntable = json.load(open('data/table.json'))  # the table", 1)
    double = ("# [reexecute] this runs twice\ntable['a'] *= 2", 2)
    target = ("total = 0  # sum\ntotal += table['b']", 3)
    crashing = [load, ("never_run = 1", None), double, target, ("print('later')", 9)]
    nbformat.write(published_notebook(crashing, failing=3), tables / "pandas_7_reproduced.ipynb")
    repaired = [load, ("never_run = 1", None), double, ("total = 0  # fixed: b\ntotal += table['a']", 3), ("total", 4)]
    nbformat.write(published_notebook(repaired), tables / "pandas_7_fixed.ipynb")
    lost = bench / "numpy" / "numpy_9"
    lost.mkdir(parents=True)
    nbformat.write(
        published_notebook([("open('no_such.csv')", 1), ("1 / 0", 2)], failing=1), lost / "numpy_9_reproduced.ipynb"
    )
    return bench
