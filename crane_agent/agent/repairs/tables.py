"""Tables that are read, joined, grouped and reshaped."""

import ast
from collections.abc import Iterator, Mapping

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Part, Site, called, keyword, literals

# -- reading ---------------------------------------------------------------------------------------------------------

_READERS = {"read_csv", "read_table", "open", "read_fwf", "read_json", "reader"}


def encoding(site: Site) -> Iterator[Patch]:
    """Read a file in another encoding than UTF-8, or in UTF-8 where the system has another one.

    Sources: pandas' user guide, "Dealing with Unicode data", which reads with ``encoding="latin-1"``; Python's
    reference of `open`, ``encoding``; of `codecs`, UTF-16 begins with FF FE or FE FF.
    """
    if site.crash.type != "UnicodeDecodeError":
        return
    begins = site.found(r"byte 0x(?:ff|fe) in position 0") is not None
    is_utf = site.found(r"'utf-?8' codec") is not None
    names = ["utf-16", "latin-1"] if begins else ["latin-1"] if is_utf else ["utf-8", "latin-1"]
    for call in _readers(site):
        node = keyword(call, "encoding")
        if called(call) in ("read_csv", "read_table") and _path(call).endswith((".xlsx", ".xls")):
            assert isinstance(call.func, ast.Attribute)
            edit = site.script.renamed(call.func, "read_excel")
            yield from site.patch("Read the file as what it is, a workbook.", edit)
        for name in names:
            setting = f'encoding="{name}"'
            edit = site.script.with_argument(call, setting) if node is None else site.script.replaced(node, setting)
            yield from site.patch(f"Read the file with {setting}: it is in another one.", edit)


def _readers(site: Site) -> Iterator[ast.Call]:
    """Yield the calls that read a file: the failing one, or that which opened what it reads."""
    for call in site.calls:
        if called(call) in _READERS:
            yield call
        elif isinstance(call.func, ast.Attribute) and called(call) in ("read", "readlines", "readline"):
            yield from (
                each for each in ast.walk(site.script.tree) if isinstance(each, ast.Call) and called(each) == "open"
            )
    if not site.calls:
        yield from (
            each for each in ast.walk(site.script.tree) if isinstance(each, ast.Call) and called(each) == "open"
        )


def _path(call: ast.Call) -> str:
    return next((each.text for each in literals(call.args[:1])), "").lower()


def separator(site: Site) -> Iterator[Patch]:
    """Read a table with the separator that its file has.

    Sources: pandas' reference of `read_csv`: with ``sep=None`` "the Python parsing engine ... will automatically detect
    the separator" with `csv.Sniffer`; the message "Error tokenizing data. C error: Expected 1 fields in line 3, saw 4".
    """
    if site.says("ParserError", pattern=r"Error tokenizing data"):
        for call in site.calls:
            if called(call) in ("read_csv", "read_table") and not (keyword(call, "sep") or keyword(call, "delimiter")):
                edit = site.script.with_argument(call, 'sep=None, engine="python"')
                yield from site.patch("Let pandas find out the separator: the comma is not the one.", edit)
    if site.crash.type not in ("KeyError", "AttributeError"):
        return
    for node in site.nodes:
        table = node.value if isinstance(node, ast.Subscript | ast.Attribute) else None
        columns = site.part(table).columns
        wanted = (
            node.attr if isinstance(node, ast.Attribute) else next((each.text for each in literals(site.inner)), "")
        )
        if not isinstance(table, ast.Name) or len(columns) != 1 or not isinstance(columns[0], str):
            continue
        sign = next((each for each in (";", "\t", "|") if each in columns[0]), "")
        names = [each.strip("\"' ") for each in columns[0].split(sign)] if sign else []
        for script, statement in site.bindings(table.id) if wanted in names else ():
            if isinstance(statement.value, ast.Call) and called(statement.value) in ("read_csv", "read_table"):
                edit = script.with_argument(statement.value, f"sep={sign!r}")
                yield from script.patch(f"Read the file with sep={sign!r}: all of it became one column.", edit)
            break


def lines_of_json(site: Site) -> Iterator[Patch]:
    """Read a file of one JSON object a line as such.

    Sources: pandas' reference of `read_json`, ``lines``; the message "Trailing data".
    """
    if site.says("ValueError", pattern=r"Trailing data"):
        for call in site.calls:
            if called(call) == "read_json" and keyword(call, "lines") is None:
                edit = site.script.with_argument(call, "lines=True")
                yield from site.patch("Read one object a line: the file has several.", edit)


