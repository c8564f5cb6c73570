"""Random cells over tensors and layers, grown from a seed; see `programs`."""

import random

from programs import Program

# What a program before this one in the process may have set, and torch keeps for the whole process.
USUAL = """
import torch
torch.set_grad_enabled(True)
torch.set_default_dtype(torch.float32)
torch.use_deterministic_algorithms(False)
if hasattr(torch.Tensor, 'extra'): del torch.Tensor.extra
"""
SETUP = """
import torch, numpy as np
import torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
a = torch.rand(2, 3); b = torch.rand(3, 4); c = torch.rand(2, 3, 4); v = torch.rand(3); s = torch.tensor(2.5)
i = torch.arange(6); k = torch.tensor([0, 2, 1]); m = a > .5; d = torch.rand(2, 3, dtype=torch.float64); one = torch.rand(1, 1)
big = torch.rand(40, 30, 32); e = torch.rand(0, 3); t = torch.rand(5, 2).T; w = torch.rand(3, requires_grad=True)
p = nn.Parameter(torch.rand(2, 3)); g = p * 2; img = torch.rand(2, 3, 8, 8); h = torch.rand(2, 3).half(); u = torch.zeros(3, dtype=torch.uint8)
z = torch.complex(torch.rand(2), torch.rand(2)); far = torch.tensor([0, 7]); ones = torch.ones(2, 3)
fc = nn.Linear(3, 4); fc2 = nn.Linear(4, 2, bias=False); conv = nn.Conv2d(3, 5, 3, stride=2, padding=1); bn = nn.BatchNorm1d(4); bn2 = nn.BatchNorm2d(5)
ln = nn.LayerNorm(4); emb = nn.Embedding(6, 3); lstm = nn.LSTM(4, 5, batch_first=True); gru = nn.GRU(3, 2, bidirectional=True)
pool = nn.MaxPool2d(2); avg = nn.AvgPool2d(3, 2, ceil_mode=True); flat = nn.Flatten(); drop = nn.Dropout(.5); relu = nn.ReLU(); soft = nn.Softmax(dim=1)
mlp = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(.2), nn.Linear(8, 4)); tr = nn.ConvTranspose2d(5, 2, 2, stride=2)
cnn = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(45, 4))
ce = nn.CrossEntropyLoss(); mse = nn.MSELoss(); bce = nn.BCELoss(); bcel = nn.BCEWithLogitsLoss(); dbl = nn.Linear(3, 2).double()
y = torch.tensor([0, 3]); gn = nn.GroupNorm(2, 4); ada = nn.AdaptiveAvgPool2d(1); inorm = nn.InstanceNorm2d(3); mods = nn.ModuleList([fc, fc2])
arr = np.arange(6.).reshape(2, 3); ints = np.arange(3); text = np.array(['a']); n = 2; l = [1, 2, 3]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 4)
        self.two = nn.Linear(4, 2)
    def forward(self, x):
        x = torch.relu(self.one(x))
        return self.two(x)
net = Net()
v0 = a; v1 = c
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset, random_split
class Rows(Dataset):
    def __init__(self, x, y): self.x = x; self.y = y; self.count = 0
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i], self.y[i]
class Odd(Rows):
    def __getitem__(self, i):
        self.count += 1
        if i % 2: return {'x': torch.as_tensor(self.x[i]), 'y': i}
        return {'x': torch.as_tensor(self.x[i]), 'y': self.y[i]}
seven = torch.rand(7, 3); sevens = np.arange(21.).reshape(7, 3); whole = [0, 1, 2, 3, 0, 1, 2]; ragged = [[1, 2], [1], [3, 4], [5, 6], [7], [8], [9]]
rows = Rows(seven, whole); odd = Odd(sevens, whole); loader = DataLoader(rows, batch_size=3, shuffle=True)
"""

TENSORS = "a b c v s i k m d one big e t w p g img h u z far ones y v0 v0 v1 v1".split()
LAYERS = (
    "fc fc2 conv bn bn2 ln emb pool avg flat drop relu soft mlp cnn dbl gn ada inorm tr net "
    "nn.Linear(4,2) nn.Sigmoid() mods[0] mods[1]".split()
)
EXTRA = (
    "torch.set_default_dtype(torch.float64)",
    "fc.register_forward_hook(lambda m, i, o: o[0])",
    "relu.forward = lambda x: x.sum()",
    "torch.Tensor.extra = 1",
    "bn.eval(); bn2.eval(); cnn.eval()",
    "fc.weight.data = torch.rand(4, 2)",
    "a.requires_grad_()",
    "alias = a; view = c[0]; part = a[:, 1:]",
    "torch.set_grad_enabled(False)",
    "torch.use_deterministic_algorithms(True)",
    "a.shape2 = 5; a.extra = 2",
    "class Sub(torch.Tensor): pass\nv0 = torch.rand(2, 3).as_subclass(Sub)",
    "v0 = a.to_sparse()",
    "v0 = torch.empty(2, 3, device='meta')",
    "fc.half()",
)


