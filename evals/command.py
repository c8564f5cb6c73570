"""What the eval commands have in common: their options, the run, the table."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from evals.instance import Instance
from evals.provenance import command_line, commit, provenance
from evals.runner import Plan, run
from evals.scorer import Row
from evals.table import markdown, sections, show

PIPE_WIDTH = 140
"""Width of the tables where standard output is no terminal [columns]."""


def add_options(parser: ArgumentParser, *, deadline_s: float) -> None:
    """Add the options that every eval has."""
    parser.add_argument("--jobs", type=int, default=2, help="instances run at the same time")
    parser.add_argument("--deadline", type=float, default=deadline_s, help="time for one instance [s]")
    parser.add_argument("--out", type=Path, help="JSONL file for the rows; those it has are not run again")
    parser.add_argument("--fresh", action="store_true", help="run all again: empty --out first")
    parser.add_argument("--table", type=Path, help="Markdown file for the table")


def run_and_report(
    module: str,
    title: str,
    instances: Sequence[Instance],
    options: Namespace,
    *,
    live: bool,
    named: Mapping[str, str],
    group: str,
    group_of: Callable[[Row], str],
) -> int:
    """Run the instances, write rows and table, and return the exit status.

    Args:
        module: The module that the user ran.
        title: Heading of the tables.
        instances: What to run.
        options: Those of `add_options`, and `python`, the interpreter of the kernels.
        live: Whether each target is run for the truth, instead of taking the recorded one.
        named: Variables to show in the command instead of somebody's paths, by path.
        group: What the rows are grouped by, in a word.
        group_of: The group that a row is counted under, e.g. its library.

    Returns:
        0; or 1 if a certain verdict was wrong, a fault of our own was reported, or a run failed.
    """
    if options.out and options.fresh:
        options.out.unlink(missing_ok=True)
    console = Console(stderr=True)
    plan = Plan(options.python, live=live, jobs=options.jobs, deadline_s=options.deadline, commit=commit())
    rows = run(instances, plan, options.out, lambda row: tell(row, console))
    made_with = provenance(
        command_line(module, sys.argv[1:], named),
        options.python,
        truth="live" if live else "recorded",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    parts = sections(rows, group=group, group_of=group_of, provenance=made_with)
    show(title, parts, Console(width=None if sys.stdout.isatty() else PIPE_WIDTH))
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(markdown(title, parts), encoding="utf-8")
    return exit_status(rows)


def tell(row: Row, console: Console) -> None:
    """Print one row in a line; a certain and wrong one, a fault of our own or a failed run cannot be overlooked."""
    console.print(f"{row.case:16} {row.version:11} {_said(row)}", markup=False, highlight=False, soft_wrap=True)
    faults = row.answer.failed if row.answer else {}
    for fault, times in faults.items():
        console.print(f"    FAULT OF OUR OWN, {times} times: {fault}", style="bold red", markup=False)
    if row.certain_wrong:
        console.print("    CERTAIN AND WRONG", style="bold red")
    if row.error:
        console.print(f"    RUN FAILED: {row.error}", style="bold red", markup=False)


def exit_status(rows: Sequence[Row]) -> int:
    """Return 1 if a certain verdict was wrong, a fault of our own was reported, or a run failed; else 0."""
    return int(any(row.certain_wrong or row.error or (row.answer and row.answer.failed) for row in rows))


def _said(row: Row) -> str:
    if row.answer is None:
        return "error"
    verdict, truth = row.answer.verdict, row.answer.truth
    claim = f" {verdict.exception.type} line {verdict.exception.line}" if verdict.exception else ""
    real = f" {truth.ename} line {truth.line}" if truth.crash else ""
    return (
        f"{row.result:8} {verdict.outcome}{claim} ({verdict.certainty}, {verdict.reached_by}, "
        f"{verdict.confidence:.2f}); really {truth.status}{real}; {row.answer.predict_ms:.0f} ms"
    )
