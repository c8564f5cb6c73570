from pathlib import Path

import nbformat
import pytest
from published_notebooks import published_notebook

from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.junobench.original import NotJunoBench, _line, without_comments


@pytest.fixture
def tables(original_bench: Path) -> tuple[Instance, Instance]:
    crash, repaired = load_instances(original_bench, ["pandas_7"])
    return crash, repaired


def test_both_layouts_are_read_in_the_same_order(original_bench: Path) -> None:
    keys = [instance.key for instance in load_instances(original_bench)]
    assert keys == [("numpy_9", "reproduced"), ("pandas_7", "reproduced"), ("pandas_7", "fixed")]


def test_the_target_is_the_cell_whose_output_is_an_error_and_the_same_cell_of_the_twin(
    tables: tuple[Instance, Instance],
) -> None:
    assert [each.target for each in tables] == ["total = 0\ntotal += table['b']", "total = 0\ntotal += table['a']"]


def test_what_ran_before_it_is_told_by_the_counts_and_a_marked_cell_ran_twice(
    tables: tuple[Instance, Instance],
) -> None:
    load, double = "import json\ntable = json.load(open('data/table.json'))", "\ntable['a'] *= 2"
    assert [each.executed for each in tables] == [(load, double, double)] * 2


def test_the_stored_crash_is_the_recorded_truth(tables: tuple[Instance, Instance]) -> None:
    crash, repaired = (each.recorded for each in tables)
    assert (crash.status, crash.ename, crash.evalue, crash.line) == ("error", "KeyError", "'b'", 2)
    assert repaired.status == "ok"


def test_folders_of_a_case_are_its_input_files(original_bench: Path, tables: tuple[Instance, Instance]) -> None:
    assert tables[0].data_folders == (original_bench / "pandas" / "pandas_7" / "data",)


def test_a_marked_target_ran_once_before_it_crashed(tmp_path: Path) -> None:
    folder = tmp_path / "pandas_1"
    folder.mkdir()
    cells = [("table = {'a': 1}", 1), ("#[re-execute]\ntable.pop('a')", 3)]
    nbformat.write(published_notebook(cells, failing=1), folder / "pandas_1_reproduced.ipynb")
    (instance,) = load_instances(tmp_path)
    assert (instance.executed, instance.target) == (("table = {'a': 1}", "\ntable.pop('a')"), "\ntable.pop('a')")


def test_a_case_without_a_stored_error_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pandas_1"
    folder.mkdir()
    nbformat.write(published_notebook([("1", 1)]), folder / "pandas_1_reproduced.ipynb")
    with pytest.raises(NotJunoBench, match="no cell has an error"):
        load_instances(tmp_path)


@pytest.mark.parametrize(
    ("source", "cleaned"),
    [
        ("x = 1  # why\n# all of it\ny = '#1'", "x = 1\n\ny = '#1'"),
        ('"""\n# text\n"""', '"""\n# text\n"""'),
        ("!pip install 'a\n# note\nx = 1", "!pip install 'a\n\nx = 1"),
        ("%%time\n# kept\nx = 1", "%%time\n# kept\nx = 1"),
        ("%%time\n# [reexecute] gone\nx = 1", "%%time\n\nx = 1"),
        ("", ""),
    ],
)
def test_comments_are_cut_out_and_lines_keep_their_numbers(source: str, cleaned: str) -> None:
    assert without_comments(source) == cleaned


@pytest.mark.parametrize(
    ("traceback", "line"),
    [
        ("Cell In[5], line 3\n      1 a\n----> 3 b\nFile lib.py:10\n---> 10 c", 3),
        ("Cell In [5], line 4", 4),
        ("Input In [3], in <cell line: 4>()\n      3 a\n----> 4 b\n\nFile lib.py, in f\n---> 10 c", 4),
        ("<ipython-input-3-0a1b2c> in <module>\n      1 a\n----> 2 b", 2),
        ("/tmp/ipykernel_17/1234567.py in <module>\n     11 a\n---> 12 b", 12),
        ('  File "<ipython-input-3-0a1b2c>", line 7\n    x = = 1', 7),
        ("  Cell In[2], line 2\n    x = = 1", 2),
        ("", None),
    ],
)
def test_the_line_is_read_from_tracebacks_of_every_age(traceback: str, line: int | None) -> None:
    assert _line(traceback) == line
