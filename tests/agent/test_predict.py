"""From a target and a real kernel to a verdict: the checker, the rules, other policies, and the budgets."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from IPython.core.magics.execution import ExecutionMagics
from kernels import code_cells
from model_server import ModelServer, calls, verdict
from targets import target_in

from crane_agent.agent.llm_policy import policy_of
from crane_agent.agent.policy import Decision, ProbeCall, Proposal, Tried, View
from crane_agent.agent.state import Step
from crane_agent.config import Prices, Settings
from crane_agent.errors import KernelDied
from crane_agent.notebook.cells import read_notebook
from crane_agent.notebook.history import target_of
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.verdict.models import Claim, Evidence, ExceptionClaim, Verdict

SETUP = """
import functools
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import LabelEncoder

df = pd.DataFrame({'age': [20, 30, 40], 'fare': [1.0, 2.0, 3.0]})
cfg = {'rate': 0.1, 'layers': [64, 32]}
unfitted = LinearRegression()
fitted = LinearRegression().fit(np.ones((3, 2)), [1, 2, 3])
encoder = LabelEncoder()
ages = df['age']
X3 = np.ones((4, 3))
net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Linear(4, 1))
batch = torch.ones(5, 7)
# The checker asks no code of a user's what it does: of these the probes must tell.
class Own(LinearRegression): pass
own = Own()
own_fitted = Own().fit(np.ones((3, 2)), [1, 2, 3])
watched = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Linear(4, 1))
watched[0].register_forward_hook(lambda *args: None)

def load(path): return path

@functools.singledispatch
def scale(x, factor=1): return x * factor
"""


OPEN = "import asyncio; await asyncio.sleep(0)\nload(1)"
"""A cell that is left to the policy: other code may run while it waits, so that the checker is certain of nothing."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


@dataclass
class Scripted:
    """A policy that does what the test says; it remembers what it was shown."""

    script: Callable[[View], Decision]
    name: str = "scripted"
    views: list[View] = field(default_factory=list)

    def decide(self, view: View) -> Decision:
        self.views.append(view)
        return self.script(view)

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        return Proposal()


def never(view: View) -> Decision:
    raise AssertionError("no policy is asked")


def ask(session: LaunchedSession, target: str, **settings: object) -> Verdict:
    return predict(target_in(target, executed=(SETUP,)), session, settings=Settings(**settings))


# -- the checker ends the run ----------------------------------------------------------------------------------------


def test_a_certain_crash_ends_the_run_without_asking_a_policy(session: LaunchedSession) -> None:
    target = target_in("ages = df['age']\nprint(df['Fare'])", executed=(SETUP,))
    verdict = predict(target, session, policy=Scripted(never))
    assert (verdict.outcome, verdict.certainty, verdict.confidence) == ("crash", "certain", 1.0)
    assert verdict.exception == ExceptionClaim(
        type="KeyError", message="'Fare'", line=2, column=7, source_line="print(df['Fare'])"
    )
    assert (verdict.reached_by, verdict.crash_type, verdict.library) == ("checker", "key error", "pandas")
    assert [each.fact for each in verdict.evidence] == ["F1"]
    assert verdict.usage.steps == 0
    assert verdict.usage.probe_calls == 1


def test_a_close_match_becomes_a_patch_of_that_line_only(session: LaunchedSession) -> None:
    verdict = ask(session, "total = 0\nprint(df['Fare'])")
    assert verdict.fix is not None
    assert verdict.fix.source == "total = 0\nprint(df['fare'])"
    assert verdict.fix.verified == "not tried"


def test_a_cell_that_can_be_followed_to_its_end_is_certain_to_run(session: LaunchedSession) -> None:
    verdict = ask(session, "rate = cfg['rate'] * 2\nnames = [f'{n}!' for n in cfg['layers']]")
    assert (verdict.outcome, verdict.certainty, verdict.reached_by) == ("no_crash", "certain", "checker")


def test_a_cell_that_is_no_python_is_certain_to_crash_on_the_python_that_parsed_it(session: LaunchedSession) -> None:
    verdict = ask(session, "x = 1\nprint('a' 'b'\ny = (")
    assert (verdict.outcome, verdict.certainty) == ("crash", "certain")
    assert verdict.exception is not None
    assert verdict.exception.type == "SyntaxError"


