import json
import os
import signal
import subprocess
import sys
import time

import pytest
from kernels import KERNELS, UsersKernel, stand_in_sources, wait_for

from crane_agent.errors import KernelBusy, KernelDied, KernelRestarted, NoKernel, NotAPythonKernel
from crane_agent.session.attached import attach
from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits, PatchedCell, RanCell

KERNEL_5_PYTHON = os.environ.get("CRANE_KERNEL_5_PYTHON")
"""An interpreter with ipykernel 5, which has no control thread."""

OURS = """[
    [name for name in get_ipython().kernel.control_handlers if "crane" in name],
    [name for name in get_ipython().kernel._recorded_ports if "crane" in name],
    [thread.name for thread in __import__("threading").enumerate() if "crane" in thread.name],
    [str(timer) for timer in get_ipython().kernel.control_thread.io_loop.asyncio_loop._scheduled
     if not timer.cancelled()],
]"""
"""What a kernel has of ours: handlers, names among its ports, threads, timers."""


def nothing_is_left(kernel):
    # The thread ends by itself, a moment after the last client has left.
    return wait_for(lambda: kernel.value(OURS) == [[], [], [], []])


@pytest.fixture(scope="module", autouse=True)
def runtime_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request, runtime_folder):
    """A kernel that lives on; every test leaves it without anything of ours."""
    kernel = UsersKernel(runtime_folder, python=request.param)
    yield kernel
    kernel.end()
    kernel.file.unlink()


@pytest.fixture(params=KERNELS)
def mortal(request, tmp_path):
    """A kernel that a test may kill."""
    kernel = UsersKernel(tmp_path, python=request.param)
    yield kernel
    kernel.end()


@pytest.fixture
def count(kernel):
    """The number that the next cell will have."""
    return kernel.value("len(In)")


def test_a_kernel_is_attached_to_by_its_file_its_id_its_beginning_or_as_the_only_one(kernel):
    for where in (str(kernel.file), kernel.id, kernel.id[:6], kernel.file.name, "only", None):
        with attach(where) as session:
            assert session.facts.pid == kernel.process.pid
            assert session.python_version == session.facts.python[:2]
            assert session.ask("names", {}).status == "ok"


STATE = """[
    sorted(__import__("sys").modules), list(vars(__import__("builtins"))), __import__("random").getstate(),
    [str(f) for f in __import__("warnings").filters], 
    sorted(name for name in __import__("linecache").cache if "ipykernel" not in name),
    sorted(name for name in vars(__import__("sys")) if name.startswith("last_")), list(Out), str((_, __, ___)),
    dict(__import__("os").environ), __import__("threading").active_count(), str(__builtins__.input),
    str([__import__("signal").getsignal(n) for n in range(1, 30)]), sorted(get_ipython().kernel.shell_handlers),
    sorted(get_ipython().kernel.control_handlers), list(get_ipython().kernel._recorded_ports),
    str(get_ipython().events.callbacks), str(get_ipython().kernel.comm_manager.comms),
]"""


def test_closing_leaves_the_kernel_as_it_was_but_for_its_last_result(kernel):
    kernel.value(STATE)  # Imports what the state is made of.
    before = kernel.value(f"[len(In), get_ipython().execution_count, list(globals()), {STATE}]")
    with attach(kernel.id) as session:
        session.ask("names", {})
        session.executed()
    assert kernel.value("get_ipython().last_execution_result.info.raw_cell") == ""
    assert nothing_is_left(kernel)
    after = kernel.value(f"[len(In), get_ipython().execution_count, list(globals()), {STATE}]")
    assert after[0] - before[0] == after[1] - before[1] > 0  # The cells that looked.
    assert [name for name in after[2] if name not in before[2] and not name.startswith("_i")] == []
    assert after[3] == before[3]


def test_attaching_calls_what_the_user_registered_for_every_execution_and_nothing_else(kernel):
    kernel.run(
        """
        fired, before = [], dict(get_ipython().events.callbacks)
        for event in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
            get_ipython().events.register(event, lambda *_, event=event: fired.append(event))
        """
    )
    with attach(kernel.id):
        pass
    with attach(kernel.id), attach(kernel.id):  # The second one finds what it needs.
        pass
    kernel.run("seen = fired[:]")
    kernel.run("for event, callbacks in get_ipython().events.callbacks.items(): del callbacks[-1:]")
    # Of the cell that registered; ours; of the cell that looks.
    assert kernel.value("seen") == ["post_execute", "post_run_cell"] + 2 * ["post_execute"] + [
        "pre_execute",
        "pre_run_cell",
    ]


def test_the_cells_that_ran_are_told(kernel, count):
    kernel.run("price = 3\nprint(price)")
    kernel.run("%time price")
    long = "\n".join(f"price = {number}" for number in range(1000))
    kernel.run(long)
    with attach(kernel.id) as session, kernel.running("import time\ntime.sleep(0.8)"):
        ran = session.executed()
    assert ran[count - 1 :] == (
        RanCell(count, "price = 3\nprint(price)"),
        RanCell(count + 1, "%time price"),
        RanCell(count + 2, long),
        RanCell(count + 3, "import time\ntime.sleep(0.8)"),
    )


