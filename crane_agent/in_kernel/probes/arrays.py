"""numpy arrays and torch tensors."""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..privacy import SCHEMA, Field


def array(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Describe the array or tensor at `path`: shape, dtype, device."""
    value = paths.resolve(path, shell.user_ns)
    if not is_array(value):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly an array or a tensor".format(path, safe.type_name(value))
        )
    return dict({"path": path, "type": safe.type_name(value)}, **facts(value))


def is_array(value: object) -> bool:
    """Whether `value` is exactly a numpy ndarray, a torch Tensor or a torch Parameter."""
    return safe.is_exactly(value, "numpy", "ndarray") or is_tensor(value)


def is_tensor(value: object) -> bool:
    """Whether `value` is exactly a torch Tensor or Parameter."""
    return safe.is_exactly(value, "torch", "Tensor") or safe.is_exactly(value, "torch.nn.parameter", "Parameter")


def facts(value: Any) -> dict[str, Any]:
    """Return shape, dtype, and for a tensor its device and whether it takes part in autograd.

    Raises:
        Refused: It is a tensor without a shape, such as a nested one.
    """
    try:
        shape = [int(size) for size in value.shape]
    except RuntimeError:
        raise safe.Refused("could not look, because the tensor has no shape of its own") from None
    answer: dict[str, Any] = {"kind": "array", "shape": shape, "dtype": str(value.dtype)}
    if is_tensor(value):
        answer.update(kind="tensor", device=str(value.device), requires_grad=value.requires_grad is True)
    return answer


FIELDS = {
    "device": Field(SCHEMA, "device that a tensor is on"),
    "requires_grad": Field(SCHEMA, "whether a tensor takes part in autograd"),
}
PROBES = {"array": array}
