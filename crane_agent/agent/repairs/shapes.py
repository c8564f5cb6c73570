"""Shapes of arrays: dimensions, axes, operands of a product, what is made of one number."""

import ast
import math
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_TWO = r"Expected 2D array, got (1D|scalar) array|Expected a 2-dimensional container|Reshape your data either"
_ONE = (
    r"y should be a 1d array|bad input shape|[Dd]ata must be 1-dimensional|must each be 1-dimensional"
    r"|must be 1-dimensional|Only 1-dimensional input|x must be 1D|input must be 1d|1D arrays? expected"
    r"|1d array was expected|label must be 1d"
)


def two_dimensions(site: Site) -> Iterator[Patch]:
    """Give scikit-learn the one column as a table of one column.

    Sources: the message "Expected 2D array, got 1D array instead ... Reshape your data either using array.reshape(-1,
    1) if your data has a single feature or array.reshape(1, -1) if it contains a single sample."; pandas' user guide,
    "Indexing and selecting data": a list of one column gives a frame.
    """
    if not site.says("ValueError", pattern=_TWO):
        return
    for call in site.calls:
        given = [*call.args, *(each.value for each in call.keywords if each.arg in ("X", "data"))]
        for node in given[:2]:
            part = site.part(node)
            if part.shape is not None and len(part.shape) != 1:
                continue
            if len(given) == 2 and node is given[1] and site.part(given[0]).shape != part.shape:
                continue
            yield from _as_table(site, call, node, part)
            break


def _as_table(site: Site, call: ast.Call, node: ast.expr, part: Part) -> Iterator[Patch]:
    script = site.script
    one_row = site.owner(call).facts.get("n_features_in")
    is_row = one_row is not None and part.shape == (one_row,) and one_row != 1
    if isinstance(node, ast.List | ast.Tuple):
        edit = script.wrapped(node, "[", "]")
        rows = f"[[each] for each in {script.text(node)}]"
        edits = [("one row", edit), ("one column", script.replaced(node, rows))]
        for what, each in (
            edits if is_row or (part.facts.get("length") != 1 and called(call).startswith("predict")) else edits[::-1]
        ):
            yield from site.patch(f"Make a table of {what}: it takes two dimensions.", each)
        return
    is_column = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.Name)
    if is_column and (part.is_series or part.type == "") and isinstance(node, ast.Subscript) and not is_row:
        edit = script.wrapped(node.slice, "[", "]")
        yield from site.patch("Take the column as a table of one column, with a list: it takes two dimensions.", edit)
    array = ".to_numpy()" if part.is_series or "Series" in site.message else ""
    shapes = ["(1, -1)", "(-1, 1)"] if is_row else ["(-1, 1)", "(1, -1)"]
    for shape in shapes:
        edit = script.followed(node, f"{array}.reshape{shape}")
        if part.kind == "list":
            numpy, imported = site.module("numpy", "np")
            edit = script.wrapped(node, f"{numpy}.array(", f").reshape{shape}")
            yield from site.patch(f"Make a table of two dimensions with reshape{shape}.", edit, *imported)
        else:
            yield from site.patch(f"Make a table of two dimensions with reshape{shape}.", edit)


def one_dimension(site: Site) -> Iterator[Patch]:
    """Give one column as an array of one dimension.

    Sources: the message "A column-vector y was passed when a 1d array was expected. Please change the shape of y to
    (n_samples,), for example using ravel()"; numpy's reference of `ravel`.
    """
    if not site.says("ValueError", "TypeError", "Exception", pattern=_ONE):
        return
    for call in site.calls:
        named = [each.value for each in call.keywords]
        inner = [value for each in call.args if isinstance(each, ast.Dict) for value in each.values]
        for node in [*call.args[::-1], *named, *inner]:
            part = site.part(node)
            is_column = part.shape is not None and len(part.shape) == 2 and 1 in part.shape
            is_guess = part.type == "" and node in inner and isinstance(node, ast.Name | ast.Call | ast.Attribute)
            if is_column or is_guess:
                array = ".to_numpy()" if part.is_frame else ""
                edit = site.script.followed(node, f"{array}.ravel()")
                yield from site.patch("Make one dimension of the column with ravel().", edit)


# -- products --------------------------------------------------------------------------------------------------------

_PRODUCT = (
    r"not aligned|mismatch in its core dimension|mat1 and mat2 shapes cannot|inconsistent tensor size|size mismatch"
    r"|matrices are not aligned|dimension mismatch"
)


