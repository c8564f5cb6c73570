"""A verdict is about one state of the kernel: cells that run meanwhile are noticed, real kernel, real cells."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
from kernels import code_cells, wait_for
from targets import target_in

from crane_agent.agent.policy import Decision, ProbeCall, View
from crane_agent.config import Settings
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, Reply
from crane_agent.verdict.models import Claim

SETUP = "import pandas as pd\ndf = pd.DataFrame({'age': [20, 30]})\nrate = 2"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


class Restless(LaunchedSession):
    """A session with a kernel whose user runs a cell after each of the first answers."""

    def __init__(self, kernel: LaunchedSession, code: str, *, times: int, after: str = "check") -> None:
        super().__init__(kernel._channel, kernel.facts, ExitStack())
        self._code = code
        self._times = times
        self._after = after
        self.asked: list[str] = []

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        reply = super().ask(question, arguments, limits=limits)
        self.asked.append(question)
        if question == self._after and self.asked.count(question) <= self._times:
            assert self.run(self._code, limit_s=20).status == "ok"
        return reply


def test_facts_are_taken_again_when_a_cell_ran_before_the_verdict(kernel: LaunchedSession) -> None:
    session = Restless(kernel, "df['fare'] = 1", times=1)
    verdict = predict(target_in("total = df['fare'].sum()", executed=(SETUP,)), session)
    assert session.asked.count("check") == 2
    assert verdict.outcome == "no_crash", "the column is there by now"
    assert verdict.usage.probe_calls >= 2
    kernel.run("del df['fare']", limit_s=20)


def test_nothing_is_certain_while_cells_keep_running(kernel: LaunchedSession) -> None:
    session = Restless(kernel, "rate += 1", times=9)
    verdict = predict(target_in("df['Fare']", executed=(SETUP,)), session)
    assert (verdict.outcome, verdict.certainty) == ("crash", "predicted")
    assert verdict.confidence < 1
    assert any("cells ran in the kernel" in note for note in verdict.notes)
    assert session.asked.count("check") == 3


def test_a_settled_kernel_gives_certainty(kernel: LaunchedSession) -> None:
    verdict = predict(target_in("df['Fare']", executed=(SETUP,)), kernel)
    assert (verdict.outcome, verdict.certainty, verdict.notes) == ("crash", "certain", ())


@pytest.mark.parametrize(
    "busy",
    [
        "import time\ntime.sleep(3)",
        "import asyncio\nawait asyncio.sleep(3)",
        "get_ipython().run_cell('1')\ntime.sleep(3)",
    ],
)
def test_nothing_is_certain_while_a_cell_is_running(kernel: LaunchedSession, busy: str) -> None:
    kernel.run("import time", limit_s=20)
    thread = threading.Thread(target=kernel.run, args=(busy,), kwargs={"limit_s": 30})
    thread.start()
    try:
        assert wait_for(lambda: kernel.ask("ping", {}).running)
        verdict = predict(target_in("df['Fare']", executed=(SETUP,)), kernel)
    finally:
        thread.join()
    assert (verdict.outcome, verdict.certainty) == ("crash", "predicted")
    assert any("a cell was running" in note for note in verdict.notes)
    assert wait_for(lambda: not kernel.ask("ping", {}).running)


class Scripted:
    """A policy that does what the test says."""

    name = "scripted"

    def __init__(self, script: Callable[[View], Decision]) -> None:
        self.decide = script


def test_a_models_facts_are_not_asked_again_but_the_verdict_says_so(kernel: LaunchedSession) -> None:
    def script(view: View) -> Decision:
        if not view.facts:
            return Decision(calls=(ProbeCall("columns", {"path": "df"}, "1"),))
        return Decision(claim=Claim(outcome="no_crash", confidence=0.8, explanation="It is there."))

    session = Restless(kernel, "rate += 1", times=9, after="columns")
    target = target_in("unknown_function(df)", executed=(SETUP,))
    verdict = predict(target, session, settings=Settings(check=False), policy=Scripted(script))
    assert session.asked.count("columns") == 1
    assert any("cells ran in the kernel" in note for note in verdict.notes)


def test_the_bytes_of_a_run_are_bounded(kernel: LaunchedSession) -> None:
    def script(view: View) -> Decision:
        refused = [fact.reply.reason for fact in view.facts if fact.reply.status == "refused"]
        if refused:
            return Decision(claim=Claim(outcome="unknown", confidence=0.0, explanation=refused[0]))
        return Decision(calls=(ProbeCall("names", {}, str(len(view.facts))),))

    settings = Settings(kernel_bytes=2000, steps=50, check=False)
    verdict = predict(target_in("f(df)", executed=(SETUP,)), kernel, settings=settings, policy=Scripted(script))
    assert "bytes for this run are used up" in verdict.explanation
    assert verdict.usage.kernel_bytes <= 2000


def test_the_cells_answer_what_the_kernel_need_not_be_asked(kernel: LaunchedSession) -> None:
    def script(view: View) -> Decision:
        if not view.facts:
            return Decision(calls=(ProbeCall("history", {"name": "df"}, "1"),))
        assert view.facts[-1].reply.answer
        return Decision(claim=Claim(outcome="no_crash", confidence=0.8, explanation="It is there."))

    session = Restless(kernel, "pass", times=0)
    target = target_in("f(df)", executed=(SETUP,))
    verdict = predict(target, session, settings=Settings(check=False), policy=Scripted(script))
    assert verdict.outcome == "no_crash"
    assert "history" not in session.asked
