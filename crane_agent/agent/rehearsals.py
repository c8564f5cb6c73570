"""What a rehearsal says: a claim, how sure it is, what a reader must know about it, and what it rules out.

Certain is only what an unchanged fork of the kernel showed with nothing denied. What ran with changes, or in a second
kernel, is a prediction with its reason; a rehearsal that did not come to an end still tells which lines have run.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

from crane_agent.agent.claims import AT_LATEST, Crash, Whole, claim_of
from crane_agent.agent.labels import crash_type_of, stage_of
from crane_agent.agent.origins import Failure, Frame, origin_of
from crane_agent.agent.policy import Fact, Observation, ProbeCall
from crane_agent.agent.readings import answer_of
from crane_agent.in_kernel.redaction import redacted
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import Code, followed, parse
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Reply
from crane_agent.verdict.models import Claim, Evidence, Origin, Proof

REHEARSE = "rehearse"
"""The question."""

DECIDER = "rehearsal"
"""What a verdict's `reached_by` says where the answer decides."""

# Probability that the target does what was shown. They are judgements, not fits.
NOT_AS_IT_STANDS = 0.95
"""Something was changed so that the cell could run in a copy, or the copy was a second kernel."""
SOMETHING_DENIED = 0.8
"""Something was denied that the cell itself got over."""
SHARPENED = 0.99
"""That it crashes is proved; what and where was shown by a rehearsal that proves nothing."""
CONTRADICTED = 0.8
"""The checker proves a crash that the rehearsal did not show."""

STILL_RUNNING = "it was still running"
"""How the reason begins why a rehearsal does not tell, where only its time was over."""


class Said(NamedTuple):
    """What a rehearsal says of the target.

    Attributes:
        claim: What can be claimed, what the checker proved taken in; None leaves it to a policy.
        certain: Whether it is proved.
        by: Who decided: `rehearsal` or `checker`.
        notes: What a reader must know about it.
    """

    claim: Claim | None
    certain: bool
    by: str
    notes: tuple[str, ...]


def rehearsal_fact(fact_id: str, reply: Reply, way: Literal["fork", "shadow"]) -> Fact:
    """Return the fact that a rehearsal is."""
    return Fact(fact_id, ProbeCall(REHEARSE, {"way": way}), reply)


def rehearsal_among(facts: Sequence[Fact]) -> Fact | None:
    """Return the last rehearsal among the facts, if there is one."""
    return next((fact for fact in reversed(facts) if fact.call.question == REHEARSE), None)


def is_shadow(fact: Fact) -> bool:
    """Whether the fact is a rehearsal in a second kernel, and so not about the session's own."""
    return fact.call.question == REHEARSE and fact.call.arguments["way"] == "shadow"


def is_still_running(fact: Fact | None) -> bool:
    """Whether the rehearsal met nothing but its deadline."""
    answer = answer_of(fact)
    return answer.get("outcome") == "unknown" and not answer["denied"] and answer["why"].startswith(STILL_RUNNING)


def lines_passed(fact: Fact | None, target: Target) -> frozenset[int]:
    """Return the lines that have run without a crash when an unfinished rehearsal ended, as the checker counts them.

    Those of the statements before the one it was in, and within that before the one it was in there: in a loop they
    have run once at least. 0, which stands for what was before the cell, is among them if there are any.
    """
    line = _line_reached(fact)
    tree = target.code.tree
    if tree is None or line is None:
        return frozenset()
    lines = frozenset(_lines_before(line, tree.body))
    return lines | {0} if lines else lines


def _line_reached(fact: Fact | None) -> int | None:
    answer = answer_of(fact)
    if answer.get("outcome") != "unknown":
        return None
    line: int | None = answer["line"] or (answer["exception"] or {}).get("line")
    return line


