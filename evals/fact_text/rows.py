"""What facts cost for one instance, in bytes and tokens."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict

from evals.instance import Instance

ENCODING = "o200k_base"


class Tokenizer(Protocol):
    """Cuts a text into tokens."""

    def encode(self, text: str, *, disallowed_special: tuple[str, ...]) -> list[int]:
        """Return the tokens' numbers."""


@cache
def tokenizer() -> Tokenizer:
    """Return the tokenizer: o200k_base, whose table the package `bpe-openai` ships, so that nothing is downloaded."""
    from bpe_openai import get_encoding  # type: ignore[import-untyped]

    found: Tokenizer = get_encoding(ENCODING)
    return found


class Size(NamedTuple):
    """The size of a text."""

    bytes: int
    tokens: int

    def __add__(self, other: object) -> Self:
        assert isinstance(other, Size)
        return type(self)(self.bytes + other.bytes, self.tokens + other.tokens)


def size_of(text: str) -> Size:
    """Return how long a text is; what looks like a special token counts as text."""
    return Size(len(text.encode("utf-8")), len(tokenizer().encode(text, disallowed_special=())))


class Level(BaseModel):
    """What facts cost at one privacy level.

    Attributes:
        summary: The fact text of the whole summary.
        without: That without one of its parts, by part.
        probes: The fact text of each of the two probes' answers.
        questions: What a model is sent with its first question, by arm: the parts of it.
        summary_ms: Time of the summary [milliseconds].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: Size
    without: Mapping[str, Size]
    probes: tuple[Size, ...]
    questions: Mapping[str, Mapping[str, Size]]
    summary_ms: float

    @property
    def asked(self) -> Size:
        """The fact text of both probes."""
        return sum(self.probes, Size(0, 0))


class Found(BaseModel):
    """What a worker found out about one instance.

    Attributes:
        levels: The costs, by privacy level.
        probes: The two probes, in the order asked.
        by_policy: How many of them the rule policy chose.
        refused: How many were not answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: Mapping[str, Level]
    probes: tuple[str, ...]
    by_policy: int
    refused: int


class Row(BaseModel):
    """One instance.

    Attributes:
        case: Its case.
        version: Which instance of the case.
        published: The fixed summary that the paper's authors gave their models; None if there is none.
        found: What was found out; None if the run failed.
        error: Why there is nothing.
        commit: Commit of the checkout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    version: str
    published: Size | None = None
    found: Found | None = None
    error: str | None = None
    commit: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(case, version), unique in a dataset."""
        return self.case, self.version


def row_of(instance: Instance, found: Found | None, **more: Any) -> Row:
    """Return the row of an instance."""
    return Row(case=instance.case, version=instance.version, found=found, **more)
