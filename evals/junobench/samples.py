"""JunoBench's instances as Inspect samples, and what a finished sample holds.

What a sample shows is for the reader of the log and for the scorers; its target is the written cause. The solver asks
about the instance itself, which holds none of that.
"""

from collections.abc import Collection, Mapping
from typing import Any

from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.util import StoreModel
from pydantic import Field

from evals.instance import Instance
from evals.junobench.dataset import VERSIONS, Labels, library_of
from evals.junobench.predictions import Arm
from evals.scorer import Answer

NO_CAUSE = "The cell does not crash."


class Asked(StoreModel):
    """What the solver leaves in a sample's store.

    Attributes:
        arms: The arms, by name.
        answer: What they said, and what then happened; None if the run failed.
        commit: Commit of the checkout.
    """

    arms: dict[str, Arm] = Field(default_factory=dict)
    answer: Answer | None = None
    commit: str = ""


def dataset_of(instances: Collection[Instance], labels: Mapping[str, Labels]) -> MemoryDataset:
    """Return instances as a dataset."""
    samples = [_sample(instance, labels.get(instance.case, Labels())) for instance in instances]
    return MemoryDataset(samples, name="JunoBench")


def sample_id(instance: Instance) -> str:
    """Return the id of an instance's sample."""
    return "_".join(instance.key)


def _sample(instance: Instance, labels: Labels) -> Sample:
    cells = [*instance.executed, instance.target]
    titles = [*(f"Executed cell {place}" for place in range(len(instance.executed))), "Target"]
    metadata: dict[str, Any] = {
        "case": instance.case,
        "version": instance.version,
        "library": library_of(instance.case),
        "target": instance.target,
        "recorded": instance.recorded and instance.recorded.model_dump(),
        **labels.model_dump(exclude={"cause"}),
    }
    return Sample(
        id=sample_id(instance),
        input="\n\n".join(f"{title}\n```python\n{cell}\n```" for title, cell in zip(titles, cells, strict=True)),
        target=labels.cause if instance.version == VERSIONS[0] else NO_CAUSE,
        metadata=metadata,
    )
