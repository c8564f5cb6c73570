"""Operands of the wrong class: texts and numbers, lists where arrays are meant, None from a method that gives none."""

import ast
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch, Script
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_NUMBERS = ("int", "float", "int64", "float64", "int32", "float32", "bool", "Timestamp", "date", "datetime")
GIVING_NOTHING = {"append", "extend", "sort", "reverse", "insert", "remove", "clear", "update", "shuffle", "add"}
"""Methods that change their object and give None."""


def text_and_number(site: Site) -> Iterator[Patch]:
    """Make a text of the number that is joined to a text.

    Sources: Python's tutorial, "Input and output", for `str`; pandas' reference of `Series.astype`.
    """
    pattern = (
        r"can only concatenate str|must be str, not|unsupported operand type\(s\) for \+=?: .*'?str'?"
        r"|ufunc 'add' did not contain|operation 'add' not supported"
    )
    if not site.says("TypeError", "UFuncTypeError", "_UFuncNoLoopError", "UFuncNoLoopError", pattern=pattern):
        return
    for left, right in _sums(site):
        for node, other in ((right, left), (left, right)):
            if _is_text(site.part(other), other) and not _is_text(site.part(node), node):
                if site.part(node).is_series:
                    edit = site.script.followed(node, ".astype(str)")
                else:
                    edit = site.script.wrapped(node, "str(")
                yield from site.patch("Make a text of the number before joining the two.", edit)


def _sums(site: Site) -> Iterator[tuple[ast.expr, ast.expr]]:
    for operation in site.operations:
        if isinstance(operation.op, ast.Add):
            yield operation.left, operation.right
    for node in site.nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            yield node.target, node.value


def _is_text(part: Part, node: ast.expr) -> bool:
    is_literal = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    joined = isinstance(node, ast.BinOp) and (_is_text(Part(), node.left) or _is_text(Part(), node.right))
    return is_literal or joined or part.kind == "str" or (part.is_series and part.dtype in ("object", "str", "string"))


def joined_texts(site: Site) -> Iterator[Patch]:
    """Make texts of what is joined or written.

    Source: Python's references of `str.join` and `io.TextIOBase.write`, which take texts only.
    """
    for call in site.calls:
        if (
            site.says("TypeError", pattern=r"sequence item \d+: expected str instance")
            and called(call) == "join"
            and call.args
        ):
            edit = site.script.wrapped(call.args[0], "map(str, ")
            yield from site.patch("Make a text of each item before joining them.", edit)
        if (
            site.says("TypeError", pattern=r"write\(\) argument must be str|string argument expected")
            and called(call) == "write"
            and call.args
        ):
            yield from site.patch("Make a text of it before writing it.", site.script.wrapped(call.args[0], "str("))
        if site.says("TypeError", pattern=r"a bytes-like object is required, not 'str'") and len(call.args) == 1:
            edit = site.script.followed(call.args[0], ".encode()")
            yield from site.patch("Encode the text: bytes are taken here.", edit)


def array_for_list(site: Site) -> Iterator[Patch]:
    """Make an array of a list that is computed with, or indexed, as an array is.

    Source: numpy's "Absolute basics for beginners": arithmetic of lists is none of numbers.
    """
    pattern = (
        r"for [-*/+%]=?\*?: '(?:list|tuple)'|for [-*/+%]=?\*?: '\w+' and 'list'|can't multiply sequence by non-int"
        r"|indices must be integers or slices, not (?:tuple|list)|not supported between instances of 'list'"
    )
    if not site.says("TypeError", pattern=pattern):
        return
    numpy, imported = site.module("numpy", "np")
    nodes: list[ast.expr] = [node.value for node in site.subscripts]
    nodes += [each for node in site.operations for each in (node.left, node.right)]
    nodes += [each for node in site.nodes if isinstance(node, ast.Compare) for each in (node.left, *node.comparators)]
    chosen = [
        node for node in nodes if site.part(node).kind in ("list", "tuple") or isinstance(node, ast.List | ast.ListComp)
    ]
    edits = [site.script.wrapped(node, f"{numpy}.array(") for node in chosen]
    if edits:
        yield from site.patch("Make an array of the list, which is meant as one.", *edits, *imported)


def list_first(site: Site) -> Iterator[Patch]:
    """Make a list of what can only be iterated over.

    Sources: Python 3.0, what's new, "Views and iterators instead of lists"; Python's reference of `random.sample`.
    """
    pattern = (
        r"is not subscriptable|has no len|is not reversible|Population must be a sequence|must be a sequence"
        r"|expected a sequence"
    )
    if not site.says("TypeError", pattern=pattern):
        return
    kinds = (
        "zip",
        "map",
        "filter",
        "dict_keys",
        "dict_values",
        "dict_items",
        "generator",
        "set",
        "enumerate",
        "reversed",
    )
    nodes: list[ast.expr] = [node.value for node in site.subscripts]
    nodes += [each for call in site.calls for each in call.args[:1]]
    for node in nodes:
        if site.part(node).kind in kinds or (
            isinstance(node, ast.Call) and called(node) in (*kinds, "keys", "values", "items")
        ):
            how = "sorted(" if site.part(node).kind == "set" else "list("
            yield from site.patch("Make a list of it first.", site.script.wrapped(node, how))


# -- None ------------------------------------------------------------------------------------------------------------


def nothing_given(site: Site) -> Iterator[Patch]:
    """Do not use what a method that changes its object gives, since that is None.

    Sources: pandas' references: with ``inplace=True`` a method gives None; Python's tutorial, "More on lists": methods
    that change a list give None.
    """
    if "NoneType" not in site.message:
        return
    nodes = [node for node in site.inner if isinstance(node, ast.expr)]
    for node in nodes:
        if isinstance(node, ast.Call) and node is not site.node and (edit := _inplace(node)) is not None:
            yield from site.patch(
                "Leave out inplace=True, with which it gives None.", site.script.without_argument(node, edit)
            )
    for name in dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name) and _may_be_none(site, node)):
        for script, statement in site.bindings(name):
            yield from _bound(script, statement, name)
            break


def _may_be_none(site: Site, node: ast.Name) -> bool:
    return site.part(node).kind in ("", "NoneType")


def _inplace(call: ast.Call) -> ast.keyword | None:
    found = keyword(call, "inplace")
    return found if found is not None and isinstance(found.value, ast.Constant) and found.value.value is True else None


def _bound(script: Script, statement: ast.Assign, name: str) -> Iterator[Patch]:
    call = statement.value
    if not isinstance(call, ast.Call):
        return
    inplace = _inplace(call)
    if inplace is not None:
        edit = script.without_argument(call, inplace)
        yield from script.patch(f"Leave out inplace=True: with it {name} is None.", edit)
    elif called(call) in GIVING_NOTHING and isinstance(call.func, ast.Attribute):
        owner = call.func.value
        if isinstance(owner, ast.Name) and owner.id == name:
            edit = script.replaced(statement, script.text(call))
            yield from script.patch(f"Do not assign what {called(call)} gives: it changes {name} and gives None.", edit)
        elif called(call) == "sort":
            edit = script.replaced(call, f"sorted({script.text(owner)})")
            yield from script.patch("Use sorted, which gives the list; sort gives None.", edit)
        elif called(call) == "append" and len(call.args) == 1:
            edit = script.replaced(call, f"{script.operand(owner)} + [{script.text(call.args[0])}]")
            yield from script.patch("Use +, which gives the list; append gives None.", edit)


STRATEGIES = (text_and_number, joined_texts, array_for_list, list_first, nothing_given)