@pytest.mark.skipif(
    "no_raise_error" not in ExecutionMagics.time.__code__.co_names, reason="before IPython 9 %time shows it and goes on"
)
@pytest.mark.parametrize(
    ("target", "line", "column"),
    [
        ("%%time\nprint(df['Fare'])", 2, 7),
        ("\n%%time\n\nx = 1\nprint(df['Fare'])", 5, 7),
        ("x = 1\n%time print(df['Fare'])\ny = 2", 2, 13),
    ],
)
def test_a_crash_under_a_magic_that_raises_it_is_certain_and_on_its_own_line(
    session: LaunchedSession, target: str, line: int, column: int
) -> None:
    verdict = ask(session, target)
    assert (verdict.outcome, verdict.certainty) == ("crash", "certain")
    assert verdict.exception == ExceptionClaim(
        type="KeyError", message="'Fare'", line=line, column=column, source_line=target.splitlines()[line - 1]
    )


def test_a_crash_under_a_magic_that_hides_it_is_not_certain(session: LaunchedSession) -> None:
    assert ask(session, "%%capture\nprint(df['Fare'])").certainty == "predicted"


# -- the rules investigate -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kind", "line", "probe"),
    [
        ("p = own.predict(X3)", "NotFittedError", 1, "estimator"),
        ("p = own_fitted.predict(X3)", "ValueError", 1, "estimator"),
        ("m = LinearRegression\nown.fit(ages, ages)", "ValueError", 2, "signature"),
        ("out = watched(batch)", "RuntimeError", 1, "layers"),
        ("y = scale(2, faktor=3)", "TypeError", 1, "signature"),
        ("import asyncio; await asyncio.sleep(0)\nload('x')\nprint(dff)", "NameError", 3, "names"),
    ],
)
def test_the_rules_settle_an_open_question_with_the_probe_for_it(
    session: LaunchedSession, target: str, kind: str, line: int, probe: str
) -> None:
    steps: list[Step] = []
    verdict = predict(target_in(target, executed=(SETUP,)), session, on_step=steps.append)
    assert verdict.outcome == "crash", verdict.explanation
    assert verdict.certainty == "predicted"
    assert verdict.reached_by == "rules"
    assert verdict.exception is not None
    assert (verdict.exception.type, verdict.exception.line) == (kind, line)
    assert any(step.node == "probe" and probe in step.words for step in steps)
    assert verdict.evidence


@pytest.mark.parametrize(
    "target",
    [
        "p = own_fitted.predict(X3[:, :2])",
        "e = encoder.fit(df['age'])",
        "out = watched(batch[:, :1].expand(5, 8))",
        "y = scale(2, factor=3)",
    ],
)
def test_the_rules_predict_no_crash_where_the_replies_show_none(session: LaunchedSession, target: str) -> None:
    verdict = ask(session, target)
    assert (verdict.outcome, verdict.certainty) == ("no_crash", "predicted")
    assert 0.5 <= verdict.confidence < 1


def test_a_name_that_a_cell_not_run_would_define_is_named_as_the_origin(session: LaunchedSession) -> None:
    target = target_in("print(model_v2)", executed=(SETUP,), not_run=("model_v2 = 1",))
    verdict = predict(target, session)
    assert verdict.root_cause == "NB specific"
    assert [each.cell for each in verdict.origin] == [2]
    assert verdict.fix is not None
    assert verdict.fix.summary == "Run cell 2 first."


def test_without_the_checker_the_rules_still_ask_for_the_names_that_nobody_defines(session: LaunchedSession) -> None:
    target = target_in("print(model_v2)", executed=(SETUP,))
    verdict = predict(target, session, settings=Settings(check=False))
    assert (verdict.outcome, verdict.certainty) == ("crash", "predicted")
    assert verdict.exception is not None
    assert verdict.exception.type == "NameError"


def test_a_run_tells_its_steps_in_order(session: LaunchedSession) -> None:
    steps: list[Step] = []
    predict(target_in("p = own.predict(X3)", executed=(SETUP,)), session, on_step=steps.append)
    assert list(dict.fromkeys(step.node for step in steps)) == [
        "observe",
        "check",
        "decide",
        "probe",
        "repair",
        "conclude",
    ]
    assert all(step.words for step in steps)


