"""How many planted facts the probes find: `python -m evals.probes.planted`. Exits with status 1 below the goal.

A probe that refuses everything is safe and of no use: here each is asked about what was put before it, see `facts`.
"""

import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Reply
from evals.measures import share
from evals.probes.facts import GROUPS, START, Fact, Has, Lacks
from evals.probes.questions import KERNEL_PROBES
from evals.provenance import command_line, commit, provenance
from evals.table import Section, markdown, show

GOAL = 0.95
CELL_LIMIT_S = 300.0
ABSENT = object()


class Outcome(NamedTuple):
    """What became of a fact; `miss` says what was not as expected, empty if it was found."""

    fact: Fact
    miss: str


def look(python: str) -> list[Outcome]:
    """Plant the facts in a kernel and ask for them; what its libraries cannot make is left out."""
    with tempfile.TemporaryDirectory() as folder, launch(folder=Path(folder), in_place=True, python=python) as session:
        _run(session, START)
        return [outcome for group in GROUPS for outcome in _look(session, group)]


def _look(session: LaunchedSession, group: Any) -> Iterator[Outcome]:
    if group.needs is not None:
        there = f"import importlib.util; assert importlib.util.find_spec({group.needs!r})"
        if session.run(there, limit_s=CELL_LIMIT_S).status != "ok":
            return
    _run(session, group.code)
    for probe, arguments, expected in group.facts:
        reply = session.ask(probe, arguments)
        yield Outcome(Fact(group.kind, probe, arguments, expected), miss(reply, expected))


def _run(session: LaunchedSession, code: str) -> None:
    reply = session.run(code, limit_s=CELL_LIMIT_S)
    if reply.status != "ok":
        raise RuntimeError(f"{code[:60]!r}: {reply.evalue}")


def miss(reply: Reply, expected: Mapping[str, Any]) -> str:
    """Say what in a reply is not as expected; '' if all is."""
    whole = {"status": reply.status, "reason": reply.reason, "proof": dict(reply.proof), **reply.answer}
    for field, wanted in {"status": "ok", **expected}.items():
        found = _at(whole, field)
        if field == "status" and found != wanted:
            return f"{found}: {reply.reason}"[:200]
        if not _is(found, wanted):
            return f"{field}: {'not there' if found is ABSENT else repr(found)[:100]}, expected {wanted!r}"
    return ""


def _is(found: Any, wanted: Any) -> bool:
    if wanted is Has:
        return found is not ABSENT and found not in (None, [], {}, 0)
    return bool(wanted.holds(found)) if isinstance(wanted, (Has, Lacks)) else found == wanted


def _at(answer: Any, field: str) -> Any:
    for part in field.split("."):
        if not isinstance(answer, dict) or part not in answer:
            return ABSENT
        answer = answer[part]
    return answer


def sections(outcomes: Sequence[Outcome], made_with: Mapping[str, str]) -> list[Section]:
    """Turn outcomes into tables."""
    return [
        Section("Found", ("", "facts", "found", "share", "95 % interval"), (("all", *_counts(outcomes)),)),
        Section(
            "By probe",
            ("probe", "facts", "found", "share", "95 % interval"),
            tuple(
                (probe, *_counts([each for each in outcomes if each.fact.probe == probe])) for probe in KERNEL_PROBES
            ),
        ),
        Section(
            "By kind of value",
            ("kind", "facts", "found", "share", "95 % interval"),
            tuple(
                (kind, *_counts([each for each in outcomes if each.fact.kind == kind]))
                for kind in dict.fromkeys(each.fact.kind for each in outcomes)
            ),
        ),
        Section(
            "Missed",
            ("kind", "probe", "asked", "why"),
            tuple(
                (each.fact.kind, each.fact.probe, str(dict(each.fact.arguments)), each.miss)
                for each in outcomes
                if each.miss
            )
            or (("none", "", "", ""),),
        ),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]


def _counts(outcomes: Sequence[Outcome]) -> tuple[str, str, str, str]:
    found = sum(not each.miss for each in outcomes)
    if not outcomes:
        return "0", "0", "n/a", ""
    value = share(found, len(outcomes))
    return str(len(outcomes)), str(found), f"{value.value:.3f}", f"{value.low:.3f} to {value.high:.3f}"


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.probes.planted", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernel")
    parser.add_argument("--table", type=Path, help="Markdown file for the tables")
    options = parser.parse_args()
    outcomes = look(options.python)
    made_with = provenance(
        command_line("evals.probes.planted", sys.argv[1:], {options.python: "KERNEL_PYTHON"}),
        options.python,
        truth="what was planted",
        n=len(outcomes),
        commits=[commit()],
    )
    parts = sections(outcomes, made_with)
    show("Planted facts", parts, Console(width=None if sys.stdout.isatty() else 160))
    if options.table:
        options.table.write_text(markdown("Planted facts", parts), encoding="utf-8")
    return int(sum(not each.miss for each in outcomes) < GOAL * len(outcomes))


if __name__ == "__main__":
    sys.exit(main())
