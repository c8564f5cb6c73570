"""Arguments of calls: misspelt keywords and values, positional ones that are keywords, missing ones, needless calls."""

import ast
import builtins
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Site, called, closest, keyword, literals

_UNEXPECTED = r"(?:unexpected keyword argument|unknown keyword|has no property|no property named) ['\"]?(\w+)"
_SAME_AS = {
    **{"colour": "color", "n_epochs": "epochs", "num_epochs": "epochs", "lr": "learning_rate", "learning_rate": "lr"},
    **{"random_seed": "random_state", "seed": "random_state"},
}
"""Keywords that libraries spell in one of two ways; used where the scene's parameters have the other one."""


def close_keyword(site: Site) -> Iterator[Patch]:
    """Use the keyword that was probably meant, of those that the function takes.

    Source: the signature of the function itself, as the scene has it.
    """
    found = site.found(_UNEXPECTED) if site.crash.type in ("TypeError", "AttributeError", "ValueError") else None
    for call in site.calls if found is not None else ():
        assert found is not None
        node, there = keyword(call, found[1]), site.function(call).parameters
        if node is None or node.arg is None:
            continue
        given = {each.arg for each in call.keywords}
        other = [_SAME_AS[node.arg]] if node.arg in _SAME_AS and (_SAME_AS[node.arg] in there) else []
        for name in [each for each in (*other, *closest(node.arg, there, cutoff=0.65)) if each not in given][:2]:
            summary = f"Use {name}=, which {called(call)} takes, instead of {node.arg}=."
            yield from site.patch(summary, site.script.renamed_keyword(node, name))


def needless_axis(site: Site) -> Iterator[Patch]:
    """Leave out ``axis=`` of a method of a series, which has one axis only.

    Sources: the message "No axis named 1 for object type Series"; pandas' reference of `Series.apply`, which hands
    keywords on to the function.
    """
    pattern = r"No axis named \S+ for object type Series|unexpected keyword argument 'axis'"
    if not site.says("ValueError", "TypeError", pattern=pattern):
        return
    for call in site.calls:
        node = keyword(call, "axis")
        if node is not None and (site.owner(call).is_series or "Series" in site.message):
            edit = site.script.without_argument(call, node)
            yield from site.patch("Leave out axis=: a Series has one axis only.", edit)


_BEFORE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("lmplot", "jointplot", "regplot", "residplot"), ("x", "y", "data")),
    **dict.fromkeys(("distplot", "kdeplot", "rugplot", "ecdfplot", "histplot"), ("x", "y")),
    **dict.fromkeys(
        ("scatterplot", "lineplot", "relplot", "catplot", "barplot", "countplot"), ("x", "y", "hue", "data")
    ),
    **dict.fromkeys(("boxplot", "boxenplot", "violinplot", "pointplot"), ("x", "y", "hue", "data")),
    **dict.fromkeys(("stripplot", "swarmplot"), ("x", "y", "hue", "data")),
}
"""Parameters of seaborn's functions in the order that they had up to 0.11."""


def by_keyword(site: Site) -> Iterator[Patch]:
    """Give by keyword what a function no longer takes by position.

    Sources: seaborn 0.12, what's new, where ``x`` and ``y`` came first before; for other functions the signature
    itself, whose keyword-only parameters kept their order (pandas 2.0 and scikit-learn 1.0, what's new).
    """
    pattern = r"takes? (?:from \d+ to )?(\d+) positional arguments? but (\d+)|multiple values for argument 'data'"
    found = site.found(pattern) if site.crash.type == "TypeError" else None
    for call in site.calls if found is not None else ():
        assert found is not None
        if any(isinstance(each, ast.Starred) for each in call.args):
            continue
        name, function = called(call), site.function(call)
        if name in _BEFORE and (
            function.type == "" or str(function.facts.get("name", "seaborn")).startswith("seaborn")
        ):
            yield from _named(site, call, 0, _BEFORE[name])
        elif found[1] is not None and function.by_keyword:
            allowed = len(function.parameters) - len(function.by_keyword)
            yield from _named(site, call, allowed, function.by_keyword)


