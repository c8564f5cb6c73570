"""The cells that the kernel has run, as its history keeps them."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, ProbeSpec


class ExecutedArguments(Arguments):
    """What `executed` takes."""

    start: int = Field(default=1, ge=1, description="Number of the first cell: the `next` of the page before.")
    offset: int = Field(
        default=0, ge=0, description="Characters of that cell to leave out: the `offset` beside `next`."
    )


class HistoryArguments(Arguments):
    """What `history` takes."""

    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="One name, e.g. df; without it, all cells in the order they ran are answered.",
    )


SPECS = (
    ProbeSpec(
        name="executed",
        use="Source of the cells that the kernel has really run, in the order they ran, with their execution counts; "
        "a cell that was edited or deleted after it ran is there as it ran. Use it when the notebook's cells do not "
        "explain the state of the kernel; `next` and `offset` are the arguments that give the next page.",
        arguments=ExecutedArguments,
        example={"start": 2},
        example_answer={
            "executed": [{"number": 2, "source": "df = df.dropna()", "complete": True}],
            "count": 2,
            "truncated": False,
            "next": None,
            "offset": 0,
        },
    ),
    ProbeSpec(
        name="history",
        use="Which cells bound, changed and deleted a name, by their text alone: `cell` is the index in the notebook, "
        "`ran` the execution count, `last` what happened last, `would_bind` the cells that would bind it and have not "
        "run before the target. Without a name: all cells in the order they ran, those that ran out of order or more "
        "than once, and the names that only cells that did not run would bind. Use it for a NameError, and when a name "
        "may have been overwritten, dropped, or left as an older cell made it.",
        arguments=HistoryArguments,
        example={"name": "df"},
        example_answer={
            "name": "df",
            "bound": [{"cell": 0, "ran": 1}],
            "changed": [{"cell": 1, "ran": 2, "how": ["item assignment"]}],
            "deleted": [],
            "last": {"cell": 1, "ran": 2, "did": ["changed"]},
            "would_bind": [{"cell": 3, "ran": None}],
            "may_bind_anything": [],
            "complete": True,
            "truncated": False,
        },
        answered_by="cells",
    ),
)
