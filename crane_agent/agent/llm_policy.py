"""The model policy: any chat model with tool calling chooses the probes and gives the verdict.

One decision is one model call. What the model sees are the messages in the view; nothing is kept between decisions.
Whatever the model or its endpoint does, `decide` returns before the run's time is over, with probes to call, a claim,
a complaint sent back to the model, or the reason why this policy gives up.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage

from crane_agent.agent.calls import Offer, answers, outcome_of
from crane_agent.agent.policy import Decision, Proposal, Tried, View
from crane_agent.agent.prompts import case_prompt, repair_prompt
from crane_agent.config import Settings
from crane_agent.errors import ConfigError
from crane_agent.llm.dialogue import cost_of, heard, sent, size_of
from crane_agent.llm.endpoint import Endpoint, Question, open_endpoint
from crane_agent.llm.prompt_files import words
from crane_agent.session.line import Audit
from crane_agent.tools.patch import PATCH, InvalidPatch, patch_tool, read_patch
from crane_agent.tools.probes import PROBES, probe_tools
from crane_agent.tools.verdict import VERDICT, read_claim, verdict_tool
from crane_agent.verdict.models import Claim

KEPT_SHARE = 0.1
"""Part of the run's time left that no model call may use, so that the rules can take over in time."""

ANSWER_TOKENS = 8192


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
        messages = sent(view.messages + added)
        # The last question is the one after which no other fits; it offers the verdict only, and so takes less.
        last = view.steps_left <= 1 or 2 * size_of(messages, self._tools) >= view.tokens_left
        tools = [self._verdict] if last or not view.may_probe else self._tools
        question = Question(
            messages,
            tools,
            max_tokens=self._answer_tokens,
            choice=VERDICT if len(tools) == 1 else "",
            postscript=words("last") if last and view.may_probe else "",
        )
        message, why_not = heard(
            self._endpoint, question, tokens_left=view.tokens_left, deadline=deadline, before=view.messages
        )
        if message is None:
            return Decision(gave_up=why_not)
        outcome = outcome_of(message, _offer(view, last=last), view.messages, last=last)
        tokens_in, tokens_out = cost_of(message)
        return Decision(
            calls=outcome.calls,
            claim=outcome.answer,
            gave_up=outcome.gave_up,
            messages=(*added, message, *outcome.messages),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
        )

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Ask the model for a patch; each time anew, with what became of those before.

        Raises:
            ConfigError: The audit cannot be written, so nothing was sent.
        """
        deadline = time.monotonic() + view.seconds_left * (1 - KEPT_SHARE)
        content: list[AnyMessage] = [SystemMessage(words("repair")), HumanMessage(repair_prompt(view, claim, tried))]
        question = Question(sent(content), [self._patch], max_tokens=self._answer_tokens, choice=PATCH)
        message, why_not = heard(self._endpoint, question, tokens_left=view.tokens_left, deadline=deadline)
        if message is None:
            return Proposal(gave_up=why_not)
        tokens_in, tokens_out = cost_of(message)
        made = Proposal(messages=(message,), tokens_in=tokens_in, tokens_out=tokens_out)
        if any(call["name"] == VERDICT and call["args"].get("outcome") == "no_crash" for call in message.tool_calls):
            return replace(made, gave_up="it says that the cell does not crash, but the crash was shown")
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


def _added(view: View) -> Iterator[AnyMessage]:
    """Yield what this decision adds before it asks: the case at first, later the answers to the model's calls."""
    if not view.messages:
        yield SystemMessage(f"{words('system')}\n\n{words('tools' if view.may_probe else 'no_probes')}")
        yield HumanMessage(case_prompt(view))
        return
    yield from answers(view.messages, view.facts)


def _offer(view: View, *, last: bool) -> Offer[Claim]:
    facts = {fact.id for fact in view.facts}
    return Offer(
        tools={spec.name: spec.arguments for spec in PROBES.values()},
        final=VERDICT,
        read=lambda arguments: read_claim(arguments, source=view.target.cell.source, facts=facts),
        only_final=last or not view.may_probe,
        facts=view.facts,
        retry="retry",
        premature="premature",
    )
