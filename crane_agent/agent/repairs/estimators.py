"""Estimators of scikit-learn and what follows its interface: fitting, features, labels, scores."""

import ast
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.labels import is_of_regressor
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_PAIRS = (("X_train", "y_train"), ("x_train", "y_train"), ("train_X", "train_y"), ("X", "y"), ("x", "y"))
_NOT_FITTED = (
    r"is not fitted|not fitted or provided|need to call fit"
    r"|must be fitted|not fitted, call fit|call `?fit`? (?:beforehand|first)"
)
_FITTING = {"fit", "fit_transform", "fit_predict", "partial_fit"}


def fitted_first(site: Site) -> Iterator[Patch]:
    """Fit the estimator on the training data that the cells name, before it is used.

    Sources: scikit-learn's message "This X instance is not fitted yet. Call 'fit' with appropriate arguments before
    using this estimator."; its glossary: what ends in an underscore is there once it is fitted.
    """
    is_attribute = site.crash.type == "AttributeError" and site.found(r"no attribute '\w*[a-z]_'") is not None
    if not (is_attribute or site.says("NotFittedError", "ValueError", "AttributeError", pattern=_NOT_FITTED)):
        return
    for node in site.inner:
        match node:
            case ast.Attribute(value=ast.Name(id=name) as owner) if (
                site.part(owner, "owner").facts.get("fitted") is not True
            ):
                is_transformer = node.attr in (
                    "transform",
                    "inverse_transform",
                    "get_feature_names_out",
                    "categories_",
                    "classes_",
                )
                yield from _transformed(site, node, name)
                for data in _training(site, is_transformer):
                    edit = site.script.before(node, f"{name}.fit({data})")
                    yield from site.patch(f"Fit {name} on {data} first.", edit)
                return


def _transformed(site: Site, node: ast.Attribute, name: str) -> Iterator[Patch]:
    """Yield the patch that fits a transformer on what it transforms, if that is not the data to test with."""
    call = site.script.parent(node)
    if node.attr != "transform" or not isinstance(call, ast.Call) or not call.args:
        return
    text = site.script.text(call.args[0])
    if not re.search(r"test|val|new|holdout|unseen", text, re.IGNORECASE):
        summary = f"Fit {name} on {text} and transform it, with fit_transform."
        yield from site.patch(summary, site.script.renamed(node, "fit_transform"))


def _training(site: Site, is_transformer: bool) -> Iterator[str]:
    """Yield the arguments of a fit: those of the last one in the cells, then pairs of names that say what they are."""
    for script in site.scripts:
        for call in (each for each in ast.walk(script.tree) if isinstance(each, ast.Call) and called(each) == "fit"):
            plain = [each.id for each in call.args if isinstance(each, ast.Name) and each.id in site.known]
            if len(plain) == len(call.args) == (1 if is_transformer else 2):
                yield ", ".join(plain)
    for data, labels in _PAIRS:
        if data in site.known and is_transformer:
            yield data
        elif data in site.known and labels in site.known:
            yield f"{data}, {labels}"


# -- features --------------------------------------------------------------------------------------------------------


def fitted_features(site: Site) -> Iterator[Patch]:
    """Give the features that the estimator was fitted on, in their order.

    Sources: scikit-learn's glossary, ``feature_names_in_``; the messages "The feature names should match those that
    were passed during fit" and "X has 5 features, but StandardScaler is expecting 4 features as input".
    """
    pattern = (
        r"feature names should match|X has \d+ features, but|[Nn]umber of features of the (?:model|input)"
        r"|feature_names mismatch"
    )
    if not site.says("ValueError", pattern=pattern):
        return
    for call in site.calls:
        owner = site.owner(call)
        names = owner.facts.get("feature_names_in")
        if not call.args or not isinstance(call.func, ast.Attribute):
            continue
        node = call.args[0]
        columns = site.part(node).columns
        if names and columns and set(names) <= set(columns):
            edit = site.script.followed(node, f"[{site.script.text(call.func.value)}.feature_names_in_]")
            yield from site.patch("Give it the columns that it was fitted on, in their order.", edit)


