"""Columns, keys and row labels that are not there."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site, called, closest, keyword, literals

_LIKE = 0.6
_MOST = 3
_KEYS = {"acc": "accuracy", "val_acc": "val_accuracy", "accuracy": "acc", "val_accuracy": "val_acc"}
"""Keys of the history of a Keras model, before and since TensorFlow 2.0 (release notes of Keras 2.3)."""


def close_key(site: Site) -> Iterator[Patch]:
    """Use the column or key that was probably meant, of those there are.

    Sources: the scene's columns and keys; for the metrics of a Keras history, the release notes of Keras 2.3.
    """
    if site.crash.type not in ("KeyError", "ValueError", "TypeError", "AttributeError"):
        return
    there = _there(site)
    wrong = [
        each
        for each in literals(site.inner)
        if each.text not in there and _is_named(each.text, site) and not _names_keyword(each.node, site)
    ]
    if not there or not wrong:
        return
    meant = [_meant(each.text, there) for each in wrong]
    for choice in range(_MOST if len(wrong) == 1 else 1):
        if all(len(each) > choice for each in meant):
            edits = [_label(site, word.node, each[choice]) for word, each in zip(wrong, meant, strict=True)]
            pairs = (f"{each[choice]!r} instead of {word.text!r}" for word, each in zip(wrong, meant, strict=True))
            yield from site.patch(f"Use {', '.join(dict.fromkeys(pairs))}, which is not there.", *edits)


def _meant(word: str, there: Sequence[Any]) -> list[Any]:
    as_number = [each for each in there if not isinstance(each, str) and str(each) == word]
    renamed = [_KEYS[word]] if word in _KEYS and _KEYS[word] in there else []
    return list(dict.fromkeys((*as_number, *renamed, *closest(word, there, cutoff=_LIKE))))


def _label(site: Site, node: ast.Constant, label: Any) -> Edit | None:
    return site.script.quoted(node, label) if isinstance(label, str) else site.script.replaced(node, repr(label))


def _there(site: Site) -> list[Any]:
    """Return the columns and keys of what the failing expression was made of."""
    listed = (each for part in site.parts for each in (*part.columns, *(part.facts.get("keys") or ())))
    return list(dict.fromkeys((*listed, *site.crash.close)))


def _is_named(word: str, site: Site) -> bool:
    return f"'{word}'" in site.message or f'"{word}"' in site.message or f"`{word}`" in site.message


def _names_keyword(node: ast.Constant, site: Site) -> bool:
    """Whether a literal is how something is done (``how='left'``) and not what it is done with."""
    parent = site.script.parent(node)
    return isinstance(parent, ast.keyword) and parent.arg in ("how", "dtype", "kind", "method", "mode", "estimator")


def column_as_attribute(site: Site) -> Iterator[Patch]:
    """Use the column that was probably meant where a frame lacks an attribute.

    Source: pandas' user guide, "Indexing and selecting data", "Attribute access": a column is an attribute if its name
    is one that Python accepts and no method has it.
    """
    if not site.says("AttributeError", pattern=r"'DataFrame' object has no attribute"):
        return
    for node in (each for each in site.nodes if isinstance(each, ast.Attribute)):
        columns = site.part(node.value, "owner").columns
        for column in closest(node.attr, columns)[:2]:
            summary = f"Use the column {column!r}: the frame has no {node.attr!r}."
            if column.isidentifier():
                yield from site.patch(summary, site.script.renamed(node, column))
            else:
                yield from site.patch(summary, site.script.replaced(node, f"{_owner(site, node)}[{column!r}]"))


def _owner(site: Site, node: ast.Attribute | ast.Subscript) -> str:
    return site.script.operand(node.value)


def rows_for_columns(site: Site) -> Iterator[Patch]:
    """Drop columns, not rows: labels that are columns need ``columns=``.

    Source: pandas' reference of `DataFrame.drop`: ``axis=0`` is the default, and ``columns=labels`` equals
    ``labels, axis=1``.
    """
    if not site.says("KeyError", pattern="not found in axis"):
        return
    for call in site.calls:
        by_axis = keyword(call, "axis") or keyword(call, "columns") or keyword(call, "index")
        if called(call) == "drop" and len(call.args) == 1 and by_axis is None:
            columns = site.owner(call).columns
            labels = literals(ast.walk(call.args[0]))
            if labels and all(label.text in columns for label in labels):
                edit = site.script.wrapped(call.args[0], "columns=", "")
                yield from site.patch("Drop columns: without columns= or axis=1 it drops rows.", edit)


def list_of_columns(site: Site) -> Iterator[Patch]:
    """Ask for several columns with a list of them.

    Sources: pandas' user guide, "Indexing and selecting data", "Basics"; the message "Cannot subset columns with a
    tuple with more than one element. Use a list instead."
    """
    if site.crash.type not in ("KeyError", "ValueError"):
        return
    for node in site.subscripts:
        columns = site.part(node.value, "value").columns
        if isinstance(node.slice, ast.Tuple) and len(literals(node.slice.elts)) == len(node.slice.elts):
            is_said = site.found("Use a list instead") is not None
            if is_said or (columns and all(each.text in columns for each in literals(node.slice.elts))):
                inner = site.script.text(node.slice).removeprefix("(").removesuffix(")")
                edit = site.script.replaced(node.slice, f"[{inner}]")
                yield from site.patch("Ask for several columns with a list of them.", edit)


def by_position(site: Site) -> Iterator[Patch]:
    """Ask for a row by its position with ``iloc`` where the labels are others.

    Sources: pandas' user guide, "Indexing and selecting data", "Selection by position"; what is new in pandas 3.0:
    ``ser[0]`` looks for the label 0 only; the message "(slice(None, None, None), 0)" of `DataFrame.__getitem__`.
    """
    if site.crash.type not in ("KeyError", "InvalidIndexError", "TypeError", "IndexError"):
        return
    for node in site.subscripts:
        owner = site.part(node.value, "value")
        key = site.part(node.slice, "key")
        if isinstance(node.slice, ast.Tuple | ast.Slice) and owner.is_frame and _has_slice(node.slice):
            how = "loc" if literals(ast.walk(node.slice)) else "iloc"
            edit = site.script.replaced(node.value, f"{_owner(site, node)}.{how}")
            yield from site.patch(f"Ask for rows and columns with {how}: a frame's own brackets take columns.", edit)
        elif site.crash.type == "KeyError" and _is_whole(node.slice, key):
            is_label = isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "at", "ix")
            if is_label and isinstance(node.value, ast.Attribute):
                how = {"at": "iat"}.get(node.value.attr, "iloc")
                edit = site.script.renamed(node.value, how)
                yield from site.patch("Ask for the row by its position: there is no such row label.", edit)
            elif (owner.is_series or owner.is_frame) and not any(type(each) is int for each in owner.columns):
                edit = site.script.replaced(node.value, f"{_owner(site, node)}.iloc")
                yield from site.patch("Ask for the row by its position: there is no such label.", edit)


def _has_slice(key: ast.expr) -> bool:
    return any(isinstance(each, ast.Slice) for each in ast.walk(key))


def _is_whole(node: ast.expr, part: Part) -> bool:
    """Whether a key is a whole number."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    literal = isinstance(node, ast.Constant) and type(node.value) is int
    return literal or part.kind in ("int", "int64", "int32", "intp")


STRATEGIES = (close_key, rows_for_columns, list_of_columns, by_position, column_as_attribute)
