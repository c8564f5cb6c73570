import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from kernels import code_cells, is_running, wait_for

from crane_agent.errors import (
    CellFailed,
    CellTimeout,
    KernelDied,
    NoKernel,
    NotAPythonKernel,
    NotebookError,
)
from crane_agent.notebook.cells import Notebook
from crane_agent.session import launched
from crane_agent.session.launched import exit_on_sigterm, launch


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Temporary files go to a folder of their own, which every test leaves empty."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield tmp_path
    assert list(temporary.iterdir()) == []


@pytest.fixture
def folder(places):
    folder = places / "work"
    folder.mkdir()
    (folder / "data.csv").write_text("a,b\n1,2\n")
    return folder


def notebook_in(folder, **options):
    return Notebook(folder / "n.ipynb", (), options.get("kernelspec"), options.get("language", "python"))


def value(session, expression):
    """Return the value of an expression in the kernel, by way of a file beside the test's own."""
    path = Path(os.environ["CRANE_TEST_FOLDER"]) / f"{time.monotonic_ns()}.json"
    reply = session.run(f"import json; open({str(path)!r}, 'w').write(json.dumps({expression}))", limit_s=30)
    assert reply.status == "ok", reply.traceback
    return json.loads(path.read_text())


@pytest.fixture(autouse=True)
def _exchange(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("CRANE_TEST_FOLDER", str(tmp_path_factory.mktemp("exchange")))


def test_a_session_without_a_notebook_runs_cells_and_ends_its_kernel(places):
    with launch(env={"CRANE_COLOUR": "blue"}) as session:
        assert session.run("x = 6 * 7", limit_s=30).status == "ok"
        assert value(session, "x") == 42
        assert value(session, "__import__('os').environ['CRANE_COLOUR']") == "blue"
        assert value(session, "__import__('os').listdir()") == []
        assert session.python_version == sys.version_info[:2]
        pid = session.facts.pid
        assert is_running(pid)
    assert not is_running(pid)
    session.close()


def test_the_executed_cells_are_replayed_in_order_with_their_magics(places):
    told = []
    cells = code_cells("x = [1]", "%%capture text\nprint('hello')\nx.append(2)", "x.append(3)")
    with launch(cells, on_cell=lambda place, count, cell: told.append((place, count, cell.index))) as session:
        assert value(session, "[x, text.stdout]") == [[1, 2, 3], "hello\n"]
        assert session.facts.execution_count == 4
    assert told == [(1, 3, 0), (2, 3, 1), (3, 3, 2)]


def test_the_replay_is_not_written_to_the_history_of_the_user(places):
    with launch(code_cells("x = 1")) as session:
        assert value(session, "get_ipython().history_manager.hist_file") == ":memory:"


def test_cells_read_the_files_beside_the_notebook_and_write_to_a_copy(folder):
    (folder / "local_module.py").write_text("NAME = 'mine'")
    cells = code_cells(
        "import local_module\ntext = open('data.csv').read()",
        "open('data.csv', 'w').write('gone')\nopen('new.txt', 'w').write('new')",
    )
    with launch(cells, notebook=notebook_in(folder)) as session:
        assert value(session, "[text, local_module.NAME, open('data.csv').read()]") == ["a,b\n1,2\n", "mine", "gone"]
    assert (folder / "data.csv").read_text() == "a,b\n1,2\n"
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv", "local_module.py"]


def test_in_place_cells_write_to_the_folder_itself(folder):
    with launch(code_cells("open('new.txt', 'w').write('new')"), folder=folder, in_place=True) as session:
        assert value(session, "__import__('os').getcwd()") == str(folder)
    assert (folder / "new.txt").read_text() == "new"


def test_a_folder_too_large_to_copy_is_an_error_that_names_the_way_out(folder):
    (folder / "big.bin").write_bytes(bytes(300_000))
    with pytest.raises(NotebookError, match="--in-place"):
        launch(folder=folder, copy_limit_bytes=200_000)


def test_a_failing_cell_ends_the_replay_and_is_named(places):
    cells = code_cells("x = 1", "y = {}\n\ny['missing']", "z = 1")
    with pytest.raises(CellFailed) as caught:
        launch(cells)
    assert str(caught.value) == "cell 1 (In [2]) raised KeyError: 'missing' on line 3 during the replay"


def test_a_cell_that_failed_when_saved_may_fail_again(places):
    with launch(code_cells("x = 1", "x = 2\n1 / 0", "y = x + 1", failed=(1,))) as session:
        assert value(session, "y") == 3


def test_a_cell_that_hangs_is_named(places):
    cells = code_cells("x = 1", "while True: pass")
    with pytest.raises(CellTimeout) as caught:
        launch(cells, cell_limit_s=0.5)
    assert str(caught.value) == "cell 1 (In [2]) was still running after 0.5 s during the replay"


def test_cells_that_take_too_long_together_are_an_error_that_names_the_last(places):
    with pytest.raises(CellTimeout) as caught:
        launch(code_cells(*["import time; time.sleep(0.4)"] * 4), total_limit_s=1)
    assert str(caught.value) == "cell 2 (In [3]) was still running when the replay's limit of 1 s passed"


def test_a_cell_that_kills_its_kernel_is_named(places):
    with pytest.raises(KernelDied) as caught:
        launch(code_cells("x = 1", "import os; os._exit(3)"))
    assert str(caught.value) == "the kernel died while cell 1 (In [2]) ran during the replay"


def test_a_kernel_that_dies_later_is_dead_for_every_question(places):
    with launch() as session:
        assert session.run("import os; os._exit(3)", limit_s=30).status == "died"
        with pytest.raises(KernelDied):
            session.ask("names", {})


def test_processes_that_a_cell_started_end_with_the_kernel(places):
    with launch(code_cells("import subprocess\nchild = subprocess.Popen(['sleep', '60'])")) as session:
        pid = value(session, "child.pid")
        assert is_running(pid)
    assert wait_for(lambda: not is_running(pid))


def test_an_unknown_kernel_is_an_error_that_names_the_others_and_the_way_out(folder):
    with pytest.raises(NoKernel) as caught:
        launch(notebook=notebook_in(folder, kernelspec="missing"))
    assert "'missing'" in str(caught.value)
    assert "python3" in str(caught.value)
    assert "--python" in str(caught.value)


@pytest.fixture
def install_kernelspec(places, monkeypatch):
    def install(name, argv, language="python"):
        place = places / "jupyter" / "kernels" / name
        place.mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": language, "env": {"FROM_SPEC": "yes"}}
        (place / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(places / "jupyter"))

    return install


def test_the_kernel_that_the_notebook_names_is_used(folder, install_kernelspec):
    install_kernelspec("mine", ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    with launch(notebook=notebook_in(folder, kernelspec="mine")) as session:
        assert value(session, "__import__('os').environ['FROM_SPEC']") == "yes"
        assert value(session, "get_ipython().history_manager.hist_file") == ":memory:"


def test_a_kernel_of_another_language_is_an_error(folder, install_kernelspec):
    install_kernelspec("ir", ["R", "{connection_file}"], language="R")
    with pytest.raises(NotAPythonKernel, match="R"):
        launch(notebook=notebook_in(folder, kernelspec="ir"))
    with pytest.raises(NotAPythonKernel, match="julia"):
        launch(notebook=notebook_in(folder, language="julia"))


def test_a_kernel_that_ends_at_once_is_an_error_with_its_last_words(folder, install_kernelspec):
    install_kernelspec("broken", ["python", "-c", "raise ValueError('no luck')", "{connection_file}"])
    with pytest.raises(NoKernel, match="'broken' does not start: ValueError: no luck"):
        launch(notebook=notebook_in(folder, kernelspec="broken"))


def test_a_kernel_whose_command_is_missing_is_an_error(folder, install_kernelspec):
    install_kernelspec("gone", ["/nowhere/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    with pytest.raises(NoKernel, match="'gone' does not start: there is no command '/nowhere/python'"):
        launch(notebook=notebook_in(folder, kernelspec="gone"))


def test_a_kernel_that_never_answers_is_an_error(folder, install_kernelspec):
    install_kernelspec("silent", ["python", "-c", "import time; time.sleep(60)", "{connection_file}"])
    with pytest.raises(NoKernel, match="did not start within 1 s"):
        launch(notebook=notebook_in(folder, kernelspec="silent"), start_limit_s=1)


def test_an_interpreter_can_be_named(places):
    with launch(python=sys.executable) as session:
        assert value(session, "__import__('sys').executable") == sys.executable


def test_an_interpreter_without_ipykernel_is_an_error_that_says_what_to_install(places):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(places / "bare")], check=True)
    python = places / "bare" / "bin" / "python"
    with pytest.raises(NoKernel) as caught:
        launch(python=str(python))
    assert str(caught.value) == f"{python} has no ipykernel: run '{python} -m pip install ipykernel'"


def test_what_is_no_interpreter_is_an_error(places):
    with pytest.raises(NoKernel, match="no interpreter '/nowhere/python'"):
        launch(python="/nowhere/python")
    with pytest.raises(NoKernel, match="no Python 3 interpreter"):
        launch(python="/bin/true")


PROGRAM = """
import sys, tempfile, time
from kernels import code_cells
from crane_agent.session.launched import exit_on_sigterm, launch

tempfile.tempdir = sys.argv[1]
cells = code_cells(f"import os, time\\nopen({sys.argv[2]!r}, 'w').write(str(os.getpid()))\\ntime.sleep({sys.argv[3]})")
with exit_on_sigterm(), launch(cells):
    print("launched", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("when", ["start", "replay", "use"])
def test_no_kernel_and_no_file_is_left_when_the_tool_is_stopped(places, number, when):
    noted = places / "pid"
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(places / "temporary"), str(noted), "60" if when == "replay" else "0"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        if when == "start":
            logs = (places / "temporary").glob
            assert wait_for(lambda: any(logs("*/kernel.log")))
        elif when == "replay":
            assert wait_for(lambda: noted.exists() and noted.read_text())
        else:
            assert program.stdout.readline() == b"launched\n"
        kernels = children(program.pid)
        assert len(kernels) == 1 or when == "start"
        program.send_signal(number)
        _, error = program.communicate(timeout=20)
    finally:
        program.kill()
        program.communicate()
    assert program.returncode == (-signal.SIGINT if number == signal.SIGINT else 128 + signal.SIGTERM), error
    assert wait_for(lambda: not any(is_running(pid) for pid in kernels), limit_s=3)


def children(parent):
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], check=False, capture_output=True, text=True)
    return [int(pid) for pid in text.stdout.split()]


def test_a_session_that_is_never_closed_ends_with_the_program(places):
    program = textwrap.dedent(
        """
        import sys, tempfile
        from crane_agent.session.launched import launch
        tempfile.tempdir = sys.argv[1]
        session = launch()
        print(session.facts.pid)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(places / "temporary")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert not is_running(int(done.stdout))
    assert done.stderr == ""


def test_the_handler_of_sigterm_before_is_the_handler_after():
    before = signal.getsignal(signal.SIGTERM)
    with exit_on_sigterm():
        assert signal.getsignal(signal.SIGTERM) is launched._exit
    assert signal.getsignal(signal.SIGTERM) is before