def numbers_for_texts(site: Site) -> Iterator[Patch]:
    """Encode the columns of texts as numbers, one column for each value; or leave them out, where that is said.

    Sources: pandas' reference of `get_dummies`; scikit-learn's user guide, "Encoding categorical features": estimators
    take numbers.
    """
    if not site.says(
        "ValueError",
        "TypeError",
        pattern=r"could not convert string to float|DataFrame\.dtypes for data must be int|pandas dtypes must be int",
    ):
        return
    for call in site.calls:
        if (
            called(call) not in ("fit", "fit_transform", "fit_predict", "fit_resample", "cross_val_score", "DMatrix")
            or not call.args
        ):
            continue
        place = 1 if called(call) == "cross_val_score" else 0
        if len(call.args) <= place:
            continue
        node = call.args[place]
        part = site.part(node)
        texts = [column for column, dtype in (part.facts.get("dtypes") or {}).items() if _is_text(dtype)]
        if not part.is_frame or not texts:
            continue
        few = ", ".join(map(str, texts[:4])) + (" and more" if len(texts) > 4 else "")
        if not _is_scaler(site.owner(call)):
            pandas, imported = site.module("pandas", "pd")
            edit = site.script.wrapped(node, f"{pandas}.get_dummies(")
            yield from site.patch(f"Encode the texts in {few} as numbers, one column for each value.", edit, *imported)
        else:
            edit = site.script.followed(node, '.select_dtypes("number")')
            yield from site.patch(f"Take the columns of numbers only, without {few}: texts cannot be scaled.", edit)


def _is_text(dtype: str) -> bool:
    return dtype in ("object", "str", "string", "category")


def _is_scaler(part: Part) -> bool:
    return part.kind.endswith("Scaler") or part.kind in ("PCA", "Normalizer", "PowerTransformer", "SimpleImputer")


def dense(site: Site) -> Iterator[Patch]:
    """Make a dense array of a sparse one.

    Source: the message "Sparse data was passed ..., but dense data is required. Use '.toarray()' to convert to a dense
    numpy array."
    """
    if not site.says("TypeError", "ValueError", pattern=r"dense data is required|[Uu]se '?\.?(?:X\.)?toarray\(\)"):
        return
    for call in site.calls:
        for node in call.args[:1]:
            if site.part(node).library in ("scipy", ""):
                yield from site.patch(
                    "Make a dense array of it, as the message says.", site.script.followed(node, ".toarray()")
                )


# -- samples and labels ----------------------------------------------------------------------------------------------

_SPLITS = ("train", "test", "val", "valid")


def same_split(site: Site) -> Iterator[Patch]:
    """Give data and labels of the same split.

    Source: the message "Found input variables with inconsistent numbers of samples"; the names say which split each is.
    """
    pattern = (
        r"inconsistent numbers? of samples|incompatible (?:array )?dimensions|same (?:length|number|size)"
        r"|cardinality is ambiguous|Mismatch in number"
    )
    if not site.says("ValueError", pattern=pattern):
        return
    for call in site.calls:
        nodes = [each for each in (*call.args, *(each.value for each in call.keywords)) if isinstance(each, ast.Name)]
        kinds = [_split_of(node.id) for node in nodes]
        if len(nodes) < 2 or None in kinds or len(set(kinds)) == 1:
            continue
        for node, kind in list(zip(nodes, kinds, strict=True))[::-1]:
            for other in dict.fromkeys(kinds):
                name = node.id.replace(str(kind), str(other))
                if other != kind and name in site.known:
                    yield from site.patch(
                        f"Use {name} instead of {node.id}, of the same split.", site.script.replaced(node, name)
                    )


