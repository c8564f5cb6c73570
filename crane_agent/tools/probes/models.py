"""torch modules and Keras models: their layers."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="layers",
        use="Layers of a torch.nn.Module, depth first, with the shapes of their parameters, their sizes, whether "
        "it is in training mode. Use it to compare what a network expects with the shape of what it is given.",
        arguments=PathArguments,
        example={"path": "net"},
        example_answer={
            "path": "net",
            "type": "torch.nn.modules.linear.Linear",
            "training": True,
            "patched": False,
            "layers": [
                {
                    "name": "",
                    "type": "torch.nn.modules.linear.Linear",
                    "parameters": {"weight": [10, 784], "bias": [10]},
                    "sizes": {"in_features": 784, "out_features": 10},
                }
            ],
            "truncated": False,
        },
    ),
)
