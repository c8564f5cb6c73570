"""The nodes of the graph: each takes what is known and returns what it adds."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from crane_agent.agent.claims import AT_LATEST, claim_of, crash_of, offer_of, proof_of
from crane_agent.agent.policy import Fact, Observation, ProbeCall, Tried, View
from crane_agent.agent.readings import answer_of
from crane_agent.agent.rehearsals import DECIDER, REHEARSE, is_shadow, rehearsal_among, rehearsal_fact, said_of
from crane_agent.agent.repair import cell_of, repaired
from crane_agent.agent.state import Asking, Repair, Run, State, Step
from crane_agent.agent.summaries import SUMMARY, summary_arguments, with_cells
from crane_agent.errors import KernelBusy
from crane_agent.in_kernel.wire import TooDeep, encode_tree
from crane_agent.llm.usage import cached_tokens
from crane_agent.notebook.code import followed
from crane_agent.notebook.history import Target, history_of
from crane_agent.notebook.names import defined_by_unrun, never_bound
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply
from crane_agent.tools.probes import PROBES
from crane_agent.tools.verdict import UNGROUNDED_CONFIDENCE
from crane_agent.verdict.models import Claim, ExceptionClaim, Origin, ProposedFix, Usage, Verdict

CHECK_BYTES = 65_536

SUMMARY_BYTES = 65_536
"""Size of a summary, which is of many values [bytes]."""

SUMMARY_SECONDS = 10.0
"""Time that the kernel may spend on it [seconds]."""

UNPROVED_CONFIDENCE = 0.99
"""The most that is claimed of what is not proved."""

LEAST_BYTES = 256
"""What must be left of a run's bytes for another question to be asked [bytes]."""

FIRST_FACT = "F1"

MOST_RETAKES = 2
"""How often the facts are taken again because a cell of the user's ran meanwhile."""

MOST_REHEARSALS = 2
"""How often the target is rehearsed in a run: the kernel pauses for it each time."""

REHEARSAL_BYTES = 65_536
"""What must be left of a run's bytes for a rehearsal, whose answer can have as many [bytes]."""


def observe(state: State, runtime: Runtime[Run]) -> State:
    """Read the static side: names that cells which were not run would define, names nobody defines."""
    _tell(runtime, "observe", "reading the cells")
    target = runtime.context.target
    return {"observation": Observation(defined_by_unrun(target), never_bound(target))}


def check(state: State, runtime: Runtime[Run]) -> State:
    """Run the checker in the kernel; a crash or a run that it proves ends the run at once."""
    run = runtime.context
    fault = run.target.code.syntax_error
    if fault is not None and run.target.code.tree is None:
        return _syntax_error(run)
    if not run.budget.check or run.target.code.tree is None:
        return {"check": None}
    _tell(runtime, "check", "checking the cell against the kernel's values")
    try:
        arguments = _check_arguments(run)
    except TooDeep:
        return {"check": None, "notes": ("the cell is nested too deeply for the checker",)}
    fact = _ask(state, run, ProbeCall("check", arguments), FIRST_FACT, limits=_check_limits(run))
    answer = fact.reply.answer if fact.reply.status == "ok" else {}
    if answer and not _is_followed_exactly(run):
        answer = _as_suspicion(answer)
        fact = Fact(fact.id, ProbeCall("check", {}), _with_answer(fact.reply, answer))
    else:
        fact = Fact(fact.id, ProbeCall("check", {}), fact.reply)
    added: State = {"check": fact, "facts": (fact,)}
    if answer.get("finding"):
        claim = claim_of(
            crash_of(answer["finding"], fact.reply.proof),
            run.target,
            state["observation"],
            confidence=1.0,
            facts=(fact.id,),
            lead="" if answer["finding"]["exact"] else AT_LATEST,
        )
        added = _certain(added, claim)
    elif answer.get("settled"):
        words = "Every expression of the cell was followed, and none of them raises."
        claim = Claim(outcome="no_crash", confidence=1.0, explanation=words)
        added = _certain(added, claim)
    return added


def _certain(added: State, claim: Claim) -> State:
    return {**added, "claim": claim, "certain": True, "reached_by": "checker"}


