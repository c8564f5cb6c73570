"""The values that the examples of `crane_agent.tools.probes.training` are about.

Where Keras is not installed, classes of the same names keep the same things in the same places.
"""

import importlib.util
import sys
import types

if importlib.util.find_spec("keras") is not None:
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax", name="dense")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(np.zeros((4, 784)), np.zeros(4), epochs=5, verbose=0)
else:

    def stand_in(module, source, **names):
        """Return the one class that `source` defines in a module of that name."""
        found = sys.modules[module] = types.ModuleType(module)
        found.__dict__.update(names)
        exec(source, found.__dict__)
        return next(each for each in found.__dict__.values() if getattr(each, "__module__", "") == module)

    def made(cls, **attributes):
        """Return an instance with these attributes."""
        instance = cls()
        instance.__dict__.update(attributes)
        return instance

    plain = "class {}: pass"
    layer = stand_in("keras.src.layers.layer", plain.format("Layer"))
    base = stand_in("keras.src.models.model", "class Model(Layer): pass", Layer=layer)
    sequential = "class Sequential(Model):\n    def call(self, inputs): pass"
    dense = stand_in("keras.src.layers.core.dense", "class Dense(Layer): pass", Layer=layer)
    tensor = stand_in("keras.src.backend.common.keras_tensor", plain.format("KerasTensor"))
    variable = stand_in("keras.src.backend.tensorflow.core", plain.format("Variable"))
    adam = stand_in("keras.src.optimizers.adam", plain.format("Adam"))
    holder = stand_in("keras.src.trainers.compile_utils", plain.format("CompileLoss"))
    past = stand_in("keras.src.callbacks.history", plain.format("History"))
    losses = sys.modules["keras.src.losses"] = types.ModuleType("keras.src.losses")
    losses.ALL_OBJECTS_DICT = {"sparse_categorical_crossentropy": None}

    def softmax(x):
        return x

    last = made(dense, name="dense", units=10, activation=softmax, built=True)
    output = made(tensor, shape=(None, 10), _keras_history=(last, 0, 0))
    model = made(
        stand_in("keras.src.models.sequential", sequential, Model=base),
        compiled=True,
        _compile_loss=made(holder, _user_loss="sparse_categorical_crossentropy"),
        _compile_metrics=made(holder, _user_metrics=["accuracy"]),
        optimizer=made(adam, _learning_rate=made(variable)),
        _functional=made(layer, _outputs=[output]),
    )
    history = made(past, history={"accuracy": [0.5] * 5, "loss": [1.0] * 5}, epoch=[0, 1, 2, 3, 4])
