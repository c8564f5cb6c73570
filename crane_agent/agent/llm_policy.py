"""The model policy: any chat model with tool calling chooses the probes and gives the verdict.

One decision is one model call. What the model sees are the messages in the view; nothing is kept between decisions.
Whatever the model or its endpoint does, `decide` returns before the run's time is over, with probes to call, a claim,
a complaint sent back to the model, or the reason why this policy gives up.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from pydantic import SecretStr, ValidationError

from crane_agent.agent.endpoint import Endpoint, Question, open_endpoint
from crane_agent.agent.failures import quoted
from crane_agent.agent.policy import Decision, ProbeCall, Proposal, Tried, View
from crane_agent.agent.prompts import case_prompt, fact_text, repair_prompt, words
from crane_agent.agent.usage import counted
from crane_agent.config import Settings
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.in_kernel.redaction import redacted, redacted_value
from crane_agent.session.line import Audit
from crane_agent.tools.patch import PATCH, InvalidPatch, patch_tool, read_patch
from crane_agent.tools.probes import PROBES, probe_tools
from crane_agent.tools.verdict import VERDICT, InvalidClaim, read_claim, validation_words, verdict_tool
from crane_agent.verdict.models import Claim

KEPT_SHARE = 0.1
"""Part of the run's time left that no model call may use, so that the rules can take over in time."""

ANSWER_TOKENS = 8192
LEAST_ANSWER_TOKENS = 256
"""What must be left for an answer, so that a question is worth its tokens [tokens]."""


class ModelPolicy:
    """Decides by asking a chat model.

    Args:
        endpoint: Where the chat model answers.
        name: What the verdict's `reached_by` says.
        answer_tokens: Most that one answer may have, reasoning included [tokens].
    """

    def __init__(self, endpoint: Endpoint, name: str, *, answer_tokens: int = ANSWER_TOKENS) -> None:
        self._endpoint = endpoint
        self._name = name
        self._answer_tokens = answer_tokens
        self._verdict = verdict_tool(words("verdict"))
        self._tools = [*probe_tools(), self._verdict]
        self._patch = patch_tool(words("patch"))

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    def decide(self, view: View) -> Decision:
        """Ask the model for the next probes or the answer.

        Raises:
            ConfigError: The audit cannot be written, so nothing was sent.
        """
        deadline = time.monotonic() + view.seconds_left * (1 - KEPT_SHARE)
        added = tuple(_added(view))
        messages = _without_secrets(_history(view.messages + added))
        # The last question is the one after which no other fits; it offers the verdict only, and so takes less.
        last = view.steps_left <= 1 or 2 * _size(messages, self._tools) >= view.tokens_left
        tools = [self._verdict] if last else self._tools
        size = _size(messages, tools)
        room = view.tokens_left - size
        if room < LEAST_ANSWER_TOKENS:
            return Decision(gave_up=f"{view.tokens_left} tokens are left, the next question needs about {size}")
        question = Question(
            messages,
            tools,
            max_tokens=min(self._answer_tokens, room),
            choice=VERDICT if last else "",
            postscript=words("last") if last else "",
        )
        try:
            reply = self._endpoint.ask(question, deadline=deadline)
        except ModelUnavailable as error:
            return Decision(gave_up=str(error))
        message = counted(_with_call_ids(reply, view.messages), asked=size)
        decision = _decision(_read(message, view, last=last), view, last=last)
        usage = message.usage_metadata
        assert usage is not None
        return replace(
            decision,
            messages=(*added, message, *decision.messages),
            tokens_in=usage["input_tokens"],
            tokens_out=usage["output_tokens"],
        )

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Ask the model for a patch; each time anew, with what became of those before.

        Raises:
            ConfigError: The audit cannot be written, so nothing was sent.
        """
        deadline = time.monotonic() + view.seconds_left * (1 - KEPT_SHARE)
        content: list[AnyMessage] = [SystemMessage(words("repair")), HumanMessage(repair_prompt(view, claim, tried))]
        messages, tools = _without_secrets(content), [self._patch]
        size = _size(messages, tools)
        room = view.tokens_left - size
        if room < LEAST_ANSWER_TOKENS:
            return Proposal(gave_up=f"{view.tokens_left} tokens are left, the question needs about {size}")
        question = Question(messages, tools, max_tokens=min(self._answer_tokens, room), choice=PATCH)
        try:
            reply = self._endpoint.ask(question, deadline=deadline)
        except ModelUnavailable as error:
            return Proposal(gave_up=str(error))
        message = counted(reply, asked=size)
        usage = message.usage_metadata
        assert usage is not None
        made = Proposal(messages=(message,), tokens_in=usage["input_tokens"], tokens_out=usage["output_tokens"])
        try:
            return replace(made, fix=read_patch(message.tool_calls))
        except InvalidPatch as error:
            return replace(made, gave_up=f"the model gave no valid patch: {error}")


def policy_of(settings: Settings, *, audit: Audit | None = None) -> ModelPolicy:
    """Return the policy that asks the model of the settings.

    Args:
        settings: Model, endpoint, key, and how the model is asked.
        audit: Told of every request's body before it is sent, as ``audit("model request", body)``.

    Raises:
        ConfigError: The settings name no model, neither key nor endpoint, or do not go together.
    """
    if settings.model is None:
        raise ConfigError("no model is set")
    endpoint = open_endpoint(settings, audit=audit)
    return ModelPolicy(endpoint, settings.model, answer_tokens=settings.answer_tokens)


def model_policy(
    *,
    model: str,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_s: float = 60.0,
    audit: Audit | None = None,
) -> ModelPolicy:
    """Return the policy that asks a model in the default way, a key in the environment left alone; see `policy_of`.

    Raises:
        ConfigError: There is neither key nor endpoint, or the endpoint is no http address.
    """
    key = None if api_key is None else SecretStr(api_key)
    try:
        settings = Settings(model=model, base_url=base_url, api_key=key, answer_seconds=timeout_s)
    except ValidationError:
        raise ConfigError("the endpoint must be an address such as http://localhost:11434/v1") from None
    return policy_of(settings, audit=audit)


def _size(messages: Sequence[AnyMessage], tools: Sequence[dict[str, Any]]) -> int:
    return count_tokens_approximately(messages, tools=list(tools))


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


def _without_secrets(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages without secrets: what a model says itself comes back to it, too."""
    return [_message_without_secrets(message) for message in messages]


