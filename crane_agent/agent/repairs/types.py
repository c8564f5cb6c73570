"""Casts: texts that hold numbers or dates, whole numbers that are floats, what a loop runs over."""

import ast
import re
from collections.abc import Iterator, Sequence

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site, called

_TO_NUMBER = r"could not convert string to float|invalid literal for int|Unable to parse string"
_SIGNS = r"[,+$€£¥%]"


def number_in_text(site: Site) -> Iterator[Patch]:
    """Take out of a text what is no part of its number, before it is converted.

    Sources: Python's references of `float` and `int`; pandas' of `Series.str.replace`. The text that the message quotes
    shows which signs are in the way: a thousands separator, a currency, per cent; or that it is no whole number.
    """
    found = re.search(r": '(.*)'", site.message) if site.says("ValueError", pattern=_TO_NUMBER) else None
    quoted = found[1].strip() if found is not None else ""
    signs = "".join(dict.fromkeys(re.findall(_SIGNS, quoted)))
    rest = re.sub(_SIGNS, "", quoted)
    if not _is_number(rest):
        return
    for call in site.calls:
        match call.func:
            case ast.Name(id="int" | "float") if call.args and signs:
                removed = "".join(f'.replace("{sign}", "")' for sign in signs)
                edit = site.script.followed(call.args[0], removed)
                yield from site.patch(f"Take {_named(signs)} out of the text first.", edit)
            case ast.Name(id="int") if call.args and not signs:
                edit = site.script.wrapped(call.args[0], "float(")
                yield from site.patch("Read the text as a float first: it is no whole number.", edit)
            case ast.Attribute(value=owner, attr="astype") if call.args and site.script.text(call.args[0]) in (
                "int",
                "'int'",
            ):
                edit = site.script.followed(owner, ".astype(float)")
                yield from site.patch("Read the texts as floats first: they are no whole numbers.", edit)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _named(signs: str) -> str:
    return " and ".join(f'"{sign}"' for sign in signs)


def integers_with_gaps(site: Site) -> Iterator[Patch]:
    """Convert to pandas' whole numbers, among which values may be missing.

    Source: the message of pandas, "cast to an integer type that supports these values (e.g. 'Int64')", and its user
    guide, "Nullable integer data type".
    """
    if not site.says(
        "IntCastingNaNError",
        "ValueError",
        pattern=r"Cannot convert non-finite values|cannot convert float NaN to integer",
    ):
        return
    for call in site.calls:
        if called(call) == "astype" and call.args and isinstance(call.args[0], ast.Name | ast.Constant | ast.Attribute):
            edit = site.script.replaced(call.args[0], '"Int64"')
            yield from site.patch('Convert to "Int64", in which values may be missing, as they are here.', edit)


_NO_INDEX = (
    r"cannot be interpreted as an integer|indices must be integers|only integers, slices|must be an? (?:positive )?int"
    r"|non-integer key|positional indexing|expected a sequence of integers or a single integer|integer is required"
    r"|integer argument expected, got float|must be .*an int.*(?:got|not) .*float|can't be a float"
    r"|must be int, not float|slice must be an integer|'float' object cannot be|type 'float'|of type float"
)


def whole_number(site: Site) -> Iterator[Patch]:
    """Make a whole number of a float that counts or indexes: ``//`` for a division, else ``int()``.

    Sources: Python 3.0, what's new, "Integers": ``/`` gives a float, ``//`` rounds down; numpy 1.12, release notes:
    floats are no indices.
    """
    if not site.says("TypeError", "IndexError", "ValueError", "InvalidParameterError", pattern=_NO_INDEX):
        return
    nodes: list[ast.expr] = []
    for node in site.nodes:
        if isinstance(node, ast.Call):
            nodes += [*node.args, *(each.value for each in node.keywords)]
        elif isinstance(node, ast.Subscript):
            nodes += [node.slice]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            nodes += [node.left, node.right]
    edits = [edit for node in nodes for edit in _whole(site, node)]
    if edits:
        yield from site.patch("Make whole numbers of the floats: only those count or index.", *edits)


