"""numpy arrays and torch tensors."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="array",
        use="Shape, dtype and device of a numpy array or torch tensor. Use it where shapes must fit: arithmetic, "
        "matmul, reshape, indexing, concatenation, or the data given to fit, predict or a network.",
        arguments=PathArguments,
        example={"path": "batch[0]"},
        example_answer={
            "path": "batch[0]",
            "type": "torch.Tensor",
            "kind": "tensor",
            "shape": [32, 784],
            "dtype": "torch.float32",
            "device": "cpu",
            "requires_grad": False,
        },
    ),
)
