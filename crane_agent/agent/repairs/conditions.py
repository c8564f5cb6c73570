"""Conditions on whole columns, arrays and tensors."""

import ast
import itertools
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site

_AMBIGUOUS = r"truth value of an? \w+ .*is ambiguous|Boolean value of Tensor .* is ambiguous"
_ELEMENTWISE = {ast.And: "&", ast.Or: "|"}


def elementwise(site: Site) -> Iterator[Patch]:
    """Combine conditions with ``&``, ``|`` and ``~``, each in parentheses, instead of ``and``, ``or`` and ``not``.

    Sources: pandas' user guide, "Indexing and selecting data", "Boolean indexing", and its gotcha "Using if/truth
    statements with pandas"; numpy's reference of `logical_and`.
    """
    if not site.says("ValueError", "RuntimeError", pattern=_AMBIGUOUS) or site.node is None:
        return
    script = site.script
    around = [site.node, *script.around(site.node)] if site.is_exact else list(site.inner)
    for node in around:
        match node:
            case ast.BoolOp(op=op, values=values):
                sign = f" {_ELEMENTWISE[type(op)]} "
                parts = [script.text(value).removeprefix("not ").strip() for value in values]
                signs = [
                    "~" if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not) else "" for value in values
                ]
                text = sign.join(f"{tilde}({part})" for tilde, part in zip(signs, parts, strict=True))
                yield from site.patch(
                    f"Combine the conditions element by element, with{sign.rstrip()}.", script.replaced(node, text)
                )
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from site.patch(
                    "Negate element by element, with ~.", script.replaced(node, f"~({script.text(operand)})")
                )
            case ast.Compare(ops=ops, comparators=comparators, left=left) if len(ops) > 1:
                yield from _compared(site, node, left, comparators)


def _compared(site: Site, node: ast.Compare, left: ast.expr, others: list[ast.expr]) -> Iterator[Patch]:
    """Yield the patch of a chain: of ``a > 1 & b < 2``, which reads as one, or of ``0 < a < 1``."""
    script = site.script
    middle = others[0]
    if isinstance(middle, ast.BinOp) and isinstance(middle.op, ast.BitAnd | ast.BitOr) and len(others) == 2:
        spans = [script.span(each) for each in (node, middle.left, middle.right)]
        if None not in spans:
            whole, one, two = (span for span in spans if span is not None)
            text = f"({script.source[whole.start : one.end]}){script.source[one.end : two.start]}"
            text += f"({script.source[two.start : whole.end]})"
            yield from site.patch(
                "Put each condition in parentheses: & and | bind closer.", script.replaced(node, text)
            )
        return
    terms = [left, *others]
    spans = [script.span(term) for term in terms]
    pairs = [script.source[a.start : b.end] for a, b in itertools.pairwise(spans) if a and b]
    if len(pairs) == len(others):
        text = " & ".join(f"({pair})" for pair in pairs)
        yield from site.patch(
            "Compare twice and combine element by element: a chain of comparisons needs one truth.",
            script.replaced(node, text),
        )


def in_parentheses(site: Site) -> Iterator[Patch]:
    """Put each condition in parentheses where ``&`` took an operand of a comparison.

    Source: pandas' user guide, "Boolean indexing": the conditions must be grouped by parentheses.
    """
    if site.crash.type != "TypeError":
        return
    for operation in site.operations:
        around = site.script.parent(operation)
        if (
            isinstance(operation.op, ast.BitAnd | ast.BitOr)
            and isinstance(around, ast.Compare)
            and len(around.ops) == 2
        ):
            yield from _compared(site, around, around.left, around.comparators)
        elif (
            isinstance(around, ast.Compare)
            and isinstance(operation.op, ast.BitAnd | ast.BitOr)
            and len(around.ops) == 1
        ):
            script = site.script
            whole, one, two = script.span(around), script.span(operation.left), script.span(operation.right)
            if whole and one and two and around.left is operation:
                text = f"{script.source[whole.start : two.start]}({script.source[two.start : whole.end]})"
                yield from site.patch(
                    "Put the condition in parentheses: & and | bind closer.", script.replaced(around, text)
                )


STRATEGIES = (elementwise, in_parentheses)
