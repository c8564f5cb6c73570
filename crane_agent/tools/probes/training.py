"""What training is made of: optimizers, data loaders, compiled losses."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
