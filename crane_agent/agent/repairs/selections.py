"""Rows and columns of tables that are asked for in another way than the table has them."""

import ast
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Part, Site, called, keyword, literals

_NO_LABELS = r"are in the \[(?:columns|index)\]|not in index|not found in axis"


def positions(site: Site) -> Iterator[Patch]:
    """Ask for rows by their positions with ``iloc`` where an array of positions is given.

    Sources: pandas' user guide, "Indexing and selecting data", "Selection by position"; scikit-learn's user guide,
    "Cross-validation iterators": `split` gives arrays of positions.
    """
    if site.crash.type not in ("KeyError", "IndexError"):
        return
    for node in site.subscripts:
        key = site.part(node.slice, "key")
        by_label = isinstance(node.value, ast.Attribute) and node.value.attr == "loc"
        owner = node.value.value if by_label and isinstance(node.value, ast.Attribute) else node.value
        part = site.part(owner)
        is_table = part.is_frame or part.is_series or (by_label and isinstance(owner, ast.Name))
        if not is_table or not _are_positions(key) or not isinstance(owner, ast.Name):
            continue
        if part.is_frame and any(type(each) is int for each in part.columns) and not by_label:
            continue
        keys = {site.script.text(node.slice), *_indices(site, node)}
        alike = [each for each in ast.walk(site.script.tree) if _takes(each, keys, site.script)]
        everywhere = [_by_position(site.script, each) for each in alike]
        own = [_by_position(site.script, each) for each in alike if _owner(each) == owner.id]
        summary = "Ask for rows by their positions, with iloc: brackets alone take labels."
        yield from site.patch(summary, *everywhere)
        yield from site.patch(summary, *own)
        yield from site.patch(summary, _by_position(site.script, node))


def _are_positions(key: Part) -> bool:
    of_list = key.kind == "list" and set(key.facts.get("elements") or ("",)) <= {"int", "numpy.int64", "numpy.intp"}
    return of_list or (key.is_array and key.dtype.startswith("int")) or key.kind in ("range", "RangeIndex")


def _indices(site: Site, node: ast.Subscript) -> set[str]:
    """Return the names that a loop binds together with the key."""
    loops = [each for each in site.script.around(node) if isinstance(each, ast.For)]
    names = [{each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)} for loop in loops]
    return next((each for each in names if site.script.text(node.slice) in each), set())


def _takes(node: ast.AST, keys: set[str], script: Script) -> bool:
    match node:
        case ast.Subscript(value=ast.Name() | ast.Attribute(value=ast.Name(), attr="loc"), ctx=ast.Load()):
            return isinstance(node.slice, ast.Name) and script.text(node.slice) in keys
    return False


def _owner(node: ast.AST) -> str:
    match node:
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name))):
            return name
    return ""


def _by_position(script: Script, node: ast.AST) -> Edit | None:
    match node:
        case ast.Subscript(value=ast.Attribute(attr="loc") as by_label):
            return script.renamed(by_label, "iloc")
        case ast.Subscript(value=owner):
            return script.replaced(owner, f"{script.operand(owner)}.iloc")
    return None


def labels_for_positions(site: Site) -> Iterator[Patch]:
    """Use ``loc`` for labels and masks, ``iloc`` for positions.

    Sources: the messages "Cannot index by location index with a non-integer key", "Location based indexing can only
    have [integer, ...] types", "iLocation based boolean indexing ..."; pandas' user guide, "Combining positional and
    label-based indexing": ``df.columns.get_loc``.
    """
    pattern = (
        r"[Ll]ocation based|by location index with a non-integer|iLocation based boolean|positional indexing"
        r"|positional indexers"
    )
    if not site.says("ValueError", "TypeError", "NotImplementedError", "IndexError", pattern=pattern):
        return
    for node in site.subscripts:
        if not isinstance(node.value, ast.Attribute) or node.value.attr not in ("iloc", "iat"):
            continue
        match node.slice:
            case ast.Tuple(elts=[ast.Slice(lower=None, upper=None), _]):
                edit = site.script.renamed(node.value, "loc")
                yield from site.patch("Use loc, which takes labels: iloc takes positions.", edit)
            case ast.Tuple(elts=[_, ast.Constant(value=str()) as column]):
                table = site.script.text(node.value.value)
                edit = site.script.wrapped(column, f"{table}.columns.get_loc(")
                yield from site.patch("Give the column's position: iloc takes positions.", edit)
            case _ if site.part(node.slice, "key").kind not in ("float", "float64"):
                edit = site.script.renamed(node.value, {"iat": "at"}.get(node.value.attr, "loc"))
                yield from site.patch("Use loc, which takes labels and masks: iloc takes positions.", edit)