def rehearse(state: State, runtime: Runtime[Run]) -> State:
    """Run the target in a fenced copy of the kernel, where that is allowed: what it does there settles the question."""
    run = runtime.context
    tree = run.target.code.tree
    if run.budget.rehearse == "off" or tree is None or not tree.body:
        return {}
    why_not = _why_not_rehearsed(state, run)
    if why_not:
        return {"rehearsal_notes": (f"not rehearsed: {why_not}",)}
    if run.budget.rehearse == "ask" and not _may_rehearse(state, runtime):
        return {"may_rehearse": False, "rehearsal_notes": ("not rehearsed: you did not want it",)}
    _tell(runtime, "rehearse", "running the cell in a fenced copy of the kernel")
    began = time.perf_counter()
    fact, replay_ms = _rehearse(state, run)
    elapsed_ms = 1000 * (time.perf_counter() - began)
    run.clock.leave_out(replay_ms / 1000)
    said = said_of(fact, run.target, state["observation"], proved=state.get("claim"))
    added: State = {
        "facts": (fact,),
        "may_rehearse": True,
        "rehearsal_notes": said.notes,
        "rehearsal_ms": max(0.0, elapsed_ms - replay_ms),
        "replay_ms": replay_ms,
    }
    if said.claim is not None:
        added = {**added, "claim": said.claim, "certain": said.certain, "reached_by": said.by}
    return added


def _why_not_rehearsed(state: State, run: Run) -> str:
    """Return why there is no rehearsal, though there could be one; '' if there is to be one."""
    if sum(fact.call.question == REHEARSE for fact in _every_fact(state)) >= MOST_REHEARSALS:
        return "cells keep running in the kernel"
    if run.seconds_left <= 0:
        return "the time for this run is over"
    if run.budget.kernel_bytes - _kernel_bytes(state) < REHEARSAL_BYTES:
        return f"too few of the kernel's {run.budget.kernel_bytes} bytes for this run are left"
    if run.budget.rehearse == "ask" and not run.can_ask:
        return "nobody can be asked here whether it may be"
    return ""


def _may_rehearse(state: State, runtime: Runtime[Run]) -> bool:
    """Return what the user says; asked once in a run, whose time stands still meanwhile."""
    if "may_rehearse" in state:
        return state["may_rehearse"]
    asking = Asking()
    with runtime.context.clock.stopped():
        runtime.stream_writer(asking)
        return asking.wait()


def _rehearse(state: State, run: Run) -> tuple[Fact, float]:
    """Return the rehearsal, and the time that a second kernel took to get where the first one is [milliseconds]."""
    rehearsal = _rehearsed(run, run.target.cell.source)
    fact_id = f"F{len(state.get('facts', ())) + 1}"
    return rehearsal_fact(fact_id, rehearsal.reply, rehearsal.way), rehearsal.replay_ms


def _rehearsed(run: Run, source: str, patched: PatchedCell | None = None) -> Rehearsal:
    """Rehearse a text, with an executed cell patched if there is one."""
    seconds = min(run.budget.rehearse_seconds, run.seconds_left)
    try:
        return run.session.rehearse(source, seconds=seconds, patched=patched)
    except KernelBusy as busy:
        return Rehearsal(Reply("refused", reason=f"could not rehearse, because the kernel is busy: {busy}"))


def summarize(state: State, runtime: Runtime[Run]) -> State:
    """Ask for the fixed summary of the names that the target uses, where a policy is to decide by that."""
    run = runtime.context
    arguments = summary_arguments(run.target, run.budget.facts)
    if not arguments:
        return {}
    _tell(runtime, "summarize", "describing what the cell uses")
    fact_id = f"F{len(state.get('facts', ())) + 1}"
    fact = _ask(state, run, ProbeCall(SUMMARY, arguments), fact_id, limits=_summary_limits(run))
    return {"facts": (with_cells(fact, run.target),)}


