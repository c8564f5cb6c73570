"""What the checker's eval commands have in common: their options, the run, what is printed, the table."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

from rich.console import Console

from crane_agent.verdict.render import one_line, plain
from evals.checker.rows import Checked, Foreseen, Row, happened
from evals.checker.runner import Plan, run
from evals.checker.table import Grouping, sections
from evals.command import PIPE_WIDTH, add_options
from evals.instance import Instance
from evals.provenance import command_line, commit, provenance
from evals.solver import CELL_LIMIT_S
from evals.table import markdown, show

PEER = "crane-llm"


def options_of(parser: ArgumentParser, *, deadline_s: float, with_peer: bool = True) -> None:
    """Add the options that every corpus has, and the peer's."""
    parser.add_argument("--only", default="", metavar="A,B/fixed", help="only these cases, or instances of them")
    if with_peer:
        parser.add_argument("--peer", type=Path, metavar="DIR", help="folder that the peer was installed into")
    parser.add_argument("--show", action="store_true", help="print all that was said of each target")
    add_options(parser, deadline_s=deadline_s)


def chosen(only: str) -> list[str]:
    """Return the names of the cases in `--only`, each once."""
    return list(dict.fromkeys(part.partition("/")[0] for part in only.split(",") if part))


def wanted(instances: Iterable[Instance], only: str) -> list[Instance]:
    """Return the instances that `--only` names; all if it is empty."""
    parts = [part for part in only.split(",") if part]
    return [each for each in instances if not parts or each.case in parts or "/".join(each.key) in parts]


def plan_of(options: Namespace) -> Plan:
    """Return how the cells of instances are run, by the options of a command."""
    return Plan(
        python=options.python,
        peer=options.peer and options.peer.resolve(),
        jobs=options.jobs,
        deadline_s=options.deadline,
        cell_limit_s=CELL_LIMIT_S,
        commit=commit(),
    )


def run_and_report(
    module: str,
    title: str,
    instances: Sequence[Instance],
    plan: Plan,
    options: Namespace,
    *,
    named: Mapping[str, str],
    groupings: Sequence[Grouping],
) -> int:
    """Run the instances, write rows and table, and return the exit status.

    Args:
        module: The module that the user ran.
        title: Heading of the tables.
        instances: What to run.
        plan: How to run them.
        options: Those of `options_of`.
        named: Variables to show in the command instead of somebody's paths, by path.
        groupings: What recall is counted by, beside all.

    Returns:
        0; or 1 if something certain was wrong, a fault of our own was reported, or a run failed (a notebook that goes
        on after a crash is only cut short).
    """
    if options.out and options.fresh:
        options.out.unlink(missing_ok=True)
    console = Console(stderr=True)
    tell_row = show_row if options.show else tell
    rows = run(instances, plan, options.out, lambda row: tell_row(row, console))
    made_with = provenance(
        command_line(module, sys.argv[1:], named),
        plan.python,
        truth="live",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    if plan.peer:
        made_with["peer"] = peer_version(plan.peer)
    parts = sections(rows, groupings=groupings, provenance=made_with)
    if not options.show:
        show(title, parts, Console(width=None if sys.stdout.isatty() else PIPE_WIDTH))
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(markdown(title, parts), encoding="utf-8")
    failed = not plan.after_crash and any(row.error for row in rows)
    return int(failed or any(cell.contradiction for row in rows for cell in row.cells))


def peer_version(site: Path) -> str:
    """Return name and version of the peer that was installed into a folder.

    Raises:
        LookupError: It is not there.
    """
    for found in distributions(name=PEER, path=[str(site)]):
        return f"{PEER} {found.version}"
    raise LookupError(f"no {PEER} in {site}")


def tell(row: Row, console: Console) -> None:
    """Print one row in a line, and what cannot be overlooked."""
    target = row.target
    words = f"{len(row.cells)} cells" + (f"; {_in_short(target)}" if target else "")
    console.print(f"{row.case:16} {row.version:11} {words}", markup=False, highlight=False, soft_wrap=True)
    _warn(row, console)


def show_row(row: Row, console: Console) -> None:
    """Print all that is known of the row's target, or of its cells if it has none."""
    console.rule(f"{row.case} {row.version}: {len(row.cells)} cells")
    for cell in [row.target] if row.target else row.cells:
        for line in _in_full(cell):
            console.print(plain(line), markup=False, highlight=False, soft_wrap=True)
    _warn(row, console)


def _warn(row: Row, console: Console) -> None:
    for cell in row.cells:
        if cell.contradiction:
            text = f"    CERTAIN AND WRONG, cell {cell.place} ({cell.role}): {cell.contradiction}"
            console.print(plain(text), style="bold red", markup=False, soft_wrap=True)
            if cell.role == "executed":
                console.print(plain(_numbered(cell.source)), markup=False, highlight=False, soft_wrap=True)
    if row.error:
        console.print(f"    RUN FAILED: {row.error}", style="bold red", markup=False, soft_wrap=True)


def _in_short(cell: Checked) -> str:
    said = _words(cell.said.finding) if cell.said.finding else "settled" if cell.said.settled else "nothing certain"
    suspects = f", {len(cell.said.suspects)} suspects" if cell.said.suspects else ""
    peer = f"; peer: {_words(cell.peer.finding) if cell.peer.finding else '-'}" if cell.peer else ""
    return (
        f"{said}{suspects}{peer}; really {one_line(happened(cell.truth))[:100]}; {cell.said.milliseconds or 0:.0f} ms"
    )


def _words(foreseen: Foreseen) -> str:
    return f"{foreseen.type} line {foreseen.line}{'' if foreseen.first else ' at the latest'} ({foreseen.rule})"


def _in_full(cell: Checked) -> Iterable[str]:
    said = cell.said
    yield _numbered(cell.source)
    yield f"TRUTH     {happened(cell.truth)}"
    yield f"CHECK     {said.status} {said.reason} {'settled' if said.settled else ''} {said.milliseconds or 0:.1f} ms"
    if said.finding:
        yield f"FINDING   {_words(said.finding)}: {said.finding.message}"
    for suspect in said.suspects:
        yield f"SUSPECT   {_words(suspect)}: {suspect.message}"
    for doubt in said.doubts:
        yield f"DOUBT     line {doubt.line} {doubt.kind}: {doubt.why}"
    for question in said.questions:
        yield f"QUESTION  {json.dumps(question, default=str)}"
    if cell.peer:
        found = cell.peer.finding
        words = f"{_words(found)}: {found.message}" if found else cell.peer.error or "nothing"
        yield f"PEER      {words}; {cell.peer.milliseconds or 0:.1f} ms"


def _numbered(source: str) -> str:
    return "\n".join(f"  {number:3} {line}" for number, line in enumerate(source.splitlines(), start=1))
