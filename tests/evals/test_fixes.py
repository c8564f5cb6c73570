"""Patches beside their repaired twins: what counts as the same, and what the tables say."""

import pytest

from crane_agent.verdict.models import BoundName, Fix, Verdict
from evals.fixes.rows import Found, Row, compared
from evals.fixes.table import sections
from evals.table import markdown

TARGET = "table = load()\ntotal = table['a'].sum()"


def name(which: str, kind: str = "DataFrame", shape: tuple[int, ...] | None = (4, 2)) -> BoundName:
    return BoundName(name=which, type=kind, shape=shape, columns=("a", "b") if kind == "DataFrame" else None)


def row(version: str, bound: tuple[BoundName, ...] | None, fix: Fix | None = None, *, target: str = TARGET) -> Row:
    outcome = "crash" if version == "reproduced" else "no_crash"
    verdict = Verdict(
        outcome=outcome, certainty="certain", confidence=1.0, explanation="", fix=fix, reached_by="rehearsal"
    )
    found = Found(verdict=verdict, predict_ms=1.0, bound=bound)
    return Row(case="pandas_1", version=version, executed=("x = 1",), target=target, found=found)


def fix(*bound: BoundName, cell: int | None = None, verified: str = "yes") -> Fix:
    return Fix(summary="Load it.", source="table = load(1)", cell=cell, verified=verified, bound=bound)  # type: ignore[arg-type]


TOTAL = name("total", "float", None)


@pytest.mark.parametrize(
    ("bound", "same", "compatible"),
    [
        ((name("table"), TOTAL), True, True),
        ((name("table"), TOTAL, name("helper")), True, True),
        ((name("table", shape=(9, 2)), TOTAL), False, True),
        ((name("table", shape=(4, 3)), TOTAL), False, False),
        ((name("table", "Series", (4,)), TOTAL), False, False),
        ((name("table"), name("total", "int", None)), False, False),
        ((name("table"),), False, False),
    ],
)
def test_types_shapes_and_columns_are_compared_name_by_name(bound, same, compatible):
    found = compared(row("reproduced", None, fix(*bound)), row("fixed", (name("table"), TOTAL)))
    assert found is not None
    assert (found.is_same, found.is_compatible) == (same, compatible)


def test_a_name_that_is_changed_only_is_compared_too():
    target = "table['c'] = 1\nother.x = 2"
    broken = row("reproduced", None, fix(name("table", shape=(4, 9))), target=target)
    found = compared(broken, row("fixed", (name("table"), name("other"))))
    assert found is not None
    assert (dict(found.names), found.missing) == ({"table": "other"}, ("other",))


def test_names_that_only_the_twin_binds_are_not_compared():
    found = compared(row("reproduced", None, fix(name("table"), TOTAL)), row("fixed", (name("other"), TOTAL)))
    assert found is not None
    assert list(found.names) == ["total"]
    assert found.is_same


def test_what_is_not_verified_or_has_no_twin_that_ended_is_not_compared():
    twin = row("fixed", (name("table"), TOTAL))
    assert compared(row("reproduced", None, fix(verified="partly")), twin) is None
    assert compared(row("reproduced", None, fix(name("table"), TOTAL)), row("fixed", None)) is None


def test_the_diff_is_of_the_cell_that_the_patch_changes():
    assert "-x = 1\n+table = load(1)" in row("reproduced", None, fix(cell=0)).diff
    assert "-table = load()" in row("reproduced", None, fix()).diff


def test_the_page_has_the_figures_every_patch_and_what_must_not_be():
    rows = [row("reproduced", None, fix(name("table"), TOTAL)), row("fixed", (name("table"), TOTAL), fix())]
    page = markdown("Patches", sections(rows, provenance={"command": "make"}))
    assert "| crash: a verified patch | 1 | 1 | 1.000 |" in page
    assert "## Patch of pandas_1" in page
    assert "```diff\n" in page
    assert "## Patches of repaired twins" in page
