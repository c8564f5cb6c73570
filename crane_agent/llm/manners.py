"""How an endpoint is spoken to. No two OpenAI-compatible ones take the same requests, and few say beforehand which.

A request that is refused is asked again in the manner that the refusal points to, each change once at most.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from crane_agent.config import Api, ToolCalling
from crane_agent.llm.failures import REFUSALS, own_words, status_of

SMALL_ANSWER = 1024
"""Tokens of an answer where the endpoint's model is too small for more."""


@dataclass(frozen=True)
class Manner:
    """How an endpoint is spoken to.

    Attributes:
        api: Chat Completions or Responses.
        tools: Whether tools are the API's own, or a JSON protocol in text.
        limit: What Chat Completions call the limit of an answer: the old name, which every server knows, or the one
            that OpenAI's own reasoning models insist on.
        names_tool: Whether a request may say which tool is to be called.
        small: Whether an answer has `SMALL_ANSWER` tokens at most.
    """

    api: Literal["chat", "responses"] = "chat"
    tools: Literal["native", "text"] = "native"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    names_tool: bool = True
    small: bool = False


@dataclass(frozen=True)
class Request:
    """What matters of a refused request: whether it named a tool to call, and the limit of its answer [tokens]."""

    names_tool: bool
    max_tokens: int


def other_manners(
    error: Exception, manner: Manner, request: Request, *, api: Api, tool_calling: ToolCalling
) -> Iterator[Manner]:
    """Yield the manners that a failure points to, the likeliest first; none that the settings forbid.

    Args:
        error: How the request failed.
        manner: The manner it was made in.
        request: What was asked.
        api: The setting of that name.
        tool_calling: The setting of that name.
    """
    status, said = status_of(error), own_words(error).lower()
    if status in REFUSALS:
        yield from _of_limit(said, manner, request)
        if api == "auto":
            yield from _of_api(status, said, manner)
        if request.names_tool and manner.names_tool:
            yield replace(manner, names_tool=False)
    # llama.cpp answers 500 to a request with tools if it was not started for them.
    without_tools = status in (*REFUSALS, 500) and _TOOLS.search(said)
    if (
        (without_tools or isinstance(error, NotImplementedError))
        and manner.tools == "native"
        and tool_calling == "auto"
    ):
        yield replace(manner, tools="text")


_LIMIT = re.compile(r"max_(completion_|output_)?tokens|in the completion")
_TOO_LONG = re.compile(r"too large|at most|maximum context|context length|less than or equal")
_RESPONSES = re.compile(r"v1/responses|not a chat model")
_TOOLS = re.compile(r"\b(tool|function)")


def _of_limit(said: str, manner: Manner, request: Request) -> Iterator[Manner]:
    if not _LIMIT.search(said):
        return
    if _TOO_LONG.search(said):
        if request.max_tokens > SMALL_ANSWER and not manner.small:
            yield replace(manner, small=True)
    elif manner.api == "chat":
        yield replace(manner, limit="max_completion_tokens" if manner.limit == "max_tokens" else "max_tokens")


def _of_api(status: int | None, said: str, manner: Manner) -> Iterator[Manner]:
    if manner.api == "chat" and _RESPONSES.search(said):
        yield replace(manner, api="responses")
    if manner.api == "responses" and status in (404, 405, 501):
        yield replace(manner, api="chat")
