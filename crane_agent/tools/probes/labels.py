"""Labels of frames, series, lists and dicts: what one has and another lacks."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
