import json
import os
import re
import signal
import threading
import time

import pytest
from kernels import KERNELS, open_kernel, refused, stand_in_sources, value_in, wait_for

from crane_agent.errors import KernelBusy, KernelDied, NoKernel
from crane_agent.session.channel import Channel
from crane_agent.session.protocol import Limits


@pytest.fixture(params=KERNELS)
def kernel(request):
    with open_kernel(request.param) as kernel:
        yield kernel


@pytest.fixture
def installed(kernel):
    kernel.channel.install(stand_in_sources())
    return kernel


class Running:
    """A cell that runs while the test goes on."""

    def __init__(self, kernel, code, limit_s=60):
        self.reply = None
        self._thread = threading.Thread(target=self._run, args=(kernel.channel, code, limit_s))
        self._thread.start()
        time.sleep(0.3)

    def _run(self, channel, code, limit_s):
        self.reply = channel.execute(code, limit_s=limit_s)

    def end(self):
        self._thread.join()
        return self.reply


def evaluate(kernel, expression):
    return value_in(kernel.channel, expression)


def test_a_question_is_answered_by_modules_that_import_each_other(installed):
    reply = installed.channel.ask("hello", {})
    assert (reply.status, reply.answer) == ("ok", {"word": "hello", "odd": True})
    assert reply.size == len('{"answer":{"odd":true,"word":"hello"},"cells":1,"status":"ok"}')
    assert 0 < reply.elapsed_ms < 2000


def test_the_kernel_says_what_it_is(installed):
    facts = installed.channel.facts()
    assert facts.pid == installed.process.pid
    assert facts.cwd == os.getcwd()
    assert facts.execution_count == 1
    assert facts.python >= (3, 8, 0)
    assert int(facts.ipykernel.split(".")[0]) >= 6
    assert facts.ipython


STATE = """[
    list(globals()), sorted(__import__("sys").modules), list(vars(__import__("builtins"))),
    __import__("random").getstate(), [str(f) for f in __import__("warnings").filters], sorted(__import__("linecache").cache),
    sorted(name for name in vars(__import__("sys")) if name.startswith("last_")), list(Out), str((_, __, ___)),
    __import__("os").getcwd(), dict(__import__("os").environ), __import__("threading").active_count(),
    str([__import__("signal").getsignal(n) for n in range(1, 30)]),
]"""


def test_installing_asking_and_leaving_change_nothing_that_a_cell_can_see(kernel):
    evaluate(kernel, STATE)  # Imports what the state is made of.
    before = evaluate(kernel, f"[len(In), get_ipython().execution_count, *{STATE}]")
    kernel.channel.install(stand_in_sources())
    assert kernel.channel.ask("hello", {}).status == "ok"
    assert kernel.channel.ask("names", {}).status == "ok"
    kernel.channel.detach()
    after = evaluate(kernel, f"[len(In), get_ipython().execution_count, *{STATE}]")
    for was, is_now in zip(before[:2], after[:2], strict=True):
        assert is_now == was + 1  # The cell that took the state.
    # A cell adds its own name, _i1 or _i2 ..., when it starts or when it ends.
    assert re.fullmatch(r"_i\d", " ".join(name for name in after[2] if name not in before[2]))
    for was, is_now in zip(before[3:7], after[3:7], strict=True):
        assert is_now == was
    for was, is_now in zip(before[8:], after[8:], strict=True):
        assert is_now == was


THREADS = "[t.name for t in __import__('threading').enumerate() if t.name == 'crane_agent']"
HANDLERS = "[k for k in get_ipython().kernel.control_handlers if 'crane' in k]"


@pytest.fixture
def second(installed):
    """A connection of somebody else to the same kernel."""
    channel = Channel(installed.process.connect(), alive=installed.process.is_alive)
    yield channel
    channel.close()


def test_the_handler_and_its_thread_leave_with_the_last_client(installed, second):
    installed.channel.install(stand_in_sources())
    assert installed.channel.facts().clients == 1
    assert second.install(stand_in_sources()).clients == 2
    assert evaluate(installed, THREADS) == ["crane_agent"]
    installed.channel.detach()
    assert second.ask("hello", {}).status == "ok"
    second.detach()
    assert wait_for(lambda: evaluate(installed, THREADS) == [])
    assert evaluate(installed, HANDLERS) == []


def test_tools_with_other_sources_do_not_meet(installed, second):
    second.install({**stand_in_sources(), "parts.words": "WORD = 'changed'"})
    assert installed.channel.ask("hello", {}).answer["word"] == "hello"
    assert second.ask("hello", {}).answer["word"] == "changed"
    assert second.facts().clients == 1
    assert len(evaluate(installed, HANDLERS)) == 2
    installed.channel.detach()
    assert second.ask("hello", {}).answer["word"] == "changed"
    second.detach()
    assert evaluate(installed, HANDLERS) == []


def test_a_client_that_was_detached_may_ask_again(installed):
    installed.channel.detach()
    assert installed.channel.ask("hello", {}).status == "ok"


