"""The values that the examples of `crane_agent.tools.probes.callables` are about."""

SOURCE = "def train(model, data, *, epochs=10):\n    return scale(model, data, epochs, device)\n"

space = {"device": "cpu"}
exec(compile(SOURCE, "train.py", "exec"), space)
train = space["train"]