# -- a chat model decides --------------------------------------------------------------------------------------------


def test_a_model_asks_a_probe_and_its_verdict_cites_the_reply(session: LaunchedSession) -> None:
    claim = {
        "outcome": "crash",
        "confidence": 0.9,
        "exception": {"type": "KeyError", "message": "'Fare'", "line": 3},
        "explanation": "df has no column Fare.",
        "evidence": [{"fact": "F2", "words": "Fare is missing"}],
    }
    script = [calls(("columns", {"path": "df", "names": ["Fare"]})), verdict(**claim)]
    target = target_in("import asyncio; await asyncio.sleep(0)\nload('x')\nprint(df['Fare'])", executed=(SETUP,))
    with ModelServer(script) as server:
        policy = server.policy()
        found = predict(target, session, policy=policy)
        told = json.dumps(server.requests[-1])
    assert (found.outcome, found.certainty, found.reached_by) == ("crash", "predicted", "small")
    assert found.evidence == (Evidence(fact="F2", words="Fare is missing"),)
    assert found.usage.tokens_in > 0
    assert "missing" in told


def test_the_verdict_says_what_its_tokens_cost_where_prices_are_set(session: LaunchedSession) -> None:
    prices = Prices(input=2.0, cached=0.5, output=10.0, currency="EUR")
    with ModelServer([calls(("names", {}), cached=60), verdict()]) as server:
        settings = Settings(model="small", base_url=server.base_url, api_key="key", prices=prices)
        found = predict(target_in(OPEN, executed=(SETUP,)), session, settings=settings, policy=policy_of(settings))
    usage = found.usage
    assert (usage.tokens_in, usage.tokens_cached, usage.tokens_out, usage.currency) == (200, 60, 40, "EUR")
    assert usage.cost == pytest.approx((140 * 2.0 + 60 * 0.5 + 40 * 10.0) / 1_000_000)
    assert ask(session, OPEN).usage.cost is None


def test_a_model_that_gives_no_valid_verdict_is_followed_by_the_rules(session: LaunchedSession) -> None:
    script = [verdict(outcome="perhaps"), verdict(outcome="perhaps")]
    target = target_in("p = own.predict(X3)", executed=(SETUP,))
    with ModelServer(script) as server:
        policy = server.policy()
        found = predict(target, session, policy=policy)
        asked = len(server.requests)
    assert asked == 2
    assert (found.outcome, found.reached_by) == ("crash", "rules")
    assert "small gave up" in found.notes[0]


# -- whatever a policy does, the run ends in a verdict ----------------------------------------------------------------


def test_a_policy_that_never_answers_is_stopped_by_its_budget_of_steps(session: LaunchedSession) -> None:
    policy = Scripted(lambda view: Decision(calls=(ProbeCall("describe", {"path": "df"}),)))
    target = target_in("p = own.predict(X3)", executed=(SETUP,))
    verdict = predict(target, session, settings=Settings(steps=4), policy=policy)
    assert len(policy.views) == 4
    assert [view.steps_left for view in policy.views] == [4, 3, 2, 1]
    assert verdict.reached_by == "rules"
    assert any("budget" in note for note in verdict.notes)


def test_a_policy_that_decides_nothing_is_asked_again_until_the_steps_are_used_up(session: LaunchedSession) -> None:
    policy = Scripted(lambda view: Decision())
    verdict = predict(target_in(OPEN, executed=(SETUP,)), session, settings=Settings(steps=3), policy=policy)
    assert len(policy.views) == 3
    assert verdict.reached_by == "rules"


def test_a_slow_policy_is_stopped_by_the_budget_of_seconds(session: LaunchedSession) -> None:
    def slow(view: View) -> Decision:
        time.sleep(0.4)
        return Decision()

    policy = Scripted(slow)
    verdict = predict(target_in(OPEN, executed=(SETUP,)), session, settings=Settings(seconds=0.6), policy=policy)
    assert 1 <= len(policy.views) <= 2
    assert verdict.reached_by == "rules"


