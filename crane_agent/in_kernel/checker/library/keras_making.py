"""Making layers, models and what belongs to them: constructors, `Input`, `Sequential.add`, the functional API.

Sources: `keras/src/layers/layer.py`, `__init__`; `keras/src/models/sequential.py`, `add` and `build`;
`keras/src/models/model.py` and `functional.py`; `keras/src/layers/core/input_layer.py`; the constructors themselves.
"""

from __future__ import annotations

import re
import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA
from ..sites import CallSite, Finding
from ..values import UNKNOWN, Known, Like, Value, of_element
from ..words import HIDDEN, Part, Words, counted, named, words
from . import keras_shapes as shapes
from . import keras_sure, running
from .keras_specs import (
    ANY,
    NOTHING,
    POLICY,
    Bound,
    Layer,
    Model,
    Tensor,
    Thing,
    as_value,
    base_class,
    bind,
    flat,
    function_named,
    image_data_format,
    own_kind,
    spec_of,
    stand_in,
    tensors_of,
)

if TYPE_CHECKING:
    from ..state import State

Answer = Any
"""`Value | Finding | None`."""

DOUBT = "what is made with Keras may be refused"


def finding(
    rule: str, message: Words, because: Words, kind: str = "ValueError", crash_type: str = "value error"
) -> Finding:
    """Return a finding of Keras' own check."""
    return Finding(
        rule="keras." + rule, type=kind, message=message, because=because, crash_type=crash_type, library="keras"
    )


# -- constructors -----------------------------------------------------------------------------------------------------


def make(site: CallSite, cls: type, state: State) -> Answer:
    """Follow a call of one of Keras' own classes."""
    kind = own_kind(cls)
    function = safe.in_type(cls, "__init__")
    if not kind or type(function) is not types.FunctionType:
        return None
    if not site.complete:
        return _opaque(site, state)
    if safe.inherits(cls, base_class("Model")):
        return _make_model(site, cls, kind, state)
    bound = bind(function, site)
    wrong = _does_not_fit(cls, function, bound, site, state)
    if wrong is not None:
        return wrong
    if safe.inherits(cls, base_class("Layer")):
        return _make_layer(site, cls, kind, bound, state)
    if not any(safe.inherits(cls, base_class(each)) for each in _THINGS):
        return None
    config = {name: state.plain(value) for name, value in bound.given.items()}
    config = {name: value for name, value in config.items() if value is not safe.ABSENT}
    state.may_raise(site.node, DOUBT)
    return stand_in(Thing(kind, config, cls))


_THINGS = ("Loss", "Metric", "BaseOptimizer", "Callback")


def _opaque(site: CallSite, state: State) -> Value:
    state.may_raise(site.node, DOUBT)
    return UNKNOWN


def _does_not_fit(
    cls: type, function: types.FunctionType, bound: Bound, site: CallSite, state: State
) -> Finding | None:
    """Arguments that the constructor does not take: Python says so, or the base class that gets what is left over."""
    names = list(function.__code__.co_varnames[1 : function.__code__.co_argcount + function.__code__.co_kwonlyargcount])
    if bound.error is not None:
        close = [each for name in bound.extra for each in close_to(name, names)]
        return Finding(
            rule="keras.does-not-bind",
            type="TypeError",
            message=words("{}", named(bound.error)),
            because=words("the signature is ({})", named(", ".join(names))),
            crash_type="invalid argument",
            library="keras",
            close=tuple(close),
            asked=NAMES,
        )
    if not bound.extra:
        return None
    accepted = _accepted(cls)
    if accepted is None:
        return None
    unknown = [name for name in bound.extra if name not in accepted]
    if not unknown:
        return None
    template = "Unrecognized keyword arguments passed to {}: {}"
    if safe.inherits(cls, base_class("BaseOptimizer")):
        template = "Argument(s) not recognized: {}"
    table, level = _shown({name: bound.extra[name] for name in unknown}, state)
    parts = [named(safe.class_name(cls)), Part(table, level)]
    return Finding(
        rule="keras.unrecognized-argument",
        type="ValueError",
        message=words(template, *parts[-template.count("{}") :]),
        because=words("{} has the parameters ({})", named(safe.class_name(cls)), named(", ".join(names))),
        crash_type="invalid argument",
        library="keras",
        close=tuple(_close_arguments(unknown[0], names)),
        asked=NAMES,
    )


