"""What was proposed for each instance, and how what it binds compares with what the repaired twin binds."""

import difflib
from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from crane_agent.notebook.code import names_in, parse
from crane_agent.notebook.effects import changes_below
from crane_agent.verdict.models import BoundName, Fix, Verdict
from evals.instance import Instance

Likeness = Literal["same", "other rows", "other"]
"""How two values compare: type, shape and columns are the same; they differ in their first axis only; else."""


class Found(BaseModel):
    """What a worker found out about one instance.

    Attributes:
        verdict: The verdict, with the fix.
        predict_ms: Time from the call to the verdict [milliseconds].
        bound: What the target itself binds and changes in a rehearsal; None if it did not come to its end there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    predict_ms: float
    bound: tuple[BoundName, ...] | None = None


class Row(BaseModel):
    """One instance.

    Attributes:
        case: Its case.
        version: Which instance of the case.
        executed: The executed cells' sources.
        target: The target's source.
        found: What was found out; None if the run failed.
        error: Why there is nothing.
        commit: Commit of the checkout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    executed: tuple[str, ...]
    target: str
    found: Found | None = None
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a dataset."""
        return self.case, self.version

    @property
    def fix(self) -> Fix | None:
        """The fix that was proposed."""
        return self.found.verdict.fix if self.found is not None else None

    @property
    def patch(self) -> Fix | None:
        """The fix, if it has a patch."""
        return self.fix if self.fix is not None and self.fix.source is not None else None

    @property
    def is_verified(self) -> bool:
        """Whether the patched cell came to its end in a rehearsal."""
        return self.patch is not None and self.patch.verified == "yes"

    @property
    def original(self) -> str:
        """The cell that the patch changes, as it is."""
        place = self.patch.cell if self.patch is not None else None
        return self.target if place is None or place >= len(self.executed) else self.executed[place]

    @property
    def diff(self) -> str:
        """The patch as a unified diff of the cell's lines; empty if there is none."""
        if self.patch is None or self.patch.source is None:
            return ""
        before, after = self.original.splitlines(), self.patch.source.splitlines()
        return "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=1))[2:])


def row_of(instance: Instance, found: Found | None, *, error: str | None, commit: str) -> Row:
    """Return the row of an instance."""
    return Row(
        case=instance.case,
        version=instance.version,
        executed=instance.executed,
        target=instance.target,
        found=found,
        error=error,
        commit=commit,
    )


class Comparison(NamedTuple):
    """What a patched target binds, beside what its repaired twin does.

    Attributes:
        names: How the values of each name compare that the unpatched target binds or changes, and the twin, too.
        missing: Names that both of these bind, and the patched target does not.
        differences: What differs, in words, by name.
    """

    names: Mapping[str, Likeness]
    missing: tuple[str, ...]
    differences: Mapping[str, str]

    @property
    def is_same(self) -> bool:
        """Whether every name has the same type, shape and columns."""
        return not self.missing and all(each == "same" for each in self.names.values())

    @property
    def is_compatible(self) -> bool:
        """Whether every name has the same type, and a shape and columns that differ in the number of rows at most."""
        return not self.missing and "other" not in self.names.values()


def compared(row: Row, twin: Row) -> Comparison | None:
    """Return how what a verified patch binds compares with the twin; None if one of them did not come to its end."""
    if row.patch is None or not row.is_verified or twin.found is None or twin.found.bound is None:
        return None
    patched = {each.name: each for each in row.patch.bound}
    repaired = {each.name: each for each in twin.found.bound}
    code = parse(row.target)
    changes = changes_below(code.tree, frozenset()) if code.tree is not None else ()
    wanted = sorted((names_in(code).binds | {change.name for change in changes}) & repaired.keys())
    names = {name: _likeness(patched[name], repaired[name]) for name in wanted if name in patched}
    return Comparison(
        names,
        missing=tuple(name for name in wanted if name not in patched),
        differences={
            name: f"{words(patched[name])}, the twin's {words(repaired[name])}"
            for name, likeness in names.items()
            if likeness != "same"
        },
    )


def _likeness(one: BoundName, other: BoundName) -> Likeness:
    if one == other:
        return "same"
    is_like = (one.type, one.columns) == (other.type, other.columns) and one.shape and other.shape
    return "other rows" if is_like and one.shape[1:] == other.shape[1:] else "other"  # type: ignore[index]


def words(bound: BoundName) -> str:
    """Return a value in a few words."""
    shape = f" {bound.shape}" if bound.shape is not None else ""
    columns = f" of {', '.join(bound.columns)}" if bound.columns else ""
    return f"{bound.type}{shape}{columns}"
