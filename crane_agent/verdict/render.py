"""All words for users: a verdict as terminal text, as Markdown, as JSON.

Every string of a verdict may come from a notebook, from a library's message or from a model. Terminal text passes
`plain`, so that nothing in it can steer the terminal, and is never read as rich markup; Markdown text is escaped or
fenced. The proof of a verdict, and secrets in the target's own text, are shown on the terminal only: JSON and Markdown
are kept and sent on.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from crane_agent.in_kernel.redaction import MARK, redacted
from crane_agent.verdict.models import BoundName, Fix, Origin, Usage, Verdict

CONTEXT_LINES = 2
"""Lines of the target shown before and after the failing line."""

NO_FACT = "no fact"
"""Said of a reason that no fact supports."""

MAX_LINE = 160
"""Characters shown of one line of code."""

MAX_BOUND = 8
"""Names shown of those that a patched cell binds."""

MAX_WORDS = 4000
"""Characters shown of one message or explanation."""

_STYLES = {"crash": "bold red", "no_crash": "bold green", "unknown": "bold yellow"}
_LABELS = {"crash": "CRASH", "no_crash": "NO CRASH", "unknown": "UNKNOWN"}
_VERIFIED = {
    "yes": "verified: with it the cell ran to its end in a copy",
    "partly": "partly verified: the patched cell was still running behind that line",
    "no": "not enough: the patched cell still crashes",
    "not tried": "not verified",
}
_DECIDERS = {"checker": "the checker", "rehearsal": "a rehearsal", "rules": "the built-in rules"}
_PROOF_WORDS = "What is above is for you alone: in JSON and Markdown, and to a model, `…` stands for values of yours."
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#|~$&!]")


# --- what can be said, the same for every form ---------------------------------------------------------------


def headline(verdict: Verdict) -> str:
    """Return the outcome in one line that reads without colour."""
    label, cell = _LABELS[verdict.outcome], _cell_words(verdict)
    if verdict.outcome == "no_crash":
        return f"{label}: {cell} should run"
    if verdict.outcome == "unknown":
        return f"{label}: it could not be settled whether {cell} will crash"
    claim = verdict.exception
    will = "will" if verdict.certainty == "certain" else "will probably"
    what = "crash" if claim is None else f"raise {one_line(claim.type)}"
    where = "" if claim is None or claim.line is None else f" at line {claim.line}"
    if claim is not None and claim.at_latest:
        where += ", if no earlier line raises first"
        what = f"crash: {one_line(claim.type)}"
    return f"{label}: {cell} {will} {what}{where}"


def certainty_words(verdict: Verdict) -> str:
    """Return how sure the verdict is and who reached it, e.g. `predicted, probability 0.80, by the built-in rules`."""
    by = _DECIDERS.get(verdict.reached_by, f"the model {one_line(verdict.reached_by)}")
    if verdict.certainty == "certain":
        return f"certain, proved by {by}"
    if verdict.outcome == "unknown":
        return f"judged by {by}"
    return f"predicted, probability {verdict.confidence:.2f}, by {by}"


def usage_words(usage: Usage) -> str:
    """Return what the verdict cost in one line."""
    tokens = usage.tokens_in + usage.tokens_out
    return ", ".join(
        [
            _count(usage.steps, "step"),
            _count(usage.probe_calls, "probe call"),
            *_rehearsal_words(usage),
            *_fix_words(usage),
            f"{usage.tokens_in} tokens sent and {usage.tokens_out} received" if tokens else "no tokens",
            *([f"{usage.cost:.4f} {one_line(usage.currency or '')}"] if usage.cost is not None else []),
            f"{usage.kernel_bytes} bytes from the kernel",
            f"{usage.milliseconds / 1000:.1f} s",
        ]
    )


def _rehearsal_words(usage: Usage) -> list[str]:
    if not usage.rehearsals and not usage.replay_ms:
        return []
    words = f"{_count(usage.rehearsals, 'rehearsal')} of {usage.rehearsal_ms / 1000:.1f} s"
    return [f"{words} after {usage.replay_ms / 1000:.1f} s of replay" if usage.replay_ms else words]


def _fix_words(usage: Usage) -> list[str]:
    if not usage.fixes_tried:
        return []
    patches = "1 patch" if usage.fixes_tried == 1 else f"{usage.fixes_tried} patches"
    return [f"{patches} tried in {usage.fix_ms / 1000:.1f} s"]


def plain(text: str) -> str:
    r"""Return `text` with every control, format and bidirectional character shown as an escape like `\x1b`.

    Line feeds and tabs stay; a carriage return before a line feed goes.
    """
    text = text.replace("\r\n", "\n")
    return "".join(_visible(character) for character in text)


def one_line(text: str) -> str:
    """Return `plain` text on one line."""
    return " ".join(plain(text).split())


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _cell_words(verdict: Verdict) -> str:
    return "the cell" if verdict.cell is None else f"cell {verdict.cell}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text) - limit} characters more)"


def _labels(verdict: Verdict) -> str:
    named = {
        "type": verdict.crash_type,
        "root cause": verdict.root_cause,
        "stage": verdict.ml_stage,
        "library": verdict.library,
    }
    return ", ".join(f"{name}: {one_line(value)}" for name, value in named.items() if value)


def _excerpt(verdict: Verdict, source: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines around the failing one, numbered, and whether each is the failing one."""
    claim = verdict.exception
    lines = _code_lines(source)
    if claim is None or claim.line is None or claim.line > len(lines):
        return
    first, last = max(1, claim.line - CONTEXT_LINES), min(len(lines), claim.line + CONTEXT_LINES)
    width = len(str(last))
    for number in range(first, last + 1):
        failing = number == claim.line
        shown = _clipped(plain(lines[number - 1]).expandtabs(4), MAX_LINE)
        yield f"{'->' if failing else '  '} {number:>{width}} | {shown}".rstrip(), failing
        before = plain(lines[number - 1][: (claim.column or 1) - 1]).expandtabs(4)
        if failing and claim.column is not None and len(before) < MAX_LINE:
            yield f"   {' ' * width} | {' ' * Text(before).cell_len}^", failing


