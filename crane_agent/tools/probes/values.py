"""One live value, whatever it is."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="describe",
        use="Type of one value, and by kind its shape, dtype, columns, length, keys, element types, attributes, "
        "fields; how far a generator has come, whether a file is closed and how much of it was read, the version of a "
        "module. Use it for a value whose kind you do not know.",
        arguments=PathArguments,
        example={"path": "cfg['train']"},
        example_answer={
            "path": "cfg['train']",
            "type": "dict",
            "kind": "dict",
            "length": 2,
            "keys": ["lr", "epochs"],
            "truncated": False,
        },
    ),
)
