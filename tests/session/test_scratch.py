import os

import pytest

from crane_agent.errors import NotebookError
from crane_agent.session.scratch import copy_folder


def names_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "work"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "deep" / "a.csv").write_text("a")
    (folder / "n.ipynb").write_text("{}")
    return folder


def copy(folder, limit_bytes=10**9):
    destination = folder.parent / "own" / "scratch"
    destination.parent.mkdir()
    copy_folder(folder, destination, limit_bytes=limit_bytes)
    return destination


def test_files_and_folders_are_copied(folder):
    (folder / "empty").mkdir()
    copied = copy(folder)
    assert names_below(copied) == ["data", "data/deep", "data/deep/a.csv", "empty", "n.ipynb"]
    assert (copied / "data/deep/a.csv").read_text() == "a"


def test_environments_repositories_and_caches_are_not_copied(folder):
    for name in (".git", ".venv", "node_modules", "__pycache__", ".ipynb_checkpoints", "myenv"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("x")
    (folder / "myenv" / "pyvenv.cfg").write_text("")
    assert names_below(copy(folder)) == ["data", "data/deep", "data/deep/a.csv", "n.ipynb"]


def test_a_link_becomes_a_copy_of_what_it_leads_to(folder):
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "b.csv").write_text("b")
    (folder / "link").symlink_to(outside)
    (folder / "c.csv").symlink_to(outside / "b.csv")
    copied = copy(folder)
    (copied / "link" / "b.csv").write_text("changed")
    (copied / "c.csv").write_text("changed")
    assert (outside / "b.csv").read_text() == "b"


def test_links_that_lead_back_or_nowhere_are_left_out(folder):
    (folder / "data" / "deep" / "up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "nowhere").symlink_to(folder / "missing")
    os.mkfifo(folder / "pipe")
    assert names_below(copy(folder)) == ["data", "data/deep", "data/deep/a.csv", "n.ipynb"]


def test_a_folder_may_hold_the_copy_of_itself(folder):
    destination = folder / "own" / "scratch"
    destination.parent.mkdir()
    copy_folder(folder, destination, limit_bytes=10**9)
    assert names_below(destination) == ["data", "data/deep", "data/deep/a.csv", "n.ipynb"]


def test_nothing_is_copied_when_the_files_are_too_large_or_too_many(folder):
    (folder / "big").write_bytes(bytes(100_000))
    with pytest.raises(NotebookError, match="--in-place"):
        copy(folder, limit_bytes=50_000)
    assert not (folder.parent / "own" / "scratch").exists()
    (folder / "big").unlink()
    for number in range(20):
        (folder / f"{number}.txt").touch()
    with pytest.raises(NotebookError, match="--in-place"):
        copy_folder(folder, folder.parent / "own" / "scratch", limit_bytes=50_000)
