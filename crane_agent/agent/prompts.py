"""The prompts of a case: what a model is told of a notebook, the target and the facts.

Secrets are cut out before anything is cut to length: half a key is not seen to be one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crane_agent.agent.essentials import essential
from crane_agent.agent.policy import Fact, Tried, View
from crane_agent.in_kernel.redaction import redacted_value
from crane_agent.llm.prompt_files import sendable, words
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.dependence import by_nearness
from crane_agent.notebook.effects import names_of_cell
from crane_agent.verdict.models import Claim
from crane_agent.verdict.render import without_secrets

CHARACTERS_PER_TOKEN = 4
MAX_NAMES = 8
"""Names listed of what a cell binds that is left out."""

CASE_SHARE = 0.2
"""Part of the tokens left that the first message may take; every later call sends it again."""


def case_prompt(view: View, facts: Sequence[Fact] | None = None) -> str:
    """Return the case as the model's first message: cells, target, static side, facts; each fenced as data.

    The facts are those that no tool call asked for, unless others are given.

    Of a notebook too long for its share of the tokens left, the executed cells that feed the target come first
    (`by_nearness`), and of cells that were not run those that would define what it lacks; long cells lose their
    middle. Cells that are left out are named, with what they bind.
    """
    room = int(view.tokens_left * CHARACTERS_PER_TOKEN * CASE_SHARE)
    target = view.target
    fence = _fence(view)
    executed = [
        _fenced(fence, "cell", _cut(without_secrets(cell.source), room // 8), index=_index(cell), ran=_ran(cell))
        for cell in target.executed
    ]
    unrun = sorted((*target.not_run, *target.later), key=lambda cell: cell.index)
    not_run = [
        _fenced(fence, "cell", _cut(without_secrets(cell.source), room // 16), index=cell.index) for cell in unrun
    ]
    source = without_secrets(target.cell.source)
    return words(
        "case",
        fence=fence,
        executed=_listed(target.executed, executed, by_nearness(target), room // 2, fence),
        not_run=_listed(unrun, not_run, _by_use(unrun, view), room // 8, fence),
        target=_fenced(fence, "target", _cut(_numbered(source), room // 4), index=_index(target.cell)),
        observation=_fenced(fence, "observation", json_text(_observation(view))),
        facts="\n".join(
            _fenced(fence, "fact", fact_text(fact), id=fact.id, probe=fact.call.question)
            for fact in (given_facts(view) if facts is None else facts)
        ),
    )


def repair_prompt(view: View, claim: Claim, tried: Sequence[Tried]) -> str:
    """Return what a model is asked for a patch with: the case, the crash, and what was tried against it."""
    crash = claim.model_dump(mode="json", include={"exception", "explanation", "origin"}, exclude_none=True)
    patches = [
        {"cell": each.fix.cell, "patch": without_secrets(each.fix.source or ""), "outcome": each.outcome}
        for each in tried
    ]
    return words(
        "repair_case",
        case=case_prompt(view, view.facts),
        crash=_fenced(_fence(view), "crash", json_text(crash)),
        tried="\n".join(_fenced(_fence(view), "tried", json_text(patch)) for patch in patches),
    )


def given_facts(view: View) -> tuple[Fact, ...]:
    """Return the facts that no tool call of the model asked for: the check, and what the arm gives at the start."""
    given = [fact for fact in view.facts if not fact.call.call_id]
    if view.check is not None and all(fact.id != view.check.id for fact in given):
        given.insert(0, view.check)
    return tuple(given)


def fact_text(fact: Fact) -> str:
    """Return a fact's answer as JSON with the fields that the privacy level withheld, or why there is none."""
    reply = fact.reply
    if reply.status == "ok":
        withheld = f" {words('withheld', fields=', '.join(reply.withheld))}" if reply.withheld else ""
        return json_text(reply.answer) + withheld
    # The words of a bug of ours may quote what it stumbled on.
    return words("refused", reason=sendable(reply.reason)) if reply.status == "refused" else words("failed")