def _lines_before(line: int, block: Sequence[ast.stmt]) -> Iterator[int]:
    for statement in block:
        last = statement.end_lineno or statement.lineno
        if last < line:
            yield from range(statement.lineno, last + 1)
        elif statement.lineno <= line and not isinstance(statement, _NOT_RUN_IN_PLACE):
            for inner in _blocks(statement):
                if inner[0].lineno <= line <= (inner[-1].end_lineno or inner[-1].lineno):
                    yield from _lines_before(line, inner)


_NOT_RUN_IN_PLACE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for part in (statement, *getattr(statement, "handlers", ())):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(part, name, None)
            if block:
                yield block


def said_of(fact: Fact, target: Target, observation: Observation, *, proved: Claim | None) -> Said:
    """Return what a rehearsal says.

    Args:
        fact: The rehearsal.
        target: The cell that was rehearsed.
        observation: The static side.
        proved: The crash that the checker proves to come at the latest, if there is one.
    """
    claim = _claim(fact, target, observation)
    notes = tuple(_notes(fact, target))
    if proved is not None:
        return _beside(proved, claim, fact, target, notes)
    return Said(claim, claim is not None and _is_proof(fact), DECIDER, notes)


# -- a claim ---------------------------------------------------------------------------------------------------------


def _claim(fact: Fact, target: Target, observation: Observation) -> Claim | None:
    answer = answer_of(fact)
    if answer.get("outcome") == "finished":
        words = f"the cell was run in {_where(fact)} and came to its end{_after(answer)}"
        return Claim(
            outcome="no_crash",
            confidence=_confidence(fact),
            explanation=f"{_capital(words)}.",
            evidence=(Evidence(fact=fact.id, words=words),),
        )
    if answer.get("outcome") == "crash":
        crash = crash_shown(fact, target)
        return claim_of(
            crash,
            target,
            observation,
            confidence=_confidence(fact),
            facts=(fact.id,),
            code=_counted(answer["exception"]["line"], target),
            origin=_origin(crash, answer, target),
        )
    return None


def _counted(line: int | None, target: Target) -> Code:
    """Return the code whose lines are meant: behind the line of a cell magic those of what is under it."""
    return target.code if target.code.cell_magic is None or line == 1 else followed(target.code)


def _is_proof(fact: Fact) -> bool:
    answer = answer_of(fact)
    return not (is_shadow(fact) or answer["changed"] or answer["denied"])


def _confidence(fact: Fact) -> float:
    if answer_of(fact)["denied"]:
        return SOMETHING_DENIED
    return 1.0 if _is_proof(fact) else NOT_AS_IT_STANDS


def crash_shown(fact: Fact, target: Target) -> Crash:
    """Return the crash that a rehearsal shows."""
    answer = answer_of(fact)
    raised = answer["exception"]
    hidden = fact.reply.proof.get("rehearsal", {}).get("message", "")
    kind, library, frames = raised["type"], raised["library"], raised["frames"]
    message = hidden or raised["message"]
    text = _text_of(raised["line"], target)
    name = _undefined(kind, message, target)
    # Made of a name of the cell's own, it quotes no value.
    shown = message if name and message == f"name {name!r} is not defined" else raised["message"]
    because = f"the cell was run in {_where(fact)} and raised {kind}{_after(answer)}{_inside(frames, target)}"
    return Crash(
        type=kind,
        message=shown,
        line=raised["line"],
        column=None,
        because=because,
        # A label tells nothing of the values that a message may quote.
        crash_type=crash_type_of(kind, message),
        library=library,
        name=name,
        stage=stage_of(library, text, *(frame["text"] for frame in reversed(frames))),
        whole=Whole(message=hidden),
    )


def _text_of(line: int | None, target: Target) -> str:
    lines = target.code.python.splitlines()
    return lines[line - 1] if line is not None and line <= len(lines) else ""


def _undefined(kind: str, message: str, target: Target) -> str:
    """Return the name that a NameError is about, if the cell itself reads it; '' if not."""
    found = re.match(r"name '(\w+)' is not defined", message) if kind == "NameError" else None
    return found[1] if found and found[1] in target.names.reads else ""


