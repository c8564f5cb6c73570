"""Measure on single cells: `python -m evals.cells --cells FILE [--python PYTHON]`.

Each line of the file is `{"id", "setup", "target", ...}`; `setup` is a cell or a list of cells. The truth is what
really happens here, in this environment: the outcome that a line records came from other versions of the libraries.
Each instance is asked about twice in the same kernel: without rehearsal, then with it (`--arms`).
Exits with status 1 if a certain verdict was wrong, a fault of our own was reported, a prediction left something behind,
or a run failed.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Collection
from pathlib import Path

from evals.command import add_arms, add_options, run_and_report
from evals.instance import Instance

DEADLINE_S = 240.0


def load_cells(path: Path, ids: Collection[str] = ()) -> list[Instance]:
    """Read the instances of a file of cells, in its order.

    Args:
        path: The file.
        ids: Ids of the cells wanted; all if empty.

    Raises:
        LookupError: The file does not have a cell that is wanted.
    """
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    missing = sorted(set(ids) - {line["id"] for line in lines})
    if missing:
        raise LookupError(f"no cell {', '.join(missing)} in {path}")
    return [
        Instance(case=line["id"], version="cell", executed=setup_cells(line["setup"]), target=line["target"])
        for line in lines
        if not ids or line["id"] in ids
    ]


def setup_cells(setup: str | list[str]) -> tuple[str, ...]:
    """Return the cells of a setup: those of a list, which may be given as its JSON text, or the one cell."""
    if isinstance(setup, list):
        return tuple(setup)
    try:
        listed = json.loads(setup)
    except json.JSONDecodeError:
        return (setup,)
    is_list_of_cells = isinstance(listed, list) and all(isinstance(cell, str) for cell in listed)
    return tuple(listed) if is_list_of_cells else (setup,)


def kind_of(case: str) -> str:
    """Return the kind that a cell is filed under: its id without the number."""
    return case.rstrip("0123456789")


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.cells", description=__doc__)
    parser.add_argument("--cells", type=Path, required=True, help="JSONL file of cells")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernels; default: this one")
    parser.add_argument("--case", action="append", default=[], metavar="ID", help="only this cell (repeatable)")
    add_options(parser, deadline_s=DEADLINE_S)
    add_arms(parser)
    options = parser.parse_args()
    return run_and_report(
        "evals.cells",
        "Single cells",
        load_cells(options.cells, options.case),
        options,
        live=True,
        named={str(options.cells): "CELLS", options.python: "PYTHON"},
        group="kind",
        group_of=lambda row: kind_of(row.case),
    )


if __name__ == "__main__":
    sys.exit(main())
