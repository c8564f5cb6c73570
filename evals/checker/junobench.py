"""The checker on JunoBench: `python -m evals.checker.junobench --bench FOLDER --python BENCH_PYTHON --peer DIR`.

Every executed cell of every instance is asked about just before it runs, too: it is known to run.
Exits with status 1 if something certain was wrong, a fault of our own was reported, or a run failed.
"""

import csv
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from evals.checker.command import chosen, options_of, plan_of, run_and_report, wanted
from evals.checker.table import Grouping
from evals.junobench.dataset import library_of, load_instances

# Executed cells of two cases train a network first.
DEADLINE_S = 900.0


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.checker.junobench", description=__doc__)
    parser.add_argument("--bench", type=Path, default=os.environ.get("BENCH"), help="its folder; default: $BENCH")
    parser.add_argument(
        "--python",
        default=os.environ.get("BENCH_PYTHON"),
        help="interpreter of the bench environment; default: $BENCH_PYTHON",
    )
    options_of(parser, deadline_s=DEADLINE_S)
    options = parser.parse_args()
    if options.bench is None or options.python is None:
        parser.error("--bench and --python are needed, or BENCH and BENCH_PYTHON in the environment")
    labels = crash_types(options.bench)
    return run_and_report(
        "evals.checker.junobench",
        "The checker on JunoBench",
        wanted(load_instances(options.bench, chosen(options.only)), options.only),
        plan_of(options),
        options,
        named={str(options.bench): "BENCH", options.python: "BENCH_PYTHON", str(options.peer): "PEER"},
        groupings=(
            Grouping("version", lambda asked: asked.row.version),
            Grouping("library", lambda asked: library_of(asked.row.case)),
            Grouping("crash type", lambda asked: labels.get(asked.row.case, "not labelled")),
        ),
    )


def crash_types(bench: Path) -> dict[str, str]:
    """Return JunoBench's crash type of each case; empty if the folder has no labels."""
    path = bench / "labels.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {line["case_id"]: line["crash_type"] for line in csv.DictReader(file)}


if __name__ == "__main__":
    sys.exit(main())