def _origin(crash: Crash, answer: Mapping[str, Any], target: Target) -> tuple[Origin, ...]:
    """Return the earlier cells that the crash comes from; none if it was raised in a file or a cell not found."""
    frames = [(each, _cell_of(each, target)) for each in answer["exception"]["frames"]]
    known = [(each, cell) for each, cell in frames if cell is not None or _is_of_target(each)]
    if known[-1:] != frames[-1:]:
        return ()
    scene = answer.get("scene") or {}
    failure = Failure(
        type=crash.type,
        message=crash.whole.message or crash.message,
        frames=[Frame(each["function"], each["line"], cell) for each, cell in known] or [Frame("", crash.line)],
        expression=scene.get("text", ""),
        place=(scene["line"], scene["column"]) if scene else None,
        owner=crash.name,
        types={part["text"]: part["type"] for part in scene.get("parts", ())},
    )
    return origin_of(failure, target)


def _cell_of(frame: Mapping[str, Any], target: Target) -> Cell | None:
    """Return the executed cell that a frame of the user's stands in.

    A kernel that replayed the cells counts them anew, so the text of the line decides; the number among several.
    """
    if frame["cell"] is None or not frame["text"]:
        return None
    found = [cell for cell in target.executed if _has_line(cell, frame["line"], frame["text"])]
    return next((cell for cell in found if cell.execution_count == frame["cell"]), found[-1] if found else None)


def _has_line(cell: Cell, line: int, text: str) -> bool:
    lines = cell.source.splitlines()
    place = parse(cell.source).original_line(line)
    return place is not None and place <= len(lines) and redacted(lines[place - 1]).strip().startswith(text.strip())


# -- beside the checker ----------------------------------------------------------------------------------------------


def _beside(proved: Claim, claim: Claim | None, fact: Fact, target: Target, notes: tuple[str, ...]) -> Said:
    """Return what holds where the checker proves that the cell crashes at a line at the latest."""
    checked = proved.exception
    assert checked is not None
    if claim is None:
        # Within one statement, as a loop is, a later line is not a later time.
        reached = target.code.original_line(_first_line(_line_reached(fact), target))
        if checked.line is not None and reached is not None and checked.line < reached:
            return _contradiction(proved, proved, notes, "went on behind it")
        return Said(proved, True, "checker", notes)
    if claim.exception is None:
        return _contradiction(proved, proved, notes, "came to its end")
    shown = claim.exception
    if (shown.type, shown.line) == (checked.type, checked.line):
        if not _is_proof(fact):
            return Said(proved, True, "checker", notes)
        return Said(_agreed(proved, claim), True, DECIDER, notes)
    if _is_behind(shown.line, checked.line, target):
        return _contradiction(proved, claim, notes, f"raised {shown.type} at line {shown.line}")
    if _is_proof(fact):
        return Said(claim, True, DECIDER, notes)
    note = f"that the cell crashes, at line {checked.line} at the latest, is proved by the checker"
    return Said(claim.model_copy(update={"confidence": SHARPENED}), False, DECIDER, (*notes, note))


def _agreed(proved: Claim, claim: Claim) -> Claim:
    """Return the checker's claim, which knows more of the reason, as what certainly comes first."""
    checked, shown = proved.exception, claim.exception
    assert checked is not None
    assert shown is not None
    update = {
        "exception": checked.model_copy(update={"at_latest": False, "message": shown.message or checked.message}),
        "explanation": f"{claim.explanation} {_without_lead(proved.explanation)}".strip(),
        "evidence": (*proved.evidence, *claim.evidence),
        "origin": claim.origin or proved.origin,
    }
    explanation = f"{claim.explanation} {_without_lead(proved.proof.explanation)}" if proved.proof.explanation else ""
    proof = Proof(message=claim.proof.message or proved.proof.message, explanation=explanation)
    return proved.model_copy(update=update).proved_by(proof)


