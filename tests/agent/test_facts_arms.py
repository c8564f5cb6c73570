"""Which runtime facts a policy gets: what it asks for, a fixed summary, or none; and what the rules make of a summary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
from kernels import code_cells
from targets import target_in

from crane_agent.agent.policy import Decision, Fact, ProbeCall, Proposal, Tried, View
from crane_agent.agent.summaries import names_used, summary_arguments, told
from crane_agent.agent.trace import TraceFile
from crane_agent.config import Facts, Settings
from crane_agent.frontends.replay import replay
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Reply
from crane_agent.verdict.models import Claim, Verdict

SETUP = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.DataFrame({'age': [20, 30, 40], 'fare': [1.0, 2.0, 3.0]})
wide = pd.DataFrame(np.zeros((2, 30)), columns=[f'c{place}' for place in range(30)])
cfg = {'rate': 0.1, 'layers': [64, 32]}
# The checker asks no code of a user's what it does: of these the facts must tell.
class Own(LinearRegression): pass
own = Own()
own_fitted = Own().fit(df[['age']], [1, 2, 3])
def load(path): return path
"""

OPEN = "import asyncio; await asyncio.sleep(0)\n"
"""Other code may run while the cell waits, so that the checker is certain of nothing."""

FIXED = tuple(each for each in get_args(Facts) if each.startswith("fixed"))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


@dataclass
class Listening:
    """A policy that answers at once, and keeps what it was shown."""

    name: str = "listening"
    views: list[View] = field(default_factory=list)

    def decide(self, view: View) -> Decision:
        self.views.append(view)
        return Decision(claim=Claim(outcome="no_crash", confidence=0.5, explanation="Nothing was asked."))

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        return Proposal()


def shown(session: LaunchedSession, target: str, **settings: Any) -> View:
    policy = Listening()
    predict(target_in(target, executed=(SETUP,)), session, settings=Settings(rehearse="off", **settings), policy=policy)
    assert len(policy.views) == 1
    return policy.views[0]


def by_rules(session: LaunchedSession, target: str, **settings: Any) -> Verdict:
    target_cell = target_in(target, executed=(SETUP,))
    return predict(target_cell, session, settings=Settings(rehearse="off", fix=False, **settings))


def summary_in(view: View) -> Mapping[str, Any]:
    found = [fact for fact in view.facts if fact.call.question == "summary"]
    assert len(found) == 1
    return found[0].reply.answer


# -- what a policy gets ----------------------------------------------------------------------------------------------


def test_by_default_a_policy_gets_no_summary_and_may_call_probes(session: LaunchedSession) -> None:
    view = shown(session, OPEN + "load(df)")
    assert view.may_probe
    assert [fact.call.question for fact in view.facts] == ["check"]


def test_the_static_arm_gives_no_summary_and_no_probe(session: LaunchedSession) -> None:
    view = shown(session, OPEN + "load(df)", facts="static")
    assert not view.may_probe
    assert [fact.call.question for fact in view.facts] == ["check"]
    assert shown(session, OPEN + "load(df)", facts="static", check=False).facts == ()


def test_the_fixed_arm_gives_a_summary_of_what_the_target_uses_as_a_fact_with_an_id(session: LaunchedSession) -> None:
    view = shown(session, OPEN + "load(df.age)\nnew = df['fare'].sum()\nnew", facts="fixed")
    assert not view.may_probe
    assert [(fact.id, fact.call.question) for fact in view.facts] == [("F1", "check"), ("F2", "summary")]
    answer = summary_in(view)
    assert [each["name"] for each in answer["values"]] == ["df", "df.age"]
    assert answer["names"] == {"load": "function"}
    assert answer["bound_by_cell"] == {"df": 0, "load": 0}
    assert "absent" not in answer


def test_without_a_checker_the_summary_is_the_first_fact(session: LaunchedSession) -> None:
    view = shown(session, OPEN + "load(cfg)", facts="fixed", check=False)
    assert [(fact.id, fact.call.question) for fact in view.facts] == [("F1", "summary")]


@pytest.mark.parametrize(("facts", "field"), [("fixed-no-types", "dtype"), ("fixed-no-structure", "shape")])
def test_an_ablation_leaves_a_part_out(session: LaunchedSession, facts: str, field: str) -> None:
    target = OPEN + "load(df)"
    assert f"'{field}'" in str(summary_in(shown(session, target, facts="fixed")))
    assert f"'{field}'" not in str(summary_in(shown(session, target, facts=facts)))


