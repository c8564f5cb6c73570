"""A patched copy of a notebook: the cell has the patch and no outputs, all else and the original are as they were."""

import json
from pathlib import Path
from typing import Any

import pytest

from crane_agent.errors import NotebookError
from crane_agent.notebook.cells import read_notebook
from crane_agent.notebook.patched import write_patched

CELLS: list[dict[str, Any]] = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Größe\n"]},
    {
        "cell_type": "code",
        "execution_count": 3,
        "metadata": {"tags": ["keep"]},
        "outputs": [{"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": []}],
        "source": "x = {}\nx['a']",
    },
]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": CELLS, "metadata": {"own": 1}, "nbformat": 4, "nbformat_minor": 4}))
    return path


def test_the_copy_differs_in_the_patched_cell_only(notebook, tmp_path):
    before = notebook.read_bytes()
    copy = tmp_path / "b.ipynb"
    write_patched(notebook, copy, index=1, source="x = {'a': 1}\nx['a']")
    assert notebook.read_bytes() == before
    document = json.loads(copy.read_text(encoding="utf-8"))
    assert document["cells"][0] == CELLS[0]
    assert document["metadata"] == {"own": 1}
    patched = document["cells"][1]
    assert (patched["outputs"], patched["execution_count"], patched["metadata"]) == ([], None, {"tags": ["keep"]})
    assert read_notebook(copy).cells[1].source == "x = {'a': 1}\nx['a']"


def test_no_file_is_overwritten(notebook, tmp_path):
    copy = tmp_path / "b.ipynb"
    copy.write_text("mine")
    with pytest.raises(NotebookError, match="there is such a file already"):
        write_patched(notebook, copy, index=1, source="x")
    assert copy.read_text() == "mine"


def test_a_folder_that_is_not_there_is_said(notebook, tmp_path):
    with pytest.raises(NotebookError, match="cannot be written"):
        write_patched(notebook, tmp_path / "no" / "b.ipynb", index=1, source="x")
