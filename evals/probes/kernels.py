"""The probes in kernels of all ages: `python -m evals.probes.kernels [PYTHON ...]`.

For each interpreter, an environment of its own in a temporary folder gets one ipykernel after the other, numpy and
pandas, and `tests/in_kernel/test_kernel_ages.py` is run against it. Without arguments the interpreters are those on
the PATH called python3.8, python3.9 ... Exits with status 1 if a test failed or an environment could not be made.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from evals.provenance import ROOT, command_line, commit, kernel_versions, provenance
from evals.table import Section, markdown, show

NAMES = [f"python3.{minor}" for minor in range(8, 15)]
KERNELS = ("ipykernel==6.29.*", "ipykernel>=7")
"""What is tried in each environment, in this order."""

OLD_KERNEL = ("ipykernel==5.5.*", "ipython<8", "jupyter_client<8", "setuptools<70")
"""The last ipykernel without a control thread: with the oldest interpreter only."""

SUITE = "tests/in_kernel/test_kernel_ages.py"
INSTALL_LIMIT_S = 1200.0
SUITE_LIMIT_S = 1800.0


@dataclass(frozen=True)
class Result:
    """How the suite ended in one environment.

    Attributes:
        asked: What pip was asked for.
        versions: Versions by package, and `python`.
        counts: Tests by outcome: passed, failed, skipped.
        failures: Names of the tests that failed.
        problem: Why there are no counts; empty if there are.
    """

    asked: str
    versions: dict[str, str]
    counts: dict[str, int]
    failures: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether tests ran, and none failed; an environment that pip cannot make is no failure of ours."""
        return not self.failures and (bool(self.counts) or self.problem.startswith("not to be had"))


def run(pythons: Sequence[str]) -> Iterator[Result]:
    """Run the suite with every ipykernel in an environment of each interpreter."""
    for place, python in enumerate(pythons):
        with tempfile.TemporaryDirectory(prefix="kernels_") as folder:
            subprocess.run([python, "-m", "venv", folder], check=True, capture_output=True)
            own = str(Path(folder) / "bin" / "python")
            for wanted in ((OLD_KERNEL,) if place == 0 else ()) + tuple((each,) for each in KERNELS):
                problem = _install(own, wanted)
                if problem:
                    asked = {"python": kernel_versions(own)["python"]}
                    yield Result(wanted[0], asked, {}, problem=f"not to be had: {problem}")
                else:
                    yield _test(own, wanted[0])


def _install(python: str, wanted: Sequence[str]) -> str:
    """Install what is wanted; return why that cannot be done, '' if it was."""
    command = [python, "-m", "pip", "install", "--quiet", "--only-binary", "numpy,pandas,pyzmq,debugpy,psutil"]
    found = subprocess.run(
        [*command, *wanted, "numpy", "pandas"], capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
    )
    if found.returncode == 0:
        return ""
    errors = [line for line in found.stderr.splitlines() if line.startswith("ERROR")]
    return errors[-1][:120] if errors else f"pip ended with status {found.returncode}"


def _test(python: str, asked: str) -> Result:
    versions = kernel_versions(python)
    environment = dict(os.environ, CRANE_KERNEL_PYTHONS=python, JUPYTER_PLATFORM_DIRS="1")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        try:
            subprocess.run(
                [sys.executable, "-m", "pytest", SUITE, f"--junitxml={report}", "-p", "no:cacheprovider"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                timeout=SUITE_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(asked, versions, {}, problem=f"not done after {SUITE_LIMIT_S:.0f} s")
        if not report.exists():
            return Result(asked, versions, {}, problem="the tests could not be run")
        return _read(report, asked, versions)


def _read(report: Path, asked: str, versions: dict[str, str]) -> Result:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        counts[outcome] += 1
        if outcome == "failed":
            failures.append(re.sub(r"\[.*?/bin/python-?", "[", case.attrib["name"]).replace("[]", ""))
    return Result(asked, versions, counts, tuple(failures))


def sections(results: Sequence[Result], made_with: dict[str, str]) -> list[Section]:
    """Turn results into tables."""
    packages = ("python", "ipykernel", "ipython", "numpy", "pandas")
    rows = tuple(
        (
            each.asked,
            *(each.versions.get(name, "") for name in packages),
            *(str(each.counts.get(name, "")) for name in ("passed", "failed", "skipped")),
            each.problem,
        )
        for each in results
    )
    failures = tuple(
        (each.versions["python"], each.versions.get("ipykernel", ""), name)
        for each in results
        for name in each.failures
    )
    parts = [
        Section("Kernels", ("asked for", *packages, "passed", "failed", "skipped", ""), rows),
        Section("Failed", ("python", "ipykernel", "test"), failures),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]
    return [part for part in parts if part.rows]


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.probes.kernels", description=__doc__)
    parser.add_argument("pythons", nargs="*", metavar="PYTHON", help="interpreters; those on the PATH if none")
    parser.add_argument("--table", type=Path, help="Markdown file for the tables")
    options = parser.parse_args()
    pythons = options.pythons or [path for name in NAMES if (path := shutil.which(name))]
    console = Console(stderr=True)
    results = []
    for result in run(pythons):
        results.append(result)
        console.print(result.versions, result.counts or result.problem, *result.failures, markup=False)
    made_with = provenance(
        command_line("evals.probes.kernels", [], {}),
        sys.executable,
        truth="the tests",
        n=len(results),
        commits=[commit()],
    )
    parts = sections(results, made_with)
    show("Kernels of all ages", parts, Console(width=None if sys.stdout.isatty() else 160))
    if options.table:
        options.table.write_text(markdown("Kernels of all ages", parts), encoding="utf-8")
    return int(not results or not all(result.is_good for result in results))


if __name__ == "__main__":
    sys.exit(main())
