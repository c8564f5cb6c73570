"""The proof of the fence is made once per interpreter and boot, and only for a kernel that it is true of."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from crane_agent.session import fence_proof
from crane_agent.session.fence_proof import Proof, proof_of

PLAIN = os.path.realpath(sys.executable)
FENCED = {"fork", "landlock", "seccomp"}

on_linux = pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() not in fence_proof.MACHINES, reason="the fence is made for Linux"
)


class Interpreter:
    """An interpreter that counts how often it was started."""

    def __init__(self, folder: Path, program: str) -> None:
        self.path = folder / "python"
        self._count = folder / "count"
        self.path.write_text(f'#!/bin/sh\necho started >> "{self._count}"\n{program}\n')
        self.path.chmod(0o755)

    @property
    def starts(self) -> int:
        return len(self._count.read_text().splitlines()) if self._count.exists() else 0

    def proof(self, *, anew: bool = False) -> Proof:
        """Return the proof as a process that has just started sees it."""
        fence_proof._remembered.cache_clear()
        return proof_of(str(self.path), anew=anew)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    fence_proof._remembered.cache_clear()
    return folder


@pytest.fixture
def interpreter(tmp_path) -> Interpreter:
    return Interpreter(tmp_path, f'exec "{PLAIN}" "$@"')


def kept(cache: Path) -> Path:
    (place,) = (cache / "crane-agent" / "fence").iterdir()
    return place


@on_linux
def test_it_is_proved_once_and_then_known(interpreter, cache, tmp_path):
    first = interpreter.proof()
    began = time.monotonic()
    assert interpreter.proof() == first
    assert time.monotonic() - began < 0.5
    assert interpreter.starts == 1
    assert set(first.layers) >= FENCED
    assert first.missing == ""
    assert all(trial.tried for trial in first.trials.values())
    assert not list((tmp_path / "temporary").iterdir())


@on_linux
def test_doctor_has_it_proved_anew(interpreter):
    interpreter.proof()
    interpreter.proof(anew=True)
    assert interpreter.starts == 2
    interpreter.proof()
    assert interpreter.starts == 2


@on_linux
@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "", "time": 0, "trials": {"fork": []}}', "\0"])
def test_a_damaged_file_is_proved_again(interpreter, cache, text):
    first = interpreter.proof()
    kept(cache).write_text(text)
    assert interpreter.proof() == first
    assert interpreter.starts == 2
    assert json.loads(kept(cache).read_text())["trials"]


@on_linux
def test_a_proof_of_another_boot_is_made_again(interpreter, cache):
    interpreter.proof()
    found = json.loads(kept(cache).read_text())
    found["key"] = json.dumps(dict(json.loads(found["key"]), boot="another"))
    kept(cache).write_text(json.dumps(found))
    interpreter.proof()
    assert interpreter.starts == 2


@on_linux
def test_a_changed_interpreter_is_proved_again(interpreter):
    interpreter.proof()
    os.utime(interpreter.path, (1, 1))
    interpreter.proof()
    assert interpreter.starts == 2


@on_linux
def test_that_a_layer_does_not_hold_is_believed_for_an_hour(interpreter, cache):
    interpreter.proof()
    found = json.loads(kept(cache).read_text())
    found["trials"]["landlock"]["why"] = "it was not tried"
    kept(cache).write_text(json.dumps(found))
    assert interpreter.proof().missing == "it lacks landlock (it was not tried)"
    assert interpreter.starts == 1
    kept(cache).write_text(json.dumps(dict(found, time=time.time() - fence_proof.DOUBT_S - 1)))
    assert interpreter.proof().missing == ""
    assert interpreter.starts == 2


@on_linux
def test_without_a_cache_folder_it_works(interpreter, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert interpreter.proof().missing == ""


@on_linux
def test_two_at_once_do_no_harm(interpreter, cache):
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: proof_of(str(interpreter.path), anew=True), range(2))
    assert first == second
    assert interpreter.proof() == first
    assert interpreter.starts == 2
    assert kept(cache).suffix == ".json"


@on_linux
@pytest.mark.parametrize("program", ["exit 1", "echo nothing", "echo '{}'", "cat", 'kill -9 "$$"'])
def test_an_interpreter_that_does_not_run_the_trial_has_no_fence(tmp_path, program):
    interpreter = Interpreter(tmp_path, program)
    assert interpreter.proof() == Proof((), "its trial came to no result")
    assert interpreter.proof().missing
    assert interpreter.starts == 1


@on_linux
def test_an_interpreter_that_hangs_is_ended_with_all_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(fence_proof, "LIMIT_S", 0.5)
    interpreter = Interpreter(tmp_path, f'sleep 97.25 & echo $! > "{tmp_path}/pid"; sleep 97.25')
    assert "did not end within 0.5 s" in interpreter.proof().missing
    inner = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    deadline = time.monotonic() + 5
    while inner.exists() and inner.read_text().rpartition(")")[2].split()[0] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not inner.exists() or inner.read_text().rpartition(")")[2].split()[0] == "Z"
    assert not list((tmp_path / "temporary").iterdir())


@on_linux
def test_an_interpreter_that_is_not_there_has_no_fence(tmp_path):
    assert "cannot be found" in proof_of(str(tmp_path / "python")).missing


@pytest.mark.parametrize(("what", "value"), [("system", "Darwin"), ("system", "Windows"), ("machine", "riscv64")])
def test_elsewhere_than_on_a_known_linux_nothing_is_started(interpreter, monkeypatch, what, value):
    monkeypatch.setattr(platform, what, lambda: value)
    proof = interpreter.proof(anew=True)
    assert proof.layers == ()
    assert value in proof.missing
    assert interpreter.starts == 0


# -- the kernel's process ---------------------------------------------------------------------------------------------


@contextmanager
def running(*command: str, **options: int) -> Iterator[int]:
    ready = [*command, "-I", "-c", "import time; print(flush=True); time.sleep(60)"]
    with subprocess.Popen(ready, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", **options) as process:
        try:
            if not process.stdout.readline():
                pytest.skip(f"cannot be run here: {process.stderr.read().decode()}")
            yield process.pid
        finally:
            process.kill()


@on_linux
def test_a_kernel_here_has_the_fence_of_its_interpreter():
    with running(PLAIN) as pid:
        assert proof_of(PLAIN, pid=pid).missing == ""


@on_linux
def test_a_kernel_that_is_not_here_has_none(interpreter):
    with running(PLAIN) as pid:
        assert "another container or on another machine" in proof_of("/bin/sh", pid=pid).missing
        assert "another container or on another machine" in proof_of(str(interpreter.path), pid=pid).missing
    assert "another container or on another machine" in proof_of(PLAIN, pid=pid).missing
    assert interpreter.starts == 0


@on_linux
@pytest.mark.parametrize("namespaces", [("--mount",), ("--user",), ("--user", "--mount")])
def test_a_kernel_in_another_container_has_none(namespaces):
    with running("unshare", *namespaces, PLAIN) as pid:
        assert "another container or on another machine" in proof_of(PLAIN, pid=pid).missing


@on_linux
def test_a_kernel_with_other_rights_has_none():
    if os.getuid() != 0:
        pytest.skip("needs root to give rights away")
    with running("setpriv", "--bounding-set=-net_raw", PLAIN) as pid:
        assert proof_of(PLAIN, pid=pid).missing == "the kernel has other rights than this process"


@on_linux
def test_a_kernel_of_another_user_has_none():
    if os.getuid() == 0:
        pytest.skip("root may look into everybody's processes")
    assert proof_of(PLAIN, pid=1).missing