# -- joining ---------------------------------------------------------------------------------------------------------


def names_that_overlap(site: Site) -> Iterator[Patch]:
    """Give columns that both tables have names that tell them apart.

    Source: pandas' reference of `DataFrame.join`, ``rsuffix``; the message "columns overlap but no suffix specified".
    """
    if not site.says("ValueError", pattern=r"columns overlap but no suffix"):
        return
    for call in site.calls:
        if called(call) == "join":
            edit = site.script.with_argument(call, 'rsuffix="_right"')
            yield from site.patch("Tell columns of the same name apart with rsuffix.", edit)


def keys_of_one_class(site: Site) -> Iterator[Patch]:
    """Convert the key of one table to the class that it has in the other one.

    Source: the message "You are trying to merge on object and int64 columns for key 'id'"; pandas' reference of
    `DataFrame.astype`, which takes a class for each column.
    """
    found = site.found(r"trying to merge on (\S+) and (\S+) columns")
    for call in site.calls if found is not None else ():
        assert found is not None
        method = isinstance(call.func, ast.Attribute) and len(call.args) >= 1 and site.owner(call).kind != "module"
        tables = [call.func.value, call.args[0]] if method and isinstance(call.func, ast.Attribute) else call.args[:2]
        keys = [_key(call, "left_on"), _key(call, "right_on")]
        classes = found[1], found[2]
        if len(tables) != 2 or called(call) != "merge" or None in keys:
            continue
        texts = [place for place in (0, 1) if classes[place] in ("object", "str", "string", "category")]
        for place in texts:
            other = classes[1 - place].rstrip(",")
            edit = site.script.followed(tables[place], f".astype({{{keys[place]}: {other!r}}})")
            yield from site.patch(f"Convert the key to {other}, as it is in the other table.", edit)
            edit = site.script.followed(tables[1 - place], f".astype({{{keys[1 - place]}: str}})")
            yield from site.patch("Convert the key to texts, as it is in the other table.", edit)


def _key(call: ast.Call, name: str) -> str | None:
    node = keyword(call, name) or keyword(call, "on")
    match node.value if node is not None else None:
        case ast.Constant(value=str(key)) | ast.List(elts=[ast.Constant(value=str(key))]):
            return repr(key)
    return None


def tables_to_join(site: Site) -> Iterator[Patch]:
    """Make tables of the dictionaries, lists and arrays that tables are joined with.

    Source: the message "cannot concatenate object of type '<class 'dict'>'; only Series and DataFrame objs are valid".
    """
    found = site.found(r"cannot concatenate object of type '<class '([\w.]+)'>'")
    for call in site.calls if found is not None else ():
        assert found is not None
        node = call.args[0] if call.args else None
        pandas, imported = site.module("pandas", "pd")
        kind, wrap = found[1], found[1] in ("dict", "collections.OrderedDict")
        if isinstance(node, ast.List | ast.Tuple):
            plain = [each for each in node.elts if _is_of(site.part(each), each, kind)]
            edits = [
                site.script.wrapped(each, f"{pandas}.DataFrame({'[' if wrap else ''}", f"{']' if wrap else ''})")
                for each in plain
            ]
            if edits:
                yield from site.patch("Make a table of it first: only tables are joined.", *edits, *imported)
        elif isinstance(node, ast.Name) and wrap:
            edit = site.script.replaced(call, f"{pandas}.DataFrame({site.script.text(node)})")
            yield from site.patch("Make a table of the records: it takes dictionaries.", edit, *imported)


def _is_of(part: Part, node: ast.expr, kind: str) -> bool:
    is_literal = (isinstance(node, ast.Dict) and kind == "dict") or (isinstance(node, ast.List) and kind == "list")
    return is_literal or (bool(part.kind) and part.kind == kind.rpartition(".")[2])


