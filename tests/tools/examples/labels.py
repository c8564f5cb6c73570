"""The values that the examples of `crane_agent.tools.probes.labels` are about."""

import pandas as pd

prices = pd.Series([3.0, 4.0, 5.0], index=pd.Index(["Rome", "Oslo", "Oslo"], dtype=object, name="city"))
test = pd.DataFrame({"price": [1.0], "Area": [2]})
features = ["price", "area", "rooms"]