def without_secrets(source: str) -> str:
    """Return code without secrets and with as many lines: the lines of a secret that spans some are marked each."""
    found = redacted(source)
    old, new = source.split("\n"), found.split("\n")
    if len(old) == len(new):
        return found
    shorter = min(len(old), len(new))
    head = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    left = shorter - head
    tail = next((place for place in range(left) if old[-1 - place] != new[-1 - place]), left)
    return "\n".join([*old[:head], *[MARK] * (len(old) - head - tail), *old[len(old) - tail :]])


def diff_of(source: str, patched: str) -> str:
    """Return a patch as a unified diff of a cell's lines, without its head."""
    changed = difflib.unified_diff(_code_lines(source), _code_lines(patched), lineterm="", n=CONTEXT_LINES)
    return "\n".join(list(changed)[2:])


def _diff(diff: str) -> str:
    return "\n".join(_clipped(plain(line), MAX_LINE) for line in diff.split("\n")) if diff else ""


def _fix_title(fix: Fix) -> str:
    where = "" if fix.cell is None else f" in cell {fix.cell}"
    return f"Fix{where} ({_VERIFIED[fix.verified]})"


def _bound_lines(fix: Fix) -> list[str]:
    """Return what the patched cell binds, some names at most."""
    lines = [_clipped(one_line(_bound_words(each)), MAX_WORDS) for each in fix.bound[:MAX_BOUND]]
    left = len(fix.bound) - len(lines)
    return [*lines, f"and {_count(left, 'more name')}"] if left else lines


def _bound_words(bound: BoundName) -> str:
    shape = "" if bound.shape is None else f" of shape {bound.shape}"
    columns = f", columns {', '.join(bound.columns)}" if bound.columns else ""
    return f"{bound.name}: {bound.type.rpartition('.')[2] or 'something'}{shape}{columns}"


def _code_lines(source: str) -> list[str]:
    """Return the lines as Python counts them; `str.splitlines` would also split at form feeds and others."""
    text = source.rstrip().replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n") if text else []


# --- terminal ------------------------------------------------------------------------------------------------


def as_text(verdict: Verdict, *, source: str) -> RenderableType:
    """Return the verdict for the terminal of the user who asked, proof included; nothing in it is read as markup.

    Args:
        verdict: What to show.
        source: The target's source, to show the failing line in.
    """
    return Group(*_text_parts(verdict, source))


