"""The rule policy: an investigator that needs no model.

It takes the questions that the checker leaves open, one by one, asks the probe that would settle each, and predicts
from the replies. It stops at the first reply that shows a crash; if none does, it predicts that the cell runs, the more
surely the less was left in doubt.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crane_agent.agent.claims import Crash, claim_of, crash_of
from crane_agent.agent.policy import Decision, Fact, ProbeCall, View
from crane_agent.verdict.models import Claim, Evidence
from crane_agent.verdict.taxonomy import CrashType

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

# Probability that the target runs, by how much was left in doubt.
NOTHING_LEFT = 0.9
FEW_DOUBTS = 0.75
MANY_DOUBTS = 0.6


@dataclass(frozen=True)
class _Question:
    """A question that the checker leaves open, with the suspicion behind it, if there is one."""

    call: ProbeCall
    line: int | None
    column: int | None
    about: Mapping[str, Any]
    suspect: Mapping[str, Any] | None = None


class RulePolicy:
    """Asks what the checker leaves open and predicts from the replies."""

    name = "rules"

    def decide(self, view: View) -> Decision:
        """Return the next probe to call, or the claim if none is left or the budget ends."""
        if view.steps_left > 1 and view.seconds_left > 0 and not _crash(view):
            for question in _questions(view):
                missing = [call for call in _calls(question, view) if _fact(call, view) is None]
                if missing:
                    return Decision(calls=tuple(missing))
        return Decision(claim=self.conclude(view))

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
        if len(facts) < len(calls) or not facts:
            continue
        if question.suspect is not None:
            confidence = _probability(question.suspect)
            if confidence > IN_A_BRANCH and not _is_contradicted(facts[0]):
                ids = _ids(view.check, *facts)
                return crash_of(question.suspect), confidence, ids, _lead(question.suspect)
        else:
            crash = _READINGS[question.call.question](question, facts)
            if crash is not None:
                return crash, FROM_A_PROBE, _ids(*facts), ""
    for suspect in _answer(view.check).get("suspects", ()):
        if suspect["probe"] is None and _probability(suspect) > IN_A_BRANCH:
            return crash_of(suspect), _probability(suspect), _ids(view.check), _lead(suspect)
    return None


def _ids(*facts: Fact | None) -> tuple[str, ...]:
    return tuple(fact.id for fact in facts if fact is not None)


def _answer(fact: Fact | None) -> Mapping[str, Any]:
    return fact.reply.answer if fact is not None and fact.reply.status == "ok" else {}


def _probability(suspect: Mapping[str, Any]) -> float:
    found = {"no": ON_THE_WAY, "loop": IN_A_LOOP, "branch": IN_A_BRANCH}[suspect["conditional"]]
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
    answer = _answer(fact)
    return bool(answer.get("defined") or answer.get("binds") or answer.get("exists") or answer.get("missing") == [])


# -- questions -------------------------------------------------------------------------------------------------------


def _questions(view: View) -> Iterator[_Question]:
    """Yield what the checker leaves open: its suspicions first, then the calls that it cannot follow."""
    answer = _answer(view.check)
    for suspect in answer.get("suspects", ()):
        probe = suspect["probe"]
        if probe is not None:
            call = ProbeCall(probe["probe"], probe["arguments"])
            yield _Question(call, suspect["line"], suspect["column"], {}, suspect)
    for question in answer.get("questions", ()):
        if question["probe"] in _READINGS:
            call = ProbeCall(question["probe"], question["arguments"])
            yield _Question(call, question["line"], question["column"], question["about"])
    if not answer:
        for name in sorted(view.observation.never_bound | set(view.observation.defined_by_unrun)):
            yield _Question(ProbeCall("names", {"like": name}), None, None, {})


def _calls(question: _Question, view: View) -> tuple[ProbeCall, ...]:
    """Return the probes that a question needs, as far as the replies so far show: the thing called, then its data."""
    calls = (question.call, *_signature_of_fit(question))
    data = question.about.get("data")
    facts = [_fact(call, view) for call in calls]
    if data is None or None in facts or not _depends_on_data(question, facts):
        return calls
    return (*calls, ProbeCall("describe", {"path": data}))


def _depends_on_data(question: _Question, facts: list[Fact | None]) -> bool:
    """Whether a look at the data could still change the answer."""
    if question.call.question != "estimator":
        return True
    if _fitting(question):
        return facts[1] is not None and _takes_x(facts[1])
    return _answer(facts[0]).get("fitted") is not False


def _fitting(question: _Question) -> bool:
    return str(question.about.get("method", "")).startswith("fit")


def _signature_of_fit(question: _Question) -> tuple[ProbeCall, ...]:
    if question.call.question != "estimator" or not _fitting(question) or question.about.get("data") is None:
        return ()
    return (ProbeCall("signature", {"path": f"{question.call.arguments['path']}.fit"}),)


def _takes_x(fact: Fact) -> bool:
    """Whether `fit` calls its first parameter `X`, which scikit-learn's glossary reserves for 2-d data."""
    parameters = _answer(fact).get("wraps") or _answer(fact).get("parameters") or []
    return bool(parameters) and parameters[0] == "X"


