"""The model policy: any chat model with tool calling chooses the probes and gives the verdict.

One decision is one model call. What the model sees are the messages in the view; nothing is kept between decisions.
Whatever the model or its endpoint does, `decide` returns before the run's time is over, with probes to call, a claim,
a complaint sent back to the model, or the reason why this policy gives up.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from pydantic import SecretStr, ValidationError

from crane_agent.agent.policy import Decision, ProbeCall, View
from crane_agent.agent.prompts import case_prompt, fact_text, sendable, words
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.tools.probes import PROBES, probe_tools
from crane_agent.tools.verdict import VERDICT, InvalidClaim, read_claim, validation_words, verdict_tool
from crane_agent.verdict.models import Claim

DEFAULT_TIMEOUT_S = 60.0
"""Longest that one decision waits for its model [seconds]."""

KEPT_SHARE = 0.1
"""Part of the run's time left that no model call may use, so that the rules can take over in time."""

ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
"""Pause before the second attempt [seconds]; it doubles. A `Retry-After` header wins over it."""

_PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MAX_QUOTE = 160


class ModelPolicy:
    """Decides by asking a chat model.

    Args:
        model: A chat model with tool calling; its own retries are best switched off, since this policy retries within
            the run's time.
        name: What the verdict's `reached_by` says.
        timeout_s: Longest that one decision waits for the model, retries included [seconds].
        endpoint: What error messages call the endpoint; no address with a password in it.
    """

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        endpoint: str = "the model endpoint",
    ) -> None:
        self._model = model
        self._name = name
        self._timeout_s = timeout_s
        self._endpoint = endpoint
        self._verdict = verdict_tool(words("verdict"))
        self._tools = [*probe_tools(), self._verdict]

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    def decide(self, view: View) -> Decision:
        """Ask the model for the next probes or the answer."""
        added = tuple(_added(view))
        size = count_tokens_approximately(_history(view.messages + added), tools=list(self._tools))
        if size >= view.tokens_left:
            return Decision(gave_up=f"{view.tokens_left} tokens are left, the next question needs about {size}")
        # The last question is the one after which no other fits.
        last = view.steps_left <= 1 or 2 * size >= view.tokens_left
        if last:
            added = (*added[:-1], _with_last_words(added[-1])) if added else added
        try:
            reply = self._ask(_history(view.messages + added), view.seconds_left, last=last)
        except ModelUnavailable as error:
            return Decision(gave_up=str(error))
        message = _with_call_ids(reply, view.messages)
        decision = _decision(_read(message, view, last=last), view, last=last)
        usage = message.usage_metadata
        return replace(
            decision,
            messages=(*added, message, *decision.messages),
            tokens_in=usage["input_tokens"] if usage else 0,
            tokens_out=usage["output_tokens"] if usage else 0,
        )

    def _ask(self, messages: Sequence[AnyMessage], seconds_left: float, *, last: bool) -> AIMessage:
        """Return the model's reply.

        Raises:
            ModelUnavailable: There is none by the deadline, or the endpoint cannot be used.
        """
        deadline = time.monotonic() + min(self._timeout_s, seconds_left * (1 - KEPT_SHARE))
        if not last:
            return self._attempts(messages, {"tools": self._tools}, deadline)
        try:
            return self._attempts(messages, {"tools": [self._verdict], "tool_choice": VERDICT}, deadline)
        except _ChoiceRefused:
            # Some endpoints know tools but cannot be told which one to call.
            return self._attempts(messages, {"tools": [self._verdict]}, deadline)

    def _attempts(self, messages: Sequence[AnyMessage], binding: dict[str, Any], deadline: float) -> AIMessage:
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._call(messages, binding, deadline)
            if isinstance(outcome, AIMessage):
                return outcome
            wait = _retry_after(outcome) or pause
            if attempt == ATTEMPTS or not _is_passing(outcome) or time.monotonic() + wait >= deadline:
                raise _unavailable(outcome, self._endpoint, binding)
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


def model_policy(
    *,
    model: str,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    temperature: float | None = None,
) -> ModelPolicy:
    """Return a policy that asks an OpenAI-compatible endpoint.

    Args:
        model: The model's name, as the endpoint knows it.
        base_url: The endpoint; None: OpenAI's own.
        api_key: Key for it. A local endpoint may need none; a key in the environment is then not sent to it.
        timeout_s: Longest that one decision waits for the model, retries included [seconds].
        temperature: None leaves it to the endpoint; some models refuse any other.

    Raises:
        ConfigError: There is neither key nor endpoint, or the endpoint is no http address.
    """
    if api_key is None and base_url is None:
        raise ConfigError("a model needs OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint without a key")
    endpoint = "the model endpoint" if base_url is None else f"the model endpoint at {_host(base_url)}"

    # Loaded here: the client takes a second, and runs without a model do not need it.
    from langchain_openai import ChatOpenAI

    try:
        chat = ChatOpenAI(
            model=model,
            base_url=base_url,
            api_key=SecretStr(api_key or "no key"),
            timeout=timeout_s,
            max_retries=0,
            temperature=temperature,
            disable_streaming=True,
        )
    except (ValueError, ImportError) as error:  # e.g. a proxy in the environment that the client cannot use
        raise ConfigError(f"the client of the model cannot be set up: {type(error).__name__}") from error
    return ModelPolicy(chat, model, timeout_s=timeout_s, endpoint=endpoint)


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


# --- what is sent --------------------------------------------------------------------------------------------


