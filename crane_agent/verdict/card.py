"""The verdict as a card for a notebook: HTML for a browser, and the terminal's text beside it.

A card is an output of a cell, so it is saved with the notebook and sent on: as in Markdown, proof and secrets are left
out. Every string in it is escaped. It takes the page's own colours, so that it is at home in a light and in a dark
theme, and what its own colours say is said in words, too.
"""

import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from crane_agent.verdict.models import Fix, Proof, Verdict
from crane_agent.verdict.render import (
    MAX_WORDS,
    _bound_lines,
    _clipped,
    _diff,
    _evidence_lines,
    _excerpt,
    _fix_title,
    _labels,
    _origin_lines,
    as_text,
    certainty_words,
    headline,
    one_line,
    plain,
    usage_words,
    without_secrets,
)

TEXT_WIDTH = 100
"""Width of the text beside the HTML [columns]."""

Bundle = Mapping[str, str]
"""One output in several forms, by MIME type."""

_STYLE = """
.crane{border:1px solid rgba(128,128,128,.4);border-left:5px solid #b08800;border-radius:3px;padding:.5em .9em;
max-width:60em;color:inherit;font-size:.95em;line-height:1.4}
.crane-crash{border-left-color:#d1383d}.crane-no_crash{border-left-color:#2c974b}.crane-working{border-left-color:#57738f}
.crane p,.crane ul,.crane pre,.crane summary{margin:.25em 0}.crane ul{padding-left:1.4em}
.crane pre{background:rgba(128,128,128,.12);color:inherit;padding:.4em .6em;overflow-x:auto;white-space:pre}
.crane .quiet{opacity:.75}.crane mark{background:rgba(209,56,61,.22);color:inherit;font-weight:bold}
.crane ins,.crane del{text-decoration:none}
.crane ins{background:rgba(44,151,75,.22)}.crane del{background:rgba(209,56,61,.22)}
.crane summary{cursor:pointer}
""".replace("\n", "")


def card(verdict: Verdict, *, source: str, about: str = "") -> Bundle:
    """Return a verdict as HTML and as text.

    Args:
        verdict: What to show; its proof is not.
        source: The target's source, to show the failing line in.
        about: Which cell it is about, in words.
    """
    verdict, source = verdict.proved_by(Proof()), without_secrets(source)
    note = [Text(one_line(about), style="dim")] if about else []
    return {
        "text/html": _box(verdict.outcome, _parts(verdict, source, about)),
        "text/plain": _in_columns([as_text(verdict, source=source), *note]),
    }


def working_card(steps: Sequence[str], *, about: str = "") -> Bundle:
    """Return what is shown while a verdict is sought: the steps so far, the last of them is being done."""
    lines = [one_line(step) for step in steps]
    parts = [_list("Checking the cell", lines or ["..."]), _quiet(about)]
    return {"text/html": _box("working", parts), "text/plain": f"checking: {lines[-1] if lines else '...'}"}


def _in_columns(parts: Iterable[RenderableType]) -> str:
    file = io.StringIO()
    # In a kernel rich would display instead of print.
    console = Console(
        file=file, width=TEXT_WIDTH, highlight=False, markup=False, color_system=None, force_jupyter=False
    )
    console.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip().split("\n"))


def _box(kind: str, parts: Iterable[str]) -> str:
    return f'<div class="crane crane-{kind}"><style>{_STYLE}</style>{"".join(parts)}</div>'


def _parts(verdict: Verdict, source: str, about: str) -> Iterator[str]:
    yield f"<p><b>{_escaped(one_line(headline(verdict)))}</b><br>{_escaped(certainty_words(verdict))}</p>"
    yield _quiet(about)
    if verdict.exception is not None:
        kind, message = one_line(verdict.exception.type), _shown(verdict.exception.message)
        yield f"<pre>{_escaped(f'{kind}: {message}' if message else kind)}</pre>"
    yield _pre((line, "mark" if failing else "") for line, failing in _excerpt(verdict, source))
    yield f"<p><b>Why.</b> {_escaped(_shown(verdict.explanation))}</p>"
    yield _list("Where it comes from", _origin_lines(verdict))
    if verdict.fix is not None:
        yield from _fix_parts(verdict.fix)
    yield _list("Note", [_clipped(one_line(note), MAX_WORDS) for note in verdict.notes])
    labels = _labels(verdict)
    yield _folded("What it rests on", [*_evidence_lines(verdict), *([labels] if labels else [])])
    yield _quiet(usage_words(verdict.usage))


def _fix_parts(fix: Fix) -> Iterator[str]:
    yield f"<p><b>{_escaped(_fix_title(fix))}.</b> {_escaped(_shown(fix.summary))}</p>"
    lines = _diff(fix.diff).split("\n") if fix.diff else []
    yield _pre((line, {"+": "ins", "-": "del"}.get(line[:1], "")) for line in lines)
    yield _list("With it the cell binds", _bound_lines(fix))


def _pre(lines: Iterable[tuple[str, str]]) -> str:
    """Return lines of code, each in an element if it names one."""
    shown = [f"<{tag}>{_escaped(line)}</{tag}>" if tag else _escaped(line) for line, tag in lines]
    return "<pre>" + "\n".join(shown) + "</pre>" if shown else ""


def _list(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_escaped(line)}</li>" for line in lines)
    return f"<p><b>{title}</b></p><ul>{items}</ul>" if lines else ""


def _folded(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_escaped(line)}</li>" for line in lines)
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>" if lines else ""


def _quiet(words: str) -> str:
    return f'<p class="quiet">{_escaped(one_line(words))}</p>' if words else ""


def _shown(text: str) -> str:
    return _clipped(plain(text), MAX_WORDS)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
