"""Libraries with pools of threads or processes of their own: what they can do in a rehearsal, and what is said of it."""

import os

import pytest

from crane_agent.session.launched import launch

TORCH = """
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        if index == 5:
            raise KeyError(index)
        return torch.tensor([float(index)])

class Whole(Squares):
    def __getitem__(self, index):
        return torch.tensor([float(index)])

net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), 0.01)
big = torch.rand(700, 700)
(big @ big).sum()
net(torch.rand(5000, 1)).sum().backward()
torch.manual_seed(3)
"""

CELLS = {
    "trains on": ("for _ in range(3):\n    loss = net(torch.rand(5000, 1)).sum()\n    loss.backward()\n    optimizer.step()", "finished", "", None),
    "meets shapes that do not fit": ("x = torch.rand(4, 2)\nnet(x)", "crash", "RuntimeError", 2),
    "multiplies large matrices": ("(big @ big)[900]", "crash", "IndexError", 1),
    "draws the same numbers": ("assert abs(float(torch.rand(1)) - 0.0043) < 1e-3", "finished", "", None),
    "has a fault in a data set": ("for batch in DataLoader(Squares(), batch_size=2):\n    pass", "crash", "KeyError", 1),
    "inherits no grad": ("torch.set_grad_enabled(False)\nnet(torch.rand(2, 1)).sum().backward()", "crash", "RuntimeError", 2),
}  # fmt: skip

REPLACED = {
    "loads with workers": ("for batch in DataLoader(Whole(), batch_size=2, num_workers=2):\n    pass\nbatch.zz", "AttributeError", 3),
    "has a fault in a worker": ("for batch in DataLoader(Squares(), batch_size=2, num_workers=2):\n    pass", "KeyError", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def session():
    pytest.importorskip("torch")
    # As many threads as a user's kernel has, other than this process.
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS")
        with launch() as session:
            reply = session.run(TORCH, limit_s=120)
            assert reply.status == "ok", reply.traceback
            rehearsal = session.rehearse("x = 1", seconds=5)
            if rehearsal.reply.status == "refused" and "fence" in rehearsal.reply.reason:
                pytest.skip(rehearsal.reply.reason)
            yield session


@pytest.mark.parametrize("name", CELLS)
def test_torch_goes_on_in_a_fork_whose_kernel_has_used_its_threads(session, name):
    source, outcome, kind, line = CELLS[name]
    rehearsal = session.rehearse(source, seconds=10)
    answer = rehearsal.reply.answer
    assert (rehearsal.way, answer["outcome"]) == ("fork", outcome), str(answer)
    if kind:
        assert (answer["exception"]["type"], answer["exception"]["line"]) == (kind, line)
    assert answer["changed"] == []


@pytest.mark.parametrize("name", REPLACED)
def test_what_would_run_in_other_processes_is_said_to_have_run_in_one(session, name):
    source, kind, line = REPLACED[name]
    rehearsal = session.rehearse(source, seconds=10)
    answer = rehearsal.reply.answer
    assert answer["outcome"] == "crash", str(answer)
    assert (answer["exception"]["type"], answer["exception"]["line"]) == (kind, line)
    assert rehearsal.way == "shadow" or any("DataLoader" in words for words in answer["changed"])


def test_a_kernel_whose_loader_has_had_workers_can_be_forked(session):
    assert session.run("for batch in DataLoader(Whole(), num_workers=1): pass", limit_s=60).status == "ok"
    rehearsal = session.rehearse("1 / 0", seconds=5)
    assert (rehearsal.way, rehearsal.reply.answer["outcome"]) == ("fork", "crash"), rehearsal.reply
    assert session.run("for batch in DataLoader(Whole(), num_workers=1): pass", limit_s=60).status == "ok"


def test_joblibs_processes_are_said_to_have_run_one_after_the_other(session):
    pytest.importorskip("joblib")
    source = "from joblib import Parallel, delayed\nParallel(n_jobs=2)(delayed(abs)(i) for i in (1, 2))\n1 / 0"
    rehearsal = session.rehearse(source, seconds=10)
    answer = rehearsal.reply.answer
    assert answer["exception"]["line"] == 3, str(answer)
    assert rehearsal.way == "shadow" or any("joblib" in words for words in answer["changed"])


def test_the_kernel_computes_on_after_rehearsals(session):
    for _ in range(5):
        session.rehearse("(big @ big).sum()", seconds=5)
        assert session.run("net(torch.rand(5000, 1)).sum().backward()\n(big @ big).sum()", limit_s=30).status == "ok"


def test_a_kernel_that_multiplies_in_the_background_is_left_alone(session):
    start = (
        "import threading\nstop = threading.Event()\n"
        "def work():\n    a = np.ones((400, 400))\n    while not stop.is_set(): a @ a\n"
        "background = threading.Thread(target=work)\nbackground.start()"
    )
    assert session.run(start, limit_s=20).status == "ok"
    try:
        pid = session.facts.pid
        rehearsal = session.rehearse("1 / 0", seconds=5)
        assert rehearsal.way == "shadow" or rehearsal.reply.status == "refused"
        assert os.path.exists(f"/proc/{pid}")
    finally:
        assert session.run("stop.set()\nbackground.join()", limit_s=20).status == "ok"
