"""What the eval commands have in common: their options, the run, the table."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from evals.instance import Instance
from evals.provenance import command_line, commit, provenance
from evals.rehearsal.endings import endings
from evals.runner import Plan, run
from evals.scorer import Row, Said
from evals.solver import WITHOUT_AND_WITH, Asking
from evals.table import Section, happened, markdown, sections, show

PIPE_WIDTH = 140
"""Width of the tables where standard output is no terminal [columns]."""


def add_options(parser: ArgumentParser, *, deadline_s: float) -> None:
    """Add the options that every eval has."""
    parser.add_argument("--jobs", type=int, default=2, help="instances run at the same time")
    parser.add_argument("--deadline", type=float, default=deadline_s, help="time for one instance [s]")
    parser.add_argument("--out", type=Path, help="JSONL file for the rows; those it has are not run again")
    parser.add_argument("--fresh", action="store_true", help="run all again: empty --out first")
    parser.add_argument("--table", type=Path, help="Markdown file for the table")


def add_arms(parser: ArgumentParser) -> None:
    """Add the option that says with which settings of `rehearse` each instance is asked about."""
    words = "with which settings of rehearse each instance is asked about; default: off,on"
    parser.add_argument("--arms", type=_arms, default=WITHOUT_AND_WITH, metavar="off,on", help=words)


def _arms(text: str) -> tuple[Asking, ...]:
    arms = tuple(asking for asking in WITHOUT_AND_WITH if asking.arm in text.split(","))
    if len(arms) != len(text.split(",")):
        raise ArgumentTypeError(f"{text!r} is not off, on, or both")
    return arms


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
        options: Those of `add_options` and `add_arms`, and `python`, the interpreter of the kernels.
        live: Whether each target is run for the truth, instead of taking the recorded one.
        named: Variables to show in the command instead of somebody's paths, by path.
        group: What the rows are grouped by, in a word.
        group_of: The group that a row is counted under, e.g. its library.

    Returns:
        0; or 1 if a certain verdict was wrong, a fault of our own was reported, a prediction left something behind,
        or a run failed.
    """
    if options.out and options.fresh:
        options.out.unlink(missing_ok=True)
    console = Console(stderr=True)
    plan = Plan(
        options.python,
        live=live,
        jobs=options.jobs,
        deadline_s=options.deadline,
        commit=commit(),
        arms=options.arms,
    )
    rows = run(instances, plan, options.out, lambda row: tell(row, console))
    made_with = provenance(
        command_line(module, sys.argv[1:], named),
        options.python,
        truth="live" if live else "recorded",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    parts = [
        *sections(rows, group=group, group_of=group_of),
        *endings(rows),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]
    publish(title, parts, options.table)
    return exit_status(rows)


def publish(title: str, parts: Sequence[Section], path: Path | None) -> None:
    """Print the tables, and write them as Markdown if there is a path."""
    show(title, parts, Console(width=None if sys.stdout.isatty() else PIPE_WIDTH))
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(markdown(title, parts), encoding="utf-8")


def tell(row: Row, console: Console) -> None:
    """Print one row, a line for what was said in each arm; what must never be cannot be overlooked."""
    name = f"{row.case:16} {row.version:11}"
    if row.answer is not None:
        console.print(f"{name} {happened(row.answer.truth)}", markup=False, highlight=False, soft_wrap=True)
        for arm, said in row.answer.said.items():
            words = f"    {arm:3} {row.scores[arm].result:8} {_in_short(said)}"
            console.print(words, markup=False, highlight=False, soft_wrap=True)
    for alarm in row.alarms:
        console.print(f"    {name} {alarm}", style="bold red", markup=False, soft_wrap=True)


def exit_status(rows: Sequence[Row]) -> int:
    """Return 1 if there is something that must never be, else 0: see `Row.alarms`."""
    return int(any(row.alarms for row in rows))


def _in_short(said: Said) -> str:
    verdict = said.verdict
    claim = f" {verdict.exception.type} line {verdict.exception.line}" if verdict.exception else ""
    rehearsals = "".join(f"; {each.way}: {each.ended} {each.why}".rstrip() for each in said.rehearsals)
    return (
        f"{verdict.outcome}{claim} ({verdict.certainty}, {verdict.reached_by}, {verdict.confidence:.2f}); "
        f"{said.predict_ms:.0f} ms{rehearsals}"
    )
