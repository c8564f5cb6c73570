"""A notebook file as cells: read once, never written back, and without any stored output.

Outputs are dropped while reading, so that no policy can see what the target once printed or raised; all that
stays is whether a cell ended in an error when the notebook was saved.
"""

import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat

from crane_agent.errors import NoSuchCell, NotACodeCell, NotANotebook

CellKind = Literal["code", "markdown", "raw"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FORMAT = 4
_LISTED = 8  # tags named in a message


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Attributes:
        index: Its place among all cells, from 0. A cell that a kernel ran and that stands in no notebook has minus
            the number of its ``In [n]`` instead; a target that stands in none, minus the number it would get.
        id: Its id in the file; '' where the file has none (before format 4.5).
        kind: What it is; a kind unknown here counts as raw.
        source: Its text, as stored.
        execution_count: The kernel's count when it last ran; None if it was not run.
        tags: Its tags.
        failed_when_saved: Whether one of its stored outputs is an error.
    """

    index: int
    id: str
    kind: CellKind
    source: str
    execution_count: int | None
    tags: tuple[str, ...]
    failed_when_saved: bool

    @property
    def place(self) -> int | None:
        """Its place in the notebook; None if it stands in none."""
        return self.index if self.index >= 0 else None


@dataclass(frozen=True)
class Notebook:
    """A notebook, read.

    Attributes:
        path: Where it was read.
        cells: All cells, in notebook order.
        kernelspec: Name of the kernel that it asks for, or None.
        language: Its programming language as the file names it, e.g. `python`, or None.
    """

    path: Path
    cells: tuple[Cell, ...]
    kernelspec: str | None
    language: str | None


def read_notebook(path: str | Path) -> Notebook:
    """Read a notebook; nbformat upgrades one of an older format, in memory.

    Args:
        path: The ``.ipynb`` file.

    Raises:
        NotANotebook: There is no such file, it is not JSON, or not a notebook of a known format.

    Touches: the file, for reading.
    """
    path = Path(path)
    document, has_ids = _document(_text_of(path), path)
    metadata = _mapping(document.get("metadata"))
    stored = _list(document.get("cells"))
    cells = tuple(_cell(index, _mapping(each), has_ids=has_ids) for index, each in enumerate(stored))
    kernelspec = _mapping(metadata.get("kernelspec"))
    language = _mapping(metadata.get("language_info")).get("name") or kernelspec.get("language")
    return Notebook(path, cells, _text(kernelspec.get("name")), _text(language))


def document_of(path: Path) -> dict[str, Any]:
    """Return a notebook as its file has it, in format 4.

    Raises:
        NotANotebook: As for `read_notebook`.

    Touches: the file, for reading.
    """
    document, _ = _document(_text_of(path), path)
    return dict(document)


def choose_target(notebook: Notebook, which: str | None = None) -> Cell:
    """Return the cell that is asked about.

    Args:
        notebook: The notebook.
        which: A cell's id, its index ('7', from the end '-1') or a tag that it alone carries, tried in this
            order. None chooses the first code cell with a stored error, else the last code cell that was not run.

    Raises:
        NoSuchCell: No cell is meant, or a tag means several.
        NotACodeCell: The cell is Markdown or raw text.
    """
    cell = _default_target(notebook) if which is None else _named(notebook, which)
    if cell.kind != "code":
        raise NotACodeCell(f"cell {cell.index} is {cell.kind}, not code; {_code_cells(notebook)}")
    return cell


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotANotebook(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise NotANotebook(f"{path}: this is a folder, not a notebook") from None
    except OSError as error:
        raise NotANotebook(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise NotANotebook(f"{path}: not a notebook: it is not UTF-8 text") from None


def _document(text: str, path: Path) -> tuple[Mapping[str, Any], bool]:
    """Return the notebook in format 4, and whether its cells' ids are the file's: an upgrade makes random ones."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise NotANotebook(f"{path}: not a notebook: it is not JSON") from None
    version = _mapping(document).get("nbformat")
    if version != _FORMAT:
        document = _upgraded(text, path, version)
    cells = _mapping(document).get("cells")
    if not isinstance(cells, list) or not all("cell_type" in _mapping(cell) for cell in cells):
        raise _no_cells(path)
    return document, version == _FORMAT


def _upgraded(text: str, path: Path, version: object) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = nbformat.reader.reads(text)  # type: ignore[no-untyped-call]
            return nbformat.convert(stored, _FORMAT)  # type: ignore[no-untyped-call]
    except nbformat.NBFormatError:
        raise NotANotebook(f"{path}: nbformat cannot read notebooks of format {version!r:.20}") from None
    except _NOT_A_NOTEBOOK:
        raise _no_cells(path) from None


# What nbformat raises for JSON of another shape, depending on where it notices.
_NOT_A_NOTEBOOK = (AttributeError, KeyError, IndexError, TypeError, ValueError, nbformat.ValidationError)


def _no_cells(path: Path) -> NotANotebook:
    return NotANotebook(f"{path}: not a notebook: it is JSON, but without a notebook's cells")


def _cell(index: int, stored: Mapping[str, Any], *, has_ids: bool) -> Cell:
    kind = stored.get("cell_type")
    count = stored.get("execution_count")
    source = stored.get("source")
    outputs = [_mapping(output) for output in _list(stored.get("outputs"))]
    return Cell(
        index=index,
        id=_text(stored.get("id")) or "" if has_ids else "",
        kind=kind if kind in ("code", "markdown") else "raw",
        source=source if isinstance(source, str) else "".join(map(str, _list(source))),
        execution_count=count if type(count) is int and kind == "code" else None,
        tags=tuple(tag for tag in _list(_mapping(stored.get("metadata")).get("tags")) if isinstance(tag, str)),
        failed_when_saved=any(output.get("output_type") == "error" for output in outputs),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _default_target(notebook: Notebook) -> Cell:
    code = [cell for cell in notebook.cells if cell.kind == "code"]
    failed = [cell for cell in code if cell.failed_when_saved]
    not_run = [cell for cell in code if cell.execution_count is None and cell.source.strip()]
    if failed:
        return failed[0]
    if not_run:
        return not_run[-1]
    raise NoSuchCell(f"every code cell was run and none failed: name the cell to check; {_code_cells(notebook)}")


def _named(notebook: Notebook, which: str) -> Cell:
    for cell in notebook.cells:
        if cell.id and cell.id == which:
            return cell
    if _INTEGER.fullmatch(which):
        return _at(notebook, which)
    tagged = [cell for cell in notebook.cells if which in cell.tags]
    if len(tagged) == 1:
        return tagged[0]
    if tagged:
        places = ", ".join(str(cell.index) for cell in tagged[:_LISTED])
        raise NoSuchCell(f"{len(tagged)} cells carry the tag {which!r} ({places}): name one by its index")
    raise NoSuchCell(f"no cell has the id or tag {which!r}; {_tags(notebook)}; {_code_cells(notebook)}")


def _at(notebook: Notebook, which: str) -> Cell:
    count = len(notebook.cells)
    # More digits than any notebook has cells may be more than `int` accepts.
    index = int(which) if len(which) < 10 else count
    if not -count <= index < count:
        raise NoSuchCell(f"there is no cell {which:.20}; {_code_cells(notebook)}")
    return notebook.cells[index]


def _code_cells(notebook: Notebook) -> str:
    code = [cell.index for cell in notebook.cells if cell.kind == "code"]
    if not code:
        return "the notebook has no code cell"
    return f"the notebook has {len(code)} code cells, with indices from {code[0]} to {code[-1]}"


def _tags(notebook: Notebook) -> str:
    tags = sorted({tag for cell in notebook.cells for tag in cell.tags})
    if not tags:
        return "the notebook has no tags"
    return "its tags are " + ", ".join(tags[:_LISTED]) + (", ..." if len(tags) > _LISTED else "")
