"""The rule policy: an investigator that needs no model.

It takes the questions that the checker leaves open, one by one, asks the probe that would settle each, and predicts
from the replies. It stops at the first reply that shows a crash; if none does, it predicts that the cell runs, the more
surely the less was left in doubt. Lines that an unfinished rehearsal has passed raise nothing. Where it cannot call
probes, it reads a summary, if there is one; what that does not tell stays open, and makes it less sure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crane_agent.agent.claims import Crash, claim_of, crash_of
from crane_agent.agent.policy import Decision, Fact, ProbeCall, Proposal, Tried, View
from crane_agent.agent.readings import READINGS, Question, answer_of, is_fitting, takes_x
from crane_agent.agent.rehearsals import REHEARSE, is_still_running, lines_passed, rehearsal_among
from crane_agent.agent.summaries import told
from crane_agent.verdict.models import Claim, Evidence

# Probability that the target crashes, by what shows it. They are judgements, not fits; the evals report how well they
# hold (Brier score, reliability).
ON_THE_WAY = 0.9
"""A crash shown on a path that runs for certain, if nothing before it interferes."""
IN_A_LOOP = 0.8
"""The same in a loop that may run no round."""
IN_A_BRANCH = 0.5
"""The same in a branch that may not be taken."""
BEHIND_UNKNOWN_CODE = 0.75
"""The same behind code of the user's that was not followed."""
FROM_A_PROBE = 0.8
"""A reply that contradicts what the library documents as needed."""
UNASKED = 0.7
"""At most this where the probe that could refute it cannot be called."""

# Probability that the target runs, by how much was left in doubt.
NOTHING_LEFT = 0.9
FEW_DOUBTS = 0.75
MANY_DOUBTS = 0.6
RAN_UNTIL_DEADLINE = 0.85
"""At least this where a rehearsal was still running at its deadline, and nothing that it did not reach is suspect."""


_CONDITIONAL = {"no": ON_THE_WAY, "loop": IN_A_LOOP, "branch": IN_A_BRANCH}


class RulePolicy:
    """Asks what the checker leaves open and predicts from the replies."""

    name = "rules"

    def decide(self, view: View) -> Decision:
        """Return the next probe to call, or the claim if none is left or the budget ends."""
        if view.may_probe and view.steps_left > 1 and view.seconds_left > 0 and not _crash(view):
            for question in _questions(view):
                missing = [call for call in _calls(question, view) if _fact(call, view) is None]
                if missing:
                    return Decision(calls=tuple(missing))
        return Decision(claim=self.conclude(view))

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Propose nothing more than the strategies, which are asked whoever decides."""
        return Proposal()

    def conclude(self, view: View) -> Claim:
        """Return the claim that the facts at hand support."""
        found = _crash(view)
        if found is not None:
            crash, confidence, facts, lead = found
            return claim_of(crash, view.target, view.observation, confidence=confidence, facts=facts, lead=lead)
        return _no_crash(view)


def _crash(view: View) -> tuple[Crash, float, tuple[str, ...], str] | None:
    """Return the crash that the facts at hand show best: what, how probable, by which facts, under which doubt."""
    for question in _questions(view):
        calls = _calls(question, view)
        facts = [fact for fact in (_fact(call, view) for call in calls) if fact is not None]
        is_open = len(facts) < len(calls) or not facts
        if is_open and (view.may_probe or question.suspect is None):
            continue
        if question.suspect is not None:
            confidence = min(_probability(question.suspect), UNASKED if is_open else 1.0)
            if confidence > IN_A_BRANCH and (is_open or not _is_contradicted(facts[0])):
                ids = _ids(view.check, *facts)
                return crash_of(question.suspect, _proof(view)), confidence, ids, _lead(question.suspect)
        else:
            crash = READINGS[question.call.question](question, facts)
            # Otherwise a line in a branch that may not run would count as a crash.
            confidence = min(FROM_A_PROBE, _CONDITIONAL[question.conditional])
            if crash is not None and confidence > IN_A_BRANCH:
                return crash, confidence, _ids(*facts), ""
    for suspect in _suspects(view):
        if suspect["probe"] is None and _probability(suspect) > IN_A_BRANCH:
            return crash_of(suspect, _proof(view)), _probability(suspect), _ids(view.check), _lead(suspect)
    return None


def _proof(view: View) -> Mapping[str, Any]:
    return view.check.reply.proof if view.check is not None else {}


def _ids(*facts: Fact | None) -> tuple[str, ...]:
    return tuple(fact.id for fact in facts if fact is not None)


def _probability(suspect: Mapping[str, Any]) -> float:
    found = _CONDITIONAL[suspect["conditional"]]
    for doubt in suspect["doubts"]:
        if doubt["kind"] == "effects":
            # Line 0 is before the cell: what changes its world there can make anything right.
            found = min(found, BEHIND_UNKNOWN_CODE if doubt["line"] else IN_A_BRANCH)
    return found


def _lead(suspect: Mapping[str, Any]) -> str:
    doubts = suspect["doubts"]
    return f"Not certain, because {doubts[0]['why']} on line {doubts[0]['line']}." if doubts else ""


def _is_contradicted(fact: Fact) -> bool:
    """Whether a probe's reply says that the suspicion is wrong."""
    answer = answer_of(fact)
    return bool(answer.get("defined") or answer.get("binds") or answer.get("exists") or answer.get("missing") == [])


# -- questions -------------------------------------------------------------------------------------------------------


