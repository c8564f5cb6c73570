"""The two checkers, asked about a cell in the state that the kernel is in."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crane_agent.agent.nodes import CHECK_BYTES
from crane_agent.config import Settings
from crane_agent.errors import KernelBusy
from crane_agent.in_kernel.wire import TooDeep, encode_tree
from crane_agent.notebook.code import Code, SyntaxFault, followed, parse
from crane_agent.session.launched import LaunchedSession
from crane_agent.session.protocol import Limits
from evals.checker.rows import Doubt, Foreseen, PeerSaid, Said
from evals.instance import leading_blank_lines

PEER_LIMIT_S = 60.0
# Runs in a namespace of its own, and answers with the message of an error, so that no name is left in the user's.
# A first check of nothing pays for what a first call costs; ours had the executed cells for that.
_ASK_PEER = """
import json, sys, time
sys.path.append(site)
try:
    from crane_llm.nb_extension.checker import run_checks
finally:
    sys.path.remove(site)
run_checks("0", {}, shell=shell)
began = time.perf_counter()
found = run_checks(source, shell.user_ns, shell=shell)
taken = 1000 * (time.perf_counter() - began)
finding = found and dict(type=found.exception, message=found.message, line=found.line, rule=found.rule)
raise Exception(json.dumps({"finding": finding, "milliseconds": taken}))
"""


def ask(session: LaunchedSession, source: str) -> Said:
    """Ask our checker about a cell, with the limits that a user's check has."""
    code = followed(parse(source))
    if code.tree is None:
        return _of_no_python(code, session.python_version)
    try:
        arguments = {"tree": encode_tree(code.tree), "first_word": code.first_word}
        reply = session.ask("check", arguments, limits=_limits())
    except TooDeep:
        return Said(status="unasked", reason="nested too deeply")
    except KernelBusy as busy:
        return Said(status="refused", reason=str(busy))
    if reply.status != "ok":
        return Said(status=reply.status, reason=reply.reason, milliseconds=reply.elapsed_ms)
    said = _said(reply.answer, code, milliseconds=reply.elapsed_ms)
    return said if _is_followed_exactly(code) else _as_suspicion(said)


def ask_peer(session: LaunchedSession, source: str, site: Path) -> PeerSaid:
    """Ask the peer's checker about a cell, as its guard and its magic do.

    Args:
        session: The kernel.
        source: The cell.
        site: The folder that `pip install --target` put the peer into.
    """
    names = f"{{'site': {str(site)!r}, 'source': {source!r}, 'shell': get_ipython()}}"
    reply = session.run(f"exec({_ASK_PEER!r}, {names})", limit_s=PEER_LIMIT_S)
    try:
        answer: dict[str, Any] = json.loads(reply.evalue)
    except json.JSONDecodeError:
        return PeerSaid(error=f"{reply.status} {reply.ename} {reply.evalue}")
    found = answer["finding"]
    if found is None:
        return PeerSaid(milliseconds=answer["milliseconds"])
    # Its lines are those of the cell that IPython runs.
    found["line"] += leading_blank_lines(source)
    return PeerSaid(finding=Foreseen(**found), milliseconds=answer["milliseconds"])


def _limits() -> Limits:
    settings = Settings()
    return Limits(seconds=settings.probe_seconds, items=settings.probe_items, bytes=CHECK_BYTES)


def _said(answer: Mapping[str, Any], code: Code, *, milliseconds: float) -> Said:
    doubts = [_doubt(each, code) for each in answer["doubts"]]
    if answer["stopped"] and not answer["finding"]:
        doubts.append(_doubt({"kind": "stopped", **answer["stopped"]}, code))
    finding = answer["finding"]
    return Said(
        status="ok",
        finding=_foreseen(finding, code) if finding else None,
        settled=bool(answer["settled"]),
        suspects=tuple(_foreseen(each, code) for each in answer["suspects"]),
        doubts=tuple(doubts),
        questions=tuple(answer["questions"]),
        milliseconds=milliseconds,
    )


def _foreseen(crash: Mapping[str, Any], code: Code) -> Foreseen:
    return Foreseen(
        type=crash["type"],
        message=crash.get("message") or "",
        line=code.original_line(crash["line"]),
        rule=crash["rule"],
        first=bool(crash.get("exact", True)),
        library=crash.get("library") or "",
        crash_type=crash.get("crash_type") or "",
    )


def _doubt(doubt: Mapping[str, Any], code: Code) -> Doubt:
    return Doubt(line=code.original_line(doubt.get("line")), kind=doubt.get("kind", ""), why=doubt.get("why", ""))


def _is_followed_exactly(code: Code) -> bool:
    """Whether what was walked is the cell line by line."""
    return code.lines_agree and code.syntax_error is None


def _as_suspicion(said: Said) -> Said:
    """Return what was said with nothing certain in it, as the agent takes it."""
    suspects = (said.finding, *said.suspects) if said.finding else said.suspects
    doubt = Doubt(line=1, kind="effects", why="the cell does not run as it reads")
    return said.model_copy(
        update={"finding": None, "settled": False, "suspects": suspects, "doubts": (doubt, *said.doubts)}
    )


def _of_no_python(code: Code, kernel: tuple[int, int]) -> Said:
    """The cell is no Python: certain if the kernel runs the Python that we parsed it with, as the agent has it."""
    fault = code.syntax_error
    assert fault is not None
    found = Foreseen(type=fault.type, message=fault.message, line=fault.line, rule="syntax", library="python")
    if _is_language(fault) and kernel == sys.version_info[:2] and not code.has_magics:
        return Said(status="unasked", reason="no Python", finding=found)
    return Said(status="unasked", reason="no Python", suspects=(found,))


def _is_language(fault: SyntaxFault) -> bool:
    return fault.type in ("SyntaxError", "IndentationError", "TabError")
