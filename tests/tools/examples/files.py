"""The examples of `crane_agent.tools.probes.files` need no value."""
