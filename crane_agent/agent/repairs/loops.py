"""Loops whose rounds get in each other's way, or count one thing and use another."""

import ast
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called

_ONCE = {"drop", "rename", "set_index", "insert", "pop", "remove", "add_column", "drop_duplicates", "reset_index"}
"""Methods that find nothing more to do, or fail, where they have done their work already."""


def once_behind_loop(site: Site) -> Iterator[Patch]:
    """Move a statement behind the loop where what it does does not depend on the loop, and can be done once only.

    Sources: pandas' references of `DataFrame.drop` ("KeyError: if any of the labels is not found"), `set_index`,
    `insert` and `pop`; Python's of `list.remove`.
    """
    if site.crash.type not in ("KeyError", "ValueError") or site.node is None:
        return
    statement = site.script.statement(site.node)
    loop = site.script.parent(statement) if statement is not None else None
    calls = [each for each in ast.walk(statement) if isinstance(each, ast.Call)] if statement is not None else []
    is_once = isinstance(statement, ast.Delete) or any(called(each) in _ONCE for each in calls)
    if not isinstance(loop, ast.For) or statement is None or not is_once or statement not in loop.body:
        return
    changing = {each.id for each in ast.walk(loop) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    own = {
        each.id
        for target in getattr(statement, "targets", [])
        for each in ast.walk(target)
        if isinstance(each, ast.Name)
    }
    read = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
    if read & (changing - own) or len(loop.body) == 1:
        return
    edits = _behind(site.script, statement, loop)
    yield from site.patch("Do it once, behind the loop: in the second round it has been done.", *edits)


def _behind(script: Script, statement: ast.stmt, loop: ast.For) -> list[Edit | None]:
    """Return the edits that move a statement of a loop's body behind the loop."""
    whole, around = script.span(statement), script.span(loop)
    if whole is None or around is None:
        return [None]
    source = script.source
    start = source.rfind("\n", 0, whole.start) + 1
    end = source.find("\n", whole.end)
    end = len(source) if end < 0 else end + 1
    outer = source[source.rfind("\n", 0, around.start) + 1 : around.start]
    if source[start : whole.start].strip() or source[whole.end : end].strip(" \t;\r\n") or outer.strip():
        return [None]
    text = source[whole.start : whole.end]
    if statement is loop.body[-1] and not loop.orelse:
        return [Edit(start, whole.end, f"{outer}{text}")]
    return [Edit(start, end, ""), Edit(around.end, around.end, f"\n{outer}{text}")]


def columns_for_rows(site: Site) -> Iterator[Patch]:
    """Count columns where columns are gone through, and rows where rows are.

    Sources: pandas' user guide, "Essential basic functionality": ``len(df)`` is the number of rows, ``len(df.columns)``
    that of columns; numpy's message "index 6 is out of bounds for axis 0 with size 6".
    """
    if not site.says("IndexError", "KeyError", pattern=r"out of bounds|out-of-bounds|out of range|^-?\d+$"):
        return
    for node in site.subscripts:
        wanted = _counted(site, node)
        name = next((each.id for each in ast.walk(node.slice) if isinstance(each, ast.Name)), "")
        scope = next(iter(_loops_around(site, node)), None)
        if wanted is None or not name:
            continue
        what, right = wanted
        for call, owner in _lengths(site.script, scope):
            text = site.script.text(call)
            if owner == what and text not in (right, f"{what}.shape[0]" if right == f"len({what})" else ""):
                kind = "columns" if "columns" in right else "rows"
                yield from site.patch(f"Count the {kind}, which are gone through.", site.script.replaced(call, right))
                return


def _counted(site: Site, node: ast.Subscript) -> tuple[str, str] | None:
    """Return the table that an index counts in, and how to count there: its columns or its rows."""
    match node:
        case ast.Subscript(value=ast.Attribute(value=table, attr="columns")):
            text = site.script.text(table)
            return text, f"len({text}.columns)"
        case ast.Subscript(
            value=ast.Attribute(value=table, attr="iloc" | "iat"), slice=ast.Tuple(elts=[first, second])
        ):
            text = site.script.text(table)
            is_all = isinstance(first, ast.Slice)
            return text, f"len({text}.columns)" if is_all and not isinstance(second, ast.Slice) else f"len({text})"
        case ast.Subscript(value=ast.Attribute(value=table, attr="iloc" | "iat")):
            text = site.script.text(table)
            return text, f"len({text})"
    return None


def _loops_around(site: Site, node: ast.AST) -> Iterator[ast.AST]:
    around = [each for each in site.script.around(node) if isinstance(each, ast.For | ast.While | ast.comprehension)]
    comprehensions = [each for each in site.script.around(node) if isinstance(each, ast.ListComp | ast.GeneratorExp)]
    yield from (*around[::-1], *comprehensions)


def _lengths(script: Script, scope: ast.AST | None) -> Iterator[tuple[ast.expr, str]]:
    """Yield what counts the rows or columns of a table within a loop, with the table."""
    for each in ast.walk(scope) if scope is not None else ():
        match each:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(value=table, attr="columns") | table]):
                yield each, script.text(table)
            case ast.Subscript(value=ast.Attribute(value=table, attr="shape"), slice=ast.Constant()):
                yield each, script.text(table)


