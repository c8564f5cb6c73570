"""The checker on notebooks that well-known packages ship: every cell asked about just before it runs.

`python -m evals.checker.corpus fetch DIR` gets the packages (`corpus_packages.py` names them) with pip and apt-get and
keeps those of their notebooks that need no network; `... replay DIR --python PYTHON` replays them. A notebook goes on
after a cell that raises: with today's libraries some do, and these are crashes that nobody planted.
Exits with status 1 if something certain was wrong, or a fault of our own was reported.
"""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from evals.checker.command import options_of, run_and_report, wanted
from evals.checker.corpus_packages import PACKAGES, code_cells, fetch, notebooks_in
from evals.checker.runner import Plan
from evals.checker.table import Grouping
from evals.instance import Instance
from evals.provenance import commit

DEADLINE_S = 400.0
CELL_LIMIT_S = 100.0


def load_notebooks(folder: Path) -> list[Instance]:
    """Read the notebooks that `fetch` put there; a case is a notebook, its version the package."""
    return [
        Instance(case=name, version=package.name, executed=code_cells(notebook), target="")
        for package, name, notebook in notebooks_in(folder)
    ]


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.checker.corpus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    fetching = commands.add_parser("fetch", help="get the packages and keep their notebooks")
    fetching.add_argument("folder", type=Path, metavar="DIR")
    fetching.add_argument("--package", action="append", default=[], metavar="NAME", help="only this (repeatable)")
    fetching.set_defaults(run=fetch_all)
    replaying = commands.add_parser("replay", help="replay the notebooks")
    replaying.add_argument("folder", type=Path, metavar="DIR")
    replaying.add_argument("--python", default=sys.executable, help="interpreter of the kernels; default: this one")
    options_of(replaying, deadline_s=DEADLINE_S, with_peer=False)
    replaying.set_defaults(run=replay_all)
    options = parser.parse_args()
    status: int = options.run(options)
    return status


def fetch_all(options: Namespace) -> int:
    """Fetch the packages asked for; a package that cannot be had is named, and the others are fetched."""
    status = 0
    for package in PACKAGES:
        if options.package and package.name not in options.package:
            continue
        try:
            found = fetch(package, options.folder)
        except (subprocess.SubprocessError, FileNotFoundError) as error:
            print(f"{package.name} {package.version}: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{package.name} {package.version}: {len(found)} notebooks")
    return status


def replay_all(options: Namespace) -> int:
    """Replay the notebooks of a folder."""
    folder: Path = options.folder.resolve()
    plan = Plan(
        python=options.python,
        peer=None,
        jobs=options.jobs,
        deadline_s=options.deadline,
        cell_limit_s=CELL_LIMIT_S,
        commit=commit(),
        after_crash=True,
        files_of=lambda instance: folder / instance.version / instance.case,
    )
    instances = wanted(load_notebooks(folder), options.only)
    packages = {package.name: f"{package.name} {package.version}" for package in PACKAGES}
    return run_and_report(
        "evals.checker.corpus",
        "The checker on notebooks of packages",
        instances,
        plan,
        options,
        named={str(options.folder): "NOTEBOOKS", options.python: "PYTHON"},
        groupings=(
            Grouping("package", lambda asked: packages[asked.row.version]),
            Grouping("exception", lambda asked: asked.cell.truth.ename or asked.cell.truth.status),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
