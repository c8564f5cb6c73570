"""What the replies to a question mean: a crash, or nothing; one reading per probe.

A reading returns a `Crash` if the replies contradict what the library documents as needed, and None otherwise, also
where they do not settle it. To add one: write ``(question, facts) -> Crash | None`` with the source that it rests on,
and name it in `READINGS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crane_agent.agent.claims import Crash, Whole
from crane_agent.agent.policy import Fact, ProbeCall
from crane_agent.verdict.taxonomy import CrashType


@dataclass(frozen=True)
class Question:
    """A question that the checker leaves open.

    Attributes:
        call: The probe that could settle it.
        line: Line of the walked tree it is about, from 1.
        column: Column there, from 0.
        about: What else the checker says about it.
        conditional: Whether that line stands in a `branch` or a `loop` that may not run; `no` if it does run.
        suspect: The suspicion behind it, if there is one.
    """

    call: ProbeCall
    line: int | None
    column: int | None
    about: Mapping[str, Any]
    conditional: str = "no"
    suspect: Mapping[str, Any] | None = None


def answer_of(fact: Fact | None) -> Mapping[str, Any]:
    """Return what a probe answered; nothing if it refused or was not asked."""
    return fact.reply.answer if fact is not None and fact.reply.status == "ok" else {}


def is_fitting(question: Question) -> bool:
    """Whether the question is about a method that fits."""
    return str(question.about.get("method", "")).startswith("fit")


def takes_x(fact: Fact) -> bool:
    """Whether `fit` calls its first parameter `X`, which scikit-learn's glossary reserves for 2-d data."""
    parameters = answer_of(fact).get("wraps") or answer_of(fact).get("parameters") or []
    return bool(parameters) and parameters[0] == "X"


def _read_names(question: Question, facts: list[Fact]) -> Crash | None:
    """Source: the Python language reference, "Resolution of names"."""
    answer = answer_of(facts[0])
    if not answer or answer["defined"]:
        return None
    name = answer["name"]
    return Crash(
        type="NameError", message=f"name {name!r} is not defined", line=None, column=None,
        because=f"no name {name!r} is defined in the kernel", crash_type="variable not found", library="python",
        close=tuple(answer["close_names"]), name=name,
    )  # fmt: skip


def _read_signature(question: Question, facts: list[Fact]) -> Crash | None:
    """A wrapper takes anything and hands it on: the wrapped function does not take this call.

    Source: the Python library reference, `functools.wraps` and `inspect.signature`.
    """
    answer = answer_of(facts[0])
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


def _read_estimator(question: Question, facts: list[Fact]) -> Crash | None:
    """Not fitted, fitted on other features, or given data that it does not take.

    Source: scikit-learn's developer guide, "APIs of scikit-learn objects": `check_is_fitted`, `n_features_in_`,
    `feature_names_in_`, and the glossary on `X`.
    """
    estimator = answer_of(facts[0])
    if not estimator:
        return None
    name = estimator["type"].rpartition(".")[2]
    if is_fitting(question):
        return _read_fit(question, facts, answer_of(facts[-1]) if facts[-1].call.question == "describe" else {})
    if question.about.get("method") not in _AFTER_FIT:
        return None
    if estimator["fitted"] is False:
        message = f"This {name} instance is not fitted yet."
        return _sklearn_crash(question, "NotFittedError", message, f"the {name} is not fitted", "value error")
    return _read_features(question, name, estimator["n_features_in"], answer_of(facts[-1]).get("given") or {})


def _read_features(question: Question, name: str, wanted: int | None, given: Mapping[str, Any]) -> Crash | None:
    """Data with other features than the estimator was fitted on.

    Source: scikit-learn's `BaseEstimator._validate_data`, which checks `n_features_in_` and `feature_names_in_`.
    """
    if given.get("takes_columns_by_label") is not False:
        return None
    if given["missing"] or given["unknown_features"]:
        because = f"the {name} was fitted on other columns than it is given"
        message = "The feature names should match those that were passed during fit."
        return _sklearn_crash(question, "ValueError", message, because, "feature name mismatch")
    if wanted is None or given["n_features"] in (None, wanted):
        return None
    message = f"X has {given['n_features']} features, but {name} is expecting {wanted} features as input."
    because = f"the {name} was fitted on {wanted} features and is given {given['n_features']}"
    return _sklearn_crash(question, "ValueError", message, because, "feature name mismatch")


def _read_fit(question: Question, facts: list[Fact], data: Mapping[str, Any]) -> Crash | None:
    shape = _shape(data)
    if shape is None or len(shape) != 1 or not takes_x(facts[1]):
        return None
    return _sklearn_crash(
        question, "ValueError", "Expected 2D array, got 1D array instead",
        f"the data is one-dimensional, of length {shape[0]}, and fit takes a table", "invalid argument",
    )  # fmt: skip


def _sklearn_crash(question: Question, kind: str, message: str, because: str, crash_type: CrashType) -> Crash:
    return Crash(
        type=kind, message=message, line=question.line, column=question.column, because=because,
        crash_type=crash_type, library="sklearn", stage="training" if is_fitting(question) else "evaluation/prediction",
    )  # fmt: skip


# Methods that scikit-learn documents to need a fitted estimator.
_AFTER_FIT = frozenset(["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score"])


def _read_layers(question: Question, facts: list[Fact]) -> Crash | None:
    """The first layer of a `Sequential` is given what it does not take.

    Source: the torch reference, `nn.Linear` (input's last dimension is in_features) and `nn.Conv2d` (channels).
    """
    model, data = answer_of(facts[0]), answer_of(facts[-1])
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


def _read_cast(question: Question, facts: list[Fact]) -> Crash | None:
    """A conversion rejects a value. Source: the probe `cast`, which applies the converter's own rules."""
    answer, proof = answer_of(facts[0]), facts[0].reply.proof
    if answer.get("rejects") is not True:
        return None
    because = f"{answer['to']} rejects the value at position {answer['rejected_at']}, a {answer['element_type']}"
    whole = Whole(message=proof.get("message", ""), because=f"{because}: {proof.get('value', '')}")
    return Crash(
        type=answer["exception"], message="", line=question.line, column=question.column, because=because,
        crash_type="type error" if answer["exception"] == "TypeError" else "value error", library="pandas",
        stage="data preparation", whole=whole,
    )  # fmt: skip


def _read_combine(question: Question, facts: list[Fact]) -> Crash | None:
    """Two arrays do not go together. Source: the probe `combine`, which asks the library itself."""
    answer = answer_of(facts[0])
    if answer.get("fits") is not False:
        return None
    shapes = " and ".join(str(tuple(shape)) for shape in answer["shapes"][:2])
    return Crash(
        type=answer["exception"], message=answer["words"], line=question.line, column=question.column,
        because=f"{answer['operation']} does not take the shapes {shapes}", library=answer["library"],
        crash_type="unsupported broadcast" if answer["operation"] == "broadcast" else "tensor shape mismatch",
    )  # fmt: skip


READINGS: Mapping[str, Callable[[Question, list[Fact]], Crash | None]] = {
    "names": _read_names,
    "signature": _read_signature,
    "estimator": _read_estimator,
    "layers": _read_layers,
    "cast": _read_cast,
    "combine": _read_combine,
}
