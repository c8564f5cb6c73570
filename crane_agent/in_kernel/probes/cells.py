"""The cells that the kernel has run, as its history keeps them."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
