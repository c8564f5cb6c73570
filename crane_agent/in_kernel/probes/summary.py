"""The fixed summary of several values at once: what CRANE-LLM hands a model at the start, in a form of our own.

It holds what the paper's summary holds (arXiv 2602.18537): of each value its type, its structure and what lies in it,
of functions, modules, networks and other objects only the type. It is put together from what the probes answer, so it
runs none of the user's code where the paper's does: no element is drawn from a data set, no attribute computed.

It is no tool for models: the graph asks it once, in the arms that give a policy a fixed summary and no probes. A part
can be left out, as in the paper's ablations. As there, dtype and fitted state are types; column labels and keys, which
the paper counts among the values, are structure here.
"""

from __future__ import annotations

from typing import Any, Iterable

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from ..readers import blocks, sklearn_estimators, tensors
from . import arrays, elements, estimators, frames, loaders, objects, values
from . import names as names_probe

MOST_COLUMNS = 20
"""Columns whose values are described, from the left; the paper's number."""

MOST_SHOWN = 5
"""Distinct values, or entries of a dict, that are shown; the paper's number."""

MOST_CHARACTERS = 20
"""Length of a text among them [characters]; the paper's number."""

MOST_ELEMENTS = 10000
"""Elements of a list or of an array of one dimension that are told apart, from its start."""


def summary(shell: Any, budget: safe.Budget, names: list[str], parts: list[str] | None = None) -> dict[str, Any]:
    """Describe values with type, structure and what lies in them, as far as `parts` says so.

    Args:
        shell: IPython's shell.
        budget: What the answer may cost; a value for which the time did not last has its type and the reason.
        names: Names, and attributes of them: ``df``, ``df.columns``. Those of Python's built-ins are passed over.
        parts: Some of `PARTS`; all of them unless given.
    """
    kept = _kept(names, parts)
    described: list[dict[str, Any]] = []
    plain: dict[str, str] = {}
    lost: dict[str, list[str]] = {"absent": [], "computed": []}
    for name in names:
        try:
            value = paths.resolve(name, shell.user_ns)
        except safe.Refused:
            _sort_out(name, shell, lost)
            continue
        told = _of_parts(_told(shell, budget, name, value), kept)
        if told:
            kind = {"type": safe.type_name(value)} if "types" in kept else {}
            described.append(dict({"name": name}, **kind, **told))
        else:
            plain[name] = safe.type_name(value)
    answer: dict[str, Any] = {"values": described}
    if "types" in kept:
        answer["names"] = plain
    return dict(answer, **{place: found for place, found in lost.items() if found})


def _kept(names: Any, parts: Any) -> tuple[str, ...]:
    """Return the parts to be told.

    Raises:
        Refused: An argument is not as it should be.
    """
    if type(names) is not list or len(names) > objects.MOST_NAMES or not safe.only_texts(names):
        raise safe.Refused("could not look, because names is a list of at most {} texts".format(objects.MOST_NAMES))
    if parts is None:
        return PARTS
    if type(parts) is not list or not safe.only_texts(parts) or not set(parts) <= set(PARTS):
        raise safe.Refused("could not look, because parts are some of {}".format(", ".join(PARTS)))
    return tuple(parts)


def _sort_out(name: str, shell: Any, lost: dict[str, list[str]]) -> None:
    """Note a name that leads to no value: it is not there, or only code could tell."""
    first, _, attribute = name.partition(".")
    try:
        owner = paths.resolve(first, shell.user_ns)
    except safe.Refused:
        if first not in names_probe.builtin_names(shell):
            lost["absent"].append(name)
        return
    lost["absent" if _is_absent(owner, attribute) else "computed"].append(name)


def _is_absent(owner: object, attribute: str) -> bool:
    """Whether an object is certain to have no such attribute."""
    try:
        return safe.attribute(owner, attribute) is safe.ABSENT
    except safe.Refused:
        pass
    # Source: `NDFrame.__getattr__`, `pandas/core/generic.py`: what is no attribute is a column, or an AttributeError.
    if not blocks.is_frame(owner) or safe.in_type(type(owner), attribute) is not safe.ABSENT:
        return False
    labels = frames.column_labels(owner)
    return labels is not None and attribute not in labels


# -- One value --------------------------------------------------------------------------------------------------------


