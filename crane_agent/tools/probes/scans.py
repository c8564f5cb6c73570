"""Columns read value by value: what a conversion rejects, and in which rows a condition holds."""

from typing import Annotated, Literal

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec

Conversion = Literal["astype(int)", "astype(float)", "int()", "float()", "to_numeric", "to_datetime"]


class CastArguments(Arguments):
    """What `cast` takes."""

    path: Path
    to: Annotated[
        Conversion,
        Field(
            description="What converts: Series.astype, Python's own int() or float() on each element (also of a list), "
            "pd.to_numeric, or pd.to_datetime."
        ),
    ]
    name: str | int | None = Field(
        default=None, description="Label of the column, if the path leads to a DataFrame; leave out for a Series."
    )


class RowsArguments(Arguments):
    """What `rows` takes."""

    path: Path
    where: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            description="A condition on columns by name (`in backticks` or df['so'] if no word): comparisons, in, "
            "and, or, not, + - * / %, isna(), notna(), isin([..]), str.len(), str.contains('x'), str.startswith('x'), "
            "str.endswith('x').",
        ),
    ]


SPECS = (
    ProbeSpec(
        name="cast",
        use="The first value of a column or list that a conversion rejects: its position, row label and type, and the "
        "exception; the value itself only if the privacy level allows it. `rejects` is null if none of the first "
        "`looked_at` is rejected and there are more. Use it before astype(int), astype(float), map(int), "
        "pd.to_numeric or pd.to_datetime.",
        arguments=CastArguments,
        example={"path": "orders", "name": "total", "to": "astype(float)"},
        example_answer={
            "path": "orders",
            "to": "astype(float)",
            "length": 4,
            "looked_at": 4,
            "rejects": True,
            "rejected_at": 2,
            "label": 2,
            "element_type": "str",
            "exception": "ValueError",
        },
    ),
    ProbeSpec(
        name="rows",
        use="In how many rows of a DataFrame a condition on its columns holds, with the first positions. Use it to "
        "find out whether a filter leaves nothing, a divisor is zero, or rows of some kind exist.",
        arguments=RowsArguments,
        example={"path": "orders", "where": "units == 0 or city.isna()"},
        example_answer={
            "path": "orders",
            "where": "units == 0 or city.isna()",
            "length": 4,
            "looked_at": 4,
            "count": 2,
            "positions": [1, 3],
        },
    ),
)
