"""The values that the example of `crane_agent.tools.probes.loaders` is about."""

import torch
from torch.utils.data import DataLoader, TensorDataset

train_loader = DataLoader(
    TensorDataset(torch.zeros(100, 784), torch.zeros(100, dtype=torch.long)), batch_size=32, shuffle=True
)
