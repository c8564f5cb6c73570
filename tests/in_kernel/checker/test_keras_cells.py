"""Every row of the Keras cells and random models, really run where this interpreter has Keras."""

import importlib.util
import os
import re
from collections.abc import Iterator

import pytest
from keras_cells import CRASHES, SETUP, TENSORFLOW_CRASHES, TENSORFLOW_WORKS, WORKS
from keras_programs import program
from oracle import Row, ask, compare_in_batches, fresh_shell, in_a_fork, really_run

HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None
pytestmark = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
PROGRAMS = int(os.environ.get("CRANE_PROGRAMS", "120"))

# Random state and the names that layers get are looked at around each question.
STATE = """
import random
from keras.src.backend.common import global_state
def state():
    names = dict(global_state.get_global_attribute("object_name_uids") or {})
    return random.getstate(), np.random.get_state()[1].tolist(), names
"""


def compared(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str, Row]]:
    whole = [(SETUP + setup, cell, setup) for setup, cell in rows]
    for (_, cell, setup), row in compare_in_batches(whole):
        yield setup, cell, row


def says(message: str, real: str) -> bool:
    """Whether a message is in the real one; `…` stands for anything."""
    return re.search(".*".join(map(re.escape, message.split("…"))), real, re.DOTALL) is not None


def test_a_crash_is_found_as_it_comes() -> None:
    rows = [*CRASHES, *(TENSORFLOW_CRASHES if HAS_TENSORFLOW else [])]
    wrong: list[tuple[object, ...]] = []
    for (_, _, kind, line), (setup, cell, row) in zip(rows, compared([row[:2] for row in rows]), strict=True):
        if row.wrong() or row.finding is None or row.crash is None or (row.crash.type, row.crash.line) != (kind, line):
            wrong.append((setup, cell, row.wrong(), row.crash, row.finding))
        elif (row.finding["type"], row.finding["line"]) != (kind, line) or not says(
            row.finding["message"], row.crash.message
        ):
            wrong.append((setup, cell, row.finding, row.crash))
    assert wrong == []


def test_a_cell_that_runs_is_left_alone() -> None:
    rows = [*WORKS, *(TENSORFLOW_WORKS if HAS_TENSORFLOW else [])]
    wrong = [(setup, cell, row.wrong(), row.crash) for setup, cell, row in compared(rows) if row.wrong() or row.crash]
    assert wrong == []


@pytest.mark.parametrize("train", [False, True])
def test_no_random_model_contradicts_what_was_said_of_it(train: bool) -> None:
    rows = [program(seed, train=train) for seed in range(PROGRAMS)]
    wrong = [(setup, cell, row.wrong()) for setup, cell, row in compared(rows) if row.wrong()]
    assert wrong == []


def test_asking_moves_no_random_numbers_and_counts_no_names() -> None:
    cells = [cell for setup, cell, _, _ in CRASHES if not setup] + [cell for setup, cell in WORKS if not setup]

    def asked() -> list[str]:
        shell = fresh_shell(SETUP + STATE + "before = state()")
        statuses = [ask(shell, cell)["status"] for cell in cells]
        crash = really_run(shell, "assert state() == before")
        return [*statuses, "moved" if crash else "ok"]

    assert set(in_a_fork(asked, 120)) == {"ok"}
