"""Every probe asked about every name of real notebooks: `python -m evals.probes.junobench --bench FOLDER --python PY`.

After the executed cells of each of JunoBench's instances are replayed, every name that they bound is asked about by
every probe, and so are the columns, attributes and keys that the answers show. Counted are the replies: answered,
refused and why, failed. Nothing of the notebooks is kept: of reasons and faults only the words stay that our own
sources use. Exits with status 1 if a reply failed, or an instance did.

Each instance has a process of its own, and its row is kept in `--out`: what is there is not run again.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.console import Console

import crane_agent.in_kernel
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Limits, Reply
from evals.instance import Instance
from evals.junobench.dataset import load_instances
from evals.probes.questions import FILES, KERNEL_PROBES, OF_THE_WORLD, Question, all_questions, is_misfit, questions
from evals.provenance import command_line, commit, provenance
from evals.rows_file import rows_in, run_missing
from evals.runner import run_worker
from evals.solver import CELL_LIMIT_S, KERNEL_ENVIRONMENT, START_LIMIT_S, install_startup, target_in
from evals.table import Section, markdown, show

DEADLINE_S = 1200.0
DATA_LIMIT_S = 300.0
MAX_NAMES = 300
MAX_INSIDE = 4
"""Columns, attributes and keys of one value that are asked about, too."""

MAX_REASON = 160
LIMITS = Limits(seconds=5.0)
REPLIES = ("ok", "other kind", "refused", "failed")
"""What is counted: `other kind` is a refusal because the probe is not for such a value, `refused` any other one."""

SEPARATE = OF_THE_WORLD | {"names"}


class Job(BaseModel):
    """What a worker is to do: an instance, the kernel's interpreter, and empty folders for its work and profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: Instance
    python: str
    work: Path
    profile: Path
    answer: Path


class Row(BaseModel):
    """What the probes said about one instance.

    Attributes:
        case: Name of the case.
        version: Which instance of it.
        commit: The commit that asked.
        names: Names asked about.
        replies: By probe, how many replies there were of each of `REPLIES`.
        refused: By probe, how often each reason was given, without names; not for values of another kind.
        failed: Faults of our own, with the probe, without names.
        differing: Probes whose second answer to the same question was another.
        milliseconds: By probe, round trips [milliseconds].
        size: Largest reply [bytes].
        error: Why there is no such row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    commit: str
    names: int = 0
    replies: dict[str, dict[str, int]] = {}
    refused: dict[str, dict[str, int]] = {}
    failed: dict[str, int] = {}
    differing: dict[str, int] = {}
    milliseconds: dict[str, list[float]] = {}
    size: int = 0
    error: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a dataset."""
        return self.case, self.version


# -- In the worker --------------------------------------------------------------------------------------------------


class Asker:
    """Asks and counts."""

    def __init__(self, session: LaunchedSession) -> None:
        self._session = session
        self.replies: dict[str, Counter[str]] = defaultdict(Counter)
        self.refused: dict[str, Counter[str]] = defaultdict(Counter)
        self.failed: Counter[str] = Counter()
        self.differing: Counter[str] = Counter()
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.size = 0

    def ask(self, question: Question) -> Reply:
        """Put a question and count the reply; an answer must be the same when it is asked for again."""
        reply = self._session.ask(*question, limits=LIMITS)
        probe = question.probe
        misfit = is_misfit(reply)
        self.replies[probe]["other kind" if misfit else reply.status] += 1
        self.milliseconds[probe].append(round(reply.elapsed_ms, 2))
        self.size = max(self.size, reply.size)
        if reply.status == "refused" and not misfit:
            self.refused[probe][_general(reply.reason, question)] += 1
        if reply.status == "failed":
            self.failed[f"{probe}: {_general(reply.reason, question)}"] += 1
        # A busy machine may end one of the two answers by its deadline.
        if reply.status == "ok" and (again := self._session.ask(*question, limits=LIMITS)).status == "ok":
            self.differing[probe] += again.answer != reply.answer
        return reply

    def ask_about(self, path: str, other: str) -> None:
        """Ask every probe about one value, and a few about what the answers show of its inside."""
        for probe in KERNEL_PROBES:
            for question in _about(probe, path, other):
                # What does not fit the value's kind is asked once.
                if is_misfit(self.ask(question)):
                    break
        for label in self._inside("columns", path, "columns"):
            for probe in ("column", "cast", "index"):
                for question in questions(probe, (path,)):
                    if "name" in question.arguments:
                        self.ask(Question(probe, {**question.arguments, "name": label}))
            if isinstance(label, str):
                self.ask(Question("rows", {"path": path, "where": f"`{label}` == `{label}`"}))
        for key in self._inside("keys", path, "keys"):
            if isinstance(key, int) or (isinstance(key, str) and "'" not in key):
                self.ask(Question("describe", {"path": f"{path}[{key!r}]"}))
        for name in self._inside("attributes", path, "attributes"):
            self.ask(Question("describe", {"path": f"{path}.{name}"}))

    def _inside(self, probe: str, path: str, field: str) -> list[Any]:
        found = self._session.ask(probe, {"path": path}, limits=LIMITS).answer.get(field, [])
        labels = [each[0] if isinstance(each, list) and each else each for each in found]
        return [each for each in labels if isinstance(each, (str, int))][:MAX_INSIDE]


