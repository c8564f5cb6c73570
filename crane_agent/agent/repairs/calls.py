"""Calls and loops of plain Python that are written a little wrong."""

import ast
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called, keyword, literals


def keyword_of_other_call(site: Site) -> Iterator[Patch]:
    """Give a keyword to the call within, or around, the one that does not take it: a parenthesis is misplaced.

    Sources: Python's reference, "Calls"; the messages "got an unexpected keyword argument" and "is an invalid keyword
    argument for".
    """
    found = site.found(r"unexpected keyword argument '(\w+)'|'(\w+)' is an invalid keyword argument")
    for call in site.calls if found is not None and site.crash.type == "TypeError" else ():
        assert found is not None
        node = keyword(call, found[1] or found[2])
        if node is None:
            continue
        text, away = site.script.text(node), site.script.without_argument(call, node)
        inner = [each for each in call.args if isinstance(each, ast.Call)]
        around = site.script.parent(call)
        around = site.script.parent(around) if isinstance(around, ast.keyword) else around
        for other in inner:
            edit = site.script.with_argument(other, text)
            yield from site.patch(f"Give {node.arg}= to {called(other)}: a parenthesis is misplaced.", away, edit)
        if isinstance(around, ast.Call) and around.func is not call:
            edit = site.script.with_argument(around, text)
            yield from site.patch(f"Give {node.arg}= to {called(around)}: a parenthesis is misplaced.", away, edit)


def missing_self(site: Site) -> Iterator[Patch]:
    """Give a method the parameter for its object.

    Source: Python's tutorial, "Classes", "Random remarks": the first argument of a method is the object, by convention
    called self.
    """
    found = site.found(r"(\w+)\.(\w+)\(\) (?:takes \d+ positional arguments? but \d+|got multiple values)")
    if site.crash.type != "TypeError" or found is None:
        return
    for script in site.scripts:
        for owner in (
            each for each in ast.walk(script.tree) if isinstance(each, ast.ClassDef) and each.name == found[1]
        ):
            for method in owner.body:
                if isinstance(method, ast.FunctionDef) and method.name == found[2] and not method.decorator_list:
                    yield from _with_self(script, method)
                    return


def _with_self(script: Script, method: ast.FunctionDef) -> Iterator[Patch]:
    span = script.span(method)
    if span is None or (method.args.args and method.args.args[0].arg in ("self", "cls")):
        return
    place = script.source.find("(", span.start) + 1
    more = ", " if method.args.args or method.args.vararg or method.args.kwonlyargs or method.args.kwarg else ""
    summary = f"Give {method.name} the parameter self, the object that it is called on."
    yield from script.patch(summary, Edit(place, place, f"self{more}"))


def has_key(site: Site) -> Iterator[Patch]:
    """Ask with ``in`` whether a key is there.

    Source: Python 3.0, what's new: "dict.has_key() -- gone; use the in operator instead".
    """
    if not site.says("AttributeError", pattern=r"no attribute 'has_key'"):
        return
    for node in site.nodes:
        call = site.script.parent(node)
        if isinstance(node, ast.Attribute) and isinstance(call, ast.Call) and len(call.args) == 1:
            text = f"({site.script.term(call.args[0])} in {site.script.operand(node.value)})"
            yield from site.patch("Ask with in, which took its place.", site.script.replaced(call, text))


def nested_targets(site: Site) -> Iterator[Patch]:
    """Unpack pairs of numbers or keys and tuples as the pairs that they are; name all dimensions of a shape.

    Sources: Python's tutorial, "Looping techniques"; its reference of `enumerate`, which gives pairs.
    """
    found = site.found(
        r"not enough values to unpack \(expected (\d+), got 2\)|too many values to unpack \(expected (\d+)\)"
    )
    if site.crash.type != "ValueError" or found is None or site.node is None:
        return
    around = [site.node, *site.script.around(site.node)]
    loop = next((each for each in around if isinstance(each, ast.For | ast.comprehension)), None)
    statement = site.script.statement(site.node)
    match loop:
        case (
            ast.For(target=ast.Tuple(elts=targets), iter=ast.Call() as given)
            | ast.comprehension(target=ast.Tuple(elts=targets), iter=ast.Call() as given)
        ) if len(targets) > 2 and called(given) in ("enumerate", "items", "iterrows") and found[1]:
            first, last = site.script.span(targets[1]), site.script.span(targets[-1])
            if first is not None and last is not None:
                text = site.script.source[first.start : last.end]
                summary = f"Unpack pairs: {called(given)} gives two of each."
                yield from site.patch(summary, Edit(first.start, last.end, f"({text})"))
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Attribute(attr="shape") as shape) if found[2]:
            count = site.part(shape).facts.get("length")
            last = site.script.span(targets[-1])
            if type(count) is int and count > len(targets) and last is not None:
                more = ", _" * (count - len(targets))
                yield from site.patch(f"Name all {count} dimensions.", Edit(last.end, last.end, more))


def element_itself(site: Site) -> Iterator[Patch]:
    """Use the element that a loop gives, where it was taken for the element's number.

    Source: Python's tutorial, "for Statements": it "iterates over the items of any sequence".
    """
    if site.crash.type not in ("TypeError", "IndexError", "KeyError"):
        return
    for node in site.subscripts:
        if not isinstance(node.slice, ast.Name) or site.part(node.value, "value").kind not in (
            "list",
            "tuple",
            "ndarray",
            "Series",
        ):
            continue
        for loop in site.script.around(node):
            generators = loop.generators if isinstance(loop, ast.ListComp | ast.GeneratorExp | ast.SetComp) else [loop]
            for each in generators:
                if (
                    isinstance(each, ast.For | ast.comprehension)
                    and isinstance(each.target, ast.Name)
                    and each.target.id == node.slice.id
                    and ast.dump(each.iter) == ast.dump(node.value)
                ):
                    edit = site.script.replaced(node, node.slice.id)
                    yield from site.patch("Use the element itself: the loop gives elements, no numbers.", edit)


