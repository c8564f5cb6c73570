"""What each arm's word is worth, as Inspect scores: one value for each arm and measure."""

from copy import copy
from pathlib import Path

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, mean, model_graded_qa, scorer, stderr
from inspect_ai.solver import TaskState

from crane_agent.verdict.models import Verdict
from evals.junobench.reasons import can_be_judged, reason_in_words
from evals.junobench.samples import Asked
from evals.scorer import score_of

REASON = "reason"
"""Name of the scorer that judges reasons, as a log has it."""

NOT_SCORED = float("nan")
_TEMPLATE = Path(__file__).parent / "judge.md"


@scorer(metrics={"*": [mean(), stderr()]})
def outcome() -> Scorer:
    """Score outcome, diagnosis, certainty and abstention of each arm, e.g. ``adaptive +check: detected``.

    *detected*: a crash told from a working cell, an unknown being no crash. *diagnosed*: of the real crashes, those
    foreseen with type and line. *certain and wrong*, *unknown*: as they say.
    """

    async def score(state: TaskState, target: Target) -> Score:
        asked = state.store_as(Asked)
        if asked.answer is None:
            return Score.unscored(reason="the run failed")
        values: dict[str, float] = {}
        truth = asked.answer.truth
        for arm, said in asked.answer.said.items():
            worth = score_of(said.verdict, truth)
            values[f"{arm}: detected"] = (said.verdict.outcome == "crash") == truth.crash
            values[f"{arm}: diagnosed"] = worth.diagnosed if truth.crash else NOT_SCORED
            values[f"{arm}: certain and wrong"] = worth.certain_wrong
            values[f"{arm}: unknown"] = worth.result == "unknown"
        happened = f"{truth.status} {truth.ename or ''} {truth.evalue or ''}".strip()
        return Score(value={name: float(value) for name, value in values.items()}, answer=happened)

    return score


@scorer(name=REASON, metrics={"*": [mean(), stderr()]})
def reason(judge: str) -> Scorer:
    """Let a model judge whether the reason given for a crash is the written one; 1, 0, or not scored, by arm.

    Args:
        judge: The model, as Inspect names it.
    """
    grade = model_graded_qa(
        template=_TEMPLATE.read_text(encoding="utf-8"),
        include_history=lambda state: str(state.metadata["target"]),
        model=judge,
    )

    async def score(state: TaskState, target: Target) -> Score:
        answer = state.store_as(Asked).answer
        if answer is None or not target.text:
            return Score.unscored(reason="there is nothing to judge")
        values: dict[str, str | int | float | bool | None] = {}
        words: list[str] = []
        for arm, said in answer.said.items():
            values[arm] = NOT_SCORED
            if can_be_judged(said.verdict, answer.truth):
                graded = await grade(_answering(state, judge, said.verdict), target)
                if graded is not None and graded.value in (CORRECT, INCORRECT):
                    values[arm] = float(graded.value == CORRECT)
                    words.append(f"{arm}: {graded.explanation}")
        return Score(value=values, explanation="\n\n".join(words))

    return score


def _answering(state: TaskState, model: str, verdict: Verdict) -> TaskState:
    answering = copy(state)
    answering.output = ModelOutput.from_content(model, reason_in_words(verdict))
    return answering
