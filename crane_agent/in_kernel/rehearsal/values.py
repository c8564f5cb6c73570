"""What a value is, for the report: asked in the copy, where the user's code may run, and never its content.

Whatever fails is left out: a property may raise anything. What takes too long is for the keeper to end.
"""

from __future__ import annotations

import inspect
import itertools
import json
import sys
import time
import types
from typing import Any, Callable, Collection, Dict, Iterable, List, Optional

MOST = 50
"""Columns, keys, sizes, names that are listed of a value."""

MOST_TEXT = 200
"""Length of a text [characters]."""

MOST_SAID = 24000
"""Length of a scene's parts, or of all names' values, as JSON: the whole report has 65536 bytes [characters]."""

TIME_S = 1.5
"""Time after which no further value is described [seconds]."""

Facts = Dict[str, Any]


def facts_of(value: object, details: Collection[str], until: float) -> Facts:
    """Return the type of a value and those details of it that can be told.

    Args:
        value: Anything.
        details: Names in `DETAILS`.
        until: Time of `time.monotonic` after which nothing more is asked [seconds].
    """
    found: Facts = {"type": name_of(type(value))}
    for name in details:
        if time.monotonic() > until:
            break
        try:
            told = DETAILS[name](value)
        except (Exception, SystemExit):  # noqa: BLE001 - a property of the user's may raise anything here
            continue
        if told is not None:
            found[name] = told
    return found


def name_of(thing: Any) -> str:
    """Return a class or function as it is imported, ``pandas.DataFrame``: by the shortest path that holds it."""
    home, name = str(getattr(thing, "__module__", "") or ""), str(getattr(thing, "__qualname__", ""))
    if home in ("", "builtins", "__main__"):
        return name[:MOST_TEXT]
    parts = home.split(".")
    for module in (".".join(parts[:count]) for count in range(1, len(parts))):
        # Not `getattr`, for which some packages import more of themselves.
        if getattr(sys.modules.get(module), "__dict__", {}).get(name) is thing:
            home = module
            break
    return "{}.{}".format(home, name)[:MOST_TEXT]


def label_of(label: Any) -> Any:
    """Return a column, key or name as JSON has it: as text, unless it is a number."""
    if hasattr(label, "item") and type(label).__module__ == "numpy":
        label = label.item()
    if label is None or type(label) is bool or (type(label) in (int, float) and abs(label) < sys.maxsize):
        return label
    return str(label)[:MOST_TEXT]


def room_after(said: object) -> int:
    """Return how much may be said of the next value: half of what is left, as others may follow [characters]."""
    return (MOST_SAID - len(json.dumps(said))) // 2


def fitted_into(room: int, facts: Facts) -> Facts:
    """Return what is known of a value without its longest details, if all together are too long [characters]."""
    lengths = {name: len(json.dumps(told)) for name, told in facts.items() if name in DETAILS}
    kept, over = dict(facts), len(json.dumps(facts)) - room
    for name in sorted(lengths, key=lambda name: -lengths[name]):
        if over <= 0:
            break
        del kept[name]
        over -= lengths[name]
    return kept


def _first(things: Iterable[Any]) -> List[Any]:
    return list(itertools.islice(things, MOST))


