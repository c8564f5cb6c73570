"""The values that the examples of `crane_agent.tools.probes.frames` are about."""

import pandas as pd

df = pd.DataFrame({"price": [1.0] * 120, "area": [1] * 120})