def _whole(site: Site, node: ast.expr) -> Iterator[Edit | None]:
    """Yield the edits that make the floats in an argument or index whole."""
    part = site.part(node)
    match node:
        case ast.Tuple(elts=inner) | ast.List(elts=inner):
            for each in inner:
                yield from _whole(site, each)
        case ast.Slice():
            for bound in (node.lower, node.upper, node.step):
                if bound is not None:
                    yield from _whole(site, bound)
        case ast.Constant(value=float(value)) if value.is_integer():
            yield site.script.replaced(node, str(int(value)))
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            spans = site.script.span(left), site.script.span(right)
            if spans[0] is not None and spans[1] is not None:
                between = site.script.source[spans[0].end : spans[1].start]
                place = spans[0].end + between.find("/")
                yield Edit(place, place + 1, "//") if between.count("/") == 1 else None
        case ast.BinOp() if any(_is_float(each) for each in ast.walk(node)):
            yield site.script.wrapped(node, "int(")
        case ast.Constant(value=str(value)) if value.isdigit():
            yield site.script.replaced(node, value)
        case _ if part.kind in ("float", "float64", "float32", "str") and not isinstance(node, ast.Constant):
            yield site.script.wrapped(node, "int(")
        case ast.Call(func=ast.Attribute(attr="floor" | "ceil" | "round" | "rint" | "sqrt" | "mean")):
            yield site.script.wrapped(node, "int(")
        case ast.Name() if (part.is_array and part.dtype.startswith("float")) or (
            part.is_series and part.dtype.startswith("float")
        ):
            yield site.script.followed(node, ".astype(int)")


def _is_float(node: ast.AST) -> bool:
    is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return is_literal or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))


def text_to_number(site: Site) -> Iterator[Patch]:
    """Convert the operand that is a text, or a column of texts, to a number, or to dates where both are dates.

    Sources: pandas' user guide, "Basic functionality", "astype" and "Object conversion"; Python's reference of `float`.
    """
    pattern = (
        r"not supported between instances of|unsupported operand type|can't multiply sequence|bad operand type"
        r"|does not support operation|operation '\w+' not supported|ufunc '\w+' did not contain|has no callable"
        r"|Invalid comparison|ufunc '\w+' not supported for the input types|the resolved dtypes are not compatible"
        r"|must be (?:real )?number, not str|doesn't define __round__|Cannot perform reduction"
        r"|could not be safely coerced|Cannot compare|Can only string multiply by an integer"
    )
    if not site.says("TypeError", "UFuncTypeError", "_UFuncNoLoopError", "ValueError", pattern=pattern):
        return
    nodes: list[ast.expr] = []
    for node in site.nodes:
        match node:
            case ast.BinOp(left=left, right=right):
                nodes += [left, right]
            case ast.Compare(left=left, comparators=others):
                nodes += [left, *others]
            case ast.AugAssign(value=value):
                nodes.append(value)
            case ast.Call(args=args):
                nodes += args[:1]
                if isinstance(node.func, ast.Attribute):
                    nodes.append(node.func.value)
    texts = [node for node in nodes if _holds_text(site.part(node)) and not isinstance(node, ast.JoinedStr)]
    parts = [site.part(node) for node in nodes]
    for number, what in (("float", "numbers"), ("date", "dates")):
        if number == "date" or any(
            "datetime" in part.dtype or part.kind in ("Timestamp", "datetime") for part in parts
        ):
            yield from _to_dates(site, texts, nodes)
        if number == "float" and texts:
            edits = [_to_float(site, node, site.part(node)) for node in texts]
            yield from site.patch(f"Convert the texts to {what}.", *edits)


def _holds_text(part: Part) -> bool:
    is_array = part.is_array and (part.dtype == "object" or part.dtype.startswith(("<U", "|S")))
    return part.kind == "str" or is_array or (part.is_series and part.dtype in ("object", "str", "string"))


def _to_float(site: Site, node: ast.expr, part: Part) -> Edit | None:
    if part.is_series or part.is_array:
        return site.script.followed(node, ".astype(float)")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return site.script.replaced(node, node.value) if _is_number(node.value) else None
    return site.script.wrapped(node, "float(")


def _to_dates(site: Site, texts: Sequence[ast.expr], nodes: Sequence[ast.expr]) -> Iterator[Patch]:
    is_difference = any(
        isinstance(node, ast.Compare) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub))
        for node in site.nodes
    )
    if texts and is_difference and len(nodes) == 2:
        pandas, imported = site.module("pandas", "pd")
        edits = [site.script.wrapped(node, f"{pandas}.to_datetime(") for node in texts]
        yield from site.patch("Convert the texts to dates.", *edits, *imported)


