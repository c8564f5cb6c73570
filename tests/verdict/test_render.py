import io
import json

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from crane_agent.verdict.models import BoundName, Evidence, ExceptionClaim, Fix, Origin, Proof, Usage, Verdict
from crane_agent.verdict.render import (
    as_json,
    as_markdown,
    as_text,
    diff_of,
    headline,
    one_line,
    plain,
    without_secrets,
)

SOURCE = 'total = 4\nshare = frame["price"] / total\nshare.head()'
PATCHED = SOURCE.replace('"price"', '"price_eur"')

CRASH = Verdict(
    cell=8,
    outcome="crash",
    certainty="certain",
    confidence=1.0,
    exception=ExceptionClaim(type="KeyError", message="'price'", line=2, column=9),
    crash_type="key error",
    root_cause="data confusion",
    library="pandas",
    explanation="The frame has no column price.",
    evidence=(Evidence(fact="F1", words="columns: price_eur, units"),),
    origin=(Origin(cell=5, summary="renames price to price_eur"),),
    fix=Fix(
        summary="Use price_eur.",
        source=PATCHED,
        verified="yes",
        diff=diff_of(SOURCE, PATCHED),
        bound=(BoundName(name="share", type="pandas.core.series.Series", shape=(3,)),),
    ),
    reached_by="checker",
    notes=("the endpoint could not be reached",),
    usage=Usage(steps=1, probe_calls=2, kernel_bytes=512, milliseconds=1234),
)
NO_CRASH = Verdict(
    cell=3,
    outcome="no_crash",
    certainty="predicted",
    confidence=0.8,
    explanation="Every name it reads is bound.",
    reached_by="some-model",
    usage=Usage(steps=3, probe_calls=1, tokens_in=900, tokens_out=80),
)
UNKNOWN = Verdict(
    outcome="unknown", certainty="predicted", confidence=0.5, explanation="The budget ran out.", reached_by="rules"
)

HOSTILE = "[red]x[/red] \x1b]0;title\x07\x1b[2J \u202eevil\u202c \u200b ``` </pre><script>alert(1)</script> ![a](http://h) \r| \x9b1m"
HOSTILE_SOURCE = f"x = '''{HOSTILE}\n```\n</code>'''"
HOSTILE_PATCH = f"x = '''{HOSTILE}\n~~~~\n`````'''"
HOSTILE_VERDICT = Verdict(
    cell=1,
    outcome="crash",
    certainty="predicted",
    confidence=0.6,
    exception=ExceptionClaim(type="Error[bold]\x1b[1m", message=f"{HOSTILE}\n# head\n````\n", line=1, column=3),
    library="<b>lib</b>",
    explanation=f"{HOSTILE}\n\n# heading\n- item\n\n```python\ncode\n```\n",
    evidence=(Evidence(fact="F1\n# x", words=HOSTILE),),
    origin=(Origin(cell=0, summary=f"{HOSTILE}\n> quote"),),
    fix=Fix(summary=HOSTILE, source=HOSTILE_PATCH, verified="no", diff=diff_of(HOSTILE_SOURCE, HOSTILE_PATCH)),
    reached_by="model[/]\x1b[31m<i>",
    notes=(f"{HOSTILE}\n1. one",),
)


def shown(verdict: Verdict, source: str = SOURCE, *, width: int = 100, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        highlight=False,
        color_system="standard" if colour else None,
    )
    console.print(as_text(verdict, source=source))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))


def test_a_crash_reads_without_colour():
    text = shown(CRASH)
    assert text.startswith("CRASH: cell 8 will raise KeyError at line 2\ncertain, proved by the checker\n")
    assert "KeyError: 'price'" in text
    assert "Why\n  The frame has no column price." in text
    assert "Where it comes from\n  cell 5: renames price to price_eur" in text
    assert "Evidence\n  F1: columns: price_eur, units" in text
    assert "Fix (verified: " in text
    assert '-share = frame["price"] / total' in text
    assert '+share = frame["price_eur"] / total' in text
    assert "Note\n  the endpoint could not be reached" in text
    assert "Cost: 1 step, 2 probe calls, no tokens, 512 bytes from the kernel, 1.2 s" in text


