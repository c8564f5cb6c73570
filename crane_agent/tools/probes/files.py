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


SPECS = (
    ProbeSpec(
        name="file",
        use="Whether a file or folder exists where the kernel runs, its kind and its size; not what is in it. Use it "
        "before the target reads a file or writes into a folder.",
        arguments=FileArguments,
        example={"path": "no_such_folder/train.csv"},
        example_answer={"file": "no_such_folder/train.csv", "exists": False, "folder_exists": False},
    ),
)
