"""The fixed summary: which names it is asked about, and what its answer tells of each.

It is what CRANE-LLM hands a model at the start (arXiv 2602.18537), in a form of our own: the names that the target uses
and the kernel has, with type, structure and value information, and the cell that bound each.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from crane_agent.agent.policy import Fact, ProbeCall
from crane_agent.config import Facts
from crane_agent.notebook.code import followed
from crane_agent.notebook.history import Target
from crane_agent.notebook.names import binding_cells
from crane_agent.session.protocol import Reply

SUMMARY = "summary"
"""The question to the kernel; no tool for models."""

Part = Literal["types", "structure", "values"]

_WITHOUT: Mapping[Facts, Part | None] = {
    "fixed": None,
    "fixed-no-types": "types",
    "fixed-no-structure": "structure",
    "fixed-no-values": "values",
}


def summary_arguments(target: Target, facts: Facts) -> dict[str, Any]:
    """Return what the kernel is asked; nothing where there is no summary."""
    if facts not in _WITHOUT or target.code.tree is None:
        return {}
    return {"names": names_used(target), "parts": [part for part in get_args(Part) if part != _WITHOUT[facts]]}


def names_used(target: Target) -> list[str]:
    """Return the names that the target takes from the kernel, and their attributes that it uses: df, df.columns."""
    tree = followed(target.code).tree
    attributes = () if tree is None else _attributes_used(tree, target.names.reads)
    return sorted({*target.names.reads, *attributes})


def _attributes_used(tree: ast.AST, names: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield f"{node.value.id}.{node.attr}"


def with_cells(fact: Fact, target: Target) -> Fact:
    """Return a summary with the index of the executed cell that bound each name last, where that is known."""
    cells = {name: places[-1] for name, places in binding_cells(target).items() if places[-1] >= 0}
    answer = fact.reply.answer
    known = {*answer.get("names", ()), *(entry["name"] for entry in answer.get("values", ()))}
    bound = {name: cells[name] for name in sorted(known & cells.keys())}
    return replace(fact, reply=replace(fact.reply, answer={**answer, "bound_by_cell": bound})) if bound else fact


# -- what it tells ---------------------------------------------------------------------------------------------------


def told(call: ProbeCall, facts: Sequence[Fact]) -> Fact | None:
    """Return what a probe would have answered, as far as a summary tells it; its id is the summary's.

    None where there is no summary, or it does not tell: a field that it has not, but the probe has, is not made up.
    """
    summary = next((fact for fact in facts if fact.call.question == SUMMARY and fact.reply.status == "ok"), None)
    read = _READERS.get(call.question)
    if summary is None or read is None:
        return None
    answer = read(_Summary(summary.reply.answer), call.arguments)
    return None if answer is None else Fact(summary.id, call, Reply("ok", answer=answer))


class _Summary:
    """A summary's answer, to be asked for one value."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._types: Mapping[str, str] = answer.get("names", {})
        self._absent = frozenset(answer.get("absent", ()))
        self._entries: dict[str, Mapping[str, Any]] = {entry["name"]: entry for entry in answer["values"]}

    def entry(self, path: str) -> Mapping[str, Any]:
        """Return what is told of the value at `path`; nothing if it is not described."""
        return self._entries.get(path, {})

    def is_there(self, path: str) -> bool | None:
        """Whether there is something at `path`; None if the summary is not about it."""
        if path in self._absent:
            return False
        return True if path in self._entries or path in self._types else None


Answer = Mapping[str, Any] | None


def _names(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    name = arguments.get("like", "")
    defined = summary.is_there(name)
    return None if defined is None else {"name": name, "defined": defined, "close_names": []}


def _describe(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    """Return what is told of a value; the shape of a column is its length."""
    entry = summary.entry(arguments["path"])
    if not entry or "unknown" in entry:
        return None
    shape = {"shape": [entry["length"]]} if "shape" not in entry and {"length", "dtype"} <= entry.keys() else {}
    return {**entry, **shape, "path": arguments["path"]}


def _array(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    answer = _describe(summary, arguments) or {}
    return answer if {"shape", "dtype"} <= answer.keys() and "length" not in answer else None


def _columns(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    entry, names = summary.entry(arguments["path"]), arguments.get("names")
    if "column_facts" not in entry or names is None:
        return None
    labels = [column["label"] for column in entry["column_facts"]]
    missing = [name for name in names if name not in labels]
    is_cut = missing and (entry.get("truncated") or "levels" in entry)
    return None if is_cut else {"path": arguments["path"], "missing": missing, "close": {}}


def _keys(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    entry, names = summary.entry(arguments["path"]), arguments.get("names")
    # Keys come as texts: of a number it is not told whether it is one.
    if len(entry.get("keys", ())) != entry.get("length") or not all(isinstance(name, str) for name in names or (0,)):
        return None
    return {"path": arguments["path"], "missing": [name for name in names or () if name not in entry["keys"]]}


def _attributes(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    names = arguments.get("names") or ()
    found = [summary.is_there(f"{arguments['path']}.{name}") for name in names]
    if not names or None in found:
        return None
    return {"path": arguments["path"], "missing": [name for name, there in zip(names, found, strict=True) if not there]}


def _estimator(summary: _Summary, arguments: Mapping[str, Any]) -> Answer:
    entry = summary.entry(arguments["path"])
    if "fitted" not in entry:
        return None
    found = {"n_features_in": None, **entry}
    if "frame" not in arguments:
        return found
    given = _given(found, summary.entry(arguments["frame"]))
    return None if given is None else {**found, "given": given}


# What is made of other estimators may meet the data with one that picks its columns by label.
_MADE_OF_OTHERS = (
    *("sklearn.pipeline", "sklearn.compose", "sklearn.model_selection", "sklearn.feature_selection._from_model"),
    *("sklearn.ensemble._voting", "sklearn.ensemble._stacking"),
)


def _given(estimator: Mapping[str, Any], data: Mapping[str, Any]) -> Answer:
    """Compare the data that an estimator is to be given with what it was fitted on, as the probe does."""
    kind, shape = str(estimator.get("type")), data.get("shape")
    if shape is None or not kind.startswith("sklearn.") or kind.startswith(_MADE_OF_OTHERS):
        return None
    n_features = shape[1] if len(shape) == 2 else None
    answer: dict[str, Any] = {"takes_columns_by_label": False, "n_features": n_features}
    answer.update(missing=None, unknown_features=None)
    wanted, columns = estimator.get("feature_names_in"), data.get("column_facts")
    if wanted is not None and columns is not None:
        labels = [column["label"] for column in columns]
        if len(wanted) != estimator["n_features_in"] or len(labels) != shape[1]:
            return None
        if all(isinstance(label, str) for label in labels):
            answer["missing"] = [name for name in wanted if name not in labels]
            answer["unknown_features"] = [label for label in labels if label not in wanted]
    return answer


_READERS: Mapping[str, Callable[[_Summary, Mapping[str, Any]], Answer]] = {
    "names": _names,
    "describe": _describe,
    "array": _array,
    "columns": _columns,
    "keys": _keys,
    "attributes": _attributes,
    "estimator": _estimator,
}
