"""Fixes that are shown to work: each patch of a crash runs in a rehearsal before it is shown.

The policy's own patch comes first, then what `repairs` proposes. A patch that only hides the error is not tried.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from crane_agent.agent.claims import Crash, offer_of
from crane_agent.agent.policy import Fact
from crane_agent.agent.readings import answer_of
from crane_agent.agent.rehearsals import STILL_RUNNING, crash_shown
from crane_agent.agent.repairs import candidates
from crane_agent.agent.repairs.honesty import hides
from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.state import Repair
from crane_agent.notebook.code import parse
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Rehearsal
from crane_agent.verdict.models import BoundName, Claim, ProposedFix, Verified

MOST_TRIED = 6
"""Patches that are run for one crash."""

Rehearse = Callable[[str], Rehearsal | None]
"""Runs a text instead of the target in a rehearsal; None if that may not be, or the time is over."""


class Found(NamedTuple):
    """The fix that a crash gets, and what was found out about it."""

    fix: ProposedFix | None
    repair: Repair


def repaired(claim: Claim, shown: Fact | None, target: Target, rehearse: Rehearse | None) -> Found:
    """Return the fix of a crash: the first patch whose rehearsal comes to its end, else the best of the others.

    Args:
        claim: The crash.
        shown: A rehearsal of the target that shows it; None if there is none.
        target: The cell.
        rehearse: Runs a patch; None if nothing may be run.
    """
    own = _own(claim, target)
    hidden = "" if own is None else hides(target.cell.source, own.source)
    note = f"a patch is left out, since it hides the error: {hidden}" if hidden else ""
    best: _Tried | None = None
    tried = 0
    for patch in _patches(own, claim, shown, target):
        each = _Tried(patch, "not tried", ())
        if rehearse is not None and tried < MOST_TRIED:
            rehearsal = rehearse(patch.source)
            rehearse = None if rehearsal is None else rehearse
            if rehearsal is not None:
                tried += 1
                each = _Tried(patch, _verified(rehearsal, patch, claim), _bound(rehearsal.reply.answer))
        if best is None or _ORDER.index(each.verified) < _ORDER.index(best.verified):
            best = each
        if each.verified == "yes" or rehearse is None or tried == MOST_TRIED:
            break
    if best is None:
        return Found(None if hidden else claim.fix, Repair(tried=tried, note=note))
    fix = ProposedFix(summary=best.patch.summary, source=best.patch.source)
    return Found(fix, Repair(best.verified, best.bound, tried, note))


class _Tried(NamedTuple):
    patch: Patch
    verified: Verified
    bound: tuple[BoundName, ...]


# From the best to the worst.
_ORDER: Sequence[Verified] = ("yes", "partly", "not tried", "no")


def _patches(own: Patch | None, claim: Claim, shown: Fact | None, target: Target) -> Iterator[Patch]:
    """Yield the patches worth trying, each once, the policy's own first."""
    source = target.cell.source
    seen = {source}
    crash = _crash(claim, shown, target)
    proposed = () if crash is None else candidates(crash, answer_of(shown).get("scene") or {}, target)
    for patch in (*([own] if own is not None else []), *proposed):
        if patch.source not in seen and parse(patch.source).syntax_error is None and not hides(source, patch.source):
            seen.add(patch.source)
            yield patch


def _own(claim: Claim, target: Target) -> Patch | None:
    """Return the policy's own patch, with the secrets of the cell in it."""
    offer = offer_of(claim.fix, target)
    source = offer.patch or (offer.fix.source if offer.fix is not None else None)
    return Patch(offer.fix.summary, source) if offer.fix is not None and source else None


def _crash(claim: Claim, shown: Fact | None, target: Target) -> Crash | None:
    """Return the crash with its whole message, which stays on this machine."""
    if shown is not None and answer_of(shown).get("exception"):
        found = crash_shown(shown, target)
        return replace(found, message=found.whole.message or found.message)
    return None


def _verified(rehearsal: Rehearsal, patch: Patch, claim: Claim) -> Verified:
    answer = rehearsal.reply.answer
    if rehearsal.reply.status != "ok":
        return "not tried"
    if answer["outcome"] == "finished" and not answer["denied"]:
        return "yes"
    failed = claim.exception.line if claim.exception is not None else None
    reached = parse(patch.source).original_line(answer["line"])
    ran_on = answer["outcome"] == "unknown" and answer["why"].startswith(STILL_RUNNING)
    if ran_on and failed is not None and reached is not None and reached > failed:
        return "partly"
    return "no" if answer["outcome"] == "crash" else "not tried"


def _bound(answer: Mapping[str, Any]) -> tuple[BoundName, ...]:
    names: Mapping[str, Mapping[str, Any]] = answer.get("bound") or {}
    return tuple(
        BoundName(
            name=name,
            type=about.get("type", ""),
            shape=None if about.get("shape") is None else tuple(about["shape"]),
            columns=None if about.get("columns") is None else tuple(map(str, about["columns"])),
        )
        for name, about in names.items()
    )
