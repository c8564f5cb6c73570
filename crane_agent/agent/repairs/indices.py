"""Indices that are out of range by one, and loops that run too far."""

import ast
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site

_OUT = r"index out of range|out of bounds|out-of-bounds"


def loop_bound(site: Site) -> Iterator[Patch]:
    """Let a loop end with the last index that there is.

    Source: Python's tutorial, "The range() function": its end is excluded, and `len` is one more than the last index.
    """
    if not site.says("IndexError", "KeyError", pattern=_OUT + "|^\\d+$") or site.node is None:
        return
    for node in site.subscripts:
        for loop in (each for each in site.script.around(node) if isinstance(each, ast.For | ast.comprehension)):
            match loop:
                case (
                    ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=bounds))
                    | ast.comprehension(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=bounds))
                ) if bounds and _reads(node.slice, name):
                    yield from _bounded(site, node, name, bounds)
                    return
        for around in site.script.around(node):
            if isinstance(around, ast.While):
                yield from _while_bounded(site, around)
                break


def _bounded(site: Site, node: ast.Subscript, name: str, bounds: list[ast.expr]) -> Iterator[Patch]:
    script = site.script
    stop = bounds[0] if len(bounds) == 1 else bounds[1]
    ahead = _ahead(node.slice, name)
    own = _counted(script.text(node.value))
    match stop:
        case ast.BinOp(left=ast.Call(func=ast.Name(id="len")) as inner, op=ast.Add(), right=ast.Constant(value=1)):
            first = bounds[0].value if len(bounds) > 1 and isinstance(bounds[0], ast.Constant) else 0
            if first == 1 and ahead == 0:
                edit = script.replaced(node.slice, f"{name} - 1")
                yield from site.patch("Count from 0: the loop counts from 1.", edit)
            yield from site.patch("Let the loop end with the last index.", script.replaced(stop, script.text(inner)))
        case ast.Call(func=ast.Name(id="len")) if ahead > 0:
            edit = script.replaced(stop, f"{script.text(stop)} - {ahead}")
            yield from site.patch(f"Let the loop end {ahead} earlier: it looks {ahead} ahead.", edit)
        case ast.Constant() if ahead == 0:
            edit = script.replaced(stop, own)
            yield from site.patch(f"Let the loop run over {own} indices, as many as there are.", edit)
        case _ if ahead == 0 and script.text(stop) != own:
            yield from site.patch(
                f"Let the loop run over {own} indices, as many as there are.", script.replaced(stop, own)
            )


def _counted(text: str) -> str:
    """Return the number of rows or elements, of ``df.iloc`` those of the frame."""
    return f"len({re.sub(r'[.](iloc|loc|iat|at|values)$', '', text)})"


def _reads(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _ahead(key: ast.expr, name: str) -> int:
    """Return how far an index is ahead of the loop's variable."""
    match key:
        case ast.BinOp(left=ast.Name(id=own), op=ast.Add(), right=ast.Constant(value=int(ahead))) if own == name:
            return ahead
        case ast.Tuple(elts=[first, *_]):
            return _ahead(first, name)
    return 0


def _while_bounded(site: Site, loop: ast.While) -> Iterator[Patch]:
    for test in ast.walk(loop.test):
        match test:
            case ast.Compare(left=left, ops=[ast.LtE()], comparators=[ast.Call(func=ast.Name(id="len")) as length]):
                text = f"{site.script.text(left)} < {site.script.text(length)}"
                yield from site.patch("Let the loop end before the length.", site.script.replaced(test, text))


def one_too_far(site: Site) -> Iterator[Patch]:
    """Use the last index where the index is the length.

    Source: Python's tutorial, "An informal introduction": indices count from 0, and -1 is the last element.
    """
    if not site.says("IndexError", pattern=_OUT):
        return
    for node in site.subscripts:
        part = site.part(node.value, "value")
        length = part.shape[0] if part.shape else part.facts.get("length")
        text = site.script.text(node.slice)
        is_length = re.fullmatch(rf"len\({re.escape(site.script.text(node.value))}\)", text) is not None
        if is_length or (
            isinstance(node.slice, ast.Constant) and type(length) is int and node.slice.value == length > 0
        ):
            edit = site.script.replaced(node.slice, "-1")
            yield from site.patch("Use the last index: indices count from 0.", edit)


STRATEGIES = (loop_bound, one_too_far)
