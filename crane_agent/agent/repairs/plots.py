"""Figures: arrays of axes, grids of subplots, the shapes of images."""

import ast
import math
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Part, Site, called


def one_of_axes(site: Site) -> Iterator[Patch]:
    """Count the axes of a grid one after the other.

    Sources: matplotlib's reference of `pyplot.subplots`: with several rows and columns it gives an array of two
    dimensions; numpy's of `ndarray.flat`.
    """
    if site.says("AttributeError", pattern=r"'numpy.ndarray' object has no attribute"):
        for node in site.nodes:
            match node:
                case ast.Attribute(value=ast.Subscript(value=owner) as item) if site.part(item, "owner").dtype in (
                    "object",
                    "",
                ):
                    if isinstance(item.slice, ast.Tuple | ast.Slice):
                        continue
                    edit = site.script.replaced(owner, f"{site.script.operand(owner)}.flat")
                    yield from site.patch("Count the axes one after the other, with flat: they are in rows.", edit)
    if site.says("IndexError", pattern=r"index \d+ is out of bounds for axis 0 with size \d+"):
        for subscript in site.subscripts:
            part = site.part(subscript.value, "value")
            if _is_grid(part) and not isinstance(subscript.slice, ast.Tuple):
                edit = site.script.replaced(subscript.value, f"{site.script.operand(subscript.value)}.flat")
                yield from site.patch("Count the axes one after the other, with flat: they are in rows.", edit)


def _is_grid(part: Part) -> bool:
    return part.is_array and part.dtype == "object" and part.shape is not None and len(part.shape) == 2


def the_one_axes(site: Site) -> Iterator[Patch]:
    """Use the axes themselves where there is one only.

    Source: matplotlib's reference of `pyplot.subplots`: with ``squeeze``, the default, one subplot is no array.
    """
    if not site.says("TypeError", pattern=r"'Axes(?:Subplot)?' object (?:is not subscriptable|does not support)"):
        return
    for node in site.subscripts:
        text = site.script.operand(node.value)
        if isinstance(node.slice, ast.Constant) and node.slice.value == 0:
            yield from site.patch("Use the axes themselves: there is one only.", site.script.replaced(node, text))
        numpy, imported = site.module("numpy", "np")
        edit = site.script.replaced(node.value, f"{numpy}.ravel({site.script.text(node.value)})")
        yield from site.patch("Make an array of the axes, of which there is one only.", edit, *imported)


def enough_subplots(site: Site) -> Iterator[Patch]:
    """Make as many rows of subplots as the loop needs; count them from 1.

    Sources: matplotlib's reference of `pyplot.subplot`: its index starts at 1; the message "num must be an integer with
    1 <= num <= 4, not 5".
    """
    if not site.says("ValueError", "IndexError", pattern=r"<= num <= \d+, not|index \d+ is out of bounds for axis"):
        return
    script = site.script
    for call in site.calls:
        if called(call) not in ("subplot", "add_subplot") or len(call.args) != 3:
            continue
        rows, columns, place = call.args
        if "not 0" in site.message:
            yield from site.patch("Count the subplots from 1.", script.replaced(place, f"{script.term(place)} + 1"))
        needed = _rounds(site, call)
        if needed:
            text = f"-(-{needed} // {script.term(columns)})"
            yield from site.patch("Make as many rows as the loop needs.", script.replaced(rows, text))
    for node in site.subscripts:
        part = site.part(node.value, "value")
        if part.is_array and part.dtype == "object" and isinstance(node.value, ast.Name):
            yield from _grown(site, node, node.value.id)


def _rounds(site: Site, node: ast.AST, name: str = "") -> str:
    """Return the number of rounds of the loop around a node, or of that which binds a name, as code; '' if unknown."""
    for loop in site.script.around(node):
        if isinstance(loop, ast.For) and (not name or name in _names(loop.target)):
            return _count(site, loop.iter)
    return ""


def _names(target: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}


