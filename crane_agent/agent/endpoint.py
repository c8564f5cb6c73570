"""The model's endpoint: one question, one answer by its deadline, whatever the endpoint does.

A question is tried up to `ATTEMPTS` times. A failure is one line without keys, passwords and what was asked.
"""

import queue
import threading
import time
import weakref
from collections.abc import Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from pydantic import SecretStr

from crane_agent.agent.prompts import sendable
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.in_kernel.redaction import redacted
from crane_agent.session.line import Audit

if TYPE_CHECKING:
    from openai import DefaultHttpxClient

DEFAULT_TIMEOUT_S = 60.0
"""Longest that one decision waits for its model [seconds]."""

ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
"""Pause before the second attempt [seconds]; it doubles. A `Retry-After` header wins over it."""

MODEL_REQUEST = "model request"
"""What the audit calls a request's body."""

_PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MAX_QUOTE = 160


class Endpoint:
    """Where a chat model answers.

    Args:
        model: A chat model with tool calling; its own retries are best switched off, since these are within the
            deadline.
        words: What error messages call the endpoint; no address with a password in it.
    """

    def __init__(self, model: BaseChatModel, *, words: str = "the model endpoint") -> None:
        self._model = model
        self._words = words

    def ask(
        self, messages: Sequence[AnyMessage], tools: list[dict[str, Any]], *, deadline: float, choice: str | None = None
    ) -> AIMessage:
        """Return the model's reply.

        Args:
            messages: The conversation.
            tools: What it may call.
            deadline: When the answer must be there, by `time.monotonic` [seconds].
            choice: The tool it must call, if the endpoint can be told so.

        Raises:
            ModelUnavailable: There is no answer by the deadline, or the endpoint cannot be used.
            ConfigError: The audit cannot be written, so nothing was sent.
        """
        if choice is None:
            return self._attempts(messages, {"tools": tools}, deadline)
        try:
            return self._attempts(messages, {"tools": tools, "tool_choice": choice}, deadline)
        except _ChoiceRefused:
            # Some endpoints know tools but cannot be told which one to call.
            return self._attempts(messages, {"tools": tools}, deadline)

    def _attempts(self, messages: Sequence[AnyMessage], binding: dict[str, Any], deadline: float) -> AIMessage:
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._call(messages, binding, deadline)
            if isinstance(outcome, AIMessage):
                return outcome
            if (refused := _audit_error(outcome)) is not None:
                raise refused
            wait = _retry_after(outcome) or pause
            if attempt == ATTEMPTS or not _is_passing(outcome) or time.monotonic() + wait >= deadline:
                raise _unavailable(outcome, self._words, binding)
            time.sleep(wait)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _call(self, messages: Sequence[AnyMessage], binding: dict[str, Any], deadline: float) -> AIMessage | Exception:
        """Return the reply, or what went wrong; a `TimeoutError` if nothing came by the deadline.

        The call runs in a daemon thread of its own, because no client's timeout can be relied on: most bound the time
        between two bytes only, and a server's `Retry-After` may come on top. A call that is given up on ends by
        itself and does not keep the process alive.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            return TimeoutError()
        outcome: queue.SimpleQueue[AIMessage | Exception] = queue.SimpleQueue()

        def call() -> None:
            try:
                reply = self._model.bind_tools(**binding).invoke(list(messages))
                outcome.put(reply if isinstance(reply, AIMessage) else TypeError("no assistant's message"))
            except Exception as error:  # noqa: BLE001 - what a client raises is unbounded; it is judged by the caller
                outcome.put(error)

        context = copy_context()  # callbacks and tracing of the caller's run
        threading.Thread(target=context.run, args=(call,), name="crane-agent model call", daemon=True).start()
        try:
            return outcome.get(timeout=left)
        except queue.Empty:
            return TimeoutError()


def open_endpoint(
    *,
    model: str,
    base_url: str | None,
    api_key: str | None,
    timeout_s: float,
    temperature: float | None,
    audit: Audit | None,
) -> Endpoint:
    """Return an OpenAI-compatible endpoint; nothing is sent. The arguments are those of `llm_policy.model_policy`.

    Raises:
        ConfigError: There is neither key nor endpoint, or the endpoint is no http address.
    """
    if api_key is None and base_url is None:
        raise ConfigError("a model needs OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint without a key")
    words = "the model endpoint" if base_url is None else f"the model endpoint at {_host(base_url)}"

    # Loaded here: the client takes a second, and runs without a model do not need it.
    from langchain_openai import ChatOpenAI

    try:
        client = None if audit is None else _audited_client(audit)
        chat = ChatOpenAI(
            model=model,
            base_url=base_url,
            api_key=SecretStr(api_key or "no key"),
            timeout=timeout_s,
            max_retries=0,
            temperature=temperature,
            disable_streaming=True,
            http_client=client,
        )
    except (ValueError, ImportError) as error:  # e.g. a proxy in the environment that the client cannot use
        raise ConfigError(f"the client of the model cannot be set up: {type(error).__name__}") from error
    endpoint = Endpoint(chat, words=words)
    if client is not None:
        # Nobody else closes a client that openai did not make itself.
        weakref.finalize(endpoint, client.close).atexit = False
    return endpoint


def _audited_client(audit: Audit) -> "DefaultHttpxClient":
    """Return the HTTP client that openai itself would make, with an ear on every request, retries included."""
    from openai import DefaultHttpxClient

    return DefaultHttpxClient(event_hooks={"request": [lambda request: audit(MODEL_REQUEST, request.read())]})


def _host(base_url: str) -> str:
    """Return host and port: an address may hold a user name and a password."""
    try:
        address = urlsplit(base_url)
        host, port = address.hostname, address.port
    except ValueError:
        host, port = None, None
    if not host or address.scheme not in ("http", "https"):
        raise ConfigError("OPENAI_BASE_URL must be an address such as http://localhost:11434/v1")
    return f"{host}:{port}" if port else host


# --- what goes wrong -----------------------------------------------------------------------------------------


class _ChoiceRefused(ModelUnavailable):
    """The endpoint refused a request that names the tool to call; without the name it may be taken."""


def _audit_error(error: BaseException | None) -> ConfigError | None:
    """Return the audit's error if that is what stopped a request; clients wrap what is raised on the way."""
    while error is not None and not isinstance(error, ConfigError):
        error = error.__cause__ or error.__context__
    return error


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _kind(error: Exception) -> Literal["timeout", "connection", "other"]:
    # Imported already whenever one of its errors is here.
    from openai import APIConnectionError, APITimeoutError

    if isinstance(error, TimeoutError | APITimeoutError):
        return "timeout"
    return "connection" if isinstance(error, ConnectionError | APIConnectionError) else "other"