def copy_to_go_through(site: Site) -> Iterator[Patch]:
    """Go through a copy of what changes while it is gone through.

    Source: Python's tutorial, "for Statements": "iterate over a copy of the collection".
    """
    if not site.says("RuntimeError", pattern=r"changed (?:size )?during iteration|mutated during iteration"):
        return
    loops = [site.node, *site.script.around(site.node)] if site.node is not None else []
    for loop in loops:
        if isinstance(loop, ast.For | ast.comprehension):
            edit = site.script.wrapped(loop.iter, "list(")
            yield from site.patch("Go through a copy: it changes while it is gone through.", edit)
            return
        if isinstance(site.script.parent(loop), ast.For | ast.comprehension) and isinstance(loop, ast.expr):
            edit = site.script.wrapped(loop, "list(")
            yield from site.patch("Go through a copy: it changes while it is gone through.", edit)
            return


def own_name_for_part(site: Site) -> Iterator[Patch]:
    """Give the part of the data that a round of cross-validation takes a name of its own.

    Source: scikit-learn's user guide, "Cross-validation": each round's indices count in the whole data, which a name
    that is bound to a part of itself no longer is.
    """
    if site.crash.type not in ("IndexError", "KeyError") or site.node is None:
        return
    for node in site.subscripts:
        owner = node.value.value if isinstance(node.value, ast.Attribute) else node.value
        loop = next((each for each in site.script.around(node) if isinstance(each, ast.For)), None)
        if loop is None or not isinstance(owner, ast.Name) or not isinstance(node.slice, ast.Name):
            continue
        indices = {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
        stored = {
            each.id
            for body in ast.walk(loop)
            if isinstance(body, ast.Assign)
            for target in body.targets
            for each in ast.walk(target)
            if isinstance(each, ast.Name)
        }
        taken = {each.id for each in _taken(loop, indices)}
        names = stored & taken
        if node.slice.id not in indices or owner.id not in names:
            continue
        whole = {id(each) for each in _taken(loop, indices)}
        edits = [
            site.script.replaced(each, f"{each.id}_part")
            for body in loop.body
            for each in ast.walk(body)
            if isinstance(each, ast.Name) and each.id in names and id(each) not in whole
        ]
        words = ", ".join(sorted(names))
        yield from site.patch(
            f"Give the round's part of {words} another name: each round takes from the whole.", *edits
        )


def _taken(loop: ast.For, indices: set[str]) -> Iterator[ast.Name]:
    """Yield the names in a loop that a part is taken from, by an index of the loop's."""
    for each in ast.walk(loop):
        match each:
            case ast.Subscript(slice=ast.Name(id=index), value=ast.Name() as owner) if index in indices:
                yield owner
            case ast.Subscript(
                slice=ast.Name(id=index), value=ast.Attribute(value=ast.Name() as owner, attr="iloc" | "loc" | "values")
            ) if index in indices:
                yield owner


def counted_from_one(site: Site) -> Iterator[Patch]:
    """Count from 0 where a loop that counts from 1 indexes with its number.

    Source: Python's reference of `enumerate`, ``start``; its tutorial: indices count from 0.
    """
    if not site.says("IndexError", pattern=r"out of range"):
        return
    for node in site.subscripts:
        for loop in site.script.around(node):
            if not isinstance(loop, ast.For):
                continue
            match loop:
                case ast.For(
                    target=ast.Tuple(elts=[ast.Name(id=number), _]),
                    iter=ast.Call(
                        func=ast.Name(id="enumerate"), args=[_], keywords=[ast.keyword(arg="start", value=start)]
                    )
                    | ast.Call(func=ast.Name(id="enumerate"), args=[_, start], keywords=[]),
                ) if isinstance(node.slice, ast.Name) and node.slice.id == number and site.script.text(start) == "1":
                    edit = site.script.replaced(node.slice, f"{number} - 1")
                    yield from site.patch("Count from 0: the loop counts from 1.", edit)


STRATEGIES = (once_behind_loop, columns_for_rows, copy_to_go_through, own_name_for_part, counted_from_one)
