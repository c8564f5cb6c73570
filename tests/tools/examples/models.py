"""The values that the examples of `crane_agent.tools.probes.models` are about."""

import torch

net = torch.nn.Sequential(torch.nn.Linear(784, 10), torch.nn.ReLU())
