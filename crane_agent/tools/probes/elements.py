"""What the elements of a list, tuple, dict or column are: types, lengths, shapes."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