def test_a_run_that_the_checker_settles_asks_for_no_summary(session: LaunchedSession) -> None:
    verdict = by_rules(session, "df['Fare']", facts="fixed")
    assert verdict.certainty == "certain"
    assert verdict.usage.probe_calls == 1


def test_the_three_parts_are_those_that_the_kernel_knows() -> None:
    from crane_agent.in_kernel.probes import summary

    target = target_in("df", executed=("df = 1",))
    assert tuple(summary_arguments(target, "fixed")["parts"]) == summary.PARTS
    left = [set(summary.PARTS) - set(summary_arguments(target, facts)["parts"]) for facts in FIXED]
    assert sorted(map(sorted, left)) == [[], ["structure"], ["types"], ["values"]]
    assert summary_arguments(target, "adaptive") == summary_arguments(target, "static") == {}
    assert summary_arguments(target_in("df["), "fixed") == {}


def test_the_names_used_are_those_read_with_their_attributes() -> None:
    target = target_in("import os\ny = x.shape\nprint(y.zz, os.path)\ndef f(): return z.a.b")
    assert names_used(target) == ["print", "x", "x.shape", "z", "z.a"]


def test_facts_taken_again_have_the_summary_again(session: LaunchedSession) -> None:
    class Disturbing(Listening):
        def decide(self, view: View) -> Decision:
            if not self.views:
                session.run("cfg['momentum'] = 0.9", limit_s=30)
            return super().decide(view)

    policy = Disturbing(name="rules")  # what a model said is not asked for again
    target = target_in(OPEN + "load(cfg)", executed=(SETUP,))
    settings = Settings(rehearse="off", facts="fixed")
    verdict = predict(target, session, settings=settings, policy=policy)
    assert [summary_in(view)["values"][0]["length"] for view in policy.views] == [2, 3]
    assert verdict.usage.probe_calls == 4
    session.run("del cfg['momentum']", limit_s=30)


# -- the rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", ["static", *FIXED])
@pytest.mark.parametrize("target", ["own.predict(df)", "load(df)", "df['Fare']", "nothing"])
def test_where_no_probe_may_be_called_none_is(session: LaunchedSession, target: str, facts: str) -> None:
    calls: list[str] = []
    record = lambda event: calls.append(event.get("question", ""))  # noqa: E731
    settings = Settings(rehearse="off", fix=False, facts=facts)
    predict(target_in(OPEN + target, executed=(SETUP,)), session, settings=settings, trace=record)
    assert set(calls) - {""} <= {"check", "ping", *(["summary"] if facts != "static" else [])}


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("own.predict(df)", "NotFittedError"),
        ("df['Fare'].sum()", "KeyError"),
        ("nothing + 1", "NameError"),
        ("cfg['Rate']", "KeyError"),
    ],
)
def test_with_a_summary_the_rules_find_what_it_shows(session: LaunchedSession, target: str, kind: str) -> None:
    verdict = by_rules(session, OPEN + target, facts="fixed")
    assert verdict.outcome == "crash"
    assert verdict.exception is not None
    assert verdict.exception.type == kind
    assert "F2" in {each.fact for each in verdict.evidence}
    really = session.run(OPEN + target, limit_s=30)
    assert really.ename == kind


def test_what_nothing_tells_stays_open_and_lowers_the_confidence(session: LaunchedSession) -> None:
    target = "own_fitted.predict(df[['age']])"
    asked, summarized, static = (by_rules(session, target, facts=facts) for facts in ("adaptive", "fixed", "static"))
    assert {each.outcome for each in (asked, summarized, static)} == {"no_crash"}
    assert static.confidence <= summarized.confidence <= asked.confidence
    assert "no probe could be asked" in static.explanation


def test_a_suspicion_that_no_probe_can_refute_is_less_probable(session: LaunchedSession) -> None:
    adaptive, static = (by_rules(session, OPEN + "df['Fare']", facts=facts) for facts in ("adaptive", "static"))
    assert (adaptive.outcome, static.outcome) == ("crash", "crash")
    assert static.confidence < adaptive.confidence


# -- what a summary tells --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def summary(session: LaunchedSession) -> Fact:
    names = ["df", "df.age", "wide", "cfg", "own", "own_fitted", "load", "nothing", "df.zz"]
    call = ProbeCall("summary", {"names": names})
    return Fact("F2", call, session.ask(call.question, call.arguments))