def decide(state: State, runtime: Runtime[Run]) -> State:
    """Let the policy choose the next probes or the answer; the rules take over where it gave up or the budget ends."""
    run = runtime.context
    view = view_of(state, run)
    ended = _ended(view) if run.policy is not run.rules else ""
    policy = run.rules if ended or state.get("gave_up", False) else run.policy
    _tell(runtime, "decide", f"{policy.name}: deciding what to ask next")
    decision = policy.decide(view)
    added: State = {
        "steps": 1,
        "calls": decision.calls,
        "messages": decision.messages,
        "tokens_in": decision.tokens_in,
        "tokens_out": decision.tokens_out,
        "tokens_cached": cached_tokens(decision.messages),
    }
    if decision.claim is not None:
        added["claim"] = decision.claim
        added["reached_by"] = policy.name
    if ended and not state.get("gave_up", False):
        added["gave_up"] = True
        added["notes"] = (f"the budget of {ended} ended before {run.policy.name} answered; the rules decided",)
    if decision.gave_up:
        added["gave_up"] = True
        added["notes"] = (f"{policy.name} gave up, the rules decided: {decision.gave_up}",)
    return added


def _ended(view: View) -> str:
    """Return which budget is used up, or ''."""
    left = {"steps": view.steps_left, "seconds": view.seconds_left, "tokens": view.tokens_left}
    return next((name for name, amount in left.items() if amount <= 0), "")


def probe(state: State, runtime: Runtime[Run]) -> State:
    """Ask the kernel what the policy wants to know."""
    run = runtime.context
    facts: list[Fact] = []
    for call in state["calls"]:
        known = (*state.get("facts", ()), *facts)
        _tell(runtime, "probe", f"asking the kernel: {call.question} {_words(call.arguments)}")
        so_far: State = {"facts": known, "dropped": state.get("dropped", ())}
        facts.append(_ask(so_far, run, call, f"F{len(known) + 1}", limits=_probe_limits(run)))
    return {"facts": tuple(facts)}


def confirm(state: State, runtime: Runtime[Run]) -> State:
    """Make sure that the facts are about the present state; else take them again, or claim nothing certain."""
    run = runtime.context
    why = _moved(state, run)
    if not why:
        return {}
    is_cheap = state.get("reached_by") in ("checker", DECIDER, run.rules.name)
    dropped = state.get("dropped", ())
    if is_cheap and why is not _RUNNING and _retakes(dropped) < MOST_RETAKES and run.seconds_left > 0:
        _tell(runtime, "confirm", "a cell ran meanwhile: looking again")
        nothing: Any = Overwrite(())
        forgotten: State = {"facts": nothing, "messages": nothing, "check": None, "claim": None, "certain": False}
        return {**forgotten, "dropped": state["facts"]}
    return {"certain": False, "notes": (f"{why}: the facts may be about an earlier state, so nothing is certain",)}


_RUNNING = "a cell was running while the kernel was asked"
_BETWEEN = "cells ran in the kernel between the first fact and the verdict"


def _retakes(dropped: Sequence[Fact]) -> int:
    return sum(fact.id == FIRST_FACT for fact in dropped)


def _moved(state: State, run: Run) -> str:
    """Return why the facts are not about one state of the kernel, the present one; '' if they are."""
    replies = [
        fact.reply for fact in state.get("facts", ()) if fact.call.question not in _FROM_CELLS and not is_shadow(fact)
    ]
    if not replies:
        return ""
    try:
        now = run.session.ask("ping", {}, limits=Limits(seconds=max(run.seconds_left, 1.0)))
    except KernelBusy:
        return _RUNNING
    # A question that was never answered (busy, no time left) carries no moment.
    answered = [reply for reply in replies if reply.size]
    if now.running or any(reply.running for reply in answered):
        return _RUNNING
    return _BETWEEN if any(reply.cells != now.cells for reply in answered) else ""


