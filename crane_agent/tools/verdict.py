"""The final tool: `verdict`, whose arguments are a `Claim`; what a model answers is checked here before it counts."""

from collections.abc import Mapping, Set
from typing import Any

from pydantic import ValidationError

from crane_agent.tools.schemas import tool_of
from crane_agent.verdict.models import Claim

VERDICT = "verdict"
UNGROUNDED_CONFIDENCE = 0.6
"""Most that a claim may be believed which cites a fact nobody gave."""

MAX_WORDS = 2000
"""Length of one text of a claim that is kept [characters]."""

MAX_LISTED = 20
"""Facts and earlier cells of a claim that are kept."""

MAX_PATCH = 50_000
"""Length of a patched cell; what is longer is left out, since a part of a patch is none [characters]."""

_SHOWN_ERRORS = 5


class InvalidClaim(ValueError):
    """The arguments are no claim about this target; the message says why, in words for the model."""


_OURS = ("exception.source_line", "exception.column", "exception.at_latest", "origin.ran")
"""Fields of a claim that are ours to fill, or of no use from a model."""


def verdict_tool(description: str) -> dict[str, Any]:
    """Return the tool in the form `BaseChatModel.bind_tools` takes."""
    return tool_of(Claim, name=VERDICT, description=description, without=_OURS)


def read_claim(arguments: Mapping[str, Any], *, source: str, facts: Set[str]) -> Claim:
    """Return what a model claims, checked against the target and the facts, and cut to a size that can be read.

    A reason that cites a fact that does not exist is kept as one that cites none, and the confidence is then at most
    `UNGROUNDED_CONFIDENCE`: what it rests on was made up. The exception's source line is taken from the target, not
    from the model.

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
    return _grounded(_placed(_bounded(claim), source.split("\n")), facts)


def validation_words(error: ValidationError) -> str:
    """Return what is wrong with a tool call's arguments, in one line and without quoting them."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    listed = [f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in found]
    more = [f"and {len(listed) - _SHOWN_ERRORS} more"] if len(listed) > _SHOWN_ERRORS else []
    return "; ".join(listed[:_SHOWN_ERRORS] + more)


def _bounded(claim: Claim) -> Claim:
    exception, fix = claim.exception, claim.fix
    if exception is not None:
        cut = {"type": exception.type[:MAX_WORDS], "message": exception.message[:MAX_WORDS]}
        exception = exception.model_copy(update=cut)
    if fix is not None:
        source = fix.source if fix.source is not None and len(fix.source) <= MAX_PATCH else None
        fix = fix.model_copy(update={"summary": fix.summary[:MAX_WORDS], "source": source})
    changes: dict[str, object] = {
        "explanation": claim.explanation[:MAX_WORDS],
        "library": claim.library and claim.library[:MAX_WORDS],
        "exception": exception,
        "evidence": tuple(
            each.model_copy(update={"words": each.words[:MAX_WORDS]}) for each in claim.evidence[:MAX_LISTED]
        ),
        "origin": tuple(
            each.model_copy(update={"summary": each.summary[:MAX_WORDS]}) for each in claim.origin[:MAX_LISTED]
        ),
        "fix": fix,
    }
    return claim.model_copy(update=changes)


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
    cited = tuple(each if each.fact in facts else each.model_copy(update={"fact": None}) for each in claim.evidence)
    if cited == claim.evidence:
        return claim
    confidence = min(claim.confidence, UNGROUNDED_CONFIDENCE)
    return claim.model_copy(update={"evidence": cited, "confidence": confidence})
