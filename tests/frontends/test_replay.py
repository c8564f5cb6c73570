"""`--trace`, `replay` and `--samples` as a user types them, and what LangSmith gets where it is switched on."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from command_line import crane, write_notebook
from model_server import ModelServer, Scripted, calls, fault, verdict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECRET = "sk-proj-Zq8Xw3Lr5Tn1Vb7Kd9Mf2"
TEXT = "canarytext"
SETUP = (
    f"text = bytes.fromhex({TEXT.encode().hex()!r}).decode()\ncfg = {{}}\ndef load(x): return x\napi_key = {SECRET!r}"
)
OPEN = "import asyncio; await asyncio.sleep(0)\nload(1)\ncfg[text]"
"""A cell that is left to the policy, about which the kernel has a proof that is above the level."""

CRASH = {"outcome": "crash", "exception": {"type": "KeyError", "line": 3}, "evidence": [{"fact": "F1", "words": "x"}]}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return write_notebook(folder / "book.ipynb", SETUP, target=OPEN)


def asked(book: Path, home: Path, script: list[Scripted], *flags: object, **extra: str):
    with ModelServer(script) as server:
        address = server.base_url.replace("//", "//me:hunter2hunter2@")
        given = {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "key-5f1c9b7a3d", **extra}
        done = crane("check", book, "--model", "small", "--rehearse", "off", *flags, home=home, **given)
    return done


def test_a_run_is_traced_and_replayed(book: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    done = asked(book, tmp_path, [calls(("describe", {"path": "cfg"})), verdict(**CRASH)], "--trace", trace)
    assert done.returncode == 1, done.stderr
    text = trace.read_text("ascii")
    assert [each for each in (SECRET, TEXT, "hunter2", "key-5f1c9b7a3d") if each in text] == []

    again = crane("replay", trace, home=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("the same verdict: crash (KeyError, line 3), predicted, 0.90, by small\n")


def test_a_replay_with_another_verdict_exits_with_one(book: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    asked(book, tmp_path, [verdict(**CRASH)], "--trace", trace)
    trace.write_text(trace.read_text().replace('"explanation": "It fits."', '"explanation": "It is fine."', 1))
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    for event in lines:
        if event["event"] == "verdict":
            event["verdict"]["outcome"] = "no_crash"
    trace.write_text("\n".join(map(json.dumps, lines)))
    again = crane("replay", trace, home=tmp_path)
    assert again.returncode == 1
    assert again.stdout.startswith("another verdict: crash")
    assert "\nrecorded: no_crash" in again.stdout
    assert "\nverdict: other outcome" in again.stdout


def test_a_file_that_is_no_trace_is_one_line_and_exit_code_three(book: Path, tmp_path: Path) -> None:
    for file in (book, tmp_path / "nothing"):
        done = crane("replay", file, home=tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(f"crane-agent: {file}: ")
        assert done.stderr.count("\n") == 1


def test_a_trace_replaces_no_file_and_nothing_is_replayed_before_that_is_said(book: Path, tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("mine")
    done = crane("check", book, "--trace", tmp_path / "trace", home=tmp_path)
    assert done.returncode == 3
    assert "a trace replaces none" in done.stderr
    assert (tmp_path / "trace").read_text() == "mine"


def test_samples_are_asked_for_by_a_flag_and_counted_in_the_notes(book: Path, tmp_path: Path) -> None:
    done = asked(
        book, tmp_path, [verdict(**CRASH), verdict(), verdict(**CRASH)], "--samples", "3", "--no-fix", "--json"
    )
    found = json.loads(done.stdout)
    assert (found["outcome"], round(found["confidence"], 2)) == ("crash", 0.67)
    assert found["notes"] == ["2 of 3 samples agree"]


def test_samples_of_the_rules_are_one_and_a_line_says_so(book: Path, tmp_path: Path) -> None:
    done = crane("check", book, "--samples", "3", "--json", home=tmp_path)
    assert "sample" not in "".join(json.loads(done.stdout)["notes"])
    assert done.stderr == "crane-agent: samples: without a model there is one, since the rules do not vary\n"


# -- LangSmith -------------------------------------------------------------------------------------------------------


@dataclass
class LangSmith:
    """What the service was sent."""

    address: str = ""
    bodies: list[bytes] = field(default_factory=list)

    async def take(self, request: Request) -> JSONResponse:
        self.bodies.append(await request.body())
        return JSONResponse({})


@contextmanager
def langsmith() -> Iterator[LangSmith]:
    """Serve LangSmith's API, as far as runs are sent to it, on the loopback."""
    service = LangSmith()
    routes = [Route("/{path:path}", service.take, methods=["GET", "POST", "PATCH"])]
    config = uvicorn.Config(
        Starlette(routes=routes), host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    service.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.should_exit = True
        thread.join()


ON = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "lsv2_key"}


def test_langsmith_gets_the_run_where_its_variables_say_so_without_secrets_and_proofs(
    book: Path, tmp_path: Path
) -> None:
    echo = fault(500, body={"error": {"message": f"bad key {SECRET}"}})
    with langsmith() as service:
        script = [echo, calls(("describe", {"path": "cfg"})), verdict(**CRASH)]
        done = asked(book, tmp_path, script, LANGSMITH_ENDPOINT=service.address, **ON)
    assert done.returncode == 1, done.stderr
    sent = b"".join(service.bodies).decode(errors="replace")
    assert '"name":"conclude"' in sent, "the last node, too"
    assert "never_bound" in sent, "what a node added"
    assert [each for each in (SECRET, SECRET[8:], TEXT, "hunter2", "key-5f1c9b7a3d") if each in sent] == []


@pytest.mark.parametrize("variables", [{}, {"LANGSMITH_API_KEY": "lsv2_key"}, {**ON, "LANGSMITH_TRACING": "false"}])
def test_langsmith_gets_nothing_unless_its_variables_say_so(
    book: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    with langsmith() as service:
        asked(book, tmp_path, [verdict(**CRASH)], LANGSMITH_ENDPOINT=service.address, **variables)
    assert service.bodies == []


def test_a_replay_is_offline_whatever_the_variables_say(book: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    asked(book, tmp_path, [verdict(**CRASH)], "--trace", trace)
    with langsmith() as service:
        done = crane("replay", trace, home=tmp_path, LANGSMITH_ENDPOINT=service.address, **ON)
    assert done.returncode == 0
    assert service.bodies == []
