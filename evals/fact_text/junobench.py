"""Measure what facts cost on JunoBench: `python -m evals.fact_text.junobench --bench FOLDER --python BENCH_PYTHON`.

Each instance is brought to the state before its target; then the fixed summary, its ablations and two probes are asked.
Exits with status 1 if two probes cost more than half of the summary at the median, or a run failed.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from crane_agent.verdict.render import one_line
from evals.command import add_options, publish
from evals.fact_text.rows import ENCODING, Found, Row, row_of, size_of
from evals.fact_text.table import holds, sections
from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.provenance import command_line, commit, provenance
from evals.replay import Plan, cells_of
from evals.rows_file import rows_in, run_missing

DEADLINE_S = 900.0
CELL_LIMIT_S = 400.0


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.fact_text.junobench", description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="JunoBench's folder")
    parser.add_argument("--python", required=True, help="interpreter of the bench environment")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case (repeatable)")
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
    console = Console(stderr=True)
    instances = load_instances(options.bench, options.case)
    rows = run(instances, plan, options.bench, options.out, lambda row: tell(row, console))
    named = {str(options.bench): "BENCH", options.python: "BENCH_PYTHON"}
    made_with = provenance(
        command_line("evals.fact_text.junobench", sys.argv[1:], named),
        options.python,
        truth="not looked at",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    made_with["tokenizer"] = f"{ENCODING}, from the package bpe-openai"
    publish("What facts cost", sections(rows, provenance=made_with), options.table)
    return int(any(row.error is not None for row in rows) or not holds(rows))


def run(
    instances: Sequence[Instance], plan: Plan, bench: Path, out: Path | None, seen: Callable[[Row], None]
) -> list[Row]:
    """Run the instances that `out` has no row for yet; arguments and rows as for `run_missing`."""
    return run_missing(
        instances, rows_in(out, Row), lambda each: run_one(each, plan, bench), out, jobs=plan.jobs, seen=seen
    )


def run_one(instance: Instance, plan: Plan, bench: Path) -> Row:
    """Run one instance; whatever happens to it, there is a row."""
    answer = cells_of(instance, plan, "evals.fact_text.worker")
    found = Found.model_validate_json(answer.lines[0]) if answer.lines else None
    file = bench / "cases" / instance.case / f"published_{instance.version}_runinfo.txt"
    published = size_of(file.read_text(encoding="utf-8")) if file.exists() else None
    return row_of(instance, found, published=published, error=answer.error, commit=plan.commit)


def tell(row: Row, console: Console) -> None:
    """Print one row."""
    if row.found is None:
        words = f"{row.case} {row.version}: FAILED: {one_line(row.error or '')}"
    else:
        costs = (
            f"{name}: summary {level.summary.tokens}, {', '.join(row.found.probes)} {level.asked.tokens}"
            for name, level in row.found.levels.items()
        )
        words = f"{row.case} {row.version}: {'; '.join(costs)} tokens"
    console.print(words, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
