"""What may leave the kernel: three levels, enforced here, on the answer as a whole, before it is sent.

Every field of every answer is declared with the lowest level at which it leaves, beside the probe that makes it; a
field that is not declared counts as a value, so a slip hides too much, never too little. What is withheld is named in
the reply. `docs/privacy.md` is made from the same declarations.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Set

NAMES = "names"
SCHEMA = "schema"
VALUES = "values"
LEVELS = (NAMES, SCHEMA, VALUES)
"""From the most to the least private.

- ``names``: names of variables, attributes and parameters, types, and whether something holds.
- ``schema``: also shapes, dtypes, columns, labels, keys, counts, settings that are numbers; no cell values and no
  contents of strings.
- ``values``: also bounded samples of values.
"""


class Field(NamedTuple):
    """One field of an answer.

    Attributes:
        level: The lowest level at which it leaves the kernel.
        words: What it says, for the documentation.
        records: It holds a record, or a list of records, whose fields are declared in the same table; only these
            leave.
    """

    level: str
    words: str
    records: bool = False


Fields = Dict[str, Field]


def at_level(answer: Dict[str, Any], fields: Fields, level: str, withheld: Set[str]) -> Dict[str, Any]:
    """Return the part of an answer that may leave at `level`.

    Args:
        answer: One record.
        fields: The declared fields.
        level: One of `LEVELS`.
        withheld: Gets the names of the fields that are left out.
    """
    kept: Dict[str, Any] = {}
    for name, value in answer.items():
        field = fields.get(name, _UNDECLARED)
        if LEVELS.index(field.level) > LEVELS.index(level):
            withheld.add(name)
        elif field.records and type(value) is dict:
            kept[name] = at_level(value, fields, level, withheld)
        elif field.records and type(value) is list:
            kept[name] = _all_at_level(value, fields, level, withheld)
        else:
            kept[name] = value
    return kept


_UNDECLARED = Field(VALUES, "")


def _all_at_level(records: List[Any], fields: Fields, level: str, withheld: Set[str]) -> List[Any]:
    return [at_level(each, fields, level, withheld) for each in records if type(each) is dict]


def joined(*tables: Fields) -> Fields:
    """Return several tables as one; a field has the same meaning and level wherever it stands.

    Raises:
        ValueError: Two tables declare a field differently.
    """
    found: Fields = {}
    for table in tables:
        for name, field in table.items():
            if found.setdefault(name, field) != field:
                raise ValueError("the field {!r} is declared twice: {} and {}".format(name, found[name], field))
    return found
