"""The card of a verdict: everything that comes from a notebook or a model is escaped, and it reads without colour."""

import html
import re
from html.parser import HTMLParser

import pytest
from test_render import CRASH, HOSTILE_SOURCE, HOSTILE_VERDICT, NO_CRASH, SOURCE, UNKNOWN

from crane_agent.verdict.card import card, working_card
from crane_agent.verdict.models import Evidence, ExceptionClaim, Origin, Proof, Verdict

OURS = {"div", "style", "p", "b", "br", "pre", "ul", "li", "mark", "ins", "del", "details", "summary"}
EVIL_COLUMN = "<img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text without the style sheet."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def page(verdict: Verdict, source: str = SOURCE, about: str = "") -> Elements:
    found = Elements(card(verdict, source=source, about=about)["text/html"])
    assert not found.open
    return found


def test_a_crash_says_what_where_why_and_what_would_fix_it():
    text = page(CRASH, about="cell 8, as saved at 14:02").text
    for words in (
        "CRASH: cell 8 will raise KeyError at line 2",
        "certain, proved by the checker",
        "KeyError: 'price'",
        '-> 2 | share = frame["price"] / total',
        "The frame has no column price.",
        "cell 5: renames price to price_eur",
        "F1: columns: price_eur, units",
        "Fix (verified: ",
        '-share = frame["price"] / total',
        '+share = frame["price_eur"] / total',
        "share: Series of shape (3,)",
        "the endpoint could not be reached",
        "no tokens",
        "1.2 s",
        "cell 8, as saved at 14:02",
    ):
        assert words in text, words


def test_the_facts_are_folded():
    folded = re.search(r"<details>(.*)</details>", card(CRASH, source=SOURCE)["text/html"])
    assert folded is not None
    assert "F1: columns: price_eur, units" in folded[1]
    assert "<details open" not in folded[0]


def test_only_the_failing_line_is_marked():
    marked = re.findall(r"<mark>(.*?)</mark>", card(CRASH, source=SOURCE)["text/html"])
    assert [html.unescape(each).split("|")[0].strip() for each in marked] == ["-> 2", ""]


@pytest.mark.parametrize("verdict", [CRASH, NO_CRASH, UNKNOWN], ids=["crash", "no crash", "unknown"])
def test_beside_the_html_there_is_the_text_of_a_terminal(verdict):
    shown = card(verdict, source=SOURCE, about="In [3]")
    assert set(shown) == {"text/html", "text/plain"}
    first, *rest = shown["text/plain"].split("\n")
    assert first in page(verdict).text
    assert rest[-1] == "In [3]"
    assert "\x1b" not in shown["text/plain"]


def test_the_outcome_is_a_word_and_no_colour_is_set_for_text():
    shown = card(CRASH, source=SOURCE)["text/html"]
    assert "CRASH" in page(CRASH).text
    assert set(re.findall(r"[{;]color:([^;}]*)", shown)) == {"inherit"}


def test_everything_from_a_notebook_or_a_model_is_escaped():
    found = page(HOSTILE_VERDICT, HOSTILE_SOURCE, about="<b>about</b>")
    assert set(found.tags) <= OURS
    assert set(found.attributes) == {"class"}
    assert "<script>alert(1)</script>" in found.text
    assert "<b>about</b>" in found.text
    assert "\x1b" not in found.text
    assert "\u202e" not in found.text


def test_a_column_named_like_an_image_stays_text():
    verdict = CRASH.model_copy(
        update={
            "exception": ExceptionClaim(type="KeyError", message=repr(EVIL_COLUMN), line=1, column=4),
            "explanation": f"It has no column {EVIL_COLUMN}.",
            "evidence": (Evidence(fact=EVIL_COLUMN, words=EVIL_COLUMN),),
            "origin": (Origin(cell=1, summary=EVIL_COLUMN),),
            "library": EVIL_COLUMN,
            "notes": (EVIL_COLUMN,),
            "reached_by": EVIL_COLUMN,
            "crash_type": None,
        }
    )
    found = page(verdict, f"df[{EVIL_COLUMN!r}]", about=EVIL_COLUMN)
    assert "img" not in found.tags
    assert set(found.attributes) == {"class"}
    assert found.text.count(EVIL_COLUMN) >= 8


def test_what_is_shown_while_it_works_is_escaped_too():
    shown = working_card(["reading the cells", EVIL_COLUMN], about=EVIL_COLUMN)
    found = Elements(shown["text/html"])
    assert set(found.tags) <= OURS
    assert found.text.count(EVIL_COLUMN) == 2
    assert shown["text/plain"] == f"checking: {EVIL_COLUMN}"
    assert working_card([])["text/plain"] == "checking: ..."


def test_a_card_is_kept_so_it_holds_no_proof_and_no_secret():
    verdict = CRASH.proved_by(Proof(message="'$1,200'", explanation="the value $1,200", facts=("F1: $1,200",)))
    source = 'key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"\nshare = frame["price"] / total'
    for form in card(verdict, source=source).values():
        assert "1,200" not in form
        assert "abcdefghijklmnop" not in form
