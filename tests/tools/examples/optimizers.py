"""The values that the example of `crane_agent.tools.probes.optimizers` is about."""

import torch

net = torch.nn.Linear(784, 10)
opt = torch.optim.SGD([net.weight], lr=0.1, momentum=0.9)
