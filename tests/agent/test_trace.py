"""The trace of a run: what is in it, what never is, and that a replay of it comes to the same."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from kernels import code_cells
from langchain_core.runnables.config import ensure_config
from model_server import ModelServer, Scripted, calls, fault, hang, text, verdict
from pydantic import SecretStr
from targets import target_in

from crane_agent.agent.policy import Decision, Policy, View
from crane_agent.agent.trace import TraceFile
from crane_agent.config import Privacy, Settings
from crane_agent.errors import ConfigError, KernelDied
from crane_agent.frontends.replay import Replay, as_lines, replay
from crane_agent.in_kernel.redaction import MARK
from crane_agent.notebook.history import Target
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, Reply, Session
from crane_agent.verdict.models import Claim, Verdict

SECRET = "sk-proj-Zq8Xw3Lr5Tn1Vb7Kd9Mf2"
TEXT = "canarytext"
SETUP = f"""
import pandas as pd
label, column = (bytes.fromhex(each).decode() for each in ({b"canarylabel".hex()!r}, {b"canarycolumn".hex()!r}))
df = pd.DataFrame({{'age': [20, 30, 40], 'price': ['1.5', label, '2'], column: 1}})
text = bytes.fromhex({TEXT.encode().hex()!r}).decode()
cfg = {{'rate': 0.1, 'hidden': bytes.fromhex({SECRET.encode().hex()!r}).decode()}}
def load(path): return path
"""
OPEN = "import asyncio; await asyncio.sleep(0)\nload(1)\nprint(df['Fare'])"
"""A cell that is left to the policy: other code may run while it waits."""

ASKS = ("columns", {"path": "df", "names": ["Fare"]})
CRASH = {
    "outcome": "crash",
    "exception": {"type": "KeyError", "line": 3},
    "evidence": [{"fact": "F2", "words": "none"}],
}


ABOVE: dict[Privacy, list[str]] = {
    "names": [SECRET, TEXT, "canarylabel", "canarycolumn"],
    "schema": [SECRET, TEXT, "canarylabel"],
    "values": [SECRET],
}


class Leveled(NamedTuple):
    level: Privacy
    session: LaunchedSession


@pytest.fixture(scope="module", params=get_args(Privacy))
def leveled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leveled]:
    with started(tmp_path_factory.mktemp("kernel"), request.param) as opened:
        yield Leveled(request.param, opened)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with started(tmp_path_factory.mktemp("kernel")) as opened:
        yield opened


def started(folder: Path, privacy: Privacy = "schema") -> LaunchedSession:
    return launch(code_cells(SETUP), folder=folder, in_place=True, privacy=privacy)


def target(source: str) -> Target:
    return target_in(source, executed=(SETUP,))


class Traced:
    """A run and its trace."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.verdict: Verdict | None = None

    @property
    def text(self) -> str:
        return self.path.read_text("ascii")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]


def traced(
    path: Path, session: Session, source: str = OPEN, *, policy: Policy | None = None, **settings: Any
) -> Traced:
    run = Traced(path)
    with TraceFile(path) as trace:
        limits = Settings(**{"rehearse": "off", **settings})
        run.verdict = predict(target(source), session, settings=limits, policy=policy, trace=trace)
    return run


def asked(path: Path, session: Session, *script: Scripted, source: str = OPEN, **settings: Any) -> Traced:
    """Return the run of a scripted model."""
    with ModelServer(script) as server:
        policy = server.policy()
        return traced(path, session, source, policy=policy, **settings)


def same(run: Traced) -> Replay:
    """Replay a run and make sure that it comes to the same, node by node."""
    found = replay(run.path)
    assert found.is_same, list(as_lines(found))
    assert (found.differences, found.unanswered) == ((), ())
    return found


# -- what is in it ---------------------------------------------------------------------------------------------------


def test_a_trace_has_the_run_event_by_event(session: LaunchedSession, tmp_path: Path) -> None:
    run = asked(tmp_path / "t", session, calls(ASKS), verdict(**CRASH))
    kinds = [event.get("node") or event.get("question") or event["event"] for event in run.events]
    model = ["request", "reply", "decision", "decide"]
    assert kinds == [
        "run", "target", "observe", "check", "check", "rehearse", "summarize", *model, "columns", "probe", *model,
        "ping", "confirm", "repair", "conclude", "verdict",
    ]  # fmt: skip
    times = [event["seconds"] for event in run.events]
    assert times == sorted(times)