def _split_of(name: str) -> str | None:
    return next((kind for kind in _SPLITS[::-1] if kind in name), None)


def predicted_labels(site: Site) -> Iterator[Patch]:
    """Compare labels with labels: round probabilities of one class, take the most probable of several.

    Sources: scikit-learn's message "Classification metrics can't handle a mix of binary and continuous targets" and its
    user guide, "Metrics and scoring"; numpy's references of `round` and `argmax`.
    """
    found = site.found(r"mix of ([\w-]+) and ([\w-]+) targets") if site.crash.type == "ValueError" else None
    for call in site.calls if found is not None else ():
        assert found is not None
        for kind, node in zip((found[1], found[2]), call.args, strict=False):
            if kind in ("continuous-multioutput", "multilabel-indicator"):
                array = ".to_numpy()" if site.part(node).is_frame else ""
                edit = site.script.followed(node, f"{array}.argmax(axis=1)")
                if isinstance(node, ast.List) or site.part(node).kind == "list":
                    numpy, imported = site.module("numpy", "np")
                    edit = site.script.wrapped(node, f"{numpy}.argmax(", ", axis=1)")
                    yield from site.patch("Take the class of the highest value of each row.", edit, *imported)
                else:
                    yield from site.patch("Take the class of the highest value of each row.", edit)
            elif kind == "continuous" and "binary" in (found[1], found[2]) and not is_of_regressor(site):
                yield from site.patch("Round the probabilities to classes.", _rounded(site, node))


def _rounded(site: Site, node: ast.expr) -> Edit | None:
    return site.script.followed(node, ".round()") if site.part(node).kind != "list" else None


def labels_as_numbers(site: Site) -> Iterator[Patch]:
    """Give labels that are whole numbers in an array of objects as whole numbers.

    Sources: scikit-learn's `type_of_target`: an array of objects that are no texts is of type 'unknown'.
    """
    if not site.says("ValueError", pattern=r"Unknown label type: '?\(?'?unknown|Unknown label type: unknown"):
        return
    for call in site.calls:
        for node in call.args[1:2]:
            yield from site.patch("Give the labels as whole numbers.", site.script.followed(node, ".astype(int)"))


# -- settings of the estimator ---------------------------------------------------------------------------------------


def named_setting(site: Site) -> Iterator[Patch]:
    """Make the estimator with the setting that the message names.

    Sources: the messages "Cannot center sparse matrices: pass `with_mean=False` instead" and "predict_proba is not
    available when probability=False"; scikit-learn's user guide, "Encoding categorical features", for categories that
    were not there when the encoder was fitted (``handle_unknown="ignore"``: all its columns are 0 then).
    """
    settings = (
        (r"with_mean=False", "with_mean", "False"),
        (r"not available when\s+probability=False", "probability", "True"),
        (r"Found unknown categories", "handle_unknown", '"ignore"'),
    )
    for pattern, name, value in settings:
        if site.found(pattern) is None:
            continue
        for script, call in _made(site):
            given = keyword(call, name)
            edit = (
                script.with_argument(call, f"{name}={value}") if given is None else script.replaced(given.value, value)
            )
            yield from script.patch(f"Make it with {name}={value}, as is needed here.", edit)


def _made(site: Site) -> Iterator[tuple[Script, ast.Call]]:
    """Yield the call that made the estimator of the failing call."""
    for node in site.inner:
        match node:
            case ast.Attribute(value=ast.Name(id=name)):
                for script, statement in site.bindings(name):
                    if isinstance(statement.value, ast.Call):
                        yield script, statement.value
                    break
                return
            case ast.Attribute(value=ast.Call() as call) if called(call)[:1].isupper():
                yield site.script, call
                return


STRATEGIES = (
    fitted_first,
    fitted_features,
    numbers_for_texts,
    dense,
    same_split,
    predicted_labels,
    labels_as_numbers,
    named_setting,
)