@pytest.mark.parametrize(
    ("probe", "arguments"),
    [
        ("names", {"like": "df"}),
        ("names", {"like": "load"}),
        ("names", {"like": "nothing"}),
        ("describe", {"path": "df"}),
        ("describe", {"path": "df.age"}),
        ("describe", {"path": "cfg"}),
        ("columns", {"path": "df", "names": ["age", "zz"]}),
        ("columns", {"path": "wide", "names": ["c3"]}),
        ("keys", {"path": "cfg", "names": ["rate", "zz"]}),
        ("attributes", {"path": "df", "names": ["age"]}),
        ("estimator", {"path": "own"}),
        ("estimator", {"path": "own_fitted"}),
    ],
)
def test_it_tells_what_the_probe_would(
    session: LaunchedSession, summary: Fact, probe: str, arguments: Mapping[str, Any]
) -> None:
    found = told(ProbeCall(probe, arguments), [summary])
    assert found is not None
    assert found.id == "F2"
    answer = session.ask(probe, arguments).answer
    same = [
        name
        for name in found.reply.answer
        if name in ("defined", "shape", "keys", "missing", "fitted", "n_features_in")
    ]
    assert same
    for name in same:
        expected = [answer["length"]] if name == "shape" and "shape" not in answer else answer[name]
        assert found.reply.answer[name] == expected


@pytest.mark.parametrize(
    ("probe", "arguments"),
    [
        ("names", {"like": "other"}),
        ("describe", {"path": "load"}),
        ("describe", {"path": "other"}),
        ("columns", {"path": "wide", "names": ["c25"]}),
        ("columns", {"path": "df"}),
        ("keys", {"path": "cfg", "names": [1]}),
        ("keys", {"path": "df", "names": ["age"]}),
        ("attributes", {"path": "df", "names": ["age", "other"]}),
        ("estimator", {"path": "df"}),
        ("estimator", {"path": "own_fitted", "frame": "df"}),
        ("signature", {"path": "load"}),
    ],
)
def test_what_it_does_not_tell_is_not_made_up(summary: Fact, probe: str, arguments: Mapping[str, Any]) -> None:
    assert told(ProbeCall(probe, arguments), [summary]) is None


def test_a_refused_summary_tells_nothing() -> None:
    refused = Fact("F2", ProbeCall("summary", {}), Reply("refused", reason="could not look"))
    assert told(ProbeCall("names", {"like": "df"}), [refused]) is None
    assert told(ProbeCall("names", {"like": "df"}), []) is None


ESTIMATOR = {"name": "model", "type": "sklearn.linear_model._base.LinearRegression", "fitted": True}


def given(data: Mapping[str, Any], estimator: Mapping[str, Any] = ESTIMATOR) -> Mapping[str, Any] | None:
    entries = [{"n_features_in": 2, "feature_names_in": ["a", "b"], **estimator}, {"name": "X", **data}]
    fact = Fact("F2", ProbeCall("summary", {}), Reply("ok", answer={"values": entries}))
    found = told(ProbeCall("estimator", {"path": "model", "frame": "X"}), [fact])
    return None if found is None else found.reply.answer["given"]


def test_data_is_compared_with_what_an_estimator_of_the_library_was_fitted_on() -> None:
    columns = [{"label": "a"}, {"label": "c"}]
    found = given({"shape": [9, 2], "column_facts": columns})
    assert found is not None
    assert (found["missing"], found["unknown_features"], found["n_features"]) == (["b"], ["c"], 2)
    found = given({"shape": [9, 3], "dtype": "float64"})
    assert found is not None
    assert (found["missing"], found["n_features"]) == (None, 3)


def test_where_columns_may_be_picked_by_label_or_are_not_all_told_nothing_is_compared() -> None:
    assert given({"shape": [9, 2]}, {**ESTIMATOR, "type": "sklearn.pipeline.Pipeline"}) is None
    assert given({"shape": [9, 2]}, {**ESTIMATOR, "type": "__main__.Own"}) is None
    assert given({"shape": [9, 30], "column_facts": [{"label": "a"}], "truncated": True}) is None
    assert given({"length": 3}) is None


# -- traces ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", ["static", *FIXED])
def test_a_trace_of_the_arm_replays_to_the_same(session: LaunchedSession, facts: str, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    target = target_in(OPEN + "own.predict(df)", executed=(SETUP,))
    with TraceFile(file) as trace:
        predict(target, session, settings=Settings(rehearse="off", facts=facts), trace=trace)
    found = replay(file)
    assert found.is_same
    assert found.differences == ()
    assert found.unanswered == ()
