"""The values that the examples of `crane_agent.tools.probes.arrays` are about."""

import torch

batch = [torch.zeros(32, 784)]
weights = torch.zeros(10, 784)