def list_and_element(site: Site) -> Iterator[Patch]:
    """Add a list to a list, a tuple to a tuple.

    Source: the message "can only concatenate list (not "str") to list"; Python's reference, "Common Sequence
    Operations".
    """
    found = site.found(r'can only concatenate (list|tuple) \(not "([\w.]+)"\)')
    if site.crash.type != "TypeError" or found is None:
        return
    sums = [(each.left, each.right) for each in site.operations if isinstance(each.op, ast.Add)]
    sums += [
        (each.target, each.value)
        for each in site.nodes
        if isinstance(each, ast.AugAssign) and isinstance(each.op, ast.Add)
    ]
    for _, right in sums:
        if found[2] in ("list", "tuple", "range", "set", "dict_keys", "dict_values", "zip", "map"):
            yield from site.patch(
                f"Make a {found[1]} of it before adding it.", site.script.wrapped(right, f"{found[1]}(")
            )
        else:
            ends = ("[", "]") if found[1] == "list" else ("(", ",)")
            edit = site.script.wrapped(right, *ends)
            yield from site.patch(f"Add a {found[1]} of the one element.", edit)


_OF_TEXT = {
    "lower",
    "upper",
    "strip",
    "split",
    "replace",
    "startswith",
    "endswith",
    "title",
    "capitalize",
    "lstrip",
    "rstrip",
}


def texts_of_values(site: Site) -> Iterator[Patch]:
    """Ask each text of a list, or the text of a number, for what only texts have.

    Source: Python's reference, "Text Sequence Type -- str"; its tutorial, "List Comprehensions". A missing value of
    pandas among texts is a float ("Working with missing data"), and becomes the text "nan".
    """
    found = site.found(r"'(list|float|int|Timestamp)' object has no attribute '(\w+)'")
    if site.crash.type == "AttributeError" and found is not None and found[2] in _OF_TEXT:
        for node in site.nodes:
            call = site.script.parent(node)
            if not isinstance(node, ast.Attribute) or not isinstance(call, ast.Call) or node.attr != found[2]:
                continue
            if found[1] == "list":
                given = site.script.text(call)[len(site.script.text(node)) :]
                text = f"[each.{node.attr}{given} for each in {site.script.text(node.value)}]"
                yield from site.patch(f"Use {node.attr} of each text.", site.script.replaced(call, text))
            else:
                edit = site.script.wrapped(node.value, "str(")
                yield from site.patch("Make a text of the value first.", edit)
    if site.says("TypeError", pattern=r"object of type '(?:float|int)' has no len|argument of type 'float' is not"):
        for node in site.nodes:
            operand: ast.expr | None = None
            if isinstance(node, ast.Call) and called(node) == "len" and node.args:
                operand = node.args[0]
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                operand = node.comparators[0]
            if operand is not None:
                yield from site.patch("Make a text of the value first.", site.script.wrapped(operand, "str("))


def mode_of_file(site: Site) -> Iterator[Patch]:
    """Open a file for what is done with it.

    Sources: Python's reference of `open`, ``mode``; of `pickle`: its files are binary ones.
    """
    wanted = ""
    if site.says("UnsupportedOperation", pattern="not readable"):
        wanted = "r"
    elif site.says("UnsupportedOperation", pattern=r"not writable|not writeable"):
        wanted = "w"
    is_text = site.says("TypeError", pattern=r"must be str, not bytes|bytes-like object is required, not 'str'")
    is_text = is_text or site.crash.type == "UnicodeDecodeError"
    nodes = [each for each in site.inner if isinstance(each, ast.Call)]
    if not wanted and not (
        is_text and any(called(each) in ("load", "dump", "writerow", "writerows", "write") for each in nodes)
    ):
        return
    names = {each.id for call in nodes for each in ast.walk(call) if isinstance(each, ast.Name)}
    for call in (each for each in ast.walk(site.script.tree) if isinstance(each, ast.Call) and called(each) == "open"):
        if not (_file_names(site.script, call) & names or call in nodes):
            continue
        mode = (
            call.args[1]
            if len(call.args) > 1
            else next((each.value for each in call.keywords if each.arg == "mode"), None)
        )
        own = next((each.text for each in literals([mode])), "") if mode is not None else "r"
        right = wanted + ("b" if "b" in own else "")
        if not wanted:
            is_pickled = any(called(each) in ("load", "dump") for each in nodes)
            right = f"{own}b" if is_pickled and "b" not in own else own.replace("b", "")
        if right != own:
            edit = site.script.with_argument(call, f'"{right}"')
            if isinstance(mode, ast.Constant):
                edit = site.script.quoted(mode, right)
            yield from site.patch(f'Open the file with mode "{right}".', edit)


def _file_names(script: Script, call: ast.Call) -> set[str]:
    parent = script.parent(call)
    match parent:
        case ast.withitem(optional_vars=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=[ast.Name(id=name)]):
            return {name}
    return set()


STRATEGIES = (
    missing_self,
    has_key,
    nested_targets,
    element_itself,
    list_and_element,
    texts_of_values,
    mode_of_file,
    keyword_of_other_call,
)
