"""The values that the examples of `crane_agent.tools.probes.values` are about."""

cfg = {"train": {"lr": 0.1, "epochs": 3}}
