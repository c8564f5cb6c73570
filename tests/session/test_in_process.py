"""A kernel asks itself: the same answers as from outside, the cell that asks is no running cell, every limit holds."""

import json
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kernels import OpenKernel, open_kernel, stand_in_sources, value_in

from crane_agent.session.attached import AttachedSession
from crane_agent.session.channel import Channel

CHECKOUT = Path(__file__).parents[2]

SETUP = f"""
import sys, threading, time
sys.path.insert(0, {str(CHECKOUT)!r})
from crane_agent.session.in_process import InProcessSession, _module, _left_behind
from crane_agent.session.protocol import Limits
"""

DATA = """
import pandas as pd
df = pd.DataFrame({'age': [20, None], 'name': ['a', 'b']})
def grow(n, *, by=2): return n * by
"""

QUESTIONS = [
    ("names", {}),
    ("describe", {"path": "df"}),
    ("columns", {"path": "df"}),
    ("signature", {"path": "grow"}),
    ("columns", {"path": "nothing"}),
    ("no such probe", {}),
]

OURS = "[thread.name for thread in __import__('threading').enumerate() if 'crane' in thread.name]"


@pytest.fixture(scope="module")
def kernel() -> Iterator[OpenKernel]:
    with open_kernel() as opened:
        run(opened, SETUP)
        run(opened, DATA)
        yield opened


@pytest.fixture
def stand_in() -> Iterator[OpenKernel]:
    """A kernel in which questions hang in all the ways they can."""
    with open_kernel() as opened:
        sources = json.dumps(dict(stand_in_sources()))
        run(opened, f"{SETUP}\nfrom crane_agent.session import inject\ninject.package_sources = lambda: {sources}")
        yield opened


def run(kernel: OpenKernel, code: str) -> None:
    reply = kernel.channel.execute(textwrap.dedent(code), limit_s=60)
    assert reply.status == "ok", reply.traceback


def asked(kernel: OpenKernel, question: str, arguments: object = None, *, seconds: float = 2.0) -> dict[str, object]:
    """Ask in a cell of its own and return the fields of the reply."""
    run(
        kernel,
        f"""
        began = time.monotonic()
        with InProcessSession(get_ipython()) as session:
            reply = session.ask({question!r}, {arguments or {}!r}, limits=Limits(seconds={seconds}))
        took = time.monotonic() - began
        """,
    )
    fields = "status=reply.status, answer=dict(reply.answer), reason=reply.reason, running=reply.running, took=took"
    found = value_in(kernel.channel, f"dict({fields}, cells=reply.cells)")
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("question", "arguments"), QUESTIONS)
def test_it_answers_as_through_the_kernels_channel(
    kernel: OpenKernel, question: str, arguments: dict[str, object]
) -> None:
    inside = asked(kernel, question, arguments)
    channel = Channel(kernel.process.connect(), alive=kernel.process.is_alive)
    try:
        channel.install()
        outside = channel.ask(question, arguments)
        if question != "names":  # in which those that this test binds are
            assert (inside["status"], inside["answer"]) == (outside.status, dict(outside.answer))
        assert inside["reason"] == outside.reason
        channel.detach()
    finally:
        channel.close()


def test_the_cell_that_asks_is_not_a_running_cell(kernel: OpenKernel) -> None:
    reply = asked(kernel, "names")
    assert (reply["status"], reply["running"]) == ("ok", False)


def test_it_is_not_even_if_it_ran_another_one_before(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        get_ipython().run_cell('1')
        with InProcessSession(get_ipython()) as session:
            nested = session.ask('names', {}).running
        """,
    )
    assert value_in(kernel.channel, "nested") is False


def test_a_cell_that_runs_beside_it_is_told(kernel: OpenKernel) -> None:
    # As a subshell's does, it puts its own result in the place of the first one's.
    run(
        kernel,
        """
        hook, mine = get_ipython().displayhook, get_ipython().displayhook.exec_result
        with InProcessSession(get_ipython()) as session:
            hook.exec_result = type(mine)(mine.info)
            beside = session.ask('names', {}).running, session.ask('ping', {}).running
            hook.exec_result = mine
            alone = session.ask('names', {}).running, session.ask('ping', {}).running
        """,
    )
    assert value_in(kernel.channel, "beside") == [True, True]
    assert value_in(kernel.channel, "alone") == [False, False]


def test_the_magics_own_cell_and_a_verdict_that_is_certain(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        from crane_agent.predict import predict
        from crane_agent.notebook.history import target_in_kernel
        with InProcessSession(get_ipython()) as session:
            target = target_in_kernel(session.executed(), code="x = 1\\ndf['Age']")
            verdict = predict(target, session)
        """,
    )
    found = value_in(kernel.channel, "[verdict.outcome, verdict.certainty, verdict.reached_by, verdict.notes]")
    assert found == ["crash", "certain", "checker", []]


def test_a_thread_in_the_background_is_told_that_a_cell_runs(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        replies = []
        def ask():
            with InProcessSession(get_ipython()) as session:
                while len(replies) < 40:
                    replies.append((session.ask('names', {}).running, session.ask('ping', {}).running))
                    time.sleep(0.05)
        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.5)
        """,
    )
    time.sleep(1)
    run(kernel, "thread.join()")
    replies = value_in(kernel.channel, "replies")
    assert replies[1] == [True, True]
    assert [False, False] in replies
    assert value_in(kernel.channel, OURS) == []


def test_it_tells_the_cells_that_ran_and_the_one_that_runs(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        with InProcessSession(get_ipython()) as session:
            ran = [(cell.number, cell.source) for cell in session.executed()]
        """,
    )
    ran = value_in(kernel.channel, "ran")
    assert [number for number, _ in ran] == list(range(1, len(ran) + 1))
    assert ran[1][1].strip() == DATA.strip()
    assert "session.executed()" in ran[-1][1]


