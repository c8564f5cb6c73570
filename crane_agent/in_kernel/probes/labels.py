"""Labels of frames, series, lists and dicts: what one has and another lacks."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
