"""The values that the examples of `crane_agent.tools.probes.scans` are about."""

import pandas as pd

orders = pd.DataFrame(
    {"total": ["10.5", " 7 ", "$1,200", "n/a"], "units": [1, 0, 3, 2], "city": ["Rome", "Oslo", "Rome", None]}
)
