"""Which names are there."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, ProbeSpec


class NamesArguments(Arguments):
    """What `names` takes."""

    like: str | None = Field(
        default=None, description="Only names close to this one, e.g. a misspelling; null: all names."
    )


SPECS = (
    ProbeSpec(
        name="names",
        use="Names that exist in the kernel. Use it when a name the target reads may be undefined or misspelt: give it "
        "as `like` to learn whether it is defined, how many names there are, and which come close. Without `like`: all "
        "names with their types.",
        arguments=NamesArguments,
        example={"like": "X_trian"},
        example_answer={
            "name": "X_trian",
            "defined": False,
            "count": 2,
            "close_names": ["X_train"],
        },
    ),
)
