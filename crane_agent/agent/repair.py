"""Fixes that are shown to work: each patch of a crash runs in a rehearsal before it is shown.

The policy's own patch comes first, then what `repairs` proposes, then what the policy makes of the outcomes. Where a
patched cell gets further and then fails of something else, it is patched again from there. A patch that only hides the
error is not tried, and one that changes nothing is not shown.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

from crane_agent.agent.claims import Crash, offer_of
from crane_agent.agent.policy import Fact, Tried
from crane_agent.agent.readings import answer_of
from crane_agent.agent.rehearsals import STILL_RUNNING, crash_shown, rehearsal_fact
from crane_agent.agent.repairs import candidates, candidates_elsewhere
from crane_agent.agent.repairs.honesty import hides
from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.reruns import reruns
from crane_agent.agent.state import Repair
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import names_in, parse
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import PatchedCell, Rehearsal, Reply
from crane_agent.session.shadow import REPLAY_FAILED
from crane_agent.verdict.models import BoundName, Claim, ExceptionClaim, ProposedFix, Verified

MOST_TRIED = 8
"""Patches that are run for one crash."""

MOST_REPLAYS = 3
"""How many of them may be patches of executed cells, for which those run again."""

MOST_LINKS = 3
"""How often one patch may follow on another that got further."""

Rehearse = Callable[[str, PatchedCell | None], Rehearsal | None]
"""Runs a text as the target in a rehearsal, an executed cell changed; None if the run's time or bytes are used up."""


class Found(NamedTuple):
    """The fix that a crash gets, and what was found out about it."""

    fix: ProposedFix | None
    repair: Repair


Propose = Callable[[Sequence[Tried]], ProposedFix | None]
"""Asks the policy for a patch, given what became of those before; None if it knows none."""

MOST_PROPOSED = 3
"""Patches that the policy is asked for beyond its first."""


_NOT_RUN = "it was not run"


class Attempt(NamedTuple):
    """A patch, and what became of it.

    Attributes:
        patch: The patch.
        verified: Whether the patched cell runs.
        bound: What it binds and changes then.
        then: What it raises further on, if it does.
        outcome: How its rehearsal ended, for the policy.
    """

    patch: Patch
    verified: Verified = "not tried"
    bound: tuple[BoundName, ...] = ()
    then: Crash | None = None
    outcome: str = _NOT_RUN

    @property
    def rank(self) -> int:
        """The smaller, the better."""
        return ("yes", "partly", "then", "not tried", "no").index("then" if self.then is not None else self.verified)


class _Scene(NamedTuple):
    """A crash of a target, and what the failing expression was made of."""

    crash: Crash
    parts: Mapping[str, Any]
    target: Target

    @property
    def line(self) -> int | None:
        """Line of the target's source that raises, from 1."""
        return self.target.code.original_line(self.crash.line)

    def is_behind(self, other: "_Scene") -> bool:
        """Whether the cell got further than with another text of it, or fails of something else at that place."""
        former = _line_in(self.target.cell.source, other.line, other.target.cell.source)
        if self.line is not None and former is not None and self.line < former:
            return False
        return self._identity != other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.crash.type, self.crash.whole.message, self.parts.get("text")


def _line_in(patched: str, line: int | None, source: str) -> int | None:
    """Return what a line of a cell became in another text of it, counted from 1: where it was changed, the likest."""
    if line is None:
        return None
    old, new = source.splitlines(), patched.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if not first < line <= last:
            continue
        if kind != "replace":
            return new_first + line - first if kind == "equal" else new_first + 1
        likeness = [difflib.SequenceMatcher(None, old[line - 1], each).ratio() for each in new[new_first:new_last]]
        return new_first + 1 + likeness.index(max(likeness))
    return None


def repaired(
    claim: Claim, shown: Fact | None, target: Target, rehearse: Rehearse | None, propose: Propose = lambda tried: None
) -> Found:
    """Return the fix of a crash: the first patch whose rehearsal comes to its end, else the best of the others.

    Args:
        claim: The crash.
        shown: A rehearsal of the target that shows it; None if there is none.
        target: The cell.
        rehearse: Runs a patch; None if nothing may be run.
        propose: Asks the policy for patches where no other works.
    """
    search = _Search(target, claim.exception, shown, rehearse)
    own = _whole(claim.fix, target)
    hidden = "" if own is None else _hides(own, target)
    note = f"a patch is left out, since it hides the error: {hidden}" if hidden else ""
    scene = _scene_of(shown, target) or _scene_claimed(claim, target)
    search.follow(scene, first=[] if own is None or hidden else [own])
    search.ask(propose)
    best = search.best
    if best is None:
        return Found(None if own is not None else claim.fix, replace(search.repair, note=note))
    if best.verified == "no" and best.then is None:
        words = claim.fix if own is None else None
        return Found(words, replace(search.repair, note=note or "the patches that were tried do not help"))
    if best.then is not None:
        note = f"the patch gets further; then {best.then.type} is raised"
    return Found(
        _fix_of(best.patch), replace(search.repair, verified=best.verified, bound=best.bound, note=note or search.note)
    )


