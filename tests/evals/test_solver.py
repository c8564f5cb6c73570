"""The truth that a live run finds, against what Python itself says of the same cell."""

import sys

import pytest

from evals.instance import Instance
from evals.runner import Plan, run_one
from evals.scorer import Row


def asked(target: str, *executed: str) -> Row:
    plan = Plan(python=sys.executable, live=True, jobs=1, deadline_s=120, commit="")
    return run_one(Instance(case="toy_1", version="cell", executed=executed, target=target), plan)


@pytest.mark.parametrize(
    ("target", "ename", "line"),
    [
        ("x = 1\nx['a']", "TypeError", 2),
        ("\n  \nx = 1\nx['a']", "TypeError", 4),
        ("try:\n    1 / 0\nfinally:\n    pass", "ZeroDivisionError", 2),
        ("from contextlib import nullcontext\nwith nullcontext():\n    1 / 0", "ZeroDivisionError", 3),
        ("try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError from error", "ValueError", 4),
        ("try:\n    f({})\nexcept KeyError:\n    raise", "KeyError", 2),
        ("f(\n    {},\n)", "KeyError", 1),
        ("x = 1\nx = = 2", "SyntaxError", 2),
        ("x = 1\n\n  y = 2", "IndentationError", 3),
        ("import asyncio\nawait asyncio.sleep(0)\n1 / 0", "ZeroDivisionError", 3),
        ("x = 1\n%no_such_magic", "UsageError", 2),
        ("%%time\nx = 1\n1 / 0", "ZeroDivisionError", None),
    ],
)
def test_the_failing_line_is_pythons_in_the_cells_own_count(target: str, ename: str, line: int | None) -> None:
    truth = asked(target, "def f(d):\n    return d['a']").answer.truth
    assert (truth.ename, truth.line) == (ename, line)


@pytest.mark.parametrize(
    ("target", "told"),
    [("from fractions import Fraction\nFraction(total(range(3)), 0)", "crash"), ("print(total(range(3)))", "finished")],
)
def test_what_the_checker_cannot_follow_is_rehearsed_in_the_second_arm_alone(target: str, told: str) -> None:
    row = asked(target, "import json\ndef total(numbers):\n    return json.loads(json.dumps(sum(numbers)))")
    assert row.alarms == ()
    without, with_rehearsal = row.answer.said["off"], row.answer.said["on"]
    assert without.rehearsals == ()
    (rehearsed,) = with_rehearsal.rehearsals
    if rehearsed.status == "refused":
        pytest.skip(rehearsed.why)
    assert (rehearsed.way, rehearsed.ended, rehearsed.settled) == ("fork", told, True)
    assert (row.scores["on"].result, with_rehearsal.verdict.reached_by) == ("right", "rehearsal")
    assert 0 < rehearsed.pause_ms < rehearsed.elapsed_ms < with_rehearsal.predict_ms
