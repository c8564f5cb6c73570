"""A trial of a model's endpoint: one tiny question, in which nothing of the user's is sent."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from crane_agent.config import Settings
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.llm.endpoint import Endpoint, Question, open_endpoint
from crane_agent.llm.prompt_files import words
from crane_agent.llm.text_calls import is_in_text, with_calls

_API_WORDS = {"chat": "Chat Completions", "responses": "the Responses API"}
_TOOL = "echo"
_WORD = "crane"
_PARAMETERS = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
_ECHO: dict[str, Any] = {"type": "function", "function": {"name": _TOOL, "parameters": _PARAMETERS}}


@dataclass(frozen=True)
class Finding:
    """One thing that a trial found out, in one line; `good` if nothing has to be done about it."""

    what: str
    good: bool
    words: str


def trial_of(settings: Settings) -> Iterator[Finding]:
    """Ask the model of the settings to call a tool, and yield what that shows; asked once, without retries."""
    try:
        endpoint = open_endpoint(settings.model_copy(update={"retries": 0}))
        started = time.monotonic()
        reply = endpoint.ask(_question(settings), deadline=started + settings.answer_seconds)
    except (ConfigError, ModelUnavailable) as error:
        yield Finding("model", False, f"{error}; without it the built-in rules decide")
        return
    elapsed_s = time.monotonic() - started
    api = _API_WORDS[endpoint.manner.api]
    slow = f", of {settings.seconds:g} s for a whole run" if 4 * elapsed_s > settings.seconds else ""
    yield Finding("model", not slow, f"{settings.model} answers in {elapsed_s:.1f} s{slow}, asked in {api}")
    yield _finding_of_tools(endpoint, reply)
    yield _finding_of_tokens(reply)


def _question(settings: Settings) -> Question:
    messages: list[AnyMessage] = [SystemMessage(words("trial")), HumanMessage(words("trial"))]
    return Question(messages, [_ECHO], max_tokens=settings.answer_tokens)


def _finding_of_tools(endpoint: Endpoint, reply: AIMessage) -> Finding:
    what = "tool calls"
    called = [call for call in reply.tool_calls if call["name"] == _TOOL]
    in_text = is_in_text([reply])
    if called and called[0]["args"].get("word") == _WORD:
        return Finding(what, True, "in text: the endpoint takes no tools" if in_text else "native")
    if called:
        return Finding(what, False, "it calls a tool with wrong arguments: expect the rules to take over at times")
    if endpoint.manner.tools == "native" and with_calls(reply) is not None:
        return Finding(what, False, "it writes calls as text though it was offered tools: set tool_calling to text")
    return Finding(what, False, "it calls no tool when asked to: expect the rules to decide")


def _finding_of_tokens(reply: AIMessage) -> Finding:
    usage = reply.usage_metadata
    if not usage or not usage["input_tokens"]:
        return Finding("tokens", False, "the endpoint reports none: they are estimated, and so is what they cost")
    return Finding("tokens", True, f"reported: {usage['input_tokens']} in, {usage['output_tokens']} out")
