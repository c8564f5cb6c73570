"""The probes: one function each, one module per kind of value.

To add one: write ``def probe(shell, budget, argument, ...)`` in the module of its kind; return JSON values; touch the
user's objects through `safe` only; list at most `budget.items` things and say ``"truncated": True`` if there were
more; raise `safe.Refused("could not look, because ...")` rather than guess. Name it in the module's `PROBES`, declare
the fields of its answer in `FIELDS` (a field has one meaning and one privacy level in all probes), describe it in the
module of the same name in `crane_agent/tools/probes/`, and add it to the fingerprint test.
"""

from __future__ import annotations

from typing import Any

from .. import privacy
from . import (
    arrays,
    callables,
    cells,
    elements,
    environment,
    estimators,
    files,
    frames,
    labels,
    loaders,
    models,
    names,
    objects,
    optimizers,
    scans,
    summary,
    training,
    values,
)

_MODULES: tuple[Any, ...] = (
    names,
    cells,
    values,
    objects,
    frames,
    labels,
    scans,
    arrays,
    elements,
    callables,
    models,
    training,
    optimizers,
    loaders,
    estimators,
    environment,
    files,
)

PROBES = {name: probe for module in _MODULES for name, probe in module.PROBES.items()}
QUESTIONS = {**PROBES, **summary.QUESTIONS}
"""The probes, and what the graph alone asks."""

FIELDS = privacy.joined(*(module.FIELDS for module in _MODULES), summary.FIELDS)
