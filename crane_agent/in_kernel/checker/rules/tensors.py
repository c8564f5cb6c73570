"""torch: what is certain before a library is asked. The rest of what is known of tensors is in `library.tensors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import safe
from ..sites import CallSite, Finding

if TYPE_CHECKING:
    from ..state import State


def array_of_grad(site: CallSite, state: State) -> Finding | None:
    """``np.array(tensor)`` of a tensor that requires a gradient. Source: `torch/_tensor.py`, ``__array__``."""
    callee: Any = state.live(site.callee)
    if callee is safe.ABSENT or safe.loaded("torch") is None or safe.loaded("numpy") is None:
        return None
    if not any(callee is safe.loaded("numpy", name) for name in ("array", "asarray")):
        return None
    from ..library import tensors  # the libraries are asked with the help of the rules

    return tensors.array_of_grad(site, state)


RULES = {CallSite: [array_of_grad]}
