"""A dialogue with a model that calls tools: what it is sent, and how a reply is made fit to be answered.

Nothing is kept here: a dialogue is its messages, and every question sends them all again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately

from crane_agent.errors import ModelUnavailable
from crane_agent.in_kernel.redaction import redacted, redacted_value
from crane_agent.llm.endpoint import Endpoint, Question
from crane_agent.llm.usage import counted

LEAST_ANSWER_TOKENS = 256
"""What must be left for an answer, so that a question is worth its tokens [tokens]."""


class Heard(NamedTuple):
    """What became of a question.

    Attributes:
        message: The reply with what it cost, each call with an id of its own; None if there is none.
        why_not: Why there is none.
    """

    message: AIMessage | None
    why_not: str = ""


def heard(
    endpoint: Endpoint, question: Question, *, tokens_left: int, deadline: float, before: Sequence[AnyMessage] = ()
) -> Heard:
    """Ask a model, as long as there are tokens for it.

    Args:
        endpoint: Where it answers.
        question: What it is asked; its messages as `sent` gives them.
        tokens_left: What question and answer may cost together [tokens].
        deadline: When the answer must be there, by `time.monotonic` [seconds].
        before: The dialogue so far, whose calls have ids.

    Raises:
        ConfigError: The audit cannot be written, so nothing was sent.
    """
    size = size_of(question.messages, question.tools)
    if tokens_left - size < LEAST_ANSWER_TOKENS:
        return Heard(None, f"{tokens_left} tokens are left, the next question needs about {size}")
    asked = replace(question, max_tokens=min(question.max_tokens, tokens_left - size))
    try:
        reply = endpoint.ask(asked, deadline=deadline)
    except ModelUnavailable as error:
        return Heard(None, str(error))
    return Heard(counted(_with_call_ids(reply, before), asked=size))


def cost_of(message: AIMessage) -> tuple[int, int]:
    """Return what a reply that was `heard` cost: tokens sent, tokens received."""
    usage = message.usage_metadata
    assert usage is not None
    return usage["input_tokens"], usage["output_tokens"]


def size_of(messages: Sequence[AnyMessage], tools: Sequence[dict[str, Any]]) -> int:
    """Return about how many tokens a question has [tokens]."""
    return count_tokens_approximately(messages, tools=list(tools))


# --- what is sent ----------------------------------------------------------------------------------------------------


def sent(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return messages as they can be sent.

    Without secrets: what a model says itself comes back to it, too. Malformed calls have empty arguments, which
    endpoints insist on.
    """
    return [_without_secrets(_without_malformed_calls(message)) for message in messages]


def _without_secrets(message: AnyMessage) -> AnyMessage:
    content = message.content
    changes: dict[str, object] = {
        "content": redacted(content) if isinstance(content, str) else [redacted_value(part) for part in content]
    }
    if isinstance(message, AIMessage):
        changes["tool_calls"] = [{**call, "args": redacted_value(call["args"])} for call in message.tool_calls]
    return message.model_copy(update=changes)


def _without_malformed_calls(message: AnyMessage) -> AnyMessage:
    if not isinstance(message, AIMessage) or not message.invalid_tool_calls:
        return message
    return message.model_copy(update={"tool_calls": _all_calls(message), "invalid_tool_calls": []})


def _all_calls(message: AIMessage) -> list[ToolCall]:
    malformed = [
        ToolCall(name=call["name"] or "unknown", args={}, id=call["id"], type="tool_call")
        for call in message.invalid_tool_calls
    ]
    return [*message.tool_calls, *malformed]


# --- what comes back -------------------------------------------------------------------------------------------------


def unanswered(messages: Sequence[AnyMessage]) -> Iterator[str]:
    """Yield the ids of the calls that no message answers; endpoints refuse a conversation that has any."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    for message in messages:
        for call in _all_calls(message) if isinstance(message, AIMessage) else ():
            if (call["id"] or "") not in answered:
                yield call["id"] or ""


def complaints(objections: Mapping[str, str]) -> Iterator[AnyMessage]:
    """Yield what a model is told of the calls that could not be used, by their ids; '' stands for the whole reply."""
    for call_id, text in objections.items():
        yield ToolMessage(text, tool_call_id=call_id, status="error") if call_id else HumanMessage(text)


def was_invalid_before(messages: Sequence[AnyMessage]) -> bool:
    """Whether an earlier reply held nothing of use: every call in it, if there was one, was answered by a complaint."""
    refused = {
        message.tool_call_id for message in messages if isinstance(message, ToolMessage) and message.status == "error"
    }
    return any(
        all(call["id"] in refused for call in _all_calls(message))
        for message in messages
        if isinstance(message, AIMessage)
    )


def _with_call_ids(message: AIMessage, before: Sequence[AnyMessage]) -> AIMessage:
    """Return the reply with an id for each call that no other call has; some endpoints give none, or repeat them."""
    turn = sum(isinstance(each, AIMessage) for each in before)
    used = {call["id"] for each in before if isinstance(each, AIMessage) for call in _all_calls(each)}

    def own(call_id: str | None) -> str:
        if not call_id or call_id in used:
            call_id = f"call{turn % 100:02}{len(used) % 1000:03}"  # nine characters: the one form all endpoints take
        used.add(call_id)
        return call_id

    calls = [{**call, "id": own(call["id"])} for call in message.tool_calls]
    malformed = [{**call, "id": own(call["id"])} for call in message.invalid_tool_calls]
    return message.model_copy(update={"tool_calls": calls, "invalid_tool_calls": malformed})
