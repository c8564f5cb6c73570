"""From what the checker and the probes say to a claim: labels, explanation, origin, a first fix.

The labels follow JunoBench's definitions (arXiv 2510.18013, section 3): a name or state that the order of execution
left behind is "NB specific", data that is not as the code takes it to be is "data confusion", a call that the library
does not take is "API misuse".
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from crane_agent.agent.labels import root_cause_of
from crane_agent.agent.origins import Failure, Frame, origin_of
from crane_agent.agent.policy import Fact, Observation
from crane_agent.in_kernel.redaction import MARK, redacted
from crane_agent.notebook.code import Code, followed
from crane_agent.notebook.history import Target
from crane_agent.verdict.models import Claim, Evidence, ExceptionClaim, Fix, Origin, Proof, ProposedFix
from crane_agent.verdict.render import diff_of, without_secrets
from crane_agent.verdict.taxonomy import CrashType, MLStage

_STAGES: dict[str, MLStage] = {
    "pandas": "data preparation",
    "matplotlib": "data visualization",
    "seaborn": "data visualization",
}


AT_LATEST = "The cell crashes at this line at the latest."
"""Leads the explanation of a crash before which another may come."""

HIDDEN = "…"
"""Stands in the kernel's words for what the privacy level keeps there."""


@dataclass(frozen=True)
class Whole:
    """Words about a crash with what is above the privacy level: for the user's own screen only."""

    message: str = ""
    because: str = ""
    close: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crash:
    """A crash that a check or a probe shows.

    Attributes:
        type: Name of the exception's class.
        message: Its message.
        line: Line in the walked tree, from 1, or None; for a rehearsal that in the code as IPython made it.
        column: Column there, from 0, or None.
        because: One sentence of evidence.
        crash_type: JunoBench's label.
        library: Top-level package that raises.
        close: Names that were probably meant.
        name: The name that is undefined, for a NameError.
        owner: The name of the value that lacks what was asked for, if a name reaches it.
        stage: Where in the pipeline, if known.
        whole: The words that are hidden in `message`, `because` and `close`; what is empty there is not hidden.
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
    exact: bool = True
    whole: Whole = field(default=Whole(), repr=False)


def crash_of(finding: Mapping[str, Any], proof: Mapping[str, Any] | None = None) -> Crash:
    """Return the crash that a finding or suspect in the checker's answer describes.

    Args:
        finding: The finding or suspect.
        proof: What the reply keeps for the user's own screen, its `proof`.
    """
    whole = (proof or {}).get(finding.get("proof") or "", {})
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
        close=tuple(finding.get("close", ())),  # level `names` withholds them
        name=name,
        owner=_first_name(probe.get("arguments", {}).get("path", "")) if finding["rule"] != "files.missing" else "",
        exact=finding.get("exact", True),
        whole=Whole(whole.get("message", ""), whole.get("because", ""), tuple(whole.get("close", ()))),
    )


def _first_name(path: str) -> str:
    found = re.match(r"\w+", path)
    return found[0] if found else ""


def claim_of(
    crash: Crash,
    target: Target,
    observation: Observation,
    *,
    confidence: float,
    facts: Sequence[str],
    lead: str = "",
    code: Code | None = None,
    origin: tuple[Origin, ...] | None = None,
) -> Claim:
    """Return the claim that the target raises this crash, with what was hidden of it as its proof.

    Args:
        crash: What is raised.
        target: The cell asked about.
        observation: The static side.
        confidence: Probability that the target crashes.
        facts: Ids of the facts that show it.
        lead: Said before the evidence, e.g. under which doubt it was found.
        code: The code whose lines the crash counts; the one that the checker walks, if None.
        origin: Where it comes from, unless cells that did not run tell; None: the crash tells.
    """
    line = (code or followed(target.code)).original_line(crash.line)
    lines = target.cell.source.splitlines()
    source_line = lines[line - 1] if line is not None and line <= len(lines) else ""
    shown = without_secrets(target.cell.source).splitlines()
    cells = observation.defined_by_unrun.get(crash.name, ())
    return Claim(
        outcome="crash",
        confidence=confidence,
        exception=ExceptionClaim(
            type=crash.type,
            message=crash.message,
            line=line,
            column=_characters(source_line, crash.column),
            at_latest=not crash.exact,
            source_line=shown[line - 1] if source_line and line is not None else "",
        ),
        crash_type=crash.crash_type,
        root_cause=root_cause_of(crash.type, crash.crash_type),
        ml_stage=crash.stage or _STAGES.get(crash.library),
        library=crash.library or None,
        explanation=_explanation(crash, cells, lead),
        evidence=tuple(Evidence(fact=fact, words=crash.because) for fact in facts),
        origin=_origin(crash, target, cells) if cells or origin is None else origin,
        fix=_fix(crash, target, line, cells) or _definition(crash, observation),
    ).proved_by(_proof(crash, cells, lead))


def _proof(crash: Crash, cells: Sequence[int], lead: str) -> Proof:
    whole = crash.whole
    if whole == Whole():
        return Proof()
    seen = replace(crash, because=whole.because or crash.because, close=whole.close or crash.close)
    return Proof(message=whole.message, explanation=_explanation(seen, cells, lead))


def _characters(source_line: str, column: int | None) -> int | None:
    """Return a column in characters from 1 for one in UTF-8 bytes from 0."""
    if column is None or not source_line:
        return None
    return len(source_line.encode("utf-8", "replace")[:column].decode("utf-8", "replace")) + 1


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
    place = (crash.line, crash.column) if crash.line is not None and crash.column is not None else None
    failure = Failure(
        type=crash.type,
        message=crash.whole.message or crash.message,
        frames=[Frame("", crash.line)],
        place=place,
        owner=crash.owner or crash.name,
    )
    return origin_of(failure, target)


def _fix(crash: Crash, target: Target, line: int | None, cells: Sequence[int]) -> ProposedFix | None:
    if cells:
        return ProposedFix(summary=f"Run {_cells(cells).lower()} first.")
    if not crash.close:
        return None
    meant = crash.close[0]
    wrong = crash.name or _quoted_once(crash.message).replace(HIDDEN, "")
    source = _replaced(target.cell.source, line, wrong, meant)
    return ProposedFix(summary=f"Use {meant!r} instead of {wrong!r}." if wrong else f"Use {meant!r}.", source=source)


def _definition(crash: Crash, observation: Observation) -> ProposedFix | None:
    if crash.type != "NameError" or crash.name not in observation.never_bound:
        return None
    return ProposedFix(summary=f"Define {crash.name!r} first: no cell of the notebook does.")


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


# -- what a verdict shows ------------------------------------------------------------------------------------------


class Offer(NamedTuple):
    """A fix as a verdict may show it.

    Attributes:
        fix: Its source is None if the patch cannot be shown, or only to the user.
        patch: The patch, whole, if it holds a secret of the cell's own text: for the user's own screen.
        diff: The same as a diff.
        note: Why there is no patch, or ''.
    """

    fix: Fix | None
    patch: str = ""
    diff: str = ""
    note: str = ""


def offer_of(fix: ProposedFix | None, source: str) -> Offer:
    """Return a proposed fix without secrets.

    Whoever proposed it has seen `MARK` in the place of each secret of the cell. Where a mark can only stand for one
    of them, the patch is made whole again for the user's own screen; elsewhere it is dropped, since it would not run.

    Args:
        fix: The fix.
        source: The cell that it changes.
    """
    if fix is None:
        return Offer(None)
    without = Fix(summary=fix.summary, cell=fix.cell)
    if fix.source is None:
        return Offer(without)
    if MARK not in fix.source or redacted(source) == source:
        return Offer(Fix(**dict(fix), diff=diff_of(source, fix.source)))
    whole = _restored(fix.source, source)
    if whole is None:
        return Offer(without, note="the patch is left out: a secret of the cell's stood in it, which no policy sees")
    note = "the patch holds a secret of the cell's: it is shown on your screen only"
    return Offer(without, whole, diff_of(source, whole), note)


def _restored(patched: str, source: str) -> str | None:
    """Return a patch with the secrets of `source` in the place of their marks; None where it is not clear which."""
    old, seen = source.split("\n"), redacted(source).split("\n")
    if len(old) != len(seen) or MARK in source:
        return None
    own: dict[str, set[str]] = {}
    secrets: set[str] = set()
    for line, marked in zip(old, seen, strict=True):
        own.setdefault(marked.strip(), set()).add(line.strip())
        secrets |= _secrets(line, marked)
    lines = patched.split("\n")
    for place, line in enumerate(lines):
        same = own.get(line.strip(), set())
        if MARK in line and len(same) == 1:
            lines[place] = line.replace(line.strip(), next(iter(same)))
        elif MARK in line and len(secrets) == 1:
            lines[place] = line.replace(MARK, next(iter(secrets)))
    whole = "\n".join(lines)
    return whole if MARK not in whole and redacted(whole) == patched else None


def _secrets(line: str, marked: str) -> set[str]:
    """Return what the marks in one line stand for; nothing of a line for which that is not unique."""
    parts = [re.escape(part) for part in marked.split(MARK)]
    if not 2 <= len(parts) <= _MOST_MARKS:
        return set()
    first, last = (re.fullmatch(hole.join(parts), line) for hole in ("(.+?)", "(.+)"))
    return set(first.groups()) if first and last and first.groups() == last.groups() else set()


_MOST_MARKS = 4


def proof_of(claim: Claim, facts: Sequence[Fact], offer: Offer) -> Proof:
    """Return what the user's own screen may show beside a verdict: the claim's proof, and that of the facts it cites.

    Args:
        claim: What the verdict says.
        facts: Every fact of the run.
        offer: Its fix.
    """
    cited = {each.fact for each in claim.evidence}
    lines = () if claim.proof else tuple(line for fact in facts if fact.id in cited for line in _proof_lines(fact))
    return replace(claim.proof, facts=lines, patch=offer.patch, diff=offer.diff)


def _proof_lines(fact: Fact) -> Iterator[str]:
    for name, value in fact.reply.proof.items():
        if isinstance(value, Mapping):
            yield from (f"{fact.id}: {inner}: {_shown(each)}" for inner, each in value.items())
        else:
            yield f"{fact.id}: {name}: {_shown(value)}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
