"""Measure on JunoBench: `python -m evals.junobench.run --bench FOLDER --python BENCH_PYTHON`.

Each instance is asked about twice in the same kernel: without rehearsal, then with it (`--arms`).
Exits with status 1 if a certain verdict was wrong, a fault of our own was reported, a prediction left something behind,
or a run failed.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from evals.command import add_arms, add_options, run_and_report
from evals.junobench.dataset import library_of, load_instances

# Executed cells of two cases train a network first.
DEADLINE_S = 900.0


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.junobench.run", description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="JunoBench's folder")
    parser.add_argument("--python", required=True, help="interpreter of the bench environment")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case (repeatable)")
    parser.add_argument(
        "--truth",
        choices=("live", "recorded"),
        default="live",
        help="what the verdict is held against: what happens when the target is run now, or truth.jsonl",
    )
    add_options(parser, deadline_s=DEADLINE_S)
    add_arms(parser)
    options = parser.parse_args()
    return run_and_report(
        "evals.junobench.run",
        "JunoBench",
        load_instances(options.bench, options.case),
        options,
        live=options.truth == "live",
        named={str(options.bench): "BENCH", options.python: "BENCH_PYTHON"},
        group="library",
        group_of=lambda row: library_of(row.case),
    )


if __name__ == "__main__":
    sys.exit(main())
