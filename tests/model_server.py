"""A chat-completions endpoint on the loopback that gives scripted replies and faults.

with ModelServer([calls(("names", {"like": "df"})), verdict(outcome="no_crash")]) as server:
    ...  # point a client at server.base_url
server.requests  # what it was asked, in order
server.bodies  # the same, byte by byte
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

START_LIMIT_S = 10.0


@dataclass(frozen=True)
class Scripted:
    """One scripted reply: a status, headers and a body; or none at all while the server lives."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


_ids = count(1)


def completion(
    message: Mapping[str, Any], *, tokens: tuple[int, int] | None = (100, 20), finish: str = "stop"
) -> Scripted:
    """A well-formed completion; `tokens` (in, out) or None for an endpoint that gives no usage."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None, **message}}
        ],
    }
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return Scripted(json.dumps(body).encode(), headers={"content-type": "application/json"})


def text(words: str, **options: Any) -> Scripted:
    """A completion that is text only."""
    return completion({"content": words}, **options)


def calls(*pairs: tuple[str, Mapping[str, Any] | str], ids: Iterable[str] | None = None, **options: Any) -> Scripted:
    """A completion with parallel tool calls (name, arguments); arguments given as text are sent as they are."""
    given = iter(ids) if ids is not None else (f"call_{next(_ids)}" for _ in pairs)
    listed = [
        {
            "id": next(given),
            "type": "function",
            "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)},
        }
        for name, arguments in pairs
    ]
    return completion({"tool_calls": listed}, finish="tool_calls", **options)


def verdict(**claim: Any) -> Scripted:
    """A completion that calls `verdict`; what is not given is filled in."""
    return calls(("verdict", {"outcome": "no_crash", "confidence": 0.9, "explanation": "It fits.", **claim}))


def fault(status: int, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Scripted:
    """An error as OpenAI-compatible endpoints send it."""
    content = {"error": {"message": "scripted fault", "type": "scripted", "code": None}} if body is None else body
    return Scripted(json.dumps(content).encode(), status, {"content-type": "application/json", **(headers or {})})


def raw(body: bytes) -> Scripted:
    """Status 200 and JSON by its header, whatever the body is."""
    return Scripted(body, headers={"content-type": "application/json"})


def hang() -> Scripted:
    """No answer while the server lives."""
    return Scripted(hangs=True)


class ModelServer:
    """The endpoint; a context manager that serves from a thread and leaves nothing behind.

    Args:
        script: The replies, in order. When it is over the server answers 410; a script of one reply with
            `repeats` is given again and again.
    """

    def __init__(self, script: Iterable[Scripted], *, repeats: bool = False) -> None:
        self._script = list(script)
        self._repeats = repeats
        self._stopping = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        app = Starlette(routes=[Route("/v1/chat/completions", self._answer, methods=["POST"])])
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def base_url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    @property
    def tools_offered(self) -> list[list[str]]:
        """Names of the tools of each request."""
        return [[tool["function"]["name"] for tool in request["tools"]] for request in self.requests]

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        self.requests.append(json.loads(body))
        self.headers.append(dict(request.headers))
        place = len(self.requests) - 1
        if self._repeats:
            place %= len(self._script)
        if place >= len(self._script):
            return Response(b'{"error": {"message": "the script is over"}}', status_code=410)
        scripted = self._script[place]
        while scripted.hangs and not self._stopping.is_set():
            await asyncio.sleep(0.02)
        return Response(scripted.body, status_code=scripted.status, headers=dict(scripted.headers))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_LIMIT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the scripted model server did not start")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.should_exit = True
        self._thread.join(START_LIMIT_S)