def reply_text(fact: Fact) -> str:
    """Return a fact's answer to a tool call: what the call did not say, and what is not as usual (`essentials`)."""
    return fact_text(replace(fact, reply=replace(fact.reply, answer=essential(fact.call, fact.reply.answer))))


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON that a model reads: one line, sorted keys, other scripts as they are, no secrets."""
    return sendable(json.dumps(redacted_value(dict(value)), sort_keys=True, ensure_ascii=False))


def _observation(view: View) -> dict[str, object]:
    unrun = view.observation.defined_by_unrun
    return {
        "defined_by_unrun": {name: list(indices) for name, indices in unrun.items()},
        "never_bound": sorted(view.observation.never_bound),
    }


def _fence(view: View) -> str:
    """Return a mark that the data cannot hold: a text with its own 64-bit hash inside cannot be made."""
    cells = (*view.target.executed, *view.target.not_run, *view.target.later, view.target.cell)
    data = [*(without_secrets(cell.source) for cell in cells), *(fact_text(fact) for fact in given_facts(view))]
    return hashlib.sha256("\0".join(data).encode("utf-8", "replace")).hexdigest()[:16]


def _by_use(unrun: Sequence[Cell], view: View) -> list[int]:
    """Return the places of cells that were not run: those that define what the target lacks, then those near it."""
    defining = {index for indices in view.observation.defined_by_unrun.values() for index in indices}

    def use(place: int) -> tuple[bool, int]:
        return unrun[place].index not in defining, abs(unrun[place].index - view.target.cell.index)

    return sorted(range(len(unrun)), key=use)


def _listed(cells: Sequence[Cell], texts: Sequence[str], order: Iterable[int], room: int, fence: str) -> str:
    """Return the texts of the cells that fit in `room` [characters], taken in `order`, and which ones are left out."""
    kept = _fitting(texts, order, room)
    left_out = [cell for place, cell in enumerate(cells) if place not in kept]
    named = [words("left_out", cells=_fenced(fence, "cells", _named(left_out, room // 8)))] if left_out else []
    return "\n".join([*named, *(texts[place] for place in kept)])


def _named(cells: Sequence[Cell], room: int) -> str:
    """Return which cells these are and what they bind, as far as `room` [characters] goes, the last ones first."""
    named = [f"{_index(cell)} {_ran(cell)}{_binding(cell)}" for cell in cells]
    kept = _fitting(named, range(len(named) - 1, -1, -1), room)
    more = [f"and {len(named) - len(kept)} more"] if len(kept) < len(named) else []
    return "\n".join([*(named[place] for place in kept), *more])


def _binding(cell: Cell) -> str:
    names = sorted(names_of_cell(cell).binds)
    return f" (binds {', '.join(names[:MAX_NAMES])}{', ...' if len(names) > MAX_NAMES else ''})" if names else ""


def _fenced(fence: str, kind: str, text: str, **attributes: object) -> str:
    listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{kind} {fence}{listed}>\n{sendable(text)}\n</{kind} {fence}>"


def _index(cell: Cell) -> str:
    return "none" if cell.place is None else str(cell.place)


def _ran(cell: Cell) -> str:
    return f"In[{cell.execution_count}]" if cell.execution_count else "In[?]"


def _numbered(source: str) -> str:
    lines = source.split("\n")
    width = len(str(len(lines)))
    return "\n".join(f"{number:>{width}} | {line}" for number, line in enumerate(lines, start=1))


def _cut(text: str, limit: int) -> str:
    """Return `text`, without its middle if it is longer than `limit` [characters]."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]}\n{words('cut', characters=len(text) - head - tail)}\n{text[len(text) - tail :]}"


def _fitting(texts: Sequence[str], order: Iterable[int], room: int) -> list[int]:
    """Return the places of the texts that fit in `room` [characters], taken in `order`, listed as they stand."""
    kept = []
    for place in order:
        if len(texts[place]) <= room:
            room -= len(texts[place])
            kept.append(place)
    return sorted(kept)
