"""The values that the examples of `crane_agent.tools.probes.elements` are about."""

rows = [[1, 2, 3, 4] for _ in range(20)]
rows[17].pop()
