"""numpy arrays and torch tensors."""

from typing import Literal

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, PathArguments, ProbeSpec


class CombineArguments(Arguments):
    """What `combine` takes."""

    operation: Literal["broadcast", "matmul", "concatenate", "stack", "vstack", "hstack"] = Field(
        description="broadcast: a + b and other arithmetic; matmul: a @ b; concatenate: also torch.cat."
    )
    left: Path = Field(description="Path of the first operand; without `right`, of a list or tuple of all operands.")
    right: Path | None = Field(default=None, description="Path of the second operand.")
    axis: int | None = Field(default=None, description="Axis of concatenate or stack; 0 unless given.")


SPECS = (
    ProbeSpec(
        name="array",
        use="Shape, dtype, device and layout of a numpy array or torch tensor, and how many elements are NaN or "
        "infinite: of all if `whole`, else of the `looked_at` in a sample, unknown beyond it; types of the elements of "
        "an object array. Use it where shapes or dtypes must fit: arithmetic, matmul, reshape, indexing, or the data "
        "given to fit, predict or a network.",
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
            "is_leaf": True,
            "layout": "torch.strided",
            "contiguous": True,
            "has_grad": False,
            "nan": 0,
            "infinite": 0,
            "looked_at": 25088,
            "whole": True,
        },
    ),
    ProbeSpec(
        name="combine",
        use="Whether two arrays or tensors, or the elements of a list of them, go together, and the shape that comes "
        "out; if not, the library's exception. Use it before a + b, a @ b, np.concatenate, torch.cat, stack, vstack or "
        "hstack when the shapes may not fit.",
        arguments=CombineArguments,
        example={"operation": "matmul", "left": "batch[0]", "right": "weights"},
        example_answer={
            "operation": "matmul",
            "library": "torch",
            "shapes": [[32, 784], [10, 784]],
            "truncated": False,
            "dtypes": ["torch.float32"],
            "shape": None,
            "fits": False,
            "exception": "RuntimeError",
            "words": "mat1 and mat2 shapes cannot be multiplied (32x784 and 10x784)",
        },
    ),
)
