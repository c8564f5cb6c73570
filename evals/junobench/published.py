"""The paper's own predictions, and the proof of the scorer: `python -m evals.junobench.published --bench FOLDER`.

`published_predictions.csv` holds for each instance the votes of three models and the findings of two linters, with code
only and with the fixed runtime information, and what a person made of the reasons; `published_scores.json` the figures
that a correct scorer makes of it. Both are read as any other rows are, by the same functions. Exits with status 1 if a
figure differs.
"""

import csv
import json
import sys
from argparse import ArgumentParser
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from crane_agent.config import Facts
from crane_agent.verdict.models import Verdict
from evals.instance import Truth
from evals.junobench.dataset import library_of
from evals.junobench.predictions import Arm, Prediction
from evals.junobench.statistics import by_arm, figures
from evals.measures import Detection
from evals.scorer import score_of

PREDICTIONS = "published_predictions.csv"
SCORES = "published_scores.json"

POLICIES = {
    "gpt5": "GPT-5",
    "gemini25flash": "Gemini 2.5 Flash",
    "qwen25_32b": "Qwen2.5 32B",
    "pyright": "pyright",
    "pylint": "pylint",
}
"""Who predicted, by the prefix of its columns."""

INPUTS: dict[str, Facts] = {"code": "static", "runinfo": "fixed"}
"""What it was given, by the middle of its columns."""

LINTERS = frozenset({"pyright", "pylint"})
"""They say the same each time; they are given no runtime information, what stands there is another scoring."""

EPOCHS = 5
"""How often each model was asked."""

DIGITS = 4
"""Digits that the published figures are rounded to."""


class Compared(NamedTuple):
    """One published figure and ours."""

    arm: str
    figure: str
    published: float
    ours: float | None

    @property
    def same(self) -> bool:
        """Whether they are the same, rounded as published."""
        return self.ours is not None and round(self.ours, DIGITS) == self.published


def published_predictions(bench: Path) -> list[Prediction]:
    """Read the published predictions of a JunoBench folder; each vote of a model is an epoch.

    Raises:
        FileNotFoundError: The folder has no published predictions.
    """
    with (bench / PREDICTIONS).open(encoding="utf-8", newline="") as file:
        return [row for line in csv.DictReader(file) for row in _rows(line)]


def proof(predictions: Collection[Prediction], bench: Path) -> list[Compared]:
    """Hold every published figure against what our functions make of the published predictions.

    Raises:
        FileNotFoundError: The folder has no published scores.
    """
    published = json.loads((bench / SCORES).read_text(encoding="utf-8"))["scores"]
    rows = by_arm(predictions)
    return [each for columns, scores in published.items() for each in _compared(rows, columns, scores)]


def arm_of(columns: str) -> Arm:
    """Return the arm of columns, e.g. of ``gpt5_runinfo``."""
    policy, given = columns.rsplit("_", 1)
    return Arm(facts=INPUTS[given], policy=POLICIES[policy])


def _rows(line: Mapping[str, str]) -> Iterator[Prediction]:
    for policy in POLICIES:
        for given in INPUTS:
            if f"{policy}_{given}_pred" in line and not (policy in LINTERS and given == "runinfo"):
                yield from _epochs(line, f"{policy}_{given}")


def _epochs(line: Mapping[str, str], columns: str) -> Iterator[Prediction]:
    """Return a prediction for each vote; one for a linter, which has none."""
    truth = Truth(status="error" if line["label_crash"] == "1" else "ok")
    votes = line.get(f"{columns}_votes_true")
    n, crashes = (1, int(line[f"{columns}_pred"])) if votes is None else (EPOCHS, int(votes))
    for epoch in range(1, n + 1):
        is_crash = epoch <= crashes
        verdict = _verdict(columns, is_crash=is_crash)
        yield Prediction(
            case=line["case_id"],
            version=line["version"],
            library=library_of(line["case_id"]),
            arm=arm_of(columns),
            epoch=epoch,
            truth=truth,
            verdict=verdict,
            score=score_of(verdict, truth),
            reason_right=line[f"{columns}_joint_outcome"] == "correct" if is_crash and truth.crash else None,
        )


def _verdict(columns: str, *, is_crash: bool) -> Verdict:
    return Verdict(
        outcome="crash" if is_crash else "no_crash",
        certainty="predicted",
        confidence=1.0,
        explanation="published without its words",
        reached_by=arm_of(columns).policy,
    )


def _compared(rows: Mapping[str, list[Prediction]], columns: str, scores: Mapping[str, float]) -> Iterator[Compared]:
    arm = arm_of(columns).name
    found = figures(rows.get(arm, []))
    ours = _named(found.detection)
    if found.explained is not None:
        ours |= {f"joint_{name}": value for name, value in _named(found.explained).items()}
    for name, published in scores.items():
        yield Compared(arm, name, published, ours.get(name))


def _named(detection: Detection) -> dict[str, float | None]:
    """Return the figures by the names that they were published under."""
    shares = ("accuracy", "precision", "recall", "f1")
    return {**detection.confusion._asdict(), **{name: getattr(detection, name).value for name in shares}}


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.junobench.published", description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="JunoBench's folder")
    options = parser.parse_args()
    compared = proof(published_predictions(options.bench), options.bench)
    for each in compared:
        if not each.same:
            print(f"{each.arm}: {each.figure} is {each.ours}, published {each.published}")
    print(f"{sum(each.same for each in compared)} of {len(compared)} published figures are the same")
    return int(not compared or not all(each.same for each in compared))


if __name__ == "__main__":
    sys.exit(main())