def product(site: Site) -> Iterator[Patch]:
    """Transpose an operand of a matrix product, or swap the two, where the shapes then fit.

    Source: numpy's reference of `matmul`: the last dimension of the first operand is the first one of the second.
    """
    if not site.says("ValueError", "RuntimeError", pattern=_PRODUCT):
        return
    for left, right in _factors(site):
        a, b = site.part(left, "left").shape, site.part(right, "right").shape
        if a is None or b is None or not 1 <= len(a) <= 2 or not 1 <= len(b) <= 2:
            continue
        script = site.script
        if len(b) == 2 and a[-1] == b[-1]:
            yield from site.patch("Transpose the second operand, so that the shapes fit.", script.followed(right, ".T"))
        if len(a) == 2 and a[0] == b[0]:
            yield from site.patch("Transpose the first operand, so that the shapes fit.", script.followed(left, ".T"))
        if b[-1] == a[0]:
            texts = script.operand(right), script.operand(left)
            edits = [script.replaced(each, text) for each, text in zip((left, right), texts, strict=True)]
            yield from site.patch("Swap the operands, so that the shapes fit.", *edits)


def _factors(site: Site) -> Iterator[tuple[ast.expr, ast.expr]]:
    for operation in site.operations:
        if isinstance(operation.op, ast.MatMult):
            yield operation.left, operation.right
    for call in site.calls:
        name = called(call)
        if name in ("dot", "matmul", "mm") and len(call.args) == 2:
            yield call.args[0], call.args[1]
        elif name in ("dot", "matmul", "mm") and len(call.args) == 1 and isinstance(call.func, ast.Attribute):
            yield call.func.value, call.args[0]


def broadcast(site: Site) -> Iterator[Patch]:
    """Make a column of the operand that has one value a row, or a matrix product of two matrices.

    Source: numpy's user guide, "Broadcasting": shapes are compared from the last dimension on.
    """
    if not site.says(
        "ValueError", "RuntimeError", pattern=r"could not be broadcast together|must match the size of tensor"
    ):
        return
    for operation in site.operations:
        left, right = site.part(operation.left, "left"), site.part(operation.right, "right")
        a, b = left.shape, right.shape
        if a is None or b is None:
            continue
        if len(a) == 2 and b == (a[0],):
            edit = site.script.followed(operation.right, f"{_array(right)}.reshape(-1, 1)")
            yield from site.patch("Make a column of the second operand: it has one value a row.", edit)
        elif len(b) == 2 and a == (b[0],):
            edit = site.script.followed(operation.left, f"{_array(left)}.reshape(-1, 1)")
            yield from site.patch("Make a column of the first operand: it has one value a row.", edit)
        elif len(a) == len(b) == 2 and isinstance(operation.op, ast.Mult) and a[1] == b[0]:
            text = f"{site.script.text(operation.left)} @ {site.script.text(operation.right)}"
            yield from site.patch("Use @, the product of matrices.", site.script.replaced(operation, text))
        elif len(a) == len(b) == 2 and a == b[::-1]:
            yield from site.patch("Transpose the second operand.", site.script.followed(operation.right, ".T"))
        elif math.prod(a) == math.prod(b) and {1} == set(a[1:]) | set(b[1:]):
            edit = site.script.followed(
                operation.right, f"{_array(right)}.reshape({site.script.text(operation.left)}.shape)"
            )
            yield from site.patch("Give the second operand the shape of the first.", edit)


def _array(part: Part) -> str:
    return ".to_numpy()" if part.is_series or part.is_frame else ""


# -- axes ------------------------------------------------------------------------------------------------------------


def axis_in_range(site: Site) -> Iterator[Patch]:
    """Use the last axis that there is.

    Source: the messages "axis 1 is out of bounds for array of dimension 1" of numpy and "Dimension out of range
    (expected to be in range of [-1, 0], but got 1)" of PyTorch.
    """
    found = site.found(
        r"axis (\d+) is out of bounds for array of dimension (\d+)|range of \[-\d+, (\d+)\], but got (\d+)"
    )
    if found is None or site.crash.type not in ("AxisError", "IndexError", "ValueError"):
        return
    wrong = int(found[1] or found[4])
    last = int(found[2]) - 1 if found[2] else int(found[3])
    for call in site.calls:
        named = [each.value for each in call.keywords if each.arg in ("axis", "dim")]
        for node in (*named, *call.args):
            if isinstance(node, ast.Constant) and node.value == wrong and last >= 0:
                edit = site.script.replaced(node, str(last))
                yield from site.patch(f"Use axis {last}, the last that there is.", edit)
                return


