"""Objects, dicts and classes: attributes, keys, ancestors, without running a property."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