@pytest.mark.parametrize(
    "code", ["import time; time.sleep(1)", "import time\nt = time.time() + 1\nwhile time.time() < t: pass"]
)
def test_questions_are_answered_while_a_cell_of_the_user_runs(kernel, code):
    with attach(kernel.id) as session, kernel.running(code) as ended:
        replies = [session.ask("names", {}) for _ in range(5)]
        assert all(reply.status == "ok" and reply.running for reply in replies)
        assert not ended
    assert ended[0].status == "ok"


@pytest.mark.parametrize("code", ["import time; time.sleep(1.5)", "import asyncio; await asyncio.sleep(1.5)"])
def test_a_kernel_that_runs_a_cell_is_busy_and_nothing_is_left_to_run_later(kernel, code):
    with kernel.running(code):
        started = time.monotonic()
        with pytest.raises(KernelBusy) as caught:
            attach(kernel.id, idle_limit_s=0.3)
        assert time.monotonic() - started < 1.4
    assert str(caught.value) == "the kernel is busy: its cell was still running after 0.3 s; try again once it ends"
    assert kernel.value("get_ipython().last_execution_result.info.raw_cell") == code
    assert nothing_is_left(kernel)


def test_a_cell_that_ends_within_the_limit_is_waited_for(kernel):
    with kernel.running("import time; time.sleep(0.8)") as ended, attach(kernel.id) as session:
        assert session.ask("names", {}).status == "ok"
    assert ended[0].status == "ok"


def test_a_kernel_that_turns_requests_away_after_a_failed_cell_is_tried_again(tmp_path):
    kernel = UsersKernel(tmp_path, "--Kernel.stop_on_error_timeout=0.5")
    try:
        kernel.run_and_stop_on_error("1 / 0")
        with attach(str(kernel.file)) as session:
            assert session.ask("names", {}).status == "ok"
    finally:
        kernel.end()


def test_a_second_tool_joins_while_a_cell_runs(kernel):
    with attach(kernel.id) as first, kernel.running("import time; time.sleep(1)") as ended:
        with attach(kernel.id, idle_limit_s=0.3) as second:
            assert second.facts.clients == 2
            assert second.ask("names", {}).status == "ok"
        assert first.ask("ping", {}).answer["clients"] == 1
        assert not ended
    assert nothing_is_left(kernel)


def test_closing_one_of_two_leaves_the_other(kernel):
    first, second = attach(kernel.id), attach(kernel.id)
    first.close()
    first.close()
    assert second.ask("names", {}).status == "ok"
    second.close()
    assert nothing_is_left(kernel)


def test_a_tool_of_another_version_is_not_disturbed(kernel):
    with attach(kernel.id) as session:
        kernel.channel.install(stand_in_sources())
        assert kernel.channel.ask("hello", {}).answer["word"] == "hello"
        assert session.ask("ping", {}).answer["clients"] == 1
    assert kernel.channel.ask("hello", {}).status == "ok"
    kernel.channel.detach()
    assert nothing_is_left(kernel)


CLIENT = """
import sys, time
from crane_agent.session.attached import attach

session = attach(sys.argv[1], lease_s=2.0)
print(session.ask("names", {}).status, flush=True)
time.sleep(60 if sys.argv[2] == "wait" else 0)
"""


def client(kernel, what):
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(kernel.file), what],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
    )


def test_what_a_killed_tool_installed_leaves_when_its_lease_ends(kernel):
    with client(kernel, "wait") as program:
        assert program.stdout.readline() == b"ok\n"
        handlers, ports, threads, timers = kernel.value(OURS)
        assert [len(handlers), len(ports), len(threads), len(timers)] == [1, 1, 1, 1]
        program.send_signal(signal.SIGKILL)
    assert nothing_is_left(kernel)


def test_a_session_that_is_never_closed_ends_with_the_program(kernel):
    with client(kernel, "end") as program:
        assert program.stdout.read() == b"ok\n"
    assert nothing_is_left(kernel)


def test_a_tool_that_was_forgotten_asks_on_as_if_nothing_had_happened(kernel):
    with attach(kernel.id, lease_s=0.3) as session:
        assert nothing_is_left(kernel)
        assert session.ask("names", {}).status == "ok"
        assert session.facts.pid == session.ask("ping", {}).answer["pid"]
    assert nothing_is_left(kernel)


def test_a_lease_is_renewed_by_asking_and_outlives_that_of_others(kernel):
    with attach(kernel.id, lease_s=0.6) as short, attach(kernel.id, lease_s=100) as long:
        for _ in range(4):
            time.sleep(0.25)
            assert short.ask("ping", {}).answer["clients"] == 2
        assert wait_for(lambda: long.ask("ping", {}).answer["clients"] == 1, limit_s=10)
    assert nothing_is_left(kernel)


