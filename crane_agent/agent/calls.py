"""What a model's tool calls ask for: probes, or the final answer, or nothing that can be used, and what follows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from pydantic import BaseModel, ValidationError

from crane_agent.agent.policy import Fact, ProbeCall
from crane_agent.agent.prompts import reply_text
from crane_agent.llm.dialogue import complaints, unanswered, was_invalid_before
from crane_agent.llm.failures import quoted
from crane_agent.llm.prompt_files import words
from crane_agent.tools.verdict import InvalidClaim, validation_words

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Offer(Generic[Answer]):
    """What a model may call.

    Attributes:
        tools: Arguments of every tool but the final one, by name.
        final: Name of the final tool.
        read: Makes of the final tool's arguments the answer; raises `InvalidClaim` where they are none.
        only_final: Whether nothing else can be called now.
        facts: What is known: nothing is asked twice.
        retry: Prompt that complains of a call; its place is `reason`.
        premature: Prompt that turns away an answer beside which something else was asked.
    """

    tools: Mapping[str, type[BaseModel]]
    final: str
    read: Callable[[Mapping[str, Any]], Answer]
    only_final: bool
    facts: Sequence[Fact]
    retry: str
    premature: str


@dataclass(frozen=True)
class Outcome(Generic[Answer]):
    """What follows from a reply: calls, or an answer, or a complaint, or that there is no use in asking again.

    Attributes:
        calls: What is to be asked.
        answer: The answer.
        messages: What the model is told of calls that could not be used.
        gave_up: Why it is not asked again.
    """

    calls: tuple[ProbeCall, ...] = ()
    answer: Answer | None = None
    messages: tuple[AnyMessage, ...] = ()
    gave_up: str = ""


def outcome_of(reply: AIMessage, offer: Offer[Answer], before: Sequence[AnyMessage], *, last: bool) -> Outcome[Answer]:
    """Return what follows from a reply: the probes it asks for, else its answer, else a complaint, but only one.

    Args:
        reply: The reply; every call has an id of its own.
        offer: What could be called.
        before: The dialogue before it.
        last: Whether the model is not asked again.
    """
    calls: list[ProbeCall] = []
    answer, answer_id = None, ""
    objections: dict[str, str] = {}
    for call in reply.tool_calls:
        call_id = call["id"] or ""
        try:
            if call["name"] == offer.final:
                answer, answer_id = offer.read(call["args"]), call_id
            elif offer.only_final:
                objections[call_id] = f"only {offer.final} can be called now"
            else:
                calls.append(_new(_read(call, offer), offer.facts))
        except InvalidClaim as error:
            objections[call_id] = str(error)
    objections.update(_malformed(reply))
    told = {call_id: words(offer.retry, reason=reason) for call_id, reason in objections.items()}
    if calls:
        if answer is not None:
            told[answer_id] = words(offer.premature)
        return Outcome(calls=tuple(calls), messages=tuple(complaints(told)))
    if answer is not None:
        return Outcome(answer=answer)
    if last or was_invalid_before(before):
        return Outcome(gave_up=f"the model gave no valid answer: {next(iter(objections.values()))}")
    return Outcome(messages=tuple(complaints(told)))


def answers(messages: Sequence[AnyMessage], facts: Sequence[Fact]) -> Iterator[ToolMessage]:
    """Yield the answers to the calls in a dialogue that have none yet."""
    by_call = {fact.call.call_id: fact for fact in facts if fact.call.call_id}
    for call_id in unanswered(messages):
        fact = by_call.get(call_id)
        text = words("not_asked") if fact is None else words("fact", id=fact.id, text=reply_text(fact))
        yield ToolMessage(text, tool_call_id=call_id)


def _malformed(reply: AIMessage) -> Iterator[tuple[str, str]]:
    for call in reply.invalid_tool_calls:
        yield call["id"] or "", call["error"] or "the arguments of the call are no JSON object"
    if not reply.tool_calls and not reply.invalid_tool_calls:
        cut = reply.response_metadata.get("finish_reason") == "length"
        yield "", "it was cut off before any tool call" if cut else "it calls no tool"


def _read(call: ToolCall, offer: Offer[Answer]) -> ProbeCall:
    name = call["name"]
    if name not in offer.tools:
        raise InvalidClaim(f"there is no tool {quoted(name)}, only {', '.join(offer.tools)} and {offer.final}")
    try:
        arguments = offer.tools[name].model_validate(call["args"])
    except ValidationError as error:
        raise InvalidClaim(validation_words(error)) from None
    return ProbeCall(name, arguments.model_dump(mode="json", exclude_none=True), call["id"] or "")


def _new(call: ProbeCall, facts: Sequence[Fact]) -> ProbeCall:
    """Return a call that no fact answers yet: whoever goes round in circles learns nothing by it."""
    for fact in facts:
        if fact.reply.status == "ok" and (fact.call.question, fact.call.arguments) == (call.question, call.arguments):
            raise InvalidClaim(f"this was asked before, and {fact.id} is the answer")
    return call
