"""The model's endpoint: one question, one answer by its deadline, whatever the endpoint does.

How an endpoint is spoken to is settled by asking it (`manners`) and then kept. What comes back has one form, whether
the endpoint speaks Chat Completions or Responses, and whether the model calls tools or writes its calls as text.
A failure is one line without keys, passwords and what was asked (`failures`).
"""

import queue
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage

from crane_agent.config import Api, Settings, ToolCalling
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.llm.client import chat_models, host_of, is_openai
from crane_agent.llm.failures import cause_among, failure_words, is_passing, retry_after
from crane_agent.llm.manners import SMALL_ANSWER, Manner, Request, other_manners
from crane_agent.llm.replies import bounded, plain
from crane_agent.llm.text_calls import as_text, is_in_text, with_calls
from crane_agent.session.line import Audit

FIRST_PAUSE_S = 0.5
"""Pause before the second try [seconds]; it doubles. A `Retry-After` header wins over it."""


@dataclass(frozen=True)
class Question:
    """What a model is asked.

    Attributes:
        messages: The conversation.
        tools: What the model may call, as OpenAI function schemas.
        max_tokens: Most that the answer may have, reasoning included [tokens].
        choice: The tool that it must call; '': any, or none.
        postscript: Said at the end of the last message, outside of any data in it.
    """

    messages: Sequence[AnyMessage]
    tools: Sequence[dict[str, Any]]
    max_tokens: int
    choice: str = ""
    postscript: str = ""


class Endpoint:
    """Where a chat model answers.

    Args:
        models: The chat model, by the API that it speaks; their own retries are best switched off, since these are
            within the deadline.
        manner: How it is spoken to at first.
        api: Whether that may change to the other API.
        tool_calling: Whether that may change to calls in text.
        retries: How often a question is asked again after a failure that may pass.
        answer_seconds: Time that one try may take [seconds].
        words: What error messages call the endpoint; no address with a password in it.
    """

    def __init__(
        self,
        models: Mapping[Literal["chat", "responses"], BaseChatModel],
        manner: Manner,
        *,
        api: Api = "auto",
        tool_calling: ToolCalling = "auto",
        retries: int = 2,
        answer_seconds: float = 60.0,
        words: str = "the model endpoint",
    ) -> None:
        self._models = models
        self._manner = manner
        self._api = api
        self._tool_calling = tool_calling
        self._retries = retries
        self._answer_seconds = answer_seconds
        self._words = words

    @property
    def manner(self) -> Manner:
        """How it is spoken to, as far as it is known."""
        return self._manner

    def ask(self, question: Question, *, deadline: float) -> AIMessage:
        """Return the model's reply, plain and bounded (`replies`).

        Args:
            question: What it is asked.
            deadline: When the answer must be there, by `time.monotonic` [seconds].

        Raises:
            ModelUnavailable: There is no answer by the deadline, or the endpoint cannot be used.
            ConfigError: The audit cannot be written, so nothing was sent.
        """
        manner = self._manner
        messages = question.messages
        if self._tool_calling == "auto" and (is_in_text(messages) or _heard_of_no_tool(messages)):
            manner = replace(manner, tools="text")
        refused: set[Manner] = set()
        failures, pause = 0, FIRST_PAUSE_S
        while True:
            outcome = self._try(question, manner, deadline)
            if isinstance(outcome, AIMessage):
                if refused:
                    self._manner = manner
                return bounded(self._heard(plain(outcome), question, manner))
            if (stopped := cause_among(outcome, ConfigError)) is not None:
                raise stopped
            refused.add(manner)
            if (other := self._other_manner(outcome, question, manner, refused)) is not None:
                manner = other
                continue
            failures += 1
            wait = retry_after(outcome) or pause
            if failures > self._retries or not is_passing(outcome) or time.monotonic() + wait >= deadline:
                raise ModelUnavailable(f"{self._words} {failure_words(outcome)}")
            time.sleep(wait)
            pause *= 2

    def _other_manner(
        self, error: Exception, question: Question, manner: Manner, refused: set[Manner]
    ) -> Manner | None:
        request = Request(names_tool=bool(question.choice), max_tokens=question.max_tokens)
        others = other_manners(error, manner, request, api=self._api, tool_calling=self._tool_calling)
        return next((other for other in others if other not in refused), None)

    def _heard(self, reply: AIMessage, question: Question, manner: Manner) -> AIMessage:
        """Return the reply with the calls in its text, where those count."""
        if manner.tools == "text":
            return with_calls(reply) or reply
        if self._tool_calling == "native" or reply.tool_calls or reply.invalid_tool_calls:
            return reply
        # Once may be a slip; a model that does it again does not know better. There is no second time at the end.
        again = any(
            isinstance(message, AIMessage) and not message.tool_calls and with_calls(message) is not None
            for message in question.messages
        )
        return (with_calls(reply) if again or question.choice else None) or reply

    def _try(self, question: Question, manner: Manner, deadline: float) -> AIMessage | Exception:
        """Return the reply, or what went wrong; a `TimeoutError` if nothing came in time.

        The call runs in a daemon thread of its own, because no client's timeout can be relied on: most bound the time
        between two bytes only. A call that is given up on ends by itself and does not keep the process alive.
        """
        left = min(deadline - time.monotonic(), self._answer_seconds)
        if left <= 0:
            return TimeoutError()
        outcome: queue.SimpleQueue[AIMessage | Exception] = queue.SimpleQueue()

        def call() -> None:
            try:
                reply = self._call(question, manner)
                outcome.put(reply if isinstance(reply, AIMessage) else TypeError("no assistant's message"))
            except Exception as error:  # noqa: BLE001 - what a client raises is unbounded; it is judged by the caller
                outcome.put(error)

        context = copy_context()  # callbacks and tracing of the caller's run
        threading.Thread(target=context.run, args=(call,), name="crane-agent model call", daemon=True).start()
        try:
            return outcome.get(timeout=left)
        except queue.Empty:
            return TimeoutError()

    def _call(self, question: Question, manner: Manner) -> object:
        model = self._models[manner.api]
        limit = _limit(min(question.max_tokens, SMALL_ANSWER) if manner.small else question.max_tokens, manner)
        if manner.tools == "text":
            told = as_text(question.messages, question.tools)
            return model.invoke(_with_postscript(told, question.postscript), **limit)
        choice = {"tool_choice": question.choice} if question.choice and manner.names_tool else {}
        bound = model.bind_tools(list(question.tools), **choice)
        return bound.invoke(_with_postscript(question.messages, question.postscript), **limit)