def _text_parts(verdict: Verdict, source: str) -> Iterator[RenderableType]:
    proof = verdict.proof
    yield Text(headline(verdict), style=_STYLES[verdict.outcome])
    yield Text(certainty_words(verdict))
    if verdict.exception is not None:
        message = _clipped(plain(proof.message or verdict.exception.message), MAX_WORDS)
        words = f"{one_line(verdict.exception.type)}: {message}" if message else one_line(verdict.exception.type)
        yield from _block(None, Text(words))
    excerpt = list(_excerpt(verdict, source))
    if excerpt:
        lines = [Text(line, style="bold" if failing else "") for line, failing in excerpt]
        yield from _block(None, *lines)
    yield from _block("Why", Text(_clipped(plain(proof.explanation or verdict.explanation), MAX_WORDS)))
    if labels := _labels(verdict):
        yield from _block(None, Text(labels, style="dim"))
    yield from _block("Where it comes from", *(Text(words) for words in _origin_lines(verdict)))
    yield from _block("Evidence", *(Text(words) for words in _evidence_lines(verdict)))
    if verdict.fix is not None:
        summary = Text(_clipped(plain(verdict.fix.summary), MAX_WORDS))
        patch = _diff(proof.diff or verdict.fix.diff)
        yield from _block(_fix_title(verdict.fix), summary, *([Text(patch)] if patch else []))
        bound = _bound_lines(verdict.fix)
        yield from _block("With it the cell binds" if bound else None, *(Text(words, style="dim") for words in bound))
    yield from _block("Note", *(Text(_clipped(one_line(note), MAX_WORDS)) for note in verdict.notes))
    if proof:
        facts = (Text(_clipped(one_line(fact), MAX_WORDS)) for fact in proof.facts)
        yield from _block("Shown here only", *facts, Text(_PROOF_WORDS, style="dim"))
    yield Text("")
    yield Text(f"Cost: {usage_words(verdict.usage)}", style="dim")


def _block(title: str | None, *parts: RenderableType) -> Iterator[RenderableType]:
    if not parts:
        return
    yield Text("")
    if title is not None:
        yield Text(title, style="bold")
    yield from (Padding(part, (0, 0, 0, 2), expand=False) for part in parts)


def _origin_lines(verdict: Verdict) -> list[str]:
    return [f"{_place(origin)}: {_clipped(one_line(origin.summary), MAX_WORDS)}" for origin in verdict.origin]


def _place(origin: Origin) -> str:
    ran = None if origin.ran is None else f"In [{origin.ran}]"
    if origin.cell is None:
        return ran or "an earlier cell"
    return f"cell {origin.cell}" + (f", {ran}" if ran else "")


def _evidence_lines(verdict: Verdict) -> list[str]:
    return [
        f"{one_line(item.fact or NO_FACT)}: {_clipped(one_line(item.words), MAX_WORDS)}" for item in verdict.evidence
    ]


# --- Markdown ------------------------------------------------------------------------------------------------


def as_markdown(verdict: Verdict, *, source: str) -> str:
    """Return the verdict as CommonMark, without proof and secrets; code is fenced, every other string escaped.

    Args:
        verdict: What to show.
        source: The target's source, to show the failing line in.
    """
    return "\n\n".join(_markdown_parts(verdict, without_secrets(source))) + "\n"


def _markdown_parts(verdict: Verdict, source: str) -> Iterator[str]:
    yield f"### {_escaped(headline(verdict))}"
    yield f"{_escaped(certainty_words(verdict))}."
    if verdict.exception is not None:
        message = _clipped(plain(verdict.exception.message), MAX_WORDS)
        yield _fenced(f"{one_line(verdict.exception.type)}: {message}" if message else verdict.exception.type)
    excerpt = "\n".join(line for line, _ in _excerpt(verdict, source))
    if excerpt:
        yield _fenced(excerpt)
    yield f"**Why.** {_escaped(_clipped(verdict.explanation, MAX_WORDS))}"
    if labels := _labels(verdict):
        yield f"**Labels.** {_escaped(labels)}"
    for title, lines in (("Where it comes from", _origin_lines(verdict)), ("Evidence", _evidence_lines(verdict))):
        if lines:
            yield f"**{title}.**"
            yield "\n".join(f"- {_escaped(line)}" for line in lines)
    if verdict.fix is not None:
        summary = _escaped(_clipped(verdict.fix.summary, MAX_WORDS))
        yield f"**{_fix_title(verdict.fix)}.** {summary}"
        if patch := _diff(verdict.fix.diff):
            yield _fenced(patch, language="diff")
        if bound := _bound_lines(verdict.fix):
            yield "With it the cell binds:"
            yield "\n".join(f"- {_escaped(line)}" for line in bound)
    for note in verdict.notes:
        yield f"**Note.** {_escaped(_clipped(note, MAX_WORDS))}"
    yield f"Cost: {usage_words(verdict.usage)}"


def _escaped(text: str) -> str:
    """Return `text` on one line with every character that means something to Markdown or HTML escaped."""
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text))


def _fenced(text: str, *, language: str = "text") -> str:
    """Return `text` in a fence longer than any run of backticks in it."""
    text = plain(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


# --- JSON ----------------------------------------------------------------------------------------------------


def as_json(verdict: Verdict) -> str:
    """Return the verdict as one JSON document of its versioned schema, without proof, in ASCII for any terminal."""
    return json.dumps(verdict.model_dump(mode="json"), indent=2, ensure_ascii=True)