def positions_for_labels(site: Site) -> Iterator[Patch]:
    """Use ``iloc`` where ``loc`` is given the positions of columns.

    Source: pandas' user guide, "Indexing and selecting data": ``loc`` takes labels, ``iloc`` positions.
    """
    if site.crash.type not in ("KeyError", "TypeError"):
        return
    for node in site.subscripts:
        match node:
            case ast.Subscript(
                value=ast.Attribute(attr="loc" | "at", value=table) as by_label, slice=ast.Tuple(elts=[_, key])
            ):
                columns = site.part(table).columns
                numbers = [each for each in ast.walk(key) if isinstance(each, ast.Constant) and type(each.value) is int]
                if numbers and not any(type(each) is int for each in columns):
                    how = {"at": "iat"}.get(by_label.attr, "iloc")
                    yield from site.patch(f"Use {how}, which takes positions.", site.script.renamed(by_label, how))


def masks(site: Site) -> Iterator[Patch]:
    """Say what becomes of missing values in a condition on texts, and leave out the labels of a condition of another
    table.

    Sources: pandas' reference of `Series.str.contains`, ``na``: "Fill value for missing values"; the messages "Cannot
    mask with non-boolean array containing NA / NaN values" and "Unalignable boolean Series provided as indexer".
    """
    if site.says(
        "ValueError", "TypeError", pattern=r"non-boolean array containing NA|bad operand type for unary ~: 'float'"
    ):
        for call in (each for each in site.inner if isinstance(each, ast.Call)):
            if called(call) in ("contains", "startswith", "endswith", "match", "fullmatch") and not keyword(call, "na"):
                edit = site.script.with_argument(call, "na=False")
                yield from site.patch("Count a missing value as no match, with na=False.", edit)
        for node in site.subscripts:
            for script, statement in site.bindings(node.slice.id) if isinstance(node.slice, ast.Name) else ():
                for call in (each for each in ast.walk(statement) if isinstance(each, ast.Call)):
                    if called(call) in ("contains", "startswith", "endswith", "match") and not keyword(call, "na"):
                        edit = script.with_argument(call, "na=False")
                        yield from script.patch("Count a missing value as no match, with na=False.", edit)
                break
    if site.says("IndexingError", pattern=r"Unalignable boolean Series"):
        for node in site.subscripts:
            if not isinstance(node.slice, ast.Tuple):
                edit = site.script.followed(node.slice, ".to_numpy()")
                yield from site.patch("Leave out the labels of the condition: they are another table's.", edit)


def index_as_column(site: Site) -> Iterator[Patch]:
    """Make a column again of what grouping or ``set_index`` made the index.

    Source: pandas' user guide, "Group by", and its reference of `DataFrame.reset_index`.
    """
    if site.crash.type not in ("KeyError", "ValueError", "AttributeError"):
        return
    found = site.found(r"^['\"](.*?)['\"]$|Could not interpret value `(.*?)` for|has no attribute '(\w+)'")
    name = next((each for each in found.groups() if each), "") if found is not None else ""
    tables: list[ast.Name] = []
    for node in site.nodes:
        match node:
            case ast.Subscript(value=ast.Name() as table, slice=ast.Constant(value=key)) if key == name:
                tables.append(table)
            case ast.Attribute(value=ast.Name() as table, attr=key) if key == name:
                tables.append(table)
            case ast.Call():
                tables += [
                    each.value for each in node.keywords if each.arg == "data" and isinstance(each.value, ast.Name)
                ]
    for table in tables:
        part = site.part(table)
        if not (part.is_frame or part.is_series) or name in part.columns:
            continue
        if any(_makes_index(statement, name) for _, statement in site.bindings(table.id)) or _is_index_of(
            site, table.id, name
        ):
            edit = site.script.followed(table, ".reset_index()")
            yield from site.patch(f"Make a column of {name!r} again, which is the index.", edit)


