"""The cells that the kernel has run, as its history keeps them."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
