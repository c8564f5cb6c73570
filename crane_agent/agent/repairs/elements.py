"""One of many: an index that is an array, a key of another class, one record of a list, arrays that do not stack."""

import ast
import math
from collections.abc import Iterator
from typing import TypeGuard

from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_SEQUENCES = ("list", "tuple", "str", "dict", "Index", "OrderedDict", "defaultdict", "ndarray", "range")
_ARRAYS = ("ndarray", "Tensor", "EagerTensor", "Series")
_AS_INDEX = (
    r"only integer scalar arrays|only integer tensors|only integers, slices|unhashable type: '(?:numpy.ndarray|Tensor)'"
    r"|indices must be integers|arrays used as indices must be|tensors used as indices must be|__index__"
    r"|Tensor is unhashable|only length-1 arrays"
)


def one_index(site: Site) -> Iterator[Patch]:
    """Take the one number out of an array that is an index; of one-hot labels or probabilities the place of the most.

    Sources: Python's reference of `operator.index`; numpy's of `ndarray.item` and `argmax`, and its user guide,
    "Indexing with arrays": an array, not a list, can be indexed with an array; PyTorch's of `Tensor.item`.
    """
    is_key = site.crash.type == "KeyError" and site.found(r"^tensor\(|^array\(") is not None
    if not is_key and not site.says("TypeError", "IndexError", pattern=_AS_INDEX):
        return
    for node in site.subscripts:
        owner, key = site.part(node.value, "value"), site.part(node.slice, "key")
        if owner.kind not in _SEQUENCES and owner.type:
            continue
        if key.kind in _ARRAYS and key.shape is not None:
            yield from _chosen(site, node, owner, key)
        elif isinstance(node.slice, ast.Call) and owner.kind != "ndarray":
            edit = site.script.followed(node.slice, ".item()")
            yield from site.patch("Take the one number out of the array: an index is a number.", edit)
            yield from _indexed_array(site, node)


def _chosen(site: Site, node: ast.Subscript, owner: Part, key: Part) -> Iterator[Patch]:
    count = math.prod(key.shape or ())
    if count == 1:
        if owner.kind == "ndarray":
            return
        text = site.script.text(node.slice)
        edit = site.script.followed(node.slice, ".item()")
        if key.kind == "EagerTensor":
            edit = site.script.replaced(node.slice, f"int({text}{'[0]' * len(key.shape or ())})")
        yield from site.patch("Take the one number out of the array: an index is a number.", edit)
        return
    is_row = len(key.shape or ()) == 1 and count == _length(owner)
    is_selection = (
        isinstance(node.slice, ast.Name) and key.dtype.startswith("int") and not _is_loop_variable(site, node)
    )
    if is_selection:
        yield from _indexed_array(site, node)
    if is_row or (len(key.shape or ()) == 1 and key.dtype.startswith("float") and owner.kind != "ndarray"):
        numpy, imported = site.module("numpy", "np")
        edit = site.script.wrapped(node.slice, f"{numpy}.argmax(")
        yield from site.patch("Take the place of the highest value: it has one for each class.", edit, *imported)
    if not is_selection and not is_row:
        yield from _indexed_array(site, node)


def _length(part: Part) -> int | None:
    return part.shape[0] if part.shape else part.facts.get("length")


