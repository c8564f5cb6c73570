import sys

import pytest

from evals.rehearsal.soak import ACTS, Look, Result, problem_of, sections, soak
from evals.scorer import Rehearsed
from evals.table import markdown

BY_NAME = {act.name: act for act in ACTS}


def rehearsed(outcome: str, **fields: object) -> Rehearsed:
    return Rehearsed(way="fork", status="ok", answer={"outcome": outcome, "why": "", "pause_ms": 9.0, **fields})


def look(after: int, **changes: float) -> Look:
    counts = {"processes": 0, "files": 60, "threads": 12, "temporary": 1, "memory_mb": 200.0} | changes
    return Look(after, **counts, pauses_ms=[10.0, 12.0, 40.0], wholes_ms=[200.0])


@pytest.mark.parametrize(
    ("act", "ended", "is_right"),
    [
        ("finishes", rehearsed("finished"), True),
        ("finishes", rehearsed("unknown", why="it was still running after 10 s"), False),
        ("crashes", rehearsed("crash", exception={"type": "KeyError", "line": 2}), True),
        ("crashes", rehearsed("crash", exception={"type": "KeyError", "line": 1}), False),
        ("crashes", rehearsed("crash", exception={"type": "TypeError", "line": 2}), False),
        ("crashes", rehearsed("finished"), False),
        ("never ends", rehearsed("unknown", why="it was still running after 0.3 s"), True),
        ("never ends", Rehearsed(way="fork", status="refused", reason="because a thread runs"), False),
        ("writes files", rehearsed("unknown", why="it met the fence"), True),
    ],
)
def test_a_rehearsal_is_held_against_what_the_cell_does(act: str, ended: Rehearsed, is_right: bool) -> None:
    assert (problem_of(BY_NAME[act], ended) == "") is is_right


def test_a_kernel_that_stays_as_it_is_has_no_problem() -> None:
    assert Result([look(50), look(100, files=61, memory_mb=212.0), look(150, memory_mb=209.0)]).problems() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"processes": 1}, "1 processes left after 100"),
        ({"files": 61}, "files: 61 after 100, 60 after 50"),
        ({"threads": 13}, "threads: 13 after 100, 12 after 50"),
        ({"temporary": 2}, "temporary: 2 after 100, 1 after 50"),
        ({"memory_mb": 211.0}, "memory: 211 MB after 100, 200 MB at first"),
    ],
)
def test_what_grows_is_a_problem(changes: dict[str, float], problem: str) -> None:
    assert Result([look(50), look(100, **changes)]).problems() == [problem]


def test_the_page_has_a_line_for_each_look_and_each_problem() -> None:
    result = Result([look(50), look(100, processes=2)], wrong=["prints: fork crash: KeyError in line 1"] * 3)
    result.endings["prints", "fork", "crash", ""] += 3
    page = markdown("Soak", sections(result, {"command": "python -m x"}))
    assert "| 50 | 0 | 60 | 12 | 1 | 200.0 | 12.0 | 37.2 | 40.0 | 200.0 |" in page
    assert "| prints: fork crash: KeyError in line 1 | 3 |" in page
    assert "| 2 processes left after 100 | 1 |" in page


def test_a_kernel_in_which_every_act_was_rehearsed_is_as_it_was() -> None:
    seen: list[Look] = []
    result = soak(sys.executable, len(ACTS), seen.append)
    if all(ended == "refused" for _, _, ended, _ in result.endings):
        pytest.skip("nothing can be rehearsed here")
    assert (result.wrong, [look.after for look in seen]) == ([], [len(ACTS)])
    assert (seen[0].processes, seen[0].temporary) == (0, 0)
