"""What a model claims is checked against the target and the facts, and cut to a size that can be read."""

from typing import Any

import pytest

from crane_agent.tools.verdict import MAX_LISTED, MAX_PATCH, MAX_WORDS, InvalidClaim, read_claim
from crane_agent.verdict.models import Claim

SOURCE = "x = 1\ny = df['Price']"
LONG = "word " * 20_000


def claimed(**fields: Any) -> Claim:
    whole = {"outcome": "crash", "confidence": 0.9, "explanation": "Why.", "exception": {"type": "KeyError"}, **fields}
    return read_claim(whole, source=SOURCE, facts={"F1"})


def test_the_line_is_taken_from_the_target_and_must_be_in_it() -> None:
    claim = claimed(exception={"type": "KeyError", "line": 2, "source_line": "made up"})
    assert claim.exception is not None
    assert claim.exception.source_line == "y = df['Price']"
    with pytest.raises(InvalidClaim, match="the target has 2 lines"):
        claimed(exception={"type": "KeyError", "line": 3})


def test_long_texts_are_cut_and_long_lists_too() -> None:
    claim = claimed(
        explanation=LONG,
        library=LONG,
        exception={"type": LONG, "message": LONG},
        evidence=[{"fact": "F1", "words": LONG}] * 50,
        origin=[{"cell": 1, "summary": LONG}] * 50,
        fix={"summary": LONG, "source": "x = 1"},
    )
    assert (len(claim.evidence), len(claim.origin)) == (MAX_LISTED, MAX_LISTED)
    assert len(claim.model_dump_json()) < (2 * MAX_LISTED + 6) * (MAX_WORDS + 100)
    assert claim.fix is not None
    assert claim.fix.source == "x = 1"


def test_a_patch_that_is_too_long_is_left_out_whole() -> None:
    claim = claimed(fix={"summary": "s", "source": "x" * (MAX_PATCH + 1)})
    assert claim.fix is not None
    assert (claim.fix.summary, claim.fix.source) == ("s", None)


def test_a_reason_whose_fact_nobody_gave_cites_none_and_caps_the_confidence() -> None:
    claim = claimed(confidence=1.0, evidence=[{"fact": "F1", "words": "w"}, {"fact": "F9", "words": "made up"}])
    assert ([each.fact for each in claim.evidence], claim.confidence) == (["F1", None], 0.6)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"outcome": "perhaps"}, "outcome: "),
        ({"confidence": 2}, "confidence: "),
        ({"exception": None}, "exception: required"),
        ({"certainty": "certain"}, "certainty: Extra inputs are not permitted"),
        ({"reached_by": "checker"}, "reached_by: Extra inputs"),
    ],
)
def test_what_is_no_claim_is_refused_in_words_for_the_model(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidClaim) as caught:
        claimed(**fields)
    assert str(caught.value).startswith(words)