def _is_code(value: Any) -> bool:
    return callable(value) and isinstance(
        value, (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
    )


def _shape(value: Any) -> Optional[List[Optional[int]]]:
    if _is_code(value) or isinstance(value, types.ModuleType):
        return None
    return [None if each is None else int(each) for each in _first(value.shape)]


def _dtype(value: Any) -> Optional[str]:
    if _shape(value) is None:
        return None
    text = str(value.dtype)
    # TensorFlow's: ``<dtype: 'float32'>``
    return (str(value.dtype.name) if text.startswith("<dtype:") else text)[:MOST_TEXT]


def _is_table(value: Any) -> bool:
    return hasattr(value, "columns") and len(_shape(value) or ()) == 2


def _columns(value: Any) -> Optional[List[Any]]:
    return [label_of(each) for each in _first(value.columns)] if _is_table(value) else None


def _dtypes(value: Any) -> Optional[Dict[str, str]]:
    if not _is_table(value):
        return None
    return {str(label_of(column)): str(dtype)[:MOST_TEXT] for column, dtype in _first(zip(value.columns, value.dtypes))}


def _index(value: Any) -> Optional[str]:
    pandas = sys.modules.get("pandas")
    kinds = (getattr(pandas, "DataFrame", ()), getattr(pandas, "Series", ()))
    return name_of(type(value.index)) if isinstance(value, kinds) else None


def _keys(value: Any) -> Optional[List[Any]]:
    return [label_of(each) for each in _first(value)] if isinstance(value, dict) else None


def _length(value: Any) -> Optional[int]:
    return None if isinstance(value, type) else len(value)


def _elements(value: Any) -> Optional[List[str]]:
    """Return the types of the first elements, each once."""
    if not isinstance(value, (list, tuple, set, frozenset)):
        return None
    return list(dict.fromkeys(name_of(type(each)) for each in _first(value)))


def _is_of_torch(value: Any, name: str) -> bool:
    return isinstance(value, getattr(sys.modules.get("torch.nn" if name == "Module" else "torch"), name, ()))


def _device(value: Any) -> Optional[str]:
    if _is_of_torch(value, "Module"):
        value = next(value.parameters())
    return str(value.device) if _is_of_torch(value, "Tensor") else None


def _requires_grad(value: Any) -> Optional[bool]:
    return bool(value.requires_grad) if _is_of_torch(value, "Tensor") else None


def _is_of_keras(value: Any) -> bool:
    roots = {each.__module__.partition(".")[0] for each in type(value).__mro__}
    return bool(roots & {"keras", "tf_keras"})


def _sizes(value: Any) -> Optional[Dict[str, Any]]:
    """Return the numbers among the settings of a layer: ``in_features``, ``units`` ..."""
    if not (_is_of_torch(value, "Module") or _is_of_keras(value)):
        return None
    named = ((name, each) for name, each in vars(value).items() if not name.startswith("_"))
    return dict(_first((name, each) for name, each in named if _is_size(each))) or None


def _is_size(value: Any) -> bool:
    sizes = value if type(value) is tuple and len(value) < 5 else (value,)
    return all(type(each) is int and abs(each) < sys.maxsize for each in sizes)


def _input_shape(value: Any) -> Optional[List[Optional[int]]]:
    return [None if each is None else int(each) for each in value.input_shape] if _is_of_keras(value) else None


def _output_shape(value: Any) -> Optional[List[Optional[int]]]:
    return [None if each is None else int(each) for each in value.output_shape] if _is_of_keras(value) else None


def _loss(value: Any) -> Optional[str]:
    """Return the name of the loss that a Keras model was compiled with."""
    if not _is_of_keras(value) or value.loss is None:
        return None
    loss = value.loss
    return (loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__)[:MOST_TEXT]


def _is_estimator(value: Any) -> bool:
    return isinstance(value, getattr(sys.modules.get("sklearn.base"), "BaseEstimator", ()))


def _fitted(value: Any) -> Optional[bool]:
    validation: Any = sys.modules.get("sklearn.utils.validation")
    if not _is_estimator(value):
        return None
    try:
        validation.check_is_fitted(value)
    except sys.modules["sklearn.exceptions"].NotFittedError:
        return False
    return True


def _n_features_in(value: Any) -> Optional[int]:
    return int(value.n_features_in_) if _is_estimator(value) else None


def _feature_names_in(value: Any) -> Optional[List[Any]]:
    return [label_of(each) for each in _first(value.feature_names_in_)] if _is_estimator(value) else None


def _name(value: Any) -> Optional[str]:
    return name_of(value) if _is_code(value) else None


def _parameters(value: Any) -> Optional[List[str]]:
    """Return the parameters of what is called, as a signature writes them, without values of defaults."""
    if _is_of_torch(value, "Module"):
        value = value.forward
    found: List[str] = []
    kinds = inspect.Parameter
    before: Any = None
    for each in _first(inspect.signature(value).parameters.values()):
        if before is kinds.POSITIONAL_ONLY and each.kind is not before:
            found.append("/")
        if each.kind is kinds.KEYWORD_ONLY and before not in (kinds.KEYWORD_ONLY, kinds.VAR_POSITIONAL):
            found.append("*")
        stars = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}.get(each.kind, "")
        found.append("{}{}{}".format(stars, each.name, "" if each.default is kinds.empty else "=..."))
        before = each.kind
    return found


def _value(value: Any) -> Optional[str]:
    """Return what a number, a truth value or a short text is."""
    if type(value).__module__ == "numpy" and _shape(value) == [] and hasattr(value, "item"):
        value = value.item()
    if value is not None and type(value) not in (bool, int, float, str):
        return None
    text = repr(value[: MOST_TEXT + 1] if type(value) is str else value)
    return text if len(text) <= MOST_TEXT else None


DETAILS: Dict[str, Callable[[Any], Any]] = {
    "value": _value,
    "shape": _shape,
    "dtype": _dtype,
    "length": _length,
    "columns": _columns,
    "dtypes": _dtypes,
    "index": _index,
    "keys": _keys,
    "elements": _elements,
    "device": _device,
    "requires_grad": _requires_grad,
    "sizes": _sizes,
    "input_shape": _input_shape,
    "output_shape": _output_shape,
    "loss": _loss,
    "fitted": _fitted,
    "n_features_in": _n_features_in,
    "feature_names_in": _feature_names_in,
    "name": _name,
    "parameters": _parameters,
}
"""What can be told of a value, each by a function that returns None, or raises, where it does not apply."""
