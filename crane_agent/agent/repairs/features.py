"""Features for estimators: texts, missing values and names, made alike in every split that the cell goes on with."""

import ast
import re
from collections.abc import Iterator, Sequence

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_SPLITS = ("train", "test", "valid", "val", "dev")
_TAKING = {"fit", "fit_transform", "fit_predict", "fit_resample", "predict", "predict_proba", "transform", "score"}
_OF_TREES = re.compile(r"Tree|Forest|Boost|XGB|LGBM|Bagging")
_TO_SCALE = re.compile(r"Scaler$|^PCA$|Normalizer|PowerTransformer|SimpleImputer|KNNImputer")


def given(site: Site) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Yield the failing calls that take features, with these."""
    for call in site.calls:
        place = 1 if called(call) in ("cross_val_score", "cross_validate", "cross_val_predict") else 0
        if (called(call) in _TAKING or place) and len(call.args) > place:
            yield call, call.args[place]
        elif (named := keyword(call, "X")) is not None:
            yield call, named.value


def splits_of(site: Site, name: str) -> list[str]:
    """Return the names of the other splits that the cell reads, e.g. ``X_test`` for ``X_train``."""
    own = next((each for each in _SPLITS if each in name.lower()), None)
    if own is None:
        return []
    reads = {each.id for each in ast.walk(site.script.tree) if isinstance(each, ast.Name)}
    others = [re.sub(own, other, name, flags=re.IGNORECASE) for other in _SPLITS if other != own]
    others += [re.sub(own, other.capitalize(), name, flags=re.IGNORECASE) for other in _SPLITS if other != own]
    return [each for each in dict.fromkeys(others) if each in reads and each in site.known and each != name]


def lines_before(site: Site, node: ast.AST, names: Sequence[str], lines: Sequence[str]) -> Edit | None:
    """Return the edit that puts lines above a statement, and above the loops in which the names are not bound.

    None where a name belongs to the cell, and the statement stands in a function: it would become another name there.
    """
    place: ast.AST = site.script.statement(node) or node
    for each in site.script.around(node):
        if isinstance(each, ast.For | ast.While | ast.With) and not set(names) & _bound(each):
            place = each
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            if not set(names) <= _bound(each):
                return None
            break
    above = site.script.before(place, lines[0])
    if above is None:
        return None
    indent = above.text[: len(above.text) - len(above.text.lstrip())]
    end = above.text[len(above.text.rstrip("\r\n")) :]
    return Edit(above.start, above.end, "".join(f"{indent}{line}{end}" for line in lines))


def _bound(node: ast.AST) -> set[str]:
    stores = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return stores | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def free_name(site: Site, name: str) -> str:
    """Return a name that nothing has yet."""
    return name if name not in site.known else f"{name}_2"


# -- texts -----------------------------------------------------------------------------------------------------------

_TEXTS = (
    r"could not convert string to float|DataFrame\.dtypes for data must be int|pandas dtypes must be int"
    r"|invalid literal for int|Cast string to float is not supported"
)


def texts_as_numbers(site: Site) -> Iterator[Patch]:
    """Encode the columns of texts as numbers, in each split by what the first one has.

    Sources: scikit-learn's user guide, "Encoding categorical features": estimators take numbers; `OrdinalEncoder`
    keeps the columns, which is enough for trees; pandas' references of `get_dummies` and `reindex`.
    """
    if not site.says("ValueError", "TypeError", "UnimplementedError", pattern=_TEXTS):
        return
    for call, node in given(site):
        part = site.part(node)
        texts = [each for each, dtype in (part.facts.get("dtypes") or {}).items() if _is_text(dtype)]
        if not isinstance(node, ast.Name) or not part.is_frame or not texts:
            continue
        if _TO_SCALE.search(site.owner(call).kind) or not called(call).startswith(("fit", "cross")):
            continue
        name, others = node.id, splits_of(site, node.id)
        few = ", ".join(map(str, texts[:4])) + (" and more" if len(texts) > 4 else "")
        if _OF_TREES.search(site.owner(call).kind) and set(texts) <= set(map(str, part.columns)):
            yield from _ordinal(site, call, [name, *others], texts, few)
        elif others:
            pandas, imported = site.module("pandas", "pd")
            lines = [f"{name} = {pandas}.get_dummies({name})"]
            lines += [
                f"{each} = {pandas}.get_dummies({each}).reindex(columns={name}.columns, fill_value=0)"
                for each in others
            ]
            edit = lines_before(site, call, [name, *others], lines)
            yield from site.patch(f"Encode the texts in {few} as numbers, one column for each value.", edit, *imported)


def _ordinal(site: Site, call: ast.Call, names: Sequence[str], texts: Sequence[str], few: str) -> Iterator[Patch]:
    kind, imported = site.imported("sklearn.preprocessing", "OrdinalEncoder")
    encoder, columns = free_name(site, "ordinal_encoder"), free_name(site, "text_columns")
    lines = [
        f"{columns} = [{', '.join(map(_quoted, texts))}]",
        f'{encoder} = {kind}(handle_unknown="use_encoded_value", unknown_value=-1)',
        f"{names[0]}[{columns}] = {encoder}.fit_transform({names[0]}[{columns}])",
        *(f"{each}[{columns}] = {encoder}.transform({each}[{columns}])" for each in names[1:]),
    ]
    edit = lines_before(site, call, names[:1], lines)
    yield from site.patch(f"Encode the texts in {few} as numbers, as the trees take them.", edit, *imported)


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() and '"' not in text and "\\" not in text else repr(text)


def _is_text(dtype: str) -> bool:
    return dtype in ("object", "str", "string", "category")


def raw_documents(site: Site) -> Iterator[Patch]:
    """Give a vectoriser one text a document.

    Sources: the messages "np.nan is an invalid document, expected byte or unicode string." and "Iterable over raw text
    documents expected, string object received."; scikit-learn's reference of `CountVectorizer`.
    """
    is_gap = site.says("ValueError", pattern=r"nan is an invalid document")
    is_one = site.says("ValueError", pattern=r"Iterable over raw text documents expected")
    is_number = site.says(
        "AttributeError", pattern=r"'(?:int|float|numpy\.ndarray|ndarray)' object has no attribute 'lower'"
    )
    for call in site.calls if is_gap or is_one or is_number else ():
        for node in call.args[:1]:
            part = site.part(node)
            if is_one:
                yield from site.patch("Give it a list of the one text.", site.script.wrapped(node, "[", "]"))
            elif part.is_series and (is_gap or "'float'" in site.message):
                edit = site.script.followed(node, '.fillna("")')
                yield from site.patch("Take a missing text as an empty one.", edit)
            elif is_number and part.is_frame and len(part.columns) == 1:
                edit = site.script.followed(node, ".iloc[:, 0]")
                yield from site.patch("Give it the one column of texts.", edit)
            elif is_number and part.is_series:
                edit = site.script.followed(node, ".astype(str)")
                yield from site.patch("Give it texts.", edit)
            elif is_number and part.is_array and len(part.shape or ()) == 2:
                yield from site.patch("Give it one text a document.", site.script.followed(node, ".ravel()"))


# -- missing values --------------------------------------------------------------------------------------------------


def filled_alike(site: Site) -> Iterator[Patch]:
    """Suggest to fill missing values in each split with the means of the data that is trained with.

    Sources: the message "Input X contains NaN"; scikit-learn's user guide, "Common pitfalls": what is learnt from data
    is learnt from the training data only. Which value is right only the user knows, which the summary says.
    """
    if not site.says("ValueError", pattern=r"Input X contains NaN|Input contains NaN|contains NaN, infinity"):
        return
    for call, node in given(site):
        part = site.part(node)
        if not isinstance(node, ast.Name):
            continue
        others = splits_of(site, node.id)
        trained = next((each for each in [node.id, *others] if "train" in each.lower()), "")
        names = [each for each in [node.id, *others] if each != trained]
        if not trained or not names:
            continue
        summary = "A suggestion only: fill missing values with the means of the training data. What is right, you know."
        if part.is_frame:
            lines = [f"{each} = {each}.fillna({trained}.mean(numeric_only=True))" for each in [*names, trained]]
            yield from site.patch(summary, lines_before(site, call, [*names, trained], lines))
        elif part.is_array:
            kind, imported = site.imported("sklearn.impute", "SimpleImputer")
            imputer = free_name(site, "imputer")
            lines = [f'{imputer} = {kind}(strategy="mean")', f"{trained} = {imputer}.fit_transform({trained})"]
            lines += [f"{each} = {imputer}.transform({each})" for each in names]
            yield from site.patch(summary, lines_before(site, call, [*names, trained], lines), *imported)


def rows_with_label(site: Site) -> Iterator[Patch]:
    """Leave out the rows that have no label, of features and labels together: nothing can be learnt from them.

    Source: the message "Input y contains NaN."; scikit-learn's user guide, "Imputation of missing values", which
    imputes features only.
    """
    if not site.says("ValueError", pattern=r"Input y contains NaN|Check failed: valid: Label contains NaN"):
        return
    summary = "Leave out the rows without a label, of features and labels together."
    for call in (each for each in site.inner if isinstance(each, ast.Call)):
        match call.args[:2]:
            case [ast.Name(id=data), ast.Name(id=labels)] if called(call).startswith(("fit", "split")):
                split = _split_of(site, labels)
                if split is not None:
                    yield from _labelled_at(site, split, summary)
                line = _labelled(data, labels)
                yield from site.patch(summary, lines_before(site, call, [data, labels], [line]))
                if site.script.cell is not None and split is None and {data, labels} <= site.known:
                    yield from site.scripts[0].patch(summary, site.scripts[0].imported(line))


def _labelled(data: str, labels: str) -> str:
    kept = f"[{labels}.notna()]"
    return f"{data}, {labels} = {data}{kept}, {labels}{kept}"


def _split_of(site: Site, name: str) -> ast.Call | None:
    """Return the call of ``train_test_split`` that binds a name in the cell of the crash."""
    for node in ast.walk(site.script.tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call() as call) if (
                called(call) == "train_test_split"
                and len(call.args) == 2
                and any(isinstance(each, ast.Name) and each.id == name for each in names)
            ):
                return call
    return None


def _labelled_at(site: Site, call: ast.Call, summary: str) -> Iterator[Patch]:
    data, labels = call.args
    if not isinstance(data, ast.Name) or not isinstance(labels, ast.Name):
        return
    kept = f"[{labels.id}.notna()]"
    edit = lines_before(site, call, [data.id, labels.id], [_labelled(data.id, labels.id)])
    if edit is not None:
        yield from site.patch(summary, edit)
        return
    yield from site.patch(summary, *(site.script.followed(each, kept) for each in (data, labels)))


# -- names and dimensions --------------------------------------------------------------------------------------------


def plain_names(site: Site) -> Iterator[Patch]:
    """Give columns names without the characters that the library does not take.

    Sources: the messages "Do not support special JSON characters in feature name." of LightGBM and "feature_names must
    be string, and may not contain [, ] or <" of XGBoost; pandas' reference of `DataFrame.rename`.
    """
    pattern = r"special JSON characters in feature name|feature_names must be string, and may not contain"
    if not site.says("ValueError", "LightGBMError", pattern=pattern):
        return
    for call, node in given(site):
        if isinstance(node, ast.Name) and site.part(node).is_frame:
            names = [node.id, *splits_of(site, node.id)]
            again, imported = site.module("re", "re")
            step = f'.rename(columns=lambda name: {again}.sub(r"\\W+", "_", str(name)))'
            edit = lines_before(site, call, names, [f"{each} = {each}{step}" for each in names])
            yield from site.patch("Give the columns names of letters, digits and underscores.", edit, *imported)


def flat_samples(site: Site) -> Iterator[Patch]:
    """Give one row of features a sample, where a sample has several dimensions.

    Source: the message "Found array with dim 3. LogisticRegression expected <= 2."; numpy's reference of `reshape`.
    """
    if not site.says("ValueError", pattern=r"Found array with dim \d"):
        return
    for call, node in given(site):
        part = site.part(node)
        if part.shape is None or len(part.shape) < 3:
            continue
        names = [node.id, *splits_of(site, node.id)] if isinstance(node, ast.Name) else []
        if len(names) > 1:
            edit = lines_before(site, call, names, [f"{each} = {each}.reshape(len({each}), -1)" for each in names])
            yield from site.patch("Make one row of each sample.", edit)
        edit = site.script.followed(node, f".reshape(len({site.script.text(node)}), -1)")
        yield from site.patch("Make one row of each sample.", edit)


def is_scaler(part: Part) -> bool:
    """Whether an estimator scales features."""
    return _TO_SCALE.search(part.kind) is not None


STRATEGIES = (
    texts_as_numbers,
    raw_documents,
    filled_alike,
    rows_with_label,
    plain_names,
    flat_samples,
)
