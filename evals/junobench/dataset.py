"""JunoBench's runnable instances, read from its folder."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from crane_agent.notebook.cells import read_notebook
from evals.instance import Instance, Truth, leading_blank_lines

VERSIONS = ("reproduced", "fixed")


def load_instances(bench: Path, cases: Collection[str] = ()) -> list[Instance]:
    """Read the instances of a JunoBench folder, sorted by case, `reproduced` before `fixed`.

    Args:
        bench: The folder that holds `cases/` and `truth.jsonl`.
        cases: Names of the cases wanted; all if empty.

    Raises:
        FileNotFoundError: The folder holds no cases, or not all of those wanted.
    """
    folders = {folder.name: folder for folder in sorted(bench.glob("cases/*")) if folder.is_dir()}
    missing = sorted(set(cases) - set(folders))
    if missing or not folders:
        raise FileNotFoundError(f"no case {', '.join(missing) or 'at all'} under {bench / 'cases'}")
    recorded = dict(_recorded(bench / "truth.jsonl"))
    wanted = [folders[name] for name in sorted(cases or folders)]
    return [_instance(case, version, recorded) for case in wanted for version in VERSIONS]


def library_of(case: str) -> str:
    """Return the library, or kind of crash, that a case is filed under: the prefix of its name."""
    return case.rsplit("_", 1)[0]


def _instance(case: Path, version: str, recorded: dict[tuple[str, str], Truth]) -> Instance:
    notebook = read_notebook(case / f"{case.name}_{version}.ipynb")
    *executed, target = (cell.source for cell in notebook.cells if cell.kind == "code")
    truth = recorded.get((case.name, version))
    return Instance(
        case=case.name,
        version=version,
        executed=tuple(executed),
        target=target,
        data_script=_if_there(case / "make_data.py"),
        startup=_if_there(case / "startup.py"),
        recorded=truth and _in_source_lines(truth, target),
    )


def _recorded(path: Path) -> Iterator[tuple[tuple[str, str], Truth]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield (row.pop("case"), row.pop("version")), Truth.model_validate(row)


def _in_source_lines(truth: Truth, target: str) -> Truth:
    """Convert the recorded line, which counts from the first line that is not blank, to the cell's own count.

    The recording took the first cell line of the traceback, which need not be the target's: a line that the
    target does not have is dropped.
    """
    if truth.line is None:
        return truth
    line = truth.line + leading_blank_lines(target)
    return truth.model_copy(update={"line": line if line <= len(target.splitlines()) else None})


def _if_there(path: Path) -> Path | None:
    return path.resolve() if path.exists() else None
