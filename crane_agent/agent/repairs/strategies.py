"""Every strategy, in the order in which their patches are tried."""

from collections.abc import Callable, Iterator, Sequence

from crane_agent.agent.repairs import (
    apis,
    arguments,
    columns,
    conditions,
    estimators,
    files,
    indices,
    missing,
    names,
    operands,
    plots,
    shapes,
    tensors,
    types,
)
from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site

Strategy = Callable[[Site], Iterator[Patch]]

# What a message names comes before what is only like it.
_MODULES = (
    names,
    files,
    conditions,
    apis,
    tensors,
    plots,
    estimators,
    operands,
    shapes,
    types,
    indices,
    columns,
    arguments,
    missing,
)

STRATEGIES: Sequence[Strategy] = tuple(strategy for module in _MODULES for strategy in module.STRATEGIES)
