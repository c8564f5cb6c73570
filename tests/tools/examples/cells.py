"""The history that the examples of `crane_agent.tools.probes.cells` are about."""

from types import SimpleNamespace

_i1 = "import pandas as pd\ndf = pd.read_csv('orders.csv')"
_i2 = "df = df.dropna()"

# It keeps its settings as IPython's does.
history_manager = SimpleNamespace(_trait_values={"input_hist_raw": ["", _i1, _i2]})
