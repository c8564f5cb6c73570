"""Every row of the tables, run for real: first in shells of forks, then, some of them, in a kernel.

A table is a module with CRASHES (setup, cell, the type raised, the line, or None where it depends on the version of
Python), WORKS (setup, cell) and DOUBTFUL (setup, cell: it crashes, and the checker must not promise that it runs). To
add one, give it a row in TABLES.
"""

import functools
import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import tables
from oracle import Row, compare, compare_in_batches, lasts

from crane_agent.in_kernel import checker
from crane_agent.in_kernel.wire import encode_tree
from crane_agent.notebook.code import parse
from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits, Session

TABLES: dict[str, tuple[str, ...]] = {
    "tables": ("pandas",),
    "tables_walk": ("pandas", "torch"),
    "tables_files": ("pandas", "matplotlib", "seaborn", "sklearn"),
    "tables_standard": (),
    "tables_numpy": ("numpy",),
    "tables_pandas": ("pandas",),
    "tables_figures": ("matplotlib", "seaborn"),
    "tables_sklearn": ("sklearn",),
    "tables_torch": ("torch",),
}
"""The tables, and the libraries that their rows need."""

MESSAGE_LENGTH = 500
"""Of a longer message the checker says this much."""

TOLD_IN_PART = ("tables_sklearn",)
"""Tables of a library whose messages may go on, after what the checker says, with a printed estimator."""

EACH = 7
"""Of the tables of libraries, one row of so many is run in a real kernel."""

LINE_OF_ERROR = """
import os as _os, sys as _sys
_trace = _sys.last_traceback
while _os.sep + "IPython" + _os.sep in _trace.tb_frame.f_code.co_filename:
    _trace = _trace.tb_next
raise Exception(_trace.tb_lineno)
"""

each_table = pytest.mark.parametrize("name", TABLES)


def lacks(name: str) -> list[str]:
    return [each for each in TABLES[name] if importlib.util.find_spec(each) is None]


def table(name: str) -> Any:
    missing = lacks(name)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return importlib.import_module(name)


@functools.cache
def crashes(name: str) -> list[tuple[Any, Row]]:
    return list(compare_in_batches(table(name).CRASHES))


@each_table
@pytest.mark.timeout(600)
def test_a_crash_is_found_as_it_comes(name: str) -> None:
    wrong = []
    for (setup, cell, kind, line), row in crashes(name):
        found, crash = row.finding or {}, row.crash
        said = (found.get("type"), found.get("line"), found.get("message"))
        really = crash and (crash.type, crash.line, crash.message[:MESSAGE_LENGTH])
        if really and name in TOLD_IN_PART:
            really = (*really[:2], really[2][: len(said[2] or "")])
        if row.wrong() or said != really or kind != said[0] or line not in (None, said[1]):
            wrong.append((setup, cell, row.wrong(), said, really))
    assert wrong == []


@each_table
@pytest.mark.timeout(600)
def test_a_cell_that_runs_is_left_alone(name: str) -> None:
    rows = compare_in_batches(table(name).WORKS)
    assert [(*each, row.wrong(), row.crash) for each, row in rows if row.crash or row.wrong()] == []


@each_table
@pytest.mark.timeout(600)
def test_a_crash_that_cannot_be_foreseen_is_no_promise_to_run(name: str) -> None:
    rows = compare_in_batches(table(name).DOUBTFUL)
    assert [(*each, row.wrong(), row.crash) for each, row in rows if row.wrong() or not row.crash] == []


@pytest.mark.timeout(900)
def test_each_rule_has_a_row_that_it_finds() -> None:
    source = "\n".join(path.read_text() for path in Path(checker.__file__).parent.rglob("*.py"))
    rules = set(re.findall(r'rule="([\w.-]+)"', source))
    found = {row.finding["rule"] for name in TABLES if not lacks(name) for _, row in crashes(name) if row.finding}
    elsewhere = {each for each in rules if each.partition(".")[0] in ELSEWHERE}
    assert rules - found - elsewhere == set()


ELSEWHERE = {"keras": "test_keras_cells", "unloaded": "test_unloaded", "boosters": "no extra of ours has xgboost"}
"""Rules whose rows are in other tables, by the first part of their ids."""


def contradiction(session: Session, setup: str, cell: str, kind: str | None) -> object:
    """Run a row in a kernel; return what the checker said wrong about it, None if nothing."""
    assert session.run(f"get_ipython().run_line_magic('reset', '-sf')\n{setup}", limit_s=30).status == "ok"
    code = parse(cell)
    assert code.tree is not None
    arguments = {"tree": encode_tree(code.tree), "first_word": code.first_word}
    reply = session.ask("check", arguments, limits=Limits(seconds=20, bytes=1_000_000))
    real = session.run(cell, limit_s=30)
    finding, settled = reply.answer.get("finding"), bool(reply.answer.get("settled"))
    if reply.status != "ok" or (settled and real.status != "ok") or (kind and not finding):
        return setup, cell, reply, real
    if not finding:
        return None
    line = session.run(LINE_OF_ERROR, limit_s=30).evalue if real.status == "error" else ""
    said = (finding["type"], str(finding["line"]))
    return None if said == (real.ename, line) or not finding["exact"] else (setup, cell, said, real.ename, line)


def rows_of(name: str) -> list[tuple[str, str, str | None]]:
    found = table(name)
    rows = [
        *((*row, "") for row in found.WORKS),
        *(row[:3] for row in found.CRASHES),
        *((*row, None) for row in found.DOUBTFUL),
    ]
    return [row for row in rows if not lasts(row[0], row[1])]


@pytest.mark.timeout(600)
def test_the_first_table_holds_in_a_real_kernel() -> None:
    with launch() as session:
        session.run(f"{tables.FRAME}\n{tables.THINGS}", limit_s=60)
        wrong = [contradiction(session, *row) for row in rows_of("tables")]
    assert [each for each in wrong if each] == []


@pytest.mark.timeout(600)
def test_a_sample_of_the_other_tables_holds_in_a_real_kernel() -> None:
    sample = [row for name in TABLES if name != "tables" and not lacks(name) for row in rows_of(name)[::EACH]]
    with launch() as session:
        wrong = [contradiction(session, *row) for row in sample]
    assert [each for each in wrong if each] == []


def test_a_walk_that_runs_out_of_steps_is_sure_of_nothing() -> None:
    row = compare("", "x = 1\n" * 12000 + "undefined")
    assert row.reply["status"] == "ok"
    assert not row.finding
    assert not row.settled
    assert "steps" in row.answer["stopped"]["why"]


@pytest.mark.parametrize("cell", ["x = " + "1 + " * 90 + "1", "x = " + "-" * 90 + "1", "x = s" + ".strip()" * 45])
def test_deep_nesting_is_no_failure(cell: str) -> None:
    row = compare("s = 'a'", cell)
    assert row.reply["status"] in ("ok", "refused")
    assert row.wrong() == ""
