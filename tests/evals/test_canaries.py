"""What a policy must not see is planted wherever a benchmark keeps it, and looked for in every byte that is sent."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from model_server import ModelServer, calls, verdict
from published_notebooks import published_notebook

from crane_agent.config import Facts
from evals.junobench.predictions import read_predictions

pytest.importorskip("inspect_ai")

CANARY = "CanaryBird"
CRASHING, REPAIRED = "only_in_the_crash", "only_in_the_twin"
LATER = f"{CANARY}_later = 1"
LOAD = "import json\ntable = {'a': 1}"
ARMS = ",".join(
    f"{facts}{check}{rehearsal}"
    for facts in Facts.__args__
    for check in ("", " +check")
    for rehearsal in ("", " +rehearsal")
)
# The model looks around wherever it may: names, cells, the folder, the notebook it stands in.
SCRIPT = [
    calls(
        ("names", {}),
        ("history", {}),
        ("glob", {"pattern": "**", "recursive": True}),
        ("file", {"path": "."}),
        ("environment", {}),
    ),
    verdict(outcome="crash", exception={"type": "KeyError"}, explanation="No b."),
]


def with_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with canaries in all that is stored beside the cells' text."""
    for cell in notebook.cells:
        cell.id = f"{CANARY}-{cell.id}"
        cell.metadata["tags"] = [CANARY]
        cell.outputs += [
            nbformat.v4.new_output("stream", text=CANARY),
            nbformat.v4.new_output("execute_result", {"text/plain": CANARY}, execution_count=cell.execution_count),
        ]
        for output in cell.outputs:
            if output.output_type == "error":
                output.update(evalue=CANARY, traceback=[CANARY])
    notebook.metadata[CANARY] = CANARY
    notebook.cells.append(nbformat.v4.new_markdown_cell(CANARY))
    return notebook


@pytest.fixture
def live_layout(tmp_path: Path) -> Path:
    bench, case = tmp_path / f"{CANARY}_bench", f"pandas{CANARY}_1"
    folder = bench / "cases" / case
    folder.mkdir(parents=True)
    for version, own, target in (("reproduced", CRASHING, "table['b']"), ("fixed", REPAIRED, "table['a']")):
        cells = [nbformat.v4.new_code_cell(source) for source in (LOAD, f"{own} = 2", target)]
        nbformat.write(with_outputs(nbformat.v4.new_notebook(cells=cells)), folder / f"{case}_{version}.ipynb")
    (folder / "notes.md").write_text(CANARY)
    (folder / "edits.json").write_text(json.dumps(CANARY))
    (folder / "published_reproduced_runinfo.txt").write_text(CANARY)
    (folder / "make_data.py").write_text(
        f"# {CANARY}\nimport sys, pathlib\npathlib.Path(sys.argv[1], 'b.csv').write_text('b')\n"
    )
    (folder / "startup.py").write_text(f"# {CANARY}\n")
    truth = {"case": case, "version": "reproduced", "status": "error", "ename": "KeyError", "evalue": CANARY, "line": 1}
    (bench / "truth.jsonl").write_text(json.dumps(truth))
    columns = ("case_id", "root_cause", "crash_type", "ml_pipeline_stage", "diagnosis")
    (bench / "labels.csv").write_text(f"{','.join(columns)}\n{case},{CANARY},{CANARY},{CANARY},{CANARY}\n")
    return bench


@pytest.fixture
def published_layout(tmp_path: Path) -> Path:
    case = f"pandas{CANARY}_2"
    folder = tmp_path / f"{CANARY}_published" / "pandas" / case
    folder.mkdir(parents=True)
    for version, own, target, failing in (
        ("reproduced", CRASHING, "table['b']", 3),
        ("fixed", REPAIRED, "table['a']", None),
    ):
        cells = [
            (f"# {CANARY}\n{LOAD}  # {CANARY}", 1),
            (f"#[reexecute] {CANARY}\n{own} = 2", 2),
            (LATER, None),
            (f"{target}  # {CANARY}", 4),
            (LATER, 7),
        ]
        nbformat.write(with_outputs(published_notebook(cells, failing=failing)), folder / f"{case}_{version}.ipynb")
    (folder / "README.md").write_text(CANARY)
    return tmp_path / f"{CANARY}_published"


@pytest.mark.parametrize("layout", ["live_layout", "published_layout"])
@pytest.mark.parametrize("policy", ["endpoint/m", "openai-api/scripted/m"])
def test_no_policy_is_sent_what_only_the_benchmark_knows(
    layout: str, policy: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench: Path = request.getfixturevalue(layout)
    logs = tmp_path / "logs"
    with ModelServer(SCRIPT, repeats=True) as server:
        for prefix in ("OPENAI", "SCRIPTED"):
            monkeypatch.setenv(f"{prefix}_BASE_URL", server.base_url)
            monkeypatch.setenv(f"{prefix}_API_KEY", "key")
        options = [
            "--bench",
            bench,
            "--python",
            sys.executable,
            "--logs",
            logs,
            "--policy",
            policy,
            "--arms",
            ARMS,
            "--jobs",
            "1",
        ]
        subprocess.run(
            [sys.executable, "-m", "evals.junobench.grid", *map(str, options)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        sent = [
            body + json.dumps(headers).encode() for body, headers in zip(server.bodies, server.headers, strict=True)
        ]
        paths = server.paths
    rows = read_predictions(logs / "rows.jsonl")
    assert {row.error for row in rows} == {None}
    assert len(rows) == 2 * len(ARMS.split(","))
    # A crash or a run that checker or rehearsal prove needs no model; all others ask it.
    asked = [row for row in rows if row.verdict.usage.tokens_in]
    assert {row.arm.facts for row in asked if not row.arm.check and not row.arm.rehearse} == set(Facts.__args__)
    for seen in ("import json", CRASHING, REPAIRED, *(["b.csv"] if layout == "live_layout" else [])):
        assert any(seen.encode() in body for body in sent), seen

    assert [path for path in paths if CANARY in path] == []
    assert [body for body in sent if CANARY.lower().encode() in body.lower()] == []
    assert [body for body in sent if CRASHING.encode() in body and REPAIRED.encode() in body] == []
    assert [body for body in sent if any(name in body.lower() for name in (b"junobench", b"reproduced"))] == []
