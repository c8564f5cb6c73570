"""The shadow kernel against real kernels: what it says, and that it leaves nothing and reaches nobody."""

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from kernels import OLD_KERNEL_PYTHON, code_cells, is_running, wait_for

from crane_agent.notebook.cells import Notebook
from crane_agent.notebook.history import target_of
from crane_agent.session.fence_proof import proof_of
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import PatchedCell, Rehearsal
from crane_agent.session.shadow import NEEDED, REPLAY_FAILED, rehearse_in_shadow

SECONDS = 5.0

ZOO_PYTHON = os.environ.get("CRANE_ZOO_PYTHON", sys.executable)
"""An interpreter for the tests that need more libraries."""

LAYERS = proof_of(sys.executable).layers

pytestmark = pytest.mark.skipif(not set(NEEDED) <= set(LAYERS), reason="the fence does not hold here")

SETUP = (
    "import os\nos.mkdir('made')\nopen('data.csv', 'a').write('3,4\\n')",
    "import subprocess, sys, time\nsettings = {'depth': 3}",
    "def of(key):\n    return settings[key]",
)


@pytest.fixture
def temporary(monkeypatch):
    """Temporary files go to a folder of their own, with the short path that sockets need; every test leaves it empty."""
    with TemporaryDirectory(prefix="crane-test-") as name:
        monkeypatch.setattr("tempfile.tempdir", name)
        yield Path(name)
        assert os.listdir(name) == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "data.csv").write_text("a,b\n1,2\n")
    return folder


@pytest.fixture(scope="module")
def session(folder):
    with launch(code_cells(*SETUP), folder=folder, privacy="values") as session:
        yield session


def shadow(session: LaunchedSession, source: str, *, seconds: float = SECONDS) -> Rehearsal:
    assert session.origin is not None
    return rehearse_in_shadow(session.origin, LAYERS, textwrap.dedent(source).strip(), seconds=seconds)


def report(rehearsal: Rehearsal) -> dict[str, object]:
    assert rehearsal.reply.status == "ok", rehearsal.reply.reason
    return dict(rehearsal.reply.answer)


def processes_named(word: str) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdecimal() and word.encode() in (each / "cmdline").read_bytes():
                found.append(int(each.name))
    return [pid for pid in found if is_running(pid)]


def test_a_crash_is_told_with_type_line_and_the_users_own_frames(session):
    rehearsal = shadow(session, "settings\nof('width')")
    assert rehearsal.way == "shadow"
    assert rehearsal.replay_ms > 0
    assert not rehearsal.reply.running
    found = report(rehearsal)
    assert (found["outcome"], found["denied"], found["changed"], found["files"]) == ("crash", [], [], "private")
    assert found["exception"] == {
        "type": "KeyError",
        "message": "'width'",
        "line": 2,
        "library": "python",
        "frames": [
            {"cell": None, "file": "", "line": 2, "function": "<module>", "text": "of('width')"},
            {"cell": 3, "file": "", "line": 2, "function": "of", "text": "return settings[key]"},
        ],
    }


def test_processes_threads_pipes_and_connections_to_itself_work_and_nothing_of_it_is_left(session, temporary):
    found = report(
        shadow(
            session,
            """
            import multiprocessing, socket, threading
            with multiprocessing.Pool(2) as pool:
                assert pool.map(abs, [-1, 2]) == [1, 2]
            threads = [threading.Thread(target=time.sleep, args=(1000,), daemon=True) for _ in range(3)]
            for thread in threads:
                thread.start()
            listening = socket.create_server(("127.0.0.1", 0))
            socket.create_connection(listening.getsockname())
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987654)"], start_new_session=True)
            listed = !ls made data.csv
            assert listed == ["data.csv", "", "made:"], listed
            os.killpg(os.getpgid(0), 0)
            undefined
            """,
        )
    )
    assert (found["outcome"], found["denied"]) == ("crash", [])
    assert found["exception"]["type"] == "NameError"
    assert processes_named("987654") == []