# What an argument of Keras 1 and 2 is called now. Source: the release notes of Keras 2.0 and of Keras 3.0.
_RENAMED = {
    "lr": "learning_rate",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "output_dim": "units",
    "border_mode": "padding",
    "subsample": "strides",
    "init": "kernel_initializer",
    "dim_ordering": "data_format",
    "p": "rate",
    "input": "inputs",
    "output": "outputs",
}


def _close_arguments(name: str, names: list[str]) -> list[str]:
    renamed = _RENAMED.get(name)
    return [renamed] if renamed in names or renamed in ("inputs", "outputs") else close_to(name, names)


class _Shown:
    def __repr__(self) -> str:
        return HIDDEN


def _shown(arguments: dict[str, Value], state: State) -> tuple[dict[str, Any], str]:
    """Return arguments as a message shows them, and the level of that."""
    table: dict[str, Any] = {}
    for name, value in arguments.items():
        plain = state.plain(value)
        table[name] = _Shown() if plain is safe.ABSENT else plain
    return table, state.level(*(value for value in arguments.values() if state.plain(value) is not safe.ABSENT))


def _accepted(cls: type) -> set[str] | None:
    """Return every name that a constructor of the class, or of one it inherits from, may take from ``**kwargs``.

    A name counts if it is a parameter, or stands as a text in the code: ``kwargs.pop("input_shape")``. None if the base
    class is not one that refuses the rest.
    """
    found: set[str] = set()
    refuses = False
    for base in safe.mro(cls):
        if not safe.class_module(base).startswith("keras."):
            continue
        function = safe.class_dict(base).get("__init__")
        if type(function) is not types.FunctionType:
            continue
        code = function.__code__
        found.update(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        texts = [each for each in code.co_consts if type(each) is str]
        for inner in code.co_consts:
            if type(inner) is tuple:
                texts += [each for each in inner if type(each) is str]
        found.update(each for each in texts if each.isidentifier())
        if base is base_class("Layer") or base is base_class("BaseOptimizer"):
            refuses = any("recognized" in each for each in texts)
            break
    return found if refuses else None


# -- layers -----------------------------------------------------------------------------------------------------------

# Arguments that the constructor turns into tuples of as many integers as the layer has spatial axes.
_RANK = re.compile(r"([123])D(?:Transpose)?$")
_TUPLES = ("kernel_size", "pool_size", "strides", "dilation_rate")


def _make_layer(site: CallSite, cls: type, kind: str, bound: Bound, state: State) -> Answer:
    config: dict[str, Any] = {}
    for name, value in bound.given.items():
        plain = state.plain(value)
        if plain is not safe.ABSENT:
            config[name] = plain
    for name in ("input_shape", "input_dim"):
        if name in bound.extra:
            plain = state.plain(bound.extra[name])
            config["_input_shape_arg"] = ANY if plain is safe.ABSENT else plain if name == "input_shape" else (plain,)
    config["policy"] = "given" if "dtype" in bound.extra or "dtype" in bound.named else "default"
    label = state.plain(bound.extra.get("name", bound.given.get("name")))
    if kind == "InputLayer":
        return _make_input(site, cls, config, bound, label, state)
    inner: tuple[Value, ...] = ()
    wrapped = bound.given.get("layer")
    if wrapped is not None and kind in ("Bidirectional", "TimeDistributed"):
        wrong = _not_a_layer(kind, wrapped, state)
        if wrong is not None:
            return wrong
        inner = (wrapped,)
        kernel = spec_of(wrapped, state)
        config["recurrent"] = type(kernel) is Layer and kernel.kind in ("LSTM", "GRU", "SimpleRNN")
    wrong = _standardize(kind, config, state, bound)
    if wrong is not None:
        return wrong
    inside = spec_of(inner[0], state) if inner else None
    config["sure"] = keras_sure.constructor(kind, config, label, bound, inside, state)
    if not config["sure"]:
        state.may_raise(site.node, DOUBT)
    spec = Layer(cls, kind, config, label if type(label) is str else None, False, (), inner)
    return stand_in(spec._replace(demands=shapes.demands(spec)))


def _not_a_layer(kind: str, wrapped: Value, state: State) -> Finding | None:
    plain = state.plain(wrapped)
    if plain is safe.ABSENT:
        return None
    return finding(
        "not-a-layer",
        words(
            "Please initialize `{}` layer with a `keras.layers.Layer` instance. Received: {}",
            named(kind),
            Part(plain, state.level(wrapped)),
        ),
        words("{} wraps a layer", named(kind)),
    )


def _standardize(kind: str, config: dict[str, Any], state: State, bound: Bound) -> Finding | None:
    """Turn arguments into the attributes that the constructor makes of them; the library is asked where it checks."""
    found = _RANK.search(kind)
    rank = int(found.group(1)) if found else 0
    level = state.level(*bound.given.values())
    for name in ("activation", "recurrent_activation"):
        wrong = _activation(config.get(name), level)
        if wrong is not None:
            return wrong
    rate = config.get("rate") if kind == "Dropout" else None
    if safe.one_of(type(rate), (int, float)) and not 0 <= rate <= 1:  # type: ignore[operator]
        return finding(
            "rate",
            words(
                "Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate={}",
                Part(rate, level),
            ),
            words("a rate is a share"),
            crash_type="invalid argument",
        )
    if (rank and "Conv" in kind) or "Pooling" in kind:
        wrong = _spatial(kind, config, rank, level)
        if wrong is not None:
            return wrong
    if "data_format" in config and config["data_format"] is None:
        config["data_format"] = image_data_format()
        if config["data_format"] is None:
            del config["data_format"]
    if kind in ("UpSampling2D", "UpSampling3D") and safe.one_of(type(config.get("size")), (int, tuple, list)):
        tuples = function_named("keras.src.utils.argument_validation", "standardize_tuple")
        size = config["size"]
        if tuples is not None:
            answer: Any = running.content(lambda: tuples(size, rank, "size"), "keras", level, "invalid argument")
            if isinstance(answer, Finding) and answer.type == "ValueError":
                return answer
    for name in ("target_shape", "dims"):
        if type(config.get(name)) is list:
            config[name] = tuple(config[name])
    if kind in ("UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"):
        _pairs(config, "size" if kind.startswith("Up") else "padding", rank, kind.startswith("Zero") and rank > 1)
    if kind.startswith("Cropping"):
        _pairs(config, "cropping", rank, rank > 1)
    return None


def _pairs(config: dict[str, Any], name: str, rank: int, paired: bool) -> None:
    """Turn an int into a tuple for each axis, or of pairs for each; anything else is left to the library, unknown."""
    found: Any = config.get(name)
    if name == "size" and rank == 1:
        return
    if type(found) is int:
        each: Any = (found, found) if paired else found
        config[name] = (each,) * (rank if rank > 1 else 2)
    elif type(found) in (tuple, list) and len(found) == (rank if rank > 1 else 2):
        if all(type(each) is int for each in found):
            config[name] = tuple((each, each) if paired else each for each in found)
        elif paired and all(type(each) in (tuple, list) and len(each) == 2 for each in found):
            config[name] = tuple(map(tuple, found))
        else:
            del config[name]
    elif name in config:
        del config[name]


def _activation(name: Any, level: str) -> Finding | None:
    """A name that is no activation. Source: `keras/src/activations/__init__.py`, get."""
    known: Any = safe.loaded("keras.src.activations", "ALL_OBJECTS_DICT")
    if type(name) is not str or type(known) is not dict or not safe.only_texts(known) or name in known:
        return None
    get = function_named("keras.src.activations", "get")
    custom: Any = safe.loaded("keras.src.saving.object_registration", "GLOBAL_CUSTOM_OBJECTS")
    if get is None or (type(custom) is dict and custom):
        return None
    answer: Any = running.content(lambda: get(name), "keras", level, "invalid argument")
    if not isinstance(answer, Finding):
        return None
    return answer._replace(close=tuple(close_to(name, list(known))), asked=level, rule="keras.activation")


def _spatial(kind: str, config: dict[str, Any], rank: int, level: str) -> Finding | None:
    tuples = function_named("keras.src.utils.argument_validation", "standardize_tuple")
    paddings = function_named("keras.src.utils.argument_validation", "standardize_padding")
    if tuples is None or paddings is None or "Global" in kind:
        return None
    filters = config.get("filters")
    for name in _TUPLES:
        if name not in config:
            continue
        if "Pooling" in kind and name == "strides" and config[name] is None:
            config[name] = config.get("pool_size", ANY)
        if config[name] is ANY:
            del config[name]
            continue
        if safe.one_of(type(config[name]), (int, tuple, list)):
            given = config[name]
            answer: Any = running.content(lambda: tuples(given, rank, name), "keras", level, "invalid argument")  # noqa: B023
            if isinstance(answer, Finding):
                return answer if answer.type == "ValueError" else None
            found: Any = None if answer is None else answer.object
            if type(found) is tuple and all(type(each) is int for each in found):
                config[name] = found
                continue
        del config[name]
    padding = config.get("padding")
    if "Conv" in kind and type(padding) is str:
        allowed = kind in ("Conv1D", "SeparableConv1D")
        answer = running.content(lambda: paddings(padding, allow_causal=allowed), "keras", level, "invalid argument")
        if isinstance(answer, Finding):
            # The message prints a set: its order is not ours.
            message = words(
                "The `padding` argument must be …. Received: {}",
                Part(padding.lower(), level),
            )
            return answer._replace(message=message)
        if answer is not None:
            config["padding"] = answer.object
    if "Conv" in kind and not kind.startswith("Depthwise") and type(filters) is int and filters <= 0:
        return finding(
            "filters",
            words(
                "Invalid value for argument `filters`. Expected a strictly positive value. Received filters={}.",
                Part(filters, level),
            ),
            words("there must be a filter"),
            crash_type="invalid argument",
        )
    return None


# -- inputs -----------------------------------------------------------------------------------------------------------


def make_input(site: CallSite, function: types.FunctionType, state: State) -> Answer:
    """Follow ``keras.Input(...)``."""
    if not site.complete:
        return _opaque(site, state)
    bound = bind(function, site, skip=0)
    cls: Any = base_class("InputLayer")
    if bound.error is not None:
        return _does_not_fit(cls, function, bound, site, state)
    config = {name: state.plain(value) for name, value in bound.given.items()}
    config = {name: value for name, value in config.items() if value is not safe.ABSENT}
    if "tensor" in bound.given and config.get("tensor", ANY) is not None:
        return _opaque(site, state)
    layer = _make_input(site, cls, config, bound, config.get("name"), state)
    spec = spec_of(layer, state) if isinstance(layer, Like) else None
    if type(spec) is not Layer:
        return layer
    return stand_in(shapes.input_tensor(spec, layer)._replace(dtype=_dtype(config)))


def _dtype(config: dict[str, Any]) -> str | None:
    dtype = config.get("dtype", ANY)
    return dtype if type(dtype) is str else None if dtype is None else "?"


def _make_input(site: CallSite, cls: type, config: dict[str, Any], bound: Bound, label: Any, state: State) -> Answer:
    standardize = function_named("keras.src.backend.common.variables", "standardize_shape")
    given = [name for name in ("shape", "batch_shape") if name in bound.given]
    values = [config.get(name, ANY) for name in given]
    usual = set(bound.named) <= {"shape", "name", "dtype"} and not bound.extra
    usual = usual and keras_sure.is_name(label) and type(config.get("shape")) is tuple
    if not usual or config.get("dtype", ANY) is not None:
        state.may_raise(site.node, DOUBT)
    batch: Any = None
    if bound.extra or ANY in values or standardize is None:
        batch = None
    elif values == [None, None]:
        return finding(
            "no-shape",
            words("You must pass a `shape` argument."),
            words("neither a shape nor a batch_shape is given"),
            crash_type="invalid argument",
        )
    elif config.get("batch_shape") is None:
        wanted = config["shape"]
        level = state.level(bound.given["shape"])
        answer: Any = running.content(lambda: standardize(wanted), "keras", level, "invalid argument")
        if isinstance(answer, Finding):
            return answer if answer.type == "ValueError" else None
        found: Any = None if answer is None else answer.object
        size = config.get("batch_size", ANY)
        if type(found) is tuple and (type(size) is int or size is None or size is ANY):
            batch = (size, *found)
    elif type(config["batch_shape"]) in (tuple, list) and all(
        type(each) in (int, type(None)) for each in config["batch_shape"]
    ):
        batch = tuple(config["batch_shape"])
    found_config = {"batch_shape": batch} if batch is not None else {}
    if "optional" in config:
        found_config["optional"] = config["optional"]
    return stand_in(Layer(cls, "InputLayer", found_config, label if type(label) is str else None, True, ()))


# -- models -----------------------------------------------------------------------------------------------------------


def _make_model(site: CallSite, cls: type, kind: str, state: State) -> Answer:
    if cls is base_class("Sequential"):
        return _make_sequential(site, cls, state)
    if cls is not base_class("Model") and cls is not base_class("Functional"):
        return _opaque(site, state)
    names = list(site.keywords)
    positional = len(site.arguments)
    is_functional = positional == 2 or (positional == 1 and "outputs" in names) or {"inputs", "outputs"} <= set(names)
    if not is_functional:
        if positional == 0 and names and cls is base_class("Model"):
            return _not_functional(site, cls, state)
        return _opaque(site, state)
    inputs = site.arguments[0] if positional else site.keywords["inputs"]
    outputs = site.arguments[1] if positional == 2 else site.keywords["outputs"]
    for which, value in (("inputs", inputs), ("outputs", outputs)):
        wrong = _not_symbolic(which, value, state)
        if wrong is not None:
            return wrong
    label = state.plain(site.keywords.get("name"))
    taken, given = tensors_of(inputs, state), tensors_of(outputs, state)
    layers = _layers_between(taken, given, state)
    if layers is None or not set(site.keywords) <= {"inputs", "outputs", "name"} or not keras_sure.is_name(label):
        state.may_raise(site.node, DOUBT)
    if taken is None:
        taken = shapes.UNKNOWN_TENSOR
    functional: Any = base_class("Functional")
    label = label if type(label) is str else None
    return stand_in(Model(functional, "Functional", layers or (), taken, given, label, complete=layers is not None))


def _layers_between(taken: Any, given: Any, state: State) -> tuple[Value, ...] | None:
    """Return the layers of a functional model if all are known, connected and named apart; else None."""
    ends = flat(given)
    if type(taken) is dict or type(given) is dict or not ends or any(each.layer is None for each in flat(taken)):
        return None
    if any(each.made_by is None for each in ends):
        return None
    inputs = [spec_of(each.layer, state) for each in flat(taken)]
    found: list[Value] = []
    names: list[str] = []
    for end in ends:
        for value in end.made_by or ():
            if any(value is each for each in found):
                continue
            spec = spec_of(value, state)
            if type(spec) is not Layer or (shapes.is_input_layer(spec) and not any(spec is each for each in inputs)):
                return None
            found.append(value)
            names += [spec.name] if spec.name is not None else []
    # A name that is given may be one that Keras gives to another layer.
    if len(set(names)) != len(names) or any(_AUTOMATIC.search(name) for name in names):
        return None
    if any(spec_of(each, state) is None for each in found):
        return None
    return tuple(value for value in found if not shapes.is_input_layer(spec_of(value, state)))


_AUTOMATIC = re.compile(r"^(input_layer|dense|conv|lstm|gru|simple_rnn|flatten|dropout|[a-z_]*pooling|add|concat)|\d$")


def _not_functional(site: CallSite, cls: type, state: State) -> Answer:
    """``Model(input=x, output=y)``: these are no arguments of a functional model, nor of a layer."""
    accepted = _accepted(cls)
    unknown = [name for name in site.keywords if accepted is not None and name not in accepted]
    if accepted is None or not unknown or {"inputs", "outputs"} & set(site.keywords):
        return _opaque(site, state)
    table, level = _shown({name: site.keywords[name] for name in unknown}, state)
    return Finding(
        rule="keras.unrecognized-argument",
        type="ValueError",
        message=words("Unrecognized keyword arguments passed to Model: {}", Part(table, level)),
        because=words("a functional model is made with ({})", named("inputs, outputs")),
        crash_type="invalid argument",
        library="keras",
        close=tuple(_close_arguments(unknown[0], ["inputs", "outputs"])),
        asked=NAMES,
    )


def _not_symbolic(which: str, value: Value, state: State) -> Finding | None:
    """Something that is certainly no KerasTensor stands for an input or output of a model."""
    live: Any = state.live(value)
    parts = [of_element(each) for each in live] if type(live) in (list, tuple) else [value]
    for part in parts:
        spec = spec_of(part, state)
        plain = state.plain(part)
        bad = (plain is not safe.ABSENT and safe.one_of(type(plain), (int, float, str, bool))) or (
            spec is not None and (type(spec) is not Tensor)
        )
        if bad:
            shown: Any = _Shown() if plain is safe.ABSENT else plain
            level = state.level(part) if plain is not safe.ABSENT else SCHEMA
            whole: Any = shown if part is value else _Shown()
            what = type(plain) if plain is not safe.ABSENT else getattr(spec, "cls", None)
            return finding(
                "not-symbolic",
                words(
                    "All `{}` values must be KerasTensors. Received: {}={} including invalid value {} of type {}",
                    named(which),
                    named(which),
                    Part(whole, level),
                    Part(shown, level),
                    named(repr(what)),
                ),
                words("a model is made of tensors that layers give, not of the layers"),
                crash_type="model initialization error",
            )
    return None


def _make_sequential(site: CallSite, cls: type, state: State) -> Answer:
    function: Any = safe.in_type(cls, "__init__")
    bound = bind(function, site)
    wrong = _does_not_fit(cls, function, bound, site, state)
    if wrong is not None:
        return wrong
    label = state.plain(bound.given.get("name"))
    spec = Model(cls, "Sequential", (), None, None, label if type(label) is str else None)
    given = bound.given.get("layers", Known(None))
    live: Any = state.live(given)
    single = spec_of(given, state)
    if type(single) is Layer and len(site.arguments) + len(site.keywords) == 1:
        return finding(
            "not-a-list",
            words("{!r} object is not iterable", named(single.kind)),
            words("Sequential takes a list of layers"),
            kind="TypeError",
            crash_type="type error",
        )
    usual = set(bound.named) <= {"layers", "name"} and not bound.extra and keras_sure.is_name(label)
    if type(live) not in (list, tuple, type(None)):
        return _opaque(site, state)
    unsure = [] if usual else ["an argument"]
    try:
        made = _with_layers(spec, [of_element(each) for each in live or ()], state, unsure)
    except shapes.Crash as crash:
        return crash.finding
    if unsure:
        state.may_raise(site.node, DOUBT)
    return stand_in(made)


def _with_layers(spec: Model, added: list[Value], state: State, unsure: list[str]) -> Model:
    """Return a Sequential model with more layers.

    Raises:
        Crash: `Sequential.add` refuses one, or they do not fit each other.
    """
    first: Tensor | None = None
    layers: list[Value] = list(spec.layers)
    complete = spec.complete
    if spec.inputs is not None:
        first = spec.inputs if type(spec.inputs) is Tensor else shapes.UNKNOWN_TENSOR
    for value in added:
        each = spec_of(value, state)
        _refuse(spec, value, each, layers, first, state)
        if type(each) is Tensor and each.layer is not None:
            each = spec_of(each.layer, state)
        if shapes.is_input_layer(each):
            first = shapes.input_tensor(each)
            continue
        if not layers and first is None and type(each) is Layer and "_input_shape_arg" in each.config:
            first = _from_argument(each.config["_input_shape_arg"], state)
        if each is None and not layers and first is None:
            # It may have been given an `input_shape`.
            complete = False
        _note_doubts(each, layers, unsure, state)
        layers.append(value)
    now = spec._replace(layers=tuple(layers), complete=complete)
    if first is None:
        return now
    if not layers:
        return now._replace(inputs=first, outputs=first)
    return shapes.built_sequential(now, first, state, unsure=unsure)


def _note_doubts(each: Any, layers: list[Value], unsure: list[str], state: State) -> None:
    """Note what `Sequential.add` may refuse: no layer that is known, or one whose name may be there already."""
    if type(each) not in (Layer, Model):
        unsure.append("a layer")
    elif each.name is not None and (layers and _AUTOMATIC.search(each.name)):
        unsure.append("a name")
    elif any(spec_of(other, state) is each for other in layers):
        unsure.append("a layer twice")


def _from_argument(argument: Any, state: State) -> Tensor:
    if argument is ANY:
        return shapes.UNKNOWN_TENSOR
    standardize = function_named("keras.src.backend.common.variables", "standardize_shape")
    found = (
        None
        if standardize is None
        else shapes.ask_library(lambda: standardize(argument), crash_type="invalid argument")
    )
    return Tensor((None, *found)) if type(found) is tuple else shapes.UNKNOWN_TENSOR


def _refuse(spec: Model, value: Value, each: Any, layers: list[Value], first: Tensor | None, state: State) -> None:
    plain = state.plain(value)
    live: Any = state.live(value)
    wrong: Finding | None = None
    what: Any = None
    if plain is not safe.ABSENT:
        what = plain
    elif live is not safe.ABSENT and safe.inherits(type(live), type) and own_kind(live):
        what = live
    if what is not None or plain is None:
        level = state.level(value) if plain is not safe.ABSENT else SCHEMA
        wrong = finding(
            "not-a-layer",
            words(
                "Only instances of `keras.Layer` can be added to a Sequential model. Received: {} (of type {})",
                Part(what if plain is not safe.ABSENT else repr(what), level),
                named(repr(type(what))),
            ),
            words("what is added is a {}", named(safe.type_name(what))),
            crash_type="model initialization error",
        )
    elif shapes.is_input_layer(each if type(each) is not Tensor else spec_of(each.layer, state)) and first is not None:
        if first.layer is None and spec.inputs is not None and not spec.complete:
            return
        wrong = finding(
            "second-input",
            words(
                "Sequential model '{}' has already been configured to use input shape {}. You cannot add a different "
                "Input layer to it.",
                counted(spec.name if spec.name is not None else HIDDEN),
                counted(shapes.settled(first.shape)) if first.shape is not None else counted(HIDDEN),
            ),
            words("the model has an Input already"),
            crash_type="model initialization error",
        )
    elif type(each) in (Layer, Model) and each.name is not None:
        for other in layers:
            found = spec_of(other, state)
            same = state.form(other) is state.form(value)
            if type(found) in (Layer, Model) and found.name == each.name and not same and _is_other(other, value):
                wrong = finding(
                    "same-names",
                    words(
                        "All layers added to a Sequential model should have unique names. Name '{}' is already the "
                        "name of a layer in this model. Update the `name` argument to pass a unique name.",
                        counted(each.name),
                    ),
                    words("two layers are named {}", counted(each.name)),
                    crash_type="model initialization error",
                )
    if wrong is not None:
        raise shapes.Crash(wrong)


def _is_other(one: Value, other: Value) -> bool:
    return getattr(one, "object", one) is not getattr(other, "object", other)


def add(site: CallSite, model: Value, state: State) -> Answer:
    """Follow ``model.add(layer)``."""
    spec = spec_of(model, state)
    if type(spec) is not Model or spec.kind != "Sequential" or len(site.arguments) + len(site.keywords) != 1:
        return None
    layer = site.arguments[0] if site.arguments else site.keywords.get("layer")
    if layer is None:
        return None
    unsure: list[str] = []
    try:
        now = _with_layers(spec, [layer], state, unsure)
    except shapes.Crash as crash:
        return crash.finding
    if unsure:
        state.may_raise(site.node, DOUBT)
    state.becomes(model, Like(now, NOTHING))
    return Known(None)


# -- calls ------------------------------------------------------------------------------------------------------------

# Functions that make a layer and call it. Source: `keras/src/layers/merging/`.
_MERGING_FUNCTIONS = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "concatenate": "Concatenate",
}


