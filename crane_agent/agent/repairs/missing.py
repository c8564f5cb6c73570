"""Missing values where a library takes none: filled with what the summary names, as a suggestion only."""

import ast
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site, called


def filled(site: Site) -> Iterator[Patch]:
    """Suggest to fill missing values with the mean of their column.

    Sources: scikit-learn's message "Input X contains NaN ... it is possible to preprocess the data, for instance by
    using an imputer transformer", and its user guide, "Imputation of missing values". Which value is right only the
    user knows, which the summary says.
    """
    if not site.says("ValueError", pattern=r"Input X contains NaN|Input contains NaN|contains NaN, infinity"):
        return
    for call in site.calls:
        if (
            called(call) not in ("fit", "predict", "transform", "fit_transform", "fit_predict", "score")
            or not call.args
        ):
            continue
        node = call.args[0]
        part, text = site.part(node), site.script.operand(node)
        summary = (
            "A suggestion only: fill the missing values with the mean of their column. Which value is right, you know."
        )
        if part.is_frame:
            yield from site.patch(summary, site.script.followed(node, f".fillna({text}.mean(numeric_only=True))"))
        elif part.is_array and isinstance(node, ast.Name):
            name, imported = site.imported("sklearn.impute", "SimpleImputer")
            edit = site.script.wrapped(node, f'{name}(strategy="mean").fit_transform(')
            yield from site.patch(summary, edit, *imported)


STRATEGIES = (filled,)
