"""What crosses between the tool and the kernel: JSON text, one request in, one reply out.

A request is ``{"ask": NAME, "arguments": {...}, "limits": {"seconds": S, "items": N, "bytes": B}, "privacy": LEVEL}``.
A reply is

    {"status": "ok",      "answer": {...}, ...}                           the question is answered
    {"status": "refused", "reason": "could not look, because ...", ...}   it cannot be answered safely
    {"status": "failed",  "fault": "TypeError: ...", "where": [...]}      our own bug, never hidden

each with `cells`, the kernel's execution count when the answer was made, and `running`, whether a cell ran meanwhile:
two replies describe the same state if no cell was running and the counts agree. An answer from which the privacy level
kept fields has their names in `withheld`; what proves it and is for the user's own eyes only is in `proof`. An answer
cut to fit its limits has ``"truncated": true``. Replies to the same request in the same state are the same bytes: keys
are sorted and nothing in an answer depends on time.

`encode_tree` and `decode_tree` carry the target's syntax tree, so that the kernel never has to parse: parsing can
print a SyntaxWarning into the user's notebook, and the kernel may be an older Python than the tool.
"""

import ast
import json
from typing import Any, Dict, List

PROTOCOL = "crane_agent/1"
REQUEST_TYPE = "crane_agent_request"
REPLY_TYPE = "crane_agent_reply"

DEFAULT_LIMITS = {"seconds": 2.0, "items": 50, "bytes": 8192}
DEFAULT_PRIVACY = "schema"

MAX_DEPTH = 200
"""Levels of a tree that crosses: each costs the kernel a few frames of its stack."""

_TAG = "$"


class Running(ast.stmt):
    """A statement that is a magic which runs Python: no parser makes one, so nobody can write it.

    Attributes:
        call: The call of the magic, as IPython's transformation has it.
        body: The statements that it runs.
        first_word: The first word of what it runs, if that is one line, else ''.
    """

    _fields = ("call", "body", "first_word")

    call: ast.Call
    body: List[ast.stmt]
    first_word: str


def running(call: ast.Call, body: List[ast.stmt], first_word: str) -> Running:
    """Return a `Running`; it has no place in the text yet."""
    # Not called: since Python 3.13 a node's constructor warns of fields whose types it is not told.
    node = Running.__new__(Running)
    node.call, node.body, node.first_word = call, body, first_word
    return node


class TooDeep(Exception):
    """A tree has more levels than `MAX_DEPTH`."""


def dumps(value: object) -> str:
    """Return `value` as deterministic JSON text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def loads(text: str) -> Any:
    """Return the value of JSON text made by `dumps`."""
    return json.loads(text)


def encode_tree(tree: ast.AST) -> List[Any]:
    """Return a syntax tree as nested JSON lists: ``[class, line, column, end line, end column, {field: value}]``.

    Raises:
        TooDeep: It has more than `MAX_DEPTH` levels.
    """
    return _encode_node(tree, MAX_DEPTH)


def _encode_node(tree: ast.AST, depth: int) -> List[Any]:
    if depth == 0:
        raise TooDeep
    fields = {name: _encode_field(value, depth - 1) for name, value in ast.iter_fields(tree)}
    place = [getattr(tree, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")]
    return [type(tree).__name__, *place, fields]


def _encode_field(value: object, depth: int) -> Any:
    if isinstance(value, ast.AST):
        return _encode_node(value, depth)
    if isinstance(value, list):
        return {_TAG: "list", "items": [_encode_field(item, depth) for item in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {_TAG: type(value).__name__, "text": repr(value)}


def decode_tree(encoded: List[Any]) -> ast.AST:
    """Return the syntax tree that `encode_tree` was given; field sets of newer Pythons are kept as they are."""
    name, lineno, col_offset, end_lineno, end_col_offset, fields = encoded
    cls = Running if name == Running.__name__ else getattr(ast, name, _Unnamed)
    # Not called: since Python 3.13 a node's constructor warns of fields that it is not given.
    node: ast.AST = cls.__new__(cls)
    if type(node) is _Unnamed:
        node.name_of_node = name  # type: ignore[attr-defined]
    for field, value in fields.items():
        setattr(node, field, _decode_field(value))
    if lineno is not None:
        place: Dict[str, Any] = {
            "lineno": lineno,
            "col_offset": col_offset,
            "end_lineno": end_lineno,
            "end_col_offset": end_col_offset,
        }
        for field, value in place.items():
            setattr(node, field, value)
    return node


class _Unnamed(ast.AST):
    """A node class that this Python does not have; the walker stops at it."""


def _decode_field(value: Any) -> Any:
    if type(value) is list:
        return decode_tree(value)
    if type(value) is dict:
        kind = value[_TAG]
        if kind == "list":
            return [_decode_field(item) for item in value["items"]]
        return ast.literal_eval(value["text"]) if kind != "ellipsis" else Ellipsis
    return value
