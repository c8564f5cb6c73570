"""Secrets are cut out of every text before it leaves, at every privacy level."""

from __future__ import annotations

import re
from typing import Any

MARK = "[redacted]"

_SECRETS = re.compile(r"sk-[A-Za-z0-9_-]{20,}")


def redacted(text: str) -> str:
    """Return `text` with `MARK` in the place of everything that looks like a secret."""
    return _SECRETS.sub(MARK, text)


def redacted_value(value: Any) -> Any:
    """Return a JSON value with every text in it redacted, keys of objects included."""
    if type(value) is str:
        return redacted(value)
    if type(value) is list:
        return [redacted_value(each) for each in value]
    if type(value) is dict:
        return {redacted(key): redacted_value(each) for key, each in value.items()}
    return value