def test_it_has_versions_settings_cells_messages_tokens_facts_and_the_verdict(
    session: LaunchedSession, tmp_path: Path
) -> None:
    run = asked(tmp_path / "t", session, calls(ASKS), verdict(**CRASH), steps=7)
    (begun,), (about,) = run.all("run"), run.all("target")
    assert begun["versions"]["python"]
    assert begun["versions"]["langgraph"]
    assert (begun["policy"], begun["settings"]["steps"], begun["settings"]["privacy"]) == ("small", 7, "schema")
    assert about["cell"]["source"] == OPEN
    assert len(about["executed"]) == 1

    first, second = run.all("request")
    assert [message["type"] for message in first["messages"]] == ["system", "human"]
    assert {"columns", "verdict"} <= set(first["tools"])
    assert second["messages"][-1]["data"]["content"].startswith("F2 ")
    assert [reply["tokens"]["input_tokens"] for reply in run.all("reply")] == [100, 100]

    (probed,) = [event for event in run.all("node") if event["node"] == "probe"]
    (fact,) = probed["added"]["facts"]
    assert (fact["id"], fact["reply"]["answer"]["missing"]) == ("F2", ["Fare"])
    assert run.verdict is not None
    assert run.all("verdict")[0]["verdict"] == run.verdict.model_dump(mode="json")


def test_no_key_no_password_and_no_other_secret_is_in_it(leveled: Leveled, tmp_path: Path) -> None:
    key, password = "key-5f1c9b7a3d", "hunter2hunter2"
    source = f"{OPEN}\nother = {SECRET!r}\nclient.login(password={password!r})"
    model_says = verdict(explanation=f"It uses {SECRET}.")
    with ModelServer([calls(("describe", {"path": "cfg"}), ASKS), text(f"I found {SECRET}"), model_says]) as server:
        policy = server.policy(api_key=key)
        address = f"http://me:{password}@localhost:1/v1?token={key}"
        kept = {"base_url": address, "api_key": SecretStr(key), "model": "small"}
        run = traced(tmp_path / "t", leveled.session, source, policy=policy, **kept)
    assert [secret for secret in (SECRET, SECRET[8:], key, password) if secret in run.text] == []
    assert MARK in run.all("target")[0]["cell"]["source"]
    assert run.all("target")[0]["cell"]["source"].count("\n") == source.count("\n")
    assert run.all("run")[0]["settings"]["base_url"] == "http://localhost:1"
    assert "api_key" not in run.all("run")[0]["settings"]


@pytest.mark.parametrize("source", ["cfg[text]", "load(1)\nint(text)", "df['price'].astype(float)", OPEN])
def test_nothing_above_the_privacy_level_is_in_it(leveled: Leveled, tmp_path: Path, source: str) -> None:
    every = ("describe", {"path": "text"}), ("describe", {"path": "cfg"}), ("cast", {"path": "df['price']"})
    run = asked(tmp_path / "t", leveled.session, calls(*every), verdict(), source=source, privacy=leveled.level)
    assert not [each for each in ABOVE[leveled.level] if each in run.text]
    assert '"proof": {' not in run.text
    assert run.verdict is not None
    if source == "cfg[text]":
        assert (TEXT in run.text) == (leveled.level == "values"), "the test is worth nothing if it cannot be seen"
        assert (TEXT in run.verdict.proof.message) == (leveled.level != "values")


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with TraceFile(tmp_path / "t") as trace:
            trace({"event": "run"})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o600


def test_a_file_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("mine")
    with pytest.raises(ConfigError, match="such a file already"):
        TraceFile(tmp_path / "t")
    with pytest.raises(ConfigError, match="cannot be written"):
        TraceFile(tmp_path / "no" / "t")
    assert (tmp_path / "t").read_text() == "mine"


def test_a_run_that_never_began_leaves_no_file(tmp_path: Path) -> None:
    with TraceFile(tmp_path / "t"):
        pass
    assert not (tmp_path / "t").exists()