class _Search:
    """Tries patches, one after the other, until one is shown to work."""

    def __init__(
        self, target: Target, raised: ExceptionClaim | None, shown: Fact | None, rehearse: Rehearse | None
    ) -> None:
        self.best: Attempt | None = None
        self.note = ""
        self._attempts: list[Tried] = []
        self._most = MOST_TRIED
        self._target = target
        self._raised = raised
        self._is_replayed = shown is not None and shown.call.arguments.get("way") == "shadow"
        self._rehearse = rehearse
        self._refused: set[bool] = set()  # of the target, of executed cells
        self._seen: set[tuple[int | None, str]] = set()
        self._tried = self._replays = self._size = 0
        self._replay_ms = 0.0

    @property
    def repair(self) -> Repair:
        """What it took."""
        return Repair(tried=self._tried, size=self._size, replay_ms=self._replay_ms)

    def follow(
        self,
        scene: _Scene | None,
        links: int = MOST_LINKS,
        *,
        first: Sequence[Patch] = (),
        behind: Patch | None = None,
    ) -> None:
        """Try what may mend a crash, and go on from the patches that get further.

        Args:
            scene: The crash, in the target as it is patched so far.
            links: How many patches may follow one on another.
            first: What is tried before anything else.
            behind: The patch so far: what follows changes the same cell.
        """
        found = [] if scene is None else _proposed(scene, anew=behind is None)
        for patch in chain(first, *found):
            if behind is not None:
                if patch.cell != behind.cell:
                    continue
                patch = replace(patch, summary=f"{behind.summary} {patch.summary}")
            after = self.attempt(patch, scene)
            if after is not None and links > 1:
                self.follow(after, links - 1, behind=patch)
            if self._is_over:
                return

    def ask(self, propose: Propose) -> None:
        """Try what the policy proposes, which hears each time what became of the patches before."""
        self._most = self._tried + MOST_PROPOSED
        for _ in range(MOST_PROPOSED):
            if self._is_over:
                return
            fix = propose(tuple(self._attempts))
            if fix is None:
                return
            patch = _whole(fix, self._target)
            hidden = "a secret of the cell's is lost in it" if patch is None else _hides(patch, self._target)
            if patch is None or hidden:
                self._attempts.append(Tried(fix, f"not run: {hidden}"))
            else:
                self.attempt(patch)

    @property
    def _is_over(self) -> bool:
        if self.best is None:
            return False
        return self.best.verified in ("yes", "partly") or self._rehearse is None or self._tried >= self._most

    def attempt(self, patch: Patch, before: _Scene | None = None) -> _Scene | None:
        """Try a patch, if it is to be tried; return the crash that it got to where that lies behind the former."""
        key = (patch.cell, patch.source)
        if key in self._seen or self._is_over or (_hides(patch, self._target) and not patch.is_rerun):
            return None
        self._seen.add(key)
        attempt, after = self._result(patch, before)
        self._attempts.append(Tried(_fix_of(patch), attempt.outcome))
        if self.best is None or attempt.rank < self.best.rank:
            self.best = attempt
            is_open = attempt.verified == "not tried" and attempt.outcome != _NOT_RUN
            self.note = f"whether the patch works is open: {attempt.outcome}" if is_open else ""
        return after

    def _result(self, patch: Patch, before: _Scene | None) -> tuple[Attempt, _Scene | None]:
        rehearsal = self._run(patch)
        if rehearsal is None:
            return Attempt(patch), None
        target = _patched(self._target, patch)
        fact = rehearsal_fact("", rehearsal.reply, rehearsal.way)
        answer = answer_of(fact)
        after = _scene_of(fact, target)
        if before is None or after is None or not after.is_behind(before):
            after = None
        verified = self._verified(rehearsal, target)
        if verified == "yes" and patch.cell is not None and not self._fails_unpatched(patch):
            return Attempt(patch, outcome="in a second kernel the cell does not crash even without it"), None
        return Attempt(patch, verified, bound_in(answer), after and after.crash, _outcome(rehearsal.reply)), after

    def _run(self, patch: Patch) -> Rehearsal | None:
        """Rehearse a patch, if that may be."""
        elsewhere = patch.cell is not None
        if self._rehearse is None or elsewhere in self._refused or (elsewhere and self._replays >= MOST_REPLAYS):
            return None
        rehearsal = self._counted(self._rehearse(*_sources(self._target, patch)))
        if rehearsal is None:
            self._rehearse = None
            return None
        self._tried += 1
        self._replays += elsewhere
        if rehearsal.reply.status == "refused":
            self._refused.add(elsewhere)
        return rehearsal

    def _counted(self, rehearsal: Rehearsal | None) -> Rehearsal | None:
        if rehearsal is not None:
            self._size += rehearsal.reply.size
            self._replay_ms += rehearsal.replay_ms
        return rehearsal

    def _fails_unpatched(self, patch: Patch) -> bool:
        """Whether a replay without the patch shows the crash, too: else one with it proves nothing."""
        if self._is_replayed:
            return True
        source, changed = _sources(self._target, patch)
        assert changed is not None
        assert self._rehearse is not None
        original = self._target.executed[changed.place].source
        rehearsal = self._counted(self._rehearse(source, replace(changed, source=original)))
        if rehearsal is None:
            return False
        answer = rehearsal.reply.answer
        type_ = self._raised.type if self._raised is not None else ""
        self._is_replayed = answer.get("outcome") == "crash" and answer["exception"]["type"] == type_
        return self._is_replayed

    def _verified(self, rehearsal: Rehearsal, target: Target) -> Verified:
        answer = rehearsal.reply.answer
        if rehearsal.reply.status != "ok":
            return "not tried"
        if answer["outcome"] == "finished" and not answer["denied"]:
            return "yes"
        why = answer["why"] if answer["outcome"] == "unknown" else ""
        raised = self._raised.line if self._raised is not None else None
        failed = _line_in(target.cell.source, raised, self._target.cell.source)
        reached = target.code.original_line(answer["line"])
        if why.startswith(STILL_RUNNING) and failed is not None and reached is not None and reached > failed:
            return "partly"
        return "no" if answer["outcome"] == "crash" or why.startswith(REPLAY_FAILED) else "not tried"


