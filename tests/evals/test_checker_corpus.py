import gzip
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from evals.checker import corpus_packages
from evals.checker.corpus_packages import PACKAGES, Package, fetch, notebooks_in

PACKAGE = Package("toy", "1.0", "pypi", 2)


def written(path: Path, *sources: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    text = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def unpack(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a folder stand for what a package registry gives."""
    return lambda folder: monkeypatch.setattr(corpus_packages, "_unpacked", lambda package, place: folder)


def test_notebooks_that_reach_for_a_network_are_left_out(tmp_path: Path, unpack: Callable[[Path], None]) -> None:
    source = tmp_path / "source"
    written(source / "a/alone.ipynb", "x = '<a href=\"https://example.org\">'")
    written(source / "a/reads.ipynb", "x = 1", "df = pd.read_csv('https://example.org/x.csv')")
    written(source / "a/loads.ipynb", "df = sns.load_dataset('tips')")
    written(source / "a/empty.ipynb", "")
    unpack(source)
    assert [path.name for path in fetch(PACKAGE, tmp_path / "out")] == ["alone"]


def test_the_first_by_name_are_taken_each_name_once(tmp_path: Path, unpack: Callable[[Path], None]) -> None:
    source = tmp_path / "source"
    for place in ("x/b.ipynb", "y/b.ipynb.gz", "y/c.ipynb.txt", "z/a.ipynb.gz"):
        written(source / place, f"where = {place!r}")
    unpack(source)
    assert [path.name for path in fetch(PACKAGE, tmp_path / "out")] == ["a", "b"]


def test_small_data_beside_a_notebook_comes_along(tmp_path: Path, unpack: Callable[[Path], None]) -> None:
    source = tmp_path / "source"
    written(source / "a.ipynb", "x = 1")
    (source / "data.csv").write_text("a")
    (source / "big.csv").write_bytes(b" " * (corpus_packages.MAX_DATA_BYTES + 1))
    (source / "module.py").write_text("")
    unpack(source)
    (home,) = fetch(PACKAGE, tmp_path / "out")
    assert sorted(path.name for path in home.iterdir()) == ["data.csv", "notebook.ipynb"]


def test_what_was_fetched_is_read_by_package_and_name(tmp_path: Path) -> None:
    package = PACKAGES[0]
    written(tmp_path / package.name / "first" / "notebook.ipynb", "x = 1")
    ((found, name, notebook),) = notebooks_in(tmp_path)
    assert (found, name, notebook.cells[0].source) == (package, "first", "x = 1")


def test_every_package_is_pinned_and_named_once() -> None:
    assert all(package.version for package in PACKAGES)
    assert len({package.name for package in PACKAGES}) == len(PACKAGES) >= 10
