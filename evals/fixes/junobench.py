"""Measure the patches on JunoBench: `python -m evals.fixes.junobench --bench FOLDER --python BENCH_PYTHON`.

Each crash is asked about with rehearsal and with its fix; each repaired twin, too, which must get none.
Exits with status 1 if a repaired twin got a patch, or a run failed.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from crane_agent.verdict.render import one_line, plain
from evals.command import add_options, publish
from evals.fixes.rows import Found, Row, row_of
from evals.fixes.table import sections
from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.provenance import command_line, commit, provenance
from evals.replay import Plan, cells_of
from evals.rows_file import rows_in, run_missing

DEADLINE_S = 1800.0
CELL_LIMIT_S = 400.0


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.fixes.junobench", description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="JunoBench's folder")
    parser.add_argument("--python", required=True, help="interpreter of the bench environment")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case (repeatable)")
    parser.add_argument("--version", action="append", default=[], metavar="NAME", help="only reproduced, or fixed")
    add_options(parser, deadline_s=DEADLINE_S)
    options = parser.parse_args()
    if options.out and options.fresh:
        options.out.unlink(missing_ok=True)
    plan = Plan(
        python=options.python,
        jobs=options.jobs,
        deadline_s=options.deadline,
        cell_limit_s=CELL_LIMIT_S,
        commit=commit(),
    )
    instances = load_instances(options.bench, options.case)
    if options.version:
        instances = [each for each in instances if each.version in options.version]
    console = Console(stderr=True)
    rows = run(instances, plan, options.out, lambda row: tell(row, console))
    named = {str(options.bench): "BENCH", options.python: "BENCH_PYTHON"}
    made_with = provenance(
        command_line("evals.fixes.junobench", sys.argv[1:], named),
        options.python,
        truth="the repaired twin",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    publish("Patches on JunoBench", sections(rows, provenance=made_with), options.table)
    return int(any(row.error is not None or (row.version == "fixed" and row.fix is not None) for row in rows))


def run(instances: Sequence[Instance], plan: Plan, out: Path | None, seen: Callable[[Row], None]) -> list[Row]:
    """Run the instances that `out` has no row for yet; arguments and rows as for `run_missing`."""
    return run_missing(instances, rows_in(out, Row), lambda each: run_one(each, plan), out, jobs=plan.jobs, seen=seen)


def run_one(instance: Instance, plan: Plan) -> Row:
    """Run one instance; whatever happens to it, there is a row."""
    answer = cells_of(instance, plan, "evals.fixes.worker")
    found = Found.model_validate_json(answer.lines[0]) if answer.lines else None
    return row_of(instance, found, error=answer.error, commit=plan.commit)


def tell(row: Row, console: Console) -> None:
    """Print one row, and its patch."""

    def say(words: str, style: str = "") -> None:
        console.print(plain(words), style=style, markup=False, highlight=False, soft_wrap=True)

    if row.found is None:
        say(f"{row.case} {row.version}: FAILED: {one_line(row.error or '')}", "bold red")
        return
    verdict = row.found.verdict
    crash = f" {verdict.exception.type} line {verdict.exception.line}" if verdict.exception else ""
    say(f"{row.case} {row.version}: {verdict.outcome}{crash}; {row.found.predict_ms / 1000:.1f} s")
    if verdict.fix is not None:
        say(f"    {verdict.fix.verified}: {one_line(verdict.fix.summary)}")
        say("".join(f"        {line}\n" for line in row.diff.splitlines()))


if __name__ == "__main__":
    sys.exit(main())
