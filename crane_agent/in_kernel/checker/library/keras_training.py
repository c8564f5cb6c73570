"""Training Keras models: compile, fit, evaluate, predict, and the history that is left of it.

Sources: `keras/src/trainers/trainer.py` and `compile_utils.py`; `keras/src/backend/*/trainer.py`, fit, evaluate and
predict; `keras/src/trainers/data_adapters/`; the losses in `keras/src/backend/*/nn.py`.
"""

from __future__ import annotations

import math
import re
import threading
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, SCHEMA
from ...readers import blocks, keras_layers
from ..sites import CallSite, Finding
from ..values import DTYPE, SHAPE, UNKNOWN, Hole, Known, Like, Made, Value, of_element
from ..words import HIDDEN, Part, Words, counted, named, words
from . import keras_shapes as shapes
from . import keras_sources
from .keras_making import finding
from .keras_specs import (
    ANY,
    POLICY,
    Layer,
    Model,
    Tensor,
    Thing,
    backend,
    base_class,
    bind,
    flat,
    is_numeric,
    spec_of,
    stand_in,
    tensors_of,
    unwrapped,
)

if TYPE_CHECKING:
    from ..state import State

Answer = Any


class Compiled(NamedTuple):
    """How a model was compiled.

    Attributes:
        loss: The loss, as it was given.
        metrics: The metrics.
        plain: Whether nothing else was given that changes how it trains.
        first: Whether it was compiled for the first time.
    """

    loss: Value
    metrics: Value
    plain: bool
    first: bool


def method_of(model: Value, name: str, state: State) -> Any:
    """Return the function behind a method of a model, without Keras' wrappers; None if it is not Keras' own."""
    spec = spec_of(model, state)
    if type(spec) is not Model:
        return None
    entry = safe.in_type(spec.cls, name)
    function = unwrapped(entry) if safe.comes_from(entry, "keras") else None
    return function if safe.comes_from(function, "keras") else None


def follow(site: CallSite, model: Value, name: str, state: State) -> Answer:
    """Follow a call of a method that compiles, trains or predicts."""
    function = method_of(model, name, state)
    if function is None:
        return None
    if not site.complete:
        state.may_raise(site.node, "what is given to {} is not known".format(name))
        return _forgotten(model, name, state)
    bound = bind(function, site)
    if bound.error is not None:
        return _does_not_bind(function, bound.error, list(bound.extra))
    if name == "compile":
        return _compile(site, model, bound.given, state)
    return _run(site, model, name, bound.given, function, state)


