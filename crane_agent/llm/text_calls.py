"""Tool calls in text, for models that know no others: a conversation with tools is sent and read as plain text.

The model is told the tools in the system message, and answers with one JSON object:
``{"calls": [{"tool": "columns", "arguments": {"path": "df"}}]}``. What the tools answer goes back as one JSON object,
too, so that a text in it cannot pretend to stand outside.

What is read is lenient about the form, since small models are: the last object in the text counts, whatever stands
around it, and other common names of its keys are understood. What the calls ask for is judged by the policy.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.messages.tool import invalid_tool_call, tool_call

from crane_agent.llm.prompt_files import words
from crane_agent.tools.verdict import VERDICT

MAX_TRIALS = 200
"""Places at which an object may seem to begin, from the end of the text, that are looked at."""

_TOOLS, _IN_TEXT = "tools", "text"
_BEGINNING = re.compile(r'\{\s*"')


def as_text(messages: Sequence[AnyMessage], tools: Sequence[Mapping[str, Any]]) -> list[AnyMessage]:
    """Return a conversation with tool calls as one without: system, user and assistant take turns."""
    calls = {call["id"]: call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}
    texts: list[AnyMessage] = []
    answers: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            answers.append(_answer(message, calls.get(message.tool_call_id)))
            continue
        texts.extend(_given(answers))
        answers = []
        if isinstance(message, SystemMessage):
            texts.append(SystemMessage(f"{message.content}\n\n{words('text_calls', tools=_listed(tools))}"))
        elif isinstance(message, AIMessage):
            texts.append(AIMessage(str(message.content) or _written(message)))
        else:
            texts.append(message)
    return [*texts, *_given(answers)]


def is_in_text(messages: Sequence[AnyMessage]) -> bool:
    """Return whether calls in text were read in this conversation, so that it goes on in text."""
    return any(
        isinstance(message, AIMessage) and message.response_metadata.get(_TOOLS) == _IN_TEXT for message in messages
    )


def with_calls(message: AIMessage) -> AIMessage | None:
    """Return a reply with the calls that its text holds; None if it holds none."""
    found = _last_calls(str(message.content))
    if not found:
        return None
    calls: list[ToolCall] = []
    malformed: list[InvalidToolCall] = []
    for name, arguments in found:
        if isinstance(arguments, dict):
            calls.append(tool_call(name=name, args=arguments, id=None))
        else:
            malformed.append(invalid_tool_call(name=name, args=None, id=None, error=None))
    metadata = {**message.response_metadata, _TOOLS: _IN_TEXT}
    update = {"tool_calls": calls, "invalid_tool_calls": malformed, "response_metadata": metadata}
    return message.model_copy(update=update)


# -- what is sent ------------------------------------------------------------------------------------------------------


def _listed(tools: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)


def _written(message: AIMessage) -> str:
    calls = [{"tool": call["name"], "arguments": call["args"]} for call in message.tool_calls]
    return json.dumps({"calls": calls}, ensure_ascii=False)


def _answer(message: ToolMessage, call: ToolCall | None) -> dict[str, Any]:
    """Return what a tool answered with what it was asked; of a verdict that was not taken only why."""
    asked = {} if call is None else {"tool": call["name"], "arguments": call["args"]}
    if message.status == "error":
        asked.pop("arguments", None)
        return {**asked, "error": str(message.content)}
    return {**asked, "answer": str(message.content)}


def _given(answers: Sequence[Mapping[str, Any]]) -> Iterator[AnyMessage]:
    if answers:
        yield HumanMessage(json.dumps({"answers": list(answers)}, ensure_ascii=False))


# -- what comes back ---------------------------------------------------------------------------------------------------


def _last_calls(text: str) -> list[tuple[str, object]]:
    """Return the name and the arguments of each call in the last object that holds any."""
    for value in reversed(list(_objects(text))):
        if calls := list(_calls_in(value)):
            return calls
    return []


def _objects(text: str) -> Iterator[object]:
    """Yield the JSON objects in a text that stand in no other, in order."""
    read, end = json.JSONDecoder(strict=False), 0
    for beginning in list(_BEGINNING.finditer(text))[-MAX_TRIALS:]:
        if beginning.start() < end:
            continue
        try:
            value, end = read.raw_decode(text, beginning.start())
        except (ValueError, RecursionError):
            continue
        yield value


def _calls_in(value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        return
    listed = value.get("calls", value.get("tool_calls"))
    if isinstance(listed, list):
        for each in listed:
            yield from _calls_in(each)
    elif isinstance(value.get("function"), dict):
        yield from _calls_in(value["function"])
    elif isinstance(name := value.get("tool", value.get("name")), str):
        yield name, _arguments(value.get("arguments", value.get("args", value.get("parameters", {}))))
    elif "outcome" in value:
        yield VERDICT, value


def _arguments(value: object) -> object:
    """Return the arguments, which some write as a text that holds JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return value