def _added(view: View) -> Iterator[AnyMessage]:
    """Yield what this decision adds before it asks: the case at first, later the answers to the model's calls."""
    if not view.messages:
        yield SystemMessage(words("system"))
        yield HumanMessage(case_prompt(view))
        return
    facts = {fact.call.call_id: fact for fact in view.facts if fact.call.call_id}
    answered = {message.tool_call_id for message in view.messages if isinstance(message, ToolMessage)}
    for message in view.messages:
        for call in _all_calls(message) if isinstance(message, AIMessage) else ():
            call_id = call["id"] or ""
            if call_id in answered:
                continue
            fact = facts.get(call_id)
            # An endpoint refuses a conversation in which a call has no answer.
            text = words("not_asked") if fact is None else words("fact", id=fact.id, text=fact_text(fact))
            yield ToolMessage(text, tool_call_id=call_id)


def _with_last_words(message: AnyMessage) -> AnyMessage:
    """Return the message with the word that the verdict is due; a message of its own would break some endpoints."""
    return message.model_copy(update={"content": f"{message.content}\n\n{words('last')}"})


def _history(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages as they can be sent: malformed calls with empty arguments, which endpoints insist on."""
    return [
        message.model_copy(update={"tool_calls": _all_calls(message), "invalid_tool_calls": []})
        if isinstance(message, AIMessage) and message.invalid_tool_calls
        else message
        for message in messages
    ]


def _all_calls(message: AIMessage) -> list[ToolCall]:
    malformed = [
        ToolCall(name=call["name"] or "unknown", args={}, id=call["id"], type="tool_call")
        for call in message.invalid_tool_calls
    ]
    return [*message.tool_calls, *malformed]


# --- what comes back -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What a reply asks for.

    Attributes:
        probes: The probe calls that can be made.
        claim: The answer, if there is a valid one.
        verdict_id: Id of the call that gave it.
        objections: What is wrong, by call id; an empty id stands for the reply as a whole.
    """

    probes: tuple[ProbeCall, ...]
    claim: Claim | None
    verdict_id: str
    objections: dict[str, str]


def _read(message: AIMessage, view: View, *, last: bool) -> _Reading:
    probes: list[ProbeCall] = []
    claim, verdict_id = None, ""
    objections: dict[str, str] = {}
    for call in message.tool_calls:
        call_id = call["id"] or ""
        try:
            if call["name"] == VERDICT:
                facts = {fact.id for fact in view.facts}
                claim = read_claim(call["args"], source=view.target.cell.source, facts=facts)
                verdict_id = call_id
            elif last:
                objections[call_id] = f"only {VERDICT} can be called now"
            else:
                probes.append(_probe_call(call))
        except InvalidClaim as error:
            objections[call_id] = str(error)
    for malformed in message.invalid_tool_calls:
        objections[malformed["id"] or ""] = "the arguments of the call are no JSON object"
    if not message.tool_calls and not message.invalid_tool_calls:
        cut = message.response_metadata.get("finish_reason") == "length"
        objections[""] = "it was cut off before any tool call" if cut else "it calls no tool"
    return _Reading(tuple(probes), claim, verdict_id, objections)


def _probe_call(call: ToolCall) -> ProbeCall:
    spec = PROBES.get(call["name"])
    if spec is None:
        raise InvalidClaim(f"there is no tool {_quoted(call['name'])}, only {', '.join(PROBES)} and {VERDICT}")
    try:
        arguments = spec.arguments.model_validate(call["args"])
    except ValidationError as error:
        raise InvalidClaim(validation_words(error)) from None
    return ProbeCall(spec.name, arguments.model_dump(mode="json", exclude_none=True), call["id"] or "")


def _decision(reading: _Reading, view: View, *, last: bool) -> Decision:
    """Return what follows from a reply: the probes it asks for, else its claim, else a complaint, but only one."""
    objections = {call_id: words("retry", reason=reason) for call_id, reason in reading.objections.items()}
    if reading.probes:
        if reading.claim is not None:
            objections[reading.verdict_id] = words("premature")
        return Decision(calls=reading.probes, messages=tuple(_complaints(objections)))
    if reading.claim is not None:
        return Decision(claim=reading.claim)
    if last or _was_invalid_before(view.messages):
        reason = next(iter(reading.objections.values()))
        return Decision(gave_up=f"the model gave no valid answer: {reason}")
    return Decision(messages=tuple(_complaints(objections)))


def _complaints(objections: dict[str, str]) -> Iterator[AnyMessage]:
    for call_id, text in objections.items():
        yield ToolMessage(text, tool_call_id=call_id, status="error") if call_id else HumanMessage(text)


def _was_invalid_before(messages: Sequence[AnyMessage]) -> bool:
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


# --- what goes wrong -----------------------------------------------------------------------------------------


class _ChoiceRefused(ModelUnavailable):
    """The endpoint refused a request that names the tool to call; without the name it may be taken."""


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
        return f"refused the request (status {status}): {_quoted(own)}"
    if isinstance(error, NotImplementedError):
        return "cannot be used: this model takes no tools"
    return f"gave an answer that cannot be read ({type(error).__name__})"


def _quoted(text: object) -> str:
    """Return a short quote on one line, in which what may be a key (a long word with digits) is left out."""
    kept = [
        "..." if len(word) >= 16 and any(c.isdigit() for c in word) else word for word in sendable(str(text)).split()
    ]
    return repr(" ".join(kept)[:_MAX_QUOTE])