def test_every_message_of_the_kernel_is_shown_to_the_audit_as_it_came(kernel):
    seen = []
    channel = Channel(
        kernel.process.connect(), alive=kernel.process.is_alive, audit=lambda *message: seen.append(message)
    )
    try:
        channel.install(stand_in_sources())
        reply = channel.ask("names", {})
        channel.execute("1 / 0", limit_s=30)
    finally:
        channel.close()
    kinds = [(source, json.loads(message.split(b"\n")[2])["msg_type"]) for source, message in seen]
    assert kinds == [
        ("kernel control", "connect_reply"),
        ("kernel shell", "connect_reply"),
        ("kernel shell", "execute_reply"),
        ("kernel control", "connect_reply"),
        ("kernel control", "crane_agent_reply"),
        ("kernel control", "crane_agent_reply"),
        ("kernel shell", "execute_reply"),
    ]
    text = json.loads(seen[5][1].split(b"\n")[5])["text"]
    assert json.loads(text)["answer"] == reply.answer
    assert b"ZeroDivisionError" in seen[6][1]


def test_names_of_the_user_that_shadow_builtins_do_not_matter(kernel):
    names = "exec eval compile __import__ type print len str dict list isinstance getattr vars open repr __builtins__ get_ipython sys json"
    shadow = " = ".join(names.split()) + " = None"
    assert kernel.channel.execute(shadow, limit_s=30).status == "ok"
    kernel.channel.install(stand_in_sources())
    assert kernel.channel.ask("hello", {}).status == "ok"


def test_a_module_that_does_not_run_is_reported_and_leaves_nothing(kernel):
    with pytest.raises(NoKernel, match=r"cannot be asked questions: .*ZeroDivisionError"):
        kernel.channel.install({**stand_in_sources(), "parts.words": "1 / 0"})
    assert evaluate(kernel, "[k for k in get_ipython().kernel.control_handlers if 'crane' in k]") == []
    assert evaluate(kernel, "hasattr(__import__('sys'), 'last_type')") is False


@pytest.mark.parametrize(
    "code",
    ["import time; time.sleep(3)", "t = __import__('time').time() + 3\nwhile __import__('time').time() < t: pass"],
)
def test_questions_are_answered_while_a_cell_runs(installed, code):
    running = Running(installed, code)
    replies = [installed.channel.ask("hello", {}) for _ in range(5)]
    assert running.reply is None
    assert all(reply.status == "ok" for reply in replies)
    assert running.end().status == "ok"


def test_a_question_stuck_in_python_code_is_ended_at_its_limit(installed):
    limits = Limits(seconds=0.3)
    for _ in range(5):
        reply = installed.channel.ask("spin", {"seconds": 60}, limits=limits)
        assert refused(reply, "the limit of 0.3 s passed")
        assert installed.channel.ask("hello", {}).status == "ok"


def test_a_question_that_swallows_its_end_does_not_harm_the_next(installed):
    reply = installed.channel.ask("stubborn", {}, limits=Limits(seconds=0.3))
    assert refused(reply, "the limit of 0.3 s passed")
    assert installed.channel.ask("hello", {}).status == "ok"


def test_a_question_that_ends_near_its_limit_never_harms_the_next(installed):
    limits = Limits(seconds=0.0)
    for step in range(30):
        reply = installed.channel.ask("spin", {"seconds": 0.22 + 0.002 * step}, limits=limits)
        assert reply.status == "ok" or refused(reply, "the limit of 0 s passed")
        assert installed.channel.ask("hello", {}).status == "ok"


def test_after_three_questions_stuck_in_c_code_everything_is_refused(installed):
    limits = Limits(seconds=0.2)
    for _ in range(3):
        assert installed.channel.ask("hello", {}).status == "ok"
        reply = installed.channel.ask("sleep", {"seconds": 60}, limits=limits)
        assert refused(reply, "the limit of 0.2 s passed")
        time.sleep(0.7)
    assert refused(installed.channel.ask("hello", {}), "3 earlier questions are still stuck in the kernel")
    assert installed.channel.facts().pid == installed.process.pid


def test_a_kernel_held_by_c_code_is_busy_and_answers_later(installed):
    started = time.monotonic()
    with pytest.raises(KernelBusy, match="did not answer within"):
        installed.channel.ask("hold", {"seconds": 4}, limits=Limits(seconds=0.1))
    assert time.monotonic() - started < 4
    for _ in range(20):
        try:
            reply = installed.channel.ask("hello", {}, limits=Limits(seconds=5))
        except KernelBusy:
            continue
        break
    assert (reply.status, reply.answer["word"]) == ("ok", "hello")


def test_a_killed_kernel_is_dead_for_questions_and_for_cells(installed):
    running = Running(installed, "import time; time.sleep(60)")
    os.kill(installed.process.pid, signal.SIGKILL)
    assert running.end().status == "died"
    with pytest.raises(KernelDied):
        installed.channel.ask("hello", {})


@pytest.mark.parametrize(
    ("code", "ename", "line"),
    [
        ("a = 1\nb = 2\n{}['k']", "KeyError", 3),
        ("def f():\n    return 1 / 0\n\nf()", "ZeroDivisionError", 4),
        ("a = 1\nb = (", "SyntaxError", 2),
        ("import json\n\njson.loads('{')", "JSONDecodeError", 3),
        ("input()", "StdinNotImplementedError", 1),
    ],
)
def test_a_failing_cell_says_what_it_raised_and_where(kernel, code, ename, line):
    assert kernel.channel.execute("x = 1", limit_s=30).status == "ok"
    reply = kernel.channel.execute(code, limit_s=30)
    assert (reply.status, reply.ename, reply.line) == ("error", ename, line)


def test_a_cell_that_outlasts_its_limit_goes_on_running(kernel):
    assert kernel.channel.execute("import time; time.sleep(1.5); done = True", limit_s=0.3).status == "timeout"
    assert kernel.channel.execute("assert done", limit_s=30).status == "ok"
