"""Which values are arrays of numpy's or tensors of torch's, and what they are shaped like."""

from __future__ import annotations

from typing import Any

from .. import safe


def is_array(value: object) -> bool:
    """Whether `value` is exactly a numpy ndarray, a torch Tensor or a torch Parameter."""
    return is_ndarray(value) or is_tensor(value)


# The name of the class is looked at first, for that is quick, and thousands of values are asked; the class decides.


def is_ndarray(value: object) -> bool:
    """Whether `value` is exactly a numpy ndarray."""
    return safe.class_name(type(value)) == "ndarray" and safe.is_exactly(value, "numpy", "ndarray")


def is_tensor(value: object) -> bool:
    """Whether `value` is exactly a torch Tensor or Parameter."""
    name = safe.class_name(type(value))
    return (name == "Tensor" and safe.is_exactly(value, "torch", "Tensor")) or (
        name == "Parameter" and safe.is_exactly(value, "torch.nn.parameter", "Parameter")
    )


def shape(value: Any) -> list[int] | None:
    """Return the shape of exactly an array or a tensor; None of anything else, and of a nested tensor."""
    if not is_array(value):
        return None
    try:
        return [int(size) for size in value.shape]
    except RuntimeError:  # a nested tensor has none of its own
        return None


def is_in_c(cls: type, name: str) -> bool:
    """Whether an attribute of a class is one that is computed in C: nobody has put another in its place."""
    return safe.one_of(type(safe.in_type(cls, name)), (safe.MethodDescriptorType, safe.GetSetDescriptorType))
