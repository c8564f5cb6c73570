"""Settings of estimators that do not go together, or that stand in another place."""

import ast
import re
from collections.abc import Iterator

from crane_agent.agent.repairs.constants import calls_of
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called, closest, keyword, literals


def made(site: Site) -> Iterator[tuple[Script, ast.Call]]:
    """Yield the call that made the estimator of the failing call, else those of its class."""
    for node in site.inner:
        match node:
            case ast.Attribute(value=ast.Name(id=name)):
                kind = site.part(node.value, "owner").kind
                for script, statement in site.bindings(name):
                    if isinstance(statement.value, ast.Call):
                        yield script, statement.value
                    break
                yield from calls_of(site, {kind} if kind else ())
                return
            case ast.Attribute(value=ast.Call() as call) if called(call)[:1].isupper():
                yield site.script, call
                return


def _set(script: Script, call: ast.Call, name: str, value: str) -> Edit | None:
    found = keyword(call, name)
    return script.with_argument(call, f"{name}={value}") if found is None else script.replaced(found.value, value)


def solver_of_penalty(site: Site) -> Iterator[Patch]:
    """Keep the penalty, and use a solver that has it.

    Sources: the messages "Only 'saga' solver supports elasticnet penalty" and "Solver lbfgs supports only 'l2' or None
    penalties, got l1 penalty."; scikit-learn's reference of `LogisticRegression`: saga has all penalties, elasticnet
    needs l1_ratio; of `LinearSVC`: l1 goes with squared_hinge and dual=False.
    """
    if site.crash.type not in ("ValueError", "InvalidParameterError"):
        return
    elastic = site.found(
        r"supports elasticnet penalty|got elasticnet penalty|l1_ratio must be specified|got l1_ratio=None"
    )
    other = site.found(r"Solver [\w-]+ supports only .*got (?:an )?(?:l1|none|None|elasticnet)? ?")
    linear = site.found(r"combination of penalty='l1' and loss='(\w+)'.* not supported|loss='\w+' is not supported")
    dual = site.found(r"supports only dual=False, got dual=True")
    for script, call in list(made(site))[:1]:
        edits: list[Edit | None] = []
        if elastic is not None:
            edits = [_set(script, call, "solver", '"saga"')]
            edits += [script.with_argument(call, "l1_ratio=0.5")] if keyword(call, "l1_ratio") is None else []
            if keyword(call, "solver") is None and len(edits) == 2:
                edits = [script.with_argument(call, 'solver="saga", l1_ratio=0.5')]
            summary = "Use the solver saga, which has elasticnet, half of l1 and half of l2."
        elif other is not None:
            value = '"liblinear"' if "l1 penalty" in site.message else '"saga"'
            edits = [_set(script, call, "solver", value)]
            summary = f"Use the solver {value[1:-1]}, which has the penalty."
        elif dual is not None:
            edits = [_set(script, call, "dual", "False")]
            summary = "Use dual=False, as the message says."
        elif linear is not None:
            edits = [_set(script, call, "dual", "False")]
            summary = "Use dual=False, which goes with the penalty."
        if edits:
            yield from script.patch(summary, *edits)


def features_not_negative(site: Site) -> Iterator[Patch]:
    """Scale to values from 0 on for what takes no negative ones.

    Sources: the messages "Negative values in data passed to MultinomialNB" and "Input X must be non-negative";
    scikit-learn's reference of `MinMaxScaler`.
    """
    if not site.says("ValueError", pattern=r"Negative values in data passed to|Input X must be non-negative"):
        return
    for script, call in calls_of(site, {"StandardScaler", "RobustScaler", "PowerTransformer"}):
        if isinstance(call.func, ast.Name):
            line = script.imported("from sklearn.preprocessing import MinMaxScaler")
            summary = "Scale with MinMaxScaler, to values from 0 to 1: negative ones are not taken."
            yield from script.patch(summary, script.replaced(call.func, "MinMaxScaler"), line)
            return


def parameters_of_search(site: Site) -> Iterator[Patch]:
    """Name the parameters of a search as the estimator has them.

    Sources: the message "Invalid parameter 'C' for estimator Pipeline(...). Valid parameters are: ['memory', 'steps']";
    scikit-learn's user guide, "Pipelines": the step's name, two underscores, the parameter.
    """
    found = site.found(r"Invalid parameter '?(\w+)'? (?:\(?.*?\)? )?for estimator (\w+)")
    if found is None or site.crash.type != "ValueError":
        return
    wrong, kind = found[1], found[2]
    valid = re.findall(r"'(\w+)'", site.message.partition("Valid parameters are:")[2])
    names = closest(wrong, valid, cutoff=0.75)[:1]
    if kind == "Pipeline":
        names = [f"{step}__{wrong}" for step in _steps(site)[::-1]]
    elif "__" in site_text(site, wrong):
        names = [*names, site_text(site, wrong).rpartition("__")[2]]
    if "estimator" in valid:
        names.append(f"estimator__{wrong.removeprefix('base_estimator__')}")
    for name in dict.fromkeys(names):
        yield from _renamed(site, wrong, name)


def site_text(site: Site, wrong: str) -> str:
    """Return the literal of the cells that a wrong parameter is the first part of, or is itself."""
    for script in site.scripts:
        for literal in literals(ast.walk(script.tree)):
            if literal.text == wrong or literal.text.startswith(f"{wrong}__"):
                return literal.text
    return wrong


