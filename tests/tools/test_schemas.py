"""Tools as a model is offered them: short, and whatever they let through is judged by the whole model."""

from typing import Literal

from pydantic import BaseModel, Field

from crane_agent.tools.schemas import tool_of
from crane_agent.tools.verdict import verdict_tool
from crane_agent.verdict.models import Claim


class Part(BaseModel):
    """A part."""

    size: int = Field(ge=1, description="How large.")
    ours: str = ""


class Arguments(BaseModel):
    """What it takes."""

    name: str | None = Field(default=None, max_length=9, description="A name.")
    keys: list[str | int] | None = None
    kind: Literal["a", "b"] = "a"
    part: Part | None = Field(default=None, description="Which part.")
    parts: tuple[Part, ...] = ()


def test_a_tool_has_what_is_needed_to_fill_it_in_and_no_more() -> None:
    tool = tool_of(Arguments, name="take", description="Take it.", without=("part.ours", "parts.ours"))
    part = {"type": "object", "properties": {"size": {"type": "integer", "description": "How large."}}}
    assert tool == {
        "type": "function",
        "function": {
            "name": "take",
            "description": "Take it.",
            "parameters": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "A name."},
                    "keys": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "part": {**part, "required": ["size"], "description": "Which part."},
                    "parts": {"type": "array", "items": {**part, "required": ["size"]}},
                },
            },
        },
    }


def test_the_verdict_is_offered_with_every_field_but_ours() -> None:
    parameters = verdict_tool("Answer.")["function"]["parameters"]
    assert set(parameters["properties"]) == set(Claim.model_fields)
    assert set(parameters["properties"]["exception"]["properties"]) == {"type", "message", "line"}
    assert set(parameters["properties"]["origin"]["items"]["properties"]) == {"cell", "summary"}
    assert parameters["required"] == ["outcome", "confidence", "explanation"]
