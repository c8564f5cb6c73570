"""Makes `docs/probes.md`, and the table in `docs/privacy.md`, from the descriptions and the declared fields.

Run it as ``python docs/generate.py`` after a probe changed; a test compares what it makes with what is there.
"""

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import crane_agent.tools.probes
from crane_agent.in_kernel import checker, privacy, probes
from crane_agent.tools.probes import PROBES
from crane_agent.tools.probes.base import ProbeSpec

DOCS = Path(__file__).parent
PROBES_PAGE = DOCS / "probes.md"
PRIVACY_PAGE = DOCS / "privacy.md"

BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"

_INTRODUCTION = """\
<!-- Made by docs/generate.py: change the probes, not this page. -->
# The probes

A probe answers one question about a running kernel. It changes nothing there and runs none of the user's code; what
cannot be told so is refused with a reason that begins "could not look, because". The rule policy, triage and a model
ask the same probes. A model is told what each is for, its arguments, and one call; here stands what that answers, too.

Behind each field stands the privacy level from which on it leaves the kernel (see [privacy](privacy.md)). What a level
keeps back is named in the reply, as `withheld`. A list that is cut says `"truncated": true`.
"""


def probes_page() -> str:
    """Return the reference of the probes as Markdown."""
    parts = [_INTRODUCTION]
    for module in _modules():
        parts.append(f"## {_title(module)}\n")
        shown: set[str] = set()
        for spec in module.SPECS:
            parts.extend(_probe(spec, shown))
        parts.extend(_further_fields(module, shown))
    return "\n".join(parts)


def privacy_page(page: str) -> str:
    """Return the privacy page with a fresh table between its two marks.

    Raises:
        ValueError: A mark is missing.
    """
    before, rest = page[: page.index(BEGIN)], page[page.index(END) :]
    return f"{before}{BEGIN}\n{_fields_by_level()}{rest}"


def _modules() -> list[ModuleType]:
    """Return the modules that describe probes, in the order in which a model is shown them."""
    package = crane_agent.tools.probes
    found = [
        importlib.import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    ]
    places = {name: place for place, name in enumerate(PROBES)}
    described = [module for module in found if getattr(module, "SPECS", ())]
    return sorted(described, key=lambda module: places[module.SPECS[0].name])


def _title(module: ModuleType) -> str:
    assert module.__doc__ is not None
    return module.__doc__.split("\n", 1)[0].removesuffix(".")


def _probe(spec: ProbeSpec, shown: set[str]) -> Iterator[str]:
    yield f"### `{spec.name}`\n\n{spec.use}\n"
    yield from _arguments(spec)
    call, answer = json.dumps(dict(spec.example)), json.dumps(dict(spec.example_answer), indent=2)
    yield f"Example: `{call}` is answered\n\n```json\n{answer}\n```\n"
    if spec.answered_by == "cells":
        yield "The notebook's cells tell this; the kernel is not asked.\n"
        return
    fields = list(dict.fromkeys(_fields_in(spec.example_answer)))
    shown.update(fields)
    yield _table(("field", "level", "what it says"), [_field(name) for name in fields])


def _arguments(spec: ProbeSpec) -> Iterator[str]:
    schema = spec.arguments.model_json_schema()
    rows = []
    for name, each in schema.get("properties", {}).items():
        default = "needed" if name in schema.get("required", ()) else f"`{json.dumps(each.get('default'))}`"
        rows.append((f"`{name}`", _type(each, schema), default, each["description"]))
    yield _table(("argument", "type", "default", "meaning"), rows) if rows else "It takes no arguments.\n"


def _type(each: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the type that a JSON schema describes, in words."""
    if "$ref" in each:
        return _type(schema["$defs"][each["$ref"].rpartition("/")[2]], schema)
    for several in ("anyOf", "oneOf"):
        if several in each:
            return " or ".join(_type(one, schema) for one in each[several] if one.get("type") != "null")
    if "enum" in each or "const" in each:
        return " or ".join(f"`{json.dumps(one)}`" for one in each.get("enum", [each.get("const")]))
    if each.get("type") == "array":
        return f"list of {_type(each.get('items', {}), schema)}"
    return str(each.get("type", "any"))


def _fields_in(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields of an answer, those of the records in it, too."""
    for name, value in answer.items():
        yield name
        if name in _declared() and _declared()[name].records:
            for record in value if isinstance(value, list) else [value]:
                if isinstance(record, dict):
                    yield from _fields_in(record)


def _field(name: str) -> tuple[str, str, str]:
    field = _declared().get(name, privacy.Field(privacy.VALUES, "not declared"))
    return f"`{name}`", field.level, field.words


@cache
def _declared() -> privacy.Fields:
    """Return every field of every answer, as the kernel filters them."""
    return privacy.joined(probes.FIELDS, checker.FIELDS)


def _further_fields(module: ModuleType, shown: set[str]) -> Iterator[str]:
    """Yield the fields that a module's answers may have and its examples have not."""
    in_kernel = getattr(probes, module.__name__.rpartition(".")[2])
    further = [_field(name) for name in in_kernel.FIELDS if name not in shown]
    if further:
        yield "Answers may have these fields, too:\n"
        yield _table(("field", "level", "what it says"), further)


def _fields_by_level() -> str:
    parts = []
    for level in privacy.LEVELS:
        rows = [(f"`{name}`", each.words) for name, each in sorted(_declared().items()) if each.level == level]
        parts.append(f"From `{level}` on:\n\n{_table(('field', 'what it says'), rows)}")
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def main() -> None:
    """Write both pages."""
    PROBES_PAGE.write_text(probes_page(), encoding="utf-8")
    PRIVACY_PAGE.write_text(privacy_page(PRIVACY_PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
