"""What describes a probe to those who ask it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Path = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Path of the value.",
    ),
]


class Arguments(BaseModel):
    """What a probe takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PathArguments(Arguments):
    """What a probe of one value takes."""

    path: Path


@dataclass(frozen=True)
class ProbeSpec:
    """One probe, as plain data.

    Attributes:
        name: The question the kernel is asked.
        use: What it answers and when to use it.
        arguments: The model its arguments must fit.
        example: Arguments of an example call.
        example_answer: What that call answers.
        answered_by: `kernel`, or `cells`: the notebook's cells tell, the kernel is not asked.
    """

    name: str
    use: str
    arguments: type[Arguments]
    example: Mapping[str, Any]
    example_answer: Mapping[str, Any]
    answered_by: Literal["kernel", "cells"] = "kernel"

    @property
    def description(self) -> str:
        """What a model is told: when to use it, and one call. What that answers, it sees when it calls."""
        return f"{self.use} Example: {json.dumps(dict(self.example))}"
