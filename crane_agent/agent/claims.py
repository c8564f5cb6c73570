"""From what the checker and the probes say to a claim: labels, explanation, origin, a first fix.

The labels follow JunoBench's definitions (arXiv 2510.18013, section 3): a name or state that the order of execution
left behind is "NB specific", data that is not as the code takes it to be is "data confusion", a call that the library
does not take is "API misuse".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crane_agent.agent.policy import Observation
from crane_agent.notebook.code import Code
from crane_agent.notebook.history import Target
from crane_agent.notebook.names import binding_cells
from crane_agent.verdict.models import Claim, Evidence, ExceptionClaim, Origin, ProposedFix
from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause

_ROOT_CAUSES: dict[str, RootCause] = {
    "NameError": "NB specific",
    "KeyError": "data confusion",
    "IndexError": "implementation error",
    "AttributeError": "API misuse",
    "TypeError": "API misuse",
    "FileNotFoundError": "environment setting",
    "ImportError": "environment setting",
    "ValueError": "data confusion",
    "NotFittedError": "API misuse",
    "RuntimeError": "ML model confusion",
}
_STAGES: dict[str, MLStage] = {
    "pandas": "data preparation",
    "matplotlib": "data visualization",
    "seaborn": "data visualization",
}


@dataclass(frozen=True)
class Crash:
    """A crash that a check or a probe shows.

    Attributes:
        type: Name of the exception's class.
        message: Its message.
        line: Line in the walked tree, from 1, or None.
        column: Column there, from 0, or None.
        because: One sentence of evidence.
        crash_type: JunoBench's label.
        library: Top-level package that raises.
        close: Names that were probably meant.
        name: The name that is undefined, for a NameError.
        owner: The name of the value that lacks what was asked for, if a name reaches it.
        stage: Where in the pipeline, if known.
    """

    type: str
    message: str
    line: int | None
    column: int | None
    because: str
    crash_type: CrashType
    library: str
    close: tuple[str, ...] = ()
    name: str = ""
    owner: str = ""
    stage: MLStage | None = None


def followed_code(target: Target) -> Code:
    """Return the code that the checker follows: under ``%%time`` and its like the body, else the cell."""
    body = target.code.body
    return body if body is not None and body.tree is not None else target.code


def crash_of(finding: Mapping[str, Any]) -> Crash:
    """Return the crash that a finding or suspect in the checker's answer describes."""
    probe = finding.get("probe") or {}
    name = probe.get("arguments", {}).get("like", "") if finding["rule"] == "names.undefined" else ""
    return Crash(
        type=finding["type"],
        message=finding["message"],
        line=finding["line"],
        column=finding["column"],
        because=finding["because"],
        crash_type=finding["crash_type"],
        library=finding["library"],
        close=tuple(finding["close"]),
        name=name,
        owner=_first_name(probe.get("arguments", {}).get("path", "")) if finding["rule"] != "files.missing" else "",
    )


def _first_name(path: str) -> str:
    found = re.match(r"\w+", path)
    return found[0] if found else ""


def claim_of(
    crash: Crash, target: Target, observation: Observation, *, confidence: float, facts: Sequence[str], lead: str = ""
) -> Claim:
    """Return the claim that the target raises this crash.

    Args:
        crash: What is raised.
        target: The cell asked about.
        observation: The static side.
        confidence: Probability that the target crashes.
        facts: Ids of the facts that show it.
        lead: Said before the evidence, e.g. under which doubt it was found.
    """
    line = followed_code(target).original_line(crash.line)
    lines = target.cell.source.splitlines()
    source_line = lines[line - 1] if line is not None and line <= len(lines) else ""
    cells = observation.defined_by_unrun.get(crash.name, ())
    return Claim(
        outcome="crash",
        confidence=confidence,
        exception=ExceptionClaim(
            type=crash.type,
            message=crash.message,
            line=line,
            column=_characters(source_line, crash.column),
            source_line=source_line,
        ),
        crash_type=crash.crash_type,
        root_cause=_root_cause(crash),
        ml_stage=crash.stage or _STAGES.get(crash.library),
        library=crash.library,
        explanation=_explanation(crash, cells, lead),
        evidence=tuple(Evidence(fact=fact, words=crash.because) for fact in facts),
        origin=_origin(crash, target, cells),
        fix=_fix(crash, target, line, cells),
    )


def _characters(source_line: str, column: int | None) -> int | None:
    """Return a column in characters from 1 for one in UTF-8 bytes from 0."""
    if column is None or not source_line:
        return None
    return len(source_line.encode("utf-8", "replace")[:column].decode("utf-8", "replace")) + 1


def _root_cause(crash: Crash) -> RootCause:
    return _ROOT_CAUSES.get(crash.type, "implementation error")


def _explanation(crash: Crash, cells: Sequence[int], lead: str) -> str:
    # A sentence may begin with a name of the user's, which keeps its case.
    starts_with_a_word = crash.because.partition(" ")[0] in ("the", "no", "there", "it")
    sentence = (crash.because[:1].upper() + crash.because[1:] if starts_with_a_word else crash.because) + "."
    if cells:
        sentence += f" {_cells(cells)} would define it but did not run."
    elif crash.close:
        sentence += f" There is {_either(crash.close)}."
    return f"{lead} {sentence}".strip()


def _cells(cells: Sequence[int]) -> str:
    return ("Cell " if len(cells) == 1 else "Cells ") + ", ".join(map(str, cells))


def _either(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)


def _origin(crash: Crash, target: Target, cells: Sequence[int]) -> tuple[Origin, ...]:
    if cells:
        return tuple(Origin(cell=cell, summary=f"would define {crash.name}, but did not run") for cell in cells)
    places = binding_cells(target).get(crash.owner, ())
    return (Origin(cell=places[-1], summary=f"bound {crash.owner} last"),) if places else ()


def _fix(crash: Crash, target: Target, line: int | None, cells: Sequence[int]) -> ProposedFix | None:
    if cells:
        return ProposedFix(summary=f"Run {_cells(cells).lower()} first.")
    if not crash.close:
        return None
    meant = crash.close[0]
    wrong = crash.name or _quoted_once(crash.message)
    source = _replaced(target.cell.source, line, wrong, meant)
    return ProposedFix(summary=f"Use {meant!r} instead of {wrong!r}." if wrong else f"Use {meant!r}.", source=source)


def _quoted_once(message: str) -> str:
    """Return the last quoted word of a message, the name that was not there: ``'Age'`` gives ``Age``."""
    parts = message.split("'")
    return parts[-2] if len(parts) >= 3 else ""


def _replaced(source: str, line: int | None, wrong: str, meant: str) -> str | None:
    """Return the source with one word of one line replaced; None unless it stands there exactly once."""
    lines = source.splitlines(keepends=True)
    if not wrong or line is None or line > len(lines) or lines[line - 1].count(wrong) != 1:
        return None
    lines[line - 1] = lines[line - 1].replace(wrong, meant)
    return "".join(lines)