def _count(site: Site, given: ast.expr) -> str:
    """Return the number of things that a loop goes through, as code; '' if it is not plain."""
    match given:
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            return site.script.term(stop)
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            return f"({site.script.term(stop)} - {site.script.term(start)})"
        case ast.Call(func=ast.Name(id="enumerate" | "list" | "zip" | "sorted" | "tqdm" | "reversed"), args=[each, *_]):
            return _count(site, each)
        case ast.Call(func=ast.Attribute(attr="items" | "iteritems", value=table), args=[]):
            return f"len({site.script.operand(table)}.keys())"
        case ast.Call(func=ast.Attribute(attr="unique" | "keys" | "values" | "tolist" | "to_list"), args=[]):
            return f"len({site.script.text(given)})"
        case ast.Name() | ast.Attribute() | ast.List() | ast.Subscript():
            return f"len({site.script.text(given)})"
    return ""


def _grown(site: Site, node: ast.Subscript, axes: str) -> Iterator[Patch]:
    """Yield the patch that gives a grid as many rows, or columns, as the loop around needs."""
    for call in (each for each in ast.walk(site.script.tree) if isinstance(each, ast.Call)):
        statement = site.script.parent(call)
        is_own = isinstance(statement, ast.Assign) and axes in _names(statement.targets[0])
        if called(call) != "subplots" or not is_own:
            continue
        sizes = {"nrows": None, "ncols": None, **{each.arg: each.value for each in call.keywords if each.arg}}
        rows = call.args[0] if call.args else sizes["nrows"]
        columns = call.args[1] if len(call.args) > 1 else sizes["ncols"]
        match node.slice:
            case ast.Tuple(elts=[ast.Name(id=one), ast.Name(id=other)]) if rows is not None and columns is not None:
                needed = _rounds(site, node, one), _rounds(site, node, other)
                edits = [site.script.replaced(each, text) for each, text in zip((rows, columns), needed, strict=True)]
                if all(needed):
                    yield from site.patch("Make as many subplots as the loops need.", *edits)
                return
        count = _rounds(site, node)
        if count and (rows is None or _is_one(rows)) and columns is not None:
            yield from site.patch("Make as many subplots as the loop needs.", site.script.replaced(columns, count))
        elif count and rows is not None:
            by = count if columns is None or _is_one(columns) else f"-(-{count} // {site.script.term(columns)})"
            yield from site.patch("Make as many rows of subplots as the loop needs.", site.script.replaced(rows, by))


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def figure_and_axes(site: Site) -> Iterator[Patch]:
    """Use ``plt.subplots`` where a figure and its axes are asked for.

    Source: matplotlib's references of `pyplot.subplots`, which gives both, and of `pyplot.subplot` and `pyplot.figure`,
    which give one.
    """
    if not site.says("TypeError", pattern=r"cannot unpack non-iterable (?:Axes|AxesSubplot|Figure) object"):
        return
    statement = site.script.statement(site.node) if site.node is not None else None
    match statement:
        case ast.Assign(value=ast.Call(func=ast.Attribute() as function)) if function.attr in ("subplot", "figure"):
            yield from site.patch(
                "Use subplots, which gives a figure and its axes.", site.script.renamed(function, "subplots")
            )


def image_shape(site: Site) -> Iterator[Patch]:
    """Give an image as rows, columns and, if there are any, colours.

    Source: matplotlib's reference of `pyplot.imshow`: (M, N), (M, N, 3) or (M, N, 4).
    """
    if not site.says("TypeError", pattern=r"Invalid shape .* for image data|Invalid dimensions for image data"):
        return
    for call in site.calls:
        node = call.args[0] if call.args else None
        shape = site.part(node).shape
        if node is None or shape is None:
            continue
        if 1 in shape and len(shape) > 2:
            yield from site.patch("Take out the dimensions of one.", site.script.followed(node, ".squeeze()"))
        elif len(shape) == 3 and shape[0] in (3, 4):
            how = "permute" if site.part(node).is_tensor else "transpose"
            yield from site.patch("Put the colours last.", site.script.followed(node, f".{how}(1, 2, 0)"))
        elif len(shape) == 1 and math.isqrt(shape[0]) ** 2 == shape[0]:
            side = math.isqrt(shape[0])
            yield from site.patch(f"Make {side} rows of it.", site.script.followed(node, f".reshape({side}, {side})"))


STRATEGIES = (one_of_axes, the_one_axes, enough_subplots, figure_and_axes, image_shape)
