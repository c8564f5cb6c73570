"""One request in, one reply out; the only place inside the kernel where a bug of ours is caught.

`answer` never raises an Exception. A bug becomes a reply with status `failed`; a question that cannot be answered
safely becomes `refused`. What is not an Exception (the deadline that `boot` sends into a thread) passes through.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Dict, List, Optional

from . import safe, wire
from .checker import check
from .probes import PROBES


def answer(text: str, shell: Any) -> str:
    """Answer one request (`wire` gives its form) about the kernel whose IPython shell is `shell`."""
    try:
        request = wire.loads(text)
        reply = _reply(request, shell)
    except safe.Refused as refused:
        reply = {"status": "refused", "reason": refused.reason}
    except Exception as error:  # noqa: BLE001 - the one place: a bug of ours is reported, never swallowed
        reply = {"status": "failed", "fault": _fault(error), "where": _where(error.__traceback__)}
    reply["cells"] = _cells(shell)
    return wire.dumps(reply)


def _reply(request: Dict[str, Any], shell: Any) -> Dict[str, Any]:
    limits = dict(wire.DEFAULT_LIMITS, **request.get("limits", {}))
    question = request["ask"]
    arguments = request.get("arguments", {})
    ask: Any = check if question == "check" else PROBES.get(question)
    if ask is None:
        raise safe.Refused("could not look, because there is no probe {!r}".format(question))
    unknown = sorted(set(arguments) - set(ask.__code__.co_varnames[2 : ask.__code__.co_argcount]))
    if unknown:
        raise safe.Refused(
            "could not look, because {} takes no argument {}".format(question, ", ".join(map(repr, unknown)))
        )
    items = int(limits["items"])
    while True:
        budget = safe.Budget(float(limits["seconds"]), items)
        reply = {"status": "ok", "answer": ask(shell, budget, **arguments)}
        if len(wire.dumps(reply)) <= limits["bytes"]:
            return reply
        if items <= 1:
            raise safe.Refused("could not look, because the answer is longer than {} bytes".format(limits["bytes"]))
        items //= 2


def _cells(shell: Any) -> int:
    count = shell.execution_count
    return count if type(count) is int else 0


def _fault(error: Exception) -> str:
    """Return type and, where it can hold nothing of the user's, message of a bug of ours."""
    own = (AttributeError, TypeError, NameError, KeyError, IndexError, AssertionError)
    message = str(error) if type(error) in own else ""
    return "{}: {}".format(type(error).__name__, message)[:300]


def _where(trace: Optional[TracebackType]) -> List[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append("{}:{} {}".format(code.co_filename.rsplit("in_kernel/", 1)[-1], trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return places[-8:]


PYTHON = list(sys.version_info[:3])
