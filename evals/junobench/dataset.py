"""JunoBench's instances and labels, read from its folder.

Two layouts are read: the runnable one (`cases/`, one folder a case, the target is the last cell) and the published one
(`original`). What an instance holds is all that a policy may see; labels, notes and what was recorded are beside it.
"""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from crane_agent.notebook.cells import read_notebook
from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause
from evals.instance import Instance, Truth, in_source_lines
from evals.junobench.original import case_folders, original_instances

VERSIONS = ("reproduced", "fixed")


class Labels(BaseModel):
    """JunoBench's labels of a case; None where there is none, or none of the known ones.

    Attributes:
        root_cause: Why it crashes.
        crash_type: How.
        ml_stage: Where in the pipeline.
        cause: The cause in words; empty if nobody wrote it down.
    """

    model_config = ConfigDict(frozen=True)

    root_cause: RootCause | None = None
    crash_type: CrashType | None = None
    ml_stage: MLStage | None = None
    cause: str = ""


def load_instances(bench: Path, cases: Collection[str] = ()) -> list[Instance]:
    """Read the instances of a JunoBench folder, sorted by case, `reproduced` before `fixed`.

    Args:
        bench: The folder that holds `cases/` and `truth.jsonl`, or one that JunoBench was unpacked in.
        cases: Names of the cases wanted; all if empty.

    Raises:
        FileNotFoundError: The folder holds no cases, or not all of those wanted.
        NotJunoBench: A case is not as JunoBench has them.
        NotANotebook: A notebook cannot be read.
    """
    is_runnable = (bench / "cases").is_dir()
    folders = _runnable_folders(bench) if is_runnable else case_folders(bench)
    missing = sorted(set(cases) - set(folders))
    if missing or not folders:
        raise FileNotFoundError(f"no case {', '.join(missing) or 'at all'} under {bench}")
    wanted = [folders[name] for name in sorted(cases or folders)]
    if not is_runnable:
        return [instance for folder in wanted for instance in original_instances(folder)]
    recorded = dict(_recorded(bench / "truth.jsonl"))
    return [_instance(case, version, recorded) for case in wanted for version in VERSIONS]


def load_labels(bench: Path) -> dict[str, Labels]:
    """Return the labels of a JunoBench folder's cases, by case: those of its `labels.csv`, with the cases' notes."""
    path = bench / "labels.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["case_id"]: _labels(row, bench / "cases" / row["case_id"] / "notes.md") for row in csv.DictReader(file)
        }


def library_of(case: str) -> str:
    """Return the library, or kind of crash, that a case is filed under: the prefix of its name."""
    return case.rsplit("_", 1)[0]


def _labels(row: Mapping[str, str], notes: Path) -> Labels:
    written = notes.read_text(encoding="utf-8").strip() if notes.exists() else ""
    return Labels(
        root_cause=_known(row["root_cause"], RootCause),
        crash_type=_known(row["crash_type"], CrashType),
        ml_stage=_known(row["ml_pipeline_stage"], MLStage),
        cause="\n\n".join(filter(None, (row.get("diagnosis", "").strip(), written))),
    )


def _known(label: str, kind: Any) -> Any:
    return label if label in get_args(kind) else None


def _runnable_folders(bench: Path) -> dict[str, Path]:
    return {folder.name: folder for folder in sorted(bench.glob("cases/*")) if folder.is_dir()}


def _instance(case: Path, version: str, recorded: Mapping[tuple[str, str], Truth]) -> Instance:
    notebook = read_notebook(case / f"{case.name}_{version}.ipynb")
    *executed, target = (cell.source for cell in notebook.cells if cell.kind == "code")
    truth = recorded.get((case.name, version))
    return Instance(
        case=case.name,
        version=version,
        executed=tuple(executed),
        target=target,
        data_script=_if_there(case / "make_data.py"),
        startup=_if_there(case / "startup.py"),
        recorded=truth and in_source_lines(truth, target),
    )


def _recorded(path: Path) -> Iterator[tuple[tuple[str, str], Truth]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield (row.pop("case"), row.pop("version")), Truth.model_validate(row)


def _if_there(path: Path) -> Path | None:
    return path.resolve() if path.exists() else None