def _fact(call: ProbeCall, view: View) -> Fact | None:
    for fact in view.facts:
        if fact.call.question == call.question and dict(fact.call.arguments) == dict(call.arguments):
            return fact
    return None


# -- readings: from replies to a crash -------------------------------------------------------------------------------


def _read_names(question: _Question, facts: list[Fact]) -> Crash | None:
    """Source: the Python language reference, "Resolution of names"."""
    answer = _answer(facts[0])
    if not answer or answer["defined"]:
        return None
    name = answer["name"]
    return Crash(
        type="NameError", message=f"name {name!r} is not defined", line=None, column=None,
        because=f"no name {name!r} is defined in the kernel", crash_type="variable not found", library="python",
        close=tuple(answer["close"]), name=name,
    )  # fmt: skip


def _read_signature(question: _Question, facts: list[Fact]) -> Crash | None:
    """A wrapper takes anything and hands it on: the wrapped function does not take this call.

    Source: the Python library reference, `functools.wraps` and `inspect.signature`.
    """
    answer = _answer(facts[0])
    wraps = answer.get("wraps")
    if not wraps or any(each.startswith("**") for each in wraps):
        return None
    names = {each.removesuffix("=...") for each in wraps}
    unknown = [name for name in facts[0].call.arguments["keywords"] if name not in names]
    if not unknown:
        return None
    return Crash(
        type="TypeError", message=f"got an unexpected keyword argument {unknown[0]!r}", line=question.line,
        column=question.column, because=f"the wrapped function takes ({', '.join(wraps)})",
        crash_type="invalid argument", library="python",
    )  # fmt: skip


def _read_estimator(question: _Question, facts: list[Fact]) -> Crash | None:
    """Not fitted, fitted on other features, or given data that it does not take.

    Source: scikit-learn's developer guide, "APIs of scikit-learn objects": `check_is_fitted`, `n_features_in_`,
    `feature_names_in_`, and the glossary on `X`.
    """
    estimator = _answer(facts[0])
    data = _answer(facts[-1]) if facts[-1].call.question == "describe" else {}
    if not estimator:
        return None
    name = estimator["type"].rpartition(".")[2]
    if _fitting(question):
        return _read_fit(question, facts, data)
    if question.about.get("method") not in _AFTER_FIT:
        return None
    if estimator["fitted"] is False and name not in _WITHOUT_FIT:
        message = f"This {name} instance is not fitted yet."
        return _sklearn_crash(question, "NotFittedError", message, f"the {name} is not fitted", "value error")
    wanted, given = estimator["n_features_in"], _width(data)
    if wanted is not None and given is not None and wanted != given:
        message = f"X has {given} features, but {name} is expecting {wanted} features as input."
        because = f"the {name} was fitted on {wanted} features and is given {given}"
        return _sklearn_crash(question, "ValueError", message, because, "feature name mismatch")
    return None


def _read_fit(question: _Question, facts: list[Fact], data: Mapping[str, Any]) -> Crash | None:
    shape = _shape(data)
    if shape is None or len(shape) != 1 or not _takes_x(facts[1]):
        return None
    return _sklearn_crash(
        question, "ValueError", "Expected 2D array, got 1D array instead",
        f"the data is one-dimensional, of length {shape[0]}, and fit takes a table", "invalid argument",
    )  # fmt: skip


