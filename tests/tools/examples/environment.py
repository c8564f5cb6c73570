"""The examples of `crane_agent.tools.probes.environment` need no value."""
