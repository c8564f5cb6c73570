"""Tools in the form `BaseChatModel.bind_tools` takes, as short as they can be: each question sends them all again.

Left out is what a model does not need to fill them in: titles, defaults, lengths, that an optional argument may also
be null, that there are no others. What it answers is checked against the whole model anyway.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

_LEFT_OUT = frozenset(
    {"title", "default", "additionalProperties", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"}
)


def tool_of(
    arguments: type[BaseModel], *, name: str, description: str, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return a tool as an OpenAI function schema.

    Args:
        arguments: What it takes.
        name: What it is called.
        description: What it is for, and when to use it.
        without: Fields that are not offered, those of its parts as ``part.field``.
    """
    schema = arguments.model_json_schema()
    parameters = _short(schema, schema.get("$defs", {}), frozenset(without), "")
    parameters.pop("description", None)
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _short(
    schema: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], without: Collection[str], place: str
) -> dict[str, Any]:
    """Return a schema with its parts put in place; where it has words of its own, those of the part are left out."""
    if "$ref" in schema:
        part = dict(parts[schema["$ref"].rsplit("/", 1)[-1]])
        part.pop("description", None)
        return _short({**part, **{key: value for key, value in schema.items() if key != "$ref"}}, parts, without, place)
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        if len(choices) == 1:
            return _short({**choices[0], **rest}, parts, without, place)
        if all(choice.keys() == {"type"} for choice in choices):
            return _short({"type": [choice["type"] for choice in choices], **rest}, parts, without, place)
        return {**_kept(rest), "anyOf": [_short(choice, parts, without, place) for choice in choices]}
    short = _kept(schema)
    if "items" in schema:
        short["items"] = _short(schema["items"], parts, without, place)
    if "properties" in schema:
        short["properties"] = {
            field: _short(value, parts, without, f"{place}{field}.")
            for field, value in schema["properties"].items()
            if f"{place}{field}" not in without
        }
    return short


def _kept(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in _LEFT_OUT and key != "$defs"}
