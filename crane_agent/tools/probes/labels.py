"""Labels of frames, series, lists and dicts: what one has and another lacks."""

from typing import Literal

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec

Axis = Literal["rows", "columns"]


class IndexArguments(Arguments):
    """What `index` takes."""

    path: Path
    labels: list[str | int | float] | None = Field(
        default=None, description="Labels that the target uses: the answer says which are missing."
    )
    axis: Axis = Field(default="rows", description="Which index of a DataFrame.")


class DifferenceArguments(Arguments):
    """What `difference` takes."""

    left: Path
    right: Path
    axis: Axis = Field(default="columns", description="Which labels of a DataFrame.")


SPECS = (
    ProbeSpec(
        name="index",
        use="The index of a DataFrame or Series: kind, dtype, levels, length, how many labels repeat an earlier one, "
        "whether they ascend; for the `labels` given, which are missing. Use it before .loc, at, drop, reindex, "
        "s[label], concat or arithmetic of frames with different rows, or where duplicate labels raise.",
        arguments=IndexArguments,
        example={"path": "prices", "labels": ["Rom", "Oslo"]},
        example_answer={
            "path": "prices",
            "index": "Index",
            "level_names": ["city"],
            "dtype": "object",
            "length": 3,
            "looked_at": 3,
            "duplicates": 1,
            "sorted": False,
            "missing": ["Rom"],
            "close": {"Rom": ["Rome"]},
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="difference",
        use="Labels that one value has and another lacks, both ways, and whether the same labels stand in the same "
        "order: columns (or rows) of a DataFrame, the index of a Series, an Index, list, tuple, set, dict keys or "
        "array. Use it before predict on other data than fit had, merge, concat, reindex, df[list], rename or map.",
        arguments=DifferenceArguments,
        example={"left": "test", "right": "features"},
        example_answer={
            "left": "test",
            "right": "features",
            "left_length": 2,
            "right_length": 3,
            "in_both": 1,
            "only_left": ["Area"],
            "only_left_count": 1,
            "only_right": ["area", "rooms"],
            "only_right_count": 2,
            "close": {"Area": ["area"]},
            "truncated": False,
        },
    ),
)
