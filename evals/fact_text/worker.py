"""One instance in a process of its own: `python -m evals.fact_text.worker`, the job as JSON on standard input."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from crane_agent.agent.llm_policy import ModelPolicy
from crane_agent.agent.nodes import SUMMARY_BYTES, SUMMARY_SECONDS
from crane_agent.agent.policy import Fact, Observation, ProbeCall, View
from crane_agent.agent.prompts import fact_text, reply_text
from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.agent.summaries import SUMMARY, summary_arguments, with_cells
from crane_agent.config import Facts, Privacy, Settings
from crane_agent.errors import ModelUnavailable
from crane_agent.llm.endpoint import Endpoint, Question
from crane_agent.llm.prompt_files import words
from crane_agent.notebook.history import Target, history_of
from crane_agent.notebook.names import defined_by_unrun, never_bound
from crane_agent.predict import predict
from crane_agent.session.attached import attach
from crane_agent.session.protocol import Limits, Reply, Session
from crane_agent.tools.probes import PROBES
from evals.fact_text.choice import chosen
from evals.fact_text.rows import Found, Level, Size, size_of
from evals.replay import Job, serve
from evals.solver import kernel_at, target_in
from evals.worker import make_data

LEVELS: tuple[Privacy, ...] = ("schema", "values")
WHOLE: Facts = "fixed"
ABLATIONS: tuple[Facts, ...] = tuple(each for each in get_args(Facts) if each.startswith(f"{WHOLE}-"))


def found(job: Job) -> Iterator[Found]:
    """Yield what the facts about the job's instance cost.

    Raises:
        CraneAgentError: The kernel failed, or an executed cell did.
    """
    make_data(job.instance, python=job.python, work=job.work)
    target = target_in(job.instance)
    with kernel_at(job.instance, python=job.python, work=job.work, profile=job.profile) as own:
        view = _view(target, own)
        # The same kernel, asked at another privacy level.
        connection = next(Path(tempfile.gettempdir()).glob("crane-agent-*/connection.json"))
        levels: dict[str, Level] = {}
        facts: tuple[Fact, ...] = ()
        for level in LEVELS:
            with attach(str(connection), privacy=level) as session:
                if not levels:
                    facts, by_policy = chosen(view, RulePolicy(), lambda call: _answer(session, call, target))
                asked = [Fact(fact.id, fact.call, _answer(session, fact.call, target)) for fact in facts]
                levels[level] = _level(view, session, asked)
    yield Found(
        levels=levels,
        probes=tuple(fact.call.question for fact in facts),
        by_policy=by_policy,
        refused=sum(fact.reply.status != "ok" for fact in facts),
    )


def _view(target: Target, session: Session) -> View:
    """Return what a policy sees at first: the target, the static side, the checker's report."""
    events: list[Mapping[str, Any]] = []
    settings = Settings(rehearse="off", fix=False)
    predict(target, session, settings=settings, policy=RulePolicy(), trace=events.append)
    checks = [event["reply"] for event in events if event["event"] == "question" and event["question"] == "check"]
    check = Fact("F1", ProbeCall("check", {}), Reply("ok", answer=checks[0]["answer"])) if checks else None
    return View(
        target=target,
        observation=Observation(defined_by_unrun(target), never_bound(target)),
        check=check,
        facts=(check,) if check is not None else (),
        messages=(),
        steps_left=settings.steps,
        seconds_left=settings.seconds,
        tokens_left=settings.tokens,
    )


def _answer(session: Session, call: ProbeCall, target: Target) -> Reply:
    if PROBES[call.question].answered_by == "cells":
        return Reply("ok", answer=history_of(target, **call.arguments))
    return session.ask(call.question, call.arguments, limits=Limits())


def _level(view: View, session: Session, asked: list[Fact]) -> Level:
    summary, elapsed_ms = _summary(view, session, WHOLE)
    fixed = replace(view, facts=(*view.facts, summary), may_probe=False)
    return Level(
        summary=size_of(fact_text(summary)),
        without={arm: size_of(fact_text(_summary(view, session, arm)[0])) for arm in ABLATIONS},
        probes=tuple(size_of(words("fact", id=fact.id, text=reply_text(fact))) for fact in asked),
        questions={"adaptive": _question(view), WHOLE: _question(fixed)},
        summary_ms=elapsed_ms,
    )


def _summary(view: View, session: Session, arm: Facts) -> tuple[Fact, float]:
    """Return the summary as the graph asks for it."""
    arguments = summary_arguments(view.target, arm)
    limits = Limits(seconds=SUMMARY_SECONDS, bytes=SUMMARY_BYTES)
    reply = session.ask(SUMMARY, arguments, limits=limits)
    fact = Fact(f"F{len(view.facts) + 1}", ProbeCall(SUMMARY, arguments), reply)
    return with_cells(fact, view.target), reply.elapsed_ms


class _Listener(Endpoint):
    """An endpoint that keeps what it is asked, and answers nothing."""

    def __init__(self) -> None:
        self.question: Question | None = None

    def ask(self, question: Question, *, deadline: float) -> Any:
        """Keep the question.

        Raises:
            ModelUnavailable: Always.
        """
        self.question = question
        raise ModelUnavailable("nobody is there")


def _question(view: View) -> dict[str, Size]:
    """Return the parts of what a model is sent with its first question."""
    listener = _Listener()
    decision = ModelPolicy(listener, "model").decide(view)
    question = listener.question
    assert question is not None, decision.gave_up
    system, case = (str(message.content) for message in question.messages)
    tools = json.dumps(question.tools, ensure_ascii=False, separators=(",", ":"))
    return {"system prompt": size_of(system), "tool schemas": size_of(tools), "case": size_of(case)}


if __name__ == "__main__":
    serve(Job, found)
