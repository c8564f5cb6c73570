"""The values that the examples of `crane_agent.tools.probes.objects` are about."""

cfg = {"train": {"lr": 0.1}, "test": {}}


class Trainer:
    def __init__(self, epochs=3):
        self.epochs = epochs
        self.model = None

    def fit(self, data):
        return data

    @property
    def loss(self):
        raise AssertionError


Trainer.__module__ = "builtins"
trainer = Trainer()
