"""Labels for estimators and scores: encoded, of the kind that the model and the score are for, in their split."""

import ast
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.constants import argument, calls_of
from crane_agent.agent.repairs.features import free_name, is_scaler, lines_before, splits_of
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called, keyword

_LABELS = re.compile(r"^(?:y|Y|label|target)|_y$|_labels?$|_targets?$")


def encoded_labels(site: Site) -> Iterator[Patch]:
    """Encode labels as whole numbers from 0, in each split alike.

    Sources: XGBoost's message "Invalid classes inferred from unique values of `y`. Expected: [0 1], got ['No' 'Yes']";
    scikit-learn's reference of `LabelEncoder`, which is for labels, while scalers are for features.
    """
    texts = r"could not convert string to float|Invalid dtype: (?:str|object)|Unsupported object type str"
    if not site.says("ValueError", "TypeError", pattern=rf"Invalid classes inferred from unique values|{texts}"):
        return
    is_named = site.found(r"Invalid classes inferred") is not None
    for call in site.calls:
        for node in [*call.args[:2], *(each.value for each in call.keywords if each.arg == "y")]:
            part = site.part(node)
            if not isinstance(node, ast.Name) or not (is_named or (part.is_series and _is_text(part.dtype))):
                continue
            if is_named and node is not argument(call, 1, "y"):
                continue
            if is_scaler(site.owner(call)):
                yield from _not_scaled(site, call, node.id)
            elif called(call).startswith("fit") and node is not argument(call, 0, "X"):
                yield from _encoded(site, call, node.id)


def _is_text(dtype: str) -> bool:
    return dtype in ("object", "str", "string", "category")


def _encoded(site: Site, call: ast.Call, name: str) -> Iterator[Patch]:
    kind, imported = site.imported("sklearn.preprocessing", "LabelEncoder")
    encoder, others = free_name(site, "label_encoder"), splits_of(site, name)
    lines = [f"{encoder} = {kind}()", f"{name} = {encoder}.fit_transform({name})"]
    lines += [f"{each} = {encoder}.transform({each})" for each in others]
    edit = lines_before(site, call, [name, *others], lines)
    yield from site.patch("Encode the labels as whole numbers from 0.", edit, *imported)


def _not_scaled(site: Site, call: ast.Call, name: str) -> Iterator[Patch]:
    """Yield the patch that encodes labels wherever the cell scales them."""
    if not isinstance(call.func, ast.Attribute) or not _LABELS.search(name):
        return
    kind, imported = site.imported("sklearn.preprocessing", "LabelEncoder")
    encoder, scaler = free_name(site, "label_encoder"), site.script.text(call.func.value)
    edits = [
        site.script.replaced(each.func.value, encoder)
        for each in ast.walk(site.script.tree)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in ("fit", "transform", "fit_transform")
        and site.script.text(each.func.value) == scaler
        and each.args
        and isinstance(each.args[0], ast.Name)
        and _LABELS.search(each.args[0].id)
    ]
    edit = lines_before(site, call, [name], [f"{encoder} = {kind}()"])
    yield from site.patch("Encode the labels instead of scaling them: they are classes.", edit, *edits, *imported)


def seen_labels(site: Site) -> Iterator[Patch]:
    """Fit the encoder on all the values that it will meet.

    Sources: the message "y contains previously unseen labels: ['c']"; scikit-learn's reference of `LabelEncoder`.
    """
    if not site.says("ValueError", pattern=r"y contains (?:previously unseen|new) labels"):
        return
    for call in site.calls:
        if not isinstance(call.func, ast.Attribute) or called(call) != "transform" or not call.args:
            continue
        owner, other = site.script.text(call.func.value), call.args[0]
        part = site.part(other)
        for script in site.scripts:
            fits = [
                each
                for each in ast.walk(script.tree)
                if isinstance(each, ast.Call)
                and isinstance(each.func, ast.Attribute)
                and each.func.attr in ("fit", "fit_transform")
                and script.text(each.func.value) == owner
                and len(each.args) == 1
            ]
            before = [each for each in fits if script.source != site.script.source or each.lineno <= call.lineno]
            if not before:
                continue
            last = max(before, key=lambda each: each.lineno)
            library = ("numpy", "np") if part.is_array else ("pandas", "pd")
            module, imported = site.module(*library)
            join = "concatenate" if part.is_array else "concat"
            both = f"{module}.{join}([{script.text(last.args[0])}, {site.script.text(other)}])"
            text = f"{owner}.fit({both})"
            if called(last) == "fit_transform":
                text += f".transform({script.text(last.args[0])})"
            summary = "Fit the encoder on all the values that it meets."
            yield from script.patch(
                summary, script.replaced(last, text), *(imported if script.cell == site.script.cell else ())
            )
            return


