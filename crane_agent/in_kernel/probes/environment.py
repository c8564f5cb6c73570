"""Modules of the environment: loaded or not, to be found or not, which version."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
