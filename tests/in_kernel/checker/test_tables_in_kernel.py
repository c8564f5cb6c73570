"""Rows of the tables, run in a real kernel one after another: all that are about Python, a sample of the others."""

from typing import NamedTuple

import pytest
import tables
from all_tables import TABLES, lacks, table
from oracle import lasts

from crane_agent.in_kernel.wire import encode_tree
from crane_agent.notebook.code import followed, parse
from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits, Session

EACH = 7
"""Of the tables of libraries, one row of so many is run."""

LINE_OF_ERROR = """
import os as _os, sys as _sys
_trace = _sys.last_traceback
while _os.sep + "IPython" + _os.sep in _trace.tb_frame.f_code.co_filename:
    _trace = _trace.tb_next
raise Exception(_trace.tb_lineno)
"""


class Judged(NamedTuple):
    """What the checker said of a cell, and what the cell did: types and lines of a crash, '' where there is none."""

    setup: str
    cell: str
    status: str
    settled: bool
    said: tuple[str, str]
    really: tuple[str, str]

    @property
    def is_wrong(self) -> bool:
        if self.status != "ok" or (self.settled and self.really[0]):
            return True
        return bool(self.said[0]) and self.said != self.really


def judged(session: Session, setup: str, cell: str) -> Judged:
    assert session.run(f"get_ipython().run_line_magic('reset', '-sf')\n{setup}", limit_s=30).status == "ok"
    code = followed(parse(cell))
    assert code.tree is not None
    arguments = {"tree": encode_tree(code.tree), "first_word": code.first_word}
    reply = session.ask("check", arguments, limits=Limits(seconds=20, bytes=1_000_000))
    real = session.run(cell, limit_s=30)
    finding = reply.answer.get("finding")
    said = (finding["type"], str(finding["line"])) if finding else ("", "")
    really = (real.ename, session.run(LINE_OF_ERROR, limit_s=30).evalue) if real.status == "error" else ("", "")
    if finding and not finding["exact"] and really[0]:
        # An earlier line may raise first: only that the cell crashes is certain.
        said = really
    return Judged(setup, cell, reply.status, bool(reply.answer.get("settled")), said, really)


def rows_of(name: str) -> list[tuple[str, str, bool]]:
    """Return setups and cells, and whether the crash is one that is found."""
    found = table(name)
    rows = [(*row[:2], True) for row in found.CRASHES] + [(*row, False) for row in [*found.WORKS, *found.DOUBTFUL]]
    # What a magic runs counts its lines from its own text; `oracle` knows how.
    return [row for row in rows if not lasts(row[0], row[1]) and "%time" not in row[1]]


@pytest.mark.timeout(600)
def test_the_first_table_holds_in_a_real_kernel() -> None:
    with launch() as session:
        session.run(f"{tables.FRAME}\n{tables.THINGS}", limit_s=60)
        rows = [(judged(session, setup, cell), finds) for setup, cell, finds in rows_of("tables")]
    assert [each for each, finds in rows if each.is_wrong or (finds and not each.said[0])] == []


@pytest.mark.timeout(600)
def test_a_sample_of_the_other_tables_holds_in_a_real_kernel() -> None:
    sample = [row for name in TABLES if name != "tables" and not lacks(name) for row in rows_of(name)[::EACH]]
    with launch() as session:
        rows = [(judged(session, setup, cell), finds) for setup, cell, finds in sample]
    assert [each for each, _ in rows if each.is_wrong] == []
    # What one row does to a library may leave the checker less sure of the next.
    missed = [each for each, finds in rows if finds and not each.said[0]]
    assert len(missed) <= len(rows) // 20, missed