def _without_lead(explanation: str) -> str:
    return explanation.removeprefix(AT_LATEST).strip()


def _contradiction(proved: Claim, claim: Claim, notes: tuple[str, ...], what: str) -> Said:
    assert proved.exception is not None
    note = (
        f"the checker proves {proved.exception.type} at line {proved.exception.line} at the latest, but the rehearsal "
        f"{what}: one of the two is wrong, so nothing is certain"
    )
    by = "checker" if claim is proved else DECIDER
    return Said(claim.model_copy(update={"confidence": CONTRADICTED}), False, by, (*notes, note))


def _is_behind(line: int | None, other: int | None, target: Target) -> bool:
    """Whether `line` of the cell runs only after `other`: in one statement, as a loop is, that is not known."""
    if line is None or other is None:
        return False
    offset = target.code.line_offset
    first = _first_line(line - offset, target)
    return first is not None and first > other - offset


def _first_line(line: int | None, target: Target) -> int | None:
    """Return the first line of the statement of the cell itself in which a line stands, if there is one."""
    tree = target.code.tree
    if tree is None or line is None:
        return None
    within = (each.lineno for each in tree.body if each.lineno <= line <= (each.end_lineno or each.lineno))
    return next(within, None)


# -- words -----------------------------------------------------------------------------------------------------------


def _notes(fact: Fact, target: Target) -> Iterator[str]:
    reply, answer = fact.reply, answer_of(fact)
    if reply.status == "refused":
        yield f"not rehearsed: {reply.reason.removeprefix('could not rehearse, because ')}"
    if not answer:
        return
    if answer["outcome"] == "unknown":
        place = " in a second kernel" if is_shadow(fact) else ""
        yield f"the rehearsal{place} does not tell: {answer['why']}{_how_far(fact, target)}"
    elif is_shadow(fact):
        yield "rehearsed in a second kernel, which ran the same cells: its state may differ, so that it proves nothing"
    if answer["changed"]:
        yield f"rehearsed with changes, so that it proves nothing: {', '.join(answer['changed'])}"
    if answer["denied"]:
        yield f"denied to the rehearsal: {', '.join(answer['denied'])}"


def _how_far(fact: Fact, target: Target) -> str:
    line = target.code.original_line(_line_reached(fact))
    place = f"at line {line}" if line is not None else ""
    loop = answer_of(fact).get("loop")  # withheld at level `names`
    return "".join(f", {words}" for words in (place, loop) if words)


def _where(fact: Fact) -> str:
    return "a second kernel that ran the same cells" if is_shadow(fact) else "a fenced copy of the kernel"


def _after(answer: Mapping[str, Any]) -> str:
    seconds = answer["seconds"]
    return f" after {seconds:.1f} s" if seconds >= 0.05 else " at once"


def _inside(frames: Sequence[Mapping[str, Any]], target: Target) -> str:
    """Return where in the user's code it was raised, if that is not a line of the cell itself."""
    if not frames or (_is_of_target(frames[-1]) and frames[-1]["function"].startswith("<")):
        return ""
    inner, outer = frames[-1], frames[0]
    called = f", called from {_place(outer, target)}" if len(frames) > 1 else ""
    return f" in {inner['function']}, {_place(inner, target)}{called}"


def _is_of_target(frame: Mapping[str, Any]) -> bool:
    return frame["cell"] is None and not frame["file"]


def _place(frame: Mapping[str, Any], target: Target) -> str:
    if frame["file"]:
        return f"{PurePath(frame['file']).name} line {frame['line']}"
    if _is_of_target(frame):
        return f"line {target.code.original_line(frame['line']) or frame['line']}"
    cell = _cell_of(frame, target)
    if cell is None:
        return f"line {frame['line']} of an earlier cell"
    number = f"In [{cell.execution_count}]" if cell.execution_count else f"cell {cell.place}"
    return f"{number} line {parse(cell.source).original_line(frame['line'])}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
