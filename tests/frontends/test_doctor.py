import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import crane
from model_server import ModelServer, Scripted, calls, fault, hang, spoken, text

from crane_agent.config import Settings

KEY = "sk-very-secret-0123456789"


class Endpoint(ThreadingHTTPServer):
    """Answers every request with one status, headers and body, and keeps what it was asked."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = (status, body, headers)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body, headers = self.server.reply
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def endpoint(status: int = 200, body: bytes = b"{}", **headers: str) -> Iterator[Endpoint]:
    with Endpoint(status, body, headers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def models(*names: str) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


def row(text: str, start: str) -> str:
    return next(line.rstrip() for line in text.splitlines() if line.startswith(start))


def test_a_usable_machine_exits_with_0_and_contacts_nobody(tmp_path):
    done = crane("doctor", home=tmp_path)
    assert done.returncode == 0, done.stdout
    assert row(done.stdout, "kernel python3").split()[2:4] == ["ok", "ipykernel"]
    assert "nothing leaves this machine" in row(done.stdout, "model")
    assert done.stdout.rstrip().endswith("\nusable")
    for setting in Settings.model_fields:
        assert row(done.stdout, f"{setting} ")


def test_it_says_where_each_setting_came_from_and_never_the_key(tmp_path):
    config = tmp_path / ".config" / "crane-agent"
    config.mkdir(parents=True)
    (config / "crane.toml").write_text("steps = 7")
    done = crane("doctor", home=tmp_path, OPENAI_API_KEY=KEY, CRANE_TOKENS="123")
    assert row(done.stdout, "tokens ").split(maxsplit=2) == ["tokens", "123", "variable CRANE_TOKENS"]
    assert row(done.stdout, "api_key ").split(maxsplit=1)[1].startswith("set, not shown")
    if sys.platform == "linux":
        assert "".join(f"steps 7 {config / 'crane.toml'}".split()) in "".join(done.stdout.split())
    assert KEY not in done.stdout + done.stderr


def test_an_interpreter_without_ipykernel_is_not_usable(tmp_path):
    done = crane("doctor", "--python", "/bin/false", home=tmp_path)
    assert done.returncode == 3
    assert row(done.stdout, "interpreter set").split()[2] == "failed"
    assert done.stdout.rstrip().endswith("not usable: see what failed above")


def test_kernelspecs_of_other_languages_and_broken_ones_do_not_stop_it(tmp_path):
    for name, spec in {
        "mars": {"argv": ["mars"], "display_name": "Mars", "language": "mars"},
        "gone": {"argv": ["/gone/python", "-m", "ipykernel_launcher"], "display_name": "Gone", "language": "python"},
        "wrapped": {"argv": ["/no/conda", "run", "python"], "display_name": "Wrapped", "language": "python"},
    }.items():
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
    done = crane("doctor", home=tmp_path, JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert done.returncode == 0
    assert "language mars" in row(done.stdout, "kernel mars")
    assert "no interpreter at /gone/python" in row(done.stdout, "kernel gone")
    assert "which was not run" in row(done.stdout, "kernel wrapped")


def test_a_module_in_the_current_folder_is_not_run(tmp_path):
    mark = tmp_path / "mark"
    (tmp_path / "importlib").mkdir()
    (tmp_path / "importlib" / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()")
    (tmp_path / "ipykernel.py").write_text(f"open({str(mark)!r}, 'w').close()")
    crane("doctor", "--python", sys.executable, home=tmp_path, cwd=tmp_path)
    assert not mark.exists()


LAYERS = ("  fork", "  overlay", "  landlock", "  seccomp", "  whole")


def test_it_says_which_layers_of_the_fence_hold_and_what_follows(tmp_path):
    done = crane("doctor", home=tmp_path)
    assert done.returncode == 0
    conclusion = row(done.stdout, "rehearsal")
    if sys.platform != "linux":
        assert "made for Linux" in conclusion
        return
    states = {layer.strip(): row(done.stdout, layer).split()[1:3] for layer in LAYERS}
    holding = {layer for layer, state in states.items() if state == ["ok", "holds:"]}
    assert all(state in (["ok", "holds:"], ["warning", "does"]) for state in states.values())
    assert ("can be run in a fenced fork" in conclusion) == (holding >= {"fork", "landlock", "seccomp", "whole"})


def test_an_interpreter_that_cannot_be_fenced_is_a_warning_and_what_is_off_is_not_tried(tmp_path):
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\n[ "$1" = -I ] && touch "{tmp_path}/tried" && exit 1\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = crane("doctor", "--python", python, home=tmp_path, CRANE_REHEARSE="off")
    assert "off: no cell is run" in row(done.stdout, "rehearsal")
    assert not (tmp_path / "tried").exists()
    done = crane("doctor", "--python", python, home=tmp_path)
    assert row(done.stdout, "rehearsal").split()[1:6] == ["warning", "no", "fork", "can", "be"]
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("\nusable")


def endpoint_row(server: Endpoint, home: Path, **extra: str) -> str:
    variables = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "CRANE_REHEARSE": "off", **extra}
    done = crane("doctor", "--model", "small", home=home, **variables)
    assert done.returncode == 0  # the rules need no endpoint
    assert KEY not in done.stdout + done.stderr
    return row(done.stdout, "endpoint")


def test_the_endpoint_is_asked_once_for_its_models(tmp_path):
    with endpoint(body=models("small", "large")) as server:
        assert "ok" in endpoint_row(server, tmp_path).split()
        assert server.asked == [("/v1/models", f"Bearer {KEY}")]


def test_a_model_that_the_endpoint_does_not_list_is_a_warning(tmp_path):
    with endpoint(body=models("large")) as server:
        assert "does not list the model small" in endpoint_row(server, tmp_path)


def test_a_refused_key_and_an_odd_answer_are_warnings(tmp_path):
    with endpoint(401) as server:
        assert "refuses the key" in endpoint_row(server, tmp_path)
    with endpoint(body=b"<html>") as server:
        assert "not with a list of models" in endpoint_row(server, tmp_path)


def test_the_key_does_not_follow_a_redirect(tmp_path):
    with endpoint(body=models("small")) as other, endpoint(302, Location=other.url) as server:
        assert "answers 302" in endpoint_row(server, tmp_path)
        assert other.asked == []


def test_an_endpoint_that_is_not_there_is_a_warning_without_the_password_in_its_address(tmp_path):
    url = "http://user:hidden@127.0.0.1:9/v1?key=hidden"
    done = crane("doctor", home=tmp_path, OPENAI_BASE_URL=url, CRANE_REHEARSE="off")
    assert done.returncode == 0
    assert "warning" in row(done.stdout, "endpoint")
    assert "hidden" not in done.stdout


# -- the model is asked one tiny question ----------------------------------------------------------------------------

ECHO = ("echo", {"word": "crane"})
NO_TOOLS = fault(400, body={"error": {"message": "small does not support tools"}})
TRIALS = {
    "all is well": ([calls(ECHO)], {"model": "ok", "tool": "ok calls native", "tokens": "ok reported: 100 in, 20 out"}),
    "in text": ([NO_TOOLS, spoken(ECHO)], {"model": "ok", "tool": "ok calls in text: the endpoint takes no tools"}),
    "text though offered tools": ([spoken(ECHO)], {"model": "ok", "tool": "warning calls it writes calls as text"}),
    "wrong arguments": (
        [calls(("echo", {"word": "x"}))],
        {"tool": "warning calls it calls a tool with wrong arguments"},
    ),
    "no calls, no tokens": (
        [text("Hello", tokens=None)],
        {"tool": "warning calls it calls no tool when asked to", "tokens": "warning the endpoint reports none"},
    ),
    "the key is refused": (
        [fault(401, body={"error": {"message": f"no {KEY}"}})],
        {"model": "warning the model endpoint"},
    ),
    "silence": ([hang()], {"model": "warning the model endpoint"}),
}


@pytest.mark.parametrize(("script", "found"), TRIALS.values(), ids=TRIALS)
def test_the_model_is_asked_to_call_a_tool_and_each_finding_is_one_line(
    tmp_path: Path, script: list[Scripted], found: dict[str, str]
) -> None:
    with ModelServer(script, models=["small"]) as server:
        variables = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY, "CRANE_ANSWER_SECONDS": "3"}
        done = crane("doctor", "--model", "small", home=tmp_path, CRANE_REHEARSE="off", **variables)
        sent = b"".join(server.bodies)
    assert done.returncode == 0  # the rules need no model
    assert KEY not in done.stdout + done.stderr
    assert len(server.requests) == len(script)
    assert str(tmp_path).encode() not in sent
    for start, words in found.items():
        line = row(done.stdout, start).removeprefix(start).split()
        if start == "tool":
            line[0], line[1] = line[1], line[0]
        assert " ".join(line).startswith(words)


def test_without_a_model_none_is_asked(tmp_path):
    with ModelServer([], models=["small"]) as server:
        done = crane("doctor", home=tmp_path, OPENAI_BASE_URL=server.base_url, CRANE_REHEARSE="off")
    assert "ok" in row(done.stdout, "endpoint").split()
    assert server.requests == []


def test_a_wrong_setting_is_one_line(tmp_path):
    done = crane("doctor", home=tmp_path, CRANE_STEPS="many")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("crane-agent: variable CRANE_STEPS: steps: ")
