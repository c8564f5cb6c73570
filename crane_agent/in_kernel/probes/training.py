"""What training Keras models is made of: how they are compiled, and the histories that are left of it."""

from __future__ import annotations

from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field
from ..readers import keras_layers, settings


def compiled(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say whether a Keras model is compiled, with which losses, metrics and optimizer, and what its outputs are.

    Sources: `Trainer.compile`, `keras/src/trainers/trainer.py` of 3.4 (``compiled``, ``_compile_loss``,
    ``_compile_metrics``), and `Model.compile`, `engine/training.py` of tf_keras 2.17 (``_is_compiled``,
    ``compiled_loss``, ``compiled_metrics``).
    """
    model = paths.resolve(path, shell.user_ns)
    if keras_layers.family(model) is None or not keras_layers.is_model(model):
        raise safe.Refused("could not look, because {} is a {}, not a Keras model".format(path, safe.type_name(model)))
    own = keras_layers.own(model)
    is_compiled = own.get("compiled", own.get("_is_compiled"))
    loss = _first(keras_layers.own(own.get("_compile_loss", own.get("compiled_loss"))), "_user_loss", "_user_losses")
    metrics = keras_layers.own(own.get("_compile_metrics", own.get("compiled_metrics")))
    metric_names = [
        each for place in ("_user_metrics", "_user_weighted_metrics") for each in _metric_names(metrics.get(place))
    ]
    optimizer = own.get("optimizer")
    return {
        "path": path,
        "type": safe.type_name(model),
        "compiled": is_compiled if type(is_compiled) is bool else None,
        "losses": _losses(loss)[: budget.items],
        "metrics": metric_names[: budget.items],
        "optimizer": None if optimizer is None else safe.type_name(optimizer),
        "learning_rate": None if optimizer is None else keras_layers.learning_rate(optimizer),
        "outputs": _outputs(model)[: budget.items],
        "truncated": max(len(_losses(loss)), len(metric_names), len(_outputs(model))) > budget.items,
    }


def _first(table: dict[str, Any], *names: str) -> Any:
    return next((table[name] for name in names if table.get(name) is not None), None)


def _losses(loss: Any) -> list[dict[str, Any]]:
    """Return one record for each loss, in order; of a dict with the name of the output it belongs to."""
    if loss is None:
        return []
    named = keras_layers.entries(loss)
    if named:
        return [dict(_loss(each), name=safe.text(name, 80)) for name, each in named.items()]
    listed = keras_layers.items(loss)
    return [_loss(each) for each in listed] if listed else [_loss(loss)]


def _loss(loss: object) -> dict[str, Any]:
    own = keras_layers.own(loss)
    arguments = keras_layers.entries(own.get("_fn_kwargs"))
    from_logits = own.get("from_logits", arguments.get("from_logits"))
    return {
        "name": None,
        "type": safe.type_name(loss),
        "loss": _library_word(loss, "losses") if type(loss) is str else keras_layers.called(loss),
        "from_logits": from_logits if type(from_logits) is bool else None,
        "reduction": settings.reduction(own),
    }


def _library_word(word: str, module: str) -> str | None:
    """Return a loss or metric given as text if it is one of Keras' own names, else None."""
    for package in ("keras.src", "tf_keras.src", "keras"):
        own = keras_layers.own(safe.loaded("{}.{}".format(package, module)))
        for names in (keras_layers.entries(own.get("ALL_OBJECTS_DICT")), own):
            if word in names and not word.startswith("_"):
                return word
    return word if word.lower() in ("accuracy", "acc", "crossentropy", "ce") else None


def _metric_names(metrics: Any) -> list[str]:
    """Return the names of metrics however they are nested: of a text if it is Keras' own, of a function, of a class."""
    found: list[str] = []
    waiting = [metrics]
    while waiting and len(found) < 1000:
        each = waiting.pop()
        inner = keras_layers.items(each) or list(keras_layers.entries(each).values())
        if inner:
            waiting.extend(reversed(inner))
        elif type(each) is str:
            found.append(_library_word(each, "metrics") or "str")
        elif each is not None and not safe.one_of(type(each), (list, tuple, dict)):
            found.append(keras_layers.called(each) or "")
    return found


def _outputs(model: object, depth: int = 5) -> list[dict[str, Any]]:
    """Return the layers that make a model's outputs; [] if that is not stored."""
    own = keras_layers.own(model)
    inner = own.get("_functional")
    inside = keras_layers.own(inner) if keras_layers.family(inner) == 3 else own
    found = []
    for tensor in keras_layers.items(inside.get("_outputs", inside.get("outputs"))):
        history: Any = keras_layers.own(tensor).get("_keras_history")
        if safe.inherits(type(history), tuple) and tuple.__len__(history) > 0:
            layer = tuple.__getitem__(history, 0)
            found.append(_output(layer, keras_layers.tensor_shape(tensor), depth))
    if not found and keras_layers.style(model) == "sequential":
        last = keras_layers.children(model)[-1:]
        found = [_output(layer, None, depth) for layer in last]
    return found


def _output(layer: object, shape: Any, depth: int) -> dict[str, Any]:
    if depth > 0 and keras_layers.family(layer) is not None and keras_layers.is_model(layer):
        inner = _outputs(layer, depth - 1)
        if len(inner) == 1:
            return inner[0]
    own = keras_layers.own(layer)
    units = own.get("units") if shape is None else shape[-1] if shape else None
    activation = keras_layers.activation(layer)
    if keras_layers.is_own(layer) and safe.class_name(type(layer)) == "Softmax":
        activation = "softmax"
    return {
        "name": keras_layers.name(layer),
        "type": safe.type_name(layer),
        "units": units if type(units) is int else None,
        "activation": activation,
        "output_shapes": None if shape is None else [shape],
    }


def training_history(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Say which metrics a Keras `History` has recorded, for how many epochs each."""
    value = paths.resolve(path, shell.user_ns)
    own = keras_layers.own(value)
    if keras_layers.family(value) is not None and "history" in own:
        value, own = own["history"], keras_layers.own(own["history"])
    places = ("keras.src.callbacks.history", "tf_keras.src.callbacks", "keras.src.callbacks", "keras.callbacks")
    if not any(safe.inherits(type(value), safe.loaded(place, "History")) for place in places):
        raise safe.Refused(
            "could not look, because {} is a {}, not what Keras' fit returns".format(path, safe.type_name(value))
        )
    epochs = own.get("epoch")
    recorded = keras_layers.entries(own.get("history"))
    return {
        "path": path,
        "type": safe.type_name(value),
        "recorded": {
            safe.text(name, 80): len(keras_layers.items(recorded[name])) for name in sorted(recorded)[: budget.items]
        },
        "n_epochs": len(epochs) if type(epochs) is list else None,
        "truncated": len(recorded) > budget.items,
    }


FIELDS = {
    "compiled": Field(NAMES, "whether a model is compiled"),
    "losses": Field(NAMES, "the losses a model is compiled with", records=True),
    "loss": Field(SCHEMA, "name of a loss, if it is a function, a class or one of the library's own names"),
    "from_logits": Field(SCHEMA, "whether a loss takes outputs before their activation"),
    "reduction": Field(SCHEMA, "how a loss is reduced over a batch"),
    "metrics": Field(SCHEMA, "names of metrics, if they are functions, classes or the library's own names"),
    "optimizer": Field(NAMES, "class of an optimizer"),
    "learning_rate": Field(SCHEMA, "learning rate, or the type of what computes it"),
    "outputs": Field(NAMES, "the layers that make the outputs of a model", records=True),
    "recorded": Field(SCHEMA, "metrics recorded during training, with the number of values"),
    "n_epochs": Field(SCHEMA, "number of epochs trained"),
}
PROBES = {"compiled": compiled, "training_history": training_history}
