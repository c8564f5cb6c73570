"""torch modules and Keras models: their layers."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="layers",
        use="Layers of a torch.nn.Module or a Keras layer or model (Sequential, functional or subclassed), depth "
        "first, with the shapes of their parameters and their sizes. Of a torch module also what its first layer "
        "expects of the input and how many values its last one gives (in_forward_order: false means by order of "
        "registration, so likely only), devices, dtypes, training mode; of a Keras model whether each layer is "
        "built, its activation, the shapes of its inputs and outputs (null: any size), what input it demands. Use "
        "it to compare what a network expects with the shape, dtype and device of what it is given, before a call, "
        "fit or predict, or before loading weights.",
        arguments=PathArguments,
        example={"path": "net"},
        example_answer={
            "path": "net",
            "type": "torch.nn.modules.container.Sequential",
            "training": True,
            "other_mode": [],
            "patched": False,
            "n_parameters": 2,
            "n_trainable": 2,
            "devices": {"cpu": 2},
            "parameter_dtypes": {"torch.float32": 2},
            "first_layer": {
                "name": "0",
                "type": "torch.nn.modules.linear.Linear",
                "expects": {"axis": -1, "size": 784, "dtype": "torch.float32"},
                "in_forward_order": True,
            },
            "last_layer": {
                "name": "0",
                "type": "torch.nn.modules.linear.Linear",
                "units": 10,
                "activation": "ReLU",
                "in_forward_order": True,
            },
            "layers": [
                {"name": "", "type": "torch.nn.modules.container.Sequential", "parameters": {}, "sizes": {}},
                {
                    "name": "0",
                    "type": "torch.nn.modules.linear.Linear",
                    "parameters": {"weight": [10, 784], "bias": [10]},
                    "sizes": {"in_features": 784, "out_features": 10},
                },
                {
                    "name": "1",
                    "type": "torch.nn.modules.activation.ReLU",
                    "parameters": {},
                    "sizes": {"inplace": False},
                },
            ],
            "looked_at": 3,
            "truncated": False,
        },
    ),
)