class _Grower:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one_of(self, *choices: object) -> str:
        choice = self.random.choice(choices)
        return choice() if callable(choice) else str(choice)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def sizes(self) -> str:
        count = self.random.randint(1, 3)
        return ", ".join(str(self.random.choice([1, 2, 3, 4, 6, 8, 12, -1])) for _ in range(count))

    def axis(self) -> str:
        return self.one_of("0", "0", "1", "1", "-1", "-1", "2", "-2", "3", "-4", "None", "n", "(0, 1)", "0.5", "'x'")

    def name(self) -> str:
        return self.random.choice(TENSORS)

    def tensor(self, depth: int = 2) -> str:
        if depth <= 0 or self.chance(0.35):
            return self.name()
        x = self.tensor(depth - 1)
        y = self.tensor(depth - 1)
        axis = self.axis()
        return self.one_of(
            lambda: (
                f"({x} {self.one_of('+', '-', '*', '/', '@', '@', '**', '%', '//', '&', '|', '<', '==', '!=')} {y})"
            ),
            lambda: f"({x} {self.one_of('+', '-', '*', '/', '//', '%', '**', '>', '==')} {self.number()})",
            lambda: f"({self.number()} {self.one_of('+', '-', '*', '/', '**')} {x})",
            lambda: f"{x}.{self.one_of('view', 'reshape')}({self.sizes()})",
            lambda: (
                f"{x}.{self.one_of('sum', 'mean', 'max', 'min', 'argmax', 'std', 'prod', 'any', 'norm', 'median', 'cumsum')}"
                f"({self.one_of('', '', 'dim=' + axis, axis, 'dim=' + axis + ', keepdim=True')})"
            ),
            lambda: (
                f"{x}.{self.one_of('unsqueeze', 'squeeze', 'flatten', 'softmax', 'log_softmax', 'unbind', 'sort', 'argsort')}({axis})"
            ),
            lambda: (
                f"{x}.{self.one_of('transpose', 'swapaxes', 'flatten', 'narrow', 'chunk', 'split', 'topk')}({axis}, {self.axis()})"
            ),
            lambda: f"{x}.permute({self.one_of('1, 0', '0, 2, 1', '2, 0, 1', '0, 1', '0, 0')})",
            lambda: (
                f"{x}.{self.one_of('t()', 'T', 'float()', 'long()', 'double()', 'bool()', 'int()', 'detach()', 'clone()', 'contiguous()', 'abs()', 'exp()', 'relu()', 'sigmoid()', 'cpu()', 'data', 'half()', 'numpy()', 'item()', 'flatten()', 'squeeze()', 'tolist()', 'shape', 'size()', 'dim()', 'numel()', 'isnan()', 'nonzero()', 'unique()', 'foo', 'backward()', 'mT', 'requires_grad')}"
            ),
            lambda: f"{x}[{self.index()}]",
            lambda: f"{x}.{self.one_of('expand', 'repeat', 'tile')}({self.sizes()})",
            lambda: (
                f"torch.{self.one_of('cat', 'stack', 'vstack', 'hstack', 'concat')}({self.one_of('[', '(')[0]}{x}, {y}]"
                f"{self.one_of('', '', ', dim=' + axis, ', ' + axis)})".replace("((", "([").replace(
                    "(" + x + ", ", "[" + x + ", ", 1
                )
            ),
            lambda: (
                f"torch.{self.one_of('matmul', 'mm', 'bmm', 'add', 'mul', 'maximum', 'mv', 'dot', 'outer', 'eq', 'pow', 'where', 'isclose', 'cdist')}({x}, {y})"
            ),
            lambda: f"torch.where({x}, {y}, {self.one_of(self.name, self.number)})",
            lambda: (
                f"torch.{self.one_of('zeros', 'ones', 'rand', 'randn', 'empty', 'eye', 'arange')}({self.one_of(self.sizes, '2, 3', '(3, 4)', '3')}{self.one_of('', '', ', dtype=torch.long', ', requires_grad=True')})"
            ),
            lambda: (
                f"torch.{self.one_of('zeros_like', 'ones_like', 'rand_like', 'softmax', 'sigmoid', 'flatten', 'sum', 'mean', 'argmax', 'squeeze')}({x}{self.one_of('', '', ', ' + axis)})"
            ),
            lambda: (
                f"torch.{self.one_of('tensor', 'as_tensor', 'from_numpy')}({self.one_of('l', 'arr', 'ints', 'text', '[[1, 2], [3, 4]]', '[[1, 2], [3]]', '1.5', '[1, None]', x)})"
            ),
            lambda: (
                f"torch.randint({self.one_of('5, (2, 3)', '0, 4, (3,)', '0, 0, (2,)', '3, (2,), dtype=torch.float32')})"
            ),
            lambda: f"{self.layer()}({x})",
            lambda: f"{self.layer()}({x})",
            lambda: f"{self.one_of('lstm', 'gru')}({x})[0]",
            lambda: (
                f"F.{self.one_of('relu', 'gelu', 'softmax', 'log_softmax', 'dropout', 'sigmoid', 'leaky_relu', 'normalize')}({x}{self.one_of('', '', ', dim=' + axis)})"
            ),
            lambda: (
                f"F.{self.one_of('linear', 'conv2d', 'conv1d', 'embedding', 'mse_loss', 'cross_entropy', 'nll_loss', 'l1_loss', 'binary_cross_entropy', 'binary_cross_entropy_with_logits')}({x}, {y})"
            ),
            lambda: (
                f"F.{self.one_of('max_pool2d', 'avg_pool2d', 'max_pool1d', 'adaptive_avg_pool2d')}({x}, {self.one_of('2', '3', '(2, 1)', '9')})"
            ),
            lambda: f"F.pad({x}, ({self.one_of('1, 1', '0, 2, 1, 0', '1')},))",
            lambda: f"F.one_hot({x}{self.one_of('', ', 4')})",
            lambda: f"F.interpolate({x}, {self.one_of('scale_factor=2', 'size=5', 'size=(3, 4)', 'scale_factor=.5')})",
            lambda: (
                f"{self.one_of('ce', 'mse', 'bce', 'bcel', 'nn.NLLLoss()', 'nn.L1Loss()', 'nn.CrossEntropyLoss(reduction=' + repr('none') + ')')}({x}, {y})"
            ),
            lambda: (
                f"{x}.to({self.one_of('torch.float64', 'torch.long', repr('cpu'), 'torch.device(' + repr('cpu') + ')', repr('cuda'), y, 'torch.bool')})"
            ),
            lambda: f"-{x}",
            lambda: f"~{x}",
            lambda: f"{x}.max(dim={axis})[{self.one_of('0', '1', '2')}]",
            lambda: f"{x}.max({axis}).{self.one_of('values', 'indices')}",
            lambda: f"{x}.gather({axis}, {y})",
            lambda: f"{x}.masked_fill({y}, 0)",
            lambda: f"{x}.index_select({axis}, {y})",
            lambda: f"torch.einsum({self.one_of(repr('ij,jk->ik'), repr('ij->ji'), repr('bij,ij->b'))}, {x}, {y})",
            lambda: f"{x}.clamp({self.one_of('0, 1', 'min=0', 'max=' + y)})",
        )

    def dataset(self, depth: int = 2) -> str:
        inner = "rows" if depth == 0 else self.dataset(depth - 1)
        held = self.one_of("seven", "sevens", "ragged", "whole", "a", "arr", "c", "[1.5] * 7", "[(1, 2)] * 7")
        return self.one_of(
            "rows", "odd", "seven", "ragged", "TensorDataset(seven, torch.tensor(whole))",
            f"{self.one_of('Rows', 'Odd')}({held}, {self.one_of('whole', 'seven', 'ragged', 'None')})",
            f"Subset({inner}, {self.one_of('[0, 1]', '[2, 9]', 'range(3)')})", f"ConcatDataset([{inner}, rows])",
            f"random_split({inner}, [{self.one_of('5, 2', '.5, .5', '3, 3')}])[0]", "list(zip(seven, whole))",
            "[None] * 4", "['a', 'b', 'c']", "[1, 2.5, 3]", "[{'x': seven[0], 'y': 1}, {'x': seven[1], 'y': 2.5}]",
        )  # fmt: skip

    def loader(self) -> str:
        options = (
            ", shuffle=True",
            ", drop_last=True",
            "",
            "",
            ", collate_fn=lambda b: b",
            ", collate_fn=lambda b: b[0]",
        )
        size = self.one_of("1", "2", "3", "4", "7", "None", "50")
        return self.one_of("loader", f"DataLoader({self.dataset()}, batch_size={size}{self.one_of(*options)})")

    def loop(self, body: list[str]) -> str:
        head = self.one_of(
            lambda: f"for v0 in {self.loader()}:",
            lambda: f"for v0, v1 in {self.loader()}:",
            lambda: f"for j, (v0, v1) in enumerate({self.loader()}):",
            lambda: f"for v0 in {self.dataset()}:",
        )
        use = self.one_of(
            "v0['x'] @ b",
            "fc(v0)",
            "v0.shape",
            "v0[0] + 1",
            "len(v0)",
            "odd.count",
            "mse(fc(v0), v1)",
            "ce(fc(v0), v1)",
        )
        return "\n".join([head, "    " + use, *body, "(odd.count, rows.count)[odd.count]"])

    def layer(self) -> str:
        return self.random.choice(LAYERS)

    def number(self) -> str:
        return self.one_of(
            "2",
            "0",
            "1.5",
            "-1",
            "n",
            "True",
            "'x'",
            "None",
            "[1]",
            "a.shape[0]",
            "len(a)",
            "s.item()",
            "arr",
            "np.float32(2)",
        )

    def index(self) -> str:
        return self.one_of(
            "0", "1", "-1", "5", ":, 0", ":, 1", "..., 0", "0, 0", "0, 0, 0", "None", "1:", ":, :2", "::2", "::-1", "k", "m", "far",
            "[0, 1]", "[0, 9]", "i > 2", "i", "'x'", "1.0", "True", "n", "s", ":, k", "0, None, 1", "m, 0", "[True, False]", "()", "y, y",
        )  # fmt: skip

    def statement(self, depth: int) -> list[str]:
        x = self.tensor()
        if depth > 0 and self.chance(0.2):
            body = ["    " + line for line in self.statement(depth - 1)]
            return self.one_of(
                lambda: self.loop(body),
                lambda: self.loop(body),
                lambda: f"v0 = next(iter({self.loader()}))",
                lambda: "\n".join([f"if {x}:", *body]),
                lambda: "\n".join([f"for r in {x}:", "    v0 = r", *body]),
                lambda: "\n".join(["with torch.no_grad():", *body]),
                lambda: "\n".join([f"for j in range({self.one_of('2', x + '.shape[0]', 'len(' + x + ')')}):", *body]),
                lambda: "\n".join(["try:", *body, "except RuntimeError:", "    v1 = a"]),
                lambda: "\n".join(["def f(q):", "    return q + " + self.name(), f"v0 = f({x})"]),
            ).split("\n")
        return [
            self.one_of(
                lambda: f"v0 = {x}",
                lambda: f"v0 = {x}",
                lambda: f"v1 = {x}",
                lambda: f"v0, v1 = {x}",
                lambda: f"{self.name()} {self.one_of('+=', '-=', '*=', '/=')} {self.one_of(self.number, self.name)}",
                lambda: f"{self.name()}[{self.index()}] = {self.one_of(self.number, self.name, self.tensor)}",
                lambda: (
                    f"{self.name()}.{self.one_of('zero_()', 'add_(1)', 'mul_(' + self.name() + ')', 'requires_grad_()', 'fill_(0)', 'unsqueeze_(0)', 't_()', 'resize_(2, 2)', 'clamp_(0, 1)', 'relu_()', 'copy_(a)', 'squeeze_()')}"
                ),
                lambda: (
                    f"{self.one_of('fc', 'mlp', 'cnn', 'bn')}.{self.one_of('eval()', 'train()', 'double()', 'to(' + repr('cpu') + ')', 'zero_grad()', 'float()', 'half()')}"
                ),
                lambda: f"print({x})",
                lambda: f"f'{{{x}:.2f}}'",
                lambda: f"{x}.backward()",
                lambda: f"float({x})",
                lambda: f"len({x})",
                lambda: f"fc.{self.one_of('weight', 'bias')}.data = {x}",
                lambda: f"net.two = {self.one_of('fc2', 'nn.Linear(4, 3)', 'nn.Linear(5, 3)')}",
                lambda: f"v0 = {self.layer()}({self.one_of('a', 'c', 'img', 'b', 'v0')})",
                lambda: f"v0 = {self.layer()}({self.one_of('a', 'c', 'img', 'b', 'v0')})",
            )
        ]

    def program(self) -> str:
        return "\n".join(line for _ in range(self.random.randint(1, 4)) for line in self.statement(2))


def program(seed: int) -> Program:
    """Return the program of a seed."""
    grown = _Grower(seed)
    extra = grown.one_of(*EXTRA) if grown.chance(0.15) else ""
    return Program(USUAL + SETUP + extra, grown.program())
