"""Modules of the environment: loaded or not, to be found or not, which version."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
