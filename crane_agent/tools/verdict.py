"""The final tool: `verdict`, whose arguments are a `Claim`; what a model answers is checked here before it counts."""

from collections.abc import Mapping, Set
from typing import Any

from pydantic import ValidationError

from crane_agent.verdict.models import Claim

VERDICT = "verdict"
UNGROUNDED_CONFIDENCE = 0.6
"""Most that a claim may be believed which cites a fact nobody gave."""

_SHOWN_ERRORS = 5


class InvalidClaim(ValueError):
    """The arguments are no claim about this target; the message says why, in words for the model."""


def verdict_tool(description: str) -> dict[str, Any]:
    """Return the tool in the form `BaseChatModel.bind_tools` takes."""
    from langchain_core.utils.function_calling import convert_to_openai_function

    schema = {**convert_to_openai_function(Claim), "name": VERDICT, "description": description}
    return {"type": "function", "function": schema}


def read_claim(arguments: Mapping[str, Any], *, source: str, facts: Set[str]) -> Claim:
    """Return what a model claims, checked against the target and the facts.

    A claim that cites a fact that does not exist loses that evidence, and its confidence is at most
    `UNGROUNDED_CONFIDENCE`: the reason it rests on was made up. The exception's source line is taken from the target,
    not from the model.

    Args:
        arguments: Arguments of the `verdict` call.
        source: Source of the target.
        facts: Ids of the facts there are.

    Raises:
        InvalidClaim: They do not fit the schema, contradict each other, or point outside the target.
    """
    try:
        claim = Claim.model_validate(dict(arguments))
    except ValidationError as error:
        raise InvalidClaim(validation_words(error)) from None
    return _grounded(_placed(claim, source.split("\n")), facts)


def validation_words(error: ValidationError) -> str:
    """Return what is wrong with a tool call's arguments, in one line and without quoting them."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    listed = [f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in found]
    more = [f"and {len(listed) - _SHOWN_ERRORS} more"] if len(listed) > _SHOWN_ERRORS else []
    return "; ".join(listed[:_SHOWN_ERRORS] + more)


def _placed(claim: Claim, lines: list[str]) -> Claim:
    if claim.outcome != "crash":
        # Models like to fill in every field; an exception that is not expected is no part of the answer.
        return claim.model_copy(update={"exception": None, "crash_type": None})
    if claim.exception is None:
        raise InvalidClaim("exception: required, because outcome is crash")
    line = claim.exception.line
    if line is None:
        return claim
    if line > len(lines):
        raise InvalidClaim(f"exception.line: the target has {len(lines)} lines")
    placed = claim.exception.model_copy(update={"source_line": lines[line - 1].strip()})
    return claim.model_copy(update={"exception": placed})


def _grounded(claim: Claim, facts: Set[str]) -> Claim:
    evidence = tuple(each for each in claim.evidence if each.fact in facts)
    if len(evidence) == len(claim.evidence):
        return claim
    confidence = min(claim.confidence, UNGROUNDED_CONFIDENCE)
    return claim.model_copy(update={"evidence": evidence, "confidence": confidence})