def test_a_policy_that_uses_up_its_tokens_is_not_asked_again(session: LaunchedSession) -> None:
    policy = Scripted(lambda view: Decision(tokens_in=80, tokens_out=30))
    verdict = predict(target_in(OPEN, executed=(SETUP,)), session, settings=Settings(tokens=100), policy=policy)
    assert len(policy.views) == 1
    assert (verdict.usage.tokens_in, verdict.usage.tokens_out) == (80, 30)
    assert verdict.reached_by == "rules"


def test_a_policy_that_gives_up_is_followed_by_the_rules_and_the_verdict_says_why(session: LaunchedSession) -> None:
    policy = Scripted(lambda view: Decision(gave_up="the endpoint does not answer"))
    target = target_in("p = own.predict(X3)", executed=(SETUP,))
    verdict = predict(target, session, policy=policy)
    assert len(policy.views) == 1
    assert (verdict.outcome, verdict.reached_by) == ("crash", "rules")
    assert "the endpoint does not answer" in verdict.notes[0]


def test_a_claim_without_a_fact_behind_it_has_its_confidence_lowered(session: LaunchedSession) -> None:
    claim = Claim(
        outcome="crash",
        confidence=0.99,
        exception=ExceptionClaim(type="ValueError"),
        explanation="a guess",
        evidence=(Evidence(fact="F99", words="made up"),),
    )
    verdict = predict(target_in(OPEN, executed=(SETUP,)), session, policy=Scripted(lambda view: Decision(claim=claim)))
    assert (verdict.certainty, verdict.reached_by) == ("predicted", "scripted")
    assert verdict.confidence <= 0.6
    assert verdict.evidence == (Evidence(words="made up"),)


def test_a_refused_probe_is_an_answer_that_the_policy_sees(session: LaunchedSession) -> None:
    def once(view: View) -> Decision:
        if len(view.facts) < 3:
            return Decision(calls=(ProbeCall("columns", {"path": "nowhere"}), ProbeCall("no_such_probe", {})))
        return Decision(claim=Claim(outcome="no_crash", confidence=0.5, explanation="it says nothing"))

    policy = Scripted(once)
    predict(target_in(OPEN, executed=(SETUP,)), session, policy=policy)
    replies = [fact.reply for fact in policy.views[-1].facts[1:]]
    assert [reply.status for reply in replies] == ["refused", "refused"]
    assert all(reply.reason.startswith("could not look, because") for reply in replies)


def test_a_kernel_that_dies_ends_the_run_with_an_error_and_no_verdict() -> None:
    with launch(code_cells("import os\npid = os.getpid()"), python=sys.executable) as opened:

        def kill(view: View) -> Decision:
            os.kill(opened.facts.pid, signal.SIGKILL)
            return Decision(calls=(ProbeCall("names", {}),))

        with pytest.raises(KernelDied):
            predict(target_in("print(os.getpid())"), opened, policy=Scripted(kill))


def test_a_cell_nested_too_deeply_for_the_checker_still_gets_a_verdict(session: LaunchedSession) -> None:
    verdict = ask(session, "x = " + " + ".join(["1"] * 400))
    assert verdict.certainty == "predicted"
    assert "nested too deeply" in verdict.notes[0]


def test_no_byte_sent_to_a_model_comes_from_a_stored_output(session: LaunchedSession, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"canary": "CANARY-metadata"})
    for source in (SETUP, "load('x')\nprint(df['fare'])"):
        cell = nbformat.v4.new_code_cell(source, execution_count=len(notebook.cells) + 1)
        cell.outputs = [
            nbformat.v4.new_output("stream", text="CANARY-stream"),
            nbformat.v4.new_output("error", ename="CANARYError", evalue="CANARY-value", traceback=["CANARY-line"]),
        ]
        notebook.cells.append(cell)
    path = tmp_path / "CANARY-name.ipynb"
    nbformat.write(notebook, path)
    with ModelServer([verdict()]) as server:
        policy = server.policy()
        predict(target_of(read_notebook(path), "1"), session, policy=policy)
        told = json.dumps(server.requests)
    assert "df['fare']" in told
    assert "CANARY" not in told
