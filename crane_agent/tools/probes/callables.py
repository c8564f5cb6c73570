"""Functions, methods and classes: what they take, what they are made of."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, PathArguments, ProbeSpec


class SignatureArguments(Arguments):
    """What `signature` takes."""

    path: Path
    positional: int | None = Field(default=None, ge=0, description="Positional arguments of the call, without self.")
    keywords: list[str] | None = Field(default=None, description="Names of the call's keyword arguments.")


SPECS = (
    ProbeSpec(
        name="signature",
        use="Parameters of a Python function, method or class and how many are required; given the call's `positional` "
        "count and `keywords`, whether the call binds and, if not, the TypeError, the keywords it would not accept and "
        "close ones. Use it when an argument may be unknown, missing or given twice.",
        arguments=SignatureArguments,
        example={"path": "train", "positional": 2, "keywords": ["epoch"]},
        example_answer={
            "path": "train",
            "type": "function",
            "parameters": ["model", "data", "*", "epochs=..."],
            "required": 2,
            "binds": False,
            "error": "train() got an unexpected keyword argument 'epoch'",
            "unexpected": ["epoch"],
            "close": {"epoch": ["epochs"]},
        },
    ),
    ProbeSpec(
        name="source",
        use="Of a function, method or class that a cell defined: its source, the cell's number, the globals it reads "
        "with the types they have now or 'undefined', free variables, attributes of self it reads; of others only the "
        "file. Use it when the target calls the user's own code and the mistake may be inside it.",
        arguments=PathArguments,
        example={"path": "train"},
        example_answer={
            "path": "train",
            "type": "function",
            "defined_in": "train.py",
            "at_line": 1,
            "number": None,
            "source": None,
            "truncated": False,
            "globals": {"device": "str", "scale": "undefined"},
            "undefined": ["scale"],
            "free": [],
            "self_attributes": [],
        },
    ),
)