def _message_without_secrets(message: AnyMessage) -> AnyMessage:
    content = message.content
    changes: dict[str, object] = {
        "content": redacted(content) if isinstance(content, str) else [redacted_value(part) for part in content]
    }
    if isinstance(message, AIMessage):
        changes["tool_calls"] = [{**call, "args": redacted_value(call["args"])} for call in message.tool_calls]
    return message.model_copy(update=changes)


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
                probes.append(_new(_probe_call(call), view))
        except InvalidClaim as error:
            objections[call_id] = str(error)
    for malformed in message.invalid_tool_calls:
        objections[malformed["id"] or ""] = malformed["error"] or "the arguments of the call are no JSON object"
    if not message.tool_calls and not message.invalid_tool_calls:
        cut = message.response_metadata.get("finish_reason") == "length"
        objections[""] = "it was cut off before any tool call" if cut else "it calls no tool"
    return _Reading(tuple(probes), claim, verdict_id, objections)


def _probe_call(call: ToolCall) -> ProbeCall:
    spec = PROBES.get(call["name"])
    if spec is None:
        raise InvalidClaim(f"there is no tool {quoted(call['name'])}, only {', '.join(PROBES)} and {VERDICT}")
    try:
        arguments = spec.arguments.model_validate(call["args"])
    except ValidationError as error:
        raise InvalidClaim(validation_words(error)) from None
    return ProbeCall(spec.name, arguments.model_dump(mode="json", exclude_none=True), call["id"] or "")


def _new(call: ProbeCall, view: View) -> ProbeCall:
    """Return a call that no fact answers yet: whoever goes round in circles learns nothing by it."""
    for fact in view.facts:
        if fact.reply.status == "ok" and (fact.call.question, fact.call.arguments) == (call.question, call.arguments):
            raise InvalidClaim(f"this was asked before, and {fact.id} is the answer")
    return call


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
