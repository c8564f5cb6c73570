"""Objects, dicts and classes: attributes, keys, ancestors, without running a property."""

from crane_agent.tools.probes.base import ProbeSpec

SPECS: tuple[ProbeSpec, ...] = ()
