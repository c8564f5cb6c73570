"""An OpenAI-compatible endpoint on the loopback that gives scripted replies and faults.

with ModelServer([calls(("names", {"like": "df"})), verdict(outcome="no_crash")]) as server:
    ...  # point a client at server.base_url
server.requests  # what it was asked, in order
server.bodies  # the same, byte by byte
server.paths  # where: /v1/chat/completions or /v1/responses

A scripted completion is given in the form of the API that is asked.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from crane_agent.agent.llm_policy import ModelPolicy, policy_of
from crane_agent.config import Settings
from crane_agent.session.line import Audit

START_LIMIT_S = 10.0


@dataclass(frozen=True)
class Scripted:
    """One scripted reply: a status, headers and a body; or none at all while the server lives.

    `is_completion`: the body is one of Chat Completions, and becomes one of Responses where those are asked.
    `drops`: the connection is closed in the middle of the body. `endless`: the body is sent again and again.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    is_completion: bool = False
    drops: bool = False
    endless: bool = False
    pause_s: float = 0.0


_ids = count(1)


def completion(
    message: Mapping[str, Any], *, tokens: tuple[int, int] | None = (100, 20), cached: int = 0, finish: str = "stop"
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
        if cached:
            body["usage"]["prompt_tokens_details"] = {"cached_tokens": cached}
    return Scripted(json.dumps(body).encode(), headers={"content-type": "application/json"}, is_completion=True)


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


def spoken(*pairs: tuple[str, Mapping[str, Any]], around: tuple[str, str] = ("", ""), **options: Any) -> Scripted:
    """A completion that calls tools in text."""
    listed = [{"tool": name, "arguments": arguments} for name, arguments in pairs]
    return text(f"{around[0]}{json.dumps({'calls': listed})}{around[1]}", **options)


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


def drop() -> Scripted:
    """The connection is closed in the middle of an answer."""
    return Scripted(b'{"id": "chatcmpl-1", "choices": [', headers={"content-type": "application/json"}, drops=True)


def endless(part: bytes, *, pause_s: float = 0.0) -> Scripted:
    """A body that does not end while the server lives."""
    return Scripted(part, headers={"content-type": "application/json"}, endless=True, pause_s=pause_s)


def _as_response(completion: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body of the Responses API with what a body of Chat Completions has."""
    choice = completion["choices"][0]
    message, cut_off = choice["message"], choice["finish_reason"] == "length"
    output: list[dict[str, Any]] = [{"type": "reasoning", "id": f"rs_{next(_ids)}", "summary": []}]
    if message["content"] is not None:
        part = {"type": "output_text", "text": message["content"], "annotations": []}
        output.append({"type": "message", "id": f"msg_{next(_ids)}", "role": "assistant", "content": [part]})
    output.extend(
        {
            "type": "function_call",
            "id": f"fc_{next(_ids)}",
            "call_id": call["id"],
            "name": call["function"]["name"],
            "arguments": call["function"]["arguments"],
        }
        for call in message.get("tool_calls") or ()
    )
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": "scripted",
        "status": "incomplete" if cut_off else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut_off else None,
        "output": output,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    if (usage := completion.get("usage")) is not None:
        body["usage"] = {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
            "input_tokens_details": {"cached_tokens": 0, **usage.get("prompt_tokens_details", {})},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
    return body


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


class ModelServer:
    """The endpoint; a context manager that serves from a thread and leaves nothing behind.

    Args:
        script: The replies, in order. When it is over the server answers 410; a script with `repeats` is given again
            and again.
        models: What the list of models names; None: there is no such list.
        responses: Whether there is a Responses API.
    """

    def __init__(
        self,
        script: Iterable[Scripted],
        *,
        repeats: bool = False,
        models: Iterable[str] | None = None,
        responses: bool = True,
    ) -> None:
        self._script = list(script)
        self._models = None if models is None else list(models)
        self._repeats = repeats
        self._stopping = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        routes = [Route("/v1/chat/completions", self._answer, methods=["POST"])]
        if responses:
            routes.append(Route("/v1/responses", self._answer, methods=["POST"]))
        if self._models is not None:
            routes.append(Route("/v1/models", self._list, methods=["GET"]))
        app = Starlette(routes=routes)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def base_url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    def policy(self, *, audit: Audit | None = None, **settings: Any) -> ModelPolicy:
        """Return the policy that asks the model `small` here."""
        return policy_of(Settings(**{"model": "small", "base_url": self.base_url, **settings}), audit=audit)

    @property
    def tools_offered(self) -> list[list[str]]:
        """Names of the tools of each request."""
        return [[tool.get("function", tool)["name"] for tool in request.get("tools", ())] for request in self.requests]

    async def _list(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return Response(json.dumps({"data": [{"id": name} for name in self._models or ()]}))

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        self.requests.append(json.loads(body))
        self.headers.append(dict(request.headers))
        self.paths.append(request.url.path)
        place = len(self.requests) - 1
        if self._repeats:
            place %= len(self._script)
        if place >= len(self._script):
            return Response(b'{"error": {"message": "the script is over"}}', status_code=410)
        scripted = self._script[place]
        while scripted.hangs and not self._stopping.is_set():
            await asyncio.sleep(0.02)
        body, headers = scripted.body, dict(scripted.headers)
        if scripted.drops:
            return StreamingResponse(_once(body), headers={**headers, "content-length": str(len(body) + 100)})
        if scripted.endless:
            return StreamingResponse(self._endless(scripted), headers=headers)
        if scripted.is_completion and request.url.path == "/v1/responses":
            body = json.dumps(_as_response(json.loads(body))).encode()
        return Response(body, status_code=scripted.status, headers=headers)

    async def _endless(self, scripted: Scripted) -> AsyncIterator[bytes]:
        while not self._stopping.is_set():
            yield scripted.body
            await asyncio.sleep(scripted.pause_s)

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