def _is_loop_variable(site: Site, node: ast.Subscript) -> bool:
    loops = (each for each in site.script.around(node) if isinstance(each, ast.For | ast.comprehension))
    names = {each.id for loop in loops for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
    return isinstance(node.slice, ast.Name) and node.slice.id in names


def _indexed_array(site: Site, node: ast.Subscript) -> Iterator[Patch]:
    if isinstance(node.ctx, ast.Load) and site.part(node.value, "value").kind in ("list", "tuple"):
        numpy, imported = site.module("numpy", "np")
        edit = site.script.wrapped(node.value, f"{numpy}.array(")
        yield from site.patch("Make an array of the list: an array can be indexed with one.", edit, *imported)


def key_of_other_class(site: Site) -> Iterator[Patch]:
    """Look a number up as a text where all keys are texts, and the other way round.

    Source: Python's tutorial, "Dictionaries": keys are found by equality, and no text equals a number. JSON objects
    have keys of text only (Python's reference of `json.dumps`).
    """
    if site.crash.type != "KeyError":
        return
    for node in site.subscripts:
        keys = site.part(node.value, "value").facts.get("keys") or ()
        key = site.part(node.slice, "key")
        if not keys or isinstance(node.slice, ast.Constant) or key.kind in ("slice", "tuple"):
            continue
        is_number = site.found(r"^-?\d+$|^np\.int\d+\(-?\d+\)$") is not None
        alike = [each.slice for each in ast.walk(site.script.tree) if _is_same(each, node)]
        if all(isinstance(each, str) for each in keys) and (is_number or key.kind.startswith("int")):
            edits = [site.script.wrapped(each, "str(") for each in alike]
            yield from site.patch("Look the number up as a text: all keys are texts.", *edits)
        elif all(type(each) is int for each in keys) and key.kind in ("str", "", "float", "float64"):
            edits = [site.script.wrapped(each, "int(") for each in alike]
            yield from site.patch("Look it up as a whole number: all keys are such.", *edits)


def _is_same(node: ast.AST, other: ast.Subscript) -> TypeGuard[ast.Subscript]:
    """Whether a node looks the same thing up as another one does."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and ast.dump(node.value) == ast.dump(other.value)
        and ast.dump(node.slice) == ast.dump(other.slice)
    )


def hashable(site: Site) -> Iterator[Patch]:
    """Make tuples of lists that are keys or elements of a set.

    Source: Python's glossary, "hashable": lists are not, tuples of what is hashable are.
    """
    if not site.says("TypeError", pattern=r"unhashable type: '(?:list|numpy.ndarray)'"):
        return
    for node in site.subscripts:
        if site.part(node.value, "value").kind in ("dict", "defaultdict", "Counter", "OrderedDict"):
            yield from site.patch("Use a tuple as the key: a list is none.", site.script.wrapped(node.slice, "tuple("))
    for call in site.calls:
        name, owner = called(call), site.owner(call)
        if name in ("set", "Counter", "frozenset") and len(call.args) == 1:
            shape = site.part(call.args[0]).shape
            if shape is not None and len(shape) == 2 and 1 in shape:
                edit = site.script.followed(call.args[0], ".ravel()")
                yield from site.patch("Make one dimension of the array, whose rows have one number each.", edit)
            edit = site.script.wrapped(call.args[0], "map(tuple, ")
            yield from site.patch(f"Make tuples of the elements: a {name} takes no lists.", edit)
        elif name == "add" and owner.kind == "set" and len(call.args) == 1:
            yield from site.patch("Add a tuple: a set takes no lists.", site.script.wrapped(call.args[0], "tuple("))
        elif owner.is_series and name in ("unique", "nunique", "value_counts", "duplicated", "mode"):
            assert isinstance(call.func, ast.Attribute)
            edit = site.script.followed(call.func.value, ".map(tuple)")
            yield from site.patch("Make tuples of the lists, which can be compared.", edit)


# -- random ----------------------------------------------------------------------------------------------------------


def random_record(site: Site) -> Iterator[Patch]:
    """Choose one of several records with `random`, rows of an array by their number.

    Sources: numpy's reference of `random.choice`: "a: 1-D array-like or int"; Python's of `random.choice`, which takes
    any sequence.
    """
    if not site.says("ValueError", pattern=r"a must be (?:a )?1-dimensional|must be 1-dimensional or an int"):
        return
    for call in site.calls:
        if called(call) != "choice" or not call.args or not isinstance(call.func, ast.Attribute):
            continue
        node, text = call.args[0], site.script.text(call.args[0])
        part, size = site.part(node), _size(site, call)
        if part.is_array or part.is_tensor:
            edit = site.script.replaced(node, f"len({text})")
            inner = _edited(site.script, call, edit)
            yield from site.patch(
                "Choose numbers of rows, then take those rows.",
                site.script.replaced(call, f"{site.script.operand(node)}[{inner}]") if inner else None,
            )
            continue
        numbers = _edited(site.script, call, site.script.replaced(node, f"len({text})"))
        chosen = f"[{site.script.operand(node)}[each] for each in {numbers}]"
        if size:
            summary = "Choose numbers of records, then take those records: numpy chooses among numbers."
            yield from site.patch(summary, site.script.replaced(call, chosen))
            continue
        name, imported = site.module("random", "random")
        if call.keywords or len(call.args) > 1:
            continue
        same = [each for each in ast.walk(site.script.tree) if ast.dump(each) == ast.dump(call)]
        edits = [site.script.replaced(each, f"{name}.choice({text})") for each in same]
        yield from site.patch(
            "Choose with random, which takes records: numpy chooses among numbers.", *edits, *imported
        )


def _size(site: Site, call: ast.Call) -> str:
    size = keyword(call, "size")
    node = call.args[1] if len(call.args) > 1 else size.value if size is not None else None
    return site.script.text(node) if node is not None else ""


def _edited(script: Script, node: ast.AST, edit: Edit | None) -> str:
    """Return the text of a node with an edit within it."""
    span = script.span(node)
    if span is None or edit is None:
        return ""
    return f"{script.source[span.start : edit.start]}{edit.text}{script.source[edit.end : span.end]}"


# -- arrays of arrays ------------------------------------------------------------------------------------------------


def at_least_one(site: Site) -> Iterator[Patch]:
    """Make arrays of single numbers before they are joined with arrays.

    Sources: the message "zero-dimensional arrays cannot be concatenated"; numpy's reference of `atleast_1d`.
    """
    if not site.says("ValueError", "RuntimeError", pattern=r"zero-dimensional (?:arrays|tensor)|has 0 dimension\(s\)"):
        return
    for call in site.calls:
        if not call.args:
            continue
        node = call.args[0]
        library, short = ("torch", "torch") if "tensor" in site.message else ("numpy", "np")
        name, imported = site.module(library, short)
        if isinstance(node, ast.Tuple | ast.List):
            edits = [site.script.wrapped(each, f"{name}.atleast_1d(") for each in node.elts]
        else:
            text = f"[{name}.atleast_1d(each) for each in {site.script.text(node)}]"
            edits = [site.script.replaced(node, text)]
        yield from site.patch("Make an array of each single number first.", *edits, *imported)


_UNEVEN = r"inhomogeneous shape|setting an array element with a sequence|could not broadcast input array from shape"
_STACKED = r"must have the same shape|each tensor to be equal size|all the input array dimensions"


def colours(site: Site) -> Iterator[Patch]:
    """Read every image with the same colours, where images of several kinds do not make one array.

    Source: Pillow's handbook, "Concepts", "Modes": an image file has one channel (L), three (RGB), four (RGBA) or a
    palette (P), and `Image.convert` gives the one that is wanted.
    """
    pattern = f"{_UNEVEN}|{_STACKED}|doesn't match the broadcast shape|total size of new array|cannot reshape array"
    if not site.says("ValueError", "RuntimeError", "TypeError", pattern=pattern):
        return
    for script in site.scripts:
        edits = [script.followed(each, '.convert("RGB")') for each in _opened(script)]
        if edits:
            yield from script.patch("Read every image with three colours: files have one, three or four.", *edits)
            return


def _opened(script: Script) -> Iterator[ast.Call]:
    for node in ast.walk(script.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="Image" | "PIL") | ast.Attribute(attr="Image"), attr="open")
            ):
                chain = [each.attr for each in script.around(node) if isinstance(each, ast.Attribute)]
                names = {each.id for each in _targets(script, node)}
                if "convert" not in chain and not _is_converted(script, names):
                    yield node


def _targets(script: Script, node: ast.AST) -> Iterator[ast.Name]:
    statement = script.statement(node)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    yield from (each for each in targets if isinstance(each, ast.Name))


def _is_converted(script: Script, names: set[str]) -> bool:
    return any(
        isinstance(each, ast.Attribute)
        and each.attr == "convert"
        and isinstance(each.value, ast.Name)
        and each.value.id in names
        for each in ast.walk(script.tree)
    )


def array_of_objects(site: Site) -> Iterator[Patch]:
    """Make an array of objects of rows that have different lengths.

    Source: numpy 1.24, release notes (NEP 34): "creating ragged arrays ... specify dtype=object".
    """
    if not site.says("ValueError", pattern=r"inhomogeneous shape"):
        return
    for call in site.calls:
        if called(call) in ("array", "asarray") and len(call.args) == 1 and keyword(call, "dtype") is None:
            edit = site.script.with_argument(call, "dtype=object")
            yield from site.patch("Make an array of objects: the rows have different lengths.", edit)


# -- arrays that are used as something else --------------------------------------------------------------------------

_OF_FRAMES = (
    "head tail describe info isnull isna value_counts groupby apply fillna corr nunique unique plot hist "
    "boxplot sort_values to_csv iterrows sample drop_duplicates select_dtypes merge replace map"
).split()


def appended_to_array(site: Site) -> Iterator[Patch]:
    """Assign what ``np.append`` gives: an array has no ``append`` of its own.

    Source: numpy's reference of `append`: it gives a copy; with an axis both have the same number of dimensions.
    """
    found = site.found(r"'numpy\.ndarray' object has no attribute '(append|extend)'")
    for node in site.nodes if found is not None else ():
        call = site.script.parent(node)
        statement = site.script.parent(call) if call is not None else None
        if not (isinstance(node, ast.Attribute) and isinstance(call, ast.Call) and isinstance(statement, ast.Expr)):
            continue
        numpy, imported = site.module("numpy", "np")
        owner, shape = site.script.text(node.value), site.part(node.value, "owner").shape
        given = site.script.text(call.args[0]) if len(call.args) == 1 else ""
        is_rows = shape is not None and len(shape) > 1
        rows = given if node.attr == "extend" else f"[{given}]"
        text = f"{numpy}.append({owner}, {rows}, axis=0)" if is_rows else f"{numpy}.append({owner}, {given})"
        if given:
            edit = site.script.replaced(statement, f"{owner} = {text}")
            yield from site.patch("Assign what np.append gives: an array has no append.", edit, *imported)


def table_again(site: Site) -> Iterator[Patch]:
    """Keep the table that a transformer or ``.values`` made an array of, where it is used as a table.

    Sources: scikit-learn's user guide: `transform` gives arrays; pandas' references of `DataFrame` and
    `DataFrame.to_numpy`.
    """
    of_attribute = site.found(r"'numpy\.ndarray' object has no attribute '(\w+)'")
    by_name = site.says("IndexError", pattern="only integers, slices")
    nodes: list[ast.expr] = []
    for node in site.nodes:
        if (
            isinstance(node, ast.Attribute) and of_attribute and of_attribute[1] in (*_OF_FRAMES, "columns", "drop")
        ) or (isinstance(node, ast.Subscript) and by_name and _is_text(site, node.slice)):
            nodes.append(node.value)
    for owner in nodes:
        part = site.part(owner)
        if not part.is_array or part.shape is None or len(part.shape) > 2:
            continue
        if isinstance(owner, ast.Name) and len(part.shape) == 2:
            yield from _kept_table(site, owner.id)
        if of_attribute is not None and of_attribute[1] in _OF_FRAMES:
            pandas, imported = site.module("pandas", "pd")
            kind = "Series" if len(part.shape) == 1 else "DataFrame"
            edit = site.script.wrapped(owner, f"{pandas}.{kind}(")
            yield from site.patch(f"Make a {kind} of the array, which has {of_attribute[1]}.", edit, *imported)


def _is_text(site: Site, key: ast.expr) -> bool:
    words = key.elts if isinstance(key, ast.List) else [key]
    return all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in words)


def _kept_table(site: Site, name: str) -> Iterator[Patch]:
    for script, statement in site.bindings(name):
        match statement.value:
            case ast.Call(func=ast.Attribute(attr="to_numpy", value=table)) | ast.Attribute(attr="values", value=table):
                edit = script.replaced(statement.value, script.text(table))
                yield from script.patch("Keep the table: it is used as one.", edit)
            case ast.Call(func=ast.Attribute(attr="fit_transform" | "transform"), args=[table, *_]) as call if (
                isinstance(table, ast.Name | ast.Subscript)
            ):
                text = script.text(table)
                pandas = site.imports.get("pandas", "")
                edit = script.wrapped(call, f"{pandas}.DataFrame(", f", columns={text}.columns, index={text}.index)")
                if pandas:
                    yield from script.patch("Make a table of the array again: it is used as one.", edit)
        return


def one_by_one(site: Site) -> Iterator[Patch]:
    """Apply a function of one value to each value of a column, where the column was given to it.

    Source: pandas' gotcha "Using if/truth statements with pandas", and its reference of `Series.apply`.
    """
    pattern = r"truth value of a Series is ambiguous|cannot convert the series to|truth value of an array .* ambiguous"
    if not site.says("ValueError", "TypeError", pattern=pattern) or site.node is None:
        return
    function = next((each for each in site.script.around(site.node) if isinstance(each, ast.FunctionDef)), None)
    if function is None or len(function.args.args) != 1:
        return
    script = site.scripts[0]
    for node in ast.walk(script.tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Subscript() | ast.Attribute() as column], keywords=[]) if (
                name == function.name
            ):
                text = f"{script.operand(column)}.apply({name})"
                yield from script.patch(f"Apply {name} to each value: it takes one.", script.replaced(node, text))


def whole_truth(site: Site) -> Iterator[Patch]:
    """Ask whether all values are equal, or any is missing, where one truth is needed.

    Sources: the message "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()";
    pandas' gotcha "Using if/truth statements with pandas": ``empty``, ``any()`` and ``all()``.
    """
    if not site.says("ValueError", "RuntimeError", pattern=r"truth value of an? \w+|Boolean value of Tensor"):
        return
    for node in site.nodes:
        match site.script.parent(node):
            case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test) | ast.IfExp(test=test) if (
                test is node
            ):
                pass
            case _:
                continue
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as sign], comparators=[right]):
                shapes = site.part(left, "left").shape, site.part(right, "right").shape
                how = "all" if isinstance(sign, ast.Eq) else "any"
                if shapes[0] and shapes[0] == shapes[1]:
                    yield from site.patch(f"Ask for {how} of them.", site.script.followed(node, f".{how}()"))
            case ast.Call(func=ast.Attribute(attr="isnull" | "isna" | "duplicated" | "isnan")):
                yield from site.patch("Ask whether any of them is.", site.script.followed(node, ".any()"))
            case ast.Name(id=name) if site.part(node, "value").library == "pandas":
                edit = site.script.replaced(node, f"not {name}.empty")
                yield from site.patch("Ask whether it has rows.", edit)


def number_itself(site: Site) -> Iterator[Patch]:
    """Use the number itself where its first element is asked for.

    Sources: numpy's message "invalid index to scalar variable."; Python's "'int' object is not subscriptable"; OpenCV
    4.5.4, where `getUnconnectedOutLayers` gives numbers instead of lists of one.
    """
    pattern = r"invalid index to scalar variable|'(?:int|float|numpy\.\w+)' object is not subscriptable"
    if not site.says("IndexError", "TypeError", pattern=pattern):
        return
    for node in site.subscripts:
        if isinstance(node.slice, ast.Constant) and node.slice.value == 0 and isinstance(node.ctx, ast.Load):
            edit = site.script.replaced(node, site.script.operand(node.value))
            yield from site.patch("Use the number itself: it has no elements.", edit)


STRATEGIES = (
    whole_truth,
    number_itself,
    one_index,
    key_of_other_class,
    hashable,
    random_record,
    at_least_one,
    colours,
    array_of_objects,
    appended_to_array,
    table_again,
    one_by_one,
)