def _named(site: Site, call: ast.Call, allowed: int, names: tuple[str, ...]) -> Iterator[Patch]:
    given = {each.arg for each in call.keywords}
    extra = call.args[allowed:]
    names = tuple(name for name in names if name not in given)
    frame = next((place for place, node in enumerate(extra) if site.part(node).is_frame), None)
    if frame is not None and allowed == 0 and "data" in names:
        others = [name for name in names if name != "data"]
        names = (*others[:frame], "data", *others[frame:])
    if not extra or len(names) < len(extra):
        return
    edits = [site.script.wrapped(node, f"{name}=", "") for node, name in zip(extra, names, strict=False)]
    words = ", ".join(f"{name}=" for name in names[: len(extra)])
    yield from site.patch(f"Give {words} by keyword, as {called(call)} takes it.", *edits)


def in_one_list(site: Site) -> Iterator[Patch]:
    """Give as one list or tuple what was given as several arguments, or the other way round.

    Sources: pandas' reference of `concat`; numpy's references of `concatenate`, `stack`, `zeros`, `random.rand`;
    PyTorch's of `cat` and `stack`.
    """
    if site.crash.type not in ("TypeError", "ValueError"):
        return
    for call in site.calls:
        name = called(call)
        plain = [each for each in call.args if not isinstance(each, ast.Starred)]
        text = ", ".join(site.script.text(each) for each in plain)
        spans = [site.script.span(each) for each in (plain[0], plain[-1])] if plain else []
        if len(plain) != len(call.args) or not plain or None in spans:
            continue
        first, last = (span for span in spans if span is not None)
        if name in _OF_SEVERAL and len(plain) > 1 and not isinstance(plain[0], ast.List | ast.Tuple | ast.ListComp):
            options = plain[-1:] if isinstance(plain[-1], ast.Constant) else []
            own = plain[: len(plain) - len(options)]
            inner, end = ", ".join(site.script.text(each) for each in own), site.script.span(own[-1])
            if end is not None:
                whole = Edit(first.start, end.end, f"[{inner}]")
                yield from site.patch(f"Give {name} one list of all of them.", whole)
        elif name in _OF_SHAPE and 1 < len(plain) <= 4:
            yield from site.patch(f"Give {name} the shape as one tuple.", Edit(first.start, last.end, f"({text})"))
        elif name in _OF_SIZES and len(plain) == 1 and isinstance(plain[0], ast.Tuple):
            edit = site.script.replaced(plain[0], site.script.text(plain[0])[1:-1].rstrip(", "))
            yield from site.patch(f"Give {name} the sizes one by one.", edit)


_OF_SEVERAL = {"concat", "concatenate", "vstack", "hstack", "stack", "column_stack", "dstack", "cat", "block"}
_OF_SHAPE = {"zeros", "ones", "empty"}
_OF_SIZES = {"rand", "randn"}


def needless_call(site: Site) -> Iterator[Patch]:
    """Leave out the parentheses behind what is no function, or make them brackets.

    Source: Python's reference, "Calls" and "Subscriptions"; pandas' reference of `DataFrame.shape` and its like, which
    are attributes.
    """
    if not site.says("TypeError", pattern=r"object is not callable"):
        return
    for call in site.calls:
        owner = site.function(call)
        if owner.kind in ("module", "type", "function", "method") or hidden_builtin(site, call):
            continue
        text = site.script.text(call.func)
        if not call.args and not call.keywords:
            yield from site.patch(
                f"Leave out the parentheses: {text} is no function.", site.script.replaced(call, text)
            )
        elif len(call.args) == 1 and not call.keywords and _has_items(owner.kind):
            key = site.script.text(call.args[0])
            summary = f"Use brackets: {text} is no function."
            yield from site.patch(summary, site.script.replaced(call, f"{text}[{key}]"))