def test_a_run_whose_trace_cannot_be_written_ends(session: LaunchedSession) -> None:
    events: list[Mapping[str, Any]] = []

    def full(event: Mapping[str, Any]) -> None:
        events.append(event)
        if event["event"] == "request":
            raise ConfigError("the disk is full")

    with ModelServer([verdict()]) as server:
        policy = server.policy()
        with pytest.raises(ConfigError, match="the disk is full"):
            predict(target(OPEN), session, settings=Settings(rehearse="off"), policy=policy, trace=full)
    assert server.bodies == []
    assert events[-1]["event"] == "error"


def test_a_reply_that_comes_after_the_run_is_in_no_trace(session: LaunchedSession, tmp_path: Path) -> None:
    run = asked(tmp_path / "t", session, hang(), source=OPEN, seconds=1)
    assert run.events[-1]["event"] == "verdict"
    assert run.all("reply") == []


# -- replays ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "print(df['Fare'])",
        "x = df['age'] + 1",
        "load(1)\nint(text)",
        "x = (",
        "import asyncio; await asyncio.sleep(0)\nload('x')\nprint(dff)",
        OPEN,
    ],
)
def test_a_run_of_the_rules_is_replayed(session: LaunchedSession, tmp_path: Path, source: str) -> None:
    run = traced(tmp_path / "t", session, source)
    found = same(run)
    assert run.verdict is not None
    assert found.verdict.outcome == run.verdict.outcome


SCRIPTS = {
    "probe and verdict": [calls(ASKS), verdict(**CRASH)],
    "parallel calls": [calls(ASKS, ("describe", {"path": "df"}), ("history", {"name": "df"})), verdict(**CRASH)],
    "nonsense": [text("Hm."), verdict(outcome="perhaps"), text("Hm.")],
    "unknown tool": [calls(("run_code", {"code": "1"})), verdict()],
    "malformed": [calls(("columns", "{not json")), verdict()],
    "a retry": [fault(500), verdict(**{**CRASH, "evidence": [{"fact": "F1", "words": "x"}]})],
    "a dead endpoint": [fault(401)],
    "no usage": [verdict(**CRASH)],
}


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_run_of_a_model_is_replayed_without_it(
    session: LaunchedSession, tmp_path: Path, script: list[Scripted], samples: int
) -> None:
    run = asked(tmp_path / "t", session, *script, samples=samples)
    same(run)


@pytest.mark.parametrize("source", ["load(1)\nprint(df['Age'].mean())", OPEN, "import asyncio; await asyncio.sleep(0)"])
def test_a_run_with_rehearsals_and_a_fix_is_replayed(session: LaunchedSession, tmp_path: Path, source: str) -> None:
    run = traced(tmp_path / "t", session, source, rehearse="on", fix=True)
    assert run.all("rehearsal")
    same(run)


def test_a_run_with_a_models_patches_is_replayed_without_it(session: LaunchedSession, tmp_path: Path) -> None:
    source = "print(df['zzzz'])"
    patches = [calls(("patch", {"summary": "s", "source": f"print(df['{name}'])"})) for name in ("zzz", "age")]
    run = asked(tmp_path / "t", session, *patches, source=source, rehearse="on")
    assert run.verdict is not None
    assert run.verdict.fix is not None
    assert run.verdict.fix.verified == "yes"
    same(run)


def test_the_users_answer_about_a_rehearsal_is_replayed(session: LaunchedSession, tmp_path: Path) -> None:
    for answer in (True, False):
        with TraceFile(tmp_path / str(answer)) as trace:
            limits = Settings(rehearse="ask")
            predict(target(OPEN), session, settings=limits, may_rehearse=lambda answer=answer: answer, trace=trace)
        found = same(Traced(tmp_path / str(answer)))
        assert (found.verdict.reached_by == "rehearsal") == answer


def test_a_run_that_its_time_ended_is_replayed_at_once(session: LaunchedSession, tmp_path: Path) -> None:
    run = asked(tmp_path / "t", session, calls(ASKS), hang(), seconds=1.5)
    assert run.verdict is not None
    assert run.verdict.reached_by == "rules"
    same(run)


def test_a_kernel_without_an_answer_is_replayed_as_such(session: LaunchedSession, tmp_path: Path) -> None:
    run = traced(tmp_path / "t", session, probe_seconds=0.000_001)
    same(run)


