"""Conditions on the columns of a frame, as they are written: taken apart, never evaluated by Python."""

from __future__ import annotations

import re
from typing import Any, Tuple

from .. import safe


def not_allowed(part: object) -> safe.Refused:
    """Return the refusal of a part of a condition, with what is allowed."""
    return safe.Refused(
        "could not look, because of {!r}: allowed are columns, constants, comparisons, in, and, or, not, + - * / %, "
        "isna(), notna(), isin(), str.len(), str.contains(), str.startswith(), str.endswith()".format(str(part)[:60])
    )


Node = Tuple[Any, ...]
"""An expression: its kind, and what it is made of."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)(?![\w.])
      | (?P<text>'[^'\\\n]*'|"[^"\\\n]*")
      | `(?P<quoted>[^`\n]+)`
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>==|!=|<=|>=|[<>&|~+\-*/%()\[\],.=]))""",
    re.VERBOSE,
)
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


def parse(text: str, path: str) -> Node:
    """Return a condition as an expression.

    Args:
        text: The condition.
        path: Of the frame: how the condition may name it, as in ``df['a'] > 1``.

    Raises:
        Refused: It holds what is not allowed.
    """
    return _Parser(text, path).parse()


class _Parser:
    """A parser of conditions, with Python's precedence. Python's own would raise an audit event, and may warn.

    Source: the Python language reference, "Operator precedence".
    """

    MOST_LEVELS = 40
    LONGEST = 1000

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        self._tokens: list[tuple[str, str]] = []
        self._place = 0
        self._level = 0
        if len(text) > self.LONGEST:
            raise safe.Refused("could not look, because the condition is longer than {}".format(self.LONGEST))
        place = 0
        text = text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise not_allowed(text[place:])
            self._tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            place = found.end()

    def parse(self) -> Node:
        """Return the whole condition."""
        node = self._or()
        if self._place < len(self._tokens):
            raise not_allowed(self._rest())
        return node

    def _rest(self) -> str:
        return " ".join(text for _, text in self._tokens[self._place :]) or "the end"

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else ("end", "")

    def _takes(self, *texts: str) -> str | None:
        """Take the next token if it is one of these signs or words."""
        kind, text = self._peek()
        if kind in ("sign", "name") and text in texts:
            self._place += 1
            return text
        return None

    def _demand(self, text: str) -> None:
        if self._takes(text) is None:
            raise not_allowed(self._rest())

    def _or(self) -> Node:
        self._level += 1
        if self._level > self.MOST_LEVELS:
            raise safe.Refused("could not look, because the condition is nested too deeply")
        node = self._and()
        while self._takes("or"):
            node = ("logic", "or", node, self._and())
        self._level -= 1
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._takes("and"):
            node = ("logic", "and", node, self._not())
        return node

    def _not(self) -> Node:
        count = 0
        while self._takes("not"):
            count += 1
        node = self._comparison()
        return ("not", node) if count % 2 else ("logic", "and", node, node) if count else node

    def _comparison(self) -> Node:
        left = self._bits("|")
        node: Node | None = None
        while True:
            sign = self._takes(*_COMPARISONS)
            if sign is not None:
                right = self._bits("|")
                found: Node = ("compare", sign, left, right)
            elif self._takes("in"):
                right = self._bits("|")
                found = ("in", left, right)
            elif self._peek() == ("name", "not") and self._peek(1) == ("name", "in"):
                self._place += 2
                right = self._bits("|")
                found = ("not", ("in", left, right))
            else:
                return left if node is None else node
            node = found if node is None else ("logic", "and", node, found)
            left = right

    def _bits(self, sign: str) -> Node:
        inner = self._sum if sign == "&" else lambda: self._bits("&")
        node = inner()
        while self._takes(sign):
            node = ("logic", "and" if sign == "&" else "or", node, inner())
        return node

    def _sum(self) -> Node:
        node = self._term()
        while True:
            sign = self._takes("+", "-")
            if sign is None:
                return node
            node = ("arithmetic", sign, node, self._term())

    def _term(self) -> Node:
        node = self._unary()
        while True:
            sign = self._takes("*", "/", "%")
            if sign is None:
                return node
            if self._peek() == ("sign", sign):
                raise not_allowed(sign + sign)
            node = ("arithmetic", sign, node, self._unary())

    def _unary(self) -> Node:
        signs = []
        while True:
            sign = self._takes("-", "+", "~")
            if sign is None:
                break
            signs.append(sign)
        node = self._postfix()
        for sign in reversed(signs):
            if sign == "~":
                node = ("not", node)
            elif node[0] == "constant" and safe.one_of(type(node[1]), (int, float)):
                node = ("constant", -node[1] if sign == "-" else node[1])
            else:
                node = ("arithmetic", sign, ("constant", 0), node) if sign == "+" else ("negative", node)
        return node

    def _postfix(self) -> Node:
        node = self._primary()
        while self._takes("."):
            kind, method = self._peek()
            if kind != "name":
                raise not_allowed(self._rest())
            self._place += 1
            if method == "str":
                self._demand(".")
                kind, method = self._peek()
                self._place += 1
                method = "str." + method
            node = self._call(node, method)
        return node

    def _call(self, node: Node, method: str) -> Node:
        if self._takes("(") is None:
            raise not_allowed("." + method)
        if method in ("isna", "isnull", "notna", "notnull"):
            self._demand(")")
            missing: Node = ("missing", node)
            return missing if method.startswith("is") else ("not", missing)
        if method == "isin":
            values = self._or()
            self._demand(")")
            return ("in", node, values)
        if method == "str.len":
            self._demand(")")
            return ("length", node)
        if method not in ("str.contains", "str.startswith", "str.endswith"):
            raise not_allowed("." + method)
        kind, part = self._peek()
        if kind != "text":
            raise not_allowed(self._rest())
        self._place += 1
        absent = False
        if self._takes(","):
            for word in ("na", "=", "False"):
                self._demand(word)
            absent = True
        self._demand(")")
        return ("text", method[4:], node, part[1:-1], absent)

    def _primary(self) -> Node:
        kind, text = self._peek()
        self._place += 1
        if kind == "number":
            return ("constant", int(text) if text.isdigit() else float(text))
        if kind == "text":
            return ("constant", text[1:-1])
        if kind == "quoted":
            return ("column", text)
        if text == "(" and kind == "sign":
            node = self._or()
            self._demand(")")
            return node
        if text == "[" and kind == "sign":
            return self._constants()
        if kind != "name" or text in ("and", "or", "not", "in"):
            self._place -= 1
            raise not_allowed(self._rest())
        if text in ("True", "False"):
            return ("constant", text == "True")
        return self._named(text)

    def _constants(self) -> Node:
        values: list[Any] = []
        while self._takes("]") is None:
            if values:
                self._demand(",")
                if self._takes("]"):
                    break
            node = self._unary()
            if node[0] != "constant":
                raise not_allowed(self._rest())
            values.append(node[1])
        return ("list", values)

    def _named(self, text: str) -> Node:
        if text == "len" and self._takes("("):
            node = self._or()
            self._demand(")")
            return ("length", node)
        if text == self._path and self._peek() == ("sign", "["):
            self._place += 1
            kind, label = self._peek()
            self._place += 1
            if kind not in ("text", "number"):
                raise not_allowed(label)
            self._demand("]")
            return ("column", label[1:-1] if kind == "text" else int(label) if label.isdigit() else label)
        if text == self._path and self._peek() == ("sign", "."):
            self._place += 1
            kind, text = self._peek()
            self._place += 1
        return ("column", text)