def hidden_builtin(site: Site, call: ast.Call) -> str:
    """Return the builtin that a name of the cells hides where it is called; '' if it is none."""
    match call.func:
        case ast.Name(id=name) if name in dir(builtins) and name in site.known:
            return name
    return ""


def own_builtin(site: Site) -> Iterator[Patch]:
    """Call the builtin itself where a variable hides it.

    Source: Python's reference of `builtins`: it gives access to builtins that other names hide.
    """
    if not site.says("TypeError", pattern=r"object is not callable"):
        return
    for call in site.calls:
        name = hidden_builtin(site, call)
        if name:
            module, imported = site.module("builtins", "builtins")
            edit = site.script.replaced(call.func, f"{module}.{name}")
            yield from site.patch(f"Call the builtin: a variable is called {name}, too.", edit, *imported)


def _has_items(kind: str) -> bool:
    return kind in (
        "",
        "DataFrame",
        "Series",
        "Index",
        "list",
        "tuple",
        "dict",
        "ndarray",
        "Tensor",
        "str",
        "RangeIndex",
    )


def missing_call(site: Site) -> Iterator[Patch]:
    """Call a method whose result is used, with the key as its argument where it was subscripted.

    Source: Python's reference, "Calls": a method is an object by itself, too.
    """
    pattern = (
        r"'(?:method|function|builtin_function_or_method|method-wrapper)' object is not (subscriptable|iterable)"
        r"|(?:method|function).*has no len|'(?:builtin_function_or_)?method'"
    )
    if not site.says("TypeError", pattern=pattern):
        return
    for node in site.subscripts:
        if isinstance(node.slice, ast.Slice):
            continue
        edit = site.script.replaced(node, f"{site.script.text(node.value)}({site.script.text(node.slice)})")
        if isinstance(node.slice, ast.Constant):
            yield from site.patch("Call the method, with parentheses.", edit)
        yield from site.patch("Call the method, then ask for the item.", site.script.followed(node.value, "()"))
    for part_node in site.inner:
        kind = site.part(part_node).kind if isinstance(part_node, ast.Attribute) else ""
        is_called = isinstance(around := site.script.parent(part_node), ast.Call) and around.func is part_node
        if kind in ("method", "function", "builtin_function_or_method") and not is_called:
            assert isinstance(part_node, ast.expr)
            yield from site.patch("Call the method.", site.script.followed(part_node, "()"))


def instance_first(site: Site) -> Iterator[Patch]:
    """Make an instance of a class whose method was called on the class itself.

    Sources: Python's tutorial, "Classes"; PyTorch's reference of `CrossEntropyLoss`: a loss is made first, then called.
    """
    pattern = (
        r"missing \d+ required positional argument|has no attribute '_\w+'|bool value of Tensor|Boolean value of Tensor"
    )
    if not site.says("TypeError", "AttributeError", "RuntimeError", pattern=pattern):
        return
    for call in site.calls:
        match call.func:
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner) if _is_class(site, owner):
                edit = site.script.followed(owner, "()")
                yield from site.patch(f"Make an instance first: {site.script.text(owner)} is the class.", edit)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.endswith("Loss") and len(call.args) == 2:
                edit = site.script.followed(call.func, "()")
                yield from site.patch(f"Make the loss first, then call it: {name}()(...).", edit)


def _is_class(site: Site, node: ast.expr) -> bool:
    kind = site.part(node, "owner").kind
    return kind in ("type", "ABCMeta") or kind.endswith("Meta")


