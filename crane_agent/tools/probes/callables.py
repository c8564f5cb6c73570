"""Functions, methods and classes: what they take."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec


class SignatureArguments(Arguments):
    """What `signature` takes."""

    path: Path
    positional: int | None = Field(default=None, ge=0, description="Positional arguments of the call, without self.")
    keywords: list[str] | None = Field(default=None, description="Names of the call's keyword arguments.")


SPECS = (
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
)
