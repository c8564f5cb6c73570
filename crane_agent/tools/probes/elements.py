"""What the elements of a list, tuple, set, dict or object array are: types, lengths, shapes."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="elements",
        use="The distinct kinds of elements of a list, tuple, set, deque, object array or dict (its values): type, "
        "length, shape, dtype, how many and where the first one is; whether they make one array. Use it before a list "
        "becomes an array, a tensor or a DataFrame, is iterated or unpacked, when one row may differ from the others.",
        arguments=PathArguments,
        example={"path": "rows"},
        example_answer={
            "path": "rows",
            "type": "list",
            "length": 20,
            "looked_at": 20,
            "elements": [
                {"type": "list", "count": 19, "first": 0, "length": 4},
                {"type": "list", "count": 1, "first": 17, "length": 3},
            ],
            "stacks": False,
            "truncated": False,
        },
    ),
)
