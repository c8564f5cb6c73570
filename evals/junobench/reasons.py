"""The reasons given for crashes; and judged by hand: a sheet out, filled in, and back.

    python -m evals.junobench.reasons write rows.jsonl sheet.csv --bench "$BENCH"
    python -m evals.junobench.reasons read rows.jsonl sheet.csv judged.jsonl

The sheet does not say which arm gave a reason, and the same reason given in several arms or epochs is judged once. In
the column `right` goes yes or no; what is left empty stays without a judgement. The rows read are new ones, so that
they can be held against those that a model judged.
"""

import csv
import hashlib
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path

from crane_agent.verdict.models import Verdict
from evals.instance import Truth
from evals.junobench.dataset import load_instances, load_labels
from evals.junobench.predictions import Prediction, read_predictions, write_predictions

COLUMNS = ("id", "case", "target", "cause", "reason", "right")
ANSWERS = {"yes": True, "no": False, "": None}


class BadSheet(Exception):
    """A sheet cannot be read."""


def can_be_judged(verdict: Verdict, truth: Truth) -> bool:
    """Whether there is a reason to be judged: a crash that was foreseen and happened."""
    return truth.crash and verdict.outcome == "crash"


def reason_in_words(verdict: Verdict) -> str:
    """Return the reason that a verdict gives, as a judge reads it."""
    claim = verdict.exception
    raised = "" if claim is None else f"{claim.type}: {claim.message}\n".replace(": \n", "\n")
    return f"{raised}{verdict.explanation}"


def write_sheet(path: Path, rows: Iterable[Prediction], bench: Path) -> int:
    """Write a sheet of the reasons that can be judged, and return how many there are.

    Args:
        path: The CSV file; it must not exist, since somebody may have filled it in.
        rows: The rows.
        bench: JunoBench's folder, for targets and causes.
    """
    targets = {instance.key: instance.target for instance in load_instances(bench)}
    labels = load_labels(bench)
    lines = {}
    for row in rows:
        if row.verdict is not None and row.truth is not None and can_be_judged(row.verdict, row.truth):
            cause = labels[row.case].cause if row.case in labels else ""
            reason = reason_in_words(row.verdict)
            lines[_id(row)] = (_id(row), row.case, targets[row.instance], cause, reason, "")
    with path.open("x", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(COLUMNS)
        # Sorted by their ids: in no order that tells of arms, and the same whenever it is written.
        sheet.writerows(lines[each] for each in sorted(lines))
    return len(lines)


def judged_rows(path: Path, rows: Iterable[Prediction]) -> list[Prediction]:
    """Return rows with the judgements of a sheet, and with no others.

    Raises:
        BadSheet: A judgement is neither yes nor no, or it is no such sheet.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    judgements = {}
    for number, line in enumerate(lines, start=2):
        if not {"id", "right"} <= line.keys():
            raise BadSheet(f"{path}: it lacks a column, id or right")
        answer = (line["right"] or "").strip().lower()
        if answer not in ANSWERS:
            raise BadSheet(f"{path}, line {number}: {answer!r} is neither yes nor no")
        judgements[line["id"]] = ANSWERS[answer]
    return [
        row.model_copy(update={"reason_right": None if row.verdict is None else judgements.get(_id(row))})
        for row in rows
    ]


def _id(row: Prediction) -> str:
    """Return an id of the instance and the reason given, which tells neither."""
    assert row.verdict is not None
    words = "\0".join((*row.instance, reason_in_words(row.verdict)))
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m evals.junobench.reasons", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="write a sheet to be filled in")
    write.add_argument("rows", type=Path)
    write.add_argument("sheet", type=Path)
    write.add_argument("--bench", type=Path, required=True, help="JunoBench's folder")
    read = commands.add_parser("read", help="write rows with the judgements of a sheet")
    read.add_argument("rows", type=Path)
    read.add_argument("sheet", type=Path)
    read.add_argument("judged", type=Path)
    options = parser.parse_args(arguments)
    rows = read_predictions(options.rows)
    if options.command == "write":
        print(f"{write_sheet(options.sheet, rows, options.bench)} reasons in {options.sheet}")
        return 0
    judged = judged_rows(options.sheet, rows)
    write_predictions(options.judged, judged)
    print(f"{sum(row.reason_right is not None for row in judged)} of {len(judged)} rows have a judgement")
    return 0


if __name__ == "__main__":
    sys.exit(main())
