"""One form for what models reply: text and calls, bounded, with nothing that only one provider could read again.

A conversation is sent again whole with every question, to whichever API and protocol its endpoint turns out to speak.
So ids of items at the provider, its reasoning and its annotations stay out of it.
"""

import json
from typing import Any

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call

MAX_TEXT = 20_000
"""Length of a reply's text that is kept, from its end; none of it where it has calls, which tell the same [characters].
"""

MAX_ARGUMENTS = 50_000
"""Length of one call's arguments, as JSON [characters]."""

MAX_CALLS = 64
"""Calls of one reply that are read."""

TOO_LONG = "the arguments of the call are too long"


def plain(reply: AIMessage) -> AIMessage:
    """Return a reply in its plain form; `response_metadata` says ``{"finish_reason": "length"}`` if it was cut off."""
    text = str(reply.text) or str(reply.additional_kwargs.get("refusal") or "")
    return AIMessage(
        # Some servers leave what the model thinks in its text.
        text.rpartition("</think>")[2].strip(),
        tool_calls=reply.tool_calls,
        invalid_tool_calls=[{**call, "args": None, "error": None} for call in reply.invalid_tool_calls],
        usage_metadata=reply.usage_metadata,
        response_metadata={"finish_reason": "length"} if _is_cut_off(reply.response_metadata) else {},
    )


def bounded(reply: AIMessage) -> AIMessage:
    """Return a plain reply without what is too long or too much; a call that is too long becomes a malformed one."""
    calls: list[ToolCall] = []
    malformed: list[InvalidToolCall] = list(reply.invalid_tool_calls[:MAX_CALLS])
    for call in reply.tool_calls[:MAX_CALLS]:
        if len(json.dumps(call["args"])) <= MAX_ARGUMENTS:
            calls.append(call)
        else:
            malformed.append(invalid_tool_call(name=call["name"], args=None, id=call["id"], error=TOO_LONG))
    text = str(reply.content)
    if len(text) > MAX_TEXT:
        text = "" if calls or malformed else text[-MAX_TEXT:]
    return reply.model_copy(update={"content": text, "tool_calls": calls, "invalid_tool_calls": malformed})


def _is_cut_off(metadata: dict[str, Any]) -> bool:
    if metadata.get("finish_reason") == "length":
        return True
    details = metadata.get("incomplete_details")
    return isinstance(details, dict) and details.get("reason") == "max_output_tokens"