def call_of_function(site: CallSite, function: Any, state: State) -> Answer:
    """Follow ``Input(...)``, ``concatenate([...])`` and their like."""
    name = function.__name__
    home = function.__globals__.get("__name__")
    if name in ("set_dtype_policy", "set_floatx"):
        state.memo[POLICY] = True
    if name == "Input" and home == "keras.src.layers.core.input_layer":
        return make_input(site, function, state)
    if name in _MERGING_FUNCTIONS and type(home) is str and home.startswith("keras.src.layers.merging."):
        return _merge(site, function, _MERGING_FUNCTIONS[name], home, state)
    return None


def _merge(site: CallSite, function: types.FunctionType, kind: str, home: str, state: State) -> Answer:
    cls: Any = safe.loaded(home, kind)
    bound = bind(function, site, skip=0)
    if not site.complete or bound.error is not None or own_kind(cls) != kind or set(bound.extra) - {"name"}:
        return None
    inputs = bound.given.get("inputs")
    axis = state.plain(bound.given.get("axis"))
    config = {} if axis is safe.ABSENT else {"axis": axis}
    layer = stand_in(Layer(cls, kind, {**config, "sure": not bound.extra}, None))
    return call_layer(site, layer, inputs, state)


def call_layer(site: CallSite, layer: Value, inputs: Value | None, state: State) -> Answer:
    """Follow the call of a layer or model on tensors or arrays."""
    spec = spec_of(layer, state)
    given = tensors_of(inputs, state)
    wrong = _not_tensors(inputs, spec, state)
    if wrong is not None:
        return wrong
    unsure: list[str] = []
    try:
        found = shapes.flow(layer, given, state, unsure=unsure)
    except shapes.Crash as crash:
        return crash.finding
    if (
        unsure
        or given is None
        or not all(each.symbolic for each in flat(given))
        or len(site.arguments) + len(site.keywords) != 1
    ):
        state.may_raise(site.node, "the layer may not take what it is given")
    if given is None or found is None:
        return UNKNOWN
    if not any(each.symbolic for each in flat(given)):
        return UNKNOWN
    return as_value(_made_by(found, *_history(flat(given), layer)))


