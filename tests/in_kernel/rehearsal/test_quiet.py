"""A kernel that cannot be forked safely is not forked, says why, and can be once that is over."""

import os
import threading
import time

import pytest
from kernels import children_of

from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits

LAYERS = ["fork", "overlay", "landlock", "seccomp"]

UNFIT = {
    "a thread of the user's": (
        "import threading\nstop = threading.Event()\nthread = threading.Thread(target=stop.wait, name='mine')\nthread.start()",
        "stop.set()\nthread.join()",
        "its thread 'mine' is running",
    ),
    "a thread past threading": (
        "import _thread, threading\nstop = threading.Event()\n_thread.start_new_thread(stop.wait, ())",
        "stop.set()\nimport time\ntime.sleep(0.1)",
        "a thread of its own is running",
    ),
    "a pool of the user's": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()",
        "pool.shutdown()",
        "its thread 'ThreadPoolExecutor",
    ),
    "a task of the event loop": (
        "import asyncio\ntask = asyncio.create_task(asyncio.sleep(99))",
        "task.cancel()\nawait asyncio.sleep(0)",
        "a task of its event loop is running",
    ),
    "a handler of SIGCHLD": (
        "import signal\nsignal.signal(signal.SIGCHLD, lambda *_: None)",
        "signal.signal(signal.SIGCHLD, signal.SIG_DFL)",
        "SIGCHLD",
    ),
}


@pytest.fixture(scope="module")
def session():
    with launch() as session:
        yield session


def rehearse(session, source="x = 1", layers=LAYERS, seconds=2.0):
    arguments = {"source": source, "seconds": seconds, "layers": list(layers)}
    return session.ask("rehearse", arguments, limits=Limits(seconds + 20, 50, 65_536))


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_kernel_is_not_forked(session, name):
    begin, end, reason = UNFIT[name]
    assert session.run(begin, limit_s=20).status == "ok"
    reply = rehearse(session)
    assert session.run(end, limit_s=20).status == "ok"
    assert reply.status == "refused"
    assert reply.reason.startswith("could not rehearse, because")
    assert reason in reply.reason
    assert rehearse(session).status == "ok"


@pytest.mark.parametrize("missing", ["fork", "landlock", "seccomp"])
def test_without_a_layer_nothing_is_rehearsed(session, missing):
    reply = rehearse(session, layers=[layer for layer in LAYERS if layer != missing])
    assert reply.status == "refused"
    assert missing in reply.reason


def test_the_fork_waits_for_the_end_of_a_running_cell(session):
    cell = threading.Thread(
        target=session.run, args=("import time\ntime.sleep(1.5)\nlate = 1",), kwargs={"limit_s": 20}
    )
    cell.start()
    time.sleep(0.3)
    reply = rehearse(session, "late + 'x'")
    cell.join()
    assert reply.answer["exception"]["type"] == "TypeError"


def test_a_kernel_that_goes_on_running_a_cell_is_not_forked(session):
    cell = threading.Thread(target=session.run, args=("import time\ntime.sleep(10)",), kwargs={"limit_s": 20})
    cell.start()
    time.sleep(0.3)
    reply = rehearse(session)
    cell.join()
    assert reply.status == "refused"
    assert "busy" in reply.reason
    # What was asked for in vain is not done later.
    assert session.run("import os\nos.listdir(f'/proc/{os.getpid()}/task')", limit_s=10).status == "ok"
    assert children_of(session.facts.pid) == set()


def test_the_saver_of_the_history_goes_on_after_a_fork(tmp_path):
    with launch(env={"IPYTHONDIR": str(tmp_path)}) as session:
        start = (
            "manager = get_ipython().history_manager\n"
            "from IPython.core.history import HistorySavingThread\n"
            "if manager.save_thread is None:\n"
            "    manager.save_thread = HistorySavingThread(manager)\n"
            "    manager.save_thread.start()\n"
            "assert manager.save_thread.is_alive()"
        )
        assert session.run(start, limit_s=10).status == "ok"
        assert rehearse(session).status == "ok"
        alive = session.run("assert manager.save_thread.is_alive(), 'the saver has ended'", limit_s=10)
        assert alive.status == "ok", alive.evalue


