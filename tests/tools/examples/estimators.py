"""The values that the examples of `crane_agent.tools.probes.estimators` are about."""

from sklearn.preprocessing import StandardScaler

scaler = StandardScaler()
