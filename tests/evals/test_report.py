"""The report of a grid: every figure in one page that loads nothing, and the same tables in Markdown."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from arms import ADAPTIVE, FIXED, STATIC, WORKED, failed, prediction

pytest.importorskip("jinja2")

from evals.junobench.predictions import write_predictions
from evals.junobench.report import main
from evals.junobench.report_tables import link_to

HOSTILE = "<script>alert(1)</script> | `x` [y](http://z) **b**"


class Page(HTMLParser):
    """What a page has: its elements, and the texts of its headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self._in_heading = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_heading = tag in ("h2", "summary")

    def handle_endtag(self, tag: str) -> None:
        self._in_heading = False

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.headings.append(data.strip())


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Three arms on two libraries; one is wrong, one fails, one says hostile things."""
    told = [
        prediction("pandas_1", "crash", arm=ADAPTIVE, seconds=1.0, fact_bytes=100, transcript="logs/a.eval"),
        prediction("pandas_1", "no_crash", WORKED, arm=ADAPTIVE, seconds=2.0, fact_bytes=120),
        prediction("numpy_1", "crash", arm=ADAPTIVE, type=HOSTILE, seconds=1.0),
        prediction("pandas_1", "no_crash", arm=FIXED, seconds=1.5, fact_bytes=900, root_cause="data confusion"),
        prediction("pandas_1", "no_crash", WORKED, arm=FIXED, seconds=1.0),
        prediction("pandas_1", "unknown", arm=STATIC, seconds=0.5, transcript="javascript:alert(1)"),
        failed("numpy_1", arm=STATIC),
    ]
    file = tmp_path / "rows.jsonl"
    write_predictions(file, told)
    return file


@pytest.fixture
def pages(rows: Path, tmp_path: Path) -> tuple[str, str]:
    """The report as HTML and as Markdown."""
    html, markdown = tmp_path / "out" / "report.html", tmp_path / "out" / "report.md"
    given = ["--rows", str(rows), "--html", str(html), "--markdown", str(markdown), "--python", sys.executable]
    assert main([*given, "--made-by", "make evals-junobench"]) == 0
    return html.read_text(), markdown.read_text()


def test_both_pages_have_the_same_tables(pages: tuple[str, str]) -> None:
    html, markdown = pages
    titles = re.findall(r"^## (.*)$", markdown, re.MULTILINE)
    assert {"Detection", "Cost", "By library", "Calibration", "Disagreements", "Failed runs", "Made with"} <= set(
        titles
    )
    assert set(titles) <= set(Page(html).headings)
    assert "make evals-junobench" in html
    assert "make evals-junobench" in markdown


def test_the_page_needs_nothing_else(pages: tuple[str, str]) -> None:
    page = Page(pages[0])
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object"}
    assert "svg" in tags
    loaded = [attrs["src"] for _, attrs in page.elements if "src" in attrs]
    assert loaded == []
    assert "url(" not in pages[0]


def test_texts_of_notebooks_are_shown_as_text(pages: tuple[str, str]) -> None:
    html, markdown = pages
    assert "no kernel &lt;b&gt;" in html
    assert "<b>" not in re.sub(r"<b>[\d,]+</b>", "", html)
    assert "no kernel \\<b\\>" in markdown
    assert "[y](http" not in markdown.replace("\\[y\\](http", "")


def test_disagreements_lead_to_the_transcripts(pages: tuple[str, str], rows: Path) -> None:
    links = [attrs["href"] for tag, attrs in Page(pages[0]).elements if tag == "a" and "href" in attrs]
    assert "../logs/a.eval" in links
    assert not any("javascript" in link for link in links)


def test_a_link_is_a_web_address_or_a_path_from_the_page(tmp_path: Path) -> None:
    assert link_to("logs/a b.eval#x", Path("out")) == "../logs/a%20b.eval#x"
    assert link_to("https://example.org/a", Path()) == "https://example.org/a"
    assert link_to("data:text/html,x", Path()) == ""
    assert link_to("", Path()) == ""
