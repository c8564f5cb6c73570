"""The probes as a model sees them: name, description, arguments; plain data, importable without LangChain.

To add a probe: answer it in `in_kernel/probes`, then describe it here. The description is all that a model knows of
it, so it says when to use it and shows one call with its answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Path = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Where the value is: a name, then any of .attribute, [0] and ['key'], e.g. cfg['train'].x[0]. "
        "No calls, no slices, no expressions.",
    ),
]


class _Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamesArguments(_Arguments):
    """What `names` takes."""

    like: str | None = Field(
        default=None, description="Only names close to this one, e.g. a misspelling; null: all names."
    )


class PathArguments(_Arguments):
    """What a probe of one value takes."""

    path: Path


class ColumnsArguments(_Arguments):
    """What `columns` takes."""

    path: Path
    names: list[str | int] | None = Field(
        default=None, description="Column names that the target uses: the answer says which are missing."
    )


class SignatureArguments(_Arguments):
    """What `signature` takes."""

    path: Path
    positional: int | None = Field(default=None, ge=0, description="Positional arguments of the call, without self.")
    keywords: list[str] | None = Field(default=None, description="Names of the call's keyword arguments.")


class FileArguments(_Arguments):
    """What `file` takes."""

    path: str = Field(
        min_length=1,
        max_length=4096,
        description="Path of the file, not of a value: absolute, or relative to the kernel's folder.",
    )


@dataclass(frozen=True)
class ProbeSpec:
    """One probe, as plain data.

    Attributes:
        name: The question the kernel is asked.
        use: What it answers and when to use it.
        arguments: The model its arguments must fit.
        example: Arguments of an example call.
        example_answer: What that call answers.
    """

    name: str
    use: str
    arguments: type[_Arguments]
    example: Mapping[str, Any]
    example_answer: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What a model is told: use, one call, its answer."""
        call, answer = json.dumps(dict(self.example)), json.dumps(dict(self.example_answer))
        return f"{self.use} Example: {call} -> {answer}"


_SPECS = (
    ProbeSpec(
        name="names",
        use="Names that exist in the kernel. Use it when a name the target reads may be undefined or misspelt: give it "
        "as `like` to learn whether it is defined and which names come close. Without `like`: all names with their "
        "types.",
        arguments=NamesArguments,
        example={"like": "X_trian"},
        example_answer={"name": "X_trian", "defined": False, "close": ["X_train"]},
    ),
    ProbeSpec(
        name="describe",
        use="Type of one value, and by kind its shape, dtype, columns, length, keys, element types or attributes. Use "
        "it for a value whose kind you do not know, for a dict's keys, or for an attribute that may be missing.",
        arguments=PathArguments,
        example={"path": "cfg['train']"},
        example_answer={
            "path": "cfg['train']",
            "type": "dict",
            "kind": "dict",
            "length": 2,
            "keys": ["lr", "epochs"],
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="columns",
        use="Columns of a DataFrame with their dtypes, in order; for the `names` given, which are missing and what "
        "comes close. Use it before df['x'], df[['x', 'y']], drop, groupby, merge, or arithmetic on columns.",
        arguments=ColumnsArguments,
        example={"path": "df", "names": ["Price", "area"]},
        example_answer={
            "path": "df",
            "kind": "frame",
            "shape": [120, 2],
            "columns": [["price", "float64"], ["area", "int64"]],
            "index": "RangeIndex",
            "truncated": False,
            "missing": ["Price"],
            "close": {"Price": ["price"]},
        },
    ),
    ProbeSpec(
        name="array",
        use="Shape, dtype and device of a numpy array or torch tensor. Use it where shapes must fit: arithmetic, "
        "matmul, reshape, indexing, concatenation, or the data given to fit, predict or a network.",
        arguments=PathArguments,
        example={"path": "batch[0]"},
        example_answer={
            "path": "batch[0]",
            "type": "torch.Tensor",
            "kind": "tensor",
            "shape": [32, 784],
            "dtype": "torch.float32",
            "device": "cpu",
            "requires_grad": False,
        },
    ),
    ProbeSpec(
        name="signature",
        use="Parameters of a Python function, method or class; given the call's `positional` count and `keywords`, "
        "whether the call binds and, if not, the TypeError. Use it when an argument may be unknown, missing or given "
        "twice.",
        arguments=SignatureArguments,
        example={"path": "train", "positional": 2, "keywords": ["lr"]},
        example_answer={
            "path": "train",
            "type": "function",
            "parameters": ["model", "data", "*", "epochs=..."],
            "binds": False,
            "error": "train() got an unexpected keyword argument 'lr'",
        },
    ),
    ProbeSpec(
        name="layers",
        use="Layers of a torch.nn.Module, depth first, with the shapes of their parameters, their sizes, whether "
        "it is in training mode. Use it to compare what a network expects with the shape of what it is given.",
        arguments=PathArguments,
        example={"path": "net"},
        example_answer={
            "path": "net",
            "type": "torch.nn.modules.linear.Linear",
            "training": True,
            "patched": False,
            "layers": [
                {
                    "name": "",
                    "type": "torch.nn.modules.linear.Linear",
                    "parameters": {"weight": [10, 784], "bias": [10]},
                    "sizes": {"in_features": 784, "out_features": 10},
                }
            ],
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="estimator",
        use="Parameters of a scikit-learn-like estimator, whether it is fitted (null: only its own code could tell), "
        "on how many features and with which feature names. Use it before predict, transform or score, or when a "
        "parameter's value may be wrong.",
        arguments=PathArguments,
        example={"path": "scaler"},
        example_answer={
            "path": "scaler",
            "type": "sklearn.preprocessing._data.StandardScaler",
            "kind": "estimator",
            "fitted": False,
            "fitted_attributes": [],
            "n_features_in": None,
            "feature_names_in": None,
            "parameters": {"copy": True, "with_mean": True, "with_std": True},
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="file",
        use="Whether a file or folder exists where the kernel runs, its kind and its size; not what is in it. Use it "
        "before the target reads a file or writes into a folder.",
        arguments=FileArguments,
        example={"path": "no_such_folder/train.csv"},
        example_answer={"file": "no_such_folder/train.csv", "exists": False, "folder_exists": False},
    ),
)

PROBES: Mapping[str, ProbeSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every probe by name, in the order a model is shown them."""


def probe_tools() -> list[dict[str, Any]]:
    """Return the probes in the form `BaseChatModel.bind_tools` takes: OpenAI function schemas."""
    # LangChain is loaded here, not above: the rule policy and the documentation read `PROBES` without it.
    from langchain_core.utils.function_calling import convert_to_openai_function

    return [
        {
            "type": "function",
            "function": {
                **convert_to_openai_function(spec.arguments),
                "name": spec.name,
                "description": spec.description,
            },
        }
        for spec in PROBES.values()
    ]
