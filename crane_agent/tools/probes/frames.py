"""pandas DataFrames and Series, read from their blocks (`blocks` says why)."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, PathArguments, ProbeSpec


class ColumnsArguments(Arguments):
    """What `columns` takes."""

    path: Path
    names: list[str | int] | None = Field(
        default=None, description="Column names that the target uses: the answer says which are missing."
    )


class ColumnArguments(Arguments):
    """What `column` takes."""

    path: Path
    name: str | int | None = Field(
        default=None, description="Label of the column, if the path leads to a DataFrame; leave out for a Series."
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
    ProbeSpec(
        name="column",
        use="One column of a DataFrame, or a Series: dtype, how many are null, how many distinct, the types of the "
        "elements of an object column, and the lengths of elements that are lists. Use it before astype, map, str or "
        "dt methods, groupby, nunique, explode, np.stack of a column, or a model that takes no nulls or text.",
        arguments=ColumnArguments,
        example={"path": "sales", "name": "tags"},
        example_answer={
            "path": "sales",
            "kind": "series",
            "label": "tags",
            "dtype": "object",
            "length": 4,
            "looked_at": 4,
            "nulls": 1,
            "element_types": {"list": 3, "NoneType": 1},
            "lengths": {"list": [[2, 2], [1, 1]]},
        },
    ),
    ProbeSpec(
        name="nulls",
        use="Which columns of a DataFrame have nulls (None, NaN, NaT), and how many, within the rows looked at. Use "
        "it before fit, predict, astype(int), matplotlib or anything else that fails on NaN.",
        arguments=PathArguments,
        example={"path": "sales"},
        example_answer={
            "path": "sales",
            "kind": "frame",
            "shape": [4, 2],
            "looked_at": 4,
            "nulls_by_column": [["tags", 1]],
            "with_nulls": 1,
            "without_nulls": 1,
            "unread": [],
            "truncated": False,
        },
    ),
)