def test_it_names_the_python_and_owns_no_kernel(kernel: OpenKernel) -> None:
    run(kernel, "with InProcessSession(get_ipython()) as session: found = [*session.python_version], session.owned")
    assert value_in(kernel.channel, "found") == [list(sys.version_info[:2]), False]


def test_the_privacy_level_holds(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        found = {}
        for level in ('names', 'schema'):
            with InProcessSession(get_ipython(), privacy=level) as session:
                reply = session.ask('columns', {'path': 'df'})
                found[level] = [reply.status, list(reply.withheld)]
        """,
    )
    found = value_in(kernel.channel, "found")
    assert found["names"][1]
    assert not found["schema"][1]


def test_a_rehearsal_is_refused_with_a_reason(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        with InProcessSession(get_ipython()) as session:
            reply = session.rehearse('1', seconds=1).reply
        found = [reply.status, reply.reason]
        """,
    )
    status, reason = value_in(kernel.channel, "found")
    assert status == "refused"
    assert reason.startswith("could not rehearse, because ")


def test_a_cell_that_is_held_keeps_the_kernel_from_being_forked(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        quiet = _module('rehearsal.quiet')
        with InProcessSession(get_ipython()) as session:
            try:
                quiet.look(get_ipython())
                why = ''
            except quiet.NotNow as error:
                why = error.reason
        """,
    )
    assert value_in(kernel.channel, "why") == "a cell is running"


def test_a_closed_session_leaves_no_thread_and_holds_no_cell(kernel: OpenKernel) -> None:
    asked(kernel, "names")
    assert value_in(kernel.channel, OURS) == []
    assert value_in(kernel.channel, "len(_module('moment')._held)") == 0
    assert value_in(kernel.channel, "[n for n in sys.modules if n.startswith('crane_agent.in_kernel.entry')]") == []


@pytest.mark.parametrize("kind", ["spin", "stubborn"])
def test_a_question_that_overruns_its_limit_is_ended(stand_in: OpenKernel, kind: str) -> None:
    reply = asked(stand_in, kind, {"seconds": 30}, seconds=0.2)
    assert reply["status"] == "refused"
    assert reply["reason"] == "could not look, because the limit of 0.2 s passed"
    assert isinstance(reply["took"], float)
    assert reply["took"] < 3
    assert asked(stand_in, "hello")["answer"] == {"word": "hello", "odd": True}
    assert value_in(stand_in.channel, "len(_left_behind)") == 0
    assert value_in(stand_in.channel, OURS) == []


def test_one_that_cannot_be_ended_is_left_behind_and_after_three_nothing_is_asked(stand_in: OpenKernel) -> None:
    for _ in range(3):
        reply = asked(stand_in, "sleep", {"seconds": 8}, seconds=0.1)
        assert "the limit of 0.1 s passed" in str(reply["reason"])
    reply = asked(stand_in, "hello")
    assert reply["reason"] == "could not look, because 3 earlier questions are still stuck in the kernel"
    time.sleep(8)
    assert asked(stand_in, "hello")["status"] == "ok"
    assert value_in(stand_in.channel, OURS) == []


def test_ctrl_c_ends_the_question_and_the_next_one_is_answered(stand_in: OpenKernel) -> None:
    timer = threading.Timer(1.0, os.kill, (stand_in.process.pid, signal.SIGINT))
    timer.start()
    code = "with InProcessSession(get_ipython()) as session: session.ask('spin', {'seconds': 30}, limits=Limits(20))"
    reply = stand_in.channel.execute(code, limit_s=30)
    assert (reply.status, reply.ename) == ("error", "KeyboardInterrupt")
    assert asked(stand_in, "hello")["status"] == "ok"
    assert value_in(stand_in.channel, OURS) == []


def test_questions_from_several_threads_are_answered_one_after_the_other(kernel: OpenKernel) -> None:
    run(
        kernel,
        """
        answers = []
        with InProcessSession(get_ipython()) as session:
            def ask():
                for _ in range(20):
                    answers.append(session.ask('describe', {'path': 'df'}).status)
            threads = [threading.Thread(target=ask) for _ in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        """,
    )
    assert value_in(kernel.channel, "answers") == ["ok"] * 80


def test_a_tool_that_is_attached_meanwhile_sees_the_cell_that_asks_as_running(kernel: OpenKernel) -> None:
    with ExitStack() as cleanup:
        channel = Channel(kernel.process.connect(), alive=kernel.process.is_alive)
        cleanup.callback(channel.close)
        attached = AttachedSession(channel, channel.install(), cleanup)
        cleanup.callback(channel.detach)
        code = "with InProcessSession(get_ipython()) as session:\n    time.sleep(1)\n    mine = session.ask('ping', {}).running"
        thread = threading.Thread(target=run, args=(kernel, code))
        thread.start()
        time.sleep(0.5)
        assert attached.ask("names", {}).running
        thread.join()
    assert value_in(kernel.channel, "mine") is False
