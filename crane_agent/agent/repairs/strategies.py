"""Every strategy, in the order in which their patches are tried."""

from collections.abc import Callable, Iterator, Sequence

from crane_agent.agent.repairs import (
    apis,
    arguments,
    calls,
    casts,
    columns,
    conditions,
    elements,
    estimators,
    features,
    figures,
    files,
    indices,
    labels,
    layers,
    loops,
    missing,
    names,
    networks,
    operands,
    plots,
    selections,
    settings,
    shapes,
    tables,
    tensors,
    training,
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
    loops,
    casts,
    elements,
    selections,
    tables,
    figures,
    apis,
    tensors,
    layers,
    training,
    networks,
    plots,
    features,
    labels,
    settings,
    estimators,
    operands,
    shapes,
    types,
    indices,
    columns,
    arguments,
    calls,
    missing,
)

STRATEGIES: Sequence[Strategy] = tuple(strategy for module in _MODULES for strategy in module.STRATEGIES)
