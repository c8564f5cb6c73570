"""Columns read value by value: nulls, distinct values, what a cast rejects, where a condition holds."""

from __future__ import annotations

from typing import Any

from ..privacy import Fields

FIELDS: Fields = {}
PROBES: dict[str, Any] = {}
