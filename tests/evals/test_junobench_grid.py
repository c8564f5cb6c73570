"""The grid with real kernels: every arm, with rules and with a scripted model; errors are rows; a killed run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from model_server import ModelServer, calls, fault, text, verdict

pytest.importorskip("inspect_ai")

from inspect_ai.log import read_eval_log

from crane_agent.config import Facts
from evals.junobench.predictions import Arm, Prediction, read_predictions
from evals.junobench.reasons import main as reasons

ALL_ARMS = [
    Arm(facts=facts, check=check, rehearse=rehearse)
    for facts in Facts.__args__
    for check in (False, True)
    for rehearse in (False, True)
]
SCRIPT = [calls(("names", {})), verdict(outcome="crash", confidence=0.8, exception={"type": "NameError"})]


class Ended(NamedTuple):
    status: int
    rows: list[Prediction]
    errors: str


def command(bench: Path, logs: Path, *options: str, arms: str) -> list[str]:
    named = ["--bench", str(bench), "--python", sys.executable, "--logs", str(logs), "--arms", arms]
    return [sys.executable, "-m", "evals.junobench.grid", *named, *options]


def grid(bench: Path, logs: Path, *options: str, arms: str = "static,adaptive +check") -> Ended:
    """Run a grid in a process of its own: Inspect leaves streams open, and a warning is an error here."""
    run = subprocess.run(
        command(bench, logs, *options, arms=arms), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    rows = logs / "rows.jsonl"
    return Ended(run.returncode, read_predictions(rows) if rows.exists() else [], run.stderr)


def logs_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eval"))


def test_every_arm_is_asked_with_rules(toy_bench: Path, tmp_path: Path) -> None:
    arms = ",".join(arm.name for arm in ALL_ARMS)
    status, rows, _ = grid(toy_bench, tmp_path / "logs", "--case", "names_1", arms=arms)
    assert status == 0
    assert {row.arm for row in rows} == set(ALL_ARMS)
    assert len(rows) == 2 * len(ALL_ARMS)
    assert {row.error for row in rows} == {None}
    told = {(row.version, row.arm.name): row for row in rows}
    crash = told["reproduced", "adaptive +check"]
    assert (crash.truth.ename, crash.truth.line, crash.library) == ("NameError", 4, "names")
    assert (crash.score.result, crash.score.certain, crash.score.diagnosed) == ("right", True, True)
    assert told["fixed", "static"].fact_bytes == 0 < told["fixed", "fixed"].fact_bytes
    assert told["fixed", "static +check"].verdict.reached_by == "checker"
    assert told["fixed", "static +rehearsal"].verdict.usage.rehearsals == 1


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    with ModelServer(SCRIPT, repeats=True) as server:
        for prefix in ("OPENAI", "SCRIPTED"):
            monkeypatch.setenv(f"{prefix}_BASE_URL", server.base_url)
            monkeypatch.setenv(f"{prefix}_API_KEY", "sk-scripted")
        yield server


@pytest.mark.parametrize("policy", ["endpoint/scripted-1", "openai-api/scripted/scripted-1"])
def test_a_model_is_asked_at_our_own_endpoint_and_by_inspects_providers(
    toy_bench: Path, tmp_path: Path, scripted: ModelServer, policy: str
) -> None:
    logs = tmp_path / "logs"
    rows = grid(
        toy_bench, logs, "--case", "names_1", "--policy", policy, "--jobs", "1", arms="adaptive,fixed +check,static"
    ).rows
    name = policy.removeprefix("endpoint/")
    assert {row.arm.name for row in rows} == {f"{name} adaptive", f"{name} fixed +check", f"{name} static"}
    (adaptive,) = (row for row in rows if row.arm.facts == "adaptive" and row.version == "reproduced")
    assert (adaptive.verdict.reached_by, adaptive.verdict.usage.probe_calls) == (name, 1)
    assert (adaptive.score.result, adaptive.verdict.usage.tokens_in) == ("right", 200)
    assert all(headers["authorization"] == "Bearer sk-scripted" for headers in scripted.headers)

    (log,) = logs_in(logs)
    assert b"sk-scripted" not in log.read_bytes()
    sample = next(each for each in read_eval_log(str(log)).samples if each.id == "names_1_reproduced")
    spans = {event.id: event.name for event in sample.events if event.event == "span_begin"}
    told = {
        (spans[event.span_id], event.source): event.data
        for event in sample.events
        if event.event == "info" and event.span_id in spans
    }
    assert "NameError" in str(told[adaptive.arm.name, "answer"])
    assert [fact["call"]["question"] for fact in told[adaptive.arm.name, "facts"]["facts"]] == ["names"]
    assert ["request" in each for each in told[adaptive.arm.name, "messages"]["messages"]] == [True, False, True, False]
    asked = [event for event in sample.events if event.event == "model"]
    assert bool(asked) == policy.startswith("openai-api/")
    assert {spans[event.span_id] for event in asked} <= {row.arm.name for row in rows}


def test_a_model_that_fails_is_told_and_the_rules_decide(
    toy_bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer([fault(400)], repeats=True) as server:
        monkeypatch.setenv("SCRIPTED_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPTED_API_KEY", "key")
        rows = grid(
            toy_bench, tmp_path / "logs", "--case", "names_1", "--policy", "openai-api/scripted/m", arms="static"
        ).rows
    assert {row.verdict.reached_by for row in rows} == {"rules"}
    assert all("gave up" in row.verdict.notes[0] for row in rows)


def test_a_run_that_fails_is_a_row_for_each_arm_and_the_others_go_on(original_bench: Path, tmp_path: Path) -> None:
    status, rows, _ = grid(original_bench, tmp_path / "logs")
    assert status == 1
    failed = [row for row in rows if row.case == "numpy_9"]
    assert [(row.arm.name, row.verdict) for row in failed] == [("static", None), ("adaptive +check", None)]
    assert all("FileNotFoundError" in row.error for row in failed)
    told = {row.version: row for row in rows if row.case == "pandas_7" and row.arm.check}
    crash, repaired = told["reproduced"], told["fixed"]
    assert (crash.truth.ename, crash.truth.line, crash.score.result) == ("KeyError", 2, "right")
    assert (repaired.truth.status, repaired.score.result) == ("ok", "right")


def test_a_wrong_command_line_is_told_in_a_line(toy_bench: Path, tmp_path: Path) -> None:
    wrong = ((("--case", "x_1"), "static", "no case x_1"), ((), "statick", "no arm is called"))
    for options, arms, words in wrong:
        ended = grid(toy_bench, tmp_path / "logs", *options, arms=arms)
        assert ended.status == 2
        assert words in ended.errors.splitlines()[-1]
    assert not (tmp_path / "logs").exists()


def test_the_table_compares_rehearsals(toy_bench: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.md"
    arms = "static,adaptive +check,adaptive +check +rehearsal"
    grid(toy_bench, tmp_path / "logs", "--case", "names_1", "--table", str(table), arms=arms)
    text = table.read_text()
    assert "| without rehearsal | 2 | 2 |" in text
    assert "| with rehearsal | 2 | 2 |" in text
    assert "static" not in text.split("## Made with")[0]


# --- interruptions -------------------------------------------------------------------------------------------


@pytest.fixture
def counting_bench(tmp_path: Path) -> tuple[Path, Path]:
    """Three cases whose cells write down when they run, and the file that they write to."""
    bench, runs = tmp_path / "bench", tmp_path / "runs"
    for number in range(3):
        folder = bench / "cases" / f"toy_{number}"
        folder.mkdir(parents=True)
        for version in ("reproduced", "fixed"):
            setup = (
                f"import time\nfile = open({str(runs)!r}, 'a')\nfile.write('toy_{number} {version}\\n')\nfile.close()"
            )
            cells = [nbformat.v4.new_code_cell(each) for each in (setup, "time.sleep(0.3)")]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"toy_{number}_{version}.ipynb")
    runs.touch()
    return bench, runs


def started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_killed_run_loses_nothing_and_repeats_nothing_finished(
    counting_bench: tuple[Path, Path], tmp_path: Path, whole_group: bool
) -> None:
    bench, runs = counting_bench
    logs, jobs = tmp_path / "logs", 2
    options = ["--jobs", str(jobs), "--epochs", "2"]
    run = started(command(bench, logs, *options, arms="static"))
    ends = time.monotonic() + 90
    while len(runs.read_text().splitlines()) < 5 and run.poll() is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert run.poll() is None
    (os.killpg if whole_group else os.kill)(run.pid, signal.SIGKILL)
    run.wait()

    status, rows, _ = grid(bench, logs, *options, arms="static")
    assert status == 0
    versions = ("fixed", "reproduced")
    assert sorted(row.key for row in rows) == [
        (f"toy_{number}", version, "static", epoch) for number in range(3) for version in versions for epoch in (1, 2)
    ]
    assert {row.truth.status for row in rows} == {"ok"}
    # What was in hand when it was killed runs again; nothing else does.
    assert len(rows) < len(runs.read_text().splitlines()) <= len(rows) + jobs

    before = runs.read_text()
    assert grid(bench, logs, *options, arms="static").rows == rows
    assert runs.read_text() == before


# --- reasons -------------------------------------------------------------------------------------------------


LABELS = "case_id,root_cause,crash_type,ml_pipeline_stage,diagnosis\nnames_1,NB specific,variable not found,training,missing is not defined\n"


def test_a_model_judges_reasons_against_the_written_cause(
    toy_bench: Path, tmp_path: Path, scripted: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toy_bench / "labels.csv").write_text(LABELS)
    with ModelServer([text("It names the name.\n\nGRADE: C")], repeats=True) as judge:
        monkeypatch.setenv("JUDGE_BASE_URL", judge.base_url)
        monkeypatch.setenv("JUDGE_API_KEY", "key")
        rows = grid(
            toy_bench,
            tmp_path / "logs",
            "--case",
            "names_1",
            "--policy",
            "endpoint/m",
            "--judge",
            "openai-api/judge/j",
            "--jobs",
            "1",
            arms="static",
        ).rows
        told = judge.bodies[0].decode()
    assert {row.version: row.reason_right for row in rows} == {"reproduced": True, "fixed": None}
    assert {row.root_cause for row in rows} == {"NB specific"}
    assert "missing is not defined" in told
    assert "It fits." in told
    assert len(judge.bodies) == 1
    assert not any(b"missing is not defined" in body for body in scripted.bodies)


def test_reasons_are_judged_by_hand_without_knowing_the_arm(toy_bench: Path, tmp_path: Path) -> None:
    (toy_bench / "labels.csv").write_text(LABELS)
    arms = "fixed +check,adaptive +check"
    grid(toy_bench, tmp_path / "logs", "--case", "names_1", arms=arms)
    rows, sheet, judged = tmp_path / "logs" / "rows.jsonl", tmp_path / "sheet.csv", tmp_path / "judged.jsonl"
    assert reasons(["write", str(rows), str(sheet), "--bench", str(toy_bench)]) == 0
    lines = sheet.read_text().splitlines()
    assert "adaptive" not in sheet.read_text()
    sheet.write_text(sheet.read_text().rstrip("\r\n") + "yes\n")
    assert len([line for line in lines if line.startswith(tuple("0123456789abcdef")) and "names_1" in line]) == 1
    assert reasons(["read", str(rows), str(sheet), str(judged)]) == 0
    told = {(row.version, row.arm.facts): row.reason_right for row in read_predictions(judged)}
    assert told == {
        ("reproduced", "fixed"): True,
        ("reproduced", "adaptive"): True,
        ("fixed", "fixed"): None,
        ("fixed", "adaptive"): None,
    }
