"""What brings data to training: data loaders, data sets, tf.data, generators."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
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