def other_axis(site: Site) -> Iterator[Patch]:
    """Join along the axis in which the arrays differ.

    Source: numpy's reference of `concatenate`: the shapes must agree, except along the axis.
    """
    found = site.found(r"except for the concatenation axis must match exactly, but along dimension (\d+)")
    if found is None or site.crash.type != "ValueError":
        return
    for call in site.calls:
        dimension = found[1]
        given = keyword(call, "axis")
        if called(call) == "concatenate" and len(call.args) == 1:
            edit = site.script.with_argument(call, f"axis={dimension}")
            if given is not None:
                edit = site.script.replaced(given.value, dimension)
            yield from site.patch(f"Join along axis {dimension}, in which the arrays differ.", edit)
        elif called(call) in ("vstack", "hstack"):
            name = "hstack" if called(call) == "vstack" else "vstack"
            edit = _function_named(site, call, name)
            yield from site.patch(f"Join with {name}, along the axis in which the arrays differ.", edit)


def _function_named(site: Site, call: ast.Call, name: str) -> Edit | None:
    if isinstance(call.func, ast.Attribute):
        return site.script.renamed(call.func, name)
    return site.script.replaced(call.func, name)


# -- one number ------------------------------------------------------------------------------------------------------

_ONE_NUMBER = (
    r"only (?:length-1|size-1|0-dimensional|one element).*converted|cannot be converted to Scalar"
    r"|can only convert an array of size 1|cannot convert the series to"
)


def one_number(site: Site) -> Iterator[Patch]:
    """Take the number out of an array of one, or convert or compute element by element.

    Sources: numpy's references of `ndarray.item` and `ndarray.astype`; its functions named as those of `math`; pandas'
    message "cannot convert the series to <class 'float'>"; PyTorch's reference of `Tensor.item`.
    """
    if not site.says("TypeError", "ValueError", "RuntimeError", pattern=_ONE_NUMBER):
        return
    for call in site.calls:
        if not call.args:
            continue
        node, part = call.args[0], site.part(call.args[0])
        if part.shape is not None and math.prod(part.shape) == 1:
            yield from site.patch("Take the one number with item().", site.script.followed(node, ".item()"))
            continue
        match call.func:
            case ast.Name(id=("int" | "float" | "bool") as kind):
                text = (
                    f"{site.script.operand(node)}.{kind}()"
                    if part.is_tensor
                    else f"{site.script.operand(node)}.astype({kind})"
                )
                yield from site.patch(f"Convert each number to {kind}.", site.script.replaced(call, text))
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in _ELEMENTWISE:
                library = ("torch", "torch") if part.is_tensor else ("numpy", "np")
                module, imported = site.module(*library)
                edit = site.script.replaced(call.func, f"{module}.{_ELEMENTWISE[name]}")
                yield from site.patch(f"Use {module}.{_ELEMENTWISE[name]}, which takes arrays.", edit, *imported)


_ELEMENTWISE = {
    **{name: name for name in "sqrt exp log log2 log10 log1p expm1 sin cos tan sinh cosh tanh floor ceil".split()},
    **{name: name for name in "fabs isnan isinf radians degrees".split()},
    **{"pow": "power", "atan": "arctan", "asin": "arcsin", "acos": "arccos", "atan2": "arctan2"},
}


def enough_dimensions(site: Site) -> Iterator[Patch]:
    """Leave out an index of an array that has one dimension less.

    Source: numpy's user guide, "Indexing on ndarrays"; the message "too many indices for array".
    """
    if not site.says("IndexError", pattern=r"too many indices for (?:array|tensor)"):
        return
    for node in site.subscripts:
        if not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
            continue
        first, second = node.slice.elts
        is_all = isinstance(first, ast.Slice) and first.lower is first.upper is first.step is None
        if is_all and isinstance(second, ast.Constant):
            edit = site.script.replaced(node, site.script.text(node.value))
            yield from site.patch("Take the array itself: it has one dimension, so one column only.", edit)
            continue
        is_first = isinstance(first, ast.Constant) and first.value == 0
        edit = site.script.replaced(node.slice, site.script.text(second if is_all or is_first else first))
        yield from site.patch("Use one index: the array has one dimension.", edit)


STRATEGIES = (
    two_dimensions,
    one_dimension,
    product,
    broadcast,
    axis_in_range,
    other_axis,
    one_number,
    enough_dimensions,
)
