import base64
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crane_agent.audit import Audit
from crane_agent.errors import ConfigError


def lines(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def bytes_of(line):
    return line["text"].encode() if "text" in line else base64.b64decode(line["base64"])


def test_each_message_is_a_line_in_order_with_its_time_source_and_bytes(tmp_path):
    path = tmp_path / "audit.jsonl"
    sent = [
        ("kernel control", b'{"a": 1}\n'),
        ("model request", "größe \x1b \u202e".encode()),
        ("kernel shell", b"\xff\0"),
    ]
    with Audit(path) as audit:
        for source, data in sent:
            audit(source, data)
    found = lines(path)
    assert [(line["source"], bytes_of(line)) for line in found] == sent
    assert [set(line) - {"seconds", "source"} for line in found] == [{"text"}, {"text"}, {"base64"}]
    times = [line["seconds"] for line in found]
    assert times == sorted(times)
    assert times[0] >= 0


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_bytes_can_be_had_back(messages):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        with Audit(path) as audit:
            for data in messages:
                audit("kernel control", data)
        assert [bytes_of(line) for line in lines(path)] == messages if messages else not path.exists()


def test_only_the_owner_can_read_it(tmp_path):
    before = os.umask(0)
    try:
        with Audit(tmp_path / "a") as audit:
            audit("kernel control", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_there_already_is_not_touched(tmp_path, kind):
    path = tmp_path / "a"
    other = tmp_path / "other"
    other.write_text("mine")
    {"file": lambda: path.write_text(""), "link": lambda: path.symlink_to(other), "folder": path.mkdir}[kind]()
    with pytest.raises(ConfigError, match="such a file already"):
        Audit(path)
    assert other.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        Audit(tmp_path / "no" / "a")
    assert "\n" not in str(caught.value)


def test_nothing_may_leave_that_cannot_be_written_down(tmp_path):
    audit = Audit(tmp_path / "a")
    audit("kernel control", b"x")
    audit.close()
    with pytest.raises(ConfigError, match="cannot be written"):
        audit("kernel control", b"y")


def test_a_run_that_got_nowhere_leaves_no_file(tmp_path):
    with Audit(tmp_path / "a") as audit:
        pass
    audit.close()
    assert not (tmp_path / "a").exists()


def test_a_killed_run_loses_nothing(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from crane_agent.audit import Audit\n"
        "audit = Audit(Path(sys.argv[1]))\n"
        "for n in range(3): audit('kernel control', b'%d' % n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [bytes_of(line) for line in lines(tmp_path / "a")] == [b"0", b"1", b"2"]


def test_threads_do_not_mix_their_lines(tmp_path):
    with Audit(tmp_path / "a") as audit:
        threads = [
            threading.Thread(target=lambda n=n: [audit(str(n), b"x" * 100_000) for _ in range(20)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = lines(tmp_path / "a")
    assert len(found) == 80
    assert all(bytes_of(line) == b"x" * 100_000 for line in found)
    assert [line["seconds"] for line in found] == sorted(line["seconds"] for line in found)