def test_a_forgotten_tool_finds_a_kernel_busy_by_the_deadline(kernel):
    with attach(kernel.id, lease_s=0.3) as session:
        with kernel.running("import time; time.sleep(3.5)"):
            time.sleep(0.3)
            with pytest.raises(KernelBusy, match="its cell was still running"):
                session.ask("names", {}, limits=Limits(seconds=0.2))
        assert session.ask("names", {}).status == "ok"


def test_a_kernel_held_by_c_code_is_busy_and_not_dead(kernel):
    with attach(kernel.id) as session, kernel.running("import ctypes; ctypes.PyDLL(None).sleep(5)") as ended:
        with pytest.raises(KernelBusy, match="did not answer within"):
            session.ask("names", {}, limits=Limits(seconds=1.2))
        assert not ended


def test_a_restarted_kernel_is_said_to_have_lost_its_state(mortal):
    with attach(str(mortal.file)) as session:
        mortal.restart()
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(KernelRestarted) as caught:
                session.ask("names", {})
        assert time.monotonic() - started < 8
        assert str(caught.value) == "the kernel was restarted, so its state is gone: attach again"
        with attach(str(mortal.file)) as again:
            assert again.ask("names", {}).answer["names"] == {}
            # The new kernel knows our questions now, and is still not the one that we attached to.
            with pytest.raises(KernelRestarted):
                session.ask("names", {})
    assert nothing_is_left(mortal)


def test_a_dead_kernel_is_dead_by_the_deadline_and_cannot_be_attached_to(mortal):
    with attach(str(mortal.file)) as session:
        mortal.kill()
        started = time.monotonic()
        with pytest.raises(KernelDied):
            session.ask("names", {})
        assert time.monotonic() - started < 8
        with pytest.raises(NoKernel) as caught:
            attach(str(mortal.file))
    assert str(caught.value) == f"no kernel answers at {mortal.file}"


@pytest.mark.skipif(KERNEL_5_PYTHON is None, reason="CRANE_KERNEL_5_PYTHON names no interpreter with ipykernel 5")
def test_a_kernel_without_a_control_thread_is_refused(tmp_path):
    kernel = UsersKernel(tmp_path, python=KERNEL_5_PYTHON)
    try:
        with pytest.raises(NoKernel) as caught:
            attach(str(kernel.file))
        assert "has no control thread to answer while a cell runs" in str(caught.value)
        assert kernel.value("[name for name in get_ipython().kernel.control_handlers if 'crane' in name]") == []
        with kernel.running("import time; time.sleep(1)"), pytest.raises(KernelBusy):
            attach(str(kernel.file), idle_limit_s=0.3)
    finally:
        kernel.end()
    with pytest.raises(NoKernel, match="has no control thread"):
        launch(python=KERNEL_5_PYTHON)


def test_the_privacy_level_is_that_of_the_session(kernel):
    with attach(kernel.id, privacy="names") as session:
        assert session.ask("names", {}).withheld == ("count",)
        assert session.executed()
    with attach(kernel.id, privacy="schema") as session:
        assert session.ask("names", {}).withheld == ()


def test_every_message_of_the_kernel_is_shown_to_the_audit(kernel):
    seen = []
    with attach(kernel.id, audit=lambda source, message: seen.append((source, message))) as session:
        session.ask("names", {})
    types = [json.loads(message.split(b"\n")[2])["msg_type"] for _, message in seen]
    assert types[0] == "connect_reply"  # Of the search for the kernel.
    assert types.count("execute_reply") == 1
    assert types.count("crane_agent_reply") == 3
    assert {source for source, _ in seen} == {"kernel control", "kernel shell"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"shell_port": 1}', "no json"])
def test_what_is_no_connection_file_is_an_error(tmp_path, text):
    file = tmp_path / "kernel-1.json"
    file.write_text(text)
    with pytest.raises(NoKernel) as caught:
        attach(str(file))
    assert str(caught.value) == f"{file} is no connection file of a kernel"


def test_a_kernel_of_another_language_is_an_error_and_gets_no_message(tmp_path, monkeypatch):
    place = tmp_path / "kernels" / "ir"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps({"argv": ["R"], "display_name": "R", "language": "R"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    file = tmp_path / "kernel-1.json"
    ports = {f"{channel}_port": 1 for channel in ("shell", "control", "hb", "iopub", "stdin")}
    file.write_text(json.dumps({**ports, "ip": "127.0.0.1", "key": "k", "transport": "tcp", "kernel_name": "ir"}))
    with pytest.raises(NotAPythonKernel) as caught:
        attach(str(file))
    assert str(caught.value) == "the kernel 'ir' runs R; only Python can be checked"


def test_it_is_brought_to_no_other_state(kernel):
    with attach(kernel.id) as session:
        reply = session.rehearse("x = 1", seconds=1, patched=PatchedCell(0, "x = 2")).reply
    assert reply.status == "refused"
    assert reply.reason == "could not rehearse, because only a kernel that we started can be brought to another state"
