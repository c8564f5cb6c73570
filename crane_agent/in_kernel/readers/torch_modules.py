"""What runs when a torch module is called."""

from __future__ import annotations

from typing import Any

from .. import safe

# Source: torch, `nn.Module.__init__` and `_call_impl`: with all of these empty, calling a module calls its `forward`.
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_GLOBAL_HOOKS = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
)


def forward_of(module: object) -> Any:
    """Return the function that runs when a module is called, `safe.ABSENT` if hooks or other things are in its way."""
    base = safe.loaded("torch.nn.modules.module", "Module")
    own = safe.instance_dict(module)
    if base is None or own is None or not safe.inherits(type(module), base):
        return safe.ABSENT
    home = safe.instance_dict(safe.loaded("torch.nn.modules.module")) or {}
    called = safe.in_type(type(module), "__call__")
    if called is not safe.class_dict(base).get("__call__") or not safe.comes_from(called, "torch"):
        return safe.ABSENT
    if any(own.get(name) for name in _HOOKS) or any(home.get(name) for name in _GLOBAL_HOOKS):
        return safe.ABSENT
    if "forward" in own or "__call__" in own or own.get("_compiled_call_impl") is not None:
        return safe.ABSENT
    return safe.in_type(type(module), "forward")
