"""The agent as a graph.

observe -> check -> rehearse -> summarize -> decide <-> probe -> confirm -> repair -> conclude
"""

from functools import cache
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from crane_agent.agent import nodes
from crane_agent.agent.state import Run, State


@cache
def agent_graph() -> CompiledStateGraph[Any, Run, Any, Any]:
    """Return the compiled graph; it holds no state of its own."""
    graph = StateGraph(State, context_schema=Run)
    graph.add_node("observe", nodes.observe)
    graph.add_node("check", nodes.check)
    graph.add_node("rehearse", nodes.rehearse)
    graph.add_node("summarize", nodes.summarize)
    graph.add_node("decide", nodes.decide)
    graph.add_node("probe", nodes.probe)
    graph.add_node("confirm", nodes.confirm)
    graph.add_node("repair", nodes.repair)
    graph.add_node("conclude", nodes.conclude)
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "check")
    graph.add_conditional_edges("check", after_check)
    graph.add_conditional_edges("rehearse", after_rehearse)
    graph.add_edge("summarize", "decide")
    graph.add_conditional_edges("decide", after_decide)
    graph.add_edge("probe", "decide")
    graph.add_conditional_edges("confirm", after_confirm)
    graph.add_edge("repair", "conclude")
    graph.add_edge("conclude", END)
    return graph.compile()


def after_check(state: State) -> Literal["confirm", "rehearse"]:
    """A claim is confirmed, unless something else may come before it; what is open is rehearsed."""
    claim = state.get("claim")
    is_open = claim is None or (claim.exception is not None and claim.exception.at_latest)
    return "rehearse" if is_open else "confirm"


def after_rehearse(state: State) -> Literal["confirm", "summarize"]:
    """A claim is confirmed; without one a policy gets its facts and decides."""
    return "confirm" if state.get("claim") is not None else "summarize"


def after_decide(state: State) -> Literal["confirm", "probe", "decide"]:
    """A claim is confirmed, calls are asked, and neither means that the policy wants to be asked again."""
    if state.get("claim") is not None:
        return "confirm"
    return "probe" if state["calls"] else "decide"


def after_confirm(state: State) -> Literal["repair", "check"]:
    """A claim that stood goes on to its repair; one whose facts were dropped is sought again."""
    return "repair" if state.get("claim") is not None else "check"


def recursion_limit(steps: int) -> int:
    """Return a bound on the nodes of a run that its budget of steps never reaches: the outer net."""
    return 2 * steps + 10 + 5 * nodes.MOST_RETAKES