def _is_passing(error: Exception) -> bool:
    """Whether another attempt may go better."""
    if getattr(error, "code", None) == "insufficient_quota":
        return False
    return _status(error) in _PASSING_STATUS or _kind(error) == "connection"


def _retry_after(error: Exception) -> float | None:
    """Return how long the endpoint asks us to wait [seconds]; None if it does not say, or gives a date."""
    response = getattr(error, "response", None)
    if response is None:
        return None
    try:
        wait = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return wait if wait > 0 else None


def _unavailable(error: Exception, endpoint: str, binding: dict[str, Any]) -> ModelUnavailable:
    status, kind = _status(error), _kind(error)
    if status is not None and "tool_choice" in binding and status in (400, 404, 422):
        return _ChoiceRefused(f"{endpoint} answered {status}")
    return ModelUnavailable(f"{endpoint} {_failure_words(error, status, kind)}")


def _failure_words(error: Exception, status: int | None, kind: str) -> str:
    """Return what happened in one line; no key, no address, and no more of the endpoint's own words than helps."""
    if kind == "timeout":
        return "did not answer in time"
    if kind == "connection":
        return "cannot be reached"
    if status in (401, 403):
        return f"refused the key (status {status})"
    if status == 429:
        wait = _retry_after(error)
        return "limits our requests (status 429)" + (f" and asks to wait {wait:.0f} s" if wait else "")
    if status is not None and status >= 500:
        return f"failed (status {status})"
    if status is not None:
        own = str(getattr(error, "message", "")).removeprefix(f"Error code: {status} - ")
        return f"refused the request (status {status}): {quoted(own)}"
    if isinstance(error, NotImplementedError):
        return "cannot be used: this model takes no tools"
    return f"gave an answer that cannot be read ({type(error).__name__})"


def quoted(text: object) -> str:
    """Return a short quote on one line, in which what may be a key (a long word with digits) is left out."""
    kept = [
        "..." if len(word) >= 16 and any(c.isdigit() for c in word) else word
        for word in sendable(redacted(str(text))).split()
    ]
    return repr(" ".join(kept)[:_MAX_QUOTE])