def labels_of_their_own(site: Site) -> Iterator[Patch]:
    """Number the rows anew where joining tables left the same labels twice.

    Sources: the messages "cannot reindex on an axis with duplicate labels" and "Reindexing only valid with uniquely
    valued Index objects"; pandas' reference of `concat`, ``ignore_index``, and of `reset_index`.
    """
    pattern = (
        r"cannot reindex on an axis with duplicate|Reindexing only valid with uniquely|cannot reindex from a duplicate"
    )
    if not site.says("ValueError", "InvalidIndexError", pattern=pattern):
        return
    names = dict.fromkeys(each.id for each in site.inner if isinstance(each, ast.Name) and _is_table(site.part(each)))
    for name in names:
        for script, statement in site.bindings(name):
            call = statement.value
            if isinstance(call, ast.Call) and called(call) == "concat" and not keyword(call, "ignore_index"):
                axis = keyword(call, "axis")
                if axis is None or (isinstance(axis.value, ast.Constant) and axis.value.value == 0):
                    edit = script.with_argument(call, "ignore_index=True")
                    yield from script.patch("Number the rows anew: labels are there twice.", edit)
            break
    for call in site.calls:
        if called(call) == "concat" and call.args and isinstance(call.args[0], ast.List | ast.Tuple):
            tables = [each for each in call.args[0].elts if _is_table(site.part(each)) or isinstance(each, ast.Name)]
            edits = [site.script.followed(each, ".reset_index(drop=True)") for each in tables]
            if edits:
                yield from site.patch("Number the rows of each table anew: labels are there twice.", *edits)
        data = keyword(call, "data")
        if data is not None and isinstance(data.value, ast.Name):
            edit = site.script.followed(data.value, ".reset_index(drop=True)")
            yield from site.patch("Number the rows anew: labels are there twice.", edit)


def _is_table(part: Part) -> bool:
    return part.is_frame or part.is_series


def compared_by_position(site: Site) -> Iterator[Patch]:
    """Compare two columns row by row where their labels differ.

    Source: the message "Can only compare identically-labeled Series objects"; pandas' user guide, "Comparing if
    objects are equivalent".
    """
    if not site.says("ValueError", pattern=r"Can only compare identically-labeled"):
        return
    for node in site.nodes:
        if isinstance(node, ast.Compare) and len(node.comparators) == 1:
            left, right = site.part(node.left), site.part(node.comparators[0])
            if left.shape is not None and left.shape == right.shape:
                edit = site.script.followed(node.comparators[0], ".to_numpy()")
                yield from site.patch("Compare row by row: the labels differ.", edit)


# -- grouping and reshaping ------------------------------------------------------------------------------------------


def numeric_groups(site: Site) -> Iterator[Patch]:
    """Aggregate the numeric columns only, where the others have no such statistic.

    Source: pandas 2.0, what's new: ``numeric_only`` is False by default; its reference of `DataFrame.select_dtypes`.
    """
    pattern = r"agg function failed|[Cc]ould not convert|does not support|dtype .* (?:does not|not supported)"
    if not site.says("TypeError", "ValueError", pattern=pattern):
        return
    for call in site.calls:
        match call:
            case ast.Call(
                func=ast.Attribute(attr="agg" | "aggregate" | "transform" | "apply"), args=[ast.Constant(value=str())]
            ):
                if not keyword(call, "numeric_only"):
                    edit = site.script.with_argument(call, "numeric_only=True")
                    yield from site.patch("Aggregate the numeric columns only.", edit)
            case ast.Call(
                func=ast.Attribute(
                    attr="agg" | "aggregate",
                    value=ast.Call(func=ast.Attribute(attr="groupby", value=ast.Name(id=table))) as groups,
                ),
                args=[ast.List()],
            ):
                edit = site.script.followed(groups, f'[{table}.select_dtypes("number").columns]')
                yield from site.patch("Aggregate the numeric columns only.", edit)


def mean_of_duplicates(site: Site) -> Iterator[Patch]:
    """Suggest the mean where several rows would become one cell.

    Source: pandas' user guide, "Reshaping", `pivot_table`: "while pivot can only handle unique rows ... pivot_table".
    What is right for rows that share a cell only the user knows, which the summary says.
    """
    if not site.says("ValueError", pattern=r"Index contains duplicate entries, cannot reshape"):
        return
    for call in site.calls:
        if called(call) == "pivot" and isinstance(call.func, ast.Attribute):
            edits = site.script.renamed(call.func, "pivot_table"), site.script.with_argument(call, 'aggfunc="mean"')
            summary = "A suggestion: take the mean of the rows that share a cell. Whether that is right, you know."
            yield from site.patch(summary, *edits)


