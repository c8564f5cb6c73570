"""Optimizers, learning rate schedulers and torch's losses."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec


class OptimizerArguments(Arguments):
    """What `optimizer` takes."""

    path: Path
    model: Path | None = Field(
        default=None, description="Where the torch module is whose parameters the optimizer should hold."
    )


SPECS = (
    ProbeSpec(
        name="optimizer",
        use="A torch optimizer: its parameter groups, settings, devices; with `model`, which parameters of a torch "
        "module it does not hold (with whether each requires grad) and how many it holds that the module does not. "
        "Also a torch learning rate scheduler, a torch loss (reduction, shape of its class weights), a Keras "
        "optimizer. Use it before step, backward or load_state_dict, or when training may not change a model.",
        arguments=OptimizerArguments,
        example={"path": "opt", "model": "net"},
        example_answer={
            "path": "opt",
            "type": "torch.optim.sgd.SGD",
            "kind": "torch optimizer",
            "groups": [
                {
                    "n_parameters": 1,
                    "sizes": {
                        "dampening": 0,
                        "differentiable": False,
                        "lr": 0.1,
                        "maximize": False,
                        "momentum": 0.9,
                        "nesterov": False,
                        "weight_decay": 0,
                    },
                }
            ],
            "n_parameters": 1,
            "n_trainable": 1,
            "devices": {"cpu": 1},
            "truncated": False,
            "against": {
                "path": "net",
                "n_parameters": 2,
                "n_not_held": 1,
                "not_held": {"bias": True},
                "n_foreign": 0,
                "devices": {"cpu": 2},
                "truncated": False,
            },
        },
    ),
)
