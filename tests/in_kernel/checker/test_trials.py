"""What the checker says of objectives that a study of optuna's calls; optuna is in no extra of ours."""

import pytest
from oracle import compare_all

pytest.importorskip("optuna")

SETUP = """
import optuna, pandas as pd
optuna.logging.set_verbosity(optuna.logging.ERROR)
df = pd.DataFrame({'a': [1, 2]})
study = optuna.create_study()
calls = []
def missing(trial):
    return df['zz']
def counted(trial):
    calls.append(1)
    return trial.suggest_float('x', 0, 1)
"""
CRASHES = [
    "study.optimize(missing, n_trials=2)",
    "s = optuna.create_study()\ns.optimize(lambda trial: missing(trial), n_trials=2)",
    "study.optimize(lambda trial: trial.suggest_int('n', 5, 2), n_trials=2)",
    "study.optimize(lambda trial: trial.suggest_int('n', 2, 5) + 'a', n_trials=2)",
    "study.optimize(counted, n_trials=2)\nundefined",
]
WORKS = [
    "study.optimize(missing, n_trials=0)",
    "study.optimize(missing, n_trials=2, catch=(KeyError,))",
    "study.optimize(missing, n_trials=2, n_jobs=2)",
    "study.optimize(counted, n_trials=3)\ncalls[2]",
]


def test_a_crash_in_an_objective_ends_the_study() -> None:
    rows = compare_all([(SETUP, cell) for cell in CRASHES])
    assert all(row.finding and row.crash and row.finding["type"] == row.crash.type for row in rows)


def test_an_objective_that_does_not_crash_the_cell_is_left_alone() -> None:
    rows = compare_all([(SETUP, cell) for cell in WORKS])
    assert [(row.wrong(), row.crash) for row in rows if row.wrong() or row.crash] == []
