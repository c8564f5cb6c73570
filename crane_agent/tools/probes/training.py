"""What training is made of: compiled Keras models, their histories, optimizers, schedulers, losses, data loaders."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, PathArguments, ProbeSpec


class OptimizerArguments(Arguments):
    """What `optimizer` takes."""

    path: Path
    model: Path | None = Field(
        default=None, description="Where the torch module is whose parameters the optimizer should hold."
    )


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
    ProbeSpec(
        name="optimizer",
        use="A torch optimizer: its parameter groups, settings, devices; with `model`, which parameters of a torch "
        "module it does not hold (with whether each requires grad) and how many it holds that the module does not. "
        "Also a torch learning rate scheduler, a torch loss (reduction, shape of its class weights), a Keras "
        "optimizer. Use it before step, backward or load_state_dict, or when training may not change a model.",
        arguments=OptimizerArguments,
        example={"path": "opt", "model": "net"},
        example_answer={
            "path": "opt",
            "type": "torch.optim.sgd.SGD",
            "kind": "torch optimizer",
            "groups": [
                {
                    "n_parameters": 1,
                    "sizes": {
                        "dampening": 0,
                        "differentiable": False,
                        "lr": 0.1,
                        "maximize": False,
                        "momentum": 0.9,
                        "nesterov": False,
                        "weight_decay": 0,
                    },
                }
            ],
            "n_parameters": 1,
            "n_trainable": 1,
            "devices": {"cpu": 1},
            "truncated": False,
            "against": {
                "path": "net",
                "n_parameters": 2,
                "n_not_held": 1,
                "not_held": {"bias": True},
                "n_foreign": 0,
                "devices": {"cpu": 2},
                "truncated": False,
            },
        },
    ),
    ProbeSpec(
        name="loader",
        use="A torch DataLoader or Dataset, a tf.data.Dataset, a Keras Sequence or a generator, without drawing from "
        "it: batch size, shuffling, length and number of batches where they are certain (else null), the size of the "
        "last batch, and the parts of one element where stored tensors or specifications show them; of a data set of "
        "the user's own class the arrays it keeps. Use it before a training loop or fit, when a batch may have "
        "another shape, dtype or number of parts than the code unpacks.",
        arguments=PathArguments,
        example={"path": "train_loader"},
        example_answer={
            "path": "train_loader",
            "type": "torch.utils.data.dataloader.DataLoader",
            "kind": "DataLoader",
            "batch_size": 32,
            "drop_last": False,
            "sampler": "torch.utils.data.sampler.RandomSampler",
            "shuffles": True,
            "workers": 0,
            "collate": "default",
            "n_batches": 4,
            "last_batch_size": 4,
            "dataset": "torch.utils.data.dataset.TensorDataset",
            "dataset_length": 100,
            "item": [
                {"type": "torch.Tensor", "shape": [784], "dtype": "torch.float32"},
                {"type": "torch.Tensor", "shape": [], "dtype": "torch.int64"},
            ],
            "items_alike": True,
            "stored": [],
            "truncated": False,
        },
    ),
)
