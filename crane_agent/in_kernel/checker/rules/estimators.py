"""What goes wrong with what scikit-learn hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...privacy import NAMES
from ...readers import tensors
from ..sites import Finding, SubscriptSite
from ..values import DTYPE, SHAPE, Like
from ..words import counted, words

if TYPE_CHECKING:
    from ..state import State


def rows_as_columns(site: SubscriptSite, state: State) -> Finding | None:
    """``frame[rows]`` with numbers of rows, as the folds of a cross-validation are: pandas looks for columns.

    Source: the pandas user guide, "Indexing and selecting data", "Basics": a list of labels selects columns.
    """
    key: Any = state.form(site.key, SHAPE, DTYPE)
    columns = state.columns(site.owner) if site.context == "load" and type(site.key) is Like else None
    if columns is None or not columns or not tensors.is_ndarray(key):
        return None
    if key.dtype.kind not in "iu" or key.ndim != 1 or not len(key) or not all(type(each) is str for each in columns):
        return None
    return Finding(
        rule="estimators.rows-as-columns",
        type="KeyError",
        message=words("None of [Index([...], dtype={!r})] are in the [columns]", counted(str(key.dtype)), quoted=True),
        because=words("the {} columns have names, and none of them is a number", counted(len(columns))),
        crash_type="key error",
        library="pandas",
        close=("iloc",),
        asked=NAMES,
    )


RULES = {SubscriptSite: [rows_as_columns]}