def columns_of_parts(site: Site) -> Iterator[Patch]:
    """Split texts into columns, as many as are assigned to.

    Source: pandas' reference of `Series.str.split`, ``expand`` and ``n``; the message "Columns must be same length as
    key".
    """
    if not site.says("ValueError", pattern=r"Columns must be same length as key"):
        return
    statement = site.script.statement(site.node) if site.node is not None else None
    match statement:
        case ast.Assign(targets=[ast.Subscript(slice=ast.List(elts=names))], value=ast.Call() as call) if called(
            call
        ) in (
            "split",
            "rsplit",
        ):
            settings = []
            if keyword(call, "n") is None and len(call.args) < 2:
                settings.append(f"n={len(names) - 1}")
            if keyword(call, "expand") is None:
                settings.append("expand=True")
            if settings:
                edit = site.script.with_argument(call, ", ".join(settings))
                yield from site.patch(f"Split into {len(names)} columns with {', '.join(settings)}.", edit)


def edges_once(site: Site) -> Iterator[Patch]:
    """Use each edge of the bins once.

    Source: the message "Bin edges must be unique ... You can drop duplicate edges by setting the 'duplicates' kwarg".
    """
    if site.says("ValueError", pattern=r"Bin edges must be unique"):
        for call in site.calls:
            if called(call) in ("cut", "qcut"):
                edit = site.script.with_argument(call, 'duplicates="drop"')
                yield from site.patch("Use each edge once: several are the same number.", edit)


def free_category(site: Site) -> Iterator[Patch]:
    """Make plain values of categories before a value is filled in that is none of them.

    Source: the message "Cannot setitem on a Categorical with a new category, set the categories first"; pandas' user
    guide, "Categorical data".
    """
    if not site.says("TypeError", "ValueError", pattern=r"Cannot setitem on a Categorical with a new category"):
        return
    for call in site.calls:
        if called(call) == "fillna" and isinstance(call.func, ast.Attribute):
            edit = site.script.followed(call.func.value, ".astype(object)")
            yield from site.patch("Make plain values of the categories first: the value is none of them.", edit)


# -- what pandas no longer has ---------------------------------------------------------------------------------------

_REWRITTEN: Mapping[str, str] = {
    # pandas 0.23, 1.1, 2.0 and 3.0, what's new.
    "week": "isocalendar().week",
    "weekofyear": "isocalendar().week",
    "weekday_name": "day_name()",
    "hide_index": 'hide(axis="index")',
    "render": "to_html()",
}


def rewritten(site: Site) -> Iterator[Patch]:
    """Write what pandas no longer has as its successor, where that is more than another name.

    Sources: pandas' what's new, "Removal of prior version deprecations/changes", of 1.0 (weekday_name), 2.0 (week,
    weekofyear, mad, Styler.hide_index, Styler.render, Styler.set_precision, pandas.np, pandas.datetime) and 3.0
    (``fillna(method=...)``).
    """
    found = site.found(r"has no attribute '(\w+)'") if site.crash.type == "AttributeError" else None
    for node in site.nodes if found is not None else ():
        assert found is not None
        if not isinstance(node, ast.Attribute) or node.attr != found[1]:
            continue
        call = site.script.parent(node)
        owner = site.script.operand(node.value)
        is_call = isinstance(call, ast.Call) and call.func is node
        whole: ast.AST = call if is_call and call is not None else node
        is_bare = not is_call or (isinstance(call, ast.Call) and not call.args and not call.keywords)
        if node.attr == "mad" and is_bare and site.part(node.value, "owner").library == "pandas":
            text = f"({owner} - {owner}.mean()).abs().mean()"
            yield from site.patch("Compute the mean deviation: mad is gone.", site.script.replaced(whole, text))
        elif node.attr in _REWRITTEN and is_bare and "module" not in site.message:
            text = f"{owner}.{_REWRITTEN[node.attr]}"
            yield from site.patch(
                f"Use {_REWRITTEN[node.attr]}, which took its place.", site.script.replaced(whole, text)
            )
        elif node.attr == "set_precision" and isinstance(call, ast.Call) and len(call.args) == 1:
            text = f"{owner}.format(precision={site.script.text(call.args[0])})"
            yield from site.patch("Use format(precision=...), which took its place.", site.script.replaced(call, text))
        elif "module 'pandas'" in site.message and node.attr in ("np", "datetime"):
            name, imported = site.module("numpy", "np") if node.attr == "np" else site.imported("datetime", "datetime")
            yield from site.patch(f"Use {name} itself.", site.script.replaced(node, name), *imported)
    if site.says("TypeError", pattern=r"unexpected keyword argument 'method'"):
        for call in site.calls:
            method = keyword(call, "method")
            names = {"ffill": "ffill", "pad": "ffill", "bfill": "bfill", "backfill": "bfill"}
            name = names.get(getattr(method.value, "value", ""), "") if method is not None else ""
            if called(call) == "fillna" and method is not None and name and isinstance(call.func, ast.Attribute):
                edits = site.script.renamed(call.func, name), site.script.without_argument(call, method)
                yield from site.patch(f"Use {name}, which took the place of fillna(method=...).", *edits)


