"""The words sent to a model: which there are, and that a change of them shows."""

import re
from pathlib import Path

import pytest

from crane_agent.llm.prompt_files import prompts_version, words

CHECKOUT = Path(__file__).parents[2]


def test_the_version_is_a_mark_of_the_words() -> None:
    assert re.fullmatch("[0-9a-f]{12}", prompts_version())
    assert prompts_version() == prompts_version()


def test_every_prompt_is_used_and_every_prompt_that_is_used_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "crane_agent").rglob("*.py"))
    used = set(re.findall(r"""(?:words\(|retry=|premature=)\s*["']([a-z_]+)["']""", code)) | {"tools", "no_probes"}
    assert used == {path.stem for path in (CHECKOUT / "prompts").glob("*.md")}


def test_a_place_that_is_not_filled_is_an_error() -> None:
    with pytest.raises(KeyError):
        words("fact", id="F1")