def missing_target(site: Site) -> Iterator[Patch]:
    """Give the labels that belong to the data.

    Source: scikit-learn's glossary: ``fit(X, y)`` and ``score(X, y)``; the labels are those that the cells name as the
    data: ``X_train`` and ``y_train``.
    """
    if not site.says("TypeError", pattern=r"missing 1 required positional argument: '(y|y_true|y_pred|target)'"):
        return
    for call in site.calls:
        if len(call.args) != 1 or not isinstance(call.args[0], ast.Name):
            continue
        for name in _labels_of(call.args[0].id):
            if name in site.known:
                edit = site.script.with_argument(call, name)
                yield from site.patch(f"Give {name} as well, the labels of {call.args[0].id}.", edit)


def _labels_of(data: str) -> list[str]:
    pairs = (
        ("X", "y"),
        ("x", "y"),
        ("X", "Y"),
        ("features", "labels"),
        ("features", "target"),
        ("data", "target"),
        ("data", "labels"),
    )
    return [
        re.sub(rf"(?<![a-zA-Z]){x}(?![a-zA-Z])", y, data)
        for x, y in pairs
        if re.search(rf"(?<![a-zA-Z]){x}(?![a-zA-Z])", data)
    ]


_LISTS = (
    r"must be (?:a str among|one of|in)|is not a valid|[Dd]id you mean|[Ss]upported values|[Aa]llowed"
    r"|[Vv]alid (?:values|options)|should be one of|expected one of|[Uu]nknown|choose from|not a valid"
)
"""What a message says before it lists the values that a function takes; others may quote the user's data."""


def listed_value(site: Site) -> Iterator[Patch]:
    """Use the value that was probably meant, of those that the message lists.

    Source: the message itself, as in "must be a str among {'gini', 'entropy', 'log_loss'}. Got 'ginni' instead.".
    """
    if site.crash.type not in ("ValueError", "InvalidParameterError", "TypeError", "KeyError", "AttributeError"):
        return
    if site.found(_LISTS) is None or "pos_label" in site.message:
        return
    listed = re.findall(r"['\"`]([\w.:+-]+(?: [\w.:+-]+)*)['\"`]", site.message)
    if "not a valid" in site.message:
        listed += re.findall(r"[\w.-]+", site.message.rpartition(":")[2])
    for word in literals(site.inner):
        parent = site.script.parent(word.node)
        if word.text not in listed or not isinstance(parent, ast.Call | ast.keyword | ast.List):
            continue
        own = parent.arg if isinstance(parent, ast.keyword) else None
        there = [each for each in listed if each not in (word.text, own) and each not in site.known]
        for value in closest(word.text, there, cutoff=0.6)[:2]:
            summary = f"Use {value!r}, which is one of the values it takes, instead of {word.text!r}."
            yield from site.patch(summary, site.script.quoted(word.node, value))


def named_setting(site: Site) -> Iterator[Patch]:
    """Add the setting that the message asks for.

    Sources: the messages themselves: "Please choose another average setting, one of [None, 'micro', 'macro',
    'weighted']" and "multi_class must be in ('ovo', 'ovr')" of scikit-learn, "If using all scalar values, you must
    pass an index" of pandas.
    """
    settings = (
        (r"average='binary'. Please choose", "average", '"weighted"', "weighted by the size of each class"),
        (r"multi_class must be in", "multi_class", '"ovr"', "each class against the rest"),
        (r"If using all scalar values, you must pass an index", "index", "[0]", "for the one row"),
    )
    for pattern, name, value, why in settings:
        if not site.says("ValueError", pattern=pattern):
            continue
        for call in site.calls:
            edit = site.script.with_argument(call, f"{name}={value}")
            given = keyword(call, name)
            if given is not None:
                edit = site.script.replaced(given.value, value)
            yield from site.patch(f"Add {name}={value}, {why}.", edit)


STRATEGIES = (
    close_keyword,
    by_keyword,
    needless_axis,
    in_one_list,
    needless_call,
    own_builtin,
    missing_call,
    instance_first,
    missing_target,
    named_setting,
    listed_value,
)
