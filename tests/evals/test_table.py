from io import StringIO

from rich.console import Console

from crane_agent.verdict.models import ExceptionClaim, Verdict
from evals.instance import Instance, Truth
from evals.rehearsal.endings import endings
from evals.scorer import Answer, Rehearsed, Row, Said, failure, score
from evals.table import markdown, sections, show

FORESEEN = Verdict(
    outcome="crash",
    certainty="certain",
    confidence=1.0,
    exception=ExceptionClaim(type="KeyError", message="'a|b'", line=1),
    explanation="",
    reached_by="checker",
)
NOT_FORESEEN = Verdict(outcome="unknown", certainty="predicted", confidence=0.5, explanation="", reached_by="rules")
NO_CRASH = NOT_FORESEEN.model_copy(update={"outcome": "no_crash", "reached_by": "rehearsal"})
CRASHED = Truth(status="error", ename="ValueError", evalue="no", line=2, seconds=1.0)


def rehearsed(way: str, outcome: str, **fields: object) -> Rehearsed:
    answer = {
        "outcome": outcome,
        "why": "",
        "exception": None,
        "line": None,
        "loop": "",
        "denied": [],
        "changed": [],
        "seconds": 0.2,
        "pause_ms": 12.0,
        "files": "private",
    }
    return Rehearsed(way=way, status="ok", answer=answer | fields, elapsed_ms=250.0)


def instance(case: str) -> Instance:
    return Instance(case=case, version="fixed", executed=(), target="", recorded=Truth(status="ok"))


def rows() -> list[Row]:
    wrong = Said(
        verdict=FORESEEN,
        predict_ms=12.0,
        check_ms=3.0,
        refused={"could not look, because [it is a proxy]": 2},
        failed={"TypeError: x": 1},
        left=("a file is not as it was: data.csv",),
    )
    open_ = Said(verdict=NOT_FORESEEN, predict_ms=10.0)
    refusal = Rehearsed(
        way="fork", status="refused", reason="could not rehearse, because a thread runs", elapsed_ms=20.0
    )
    unsettled = rehearsed(
        "fork",
        "unknown",
        why="it was still running after 10 s",
        line=3,
        loop="37 of 100 (tqdm)",
        denied=["opened a | pipe"],
    )
    shadowed = Said(
        verdict=NO_CRASH,
        predict_ms=2500.0,
        rehearsals=(refusal, rehearsed("shadow", "finished", changed=["a DataLoader's workers"])),
    )
    return [
        score(instance("pandas_1"), Answer(truth=Truth(status="ok", seconds=0.01), said={"off": open_, "on": wrong})),
        score(instance("torch_2"), Answer(truth=CRASHED, said={"off": open_, "on": shadowed})),
        score(
            instance("torch_3"),
            Answer(
                truth=Truth(status="timeout", seconds=90.0),
                said={"off": open_, "on": Said(verdict=NOT_FORESEEN, predict_ms=9000.0, rehearsals=(unsettled,))},
            ),
        ),
        failure(instance("torch_4"), "worker ended with status -9"),
    ]


def page() -> str:
    parts = sections(rows(), group="library", group_of=lambda row: row.case.split("_")[0])
    return markdown("JunoBench", [*parts, *endings(rows())])


def part(title: str) -> str:
    return page().split(f"## {title}\n\n")[1].split("\n\n##")[0]


def test_each_arm_has_its_outcomes() -> None:
    assert "| without rehearsal | 4 | 0 | 0 | 3 | 1 | 0 | 0 | 0 of 1 |" in part("Outcomes")
    assert "| with rehearsal | 4 | 0 | 2 | 1 | 1 | 1 | 1 | 0 of 1 |" in part("Outcomes")


def test_each_group_has_a_line_for_each_arm() -> None:
    assert [line.split(" | ")[:3] for line in part("By library").splitlines()[2:]] == [
        ["| pandas", "without rehearsal", "1"],
        ["| pandas", "with rehearsal", "1"],
        ["| torch", "without rehearsal", "3"],
        ["| torch", "with rehearsal", "3"],
    ]


def test_what_was_wrong_is_listed_by_arm() -> None:
    assert "pandas_1 fixed" in part("Certain and wrong, with rehearsal")
    assert "torch_2 fixed" in part("Wrong, with rehearsal")
    assert "## Wrong, without rehearsal" not in page()
    assert part("Unknown, without rehearsal").count("fixed") == 3


def test_what_must_never_be_is_listed() -> None:
    assert "worker ended with status -9" in part("Errors")
    assert "TypeError: x" in part("Faults of our own")
    assert "data.csv" in part("Left behind")
    assert "| torch_2 fixed | ValueError in line 2 | ok |" in part("Truth not as recorded")


def test_the_arms_are_compared() -> None:
    assert "| detected | 1 | 1 | 0 | 1 | 1 |" in part("With and without")


def test_the_time_to_the_verdict_is_beyond_the_cells_own() -> None:
    assert "| fixed | with rehearsal | 3 | 0.00 |" in part("Time to the verdict beyond the cell's own")
    assert part("Time to the verdict beyond the cell's own").splitlines()[3].endswith("| 1.50 |")


def test_how_rehearsals_ended_is_counted_by_way_and_reason() -> None:
    assert part("How the rehearsals ended").splitlines()[2:6] == [
        "| fork | refused | could not rehearse, because a thread runs | 1 |",
        "| fork | unknown | it was still running after 10 s | 1 |",
        "| none | decided without |  | 1 |",
        "| shadow | finished |  | 1 |",
    ]
    assert "| shadow | finished | 1 | 0 |  |" in part("What they told")


def test_a_rehearsal_that_told_nothing_says_how_far_it_got() -> None:
    line = r"| torch_3 fixed | fork | unknown | it was still running after 10 s | opened a \| pipe | line 3, 37 of 100 (tqdm) |"
    assert line in part("Rehearsals that told nothing")


def test_what_was_denied_and_changed_is_counted() -> None:
    assert r"| fork | opened a \| pipe | 1 |" in part("What a fence denied")
    assert "| shadow | a DataLoader's workers | 1 |" in part("What was changed to make it possible")


def test_a_bar_in_a_message_does_not_break_the_table() -> None:
    assert r"'a\|b'" in page()


def test_a_run_without_rehearsals_has_no_table_of_them() -> None:
    words = Said(verdict=NOT_FORESEEN, predict_ms=1.0)
    assert endings([score(instance("a_1"), Answer(truth=CRASHED, said={"off": words}))]) == []
    parts = endings([score(instance("a_1"), Answer(truth=CRASHED, said={"on": words}))])
    assert [part.rows for part in parts] == [(("none", "decided without", "", "1"),)]


def test_the_terminal_shows_the_same_tables() -> None:
    console = Console(width=200, file=StringIO())
    show("JunoBench", sections(rows(), group="library", group_of=lambda row: row.case), console)
    text = console.file.getvalue()
    assert "Certain and wrong" in text
    assert "[it is a proxy]" in text
