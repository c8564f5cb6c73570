"""The pages in `docs/` that are made from the code are those that it makes now."""

import re
import runpy
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from crane_agent.in_kernel import privacy, probes
from crane_agent.tools.probes import PROBES

DOCS = Path(__file__).parents[1] / "docs"
GENERATE = runpy.run_path(str(DOCS / "generate.py"), run_name="generate")


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_reference_of_the_probes_is_fresh():
    assert text_of("probes.md") == GENERATE["probes_page"](), "run `make docs`"


def test_the_tables_of_the_privacy_page_are_fresh():
    page = text_of("privacy.md")
    assert page == GENERATE["privacy_page"](page), "run `make docs`"


def test_the_reference_has_every_probe_with_every_argument_and_no_undeclared_field():
    page = text_of("probes.md")
    assert re.findall(r"^### `(\w+)`$", page, re.MULTILINE) == list(PROBES)
    for spec in PROBES.values():
        for name in spec.arguments.model_fields:
            assert f"| `{name}` |" in page
    assert "not declared" not in page


def test_every_field_is_on_the_privacy_page_once():
    page = text_of("privacy.md").partition(GENERATE["BEGIN"])[2]
    for name in probes.FIELDS:
        assert page.count(f"\n| `{name}` |") == 1
    for level in privacy.LEVELS:
        assert f"From `{level}` on:" in page


@pytest.mark.parametrize("name", ["probes.md", "privacy.md"])
def test_links_lead_to_pages_that_are_there(name):
    for target in re.findall(r"\]\(([^)#:]+)\)", text_of(name)):
        assert (DOCS / target).exists()


@pytest.mark.parametrize("name", ["probes.md", "privacy.md"])
def test_every_row_of_a_table_has_the_columns_of_its_head(name):
    rows = [0]
    for token in MarkdownIt("commonmark").enable("table").parse(text_of(name)):
        if token.type == "inline":
            assert "| ---" not in token.content, "a table that Markdown does not take for one"
        rows[0] += token.type == "tr_open"
    assert rows[0] > 20
