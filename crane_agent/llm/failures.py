"""What can go wrong with a model's endpoint: whether another try may go better, and one line that says what happened.

A line has no key, no password, no address and no more of the endpoint's own words than helps.
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar

from crane_agent.in_kernel.redaction import redacted
from crane_agent.llm.prompt_files import sendable

REFUSALS = frozenset({400, 404, 405, 422, 501})
"""Statuses by which an endpoint says that it does not take such a request."""

_PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MAX_QUOTE = 160

_Error = TypeVar("_Error", bound=BaseException)


class AnswerTooLong(Exception):
    """The endpoint sent more bytes than any answer needs, or sent them for too long."""


def cause_among(error: BaseException | None, kind: type[_Error]) -> _Error | None:
    """Return the first error of a kind behind `error`, itself included; clients wrap what is raised on the way."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def status_of(error: Exception) -> int | None:
    """Return the HTTP status that the endpoint answered with, if it answered."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def own_words(error: Exception) -> str:
    """Return what the endpoint itself said about a request that it did not take; unsafe to show as it is."""
    said = str(getattr(error, "message", ""))
    # The client reads `error.message` only, and FastAPI, for one, says what is wrong elsewhere.
    return _words_of(getattr(error, "body", None)) or said.removeprefix(f"Error code: {status_of(error)} - ")


def is_passing(error: Exception) -> bool:
    """Return whether another try may go better."""
    if getattr(error, "code", None) == "insufficient_quota" or cause_among(error, AnswerTooLong) is not None:
        return False
    return status_of(error) in _PASSING_STATUS or _kind(error) in ("timeout", "connection")


def retry_after(error: Exception) -> float | None:
    """Return how long the endpoint asks us to wait [seconds]; None if it does not say."""
    response = getattr(error, "response", None)
    if response is None:
        return None
    wait = _seconds(response.headers.get("retry-after-ms", ""), unit_s=0.001)
    if wait is None:
        wait = _seconds(response.headers.get("retry-after", ""), unit_s=1.0)
    return wait if wait is not None and wait > 0 else None


def failure_words(error: Exception) -> str:
    """Return what happened, to stand behind the endpoint's name: `cannot be reached`."""
    status, kind = status_of(error), _kind(error)
    if cause_among(error, AnswerTooLong) is not None:
        return "gave an answer without an end"
    if kind == "timeout":
        return "did not answer in time"
    if kind == "connection":
        return "cannot be reached"
    if status in (401, 403):
        return f"refused the key (status {status})"
    if status == 429:
        wait = retry_after(error)
        return "limits our requests (status 429)" + (f" and asks to wait {wait:.0f} s" if wait else "")
    if status is not None and 300 <= status < 400:
        return f"sends us elsewhere (status {status}), where nothing is sent"
    if status is not None and status >= 500:
        return f"failed (status {status})"
    if status is not None:
        return f"refused the request (status {status}): {quoted(own_words(error))}"
    if isinstance(error, NotImplementedError):
        return "cannot be used: this model takes no tools"
    return f"gave an answer that cannot be read ({type(error).__name__})"


def quoted(text: object) -> str:
    """Return a short quote on one line, in which what may be a key (a long word with digits) is left out."""
    kept = [
        "..." if len(word) >= 16 and any(c.isdigit() for c in word) else word
        for word in sendable(redacted(str(text))).split()
    ]
    return repr(" ".join(kept)[:_MAX_QUOTE])


def _words_of(body: object) -> str:
    """Return the words in the body of a refusal, the request that some repeat in it left out; '' if there are none."""
    if isinstance(body, Mapping):
        found = (body.get(key) for key in ("message", "detail", "error"))
        body = next((each for each in found if isinstance(each, str | list)), "")
    if isinstance(body, list):  # FastAPI's: a place and a message for each thing that is wrong
        listed = [each for each in body if isinstance(each, Mapping) and isinstance(each.get("loc"), list)]
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each.get('msg')}" for each in listed)
    # What is no JSON is a page of something between us and the endpoint.
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""


def _kind(error: Exception) -> Literal["timeout", "connection", "other"]:
    # Imported already whenever one of its errors is here.
    from openai import APIConnectionError, APITimeoutError

    if isinstance(error, TimeoutError | APITimeoutError):
        return "timeout"
    return "connection" if isinstance(error, ConnectionError | APIConnectionError) else "other"


def _seconds(header: Any, *, unit_s: float) -> float | None:
    """Return a wait given as a number or a date."""
    try:
        return float(header) * unit_s
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(header) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None
