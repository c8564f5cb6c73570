"""What the elements of a list, tuple, dict or column are: types, lengths, shapes."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
