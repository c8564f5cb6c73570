"""What a model is told of a probe's answer: without what it knows already, and what is as it mostly is.

The rules read answers whole. A model pays for every word, and a long answer hides what is unusual in it. Left out is
what the call said, what is not known, that nothing was cut or passed over, what another field says, too, and settings
that are as the library makes them unless somebody asks for something else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from crane_agent.agent.policy import ProbeCall

Answer = dict[str, Any]

_EMPTY: Sequence[Any] = ([], {})

# Sources: the numpy reference, "The N-dimensional array" (order, writeable, owndata); the torch reference,
# `torch.Tensor` (strided, on the CPU, a leaf without gradient) and `torch.utils.data.DataLoader`.
AS_USUAL: Mapping[str, Sequence[Any]] = {
    **dict.fromkeys(("changed", "deleted", "would_bind", "may_bind_anything", "out_of_order", "repeated"), _EMPTY),
    **dict.fromkeys(("close", "close_names", "unread", "stored", "other_mode", "duplicated"), _EMPTY),
    **dict.fromkeys(("truncated", "has_grad", "requires_grad", "drop_last", "patched"), (False,)),
    **dict.fromkeys(("whole", "complete", "writable", "owns_data", "contiguous", "is_leaf"), (True,)),
    "order": ("C", "C and F"),
    "layout": ("torch.strided",),
    "device": ("cpu",),
    "workers": (0,),
    "collate": ("default",),
    "on_missing": ("KeyError",),
}
"""Values of fields that say nothing unusual."""

USUAL_SIZES: Mapping[str, Sequence[Any]] = {
    **dict.fromkeys(("use_bias", "bias", "center", "scale", "affine", "track_running_stats"), (True,)),
    **dict.fromkeys(("sparse", "synchronized", "inplace", "ceil_mode", "elementwise_affine"), (False,)),
    **dict.fromkeys(("dilation", "dilation_rate"), (1, [1], [1, 1], [1, 1, 1])),
    "groups": (1,),
    "rank": (1, 2, 3),
}
"""The same of the settings of layers; the rank is that of their shapes. Sources: the references of Keras and torch."""

COUNTS_OF_LOOKS = ("looked_at", "distinct_among", "range_among")
"""How many were looked at; all of them, if that is how many there are."""

NAMED_BY_PROBE = frozenset(("columns", "column", "nulls"))
"""Probes of one kind of value."""


def essential(call: ProbeCall, answer: Mapping[str, Any]) -> Answer:
    """Return what a model is told of an answer."""
    found = {name: value for name, value in answer.items() if value is not None}
    found = _without_looks_at_all(found)
    told = {
        name: value
        for name, value in found.items()
        if call.arguments.get(name, ...) != value and value not in AS_USUAL.get(name, ())
    }
    if call.question in NAMED_BY_PROBE or "type" in told:
        told.pop("kind", None)
    shorten = _OF_PROBE.get(call.question)
    return told if shorten is None else shorten(told, call.arguments)


def _without_looks_at_all(answer: Answer) -> Answer:
    shape = answer.get("shape") or [None]
    there = answer.get("length", shape[0])
    is_whole = answer.get("whole") is True
    return {
        name: value for name, value in answer.items() if name not in COUNTS_OF_LOOKS or not (is_whole or value == there)
    }


def _without(answer: Answer, names: Iterable[str]) -> Answer:
    return {name: value for name, value in answer.items() if name not in names}


def _columns(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out the columns that were not asked for, and put neighbours of one dtype together: [[dtype, [labels]]]."""
    names, columns = arguments.get("names"), answer.get("columns")
    if columns:
        asked = [column for column in columns if not names or column[0] in names]
        by_dtype = groupby(asked, key=lambda column: column[1])
        told = [[dtype, [label for label, _ in several]] for dtype, several in by_dtype]
        answer = {**answer, "columns": told} if told else _without(answer, ["columns"])
    if "close" in answer:
        answer = {**answer, "close": {name: like for name, like in answer["close"].items() if like}}
    return answer


def _column(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    return _without(answer, ["label"] if answer.get("label") == arguments.get("name") else [])


def _array(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out that there is no NaN where there can be none."""
    is_whole_numbers = str(answer.get("dtype")).removeprefix("torch.").startswith(("int", "uint", "bool"))
    return _without(answer, ("nan", "infinite") if is_whole_numbers else ())


def _loader(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out the sampler where it is told whether it shuffles, and a last batch that is like the others."""
    is_like_others = answer.get("last_batch_size") == answer.get("batch_size")
    left_out = [*(["sampler"] if "shuffles" in answer else []), *(["last_batch_size"] if is_like_others else [])]
    return _without(answer, left_out)


def _names(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out, of a name that was asked about, the name and how many others there are."""
    return _without(answer, ("name", "count") if "like" in arguments else ())


def _history(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out what happened last where the name was only ever bound."""
    return answer if answer.keys() & {"changed", "deleted"} else _without(answer, ("last",))


def _layers(answer: Answer, arguments: Mapping[str, Any]) -> Answer:
    """Leave out of each layer what the one before it or the whole network tells, and the module of its class."""
    layers: list[Answer] = []
    given: Any = None  # what the layer before puts out
    for layer in answer.get("layers", ()):
        left_out = ["built"] if layer.get("built") == answer.get("built") else []
        if "input_shapes" in layer:
            left_out += ["input_spec", *(["input_shapes"] if layer["input_shapes"] == given else [])]
        given = layer.get("output_shapes")
        sizes = {name: size for name, size in layer.get("sizes", {}).items() if size not in USUAL_SIZES.get(name, ())}
        short = {**_without(layer, left_out), "sizes": sizes, "type": layer["type"].rpartition(".")[2]}
        layers.append({name: value for name, value in short.items() if value not in _EMPTY})
    return {**answer, "layers": layers} if layers else answer


_OF_PROBE: Mapping[str, Callable[[Answer, Mapping[str, Any]], Answer]] = {
    "columns": _columns,
    "column": _column,
    "array": _array,
    "loader": _loader,
    "layers": _layers,
    "names": _names,
    "history": _history,
}
