"""A copy of a notebook with one cell patched; the original is only read."""

import json
from pathlib import Path

from crane_agent.errors import NotebookError
from crane_agent.notebook.cells import document_of


def write_patched(notebook: Path, copy: Path, *, index: int, source: str) -> None:
    """Write a copy of a notebook in which one cell has another source, and no outputs, since it has not run.

    Args:
        notebook: The notebook.
        copy: The file to make.
        index: The cell's place among all cells, from 0.
        source: What it has in the copy.

    Raises:
        NotANotebook: It cannot be read as one.
        NotebookError: There is such a file already, or it cannot be written.

    Touches: `copy`, which is made.
    """
    document = document_of(notebook)
    cell = document["cells"][index]
    cell["source"] = source.splitlines(keepends=True)
    cell["outputs"], cell["execution_count"] = [], None
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    try:
        with copy.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise NotebookError(f"{copy}: there is such a file already, and a patch overwrites none") from None
    except OSError as error:
        raise NotebookError(f"{copy}: cannot be written: {error.strerror}") from None