# -- patches ---------------------------------------------------------------------------------------------------------


def cell_of(target: Target, index: int | None) -> Cell | None:
    """Return the cell that a patch changes: the target, or the executed cell with an index; None if it did not run."""
    if index is None:
        return target.cell
    return next((cell for cell in reversed(target.executed) if cell.index == index), None)


def _proposed(scene: _Scene, *, anew: bool) -> Iterator[Iterator[Patch]]:
    if anew:
        yield reruns(scene.target)
    for propose in (candidates, candidates_elsewhere):
        yield propose(scene.crash, scene.parts, scene.target)


def _hides(patch: Patch, target: Target) -> str:
    cell = cell_of(target, patch.cell)
    return "there is no such cell" if cell is None else hides(cell.source, patch.source)


def _patched(target: Target, patch: Patch) -> Target:
    """Return the target as a patch leaves it, of itself or of an executed cell."""
    if patch.cell is None:
        code = parse(patch.source)
        return replace(target, cell=replace(target.cell, source=patch.source), code=code, names=names_in(code))
    executed = [replace(cell, source=patch.source) if cell.index == patch.cell else cell for cell in target.executed]
    return replace(target, executed=tuple(executed))


def _sources(target: Target, patch: Patch) -> tuple[str, PatchedCell | None]:
    """Return what a rehearsal of a patch is given."""
    if patch.cell is None:
        return patch.source, None
    place = max(place for place, cell in enumerate(target.executed) if cell.index == patch.cell)
    return target.cell.source, PatchedCell(place, patch.source)


def _fix_of(patch: Patch) -> ProposedFix:
    return ProposedFix(summary=patch.summary, source=patch.source, cell=patch.cell)


def _whole(fix: ProposedFix | None, target: Target) -> Patch | None:
    """Return the policy's patch with the secrets of the cell in it; None if there is none, or they are lost."""
    cell = cell_of(target, fix.cell if fix is not None else None)
    offer = offer_of(fix, (cell or target.cell).source)
    source = offer.patch or (offer.fix.source if offer.fix is not None else None)
    return Patch(offer.fix.summary, source, offer.fix.cell) if offer.fix is not None and source else None


def _outcome(reply: Reply) -> str:
    """Return how a patch's rehearsal ended, without what is above the privacy level."""
    if reply.status != "ok":
        return f"not run: {reply.reason}"
    answer = reply.answer
    if answer["outcome"] == "crash":
        raised = answer["exception"]
        return f"raised {raised['type']}: {raised['message']} (line {raised['line']} of the target)"
    return "came to its end" if answer["outcome"] == "finished" else str(answer["why"])


# -- crashes ---------------------------------------------------------------------------------------------------------


def _scene_of(fact: Fact | None, target: Target) -> _Scene | None:
    """Return the crash that a rehearsal shows, with its whole message, which stays on this machine."""
    answer = answer_of(fact)
    if fact is None or answer.get("outcome") != "crash" or not answer.get("exception"):
        return None
    found = crash_shown(fact, target)
    message = found.whole.message or found.message
    crash = replace(found, message=message, whole=replace(found.whole, message=message))
    return _Scene(crash, answer["scene"] or {}, target)


def _scene_claimed(claim: Claim, target: Target) -> _Scene | None:
    """Return the crash as it is claimed, of which there is no scene."""
    raised = claim.exception
    if raised is None or raised.line is None or raised.at_latest or claim.crash_type is None:
        return None
    crash = Crash(
        type=raised.type,
        message=claim.proof.message or raised.message,
        line=raised.line - target.code.line_offset,
        column=None,
        because="",
        crash_type=claim.crash_type,
        library=claim.library or "",
    )
    return _Scene(crash, {}, target)


def bound_in(answer: Mapping[str, Any]) -> tuple[BoundName, ...]:
    """Return what a rehearsed cell bound and changed, as its report tells."""
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
