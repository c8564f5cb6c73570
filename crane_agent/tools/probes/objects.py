"""Objects, dicts and classes: attributes, keys, ancestors, without running a property."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, PathArguments, ProbeSpec


class KeysArguments(Arguments):
    """What `keys` takes."""

    path: Path
    names: list[str | int] | None = Field(
        default=None, description="Keys that the target looks up: the answer says which are missing."
    )


class AttributesArguments(Arguments):
    """What `attributes` takes."""

    path: Path
    names: list[str] | None = Field(
        default=None, description="Attributes that the target reads: the answer says what each would be."
    )


SPECS = (
    ProbeSpec(
        name="keys",
        use="Keys of a dict (also OrderedDict, defaultdict, Counter): how many, their types, and for the `names` "
        "given, which are missing and what comes close; `on_missing` says what looking up a missing key does. Use it "
        "before d['x'] when the key may be missing or of another type.",
        arguments=KeysArguments,
        example={"path": "cfg", "names": ["Train"]},
        example_answer={
            "path": "cfg",
            "type": "dict",
            "length": 2,
            "keys": ["train", "test"],
            "key_types": {"str": 2},
            "looked_at": 2,
            "on_missing": "KeyError",
            "truncated": False,
            "missing": ["Train"],
            "close": {"Train": ["train"]},
        },
    ),
    ProbeSpec(
        name="attributes",
        use="Attributes of an object: its own with types, its class's public methods, properties (never run) and "
        "others. For the `names` given: present with type, `computed` (only running code could tell), or certain to be "
        "missing, with close names. Use it before obj.x when the attribute may be missing or misspelt.",
        arguments=AttributesArguments,
        example={"path": "trainer", "names": ["fit", "loss", "score", "modle"]},
        example_answer={
            "path": "trainer",
            "type": "Trainer",
            "attributes": {"epochs": "int", "model": "NoneType"},
            "methods": ["fit"],
            "properties": ["loss"],
            "class_attributes": [],
            "truncated": False,
            "present": {"fit": "method"},
            "computed": ["loss"],
            "missing": ["score", "modle"],
            "close": {"score": [], "modle": ["model"]},
        },
    ),
    ProbeSpec(
        name="hierarchy",
        use="A class, or the class of an object: the classes it inherits from, methods it defines itself, abstract "
        "methods left (with any, it cannot be instantiated), __slots__, metaclass, what __init__ takes. Use it before "
        "a class is instantiated or subclassed, or when a method may come from another class.",
        arguments=PathArguments,
        example={"path": "Trainer"},
        example_answer={
            "path": "Trainer",
            "class": "Trainer",
            "is_class": True,
            "metaclass": "type",
            "mro": ["Trainer", "object"],
            "defines": ["__init__", "fit"],
            "abstract": [],
            "slots": None,
            "truncated": False,
            "parameters": ["epochs=..."],
        },
    ),
)