# -- kinds of models -------------------------------------------------------------------------------------------------

_CLASSIFIERS = {
    "LinearRegression": "LogisticRegression",
    "SVR": "SVC",
    "LinearSVR": "LinearSVC",
    "Ridge": "RidgeClassifier",
}
_REGRESSORS = {"LogisticRegression": "LinearRegression", "SVC": "SVR", "LinearSVC": "LinearSVR"}
_DEEP = 6


def kind_of_model(site: Site) -> Iterator[Patch]:
    """Use the classifier for classes, the regressor for numbers.

    Sources: the messages "Classification metrics can't handle a mix of binary and continuous targets", where a
    regressor was asked for classes, and "Unknown label type: continuous. Maybe you are trying to fit a classifier,
    which expects discrete classes on a regression target with continuous values."; scikit-learn's references.
    """
    mixed = site.found(r"mix of (?:binary|multiclass) and continuous|mix of continuous and (?:binary|multiclass)")
    is_score = mixed is not None or site.found(r"^continuous is not supported") is not None
    is_number = site.found(r"Unknown label type: \(?'?\[?'?continuous") is not None
    if site.crash.type != "ValueError" or not (is_score or is_number):
        return
    for script, call in _makers(site):
        wanted = _other_kind(called(call), is_class=is_score)
        if wanted:
            yield from _made_with(site, script, call, wanted)
            return


def is_of_regressor(site: Site) -> bool:
    """Whether what is scored was predicted by a regressor."""
    return any(_other_kind(called(call), is_class=True) for _, call in _makers(site))


def _other_kind(name: str, *, is_class: bool) -> str:
    if is_class:
        return _CLASSIFIERS.get(name) or (name.replace("Regressor", "Classifier") if "Regressor" in name else "")
    return _REGRESSORS.get(name) or (name.replace("Classifier", "Regressor") if "Classifier" in name else "")


def _makers(site: Site) -> Iterator[tuple[Script, ast.Call]]:
    """Yield the calls that what stands in the failing call comes from, by the names that the cells bind."""
    waiting = [(each.id, _DEEP) for each in site.inner if isinstance(each, ast.Name)]
    yield from ((site.script, each) for each in site.inner if isinstance(each, ast.Call))
    seen: set[str] = set()
    while waiting:
        name, deep = waiting.pop(0)
        if name in seen or not deep:
            continue
        seen.add(name)
        for script, statement in site.bindings(name):
            nodes = list(ast.walk(statement.value))
            yield from ((script, each) for each in nodes if isinstance(each, ast.Call))
            waiting += [(each.id, deep - 1) for each in nodes if isinstance(each, ast.Name)]
            break


def _made_with(site: Site, script: Script, call: ast.Call, wanted: str) -> Iterator[Patch]:
    summary = f"Use {wanted} instead of {called(call)}, for the kind of the labels."
    if isinstance(call.func, ast.Attribute):
        yield from script.patch(summary, script.renamed(call.func, wanted))
        return
    home = next((full for full, name in site.imports.items() if name == called(call)), "").rpartition(".")[0]
    if home.startswith("sklearn.linear_model") and wanted in ("LinearSVC", "SVC"):
        home = "sklearn.svm"
    if not home:
        return
    lines = [] if f"{home}.{wanted}" in site.imports else [script.imported(f"from {home} import {wanted}")]
    yield from script.patch(summary, script.replaced(call.func, wanted), *lines)


# -- scores ----------------------------------------------------------------------------------------------------------


