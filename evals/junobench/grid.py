"""Measure on JunoBench, a grid of arms and policies: `python -m evals.junobench.grid --bench FOLDER --python PYTHON`.

Each policy is one Inspect task, whose instances are asked about in every arm in one kernel; the logs are in `--logs`,
for `inspect view`. What a log holds is not run again, however the run before ended: to run all anew, name another
folder. Ends with the rows, one for each instance, epoch and arm. Exits with status 1 if a certain verdict was wrong, a
fault of our own was reported, a prediction left something behind, or a run failed.
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from inspect_ai import Task, eval_set
from inspect_ai.log import EvalLog, read_eval_log
from rich.console import Console

from crane_agent.errors import CraneAgentError
from evals.command import publish
from evals.junobench.dataset import library_of
from evals.junobench.logs import alarms_of, predictions_of, rows_of
from evals.junobench.original import NotJunoBench
from evals.junobench.predictions import RULES, Arm, write_predictions
from evals.junobench.tasks import DEFAULT_ARMS, SECONDS, junobench
from evals.provenance import command_line, provenance
from evals.rehearsal.endings import endings
from evals.table import Section, sections

MODULE = "evals.junobench.grid"
PAIR = {
    Arm(facts="adaptive", check=True).name: "off",
    Arm(facts="adaptive", check=True, rehearse=True).name: "on",
}
"""The arms that the table compares: without rehearsal and with it."""


def main(arguments: Sequence[str] | None = None, *, program: str = f"python -m {MODULE}") -> int:
    """Run a grid, write its rows, and return the exit status.

    Args:
        arguments: The command line; None: this process's.
        program: What the user calls it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(program)
    options = parser.parse_args(given)
    try:
        tasks = tasks_of(options)
    except (FileNotFoundError, NotJunoBench, CraneAgentError, ValueError) as wrong:
        parser.error(str(wrong))
    logs = [read_eval_log(log.location) for log in run(tasks, options)]
    rows_file: Path = options.rows or options.logs / "rows.jsonl"
    rows_file.parent.mkdir(parents=True, exist_ok=True)
    rows = [row for log in logs for row in predictions_of(log, folder=rows_file.parent)]
    write_predictions(rows_file, rows)
    if options.table:
        _write_table(logs, options, given)
    console = Console(stderr=True)
    alarms = [alarm for log in logs for alarm in alarms_of(log)]
    for alarm in alarms:
        console.print(alarm, style="bold red", markup=False, soft_wrap=True)
    console.print(f"{len(rows)} rows in {rows_file}", markup=False, soft_wrap=True)
    return int(bool(alarms) or not rows)


def tasks_of(options: Namespace) -> list[Task]:
    """Return the grid's tasks, one for each policy.

    Raises:
        FileNotFoundError: There are no such cases.
        NotJunoBench: A case is not as JunoBench has them.
        CraneAgentError: A notebook cannot be read, or a setting cannot be used.
        ValueError: There is no such arm.
    """
    return [
        junobench(
            bench=str(options.bench.resolve()),
            python=_absolute(options.python),
            arms=options.arms,
            policy=policy,
            cases=",".join(options.case),
            truth=options.truth,
            seconds=options.seconds,
            deadline=options.deadline,
            judge=options.judge,
        )
        for policy in options.policy or [RULES]
    ]


def run(tasks: Sequence[Task], options: Namespace) -> list[EvalLog]:
    """Run what the folder of logs does not hold yet, and return the logs of the whole grid, without their samples."""
    _, logs = eval_set(
        list(tasks),
        log_dir=str(options.logs),
        epochs=options.epochs,
        max_tasks=1,
        max_samples=options.jobs,
        # Each sample is in the log as soon as it is done: nothing of a run that is killed is run again.
        log_buffer=1,
        log_dir_allow_dirty=True,
        embed_viewer=True,
        display="rich" if sys.stdout.isatty() else "plain",
    )
    return logs


def _parser(program: str) -> ArgumentParser:
    parser = ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="JunoBench's folder, in either layout")
    parser.add_argument("--python", required=True, help="interpreter of the bench environment")
    parser.add_argument("--logs", type=Path, required=True, help="folder for Inspect's logs; what they hold is not run")
    parser.add_argument("--rows", type=Path, help="JSONL file for the rows; default: rows.jsonl beside the logs")
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME",
        help="rules (default), a model as Inspect names it, or endpoint/NAME for one at OPENAI_BASE_URL (repeatable)",
    )
    parser.add_argument("--arms", default=DEFAULT_ARMS, help=f"the arms of each policy; default: {DEFAULT_ARMS}")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case (repeatable)")
    parser.add_argument("--epochs", type=int, default=1, help="how often each instance is asked about")
    parser.add_argument(
        "--truth",
        choices=("live", "recorded"),
        default="live",
        help="what the verdicts are held against: what happens when the target is run now, or what was recorded",
    )
    parser.add_argument("--judge", metavar="NAME", help="model, as Inspect names it, that judges the reasons")
    parser.add_argument("--jobs", type=int, default=2, help="instances run at the same time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time for one answer of one arm [s]")
    parser.add_argument("--deadline", type=float, help="time for one instance [s]; default: enough for all arms")
    parser.add_argument(
        "--table", type=Path, help=f"Markdown file for the table of {' beside '.join(PAIR)}, of the first policy"
    )
    return parser


def _absolute(interpreter: str) -> str:
    """Return a path as it is from any folder; a link, as an environment's interpreter is, stays one."""
    return os.path.abspath(interpreter) if os.sep in interpreter else interpreter


def _write_table(logs: Sequence[EvalLog], options: Namespace, given: Sequence[str]) -> None:
    rows = rows_of(logs[0], arms=PAIR)
    made_with = provenance(
        command_line(MODULE, given, {str(options.bench): "BENCH", options.python: "BENCH_PYTHON"}),
        options.python,
        truth=options.truth,
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    parts = [
        *sections(rows, group="library", group_of=lambda row: library_of(row.case)),
        *endings(rows),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]
    publish("JunoBench", parts, options.table)


if __name__ == "__main__":
    sys.exit(main())
