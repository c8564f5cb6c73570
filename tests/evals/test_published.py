import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("statsmodels")

from evals.junobench.published import PREDICTIONS, SCORES, proof, published_predictions


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two instances, of which a model sees the crash in three of five votes and a linter does not."""
    columns = {
        "case_id": "names_1",
        "version": "reproduced",
        "label_crash": "1",
        "gpt5_code_pred": "1",
        "gpt5_code_votes_true": "3",
        "gpt5_code_joint_outcome": "wrong",
        "pylint_code_pred": "0",
        "pylint_code_joint_outcome": "wrong",
        "pylint_runinfo_pred": "1",
    }
    repaired = columns | {"version": "fixed", "label_crash": "0", "gpt5_code_pred": "0", "gpt5_code_votes_true": "1"}
    with (tmp_path / PREDICTIONS).open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows([columns, repaired])
    scores = {
        "gpt5_code": {"tp": 1, "fn": 0, "tn": 1, "fp": 0, "accuracy": 1.0, "joint_recall": 0.0},
        "pylint_code": {"tp": 0, "fn": 1, "accuracy": 0.75},
    }
    (tmp_path / SCORES).write_text(json.dumps({"scores": scores}))
    return tmp_path


def test_votes_are_epochs_and_a_linter_says_it_once(published: Path) -> None:
    rows = published_predictions(published)
    by_policy = {
        policy: [row.verdict.outcome for row in rows if row.arm.policy == policy and row.version == "reproduced"]
        for policy in ("GPT-5", "pylint")
    }
    assert by_policy == {"GPT-5": ["crash"] * 3 + ["no_crash"] * 2, "pylint": ["no_crash"]}
    assert {row.reason_right for row in rows} == {False, None}


def test_a_figure_that_is_not_reproduced_is_told(published: Path) -> None:
    compared = proof(published_predictions(published), published)
    unlike = [(each.arm, each.figure, each.published, each.ours) for each in compared if not each.same]
    assert unlike == [("pylint static", "accuracy", 0.75, 0.5)]


def test_the_published_predictions_give_the_published_figures(shared_data: Callable[[str], Path]) -> None:
    bench = shared_data("junobench")
    compared = proof(published_predictions(bench), bench)
    assert len(compared) > 50
    assert [each for each in compared if not each.same] == []