def test_the_failing_line_is_marked_between_its_neighbours():
    lines = shown(CRASH).split("\n")
    at = next(number for number, line in enumerate(lines) if "->" in line)
    assert lines[at - 1] == "     1 | total = 4"
    assert lines[at] == '  -> 2 | share = frame["price"] / total'
    assert lines[at + 1] == "       |         ^"
    assert lines[at + 2] == "     3 | share.head()"


def test_the_column_mark_stands_under_wide_characters_and_tabs():
    claim = ExceptionClaim(type="NameError", line=1, column=8)
    verdict = CRASH.model_copy(update={"exception": claim, "fix": None})
    lines = shown(verdict, "\tx = 名 + y").split("\n")
    at = next(number for number, line in enumerate(lines) if "->" in line)
    assert lines[at].endswith("|     x = 名 + y")
    assert lines[at + 1].endswith("|            ^")


def test_a_line_that_the_cell_does_not_have_is_not_marked():
    verdict = CRASH.model_copy(update={"exception": ExceptionClaim(type="KeyError", line=99, column=1)})
    assert "->" not in shown(verdict)


def test_a_prediction_says_its_probability_and_who_made_it():
    assert "predicted, probability 0.80, by the model some-model" in shown(NO_CRASH)
    assert "probability" not in shown(UNKNOWN)
    assert "judged by the built-in rules" in shown(UNKNOWN)
    assert "900 tokens sent and 80 received" in shown(NO_CRASH)
    assert headline(CRASH.model_copy(update={"certainty": "predicted"})) == (
        "CRASH: cell 8 will probably raise KeyError at line 2"
    )


def test_each_outcome_has_its_own_headline():
    assert headline(NO_CRASH) == "NO CRASH: cell 3 should run"
    assert headline(UNKNOWN) == "UNKNOWN: it could not be settled whether the cell will crash"
    assert headline(CRASH.model_copy(update={"exception": None})) == "CRASH: cell 8 will crash"


@pytest.mark.parametrize("verdict", [CRASH, NO_CRASH, UNKNOWN, HOSTILE_VERDICT])
def test_narrow_terminals_are_fine(verdict):
    assert shown(verdict, width=20)


def test_hostile_text_reaches_the_terminal_as_visible_characters():
    text = shown(HOSTILE_VERDICT, HOSTILE_SOURCE, width=300)
    assert not [character for character in text if ord(character) < 32 and character != "\n"]
    assert not {"\x9b", "\u202e", "\u202c", "\u200b", "\x7f"} & set(text)
    assert "[red]x[/red]" in text
    assert r"\x1b]0;title\x07\x1b[2J" in text
    assert r"\u202eevil\u202c" in text


def test_on_a_colour_terminal_the_only_escapes_are_our_own_styles():
    text = shown(HOSTILE_VERDICT, HOSTILE_SOURCE, width=300, colour=True)
    assert {piece.split("m")[0] for piece in text.split("\x1b[")[1:]} <= {"0", "1", "2", "1;31"}
    assert "\x1b]" not in text


def test_a_lone_surrogate_is_shown_as_an_escape():
    assert plain("a\ud800b") == r"a\ud800b"


def test_letters_of_other_scripts_stay_as_they_are():
    assert plain("größe 名前 ✓\tx\ny\r\nz") == "größe 名前 ✓\tx\ny\nz"
    assert one_line("a\n  b\tc") == "a b c"


def test_a_very_long_line_and_message_are_cut():
    claim = ExceptionClaim(type="ValueError", message="m" * 100_000, line=1, column=90_000)
    text = shown(CRASH.model_copy(update={"exception": claim, "fix": None}), "x" * 100_000)
    assert len(text) < 10_000
    assert "characters more" in text


@pytest.mark.parametrize("verdict", [CRASH, NO_CRASH, UNKNOWN])
def test_markdown_carries_what_the_terminal_carries(verdict):
    html = MarkdownIt("commonmark").render(as_markdown(verdict, source=SOURCE))
    assert f"<h3>{headline(verdict)}</h3>" in html
    assert verdict.explanation in html
    assert "Cost: " in html
    if verdict is CRASH:
        assert "-&gt; 2 | share = frame[&quot;price&quot;] / total" in html
        assert '<code class="language-diff">' in html


