import pytest
from scipy.stats import binomtest

from evals.checker.measures import alarms, compare, likely, obstacles, ours, ours_first, peers, recall, settled
from evals.checker.rows import Checked, Doubt, Foreseen, PeerSaid, Role, Row, Said
from evals.checker.table import Grouping, sections
from evals.instance import Truth
from evals.table import markdown

FOUND = Foreseen(type="KeyError", message="'a'", line=1, rule="r")
LATE = FOUND.model_copy(update={"first": False, "line": 4})
CRASH = Truth(status="error", ename="KeyError", evalue="'a'", line=1)
RAN = Truth(status="ok")


def cell(
    truth: Truth,
    finding: Foreseen | None = None,
    *,
    peer: Foreseen | None = None,
    suspects: tuple[Foreseen, ...] = (),
    doubts: tuple[Doubt, ...] = (),
    role: Role = "target",
    source: str = "d['a']",
    is_settled: bool = False,
) -> Checked:
    said = Said(status="ok", finding=finding, suspects=suspects, doubts=doubts, settled=is_settled, milliseconds=2.0)
    return Checked(
        role=role, place=1, source=source, said=said, peer=PeerSaid(finding=peer, milliseconds=1.0), truth=truth
    )


def row(case: str, *cells: Checked, error: str | None = None) -> Row:
    return Row(case=case, version="reproduced", cells=cells, error=error)


def test_recall_counts_type_and_line_apart_and_leaves_out_what_ran() -> None:
    wrong_type = FOUND.model_copy(update={"type": "ValueError"})
    counts = recall([cell(CRASH, FOUND), cell(CRASH, wrong_type), cell(CRASH, LATE), cell(CRASH), cell(RAN)], ours)
    assert (counts.crashes, counts.found, counts.types, counts.lines, counts.messages) == (4, 3, 2, 2, 3)


def test_a_finding_behind_a_doubt_is_not_among_the_first() -> None:
    assert recall([cell(CRASH, FOUND), cell(CRASH, LATE)], ours_first).found == 1


def test_suspects_count_as_likely_only_and_their_false_alarms_are_counted() -> None:
    cells = [cell(CRASH, suspects=(FOUND,)), cell(RAN, suspects=(FOUND,)), cell(RAN)]
    assert recall(cells, ours).found == 0
    assert recall(cells, likely).found == 1
    assert (alarms(cells, ours), alarms(cells, likely)) == ((0, 2), (1, 2))


def test_promises_are_counted_among_the_cells_that_ran() -> None:
    assert settled([cell(RAN, is_settled=True), cell(RAN), cell(CRASH)]) == (1, 2)


def test_mcnemar_is_the_exact_test_of_the_discordant_crashes() -> None:
    cells = [
        *[cell(CRASH, FOUND)] * 9,
        *[cell(CRASH, peer=FOUND)] * 1,
        *[cell(CRASH, FOUND, peer=FOUND)] * 4,
        cell(CRASH),
        cell(RAN, peer=FOUND),
    ]
    comparison = compare(cells)
    assert comparison[:4] == (4, 9, 1, 1)
    assert comparison.p == pytest.approx(binomtest(9, 10).pvalue)
    assert compare([cell(CRASH)]).p == 1.0


def test_reasons_are_counted_where_they_stand_above_the_crash_and_without_the_notebooks_names() -> None:
    source = "import numpy as np\ndef prepare(x): pass\nprepare(d)\nnp.sort(d)"
    doubts = (Doubt(line=1, kind="effects", why="prepare() runs code"), Doubt(line=9, kind="raises", why="late"))
    found = obstacles([row("a", cell(CRASH, doubts=doubts, source=source))])
    assert [tuple(each) for each in found] == [("…() runs code", 1, 1), ("late", 0, 1)]


def page(*rows: Row) -> str:
    return markdown("t", sections(rows, groupings=[Grouping("library", lambda asked: asked.row.case)], provenance={}))


def test_the_page_lists_every_contradiction_of_every_cell() -> None:
    text = page(row("pandas_1", cell(RAN, FOUND, role="executed"), cell(RAN, peer=FOUND)))
    assert "| pandas_1 reproduced | executed 1 | KeyError in line 1 (r), but ok |" in text
    assert "## Certain and wrong, the peer" in text


def test_the_page_names_crashes_missed_and_rows_cut_short() -> None:
    doubt = Doubt(line=1, kind="raises", why="print() may raise")
    text = page(row("torch_1", cell(CRASH, doubts=(doubt,))), row("torch_2", error="cell 2: KeyError"))
    assert "| torch_1 reproduced | KeyError in line 1: 'a' |  | line 1: print() may raise |" in text
    assert "| torch_2 reproduced | 0 | cell 2: KeyError |" in text


def test_executed_cells_are_in_no_recall() -> None:
    text = page(row("a_1", cell(CRASH, FOUND, role="executed"), cell(CRASH)))
    assert "| certain | 0 | 1 |" in text
    assert "| a_1 | 1 | 0 | 0.00 |" in text


def test_a_notebook_without_a_target_counts_every_cell() -> None:
    text = page(row("a_1", cell(CRASH, FOUND, role="cell"), cell(RAN, role="cell")))
    assert "| certain | 1 | 1 |" in text


def test_without_a_peer_no_column_speaks_of_it() -> None:
    bare = cell(CRASH, FOUND).model_copy(update={"peer": None})
    assert "peer" not in page(row("a_1", bare))


def test_peers_are_counted_beside_ours() -> None:
    assert recall([cell(CRASH, peer=FOUND)], peers).found == 1