def test_the_folder_and_the_sessions_kernel_are_as_they_were(session, folder):
    scratch = Path(os.readlink(f"/proc/{session.facts.pid}/cwd"))
    before = {path.name: path.read_bytes() for path in (scratch / "data.csv", folder / "data.csv")}
    found = report(
        shadow(
            session,
            f"""
            settings.clear()
            open("data.csv", "w").write("gone")
            open({str(scratch / "data.csv")!r}, "w").write("gone")
            os.rmdir("made")
            os.chmod({str(folder)!r}, 0o700)
            open({str(folder / "new.txt")!r}, "w").write("new")
            1 / (len(os.listdir()) - 2)
            """,
        )
    )
    assert found["exception"]["type"] == "ZeroDivisionError"
    assert {path.name: path.read_bytes() for path in (scratch / "data.csv", folder / "data.csv")} == before
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv"]
    assert sorted(path.name for path in scratch.iterdir()) == ["data.csv", "made"]
    assert session.run("assert of('depth') == 3", limit_s=30).status == "ok"


def test_nobody_outside_is_reached(session, tmp_path):
    server = socket.create_server(("127.0.0.1", 0))
    local = socket.socket(socket.AF_UNIX)
    local.bind(str(tmp_path / "socket"))
    local.listen()
    shared = Path("/dev/shm") / f"crane-test-{os.getpid()}"
    shared.write_bytes(b"before")
    try:
        found = report(
            shadow(
                session,
                f"""
                import socket
                reached = []
                def attempt(name, act, *arguments):
                    try:
                        act(*arguments)
                        reached.append(name)
                    except OSError:
                        pass
                attempt("server", socket.create_connection, {server.getsockname()!r})
                attempt("socket", socket.socket(socket.AF_UNIX).connect, {str(tmp_path / "socket")!r})
                attempt("signal", os.kill, {os.getpid()}, 9)
                attempt("kernel", os.kill, {session.facts.pid}, 9)
                attempt("memory", open, "/proc/{os.getpid()}/mem", "rb")
                attempt("first", os.kill, 1, 0)
                attempt("memory of the first", open, "/proc/1/mem", "rb")
                open({str(shared)!r}, "r+b").write(b"after!")
                assert not reached, reached
                """,
            )
        )
        assert (found["outcome"], found["exception"]) == ("finished", None)
        assert shared.read_bytes() == b"before"
    finally:
        shared.unlink()
        server.close()
        local.close()


@pytest.mark.parametrize(
    "source",
    [
        "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.com')\nexcept OSError:\n    pass",
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\nexcept OSError:\n    pass",
        "import socket\ntry:\n    socket.create_connection(('2001:db8::1', 80), timeout=1)\nexcept OSError:\n    pass",
        "import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\ntry:\n    s.sendto(b'x', ('192.0.2.1', 9))\n"
        "except OSError:\n    pass",
    ],
)
def test_the_network_is_denied_and_known_even_if_the_cell_swallows_it(session, source):
    found = report(shadow(session, source))
    assert found["outcome"] == "unknown"
    assert found["denied"] == ["opened a network connection"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("input('name: ')", "it asked for input, which the fence denies"),
        ("os.kill(os.getpid(), 11)", "it died of SIGSEGV"),
        ("os._exit(3)", "it ended its own process"),
        ("x = bytearray(50 * 10**12)", "it ran out of memory or another resource, which the fence limits"),
        ("open('/dev/kmsg', 'w')", "it opened a device, which the fence denies"),
    ],
)
def test_what_cannot_be_decided_is_unknown(session, source, why):
    found = report(shadow(session, source))
    assert (found["outcome"], found["why"]) == ("unknown", why)


def test_a_cell_that_runs_too_long_is_ended_and_its_place_is_told(session):
    found = report(shadow(session, "for i in range(1000):\n    time.sleep(0.1)", seconds=1.5))
    assert (found["outcome"], found["why"]) == ("unknown", "it was still running after 1.5 s")
    assert found["line"] == 2
    assert found["loop"].startswith("i = 1")


def test_a_cell_that_raises_only_when_it_runs_again_gives_no_answer(tmp_path, temporary):
    (tmp_path / "work").mkdir()
    with launch(code_cells("import os\nos.mkdir('made')"), folder=tmp_path / "work", in_place=True) as session:
        reply = shadow(session, "1 / 0").reply
    assert reply.status == "refused"
    assert reply.reason == (
        "could not rehearse in a second kernel, because the executed cell 1 raised FileExistsError there, "
        "and not the first time"
    )