def _sklearn_crash(question: _Question, kind: str, message: str, because: str, crash_type: CrashType) -> Crash:
    return Crash(
        type=kind, message=message, line=question.line, column=question.column, because=because,
        crash_type=crash_type, library="sklearn", stage="training" if _fitting(question) else "evaluation/prediction",
    )  # fmt: skip


# Methods that scikit-learn documents to need a fitted estimator.
_AFTER_FIT = frozenset(["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score"])
# Estimators that scikit-learn documents to work without `fit`: stateless transformers, and the prior of a process.
_WITHOUT_FIT = frozenset(
    ["GaussianProcessRegressor", "Normalizer", "Binarizer", "FunctionTransformer", "HashingVectorizer", "FeatureHasher"]
)


def _read_layers(question: _Question, facts: list[Fact]) -> Crash | None:
    """The first layer of a `Sequential` is given what it does not take.

    Source: the torch reference, `nn.Linear` (input's last dimension is in_features) and `nn.Conv2d` (channels).
    """
    model, data = _answer(facts[0]), _answer(facts[-1])
    shape = _shape(data)
    layers = model.get("layers") or []
    if not shape or len(layers) < 1 or model["patched"] or facts[-1].call.question != "describe":
        return None
    first = layers[0]
    if first["type"].endswith(".Sequential") and len(layers) > 1:
        first = layers[1]
    wanted = first["sizes"].get("in_features")
    if not first["type"].endswith("linear.Linear") or wanted is None or shape[-1] == wanted:
        return None
    rows = 1
    for size in shape[:-1]:
        rows *= size
    out = first["sizes"].get("out_features")
    return Crash(
        type="RuntimeError", line=question.line, column=question.column, library="torch",
        message=f"mat1 and mat2 shapes cannot be multiplied ({rows}x{shape[-1]} and {wanted}x{out})",
        because=f"the first layer takes {wanted} features and is given {shape[-1]}", crash_type="tensor shape mismatch",
    )  # fmt: skip


def _shape(data: Mapping[str, Any]) -> list[int] | None:
    if data.get("kind") == "series":
        return [data["length"]]
    shape = data.get("shape")
    return list(shape) if shape is not None else None


def _width(data: Mapping[str, Any]) -> int | None:
    shape = _shape(data)
    return shape[1] if shape is not None and len(shape) == 2 else None


_READINGS: Mapping[str, Callable[[_Question, list[Fact]], Crash | None]] = {
    "names": _read_names,
    "signature": _read_signature,
    "estimator": _read_estimator,
    "layers": _read_layers,
}


# -- nothing found ---------------------------------------------------------------------------------------------------


def _no_crash(view: View) -> Claim:
    answer = _answer(view.check)
    if not answer and not any(fact.reply.status == "ok" for fact in view.facts):
        return Claim(outcome="unknown", confidence=0.0, explanation=_why_unknown(view))
    if not answer.get("finished", True) and not answer.get("suspects"):
        stopped = answer["stopped"]["why"]
        return Claim(outcome="unknown", confidence=0.0, explanation=f"The cell cannot be followed: {stopped}.")
    doubts = answer.get("doubts", [])
    confidence = MANY_DOUBTS if len(doubts) > 3 or not answer else FEW_DOUBTS if doubts else NOTHING_LEFT
    if any(_probability(suspect) >= IN_A_BRANCH for suspect in answer.get("suspects", ())):
        confidence = min(confidence, 1 - IN_A_BRANCH)
    return Claim(
        outcome="no_crash",
        confidence=confidence,
        explanation=_why_no_crash(doubts),
        evidence=tuple(
            Evidence(fact=fact.id, words=fact.call.question) for fact in view.facts if fact.reply.status == "ok"
        ),
    )


def _why_unknown(view: View) -> str:
    reasons = [fact.reply.reason for fact in view.facts if fact.reply.reason]
    return reasons[0][:1].upper() + reasons[0][1:] + "." if reasons else "Nothing could be found out about the cell."


def _why_no_crash(doubts: list[Mapping[str, Any]]) -> str:
    if not doubts:
        return "Nothing that was looked at raises."
    first = doubts[0]
    more = f", and {len(doubts) - 1} more" if len(doubts) > 1 else ""
    return f"Nothing that was looked at raises. Not followed: {first['why']} on line {first['line']}{more}."
