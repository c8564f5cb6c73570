"""The probes as a model sees them: name, description, arguments; plain data, importable without LangChain.

To add a probe: answer it in `in_kernel/probes`, then describe it in the module of the same name here. The description
is all that a model knows of it, so it says when to use it and shows one call with its answer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crane_agent.tools.probes import (
    arrays,
    callables,
    cells,
    elements,
    environment,
    estimators,
    files,
    frames,
    labels,
    loaders,
    models,
    names,
    objects,
    optimizers,
    scans,
    training,
    values,
)
from crane_agent.tools.probes.base import ProbeSpec
from crane_agent.tools.schemas import tool_of

_MODULES = (
    names,
    cells,
    values,
    objects,
    frames,
    labels,
    scans,
    arrays,
    elements,
    callables,
    models,
    training,
    optimizers,
    loaders,
    estimators,
    environment,
    files,
)

PROBES: Mapping[str, ProbeSpec] = MappingProxyType({spec.name: spec for module in _MODULES for spec in module.SPECS})
"""Every probe by name, in the order a model is shown them."""


def probe_tools() -> list[dict[str, Any]]:
    """Return the probes in the form `BaseChatModel.bind_tools` takes: OpenAI function schemas."""
    return [tool_of(spec.arguments, name=spec.name, description=spec.description) for spec in PROBES.values()]
