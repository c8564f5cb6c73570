"""Every row of the tables, run for real: first in shells of this process, then in a kernel."""

import pytest
from oracle import compare
from tables import CRASHES, DOUBTFUL, FRAME, THINGS, WORKS

from crane_agent.in_kernel.wire import encode_tree
from crane_agent.notebook.code import parse
from crane_agent.session.launched import launch
from crane_agent.session.protocol import Limits

# What changes more than names and values outlasts the row it belongs to.
LASTING = (
    "builtins",
    "pd.DataFrame.",
    "sys.stdout",
    "warnings",
    "threading",
    "Macro",
    "exit",
    "__future__",
    "get_ipython()",
)
LINE_OF_ERROR = """
import os as _os, sys as _sys
_trace = _sys.last_traceback
while _os.sep + "IPython" + _os.sep in _trace.tb_frame.f_code.co_filename:
    _trace = _trace.tb_next
raise Exception(_trace.tb_lineno)
"""


@pytest.mark.parametrize(("setup", "cell", "kind", "line"), CRASHES)
def test_a_crash_is_found_as_it_comes(setup: str, cell: str, kind: str, line: int | None) -> None:
    row = compare(setup, cell)
    assert row.wrong() == ""
    assert row.finding is not None
    assert row.crash is not None
    assert (row.crash.type, line or row.crash.line) == (kind, row.crash.line)
    assert row.finding["message"] == row.crash.message


@pytest.mark.parametrize(("setup", "cell"), WORKS)
def test_a_cell_that_runs_is_left_alone(setup: str, cell: str) -> None:
    row = compare(setup, cell)
    assert row.crash is None
    assert row.wrong() == ""


@pytest.mark.parametrize(("setup", "cell"), DOUBTFUL)
def test_a_crash_that_cannot_be_foreseen_is_no_promise_to_run(setup: str, cell: str) -> None:
    row = compare(setup, cell)
    assert row.crash is not None
    assert row.wrong() == ""


def test_the_tables_hold_in_a_real_kernel() -> None:
    rows = [(*row, "") for row in WORKS] + [row[:3] for row in CRASHES] + [(*row, None) for row in DOUBTFUL]
    contradictions = []
    with launch() as session:
        session.run(f"{FRAME}\n{THINGS}", limit_s=60)
        for setup, cell, kind in rows:
            if any(word in setup + cell for word in LASTING):
                continue
            assert session.run(f"get_ipython().run_line_magic('reset', '-sf')\n{setup}", limit_s=30).status == "ok"
            code = parse(cell)
            assert code.tree is not None
            arguments = {"tree": encode_tree(code.tree), "first_word": code.first_word}
            reply = session.ask("check", arguments, limits=Limits(seconds=20, bytes=1_000_000))
            real = session.run(cell, limit_s=30)
            said = (reply.answer.get("finding") or {}).get("type", ""), bool(reply.answer.get("settled"))
            if reply.status != "ok" or (said[0] and said[0] != real.ename) or (said[1] and real.status != "ok"):
                contradictions.append((setup, cell, said, reply.reason, real))
            elif said[0]:
                line = session.run(LINE_OF_ERROR, limit_s=30).evalue
                if line != str(reply.answer["finding"]["line"]):
                    contradictions.append((setup, cell, said, line))
            elif kind:
                contradictions.append((setup, cell, said, reply.reason, real))
    assert contradictions == []


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
