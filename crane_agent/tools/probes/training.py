"""What training Keras models is made of: how they are compiled, and the histories that are left of it."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="compiled",
        use="Whether a Keras model is compiled, with which losses (from_logits, null: its default), metrics and "
        "optimizer, and what layers make its outputs: units, activation, shape. Use it before fit, evaluate or "
        "predict, to compare the loss with the outputs and with the labels.",
        arguments=PathArguments,
        example={"path": "model"},
        example_answer={
            "path": "model",
            "type": "keras.src.models.sequential.Sequential",
            "compiled": True,
            "losses": [
                {
                    "name": None,
                    "type": "str",
                    "loss": "sparse_categorical_crossentropy",
                    "from_logits": None,
                    "reduction": None,
                }
            ],
            "metrics": ["accuracy"],
            "optimizer": "keras.src.optimizers.adam.Adam",
            "learning_rate": "keras.src.backend.tensorflow.core.Variable",
            "outputs": [
                {
                    "name": "dense",
                    "type": "keras.src.layers.core.dense.Dense",
                    "units": 10,
                    "activation": "softmax",
                    "output_shapes": [[None, 10]],
                }
            ],
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="training_history",
        use="Which metrics the History that Keras' fit returns has recorded, with the number of epochs of each. Use "
        "it before history.history['val_accuracy'] and the like: the keys depend on the metrics' names and on "
        "validation data.",
        arguments=PathArguments,
        example={"path": "history"},
        example_answer={
            "path": "history",
            "type": "keras.src.callbacks.history.History",
            "recorded": {"accuracy": 5, "loss": 5},
            "n_epochs": 5,
            "truncated": False,
        },
    ),
)
