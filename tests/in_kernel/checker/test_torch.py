"""What asking about tensors leaves behind; their rows are in `tables_torch`, random cells in `programs_torch`."""

import importlib.util
import os

import pytest
from oracle import ask, fresh_shell, in_a_fork
from programs_torch import SETUP

# torch itself is loaded in the fork alone: the rows of other tests run in forks of this process, too.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")

CELLS = [
    "a @ b\na.max(dim=1)\nF.softmax(a, 1)\nconv(img)\nbn2(conv(img))\nlstm(c)\nmlp(a)\ncnn(img)",
    "fc(b)",
    "conv(a)",
    "nn.Embedding(5, 3)(torch.tensor([7]))",
    "nn.Linear(3, 4)(torch.rand(2, 9))\nnn.LSTM(3, 4)(c)",
    "ce(torch.rand(2, 3), y)",
    "a.backward()",
    "w += 1",
    "torch.randn(3, 4) + torch.randint(0, 5, (2,))",
    "drop(a)\nF.dropout(a)\nnn.Dropout()(b) @ a",
    "a.sort(1)[0].cumsum(0).std()\nbig.view(-1, 7)",
    "for v0, v1 in loader:\n    fc(v0)\n    ce(fc(v0), v1).backward()",
    "for v0 in DataLoader(odd, 2): v0['x'] @ b",
    "for v0 in DataLoader(Subset(odd, [0, 1]), 2, shuffle=True): pass\nnext(iter(DataLoader(seven, 3)))",
    "for v0 in DataLoader(rows, 2, num_workers=2, persistent_workers=True): v0[0] @ b",
    "for v0 in DataLoader([None] * 4, 2): pass",
    "for v0 in DataLoader(ragged, 3, collate_fn=lambda b: torch.tensor(b)): pass",
    "torch.optim.Adam(fc.parameters(), lr='a')",
    "torch.optim.SGD(fc.parameters(), lr=-1)",
    "torch.optim.AdamW(net)",
    "loss = ce(fc(seven), i)\nnn.BCEWithLogitsLoss()(a[:, 0], y)\nnn.MultiheadAttention(10, 4)",
    "torch.mean(arr)\ntorch.cat([a, arr])\na.size[0]",
    "torch.zeros(3, device='cuda')",
    "nn.ModuleList([nn.Linear(3, 3), nn.ReLU()])[5]",
    "u0 = torch.zeros(3, requires_grad=True)\nu0[0] = 1",
    "torch.FloatTensor(['a'])\ntorch.LongTensor([1.5])",
]


def test_asking_about_tensors_leaves_no_trace() -> None:
    """Neither the random numbers, nor the loaded modules, the threads or the tensors' versions change."""

    def asked() -> list[tuple[str, list[str]]]:
        import sys

        import torch

        shell = fresh_shell(SETUP)
        tensors = {name: each for name, each in shell.user_ns.items() if isinstance(each, torch.Tensor)}
        held = [each for each in shell.user_ns.values() if isinstance(each, torch.nn.Module)]
        parts = [part for each in held for part in (*each.parameters(), *each.buffers())]

        def traces() -> dict[str, object]:
            return {
                "randomness": torch.random.default_generator.get_state().tolist(),
                "modules": sorted(sys.modules),
                "threads": len(os.listdir("/proc/self/task")),
                "versions": [each._version for each in (*tensors.values(), *parts)],
                "shapes": [tuple(each.shape) for each in (*tensors.values(), *parts)],
                "gradients": [(each.requires_grad, each.grad is None) for each in parts],
                "mode": (torch.is_grad_enabled(), torch.get_default_dtype()),
            }

        found = []
        for cell in CELLS:
            before = traces()
            assert ask(shell, cell)["status"] == "ok"
            after = traces()
            found.append((cell, [name for name in before if before[name] != after[name]]))
        return found

    rows: list[tuple[str, list[str]]] = in_a_fork(asked, 120)
    assert [row for row in rows if row[1]] == []