def loop_over(site: Site) -> Iterator[Patch]:
    """Loop over what the variables of the loop are for: items, rows with labels, a range, numbered elements.

    Sources: Python's tutorial, "Looping techniques" (`items`, `enumerate`) and "The range() function"; pandas'
    reference of `DataFrame.iterrows` and `Series.items`.
    """
    pattern = r"to unpack|non-iterable|object is not iterable|iteration over a 0-d"
    if not site.says("ValueError", "TypeError", pattern=pattern):
        return
    for loop in _loops(site):
        part = next((each for each in site.parts if each.role == "iterable" and each.type), site.part(loop.iter))
        is_pair = isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2
        script = site.script
        if (
            "not iterable" in site.message
            and part.kind in ("int", "int64", "")
            and not is_pair
            and "'int" in site.message
        ):
            yield from site.patch("Loop over range(...): a number is none.", script.wrapped(loop.iter, "range("))
        elif is_pair and part.kind in ("dict", "OrderedDict", "defaultdict", "Counter", "Series", "ModuleDict"):
            yield from site.patch(
                "Loop over the items, pairs of key and value.", script.followed(loop.iter, ".items()")
            )
        elif is_pair and part.is_frame:
            yield from site.patch(
                "Loop over the rows, pairs of label and row.", script.followed(loop.iter, ".iterrows()")
            )
            yield from site.patch(
                "Loop over the columns, pairs of label and column.", script.followed(loop.iter, ".items()")
            )
        elif is_pair and part.kind in ("list", "tuple", "ndarray", "Index", "str", "range", "Tensor"):
            yield from site.patch(
                "Loop over enumerate(...), pairs of number and element.", script.wrapped(loop.iter, "enumerate(")
            )
        elif is_pair and part.kind == "":
            yield from site.patch(
                "Loop over the items, pairs of key and value.", script.followed(loop.iter, ".items()")
            )
            yield from site.patch(
                "Loop over enumerate(...), pairs of number and element.", script.wrapped(loop.iter, "enumerate(")
            )


def _loops(site: Site) -> Iterator[ast.For | ast.comprehension]:
    if site.node is None:
        return
    if not site.is_exact:
        yield from (each for each in site.inner if isinstance(each, ast.comprehension))
    for node in (site.node, *site.script.around(site.node)):
        if isinstance(node, ast.For | ast.comprehension):
            own = [*ast.walk(node.target), node.iter]
            if site.node in own or site.node is node:
                yield node
            return


def new_array(site: Site) -> Iterator[Patch]:
    """Assign the result instead of changing an array of whole numbers in place.

    Source: numpy 1.10, release notes: in-place operations cast with the rule 'same_kind'; for PyTorch, its page on type
    promotion: "result type Float can't be cast to the desired output type Long".
    """
    if not site.says(
        "UFuncTypeError",
        "_UFuncOutputCastingError",
        "TypeError",
        "RuntimeError",
        pattern=r"casting rule 'same_kind'|can't be cast to the desired output type",
    ):
        return
    for node in site.nodes:
        match node:
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                sign = _sign(site, node)
                text = f"{name} = {name} {sign} {site.script.term(value)}"
                if sign:
                    yield from site.patch(
                        "Assign the result: the array of whole numbers cannot hold it.",
                        site.script.replaced(node, text),
                    )


def _sign(site: Site, node: ast.AugAssign) -> str:
    target, value = site.script.span(node.target), site.script.span(node.value)
    between = site.script.source[target.end : value.start] if target and value else ""
    found = re.match(r"\s*([-+*/%@&|^<>]+)=", between)
    return found[1] if found is not None else ""


def plain_for_json(site: Site) -> Iterator[Patch]:
    """Give JSON lists of plain numbers.

    Source: Python's reference of `json`, "Encoders and decoders", its table of what is serialised; `ndarray.tolist`.
    """
    found = site.found(r"Object of type (\w+) is not JSON serializable") if site.crash.type == "TypeError" else None
    for call in site.calls if found is not None else ():
        part = site.part(call.args[0]) if call.args else Part()
        if part.is_array or part.is_series or part.is_tensor:
            yield from site.patch("Make a list of it.", site.script.followed(call.args[0], ".tolist()"))
        elif (
            found is not None
            and found[1] in ("int64", "int32", "float32", "float64", "bool_")
            and called(call) in ("dump", "dumps")
        ):
            number = "int" if found[1].startswith("int") else "float"
            edit = site.script.with_argument(call, f"default={number}")
            yield from site.patch(f"Write each of numpy's numbers as {number}.", edit)


STRATEGIES = (number_in_text, integers_with_gaps, whole_number, text_to_number, loop_over, new_array, plain_for_json)