def test_what_the_rehearsed_cell_raises_at_the_strictest_level_is_a_type_and_a_line(session):
    reply = rehearse(session, "secret = 'pw'\nraise ValueError(secret * 2)")
    exception = reply.answer["exception"]
    assert (exception["type"], exception["line"], exception["message"]) == ("ValueError", 2, "")
    assert reply.proof == {"rehearsal": {"message": "pwpw"}}


def test_a_message_that_the_cell_itself_holds_is_no_secret(session):
    reply = rehearse(session, "{}['depth']")
    assert reply.answer["exception"]["message"] == "'depth'"
    assert reply.proof == {}


def test_how_far_a_loop_got_is_said(session):
    reply = rehearse(session, "import time\nfor number in range(10_000):\n    time.sleep(0.01)", seconds=0.5)
    assert reply.answer["line"] == 3
    assert reply.answer["loop"].startswith("number = ")


def test_how_far_a_progress_bar_got_is_said(session):
    pytest.importorskip("tqdm")
    source = "import time\nfrom tqdm import tqdm\nfor _ in tqdm(range(9999)):\n    time.sleep(0.01)"
    reply = rehearse(session, source, seconds=0.7)
    assert reply.answer["line"] == 4
    assert reply.answer["loop"].endswith("of 9999 (tqdm)")


def test_the_users_own_frames_are_named(session):
    assert session.run("def inner(x):\n    y = x\n    return y / 0", limit_s=10).status == "ok"
    reply = rehearse(session, "z = 1\ninner(z)")
    frames = reply.answer["exception"]["frames"]
    assert [(each["function"], each["line"], each["text"]) for each in frames] == [
        ("<module>", 2, "inner(z)"),
        ("inner", 3, "return y / 0"),
    ]
    assert frames[0]["cell"] is None
    assert isinstance(frames[1]["cell"], int)


@pytest.mark.parametrize(
    ("source", "words"),
    [("import os\nopen(f'/tmp/{os.getpid()}')", "process id"), ("def f(): f()\nf()", "deeper")],
    ids=["asks for its process", "recurses"],
)
def test_what_a_copy_may_answer_otherwise_is_said(session, source, words):
    answer = rehearse(session, source).answer
    assert answer["outcome"] == "crash"
    assert words in "".join(answer["changed"])


def test_a_handler_of_the_users_handles_its_signal(session):
    code = "import signal\ndef late(*_): raise TimeoutError('late')\nsignal.signal(signal.SIGALRM, late)"
    assert session.run(code, limit_s=10).status == "ok"
    reply = rehearse(session, "import time\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\ntime.sleep(5)")
    assert session.run("signal.signal(signal.SIGALRM, signal.SIG_DFL)", limit_s=10).status == "ok"
    assert reply.answer["exception"]["type"] == "TimeoutError"
    assert reply.answer["outcome"] == "unknown"  # An error of this class may be of a connection that is not there.


def test_a_kernel_whose_process_forks_by_itself_is_rehearsed_all_the_same(session):
    code = "import os\nchild = os.fork()\nif child == 0:\n    os._exit(0)\nos.waitpid(child, 0)"
    assert session.run(code, limit_s=20).status == "ok"
    assert rehearse(session, "1 / 0").answer["outcome"] == "crash"


def test_nothing_is_left_open(session):
    def open_files():
        return len(os.listdir(f"/proc/{session.facts.pid}/fd"))

    rehearse(session)
    before = open_files()
    for source in ("x = 1", "1 / 0", "while True: pass", "import os\nos._exit(1)"):
        rehearse(session, source, seconds=0.3)
    assert open_files() == before