def _questions(view: View) -> Iterator[Question]:
    """Yield what the checker leaves open: its suspicions first, then the calls that it cannot follow."""
    answer, passed = answer_of(view.check), _passed(view)
    for suspect in _suspects(view):
        probe = suspect["probe"]
        if probe is not None:
            call = ProbeCall(probe["probe"], probe["arguments"])
            yield Question(call, suspect["line"], suspect["column"], {}, suspect=suspect)
    for question in answer.get("questions", ()):
        if question["probe"] in READINGS and question["line"] not in passed:
            call = ProbeCall(question["probe"], question["arguments"])
            yield Question(call, question["line"], question["column"], question["about"], question["conditional"])
    if not answer:
        for name in sorted(view.observation.never_bound | set(view.observation.defined_by_unrun)):
            yield Question(ProbeCall("names", {"like": name}), None, None, {})


def _suspects(view: View) -> list[Mapping[str, Any]]:
    """Return what the checker suspects, without what a rehearsal has refuted."""
    passed = _passed(view)
    return [suspect for suspect in answer_of(view.check).get("suspects", ()) if suspect["line"] not in passed]


def _passed(view: View) -> frozenset[int]:
    return lines_passed(rehearsal_among(view.facts), view.target)


def _calls(question: Question, view: View) -> tuple[ProbeCall, ...]:
    """Return the probes that a question needs, as far as the replies so far show: the thing called, then its data."""
    calls = (question.call, *_signature_of_fit(question))
    data = question.about.get("data")
    facts = [_fact(call, view) for call in calls]
    if data is None or None in facts or not _depends_on_data(question, facts):
        return calls
    if question.call.question == "estimator" and not is_fitting(question):
        return (*calls, ProbeCall("estimator", {**question.call.arguments, "frame": data}))
    return (*calls, ProbeCall("describe", {"path": data}))


def _depends_on_data(question: Question, facts: list[Fact | None]) -> bool:
    """Whether a look at the data could still change the answer."""
    if question.call.question != "estimator":
        return True
    if is_fitting(question):
        return facts[1] is not None and takes_x(facts[1])
    return answer_of(facts[0]).get("fitted") is not False


def _signature_of_fit(question: Question) -> tuple[ProbeCall, ...]:
    if question.call.question != "estimator" or not is_fitting(question) or question.about.get("data") is None:
        return ()
    return (ProbeCall("signature", {"path": f"{question.call.arguments['path']}.fit"}),)


def _fact(call: ProbeCall, view: View) -> Fact | None:
    for fact in view.facts:
        if fact.call.question == call.question and dict(fact.call.arguments) == dict(call.arguments):
            return fact
    return told(call, view.facts)


# -- nothing found ---------------------------------------------------------------------------------------------------


def _no_crash(view: View) -> Claim:
    answer, rehearsal = answer_of(view.check), rehearsal_among(view.facts)
    ran_on = is_still_running(rehearsal)
    unknown = "" if ran_on else _why_unknown(view)
    if unknown:
        return Claim(outcome="unknown", confidence=0.0, explanation=unknown)
    passed = _passed(view)
    doubts = [doubt for doubt in answer.get("doubts", []) if doubt["line"] not in passed]
    unasked = _unasked(view)
    left = len(doubts) + unasked
    confidence = MANY_DOUBTS if left > 3 or not answer else FEW_DOUBTS if left else NOTHING_LEFT
    if any(_probability(suspect) >= IN_A_BRANCH for suspect in _suspects(view)):
        confidence = min(confidence, 1 - IN_A_BRANCH)
    elif ran_on:
        confidence = max(confidence, RAN_UNTIL_DEADLINE)
    ran = f"A rehearsal raised nothing: {answer_of(rehearsal)['why']}. " if ran_on else ""
    return Claim(
        outcome="no_crash",
        confidence=confidence,
        explanation=ran + _why_no_crash(doubts, unasked),
        evidence=tuple(
            Evidence(fact=fact.id, words=fact.call.question)
            for fact in view.facts
            if fact.reply.status == "ok" and (ran_on or fact is not rehearsal)
        ),
    )


def _why_unknown(view: View) -> str:
    """Return why nothing can be predicted; '' if something can be."""
    answer = answer_of(view.check)
    asked = [fact for fact in view.facts if fact.call.question != REHEARSE]
    if not answer and not any(fact.reply.status == "ok" for fact in asked):
        reasons = [fact.reply.reason for fact in view.facts if fact.reply.reason]
        return (
            reasons[0][:1].upper() + reasons[0][1:] + "." if reasons else "Nothing could be found out about the cell."
        )
    if not answer.get("finished", True) and not _suspects(view):
        return f"The cell cannot be followed: {answer['stopped']['why']}."
    return ""


def _unasked(view: View) -> int:
    """Return how many of the checker's questions stay open because no probe can be called."""
    if view.may_probe:
        return 0
    return sum(any(_fact(call, view) is None for call in _calls(question, view)) for question in _questions(view))


def _why_no_crash(doubts: list[Mapping[str, Any]], unasked: int) -> str:
    words = ["Nothing that was looked at raises."]
    if doubts:
        first = doubts[0]
        more = f", and {len(doubts) - 1} more" if len(doubts) > 1 else ""
        words.append(f"Not followed: {first['why']} on line {first['line']}{more}.")
    if unasked:
        words.append(f"Questions that no probe could be asked: {unasked}.")
    return " ".join(words)
