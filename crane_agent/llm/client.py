"""The client that speaks to a model's endpoint: LangChain's, over HTTP that sends and takes no more than it may.

Every request goes to the one endpoint that is set, which redirects to no other, and is shown to the audit; an answer
ends after `MAX_ANSWER_BYTES`, or when its time is over.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from crane_agent.config import OPENAI_URL, Settings
from crane_agent.errors import ConfigError
from crane_agent.llm.failures import AnswerTooLong
from crane_agent.session.line import Audit

if TYPE_CHECKING:
    from openai import DefaultHttpxClient

MAX_ANSWER_BYTES = 8_000_000
"""Size of an answer; what a model may say in its tokens is far below [bytes]."""

MODEL_REQUEST = "model request"
"""What the audit calls a request's body."""


class ChatModels(NamedTuple):
    """A model by the API that it is spoken to in, and what closes the connections."""

    by_api: Mapping[Literal["chat", "responses"], BaseChatModel]
    close: Callable[[], None]


def chat_models(settings: Settings, *, audit: Audit | None) -> ChatModels:
    """Return the clients of a model; nothing is sent.

    Raises:
        ConfigError: The client cannot be set up, or the key cannot be sent.
    """
    key = "no key" if settings.api_key is None else settings.api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("OPENAI_API_KEY holds characters that cannot be sent")
    # Loaded here: the client takes a second, and runs without a model do not need it.
    from langchain_openai import ChatOpenAI

    try:
        client = _http_client(settings.answer_seconds, audit)
        chat = ChatOpenAI(
            model=settings.model or "",
            # Else the client would take an address from a variable that the settings do not know.
            base_url=settings.base_url or OPENAI_URL,
            api_key=SecretStr(key),
            timeout=settings.answer_seconds,
            max_retries=0,
            temperature=settings.temperature,
            reasoning_effort=settings.reasoning_effort,
            seed=settings.seed,
            disable_streaming=True,
            http_client=client,
            use_responses_api=False,
        )
    except (ValueError, ImportError) as error:  # e.g. a proxy in the environment that the client cannot use
        raise ConfigError(f"the client of the model cannot be set up: {type(error).__name__}") from error
    # `store`: a conversation about somebody's data is not kept at the endpoint.
    responses = chat.model_copy(update={"use_responses_api": True, "store": False, "seed": None})
    return ChatModels({"chat": chat, "responses": responses}, client.close)


def host_of(base_url: str) -> str:
    """Return host and port: an address may hold a user name and a password.

    Raises:
        ConfigError: It is no http address.
    """
    try:
        address = urlsplit(base_url)
        host, port = address.hostname, address.port
    except ValueError:
        host, port = None, None
    if not host or address.scheme not in ("http", "https"):
        raise ConfigError("OPENAI_BASE_URL must be an address such as http://localhost:11434/v1")
    return f"{host}:{port}" if port else host


def is_openai(base_url: str | None) -> bool:
    """Return whether the endpoint is OpenAI's own, which the client takes if none is set."""
    return base_url is None or host_of(base_url) == host_of(OPENAI_URL)


def _http_client(limit_s: float, audit: Audit | None) -> "DefaultHttpxClient":
    """Return the HTTP client that openai itself would make, with an ear on every request and a bound on each answer."""
    from openai import DefaultHttpxClient

    def on_request(request: Any) -> None:
        if audit is not None:
            audit(MODEL_REQUEST, request.read())

    def on_response(response: Any) -> None:
        response.stream = bounded(response.stream, time.monotonic() + limit_s)

    bounded = _bounded_stream(DefaultHttpxClient)
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [on_request], "response": [on_response]}
    # Compressed, an answer could be far longer than what is counted.
    headers = {"accept-encoding": "identity"}
    return DefaultHttpxClient(follow_redirects=False, event_hooks=hooks, headers=headers)


def _bounded_stream(client: type) -> Callable[[Any, float], Any]:
    """Return a stream of bytes that ends with an error after `MAX_ANSWER_BYTES`, or at a moment."""
    # openai's client is of httpx or httpx2, as its version has it; each takes its own streams only.
    library: Any = sys.modules[client.__mro__[1].__module__.partition(".")[0]]

    class Bounded(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any, ends: float) -> None:
            self._stream = stream
            self._ends = ends

        def __iter__(self) -> Iterator[bytes]:
            left = MAX_ANSWER_BYTES
            for part in self._stream:
                left -= len(part)
                if left < 0 or time.monotonic() > self._ends:
                    raise AnswerTooLong
                yield part

        def close(self) -> None:
            self._stream.close()

    return Bounded