def test_cells_that_raised_and_cells_run_later_are_replayed_too(temporary):
    with launch(code_cells("x = 1\n1 / 0", failed=(0,))) as session:
        session.run("x = x + 1", limit_s=30)
        found = report(shadow(session, "[][x]"))
    assert found["exception"]["type"] == "IndexError"


def test_a_replay_that_met_the_fence_is_named_as_a_change(temporary):
    cells = code_cells(
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), timeout=0.2)\nexcept OSError:\n    pass"
    )
    with launch(cells) as session:
        found = report(shadow(session, "1 / 0"))
    assert found["outcome"] == "crash"
    assert found["denied"] == []
    assert found["changed"] == ["the replay opened a network connection, which the fence denied"]


def test_a_layer_that_does_not_hold_is_the_reason_why_there_is_none(session):
    rehearsal = rehearse_in_shadow(session.origin, ("fork", "landlock", "seccomp"), "1", seconds=1)
    assert rehearsal.reply.reason == "could not rehearse in a second kernel, because the fence lacks: overlay"


def test_sockets_whose_path_is_too_long_are_the_reason_why_there_is_none(session, tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert "because the path of its sockets is too long: " in shadow(session, "1").reply.reason
    assert list(folder.iterdir()) == []


def test_it_is_chosen_where_a_fork_cannot_serve_and_only_there(session):
    assert session.rehearse("of('width')", seconds=SECONDS).way == "fork"
    assert session.rehearse("input()", seconds=SECONDS).way == "fork"
    rehearsal = session.rehearse("subprocess.run(['false'], check=True)", seconds=SECONDS)
    assert rehearsal.way == "shadow"
    assert report(rehearsal)["exception"]["type"] == "CalledProcessError"
    with launch(
        code_cells(
            "import threading, time",
            "thread = threading.Thread(target=time.sleep, args=(600,))\nthread.daemon = True\nthread.start()",
        )
    ) as other:
        rehearsal = other.rehearse("thread.nothing", seconds=SECONDS)
    assert rehearsal.way == "shadow"
    assert report(rehearsal)["exception"]["type"] == "AttributeError"


RUN = """
import sys
from crane_agent.session.launched import exit_on_sigterm, launch
from crane_agent.session.shadow import rehearse_in_shadow
with exit_on_sigterm(), launch() as session:
    print("ready", flush=True)
    source = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep({number})'])"
    rehearse_in_shadow(session.origin, {layers!r}, source, seconds=100)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_program_that_started_it(number, request):
    places = TemporaryDirectory(prefix="crane-test-")
    request.addfinalizer(places.cleanup)
    folder = Path(places.name)
    mark = str(10**6 + os.getpid() * 100 + int(number))
    environment = {**os.environ, "TMPDIR": str(folder)}
    source = RUN.format(number=mark, layers=LAYERS)
    program = subprocess.Popen(
        [sys.executable, "-c", source], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert wait_for(lambda: len(processes_named(f"time.sleep({mark})")) >= 2, limit_s=60)
        time.sleep(0.3)
        program.send_signal(number)
        program.wait(20)
        assert wait_for(lambda: processes_named(f"time.sleep({mark})") == [])
        assert wait_for(lambda: processes_named(str(folder)) == [])
        if number != signal.SIGKILL:
            assert list(folder.iterdir()) == []
    finally:
        program.kill()
        program.communicate()


@pytest.mark.skipif(OLD_KERNEL_PYTHON is None, reason="CRANE_OLD_KERNEL_PYTHON names no interpreter")
def test_a_kernel_of_the_last_generation_is_shadowed_too(temporary):
    with launch(code_cells(*SETUP[1:]), python=OLD_KERNEL_PYTHON) as session:
        found = report(shadow(session, "subprocess.run(['true'], check=True)\nof('width')"))
    assert (found["outcome"], found["exception"]["line"]) == ("crash", 2)


KERAS = (
    "import numpy as np\nimport keras",
    "x, y = np.ones((64, 3)), np.ones(64)\n"
    "model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])\n"
    "model.compile('sgd', 'mse')",
    "model.fit(x, y, verbose=0)",
)


def test_a_training_that_a_fork_cannot_do_is_done_and_ended_in_time():
    if not _has_keras():
        pytest.skip("CRANE_ZOO_PYTHON names no interpreter with Keras")
    with launch(code_cells(*KERAS), python=ZOO_PYTHON) as session:
        first = session.rehearse("model.fit(x, y[:3], verbose=0)\n", seconds=SECONDS)
        target = "history = model.fit(x, y, epochs=10**7, verbose=0).history\nhistory['accuracy']"
        shortened = report(shadow(session, target, seconds=3))
    assert report(first)["exception"]["type"] == "ValueError"
    assert (shortened["outcome"], shortened["exception"]["line"]) == ("crash", 2)
    assert shortened["changed"] == ["a training was ended before its last step"]


def _has_keras() -> bool:
    return subprocess.run([ZOO_PYTHON, "-c", "import keras"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_what_failed_and_what_is_bound_is_described(session):
    found = report(shadow(session, "x = 1\nof('width' if x else '')"))
    assert (found["scene"]["cell"], found["scene"]["text"], found["bound"]) == (3, "settings[key]", None)
    assert [part["type"] for part in found["scene"]["parts"]] == ["dict", "str"]
    found = report(shadow(session, "x = [1, 2]"))
    assert (found["scene"], found["bound"]) == (None, {"x": {"type": "list", "length": 2}})


@pytest.mark.parametrize(
    "act", ["time.sleep(99)", "os._exit(0)", "socket.create_connection(('192.0.2.1', 9))", "input()", "sys.exit()"]
)
def test_what_describing_does_changes_nothing_of_the_report(session, act):
    source = f"""
        import socket
        class Trap:
            @property
            def shape(self):
                {act}
        trap = Trap()
    """
    crash, finish = report(shadow(session, source + "    trap + 1")), report(shadow(session, source))
    assert (crash["outcome"], crash["denied"], crash["exception"]["type"]) == ("crash", [], "TypeError")
    assert (finish["outcome"], finish["denied"], finish["why"]) == ("finished", [], "")


# --- an executed cell patched --------------------------------------------------------------------------------

EARLIER = (
    "table = {'a': [1, 2]}",
    "  ",
    "import socket\ncolumn = table['a']\nsize = len(column)",
    "column + 1",
)


@pytest.fixture(scope="module")
def earlier():
    with launch(code_cells(*EARLIER, failed=(3,)), privacy="values") as session:
        yield session


def with_patch(session: LaunchedSession, place: int, source: str, target: str) -> Rehearsal:
    return session.rehearse(target, seconds=SECONDS, patched=PatchedCell(place, source))


def test_with_an_executed_cell_patched_the_others_run_again_and_then_the_target(earlier):
    source = "table = {'a': [1, 2, 3]}\ntable['b'] = table.pop('a')\ntable.setdefault('a', [])"
    rehearsal = with_patch(earlier, 0, source, "both = table['b'] + column")
    found = report(rehearsal)
    assert (rehearsal.way, rehearsal.fork, found["outcome"], found["changed"]) == ("shadow", None, "finished", [])
    assert found["bound"] == {"both": {"type": "list", "length": 3}, "table": {"type": "dict", "length": 2}}
    assert report(earlier.rehearse("assert table == {'a': [1, 2]}", seconds=SECONDS))["outcome"] == "finished"


def test_a_target_that_still_crashes_is_told_as_ever(earlier):
    found = report(with_patch(earlier, 0, "table = {'a': [1]}", "x = 1\ncolumn[1]"))
    assert (found["outcome"], found["why"]) == ("crash", "")
    assert (found["exception"]["type"], found["exception"]["line"]) == ("IndexError", 2)
    assert found["scene"]["text"] == "column[1]"


@pytest.mark.parametrize(
    ("place", "source", "raised"),
    [
        (0, "table = {}", "3 raised KeyError: 'a' on line 2"),
        (0, "table = {'a': 1}", "3 raised TypeError: object of type 'int' has no len() on line 3"),
        (2, "column = table['a']\nraise Exception('password=hunter2hunter2')", "3 raised Exception: password="),
        (2, "column =", "3 raised SyntaxError: invalid syntax"),
    ],
)
def test_a_patch_that_breaks_an_executed_cell_is_told_from_one_that_could_not_be_tried(earlier, place, source, raised):
    found = report(with_patch(earlier, place, source, "x = 1"))
    assert (found["outcome"], found["exception"], found["line"]) == ("unknown", None, None)
    assert found["why"].startswith(f"{REPLAY_FAILED} {raised}")
    assert "hunter2" not in found["why"]


@pytest.mark.parametrize("privacy", ["names", "schema"])
def test_the_message_of_what_a_patch_breaks_is_a_value(privacy):
    with launch(code_cells(*EARLIER[:3]), privacy=privacy) as session:
        found = report(with_patch(session, 0, "table = {}", "x = 1"))
    assert found["why"] == f"{REPLAY_FAILED} 3 raised KeyError on line 2"


@pytest.mark.parametrize(
    ("place", "source", "why"),
    [
        (4, "", "there is no executed cell 5"),
        (-1, "", "there is no executed cell 0"),
        (2, "import os\nos._exit(1)", "it died while the executed cell 3 ran again"),
        (
            0,
            "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=0.2)",
            "the executed cell 1 raised OSError there, and not the first time",
        ),
    ],
)
def test_a_patch_with_which_the_replay_cannot_be_made_is_refused(temporary, place, source, why):
    with launch(code_cells(*EARLIER, failed=(3,))) as session:
        reply = with_patch(session, place, source, "x = 1").reply
    assert (reply.status, reply.reason) == ("refused", f"could not rehearse in a second kernel, because {why}")


def test_a_cell_before_the_patched_one_that_raises_only_now_is_no_fault_of_the_patch(tmp_path):
    (tmp_path / "work").mkdir()
    cells = code_cells("import os\nos.mkdir('made')", "x = 1")
    with launch(cells, folder=tmp_path / "work", in_place=True) as session:
        reply = with_patch(session, 1, "x = 2", "y = x").reply
    assert reply.status == "refused"
    assert reply.reason.endswith("the executed cell 1 raised FileExistsError there, and not the first time")


def test_a_cell_that_raised_may_be_the_patched_one(earlier):
    found = report(with_patch(earlier, 3, "longer = column + [1]", "assert len(longer) == 3"))
    assert (found["outcome"], found["bound"]) == ("finished", {"longer": {"type": "list", "length": 3}})
    found = report(with_patch(earlier, 3, "longer = column + [1]\nraise ValueError", "assert len(longer) == 3"))
    assert found["outcome"] == "finished"


def test_a_cell_run_later_is_run_again_with_the_patch(temporary):
    with launch(code_cells("table = {'a': 1}")) as session:
        session.run("a = table['a']", limit_s=30)
        assert report(with_patch(session, 0, "table = {'a': 2}", "assert a == 2"))["outcome"] == "finished"
        assert report(with_patch(session, 1, "a = 3", "assert a == 3"))["outcome"] == "finished"


def test_after_a_cell_that_is_still_running_nothing_is_replayed(temporary):
    with launch(code_cells("import time")) as session:
        assert session.run("time.sleep(2)", limit_s=0.2).status == "timeout"
        reply = with_patch(session, 1, "x = 1", "x").reply
    assert reply.reason.endswith("because the executed cell 2 did not come to its end")


def test_the_place_of_a_cell_is_that_among_the_executed_cells_of_the_target(temporary):
    # In another order than in the notebook, with a blank cell, one that raised, and one that has not run.
    sources = ("3 + words", "never = 1", "words = ['one']", "", "size = len(words)", "size")
    counts = (4, None, 1, 2, 3, None)
    cells = tuple(
        dataclasses.replace(cell, execution_count=count, failed_when_saved=cell.index == 0)
        for cell, count in zip(code_cells(*sources), counts, strict=True)
    )
    target = target_of(Notebook(None, cells, None, "python"), "5")
    place = next(place for place, cell in enumerate(target.executed) if cell.index == 2)
    with launch(target.executed) as session:
        assert session.origin is not None
        assert [cell.source for cell in session.origin.done] == [cell.source for cell in target.executed]
        found = report(with_patch(session, place, "words = ['one', 'two']", "assert size == 2"))
        last = report(with_patch(session, 2, "size = 7", "assert size == 7"))
    assert (found["outcome"], last["outcome"]) == ("finished", "finished")


def test_what_a_patched_cell_binds_and_changes_is_told_as_it_is_after_the_target(earlier):
    source = """%%time
table = {'a': [1, 2]}
other = {}
other['x'] = 1
gone = 1
"""
    target = "del gone\ntable.clear()\nresult = other"
    assert report(with_patch(earlier, 0, source, target))["bound"] == {
        "other": {"type": "dict", "length": 1},
        "result": {"type": "dict", "length": 1},
        "table": {"type": "dict", "length": 0},
    }
