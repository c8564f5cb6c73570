"""Rehearsals on notebooks that well-known packages ship: every cell is rehearsed in a fork just before it runs.

`python -m evals.rehearsal.corpus DIR --python PYTHON` replays what `evals.checker.corpus fetch DIR` got.
Exits with status 1 if something certain was wrong, something was left behind, or a fault of our own was reported.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from crane_agent.verdict.render import one_line, plain
from evals.checker.command import wanted
from evals.checker.corpus import CELL_LIMIT_S, load_notebooks
from evals.checker.corpus_packages import PACKAGES
from evals.checker.rows import happened
from evals.command import add_options, publish
from evals.instance import Instance
from evals.provenance import command_line, commit, provenance
from evals.rehearsal.rows import Cell, Row
from evals.rehearsal.table import sections
from evals.replay import Plan, cells_of
from evals.rows_file import rows_in, run_missing

DEADLINE_S = 600.0
TITLE = "Rehearsals on notebooks of packages"


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.rehearsal.corpus", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="what was fetched")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernels; default: this one")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="only its (repeatable)")
    parser.add_argument("--only", default="", metavar="A,B/seaborn", help="only these notebooks")
    add_options(parser, deadline_s=DEADLINE_S)
    options = parser.parse_args()
    if options.out and options.fresh:
        options.out.unlink(missing_ok=True)
    folder: Path = options.folder.resolve()
    plan = Plan(
        python=options.python,
        jobs=options.jobs,
        deadline_s=options.deadline,
        cell_limit_s=CELL_LIMIT_S,
        commit=commit(),
        after_crash=True,
        files_of=lambda instance: folder / instance.version / instance.case,
    )
    instances = wanted(load_notebooks(folder), options.only)
    if options.package:
        instances = [each for each in instances if each.version in options.package]
    console = Console(stderr=True)
    rows = run(instances, plan, options.out, lambda row: tell(row, console))
    versions = {package.name: f"{package.name} {package.version}" for package in PACKAGES}
    named = {str(options.folder): "NOTEBOOKS", options.python: "PYTHON"}
    made_with = provenance(
        command_line("evals.rehearsal.corpus", sys.argv[1:], named),
        plan.python,
        truth="live",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    publish(TITLE, sections(rows, packages=versions, provenance=made_with), options.table)
    return int(any(cell.alarms for row in rows for cell in row.cells))


def run(instances: Sequence[Instance], plan: Plan, out: Path | None, seen: Callable[[Row], None]) -> list[Row]:
    """Run the notebooks that `out` has no row for yet; arguments and rows as for `run_missing`."""
    return run_missing(instances, rows_in(out, Row), lambda each: run_one(each, plan), out, jobs=plan.jobs, seen=seen)


def run_one(instance: Instance, plan: Plan) -> Row:
    """Run one notebook; whatever happens to it, there is a row with the cells that it got to."""
    found = cells_of(instance, plan, "evals.rehearsal.worker")
    return Row(
        case=instance.case,
        version=instance.version,
        cells=tuple(Cell.model_validate_json(line) for line in found.lines),
        error=found.error,
        commit=plan.commit,
    )


def tell(row: Row, console: Console) -> None:
    """Print one row in a line, and each cell whose rehearsal told nothing, or what must never be."""

    def say(words: str, style: str = "") -> None:
        console.print(plain(one_line(words)), style=style, markup=False, highlight=False, soft_wrap=True)

    settled = sum(cell.certain for cell in row.cells)
    say(f"{row.case} {row.version}: {len(row.cells)} cells, {settled} told for certain")
    for cell in row.cells:
        if not cell.rehearsed.settled:
            say(f"    cell {cell.place}: {cell.told}; really {happened(cell.truth)}")
        for alarm in cell.alarms:
            say(f"    cell {cell.place}: {alarm}", "bold red")
    if row.error:
        say(f"    CUT SHORT: {row.error}", "bold red")


if __name__ == "__main__":
    sys.exit(main())
