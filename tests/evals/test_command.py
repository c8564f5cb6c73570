from argparse import ArgumentParser
from io import StringIO

import pytest
from rich.console import Console

from crane_agent.verdict.models import Verdict
from evals.command import add_arms, exit_status, tell
from evals.instance import Instance, Truth
from evals.scorer import Answer, Rehearsed, Row, Said, failure, score

INSTANCE = Instance(case="pandas_1", version="fixed", executed=(), target="")
NO_CRASH = Verdict(outcome="no_crash", certainty="predicted", confidence=0.9, explanation="", reached_by="rules")


def row(**by_arm: Said) -> Row:
    return score(INSTANCE, Answer(truth=Truth(status="ok"), said=by_arm))


@pytest.mark.parametrize(
    ("given", "arms"), [([], ("off", "on")), (["--arms", "on"], ("on",)), (["--arms", "on,off"], ("off", "on"))]
)
def test_both_arms_are_asked_unless_one_is_named(given: list[str], arms: tuple[str, ...]) -> None:
    parser = ArgumentParser()
    add_arms(parser)
    assert tuple(asking.arm for asking in parser.parse_args(given).arms) == arms


@pytest.mark.parametrize("given", ["", "of", "on,ask", "on,on"])
def test_an_arm_that_is_none_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_arms(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--arms", given])
    assert "is not off, on, or both" in capsys.readouterr().err


def test_what_must_never_be_sets_the_exit_status() -> None:
    said = Said(verdict=NO_CRASH, predict_ms=1.0)
    assert exit_status([row(off=said, on=said)]) == 0
    assert exit_status([row(off=said, on=said.model_copy(update={"left": ("a file",)}))]) == 1
    assert exit_status([failure(INSTANCE, "no kernel")]) == 1


def test_a_row_is_told_with_both_arms_and_how_its_rehearsal_ended() -> None:
    refused = Rehearsed(way="fork", status="refused", reason="could not rehearse, because a thread runs")
    with_rehearsal = Said(verdict=NO_CRASH, predict_ms=20.0, rehearsals=(refused,), left=("a file",))
    console = Console(width=200, file=StringIO())
    tell(row(off=Said(verdict=NO_CRASH, predict_ms=1.0), on=with_rehearsal), console)
    lines = console.file.getvalue().splitlines()
    assert lines[1].startswith("    off right    no_crash")
    assert lines[2].endswith("20 ms; fork: refused could not rehearse, because a thread runs")
    assert lines[3].endswith("left behind, with rehearsal: a file")
