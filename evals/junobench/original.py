"""JunoBench's instances as they are published, one folder a case.

`<case>/<case>_reproduced.ipynb`, in any folder below, and `<case>_fixed.ipynb` beside it. What is taken from them is
what the benchmark's own scripts take (https://github.com/PELAB-LiU/JunoBench_construct): the target is the first cell
whose stored output is an error, in the fixed notebook the code cell in the same place; the cells with a lower execution
count ran before it, in that order; one that is marked `[reexecute]` in its first line ran twice in a row, so a target
that is marked ran once already. Comments are cut out: they tell of crashes and repairs.
"""

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crane_agent.notebook.cells import Cell, document_of, read_notebook
from evals.instance import Instance, Truth, in_source_lines

ENDING = "_reproduced"
_MARK = re.compile(r"\[re-?execute\]")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_LINE = re.compile(r"Cell In\s?\[\d+\], line (\d+)")
_ARROW = re.compile(r"^-+> ?(\d+)", re.MULTILINE)
_SYNTAX_LINE = re.compile(r"^ *File .*, line (\d+)", re.MULTILINE)


class NotJunoBench(Exception):
    """A folder's notebooks are not as JunoBench has them."""


def case_folders(bench: Path) -> dict[str, Path]:
    """Return the folders of the cases under a folder, by name."""
    found = sorted(bench.rglob(f"*{ENDING}.ipynb"))
    return {path.parent.name: path.parent for path in found if path.name == f"{path.parent.name}{ENDING}.ipynb"}


def original_instances(folder: Path) -> Iterator[Instance]:
    """Yield a case's instances: the crash, and its repaired twin if it is there.

    Raises:
        NotJunoBench: No output is an error, or the twin does not have that cell.
        NotANotebook: A notebook cannot be read.
    """
    crashing = folder / f"{folder.name}{ENDING}.ipynb"
    cells = _code_cells(crashing)
    place = next((place for place, cell in enumerate(cells) if cell.failed_when_saved), None)
    if place is None:
        raise NotJunoBench(f"{crashing}: no cell has an error among its outputs")
    yield _instance(folder, "reproduced", cells, place, recorded=_recorded(crashing, cells[place]))
    repaired = folder / f"{folder.name}_fixed.ipynb"
    if repaired.exists():
        cells = _code_cells(repaired)
        if place >= len(cells):
            raise NotJunoBench(f"{repaired}: it has no code cell in the place of the one that crashes, {place}")
        yield _instance(folder, "fixed", cells, place, recorded=Truth(status="ok"))


def _instance(folder: Path, version: str, cells: Sequence[Cell], place: int, *, recorded: Truth) -> Instance:
    return Instance(
        case=folder.name,
        version=version,
        executed=tuple(without_comments(cell.source) for cell in _executed(cells, cells[place])),
        target=without_comments(cells[place].source),
        data_folders=tuple(sorted(each.resolve() for each in folder.iterdir() if each.is_dir())),
        recorded=recorded,
    )


def _code_cells(path: Path) -> list[Cell]:
    return [cell for cell in read_notebook(path).cells if cell.kind == "code"]


def _executed(cells: Collection[Cell], target: Cell) -> Iterator[Cell]:
    """Yield the cells that ran before the target, in that order, one as often as it ran."""
    counted = sorted((cell.execution_count, cell.index, cell) for cell in cells if cell.execution_count is not None)
    for count, _, cell in counted:
        if cell is target:
            continue
        if target.execution_count is None or count < target.execution_count:
            yield from (cell, cell) if _is_marked(cell) else (cell,)
    if _is_marked(target):
        yield target


def _is_marked(cell: Cell) -> bool:
    lines = cell.source.strip().splitlines()
    return bool(lines) and _MARK.search(lines[0]) is not None


def without_comments(source: str) -> str:
    """Return a cell without its comments; each line keeps its number."""
    lines = source.splitlines()
    if source.lstrip().startswith("%%"):
        return "\n".join("" if _MARK.search(line) else line for line in lines)
    try:
        comments = [
            token.start
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):  # a magic's words need not be Python
        return "\n".join("" if line.lstrip().startswith("#") else line for line in lines)
    for row, column in comments:
        lines[row - 1] = lines[row - 1][:column].rstrip()
    return "\n".join(lines)


# --- what is stored of the crash -----------------------------------------------------------------------------


def _recorded(path: Path, target: Cell) -> Truth:
    stored: Mapping[str, Any] = document_of(path)["cells"][target.index]
    error = next(output for output in stored["outputs"] if output.get("output_type") == "error")
    traceback = _ANSI.sub("", "\n".join(error.get("traceback") or ()))
    truth = Truth(
        status="error", ename=error.get("ename"), evalue=_ANSI.sub("", error.get("evalue") or ""), line=_line(traceback)
    )
    return in_source_lines(truth, target.source)


def _line(traceback: str) -> int | None:
    """Return the cell's line in a traceback that IPython stored, of whatever age; its frame is the first."""
    found = (pattern.search(traceback) for pattern in (_CELL_LINE, _ARROW, _SYNTAX_LINE))
    first = next((match for match in found if match is not None), None)
    return None if first is None else int(first[1])