# -- one column, or several ------------------------------------------------------------------------------------------

_OF_COLUMNS = ("unique", "str", "dt", "cat", "tolist", "to_list", "between", "to_frame", "name", "is_unique")
_OF_TABLES = (
    *("columns", "select_dtypes", "merge", "iterrows", "itertuples", "melt", "pivot_table", "set_index", "join"),
    *("assign", "applymap", "insert", "query", "corrwith"),
)


def column_or_table(site: Site) -> Iterator[Patch]:
    """Take a column where a table of one column was taken, and the other way round.

    Source: pandas' user guide, "Indexing and selecting data", "Basics": a label gives a series, a list of labels a
    frame; its reference of `Series.to_frame`.
    """
    found = site.found(r"'(DataFrame|Series)' object has no attribute '(\w+)'")
    for node in site.nodes if found is not None and site.crash.type == "AttributeError" else ():
        assert found is not None
        if not isinstance(node, ast.Attribute) or node.attr != found[2]:
            continue
        match node.value:
            case ast.Subscript(slice=ast.List(elts=[label]) as labels) if (
                found[1] == "DataFrame" and node.attr in _OF_COLUMNS
            ):
                edit = site.script.replaced(labels, site.script.text(label))
                yield from site.patch("Take the column itself: a list of labels gives a table.", edit)
            case table if found[1] == "Series" and node.attr in _OF_TABLES:
                edit = site.script.followed(table, ".to_frame()")
                yield from site.patch("Make a table of the column, which is one only.", edit)


def name_of_counts(site: Site) -> Iterator[Patch]:
    """Give what was computed for each group a name of its own before the groups become a column again.

    Sources: the message "cannot insert a, already exists"; pandas' reference of `Series.reset_index`, ``name``.
    """
    found = site.found(r"cannot insert (.+), already exists") if site.crash.type == "ValueError" else None
    for call in site.calls if found is not None else ():
        assert found is not None
        match call:
            case ast.Call(
                func=ast.Attribute(
                    attr="reset_index",
                    value=ast.Call(
                        func=ast.Attribute(attr=how, value=ast.Subscript(slice=ast.Constant(value=str(label))))
                    ),
                ),
                keywords=[],
            ) if label == found[1]:
                edit = site.script.with_argument(call, f'name="{how}"')
                yield from site.patch(f"Name what is computed {how!r}: the group has the other name.", edit)


def columns_by_position(site: Site) -> Iterator[Patch]:
    """Name columns by their positions in what is aggregated, where they were given by them.

    Source: pandas' reference of `DataFrameGroupBy.aggregate`: a dictionary's keys are labels of columns; the message
    "Column(s) [1, 2] do not exist".
    """
    if not site.says("KeyError", "SpecificationError", pattern=r"(?:Column|Label)\(s\) \[[\d, ]+\] do not exist"):
        return
    for call in site.calls:
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="groupby", value=ast.Name(id=table)))),
                args=[ast.Dict(keys=keys)],
            ):
                numbers = [each for each in keys if isinstance(each, ast.Constant) and type(each.value) is int]
                edits = [site.script.wrapped(each, f"{table}.columns[", "]") for each in numbers]
                yield from site.patch("Name the columns by their positions: no column is called so.", *edits)


STRATEGIES = (
    column_or_table,
    name_of_counts,
    columns_by_position,
    encoding,
    separator,
    lines_of_json,
    names_that_overlap,
    keys_of_one_class,
    tables_to_join,
    labels_of_their_own,
    compared_by_position,
    numeric_groups,
    mean_of_duplicates,
    columns_of_parts,
    edges_once,
    free_category,
    rewritten,
)