def _history(given: list[Tensor], layer: Value) -> tuple[tuple[Value, ...] | None, tuple[tuple[Value, Value], ...]]:
    """Return the layers that what a layer gives comes from, and those of them that were called on an input."""
    fed = {tuple(map(id, pair)): pair for each in given for pair in each.fed}
    pairs = (*fed.values(), *((each.layer, layer) for each in given if each.layer is not None))
    if any(each.made_by is None for each in given):
        return None, pairs
    if len(given) == 1:
        return (*(given[0].made_by or ()), layer), pairs
    # Branches that meet again have layers in common.
    known = {id(value): value for each in given for value in each.made_by or ()}
    return (*known.values(), layer), pairs


def _made_by(found: Any, layers: tuple[Value, ...] | None, fed: tuple[tuple[Value, Value], ...]) -> Any:
    if type(found) is list:
        return [_made_by(each, layers, fed) for each in found]
    return found._replace(made_by=layers, fed=fed, layer=None, dtype=None) if type(found) is Tensor else found


def _not_tensors(inputs: Value | None, spec: Any, state: State) -> Finding | None:
    """A number or a text is given to a layer. Source: `Layer.__call__`, step 2."""
    plain = state.plain(inputs)
    if type(spec) is not Layer or plain is safe.ABSENT or inputs is None:
        return None
    if not safe.one_of(type(plain), (int, float, str)) or spec.kind in ("TextVectorization", "StringLookup", "Lambda"):
        return None
    return finding(
        "no-tensor",
        words(
            "Only input tensors may be passed as positional arguments. The following argument value should be passed "
            "as a keyword argument: {} (of type {})",
            Part(plain, state.level(inputs)),
            named(repr(type(plain))),
        ),
        words("a layer is called on a tensor"),
        crash_type="invalid argument",
    )
