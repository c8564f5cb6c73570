"""The cost of facts: which probes are asked, how texts are measured, what the table says and when it holds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from kernels import code_cells
from targets import target_in

from crane_agent.agent.policy import Decision, Fact, Observation, ProbeCall, Proposal, View
from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Reply
from evals.fact_text.choice import chosen
from evals.fact_text.rows import Found, Level, Row, Size
from evals.fact_text.table import holds, ratios, sections
from evals.table import markdown

SETUP = """
import numpy as np
import pandas as pd
df = pd.DataFrame({'age': [20, 30], 'city': ['Rome', 'Oslo']})
grid = np.zeros((3, 4))
config = {'rate': 0.1}
class Net: pass
def load(path, *, limit=1): return path
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


def view_of(target: str) -> View:
    return View(
        target=target_in(target, executed=(SETUP,)),
        observation=Observation({}, frozenset()),
        check=None,
        facts=(),
        messages=(),
        steps_left=12,
        seconds_left=60.0,
        tokens_left=50_000,
    )


def asked(session: LaunchedSession, target: str) -> list[tuple[str, Mapping[str, Any]]]:
    def ask(call: ProbeCall) -> Reply:
        if call.question == "history":
            return Reply("ok", answer={"bound": []})
        return session.ask(call.question, call.arguments)

    facts, by_policy = chosen(view_of(target), RulePolicy(), ask)
    assert by_policy == 0
    assert [fact.id for fact in facts] == ["F1", "F2"]
    return [(fact.call.question, fact.call.arguments) for fact in facts]


@pytest.mark.parametrize(
    ("target", "probes"),
    [
        ("grid + config['rate']", [("array", {"path": "grid"}), ("keys", {"path": "config", "names": ["rate"]})]),
        ("load(grid)", [("array", {"path": "grid"}), ("signature", {"path": "load"})]),
        (
            "df['age'].mean()",
            [("columns", {"path": "df", "names": ["age"]}), ("column", {"path": "df", "name": "age"})],
        ),
        (
            "df.groupby('city')[['age', 'zz']].mean()",
            [
                ("columns", {"path": "df", "names": ["city", "age", "zz"]}),
                ("column", {"path": "df", "name": "city"}),
            ],
        ),
        (
            "np.plot(x='age', data=df, title='a title')",
            [("columns", {"path": "df", "names": ["age"]}), ("column", {"path": "df", "name": "age"})],
        ),
        ("print(df)", [("columns", {"path": "df"}), ("nulls", {"path": "df"})]),
        ("missing + 1", [("names", {"like": "missing"}), ("history", {"name": "missing"})]),
        ("Net()", [("history", {"name": "Net"}), ("history", {})]),
    ],
)
def test_two_probes_are_asked_about_what_the_target_uses(
    session: LaunchedSession, target: str, probes: Sequence[tuple[str, Mapping[str, Any]]]
) -> None:
    assert asked(session, target) == probes


def test_what_a_policy_wants_to_know_comes_first(session: LaunchedSession) -> None:
    class Curious:
        name = "curious"

        def decide(self, view: View) -> Decision:
            return Decision(calls=() if view.facts else (ProbeCall("signature", {"path": "load"}),))

        def mend(self, *arguments: object) -> Proposal:
            return Proposal()

    facts, by_policy = chosen(view_of("load(grid)"), Curious(), lambda call: session.ask(call.question, call.arguments))
    assert [fact.call.question for fact in facts] == ["signature", "array"]
    assert by_policy == 1


def row(case: str, *, summary: int, probes: Sequence[int]) -> Row:
    level = Level(
        summary=Size(summary, summary // 4),
        without={"fixed-no-values": Size(summary // 2, summary // 8)},
        probes=tuple(Size(each, each // 4) for each in probes),
        questions={"adaptive": {"case": Size(100, 25), "tool schemas": Size(400, 100)}},
        summary_ms=2.0,
    )
    found = Found(levels={"schema": level}, probes=("columns", "history"), by_policy=1, refused=0)
    return Row(case=case, version="fixed", published=Size(900, 300), found=found)


ROWS = [row("a_1", summary=400, probes=(80, 80)), row("b_1", summary=800, probes=(40, 40)), Row(case="c_1", version="fixed", error="the kernel died")]  # fmt: skip


def test_the_median_of_two_probes_over_the_summary_must_hold() -> None:
    assert ratios(ROWS, "schema", 0) == [0.4, 0.1]
    assert holds(ROWS)
    assert not holds([*ROWS, row("d_1", summary=100, probes=(80, 80)), row("e_1", summary=100, probes=(80, 80))])
    assert holds([ROWS[2]])


def test_the_table_has_the_texts_the_ratio_and_what_failed() -> None:
    page = markdown("What facts cost", sections(ROWS, provenance={"n": "3"}))
    assert "| schema | bytes | 0.250 | 0.5 |" in page
    assert "| schema | summary | 2 | 400 | 500 | 600 | 700 | 800 |" in page
    assert "| schema | adaptive: in all | 2 | 500 |" in page
    assert "| chosen by the rule policy | 2 |" in page
    assert "| c_1 fixed | the kernel died |" in page


def test_a_row_outlasts_its_file() -> None:
    for each in ROWS:
        assert Row.model_validate_json(each.model_dump_json()) == each


def test_tokens_are_those_of_a_table_that_a_package_ships() -> None:
    pytest.importorskip("bpe_openai")
    from evals.fact_text.rows import size_of

    assert size_of("hello world") == Size(11, 2)
    assert size_of("é <|endoftext|>").tokens > 2


def test_a_fact_counts_as_a_model_gets_it(session: LaunchedSession) -> None:
    pytest.importorskip("bpe_openai")
    from crane_agent.agent.prompts import reply_text
    from evals.fact_text.worker import _level

    call = ProbeCall("array", {"path": "grid"})
    fact = Fact("F2", call, session.ask(call.question, call.arguments))
    level = _level(view_of("grid + df"), session, [fact])
    assert level.probes[0].bytes == len(f"F2 {reply_text(fact)}")
    assert set(level.without) == {"fixed-no-structure", "fixed-no-values", "fixed-no-types"}
    assert all(0 < size.bytes <= level.summary.bytes for size in level.without.values())
    parts = {"system prompt", "tool schemas", "case"}
    assert {arm: set(each) for arm, each in level.questions.items()} == {"adaptive": parts, "fixed": parts}
    assert level.questions["fixed"]["tool schemas"].tokens < level.questions["adaptive"]["tool schemas"].tokens / 2
