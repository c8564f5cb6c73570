"""Which two probes an adaptive run asks: chosen by what is seen before the target runs, and by nothing else.

First those that the rule policy would ask: what the checker leaves open. Where these are fewer than two, the names that
the target reads follow, in the order in which it uses them, each with the first probe of `BY_KIND` that is for a value
of its kind: data and models first, then functions, whose parameters the cells often show; modules and classes are
passed over. `columns` and `keys` are given the names that the target looks up. Where there are too few names, a table
is asked about once more (the first column looked up, or the nulls), and last is asked which cells bound and changed a
name, as the prompts advise, or which names there are.
"""

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from crane_agent.agent.policy import Fact, Policy, ProbeCall, View
from crane_agent.notebook.code import followed
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Reply

PROBES_ASKED = 2

BY_KIND = ("columns", "column", "array", "estimator", "layers", "loader", "keys", "elements", "signature", "describe")
"""Probes of one value, the ones that take fewer kinds of values first."""

TAKE_NAMES = ("columns", "keys")
"""Those that can be told which names are meant."""

PASSED_OVER = frozenset(("module", "type", "abc.ABCMeta", "builtin_function_or_method", "NoneType"))
"""Types of values that nothing is asked about."""

COLUMN_KEYWORDS = frozenset("by columns hue on subset x y column values".split())
"""Keywords whose texts are columns, in calls of methods of a table or of functions that are given it."""

COLUMN_METHODS = frozenset("drop groupby pop set_index sort_values drop_duplicates dropna".split())
"""Methods of a table whose arguments are columns."""

Ask = Callable[[ProbeCall], Reply]
"""Puts a question to the kernel."""

Asked = tuple[ProbeCall, Reply]


def chosen(view: View, policy: Policy, ask: Ask) -> tuple[tuple[Fact, ...], int]:
    """Return the facts that two probes give, and how many of them the policy chose.

    Args:
        view: The run behind its check, with no other fact.
        policy: Who chooses first.
        ask: Puts a question to the kernel.
    """
    found: list[Fact] = []

    def add(call: ProbeCall, reply: Reply) -> None:
        found.append(Fact(f"F{len(view.facts) + len(found) + 1}", call, reply))

    while len(found) < PROBES_ASKED:
        calls = policy.decide(replace(view, facts=(*view.facts, *found))).calls
        if not calls:
            break
        for call in calls[: PROBES_ASKED - len(found)]:
            add(call, ask(call))
    by_policy = len(found)
    for call, reply in _about_names(view.target, ask):
        if len(found) == PROBES_ASKED:
            break
        if all((call.question, call.arguments) != (fact.call.question, fact.call.arguments) for fact in found):
            add(call, reply)
    return tuple(found), by_policy


def _about_names(target: Target, ask: Ask) -> Iterator[Asked]:
    """Yield a probe for each name that the target reads, in the order of their use, then what else there is to ask."""
    looked_up = _looked_up(target)
    data: list[str] = []
    functions: list[str] = []
    others: list[str] = []
    tables: list[Asked] = []
    for name in _in_order_of_use(target):
        kind = ask(ProbeCall("describe", {"path": name}))
        if kind.status == "ok" and kind.answer["type"] == "function":
            functions.append(name)
        elif kind.status == "ok" and kind.answer["type"] in PASSED_OVER:
            others.append(name)
        elif kind.status == "ok":
            data.append(name)
            asked = _fitting(name, looked_up.get(name, []), ask)
            tables += [asked] if asked[0].question == "columns" else []
            yield asked
        elif not hasattr(builtins, name):
            data.append(name)
            yield _asked(ProbeCall("names", {"like": name}), ask)
    for name in functions:
        yield _fitting(name, [], ask)
    for call, reply in tables:
        yield _second(call, reply, ask)
    for name in (*data, *functions, *others):
        yield _asked(ProbeCall("history", {"name": name}), ask)
    yield _asked(ProbeCall("history", {}), ask)
    yield _asked(ProbeCall("names", {}), ask)


def _asked(call: ProbeCall, ask: Ask) -> Asked:
    return call, ask(call)


def _fitting(name: str, keys: Sequence[str], ask: Ask) -> Asked:
    """Return the first probe that is for a value of this kind, with its answer."""
    for probe in BY_KIND:
        named = {"names": list(keys)} if keys and probe in TAKE_NAMES else {}
        call, reply = _asked(ProbeCall(probe, {"path": name, **named}), ask)
        if reply.status == "ok":
            break
    return call, reply


def _second(call: ProbeCall, reply: Reply, ask: Ask) -> Asked:
    """Return what is asked about a table once its columns are known."""
    path, missing = call.arguments["path"], reply.answer.get("missing", ())
    there = [name for name in call.arguments.get("names", ()) if name not in missing]
    if not there:
        return _asked(ProbeCall("nulls", {"path": path}), ask)
    return _asked(ProbeCall("column", {"path": path, "name": there[0]}), ask)


# -- the target's text -----------------------------------------------------------------------------------------------


def _in_order_of_use(target: Target) -> list[str]:
    tree = followed(target.code).tree
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree is not None else []
    places = sorted((node.lineno, node.col_offset, node.id) for node in used if node.id in target.names.reads)
    return list(dict.fromkeys(name for _, _, name in places))


def _looked_up(target: Target) -> dict[str, list[str]]:
    """Return the texts that the target looks up in each name: subscripts, and arguments that are columns."""
    tree = followed(target.code).tree
    if tree is None:
        return {}
    around = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            texts = found.setdefault(node.id, [])
            texts += [text for text in _texts_around(node, around) if text not in texts]
    return found


def _texts_around(node: ast.AST, around: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """Yield them along a chain such as ``df.groupby("a")["b"]``, and of the call that it is an argument of."""
    while (outer := around.get(node)) is not None:
        if isinstance(outer, ast.Subscript) and outer.value is node:
            yield from _texts(outer.slice)
        elif isinstance(outer, ast.Call) and outer.func is node:
            if isinstance(node, ast.Attribute) and node.attr in COLUMN_METHODS:
                yield from (text for argument in outer.args for text in _texts(argument))
            yield from _of_keywords(outer)
        elif not isinstance(outer, ast.Attribute):
            break
        node = outer
    outer = around.get(outer) if isinstance(outer, ast.keyword) else outer
    if isinstance(outer, ast.Call):
        yield from _of_keywords(outer)


def _of_keywords(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg in COLUMN_KEYWORDS:
            yield from _texts(keyword.value)


def _texts(node: ast.AST) -> Iterator[str]:
    for part in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
