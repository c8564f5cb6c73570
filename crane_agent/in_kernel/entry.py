"""One request in, one reply out; the only place inside the kernel where a bug of ours is caught.

`answer` never raises an Exception. A bug becomes a reply with status `failed`; a question that cannot be answered
safely becomes `refused`. What is not an Exception (the deadline that `boot` sends into a thread) passes through.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Dict, List, Optional, Set, Tuple

from . import checker, privacy, safe, wire
from .moment import moment
from .probes import FIELDS, QUESTIONS
from .redaction import redacted_value

_FIELDS = privacy.joined(FIELDS, checker.FIELDS)

_OF_REHEARSALS = ("rehearse", "watch", "progress", "ending", "description")

MAX_REASON = 1000
"""Length of the reason of a refusal [characters]."""


def answer(text: str, shell: Any) -> str:
    """Answer one request (`wire` gives its form) about the kernel whose IPython shell is `shell`."""
    before = moment(shell)
    try:
        return _answer(wire.loads(text), shell, before)
    except safe.Refused as refused:
        return _refusal(refused.reason, shell, before)
    except (RecursionError, MemoryError) as error:
        return _refusal("could not look, because of {}".format(type(error).__name__), shell, before)
    except Exception as error:  # noqa: BLE001 - the one place: a bug of ours is reported, never swallowed
        fault = {"status": "failed", "fault": _fault(error), "where": _where(error.__traceback__)}
        return _reply(fault, shell, before)


def _refusal(reason: str, shell: Any, before: Dict[str, Any]) -> str:
    return _reply({"status": "refused", "reason": reason[:MAX_REASON]}, shell, before)


def _reply(content: Dict[str, Any], shell: Any, before: Dict[str, Any]) -> str:
    """Return a reply as text, without secrets and with the moment it is about."""
    after = moment(shell)
    running = before["running"] or after["running"] or before["cells"] != after["cells"]
    return wire.dumps(dict(redacted_value(content), cells=before["cells"], running=running))


def _answer(request: Dict[str, Any], shell: Any, before: Dict[str, Any]) -> str:
    limits = dict(wire.DEFAULT_LIMITS, **request.get("limits", {}))
    level = request.get("privacy", wire.DEFAULT_PRIVACY)
    if level not in privacy.LEVELS:
        raise safe.Refused("could not look, because there is no privacy level {!r}".format(level))
    arguments = request.get("arguments", {})
    ask, fields = _asked(request["ask"], arguments)
    budget = safe.Budget(float(limits["seconds"]), int(limits["items"]), level)
    while True:
        withheld: Set[str] = set()
        found = privacy.at_level(ask(shell, budget, **arguments), fields, level, withheld)
        content: Dict[str, Any] = {"status": "ok", "answer": found}
        if withheld:
            content["withheld"] = sorted(withheld)
        if budget.proof:
            content["proof"] = budget.proof
        text = _reply(content, shell, before)
        if len(text) <= limits["bytes"]:
            return text
        if budget.items <= 1:
            raise safe.Refused("could not look, because the answer is longer than {} bytes".format(limits["bytes"]))
        budget.items //= 2
        budget.proof = {}
        budget.check()


def _asked(question: str, arguments: Dict[str, Any]) -> Tuple[Any, privacy.Fields]:
    """Return the function that answers a question, and what its fields are.

    Raises:
        Refused: There is none, or it takes other arguments.
    """
    ask: Any = checker.check if question == "check" else QUESTIONS.get(question)
    fields = _FIELDS
    if question in _OF_REHEARSALS:
        from . import rehearsal  # loaded when it is first asked for

        ask, fields = getattr(rehearsal, question), rehearsal.FIELDS
    if ask is None:
        raise safe.Refused("could not look, because there is no probe {!r}".format(question))
    taken = ask.__code__.co_varnames[2 : ask.__code__.co_argcount]
    needed = taken[: len(taken) - len(ask.__defaults__ or ())]
    unknown = sorted(set(arguments) - set(taken))
    if unknown:
        raise safe.Refused(
            "could not look, because {} takes no argument {}".format(question, ", ".join(map(repr, unknown)))
        )
    missing = [name for name in needed if name not in arguments]
    if missing:
        raise safe.Refused("could not look, because {} needs {}".format(question, ", ".join(map(repr, missing))))
    return ask, fields


def _fault(error: Exception) -> str:
    """Return type and, where it can hold nothing of the user's, message of a bug of ours."""
    own = (AttributeError, TypeError, NameError, IndexError)
    message = str(error) if type(error) in own else ""
    return "{}: {}".format(type(error).__name__, message)[:300]


def _where(trace: Optional[TracebackType]) -> List[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append("{}:{} {}".format(code.co_filename.rsplit("in_kernel/", 1)[-1], trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return places[-8:]
