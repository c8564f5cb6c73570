"""pandas DataFrames and Series, read from their blocks (`blocks` says why)."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec


class ColumnsArguments(Arguments):
    """What `columns` takes."""

    path: Path
    names: list[str | int] | None = Field(
        default=None, description="Column names that the target uses: the answer says which are missing."
    )


SPECS = (
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
)
