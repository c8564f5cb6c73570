"""The values that the examples of `crane_agent.tools.probes.frames` are about."""

import pandas as pd

df = pd.DataFrame({"price": [1.0] * 120, "area": [1] * 120})
sales = pd.DataFrame({"tags": [["a", "b"], ["c"], None, ["d", "e"]], "units": [3, 1, 4, 1]})
