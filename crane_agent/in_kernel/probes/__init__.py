"""The probes: one function each, one module per kind of value.

To add one: write ``def probe(shell, budget, argument, ...)`` in the module of its kind; return JSON values; touch the
user's objects through `safe` only; list at most `budget.items` things and say ``"truncated": True`` if there were
more; raise `safe.Refused("could not look, because ...")` rather than guess. Name it in `PROBES`, describe it in
`crane_agent/tools/probes.py`, and add it to the fingerprint test.
"""

from . import arrays, callables, estimators, files, frames, models, names, values

PROBES = {
    "names": names.names,
    "describe": values.describe,
    "columns": frames.columns,
    "array": arrays.array,
    "signature": callables.signature,
    "layers": models.layers,
    "estimator": estimators.estimator,
    "file": files.file,
}