def _does_not_bind(function: types.FunctionType, error: str, extra: list[str]) -> Finding:
    code = function.__code__
    names = list(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    close = [each for name in extra for each in ([_RENAMED[name]] if name in _RENAMED else close_to(name, names))]
    return Finding(
        rule="keras.does-not-bind",
        type="TypeError",
        message=words("{}", named(error)),
        because=words("the signature is ({})", named(", ".join(names))),
        crash_type="invalid argument",
        library="keras",
        close=tuple(close),
        asked=NAMES,
    )


_RENAMED = {"nb_epoch": "epochs", "metric": "metrics", "samples_per_epoch": "steps_per_epoch", "nb_worker": "workers"}


def _forgotten(model: Value, name: str, state: State) -> Value:
    """Return what a call that is not followed gives: it may have built the model."""
    if name == "compile":
        state.note(model, "compiled", Compiled(UNKNOWN, UNKNOWN, False, False))
        return Known(None)
    spec = spec_of(model, state)
    if type(spec) is Model and spec.kind == "Sequential" and spec.inputs is None:
        shapes.forget_layers(model, spec, state)
    return UNKNOWN


# -- compile ----------------------------------------------------------------------------------------------------------


def _compile(site: CallSite, model: Value, given: dict[str, Value], state: State) -> Answer:
    wrong = _unknown_name(given.get("optimizer"), "optimizers", "optimizer", state)
    if wrong is None:
        wrong = _metrics_are_no_list(given, state)
    if wrong is not None:
        return wrong
    if not _compile_is_sure(given, state):
        state.may_raise(site.node, "an argument of compile may be refused")
    plain = all(
        state.plain(given.get(name, Known(default))) == default
        for name, default in (("run_eagerly", False), ("weighted_metrics", None), ("loss_weights", None))
    ) and state.plain(given.get("jit_compile", Known("auto"))) in ("auto", False)
    first = is_compiled(model, state) is False
    nothing = Known(None)
    fact = Compiled(given.get("loss", nothing), given.get("metrics", nothing), plain, first)
    state.note(model, "compiled", fact)
    state.note(model, "ran", frozenset())
    return Known(None)


def _compile_is_sure(given: dict[str, Value], state: State) -> bool:
    """Whether compile is certain not to raise: it does not look at the names of losses and metrics yet."""
    optimizer = given.get("optimizer")
    spec = spec_of(optimizer, state)
    named_one = type(state.plain(optimizer)) is str
    made = type(spec) is Thing and safe.inherits(spec.cls, base_class("BaseOptimizer"))
    if not (named_one or made) or type(state.plain(given.get("loss"))) is not str:
        return False
    metrics = state.plain(given.get("metrics"))
    if metrics is not None and not (type(metrics) is list and all(type(each) is str for each in metrics)):
        return False
    usual = (("loss_weights", None), ("weighted_metrics", None), ("run_eagerly", False), ("jit_compile", "auto"))
    return all(state.plain(given.get(name)) == default for name, default in usual) and all(
        state.plain(given.get(name, Known(default))) == default
        for name, default in (("steps_per_execution", 1), ("auto_scale_loss", True))
    )


def _no_custom_objects() -> bool:
    custom: Any = safe.loaded("keras.src.saving.object_registration", "GLOBAL_CUSTOM_OBJECTS")
    return type(custom) is dict and not custom


def _unknown_name(value: Value | None, module: str, what: str, state: State) -> Finding | None:
    """A text that names no optimizer, loss or metric of Keras' own."""
    name = state.plain(value)
    known: Any = safe.loaded("keras.src." + module, "ALL_OBJECTS_DICT")
    if type(name) is not str or type(known) is not dict or not safe.only_texts(known) or not _no_custom_objects():
        return None
    lowered = {each.lower() for each in known}
    if name.lower() in lowered or name.lower() in ("accuracy", "acc", "crossentropy", "ce"):
        return None
    level = state.level(value)
    found = finding(
        what,
        words("Could not interpret {} identifier: {}", named(what), Part(name, level)),
        words("Keras knows no {} of this name", named(what)),
        crash_type="invalid argument",
    )
    return found._replace(close=tuple(close_to(name, [each for each in known if each.islower()])), asked=level)


def _metrics_are_no_list(given: dict[str, Value], state: State) -> Finding | None:
    for name in ("metrics", "weighted_metrics"):
        value = given.get(name)
        plain = state.plain(value)
        if type(plain) is str and plain:
            return finding(
                "metrics",
                words(
                    "Expected `{}` argument to be a list, tuple, or dict. Received instead: {}={} of type {}",
                    named(name),
                    named(name),
                    Part(plain, state.level(value)),
                    named(repr(str)),
                ),
                words("a text is given"),
                crash_type="invalid argument",
            )
    return None


def is_compiled(model: Value, state: State) -> bool | None:
    """Whether a model is compiled at this point; None if that is not known."""
    if type(state.noted(model, "compiled")) is Compiled:
        return True
    if type(model) is not Known:
        return False
    found = keras_layers.own(model.object).get("compiled")
    return found if type(found) is bool else None


def how_compiled(model: Value, state: State) -> Compiled | None:
    """Return how a model was compiled, or None if that is not known."""
    noted: Any = state.noted(model, "compiled")
    if type(noted) is Compiled:
        return noted
    if type(model) is not Known or not is_compiled(model, state):
        return None
    own = keras_layers.own(model.object)
    loss = keras_layers.own(own.get("_compile_loss")).get("_user_loss")
    metrics = keras_layers.own(own.get("_compile_metrics")).get("_user_metrics")
    plain = own.get("_run_eagerly") is False and own.get("_jit_compile") is not True
    return Compiled(Known(loss), Known(keras_layers.items(metrics) or None), plain, False)


# -- fit, evaluate, predict -------------------------------------------------------------------------------------------


def _run(
    site: CallSite, model: Value, name: str, given: dict[str, Value], function: types.FunctionType, state: State
) -> Answer:
    # Where the first thing that is looked up is this check, nothing else comes before it.
    checks = function.__code__.co_names[:1] == ("_assert_compile_called",)
    if checks and is_compiled(model, state) is False:
        return finding(
            "not-compiled",
            words("You must call `compile()` before using the model."),
            words("the model is not compiled"),
            crash_type="model initialization error",
        )
    if name != "predict" and not is_compiled(model, state):
        # It raises, or may: what comes first depends on the version.
        return _left(site, model, name, state)
    given = keras_sources.unpacked(given, state)
    if "batches" in given:
        state.may_raise(site.node, "reading the batches may raise")
    wrong = _data(name, given, state)
    if wrong is not None:
        return wrong
    wrong = _object_array(given, state)
    if wrong is not None:
        return wrong
    if not all(is_numeric(tensors_of(given.get(each), state)) for each in ("x", "y") if each in given):
        state.may_raise(site.node, "the data may hold what is no number")
    how = how_compiled(model, state)
    traced = _traced(model, name, state)
    try:
        outputs = _forward(site, model, name, given, state)
    except shapes.Crash as crash:
        found = _in_a_second_trace(model, crash.finding, given, state) if traced else crash.finding
        if found is not None and _reaches_the_model(name, given, state):
            return found
        return _left(site, model, name, state)
    if name != "predict" and how is not None and outputs is not None and _reaches_the_model(name, given, state):
        wrong = _loss(name, how, given, outputs, traced, state)
        if wrong is not None:
            if "_symbolic_build" in function.__code__.co_names and state.live(how.metrics) is not None:
                state.may_raise(site.node, "a metric may not fit first")
            if _index(model, name, given, state) is not None:
                state.may_raise(site.node, "an index may be found first")
            return wrong
    wrong = _index(model, name, given, state)
    if wrong is None and name == "fit":
        wrong = _validation(site, model, how, given, state)
    if wrong is not None:
        return wrong
    _note_traces(model, name, given, state)
    state.may_raise(site.node, "{} may raise".format(name))
    if name == "fit":
        return _history(model, how, given, outputs, state)
    if name == "evaluate":
        return _results(model, how, given, outputs, state)
    return _predicted(model, outputs, given, state)


def _validation(
    site: CallSite, model: Value, how: Compiled | None, given: dict[str, Value], state: State
) -> Finding | None:
    """Data to validate with that do not fit: the first epoch ends with them, as `evaluate` would."""
    live: Any = state.live(given.get("validation_data"))
    data: list[Value] = [of_element(each) for each in live[:3]] if type(live) in (tuple, list) else []
    if keras_sources.source_of(given.get("validation_data"), state) is not None:
        data = [given["validation_data"], Known(None)]
    if how is None or len(data) < 2:
        return None
    size = given.get("validation_batch_size", Known(None))
    names = {"x": data[0], "y": data[1], "steps": given.get("validation_steps", Known(None))}
    names["batch_size"] = given.get("batch_size", Known(None)) if _is_nothing(size, state) else size
    if len(data) == 3:
        names["sample_weight"] = data[2]
    names = keras_sources.unpacked(names, state)
    epochs = state.plain(given.get("epochs", Known(1)))
    usual = all(state.plain(given.get(name, Known(least))) == least for name, least in _FIRST_EPOCH)
    callbacks = _callbacks(given, state)
    if not usual or type(epochs) is not int or epochs < 1 or callbacks is None or set(callbacks) - set(_HARMLESS):
        return None
    wrong = _data("evaluate", names, state)
    if wrong is None and ("batches" in names or all(is_numeric(tensors_of(each, state)) for each in data[:2])):
        wrong = _evaluation(site, model, how, names, state)
    if wrong is None:
        return None
    state.may_raise(site.node, "training may raise first")
    return wrong._replace(because=words("in validation_data, " + wrong.because.template, *wrong.because.parts))


_FIRST_EPOCH = (("initial_epoch", 0), ("validation_freq", 1))


def _evaluation(site: CallSite, model: Value, how: Compiled, given: dict[str, Value], state: State) -> Finding | None:
    traced = _traced(model, "evaluate", state)
    try:
        outputs = _forward(site, model, "evaluate", given, state)
    except shapes.Crash as crash:
        found = _in_a_second_trace(model, crash.finding, given, state) if traced else crash.finding
        return found if _reaches_the_model("evaluate", given, state) else None
    if outputs is None or not _reaches_the_model("evaluate", given, state):
        return None
    return _loss("evaluate", how, given, outputs, traced, state) or _index(model, "evaluate", given, state)


_TRACES = {"fit": "train_function", "evaluate": "test_function", "predict": "predict_function"}


def _traced(model: Value, name: str, state: State) -> bool:
    """Whether TensorFlow has traced this function before: it then loosens the shapes in which the data differ.

    Source: the TensorFlow reference, `tf.function`, `reduce_retracing`.
    """
    if backend() != "tensorflow":
        return False
    ran: Any = state.noted(model, "ran")
    if ran is not safe.ABSENT:
        return name in ran
    return type(model) is Known and keras_layers.own(model.object).get(_TRACES[name]) is not None


def _note_traces(model: Value, name: str, given: dict[str, Value], state: State) -> None:
    traces = {each for each in _TRACES if _traced(model, each, state)} | {name}
    if name == "fit" and _validates(given, state) is not False:
        traces.add("evaluate")
    state.note(model, "ran", frozenset(traces))


def _in_a_second_trace(model: Value, found: Finding, given: dict[str, Value], state: State) -> Finding | None:
    """Return what becomes of a crash when the shapes are loosened to what this and an earlier trace have in common."""
    spec = spec_of(model, state)
    data, wanted = tensors_of(given.get("x"), state), spec.inputs
    if type(data) is not Tensor or type(wanted) is not Tensor or not data.shape or not wanted.shape:
        return None
    if len(data.shape) != len(wanted.shape):
        text = "Cannot take the length of shape with unknown rank."
        if spec.kind == "Functional":
            text = "as_list() is not defined on an unknown TensorShape."
        return found._replace(message=words(text))
    first = spec_of(spec.layers[0], state) if spec.kind == "Sequential" and spec.layers else None
    if type(first) is not Layer or first.kind != "Dense" or len(wanted.shape) != 2 or _runs_eagerly():
        return None
    if type(first.built) is not tuple or data.shape[-1] == first.built[-1]:
        return None
    message = words(
        "Graph execution error:\n\n…Matrix size-incompatible: In[0]: […,{}], In[1]: [{},…]…",
        counted(data.shape[-1]),
        counted(first.built[-1]),
    )
    return found._replace(type="InvalidArgumentError", message=message)


def _left(site: CallSite, model: Value, name: str, state: State) -> Value:
    state.may_raise(site.node, "{} may raise".format(name))
    return _forgotten(model, name, state)


def _is_nothing(value: Value | None, state: State) -> bool:
    return value is None or state.live(value) is None


def _data(name: str, given: dict[str, Value], state: State) -> Finding | None:
    """Data that no adapter takes, or arrays of different lengths. Source: `data_adapters/__init__.py`."""
    x, y = given.get("x"), given.get("y")
    for which, value in (("x", x), ("y", y)):
        wrong = _unrecognized(which, value, x, given, state)
        if wrong is not None:
            return wrong
    if name == "predict":
        return _cardinality({"x": x}, given, state)
    return _cardinality({"x": x, "y": y, "sample_weight": given.get("sample_weight")}, given, state)


def _unrecognized(
    which: str, value: Value | None, x: Value | None, given: dict[str, Value], state: State
) -> Finding | None:
    plain: Any = state.live(value)
    if value is None or type(plain) not in (list, tuple) or not plain or not _has_scalars(value, state):
        return None
    if which == "y" and type(tensors_of(x, state)) is not Tensor:
        return None
    if not _is_nothing(given.get("class_weight"), state):
        return None
    split = state.plain(given.get("validation_split", Known(0.0)))
    if split is safe.ABSENT:
        return None
    level = state.level(value)
    if split and _is_nothing(given.get("validation_data"), state):
        types_of = Part(HIDDEN, SCHEMA)
        message = words(
            "Argument `validation_split` is only supported for tensors or NumPy arrays.Found incompatible type in the "
            "input: {}",
            types_of,
        )
    elif which == "x":
        message = words("Unrecognized data type: x={} (of type {})", _quoted(value, state), named(repr(type(plain))))
    else:
        message = words("Unrecognized data type: x={} (of type {})", Part(HIDDEN, level), Part(HIDDEN, SCHEMA))
    because = words("{} is a plain {}, not an array", named(which), named(safe.class_name(type(plain))))
    return finding("data-type", message, because, crash_type="invalid argument")


def _quoted(value: Value, state: State) -> Part:
    plain = state.plain(value)
    return Part(HIDDEN, SCHEMA) if plain is safe.ABSENT else Part(plain, state.level(value))


def _has_scalars(value: Value, state: State, depth: int = 4) -> bool:
    """Whether nested lists and tuples, not all of them empty, hold numbers and texts, and nothing that is an array."""
    live: Any = state.live(value)
    if safe.one_of(type(live), (int, float, str, bool)):
        return True
    if not depth or type(live) not in (list, tuple) or not 0 < len(live) <= 5000:
        return False
    return all(_has_scalars(of_element(each), state, depth - 1) for each in live)


def _cardinality(named_data: dict[str, Value | None], given: dict[str, Value], state: State) -> Finding | None:
    lengths: dict[str, list[int]] = {}
    for which, value in named_data.items():
        if _is_nothing(value, state):
            continue
        found = tensors_of(value, state)
        if found is None:
            return None
        sizes = [each.shape[0] if each.shape else None for each in flat(found)]
        if any(type(size) is not int for size in sizes) or any(each.symbolic for each in flat(found)):
            return None
        lengths[which] = sizes  # type: ignore[assignment]
    if not lengths or not _is_nothing(given.get("class_weight"), state):
        return None
    split = state.plain(given.get("validation_split", Known(0.0)))
    if not safe.one_of(type(split), (int, float)):
        return None
    if split and _is_nothing(given.get("validation_data"), state):
        count = next(iter(lengths.values()))[0]
        kept = math.floor(count * (1.0 - split))
        if not 0 < kept < count:
            return None
        lengths = {which: [min(size, kept) for size in sizes] for which, sizes in lengths.items()}
    if len({size for sizes in lengths.values() for size in sizes}) == 1:
        return None
    text = "".join("'{}' sizes: {}\n".format(which, ", ".join(map(str, lengths.get(which, [])))) for which in lengths)
    return finding(
        "cardinality",
        words(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.{}", counted(text)
        ),
        words(
            "the arrays have {} samples", counted(", ".join(str(size) for sizes in lengths.values() for size in sizes))
        ),
        crash_type="tensor shape mismatch",
    )


# Callbacks that neither raise nor stop anything before the first batch is done.
_HARMLESS = ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint", "History")


def _callbacks(given: dict[str, Value], state: State) -> list[str] | None:
    """Return the names of Keras' own callbacks that are given; None if there are others."""
    value = given.get("callbacks")
    if _is_nothing(value, state):
        return []
    live: Any = state.live(value)
    listed = [of_element(each) for each in live] if type(live) in (list, tuple) else [value]
    found = []
    for each in listed:
        spec = spec_of(each, state)
        name = spec.kind if type(spec) is Thing else ""
        alive = state.live(each)
        if not name and alive is not safe.ABSENT and safe.inherits(type(alive), base_class("Callback")):
            name = safe.class_name(type(alive)) if keras_layers.is_own(alive) else ""
        if not name:
            return None
        found.append(name)
    return found


def _reaches_the_model(name: str, given: dict[str, Value], state: State) -> bool:
    """Whether a batch is certain to go through the model, and nothing else to raise before."""
    callbacks = _callbacks(given, state)
    if callbacks is None or any(each not in _HARMLESS for each in callbacks):
        return False
    for which, least in (("epochs", 1), ("steps_per_epoch", None), ("steps", None)):
        if which in given:
            found = state.plain(given[which])
            if found is None and least is None:
                continue
            if type(found) is not int or found < 1:
                return False
    size = state.plain(given.get("batch_size"))
    if "batch_size" in given and size is not None and (type(size) is not int or size < 1):
        return False
    if "initial_epoch" in given and state.plain(given["initial_epoch"]) != 0:
        return False
    found = tensors_of(given.get("x"), state)
    return found is not None and all(each.shape and each.shape[0] != 0 for each in flat(found))


def _forward(site: CallSite, model: Value, name: str, given: dict[str, Value], state: State) -> Any:
    """Return the outputs of the model for a batch; their first size is open.

    Raises:
        Crash: The model does not take its input.
    """
    found = tensors_of(given.get("x"), state)
    spec = spec_of(model, state)
    if found is not None and type(found) is not Tensor and spec.kind == "Sequential":
        found = None
    if type(found) is dict:
        found = None
    if found is not None and "batches" not in given:
        found = _batched(_expanded(found, given.get("x"), state), _batch_size(name, given, state))
    if spec.kind == "Sequential" and not spec.layers and spec.inputs is None:
        return None
    return shapes.flow(model, found, state)


def _expanded(found: Any, value: Value | None, state: State) -> Any:
    """Return the shape of a series as Keras hands it on: a column."""
    live: Any = state.form(value, SHAPE)
    if type(found) is Tensor and live is not safe.ABSENT and blocks.is_series(live):
        return None
    return found


def _batch_size(name: str, given: dict[str, Value], state: State) -> int | None:
    """Return how many samples the first batch has, where its shape shows it; else None."""
    if backend() == "tensorflow" and name != "predict":
        return None
    size = state.plain(given.get("batch_size"))
    found = tensors_of(given.get("x"), state)
    counts = [each.shape[0] for each in flat(found) if each.shape]
    size = 32 if size is None or size is safe.ABSENT else size
    if not counts or type(counts[0]) is not int or type(size) is not int or not _is_nothing(given.get("steps"), state):
        return None
    split = state.plain(given.get("validation_split", Known(0.0)))
    kept = math.floor(counts[0] * (1.0 - split)) if type(split) is float and 0 < split < 1 else counts[0]
    return min(size, kept)


def _batched(found: Any, size: int | None) -> Any:
    """Return the shapes of a batch."""
    if type(found) is list:
        parts = [_batched(each, size) for each in found]
        return None if any(each is None for each in parts) else parts
    if type(found) is not Tensor or not found.shape:
        return None
    return found._replace(shape=(size, *found.shape[1:]), symbolic=False)


# -- the loss ---------------------------------------------------------------------------------------------------------

_SAME_SHAPE = {
    "categorical_crossentropy",
    "binary_crossentropy",
    "CategoricalCrossentropy",
    "BinaryCrossentropy",
}
_SPARSE = {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"}
_DIFFERENCES = {
    *("mse", "MSE", "mean_squared_error", "MeanSquaredError", "mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"),
}


def loss_name(value: Value, state: State) -> str:
    """Return the name of one of Keras' own losses, given as a text, a function or an object; '' for anything else."""
    spec = spec_of(value, state)
    if type(spec) is Thing and safe.inherits(spec.cls, base_class("Loss")):
        return spec.kind
    live: Any = state.live(value)
    if type(live) is str:
        return live
    if type(live) is types.FunctionType:
        home = live.__globals__.get("__name__")
        return live.__name__ if type(home) is str and home.startswith("keras.src.losses") else ""
    if live is not safe.ABSENT and safe.inherits(type(live), base_class("Loss")):
        return safe.class_name(type(live)) if keras_layers.is_own(live) else ""
    return ""


def _loss(run: str, how: Compiled, given: dict[str, Value], outputs: Any, traced: bool, state: State) -> Finding | None:
    """The labels do not fit what the model gives."""
    wrong = _unknown_name(how.loss, "losses", "loss", state)
    if wrong is not None:
        return wrong
    y = given.get("y")
    labels = tensors_of(y, state)
    name = loss_name(how.loss, state)
    if type(outputs) is not Tensor or type(labels) is not Tensor or not outputs.shape or not labels.shape:
        return None
    live: Any = state.form(y, SHAPE)
    size = labels.shape[0] if "batches" in given else _batch_size(run, given, state)
    target: tuple[Any, ...] = (size, *labels.shape[1:])
    if live is not safe.ABSENT and blocks.is_series(live):
        target = (size, 1)
    output: tuple[Any, ...] = (size, *outputs.shape[1:])
    target, output = _same_rank(target, output)
    if any(size is ANY for size in (*target, *output)) or backend() not in ("tensorflow", "torch"):
        return None
    message = None
    if traced and len(target) == len(output) and name not in _SPARSE:
        return None
    if name in _SAME_SHAPE:
        message = _not_the_same(target, output)
    elif name in _SPARSE:
        message = _not_sparse(target, output)
    elif name in _DIFFERENCES:
        return _not_broadcast(name, how, target, output)
    if message is None:
        return _out_of_range(name, how, y, output, given, state)
    return finding(
        "loss",
        message,
        words(
            "the loss is {} and the model gives {}, but the labels have shape {}",
            counted(name),
            counted(output),
            counted(labels.shape),
        ),
        crash_type="tensor shape mismatch",
    )


def _same_rank(target: tuple[Any, ...], output: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Source: `squeeze_or_expand_to_same_rank`, `keras/src/losses/loss.py`."""
    if len(target) == len(output) + 1 and target[-1] == 1:
        return (target, (*output, 1)) if len(output) == 1 else (target[:-1], output)
    if len(output) == len(target) + 1 and output[-1] == 1:
        return ((*target, 1), output) if len(target) == 1 else (target, output[:-1])
    return target, output


def _shown(shape: tuple[Any, ...]) -> Part:
    return counted("torch.Size({})".format(list(shape)) if backend() == "torch" else shape)


def _not_the_same(target: tuple[Any, ...], output: tuple[Any, ...]) -> Words | None:
    if len(target) != len(output):
        return words(
            "Arguments `target` and `output` must have the same "
            + ("rank (ndim)" if backend() == "tensorflow" else "shape")
            + ". Received: target.shape={}, output.shape={}",
            _shown(target),
            _shown(output),
        )
    if any(type(a) is int and type(b) is int and a != b for a, b in zip(target, output)):
        return words(
            "Arguments `target` and `output` must have the same shape. Received: target.shape={}, output.shape={}",
            _shown(target),
            _shown(output),
        )
    return None


def _not_sparse(target: tuple[Any, ...], output: tuple[Any, ...]) -> Words | None:
    if len(target) == len(output) and target[-1] == 1:
        target = target[:-1]
    if len(target) != len(output) - 1:
        return words(
            "Argument `output` must have rank (ndim) `target.ndim - 1`. Received: target.shape={}, output.shape={}"
            if backend() == "tensorflow"
            else "Arguments `target` and `output` must have the same shape up until the last dimension: "
            "target.shape={}, output.shape={}",
            _shown(target),
            _shown(output),
        )
    if any(type(a) is int and type(b) is int and a != b for a, b in zip(target, output)):
        return words(
            "Arguments `target` and `output` must have the same shape up until the last dimension: target.shape={}, "
            "output.shape={}",
            _shown(target),
            _shown(output),
        )
    return None


def _not_broadcast(name: str, how: Compiled, target: tuple[Any, ...], output: tuple[Any, ...]) -> Finding | None:
    """Labels and outputs cannot be subtracted: TensorFlow sees it when it traces the graph."""
    if backend() != "tensorflow" or not how.plain or _runs_eagerly() or len(target) != len(output):
        return None
    pairs = list(zip(target, output))
    wrong = [pair for pair in pairs if all(type(each) is int for each in pair) and pair[0] != pair[1] and 1 not in pair]
    if not wrong:
        return None
    return finding(
        "loss",
        words("Dimensions must be equal, but are {} and {} for …", counted(wrong[0][0]), counted(wrong[0][1])),
        words(
            "the loss is {} and the model gives {}, but the labels {}", counted(name), counted(output), counted(target)
        ),
        crash_type="tensor shape mismatch",
    )


def _runs_eagerly() -> bool:
    found = safe.loaded("tensorflow.python.eager.polymorphic_function.eager_function_run", "RUN_FUNCTIONS_EAGERLY")
    return found is not False


def _on_cpu() -> bool:
    """Whether TensorFlow certainly computes on a CPU, where it checks labels and indices."""
    info: Any = keras_layers.entries(safe.loaded("tensorflow.python.platform.build_info", "build_info"))
    if info.get("is_cuda_build") is False and info.get("is_rocm_build") is False:
        return True
    context: Any = keras_layers.own(safe.loaded("tensorflow.python.eager.context", "_context"))
    devices = context.get("_context_devices") if context.get("_initialized") is True else None
    return type(devices) is list and all(type(each) is str and "/device:CPU:" in each for each in devices)


def _numbers(value: Value | None, state: State) -> Any:
    """Return the integers of an array or a series, if it is short enough to look at; None otherwise."""
    live: Any = state.live(value)
    if live is not safe.ABSENT and blocks.is_series(live):
        live = blocks.values(live)
    if not safe.is_exactly(live, "numpy", "ndarray") or live.dtype.kind not in "iuf" or not 0 < live.size <= 20_000_000:
        return None
    return live


def _out_of_range(
    name: str, how: Compiled, y: Value | None, output: tuple[Any, ...], given: dict[str, Value], state: State
) -> Finding | None:
    """A label that is no index of the outputs, on a CPU."""
    classes = output[-1]
    if name not in _SPARSE or type(classes) is not int or not how.plain or len(output) != 2:
        return None
    if not all(_is_nothing(given.get(each), state) for each in ("steps_per_epoch", "steps", "class_weight")):
        return None
    numbers = _numbers(y, state)
    if numbers is None or (state.plain(given.get("validation_freq", Known(1))) != 1):
        return None
    low, high = numbers.min(), numbers.max()
    if not (low == low and high == high) or abs(low) > 1e9 or abs(high) > 1e9 or (low > -1 and high < classes):
        return None
    if backend() == "tensorflow" and not _on_cpu():
        return None
    kind = "InvalidArgumentError" if backend() == "tensorflow" else "IndexError"
    if backend() == "torch" and name not in _SPARSE:
        return None
    bad = low if low <= -1 else high
    if backend() == "tensorflow":
        message = words(
            "Graph execution error:\n\n…Received a label value of {} which is outside the valid range of [0, {}).…",
            int(bad),
            counted(classes),
        )
    else:
        message = words("Target {} is out of bounds.", int(bad))
    return finding(
        "label-range",
        message,
        words("the model gives {} classes, but the labels reach from {} to {}", counted(classes), int(low), int(high)),
        kind=kind,
        crash_type="data value violation",
    )


# -- what comes out ---------------------------------------------------------------------------------------------------


def _own_layers(spec: Model, state: State, depth: int = 3) -> bool:
    """Whether all layers of a model are Keras' own: those add no metrics."""
    if not spec.complete or not depth:
        return False
    for each in spec.layers:
        inner = spec_of(each, state)
        if type(inner) is Model and _own_layers(inner, state, depth - 1):
            continue
        if type(inner) is not Layer:
            return False
    return True


def _metric_names(model: Value, how: Compiled | None, outputs: Any, state: State) -> list[str] | None:
    """Return the names of the metrics that a model with one output records besides the loss; None if not known."""
    spec = spec_of(model, state)
    if how is None or not how.first or not how.plain or type(outputs) is not Tensor or type(spec) is not Model:
        return None
    if not _own_layers(spec, state) or _is_nothing(how.loss, state):
        return None
    names = state.plain(how.metrics)
    if names is None:
        return []
    if type(names) not in (list, tuple) or not all(type(each) is str for each in names):
        return None
    return list(names) if len(set(names)) == len(names) and "loss" not in names else None


def _history(model: Value, how: Compiled | None, given: dict[str, Value], outputs: Any, state: State) -> Value:
    names = _metric_names(model, how, outputs, state)
    callbacks = _callbacks(given, state)
    config: dict[str, Any] = {}
    validates = _validates(given, state)
    adds_nothing = callbacks is not None and set(callbacks) <= {"EarlyStopping", "ModelCheckpoint"}
    if names is not None and validates is not None and adds_nothing:
        keys = sorted(["loss", *names])
        keys += ["val_" + each for each in keys] if validates else []
        config["history"] = {key: Hole(_recorded(given, callbacks or [], state)) for key in keys}
    cls: Any = safe.loaded("keras.src.callbacks.history", "History")
    found = stand_in(Thing("History", config, cls))
    state.note(model, ".history", found)
    return found


def _validates(given: dict[str, Value], state: State) -> bool | None:
    if not _is_nothing(given.get("validation_data"), state):
        live: Any = state.live(given["validation_data"])
        known = live is not safe.ABSENT or spec_of(given["validation_data"], state) is not None
        return True if known and "validation_freq" in given and state.plain(given["validation_freq"]) == 1 else None
    split = state.plain(given.get("validation_split", Known(0.0)))
    if not safe.one_of(type(split), (int, float)) or state.plain(given.get("validation_freq", Known(1))) != 1:
        return None
    return bool(split)


def _recorded(given: dict[str, Value], callbacks: list[str], state: State) -> Value:
    """Return the numbers that are recorded, one for each epoch."""
    epochs = state.plain(given.get("epochs"))
    first = state.plain(given.get("initial_epoch", Known(0)))
    if callbacks or type(epochs) is not int or first != 0 or not 0 < epochs <= 500:
        return UNKNOWN
    return Known([Hole(Made("number")) for _ in range(epochs)])


def _object_array(given: dict[str, Value], state: State) -> Finding | None:
    """An array of Python objects that are numbers. Source: TensorFlow, `python/lib/core/ndarray_tensor.cc`."""
    for name in ("x", "y"):
        live: Any = state.live(given.get(name))
        if not safe.is_exactly(live, "numpy", "ndarray") or live.dtype.kind != "O" or not 0 < live.size <= 1_000_000:
            continue
        kinds = [type(each) for each in live.ravel()[:1000].tolist()]
        bad = next((kind for kind in kinds if kind is not str and kind is not bytes), None)
        if bad is None or not safe.one_of(bad, (int, float, bool)) or backend() not in ("tensorflow", "torch"):
            continue
        message = words("Invalid dtype: object")
        if backend() == "tensorflow":
            text = "Failed to convert a NumPy array to a Tensor (Unsupported object type {})."
            message = words(text, counted(safe.class_name(bad)))
        return finding(
            "object-array",
            message,
            words("{} is an array of Python objects, dtype object", named(name)),
            crash_type="data value violation",
        )
    return None


def _index(model: Value, run: str, given: dict[str, Value], state: State) -> Finding | None:
    """An index that an Embedding at the start of a model has no row for, on a CPU."""
    spec = spec_of(model, state)
    if not _reaches_the_model(run, given, state) or backend() not in ("tensorflow", "torch"):
        return None
    steps = (given.get(each) for each in ("steps_per_epoch", "steps"))
    if not all(_is_nothing(each, state) for each in steps) or state.plain(given.get("validation_freq", Known(1))) != 1:
        return None
    for rows, indices in _embedded(model, spec, given.get("x"), state):
        numbers = _numbers(indices, state)
        # Beyond, a float32 may be another number; negative ones count from the end, as in `keras.ops.take`.
        if type(rows) is not int or numbers is None or not 0 < rows < 2**24:
            continue
        low, high = numbers.min(), numbers.max()
        if not (rows <= high < 1e9 or -1e9 < low <= -rows - 1) or (backend() == "tensorflow" and not _on_cpu()):
            continue
        because = words(
            "the Embedding has {} rows, but the data reach from {} to {}", counted(rows), int(low), int(high)
        )
        text, kind = words("index out of range in self"), "IndexError"
        if backend() == "tensorflow":
            text = words("Graph execution error:\n\n…indices[…] = … is not in [0, {})…", counted(rows))
            kind = "InvalidArgumentError"
        return finding("embedding-index", text, because, kind=kind, crash_type="data value violation")
    return None


def _embedded(model: Value, spec: Model, x: Value | None, state: State) -> list[tuple[Any, Value]]:
    """Return the rows of each Embedding that is fed with an input itself, and what that input is given."""
    if x is None:
        return []
    if spec.kind == "Sequential":
        first: Any = spec_of(spec.layers[0], state) if spec.layers else None
        usual = spec.inputs is None or (type(spec.inputs) is Tensor and spec.inputs.dtype in _INDEX_TYPES)
        is_first = type(first) is Layer and first.kind == "Embedding" and usual
        return [(first.config.get("input_dim"), x)] if is_first else []
    live: Any = state.live(x)
    inputs = flat(spec.inputs)
    data = [of_element(each) for each in live] if type(live) in (list, tuple) else [x]
    if len(data) != len(inputs) or type(spec.inputs) not in (Tensor, list):
        return []
    found = []
    for place, layer in _starts(model, spec, state):
        start = spec_of(layer, state)
        if type(start) is Layer and start.kind == "Embedding" and inputs[place].dtype in _INDEX_TYPES:
            found.append((start.config.get("input_dim"), data[place]))
    return found


# Of an input: in these an index that is out of range stays so.
_INDEX_TYPES = (None, "float32", "int32", "int64")


def _starts(model: Value, spec: Model, state: State) -> list[tuple[int, Value]]:
    """Return the layers of a functional model that are called on an input alone, each with the input's place."""
    if type(model) is Known and state.live(model) is not safe.ABSENT:
        ends = keras_layers.items(keras_layers.own(model.object).get("_inputs"))
        found: list[tuple[int, Value]] = []
        for layer in spec.layers:
            nodes = keras_layers.items(keras_layers.own(layer.object).get("_inbound_nodes"))  # type: ignore[attr-defined]
            arguments = keras_layers.own(keras_layers.own(nodes[0]).get("arguments")) if len(nodes) == 1 else {}
            tensors = keras_layers.items(arguments.get("keras_tensors"))
            found += [(place, layer) for place, end in enumerate(ends) if len(tensors) == 1 and tensors[0] is end]
        return found
    pairs = [pair for end in flat(spec.outputs) for pair in end.fed]
    inputs = list(enumerate(flat(spec.inputs)))
    return [(place, after) for place, each in inputs for before, after in pairs if before is each.layer]


def _results(model: Value, how: Compiled | None, given: dict[str, Value], outputs: Any, state: State) -> Value:
    names = _metric_names(model, how, outputs, state)
    if names is None or state.plain(given.get("return_dict", Known(False))) is not False:
        return UNKNOWN
    if not names:
        return Made("number", scalar=True)
    return Known([Hole(Made("number")) for _ in range(len(names) + 1)])


def _predicted(model: Value, outputs: Any, given: dict[str, Value], state: State) -> Value:
    """Return what `predict` gives: an array with a row for each sample."""
    numpy: Any = safe.loaded("numpy")
    found = tensors_of(given.get("x"), state)
    samples = flat(found)[0].shape if found is not None and flat(found) else None
    if type(outputs) is not Tensor or not outputs.shape or not samples or numpy is None:
        return UNKNOWN
    sizes = (samples[0], *outputs.shape[1:])
    if not _is_nothing(given.get("steps"), state) or any(type(size) is not int for size in sizes):
        return UNKNOWN
    cell = numpy.zeros((), dtype="float32")
    knows = frozenset([SHAPE, DTYPE] if _gives_float32(spec_of(model, state), state) else [SHAPE])
    return Like(numpy.broadcast_to(cell, sizes), knows)


# Layers that give floats, whatever they take.
_FLOATING = re.compile(r"Dense|LSTM|GRU|SimpleRNN|(Separable|Depthwise)?Conv[123]D(Transpose)?")


def _gives_float32(spec: Any, state: State) -> bool:
    """Whether a model is certain to give numbers of 32 bits, as layers do unless another policy was set."""
    if type(spec) is not Model or type(spec.outputs) is not Tensor:
        return False
    if spec.outputs.dtype is not None:
        return spec.outputs.dtype == "float32"
    chain = spec.layers if spec.kind == "Sequential" else spec.outputs.made_by
    last = spec_of(chain[-1], state) if chain else None
    if type(last) is not Layer or _FLOATING.fullmatch(last.kind) is None or not _policy_is_float32(state):
        return False
    return chain is not None and type(chain[-1]) is Like and last.config.get("policy") == "default"


def _policy_is_float32(state: State) -> bool:
    """Whether layers that are made now compute in 32 bits. Keras keeps that for each thread."""
    if state.memo.get(POLICY):
        return False
    tracker: Any = safe.loaded("keras.src.backend.common.global_state", "GLOBAL_STATE_TRACKER")
    if type(tracker) is not threading.local or threading.current_thread() is not threading.main_thread():
        return False
    policy = threading.local.__getattribute__(tracker, "__dict__").get("dtype_policy")
    if policy is None:
        return bool(safe.loaded("keras.src.backend.config", "_FLOATX") == "float32")
    return bool(keras_layers.own(policy).get("_name") == "float32")
