"""Columns read value by value: nulls, distinct values, what a cast rejects, where a condition holds."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