def repair(state: State, runtime: Runtime[Run]) -> State:
    """Find what would fix the crash, and try it where rehearsing is allowed; what a working cell needs is nothing."""
    run = runtime.context
    claim = state.get("claim")
    if claim is None or claim.outcome != "crash" or not run.budget.fix or run.target.code.tree is None:
        return {}
    _tell(runtime, "repair", "looking for a fix, and trying it")
    began = time.perf_counter()
    may_run = run.budget.rehearse == "on" or state.get("may_rehearse", False)
    rehearse = _Rehearsing(state, run) if may_run else None
    propose = _Proposing(state, run, claim, may_run=may_run)
    found = repaired(claim, _shown(state, run, claim, rehearse), run.target, rehearse, propose)
    mended = claim.model_copy(update={"fix": found.fix, "origin": _origin(claim, found.fix, run.target)})
    milliseconds = 1000 * (time.perf_counter() - began)
    return {
        "claim": mended.proved_by(claim.proof),
        "repair": replace(found.repair, milliseconds=milliseconds),
        "messages": propose.messages,
        "notes": propose.notes,
        "tokens_in": propose.tokens_in,
        "tokens_out": propose.tokens_out,
        "tokens_cached": cached_tokens(propose.messages),
    }


class _Proposing:
    """Asks the policy for patches, as long as the run's tokens and time last."""

    def __init__(self, state: State, run: Run, claim: Claim, *, may_run: bool) -> None:
        self.messages: tuple[AnyMessage, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.tokens_in = self.tokens_out = 0
        self._view = view_of(state, run)
        self._run = run
        self._claim = claim
        # Whoever gave the verdict could give a patch with it; only what became of that is news.
        had_its_say = state.get("reached_by") == run.policy.name and not may_run
        self._is_over = run.policy is run.rules or state.get("gave_up", False) or had_its_say

    def __call__(self, tried: Sequence[Tried]) -> ProposedFix | None:
        """Return the policy's next patch; None if it has none, or may not be asked any more."""
        if self._is_over:
            return None
        left = self._view.tokens_left - self.tokens_in - self.tokens_out
        view = replace(self._view, tokens_left=left, seconds_left=self._run.seconds_left)
        proposal = self._run.policy.mend(view, self._claim, tried)
        self.messages += proposal.messages
        self.tokens_in += proposal.tokens_in
        self.tokens_out += proposal.tokens_out
        if proposal.gave_up:
            self.notes = (f"{self._run.policy.name} proposed no patch: {proposal.gave_up}",)
        self._is_over = proposal.fix is None
        return proposal.fix


class _Rehearsing:
    """Rehearses patches, as long as the run's time and bytes last."""

    def __init__(self, state: State, run: Run) -> None:
        self._run = run
        self._bytes_left = run.budget.kernel_bytes - _kernel_bytes(state)

    def __call__(self, source: str, patched: PatchedCell | None = None) -> Rehearsal | None:
        """Rehearse a text, with an executed cell patched if there is one; None where nothing more may be tried."""
        if self._run.seconds_left <= 0 or self._bytes_left < REHEARSAL_BYTES:
            return None
        rehearsal = _rehearsed(self._run, source, patched)
        self._run.clock.leave_out(rehearsal.replay_ms / 1000)
        self._bytes_left -= rehearsal.reply.size
        return rehearsal


def _shown(state: State, run: Run, claim: Claim, rehearse: _Rehearsing | None) -> Fact | None:
    """Return a rehearsal that shows the crash; the checker may have proved it without one."""
    fact = rehearsal_among(state.get("facts", ()))
    if fact is None and rehearse is not None and state.get("reached_by") == "checker":
        rehearsal = rehearse(run.target.cell.source)
        fact = None if rehearsal is None else rehearsal_fact("", rehearsal.reply, rehearsal.way)
    answer = answer_of(fact)
    if answer.get("outcome") != "crash" or claim.exception is None:
        return None
    return fact if answer["exception"]["type"] == claim.exception.type else None


def _origin(claim: Claim, fix: ProposedFix | None, target: Target) -> tuple[Origin, ...]:
    """Return where the crash comes from: first the cell that its fix changes."""
    if fix is None or fix.cell is None or any(origin.cell == fix.cell for origin in claim.origin):
        return claim.origin
    cell = cell_of(target, fix.cell)
    ran = None if cell is None else cell.execution_count
    return (Origin(cell=fix.cell, ran=ran, summary="what is mended here"), *claim.origin)


def conclude(state: State, runtime: Runtime[Run]) -> State:
    """Make the verdict: the claim, what only we may say, and what it cost."""
    run = runtime.context
    _tell(runtime, "conclude", "writing the verdict")
    claim = state.get("claim")
    assert claim is not None
    known = {fact.id for fact in state.get("facts", ())}
    evidence = tuple(each if each.fact in known else each.model_copy(update={"fact": None}) for each in claim.evidence)
    certain = state.get("certain", False)
    grounded = certain or claim.outcome != "crash" or not known or any(each.fact for each in evidence)
    patched = cell_of(run.target, claim.fix.cell if claim.fix is not None else None) or run.target.cell
    offer, repair = offer_of(claim.fix, patched.source), state.get("repair", Repair())
    fix = offer.fix and offer.fix.model_copy(update={"verified": repair.verified, "bound": repair.bound})
    most = 1.0 if certain else UNPROVED_CONFIDENCE if grounded else UNGROUNDED_CONFIDENCE
    verdict = Verdict(
        cell=run.target.cell.place,
        outcome=claim.outcome,
        certainty="certain" if certain else "predicted",
        confidence=min(claim.confidence, most),
        exception=claim.exception,
        crash_type=claim.crash_type,
        root_cause=claim.root_cause,
        ml_stage=claim.ml_stage,
        library=claim.library,
        explanation=claim.explanation,
        evidence=evidence,
        origin=claim.origin,
        fix=fix,
        reached_by=state.get("reached_by", run.rules.name),
        notes=(
            *state.get("rehearsal_notes", ()),
            *state.get("notes", ()),
            *_failures(state),
            *(note for note in (offer.note, repair.note) if note),
        ),
        usage=_usage(state, run),
    )
    return {"verdict": verdict.proved_by(proof_of(claim, state.get("facts", ()), offer))}


def view_of(state: State, run: Run) -> View:
    """Return what a policy gets to see."""
    tokens = state.get("tokens_in", 0) + state.get("tokens_out", 0)
    return View(
        target=run.target,
        observation=state["observation"],
        check=state.get("check"),
        facts=state.get("facts", ()),
        messages=state.get("messages", ()),
        steps_left=run.budget.steps - state.get("steps", 0),
        seconds_left=run.seconds_left,
        tokens_left=run.budget.tokens - tokens,
        may_probe=run.budget.facts == "adaptive",
    )


# -- the kernel ------------------------------------------------------------------------------------------------------


_FROM_CELLS = frozenset(name for name, spec in PROBES.items() if spec.answered_by == "cells")


def _ask(state: State, run: Run, call: ProbeCall, fact_id: str, *, limits: Limits) -> Fact:
    """Ask one question; a busy kernel, or a budget that is used up, is an answer that the policy can act on."""
    if call.question in _FROM_CELLS:
        return Fact(fact_id, call, Reply("ok", answer=history_of(run.target, **call.arguments)))
    if limits.seconds <= 0:
        return Fact(fact_id, call, Reply("refused", reason="could not look, because the time for this run is over"))
    left = run.budget.kernel_bytes - _kernel_bytes(state)
    if left < LEAST_BYTES:
        reason = f"could not look, because the kernel's {run.budget.kernel_bytes} bytes for this run are used up"
        return Fact(fact_id, call, Reply("refused", reason=reason))
    limits = replace(limits, bytes=min(limits.bytes, left))
    try:
        return Fact(fact_id, call, run.session.ask(call.question, call.arguments, limits=limits))
    except KernelBusy as busy:
        return Fact(fact_id, call, Reply("refused", reason=f"could not look, because the kernel is busy: {busy}"))


def _kernel_bytes(state: State) -> int:
    return sum(fact.reply.size for fact in _every_fact(state))


def _every_fact(state: State) -> tuple[Fact, ...]:
    return (*state.get("dropped", ()), *state.get("facts", ()))


def _probe_limits(run: Run) -> Limits:
    probe = run.budget.probe
    return Limits(seconds=min(probe.seconds, run.seconds_left), items=probe.items, bytes=probe.bytes)


def _check_limits(run: Run) -> Limits:
    limits = _probe_limits(run)
    return Limits(seconds=limits.seconds, items=limits.items, bytes=CHECK_BYTES)


def _summary_limits(run: Run) -> Limits:
    limits = _probe_limits(run)
    return Limits(seconds=min(SUMMARY_SECONDS, run.seconds_left), items=limits.items, bytes=SUMMARY_BYTES)


def _check_arguments(run: Run) -> Mapping[str, Any]:
    code = followed(run.target.code)
    assert code.tree is not None
    return {"tree": encode_tree(code.tree), "first_word": code.first_word}


def _is_followed_exactly(run: Run) -> bool:
    """Whether what the checker walked is the cell line by line."""
    code = followed(run.target.code)
    return code.lines_agree and code.syntax_error is None


def _as_suspicion(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a checker's answer with nothing certain in it."""
    doubt = {"line": 1, "kind": "effects", "why": "the cell does not run as it reads"}
    suspects = list(answer["suspects"])
    if answer["finding"]:
        suspects.insert(0, dict(answer["finding"], conditional="no", doubts=[doubt]))
    return dict(answer, finding=None, settled=False, suspects=suspects, doubts=[doubt, *answer["doubts"]])


def _with_answer(reply: Reply, answer: Mapping[str, Any]) -> Reply:
    return replace(reply, answer=answer)


def _syntax_error(run: Run) -> State:
    """The cell is no Python: certain if the kernel runs the Python that we parsed it with."""
    fault = run.target.code.syntax_error
    assert fault is not None
    # Other errors (RecursionError, MemoryError) may be limits of ours.
    is_language = fault.type in ("SyntaxError", "IndentationError", "TabError")
    same_python = run.session.python_version == sys.version_info[:2]
    certain = is_language and same_python and not run.target.code.has_magics
    lines = run.target.cell.source.splitlines()
    claim = Claim(
        outcome="crash",
        confidence=1.0 if certain else 0.8,
        exception=ExceptionClaim(
            type=fault.type,
            message=fault.message,
            line=fault.line,
            column=fault.column,
            source_line=lines[fault.line - 1] if fault.line and fault.line <= len(lines) else "",
        ),
        crash_type="other",
        root_cause="implementation error",
        library="python",
        explanation=f"The cell is not Python: {fault.message}.",
    )
    return {"check": None, "claim": claim, "certain": certain, "reached_by": "checker" if certain else run.rules.name}


# -- words and sums --------------------------------------------------------------------------------------------------


def _tell(runtime: Runtime[Run], node: str, words: str) -> None:
    runtime.stream_writer(Step(node, words))


def _words(arguments: Mapping[str, Any]) -> str:
    return ", ".join(str(value) for value in arguments.values())[:80]


def _failures(state: State) -> tuple[str, ...]:
    failed = [fact for fact in state.get("facts", ()) if fact.reply.status == "failed"]
    return tuple(f"a bug of ours: {fact.call.question} failed ({fact.reply.reason})" for fact in failed)


def _usage(state: State, run: Run) -> Usage:
    facts = _every_fact(state)
    rehearsals = [fact for fact in facts if fact.call.question == REHEARSE]
    tokens_in, tokens_out = state.get("tokens_in", 0), state.get("tokens_out", 0)
    tokens_cached, prices = state.get("tokens_cached", 0), run.budget.prices
    return Usage(
        steps=state.get("steps", 0),
        probe_calls=len(facts) - len(rehearsals),
        rehearsals=sum(fact.reply.status == "ok" for fact in rehearsals),
        rehearsal_ms=round(state.get("rehearsal_ms", 0.0)),
        replay_ms=round(state.get("replay_ms", 0.0) + state.get("repair", Repair()).replay_ms),
        fixes_tried=state.get("repair", Repair()).tried,
        fix_ms=round(state.get("repair", Repair()).milliseconds),
        tokens_in=tokens_in,
        tokens_cached=tokens_cached,
        tokens_out=tokens_out,
        cost=prices.cost(tokens_in=tokens_in, tokens_cached=tokens_cached, tokens_out=tokens_out) if prices else None,
        currency=prices.currency if prices else None,
        kernel_bytes=_kernel_bytes(state) + state.get("repair", Repair()).size,
        milliseconds=round(1000 * (run.budget.seconds - run.seconds_left)),
    )
