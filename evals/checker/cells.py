"""The checker on single cells: `python -m evals.checker.cells --cells FILE [--python PYTHON] [--peer DIR]`.

The file is the one of `evals.cells`; the truth is what happens here.
Exits with status 1 if something certain was wrong, a fault of our own was reported, or a run failed.
"""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from evals.cells import DEADLINE_S, kind_of, load_cells
from evals.checker.command import chosen, options_of, plan_of, run_and_report, wanted
from evals.checker.table import Grouping


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.checker.cells", description=__doc__)
    parser.add_argument("--cells", type=Path, default=os.environ.get("CELLS"), help="the file; default: $CELLS")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernels; default: this one")
    options_of(parser, deadline_s=DEADLINE_S)
    options = parser.parse_args()
    if options.cells is None:
        parser.error("--cells is needed, or CELLS in the environment")
    return run_and_report(
        "evals.checker.cells",
        "The checker on single cells",
        wanted(load_cells(options.cells, chosen(options.only)), options.only),
        plan_of(options),
        options,
        named={str(options.cells): "CELLS", options.python: "PYTHON", str(options.peer): "PEER"},
        groupings=(Grouping("kind", lambda asked: kind_of(asked.row.case)),),
    )


if __name__ == "__main__":
    sys.exit(main())
