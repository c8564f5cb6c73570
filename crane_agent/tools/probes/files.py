"""Files, seen from the kernel's working folder."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, ProbeSpec


class FileArguments(Arguments):
    """What `file` takes."""

    path: str = Field(
        min_length=1,
        max_length=4096,
        description="Path of the file, not of a value: absolute, or relative to the kernel's folder.",
    )


class GlobArguments(Arguments):
    """What `glob` takes."""

    pattern: str = Field(
        min_length=1,
        max_length=4096,
        description="Pattern as glob.glob takes it, e.g. data/*.csv: absolute, or relative to the kernel's folder.",
    )
    recursive: bool = Field(default=False, description="Whether ** stands for any number of folders.")


SPECS = (
    ProbeSpec(
        name="file",
        use="Whether a file or folder exists where the kernel runs, its kind and size, its format by its first bytes, "
        "the encoding of a text, and of a text table its delimiter, its column names and how many lines have how many "
        "fields ([fields, lines, first such line]); for a missing file, files like it. Use it before the target reads "
        "a file or writes into a folder.",
        arguments=FileArguments,
        example={"path": "train.csv"},
        example_answer={
            "file": "train.csv",
            "exists": True,
            "kind": "file",
            "readable": True,
            "bytes": 49,
            "format": "text",
            "encoding": "ascii",
            "looked_at": 49,
            "delimiter": ",",
            "fields_per_line": [[3, 3, 1], [4, 1, 4]],
            "header": ["id", "price", "city"],
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="glob",
        use="How many files and folders a pattern matches where the kernel runs, the first of them, and their size "
        "together. Use it before the target loops over glob.glob(...) or reads the first match.",
        arguments=GlobArguments,
        example={"pattern": "images/*/*.png"},
        example_answer={
            "pattern": "images/*/*.png",
            "count": 2,
            "matches": ["images/cats/1.png", "images/dogs/1.png"],
            "bytes": 16,
            "truncated": False,
            "looked_at": 4,
        },
    ),
)
