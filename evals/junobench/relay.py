"""The model of an Inspect sample as an OpenAI-compatible address on this machine, for a worker in another process.

A request becomes a call of Inspect's agent bridge, so that it runs with Inspect's providers, limits and retries, and is
in the sample's transcript.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import EventLoopToken, current_token
from inspect_ai.agent import agent_bridge
from inspect_ai.util import LimitExceededError, span
from openai import AsyncOpenAI

ANSWER_LIMIT_S = 600.0
"""Longest that a request may take; who asked has given up long before [seconds]."""

_POLL_S = 0.05


class Relay:
    """Answers a worker's requests, one after the other.

    Attributes:
        base_url: Where requests go to; one of an arm's goes to `address`.
        exceeded: The limit of Inspect's that a request has run into.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.base_url = f"http://127.0.0.1:{server.server_port}"
        self.exceeded: LimitExceededError | None = None
        self._arms: list[str] = []

    def address(self, arm: str) -> str:
        """Return the address for the requests of an arm."""
        self._arms.append(arm)
        return f"{self.base_url}/{len(self._arms) - 1}/v1"

    async def answer(self, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """Return the status and the body of the reply to a request."""
        place, _, endpoint = path.removeprefix("/").partition("/")
        if endpoint != "v1/chat/completions" or not place.isdecimal() or int(place) >= len(self._arms):
            return 404, _error("there is nothing here")
        client = AsyncOpenAI(api_key="none", base_url=self.base_url, max_retries=0)
        try:
            async with span(self._arms[int(place)]):
                with anyio.fail_after(ANSWER_LIMIT_S):
                    completion = await client.chat.completions.create(**{**body, "model": "inspect"})
        except LimitExceededError as limit:
            self.exceeded = limit
            return 403, _error(str(limit))
        except Exception as error:  # noqa: BLE001 - what a provider raises is unbounded; it is told to who asked
            return 502, _error(f"{type(error).__name__}: {error}")
        return 200, completion.model_dump_json()


@asynccontextmanager
async def relayed_model() -> AsyncIterator[Relay]:
    """Serve the model of the running sample."""
    async with agent_bridge(forward_generation_config=True):
        with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            relay = Relay(server)
            server.RequestHandlerClass = _handler_of(relay, current_token())
            # The thread has the context of this task, and so have the calls that it sends back: the bridge is in it.
            thread = Thread(target=copy_context().run, args=(server.serve_forever, _POLL_S), daemon=True)
            thread.start()
            try:
                yield relay
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(server.shutdown)
                thread.join()


def _handler_of(relay: Relay, loop: EventLoopToken) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, text = anyio.from_thread.run(relay.answer, self.path, body, token=loop)
            reply = text.encode()
            with suppress(ConnectionError):  # who asked may have given up
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _error(words: str) -> str:
    return json.dumps({"error": {"message": words}})