def test_a_replay_names_the_node_at_which_another_version_differs(session: LaunchedSession, tmp_path: Path) -> None:
    run = asked(tmp_path / "t", session, calls(ASKS), verdict(**CRASH))
    lines = run.text.splitlines()
    for place, line in enumerate(lines):
        if json.loads(line)["event"] == "question" and json.loads(line)["question"] == "columns":
            lines[place] = line.replace('"missing": ["Fare"]', '"missing": []')
    (tmp_path / "changed").write_text("\n".join(lines))
    found = replay(tmp_path / "changed")
    assert found.is_same, "the model's answer is the recorded one"
    assert [(each.node, each.words) for each in found.differences] == [
        ("probe", "adds other facts"),
        ("decide", "adds other messages"),
    ]


def test_a_replay_says_that_the_run_takes_another_way_and_comes_to_another_verdict(
    session: LaunchedSession, tmp_path: Path
) -> None:
    run = traced(tmp_path / "t", session, "print(df['Fare'])")
    changed = run.text.replace('"finding": {', '"finding": null, "was": {')
    (tmp_path / "changed").write_text(changed)
    found = replay(tmp_path / "changed")
    assert not found.is_same
    lines = list(as_lines(found))
    assert lines[0].startswith("another verdict: ")
    assert lines[1].startswith("recorded: crash (KeyError, line 1), certain, 1.00, by checker")
    assert any("the run goes on with rehearse, where the recorded one has confirm" in line for line in lines)


def test_a_replay_says_what_was_asked_that_the_trace_does_not_have(session: LaunchedSession, tmp_path: Path) -> None:
    run = asked(tmp_path / "t", session, calls(ASKS), verdict(**CRASH))
    kept = [line for line in run.text.splitlines() if '"question": "columns", "arguments"' not in line]
    (tmp_path / "changed").write_text("\n".join(kept))
    found = replay(tmp_path / "changed")
    assert len(found.unanswered) == 1
    assert any(line.startswith("not in the trace: columns") for line in as_lines(found))


def test_a_replay_says_what_a_trace_never_has(session: LaunchedSession, tmp_path: Path) -> None:
    run = traced(tmp_path / "t", session, f"key = {SECRET!r}\nint(text)")
    changed = run.text.replace('"finding": {', '"finding": null, "was": {')
    (tmp_path / "changed").write_text(changed)
    (line,) = [line for line in as_lines(replay(tmp_path / "changed")) if line.startswith("a trace has not")]
    assert "the secrets in 1 cell" in line
    assert "what proved 1 reply" in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not the trace"),
        ("[]", "not the trace"),
        ("no json", "not the trace"),
        ('{"event": "verdict"}', "not the trace"),
        ('{"event": "run", "format": 99}', "another form"),
        ('{"event": "run", "format": 1}', "did not come to a verdict"),
        ('{"event": "run", "format": 1}\n{"event": "error", "error": "KernelDied: gone"}', "KernelDied: gone"),
        ('{"event": "run", "format": 1}\n{"event": "verdict", "verdict": {}}', "not the trace"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "t").write_text(content)
    with pytest.raises(ConfigError, match=words) as caught:
        replay(tmp_path / "t")
    assert "\n" not in str(caught.value)


def test_a_run_that_ended_in_an_error_says_so(tmp_path: Path) -> None:
    class Dead(LaunchedSession):
        owned = True
        python_version = (3, 11)

        def __init__(self) -> None:
            pass

        def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
            raise KernelDied("the kernel is gone")

    with TraceFile(tmp_path / "t") as trace, pytest.raises(KernelDied):
        predict(target(OPEN), Dead(), settings=Settings(rehearse="off"), trace=trace)
    with pytest.raises(ConfigError, match="the run did not come to a verdict: KernelDied: the kernel is gone"):
        replay(tmp_path / "t")


# -- LangSmith -------------------------------------------------------------------------------------------------------


def test_by_default_nothing_listens_to_a_run(session: LaunchedSession) -> None:
    heard: list[object] = []

    class Listening:
        name = "listening"

        def decide(self, view: View) -> Decision:
            callbacks = ensure_config()["callbacks"]
            heard.append([*getattr(callbacks, "handlers", callbacks or [])])
            return Decision(claim=Claim(outcome="no_crash", confidence=0.5, explanation="x"))

    predict(target(OPEN), session, settings=Settings(rehearse="off"), policy=Listening())
    assert len(heard) == 1
    assert all("crane" not in type(each).__module__ and "Tracer" not in type(each).__name__ for each in heard[0])