def _steps(site: Site) -> list[str]:
    for _, call in calls_of(site, {"Pipeline"}):
        listed = call.args[0] if call.args else getattr(keyword(call, "steps"), "value", None)
        if isinstance(listed, ast.List):
            pairs = [each.elts[0] for each in listed.elts if isinstance(each, ast.Tuple) and each.elts]
            return [str(each.value) for each in pairs if isinstance(each, ast.Constant)]
    for _, call in calls_of(site, {"make_pipeline"}):
        return [called(each).lower() for each in call.args if isinstance(each, ast.Call)]
    return []


def _renamed(site: Site, wrong: str, name: str) -> Iterator[Patch]:
    """Yield the patch of the keys of a grid: with a step's name, all those that have none."""
    text = site_text(site, wrong)
    prefix = name.removesuffix(wrong) if name.endswith(f"__{wrong}") else ""
    for script in site.scripts:
        keys = [
            key
            for node in ast.walk(script.tree)
            if isinstance(node, ast.Dict) and text in [getattr(each, "value", None) for each in node.keys]
            for key in node.keys
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        edits = [
            script.quoted(key, prefix + str(key.value) if prefix else name)
            for key in keys
            if key.value == text or (prefix and "__" not in str(key.value))
        ]
        if edits:
            yield from script.patch(f"Name the parameter {name}, as the estimator has it.", *edits)
            return


_SCORES = {"mean_squared_error", "mean_absolute_error", "log_loss", "median_absolute_error", "root_mean_squared_error"}


def negative_score(site: Site) -> Iterator[Patch]:
    """Score with the negative of an error, so that more is better.

    Sources: scikit-learn's user guide, "The scoring parameter": ``neg_mean_squared_error``; the messages "is not a
    valid scoring value" and "The 'scoring' parameter of GridSearchCV must be a str among".
    """
    if not site.says("ValueError", "InvalidParameterError", pattern=r"scoring"):
        return
    for script in site.scripts:
        for literal in literals(ast.walk(script.tree)):
            around = script.parent(literal.node)
            is_scoring = isinstance(around, ast.keyword) and around.arg == "scoring"
            if is_scoring and (literal.text in _SCORES or literal.text in ("mse", "mae", "rmse")):
                full = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}
                name = f"neg_{full.get(literal.text, literal.text)}"
                yield from script.patch(f"Score with {name}.", script.quoted(literal.node, name))
                return


# -- LightGBM and XGBoost --------------------------------------------------------------------------------------------


def early_stopping(site: Site) -> Iterator[Patch]:
    """Give what stops or tells of training where it is taken now.

    Sources: LightGBM 4.0, release notes: early_stopping_rounds, verbose and verbose_eval of `fit` and `train` are the
    callbacks `early_stopping` and `log_evaluation`; XGBoost 2.1, release notes: eval_metric and early_stopping_rounds
    belong to the estimator.
    """
    names = ("early_stopping_rounds", "eval_metric", "verbose", "verbose_eval", "callbacks")
    found = site.found(r"got an unexpected keyword argument '(\w+)'") if site.crash.type == "TypeError" else None
    if found is None or found[1] not in names:
        return
    for call in site.calls:
        owner = site.owner(call)
        is_light = (
            owner.library == "lightgbm" or "lightgbm" in (owner.type, site.function(call).type) or _is_light(site, call)
        )
        if is_light:
            yield from _with_callbacks(site, call)
        elif owner.library == "xgboost":
            yield from _of_estimator(site, call)


def _is_light(site: Site, call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr="train" | "cv"):
            return site.imports.get("lightgbm") == name
    return False


def _with_callbacks(site: Site, call: ast.Call) -> Iterator[Patch]:
    lightgbm, imported = site.module("lightgbm", "lgb")
    rounds = keyword(call, "early_stopping_rounds")
    told = [each for name in ("verbose", "verbose_eval") if (each := keyword(call, name)) is not None]
    steps = [f"{lightgbm}.early_stopping({site.script.text(rounds.value)})"] if rounds is not None else []
    for each in told[:1]:
        text = site.script.text(each.value)
        if text not in ("False", "0", "-1"):
            steps.append(f"{lightgbm}.log_evaluation({'1' if text == 'True' else text})")
    if keyword(call, "callbacks") is not None:
        return
    gone = [*([rounds] if rounds is not None else []), *told]
    kept = f"callbacks=[{', '.join(steps)}]" if steps else ""
    first, *others = sorted(gone, key=lambda each: (each.value.lineno, each.value.col_offset))
    edit = site.script.replaced(first, kept) if kept else site.script.without_argument(call, first)
    edits = [edit, *(site.script.without_argument(call, each) for each in others)]
    yield from site.patch("Give the callbacks that took the place of the keywords.", *edits, *imported)


def _of_estimator(site: Site, call: ast.Call) -> Iterator[Patch]:
    moved = [each for name in ("early_stopping_rounds", "eval_metric") if (each := keyword(call, name)) is not None]
    for script, maker in list(made(site))[:1]:
        if script.cell != site.script.cell:
            owner = site.script.text(call.func.value) if isinstance(call.func, ast.Attribute) else ""
            edit = site.script.before(call, f"{owner}.set_params({', '.join(map(site.script.text, moved))})")
        else:
            edit = site.script.with_argument(maker, ", ".join(map(site.script.text, moved)))
        summary = "Give it to the estimator, which takes it now, not to fit."
        edits = [site.script.without_argument(call, each) for each in moved]
        yield from site.patch(summary, *edits, edit)


STRATEGIES = (
    solver_of_penalty,
    features_not_negative,
    parameters_of_search,
    negative_score,
    early_stopping,
)