def _told(shell: Any, budget: safe.Budget, path: str, value: Any) -> dict[str, Any]:
    """Return what is told of a value beside its type; nothing where the type is all."""
    try:
        if blocks.is_frame(value):
            return _frame(shell, budget, path)
        if blocks.is_series(value):
            return _column(frames.column(shell, budget, path))
        if tensors.is_array(value):
            return _array(shell, budget, path, value)
        if sklearn_estimators.is_estimator(value):
            return _estimator(shell, budget, path)
        if safe.inherits(type(value), dict):
            return _dict(shell, budget, path, value)
        if safe.one_of(type(value), (list, tuple)):
            told = _picked(values.describe(shell, budget, path), _OF_LIST)
            return dict(told, **_among(safe.first(value, MOST_ELEMENTS), len(value), budget))
        return _other(shell, budget, path)
    except safe.Refused as refused:
        return {"unknown": refused.reason[:200]}


def _picked(answer: dict[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a probe's answer; what is false, null or empty says nothing here."""
    return {name: answer[name] for name in fields if answer.get(name) not in (None, [], {})}


_OF_FRAME = ("shape", "levels", "level_names", "duplicated")
_OF_COLUMN = ("label", "length", "dtype", "categories", "nulls", "distinct", "least", "greatest", "sample")
_OF_ARRAY = ("shape", "dtype", "device", "requires_grad", "nan", "infinite", "element_types", "min", "max")
_OF_LIST = ("length", "element_types")
_OF_ESTIMATOR = ("fitted", "n_features_in", "feature_names_in", "n_classes", "class_dtype")
_OF_DATA = ("batch_size", "n_batches", "dataset", "dataset_length", "item", "stored", "sizes")
_OF_ELEMENTS = ("type", "shape", "dtype", "length", "count")
_OF_OTHERS = ("dtype", "length", "range", "fields", "value", "is_missing")


def _frame(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Return a frame's shape, and for each of its first columns what lies in it."""
    found = frames.columns(shell, budget, path)
    listed = found["columns"] or []
    most = min(MOST_COLUMNS, budget.items)
    return dict(
        _picked(found, _OF_FRAME),
        column_facts=[_column_of_frame(shell, budget, path, label, dtype) for label, dtype in listed[:most]],
        truncated=found["shape"][1] > most,
    )


def _column_of_frame(shell: Any, budget: safe.Budget, path: str, label: Any, dtype: str) -> dict[str, Any]:
    try:
        return dict(_column(frames.column(shell, budget, path, label)), length=None)
    except safe.Refused:
        # Labels that are no texts or stand there twice, cells that cannot be read.
        return {"label": label, "dtype": dtype}


def _column(found: dict[str, Any]) -> dict[str, Any]:
    told = _picked(found, _OF_COLUMN)
    if told.get("nulls") == 0:
        del told["nulls"]
    if "sample" in told:
        told["sample"] = [_short(each) for each in told["sample"]]
        if "least" in told and told["distinct"] > MOST_SHOWN:
            del told["sample"]
    return told


def _short(value: Any) -> Any:
    return value[:MOST_CHARACTERS] if type(value) is str else value


def _array(shell: Any, budget: safe.Budget, path: str, value: Any) -> dict[str, Any]:
    found = _picked(arrays.array(shell, budget, path), _OF_ARRAY)
    for name in ("nan", "infinite"):
        if found.get(name) == 0:
            del found[name]
    if tensors.is_ndarray(value) and len(value.shape) == 1 and value.dtype.kind in "biufUSO":
        among = _among(value[:MOST_ELEMENTS].tolist(), value.shape[0], budget)
        found = dict(among, **found)  # the range is of more elements there
    return found


def _among(elements: list[Any], length: int, budget: safe.Budget) -> dict[str, Any]:
    """Return how many distinct values are among elements that are all plain; of numbers the range, or a few values."""
    if not elements or not all(safe.one_of(type(each), safe.SCALARS) for each in elements):
        return {}
    budget.check()
    there = [each for each in elements if each is not None and each == each]
    distinct = dict.fromkeys(there)
    found: dict[str, Any] = {"distinct": len(distinct)}
    if length > len(elements):
        found["distinct_among"] = len(elements)
    if not budget.shows(VALUES) or not there:
        return found
    if all(safe.one_of(type(each), (int, float)) for each in there):
        found.update(min=safe.number(min(there)), max=safe.number(max(there)))
        if len(distinct) > MOST_SHOWN:
            return found
    return dict(found, sample=[_value(each) for each in safe.first(distinct, MOST_SHOWN)])


def _value(each: object) -> Any:
    return safe.text(each, MOST_CHARACTERS) if safe.one_of(type(each), (str, bytes, complex)) else safe.number(each)


def _dict(shell: Any, budget: safe.Budget, path: str, value: Any) -> dict[str, Any]:
    """Return a dict's length, its keys, and what the first entries are."""
    found = _picked(objects.keys(shell, budget, path), ("length", "keys"))
    entries = []
    for key, each in safe.first(dict.items(value), MOST_SHOWN):
        if safe.one_of(type(key), safe.SCALARS):
            entries.append(dict({"key": safe.text(key, MOST_CHARACTERS), "type": safe.type_name(each)}, **_entry(each)))
    return dict(found, entries=entries)


def _entry(value: Any) -> dict[str, Any]:
    shape = tensors.shape(value)
    if shape is not None:
        return {"shape": shape, "dtype": str(value.dtype)}
    if blocks.is_frame(value):
        return {"shape": [len(axis) for axis in reversed(blocks.axes(value))]}
    if blocks.is_series(value):
        return {"length": len(blocks.axes(value)[0]), "dtype": blocks.dtype(value)}
    if safe.one_of(type(value), safe.CONTAINERS):
        return {"length": len(value)}
    return {"value": _value(value)} if safe.one_of(type(value), safe.SCALARS) else {}


def _estimator(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    return _picked(estimators.estimator(shell, budget, path), _OF_ESTIMATOR)


def _other(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Return what brings data to training, or a plain value; of anything else the type is all that is told."""
    try:
        found = _picked(loaders.loader(shell, budget, path), _OF_DATA)
    except safe.Refused:
        found = values.describe(shell, budget, path)
        return _picked(found, _OF_OTHERS) if found["kind"] in _PLAIN else {}
    if "stored" in found:
        places = ("{}.dataset.".format(path), "{}.".format(path))
        found["stored"] = [
            dict(each, elements=_elements(shell, budget, each["name"], places)) for each in found["stored"]
        ]
    return found


def _elements(shell: Any, budget: safe.Budget, name: str, places: Iterable[str]) -> list[dict[str, Any]]:
    """Return the kinds of elements of a list that a data set stores.

    The paper draws elements from the data set for it, which runs the user's code and moves generators of numbers.
    """
    for place in places:
        try:
            found = elements.elements(shell, budget, place + name)
        except safe.Refused:
            continue
        return [_picked(each, _OF_ELEMENTS) for each in found["elements"][:MOST_SHOWN]]
    return []


_PLAIN = ("scalar", "text", "sequence", "range", "named tuple")


# -- The three parts --------------------------------------------------------------------------------------------------

PARTS = ("types", "structure", "values")

_FIELDS_OF = {
    "types": (
        *("type", "dtype", "element_types", "device", "requires_grad", "fitted", "class_dtype", "dataset", "fields"),
    ),
    "structure": (
        *("shape", "length", "count", "levels", "level_names", "duplicated", "keys", "range", "sizes"),
        *("n_features_in", "feature_names_in", "n_classes", "batch_size", "n_batches", "dataset_length"),
    ),
    "values": (
        *("nulls", "nan", "infinite", "distinct", "distinct_among", "categories"),
        *("least", "greatest", "min", "max", "sample", "value", "is_missing"),
    ),
}
_PART_OF = {name: part for part, fields in _FIELDS_OF.items() for name in fields}

_RECORDS = {"column_facts": "label", "entries": "key", "item": "name", "stored": "name", "elements": "first"}
"""Lists of records, with the field that says what each is about."""


def _of_parts(told: dict[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    """Return what belongs to the parts that are to be told, in a value's record and the records in it."""
    found: dict[str, Any] = {}
    for name, each in told.items():
        if name in _RECORDS:
            records = [_of_record(record, _RECORDS[name], kept) for record in each]
            if any(records) and ("structure" in kept or any(set(each) > {_RECORDS[name]} for each in records)):
                found[name] = records
        elif (_PART_OF.get(name) in kept and each is not None) or name == "unknown":
            found[name] = each
    if told.get("truncated") is True and found:
        found["truncated"] = True
    return found


def _of_record(record: dict[str, Any], subject: str, kept: tuple[str, ...]) -> dict[str, Any]:
    about = {subject: record[subject]} if subject in record else {}
    return dict(about, **_of_parts(record, kept))


FIELDS = {
    "values": Field(NAMES, "the values of which more than the type is told", records=True),
    "column_facts": Field(SCHEMA, "what lies in each column", records=True),
    "entries": Field(SCHEMA, "the first entries of a dict", records=True),
    "key": Field(SCHEMA, "key of an entry"),
    "absent": Field(NAMES, "names and attributes asked about that are not there"),
}
QUESTIONS = {"summary": summary}
