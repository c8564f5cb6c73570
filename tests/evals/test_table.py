from io import StringIO

from rich.console import Console

from crane_agent.verdict.models import ExceptionClaim, Verdict
from evals.instance import Instance, Truth
from evals.scorer import Answer, Row, failure, score
from evals.table import markdown, sections, show


def rows() -> list[Row]:
    foreseen = Verdict(
        outcome="crash",
        certainty="certain",
        confidence=1.0,
        exception=ExceptionClaim(type="KeyError", message="'a|b'", line=1),
        explanation="",
        reached_by="checker",
    )
    answer = Answer(
        verdict=foreseen,
        truth=Truth(status="ok"),
        predict_ms=12.0,
        check_ms=3.0,
        refused={"could not look, because [it is a proxy]": 2},
        failed={"TypeError: x": 1},
    )
    instance = Instance(case="pandas_1", version="fixed", executed=(), target="")
    other = Instance(case="torch_1", version="fixed", executed=(), target="")
    return [score(instance, answer), failure(other, "worker ended with status -9")]


def page() -> str:
    parts = sections(
        rows(), group="library", group_of=lambda row: row.case.split("_")[0], provenance={"command": "python -m x"}
    )
    return markdown("JunoBench", parts)


def test_the_page_names_what_was_certain_and_wrong_and_what_failed() -> None:
    text = page()
    certain_and_wrong = text[text.index("## Certain and wrong") : text.index("## Wrong")]
    assert "pandas_1 fixed" in certain_and_wrong
    assert "worker ended with status -9" in text
    assert "TypeError: x" in text


def test_every_instance_is_in_the_counts() -> None:
    assert "| all | 2 | 0 | 1 | 0 | 1 | 1 | 1 | 0 of 0 |" in page()


def test_a_bar_in_a_message_does_not_break_the_table() -> None:
    assert r"'a\|b'" in page()


def test_the_terminal_shows_the_same_tables() -> None:
    console = Console(width=200, file=StringIO())
    show("JunoBench", sections(rows(), group="library", group_of=lambda row: row.case, provenance={}), console)
    text = console.file.getvalue()
    assert "Certain and wrong" in text
    assert "[it is a proxy]" in text
