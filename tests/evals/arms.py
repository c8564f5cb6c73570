"""Predictions of a grid, made up: what an arm said of an instance."""

from crane_agent.verdict.models import ExceptionClaim, Verdict
from evals.instance import Truth
from evals.junobench.predictions import Arm, Prediction
from evals.scorer import score_of

CRASHED = Truth(status="error", ename="KeyError", evalue="'b'", line=2)
WORKED = Truth(status="ok")
STATIC, FIXED, ADAPTIVE = (Arm(facts=facts) for facts in ("static", "fixed", "adaptive"))


def prediction(
    case: str, outcome: str, truth: Truth = CRASHED, *, arm: Arm = ADAPTIVE, type: str = "KeyError", **rest: object
) -> Prediction:
    """Return one whose verdict names that type and the right line, if it is a crash."""
    claim = ExceptionClaim(type=type, line=2) if outcome == "crash" else None
    certainty, confidence = rest.pop("certainty", "predicted"), rest.pop("confidence", 0.9)
    verdict = Verdict(
        outcome=outcome,
        certainty=certainty,
        confidence=confidence,
        exception=claim,
        explanation="",
        reached_by="rules",
    )
    version = "reproduced" if truth.crash else "fixed"
    return Prediction(
        case=case,
        version=version,
        library=case.rpartition("_")[0],
        arm=arm,
        truth=truth,
        verdict=verdict,
        score=score_of(verdict, truth),
        **rest,
    )


def failed(case: str, *, arm: Arm = ADAPTIVE) -> Prediction:
    """Return one whose run failed."""
    return Prediction(case=case, version="fixed", library=case.rpartition("_")[0], arm=arm, error="no kernel <b>")
