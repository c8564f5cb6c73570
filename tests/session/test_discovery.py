import json
import os
import time

import pytest
from kernels import UsersKernel

from crane_agent.errors import NoKernel
from crane_agent.session.discovery import find_kernel, running_kernels


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def kernels(folder):
    started = [UsersKernel(folder) for _ in range(2)]
    yield started
    for kernel in started:
        kernel.end()


@pytest.fixture
def alone(kernels, monkeypatch, tmp_path):
    """The first of the kernels, in a runtime folder of its own."""
    kernel = kernels[0]
    (tmp_path / kernel.file.name).write_text(kernel.file.read_text())
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return kernel


@pytest.fixture
def no_kernels(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def stale(folder, name="stale", **changes):
    """Write the connection file of a kernel that ended long ago."""
    ports = {f"{channel}_port": 1 for channel in ("shell", "control", "hb", "iopub", "stdin")}
    connection = {**ports, "ip": "127.0.0.1", "key": "k", "transport": "tcp", "signature_scheme": "hmac-sha256"}
    file = folder / f"kernel-{name}.json"
    file.write_text(json.dumps({**connection, **changes}))
    return file


def test_the_kernels_of_the_runtime_folder_are_found_the_last_used_first(kernels):
    now = time.time()
    os.utime(kernels[0].file, (now, now))
    os.utime(kernels[1].file, (now - 100, now - 100))
    found = running_kernels()
    assert [kernel.id for kernel in found] == [kernel.id for kernel in kernels]
    assert [kernel.connection_file for kernel in found] == [kernel.file for kernel in kernels]
    assert all(kernel.answers for kernel in found)
    assert found[0].last_used == pytest.approx(now, abs=1)


def test_a_kernel_that_runs_a_cell_answers(alone):
    with alone.running("t = __import__('time').time() + 1\nwhile __import__('time').time() < t: pass"):
        assert find_kernel().name == alone.file.name


def test_a_kernel_is_found_by_its_file_its_id_or_their_unique_beginning(kernels):
    wanted = kernels[1]
    for where in (wanted.file, wanted.id, wanted.file.name, wanted.id[:-4], f"kernel-{wanted.id}"):
        assert find_kernel(str(where)) == wanted.file


def test_files_of_kernels_that_ended_are_passed_over_without_waiting(alone, tmp_path):
    for number in range(20):
        stale(tmp_path, f"stale-{number}")
    started = time.monotonic()
    assert find_kernel("only").name == alone.file.name
    assert time.monotonic() - started < 0.5
    assert sum(kernel.answers for kernel in running_kernels()) == 1


def test_a_port_that_another_kernel_has_taken_or_that_never_answers_is_no_kernel(alone, tmp_path):
    taken = json.loads(alone.file.read_text())
    stale(tmp_path, "taken", **{**taken, "key": "another"})
    stale(tmp_path, "silent", **{**taken, "control_port": taken["iopub_port"]})
    stale(tmp_path, "gone", transport="ipc", ip=str(tmp_path / "socket"))
    started = time.monotonic()
    assert find_kernel().name == alone.file.name
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ip": 1}', '{"ip": "127.0.0.1"}', "no json"])
def test_what_is_no_connection_file_is_passed_over(alone, tmp_path, text):
    (tmp_path / "kernel-broken.json").write_text(text)
    assert find_kernel().name == alone.file.name


def test_several_kernels_are_listed(kernels):
    with pytest.raises(NoKernel) as caught:
        find_kernel()
    for kernel in kernels:
        assert f"{kernel.id} (last used " in str(caught.value)
    assert str(caught.value).startswith("several kernels run: name one of ")
    assert "\n" not in str(caught.value)


def test_an_unknown_kernel_is_an_error_that_lists_the_others(alone):
    with pytest.raises(NoKernel, match=f"no kernel is called 'zzz'; these run: {alone.id}"):
        find_kernel("zzz")


def test_a_kernel_that_is_named_need_not_answer_but_one_that_does_is_preferred(alone, tmp_path):
    busy = stale(tmp_path, alone.id[:4] + "-busy")
    assert find_kernel(busy.name) == busy
    assert find_kernel(alone.id[:4]).name == alone.file.name


def test_where_nothing_runs_that_is_said(no_kernels):
    stale(no_kernels)
    with pytest.raises(NoKernel) as caught:
        find_kernel()
    assert str(caught.value) == "no kernel runs: none on this machine answers"
    with pytest.raises(NoKernel) as caught:
        find_kernel("zzz")
    assert str(caught.value) == "no kernel is called 'zzz': none on this machine answers"


def test_a_missing_runtime_folder_holds_no_kernel(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "missing"))
    assert running_kernels() == ()