def test_hostile_text_stays_text_in_markdown():
    text = as_markdown(HOSTILE_VERDICT, source=HOSTILE_SOURCE)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    kinds = [token.type for token in tokens]
    inline = {child.type for token in tokens for child in token.children or []}
    assert inline <= {"text", "strong_open", "strong_close", "text_special"}
    assert kinds.count("heading_open") == 1
    assert kinds.count("fence") == 3  # the message, the excerpt, the patch
    assert set(kinds) <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence",
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    }  # fmt: skip
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("verdict", [CRASH, NO_CRASH, UNKNOWN, HOSTILE_VERDICT])
def test_json_is_the_verdict_in_ascii(verdict):
    text = as_json(verdict)
    assert text.isascii()
    assert "\x1b" not in text
    assert Verdict.model_validate(json.loads(text)) == verdict


# --- what is for the user's own screen only ------------------------------------------------------------------

SECRET = "sk-proj-Zq8Xw3Lr5Tn1Vb7Kd9Mf2"
PROVED = CRASH.proved_by(Proof(message="'the value'", explanation="Whole reason.", facts=("F3: rejected: '$1,200'",)))


def test_the_proof_is_shown_on_the_screen_in_the_place_of_what_is_hidden():
    text = shown(PROVED)
    assert "KeyError: 'the value'" in text
    assert "Why\n  Whole reason." in text
    assert "Shown here only\n  F3: rejected: '$1,200'" in text
    assert "Shown here only" not in shown(CRASH)


@pytest.mark.parametrize("word", ["the value", "Whole reason", "$1,200"])
def test_the_proof_is_in_nothing_that_can_be_kept(word):
    kept = [as_json(PROVED), as_markdown(PROVED, source=SOURCE), repr(PROVED), str(vars(PROVED)), str(dict(PROVED))]
    assert not any(word in each for each in [*kept, str(PROVED.model_dump()), PROVED.model_dump_json()])
    assert "proof" not in Verdict.model_json_schema()["properties"]


def test_a_proof_outlasts_a_copy_and_is_not_part_of_the_original():
    assert PROVED.model_copy(update={"notes": ()}).proof == PROVED.proof
    assert not CRASH.proof


def test_no_text_of_a_verdict_holds_a_secret_whoever_wrote_it():
    claim = ExceptionClaim(type="ValueError", message=f"bad key {SECRET}").model_copy(update={"source_line": SECRET})
    verdict = Verdict(
        outcome="crash",
        certainty="predicted",
        confidence=0.5,
        exception=claim,
        explanation=SECRET,
        evidence=(Evidence(fact="F1", words=SECRET),),
        reached_by="rules",
        notes=(SECRET,),
    )
    assert SECRET not in as_json(verdict) + repr(verdict)


def test_a_secret_in_the_cell_is_shown_on_its_users_screen_and_not_in_markdown():
    source = f"key = 1\nconnect({SECRET!r})\nx"
    verdict = CRASH.model_copy(update={"fix": None})
    assert SECRET in shown(verdict, source)
    assert SECRET not in as_markdown(verdict, source=source)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_lines_keep_their_numbers_where_a_secret_spans_some(place):
    body = [f"{'Ab1Cd2Ef3Gh4' * 5}" for _ in range(4)]
    key = ["k = '''-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----'''"]
    lines = [f"a{number} = {number}" for number in range(4)]
    source = "\n".join([*lines[:place], *key, *lines[place:], f"connect({SECRET!r})", "last"])
    clean = without_secrets(source)
    assert clean.count("\n") == source.count("\n")
    assert clean.split("\n")[-1] == "last"
    assert clean.split("\n")[:place] == lines[:place]
    assert SECRET not in clean
    assert body[0] not in clean


def test_an_origin_says_where_the_cell_stands_and_when_it_ran():
    origins = (
        Origin(cell=5, ran=7, summary="a"),
        Origin(ran=8, summary="b"),
        Origin(cell=9, summary="c"),
        Origin(summary="d"),
    )
    verdict = CRASH.model_copy(update={"origin": origins})
    lines = ["cell 5, In [7]: a", "In [8]: b", "cell 9: c", "an earlier cell: d"]
    assert all(f"  {line}\n" in shown(verdict) for line in lines)
    assert "- cell 5, In \\[7\\]: a" in as_markdown(verdict, source=SOURCE)
    assert json.loads(as_json(verdict))["origin"][1] == {"cell": None, "ran": 8, "summary": "b"}
