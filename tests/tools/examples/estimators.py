"""The values that the examples of `crane_agent.tools.probes.estimators` are about."""

import pandas as pd
from sklearn.preprocessing import StandardScaler

scaler = StandardScaler().fit(pd.DataFrame({"area": [1.0, 2.0], "price": [3.0, 4.0]}))
test = pd.DataFrame({"area": [1.0] * 3, "rooms": [2] * 3})