def settings_of_score(site: Site) -> Iterator[Patch]:
    """Give a score the setting, or the form of predictions, that the message asks for.

    Sources: the messages "pos_label=1 is not a valid label: It should be one of ['No', 'Yes']" and "multi_class must be
    in ('ovo', 'ovr')"; scikit-learn's references of `roc_auc_score`, which takes the probability of the greater label.
    """
    if site.crash.type not in ("ValueError", "AxisError"):
        return
    positive = site.found(r"pos_label=\S+ is not a valid label.*?\[(.*?)\]")
    for call in site.calls:
        if positive is not None:
            words = re.findall(r"'([^']*)'", positive[1])
            chosen = next((each for each in words if each.lower() in ("yes", "true", "positive", "1", "spam")), "")
            chosen = chosen or (sorted(words)[-1] if words else "")
            given = keyword(call, "pos_label")
            text = f'pos_label="{chosen}"'
            edit = site.script.with_argument(call, text) if given is None else site.script.replaced(given, text)
            if chosen:
                yield from site.patch(f"Say which label is the positive one, {chosen}.", edit)
        elif site.found(r"multi_class must be in") is not None:
            edit = site.script.with_argument(call, 'multi_class="ovr"')
            yield from site.patch("Score each class against the others.", edit)
        elif site.found(r"y should be a 1d array, got an array of shape \(\d+, 2\)") is not None:
            for node in call.args[1:2]:
                if called(call).startswith(("roc", "average", "precision_recall", "log")):
                    edit = site.script.followed(node, "[:, 1]")
                    yield from site.patch("Take the probability of the positive class.", edit)


def one_hot_labels(site: Site) -> Iterator[Patch]:
    """Give an estimator the classes, where it gets them one-hot.

    Sources: the message "y should be a 1d array, got an array of shape (100, 3) instead."; numpy's `argmax`.
    """
    if not site.says("ValueError", pattern=r"y should be a 1d array, got an array of shape|bad input shape"):
        return
    for call in site.calls:
        node = argument(call, 1, "y")
        shape = site.part(node).shape
        if (
            called(call).startswith("fit")
            and node is not None
            and shape is not None
            and len(shape) == 2
            and shape[1] > 1
        ):
            array = ".to_numpy()" if site.part(node).is_frame else ""
            yield from site.patch(
                "Give it the classes themselves.", site.script.followed(node, f"{array}.argmax(axis=1)")
            )


# -- splits ----------------------------------------------------------------------------------------------------------

_KINDS = ("train", "test", "val")


def order_of_split(site: Site) -> Iterator[Patch]:
    """Unpack what ``train_test_split`` gives in its order: train and test of the first array, then of the second.

    Source: scikit-learn's reference of `train_test_split`; the names, which say what each is to be.
    """
    pattern = (
        r"inconsistent numbers? of samples|y should be a 1d array|bad input shape|Unknown label type|X has \d+ features"
        r"|Expected 2D array|cardinality is ambiguous|feature names should match"
    )
    if not site.says("ValueError", pattern=pattern):
        return
    for script, call in calls_of(site, {"train_test_split"}):
        statement = script.parent(call)
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=[*nodes])]) if len(nodes) == len(call.args) * 2 == 4:
                names = [script.text(each) for each in nodes]
                wanted = _in_order(names)
                if wanted and wanted != names:
                    edits = [script.replaced(each, name) for each, name in zip(nodes, wanted, strict=True)]
                    summary = "Unpack the split in its order: train and test of the one, then of the other."
                    yield from script.patch(summary, *edits)


def _in_order(names: list[str]) -> list[str]:
    kinds = [next((kind for kind in _KINDS if kind in name.lower()), "") for name in names]
    if sorted(kinds) not in (["test", "test", "train", "train"], ["train", "train", "val", "val"]):
        return []
    stems = [re.sub("|".join(_KINDS), "", name.lower()) for name in names]
    first = stems[0]
    if stems.count(first) != 2:
        return []
    places = sorted(range(4), key=lambda place: (stems[place] != first, kinds[place] != "train"))
    return [names[place] for place in places]


def all_of_split(site: Site) -> Iterator[Patch]:
    """Split the labels, too, where four parts are unpacked.

    Source: scikit-learn's reference of `train_test_split`: two parts for each array.
    """
    if not site.says("ValueError", pattern=r"not enough values to unpack \(expected 4, got 2\)"):
        return
    for call in (each for each in site.inner if isinstance(each, ast.Call)):
        if called(call) == "train_test_split" and len(call.args) == 1 and isinstance(call.args[0], ast.Name):
            labels = {"X": "y", "x": "y", "features": "labels", "data": "labels"}.get(call.args[0].id, "y")
            if labels in site.known:
                edit: Edit | None = site.script.replaced(call.args[0], f"{call.args[0].id}, {labels}")
                yield from site.patch(f"Split {labels}, too.", edit)


STRATEGIES = (
    order_of_split,
    all_of_split,
    encoded_labels,
    seen_labels,
    kind_of_model,
    settings_of_score,
    one_hot_labels,
)