def _heard_of_no_tool(messages: Sequence[AnyMessage]) -> bool:
    """Return whether the last reply is talk without a call: many servers take tools and do not tell their model."""
    last = next((each for each in reversed(messages) if isinstance(each, AIMessage)), None)
    if last is None or last.tool_calls or last.invalid_tool_calls or not last.content or last.response_metadata:
        return False
    return with_calls(last) is None


def _limit(tokens: int, manner: Manner) -> dict[str, Any]:
    # The client gives `max_tokens` the newer name, which many servers take no notice of.
    if manner.api == "chat" and manner.limit == "max_tokens":
        return {"extra_body": {"max_tokens": tokens}}
    return {"max_tokens": tokens}


def _with_postscript(messages: Sequence[AnyMessage], words: str) -> list[AnyMessage]:
    """Return the messages with these words at their end; a message of its own would break some endpoints."""
    if not words or not messages:
        return list(messages)
    last = messages[-1]
    return [*messages[:-1], last.model_copy(update={"content": f"{last.content}\n\n{words}"})]


def open_endpoint(settings: Settings, *, audit: Audit | None = None) -> Endpoint:
    """Return the OpenAI-compatible endpoint that the settings name; nothing is sent.

    Args:
        settings: Model, address, key and how the model is asked.
        audit: Told of every request's body before it is sent, as ``audit("model request", body)``.

    Raises:
        ConfigError: The settings name no model, neither key nor endpoint, or do not go together.
    """
    if settings.api_key is None and settings.base_url is None:
        raise ConfigError("a model needs OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint without a key")
    if settings.api == "responses" and settings.seed is not None:
        raise ConfigError("seed: the Responses API takes none; use api = chat")
    own = is_openai(settings.base_url)
    auto: Literal["chat", "responses"] = "responses" if own and settings.seed is None else "chat"
    manner = Manner(
        api=auto if settings.api == "auto" else settings.api,
        tools="text" if settings.tool_calling == "text" else "native",
        limit="max_completion_tokens" if own else "max_tokens",
    )
    models = chat_models(settings, audit=audit)
    endpoint = Endpoint(
        models.by_api,
        manner,
        api=settings.api,
        tool_calling=settings.tool_calling,
        retries=settings.retries,
        answer_seconds=settings.answer_seconds,
        words="the model endpoint"
        if settings.base_url is None
        else f"the model endpoint at {host_of(settings.base_url)}",
    )
    # Nobody else closes a client that openai did not make itself.
    weakref.finalize(endpoint, models.close).atexit = False
    return endpoint