def _makes_index(node: ast.AST, name: str) -> bool:
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
    making = (
        each
        for each in calls
        if called(each) in ("groupby", "set_index", "pivot_table", "pivot", "read_csv", "resample")
    )
    return any(
        word.text == name
        for call in making
        for part in (*call.args, *(each.value for each in call.keywords))
        for word in literals(ast.walk(part))
    )


def _is_index_of(site: Site, table: str, name: str) -> bool:
    """Whether ``table.set_index(name, inplace=True)`` stands in a cell."""
    for script in site.scripts:
        for call in ast.walk(script.tree):
            match call:
                case ast.Call(func=ast.Attribute(attr="set_index", value=ast.Name(id=owner))) if owner == table:
                    if _makes_index(call, name):
                        return True
    return False


def counted_values(site: Site) -> Iterator[Patch]:
    """Call the columns of counted values as they were called before pandas 2.

    Source: pandas 2.0, what's new: "value_counts() ... the resulting name is 'count' ... and the index name is the
    original object name".
    """
    if site.crash.type not in ("KeyError", "ValueError", "AttributeError") or site.found(r"['`]index['`]") is None:
        return
    for script in site.scripts:
        for call in ast.walk(script.tree):
            match call:
                case ast.Call(
                    func=ast.Attribute(
                        attr="reset_index",
                        value=ast.Call(func=ast.Attribute(attr="value_counts", value=column)) as counts,
                    ),
                    args=[],
                    keywords=[],
                ) if label := _label(column):
                    text = f'{script.text(counts)}.rename_axis("index").reset_index(name={label!r})'
                    summary = "Call the columns of value_counts as the code does: since pandas 2 they have other names."
                    yield from script.patch(summary, script.replaced(call, text))


def _label(column: ast.expr) -> str:
    match column:
        case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Attribute(attr=name):
            return name
    return ""


def rows_of_apply(site: Site) -> Iterator[Patch]:
    """Apply a function to rows, with ``axis=1``, where it asks its argument for columns.

    Source: pandas' reference of `DataFrame.apply`: ``axis=0``, the default, gives it columns.
    """
    if site.crash.type not in ("KeyError", "AttributeError") or site.node is None:
        return
    inside = next(
        (each for each in site.script.around(site.node) if isinstance(each, ast.Lambda | ast.FunctionDef)), None
    )
    for node in site.nodes:
        owner = node.value if isinstance(node, ast.Subscript | ast.Attribute) else None
        if inside is None or not site.part(owner).is_series or not isinstance(owner, ast.Name):
            continue
        if not any(each.arg == owner.id for each in inside.args.args):
            continue
        for script in [site.script, *site.scripts[:1]]:
            for call in ast.walk(script.tree):
                if not isinstance(call, ast.Call) or called(call) != "apply" or not call.args or keyword(call, "axis"):
                    continue
                given = call.args[0]
                is_named = (
                    isinstance(inside, ast.FunctionDef) and isinstance(given, ast.Name) and given.id == inside.name
                )
                if given is inside or is_named:
                    summary = "Apply the function to rows, with axis=1: without it, it gets columns."
                    yield from script.patch(summary, script.with_argument(call, "axis=1"))


def known_in_query(site: Site) -> Iterator[Patch]:
    """Mark a variable in a query with ``@``.

    Source: pandas' reference of `DataFrame.query`: "You can refer to variables in the environment by prefixing them
    with an '@' character".
    """
    found = site.found(r"name '(\w+)' is not defined") if site.crash.type == "UndefinedVariableError" else None
    for call in site.calls if found is not None else ():
        assert found is not None
        if called(call) in ("query", "eval") and found[1] in site.known:
            for word in literals(call.args):
                text = re.sub(rf"(?<![\w@`'\".]){found[1]}\b", f"@{found[1]}", word.text)
                yield from site.patch(
                    f"Write @{found[1]}: it is a variable, no column.", site.script.quoted(word.node, text)
                )


STRATEGIES = (
    positions,
    labels_for_positions,
    positions_for_labels,
    masks,
    counted_values,
    rows_of_apply,
    index_as_column,
    known_in_query,
)
