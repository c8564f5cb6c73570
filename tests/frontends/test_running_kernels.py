"""`crane-agent check --kernel` and `crane-agent kernels`, as a user runs them beside a real kernel."""

import itertools
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from command_line import COMMAND, LIMIT_S, crane, environment, read_all
from kernels import UsersKernel
from model_server import ModelServer, calls, verdict

from crane_agent.verdict.models import Verdict


class Desk:
    """A user's kernel, and the command line beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runtime = home / "runtime"
        self.runtime.mkdir()
        self.kernel = UsersKernel(self.runtime)

    def run(self, *cells: str) -> None:
        for cell in cells:
            self.kernel.run(cell)

    def crane(self, *arguments: object, **extra: str) -> subprocess.CompletedProcess[str]:
        return crane(*arguments, home=self.home, JUPYTER_RUNTIME_DIR=str(self.runtime), **extra)


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    try:
        yield desk
    finally:
        desk.kernel.end()


def write(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{place}") for place, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_the_cell_is_judged_in_the_live_state_and_nothing_is_run(desk):
    desk.run("prices = {'a': 1}", "prices['b'] = 2", "del prices['a']")
    book = write(desk.home / "a.ipynb", "prices = {'a': 1}", "prices['b'] = 2", "total = prices['b'] + prices['a']")
    before = desk.kernel.value("sorted(globals())")
    done = desk.crane("check", book, "--kernel", "only")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("CRASH: cell 2 will raise KeyError at line 1\n")
    assert done.stdout.rstrip().endswith(f"Asked: kernel {desk.kernel.id}, 4 cells run, 2 of them not in a.ipynb")
    assert set(desk.kernel.value("sorted(globals())")) - set(before) <= {"_i5", "_i6"}
    assert desk.kernel.value("get_ipython().execution_count") == 7
    desk.run("prices['a'] = 5")
    assert desk.crane("check", book, "--kernel", desk.kernel.id[:4]).returncode == 0
    assert desk.kernel.process.poll() is None


def test_a_text_is_judged_without_a_notebook(desk):
    desk.run("x = [1, 2]")
    assert desk.crane("check", "--kernel", desk.kernel.file, "--code", "x[1]").returncode == 0
    done = desk.crane("check", "--kernel", desk.kernel.file, "--code", "x[5]", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    found = Verdict.model_validate(json.loads(done.stdout))
    assert found.exception.type == "IndexError"
    assert found.cell is None
    assert [(origin.cell, origin.ran) for origin in found.origin] == [(None, 1)]
    done = subprocess.run(
        [*COMMAND, "check", "--kernel", str(desk.kernel.file), "--code", "-"],
        input="y = 1\nx[5]", capture_output=True, text=True, env=environment(desk.home), timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "IndexError at line 2" in done.stdout.splitlines()[0]


def test_the_target_is_the_cell_below_the_one_that_ran_last(desk):
    book = write(desk.home / "a.ipynb", "a = 1", "skipped = 1", "b = a", "b + missing", "a")
    desk.run("a = 1", "b = a")
    done = desk.crane("check", book, "--kernel", "only", "--json")
    assert json.loads(done.stdout)["cell"] == 3
    desk.run("b + missing", "a")
    done = desk.crane("check", book, "--kernel", "only")
    assert done.returncode == 3
    assert done.stderr.startswith("crane-agent: below cell 4, the last one that ran, no cell is left to run")
    assert desk.crane("check", book, "--kernel", "only", "--cell", "cell-4").returncode == 0


def test_a_cell_that_still_runs_is_waited_for_and_then_given_up(desk):
    with desk.kernel.running("import time; time.sleep(8)"):
        done = desk.crane("check", "--kernel", "only", "--code", "1", "--idle-limit-s", "0.5")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("crane-agent: ")
    assert "busy" in done.stderr
    assert done.stderr.count("\n") == 1
    assert desk.crane("check", "--kernel", "only", "--code", "1").returncode == 0


def test_a_kernel_that_is_not_there_is_one_line(desk):
    for where in ("nothing", str(desk.home / "none.json")):
        done = desk.crane("check", "--kernel", where, "--code", "1")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert desk.kernel.id in done.stderr
    desk.kernel.kill()
    done = desk.crane("check", "--kernel", "only", "--code", "1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "name the notebook"),
        (["check", "--code", "1"], "--code needs --kernel"),
        (["check", "a.ipynb", "--code", "1"], "--code needs --kernel"),
        (["check", "--kernel", "only"], "--kernel needs what to check"),
        (["check", "--kernel", "only", "--cell", "1"], "--kernel needs what to check"),
        (["check", "a.ipynb", "--kernel", "only", "--cell", "1", "--code", "1"], "--cell and --code exclude"),
        (["check", "--kernel", "only", "--code", "1", "--in-place"], "--in-place is about a replay"),
        (["check", "--kernel", "only", "--code", "1", "--cell-limit-s", "3"], "--cell-limit-s is about a replay"),
        (["check", "--kernel", "only", "--code", "1", "--privacy", "all"], "flag --privacy: privacy: "),
    ],
)
def test_flags_that_do_not_go_together_are_one_line(arguments, words, tmp_path):
    done = crane(*arguments, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(f"crane-agent: {words}")


# --- crane-agent kernels -------------------------------------------------------------------------------------


def test_running_kernels_are_listed_with_their_files(desk):
    (desk.runtime / "kernel-gone.json").write_text(
        desk.kernel.file.read_text().replace('"control_port": ', '"control_port": 1')
    )
    done = desk.crane("kernels")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:] if line.split()}
    assert "yes" in rows[desk.kernel.id].split()
    assert "no" in rows["gone"].split()
    assert str(desk.kernel.file) in "".join(done.stdout.split())
    found = json.loads(desk.crane("kernels", "--json").stdout)
    entry = next(each for each in found if each["id"] == desk.kernel.id)
    assert (entry["connection_file"], entry["answers"]) == (str(desk.kernel.file), True)
    assert {each["id"]: each["answers"] for each in found} == {desk.kernel.id: True, "gone": False}


def test_without_kernels_the_list_is_empty(tmp_path):
    done = crane("kernels", home=tmp_path, JUPYTER_RUNTIME_DIR=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (0, "no kernel runs on this machine\n")
    assert crane("kernels", "--json", home=tmp_path, JUPYTER_RUNTIME_DIR=str(tmp_path / "none")).stdout == "[]\n"


# --- privacy and audit ---------------------------------------------------------------------------------------


def audit_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def replies(path: Path) -> list[dict[str, object]]:
    """Return what the kernel answered to our questions."""
    contents = [json.loads(str(line["text"]).rpartition("\n")[2]) for line in audit_lines(path)]
    return [json.loads(content["text"]) for content in contents if "text" in content]


def test_the_audit_has_every_byte_that_left_the_kernel(desk):
    desk.run("x = {'a': 1}", "password = 'hunter2'")
    path = desk.home / "audit.jsonl"
    done = desk.crane("check", "--kernel", "only", "--code", "x['b']", "--audit", path, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    lines = audit_lines(path)
    assert {line["source"] for line in lines} == {"kernel control", "kernel shell"}
    assert len([each for each in replies(path) if "finding" in each["answer"]]) == 1
    assert json.loads(done.stdout)["usage"]["kernel_bytes"] <= sum(len(str(line["text"])) for line in lines)
    assert os.stat(path).st_mode & 0o777 == 0o600
    again = desk.crane("check", "--kernel", "only", "--code", "x['b']", "--audit", path)
    assert (again.returncode, again.stdout) == (3, "")
    assert "such a file already" in again.stderr
    assert audit_lines(path) == lines


def test_the_audit_of_a_replay_has_what_the_kernel_said(tmp_path):
    book = write(tmp_path / "a.ipynb", "x = {'a': 1}\nx['b']")
    done = crane("check", book, "--audit", tmp_path / "audit", home=tmp_path)
    assert done.returncode == 1, done.stderr
    assert any("finding" in str(line.get("text")) for line in audit_lines(tmp_path / "audit"))


def test_the_audit_has_every_byte_sent_to_a_model_between_those_of_the_kernel(desk):
    desk.run("x = {'a': 1}")
    path = desk.home / "audit"
    with ModelServer([calls(("describe", {"path": "x"})), verdict(outcome="no_crash")]) as server:
        done = desk.crane(
            "check", "--kernel", "only", "--code", "f(x)", "--no-check", "--model", "m", "--audit", path,
            OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="sk-secret-of-the-endpoint",
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = audit_lines(path)
    assert [str(line["text"]).encode() for line in lines if line["source"] == "model request"] == list(server.bodies)
    sources = [str(line["source"]).partition(" ")[0] for line in lines]
    assert [source for source, _ in itertools.groupby(sources)] == ["kernel", "model", "kernel", "model", "kernel"]
    assert "sk-secret" not in path.read_text("ascii")


def test_an_audit_that_cannot_be_written_stops_before_anything_is_asked(tmp_path):
    book = write(tmp_path / "a.ipynb", "open('mark', 'w').close()")
    done = crane("check", book, "--in-place", "--audit", tmp_path / "no" / "audit", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


def test_no_file_is_left_of_a_run_that_reached_no_kernel(tmp_path):
    path = tmp_path / "audit"
    done = crane(
        "check", "--kernel", "only", "--code", "1", "--audit", path, home=tmp_path, JUPYTER_RUNTIME_DIR=str(tmp_path)
    )
    assert done.returncode == 3
    assert not path.exists()


@pytest.mark.parametrize(("level", "leaves"), [("names", False), ("schema", True), ("values", True)])
def test_the_level_of_privacy_holds_for_every_byte_that_leaves(desk, level, leaves):
    desk.run("import pandas as pd", "df = pd.DataFrame({'sec' + 'ret_column': ['sec' + 'ret_cell']})")
    path = desk.home / "audit"
    done = desk.crane("check", "--kernel", "only", "--code", "df['secret_colum']", "--privacy", level, "--audit", path)
    assert done.returncode in (1, 2), done.stderr
    said = json.dumps([{**reply, "proof": None} for reply in replies(path)])
    assert "secret_cell" not in said + done.stdout
    assert ("secret_column" in said) == leaves
    assert leaves or "secret_column" not in done.stdout


def test_the_value_that_proves_a_crash_goes_to_a_terminal_and_not_into_a_pipe(desk):
    desk.run("raw = ['1', '$1' + ',200']")
    asked = ("check", "--kernel", "only", "--code", "int(raw[1])")
    for arguments in ((), ("--json",), ("--markdown",)):
        done = desk.crane(*asked, *arguments)
        assert done.returncode == 1, done.stderr
        assert "ValueError" in done.stdout
        assert "1,200" not in done.stdout
    controller, terminal = pty.openpty()
    env = environment(desk.home, {"TERM": "xterm", "COLUMNS": "100", "JUPYTER_RUNTIME_DIR": str(desk.runtime)})
    command = [*COMMAND, *asked]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.DEVNULL, env=env
    ) as process:
        os.close(terminal)
        seen = read_all(controller)
        assert process.wait(LIMIT_S) == 1
    assert "$1,200" in seen


def test_a_text_that_is_no_text_is_one_line(tmp_path):
    done = crane("check", "--kernel", "only", "--code", "x = '\udcff'", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "crane-agent: --code: this is not UTF-8 text\n")
