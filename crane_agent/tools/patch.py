"""The tool that a model proposes a patch with; what it answers is checked here before it is tried."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import ToolCall
from pydantic import ValidationError

from crane_agent.tools.schemas import tool_of
from crane_agent.tools.verdict import MAX_PATCH, MAX_WORDS, validation_words
from crane_agent.verdict.models import ProposedFix

PATCH = "patch"


class InvalidPatch(ValueError):
    """The arguments are no patch; the message says why."""


def patch_tool(description: str) -> dict[str, Any]:
    """Return the tool in the form `BaseChatModel.bind_tools` takes."""
    return tool_of(ProposedFix, name=PATCH, description=description)


def read_patch(calls: Sequence[ToolCall]) -> ProposedFix | None:
    """Return the patch of the first call that proposes one; None if the model says that it knows none.

    Raises:
        InvalidPatch: There is no such call, its arguments do not fit, or the patch is too long.
    """
    call = next((call for call in calls if call["name"] == PATCH), None)
    if call is None:
        raise InvalidPatch(f"it does not call {PATCH}")
    try:
        fix = ProposedFix.model_validate(call["args"])
    except ValidationError as error:
        raise InvalidPatch(validation_words(error)) from None
    if fix.source is None:
        return None
    if len(fix.source) > MAX_PATCH:
        raise InvalidPatch(f"it has more than {MAX_PATCH} characters")
    return fix.model_copy(update={"summary": fix.summary[:MAX_WORDS]})