def _about(probe: str, path: str, other: str) -> Iterator[Question]:
    """Yield a probe's questions about one value; where a second one is wanted, it is `other`."""
    if probe in SEPARATE:
        return
    asked = []
    for question in questions(probe, (path,)):
        arguments = {
            name: other if name in ("right", "other", "frame", "model") else value
            for name, value in question.arguments.items()
        }
        if arguments not in asked:
            asked.append(arguments)
            yield Question(probe, arguments)


def _general(reason: str, question: Question) -> str:
    """Return a reason without names and types, so that like ones are counted together."""
    for value in question.arguments.values():
        if isinstance(value, str) and value:
            reason = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", reason)
    return without_names(re.sub(r"(\bis an? )\S+?(?=[,:]? )", r"\1…", reason))


@cache
def _vocabulary() -> frozenset[str]:
    folder = Path(next(iter(crane_agent.in_kernel.__path__)))
    text = " ".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return frozenset(re.findall(r"\w+", text))


def without_names(text: str) -> str:
    """Return a text without what is quoted in it, its numbers, and every word that our own sources do not use."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", text)
    text = re.sub(r"\w+", lambda word: _word(word.group()), text)
    return re.sub(r"(…[.\[\]']*)+…", "…", text)[:MAX_REASON]


def _word(word: str) -> str:
    if word.isdigit():
        return "N"
    return word if word in _vocabulary() else "…"


def work(job: Job) -> Row:
    """Replay the instance's executed cells and ask."""
    script = job.instance.data_script
    if script is not None:
        command = [job.python, str(script), str(job.work)]
        subprocess.run(
            command,
            cwd=job.work,
            check=True,
            timeout=DATA_LIMIT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    install_startup(job.instance.startup, job.profile)
    with launch(
        target_in(job.instance).executed,
        folder=job.work,
        in_place=True,
        python=job.python,
        cell_limit_s=CELL_LIMIT_S,
        start_limit_s=START_LIMIT_S,
        env={**KERNEL_ENVIRONMENT, "IPYTHONDIR": str(job.profile)},
    ) as session:
        asker = Asker(session)
        names = list(session.ask("names", {}, limits=Limits(items=MAX_NAMES, bytes=10**6)).answer["names"])
        for place, name in enumerate(names):
            asker.ask_about(name, names[(place + 1) % len(names)])
        for question in all_questions():
            if question.probe in SEPARATE and question.arguments.get("path") not in FILES:
                asker.ask(question)
    return Row(
        case=job.instance.case,
        version=job.instance.version,
        commit=commit(),
        names=len(names),
        replies={probe: dict(counts) for probe, counts in asker.replies.items()},
        refused={probe: dict(counts) for probe, counts in asker.refused.items()},
        failed=dict(asker.failed),
        differing=dict(+asker.differing),
        milliseconds=asker.milliseconds,
        size=asker.size,
    )


# -- Around the workers ---------------------------------------------------------------------------------------------


def run(instances: Sequence[Instance], python: str, out: Path, *, jobs: int, seen: Callable[[Row], None]) -> list[Row]:
    """Ask about the instances that `out` has no row for yet; return the rows of all, in their order."""
    # Those that failed are run again.
    earlier = [row for row in rows_in(out, Row) if row.error is None]
    return run_missing(instances, earlier, lambda each: run_one(each, python), out, jobs=jobs, seen=seen)


def run_one(instance: Instance, python: str) -> Row:
    """Ask about one instance in a process of its own; whatever happens to it, there is a row."""
    with tempfile.TemporaryDirectory(prefix="probes_", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        job = Job(
            instance=instance,
            python=python,
            work=home / "work",
            profile=home / "profile",
            answer=home / "answer.json",
        )
        job.work.mkdir()
        job.profile.mkdir()
        error = _run_job(job, home)
        if error is None and job.answer.exists():
            return Row.model_validate_json(job.answer.read_text(encoding="utf-8"))
        return Row(case=instance.case, version=instance.version, commit=commit(), error=error or "no answer")


def _run_job(job: Job, home: Path) -> str | None:
    """Run a job in a worker; return why it failed, or None if it did not."""
    log = home / "log.txt"
    status = run_worker(
        ["-m", "evals.probes.junobench", "--worker"],
        job.model_dump_json(),
        profile=job.profile,
        home=home,
        deadline_s=DEADLINE_S,
        log=log,
    )
    if status is None:
        return f"not done after {DEADLINE_S:.0f} s"
    if status == 0:
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return without_names(lines[-1]) if lines else f"status {status}"


# -- Tables ---------------------------------------------------------------------------------------------------------


def sections(rows: Sequence[Row], made_with: dict[str, str]) -> list[Section]:
    """Turn rows into tables."""
    replies = _summed(row.replies for row in rows)
    refused = _summed(row.refused for row in rows)
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for probe, values in row.milliseconds.items():
            times[probe] += values
    failed = Counter[str]()
    for row in rows:
        failed.update(row.failed)
    errors = [row for row in rows if row.error is not None]
    totals = Counter[str]()
    for counts in replies.values():
        totals.update(counts)
    differing = sum(sum(row.differing.values()) for row in rows)
    overall = (
        ("instances", str(len(rows))),
        ("of these, with an error", str(len(errors))),
        ("names asked about", str(sum(row.names for row in rows))),
        ("questions", str(totals.total())),
        *((f"replies: {status}", str(totals[status])) for status in REPLIES),
        ("answers that differed when asked for again", str(differing)),
        ("largest reply [bytes]", str(max((row.size for row in rows), default=0))),
    )
    by_probe = tuple(
        (
            probe,
            *(str(counts.get(status, 0)) for status in REPLIES),
            f"{statistics.median(times[probe]):.1f}",
            f"{max(times[probe]):.0f}",
        )
        for probe, counts in sorted(replies.items())
    )
    reasons = tuple(
        (probe, reason, str(times))
        for probe, counts in sorted(refused.items())
        for reason, times in Counter(counts).most_common()
    )
    parts = [
        Section("All", ("", ""), overall),
        Section("By probe", ("probe", *REPLIES, "p50 ms", "max ms"), by_probe),
        Section("Faults of our own", ("fault", "times"), tuple((text, str(n)) for text, n in failed.most_common())),
        Section("Errors", ("instance", "error"), tuple((" ".join(row.key), row.error or "") for row in errors)),
        Section("Refused", ("probe", "reason", "times"), reasons, "Quotations, names and numbers are left out."),
        Section("Made with", ("what", "value"), tuple(made_with.items())),
    ]
    return [part for part in parts if part.rows]


def _summed(tables: Iterable[dict[str, dict[str, int]]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for table in tables:
        for probe, counts in table.items():
            found[probe].update(counts)
    return found


def _tell(row: Row, console: Console) -> None:
    asked = sum(sum(counts.values()) for counts in row.replies.values())
    console.print(
        f"{row.case:16} {row.version:11} {row.names} names, {asked} questions {row.error or ''}", markup=False
    )
    for fault, times in row.failed.items():
        console.print(f"    FAULT OF OUR OWN, {times} times: {fault}", style="bold red", markup=False)


def main() -> int:
    parser = ArgumentParser(prog="python -m evals.probes.junobench", description=__doc__)
    parser.add_argument("--worker", action="store_true", help="ask about the job on standard input")
    parser.add_argument("--bench", type=Path, help="JunoBench's folder")
    parser.add_argument("--python", help="interpreter of the bench environment")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case (repeatable)")
    parser.add_argument("--jobs", type=int, default=2, help="instances at the same time")
    parser.add_argument("--out", type=Path, default=Path("evals/results/probes_junobench.jsonl"), help="file of rows")
    parser.add_argument("--fresh", action="store_true", help="run all again: empty --out first")
    parser.add_argument("--table", type=Path, help="Markdown file for the tables")
    options = parser.parse_args()
    if options.worker:
        job = Job.model_validate_json(sys.stdin.read())
        job.answer.write_text(work(job).model_dump_json(), encoding="utf-8")
        return 0
    if options.fresh:
        options.out.unlink(missing_ok=True)
    console = Console(stderr=True)
    instances = load_instances(options.bench, options.case)
    rows = run(instances, options.python, options.out, jobs=options.jobs, seen=lambda row: _tell(row, console))
    made_with = provenance(
        command_line(
            "evals.probes.junobench", sys.argv[1:], {str(options.bench): "BENCH", options.python: "BENCH_PYTHON"}
        ),
        options.python,
        truth="none: replies are counted",
        n=len(rows),
        commits=[row.commit for row in rows],
    )
    parts = sections(rows, made_with)
    show("Probes on JunoBench", parts, Console(width=None if sys.stdout.isatty() else 140))
    if options.table:
        options.table.write_text(markdown("The probes on JunoBench", parts), encoding="utf-8")
    return int(any(row.failed or row.error for row in rows))


if __name__ == "__main__":
    sys.exit(main())
